package account_test

import (
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/platform/db"
)

// What has ended stays for as long as somebody may still ask about it, and
// what is alive stays.
func TestSweepTakesOnlyWhatIsLongOver(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	annie := h.annie(t)
	ask := func() {
		h.do(t, func(tx *db.Tx) error {
			return account.AskReset(tx, access.Guest(), mailbox(t, "annie.noda@example.com"))
		})
		h.do(t, func(tx *db.Tx) error {
			_, err := account.Begin(tx, annie, annie.Account(), account.Entry{Terms: account.Terms{Life: time.Hour, Idle: time.Hour}})
			return err
		})
		h.do(t, func(tx *db.Tx) error { _, err := account.Remember(tx, annie, annie.Account()); return err })
	}
	sweep := func() rows {
		if err := account.Sweep(t.Context(), h.DB); err != nil {
			t.Fatal(err)
		}
		return h.rows(t)
	}
	ask()
	before := h.rows(t)
	if before.sessions == 0 || before.links == 0 || before.devices == 0 {
		t.Fatalf("there is nothing to sweep: %+v", before)
	}
	h.pass(23 * time.Hour)
	if got := sweep(); got.sessions != before.sessions || got.links != before.links || got.devices != before.devices {
		t.Errorf("after a day %+v is left of %+v", got, before)
	}
	h.pass(10 * 24 * time.Hour)
	if got := sweep(); got.sessions != 0 || got.links != before.links || got.devices != before.devices {
		t.Errorf("after eleven days %+v is left", got)
	}
	h.pass(30 * 24 * time.Hour)
	ask()
	if got := sweep(); got.sessions != 1 || got.links != 1 || got.devices != before.devices+1 {
		t.Errorf("after a month and with new ones %+v is left", got)
	}
	h.pass(401 * 24 * time.Hour)
	if got := sweep(); got.devices != 0 {
		t.Errorf("after a year and more %d browsers are known", got.devices)
	}
}
