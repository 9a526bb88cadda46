package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/audit"
	"icouch/internal/base/civil"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/chat"
	"icouch/internal/people"
	"icouch/internal/platform/db"
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

// unhurried has a browser that sends or fetches a file take as long as it goes
// on: what is bounded is each pause.
func unhurried(w http.ResponseWriter, r *http.Request) http.ResponseWriter {
	rc := http.NewResponseController(w)
	r.Body = unhurriedBody{r.Body, rc}
	return unhurriedWriter{w, rc}
}

const pause = 30 * time.Second

type unhurriedBody struct {
	io.ReadCloser
	rc *http.ResponseController
}

func (b unhurriedBody) Read(p []byte) (int, error) {
	now := time.Now()
	_ = b.rc.SetReadDeadline(now.Add(pause)) // a test has no connection
	_ = b.rc.SetWriteDeadline(now.Add(2 * pause))
	return b.ReadCloser.Read(p)
}

type unhurriedWriter struct {
	http.ResponseWriter
	rc *http.ResponseController
}

func (w unhurriedWriter) Write(p []byte) (int, error) {
	_ = w.rc.SetWriteDeadline(time.Now().Add(pause))
	return w.ResponseWriter.Write(p)
}

// newestOf is what a page has, as it says it when it comes back.
func newestOf(place, change int64) string {
	return strconv.FormatInt(place, 10) + "-" + strconv.FormatInt(change, 10)
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

// threadTold is what a page has been told of a conversation.
type threadTold struct {
	c      id.Conversation
	stream *stream
	place  int64
	change int64
	unread int64
	seen   string
	zone   reader
	mine   int64 // the newest of the reader's own
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
		seen, err := tell.seenWords(tx, t.mine)
		if err != nil {
			return err
		}
		if seen != t.seen {
			t.seen = seen
			if err := e.send("seen", "", merely(seen)); err != nil {
				return err
			}
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
	if m := newestMine(lines); m > t.mine {
		t.mine = m
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

// GET /messages/stream
func (s *Site) listStream(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	l, err := s.hearList(r, by)
	if err != nil {
		return err
	}
	return s.follow(w, r, by, l.stream, []string{personOf(by)}, l.tell)
}

// listTold is what a page has been told of the list: not its words, which
// nobody needs to hold for it.
type listTold struct {
	stream *stream
	zone   reader
	shown  [sha256.Size]byte
	whose  [sha256.Size]byte // the clients who were noted as seen
}

// whose is a mark of whose conversations a list shows.
func (p *MessagesPage) whose() [sha256.Size]byte {
	var clients []string
	for _, c := range p.lines {
		clients = append(clients, c.Client.String())
	}
	slices.Sort(clients)
	return sha256.Sum256([]byte(strings.Join(clients, " ")))
}

// hearList notes whose messages the list shows.
func (s *Site) hearList(r *http.Request, by access.Actor) (*listTold, error) {
	is, err := s.reader(r, by)
	if err != nil {
		return nil, err
	}
	p := MessagesPage{reader: is}
	err = s.DB.View(r.Context(), func(tx *db.Tx) error { return p.read(tx, by) })
	return &listTold{stream: newStream(""), zone: is, whose: p.whose()}, err
}

func (l *listTold) tell(e *events) error {
	p := MessagesPage{reader: l.zone}
	var n int64
	anew := l.stream.choseAnew()
	err := e.s.DB.View(e.ctx, func(tx *db.Tx) (err error) {
		if err := p.read(tx, e.by); err != nil {
			return err
		}
		if err := l.stream.showing(tx, e.by, anew); err != nil {
			return err
		}
		p.reader.Now = tx.Now()
		n, err = chat.Unread(tx, e.by)
		return err
	})
	if err != nil {
		return err
	}
	if whose := p.whose(); whose != l.whose { // a client whose conversation began later is seen from now on
		l.whose = whose
		if err := e.s.scribe.Write(&e.look, e.about.reference); err != nil {
			return err
		}
	}
	b := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(b)
	b.Reset()
	if err := p.list().Render(e.ctx, b); err != nil {
		return err
	}
	fresh, err := e.sendFresh("list", &l.shown, b.Bytes())
	if err == nil && fresh {
		err = e.send("unread", "", merely(strconv.FormatInt(n, 10)))
	}
	if err != nil {
		return err
	}
	return e.meet(l.stream, "", nil)
}
