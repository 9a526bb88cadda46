package account

import (
	"context"
	"errors"
	"fmt"
	"time"

	"icouch/internal/access"
	"icouch/internal/account/accountdb"
	"icouch/internal/account/password"
	"icouch/internal/audit"
	"icouch/internal/base/at"
	"icouch/internal/base/email"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
	"icouch/internal/platform/limit"
)

// What the doorman says.
var (
	ErrWrong    = fault.New(fault.Invalid, "That e-mail and password do not match. Check both and try again, or choose “Forgot password?”.")
	ErrNotYours = fault.On("password", fault.Invalid, "That is not your current password. Check it and try again.")

	// ErrWait is told with how long: to errors.Is it is this.
	ErrWait = fault.New(fault.Busy, "There were many wrong passwords. Please wait a while and try again.")
)

// Guessing a password. Tries are counted before the password is looked at, one
// after the other, so that a thousand at once are no better than one by one.
//
// A try waits when there were freeTries wrong ones: 10 seconds, then four times
// as long after each, at most 15 minutes. Strangers have 90 tries a day for one
// address and a browser that has signed in before has 10 of its own, so that a
// stranger can make nobody's own browser wait, and no more than 100 tries a day
// reach an account's hash from both. Addresses without an account are counted
// and answered in the same way.
var (
	triesRule  = limit.Rule{Name: "sign_in", Per: 24 * time.Hour} // wrong ones since it was last right
	dayRule    = limit.Rule{Name: "sign_in/day", Most: 90, Per: 24 * time.Hour}
	deviceRule = limit.Rule{Name: "sign_in/device", Most: 10, Per: 24 * time.Hour}
	placeRule  = limit.Rule{Name: "sign_in/from", Most: 60, Per: 15 * time.Minute} // wrong ones from one IP
	proofRule  = limit.Rule{Name: "prove", Per: 24 * time.Hour}
	proofDay   = limit.Rule{Name: "prove/day", Most: 90, Per: 24 * time.Hour}
	stepRule   = limit.Rule{Name: "step", Per: 24 * time.Hour} // wrong codes since one was right
	stepDay    = limit.Rule{Name: "step/day", Most: 90, Per: 24 * time.Hour}
)

const (
	freeTries   = 10
	firstWait   = 10 * time.Second
	longestWait = 15 * time.Minute
)

// longestTyped bounds what is counted as an address.
const longestTyped = 1024

// Doorman looks at passwords. That takes long, so it is done outside any
// transaction: prepare in one, hash, note in another.
type Doorman struct {
	DB     *db.DB
	Limits limit.Limiter
	Hasher *password.Hasher
}

// knock is what the doorman knows of somebody before looking at the password.
type knock struct {
	account id.Account // or "": none has that address
	hash    string
	since   at.Time // when the password was chosen
	who     string  // what tries are counted for
	known   bool    // the browser has signed in to that account before
}

// Admission is a password that was right when it was looked at.
type Admission struct {
	Account id.Account
	since   at.Time // when that password was chosen
}

// Since is when the password that was right was chosen.
func (a Admission) Since() at.Time { return a.since }

// Holds returns nil if the password is still the account's, and until tx ends.
// Looking at one takes long: its owner may have chosen another meanwhile, which
// ended all that the old one opens.
func (a Admission) Holds(tx *db.Tx, _ access.Actor) error {
	is, err := hold(tx, a.Account)
	if err == nil && is.PasswordAt != a.since {
		return ErrWrong
	}
	return err
}

// SignIn returns whose an address and its password are. From is the IP address
// the request came from, device the token of the browser's device cookie, if
// any. The session begins in a transaction of its own, if the admission holds:
// see Begin.
func (d *Doorman) SignIn(ctx context.Context, typed, pw, from string, device secret.Token) (Admission, error) {
	if err := d.place(ctx, from); err != nil {
		return Admission{}, err
	}
	k, err := d.look(ctx, typed, device)
	if err != nil {
		return Admission{}, err
	}
	if err := d.admit(ctx, k, device); err != nil {
		return Admission{}, err
	}
	ok, rehash, err := d.verify(ctx, pw, k.hash)
	if err != nil {
		return Admission{}, err
	}
	if !ok {
		if err := d.Limits.Take(ctx, placeRule, from); err != nil && !errors.Is(err, limit.ErrTooOften) {
			return Admission{}, err
		}
		return Admission{}, ErrWrong
	}
	if err := d.forget(ctx, k, device); err != nil {
		return Admission{}, err
	}
	if rehash {
		err = d.rehash(ctx, k, pw)
	}
	return Admission{k.account, k.since}, err
}

// Prove returns nil if pw is by's own password: for what asks for it once more.
func (d *Doorman) Prove(ctx context.Context, by access.Actor, pw string) error {
	if !by.SignedIn() {
		return ErrNoAccount
	}
	var k knock
	err := d.DB.View(ctx, func(tx *db.Tx) error {
		row, err := SQL.In(tx).ByID(tx, by.Account())
		k = knock{account: row.ID, hash: row.Password, who: counted(row.ID.String(), row.PasswordAt)}
		return err
	})
	if errors.Is(err, db.None) {
		return ErrNoAccount
	}
	if err != nil {
		return fmt.Errorf("prove %s: %w", by.Account(), err)
	}
	if err := d.take(ctx, proofRule, proofDay, k.who, manyWrong); err != nil {
		return err
	}
	ok, _, err := d.verify(ctx, pw, k.hash)
	if err != nil {
		return err
	}
	if !ok {
		return ErrNotYours
	}
	return d.Limits.Forget(ctx, proofRule, k.who)
}

// Guess counts a code that somebody types who has shown the password of a, or
// is signed in to it, before the code is looked at; it says how long to wait
// if there were many. Whoever has the password and not the code can make its
// owner wait for codes alone: a passkey is not counted. A new password changes
// nothing about it: whoever reads somebody's mail can choose one, time and again.
func (d *Doorman) Guess(ctx context.Context, a id.Account) error {
	who, err := d.guesses(ctx, a)
	if err != nil {
		return err
	}
	return d.take(ctx, stepRule, stepDay, who, manyCodes)
}

// Guessed makes the wrong codes nothing, for the person was only mistaken.
func (d *Doorman) Guessed(ctx context.Context, a id.Account) error {
	who, err := d.guesses(ctx, a)
	if err != nil {
		return err
	}
	return d.Limits.Forget(ctx, stepRule, who)
}

func (d *Doorman) guesses(ctx context.Context, a id.Account) (string, error) {
	err := d.DB.View(ctx, func(tx *db.Tx) error {
		_, err := SQL.In(tx).ByID(tx, a)
		return err
	})
	if errors.Is(err, db.None) {
		return "", ErrNoAccount
	}
	if err != nil {
		return "", fmt.Errorf("codes of %s: %w", a, err)
	}
	return a.String(), nil
}

// Hash returns the hash of a new password, or says why it is not good enough.
func (d *Doorman) Hash(ctx context.Context, pw string, about password.Context) (string, error) {
	if err := password.Check(pw, about, password.Min); err != nil {
		return "", fault.At("password", err)
	}
	return d.Hasher.Hash(ctx, pw)
}

// place refuses an IP address from which too many passwords were wrong.
func (d *Doorman) place(ctx context.Context, from string) error {
	t, err := d.Limits.Look(ctx, placeRule, from)
	if err != nil {
		return err
	}
	if t.Count < placeRule.Most {
		return nil
	}
	return manyWrong(t.Since.Plus(placeRule.Per), at.Of(d.DB.Clock()))
}

// look finds out who is meant. A text that is no address is somebody unknown.
func (d *Doorman) look(ctx context.Context, typed string, device secret.Token) (k knock, err error) {
	k.who = typed[:min(len(typed), longestTyped)]
	e, wrong := email.Parse(typed)
	if wrong != nil {
		return k, nil
	}
	k.who = e.Fold()
	err = d.DB.View(ctx, func(tx *db.Tx) error {
		key, err := keys.Of(tx, keys.Installation)
		if err != nil {
			return err
		}
		index, err := emailIndex(key, e)
		if err != nil {
			return err
		}
		row, err := SQL.In(tx).ByEmail(tx, index)
		if err != nil && !errors.Is(err, db.None) {
			return err
		}
		n, err := SQL.In(tx).Devices(tx, accountdb.DevicesParams{TokenHash: device.Hash(), AccountID: row.ID})
		if row.ID != "" {
			k = knock{row.ID, row.Password, row.PasswordAt, counted(k.who, row.PasswordAt), n > 0}
		}
		return err
	})
	if err != nil {
		return knock{}, fmt.Errorf("sign in: %w", err)
	}
	return k, nil
}

// counted is what tries are counted for: a password, so that a new one starts
// without the guesses at the old.
func counted(who string, since at.Time) string { return fmt.Sprintf("%s/%d", who, since.UnixMicro()) }

// admit counts a try, or says how long to wait.
func (d *Doorman) admit(ctx context.Context, k knock, device secret.Token) error {
	if k.known {
		err := d.Limits.Try(ctx, deviceRule, ofDevice(k, device), atMost(deviceRule, manyWrong))
		if !errors.Is(err, ErrWait) {
			return err
		}
		// It has used up its own tries, and is from here on as good as any other.
	}
	return d.take(ctx, triesRule, dayRule, k.who, manyWrong)
}

// sorry says until when to wait.
type sorry func(until, now at.Time) error

// take counts a try in both, or in none.
func (d *Doorman) take(ctx context.Context, tries, day limit.Rule, who string, many sorry) error {
	t, err := d.Limits.Look(ctx, day, who)
	if err != nil {
		return err
	}
	if err := atMost(day, many)(t, at.Of(d.DB.Clock())); err != nil {
		return err
	}
	if err := d.Limits.Try(ctx, tries, who, slower(many)); err != nil {
		return err
	}
	return d.Limits.Try(ctx, day, who, atMost(day, many))
}

// slower makes each try after the free ones wait longer.
func slower(many sorry) func(limit.Tally, at.Time) error {
	return func(t limit.Tally, now at.Time) error {
		if t.Count < freeTries {
			return nil
		}
		wait := longestWait
		if more := t.Count - freeTries; more < 4 { // 10 s, 40 s, 2 min 40 s, 10 min 40 s
			wait = min(firstWait<<(2*more), longestWait)
		}
		if until := t.Last.Plus(wait); now.Before(until.Time) {
			return many(until, now)
		}
		return nil
	}
}

// atMost allows as many as r says.
func atMost(r limit.Rule, many sorry) func(limit.Tally, at.Time) error {
	return func(t limit.Tally, now at.Time) error {
		if t.Count < r.Most {
			return nil
		}
		return many(t.Since.Plus(r.Per), now)
	}
}

// manyWrong and manyCodes say in words how long to wait.
func manyWrong(until, now at.Time) error {
	return fault.New(ErrWait, "There were many wrong passwords. Please wait "+inWords(until.Sub(now.Time))+" and try again, or choose “Forgot password?”.")
}

func manyCodes(until, now at.Time) error {
	return fault.New(ErrWait, "There were many wrong codes. Please wait "+inWords(until.Sub(now.Time))+" and try again, or use a passkey.")
}

// inWords says a time to wait, rounded up, so that waiting it is enough.
func inWords(d time.Duration) string {
	n, unit := (d+time.Second-1)/time.Second, "second"
	switch {
	case d > 90*time.Minute:
		n, unit = (d+time.Hour-1)/time.Hour, "hour"
	case d > 90*time.Second:
		n, unit = (d+time.Minute-1)/time.Minute, "minute"
	}
	if n = max(n, 1); n == 1 {
		return "1 " + unit
	}
	return fmt.Sprintf("%d %ss", n, unit)
}

// verify looks at the password, and takes as long if there is none to look at.
func (d *Doorman) verify(ctx context.Context, pw, hash string) (ok, rehash bool, err error) {
	if hash == noPassword {
		return false, false, d.Hasher.Dummy(ctx, pw)
	}
	return d.Hasher.Verify(ctx, pw, hash)
}

// forget makes the wrong tries nothing, for the person was only mistaken. What
// strangers may try in a day stays counted: else each sign-in of the person
// would give them new tries. A known browser's own tries are all that it makes
// nothing: a stranger who is waiting would see in it that the person came.
func (d *Doorman) forget(ctx context.Context, k knock, device secret.Token) error {
	if k.known {
		return d.Limits.Forget(ctx, deviceRule, ofDevice(k, device))
	}
	return d.Limits.Forget(ctx, triesRule, k.who)
}

// ofDevice is what the tries of a known browser are counted for.
func ofDevice(k knock, device secret.Token) string { return fmt.Sprintf("%s/%x", k.who, device.Hash()) }

// rehash stores the same password under the cost of today, unless it was
// changed meanwhile.
func (d *Doorman) rehash(ctx context.Context, k knock, pw string) error {
	hash, err := d.Hasher.Hash(ctx, pw)
	if err != nil {
		return err
	}
	err = d.DB.Update(ctx, func(tx *db.Tx) error {
		n, err := SQL.In(tx).Rehash(tx, accountdb.RehashParams{Password: hash, ID: k.account, Before: k.hash})
		if err != nil {
			return fmt.Errorf("rehash %s: %w", k.account, err)
		}
		if n == 0 {
			return db.None
		}
		return record(tx, access.AsPerson(k.account), audit.ProfileChanged, k.account, "password_cost")
	})
	if errors.Is(err, db.None) { // done by another sign-in, or there is a new password
		return nil
	}
	return err
}
