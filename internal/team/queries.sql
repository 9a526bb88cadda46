-- Whoever changes who works in a practice holds it: two who would both make the
-- last owner something else come one after the other.
-- name: HoldPractice :one
SELECT id FROM practice WHERE id = @id FOR UPDATE;

-- name: SetRole :exec
UPDATE practitioner SET role = @role, role_since = @now WHERE practice_id = @practice_id AND id = @id;

-- name: SetActive :exec
UPDATE practitioner SET active = @active, role_since = @now WHERE practice_id = @practice_id AND id = @id;

-- name: CaseloadOf :many
SELECT id FROM client WHERE practice_id = @practice_id AND practitioner_id = @practitioner_id ORDER BY id;

-- name: HandOver :many
UPDATE client SET practitioner_id = @heir, version = version + 1
WHERE practice_id = @practice_id AND practitioner_id = @practitioner_id AND id IN (SELECT value FROM json_each(CAST(@ids AS TEXT)))
RETURNING id;

-- name: LeaveTeams :exec
DELETE FROM care_team WHERE practice_id = @practice_id AND practitioner_id = @practitioner_id
AND client_id IN (SELECT value FROM json_each(CAST(@ids AS TEXT)));

-- name: CareTeam :many
SELECT practitioner_id, added_at, ends_at FROM care_team
WHERE practice_id = @practice_id AND client_id = @client_id AND (ends_at IS NULL OR ends_at > @now) ORDER BY added_at, practitioner_id;

-- name: Include :exec
INSERT INTO care_team (practice_id, client_id, practitioner_id, added_at, ends_at)
VALUES (@practice_id, @client_id, @practitioner_id, @added_at, @ends_at)
ON CONFLICT (practice_id, client_id, practitioner_id) DO UPDATE SET added_at = excluded.added_at, ends_at = excluded.ends_at;

-- name: Exclude :execrows
DELETE FROM care_team WHERE practice_id = @practice_id AND client_id = @client_id AND practitioner_id = @practitioner_id;

-- name: Supervisions :many
SELECT supervisor_id, practitioner_id FROM supervision WHERE practice_id = @practice_id ORDER BY supervisor_id, practitioner_id;

-- name: Supervise :exec
INSERT INTO supervision (practice_id, supervisor_id, practitioner_id, added_at) VALUES (@practice_id, @supervisor_id, @practitioner_id, @added_at)
ON CONFLICT (practice_id, supervisor_id, practitioner_id) DO NOTHING;

-- name: EndSupervisionBy :exec
DELETE FROM supervision WHERE practice_id = @practice_id AND supervisor_id = @supervisor_id;

-- Whoever opens a client holds the record: of two presses the second finds it open.
-- name: HoldClient :one
SELECT practitioner_id FROM client WHERE practice_id = @practice_id AND id = @id FOR UPDATE;

-- name: AddEmergency :exec
INSERT INTO emergency (practice_id, id, client_id, practitioner_id, reason, opened_at, until)
VALUES (@practice_id, @id, @client_id, @practitioner_id, @reason, @opened_at, @until);

-- name: OpenEmergency :one
SELECT id, until FROM emergency
WHERE practice_id = @practice_id AND client_id = @client_id AND practitioner_id = @practitioner_id AND closed_at IS NULL AND until > @now LIMIT 1;

-- name: CloseEmergency :one
UPDATE emergency SET closed_at = @now
WHERE practice_id = @practice_id AND client_id = @client_id AND practitioner_id = @practitioner_id AND closed_at IS NULL AND until > @now
RETURNING id;

-- name: EmergenciesOf :many
SELECT id, client_id, practitioner_id, reason, opened_at, until, closed_at FROM emergency
WHERE practice_id = @practice_id AND client_id = @client_id ORDER BY id DESC LIMIT 100;

-- name: Emergencies :many
SELECT id, client_id, practitioner_id, reason, opened_at, until, closed_at FROM emergency
WHERE practice_id = @practice_id ORDER BY id DESC LIMIT 100;

-- name: Add :exec
INSERT INTO team_invitation (practice_id, id, practitioner_id, role, state, token_hash, name, email, email_index, letter_id, by_hand, ordinal, created_at, expires_at)
VALUES (@practice_id, @id, @practitioner_id, @role, 'live', @token_hash, @name, @email, @email_index, @letter_id, @by_hand, @ordinal, @created_at, @expires_at);

-- name: Listed :many
SELECT i.id, i.practitioner_id, i.role, i.state, i.name, i.email, i.email_index, i.by_hand, i.ordinal, i.created_at, i.expires_at, i.asked_at,
  l.state AS letter_state, l.reason AS letter_reason
FROM team_invitation i JOIN letter l ON l.practice_id = i.practice_id AND l.id = i.letter_id
WHERE i.practice_id = @practice_id AND (i.state = 'live' OR i.state = 'withdrawn' AND i.asked_at IS NOT NULL) ORDER BY i.id DESC LIMIT 500;

-- name: Invitation :one
SELECT id, practitioner_id, role, state, name, email, email_index, letter_id, by_hand, ordinal, created_at FROM team_invitation
WHERE practice_id = @practice_id AND id = @id;

-- name: Newest :one
SELECT id, practitioner_id, role, state, name, email, email_index, letter_id, by_hand, ordinal, created_at FROM team_invitation
WHERE practice_id = @practice_id AND email_index = @email_index ORDER BY ordinal DESC LIMIT 1;

-- name: LettersTo :one
SELECT COUNT(*) FROM team_invitation WHERE practice_id = @practice_id AND email_index = @email_index AND created_at > @since AND NOT by_hand;

-- How long ago a practice's newest invitation but so many was sent.
-- name: SentBefore :one
SELECT created_at FROM team_invitation WHERE practice_id = @practice_id ORDER BY id DESC LIMIT 1 OFFSET @newer;

-- name: EndLive :one
UPDATE team_invitation SET state = @state, ended_at = @ended_at
WHERE practice_id = @practice_id AND email_index = @email_index AND state = 'live'
RETURNING id, letter_id;

-- name: EndLiveBy :many
UPDATE team_invitation SET state = 'withdrawn', ended_at = @ended_at
WHERE practice_id = @practice_id AND practitioner_id = @practitioner_id AND state = 'live' AND role IN (SELECT value FROM json_each(CAST(@roles AS TEXT)))
RETURNING id, letter_id;

-- Nobody joins a practice that was put away, or closes.
-- name: Claim :one
UPDATE team_invitation SET state = 'used', ended_at = @now
WHERE token_hash = @token_hash AND state = 'live' AND expires_at > @now
AND NOT EXISTS (SELECT 1 FROM practice q WHERE q.id = practice_id AND (q.put_away_at IS NOT NULL OR q.closes_at IS NOT NULL))
RETURNING practice_id, id, practitioner_id, role, name, email, by_hand;

-- name: ByToken :one
SELECT i.practice_id, i.id, i.practitioner_id, i.role, i.state, i.name, i.email, i.email_index, i.created_at, i.expires_at, i.ended_at, q.put_away_at
FROM team_invitation i JOIN practice q ON q.id = i.practice_id WHERE i.token_hash = @token_hash;

-- name: ByAddress :many
SELECT i.practice_id, i.id, i.practitioner_id, i.state, i.ordinal FROM team_invitation i JOIN practice q ON q.id = i.practice_id
WHERE i.email_index = @email_index AND q.put_away_at IS NULL ORDER BY i.id DESC LIMIT 50;

-- name: Asked :execrows
UPDATE team_invitation SET asked_at = @asked_at WHERE practice_id = @practice_id AND id = @id AND state = 'withdrawn' AND asked_at IS NULL;

-- name: ResealInvitations :many
SELECT id, name, email FROM team_invitation WHERE practice_id = @practice_id ORDER BY id;

-- name: ResealedInvitation :exec
UPDATE team_invitation SET name = @name, email = @email WHERE practice_id = @practice_id AND id = @id;

-- name: ResealEmergencies :many
SELECT id, reason FROM emergency WHERE practice_id = @practice_id ORDER BY id;

-- name: ResealedEmergency :exec
UPDATE emergency SET reason = @reason WHERE practice_id = @practice_id AND id = @id;

-- What a member looks after of joint records goes to whoever takes their clients.
-- name: HandOverJoints :many
UPDATE joint SET practitioner_id = @heir, version = version + 1 WHERE practice_id = @practice_id AND practitioner_id = @practitioner_id
RETURNING id;

-- name: JointsOf :one
SELECT COUNT(*) FROM joint WHERE practice_id = @practice_id AND practitioner_id = @practitioner_id;
