-- +goose Up
-- Who runs the installation and repairs accounts. The operator makes them.
CREATE TABLE supporter (
  account_id TEXT PRIMARY KEY REFERENCES account (id),
  since instant NOT NULL
);

-- Requests to make a client's account of one whose owner took the wrong door.
-- That one has expired is not a state: it follows from the time.
CREATE TABLE conversion (
  id TEXT PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES account (id),
  practice_id TEXT NOT NULL REFERENCES practice (id),
  state TEXT NOT NULL CHECK (state IN ('asked', 'confirmed', 'done', 'declined', 'withdrawn', 'expired')),
  reason sealed NOT NULL,
  token_hash BYTEA NOT NULL UNIQUE,
  asked_by TEXT REFERENCES account (id), -- NULL: the operator
  asked_at instant NOT NULL,
  expires_at instant NOT NULL,
  confirmed_at instant,
  approved_by TEXT REFERENCES account (id), -- NULL: nobody else had to
  ended_at instant
);
-- One open request for an account, whoever asks at once.
CREATE UNIQUE INDEX conversion_open ON conversion (account_id) WHERE state IN ('asked', 'confirmed');

-- An empty practice that was put away is shown nowhere again; its row stays.
ALTER TABLE practice ADD COLUMN put_away_at instant;

-- When an account is to be deleted, when the program first saw that the day had
-- come, and when it was done: of the row nothing personal is left then.
ALTER TABLE account ADD COLUMN deletion_at instant;
ALTER TABLE account ADD COLUMN deletion_seen_at instant;
ALTER TABLE account ADD COLUMN deleted_at instant;
CREATE INDEX account_deletion ON account (deletion_at) WHERE deletion_at IS NOT NULL;
