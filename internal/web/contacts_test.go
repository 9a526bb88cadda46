package web

import (
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"icouch/internal/base/id"
	"icouch/internal/world"
)

// aContact is the form for Greta, who pays for Theo.
func aContact(w *world.World) url.Values {
	return url.Values{"id": {id.New[id.Contact](w.Now()).String()}, "name": {"Greta Vance"}, "relation": {"parent"}, "email": {"greta@example.com"}, "mobile": {"+44 7700 900123"},
		"emergency": {"yes"}, "right": {"invoices", "appointments"}, "basis": {"Parental responsibility"}, "until": {"2030-04-30"}}
}

// noted adds her, and returns the address of her page.
func (b *browser) noted(w *world.World) string {
	b.t.Helper()
	a := b.post("/people/"+w.Theo.String()+"/contacts", aContact(w))
	at, said, _ := strings.Cut(a.Header().Get("Location"), "?")
	if a.Code != 303 || said != "said=added" {
		b.t.Fatalf("adding leads with %d to %q: %s", a.Code, a.Header().Get("Location"), clip(a.text))
	}
	return at
}

var versionField = regexp.MustCompile(`name="version" value="([0-9]+)"`)

func TestAContactIsNotedChangedSuspendedAndEnded(t *testing.T) {
	t.Parallel()
	w, b := practice(t)
	theo := "/people/" + w.Theo.String()
	b.get(theo).shows(t, 200, "Contacts", "No contacts yet", "Add a contact")
	b.get(theo+"/contacts/new").shows(t, 200, "Add a contact", "Contact of Theo Vance", "Never messages, the journal or your notes")
	at := b.noted(w)
	b.get(at+"?said=added").shows(t, 200, "Noted. Nothing was mailed.", `value="Greta Vance"`, "Not invited", "Until 30 April 2030", "Suspend at once")
	b.get(theo).shows(t, 200, "Greta Vance", "Parent · in an emergency · may open appointments and invoices", "+44 7700 900123", "greta@example.com", "Not invited")
	f := aContact(w)
	f.Set("version", b.get(at).find(t, versionField))
	f.Set("until", "2030-05-31")
	b.post(at, f).leads(t, at+"?said=saved")
	b.post(at, f).shows(t, 409, "Somebody else changed this contact", `value="2030-05-31"`)
	b.post(at+"/suspension", nil).leads(t, at+"?said=suspended")
	b.get(at+"?said=suspended").shows(t, 200, "We do not tell them", "Suspended: nothing opens for them", "End the suspension")
	b.post(at+"/suspension", nil).shows(t, 409, "suspended already")
	b.get(theo).shows(t, 200, "Suspended")
	b.post(at+"/return", nil).leads(t, at+"?said=resumed")
	b.post(at+"/end", nil).leads(t, at+"?said=ended")
	b.get(at).shows(t, 200, "Ended 14 March 2030")
	b.post(at+"/end", nil).shows(t, 409, "no access that could be ended")
}

// What was typed comes back, each problem stands at its field.
func TestAContactsFormKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	w, b := practice(t)
	to := "/people/" + w.Theo.String() + "/contacts"
	f := aContact(w)
	for name, value := range map[string]string{"relation": "", "email": "greta@", "basis": "", "until": "2030-03-01"} {
		f.Set(name, value)
	}
	b.post(to, f).shows(t, 422, "There is a problem", `value="Greta Vance"`, `value="greta@"`, `value="2030-03-01"`, `href="#f-email"`)
	f.Set("email", "greta@example.com")
	b.post(to, f).shows(t, 422, "Choose what this person is", "Choose today or a later day", "Say why this person may act", `id="f-right-invoices" name="right" value="invoices" checked`)
	f = aContact(w)
	f.Del("id")
	b.post(to, f).shows(t, 422, "This form is too old", `value="Greta Vance"`)
	f = aContact(w)
	b.post(to, f)
	b.post(to, f).shows(t, 409, "This contact was added already")
}

// Of whoever works in the practice, who changes nothing reads how to reach them.
func TestWhoOnlyReadsSeesHowToReachAContact(t *testing.T) {
	t.Parallel()
	w, b := practice(t)
	at := b.noted(w)
	w.Colleague(t, "Skye Stone", "skye@practice.test", "scheduler")
	skye := serve(t, w).browser(t, w).as("skye@practice.test")
	page := skye.get("/people/"+w.Theo.String()).shows(t, 200, "Greta Vance", "+44 7700 900123")
	if strings.Contains(page.text, "Add a contact") || strings.Contains(page.text, "/contacts/") {
		t.Error("the scheduler is offered to change contacts")
	}
	skye.get(at).shows(t, 404, nothingHere)
}

const (
	gretasMail     = "greta@example.com"
	gretasPassword = "a heron stands in the reeds"
)

// invited notes Greta, invites her, and returns her page and the link in the letter.
func (b *browser) invitesGreta(w *world.World) (at, link string) {
	b.t.Helper()
	at = b.noted(w)
	b.post(at+"/invitation", nil).leads(b.t, at+"?said=invited")
	w.RunJobs(b.t)
	return at, "/contact/" + w.Link(b.t, gretasMail, "/contact/")
}

// The whole way: the practice invites, she chooses a password, sees what is hers
// and nothing else, and is shut out at the next click when the practice says so.
func TestAGuardianSignsInByInvitationAndOpensWhatWasGiven(t *testing.T) {
	t.Parallel()
	w, b := practice(t)
	at, link := b.invitesGreta(w)
	b.get(at).shows(t, 200, "Sent", "Re-Send", "Withdraw")
	g := b.site.browser(t, w)
	for range 3 { // mail filters look too
		page := g.get(link).shows(t, 200, "Create your account", "Greta Vance", gretasMail, "appointments and invoices", "30 Apr", "You only choose a password")
		if strings.Contains(page.text, "Theo") {
			t.Error("the link's page names the client")
		}
	}
	g.post(link, form("password", "short")).shows(t, 422, "15")
	g.post(link, form("password", gretasPassword)).leads(t, "/welcome")
	page := g.get("/dashboard").shows(t, 200, "For Theo Vance", "Appointments", "Invoices, to see and to pay", "30 Apr", "What stays closed", "Mara Lindqvist")
	for _, secret := range []string{"theo@example.com", "Documents and files", "Parental"} {
		if strings.Contains(page.text, secret) {
			t.Errorf("she is shown %q", secret)
		}
	}
	for _, closed := range []string{"/people", "/people/" + w.Theo.String(), at, "/access"} {
		g.get(closed).shows(t, 404, nothingHere)
	}
	b.get(at).shows(t, 200, "Signs in", "Until 30 April 2030")
	b.post(at+"/suspension", nil).leads(t, at+"?said=suspended")
	g.get("/dashboard").shows(t, 200, "Nothing is open just now", "ask the practice")
	b.post(at+"/return", nil).leads(t, at+"?said=resumed")
	g.get("/dashboard").shows(t, 200, "For Theo Vance")
	w.Pass(60 * 24 * time.Hour)
	g.as(gretasMail)
	g.get("/dashboard").shows(t, 200, "Nothing is open just now")
	if page := g.get("/places").shows(t, 200, "For somebody", "It is not open to you any more"); strings.Contains(page.text, "Theo") {
		t.Error("who is shut out reads the name")
	}
}

// The clock shuts an open session at that second; what is remembered of it does not count.
func TestTheLastDayShutsAnOpenSession(t *testing.T) {
	t.Parallel()
	w, b := practice(t)
	f := aContact(w)
	f.Set("until", "2030-03-14")
	at, _, _ := strings.Cut(b.post("/people/"+w.Theo.String()+"/contacts", f).Header().Get("Location"), "?")
	b.post(at+"/invitation", nil)
	w.RunJobs(t)
	g := b.site.browser(t, w)
	g.post("/contact/"+w.Link(t, gretasMail, "/contact/"), form("password", gretasPassword)).leads(t, "/welcome")
	midnight := time.Date(2030, 3, 15, 4, 0, 0, 0, time.UTC) // New York's
	for now := w.Now(); midnight.Sub(now) > 10*time.Minute; now = w.Now() {
		w.Pass(min(10*time.Minute, midnight.Sub(now)-time.Minute))
		g.get("/dashboard").shows(t, 200, "For Theo Vance")
	}
	w.Pass(midnight.Sub(w.Now()) - time.Second)
	g.get("/dashboard").shows(t, 200, "For Theo Vance")
	w.Pass(time.Second)
	g.get("/dashboard").shows(t, 200, "Nothing is open just now")
}

// One person works here, is a client next door, and acts for Theo: the switcher
// says which is which, and each is another place.
func TestOneAccountSwitchesBetweenWorkAndWhomTheyActFor(t *testing.T) {
	t.Parallel()
	w, b := practice(t)
	f := aContact(w)
	f.Set("email", "ines@nextdoor.test")
	f.Set("name", "Ines Duarte")
	at, _, _ := strings.Cut(b.post("/people/"+w.Theo.String()+"/contacts", f).Header().Get("Location"), "?")
	b.post(at+"/invitation", nil)
	w.RunJobs(t)
	link := "/contact/" + w.Link(t, "ines@nextdoor.test", "/contact/")
	guest := b.site.browser(t, w)
	guest.post(link, form("password", gretasPassword)).shows(t, 409, "You already have an account with this address")
	b.get(link).shows(t, 200, "This invitation is for another e-mail", "Switch account")
	b.post(link+"/acceptance", nil).shows(t, 409, "another e-mail address")
	n := b.site.browser(t, w).as("ines@nextdoor.test")
	n.get(link).shows(t, 200, "Act for somebody else at The Practice of Mara?", "Accept")
	n.post(link+"/acceptance", nil).leads(t, "/dashboard")
	n.get("/dashboard").shows(t, 200, "For Theo Vance", "For Theo Vance at The Practice of Mara", "The Practice Next Door (work)")
	n.get("/people").shows(t, 404, nothingHere)
	n.post("/switch", form("place", w.Ines.Practice().String()+"/")).leads(t, "/dashboard")
	n.get("/people").shows(t, 200)
	n.get("/people/"+w.Theo.String()).shows(t, 404) // the practice next door sees him no more for that
	n.get(link).shows(t, 410, "This invitation was used")
}

func TestAClientSeesWhoCanOpenTheirRecordAndAsksThatItEnds(t *testing.T) {
	t.Parallel()
	w, b := practice(t)
	at, link := b.invitesGreta(w)
	b.site.browser(t, w).post(link, form("password", gretasPassword)).leads(t, "/welcome")
	b.post("/people/"+w.Theo.String()+"/invitation", nil)
	w.RunJobs(t)
	k := b.site.browser(t, w)
	k.post("/join/"+w.Link(t, "theo@example.com", "/join/"), form("password", gretasPassword)).leads(t, "/welcome")
	k.get("/dashboard").shows(t, 200, "Who else can open this", "Greta Vance", "Parent · may open appointments and invoices")
	page := k.get("/access").shows(t, 200, "Greta Vance", "Can open it", "Ask to end it", "Never open to them")
	if strings.Contains(page.text, gretasMail) || strings.Contains(page.text, "Parental responsibility") {
		t.Error("the client reads the practice's notes of her")
	}
	one := at[strings.LastIndex(at, "/")+1:]
	k.post("/access/endings", form("contact", one)).leads(t, "/access?said=asked")
	k.get("/access?said=asked").shows(t, 200, "Your practice is told", "You asked that this ends")
	k.post("/access/endings", form("contact", one)).shows(t, 409, "You have asked for this already")
	k.post("/access/endings", form("contact", id.New[id.Contact](w.Now()).String())).shows(t, 422, "has no access any more")
	b.get("/people/"+w.Theo.String()).shows(t, 200, "The client asked")
	b.get(at).shows(t, 200, "The client asked")
	b.post(at+"/end", nil).leads(t, at+"?said=ended")
	k.get("/access").shows(t, 200, "Nobody else")
}

func TestAContactsDeadLinkSaysWhyAndOffersANewOne(t *testing.T) {
	t.Parallel()
	w, b := practice(t)
	at, link := b.invitesGreta(w)
	w.Pass(2 * time.Minute)
	b.post(at+"/invitation/sendings", nil).leads(t, at+"?said=resent")
	w.RunJobs(t)
	g := b.site.browser(t, w)
	g.get(link).shows(t, 410, "There is a newer link")
	w.Pass(2 * time.Minute)
	g.post(link+"/new-link", nil).leads(t, "/join/sent")
	w.RunJobs(t)
	newest := "/contact/" + w.Link(t, gretasMail, "/contact/")
	g.get(newest).shows(t, 200, "Create your account")
	w.Pass(2 * time.Minute)
	g.post("/join/lost", form("email", gretasMail)).leads(t, "/join/sent")
	w.RunJobs(t)
	g.get(newest).shows(t, 410)
	b.post(at+"/invitation/withdrawal", nil).leads(t, at+"?said=withdrawn")
	newest = "/contact/" + w.Link(t, gretasMail, "/contact/")
	g.get(newest).shows(t, 410, "This invitation was withdrawn")
	g.post(newest+"/new-link", nil).leads(t, "/join/sent?said=asked")
	b.get(at).shows(t, 200, "Asks for a new link")
	g.get("/contact/"+strings.Repeat("B", 43)).shows(t, 404, "This link does not work any more")
}

// A minor: their days stand on their page, their mother's access ends with them,
// the list says what is true, and who may not see a birthday does not.
func TestAMinorsDaysAreShownAndSet(t *testing.T) {
	t.Parallel()
	w, b := practice(t)
	f := fresh(w, "Ada", "ada@example.com")
	for name, value := range map[string]string{"last": "Winter", "born-year": "2020", "born-month": "5", "born-day": "3"} {
		f.Set(name, value)
	}
	at, said, _ := strings.Cut(b.post("/people", f).Header().Get("Location"), "?")
	if said != "said=too-young" {
		t.Errorf("creating says %q", said)
	}
	again, said, _ := strings.Cut(b.post("/people", f).Header().Get("Location"), "?")
	if again != at || said != "said=too-young" {
		t.Errorf("a second press says %q", said)
	}
	b.get(at+"?said=too-young").shows(t, 200, "may not sign in yet", "May sign in themselves from 3 May 2038", "Set other days")
	if row := words(b.row(t, at[len("/people/"):])); !strings.Contains(row, "A minor, who may not sign in yet.") {
		t.Errorf("the row says %q", row)
	}
	b.post(at+"/invitation", nil).shows(t, 409, "they are a minor")
	b.get(at+"/contacts/new").shows(t, 200, "Ends, too, when the client comes of age, on 3 May 2038", `name="of-age" value="yes" checked`)
	c := aContact(w)
	c.Set("until", "")
	c.Set("of-age", "yes")
	b.post(at+"/contacts", c)
	b.get(at).shows(t, 200, "Greta Vance", "Until they come of age, ")
	b.get(at+"/age").shows(t, 200, "Coming of age", `value="2038-05-03"`, "Leave it empty for the eighteenth birthday, 3 May 2038.")
	b.post(at+"/age", form("own", "2060-01-01", "guardians", "2036-05-03")).shows(t, 422, "within the next 25 years", `value="2060-01-01"`, `value="2036-05-03"`)
	b.post(at+"/age", form("own", "soon", "guardians", "")).shows(t, 422, "Choose a day")
	w.Colleague(t, "Skye Stone", "skye@practice.test", "scheduler")
	skye := b.site.browser(t, w).as("skye@practice.test")
	if page := skye.get(at).shows(t, 200, "Ada Winter", "Until they come of age"); strings.Contains(page.text, "2038") {
		t.Error("the scheduler reads the birthday")
	}
	skye.get(at+"/age").shows(t, 404, nothingHere)
	b.post(at+"/age", form("own", "2030-03-14", "guardians", "2036-05-03")).leads(t, at+"?said=age")
	b.get(at+"?said=age").shows(t, 200, "Each day takes effect", "since 14 March 2030", "ends on 3 May 2036")
	b.post(at+"/invitation", nil).leads(t, at+"?said=invited")
	b.get("/people/"+w.Theo.String()).shows(t, 200, "A minor?")
}

// To draw the name of somebody else in the switcher is a look at their record:
// one line a request, in the trail of their practice, and none where no such
// name is drawn.
func TestANameInTheSwitcherIsInTheTrail(t *testing.T) {
	t.Parallel()
	w, b := practice(t)
	f := aContact(w)
	f.Set("email", "ines@nextdoor.test")
	at, _, _ := strings.Cut(b.post("/people/"+w.Theo.String()+"/contacts", f).Header().Get("Location"), "?")
	b.post(at+"/invitation", nil)
	w.RunJobs(t)
	n := b.site.browser(t, w).as("ines@nextdoor.test")
	n.post("/contact/"+w.Link(t, "ines@nextdoor.test", "/contact/")+"/acceptance", nil).leads(t, "/dashboard")
	n.post("/switch", form("place", w.Ines.Practice().String()+"/")).leads(t, "/dashboard")
	looks := func() (here, there int) {
		t.Helper()
		for p, n := range map[string]*int{w.Mara.Practice().String(): &here, w.Ines.Practice().String(): &there} {
			if err := w.DB.Row(t.Context(), "SELECT COUNT(*) FROM audit WHERE action = 'clients.seen' AND practice_id = $1 AND account_id = $2", []any{p, w.Ines.Account().String()}, n); err != nil {
				t.Fatal(err)
			}
		}
		return here, there
	}
	for path, shown := range map[string]string{"/dashboard": "For Theo Vance", "/settings": "For Theo Vance", "/places": "For Theo Vance"} {
		here, there := looks()
		n.get(path).shows(t, 200, shown)
		if h, o := looks(); h != here+1 || o != there {
			t.Errorf("%s: %d lines in Theo's practice and %d next door, want one and none", path, h-here, o-there)
		}
	}
	n.post("/switch", form("place", w.Mara.Practice().String()+"/"+w.Theo.String())).leads(t, "/dashboard")
	here, _ := looks()
	n.get("/dashboard").shows(t, 200, "For Theo Vance")
	if h, _ := looks(); h != here+1 { // the page and its switcher
		t.Errorf("in his place: %d lines", h-here)
	}
	// Suspended, no name is drawn, and nothing was seen.
	b.post(at+"/suspension", nil)
	here, _ = looks()
	if strings.Contains(n.get("/places").text, "Theo Vance") {
		t.Error("a name is shown to who is shut out")
	}
	if h, _ := looks(); h != here {
		t.Errorf("shut out: %d lines", h-here)
	}
	// A client alone, and who only works, leave none.
	here, there := looks()
	b.get("/settings").shows(t, 200)
	if h, o := looks(); h != here || o != there {
		t.Error("a page without such a name is a look")
	}
}

// A last day is asked for where it is needed, and the form says where that is.
func TestAContactsFormSaysWhenALastDayIsRequired(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	b := serve(t, w).browser(t, w).as(mara)
	at := "/people/" + w.Theo.String() + "/contacts/new"
	page := b.get(at).shows(t, 200, "Required if they may open anything.")
	if !regexp.MustCompile(`aria-describedby="f-until-hint"`).MatchString(page.text) {
		t.Error("the field for the last day is not described by that")
	}
}
