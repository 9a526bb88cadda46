-- +goose Up
-- What a request showed: whose records, which part of each, by what right. Only
-- in lines that tell of a look.
ALTER TABLE audit ADD COLUMN shown BYTEA;

-- Who was at whose record on which day. Made from the trail, and made anew from
-- it if it is lost: what proves something is the trail.
-- client_id is empty where it was everybody of the practice.
CREATE TABLE sighting (
  practice_id TEXT NOT NULL,
  client_id TEXT NOT NULL,
  day BIGINT NOT NULL,
  account_id TEXT NOT NULL,
  role TEXT NOT NULL,
  what TEXT NOT NULL,
  why TEXT NOT NULL,
  times BIGINT NOT NULL,
  first_at instant NOT NULL,
  last_at instant NOT NULL,
  PRIMARY KEY (practice_id, client_id, day, account_id, role, what, why)
);
-- How far the trail has been read for it.
CREATE TABLE sighting_head (
  practice_id TEXT PRIMARY KEY,
  seq BIGINT NOT NULL
);
