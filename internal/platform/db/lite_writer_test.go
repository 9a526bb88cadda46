package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"modernc.org/sqlite"

	"icouch/internal/platform/crypt"
)

// together has changes share one commit, in this order, and returns how many
// the writer dealt with in its first go, and what each was told. Where a change
// panics, that is what it was told.
func together(t *testing.T, d *DB, batch ...*change) (n int, told []any) {
	t.Helper()
	told = make([]any, len(batch))
	var all sync.WaitGroup
	for i, c := range batch {
		all.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					told[i] = p
				}
			}()
			if err := c.wait(); err != nil {
				told[i] = err
			}
		})
	}
	for rest := batch; len(rest) > 0; {
		did := d.writer.commit(rest)
		if n == 0 {
			n = did
		}
		rest = rest[did:]
	}
	all.Wait()
	return n, told
}

func change1(t *testing.T, fn func(*Tx) error) *change { return newChange(t.Context(), fn) }

func failing(n int) func(*Tx) error {
	return func(tx *Tx) error { return errors.Join(put(n)(tx), errNo) }
}

func TestOneOfManyFailsAndTheOthersAreKept(t *testing.T) {
	t.Parallel()
	d := open(t, liteURL(t))
	var heard []string
	d.Watch(func(topic string) { heard = append(heard, topic) })
	n, told := together(t, d, change1(t, put(1)), change1(t, failing(2)), change1(t, put(3)), change1(t, put(1)), change1(t, put(5)))
	if n != 5 {
		t.Errorf("%d shared the commit, want 5", n)
	}
	if told[0] != nil || told[2] != nil || told[4] != nil {
		t.Errorf("told %v: three did nothing wrong", told)
	}
	if err, _ := told[1].(error); !errors.Is(err, errNo) {
		t.Errorf("the second was told %v, want its own error", told[1])
	}
	if err, _ := told[3].(error); !Taken(err) {
		t.Errorf("the fourth was told %v, want that the value is there", told[3])
	}
	if got := stones(t, d); got != "1 3 5" {
		t.Errorf("there are %s, want 1 3 5", got)
	}
	if got := fmt.Sprint(heard); got != "[stone/1 stone/3 stone/5]" {
		t.Errorf("heard %s of what was undone", got)
	}
}

// Keys that are read in a commit are read once; those of a change that was
// undone are nobody's.
func TestChangesThatShareACommitShareTheKeysTheyRead(t *testing.T) {
	t.Parallel()
	d := open(t, liteURL(t))
	own, undone := new(crypt.Key), new(crypt.Key)
	var seen []*crypt.Key
	look := func(tx *Tx) error { seen = append(seen, tx.Key("practice")); return nil }
	keep := func(k *crypt.Key, err error) func(*Tx) error {
		return func(tx *Tx) error { tx.Keep("practice", k); return err }
	}
	together(t, d, change1(t, look), change1(t, keep(own, nil)), change1(t, look), change1(t, keep(undone, errNo)), change1(t, look))
	together(t, d, change1(t, keep(own, nil)))
	together(t, d, change1(t, look))
	if want := []*crypt.Key{nil, own, nil, nil}; !slices.Equal(seen, want) {
		t.Errorf("seen %v, want %v: the key of the change before, none of one that was undone, none of another commit", seen, want)
	}
}

func TestAPanicReachesItsCallerAndHurtsNobodyElse(t *testing.T) {
	t.Parallel()
	d := open(t, liteURL(t))
	_, told := together(t, d, change1(t, put(1)),
		change1(t, func(tx *Tx) error { _ = put(2)(tx); panic("a bug") }),
		change1(t, put(3)))
	if told[1] != "a bug" || told[0] != nil || told[2] != nil {
		t.Errorf("told %v", told)
	}
	if got := stones(t, d); got != "1 3" {
		t.Errorf("there are %s, want 1 3", got)
	}
}

// A test that fails inside a change ends its goroutine without a panic.
func TestAChangeThatEndsItsGoroutineHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	d := open(t, liteURL(t))
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		d.Maintain(context.Background(), func(tx *Tx) error { _ = put(1)(tx); runtime.Goexit(); return nil })
		t.Error("the change came back")
	}()
	<-gone
	if err := d.Maintain(t.Context(), put(2)); err != nil {
		t.Error(err)
	}
	if got := stones(t, d); got != "2" {
		t.Errorf("there are %s, want 2", got)
	}
}

func TestAChangeNobodyWaitsForIsNotBegun(t *testing.T) {
	t.Parallel()
	d := open(t, liteURL(t))
	left, leave := context.WithCancel(t.Context())
	leave()
	_, told := together(t, d, newChange(left, put(1)), change1(t, put(2)))
	if err, _ := told[0].(error); !errors.Is(err, context.Canceled) || told[1] != nil {
		t.Errorf("told %v", told)
	}
	if got := stones(t, d); got != "2" {
		t.Errorf("there are %s, want 2", got)
	}
}

func TestAChangeThatHasBegunRunsToItsEnd(t *testing.T) {
	t.Parallel()
	d := open(t, liteURL(t))
	ctx, leave := context.WithCancel(t.Context())
	err := d.Maintain(ctx, func(tx *Tx) error {
		leave()
		if tx.Err() != nil {
			return tx.Err()
		}
		return put(1)(tx)
	})
	if err != nil || stones(t, d) != "1" {
		t.Errorf("%v, there are %s", err, stones(t, d))
	}
}

// A commit that fails: a reference is checked only then.
func TestACommitThatFailsIsToldToEverybody(t *testing.T) {
	t.Parallel()
	d := open(t, liteURL(t))
	d.Watch(func(topic string) {
		if topic != "stone/4" {
			t.Errorf("heard of %s, which was undone", topic)
		}
	})
	dangling := func(tx *Tx) error {
		if _, err := tx.sql.ExecContext(tx, "PRAGMA defer_foreign_keys = ON"); err != nil {
			return err
		}
		_, err := tx.sql.ExecContext(tx, "INSERT INTO device (token_hash, account_id, created_at) VALUES (x'00', 'nobody', 1)")
		return err
	}
	n, told := together(t, d, change1(t, put(1)), change1(t, dangling), change1(t, failing(3)))
	if n != 3 || told[0] == nil || told[1] == nil {
		t.Errorf("told %v", told)
	}
	if err, _ := told[2].(error); !errors.Is(err, errNo) {
		t.Errorf("the third was told %v, want its own error", told[2])
	}
	if got := stones(t, d); got != "" {
		t.Errorf("there are %s, want none", got)
	}
	if err := d.Maintain(t.Context(), put(4)); err != nil || stones(t, d) != "4" {
		t.Errorf("afterwards: %v", err)
	}
}

func TestCloseWaitsForTheChangeUnderWay(t *testing.T) {
	t.Parallel()
	for engine, url := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			d := open(t, url)
			begun, goOn, told, closed := make(chan struct{}), make(chan struct{}), make(chan error), make(chan struct{})
			go func() {
				told <- d.Maintain(context.Background(), func(tx *Tx) error {
					close(begun)
					<-goOn
					return put(1)(tx)
				})
			}()
			<-begun
			go func() { d.Close(); close(closed) }()
			select {
			case <-closed:
				t.Error("closed while a change was under way")
			case <-time.After(20 * time.Millisecond):
			}
			close(goOn)
			if err := <-told; err != nil {
				t.Error(err)
			}
			<-closed
			if err := d.Maintain(t.Context(), put(2)); err == nil || !Unavailable(err) {
				t.Errorf("a change after Close: %v, want that the database is unavailable", err)
			}
			if got := stones(t, open(t, url)); got != "1" {
				t.Errorf("there are %s, want 1", got)
			}
		})
	}
}

// The disk is full: SQLite gives the whole transaction up.
func TestAFullDiskIsSaidAndUndoesEverything(t *testing.T) {
	t.Parallel()
	d := open(t, liteURL(t))
	var pages int
	if err := d.Row(t.Context(), "PRAGMA page_count", nil, &pages); err != nil {
		t.Fatal(err)
	}
	limit(t, d, pages+4)
	flood := func(tx *Tx) error {
		for n := 10; n < 100; n++ {
			if _, err := tx.sql.ExecContext(tx, "INSERT INTO stone (n, text) VALUES ($1, hex(zeroblob(4000)))", n); err != nil {
				return err
			}
		}
		return nil
	}
	n, told := together(t, d, change1(t, put(1)), change1(t, flood), change1(t, put(3)))
	for i, said := range told[:n] {
		if err, _ := said.(error); !Unavailable(err) {
			t.Errorf("number %d was told %v, want that the database is unavailable", i, said)
		}
	}
	for i, said := range told[n:] {
		if said != nil {
			t.Errorf("number %d was told %v, and did no harm", n+i, said)
		}
	}
	if got := stones(t, d); got != "3" {
		t.Errorf("there are %s, want 3", got)
	}
	if err := d.Intact(t.Context()); err != nil {
		t.Error(err)
	}
	limit(t, d, 100000)
	if err := d.Maintain(t.Context(), flood); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

func limit(t *testing.T, d *DB, pages int) {
	t.Helper()
	var now int
	if err := d.write.QueryRowContext(t.Context(), fmt.Sprint("PRAGMA max_page_count(", pages, ")")).Scan(&now); err != nil || now != pages {
		t.Fatal(now, err)
	}
}

func TestALockedDatabaseIsWaitedForAndThenUnavailable(t *testing.T) {
	t.Parallel()
	url := liteURL(t)
	d := open(t, url)
	other, err := sql.Open("sqlite", "file:"+url+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	lock, err := other.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Exec(t.Context(), "PRAGMA busy_timeout(30)"); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := d.Maintain(t.Context(), put(1)); !Unavailable(err) {
		t.Errorf("told %v, want that the database is unavailable", err)
	}
	if took := time.Since(began); took < 30*time.Millisecond {
		t.Errorf("given up after %s", took)
	}
	if got := stones(t, d); got != "" {
		t.Errorf("readers see %s", got)
	}
	if err := d.Exec(t.Context(), "PRAGMA busy_timeout(10000)"); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- d.Maintain(context.Background(), put(2)) }()
	if err := lock.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Errorf("told %v, want to be let in after the other", err)
	}
}

func TestAReadOnlyDatabaseIsUnavailable(t *testing.T) {
	t.Parallel()
	d := open(t, liteURL(t))
	if err := d.Exec(t.Context(), "PRAGMA query_only(1)"); err != nil {
		t.Fatal(err)
	}
	if err := d.Maintain(t.Context(), put(1)); !Unavailable(err) {
		t.Errorf("told %v, want that the database is unavailable", err)
	}
	if err := d.Exec(t.Context(), "PRAGMA query_only(0)"); err != nil {
		t.Fatal(err)
	}
	if err := d.Maintain(t.Context(), put(2)); err != nil || stones(t, d) != "2" {
		t.Errorf("afterwards: %v", err)
	}
}

func TestSixtyFourWritersShareTheirCommits(t *testing.T) {
	t.Parallel()
	d := open(t, liteURL(t))
	commits := countCommits(t, d)
	var all sync.WaitGroup
	for writer := range 64 {
		all.Go(func() {
			for n := range 10 {
				if err := d.Maintain(t.Context(), put(100*writer+n)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	var count int
	if err := d.Row(t.Context(), "SELECT COUNT(*) FROM stone", nil, &count); err != nil || count != 640 {
		t.Errorf("%d stones, want 640; %v", count, err)
	}
	if *commits == 0 || *commits > 320 {
		t.Errorf("%d commits for 640 changes", *commits)
	}
	t.Logf("%d commits for 640 changes", *commits)
}

func countCommits(t *testing.T, d *DB) *int {
	t.Helper()
	n := new(int)
	conn, err := d.write.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	err = conn.Raw(func(c any) error {
		c.(sqlite.HookRegisterer).RegisterCommitHook(func() int32 { *n++; return 0 })
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// BenchmarkCommit is one row for each commit, by so many at once; "raw" is
// the same without us.
func BenchmarkCommit(b *testing.B) {
	for engine, url := range engines(b) {
		d := open(b, url)
		n := 0
		var mu sync.Mutex
		next := func() int { mu.Lock(); defer mu.Unlock(); n++; return n }
		b.Run(engine+"/raw", func(b *testing.B) {
			for b.Loop() {
				if _, err := d.write.Exec("INSERT INTO stone (n, text) VALUES ($1, 'a stone')", next()); err != nil {
					b.Fatal(err)
				}
			}
		})
		for _, many := range []int{1, 8, 64} {
			b.Run(fmt.Sprint(engine, "/", many), func(b *testing.B) {
				b.SetParallelism(max(1, many/runtime.GOMAXPROCS(0)))
				if many == 1 {
					for b.Loop() {
						if err := d.Maintain(context.Background(), put(next())); err != nil {
							b.Fatal(err)
						}
					}
				} else {
					b.RunParallel(func(pb *testing.PB) {
						for pb.Next() {
							if err := d.Maintain(context.Background(), put(next())); err != nil {
								b.Error(err)
							}
						}
					})
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
			})
		}
	}
}
