package support

import (
	"errors"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/audit"
	"icouch/internal/base/email"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

// Facts are all that support sees of somebody.
type Facts struct {
	account.Standing
	Practices  []people.Standing
	Records    int  // how many records they open as a client
	Invitation bool // one waits for their address
	Supporter  bool
	Obstacle   error // why the account cannot be converted, or nil
}

// Find looks an account up by its exact address, and leaves a line that says so,
// found or not.
func Find(tx *db.Tx, by access.Actor, e email.Address) (Facts, error) {
	if !by.MaySupport() {
		return Facts{}, fault.NotFound
	}
	a, err := account.ByEmail(tx, by, e)
	if errors.Is(err, db.None) {
		return Facts{}, audit.Record(tx, by, audit.Deed{Did: audit.AccountLookedUp, Subject: keys.Installation})
	}
	if err != nil {
		return Facts{}, err
	}
	if err := audit.Record(tx, by, audit.Deed{Did: audit.AccountLookedUp, Subject: a.ID}); err != nil {
		return Facts{}, err
	}
	return facts(tx, by, a.ID)
}

// FactsOf returns the facts about the account of a request. Whoever asked for
// that one has looked it up, and there is a line that says so.
func FactsOf(tx *db.Tx, by access.Actor, r Request) (Facts, error) { return facts(tx, by, r.Account) }

func facts(tx *db.Tx, by access.Actor, who id.Account) (f Facts, err error) {
	if f.Standing, err = account.StandingOf(tx, by, who); err != nil {
		return f, err
	}
	if f.Practices, err = people.StandingOf(tx, by, who); err != nil {
		return f, err
	}
	if f.Records, err = people.RecordsOf(tx, by, who); err != nil {
		return f, err
	}
	if f.Invitation, err = people.Invitation(tx, by, f.Email); err != nil {
		return f, err
	}
	if f.Supporter, err = is(tx, who); err != nil {
		return f, err
	}
	_, f.Obstacle = convertible(tx, by, f.Standing)
	if _, _, told := fault.As(f.Obstacle); f.Obstacle != nil && !told {
		return f, f.Obstacle
	}
	return f, nil
}
