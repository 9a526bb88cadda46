package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/at"
	"icouch/internal/base/email"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/world"
)

// invite has a client invited and returns the path of their link.
func invite(t *testing.T, w *world.World, by access.Actor, c id.Client, address string) string {
	t.Helper()
	w.Update(t, func(tx *db.Tx) error { return people.Invite(tx, by, c, "") })
	w.RunJobs(t)
	return "/join/" + w.Link(t, address, "/join/")
}

// offering is a world in which Theo is invited, its site, and his link.
func offering(t *testing.T) (*world.World, *served, string) {
	t.Helper()
	w := world.New(t)
	return w, serve(t, w), invite(t, w, w.Mara, w.Theo, "theo@example.com")
}

func accountsOf(t *testing.T, w *world.World) (n int) {
	t.Helper()
	if err := w.DB.Row(t.Context(), "SELECT COUNT(*) FROM account", nil, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

func sessions(t *testing.T, w *world.World) (n int) {
	t.Helper()
	if err := w.DB.Row(t.Context(), "SELECT COUNT(*) FROM session", nil, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

func live(t *testing.T, w *world.World, link string) bool {
	t.Helper()
	var o people.Offer
	w.View(t, func(tx *db.Tx) (err error) {
		o, err = people.Look(tx, access.Guest(), secret.ParseToken(strings.TrimPrefix(link, "/join/")))
		return err
	})
	return o.Fault() == nil
}

var good = url.Values{"password": {"seven herons over the weir"}}

func TestAClientComesFromTheLetterToTheirPrivatePlace(t *testing.T) {
	t.Parallel()
	w, s, link := offering(t)
	b := s.browser(t, w)
	b.get(link).shows(t, 200, "Mara Lindqvist at The Practice of Mara invites you to iCouch", "Theo Vance", "theo@example.com", `autocomplete="username" readonly`,
		"15 characters or more. A short sentence works well.", "You can change your details later.", ">Sign Up<", "I already have an account", "Thu 28 Mar, 9:00\u00a0am, New\u00a0York\u00a0time")
	b.post(link, good).leads(t, "/welcome")
	b.get("/welcome").shows(t, 200, `value="America/New_York" selected`, "New York · 9:00\u00a0am", "js/welcome.")
	b.post("/welcome", url.Values{"zone": {"Europe/London"}}).leads(t, "/dashboard")
	home := b.get("/dashboard").shows(t, 200, "Hello, Theo", "This is your private place", "Mara Lindqvist", "The Practice of Mara", "London time", "/settings", "/crisis")
	for _, not := range []string{"/messaging", "/appointments", "not confirmed yet"} {
		if strings.Contains(home.text, not) {
			t.Errorf("the first page has %q, which does not exist yet", not)
		}
	}
	s.browser(t, w).get(link).shows(t, 410, "This invitation was used", "Thu 14 Mar, 9:00\u00a0am, New\u00a0York\u00a0time", "/sign-in", "Forgot password?", "Send me a new link")
	w.RunJobs(t)
	if n := len(w.Letters("mara@practice.test")); n != 1 {
		t.Errorf("who invited got %d letters, want 1 that somebody accepted", n)
	}
	if strings.Contains(s.log.String(), strings.TrimPrefix(link, "/join/")) || strings.Contains(s.log.String(), "theo@") {
		t.Error("the log holds the link or the address")
	}
}

func TestEdge01_AMailFilterLeavesTheLinkAsItWas(t *testing.T) {
	t.Parallel()
	w, s, link := offering(t)
	w.Pass(2 * time.Minute) // a second letter could go out by now
	before, sat := accountsOf(t, w), sessions(t, w)
	for range 5 {
		for _, tr := range []struct {
			method, path string
			form         url.Values
			header       [2]string
		}{
			{"HEAD", link, nil, [2]string{}},
			{"GET", link, nil, [2]string{"User-Agent", "BarracudaCentral"}},
			{"GET", link, nil, [2]string{"Sec-Purpose", "prefetch;prerender"}},
			{"GET", link, nil, [2]string{"Purpose", "prefetch"}},
			{"GET", link + "/sign-in", nil, [2]string{}},
			{"OPTIONS", link, nil, [2]string{}},
			{"POST", link, url.Values{}, [2]string{}},
			{"POST", link, url.Values{"password": {""}}, [2]string{}},
			{"POST", link + "/new-link", url.Values{}, [2]string{}},
			{"POST", link + "/switch", url.Values{}, [2]string{}},
			{"POST", link + "/acceptance", url.Values{}, [2]string{}},
			{"POST", link + "/sign-in", url.Values{}, [2]string{}},
		} {
			r := httptest.NewRequestWithContext(t.Context(), tr.method, world.Base+tr.path, strings.NewReader(tr.form.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if tr.header[0] != "" {
				r.Header.Set(tr.header[0], tr.header[1])
			}
			rec := httptest.NewRecorder()
			s.handler.ServeHTTP(rec, r)
			for _, c := range rec.Result().Cookies() {
				if c.MaxAge >= 0 {
					t.Errorf("%s %s hands out the cookie %s", tr.method, tr.path[len(link):], c.Name)
				}
			}
		}
	}
	if !live(t, w, link) || accountsOf(t, w) != before || sessions(t, w) != sat {
		t.Error("looking, or pressing without a password, has changed something")
	}
	w.RunJobs(t)
	if n := len(w.Letters("theo@example.com")); n != 1 {
		t.Errorf("the client has %d letters, want the 1 they had", n)
	}
	s.browser(t, w).post(link, good).leads(t, "/welcome")
}

func TestEdge02_FiftyPressesMakeOneAccount(t *testing.T) {
	t.Parallel()
	w, s, link := offering(t)
	before := accountsOf(t, w)
	var mu sync.Mutex
	got := map[int]int{}
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			b := s.browser(t, w)
			a := b.post(link, good)
			mu.Lock()
			defer mu.Unlock()
			got[a.Code]++
			if a.Code == 303 && b.cookies[s.sessionCookie()] == "" || a.Code != 303 && b.cookies[s.sessionCookie()] != "" {
				t.Error("a session for somebody who did not win, or none for who did")
			}
			if a.Code == http.StatusGone && !strings.Contains(a.text, "This invitation was used") {
				t.Error("who came second is not told why")
			}
		})
	}
	all.Wait()
	if got[303] != 1 || got[303]+got[http.StatusGone] != 50 {
		t.Errorf("answers %v, want one 303 and 49 times 410", got)
	}
	if n := accountsOf(t, w) - before; n != 1 {
		t.Errorf("%d accounts, want 1", n)
	}
}

func TestEdge02_ARefusedPasswordLeavesTheLinkAndThePage(t *testing.T) {
	t.Parallel()
	w, s, link := offering(t)
	b := s.browser(t, w)
	for _, pw := range []string{"", "short", "Theo Vance Theo Vance", "thepracticeofmara", "theo@example.com", strings.Repeat("x", 300), "aaaaaaaaaaaaaaaaaaaa", "line\r\nbreak and so on and on", "<script>\x00alert(1)</script>"} {
		a := b.post(link, url.Values{"password": {pw}}).shows(t, 422, "There is a problem", `href="#f-password"`, "Error: Create your account", "Theo Vance", ">Sign Up<")
		if strings.Contains(a.text, `name="password" type="password" value`) || strings.Contains(a.text, `"short"`) {
			t.Error("the page shows the refused password")
		}
	}
	if !live(t, w, link) {
		t.Fatal("a refused password has used the link up")
	}
	b.post(link, url.Values{"password": {"seven herons 🦆 over the \u202eweir"}}).leads(t, "/welcome")
}

func TestAFormMuchTooLargeIsRefused(t *testing.T) {
	t.Parallel()
	w, s, link := offering(t)
	b := s.browser(t, w)
	b.post(link, url.Values{"password": {strings.Repeat("y", 70<<10)}}).shows(t, 413, "That is too large")
	b.post("/join/lost", url.Values{"email": {strings.Repeat("y", 70<<10)}}).shows(t, 413, "That is too large")
	if !live(t, w, link) {
		t.Error("the link is gone")
	}
}

func TestTK07_APostedAddressIsIgnored(t *testing.T) {
	t.Parallel()
	w, s, link := offering(t)
	s.browser(t, w).post(link, url.Values{"password": good["password"], "email": {"thief@example.net"}, "name": {"Thief"}}).leads(t, "/welcome")
	w.View(t, func(tx *db.Tx) error {
		theo, _ := email.Parse("theo@example.com")
		who, err := account.ByEmail(tx, access.Guest(), theo)
		if err != nil || who.Name != "Theo Vance" {
			t.Errorf("the account is not the invited person's: %v", err)
		}
		return nil
	})
	if log := s.log.String(); !strings.Contains(log, "of its own") || strings.Contains(log, "thief@") {
		t.Error("the log does not say so, or says too much")
	}
}

var changing = regexp.MustCompile(`nonce-?="?[A-Z0-9]+"?|<code id="suggested">[^<]*</code>|/join/[A-Za-z0-9_-]{20,}`)

// TestTK08 compares the pages of an address that has an account with those of
// one that has none.
func TestTK08_ThePagesOfALinkDoNotTellWhetherTheAddressHasAnAccount(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	known, unknown := "kim@example.com", "kym@example.com"
	w.Account(t, "Kim Doe", known)
	pages := map[string]map[string]string{}
	for _, a := range []string{known, unknown} {
		link := invite(t, w, w.Mara, w.Client(t, w.Mara, people.Draft{First: "Kim", Last: "Doe", Email: a, EmailConsent: true}), a)
		pages[a] = map[string]string{}
		for _, sub := range []string{"", "/sign-in"} {
			got := s.browser(t, w).get(link+sub).shows(t, 200)
			h := got.Header().Clone()
			h.Del("Content-Security-Policy")
			text := strings.ReplaceAll(changing.ReplaceAllString(got.text, "…"), a, "the address")
			pages[a][sub] = text + strings.Join(h.Values("Set-Cookie"), "") + h.Get("Content-Type")
		}
	}
	for sub, text := range pages[known] {
		if text != pages[unknown][sub] {
			t.Errorf("the pages%s of a known and an unknown address differ:\n%s\n\n%s", sub, text, pages[unknown][sub])
		}
	}
	if !strings.Contains(pages[known][""], "the address") {
		t.Fatal("nothing was compared")
	}
}

func TestTK08_WhoHasAnAccountSignsInToAccept(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	w.Account(t, "Theo Vance", "theo@example.com")
	link := invite(t, w, w.Mara, w.Theo, "theo@example.com")
	b := s.browser(t, w)
	b.post(link, good).shows(t, 409, "You already have an account with this address. Sign in to accept the invitation; your password stays as it is.", `action="`+link+`/sign-in"`, ">Sign In<")
	if b.cookies[s.sessionCookie()] != "" || !live(t, w, link) {
		t.Fatal("a session without the password, or the link is used up")
	}
	b.post(link+"/sign-in", url.Values{"email": {"theo@example.com"}, "password": good["password"]}).shows(t, 422, "do not match", `value="theo@example.com"`)
	b.post(link+"/sign-in", url.Values{"email": {"theo@example.com"}, "password": {world.Password}}).leads(t, link)
	if !live(t, w, link) {
		t.Fatal("signing in has accepted by itself")
	}
	b.get(link).shows(t, 200, "Add The Practice of Mara to your account?", ">Accept<")
	b.get(link+"/sign-in").leads(t, link)
	b.post(link+"/acceptance", url.Values{}).leads(t, "/dashboard?said=accepted")
	b.get("/dashboard").shows(t, 200, "Hello, Theo")
	b.post(link+"/acceptance", url.Values{}).shows(t, 410, "This invitation was used", "Go to the dashboard")
}

func TestEdge08_SomebodyElseIsAskedAndAcceptsNothing(t *testing.T) {
	t.Parallel()
	w, s, link := offering(t)
	b := s.browser(t, w).as("mara@practice.test")
	b.get(link).shows(t, 200, "This invitation is for another e-mail", "You are signed in as Mara Lindqvist", "mara@practice.test", "Theo Vance", "theo@example.com", ">Switch account<", ">Stay<")
	b.post(link, good).shows(t, 409, "Nothing was accepted yet", ">Switch account<")
	b.post(link+"/acceptance", url.Values{}).shows(t, 409, "another e-mail address than the one that was invited")
	if !live(t, w, link) {
		t.Fatal("somebody else has used the link up")
	}
	b.get("/dashboard").shows(t, 200, "Good morning, Mara Lindqvist")
	b.post(link+"/switch", url.Values{}).leads(t, link)
	b.get(link).shows(t, 200, ">Sign Up<")
	b.get("/dashboard").leads(t, "/sign-in")
	b.post(link, good).leads(t, "/welcome")
}

func TestEdge06_TheLinkWorksInTheSecondTabToo(t *testing.T) {
	t.Parallel()
	w, s, link := offering(t)
	b, phone := s.browser(t, w), s.browser(t, w)
	for range 3 {
		b.get(link).shows(t, 200, ">Sign Up<")
		phone.get(link).shows(t, 200, ">Sign Up<")
	}
	phone.post(link, good).leads(t, "/welcome")
	b.post(link, good).shows(t, 410, "This invitation was used", "Sign In")
}

// TestTK19 looks at each way in which a link is dead.
func TestTK19_ADeadLinkSaysWhatBecameOfItAndNothingElse(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		kill   func(*testing.T, *world.World, *served, string)
		status int
		words  []string
		mail   int // letters to the client after asking for a new link
	}{
		"expired": {func(t *testing.T, w *world.World, _ *served, _ string) { w.Pass(14*24*time.Hour + time.Second) }, 410,
			[]string{"This link has ended", "It ended on Thu 28 Mar, 9:00\u00a0am, New\u00a0York\u00a0time", "Send me a new link"}, 2},
		"replaced": {func(t *testing.T, w *world.World, _ *served, _ string) {
			w.Pass(2 * time.Hour)
			w.Update(t, func(tx *db.Tx) error { return people.Resend(tx, w.Mara, w.Theo, "") })
			w.RunJobs(t)
			w.Pass(2 * time.Minute)
		}, 410, []string{"There is a newer link", "on Thu 14 Mar, 11:00\u00a0am, New\u00a0York\u00a0time", "Send me a new link"}, 3},
		"replaced by hand": {func(t *testing.T, w *world.World, _ *served, _ string) {
			w.Pass(2 * time.Minute)
			w.Update(t, func(tx *db.Tx) error { _, err := people.CopyLink(tx, w.Mara, w.Theo); return err })
			w.Pass(2 * time.Minute)
		}, 410, []string{"There is a newer link", "Your practice made a newer link for you", "Send me a new link"}, 2},
		"replaced, then withdrawn": {func(t *testing.T, w *world.World, _ *served, _ string) {
			w.Pass(2 * time.Minute)
			w.Update(t, func(tx *db.Tx) error { return people.Resend(tx, w.Mara, w.Theo, "") })
			w.Update(t, func(tx *db.Tx) error { return people.Withdraw(tx, w.Mara, w.Theo) })
		}, 410, []string{"This invitation was withdrawn", "Your practice will be asked first."}, 1},
		"used": {func(t *testing.T, w *world.World, s *served, link string) { s.browser(t, w).post(link, good) }, 410,
			[]string{"This invitation was used", "It was used on Thu 14 Mar, 9:00\u00a0am, New\u00a0York\u00a0time", "/sign-in", "Forgot password?", "Send me a new link"}, 2},
		"withdrawn": {func(t *testing.T, w *world.World, _ *served, _ string) {
			w.Update(t, func(tx *db.Tx) error { return people.Withdraw(tx, w.Mara, w.Theo) })
		}, 410, []string{"This invitation was withdrawn", "It was withdrawn on Thu 14 Mar, 9:00\u00a0am, New\u00a0York\u00a0time", "Your practice will be asked first.", "Send me a new link"}, 1},
		"care ended": {func(t *testing.T, w *world.World, _ *served, _ string) {
			w.Update(t, func(tx *db.Tx) error { return people.EndCare(tx, w.Mara, w.Theo, at.Of(w.Now())) })
		}, 410, []string{"This invitation was withdrawn"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, s, link := offering(t)
			tc.kill(t, w, s, link)
			b := s.browser(t, w)
			for _, a := range []answer{b.get(link), b.post(link, good), b.get(link + "/sign-in"), b.post(link+"/sign-in", url.Values{"email": {"theo@example.com"}, "password": {world.Password}})} {
				a.shows(t, tc.status, tc.words...)
				for _, not := range []string{"Theo", "theo@", "Mara", "The Practice of"} {
					if strings.Contains(a.text, not) {
						t.Errorf("the page of a dead link shows %q", not)
					}
				}
			}
			sent, says := "/join/sent", "If this address was invited, a new e-mail is on its way."
			if slices.Contains(tc.words, "This invitation was withdrawn") {
				sent, says = "/join/sent?said=asked", "No e-mail is on its way yet. If your practice agrees, it sends you a new link."
			}
			b.post(link+"/new-link", url.Values{}).leads(t, sent)
			b.get(sent).shows(t, 200, says)
			w.RunJobs(t)
			if n := len(w.Letters("theo@example.com")); n != tc.mail {
				t.Errorf("the client has %d letters, want %d", n, tc.mail)
			}
			b.post(link+"/new-link", url.Values{}).leads(t, sent)
			b.post(link+"/new-link", url.Values{}).leads(t, sent)
			b.post(link+"/new-link", url.Values{}).shows(t, 429, "too often", "Send me a new link")
		})
	}
}

func TestTK12_AnAddressIsAnsweredTheSameWhetherInvitedOrNot(t *testing.T) {
	t.Parallel()
	w, s, link := offering(t)
	w.Pass(15 * 24 * time.Hour)
	b := s.browser(t, w)
	made := "/join/" + secret.NewToken().Reveal()
	b.get(made).shows(t, 404, "This link does not work any more", `name="email"`, `action="/join/lost"`)
	b.get("/join/"+strings.Repeat("%3Cscript%3E", 20)).shows(t, 404, "This link does not work any more")
	b.post(made, good).shows(t, 404, "This link does not work any more")
	b.post(made+"/new-link", url.Values{}).leads(t, "/join/sent")
	b.get("/join/lost").shows(t, 200, "Find your invitation")
	var seen []string
	for _, a := range []string{"theo@example.com", "THEO@example.com", "nobody@example.com", "mara@practice.test"} {
		got := b.post("/join/lost", url.Values{"email": {a}}).leads(t, "/join/sent")
		h := got.Header().Clone()
		h.Del("Content-Security-Policy")
		seen = append(seen, got.text+h.Get("Set-Cookie"))
	}
	for _, text := range seen[1:] {
		if text != seen[0] {
			t.Errorf("the answers differ: %q and %q", seen[0], text)
		}
	}
	w.RunJobs(t)
	if a, n := len(w.Letters("theo@example.com")), len(w.Letters("nobody@example.com")); a != 2 || n != 0 {
		t.Errorf("the client has %d letters, want 2; nobody has %d, want none", a, n)
	}
	b.get(link).shows(t, 410, "There is a newer link")
	for _, bad := range []string{"", "nobody", "a@b", "x\r\nBcc: y@example.com", `"<script>"@example.com`, "\u202etheo@example.com"} {
		b.post("/join/lost", url.Values{"email": {bad}}).shows(t, 422, "There is a problem", `href="#f-email"`)
	}
}

func TestTK13_ANewLinkIsAskedForThreeTimesAnHour(t *testing.T) {
	t.Parallel()
	w, s, _ := offering(t)
	b := s.browser(t, w)
	for _, a := range []string{"no.body@example.com", "nobody@example.com", "nobody+x@example.com"} {
		b.post("/join/lost", url.Values{"email": {a}}).leads(t, "/join/sent")
	}
	b.post("/join/lost", url.Values{"email": {"nobody+y@example.com"}}).shows(t, 429, "too often", "nobody+y@example.com")
	for i := range 16 {
		b.post("/join/lost", url.Values{"email": {string(rune('a'+i)) + "@example.com"}}).leads(t, "/join/sent")
	}
	b.post("/join/lost", url.Values{"email": {"z@example.com"}}).shows(t, 429, "too often")
	w.Pass(61 * time.Minute)
	b.post("/join/lost", url.Values{"email": {"z@example.com"}}).leads(t, "/join/sent")
}

func TestTheTimeZoneIsAskedForInWords(t *testing.T) {
	t.Parallel()
	w, s, link := offering(t)
	s.browser(t, w).get("/welcome").leads(t, "/sign-in?next=%2Fwelcome")
	b := s.browser(t, w)
	b.post(link, good).leads(t, "/welcome")
	for _, zone := range []string{"", "Mars/Base", "<script>", "../../etc/passwd"} {
		b.post("/welcome", url.Values{"zone": {zone}}).shows(t, 422, "There is a problem", "Choose your time zone from the list", `href="#f-zone"`)
	}
	b.post("/welcome", url.Values{"zone": {"Asia/Calcutta"}}).leads(t, "/dashboard")
	b.get("/welcome").shows(t, 200, `value="Asia/Kolkata" selected`)
}

func TestTK20_ACopiedLinkLeavesTheAddressUnproved(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	var token secret.Token
	w.Update(t, func(tx *db.Tx) (err error) { token, err = people.CopyLink(tx, w.Mara, w.Theo); return err })
	b := s.browser(t, w)
	b.post("/join/"+token.Reveal(), good).leads(t, "/welcome")
	b.get("/dashboard").shows(t, 200, "Your e-mail address is not confirmed yet", "theo@example.com")
}

func TestEdge10_ASecondRecordOnOneAccountHasASwitcher(t *testing.T) {
	t.Parallel()
	w, s, link := offering(t)
	b := s.browser(t, w)
	b.post(link, good).leads(t, "/welcome")
	b.post("/welcome", url.Values{"zone": {"America/New_York"}}).leads(t, "/dashboard")
	rashida := w.Client(t, w.Mara, people.Draft{First: "Rashida", Email: "theo@example.com", EmailConsent: true})
	again := invite(t, w, w.Mara, rashida, "theo@example.com")
	b.get(again).shows(t, 200, "Add Rashida to your account?")
	b.post(again+"/acceptance", url.Values{}).leads(t, "/dashboard?said=accepted")
	b.get("/dashboard?said=accepted").shows(t, 200, "Accepted. This place is in your account now.", "This is the private place under the name Rashida", "You are signed in as Theo Vance", "You are looking at", "Theo Vance at The Practice of Mara")

	next := w.Client(t, w.Ines, people.Draft{First: "Theo", Last: "Vance", Email: "theo@example.com", EmailConsent: true})
	door := invite(t, w, w.Ines, next, "theo@example.com")
	page := b.get(door).shows(t, 200, "Add The Practice Next Door to your account?")
	if strings.Contains(page.text, "The Practice of Mara") {
		t.Error("a practice's invitation names another practice")
	}
	b.post(door+"/acceptance", url.Values{}).leads(t, "/dashboard?said=accepted")
	b.get("/places").shows(t, 200, "Your places", "at The Practice of Mara", "at The Practice Next Door", "You are here")

	to := placeValue(account.Place{Practice: w.Mara.Practice(), Client: w.Theo})
	b.post("/switch", url.Values{"place": {to}}).leads(t, "/dashboard")
	b.get("/dashboard").shows(t, 200, "Hello, Theo", "The Practice of Mara")
	for _, place := range []string{"", "x", "/", placeValue(account.Place{Practice: w.Mara.Practice()}), placeValue(account.Place{Practice: w.Ines.Practice(), Client: w.Theo}), "<script>/x"} {
		b.post("/switch", url.Values{"place": {place}}).shows(t, 404, "You cannot open that place any more.", "Your places")
	}
	b.get("/dashboard").shows(t, 200, "Hello, Theo")
	if guest := s.browser(t, w).post("/switch", url.Values{"place": {to}}); guest.Code != 404 {
		t.Errorf("a guest's switch is answered %d", guest.Code)
	}
}

func TestEdge15_EndedCareIsSaidWithItsDate(t *testing.T) {
	t.Parallel()
	w, s, link := offering(t)
	b := s.browser(t, w)
	b.post(link, good).leads(t, "/welcome")
	b.post("/welcome", url.Values{"zone": {"America/New_York"}}).leads(t, "/dashboard")
	w.Update(t, func(tx *db.Tx) error { return people.EndCare(tx, w.Mara, w.Theo, at.Of(w.Now())) })
	page := b.get("/dashboard").shows(t, 200, "Nothing is open just now", "at The Practice of Mara. Care ended Thu 14 Mar, 9:00\u00a0am, New\u00a0York\u00a0time", "/settings")
	if strings.Contains(page.text, "/practice/new") {
		t.Error("a client is led to making a practice")
	}
	to := placeValue(account.Place{Practice: w.Mara.Practice(), Client: w.Theo})
	b.post("/switch", url.Values{"place": {to}}).shows(t, 404, "You cannot open that place any more.")
	w.Update(t, func(tx *db.Tx) error { return people.ResumeCare(tx, w.Mara, w.Theo) })
	b.get("/dashboard").shows(t, 200, "Hello, Theo")
}

func TestALinkIsNotPressedFromAnotherSite(t *testing.T) {
	t.Parallel()
	w, s, link := offering(t)
	r := httptest.NewRequestWithContext(t.Context(), "POST", world.Base+link, strings.NewReader(good.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	rec := httptest.NewRecorder()
	s.handler.ServeHTTP(rec, r)
	if rec.Code != http.StatusForbidden || !live(t, w, link) {
		t.Errorf("answered %d", rec.Code)
	}
}

func TestHostileNamesAreShownAndNeverRun(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	c := w.Client(t, w.Mara, people.Draft{First: "<script>alert(1)</script>", Last: `"><img src=x>` + " 🦆", Email: "odd@example.com", EmailConsent: true})
	link := invite(t, w, w.Mara, c, "odd@example.com")
	b := s.browser(t, w)
	b.get(link).shows(t, 200, "&lt;script&gt;alert(1)&lt;/script&gt;", "🦆")
	b.post(link, good).leads(t, "/welcome")
	home := b.get("/dashboard").shows(t, 200, "&lt;script&gt;")
	if strings.Contains(home.text, "<img src=x>") || strings.Contains(home.text, "<script>alert") {
		t.Error("a name runs")
	}
}
