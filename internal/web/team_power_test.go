package web

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/world"
)

// goes has the account of an address deleted, as its owner asked.
func goes(t *testing.T, w *world.World, address string) {
	t.Helper()
	who := w.Who(t, address)
	w.Update(t, func(tx *db.Tx) error { _, err := people.AskToLeave(tx, access.AsPerson(who)); return err })
	for _, d := range []time.Duration{account.Grace, 25 * time.Hour} {
		w.Pass(d)
		if err := (people.Clerk{DB: w.DB}).Depart(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	w.RunJobs(t)
}

func TestTheMembersCanBeManagedAfterOneHasDeletedTheirAccount(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	evan := w.Colleague(t, "Evan Ill", "evan@practice.test", access.Administrator)
	goes(t, w, "evan@practice.test")
	mara := s.browser(t, w).as("mara@practice.test")
	mara.get("/settings/team").shows(t, 200, "Evan Ill", "Account deleted", "Inactive", "noor@practice.test")
	page := mara.get(memberPath(evan.Practitioner())).shows(t, 200, "Evan Ill", "Account deleted", "invite them again")
	if strings.Contains(page.text, "Make active again") {
		t.Error("an account that is gone can be made active")
	}
	mara.post(memberPath(evan.Practitioner())+"/return", nil).shows(t, 409, "has deleted their account")
	noor := memberPath(w.Noor.Practitioner())
	mara.get(noor).shows(t, 200, "Noor Haddad")
	mara.post(noor+"/role", form("member-role", "biller")).leads(t, noor+"?said=role")
	mara.get(noor+"/clients").shows(t, 200)
	mara.post(noor+"/end", form("heir", "")).leads(t, noor+"?said=inactive")
	mara.post("/settings/team", form("name", "Nina Vale", "email", ninasMail, "member-role", "biller")).leads(t, "/settings/team?said=invited")
}

func TestADepartedAdministratorDoesNotComeBackByTheirOwnLink(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	w.Colleague(t, "Evan Ill", "evan@practice.test", access.Administrator)
	evan := s.browser(t, w).as("evan@practice.test")
	evan.post("/settings/team", form("name", "Door", "email", "door@elsewhere.test", "member-role", "administrator")).leads(t, "/settings/team?said=invited")
	w.RunJobs(t)
	link := "/team/" + w.Link(t, "door@elsewhere.test", "/team/")
	goes(t, w, "evan@practice.test")
	door := s.browser(t, w)
	door.get(link).shows(t, 410, "This invitation was withdrawn", "Your practice will be asked first")
	door.post(link+"/new-link", nil).leads(t, "/join/sent?said=asked")
	w.RunJobs(t)
	if n := len(w.Letters("door@elsewhere.test")); n != 1 {
		t.Errorf("%d letters, want the one of before", n)
	}
	door.post(link, form("password", goodPassword)).shows(t, 410)
	s.browser(t, w).as("mara@practice.test").get("/settings/team").shows(t, 200, "door@elsewhere.test", "Asks for a new link")
}

// Whoever sits down at an open session does not make themselves an owner by it.
func TestWhoGivesPowerShowsOnceMoreWhoTheyAre(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	mara := s.browser(t, w).as("mara@practice.test")
	noor := memberPath(w.Noor.Practitioner())
	prove := func(next string) string { return with("/settings/prove", next) }
	w.Pass(provedFor + time.Second)
	for _, role := range []string{"owner", "administrator"} {
		typed := form("name", "Nina Vale", "email", ninasMail, "member-role", role)
		mara.post("/settings/team", typed).shows(t, 422, "ask once more who you are", "Your password", "Nina Vale", ninasMail)
		typed.Set("password", "not the password at all")
		if page := mara.post("/settings/team", typed).shows(t, 422, "not your current password", "Nina Vale"); strings.Contains(page.text, "not the password at all") {
			t.Error("the page shows the password that was typed")
		}
		mara.post(noor+"/role", form("member-role", role)).leads(t, prove(noor))
	}
	if w.RunJobs(t) != 0 || len(w.Letters(ninasMail)) != 0 {
		t.Error("somebody was invited")
	}
	mara.get(noor).shows(t, 200, "Practitioner")
	mara.post("/settings/team", form("name", "Bo Reed", "email", "bo@elsewhere.test", "member-role", "practitioner")).leads(t, "/settings/team?said=invited")
	mara.post(noor+"/role", form("member-role", "supervisor")).leads(t, noor+"?said=role")

	mara.post("/settings/practice/step", form("ask", "yes")).leads(t, saved)
	mara.post("/settings/practice/step", form()).leads(t, prove("/settings/practice"))
	mara.get("/settings/practice").shows(t, 200, "checked")

	mara.post("/settings/team", form("name", "Nina Vale", "email", ninasMail, "member-role", "owner", "password", world.Password)).leads(t, "/settings/team?said=invited")
	mara.post(noor+"/role", form("member-role", "administrator")).leads(t, noor+"?said=role") // shown just now
	mara.post("/settings/practice/step", form()).leads(t, saved)
	if page := mara.get("/settings/practice").shows(t, 200); strings.Contains(page.text, "checked") {
		t.Error("the step is asked of clients still")
	}

	// To send it again, or make one active again, gives the same power.
	mara.post(noor+"/end", form("heir", "")).leads(t, noor+"?said=inactive")
	w.Pass(provedFor + time.Second)
	mara.post(noor+"/return", nil).leads(t, prove(noor))
	list := mara.get("/settings/team").shows(t, 200, "Nina Vale").text
	inv := list[strings.Index(list, "Nina Vale"):]
	inv = inv[strings.Index(inv, `name="invitation" value="`)+len(`name="invitation" value="`):]
	inv = inv[:strings.Index(inv, `"`)]
	mara.post("/settings/team/sendings", form("invitation", inv)).leads(t, prove("/settings/team"))
	mara.post("/settings/prove", form("password", world.Password, "next", noor)).leads(t, noor)
	mara.post(noor+"/return", nil).leads(t, noor+"?said=active")
	mara.post("/settings/team/sendings", form("invitation", inv)).leads(t, "/settings/team?said=resent")
}

func TestInvitationsToStrangersAreFew(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	flood := func(b *browser, from, n int) (sent int) {
		for i := range n {
			a := b.post("/settings/team", form("name", "Somebody", "email", fmt.Sprintf("v%d@victims.test", from+i), "member-role", "practitioner"))
			if a.Code == 303 {
				sent++
				continue
			}
			a.shows(t, 429, "in the last hour. Nothing was sent now", "Somebody", "victims.test")
		}
		return sent
	}
	mara := s.browser(t, w).as("mara@practice.test")
	if n := flood(mara, 0, 24); n != 20 {
		t.Errorf("%d invitations in one go, want 20", n)
	}
	ines := s.browser(t, w).as("ines@nextdoor.test") // from the same network
	if n := flood(ines, 100, 2); n != 0 {
		t.Errorf("%d more from the same network, by another practice", n)
	}
	w.Pass(time.Hour)
	mara, ines = s.browser(t, w).as("mara@practice.test"), s.browser(t, w).as("ines@nextdoor.test")
	if n := flood(mara, 200, 1) + flood(ines, 201, 1); n != 2 {
		t.Errorf("an hour later %d of 2 go out", n)
	}
}

// To ask for a conversion is to look an address up, and is counted as that.
func TestAskingCountsAsLookingUp(t *testing.T) {
	t.Parallel()
	w, s := wrongDoorWorld(t)
	sam := s.browser(t, w).as("sam@help.test")
	for i := range lookUpRule.Most - 1 {
		sam.post("/support/requests", form("account", fmt.Sprintf("a%d@example.com", i), "reason", "because")).shows(t, 404)
	}
	mistaken(t, w, "wanda@example.com")
	a := sam.post("/support/requests", form("account", "wanda@example.com", "reason", "because"))
	if !strings.HasSuffix(a.Header().Get("Location"), "?said=asked") {
		t.Fatalf("the thirtieth: %d %q", a.Code, a.Header().Get("Location"))
	}
	sam.post("/support/requests", form("account", "theo@example.com", "reason", "because")).shows(t, 429, "many addresses", "theo@example.com")
	sam.post("/support/accounts", form("email", "theo@example.com")).shows(t, 429, "many addresses")
}

// Somebody in support who is a practice's client keeps a second step: see
// people.TestASupporterKeepsASecondStep for the other half.
func TestASupporterDoesNotRemoveTheirLastStep(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	helper(t, w, "sam@help.test")
	w.Arm(t, w.Who(t, "sam@help.test"))
	sam := s.browser(t, w).as("sam@help.test")
	sam.post("/settings/authenticator/removal", nil).shows(t, 409, "a second step is needed")
	sam.get("/support").shows(t, 200)
}
