package limit_test

import (
	"bytes"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"icouch/internal/platform/db"
	"icouch/internal/platform/limit"
	"icouch/internal/world"
)

var rule = limit.Rule{Name: "knock", Most: 5, Per: time.Minute}

func take(t *testing.T, l limit.Limiter, r limit.Rule, who string) bool {
	t.Helper()
	err := l.Take(t.Context(), r, who)
	if err != nil && !errors.Is(err, limit.ErrTooOften) {
		t.Error(err)
	}
	return err == nil
}

func TestAWindowOpensAgain(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	l := limit.Limiter{DB: w.DB}
	for n := 1; n <= 8; n++ {
		if let := take(t, l, rule, "192.0.2.1"); let != (n <= 5) {
			t.Errorf("knock %d: let in %v", n, let)
		}
	}
	if !take(t, l, rule, "192.0.2.2") || !take(t, l, limit.Rule{Name: "ring", Most: 1, Per: time.Minute}, "192.0.2.1") {
		t.Error("another, or another rule, was held up")
	}
	w.Pass(time.Minute - time.Microsecond)
	if take(t, l, rule, "192.0.2.1") {
		t.Error("let in before the time was over")
	}
	w.Pass(time.Microsecond)
	if !take(t, l, rule, "192.0.2.1") {
		t.Error("not let in when the time was over, though knocking went on")
	}
	if tally, err := l.Look(t.Context(), rule, "192.0.2.1"); err != nil || tally.Count != 1 {
		t.Errorf("counted %d, %v", tally.Count, err)
	}
}

func TestOfManyAtOnceAsManyAsMayAreLetIn(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	l := limit.Limiter{DB: w.DB}
	var in atomic.Int32
	var all sync.WaitGroup
	for range 40 {
		all.Go(func() {
			if take(t, l, rule, "192.0.2.1") {
				in.Add(1)
			}
		})
	}
	all.Wait()
	tally, err := l.Look(t.Context(), rule, "192.0.2.1")
	if in.Load() != 5 || tally.Count != 40 || err != nil {
		t.Errorf("%d of 40 were let in, want 5; counted %d, %v", in.Load(), tally.Count, err)
	}
}

func TestForgettingAndSweeping(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	l := limit.Limiter{DB: w.DB}
	for range 6 {
		take(t, l, rule, "192.0.2.1")
	}
	if err := l.Forget(t.Context(), rule, "192.0.2.1"); err != nil || !take(t, l, rule, "192.0.2.1") {
		t.Errorf("not forgotten, %v", err)
	}
	rows := func() (n int) {
		if err := w.DB.Row(t.Context(), "SELECT COUNT(*) FROM tally", nil, &n); err != nil {
			t.Error(err)
		}
		return n
	}
	w.Pass(47 * time.Hour)
	take(t, l, rule, "192.0.2.2")
	if err := l.Sweep(t.Context()); err != nil || rows() != 2 {
		t.Errorf("%d rows, want 2, %v", rows(), err)
	}
	w.Pass(2 * time.Hour)
	if err := l.Sweep(t.Context()); err != nil || rows() != 1 {
		t.Errorf("%d rows, want 1, %v", rows(), err)
	}
}

func TestTheTableDoesNotSayWhoseAddressItWas(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	l := limit.Limiter{DB: w.DB}
	take(t, l, rule, "192.0.2.177")
	var key []byte
	if err := w.DB.Row(t.Context(), "SELECT key FROM tally", nil, &key); err != nil || len(key) != 32 {
		t.Errorf("a key of %d bytes, %v", len(key), err)
	}
	if world.OnPostgres() {
		return
	}
	for _, file := range []string{w.DB.URL, w.DB.URL + "-wal"} {
		b, err := os.ReadFile(file)
		if err != nil || bytes.Contains(b, []byte("192.0.2.177")) {
			t.Errorf("%s holds the address, %v", file, err)
		}
	}
}

// What is counted with what happens is undone with it, and counted by one at a time.
func TestWhatDoesNotComeToPassIsNotCounted(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	later := errors.New("something later fails")
	for range 8 {
		err := w.DB.Maintain(t.Context(), func(tx *db.Tx) error {
			if err := rule.Take(tx, "192.0.2.1"); err != nil {
				return err
			}
			return later
		})
		if !errors.Is(err, later) {
			t.Fatal(err)
		}
	}
	var in atomic.Int32
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			err := w.DB.Maintain(t.Context(), func(tx *db.Tx) error { return rule.Take(tx, "192.0.2.1") })
			if err == nil {
				in.Add(1)
			} else if !errors.Is(err, limit.ErrTooOften) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if in.Load() != 5 {
		t.Errorf("%d of 16 were let in, want 5", in.Load())
	}
}

func TestWhatWouldBeTooMuchAtOnceIsNotCounted(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	take := func(more int64) error {
		return w.DB.Maintain(t.Context(), func(tx *db.Tx) error { return rule.TakeSome(tx, "192.0.2.1", more) })
	}
	for _, c := range []struct {
		more int64
		want error
	}{{3, nil}, {3, limit.ErrTooOften}, {2, nil}, {1, limit.ErrTooOften}} {
		if err := take(c.more); !errors.Is(err, c.want) {
			t.Errorf("%d more: %v, want %v", c.more, err, c.want)
		}
	}
	w.Pass(rule.Per)
	if err := take(5); err != nil {
		t.Errorf("in the next span: %v", err)
	}
}
