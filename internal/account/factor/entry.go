package factor

import (
	"errors"
	"fmt"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/account/factor/factordb"
	"icouch/internal/audit"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

// EntryLife is how long somebody who has shown the password may take for the
// second step.
const EntryLife = 10 * time.Minute

// ErrNoEntry says that there is no sign-in to go on with.
var ErrNoEntry = fault.New(fault.Gone, "That took too long. Enter your e-mail and password once more.")

// Entry is somebody who has shown the password and not yet the second step.
type Entry struct {
	Account id.Account
	Next    string // where they wanted to go
	Set
}

// Asks reports whether an account asks for a second step.
func Asks(tx *db.Tx, by access.Actor, a id.Account) (bool, error) {
	s, err := of(tx, a)
	return s.Any(), err
}

// Expect lets somebody whose password was right go on to the second step, and
// returns what their browser keeps meanwhile. It is no session. Next is where
// they wanted to go.
func Expect(tx *db.Tx, by access.Actor, in account.Admission, next string) (secret.Token, error) {
	token, e := secret.NewToken(), id.New[id.Entry](tx.Now().Time)
	row := factordb.AddEntryParams{TokenHash: token.Hash(), ID: e, AccountID: in.Account, PasswordAt: in.Since(), CreatedAt: tx.Now(), ExpiresAt: tx.Now().Plus(EntryLife)}
	key, err := house(tx)
	if err != nil {
		return secret.Token{}, err
	}
	if row.Next, err = key.SealSome(next, nextPlace(e)); err != nil {
		return secret.Token{}, err
	}
	err = SQL.In(tx).AddEntry(tx, row)
	if db.Dangling(err) {
		return secret.Token{}, account.ErrNoAccount
	}
	if err != nil {
		return secret.Token{}, fmt.Errorf("expect a second step of %s: %w", in.Account, err)
	}
	return token, account.Note(tx, by, audit.StepAsked, in.Account)
}

// Expected returns whose entry a token is, if the password is still the one that
// was shown, and what they may show.
func Expected(tx *db.Tx, _ access.Actor, token secret.Token) (Entry, error) {
	row, err := SQL.In(tx).Entry(tx, factordb.EntryParams{TokenHash: token.Hash(), Now: tx.Now()})
	if errors.Is(err, db.None) {
		return Entry{}, ErrNoEntry
	}
	if err != nil {
		return Entry{}, fmt.Errorf("entry: %w", err)
	}
	a, err := account.Read(tx, access.AsPerson(row.AccountID), row.AccountID)
	if err != nil {
		return Entry{}, err
	}
	if a.PasswordAt != row.PasswordAt {
		return Entry{}, ErrNoEntry
	}
	e := Entry{Account: row.AccountID}
	key, err := house(tx)
	if err != nil {
		return Entry{}, err
	}
	if e.Next, err = key.Open(row.Next, nextPlace(row.ID)); err != nil {
		return Entry{}, err
	}
	e.Set, err = of(tx, row.AccountID)
	return e, err
}

func nextPlace(e id.Entry) string { return crypt.Place("entry.next", keys.Installation, e) }

// Admit ends an entry, once: whoever calls it has seen the second step, and
// begins a session in the same transaction.
func Admit(tx *db.Tx, by access.Actor, token secret.Token) (id.Account, error) {
	e, err := Expected(tx, by, token)
	if err != nil {
		return "", err
	}
	if _, err := account.Hold(tx, access.AsPerson(e.Account), e.Account); err != nil {
		return "", err
	}
	if _, err := Expected(tx, by, token); err != nil { // a new password, while we waited
		return "", err
	}
	n, err := SQL.In(tx).EndEntry(tx, factordb.EndEntryParams{TokenHash: token.Hash(), Now: tx.Now()})
	if err != nil {
		return "", fmt.Errorf("admit %s: %w", e.Account, err)
	}
	if n == 0 {
		return "", ErrNoEntry
	}
	return e.Account, nil
}
