package bench

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"time"

	"icouch/internal/base/id"
	"icouch/internal/platform/mail/sink"
)

// The goals.
const (
	goalInvites  = 600.0                  // a second, 64 hands
	goalInvite   = 2 * time.Millisecond   // processor time each
	goalList     = 600 * time.Microsecond // processor time of one page
	goalSearch   = 2 * time.Millisecond   // p99, inside the program
	goalFirst    = 300 * time.Millisecond // of the largest practice, the first page ever
	goalGrowth   = 2.0                    // of the list, from the smallest practice to the largest
	goalSignUp   = 0.90                   // of the raw hashes
	goalStart    = 150 * time.Millisecond
	goalResident = 60.0 // MiB
)

// patience is how long letters may take to arrive before something is wrong.
const patience = time.Minute

// start measures how soon the program answers, and what it holds at rest.
func (r *run) start() error {
	data, err := r.folder("start")
	if err != nil {
		return err
	}
	if _, err := r.furnish(data, 1000, 0); err != nil {
		return err
	}
	var opened []float64
	var resident float64
	for i := range max(r.Rounds, 3) {
		p, err := r.serve(data, "")
		if err != nil {
			return err
		}
		opened = append(opened, float64(p.opened))
		if i == 0 {
			time.Sleep(3 * time.Second) // at rest
			resident, err = p.resident()
		}
		p.stop()
		if err != nil {
			return err
		}
	}
	d := time.Duration(median(opened))
	r.add(Row{"start to first answer", "", ms(d), "", "≤ " + ms(goalStart), judge(d <= goalStart)})
	r.add(Row{"memory at rest", "", fmt.Sprintf("%.0f MiB", resident), "", fmt.Sprintf("≤ %.0f MiB", goalResident), judge(resident <= goalResident)})
	return nil
}

// invite measures an invitation from end to end: the press of the button,
// client, invitation, trail and letter on the disk, the letter at a mail server.
func (r *run) invite() error {
	first, err := r.rawCommits()
	if err != nil {
		return err
	}
	var rows []Row
	var reached []bool
	for _, hands := range []int{1, 8, 64} {
		var rates, cpus []float64
		var p99 time.Duration
		for round := range r.Rounds {
			rate, cpu, worst, err := r.inviteOnce(fmt.Sprintf("invite-%d-%d", hands, round), hands)
			if err != nil {
				return err
			}
			rates, cpus, p99 = append(rates, rate), append(cpus, float64(cpu)), max(p99, worst)
		}
		rate, cpu := median(rates), time.Duration(median(cpus))
		row := Row{Name: fmt.Sprintf("invite end to end, %d hands", hands), Raw: fmt.Sprintf("%.0f commits/s", first),
			Ours: fmt.Sprintf("%.0f/s, %s CPU, press p99 %s", rate, ms(cpu), ms(p99)), Ratio: fmt.Sprintf("%.2f", rate/first)}
		ok := true
		if hands == 64 {
			row.Goal, ok = fmt.Sprintf("≥ %.0f/s, ≤ %s", goalInvites, ms(goalInvite)), rate >= goalInvites && cpu <= goalInvite
		}
		rows, reached = append(rows, row), append(reached, ok)
	}
	last, err := r.rawCommits()
	if err != nil {
		return err
	}
	for i, row := range rows {
		if row.Goal != "" {
			row.Verdict = unlessDrifting(judge(reached[i]), first, last)
		}
		r.add(row)
	}
	r.add(Row{Name: "drift of the raw line", Ours: fmt.Sprintf("%.0f %%", 100*drift(first, last))})
	return nil
}

func (r *run) inviteOnce(folder string, hands int) (rate float64, cpu, p99 time.Duration, err error) {
	data, err := r.folder(folder)
	if err != nil {
		return 0, 0, 0, err
	}
	o, err := r.furnish(data, 10, 0)
	if err != nil {
		return 0, 0, 0, err
	}
	post, err := sink.Start(sink.Options{CountOnly: true})
	if err != nil {
		return 0, 0, 0, err
	}
	defer post.Close()
	p, err := r.serve(data, "smtp://"+post.Addr())
	if err != nil {
		return 0, 0, 0, err
	}
	defer p.stop()
	mara := newPresser(p.url, o.session)
	before, err := p.cpu()
	if err != nil {
		return 0, 0, 0, err
	}
	began := r.Now()
	presses, err := r.repeat(hands, r.For, func(i int) error {
		return mara.post("/people", url.Values{"id": {string(id.New[id.Client](r.Now()))}, "first": {"Client"}, "last": {fmt.Sprint(i)},
			"email": {fmt.Sprintf("c%d@example.com", i)}, "consent": {"yes"}, "invite": {"yes"}}, 303)
	})
	if err != nil {
		return 0, 0, 0, err
	}
	soon, stop := context.WithTimeout(r.ctx, patience)
	defer stop()
	if err := post.Wait(soon, int64(len(presses))); err != nil {
		return 0, 0, 0, fmt.Errorf("waiting for the letters: %w", err)
	}
	took := r.Now().Sub(began)
	after, err := p.cpu()
	return float64(len(presses)) / took.Seconds(), (after - before) / time.Duration(len(presses)), percentile(presses, 0.99), err
}

// people measures the list and its search in practices of several sizes. Each
// answer waits for a line in the trail to be on the disk (docs/adr/0009): what
// such a commit takes stands beside it.
func (r *run) people() error {
	hello, err := r.rawHello()
	if err != nil {
		return err
	}
	commits, err := r.commits()
	if err != nil {
		return err
	}
	raw := floor{hello, percentile(commits, .5), percentile(commits, .99)}
	slices.Sort(r.Clients)
	var smallest time.Duration
	for _, n := range r.Clients {
		data, err := r.folder(fmt.Sprintf("people-%d", n))
		if err != nil {
			return err
		}
		o, err := r.furnish(data, n, 0)
		if err != nil {
			return err
		}
		p, err := r.serve(data, "")
		if err != nil {
			return err
		}
		list, err := r.listOnce(p, newPresser(p.url, o.session), n, raw)
		p.stop()
		if err != nil {
			return err
		}
		if smallest == 0 {
			smallest = list
			continue
		}
		growth := float64(list) / float64(smallest)
		r.add(Row{"the list, from the smallest practice to this", "", fmt.Sprintf("%.2f ×", growth), "", fmt.Sprintf("≤ %.0f ×", goalGrowth), judge(growth <= goalGrowth)})
	}
	return nil
}

// floor is what no page can go below: an answer over HTTP, and a commit.
type floor struct{ hello, commit, worst time.Duration }

func (f floor) String() string {
	return fmt.Sprintf("hello %s, a commit p50 %s, p99 %s", ms(f.hello), ms(f.commit), ms(f.worst))
}

func (r *run) listOnce(p *program, mara *presser, n int, raw floor) (time.Duration, error) {
	began := r.Now()
	if err := mara.get("/people"); err != nil {
		return 0, err
	}
	fill := r.Now().Sub(began)
	pages, cpu, err := r.timed(p, func(int) error { return mara.get("/people") })
	if err != nil {
		return 0, err
	}
	r.add(Row{fmt.Sprintf("People, first page, %d clients", n), raw.String(), fmt.Sprintf("%s CPU, p50 %s, p99 %s", ms(cpu), ms(percentile(pages, .5)), ms(percentile(pages, .99))),
		fmt.Sprintf("%.1f ×", float64(percentile(pages, .5))/float64(raw.hello+raw.commit)), "≤ " + ms(goalList) + " CPU", judge(cpu <= goalList)})
	if n >= 100_000 {
		r.add(Row{fmt.Sprintf("People, first page ever, %d clients", n), "", ms(fill), "", "≤ " + ms(goalFirst), judge(fill <= goalFirst)})
	}
	words := []string{"ann", "noda", "client12", "lind", "zz", "okafor-silva", "e", "ukasz"}
	searches, scpu, err := r.timed(p, func(i int) error {
		return mara.post("/people/search", url.Values{"q": {words[i%len(words)]}}, 200)
	})
	if err != nil {
		return 0, err
	}
	inside := p.inside("POST /people/search")
	worst := percentile(inside, .99)
	r.add(Row{fmt.Sprintf("People, search, %d clients", n), raw.String(), fmt.Sprintf("%s CPU, inside the program p50 %s, p99 %s; with HTTP p99 %s", ms(scpu), ms(percentile(inside, .5)), ms(worst), ms(percentile(searches, .99))),
		"", "p99 ≤ " + ms(goalSearch) + " inside", judge(len(inside) > 0 && worst <= goalSearch)})
	return cpu, nil
}

// timed repeats something with one hand and returns the program's own
// processor time for each.
func (r *run) timed(p *program, do func(int) error) ([]time.Duration, time.Duration, error) {
	before, err := p.cpu()
	if err != nil {
		return nil, 0, err
	}
	times, err := r.repeat(1, r.For, do)
	if err != nil {
		return nil, 0, err
	}
	after, err := p.cpu()
	return times, (after - before) / time.Duration(max(len(times), 1)), err
}

// callers is how many hands sign up at once: enough that some always wait for a
// hash while others are between two presses.
const callers = 16

// signUp measures sign-ups from a link against the hashes that they cannot do
// without. The raw line is measured in the same conditions: another process
// that hashes, as many at once as there are cores, pressed by as many hands
// with as many requests.
func (r *run) signUp() error {
	bare := r.rawHashes()
	first, err := r.rawPresses()
	if err != nil {
		return err
	}
	enough := int(bare*r.For.Seconds()*float64(r.Rounds)*1.5) + 200
	data, err := r.folder("signup")
	if err != nil {
		return err
	}
	o, err := r.furnish(data, enough*7/6+50, enough)
	if err != nil {
		return err
	}
	p, err := r.serve(data, "")
	if err != nil {
		return err
	}
	defer p.stop()
	var rates, cpus []float64
	used := 0
	for range r.Rounds {
		links := o.links[used:]
		rate, cpu, done, err := r.pressed(p, func(guest *presser, i int) error {
			if i > len(links) {
				return fmt.Errorf("only %d links were made", len(links))
			}
			if err := guest.get("/join/" + links[i-1]); err != nil {
				return err
			}
			return guest.post("/join/"+links[i-1], url.Values{"password": {"a quiet river by the mill"}}, 303)
		})
		if err != nil {
			return err
		}
		used += done + callers
		rates, cpus = append(rates, rate), append(cpus, cpu)
	}
	last, err := r.rawPresses()
	if err != nil {
		return err
	}
	raw := (first + last) / 2
	ratio := median(rates) / raw
	r.add(Row{fmt.Sprintf("sign-up from a link, %d hands", callers), fmt.Sprintf("%.1f hashes/s over HTTP, %.1f without", raw, bare), fmt.Sprintf("%.1f/s, %s CPU", median(rates), ms(time.Duration(median(cpus)))),
		fmt.Sprintf("%.2f", ratio), fmt.Sprintf("≥ %.2f", goalSignUp), unlessDrifting(judge(ratio >= goalSignUp), first, last)})
	return nil
}

// rawPresses is how many hashes a second a process makes that does nothing else,
// pressed as the program is.
func (r *run) rawPresses() (float64, error) {
	p, err := r.launch(nil, func(_, address string) []string { return []string{"bench", "--bare", address} })
	if err != nil {
		return 0, err
	}
	defer p.stop()
	rate, _, _, err := r.pressed(p, func(guest *presser, _ int) error {
		if err := guest.get("/"); err != nil {
			return err
		}
		return guest.post("/", url.Values{"password": {"a quiet river by the mill"}}, 303)
	})
	return rate, err
}

// pressed has every caller do something over and over, and returns how often a
// second it was done, and the program's own processor time for each.
func (r *run) pressed(p *program, do func(*presser, int) error) (rate, cpu float64, done int, err error) {
	guest := newPresser(p.url, "")
	before, err := p.cpu()
	if err != nil {
		return 0, 0, 0, err
	}
	began := r.Now()
	all, err := r.repeat(callers, r.For, func(i int) error { return do(guest, i) })
	if err != nil {
		return 0, 0, 0, err
	}
	took := r.Now().Sub(began)
	after, err := p.cpu()
	return float64(len(all)) / took.Seconds(), float64(after-before) / float64(max(len(all), 1)), len(all), err
}
