package web

import (
	"strings"
	"sync"

	"icouch/internal/platform/db"
)

// hub wakes the open pages of those who are in a conversation. It carries
// topics and no words: a page that is woken reads anew, as whoever looks at it.
type hub struct {
	mu   sync.Mutex
	open map[string]map[*stream]struct{} // by "practice/reader"; "practice//conversation" for who only reads; "account/…", "practice/…", "people/…" for who that is; "here/practice/reader" for whether they are here
	born uint64                          // streams so far
	down chan struct{}                   // closed when the program goes down
	presence
}

// stream is one open page.
type stream struct {
	wake    chan struct{} // something may have changed
	crowded chan struct{} // it has to make room for a newer one of the same account
	born    uint64
	mu      sync.Mutex
	typing  map[string]bool // who writes at this moment, in the conversation that is shown
	in      string          // that conversation; empty: the list
	chosen  bool            // its owner may have chosen anew whether they show themselves
	shows   bool            // whether they do, as it was last read
	company *company        // nil: they do not
}

func newStream(in string) *stream {
	return &stream{wake: make(chan struct{}, 1), crowded: make(chan struct{}), in: in, chosen: true}
}

func newHub(d *db.DB) *hub {
	h := &hub{open: map[string]map[*stream]struct{}{}, down: make(chan struct{}), presence: newPresence(d.Clock)}
	d.Watch(h.hear)
	return h
}

// join has a stream woken by what happens under its keys and its account's,
// until leave. Nobody has more than some streams: of more, the oldest ends.
func (h *hub) join(s *stream, keys []string, account string) (leave func()) {
	keys = append(keys, account)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.born++
	s.born = h.born
	if len(h.open[account]) >= most {
		h.endOldest(account)
	}
	for _, k := range keys {
		if h.open[k] == nil {
			h.open[k] = map[*stream]struct{}{}
		}
		h.open[k][s] = struct{}{}
	}
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, k := range keys {
			if delete(h.open[k], s); len(h.open[k]) == 0 {
				delete(h.open, k)
			}
		}
	}
}

// ending reports whether the program goes down.
func (h *hub) ending() bool {
	select {
	case <-h.down:
		return true
	default:
		return false
	}
}

// endOldest makes room among an account's streams. What ends counts no more,
// and is told no more than that.
func (h *hub) endOldest(account string) {
	var oldest *stream
	for s := range h.open[account] {
		if oldest == nil || s.born < oldest.born {
			oldest = s
		}
	}
	delete(h.open[account], oldest)
	close(oldest.crowded)
}

func (h *hub) hear(topic string) {
	kind, rest, _ := strings.Cut(topic, "/")
	h.mu.Lock()
	defer h.mu.Unlock()
	switch kind {
	case db.Everything:
		h.asks = true
		for _, some := range h.open {
			wakeAll(some)
		}
	case "account", "practice", "people", "letter":
		wakeAll(h.open[topic])
	case "here", "gone", "used", "choice":
		h.hearHere(kind, rest)
	case "who":
		h.hearAsked(rest)
	case "chat", "typing":
		practice, rest, _ := strings.Cut(rest, "/")
		reader, rest, _ := strings.Cut(rest, "/")
		conversation, who, _ := strings.Cut(rest, "/")
		key := practice + "/" + reader
		if reader == "" {
			key += "/" + conversation
		}
		if who == "" {
			wakeAll(h.open[key])
			return
		}
		for s := range h.open[key] {
			if s.in == conversation {
				s.mu.Lock()
				if s.typing == nil {
					s.typing = map[string]bool{}
				}
				s.typing[who] = true
				s.mu.Unlock()
				s.rouse()
			}
		}
	}
}

func wakeAll(some map[*stream]struct{}) {
	for s := range some {
		s.rouse()
	}
}

func (s *stream) rouse() {
	select {
	case s.wake <- struct{}{}:
	default: // it is awake already
	}
}

// writing returns who has been writing since it was last asked.
func (s *stream) writing() map[string]bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	who := s.typing
	s.typing = nil
	return who
}
