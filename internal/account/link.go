package account

import (
	"errors"
	"fmt"
	"time"

	"icouch/internal/access"
	"icouch/internal/account/accountdb"
	"icouch/internal/audit"
	"icouch/internal/base/at"
	"icouch/internal/base/email"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/letter"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

// What a link that does not work any more says of itself.
var (
	ErrLinkUnknown = fault.New(fault.NotFound, "This link does not work any more.")
	ErrLinkUsed    = fault.New(fault.Gone, "This link has been used. It works only once.")
	ErrLinkEnded   = fault.New(fault.Gone, "This link has ended. Ask for a new one.")
)

// What can be wrong with a new address.
var (
	ErrSameEmail   = fault.On("email", fault.Invalid, "This is your e-mail address already. Enter the one you want to change to.")
	ErrSignInFirst = fault.New(fault.Conflict, "Sign in to your account first, then open the link in the letter again.")
)

// purpose says what a link is for. The names stand in the database for ever.
type purpose string

const (
	reset    purpose = "reset"  // choose a new password
	newEmail purpose = "email"  // prove a new address
	revert   purpose = "revert" // take a change of address back
	verify   purpose = "verify" // prove the address of an account made without a letter
)

// life is how long each works.
func (p purpose) life() time.Duration {
	switch p {
	case reset:
		return 30 * time.Minute
	case newEmail:
		return 24 * time.Hour
	}
	return 7 * 24 * time.Hour
}

// linkID names a link.
type (
	linkID   = id.ID[linkKind]
	linkKind struct{}
)

// noPassword stands where a hash would and is matched by no password.
const noPassword = ""

// AskReset sends a link for choosing a new password to an address, if it has an
// account. What the person is told is the same if it has none.
func AskReset(tx *db.Tx, by access.Actor, e email.Address) error {
	known, err := ByEmail(tx, by, e)
	if errors.Is(err, db.None) {
		return record(tx, by, audit.ResetAsked, id.New[linkID](tx.Now().Time))
	}
	if err != nil {
		return err
	}
	a, err := hold(tx, known.ID)
	if err != nil {
		return err
	}
	token, err := newLink(tx, a.ID, reset, email.Address{})
	if err != nil {
		return err
	}
	if err := record(tx, by, audit.ResetAsked, a.ID); err != nil {
		return err
	}
	return send(tx, by, draft(letter.Reset, a.Email, a.ID, resetBody(a.called(), token)))
}

// PeekReset says whether a link for a new password still works.
func PeekReset(tx *db.Tx, _ access.Actor, token secret.Token) error {
	_, err := peek(tx, reset, token)
	return err
}

// Reset gives the account of a link a new password, once, and returns it. All
// sessions and devices end: the person signs in with what they have chosen. The
// address is proved by the letter.
func Reset(tx *db.Tx, by access.Actor, token secret.Token, hash string) (id.Account, error) {
	l, a, err := redeem(tx, reset, token)
	if err != nil {
		return "", err
	}
	if err := setPassword(tx, l.account, hash); err != nil {
		return "", err
	}
	if err := endEntries(tx, a.ID); err != nil {
		return "", err
	}
	if err := endLinks(tx, a.ID, newEmail, verify); err != nil {
		return "", err
	}
	if err := record(tx, by, audit.PasswordChanged, a.ID); err != nil {
		return "", err
	}
	if !a.Verified {
		if err := dropPlanted(tx, a.ID); err != nil {
			return "", err
		}
		if err := Verify(tx, by, a.ID); err != nil {
			return "", err
		}
	}
	return a.ID, sendPasswordChanged(tx, by, a)
}

// dropPlanted drops the second steps of an account whose address nobody had
// proved: whoever made it may have been somebody else. One that works somewhere
// was let in there by a person, by a link that was handed over; its second step
// stays, for a mailbox alone must not open clients' records.
func dropPlanted(tx *db.Tx, a id.Account) error {
	works, err := SQL.In(tx).Works(tx, a)
	if err != nil {
		return fmt.Errorf("reset of %s: %w", a, err)
	}
	if works > 0 {
		return nil
	}
	return dropFactors(tx, a)
}

// AskEmail sends a link to the address that by wants to have from now on. If it
// has an account already, the letter says so and has no link; by is not told.
// The door has had the password proved: see Doorman.Prove.
func AskEmail(tx *db.Tx, by access.Actor, e email.Address) error {
	if !by.SignedIn() {
		return ErrNoAccount
	}
	if e.IsZero() {
		return fault.At("email", email.ErrAddress)
	}
	a, err := hold(tx, by.Account())
	if err != nil {
		return err
	}
	if a.Email.Fold() == e.Fold() {
		return ErrSameEmail
	}
	other, err := ByEmail(tx, by, e)
	if err != nil && !errors.Is(err, db.None) {
		return err
	}
	token, err := newLink(tx, a.ID, newEmail, e) // nobody is handed it if the address is taken
	if err != nil {
		return err
	}
	if err := record(tx, by, audit.EmailAsked, a.ID); err != nil {
		return err
	}
	if other.ID != "" {
		return send(tx, by, draft(letter.HaveAccount, e, other.ID, haveAccountBody()))
	}
	return send(tx, by, draft(letter.NewEmail, e, a.ID, newEmailBody(token)))
}

// PeekEmail returns the new address that a link is about, if it still works.
func PeekEmail(tx *db.Tx, _ access.Actor, token secret.Token) (email.Address, error) {
	l, err := peek(tx, newEmail, token)
	return l.email, err
}

// ConfirmEmail moves by's own account to the address of a link, once, and tells
// the old address how to take that back. Only its owner can do it, signed in:
// else a stranger's careless press would put their address on another's account.
//
// The way back is not replaced by a later one: a thief who moves the account
// twice must not shut out its owner.
func ConfirmEmail(tx *db.Tx, by access.Actor, token secret.Token) error {
	if err := own(tx, by, newEmail, token); err != nil {
		return err
	}
	l, a, err := redeem(tx, newEmail, token)
	if err != nil {
		return err
	}
	if err := moveEmail(tx, a.ID, l.email); err != nil {
		return err
	}
	if err := endLinks(tx, a.ID, reset, verify); err != nil { // they were sent to the old address
		return err
	}
	body := oldEmailLaterBody(a.called())
	n, err := SQL.In(tx).LiveLinks(tx, accountdb.LiveLinksParams{AccountID: a.ID, Purpose: string(revert), Now: tx.Now()})
	if err != nil {
		return fmt.Errorf("links of %s: %w", a.ID, err)
	}
	if n == 0 {
		back, err := newLink(tx, a.ID, revert, a.Email)
		if err != nil {
			return err
		}
		body = oldEmailBody(a.called(), back)
	}
	if err := record(tx, by, audit.EmailChanged, a.ID, "email"); err != nil {
		return err
	}
	return send(tx, by, draft(letter.OldEmail, a.Email, a.ID, body))
}

// PeekRevert returns the old address that a link would put back, if it still
// works.
func PeekRevert(tx *db.Tx, _ access.Actor, token secret.Token) (email.Address, error) {
	l, err := peek(tx, revert, token)
	return l.email, err
}

// planted is how long before the address moved a second step may have been
// added by whoever moved it.
const planted = 7 * 24 * time.Hour

// Revert puts the old address back, once, and shuts the account until its owner
// has chosen a new password: all sessions, devices and links end, and the
// password matches nothing, because whoever moved the address knew it. A second
// step that was added with the move, or in the week before, goes as well; an
// older one stays, or whoever reads the old mailbox could take it away.
func Revert(tx *db.Tx, by access.Actor, token secret.Token) error {
	l, a, err := redeem(tx, revert, token)
	if err != nil {
		return err
	}
	if err := moveEmail(tx, a.ID, l.email); err != nil {
		return err
	}
	if err := setPassword(tx, a.ID, noPassword); err != nil {
		return err
	}
	if err := dropFactorsSince(tx, a.ID, l.made.Plus(-planted)); err != nil {
		return err
	}
	if err := endEntries(tx, a.ID); err != nil {
		return err
	}
	if err := endAllLinks(tx, a.ID); err != nil {
		return err
	}
	if err := record(tx, by, audit.EmailReverted, a.ID, "email", "password"); err != nil {
		return err
	}
	return send(tx, by, draft(letter.Security, l.email, a.ID, revertedBody(a.called())))
}

// AskVerify sends a link that proves the address of an account made through a
// link that was copied by hand.
func AskVerify(tx *db.Tx, by access.Actor, a id.Account) error {
	if a == "" || !owns(by, a) && by.Role() != access.Link {
		return ErrNoAccount
	}
	held, err := hold(tx, a)
	if err != nil {
		return err
	}
	if held.Verified {
		return ErrProved
	}
	token, err := newLink(tx, a, verify, email.Address{})
	if err != nil {
		return err
	}
	if err := record(tx, by, audit.VerifyAsked, a); err != nil {
		return err
	}
	return send(tx, by, draft(letter.ConfirmMail, held.Email, a, verifyBody(token)))
}

// PeekVerify says whether a link that proves an address still works.
func PeekVerify(tx *db.Tx, _ access.Actor, token secret.Token) error {
	_, err := peek(tx, verify, token)
	return err
}

// ConfirmVerify notes that the letter reached the person, once. Only the
// account's owner can do it, signed in: else whoever typed a stranger's address
// would be proved by that stranger's careless press.
func ConfirmVerify(tx *db.Tx, by access.Actor, token secret.Token) error {
	if err := own(tx, by, verify, token); err != nil {
		return err
	}
	_, a, err := redeem(tx, verify, token)
	if err != nil {
		return err
	}
	if a.Verified {
		return ErrProved
	}
	return Verify(tx, by, a.ID)
}

// link is one that still works.
type link struct {
	account id.Account
	email   email.Address // the new one, or the old one to put back
	made    at.Time
}

// newLink makes a link and ends the one it replaces. The account is held.
func newLink(tx *db.Tx, a id.Account, p purpose, e email.Address) (secret.Token, error) {
	if err := endLinks(tx, a, p); err != nil {
		return secret.Token{}, err
	}
	key, err := keys.Of(tx, keys.Installation)
	if err != nil {
		return secret.Token{}, err
	}
	token, l := secret.NewToken(), id.New[linkID](tx.Now().Time)
	row := accountdb.AddLinkParams{TokenHash: token.Hash(), ID: l.String(), AccountID: a, Purpose: string(p), CreatedAt: tx.Now(), ExpiresAt: tx.Now().Plus(p.life())}
	if row.Email, err = key.SealSome(e.String(), crypt.Place("account_link.email", keys.Installation, l)); err != nil {
		return secret.Token{}, err
	}
	if err := SQL.In(tx).AddLink(tx, row); err != nil {
		return secret.Token{}, fmt.Errorf("new link of %s: %w", a, err)
	}
	return token, nil
}

// peek returns the link of a token if it still works, and changes nothing.
func peek(tx *db.Tx, p purpose, token secret.Token) (link, error) {
	row, err := SQL.In(tx).Link(tx, accountdb.LinkParams{TokenHash: token.Hash(), Purpose: string(p)})
	if errors.Is(err, db.None) {
		return link{}, ErrLinkUnknown
	}
	if err != nil {
		return link{}, fmt.Errorf("link: %w", err)
	}
	if err := state(row, tx.Now()); err != nil {
		return link{}, err
	}
	l := link{account: row.AccountID, made: row.CreatedAt}
	if row.Email == nil {
		return l, nil
	}
	key, err := keys.Of(tx, keys.Installation)
	if err != nil {
		return link{}, err
	}
	l.email, err = openEmail(key, row.Email, crypt.Place("account_link.email", keys.Installation, linkID(row.ID)))
	return l, err
}

func state(row accountdb.LinkRow, now at.Time) error {
	switch {
	case row.UsedAt != nil:
		return ErrLinkUsed
	case row.EndedAt != nil || !now.Before(row.ExpiresAt.Time):
		return ErrLinkEnded
	}
	return nil
}

// own refuses whoever is not signed in to the account of a link.
func own(tx *db.Tx, by access.Actor, p purpose, token secret.Token) error {
	l, err := peek(tx, p, token)
	if err != nil {
		return err
	}
	if l.account != by.Account() {
		return ErrSignInFirst
	}
	return nil
}

// redeem uses a link up, for one caller, and holds its account. The account
// first, then the link: everybody waits in the same order.
func redeem(tx *db.Tx, p purpose, token secret.Token) (link, Account, error) {
	l, err := peek(tx, p, token)
	if err != nil {
		return link{}, Account{}, err
	}
	a, err := hold(tx, l.account)
	if err != nil {
		return link{}, Account{}, err
	}
	n, err := SQL.In(tx).Redeem(tx, accountdb.RedeemParams{Now: tx.Now().Ptr(), TokenHash: token.Hash(), Purpose: string(p)})
	if err != nil {
		return link{}, Account{}, fmt.Errorf("redeem link of %s: %w", a.ID, err)
	}
	if n == 0 { // somebody was quicker, between peek and hold
		_, err := peek(tx, p, token)
		return link{}, Account{}, orUsed(err)
	}
	return l, a, nil
}

// orUsed is for a link that could not be redeemed and looks as if it could.
func orUsed(err error) error {
	if err == nil {
		return ErrLinkUsed
	}
	return err
}

func moveEmail(tx *db.Tx, a id.Account, e email.Address) error {
	key, err := keys.Of(tx, keys.Installation)
	if err != nil {
		return err
	}
	sealed, index, err := sealEmail(key, a, e)
	if err != nil {
		return err
	}
	_, err = SQL.In(tx).MoveEmail(tx, accountdb.MoveEmailParams{Email: sealed, EmailIndex: index, VerifiedAt: tx.Now().Ptr(), ID: a})
	if db.Taken(err) {
		return ErrTaken
	}
	if err != nil {
		return fmt.Errorf("move e-mail of %s: %w", a, err)
	}
	return endVouches(tx, a)
}

func endLinks(tx *db.Tx, a id.Account, purposes ...purpose) error {
	for _, p := range purposes {
		if err := SQL.In(tx).EndLinks(tx, accountdb.EndLinksParams{Now: tx.Now().Ptr(), AccountID: a, Purpose: string(p)}); err != nil {
			return fmt.Errorf("end links of %s: %w", a, err)
		}
	}
	return nil
}

func endAllLinks(tx *db.Tx, a id.Account) error {
	if err := SQL.In(tx).EndAllLinks(tx, accountdb.EndAllLinksParams{Now: tx.Now().Ptr(), AccountID: a}); err != nil {
		return fmt.Errorf("end links of %s: %w", a, err)
	}
	return nil
}
