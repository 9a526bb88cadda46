-- +goose Up
-- An open page asks for what changed by number (0037), of files, too: when was
-- written at each step of a file and read by nobody. No release has it.
DROP INDEX attachment_changed;
ALTER TABLE attachment DROP COLUMN changed_at;
