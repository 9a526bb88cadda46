package account_test

import (
	"encoding/base64"
	"errors"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/audit"
	"icouch/internal/base/fault"
	"icouch/internal/base/secret"
	"icouch/internal/platform/db"
)

func decode(s string) ([]byte, error) { return base64.RawURLEncoding.DecodeString(s) }

var (
	atWork   = account.Place{Practice: "p1"}
	asClient = account.Place{Practice: "p1", Client: "c1"}
)

func TestASessionEndsAfterAWhileWithoutUse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		asked, idle time.Duration
	}{
		"as long as the place says": {15 * time.Minute, 15 * time.Minute},
		"anywhere":                  {account.Anywhere.Idle, 30 * time.Minute},
		"never more than an hour":   {3 * time.Hour, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			annie := h.annie(t)
			var token secret.Token
			h.do(t, func(tx *db.Tx) (err error) {
				token, err = account.Begin(tx, annie, annie.Account(), account.Entry{Place: atWork, Terms: account.Terms{Life: 24 * time.Hour, Idle: c.asked}})
				return err
			})
			h.pass(c.idle - time.Microsecond)
			if !h.signedIn(t, token) {
				t.Fatal("signed out too early")
			}
			h.pass(time.Microsecond)
			if h.signedIn(t, token) {
				t.Fatal("still signed in")
			}
		})
	}
}

func TestUseKeepsASessionUntilItsHour(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	annie := h.annie(t)
	token := h.begin(t, annie, atWork)
	began := h.now()
	for h.now().Before(began.Add(24*time.Hour - 10*time.Minute)) {
		h.pass(10 * time.Minute)
		s := h.session(t, token)
		if err := account.Seen(t.Context(), h.DB, s); err != nil {
			t.Fatal(err)
		}
	}
	h.session(t, token)
	h.pass(10 * time.Minute)
	if h.signedIn(t, token) {
		t.Error("signed in longer than it may last")
	}
}

func (h *house) session(t *testing.T, token secret.Token) (s account.Session) {
	t.Helper()
	h.see(t, func(tx *db.Tx) (err error) {
		s, err = account.Lookup(tx, token)
		return err
	})
	return s
}

func TestUseIsNotedAtMostOnceAMinuteAndNeverRevives(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	token := h.begin(t, h.annie(t), atWork)
	first := h.session(t, token)
	see := func(s account.Session) {
		t.Helper()
		if err := account.Seen(t.Context(), h.DB, s); err != nil {
			t.Fatal(err)
		}
	}
	h.pass(59 * time.Second)
	see(first)
	if s := h.session(t, token); !s.SeenAt.Equal(first.SeenAt.Time) {
		t.Error("noted within the minute")
	}
	h.pass(time.Second)
	see(first)
	second := h.session(t, token)
	if !second.SeenAt.Equal(h.now()) {
		t.Error("not noted after a minute")
	}
	h.pass(30 * time.Minute)
	see(second)
	if h.signedIn(t, token) {
		t.Error("a session that had ended came back")
	}
}

func TestASessionMovesBetweenPlaces(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	annie, vince := h.annie(t), h.person(t, "Vince Gill", "vince@example.com", true)
	token := h.begin(t, annie, account.Place{})
	move := func(tx *db.Tx) error { return account.Move(tx, annie, token, atWork, account.Anywhere) }
	h.undo(t, move)
	h.do(t, move)
	if s := h.session(t, token); s.Practice != "p1" || s.Client != "" || s.Account != annie.Account() {
		t.Errorf("session: %+v", s)
	}
	if won := h.atOnce(t, func(tx *db.Tx) error { return account.Move(tx, annie, token, asClient, account.Anywhere) }); won != 16 {
		t.Errorf("%d of 16 moved", won)
	}
	if s := h.session(t, token); s.Client != "c1" {
		t.Errorf("session: %+v", s)
	}
	h.do(t, func(tx *db.Tx) error {
		return account.Move(tx, annie, token, atWork, account.Terms{Life: 12 * time.Hour, Idle: 15 * time.Minute})
	})
	if s := h.session(t, token); s.Idle != 15*time.Minute || s.EndsAt.Sub(h.now()) != 12*time.Hour {
		t.Errorf("where records are open a session lasts %s, %s without use", s.EndsAt.Sub(h.now()), s.Idle)
	}
	h.do(t, func(tx *db.Tx) error { return account.Move(tx, annie, token, asClient, account.Anywhere) })
	if s := h.session(t, token); s.EndsAt.Sub(h.now()) != 12*time.Hour {
		t.Error("going elsewhere made a session longer")
	}
	h.refuse(t, account.ErrSignedOut, func(tx *db.Tx) error { return account.Move(tx, vince, token, atWork, account.Anywhere) })
	h.refuse(t, account.ErrSignedOut, func(tx *db.Tx) error { return account.Move(tx, annie, secret.NewToken(), atWork, account.Anywhere) })
	h.refuse(t, account.ErrSignedOut, func(tx *db.Tx) error { return account.Move(tx, access.Guest(), token, atWork, account.Anywhere) })
	if h.trail(t, audit.PlaceChosen) != 19 {
		t.Error("the trail does not have each move")
	}
}

func TestSigningOutHereAndEverywhere(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	annie, vince := h.annie(t), h.person(t, "Vince Gill", "vince@example.com", true)
	one, two, three, his := h.begin(t, annie, account.Place{}), h.begin(t, annie, atWork), h.begin(t, annie, asClient), h.begin(t, vince, atWork)
	h.remember(t, annie)
	h.remember(t, vince)

	h.refuse(t, account.ErrSignedOut, func(tx *db.Tx) error { return account.End(tx, vince, one) })
	end := func(tx *db.Tx) error { return account.End(tx, annie, one) }
	h.undo(t, end)
	if won := h.atOnce(t, end, account.ErrSignedOut); won != 1 || h.signedIn(t, one) || !h.signedIn(t, two) {
		t.Errorf("%d of 16 signed out", won)
	}
	for _, by := range []access.Actor{vince, access.Guest(), access.ByLink("p1", "c1"), access.AsPractitioner("p1", vince.Account(), "m", access.Owner)} {
		h.refuse(t, fault.NotFound, func(tx *db.Tx) error { return account.EndAll(tx, by, annie.Account()) })
	}
	h.refuse(t, fault.NotFound, func(tx *db.Tx) error { return account.EndAll(tx, access.Guest(), "") })
	all := func(tx *db.Tx) error { return account.EndAll(tx, access.Operator(), annie.Account()) }
	h.undo(t, all)
	h.do(t, all)
	if h.signedIn(t, two) || h.signedIn(t, three) || !h.signedIn(t, his) {
		t.Error("signing Annie out everywhere left her in, or signed Vince out")
	}
	if r := h.rows(t); r.devices != 1 {
		t.Errorf("%d devices, want Vince's", r.devices)
	}
	h.do(t, func(tx *db.Tx) error { return account.EndAll(tx, vince, vince.Account()) })
}

func TestSessionsNeedAnAccount(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.refuse(t, fault.NotFound, func(tx *db.Tx) error {
		_, err := account.Begin(tx, access.Guest(), "none", account.Entry{Place: atWork, Terms: account.Terms{Life: time.Hour, Idle: time.Hour}})
		return err
	})
	h.refuse(t, fault.NotFound, func(tx *db.Tx) error {
		_, err := account.Remember(tx, access.Guest(), "none")
		return err
	})
	annie := h.annie(t)
	h.undo(t, func(tx *db.Tx) error {
		_, err := account.Begin(tx, access.Guest(), annie.Account(), account.Entry{Place: atWork, Terms: account.Terms{Life: time.Hour, Idle: time.Hour}})
		return err
	})
	if h.signedIn(t, secret.NewToken()) || h.signedIn(t, secret.Token{}) {
		t.Error("a made-up token is a session")
	}
	var by string
	h.begin(t, annie, atWork)
	err := h.Row(t.Context(), "SELECT account_id FROM audit WHERE action = 'account.signed_in'", nil, &by)
	if err != nil || by != annie.Account().String() {
		t.Errorf("the trail says %q signed in: %v", by, err)
	}
	if errors.Is(account.ErrSignedOut, fault.NotFound) {
		t.Error("signing out twice is not an unknown page")
	}
}
