-- +goose Up
-- How often in a row a job was begun and never settled: its process was killed.
ALTER TABLE job ADD COLUMN lost BIGINT NOT NULL DEFAULT 0;
