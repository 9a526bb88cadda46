package bench

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/id"
	"icouch/internal/chat"
	"icouch/internal/people"
	"icouch/internal/platform/db"
)

// The goals of messages.
const (
	goalMessages   = 1500.0                 // a second, 8 hands
	goalDelivery   = 2 * time.Millisecond   // p50, to one reader
	goalCrowd      = 25 * time.Millisecond  // p99, among a thousand open pages
	goalStream     = 35.0                   // KB each
	goalSafeStream = 75.0                   // KB each, with TLS and HTTP/2
	goalLongThread = 2.0                    // a thread of 100,000 messages beside one of 100
	goalLooking    = 150 * time.Millisecond // p99, inside the program
)

// crowd is how many pages are open at once.
const crowd = 1000

// talks are conversations to measure in.
type talks struct {
	office
	with     []id.Conversation // of the owner with each client
	sessions []string          // of those clients
}

// converse makes a practice whose clients have accounts, and a conversation
// with each of them, with so many messages in the first.
func (r *run) converse(data string, clients, messages int) (t talks, err error) {
	if t.office, err = r.furnish(data, 0, 0); err != nil {
		return t, err
	}
	d, err := r.open(data)
	if err != nil {
		return t, err
	}
	defer d.Close()
	const batch = 100
	for from := 0; from < clients; from += batch {
		err := d.Update(r.ctx, func(tx *db.Tx) error {
			for i := from; i < min(from+batch, clients); i++ {
				if err := t.befriend(r, tx, i); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return t, err
		}
	}
	for n := 0; n < messages; n += batch {
		err := d.Update(r.ctx, func(tx *db.Tx) error {
			for range min(batch, messages-n) {
				if _, err := chat.Send(tx, t.owner, t.with[0], id.New[id.Message](r.Now()), "It went better this week than the week before."); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return t, err
		}
	}
	return t, nil
}

// befriend makes a client with an account, a session and a conversation.
func (t *talks) befriend(r *run, tx *db.Tx, i int) error {
	c := id.New[id.Client](tx.Now().Time)
	details := r.person(i)
	details.EmailConsent = true
	if err := people.Create(tx, t.owner, c, details, false); err != nil {
		return err
	}
	who, err := account.Make(tx, access.Guest(), account.New{Name: details.Name.Full(), Email: details.Email, Zone: "America/New_York", Password: "!", Verified: true})
	if err != nil {
		return err
	}
	link, err := people.CopyLink(tx, t.owner, c)
	if err != nil {
		return err
	}
	if _, err := people.Accept(tx, access.AsPerson(who), link); err != nil {
		return err
	}
	session, err := account.Begin(tx, access.AsPerson(who), who, account.Entry{Place: account.Place{Practice: t.owner.Practice(), Client: c}, Terms: account.Anywhere})
	if err != nil {
		return err
	}
	conversation, err := chat.Start(tx, t.owner, chat.To{Client: c})
	t.with, t.sessions = append(t.with, conversation), append(t.sessions, session.Reveal())
	return err
}

// messages measures what is written: how much of it the disk takes, how soon it
// is in the other browser, and how a long thread opens.
func (r *run) messages() error {
	if err := r.writing(); err != nil {
		return err
	}
	if err := r.delivery(); err != nil {
		return err
	}
	if err := r.overTLS(); err != nil {
		return err
	}
	if err := r.longThread(); err != nil {
		return err
	}
	return r.looking()
}

func said(c id.Conversation, now time.Time) (path string, form url.Values) {
	return "/messages/" + c.String(), url.Values{"message": {id.New[id.Message](now).String()}, "body": {"It went better this week than the week before."}}
}

// writing measures messages sealed, in the trail and on the disk.
func (r *run) writing() error {
	first, err := r.rawCommits()
	if err != nil {
		return err
	}
	var rows []Row
	var reached bool
	for _, hands := range []int{1, 8, 64} {
		data, err := r.folder(fmt.Sprintf("messages-%d", hands))
		if err != nil {
			return err
		}
		t, err := r.converse(data, 8, 0)
		if err != nil {
			return err
		}
		p, err := r.serve(data, "")
		if err != nil {
			return err
		}
		mara := newPresser(p.url, t.session)
		before, err := p.cpu()
		if err != nil {
			return err
		}
		began := r.Now()
		presses, err := r.repeat(hands, r.For, func(i int) error {
			path, form := said(t.with[i%len(t.with)], r.Now())
			return mara.post(path, form, http.StatusSeeOther)
		})
		took := r.Now().Sub(began)
		after, err2 := p.cpu()
		p.stop()
		if err != nil || err2 != nil {
			return fmt.Errorf("writing: %w, %w", err, err2)
		}
		rate := float64(len(presses)) / took.Seconds()
		row := Row{Name: fmt.Sprintf("a message, %d hands", hands), Raw: fmt.Sprintf("%.0f commits/s", first),
			Ours: fmt.Sprintf("%.0f/s, %s CPU, press p99 %s", rate, ms((after-before)/time.Duration(len(presses))), ms(percentile(presses, 0.99))), Ratio: fmt.Sprintf("%.2f", rate/first)}
		if hands == 8 {
			row.Goal, reached = fmt.Sprintf("≥ %.0f/s", goalMessages), rate >= goalMessages
		}
		rows = append(rows, row)
	}
	last, err := r.rawCommits()
	if err != nil {
		return err
	}
	for _, row := range rows {
		if row.Goal != "" {
			row.Verdict = unlessDrifting(judge(reached), first, last)
		}
		r.add(row)
	}
	r.add(Row{Name: "drift of the raw line", Ours: fmt.Sprintf("%.0f %%", 100*drift(first, last))})
	return nil
}

// ear is an open page, as far as it hears.
type ear struct {
	*stream
	heard chan time.Time // when each event with messages came
}

// openPage opens a client's conversation and hears when a message comes. It returns
// when the page stands: a stream says at once how many are unread.
func (r *run) openPage(p *program, t *talks, of int) (*ear, error) {
	e := &ear{heard: make(chan time.Time, 64)}
	open, opened := make(chan struct{}), false
	var err error
	e.stream, err = r.listen(p, t, of, 0, func(line string) {
		switch {
		case !opened && strings.HasPrefix(line, "event: unread"):
			opened = true
			close(open)
		case opened && line == "event: messages":
			e.heard <- r.Now()
		}
	})
	if err != nil {
		return nil, err
	}
	select {
	case <-open:
		return e, nil
	case <-time.After(patience):
		e.stop()
		return nil, fmt.Errorf("a stream said nothing")
	}
}

// delivery measures from the press of "Send" to the event in another browser:
// with one page open, and with a thousand.
func (r *run) delivery() error {
	data, err := r.folder("delivery")
	if err != nil {
		return err
	}
	t, err := r.converse(data, crowd, 0)
	if err != nil {
		return err
	}
	p, err := r.serve(data, "")
	if err != nil {
		return err
	}
	defer p.stop()
	mara := newPresser(p.url, t.session)
	first, err := r.openPages(p, t, 0, 1)
	if err != nil {
		return err
	}
	defer hush(first)
	alone, err := r.deliver(mara, t, first)
	if err != nil {
		return err
	}
	others, each, err := r.weigh(p, t, 1, crowd)
	defer hush(others)
	if err != nil {
		return err
	}
	among, err := r.deliver(mara, t, append(first, others...))
	if err != nil {
		return err
	}
	p50, p99 := percentile(alone, 0.5), percentile(among, 0.99)
	r.add(Row{"a message, to one open page", "", fmt.Sprintf("p50 %s, p99 %s", ms(p50), ms(percentile(alone, 0.99))), "", "p50 ≤ " + ms(goalDelivery), judge(p50 <= goalDelivery)})
	r.add(Row{fmt.Sprintf("a message, among %d open pages", crowd), "", fmt.Sprintf("p50 %s, p99 %s", ms(percentile(among, 0.5)), ms(p99)), "", "p99 ≤ " + ms(goalCrowd), judge(p99 <= goalCrowd)})
	r.add(Row{"memory of an open page", "", fmt.Sprintf("%.0f KB", each), "", fmt.Sprintf("≤ %.0f KB", goalStream), judge(each <= goalStream)})
	return nil
}

// openPages opens the conversations of some clients.
func (r *run) openPages(p *program, t talks, from, to int) (ears []*ear, err error) {
	for i := from; i < to; i++ {
		e, err := r.openPage(p, &t, i)
		if err != nil {
			hush(ears)
			return nil, err
		}
		ears = append(ears, e)
	}
	return ears, nil
}

// weigh opens pages, and says how many KB each takes. It is asked of a program
// that has been at work: what lies about then is not the pages'.
func (r *run) weigh(p *program, t talks, from, to int) (ears []*ear, each float64, err error) {
	before, err := p.resident()
	if err != nil {
		return nil, 0, err
	}
	if ears, err = r.openPages(p, t, from, to); err != nil {
		return nil, 0, err
	}
	after, err := p.resident()
	return ears, (after - before) * 1024 / float64(len(ears)), err
}

func hush(ears []*ear) {
	for _, e := range ears {
		e.stop()
	}
}

// deliver writes messages, one after the other, to those who listen.
func (r *run) deliver(mara *presser, t talks, ears []*ear) (took []time.Duration, err error) {
	for i, began := 0, r.Now(); r.Now().Sub(began) < r.For; i++ {
		n := i * 7 % len(ears)
		path, form := said(t.with[n], r.Now())
		pressed := r.Now()
		if err := mara.post(path, form, http.StatusSeeOther); err != nil {
			return nil, err
		}
		select {
		case at := <-ears[n].heard:
			took = append(took, at.Sub(pressed))
		case <-time.After(patience):
			return nil, fmt.Errorf("a message did not arrive")
		}
	}
	return took, nil
}

// longThread measures how a conversation opens that has gone on for years.
func (r *run) longThread() error {
	var p50s []time.Duration
	for _, n := range []int{100, 100_000} {
		data, err := r.folder(fmt.Sprintf("thread-%d", n))
		if err != nil {
			return err
		}
		t, err := r.converse(data, 1, n)
		if err != nil {
			return err
		}
		p, err := r.serve(data, "")
		if err != nil {
			return err
		}
		mara := newPresser(p.url, t.session)
		took, cpu, err := r.timed(p, func(int) error { return mara.get("/messages/" + t.with[0].String()) })
		p.stop()
		if err != nil {
			return err
		}
		p50s = append(p50s, percentile(took, 0.5))
		r.add(Row{Name: fmt.Sprintf("a thread of %d messages", n), Ours: fmt.Sprintf("%s CPU, p50 %s, p99 %s", ms(cpu), ms(percentile(took, 0.5)), ms(percentile(took, 0.99)))})
	}
	growth := float64(p50s[1]) / float64(p50s[0])
	r.add(Row{"from the short thread to the long one", "", fmt.Sprintf("%.2f ×", growth), "", fmt.Sprintf("≤ %.0f ×", goalLongThread), judge(growth <= goalLongThread)})
	return nil
}

// searched is how many messages are looked through.
const searched = 10_000

// looking measures a search that has to open every message.
func (r *run) looking() error {
	data, err := r.folder("looking")
	if err != nil {
		return err
	}
	t, err := r.converse(data, 1, searched)
	if err != nil {
		return err
	}
	p, err := r.serve(data, "")
	if err != nil {
		return err
	}
	mara := newPresser(p.url, t.session)
	_, cpu, err := r.timed(p, func(int) error {
		return mara.post("/messages/search", url.Values{"q": {"a word that was never written"}}, http.StatusOK)
	})
	p.stop()
	if err != nil {
		return err
	}
	inside := p.inside("POST /messages/search")
	p99 := percentile(inside, 0.99)
	r.add(Row{fmt.Sprintf("a search through %d messages", searched), "", fmt.Sprintf("%s CPU, p50 %s, p99 %s", ms(cpu), ms(percentile(inside, 0.5)), ms(p99)), "", "p99 ≤ " + ms(goalLooking), judge(p99 <= goalLooking)})
	return nil
}
