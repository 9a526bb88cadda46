-- name: AddKey :exec
INSERT INTO practice_key (practice_id, data, lookup, trail, created_at)
VALUES (@practice_id, @data, @lookup, @trail, @created_at);

-- name: Key :one
SELECT data, lookup, trail FROM practice_key WHERE practice_id = @practice_id;

-- Hold keeps whoever else wraps the key anew waiting.
-- name: Hold :one
SELECT data, lookup, trail FROM practice_key WHERE practice_id = @practice_id FOR UPDATE;

-- name: Owners :many
SELECT practice_id FROM practice_key ORDER BY practice_id;

-- name: ReplaceKey :exec
UPDATE practice_key SET data = @data, lookup = @lookup, trail = @trail WHERE practice_id = @practice_id;
