package team

import (
	"fmt"

	"icouch/internal/access"
	"icouch/internal/audit"
	"icouch/internal/base/fault"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
	"icouch/internal/team/teamdb"
)

// Reseal seals again what this package keeps of by's practice, with its newest
// key; see people.Reseal. There is little of it: one transaction does.
func Reseal(tx *db.Tx, by access.Actor) error {
	if by.Role() != access.Shell {
		return fault.Forbidden
	}
	p := by.Practice()
	key, err := keys.Of(tx, p)
	if err != nil {
		return err
	}
	invitations, err := SQL.In(tx).ResealInvitations(tx, p)
	if err != nil {
		return fmt.Errorf("reseal: %w", err)
	}
	for _, r := range invitations {
		again := teamdb.ResealedInvitationParams{PracticeID: p, ID: r.ID}
		if again.Name, err = sealAgain(key, r.Name, namePlace(p, r.ID)); err != nil {
			return err
		}
		if again.Email, err = sealAgain(key, r.Email, emailPlace(p, r.ID)); err != nil {
			return err
		}
		if err := SQL.In(tx).ResealedInvitation(tx, again); err != nil {
			return fmt.Errorf("reseal %s: %w", r.ID, err)
		}
	}
	emergencies, err := SQL.In(tx).ResealEmergencies(tx, p)
	if err != nil {
		return fmt.Errorf("reseal: %w", err)
	}
	for _, r := range emergencies {
		reason, err := sealAgain(key, r.Reason, reasonPlace(p, r.ID))
		if err != nil {
			return err
		}
		if err := SQL.In(tx).ResealedEmergency(tx, teamdb.ResealedEmergencyParams{Reason: reason, PracticeID: p, ID: r.ID}); err != nil {
			return fmt.Errorf("reseal %s: %w", r.ID, err)
		}
	}
	return audit.Record(tx, by, audit.Deed{Did: audit.KeysRotated, Subject: p})
}

func sealAgain(key *crypt.Key, s crypt.Sealed, place string) (crypt.Sealed, error) {
	open, err := key.Open(s, place)
	if err != nil {
		return nil, err
	}
	return key.Seal(open, place)
}
