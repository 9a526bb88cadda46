-- +goose Up
-- A week of a practice's trail in numbers, told to its owners, and which of them
-- has signed that they looked at it. Rows from_seq + 1 to to_seq are in it.
CREATE TABLE digest (
  practice_id TEXT NOT NULL REFERENCES practice (id),
  week BIGINT NOT NULL,
  from_at instant NOT NULL,
  to_at instant NOT NULL,
  from_seq BIGINT NOT NULL,
  to_seq BIGINT NOT NULL,
  looks BIGINT NOT NULL,
  changes BIGINT NOT NULL,
  missed BIGINT NOT NULL,
  emergencies BIGINT NOT NULL,
  exports BIGINT NOT NULL,
  after_hours BIGINT NOT NULL,
  own_name BIGINT NOT NULL,
  reviewed_at instant,
  reviewed_by TEXT,
  PRIMARY KEY (practice_id, week),
  FOREIGN KEY (practice_id, reviewed_by) REFERENCES practitioner (practice_id, id)
);
