package team

import (
	"fmt"
	"slices"

	"icouch/internal/access"
	"icouch/internal/audit"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/platform/db"
	"icouch/internal/team/teamdb"
)

// What people are told about supervision.
var (
	ErrNoSupervisor = fault.New(fault.Conflict, "Only somebody with the role of a supervisor can supervise. Change their role first.")
	ErrNoSupervisee = fault.On("supervises", fault.Invalid, "Choose among the members who look after clients.")
)

// Supervised returns whom each supervisor of by's practice supervises.
func Supervised(tx *db.Tx, by access.Actor) (map[id.Practitioner][]id.Practitioner, error) {
	if !by.May(access.ManageMembers) {
		return nil, fault.Forbidden
	}
	rows, err := SQL.In(tx).Supervisions(tx, by.Practice())
	if err != nil {
		return nil, fmt.Errorf("supervision in %s: %w", by.Practice(), err)
	}
	all := map[id.Practitioner][]id.Practitioner{}
	for _, r := range rows {
		all[r.SupervisorID] = append(all[r.SupervisorID], r.PractitionerID)
	}
	return all, nil
}

// Supervise says whom a supervisor supervises, all of them: whoever is not
// among them is not supervised any more.
func Supervise(tx *db.Tx, by access.Actor, supervisor id.Practitioner, whom []id.Practitioner) error {
	m, err := manage(tx, by, supervisor)
	if err != nil {
		return err
	}
	if m.Role != access.Supervisor || !m.Active {
		return ErrNoSupervisor
	}
	for _, who := range whom {
		s, err := member(tx, by, who)
		if err == fault.NotFound || err == nil && (!s.CaresForClients() || who == supervisor) {
			return ErrNoSupervisee
		}
		if err != nil {
			return err
		}
	}
	if err := SQL.In(tx).EndSupervisionBy(tx, teamdb.EndSupervisionByParams{PracticeID: by.Practice(), SupervisorID: supervisor}); err != nil {
		return fmt.Errorf("supervision by %s: %w", supervisor, err)
	}
	for _, who := range slices.Compact(slices.Sorted(slices.Values(whom))) {
		err := SQL.In(tx).Supervise(tx, teamdb.SuperviseParams{PracticeID: by.Practice(), SupervisorID: supervisor, PractitionerID: who, AddedAt: tx.Now()})
		if err != nil {
			return fmt.Errorf("supervision by %s: %w", supervisor, err)
		}
	}
	tell(tx, m)
	return audit.Record(tx, by, audit.Deed{Did: audit.SupervisionSet, Subject: supervisor, Fields: names(whom)})
}

// names are identifiers as the trail keeps them.
func names(all []id.Practitioner) (out []string) {
	for _, p := range all {
		out = append(out, p.String())
	}
	return out
}
