package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"icouch/internal/platform/crypt"
)

// SQLite has one writer, and a commit that survives a power cut costs one
// fsync. Changes that wait for the writer therefore share a commit: each runs
// in a savepoint of its own, so that one can fail without the others, and all
// are told "done" only when the one commit is on the disk.

// most is how many changes share a commit. They are short; 64 of them hold the
// first one up by a few milliseconds.
const most = 64

var (
	// errClosed says that the program is going down.
	errClosed = errors.New("db: closed")
	// errLeft says that a change panicked, or ended its goroutine.
	errLeft = errors.New("db: a change did not come to its end")
)

// writer lets changes run, one at a time, in the order in which they come.
// Each runs in the goroutine that asked for it, so what it does to that, a
// panic or the end of a test, happens there, and the writer goes on.
type writer struct {
	db    *DB
	queue chan *change
	quit  chan struct{}
	done  chan struct{}

	begin, undo, keep *sql.Stmt // of one change in the transaction
}

// change is one transaction of the application.
type change struct {
	ctx    context.Context
	fn     func(*Tx) error
	turn   chan *Tx      // it is this change's turn
	back   chan struct{} // closed when it has done its part
	ended  chan struct{} // closed when err is final
	topics []string
	err    error
}

func newChange(ctx context.Context, fn func(*Tx) error) *change {
	return &change{ctx: ctx, fn: fn, turn: make(chan *Tx), back: make(chan struct{}), ended: make(chan struct{})}
}

func newWriter(ctx context.Context, d *DB) (w *writer, err error) {
	w = &writer{db: d, queue: make(chan *change), quit: make(chan struct{}), done: make(chan struct{})}
	for _, s := range []struct {
		to   **sql.Stmt
		text constSQL
	}{{&w.begin, "SAVEPOINT change"}, {&w.undo, "ROLLBACK TO change"}, {&w.keep, "RELEASE change"}} {
		if *s.to, err = d.write.PrepareContext(ctx, string(s.text)); err != nil {
			return nil, fmt.Errorf("db: prepare: %w", err)
		}
	}
	go w.work()
	return w, nil
}

func (w *writer) close() {
	close(w.quit)
	<-w.done
}

// run has fn run and committed.
func (w *writer) run(ctx context.Context, fn func(*Tx) error) error {
	c := newChange(ctx, fn)
	select {
	case w.queue <- c:
		return c.wait()
	case <-ctx.Done():
		return fmt.Errorf("db: begin: %w", ctx.Err())
	case <-w.quit:
		return errClosed
	}
}

// wait takes the change's turn, if it comes to one, and waits for the commit.
func (c *change) wait() error {
	select {
	case tx := <-c.turn:
		c.attempt(tx)
	case <-c.ended:
	}
	<-c.ended
	return c.err
}

func (c *change) attempt(tx *Tx) {
	defer close(c.back)
	c.err = errLeft // unless fn comes back
	c.err = c.fn(tx)
}

func (w *writer) work() {
	defer close(w.done)
	for {
		select {
		case <-w.quit:
			return
		case first := <-w.queue:
			for batch := w.gather(first); len(batch) > 0; {
				n := w.commit(batch)
				batch = batch[n:]
			}
		}
	}
}

// gather takes whatever else is waiting.
func (w *writer) gather(first *change) []*change {
	batch := []*change{first}
	for len(batch) < most {
		select {
		case c := <-w.queue:
			batch = append(batch, c)
		default:
			return batch
		}
	}
	return batch
}

// commit runs the changes in one transaction and returns how many it came to:
// all of them, unless the engine gave the transaction up on the way.
func (w *writer) commit(batch []*change) (n int) {
	stx, err := w.db.write.BeginTx(context.Background(), nil)
	if err != nil {
		return end(batch, fmt.Errorf("db: begin: %w", err))
	}
	defer stx.Rollback() // does nothing after Commit
	read := map[string]*crypt.Key{}
	for i, c := range batch {
		if err := w.step(stx, c, read); err != nil { // the whole transaction is gone
			return end(batch[:i+1], fmt.Errorf("db: change: %w", err))
		}
	}
	if err := stx.Commit(); err != nil {
		return end(batch, fmt.Errorf("db: commit: %w", err))
	}
	for _, c := range batch {
		if c.err == nil {
			w.db.tell(c.topics)
		}
		close(c.ended)
	}
	return len(batch)
}

// end tells every change of a transaction that came to nothing.
func end(batch []*change, err error) int {
	for _, c := range batch {
		if c.err == nil {
			c.err = err
		}
		close(c.ended)
	}
	return len(batch)
}

// step runs one change in a savepoint. The error is the transaction's, not the
// change's own. The keys that were read are the next change's too: nobody else
// writes until the commit. What was undone is forgotten with its keys.
func (w *writer) step(stx *sql.Tx, c *change, read map[string]*crypt.Key) error {
	if err := c.ctx.Err(); err != nil { // nobody waits for it any more
		c.err = fmt.Errorf("db: begin: %w", err)
		return nil
	}
	if _, err := stx.Stmt(w.begin).Exec(); err != nil {
		return err
	}
	// Interrupting one statement would undo everybody's: a change that has begun runs to its end.
	tx := w.db.tx(context.WithoutCancel(c.ctx), stx, w.db.write)
	tx.keys = read
	c.turn <- tx
	<-c.back
	if c.err != nil {
		clear(read)
		if _, err := stx.Stmt(w.undo).Exec(); err != nil {
			return errors.Join(c.err, err) // the first says why: a full disk, say
		}
	}
	c.topics = tx.topics
	_, err := stx.Stmt(w.keep).Exec()
	return err
}
