package people

import (
	"fmt"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/account/factor"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/platform/db"
)

// ErrLastStep says that who works in a practice keeps a second step.
var ErrLastStep = fault.New(fault.Conflict, "Where clients’ records are open, a second step is needed. Set up another one first, then remove this one.")

// DropAuthenticator takes by's authenticator away, unless they work in a
// practice and it is the last second step they have.
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
	work, err := SQL.In(tx).Memberships(tx, by.Account())
	if err != nil {
		return fmt.Errorf("memberships of %s: %w", by.Account(), err)
	}
	if len(work) > 0 {
		return ErrLastStep
	}
	return nil
}
