-- +goose Up
-- A colleague's link that was copied, to be handed over: nothing was mailed, so
-- whoever uses it has not shown that the address is theirs. Its letter_id is
-- that of the letter before it, which did not go or no longer works.
ALTER TABLE team_invitation ADD COLUMN by_hand BOOLEAN NOT NULL DEFAULT FALSE;
