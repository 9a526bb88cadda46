-- +goose Up
-- The moment that a letter told whoever acts for a client of, as client.told_closing.
ALTER TABLE contact ADD COLUMN told_closing instant;
