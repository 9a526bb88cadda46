package contact_test

import (
	"slices"
	"strings"
	"testing"

	"icouch/internal/access"
	"icouch/internal/base/civil"
	"icouch/internal/base/id"
	"icouch/internal/contact"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/world"
)

// Whoever acts for a client is told by letter that the practice closes, and that
// it does not after all: once, in words that name nobody.
func TestWhoActsForAClientIsToldThatThePracticeCloses(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	first, _ := joined(t, w, greta(t))
	other, second := w.Client(t, w.Mara, people.Draft{First: "Ada", Last: "Winter"}), id.New[id.Contact](w.Now()) // for whom Greta acts as well
	w.Update(t, func(tx *db.Tx) error { return contact.Add(tx, w.Mara, other, second, greta(t)) })
	w.Update(t, func(tx *db.Tx) error { return contact.Invite(tx, w.Mara, other, second) })
	w.RunJobs(t)
	token := link(t, w, gretaMail)
	w.Update(t, func(tx *db.Tx) error {
		_, err := contact.Accept(tx, access.AsPerson(w.Who(t, gretaMail)), token)
		return err
	})
	zone, err := civil.ParseZone("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	closes := func(days int) {
		t.Helper()
		w.Update(t, func(tx *db.Tx) error {
			return people.ClosePractice(tx, w.Mara, civil.DateOf(w.Now(), zone).AddDays(days))
		})
		w.RunJobs(t)
	}
	staysOpen := func() {
		t.Helper()
		w.Update(t, func(tx *db.Tx) error { return people.KeepPractice(tx, w.Mara) })
		w.RunJobs(t)
	}
	told := func(word string) (all []string) {
		for _, m := range w.Letters(gretaMail) {
			if strings.Contains(m.Subject, word) {
				all = append(all, m.Text)
			}
		}
		return all
	}
	closes(40)
	if all := told(" closes"); len(all) != 1 || !strings.Contains(strings.Join(strings.Fields(all[0]), " "), "on behalf of somebody else") {
		t.Fatalf("she was told %q", all)
	}
	staysOpen()
	if n := len(told(" stays open")); n != 1 {
		t.Errorf("%d letters say that it stays open", n)
	}
	for _, text := range slices.Concat(told(" closes"), told(" stays open")) {
		notIn(t, text, "Greta", "Theo", "Vance", "Ada", "Winter")
	}
	// Suspended, she is told nothing; nor is whoever has no access any more.
	w.Update(t, func(tx *db.Tx) error { return contact.Suspend(tx, w.Mara, w.Theo, first) })
	w.Update(t, func(tx *db.Tx) error { return contact.End(tx, w.Mara, other, second) })
	w.RunJobs(t)
	closes(70)
	if n := len(told(" closes")); n != 1 {
		t.Errorf("%d letters to whom the door is shut", n-1)
	}
}
