package web

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"icouch/internal/access"
	"icouch/internal/base/at"
	"icouch/internal/base/civil"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/chat"
	"icouch/internal/platform/db"
	"icouch/internal/platform/limit"
	"icouch/internal/web/parts"
)

// ThreadPage is one conversation.
type ThreadPage struct {
	Page
	chat      chat.Conversation
	title     string
	reader    reader
	lines     []bubble
	older     int64 // the place before which there is more; 0: there is none
	newest    int64
	changes   int64
	read      int64 // how far the reader had come
	archived  bool
	seen      string // who has read how far, in words
	shows     bool   // the reader shows that they are here
	here      string // who else is, in words, as the page was made
	body      string // what is typed, or was begun
	fresh     id.Message
	replyTime string
	printed   bool
	after     int64       // of what goes on paper: the part that begins after this place
	next      int64       // after which the next part begins
	unsent    []chat.File // attached, and not sent
	editing   *bubble     // the message that is being changed
}

// bubble is a message as it is drawn.
type bubble struct {
	chat.Message
	Who    string
	Day    string // above it, where another day begins; empty: the same
	Clock  string
	Full   string // the whole time, with its zone
	Until  int64  // until when it can be changed, in seconds of Unix; 0: it cannot
	thread id.Conversation
	print  bool // on paper a file is a name
}

func (b bubble) lines() []string {
	if b.Body == "" {
		return nil
	}
	return strings.Split(b.Body, "\n")
}

func (b bubble) anchor() string { return "m-" + strconv.FormatInt(b.Seq, 10) }
func (b bubble) path(rest string) string {
	return conversationPath(b.thread, "/"+b.ID.String()+rest)
}

// teller draws messages for one reader.
type teller struct {
	names chat.Names
	by    access.Actor
	chat  chat.Conversation
	zone  civil.Zone
	day   civil.Date // of the last one drawn

	printed bool
}

func (t *teller) bubble(tx *db.Tx, m chat.Message) (b bubble, err error) {
	b = bubble{Message: m, Clock: civil.Clock(m.SentAt.Time, t.zone), Full: civil.Full(m.SentAt.Time, t.zone), thread: t.chat.ID, print: t.printed}
	if b.Who, err = t.names.Author(tx, t.by, t.chat, m); err != nil {
		return b, err
	}
	if day := civil.DateOf(m.SentAt.Time, t.zone); day != t.day {
		b.Day, t.day = civil.Day(tx.Now().Time, m.SentAt.Time, t.zone), day
	}
	if m.May(tx.Now()) && t.chat.Writes {
		b.Until = m.SentAt.Add(chat.Regret).Unix()
	}
	return b, nil
}

func (t *teller) bubbles(tx *db.Tx, all []chat.Message) (lines []bubble, err error) {
	for _, m := range all {
		b, err := t.bubble(tx, m)
		if err != nil {
			return nil, err
		}
		lines = append(lines, b)
	}
	return lines, nil
}

// seenWords says how far the others have read one's own newest message.
func (t *teller) seenWords(tx *db.Tx, newestOfMine int64) (string, error) {
	if newestOfMine == 0 {
		return "", nil
	}
	all, err := chat.SeenBy(tx, t.chat)
	if err != nil {
		return "", err
	}
	var who []string
	var last at.Time
	for _, s := range all {
		if s.Seq < newestOfMine {
			continue
		}
		name, err := t.names.Author(tx, t.by, t.chat, chat.Message{Author: s.Reader, SentAt: s.At})
		if err != nil {
			return "", err
		}
		who = append(who, name)
		if s.At.After(last.Time) {
			last = s.At
		}
	}
	switch {
	case len(who) == 0:
		return "", nil
	case t.chat.Kind == chat.WithTeam:
		return "Seen by " + join(who), nil
	}
	return "Seen " + civil.Moment(tx.Now().Time, last.Time, t.zone), nil
}

func newestMine(lines []bubble) (seq int64) {
	for _, b := range lines {
		if b.Mine {
			seq = b.Seq
		}
	}
	return seq
}

// GET /messages/{conversation}
func (s *Site) conversation(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return s.showThread(w, r, by, ThreadPage{}, nil)
}

func (s *Site) showThread(w http.ResponseWriter, r *http.Request, by access.Actor, p ThreadPage, wrong error) error {
	c, err := pathID[id.Conversation](r, "conversation")
	if err != nil {
		return err
	}
	told, status := problemsOf(wrong)
	if wrong == nil {
		status = http.StatusOK
	} else if told == nil {
		return wrong
	}
	before, _ := strconv.ParseInt(r.URL.Query().Get("before"), 10, 64)
	if p.reader, err = s.reader(r, by); err != nil {
		return err
	}
	var others []fellow
	err = s.DB.View(r.Context(), func(tx *db.Tx) (err error) {
		if err = p.fill(tx, by, c, before); err != nil || p.printed {
			return err
		}
		others, err = p.company(tx, by)
		return err
	})
	if err != nil {
		return err
	}
	p.here, _ = s.streams.company(personOf(by), p.chat.Kind, others)
	if p.Page, err = s.frame(r, by, "Messaging", "/messages"); err != nil {
		return err
	}
	hears(w.Header())
	if before == 0 && !p.printed {
		p.Modules = []string{"thread"}
	}
	if p.fresh == "" {
		p.fresh = id.New[id.Message](s.DB.Clock())
	}
	p.tell(told)
	return s.show(w, r, status, p.View())
}

func (p *ThreadPage) fill(tx *db.Tx, by access.Actor, c id.Conversation, before int64) (err error) {
	if p.chat, err = chat.Find(tx, by, c); err != nil {
		return err
	}
	t := teller{by: by, chat: p.chat, zone: p.reader.Zone, printed: p.printed}
	if t.names, err = chat.NamesFor(tx, by); err != nil {
		return err
	}
	if p.title, err = t.names.Title(tx, by, p.chat); err != nil {
		return err
	}
	var all []chat.Message
	if p.printed {
		all, p.next, err = partOf(tx, by, p.chat, p.after)
	} else {
		all, err = chat.Before(tx, by, p.chat, before)
	}
	if err != nil {
		return err
	}
	if p.lines, err = t.bubbles(tx, all); err != nil {
		return err
	}
	if len(all) > 0 && all[0].Seq > 1 {
		p.older = all[0].Seq
	}
	p.newest, p.changes = p.chat.Messages, p.chat.Changes
	if p.seen, err = t.seenWords(tx, newestMine(p.lines)); err != nil {
		return err
	}
	place, err := chat.PlaceOf(tx, p.chat)
	if err != nil {
		return err
	}
	p.read, p.archived = place.Read, place.Archived
	if p.unsent, err = chat.Unsent(tx, by, p.chat); err != nil {
		return err
	}
	if p.body == "" {
		p.body = place.Draft
	}
	p.replyTime, err = chat.ReplyTime(tx, by)
	return err
}

// company is who may be shown to the reader as here.
func (p *ThreadPage) company(tx *db.Tx, by access.Actor) (others []fellow, err error) {
	if p.shows, err = chat.ShowsHere(tx, by); err != nil || !p.shows {
		return nil, err
	}
	t := teller{by: by, chat: p.chat}
	if t.names, err = chat.NamesFor(tx, by); err != nil {
		return nil, err
	}
	return t.fellows(tx)
}

// A conversation goes on paper in parts: of so many messages at most, or as many
// as hold so many bytes of text.
const (
	mostPrinted = 5_000
	mostOnPaper = 4 << 20
	readAtOnce  = 500 // read at once
)

// partOf reads a part of a conversation after a place, and says where the next
// begins, if there is one.
func partOf(tx *db.Tx, by access.Actor, c chat.Conversation, after int64) (all []chat.Message, next int64, err error) {
	for size := 0; after < c.Messages; {
		some, err := chat.After(tx, by, c, after, readAtOnce)
		if err != nil || len(some) == 0 {
			return all, 0, err
		}
		for _, m := range some {
			if len(all) == mostPrinted || size > mostOnPaper {
				return all, after, nil
			}
			all, size, after = append(all, m), size+len(m.Body), m.Seq
		}
	}
	return all, 0, nil
}

// GET /messages/{conversation}/print
func (s *Site) printConversation(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	after, _ := strconv.ParseInt(r.URL.Query().Get("after"), 10, 64)
	return s.showThread(w, r, by, ThreadPage{printed: true, after: max(0, after)}, nil)
}

func (p ThreadPage) path(rest string) string { return conversationPath(p.chat.ID, rest) }

func (p ThreadPage) head() parts.PageHead {
	h := parts.PageHead{Title: p.title, Back: &parts.Link{Label: "Messaging", Href: "/messages"}}
	if p.printed {
		h.Back = &parts.Link{Label: "The conversation", Href: p.path("")}
		h.Lede = "All times are in " + p.reader.Zone.ZoneCity() + "."
		return h
	}
	h.Beside = p.presence()
	if p.chat.Client != "" && p.reader.by.AtWork() {
		h.Actions = append(h.Actions, parts.Button{Label: "Client", Hidden: p.title, Kind: parts.Ghost, Small: true, Icon: "user", Href: "/people/" + p.chat.Client.String()})
	}
	h.Actions = append(h.Actions, parts.Button{Label: "Print", Hidden: "this conversation", Kind: parts.Ghost, Small: true, Icon: "printer", Href: p.path("/print")})
	return h
}

// says is what stands above the composer when nothing can be written.
func (p ThreadPage) says() string {
	switch {
	case p.chat.Former:
		return chat.ErrFormer.Public
	case !p.chat.Writes:
		return "You can read this conversation and not write in it. To write to this client, begin a conversation of your own."
	case !p.chat.Reaches:
		return chat.ErrUnreached.Public
	}
	return ""
}

// soon is what the practice says about answers, to a client.
func (p ThreadPage) soon() string {
	if p.replyTime == "" || !p.reader.by.IsClient() {
		return ""
	}
	return "Answers usually come " + p.replyTime + "."
}

// crisis is the line of the reader's own country, where it is known.
func (p ThreadPage) crisis() (l line, known bool) {
	zone := p.reader.Zone.String()
	at := -1
	for i, prefixes := range []string{"America/ US/ Canada/ Pacific/Honolulu", "Europe/London Europe/Belfast", "Europe/Dublin", "Australia/", "Pacific/Auckland Pacific/Chatham", "Europe/"} {
		for _, prefix := range strings.Fields(prefixes) {
			if at < 0 && strings.HasPrefix(zone, prefix) {
				at = i
			}
		}
	}
	if at < 0 || strings.HasPrefix(zone, "America/") && !northAmerican(zone) {
		return l, false
	}
	return crisisLines[at].Lines[0], true
}

// northAmerican reports whether a zone of the Americas is of the United States
// or Canada: their cities are many, and these are not theirs.
func northAmerican(zone string) bool {
	for _, elsewhere := range []string{"Argentina", "Mexico", "Bogota", "Lima", "Caracas", "Santiago", "Sao_Paulo", "Bahia", "Manaus", "Fortaleza", "Recife", "Havana", "Jamaica", "Panama", "Costa_Rica",
		"Guatemala", "El_Salvador", "Managua", "Tegucigalpa", "La_Paz", "Asuncion", "Montevideo", "Guayaquil", "Cancun", "Monterrey", "Tijuana", "Hermosillo", "Chihuahua", "Mazatlan", "Merida", "Santo_Domingo", "Port-au-Prince", "Guyana", "Paramaribo", "Cayenne", "Nuuk"} {
		if strings.HasSuffix(zone, elsewhere) || strings.Contains(zone, "/"+elsewhere+"/") {
			return false
		}
	}
	return true
}

// background reports whether the page's own script asks, and wants no page.
func byScript(r *http.Request) bool { return r.Header.Get("X-Script") == "thread" }

// mostMessages is how many messages somebody can write in messagesPer: one a
// second, which nobody types.
const (
	mostMessages = 300
	messagesPer  = 5 * time.Minute
)

var errManyMessages = fault.New(fault.Busy, "You have written very many messages in a short time. Wait five minutes, then send this one: what you wrote is still here.")

// oneMore counts a message that is written, or changed, with what is written:
// one that does not go is not counted.
func (s *Site) oneMore(tx *db.Tx, by access.Actor) error {
	most := s.Messages
	if most == 0 {
		most = mostMessages
	}
	err := limit.Rule{Name: "message/account", Most: most, Per: messagesPer}.Take(tx, by.Account().String())
	if errors.Is(err, limit.ErrTooOften) {
		return errManyMessages
	}
	return err
}

// POST /messages/{conversation}
func (s *Site) sendMessage(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	c, err := pathID[id.Conversation](r, "conversation")
	if err != nil {
		return err
	}
	form, files, wrong, err := s.readComposer(w, r, by, c)
	if err != nil {
		return err
	}
	m, err := id.Parse[id.Message](form.Get("message"))
	if err != nil {
		return errBadForm
	}
	if err = wrong; err == nil {
		err = s.DB.Update(r.Context(), func(tx *db.Tx) error {
			if err := s.oneMore(tx, by); err != nil {
				return err
			}
			_, err := chat.Send(tx, by, c, m, form.Get("body"), files...)
			return err
		})
	}
	if byScript(r) && err == nil {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	if err != nil {
		if errors.Is(err, chat.ErrSentOther) || errors.Is(err, chat.ErrSentBefore) { // what goes next is another message
			m = ""
		}
		return s.showThread(w, r, by, ThreadPage{body: form.Get("body"), fresh: m}, err)
	}
	return see(w, r, conversationPath(c, "#end"))
}

// GET /messages/{conversation}/{message}
func (s *Site) changeMessage(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return s.showChange(w, r, by, "", nil)
}

func (s *Site) showChange(w http.ResponseWriter, r *http.Request, by access.Actor, typed string, wrong error) error {
	c, m, err := messageIn(r)
	if err != nil {
		return err
	}
	p := ThreadPage{}
	told, status := problemsOf(wrong)
	if wrong == nil {
		status = http.StatusOK
	} else if told == nil {
		return wrong
	}
	if p.reader, err = s.reader(r, by); err != nil {
		return err
	}
	err = s.DB.View(r.Context(), func(tx *db.Tx) error {
		if err := p.fill(tx, by, c, 0); err != nil {
			return err
		}
		for i := range p.lines { // one's own of the last minutes is on the newest page
			if b := &p.lines[i]; b.ID == m && b.Mine && b.TakenAt == nil {
				p.editing = b
			}
		}
		if p.editing == nil {
			return fault.NotFound
		}
		return nil
	})
	if err != nil {
		return err
	}
	if p.Page, err = s.frame(r, by, "Messaging", "/messages"); err != nil {
		return err
	}
	p.body = p.editing.Body
	if typed != "" {
		p.body = typed
	}
	p.tell(told)
	return s.show(w, r, status, p.Change())
}

func messageIn(r *http.Request) (c id.Conversation, m id.Message, err error) {
	if c, err = pathID[id.Conversation](r, "conversation"); err != nil {
		return c, m, err
	}
	m, err = pathID[id.Message](r, "message")
	return c, m, err
}

// POST /messages/{conversation}/{message}
func (s *Site) editMessage(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	c, m, err := messageIn(r)
	if err != nil {
		return err
	}
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	err = s.DB.Update(r.Context(), func(tx *db.Tx) error {
		if err := s.oneMore(tx, by); err != nil {
			return err
		}
		return chat.Edit(tx, by, c, m, form.Get("body"))
	})
	if err != nil {
		return s.showChange(w, r, by, form.Get("body"), err)
	}
	return see(w, r, conversationPath(c, "#end"))
}

// POST /messages/{conversation}/{message}/removal
func (s *Site) takeBackMessage(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	c, m, err := messageIn(r)
	if err != nil {
		return err
	}
	err = s.DB.Update(r.Context(), func(tx *db.Tx) error { return chat.TakeBack(tx, by, c, m) })
	if told, _ := problemsOf(err); told != nil {
		return s.showThread(w, r, by, ThreadPage{}, err)
	}
	if err != nil {
		return err
	}
	return see(w, r, conversationPath(c, "#end"))
}

// POST /messages/{conversation}/read
func (s *Site) readMessages(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return s.quietly(w, r, func(c id.Conversation, get func(string) string) error {
		seq, err := strconv.ParseInt(get("seq"), 10, 64)
		if err != nil || seq < 0 {
			return errBadForm
		}
		return chat.Read(r.Context(), s.DB, by, c, seq)
	})
}

// POST /messages/{conversation}/draft
func (s *Site) keepDraft(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return s.quietly(w, r, func(c id.Conversation, get func(string) string) error {
		return chat.KeepDraft(r.Context(), s.DB, by, c, get("body"))
	})
}

// POST /messages/{conversation}/typing
func (s *Site) typing(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return s.quietly(w, r, func(c id.Conversation, _ func(string) string) error {
		var topics []string
		err := s.DB.View(r.Context(), func(tx *db.Tx) (err error) { topics, err = chat.Typing(tx, by, c); return err })
		if err != nil {
			return err
		}
		for _, t := range topics {
			if err := s.DB.Signal(r.Context(), t); err != nil {
				return err
			}
		}
		return nil
	})
}

// POST /messages/{conversation}/archive
func (s *Site) archiveConversation(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	c, err := pathID[id.Conversation](r, "conversation")
	if err != nil {
		return err
	}
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	err = s.DB.Update(r.Context(), func(tx *db.Tx) error { return chat.Archive(tx, by, c, form.Get("back") == "") })
	if err != nil {
		return err
	}
	return see(w, r, "/messages")
}

// quietly does something that a page's script asks for and that has no page of
// its own. Without script, the thread is shown again.
func (s *Site) quietly(w http.ResponseWriter, r *http.Request, do func(c id.Conversation, get func(string) string) error) error {
	c, err := pathID[id.Conversation](r, "conversation")
	if err != nil {
		return err
	}
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	if err := do(c, form.Get); err != nil {
		return err
	}
	if byScript(r) {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return see(w, r, conversationPath(c, "#end"))
}

// until is a moment as a script reads it.
func until(seconds int64) string { return time.Unix(seconds, 0).UTC().Format(time.RFC3339) }

// nothing is what stands where no message does.
func (p ThreadPage) nothing() string {
	if p.reader.by.IsClient() {
		return "Write when you like."
	}
	return "Write the first message. It is encrypted and kept in the record."
}

func (p ThreadPage) archiveButton() parts.ButtonForm {
	b := parts.ButtonForm{Action: p.path("/archive"), Button: parts.Button{Label: "Archive", Hidden: "this conversation", Kind: parts.Ghost, Small: true, Icon: "archive"}}
	if p.archived {
		b.Hidden, b.Button.Label, b.Button.Icon = []parts.Pair{{Name: "back", Value: "yes"}}, "Bring back", "undo-2"
	}
	return b
}
