package web

import (
	"net/http"
	"strconv"
	"strings"

	"icouch/internal/access"
	"icouch/internal/base/civil"
	"icouch/internal/base/id"
	"icouch/internal/chat"
	"icouch/internal/people"
	"icouch/internal/platform/db"
)

// GET /messages/{conversation}/stream
func (s *Site) threadStream(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	t, keys, err := s.hearThread(r, by) // its frame is gone while the stream waits
	if err != nil {
		return err
	}
	return s.follow(w, r, by, t.stream, keys, t.tell)
}

// hearThread notes that a conversation is being read, and says what wakes its page.
func (s *Site) hearThread(r *http.Request, by access.Actor) (*threadTold, []string, error) {
	c, err := pathID[id.Conversation](r, "conversation")
	if err != nil {
		return nil, nil, err
	}
	t := &threadTold{c: c, stream: newStream(c.String()), unread: -1}
	t.place, t.change = lastHeard(r)
	var is chat.Conversation
	err = s.DB.View(r.Context(), func(tx *db.Tx) (err error) {
		if is, err = chat.Find(tx, by, c); err != nil {
			return err
		}
		is.Look(tx, by)
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	if t.zone, err = s.reader(r, by); err != nil {
		return nil, nil, err
	}
	keys := []string{by.Practice().String() + "/" + chat.Reader(by)}
	if !is.Writes {
		keys = []string{by.Practice().String() + "//" + c.String()}
	}
	if is.Client != "" { // somebody else looks after them, or nobody does
		keys = append(keys, people.Topic(by.Practice(), is.Client))
	}
	return t, keys, nil
}

// lastHeard is the newest message that a page has, and the newest change: the
// browser says so when it comes back, and the page when it first asks.
func lastHeard(r *http.Request) (place, change int64) {
	for _, v := range []string{r.Header.Get("Last-Event-ID"), r.URL.Query().Get("after")} {
		seq, number, _ := strings.Cut(v, "-")
		place, err := strconv.ParseInt(seq, 10, 64)
		if err != nil || place < 0 {
			continue
		}
		change, _ = strconv.ParseInt(number, 10, 64) // of who does not know, all are told again
		return place, max(0, change)
	}
	return 0, 0
}

// newestOf is what a page has, as it says it when it comes back.
func newestOf(place, change int64) string {
	return strconv.FormatInt(place, 10) + "-" + strconv.FormatInt(change, 10)
}

// threadTold is what a page has been told of a conversation.
type threadTold struct {
	c      id.Conversation
	stream *stream
	place  int64
	change int64
	unread int64
	seen   *sight // nil: nothing yet
	zone   reader
	drawn  int64 // the newest that was drawn
	day    civil.Date
}

// catching is how many messages are sent at once to a page that slept.
const catching = chat.Page

// tell has the words go out first, and then what stands around them.
func (t *threadTold) tell(e *events) error {
	tell := teller{by: e.by, zone: t.zone.Zone}
	if err := t.tellWords(e, &tell); err != nil {
		return err
	}
	if e.flush() != nil {
		return errGone
	}
	return t.tellAround(e, &tell)
}

func (t *threadTold) tellWords(e *events, tell *teller) error {
	writing := t.stream.writing()
	return e.s.DB.View(e.ctx, func(tx *db.Tx) error {
		is, err := chat.Find(tx, e.by, t.c)
		if err != nil {
			return err
		}
		tell.chat = is
		if tell.names, err = chat.NamesFor(tx, e.by); err != nil {
			return err
		}
		if is.Changes != t.change {
			changed, err := chat.Changed(tx, e.by, is, max(0, t.place-chat.Page), t.place, t.change)
			if err != nil {
				return err
			}
			t.change = is.Changes
			if len(changed) > 0 {
				if err := t.draw(tx, e, tell, changed); err != nil {
					return err
				}
			}
		}
		if t.place < is.Messages {
			fresh, err := chat.After(tx, e.by, is, t.place, catching)
			if err != nil {
				return err
			}
			if len(fresh) > 0 {
				t.place = fresh[len(fresh)-1].Seq
				if err := t.draw(tx, e, tell, fresh); err != nil {
					return err
				}
			}
			if len(fresh) == catching { // the rest once these have gone out: nobody holds a whole conversation
				t.stream.rouse()
			}
		}
		if err := t.tellSight(tx, e, tell); err != nil {
			return err
		}
		for who := range writing {
			name, err := tell.names.Author(tx, e.by, is, chat.Message{Author: who, SentAt: tx.Now()})
			if err != nil {
				return err
			}
			if err := e.send("typing", "", merely(name)); err != nil {
				return err
			}
		}
		return nil
	})
}

func (t *threadTold) tellSight(tx *db.Tx, e *events, tell *teller) error {
	s, err := tell.sight(tx)
	if err != nil || t.seen != nil && s == *t.seen {
		return err
	}
	t.seen = &s
	return e.send("seen", "", s.mark())
}

// tellAround tells how many are unread, and who is here.
func (t *threadTold) tellAround(e *events, tell *teller) error {
	anew := t.stream.choseAnew()
	var others []fellow
	err := e.s.DB.View(e.ctx, func(tx *db.Tx) error {
		if err := t.count(tx, e); err != nil {
			return err
		}
		if err := t.stream.showing(tx, e.by, anew); err != nil || !t.stream.shows {
			return err
		}
		if !tell.chat.Writes { // who only reads is not in it
			t.stream.shows = false
			return nil
		}
		var err error
		others, err = tell.fellows(tx)
		return err
	})
	if err != nil {
		return err
	}
	return e.meet(t.stream, tell.chat.Kind, others)
}

func (t *threadTold) draw(tx *db.Tx, e *events, tell *teller, some []chat.Message) error {
	if before := some[0].Seq - 1; before > 0 && before == t.drawn { // no heading for a day that has one
		tell.day = t.day
	} else if before > 0 {
		before, err := chat.After(tx, e.by, tell.chat, before-1, 1)
		if err != nil {
			return err
		}
		if len(before) > 0 {
			if _, err := tell.bubble(tx, before[0]); err != nil {
				return err
			}
		}
	}
	lines, err := tell.bubbles(tx, some)
	if err != nil {
		return err
	}
	if newest := some[len(some)-1].Seq; newest > t.drawn {
		t.drawn, t.day = newest, tell.day
	}
	return e.send("messages", newestOf(t.place, t.change), bubblesOf(lines))
}

func (t *threadTold) count(tx *db.Tx, e *events) error {
	n, err := chat.Unread(tx, e.by)
	if err != nil || n == t.unread {
		return err
	}
	t.unread = n
	return e.send("unread", "", merely(strconv.FormatInt(n, 10)))
}
