package web

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/at"
	"icouch/internal/base/civil"
	"icouch/internal/base/secret"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/team"
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

// When care has ended, and on every client's page, the numbers to call are in sight.
func TestWhoMayBeMostAloneFindsANumberToCall(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	w.LinkedNowhere(t, w.Theo, "theo@example.com")
	s := serve(t, w)
	theo := s.browser(t, w).as("theo@example.com")
	theo.get("/dashboard").shows(t, 200, `for those, <a href="/crisis">get help now</a>`).lacks(t, "foot of this page", "tel:988")
	if page := theo.get("/settings").text; !inMoreFirst(page) {
		t.Error("crisis help is not the first thing in More")
	}
	if page := s.browser(t, w).as(mara).get("/settings").text; strings.Contains(page, `href="/crisis"`) {
		t.Error("whoever is at work is offered crisis help")
	}
	w.Update(t, func(tx *db.Tx) error { return people.EndCare(tx, w.Mara, w.Theo, at.Of(w.Now())) })
	w.Pass(time.Minute)
	theo.get("/messages").shows(t, 404, "If you need help now", `href="tel:988"`, "who looked at your record")
	theo.get("/dashboard").shows(t, 200, "If you need help now", `href="tel:988"`, "who looked at your record")
	w.Update(t, func(tx *db.Tx) error {
		return account.SetZone(tx, access.AsPerson(w.Who(t, "theo@example.com")), "Europe/London")
	})
	theo.get("/dashboard").shows(t, 200, `href="tel:116123"`).lacks(t, "tel:988")
	s.browser(t, w).as(mara).get("/places").lacks(t, "If you need help now")
}

func inMoreFirst(page string) bool {
	_, sheet, _ := strings.Cut(page, `id="more"`)
	_, link, _ := strings.Cut(sheet, `href="`)
	return strings.HasPrefix(link, `/crisis"`)
}

// Where a person's own time zone tells no country, the practice's does.
func TestTheCrisisLineIsThePracticesWhereOnesOwnZoneTellsNone(t *testing.T) {
	t.Parallel()
	zone := func(name string) civil.Zone {
		z, err := civil.ParseZone(name)
		if err != nil {
			t.Fatal(err)
		}
		return z
	}
	for _, c := range []struct{ own, practice, number string }{
		{"UTC", "America/New_York", "988"},
		{"Asia/Tokyo", "Europe/Dublin", "116 123"},
		{"Europe/London", "America/New_York", "116 123"},
		{"UTC", "Asia/Tokyo", ""},
	} {
		if l, known := crisisAt(zone(c.own), zone(c.practice)); l.Number != c.number || known != (c.number != "") {
			t.Errorf("%s at a practice in %s: %q, want %q", c.own, c.practice, l.Number, c.number)
		}
	}
}

// Before care ends, its page says what of the client's has not been read, and
// leads to it.
func TestEndingCareSaysWhatIsUnread(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	end := "/people/" + k.w.Theo.String() + "/end"
	k.theo.post(k.at, k.message("Are you there?"))
	k.theo.post(k.at, k.message("I would like to talk."))
	k.mara.get(end).shows(t, 200, "2 messages in your conversation with Theo Vance are not read yet.", `href="`+k.at+`"`).lacks(t, "Are you there?", "Read what is new first", "You have read everything")
	k.mara.get(k.at)
	k.mara.post(k.at+"/read", form("seq", "1"))
	k.mara.get(end).shows(t, 200, "One message in your conversation with Theo Vance is not read yet.")
	k.mara.post(k.at+"/read", form("seq", "2"))
	k.mara.get(end).shows(t, 200, "You have read everything in your messages with them.").lacks(t, "not read yet")
}

// With one person to write to, one press leads into the conversation: it sends a
// form, because looking at the dashboard begins nothing.
func TestOnePressLeadsIntoTheConversation(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	w.Linked(t, w.Theo, "theo@example.com")
	theo := serve(t, w).browser(t, w).as("theo@example.com")
	handle := regexp.MustCompile(`action="/messages"[^>]*><input type="hidden" name="partner" value="([^"]+)"`)
	page := theo.get("/dashboard").shows(t, 200, "Write a message", "to Mara Lindqvist", "Your practitioner").lacks(t, "What will come here", "Looked after by")
	at := theo.post("/messages", form("partner", page.find(t, handle))).Header().Get("Location")
	theo.get(at).shows(t, 200, "Mara Lindqvist", "data-composer")
	w.Update(t, func(tx *db.Tx) error { return team.Include(tx, w.Mara, w.Theo, w.Noor.Practitioner(), nil) })
	theo.get("/dashboard").shows(t, 200, `href="/messages"`).lacks(t, `name="partner"`)
}
