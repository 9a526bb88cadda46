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
	"icouch/internal/platform/keys"
)

// What people are told about answers and absences.
var (
	ErrNoWords  = fault.On("words", fault.Invalid, "Write what is answered while you are away.")
	ErrNoSpan   = fault.On("until", fault.Invalid, "Choose an end that is after the beginning, and still to come.")
	ErrLongSpan = fault.On("until", fault.Invalid, "Choose an end within a year.")
	ErrManyAway = fault.New(fault.Conflict, "There are fifty absences already. Take one out first.")
)

// ReplyTime is the practice's own words on how soon it answers: "within one
// working day". Empty: it says nothing.
func ReplyTime(tx *db.Tx, by access.Actor) (string, error) {
	words, err := SQL.In(tx).ReplyTime(tx, by.Practice())
	if errors.Is(err, db.None) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("reply time: %w", err)
	}
	return words, nil
}

// SetReplyTime changes those words.
func SetReplyTime(tx *db.Tx, by access.Actor, words string) error {
	if !by.May(access.ChangePractice) {
		return fault.Forbidden
	}
	words, err := text.Line(words, 80)
	if err != nil {
		return fault.At("reply-time", err)
	}
	if err := SQL.In(tx).SetReplyTime(tx, chatdb.SetReplyTimeParams{PracticeID: by.Practice(), ReplyTime: words}); err != nil {
		return fmt.Errorf("reply time: %w", err)
	}
	return audit.Record(tx, by, audit.Deed{Did: audit.PracticeChanged, Subject: by.Practice(), Fields: []string{"reply_time"}})
}

// Away is when a member does not answer, and what is answered meanwhile.
type Away struct {
	ID     id.Away
	Begins at.Time
	Ends   at.Time
	Words  string
}

// Aways are by's own absences, now and to come.
func Aways(tx *db.Tx, by access.Actor) ([]Away, error) {
	if !by.AtWork() {
		return nil, fault.NotFound
	}
	rows, err := SQL.In(tx).Aways(tx, chatdb.AwaysParams{PracticeID: by.Practice(), PractitionerID: by.Practitioner(), Now: tx.Now()})
	if err != nil {
		return nil, fmt.Errorf("absences: %w", err)
	}
	key, err := keys.Of(tx, by.Practice())
	if err != nil {
		return nil, err
	}
	all := make([]Away, len(rows))
	for i, r := range rows {
		words, err := key.Open(r.Words, awayPlace(by.Practice(), r.ID))
		if err != nil {
			return nil, err
		}
		all[i] = Away{r.ID, r.BeginsAt, r.EndsAt, words}
	}
	return all, nil
}

// GoAway notes an absence of by's own. While it lasts, whoever writes to them is
// answered once in each thread.
func GoAway(tx *db.Tx, by access.Actor, a Away) error {
	if !by.AtWork() {
		return fault.NotFound
	}
	words, err := text.Block(a.Words, 1000)
	if err != nil {
		return fault.At("words", err)
	}
	switch {
	case words == "":
		return ErrNoWords
	case !a.Ends.After(a.Begins.Time) || !a.Ends.After(tx.Now().Time):
		return ErrNoSpan
	case a.Ends.After(tx.Now().Add(366 * 24 * time.Hour)):
		return ErrLongSpan
	}
	already, err := SQL.In(tx).Aways(tx, chatdb.AwaysParams{PracticeID: by.Practice(), PractitionerID: by.Practitioner(), Now: tx.Now()})
	if err != nil {
		return fmt.Errorf("absences: %w", err)
	}
	if len(already) >= 50 {
		return ErrManyAway
	}
	key, err := keys.Of(tx, by.Practice())
	if err != nil {
		return err
	}
	sealed, err := key.Seal(words, awayPlace(by.Practice(), a.ID))
	if err != nil {
		return err
	}
	err = SQL.In(tx).AddAway(tx, chatdb.AddAwayParams{PracticeID: by.Practice(), ID: a.ID, PractitionerID: by.Practitioner(), BeginsAt: a.Begins, EndsAt: a.Ends, Words: sealed})
	if db.Taken(err) { // a second press
		return fault.Conflict
	}
	if err != nil {
		return fmt.Errorf("absence: %w", err)
	}
	return audit.Record(tx, by, audit.Deed{Did: audit.AwayNoted, Subject: a.ID})
}

// ComeBack takes an absence of by's own out.
func ComeBack(tx *db.Tx, by access.Actor, a id.Away) error {
	if !by.AtWork() {
		return fault.NotFound
	}
	n, err := SQL.In(tx).EndAway(tx, chatdb.EndAwayParams{Now: tx.Now().Ptr(), PracticeID: by.Practice(), PractitionerID: by.Practitioner(), ID: a})
	if err != nil {
		return fmt.Errorf("absence: %w", err)
	}
	d := audit.Deed{Did: audit.AwayEnded, Subject: a}
	if n == 0 { // it is out already, or was never theirs
		d.Fields = []string{"unchanged"}
	}
	return audit.Record(tx, by, d)
}

// answerFor answers a client, or a colleague, on behalf of a member who is away.
func (c *Conversation) answerFor(tx *db.Tx, by access.Actor, parties []string) error {
	who := c.Member
	if c.Kind == Colleagues && who == by.Practitioner() {
		who = c.Other
	}
	if c.Kind == WithTeam || !slices.Contains(parties, who.String()) || who == by.Practitioner() { // of a team, somebody is there
		return nil
	}
	a, err := SQL.In(tx).AwayNow(tx, chatdb.AwayNowParams{PracticeID: c.practice, PractitionerID: who, Now: tx.Now()})
	if errors.Is(err, db.None) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("absence of %s: %w", who, err)
	}
	n, err := SQL.In(tx).AnswerOnce(tx, chatdb.AnswerOnceParams{PracticeID: c.practice, AwayID: a.ID, ConversationID: c.ID})
	if err != nil || n == 0 {
		return err
	}
	key, err := keys.Of(tx, c.practice)
	if err != nil {
		return err
	}
	words, err := key.Open(a.Words, awayPlace(c.practice, a.ID))
	if err != nil {
		return err
	}
	_, _, err = c.add(tx, id.New[id.Message](tx.Now().Time), "", words, 0)
	return err
}

func awayPlace(p id.Practice, a id.Away) string { return crypt.Place("away.words", p, a) }
