package account_test

import (
	"net/url"
	"slices"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/audit"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/platform/db"
)

// from signs a person in from a browser on a network.
func (h *house) from(t *testing.T, by access.Actor, browser, network string) (token secret.Token) {
	t.Helper()
	h.do(t, func(tx *db.Tx) (err error) {
		token, err = account.Begin(tx, by, by.Account(), account.Entry{Place: atWork, Terms: account.Anywhere, Browser: browser, Network: network})
		return err
	})
	return token
}

func (h *house) devices(t *testing.T, by access.Actor, here secret.Token, network string) (all []account.Device) {
	t.Helper()
	h.see(t, func(tx *db.Tx) (err error) {
		all, err = account.Devices(tx, by, here, network)
		return err
	})
	return all
}

func TestDevicesAreWhereAPersonIsSignedIn(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	annie, vince := h.annie(t), h.person(t, "Vince Gill", "vince@example.com", true)
	gone := h.from(t, annie, "Safari on iOS", "192.0.2.1")
	h.pass(31 * time.Minute)
	first := h.from(t, annie, "Firefox on Windows", "192.0.2.1")
	h.pass(time.Minute)
	here := h.from(t, annie, "", "192.0.2.9")
	h.from(t, vince, "Chrome on Android", "192.0.2.1")

	all := h.devices(t, annie, here, "192.0.2.1")
	if len(all) != 2 || !all[0].Here || all[0].Near || all[1].Here || !all[1].Near || all[1].Browser != "Firefox on Windows" || all[1].Place != atWork {
		t.Fatalf("devices: %+v", all)
	}
	if h.signedIn(t, gone) {
		t.Error("a session that had ended is still one")
	}
	h.refuse(t, fault.NotFound, func(tx *db.Tx) error {
		_, err := account.Devices(tx, access.Guest(), here, "")
		return err
	})

	end := func(tx *db.Tx) error { return account.EndDevice(tx, annie, all[1].ID) }
	h.refuse(t, account.ErrNotSignedInThere, func(tx *db.Tx) error { return account.EndDevice(tx, vince, all[1].ID) })
	h.undo(t, end)
	if !h.signedIn(t, first) {
		t.Fatal("an undone sign-out signed out")
	}
	if won := h.atOnce(t, end, account.ErrNotSignedInThere); won != 1 {
		t.Errorf("%d of 16 signed the same device out", won)
	}
	if h.signedIn(t, first) || !h.signedIn(t, here) {
		t.Error("the wrong device is signed out")
	}
}

func TestSigningOutEverywhereElseKeepsThisDevice(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	annie, vince := h.annie(t), h.person(t, "Vince Gill", "vince@example.com", true)
	here, other, his := h.from(t, annie, "", ""), h.from(t, annie, "", ""), h.from(t, vince, "", "")
	others := func(tx *db.Tx) error { return account.EndOthers(tx, annie, here) }
	h.undo(t, others)
	h.refuse(t, account.ErrSignedOut, func(tx *db.Tx) error { return account.EndOthers(tx, annie, his) })
	h.do(t, others)
	if !h.signedIn(t, here) || h.signedIn(t, other) || !h.signedIn(t, his) {
		t.Error("not exactly the person's other devices are signed out")
	}
}

func TestAFormIsKeptForItsOwnerAlone(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	annie, vince := h.annie(t), h.person(t, "Vince Gill", "vince@example.com", true)
	typed := url.Values{"first": {"Rashida", "again"}, "password": {"a secret"}, "new-password": {"another"}, "code": {"123456"}}
	keep := func(tx *db.Tx) error { return account.KeepForm(tx, access.Guest(), annie.Account(), "/people", typed) }
	h.undo(t, keep)
	if won := h.atOnce(t, keep); won != 16 { // each takes the place of the one before
		t.Errorf("%d of 16 kept", won)
	}
	kept := func(by access.Actor) (f account.Form, err error) {
		err = h.View(t.Context(), func(tx *db.Tx) (err error) { f, err = account.Kept(tx, by); return err })
		return f, err
	}
	f, err := kept(annie)
	if err != nil || f.Path != "/people" || !slices.Equal(f.Fields["first"], typed["first"]) || len(f.Fields) != 1 {
		t.Fatalf("kept: %+v, %v", f, err)
	}
	if _, err := kept(vince); err != account.ErrNothingKept {
		t.Errorf("somebody else gets %v", err)
	}
	h.refuse(t, account.ErrNothingKept, func(tx *db.Tx) error { return account.DropForm(tx, vince, f.ID) })
	h.refuse(t, account.ErrNothingKept, func(tx *db.Tx) error { return account.DropForm(tx, annie, id.New[id.Form](h.now())) })
	if won := h.atOnce(t, func(tx *db.Tx) error { return account.DropForm(tx, annie, f.ID) }, account.ErrNothingKept); won != 1 {
		t.Errorf("%d of 16 dropped it", won)
	}
	h.do(t, keep)
	h.pass(24*time.Hour + time.Microsecond)
	if _, err := kept(annie); err != account.ErrNothingKept {
		t.Errorf("after a day: %v", err)
	}
	if err := account.Sweep(t.Context(), h.DB); err != nil {
		t.Fatal(err)
	}
	h.refuse(t, account.ErrNothingKept, func(tx *db.Tx) error {
		f, err := account.Kept(tx, annie)
		if err != nil {
			return err
		}
		return account.DropForm(tx, annie, f.ID)
	})
	for _, none := range []url.Values{{}, {"password": {"only"}}, {"a": {string(make([]byte, 65<<10))}}} {
		h.refuse(t, account.ErrNothingKept, func(tx *db.Tx) error {
			return account.KeepForm(tx, access.Guest(), annie.Account(), "/people", none)
		})
	}
	if h.trail(t, audit.FormKept) == 0 {
		t.Error("the trail does not say that a form was kept")
	}
}

func TestOnlyASessionThatEndedByItselfKeepsAForm(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	annie := h.annie(t)
	token, out := h.from(t, annie, "", ""), h.from(t, annie, "", "")
	h.do(t, func(tx *db.Tx) error { return account.End(tx, annie, out) })
	ended := func(token secret.Token) (who id.Account, err error) {
		err = h.View(t.Context(), func(tx *db.Tx) (err error) { who, err = account.Ended(tx, token); return err })
		return who, err
	}
	if _, err := ended(token); err != db.None {
		t.Errorf("one that lasts: %v", err)
	}
	h.pass(31 * time.Minute)
	if who, err := ended(token); err != nil || who != annie.Account() {
		t.Errorf("one that ended: %q, %v", who, err)
	}
	for name, none := range map[string]secret.Token{"signed out": out, "made up": secret.NewToken()} {
		if _, err := ended(none); err != db.None {
			t.Errorf("%s: %v", name, err)
		}
	}
}
