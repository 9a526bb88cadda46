package account

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"icouch/internal/access"
	"icouch/internal/account/accountdb"
	"icouch/internal/audit"
	"icouch/internal/base/email"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/letter"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

// A practitioner signs up in two steps: they type a name and an address, and
// choose the password behind the link that is sent there. Clients do not come
// this way; they are invited.

// signUpLife is how long the link works.
const signUpLife = 24 * time.Hour

// SignUp is what somebody typed who wants an account.
type SignUp struct {
	Name  string
	Email email.Address
}

// LogValue keeps the person out of logs.
func (s SignUp) LogValue() slog.Value { return slog.StringValue("[sign-up]") }

// signUpID names a sign-up.
type (
	signUpID   = id.ID[signUpKind]
	signUpKind struct{}
)

// BeginSignUp sends the link behind which an account is made. If the address
// has an account, the letter says so instead. Row, letter and trail are the
// same either way, and so is what the person is told.
func BeginSignUp(tx *db.Tx, by access.Actor, name string, e email.Address) error {
	name, err := goodName(name)
	if err != nil {
		return err
	}
	if e.IsZero() {
		return email.ErrAddress
	}
	known, err := ByEmail(tx, by, e)
	if err != nil && !errors.Is(err, db.None) {
		return err
	}
	token, s := secret.NewToken(), id.New[signUpID](tx.Now().Time)
	row := accountdb.AddSignUpParams{TokenHash: token.Hash(), ID: s.String(), CreatedAt: tx.Now(), ExpiresAt: tx.Now().Plus(signUpLife)}
	d := draft(letter.ConfirmMail, e, "", signUpBody(token))
	if known.ID != "" {
		row.UsedAt = tx.Now().Ptr() // nobody is handed this token
		d = draft(letter.HaveAccount, e, known.ID, haveAccountBody())
	}
	key, err := keys.Of(tx, keys.Installation)
	if err != nil {
		return err
	}
	if row.Name, err = key.Seal(name, crypt.Place("sign_up.name", keys.Installation, s)); err != nil {
		return err
	}
	if row.Email, err = key.Seal(e.String(), crypt.Place("sign_up.email", keys.Installation, s)); err != nil {
		return err
	}
	if err := SQL.In(tx).AddSignUp(tx, row); err != nil {
		return fmt.Errorf("begin sign-up: %w", err)
	}
	if err := record(tx, by, audit.SignUpBegun, s); err != nil {
		return err
	}
	return send(tx, by, d)
}

// PeekSignUp returns what was typed by whoever holds a link that still works.
func PeekSignUp(tx *db.Tx, _ access.Actor, token secret.Token) (SignUp, error) {
	row, err := SQL.In(tx).SignUp(tx, token.Hash())
	switch {
	case errors.Is(err, db.None):
		return SignUp{}, ErrLinkUnknown
	case err != nil:
		return SignUp{}, fmt.Errorf("sign-up: %w", err)
	case row.UsedAt != nil:
		return SignUp{}, ErrLinkUsed
	case !tx.Now().Before(row.ExpiresAt.Time):
		return SignUp{}, ErrLinkEnded
	}
	return openSignUp(tx, signUpID(row.ID), row.Name, row.Email)
}

// ConfirmSignUp makes the account, once. It is verified: the link was read in
// the mailbox of its address.
func ConfirmSignUp(tx *db.Tx, by access.Actor, token secret.Token, hash string) (id.Account, error) {
	row, err := SQL.In(tx).RedeemSignUp(tx, accountdb.RedeemSignUpParams{Now: tx.Now().Ptr(), TokenHash: token.Hash()})
	if errors.Is(err, db.None) {
		_, err := PeekSignUp(tx, by, token)
		return "", orUsed(err)
	}
	if err != nil {
		return "", fmt.Errorf("confirm sign-up: %w", err)
	}
	s, err := openSignUp(tx, signUpID(row.ID), row.Name, row.Email)
	if err != nil {
		return "", err
	}
	return Make(tx, by, New{Name: s.Name, Email: s.Email, Password: hash, Verified: true})
}

func openSignUp(tx *db.Tx, i signUpID, name, address crypt.Sealed) (s SignUp, err error) {
	key, err := keys.Of(tx, keys.Installation)
	if err != nil {
		return SignUp{}, err
	}
	if s.Name, err = key.Open(name, crypt.Place("sign_up.name", keys.Installation, i)); err != nil {
		return SignUp{}, err
	}
	s.Email, err = openEmail(key, address, crypt.Place("sign_up.email", keys.Installation, i))
	return s, err
}
