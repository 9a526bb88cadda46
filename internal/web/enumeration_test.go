package web

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/recovery"
	"icouch/internal/world"
)

// Nobody learns at a door whether an address has an account: neither by what is
// answered, nor by what is done for the answer, nor by how long that takes.

// doorsForAddresses are the forms of strangers that take an address.
var doorsForAddresses = []struct {
	name, path string
	form       func(address string) url.Values
}{
	{"sign-in with a wrong password", "/sign-in", func(a string) url.Values { return form("email", a, "password", "not the right one at all") }},
	{"a forgotten password", "/forgot", func(a string) url.Values { return form("email", a) }},
	{"sign-up", "/sign-up", func(a string) url.Values { return form("name", "Somebody", "email", a) }},
	{"a lost invitation", "/join/lost", func(a string) url.Values { return form("email", a) }},
}

// narrowDoors take an address too, and something else is needed besides: a link
// of somebody who was vouched for, or a place in support. Of them the answers and
// the work are looked at; they are rare, and limited.
var narrowDoors = []struct {
	name, path string
	form       func(address string) url.Values
}{
	{"help", "/help", func(a string) url.Values {
		return form("name", "Somebody", "email", a, "happened", "something", "message", "something")
	}},
	{"a link of who was vouched for, and a wrong password", "{vouched}", func(a string) url.Values { return form("email", a, "password", "not the right one at all") }},
	{"a link of who has lost everything, and a wrong password", "{recovered}", func(a string) url.Values { return form("email", a, "password", "not the right one at all") }},
	{"a second step without a password", "/sign-in/step", func(a string) url.Values { return form("email", a, "code", "123456") }},
	{"support's look-up, by who is not in support", "/support/accounts", func(a string) url.Values { return form("email", a) }},
	{"support's request, by who is not in support", "/support/requests", func(a string) url.Values { return form("account", a, "reason", "because") }},
	{"support's other request, by who is not in support", "/support/recoveries", func(a string) url.Values { return form("account", a, "lost-reason", "because") }},
}

// watched is a site at whose doors somebody tries addresses.
type watched struct {
	*world.World
	*served
	hashes atomic.Int64
	n      int
}

// watch makes one with as many people, known and unknown, as tell noise from
// what is told. Theirs differ in nothing but in being known.
func watch(t testing.TB) *watched {
	t.Helper()
	w := &watched{World: world.New(t)}
	w.Doorman.Hasher = w.Doorman.Hasher.With(func(pw, salt []byte, _, _ uint32, _ uint8, n uint32) []byte {
		w.hashes.Add(1)
		sum := sha256.Sum256(append(pw, salt...))
		return sum[:n]
	})
	for i := range people8 {
		w.Account(t, "Known Person", address("known", i))
		w.Arm(t, w.Account(t, "Known Person", address("armed", i))) // and one with a second step
		c := w.Client(t, w.Mara, people.Draft{First: "Invited", Last: "Person", Email: address("guest", i), EmailConsent: true})
		w.Update(t, func(tx *db.Tx) error { return people.Invite(tx, w.Mara, c, "") })
	}
	w.RunJobs(t)
	w.served = serve(t, w.World)
	return w
}

// people8 are known, invited and unknown: eight of each.
const people8 = 8

func address(sort string, i int) string { return fmt.Sprintf("%s%d@example.com", sort, i%people8) }

// ask sends a form from a network of its own, long after the one before, so that
// no limit is met.
func (w *watched) ask(t testing.TB, path string, f url.Values) answer {
	t.Helper()
	w.n++
	w.Pass(25 * time.Hour)
	if sort := strings.Trim(path, "{}"); sort != path {
		path = w.freshLink(t, sort)
	}
	r := httptest.NewRequestWithContext(t.Context(), "POST", world.Base+path, strings.NewReader(f.Encode()))
	r.RemoteAddr = fmt.Sprintf("10.%d.%d.%d:1234", w.n>>16&255, w.n>>8&255, w.n&255)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	rec := httptest.NewRecorder()
	w.served.handler.ServeHTTP(rec, r)
	return answer{rec, rec.Body.String()}
}

// left is what a request leaves behind: rows of what anybody could count.
func (w *watched) left(t testing.TB) (rows [6]int) {
	t.Helper()
	err := w.World.DB.Row(t.Context(), `SELECT (SELECT COUNT(*) FROM job), (SELECT COUNT(*) FROM letter), (SELECT COUNT(*) FROM audit),
		(SELECT COUNT(*) FROM sign_up), (SELECT COUNT(*) FROM account_link), (SELECT COUNT(*) FROM invitation)`, nil, &rows[0], &rows[1], &rows[2], &rows[3], &rows[4], &rows[5])
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// linkedTo makes Theo a client with an account, and two who are in support.
func (w *watched) linkedTo(t testing.TB) {
	t.Helper()
	theo := w.Account(t, "Theo Vance", "theo@example.com")
	w.Update(t, func(tx *db.Tx) error {
		token, err := people.CopyLink(tx, w.Mara, w.Theo)
		if err != nil {
			return err
		}
		_, err = people.Accept(tx, access.AsPerson(theo), token)
		return err
	})
	helper(t, w.World, "sam@help.test")
	helper(t, w.World, "sia@help.test")
	w.RunJobs(t)
}

// freshLink is the address of a link that works: of a client who was vouched for,
// or of an owner for whom support has done so.
func (w *watched) freshLink(t testing.TB, sort string) string {
	t.Helper()
	to := "theo@example.com"
	if sort == "vouched" {
		w.Update(t, func(tx *db.Tx) error { return people.Vouch(tx, w.Mara, w.Theo) })
	} else {
		to = "ines@nextdoor.test"
		sam, sia := access.AsSupport(w.Who(t, "sam@help.test")), access.AsSupport(w.Who(t, "sia@help.test"))
		w.Update(t, func(tx *db.Tx) error { return recovery.AskFor(tx, sam, w.Ines.Account(), "because") })
		w.Update(t, func(tx *db.Tx) error {
			r, err := recovery.About(tx, sam, w.Ines.Account())
			if err != nil {
				return err
			}
			return recovery.Approve(tx, sia, r.ID)
		})
	}
	w.RunJobs(t)
	return "/" + sort + "/" + w.Link(t, to, "/"+sort+"/")
}

// unsaid takes the address out of an answer, which is only what was typed.
func unsaid(a answer, address string) string {
	text := strings.ReplaceAll(plainly(a), address, "ADDRESS")
	return regexp.MustCompile(`/(vouched|recovered)/[\w-]+`).ReplaceAllString(text, "/$1/LINK") // each try has a link of its own
}

func TestNoDoorSaysWhetherAnAddressIsKnown(t *testing.T) {
	t.Parallel()
	for _, door := range slices.Concat(doorsForAddresses, narrowDoors) {
		t.Run(door.name, func(t *testing.T) {
			t.Parallel()
			w := watch(t)
			hashed := door.path == "/sign-in" || strings.HasPrefix(door.path, "{")
			if strings.HasPrefix(door.path, "{") {
				w.linkedTo(t)
				w.ask(t, door.path, door.form(address("unknown", 0))) // the first link has none before it that ran out
			}
			var want string
			var wantLeft [6]int
			for i, sort := range []string{"unknown", "known", "guest", "armed"} {
				a, before := address(sort, i), w.left(t)
				w.hashes.Store(0)
				got := w.ask(t, door.path, door.form(a))
				left := w.left(t)
				for j := range left {
					left[j] -= before[j]
				}
				if hashed && w.hashes.Load() != 1 {
					t.Errorf("%s: the password was hashed %d times, want once", sort, w.hashes.Load())
				}
				if sort == "unknown" {
					want, wantLeft = unsaid(got, a), left
					continue
				}
				if text := unsaid(got, a); text != want {
					t.Errorf("%s is answered otherwise: %s", sort, difference(text, want))
				}
				if left != wantLeft {
					t.Errorf("%s leaves %v behind, unknown %v", sort, left, wantLeft)
				}
			}
		})
	}
}

// tries is how often each sort of address is tried.
const tries = 300

// How long an answer takes tells nothing either. Known and unknown addresses are
// tried in turn, in an order drawn anew each time, so that whatever else the
// machine does falls on both alike; what is looked at is how often one of the
// one sort took longer than one of the other. Half the time is what a coin says.
// That does not depend on how fast the machine is, nor on the few answers that
// take ten times as long. The hash is a cheap one here, or it would hide all else.
//
// With 300 of each, chance alone moves the share by 0.024: 0.1 is four times that.
func TestNoDoorTakesLongerForAKnownAddress(t *testing.T) {
	t.Parallel()
	w := watch(t)
	for _, door := range doorsForAddresses {
		sorts := []string{"known"}
		if door.path == "/sign-up" { // which an invited client takes for theirs
			sorts = append(sorts, "guest")
		}
		for _, sort := range sorts {
			if share := w.longer(t, door.path, func(i int) url.Values { return door.form(address(sort, i)) }, func(i int) url.Values { return door.form(address("unknown", i)) }); share < 0.4 || share > 0.6 {
				t.Errorf("%s: of %d pairs a %s address took longer in %.2f", door.name, tries, sort, share)
			}
		}
	}
	// What the measure is good for: it finds a door that looks nothing up.
	if share := w.longer(t, "/sign-in", func(i int) url.Values { return form("email", address("known", i), "password", "x") }, func(i int) url.Values { return form("email", address("known", i)) }); share < 0.9 {
		t.Errorf("a door that looks nothing up is told from one that does in %.2f only", share)
	}
}

// longer is how often what one form is answered took longer than the other: the
// area under the curve of whoever would tell them apart by it.
func (w *watched) longer(t *testing.T, path string, one, other func(int) url.Values) float64 {
	t.Helper()
	var took [2][]time.Duration
	for i := range tries {
		first := rand.IntN(2)
		for _, which := range []int{first, 1 - first} {
			f := [2]func(int) url.Values{one, other}[which](i)
			began := time.Now()
			a := w.ask(t, path, f)
			took[which] = append(took[which], time.Since(began))
			if a.Code == http.StatusTooManyRequests || a.Code >= 500 {
				t.Fatalf("%s: %d: %s", path, a.Code, clip(a.text))
			}
		}
	}
	var above float64
	for _, a := range took[0] {
		for _, b := range took[1] {
			switch {
			case a > b:
				above++
			case a == b:
				above += 0.5
			}
		}
	}
	return above / float64(len(took[0])*len(took[1]))
}
