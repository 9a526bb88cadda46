package contact_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/base/id"
	"icouch/internal/contact"
	"icouch/internal/letter"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/team"
	"icouch/internal/world"
)

const (
	urgent = "His mother called, he is not well"
	opened = "was opened in an emergency"
)

// another is a contact who has accepted, by an address of their own.
func another(t testing.TB, w *world.World, name string, rights ...access.Right) (id.Contact, string) {
	t.Helper()
	to := strings.ToLower(name) + "@example.com"
	d := greta(t)
	d.Name, d.Email, d.Rights = name+" Vance", address(t, to), rights
	c, _ := joined(t, w, d)
	return c, to
}

// breaks has Noor, who does not look after Theo, open his record.
func breaks(w *world.World) func(*db.Tx) error {
	return func(tx *db.Tx) error { return team.Open(tx, w.Noor, w.Theo, urgent) }
}

// Who may see a part of the record is told, once of eight presses at once, and
// the letter names neither who it was, nor why, nor for whom they act.
func TestWhoMaySeeTheRecordIsToldOfAnEmergencyOnce(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	joined(t, w, greta(t))
	_, ada := another(t, w, "Ada", access.SeeDocuments)
	told := atOnce(8, func(int) error { return w.DB.Update(t.Context(), breaks(w)) })
	if told[nil] != 1 || told[team.ErrOpenToYou] != 7 {
		t.Errorf("told %v", told)
	}
	w.RunJobs(t)
	for _, to := range []string{gretaMail, ada} {
		got := letters(w, to, opened)
		if len(got) != 1 {
			t.Fatalf("%s was written %d letters, want 1", to, len(got))
		}
		notIn(t, got[0], "Noor", "Haddad", "Mara", "Theo", "mother", "not well", "Practice of", "appointments", "documents")
	}
	w.Pass(2 * time.Hour)
	w.Update(t, breaks(w))
	w.RunJobs(t)
	if got := letters(w, gretaMail, opened); len(got) != 2 {
		t.Errorf("of a second emergency, hours later: %d letters in all, want 2", len(got))
	}
}

// Who may see nothing at this moment, who only pays, who acts for somebody else
// and who wants no e-mail is not told.
func TestWhoIsNotToldOfAnEmergency(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	_, told := another(t, w, "Ada", access.FillForms)
	not := map[string]string{}
	for name, then := range map[string]func(tx *db.Tx, c id.Contact) error{
		"Bert": func(tx *db.Tx, c id.Contact) error { return contact.End(tx, w.Mara, w.Theo, c) },
		"Cora": func(tx *db.Tx, c id.Contact) error { return contact.Suspend(tx, w.Mara, w.Theo, c) },
		"Dora": func(tx *db.Tx, _ id.Contact) error {
			return letter.Decline(tx, access.Guest(), address(t, "dora@example.com"))
		},
	} {
		c, to := another(t, w, name, access.SeeAppointments)
		w.Update(t, func(tx *db.Tx) error { return then(tx, c) })
		not[name] = to
	}
	_, not["Emil, who only pays"] = another(t, w, "Emil", access.PayInvoices)
	later := greta(t)
	later.Email, later.From = address(t, "finn@example.com"), date(t, "2030-04-01")
	joined(t, w, later)
	not["Finn, who may from April on"] = "finn@example.com"
	d := greta(t)
	d.Email = address(t, "gero@example.com")
	add(t, w, d) // never invited: nobody has shown that the address is theirs
	not["Gero, who has no account"] = "gero@example.com"
	lena := w.Client(t, w.Mara, people.Draft{First: "Lena", Last: "Marsh"})
	hers := id.New[id.Contact](w.Now())
	d.Email = address(t, "hilde@example.com")
	w.Update(t, func(tx *db.Tx) error {
		if err := contact.Add(tx, w.Mara, lena, hers, d); err != nil {
			return err
		}
		return contact.Invite(tx, w.Mara, lena, hers)
	})
	w.RunJobs(t)
	if _, err := signUp(t, w, link(t, w, "hilde@example.com")); err != nil {
		t.Fatal(err)
	}
	not["Hilde, who acts for another client"] = "hilde@example.com"

	w.Update(t, breaks(w))
	w.RunJobs(t)
	if got := letters(w, told, opened); len(got) != 1 {
		t.Fatalf("premise: who may see forms was written %d letters", len(got))
	}
	for who, to := range not {
		if got := letters(w, to, opened); len(got) != 0 {
			t.Errorf("%s was written %q", who, got)
		}
	}
}

// Of an emergency that comes to nothing nobody is told; and nobody but the program
// itself asks who acts for a client.
func TestAnEmergencyThatComesToNothingIsNotToldToContacts(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	joined(t, w, greta(t))
	undone := errors.New("undone")
	before := jobs(t, w)
	if err := update(t, w, func(tx *db.Tx) error { return errors.Join(breaks(w)(tx), undone) }); !errors.Is(err, undone) {
		t.Errorf("premise: %v", err)
	}
	if got := jobs(t, w); got != before {
		t.Errorf("%d jobs are left, want %d", got, before)
	}
	w.RunJobs(t)
	if got := letters(w, gretaMail, opened); len(got) != 0 {
		t.Errorf("she was written %q", got)
	}
	for _, by := range []access.Actor{w.Mara, w.Ines, access.Guest()} {
		err := w.DB.View(t.Context(), func(tx *db.Tx) error { _, err := people.ActingFor(tx, by, w.Theo); return err })
		if err == nil {
			t.Errorf("%v is told who acts for a client", by.Role())
		}
	}
	w.View(t, func(tx *db.Tx) error {
		some, err := people.ActingFor(tx, access.Job(w.Ines.Practice()), w.Theo)
		if len(some) != 0 {
			t.Errorf("another practice is told %v", some)
		}
		return err
	})
}
