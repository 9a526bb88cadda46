package joint_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/base/civil"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/joint"
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

// today is the day it is in the practice.
func today(t testing.TB, w *world.World) civil.Date {
	t.Helper()
	return date(t, w.Now().Add(-5*time.Hour).Format(time.DateOnly))
}

func date(t testing.TB, s string) civil.Date {
	t.Helper()
	d, err := civil.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func couple(by access.Actor) joint.Details {
	return joint.Details{Kind: joint.Couple, Name: "Theo and Lena", Practitioner: by.Practitioner()}
}

// made begins Theo's joint record, which Mara looks after.
func made(t testing.TB, w *world.World) id.Joint {
	t.Helper()
	j := id.New[id.Joint](w.Now())
	w.Update(t, func(tx *db.Tx) error { return joint.Make(tx, w.Mara, j, w.Theo, couple(w.Mara)) })
	return j
}

// both is Theo's joint record with Lena, a client of Noor's, in it.
func both(t testing.TB, w *world.World) (j id.Joint, lena id.Client) {
	t.Helper()
	j, lena = made(t, w), w.Client(t, w.Noor, people.Draft{First: "Lena", Last: "Marsh", Email: "lena@example.com", EmailConsent: true})
	w.Pass(time.Minute)
	w.Update(t, func(tx *db.Tx) error { return joint.Join(tx, w.Mara, j, lena, civil.Date{}) })
	return j, lena
}

// find is how a joint record stands, to Mara.
func find(t testing.TB, w *world.World, j id.Joint) (r joint.Record) {
	t.Helper()
	w.View(t, func(tx *db.Tx) (err error) { r, err = joint.Find(tx, w.Mara, j); return err })
	return r
}

// stay is the newest of a client's in a joint record.
func stay(t testing.TB, w *world.World, j id.Joint, c id.Client) (is joint.Person) {
	t.Helper()
	for _, p := range find(t, w, j).People {
		if p.Client == c {
			is = p
		}
	}
	if is.ID == "" {
		t.Fatalf("%s is not in %s", c, j)
	}
	return is
}

func agree(t testing.TB, w *world.World, j id.Joint, c id.Client, what joint.What) {
	t.Helper()
	w.Update(t, func(tx *db.Tx) error { return joint.Agree(tx, w.Mara, j, stay(t, w, j, c).ID, what) })
}

// themselves is a client with an account.
func themselves(w *world.World, c id.Client) access.Actor {
	return access.AsClient(w.Mara.Practice(), "x", c)
}

// mine are the joint records a client sees.
func mine(t testing.TB, w *world.World, c id.Client) (all []joint.Own) {
	t.Helper()
	w.View(t, func(tx *db.Tx) (err error) { all, err = joint.Mine(tx, themselves(w, c)); return err })
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

// trail counts the lines of an action; of "" all of them.
func trail(t testing.TB, w *world.World, action string) (n int) {
	t.Helper()
	if err := w.DB.Row(t.Context(), "SELECT COUNT(*) FROM audit WHERE action = $1 OR $1 = ''", []any{action}, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// deeds are all that the practice can do with a joint record that is there.
func deeds(t testing.TB, w *world.World, client id.Client, person id.JointPerson) map[string]func(*db.Tx, access.Actor, id.Joint) error {
	on := today(t, w)
	return map[string]func(*db.Tx, access.Actor, id.Joint) error{
		"edit": func(tx *db.Tx, by access.Actor, j id.Joint) error { return joint.Edit(tx, by, j, 1, couple(w.Mara)) },
		"assign": func(tx *db.Tx, by access.Actor, j id.Joint) error {
			return joint.Assign(tx, by, j, w.Noor.Practitioner())
		},
		"close":  func(tx *db.Tx, by access.Actor, j id.Joint) error { return joint.Close(tx, by, j, on) },
		"reopen": joint.Reopen,
		"join": func(tx *db.Tx, by access.Actor, j id.Joint) error {
			return joint.Join(tx, by, j, client, civil.Date{})
		},
		"leave": func(tx *db.Tx, by access.Actor, j id.Joint) error { return joint.Leave(tx, by, j, person, on) },
		"stay":  func(tx *db.Tx, by access.Actor, j id.Joint) error { return joint.Stay(tx, by, j, person) },
		"agree": func(tx *db.Tx, by access.Actor, j id.Joint) error {
			return joint.Agree(tx, by, j, person, joint.Sessions)
		},
		"take back": func(tx *db.Tx, by access.Actor, j id.Joint) error {
			return joint.TakeBack(tx, by, j, person, joint.Sessions)
		},
	}
}
