-- +goose Up
-- Secure messages. What is written in a client's record is sealed with a key of
-- that record's own; destroying the row destroys the words, in old backups too.
-- A conversation of colleagues has such a key as well.
CREATE TABLE record_key (
  practice_id TEXT NOT NULL REFERENCES practice (id),
  owner_id TEXT NOT NULL, -- a client, or a conversation of colleagues
  key sealed NOT NULL,
  created_at instant NOT NULL,
  PRIMARY KEY (practice_id, owner_id)
);

-- One thread for those who are in it, however often somebody begins one.
CREATE TABLE conversation (
  practice_id TEXT NOT NULL REFERENCES practice (id),
  id TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('client', 'team', 'colleagues')),
  client_id TEXT,       -- whose record it belongs to
  practitioner_id TEXT, -- the member in it
  other_id TEXT,        -- the other member, of the later identifier
  last_seq BIGINT NOT NULL, -- how many messages there are
  last_at instant NOT NULL,
  created_at instant NOT NULL,
  PRIMARY KEY (practice_id, id),
  FOREIGN KEY (practice_id, client_id) REFERENCES client (practice_id, id),
  FOREIGN KEY (practice_id, practitioner_id) REFERENCES practitioner (practice_id, id),
  FOREIGN KEY (practice_id, other_id) REFERENCES practitioner (practice_id, id),
  CHECK (kind <> 'client' OR client_id IS NOT NULL AND practitioner_id IS NOT NULL AND other_id IS NULL),
  CHECK (kind <> 'team' OR client_id IS NOT NULL AND practitioner_id IS NULL AND other_id IS NULL),
  CHECK (kind <> 'colleagues' OR client_id IS NULL AND practitioner_id < other_id)
);
CREATE UNIQUE INDEX conversation_client ON conversation (practice_id, client_id, practitioner_id) WHERE kind = 'client';
CREATE UNIQUE INDEX conversation_team ON conversation (practice_id, client_id) WHERE kind = 'team';
CREATE UNIQUE INDEX conversation_pair ON conversation (practice_id, practitioner_id, other_id) WHERE kind = 'colleagues';
CREATE INDEX conversation_member ON conversation (practice_id, practitioner_id);
CREATE INDEX conversation_other ON conversation (practice_id, other_id);
CREATE INDEX conversation_record ON conversation (practice_id, client_id);

-- The order is the server's: seq counts up in each conversation. The identifier
-- is the page's that sent it, so that the same message sent twice is one.
CREATE TABLE message (
  practice_id TEXT NOT NULL REFERENCES practice (id),
  conversation_id TEXT NOT NULL,
  seq BIGINT NOT NULL,
  id TEXT NOT NULL,
  author_id TEXT NOT NULL, -- a client or a practitioner; empty: the practice's automatic answer
  body sealed NOT NULL,    -- of one taken back: nothing
  sent_at instant NOT NULL,
  edited_at instant,
  taken_at instant, -- its author took it back
  PRIMARY KEY (practice_id, conversation_id, seq),
  UNIQUE (practice_id, id),
  FOREIGN KEY (practice_id, conversation_id) REFERENCES conversation (practice_id, id)
);

-- What a message said before it was changed or taken back.
CREATE TABLE message_before (
  practice_id TEXT NOT NULL REFERENCES practice (id),
  message_id TEXT NOT NULL,
  until instant NOT NULL,
  body sealed NOT NULL,
  PRIMARY KEY (practice_id, message_id, until),
  FOREIGN KEY (practice_id, message_id) REFERENCES message (practice_id, id)
);

-- How far somebody has read a conversation, and what they have begun to write in it.
CREATE TABLE reading (
  practice_id TEXT NOT NULL REFERENCES practice (id),
  conversation_id TEXT NOT NULL,
  reader_id TEXT NOT NULL, -- a client or a practitioner
  seq BIGINT NOT NULL,
  read_at instant,
  archived_seq BIGINT NOT NULL, -- put away as long as nothing newer comes
  told_seq BIGINT NOT NULL,     -- a letter has told of the messages up to here
  draft sealed,
  PRIMARY KEY (practice_id, conversation_id, reader_id),
  FOREIGN KEY (practice_id, conversation_id) REFERENCES conversation (practice_id, id)
);

-- What somebody chose about messages; who has no row wants what is usual.
CREATE TABLE chat_choice (
  practice_id TEXT NOT NULL REFERENCES practice (id),
  reader_id TEXT NOT NULL,
  hides_seen BOOLEAN NOT NULL,
  letters TEXT NOT NULL CHECK (letters IN ('off', 'each', 'digest')),
  quiet_from BIGINT NOT NULL, -- minutes of the reader's day; equal: no quiet hours
  quiet_until BIGINT NOT NULL,
  PRIMARY KEY (practice_id, reader_id)
);

-- What a practice says about answers.
CREATE TABLE chat_practice (
  practice_id TEXT NOT NULL REFERENCES practice (id),
  reply_time TEXT NOT NULL, -- "one working day", in the practice's words
  PRIMARY KEY (practice_id)
);

-- A client may not begin conversations.
CREATE TABLE chat_closed (
  practice_id TEXT NOT NULL REFERENCES practice (id),
  client_id TEXT NOT NULL,
  closed_at instant NOT NULL,
  PRIMARY KEY (practice_id, client_id),
  FOREIGN KEY (practice_id, client_id) REFERENCES client (practice_id, id)
);

-- When a member is away, and what is answered meanwhile: once in each thread.
CREATE TABLE away (
  practice_id TEXT NOT NULL REFERENCES practice (id),
  id TEXT NOT NULL,
  practitioner_id TEXT NOT NULL,
  begins_at instant NOT NULL,
  ends_at instant NOT NULL,
  words sealed NOT NULL,
  ended_at instant, -- its member came back before
  PRIMARY KEY (practice_id, practitioner_id, id),
  UNIQUE (practice_id, id),
  FOREIGN KEY (practice_id, practitioner_id) REFERENCES practitioner (practice_id, id),
  CHECK (begins_at < ends_at)
);
CREATE TABLE away_answer (
  practice_id TEXT NOT NULL REFERENCES practice (id),
  away_id TEXT NOT NULL,
  conversation_id TEXT NOT NULL,
  PRIMARY KEY (practice_id, away_id, conversation_id),
  FOREIGN KEY (practice_id, away_id) REFERENCES away (practice_id, id),
  FOREIGN KEY (practice_id, conversation_id) REFERENCES conversation (practice_id, id)
);
