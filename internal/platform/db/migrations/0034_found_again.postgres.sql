-- +goose Up
-- Whoever founded a practice that has closed, or that they have left, may found
-- another. That a button pressed twice founds one, the account sees to: it is held.
ALTER TABLE practice DROP CONSTRAINT practice_founder_id_key;
CREATE INDEX practice_founder ON practice (founder_id);
