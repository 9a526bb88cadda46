package account

import (
	"context"
	"fmt"
	"time"

	"icouch/internal/access"
	"icouch/internal/account/accountdb"
	"icouch/internal/audit"
	"icouch/internal/base/at"
	"icouch/internal/base/civil"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/letter"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
)

// Whoever deletes their account has thirty days to change their mind. Until
// then it opens one page, on which they can keep it. Afterwards the row stays,
// for the trail names it, and nothing of the person is in it.

// Grace is how long somebody has to change their mind.
const Grace = 30 * 24 * time.Hour

// sureAfter is how long the program must have seen that the day has come: a
// clock that was wrong for an hour deletes nobody.
const sureAfter = 24 * time.Hour

// What people are told.
var (
	ErrLeaves = fault.New(fault.Conflict, "Your account is to be deleted already.")
	ErrStays  = fault.New(fault.Conflict, "Your account is not to be deleted. There is nothing to take back.")
)

// AskDeletion has by's own account deleted once Grace has passed, and tells
// them by letter. Whoever calls it knows that nothing stands against it, and
// has had the password proved: see people.AskToLeave. There is the time zone in
// which the letter names the day to somebody who has chosen none.
func AskDeletion(tx *db.Tx, by access.Actor, there civil.Zone) (on at.Time, err error) {
	if !by.SignedIn() {
		return on, ErrNoAccount
	}
	a, err := hold(tx, by.Account())
	if err != nil {
		return on, err
	}
	on = tx.Now().Plus(Grace)
	n, err := SQL.In(tx).AskDeletion(tx, accountdb.AskDeletionParams{DeletionAt: &on, ID: a.ID})
	if err != nil {
		return on, fmt.Errorf("delete account %s: %w", a.ID, err)
	}
	if n == 0 {
		return on, ErrLeaves
	}
	if err := record(tx, by, audit.DeletionAsked, a.ID); err != nil {
		return on, err
	}
	return on, send(tx, by, draft(letter.Leave, a.Email, a.ID, leavingBody(a.called(), a.day(tx.Now(), on, there))))
}

// Keep takes it back, for by's own account. The job of the house does it for
// somebody whom a practice cannot do without: body says so to them.
func Keep(tx *db.Tx, by access.Actor) error {
	if !by.IsLeaving() {
		return ErrStays
	}
	return keep(tx, by, by.Account(), keptBody)
}

// KeepFor is Keep for somebody who is the last owner of a practice by now.
func KeepFor(tx *db.Tx, by access.Actor, a id.Account) error {
	if by.Role() != access.System {
		return fault.Forbidden
	}
	return keep(tx, by, a, neededBody)
}

func keep(tx *db.Tx, by access.Actor, who id.Account, body func(name string) letter.Body) error {
	a, err := hold(tx, who)
	if err != nil {
		return err
	}
	n, err := SQL.In(tx).TakeDeletionBack(tx, a.ID)
	if err != nil {
		return fmt.Errorf("keep account %s: %w", a.ID, err)
	}
	if n == 0 {
		return ErrStays
	}
	tx.Notify(Topic(a.ID))
	if err := record(tx, by, audit.DeletionTakenBack, a.ID); err != nil {
		return err
	}
	return send(tx, by, draft(letter.Leave, a.Email, a.ID, body(a.called())))
}

// DueToGo returns the accounts whose day has come, and has been seen to have
// come for long enough.
func DueToGo(ctx context.Context, d *db.DB) (due []id.Account, err error) {
	err = d.Maintain(ctx, func(tx *db.Tx) (err error) {
		now := tx.Now()
		if err := SQL.In(tx).SeeDeletions(tx, &now); err != nil {
			return err
		}
		due, err = SQL.In(tx).DueDeletions(tx, accountdb.DueDeletionsParams{Now: &now, Seen: now.Plus(-sureAfter).Ptr()})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("accounts that are due to go: %w", err)
	}
	return due, nil
}

// Departing keeps whoever else would change an account waiting, and is ErrStays if
// it is not due to go any more: its owner may have kept it a moment ago.
func Departing(tx *db.Tx, by access.Actor, a id.Account) error {
	if by.Role() != access.System {
		return ErrNoAccount
	}
	if _, err := hold(tx, a); err != nil {
		return err
	}
	s, err := standingOf(tx, a)
	if err == nil && (s.LeavesAt == nil || s.LeavesAt.After(tx.Now().Time)) {
		return ErrStays
	}
	return err
}

// Erase empties an account that is due to go, and says farewell. What was the
// practices' of it is theirs to see to before: see people.Depart.
func Erase(tx *db.Tx, by access.Actor, who id.Account) error {
	if by.Role() != access.System {
		return fault.Forbidden
	}
	a, err := hold(tx, who)
	if err != nil {
		return err
	}
	n, err := SQL.In(tx).Erase(tx, accountdb.EraseParams{Now: tx.Now().Ptr(), Blank: crypt.Sealed{}, Freed: []byte("deleted/" + a.ID.String()),
		ID: a.ID, Seen: tx.Now().Plus(-sureAfter).Ptr()})
	if err != nil {
		return fmt.Errorf("erase account %s: %w", a.ID, err)
	}
	if n == 0 {
		return ErrStays
	}
	if err := endEntries(tx, a.ID); err != nil {
		return err
	}
	if err := dropFactors(tx, a.ID); err != nil {
		return err
	}
	if err := SQL.In(tx).DropForms(tx, a.ID); err != nil {
		return fmt.Errorf("erase forms of %s: %w", a.ID, err)
	}
	if err := SQL.In(tx).DropLinks(tx, a.ID); err != nil {
		return fmt.Errorf("erase links of %s: %w", a.ID, err)
	}
	if err := record(tx, by, audit.AccountDeleted, a.ID); err != nil {
		return err
	}
	return send(tx, by, draft(letter.Leave, a.Email, a.ID, goneBody()))
}

// day names the day of a moment where the person is.
func (a Account) day(now, t at.Time, there civil.Zone) string {
	if z, err := civil.ParseZone(a.Zone); err == nil && a.Zone != "" {
		there = z
	}
	return civil.Day(now.Time, t.Time, there)
}
