-- +goose Up
-- Written for PostgreSQL in the subset that SQLite reads too. Instants are
-- microseconds since 1970; sealed columns are encrypted for their row.

-- The wrapped keys of each practice, and of the installation itself, which is
-- named 'installation' and is no practice.
CREATE TABLE practice_key (
  practice_id TEXT PRIMARY KEY,
  data BYTEA NOT NULL,
  lookup BYTEA NOT NULL,
  trail BYTEA NOT NULL,
  created_at instant NOT NULL
);

-- The trail: one chain for each practice and one for the installation.
CREATE TABLE audit (
  practice_id TEXT NOT NULL,
  seq BIGINT NOT NULL,
  at instant NOT NULL,
  role TEXT NOT NULL,
  account_id TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  client_id TEXT NOT NULL,
  detail TEXT NOT NULL,
  mac BYTEA NOT NULL,
  PRIMARY KEY (practice_id, seq)
);
CREATE TABLE audit_head (
  practice_id TEXT PRIMARY KEY,
  seq BIGINT NOT NULL,
  mac BYTEA NOT NULL
);

-- run_at is when a job is due and, once claimed, when its lease ends. NULL: given up.
CREATE TABLE job (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  unique_key TEXT UNIQUE,
  about TEXT NOT NULL,
  run_at instant,
  attempt BIGINT NOT NULL,
  error TEXT NOT NULL
);
CREATE INDEX job_due ON job (run_at);

-- How often something was tried. The key is a keyed hash: no address stands here.
CREATE TABLE tally (
  key BYTEA PRIMARY KEY,
  count BIGINT NOT NULL,
  since instant NOT NULL,
  last instant NOT NULL
);
CREATE INDEX tally_last ON tally (last);

-- One person has one account, whatever number of practices and client records it is linked to.
CREATE TABLE account (
  id TEXT PRIMARY KEY,
  email sealed NOT NULL,
  email_index BYTEA NOT NULL UNIQUE,
  name sealed NOT NULL,
  zone TEXT NOT NULL,
  password TEXT NOT NULL,
  verified_at instant,
  created_at instant NOT NULL,
  password_at instant NOT NULL
);
CREATE TABLE session (
  token_hash BYTEA PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  account_id TEXT NOT NULL REFERENCES account (id),
  practice_id TEXT,
  client_id TEXT,
  created_at instant NOT NULL,
  seen_at instant NOT NULL,
  ends_at instant NOT NULL
);
CREATE INDEX session_account ON session (account_id);

-- A browser that has signed in before is let through when a stranger has used
-- up an account's tries.
CREATE TABLE device (
  token_hash BYTEA PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES account (id),
  created_at instant NOT NULL
);
CREATE INDEX device_account ON device (account_id);

-- A practitioner who has typed an address and not yet proved it. No account
-- exists until they do, so nobody can plant a password on somebody's address.
CREATE TABLE sign_up (
  token_hash BYTEA PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  name sealed NOT NULL,
  email sealed NOT NULL,
  created_at instant NOT NULL,
  expires_at instant NOT NULL,
  used_at instant
);

-- Links of an account: a new password, a new e-mail, taking a new e-mail back.
CREATE TABLE account_link (
  token_hash BYTEA PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  account_id TEXT NOT NULL REFERENCES account (id),
  purpose TEXT NOT NULL CHECK (purpose IN ('reset', 'email', 'revert', 'verify')),
  email sealed,
  created_at instant NOT NULL,
  expires_at instant NOT NULL,
  ended_at instant,
  used_at instant
);
-- One live link for each purpose, whoever asks for how many at once.
CREATE UNIQUE INDEX account_link_live ON account_link (account_id, purpose) WHERE ended_at IS NULL AND used_at IS NULL;

-- Letters that leave, or wait to. The content is sealed, and blanked once it has gone.
CREATE TABLE letter (
  practice_id TEXT NOT NULL,
  id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  client_id TEXT,
  account_id TEXT,
  state TEXT NOT NULL CHECK (state IN ('queued', 'delayed', 'sent', 'delivered', 'refused', 'bounced', 'failed', 'cancelled')),
  reason TEXT NOT NULL,
  content sealed,
  attempts BIGINT NOT NULL,
  created_at instant NOT NULL,
  settled_at instant,
  PRIMARY KEY (practice_id, id)
);
-- Addresses that asked for no more letters of a kind that can be declined.
CREATE TABLE no_letters (
  email_index BYTEA PRIMARY KEY,
  created_at instant NOT NULL
);

CREATE TABLE practice (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  zone TEXT NOT NULL,
  steps_hidden BOOLEAN NOT NULL,
  founder_id TEXT NOT NULL UNIQUE REFERENCES account (id), -- one each, however often the button is pressed
  created_at instant NOT NULL
);
CREATE TABLE practitioner (
  practice_id TEXT NOT NULL REFERENCES practice (id),
  id TEXT NOT NULL,
  account_id TEXT NOT NULL REFERENCES account (id),
  name sealed NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('owner', 'administrator', 'practitioner', 'biller', 'scheduler', 'supervisor')),
  active BOOLEAN NOT NULL,
  created_at instant NOT NULL,
  PRIMARY KEY (practice_id, id)
);
CREATE UNIQUE INDEX practitioner_account ON practitioner (account_id, practice_id);

CREATE TABLE client (
  practice_id TEXT NOT NULL REFERENCES practice (id),
  id TEXT NOT NULL,
  practitioner_id TEXT NOT NULL,
  name sealed NOT NULL,
  email sealed,
  email_index BYTEA,
  mobile sealed,
  born sealed,
  address sealed,
  zone TEXT NOT NULL,
  email_consent BOOLEAN NOT NULL,
  account_id TEXT REFERENCES account (id),
  linked_at instant,
  ends_at instant,
  version BIGINT NOT NULL,
  created_at instant NOT NULL,
  PRIMARY KEY (practice_id, id),
  FOREIGN KEY (practice_id, practitioner_id) REFERENCES practitioner (practice_id, id)
);
CREATE INDEX client_email ON client (practice_id, email_index) WHERE email_index IS NOT NULL;
CREATE INDEX client_account ON client (account_id) WHERE account_id IS NOT NULL;

-- Each row is one link. Re-Send makes another and supersedes the one before.
CREATE TABLE invitation (
  practice_id TEXT NOT NULL,
  id TEXT NOT NULL,
  client_id TEXT NOT NULL,
  practitioner_id TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('live', 'used', 'withdrawn', 'superseded')),
  token_hash BYTEA NOT NULL UNIQUE,
  email sealed NOT NULL,
  email_index BYTEA NOT NULL, -- of the installation: a live invitation is found by a typed address
  note sealed,
  letter_id TEXT, -- NULL: the link was copied by hand
  ordinal BIGINT NOT NULL,
  reason TEXT NOT NULL,
  created_at instant NOT NULL,
  expires_at instant NOT NULL,
  ended_at instant,
  ended_by TEXT,
  asked_at instant, -- the person asked for a new link after it was withdrawn
  PRIMARY KEY (practice_id, id),
  FOREIGN KEY (practice_id, client_id) REFERENCES client (practice_id, id),
  FOREIGN KEY (practice_id, practitioner_id) REFERENCES practitioner (practice_id, id),
  FOREIGN KEY (practice_id, letter_id) REFERENCES letter (practice_id, id)
);
-- A client has at most one live link, whoever presses what at once.
CREATE UNIQUE INDEX invitation_live ON invitation (practice_id, client_id) WHERE state = 'live';
CREATE INDEX invitation_client ON invitation (practice_id, client_id, id);
CREATE INDEX invitation_email ON invitation (email_index);
