package account

import (
	"errors"
	"fmt"

	"icouch/internal/access"
	"icouch/internal/account/accountdb"
	"icouch/internal/base/at"
	"icouch/internal/base/email"
	"icouch/internal/base/id"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

// Standing is all that support sees of an account: how it is signed in to, in
// numbers. Neither a name nor a place is in it.
type Standing struct {
	ID         id.Account
	Email      email.Address
	MadeAt     at.Time
	Verified   bool
	PasswordAt at.Time
	LeavesAt   *at.Time // when it is to be deleted
	Sessions   int64    // signed in now
	Devices    int64    // browsers that have signed in before
}

// StandingOf returns how an account stands, to support and to its own owner.
func StandingOf(tx *db.Tx, by access.Actor, a id.Account) (Standing, error) {
	if a == "" || !by.MaySupport() && by.Account() != a {
		return Standing{}, ErrNoAccount
	}
	return standingOf(tx, a)
}

func standingOf(tx *db.Tx, a id.Account) (Standing, error) {
	row, err := SQL.In(tx).Standing(tx, accountdb.StandingParams{Now: tx.Now(), ID: a})
	if errors.Is(err, db.None) {
		return Standing{}, ErrNoAccount
	}
	if err != nil {
		return Standing{}, fmt.Errorf("standing of %s: %w", a, err)
	}
	key, err := keys.Of(tx, keys.Installation)
	if err != nil {
		return Standing{}, err
	}
	s := Standing{ID: row.ID, MadeAt: row.CreatedAt, Verified: row.VerifiedAt != nil, PasswordAt: row.PasswordAt, LeavesAt: row.DeletionAt, Sessions: row.Sessions, Devices: row.Devices}
	s.Email, err = openEmail(key, row.Email, crypt.Place("account.email", keys.Installation, row.ID))
	return s, err
}

// Shut ends all sessions, browsers and links of an account. The way back after a
// change of e-mail stays: it is how an owner gets their account from a thief.
func Shut(tx *db.Tx, by access.Actor, a id.Account) error {
	if err := EndAll(tx, by, a); err != nil {
		return err
	}
	return endLinks(tx, a, reset, newEmail, verify)
}
