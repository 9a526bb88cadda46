-- +goose Up
-- A colleague who is asked to work in a practice. Each row is one link; Re-Send
-- makes another and supersedes the one before.
CREATE TABLE team_invitation (
  practice_id TEXT NOT NULL REFERENCES practice (id),
  id TEXT NOT NULL,
  practitioner_id TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('owner', 'administrator', 'practitioner', 'biller', 'scheduler', 'supervisor')),
  state TEXT NOT NULL CHECK (state IN ('live', 'used', 'withdrawn', 'superseded')),
  token_hash BYTEA NOT NULL UNIQUE,
  name sealed NOT NULL,
  email sealed NOT NULL,
  email_index BYTEA NOT NULL, -- of the installation: found by a typed address
  letter_id TEXT NOT NULL,
  ordinal BIGINT NOT NULL,
  created_at instant NOT NULL,
  expires_at instant NOT NULL,
  ended_at instant,
  asked_at instant, -- the person asked for a new link after it was withdrawn
  PRIMARY KEY (practice_id, id),
  FOREIGN KEY (practice_id, practitioner_id) REFERENCES practitioner (practice_id, id),
  FOREIGN KEY (practice_id, letter_id) REFERENCES letter (practice_id, id)
);
-- An address has at most one live link to a practice, whoever presses what at once.
CREATE UNIQUE INDEX team_invitation_live ON team_invitation (practice_id, email_index) WHERE state = 'live';
CREATE INDEX team_invitation_email ON team_invitation (email_index);

-- Who may see a client besides those whose work it is. Without an end: until taken out.
CREATE TABLE care_team (
  practice_id TEXT NOT NULL REFERENCES practice (id),
  client_id TEXT NOT NULL,
  practitioner_id TEXT NOT NULL,
  added_at instant NOT NULL,
  ends_at instant,
  PRIMARY KEY (practice_id, client_id, practitioner_id),
  FOREIGN KEY (practice_id, client_id) REFERENCES client (practice_id, id),
  FOREIGN KEY (practice_id, practitioner_id) REFERENCES practitioner (practice_id, id)
);
CREATE INDEX care_team_member ON care_team (practice_id, practitioner_id);

-- Whose clients a supervisor sees.
CREATE TABLE supervision (
  practice_id TEXT NOT NULL REFERENCES practice (id),
  supervisor_id TEXT NOT NULL,
  practitioner_id TEXT NOT NULL,
  added_at instant NOT NULL,
  PRIMARY KEY (practice_id, supervisor_id, practitioner_id),
  FOREIGN KEY (practice_id, supervisor_id) REFERENCES practitioner (practice_id, id),
  FOREIGN KEY (practice_id, practitioner_id) REFERENCES practitioner (practice_id, id)
);

-- A colleague's client opened in an emergency. It ends by the clock, or when it is closed.
CREATE TABLE emergency (
  practice_id TEXT NOT NULL REFERENCES practice (id),
  id TEXT NOT NULL,
  client_id TEXT NOT NULL,
  practitioner_id TEXT NOT NULL,
  reason sealed NOT NULL,
  opened_at instant NOT NULL,
  until instant NOT NULL,
  closed_at instant,
  PRIMARY KEY (practice_id, id),
  FOREIGN KEY (practice_id, client_id) REFERENCES client (practice_id, id),
  FOREIGN KEY (practice_id, practitioner_id) REFERENCES practitioner (practice_id, id)
);
CREATE INDEX emergency_client ON emergency (practice_id, client_id, id);
CREATE INDEX emergency_member ON emergency (practice_id, practitioner_id, until);
