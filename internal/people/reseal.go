package people

import (
	"fmt"

	"icouch/internal/access"
	"icouch/internal/audit"
	"icouch/internal/base/fault"
	"icouch/internal/people/peopledb"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

// ResealPractitioners seals the names of a practice's members again, with its
// newest key; see Reseal.
func ResealPractitioners(tx *db.Tx, by access.Actor) error {
	if by.Role() != access.Shell {
		return fault.Forbidden
	}
	key, err := keys.Of(tx, by.Practice())
	if err != nil {
		return err
	}
	rows, err := SQL.In(tx).Practitioners(tx, by.Practice())
	if err != nil {
		return fmt.Errorf("reseal: %w", err)
	}
	for _, r := range rows {
		name, err := again(key, r.Name, practitionerPlace(by.Practice(), r.ID))
		if err != nil {
			return err
		}
		err = SQL.In(tx).RenamePractitioner(tx, peopledb.RenamePractitionerParams{Name: name, PracticeID: by.Practice(), ID: r.ID})
		if err != nil {
			return fmt.Errorf("reseal %s: %w", r.ID, err)
		}
	}
	return audit.Record(tx, by, audit.Deed{Did: audit.KeysRotated, Subject: by.Practice()})
}
