package bench

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Holding very many pages open for long, while they come and go and messages
// are written: nothing may be missed, and nothing come twice.
const (
	held        = 10_000 // pages
	pagesEach   = 20     // of one client
	churned     = 100    // pages that go and come back, a second
	comers      = 4      // at once
	writtenEach = 20     // messages a second, in all conversations
	goalHeld    = 35.0   // KB each
	settling    = 60 * time.Second
)

// page is an open page: it counts what it is shown, and goes on where it was.
type page struct {
	*stream
	of      int          // the conversation
	next    atomic.Int64 // the place of the message it has not seen yet
	missed  atomic.Int64
	doubled atomic.Int64
}

var placeOf = regexp.MustCompile(`id="m-(\d+)"`)

// open has a page listen, from where it was.
func (p *page) open(r *run, at *program, t *talks, told func(of int, place int64)) (err error) {
	shown := false
	p.stream, err = r.listen(at, t, p.of, p.next.Load()-1, func(line string) {
		if event, is := strings.CutPrefix(line, "event: "); is {
			shown = event == "messages"
		}
		if shown && strings.HasPrefix(line, "data: ") {
			p.hear(line, told)
		}
	})
	return err
}

// hear counts the messages of a line.
func (p *page) hear(line string, told func(of int, place int64)) {
	for _, m := range placeOf.FindAllStringSubmatch(line, -1) {
		place, _ := strconv.ParseInt(m[1], 10, 64)
		switch want := p.next.Load(); {
		case place == want:
			p.next.Store(place + 1)
			told(p.of, place)
		case place > want:
			p.missed.Add(place - want)
			p.next.Store(place + 1)
		default:
			p.doubled.Add(1)
		}
	}
}

// hold measures it.
func (r *run) hold() error {
	data, err := r.folder("hold")
	if err != nil {
		return err
	}
	t, err := r.converse(data, held/pagesEach, 0)
	if err != nil {
		return err
	}
	p, err := r.serve(data, "")
	if err != nil {
		return err
	}
	defer p.stop()
	empty, err := p.resident()
	if err != nil {
		return err
	}

	var mu sync.Mutex
	pressed := map[[2]int64]time.Time{} // by conversation and place
	var took []time.Duration
	told := func(of int, place int64) {
		now := r.Now()
		mu.Lock()
		defer mu.Unlock()
		if began, ok := pressed[[2]int64{int64(of), place}]; ok {
			took = append(took, now.Sub(began))
		}
	}
	pages := make([]*page, held)
	began := r.Now()
	if err := hands(16, held, func(i int) error {
		pages[i] = &page{of: i % len(t.with)}
		pages[i].next.Store(1)
		return pages[i].open(r, p, &t, told)
	}); err != nil {
		return err
	}
	opening := r.Now().Sub(began)
	full, err := p.resident()
	if err != nil {
		return err
	}

	written, churn, cpu, err := r.keepAt(p, &t, pages, func(i int) error {
		pages[i].stop()
		<-pages[i].gone
		return pages[i].open(r, p, &t, told)
	}, func(of int, place int64) {
		mu.Lock()
		pressed[[2]int64{int64(of), place}] = r.Now()
		mu.Unlock()
	})
	if err != nil {
		return err
	}
	after, err := p.resident()
	if err != nil {
		return err
	}
	var missed, doubled int64
	for _, g := range pages {
		for began := r.Now(); g.next.Load() <= written[g.of] && r.Now().Sub(began) < settling; {
			time.Sleep(10 * time.Millisecond)
		}
		missed += g.missed.Load() + max(0, written[g.of]+1-g.next.Load())
		doubled += g.doubled.Load()
		g.stop()
	}
	var sum int64
	for _, n := range written {
		sum += n
	}
	mu.Lock()
	defer mu.Unlock()
	each := (full - empty) * 1024 / held
	r.add(Row{Name: fmt.Sprintf("%d pages held for %s", held, r.Hold), Ours: fmt.Sprintf("%d messages, %d shown; %d pages went and came back; %d missed, %d twice", sum, len(took), churn, missed, doubled), Goal: "nothing missed", Verdict: judge(missed == 0 && doubled == 0)})
	r.add(Row{Name: "a message, among them", Ours: fmt.Sprintf("p50 %s, p99 %s; %.0f %% of a core", ms(percentile(took, 0.5)), ms(percentile(took, 0.99)), 100*cpu)})
	r.add(Row{Name: "memory of each", Ours: fmt.Sprintf("%.0f KB when all were open (in %s), %.0f KB at the end", each, opening.Round(time.Second), (after-empty)*1024/held), Goal: fmt.Sprintf("≤ %.0f KB", goalHeld), Verdict: judge(each <= goalHeld)})
	return nil
}

// keepAt writes messages and has pages come and go for as long as was asked.
func (r *run) keepAt(p *program, t *talks, pages []*page, again func(i int) error, pressing func(of int, place int64)) (written []int64, churn int64, cores float64, err error) {
	ctx, stop := context.WithTimeout(r.ctx, r.Hold)
	defer stop()
	from, err := p.cpu()
	if err != nil {
		return nil, 0, 0, err
	}
	began := r.Now()
	written = make([]int64, len(t.with))
	senders := make([]*presser, len(t.with))
	for i := range senders {
		senders[i] = newPresser(p.url, t.sessions[i])
	}
	var wg sync.WaitGroup
	var wrong [2]error
	var came atomic.Int64
	wg.Go(func() {
		wrong[0] = steadily(ctx, writtenEach, func(n int) error {
			of := n * 7 % len(t.with)
			pressing(of, written[of]+1)
			path, form := said(t.with[of], r.Now())
			if err := senders[of].post(path, form, http.StatusSeeOther); err != nil {
				return err
			}
			written[of]++
			return nil
		})
	})
	wg.Go(func() {
		wrong[1] = hands(comers, comers, func(k int) error {
			return steadily(ctx, churned/comers, func(n int) error {
				came.Add(1)
				return again((n*comers + k) * 13 % len(pages))
			})
		})
	})
	wg.Wait()
	for _, err := range wrong {
		if err != nil {
			return nil, 0, 0, err
		}
	}
	to, err := p.cpu()
	return written, came.Load(), (to - from).Seconds() / r.Now().Sub(began).Seconds(), err
}

// steadily does something so many times a second until ctx ends.
func steadily(ctx context.Context, aSecond int, do func(n int) error) error {
	beat := time.NewTicker(time.Second / time.Duration(aSecond))
	defer beat.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return nil
		case <-beat.C:
			if err := do(n); err != nil {
				return err
			}
		}
	}
}

// hands does n things, so many at once.
func hands(at, n int, do func(i int) error) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	wrong := make(chan error, at)
	for range at {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if err := do(i); err != nil {
					wrong <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(wrong)
	return <-wrong
}
