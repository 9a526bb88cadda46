// Package at is an instant, stored as microseconds since 1970: the same eight
// bytes on SQLite and PostgreSQL, in order, without zones or formats.
package at

import (
	"database/sql/driver"
	"fmt"
	"time"
)

// Time is an instant in UTC, whole microseconds.
type Time struct{ time.Time }

// Of returns the instant t names.
func Of(t time.Time) Time { return Time{t.UTC().Truncate(time.Microsecond)} }

// Value implements driver.Valuer.
func (t Time) Value() (driver.Value, error) { return t.UnixMicro(), nil }

// Scan implements sql.Scanner.
func (t *Time) Scan(v any) error {
	n, ok := v.(int64)
	if !ok {
		return fmt.Errorf("at: cannot scan %T", v)
	}
	t.Time = time.UnixMicro(n).UTC()
	return nil
}

// Ptr returns a pointer to t, for columns that may be empty.
func (t Time) Ptr() *Time { return &t }

// Plus returns the instant d after t.
func (t Time) Plus(d time.Duration) Time { return Of(t.Add(d)) }
