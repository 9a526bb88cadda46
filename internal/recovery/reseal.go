package recovery

import (
	"fmt"

	"icouch/internal/access"
	"icouch/internal/audit"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
	"icouch/internal/recovery/recoverydb"
)

// Reseal seals the reasons again, with the installation's newest key, a part at
// a time: call it with what it returned until that is empty.
func Reseal(tx *db.Tx, by access.Actor, after id.Recovery) (next id.Recovery, err error) {
	if by.Role() != access.Shell {
		return "", fault.Forbidden
	}
	key, err := keys.Of(tx, keys.Installation)
	if err != nil {
		return "", err
	}
	rows, err := SQL.In(tx).Reseal(tx, after)
	if err != nil {
		return "", fmt.Errorf("reseal: %w", err)
	}
	for _, r := range rows {
		reason, err := key.Open(r.Reason, reasonPlace(r.ID))
		if err != nil {
			return "", err
		}
		again := recoverydb.ResealedParams{PracticeID: r.PracticeID, ID: r.ID}
		if again.Reason, err = key.Seal(reason, reasonPlace(r.ID)); err != nil {
			return "", err
		}
		if err := SQL.In(tx).Resealed(tx, again); err != nil {
			return "", fmt.Errorf("reseal %s: %w", r.ID, err)
		}
		next = r.ID
	}
	return next, audit.Record(tx, by, audit.Deed{Did: audit.KeysRotated, Subject: keys.Installation})
}

func reasonPlace(r id.Recovery) string { return crypt.Place("recovery.reason", keys.Installation, r) }
