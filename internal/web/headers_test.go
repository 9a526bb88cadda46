package web

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"icouch/internal/access"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/web/assets"
	"icouch/internal/world"
)

// carried is what every answer carries, word for word; %s is its nonce.
var carried = map[string]string{
	"Content-Security-Policy": "default-src 'none'; script-src 'nonce-%s' 'strict-dynamic'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; " +
		"manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types htmx app; report-to csp",
	"Reporting-Endpoints":          `csp="/csp"`,
	"Referrer-Policy":              "same-origin",
	"X-Content-Type-Options":       "nosniff",
	"X-Frame-Options":              "DENY",
	"X-Robots-Tag":                 "noindex, nofollow",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Permissions-Policy":           "camera=(), microphone=(), geolocation=(), display-capture=(), payment=(), usb=(), interest-cohort=()",
	"Strict-Transport-Security":    "max-age=63072000; includeSubDomains",
	"Cache-Control":                "no-store",
}

// headed looks at answers one after the other.
type headed struct {
	t      *testing.T
	secure bool
	nonces map[string]bool
	n      int
}

var (
	noncesIn = regexp.MustCompile(`nonce="([^"]*)"`)
	scripts  = regexp.MustCompile(`<script[^>]*>`)
	inline   = regexp.MustCompile(`<[^>]* (?:style|on[a-z]+)=|<style|href="\s*javascript:`)
	offSite  = regexp.MustCompile(`(?:src|href|action|poster|srcset)="(?:https?:)?//[^"]*"`)
)

func (h *headed) look(what string, a answer, asset bool) {
	h.t.Helper()
	h.n++
	nonce := nonceOf(a)
	if len(nonce) < 26 || h.nonces[nonce] {
		h.t.Errorf("%s: the nonce %q is short, or not fresh", what, nonce)
	}
	h.nonces[nonce] = true
	for name, want := range carried {
		want = strings.Replace(want, "%s", nonce, 1)
		switch {
		case name == "Cache-Control" && asset:
			want = "public, max-age=31536000, immutable"
		case name == "Strict-Transport-Security" && !h.secure:
			want = ""
		}
		if got := strings.Join(a.Header()[http.CanonicalHeaderKey(name)], " and "); got != want {
			h.t.Errorf("%s: %s is %q, want %q", what, name, got, want)
		}
	}
	for _, not := range []string{"Server", "X-Powered-By", "Access-Control-Allow-Origin", "Last-Modified"} {
		if got := a.Header().Get(not); got != "" {
			h.t.Errorf("%s: has %s: %s", what, not, got)
		}
	}
	if !strings.HasPrefix(a.Header().Get("Content-Type"), "text/html") {
		return
	}
	for _, n := range noncesIn.FindAllStringSubmatch(a.text, -1) {
		if n[1] != nonce {
			h.t.Errorf("%s: the page has the nonce %q, its policy %q", what, n[1], nonce)
		}
	}
	for _, s := range scripts.FindAllString(a.text, -1) {
		if !strings.Contains(s, `nonce="`+nonce+`"`) || !strings.Contains(s, `src="/a/`) && !strings.Contains(s, `type="importmap"`) {
			h.t.Errorf("%s: %s is not one of ours", what, s)
		}
	}
	if bad := inline.FindString(a.text); bad != "" {
		h.t.Errorf("%s: inline: %s", what, bad)
	}
	for _, away := range offSite.FindAllString(a.text, -1) {
		if !strings.Contains(away, `"`+world.Base) {
			h.t.Errorf("%s: leads to another site: %s", what, away)
		}
	}
}

// cookied looks at the cookies that an answer sets.
func (h *headed) cookied(what string, a answer) {
	h.t.Helper()
	for _, c := range a.Result().Cookies() {
		if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.Secure != h.secure || strings.HasPrefix(c.Name, "__Host-") != h.secure {
			h.t.Errorf("%s: sets %s", what, c.Raw)
		}
	}
}

func TestHeadersAreOnEveryAnswer(t *testing.T) {
	t.Parallel()
	for name, base := range map[string]string{"over TLS": world.Base, "in the clear": "http://icouch.test"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMatrix(t)
			if base != world.Base {
				m.site.House.Base = base
				m.site.handler = m.site.Handler()
				for _, who := range persons {
					if who != "Eve" && who != "Gus" {
						m.browser[who] = m.site.browser(t, m.world).as(m.address[who])
					}
				}
			}
			h := &headed{t: t, secure: base == world.Base, nonces: map[string]bool{}}
			html := 0
			for _, c := range m.cells() {
				if c.who != "a stranger" && c.who != "Mara" && c.who != "Theo" || c.client != "" && c.client != "Theo" && c.client != "unknown" {
					continue
				}
				a := m.ask(c, nil)
				h.look(c.String(), a, false)
				h.cookied(c.String(), a)
				if method(c.route.pattern) == "GET" && len(a.Header()["Set-Cookie"]) > 0 {
					t.Errorf("%s: looking sets a cookie: %q", c, a.Header()["Set-Cookie"])
				}
				if strings.Contains(a.text, "<script") && a.Code == http.StatusOK {
					html++
				}
				if leaves[c.route.pattern] && c.who != "a stranger" {
					m.browser[c.who] = m.site.browser(t, m.world).as(m.address[c.who])
				}
			}
			if html < 30 {
				t.Errorf("only %d pages with scripts were seen", html)
			}
			h.errors(m)
			h.signedIn(m)
			if len(h.nonces) != h.n {
				t.Errorf("%d answers had %d nonces", h.n, len(h.nonces))
			}
		})
	}
}

// errors looks at whatever else the site answers.
func (h *headed) errors(m *matrix) {
	t, s := h.t, m.site
	root := cell{routes[0], "a stranger", "", true}
	for what, a := range map[string]answer{
		"404":            m.askAt(root, "/no/such/page", nil),
		"a moved path":   m.askAt(root, "//people", nil),
		"421":            m.ask(root, func(r *http.Request) { r.Host = "evil.example" }),
		"421 forwarded":  m.ask(root, func(r *http.Request) { r.Header.Set("X-Forwarded-Host", "evil.example") }),
		"a prefetch":     m.ask(root, func(r *http.Request) { r.Header.Set("Sec-Purpose", "prefetch") }),
		"another method": m.askAt(root, "/people", func(r *http.Request) { r.Method = "DELETE" }),
		"another site's": m.askAt(root, "/sign-in", func(r *http.Request) { r.Method = "POST"; r.Header.Set("Sec-Fetch-Site", "cross-site") }),
		"too large":      request(t, s, "POST", "/sign-in", "email="+strings.Repeat("a", formSize+1)),
		"no asset":       m.askAt(root, "/a/nothing.css", nil),
	} {
		h.look(what, a, false)
		if a.Code < 300 {
			t.Errorf("%s: answers %d", what, a.Code)
		}
		if len(a.Header()["Set-Cookie"]) > 0 {
			t.Errorf("%s: sets %q", what, a.Header()["Set-Cookie"])
		}
	}
	for _, name := range []string{"app.css", "js/app.js"} {
		a := m.askAt(root, assets.Load().URL(name), nil)
		if a.Code != http.StatusOK {
			t.Errorf("%s: answers %d", name, a.Code)
		}
		h.look(name, a, true)
	}
	broken := *s.Site
	broken.Log = s.Log
	mux := broken.mux([]route{
		{pattern: "GET /panic", enter: anyone, do: func(*Site, http.ResponseWriter, *http.Request, access.Actor) error { panic("oh") }},
		{pattern: "GET /wrong", enter: anyone, do: func(*Site, http.ResponseWriter, *http.Request, access.Actor) error { return errors.New("wrong") }},
		{pattern: "GET /conflict", enter: anyone, do: func(*Site, http.ResponseWriter, *http.Request, access.Actor) error { return fault.Conflict }},
	})
	was := s.handler
	s.handler = broken.observe(broken.guard(mux))
	for path, status := range map[string]int{"/panic": 500, "/wrong": 500, "/conflict": 409} {
		a := m.askAt(root, path, nil)
		h.look(path, a, false)
		if a.Code != status {
			t.Errorf("%s: answers %d, want %d", path, a.Code, status)
		}
	}
	s.handler = was
}

// signedIn looks at the cookies of a session's whole life.
func (h *headed) signedIn(m *matrix) {
	t := h.t
	b := m.site.browser(t, m.world)
	in := b.signIn("mara@practice.test", world.Password).leads(t, "/dashboard")
	h.look("signing in", in, false)
	h.cookied("signing in", in)
	names := map[string]bool{}
	for _, c := range in.Result().Cookies() {
		if c.MaxAge < 0 {
			continue // taken back: the entry's, which has served
		}
		names[c.Name] = true
		if c.Name == m.site.sessionCookie() && (c.MaxAge != 0 || !c.Expires.IsZero()) {
			t.Errorf("the session's cookie outlives the browser: %s", c.Raw)
		}
	}
	if !names[m.site.sessionCookie()] || !names[m.site.deviceCookie()] || len(names) != 2 {
		t.Errorf("signing in sets %v", names)
	}
	out := b.post("/sign-out", url.Values{})
	h.look("signing out", out, false)
	h.cookied("signing out", out)
	if out.Header().Get("Clear-Site-Data") != `"cache"` || b.cookies[m.site.sessionCookie()] != "" {
		t.Errorf("signing out leaves something: %v", out.Header())
	}
}

func TestHeadersLookingAtAnInvitationSetsNoCookie(t *testing.T) {
	t.Parallel()
	w, s, link := offering(t)
	for _, path := range []string{link, link + "/sign-in"} {
		if a := s.browser(t, w).get(path).shows(t, 200, "The Practice of Mara"); len(a.Header()["Set-Cookie"]) > 0 {
			t.Errorf("looking at a link sets %q", a.Header()["Set-Cookie"])
		}
	}
}

func TestHeadersOfAnotherSiteOpenNoForm(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	var live string
	m.world.Update(t, func(tx *db.Tx) error {
		token, err := people.CopyLink(tx, m.world.Noor, id.Client(m.client["Lena"]))
		live = token.Reveal()
		return err
	})
	before := state(t, m.world)
	type from struct{ site, origin string }
	refused := []from{{"cross-site", ""}, {"cross-site", world.Base}, {"cross-site", "https://evil.example"}, {"same-site", ""}, {"same-site", world.Base}, {"same-site", "https://a.icouch.test"},
		{"", "https://evil.example"}, {"", "null"}, {"", "http://icouch.test:81"}, {"", "https://icouch.test.evil.example"}, {"cross-site", "null"}, {"nonsense", world.Base}}
	taken := []from{{"same-origin", world.Base}, {"none", ""}, {"", world.Base}, {"", ""}}
	twist := func(f from) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Del("Sec-Fetch-Site")
			if f.site != "" {
				r.Header.Set("Sec-Fetch-Site", f.site)
			}
			if f.origin != "" {
				r.Header.Set("Origin", f.origin)
			}
		}
	}
	n := 0
	for _, rt := range routes {
		if method(rt.pattern) == "GET" {
			continue
		}
		n++
		for _, who := range []string{"a stranger", "Mara", "Theo"} {
			c := cell{rt, who, "Theo", false}
			p := strings.ReplaceAll(path(rt.pattern, m.client["Theo"]), strings.Repeat("B", 43), live)
			for _, f := range refused {
				a := m.askAt(c, p, twist(f))
				if a.Code != http.StatusForbidden || !strings.Contains(a.text, "not sent from our own page") || len(a.Header()["Set-Cookie"]) > 0 {
					t.Errorf("%s as %s, from %q %q: answers %d", rt.pattern, who, f.site, f.origin, a.Code)
				}
			}
		}
	}
	if n < 30 {
		t.Errorf("only %d forms", n)
	}
	same(t, m.world, before, "a form from another site")
	for _, f := range taken {
		c := cell{routes[0], "Mara", "", true}
		a := m.askAt(c, "/people/search", func(r *http.Request) {
			r.Method, r.Body = "POST", io.NopCloser(strings.NewReader("q=vance"))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			twist(f)(r)
		})
		a.shows(t, 200, "Theo Vance")
	}
}
