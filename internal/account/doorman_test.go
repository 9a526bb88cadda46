package account_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/account/password"
	"icouch/internal/audit"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/platform/db"
)

// try signs in from an IP address of its own.
func (h *house) try(t *testing.T, i int, typed, pw string, device secret.Token) error {
	t.Helper()
	_, err := h.door.SignIn(t.Context(), typed, pw, fmt.Sprintf("10.%d.%d.%d", i>>16&255, i>>8&255, i&255), device)
	if err != nil && !errors.Is(err, account.ErrWrong) && !errors.Is(err, account.ErrWait) {
		t.Fatal(err)
	}
	return err
}

func TestNobodyLearnsFromSigningInWhoHasAnAccount(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.annie(t)
	for i := range 16 {
		h.pass(time.Second)
		known, unknown := h.try(t, i, "annie.noda@example.com", wrong, secret.Token{}), h.try(t, 100+i, "nobody@example.com", wrong, secret.Token{})
		if known == nil || known.Error() != unknown.Error() || errors.Is(known, account.ErrWrong) != (i < 10) {
			t.Errorf("try %d: known %v, unknown %v", i, known, unknown)
		}
	}
	if _, err := h.door.SignIn(t.Context(), "no address at all", wrong, "10.9.9.9", secret.Token{}); err != account.ErrWrong {
		t.Errorf("no address at all: %v", err)
	}
}

func TestWaitingIsSaidInWordsAndGrowsToAQuarterOfAnHour(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.annie(t)
	for i := range 10 {
		if err := h.try(t, i, "annie.noda@example.com", wrong, secret.Token{}); err != account.ErrWrong {
			t.Fatalf("try %d: %v", i, err)
		}
	}
	for i, wait := range []time.Duration{10 * time.Second, 40 * time.Second, 160 * time.Second, 640 * time.Second, 15 * time.Minute, 15 * time.Minute} {
		words := []string{"10 seconds", "40 seconds", "3 minutes", "11 minutes", "15 minutes", "15 minutes"}[i]
		err := h.try(t, 20+i, "annie.noda@example.com", right, secret.Token{})
		if !errors.Is(err, account.ErrWait) || !errors.Is(err, fault.Busy) || !strings.Contains(err.Error(), "Please wait "+words+" and") {
			t.Errorf("wait %d: %v, want %s", i, err, words)
		}
		h.pass(wait - time.Microsecond)
		if err := h.try(t, 40+i, "annie.noda@example.com", right, secret.Token{}); !errors.Is(err, account.ErrWait) || !strings.Contains(err.Error(), "wait 1 second ") {
			t.Errorf("just before wait %d ends: %v", i, err)
		}
		h.pass(time.Microsecond)
		if err := h.try(t, 60+i, "annie.noda@example.com", wrong, secret.Token{}); err != account.ErrWrong {
			t.Fatalf("after wait %d: %v", i, err)
		}
	}
	h.pass(15 * time.Minute)
	if err := h.try(t, 80, "annie.noda@example.com", right, secret.Token{}); err != nil {
		t.Fatalf("the right password after waiting: %v", err)
	}
	for i := range 10 {
		if err := h.try(t, 90+i, "annie.noda@example.com", wrong, secret.Token{}); err != account.ErrWrong {
			t.Fatalf("being right did not forget the wrong tries: %v", err)
		}
	}
}

// A thousand guesses in a day, from as many places: few are looked at, and the
// person gets in with their own browser all the while.
func TestAThousandGuessesADayAreAHundredAtMost(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	annie := h.annie(t)
	device := h.remember(t, annie)
	looked := 0
	for i := range 1000 {
		h.pass(86_400 * time.Millisecond) // a thousand of them are a day
		switch err := h.try(t, i, "annie.noda@example.com", wrong, secret.Token{}); {
		case errors.Is(err, account.ErrWrong):
			looked++
		case err == nil:
			t.Fatal("guessed")
		}
		if i%100 != 99 {
			continue
		}
		if err := h.try(t, 5000+i, "annie.noda@example.com", wrong, device); err != account.ErrWrong {
			t.Fatalf("guess %d: Annie, mistaken, in her own browser: %v", i, err)
		}
		if err := h.try(t, 6000+i, "annie.noda@example.com", right, device); err != nil {
			t.Fatalf("guess %d: Annie in her own browser: %v", i, err)
		}
		if err := h.Exec(t.Context(), "UPDATE account SET password = $1", cheap(right)); err != nil { // it was hashed again, at full cost
			t.Fatal(err)
		}
	}
	if looked < 50 || looked > 90 { // and her own browser has ten
		t.Errorf("%d of 1,000 guesses were looked at, want at most 90", looked)
	}
}

func TestGuessesAtNobodyAreCountedAsThoseAtSomebody(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.annie(t)
	for i := range 100 {
		h.pass(86_400 * time.Millisecond)
		known, unknown := h.try(t, i, "annie.noda@example.com", wrong, secret.Token{}), h.try(t, i, "nobody@example.com", wrong, secret.Token{})
		if known.Error() != unknown.Error() {
			t.Fatalf("guess %d: known %v, unknown %v", i, known, unknown)
		}
	}
}

func TestAHundredGuessesAtOnceAreNoBetter(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.annie(t)
	h.door.Hasher = password.NewHasher(0, 200)
	var looked, waited int
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			err := h.try(t, i, "annie.noda@example.com", wrong, secret.Token{})
			mu.Lock()
			defer mu.Unlock()
			if errors.Is(err, account.ErrWrong) {
				looked++
			} else {
				waited++
			}
		})
	}
	all.Wait()
	if looked != 10 || waited != 90 {
		t.Errorf("%d of 100 at once were looked at, want 10", looked)
	}
}

func TestAStolenDeviceCookieIsNoLicenceToGuess(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	annie := h.annie(t)
	device := h.remember(t, annie)
	looked := 0
	for i := range 400 {
		if errors.Is(h.try(t, i, "annie.noda@example.com", wrong, device), account.ErrWrong) {
			looked++
		}
	}
	if looked != 20 { // its own ten, and the ten of any stranger
		t.Errorf("%d of 400 were looked at, want 20", looked)
	}
	vince := h.person(t, "Vince Gill", "vince@example.com", true)
	if err := h.try(t, 999, "annie.noda@example.com", right, h.remember(t, vince)); !errors.Is(err, account.ErrWait) {
		t.Errorf("Vince's browser is known to Annie's account: %v", err)
	}
}

func TestOnePlaceGuessesAtSixtyInAQuarterOfAnHour(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.annie(t)
	for i := range 15 {
		h.person(t, "David", fmt.Sprintf("david%d@example.com", i), true)
	}
	for i := range 60 {
		if _, err := h.door.SignIn(t.Context(), fmt.Sprintf("david%d@example.com", i%15), wrong, "192.0.2.9", secret.Token{}); err != account.ErrWrong {
			t.Fatalf("try %d: %v", i, err)
		}
	}
	_, err := h.door.SignIn(t.Context(), "annie.noda@example.com", right, "192.0.2.9", secret.Token{})
	if !errors.Is(err, account.ErrWait) || !strings.Contains(err.Error(), "15 minutes") {
		t.Errorf("the 61st: %v", err)
	}
	if _, err := h.door.SignIn(t.Context(), "annie.noda@example.com", right, "192.0.2.10", secret.Token{}); err != nil {
		t.Errorf("from elsewhere: %v", err)
	}
	h.pass(15 * time.Minute)
	if _, err := h.door.SignIn(t.Context(), "annie.noda@example.com", right, "192.0.2.9", secret.Token{}); err != nil {
		t.Errorf("a quarter of an hour later: %v", err)
	}
}

func TestAPasswordIsHashedAgainWhenTheCostHasChanged(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	annie := h.annie(t)
	stored := func() (s string) {
		t.Helper()
		if err := h.Row(t.Context(), "SELECT password FROM account WHERE id = $1", []any{annie.Account().String()}, &s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	if err := h.try(t, 1, "annie.noda@example.com", wrong, secret.Token{}); err != account.ErrWrong || stored() != cheap(right) {
		t.Fatalf("a wrong password: %v", err)
	}
	before := h.account(t, annie).PasswordAt
	h.pass(time.Hour)
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			if err := h.try(t, 2+i, "annie.noda@example.com", right, secret.Token{}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	after := stored()
	if !strings.Contains(after, "m=19456,t=2,p=1") || h.trail(t, audit.ProfileChanged) != 1 || h.account(t, annie).PasswordAt != before {
		t.Errorf("stored: %s; %d in the trail", after, h.trail(t, audit.ProfileChanged))
	}
	if err := h.try(t, 9, "annie.noda@example.com", right, secret.Token{}); err != nil || stored() != after {
		t.Errorf("the next sign-in: %v", err)
	}
}

func TestAPersonProvesTheirOwnPasswordOnceMore(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	annie := h.annie(t)
	prove := func(by access.Actor, pw string) error { return h.door.Prove(t.Context(), by, pw) }
	if err := prove(annie, right); err != nil {
		t.Error(err)
	}
	if err := prove(access.Guest(), right); !errors.Is(err, fault.NotFound) {
		t.Errorf("a guest: %v", err)
	}
	if err := prove(access.AsPerson("none"), right); !errors.Is(err, fault.NotFound) {
		t.Errorf("an account that is gone: %v", err)
	}
	for range 10 {
		if err := prove(annie, wrong); err != account.ErrNotYours {
			t.Fatal(err)
		}
	}
	if err := prove(annie, right); !errors.Is(err, account.ErrWait) {
		t.Errorf("the eleventh: %v", err)
	}
	if err := h.try(t, 1, "annie.noda@example.com", right, secret.Token{}); err != nil {
		t.Errorf("signing in is counted apart: %v", err)
	}
	h.pass(10 * time.Second)
	if err := prove(annie, right); err != nil {
		t.Errorf("after waiting: %v", err)
	}
}

func TestANewPasswordIsJudgedBeforeItIsHashed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	_, err := h.door.Hash(t.Context(), "too short", password.Context{})
	if _, field, ok := fault.As(err); !errors.Is(err, password.ErrShort) || field != "password" || !ok {
		t.Errorf("a short one: %v, about %q", err, field)
	}
	hash, err := h.door.Hash(t.Context(), right, password.Context{Names: []string{"Annie Noda"}})
	if err != nil || strings.Contains(hash, right) {
		t.Fatal(err)
	}
	var a id.Account
	h.do(t, func(tx *db.Tx) (err error) {
		a, err = account.Make(tx, access.Guest(), account.New{Name: "Annie Noda", Email: mailbox(t, "annie@example.com"), Password: hash})
		return err
	})
	if got, err := h.door.SignIn(t.Context(), "annie@example.com", right, "192.0.2.1", secret.Token{}); err != nil || got.Account != a {
		t.Errorf("signing in: %v %v", got, err)
	}
}
