// Package support is the people who run the installation and help those who
// cannot get on by themselves: above all a client who came in by the wrong door
// and has a practice where a place of their own was meant.
//
// A supporter is somebody with an account, named by the operator at the machine
// and by nobody else. They sign in like everybody and choose the place
// "Support". There they find an account by its exact e-mail address and see how
// it stands, in numbers. No name of a client, and nothing that anybody wrote,
// can be reached from here; nobody's password is set; nobody signs in as
// somebody else. Each look-up is in the trail.
//
// A request turns a practitioner's account into a client's. It is asked, the
// holder confirms it by signing in and proving their password once more, and a
// second supporter approves it:
//
//	asked → confirmed → done
//	  ↘         ↘
//	declined · withdrawn · expired, after seven days
//
// Where there is no second supporter, the holder is the second person, and
// confirming does it. It is done only while the practice is empty, young and
// nobody else's; that is looked at again at each step. What it does, it does in
// one transaction: everybody is signed out, the practice is put away, the one
// invitation that waits for the address is accepted, all concerned are told.
package support

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
	"icouch/internal/base/secret"
	"icouch/internal/letter"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
	"icouch/internal/support/supportdb"
)

// SQL is this package's statements.
var SQL = db.Prepare(supportdb.Prepare)

// What the operator, and who would be in support, is told.
var (
	ErrNobody       = fault.New(fault.NotFound, "No account has this e-mail address.")
	ErrUnverified   = fault.New(fault.Conflict, "The owner of this account has not confirmed their e-mail address yet. They do that first.")
	ErrAlready      = fault.New(fault.Conflict, "This person is in support already.")
	ErrNotSupporter = fault.New(fault.Conflict, "This person is not in support.")
)

// Place is where a session is while its person is at work in support. The
// installation is no practice, and has no clients.
var Place = account.Place{Practice: keys.Installation}

// Supporter is one of the people in support.
type Supporter struct {
	Account id.Account
	Email   email.Address
	Since   at.Time
}

// Appoint makes the owner of an address a supporter, and tells them.
func Appoint(tx *db.Tx, by access.Actor, e email.Address) error {
	who, err := named(tx, by, e)
	if err != nil {
		return err
	}
	if !who.Verified {
		return ErrUnverified
	}
	n, err := SQL.In(tx).AddSupporter(tx, supportdb.AddSupporterParams{AccountID: who.ID, Since: tx.Now()})
	if err != nil {
		return fmt.Errorf("appoint %s: %w", who.ID, err)
	}
	if n == 0 {
		return ErrAlready
	}
	if err := told(tx, by, who.Email, who.ID, letter.Security, appointedBody()); err != nil {
		return err
	}
	return record(tx, by, audit.SupporterMade, who.ID, who.ID)
}

// Dismiss ends it. Whoever is in the console is out of it at once.
func Dismiss(tx *db.Tx, by access.Actor, e email.Address) error {
	who, err := named(tx, by, e)
	if err != nil {
		return err
	}
	n, err := SQL.In(tx).RemoveSupporter(tx, who.ID)
	if err != nil {
		return fmt.Errorf("dismiss %s: %w", who.ID, err)
	}
	if n == 0 {
		return ErrNotSupporter
	}
	if err := people.EndRecoveries(tx, by, keys.Installation, who.ID); err != nil {
		return err
	}
	if err := told(tx, by, who.Email, who.ID, letter.Security, dismissedBody()); err != nil {
		return err
	}
	return record(tx, by, audit.SupporterEnded, who.ID, who.ID)
}

// named is the account that the operator named by its address.
func named(tx *db.Tx, by access.Actor, e email.Address) (account.Account, error) {
	if by.Role() != access.Shell {
		return account.Account{}, fault.Forbidden
	}
	who, err := account.ByEmail(tx, by, e)
	if errors.Is(err, db.None) {
		return account.Account{}, ErrNobody
	}
	return who, err
}

// All returns the supporters, for the operator. Whose account is to be deleted
// is none of them any more.
func All(tx *db.Tx, by access.Actor) (all []Supporter, err error) {
	if by.Role() != access.Shell {
		return nil, fault.Forbidden
	}
	rows, err := SQL.In(tx).Supporters(tx)
	if err != nil {
		return nil, fmt.Errorf("supporters: %w", err)
	}
	for _, r := range rows {
		s, err := account.StandingOf(tx, by, r.AccountID)
		if err != nil {
			return nil, err
		}
		all = append(all, Supporter{r.AccountID, s.Email, r.Since})
	}
	return all, nil
}

// Is reports whether by's own account is a supporter's.
func Is(tx *db.Tx, by access.Actor) (bool, error) {
	if !by.SignedIn() {
		return false, nil
	}
	return is(tx, by.Account())
}

func is(tx *db.Tx, a id.Account) (bool, error) {
	_, err := SQL.In(tx).Supporter(tx, a)
	if errors.Is(err, db.None) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("supporter %s: %w", a, err)
	}
	return true, nil
}

// Terms are how long a session in support lasts: as where clients' records are.
var Terms = account.Terms{Life: 12 * time.Hour, Idle: 15 * time.Minute}

// Begin takes by's own session to support.
func Begin(tx *db.Tx, by access.Actor, session secret.Token) error {
	is, err := Is(tx, by)
	if err != nil {
		return err
	}
	if !is {
		return people.ErrNoPlace
	}
	return account.Move(tx, by, session, Place, Terms)
}

// Leave takes by's own session from support back to their first place.
func Leave(tx *db.Tx, by access.Actor, session secret.Token) error {
	if by.Role() != access.Support {
		return fault.Forbidden
	}
	home, err := people.HomeOf(tx, by)
	if err != nil {
		return err
	}
	here, err := people.TermsOf(tx, home)
	if err != nil {
		return err
	}
	return account.Move(tx, by, session, home, here)
}

// Enter returns who a session's person is where they are now: see people.Enter,
// which whatever is asked of everybody at the door is asked by. Beside the
// places it knows, there is support, for who is a supporter still.
func Enter(tx *db.Tx, s account.Session) (access.Actor, error) {
	by, err := people.Enter(tx, s)
	if err != nil || s.Practice != Place.Practice || by.Role() != access.Person {
		return by, err
	}
	is, err := is(tx, s.Account)
	if err != nil || !is {
		return by, err
	}
	if !s.Strong { // as for everybody who works here: a second step first
		return access.AsWaiting("", s.Account), nil
	}
	return access.AsSupport(s.Account), nil
}

// record adds a line to the installation's trail, and has whoever remembers
// the account look again.
func record(tx *db.Tx, by access.Actor, did audit.Action, about id.Account, subject fmt.Stringer) error {
	tx.Notify(account.Topic(about))
	return audit.Record(tx, by, audit.Deed{Did: did, Subject: subject})
}

// told writes to the owner of an account.
func told(tx *db.Tx, by access.Actor, to email.Address, about id.Account, k letter.Kind, b letter.Body) error {
	_, err := letter.Send(tx, by, letter.Draft{Kind: k, To: to, FromName: letter.Brand, Body: b, Account: about})
	return err
}
