package web

import (
	"strings"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/recovery"
	"icouch/internal/world"
)

// lostStep has a supporter ask for a member of the practice next door, who has
// lost every second step, and returns the request.
func lostStep(t testing.TB, w *world.World) string {
	t.Helper()
	helper(t, w, "sia@help.test")
	sia := access.AsSupport(w.Who(t, "sia@help.test"))
	wes := w.Account(t, "Wes Brook", "wes@nextdoor.test")
	w.Update(t, func(tx *db.Tx) error { _, err := people.Join(tx, w.Ines, wes, access.Biller); return err })
	var r recovery.Request
	w.Update(t, func(tx *db.Tx) error {
		if err := recovery.AskFor(tx, sia, wes, "because"); err != nil {
			return err
		}
		var err error
		r, err = recovery.About(tx, sia, wes)
		return err
	})
	return r.ID.String()
}

func TestAColleagueWhoHasLostEverythingComesBackByTwoOwners(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	w.Colleague(t, "Olga Stone", "olga@practice.test", access.Owner)
	w.Colleague(t, "Ada Stone", "ada@practice.test", access.Administrator)
	w.Pass(8 * 24 * time.Hour) // they have been owners for a while
	s := serve(t, w)
	mara, olga, ada, noor := s.browser(t, w).as("mara@practice.test"), s.browser(t, w).as("olga@practice.test"), s.browser(t, w).as("ada@practice.test"), s.browser(t, w).as("noor@practice.test")
	at := memberPath(w.Noor.Practitioner())
	ada.get(at).shows(t, 200, "Noor Haddad")
	if page := ada.get(at); strings.Contains(page.text, "Second step") {
		t.Error("an administrator is offered what only owners do")
	}
	ada.post(at+"/recovery", form("reason", "because")).shows(t, 404, nothingHere)
	mara.get(at).shows(t, 200, "Has lost every way to sign in", "Ask another owner to approve")
	mara.post(at+"/recovery", form("reason", "  ")).shows(t, 422, "Say how you know that it is them")
	mara.post(at+"/recovery", form("reason", strings.Repeat("because ", 80))).shows(t, 422, "because because") // what was typed is kept
	mara.post(at+"/recovery", form("reason", "She came by")).leads(t, at+"?said=recovery")
	page := mara.get(at+"?said=recovery").shows(t, 200, "Asked. The other owners have a letter", "She came by", "Withdraw the request", "another owner looks at it")
	if strings.Contains(page.text, ">Approve") {
		t.Error("who asked is offered to approve")
	}
	mara.post(at+"/recovery/approval", form()).shows(t, 409, "You asked for this yourself")
	noor.get("/dashboard").shows(t, 200, "Noor")
	w.Pass(6 * time.Minute)
	olga.get(at).shows(t, 200, "She came by", ">Approve")
	olga.post(at+"/recovery/approval", form()).leads(t, with("/settings/prove", at))
	olga.post("/settings/prove", form("password", world.Password, "next", at)).leads(t, at)
	olga.post(at+"/recovery/approval", form()).leads(t, at+"?said=recovery-approved")
	olga.get(at).shows(t, 200, "They have a link by e-mail", "Approved by")
	noor.get("/dashboard").leads(t, "/sign-in")
	w.RunJobs(t)
	link := "/recovered/" + w.Link(t, "noor@practice.test", "/recovered/")
	b := s.browser(t, w)
	for range 3 {
		b.get(link).shows(t, 200, "Two people have vouched for you")
	}
	b.post(link, form("email", "noor@practice.test", "password", "not hers at all")).shows(t, 422)
	b.post(link, form("email", "mara@practice.test", "password", world.Password)).shows(t, 422, "not the account this link is for")
	b.post(link, form("email", "noor@practice.test", "password", world.Password)).leads(t, "/settings/second-step")
	b.get("/people").leads(t, with("/settings/second-step", "/people")) // not before a new second step
	b.post(link, form("email", "noor@practice.test", "password", world.Password)).shows(t, 410)
	b.armed("")
	b.get("/people").shows(t, 200)
	mara.get(at).shows(t, 200, "Ask another owner to approve")
}

func TestWhereThereIsOneOwnerSupportHelps(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	helper(t, w, "sam@help.test")
	lost := lostStep(t, w) // by Sia, of Wes
	s := serve(t, w)
	s.browser(t, w).as("mara@practice.test").get(memberPath(w.Noor.Practitioner())).shows(t, 200, "Another owner has to approve this, and this practice has no other owner who can")
	sam, sia := s.browser(t, w).as("sam@help.test"), s.browser(t, w).as("sia@help.test")
	sam.get("/support").shows(t, 200, "wes@nextdoor.test", "A new second step", "Waiting for approval")
	sam.post("/support/accounts", form("email", "ines@nextdoor.test")).shows(t, 200, "Lost second step")
	sam.post("/support/recoveries", form("account", "ines@nextdoor.test", "lost-reason", " ")).shows(t, 422, "Say how you know that it is them")
	at := sam.post("/support/recoveries", form("account", "ines@nextdoor.test", "lost-reason", "She called back")).Header().Get("Location")
	sam.get(at).shows(t, 200, "She called back", "You asked for this", "Nothing changes until another supporter")
	at, _, _ = strings.Cut(at, "?")
	sam.post(at+"/approval", form()).shows(t, 409, "You asked for this yourself")
	w.Pass(6 * time.Minute)
	sia.post(at+"/approval", form()).leads(t, with("/settings/prove", at))
	sia = s.browser(t, w).as("sia@help.test")
	sia.post(at+"/approval", form()).leads(t, at+"?said=approved")
	sia.get(at+"?said=approved").shows(t, 200, "Approved by", "sia@help.test")
	w.RunJobs(t)
	s.browser(t, w).get("/recovered/"+w.Link(t, "ines@nextdoor.test", "/recovered/")).shows(t, 200)
	sia.post(at+"/withdrawal", form()).leads(t, at+"?said=withdrawn")
	s.browser(t, w).get("/recovered/"+w.Link(t, "ines@nextdoor.test", "/recovered/")).shows(t, 410)
	sam.post("/support/recoveries/"+lost+"/withdrawal", form()).leads(t, "/support/recoveries/"+lost+"?said=withdrawn")
	sam.get("/support").shows(t, 200, "Taken back")
}

func TestVouchingHasALimitOfItsOwn(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	theo := w.Account(t, "Theo Vance", "theo@example.com")
	w.Update(t, func(tx *db.Tx) error {
		token, err := people.CopyLink(tx, w.Mara, w.Theo)
		if err != nil {
			return err
		}
		_, err = people.Accept(tx, access.AsPerson(theo), token)
		return err
	})
	at := "/people/" + w.Theo.String()
	b := s.browser(t, w).as("mara@practice.test")
	for range vouchRule.Most {
		b.post(at+"/vouch", form()).leads(t, at+"?said=vouched")
	}
	b.post(at+"/vouch", form()).shows(t, 429, "too often")
	w.Pass(24*time.Hour + time.Second)
	b = s.browser(t, w).as("mara@practice.test")
	b.post(at+"/vouch", form()).leads(t, at+"?said=vouched")
}
