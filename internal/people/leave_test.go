package people_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/at"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/world"
)

// leaves has somebody ask for their account to be deleted.
func leaves(t testing.TB, w *world.World, who id.Account) error {
	t.Helper()
	return update(t, w, func(tx *db.Tx) error { _, err := people.AskToLeave(tx, access.AsPerson(who)); return err })
}

// depart runs the job twice, as two nodes or a clock that steps back would.
func depart(t testing.TB, w *world.World) {
	t.Helper()
	for range 2 {
		if err := (people.Clerk{DB: w.DB}).Depart(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// pass lets the days go by until an account that asked to go has gone.
func pass(t testing.TB, w *world.World) {
	t.Helper()
	w.Pass(account.Grace)
	depart(t, w)
	w.Pass(24 * time.Hour)
	depart(t, w)
	w.RunJobs(t)
}

func gone(t testing.TB, w *world.World, who id.Account) bool {
	t.Helper()
	err := w.DB.View(t.Context(), func(tx *db.Tx) error { _, err := account.Of(tx, access.AsPerson(who)); return err })
	if err != nil && !errors.Is(err, account.ErrNoAccount) {
		t.Fatal(err)
	}
	return err != nil
}

func TestAClientWhoLeavesTakesTheAccountAndNotTheRecord(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	j, err := signUp(w, t, invite(t, w))
	if err != nil {
		t.Fatal(err)
	}
	theo := j.Account
	w.Update(t, func(tx *db.Tx) error {
		if _, err := account.Begin(tx, access.AsPerson(theo), theo, account.Entry{Terms: account.Terms{Life: 100 * aDay, Idle: time.Hour}}); err != nil {
			return err
		}
		_, err := account.Remember(tx, access.AsPerson(theo), theo)
		return err
	})
	before := len(w.Letters("mara@practice.test"))
	if err := leaves(t, w, theo); err != nil {
		t.Fatal(err)
	}
	wants(t, "twice", leaves(t, w, theo), account.ErrLeaves)
	w.Pass(account.Grace - time.Second)
	depart(t, w)
	w.Pass(time.Second)
	depart(t, w)
	if gone(t, w, theo) || row(t, w, w.Theo).Action != people.MessageAction {
		t.Fatal("gone before the day, or before the day was sure")
	}
	w.Pass(24 * time.Hour)
	depart(t, w)
	w.RunJobs(t)
	if !gone(t, w, theo) {
		t.Fatal("not gone")
	}
	c := find(t, w, w.Mara, w.Theo)
	if c.Account != nil || c.LinkedAt != nil || c.Name.Full() != "Theo Vance" || c.Email.String() != theosMail {
		t.Errorf("of the record is left %+v", c)
	}
	if is := row(t, w, w.Theo); is.Action != people.InviteAction || !is.Enabled || is.Status != "Account closed by the client" {
		t.Errorf("the row says %+v", is)
	}
	if n := len(w.Letters("mara@practice.test")) - before; n != 1 {
		t.Errorf("Mara was told %d times, want once", n)
	}
	letters := w.Letters(theosMail)
	if last := letters[len(letters)-1].Subject; last != "Your account has been deleted" {
		t.Errorf("the last letter to Theo is %q", last)
	}
	var kept int
	err = w.DB.Row(t.Context(), `SELECT (SELECT COUNT(*) FROM session WHERE account_id = $1) + (SELECT COUNT(*) FROM device WHERE account_id = $1) +
		(SELECT COUNT(*) FROM account_link WHERE account_id = $1) + (SELECT length(email) + length(name) + length(password) FROM account WHERE id = $1)`, []any{theo.String()}, &kept)
	if err != nil || kept != 0 {
		t.Errorf("something of Theo is kept: %d, %v", kept, err)
	}

	// The address is free, and the record can be invited anew.
	w.Update(t, func(tx *db.Tx) error { return people.Invite(tx, w.Mara, w.Theo, "") })
	w.RunJobs(t)
	if j, err = signUp(w, t, newestLink(t, w)); err != nil || j.Account == theo || j.Place.Client != w.Theo {
		t.Errorf("invited again he has %v, %v", j, err)
	}
}

func TestWhoChangesTheirMindKeepsEverything(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	j, err := signUp(w, t, invite(t, w))
	if err != nil {
		t.Fatal(err)
	}
	if err := leaves(t, w, j.Account); err != nil {
		t.Fatal(err)
	}
	var is access.Actor
	now := at.Of(w.Now())
	w.View(t, func(tx *db.Tx) (err error) {
		is, err = people.Enter(tx, account.Session{Account: j.Account, Practice: j.Place.Practice, Client: j.Place.Client, LeavesAt: &now})
		return err
	})
	if !is.IsLeaving() || is.SignedIn() || is.IsClient() || is.MayHavePlaces() {
		t.Errorf("whoever is leaving is %q, and signed in: %t", is.Role(), is.SignedIn())
	}
	wants(t, "as a client", update(t, w, func(tx *db.Tx) error { return account.Keep(tx, access.AsPerson(j.Account)) }), account.ErrStays)
	w.Update(t, func(tx *db.Tx) error { return account.Keep(tx, is) })
	wants(t, "twice", update(t, w, func(tx *db.Tx) error { return account.Keep(tx, is) }), account.ErrStays)
	pass(t, w)
	if gone(t, w, j.Account) || row(t, w, w.Theo).Action != people.MessageAction {
		t.Error("gone all the same")
	}
	wants(t, "a guest leaves", update(t, w, func(tx *db.Tx) error { _, err := people.AskToLeave(tx, access.Guest()); return err }), fault.Forbidden)
}

// A clock that is wrong for a while deletes nobody, forwards or back.
func TestAClockThatJumpsDeletesNobody(t *testing.T) {
	t.Parallel()
	for _, jump := range []time.Duration{account.Grace, 400 * aDay, -400 * aDay} {
		t.Run(jump.String(), func(t *testing.T) {
			t.Parallel()
			w := world.New(t)
			if err := leaves(t, w, w.Noor.Account()); err != nil {
				t.Fatal(err)
			}
			w.Pass(time.Hour)
			for range 3 { // it jumps, the job runs for some hours, it jumps back
				w.Pass(jump)
				depart(t, w)
				w.Pass(2 * time.Hour)
				depart(t, w)
				w.Pass(-jump)
				depart(t, w)
			}
			if gone(t, w, w.Noor.Account()) {
				t.Fatal("a clock that was wrong for some hours deleted an account")
			}
			pass(t, w)
			w.Pass(2 * aDay)
			depart(t, w)
			if !gone(t, w, w.Noor.Account()) {
				t.Error("the account is never deleted")
			}
		})
	}
}

func TestAMemberWhoLeavesIsAMemberNoMore(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	if err := leaves(t, w, w.Noor.Account()); err != nil {
		t.Fatal(err)
	}
	pass(t, w)
	var members []people.Practitioner
	w.View(t, func(tx *db.Tx) (err error) { members, err = people.Practitioners(tx, w.Mara); return err })
	for _, m := range members {
		if m.ID == w.Noor.Practitioner() && (m.Active || m.Name != "Noor Haddad") {
			t.Errorf("Noor is %+v, want inactive, under her name", m)
		}
	}
	if len(members) != 2 || !gone(t, w, w.Noor.Account()) {
		t.Errorf("the members are %v", members)
	}
}

func TestTheLastOwnerStaysAsLongAsThereIsSomethingToLookAfter(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	wants(t, "with clients and colleagues", leaves(t, w, w.Mara.Account()), people.ErrLastOwner)
	wants(t, "with neither", leaves(t, w, w.Ines.Account()), nil)
	second := w.Colleague(t, "Ola Berg", "ola@practice.test", access.Owner)
	wants(t, "with a second owner", leaves(t, w, w.Mara.Account()), nil)
	wants(t, "the second, while the first leaves", leaves(t, w, second.Account()), people.ErrLastOwner)
	if err := w.DB.Exec(t.Context(), "UPDATE practitioner SET active = FALSE WHERE account_id = $1", second.Account().String()); err != nil {
		t.Fatal(err)
	}
	pass(t, w) // by then Mara is the last
	if gone(t, w, w.Mara.Account()) {
		t.Error("the last owner is gone")
	}
	letters := w.Letters("mara@practice.test")
	if last := letters[len(letters)-1].Subject; last != "Your account could not be deleted" {
		t.Errorf("the last letter to Mara is %q", last)
	}
	var away int
	if err := w.DB.Row(t.Context(), "SELECT COUNT(*) FROM practice WHERE put_away_at IS NOT NULL AND id = $1", []any{w.Ines.Practice().String()}, &away); err != nil || away != 1 || !gone(t, w, w.Ines.Account()) {
		t.Errorf("the empty practice of who left is not put away: %d, %v", away, err)
	}
}

// Of two owners who leave at the same moment, one stays.
func TestTwoOwnersDoNotLeaveAtOnce(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	second := w.Colleague(t, "Ola Berg", "ola@practice.test", access.Owner)
	told := atOnce(2, func(i int) error {
		return leaves(t, w, []id.Account{w.Mara.Account(), second.Account()}[i])
	})
	if told[nil] != 1 || told[people.ErrLastOwner] != 1 {
		t.Errorf("two owners leave at once: %v", told)
	}
}

func TestLeavingIsUndoneWithItsTransaction(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	before, later := rows(t, w, "letter"), fmt.Errorf("something later")
	wants(t, "asked", update(t, w, func(tx *db.Tx) error {
		_, err := people.AskToLeave(tx, access.AsPerson(w.Noor.Account()))
		return errors.Join(err, later)
	}), later)
	if rows(t, w, "letter") != before {
		t.Error("a letter was kept")
	}
	pass(t, w)
	if gone(t, w, w.Noor.Account()) {
		t.Error("gone all the same")
	}
}

// Many nodes delete at once: it is done once.
func TestManyNodesDeleteAnAccountOnce(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	if err := leaves(t, w, w.Noor.Account()); err != nil {
		t.Fatal(err)
	}
	w.RunJobs(t)
	w.Pass(account.Grace)
	depart(t, w)
	w.Pass(24 * time.Hour)
	told := atOnce(8, func(int) error { return (people.Clerk{DB: w.DB}).Depart(t.Context()) })
	if told[nil] != 8 {
		t.Errorf("eight nodes were told %v", told)
	}
	w.RunJobs(t)
	if n := len(w.Letters("noor@practice.test")); n != 2 {
		t.Errorf("%d letters, want one when she asked and one when it was done", n)
	}
}
