package directory_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"icouch/internal/people/directory"
	"icouch/internal/world"
)

func TestNamesNobodyAsksForAreForgotten(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	look(t, w, w.Mara, directory.Query{})
	w.Pass(10 * time.Minute)
	look(t, w, w.Ines, directory.Query{})
	w.Pass(6 * time.Minute)
	if w.Directory.Drop(); w.Directory.Kept() != 1 {
		t.Errorf("%d practices are kept, want that of Ines", w.Directory.Kept())
	}
	w.Pass(10 * time.Minute)
	if w.Directory.Drop(); w.Directory.Kept() != 0 {
		t.Errorf("%d practices are kept", w.Directory.Kept())
	}
	if a := look(t, w, w.Mara, directory.Query{}); a.Total != 1 {
		t.Errorf("asked for again: %d clients", a.Total)
	}
}

// tripped is a context that does something the nth time it is asked.
type tripped struct {
	context.Context
	left atomic.Int64 // the database asks from several goroutines
	trip func()
}

func trips(after int, trip func()) *tripped {
	c := &tripped{Context: context.Background(), trip: trip}
	c.left.Store(int64(after))
	return c
}

func (c *tripped) Done() <-chan struct{} {
	if c.left.Add(-1) == 0 {
		c.trip()
	}
	return c.Context.Done()
}

// TestACommitDuringTheReadingIsSeenByTheNextReader commits at every point of a
// reader's way through the database.
func TestACommitDuringTheReadingIsSeenByTheNextReader(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	var firings atomic.Int64
	for at := 1; at <= 30; at++ {
		client(t, w, w.Mara, "Before", fmt.Sprint(at), "") // so that there is something to read
		if at%2 == 0 {
			w.Pass(time.Hour)
			w.Directory.Drop() // and now all of it
		}
		before := firings.Load()
		ctx := trips(at, func() {
			client(t, w, w.Mara, "Between", fmt.Sprint(at), "")
			firings.Add(1)
		})
		if _, err := w.Directory.Look(ctx, w.Mara, directory.Query{}); err != nil {
			t.Fatal(err)
		}
		fired := firings.Load()
		if a := look(t, w, w.Mara, directory.Query{}); a.Total != 1+at+int(fired) || fired > before && look(t, w, w.Mara, directory.Query{Text: fmt.Sprintf("between %d", at)}).Total == 0 {
			t.Errorf("a commit at point %d: %d clients, want %d", at, a.Total, 1+at+int(fired))
		}
	}
	if n := firings.Load(); n < 4 {
		t.Errorf("only %d commits came in between", n)
	}
}

func TestAReaderWhoGaveUpSpoilsNothing(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	look(t, w, w.Mara, directory.Query{})
	client(t, w, w.Mara, "New", "Comer", "")
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Directory.Look(gone, w.Mara, directory.Query{}); err == nil {
		t.Fatal("a cancelled reader got an answer")
	}
	if a := look(t, w, w.Mara, directory.Query{}); a.Total != 2 {
		t.Errorf("the next reader sees %d clients", a.Total)
	}
}
