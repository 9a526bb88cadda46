package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/account/password"
	"icouch/internal/base/email"
	"icouch/internal/letter"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/platform/limit"
	"icouch/internal/world"
)

const goodPassword = "seven slow boats at noon"

func form(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

// once is what differs in each answer: from the first words to the next of the second.
var once = [][2]string{{`nonce="`, `"`}, {`data-question="`, `"`}, {`name="asked" value="`, `"`}, {"Reference <code>", "</code>"}}

// lasting is a page without what differs in each answer. By hand: the matrix
// compares twenty thousand pages, and an expression was a third of its time.
func lasting(page string) string {
	for _, o := range once {
		var b strings.Builder
		for {
			before, rest, found := strings.Cut(page, o[0])
			b.WriteString(before)
			if !found {
				break
			}
			_, page, _ = strings.Cut(rest, o[1])
		}
		page = b.String()
	}
	return page
}

// bare is an answer as somebody compares it who wants to learn from it: without
// what differs each time, and without what they typed.
func bare(a answer, typed string) string {
	text := strings.ReplaceAll(lasting(a.text), typed, "TYPED")
	return fmt.Sprint(a.Code, a.Header().Get("Location"), a.Header()["Set-Cookie"], text)
}

// request is one that no browser of the world sends.
func request(t *testing.T, s *served, method, path, body string, head ...string) answer {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, world.Base+path, strings.NewReader(body))
	if method == "POST" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(head); i += 2 {
		r.Header.Set(head[i], head[i+1])
	}
	rec := httptest.NewRecorder()
	s.handler.ServeHTTP(rec, r)
	return answer{rec, rec.Body.String()}
}

func TestTheFrontDoorHasTwoWays(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	b := serve(t, w).browser(t, w)
	b.get("/").shows(t, 200, "Sign In", "Are you a client?", `href="/join/lost"`, "Are you a practitioner?", `href="/sign-up"`, `href="/crisis"`, "Still Need Help?")
	b.as("mara@practice.test").get("/").leads(t, "/dashboard")
}

func TestNobodyKeepsWhoOpensTheCrisisPage(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	b := s.browser(t, w).as("mara@practice.test")
	b.get("/crisis").shows(t, 200)
	b.get("/help").shows(t, 200)
	actors := map[string]bool{}
	for line := range strings.Lines(s.log.String()) {
		for _, page := range []string{"GET /crisis", "GET /help"} {
			if strings.Contains(line, page) {
				actors[page] = strings.Contains(line, " by.")
			}
		}
	}
	if got, noted := actors["GET /crisis"]; got || !noted || !actors["GET /help"] {
		t.Errorf("who was noted: %v\n%s", actors, s.log.String())
	}
}

func TestWithoutAMailServerNothingIsSaidToBeOnItsWay(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	s.NoMail = true
	for _, path := range []string{"/sign-up?said=sent", "/forgot?said=sent"} {
		page := s.browser(t, w).get(path).shows(t, 200, "Nothing is on its way until a mail server is set up here. Ask whoever runs this installation.")
		if strings.Contains(page.text, "is on its way") && strings.Contains(page.text, "Check your e-mail</") {
			t.Errorf("%s contradicts itself", path)
		}
	}
}

func TestSigningInBeginsASessionOfItsOwn(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	b := s.browser(t, w)
	b.get("/sign-in").shows(t, 200, "Sign In", `autocomplete="current-password"`, "Forgot password?")

	b.cookies[s.sessionCookie()] = strings.Repeat("A", 43) // somebody else chose this one
	b.get("/sign-in").shows(t, 200, "You are signed out. That happens after a while without use, or when the password was changed")
	a := b.signIn(" Mara@Practice.test ", world.Password).leads(t, "/dashboard")
	first := b.cookies[s.sessionCookie()]
	if first == strings.Repeat("A", 43) {
		t.Fatal("the session that was there before goes on")
	}
	for _, c := range a.Result().Cookies() {
		if c.MaxAge < 0 {
			continue // taken back
		}
		if !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
			t.Errorf("the cookie %s has the wrong flags: %s", c.Name, c.Raw)
		}
		if c.Name == s.sessionCookie() && (c.MaxAge != 0 || !c.Expires.IsZero()) {
			t.Errorf("the session outlives the browser: %s", c.Raw)
		}
	}
	b.get("/settings").shows(t, 200, "Mara Lindqvist")
	b.get("/sign-in").leads(t, "/dashboard")

	b.signIn("ines@nextdoor.test", world.Password).leads(t, "/dashboard")
	b.get("/settings").shows(t, 200, "Ines Duarte")
	old := s.browser(t, w)
	old.cookies[s.sessionCookie()] = first
	old.get("/settings").leads(t, "/sign-in?next=%2Fsettings")
}

func TestAWrongPasswordSaysOneSentenceWhoeverIsMeant(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	var answers []string
	for _, typed := range []string{"mara@practice.test", "nobody@practice.test", "not an address", "<script>alert(1)</script>@x.test"} {
		b := s.browser(t, w)
		a := b.post("/sign-in", form("email", typed, "password", "a wrong password, quite long")).shows(t, 422, "That e-mail and password do not match")
		if strings.Contains(a.text, "a wrong password") || strings.Contains(a.text, "<script>alert") {
			t.Errorf("the page shows the password, or runs what was typed as the address")
		}
		if len(b.cookies) > 0 {
			t.Errorf("a wrong password sets cookies: %v", b.cookies)
		}
		if !strings.HasPrefix(typed, "<") {
			if !strings.Contains(a.text, `value="`+typed+`"`) {
				t.Errorf("%q is not kept", typed)
			}
			answers = append(answers, bare(a, typed))
		}
	}
	for _, a := range answers[1:] {
		if a != answers[0] {
			t.Errorf("the answer tells who has an account:\n%s\n%s", answers[0], a)
		}
	}
	s.browser(t, w).post("/sign-in", form("email", "", "password", "")).shows(t, 422, "Enter your e-mail address.", "Enter your password.", "Error: Sign in")
}

func TestPeopleAreSentOnOnlyToPagesOfOurs(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	w.Account(t, "Pat Moor", "pat@example.com")
	s := serve(t, w)
	for next, to := range map[string]string{
		"/people":                      "/people",
		"/people/abc":                  "/people/abc",
		"":                             "/dashboard",
		"//evil.test":                  "/dashboard",
		"///evil.test":                 "/dashboard",
		"/\\evil.test":                 "/dashboard",
		"\\\\evil.test":                "/dashboard",
		"https://evil.test/":           "/dashboard",
		"javascript:alert(1)":          "/dashboard",
		" /people":                     "/dashboard",
		"/\t/evil.test":                "/dashboard",
		"/a\r\nSet-Cookie: x=1":        "/dashboard",
		"/a\x00b":                      "/dashboard",
		"/people?x=1":                  "/dashboard",
		"/people#x":                    "/dashboard",
		"/.//evil.test":                "/evil.test",
		"/..//evil.test":               "/evil.test",
		"/" + strings.Repeat("a", 300): "/dashboard",
	} {
		b := s.browser(t, w)
		b.get("/sign-in?next="+url.QueryEscape(next)).shows(t, 200, `name="next"`)
		a := b.post("/sign-in", form("email", "pat@example.com", "password", world.Password, "next", next))
		if got := a.Header().Get("Location"); a.Code != 303 || got != to {
			t.Errorf("next=%q leads to %q with %d, want %q", next, got, a.Code, to)
		}
	}
}

func TestAFormFromAnotherSiteIsRefused(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	b := s.browser(t, w).as("mara@practice.test")
	cookie := s.sessionCookie() + "=" + b.cookies[s.sessionCookie()]
	for _, path := range []string{"/sign-in", "/sign-out", "/forgot", "/sign-up", "/settings/name", "/settings/password", "/settings/email", "/help", "/practice/new"} {
		for _, head := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.test"}} {
			request(t, s, "POST", path, "name=Stolen", append(head, "Cookie", cookie)...).shows(t, 403, "not sent from our own page")
		}
	}
	b.get("/settings").shows(t, 200, "Mara Lindqvist")
}

func TestManyWrongPasswordsFromOnePlaceWait(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	for range 60 {
		if err := s.Limits.Take(t.Context(), limit.Rule{Name: "sign_in/from", Most: 60, Per: 15 * time.Minute}, "192.0.2.1"); err != nil {
			t.Fatal(err)
		}
	}
	right := form("email", "mara@practice.test", "password", world.Password)
	s.browser(t, w).post("/sign-in", right).shows(t, 429, "Please wait 15 minutes", `value="mara@practice.test"`)
	r := httptest.NewRequestWithContext(t.Context(), "POST", world.Base+"/sign-in", strings.NewReader(right.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.RemoteAddr = "198.51.100.7:1"
	rec := httptest.NewRecorder()
	s.handler.ServeHTTP(rec, r)
	if rec.Code != 303 {
		t.Errorf("another place gets %d", rec.Code)
	}
	w.Pass(16 * time.Minute)
	s.browser(t, w).post("/sign-in", right).leads(t, stepPath)
}

func TestTooManyAtOnceAreToldToComeBack(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	w.Doorman.Hasher = password.NewHasher(1, 0)
	s := serve(t, w)
	var all sync.WaitGroup
	var mu sync.Mutex
	got := map[int]string{}
	for i := range 24 {
		all.Go(func() {
			a := s.browser(t, w).post("/sign-in", form("email", fmt.Sprintf("n%d@x.test", i), "password", goodPassword))
			mu.Lock()
			defer mu.Unlock()
			got[a.Code] = a.text
		})
	}
	all.Wait()
	if !strings.Contains(got[503], "Many people are signing in right now") || got[422] == "" || len(got) != 2 {
		t.Errorf("answers by status: %v", got)
	}
}

func TestSigningOutLeavesNothing(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	b := s.browser(t, w).as("mara@practice.test")
	token := b.cookies[s.sessionCookie()]
	a := b.post("/sign-out", nil).leads(t, "/sign-in?said=out")
	if got := a.Header().Get("Clear-Site-Data"); got != `"cache"` {
		t.Errorf("Clear-Site-Data is %q", got)
	}
	if _, still := b.cookies[s.sessionCookie()]; still {
		t.Error("the cookie is still there")
	}
	b.get("/sign-in?said=out").shows(t, 200, "You are signed out")
	b.cookies[s.sessionCookie()] = token
	b.get("/settings").leads(t, "/sign-in?next=%2Fsettings")
	b.post("/sign-out", nil).leads(t, "/sign-in?said=out") // once more
	request(t, s, "GET", "/sign-out", "").shows(t, 404)
}

func TestForgotSaysTheSameToEverybody(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	ask := func(to string) string { return bare(s.browser(t, w).post("/forgot", form("email", to)), to) }
	known, unknown := ask("mara@practice.test"), ask("nobody@example.com")
	if known != unknown {
		t.Errorf("the answer tells who has an account:\n%s\n%s", known, unknown)
	}
	for _, again := range []string{"m.a.r.a@practice.test", "mara+1@practice.test", "mara@practice.test", "mara@practice.test"} {
		if got := ask(again); got != known {
			t.Errorf("asking often tells something: %s", got)
		}
	}
	w.RunJobs(t)
	if n := len(w.Letters("mara@practice.test")); n != 1 { // two others counted for the mailbox and went nowhere
		t.Errorf("%d letters to Mara, want 1: three asks an hour count for one mailbox", n)
	}
	if n := len(w.Letters("nobody@example.com")); n != 0 {
		t.Errorf("%d letters to nobody", n)
	}
	s.browser(t, w).get("/forgot?said=sent").shows(t, 200, "If that address has an account, a link is on its way.")
	s.browser(t, w).post("/forgot", form("email", "no address")).shows(t, 422, "Enter an e-mail address", `value="no address"`)
	for i := range 14 {
		ask(fmt.Sprintf("n%d@example.com", i))
	}
	s.browser(t, w).post("/forgot", form("email", "late@example.com")).shows(t, 429, "many requests from your network", `value="late@example.com"`)
	w.Pass(61 * time.Minute)
	s.browser(t, w).post("/forgot", form("email", "late@example.com")).leads(t, "/forgot?said=sent")
}

func TestAResetLinkGivesANewPasswordOnce(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	inside := s.browser(t, w).as("mara@practice.test")
	b := s.browser(t, w)
	b.post("/forgot", form("email", "mara@practice.test"))
	w.RunJobs(t)
	link := "/reset/" + w.Link(t, "mara@practice.test", "/reset/")
	for range 20 { // mail filters
		b.get(link).shows(t, 200, "Choose a new password", "15 characters or more", `autocomplete="new-password"`, `id="suggested"`)
		request(t, s, "HEAD", link, "").shows(t, 200)
	}
	b.post(link, form("password", "short")).shows(t, 422, "Use at least 15 characters")
	b.post(link, form("password", goodPassword)).leads(t, "/sign-in?said=reset")
	b.get("/sign-in?said=reset").shows(t, 200, "Your new password is saved")
	inside.get("/settings").leads(t, "/sign-in?next=%2Fsettings")
	b.get(link).shows(t, 410, "This link has been used", "Send me a new link")
	b.post(link, form("password", goodPassword+"!")).shows(t, 410, "This link has been used")
	b.get("/reset/made-up").shows(t, 404, "This link does not work", "Send me a new link")
	b.post("/sign-in", form("email", "mara@practice.test", "password", world.Password)).shows(t, 422)
	b.signIn("mara@practice.test", goodPassword).leads(t, "/dashboard")
	if strings.Contains(s.log.String(), strings.TrimPrefix(link, "/reset/")) || strings.Contains(s.log.String(), "practice.test") {
		t.Error("the log holds a link or an address")
	}

	w.Pass(2 * time.Hour)
	b.post("/forgot", form("email", "mara@practice.test"))
	w.RunJobs(t)
	late := "/reset/" + w.Link(t, "mara@practice.test", "/reset/")
	w.Pass(31 * time.Minute)
	b.get(late).shows(t, 410, "This link has ended", "Send me a new link")
}

func TestAPractitionerSignsUpBehindALink(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	b := s.browser(t, w)
	page := b.get("/sign-up").shows(t, 200, "This page is for practitioners.", "Are you a client?", `href="/join/lost"`)
	if strings.Contains(page.text, `type="password"`) {
		t.Error("the page asks for a password before the address is proved")
	}
	b.post("/sign-up", form("name", "Annie Noda", "email", "annie@new.test", "password", goodPassword)).leads(t, "/sign-up?said=sent")
	b.get("/sign-up?said=sent").shows(t, 200, "Check your e-mail.")
	w.RunJobs(t)
	link := "/confirm/" + w.Link(t, "annie@new.test", "/confirm/")
	b.get(link).shows(t, 200, "Annie Noda", "annie@new.test", `autocomplete="username"`, "Confirm")
	b.post(link, form("password", "annie noda annie noda")).shows(t, 422, "name", "Annie Noda")
	b.post(link, form("password", goodPassword, "email", "other@new.test")).leads(t, "/practice/new")
	b.get("/practice/new").shows(t, 200, "Your practice", "data-guess-zone", "Annie Noda")
	b.post("/practice/new", form("practice", "", "zone", "")).shows(t, 422, "Enter the name of your practice")
	b.post("/practice/new", form("practice", "Harbor & <b>Sons</b>", "zone", "Moon/Far")).shows(t, 422, "Choose the time zone", `value="Harbor &amp; &lt;b&gt;Sons&lt;/b&gt;"`)
	before := b.cookies[s.sessionCookie()]
	b.post("/practice/new", form("practice", "Harbor Practice", "zone", "Europe/Paris")).leads(t, "/dashboard")
	if b.cookies[s.sessionCookie()] == before {
		t.Error("the session at work is the one from before")
	}
	b.get("/dashboard").leads(t, "/settings/second-step") // nobody sees a client without one
	if a := b.get("/settings").shows(t, 200, "Annie Noda"); strings.Contains(a.text, `href="/people"`) {
		t.Error("the list of clients is offered before there is a second step")
	}
	b.armed("")
	b.get("/settings").shows(t, 200, "Harbor Practice", "Paris time", `href="/people"`)
	b.get("/practice/new").leads(t, "/dashboard")
	b.post("/practice/new", form("practice", "Another", "zone", "Europe/Paris")).leads(t, "/dashboard")
	b.get("/sign-up").leads(t, "/practice/new")
	b.get(link).shows(t, 410, "This link has been used", "/sign-in")
	s.browser(t, w).post("/sign-in", form("email", "annie@new.test", "password", goodPassword)).leads(t, stepPath)
}

func TestSigningUpSaysTheSameToEverybody(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	w.Update(t, func(tx *db.Tx) error { return people.Invite(tx, w.Mara, w.Theo, "") })
	w.Pass(2 * time.Minute)
	s := serve(t, w)
	for _, name := range []string{"Annie Noda", "", strings.Repeat("x", 130), "a\u202eb"} {
		ask := func(to string) string {
			return bare(s.browser(t, w).post("/sign-up", form("name", name, "email", to)), to)
		}
		fresh, known, invited := ask("fresh@example.com"), ask("mara@practice.test"), ask("theo@example.com")
		if fresh != known || fresh != invited {
			t.Errorf("for the name %q the answer tells what is known of an address:\n%s\n%s\n%s", name, fresh, known, invited)
		}
	}
	w.RunJobs(t)
	w.Link(t, "fresh@example.com", "/confirm/")
	w.Link(t, "theo@example.com", "/join/")
	if last := w.Letters("mara@practice.test"); len(last) != 1 || !strings.Contains(last[0].Subject, "already have an account") {
		t.Errorf("Mara got %d letters, want one that says she has an account", len(last))
	}
}

func TestASignUpIsConfirmedOnceByWhoeverIsFirst(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	for range 2 {
		s.browser(t, w).post("/sign-up", form("name", "Annie Noda", "email", "annie@new.test"))
		w.RunJobs(t)
	}
	var links []string
	for _, l := range w.Letters("annie@new.test") {
		_, rest, _ := strings.Cut(l.Text, world.Base+"/confirm/")
		links = append(links, "/confirm/"+strings.Fields(rest)[0])
	}
	if len(links) != 2 {
		t.Fatalf("%d links, want 2", len(links))
	}
	codes := at16(func() int { return s.browser(t, w).post(links[0], form("password", goodPassword)).Code })
	if codes[303] != 1 || codes[410] != 15 {
		t.Errorf("16 presses at once: %v, want one that is let in and 15 that are told", codes)
	}
	s.browser(t, w).post(links[1], form("password", goodPassword)).shows(t, 409, "There is an account already", `href="/sign-in"`)
}

// at16 does the same 16 times at once and counts the answers.
func at16(do func() int) map[int]int {
	var all sync.WaitGroup
	var mu sync.Mutex
	codes := map[int]int{}
	for range 16 {
		all.Go(func() {
			code := do()
			mu.Lock()
			defer mu.Unlock()
			codes[code]++
		})
	}
	all.Wait()
	return codes
}

func TestHelpReachesSupport(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	b := s.browser(t, w)
	b.get("/help").shows(t, 200, "Still Need Help?", "Please leave out health details.")
	b.post("/help", form("email", "", "happened", "")).shows(t, 422, "so that we can answer", "Say what happened")
	b.post("/help", form("email", "x@y.test\r\nBcc: z@y.test", "happened", "a")).shows(t, 422, "e-mail address")
	b.post("/help", form("email", "rashida@example.com", "happened", strings.Repeat("é", 4001))).shows(t, 422, "at most 4000 characters", `value="rashida@example.com"`, "ééé")
	words := "I cannot sign in.\n<script>alert(1)</script> ⟦base⟧ 🙂"
	b.post("/help", form("email", "rashida@example.com", "happened", words)).leads(t, "/help?said=sent")
	b.get("/help?said=sent").shows(t, 200, "Your message is on its way")
	w.RunJobs(t)
	s.browser(t, w).as("mara@practice.test").post("/help", form("happened", "From inside")).leads(t, "/help?said=sent")
	w.RunJobs(t)
	got := w.Letters("help@icouch.test")
	if len(got) != 2 {
		t.Fatalf("%d letters to support, want 2", len(got))
	}
	if got[0].ReplyTo != "rashida@example.com" || !strings.Contains(got[0].Text, "I cannot sign in.") || strings.Contains(got[0].HTML, "<script>") || strings.Contains(got[0].Text, world.Base) {
		t.Errorf("the letter is answered to %q and says: %s", got[0].ReplyTo, got[0].Text)
	}
	if got[1].ReplyTo != "mara@practice.test" || !strings.Contains(got[1].Text, string(w.Mara.Account())) {
		t.Errorf("the letter from inside is answered to %q and says: %s", got[1].ReplyTo, got[1].Text)
	}
	if strings.Contains(got[0].Subject+got[1].Subject, "sign in") {
		t.Error("the subject holds what was written")
	}
	for range 8 {
		b.post("/help", form("email", "rashida@example.com", "happened", "again")).leads(t, "/help?said=sent")
	}
	b.post("/help", form("email", "rashida@example.com", "happened", "and again")).shows(t, 429, "many messages from your network", "and again")
}

func TestWithoutSupportThePageSaysSo(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	s.Support = email.Address{}
	b := s.browser(t, w)
	page := b.get("/help").shows(t, 200, "No support address is set up here", "contact your practice")
	if strings.Contains(page.text, `name="happened"`) {
		t.Error("the page takes a message that nobody gets")
	}
	b.post("/help", form("email", "a@example.com", "happened", "x")).shows(t, 409, "Nobody would get this")
}

func TestChoicesChangeOnlyByPost(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	a, err := email.Parse("theo@example.com")
	if err != nil {
		t.Fatal(err)
	}
	var link string
	w.View(t, func(tx *db.Tx) (err error) {
		link, err = letter.ChoicesToken(tx, access.Guest(), a)
		return err
	})
	link = "/choices/" + link
	no := func() (no bool) {
		w.View(t, func(tx *db.Tx) (err error) {
			no, err = letter.Declined(tx, access.Guest(), a)
			return err
		})
		return no
	}
	b := s.browser(t, w)
	for range 3 {
		b.get(link).shows(t, 200, "E-mail choices", "theo@example.com", "Save my choices")
		b.get(link+"?List-Unsubscribe=One-Click").shows(t, 200)
	}
	if no() {
		t.Fatal("looking declined")
	}
	b.post(link, form("invitations", "perhaps")).shows(t, 422, "Choose one of the two.")
	b.post(link, form("invitations", "declined")).leads(t, link+"?said=saved")
	b.get(link+"?said=saved").shows(t, 200, "Your choice is saved.")
	if !no() {
		t.Error("declining did nothing")
	}
	b.post(link, form("invitations", "wanted")).leads(t, link+"?said=saved")
	if no() {
		t.Error("wanting did nothing")
	}
	for _, kind := range []string{"application/x-www-form-urlencoded", "multipart/form-data; boundary=x"} {
		b.post(link, form("invitations", "wanted"))
		body := "List-Unsubscribe=One-Click"
		if strings.HasPrefix(kind, "multipart") {
			body = "--x\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x--\r\n"
		}
		request(t, s, "POST", link, body, "Content-Type", kind).shows(t, 200, "No more invitations")
		if !no() {
			t.Errorf("a mail program's Unsubscribe by %s did nothing", kind)
		}
	}
	b.get("/choices/made-up").shows(t, 404, "This link does not work")
	b.post("/choices/made-up", form("invitations", "declined")).shows(t, 404)
}

func TestReportsOfRefusedThingsNameNoAddress(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	report := `[{"type":"csp-violation","url":"https://icouch.test/join/SECRET","body":{"documentURL":"https://icouch.test/join/SECRET","effectiveDirective":"script-src-elem","blockedURL":"https://evil.test/SECRET"}}]`
	request(t, s, "POST", "/csp", report, "Content-Type", "application/reports+json").shows(t, 204)
	request(t, s, "POST", "/csp", `{"csp-report":{"violated-directive":"img-src 'self'","blocked-uri":"data"}}`).shows(t, 204)
	request(t, s, "POST", "/csp", `{"csp-report":{"violated-directive":"<b>SECRET","blocked-uri":"x SECRET"}}`).shows(t, 204)
	request(t, s, "POST", "/csp", "no report").shows(t, 204)
	request(t, s, "POST", "/csp", strings.Repeat("x", 20<<10)).shows(t, 413)
	log := s.log.String()
	for _, words := range []string{`directive=script-src-elem blocked="another site"`, "directive=img-src blocked=data", "directive=unknown blocked=unknown"} {
		if !strings.Contains(log, words) {
			t.Errorf("the log does not say %s:\n%s", words, log)
		}
	}
	if strings.Contains(log, "SECRET") || strings.Contains(log, "evil") {
		t.Errorf("the log holds an address:\n%s", log)
	}
}

func TestReportsOfRefusedThingsFromOneAddressAreLimited(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	report := func(from string) int {
		r := httptest.NewRequestWithContext(t.Context(), "POST", world.Base+"/csp", strings.NewReader(`[{"body":{"effectiveDirective":"img-src","blockedURL":"data"}}]`))
		r.RemoteAddr = from + ":4711"
		rec := httptest.NewRecorder()
		s.handler.ServeHTTP(rec, r)
		return rec.Code
	}
	for n := range mostReported {
		if code := report("203.0.113.7"); code != 204 {
			t.Fatalf("report %d is answered with %d", n+1, code)
		}
	}
	if code := report("203.0.113.7"); code != 429 {
		t.Errorf("one too many is answered with %d", code)
	}
	if n := strings.Count(s.log.String(), "page refused"); n != mostReported {
		t.Errorf("the log tells of %d, want %d", n, mostReported)
	}
	if code := report("203.0.113.8"); code != 204 {
		t.Errorf("that of another address is answered with %d", code)
	}
	w.Pass(time.Hour)
	if code := report("203.0.113.7"); code != 204 {
		t.Errorf("an hour later, it is answered with %d", code)
	}
}

func TestMachinesAndThoseInCrisisGetAnAnswer(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	request(t, s, "GET", "/health", "").shows(t, 200, "ok")
	request(t, s, "GET", "/robots.txt", "").shows(t, 200, "Disallow: /")
	request(t, s, "GET", "/crisis", "").shows(t, 200, `href="tel:988"`, `href="tel:116123"`, `href="tel:131114"`, `href="tel:1737"`, `href="sms:988"`, "Call\u00a0988 · Suicide and crisis line", "Text 988", "We keep no record of who opens this page.")
	for languages, first := range map[string]string{"": "United States", "en": "United States", "*": "United States", "en-IE,en;q=0.8": "Ireland", "mi, en-nz;q=0.9": "New Zealand", "de-DE": "European Union", "zh-Hant-TW, en-AU": "Australia"} {
		page := request(t, s, "GET", "/crisis", "", "Accept-Language", languages).shows(t, 200, "Samaritans", "Lifeline", "Anywhere else")
		_, after, _ := strings.Cut(page.text, "<h2>")
		if head, _, _ := strings.Cut(after, "</h2>"); !strings.Contains(head, first) {
			t.Errorf("%q has %q first, want %q", languages, head, first)
		}
		if n := strings.Count(page.text, "<h2>"); n != len(crisisLines)+1 {
			t.Errorf("%q has %d places, want all %d", languages, n, len(crisisLines)+1)
		}
	}
	w.DB.Close()
	request(t, s, "GET", "/health", "").shows(t, 503, "not ready")
	request(t, s, "GET", "/crisis", "").shows(t, 200, `href="tel:988"`)
}

func TestABodyThatIsTooLargeIsSaidSo(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	b := s.browser(t, w).as("mara@practice.test")
	for _, path := range []string{"/sign-in", "/forgot", "/sign-up", "/help", "/settings/name", "/settings/password", "/settings/zone", "/settings/practice", "/settings/email"} {
		b.post(path, form("email", strings.Repeat("x", 70<<10))).shows(t, 413, "too large")
	}
}

// TestAskingTooOftenTellsNothing asks again and again for an address with an
// account, one with an invitation, and one that nobody knows: what is counted
// is what was typed, not what there is.
func TestAskingTooOftenTellsNothing(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	w.Update(t, func(tx *db.Tx) error { return people.Invite(tx, w.Mara, w.Theo, "") })
	changes := regexp.MustCompile(`nonce="[^"]*"|nonce-[A-Za-z0-9]+`)
	for door, limited := range map[string]int{"/join/lost": 2, "/forgot": 0} { // "/forgot" sends nothing more and says the same
		told := map[string][]string{}
		for _, address := range []string{"mara@practice.test", "theo@example.com", "nobody@example.com"} {
			mailbox, host, _ := strings.Cut(address, "@")
			for _, a := range []string{address, mailbox + "+1@" + host, strings.ToUpper(address), mailbox + "+2@" + host, address} {
				got := s.browser(t, w).post(door, form("email", a))
				page := strings.ReplaceAll(strings.ReplaceAll(got.text, a, "…"), "&#43;", "+")
				told[address] = append(told[address], fmt.Sprint(got.Code, got.Header().Get("Location"), got.Header().Get("Retry-After"), got.Header().Values("Set-Cookie"),
					changes.ReplaceAllString(strings.ReplaceAll(page, a, "…"), "")))
			}
			w.RunJobs(t) // what came of it changes nothing either
		}
		unknown := told["nobody@example.com"]
		if n := strings.Count(strings.Join(unknown, "\n"), "429"); n != limited {
			t.Errorf("%s refuses %d of five asks, want %d: %.300q", door, n, limited, unknown)
		}
		for address, got := range told {
			for i := range got {
				if got[i] != unknown[i] {
					t.Errorf("%s, ask %d: %s is told\n%.600s\nand nobody\n%.600s", door, i+1, address, got[i], unknown[i])
				}
			}
		}
	}
}
