package db

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

func TestAChangeWithoutATrailIsRefused(t *testing.T) {
	t.Parallel()
	for engine, url := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			d := open(t, url)
			if err := d.Update(t.Context(), put(1)); !errors.Is(err, errNotAudited) {
				t.Errorf("told %v, want that there is no audit entry", err)
			}
			if err := d.Update(t.Context(), func(tx *Tx) error { tx.Audited(); return put(2)(tx) }); err != nil {
				t.Error(err)
			}
			if err := d.Update(t.Context(), func(tx *Tx) error { tx.Audited(); return errors.Join(put(3)(tx), errNo) }); !errors.Is(err, errNo) {
				t.Errorf("told %v, want its own error", err)
			}
			if got := stones(t, d); got != "2" {
				t.Errorf("there are %s, want 2", got)
			}
		})
	}
}

func TestAViewCannotWrite(t *testing.T) {
	t.Parallel()
	for engine, url := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			d := open(t, url)
			if err := d.View(t.Context(), put(1)); err == nil || stones(t, d) != "" {
				t.Errorf("told %v, and there are %s", err, stones(t, d))
			}
		})
	}
}

// A view is one moment's picture, whatever is committed meanwhile.
func TestAViewSeesOneMoment(t *testing.T) {
	t.Parallel()
	for engine, url := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			d := open(t, url)
			size := func(tx *Tx) (n int) {
				if err := tx.sql.QueryRowContext(tx, "SELECT COUNT(*) FROM stone").Scan(&n); err != nil {
					t.Error(err)
				}
				return n
			}
			err := d.View(t.Context(), func(tx *Tx) error {
				before := size(tx)
				if err := d.Maintain(t.Context(), put(1)); err != nil {
					return err
				}
				if after := size(tx); before != 0 || after != 0 {
					t.Errorf("saw %d, then %d", before, after)
				}
				return nil
			})
			if err != nil || stones(t, d) != "1" {
				t.Error(err)
			}
		})
	}
}

func TestAPanicUndoesTheChange(t *testing.T) {
	t.Parallel()
	for engine, url := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			d := open(t, url)
			func() {
				defer func() {
					if p := recover(); p != "a bug" {
						t.Errorf("recovered %v", p)
					}
				}()
				d.Maintain(t.Context(), func(tx *Tx) error { _ = put(1)(tx); panic("a bug") })
			}()
			if err := d.Maintain(t.Context(), put(2)); err != nil || stones(t, d) != "2" {
				t.Errorf("%v, there are %s", err, stones(t, d))
			}
		})
	}
}

func TestTopicsAreToldOnceTheChangeIsStored(t *testing.T) {
	t.Parallel()
	for engine, url := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			d := open(t, url)
			var mu sync.Mutex
			told := map[string]string{}
			d.Watch(func(topic string) {
				mu.Lock()
				defer mu.Unlock()
				if topic != Everything {
					told[topic] = stones(t, d)
				}
			})
			if err := d.Maintain(t.Context(), put(1)); err != nil {
				t.Error(err)
			}
			if err := d.Maintain(t.Context(), failing(2)); !errors.Is(err, errNo) {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			if got := fmt.Sprint(told); got != "map[stone/1:1]" {
				t.Errorf("told %s, want stone/1 when 1 could be seen, once", got)
			}
		})
	}
}

func TestAMigratedDatabaseOpensAgain(t *testing.T) {
	t.Parallel()
	for engine, url := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			d := open(t, url)
			if err := d.Maintain(t.Context(), put(1)); err != nil {
				t.Fatal(err)
			}
			d.Close()
			again := reopen(t, url)
			var version int
			if err := again.Row(t.Context(), "SELECT MAX(version_id) FROM goose_db_version", nil, &version); err != nil || version < 3 {
				t.Errorf("at version %d, %v", version, err)
			}
			if got := stones(t, again); got != "1" {
				t.Errorf("there are %s, want 1", got)
			}
			if err := again.Intact(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTwoStartsAtOnceMigrateOnce(t *testing.T) {
	t.Parallel()
	for _, url := range postgres(t) { // one node has a SQLite file
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() { reopen(t, url) })
		}
		all.Wait()
		var n int
		if err := reopen(t, url).Row(t.Context(), "SELECT COUNT(*) - COUNT(DISTINCT version_id) FROM goose_db_version", nil, &n); err != nil || n != 0 {
			t.Errorf("%d migrations were noted twice, %v", n, err)
		}
	}
}

func TestASnapshotIsWholeWhileTheProgramWrites(t *testing.T) {
	t.Parallel()
	d := open(t, liteURL(t))
	stop, stopped := make(chan struct{}), make(chan struct{})
	first := make(chan struct{})
	go func() {
		defer close(stopped)
		for n := 0; ; n += 2 {
			select {
			case <-stop:
				return
			default:
			}
			err := d.Maintain(context.Background(), func(tx *Tx) error { return errors.Join(put(n)(tx), put(n+1)(tx)) })
			if err != nil {
				t.Error(err)
				return
			}
			if n == 0 {
				close(first)
			}
		}
	}()
	<-first
	file := liteURL(t)
	if err := d.Snapshot(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	close(stop)
	<-stopped
	copied := reopen(t, file)
	if err := copied.Intact(t.Context()); err != nil {
		t.Error(err)
	}
	if n := len(strings.Fields(stones(t, copied))); n == 0 || n%2 != 0 {
		t.Errorf("the copy has %d stones, which were laid in pairs", n)
	}
}

// ---- PostgreSQL alone ----

// heard collects topics, and says when there is a new one.
type heard struct {
	mu     sync.Mutex
	topics []string
	news   chan struct{}
}

func listenTo(d *DB) *heard {
	h := &heard{news: make(chan struct{}, 100)}
	d.Watch(func(topic string) {
		h.mu.Lock()
		h.topics = append(h.topics, topic)
		h.mu.Unlock()
		select {
		case h.news <- struct{}{}:
		default: // there are enough unread
		}
	})
	return h
}

func count(topics []string, topic string) (n int) {
	for _, got := range topics {
		if got == topic {
			n++
		}
	}
	return n
}

// wait waits until topic has been heard n times.
func (h *heard) wait(t *testing.T, topic string, n int) {
	t.Helper()
	late := time.After(5 * time.Second)
	for {
		h.mu.Lock()
		got := count(h.topics, topic)
		h.mu.Unlock()
		if got >= n {
			return
		}
		select {
		case <-h.news:
		case <-late:
			t.Fatalf("%s was heard %d times in 5 seconds, want %d: %q", topic, got, n, h.topics)
		}
	}
}

func TestWhatOneNodeCommitsTheOthersHearOf(t *testing.T) {
	t.Parallel()
	for _, url := range postgres(t) {
		a, b := open(t, url), reopen(t, url)
		ha, hb := listenTo(a), listenTo(b)
		untilListening(t, a, hb)
		untilListening(t, b, ha)
		if err := a.Maintain(t.Context(), put(1)); err != nil {
			t.Fatal(err)
		}
		if err := a.Maintain(t.Context(), failing(2)); !errors.Is(err, errNo) {
			t.Fatal(err)
		}
		if err := a.Maintain(t.Context(), put(3)); err != nil {
			t.Fatal(err)
		}
		hb.wait(t, "stone/3", 1)
		if got := strings.Join(hb.topics, " "); strings.Count(got, "stone/1") != 1 || strings.Contains(got, "stone/2") {
			t.Errorf("the other node heard %s", got)
		}
		ha.wait(t, "stone/3", 1)
		if got := strings.Join(ha.topics, " "); strings.Count(got, "stone/3") != 1 {
			t.Errorf("a node heard its own twice: %s", got)
		}
		err := a.Maintain(t.Context(), func(tx *Tx) error {
			for n := range 1000 {
				tx.Notify(fmt.Sprint("a long topic of which there are very many/", n))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		hb.wait(t, Everything, 1)
	}
}

// untilListening says something from one node until the other hears it.
func untilListening(t *testing.T, from *DB, to *heard) {
	t.Helper()
	for range 500 {
		if err := from.Maintain(t.Context(), func(tx *Tx) error { tx.Notify("hello"); return nil }); err != nil {
			t.Fatal(err)
		}
		select {
		case <-to.news:
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
	t.Fatal("a node does not listen")
}

func TestAfterItsConnectionsWereCutANodeRecovers(t *testing.T) {
	t.Parallel()
	for _, url := range postgres(t) {
		a, b := open(t, url), reopen(t, url)
		hb := listenTo(b)
		untilListening(t, a, hb)
		begun, cut, told := make(chan struct{}), make(chan struct{}), make(chan error, 1)
		go func() {
			told <- a.Maintain(context.Background(), func(tx *Tx) error { close(begun); <-cut; return put(1)(tx) })
		}()
		<-begun
		hb.mu.Lock()
		before := count(hb.topics, Everything)
		hb.mu.Unlock()
		killer := reopen(t, url)
		kill := func() error {
			return killer.Exec(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
		}
		if err := kill(); err != nil {
			t.Fatal(err)
		}
		close(cut)
		if err := <-told; !Unavailable(err) {
			t.Errorf("who was cut off was told %v, want that the database is unavailable", err)
		}
		began := time.Now()
		for err := errNo; err != nil; {
			if err = a.Maintain(t.Context(), put(2)); err != nil && !Unavailable(err) || time.Since(began) > 5*time.Second {
				t.Fatalf("after %s: %v", time.Since(began), err)
			}
		}
		t.Logf("writes again after %s", time.Since(began))
		hb.wait(t, Everything, before+1)
		untilListening(t, a, hb)
		t.Logf("listens again after %s", time.Since(began))
		if got := stones(t, b); got != "2" {
			t.Errorf("there are %s, want 2", got)
		}
	}
}

func TestASerializationFailureIsTriedAgain(t *testing.T) {
	t.Parallel()
	for _, url := range postgres(t) {
		d := open(t, url)
		tries := 0
		err := d.Maintain(t.Context(), func(tx *Tx) error {
			if tries++; tries < 3 {
				return errors.Join(put(tries)(tx), fmt.Errorf("wrapped: %w", &pgconn.PgError{Code: "40001"}))
			}
			return put(tries)(tx)
		})
		if err != nil || tries != 3 || stones(t, d) != "3" {
			t.Errorf("%v after %d tries, there are %s", err, tries, stones(t, d))
		}
		tries = 0
		err = d.Maintain(t.Context(), func(*Tx) error { tries++; return &pgconn.PgError{Code: "40001"} })
		if err == nil || tries != 4 {
			t.Errorf("%v after %d tries, want an error after 4", err, tries)
		}
		tries = 0
		if err = d.Maintain(t.Context(), func(*Tx) error { tries++; return errNo }); !errors.Is(err, errNo) || tries != 1 {
			t.Errorf("%v after %d tries, want its own error after 1", err, tries)
		}
	}
}

func TestOfTwoThatWaitForEachOtherBothGetThrough(t *testing.T) {
	t.Parallel()
	for _, url := range postgres(t) {
		d := open(t, url)
		if err := d.Maintain(t.Context(), func(tx *Tx) error { return errors.Join(put(1)(tx), put(2)(tx)) }); err != nil {
			t.Fatal(err)
		}
		var runs atomic.Int32
		var both, all sync.WaitGroup
		both.Add(2)
		for _, order := range [][2]int{{1, 2}, {2, 1}} {
			all.Go(func() {
				first := true
				err := d.Maintain(t.Context(), func(tx *Tx) error {
					runs.Add(1)
					for i, n := range order {
						if _, err := tx.sql.ExecContext(tx, "UPDATE stone SET text = text || '!' WHERE n = $1", n); err != nil {
							return err
						}
						if i == 0 && first {
							first = false
							both.Done()
							both.Wait()
						}
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		var text string
		if err := d.Row(t.Context(), "SELECT MIN(text) FROM stone", nil, &text); err != nil || text != "a stone!!" || runs.Load() < 3 { // one at least had to give way and come again
			t.Errorf("%q after %d runs, %v", text, runs.Load(), err)
		}
	}
}
