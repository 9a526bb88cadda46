-- +goose Up
-- What is changed in a conversation after it was written is numbered, by who
-- holds the conversation: a number is seen only when all before it are. An open
-- page asks for what is beyond the last it knows, and so misses nothing. A time
-- would not do: a change begun before the page looked may be stored after.
ALTER TABLE conversation ADD COLUMN changes BIGINT NOT NULL DEFAULT 0; -- how many there were
ALTER TABLE message ADD COLUMN change BIGINT NOT NULL DEFAULT 0;       -- the last of this message
CREATE INDEX message_change ON message (practice_id, conversation_id, change) WHERE change > 0;
