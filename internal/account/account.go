// Package account is how a person signs in. One person has one account, with
// one e-mail address and one password, in however many practices they work or
// are a client: it belongs to the person and to no practice.
//
// An account is unverified until its owner has shown that letters to its
// address reach them: somebody may have typed another person's address. Once
// they have, it is verified and stays so. Signed in, a person has a session:
// one row, ended by signing out, by a new password, by a while without use, at
// the latest at an hour fixed when it began. A device is a browser that has
// signed in before. A link is sent by letter, and each is live until it is
// used, replaced by a newer one, ended by something that happened since, or
// too old.
//
// The rules:
//
//   - Nobody can put a password on an address that is not theirs: to sign up
//     is to type a name and an address; the password is chosen behind the link.
//   - Looking at a link changes nothing. Using it is one conditional UPDATE: of
//     all who press at once, one wins. There is one live link of each purpose.
//   - What an address is answered never tells whether it has an account.
//   - A new password ends the other sessions, all devices, and the links that
//     were made under the old one. It does not end the way back after a change
//     of e-mail, or a thief would only have to do both.
//   - Of a link, a session and a device only the token's hash is stored, of a
//     password only an argon2id hash; name and address are sealed, and an
//     account is found by a blind index.
//   - All of it is in the installation's trail, never in a practice's: no
//     practice learns that a person is known to another.
package account

import (
	"errors"
	"fmt"
	"log/slog"

	"icouch/internal/access"
	"icouch/internal/account/accountdb"
	"icouch/internal/audit"
	"icouch/internal/base/at"
	"icouch/internal/base/civil"
	"icouch/internal/base/email"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/base/text"
	"icouch/internal/letter"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

// SQL is this package's statements.
var SQL = db.Prepare(accountdb.Prepare)

// What can be wrong.
var (
	ErrNoAccount = fault.New(fault.NotFound, "We cannot find that account.")
	ErrTaken     = fault.New(fault.Conflict, "This e-mail address has an account already. Sign in with it, or choose “Forgot password?” on the sign-in page.")
	ErrProved    = fault.New(fault.Conflict, "This e-mail address is confirmed already. You need not do anything.")
	ErrNoName    = fault.On("name", fault.Invalid, "Enter your name, as you want to be called.")
)

// longestName is more letters than any name on record has.
const longestName = 200

// Account is how one person signs in.
type Account struct {
	ID         id.Account
	Name       string
	Email      email.Address
	Zone       string // IANA name, or empty: not chosen yet
	Verified   bool   // letters to Email reach the person
	PasswordAt at.Time
}

// LogValue keeps the person out of logs.
func (a Account) LogValue() slog.Value { return slog.StringValue(a.ID.String()) }

// New is an account to be made.
type New struct {
	Name     string
	Email    email.Address
	Zone     string
	Password string // its hash: see Doorman.Hash
	Verified bool
}

// LogValue keeps the person, and the hash, out of logs.
func (n New) LogValue() slog.Value { return slog.StringValue("[new account]") }

// Make makes an account. Whoever calls it has seen what entitles a person to
// the address: a letter's link, or a practice's.
func Make(tx *db.Tx, by access.Actor, n New) (id.Account, error) {
	name, err := goodName(n.Name)
	if err != nil {
		return "", err
	}
	a := id.New[id.Account](tx.Now().Time)
	row := accountdb.AddParams{ID: a, Zone: n.Zone, Password: n.Password, CreatedAt: tx.Now()}
	if n.Verified {
		row.VerifiedAt = tx.Now().Ptr()
	}
	key, err := keys.Of(tx, keys.Installation)
	if err != nil {
		return "", err
	}
	if row.Name, err = key.Seal(name, namePlace(a)); err != nil {
		return "", err
	}
	if row.Email, row.EmailIndex, err = sealEmail(key, a, n.Email); err != nil {
		return "", err
	}
	err = SQL.In(tx).Add(tx, row)
	if db.Taken(err) { // the index on the address sees to it
		return "", ErrTaken
	}
	if err != nil {
		return "", fmt.Errorf("make account: %w", err)
	}
	return a, record(tx, by, audit.AccountMade, a)
}

// Of returns by's own account.
func Of(tx *db.Tx, by access.Actor) (Account, error) {
	if !by.SignedIn() && !by.IsLeaving() {
		return Account{}, ErrNoAccount
	}
	return read(tx, by.Account())
}

// Read returns an account to whom it belongs, to the program itself and to the
// operator. To everybody else there is none.
func Read(tx *db.Tx, by access.Actor, a id.Account) (Account, error) {
	if a == "" || !owns(by, a) {
		return Account{}, ErrNoAccount
	}
	return read(tx, a)
}

// ByEmail returns the account with an address, or db.None. It is for verbs
// that must know; what they answer a person must not depend on it.
func ByEmail(tx *db.Tx, _ access.Actor, e email.Address) (Account, error) {
	key, err := keys.Of(tx, keys.Installation)
	if err != nil {
		return Account{}, err
	}
	index, err := emailIndex(key, e)
	if err != nil {
		return Account{}, err
	}
	row, err := SQL.In(tx).ByEmail(tx, index)
	if errors.Is(err, db.None) {
		return Account{}, db.None
	}
	if err != nil {
		return Account{}, fmt.Errorf("account by e-mail: %w", err)
	}
	return open(key, accountdb.ByIDRow(row))
}

// TakeOver gives an unverified account to whoever has just shown that its
// address is theirs: whatever somebody else may have planted on it is gone.
// With a verified account it does nothing and returns ErrTaken; so it does with
// one that works somewhere, whose second step a mailbox must not take away.
func TakeOver(tx *db.Tx, by access.Actor, a id.Account, hash string) error {
	n, err := SQL.In(tx).TakeOver(tx, accountdb.TakeOverParams{Password: hash, Now: tx.Now(), ID: a})
	if err != nil {
		return fmt.Errorf("take over account %s: %w", a, err)
	}
	if n == 0 {
		return ErrTaken
	}
	if err := endEntries(tx, a); err != nil {
		return err
	}
	if err := dropFactors(tx, a); err != nil {
		return err
	}
	if err := endAllLinks(tx, a); err != nil {
		return err
	}
	if err := endVouches(tx, a); err != nil {
		return err
	}
	if err := record(tx, by, audit.AccountVerified, a); err != nil {
		return err
	}
	return record(tx, by, audit.PasswordChanged, a)
}

// Verify notes that letters to an account's address reach the person. Whoever
// calls it has seen the proof. Of a verified account there is nothing to note.
func Verify(tx *db.Tx, by access.Actor, a id.Account) error {
	n, err := SQL.In(tx).Verify(tx, accountdb.VerifyParams{VerifiedAt: tx.Now().Ptr(), ID: a})
	if err != nil {
		return fmt.Errorf("verify account %s: %w", a, err)
	}
	if n == 0 {
		_, err := read(tx, a)
		return err
	}
	if err := endLinks(tx, a, verify); err != nil {
		return err
	}
	return record(tx, by, audit.AccountVerified, a)
}

// Rename changes by's own name.
func Rename(tx *db.Tx, by access.Actor, name string) error {
	if !by.SignedIn() {
		return ErrNoAccount
	}
	name, err := goodName(name)
	if err != nil {
		return err
	}
	key, err := keys.Of(tx, keys.Installation)
	if err != nil {
		return err
	}
	sealed, err := key.Seal(name, namePlace(by.Account()))
	if err != nil {
		return err
	}
	n, err := SQL.In(tx).Rename(tx, accountdb.RenameParams{Name: sealed, ID: by.Account()})
	return changed(tx, by, n, err, "name")
}

// SetZone changes by's own time zone.
func SetZone(tx *db.Tx, by access.Actor, zone string) error {
	if !by.SignedIn() {
		return ErrNoAccount
	}
	z, err := civil.ParseZone(zone)
	if err != nil {
		return fault.At("zone", err)
	}
	n, err := SQL.In(tx).SetZone(tx, accountdb.SetZoneParams{Zone: z.String(), ID: by.Account()})
	return changed(tx, by, n, err, "zone")
}

// SetPassword changes by's own password, and ends every session but the one of
// keep, every device, and the links made under the old password. The door has
// had the old one proved: see Doorman.Prove. If keep has ended since, so has the
// proof: its owner may have chosen a new password meanwhile.
func SetPassword(tx *db.Tx, by access.Actor, hash string, keep secret.Token) error {
	if !by.SignedIn() {
		return ErrNoAccount
	}
	a, err := hold(tx, by.Account())
	if err != nil {
		return err
	}
	s, err := Lookup(tx, keep)
	if errors.Is(err, db.None) || err == nil && s.Account != a.ID {
		return ErrSignedOut
	}
	if err != nil {
		return err
	}
	if err := setPassword(tx, a.ID, hash); err != nil {
		return err
	}
	if err := SQL.In(tx).EndOtherSessions(tx, accountdb.EndOtherSessionsParams{AccountID: a.ID, Keep: keep.Hash()}); err != nil {
		return fmt.Errorf("end other sessions of %s: %w", a.ID, err)
	}
	if err := endDevices(tx, a.ID); err != nil {
		return err
	}
	if err := endLinks(tx, a.ID, reset, newEmail); err != nil {
		return err
	}
	if err := record(tx, by, audit.PasswordChanged, a.ID); err != nil {
		return err
	}
	return sendPasswordChanged(tx, by, a)
}

// Hold returns an account to whom it belongs, and keeps whoever else would
// change it, or what it is signed in with, waiting until tx ends.
func Hold(tx *db.Tx, by access.Actor, a id.Account) (Account, error) {
	if a == "" || !owns(by, a) {
		return Account{}, ErrNoAccount
	}
	return hold(tx, a)
}

// WipeFactors takes every second step away from an account, ends all that is
// signed in to it, and writes to its owner. Whoever calls it has seen what
// entitles a person to that.
func WipeFactors(tx *db.Tx, by access.Actor, a id.Account) error {
	held, err := hold(tx, a)
	if err != nil {
		return err
	}
	if err := dropFactors(tx, a); err != nil {
		return err
	}
	if err := endEntries(tx, a); err != nil {
		return err
	}
	if err := record(tx, by, audit.FactorsWiped, a); err != nil {
		return err
	}
	return Warn(tx, by, held, "Your second step was taken away",
		letter.Part{Text: "The authenticator, passkeys and recovery codes of your account on " + letter.Brand + " were taken away just now, because they were said to be lost. Everybody was signed out."},
		letter.Part{Text: "If you asked for this, sign in with your password and set up a new second step. If you did not, choose a new password at once with “Forgot password?” and tell your practice."},
		press("Sign In", letter.Base+"/sign-in"))
}

func dropFactors(tx *db.Tx, a id.Account) error {
	q := SQL.In(tx)
	for _, drop := range []func() error{
		func() error { return q.DropAuthenticator(tx, a) },
		func() error { return q.DropRecoveryCodes(tx, a) },
		func() error { return q.DropPasskeys(tx, a) },
	} {
		if err := drop(); err != nil {
			return fmt.Errorf("drop the factors of %s: %w", a, err)
		}
	}
	tx.Notify(Topic(a))
	return nil
}

// dropFactorsSince drops what was set up from a moment on. Recovery codes are
// worth nothing without the rest.
func dropFactorsSince(tx *db.Tx, a id.Account, since at.Time) error {
	q := SQL.In(tx)
	for _, drop := range []func() error{
		func() error {
			return q.DropAuthenticatorSince(tx, accountdb.DropAuthenticatorSinceParams{AccountID: a, Since: since})
		},
		func() error {
			return q.DropPasskeysSince(tx, accountdb.DropPasskeysSinceParams{AccountID: a, Since: since})
		},
		func() error {
			return q.DropRecoveryCodesSince(tx, accountdb.DropRecoveryCodesSinceParams{AccountID: a, Since: since})
		},
	} {
		if err := drop(); err != nil {
			return fmt.Errorf("drop the new factors of %s: %w", a, err)
		}
	}
	tx.Notify(Topic(a))
	return nil
}

// Note adds a line about an account, or what belongs to it, to the
// installation's trail.
func Note(tx *db.Tx, by access.Actor, did audit.Action, subject fmt.Stringer, fields ...string) error {
	return record(tx, by, did, subject, fields...)
}

// Topic is what a change to an account, or to its sessions, is announced under.
func Topic(a id.Account) string { return "account/" + a.String() }

// owns reports whether a is by's own, or by may look after all.
func owns(by access.Actor, a id.Account) bool {
	return by.Account() == a || by.Role() == access.System || by.Role() == access.Shell
}

// changed ends a verb that changed one field of by's own account.
func changed(tx *db.Tx, by access.Actor, n int64, err error, field string) error {
	if err != nil {
		return fmt.Errorf("change account %s: %w", by.Account(), err)
	}
	if n == 0 {
		return ErrNoAccount
	}
	return record(tx, by, audit.ProfileChanged, by.Account(), field)
}

func setPassword(tx *db.Tx, a id.Account, hash string) error {
	_, err := SQL.In(tx).SetPassword(tx, accountdb.SetPasswordParams{Password: hash, PasswordAt: tx.Now(), ID: a})
	if err != nil {
		return fmt.Errorf("set password of %s: %w", a, err)
	}
	return endVouches(tx, a)
}

// endVouches ends the links that take a lost second step away: they were made
// for who had this password and this address.
func endVouches(tx *db.Tx, a id.Account) error {
	if err := SQL.In(tx).EndVouches(tx, accountdb.EndVouchesParams{Now: tx.Now().Ptr(), AccountID: a}); err != nil {
		return fmt.Errorf("end the vouches for %s: %w", a, err)
	}
	if err := SQL.In(tx).EndRecoveries(tx, accountdb.EndRecoveriesParams{Now: tx.Now().Ptr(), AccountID: a}); err != nil {
		return fmt.Errorf("end the recoveries of %s: %w", a, err)
	}
	return nil
}

func read(tx *db.Tx, a id.Account) (Account, error) {
	row, err := SQL.In(tx).ByID(tx, a)
	return opened(tx, row, err)
}

// hold reads an account and keeps whoever else would change it, or make links
// of it, waiting until this transaction ends.
func hold(tx *db.Tx, a id.Account) (Account, error) {
	row, err := SQL.In(tx).Hold(tx, a)
	return opened(tx, accountdb.ByIDRow(row), err)
}

func opened(tx *db.Tx, row accountdb.ByIDRow, err error) (Account, error) {
	if errors.Is(err, db.None) {
		return Account{}, ErrNoAccount
	}
	if err != nil {
		return Account{}, fmt.Errorf("account: %w", err)
	}
	key, err := keys.Of(tx, keys.Installation)
	if err != nil {
		return Account{}, err
	}
	return open(key, row)
}

func open(key *crypt.Key, row accountdb.ByIDRow) (a Account, err error) {
	a = Account{ID: row.ID, Zone: row.Zone, Verified: row.VerifiedAt != nil, PasswordAt: row.PasswordAt}
	if a.Name, err = key.Open(row.Name, namePlace(row.ID)); err != nil {
		return Account{}, err
	}
	a.Email, err = openEmail(key, row.Email, crypt.Place("account.email", keys.Installation, row.ID))
	return a, err
}

func openEmail(key *crypt.Key, sealed crypt.Sealed, place string) (email.Address, error) {
	s, err := key.Open(sealed, place)
	if err != nil {
		return email.Address{}, err
	}
	e, err := email.Parse(s)
	if err != nil {
		return email.Address{}, errors.New("account: a stored address cannot be read: " + place) // not the fault: nobody typed it now
	}
	return e, nil
}

func sealEmail(key *crypt.Key, a id.Account, e email.Address) (sealed crypt.Sealed, index []byte, err error) {
	if e.IsZero() {
		return nil, nil, email.ErrAddress
	}
	if sealed, err = key.Seal(e.String(), crypt.Place("account.email", keys.Installation, a)); err != nil {
		return nil, nil, err
	}
	index, err = emailIndex(key, e)
	return sealed, index, err
}

func emailIndex(key *crypt.Key, e email.Address) ([]byte, error) { return key.Index("email", e.Fold()) }

func namePlace(a id.Account) string { return crypt.Place("account.name", keys.Installation, a) }

func goodName(s string) (string, error) {
	name, err := text.Line(s, longestName)
	if err != nil {
		return "", fault.At("name", err)
	}
	if name == "" {
		return "", ErrNoName
	}
	return name, nil
}

// record adds a line to the installation's trail.
func record(tx *db.Tx, by access.Actor, did audit.Action, subject fmt.Stringer, fields ...string) error {
	if by.SignedIn() { // whoever remembers them looks again
		tx.Notify(Topic(by.Account()))
	}
	return audit.Record(tx, outside(by), audit.Deed{Did: did, Subject: subject, Fields: fields})
}

// outside returns by without the practice they act in: what happens to an
// account, and its letters, are the installation's.
func outside(by access.Actor) access.Actor {
	switch {
	case by.Practice() == "":
		return by
	case by.SignedIn():
		return access.AsPerson(by.Account())
	case by.Role() == access.Shell:
		return access.Operator()
	case by.Role() == access.System:
		return access.Job(keys.Installation)
	}
	return access.Guest()
}
