package joint

import (
	"fmt"

	"icouch/internal/access"
	"icouch/internal/audit"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/joint/jointdb"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

// Reseal seals some of the joint records of by's practice again, with its newest
// key: those after one. It returns the last of them, or "" when none is left;
// see people.Reseal.
func Reseal(tx *db.Tx, by access.Actor, after id.Joint) (last id.Joint, err error) {
	if by.Role() != access.Shell {
		return "", fault.Forbidden
	}
	p := by.Practice()
	key, err := keys.Of(tx, p)
	if err != nil {
		return "", err
	}
	rows, err := SQL.In(tx).Reseal(tx, jointdb.ResealParams{PracticeID: p, After: after})
	if err != nil {
		return "", fmt.Errorf("reseal: %w", err)
	}
	for _, r := range rows {
		name, err := key.Open(r.Name, namePlace(p, r.ID))
		if err != nil {
			return "", err
		}
		again, err := key.Seal(name, namePlace(p, r.ID))
		if err != nil {
			return "", err
		}
		if err := SQL.In(tx).Resealed(tx, jointdb.ResealedParams{Name: again, PracticeID: p, ID: r.ID, Version: r.Version}); err != nil {
			return "", fmt.Errorf("reseal %s: %w", r.ID, err)
		}
		last = r.ID
	}
	return last, audit.Record(tx, by, audit.Deed{Did: audit.KeysRotated, Subject: p})
}
