// Package team is who works in a practice, and which clients each of them may
// see: colleagues are invited, have a role, look after clients, hand them over,
// and leave.
//
// A member has one role. What it lets them do stands in access.Powers. Beyond
// their own clients a member sees those whose care team they are in, as a
// supervisor those of whom they supervise, and for an hour one they opened in
// an emergency.
//
// It is a package above people and not a part of it: people knows who a member
// and a client are and asks, at each request, how far a member reaches; team is
// where that is decided and changed.
//
// The rules:
//   - nobody gives a role above their own: only an owner makes an owner, or an
//     owner something else;
//   - there is always an active owner;
//   - nobody who has clients stops looking after them unless somebody else is
//     named who does;
//   - what is taken away is gone at once, in every browser.
package team

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/audit"
	"icouch/internal/base/email"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/letter"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/team/teamdb"
)

// SQL is this package's statements.
var SQL = db.Prepare(teamdb.Prepare)

// What people are told about members.
var (
	ErrNoRole     = fault.On("member-role", fault.Invalid, "Choose a role.")
	ErrSameRole   = fault.New(fault.Conflict, "This member has that role already.")
	ErrLastOwner  = fault.New(fault.Conflict, "A practice needs an owner. Make somebody else an owner first.")
	ErrHasClients = fault.New(fault.Conflict, "This member looks after clients, which nobody with that role does. Hand their clients over first.")
	ErrHasJoints  = fault.New(fault.Conflict, "This member looks after joint records. Open each under People, “Couples and families”, and choose who looks after it from now on.")
	ErrNoHeir     = fault.On("heir", fault.Invalid, "Choose who looks after these clients from now on.")
	ErrInactive   = fault.New(fault.Conflict, "This member is inactive. Make them active first.")
	ErrActive     = fault.New(fault.Conflict, "This member is active already.")
	ErrGone       = fault.New(fault.Conflict, "This member has deleted their account. Invite them anew, if they come back.")
)

// Member is somebody who works, or worked, in the practice. Of one who has
// deleted their account the practice keeps the name it knew them by.
type Member struct {
	people.Practitioner
	Email email.Address
	Gone  bool // the account was deleted, and with it the address
}

// Members returns everybody who works or worked in by's practice, to who
// manages them.
func Members(tx *db.Tx, by access.Actor) ([]Member, error) {
	if !by.May(access.ManageMembers) {
		return nil, fault.Forbidden
	}
	all, err := people.Practitioners(tx, by)
	if err != nil {
		return nil, err
	}
	members := make([]Member, len(all))
	for i, p := range all {
		a, err := account.Read(tx, access.Job(by.Practice()), p.Account)
		gone := errors.Is(err, account.ErrNoAccount)
		if err != nil && !gone {
			return nil, err
		}
		members[i] = Member{p, a.Email, gone}
	}
	return members, nil
}

// member returns one member of by's practice, whoever asks; one of another
// practice is fault.NotFound.
func member(tx *db.Tx, by access.Actor, who id.Practitioner) (people.Practitioner, error) {
	all, err := people.Practitioners(tx, access.Job(by.Practice()))
	if err != nil {
		return people.Practitioner{}, err
	}
	i := slices.IndexFunc(all, func(p people.Practitioner) bool { return p.ID == who })
	if i < 0 {
		return people.Practitioner{}, fault.NotFound
	}
	return all[i], nil
}

// owners are the members who own a practice.
func owners(tx *db.Tx, p id.Practice) (all []people.Practitioner, err error) {
	members, err := people.Practitioners(tx, access.Job(p))
	for _, m := range members {
		if m.Role == access.Owner {
			all = append(all, m)
		}
	}
	return all, err
}

// SetRole gives a member another role.
func SetRole(tx *db.Tx, by access.Actor, who id.Practitioner, role access.Role) error {
	m, err := manage(tx, by, who)
	if err != nil {
		return err
	}
	switch {
	case !slices.Contains(access.WorkRoles, role):
		return ErrNoRole
	case role == access.Owner && !by.May(access.MakeOwners):
		return fault.Forbidden
	case !m.Active:
		return ErrInactive
	case m.Role == role:
		return ErrSameRole
	}
	if err := keepOwner(tx, by, m); err != nil {
		return err
	}
	is := m
	is.Role = role
	if !is.CaresForClients() {
		if has, err := Caseload(tx, by, who); err != nil || len(has) > 0 {
			return orElse(err, ErrHasClients)
		}
		if err := keepsNoJoints(tx, by, who); err != nil {
			return err
		}
	}
	if err := SQL.In(tx).SetRole(tx, teamdb.SetRoleParams{Role: string(role), Now: tx.Now().Ptr(), PracticeID: by.Practice(), ID: who}); err != nil {
		return fmt.Errorf("role of %s: %w", who, err)
	}
	if role != access.Supervisor {
		if err := SQL.In(tx).EndSupervisionBy(tx, teamdb.EndSupervisionByParams{PracticeID: by.Practice(), SupervisorID: who}); err != nil {
			return fmt.Errorf("role of %s: %w", who, err)
		}
	}
	if err := endBeyond(tx, by, who, role); err != nil {
		return err
	}
	if err := people.EndRecoveries(tx, by, by.Practice(), m.Account); err != nil {
		return err
	}
	tell(tx, m)
	tx.Notify(people.PracticeTopic(by.Practice()))
	return audit.Record(tx, by, audit.Deed{Did: audit.RoleChanged, Subject: who, Fields: []string{string(m.Role), string(role)}})
}

// Deactivate makes a member inactive: from their next request on they are
// nobody here. Whoever has clients cannot go without somebody who takes them.
func Deactivate(tx *db.Tx, by access.Actor, who, heir id.Practitioner) error {
	m, err := manage(tx, by, who)
	if err != nil {
		return err
	}
	if !m.Active {
		return ErrInactive
	}
	if err := keepOwner(tx, by, m); err != nil {
		return err
	}
	clients, err := Caseload(tx, by, who)
	if err != nil {
		return err
	}
	if len(clients) > 0 {
		if heir == "" || heir == who {
			return ErrNoHeir
		}
		if err := handOver(tx, by, m, heir, clients); err != nil {
			return err
		}
		if err := handOverJoints(tx, by, who, heir); err != nil {
			return err
		}
	} else if err := keepsNoJoints(tx, by, who); err != nil {
		return err
	}
	if err := SQL.In(tx).SetActive(tx, teamdb.SetActiveParams{Active: false, Now: tx.Now().Ptr(), PracticeID: by.Practice(), ID: who}); err != nil {
		return fmt.Errorf("make %s inactive: %w", who, err)
	}
	if err := people.TakeAway(tx, by, who); err != nil {
		return err
	}
	if err := account.EndWork(tx, by, m.Account); err != nil { // made active again, they sign in again
		return err
	}
	tell(tx, m)
	tx.Notify(people.PracticeTopic(by.Practice()))
	return audit.Record(tx, by, audit.Deed{Did: audit.MemberInactive, Subject: who})
}

// Reactivate takes Deactivate back, in the role they had. What they were given
// beyond that does not come back by itself.
func Reactivate(tx *db.Tx, by access.Actor, who id.Practitioner) error {
	m, err := manage(tx, by, who)
	if err != nil {
		return err
	}
	if m.Active {
		return ErrActive
	}
	_, err = account.Read(tx, access.Job(by.Practice()), m.Account)
	if errors.Is(err, account.ErrNoAccount) { // nobody would be an owner who cannot sign in
		return ErrGone
	}
	if err != nil {
		return err
	}
	if err := SQL.In(tx).SetActive(tx, teamdb.SetActiveParams{Active: true, Now: tx.Now().Ptr(), PracticeID: by.Practice(), ID: who}); err != nil {
		return fmt.Errorf("make %s active: %w", who, err)
	}
	tell(tx, m)
	tx.Notify(people.PracticeTopic(by.Practice()))
	return audit.Record(tx, by, audit.Deed{Did: audit.MemberActive, Subject: who})
}

// manage returns a member whom by may make something else, and holds the
// practice: nobody else changes its members until tx ends.
func manage(tx *db.Tx, by access.Actor, who id.Practitioner) (people.Practitioner, error) {
	if !by.May(access.ManageMembers) {
		return people.Practitioner{}, fault.Forbidden
	}
	if _, err := SQL.In(tx).HoldPractice(tx, by.Practice()); err != nil {
		return people.Practitioner{}, fmt.Errorf("hold %s: %w", by.Practice(), err)
	}
	m, err := member(tx, by, who)
	if err == nil && m.Role == access.Owner && !by.May(access.MakeOwners) {
		return people.Practitioner{}, fault.Forbidden
	}
	return m, err
}

// keepOwner is ErrLastOwner if m, who is about to stop being one, is the only
// active owner.
func keepOwner(tx *db.Tx, by access.Actor, m people.Practitioner) error {
	if m.Role != access.Owner {
		return nil
	}
	all, err := people.Practitioners(tx, by)
	if err != nil {
		return err
	}
	for _, other := range all {
		if other.Active && other.Role == access.Owner && other.ID != m.ID {
			return nil
		}
	}
	return ErrLastOwner
}

// IsLastOwner reports whether a member is the only active owner of by's practice.
func IsLastOwner(tx *db.Tx, by access.Actor, who id.Practitioner) (bool, error) {
	m, err := member(tx, by, who)
	if err != nil || !m.Active {
		return false, err
	}
	err = keepOwner(tx, access.Job(by.Practice()), m)
	if err == ErrLastOwner {
		return true, nil
	}
	return false, err
}

// tell has whoever remembers a member ask anew who they are.
func tell(tx *db.Tx, m people.Practitioner) { tx.Notify(account.Topic(m.Account)) }

// write sends a member, if active, a letter of the practice's.
func write(tx *db.Tx, by access.Actor, to people.Practitioner, k letter.Kind, b letter.Body) error {
	if !to.Active {
		return nil
	}
	a, err := account.Read(tx, access.Job(by.Practice()), to.Account)
	if err != nil {
		return err
	}
	_, err = letter.Send(tx, by, letter.Draft{Kind: k, To: a.Email, FromName: letter.Brand, Body: b})
	return err
}

func orElse(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// list is identifiers as a statement takes them.
func list[T any](all []T) (string, error) {
	b, err := json.Marshal(all)
	if err != nil {
		return "", fmt.Errorf("list: %w", err)
	}
	return string(b), nil
}
