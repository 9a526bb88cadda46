package people

import (
	"errors"
	"fmt"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/audit"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/letter"
	"icouch/internal/people/peopledb"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

// TakeAway ends all that a member held beyond their own clients: care teams,
// supervision by them and of them, what they opened in an emergency, each recovery
// that they asked for, approved or were to have (see EndRecoveries), and the
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
	m, err := practitioner(tx, p, who)
	if err != nil {
		return err
	}
	if err := EndRecoveries(tx, by, p, m.Account); err != nil {
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

// EndRecoveries ends what is under way to let somebody set up new second steps,
// once who has it, or has asked for it or approved it in p, is not what they were:
// made inactive, given another role, gone, or dismissed from support. p is then
// keys.Installation. Who was to have it is told that nothing changes.
func EndRecoveries(tx *db.Tx, by access.Actor, p id.Practice, who id.Account) error {
	if by.Role() != access.System && by.Role() != access.Shell && !by.May(access.ManageMembers) {
		return fault.Forbidden
	}
	rows, err := SQL.In(tx).EndRecoveries(tx, peopledb.EndRecoveriesParams{Now: tx.Now().Ptr(), PracticeID: p, AccountID: who})
	if err != nil {
		return fmt.Errorf("end the recoveries of %s: %w", who, err)
	}
	for _, r := range rows {
		line := access.Job(keys.Installation) // which asked for it
		if r.PracticeID == by.Practice() {
			line = by
		}
		if err := audit.Record(tx, line, audit.Deed{Did: audit.RecoveryWithdrawn, Subject: r.ID}); err != nil {
			return err
		}
		a, err := account.Read(tx, access.Job(keys.Installation), r.AccountID)
		if errors.Is(err, account.ErrNoAccount) {
			continue
		}
		if err != nil {
			return err
		}
		if err := account.Warn(tx, access.Job(keys.Installation), a, "Your second step stays as it is", recoveryOver); err != nil {
			return err
		}
	}
	return nil
}

var recoveryOver = letter.Part{Text: "The request to let you set up a new second step on " + letter.Brand + " has ended: somebody it depended on has another place in the practice now. If there was a link, it no longer works. If you still need it, ask an owner of your practice, or choose “Still Need Help?” where you sign in."}
