package directory

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"icouch/internal/access"
	"icouch/internal/base/at"
	"icouch/internal/base/id"
	"icouch/internal/people"
)

var (
	now    = time.Date(2030, 3, 14, 13, 0, 0, 0, time.UTC)
	mara   = access.AsPractitioner("p", "a", "mara", access.Owner)
	noor   = access.AsPractitioner("p", "b", "noor", access.Practitioner)
	firsts = []string{"Annie", "Vince", "David", "Rashida", "Zoë", "Łukasz", "Maria", "Jon", "Ana", "Olu", "Wei", "Priya", "Sam", "Fatima", "Lars"}
	lasts  = []string{"Noda", "Gill", "Berg", "Øster", "Castillo", "Devi", "Eriksson", "Fischer", "Grant", "Haddad", "Iqbal", "Jensen", "Kowalski", "Lindqvist", "Moreau"}
)

// crowd is n clients as a reading of the database gives them.
func crowd(n int) []people.Listed {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	all := make([]people.Listed, n)
	for i := range all {
		l := people.Listed{ID: id.New[id.Client](now), Practitioner: id.Practitioner(strings.Clone([]string{"mara", "noor"}[i%2])), Email: fmt.Sprintf("client%d@example.com", i),
			Name: people.Name{First: strings.Clone(firsts[r.IntN(len(firsts))]), Last: fmt.Sprint(lasts[r.IntN(len(lasts))], i%97)}, Facts: people.Facts{HasEmail: true, Consent: true}}
		if i%3 == 0 {
			l.Newest = &people.Latest{State: people.Live, Ordinal: 1, CreatedAt: at.Of(now), ExpiresAt: at.Of(now.Add(time.Duration(1+i%300) * time.Hour))}
		}
		all[i] = l
	}
	return all
}

func TestTheSearchFindsWhatLookingAtEachOneFinds(t *testing.T) {
	t.Parallel()
	b := newBook()
	b.fill(crowd(3000))
	b.settle(now)
	for _, needle := range []string{"a", "e", "noda", "client29", "client2999", "12", "@", "example.com", "qqq", "z", "lukasz kow", "moreau", " "} {
		want := 0
		for _, e := range b.sorted {
			if strings.Contains(e.fold, needle) {
				want++
			}
		}
		got := slices.Collect(b.search(needle, ByName))
		if len(got) != want || !slices.IsSortedFunc(got, byName) || len(slices.Compact(slices.Clone(got))) != want {
			t.Errorf("%q finds %d, want %d, each once and in order", needle, len(got), want)
		}
	}
}

// A search that fits almost everybody is not counted to its end: what is shown
// is the first of them in order, and that there are more.
func TestASearchThatFitsAlmostEverybodyIsNotCountedToItsEnd(t *testing.T) {
	t.Parallel()
	b := newBook()
	b.fill(crowd(3000))
	b.settle(now)
	by := access.AsPractitioner("p", "a", "m", access.Owner)
	for _, tt := range []struct {
		q     Query
		rows  int
		total int
		more  bool
	}{
		{Query{Text: "example.com", Most: 50}, 50, enough + 1, true},
		{Query{Text: "example.com", Skip: 2950, Most: 50}, 50, 3000, false},
		{Query{Text: "example.com", Skip: 1500, Most: 50}, 50, 1500 + enough + 1, true},
		{Query{Text: "example.com"}, 3000, 3000, false},
		{Query{Text: "example.com", Sort: ByAdded, Most: 50}, 50, enough + 1, true},
		{Query{Text: "client2999", Most: 50}, 1, 1, false},
	} {
		a := b.look(by, tt.q)
		if len(a.Rows) != tt.rows || a.Total != tt.total || a.More != tt.more {
			t.Errorf("%+v: %d rows of %d, more: %v; want %d of %d, %v", tt.q, len(a.Rows), a.Total, a.More, tt.rows, tt.total, tt.more)
		}
	}
	if first := b.look(by, Query{Text: "example.com", Most: 1}); first.Rows[0].ID != b.sorted[0].ID {
		t.Errorf("the first hit is %s, want the first in order", first.Rows[0].ID)
	}
}

// TestABookThatFollowsChangesSaysWhatANewOneSays changes, adds and removes
// clients while time passes, with every order and the search in use.
func TestABookThatFollowsChangesSaysWhatANewOneSays(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		rows := crowd(30)
		b, clock := newBook(), now
		b.fill(rows)
		for range rapid.IntRange(1, 12).Draw(rt, "commits") {
			var changed []id.Client
			var read []people.Listed
			for range rapid.IntRange(0, 3).Draw(rt, "changes") {
				i := rapid.IntRange(0, len(rows)-1).Draw(rt, "who")
				if c := rows[i].ID; slices.Contains(changed, c) {
					continue
				}
				changed = append(changed, rows[i].ID)
				switch rapid.IntRange(0, 4).Draw(rt, "how") {
				case 0:
					rows = slices.Delete(rows, i, i+1)
					continue
				case 1:
					l := crowd(1)[0]
					changed[len(changed)-1] = l.ID
					rows, i = append(rows, l), len(rows)
				case 2:
					rows[i].Name.Last = rapid.SampledFrom(lasts).Draw(rt, "name")
				case 3:
					rows[i].Account = !rows[i].Account
				case 4:
					rows[i].Practitioner = id.Practitioner(rapid.SampledFrom([]string{"mara", "noor"}).Draw(rt, "whose"))
					rows[i].Newest = &people.Latest{State: people.Live, Ordinal: 1, CreatedAt: at.Of(clock), ExpiresAt: at.Of(clock.Add(time.Duration(rapid.IntRange(-1, 20).Draw(rt, "hours")) * time.Hour))}
				}
				read = append(read, rows[i])
			}
			b.replace(changed, read)
			clock = clock.Add(time.Duration(rapid.IntRange(-1, 5).Draw(rt, "passed")) * time.Hour)
			b.settle(clock)
			anew := newBook()
			anew.fill(rows)
			anew.settle(clock)
			same(rt, b, anew)
		}
	})
}

// same fails the test unless two books say the same to everybody.
func same(t *rapid.T, got, want *book) {
	for _, by := range []access.Actor{mara, noor} {
		for _, sort := range []Sort{ByName, ByAdded, ByStatus} {
			for _, group := range []people.Group{people.Everyone, people.Invited, people.NeedsAttention} {
				for _, text := range []string{"", "an", "client1"} {
					q := Query{Text: text, Group: group, Sort: sort}
					a, b := got.look(by, q), want.look(by, q)
					for _, c := range []Answer{a, b} {
						maps.DeleteFunc(c.Counts, func(_ people.Group, n int) bool { return n == 0 })
					}
					if diff := cmp.Diff(b, a, cmpopts.EquateComparable(at.Time{}, people.Name{})); diff != "" {
						t.Fatalf("%+v: (-a new book, +this one)\n%s", q, diff)
					}
				}
			}
		}
	}
}

func BenchmarkBook(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		rows := crowd(n)
		b.Run(fmt.Sprintf("fill/%d", n), func(b *testing.B) {
			for b.Loop() {
				book := newBook()
				book.fill(rows)
				book.settle(now)
			}
		})
		var before, after runtime.MemStats
		rows = nil
		runtime.GC()
		runtime.ReadMemStats(&before)
		book := newBook()
		book.fill(crowd(n))
		book.settle(now)
		book.search("x", ByName)
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.Logf("%d clients: %d bytes each", n, (after.HeapAlloc-before.HeapAlloc)/uint64(n))
		for _, c := range []struct {
			what string
			by   access.Actor
			q    Query
		}{{"list", mara, Query{}}, {"list-own", noor, Query{}}, {"status", mara, Query{Sort: ByStatus}}, {"search-a", mara, Query{Text: "a"}}, {"search-a-own", noor, Query{Text: "a"}},
			{"search-com", mara, Query{Text: "example.com"}}, {"search-noda", mara, Query{Text: "noda"}}, {"search-rare", mara, Query{Text: fmt.Sprint("client", n-7)}}, {"search-none", mara, Query{Text: "qqq"}}} {
			c.q.Most = 50
			b.Run(fmt.Sprintf("%s/%d", c.what, n), func(b *testing.B) {
				book.look(c.by, c.q)
				var took []time.Duration
				for b.Loop() {
					begin := time.Now()
					book.look(c.by, c.q)
					took = append(took, time.Since(begin))
				}
				slices.Sort(took)
				b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
			})
		}
		b.Run(fmt.Sprintf("refresh/%d", n), func(b *testing.B) {
			one := book.sorted[n/2].Listed
			for b.Loop() {
				book.replace([]id.Client{one.ID}, []people.Listed{one})
				book.settle(now)
				book.look(mara, Query{Most: 50})
			}
		})
	}
}
