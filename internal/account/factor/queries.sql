-- name: Authenticator :one
SELECT seed, step, created_at FROM authenticator WHERE account_id = @account_id;

-- name: AddAuthenticator :exec
INSERT INTO authenticator (account_id, seed, step, created_at) VALUES (@account_id, @seed, @step, @created_at);

-- name: DropAuthenticator :execrows
DELETE FROM authenticator WHERE account_id = @account_id;

-- A code is taken once: of all who type it at once, one wins.
-- name: TakeStep :execrows
UPDATE authenticator SET step = @step WHERE account_id = @account_id AND step < @step;

-- name: AddCode :exec
INSERT INTO recovery_code (account_id, code_hash, created_at) VALUES (@account_id, @code_hash, @created_at);

-- name: TakeCode :execrows
UPDATE recovery_code SET used_at = @used_at WHERE account_id = @account_id AND code_hash = @code_hash AND used_at IS NULL;

-- name: CodesLeft :one
SELECT COUNT(*) FROM recovery_code WHERE account_id = @account_id AND used_at IS NULL;

-- name: DropCodes :exec
DELETE FROM recovery_code WHERE account_id = @account_id;

-- name: Passkeys :many
SELECT id, credential, public_key, sign_count, flags, aaguid, transports, attestation, name, created_at, used_at
FROM passkey WHERE account_id = @account_id ORDER BY id;

-- name: Owner :one
SELECT account_id FROM passkey WHERE credential = @credential;

-- name: AddPasskey :exec
INSERT INTO passkey (account_id, id, credential, public_key, sign_count, flags, aaguid, transports, attestation, name, created_at)
VALUES (@account_id, @id, @credential, @public_key, @sign_count, @flags, @aaguid, @transports, @attestation, @name, @created_at);

-- name: UsePasskey :execrows
UPDATE passkey SET sign_count = @sign_count, flags = @flags, used_at = @used_at WHERE account_id = @account_id AND id = @id AND sign_count = @before;

-- name: RenamePasskey :execrows
UPDATE passkey SET name = @name WHERE account_id = @account_id AND id = @id;

-- name: DropPasskey :execrows
DELETE FROM passkey WHERE account_id = @account_id AND id = @id;

-- name: DropPasskeys :exec
DELETE FROM passkey WHERE account_id = @account_id;

-- The primary key sees to it that a challenge is answered once.
-- name: Spend :exec
INSERT INTO spent_challenge (challenge_hash, expires_at) VALUES (@challenge_hash, @expires_at);

-- name: AddEntry :exec
INSERT INTO entry (token_hash, id, account_id, password_at, next, created_at, expires_at)
VALUES (@token_hash, @id, @account_id, @password_at, @next, @created_at, @expires_at);

-- name: Entry :one
SELECT id, account_id, password_at, next FROM entry WHERE token_hash = @token_hash AND expires_at > @now;

-- name: EndEntry :execrows
DELETE FROM entry WHERE token_hash = @token_hash AND expires_at > @now;

-- name: Seeds :many
SELECT account_id, seed FROM authenticator WHERE account_id > @after ORDER BY account_id LIMIT 500;

-- name: ResealSeed :exec
UPDATE authenticator SET seed = @seed WHERE account_id = @account_id AND seed = @before;

-- name: PasskeyNames :many
SELECT account_id, id, name FROM passkey WHERE id > @after ORDER BY id LIMIT 500;

-- name: ResealName :exec
UPDATE passkey SET name = @name WHERE account_id = @account_id AND id = @id;
