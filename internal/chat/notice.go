package chat

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/audit"
	"icouch/internal/base/at"
	"icouch/internal/base/civil"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/text"
	"icouch/internal/chat/chatdb"
	"icouch/internal/letter"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/platform/jobs"
)

// Letters is how often somebody wants to hear of new messages by e-mail.
type Letters string

// How often.
const (
	NoLetters Letters = "off"
	EachBurst Letters = "each"   // one for all that came together
	DailyOnes Letters = "digest" // at most one a day, towards evening
)

// burst is how long a letter waits for more to come; what is told of once a day
// is told at evening, in the reader's time.
const (
	burst   = 10 * time.Minute
	evening = 17
)

// ErrOddChoice says that a form was not ours.
var ErrOddChoice = fault.New(fault.Invalid, "Choose from the list.")

// Choice is what somebody chose about messages.
type Choice struct {
	HidesSeen  bool // nobody sees how far they have read; nor do they of others
	ShowsHere  bool // those they write with see when they are here, and they see it of those; see Company
	Letters    Letters
	QuietFrom  int // minutes of their day in which no letter comes; equal: none
	QuietUntil int
}

// Usual is the choice of who has made none: quiet from nine in the evening until
// eight in the morning.
func Usual() Choice { return Choice{Letters: EachBurst, QuietFrom: 21 * 60, QuietUntil: 8 * 60} }

// ChoiceOf returns by's choice.
func ChoiceOf(tx *db.Tx, by access.Actor) (Choice, error) {
	if !mayChat(by) {
		return Choice{}, fault.NotFound
	}
	return choiceOf(tx, by.Practice(), me(by))
}

func choiceOf(tx *db.Tx, p id.Practice, reader string) (Choice, error) {
	r, err := SQL.In(tx).Choice(tx, chatdb.ChoiceParams{PracticeID: p, ReaderID: reader})
	if errors.Is(err, db.None) {
		return Usual(), nil
	}
	if err != nil {
		return Choice{}, fmt.Errorf("choice about messages: %w", err)
	}
	return Choice{r.HidesSeen, r.ShowsHere, Letters(r.Letters), int(r.QuietFrom), int(r.QuietUntil)}, nil
}

// Choose changes by's choice.
func Choose(tx *db.Tx, by access.Actor, c Choice) error {
	if !mayChat(by) {
		return fault.NotFound
	}
	odd := func(minutes int) bool { return minutes < 0 || minutes >= 24*60 }
	if c.Letters != NoLetters && c.Letters != EachBurst && c.Letters != DailyOnes || odd(c.QuietFrom) || odd(c.QuietUntil) {
		return ErrOddChoice
	}
	err := SQL.In(tx).SetChoice(tx, chatdb.SetChoiceParams{PracticeID: by.Practice(), ReaderID: me(by), HidesSeen: c.HidesSeen, ShowsHere: c.ShowsHere, Letters: string(c.Letters), QuietFrom: int64(c.QuietFrom), QuietUntil: int64(c.QuietUntil)})
	if err != nil {
		return fmt.Errorf("choice about messages: %w", err)
	}
	tx.Notify(ChoiceTopic(by.Practice(), me(by)))
	return audit.Record(tx, by, audit.Deed{Did: audit.MessagesChosen, Subject: by.Account(), Client: by.Client(), Fields: []string{"seen", "here_now", "letters", "quiet_hours"}})
}

// ChoiceTopic is that somebody has chosen anew.
func ChoiceTopic(practice id.Practice, reader string) string {
	return "choice/" + practice.String() + "/" + reader
}

// quiet reports whether a moment is in somebody's quiet hours, and when they end.
func (c Choice) quiet(t time.Time, zone civil.Zone) (ends time.Time, is bool) {
	if c.QuietFrom == c.QuietUntil {
		return t, false
	}
	local := t.In(zone.Load())
	minute := local.Hour()*60 + local.Minute()
	is = minute >= c.QuietFrom && minute < c.QuietUntil
	if c.QuietFrom > c.QuietUntil { // over midnight
		is = minute >= c.QuietFrom || minute < c.QuietUntil
	}
	if !is {
		return t, false
	}
	ends = time.Date(local.Year(), local.Month(), local.Day(), c.QuietUntil/60, c.QuietUntil%60, 0, 0, local.Location())
	if !ends.After(t) {
		ends = ends.AddDate(0, 0, 1)
	}
	return ends, true
}

// news is that there may be something to tell somebody of.
type news struct {
	Practice     id.Practice
	Conversation id.Conversation
	Reader       string
}

const tell = jobs.Kind[news]("chat.tell")

// tellLater has somebody told of what is new, if they have not read it by then.
// What comes meanwhile is told of by the same letter.
func tellLater(tx *db.Tx, c Conversation, reader string) error {
	return tell.EnqueueAt(tx, tx.Now().Plus(burst), news{c.practice, c.ID, reader}.unique(), news{c.practice, c.ID, reader})
}

// Clerk writes the letters that tell of new messages.
type Clerk struct{ DB *db.DB }

// Register has the clerk's work done by q.
func (c Clerk) Register(q *jobs.Queue) {
	tell.On(q, func(ctx context.Context, n news) error {
		return c.DB.Maintain(ctx, func(tx *db.Tx) error { return write(tx, n) })
	})
}

// write writes the letter, if there is still something to tell of. The mark is
// moved by whoever writes it, in the same transaction: of two, one does.
func write(tx *db.Tx, n news) error {
	r, err := readerOf(tx, n)
	if err != nil || r == nil {
		return err
	}
	fresh, err := r.fresh(tx)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(fresh, func(c Conversation) bool { return n.Conversation == "" || c.ID == n.Conversation }) { // read meanwhile, or told of
		return nil
	}
	now := tx.Now().Time
	if ends, is := r.choice.quiet(now, r.zone); is {
		return tell.EnqueueAt(tx, at.Of(ends), n.unique(), n)
	}
	if r.choice.Letters == DailyOnes && n.Conversation != "" {
		n.Conversation = ""
		return tell.EnqueueAt(tx, at.Of(nextEvening(now, r.zone)), n.unique(), n)
	}
	told := false
	for _, c := range fresh { // one letter for all of them
		moved, err := SQL.In(tx).MarkTold(tx, chatdb.MarkToldParams{PracticeID: n.Practice, ConversationID: c.ID, ReaderID: n.Reader, ToldSeq: c.Messages})
		if err != nil {
			return fmt.Errorf("tell of %s: %w", c.ID, err)
		}
		told = told || moved > 0
	}
	if !told {
		return nil
	}
	by := access.Job(n.Practice)
	l, err := letter.Send(tx, by, letter.Draft{Kind: letter.NewMessage, To: r.account.Email, FromName: text.StripLinks(r.practice.Name), Body: newMessageLetter(text.StripLinks(r.practice.Name)), Account: r.account.ID})
	if err != nil {
		return err
	}
	return audit.Record(tx, by, audit.Deed{Did: audit.MessagesTold, Subject: l})
}

func (n news) unique() string { return n.Conversation.String() + "/" + n.Reader }

// nextEvening is the next time that the daily letter is written.
func nextEvening(now time.Time, zone civil.Zone) time.Time {
	local := now.In(zone.Load())
	t := time.Date(local.Year(), local.Month(), local.Day(), evening, 0, 0, 0, local.Location())
	if !t.After(now) {
		t = t.AddDate(0, 0, 1)
	}
	return t
}

// told is somebody a letter may go to.
type told struct {
	reader   string
	client   id.Client // the reader, if they are one
	member   id.Practitioner
	account  account.Account
	choice   Choice
	practice people.Practice
	zone     civil.Zone
}

// readerOf is whom a letter goes to, or nil: a client who has not consented, or
// whose care has ended; a member who works here no more; somebody who wants none.
func readerOf(tx *db.Tx, n news) (*told, error) {
	by := access.Job(n.Practice)
	r := told{reader: n.Reader}
	who, err := r.find(tx, by)
	if err != nil || who == "" {
		return nil, err
	}
	r.account, err = account.Read(tx, by, who)
	if errors.Is(err, account.ErrNoAccount) || err == nil && !r.account.Verified {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if r.choice, err = choiceOf(tx, n.Practice, n.Reader); err != nil || r.choice.Letters == NoLetters {
		return nil, err
	}
	if r.practice, err = people.PracticeOf(tx, by); err != nil {
		return nil, err
	}
	if r.practice.Closed(tx.Now()) { // nobody can sign in to read it
		return nil, nil
	}
	r.zone = r.practice.Zone
	if r.account.Zone != "" {
		r.zone, err = civil.ParseZone(r.account.Zone)
	}
	return &r, err
}

func (r *told) find(tx *db.Tx, by access.Actor) (id.Account, error) {
	members, err := people.Practitioners(tx, by)
	if err != nil {
		return "", err
	}
	for _, m := range members {
		if m.ID.String() == r.reader {
			r.member = m.ID
			if !m.Active {
				return "", nil
			}
			return m.Account, nil
		}
	}
	r.client = id.Client(r.reader)
	c, err := people.Find(tx, by, r.client)
	if err != nil || c.Account == nil || !c.EmailConsent || c.Ended(tx.Now()) {
		return "", err
	}
	return *c.Account, nil
}

// fresh are the reader's conversations with something in them that they have
// neither read nor been told of.
func (r *told) fresh(tx *db.Tx) (fresh []Conversation, err error) {
	var rows []chatdb.OfClientRow
	if r.client != "" {
		rows, err = SQL.In(tx).OfClient(tx, chatdb.OfClientParams{PracticeID: r.practice.ID, ClientID: &r.client, ReaderID: r.reader})
	} else {
		var found []chatdb.OfMemberRow
		found, err = SQL.In(tx).OfMember(tx, chatdb.OfMemberParams{PracticeID: r.practice.ID, PractitionerID: &r.member, ReaderID: r.reader})
		for _, f := range found {
			rows = append(rows, chatdb.OfClientRow(f))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("what is new to tell of: %w", err)
	}
	for _, row := range rows {
		c := listed(row)
		place, err := SQL.In(tx).ReadingOf(tx, chatdb.ReadingOfParams{PracticeID: r.practice.ID, ConversationID: c.ID, ReaderID: r.reader})
		if err != nil && !errors.Is(err, db.None) {
			return nil, fmt.Errorf("place in %s: %w", c.ID, err)
		}
		if max(place.Seq, place.ToldSeq) >= c.Messages {
			continue
		}
		if r.client == "" { // a client reads whatever is theirs
			all, err := c.listeners(tx)
			if err != nil {
				return nil, err
			}
			if !slices.Contains(all, r.member) {
				continue
			}
		}
		fresh = append(fresh, c)
	}
	return fresh, nil
}

func newMessageLetter(practice string) letter.Body {
	return letter.Body{Subject: "You have a new secure message", Parts: []letter.Part{
		{Text: "You have a new secure message on " + letter.Brand + ". Sign in to read it."},
		{Button: &letter.Button{Label: "Read it", URL: letter.Base + "/messages"}},
		{Text: "How often we write, and when not, you choose under Settings, Messages."},
		{Text: "Please do not answer this e-mail. Nobody reads that address."},
		{Sign: practice},
	}}
}
