package web

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/email"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/team"
	"icouch/internal/world"
)

// The zoo: flaws that were found in programs like this one. For each there is a
// test here that has its number in its name, or a line in zooLater that says
// why nothing here could have it. TestTheZooIsWhole sees to it.

// zoo are all of them, in the order in which they were collected.
var zoo = strings.Fields(`
	CVE-2026-25744 CVE-2026-25745 CVE-2026-25930 CVE-2026-27943 CVE-2026-25127 CVE-2026-24896 CVE-2026-24890 CVE-2026-33934
	CVE-2026-24487 CVE-2026-25476 CVE-2026-24908 CVE-2026-23627
	CVE-2026-27898 CVE-2026-27803 CVE-2026-43913
	CVE-2026-3473 CVE-2026-3637 CVE-2026-3115 CVE-2026-28736 CVE-2026-3590 CVE-2026-2463 CVE-2026-4273 CVE-2026-6333 CVE-2026-27659
	CVE-2026-28741 CVE-2026-3114 CVE-2026-5755 CVE-2026-6340 CVE-2026-5740 CVE-2026-5308 CVE-2026-21388 CVE-2026-6345 CVE-2026-6346 CVE-2026-6347
	CVE-2026-44166 CVE-2024-38351 CVE-2026-45285 CVE-2026-45543 CVE-2026-25773`)

// zooLater says of a flaw without a test why nothing here today could have it.
var zooLater = map[string]string{
	"CVE-2026-6346": "there is no packet for support, and no page or file that shows the settings",
	"CVE-2026-6347": "there are no plugins, and no page or file that shows the settings",
}

func TestTheZooIsWhole(t *testing.T) {
	t.Parallel()
	var decls []ast.Decl
	for _, name := range []string{"zoo_test.go", "zoo_files_test.go"} {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		decls = append(decls, f.Decls...)
	}
	tested, names := map[string]bool{}, map[string]string{}
	for _, d := range decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || !strings.HasPrefix(fn.Name.Name, "TestCVE_") {
			continue
		}
		for _, m := range regexp.MustCompile(`(\d{4})_(\d{4,})_`).FindAllStringSubmatch(fn.Name.Name, -1) {
			tested["CVE-"+m[1]+"-"+m[2]] = true
			names["CVE-"+m[1]+"-"+m[2]] = fn.Name.Name
		}
	}
	for _, cve := range zoo {
		if tested[cve] == (zooLater[cve] != "") {
			t.Errorf("%s: it is tested: %t, and later: %q; want one of the two", cve, tested[cve], zooLater[cve])
		}
		delete(tested, cve)
	}
	page, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, cve := range zoo {
		want := names[cve]
		if want == "" {
			want = "none yet"
		}
		if !regexp.MustCompile(`(?m)^\| ` + cve + ` \|.*\| ` + "`?" + want + "`?" + ` \|$`).Match(page) {
			t.Errorf("docs/security.md does not say of %s: %s", cve, want)
		}
	}
	for cve := range tested {
		t.Errorf("%s is tested and does not stand in the list", cve)
	}
	if len(zoo)-len(zooLater) < 25 {
		t.Errorf("only %d of the zoo are tested", len(zoo)-len(zooLater))
	}
}

// zooWorld is Mara's practice with Ada, its administrator; Theo, Mara's client,
// who has an account; and Lena, Noor's.
type zooWorld struct {
	*world.World
	site             *served
	mara, noor, theo *browser
	lena             id.Client
}

func newZoo(t *testing.T) *zooWorld {
	t.Helper()
	w := &zooWorld{World: world.New(t)}
	w.Colleague(t, "Ada Stone", "ada@practice.test", access.Administrator)
	w.lena = w.Client(t, w.Noor, people.Draft{First: "Lena", Last: "Marsh", Email: "lena@example.com", EmailConsent: true})
	theo := w.Account(t, "Theo Vance", "theo@example.com")
	w.Update(t, func(tx *db.Tx) error {
		token, err := people.CopyLink(tx, w.Mara, w.Theo)
		if err != nil {
			return err
		}
		_, err = people.Accept(tx, access.AsPerson(theo), token)
		return err
	})
	w.site = serve(t, w.World)
	w.mara, w.noor, w.theo = w.as(t, "mara@practice.test"), w.as(t, "noor@practice.test"), w.as(t, "theo@example.com")
	w.mara.get(w.at(w.Theo)).shows(t, 200, "Theo Vance") // the premise of most
	w.noor.get(w.at(w.lena)).shows(t, 200, "Lena Marsh")
	w.theo.get("/dashboard").shows(t, 200, "This is your private place")
	return w
}

func (w *zooWorld) as(t *testing.T, address string) *browser {
	return w.site.browser(t, w.World).as(address)
}

func (w *zooWorld) at(c id.Client) string { return "/people/" + c.String() }

// clientIs fails the test unless Mara reads a client as before.
func (w *zooWorld) clientIs(t *testing.T, c id.Client, words ...string) {
	t.Helper()
	w.as(t, "mara@practice.test").get(w.at(c)).shows(t, 200, words...)
}

// OpenEMR took an id in the body of one patient's form for an update of another's.
func TestCVE_2026_25744_AnIdentifierInAFormReachesNobodyElse(t *testing.T) {
	t.Parallel()
	w := newZoo(t)
	f := form("first", "Xavier", "last", "Intruder", "version", "1", "id", w.Theo.String(), "client", w.Theo.String(), "client_id", w.Theo.String(), "Client", w.Theo.String(), "client[id]", w.Theo.String())
	w.noor.post(w.at(w.lena)+"/edit", f).leads(t, w.at(w.lena)+"?said=saved")
	w.clientIs(t, w.Theo, "Theo Vance")
	w.clientIs(t, w.lena, "Xavier Intruder")
}

// OpenEMR: records of another by their identifiers. Here: another's session.
func TestCVE_2026_25745_AnothersSessionIsNotEnded(t *testing.T) {
	t.Parallel()
	w := newZoo(t)
	var s account.Session
	w.View(t, func(tx *db.Tx) (err error) {
		s, err = account.Lookup(tx, secret.ParseToken(w.mara.cookies[w.site.sessionCookie()]))
		return err
	})
	a := w.noor.post("/settings/devices/"+s.ID.String()+"/end", nil)
	b := w.noor.post("/settings/devices/"+id.New[id.Session](w.Now()).String()+"/end", nil)
	if plainly(a) != plainly(b) {
		t.Errorf("another's session is told from none: %s", difference(plainly(a), plainly(b)))
	}
	w.mara.get("/people").shows(t, 200)
}

// OpenEMR: the same class. Here: another's kept form.
func TestCVE_2026_25930_AnothersKeptFormIsNeitherReadNorDropped(t *testing.T) {
	t.Parallel()
	w := newZoo(t)
	mara := w.Mara.Account()
	w.Update(t, func(tx *db.Tx) error {
		return account.KeepForm(tx, w.Mara, mara, "/people", url.Values{"first": {"Kept words"}})
	})
	var f account.Form
	w.View(t, func(tx *db.Tx) (err error) { f, err = account.Kept(tx, w.Mara); return err })
	w.noor.post("/kept/"+f.ID.String()+"/away", nil)
	if a := w.noor.get("/kept"); strings.Contains(a.text, "Kept words") {
		t.Error("Noor reads what Mara typed")
	}
	w.View(t, func(tx *db.Tx) error { _, err := account.Kept(tx, w.Mara); return err })
}

// OpenEMR: the same class. Here: an invitation of the practice next door, whose
// identifier stands in a form.
func TestCVE_2026_25127_AnotherPracticesInvitationIsNeitherSentNorWithdrawn(t *testing.T) {
	t.Parallel()
	w := newZoo(t)
	a, err := email.Parse("nina@practice.test")
	if err != nil {
		t.Fatal(err)
	}
	w.Update(t, func(tx *db.Tx) error {
		return team.Invite(tx, w.Mara, team.Draft{Name: "Nina Vale", Email: a, Role: access.Biller})
	})
	var open []team.Invited
	w.View(t, func(tx *db.Tx) (err error) { open, err = team.Invitations(tx, w.Mara); return err })
	ines := w.as(t, "ines@nextdoor.test")
	was := open[0].ID
	for _, deed := range []string{"sendings", "withdrawals"} {
		if got := ines.post("/settings/team/"+deed, form("invitation", open[0].ID.String())); got.Code < 400 || strings.Contains(got.text, "Nina") {
			t.Errorf("%s: answers %d: %s", deed, got.Code, clip(got.text))
		}
	}
	w.View(t, func(tx *db.Tx) (err error) { open, err = team.Invitations(tx, w.Mara); return err })
	if len(open) != 1 || open[0].ID != was {
		t.Errorf("Mara's invitations are %+v", open)
	}
}

// OpenEMR showed a form by its id, whoever the patient was.
func TestCVE_2026_27943_AColleaguesClientIsNotFound(t *testing.T) {
	t.Parallel()
	w := newZoo(t)
	unknown := w.at(id.New[id.Client](w.Now()))
	for _, page := range []string{"", "/edit", "/end"} {
		got, want := plainly(w.noor.get(w.at(w.Theo)+page)), plainly(w.noor.get(unknown+page))
		if got != want {
			t.Errorf("%q of a colleague's client is told from nobody's: %s", page, difference(got, want))
		}
	}
}

// OpenEMR let a receptionist read logs by a parameter: the menu hid them, the
// page did not ask.
func TestCVE_2026_24896_WhatTheMenuHidesThePageRefuses(t *testing.T) {
	t.Parallel()
	w := newZoo(t)
	w.Colleague(t, "Skye Stone", "skye@practice.test", access.Scheduler)
	skye := w.as(t, "skye@practice.test")
	for _, page := range []string{"/settings/team/emergencies", "/settings/team", "/settings/practice", "/support", "/settings/team/emergencies?log_select=1&as=owner"} {
		skye.get(page).shows(t, 404, nothingHere)
	}
	skye.post("/people/export", form("role", "owner")).shows(t, 404, nothingHere)
	w.mara.get("/settings/team/emergencies").shows(t, 200)
}

// OpenEMR let a patient overwrite a provider's signature by naming the provider.
func TestCVE_2026_24890_AClientChangesNothingOfTheStaffs(t *testing.T) {
	t.Parallel()
	w := newZoo(t)
	f := form("name", "Xavier Intruder", "type", "admin-signature", "practitioner", w.Mara.Practitioner().String(), "practitioner_id", w.Mara.Practitioner().String(), "account", w.Mara.Account().String(), "user", w.Mara.Account().String())
	w.theo.post("/settings/name", f)
	w.View(t, func(tx *db.Tx) error {
		a, err := account.Of(tx, w.Mara)
		if a.Name != "Mara Lindqvist" {
			t.Errorf("Mara is called %q", a.Name)
		}
		return err
	})
	for _, rt := range routes {
		class := reviewed[rt.pattern]
		if client := access.AsClient(w.Mara.Practice(), w.theoID(t), w.Theo); rt.enter(client) && !slices.Contains([]string{"everyone", "holders", "holders of a passkey", "persons", "inside", "clients", "writers", "placed", "nobody"}, class) {
			t.Errorf("%s lets a client enter", rt.pattern)
		}
	}
}

func (w *zooWorld) theoID(t *testing.T) id.Account { return w.Who(t, "theo@example.com") }

// OpenEMR closed the door through which something was written, and left open the
// one through which it is read.
func TestCVE_2026_33934_ReadingIsAsClosedAsWriting(t *testing.T) {
	t.Parallel()
	practice, who, client, member := id.Practice("p"), id.Account("a"), id.Client("c"), id.Practitioner("m")
	actors := []access.Actor{access.Guest(), access.AsPerson(who), access.AsClient(practice, who, client), access.AsWaiting(practice, who), access.AsLeaving(who), access.AsSupport(who)}
	for _, r := range access.WorkRoles {
		actors = append(actors, access.AsPractitioner(practice, who, member, r))
	}
	rules := map[string]rule{}
	for _, rt := range routes {
		rules[rt.pattern] = rt.enter
	}
	wider := map[string]string{ // read by more than write it, on purpose
		"/people":               "the list, and adding to it",
		"/settings/team":        "the list, and inviting to it",
		"/settings/trail/weeks": "who reads the trail reads the weeks; an owner signs that one was reviewed",
	}
	twins := 0
	for pattern, enter := range rules {
		path, ok := strings.CutPrefix(pattern, "GET ")
		twin := rules["POST "+path]
		if !ok || twin == nil || wider[path] != "" {
			continue
		}
		twins++
		for _, a := range actors {
			if enter(a) != twin(a) {
				t.Errorf("%s: %q reads: %t, writes: %t", path, a.Role(), enter(a), twin(a))
			}
		}
	}
	if twins < 20 {
		t.Errorf("only %d pages have both", twins)
	}
}

// OpenEMR forgot one kind of record when it limited what a patient's programs
// see to the patient. Here: every page of a person shows them and theirs alone.
func TestCVE_2026_24487_EveryPageStaysWithinItsOwnClients(t *testing.T) {
	t.Parallel()
	w := newZoo(t)
	for _, who := range []struct {
		b      *browser
		others []string
	}{{w.noor, []string{"Theo Vance", "theo@example.com"}}, {w.theo, []string{"Lena Marsh", "lena@example.com"}}, {w.as(t, "ines@nextdoor.test"), []string{"Theo Vance", "Lena Marsh", "Noor Haddad"}}} {
		for _, rt := range routes {
			_, p, _ := strings.Cut(rt.pattern, " ")
			if method(rt.pattern) != "GET" || strings.Contains(p, "{") {
				continue
			}
			for _, query := range []string{"", "?show=all&page=1&q=vance", "?client=" + w.Theo.String()} {
				a := who.b.get(p + query)
				for _, o := range who.others {
					if strings.Contains(a.text, o) {
						t.Errorf("%s%s shows %s", p, query, o)
					}
				}
			}
		}
		a := who.b.post("/people/search", form("q", "e", "show", "all"))
		for _, o := range who.others {
			if strings.Contains(a.text, o) {
				t.Errorf("the search shows %s", o)
			}
		}
	}
}

// OpenEMR did not end a session whose requests said skip_timeout_reset.
func TestCVE_2026_25476_NoParameterKeepsASessionOpen(t *testing.T) {
	t.Parallel()
	w := newZoo(t)
	for range 16 {
		w.Pass(time.Minute)
		w.noor.post("/csp?skip_timeout_reset=1", form("skip_timeout_reset", "1"))
	}
	for _, page := range []string{"/people?skip_timeout_reset=1", "/people?skip_timeout_reset=true&poll=1&keepalive=1", "/people"} {
		if a := w.noor.get(page); !asksToSignIn(a) {
			t.Errorf("%s: answers %d", page, a.Code)
		}
	}
	if a := w.noor.post(w.at(w.lena)+"/edit", form("first", "X", "last", "Y", "version", "1", "skip_timeout_reset", "1")); a.Code == http.StatusOK || strings.Contains(a.Header().Get("Location"), "said=saved") {
		t.Errorf("a form is taken after the session ended: %d", a.Code)
	}
}

// nastySQL is what would change a statement that was put together from text.
var nastySQL = []string{"' OR 1=1 --", "\" OR \"\"=\"", "1; DROP TABLE client", "name) UNION SELECT email FROM account --", "(CASE WHEN 1=1 THEN name ELSE id END)", "%' OR '1'='1", "\\'; --", "0x27", "vance' AND SLEEP(5)#"}

// OpenEMR put a parameter that says the order into its SQL.
func TestCVE_2026_24908_TheOrderIsNoSQL(t *testing.T) {
	t.Parallel()
	w := newZoo(t)
	for _, nasty := range nastySQL {
		q := url.Values{}
		for _, name := range []string{"sort", "_sort", "order", "orderby", "show", "page", "after", "limit", "said", "tag"} {
			q.Set(name, nasty)
		}
		a := w.noor.get("/people?" + q.Encode())
		if a.Code >= 500 || strings.Contains(a.text, "Theo Vance") {
			t.Errorf("%q: answers %d", nasty, a.Code)
		}
	}
	w.clientIs(t, w.Theo, "Theo Vance")
}

// OpenEMR put words that were searched for into its SQL.
func TestCVE_2026_23627_WhatIsSearchedForIsNoSQL(t *testing.T) {
	t.Parallel()
	w := newZoo(t)
	for _, nasty := range nastySQL {
		a := w.mara.post("/people/search", form("q", nasty, "show", nasty))
		if a.Code >= 500 {
			t.Errorf("%q: answers %d", nasty, a.Code)
		}
		if a = w.mara.post("/people/search", form("q", nasty)); strings.Contains(a.text, "Theo Vance") || strings.Contains(a.text, "Lena Marsh") {
			t.Errorf("%q finds somebody", nasty)
		}
		a = w.site.browser(t, w.World).post("/sign-in", form("email", nasty, "password", nasty))
		if a.Code >= 500 || a.Code == http.StatusSeeOther {
			t.Errorf("signing in with %q: %d", nasty, a.Code)
		}
	}
	w.mara.post("/people/search", form("q", "vance")).shows(t, 200, "Theo Vance") // the premise
}

// Vaultwarden refused to show another's entry, and answered a partial change of
// it with all that is in it.
func TestCVE_2026_27898_AChangeThatIsRefusedShowsNothing(t *testing.T) {
	t.Parallel()
	w := newZoo(t)
	before := state(t, w.World)
	tried := 0
	for _, rt := range routes {
		if method(rt.pattern) != "POST" || !strings.Contains(rt.pattern, "{client}") {
			continue
		}
		tried++
		a := w.noor.post(path(rt.pattern, w.Theo.String()), form("version", "1", "first", "X", "last", "Y", "favorite", "true", "on", "2030-03-15", "consent", "yes"))
		if !isNothing(a) || strings.Contains(a.text, "Theo") || strings.Contains(a.text, "Vance") {
			t.Errorf("%s: answers %d: %s", rt.pattern, a.Code, clip(a.text))
		}
	}
	same(t, w.World, before, "what was refused")
	if tried < 10 {
		t.Errorf("only %d routes change a client", tried)
	}
}

// Vaultwarden asked whether somebody may open a collection where it should have
// asked whether they manage it.
func TestCVE_2026_27803_WhoMaySeeAClientDoesNotManageThem(t *testing.T) {
	t.Parallel()
	w := newZoo(t)
	w.Colleague(t, "Sue Stone", "sue@practice.test", access.Practitioner)
	w.Update(t, func(tx *db.Tx) error { return team.Include(tx, w.Mara, w.Theo, w.Noor.Practitioner(), nil) })
	w.noor.get(w.at(w.Theo)).shows(t, 200, "Theo Vance")
	sue := "no member"
	w.View(t, func(tx *db.Tx) error {
		sue = member(w.World, "sue@practice.test", tx).String()
		return nil
	})
	w.noor.post(w.at(w.Theo)+"/team", form("team-member", sue))
	if a := w.as(t, "sue@practice.test").get(w.at(w.Theo)); !isNothing(a) {
		t.Errorf("who is only in the care team has let somebody else in: %d", a.Code)
	}
	w.mara.post(w.at(w.Theo)+"/team", form("team-member", sue)) // the premise: the form is right
	w.as(t, "sue@practice.test").get(w.at(w.Theo)).shows(t, 200, "Theo Vance")
	w.noor.post("/settings/team/"+w.Mara.Practitioner().String()+"/clients", form("heir", w.Noor.Practitioner().String(), "all", "yes")).shows(t, 404, nothingHere)
}

// Vaultwarden asked for the role of an owner and not whether they were one yet:
// an invited owner could empty the vault.
func TestCVE_2026_43913_WhoIsInvitedAsOwnerIsNoneYet(t *testing.T) {
	t.Parallel()
	w := newZoo(t)
	w.Account(t, "Pat Moor", "pat@example.com")
	a, err := email.Parse("pat@example.com")
	if err != nil {
		t.Fatal(err)
	}
	w.Update(t, func(tx *db.Tx) error {
		return team.Invite(tx, w.Mara, team.Draft{Name: "Pat Moor", Email: a, Role: access.Owner})
	})
	w.RunJobs(t)
	pat := w.as(t, "pat@example.com")
	for _, page := range []string{"/people", "/settings/team", "/settings/practice", w.at(w.Theo)} {
		pat.get(page).shows(t, 404, nothingHere)
	}
	pat.post("/switch", form("place", w.Mara.Practice().String()+"/")).shows(t, 404)
	pat.post("/people/export", nil).shows(t, 404, nothingHere)
}

// Mattermost asked whether somebody may write when they wrote, and not when they
// changed what they had written.
func TestCVE_2026_3637_WhatIsTakenAwayHoldsForOldThingsToo(t *testing.T) {
	t.Parallel()
	w := newZoo(t)
	ada := w.as(t, "ada@practice.test")
	c := id.New[id.Client](w.Now())
	ada.post("/people", form("id", c.String(), "first", "Nele", "last", "Old", "practitioner", w.Mara.Practitioner().String()))
	w.Update(t, func(tx *db.Tx) error {
		return team.SetRole(tx, w.Mara, member(w.World, "ada@practice.test", tx), access.Scheduler)
	})
	before := state(t, w.World)
	for _, deed := range []string{"/edit", "/end", "/consent", "/invitation", "/invitation/link"} {
		ada.post(w.at(w.lena)+deed, form("version", "1", "first", "X", "last", "Y", "on", "2030-03-15", "consent", "yes")).shows(t, 404, nothingHere)
	}
	same(t, w.World, before, "a role from before")
}

// Mattermost listed members of groups to guests who may not see them.
func TestCVE_2026_3115_AClientListsNoMembers(t *testing.T) {
	t.Parallel()
	w := newZoo(t)
	for _, rt := range routes {
		_, p, _ := strings.Cut(rt.pattern, " ")
		if method(rt.pattern) != "GET" || strings.Contains(p, "{") {
			continue
		}
		a := w.theo.get(p)
		for _, mark := range []string{"Noor Haddad", "noor@practice.test", "Ada Stone", w.Noor.Practitioner().String(), w.Mara.Practitioner().String()} {
			if strings.Contains(a.text, mark) && !(p == "/messages/new" && mark == w.Mara.Practitioner().String()) { // who looks after him, and can be written to
				t.Errorf("%s shows a client %q", p, mark)
			}
		}
	}
}

// Mattermost made a guest's link good for several sessions if it was pressed at once.
func TestCVE_2026_3590_ALinkMakesOneSession(t *testing.T) {
	t.Parallel()
	w := newZoo(t)
	w.Update(t, func(tx *db.Tx) error { return people.Invite(tx, w.Noor, w.lena, "") })
	w.RunJobs(t)
	link := "/join/" + w.Link(t, "lena@example.com", "/join/")
	var all sync.WaitGroup
	made := make(chan bool, 12)
	for range 12 {
		b := w.site.browser(t, w.World)
		all.Go(func() {
			b.post(link, form("password", "a heron stands in the reeds"))
			made <- b.cookies[w.site.sessionCookie()] != ""
		})
	}
	all.Wait()
	n := 0
	for range 12 {
		if <-made {
			n++
		}
	}
	if n != 1 {
		t.Errorf("one link made %d sessions", n)
	}
}

// Mattermost handed out invitations to members who may not invite.
func TestCVE_2026_2463_WhoMayNotInviteReadsNoLink(t *testing.T) {
	t.Parallel()
	w := newZoo(t)
	w.Colleague(t, "Skye Stone", "skye@practice.test", access.Scheduler)
	w.Update(t, func(tx *db.Tx) error { return people.Invite(tx, w.Noor, w.lena, "") })
	w.RunJobs(t)
	token := w.Link(t, "lena@example.com", "/join/")
	for _, b := range []*browser{w.as(t, "skye@practice.test"), w.mara, w.theo} { // nor who may: it is in the letter alone
		for _, page := range []string{"/people", w.at(w.lena), "/dashboard", "/settings/team"} {
			if strings.Contains(b.get(page).text, token) {
				t.Errorf("%s shows the link", page)
			}
		}
	}
	if a := w.as(t, "skye@practice.test").post(w.at(w.lena)+"/invitation/link", nil); !isNothing(a) || strings.Contains(a.text, "/join/") {
		t.Errorf("a scheduler makes a link: %d", a.Code)
	}
}

// Mattermost took forms from another site's page: one about how one signs in, and
// one that sets a rule of access going.
func TestCVE_2026_28741_2026_27659_NoOtherSiteChangesAnything(t *testing.T) {
	t.Parallel()
	w := newZoo(t)
	before, tried := state(t, w.World), 0
	for _, rt := range routes {
		if method(rt.pattern) != "POST" || reviewed[rt.pattern] == "nobody" || rt.pattern == "POST /csp" {
			continue
		}
		tried++
		for _, site := range []string{"cross-site", "same-site"} {
			r := httptest.NewRequestWithContext(t.Context(), "POST", world.Base+strings.ReplaceAll(path(rt.pattern, w.Theo.String()), theirMember, w.Noor.Practitioner().String()), strings.NewReader(form("password", world.Password).Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Sec-Fetch-Site", site)
			r.Header.Set("Origin", "https://evil.example")
			for name, value := range w.mara.cookies {
				r.AddCookie(&http.Cookie{Name: name, Value: value})
			}
			rec := httptest.NewRecorder()
			w.site.handler.ServeHTTP(rec, r)
			if rec.Code != http.StatusForbidden {
				t.Errorf("%s, %s: answers %d", rt.pattern, site, rec.Code)
			}
		}
	}
	same(t, w.World, before, "another site")
	if tried < 50 {
		t.Errorf("only %d forms were sent", tried)
	}
}

// large is a body that is larger than any form.
func (w *zooWorld) large(t *testing.T, pattern, kind string, signedIn bool) int {
	t.Helper()
	body := strings.NewReader(`{"a":"` + strings.Repeat("x", fileSize+1) + `"}`)
	r := httptest.NewRequestWithContext(t.Context(), "POST", world.Base+pattern, body)
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if signedIn {
		for name, value := range w.mara.cookies {
			r.AddCookie(&http.Cookie{Name: name, Value: value})
		}
	}
	rec := httptest.NewRecorder()
	w.site.handler.ServeHTTP(rec, r)
	if left := body.Len(); left == 0 {
		t.Errorf("POST %s: all of %d bytes were read", pattern, fileSize)
	}
	return rec.Code
}

// Mattermost read bodies of any size at the doors of its plugins.
func TestCVE_2026_5308_NoFormIsReadWithoutEnd(t *testing.T) {
	t.Parallel()
	w := newZoo(t)
	for _, p := range []string{"/people", "/settings/name", "/people/search", "/settings/team", w.at(w.Theo) + "/edit"} {
		if got := w.large(t, p, "application/x-www-form-urlencoded", true); got != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: answers %d", p, got)
		}
	}
}

// Mattermost read bodies of any size at a webhook.
func TestCVE_2026_21388_NoReportIsReadWithoutEnd(t *testing.T) {
	t.Parallel()
	w := newZoo(t)
	for p, kind := range map[string]string{"/csp": "application/csp-report", "/hooks/bounces": "message/rfc822", "/session/over": "application/x-www-form-urlencoded"} {
		if got := w.large(t, p, kind, false); got >= 500 {
			t.Errorf("%s: answers %d", p, got)
		}
	}
}

// Mattermost gave away passwords of accounts that were just made.
func TestCVE_2026_6345_NoPasswordComesBack(t *testing.T) {
	t.Parallel()
	w := newZoo(t)
	const canary = "zq canary sings in the mine"
	w.Update(t, func(tx *db.Tx) error { return people.Invite(tx, w.Noor, w.lena, "") })
	w.RunJobs(t)
	guest := w.site.browser(t, w.World)
	answers := map[string]answer{
		"sign-in":     guest.post("/sign-in", form("email", "mara@practice.test", "password", canary)),
		"a new one":   w.mara.post("/settings/password", form("current", canary, "password", canary)),
		"leaving":     w.mara.post("/settings/leave", form("password", canary)),
		"proving":     w.mara.post("/settings/prove", form("password", canary)),
		"an invitee":  guest.post("/join/"+w.Link(t, "lena@example.com", "/join/"), form("password", canary)),
		"who invited": w.noor.get(w.at(w.lena)),
	}
	for name, a := range answers {
		if strings.Contains(a.text, canary) || strings.Contains(fmt.Sprint(a.Header()), "canary") {
			t.Errorf("%s: the password comes back", name)
		}
	}
	w.RunJobs(t)
	for _, l := range w.Mail.Sent() {
		if strings.Contains(l.Text, canary) {
			t.Error("the password is in a letter")
		}
	}
	if strings.Contains(w.site.log.String(), "canary") {
		t.Error("the password is in the log")
	}
}

// planted is an account that a stranger made for Lena's address, with a password
// and a session of theirs, and never proved; then Lena comes by her invitation.
func (w *zooWorld) planted(t *testing.T) (stranger *browser, who id.Account) {
	t.Helper()
	a, err := email.Parse("lena@example.com")
	if err != nil {
		t.Fatal(err)
	}
	w.Update(t, func(tx *db.Tx) (err error) {
		who, err = account.Make(tx, access.Guest(), account.New{Name: "Stranger", Email: a, Zone: "UTC", Password: "planted"})
		return err
	})
	stranger = w.as(t, "lena@example.com")
	stranger.get("/settings").shows(t, 200)
	w.Update(t, func(tx *db.Tx) error { return people.Invite(tx, w.Noor, w.lena, "") })
	w.RunJobs(t)
	return stranger, who
}

// PocketBase left what a stranger had planted on an address when its owner came
// by another way: both had the account.
func TestCVE_2026_44166_APlantedAccountIsTheOwnersAlone(t *testing.T) {
	t.Parallel()
	w := newZoo(t)
	stranger, who := w.planted(t)
	w.Arm(t, who) // and a second step of the stranger's
	lena := w.site.browser(t, w.World)
	lena.post("/join/"+w.Link(t, "lena@example.com", "/join/"), form("password", "a heron stands in the reeds")).leads(t, "/welcome")
	stranger.get("/settings").leads(t, with("/sign-in", "/settings"))
	lena.get("/settings").shows(t, 200, "Lena Marsh")
	var hash string
	if err := w.DB.Row(t.Context(), "SELECT password FROM account WHERE id = $1", []any{who.String()}, &hash); err != nil || hash == "planted" {
		t.Errorf("the stranger's password stays: %q, %v", hash, err)
	}
	n := 1
	if err := w.DB.Row(t.Context(), "SELECT COUNT(*) FROM authenticator WHERE account_id = $1", []any{who.String()}, &n); err != nil || n != 0 {
		t.Errorf("%d second steps of the stranger stay, %v", n, err)
	}
}

// PocketBase, the flaw before that: an account that nobody had proved was joined
// to whoever came with its address.
func TestCVE_2024_38351_AnUnprovedAccountAcceptsNothingByItself(t *testing.T) {
	t.Parallel()
	w := newZoo(t)
	stranger, _ := w.planted(t)
	stranger.get("/people").shows(t, 404, nothingHere)
	stranger.get("/dashboard").shows(t, 200)
	if page := stranger.get("/places"); strings.Contains(page.text, "The Practice of Mara") {
		t.Error("an invitation to its address opens the practice to an account that nobody proved")
	}
	w.View(t, func(tx *db.Tx) error {
		c, err := people.Find(tx, w.Mara, w.lena)
		if c.Account != nil {
			t.Error("the record is linked")
		}
		return err
	})
}

// Nextcloud made links that their owner did not see and could not take back.
func TestCVE_2026_45285_EveryLinkIsSeenAndCanBeTakenBack(t *testing.T) {
	t.Parallel()
	w := newZoo(t)
	var token secret.Token
	w.Update(t, func(tx *db.Tx) (err error) { token, err = people.CopyLink(tx, w.Noor, w.lena); return err })
	w.mara.get(w.at(w.lena)).shows(t, 200, "Withdraw the invitation", "What was sent")
	w.mara.post(w.at(w.lena)+"/invitation/withdrawal", nil)
	w.site.browser(t, w.World).get("/join/"+token.Reveal()).shows(t, 410)
	live := 1
	if err := w.DB.Row(t.Context(), "SELECT COUNT(*) FROM invitation WHERE state = 'live' AND client_id = $1", []any{w.lena.String()}, &live); err != nil || live != 0 {
		t.Errorf("%d links are alive, %v", live, err)
	}
}

// Nextcloud took somebody off a list and left them what the list had opened.
func TestCVE_2026_45543_WhoIsTakenOutOfACareTeamKeepsNothing(t *testing.T) {
	t.Parallel()
	w := newZoo(t)
	w.Update(t, func(tx *db.Tx) error { return team.Include(tx, w.Mara, w.Theo, w.Noor.Practitioner(), nil) })
	w.noor.get(w.at(w.Theo)).shows(t, 200, "Theo Vance")
	w.noor.post("/people/search", form("q", "vance")).shows(t, 200, "Theo Vance")
	w.Update(t, func(tx *db.Tx) error { return team.Exclude(tx, w.Mara, w.Theo, w.Noor.Practitioner()) })
	for _, page := range []string{"", "/edit", "/end"} {
		w.noor.get(w.at(w.Theo)+page).shows(t, 404, nothingHere)
	}
	for _, a := range []answer{w.noor.get("/people"), w.noor.post("/people/search", form("q", "vance")), w.noor.get("/dashboard")} {
		if strings.Contains(a.text, "Theo Vance") {
			t.Error("Theo is still in a list of Noor's")
		}
	}
}
