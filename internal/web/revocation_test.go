package web

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/email"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/people"
	"icouch/internal/people/directory"
	"icouch/internal/platform/db"
	"icouch/internal/platform/limit"
	"icouch/internal/support"
	"icouch/internal/team"
	"icouch/internal/world"
)

// What takes something away from somebody takes it from the session they have
// open: at once in the same process, within five seconds on another node.

// revocation is one way of taking something away.
type revocation struct {
	name  string
	email string // whose session it is
	opens string // what it opens, before
	take  func(t *testing.T, w *world.World, s *served, token secret.Token) error
}

func revocations(theo, noor string) []revocation {
	change := func(fn func(w *world.World, tx *db.Tx) error) func(*testing.T, *world.World, *served, secret.Token) error {
		return func(t *testing.T, w *world.World, _ *served, _ secret.Token) error {
			return w.DB.Update(t.Context(), func(tx *db.Tx) error { return fn(w, tx) })
		}
	}
	return []revocation{
		{"made inactive", noor, "/people", change(func(w *world.World, tx *db.Tx) error {
			return team.Deactivate(tx, w.Mara, w.Noor.Practitioner(), "")
		})},
		{"another role", "ada@practice.test", "/settings/team", change(func(w *world.World, tx *db.Tx) error {
			return team.SetRole(tx, w.Mara, member(w, "ada@practice.test", tx), access.Scheduler)
		})},
		{"care ends", theo, "/dashboard", change(func(w *world.World, tx *db.Tx) error { return people.EndCare(tx, w.Mara, w.Theo, tx.Now()) })},
		{"signed out elsewhere", noor, "/people", change(func(w *world.World, tx *db.Tx) error {
			return account.EndAll(tx, access.AsPerson(w.Noor.Account()), w.Noor.Account())
		})},
		{"signed out of this device from another", noor, "/people", func(t *testing.T, w *world.World, _ *served, token secret.Token) error {
			return w.DB.Update(t.Context(), func(tx *db.Tx) error {
				s, err := account.Lookup(tx, token)
				if err != nil {
					return err
				}
				return account.EndDevice(tx, access.AsPerson(w.Noor.Account()), s.ID)
			})
		}},
		{"a new password from another device", noor, "/people", func(t *testing.T, w *world.World, s *served, _ secret.Token) error {
			other := s.browser(t, w).as(noor)
			return w.DB.Update(t.Context(), func(tx *db.Tx) error {
				return account.SetPassword(tx, access.AsPerson(w.Noor.Account()), "another hash", secret.ParseToken(other.cookies[s.sessionCookie()]))
			})
		}},
		{"the second steps are taken away", noor, "/people", change(func(w *world.World, tx *db.Tx) error {
			return account.WipeFactors(tx, access.Operator(), w.Noor.Account())
		})},
		{"no supporter any more", "sam@help.test", "/support", change(func(w *world.World, tx *db.Tx) error {
			a, err := account.Read(tx, access.Operator(), mustBe(tx, "sam@help.test"))
			if err != nil {
				return err
			}
			return support.Dismiss(tx, access.Operator(), a.Email)
		})},
		{"a client taken out of a care team", noor, "client", change(func(w *world.World, tx *db.Tx) error {
			return team.Exclude(tx, w.Mara, w.Theo, w.Noor.Practitioner())
		})},
	}
}

// mustBe is whose account has an address, or nobody's.
func mustBe(tx *db.Tx, address string) id.Account {
	a, err := email.Parse(address)
	if err != nil {
		return ""
	}
	who, _ := account.ByEmail(tx, access.Guest(), a)
	return who.ID
}

func member(w *world.World, address string, tx *db.Tx) id.Practitioner {
	all, err := people.Practitioners(tx, w.Mara)
	if err != nil {
		return ""
	}
	for _, p := range all {
		if p.Account == mustBe(tx, address) {
			return p.ID
		}
	}
	return ""
}

// cast puts everybody there, and returns what a path stands for.
func cast(t *testing.T, w *world.World) func(string) string {
	t.Helper()
	w.Colleague(t, "Ada Stone", "ada@practice.test", access.Administrator)
	helper(t, w, "sam@help.test")
	theo := w.Account(t, "Theo Vance", "theo@example.com")
	w.Update(t, func(tx *db.Tx) error {
		token, err := people.CopyLink(tx, w.Mara, w.Theo)
		if err != nil {
			return err
		}
		_, err = people.Accept(tx, access.AsPerson(theo), token)
		return err
	})
	w.Update(t, func(tx *db.Tx) error { return team.Include(tx, w.Mara, w.Theo, w.Noor.Practitioner(), nil) })
	return func(path string) string {
		if path == "client" {
			return "/people/" + w.Theo.String()
		}
		return path
	}
}

// open reports whether a page is what it was before something was taken away:
// the place, for somebody whose session goes on elsewhere.
func open(a answer) bool {
	return a.Code == http.StatusOK && !strings.Contains(a.text, "Nothing is open just now")
}

func TestT06_WhatIsTakenAwayIsGoneAtTheNextRequest(t *testing.T) {
	t.Parallel()
	for _, r := range revocations("theo@example.com", "noor@practice.test") {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			w := world.New(t)
			path := cast(t, w)(r.opens)
			s := serve(t, w)
			b := s.browser(t, w).as(r.email)
			for range 2 { // remembered, the second time
				if a := b.get(path); !open(a) {
					t.Fatalf("premise: %s opens nothing: %s", path, clip(a.text))
				}
			}
			if err := r.take(t, w, s, secret.ParseToken(b.cookies[s.sessionCookie()])); err != nil {
				t.Fatal(err)
			}
			if a := b.get(path); open(a) {
				t.Errorf("%s is still open: %s", path, clip(a.text))
			}
			for _, rt := range routes { // and so is every other page of that place
				_, p, _ := strings.Cut(rt.pattern, " ")
				if method(rt.pattern) != "GET" || strings.Contains(p, "{") || !strings.HasPrefix(p, path) {
					continue
				}
				if a := b.get(p); open(a) {
					t.Errorf("%s is still open", p)
				}
			}
		})
	}
}

// node puts up the site of a second server of the program on the same database.
func node(t *testing.T, w *world.World) *served {
	t.Helper()
	d, err := db.Open(t.Context(), db.Config{URL: w.DB.URL, Clock: w.Now, Ring: w.DB.Ring, SQL: world.SQL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	log := new(lockedBuffer)
	s := &Site{DB: d, Directory: directory.New(d), Doorman: w.Doorman, Limits: limit.Limiter{DB: d}, House: serve(t, w).House, Log: slog.New(slog.NewTextHandler(log, nil))}
	return &served{s, s.Handler(), log}
}

// On another node the news comes by the database's own notification: this
// measures how long it takes, on PostgreSQL. Where there is one process only,
// which is what SQLite is for, it asks the same of two sites with one database.
// The program's clock stands still, so that no memory runs out: what is measured
// is the notification alone.
func TestT06_WhatIsTakenAwayIsGoneOnAnotherNodeWithinFiveSeconds(t *testing.T) {
	t.Parallel()
	var slowest time.Duration
	for _, r := range revocations("theo@example.com", "noor@practice.test") {
		w := world.New(t)
		path := cast(t, w)(r.opens)
		here, there := serve(t, w), serve(t, w)
		if world.OnPostgres() {
			there = node(t, w)
		}
		b := there.browser(t, w)
		b.cookies = here.browser(t, w).as(r.email).cookies
		for range 2 { // remembered, the second time
			if !open(b.get(path)) {
				t.Fatalf("%s: premise: %s opens nothing", r.name, path)
			}
		}
		if err := r.take(t, w, here, secret.ParseToken(b.cookies[here.sessionCookie()])); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		for open(b.get(path)) {
			if time.Since(began) > 5*time.Second {
				t.Errorf("%s: after five seconds %s is still open on another node", r.name, path)
				break
			}
		}
		slowest = max(slowest, time.Since(began))
	}
	t.Logf("the slowest of them took %s on another node", slowest)
}
