-- +goose Up
-- From this moment on nobody enters the practice, neither who works there nor
-- its clients: closed, for the time is compared at each request. Not set: it goes
-- on. Its rows and its trail stay.
ALTER TABLE practice ADD COLUMN closes_at instant;
ALTER TABLE practice ADD COLUMN closing_by TEXT REFERENCES account (id);
-- The moment that a letter told a client of. Whoever was told of another one than
-- the practice's, or of one that was taken back, gets another letter.
ALTER TABLE client ADD COLUMN told_closing instant;
