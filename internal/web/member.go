package web

import (
	"net/http"
	"slices"

	"icouch/internal/access"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/people"
	"icouch/internal/people/directory"
	"icouch/internal/platform/db"
	"icouch/internal/team"
	"icouch/internal/web/parts"
)

// MemberPage is one member: their role, whom they supervise, their clients, and
// whether they are active.
type MemberPage struct {
	Page
	Done       *parts.Notice
	is         team.Member
	all        []team.Member
	supervises []id.Practitioner
	caseload   int
	lastOwner  bool
	mine       bool // the reader's own
	owner      bool // the reader may make owners
	role       string
	recovery   MemberRecovery
}

// GET /settings/team/{member}
func (s *Site) member(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	p, err := s.memberPage(r, by)
	if err != nil {
		return err
	}
	p.Done = teamSaidAs(r.URL.Query().Get("said"))
	return s.show(w, r, http.StatusOK, p.View())
}

func (s *Site) memberPage(r *http.Request, by access.Actor) (p MemberPage, err error) {
	who, err := pathID[id.Practitioner](r, "member")
	if err != nil {
		return p, err
	}
	err = s.DB.View(r.Context(), func(tx *db.Tx) error { return p.read(tx, by, who) })
	if err != nil {
		return p, err
	}
	p.Page, err = s.frame(r, by, "People & roles", "/settings")
	return p, err
}

func (p *MemberPage) read(tx *db.Tx, by access.Actor, who id.Practitioner) (err error) {
	if p.all, err = team.Members(tx, by); err != nil {
		return err
	}
	i := slices.IndexFunc(p.all, func(m team.Member) bool { return m.ID == who })
	if i < 0 {
		return fault.NotFound
	}
	p.is, p.role = p.all[i], string(p.all[i].Role)
	p.mine, p.owner = who == by.Practitioner(), by.May(access.MakeOwners)
	if p.lastOwner, err = team.IsLastOwner(tx, by, who); err != nil {
		return err
	}
	clients, err := team.Caseload(tx, by, who)
	if err != nil {
		return err
	}
	p.caseload = len(clients)
	supervised, err := team.Supervised(tx, by)
	if err != nil {
		return err
	}
	p.supervises = supervised[who]
	return p.readRecovery(tx, by)
}

func (p MemberPage) path(rest string) string { return memberPath(p.is.ID) + rest }

func (p MemberPage) head() parts.PageHead {
	return parts.PageHead{Title: p.is.Name, Lede: mailWords(p.is), Back: &parts.Link{Label: "People & roles", Href: "/settings/team"}}
}

// mayTitle heads what the member may do, or the reader themselves.
func (p MemberPage) mayTitle() string {
	if p.mine {
		return "What you may do"
	}
	return "What they may do"
}

// may reports whether the reader may make this member something else.
func (p MemberPage) may() bool { return p.owner || p.is.Role != access.Owner }

// saveKind keeps a page to one primary button.
func (p MemberPage) saveKind() parts.ButtonKind {
	if p.recovery.Open {
		return parts.Secondary
	}
	return parts.Primary
}

// why not, if the reader may not.
func (p MemberPage) why() string {
	switch {
	case !p.may():
		return "Only an owner can change an owner’s role, or make them inactive."
	case p.lastOwner:
		return "A practice needs an owner. To change this, make somebody else an owner first."
	}
	return ""
}

func (p MemberPage) facts() parts.Facts {
	return parts.Facts{List: []parts.Fact{{Label: "Role", Value: team.RoleWords(p.is.Role)}, {Label: "Clients", Value: p.clients()}}}
}

// clients counts them in words.
func (p MemberPage) clients() string { return clientsWords(p.caseload) }

func clientsWords(n int) string {
	switch n {
	case 0:
		return "No clients"
	case 1:
		return "1 client"
	}
	return thousands(n) + " clients"
}

// supervisees are the members who can be supervised.
func (p MemberPage) supervisees() []people.Practitioner { return caring(p.all, p.is.ID) }

// heirs is the choice of who takes clients over.
func heirs(all []people.Practitioner, chosen string, problems parts.Problems) parts.Select {
	s := parts.Select{Name: "heir", Label: "Who looks after them from now on", Value: chosen, Prompt: "Choose a colleague", Problem: problems.For("heir"), Required: true}
	for _, m := range all {
		s.Options = append(s.Options, parts.Option{Value: m.ID.String(), Label: m.Name})
	}
	return s
}

// actOnMember does one deed about the member of the address, or says on their
// page why not.
func (s *Site) actOnMember(w http.ResponseWriter, r *http.Request, by access.Actor, word string, deed func(*db.Tx, id.Practitioner) error) error {
	who, err := pathID[id.Practitioner](r, "member")
	if err != nil {
		return err
	}
	err = s.DB.Update(r.Context(), func(tx *db.Tx) error { return deed(tx, who) })
	if err == nil {
		return s.seeMember(w, r, by, who, word)
	}
	told, status := problemsOf(err)
	if told == nil || status == http.StatusNotFound {
		return err
	}
	p, perr := s.memberPage(r, by)
	if perr != nil {
		return perr
	}
	p.tell(told)
	if r.PostForm.Has("member-role") {
		p.role = r.PostForm.Get("member-role")
	}
	p.recovery.Reason = r.PostForm.Get("reason")
	return s.show(w, r, status, p.View())
}

// seeMember leads to a member's page, or to the dashboard who has just taken
// the reading of it from themselves.
func (s *Site) seeMember(w http.ResponseWriter, r *http.Request, by access.Actor, who id.Practitioner, word string) error {
	if who == by.Practitioner() && word != "moved" && word != "supervises" {
		return see(w, r, "/dashboard")
	}
	return see(w, r, memberPath(who)+"?said="+word)
}

// POST /settings/team/{member}/role
func (s *Site) setRole(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	if leads(access.Role(form.Get("member-role"))) {
		if ok, err := s.proved(w, r, memberPath(id.Practitioner(r.PathValue("member")))); !ok {
			return err
		}
	}
	return s.actOnMember(w, r, by, "role", func(tx *db.Tx, who id.Practitioner) error {
		return team.SetRole(tx, by, who, access.Role(form.Get("member-role")))
	})
}

// POST /settings/team/{member}/supervision
func (s *Site) supervise(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	var whom []id.Practitioner
	for _, typed := range form["supervises"] {
		whom = append(whom, id.Practitioner(typed)) // one that is none is refused
	}
	return s.actOnMember(w, r, by, "supervises", func(tx *db.Tx, who id.Practitioner) error { return team.Supervise(tx, by, who, whom) })
}

// POST /settings/team/{member}/return
func (s *Site) returnMember(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	p, err := s.memberPage(r, by)
	if err != nil {
		return err
	}
	if leads(p.is.Role) {
		if ok, err := s.proved(w, r, p.path("")); !ok {
			return err
		}
	}
	return s.actOnMember(w, r, by, "active", func(tx *db.Tx, who id.Practitioner) error { return team.Reactivate(tx, by, who) })
}

// MemberEndPage asks what becomes of a member's clients when they go.
type MemberEndPage struct {
	MemberPage
	heir string
}

// GET /settings/team/{member}/end
func (s *Site) chooseMemberEnd(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	p, err := s.memberPage(r, by)
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, MemberEndPage{p, ""}.View())
}

// POST /settings/team/{member}/end
func (s *Site) endMember(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	p, err := s.memberPage(r, by)
	if err != nil {
		return err
	}
	heir := form.Get("heir")
	err = s.DB.Update(r.Context(), func(tx *db.Tx) error { return team.Deactivate(tx, by, p.is.ID, id.Practitioner(heir)) })
	if err == nil {
		return s.seeMember(w, r, by, p.is.ID, "inactive")
	}
	told, status := problemsOf(err)
	if told == nil || status == http.StatusNotFound {
		return err
	}
	p.tell(told)
	return s.show(w, r, status, MemberEndPage{p, heir}.View())
}

// HandOverPage chooses clients of a member and who takes them.
type HandOverPage struct {
	MemberPage
	clients []people.Listed
	chosen  map[string]bool
	heir    string
}

// GET /settings/team/{member}/clients
func (s *Site) chooseHeir(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	p, err := s.handOverPage(r, by)
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, p.View())
}

func (s *Site) handOverPage(r *http.Request, by access.Actor) (p HandOverPage, err error) {
	if p.MemberPage, err = s.memberPage(r, by); err != nil {
		return p, err
	}
	a, err := s.Directory.Look(r.Context(), by, directory.Query{})
	if err != nil {
		return p, err
	}
	for _, l := range a.Rows {
		if l.Practitioner == p.is.ID {
			p.clients = append(p.clients, l)
		}
	}
	return p, nil
}

// label names a client as the choice shows them.
func (p HandOverPage) label(l people.Listed) string { return l.Name.Full() }

// POST /settings/team/{member}/clients
func (s *Site) handOver(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	p, err := s.handOverPage(r, by)
	if err != nil {
		return err
	}
	p.heir, p.chosen = form.Get("heir"), map[string]bool{}
	var clients []id.Client
	for _, typed := range form["client"] {
		p.chosen[typed] = true
		clients = append(clients, id.Client(typed)) // one that is none is refused
	}
	if form.Get("all") != "" {
		clients = nil
		for _, l := range p.clients {
			clients = append(clients, l.ID)
		}
	}
	err = s.DB.Update(r.Context(), func(tx *db.Tx) error { return team.HandOver(tx, by, p.is.ID, id.Practitioner(p.heir), clients) })
	if err == nil {
		return s.seeMember(w, r, by, p.is.ID, "moved")
	}
	told, status := problemsOf(err)
	if told == nil || status == http.StatusNotFound {
		return err
	}
	p.tell(told)
	return s.show(w, r, status, p.View())
}
