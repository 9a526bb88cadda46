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

-- name: RecordKey :one
SELECT key FROM record_key WHERE practice_id = @practice_id AND owner_id = @owner_id;

-- name: AddRecordKey :exec
INSERT INTO record_key (practice_id, owner_id, key, created_at) VALUES (@practice_id, @owner_id, @key, @created_at) ON CONFLICT DO NOTHING;

-- name: RecordKeys :many
SELECT owner_id, key FROM record_key WHERE practice_id = @practice_id AND owner_id > @after ORDER BY owner_id LIMIT 500;

-- name: ReplaceRecordKey :exec
UPDATE record_key SET key = @key WHERE practice_id = @practice_id AND owner_id = @owner_id;
