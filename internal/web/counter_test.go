package web

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"icouch/internal/platform/limit"
)

func TestACounterTakesNoMoreMemoryThanItIsGiven(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)
	c := newCounter(func() time.Time { return now }, 2, time.Hour)
	for n := range mostCounted {
		if err := c.take(strconv.Itoa(n)); err != nil {
			t.Fatalf("%d: %v", n, err)
		}
	}
	if err := c.take("one more"); !errors.Is(err, limit.ErrTooOften) {
		t.Errorf("one more is counted: %v", err)
	}
	if err := c.take("0"); err != nil {
		t.Errorf("one who was counted is not let in: %v", err)
	}
	if now = now.Add(time.Hour); c.take("one more") != nil || len(c.of) != 1 {
		t.Errorf("an hour later %d are kept count of, want 1", len(c.of))
	}
}
