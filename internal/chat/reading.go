package chat

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

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

// How far somebody has read, and what they have begun to write, is no event of
// the record: it leaves no line in the trail, as a session's last use leaves
// none. That they looked is there already.

// Read notes that by has read a conversation up to a place, as it was after so
// many changes. It never goes back.
func Read(ctx context.Context, d *db.DB, by access.Actor, conversation id.Conversation, seq, change int64) error {
	return d.Maintain(ctx, func(tx *db.Tx) error {
		c, err := Find(tx, by, conversation)
		if err != nil || !c.Writes { // who only reads is not one of those who see "Seen"
			return err
		}
		if err := c.mark(tx, min(seq, c.Messages), min(change, c.Changes)); err != nil {
			return err
		}
		return c.tell(tx)
	})
}

func (c Conversation) mark(tx *db.Tx, seq, change int64) error {
	err := SQL.In(tx).MarkRead(tx, chatdb.MarkReadParams{PracticeID: c.practice, ConversationID: c.ID, ReaderID: c.reader, Seq: seq, Change: change, Now: tx.Now().Ptr()})
	if err != nil {
		return fmt.Errorf("read %s: %w", c.ID, err)
	}
	return nil
}

// Seen is how far somebody else has read.
type Seen struct {
	Reader string
	Seq    int64
	At     at.Time // when they came so far; zero: it is not known

	change   int64 // how many changes they have seen
	changeAt at.Time
}

// SeenBy returns how far the others in a conversation have read: of those who
// let it be seen, and to nobody who does not let it be seen of themselves.
func SeenBy(tx *db.Tx, c Conversation) (all []Seen, err error) {
	rows, err := SQL.In(tx).Readings(tx, chatdb.ReadingsParams{PracticeID: c.practice, ConversationID: c.ID})
	if err != nil {
		return nil, fmt.Errorf("who read %s: %w", c.ID, err)
	}
	who := []string{c.reader}
	for _, r := range rows {
		who = append(who, r.ReaderID)
	}
	ids, err := list(who)
	if err != nil {
		return nil, err
	}
	hiding, err := SQL.In(tx).Hiding(tx, chatdb.HidingParams{PracticeID: c.practice, Ids: ids})
	if err != nil {
		return nil, fmt.Errorf("who read %s: %w", c.ID, err)
	}
	if slices.Contains(hiding, c.reader) {
		return nil, nil
	}
	for _, r := range rows {
		if r.ReaderID != c.reader && r.Seq > 0 && r.ReadAt != nil && !slices.Contains(hiding, r.ReaderID) {
			s := Seen{Reader: r.ReaderID, Seq: r.Seq, At: *r.ReadAt, change: r.Change}
			if r.ChangeAt != nil {
				s.changeAt = *r.ChangeAt
			}
			all = append(all, s)
		}
	}
	return all, nil
}

// LastSeen returns the place of one's own newest message that somebody else has
// seen as it stands, and who. Of what lies further back than a page, it says nothing.
func LastSeen(tx *db.Tx, c Conversation) (seq int64, who []Seen, err error) {
	all, err := SeenBy(tx, c)
	if err != nil || len(all) == 0 {
		return 0, nil, err
	}
	own, err := SQL.In(tx).Own(tx, chatdb.OwnParams{PracticeID: c.practice, ConversationID: c.ID, AuthorID: c.reader, Seq: c.Messages - Page})
	if err != nil {
		return 0, nil, fmt.Errorf("who read %s: %w", c.ID, err)
	}
	for _, m := range own {
		for _, s := range all {
			if s, is := s.of(m); is {
				who = append(who, s)
			}
		}
		if len(who) > 0 {
			return m.Seq, who, nil
		}
	}
	return 0, nil, nil
}

// of reports whether somebody has seen a message as it stands. When they saw a
// change is known of the last one alone.
func (s Seen) of(m chatdb.OwnRow) (Seen, bool) {
	if m.EditedAt == nil || s.Seq < m.Seq {
		return s, s.Seq >= m.Seq
	}
	if s.changeAt.After(s.At.Time) {
		if s.At = s.changeAt; s.change > m.Change {
			s.At = at.Time{}
		}
	}
	return s, s.change >= m.Change
}

// Place is how far the reader of a conversation has come in it.
type Place struct {
	Read     int64 // the messages up to here
	Changes  int64 // and so many changes
	Draft    string
	Archived bool
}

// PlaceOf returns how far by has come in a conversation.
func PlaceOf(tx *db.Tx, c Conversation) (Place, error) {
	r, err := SQL.In(tx).ReadingOf(tx, chatdb.ReadingOfParams{PracticeID: c.practice, ConversationID: c.ID, ReaderID: c.reader})
	if errors.Is(err, db.None) {
		return Place{}, nil
	}
	if err != nil {
		return Place{}, fmt.Errorf("place in %s: %w", c.ID, err)
	}
	p := Place{Read: r.Seq, Changes: r.Change, Archived: r.ArchivedSeq > 0 && r.ArchivedSeq >= c.Messages}
	if r.Draft == nil {
		return p, nil
	}
	key, err := c.key(tx)
	if err != nil {
		return p, err
	}
	p.Draft, err = key.Open(r.Draft, draftPlace(c.practice, c.ID, c.reader))
	return p, err
}

// mostBegun is the most characters of what is begun: what is too long for one
// message is not lost while it is made shorter, and several may wait. Of what is
// longer the beginning is kept.
const mostBegun = 3 * Most

// Waiting is a message that a page has tried to send, and has no answer to.
type Waiting struct {
	ID    id.Message
	Words string
}

// Begun is what somebody has begun to write, as a page has it.
type Begun struct {
	Body   string
	Waits  []Waiting
	Page   string // which page; "": it does not say
	Number int64  // rises with everything that this page sends to be kept
}

// KeepDraft keeps what by has begun to write. Nothing keeps nothing. What waits is
// kept before it, but for what has arrived: it would be sent twice. What comes after
// something newer of the same page is not kept.
func KeepDraft(ctx context.Context, d *db.DB, by access.Actor, conversation id.Conversation, b Begun) error {
	return d.Maintain(ctx, func(tx *db.Tx) error {
		c, err := hold(tx, by, conversation) // what waits does not arrive between the look and the draft
		if err != nil {
			return err
		}
		if !c.Writes {
			return ErrOnlyReads
		}
		body, err := c.withWaiting(tx, b.Body, b.Waits)
		if err != nil {
			return err
		}
		sealed, err := c.sealDraft(tx, body)
		if err != nil {
			return err
		}
		p := chatdb.SetDraftParams{PracticeID: c.practice, ConversationID: c.ID, ReaderID: c.reader, Draft: sealed}
		if b.Page != "" {
			p.DraftPage, p.DraftNumber = &b.Page, &b.Number
		}
		if err := SQL.In(tx).SetDraft(tx, p); err != nil {
			return fmt.Errorf("draft in %s: %w", c.ID, err)
		}
		return nil
	})
}

func (c Conversation) sealDraft(tx *db.Tx, body string) (crypt.Sealed, error) {
	key, err := c.key(tx)
	if err != nil {
		return nil, err
	}
	return key.SealSome(body, draftPlace(c.practice, c.ID, c.reader))
}

// leave makes what is left of a draft of it.
func (c Conversation) leave(tx *db.Tx, body string) error {
	sealed, err := c.sealDraft(tx, body)
	if err != nil {
		return err
	}
	if err := SQL.In(tx).ChangeDraft(tx, chatdb.ChangeDraftParams{Draft: sealed, PracticeID: c.practice, ConversationID: c.ID, ReaderID: c.reader}); err != nil {
		return fmt.Errorf("draft in %s: %w", c.ID, err)
	}
	return nil
}

// answered notes that the author of a message has read up to it, and takes it out
// of what they had begun. The page that wrote it may be gone.
func (c Conversation) answered(tx *db.Tx, m Message) error {
	sealed, err := SQL.In(tx).MarkAnswered(tx, chatdb.MarkAnsweredParams{PracticeID: c.practice, ConversationID: c.ID, ReaderID: c.reader, Seq: m.Seq, Now: tx.Now().Ptr()})
	if err != nil {
		return fmt.Errorf("read %s: %w", c.ID, err)
	}
	if sealed == nil {
		return nil
	}
	key, err := c.key(tx)
	if err != nil {
		return err
	}
	draft, err := key.Open(sealed, draftPlace(c.practice, c.ID, c.reader))
	if err != nil {
		return err
	}
	if left := without(draft, m.Body); left != draft {
		return c.leave(tx, left)
	}
	return nil
}

// without is what is left of a draft when these words have been sent. A draft that
// they begin with was kept while they were written; one that begins otherwise was
// begun elsewhere.
func without(draft, sent string) string {
	if strings.HasPrefix(sent, draft) {
		return ""
	}
	if behind, is := strings.CutPrefix(draft, sent+"\n\n"); is && sent != "" {
		return strings.TrimLeft(behind, "\n")
	}
	return draft
}

// Discard lets go of what by had begun, if it is these words: what was sent was
// made of them. What was begun on another page meanwhile stays.
func Discard(tx *db.Tx, by access.Actor, conversation id.Conversation, begun string) error {
	c, err := Find(tx, by, conversation)
	if err != nil {
		return err
	}
	if begun, err = text.Block(begun, mostBegun); err != nil {
		return nil // no draft can say that
	}
	p, err := PlaceOf(tx, c)
	if err != nil || p.Draft == "" || p.Draft != begun {
		return err
	}
	return c.leave(tx, "")
}

// withWaiting puts what has not arrived before what was begun, as a page does.
func (c Conversation) withWaiting(tx *db.Tx, body string, waits []Waiting) (string, error) {
	var all []string
	for _, w := range waits {
		is, err := SQL.In(tx).MessageByID(tx, chatdb.MessageByIDParams{PracticeID: c.practice, ID: w.ID})
		if err != nil && !errors.Is(err, db.None) {
			return "", fmt.Errorf("draft in %s: %w", c.ID, err)
		}
		if err != nil || is.ConversationID != c.ID || is.AuthorID != c.reader {
			all = append(all, w.Words)
		}
	}
	all = slices.DeleteFunc(append(all, body), func(words string) bool { return words == "" })
	body, err := text.Block(firstOf(strings.Join(all, "\n\n"), mostBegun), mostBegun)
	if err != nil {
		return "", fault.At("body", err)
	}
	return body, nil
}

// firstOf is so many characters from the beginning of some words.
func firstOf(words string, most int) string {
	n := 0
	for i := range words {
		if n == most {
			return words[:i]
		}
		n++
	}
	return words
}

func draftPlace(p id.Practice, c id.Conversation, reader string) string {
	return crypt.Place("reading.draft", p, c) + "/" + reader
}

// Archive puts a conversation away for by, until something new comes; or brings
// it back.
func Archive(tx *db.Tx, by access.Actor, conversation id.Conversation, away bool) error {
	c, err := Find(tx, by, conversation)
	if err != nil {
		return err
	}
	seq := int64(0)
	if away {
		seq = c.Messages
	}
	if err := SQL.In(tx).SetArchived(tx, chatdb.SetArchivedParams{PracticeID: c.practice, ConversationID: c.ID, ReaderID: c.reader, ArchivedSeq: seq}); err != nil {
		return fmt.Errorf("archive %s: %w", c.ID, err)
	}
	did := audit.ConversationArchived
	if !away {
		did = audit.ConversationBack
	}
	return audit.Record(tx, by, audit.Deed{Did: did, Subject: c.ID, Client: c.Client})
}
