package people

import (
	"errors"
	"fmt"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/audit"
	"icouch/internal/base/fault"
	"icouch/internal/people/peopledb"
	"icouch/internal/platform/db"
)

// A practice chooses how long its members, and its clients, stay signed in
// without use. Whatever it chooses, members sign in again after twelve hours and
// clients after a day.

// workLife is the longest a session lasts where clients' records are open.
const workLife = 12 * time.Hour

// Idles are what a practice may choose from.
var Idles = []time.Duration{5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 20 * time.Minute, 30 * time.Minute, 45 * time.Minute, time.Hour}

// ErrNoIdle says that a time is none to choose from.
var ErrNoIdle = fault.On("idle", fault.Invalid, "Choose one of the times in the list.")

// Idle is how long a practice lets people stay signed in without use.
type Idle struct{ Work, Client time.Duration }

// TermsOf returns how long a session at a place lasts. Whoever calls it knows
// that the place is the person's.
func TermsOf(tx *db.Tx, p account.Place) (account.Terms, error) {
	if p.Practice == "" {
		return account.Anywhere, nil
	}
	row, err := SQL.In(tx).Terms(tx, p.Practice)
	if errors.Is(err, db.None) {
		return account.Terms{}, fault.NotFound
	}
	if err != nil {
		return account.Terms{}, fmt.Errorf("terms of %s: %w", p.Practice, err)
	}
	if p.Client == "" {
		return account.Terms{Life: workLife, Idle: time.Duration(row.IdleWork) * time.Second}, nil
	}
	return account.Terms{Life: account.Anywhere.Life, Idle: time.Duration(row.IdleClient) * time.Second}, nil
}

// IdleOf returns what by's practice has chosen.
func IdleOf(tx *db.Tx, by access.Actor) (Idle, error) {
	if !by.AtWork() {
		return Idle{}, fault.NotFound
	}
	row, err := SQL.In(tx).Terms(tx, by.Practice())
	if err != nil {
		return Idle{}, fmt.Errorf("terms of %s: %w", by.Practice(), err)
	}
	return Idle{time.Duration(row.IdleWork) * time.Second, time.Duration(row.IdleClient) * time.Second}, nil
}

// SetIdle chooses how long people stay signed in without use. It holds for
// sessions that begin from now on.
func SetIdle(tx *db.Tx, by access.Actor, is Idle) error {
	if !by.May(access.ChangePractice) {
		return fault.Forbidden
	}
	if !mayIdle(is.Work) || !mayIdle(is.Client) {
		return ErrNoIdle
	}
	tx.Notify(PracticeTopic(by.Practice()))
	err := SQL.In(tx).SetTerms(tx, peopledb.SetTermsParams{IdleWork: int64(is.Work.Seconds()), IdleClient: int64(is.Client.Seconds()), ID: by.Practice()})
	if err != nil {
		return fmt.Errorf("terms of %s: %w", by.Practice(), err)
	}
	return audit.Record(tx, by, audit.Deed{Did: audit.PracticeChanged, Subject: by.Practice(), Fields: []string{"idle"}})
}

func mayIdle(d time.Duration) bool {
	for _, i := range Idles {
		if d == i {
			return true
		}
	}
	return false
}
