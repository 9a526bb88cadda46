package people

import (
	"errors"
	"fmt"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/account/factor"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/platform/db"
)

// ErrLastStep says that who works in a practice, or in support, keeps a second step.
var ErrLastStep = fault.New(fault.Conflict, "Where clients’ records or other people’s accounts are open, a second step is needed. Set up another one first, then remove this one.")

// DropAuthenticator takes by's authenticator away, unless they work in a
// practice or in support and it is the last second step they have.
func DropAuthenticator(tx *db.Tx, by access.Actor) error {
	if err := mayDrop(tx, by); err != nil {
		return err
	}
	return factor.DropAuthenticator(tx, by)
}

// DropPasskey is DropAuthenticator for a passkey.
func DropPasskey(tx *db.Tx, by access.Actor, k id.Passkey) error {
	if err := mayDrop(tx, by); err != nil {
		return err
	}
	return factor.DropPasskey(tx, by, k)
}

// mayDrop holds the account first: two presses must not each leave the other.
func mayDrop(tx *db.Tx, by access.Actor) error {
	if _, err := account.Hold(tx, by, by.Account()); err != nil {
		return err
	}
	has, err := factor.Of(tx, by)
	if err != nil || !has.Last() {
		return err
	}
	works, err := worksHere(tx, by.Account())
	if err != nil {
		return err
	}
	if works {
		return ErrLastStep
	}
	return nil
}

// worksHere reports whether the owner of an account works on this installation,
// as a member of a practice or in support.
func worksHere(tx *db.Tx, who id.Account) (bool, error) {
	work, err := SQL.In(tx).Memberships(tx, who)
	if err != nil {
		return false, fmt.Errorf("memberships of %s: %w", who, err)
	}
	for _, w := range work {
		if !closed(w.ClosesAt, tx.Now()) {
			return true, nil
		}
	}
	_, err = SQL.In(tx).Supports(tx, who)
	if errors.Is(err, db.None) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("support by %s: %w", who, err)
	}
	return true, nil
}
