package account

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"icouch/internal/access"
	"icouch/internal/account/accountdb"
	"icouch/internal/audit"
	"icouch/internal/base/at"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/letter"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

// ErrSignedOut says that there is no such session any more.
var ErrSignedOut = fault.New(fault.Gone, "You are signed out already. Sign in to go on.")

// Terms are how long a session lasts.
type Terms struct {
	Life time.Duration // whatever is done in it
	Idle time.Duration // without use
}

// The terms of a session at no practice's place, and the longest that any may be.
var (
	Anywhere = Terms{Life: 24 * time.Hour, Idle: 30 * time.Minute}
	Longest  = Terms{Life: 24 * time.Hour, Idle: time.Hour}
)

// SeenEvery is how often a session's last use is noted at most: a write for
// every page would be too many.
const SeenEvery = time.Minute

// Place is where a person acts: as a member of a practice, or for a client
// record of it. The zero Place is nowhere yet.
type Place struct {
	Practice id.Practice
	Client   id.Client
}

// Entry is how a person comes in.
type Entry struct {
	Place
	Terms
	Strong  bool   // a second step was shown, or a passkey, which is both
	Browser string // in words: "Firefox on Windows"
	Network string // the address the request came from
}

// Session is one sign-in, in one browser.
type Session struct {
	ID       id.Session
	Account  id.Account
	Practice id.Practice
	Client   id.Client
	SeenAt   at.Time
	EndsAt   at.Time
	Idle     time.Duration
	Strong   bool    // a second step was shown
	ProvedAt at.Time // when the person last showed who they are

	LeavesAt *at.Time // when the account is to be deleted, if its owner has asked for that
}

// LogValue logs a session as its id.
func (s Session) LogValue() slog.Value { return slog.StringValue(s.ID.String()) }

// Over reports whether s has ended by itself.
func (s Session) Over(now at.Time) bool {
	return !now.Before(s.EndsAt.Time) || !now.Before(s.SeenAt.Add(s.Idle))
}

func over(seen, ends at.Time, idle int64, now at.Time) bool {
	return Session{SeenAt: seen, EndsAt: ends, Idle: time.Duration(idle) * time.Second}.Over(now)
}

// Begin signs a person in. Whoever calls it has seen the password, or made the
// account just now, and knows that the place is theirs.
func Begin(tx *db.Tx, by access.Actor, a id.Account, e Entry) (secret.Token, error) {
	token, s := secret.NewToken(), id.New[id.Session](tx.Now().Time)
	row := accountdb.AddSessionParams{TokenHash: token.Hash(), ID: s, AccountID: a, PracticeID: some(e.Practice), ClientID: some(e.Client),
		Now: tx.Now(), EndsAt: tx.Now().Plus(e.Life), Strong: e.Strong, Idle: seconds(e.Idle)}
	key, err := keys.Of(tx, keys.Installation)
	if err != nil {
		return secret.Token{}, err
	}
	if row.Browser, err = key.SealSome(e.Browser, browserPlace(s)); err != nil {
		return secret.Token{}, err
	}
	if row.Network, err = key.SealSome(e.Network, networkPlace(s)); err != nil {
		return secret.Token{}, err
	}
	err = SQL.In(tx).AddSession(tx, row)
	if db.Dangling(err) {
		return secret.Token{}, ErrNoAccount
	}
	if err != nil {
		return secret.Token{}, fmt.Errorf("begin session of %s: %w", a, err)
	}
	if err := SQL.In(tx).FirstSignIn(tx, accountdb.FirstSignInParams{Now: tx.Now().Ptr(), ID: a}); err != nil {
		return secret.Token{}, fmt.Errorf("begin session of %s: %w", a, err)
	}
	return token, record(tx, as(by, a), audit.SignedIn, s)
}

// Renew lets by's own session go on under a new token, as one whose person has
// just shown who they are; strong says that it was by a second step, or beside
// one that was shown before. The old token means nothing any more.
func Renew(tx *db.Tx, by access.Actor, token secret.Token, strong bool) (secret.Token, error) {
	renewed := secret.NewToken()
	s, err := SQL.In(tx).Renew(tx, accountdb.RenewParams{Renewed: renewed.Hash(), Now: tx.Now(), Strong: strong, TokenHash: token.Hash(), AccountID: by.Account()})
	if errors.Is(err, db.None) {
		return secret.Token{}, ErrSignedOut
	}
	if err != nil {
		return secret.Token{}, fmt.Errorf("renew session of %s: %w", by.Account(), err)
	}
	tx.Notify(Topic(by.Account()))
	return renewed, record(tx, by, audit.Proved, s)
}

// Retoken lets by's own session go on under a new token, because it opens more
// than it did. It proves nothing about its person.
func Retoken(tx *db.Tx, by access.Actor, token secret.Token) (secret.Token, error) {
	renewed := secret.NewToken()
	s, err := SQL.In(tx).Retoken(tx, accountdb.RetokenParams{Renewed: renewed.Hash(), Now: tx.Now(), TokenHash: token.Hash(), AccountID: by.Account()})
	if errors.Is(err, db.None) {
		return secret.Token{}, ErrSignedOut
	}
	if err != nil {
		return secret.Token{}, fmt.Errorf("a new token for a session of %s: %w", by.Account(), err)
	}
	tx.Notify(Topic(by.Account()))
	return renewed, record(tx, by, audit.Retoken, s)
}

// Announce writes to a person that somebody is about to sign in from a browser
// that has not signed in to their account before. The first of all is no news.
// Browser is in words: "Firefox on Windows".
func Announce(tx *db.Tx, by access.Actor, a id.Account, device secret.Token, browser string) error {
	before, err := SQL.In(tx).SignedInAt(tx, a)
	if errors.Is(err, db.None) {
		return ErrNoAccount
	}
	if err != nil {
		return fmt.Errorf("announce a sign-in of %s: %w", a, err)
	}
	n, err := SQL.In(tx).Devices(tx, accountdb.DevicesParams{TokenHash: device.Hash(), AccountID: a})
	if err != nil {
		return fmt.Errorf("announce a sign-in of %s: %w", a, err)
	}
	if before == nil || n > 0 {
		return nil
	}
	is, err := read(tx, a)
	if err != nil {
		return err
	}
	return send(tx, by, draft(letter.Security, is.Email, a, newBrowserBody(is.called(), browser)))
}

// Lookup returns the session of a token, or db.None. It takes no actor: it is
// where actors come from.
func Lookup(tx *db.Tx, token secret.Token) (Session, error) { return LookupHash(tx, token.Hash()) }

// LookupHash is Lookup by the hash of the token, which opens nothing by itself.
func LookupHash(tx *db.Tx, hash []byte) (Session, error) {
	row, err := SQL.In(tx).Session(tx, hash)
	if errors.Is(err, db.None) {
		return Session{}, db.None
	}
	if err != nil {
		return Session{}, fmt.Errorf("look up session: %w", err)
	}
	s := Session{ID: row.ID, Account: row.AccountID, Practice: or(row.PracticeID), Client: or(row.ClientID), SeenAt: row.SeenAt, EndsAt: row.EndsAt,
		Idle: time.Duration(row.Idle) * time.Second, Strong: row.Strong, ProvedAt: row.ProvedAt, LeavesAt: row.DeletionAt}
	if s.Over(tx.Now()) {
		return Session{}, db.None
	}
	return s, nil
}

// Seen notes that a person has just used s, unless that was noted within
// SeenEvery. Pages that ask by themselves must not call it.
func Seen(ctx context.Context, d *db.DB, s Session) error {
	if at.Of(d.Clock()).Before(s.SeenAt.Add(SeenEvery)) {
		return nil
	}
	err := d.Maintain(ctx, func(tx *db.Tx) error {
		if s.Over(tx.Now()) {
			return nil
		}
		return SQL.In(tx).Seen(tx, accountdb.SeenParams{Now: tx.Now(), ID: s.ID})
	})
	if err != nil {
		return fmt.Errorf("session %s seen: %w", s.ID, err)
	}
	return nil
}

// Move takes by's own session to another place, which whoever calls it knows
// to be theirs. The session then lasts no longer than one that began there.
func Move(tx *db.Tx, by access.Actor, token secret.Token, p Place, t Terms) error {
	s, err := SQL.In(tx).Move(tx, accountdb.MoveParams{PracticeID: some(p.Practice), ClientID: some(p.Client),
		Now: tx.Now(), Idle: seconds(t.Idle), Life: t.Life.Microseconds(), TokenHash: token.Hash(), AccountID: by.Account()})
	if errors.Is(err, db.None) {
		return ErrSignedOut
	}
	if err != nil {
		return fmt.Errorf("move session: %w", err)
	}
	return record(tx, by, audit.PlaceChosen, s)
}

// End signs by out here.
func End(tx *db.Tx, by access.Actor, token secret.Token) error {
	s, err := SQL.In(tx).EndSession(tx, accountdb.EndSessionParams{TokenHash: token.Hash(), AccountID: by.Account()})
	if errors.Is(err, db.None) {
		return ErrSignedOut
	}
	if err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	tx.Notify(Topic(by.Account()))
	return record(tx, by, audit.SignedOut, s)
}

// EndAll signs a person out everywhere; no browser counts as known any more.
func EndAll(tx *db.Tx, by access.Actor, a id.Account) error {
	if a == "" || !owns(by, a) && by.Role() != access.Support {
		return ErrNoAccount
	}
	if _, err := hold(tx, a); err != nil {
		return err
	}
	if err := endEntries(tx, a); err != nil {
		return err
	}
	return record(tx, by, audit.SignedOut, a)
}

// EndWork ends the sessions in which somebody is at work in by's practice: they
// are no member of it any more, and if they become one again, they sign in again.
// Whoever calls it has seen that by may take the membership away.
func EndWork(tx *db.Tx, by access.Actor, a id.Account) error {
	p := by.Practice()
	if p == "" {
		return ErrNoAccount
	}
	if err := SQL.In(tx).EndWork(tx, accountdb.EndWorkParams{AccountID: a, PracticeID: &p}); err != nil {
		return fmt.Errorf("end sessions of %s at work: %w", a, err)
	}
	tx.Notify(Topic(a))
	return record(tx, by, audit.SignedOut, a, "work")
}

// Remember makes a browser one that a person has signed in with before, and
// returns the token for its cookie.
func Remember(tx *db.Tx, by access.Actor, a id.Account) (secret.Token, error) {
	token := secret.NewToken()
	err := SQL.In(tx).AddDevice(tx, accountdb.AddDeviceParams{TokenHash: token.Hash(), AccountID: a, CreatedAt: tx.Now()})
	if db.Dangling(err) {
		return secret.Token{}, ErrNoAccount
	}
	if err != nil {
		return secret.Token{}, fmt.Errorf("remember device of %s: %w", a, err)
	}
	return token, record(tx, as(by, a), audit.ProfileChanged, a, "device")
}

// seconds keeps an idle time within what any session may have.
func seconds(idle time.Duration) int64 { return int64(min(idle, Longest.Idle).Seconds()) }

// as returns by, who has just become known as the person of a.
func as(by access.Actor, a id.Account) access.Actor {
	if by.Account() == a {
		return by
	}
	return access.AsPerson(a)
}

// endEntries ends all sessions and devices of an account.
func endEntries(tx *db.Tx, a id.Account) error {
	if err := SQL.In(tx).EndSessions(tx, a); err != nil {
		return fmt.Errorf("end sessions of %s: %w", a, err)
	}
	if err := SQL.In(tx).EndEntries(tx, a); err != nil {
		return fmt.Errorf("end entries of %s: %w", a, err)
	}
	if err := SQL.In(tx).DropForms(tx, a); err != nil { // whoever wrote them was signed in as well
		return fmt.Errorf("drop the forms of %s: %w", a, err)
	}
	return endDevices(tx, a)
}

func endDevices(tx *db.Tx, a id.Account) error {
	if err := SQL.In(tx).EndDevices(tx, a); err != nil {
		return fmt.Errorf("end devices of %s: %w", a, err)
	}
	tx.Notify(Topic(a))
	return nil
}

func some[K any](i id.ID[K]) *id.ID[K] {
	if i == "" {
		return nil
	}
	return &i
}

func or[K any](i *id.ID[K]) (none id.ID[K]) {
	if i == nil {
		return none
	}
	return *i
}
