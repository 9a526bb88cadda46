package web

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"icouch/internal/access"
	"icouch/internal/base/at"
	"icouch/internal/base/civil"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/chat"
	"icouch/internal/people"
	"icouch/internal/people/directory"
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
	words := "Nothing holds “" + p.words + "”."
	switch n := len(p.found); {
	case n == 1:
		words = "One message holds “" + p.words + "”."
	case n > 1:
		words = thousands(n) + " messages hold “" + p.words + "”."
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
		e.Title, e.Words = "Nothing here now", thousands(p.away)+" conversations are archived: they are below."
		if p.away == 1 {
			e.Words = "One conversation is archived: it is below."
		}
	}
	if p.archived {
		e = parts.Empty{Icon: "archive", Title: "Nothing is archived", Words: "A conversation that you archive stays here until something new comes."}
	}
	return e
}

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

// NewConversationPage is where somebody chooses whom to write to.
type NewConversationPage struct {
	Page
	reader   reader
	words    string
	partners []chat.Partner
	clients  []people.Listed
	total    int
}

// GET /messages/new
func (s *Site) newConversation(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return s.showPartners(w, r, by, "", nil)
}

// POST /messages/new
func (s *Site) findPartner(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	return s.showPartners(w, r, by, strings.TrimSpace(form.Get("q")), nil)
}

// mostPartners is how many clients are offered at once.
const mostPartners = 20

func (s *Site) showPartners(w http.ResponseWriter, r *http.Request, by access.Actor, words string, wrong error) error {
	p := NewConversationPage{words: words}
	told, status := problemsOf(wrong)
	if wrong == nil {
		status = http.StatusOK
	} else if told == nil {
		return wrong
	}
	err := s.DB.View(r.Context(), func(tx *db.Tx) (err error) { p.partners, err = chat.Partners(tx, by); return err })
	if err != nil {
		return err
	}
	if by.MaySeePeople() && by.MayInvite() {
		found, err := s.Directory.Look(r.Context(), by, directory.Query{Text: words, Group: people.HasAccount, Sort: directory.ByName, Most: 500})
		if err != nil {
			return err
		}
		for _, l := range found.Rows {
			if why := by.Why(l.ID, l.Practitioner); why != access.Care && why != access.CareTeam {
				continue
			}
			if p.total++; len(p.clients) < mostPartners {
				p.clients = append(p.clients, l)
			}
		}
	}
	if words != "" {
		kept := p.partners[:0]
		for _, o := range p.partners {
			if strings.Contains(strings.ToLower(o.Name), strings.ToLower(words)) {
				kept = append(kept, o)
			}
		}
		p.partners = kept
	}
	if p.reader, err = s.reader(r, by); err != nil {
		return err
	}
	if p.Page, err = s.frame(r, by, "New Conversation", "/messages"); err != nil {
		return err
	}
	p.tell(told)
	return s.show(w, r, status, p.View())
}

func (p NewConversationPage) search() parts.Search {
	return parts.Search{Action: "/messages/new", Name: "q", Value: p.words, Label: "Search by name", Target: "partners"}
}

func (p NewConversationPage) none() string {
	switch {
	case p.words != "":
		return "No one matches “" + p.words + "”. Only people with an account are listed."
	case p.reader.by.IsClient():
		return "There is nobody to write to at the moment. Please call your practice."
	}
	return "None of your clients has an account yet. Invite one first."
}

// POST /messages
func (s *Site) startConversation(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	to := chat.To{Team: form.Get("team") != ""}
	if v := form.Get("client"); v != "" {
		if to.Client, err = id.Parse[id.Client](v); err != nil {
			return s.showPartners(w, r, by, "", chat.ErrNobody)
		}
	}
	if v := form.Get("partner"); v != "" {
		err := s.DB.View(r.Context(), func(tx *db.Tx) (err error) { to, err = chat.Called(tx, by, v); return err })
		if err != nil {
			return s.showPartners(w, r, by, "", err)
		}
	}
	if v := form.Get("member"); v != "" && by.AtWork() { // a client has handles
		if to.Member, err = id.Parse[id.Practitioner](v); err != nil {
			return s.showPartners(w, r, by, "", chat.ErrNobody)
		}
	}
	err = s.start(w, r, by, to)
	if errors.Is(err, fault.NotFound) || errors.Is(err, fault.Forbidden) { // nobody whom they may write to; which, is not said
		err = chat.ErrNobody
	}
	if told, _ := problemsOf(err); told != nil {
		return s.showPartners(w, r, by, "", err)
	}
	return err
}

// POST /people/{client}/message
func (s *Site) messageClient(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	client, err := pathID[id.Client](r, "client")
	if err != nil {
		return err
	}
	return s.start(w, r, by, chat.To{Client: client})
}

func (s *Site) start(w http.ResponseWriter, r *http.Request, by access.Actor, to chat.To) error {
	var c id.Conversation
	err := s.DB.Update(r.Context(), func(tx *db.Tx) (err error) { c, err = chat.Start(tx, by, to); return err })
	if err != nil {
		return err
	}
	return see(w, r, conversationPath(c, ""))
}

// POST /people/{client}/messages
func (s *Site) closeMessages(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	client, err := pathID[id.Client](r, "client")
	if err != nil {
		return err
	}
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	err = s.DB.Update(r.Context(), func(tx *db.Tx) error { return chat.SetClosed(tx, by, client, form.Get("closed") != "") })
	if err != nil {
		return err
	}
	return see(w, r, "/people/"+client.String()+"?said=messages#messages")
}

// MessageSettingsPage is what somebody chooses about messages.
type MessageSettingsPage struct {
	Page
	Done      *parts.Notice
	reader    reader
	choice    chat.Choice
	aways     []chat.Away
	replyTime string
	typed     url.Values // an absence that could not be noted
	fresh     id.Away
}

var messageSaid = map[string]parts.Notice{
	"saved": {Tone: parts.Good, Words: "Saved."},
	"away":  {Tone: parts.Good, Words: "Noted. While it lasts, whoever writes to you is answered once in each conversation."},
	"back":  {Tone: parts.Good, Words: "Removed. Nothing is answered automatically."},
}

// GET /settings/messages
func (s *Site) messageSettings(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	p := MessageSettingsPage{}
	if n, ok := messageSaid[r.URL.Query().Get("said")]; ok {
		n.Alert = true
		p.Done = &n
	}
	return s.showMessageSettings(w, r, by, p, nil)
}

func (s *Site) showMessageSettings(w http.ResponseWriter, r *http.Request, by access.Actor, p MessageSettingsPage, wrong error) error {
	told, status := problemsOf(wrong)
	if wrong == nil {
		status = http.StatusOK
	} else if told == nil {
		return wrong
	}
	err := s.DB.View(r.Context(), func(tx *db.Tx) (err error) {
		if p.choice, err = chat.ChoiceOf(tx, by); err != nil {
			return err
		}
		if p.replyTime, err = chat.ReplyTime(tx, by); err != nil || !by.AtWork() {
			return err
		}
		p.aways, err = chat.Aways(tx, by)
		return err
	})
	if err != nil {
		return err
	}
	if p.reader, err = s.reader(r, by); err != nil {
		return err
	}
	if p.Page, err = s.frame(r, by, "Messages", "/settings"); err != nil {
		return err
	}
	p.fresh = id.New[id.Away](s.DB.Clock())
	p.tell(told)
	return s.show(w, r, status, p.View())
}

// hours are the hours of a day to choose from.
func hours(name, label string, minutes int) parts.Select {
	s := parts.Select{Name: name, Label: label, Value: strconv.Itoa(minutes / 60)}
	for h := range 24 {
		words := strconv.Itoa((h+11)%12+1) + " am"
		switch {
		case h == 0:
			words = "midnight"
		case h == 12:
			words = "noon"
		case h > 12:
			words = strconv.Itoa(h-12) + " pm"
		}
		s.Options = append(s.Options, parts.Option{Value: strconv.Itoa(h), Label: words})
	}
	return s
}

// POST /settings/messages
func (s *Site) setMessageSettings(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	hour := func(name string) int {
		n, err := strconv.Atoi(form.Get(name))
		if err != nil {
			return -1
		}
		return n * 60
	}
	c := chat.Choice{HidesSeen: form.Get("seen") == "", ShowsHere: form.Get("here") != "", Letters: chat.Letters(form.Get("letters")), QuietFrom: hour("quiet-from"), QuietUntil: hour("quiet-until")}
	err = s.DB.Update(r.Context(), func(tx *db.Tx) error { return chat.Choose(tx, by, c) })
	if err != nil {
		return s.showMessageSettings(w, r, by, MessageSettingsPage{}, err)
	}
	return see(w, r, "/settings/messages?said=saved")
}

// POST /settings/messages/away
func (s *Site) goAway(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	away, err := id.Parse[id.Away](form.Get("away"))
	if err != nil {
		return errBadForm
	}
	is, err := s.reader(r, by)
	if err != nil {
		return err
	}
	from, err1 := civil.ParseDate(form.Get("from"))
	until, err2 := civil.ParseDate(form.Get("until"))
	switch {
	case err1 != nil:
		err = fault.At("from", errWhichDay)
	case err2 != nil:
		err = fault.At("until", errWhichDay)
	default:
		a := chat.Away{ID: away, Begins: at.Of(from.Begins(is.Zone)), Ends: at.Of(until.AddDays(1).Begins(is.Zone)), Words: form.Get("words")}
		err = s.DB.Update(r.Context(), func(tx *db.Tx) error { return chat.GoAway(tx, by, a) })
	}
	if err != nil {
		return s.showMessageSettings(w, r, by, MessageSettingsPage{typed: form}, err)
	}
	return see(w, r, "/settings/messages?said=away")
}

var errWhichDay = fault.New(fault.Invalid, "Choose a day.")

// POST /settings/messages/back
func (s *Site) endAway(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	away, err := id.Parse[id.Away](form.Get("away"))
	if err != nil {
		return fault.NotFound
	}
	if err := s.DB.Update(r.Context(), func(tx *db.Tx) error { return chat.ComeBack(tx, by, away) }); err != nil {
		return err
	}
	return see(w, r, "/settings/messages?said=back")
}

// POST /settings/messages/reply-time
func (s *Site) setReplyTime(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	err = s.DB.Update(r.Context(), func(tx *db.Tx) error { return chat.SetReplyTime(tx, by, form.Get("reply-time")) })
	if err != nil {
		return s.showMessageSettings(w, r, by, MessageSettingsPage{}, err)
	}
	return see(w, r, "/settings/messages?said=saved")
}

// awayWords says when an absence is.
func (p MessageSettingsPage) awayWords(a chat.Away) string {
	return civil.Day(p.reader.Now.Time, a.Begins.Time, p.reader.Zone) + " to " + civil.Day(p.reader.Now.Time, a.Ends.Add(-1), p.reader.Zone)
}

func (p MessageSettingsPage) letters() parts.Choices {
	return parts.Choices{Name: "letters", Legend: "E-mail about new messages", Value: string(p.choice.Letters), Hint: "It says that there is one, and nothing else.", Options: []parts.Choice{
		{Value: string(chat.EachBurst), Label: "After ten minutes", Hint: "If you have not read it by then; one for all that came together."},
		{Value: string(chat.DailyOnes), Label: "Once a day", Hint: "At five in the afternoon, if something is unread."},
		{Value: string(chat.NoLetters), Label: "Never"},
	}}
}

// quietWords says what quiet hours are, and how to have none.
func (p MessageSettingsPage) quietWords() string {
	return "We send you no e-mail between these hours, in " + p.reader.Zone.ZoneCity() + ". For no quiet hours, choose the same hour twice."
}

// messagesCount says how many messages there are.
func messagesCount(n int64) string {
	if n == 1 {
		return "One message"
	}
	return thousands(int(n)) + " messages"
}

// pairsOf is whom a conversation is with, as a form says it.
func pairsOf(p chat.Partner) []parts.Pair {
	switch {
	case p.To.Team:
		return []parts.Pair{{Name: "team", Value: "yes"}}
	case p.Handle != "":
		return []parts.Pair{{Name: "partner", Value: p.Handle}}
	}
	return []parts.Pair{{Name: "member", Value: p.To.Member.String()}}
}
