-- name: Add :exec
INSERT INTO letter (practice_id, id, kind, client_id, account_id, state, reason, content, attempts, created_at)
VALUES (@practice_id, @id, @kind, @client_id, @account_id, 'queued', '', @content, 0, @created_at);

-- name: ToSend :one
SELECT practice_id, id, kind, client_id, state, content, attempts, created_at, settled_at FROM letter
WHERE practice_id = @practice_id AND id = @id AND state IN ('queued', 'delayed') AND content IS NOT NULL;

-- name: Settle :execrows
UPDATE letter SET state = @state, reason = @reason, content = NULL, attempts = attempts + 1, settled_at = @settled_at
WHERE practice_id = @practice_id AND id = @id AND state IN ('queued', 'delayed');

-- name: Delay :execrows
UPDATE letter SET state = 'delayed', reason = @reason, attempts = attempts + 1, settled_at = COALESCE(settled_at, @settled_at)
WHERE practice_id = @practice_id AND id = @id AND state IN ('queued', 'delayed');

-- A notice that was marked as sent and, for certain, was not taken: it waits again.
-- name: PutBack :execrows
UPDATE letter SET state = 'delayed', reason = @reason, content = @content, settled_at = @settled_at
WHERE practice_id = @practice_id AND id = @id AND state = 'sent' AND content IS NULL;

-- name: Cancel :execrows
UPDATE letter SET state = 'cancelled', reason = '', content = NULL, settled_at = @settled_at
WHERE practice_id = @practice_id AND id = @id AND state IN ('queued', 'delayed');

-- name: ByID :one
SELECT practice_id, id, client_id, state FROM letter WHERE id = @id;

-- name: Report :execrows
-- Only of a letter that has gone, and so is blank. "Later" is often followed by
-- "no", and a mail server may say "no" twice; after that nothing else counts.
UPDATE letter SET state = @state, reason = @reason, settled_at = @settled_at
WHERE practice_id = @practice_id AND id = @id AND content IS NULL
  AND (state IN ('sent', 'delayed', 'delivered') OR state = 'bounced' AND @state = 'bounced');

-- name: Waiting :one
SELECT COUNT(*) FROM letter WHERE state IN ('queued', 'delayed') AND content IS NOT NULL;

-- The installation's own, and none of a practice's.
-- name: WaitingOf :many
SELECT id, kind, content, created_at FROM letter
WHERE practice_id = @practice_id AND state IN ('queued', 'delayed') AND content IS NOT NULL
ORDER BY created_at, id;

-- name: Decline :exec
INSERT INTO no_letters (email_index, created_at) VALUES (@email_index, @created_at) ON CONFLICT (email_index) DO NOTHING;

-- name: Want :exec
DELETE FROM no_letters WHERE email_index = @email_index;

-- name: Declined :one
SELECT COUNT(*) FROM no_letters WHERE email_index = @email_index;
