package audit_test

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/audit"
	"icouch/internal/base/id"
	"icouch/internal/platform/db"
	"icouch/internal/world"
)

// looked is a look at some clients.
func looked(t testing.TB, by access.Actor, part audit.Part, clients ...id.Client) *audit.Look {
	t.Helper()
	l := new(audit.Look)
	ctx := audit.Looking(t.Context(), l)
	for _, c := range clients {
		audit.Saw(ctx, by, part, c, access.Care)
	}
	return l
}

func some(n int) (all []id.Client) {
	for range n {
		all = append(all, id.New[id.Client](time.UnixMilli(1_900_000_000_000)))
	}
	return all
}

func lines(t *testing.T, w *world.World, action audit.Action) (n int) {
	t.Helper()
	if err := w.DB.Row(t.Context(), "SELECT COUNT(*) FROM audit WHERE action = $1", []any{string(action)}, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestALookIsOneLine(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := audit.NewScribe(w.DB)
	clients := some(60)
	l := looked(t, w.Mara, audit.Listed, clients...)
	if err := s.Write(l, "REFERENCE"); err != nil {
		t.Fatal(err)
	}
	if n := lines(t, w, audit.Seen); n != 1 {
		t.Fatalf("%d lines", n)
	}
	w.View(t, func(tx *db.Tx) error {
		page, err := audit.Back(tx, w.Mara, 1<<62)
		if err != nil {
			return err
		}
		e := page[0]
		if len(e.Shown) != 60 || e.Shown[59] != (audit.Sight{Client: clients[59], Part: audit.Listed, Why: access.Care}) || e.Subject != "list" || e.Detail != "REFERENCE" || e.Account != w.Mara.Account() {
			t.Errorf("%+v", e)
		}
		return nil
	})
	if r := report(t, w); len(r.Findings) != 0 {
		t.Errorf("%+v", r.Findings)
	}
}

// What is seen twice is told once, as the most of it.
func TestTheMostThatWasShownIsTold(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	c := some(2)
	l := looked(t, w.Mara, audit.Named, c...)
	ctx := audit.Looking(t.Context(), l)
	audit.Saw(ctx, w.Mara, audit.Whole, c[0], access.Office)
	audit.Saw(ctx, w.Mara, audit.Listed, c[0], access.Office)
	audit.Saw(ctx, access.Job(w.Mara.Practice()), audit.Whole, c[1], access.Office) // nobody looks
	audit.Saw(t.Context(), w.Mara, audit.Whole, c[1], access.Office)                // nobody asks
	if err := audit.NewScribe(w.DB).Write(l, ""); err != nil {
		t.Fatal(err)
	}
	w.View(t, func(tx *db.Tx) error {
		page, err := audit.Back(tx, w.Mara, 1<<62)
		if err != nil {
			return err
		}
		if got := page[0].Shown; len(got) != 2 || got[0].Part != audit.Whole || got[0].Why != access.Office || got[1].Part != audit.Named {
			t.Errorf("%+v", got)
		}
		return nil
	})
}

func TestReadersAndWritersKeepOneChain(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s, other := audit.NewScribe(w.DB), audit.NewScribe(w.DB) // as on another node, or in another process
	before := report(t, w).Lines
	var all sync.WaitGroup
	for i := range 24 {
		by := []access.Actor{w.Mara, w.Ines}[i%2]
		scribe := []*audit.Scribe{s, other}[i/2%2]
		look := looked(t, by, audit.Whole, some(1+i)...)
		all.Go(func() {
			for n := range 10 {
				if err := scribe.Write(look, strconv.Itoa(n)); err != nil {
					t.Error(err)
				}
				if i%4 == 0 {
					if err := w.DB.Update(t.Context(), func(tx *db.Tx) error { return audit.Record(tx, by, deed(n)) }); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
	if r := report(t, w); len(r.Findings) != 0 || r.Lines != before+240+60 {
		t.Errorf("%+v, want %d lines", r, before+300)
	}
}

// A change that is undone after a look leaves no gap, and neither does a look
// that could not be written.
func TestNothingIsShownThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := audit.NewScribe(w.DB)
	look := looked(t, w.Mara, audit.Whole, w.Theo)
	if err := s.Write(look, ""); err != nil {
		t.Fatal(err)
	}
	deny(t, w)
	if err := s.Write(look, ""); err == nil {
		t.Fatal("a look was reported written that cannot have been")
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := s.Write(look, ""); err == nil {
				t.Error("a look was reported written that cannot have been")
			}
		})
	}
	all.Wait()
	allow(t, w)
	if err := s.Write(look, ""); err != nil {
		t.Fatal(err)
	}
	if r := report(t, w); len(r.Findings) != 0 || lines(t, w, audit.Seen) != 2 {
		t.Errorf("%+v", r)
	}
	if err := s.Write(looked(t, w.Mara, audit.Whole, "no identifier"), ""); err == nil {
		t.Error("somebody was shown of whom nothing can be written")
	}
}

// deny has the database refuse every new line of the trail; allow ends that.
func deny(t *testing.T, w *world.World) {
	t.Helper()
	var err error
	if world.OnPostgres() {
		err = w.DB.Exec(t.Context(), "CREATE TRIGGER denied BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION audit_is_append_only()")
	} else {
		err = w.DB.Exec(t.Context(), "CREATE TRIGGER denied BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'denied'); END")
	}
	if err != nil {
		t.Fatal(err)
	}
}

func allow(t *testing.T, w *world.World) {
	t.Helper()
	var err error
	if world.OnPostgres() {
		err = w.DB.Exec(t.Context(), "DROP TRIGGER denied ON audit")
	} else {
		err = w.DB.Exec(t.Context(), "DROP TRIGGER denied")
	}
	if err != nil {
		t.Fatal(err)
	}
}

// BenchmarkLook is what one line costs a lone reader, beside what it costs when
// it is written as a change is.
func BenchmarkLook(b *testing.B) {
	for _, n := range []int{1, 50} {
		w := world.New(b)
		s := audit.NewScribe(w.DB)
		clients := some(n)
		by := w.Mara
		name := strconv.Itoa(n) + " shown/"
		measure := func(name string, one func() error) {
			b.Run(name, func(b *testing.B) {
				b.ReportAllocs()
				before := cpu()
				for b.Loop() {
					if err := one(); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64((cpu()-before).Nanoseconds())/1000/float64(b.N), "cpu-us/look")
			})
		}
		measure(name+"noted", func() error {
			looked(b, by, audit.Listed, clients...)
			return nil
		})
		measure(name+"written", func() error { return s.Write(looked(b, by, audit.Listed, clients...), "ABCDEFGHIJKL") })
		measure(name+"as a change", func() error {
			return w.DB.Update(context.Background(), func(tx *db.Tx) error {
				return audit.Record(tx, by, audit.Deed{Did: audit.ClientEdited, Subject: subject("list"), Fields: []string{strings.Repeat("x", 16*n)}})
			})
		})
	}
}

// cpu is how long this process has computed.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // cannot fail for oneself
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
