package contact_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/civil"
	"icouch/internal/base/email"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/contact"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/world"
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

func address(t testing.TB, s string) email.Address {
	t.Helper()
	a, err := email.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func date(t testing.TB, s string) civil.Date {
	t.Helper()
	d, err := civil.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

const gretaMail = "greta@example.com"

// greta is Theo's mother, who pays and sees his appointments. It is 14 March.
func greta(t testing.TB) contact.Details {
	t.Helper()
	return contact.Details{Name: "Greta Vance", Relation: contact.Parent, Email: address(t, gretaMail), Mobile: "+44 7700 900123", Emergency: true,
		Basis: "Parental responsibility", Rights: []access.Right{access.PayInvoices, access.SeeAppointments}, Until: date(t, "2030-04-30")}
}

// add notes a contact of Theo's.
func add(t testing.TB, w *world.World, d contact.Details) id.Contact {
	t.Helper()
	c := id.New[id.Contact](w.Now())
	w.Update(t, func(tx *db.Tx) error { return contact.Add(tx, w.Mara, w.Theo, c, d) })
	return c
}

// find is how a contact of Theo's stands.
func find(t testing.TB, w *world.World, c id.Contact) (is contact.Contact) {
	t.Helper()
	w.View(t, func(tx *db.Tx) (err error) { is, err = contact.Find(tx, w.Mara, w.Theo, c); return err })
	return is
}

// invite has Mara invite a contact of Theo's, and returns the link in the letter.
func invite(t testing.TB, w *world.World, c id.Contact, to string) secret.Token {
	t.Helper()
	w.Update(t, func(tx *db.Tx) error { return contact.Invite(tx, w.Mara, w.Theo, c) })
	w.RunJobs(t)
	return link(t, w, to)
}

func link(t testing.TB, w *world.World, to string) secret.Token {
	t.Helper()
	return secret.ParseToken(w.Link(t, to, "/contact/"))
}

func signUp(t testing.TB, w *world.World, token secret.Token) (j people.Joined, err error) {
	t.Helper()
	err = update(t, w, func(tx *db.Tx) (err error) { j, err = contact.SignUp(tx, access.Guest(), token, "hash"); return err })
	return j, err
}

// joined notes Greta, invites her and has her accept.
func joined(t testing.TB, w *world.World, d contact.Details) (id.Contact, id.Account) {
	t.Helper()
	c := add(t, w, d)
	j, err := signUp(t, w, invite(t, w, c, d.Email.String()))
	if err != nil {
		t.Fatal(err)
	}
	return c, j.Account
}

// enter is who somebody is at their next request, in Theo's record.
func enter(t testing.TB, w *world.World, who id.Account) (now access.Actor) {
	t.Helper()
	w.View(t, func(tx *db.Tx) (err error) {
		now, err = people.Enter(tx, account.Session{Account: who, Practice: w.Mara.Practice(), Client: w.Theo, Strong: true})
		return err
	})
	return now
}

// places are where somebody may go.
func places(t testing.TB, w *world.World, who id.Account) (all []people.Place) {
	t.Helper()
	w.View(t, func(tx *db.Tx) (err error) { all, err = people.Places(tx, access.AsPerson(who)); return err })
	return all
}

// day moves the clock to noon in the practice on a day.
func day(t testing.TB, w *world.World, s string) {
	t.Helper()
	d := date(t, s)
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	w.Pass(time.Date(d.Year(), d.Month(), d.Day(), 12, 0, 0, 0, zone).Sub(w.Now()))
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
			if f, ok := errors.AsType[*fault.Fault](err); ok {
				err = f
			}
			mu.Lock()
			defer mu.Unlock()
			told[err]++
		})
	}
	close(begin)
	all.Wait()
	return told
}

// trail counts the lines of an action; of "" all of them.
func trail(t testing.TB, w *world.World, action string) (n int) {
	t.Helper()
	if err := w.DB.Row(t.Context(), "SELECT COUNT(*) FROM audit WHERE action = $1 OR $1 = ''", []any{action}, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// jobs counts those that wait.
func jobs(t testing.TB, w *world.World) (n int) {
	t.Helper()
	if err := w.DB.Row(t.Context(), "SELECT COUNT(*) FROM job", nil, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// letters are the texts that went to an address with a word in the subject.
func letters(w *world.World, to, subject string) (all []string) {
	for _, m := range w.Letters(to) {
		if strings.Contains(m.Subject, subject) {
			all = append(all, m.Text)
		}
	}
	return all
}

// deeds are all that the practice can do with a contact that is there.
func deeds(t testing.TB) map[string]func(*db.Tx, access.Actor, id.Client, id.Contact) error {
	d := greta(t)
	return map[string]func(*db.Tx, access.Actor, id.Client, id.Contact) error{
		"edit": func(tx *db.Tx, by access.Actor, client id.Client, c id.Contact) error {
			return contact.Edit(tx, by, client, c, 1, d)
		},
		"suspend": contact.Suspend, "resume": contact.Resume, "end": contact.End, "invite": contact.Invite, "resend": contact.Resend, "withdraw": contact.Withdraw,
	}
}

// enterWeakly is enter with a password alone.
func enterWeakly(t testing.TB, w *world.World, who id.Account) (now access.Actor) {
	t.Helper()
	w.View(t, func(tx *db.Tx) (err error) {
		now, err = people.Enter(tx, account.Session{Account: who, Practice: w.Mara.Practice(), Client: w.Theo})
		return err
	})
	return now
}

// notIn fails the test if one of the words is in a text.
func notIn(t testing.TB, text string, words ...string) {
	t.Helper()
	for _, word := range words {
		if strings.Contains(text, word) {
			t.Errorf("%q stands in %q", word, text)
		}
	}
}

// stored is the first contact's name as it is stored.
func stored(t testing.TB, w *world.World) (b []byte) {
	t.Helper()
	if err := w.DB.Row(t.Context(), "SELECT name FROM contact", nil, &b); err != nil {
		t.Fatal(err)
	}
	return b
}
