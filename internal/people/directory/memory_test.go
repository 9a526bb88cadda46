package directory_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
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
	mu   sync.Mutex // the database asks from several goroutines
	left int
	trip func()
}

func (c *tripped) Done() <-chan struct{} {
	if asker, _, _, ok := runtime.Caller(1); ok && runtime.FuncForPC(asker).Name() == "database/sql.(*DB).conn" {
		return c.Context.Done() // it holds the lock of all connections: on PostgreSQL nobody can commit now
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left--; c.left == 0 {
		c.trip()
	}
	return c.Context.Done()
}

// disarm has nothing happen any more, whoever asks late.
func (c *tripped) disarm() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left = 0
}

// TestACommitDuringTheReadingIsSeenByTheNextReader commits at every point of a
// reader's way through the database.
func TestACommitDuringTheReadingIsSeenByTheNextReader(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	firings := 0
	for at := 1; at <= 30; at++ {
		client(t, w, w.Mara, "Before", fmt.Sprint(at), "") // so that there is something to read
		if at%2 == 0 {
			w.Pass(time.Hour)
			w.Directory.Drop() // and now all of it
		}
		before := firings
		ctx := &tripped{Context: context.Background(), left: at, trip: func() {
			client(t, w, w.Mara, "Between", fmt.Sprint(at), "")
			firings++
		}}
		if _, err := w.Directory.Look(ctx, w.Mara, directory.Query{}); err != nil {
			t.Fatal(err)
		}
		ctx.disarm()
		if a := look(t, w, w.Mara, directory.Query{}); a.Total != 1+at+firings || firings > before && look(t, w, w.Mara, directory.Query{Text: fmt.Sprintf("between %d", at)}).Total == 0 {
			t.Errorf("a commit at point %d: %d clients, want %d", at, a.Total, 1+at+firings)
		}
	}
	if firings < 4 {
		t.Errorf("only %d commits came in between", firings)
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
