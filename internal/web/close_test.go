package web

import (
	"strings"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/base/civil"
	"icouch/internal/world"
)

func inDays(w *world.World, n int) civil.Date { return civil.DateOf(w.Now(), civil.Zone{}).AddDays(n) }

func TestAnOwnerClosesThePracticeAndTakesItBack(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	theo(t, w)
	w.Colleague(t, "Olga Reed", "olga@practice.test", access.Owner)
	ada := w.Colleague(t, "Ada Brook", "ada@practice.test", access.Administrator)
	s := serve(t, w)
	mara, client := s.browser(t, w).as("mara@practice.test"), s.browser(t, w).as("theo@example.com")
	mara.get("/settings/practice").shows(t, 200, "Closing the practice", `href="`+closePath+`"`)
	w.Pass(10 * time.Minute) // who signed in that long ago shows once more who they are
	mara.get(closePath).leads(t, with("/settings/prove", closePath))
	mara.post(closePath, form("on", inDays(w, 40).String())).leads(t, with("/settings/prove", closePath))
	prove := func(b *browser, address string) {
		t.Helper()
		who := w.Who(t, address)
		w.Pass(time.Minute)
		b.post("/settings/prove", form("code", w.Code(t, who), "next", closePath)).leads(t, closePath)
	}
	prove(mara, "mara@practice.test")
	mara.get(closePath).shows(t, 200, "What closes", "What stays", "The law requires you to keep it", "one letter")
	mara.post(closePath, form("on", inDays(w, 3).String())).shows(t, 422, "at least 30 days from today", inDays(w, 3).String())
	mara.post(closePath, form("on", "soon")).shows(t, 422, "Choose the last day")
	last := inDays(w, 40)
	mara.post(closePath, form("on", last.String())).leads(t, closePath+"?said=closes")
	day := last.InWords(civil.Date{})
	mara.get(closePath+"?said=closes").shows(t, 200, "The last day is "+day, "Mara Lindqvist has set it", "Keep it open")
	mara.get("/settings").shows(t, 200, "Last day "+day)
	client.get("/dashboard").shows(t, 200, "closes on "+day, "Save what you want to keep")
	s.browser(t, w).as("noor@practice.test").get("/dashboard").shows(t, 200, "The last day of this practice is "+day)
	mara.post(closePath, form("on", inDays(w, 60).String())).shows(t, 409, "An owner has set a day already")

	admin := s.browser(t, w).as("ada@practice.test")
	admin.get(closePath).shows(t, 404)
	if strings.Contains(admin.get("/settings/practice").text, closePath) {
		t.Errorf("%s is offered to close the practice", ada.Role())
	}
	admin.post(closePath+"/withdrawal", form()).shows(t, 404)

	olga := s.browser(t, w).as("olga@practice.test")
	olga.get(closePath).shows(t, 200, "The last day is "+day)
	olga.post(closePath+"/withdrawal", form()).leads(t, "/settings/practice?said=goes-on")
	olga.get("/settings/practice?said=goes-on").shows(t, 200, "Taken back. The practice stays open.")
	olga.post(closePath+"/withdrawal", form()).shows(t, 409, "not about to close")
	if strings.Contains(client.get("/dashboard").text, "closes on") {
		t.Error("the client is still told that the practice closes")
	}
}

func TestOnceAPracticeHasClosedAPageSaysSo(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	theo(t, w)
	s := serve(t, w)
	mara := s.browser(t, w).as("mara@practice.test")
	last := inDays(w, 30)
	mara.post(closePath, form("on", last.String())).leads(t, closePath+"?said=closes")
	w.Pass(29*24*time.Hour + 20*time.Hour) // within the last day
	for _, address := range []string{"mara@practice.test", "noor@practice.test", "theo@example.com"} {
		s.browser(t, w).as(address).get("/dashboard").shows(t, 200, last.InWords(civil.Date{}))
	}
	w.Pass(last.AddDays(1).Begins(zoneNamed(t, "America/New_York")).Sub(w.Now()) - time.Second)
	noor := s.browser(t, w).as("noor@practice.test")
	client := s.browser(t, w).as("theo@example.com")
	noor.get("/people").shows(t, 200)
	client.get("/dashboard").shows(t, 200, "How to reach")
	w.Pass(time.Second) // the sessions go on: what they open is over
	noor.get("/people").shows(t, 404)
	noor.get("/dashboard").shows(t, 200, "This practice has closed", last.InWords(civil.Date{}), "Nothing was deleted", "You worked here")
	client.get("/dashboard").shows(t, 200, "This practice has closed", "The Practice of Mara", "contact the practice")
	client.get("/settings").shows(t, 200)
	client.get("/record/access").shows(t, 404)
	// Who signs in afterwards reads the same.
	s.browser(t, w).as("theo@example.com").get("/dashboard").shows(t, 200, "This practice has closed")
	s.browser(t, w).as("mara@practice.test").get("/dashboard").shows(t, 200, "This practice has closed")
	s.browser(t, w).as("ines@nextdoor.test").get("/people").shows(t, 200)
}

func zoneNamed(t testing.TB, name string) civil.Zone {
	t.Helper()
	z, err := civil.ParseZone(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}
