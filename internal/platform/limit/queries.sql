-- name: Count :one
INSERT INTO tally (key, count, since, last) VALUES (@key, CAST(@more AS BIGINT), @now, @now)
ON CONFLICT (key) DO UPDATE SET
  count = CASE WHEN tally.since <= @cut THEN excluded.count ELSE tally.count + excluded.count END,
  since = CASE WHEN tally.since <= @cut THEN @now ELSE tally.since END,
  last = @now
RETURNING count, since;

-- name: Tally :one
SELECT count, since, last FROM tally WHERE key = @key;

-- name: Clear :exec
DELETE FROM tally WHERE key = @key;

-- name: Sweep :exec
DELETE FROM tally WHERE last < @cut;

-- Hold keeps whoever else counts the same waiting, and counts nothing itself.
-- name: Hold :one
INSERT INTO tally (key, count, since, last) VALUES (@key, 0, @now, @now)
ON CONFLICT (key) DO UPDATE SET count = tally.count
RETURNING count, since, last;
