package support

import (
	"fmt"

	"icouch/internal/access"
	"icouch/internal/audit"
	"icouch/internal/base/fault"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
	"icouch/internal/support/supportdb"
)

// Reseal seals the reasons of requests again, with the installation's newest
// key, a part at a time: call it with what it returned until that is empty.
func Reseal(tx *db.Tx, by access.Actor, after RequestID) (next RequestID, err error) {
	if by.Role() != access.Shell {
		return "", fault.Forbidden
	}
	key, err := keys.Of(tx, keys.Installation)
	if err != nil {
		return "", err
	}
	rows, err := SQL.In(tx).Reseal(tx, after.String())
	if err != nil {
		return "", fmt.Errorf("reseal: %w", err)
	}
	for _, r := range rows {
		next = RequestID(r.ID)
		reason, err := key.Open(r.Reason, reasonPlace(next))
		if err != nil {
			return "", err
		}
		sealed, err := key.Seal(reason, reasonPlace(next))
		if err != nil {
			return "", err
		}
		if err := SQL.In(tx).Resealed(tx, supportdb.ResealedParams{Reason: sealed, ID: r.ID}); err != nil {
			return "", fmt.Errorf("reseal %s: %w", r.ID, err)
		}
	}
	return next, audit.Record(tx, by, audit.Deed{Did: audit.KeysRotated, Subject: keys.Installation})
}
