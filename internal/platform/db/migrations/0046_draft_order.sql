-- +goose Up
-- What a page has kept comes in any order: an older draft does not take the place
-- of a newer one of the same page.
ALTER TABLE reading ADD COLUMN draft_page TEXT;
ALTER TABLE reading ADD COLUMN draft_number BIGINT;
