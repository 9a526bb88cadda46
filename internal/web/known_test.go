package web

import (
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/at"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/world"
)

// Whoever loses a session, a place or a name is not remembered as before.
func TestWhatChangesIsForgottenAtOnce(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	mara := s.browser(t, w).as("mara@practice.test")
	mara.get("/dashboard").shows(t, 200, "Mara Lindqvist")

	w.Update(t, func(tx *db.Tx) error { return people.Rename(tx, w.Mara, "Mara Quist") })
	mara.get("/dashboard").shows(t, 200, "Mara Quist")

	w.Update(t, func(tx *db.Tx) error { return account.EndAll(tx, w.Mara, w.Mara.Account()) })
	mara.get("/dashboard").leads(t, "/sign-in")
}

// Care that ends shuts the door on the very next request, remembered or not.
func TestEndedCareIsFeltAtOnce(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	w.Update(t, func(tx *db.Tx) error { return people.Invite(tx, w.Mara, w.Theo, "") })
	w.RunJobs(t)
	theo := s.browser(t, w)
	theo.post("/join/"+w.Link(t, "theo@example.com", "/join/"), map[string][]string{"password": {world.Password}}).leads(t, "/welcome")
	theo.get("/dashboard").shows(t, 200, "The Practice of Mara")
	w.Update(t, func(tx *db.Tx) error { return people.EndCare(tx, w.Mara, w.Theo, at.Of(w.Now())) })
	if page := theo.get("/dashboard"); page.Code == 200 && visitsAs(t, s) != access.Person {
		t.Errorf("after care ended, the dashboard is still the client's: %s", clip(page.text))
	}
}

// A remembered session ends on time all the same.
func TestARememberedSessionEndsOnTime(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	mara := s.browser(t, w).as("mara@practice.test")
	mara.get("/dashboard").shows(t, 200)
	w.Pass(15*time.Minute + time.Second)
	mara.get("/dashboard").leads(t, "/sign-in")
}

// visitsAs is the role in which the site remembers a browser.
func visitsAs(t *testing.T, s *served) access.Role {
	t.Helper()
	for _, k := range s.visitors.of {
		return k.actor.Role()
	}
	return access.Nobody
}

// Care that ends at a stated second shuts the door at that second, by itself:
// nothing is committed then, and whoever is remembered is not for longer.
func TestCareThatEndsLaterShutsTheDoorAtThatSecond(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	w.Update(t, func(tx *db.Tx) error { return people.Invite(tx, w.Mara, w.Theo, "") })
	w.RunJobs(t)
	theo := s.browser(t, w)
	theo.post("/join/"+w.Link(t, "theo@example.com", "/join/"), map[string][]string{"password": {world.Password}}).leads(t, "/welcome")
	w.Update(t, func(tx *db.Tx) error { return people.EndCare(tx, w.Mara, w.Theo, at.Of(w.Now().Add(3*time.Second))) })
	w.Pass(2 * time.Second)
	theo.get("/dashboard").shows(t, 200, "This is your private place") // remembered from here on, for five seconds at most
	w.Pass(time.Second - time.Microsecond)
	theo.get("/dashboard").shows(t, 200, "This is your private place")
	w.Pass(time.Microsecond)
	if page := theo.get("/dashboard").shows(t, 200, "Nothing is open just now"); visitsAs(t, s) != access.Person {
		t.Errorf("at that second they are still the client: %s", clip(page.text))
	}
}
