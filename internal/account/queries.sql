-- name: Add :exec
INSERT INTO account (id, email, email_index, name, zone, password, verified_at, created_at, password_at)
VALUES (@id, @email, @email_index, @name, @zone, @password, @verified_at, @created_at, @created_at);

-- name: ByID :one
SELECT id, email, name, zone, password, verified_at, password_at FROM account WHERE id = @id AND deleted_at IS NULL;

-- Hold keeps whoever else changes the account or its links waiting.
-- name: Hold :one
SELECT id, email, name, zone, password, verified_at, password_at FROM account WHERE id = @id AND deleted_at IS NULL FOR UPDATE;

-- name: ByEmail :one
SELECT id, email, name, zone, password, verified_at, password_at FROM account WHERE email_index = @email_index;

-- name: TakeOver :execrows
UPDATE account SET password = @password, password_at = @now, verified_at = @now WHERE account.id = @id AND verified_at IS NULL
  AND NOT EXISTS (SELECT 1 FROM practitioner p WHERE p.account_id = account.id AND p.active) AND NOT EXISTS (SELECT 1 FROM supporter s WHERE s.account_id = account.id);

-- Whether an account opens clients' records, or the console of support.
-- name: Works :one
SELECT COUNT(*) FROM account WHERE account.id = @id
  AND (EXISTS (SELECT 1 FROM practitioner p WHERE p.account_id = account.id AND p.active) OR EXISTS (SELECT 1 FROM supporter s WHERE s.account_id = account.id));

-- name: Verify :execrows
UPDATE account SET verified_at = @verified_at WHERE id = @id AND verified_at IS NULL;

-- name: Rename :execrows
UPDATE account SET name = @name WHERE id = @id;

-- name: SetZone :execrows
UPDATE account SET zone = @zone WHERE id = @id;

-- name: SetPassword :execrows
UPDATE account SET password = @password, password_at = @password_at WHERE id = @id;

-- Only while the password is still the one that was typed.
-- name: Rehash :execrows
UPDATE account SET password = @password WHERE id = @id AND password = @before;

-- name: MoveEmail :execrows
UPDATE account SET email = @email, email_index = @email_index, verified_at = @verified_at WHERE id = @id;

-- name: AddSession :exec
INSERT INTO session (token_hash, id, account_id, practice_id, client_id, created_at, seen_at, ends_at, strong, proved_at, browser, network, idle)
VALUES (@token_hash, @id, @account_id, @practice_id, @client_id, @now, @now, @ends_at, @strong, @now, @browser, @network, @idle);

-- name: Session :one
SELECT s.id, s.account_id, s.practice_id, s.client_id, s.seen_at, s.ends_at, s.strong, s.proved_at, s.idle, a.deletion_at
FROM session s JOIN account a ON a.id = s.account_id WHERE s.token_hash = @token_hash;

-- name: Seen :exec
UPDATE session SET seen_at = @now WHERE id = @id AND seen_at < @now;

-- name: Move :one
UPDATE session SET practice_id = @practice_id, client_id = @client_id, seen_at = @now, idle = @idle,
  ends_at = CASE WHEN ends_at > created_at + CAST(@life AS BIGINT) THEN created_at + CAST(@life AS BIGINT) ELSE ends_at END
WHERE token_hash = @token_hash AND account_id = @account_id AND ends_at > @now RETURNING id;

-- name: EndSession :one
DELETE FROM session WHERE token_hash = @token_hash AND account_id = @account_id RETURNING id;

-- name: Sessions :many
SELECT token_hash, id, practice_id, client_id, created_at, seen_at, ends_at, strong, browser, network, idle FROM session
WHERE account_id = @account_id ORDER BY seen_at DESC, id DESC;

-- name: EndSessionOf :one
DELETE FROM session WHERE id = @id AND account_id = @account_id RETURNING id;

-- name: KeepForm :exec
INSERT INTO kept_form (account_id, id, form, created_at) VALUES (@account_id, @id, @form, @created_at)
ON CONFLICT (account_id) DO UPDATE SET id = excluded.id, form = excluded.form, created_at = excluded.created_at;

-- name: KeptForm :one
SELECT id, form, created_at FROM kept_form WHERE account_id = @account_id;

-- name: DropForm :execrows
DELETE FROM kept_form WHERE account_id = @account_id AND id = @id;

-- name: DropForms :exec
DELETE FROM kept_form WHERE account_id = @account_id;

-- name: SweepForms :exec
DELETE FROM kept_form WHERE created_at < @cut;

-- name: EndSessions :exec
DELETE FROM session WHERE account_id = @account_id;

-- Those in which somebody is at work in a practice; as a client of it they go on.
-- name: EndWork :exec
DELETE FROM session WHERE account_id = @account_id AND practice_id = @practice_id AND client_id IS NULL;

-- name: EndOtherSessions :exec
DELETE FROM session WHERE account_id = @account_id AND token_hash <> @keep;

-- name: AddDevice :exec
INSERT INTO device (token_hash, account_id, created_at) VALUES (@token_hash, @account_id, @created_at);

-- name: Devices :one
SELECT COUNT(*) FROM device WHERE token_hash = @token_hash AND account_id = @account_id;

-- name: EndDevices :exec
DELETE FROM device WHERE account_id = @account_id;

-- name: AddSignUp :exec
INSERT INTO sign_up (token_hash, id, name, email, created_at, expires_at, used_at)
VALUES (@token_hash, @id, @name, @email, @created_at, @expires_at, @used_at);

-- name: SignUp :one
SELECT id, name, email, expires_at, used_at FROM sign_up WHERE token_hash = @token_hash;

-- name: RedeemSignUp :one
UPDATE sign_up SET used_at = @now WHERE token_hash = @token_hash AND used_at IS NULL AND expires_at > @now
RETURNING id, name, email;

-- name: AddLink :exec
INSERT INTO account_link (token_hash, id, account_id, purpose, email, created_at, expires_at)
VALUES (@token_hash, @id, @account_id, @purpose, @email, @created_at, @expires_at);

-- name: Link :one
SELECT id, account_id, email, created_at, expires_at, ended_at, used_at FROM account_link WHERE token_hash = @token_hash AND purpose = @purpose;

-- name: Redeem :execrows
UPDATE account_link SET used_at = @now
WHERE token_hash = @token_hash AND purpose = @purpose AND used_at IS NULL AND ended_at IS NULL AND expires_at > @now;

-- name: EndLinks :exec
UPDATE account_link SET ended_at = @now
WHERE account_id = @account_id AND purpose = @purpose AND used_at IS NULL AND ended_at IS NULL;

-- name: EndAllLinks :exec
UPDATE account_link SET ended_at = @now WHERE account_id = @account_id AND used_at IS NULL AND ended_at IS NULL;

-- What a practice vouched for was the account as it was.
-- name: EndVouches :exec
UPDATE vouch SET ended_at = @now WHERE account_id = @account_id AND used_at IS NULL AND ended_at IS NULL;

-- And so was what two people said of somebody who has lost every second step.
-- name: EndRecoveries :exec
UPDATE recovery SET state = 'withdrawn', ended_at = @now WHERE account_id = @account_id AND state = 'approved';

-- name: LiveLinks :one
SELECT COUNT(*) FROM account_link
WHERE account_id = @account_id AND purpose = @purpose AND used_at IS NULL AND ended_at IS NULL AND expires_at > @now;

-- What support sees of an account.
-- name: Standing :one
SELECT a.id, a.email, a.created_at, a.verified_at, a.password_at, a.deletion_at,
  (SELECT COUNT(*) FROM session s WHERE s.account_id = a.id AND s.ends_at > @now) AS sessions,
  (SELECT COUNT(*) FROM device d WHERE d.account_id = a.id) AS devices,
  CAST((SELECT COUNT(*) FROM authenticator t WHERE t.account_id = a.id) + (SELECT COUNT(*) FROM passkey k WHERE k.account_id = a.id) AS BIGINT) AS steps,
  (SELECT COUNT(*) FROM recovery_code r WHERE r.account_id = a.id AND r.used_at IS NULL) AS codes
FROM account a WHERE a.id = @id AND a.deleted_at IS NULL;

-- name: AskDeletion :execrows
UPDATE account SET deletion_at = @deletion_at WHERE id = @id AND deletion_at IS NULL;

-- name: TakeDeletionBack :execrows
UPDATE account SET deletion_at = NULL, deletion_seen_at = NULL WHERE id = @id AND deletion_at IS NOT NULL AND deleted_at IS NULL;

-- name: DueDeletions :many
SELECT id FROM account WHERE deletion_at <= @now AND deletion_seen_at <= @seen AND deleted_at IS NULL ORDER BY id LIMIT 100;

-- A moment that has not come yet was seen by a clock that was wrong.
-- name: SeeDeletions :exec
UPDATE account SET deletion_seen_at = @now
WHERE deletion_at <= @now AND deleted_at IS NULL AND (deletion_seen_at IS NULL OR deletion_seen_at > @now);

-- Only what is due, has been seen to be due for long enough, and was not done yet.
-- name: Erase :execrows
UPDATE account SET deleted_at = @now, email = @blank, email_index = @freed, name = @blank, zone = '', password = '', verified_at = NULL
WHERE id = @id AND deletion_at <= @now AND deletion_seen_at <= @seen AND deleted_at IS NULL;

-- name: DropLinks :exec
DELETE FROM account_link WHERE account_id = @account_id;

-- name: Reseal :many
SELECT id, email, name FROM account WHERE id > @after AND deleted_at IS NULL ORDER BY id LIMIT 500;

-- name: Resealed :exec
UPDATE account SET email = @email, name = @name WHERE id = @id;

-- name: SweepSessions :exec
DELETE FROM session WHERE ends_at < @cut;

-- name: SweepDevices :exec
DELETE FROM device WHERE created_at < @cut;

-- name: SweepSignUps :exec
DELETE FROM sign_up WHERE expires_at < @cut;

-- name: SweepLinks :exec
DELETE FROM account_link WHERE expires_at < @cut;

-- name: SweepEntries :exec
DELETE FROM entry WHERE expires_at < @cut;

-- name: SweepChallenges :exec
DELETE FROM spent_challenge WHERE expires_at < @cut;

-- name: EndEntries :exec
DELETE FROM entry WHERE account_id = @account_id;

-- name: DropAuthenticator :exec
DELETE FROM authenticator WHERE account_id = @account_id;

-- name: DropRecoveryCodes :exec
DELETE FROM recovery_code WHERE account_id = @account_id;

-- name: DropPasskeys :exec
DELETE FROM passkey WHERE account_id = @account_id;

-- name: DropAuthenticatorSince :exec
DELETE FROM authenticator WHERE account_id = @account_id AND created_at >= @since;

-- name: DropPasskeysSince :exec
DELETE FROM passkey WHERE account_id = @account_id AND created_at >= @since;

-- name: DropRecoveryCodesSince :exec
DELETE FROM recovery_code WHERE recovery_code.account_id = @account_id AND (recovery_code.created_at >= @since
  OR NOT EXISTS (SELECT 1 FROM authenticator a WHERE a.account_id = recovery_code.account_id) AND NOT EXISTS (SELECT 1 FROM passkey p WHERE p.account_id = recovery_code.account_id));

-- A session goes on under a new token. One that is over does not.
-- name: Renew :one
UPDATE session SET token_hash = @renewed, proved_at = @now, strong = strong OR @strong
WHERE token_hash = @token_hash AND account_id = @account_id AND ends_at > @now RETURNING id;

-- name: Retoken :one
UPDATE session SET token_hash = @renewed WHERE token_hash = @token_hash AND account_id = @account_id AND ends_at > @now RETURNING id;

-- name: SignedInAt :one
SELECT signed_in_at FROM account WHERE id = @id;

-- name: FirstSignIn :exec
UPDATE account SET signed_in_at = @now WHERE id = @id AND signed_in_at IS NULL;
