package bench

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/argon2"
	"modernc.org/sqlite"
)

// rawCommits is how many transactions of one row with three indexes a second
// the disk takes at synchronous=FULL, one after the other.
func (r *run) rawCommits() (float64, error) {
	took, err := r.commits()
	var all time.Duration
	for _, d := range took {
		all += d
	}
	return float64(len(took)) / all.Seconds(), err
}

// commits is how long each of those takes.
func (r *run) commits() (took []time.Duration, err error) {
	if _, err := sqlite.OFDLocking(true); err != nil { // as the program has it
		return nil, err
	}
	d, err := sql.Open("sqlite", "file:"+filepath.Join(r.dir, "raw-"+rand.Text()+".db")+"?_pragma=journal_mode(wal)&_pragma=synchronous(full)&_txlock=immediate")
	if err != nil {
		return nil, err
	}
	defer d.Close()
	d.SetMaxOpenConns(1)
	for _, s := range []string{
		"CREATE TABLE raw (id TEXT PRIMARY KEY, a BLOB, b TEXT, c INTEGER) STRICT, WITHOUT ROWID",
		"CREATE INDEX raw_a ON raw (a)", "CREATE INDEX raw_b ON raw (b)", "CREATE INDEX raw_c ON raw (c)",
	} {
		if _, err := d.ExecContext(r.ctx, s); err != nil {
			return nil, err
		}
	}
	add, err := d.PrepareContext(r.ctx, "INSERT INTO raw VALUES ($1, $2, $3, $4)")
	if err != nil {
		return nil, err
	}
	blob := make([]byte, 100)
	for began := r.Now(); r.Now().Sub(began) < r.For/2; {
		pressed := r.Now()
		tx, err := d.BeginTx(r.ctx, nil)
		if err != nil {
			return nil, err
		}
		if _, err := tx.Stmt(add).ExecContext(r.ctx, rand.Text(), blob, rand.Text(), len(took)); err != nil {
			return nil, err
		}
		if err := tx.Commit(); err != nil {
			return nil, err
		}
		took = append(took, r.Now().Sub(pressed))
	}
	return took, nil
}

// rawHashes is how many password hashes a second all cores make.
func (r *run) rawHashes() float64 {
	var n atomic.Int64
	began := r.Now()
	var wg sync.WaitGroup
	for range runtime.NumCPU() {
		wg.Go(func() {
			for r.Now().Sub(began) < r.For {
				hash()
				n.Add(1)
			}
		})
	}
	wg.Wait()
	return float64(n.Load()) / r.Now().Sub(began).Seconds()
}

// bare serves nothing but hashes: one for each POST, as many at once as there
// are cores.
func bare(ctx context.Context, address string) error {
	seats := make(chan struct{}, runtime.NumCPU())
	server := &http.Server{Addr: address, ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			fmt.Fprint(w, "ok")
			return
		}
		seats <- struct{}{}
		defer func() { <-seats }()
		hash()
		w.WriteHeader(http.StatusSeeOther)
	})}
	defer context.AfterFunc(ctx, func() { server.Close() })()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// hash is one hash at the cost of ours.
func hash() {
	argon2.IDKey([]byte("a quiet river by the mill"), make([]byte, 16), 2, 19*1024, 1, 32)
}

// rawHello is how long an answer of two bytes takes, over the same connection
// and from the same client.
func (r *run) rawHello() (time.Duration, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") }), ReadHeaderTimeout: time.Second}
	go server.Serve(l)
	defer server.Close()
	c := newPresser("http://"+l.Addr().String(), "")
	times, err := r.repeat(1, r.For/4, func(int) error { return c.get("/") })
	return percentile(times, 0.5), err
}

// repeat has so many hands do something over and over, and returns how long
// each time took.
func (r *run) repeat(hands int, long time.Duration, do func(i int) error) ([]time.Duration, error) {
	var mu sync.Mutex
	var all []time.Duration
	var failed error
	var next atomic.Int64
	began := r.Now()
	var wg sync.WaitGroup
	for range hands {
		wg.Go(func() {
			var own []time.Duration
			for r.Now().Sub(began) < long {
				t := r.Now()
				if err := do(int(next.Add(1))); err != nil {
					mu.Lock()
					failed = err
					mu.Unlock()
					return
				}
				own = append(own, r.Now().Sub(t))
			}
			mu.Lock()
			all = append(all, own...)
			mu.Unlock()
		})
	}
	wg.Wait()
	return all, failed
}
