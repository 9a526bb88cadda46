-- name: AddSupporter :execrows
INSERT INTO supporter (account_id, since) VALUES (@account_id, @since) ON CONFLICT (account_id) DO NOTHING;

-- name: RemoveSupporter :execrows
DELETE FROM supporter WHERE account_id = @account_id;

-- name: Supporter :one
SELECT since FROM supporter WHERE account_id = @account_id;

-- name: Supporters :many
SELECT s.account_id, s.since FROM supporter s JOIN account a ON a.id = s.account_id
WHERE a.deletion_at IS NULL ORDER BY s.since, s.account_id;

-- name: Add :exec
INSERT INTO conversion (id, account_id, practice_id, state, reason, token_hash, asked_by, asked_at, expires_at)
VALUES (@id, @account_id, @practice_id, 'asked', @reason, @token_hash, @asked_by, @asked_at, @expires_at);

-- One that has run out makes room for the next.
-- name: Expire :many
UPDATE conversion SET state = 'expired', ended_at = @now
WHERE account_id = @account_id AND state IN ('asked', 'confirmed') AND expires_at <= @now RETURNING id;

-- name: AskedSince :one
SELECT COUNT(*) FROM conversion WHERE account_id = @account_id AND asked_at > @since;

-- name: Confirm :execrows
UPDATE conversion SET state = 'confirmed', confirmed_at = @now WHERE id = @id AND state = 'asked' AND expires_at > @now;

-- name: Finish :execrows
UPDATE conversion SET state = 'done', approved_by = @approved_by, ended_at = @now
WHERE id = @id AND state = 'confirmed' AND expires_at > @now;

-- name: Stop :execrows
UPDATE conversion SET state = @state, ended_at = @now
WHERE id = @id AND state IN ('asked', 'confirmed') AND expires_at > @now;

-- name: ByID :one
SELECT id, account_id, practice_id, state, reason, asked_by, asked_at, expires_at, confirmed_at, approved_by, ended_at FROM conversion WHERE id = @id;

-- name: ByToken :one
SELECT id, account_id, practice_id, state, reason, asked_by, asked_at, expires_at, confirmed_at, approved_by, ended_at FROM conversion WHERE token_hash = @token_hash;

-- name: Newest :many
SELECT id, account_id, practice_id, state, reason, asked_by, asked_at, expires_at, confirmed_at, approved_by, ended_at FROM conversion
ORDER BY id DESC LIMIT 200;

-- name: Reseal :many
SELECT id, reason FROM conversion WHERE id > @after ORDER BY id LIMIT 500;

-- name: Resealed :exec
UPDATE conversion SET reason = @reason WHERE id = @id;
