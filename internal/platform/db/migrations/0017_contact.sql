-- +goose Up
-- Who else matters to a client: parents, guardians, partners, who pays. With
-- rights they may sign in for the client, within their days. Whether somebody
-- may at a moment is no state: it follows from these columns and the time.
CREATE TABLE contact (
  practice_id TEXT NOT NULL REFERENCES practice (id),
  id TEXT NOT NULL,
  client_id TEXT NOT NULL,
  relation TEXT NOT NULL CHECK (relation IN ('parent', 'guardian', 'partner', 'payer', 'other')),
  name sealed NOT NULL,
  email sealed,
  mobile sealed,
  emergency BOOLEAN NOT NULL, -- to be called in an emergency
  basis sealed, -- why this person may act for the client, in the practice's words
  rights TEXT NOT NULL, -- of the closed list, a space between; empty: none
  begins_at instant,
  ends_at instant,
  of_age BOOLEAN NOT NULL, -- ends, too, when the client comes of age
  suspended_at instant,
  asked_at instant, -- the client asked that it end
  told_begin_at instant, -- the letter that access has begun, and that it has ended
  told_end_at instant,
  account_id TEXT REFERENCES account (id),
  linked_at instant,
  version BIGINT NOT NULL,
  created_at instant NOT NULL,
  PRIMARY KEY (practice_id, client_id, id), -- a client's stand together: they are read together
  UNIQUE (practice_id, id),
  FOREIGN KEY (practice_id, client_id) REFERENCES client (practice_id, id)
);
-- One account acts for a client once: two grants could not be told apart.
CREATE UNIQUE INDEX contact_account ON contact (account_id, practice_id, client_id) WHERE account_id IS NOT NULL;

-- Each row is one link to a contact. Re-Send makes another and supersedes the one before.
CREATE TABLE contact_invitation (
  practice_id TEXT NOT NULL REFERENCES practice (id),
  id TEXT NOT NULL,
  contact_id TEXT NOT NULL,
  practitioner_id TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('live', 'used', 'withdrawn', 'superseded')),
  token_hash BYTEA NOT NULL UNIQUE,
  email sealed NOT NULL,
  email_index BYTEA NOT NULL, -- of the installation: found by a typed address
  letter_id TEXT NOT NULL,
  ordinal BIGINT NOT NULL,
  created_at instant NOT NULL,
  expires_at instant NOT NULL,
  ended_at instant,
  asked_at instant, -- the person asked for a new link after it was withdrawn
  PRIMARY KEY (practice_id, contact_id, id),
  UNIQUE (practice_id, id),
  FOREIGN KEY (practice_id, contact_id) REFERENCES contact (practice_id, id),
  FOREIGN KEY (practice_id, practitioner_id) REFERENCES practitioner (practice_id, id),
  FOREIGN KEY (practice_id, letter_id) REFERENCES letter (practice_id, id)
);
-- A contact has at most one live link, whoever presses what at once.
CREATE UNIQUE INDEX contact_invitation_live ON contact_invitation (practice_id, contact_id) WHERE state = 'live';
CREATE INDEX contact_invitation_email ON contact_invitation (email_index);

-- Those with an account of whose day no letter has told yet.
CREATE INDEX contact_begun ON contact (begins_at) WHERE told_begin_at IS NULL AND account_id IS NOT NULL;
CREATE INDEX contact_ended ON contact (ends_at) WHERE told_end_at IS NULL AND account_id IS NOT NULL;
