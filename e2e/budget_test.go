package e2e

import (
	"fmt"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/network"
)

const kilobyte = 1000

// budget is what a page may cost somebody who has never been here, in bytes on
// the wire with their heads, and in requests; again is the same page once more.
type budget struct {
	html, css, script, all float64
	requests, again        int
}

// The budgets. To raise one is a decision, and wants a reason.
var (
	door = budget{html: 4 * kilobyte, css: 12 * kilobyte, script: 3 * kilobyte, all: 80 * kilobyte, requests: 8, again: 1}
	list = budget{html: 12 * kilobyte, css: 12 * kilobyte, script: 24 * kilobyte, all: 110 * kilobyte, requests: 12, again: 2}
)

func TestPagesKeepToTheirBudgets(t *testing.T) {
	t.Parallel()
	p := serve(t)
	her := p.found(t, miraName, mira, miraSecret, riverside)
	for n := range 50 {
		her.client("Rashida", fmt.Sprintf("Number %d", n+1), fmt.Sprintf("rashida%d@example.com", n+1), false)
	}
	v := p.visitor(t, phone)
	v.keeps("/sign-up", door)

	v.signsIn(mira, miraSecret)
	v.forgets()
	v.keeps("/people", list)
}

// forgets empties the cache.
func (v *visitor) forgets() {
	v.t.Helper()
	v.do(command(network.ClearBrowserCache, struct{}{}))
}

// keeps fails if a page costs more than its budget, at first and again.
func (v *visitor) keeps(path string, b budget) {
	v.t.Helper()
	first := v.cost(path)
	v.t.Logf("%s at first: %+v", path, first)
	if first.html > b.html || first.css > b.css || first.script > b.script || first.all > b.all || first.requests > b.requests {
		v.t.Errorf("%s costs %+v, want no more than %+v", path, first, b)
	}
	if first.html == 0 || first.css == 0 || first.script == 0 || first.requests < 4 {
		v.t.Errorf("%s costs %+v: what was counted is not the page", path, first)
	}
	parts := ask[int](v, countParts)
	v.open(path)
	v.until("all of "+path+" to be there again", fmt.Sprintf("%s >= %d", countParts, parts))
	if again := 1 + ask[int](v, `performance.getEntriesByType('resource').filter(r => r.transferSize > 0).length`); again > b.again {
		v.t.Errorf("%s again asks %d times, want no more than %d", path, again, b.again)
	}
}

// countParts is how many parts a page has, those from the cache among them.
const countParts = `performance.getEntriesByType('resource').length`

// cost opens a page and counts. What the cache had costs nothing.
func (v *visitor) cost(path string) (c budget) {
	v.t.Helper()
	v.open(path)
	wait(v.t, "all of "+path+" to be there", v.settled)
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, l := range v.loads {
		if l.bytes == 0 {
			continue
		}
		c.requests++
		c.all += l.bytes
		switch l.kind {
		case network.ResourceTypeDocument:
			c.html += l.bytes
		case network.ResourceTypeStylesheet:
			c.css += l.bytes
		case network.ResourceTypeScript:
			c.script += l.bytes
		}
	}
	return c
}

// settled reports whether everything that was asked for has come.
func (v *visitor) settled() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.loads) > 0 && !slices.ContainsFunc(v.loads, func(l load) bool { return !l.over })
}
