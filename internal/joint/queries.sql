-- Whoever changes a joint record holds it: changes at once come one after the other.
-- name: Hold :one
SELECT id FROM joint WHERE practice_id = @practice_id AND id = @id FOR UPDATE;

-- name: Add :exec
INSERT INTO joint (practice_id, id, kind, name, practitioner_id, version, created_at)
VALUES (@practice_id, @id, @kind, @name, @practitioner_id, 1, @created_at);

-- name: Record :one
SELECT practice_id, id, kind, name, practitioner_id, closes_at, version, created_at FROM joint WHERE practice_id = @practice_id AND id = @id;

-- name: All :many
SELECT practice_id, id, kind, name, practitioner_id, closes_at, version, created_at FROM joint WHERE practice_id = @practice_id ORDER BY id DESC;

-- name: AllPeople :many
SELECT p.joint_id, p.client_id, p.ends_at, c.practitioner_id FROM joint_person p
JOIN client c ON c.practice_id = p.practice_id AND c.id = p.client_id
WHERE p.practice_id = @practice_id;

-- name: OfClient :many
SELECT DISTINCT joint_id FROM joint_person WHERE practice_id = @practice_id AND client_id = @client_id ORDER BY joint_id DESC LIMIT 200;

-- name: People :many
SELECT p.id, p.client_id, p.begins_at, p.ends_at, p.created_at, c.practitioner_id, c.ends_at AS care_ends_at FROM joint_person p
JOIN client c ON c.practice_id = p.practice_id AND c.id = p.client_id
WHERE p.practice_id = @practice_id AND p.joint_id = @joint_id ORDER BY p.begins_at, p.id;

-- name: Consents :many
SELECT person_id, what, noted_by, noted_at, withdrawn_by, withdrawn_at FROM joint_consent
WHERE practice_id = @practice_id AND person_id IN (SELECT value FROM json_each(CAST(@people AS TEXT))) ORDER BY id DESC;

-- name: Edit :execrows
UPDATE joint SET kind = @kind, name = @name, version = version + 1 WHERE practice_id = @practice_id AND id = @id AND version = @version;

-- name: Assign :execrows
UPDATE joint SET practitioner_id = @heir, version = version + 1 WHERE practice_id = @practice_id AND id = @id AND practitioner_id <> @heir;

-- An end that has not come yet can be moved.
-- name: Shut :execrows
UPDATE joint SET closes_at = @closes_at, version = version + 1
WHERE practice_id = @practice_id AND id = @id AND (closes_at IS NULL OR closes_at > @now);

-- name: Reopen :execrows
UPDATE joint SET closes_at = NULL, version = version + 1 WHERE practice_id = @practice_id AND id = @id AND closes_at IS NOT NULL;

-- name: AddPerson :exec
INSERT INTO joint_person (practice_id, id, joint_id, client_id, begins_at, created_at)
VALUES (@practice_id, @id, @joint_id, @client_id, @begins_at, @created_at);

-- name: Leave :execrows
UPDATE joint_person SET ends_at = @ends_at
WHERE practice_id = @practice_id AND joint_id = @joint_id AND id = @id AND (ends_at IS NULL OR ends_at > @now);

-- name: Stay :execrows
UPDATE joint_person SET ends_at = NULL WHERE practice_id = @practice_id AND joint_id = @joint_id AND id = @id AND ends_at > @now;

-- name: Agree :exec
INSERT INTO joint_consent (practice_id, id, person_id, what, noted_by, noted_at)
VALUES (@practice_id, @id, @person_id, @what, @noted_by, @noted_at);

-- name: TakeBack :execrows
UPDATE joint_consent SET withdrawn_at = @now, withdrawn_by = @withdrawn_by
WHERE practice_id = @practice_id AND person_id = @person_id AND what = @what AND withdrawn_at IS NULL;

-- name: RecordOf :one
SELECT joint_id FROM joint_person WHERE practice_id = @practice_id AND client_id = @client_id AND id = @id;

-- name: Reseal :many
SELECT id, version, name FROM joint WHERE practice_id = @practice_id AND id > @after ORDER BY id LIMIT 500;

-- At its version: an edit meanwhile has sealed the row with the new key itself.
-- name: Resealed :exec
UPDATE joint SET name = @name WHERE practice_id = @practice_id AND id = @id AND version = @version;
