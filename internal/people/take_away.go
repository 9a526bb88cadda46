package people

import (
	"fmt"

	"icouch/internal/access"
	"icouch/internal/audit"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/letter"
	"icouch/internal/people/peopledb"
	"icouch/internal/platform/db"
)

// TakeAway ends all that a member held beyond their own clients: care teams,
// supervision by them and of them, what they opened in an emergency, and the
// links they had sent, to colleagues and to clients they vouched for. It is the
// same whether they were made inactive or left by themselves. Who looks after
// their clients is not its business.
func TakeAway(tx *db.Tx, by access.Actor, who id.Practitioner) error {
	if by.Role() != access.System && !by.May(access.ManageMembers) {
		return fault.Forbidden
	}
	p, q := by.Practice(), SQL.In(tx)
	for _, end := range []func() error{
		func() error {
			return q.LeaveCareTeams(tx, peopledb.LeaveCareTeamsParams{PracticeID: p, PractitionerID: who})
		},
		func() error {
			return q.EndSupervision(tx, peopledb.EndSupervisionParams{PracticeID: p, PractitionerID: who})
		},
		func() error {
			return q.EndVouchesBy(tx, peopledb.EndVouchesByParams{Now: tx.Now().Ptr(), PracticeID: p, PractitionerID: who})
		},
	} {
		if err := end(); err != nil {
			return fmt.Errorf("take away from %s: %w", who, err)
		}
	}
	if err := closeEmergencies(tx, by, who); err != nil {
		return err
	}
	rows, err := q.EndColleaguesLinks(tx, peopledb.EndColleaguesLinksParams{EndedAt: tx.Now().Ptr(), PracticeID: p, PractitionerID: who})
	if err != nil {
		return fmt.Errorf("end the invitations of %s: %w", who, err)
	}
	for _, r := range rows {
		if err := letter.Cancel(tx, by, r.LetterID); err != nil {
			return err
		}
		if err := audit.Record(tx, by, audit.Deed{Did: audit.MemberUninvited, Subject: r.ID}); err != nil {
			return err
		}
	}
	return nil
}

func closeEmergencies(tx *db.Tx, by access.Actor, who id.Practitioner) error {
	open, err := SQL.In(tx).CloseEmergencies(tx, peopledb.CloseEmergenciesParams{Now: tx.Now().Ptr(), PracticeID: by.Practice(), PractitionerID: who})
	if err != nil {
		return fmt.Errorf("close the emergencies of %s: %w", who, err)
	}
	for _, e := range open {
		tx.Notify(Topic(by.Practice(), e.ClientID))
		if err := audit.Record(tx, by, audit.Deed{Did: audit.EmergencyClosed, Subject: e.ID, Client: e.ClientID}); err != nil {
			return err
		}
	}
	return nil
}
