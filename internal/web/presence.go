package web

import (
	"context"
	"crypto/rand"
	"net/http"
	"strings"
	"time"

	"icouch/internal/access"
	"icouch/internal/chat"
	"icouch/internal/platform/db"
)

// Whoever allows it is shown as "Here now" to those they write with, while a page
// of Messaging is open somewhere and was used in the last minutes. Nothing else
// is ever shown: not since when somebody is away, nor that they are.
//
// It is no trail of anybody's behaviour. It is known in the memory of the hub
// alone, told between servers by signals, stored nowhere and logged nowhere. Who
// may see it is asked of the database each time, as is who shows it.
//
// A page of somebody who does not show themselves has no part in any of it.

const (
	lingers = 5 * time.Minute  // how long somebody is here after they last used a page
	lease   = 55 * time.Second // how long another server's word holds: one that was killed takes nothing back
	told    = 30 * time.Second // how soon the same is not told again
	repeat  = 20 * time.Second // how often a server repeats its own; its pages see to it, and wake every breath
)

// presence is who is here, as one server knows it. The hub's lock guards it.
type presence struct {
	name  string // this server's, among those of the same database
	clock func() time.Time
	mine  map[string]*attendance          // whose pages are open at this server, by "practice/reader"
	told  map[string]map[string]time.Time // who is here by another's word: by person and server, until when it holds
	said  time.Time                       // when this server last repeated itself
	asks  bool                            // it may have missed something: the others are to repeat themselves
	swept time.Time                       // when words that hold no more were last thrown away
}

// attendance is somebody who shows themselves, with pages open at this server.
type attendance struct {
	pages int
	used  time.Time // when they last used one of them, or another
	here  bool      // as others were told
}

// company is what a page knows whose owner shows themselves. Other pages have none.
type company struct {
	person string
	keys   []string // of those whom it hears of
	shown  string   // what it was last told
}

func newPresence(clock func() time.Time) presence {
	return presence{name: rand.Text(), clock: clock, asks: true, mine: map[string]*attendance{}, told: map[string]map[string]time.Time{}}
}

// until is how long somebody is here if nothing more is heard of them; zero: they are not.
func (p *presence) until(person string) (until time.Time) {
	if a := p.mine[person]; a != nil {
		until = a.used.Add(lingers)
	}
	for _, holds := range p.told[person] {
		if holds.After(until) {
			until = holds
		}
	}
	if !until.After(p.clock()) {
		return time.Time{}
	}
	return until
}

func hereTopic(person, server string) string { return "here/" + person + "/" + server }
func goneTopic(person, server string) string { return "gone/" + person + "/" + server }
func usedTopic(person string) string         { return "used/" + person }
func askTopic(server string) string          { return "who/" + server }
func personOf(by access.Actor) string        { return by.Practice().String() + "/" + chat.Reader(by) }

// hearsOf is under which key pages wait for news of somebody.
func hearsOf(person string) string { return "here/" + person }

// hearHere hears what is said of somebody's presence, by this server or another.
func (h *hub) hearHere(kind, rest string) {
	practice, rest, _ := strings.Cut(rest, "/")
	reader, server, _ := strings.Cut(rest, "/")
	person := practice + "/" + reader
	switch kind {
	case "choice": // what they chose is read anew, by their own pages and by those of others
		for s := range h.open[person] {
			s.mu.Lock()
			s.chosen = true
			s.mu.Unlock()
			s.rouse()
		}
		wakeAll(h.open[hearsOf(person)])
	case "used":
		if a := h.mine[person]; a != nil {
			if h.until(person).IsZero() {
				wakeAll(h.open[hearsOf(person)])
			}
			if a.used = h.clock(); !a.here {
				wakeAll(h.open[person]) // one of their pages tells other servers
			}
		}
	case "here", "gone":
		if server != h.name {
			h.takeWord(kind == "here", person, server)
		}
	}
}

// hearAsked has this server repeat itself, as another asks: one page of somebody
// who is here sees to it.
func (h *hub) hearAsked(server string) {
	if server == h.name {
		return
	}
	for person, a := range h.mine {
		if a.here {
			h.said = time.Time{}
			wakeAll(h.open[person])
			return
		}
	}
}

// takeWord notes what another server says.
func (h *hub) takeWord(here bool, person, server string) {
	h.sweep()
	before := !h.until(person).IsZero()
	if here {
		if h.told[person] == nil {
			h.told[person] = map[string]time.Time{}
		}
		h.told[person][server] = h.clock().Add(lease)
	} else if delete(h.told[person], server); len(h.told[person]) == 0 {
		delete(h.told, person)
	}
	if before != !h.until(person).IsZero() {
		wakeAll(h.open[hearsOf(person)])
	}
}

// sweep throws away what servers said that say nothing more.
func (h *hub) sweep() {
	now := h.clock()
	if now.Sub(h.swept) < lease {
		return
	}
	h.swept = now
	for person, words := range h.told {
		for server, holds := range words {
			if !holds.After(now) {
				delete(words, server)
			}
		}
		if len(words) == 0 {
			delete(h.told, person)
		}
	}
}

// attend has a page of somebody who shows themselves count as open, and hear of
// others from here on. It reports whether the page has just begun to.
func (h *hub) attend(s *stream, person string, others []fellow) (began bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if began = s.company == nil; began {
		s.company = &company{person: person}
		if h.mine[person] == nil {
			h.mine[person] = &attendance{}
		}
		h.mine[person].pages++
	}
	if s.company.hears(others) {
		return began
	}
	h.forgetOthers(s)
	for _, o := range others {
		k := hearsOf(o.person)
		if h.open[k] == nil {
			h.open[k] = map[*stream]struct{}{}
		}
		h.open[k][s] = struct{}{}
		s.company.keys = append(s.company.keys, k)
	}
	return began
}

// hears reports whether these are the ones that a page hears of already.
func (c *company) hears(others []fellow) bool {
	if len(others) != len(c.keys) {
		return false
	}
	for i, o := range others {
		if hearsOf(o.person) != c.keys[i] {
			return false
		}
	}
	return true
}

func (h *hub) forgetOthers(s *stream) {
	for _, k := range s.company.keys {
		if delete(h.open[k], s); len(h.open[k]) == 0 {
			delete(h.open, k)
		}
	}
	s.company.keys = nil
}

// withdraw has a page count no more: it closes, or its owner shows themselves no
// longer. It returns what other servers are to hear.
func (h *hub) withdraw(s *stream) (topics []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.company == nil {
		return nil
	}
	h.forgetOthers(s)
	person := s.company.person
	s.company = nil
	a := h.mine[person]
	if a.pages--; a.pages > 0 {
		return nil
	}
	before := h.until(person)
	if delete(h.mine, person); before.After(h.until(person)) {
		wakeAll(h.open[hearsOf(person)])
	}
	if !a.here { // the others were never told
		return nil
	}
	return []string{goneTopic(person, h.name)}
}

// settle returns what other servers are to hear: that somebody came, or used no
// page for a while; and from time to time who is here, all of it.
func (h *hub) settle(person string) (topics []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.clock()
	if a := h.mine[person]; a != nil {
		if here := now.Before(a.used.Add(lingers)); here != a.here {
			a.here = here
			topic := hereTopic(person, h.name)
			if !here {
				topic = goneTopic(person, h.name)
				wakeAll(h.open[hearsOf(person)])
			}
			topics = append(topics, topic)
		}
	}
	if h.asks {
		h.asks = false
		topics = append(topics, askTopic(h.name))
	}
	if now.Sub(h.said) >= repeat {
		h.said = now
		for person, a := range h.mine {
			if a.here {
				topics = append(topics, hereTopic(person, h.name))
			}
		}
	}
	return topics
}

// here returns who of some is here, and until when at least nothing changes by
// time alone.
func (h *hub) here(some []fellow) (here []fellow, until time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, o := range some {
		ends := h.until(o.person)
		if !o.shows || ends.IsZero() {
			continue
		}
		here = append(here, o)
		if until.IsZero() || ends.Before(until) {
			until = ends
		}
	}
	return here, until
}

// company says who of some is here, to a person who is here: who is not sees
// nobody come and go. And it says until when at least time alone changes nothing.
func (h *hub) company(person string, kind chat.Kind, others []fellow) (words string, until time.Time) {
	_, own := h.here([]fellow{{person: person, shows: true}})
	if own.IsZero() {
		return "", own
	}
	here, until := h.here(others)
	if until.IsZero() || own.Before(until) {
		until = own // then other servers are to hear, too
	}
	return hereWords(kind, here), until
}

// usedLately reports whether it is known that somebody uses a page here.
func (h *hub) usedLately(person string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	a := h.mine[person]
	return a != nil && a.here && h.clock().Sub(a.used) < told
}

// fellow is somebody else in a conversation.
type fellow struct {
	person, name string
	shows        bool // that they are here
}

// fellows are the others, to a reader who shows themselves.
func (t *teller) fellows(tx *db.Tx) (all []fellow, err error) {
	others, err := chat.Company(tx, t.chat)
	if err != nil {
		return nil, err
	}
	for _, o := range others {
		if !o.Shows {
			all = append(all, fellow{person: t.by.Practice().String() + "/" + o.Reader})
			continue
		}
		name, err := t.names.Author(tx, t.by, t.chat, chat.Message{Author: o.Reader, SentAt: tx.Now()})
		if err != nil {
			return nil, err
		}
		all = append(all, fellow{t.by.Practice().String() + "/" + o.Reader, name, o.Shows})
	}
	return all, nil
}

// hereWords says who is here: nothing, where nobody is.
func hereWords(kind chat.Kind, here []fellow) string {
	if len(here) == 0 {
		return ""
	}
	if kind != chat.WithTeam {
		return "Here now"
	}
	var names []string
	for _, o := range here {
		names = append(names, o.name)
	}
	return "Here now: " + join(names)
}

// showing reads whether the owner of a page shows themselves, when that may have
// changed. Only the page's own stream asks.
func (s *stream) showing(tx *db.Tx, by access.Actor, anew bool) (err error) {
	if anew {
		s.shows, err = chat.ShowsHere(tx, by)
	}
	return err
}

// choseAnew reports whether the owner of a page has chosen since it was last asked.
func (s *stream) choseAnew() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	anew := s.chosen
	s.chosen = false
	return anew
}

// meet has a page count as open if its owner shows themselves, and tells it who
// else is here.
func (e *events) meet(st *stream, kind chat.Kind, others []fellow) error {
	h := e.s.streams
	if !st.shows {
		if st.company == nil {
			return nil
		}
		e.s.signal(e.ctx, h.withdraw(st))
		e.fades = time.Time{}
		if err := e.send("shows", "", merely("no")); err != nil {
			return err
		}
		return e.send("here", "", merely(""))
	}
	person := personOf(e.by)
	if began := h.attend(st, person, others); began {
		if err := e.send("shows", "", merely("yes")); err != nil {
			return err
		}
		st.company.shown = "?" // the page may show what was true when it was made
	}
	e.s.signal(e.ctx, h.settle(person))
	var words string
	words, e.fades = h.company(person, kind, others)
	if st.in == "" || words == st.company.shown {
		return nil
	}
	st.company.shown = words
	return e.send("here", "", merely(words))
}

// depart has a page that closes count no more, at once. Of a server that goes
// down, the others hear nothing: its pages come back elsewhere, or are forgotten.
func (s *Site) depart(ctx context.Context, st *stream) {
	topics := s.streams.withdraw(st)
	if s.streams.ending() {
		return
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer stop()
	s.signal(ctx, topics)
}

// signal tells all servers. What is lost is said again, or holds for a minute at most.
func (s *Site) signal(ctx context.Context, topics []string) {
	if len(topics) > 0 {
		_ = s.DB.Signal(ctx, topics...)
	}
}

// POST /messages/here says that somebody uses a page of Messaging. Of who does
// not show it, nothing is noted. How often is counted in memory: a row would say
// when somebody was here.
func (s *Site) useMessages(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if err := s.touches.take(by.Account().String()); err != nil {
		return err
	}
	var shows bool
	err := s.DB.View(r.Context(), func(tx *db.Tx) (err error) { shows, err = chat.ShowsHere(tx, by); return err })
	if err != nil {
		return err
	}
	if shows && !s.streams.usedLately(personOf(by)) {
		s.signal(r.Context(), []string{usedTopic(personOf(by))})
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
