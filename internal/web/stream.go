package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/a-h/templ"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/audit"
	"icouch/internal/base/fault"
	"icouch/internal/base/secret"
	"icouch/internal/people"
)

// An open page hears of what is new by a stream of events. It is woken by
// topics that carry no words, and reads anew each time, as whoever looks at it,
// with what they may see at that moment. What it has shown it knows by the
// place of the newest message, so that a page that slept goes on where it was:
// nothing is lost, and nothing comes twice.
//
// The line of the trail that a conversation is being read is written when its
// stream opens, before the first message goes out; what comes while it stays
// open is part of that look.

const (
	breath   = 25 * time.Second // a sign of life, and a question whether the session still holds
	patience = 10 * time.Second // for a browser to take what is written to it
	moment   = time.Second      // between two questions whether time has ended something, at least
	most     = 40               // streams of one account at once: of more, the oldest ends
)

// events writes a stream.
type events struct {
	s     *Site
	out   outlet
	ctx   context.Context // ends when the browser goes
	token secret.Token    // of the session
	about about
	by    access.Actor
	ends  time.Time     // when time alone ends what the actor may, by the database's clock
	fades time.Time     // when time alone changes who is here; zero: it does not
	said  time.Time     // when the last sign of life was due
	look  audit.Look    // part of the look that is written already
	buf   *bytes.Buffer // what is to be sent; nil between two wakings
}

// about is what the log says of a stream.
type about struct{ route, reference string }

// follow keeps a stream going until it ends: the browser goes, the session
// does, or what was shown is no longer theirs. Where the connection can be
// taken from net/http, that is done by a goroutine of its own, and follow
// returns: what the request took is free again.
func (s *Site) follow(w http.ResponseWriter, r *http.Request, by access.Actor, st *stream, keys []string, next func(e *events) error) error {
	if r.Method == http.MethodHead { // whether there is one, and not what it says
		w.Header().Set("Content-Type", "text/event-stream")
		w.WriteHeader(http.StatusOK)
		return nil
	}
	leave := s.streams.join(st, append(keys, people.PracticeTopic(by.Practice())), account.Topic(by.Account()))
	e := s.events(w, r, by)
	switch {
	case e == nil:
		leave()
	case e.taken():
		go e.last(st, leave, next)
	default:
		e.run(st, leave, next)
	}
	return nil
}

// events begins a stream. The look is noted here; if it cannot be, there is none.
func (s *Site) events(w http.ResponseWriter, r *http.Request, by access.Actor) *events {
	v, rc := visitOf(r), http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Time{}) // the request has been read; what is read from here on is that the browser goes
	_ = rc.SetWriteDeadline(time.Now().Add(patience))
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	if r.ProtoMajor == 1 { // nothing follows a stream; and of a request whose body never comes, none is waited for
		w.Header().Set("Connection", "close")
	}
	w.WriteHeader(http.StatusOK)
	clear(w.Header()) // they have gone out
	if v.failure != nil {
		return nil
	}
	e := &events{s: s, out: lent{w, rc}, by: by, token: v.token, about: about{r.Pattern, v.reference}, ends: v.known.ends(), said: time.Now()}
	ctx := r.Context()
	if taken, gone, ok := takeWire(r, rc); ok {
		e.out, ctx = taken, gone
	}
	e.ctx = audit.Looking(ctx, &e.look)
	return e
}

func (e *events) taken() bool { _, is := e.out.(*wire); return is }

// last is run, where nobody else catches what panics.
func (e *events) last(st *stream, leave func(), next func(e *events) error) {
	defer func() {
		if p := recover(); p != nil {
			e.failed(panicked(p))
		}
	}()
	e.run(st, leave, next)
}

// run tells a browser what is new until the stream ends. What it does it does
// in functions that return: while it waits, ten thousand stacks hold what it holds.
func (e *events) run(st *stream, leave func(), next func(e *events) error) {
	defer e.s.depart(e.ctx, st)
	defer leave()
	defer e.out.close()
	if next(e) != nil || e.flush() != nil {
		return
	}
	timer := time.NewTimer(e.rest())
	defer timer.Stop()
	for e.sleep(st, timer.C) && e.tell(next) {
		timer.Reset(e.rest())
	}
}

func (e *events) failed(err error) {
	e.s.Log.ErrorContext(e.ctx, "stream", "route", e.about.route, "reference", e.about.reference, "err", err)
}

// sleep waits until there may be something to tell, and reports false if there
// is nobody to tell it to.
func (e *events) sleep(st *stream, timer <-chan time.Time) bool {
	select {
	case <-e.ctx.Done():
		return false
	case <-e.s.streams.down:
		return false
	case <-st.crowded:
		return e.end("crowded")
	case <-st.wake:
		return true
	case <-timer:
		return true
	}
}

// errGone says that a browser takes nothing any more.
var errGone = errors.New("web: the browser has gone")

// tell has the browser get what is new, if it still may.
func (e *events) tell(next func(e *events) error) bool {
	if time.Since(e.said) >= breath {
		e.said = time.Now()
		e.add().WriteString(":\n\n")
	}
	err := e.still()
	if err == nil {
		err = next(e)
	}
	switch {
	case errors.Is(err, fault.NotFound):
		return e.end("over")
	case errors.Is(err, errGone):
		return false
	case err != nil: // the page comes back, and goes on where it was
		if e.ctx.Err() == nil && !e.s.streams.ending() {
			e.failed(err)
		}
		return false
	}
	e.look.Forget()
	return e.flush() == nil
}

// end says why a stream ends.
func (e *events) end(why string) bool {
	_ = e.send(why, "", nil)
	_ = e.flush()
	return false
}

// rest is how long a stream sleeps if nothing wakes it: until a sign of life is
// due, or until time alone ends what it stands on.
func (e *events) rest() time.Duration {
	now := e.s.DB.Clock()
	rest := min(breath-time.Since(e.said), e.ends.Sub(now))
	if !e.fades.IsZero() {
		rest = min(rest, e.fades.Sub(now))
	}
	return max(rest, moment)
}

// still is fault.NotFound if the session does not hold any more, or whoever it is
// may not do what they might. A stream is no use of a session: it does not keep
// it open.
func (e *events) still() error {
	k, err := e.s.recall(e.ctx, e.token)
	if err != nil {
		return err
	}
	if k == nil {
		return fault.NotFound
	}
	same := k.actor.Role() == e.by.Role() && k.actor.Account() == e.by.Account() && k.actor.Practice() == e.by.Practice() && k.actor.Client() == e.by.Client()
	if e.by, e.ends = k.actor, k.ends(); !same {
		return fault.NotFound
	}
	return nil
}

// send adds an event. Place is the page's, to go on from; none: it stays.
func (e *events) send(name, place string, draw templ.Component) error {
	buf := e.add()
	if place != "" {
		buf.WriteString("id: " + place + "\n")
	}
	buf.WriteString("event: " + name + "\ndata: ")
	if draw != nil {
		b := buffers.Get().(*bytes.Buffer)
		defer buffers.Put(b)
		b.Reset()
		if err := draw.Render(e.ctx, b); err != nil {
			return err
		}
		// A carriage return ends a line of a stream, too: none of them may be somebody's.
		drawn := bytes.ReplaceAll(b.Bytes(), []byte("\r"), []byte("\n"))
		buf.Write(bytes.ReplaceAll(drawn, []byte("\n"), []byte("\ndata: ")))
	}
	buf.WriteString("\n\n")
	return nil
}

// sendFresh adds an event with what was drawn, and reports whether it did: not
// if it is what a page shows already.
func (e *events) sendFresh(name string, shown *[sha256.Size]byte, drawn []byte) (bool, error) {
	sum := sha256.Sum256(drawn)
	if sum == *shown {
		return false, nil
	}
	*shown = sum
	return true, e.send(name, "", templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		_, err := w.Write(drawn)
		return err
	}))
}

// add is where to write what is to be sent. Nobody holds room for it while
// nothing happens.
func (e *events) add() *bytes.Buffer {
	if e.buf == nil {
		e.buf = buffers.Get().(*bytes.Buffer)
		e.buf.Reset()
	}
	return e.buf
}

// flush has the browser get what was added.
func (e *events) flush() error {
	if e.buf == nil {
		return nil
	}
	err := e.out.put(e.buf)
	buffers.Put(e.buf)
	e.buf = nil
	return err
}
