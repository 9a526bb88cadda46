package web

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/email"
	"icouch/internal/base/secret"
	"icouch/internal/letter"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/platform/limit"
	"icouch/internal/support"
	"icouch/internal/world"
)

// served is the site of a world, and what it has logged.
type served struct {
	*Site
	handler http.Handler
	log     *lockedBuffer
}

// serve puts a world's site up.
func serve(t testing.TB, w *world.World) *served {
	t.Helper()
	helps, err := email.Parse("help@icouch.test")
	if err != nil {
		t.Fatal(err)
	}
	log := new(lockedBuffer)
	s := &Site{DB: w.DB, Directory: w.Directory, Doorman: w.Doorman, Limits: limit.Limiter{DB: w.DB}, Porter: w.Porter, Support: helps,
		House: letter.House{Brand: "iCouch", Base: world.Base, Host: "icouch.test"}, Log: slog.New(slog.NewTextHandler(log, nil))}
	return &served{s, s.Handler(), log}
}

// browser is one person's: it keeps cookies and sends what a browser sends.
type browser struct {
	t       testing.TB
	world   *world.World
	site    *served
	cookies map[string]string
}

func (s *served) browser(t testing.TB, w *world.World) *browser {
	return &browser{t, w, s, map[string]string{}}
}

// as signs the browser in as the person with this address, in their first place;
// a supporter, in support.
func (b *browser) as(address string) *browser {
	b.t.Helper()
	a, err := email.Parse(address)
	if err != nil {
		b.t.Fatal(err)
	}
	var token secret.Token
	b.world.Update(b.t, func(tx *db.Tx) error {
		who, err := account.ByEmail(tx, access.Guest(), a)
		if err != nil {
			return err
		}
		place, err := people.Home(tx, access.AsPerson(who.ID))
		if err != nil {
			return err
		}
		if helps, err := support.Is(tx, access.AsPerson(who.ID)); err != nil || helps {
			if place = support.Place; err != nil {
				return err
			}
		}
		terms := support.Terms
		if place != support.Place {
			if terms, err = people.TermsOf(tx, place); err != nil {
				return err
			}
		}
		token, err = account.Begin(tx, access.AsPerson(who.ID), who.ID, account.Entry{Place: place, Terms: terms, Strong: true})
		return err
	})
	b.cookies[b.site.sessionCookie()] = token.Reveal()
	return b
}

// signIn goes through the door, and shows the second step of whoever has one.
func (b *browser) signIn(address, password string) answer {
	b.t.Helper()
	a := b.post("/sign-in", form("email", address, "password", password))
	if a.Header().Get("Location") != stepPath {
		return a
	}
	return b.post(stepPath, form("code", b.world.Code(b.t, b.world.Who(b.t, strings.TrimSpace(address)))))
}

// answer is what came back.
type answer struct {
	*httptest.ResponseRecorder
	text string
}

// Header is what went out: a stream lets go of it afterwards.
func (a answer) Header() http.Header { return a.Result().Header }

func (b *browser) get(path string) answer { b.t.Helper(); return b.send("GET", path, nil) }

func (b *browser) post(path string, form url.Values) answer {
	b.t.Helper()
	return b.send("POST", path, form)
}

func (b *browser) send(method, path string, form url.Values) answer {
	b.t.Helper()
	ctx, leave := context.WithCancel(b.t.Context())
	defer leave()
	r := httptest.NewRequestWithContext(ctx, method, world.Base+path, strings.NewReader(form.Encode()))
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	rec := httptest.NewRecorder()
	b.site.handler.ServeHTTP(brief{rec, leave}, r)
	for _, c := range rec.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
			continue
		}
		b.cookies[c.Name] = c.Value
	}
	return answer{rec, rec.Body.String()}
}

// brief is who goes when something of a stream has come: a stream by itself
// has no end.
type brief struct {
	*httptest.ResponseRecorder
	leave func()
}

func (b brief) Flush() { b.leave() }

// shows fails the test unless the answer has this status and all these words.
func (a answer) shows(t testing.TB, status int, words ...string) answer {
	t.Helper()
	if a.Code != status {
		t.Fatalf("status %d, want %d (to %q): %s", a.Code, status, a.Header().Get("Location"), clip(a.text))
	}
	text := strings.ReplaceAll(a.text, `<span class="keep">e-mail</span>`, "e-mail") // as somebody reads it
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("the page does not show %q: %s", w, clip(a.text))
		}
	}
	return a
}

// leads fails the test unless the answer leads on to path.
func (a answer) leads(t testing.TB, path string) answer {
	t.Helper()
	if got := a.Header().Get("Location"); a.Code != http.StatusSeeOther || got != path {
		t.Fatalf("status %d to %q, want on to %q: %s", a.Code, got, path, clip(a.text))
	}
	return a
}

func clip(s string) string {
	if i := strings.Index(s, "<main"); i >= 0 {
		s = s[i:]
	}
	return s[:min(len(s), 3000)]
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
