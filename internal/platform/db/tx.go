package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"

	"icouch/internal/base/at"
	"icouch/internal/platform/crypt"
)

// Tx is one transaction and, like an *http.Request, one piece of work: it is
// the context of everything done in it. Besides that it gives one time for all
// its rows, the key ring and the keys read so far, whether it is alone, Notify,
// and a mark for the trail. Anything more needs a decision record.
type Tx struct {
	context.Context
	sql      *sql.Tx
	prepared map[Prepared]any
	now      at.Time
	ring     *crypt.Ring
	keys     map[string]*crypt.Key
	alone    bool // nobody else writes
	topics   []string
	audited  bool
	lines    *atomic.Int64 // of the database's trail
}

// Now returns the moment the transaction began.
func (t *Tx) Now() at.Time { return t.now }

// Ring returns the key ring.
func (t *Tx) Ring() *crypt.Ring { return t.ring }

// Key returns the key of an owner that was read in this transaction, or nil.
// Only keys asks; see docs/adr/0008.
func (t *Tx) Key(owner string) *crypt.Key { return t.keys[owner] }

// Keep remembers an owner's key for the rest of the transaction, and for those
// that share its commit; nil forgets it.
func (t *Tx) Keep(owner string, k *crypt.Key) {
	if t.keys == nil {
		t.keys = map[string]*crypt.Key{}
	}
	t.keys[owner] = k
}

// Alone reports whether nobody else can write until the end of the transaction,
// so that nothing has to be held; see docs/adr/0013.
func (t *Tx) Alone() bool { return t.alone }

// Notify wakes whoever watches topic, once the transaction is safely stored.
// A topic names what changed and carries no data.
func (t *Tx) Notify(topic string) { t.topics = append(t.topics, topic) }

// Audited marks the transaction as one the trail knows of, and counts a line.
// Only audit calls it.
func (t *Tx) Audited() {
	t.audited = true
	t.lines.Add(1)
}

// errNotAudited stops a change nobody could later account for.
var errNotAudited = errors.New("db: a change without an audit entry")

// View runs fn in a read-only transaction: one moment's picture of the data.
func (d *DB) View(ctx context.Context, fn func(*Tx) error) error {
	var opts *sql.TxOptions
	if d.postgres {
		opts = &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead}
	}
	stx, err := d.read.BeginTx(ctx, opts)
	if err != nil {
		return fmt.Errorf("db: begin: %w", err)
	}
	defer stx.Rollback() // there is nothing to keep
	return fn(d.tx(ctx, stx, d.read))
}

// Update runs fn in a transaction and commits it if fn left an audit entry.
func (d *DB) Update(ctx context.Context, fn func(*Tx) error) error {
	return d.Maintain(ctx, func(tx *Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		if !tx.audited {
			return errNotAudited
		}
		return nil
	})
}

// Maintain is Update without the trail, for the program's own bookkeeping. Who
// may call it is a list in layout_test.go.
func (d *DB) Maintain(ctx context.Context, fn func(*Tx) error) error {
	if d.writer != nil {
		return d.writer.run(ctx, fn)
	}
	for try := 1; ; try++ {
		err := d.change(ctx, fn)
		if try == 4 || !worthAnotherTry(err) {
			return err
		}
	}
}

// change is one transaction on PostgreSQL.
func (d *DB) change(ctx context.Context, fn func(*Tx) error) error {
	d.open.RLock() // Close waits for it
	defer d.open.RUnlock()
	if d.closed {
		return errClosed
	}
	stx, err := d.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("db: begin: %w", err)
	}
	defer stx.Rollback() // does nothing after Commit
	tx := d.tx(ctx, stx, d.write)
	if err := fn(tx); err != nil {
		return err
	}
	if err := d.tellOthers(ctx, stx, tx.topics); err != nil {
		return err
	}
	if err := stx.Commit(); err != nil {
		return fmt.Errorf("db: commit: %w", err)
	}
	d.tell(tx.topics)
	return nil
}

func (d *DB) tx(ctx context.Context, stx *sql.Tx, p pool) *Tx {
	return &Tx{Context: ctx, sql: stx, prepared: p.prepared, now: d.now(), ring: d.Ring, alone: d.OneWriter(), lines: &d.lines}
}

// Prepared is some package's Statements.
type Prepared interface {
	on(context.Context, *pool) (any, error)
}

// Statements are one package's SQL. They can be run only inside a transaction.
type Statements[Q interface{ WithTx(*sql.Tx) Q }] struct {
	prepare func(context.Context, *pool) (Q, error)
}

// Prepare wraps the Prepare function that sqlc generated for a package.
func Prepare[D any, Q interface{ WithTx(*sql.Tx) Q }](generated func(context.Context, D) (Q, error)) *Statements[Q] {
	return &Statements[Q]{func(ctx context.Context, p *pool) (Q, error) { return generated(ctx, any(p).(D)) }}
}

// In returns the statements, bound to tx.
func (s *Statements[Q]) In(tx *Tx) Q {
	q := tx.prepared[s].(Q)
	if tx.sql == nil { // each statement is a transaction of its own: see Journal
		return q
	}
	return q.WithTx(tx.sql)
}

func (s *Statements[Q]) on(ctx context.Context, p *pool) (any, error) { return s.prepare(ctx, p) }

// PrepareContext prepares a statement as this engine wants it.
func (p *pool) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	if p.lite {
		query = liteStatement(query)
	}
	return p.DB.PrepareContext(ctx, query)
}
