package web

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/email"
	"icouch/internal/base/secret"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/world"
)

// theo accepts Mara's invitation and has an account from then on.
func theo(t *testing.T, w *world.World) {
	t.Helper()
	who := w.Account(t, "Theo Vance", "theo@example.com")
	w.Update(t, func(tx *db.Tx) error { return people.Invite(tx, w.Mara, w.Theo, "") })
	w.RunJobs(t)
	link := secret.ParseToken(w.Link(t, "theo@example.com", "/join/"))
	w.Update(t, func(tx *db.Tx) error {
		_, err := people.Accept(tx, access.AsPerson(who), link)
		return err
	})
}

func TestEverybodySeesTheirOwnSettings(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	theo(t, w)
	w.Account(t, "Annie Noda", "annie@new.test")
	s := serve(t, w)
	for address, shown := range map[string][]string{
		"mara@practice.test": {"Mara Lindqvist", "mara@practice.test", "New York time", "The Practice of Mara", `href="/settings/practice"`, `href="/people"`},
		"noor@practice.test": {"Noor Haddad", `href="/people"`},
		"theo@example.com":   {"Theo Vance", `href="/crisis"`},
		"annie@new.test":     {"Annie Noda", `href="/crisis"`},
	} {
		page := s.browser(t, w).as(address).get("/settings").shows(t, 200, shown...)
		if head := strings.Contains(page.text, `href="/settings/practice"`); head != (address == "mara@practice.test") {
			t.Errorf("%s is offered the practice's settings: %v", address, head)
		}
		if work := strings.Contains(page.text, `href="/people"`); work != strings.HasSuffix(address, "@practice.test") {
			t.Errorf("%s is offered People: %v", address, work)
		}
		if strings.Contains(page.text, "<title>"+shown[0]) || !strings.Contains(page.text, "<title>Settings · iCouch</title>") {
			t.Errorf("the title is not neutral")
		}
	}
}

func TestSettingsRefuseOthers(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	theo(t, w)
	s := serve(t, w)
	for _, path := range []string{"/settings", "/settings/name", "/settings/email", "/settings/zone", "/settings/password", "/settings/practice", "/practice/new"} {
		s.browser(t, w).get(path).leads(t, "/sign-in?next="+url.QueryEscape(path))
		if path != "/settings" {
			s.browser(t, w).post(path, form("name", "x")).shows(t, 404)
		}
	}
	for _, address := range []string{"noor@practice.test", "theo@example.com"} {
		b := s.browser(t, w).as(address)
		b.get("/settings/practice").shows(t, 404, "We cannot find that page")
		b.post("/settings/practice", form("practice", "Stolen", "zone", "UTC")).shows(t, 404)
	}
	s.browser(t, w).as("ines@nextdoor.test").post("/settings/practice", form("practice", "Next", "zone", "UTC")).leads(t, saved)
	s.browser(t, w).as("mara@practice.test").get("/settings/practice").shows(t, 200, "The Practice of Mara")
}

func TestSettingsAreSavedAndKeptAsTyped(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	b := serve(t, w).browser(t, w).as("mara@practice.test")
	b.post("/settings/name", form("name", "Mara <b>L</b> O’Brien 🙂")).leads(t, saved)
	b.get(saved).shows(t, 200, "Saved.", "Mara &lt;b&gt;L&lt;/b&gt; O’Brien 🙂")
	b.post("/settings/zone", form("zone", "Asia/Calcutta")).leads(t, saved)
	b.get("/settings").shows(t, 200, "Kolkata time")
	b.get("/settings/zone").shows(t, 200, `<option value="Asia/Kolkata" selected>`)
	b.post("/settings/practice", form("practice", "Harbor", "zone", "Europe/Paris")).leads(t, saved)
	b.get("/settings").shows(t, 200, "Harbor", "Paris time")

	for _, hostile := range []string{"", "  ", "a\r\nBcc: x@y.test", "a\u202eb", "a\x00b", "\xff\xfe", strings.Repeat("x", 5000)} {
		b.post("/settings/name", form("name", hostile)).shows(t, 422, "There is a problem", `id="f-name-err"`)
		b.post("/settings/practice", form("practice", hostile, "zone", "Europe/Paris")).shows(t, 422, `id="f-practice-err"`, `<option value="Europe/Paris" selected>`)
	}
	b.post("/settings/name", form("name", strings.Repeat("y", 999))).shows(t, 422, strings.Repeat("y", 999))
	b.post("/settings/zone", form("zone", "Moon/Far")).shows(t, 422, "Choose your time zone", `id="f-zone-err"`)
	b.get("/settings").shows(t, 200, "Mara &lt;b&gt;L&lt;/b&gt; O’Brien 🙂", "Harbor")
}

func TestANewPasswordEndsTheOtherSessions(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	here, there := s.browser(t, w).as("mara@practice.test"), s.browser(t, w).as("mara@practice.test")
	here.get("/settings/password").shows(t, 200, `autocomplete="current-password"`, `autocomplete="new-password"`)
	for _, x := range []struct{ current, next, says string }{
		{"", goodPassword, "Enter your current password."},
		{"not it at all, really", goodPassword, "That is not your current password."},
		{world.Password, "short", "Use at least 15 characters"},
		{world.Password, "The Practice of Mara", "made of your name"},
		{world.Password, "mara@practice.test", "made of your name"},
	} {
		a := here.post("/settings/password", form("password", x.current, "new", x.next)).shows(t, 422, x.says)
		if strings.Contains(a.text, goodPassword) || strings.Contains(a.text, world.Password) {
			t.Error("the page shows a password")
		}
	}
	there.get("/settings").shows(t, 200)
	here.post("/settings/password", form("password", world.Password, "new", goodPassword)).leads(t, saved)
	here.get("/settings").shows(t, 200)
	there.get("/settings").leads(t, "/sign-in?next=%2Fsettings")
	w.RunJobs(t)
	if n := len(w.Letters("mara@practice.test")); n != 1 {
		t.Errorf("%d letters say that the password was changed, want 1", n)
	}
	s.browser(t, w).signIn("mara@practice.test", goodPassword).leads(t, "/dashboard")
}

func TestAnAddressIsChangedByItsOwnerAndCanBePutBack(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	b := s.browser(t, w).as("mara@practice.test")
	ask := func(to, pw string) answer { return b.post("/settings/email", form("email", to, "password", pw)) }
	ask("mara@new.test", "wrong, and long enough").shows(t, 422, "That is not your current password.", `value="mara@new.test"`)
	ask("no address", world.Password).shows(t, 422, `value="no address"`)
	ask("MARA@practice.test", world.Password).shows(t, 422, "This is your e-mail address already.")
	taken := ask("ines@nextdoor.test", world.Password)
	if free := ask("mara@new.test", world.Password).leads(t, "/settings/email?said=sent"); bare(free, "") != bare(taken, "") {
		t.Error("the answer tells that another address has an account")
	}
	b.get("/settings/email?said=sent").shows(t, 200, "Check the new address")
	w.RunJobs(t)
	link := "/email/" + w.Link(t, "mara@new.test", "/email/")

	guest := s.browser(t, w).get(link).shows(t, 200, "Please sign in first", `href="/sign-in"`)
	if strings.Contains(guest.text, link) || strings.Contains(guest.text, "next=") {
		t.Error("a guest's page leads on to the link, or has a form for it")
	}
	s.browser(t, w).post(link, nil).shows(t, 409, "Please sign in first")
	s.browser(t, w).as("ines@nextdoor.test").post(link, nil).shows(t, 409, "This link is for another account", `action="/sign-out"`)
	for range 3 {
		b.get(link).shows(t, 200, "mara@new.test", "Confirm")
	}
	b.post(link, nil).leads(t, "/settings/email?said=changed")
	b.get("/settings/email?said=changed").shows(t, 200, "mara@new.test", "Your e-mail address is changed")
	b.get(link).shows(t, 410, "This link has been used")
	w.RunJobs(t)

	back := "/email-back/" + w.Link(t, "mara@practice.test", "/email-back/")
	for range 3 {
		s.browser(t, w).get(back).shows(t, 200, "mara@practice.test", "Take it back")
	}
	b.get("/settings").shows(t, 200)
	codes := at16(func() int { return s.browser(t, w).post(back, nil).Code })
	if codes[303] != 1 || codes[410] != 15 {
		t.Errorf("16 presses at once: %v, want one and 15 that are told", codes)
	}
	b.get("/settings").leads(t, "/sign-in?next=%2Fsettings")
	s.browser(t, w).get("/forgot?said=back").shows(t, 200, "Your old address is back")
	s.browser(t, w).post("/sign-in", form("email", "mara@practice.test", "password", world.Password)).shows(t, 422)
	s.browser(t, w).get("/email/made-up").shows(t, 404, "This link does not work")
	s.browser(t, w).get("/email-back/made-up").shows(t, 404, "This link does not work")
	if strings.Contains(s.log.String(), strings.TrimPrefix(link, "/email/")) || strings.Contains(s.log.String(), "new.test") {
		t.Error("the log holds a link or an address")
	}
}

func TestAnUnconfirmedAddressIsConfirmedByItsOwner(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	a, err := email.Parse("annie@new.test")
	if err != nil {
		t.Fatal(err)
	}
	hash, err := w.Doorman.Hasher.Hash(t.Context(), world.Password)
	if err != nil {
		t.Fatal(err)
	}
	w.Update(t, func(tx *db.Tx) error {
		_, err := account.Make(tx, access.Guest(), account.New{Name: "Annie Noda", Email: a, Password: hash})
		return err
	})
	s := serve(t, w)
	b := s.browser(t, w).as("annie@new.test")
	b.get("/settings").shows(t, 200, "annie@new.test (not confirmed)", "Not chosen")
	b.get("/settings/email").shows(t, 200, "This address is not confirmed", `action="/settings/email/verify"`)
	for range 5 {
		b.post("/settings/email/verify", nil).leads(t, "/settings/email?said=verify")
	}
	w.RunJobs(t)
	if n := len(w.Letters("annie@new.test")); n != 3 {
		t.Errorf("%d letters in an hour, want 3 at most", n)
	}
	w.Pass(2 * time.Hour)
	b.as("annie@new.test").post("/settings/email/verify", nil).leads(t, "/settings/email?said=verify")
	w.RunJobs(t)
	link := "/verify/" + w.Link(t, "annie@new.test", "/verify/")
	s.browser(t, w).get(link).shows(t, 200, "Please sign in first")
	s.browser(t, w).as("mara@practice.test").post(link, nil).shows(t, 409, "This link is for another account")
	b.get(link).shows(t, 200, "Confirm your address")
	b.post(link, nil).leads(t, "/settings/email?said=verified")
	page := b.get("/settings/email?said=verified").shows(t, 200, "Your e-mail address is confirmed.")
	if strings.Contains(page.text, "not confirmed") {
		t.Error("the page still asks to confirm")
	}
	b.post(link, nil).shows(t, 410)
	b.post("/settings/email/verify", nil).shows(t, 409, "confirmed already")
}

func TestWhoHasTwoPlacesCanSwitch(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	theo(t, w)
	w.Update(t, func(tx *db.Tx) error {
		a, err := email.Parse("theo@example.com")
		if err != nil {
			return err
		}
		who, err := account.ByEmail(tx, access.Guest(), a)
		if err != nil {
			return err
		}
		_, err = people.Found(tx, access.AsPerson(who.ID), "Theo’s Practice", "America/New_York")
		return err
	})
	s := serve(t, w)
	s.browser(t, w).as("theo@example.com").get("/settings").shows(t, 200, "You are looking at", "Theo’s Practice (work)", "Theo Vance at The Practice of Mara", `action="/switch"`, `value="`+string(w.Mara.Practice())+"/"+string(w.Theo)+`"`)
	if page := s.browser(t, w).as("mara@practice.test").get("/settings"); strings.Contains(page.text, "/switch") {
		t.Error("who has one place is asked to choose")
	}
}

func TestAChangedNameMakesNobodyASomebodyElse(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	theo(t, w)
	b := serve(t, w).browser(t, w).as("theo@example.com")
	b.get("/settings/name").shows(t, 200, "Your practice keeps its own records under the name it knows")
	b.get("/dashboard").shows(t, 200, "Hello, Theo")
	b.post("/settings/name", form("name", "Theo Vance-Quill")).leads(t, saved)
	page := b.get("/dashboard").shows(t, 200, "Hello, Theo Vance-Quill", "This is your private place. The practice keeps it under the name Theo Vance.")
	if strings.Contains(page.text, "You are signed in as") {
		t.Error("a client who changed their name is taken for somebody else")
	}
}

// The zones that are likely come first, and of a zone that stands in several
// groups the first is chosen.
func TestLikelyZonesComeFirst(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	b := serve(t, w).browser(t, w).as("mara@practice.test")
	b.post("/settings/zone", form("zone", "Europe/Berlin")).leads(t, saved)
	page := b.get("/settings/zone").shows(t, 200, `<optgroup label="Likely for you"><option value="Europe/Berlin" selected>Berlin</option><option value="America/New_York">New York</option></optgroup>`)
	if n := strings.Count(page.text, " selected>"); n != 1 {
		t.Errorf("%d zones are chosen, want 1", n)
	}
	b.post("/settings/zone", form("zone", "America/New_York")).leads(t, saved)
	b.get("/settings/zone").shows(t, 200, `<optgroup label="Likely for you"><option value="America/New_York" selected>New York</option></optgroup>`)
}

// Whoever would soon be locked out is told where they look, not only where they
// would have to search.
func TestWhoHasFewRecoveryCodesIsTold(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	b := serve(t, w).browser(t, w).as("mara@practice.test")
	for _, x := range []struct {
		left  int
		words string
	}{{10, ""}, {3, ""}, {2, "Only 2 recovery codes are left"}, {1, "Only 1 recovery code is left"}, {0, "No recovery codes yet"}} {
		if err := w.DB.Exec(t.Context(), "DELETE FROM recovery_code WHERE account_id = $1 AND code_hash NOT IN (SELECT code_hash FROM recovery_code WHERE account_id = $1 LIMIT $2)", w.Mara.Account().String(), x.left); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"/dashboard", "/settings"} {
			page := b.get(path).shows(t, 200, x.words)
			if said := strings.Contains(page.text, "recovery code"); said != (x.words != "") {
				t.Errorf("with %d left, %s tells of it: %v", x.left, path, said)
			}
		}
		if page := b.get("/dashboard"); strings.Contains(page.text, "Nothing needs you") != (x.words == "") {
			t.Errorf("with %d left, the dashboard is calm or not: %s", x.left, clip(page.text))
		}
	}
}

// The row of messages says what is chosen.
func TestSettingsSayWhenMessagesAreToldOf(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	theo(t, w)
	b := serve(t, w).browser(t, w).as("theo@example.com")
	for chosen, words := range map[string]string{"each": "E-mail after ten minutes", "digest": "One e-mail a day, in the evening", "off": "No e-mail"} {
		b.post("/settings/messages", form("letters", chosen, "quiet-from", "21", "quiet-until", "8")).leads(t, "/settings/messages?said=saved")
		b.get("/settings").shows(t, 200, words)
	}
}
