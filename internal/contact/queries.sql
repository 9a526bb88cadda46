-- Whoever changes a client's contacts holds the client: changes at once come one after the other.
-- name: HoldClient :one
SELECT id FROM client WHERE practice_id = @practice_id AND id = @id FOR UPDATE;

-- name: Add :exec
INSERT INTO contact (practice_id, id, client_id, relation, name, email, mobile, emergency, basis, rights, begins_at, ends_at, of_age, version, created_at)
VALUES (@practice_id, @id, @client_id, @relation, @name, @email, @mobile, @emergency, @basis, @rights, @begins_at, @ends_at, @of_age, 1, @created_at);

-- name: Contact :one
SELECT practice_id, id, client_id, relation, name, email, mobile, emergency, basis, rights, begins_at, ends_at, of_age, suspended_at, asked_at, account_id, linked_at, version, created_at
FROM contact WHERE practice_id = @practice_id AND id = @id;

-- name: OfClient :many
SELECT practice_id, id, client_id, relation, name, email, mobile, emergency, basis, rights, begins_at, ends_at, of_age, suspended_at, asked_at, account_id, linked_at, version, created_at
FROM contact WHERE practice_id = @practice_id AND client_id = @client_id ORDER BY id LIMIT 200;

-- What a letter told of another day it has not told of this one.
-- name: Edit :execrows
UPDATE contact SET relation = @relation, name = @name, email = @email, mobile = @mobile, emergency = @emergency, basis = @basis, rights = @rights,
  begins_at = @begins_at, ends_at = @ends_at, of_age = @of_age, told_begin_at = @told_begin_at, told_end_at = @told_end_at, version = version + 1
WHERE practice_id = @practice_id AND id = @id AND version = @version;

-- name: Suspend :execrows
UPDATE contact SET suspended_at = @now, version = version + 1 WHERE practice_id = @practice_id AND id = @id AND suspended_at IS NULL;

-- name: Resume :execrows
UPDATE contact SET suspended_at = NULL, version = version + 1 WHERE practice_id = @practice_id AND id = @id AND suspended_at IS NOT NULL;

-- Somebody's own hand ended it: no letter tells of that.
-- name: EndNow :execrows
UPDATE contact SET ends_at = @now, told_end_at = @now, asked_at = NULL, version = version + 1
WHERE practice_id = @practice_id AND id = @id AND rights <> '' AND (ends_at IS NULL OR ends_at > @now);

-- name: AskEnd :execrows
UPDATE contact SET asked_at = @now WHERE practice_id = @practice_id AND client_id = @client_id AND id = @id AND asked_at IS NULL;

-- name: Link :execrows
UPDATE contact SET account_id = @account_id, linked_at = @linked_at, version = version + 1
WHERE practice_id = @practice_id AND id = @id AND account_id IS NULL;

-- An account whose access has ended may be given another.
-- name: FreeEnded :exec
UPDATE contact SET account_id = NULL, linked_at = NULL, version = version + 1
WHERE account_id = @account_id AND practice_id = @practice_id AND client_id = @client_id AND ends_at <= @now;

-- Contacts with an account for whom a day has come that no letter has told of.
-- name: Begun :many
SELECT practice_id, client_id, id FROM contact
WHERE begins_at <= @now AND told_begin_at IS NULL AND account_id IS NOT NULL ORDER BY begins_at LIMIT 200;

-- name: Ended :many
SELECT practice_id, client_id, id FROM contact
WHERE ends_at <= @now AND told_end_at IS NULL AND account_id IS NOT NULL ORDER BY ends_at LIMIT 200;

-- name: EndingOfAge :many
SELECT practice_id, client_id, id FROM contact WHERE of_age AND told_end_at IS NULL AND account_id IS NOT NULL;

-- name: ToldBegin :execrows
UPDATE contact SET told_begin_at = @now WHERE practice_id = @practice_id AND id = @id AND told_begin_at IS NULL;

-- name: ToldEnd :execrows
UPDATE contact SET told_end_at = @now WHERE practice_id = @practice_id AND id = @id AND told_end_at IS NULL;

-- name: AddInvitation :exec
INSERT INTO contact_invitation (practice_id, id, contact_id, practitioner_id, state, token_hash, email, email_index, letter_id, ordinal, created_at, expires_at)
VALUES (@practice_id, @id, @contact_id, @practitioner_id, 'live', @token_hash, @email, @email_index, @letter_id, @ordinal, @created_at, @expires_at);

-- name: Newest :one
SELECT i.id, i.practitioner_id, i.state, i.email_index, i.ordinal, i.created_at, i.expires_at, i.ended_at, i.asked_at, l.state AS letter_state, l.reason AS letter_reason
FROM contact_invitation i JOIN letter l ON l.practice_id = i.practice_id AND l.id = i.letter_id
WHERE i.practice_id = @practice_id AND i.contact_id = @contact_id ORDER BY i.ordinal DESC LIMIT 1;

-- name: LettersTo :one
SELECT COUNT(*) FROM contact_invitation WHERE practice_id = @practice_id AND email_index = @email_index AND created_at > @since;

-- name: EndLive :one
UPDATE contact_invitation SET state = @state, ended_at = @ended_at
WHERE practice_id = @practice_id AND contact_id = @contact_id AND state = 'live'
RETURNING id, letter_id;

-- name: Claim :one
UPDATE contact_invitation SET state = 'used', ended_at = @now
WHERE token_hash = @token_hash AND state = 'live' AND expires_at > @now
AND NOT EXISTS (SELECT 1 FROM practice q WHERE q.id = practice_id AND q.closes_at IS NOT NULL)
RETURNING practice_id, id, contact_id, practitioner_id, email;

-- name: ByToken :one
SELECT practice_id, id, contact_id, practitioner_id, state, email, email_index, created_at, expires_at, ended_at FROM contact_invitation
WHERE token_hash = @token_hash;

-- name: ByAddress :many
SELECT practice_id, contact_id, id, practitioner_id, state, ordinal FROM contact_invitation WHERE email_index = @email_index ORDER BY id DESC LIMIT 50;

-- name: Asked :execrows
UPDATE contact_invitation SET asked_at = @asked_at WHERE practice_id = @practice_id AND id = @id AND state = 'withdrawn' AND asked_at IS NULL;

-- name: Reseal :many
SELECT id, version, name, email, mobile, basis FROM contact WHERE practice_id = @practice_id AND id > @after ORDER BY id LIMIT 500;

-- At its version: an edit meanwhile has sealed the row with the new key itself.
-- name: Resealed :exec
UPDATE contact SET name = @name, email = @email, mobile = @mobile, basis = @basis WHERE practice_id = @practice_id AND id = @id AND version = @version;

-- name: ResealInvitations :many
SELECT id, email FROM contact_invitation WHERE practice_id = @practice_id AND id > @after ORDER BY id LIMIT 500;

-- name: ResealedInvitation :exec
UPDATE contact_invitation SET email = @email WHERE practice_id = @practice_id AND id = @id;

-- How long ago a practice's newest invitation but so many was sent.
-- name: SentBefore :one
SELECT created_at FROM contact_invitation WHERE practice_id = @practice_id ORDER BY id DESC LIMIT 1 OFFSET @newer;

-- Whether an account works in a practice, or did.
-- name: Works :one
SELECT COUNT(*) FROM practitioner WHERE practice_id = @practice_id AND account_id = @account_id;
