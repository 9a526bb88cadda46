package people

import (
	"fmt"

	"icouch/internal/access"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/people/peopledb"
	"icouch/internal/platform/db"
)

// ActsFor is somebody who acts for a client, and what they were given.
type ActsFor struct {
	Account id.Account
	Rights  []access.Right
}

// ActingFor returns those who act for a client and may do so now: to the program
// itself, which has something to write to them.
func ActingFor(tx *db.Tx, by access.Actor, client id.Client) (some []ActsFor, err error) {
	if by.Role() != access.System {
		return nil, fault.Forbidden
	}
	rows, err := SQL.In(tx).ActingForClient(tx, peopledb.ActingForClientParams{PracticeID: by.Practice(), ClientID: client})
	if err != nil {
		return nil, fmt.Errorf("who acts for %s: %w", client, err)
	}
	for _, r := range rows {
		terms := access.Terms{Rights: access.SplitRights(r.Rights), Suspended: r.SuspendedAt != nil, Begins: r.BeginsAt, Ends: r.EndsAt, Care: earlier(r.CareEndsAt, r.ClosesAt)}
		if r.OfAge {
			if terms.OfAge, err = endOfAge(tx, by.Practice(), r.Zone, minorRow{client, true, r.Born, nil, r.GuardiansUntil}); err != nil {
				return nil, err
			}
		}
		if terms.Standing(tx.Now()) == access.Open {
			some = append(some, ActsFor{*r.AccountID, terms.Rights})
		}
	}
	return some, nil
}
