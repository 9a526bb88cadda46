package factor_test

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/account/factor"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/platform/db"
	"icouch/internal/world"
)

// TestAnotherProgramMakesTheSameCodes: oathtool knows nothing of us.
func TestAnotherProgramMakesTheSameCodes(t *testing.T) {
	t.Parallel()
	for i, now := range []time.Time{time.Unix(59, 0), time.Unix(1111111109, 0), time.Unix(1234567890, 0), time.Unix(2000000000, 0), time.Date(2030, 3, 14, 13, 0, 29, 0, time.UTC)} {
		seed := factor.NewSeed()
		if i == 0 { // the seed of RFC 6238
			var err error
			if seed, err = factor.ParseSeed("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"); err != nil {
				t.Fatal(err)
			}
		}
		got, err := seed.Code(now)
		if err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), "oathtool", "--totp", "--base32", "--now", now.UTC().Format("2006-01-02 15:04:05 UTC"), seed.Reveal()).Output()
		if err != nil {
			t.Fatal(err)
		}
		if want := strings.TrimSpace(string(out)); got != want {
			t.Errorf("at %s we make %s, oathtool %s", now, got, want)
		}
		if i == 0 && got != "287082" {
			t.Errorf("the code of RFC 6238 is %s", got)
		}
	}
}

func TestACodeIsTakenOnceAndNoneOlderAfterwards(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	mara := w.Mara.Account()
	use := func(code string) error {
		return w.DB.Update(t.Context(), func(tx *db.Tx) error { return factor.UseCode(tx, access.Guest(), mara, code) })
	}
	first := w.Code(t, mara)
	if err := use(first[:3] + " " + first[3:]); err != nil {
		t.Fatalf("a right code: %v", err)
	}
	if err := use(first); !errors.Is(err, factor.ErrUsedCode) {
		t.Errorf("the same code again: %v", err)
	}
	second := w.Code(t, mara)
	if err := use(second); err != nil {
		t.Errorf("the next code: %v", err)
	}
	third := w.Code(t, mara)
	w.Pass(-30 * time.Second) // a phone whose clock is half a minute fast
	if err := use(third); err != nil {
		t.Errorf("a code that is early: %v", err)
	}
	w.Pass(30 * time.Second)
	fourth := w.Code(t, mara)
	w.Pass(30 * time.Second)
	if err := use(fourth); err != nil {
		t.Errorf("a code that is late: %v", err)
	}
	fifth := w.Code(t, mara)
	w.Pass(2 * time.Minute)
	for _, wrong := range []string{fifth, "000000", first} {
		if err := use(wrong); !errors.Is(err, factor.ErrWrongCode) {
			t.Errorf("a wrong code: %v", err)
		}
	}
	for _, none := range []string{"", "12345", "1234567", "abcdef", "１２３４５６"} {
		if err := use(none); !errors.Is(err, factor.ErrNoCode) {
			t.Errorf("%q: %v", none, err)
		}
	}
	if err := w.DB.Update(t.Context(), func(tx *db.Tx) error { return factor.UseCode(tx, access.Guest(), w.Ines.Account(), w.Code(t, mara)) }); !errors.Is(err, factor.ErrWrongCode) {
		t.Errorf("another person's code: %v", err)
	}
}

func TestOfManyWhoTypeACodeAtOnceOneGetsIn(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	mara := w.Mara.Account()
	var codes []string
	w.Update(t, func(tx *db.Tx) (err error) {
		codes, err = factor.NewCodes(tx, w.Mara)
		return err
	})
	for name, use := range map[string]func(*db.Tx, string) error{
		w.Code(t, mara): func(tx *db.Tx, code string) error { return factor.UseCode(tx, access.Guest(), mara, code) },
		codes[3]:        func(tx *db.Tx, code string) error { return factor.UseRecovery(tx, access.Guest(), mara, code) },
	} {
		var all sync.WaitGroup
		results := make(chan error, 16)
		for range 16 {
			all.Go(func() { results <- w.DB.Update(t.Context(), func(tx *db.Tx) error { return use(tx, name) }) })
		}
		all.Wait()
		in := 0
		for range 16 {
			switch err := <-results; {
			case err == nil:
				in++
			case !errors.Is(err, factor.ErrUsedCode) && !errors.Is(err, factor.ErrWrongRecovery):
				t.Error(err)
			}
		}
		if in != 1 {
			t.Errorf("%d of 16 got in with one code, want 1", in)
		}
	}
}

func TestRecoveryCodesWorkOnceAndNewOnesReplaceThem(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	mara := w.Mara.Account()
	fresh := func() (codes []string) {
		w.Update(t, func(tx *db.Tx) (err error) {
			codes, err = factor.NewCodes(tx, w.Mara)
			return err
		})
		return codes
	}
	use := func(code string) error {
		return w.DB.Update(t.Context(), func(tx *db.Tx) error { return factor.UseRecovery(tx, access.Guest(), mara, code) })
	}
	left := func() (n int64) {
		w.View(t, func(tx *db.Tx) error {
			s, err := factor.Of(tx, w.Mara)
			n = s.CodesLeft
			return err
		})
		return n
	}
	old := fresh()
	if len(old) != 10 || left() != 10 {
		t.Fatalf("%d codes, %d of them left, want ten", len(old), left())
	}
	if err := use(strings.ToUpper(strings.ReplaceAll(old[0], "-", " "))); err != nil {
		t.Fatalf("a code typed in another way: %v", err)
	}
	if err := use(old[0]); !errors.Is(err, factor.ErrWrongRecovery) {
		t.Errorf("a code used twice: %v", err)
	}
	if left() != 9 {
		t.Errorf("%d are left, want 9", left())
	}
	failed := errors.New("something later fails")
	err := w.DB.Update(t.Context(), func(tx *db.Tx) error {
		if err := factor.UseRecovery(tx, access.Guest(), mara, old[1]); err != nil {
			return err
		}
		return failed
	})
	if !errors.Is(err, failed) || left() != 9 {
		t.Errorf("undone with its transaction: %v, %d left", err, left())
	}
	fresh()
	if err := use(old[1]); !errors.Is(err, factor.ErrWrongRecovery) {
		t.Errorf("a code that was replaced: %v", err)
	}
	if err := use("abc"); !errors.Is(err, factor.ErrNoRecovery) {
		t.Errorf("no code at all: %v", err)
	}
	w.RunJobs(t)
	var used, made int
	for _, m := range w.Letters("mara@practice.test") {
		used += strings.Count(m.Subject, "A recovery code was used")
		made += strings.Count(m.Subject, "New recovery codes were made")
	}
	if used != 1 || made != 2 {
		t.Errorf("%d letters of a used code and %d of new ones, want 1 and 2", used, made)
	}
	who, _ := person(t, w)
	err = w.DB.Update(t.Context(), func(tx *db.Tx) error { _, err := factor.NewCodes(tx, who); return err })
	if !errors.Is(err, factor.ErrNoStep) {
		t.Errorf("codes for whoever has no second step: %v", err)
	}
}

func TestAnOfferedSeedIsTheOwnersAndEnds(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	var seed factor.Seed
	var sealed string
	w.View(t, func(tx *db.Tx) (err error) {
		seed, sealed, err = factor.Offer(tx, w.Mara)
		return err
	})
	open := func(by access.Actor, s string) (got factor.Seed, err error) {
		err = w.DB.View(t.Context(), func(tx *db.Tx) error { got, err = factor.Offered(tx, by, s); return err })
		return got, err
	}
	if got, err := open(w.Mara, sealed); err != nil || got.Reveal() != seed.Reveal() {
		t.Fatalf("the seed is another, or %v", err)
	}
	for name, tried := range map[string]func() (factor.Seed, error){
		"another person": func() (factor.Seed, error) { return open(w.Ines, sealed) },
		"made up":        func() (factor.Seed, error) { return open(w.Mara, "AAAA") },
		"empty":          func() (factor.Seed, error) { return open(w.Mara, "") },
	} {
		if _, err := tried(); !errors.Is(err, factor.ErrLate) {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.Pass(time.Hour)
	if _, err := open(w.Mara, sealed); !errors.Is(err, factor.ErrLate) {
		t.Errorf("too old: %v", err)
	}
	if s := fmt.Sprint(seed) + fmt.Sprintf("%v %+v %q", seed, seed, seed); strings.Contains(s, seed.Reveal()) {
		t.Error("a seed can be printed")
	}
}

func TestAFirstSecondStepEndsTheOtherSessions(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	by, who := person(t, w)
	begin := func() (token secret.Token) {
		w.Update(t, func(tx *db.Tx) (err error) {
			token, err = account.Begin(tx, by, who, account.Entry{Terms: account.Terms{Life: time.Hour, Idle: time.Hour}})
			return err
		})
		return token
	}
	here, there := begin(), begin()
	seed := factor.NewSeed()
	code, err := seed.Code(w.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.DB.Update(t.Context(), func(tx *db.Tx) error { return factor.SetAuthenticator(tx, by, seed, "000000", here) }); !errors.Is(err, factor.ErrWrongCode) {
		t.Fatalf("an app that does not have the seed: %v", err)
	}
	w.Update(t, func(tx *db.Tx) error { return factor.SetAuthenticator(tx, by, seed, code, here) })
	w.View(t, func(tx *db.Tx) error {
		if _, err := account.Lookup(tx, here); err != nil {
			t.Errorf("this session: %v", err)
		}
		if _, err := account.Lookup(tx, there); !errors.Is(err, db.None) {
			t.Errorf("the other session: %v", err)
		}
		return nil
	})
	w.RunJobs(t)
	if got := w.Letters("pat@example.com"); len(got) != 1 || got[0].Subject != "An authenticator was set up" {
		t.Errorf("%d letters", len(got))
	}
}

// entry is somebody who has shown the password.
func entry(t testing.TB, w *world.World, address string) secret.Token {
	t.Helper()
	in, err := w.Doorman.SignIn(t.Context(), address, world.Password, "192.0.2.1", secret.NewToken())
	if err != nil {
		t.Fatal(err)
	}
	var token secret.Token
	w.Update(t, func(tx *db.Tx) (err error) {
		token, err = factor.Expect(tx, access.Guest(), in, "/people")
		return err
	})
	return token
}

func TestAnEntryIsUsedOnceAndEnds(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	admit := func(token secret.Token) (who id.Account, err error) {
		err = w.DB.Update(t.Context(), func(tx *db.Tx) error {
			if who, err = factor.Admit(tx, access.Guest(), token); err != nil {
				return err
			}
			return account.Note(tx, access.AsPerson(who), "account.signed_in", who)
		})
		return who, err
	}
	token := entry(t, w, "mara@practice.test")
	if who, err := admit(token); err != nil || who != w.Mara.Account() {
		t.Fatalf("admitted %s, %v", who, err)
	}
	if _, err := admit(token); !errors.Is(err, factor.ErrNoEntry) {
		t.Errorf("twice: %v", err)
	}
	if _, err := admit(secret.NewToken()); !errors.Is(err, factor.ErrNoEntry) {
		t.Errorf("a token that nobody was given: %v", err)
	}
	token = entry(t, w, "mara@practice.test")
	w.Pass(factor.EntryLife)
	if _, err := admit(token); !errors.Is(err, factor.ErrNoEntry) {
		t.Errorf("after ten minutes: %v", err)
	}
	token = entry(t, w, "mara@practice.test")
	w.Update(t, func(tx *db.Tx) error { return account.AskReset(tx, access.Guest(), mustEmail(t, "mara@practice.test")) })
	w.RunJobs(t)
	link := secret.ParseToken(w.Link(t, "mara@practice.test", "/reset/"))
	w.Update(t, func(tx *db.Tx) error { _, err := account.Reset(tx, access.Guest(), link, "a new hash"); return err })
	if _, err := admit(token); !errors.Is(err, factor.ErrNoEntry) {
		t.Errorf("after a new password: %v", err)
	}
	if asks(t, w, w.Mara.Account()) != true {
		t.Error("a new password took the second step away")
	}
}

func asks(t testing.TB, w *world.World, a id.Account) (yes bool) {
	t.Helper()
	w.View(t, func(tx *db.Tx) (err error) {
		yes, err = factor.Asks(tx, access.Guest(), a)
		return err
	})
	return yes
}

// Whoever reads somebody's mail can choose a new password, and gains no tries by it.
func TestANewPasswordMakesNoWrongCodeUndone(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	mara := w.Mara.Account()
	for range 10 {
		if err := w.Doorman.Guess(t.Context(), mara); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.DB.Exec(t.Context(), "UPDATE account SET password_at = password_at + 1000000"); err != nil {
		t.Fatal(err)
	}
	if err := w.Doorman.Guess(t.Context(), mara); !errors.Is(err, account.ErrWait) {
		t.Errorf("the eleventh, after a new password: %v", err)
	}
}

func TestWrongCodesMustWaitAndNeverForGood(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	mara := w.Mara.Account()
	for i := range 10 {
		if err := w.Doorman.Guess(t.Context(), mara); err != nil {
			t.Fatalf("try %d: %v", i, err)
		}
	}
	err := w.Doorman.Guess(t.Context(), mara)
	if !errors.Is(err, account.ErrWait) || !errors.Is(err, fault.Busy) || !strings.Contains(err.Error(), "There were many wrong codes. Please wait 10 seconds") {
		t.Fatalf("the eleventh: %v", err)
	}
	w.Pass(10 * time.Second)
	if err := w.Doorman.Guess(t.Context(), mara); err != nil {
		t.Errorf("after waiting: %v", err)
	}
	if err := w.Doorman.Guessed(t.Context(), mara); err != nil {
		t.Fatal(err)
	}
	for range 9 {
		if err := w.Doorman.Guess(t.Context(), mara); err != nil {
			t.Errorf("after a right one: %v", err)
		}
	}
	if err := w.Doorman.Guess(t.Context(), w.Ines.Account()); err != nil {
		t.Errorf("somebody else: %v", err)
	}
}
