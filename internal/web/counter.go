package web

import (
	"sync"
	"time"

	"icouch/internal/platform/limit"
)

// counter says how often is too often where platform/limit would be wrong: to
// keep the count would cost more than what is counted, or nobody is to find out
// from what is kept who did it when. It is kept in memory alone, so each server
// counts for itself, and it begins anew with each span of time.
type counter struct {
	most  int
	per   time.Duration
	clock func() time.Time

	mu    sync.Mutex
	began time.Time
	of    map[string]int
}

// mostCounted is of how many a counter keeps count in one span: whoever comes
// with ever new addresses takes no more memory than that.
const mostCounted = 100_000

func newCounter(clock func() time.Time, most int, per time.Duration) *counter {
	return &counter{most: most, per: per, clock: clock, of: map[string]int{}}
}

// take counts one more of who. It is limit.ErrTooOften if that was one too many.
func (c *counter) take(who string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.clock(); now.Sub(c.began) >= c.per {
		c.began = now
		clear(c.of)
	}
	n, known := c.of[who]
	if n >= c.most || !known && len(c.of) >= mostCounted {
		return limit.ErrTooOften
	}
	c.of[who] = n + 1
	return nil
}
