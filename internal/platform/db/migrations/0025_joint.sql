-- +goose Up
-- Clients who are looked after together: a couple, a family, a group. Each keeps
-- a record of their own; this one stands beside them.
CREATE TABLE joint (
  practice_id TEXT NOT NULL REFERENCES practice (id),
  id TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('couple', 'family', 'group')),
  name sealed NOT NULL, -- for the practice alone
  practitioner_id TEXT NOT NULL, -- who looks after it
  closes_at instant, -- no state: whether it is closed follows from this and the time
  version BIGINT NOT NULL,
  created_at instant NOT NULL,
  PRIMARY KEY (practice_id, id),
  FOREIGN KEY (practice_id, practitioner_id) REFERENCES practitioner (practice_id, id)
);
CREATE INDEX joint_practitioner ON joint (practice_id, practitioner_id);

-- Each row is one stay of a client's in it. Whoever comes back has another.
CREATE TABLE joint_person (
  practice_id TEXT NOT NULL REFERENCES practice (id),
  id TEXT NOT NULL,
  joint_id TEXT NOT NULL,
  client_id TEXT NOT NULL,
  begins_at instant NOT NULL,
  ends_at instant,
  created_at instant NOT NULL,
  PRIMARY KEY (practice_id, joint_id, id), -- those of one record stand together: they are read together
  UNIQUE (practice_id, id),
  FOREIGN KEY (practice_id, joint_id) REFERENCES joint (practice_id, id),
  FOREIGN KEY (practice_id, client_id) REFERENCES client (practice_id, id)
);
-- Nobody is in it twice, whoever presses what at once.
CREATE UNIQUE INDEX joint_person_once ON joint_person (practice_id, joint_id, client_id) WHERE ends_at IS NULL;
CREATE INDEX joint_person_client ON joint_person (practice_id, client_id);

-- What somebody in it has agreed to, for themselves alone. What was taken back
-- stays, with the day.
CREATE TABLE joint_consent (
  practice_id TEXT NOT NULL REFERENCES practice (id),
  id TEXT NOT NULL,
  person_id TEXT NOT NULL,
  what TEXT NOT NULL CHECK (what IN ('sessions', 'shared')),
  noted_by TEXT NOT NULL,
  noted_at instant NOT NULL,
  withdrawn_by TEXT, -- who noted that; not set: they took it back themselves
  withdrawn_at instant,
  PRIMARY KEY (practice_id, person_id, id),
  FOREIGN KEY (practice_id, person_id) REFERENCES joint_person (practice_id, id),
  FOREIGN KEY (practice_id, noted_by) REFERENCES practitioner (practice_id, id),
  FOREIGN KEY (practice_id, withdrawn_by) REFERENCES practitioner (practice_id, id)
);
-- Of each, one word counts.
CREATE UNIQUE INDEX joint_consent_live ON joint_consent (practice_id, person_id, what) WHERE withdrawn_at IS NULL;
