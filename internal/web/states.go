package web

import (
	"bytes"
	"crypto/sha256"
	"io"
	"net/http"
	"slices"

	"github.com/a-h/templ"

	"icouch/internal/access"
	"icouch/internal/base/email"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/letter"
	"icouch/internal/people"
	"icouch/internal/platform/db"
)

// "Sending…" does not stay on a page after the letter has gone. The list of
// people and a client's own page say the same of a letter, so they hear the
// same: one stream for all the letters that a page waits for.

// mostWatched is how many clients a page asks about at most: what is in a list.
const mostWatched = pageOf

// stateTold is what a page has been told of some clients.
type stateTold struct {
	of    []id.Client // whom its reader saw when it began
	here  bool        // the page is that of one of them
	back  string      // the list that it is
	shown [sha256.Size]byte
}

// GET /people/stream. Of whom somebody may not see it says what it says of
// whom there is not: nothing.
func (s *Site) stateStream(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	t, keys, err := s.hearStates(r, by)
	if err != nil {
		return err
	}
	return s.follow(w, r, by, newStream(""), keys, t.tell)
}

// hearStates notes whom the page is told of. Whoever is not seen now is not told
// of later, either: no line would say that they were seen.
func (s *Site) hearStates(r *http.Request, by access.Actor) (t *stateTold, keys []string, err error) {
	asked := r.URL.Query()
	t = &stateTold{here: asked.Has("here"), back: asked.Get("back")}
	var all []id.Client
	for _, v := range asked["of"] {
		if c, err := id.Parse[id.Client](v); err == nil && len(all) < mostWatched && !slices.Contains(all, c) {
			all = append(all, c)
		}
	}
	err = s.DB.View(r.Context(), func(tx *db.Tx) error {
		some, err := mine(tx, by, all)
		if err != nil {
			return err
		}
		t.of = slices.DeleteFunc(all, func(c id.Client) bool { _, sees := some[c]; return !sees })
		return s.drawStates(tx, by, t, io.Discard)
	})
	for _, c := range t.of {
		keys = append(keys, letter.Topic(by.Practice(), c), people.Topic(by.Practice(), c))
	}
	return t, keys, err
}

func (t *stateTold) tell(e *events) error {
	b := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(b)
	err := e.s.DB.View(e.ctx, func(tx *db.Tx) error {
		b.Reset()
		return e.s.drawStates(tx, e.by, t, b)
	})
	if err != nil {
		return err
	}
	_, err = e.sendFresh("states", &t.shown, b.Bytes())
	return err
}

// readHere is what the client's own page knows of their button beside the list.
func (c *contact) readHere(tx *db.Tx, by access.Actor, l people.Listed) error {
	to, err := email.Parse(l.Email)
	if err != nil { // none is noted: nothing could be sent either
		return nil
	}
	no, err := letter.Declined(tx, by, to)
	if no {
		c.Enabled, c.rests = false, false
	}
	return err
}

// drawStates draws how the letters of those whom t is about fare, and the button
// beside: what can be done follows from how things stand. If one of them
// is not by's any more, the page is to be read anew: it is fault.NotFound.
func (s *Site) drawStates(tx *db.Tx, by access.Actor, t *stateTold, to io.Writer) error {
	some, err := mine(tx, by, t.of)
	if err != nil {
		return err
	}
	if len(some) < len(t.of) {
		return fault.NotFound
	}
	is, err := s.readerIn(tx, by)
	if err != nil {
		return err
	}
	for _, of := range t.of {
		l := some[of]
		c := contactOf(l.ID, l.Practitioner, l.Name.Full(), l.Facts, is.Setting, by)
		c.here, c.back, c.fresh = t.here, t.back, true
		if t.here {
			if err := c.readHere(tx, by, l); err != nil {
				return err
			}
		}
		for _, part := range []templ.Component{c.State(), c.Act()} {
			if err := part.Render(tx, to); err != nil {
				return err
			}
		}
		if !t.here {
			continue
		}
		if c.Action != people.InviteAction && c.Action != people.ResendAction { // there is no link any more to copy or withdraw
			if err := noWays(c.id).Render(tx, to); err != nil {
				return err
			}
		}
		history, err := people.History(tx, by, l.ID)
		if err != nil {
			return err
		}
		if err := sentSoFar(ClientPage{history: history, reader: is}.timeline()).Render(tx, to); err != nil {
			return err
		}
	}
	return nil
}
