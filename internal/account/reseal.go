package account

import (
	"fmt"

	"icouch/internal/access"
	"icouch/internal/account/accountdb"
	"icouch/internal/audit"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

// Reseal seals the names and addresses of accounts again, with the
// installation's newest key, a part at a time: call it with what it returned
// until that is empty. What lives for days only, a sign-up or a link, keeps the
// key it was sealed with, which still opens it.
func Reseal(tx *db.Tx, by access.Actor, after id.Account) (next id.Account, err error) {
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
		p := accountdb.ResealedParams{ID: r.ID}
		if p.Name, err = again(key, r.Name, namePlace(r.ID)); err != nil {
			return "", err
		}
		if p.Email, err = again(key, r.Email, crypt.Place("account.email", keys.Installation, r.ID)); err != nil {
			return "", err
		}
		if err := SQL.In(tx).Resealed(tx, p); err != nil {
			return "", fmt.Errorf("reseal %s: %w", r.ID, err)
		}
		next = r.ID
	}
	return next, record(tx, by, audit.KeysRotated, keys.Installation)
}

func again(key *crypt.Key, s crypt.Sealed, place string) (crypt.Sealed, error) {
	open, err := key.Open(s, place)
	if err != nil {
		return nil, err
	}
	return key.Seal(open, place)
}
