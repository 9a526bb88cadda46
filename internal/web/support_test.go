package web

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/base/email"
	"icouch/internal/base/id"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/support"
	"icouch/internal/world"
)

func addressed(t testing.TB, s string) email.Address {
	t.Helper()
	a, err := email.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// mistaken makes somebody who took the wrong door, with a practice of their own.
func mistaken(t testing.TB, w *world.World, address string) (who id.Account) {
	t.Helper()
	who = w.Account(t, "Wanda Vance", address)
	w.Update(t, func(tx *db.Tx) error {
		_, err := people.Found(tx, access.AsPerson(who), "Wanda’s mistake", "America/New_York")
		return err
	})
	return who
}

// wrongDoor is mistaken, and the operator asking to put it right.
func wrongDoor(t testing.TB, w *world.World, address string) string {
	t.Helper()
	who := mistaken(t, w, address)
	var request support.RequestID
	w.Update(t, func(tx *db.Tx) (err error) {
		request, err = support.Ask(tx, access.Operator(), who, "because")
		return err
	})
	return request.String()
}

// helper makes a supporter.
func helper(t testing.TB, w *world.World, address string) {
	t.Helper()
	w.Account(t, "Sam Ford", address)
	w.Update(t, func(tx *db.Tx) error { return support.Appoint(tx, access.Operator(), addressed(t, address)) })
}

// wrongDoorWorld is a client who is invited, and has made a practice by mistake.
func wrongDoorWorld(t *testing.T) (*world.World, *served) {
	t.Helper()
	w := world.New(t)
	mistaken(t, w, "theo@example.com")
	w.Update(t, func(tx *db.Tx) error { return people.Invite(tx, w.Mara, w.Theo, "") })
	helper(t, w, "sam@help.test")
	helper(t, w, "sia@help.test")
	return w, serve(t, w)
}

func TestTheWrongDoorFromBothSides(t *testing.T) {
	t.Parallel()
	w, s := wrongDoorWorld(t)
	sam, sia, theo, guest := s.browser(t, w).as("sam@help.test"), s.browser(t, w).as("sia@help.test"), s.browser(t, w), s.browser(t, w)
	sam.get("/dashboard").leads(t, "/support")
	sam.get("/support").shows(t, 200, "No open requests.", "Find an account")
	sam.post("/support/accounts", form("email", "nobody@example.com")).shows(t, 200, "No account has the address nobody@example.com")
	sam.post("/support/accounts", form("email", "<script>")).shows(t, 422, "&lt;script&gt;")
	page := sam.post("/support/accounts", form("email", "Theo@Example.com")).shows(t, 200, "theo@example.com", "0 clients, 0 open invitations, 0 colleagues", "An invitation waits for this address", "Convert to client account")
	for _, secret := range []string{"Wanda", "Vance", "’s mistake", "Mara", "Practice of"} {
		if strings.Contains(page.text, secret) {
			t.Errorf("support is shown %q", secret)
		}
	}
	sam.post("/support/accounts", form("email", "mara@practice.test")).shows(t, 200, "1 method, 10 recovery codes left", "This account cannot be converted", "1 client, 1 open invitation, 1 colleague")
	sam.post("/support/requests", form("account", "theo@example.com", "reason", " ")).shows(t, 422, "Say why", "0 clients")
	answer := sam.post("/support/requests", form("account", "theo@example.com", "reason", "He called."))
	at, _, _ := strings.Cut(answer.Header().Get("Location"), "?")
	sam.get(at+"?said=asked").shows(t, 200, "The account holder has a letter", "He called.", "Waiting for the account holder")
	sam.post("/support/requests", form("account", "theo@example.com", "reason", "Again.")).shows(t, 409, "open request", "Again.")
	sam.post(at+"/approval", nil).shows(t, 409, "has not confirmed this yet")

	w.RunJobs(t)
	link := "/convert/" + w.Link(t, "theo@example.com", "/convert/")
	guest.get(link).shows(t, 200, "To say yes, sign in first", "This was not me")
	guest.post(link+"/confirmation", form("password", world.Password)).shows(t, 409, "Sign in to your account first")
	s.browser(t, w).as("noor@practice.test").get(link).shows(t, 200, "You are signed in with another account")
	theo.as("theo@example.com")
	theo.get(link).shows(t, 200, "What changes", "What stays", "theo@example.com")
	theo.post(link+"/confirmation", form("password", "not the right one at all")).shows(t, 422, "That is not your current password")
	theo.post(link+"/confirmation", form("password", "")).shows(t, 422, "Enter your current password")
	theo.post(link+"/confirmation", form("password", world.Password)).leads(t, link)
	theo.get(link).shows(t, 200, "You have confirmed")
	theo.get("/dashboard").shows(t, 200, "Wanda’s mistake")

	sam.get(at).shows(t, 200, "Confirmed by the account holder", "another supporter")
	if strings.Contains(sam.get(at).text, "/approval") {
		t.Error("who asked is offered to approve")
	}
	sam.post(at+"/approval", nil).shows(t, 409, "You asked for this yourself")
	sia.get(at).shows(t, 200, "/approval")
	sia.post(at+"/approval", nil).leads(t, at+"?said=approved")
	sia.get(at+"?said=approved").shows(t, 200, "Done.", "sia@help.test")
	theo.get("/dashboard").leads(t, "/sign-in")
	theo.post("/sign-in", form("email", "theo@example.com", "password", world.Password)).leads(t, "/dashboard")
	theo.get("/dashboard").shows(t, 200, "The Practice of Mara")
	theo.get("/people").shows(t, 404)
	guest.get(link).shows(t, 410, "Your account is put right")
	sam.get("/support").shows(t, 200, "No open requests.", "Done")
}

func TestTheHolderCanSayThatItWasNotThem(t *testing.T) {
	t.Parallel()
	w, s := wrongDoorWorld(t)
	sam := s.browser(t, w).as("sam@help.test")
	sam.post("/support/requests", form("account", "theo@example.com", "reason", "He called."))
	w.RunJobs(t)
	link := "/convert/" + w.Link(t, "theo@example.com", "/convert/")
	guest := s.browser(t, w)
	guest.post(link+"/refusal", nil).leads(t, link)
	guest.get(link).shows(t, 410, "You have said no")
	sam.get("/support").shows(t, 200, "The account holder said no")
	guest.get("/convert/"+strings.Repeat("B", 43)).shows(t, 404, "This link does not work")
}

// With one supporter the holder's yes is the second: it signs them out.
func TestConfirmingWithOneSupporterDoesIt(t *testing.T) {
	t.Parallel()
	w, s := wrongDoorWorld(t)
	w.Update(t, func(tx *db.Tx) error { return support.Dismiss(tx, access.Operator(), addressed(t, "sia@help.test")) })
	s.browser(t, w).as("sam@help.test").post("/support/requests", form("account", "theo@example.com", "reason", "He called."))
	w.RunJobs(t)
	link := "/convert/" + w.Link(t, "theo@example.com", "/convert/")
	theo := s.browser(t, w).as("theo@example.com")
	theo.post(link+"/confirmation", form("password", world.Password)).leads(t, "/sign-in?said=converted")
	theo.get("/sign-in?said=converted").shows(t, 200, "Your account is put right")
}

func TestASupporterGoesToSupportAndBack(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	w.Update(t, func(tx *db.Tx) error {
		return support.Appoint(tx, access.Operator(), addressed(t, "noor@practice.test"))
	})
	noor := s.browser(t, w)
	noor.signIn("noor@practice.test", world.Password).leads(t, "/dashboard")
	noor.get("/dashboard").shows(t, 200, "The Practice of Mara (work)", ">Support<")
	noor.get("/support").shows(t, 404, "Support is a place of its own", `href="/places"`, "Go to your places")
	noor.get("/supporters").lacks(t, "Support is a place of its own")
	s.browser(t, w).as(mara).get("/support").shows(t, 404, "We cannot find that page").lacks(t, "Support is a place of its own")
	noor.get("/places").shows(t, 200, "You help people who cannot sign in")
	noor.post("/switch", form("place", supportPlace)).leads(t, "/dashboard")
	noor.get("/support").shows(t, 200, "Open requests")
	noor.get("/people").shows(t, 404)
	noor.get("/places").shows(t, 404)
	noor.get("/settings").shows(t, 200, "Noor Haddad")
	noor.post("/support/leaving", nil).leads(t, "/dashboard")
	noor.get("/people").shows(t, 200)
	noor.post("/switch", form("place", supportPlace)).leads(t, "/dashboard")
	w.Update(t, func(tx *db.Tx) error {
		return support.Dismiss(tx, access.Operator(), addressed(t, "noor@practice.test"))
	})
	noor.get("/support").shows(t, 404)
	noor.post("/switch", form("place", supportPlace)).shows(t, 404)
	s.browser(t, w).as("mara@practice.test").post("/switch", form("place", supportPlace)).shows(t, 404)
}

func TestASupporterLooksUpSoManyAndNoMore(t *testing.T) {
	t.Parallel()
	w, s := wrongDoorWorld(t)
	sam := s.browser(t, w).as("sam@help.test")
	for i := range lookUpRule.Most {
		sam.post("/support/accounts", form("email", fmt.Sprintf("a%d@example.com", i))).shows(t, 200)
	}
	sam.post("/support/accounts", form("email", "theo@example.com")).shows(t, 429, "many addresses")
	w.Pass(time.Hour)
	sam = s.browser(t, w).as("sam@help.test")
	sam.post("/support/accounts", form("email", "theo@example.com")).shows(t, 200, "theo@example.com")
}

// The console stays open to a supporter for as long as work does, and no longer.
func TestSupportEndsAfterAWhileWithoutUse(t *testing.T) {
	t.Parallel()
	w, s := wrongDoorWorld(t)
	sam := s.browser(t, w).as("sam@help.test")
	sam.get("/support").shows(t, 200)
	w.Pass(15*time.Minute + time.Second)
	sam.get("/support").leads(t, "/sign-in?next=%2Fsupport")
}

func TestLeavingAndChangingOnesMind(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	noor := s.browser(t, w)
	signIn := func() { noor.signIn("noor@practice.test", world.Password) }
	signIn()
	noor.get("/settings").shows(t, 200, "Delete my account")
	noor.get("/settings/leave").shows(t, 200, "What goes", "What stays", "Sat 13 Apr")
	noor.post("/settings/leave", form("password", "wrong")).shows(t, 422, "That is not your current password")
	noor.post("/settings/leave", form("password", world.Password)).leads(t, "/sign-in?said=leaving")
	noor.get("/sign-in?said=leaving").shows(t, 200, "Your account will be deleted in 30 days", "signed out everywhere")
	w.RunJobs(t)
	if n := len(w.Letters("noor@practice.test")); n != 1 {
		t.Errorf("%d letters, want one", n)
	}
	w.Pass(29 * 24 * time.Hour)
	signIn()
	noor.get("/dashboard").leads(t, "/leaving")
	noor.get("/people").leads(t, "/leaving")
	noor.get("/settings").leads(t, "/leaving")
	noor.get("/sign-in").leads(t, "/leaving")
	noor.get("/leaving").shows(t, 200, "Keep your account?", "Sat 13 Apr")
	noor.post("/settings/name", form("name", "Somebody")).shows(t, 404)
	noor.post("/sign-out", nil).leads(t, "/sign-in?said=out")
	noor.get("/leaving").leads(t, "/sign-in?next=%2Fleaving")
	signIn()
	noor.post("/leaving/keep", nil).leads(t, "/dashboard")
	noor.get("/dashboard").shows(t, 200, "The Practice of Mara")
	noor.get("/leaving").shows(t, 404)
	before := s.browser(t, w).as("mara@practice.test").get("/settings/leave").shows(t, 200, "Not possible yet", "only owner of a practice") // before anything is pressed
	if strings.Contains(before.text, "Current password") {
		t.Error("who cannot leave yet is asked for the password all the same")
	}
	s.browser(t, w).as("mara@practice.test").post("/settings/leave", form("password", world.Password)).shows(t, 409, "only owner of a practice")
}
