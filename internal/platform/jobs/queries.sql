-- name: Add :exec
INSERT INTO job (id, kind, unique_key, about, run_at, attempt, error)
VALUES (@id, @kind, @unique_key, @about, @run_at, 0, '')
ON CONFLICT (unique_key) DO NOTHING;

-- name: Claim :many
UPDATE job SET run_at = @lease_until, attempt = attempt + 1, lost = lost + 1, unique_key = NULL
WHERE id IN (SELECT due.id FROM job AS due
  WHERE due.run_at <= @now AND due.kind IN (SELECT value FROM json_each(CAST(@kinds AS TEXT)))
  ORDER BY due.run_at LIMIT @most FOR UPDATE SKIP LOCKED)
RETURNING id, kind, about, attempt, lost;

-- name: Done :exec
DELETE FROM job WHERE id = @id AND attempt = @attempt;

-- name: Later :exec
UPDATE job SET run_at = @run_at, error = @error, lost = @lost WHERE id = @id AND attempt = @attempt;

-- name: Lease :exec
UPDATE job SET run_at = @lease_until WHERE id = @id AND attempt = @attempt;

-- name: Waiting :one
SELECT COUNT(*) FROM job;
