-- name: Add :exec
INSERT INTO recovery (practice_id, id, practitioner_id, account_id, state, reason, asked_by, asked_at, expires_at)
VALUES (@practice_id, @id, @practitioner_id, @account_id, 'asked', @reason, @asked_by, @asked_at, @expires_at);

-- One that has run out makes room for the next.
-- name: Expire :many
UPDATE recovery SET state = 'expired', ended_at = @now
WHERE practice_id = @practice_id AND account_id = @account_id AND state IN ('asked', 'approved') AND expires_at <= @now RETURNING id;

-- name: ByID :one
SELECT practice_id, id, account_id, state, reason, asked_by, asked_at, expires_at, approved_by, approved_at, ended_at FROM recovery
WHERE practice_id = @practice_id AND id = @id;

-- name: OpenFor :one
SELECT practice_id, id, account_id, state, reason, asked_by, asked_at, expires_at, approved_by, approved_at, ended_at FROM recovery
WHERE practice_id = @practice_id AND account_id = @account_id AND state IN ('asked', 'approved') AND expires_at > @now;

-- name: Newest :many
SELECT practice_id, id, account_id, state, reason, asked_by, asked_at, expires_at, approved_by, approved_at, ended_at FROM recovery
WHERE practice_id = @practice_id ORDER BY id DESC LIMIT 50;

-- Of two who approve at once, one does.
-- name: Approve :execrows
UPDATE recovery SET state = 'approved', approved_by = @approved_by, approved_at = @now, token_hash = @token_hash, expires_at = @expires_at
WHERE practice_id = @practice_id AND id = @id AND state = 'asked' AND expires_at > @now;

-- name: Withdraw :execrows
UPDATE recovery SET state = 'withdrawn', ended_at = @now
WHERE practice_id = @practice_id AND id = @id AND state IN ('asked', 'approved') AND expires_at > @now;

-- name: ByToken :one
SELECT practice_id, id, account_id, state, reason, asked_by, asked_at, expires_at, approved_by, approved_at, ended_at FROM recovery WHERE token_hash = @token_hash;

-- name: Use :execrows
UPDATE recovery SET state = 'used', ended_at = @now WHERE token_hash = @token_hash AND state = 'approved' AND expires_at > @now;

-- name: Reseal :many
SELECT practice_id, id, reason FROM recovery WHERE id > @after ORDER BY id LIMIT 500;

-- name: Resealed :exec
UPDATE recovery SET reason = @reason WHERE practice_id = @practice_id AND id = @id;
