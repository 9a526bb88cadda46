-- name: AddPractice :exec
INSERT INTO practice (id, name, zone, steps_hidden, founder_id, created_at) VALUES (@id, @name, @zone, FALSE, @founder_id, @created_at);

-- An empty practice that was put away is taken up again by who had founded it.
-- name: Reopen :one
UPDATE practice SET name = @name, zone = @zone, steps_hidden = FALSE, created_at = @created_at, put_away_at = NULL, closes_at = NULL, closing_by = NULL
WHERE founder_id = @founder_id AND put_away_at IS NOT NULL RETURNING id;

-- name: Rejoin :one
UPDATE practitioner SET active = TRUE, role = 'owner' WHERE practice_id = @practice_id AND account_id = @account_id RETURNING id;

-- Held, nobody can become its client or its member meanwhile: their rows refer to it.
-- name: HoldPractice :one
SELECT id FROM practice WHERE id = @id FOR UPDATE;

-- name: PutAway :execrows
UPDATE practice SET put_away_at = @now WHERE id = @id AND put_away_at IS NULL;

-- Of two owners who set a day at once, one does.
-- name: ClosePractice :execrows
UPDATE practice SET closes_at = @closes_at, closing_by = @closing_by WHERE id = @id AND closes_at IS NULL AND put_away_at IS NULL;

-- Whether a practice that an account founded has closed.
-- name: KeepPractice :execrows
UPDATE practice SET closes_at = NULL, closing_by = NULL WHERE id = @id AND closes_at > @now;

-- Nobody new comes to a practice that closes.
-- name: EndClientsLinks :many
UPDATE invitation SET state = 'withdrawn', reason = @reason, ended_at = @now, ended_by = @ended_by
WHERE practice_id = @practice_id AND state = 'live' RETURNING id, client_id, letter_id;

-- name: EndContactsLinks :many
UPDATE contact_invitation SET state = 'withdrawn', ended_at = @now
WHERE practice_id = @practice_id AND state = 'live' RETURNING id, letter_id;

-- name: EndTeamLinks :many
UPDATE team_invitation SET state = 'withdrawn', ended_at = @now
WHERE practice_id = @practice_id AND state = 'live' RETURNING id, letter_id;

-- A part at a time.
-- name: UntoldOfClosing :many
SELECT id, account_id, told_closing FROM client
WHERE practice_id = @practice_id AND id > @after AND account_id IS NOT NULL AND email_consent AND (ends_at IS NULL OR ends_at > @now)
ORDER BY id LIMIT 100;

-- name: ToldOfClosing :exec
UPDATE client SET told_closing = @closes_at WHERE practice_id = @practice_id AND id = @id;

-- Whoever acts for a client, from the day that was set or already.
-- name: ContactsUntoldOfClosing :many
SELECT id, client_id, account_id, told_closing, of_age FROM contact
WHERE practice_id = @practice_id AND id > @after AND account_id IS NOT NULL AND rights <> '' AND suspended_at IS NULL AND (ends_at IS NULL OR ends_at > @now)
ORDER BY id LIMIT 100;

-- One letter for all whom somebody acts for.
-- name: ContactToldOfClosing :exec
UPDATE contact SET told_closing = @closes_at WHERE practice_id = @practice_id AND account_id = @account_id;

-- name: LeavePractice :many
UPDATE practitioner SET active = FALSE WHERE practice_id = @practice_id AND account_id = @account_id AND active RETURNING id;

-- What a member held beyond their own clients: see TakeAway.
-- name: LeaveCareTeams :exec
DELETE FROM care_team WHERE practice_id = @practice_id AND practitioner_id = @practitioner_id;

-- name: EndSupervision :exec
DELETE FROM supervision WHERE practice_id = @practice_id AND (supervisor_id = @practitioner_id OR practitioner_id = @practitioner_id);

-- name: CloseEmergencies :many
UPDATE emergency SET closed_at = @now
WHERE practice_id = @practice_id AND practitioner_id = @practitioner_id AND closed_at IS NULL AND until > @now RETURNING id, client_id;

-- name: EndColleaguesLinks :many
UPDATE team_invitation SET state = 'withdrawn', ended_at = @ended_at
WHERE practice_id = @practice_id AND practitioner_id = @practitioner_id AND state = 'live' RETURNING id, letter_id;

-- name: EndVouchesBy :exec
UPDATE vouch SET ended_at = @now
WHERE practice_id = @practice_id AND practitioner_id = @practitioner_id AND used_at IS NULL AND ended_at IS NULL;

-- Whoever is no more what they were vouches for nobody, and nobody for them:
-- neither two owners nor two in support.
-- name: EndRecoveries :many
UPDATE recovery SET state = 'withdrawn', ended_at = @now
WHERE practice_id IN (@practice_id, 'installation') AND state IN ('asked', 'approved')
  AND (account_id = @account_id OR practice_id = @practice_id AND (asked_by = @account_id OR approved_by = @account_id))
RETURNING id, practice_id, account_id;

-- What support sees of where an account works: numbers.
-- name: Standing :many
SELECT p.practice_id, p.role, p.active, q.created_at, q.closes_at,
  (SELECT COUNT(*) FROM client c WHERE c.practice_id = p.practice_id) AS clients,
  (SELECT COUNT(*) FROM invitation i WHERE i.practice_id = p.practice_id AND i.state = 'live') AS invitations,
  CAST((SELECT COUNT(*) FROM practitioner o WHERE o.practice_id = p.practice_id AND o.account_id <> p.account_id)
  + (SELECT COUNT(*) FROM team_invitation t WHERE t.practice_id = p.practice_id AND t.state = 'live') AS BIGINT) AS colleagues
FROM practitioner p JOIN practice q ON q.id = p.practice_id WHERE p.account_id = @account_id AND q.put_away_at IS NULL ORDER BY p.practice_id;

-- Who else owns a practice, is active, and is not about to leave.
-- name: OtherOwners :one
SELECT COUNT(*) FROM practitioner p JOIN account a ON a.id = p.account_id
WHERE p.practice_id = @practice_id AND p.account_id <> @account_id AND p.role = 'owner' AND p.active AND a.deletion_at IS NULL;

-- name: OthersAtWork :one
SELECT COUNT(*) FROM practitioner WHERE practice_id = @practice_id AND account_id <> @account_id AND active;

-- name: Unlink :execrows
UPDATE client SET account_id = NULL, linked_at = NULL, version = version + 1
WHERE practice_id = @practice_id AND id = @id AND account_id = @account_id;

-- name: ClientEnds :one
SELECT ends_at FROM client WHERE practice_id = @practice_id AND id = @id;

-- name: Practice :one
SELECT id, name, zone, steps_hidden, client_step, created_at, closes_at, closing_by FROM practice WHERE id = @id;

-- name: SetPractice :exec
UPDATE practice SET name = @name, zone = @zone WHERE id = @id;

-- name: SetClientStep :exec
UPDATE practice SET client_step = @client_step WHERE id = @id;

-- name: HideSteps :exec
UPDATE practice SET steps_hidden = @steps_hidden WHERE id = @id;

-- name: AddPractitioner :exec
INSERT INTO practitioner (practice_id, id, account_id, name, role, active, created_at)
VALUES (@practice_id, @id, @account_id, @name, @role, TRUE, @created_at);

-- name: Practitioners :many
SELECT id, account_id, name, role, active, created_at, role_since FROM practitioner WHERE practice_id = @practice_id ORDER BY id;

-- name: Practitioner :one
SELECT id, account_id, name, role, active, created_at, role_since FROM practitioner WHERE practice_id = @practice_id AND id = @id;

-- name: Terms :one
SELECT idle_work, idle_client FROM practice WHERE id = @id;

-- name: SetTerms :exec
UPDATE practice SET idle_work = @idle_work, idle_client = @idle_client WHERE id = @id;

-- name: Membership :one
SELECT p.id, p.role FROM practitioner p JOIN practice q ON q.id = p.practice_id
WHERE p.account_id = @account_id AND p.practice_id = @practice_id AND p.active AND (q.closes_at IS NULL OR q.closes_at > @now);

-- name: Memberships :many
SELECT p.practice_id, p.id, p.role, q.name, q.zone, q.closes_at FROM practitioner p JOIN practice q ON q.id = p.practice_id
WHERE p.account_id = @account_id AND p.active ORDER BY p.id;

-- name: InCareTeams :many
SELECT client_id, ends_at FROM care_team
WHERE practice_id = @practice_id AND practitioner_id = @practitioner_id AND (ends_at IS NULL OR ends_at > @now);

-- name: InEmergencies :many
SELECT client_id, until FROM emergency
WHERE practice_id = @practice_id AND practitioner_id = @practitioner_id AND closed_at IS NULL AND until > @now;

-- name: Supervised :many
SELECT practitioner_id FROM supervision WHERE practice_id = @practice_id AND supervisor_id = @supervisor_id;

-- Where somebody works now.
-- name: Positions :many
SELECT practice_id, id FROM practitioner WHERE account_id = @account_id AND active;

-- name: RenamePractitioner :exec
UPDATE practitioner SET name = @name WHERE practice_id = @practice_id AND id = @id;

-- name: AddClient :exec
INSERT INTO client (practice_id, id, practitioner_id, name, email, email_index, mobile, born, address, zone, email_consent, version, created_at)
VALUES (@practice_id, @id, @practitioner_id, @name, @email, @email_index, @mobile, @born, @address, @zone, @email_consent, 1, @created_at);

-- name: Client :one
SELECT practice_id, id, practitioner_id, name, email, email_index, mobile, born, address, zone, email_consent, account_id, linked_at, ends_at, version, created_at
FROM client WHERE practice_id = @practice_id AND id = @id;

-- Whoever is about to invite a client holds the record: an edit, the end of care
-- or an acceptance at the same moment comes wholly before or wholly after.
-- name: HoldClient :one
SELECT id FROM client WHERE practice_id = @practice_id AND id = @id FOR UPDATE;

-- name: EditClient :execrows
UPDATE client SET practitioner_id = @practitioner_id, name = @name, email = @email, email_index = @email_index, mobile = @mobile,
  born = @born, address = @address, zone = @zone, email_consent = @email_consent, version = version + 1
WHERE practice_id = @practice_id AND id = @id AND version = @version;

-- name: SetConsent :exec
UPDATE client SET email_consent = @email_consent, version = version + 1 WHERE practice_id = @practice_id AND id = @id;

-- name: EndCare :execrows
UPDATE client SET ends_at = @ends_at, version = version + 1
WHERE practice_id = @practice_id AND id = @id AND (ends_at IS NULL OR ends_at > @now AND ends_at <> @ends_at);

-- name: ResumeCare :execrows
UPDATE client SET ends_at = NULL, version = version + 1 WHERE practice_id = @practice_id AND id = @id AND ends_at IS NOT NULL;

-- name: Link :execrows
UPDATE client SET account_id = @account_id, linked_at = @linked_at, version = version + 1
WHERE practice_id = @practice_id AND id = @id AND account_id IS NULL;

-- name: ClientOfAccount :one
SELECT c.id, q.client_step, q.zone, c.born, m.own_from, CAST(m.client_id IS NOT NULL AS BOOLEAN) AS minor
FROM client c JOIN practice q ON q.id = c.practice_id LEFT JOIN minor m ON m.practice_id = c.practice_id AND m.client_id = c.id
WHERE c.practice_id = @practice_id AND c.id = @id AND c.account_id = @account_id AND (c.ends_at IS NULL OR c.ends_at > @now)
  AND (q.closes_at IS NULL OR q.closes_at > @now);

-- name: RecordsOfAccount :many
SELECT c.practice_id, c.id, c.name, c.ends_at, q.name AS practice_name, q.zone, q.closes_at, c.born, m.own_from, CAST(m.client_id IS NOT NULL AS BOOLEAN) AS minor
FROM client c JOIN practice q ON q.id = c.practice_id LEFT JOIN minor m ON m.practice_id = c.practice_id AND m.client_id = c.id
WHERE c.account_id = @account_id ORDER BY c.linked_at, c.id;

-- What a person was given who acts for a client.
-- name: Acting :one
SELECT k.id, k.rights, k.begins_at, k.ends_at, k.suspended_at, k.of_age, c.ends_at AS care_ends_at, q.client_step, q.zone, q.closes_at, c.born, m.guardians_until
FROM contact k JOIN client c ON c.practice_id = k.practice_id AND c.id = k.client_id JOIN practice q ON q.id = k.practice_id
LEFT JOIN minor m ON m.practice_id = k.practice_id AND m.client_id = k.client_id
WHERE k.practice_id = @practice_id AND k.client_id = @client_id AND k.account_id = @account_id;

-- name: ActingOfAccount :many
SELECT k.practice_id, k.client_id, k.id, k.rights, k.begins_at, k.ends_at, k.suspended_at, k.of_age, c.name, c.ends_at AS care_ends_at,
  q.name AS practice_name, q.zone, q.closes_at, c.born, m.guardians_until
FROM contact k JOIN client c ON c.practice_id = k.practice_id AND c.id = k.client_id JOIN practice q ON q.id = k.practice_id
LEFT JOIN minor m ON m.practice_id = k.practice_id AND m.client_id = k.client_id
WHERE k.account_id = @account_id ORDER BY k.linked_at, k.id;

-- name: ActingForClient :many
SELECT k.account_id, k.rights, k.begins_at, k.ends_at, k.suspended_at, k.of_age, c.ends_at AS care_ends_at, q.zone, q.closes_at, c.born, m.guardians_until
FROM contact k JOIN client c ON c.practice_id = k.practice_id AND c.id = k.client_id JOIN practice q ON q.id = k.practice_id
LEFT JOIN minor m ON m.practice_id = k.practice_id AND m.client_id = k.client_id
WHERE k.practice_id = @practice_id AND k.client_id = @client_id AND k.account_id IS NOT NULL ORDER BY k.id LIMIT 200;

-- name: UnlinkContact :execrows
UPDATE contact SET account_id = NULL, linked_at = NULL, version = version + 1
WHERE practice_id = @practice_id AND id = @id AND account_id = @account_id;

-- name: Minor :one
SELECT client_id, own_from, guardians_until FROM minor WHERE practice_id = @practice_id AND client_id = @client_id;

-- name: BeMinor :exec
INSERT INTO minor (practice_id, client_id) VALUES (@practice_id, @client_id) ON CONFLICT (practice_id, client_id) DO NOTHING;

-- name: SetMinor :exec
INSERT INTO minor (practice_id, client_id, own_from, guardians_until, told_at) VALUES (@practice_id, @client_id, @own_from, @guardians_until, @told_at)
ON CONFLICT (practice_id, client_id) DO UPDATE SET own_from = excluded.own_from, guardians_until = excluded.guardians_until, told_at = excluded.told_at;

-- What has ended by a client's coming of age ends there for good.
-- name: KeepEnded :exec
UPDATE contact SET ends_at = @ends_at, version = version + 1
WHERE practice_id = @practice_id AND client_id = @client_id AND of_age AND (ends_at IS NULL OR ends_at > @ends_at);

-- name: EverybodysMinors :many
SELECT m.client_id, m.own_from, c.born FROM minor m JOIN client c ON c.practice_id = m.practice_id AND c.id = m.client_id
WHERE m.practice_id = @practice_id;

-- name: SomebodysMinors :many
SELECT m.client_id, m.own_from, c.born FROM minor m JOIN client c ON c.practice_id = m.practice_id AND c.id = m.client_id
WHERE m.practice_id = @practice_id AND m.client_id IN (SELECT value FROM json_each(CAST(@ids AS TEXT)));

-- Everybody whose day no letter has told of: the days are sealed, so that each
-- is looked at. There are as many as there are minors.
-- name: UntoldMinors :many
SELECT m.practice_id, m.client_id, m.own_from, c.born, q.zone
FROM minor m CROSS JOIN client c CROSS JOIN practice q
WHERE m.told_at IS NULL AND c.practice_id = m.practice_id AND c.id = m.client_id AND q.id = m.practice_id;

-- name: ToldMinor :execrows
UPDATE minor SET told_at = @now WHERE practice_id = @practice_id AND client_id = @client_id AND told_at IS NULL;

-- name: ResealMinors :many
SELECT client_id, own_from, guardians_until FROM minor WHERE practice_id = @practice_id ORDER BY client_id;

-- name: ResealedMinor :exec
UPDATE minor SET own_from = @own_from, guardians_until = @guardians_until WHERE practice_id = @practice_id AND client_id = @client_id;

-- name: SameEmail :many
SELECT id, practitioner_id, name FROM client WHERE practice_id = @practice_id AND email_index = @email_index AND id <> @id ORDER BY id LIMIT 5;

-- A page of them at a time: one is opened while the next is read.
-- name: Everybody :many
SELECT id, practitioner_id, name, email, email_consent, CAST(account_id IS NOT NULL AS BOOLEAN) AS has_account, ends_at FROM client
WHERE practice_id = @practice_id AND id > @after ORDER BY id LIMIT @most;

-- name: Somebody :many
SELECT id, practitioner_id, name, email, email_consent, CAST(account_id IS NOT NULL AS BOOLEAN) AS has_account, ends_at FROM client
WHERE practice_id = @practice_id AND id IN (SELECT value FROM json_each(CAST(@ids AS TEXT)));

-- name: EverybodysInvitations :many
SELECT i.client_id, i.id, i.state, i.ordinal, i.reason, i.created_at, i.expires_at, i.ended_at, i.asked_at, i.letter_id,
  l.state AS letter_state, l.reason AS letter_reason, l.settled_at
FROM invitation i LEFT JOIN letter l ON l.practice_id = i.practice_id AND l.id = i.letter_id
WHERE i.practice_id = @practice_id AND i.state <> 'superseded';

-- name: SomebodysInvitations :many
SELECT i.client_id, i.id, i.state, i.ordinal, i.reason, i.created_at, i.expires_at, i.ended_at, i.asked_at, i.letter_id,
  l.state AS letter_state, l.reason AS letter_reason, l.settled_at
FROM invitation i LEFT JOIN letter l ON l.practice_id = i.practice_id AND l.id = i.letter_id
WHERE i.practice_id = @practice_id AND i.client_id IN (SELECT value FROM json_each(CAST(@ids AS TEXT))) AND i.state <> 'superseded';

-- name: History :many
SELECT i.id, i.practitioner_id, i.state, i.ordinal, i.reason, i.email, i.created_at, i.expires_at, i.ended_at, i.ended_by, i.asked_at, i.letter_id,
  l.state AS letter_state, l.reason AS letter_reason, l.settled_at
FROM invitation i LEFT JOIN letter l ON l.practice_id = i.practice_id AND l.id = i.letter_id
WHERE i.practice_id = @practice_id AND i.client_id = @client_id ORDER BY i.ordinal DESC LIMIT 100;

-- name: AddInvitation :exec
INSERT INTO invitation (practice_id, id, client_id, practitioner_id, state, token_hash, email, email_index, note, letter_id, ordinal, reason, created_at, expires_at)
VALUES (@practice_id, @id, @client_id, @practitioner_id, 'live', @token_hash, @email, @email_index, @note, @letter_id, @ordinal, '', @created_at, @expires_at);

-- name: Newest :one
SELECT i.id, i.practitioner_id, i.state, i.ordinal, i.created_at, i.expires_at, i.letter_id, l.state AS letter_state
FROM invitation i LEFT JOIN letter l ON l.practice_id = i.practice_id AND l.id = i.letter_id
WHERE i.practice_id = @practice_id AND i.client_id = @client_id ORDER BY i.ordinal DESC LIMIT 1;

-- name: EndLive :one
UPDATE invitation SET state = @state, reason = @reason, ended_at = @ended_at, ended_by = @ended_by
WHERE practice_id = @practice_id AND client_id = @client_id AND state = 'live'
RETURNING id, letter_id;

-- How many letters a practice has sent to a mailbox since a moment.
-- name: LettersTo :one
SELECT COUNT(*) FROM invitation WHERE practice_id = @practice_id AND email_index = @email_index AND letter_id IS NOT NULL AND created_at > @since;

-- name: Claim :one
UPDATE invitation SET state = 'used', ended_at = @now
WHERE token_hash = @token_hash AND state = 'live' AND expires_at > @now
  AND NOT EXISTS (SELECT 1 FROM practice q WHERE q.id = practice_id AND q.closes_at IS NOT NULL)
RETURNING practice_id, id, client_id, practitioner_id, email, letter_id;

-- name: ByToken :one
SELECT practice_id, id, client_id, practitioner_id, state, email, email_index, note, created_at, expires_at, ended_at FROM invitation WHERE token_hash = @token_hash;

-- name: ByAddress :many
SELECT practice_id, client_id, id, practitioner_id, state, ordinal FROM invitation WHERE email_index = @email_index ORDER BY id DESC LIMIT 50;

-- name: LiveByAddress :many
SELECT practice_id, client_id, id, practitioner_id, state, token_hash FROM invitation
WHERE email_index = @email_index AND state = 'live' AND expires_at > @now ORDER BY id DESC LIMIT 5;

-- name: Asked :execrows
UPDATE invitation SET asked_at = @asked_at WHERE practice_id = @practice_id AND id = @id AND state = 'withdrawn' AND asked_at IS NULL;

-- name: Reseal :many
SELECT id, version, name, email, mobile, born, address FROM client WHERE practice_id = @practice_id AND id > @after ORDER BY id LIMIT 500;

-- At its version: an edit meanwhile has sealed the row with the new key itself.
-- name: Resealed :exec
UPDATE client SET name = @name, email = @email, mobile = @mobile, born = @born, address = @address
WHERE practice_id = @practice_id AND id = @id AND version = @version;

-- name: ResealInvitations :many
SELECT id, email, note FROM invitation WHERE practice_id = @practice_id AND id > @after ORDER BY id LIMIT 500;

-- name: ResealedInvitation :exec
UPDATE invitation SET email = @email, note = @note WHERE practice_id = @practice_id AND id = @id;

-- name: AddVouch :exec
INSERT INTO vouch (practice_id, id, client_id, account_id, practitioner_id, token_hash, created_at, expires_at)
VALUES (@practice_id, @id, @client_id, @account_id, @practitioner_id, @token_hash, @created_at, @expires_at);

-- name: EndVouch :exec
UPDATE vouch SET ended_at = @now WHERE practice_id = @practice_id AND client_id = @client_id AND used_at IS NULL AND ended_at IS NULL;

-- name: VouchByToken :one
SELECT v.practice_id, v.id, v.client_id, v.account_id, v.practitioner_id, v.expires_at, v.ended_at, v.used_at, c.ends_at,
  CAST(c.account_id IS NOT NULL AND c.account_id = v.account_id AS BOOLEAN) AS linked
FROM vouch v JOIN client c ON c.practice_id = v.practice_id AND c.id = v.client_id WHERE v.token_hash = @token_hash;

-- name: Supports :one
SELECT account_id FROM supporter WHERE account_id = @account_id;

-- name: UseVouch :execrows
UPDATE vouch SET used_at = @now WHERE token_hash = @token_hash AND used_at IS NULL AND ended_at IS NULL AND expires_at > @now;

-- Whether an account acts for a client, or did.
-- name: Acts :one
SELECT COUNT(*) FROM contact WHERE practice_id = @practice_id AND client_id = @client_id AND account_id = @account_id;
