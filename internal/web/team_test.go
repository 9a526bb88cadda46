package web

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/base/id"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/platform/mail"
	"icouch/internal/team"
	"icouch/internal/world"
)

const ninasMail = "nina@elsewhere.test"

// invitedColleague has Mara invite Nina on the pages, and returns the link's page.
func invitedColleague(t *testing.T, w *world.World, s *served) string {
	t.Helper()
	mara := s.browser(t, w).as("mara@practice.test")
	mara.get("/settings").shows(t, 200, "People &amp; roles", "/settings/team")
	mara.get("/settings/team").shows(t, 200, "Mara Lindqvist (you)", "Noor Haddad", "noor@practice.test", "Practitioner", "Invite a colleague")
	mara.get("/settings/team/new").shows(t, 200, "Owner", "Supervisor")
	mara.post("/settings/team", form("name", "Nina Vale", "email", ninasMail, "member-role", "supervisor")).leads(t, "/settings/team?said=invited")
	mara.get("/settings/team?said=invited").shows(t, 200, "Invited. We are sending the letter.", "Nina Vale", ninasMail, "On its way", "Re-Send", "Withdraw")
	w.RunJobs(t)
	return "/team/" + w.Link(t, ninasMail, "/team/")
}

func TestAColleagueJoinsByTheirLink(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	link := invitedColleague(t, w, s)
	nina := s.browser(t, w)
	nina.get(link).shows(t, 200, "Mara Lindqvist invites you to work in The Practice of Mara", "Supervisor", "Nina Vale", ninasMail, "Sign Up", "I already have an account")
	nina.post(link, form("password", "short")).shows(t, 422, "There is a problem")
	nina.post(link, form("password", "Nina Vale Nina Vale")).shows(t, 422, "There is a problem")
	nina.post(link, form("password", "a heron stands in the reeds", "email", "x@intruder.test", "role", "owner")).leads(t, "/welcome")
	nina.post("/welcome", form("zone", "Europe/London")).leads(t, "/dashboard")
	nina.get("/people").leads(t, "/settings/second-step?next=%2Fpeople") // as for everybody who works here
	w.Arm(t, w.Who(t, ninasMail))
	nina.signIn(ninasMail, "a heron stands in the reeds").leads(t, "/dashboard")
	nina.get("/people").shows(t, 200, "No clients yet")
	nina.get("/people/"+w.Theo.String()).shows(t, 404)
	nina.get("/settings/team").shows(t, 404)
	s.browser(t, w).get(link).shows(t, 410, "This invitation was used")
	s.browser(t, w).as("mara@practice.test").get("/settings/team").shows(t, 200, "Nina Vale", "Supervisor")
}

func TestAColleaguesLinkOpenedBySomebodyElse(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	w.Account(t, "Nina Vale", ninasMail)
	link := invitedColleague(t, w, s)
	ines := s.browser(t, w).as("ines@nextdoor.test")
	ines.get(link).shows(t, 200, "This invitation is for another e-mail", "Ines Duarte", "Switch account")
	ines.post(link+"/acceptance", nil).shows(t, 409, "another e-mail address")
	ines.post(link+"/switch", nil).leads(t, link)
	b := ines // signed out now
	b.post(link, form("password", "a heron stands in the reeds")).shows(t, 409, "You already have an account", "Sign in to accept")
	b.post(link+"/sign-in", form("email", ninasMail, "password", "wrong wrong wrong")).shows(t, 422)
	b.post(link+"/sign-in", form("email", ninasMail, "password", world.Password)).leads(t, link)
	b.get(link).shows(t, 200, "Join The Practice of Mara?", "Your password stays as it is")
	b.post(link+"/acceptance", nil).leads(t, "/dashboard")
	b.get("/people").leads(t, "/settings/second-step?next=%2Fpeople")
	w.Arm(t, w.Who(t, ninasMail))
	b.signIn(ninasMail, world.Password)
	b.get("/people").shows(t, 200, "No clients yet")
	b.get("/places").shows(t, 200, "The Practice of Mara")
}

func TestADeadLinkOfAColleagueOffersANewOne(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	link := invitedColleague(t, w, s)
	w.Pass(15 * 24 * time.Hour)
	b := s.browser(t, w)
	if page := b.get(link).shows(t, 410, "This link has ended", "Send me a new link"); strings.Contains(page.text, "Nina") || strings.Contains(page.text, ninasMail) {
		t.Error("the dead link shows who it was for")
	}
	b.post(link+"/new-link", nil).leads(t, "/join/sent")
	w.RunJobs(t)
	fresh := "/team/" + w.Link(t, ninasMail, "/team/")
	b.get(fresh).shows(t, 200, "Nina Vale")
	b.get("/team/"+strings.Repeat("B", 43)).shows(t, 404, "This link does not work any more")
	w.Pass(time.Hour)
	b.post("/join/lost", form("email", ninasMail)).leads(t, "/join/sent")
	w.RunJobs(t)
	if again := "/team/" + w.Link(t, ninasMail, "/team/"); again == fresh {
		t.Error("asked for by address, no new link came")
	}
	mara := s.browser(t, w).as("mara@practice.test")
	inv := regexp.MustCompile(`name="invitation" value="([^"]+)"`).FindStringSubmatch(mara.get("/settings/team").text)
	if inv == nil {
		t.Fatal("nobody can withdraw it")
	}
	mara.post("/settings/team/sendings", form("invitation", inv[1])).shows(t, 409, "less than a minute ago")
	mara.post("/settings/team/sendings", form("invitation", "x")).shows(t, 422, "no such invitation")
	mara.post("/settings/team/withdrawals", form("invitation", inv[1])).leads(t, "/settings/team?said=withdrawn")
	b.get("/team/"+w.Link(t, ninasMail, "/team/")).shows(t, 410, "This invitation was withdrawn")
	mara.get("/settings/team").shows(t, 200)
	s.browser(t, w).as("ines@nextdoor.test").post("/settings/team/withdrawals", form("invitation", inv[1])).shows(t, 404)
}

func TestTheFormKeepsWhatWasTypedOfAColleague(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	mara := s.browser(t, w).as("mara@practice.test")
	for _, name := range []string{"<script>alert(1)</script>", "A\r\nBcc: x@y.test", "\u202Eevil", "😀", strings.Repeat("x", 5000)} {
		page := mara.post("/settings/team", form("name", name, "email", "no address", "member-role", "god"))
		page.shows(t, 422, "no address")
		if strings.Contains(page.text, "<script>alert") {
			t.Error("markup went through")
		}
	}
	mara.post("/settings/team", form("name", "X", "email", "noor@practice.test", "member-role", "biller")).shows(t, 409, "works in the practice already")
}

// An inactive member is refused at their next request. Where the news does not
// arrive, as on another node whose line is cut, it takes five seconds at most.
func TestAnInactiveMemberIsTurnedAwayFromAnOpenBrowser(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s, other := serve(t, w), serve(t, w)
	lena := w.Client(t, w.Noor, people.Draft{First: "Lena", Last: "Marsh", Email: "lena@example.com", EmailConsent: true})
	page := "/people/" + lena.String()
	noor := s.browser(t, w).as("noor@practice.test")
	elsewhere := other.browser(t, w)
	elsewhere.cookies = noor.cookies
	noor.get(page).shows(t, 200, "Lena Marsh")
	elsewhere.get(page).shows(t, 200, "Lena Marsh")
	deaf := map[string]*known{} // what the other node remembers, as if it had heard nothing
	for hash, k := range other.visitors.of {
		deaf[hash] = k
	}
	mara := s.browser(t, w).as("mara@practice.test")
	at := "/settings/team/" + w.Noor.Practitioner().String()
	mara.get(at+"/end").shows(t, 200, "1 client", "Somebody has to look after them")
	mara.post(at+"/end", nil).shows(t, 422, "Choose who looks after these clients")
	noor.get(page).shows(t, 200, "Lena Marsh")
	mara.post(at+"/end", form("heir", w.Mara.Practitioner().String())).leads(t, at+"?said=inactive")
	mara.get(at+"?said=inactive").shows(t, 200, "Made inactive", "Make active again", "No clients")
	noor.get(page).leads(t, with("/sign-in", page)) // signed out here
	noor.get("/people").leads(t, with("/sign-in", "/people"))
	for hash, k := range deaf {
		other.visitors.of[hash] = k
	}
	elsewhere.get(page) // may be let in still
	w.Pass(memory + time.Millisecond)
	elsewhere.get(page).leads(t, with("/sign-in", page))
	mara.get(page).shows(t, 200, "Lena Marsh")
	mara.post(at+"/return", nil).leads(t, at+"?said=active")
	noor.get("/people").leads(t, with("/sign-in", "/people")) // the session from before opens nothing
	s.browser(t, w).as("noor@practice.test").get("/people").shows(t, 200, "No clients yet")
}

func TestRolesAreChangedOnTheMembersPage(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	w.Colleague(t, "Ada Stone", "ada@practice.test", access.Administrator)
	mara, ada := s.browser(t, w).as("mara@practice.test"), s.browser(t, w).as("ada@practice.test")
	noor := s.browser(t, w).as("noor@practice.test")
	own, hers := "/settings/team/"+w.Mara.Practitioner().String(), "/settings/team/"+w.Noor.Practitioner().String()
	mara.get(own).shows(t, 200, "A practice needs an owner")
	mara.post(own+"/role", form("member-role", "biller")).shows(t, 409, "A practice needs an owner")
	mara.post(own+"/end", form("heir", w.Noor.Practitioner().String())).shows(t, 409, "A practice needs an owner")
	ada.get(own).shows(t, 200, "Only an owner can change")
	if strings.Contains(ada.get(hers).text, `value="owner"`) {
		t.Error("an administrator is offered to make owners")
	}
	ada.post(hers+"/role", form("member-role", "owner")).shows(t, 404)
	ada.post(hers+"/role", form("member-role", "")).shows(t, 422, "Choose a role")
	noor.get("/settings/practice").shows(t, 404)
	ada.post(hers+"/role", form("member-role", "administrator")).leads(t, hers+"?said=role")
	noor.get("/settings/practice").shows(t, 200) // from the next click on
	s.browser(t, w).as("ines@nextdoor.test").get(hers).shows(t, 404, nothingHere)
}

func TestACaseloadIsHandedOverOnThePages(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	lena := w.Client(t, w.Noor, people.Draft{First: "Lena", Last: "Marsh"})
	lars := w.Client(t, w.Noor, people.Draft{First: "Lars", Last: "Marsh"})
	mara, noor := s.browser(t, w).as("mara@practice.test"), s.browser(t, w).as("noor@practice.test")
	at := "/settings/team/" + w.Noor.Practitioner().String()
	mara.get(at+"/clients").shows(t, 200, "Lena Marsh", "Lars Marsh", "Hand over all 2 clients")
	mara.post(at+"/clients", form("client", lena.String())).shows(t, 422, "Choose who looks after", `value="`+lena.String()+`" checked`)
	mara.post(at+"/clients", form("heir", w.Mara.Practitioner().String())).shows(t, 422, "Choose at least one client")
	mara.post(at+"/clients", form("client", lena.String(), "heir", w.Mara.Practitioner().String())).leads(t, at+"?said=moved")
	noor.get("/people/"+lena.String()).shows(t, 404)
	noor.get("/people").shows(t, 200, "1 person", "Lars")
	mara.post(at+"/clients", form("all", "yes", "heir", w.Mara.Practitioner().String())).leads(t, at+"?said=moved")
	noor.get("/people/"+lars.String()).shows(t, 404)
	mara.get(at+"/clients").shows(t, 200, "looks after nobody")
}

func TestTheCareTeamIsChosenOnTheClientsPage(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	lena := w.Client(t, w.Noor, people.Draft{First: "Lena", Last: "Marsh"})
	gus := w.Colleague(t, "Gus Stone", "gus@practice.test", access.Practitioner)
	page := "/people/" + lena.String()
	noor, his := s.browser(t, w).as("noor@practice.test"), s.browser(t, w).as("gus@practice.test")
	his.get(page).shows(t, 404)
	noor.get(page).shows(t, 200, "Care team", "looks after them", "Add a colleague")
	noor.post(page+"/team", form("team-member", "x")).shows(t, 422, "Choose a colleague")
	noor.post(page+"/team", form("team-member", gus.Practitioner().String(), "until", "2030-03-13")).shows(t, 422, "Choose a later day")
	noor.post(page+"/team", form("team-member", gus.Practitioner().String(), "until", "2030-03-20")).leads(t, page+"?said=team")
	noor.get(page).shows(t, 200, "Gus Stone", "until Wed 20 Mar", "Remove")
	if got := his.get(page).shows(t, 200, "Lena Marsh", "Care team"); strings.Contains(got.text, "Remove") {
		t.Error("he is offered to change the team")
	}
	his.get("/people").shows(t, 200, "Lena", "1 person")
	his.post("/people/search", form("q", "lena")).shows(t, 200, "Lena")
	his.post(page+"/team/removal", form("team-member", gus.Practitioner().String())).shows(t, 404)
	noor.post(page+"/team/removal", form("team-member", gus.Practitioner().String())).leads(t, page+"?said=team-left")
	his.get(page).shows(t, 404) // at the next request
	noor.post(page+"/team/removal", form("team-member", gus.Practitioner().String())).shows(t, 409, "not in the care team any more")
}

func TestSupervisionIsSetOnTheMembersPage(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	lena := w.Client(t, w.Noor, people.Draft{First: "Lena", Last: "Marsh"})
	sue := w.Colleague(t, "Sue Stone", "sue@practice.test", access.Supervisor)
	hers := s.browser(t, w).as("sue@practice.test")
	hers.get("/people/"+lena.String()).shows(t, 404)
	mara := s.browser(t, w).as("mara@practice.test")
	at := "/settings/team/" + sue.Practitioner().String()
	mara.get(at).shows(t, 200, "Supervision", "Noor Haddad")
	mara.post(at+"/supervision", form("supervises", w.Noor.Practitioner().String())).leads(t, at+"?said=supervises")
	hers.get("/people/"+lena.String()).shows(t, 200, "Lena Marsh", "supervises Noor Haddad")
	hers.get("/people/"+w.Theo.String()).shows(t, 404)
	mara.post(at+"/supervision", form("supervises", "x")).shows(t, 422)
	mara.post(at+"/supervision", nil).leads(t, at+"?said=supervises")
	hers.get("/people/"+lena.String()).shows(t, 404)
}

const why = "Her mother called: she is not safe."

func TestAClientIsOpenedInAnEmergency(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	w.MailFails(&mail.Refusal{Code: 451, Reason: mail.TryLater})
	theo := "/people/" + w.Theo.String()
	noor := s.browser(t, w).as("noor@practice.test")
	noor.get("/people").shows(t, 200, "Open a client in an emergency")
	noor.get("/people/emergency").shows(t, 200, "owners of the practice are told at once")
	noor.get(theo).shows(t, 404, nothingHere)
	noor.post("/people/emergency", form("who", "Theo Vance", "reason", "too short")).shows(t, 422, "15 characters or more", `value="Theo Vance"`)
	for _, who := range []string{"Theo Vanc", "Ida Brook", "ines@nextdoor.test", "theo", "%", "Theo\nVance"} {
		noor.post("/people/emergency", form("who", who, "reason", why)).shows(t, 422, "No single client was found", why)
	}
	noor.get(theo).shows(t, 404, nothingHere)
	noor.post("/people/emergency", form("who", " theo VANCE ", "reason", why)).leads(t, theo)
	noor.get(theo).shows(t, 200, "Opened in an emergency", "closes in 1 hour", "Close now", "Theo Vance")
	noor.get(theo+"/edit").shows(t, 200, "Opened in an emergency", "Close now")
	noor.get(theo+"/end").shows(t, 200, "Opened in an emergency")
	noor.get("/people").shows(t, 200, "Theo", "1 person")
	w.Pass(10*time.Minute + time.Second)
	noor.get(theo).shows(t, 200, "closes in 50 minutes")
	mara := s.browser(t, w).as("mara@practice.test")
	mara.get(theo).shows(t, 200, "Opened in an emergency", "Noor Haddad", "Her mother called", "Open for 50 minutes more")
	mara.get("/settings/team/emergencies").shows(t, 200, "Theo Vance", "Noor Haddad", "Her mother called")
	if strings.Contains(noor.get(theo).text, "Her mother called") {
		t.Error("the reason is shown to who does not read the trail")
	}
	noor.post(theo+"/emergency/closing", nil).leads(t, "/people?said=emergency-closed")
	noor.get(theo).shows(t, 404, nothingHere)
	mara.get("/people/emergency").shows(t, 404)
}

// The hour ends to the second, however lately the visitor was remembered.
func TestARememberedVisitorDoesNotOutliveTheEmergency(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	theo := "/people/" + w.Theo.String()
	noor := s.browser(t, w).as("noor@practice.test")
	noor.post("/people/emergency", form("who", "theo@example.com", "reason", why)).leads(t, theo)
	for range 6 { // at work all the while
		w.Pass(9 * time.Minute)
		noor.get(theo).shows(t, 200)
	}
	w.Pass(6*time.Minute - time.Second)
	noor.get(theo).shows(t, 200, "closes in 1 minute")
	w.Pass(time.Second - time.Microsecond)
	noor.get(theo).shows(t, 200)
	w.Pass(time.Microsecond)
	noor.get(theo).shows(t, 404, nothingHere)
}

func TestNamesAreNotGuessedInAnEmergency(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	w.Client(t, w.Mara, people.Draft{First: "Twin", Last: "Vance"})
	w.Client(t, w.Mara, people.Draft{First: "Twin", Last: "Vance"})
	noor := s.browser(t, w).as("noor@practice.test")
	none := noor.post("/people/emergency", form("who", "Nobody Here", "reason", why)).shows(t, 422)
	two := noor.post("/people/emergency", form("who", "Twin Vance", "reason", why)).shows(t, 422)
	if got, want := strings.ReplaceAll(plainly(two), "Twin Vance", "Nobody Here"), plainly(none); got != want {
		t.Errorf("that there are two is told: %s", difference(got, want))
	}
	for range 8 {
		noor.post("/people/emergency", form("who", "Nobody Here", "reason", why)).shows(t, 422)
	}
	noor.post("/people/emergency", form("who", "Theo Vance", "reason", why)).shows(t, http.StatusTooManyRequests)
	noor.get("/people/"+w.Theo.String()).shows(t, 404)
	w.Pass(24*time.Hour + time.Second)
	noor = s.browser(t, w).as("noor@practice.test")
	noor.post("/people/emergency", form("who", "Theo Vance", "reason", why)).leads(t, "/people/"+w.Theo.String())
}

// fields are the canaries of one client, one for each field.
var fields = map[string]string{"first": "Zzfirst", "last": "Zzlast", "preferred": "Zzpref", "email": "zzmail@example.com", "mobile": "+1 212 555 0147",
	"born": "1984", "address": "Zzstreet 7", "zone": "Anchorage", "practitioner": "Noor Haddad"}

// matrixOfFields is what each role receives of a client's fields, on each page.
// It is to be read as hard as the rules are.
var matrixOfFields = map[string]map[string]string{
	"list": {"owner": "email first last practitioner", "administrator": "email first last practitioner", "practitioner": "email first last",
		"supervisor": "email first last", "scheduler": "email first last practitioner", "biller": "email first last practitioner"},
	"search": {"owner": "email first last practitioner", "administrator": "email first last practitioner", "practitioner": "email first last",
		"supervisor": "email first last", "scheduler": "email first last practitioner", "biller": "email first last practitioner"},
	"client": {"owner": "address born email first last mobile practitioner preferred zone", "administrator": "address born email first last mobile practitioner preferred zone",
		"practitioner": "address born email first last mobile practitioner preferred zone", "supervisor": "address born email first last mobile practitioner preferred zone",
		"scheduler": "email first last mobile practitioner preferred zone", "biller": "address born email first last mobile practitioner preferred zone"},
	"form": {"owner": "address born email first last mobile practitioner preferred zone", "administrator": "address born email first last mobile practitioner preferred zone",
		"practitioner": "address born email first last mobile preferred zone", "supervisor": "address born email first last mobile preferred zone", "scheduler": "", "biller": ""},
	"end":    {"owner": "first last", "administrator": "first last", "practitioner": "first last", "supervisor": "first last", "scheduler": "", "biller": ""},
	"export": {"owner": "address born email first last mobile preferred zone", "administrator": "address born email first last mobile preferred zone", "practitioner": "", "supervisor": "", "scheduler": "", "biller": ""},
}

func TestEachRoleReceivesItsFieldsAndNoOthers(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	c := w.Client(t, w.Noor, people.Draft{First: "Zzfirst", Last: "Zzlast", Preferred: "Zzpref", Email: "zzmail@example.com", Mobile: "+1 212 555 0147",
		Year: "1984", Month: "3", Day: "25", Address: "Zzstreet 7", Zone: "America/Anchorage"})
	browsers := map[string]*browser{"owner": s.browser(t, w).as("mara@practice.test")}
	for _, role := range access.WorkRoles[1:] {
		member := w.Colleague(t, "Casey Stone", string(role)+"@practice.test", role)
		switch role {
		case access.Practitioner:
			w.Update(t, func(tx *db.Tx) error { return team.Include(tx, w.Mara, c, member.Practitioner(), nil) })
		case access.Supervisor:
			w.Update(t, func(tx *db.Tx) error {
				return team.Supervise(tx, w.Mara, member.Practitioner(), []id.Practitioner{w.Noor.Practitioner()})
			})
		}
		browsers[string(role)] = s.browser(t, w).as(string(role) + "@practice.test")
	}
	path := "/people/" + c.String()
	pages := map[string]func(*browser) answer{
		"list":   func(b *browser) answer { return b.get("/people") },
		"search": func(b *browser) answer { return b.post("/people/search", form("q", "zz")) },
		"client": func(b *browser) answer { return b.get(path) },
		"form":   func(b *browser) answer { return b.get(path + "/edit") },
		"end":    func(b *browser) answer { return b.get(path + "/end") },
		"export": func(b *browser) answer { return b.post("/people/export", url.Values{}) },
	}
	for page, ask := range pages {
		for _, role := range access.WorkRoles {
			got := fieldsIn(ask(browsers[string(role)]).text, page)
			if want := matrixOfFields[page][string(role)]; got != want {
				t.Errorf("%s of %s holds %q, want %q", page, role, got, want)
			}
		}
	}
}

// fieldsIn are the fields that a page holds. The zone's city is among the
// choices of each form: there it counts if it is chosen.
func fieldsIn(text, page string) string {
	var found []string
	for field, canary := range fields {
		if field == "zone" && page != "client" {
			canary = "America/Anchorage"
			if page == "form" {
				canary = `value="America/Anchorage" selected`
			}
		}
		if strings.Contains(strings.ReplaceAll(text, "\u00a0", " "), canary) {
			found = append(found, field)
		}
	}
	slices.Sort(found)
	return strings.Join(found, " ")
}

// Whoever may change a client reads all of their fields: what a form leaves out
// would be lost by saving it.
func TestWhoMayChangeAClientReadsAllOfThem(t *testing.T) {
	t.Parallel()
	for _, r := range access.WorkRoles {
		if r.Has(access.Invite) && !r.Has(access.SeePrivate) {
			t.Errorf("%s changes clients and does not see all fields", r)
		}
	}
}

func TestWithoutAMailServerAColleagueIsHandedALink(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	s.NoMail = true
	mara := s.browser(t, w).as("mara@practice.test")
	mara.post("/settings/team", form("name", "Nina Nowak", "email", ninasMail, "member-role", "biller")).leads(t, "/settings/team?said=no-mail")
	page := mara.get("/settings/team?said=no-mail").shows(t, 200, "Invited, but nothing can be mailed", "Waiting to be sent", "Copy link")
	if strings.Contains(page.text, "On its way") || strings.Contains(page.text, "We are sending the letter") {
		t.Error("the page says that a letter goes, and none can")
	}
	inv := regexp.MustCompile(`name="invitation" value="([^"]+)"`).FindStringSubmatch(page.text)
	page = mara.post("/settings/team/links", form("invitation", inv[1])).shows(t, 200, "Hand over this link yourself", "to Nina Nowak alone", "Link copied")
	link := regexp.MustCompile(`/team/[A-Za-z0-9_-]{20,}`).FindString(page.text)
	mara.get("/settings/team/links").leads(t, "/settings/team")
	mara.post("/settings/team/links", form("invitation", "nonsense")).shows(t, 422, "There is no such invitation any more.")
	s.browser(t, w).as("ines@nextdoor.test").post("/settings/team/links", form("invitation", inv[1])).shows(t, 404)
	s.browser(t, w).get(link).shows(t, 200, "Nina Nowak", ninasMail)
}

func TestALinkToOwnThePracticeIsCopiedByWhoHasShownWhoTheyAre(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	mara := s.browser(t, w).as("mara@practice.test")
	mara.post("/settings/team", form("name", "Nina Nowak", "email", ninasMail, "member-role", "owner")).leads(t, "/settings/team?said=invited")
	inv := regexp.MustCompile(`name="invitation" value="([^"]+)"`).FindStringSubmatch(mara.get("/settings/team").text)
	w.Pass(6 * time.Minute)
	mara.post("/settings/team/links", form("invitation", inv[1])).leads(t, "/settings/prove?next=%2Fsettings%2Fteam")
	mara.get("/settings/prove?next=%2Fsettings%2Fteam").shows(t, 200, "Before power in the practice is given", `href="/settings/team"`)
	if open := mara.get("/settings/team").text; strings.Contains(open, "Link copied") {
		t.Error("a link was made before she showed who she is")
	}
}

func TestACareTeamWithoutColleaguesSaysWhereTheyComeFrom(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	nobody := w.Client(t, w.Ines, people.Draft{First: "Una", Last: "Field"})
	const why = "Nobody else here looks after clients yet."
	s.browser(t, w).as("ines@nextdoor.test").get("/people/"+nobody.String()).shows(t, 200, why, `href="/settings/team/new"`).lacks(t, "Add a colleague")
	s.browser(t, w).as(mara).get("/people/"+w.Theo.String()).shows(t, 200, "Add a colleague").lacks(t, why)
}
