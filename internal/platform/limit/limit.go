// Package limit says how often is too often.
//
// What is counted stands in the database, so that all nodes count together and
// a restart forgives nothing. It stands there as a keyed hash: the table does
// not say whose address it was.
package limit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"icouch/internal/base/at"
	"icouch/internal/base/fault"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
	"icouch/internal/platform/limit/limitdb"
)

// SQL is this package's statements.
var SQL = db.Prepare(limitdb.Prepare)

// ErrTooOften is the answer to whoever asks too often.
var ErrTooOften = fault.New(fault.Busy, "That was too often in a short time. Please wait a few minutes and try again.")

// Rule says how often something may happen in a time.
type Rule struct {
	Name string // stands in the database for ever
	Most int64
	Per  time.Duration
}

// Limiter counts.
type Limiter struct{ DB *db.DB }

// Take counts one more of what r is about, by whom, and returns ErrTooOften if
// that was one too many.
func (l Limiter) Take(ctx context.Context, r Rule, who string) error {
	var n int64
	err := l.DB.Maintain(ctx, func(tx *db.Tx) error {
		key, err := keyOf(tx, r, who)
		if err != nil {
			return err
		}
		row, err := SQL.In(tx).Count(tx, limitdb.CountParams{Key: key, More: 1, Now: tx.Now(), Cut: tx.Now().Plus(-r.Per)})
		n = row.Count
		return err
	})
	if err != nil {
		return fmt.Errorf("limit %s: %w", r.Name, err)
	}
	if n > r.Most {
		return ErrTooOften
	}
	return nil
}

// Take counts one more of what r is about, by whom, in the transaction in which
// it happens: what does not come to pass is not counted.
func (r Rule) Take(tx *db.Tx, who string) error { return r.TakeSome(tx, who, 1) }

// TakeSome is Take of so many at once: all of them, or none if that would be too many.
func (r Rule) TakeSome(tx *db.Tx, who string, more int64) error {
	key, err := keyOf(tx, r, who)
	if err != nil {
		return err
	}
	row, err := SQL.In(tx).Count(tx, limitdb.CountParams{Key: key, More: more, Now: tx.Now(), Cut: tx.Now().Plus(-r.Per)})
	if err != nil {
		return fmt.Errorf("limit %s: %w", r.Name, err)
	}
	if row.Count > r.Most {
		return ErrTooOften
	}
	return nil
}

// Tally is how often something happened, since when, and when last.
type Tally struct {
	Count       int64
	Since, Last at.Time
}

// Try counts one more of what r is about, by whom, unless may says no to the
// tally so far: then nothing is counted, and its answer is returned. Those who
// try at once do so one after the other. r.Most says nothing here.
func (l Limiter) Try(ctx context.Context, r Rule, who string, may func(Tally, at.Time) error) error {
	var no error
	err := l.DB.Maintain(ctx, func(tx *db.Tx) error {
		key, err := keyOf(tx, r, who)
		if err != nil {
			return err
		}
		row, err := SQL.In(tx).Hold(tx, limitdb.HoldParams{Key: key, Now: tx.Now()})
		if err != nil {
			return err
		}
		t := Tally{row.Count, row.Since, row.Last}
		if cut := tx.Now().Plus(-r.Per); !t.Since.After(cut.Time) {
			t = Tally{}
		}
		if no = may(t, tx.Now()); no != nil {
			return nil
		}
		_, err = SQL.In(tx).Count(tx, limitdb.CountParams{Key: key, More: 1, Now: tx.Now(), Cut: tx.Now().Plus(-r.Per)})
		return err
	})
	if err != nil {
		return fmt.Errorf("limit %s: %w", r.Name, err)
	}
	return no
}

// Look returns the tally of r for who. What lies longer back than r looks is
// nothing.
func (l Limiter) Look(ctx context.Context, r Rule, who string) (t Tally, err error) {
	err = l.DB.View(ctx, func(tx *db.Tx) error {
		key, err := keyOf(tx, r, who)
		if err != nil {
			return err
		}
		row, err := SQL.In(tx).Tally(tx, key)
		if errors.Is(err, db.None) || err == nil && !row.Since.After(tx.Now().Add(-r.Per)) {
			return nil
		}
		t = Tally{row.Count, row.Since, row.Last}
		return err
	})
	if err != nil {
		return Tally{}, fmt.Errorf("limit %s: %w", r.Name, err)
	}
	return t, nil
}

// Forget makes the tally of r for who nothing again.
func (l Limiter) Forget(ctx context.Context, r Rule, who string) error {
	err := l.DB.Maintain(ctx, func(tx *db.Tx) error {
		key, err := keyOf(tx, r, who)
		if err != nil {
			return err
		}
		return SQL.In(tx).Clear(tx, key)
	})
	if err != nil {
		return fmt.Errorf("limit %s: %w", r.Name, err)
	}
	return nil
}

// Sweep forgets whatever was last counted before the time that any rule looks
// back: two days.
func (l Limiter) Sweep(ctx context.Context) error {
	return l.DB.Maintain(ctx, func(tx *db.Tx) error {
		return SQL.In(tx).Sweep(tx, tx.Now().Plus(-48*time.Hour))
	})
}

func keyOf(tx *db.Tx, r Rule, who string) ([]byte, error) {
	key, err := keys.Of(tx, keys.Installation)
	if err != nil {
		return nil, err
	}
	return key.Index("limit/"+r.Name, who)
}
