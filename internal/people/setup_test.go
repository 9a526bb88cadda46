package people_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/at"
	"icouch/internal/base/civil"
	"icouch/internal/base/email"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/platform/mail"
	"icouch/internal/world"
)

const theosMail = "theo@example.com"

var (
	mailDown    = &mail.Refusal{Code: 451, Reason: mail.TryLater}
	mailRefused = &mail.Refusal{Code: 550, Enhanced: "5.1.1", Permanent: true, Reason: mail.NoMailbox}
)

// update runs a change and returns what it comes to.
func update(t testing.TB, w *world.World, fn func(*db.Tx) error) error {
	t.Helper()
	return w.DB.Update(t.Context(), fn)
}

// wants fails the test unless got is the fault want.
func wants(t testing.TB, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func invite(t testing.TB, w *world.World) secret.Token {
	t.Helper()
	w.Update(t, func(tx *db.Tx) error { return people.Invite(tx, w.Mara, w.Theo, "") })
	w.RunJobs(t)
	return newestLink(t, w)
}

func resend(t testing.TB, w *world.World) secret.Token {
	t.Helper()
	w.Update(t, func(tx *db.Tx) error { return people.Resend(tx, w.Mara, w.Theo, "") })
	w.RunJobs(t)
	return newestLink(t, w)
}

func newestLink(t testing.TB, w *world.World) secret.Token {
	t.Helper()
	return secret.ParseToken(w.Link(t, theosMail, "/join/"))
}

func signUp(w *world.World, t testing.TB, link secret.Token) (j people.Joined, err error) {
	t.Helper()
	err = update(t, w, func(tx *db.Tx) (err error) {
		j, err = people.SignUp(tx, access.Guest(), link, "hash")
		return err
	})
	return j, err
}

func look(t testing.TB, w *world.World, link secret.Token) (o people.Offer, err error) {
	t.Helper()
	err = w.DB.View(t.Context(), func(tx *db.Tx) (err error) {
		o, err = people.Look(tx, access.Guest(), link)
		return err
	})
	return o, err
}

// tells fails the test unless the page of a link says want.
func tells(t testing.TB, w *world.World, what string, link secret.Token, want error) {
	t.Helper()
	o, err := look(t, w, link)
	if err == nil {
		err = o.Fault()
	}
	if err != want && !errors.Is(err, want) {
		t.Errorf("%s says %v, want %v", what, err, want)
	}
}

func find(t testing.TB, w *world.World, by access.Actor, c id.Client) (got people.Client) {
	t.Helper()
	w.View(t, func(tx *db.Tx) (err error) {
		got, err = people.Find(tx, by, c)
		return err
	})
	return got
}

// row is what the People list shows of a client.
func row(t testing.TB, w *world.World, c id.Client) people.Contact {
	t.Helper()
	var f people.Facts
	w.View(t, func(tx *db.Tx) (err error) {
		f, err = people.FactsOf(tx, w.Mara, c)
		return err
	})
	return f.Contact(setting(w))
}

func setting(w *world.World) people.Setting {
	z, err := civil.ParseZone("America/New_York")
	if err != nil {
		panic(err)
	}
	return people.Setting{Now: at.Of(w.Now()), Zone: z}
}

func edit(t testing.TB, w *world.World, c id.Client, change func(*people.Details)) (withdrawn bool) {
	t.Helper()
	is := find(t, w, w.Mara, c)
	change(&is.Details)
	w.Update(t, func(tx *db.Tx) (err error) {
		withdrawn, err = people.Edit(tx, w.Mara, c, is.Version, is.Details)
		return err
	})
	return withdrawn
}

func address(t testing.TB, s string) email.Address {
	t.Helper()
	a, err := email.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// atOnce has n people do the same at the same moment and counts what each is told.
func atOnce(n int, do func(i int) error) (told map[error]int) {
	told = map[error]int{}
	var mu sync.Mutex
	var all sync.WaitGroup
	begin := make(chan struct{})
	for i := range n {
		all.Go(func() {
			<-begin
			err := do(i)
			mu.Lock()
			defer mu.Unlock()
			told[kindOf(err)]++
		})
	}
	close(begin)
	all.Wait()
	return told
}

// kindOf is the declared fault in err, so that it can be counted.
func kindOf(err error) error {
	if f, ok := errors.AsType[*fault.Fault](err); ok {
		return f
	}
	return err
}

// count is how many rows a query counts.
func rows(t testing.TB, w *world.World, table string) (n int) {
	t.Helper()
	var err error
	switch table {
	case "invitation":
		err = w.DB.Row(t.Context(), "SELECT COUNT(*) FROM invitation", nil, &n)
	case "live":
		err = w.DB.Row(t.Context(), "SELECT COUNT(*) FROM invitation WHERE state = 'live'", nil, &n)
	case "letter":
		err = w.DB.Row(t.Context(), "SELECT COUNT(*) FROM letter", nil, &n)
	case "job":
		err = w.DB.Row(t.Context(), "SELECT COUNT(*) FROM job", nil, &n)
	case "audit":
		err = w.DB.Row(t.Context(), "SELECT COUNT(*) FROM audit", nil, &n)
	case "client":
		err = w.DB.Row(t.Context(), "SELECT COUNT(*) FROM client", nil, &n)
	case "account":
		err = w.DB.Row(t.Context(), "SELECT COUNT(*) FROM account", nil, &n)
	case "practice":
		err = w.DB.Row(t.Context(), "SELECT COUNT(*) FROM practice", nil, &n)
	default:
		t.Fatalf("no count of %s", table)
	}
	if err != nil {
		t.Fatal(err)
	}
	return n
}

const aDay = 24 * time.Hour

// slowMail does something while a letter is handed over.
type slowMail struct {
	box    *mail.Box
	during func() error
	err    error
	done   bool
}

func (s *slowMail) Send(ctx context.Context, m mail.Message) (mail.Receipt, error) {
	r, err := s.box.Send(ctx, m)
	if !s.done {
		s.done = true
		s.err = s.during()
	}
	return r, err
}

func linkIn(t testing.TB, m mail.Message) secret.Token {
	t.Helper()
	_, rest, ok := strings.Cut(m.Text, world.Base+"/join/")
	if !ok {
		t.Fatal("no link in the letter")
	}
	return secret.ParseToken(strings.Fields(rest)[0])
}

func today(w *world.World) civil.Date { return civil.DateOf(w.Now(), civil.Zone{}) }

func session(j people.Joined) account.Session {
	return account.Session{Account: j.Account, Practice: j.Place.Practice, Client: j.Place.Client}
}
