-- +goose Up
-- How many changes of a conversation somebody has seen (0037), and when the last:
-- words that were changed after they were read are not seen until they are read
-- again. Of what was read before this was noted it is not known.
ALTER TABLE reading ADD COLUMN change BIGINT NOT NULL DEFAULT 0;
ALTER TABLE reading ADD COLUMN change_at instant;
