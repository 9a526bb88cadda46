package team_test

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
	"icouch/internal/people/directory"
	"icouch/internal/platform/db"
	"icouch/internal/team"
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

// sees reports whether somebody who signs in now sees a client: as the site
// asks, in the record and in the list, which must agree.
func sees(t testing.TB, w *world.World, by access.Actor, c id.Client) bool {
	t.Helper()
	now := enter(t, w, by)
	var err error
	w.View(t, func(tx *db.Tx) error { _, err = people.Find(tx, now, c); return nil })
	if err != nil && !errors.Is(err, fault.NotFound) {
		t.Fatal(err)
	}
	found := err == nil
	listed := false
	if now.MaySeePeople() {
		a, err := w.Directory.Look(t.Context(), now, directory.Query{})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range a.Rows {
			listed = listed || r.ID == c
		}
		if a.Counts[people.Everyone] != len(a.Rows) || a.Total != len(a.Rows) {
			t.Errorf("the list counts %d and %d, and shows %d", a.Counts[people.Everyone], a.Total, len(a.Rows))
		}
	}
	if found != listed {
		t.Errorf("the record is found: %t, and in the list: %t", found, listed)
	}
	return found
}

// enter is who somebody is at their next request.
func enter(t testing.TB, w *world.World, by access.Actor) (now access.Actor) {
	t.Helper()
	w.View(t, func(tx *db.Tx) (err error) {
		now, err = people.Enter(tx, account.Session{Account: by.Account(), Practice: by.Practice(), Strong: true})
		return err
	})
	return now
}

func address(t testing.TB, s string) email.Address {
	t.Helper()
	a, err := email.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// invite has Mara invite somebody, and returns the link in the letter.
func invite(t testing.TB, w *world.World, name, to string, role access.Role) secret.Token {
	t.Helper()
	w.Update(t, func(tx *db.Tx) error {
		return team.Invite(tx, w.Mara, team.Draft{Name: name, Email: address(t, to), Role: role})
	})
	w.RunJobs(t)
	return link(t, w, to)
}

func link(t testing.TB, w *world.World, to string) secret.Token {
	t.Helper()
	return secret.ParseToken(w.Link(t, to, "/team/"))
}

// open returns the open invitations of Mara's practice.
func open(t testing.TB, w *world.World) (all []team.Invited) {
	t.Helper()
	w.View(t, func(tx *db.Tx) (err error) { all, err = team.Invitations(tx, w.Mara); return err })
	return all
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

// trail counts the lines of an action.
func trail(t testing.TB, w *world.World, action string) (n int) {
	t.Helper()
	if err := w.DB.Row(t.Context(), "SELECT COUNT(*) FROM audit WHERE action = $1", []any{action}, &n); err != nil {
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

func client(t testing.TB, w *world.World, by access.Actor, first, last string) id.Client {
	t.Helper()
	return w.Client(t, by, people.Draft{First: first, Last: last, Email: strings.ToLower(first) + "@example.com", EmailConsent: true})
}
