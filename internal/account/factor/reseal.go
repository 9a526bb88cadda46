package factor

import (
	"fmt"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/account/factor/factordb"
	"icouch/internal/audit"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

// ResealSeeds seals the seeds of authenticators again, with the installation's
// newest key, a part at a time: call it with what it returned until that is empty.
func ResealSeeds(tx *db.Tx, by access.Actor, after id.Account) (next id.Account, err error) {
	if by.Role() != access.Shell {
		return "", fault.Forbidden
	}
	rows, err := SQL.In(tx).Seeds(tx, after)
	if err != nil {
		return "", fmt.Errorf("reseal seeds: %w", err)
	}
	for _, r := range rows {
		sealed, err := again(tx, r.Seed, seedPlace(r.AccountID))
		if err != nil {
			return "", err
		}
		// Unless it was replaced meanwhile: then it has the new key already.
		if err := SQL.In(tx).ResealSeed(tx, factordb.ResealSeedParams{Seed: sealed, AccountID: r.AccountID, Before: r.Seed}); err != nil {
			return "", fmt.Errorf("reseal the seed of %s: %w", r.AccountID, err)
		}
		next = r.AccountID
	}
	return next, account.Note(tx, by, audit.KeysRotated, keys.Installation)
}

// ResealPasskeys is ResealSeeds for the names of passkeys.
func ResealPasskeys(tx *db.Tx, by access.Actor, after id.Passkey) (next id.Passkey, err error) {
	if by.Role() != access.Shell {
		return "", fault.Forbidden
	}
	rows, err := SQL.In(tx).PasskeyNames(tx, after)
	if err != nil {
		return "", fmt.Errorf("reseal passkeys: %w", err)
	}
	for _, r := range rows {
		sealed, err := again(tx, r.Name, passkeyPlace(r.ID))
		if err != nil {
			return "", err
		}
		if err := SQL.In(tx).ResealName(tx, factordb.ResealNameParams{Name: sealed, AccountID: r.AccountID, ID: r.ID}); err != nil {
			return "", fmt.Errorf("reseal passkey %s: %w", r.ID, err)
		}
		next = r.ID
	}
	return next, account.Note(tx, by, audit.KeysRotated, keys.Installation)
}

func again(tx *db.Tx, s crypt.Sealed, place string) (crypt.Sealed, error) {
	key, err := house(tx)
	if err != nil {
		return nil, err
	}
	open, err := key.Open(s, place)
	if err != nil {
		return nil, err
	}
	return key.Seal(open, place)
}
