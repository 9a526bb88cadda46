package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/world"
)

// signsIn signs in by the form, with a browser that says what it is.
func (b *browser) signsIn(address, agent string) *browser {
	b.t.Helper()
	r := httptest.NewRequestWithContext(b.t.Context(), "POST", world.Base+"/sign-in", strings.NewReader(form("email", address, "password", world.Password).Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("User-Agent", agent)
	rec := httptest.NewRecorder()
	b.site.handler.ServeHTTP(rec, r)
	for _, c := range rec.Result().Cookies() {
		b.cookies[c.Name] = c.Value
	}
	return b
}

func TestAPersonSeesWhereTheyAreSignedInAndSignsOutThere(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	w.Account(t, "Pat Moor", "pat@example.com")
	const firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
	elsewhere, here := s.browser(t, w).signsIn("pat@example.com", firefox), s.browser(t, w).as("pat@example.com")
	colleague := s.browser(t, w).as(noor)

	page := here.get("/settings/devices").shows(t, 200, "Firefox on Windows", "This device", "Sign out everywhere else")
	if strings.Count(page.text, "This device") != 1 || strings.Contains(page.text, "192.0.2.1") {
		t.Errorf("devices: %s", clip(page.text))
	}
	_, rest, _ := strings.Cut(page.text, `action="/settings/devices/`)
	end, _, _ := strings.Cut(rest, `"`)
	colleague.post("/settings/devices/"+end, nil).leads(t, "/settings/devices?said=gone")
	elsewhere.get("/settings").shows(t, 200)
	here.post("/settings/devices/"+end, nil).leads(t, "/settings/devices?said=ended")
	elsewhere.get("/settings").leads(t, "/sign-in?next=%2Fsettings") // at once, though it was remembered
	here.post("/settings/devices/"+end, nil).leads(t, "/settings/devices?said=gone")
	here.get("/settings/devices?said=gone").shows(t, 200, "signed out already")

	again := s.browser(t, w).as("pat@example.com")
	again.get("/settings").shows(t, 200)
	here.post("/settings/devices/others/end", nil).leads(t, "/settings/devices?said=others")
	again.get("/settings").leads(t, "/sign-in?next=%2Fsettings")
	here.get("/settings/devices?said=others").shows(t, 200, "You are signed out everywhere else")
}

func TestAPracticeChoosesHowLongPeopleStaySignedIn(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	heads := s.browser(t, w).as(mara)
	heads.get("/settings").shows(t, 200, "After 15 minutes; clients after 30 minutes")
	heads.get("/settings/idle").shows(t, 200, "Automatic sign-out")
	for _, wrong := range []string{"", "0", "61", "-5", "7", "99999999999999999999"} {
		heads.post("/settings/idle", form("work", wrong, "client", "30")).shows(t, 422, "Choose one of the times")
	}
	heads.post("/settings/idle", form("work", "5", "client", "60")).leads(t, "/settings?said=saved")
	heads.get("/settings").shows(t, 200, "After 5 minutes; clients after 1 hour")
	w.Pass(6 * time.Minute)
	heads.get("/settings").shows(t, 200) // it began under the old terms
	heads = s.browser(t, w).as(mara)
	w.Pass(5*time.Minute - time.Second)
	heads.get("/settings").shows(t, 200)
	w.Pass(5*time.Minute + time.Second)
	heads.get("/settings").leads(t, "/sign-in?next=%2Fsettings")
}

func TestAFormSentAfterTheSessionEndedIsThereAfterSigningIn(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	b, other := s.browser(t, w).as(mara), s.browser(t, w).as(noor)
	typed := form("id", id.New[id.Client](w.Now()).String(), "first", "Rashida", "last", "of the kept form", "email", "rashida@example.com", "practitioner", "", "password", "xyzzy plugh")
	w.Pass(16 * time.Minute)
	b.post("/people", typed).leads(t, "/sign-in?said=kept&next=/kept")
	b.get("/sign-in?said=kept&next=/kept").shows(t, 200, "What you typed is kept")

	other.as(noor).get("/kept").leads(t, "/dashboard") // not hers
	b.as(mara)
	page := b.get("/kept").shows(t, 200, "What you typed is still here", "A new client: you were signed out", "Rashida", "of the kept form", "Send it now", `action="/people"`)
	if strings.Contains(page.text, "xyzzy plugh") {
		t.Error("a password was kept")
	}
	for _, name := range []string{"id", "first", "last", "email"} {
		if !strings.Contains(page.text, `name="`+name+`"`) {
			t.Errorf("the field %s is missing", name)
		}
	}
	_, rest, _ := strings.Cut(page.text, `name="kept-form" value="`)
	kept, _, _ := strings.Cut(rest, `"`)
	typed.Set("kept-form", kept)
	typed.Del("password")
	typed.Set("email", "no address")
	b.post("/people", typed).shows(t, 422, "Rashida") // as its own page says
	b.get("/kept").shows(t, 200)                      // and it is still here
	typed.Set("email", "rashida@example.com")
	if a := b.post("/people", typed); a.Code != http.StatusSeeOther {
		t.Fatalf("status %d: %s", a.Code, clip(a.text))
	}
	b.get("/kept").leads(t, "/dashboard")
}

func TestAKeptFormCanBeThrownAway(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	b := s.browser(t, w).as(mara)
	w.Pass(16 * time.Minute)
	b.post("/settings/name", form("name", "Mara L")).leads(t, "/sign-in?said=kept&next=/kept")
	b.as(mara)
	_, rest, _ := strings.Cut(b.get("/kept").text, `action="/kept/`)
	away, _, _ := strings.Cut(rest, `"`)
	s.browser(t, w).as(noor).post("/kept/"+away, nil).leads(t, "/dashboard")
	b.get("/kept").shows(t, 200)
	b.post("/kept/"+away, nil).leads(t, "/dashboard")
	b.get("/kept").leads(t, "/dashboard")
}

// A stranger's form is nowhere, and an address that does nothing for who is
// signed in keeps nothing.
func TestOnlyFormsOfOursFromEndedSessionsAreKept(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	stranger, ended, out := s.browser(t, w), s.browser(t, w).as(mara), s.browser(t, w).as(mara)
	forged := s.browser(t, w)
	forged.cookies[s.sessionCookie()] = secret.NewToken().Reveal()
	mine := out.cookies[s.sessionCookie()]
	out.post("/sign-out", nil)
	out.cookies[s.sessionCookie()] = mine
	w.Pass(16 * time.Minute)
	before := state(t, w)
	typed := form("name", "Xavier")
	for name, b := range map[string]*browser{"a stranger": stranger, "a forged cookie": forged, "signed out": out} {
		if a := b.post("/settings/name", typed); a.Code != http.StatusNotFound {
			t.Errorf("%s: status %d to %q", name, a.Code, a.Header().Get("Location"))
		}
	}
	for _, nowhere := range []string{"/no/such/page", "/people/import", "/hooks/bounces"} {
		if a := ended.post(nowhere, typed); a.Code == http.StatusSeeOther {
			t.Errorf("%s: on to %q", nowhere, a.Header().Get("Location"))
		}
	}
	same(t, w, before, "a form of nobody's")
	for range 40 { // and nobody writes without end
		ended.post("/settings/name", typed)
	}
	if a := ended.post("/settings/name", typed); a.Code != http.StatusNotFound {
		t.Errorf("the 41st: status %d", a.Code)
	}
}

// What changes who may enter, or how, is never kept: whoever finds an ended
// session could lay it before its owner. Nor is a password, whatever it is called.
func TestNoFormIsKeptThatOpensADoor(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	b := s.browser(t, w).as(mara)
	w.Pass(16 * time.Minute)
	before := state(t, w)
	for path, typed := range map[string]url.Values{
		"/settings/password": form("password", world.Password, "new", "my brand new secret passphrase"), "/settings/team": form("name", "Door", "email", "door@evil.test", "member-role", "owner"),
		"/settings/email": form("email", "door@evil.test"), "/settings/leave": form("sure", "yes"), "/settings/authenticator": form("code", "123456"), "/people/export": form("a", "b"),
		"/settings/practice/step": form("step", "no"), "/people/emergency": form("name", "Theo", "reason", "a reason"),
	} {
		b.post(path, typed).shows(t, 404)
	}
	same(t, w, before, "a form that opens a door")
}

func TestAPageThatNobodyUsesSignsOutAndHandsOverWhatWasTyped(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	b := s.browser(t, w).as(mara)
	page := b.get("/people/new").shows(t, 200, "Are you still there?", `data-idle="840"`)
	if !strings.Contains(page.text, `data-ends="`) {
		t.Error("the page does not know when the session ends")
	}
	b.post("/session/over", form("kept-for", "/settings/name", "name", "Mara L")).shows(t, 409) // it was used just now
	w.Pass(14 * time.Minute)
	b.post("/session/stay", nil).shows(t, 204)
	w.Pass(3 * time.Minute)
	b.get("/people").shows(t, 200) // it would have ended
	w.Pass(14 * time.Minute)
	b.post("/session/over", form("kept-for", "/settings/name", "name", "Mara L")).shows(t, 204)
	b.get("/people").leads(t, "/sign-in?next=%2Fpeople")
	b.as(mara).get("/kept").shows(t, 200, "Mara L", `action="/settings/name"`)

	for _, path := range []string{"", "//evil.example", "https://evil.example/", "/people/export/../../x", "/sign-in", "/nowhere"} {
		c := s.browser(t, w).as(noor)
		w.Pass(14 * time.Minute)
		c.post("/session/over", form("kept-for", path, "name", "N")).shows(t, 204)
		c.as(noor).get("/kept").leads(t, "/dashboard")
	}
}

func TestBackgroundRequestsKeepNobodySignedIn(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	b := s.browser(t, w).as(mara)
	for range 15 {
		w.Pass(time.Minute)
		b.post("/csp", form("a", "b"))
		b.post("/session/over", nil)
	}
	b.get("/people").leads(t, "/sign-in?next=%2Fpeople")
}

// BenchmarkSession is what every request pays to know who asks: the goal is
// 20 µs of CPU.
func BenchmarkSession(b *testing.B) {
	w := world.New(b)
	s := serve(b, w)
	is := s.browser(b, w).as(mara)
	r := withVisit(httptest.NewRequestWithContext(b.Context(), "GET", world.Base+"/people", nil))
	r.AddCookie(&http.Cookie{Name: s.sessionCookie(), Value: is.cookies[s.sessionCookie()]})
	before := cpu()
	for b.Loop() {
		if err := s.identify(visitOf(r), r); err != nil || visitOf(r).actor != w.Mara {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((cpu()-before).Nanoseconds())/float64(b.N), "cpu-ns/op")
}
