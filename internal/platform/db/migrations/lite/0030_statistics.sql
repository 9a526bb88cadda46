-- +goose Up
-- As 0005: a member is in many conversations, a client in a few.
ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('conversation', 'conversation', '30000 1000 1'),
  ('conversation', 'conversation_client', '20000 1000 2 1'),
  ('conversation', 'conversation_team', '8000 400 1'),
  ('conversation', 'conversation_pair', '2000 100 10 1'),
  ('conversation', 'conversation_member', '30000 1000 40'),
  ('conversation', 'conversation_other', '30000 1000 40'),
  ('conversation', 'conversation_record', '30000 1000 2');
ANALYZE sqlite_schema;
