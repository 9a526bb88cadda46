-- +goose Up
-- How long a session lasts without use, in seconds. A practice chooses, for its
-- members and for its clients; never longer than an hour.
ALTER TABLE session ADD COLUMN idle BIGINT NOT NULL DEFAULT 900;
ALTER TABLE practice ADD COLUMN idle_work BIGINT NOT NULL DEFAULT 900 CHECK (idle_work BETWEEN 300 AND 3600);
ALTER TABLE practice ADD COLUMN idle_client BIGINT NOT NULL DEFAULT 1800 CHECK (idle_client BETWEEN 300 AND 3600);
-- A form that was sent, or left, when its session had ended. Its owner finds it
-- after signing in again. One each; it is gone after a day.
CREATE TABLE kept_form (
  account_id TEXT PRIMARY KEY REFERENCES account (id),
  id TEXT NOT NULL UNIQUE,
  form sealed NOT NULL,
  created_at instant NOT NULL
);
