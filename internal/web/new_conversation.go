package web

import (
	"errors"
	"net/http"
	"strings"

	"icouch/internal/access"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/chat"
	"icouch/internal/people"
	"icouch/internal/people/directory"
	"icouch/internal/platform/db"
	"icouch/internal/web/parts"
)

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
