-- +goose Up
-- Somebody who works here has lost every way to sign in but the password. One
-- asks for them, another approves: two owners of the practice, or two of those
-- in support, who ask for no practice: practice_id is 'installation' then, and
-- practitioner_id NULL. That it has expired may only follow from the time.
CREATE TABLE recovery (
  practice_id TEXT NOT NULL,
  id TEXT NOT NULL UNIQUE,
  practitioner_id TEXT,
  account_id TEXT NOT NULL REFERENCES account (id),
  state TEXT NOT NULL CHECK (state IN ('asked', 'approved', 'used', 'withdrawn', 'expired')),
  reason sealed NOT NULL,
  asked_by TEXT NOT NULL REFERENCES account (id),
  asked_at instant NOT NULL,
  expires_at instant NOT NULL,
  approved_by TEXT REFERENCES account (id),
  approved_at instant,
  token_hash BYTEA UNIQUE, -- of the link that is sent once it is approved
  ended_at instant,
  PRIMARY KEY (practice_id, id),
  FOREIGN KEY (practice_id, practitioner_id) REFERENCES practitioner (practice_id, id)
);
-- One open request for somebody, whoever asks at once.
CREATE UNIQUE INDEX recovery_open ON recovery (practice_id, account_id) WHERE state IN ('asked', 'approved');
CREATE INDEX recovery_approved ON recovery (account_id) WHERE state = 'approved';
