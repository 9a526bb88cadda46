package db

import (
	"context"
	"fmt"
)

// Journal runs fn in a transaction that only adds lines to the trail, in the
// goroutine of whoever calls it: without the queue, the savepoints and the
// notifications of a change, which would be most of the work of a single line.
// Only audit calls it, and has whoever waits share one; see docs/adr/0009.
//
// With one, fn has a single line to write: where there is only one writer, each
// of its statements is then a transaction of its own, so that the line costs
// one statement. When Journal has returned nil, all of it is on the disk.
func (d *DB) Journal(one bool, fn func(*Tx) error) error {
	d.open.RLock() // Close waits for it
	defer d.open.RUnlock()
	if d.closed {
		return errClosed
	}
	ctx := context.Background() // others' lines are in it: nobody's leaving ends it
	if one && d.OneWriter() {
		return fn(d.tx(ctx, nil, d.write))
	}
	stx, err := d.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("db: begin: %w", err)
	}
	defer stx.Rollback() // does nothing after Commit
	if err := fn(d.tx(ctx, stx, d.write)); err != nil {
		return err
	}
	if err := stx.Commit(); err != nil {
		return fmt.Errorf("db: commit: %w", err)
	}
	return nil
}

// OneWriter reports whether the engine lets one transaction write at a time,
// so that what was written last can be remembered between two.
func (d *DB) OneWriter() bool { return !d.postgres }

// Lines is how many lines were added to the trail since the program started,
// those that were undone again among them.
func (d *DB) Lines() int64 { return d.lines.Load() }
