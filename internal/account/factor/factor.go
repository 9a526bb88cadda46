// Package factor is the second step of signing in: what a person has, beside
// the password that they know.
//
// There are three kinds. An authenticator is an app that shows a new code every
// half minute. A passkey is kept by a phone, a computer or a key on a ring, and
// is both steps in one: it asks for a finger, a face or a PIN itself. Ten
// recovery codes on paper are for the day when the others are lost; they alone
// are no second step.
//
// The rules:
//
//   - Whoever has shown the password of an account with a second step is not
//     signed in: they hold an entry, for ten minutes, and show the rest.
//   - A code of the app is taken once, and none older than the last one taken.
//     A recovery code is taken once, by one conditional UPDATE. A passkey answers
//     a challenge once; one whose counter went back is refused, for it may be a
//     copy.
//   - The app's seed is sealed; of a recovery code only a keyed hash is stored; of
//     a passkey the public key, which opens nothing.
//   - E-mail is never a second step, and a new password takes none away.
//   - The first second step ends every other session: they began without it.
//   - Each change is told by letter, and is in the installation's trail.
package factor

import (
	"fmt"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/account/factor/factordb"
	"icouch/internal/base/at"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"

	"errors"
)

// SQL is this package's statements.
var SQL = db.Prepare(factordb.Prepare)

// What can be wrong.
var (
	ErrNone = fault.New(fault.NotFound, "This second step is not there any more.")
	ErrLate = fault.New(fault.Invalid, "That took too long, or was sent twice. Please try again.")
)

// Set is what a person has.
type Set struct {
	Authenticator bool
	Since         at.Time // when the authenticator was set up
	Passkeys      []Passkey
	CodesLeft     int64 // recovery codes that were not used
}

// Any reports whether a second step is asked for. Recovery codes alone are none.
func (s Set) Any() bool { return s.Authenticator || len(s.Passkeys) > 0 }

// Last reports whether one more taken away would leave none.
func (s Set) Last() bool {
	return s.Authenticator && len(s.Passkeys) == 0 || !s.Authenticator && len(s.Passkeys) == 1
}

// Of returns what by has.
func Of(tx *db.Tx, by access.Actor) (Set, error) {
	if !by.SignedIn() {
		return Set{}, account.ErrNoAccount
	}
	return of(tx, by.Account())
}

func of(tx *db.Tx, a id.Account) (s Set, err error) {
	row, err := SQL.In(tx).Authenticator(tx, a)
	switch {
	case err == nil:
		s.Authenticator, s.Since = true, row.CreatedAt
	case !errors.Is(err, db.None):
		return Set{}, fmt.Errorf("factors of %s: %w", a, err)
	}
	if s.Passkeys, err = passkeys(tx, a); err != nil {
		return Set{}, err
	}
	if s.CodesLeft, err = SQL.In(tx).CodesLeft(tx, a); err != nil {
		return Set{}, fmt.Errorf("factors of %s: %w", a, err)
	}
	return s, nil
}

// changing holds by's own account, and returns what it has.
func changing(tx *db.Tx, by access.Actor) (account.Account, Set, error) {
	if !by.SignedIn() {
		return account.Account{}, Set{}, account.ErrNoAccount
	}
	a, err := account.Hold(tx, by, by.Account())
	if err != nil {
		return a, Set{}, err
	}
	s, err := of(tx, a.ID)
	return a, s, err
}

// arm signs by out everywhere else if this was their first second step: those
// sessions began without one.
func arm(tx *db.Tx, by access.Actor, before Set, keep secret.Token) error {
	if before.Any() {
		return nil
	}
	return account.KeepOnly(tx, by, keep)
}

// sealed is a value kept by the page itself, between one press and the next: it
// opens for the account it was made for, and until it is too old.
func house(tx *db.Tx) (*crypt.Key, error) { return keys.Of(tx, keys.Installation) }
