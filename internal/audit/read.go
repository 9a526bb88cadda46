package audit

import (
	"errors"
	"fmt"
	"strings"

	"icouch/internal/access"
	"icouch/internal/audit/auditdb"
	"icouch/internal/base/at"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/platform/db"
)

// Entry is one line of the trail, as it is read. Whoever hands it out asks
// first whose it is to read.
type Entry struct {
	Seq     int64
	At      at.Time
	Role    access.Role
	Account id.Account
	Did     Action
	Subject string
	Client  id.Client
	Detail  string
	Fields  []string // the names of what changed, if it was a change
	Shown   []Sight  // if it was a look
}

// entryOf reads a line. One that somebody has tampered with is read as far as it
// can be: that it was is for Verify to say.
func entryOf(r auditdb.AfterRow) Entry {
	e := Entry{Seq: r.Seq, At: r.At, Role: access.Role(r.Role), Account: r.AccountID, Did: Action(r.Action), Subject: r.Subject, Client: r.ClientID, Detail: r.Detail}
	if e.Did != Seen {
		e.Fields = strings.Fields(r.Detail)
		return e
	}
	e.Shown, _ = unpack(r.Shown)
	return e
}

func mayRead(by access.Actor) error {
	if by.May(access.ReadTrail) || by.Role() == access.System && by.Practice() != "" {
		return nil
	}
	return fault.Forbidden
}

// Back returns lines of the trail of by's practice, the newest first, from the
// one before the given place on.
func Back(tx *db.Tx, by access.Actor, before int64) ([]Entry, error) {
	if err := mayRead(by); err != nil {
		return nil, err
	}
	rows, err := SQL.In(tx).Before(tx, auditdb.BeforeParams{PracticeID: by.Practice(), Seq: before})
	if err != nil {
		return nil, fmt.Errorf("trail of %s: %w", by.Practice(), err)
	}
	all := make([]Entry, len(rows))
	for i, r := range rows {
		all[i] = entryOf(auditdb.AfterRow(r))
	}
	return all, nil
}

// On returns lines of the trail of by's practice in their order, from the one
// after the given place on.
func On(tx *db.Tx, by access.Actor, after int64) ([]Entry, error) {
	if err := mayRead(by); err != nil {
		return nil, err
	}
	rows, err := SQL.In(tx).After(tx, auditdb.AfterParams{PracticeID: by.Practice(), Seq: after})
	if err != nil {
		return nil, fmt.Errorf("trail of %s: %w", by.Practice(), err)
	}
	all := make([]Entry, len(rows))
	for i, r := range rows {
		all[i] = entryOf(r)
	}
	return all, nil
}

// Until returns how many lines of the trail of by's practice are older than a
// moment. Lines are in the order of time, but for a clock that was put back.
func Until(tx *db.Tx, by access.Actor, t at.Time) (int64, error) {
	if err := mayRead(by); err != nil {
		return 0, err
	}
	end, err := SQL.In(tx).Newest(tx, by.Practice())
	if errors.Is(err, db.None) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("trail of %s: %w", by.Practice(), err)
	}
	low, high := int64(0), end.Seq // those up to low are older, those after high are not
	for low < high {
		middle := low + (high-low+1)/2
		when, err := SQL.In(tx).When(tx, auditdb.WhenParams{PracticeID: by.Practice(), Seq: middle})
		if err != nil {
			return 0, fmt.Errorf("trail of %s: %w", by.Practice(), err)
		}
		if when.Before(t.Time) {
			low = middle
		} else {
			high = middle - 1
		}
	}
	return low, nil
}
