-- +goose Up
-- A client who was a minor when their date of birth was noted, or for whom the
-- practice set days. The days are sealed: the day somebody comes of age is their
-- birthday. NULL: as the date of birth says.
CREATE TABLE minor (
  practice_id TEXT NOT NULL REFERENCES practice (id),
  client_id TEXT NOT NULL,
  own_from sealed, -- the day from which they may sign in themselves
  guardians_until sealed, -- the day on which guardians' access is over
  told_at instant, -- who looks after them was told that they may sign in
  PRIMARY KEY (practice_id, client_id),
  FOREIGN KEY (practice_id, client_id) REFERENCES client (practice_id, id)
);
CREATE INDEX minor_untold ON minor (practice_id, client_id) WHERE told_at IS NULL;
CREATE INDEX contact_of_age ON contact (practice_id, client_id, id) WHERE of_age AND told_end_at IS NULL AND account_id IS NOT NULL;
