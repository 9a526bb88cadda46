package web

import (
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/account/factor"
	"icouch/internal/base/secret"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/world"
)

var (
	offerField = regexp.MustCompile(`name="offer" value="([^"]+)"`)
	keyText    = regexp.MustCompile(`id="key"[^>]*>([A-Z2-7 ]+)<`)
	codeText   = regexp.MustCompile(`<code>([a-z0-9-]{14})</code>`)
)

// find returns what a pattern finds in an answer.
func (a answer) find(t testing.TB, p *regexp.Regexp) string {
	t.Helper()
	m := p.FindStringSubmatch(a.text)
	if m == nil {
		t.Fatalf("%s is not on the page: %s", p, clip(a.text))
	}
	return html.UnescapeString(m[1])
}

// armed sets an authenticator up as a person does, and recovery codes, which it
// returns with the app's seed.
func (b *browser) armed(next string) (factor.Seed, []string) {
	b.t.Helper()
	page := b.get(with("/settings/authenticator", next)).shows(b.t, 200, "Give the key to the app", `<svg class="qr"`, `href="otpauth://totp/`, "Open in my authenticator app")
	seed, err := factor.ParseSeed(strings.ReplaceAll(page.find(b.t, keyText), " ", ""))
	if err != nil {
		b.t.Fatal(err)
	}
	before := b.cookies[b.site.sessionCookie()]
	b.post("/settings/authenticator", form("offer", page.find(b.t, offerField), "code", codeAt(b.t, seed, b.world.Now()), "next", next)).leads(b.t, with("/settings/recovery-codes", next))
	if b.cookies[b.site.sessionCookie()] == before {
		b.t.Error("the session goes on under the token it had without a second step")
	}
	b.get("/settings/recovery-codes").shows(b.t, 200, "Show my new recovery codes")
	shown := b.post("/settings/recovery-codes", form("next", next)).shows(b.t, 200, "shown this once", `href="`+onward(next)+`"`)
	var codes []string
	for _, m := range codeText.FindAllStringSubmatch(shown.text, -1) {
		codes = append(codes, m[1])
	}
	if len(codes) != 10 {
		b.t.Fatalf("%d recovery codes are shown, want ten", len(codes))
	}
	return seed, codes
}

func codeAt(t testing.TB, s factor.Seed, now time.Time) string {
	t.Helper()
	c, err := s.Code(now)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAPasswordAloneSignsNobodyInWhoHasASecondStep(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	b := s.browser(t, w)
	b.get(stepPath).leads(t, "/sign-in?said=late")
	b.post(stepPath, form("code", "123456")).leads(t, "/sign-in?said=late")
	b.post("/sign-in", form("email", "mara@practice.test", "password", world.Password, "next", "/people")).leads(t, stepPath)
	if b.cookies[s.sessionCookie()] != "" || b.cookies[s.deviceCookie()] != "" {
		t.Fatal("a session began without the second step")
	}
	for _, path := range []string{"/dashboard", "/people", "/settings"} {
		if a := b.get(path); !asksToSignIn(a) {
			t.Errorf("%s answers %d after the password alone", path, a.Code)
		}
	}
	b.get(stepPath).shows(t, 200, "Second step", "Code of your authenticator app", "Lost your phone or passkey?", `autocomplete="one-time-code"`)
	b.post(stepPath, form("code", "12 34")).shows(t, 422, "Enter the six digits", `value="12 34"`)
	b.post(stepPath, form("code", "000000")).shows(t, 422, "That code does not fit", `value="000000"`, "Error: Second step")
	b.post(stepPath, form("recovery", "aaaa-bbbb-cccc")).shows(t, 422, "That recovery code does not fit", `value="aaaa-bbbb-cccc"`)
	entry := b.cookies[s.entryCookie()]
	code := w.Code(t, w.Mara.Account())
	a := b.post(stepPath, form("code", code)).leads(t, "/people")
	for _, c := range a.Result().Cookies() {
		if c.MaxAge >= 0 && (!c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || !strings.HasPrefix(c.Name, "__Host-")) {
			t.Errorf("the cookie %s has the wrong flags", c.Name)
		}
	}
	b.get("/people").shows(t, 200, "Theo Vance")
	other := s.browser(t, w)
	other.cookies[s.entryCookie()] = entry
	other.post(stepPath, form("code", code)).leads(t, "/sign-in?said=late") // an entry is used once
	other.signIn("mara@practice.test", world.Password).leads(t, "/dashboard")

	third := s.browser(t, w)
	third.post("/sign-in", form("email", "mara@practice.test", "password", world.Password)).leads(t, stepPath)
	third.post(stepPath, form("code", code)).shows(t, 422, "That code was used already")
	w.Pass(10 * time.Minute)
	third.post(stepPath, form("code", w.Code(t, w.Mara.Account()))).leads(t, "/sign-in?said=late")
}

func TestWrongCodesWaitAndThePasswordTellsNothing(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	w.Account(t, "Pat Moor", "pat@example.com")
	s := serve(t, w)
	var said []string
	for _, address := range []string{"mara@practice.test", "pat@example.com", "nobody@practice.test"} {
		a := s.browser(t, w).post("/sign-in", form("email", address, "password", "a wrong password, quite long")).shows(t, 422, "do not match")
		said = append(said, regexp.MustCompile(`(data-question|value|nonce)="[^"]*"`).ReplaceAllString(a.text, ""))
	}
	if said[0] != said[1] || said[1] != said[2] {
		t.Error("a wrong password tells who has a second step, or an account")
	}
	b := s.browser(t, w)
	b.post("/sign-in", form("email", "mara@practice.test", "password", world.Password)).leads(t, stepPath)
	for range 10 {
		b.post(stepPath, form("code", "000000")).shows(t, 422)
	}
	b.post(stepPath, form("code", w.Code(t, w.Mara.Account()))).shows(t, 429, "There were many wrong codes. Please wait 10 seconds")
	w.Pass(10 * time.Second)
	b.post(stepPath, form("code", w.Code(t, w.Mara.Account()))).leads(t, "/dashboard")
}

func TestARecoveryCodeIsAWayIn(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	w.Account(t, "Pat Moor", "pat@example.com")
	b := s.browser(t, w)
	b.signIn("pat@example.com", world.Password).leads(t, "/dashboard")
	_, codes := b.armed("")
	b.get("/settings/security").shows(t, 200, "10 are left", "Authenticator app")
	again := s.browser(t, w)
	again.post("/sign-in", form("email", "pat@example.com", "password", world.Password)).leads(t, stepPath)
	again.post(stepPath, form("recovery", " "+strings.ToUpper(codes[0])+" ")).leads(t, "/dashboard")
	again.get("/settings/security").shows(t, 200, "9 are left")
	third := s.browser(t, w)
	third.post("/sign-in", form("email", "pat@example.com", "password", world.Password)).leads(t, stepPath)
	third.post(stepPath, form("recovery", codes[0])).shows(t, 422, "or was used already")
}

// weak signs a browser in as somebody who has not shown a second step.
func (b *browser) weak(address string) *browser {
	b.t.Helper()
	who := b.world.Who(b.t, address)
	var token secret.Token
	b.world.Update(b.t, func(tx *db.Tx) error {
		place, err := people.Home(tx, access.AsPerson(who))
		if err != nil {
			return err
		}
		token, err = account.Begin(tx, access.AsPerson(who), who, account.Entry{Place: place, Terms: account.Anywhere})
		return err
	})
	b.cookies[b.site.sessionCookie()] = token.Reveal()
	return b
}

func TestWhoWorksSeesNoClientWithoutASecondStep(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	if err := w.DB.Exec(t.Context(), "DELETE FROM authenticator"); err != nil {
		t.Fatal(err)
	}
	b := s.browser(t, w).weak("mara@practice.test")
	m := &matrix{world: w, site: s, client: map[string]string{"Theo": w.Theo.String()}}
	open := 0
	for _, rt := range routes {
		p := path(rt.pattern, w.Theo.String())
		if rt.enter(access.AsWaiting(w.Mara.Practice(), w.Mara.Account())) {
			open++
			if strings.HasPrefix(p, "/people") || strings.HasPrefix(p, "/dashboard") || p == "/settings/practice" {
				t.Errorf("%s is open before the second step", rt.pattern)
			}
			continue
		}
		if method(rt.pattern) == "GET" {
			b.get(p).leads(t, with("/settings/second-step", p))
			continue
		}
		if a := b.post(p, tempting(m)); !isNothing(a) {
			t.Errorf("%s answers %d before the second step: %s", rt.pattern, a.Code, clip(a.text))
		}
	}
	if open < 20 {
		t.Errorf("only %d routes are open", open)
	}
	b.get("/settings/second-step?next=%2Fpeople").shows(t, 200, "Set up a second step", "Clients’ records are open here", "Set up a passkey", "Set up an authenticator app")
	b.get("/settings").shows(t, 200, "Mara Lindqvist")
	b.get("/places").shows(t, 200, "The Practice of Mara")
	b.armed("/people")
	b.get("/people").shows(t, 200, "Theo Vance")
	b.get("/settings/second-step").leads(t, "/settings/security")
	b.post("/settings/authenticator/removal", nil).shows(t, 409, "a second step is needed")
}

func TestAPracticeMayAskItsClientsForASecondStep(t *testing.T) {
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
	b := s.browser(t, w).weak("theo@example.com")
	b.get("/dashboard").shows(t, 200)
	mara, noor := s.browser(t, w).as("mara@practice.test"), s.browser(t, w).as("noor@practice.test")
	noor.post("/settings/practice/step", form("ask", "yes")).shows(t, 404)
	mara.get("/settings/practice").shows(t, 200, "Ask clients for a second step")
	mara.post("/settings/practice/step", form("ask", "yes")).leads(t, saved)
	b.get("/dashboard").leads(t, "/settings/second-step")
	b.get("/settings/second-step").shows(t, 200, "Your practice asks its clients for a second step")
	b.armed("")
	b.get("/dashboard").shows(t, 200, "private place")
	mara.post("/settings/practice/step", form()).leads(t, saved)
	s.browser(t, w).weak("theo@example.com").get("/dashboard").shows(t, 200)
}

func TestWhatAThiefWouldDoFirstAsksWhoItIs(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	b := s.browser(t, w).as("mara@practice.test")
	b.post("/people/export", nil).shows(t, 200)
	w.Pass(5*time.Minute + time.Second)
	for _, path := range []string{"/settings/authenticator", "/settings/passkey", "/settings/recovery-codes"} {
		b.get(path).leads(t, with("/settings/prove", path))
	}
	b.post("/people/export", nil).leads(t, with("/settings/prove", "/people"))
	b.post("/settings/recovery-codes", nil).leads(t, with("/settings/prove", "/settings/recovery-codes"))
	b.post("/settings/authenticator/removal", nil).leads(t, with("/settings/prove", "/settings/security"))
	b.get("/settings/prove?next=%2Fpeople").shows(t, 200, "Is it you?", "Code of your authenticator app", "Your password", `value="/people"`)
	b.post("/settings/prove", form("next", "/people", "password", "not it at all, really")).shows(t, 422, "That is not your current password", `value="/people"`)
	before := b.cookies[s.sessionCookie()]
	b.post("/settings/prove", form("next", "/people", "password", world.Password)).leads(t, "/people?said=proved")
	if b.cookies[s.sessionCookie()] == before {
		t.Error("the token is the one from before")
	}
	old := s.browser(t, w)
	old.cookies[s.sessionCookie()] = before
	old.get("/dashboard").leads(t, "/sign-in")
	b.post("/people/export", nil).shows(t, 200)
	w.Pass(6 * time.Minute)
	b.post("/settings/prove", form("next", "//evil.test", "code", w.Code(t, w.Mara.Account()))).leads(t, "/dashboard")
	b.post("/people/export", nil).shows(t, 200)
}

// A session from before there was a second step, of somebody who has one now.
// Sending the form without having seen its page asks who it is all the same, and
// hands out no seed.
func TestAnAuthenticatorIsReplacedByNobodyWhoOnlyBorrowsTheBrowser(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	b := s.browser(t, w).as(mara)
	page := b.get("/settings/authenticator").shows(t, 200, "Give the key to the app")
	seed, err := factor.ParseSeed(strings.ReplaceAll(page.find(t, keyText), " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	w.Pass(10 * time.Minute)
	before := state(t, w)
	for _, path := range []string{"/settings/authenticator", "/settings/passkey"} {
		b.post(path, form("offer", "x", "code", "000000", "asked", "x", "answer", "x")).leads(t, with("/settings/prove", path))
	}
	// A page that was left open is no proof, either.
	b.post("/settings/authenticator", form("offer", page.find(t, offerField), "code", codeAt(t, seed, w.Now()))).leads(t, "/settings/prove?next=%2Fsettings%2Fauthenticator")
	same(t, w, before, "an authenticator set up by who has not shown who they are")
}

// Whoever has no second step yet may take their time to find an app.
func TestTheFirstSecondStepMayTakeLonger(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	w.Account(t, "Pat Moor", "pat@example.com")
	b := s.browser(t, w)
	b.signIn("pat@example.com", world.Password)
	page := b.get("/settings/authenticator").shows(t, 200, "Give the key to the app")
	seed, err := factor.ParseSeed(strings.ReplaceAll(page.find(t, keyText), " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	w.Pass(20 * time.Minute)
	b.post("/settings/authenticator", form("offer", "x", "code", codeAt(t, seed, w.Now()))).leads(t, "/settings/prove?next=%2Fsettings%2Fauthenticator")
	b.post("/settings/authenticator", form("offer", page.find(t, offerField), "code", codeAt(t, seed, w.Now()))).leads(t, "/settings/recovery-codes")
}

func TestFoundingAPracticeProvesNobody(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	w.Account(t, "Pat Moor", "pat@example.com")
	b := s.browser(t, w)
	b.signIn("pat@example.com", world.Password)
	b.armed("")
	w.Pass(20 * time.Minute)
	b.post("/settings/recovery-codes", form()).leads(t, "/settings/prove?next=%2Fsettings%2Frecovery-codes")
	b.post("/practice/new", form("practice", "The Practice of Pat", "zone", "America/New_York")).leads(t, "/dashboard")
	b.get("/people").shows(t, 200)
	b.post("/settings/recovery-codes", form()).leads(t, "/settings/prove?next=%2Fsettings%2Frecovery-codes")
}

func TestAWeakSessionShowsTheSecondStepThatIsThereAndSetsUpNoOther(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	b := s.browser(t, w).weak("mara@practice.test")
	b.get("/dashboard").leads(t, "/settings/second-step")
	b.get("/settings/second-step?next=%2Fpeople").leads(t, "/settings/prove?next=%2Fpeople")
	if a := b.get("/settings/prove").shows(t, 200, "Code of your authenticator app"); strings.Contains(a.text, "Your password") {
		t.Error("a password is taken for a second step")
	}
	b.post("/settings/prove", form("password", world.Password)).shows(t, 422)
	page := b.get("/settings/authenticator").shows(t, 200)
	seed, err := factor.ParseSeed(strings.ReplaceAll(page.find(t, keyText), " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	b.post("/settings/authenticator", form("offer", page.find(t, offerField), "code", codeAt(t, seed, w.Now()))).shows(t, 404)
	b.post("/settings/authenticator/removal", nil).shows(t, 404)
	b.post("/settings/recovery-codes", nil).shows(t, 404)
	b.get("/people").leads(t, "/settings/second-step?next=%2Fpeople")
	b.post("/settings/prove", form("next", "/people", "code", w.Code(t, w.Mara.Account()))).leads(t, "/people?said=proved")
	b.get("/people").shows(t, 200, "Theo Vance")
}

func TestANewBrowserIsToldOf(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	first := s.browser(t, w)
	first.signIn("mara@practice.test", world.Password).leads(t, "/dashboard")
	letters := func() (n int) {
		w.RunJobs(t)
		for _, m := range w.Letters("mara@practice.test") {
			if strings.Contains(m.Subject, "new browser") {
				n++
			}
		}
		return n
	}
	if n := letters(); n != 0 {
		t.Errorf("%d letters of the first sign-in of all", n)
	}
	first.signIn("mara@practice.test", world.Password).leads(t, "/dashboard")
	if n := letters(); n != 0 {
		t.Errorf("%d letters of a browser that is known", n)
	}
	s.browser(t, w).signIn("mara@practice.test", world.Password).leads(t, "/dashboard")
	if n := letters(); n != 1 {
		t.Errorf("%d letters of a new browser, want 1", n)
	}
	s.browser(t, w).post("/sign-in", form("email", "mara@practice.test", "password", world.Password)).leads(t, stepPath)
	if n := letters(); n != 1 {
		t.Errorf("%d letters after a password alone, want still 1", n)
	}
}

func TestBrowsersAreCalledByTheirNames(t *testing.T) {
	t.Parallel()
	for agent, want := range map[string]string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0":                                                        "Firefox on Windows",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1": "Safari on iPhone",
		"Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36":                            "Chrome on Android",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0":         "Edge on Mac",
		"curl/8.5.0": "", "": "", "<script>Firefox/1 Linux": "Firefox on Linux",
	} {
		if got := browserWords(agent); got != want {
			t.Errorf("%q is called %q, want %q", agent, got, want)
		}
	}
}

func TestAClientWhoLostTheSecondStepComesBackWithTheirPractice(t *testing.T) {
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
	w.Arm(t, theo)
	mara := s.browser(t, w).as("mara@practice.test")
	at := "/people/" + w.Theo.String()
	mara.get(at).shows(t, 200, "Help them sign in again", "Vouch and send the link")
	mara.post(at+"/vouch", nil).leads(t, at+"?said=vouched")
	mara.get(at+"?said=vouched").shows(t, 200, "The link is on its way")
	w.RunJobs(t)
	link := "/vouched/" + w.Link(t, "theo@example.com", "/vouched/")
	b := s.browser(t, w)
	b.get(link).shows(t, 200, "Your practice vouched for you")
	b.post(link, form("email", "theo@example.com", "password", "")).shows(t, 422, "Enter your password.", `value="theo@example.com"`)
	b.post(link, form("email", "theo@example.com", "password", "a wrong password, quite long")).shows(t, 422, "do not match")
	b.post(link, form("email", "ines@nextdoor.test", "password", world.Password)).shows(t, 422, "not the account this link is for")
	b.post(link, form("email", "theo@example.com", "password", world.Password)).leads(t, "/settings/second-step")
	b.get("/settings/second-step").shows(t, 200, "Set up a second step")
	b.get("/dashboard").shows(t, 200)
	b.get(link).shows(t, 410, "This link has been used")
	if strings.Contains(s.log.String(), strings.TrimPrefix(link, "/vouched/")) {
		t.Error("the log holds the link")
	}
}

// Remove asks first: one click takes nothing away.
func TestRemovingTheAuthenticatorAsksFirst(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	theo(t, w)
	who := w.Who(t, "theo@example.com")
	b := serve(t, w).browser(t, w).as("theo@example.com")
	b.get("/settings/authenticator/removal").leads(t, securityPath) // there is none
	w.Arm(t, who)
	b.as("theo@example.com") // a change of what one signs in with ends the other sessions
	page := b.get(securityPath).shows(t, 200, `href="/settings/authenticator/removal"`)
	if strings.Contains(page.text, `action="/settings/authenticator/removal"`) {
		t.Error("one press on the page of security removes it")
	}
	b.get("/settings/authenticator/removal").shows(t, 200, "Remove the authenticator app?", "your only second step", `action="/settings/authenticator/removal"`, "Keep it")
	b.get(securityPath).shows(t, 200, `href="/settings/authenticator/removal"`)
	b.post("/settings/authenticator/removal", nil).leads(t, securityPath+"?said=removed")
	b.get("/settings/authenticator/removal").leads(t, securityPath)
}
