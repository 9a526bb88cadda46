-- +goose Up
-- Files attached to messages. What is in one lies sealed outside the database,
-- under a random name; its key is here, sealed with the record's key as a
-- message's words are: without the record's key the file is noise.
CREATE TABLE attachment (
  practice_id TEXT NOT NULL REFERENCES practice (id),
  id TEXT NOT NULL, -- the page's that sent it, so that an upload begun twice is one
  conversation_id TEXT NOT NULL,
  message_id TEXT, -- none: not sent yet
  place BIGINT NOT NULL, -- within its message
  author_id TEXT NOT NULL, -- a client or a practitioner
  -- arriving; waiting to be scanned; a picture waiting to be copied; to be opened;
  -- a virus was found; a picture that nobody can read
  state TEXT NOT NULL CHECK (state IN ('arriving', 'checking', 'copying', 'ready', 'held', 'unreadable')),
  type TEXT NOT NULL, -- by its content; empty while it arrives
  size BIGINT NOT NULL, -- in bytes
  name sealed NOT NULL,
  blob TEXT NOT NULL,
  key sealed NOT NULL,
  small TEXT, -- a small copy of a picture
  small_key sealed,
  width BIGINT NOT NULL, -- of the small copy, in dots; no picture: nought
  height BIGINT NOT NULL,
  created_at instant NOT NULL,
  changed_at instant NOT NULL, -- what is shown of it
  PRIMARY KEY (practice_id, id),
  FOREIGN KEY (practice_id, conversation_id) REFERENCES conversation (practice_id, id),
  FOREIGN KEY (practice_id, message_id) REFERENCES message (practice_id, id)
);
CREATE INDEX attachment_message ON attachment (practice_id, message_id);
CREATE INDEX attachment_changed ON attachment (practice_id, conversation_id, changed_at);
CREATE INDEX attachment_unsent ON attachment (author_id, message_id);
CREATE INDEX attachment_stale ON attachment (created_at) WHERE message_id IS NULL;
-- A file is one row's.
CREATE UNIQUE INDEX attachment_blob ON attachment (blob);
CREATE UNIQUE INDEX attachment_small ON attachment (small) WHERE small IS NOT NULL;

-- How many are attached: of most messages none, and nobody asks for them.
ALTER TABLE message ADD COLUMN files BIGINT NOT NULL DEFAULT 0;
