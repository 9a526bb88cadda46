-- +goose Up
-- As 0005: a client has a small care team, and a member is in some of many.
ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('care_team', 'care_team', '20000 1000 2 1'),
  ('care_team', 'care_team_member', '20000 1000 20 1');
ANALYZE sqlite_schema;
