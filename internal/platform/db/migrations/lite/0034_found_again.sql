-- +goose Up
-- As in PostgreSQL, founder_id is unique no more; SQLite makes the table anew for
-- that. What refers to a practice is checked when all of it is back.
PRAGMA defer_foreign_keys = ON;
CREATE TABLE practice_kept AS SELECT * FROM practice;
DELETE FROM practice;
DROP TABLE practice;
CREATE TABLE practice (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  zone TEXT NOT NULL,
  steps_hidden INTEGER NOT NULL,
  founder_id TEXT NOT NULL REFERENCES account (id),
  created_at INTEGER NOT NULL,
  client_step INTEGER NOT NULL DEFAULT FALSE, -- it asks a second step of its clients too
  put_away_at INTEGER,
  idle_work INTEGER NOT NULL DEFAULT 900 CHECK (idle_work BETWEEN 300 AND 3600),
  idle_client INTEGER NOT NULL DEFAULT 1800 CHECK (idle_client BETWEEN 300 AND 3600),
  closes_at INTEGER,
  closing_by TEXT REFERENCES account (id)
) STRICT, WITHOUT ROWID;
INSERT INTO practice (id, name, zone, steps_hidden, founder_id, created_at, client_step, put_away_at, idle_work, idle_client, closes_at, closing_by)
SELECT id, name, zone, steps_hidden, founder_id, created_at, client_step, put_away_at, idle_work, idle_client, closes_at, closing_by FROM practice_kept;
DROP TABLE practice_kept;
CREATE INDEX practice_founder ON practice (founder_id);
