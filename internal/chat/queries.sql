-- name: AddConversation :execrows
INSERT INTO conversation (practice_id, id, kind, client_id, practitioner_id, other_id, last_seq, last_at, created_at)
VALUES (@practice_id, @id, @kind, @client_id, @practitioner_id, @other_id, 0, @now, @now)
ON CONFLICT DO NOTHING;

-- name: Conversation :one
SELECT practice_id, id, kind, client_id, practitioner_id, other_id, last_seq, last_at, created_at, changes
FROM conversation WHERE practice_id = @practice_id AND id = @id;

-- Whoever writes holds the conversation: its messages come one after the other.
-- name: HoldConversation :one
SELECT practice_id, id, kind, client_id, practitioner_id, other_id, last_seq, last_at, created_at, changes
FROM conversation WHERE practice_id = @practice_id AND id = @id FOR UPDATE;

-- The next number of a change, by who then holds the conversation: of two, the
-- second waits until the first is stored.
-- name: NextChange :one
UPDATE conversation SET changes = changes + 1 WHERE practice_id = @practice_id AND id = @id RETURNING changes;

-- name: WithClient :one
SELECT id FROM conversation WHERE practice_id = @practice_id AND client_id = @client_id AND practitioner_id = @practitioner_id AND kind = 'client';

-- name: WithTeam :one
SELECT id FROM conversation WHERE practice_id = @practice_id AND client_id = @client_id AND kind = 'team';

-- name: WithColleague :one
SELECT id FROM conversation WHERE practice_id = @practice_id AND practitioner_id = @practitioner_id AND other_id = @other_id AND kind = 'colleagues';

-- name: OfClient :many
SELECT c.practice_id, c.id, c.kind, c.client_id, c.practitioner_id, c.other_id, c.last_seq, c.last_at, c.created_at,
  CAST(COALESCE(r.seq, 0) AS BIGINT) AS read_seq, CAST(COALESCE(r.archived_seq, 0) AS BIGINT) AS archived_seq
FROM conversation c LEFT JOIN reading r ON r.practice_id = c.practice_id AND r.conversation_id = c.id AND r.reader_id = @reader_id
WHERE c.practice_id = @practice_id AND c.client_id = @client_id ORDER BY c.last_at DESC, c.id LIMIT 200;

-- Those a member is in: their own with clients and colleagues, and those of the
-- teams of whoever they look after. Three walks, each by its index.
-- name: OfMember :many
SELECT c.practice_id, c.id, c.kind, c.client_id, c.practitioner_id, c.other_id, c.last_seq, c.last_at, c.created_at,
  CAST(COALESCE(r.seq, 0) AS BIGINT) AS read_seq, CAST(COALESCE(r.archived_seq, 0) AS BIGINT) AS archived_seq
FROM conversation c LEFT JOIN reading r ON r.practice_id = c.practice_id AND r.conversation_id = c.id AND r.reader_id = @reader_id
WHERE c.practice_id = @practice_id AND c.last_seq > 0 AND c.id IN (
  SELECT a.id FROM conversation a WHERE a.practice_id = @practice_id AND a.practitioner_id = @practitioner_id
  UNION ALL SELECT b.id FROM conversation b WHERE b.practice_id = @practice_id AND b.other_id = @practitioner_id
  UNION ALL SELECT d.id FROM client k JOIN conversation d ON d.practice_id = k.practice_id AND d.client_id = k.id
    WHERE k.practice_id = @practice_id AND k.practitioner_id = @practitioner_id AND k.account_id IS NOT NULL AND d.kind = 'team'
  UNION ALL SELECT e.id FROM care_team t JOIN conversation e ON e.practice_id = t.practice_id AND e.client_id = t.client_id
    WHERE t.practice_id = @practice_id AND t.practitioner_id = @practitioner_id AND e.kind = 'team')
ORDER BY c.last_at DESC, c.id LIMIT 500;

-- name: Carer :one
SELECT practitioner_id, account_id, ends_at FROM client WHERE practice_id = @practice_id AND id = @id;

-- Of several clients at once.
-- name: Carers :many
SELECT id, practitioner_id, account_id, ends_at FROM client
WHERE practice_id = @practice_id AND id IN (SELECT value FROM json_each(CAST(@ids AS TEXT)));

-- Those at work who look after a client now.
-- name: Listeners :many
SELECT p.id FROM client k JOIN practitioner p ON p.practice_id = k.practice_id AND p.id = k.practitioner_id
WHERE k.practice_id = @practice_id AND k.id = @client_id AND p.active
UNION SELECT p.id FROM care_team t JOIN practitioner p ON p.practice_id = t.practice_id AND p.id = t.practitioner_id
WHERE t.practice_id = @practice_id AND t.client_id = @client_id AND (t.ends_at IS NULL OR t.ends_at > @now) AND p.active;

-- name: AtWork :many
SELECT id FROM practitioner WHERE practice_id = @practice_id AND id IN (@one, @other) AND active;

-- name: CareTeam :many
SELECT practitioner_id FROM care_team WHERE practice_id = @practice_id AND client_id = @client_id AND (ends_at IS NULL OR ends_at > @now);

-- name: MessageByID :one
SELECT conversation_id, seq, author_id, body, sent_at, edited_at, taken_at, files FROM message WHERE practice_id = @practice_id AND id = @id;

-- Nothing, if a message with this identifier is there.
-- name: AddMessage :execrows
INSERT INTO message (practice_id, conversation_id, seq, id, author_id, body, sent_at, files)
VALUES (@practice_id, @conversation_id, @seq, @id, @author_id, @body, @sent_at, @files)
ON CONFLICT (practice_id, id) DO NOTHING;

-- name: MoveConversation :exec
UPDATE conversation SET last_seq = @seq, last_at = @now WHERE practice_id = @practice_id AND id = @id;

-- name: Before :many
SELECT seq, id, author_id, body, sent_at, edited_at, taken_at, files, change FROM message
WHERE practice_id = @practice_id AND conversation_id = @conversation_id AND seq < @seq ORDER BY seq DESC LIMIT @most;

-- name: After :many
SELECT seq, id, author_id, body, sent_at, edited_at, taken_at, files, change FROM message
WHERE practice_id = @practice_id AND conversation_id = @conversation_id AND seq > @seq ORDER BY seq LIMIT @most;

-- Those that were changed or taken back, or of which a file was scanned or copied,
-- after a change that is known.
-- name: ChangedSince :many
SELECT m.seq, m.id, m.author_id, m.body, m.sent_at, m.edited_at, m.taken_at, m.files, m.change FROM message m
WHERE m.practice_id = @practice_id AND m.conversation_id = @conversation_id AND m.seq > @seq AND m.seq <= @until
  AND m.change > 0 AND m.change > @since
ORDER BY m.seq;

-- Of somebody's own messages, those of which there is something to see.
-- name: Own :many
SELECT seq, change, edited_at FROM message
WHERE practice_id = @practice_id AND conversation_id = @conversation_id AND seq > @seq AND author_id = @author_id AND taken_at IS NULL ORDER BY seq DESC;

-- Within the minutes in which one may: the clock is the transaction's.
-- name: EditMessage :execrows
UPDATE message SET body = @body, edited_at = @now, change = @change
WHERE practice_id = @practice_id AND id = @id AND author_id = @author_id AND sent_at > @since AND taken_at IS NULL;

-- name: TakeBackMessage :execrows
UPDATE message SET body = @body, taken_at = @now, change = @change
WHERE practice_id = @practice_id AND id = @id AND author_id = @author_id AND sent_at > @since AND taken_at IS NULL;

-- name: MarkChanged :exec
UPDATE message SET change = @change WHERE practice_id = @practice_id AND id = @id;

-- name: KeepBefore :exec
INSERT INTO message_before (practice_id, message_id, until, body) VALUES (@practice_id, @message_id, @until, @body)
ON CONFLICT DO NOTHING;

-- Never back: what was read stays read.
-- name: MarkRead :exec
INSERT INTO reading (practice_id, conversation_id, reader_id, seq, read_at, change, change_at, archived_seq, told_seq)
VALUES (@practice_id, @conversation_id, @reader_id, @seq, @now, @change, @now, 0, 0)
ON CONFLICT (practice_id, conversation_id, reader_id) DO UPDATE SET
  seq = CASE WHEN reading.seq < excluded.seq THEN excluded.seq ELSE reading.seq END,
  read_at = CASE WHEN reading.seq < excluded.seq THEN excluded.read_at ELSE reading.read_at END,
  change = CASE WHEN reading.change < excluded.change THEN excluded.change ELSE reading.change END,
  change_at = CASE WHEN reading.change < excluded.change THEN excluded.change_at ELSE reading.change_at END
WHERE reading.seq < excluded.seq OR reading.change < excluded.change;

-- Whoever has answered has read up to there; if they had read all before, they did
-- so then, and not now. What they had begun may be more than what they sent.
-- name: MarkAnswered :one
INSERT INTO reading (practice_id, conversation_id, reader_id, seq, read_at, archived_seq, told_seq)
VALUES (@practice_id, @conversation_id, @reader_id, @seq, @now, 0, 0)
ON CONFLICT (practice_id, conversation_id, reader_id) DO UPDATE SET seq = excluded.seq,
  read_at = CASE WHEN reading.seq + 1 >= excluded.seq AND reading.read_at IS NOT NULL THEN reading.read_at ELSE excluded.read_at END
RETURNING draft;

-- name: Readings :many
SELECT reader_id, seq, read_at, change, change_at FROM reading WHERE practice_id = @practice_id AND conversation_id = @conversation_id LIMIT 200;

-- name: ReadingOf :one
SELECT seq, read_at, change, archived_seq, told_seq, draft FROM reading
WHERE practice_id = @practice_id AND conversation_id = @conversation_id AND reader_id = @reader_id;

-- name: SetArchived :exec
INSERT INTO reading (practice_id, conversation_id, reader_id, seq, archived_seq, told_seq)
VALUES (@practice_id, @conversation_id, @reader_id, 0, @archived_seq, 0)
ON CONFLICT (practice_id, conversation_id, reader_id) DO UPDATE SET archived_seq = excluded.archived_seq;

-- Not before what the same page has sent later.
-- name: SetDraft :exec
INSERT INTO reading (practice_id, conversation_id, reader_id, seq, archived_seq, told_seq, draft, draft_page, draft_number)
VALUES (@practice_id, @conversation_id, @reader_id, 0, 0, 0, @draft, @draft_page, @draft_number)
ON CONFLICT (practice_id, conversation_id, reader_id) DO UPDATE SET draft = excluded.draft, draft_page = excluded.draft_page, draft_number = excluded.draft_number
WHERE reading.draft_page IS NULL OR excluded.draft_page IS NULL OR reading.draft_page <> excluded.draft_page OR reading.draft_number < excluded.draft_number;

-- name: ChangeDraft :exec
UPDATE reading SET draft = @draft WHERE practice_id = @practice_id AND conversation_id = @conversation_id AND reader_id = @reader_id;

-- A letter tells of what is new once: whoever moves this mark sends it.
-- name: MarkTold :execrows
INSERT INTO reading (practice_id, conversation_id, reader_id, seq, archived_seq, told_seq)
VALUES (@practice_id, @conversation_id, @reader_id, 0, 0, @told_seq)
ON CONFLICT (practice_id, conversation_id, reader_id) DO UPDATE SET told_seq = excluded.told_seq WHERE reading.told_seq < excluded.told_seq;

-- name: Choice :one
SELECT hides_seen, shows_here, letters, quiet_from, quiet_until FROM chat_choice WHERE practice_id = @practice_id AND reader_id = @reader_id;

-- name: Hiding :many
SELECT reader_id FROM chat_choice WHERE practice_id = @practice_id AND hides_seen AND reader_id IN (SELECT value FROM json_each(CAST(@ids AS TEXT)));

-- name: Showing :many
SELECT reader_id FROM chat_choice WHERE practice_id = @practice_id AND shows_here AND reader_id IN (SELECT value FROM json_each(CAST(@ids AS TEXT)));

-- name: SetChoice :exec
INSERT INTO chat_choice (practice_id, reader_id, hides_seen, shows_here, letters, quiet_from, quiet_until)
VALUES (@practice_id, @reader_id, @hides_seen, @shows_here, @letters, @quiet_from, @quiet_until)
ON CONFLICT (practice_id, reader_id) DO UPDATE SET hides_seen = excluded.hides_seen, shows_here = excluded.shows_here, letters = excluded.letters, quiet_from = excluded.quiet_from, quiet_until = excluded.quiet_until;

-- name: ReplyTime :one
SELECT reply_time FROM chat_practice WHERE practice_id = @practice_id;

-- name: SetReplyTime :exec
INSERT INTO chat_practice (practice_id, reply_time) VALUES (@practice_id, @reply_time)
ON CONFLICT (practice_id) DO UPDATE SET reply_time = excluded.reply_time;

-- name: Closed :one
SELECT closed_at FROM chat_closed WHERE practice_id = @practice_id AND client_id = @client_id;

-- name: CloseFor :execrows
INSERT INTO chat_closed (practice_id, client_id, closed_at) VALUES (@practice_id, @client_id, @now) ON CONFLICT DO NOTHING;

-- name: OpenFor :execrows
DELETE FROM chat_closed WHERE practice_id = @practice_id AND client_id = @client_id;

-- name: AddAway :exec
INSERT INTO away (practice_id, id, practitioner_id, begins_at, ends_at, words) VALUES (@practice_id, @id, @practitioner_id, @begins_at, @ends_at, @words);

-- name: EndAway :execrows
UPDATE away SET ended_at = @now WHERE practice_id = @practice_id AND practitioner_id = @practitioner_id AND id = @id AND ended_at IS NULL;

-- name: Aways :many
SELECT id, begins_at, ends_at, words FROM away
WHERE practice_id = @practice_id AND practitioner_id = @practitioner_id AND ends_at > @now AND ended_at IS NULL ORDER BY begins_at, id LIMIT 50;

-- name: AwayNow :one
SELECT id, begins_at, ends_at, words FROM away
WHERE practice_id = @practice_id AND practitioner_id = @practitioner_id AND begins_at <= @now AND ends_at > @now AND ended_at IS NULL ORDER BY ends_at DESC, id LIMIT 1;

-- Once for each absence in each thread.
-- name: AnswerOnce :execrows
INSERT INTO away_answer (practice_id, away_id, conversation_id) VALUES (@practice_id, @away_id, @conversation_id) ON CONFLICT DO NOTHING;

-- name: ResealMessages :many
SELECT m.conversation_id, m.seq, m.id, m.body, c.kind, c.client_id FROM message m JOIN conversation c ON c.practice_id = m.practice_id AND c.id = m.conversation_id
WHERE m.practice_id = @practice_id AND m.id > @after ORDER BY m.id LIMIT 500;

-- name: ResealedMessage :exec
UPDATE message SET body = @body WHERE practice_id = @practice_id AND id = @id;

-- name: BeforeOf :many
SELECT until, body FROM message_before WHERE practice_id = @practice_id AND message_id = @message_id ORDER BY until;

-- name: ResealedBefore :exec
UPDATE message_before SET body = @body WHERE practice_id = @practice_id AND message_id = @message_id AND until = @until;

-- name: ResealDrafts :many
SELECT r.conversation_id, r.reader_id, r.draft, c.kind, c.client_id FROM reading r JOIN conversation c ON c.practice_id = r.practice_id AND c.id = r.conversation_id
WHERE r.practice_id = @practice_id AND r.draft IS NOT NULL;

-- name: ResealAways :many
SELECT id, words FROM away WHERE practice_id = @practice_id;

-- name: ResealedAway :exec
UPDATE away SET words = @words WHERE practice_id = @practice_id AND id = @id;

-- name: AddFile :execrows
INSERT INTO attachment (practice_id, id, conversation_id, place, author_id, state, type, size, name, blob, key, width, height, created_at)
VALUES (@practice_id, @id, @conversation_id, 0, @author_id, @state, @type, @size, @name, @blob, @key, 0, 0, @now)
ON CONFLICT DO NOTHING;

-- name: FileByID :one
SELECT conversation_id, message_id, author_id, state, type, size, name, blob, key, small, small_key, width, height
FROM attachment WHERE practice_id = @practice_id AND id = @id;

-- name: FilesOf :many
SELECT id, message_id, state, type, size, name, width, height FROM attachment
WHERE practice_id = @practice_id AND message_id IN (SELECT value FROM json_each(CAST(@ids AS TEXT))) ORDER BY message_id, place;

-- What somebody has begun to attach in a conversation and not sent.
-- name: UnsentIn :many
SELECT id, state, type, size, name, width, height FROM attachment
WHERE practice_id = @practice_id AND author_id = @author_id AND conversation_id = @conversation_id AND message_id IS NULL AND state <> 'arriving' ORDER BY created_at, id LIMIT 100;

-- How much somebody has begun to send, anywhere.
-- name: Unsent :one
SELECT COUNT(*) AS files, CAST(COALESCE(SUM(size), 0) AS BIGINT) AS bytes FROM attachment
WHERE practice_id = @practice_id AND author_id = @author_id AND message_id IS NULL;

-- name: FileArrived :execrows
UPDATE attachment SET state = @state, type = @type, name = @name
WHERE practice_id = @practice_id AND id = @id AND state = 'arriving';

-- Once, and only its author's; not one in which something was found.
-- name: AttachFile :execrows
UPDATE attachment SET message_id = @message_id, place = @place
WHERE practice_id = @practice_id AND id = @id AND conversation_id = @conversation_id AND author_id = @author_id
  AND message_id IS NULL AND state IN ('checking', 'copying', 'ready');

-- name: MoveFile :one
UPDATE attachment SET state = @state WHERE practice_id = @practice_id AND id = @id AND state = @was RETURNING message_id;

-- The copy stands in for what came: the key of that goes with this.
-- name: FileCopied :one
UPDATE attachment SET state = 'ready', type = @type, size = @size, name = @name, blob = @blob, key = @key, small = @small, small_key = @small_key, width = @width, height = @height
WHERE practice_id = @practice_id AND id = @id AND state = 'copying' RETURNING message_id;

-- name: DropFile :one
DELETE FROM attachment WHERE practice_id = @practice_id AND id = @id AND conversation_id = @conversation_id AND author_id = @author_id AND message_id IS NULL
RETURNING blob, small;

-- name: DropStale :many
DELETE FROM attachment WHERE message_id IS NULL AND created_at < @before RETURNING blob, small;

-- Which of these files are somebody's.
-- name: Kept :many
SELECT a.blob AS name FROM attachment a WHERE a.blob IN (SELECT value FROM json_each(CAST(@names AS TEXT)))
UNION ALL
SELECT CAST(b.small AS TEXT) AS name FROM attachment b WHERE b.small IN (SELECT value FROM json_each(CAST(@names AS TEXT)));

-- name: ResealFiles :many
SELECT a.id, a.conversation_id, a.name, a.key, a.small_key, c.client_id FROM attachment a JOIN conversation c ON c.practice_id = a.practice_id AND c.id = a.conversation_id
WHERE a.practice_id = @practice_id AND a.id > @after ORDER BY a.id LIMIT 500;

-- name: ResealedFile :exec
UPDATE attachment SET name = @name, key = @key, small_key = @small_key WHERE practice_id = @practice_id AND id = @id;
