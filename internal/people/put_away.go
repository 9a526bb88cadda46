package people

import (
	"errors"
	"fmt"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/audit"
	"icouch/internal/base/at"
	"icouch/internal/base/email"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/people/peopledb"
	"icouch/internal/platform/db"
)

// A practice that somebody founded by mistake is put away: its row stays, its
// trail stays, and nobody is a member any more. Only an empty one can be; who
// founds a practice again takes the same row up, for each account founds one.

// young is how old a practice may be to be taken for a mistake.
const young = 30 * 24 * time.Hour

// Why an account's practice is not to be taken for a mistake.
var (
	ErrNoPractice    = fault.New(fault.Conflict, "This account has no practice, so there is nothing to convert. It is a client’s account already, or becomes one as soon as an invitation is accepted with it.")
	ErrSeveral       = fault.New(fault.Conflict, "This account works in more than one practice. Only one that has a single practice, founded by mistake, can be converted.")
	ErrNotOwner      = fault.New(fault.Conflict, "This account does not own the practice it works in. Whoever runs that practice can end the membership.")
	ErrHasColleagues = fault.New(fault.Conflict, "The practice has had other members too, so it is not an empty practice founded by mistake.")
	ErrHasClients    = fault.New(fault.Conflict, "The practice has clients, also if their care has ended. What is noted of them must stay, so the account cannot be converted.")
	ErrTooOld        = fault.New(fault.Conflict, "The practice is more than 30 days old. Only one founded in the last 30 days is taken for a mistake.")
	ErrPutAway       = fault.New(fault.Conflict, "The practice has been put away already.")
)

// Standing is what a practice of an account holds, in numbers: all that support
// sees of it.
type Standing struct {
	Practice    id.Practice
	Role        access.Role
	Active      bool
	FoundedAt   at.Time
	Clients     int64 // all that there ever were
	Invitations int64 // those open
	Colleagues  int64 // other members, active or not

	closed bool // nobody enters it any more
}

// StandingOf returns the practices that an account works in, to support.
func StandingOf(tx *db.Tx, by access.Actor, who id.Account) (all []Standing, err error) {
	if !by.MaySupport() {
		return nil, fault.NotFound
	}
	return standing(tx, who)
}

func standing(tx *db.Tx, who id.Account) (all []Standing, err error) {
	rows, err := SQL.In(tx).Standing(tx, who)
	if err != nil {
		return nil, fmt.Errorf("standing of %s: %w", who, err)
	}
	for _, r := range rows {
		all = append(all, Standing{r.PracticeID, access.Role(r.Role), r.Active, r.CreatedAt, r.Clients, r.Invitations, r.Colleagues, closed(r.ClosesAt, tx.Now())})
	}
	return all, nil
}

// RecordsOf returns how many records an account opens as a client, to support.
func RecordsOf(tx *db.Tx, by access.Actor, who id.Account) (int, error) {
	if !by.MaySupport() {
		return 0, fault.NotFound
	}
	rows, err := SQL.In(tx).RecordsOfAccount(tx, &who)
	if err != nil {
		return 0, fmt.Errorf("records of %s: %w", who, err)
	}
	return len(rows), nil
}

// Invitation says whether one waits for an address: to support, no more than that.
func Invitation(tx *db.Tx, by access.Actor, e email.Address) (waits bool, err error) {
	if !by.MaySupport() {
		return false, fault.NotFound
	}
	rows, err := waiting(tx, e)
	return len(rows) > 0, err
}

func waiting(tx *db.Tx, e email.Address) ([]peopledb.LiveByAddressRow, error) {
	index, err := addressIndex(tx, e)
	if err != nil {
		return nil, err
	}
	rows, err := SQL.In(tx).LiveByAddress(tx, peopledb.LiveByAddressParams{EmailIndex: index, Now: tx.Now()})
	if err != nil {
		return nil, fmt.Errorf("invitations that wait: %w", err)
	}
	return rows, nil
}

// Mistaken returns the practice that an account founded by mistake, or says why
// it is none. It is for support, and for the account's own owner.
func Mistaken(tx *db.Tx, by access.Actor, who id.Account) (id.Practice, error) {
	if !by.MaySupport() && by.Account() != who {
		return "", fault.NotFound
	}
	all, err := standing(tx, who)
	if err != nil {
		return "", err
	}
	if len(all) != 1 {
		if len(all) == 0 {
			return "", ErrNoPractice
		}
		return "", ErrSeveral
	}
	return all[0].Practice, all[0].mistake(tx.Now())
}

// mistake says why s cannot be taken for one, or nil.
func (s Standing) mistake(now at.Time) error {
	switch {
	case s.Role != access.Owner || !s.Active:
		return ErrNotOwner
	case s.Colleagues > 0:
		return ErrHasColleagues
	case s.Clients > 0:
		return ErrHasClients
	case now.After(s.FoundedAt.Add(young)):
		return ErrTooOld
	}
	return nil
}

// PutAway puts the practice away that an account founded by mistake. Held, it
// can get neither a client nor a member while it is looked at.
func PutAway(tx *db.Tx, by access.Actor, who id.Account, p id.Practice) error {
	if err := holdPractice(tx, p); err != nil {
		return err
	}
	is, err := Mistaken(tx, by, who)
	if err != nil {
		return err
	}
	if is != p { // it has another one than that which was asked about
		return ErrNoPractice
	}
	return putAway(tx, who, p)
}

func holdPractice(tx *db.Tx, p id.Practice) error {
	_, err := SQL.In(tx).HoldPractice(tx, p)
	if errors.Is(err, db.None) {
		return fault.NotFound
	}
	if err != nil {
		return fmt.Errorf("hold %s: %w", p, err)
	}
	return nil
}

// putAway hides a practice, which is held and has no clients, and ends the
// membership of its only member.
func putAway(tx *db.Tx, who id.Account, p id.Practice) error {
	n, err := SQL.In(tx).PutAway(tx, peopledb.PutAwayParams{Now: tx.Now().Ptr(), ID: p})
	if err != nil {
		return fmt.Errorf("put %s away: %w", p, err)
	}
	if n == 0 {
		return ErrPutAway
	}
	if err := leavePractice(tx, who, p); err != nil {
		return err
	}
	return audit.Record(tx, access.Job(p), audit.Deed{Did: audit.PracticePutAway, Subject: p})
}

// leavePractice ends a membership, if it has not ended yet, and what came with it.
func leavePractice(tx *db.Tx, who id.Account, p id.Practice) error {
	left, err := SQL.In(tx).LeavePractice(tx, peopledb.LeavePracticeParams{PracticeID: p, AccountID: who})
	if err != nil {
		return fmt.Errorf("leave %s: %w", p, err)
	}
	tx.Notify(PracticeTopic(p))
	if err := account.EndWork(tx, access.Job(p), who); err != nil {
		return err
	}
	for _, m := range left {
		if err := TakeAway(tx, access.Job(p), m); err != nil {
			return err
		}
		if err := audit.Record(tx, access.Job(p), audit.Deed{Did: audit.PractitionerLeft, Subject: m}); err != nil {
			return err
		}
	}
	return nil
}

// reopen takes the practice up again that by had founded and that was put away,
// under a new name. It is db.None if there is none.
func reopen(tx *db.Tx, by access.Actor, name, zone string) (access.Actor, error) {
	p, err := SQL.In(tx).Reopen(tx, peopledb.ReopenParams{Name: name, Zone: zone, CreatedAt: tx.Now(), FounderID: by.Account()})
	if errors.Is(err, db.None) {
		return access.Actor{}, db.None
	}
	if err != nil {
		return access.Actor{}, fmt.Errorf("reopen a practice: %w", err)
	}
	m, err := SQL.In(tx).Rejoin(tx, peopledb.RejoinParams{PracticeID: p, AccountID: by.Account()})
	if err != nil {
		return access.Actor{}, fmt.Errorf("reopen %s: %w", p, err)
	}
	tx.Notify(PracticeTopic(p))
	tx.Notify(account.Topic(by.Account()))
	owner := access.AsPractitioner(p, by.Account(), m, access.Owner)
	return owner, audit.Record(tx, owner, audit.Deed{Did: audit.PracticeFounded, Subject: p})
}

// AcceptWaiting accepts the invitation that waits for the address of an
// account, as Accept does with the link in a letter. Of several it accepts none:
// two people may share a mailbox, and which is whose only they know.
func AcceptWaiting(tx *db.Tx, by access.Actor, who id.Account) (accepted bool, err error) {
	if !by.MaySupport() && by.Account() != who {
		return false, fault.NotFound
	}
	person := access.AsPerson(who)
	me, err := account.Of(tx, person)
	if err != nil || !me.Verified {
		return false, err
	}
	rows, err := waiting(tx, me.Email)
	if err != nil || len(rows) != 1 {
		return false, err
	}
	o, err := look(tx, rows[0].TokenHash)
	if err != nil || o.Fault() != nil { // care has ended while the link was alive
		return false, err
	}
	_, err = accept(tx, person, rows[0].TokenHash)
	return err == nil, err
}
