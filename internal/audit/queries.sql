-- Held, nobody else adds to this chain. What stands in it is where the chain was
-- at its last change: reads that came since are beyond it.
-- name: Head :one
SELECT seq, mac FROM audit_head WHERE practice_id = @practice_id FOR UPDATE;

-- name: Begin :exec
INSERT INTO audit_head (practice_id, seq, mac) VALUES (@practice_id, 0, @mac) ON CONFLICT (practice_id) DO NOTHING;

-- name: MoveHead :exec
INSERT INTO audit_head (practice_id, seq, mac) VALUES (@practice_id, @seq, @mac)
ON CONFLICT (practice_id) DO UPDATE SET seq = excluded.seq, mac = excluded.mac;

-- name: Newest :one
SELECT seq, mac FROM audit WHERE practice_id = @practice_id AND seq > 0 ORDER BY seq DESC LIMIT 1;

-- name: Add :exec
INSERT INTO audit (practice_id, seq, at, role, account_id, action, subject, client_id, detail, mac, shown)
VALUES (@practice_id, @seq, @at, @role, @account_id, @action, @subject, @client_id, @detail, @mac, @shown);

-- name: After :many
SELECT seq, at, role, account_id, action, subject, client_id, detail, mac, shown FROM audit
WHERE practice_id = @practice_id AND seq > @seq ORDER BY seq LIMIT 1000;

-- name: Before :many
SELECT seq, at, role, account_id, action, subject, client_id, detail, mac, shown FROM audit
WHERE practice_id = @practice_id AND seq < @seq ORDER BY seq DESC LIMIT 500;

-- name: When :one
SELECT at FROM audit WHERE practice_id = @practice_id AND seq = @seq;

-- name: LastOf :one
SELECT seq, mac FROM audit_head WHERE practice_id = @practice_id;

-- Also those whose head, or all of whose lines, somebody took out.
-- name: Chains :many
SELECT practice_id FROM audit_head UNION SELECT practice_id FROM audit;
