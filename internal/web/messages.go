package web

import (
	"net/http"
	"strconv"
	"strings"

	"icouch/internal/access"
	"icouch/internal/base/id"
	"icouch/internal/chat"
	"icouch/internal/platform/db"
	"icouch/internal/web/parts"
)

// MessagesPage is the list of conversations.
type MessagesPage struct {
	Page
	reader   reader
	lines    []chat.Summary
	archived bool // those that were put away
	away     int  // how many were
	words    string
	found    []chat.Hit
	all      bool // everything was looked through
	searched bool
}

// GET /messages
func (s *Site) messages(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	p := MessagesPage{archived: r.URL.Query().Get("show") == "archived"}
	if err := s.readMessagesPage(r, by, &p); err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, p.View())
}

func (s *Site) readMessagesPage(r *http.Request, by access.Actor, p *MessagesPage) (err error) {
	if p.reader, err = s.reader(r, by); err != nil {
		return err
	}
	err = s.DB.View(r.Context(), func(tx *db.Tx) error { return p.read(tx, by) })
	if err != nil {
		return err
	}
	p.Page, err = s.frame(r, by, "Messaging", "/messages")
	p.Modules = []string{"messages"}
	return err
}

func (p *MessagesPage) read(tx *db.Tx, by access.Actor) error {
	all, err := chat.Conversations(tx, by)
	p.lines, p.away = nil, 0
	for _, c := range all {
		if c.Archived {
			p.away++
		}
		if c.Archived == p.archived {
			p.lines = append(p.lines, c)
		}
	}
	return err
}

// POST /messages/search
//
// What somebody looks for in messages stands in no address: it would be in the
// history of a device that others use, and in the logs of whatever lies between.
// So a search cannot be linked, and GET /messages?q=… is the list.
func (s *Site) searchMessages(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	p := MessagesPage{words: strings.TrimSpace(form.Get("q"))}
	if p.words == "" {
		return see(w, r, "/messages")
	}
	if p.reader, err = s.reader(r, by); err != nil {
		return err
	}
	err = s.DB.View(r.Context(), func(tx *db.Tx) (err error) {
		p.found, p.all, err = chat.Search(tx, by, p.words)
		return err
	})
	if err != nil {
		return err
	}
	p.searched = true
	if p.Page, err = s.frame(r, by, "Messaging", "/messages"); err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, p.View())
}

// GET /messages/search is where somebody is who reloads a search.
func (s *Site) leaveMessageSearch(w http.ResponseWriter, r *http.Request, _ access.Actor) error {
	return see(w, r, "/messages")
}

func (p MessagesPage) head() parts.PageHead {
	h := parts.PageHead{Title: "Messaging", Actions: []parts.Button{{Label: "New Conversation", Kind: parts.Primary, Icon: "plus", Href: "/messages/new"}}}
	switch {
	case p.searched:
		h.Title, h.Back, h.Actions = "Search in messages", &parts.Link{Label: "Messaging", Href: "/messages"}, nil
		h.Lede = p.foundWords()
	case p.archived:
		h.Title, h.Back, h.Actions = "Archived conversations", &parts.Link{Label: "Messaging", Href: "/messages"}, nil
		h.Lede = "Put away until something new comes."
	}
	return h
}

func (p MessagesPage) foundWords() string {
	words := "No message contains “" + p.words + "”."
	switch n := len(p.found); {
	case n == 1:
		words = "One message contains “" + p.words + "”."
	case n > 1:
		words = thousands(n) + " messages contain “" + p.words + "”."
	}
	if !p.all {
		words += " Only the newest messages were looked through."
	}
	return words
}

func (p MessagesPage) empty() parts.Empty {
	e := parts.Empty{Icon: "message-circle", Title: "No conversations yet", Words: "Only people with an account can be written to.", Action: &parts.Button{Label: "New Conversation", Kind: parts.Primary, Icon: "plus", Href: "/messages/new"}}
	if p.reader.by.IsClient() {
		e.Title, e.Words = "No messages yet", "Only those who look after you can read what you write here."
	}
	if p.away > 0 {
		e = parts.Empty{Icon: "archive", Title: "Everything is archived", Words: "A conversation comes back when something new is written in it.", Action: &parts.Button{Label: p.awayWords(), Kind: parts.Soft, Href: "/messages?show=archived"}}
	}
	if p.archived {
		e = parts.Empty{Icon: "archive", Title: "Nothing is archived", Words: "A conversation that you archive stays here until something new comes."}
	}
	return e
}

// awayWords lead to what was put away.
func (p MessagesPage) awayWords() string { return "Archived (" + thousands(p.away) + ")" }

// preview is the last message in a line, without its line ends.
func preview(m *chat.Message) string {
	switch {
	case m == nil:
		return ""
	case m.TakenAt != nil:
		return "A message was taken back."
	}
	body := strings.Join(strings.Fields(m.Body), " ")
	if body == "" {
		body = chat.FileWords(m.Files)
	}
	if len([]rune(body)) > 70 {
		body = string([]rune(body)[:69]) + "…"
	}
	if m.Mine {
		return "You: " + body
	}
	return body
}

func conversationPath(c id.Conversation, rest string) string { return "/messages/" + c.String() + rest }

// GET /messages/unread says how many are unread, to a page that is looked at again.
func (s *Site) unread(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	var n int64
	err := s.DB.View(r.Context(), func(tx *db.Tx) (err error) { n, err = chat.Unread(tx, by); return err })
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(http.StatusOK)
	_, err = w.Write([]byte(strconv.FormatInt(n, 10)))
	return err
}

// messagesCount says how many messages there are.
func messagesCount(n int64) string {
	if n == 1 {
		return "One message"
	}
	return thousands(int(n)) + " messages"
}
