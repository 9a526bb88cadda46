-- +goose Up
-- A second step beside the password. Each row belongs to a person's account and
-- to no practice.

-- An authenticator app. step is the newest moment whose code was taken: no code
-- works twice, nor an older one after a newer.
CREATE TABLE authenticator (
  account_id TEXT PRIMARY KEY REFERENCES account (id),
  seed sealed NOT NULL,
  step BIGINT NOT NULL,
  created_at instant NOT NULL
);
-- The way back for whoever has lost the rest. Only a keyed hash is stored.
CREATE TABLE recovery_code (
  account_id TEXT NOT NULL REFERENCES account (id),
  code_hash BYTEA NOT NULL,
  created_at instant NOT NULL,
  used_at instant,
  PRIMARY KEY (account_id, code_hash)
);
-- flags is the byte the passkey itself signed: present, verified, may be backed
-- up, is backed up.
CREATE TABLE passkey (
  account_id TEXT NOT NULL REFERENCES account (id),
  id TEXT NOT NULL,
  credential BYTEA NOT NULL UNIQUE,
  public_key BYTEA NOT NULL,
  sign_count BIGINT NOT NULL,
  flags BIGINT NOT NULL,
  aaguid BYTEA NOT NULL,
  transports TEXT NOT NULL,
  attestation TEXT NOT NULL,
  name sealed NOT NULL,
  created_at instant NOT NULL,
  used_at instant,
  PRIMARY KEY (account_id, id)
);
-- What a passkey has answered to once, kept until it is too old to be answered at all.
CREATE TABLE spent_challenge (
  challenge_hash BYTEA PRIMARY KEY,
  expires_at instant NOT NULL
);
-- Somebody has shown the password and not yet the second step: they are not signed in.
CREATE TABLE entry (
  token_hash BYTEA PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  account_id TEXT NOT NULL REFERENCES account (id),
  password_at instant NOT NULL,
  next sealed, -- where they wanted to go: it may hold a link's token
  created_at instant NOT NULL,
  expires_at instant NOT NULL
);
CREATE INDEX entry_account ON entry (account_id);

-- A practitioner vouches for a client who has lost the second step.
CREATE TABLE vouch (
  practice_id TEXT NOT NULL REFERENCES practice (id),
  id TEXT NOT NULL,
  client_id TEXT NOT NULL,
  account_id TEXT NOT NULL REFERENCES account (id),
  practitioner_id TEXT NOT NULL,
  token_hash BYTEA NOT NULL UNIQUE,
  created_at instant NOT NULL,
  expires_at instant NOT NULL,
  ended_at instant,
  used_at instant,
  PRIMARY KEY (practice_id, id),
  FOREIGN KEY (practice_id, client_id) REFERENCES client (practice_id, id),
  FOREIGN KEY (practice_id, practitioner_id) REFERENCES practitioner (practice_id, id)
);
-- One live link for a client, whoever vouches at once.
CREATE UNIQUE INDEX vouch_live ON vouch (practice_id, client_id) WHERE ended_at IS NULL AND used_at IS NULL;

ALTER TABLE account ADD COLUMN signed_in_at instant; -- the first time: from then on a new browser is told of
ALTER TABLE practice ADD COLUMN client_step BOOLEAN NOT NULL DEFAULT FALSE; -- it asks a second step of its clients too
