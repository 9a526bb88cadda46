package letter

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"icouch/internal/access"
	"icouch/internal/audit"
	"icouch/internal/base/at"
	"icouch/internal/base/id"
	"icouch/internal/letter/letterdb"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/jobs"
	"icouch/internal/platform/keys"
	"icouch/internal/platform/mail"
)

// patience is how long a letter is tried, from the first try, before it is given up. A mail server
// may be away for a day.
const patience = 36 * time.Hour

// stale is the age at which a letter that never went, for want of a courier, is
// not worth sending any more: no link in it works longer.
const stale = 14 * 24 * time.Hour

// Courier carries letters out of the house.
type Courier struct {
	DB     *db.DB
	Mail   mail.Sender
	House  House
	Bounce string // mailbox for letters that come back, as name@domain; or empty
}

// Register has q hand the courier its work. Without a courier, letters wait.
func (c *Courier) Register(q *jobs.Queue) { carry.On(q, c.carry) }

// carry prepares in one transaction, acts, and records in another.
func (c *Courier) carry(ctx context.Context, e errand) error {
	var l outgoing
	err := c.DB.View(ctx, func(tx *db.Tx) (err error) {
		l, err = c.letter(tx, access.Job(e.Practice), e.Letter)
		return err
	})
	if errors.Is(err, db.None) {
		return nil // sent or cancelled meanwhile
	}
	if err != nil {
		return fmt.Errorf("letter %s: %w", e.Letter, err)
	}
	if !c.DB.Clock().Before(l.createdAt.Add(stale)) {
		_, err := c.settle(ctx, l, Failed, "", audit.LetterFailed)
		return err
	}
	if l.kind.mayRepeat() {
		return c.sendThenMark(ctx, l)
	}
	return c.markThenSend(ctx, l)
}

// sendThenMark is for letters that must arrive: if the program ends between
// the two, the same letter goes out again.
func (c *Courier) sendThenMark(ctx context.Context, l outgoing) error {
	_, err := c.Mail.Send(ctx, l.message)
	if err == nil {
		_, err := c.settle(ctx, l, Sent, "", audit.LetterSent)
		return err
	}
	return c.refused(ctx, l, err)
}

// markThenSend is for mere notices: if the program ends between the two, the
// notice is lost, and never comes twice. One that was for certain not taken is
// put back and tried again.
func (c *Courier) markThenSend(ctx context.Context, l outgoing) error {
	marked, err := c.settle(ctx, l, Sent, "", audit.LetterSent)
	if err != nil || !marked { // another worker has it, or it was cancelled
		return err
	}
	_, why := c.Mail.Send(ctx, l.message)
	if why == nil {
		return nil
	}
	r, _ := errors.AsType[*mail.Refusal](why)
	switch {
	case r != nil && r.Permanent:
		return c.report(ctx, l, Refused, r.Reason, audit.LetterReturned)
	case r == nil, r.Uncertain, c.outOfPatience(l): // it may have gone out, or has been tried long enough
		return c.report(ctx, l, Failed, reasonOf(why), audit.LetterFailed)
	}
	return errors.Join(fmt.Errorf("letter %s: %w", l.id, why), c.putBack(ctx, l, r.Reason))
}

// report corrects what was marked before it was known.
func (c *Courier) report(ctx context.Context, l outgoing, s State, r mail.Reason, did audit.Action) error {
	return c.change(ctx, l, did, func(tx *db.Tx) (int64, error) {
		return SQL.In(tx).Report(tx, letterdb.ReportParams{State: string(s), Reason: string(r), SettledAt: tx.Now().Ptr(), PracticeID: l.practice, ID: l.id})
	})
}

func (c *Courier) putBack(ctx context.Context, l outgoing, r mail.Reason) error {
	return c.change(ctx, l, audit.LetterDelayed, func(tx *db.Tx) (int64, error) {
		since := tx.Now()
		if l.triedAt != nil {
			since = *l.triedAt
		}
		return SQL.In(tx).PutBack(tx, letterdb.PutBackParams{Reason: string(r), Content: l.sealed, SettledAt: &since, PracticeID: l.practice, ID: l.id})
	})
}

func (c *Courier) outOfPatience(l outgoing) bool {
	return l.triedAt != nil && c.DB.Clock().Sub(l.triedAt.Time) > patience
}

// refused looks at why a letter was not taken: for good, or for now.
func (c *Courier) refused(ctx context.Context, l outgoing, why error) error {
	r, _ := errors.AsType[*mail.Refusal](why)
	if r != nil && r.Permanent {
		_, err := c.settle(ctx, l, Refused, r.Reason, audit.LetterReturned)
		return err
	}
	if c.outOfPatience(l) {
		_, err := c.settle(ctx, l, Failed, reasonOf(why), audit.LetterFailed)
		return err
	}
	err := c.change(ctx, l, audit.LetterDelayed, func(tx *db.Tx) (int64, error) {
		return SQL.In(tx).Delay(tx, letterdb.DelayParams{Reason: string(reasonOf(why)), SettledAt: tx.Now().Ptr(), PracticeID: l.practice, ID: l.id})
	})
	if errors.Is(err, db.None) {
		return nil
	}
	return errors.Join(fmt.Errorf("letter %s: %w", l.id, why), err) // the queue tries again
}

func errGone(n int64) error {
	if n == 0 {
		return db.None
	}
	return nil
}

// settle notes what became of a letter, unless it was cancelled meanwhile or
// somebody else has settled it.
func (c *Courier) settle(ctx context.Context, l outgoing, s State, r mail.Reason, did audit.Action) (settled bool, err error) {
	err = c.change(ctx, l, did, func(tx *db.Tx) (int64, error) {
		return SQL.In(tx).Settle(tx, letterdb.SettleParams{State: string(s), Reason: string(r), SettledAt: tx.Now().Ptr(), PracticeID: l.practice, ID: l.id})
	})
	if errors.Is(err, db.None) {
		return false, nil
	}
	return err == nil, err
}

// change has one statement move a letter on, and tells whoever watches. The
// program may be going down: what was done is noted all the same.
func (c *Courier) change(ctx context.Context, l outgoing, did audit.Action, move func(*db.Tx) (int64, error)) error {
	err := c.DB.Update(context.WithoutCancel(ctx), func(tx *db.Tx) error {
		n, err := move(tx)
		if err != nil || n == 0 {
			return errors.Join(err, errGone(n))
		}
		notify(tx, l.practice, l.client)
		return record(tx, l.practice, did, l.id, l.client)
	})
	if err != nil && !errors.Is(err, db.None) {
		return fmt.Errorf("letter %s: %w", l.id, err)
	}
	return err
}

func reasonOf(err error) mail.Reason {
	if r, ok := errors.AsType[*mail.Refusal](err); ok {
		return r.Reason
	}
	return mail.Unreachable
}

// outgoing is a letter on its way out.
type outgoing struct {
	practice  id.Practice
	id        id.Letter
	kind      Kind
	client    *id.Client
	createdAt at.Time
	triedAt   *at.Time // when it was first not accepted
	sealed    crypt.Sealed
	message   mail.Message
}

func (c *Courier) letter(tx *db.Tx, by access.Actor, l id.Letter) (outgoing, error) {
	row, err := SQL.In(tx).ToSend(tx, letterdb.ToSendParams{PracticeID: by.Practice(), ID: l})
	if err != nil {
		return outgoing{}, err
	}
	key, err := keys.Of(tx, by.Practice())
	if err != nil {
		return outgoing{}, err
	}
	said, err := unseal(key, by.Practice(), l, row.Content)
	if err != nil {
		return outgoing{}, err
	}
	body, marks := c.House.Fill(said.Body), strings.NewReplacer(Brand, c.House.Brand, Base, c.House.Base)
	return outgoing{by.Practice(), l, Kind(row.Kind), row.ClientID, row.CreatedAt, row.SettledAt, row.Content, mail.Message{
		ID: l.String() + "@" + c.House.Host, FromName: marks.Replace(said.FromName), To: said.To, ReplyTo: said.ReplyTo,
		Subject: body.Subject, Text: body.Text(), HTML: body.HTML(),
		ListUnsubscribe: marks.Replace(said.Choices), EnvelopeFrom: c.envelope(l), Date: row.CreatedAt.Time}}, nil
}

// envelope is the address a returned letter comes back to: the bounce mailbox,
// with the letter's own identifier behind a plus.
func (c *Courier) envelope(l id.Letter) string {
	return plus(c.Bounce, l.String())
}
