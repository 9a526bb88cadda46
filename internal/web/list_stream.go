package web

import (
	"bytes"
	"crypto/sha256"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"icouch/internal/access"
	"icouch/internal/chat"
	"icouch/internal/platform/db"
)

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

// whose is a mark of whose conversations a list shows.
func (p *MessagesPage) whose() [sha256.Size]byte {
	var clients []string
	for _, c := range p.lines {
		clients = append(clients, c.Client.String())
	}
	slices.Sort(clients)
	return sha256.Sum256([]byte(strings.Join(clients, " ")))
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
