package web

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"

	"github.com/a-h/templ"

	"icouch/internal/access"
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
	of    []id.Client
	here  bool // the page is that of one of them
	found int  // of whom there was something to tell at first; -1: not asked yet
	shown []byte
}

// GET /people/stream. Of whom somebody may not see it says what it says of
// whom there is not: nothing.
func (s *Site) stateStream(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	asked := r.URL.Query()
	t := stateTold{here: asked.Has("here"), found: -1}
	var keys []string
	for _, v := range asked["of"] {
		c, err := id.Parse[id.Client](v)
		if err != nil || len(t.of) == mostWatched || slices.Contains(t.of, c) {
			continue
		}
		t.of = append(t.of, c)
		keys = append(keys, letter.Topic(by.Practice(), c), people.Topic(by.Practice(), c))
	}
	return s.follow(w, r, by, newStream(""), keys, func(e *events) error { return t.tell(e) })
}

func (t *stateTold) tell(e *events) error {
	var drawn bytes.Buffer
	err := e.s.DB.View(e.ctx, func(tx *db.Tx) error {
		drawn.Reset()
		return t.draw(tx, e, &drawn)
	})
	if err != nil || t.shown != nil && bytes.Equal(drawn.Bytes(), t.shown) {
		return err
	}
	t.shown = append(make([]byte, 0, drawn.Len()), drawn.Bytes()...)
	return e.send("states", 0, merelyDrawn(t.shown))
}

func (t *stateTold) draw(tx *db.Tx, e *events, to io.Writer) error {
	some, err := mine(tx, e.by, t.of)
	if err != nil {
		return err
	}
	if len(some) < t.found { // somebody of them is theirs no more: the page is to be read anew
		return fault.NotFound
	}
	t.found = len(some)
	is, err := e.s.readerIn(tx, e.by)
	if err != nil {
		return err
	}
	for _, of := range t.of {
		l, ok := some[of]
		if !ok {
			continue
		}
		c := contactOf(l.ID, l.Practitioner, l.Name.Full(), l.Facts, is.Setting, e.by)
		c.here = t.here
		if err := c.State().Render(e.ctx, to); err != nil {
			return err
		}
		if !t.here {
			continue
		}
		history, err := people.History(tx, e.by, l.ID)
		if err != nil {
			return err
		}
		if err := sentSoFar(ClientPage{history: history, reader: is}.timeline()).Render(e.ctx, to); err != nil {
			return err
		}
	}
	return nil
}

// merelyDrawn is what was drawn already.
func merelyDrawn(b []byte) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
}
