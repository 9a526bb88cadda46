package factor_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/account/factor"
	"icouch/internal/base/email"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/world"
)

func mustEmail(t testing.TB, s string) email.Address {
	t.Helper()
	e, err := email.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// desk is a site where passkeys are added and used.
type desk struct {
	w    *world.World
	keys *factor.Passkeys
}

func (d desk) offer(t testing.TB, by access.Actor) (a factor.Ask) {
	t.Helper()
	d.w.View(t, func(tx *db.Tx) (err error) {
		a, err = d.keys.Offer(tx, by)
		return err
	})
	return a
}

func (d desk) add(t testing.TB, by access.Actor, k *token, name string) error {
	t.Helper()
	a := d.offer(t, by)
	return d.addAs(t, by, a.Sealed, k.make(t, a.Question), name)
}

func (d desk) addAs(t testing.TB, by access.Actor, sealed, answer, name string) error {
	return d.w.DB.Update(t.Context(), func(tx *db.Tx) error { return d.keys.Add(tx, by, sealed, answer, name, secret.NewToken()) })
}

// ask asks somebody, or anybody if a is "".
func (d desk) ask(t testing.TB, a id.Account) (q factor.Ask) {
	t.Helper()
	d.w.View(t, func(tx *db.Tx) (err error) {
		if a == "" {
			q, err = d.keys.AskAnyone(tx, access.Guest())
			return err
		}
		q, err = d.keys.Ask(tx, access.Guest(), a)
		return err
	})
	return q
}

func (d desk) use(t testing.TB, a id.Account, sealed, answer string) (who id.Account, err error) {
	err = d.w.DB.Update(t.Context(), func(tx *db.Tx) error { who, err = d.keys.Use(tx, access.Guest(), a, sealed, answer); return err })
	return who, err
}

func newDesk(t testing.TB) desk {
	t.Helper()
	w := world.New(t)
	keys := factor.NewPasskeys("iCouch", world.Base)
	if keys == nil {
		t.Fatal("no passkeys at " + world.Base)
	}
	return desk{w, keys}
}

func TestAPasskeySignsInByItselfAndAsASecondStep(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	by, who := person(t, d.w)
	k := newToken(t)
	k.flags |= eligible | backedUp
	q := read(t, d.offer(t, by).Question)
	if q.Selection.UserVerification != "required" || q.Selection.ResidentKey != "required" {
		t.Errorf("a new passkey is asked for with %+v", q.Selection)
	}
	if err := d.add(t, by, k, "My phone"); err != nil {
		t.Fatal(err)
	}
	for _, a := range []id.Account{"", who} {
		q := d.ask(t, a)
		if is := read(t, q.Question); is.Verify != "required" || (len(is.Allow) == 1) != (a != "") {
			t.Errorf("of %q is asked %+v", a, is)
		}
		k.counter++
		if got, err := d.use(t, a, q.Sealed, k.sign(t, q.Question)); err != nil || got != who {
			t.Errorf("asked of %q: %s, %v", a, got, err)
		}
	}
	d.w.View(t, func(tx *db.Tx) error {
		s, err := factor.Of(tx, by)
		if err != nil || len(s.Passkeys) != 1 || s.Passkeys[0].Name != "My phone" || !s.Passkeys[0].Synced || s.Passkeys[0].UsedAt == nil {
			t.Errorf("they have %+v, %v", s, err)
		}
		return nil
	})
	d.w.RunJobs(t)
	if got := d.w.Letters("pat@example.com"); len(got) != 1 || got[0].Subject != "A passkey was added" {
		t.Errorf("%d letters", len(got))
	}
}

func TestAPasskeyIsRefused(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	by, who := person(t, d.w)
	other := access.AsPerson(d.w.Account(t, "Ann Other", "ann@example.com"))
	k, theirs := newToken(t), newToken(t)
	k.counter = 5
	if err := errors.Join(d.add(t, by, k, "My phone"), d.add(t, other, theirs, "Hers")); err != nil {
		t.Fatal(err)
	}
	fresh := func() factor.Ask { return d.ask(t, who) }
	tries := []struct {
		name string
		do   func() error
		want error
	}{
		{"the premise: it works", func() error {
			k.counter++
			q := fresh()
			_, err := d.use(t, who, q.Sealed, k.sign(t, q.Question))
			return err
		}, nil},
		{"an answer twice", func() error {
			k.counter++
			q := fresh()
			answer := k.sign(t, q.Question)
			if _, err := d.use(t, who, q.Sealed, answer); err != nil {
				return err
			}
			k.counter++
			_, err := d.use(t, who, q.Sealed, k.sign(t, q.Question))
			return err
		}, factor.ErrLate},
		{"a counter that stood still: a copy", func() error {
			k.counter--
			q := fresh()
			_, err := d.use(t, who, q.Sealed, k.sign(t, q.Question))
			return err
		}, factor.ErrCopy},
		{"without a finger or a PIN", func() error {
			bare := *k
			bare.flags, bare.counter = present, k.counter+1
			q := fresh()
			_, err := d.use(t, who, q.Sealed, bare.sign(t, q.Question))
			return err
		}, factor.ErrBadPasskey},
		{"from another site", func() error {
			bad := *k
			bad.origin, bad.counter = "https://evil.example", k.counter+1
			q := fresh()
			_, err := d.use(t, who, q.Sealed, bad.sign(t, q.Question))
			return err
		}, factor.ErrBadPasskey},
		{"of another key", func() error {
			bad := newToken(t)
			bad.id, bad.user, bad.counter = k.id, k.user, k.counter+1
			q := fresh()
			_, err := d.use(t, who, q.Sealed, bad.sign(t, q.Question))
			return err
		}, factor.ErrBadPasskey},
		{"of another person", func() error {
			theirs.counter++
			q := fresh()
			_, err := d.use(t, who, q.Sealed, theirs.sign(t, q.Question))
			return err
		}, factor.ErrBadPasskey},
		{"what another person was asked", func() error {
			k.counter++
			q := d.ask(t, other.Account())
			_, err := d.use(t, who, q.Sealed, k.sign(t, q.Question))
			return err
		}, factor.ErrLate},
		{"what was asked for adding one", func() error {
			k.counter++
			q := d.offer(t, by)
			_, err := d.use(t, who, q.Sealed, k.sign(t, q.Question))
			return err
		}, factor.ErrLate},
		{"what nobody asked", func() error { k.counter++; _, err := d.use(t, who, "AAAA", k.sign(t, fresh().Question)); return err }, factor.ErrLate},
		{"no answer", func() error { _, err := d.use(t, who, fresh().Sealed, "{}"); return err }, factor.ErrBadPasskey},
		{"claiming to be somebody else", func() error {
			bad := *k
			bad.user, bad.counter = theirs.user, k.counter+1
			q := d.ask(t, "")
			_, err := d.use(t, "", q.Sealed, bad.sign(t, q.Question))
			return err
		}, factor.ErrBadPasskey},
		{"too late", func() error {
			k.counter++
			q := fresh()
			d.w.Pass(30 * time.Minute)
			_, err := d.use(t, who, q.Sealed, k.sign(t, q.Question))
			return err
		}, factor.ErrLate},
		{"added twice", func() error { return d.add(t, other, k, "Again") }, factor.ErrKnown},
		{"added without a name", func() error { return d.add(t, by, newToken(t), " ") }, factor.ErrNoName},
		{"added without a finger or a PIN", func() error { bare := newToken(t); bare.flags = present; return d.add(t, by, bare, "x") }, factor.ErrNotAdded},
		{"added by another than was asked", func() error {
			a := d.offer(t, other)
			return d.addAs(t, by, a.Sealed, newToken(t).make(t, a.Question), "x")
		}, factor.ErrLate},
		{"removed", func() error {
			q := fresh()
			d.w.Update(t, func(tx *db.Tx) error {
				s, err := factor.Of(tx, by)
				if err != nil {
					return err
				}
				return factor.DropPasskey(tx, by, s.Passkeys[0].ID)
			})
			k.counter++
			_, err := d.use(t, who, q.Sealed, k.sign(t, q.Question))
			return err
		}, factor.ErrBadPasskey},
	}
	for _, try := range tries {
		if err := try.do(); !errors.Is(err, try.want) {
			t.Errorf("%s: %v, want %v", try.name, err, try.want)
		}
	}
}

// signsIn reports whether a passkey signs somebody in.
func (d desk) signsIn(t testing.TB, k *token, who id.Account) bool {
	t.Helper()
	k.counter++
	q := d.ask(t, "")
	got, err := d.use(t, "", q.Sealed, k.sign(t, q.Question))
	return err == nil && got == who
}

// A thief who knows the password adds a passkey and moves the address. The owner
// takes it back: the thief's passkey is gone, the owner's own is not.
func TestTakingTheAddressBackTakesTheThiefsPasskeyAway(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		before time.Duration
		stays  bool
	}{{"added just before the address moved", time.Hour, false}, {"the owner's, of long before", 30 * 24 * time.Hour, true}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			who := d.w.Account(t, "Pat Moor", "pat@example.com")
			by, k, late := access.AsPerson(who), newToken(t), newToken(t)
			if err := d.add(t, by, k, "A key"); err != nil {
				t.Fatal(err)
			}
			d.w.Pass(tt.before)
			d.w.Update(t, func(tx *db.Tx) error { return account.AskEmail(tx, by, mustEmail(t, "thief@evil.test")) })
			d.w.RunJobs(t)
			moved := secret.ParseToken(d.w.Link(t, "thief@evil.test", "/email/"))
			d.w.Update(t, func(tx *db.Tx) error { return account.ConfirmEmail(tx, by, moved) })
			if err := d.add(t, by, late, "Another"); err != nil {
				t.Fatal(err)
			}
			d.w.RunJobs(t)
			back := secret.ParseToken(d.w.Link(t, "pat@example.com", "/email-back/"))
			d.w.Update(t, func(tx *db.Tx) error { return account.Revert(tx, access.Guest(), back) })
			if got := d.signsIn(t, k, who); got != tt.stays {
				t.Errorf("it signs in: %v, want %v", got, tt.stays)
			}
			if d.signsIn(t, late, who) {
				t.Error("one that was added after the address moved still signs in")
			}
		})
	}
}

// Somebody made an account with a stranger's address and planted a passkey. The
// stranger proves the address by a new password: nothing planted is left.
func TestAnAddressProvedByAResetLosesWhatWasPlanted(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	hash, err := d.w.Doorman.Hasher.Hash(t.Context(), "the attacker's own passphrase")
	if err != nil {
		t.Fatal(err)
	}
	victim := mustEmail(t, "victim@example.com")
	var who id.Account
	d.w.Update(t, func(tx *db.Tx) (err error) {
		who, err = account.Make(tx, access.Guest(), account.New{Name: "Victor", Email: victim, Password: hash})
		return err
	})
	k := newToken(t)
	if err := d.add(t, access.AsPerson(who), k, "planted"); err != nil {
		t.Fatal(err)
	}
	d.w.Update(t, func(tx *db.Tx) error { return account.AskReset(tx, access.Guest(), victim) })
	d.w.RunJobs(t)
	link := secret.ParseToken(d.w.Link(t, "victim@example.com", "/reset/"))
	d.w.Update(t, func(tx *db.Tx) error { _, err := account.Reset(tx, access.Guest(), link, hash); return err })
	if d.signsIn(t, k, who) {
		t.Error("the planted passkey signs in")
	}
}

// Who was let in at work by a link that was handed over has proved no address.
// Whoever reads the mailbox gets no further by it than to a new password: the
// second step stays, and no other invitation takes the account over.
func TestAMailboxAloneOpensNobodysWork(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	bobs := mustEmail(t, "bob@example.com")
	hash, err := d.w.Doorman.Hasher.Hash(t.Context(), "bob's own long passphrase")
	if err != nil {
		t.Fatal(err)
	}
	var who id.Account
	d.w.Update(t, func(tx *db.Tx) (err error) {
		who, err = account.Make(tx, access.Guest(), account.New{Name: "Bob", Email: bobs, Password: hash})
		return err
	})
	d.w.Update(t, func(tx *db.Tx) error { _, err := people.Join(tx, d.w.Mara, who, access.Administrator); return err })
	k := newToken(t)
	if err := d.add(t, access.AsPerson(who), k, "Bob's key"); err != nil {
		t.Fatal(err)
	}
	err = d.w.DB.Update(t.Context(), func(tx *db.Tx) error { return account.TakeOver(tx, access.Guest(), who, hash) })
	if !errors.Is(err, account.ErrTaken) {
		t.Errorf("taking it over: %v", err)
	}
	d.w.Update(t, func(tx *db.Tx) error { return account.AskReset(tx, access.Guest(), bobs) })
	d.w.RunJobs(t)
	link := secret.ParseToken(d.w.Link(t, "bob@example.com", "/reset/"))
	d.w.Update(t, func(tx *db.Tx) error { _, err := account.Reset(tx, access.Guest(), link, hash); return err })
	d.w.View(t, func(tx *db.Tx) error {
		if asks, err := factor.Asks(tx, access.Guest(), who); err != nil || !asks {
			t.Errorf("a second step is asked for: %v, %v", asks, err)
		}
		return nil
	})
	if !d.signsIn(t, k, who) {
		t.Error("Bob's key is gone")
	}
}

func TestAPasskeyIsChangedByItsOwnerAlone(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	by, _ := person(t, d.w)
	if err := d.add(t, by, newToken(t), "My phone"); err != nil {
		t.Fatal(err)
	}
	var k id.Passkey
	d.w.View(t, func(tx *db.Tx) error {
		s, err := factor.Of(tx, by)
		k = s.Passkeys[0].ID
		return err
	})
	for _, by := range []access.Actor{d.w.Mara, d.w.Ines} {
		for name, err := range map[string]error{
			"rename": d.w.DB.Update(t.Context(), func(tx *db.Tx) error { return factor.RenamePasskey(tx, by, k, "Mine") }),
			"drop":   d.w.DB.Update(t.Context(), func(tx *db.Tx) error { return factor.DropPasskey(tx, by, k) }),
		} {
			if !errors.Is(err, factor.ErrNone) {
				t.Errorf("%s by another person: %v", name, err)
			}
		}
	}
	if err := d.w.DB.Update(t.Context(), func(tx *db.Tx) error { return factor.RenamePasskey(tx, by, k, "<b>“Ключ” 🔑</b>") }); err != nil {
		t.Error(err)
	}
	if err := d.w.DB.Update(t.Context(), func(tx *db.Tx) error { return factor.RenamePasskey(tx, by, k, strings.Repeat("x", 100)) }); err == nil {
		t.Error("a name of a hundred letters was taken")
	}
}

func TestNoPasskeysWhereTheAddressIsNoName(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]bool{"https://icouch.test": true, "http://localhost:8080": true, "http://192.0.2.1:8080": false, "http://[::1]:8080": false} {
		if got := factor.NewPasskeys("iCouch", base) != nil; got != want {
			t.Errorf("%s: passkeys %t, want %t", base, got, want)
		}
	}
}
