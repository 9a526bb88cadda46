package support_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/email"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/support"
	"icouch/internal/world"
)

// wrong is a world in which Theo, invited by Mara, took the wrong door: he has a
// practitioner's account with a practice of his own. Sam and Sia are in support.
type wrong struct {
	*world.World
	theo     id.Account
	mail     string // Theo's address
	founder  access.Actor
	sam, sia access.Actor
	asked    support.RequestID
}

const theosMail = "theo@example.com"

func newWrong(t testing.TB) *wrong {
	t.Helper()
	w := &wrong{World: world.New(t)}
	w.mistake(t, theosMail)
	w.Update(t, func(tx *db.Tx) error { return people.Invite(tx, w.Mara, w.Theo, "") })
	w.sam, w.sia = w.supporter(t, "sam@help.test"), w.supporter(t, "sia@help.test")
	w.RunJobs(t)
	return w
}

// mistake makes the account and the practice.
func (w *wrong) mistake(t testing.TB, address string) {
	t.Helper()
	w.mail, w.theo, w.asked = address, w.Account(t, "Theo Vance", address), ""
	w.Update(t, func(tx *db.Tx) (err error) {
		w.founder, err = people.Found(tx, access.AsPerson(w.theo), "Theo’s mistake", "America/New_York")
		return err
	})
}

func (w *wrong) supporter(t testing.TB, address string) access.Actor {
	t.Helper()
	who := w.Account(t, strings.ToUpper(address[:1])+address[1:3], address)
	w.Update(t, func(tx *db.Tx) error { return support.Appoint(tx, access.Operator(), mail(t, address)) })
	return access.AsSupport(who)
}

// ask has by ask for Theo's account to be converted, and returns the link he gets.
func (w *wrong) ask(t testing.TB, by access.Actor) secret.Token {
	t.Helper()
	w.Update(t, func(tx *db.Tx) (err error) {
		w.asked, err = support.Ask(tx, by, w.theo, "He called from the number on record.")
		return err
	})
	w.RunJobs(t)
	return secret.ParseToken(w.Link(t, w.mail, "/convert/"))
}

func (w *wrong) confirm(t testing.TB, link secret.Token) (done bool, err error) {
	t.Helper()
	err = w.DB.Update(t.Context(), func(tx *db.Tx) (err error) {
		done, err = support.Confirm(tx, access.AsPerson(w.theo), link)
		return err
	})
	return done, err
}

func (w *wrong) change(t testing.TB, fn func(*db.Tx) error) error {
	t.Helper()
	return w.DB.Update(t.Context(), fn)
}

// places is what Theo may open.
func (w *wrong) places(t testing.TB) (all []people.Place) {
	t.Helper()
	w.View(t, func(tx *db.Tx) (err error) {
		all, err = people.Places(tx, access.AsPerson(w.theo))
		return err
	})
	return all
}

func (w *wrong) request(t testing.TB) (r support.Request) {
	t.Helper()
	w.View(t, func(tx *db.Tx) (err error) {
		r, err = support.Read(tx, w.sam, w.asked)
		return err
	})
	return r
}

func (w *wrong) count(t testing.TB, what string) (n int) {
	t.Helper()
	var err error
	switch what {
	case "sessions":
		err = w.DB.Row(t.Context(), "SELECT COUNT(*) FROM session WHERE account_id = $1", []any{w.theo.String()}, &n)
	case "looked up":
		err = w.DB.Row(t.Context(), "SELECT COUNT(*) FROM audit WHERE action = 'account.looked_up'", nil, &n)
	case "letters":
		err = w.DB.Row(t.Context(), "SELECT COUNT(*) FROM letter", nil, &n)
	default:
		t.Fatalf("no count of %s", what)
	}
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (w *wrong) signIn(t testing.TB) (token secret.Token) {
	t.Helper()
	w.Update(t, func(tx *db.Tx) (err error) {
		token, err = account.Begin(tx, access.AsPerson(w.theo), w.theo, account.Entry{Place: account.Place{Practice: w.founder.Practice()}, Terms: account.Terms{Life: 12 * 3600e9, Idle: 3600e9}})
		return err
	})
	return token
}

func wants(t testing.TB, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func mail(t testing.TB, s string) email.Address {
	t.Helper()
	e, err := email.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return e
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
			if f, ok := errors.AsType[*fault.Fault](err); ok {
				err = f
			}
			told[err]++
		})
	}
	close(begin)
	all.Wait()
	return told
}
