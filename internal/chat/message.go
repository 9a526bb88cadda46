package chat

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"icouch/internal/access"
	"icouch/internal/audit"
	"icouch/internal/base/at"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/text"
	"icouch/internal/chat/chatdb"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
)

// Most is the most characters of a message.
const Most = 10_000

// Regret is for how long one's own message can be changed or taken back.
const Regret = 5 * time.Minute

// Message is one message of a conversation.
type Message struct {
	ID       id.Message
	Seq      int64 // its place: 1, 2, 3 …
	Author   string
	Mine     bool
	Change   int64  // the number of its last change
	Body     string // empty: it was taken back, or is nothing but files
	Files    []File // none of one that was taken back
	SentAt   at.Time
	EditedAt *at.Time
	TakenAt  *at.Time
}

// Automatic reports whether the practice answered by itself.
func (m Message) Automatic() bool { return m.Author == "" }

// May reports whether its author may still change it or take it back.
func (m Message) May(now at.Time) bool {
	return m.Mine && m.TakenAt == nil && m.SentAt.Add(Regret).After(now.Time)
}

// Send writes a message. The identifier is the page's: if the message is there
// already, because an answer was lost on the way, it is returned as it stands.
// With it go files that by has attached in the conversation and not sent yet.
func Send(tx *db.Tx, by access.Actor, conversation id.Conversation, m id.Message, body string, files ...id.Attachment) (Message, error) {
	c, err := hold(tx, by, conversation)
	if err != nil {
		return Message{}, err
	}
	if c.Former {
		return Message{}, ErrFormer
	}
	if !c.Writes {
		return Message{}, ErrOnlyReads
	}
	if !c.Reaches {
		return Message{}, ErrUnreached
	}
	if files, err = once(files); err != nil {
		return Message{}, err
	}
	if body, err = read10k(body); err != nil && (len(files) == 0 || !errors.Is(err, ErrEmpty)) {
		return Message{}, err
	}
	sent, is, err := c.add(tx, m, c.reader, body, len(files))
	if err != nil {
		return Message{}, err
	}
	if !is {
		return c.again(tx, by, m, body, files)
	}
	if err := c.attach(tx, m, files); err != nil {
		return Message{}, err
	}
	if err := c.answered(tx, sent); err != nil {
		return Message{}, err
	}
	all, err := c.parties(tx)
	if err != nil {
		return Message{}, err
	}
	if err := c.answerFor(tx, by, all); err != nil {
		return Message{}, err
	}
	for _, who := range append(all, "") {
		tx.Notify(Topic(c.practice, who, c.ID))
		if who != "" && who != c.reader {
			if err := tellLater(tx, c, who); err != nil {
				return Message{}, err
			}
		}
	}
	d := audit.Deed{Did: audit.MessageSent, Subject: m, Client: c.Client}
	if len(files) > 0 {
		d.Fields = []string{"files"}
	}
	return sent, audit.Record(tx, by, d)
}

// again returns a message that is there already, to its author, if it is what
// was sent: from a page that was opened twice, or left and gone back to, other
// words come under its identifier, and would be lost if they were taken for it.
func (c Conversation) again(tx *db.Tx, by access.Actor, m id.Message, body string, files []id.Attachment) (Message, error) {
	was, err := SQL.In(tx).MessageByID(tx, chatdb.MessageByIDParams{PracticeID: c.practice, ID: m})
	if err != nil {
		return Message{}, fmt.Errorf("message %s: %w", m, err)
	}
	if was.ConversationID != c.ID || was.AuthorID != c.reader {
		return Message{}, ErrSentBefore
	}
	key, err := c.key(tx)
	if err != nil {
		return Message{}, err
	}
	is, err := c.open(key, chatdb.AfterRow{Seq: was.Seq, ID: m, AuthorID: was.AuthorID, Body: was.Body, SentAt: was.SentAt, EditedAt: was.EditedAt, TakenAt: was.TakenAt, Files: was.Files})
	if err != nil {
		return Message{}, err
	}
	first, err := c.firstWords(tx, key, is)
	if err != nil {
		return Message{}, err
	}
	with, err := c.sentWith(tx, m)
	if err != nil {
		return Message{}, err
	}
	switch {
	case first == body && slices.Equal(with, files):
		return is, audit.Record(tx, by, audit.Deed{Did: audit.MessageSentAgain, Subject: m, Client: c.Client})
	case slices.ContainsFunc(files, func(f id.Attachment) bool { return slices.Contains(with, f) }):
		return Message{}, ErrSentFiles
	}
	return Message{}, ErrSentOther
}

// firstWords are what a message said as it was sent, whatever was made of it since.
func (c Conversation) firstWords(tx *db.Tx, key *crypt.Key, m Message) (string, error) {
	if m.EditedAt == nil && m.TakenAt == nil {
		return m.Body, nil
	}
	before, err := SQL.In(tx).BeforeOf(tx, chatdb.BeforeOfParams{PracticeID: c.practice, MessageID: m.ID})
	if err != nil {
		return "", fmt.Errorf("message %s: %w", m.ID, err)
	}
	if len(before) == 0 {
		return "", fmt.Errorf("message %s: nothing is kept of what it said", m.ID)
	}
	return key.Open(before[0].Body, beforePlace(c.practice, m.ID))
}

// add appends a message to a conversation that tx holds, and reports whether it
// did: not if there is a message with its identifier.
func (c *Conversation) add(tx *db.Tx, m id.Message, author, body string, files int) (sent Message, is bool, err error) {
	key, err := c.key(tx)
	if err != nil {
		return sent, false, err
	}
	sealed, err := key.Seal(body, bodyPlace(c.practice, m))
	if err != nil {
		return sent, false, err
	}
	sent = Message{ID: m, Seq: c.Messages + 1, Author: author, Mine: author == c.reader, Body: body, SentAt: tx.Now()}
	n, err := SQL.In(tx).AddMessage(tx, chatdb.AddMessageParams{PracticeID: c.practice, ConversationID: c.ID, Seq: sent.Seq, ID: m, AuthorID: author, Body: sealed, SentAt: tx.Now(), Files: int64(files)})
	if err != nil {
		return sent, false, fmt.Errorf("message %s: %w", m, err)
	}
	if n == 0 {
		return sent, false, nil
	}
	c.Messages = sent.Seq
	if err := SQL.In(tx).MoveConversation(tx, chatdb.MoveConversationParams{Seq: c.Messages, Now: tx.Now(), PracticeID: c.practice, ID: c.ID}); err != nil {
		return sent, false, fmt.Errorf("message %s: %w", m, err)
	}
	return sent, true, nil
}

// read10k is a message's text as it is kept: as it was typed, line by line.
func read10k(body string) (string, error) {
	body, err := text.Block(body, Most)
	if err != nil {
		return "", fault.At("body", err)
	}
	if body == "" {
		return "", ErrEmpty
	}
	return body, nil
}

// Edit changes one's own message.
func Edit(tx *db.Tx, by access.Actor, conversation id.Conversation, m id.Message, body string) error {
	body, err := read10k(body)
	if err != nil {
		return err
	}
	return change(tx, by, conversation, m, body)
}

// TakeBack takes one's own message back: everybody sees that there was one.
func TakeBack(tx *db.Tx, by access.Actor, conversation id.Conversation, m id.Message) error {
	return change(tx, by, conversation, m, "")
}

func change(tx *db.Tx, by access.Actor, conversation id.Conversation, m id.Message, body string) error {
	c, err := hold(tx, by, conversation)
	if err != nil {
		return err
	}
	was, err := SQL.In(tx).MessageByID(tx, chatdb.MessageByIDParams{PracticeID: c.practice, ID: m})
	if errors.Is(err, db.None) || err == nil && (was.ConversationID != c.ID || was.AuthorID != c.reader) {
		return fault.NotFound // nobody's but one's own
	}
	if err != nil {
		return fmt.Errorf("message %s: %w", m, err)
	}
	if was.TakenAt != nil {
		return ErrTaken
	}
	if !c.Writes {
		return ErrOnlyReads
	}
	key, err := c.key(tx)
	if err != nil {
		return err
	}
	sealed, err := key.Seal(body, bodyPlace(c.practice, m))
	if err != nil {
		return err
	}
	number, err := c.nextChange(tx)
	if err != nil {
		return err
	}
	since := at.Of(tx.Now().Add(-Regret))
	var n int64
	did := audit.MessageEdited
	if body != "" {
		n, err = SQL.In(tx).EditMessage(tx, chatdb.EditMessageParams{Body: sealed, Now: tx.Now().Ptr(), Change: number, PracticeID: c.practice, ID: m, AuthorID: c.reader, Since: since})
	} else {
		did = audit.MessageTakenBack
		n, err = SQL.In(tx).TakeBackMessage(tx, chatdb.TakeBackMessageParams{Body: sealed, Now: tx.Now().Ptr(), Change: number, PracticeID: c.practice, ID: m, AuthorID: c.reader, Since: since})
	}
	if err != nil {
		return fmt.Errorf("change message %s: %w", m, err)
	}
	if n == 0 {
		return ErrTooLate
	}
	if err := c.keepBefore(tx, key, m, was.Body); err != nil {
		return err
	}
	if err := c.tell(tx); err != nil {
		return err
	}
	return audit.Record(tx, by, audit.Deed{Did: did, Subject: m, Client: c.Client})
}

// nextChange is the number of a change, by which open pages find it. Who takes
// one holds the conversation until the end of tx.
func (c Conversation) nextChange(tx *db.Tx) (int64, error) {
	n, err := SQL.In(tx).NextChange(tx, chatdb.NextChangeParams{PracticeID: c.practice, ID: c.ID})
	if err != nil {
		return 0, fmt.Errorf("change in %s: %w", c.ID, err)
	}
	return n, nil
}

// keepBefore keeps what a message said, sealed for another place: what stands
// there opens as nothing else.
func (c Conversation) keepBefore(tx *db.Tx, key *crypt.Key, m id.Message, was crypt.Sealed) error {
	open, err := key.Open(was, bodyPlace(c.practice, m))
	if err != nil {
		return err
	}
	sealed, err := key.Seal(open, beforePlace(c.practice, m))
	if err != nil {
		return err
	}
	if err := SQL.In(tx).KeepBefore(tx, chatdb.KeepBeforeParams{PracticeID: c.practice, MessageID: m, Until: tx.Now(), Body: sealed}); err != nil {
		return fmt.Errorf("change message %s: %w", m, err)
	}
	return nil
}

// Page is how many messages are shown at once.
const Page = 50

// Before returns the messages before a place, in order: those just before it.
// Zero is the end.
func Before(tx *db.Tx, by access.Actor, c Conversation, seq int64) ([]Message, error) {
	if seq <= 0 {
		seq = c.Messages + 1
	}
	rows, err := SQL.In(tx).Before(tx, chatdb.BeforeParams{PracticeID: c.practice, ConversationID: c.ID, Seq: seq, Most: Page})
	if err != nil {
		return nil, fmt.Errorf("messages of %s: %w", c.ID, err)
	}
	slices.Reverse(rows)
	after := make([]chatdb.AfterRow, len(rows))
	for i, r := range rows {
		after[i] = chatdb.AfterRow(r)
	}
	return c.openAll(tx, by, after)
}

// After returns the messages after a place, at most so many.
func After(tx *db.Tx, by access.Actor, c Conversation, seq int64, most int32) ([]Message, error) {
	rows, err := c.after(tx, seq, most)
	if err != nil {
		return nil, err
	}
	return c.openAll(tx, by, rows)
}

func (c Conversation) after(tx *db.Tx, seq int64, most int32) ([]chatdb.AfterRow, error) {
	rows, err := SQL.In(tx).After(tx, chatdb.AfterParams{PracticeID: c.practice, ConversationID: c.ID, Seq: seq, Most: most})
	if err != nil {
		return nil, fmt.Errorf("messages of %s: %w", c.ID, err)
	}
	return rows, nil
}

// last is the newest message, of which a list shows the first words.
func (c Conversation) last(tx *db.Tx, by access.Actor) (*Message, error) {
	rows, err := c.after(tx, c.Messages-1, 1)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	c.sawPart(tx, by, audit.Excerpt)
	all, err := c.read(tx, rows)
	if err != nil {
		return nil, err
	}
	return &all[0], nil
}

// Changed returns the messages between two places that were changed or taken
// back, or of which a file was, after so many changes.
func Changed(tx *db.Tx, by access.Actor, c Conversation, after, until, since int64) ([]Message, error) {
	rows, err := SQL.In(tx).ChangedSince(tx, chatdb.ChangedSinceParams{PracticeID: c.practice, ConversationID: c.ID, Seq: after, Until: until, Since: since})
	if err != nil {
		return nil, fmt.Errorf("messages of %s: %w", c.ID, err)
	}
	all := make([]chatdb.AfterRow, len(rows))
	for i, r := range rows {
		all[i] = chatdb.AfterRow(r)
	}
	return c.openAll(tx, by, all)
}

func (c Conversation) openAll(tx *db.Tx, by access.Actor, rows []chatdb.AfterRow) ([]Message, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	c.saw(tx, by)
	return c.read(tx, rows)
}

func (c Conversation) read(tx *db.Tx, rows []chatdb.AfterRow) ([]Message, error) {
	key, err := c.key(tx)
	if err != nil {
		return nil, err
	}
	files, err := c.filesOf(tx, key, rows)
	if err != nil {
		return nil, err
	}
	all := make([]Message, len(rows))
	for i, r := range rows {
		if all[i], err = c.open(key, r); err != nil {
			return nil, err
		}
		all[i].Files = files[r.ID]
	}
	return all, nil
}

func (c Conversation) open(key *crypt.Key, r chatdb.AfterRow) (Message, error) {
	body, err := key.Open(r.Body, bodyPlace(c.practice, r.ID))
	return Message{ID: r.ID, Seq: r.Seq, Author: r.AuthorID, Mine: r.AuthorID == c.reader, Change: r.Change, Body: body, SentAt: r.SentAt, EditedAt: r.EditedAt, TakenAt: r.TakenAt}, err
}

func bodyPlace(p id.Practice, m id.Message) string   { return crypt.Place("message.body", p, m) }
func beforePlace(p id.Practice, m id.Message) string { return crypt.Place("message_before.body", p, m) }
