package support_test

import (
	"errors"
	"testing"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/fault"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
	"icouch/internal/support"
)

func TestOnlyTheOperatorMakesAndEndsSupporters(t *testing.T) {
	t.Parallel()
	w := newWrong(t)
	for _, by := range []access.Actor{access.Guest(), w.Mara, w.sam, access.AsPerson(w.theo), access.Job(keys.Installation)} {
		wants(t, string(by.Role())+" appoints", w.change(t, func(tx *db.Tx) error { return support.Appoint(tx, by, mail(t, theosMail)) }), fault.Forbidden)
		wants(t, string(by.Role())+" dismisses", w.change(t, func(tx *db.Tx) error { return support.Dismiss(tx, by, mail(t, "sam@help.test")) }), fault.Forbidden)
		wants(t, string(by.Role())+" lists", w.DB.View(t.Context(), func(tx *db.Tx) error { _, err := support.All(tx, by); return err }), fault.Forbidden)
	}
	op := access.Operator()
	wants(t, "an address without an account", w.change(t, func(tx *db.Tx) error { return support.Appoint(tx, op, mail(t, "nobody@help.test")) }), support.ErrNobody)
	wants(t, "twice", w.change(t, func(tx *db.Tx) error { return support.Appoint(tx, op, mail(t, "sam@help.test")) }), support.ErrAlready)
	w.Update(t, func(tx *db.Tx) error { return support.Dismiss(tx, op, mail(t, "sam@help.test")) })
	wants(t, "dismissed twice", w.change(t, func(tx *db.Tx) error { return support.Dismiss(tx, op, mail(t, "sam@help.test")) }), support.ErrNotSupporter)
	var all []support.Supporter
	w.View(t, func(tx *db.Tx) (err error) { all, err = support.All(tx, op); return err })
	if len(all) != 1 || all[0].Email.String() != "sia@help.test" {
		t.Errorf("in support are %v, want Sia alone", all)
	}
	w.RunJobs(t)
	if n := len(w.Letters("sam@help.test")); n != 2 {
		t.Errorf("Sam got %d letters, want one for the beginning and one for the end", n)
	}
}

// A session is in support only as long as its person is a supporter, and the
// place opens to nobody else.
func TestSupportIsEnteredBySupportersAlone(t *testing.T) {
	t.Parallel()
	w := newWrong(t)
	in := account.Session{Account: w.sam.Account(), Practice: support.Place.Practice, Strong: true}
	enter := func(s account.Session) (by access.Actor) {
		w.View(t, func(tx *db.Tx) (err error) { by, err = support.Enter(tx, s); return err })
		return by
	}
	if is := enter(in).Role(); is != access.Support {
		t.Errorf("Sam is %q there, want support", is)
	}
	if is := enter(account.Session{Account: w.sam.Account()}).Role(); is != access.Person {
		t.Errorf("Sam is %q outside, want a person", is)
	}
	if is := enter(account.Session{Account: w.Mara.Account(), Practice: support.Place.Practice}).Role(); is != access.Person {
		t.Errorf("Mara is %q there, want a person in no place", is)
	}
	if is := enter(account.Session{Account: w.sam.Account(), Practice: support.Place.Practice}).Role(); is != access.Waiting {
		t.Errorf("without a second step Sam is %q there, want waiting", is)
	}
	if is := enter(account.Session{Account: w.Mara.Account(), Practice: w.Mara.Practice(), Strong: true}).Role(); is != access.Owner {
		t.Errorf("Mara is %q in her practice", is)
	}
	token := w.signIn(t)
	wants(t, "Theo goes to support", w.change(t, func(tx *db.Tx) error { return support.Begin(tx, access.AsPerson(w.theo), token) }), people.ErrNoPlace)
	w.Update(t, func(tx *db.Tx) error { return support.Dismiss(tx, access.Operator(), mail(t, "sam@help.test")) })
	if is := enter(in).Role(); is != access.Person {
		t.Errorf("dismissed, Sam is %q there, want a person", is)
	}
}

// What support sees is numbers, and each look is in the trail.
func TestALookUpShowsNumbersAndLeavesALine(t *testing.T) {
	t.Parallel()
	w := newWrong(t)
	find := func(by access.Actor, address string) (f support.Facts, err error) {
		err = w.change(t, func(tx *db.Tx) (err error) { f, err = support.Find(tx, by, mail(t, address)); return err })
		return f, err
	}
	w.signIn(t)
	f, err := find(w.sam, "THEO@example.com")
	if err != nil {
		t.Fatal(err)
	}
	if f.ID != w.theo || f.Sessions != 1 || !f.Verified || !f.Invitation || len(f.Practices) != 1 || f.Practices[0].Clients != 0 || f.Obstacle != nil {
		t.Errorf("of Theo support sees %+v", f)
	}
	f, err = find(w.sam, "mara@practice.test")
	if err != nil || len(f.Practices) != 1 || f.Practices[0].Clients != 1 || f.Practices[0].Colleagues != 1 || f.Practices[0].Invitations != 1 {
		t.Errorf("of Mara support sees %+v, %v", f, err)
	}
	wants(t, "Mara", f.Obstacle, people.ErrHasColleagues)
	if f, err = find(w.sam, "nobody@example.com"); err != nil || f.ID != "" {
		t.Errorf("of nobody support sees %+v, %v", f, err)
	}
	if n := w.count(t, "looked up"); n != 3 {
		t.Errorf("%d lines in the trail, want one for each look", n)
	}
	for _, by := range []access.Actor{access.Guest(), w.Mara, access.AsPerson(w.theo), access.Job(w.Mara.Practice())} {
		if _, err := find(by, theosMail); !errors.Is(err, fault.NotFound) {
			t.Errorf("%s looks Theo up: %v", by.Role(), err)
		}
	}
}

// Support reaches no client: what it may call of people answers that there is
// nobody.
func TestSupportFindsNoClientAndNoPractice(t *testing.T) {
	t.Parallel()
	w := newWrong(t)
	for what, do := range map[string]func(*db.Tx) error{
		"a client":        func(tx *db.Tx) error { _, err := people.Find(tx, w.sam, w.Theo); return err },
		"the members":     func(tx *db.Tx) error { _, err := people.Practitioners(tx, w.sam); return err },
		"the practice":    func(tx *db.Tx) error { _, err := people.PracticeOf(tx, w.sam); return err },
		"another account": func(tx *db.Tx) error { _, err := account.Read(tx, w.sam, w.theo); return err },
	} {
		if err := w.DB.View(t.Context(), do); !errors.Is(err, fault.NotFound) {
			t.Errorf("support finds %s: %v", what, err)
		}
	}
	if w.sam.MayInvite() || w.sam.MaySeePeople() || w.sam.SeesAll() || w.sam.MayHavePlaces() {
		t.Error("support may do something in a practice")
	}
}
