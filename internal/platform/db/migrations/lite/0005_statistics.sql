-- +goose Up
-- SQLite knows nothing of the data until somebody measures it, and takes every
-- column to be as selective as the next: asked for one client's invitations, it
-- walked through all of the practice's. So it is told what we know: a practice
-- has a great many clients, a client has a few invitations, an address is the
-- address of hardly more than one. The first number is how many rows there are,
-- each further one how many rows share the first columns of the index.
ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('client', 'client', '100000 1000 1'),
  ('client', 'client_email', '100000 1000 2 1'),
  ('client', 'client_account', '50000 2'),
  ('invitation', 'invitation', '100000 1000 1'),
  ('invitation', 'invitation_client', '100000 1000 2 1'),
  ('invitation', 'invitation_live', '50000 1000 1'),
  ('invitation', 'invitation_email', '100000 2 2 1'),
  ('invitation', 'sqlite_autoindex_invitation_1', '100000 1'),
  ('letter', 'letter', '100000 1000 1'),
  ('letter', 'sqlite_autoindex_letter_1', '100000 1');
ANALYZE sqlite_schema;
