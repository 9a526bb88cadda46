package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"icouch/internal/access"
	"icouch/internal/base/id"
	"icouch/internal/chat"
	"icouch/internal/platform/db"
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
	noted     int64 // and how many changes they had seen
	archived  bool
	shows     bool   // the reader shows that they are here
	here      string // who else is, in words, as the page was made
	body      string // what is typed, or was begun
	kept      string // what was begun, as it is kept
	late      string // what a message was to be changed to, too late
	fresh     id.Message
	replyTime string
	printed   bool
	after     int64       // of what goes on paper: the part that begins after this place
	next      int64       // after which the next part begins
	unsent    []chat.File // attached, and not sent
	editing   *bubble     // the message that is being changed
}

// mostKept is the most bytes of a draft that go with the form of a message: with the
// longest message they fit in what a form may hold.
const mostKept = 18_000

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
	if !p.printed {
		s, err := t.sight(tx)
		if err != nil {
			return err
		}
		s.stands(p.lines)
	}
	place, err := chat.PlaceOf(tx, p.chat)
	if err != nil {
		return err
	}
	p.read, p.noted, p.archived = place.Read, place.Changes, place.Archived
	if len(place.Draft) < mostKept {
		p.kept = place.Draft
	}
	if p.unsent, err = chat.Unsent(tx, by, p.chat); err != nil {
		return err
	}
	if p.body == "" {
		p.body = place.Draft
	}
	if p.late != "" { // nothing that was begun is lost for it
		p.body = strings.TrimSpace(p.late + "\n\n" + p.body)
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
		return p.unreached()
	}
	return ""
}

// toRead reports whether there is something that the reader has not seen.
func (p ThreadPage) toRead() bool {
	anew := slices.ContainsFunc(p.lines, func(b bubble) bool { return !b.Mine && b.EditedAt != nil && b.Change > p.noted })
	return p.chat.Writes && (p.read < p.newest || anew)
}

// toWhom is what stands in the composer while it is empty: with whom somebody
// writes is in sight there, however long the conversation is.
func (p ThreadPage) toWhom() string {
	if p.chat.Kind == chat.WithTeam && p.reader.by.IsClient() {
		return "Write to your care team"
	}
	return "Write to " + p.title
}

// soon is what the practice says about answers, to a client.
func (p ThreadPage) soon() string {
	if p.replyTime == "" || !p.reader.by.IsClient() {
		return ""
	}
	return "Answers usually come " + p.replyTime + "."
}

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
		b.Hidden, b.Button.Label, b.Button.Icon = []parts.Pair{{Name: "back", Value: "yes"}}, "Unarchive", "undo-2"
	}
	return b
}
