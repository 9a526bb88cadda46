package team

import (
	"fmt"

	"icouch/internal/access"
	"icouch/internal/audit"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/letter"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/team/teamdb"
)

// A caseload is the clients a member looks after, those whose care has ended
// among them: somebody has to answer for the record.

// What people are told about handing over.
var (
	ErrNobodyChosen = fault.On("client", fault.Invalid, "Choose at least one client.")
	ErrMoved        = fault.New(fault.Conflict, "Somebody else has handed over some of these clients meanwhile. Look at the list as it is now, then choose again.")
)

// Caseload returns the clients whom a member of by's practice looks after.
func Caseload(tx *db.Tx, by access.Actor, who id.Practitioner) ([]id.Client, error) {
	if !by.May(access.AssignCare) {
		return nil, fault.Forbidden
	}
	all, err := SQL.In(tx).CaseloadOf(tx, teamdb.CaseloadOfParams{PracticeID: by.Practice(), PractitionerID: who})
	if err != nil {
		return nil, fmt.Errorf("caseload of %s: %w", who, err)
	}
	return all, nil
}

// HandOver gives clients whom one member looks after to another, all of those
// named or none. Both are told, without a name.
func HandOver(tx *db.Tx, by access.Actor, from, to id.Practitioner, clients []id.Client) error {
	if !by.May(access.AssignCare) {
		return fault.Forbidden
	}
	if _, err := SQL.In(tx).HoldPractice(tx, by.Practice()); err != nil { // nobody leaves meanwhile
		return fmt.Errorf("hold %s: %w", by.Practice(), err)
	}
	m, err := member(tx, by, from)
	if err != nil {
		return err
	}
	if len(clients) == 0 {
		return ErrNobodyChosen
	}
	return handOver(tx, by, m, to, clients)
}

func handOver(tx *db.Tx, by access.Actor, from people.Practitioner, to id.Practitioner, clients []id.Client) error {
	heir, err := member(tx, by, to)
	if err == fault.NotFound || err == nil && (!heir.CaresForClients() || heir.ID == from.ID) {
		return ErrNoHeir
	}
	if err != nil {
		return err
	}
	ids, err := list(clients)
	if err != nil {
		return err
	}
	moved, err := SQL.In(tx).HandOver(tx, teamdb.HandOverParams{Heir: heir.ID, PracticeID: by.Practice(), PractitionerID: from.ID, Ids: ids})
	if err != nil {
		return fmt.Errorf("hand over from %s: %w", from.ID, err)
	}
	if len(moved) != len(unique(clients)) { // another practice's, a colleague's, or moved meanwhile
		return ErrMoved
	}
	if err := SQL.In(tx).LeaveTeams(tx, teamdb.LeaveTeamsParams{PracticeID: by.Practice(), PractitionerID: heir.ID, Ids: ids}); err != nil {
		return fmt.Errorf("hand over from %s: %w", from.ID, err)
	}
	for _, c := range moved {
		tx.Notify(people.Topic(by.Practice(), c))
		if err := audit.Record(tx, by, audit.Deed{Did: audit.ClientHandedOver, Subject: heir.ID, Client: c}); err != nil {
			return err
		}
	}
	tell(tx, from)
	tell(tx, heir)
	return tellOfHandOver(tx, by, from, heir, len(moved))
}

func tellOfHandOver(tx *db.Tx, by access.Actor, from, heir people.Practitioner, n int) error {
	practice, err := people.PracticeOf(tx, by)
	if err != nil {
		return err
	}
	for _, to := range []people.Practitioner{from, heir} {
		if err := write(tx, by, to, letter.HandedOver, handedOverLetter(practice.Name, from, heir, n, to.ID == heir.ID)); err != nil {
			return err
		}
	}
	return nil
}

// handOverJoints has whoever takes a member's clients look after their joint
// records, too.
func handOverJoints(tx *db.Tx, by access.Actor, from, heir id.Practitioner) error {
	moved, err := SQL.In(tx).HandOverJoints(tx, teamdb.HandOverJointsParams{Heir: heir, PracticeID: by.Practice(), PractitionerID: from})
	if err != nil {
		return fmt.Errorf("hand over joint records of %s: %w", from, err)
	}
	for _, j := range moved {
		if err := audit.Record(tx, by, audit.Deed{Did: audit.JointHanded, Subject: j}); err != nil {
			return err
		}
	}
	return nil
}

// keepsNoJoints is ErrHasJoints if a member looks after joint records.
func keepsNoJoints(tx *db.Tx, by access.Actor, who id.Practitioner) error {
	n, err := SQL.In(tx).JointsOf(tx, teamdb.JointsOfParams{PracticeID: by.Practice(), PractitionerID: who})
	if err != nil {
		return fmt.Errorf("joint records of %s: %w", who, err)
	}
	if n > 0 {
		return ErrHasJoints
	}
	return nil
}

func unique(all []id.Client) map[id.Client]bool {
	once := make(map[id.Client]bool, len(all))
	for _, c := range all {
		once[c] = true
	}
	return once
}
