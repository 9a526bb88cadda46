// Package recovery lets somebody who works here come back in when they have lost
// the phone, the passkeys and the recovery codes: every way to sign in but the
// password. E-mail alone is never a second step, so two people who know them
// have to say so.
//
// One owner of the practice asks, with a reason; another owner approves. Where
// there are not two owners beside the person it is about, or where the account
// opens more than one practice, two of those in support do the same.
//
//	asked → approved → used
//	  ↘         ↘
//	withdrawn · expired: nobody approved it in seven days, or used it in one
//
// The rules:
//   - nobody asks or approves for themselves, and nobody does both;
//   - whoever asked must still be an owner, or in support, when it is approved, and
//     both when it is used; it ends when one of them, or who has lost theirs, is made
//     inactive, gets another role or is dismissed (people.EndRecoveries);
//   - approving ends every session at once, and sends a link to the address of
//     the account; the link does nothing without the password, works for a day,
//     and once; a new password or address ends it;
//   - using it takes the lost second steps away; the person sets up new ones
//     before they see anything;
//   - everybody concerned is told by letter at each step, and it is in the trail.
package recovery

import (
	"errors"
	"fmt"
	"time"

	"icouch/internal/access"
	"icouch/internal/base/at"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
	"icouch/internal/recovery/recoverydb"
)

// SQL is this package's statements.
var SQL = db.Prepare(recoverydb.Prepare)

// How long a request waits for approval, and a link for its use.
const (
	waits = 7 * 24 * time.Hour
	works = 24 * time.Hour
)

// What people are told.
var (
	ErrNoReason    = fault.On("reason", fault.Invalid, "Say how you know that it is them: for instance, that you spoke by telephone or in person.")
	ErrSelf        = fault.New(fault.Conflict, "This is about yourself, so two others have to do it.")
	ErrInactive    = fault.New(fault.Conflict, "This member is inactive, and can open nothing here. Make them active first.")
	ErrTooNew      = fault.New(fault.Conflict, "You have been an owner here for less than a week. Somebody who has been one for longer, or support, can do this.")
	ErrNoSecond    = fault.New(fault.Conflict, "Another owner has to approve this, and this practice has no other owner who can. Choose “Still Need Help?”: two people in support can do it.")
	ErrOpen        = fault.New(fault.Conflict, "Somebody has asked for this already. A second person looks at it and approves it.")
	ErrNone        = fault.New(fault.Conflict, "There is no open request about this person any more.")
	ErrSamePerson  = fault.New(fault.Conflict, "You asked for this yourself. Somebody else looks at it and approves it.")
	ErrAskerGone   = fault.New(fault.Conflict, "Whoever asked for this may not ask for it any more. Withdraw the request, and ask again if it is right.")
	ErrApproved    = fault.New(fault.Conflict, "This has been approved already. The letter with the link is on its way.")
	ErrOwnersCan   = fault.New(fault.Conflict, "The practice has two other owners, who know this person: they do this on the member’s page.")
	ErrNotAtWork   = fault.New(fault.Conflict, "This account works in no practice. Whoever looks after a client vouches for them, on the client’s page.")
	ErrNoSupporter = fault.New(fault.Conflict, "A second supporter has to approve this, and there is none. The operator can do it at the machine.")
	ErrElsewhere   = fault.New(fault.Conflict, "Your account opens more than this practice, so its owners cannot vouch for you alone. Choose “Still Need Help?”: two people in support can do it.")
	ErrNotTheirs   = fault.New(fault.Invalid, "That is not the account this link is for. Sign in with the one that the letter went to.")
)

// State says how far a request has come. The names stand in the database for ever.
type State string

// The states.
const (
	Asked     State = "asked"
	Approved  State = "approved" // the link has been sent
	Used      State = "used"
	Withdrawn State = "withdrawn"
	Expired   State = "expired"
)

// Request is one to let somebody set up new second steps.
type Request struct {
	ID         id.Recovery
	Account    id.Account // who has lost theirs
	State      State
	Reason     string
	AskedBy    id.Account
	AskedAt    at.Time
	ExpiresAt  at.Time
	ApprovedBy id.Account // empty: nobody yet
	EndedAt    *at.Time

	practice id.Practice // keys.Installation: support asks
}

// Open reports whether r can still be approved, used or taken back.
func (r Request) Open() bool { return r.State == Asked || r.State == Approved }

// where is the practice by works in, or the installation for who is in support.
// Anybody else has no business here.
func where(by access.Actor) (id.Practice, error) {
	switch {
	case by.May(access.Recover):
		return by.Practice(), nil
	case by.Role() == access.Support && by.MaySupport():
		return keys.Installation, nil
	}
	return "", fault.Forbidden
}

// About returns the open request about somebody, or ErrNone.
func About(tx *db.Tx, by access.Actor, who id.Account) (Request, error) {
	p, err := where(by)
	if err != nil {
		return Request{}, err
	}
	row, err := SQL.In(tx).OpenFor(tx, recoverydb.OpenForParams{PracticeID: p, AccountID: who, Now: tx.Now()})
	if errors.Is(err, db.None) {
		return Request{}, ErrNone
	}
	return opened(tx, recoverydb.ByIDRow(row), err)
}

// Read returns a request of support's, to support; an owner finds theirs by whom
// it is about.
func Read(tx *db.Tx, by access.Actor, r id.Recovery) (Request, error) {
	p, err := where(by)
	if err != nil {
		return Request{}, fault.NotFound
	}
	row, err := SQL.In(tx).ByID(tx, recoverydb.ByIDParams{PracticeID: p, ID: r})
	if errors.Is(err, db.None) {
		return Request{}, fault.NotFound
	}
	return opened(tx, row, err)
}

// Requests are the newest of by's practice, or of support's.
func Requests(tx *db.Tx, by access.Actor) (all []Request, err error) {
	p, err := where(by)
	if err != nil {
		return nil, err
	}
	rows, err := SQL.In(tx).Newest(tx, p)
	if err != nil {
		return nil, fmt.Errorf("requests of %s: %w", p, err)
	}
	for _, row := range rows {
		r, err := opened(tx, recoverydb.ByIDRow(row), nil)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

func opened(tx *db.Tx, row recoverydb.ByIDRow, err error) (Request, error) {
	if err != nil {
		return Request{}, fmt.Errorf("request: %w", err)
	}
	r := Request{ID: row.ID, Account: row.AccountID, State: State(row.State), AskedBy: row.AskedBy, AskedAt: row.AskedAt, ExpiresAt: row.ExpiresAt,
		EndedAt: row.EndedAt, practice: row.PracticeID}
	if row.ApprovedBy != nil {
		r.ApprovedBy = *row.ApprovedBy
	}
	if r.Open() && !r.ExpiresAt.After(tx.Now().Time) {
		r.State, r.EndedAt = Expired, &r.ExpiresAt
	}
	key, err := keys.Of(tx, keys.Installation)
	if err != nil {
		return Request{}, err
	}
	r.Reason, err = key.Open(row.Reason, reasonPlace(r.ID))
	return r, err
}
