package account_test

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/account/password"
	"icouch/internal/audit"
	"icouch/internal/base/email"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/letter"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/jobs"
	"icouch/internal/platform/keys"
	"icouch/internal/platform/limit"
	"icouch/internal/platform/mail"
)

// site is where the links of these tests lead.
const site = "https://icouch.test"

// house is an installation with nobody in it.
type house struct {
	*db.DB
	file string // SQLite only
	jobs *jobs.Queue
	mail *mail.Box
	door *account.Doorman
	time atomic.Int64
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{mail: new(mail.Box)}
	h.time.Store(time.Date(2030, 3, 14, 9, 0, 0, 0, time.UTC).UnixMicro())
	ring, err := crypt.NewRing()
	if err != nil {
		t.Fatal(err)
	}
	h.file = databaseURL(t)
	h.DB, err = db.Open(t.Context(), db.Config{URL: h.file, Clock: h.now, Ring: ring,
		SQL: []db.Prepared{audit.SQL, jobs.SQL, keys.SQL, limit.SQL, letter.SQL, account.SQL}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := keys.Install(t.Context(), h.DB); err != nil {
		t.Fatal(err)
	}
	h.jobs = jobs.NewQueue(h.DB, nil)
	(&letter.Courier{DB: h.DB, Mail: h.mail, House: letter.House{Brand: "iCouch", Base: "https://icouch.test", Host: "icouch.test"}}).Register(h.jobs)
	h.door = &account.Doorman{DB: h.DB, Limits: limit.Limiter{DB: h.DB}, Hasher: password.NewHasher(0, 64)}
	return h
}

func (h *house) now() time.Time { return time.UnixMicro(h.time.Load()).UTC() }

func (h *house) pass(d time.Duration) { h.time.Add(d.Microseconds()) }

// do runs fn in a transaction that must succeed.
func (h *house) do(t *testing.T, fn func(*db.Tx) error) {
	t.Helper()
	if err := h.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// see runs fn in a read-only transaction that must succeed.
func (h *house) see(t *testing.T, fn func(*db.Tx) error) {
	t.Helper()
	if err := h.View(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// refuse runs fn in a transaction that must fail with want.
func (h *house) refuse(t *testing.T, want error, fn func(*db.Tx) error) {
	t.Helper()
	if err := h.Update(t.Context(), fn); !errors.Is(err, want) {
		t.Fatalf("got %v, want %v", err, want)
	}
}

var errLater = errors.New("something fails later")

// undo runs fn in a transaction that works, and is undone because something
// fails later. Nothing of the given tables may be left.
func (h *house) undo(t *testing.T, fn func(*db.Tx) error) {
	t.Helper()
	before := h.rows(t)
	h.refuse(t, errLater, func(tx *db.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		return errLater
	})
	if after := h.rows(t); after != before {
		t.Fatalf("rows after an undone transaction: %v, want %v", after, before)
	}
}

type rows struct{ accounts, sessions, devices, signUps, links, live, letters, jobs, trail int64 }

func (h *house) rows(t *testing.T) (r rows) {
	t.Helper()
	err := h.Row(t.Context(), `SELECT (SELECT COUNT(*) FROM account), (SELECT COUNT(*) FROM session), (SELECT COUNT(*) FROM device),
		(SELECT COUNT(*) FROM sign_up), (SELECT COUNT(*) FROM account_link),
		(SELECT COUNT(*) FROM account_link WHERE ended_at IS NULL AND used_at IS NULL),
		(SELECT COUNT(*) FROM letter), (SELECT COUNT(*) FROM job), (SELECT COUNT(*) FROM audit)`, nil,
		&r.accounts, &r.sessions, &r.devices, &r.signUps, &r.links, &r.live, &r.letters, &r.jobs, &r.trail)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// trail is how often something stands in the installation's trail.
func (h *house) trail(t *testing.T, did audit.Action) (n int) {
	t.Helper()
	if err := h.Row(t.Context(), "SELECT COUNT(*) FROM audit WHERE practice_id = 'installation' AND action = $1", []any{string(did)}, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// atOnce has 16 do the same and returns how many succeeded; the others must
// have got one of the given answers.
func (h *house) atOnce(t *testing.T, fn func(*db.Tx) error, others ...error) (won int) {
	t.Helper()
	errs := make([]error, 16)
	var all sync.WaitGroup
	if h.Engine() == "PostgreSQL" { // have 16 connections ready, or the first is done before the others come
		var here sync.WaitGroup
		here.Add(len(errs))
		for range errs {
			all.Go(func() {
				if err := h.View(t.Context(), func(*db.Tx) error { here.Done(); here.Wait(); return nil }); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
	start := make(chan struct{})
	for i := range errs {
		all.Go(func() {
			<-start
			errs[i] = h.Update(t.Context(), fn)
		})
	}
	close(start)
	all.Wait()
next:
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		for _, other := range others {
			if errors.Is(err, other) {
				continue next
			}
		}
		t.Errorf("one of 16 at once got %v, want one of %v", err, others)
	}
	return won
}

// deliver carries the letters out and returns those that went since the last time.
func (h *house) deliver(t *testing.T) []mail.Message {
	t.Helper()
	before := len(h.mail.Sent())
	if _, err := h.jobs.RunDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	return h.mail.Sent()[before:]
}

// letter carries the letters out and returns the only one, which must be to to.
func (h *house) letter(t *testing.T, to, subject string) mail.Message {
	t.Helper()
	sent := h.deliver(t)
	if len(sent) != 1 || sent[0].To != to || sent[0].Subject != subject {
		var got []string
		for _, m := range sent {
			got = append(got, m.Subject+" to "+m.To)
		}
		t.Fatalf("letters: %q, want one: %q", got, subject+" to "+to)
	}
	return sent[0]
}

// token returns the token behind /page/ in a letter.
func token(t *testing.T, m mail.Message, page string) secret.Token {
	t.Helper()
	_, rest, ok := strings.Cut(m.Text, "\n"+site+"/"+page+"/")
	if !ok {
		t.Fatalf("no link to /%s/ on a line of its own in\n%s", page, m.Text)
	}
	text, _, _ := strings.Cut(rest, "\n")
	if !strings.Contains(m.HTML, text) {
		t.Fatalf("the link is in the text and not in the HTML")
	}
	return secret.ParseToken(text)
}

// annie makes an account and returns the person signed in to it.
func (h *house) annie(t *testing.T) access.Actor {
	return h.person(t, "Annie Noda", "Annie.Noda@example.com", true)
}

func (h *house) person(t *testing.T, name, address string, verified bool) access.Actor {
	t.Helper()
	var a id.Account
	h.do(t, func(tx *db.Tx) (err error) {
		a, err = account.Make(tx, access.Guest(), account.New{Name: name, Email: mailbox(t, address), Password: cheap(right), Verified: verified})
		return err
	})
	return access.AsPerson(a)
}

func (h *house) account(t *testing.T, by access.Actor) (a account.Account) {
	t.Helper()
	h.see(t, func(tx *db.Tx) (err error) {
		a, err = account.Of(tx, by)
		return err
	})
	return a
}

func (h *house) begin(t *testing.T, by access.Actor, p account.Place) (token secret.Token) {
	t.Helper()
	h.do(t, func(tx *db.Tx) (err error) {
		token, err = account.Begin(tx, access.Guest(), by.Account(), account.Entry{Place: p, Terms: account.Anywhere})
		return err
	})
	return token
}

func (h *house) remember(t *testing.T, by access.Actor) (token secret.Token) {
	t.Helper()
	h.do(t, func(tx *db.Tx) (err error) {
		token, err = account.Remember(tx, by, by.Account())
		return err
	})
	return token
}

// signedIn reports whether a session's token still is one.
func (h *house) signedIn(t *testing.T, token secret.Token) bool {
	t.Helper()
	err := h.View(t.Context(), func(tx *db.Tx) error {
		_, err := account.Lookup(tx, token)
		return err
	})
	if err != nil && !errors.Is(err, db.None) {
		t.Fatal(err)
	}
	return err == nil
}

func mailbox(t *testing.T, s string) email.Address {
	t.Helper()
	e, err := email.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

const (
	right = "seven quiet herons wade"
	wrong = "seven quiet herons wail"
)

// cheap is a hash that costs next to nothing to check, so that a thousand can be.
func cheap(pw string) string {
	salt := []byte("sixteen bytes ok")
	key := argon2.IDKey([]byte(pw), salt, 1, 8, 1, 32)
	return fmt.Sprintf("$argon2id$v=%d$m=8,t=1,p=1$%s$%s", argon2.Version,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key))
}

// databaseURL is a new SQLite file or, when PGTEST holds an address with %s for
// the database's name, a new PostgreSQL database.
func databaseURL(t *testing.T) string {
	pattern := os.Getenv("PGTEST")
	if pattern == "" {
		return filepath.Join(t.TempDir(), "icouch.db")
	}
	admin, err := sql.Open("pgx", fmt.Sprintf(pattern, "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	name := "t_" + strings.ReplaceAll(id.New[string](time.Now()), "-", "")
	if _, err := admin.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, err := admin.ExecContext(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)")
		if err := errors.Join(err, admin.Close()); err != nil {
			t.Error(err)
		}
	})
	return fmt.Sprintf(pattern, name)
}
