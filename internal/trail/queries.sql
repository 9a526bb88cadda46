-- name: Begin :exec
INSERT INTO sighting_head (practice_id, seq) VALUES (@practice_id, 0) ON CONFLICT (practice_id) DO NOTHING;

-- name: Head :one
SELECT seq FROM sighting_head WHERE practice_id = @practice_id;

-- Held, nobody else goes on from here.
-- name: Hold :one
SELECT seq FROM sighting_head WHERE practice_id = @practice_id FOR UPDATE;

-- name: MoveHead :exec
UPDATE sighting_head SET seq = @seq WHERE practice_id = @practice_id;

-- name: Add :exec
INSERT INTO sighting (practice_id, client_id, day, account_id, role, what, why, times, first_at, last_at)
VALUES (@practice_id, @client_id, @day, @account_id, @role, @what, @why, @times, @first_at, @last_at)
ON CONFLICT (practice_id, client_id, day, account_id, role, what, why)
DO UPDATE SET times = sighting.times + excluded.times, last_at = excluded.last_at;

-- The days before one on which somebody was there, the newest first.
-- name: Days :many
SELECT DISTINCT day FROM sighting
WHERE practice_id = @practice_id AND client_id = @client_id AND day >= @since AND day < @before ORDER BY day DESC LIMIT @most;

-- name: Of :many
SELECT day, account_id, role, what, why, times, first_at, last_at FROM sighting
WHERE practice_id = @practice_id AND client_id = @client_id AND day >= @since AND day < @before ORDER BY day DESC;

-- name: AddDigest :execrows
INSERT INTO digest (practice_id, week, from_at, to_at, from_seq, to_seq, looks, changes, missed, emergencies, exports, after_hours, own_name)
VALUES (@practice_id, @week, @from_at, @to_at, @from_seq, @to_seq, @looks, @changes, @missed, @emergencies, @exports, @after_hours, @own_name)
ON CONFLICT (practice_id, week) DO NOTHING;

-- name: LastDigest :one
SELECT week, to_seq FROM digest WHERE practice_id = @practice_id AND week > 0 ORDER BY week DESC LIMIT 1;

-- name: Digests :many
SELECT week, from_at, to_at, from_seq, to_seq, looks, changes, missed, emergencies, exports, after_hours, own_name, reviewed_at, reviewed_by
FROM digest WHERE practice_id = @practice_id AND week > 0 ORDER BY week DESC LIMIT 26;

-- name: Week :one
SELECT reviewed_at FROM digest WHERE practice_id = @practice_id AND week = @week;

-- name: Review :execrows
UPDATE digest SET reviewed_at = @reviewed_at, reviewed_by = @reviewed_by WHERE practice_id = @practice_id AND week = @week AND reviewed_at IS NULL;
