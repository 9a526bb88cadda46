// Package world is the small practice every test takes place in: Mara, who owns
// it; Theo, her client; Noor, a colleague who does not look after him; and Ines,
// of the practice next door, who must never see any of them.
package world

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/account/factor"
	"icouch/internal/account/password"
	"icouch/internal/audit"
	"icouch/internal/base/email"
	"icouch/internal/base/id"
	"icouch/internal/chat"
	"icouch/internal/contact"
	"icouch/internal/joint"
	"icouch/internal/letter"
	"icouch/internal/people"
	"icouch/internal/people/directory"
	"icouch/internal/platform/blob"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/jobs"
	"icouch/internal/platform/keys"
	"icouch/internal/platform/limit"
	"icouch/internal/platform/mail"
	"icouch/internal/platform/media"
	"icouch/internal/recovery"
	"icouch/internal/support"
	"icouch/internal/team"
	"icouch/internal/trail"
)

// SQL is the statements of every package, as the program lists them.
var SQL = []db.Prepared{keys.SQL, jobs.SQL, limit.SQL, audit.SQL, letter.SQL, account.SQL, factor.SQL, people.SQL, team.SQL, contact.SQL, joint.SQL, support.SQL, trail.SQL, recovery.SQL, chat.SQL}

// Password is what everybody in the world signs in with.
const Password = "a quiet river by the mill"

// Base is where the world's site is.
const Base = "https://icouch.test"

// World is two practices with their own database, clock and post box.
type World struct {
	DB        *db.DB
	Jobs      *jobs.Queue
	Mail      *mail.Box
	Directory *directory.Directory
	Doorman   *account.Doorman
	Courier   *letter.Courier
	Porter    *chat.Porter

	Mara, Noor, Ines access.Actor
	Theo             id.Client

	seeds map[id.Account]*seed // of the authenticators of who works

	clock atomic.Int64
	down  atomic.Pointer[error]
}

// hash is Password, hashed once: it takes its time.
var hash = sync.OnceValue(func() string {
	h, err := password.NewHasher(1, 1).Hash(context.Background(), Password)
	if err != nil {
		panic(err)
	}
	return h
})

// first is what the clock of a fresh world says.
var first = time.Date(2030, 3, 14, 13, 0, 0, 0, time.UTC)

// New returns a fresh world that goes away with the test.
func New(t testing.TB) *World {
	t.Helper()
	w := &World{seeds: map[id.Account]*seed{}}
	w.clock.Store(first.UnixMicro())
	ring, err := crypt.NewRing()
	if err != nil {
		t.Fatal(err)
	}
	w.DB, err = db.Open(t.Context(), db.Config{URL: databaseURL(t), Clock: w.Now, Ring: ring, SQL: SQL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.DB.Close() })
	if err := keys.Install(t.Context(), w.DB); err != nil {
		t.Fatal(err)
	}
	w.Mail = &mail.Box{Err: w.mailFault}
	w.Jobs, w.Directory = jobs.NewQueue(w.DB, nil), directory.New(w.DB)
	w.Courier = &letter.Courier{DB: w.DB, Mail: w.Mail, House: letter.House{Brand: "iCouch", Base: Base, Host: "icouch.test"}, Bounce: "bounces@icouch.test"}
	w.Courier.Register(w.Jobs)
	account.Clerk{DB: w.DB}.Register(w.Jobs)
	people.Clerk{DB: w.DB}.Register(w.Jobs)
	team.Clerk{DB: w.DB}.Register(w.Jobs)
	contact.Clerk{DB: w.DB}.Register(w.Jobs)
	chat.Clerk{DB: w.DB}.Register(w.Jobs)
	dir := t.TempDir()
	files, err := blob.Open(blob.NewFolder(filepath.Join(dir, "files")), filepath.Join(dir, "growth"))
	if err != nil {
		t.Fatal(err)
	}
	w.Porter = &chat.Porter{DB: w.DB, Files: files, Studio: media.NewStudio()}
	w.Porter.Register(w.Jobs)
	w.Doorman = &account.Doorman{DB: w.DB, Limits: limit.Limiter{DB: w.DB}, Hasher: password.NewHasher(2, 64)}

	w.Mara = w.owner(t, "Mara Lindqvist", "mara@practice.test", "The Practice of Mara")
	w.Ines = w.owner(t, "Ines Duarte", "ines@nextdoor.test", "The Practice Next Door")
	w.Noor = w.Colleague(t, "Noor Haddad", "noor@practice.test", access.Practitioner)
	w.Theo = w.Client(t, w.Mara, people.Draft{First: "Theo", Last: "Vance", Email: "theo@example.com", EmailConsent: true})
	return w
}

func (w *World) owner(t testing.TB, name, address, practice string) (owner access.Actor) {
	t.Helper()
	who := w.Account(t, name, address)
	w.Update(t, func(tx *db.Tx) (err error) {
		owner, err = people.Found(tx, access.AsPerson(who), practice, "America/New_York")
		return err
	})
	w.Arm(t, who)
	return owner
}

// Account makes an account that signs in with Password.
func (w *World) Account(t testing.TB, name, address string) (who id.Account) {
	t.Helper()
	return w.account(t, name, address, "America/New_York")
}

func (w *World) account(t testing.TB, name, address, zone string) (who id.Account) {
	t.Helper()
	a, err := email.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	w.Update(t, func(tx *db.Tx) (err error) {
		who, err = account.Make(tx, access.Guest(), account.New{Name: name, Email: a, Zone: zone, Password: hash(), Verified: true})
		return err
	})
	return who
}

// Colleague makes a member of Mara's practice.
func (w *World) Colleague(t testing.TB, name, address string, role access.Role) (member access.Actor) {
	t.Helper()
	who := w.Account(t, name, address)
	w.Update(t, func(tx *db.Tx) (err error) {
		member, err = people.Join(tx, w.Mara, who, role)
		return err
	})
	w.Arm(t, who)
	return member
}

// Client makes a client whom by looks after, and does not invite them.
func (w *World) Client(t testing.TB, by access.Actor, d people.Draft) id.Client {
	t.Helper()
	details, err := d.Read(civilToday(w.Now()))
	if err != nil {
		t.Fatal(err)
	}
	c := id.New[id.Client](w.Now())
	w.Update(t, func(tx *db.Tx) error { return people.Create(tx, by, c, details, false) })
	return c
}

// Linked makes an account for one of Mara's clients, and accepts its invitation.
func (w *World) Linked(t testing.TB, c id.Client, address string) access.Actor {
	t.Helper()
	return w.accepted(t, c, w.Account(t, "An Account", address))
}

// LinkedNowhere is Linked for somebody who has chosen no time zone.
func (w *World) LinkedNowhere(t testing.TB, c id.Client, address string) access.Actor {
	t.Helper()
	return w.accepted(t, c, w.account(t, "An Account", address, ""))
}

func (w *World) accepted(t testing.TB, c id.Client, who id.Account) access.Actor {
	t.Helper()
	w.Update(t, func(tx *db.Tx) error {
		token, err := people.CopyLink(tx, w.Mara, c)
		if err != nil {
			return err
		}
		_, err = people.Accept(tx, access.AsPerson(who), token)
		return err
	})
	return access.AsClient(w.Mara.Practice(), who, c)
}

// Now is what the world's clock says.
func (w *World) Now() time.Time { return time.UnixMicro(w.clock.Load()).UTC() }

// Pass moves the clock on, or back.
func (w *World) Pass(d time.Duration) { w.clock.Add(d.Microseconds()) }

// MailFails has every letter refused with err from here on; nil ends that.
func (w *World) MailFails(err error) { w.down.Store(&err) }

func (w *World) mailFault(mail.Message) error {
	if err := w.down.Load(); err != nil {
		return *err
	}
	return nil
}

// Update runs fn and fails the test if it fails. fn must not end the test itself.
func (w *World) Update(t testing.TB, fn func(*db.Tx) error) {
	t.Helper()
	if err := w.DB.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// View runs fn and fails the test if it fails.
func (w *World) View(t testing.TB, fn func(*db.Tx) error) {
	t.Helper()
	if err := w.DB.View(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// RunJobs runs all the jobs that are due and returns how many succeeded.
func (w *World) RunJobs(t testing.TB) int {
	t.Helper()
	done, err := w.Jobs.RunDue(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// Letters returns the letters that went to an address.
func (w *World) Letters(to string) (theirs []mail.Message) {
	for _, m := range w.Mail.Sent() {
		if strings.EqualFold(m.To, to) {
			theirs = append(theirs, m)
		}
	}
	return theirs
}

// Link returns the secret part of the newest link of a sort ("/join/") that
// went to an address.
func (w *World) Link(t testing.TB, to, sort string) string {
	t.Helper()
	theirs := w.Letters(to)
	for i := len(theirs) - 1; i >= 0; i-- {
		if _, rest, ok := strings.Cut(theirs[i].Text, Base+sort); ok {
			return strings.Fields(rest)[0]
		}
	}
	t.Fatalf("no letter with a link %s to this person", sort)
	return ""
}

// databaseURL is a new database with every table in it and no row: a SQLite file
// or, when PGTEST holds an address with %s for the database's name, one of
// PostgreSQL's. It is a copy of one that was migrated once for all.
func databaseURL(t testing.TB) string {
	t.Helper()
	empty, err := migrated()
	if err != nil {
		t.Fatal(err)
	}
	if !OnPostgres() {
		file := filepath.Join(t.TempDir(), "icouch.db")
		if err := os.WriteFile(file, empty.file, 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	admin, err := sql.Open("pgx", fmt.Sprintf(os.Getenv("PGTEST"), "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	name := "t_" + strings.ToLower(rand.Text())
	if _, err := admin.ExecContext(t.Context(), "CREATE DATABASE "+name+" TEMPLATE "+empty.name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		admin.ExecContext(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)")
		admin.Close()
	})
	return fmt.Sprintf(os.Getenv("PGTEST"), name)
}

// blank is a database without rows: a file's bytes, or a name.
type blank struct {
	file []byte
	name string
}

var migrated = sync.OnceValues(func() (blank, error) {
	ctx := context.Background()
	ring, err := crypt.NewRing()
	if err != nil {
		return blank{}, err
	}
	if OnPostgres() {
		admin, err := sql.Open("pgx", fmt.Sprintf(os.Getenv("PGTEST"), "postgres"))
		if err != nil {
			return blank{}, err
		}
		defer admin.Close()
		b := blank{name: "blank_" + strings.ToLower(rand.Text())}
		if _, err := admin.ExecContext(ctx, "CREATE DATABASE "+b.name); err != nil {
			return b, err
		}
		return b, migrate(ctx, fmt.Sprintf(os.Getenv("PGTEST"), b.name), ring)
	}
	dir, err := os.MkdirTemp("", "icouch-world-")
	if err != nil {
		return blank{}, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "icouch.db")
	if err := migrate(ctx, file, ring); err != nil {
		return blank{}, err
	}
	bytes, err := os.ReadFile(file)
	return blank{file: bytes}, err
})

func migrate(ctx context.Context, url string, ring *crypt.Ring) error {
	d, err := db.Open(ctx, db.Config{URL: url, Clock: func() time.Time { return first }, Ring: ring})
	if err != nil {
		return err
	}
	return d.Close()
}

// OnPostgres reports whether this run is on PostgreSQL.
func OnPostgres() bool { return os.Getenv("PGTEST") != "" }
