package web

import (
	"strings"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/base/at"
	"icouch/internal/base/secret"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/world"
)

// A former client who opens an old link is told when their access ended, and
// whom to ask: they alone, and the same whatever the link was.
func TestAFormerClientIsToldThatTheirAccessEnded(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	w.Linked(t, w.Theo, "theo@example.com")
	w.Account(t, "Annie Noda", "annie@new.test")
	s := serve(t, w)
	theo := s.browser(t, w).as("theo@example.com")
	const plain, told = "We cannot find that page", "Your access has ended"
	paths := []string{"/messages", "/record/access", "/people/" + w.Theo.String(), "/nowhere"}
	theo.get("/nowhere").shows(t, 404, plain).lacks(t, told)
	w.Update(t, func(tx *db.Tx) error { return people.EndCare(tx, w.Mara, w.Theo, at.Of(w.Now())) })
	w.Pass(time.Minute)

	first := theo.get(paths[0]).shows(t, 404, told, "Care ended on Thu 14 Mar", "The Practice of Mara", "contact the practice", "Your account stays yours.").lacks(t, plain)
	for _, path := range paths[1:] {
		if got := theo.get(path).shows(t, 404, told); words(got.text) != words(first.text) {
			t.Errorf("%s says something else than %s: it tells what there is", path, paths[0])
		}
	}
	s.browser(t, w).as("theo@example.com").get("/messages").shows(t, 404, told) // signed in anew
	for _, other := range []string{"annie@new.test", "ines@nextdoor.test", "noor@practice.test", mara} {
		for _, path := range paths {
			if page := s.browser(t, w).as(other).get(path); strings.Contains(page.text, told) {
				t.Errorf("%s is told at %s", other, path)
			}
		}
	}
	for _, path := range paths {
		if page := s.browser(t, w).get(path); strings.Contains(page.text, told) {
			t.Errorf("a stranger is told at %s", path)
		}
	}
	w.Update(t, func(tx *db.Tx) error { return people.ResumeCare(tx, w.Mara, w.Theo) })
	theo.get("/nowhere").shows(t, 404, plain).lacks(t, told)
}

// Who has chosen no time zone reads every day where their practice is, and once
// it is closed to them, where it was: one evening has one name.
func TestOneEveningHasOneNameForWhoHasChosenNoZone(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	w.LinkedNowhere(t, w.Theo, "theo@example.com")
	s := serve(t, w)
	w.Pass(12 * time.Hour) // 9 pm of the 14th in New York, the 15th in UTC
	theo := s.browser(t, w).as("theo@example.com")
	theo.get("/settings/leave").shows(t, 200, "Sat 13 Apr").lacks(t, "Sun 14 Apr")
	w.Update(t, func(tx *db.Tx) error { return people.EndCare(tx, w.Mara, w.Theo, at.Of(w.Now())) })
	w.Pass(time.Minute)
	theo.get("/messages").shows(t, 404, "Care ended on Thu 14 Mar")
	theo.get("/dashboard").shows(t, 200, "Care ended Thu 14 Mar, 9:00\u00a0pm, New\u00a0York\u00a0time").lacks(t, "UTC", "Fri 15 Mar")
	theo.get("/settings").shows(t, 200, "Chosen today 9:00\u00a0am").lacks(t, "yesterday")
	theo.get("/settings/devices").shows(t, 200, "Signed in today 9:00\u00a0pm")
	theo.get("/settings/leave").shows(t, 200, "Sat 13 Apr")
	theo.post("/settings/leave", form("password", world.Password)).leads(t, "/sign-in?said=leaving")
	theo.as("theo@example.com").get("/leaving").shows(t, 200, "Sat 13 Apr")
	w.RunJobs(t)
	for _, m := range w.Letters("theo@example.com") {
		if strings.Contains(m.Text, "14 Apr") {
			t.Errorf("a letter says the day of UTC: %s", m.Text)
		}
	}
}

// Where something else is open, an old link is an address like any other.
func TestWhoHasAnotherPlaceIsNotHeldUpByOneThatEnded(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	w.Linked(t, w.Theo, "theo@example.com")
	other := w.Client(t, w.Ines, people.Draft{First: "Theo", Last: "Vance", Email: "theo@example.com", EmailConsent: true})
	w.Update(t, func(tx *db.Tx) error { return people.Invite(tx, w.Ines, other, "") })
	w.RunJobs(t)
	link := secret.ParseToken(w.Link(t, "theo@example.com", "/join/"))
	w.Update(t, func(tx *db.Tx) error {
		_, err := people.Accept(tx, access.AsPerson(w.Who(t, "theo@example.com")), link)
		return err
	})
	s := serve(t, w)
	w.Update(t, func(tx *db.Tx) error { return people.EndCare(tx, w.Mara, w.Theo, at.Of(w.Now())) })
	theo := s.browser(t, w).as("theo@example.com")
	theo.get("/messages").shows(t, 200)
	theo.get("/nowhere").shows(t, 404, "We cannot find that page")
}
