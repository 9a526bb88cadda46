package web

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/a-h/templ"

	"icouch/internal/access"
	"icouch/internal/base/civil"
	"icouch/internal/base/email"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/letter"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/platform/limit"
	"icouch/internal/team"
	"icouch/internal/web/parts"
)

// teamSaid are the words for what was done: see said.
var teamSaid = map[string]parts.Notice{
	"invited":            {Tone: parts.Good, Words: "Invited. We are sending the letter."},
	"no-mail":            {Tone: parts.Warn, Words: "Invited, but nothing can be mailed: no mail server is set up. Copy the link and hand it over yourself."},
	"resent":             {Tone: parts.Good, Words: "We are sending the letter again; the link before it no longer works."},
	"withdrawn":          {Tone: parts.Good, Words: "Withdrawn. The link no longer works."},
	"role":               {Tone: parts.Good, Words: "Saved. The new role takes effect at once."},
	"supervises":         {Tone: parts.Good, Words: "Saved. It takes effect at once."},
	"moved":              {Tone: parts.Good, Words: "Handed over. Both are told by e-mail, without a name."},
	"inactive":           {Tone: parts.Good, Words: "Made inactive. They can no longer open anything here, in any browser."},
	"active":             {Tone: parts.Good, Words: "Active again, in the role they had. Care teams and supervision have to be set again."},
	"recovery":           {Tone: parts.Good, Words: "Asked. The other owners have a letter; one of them approves it here. Your colleague has been told."},
	"recovery-approved":  {Tone: parts.Good, Words: "Approved. They were signed out everywhere, and have a link by e-mail that works for 24 hours with their password."},
	"recovery-withdrawn": {Tone: parts.Good, Words: "Withdrawn. Their second step is as it was, and everybody concerned has a letter."},
}

func teamSaidAs(word string) *parts.Notice {
	n, ok := teamSaid[word]
	if !ok {
		return nil
	}
	n.Alert = true
	return &n
}

// TeamPage is who works in the practice, and who is invited to.
type TeamPage struct {
	Page
	Done    *parts.Notice
	NoMail  *parts.Notice
	link    string // a link to hand over, shown this once
	whose   string // and for whom
	members []team.Member
	invited []team.Invited
	reader  reader
}

// GET /settings/team
func (s *Site) team(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	p, err := s.teamPage(r, by)
	if err != nil {
		return err
	}
	said := r.URL.Query().Get("said")
	if p.Done = teamSaidAs(said); said == "no-mail" {
		p.NoMail = nil // it says so itself
	}
	return s.show(w, r, http.StatusOK, p.View())
}

func (s *Site) teamPage(r *http.Request, by access.Actor) (p TeamPage, err error) {
	err = s.DB.View(r.Context(), func(tx *db.Tx) error {
		if p.members, err = team.Members(tx, by); err != nil {
			return err
		}
		if p.invited, err = team.Invitations(tx, by); err != nil {
			return err
		}
		p.reader, err = s.readerIn(tx, by)
		return err
	})
	if err != nil {
		return p, err
	}
	if s.NoMail {
		p.NoMail = &parts.Notice{Tone: parts.Warn, Title: "No mail server is set up", Words: "Invitations wait until there is one. You can copy a colleague’s link and hand it over yourself."}
	}
	p.Page, err = s.frame(r, by, "People & roles", "/settings")
	return p, err
}

func (p TeamPage) head() parts.PageHead {
	return parts.PageHead{Title: "People & roles", Lede: "Who works in the practice, and what each may do.", Back: back,
		Actions: []parts.Button{{Label: "Invite a colleague", Kind: parts.Primary, Icon: "user-plus", Href: "/settings/team/new"}}}
}

var teamColumns = []parts.Column{{Label: "Name", Kind: parts.Main}, {Label: "E-mail", Kind: parts.Wide}, {Label: "Role"}, {Label: "Status"}}

func (p TeamPage) table() parts.Table {
	t := parts.Table{ID: "team", Caption: "Who works here", Columns: teamColumns}
	for _, m := range p.members {
		name := m.Name
		if m.ID == p.reader.by.Practitioner() {
			name += " (you)"
		}
		t.Rows = append(t.Rows, parts.Row{ID: "m-" + m.ID.String(), Cells: []templ.Component{
			parts.Person{Name: name, Initials: m.Name, Href: memberPath(m.ID), Mail: mailWords(m)}.View(), parts.Words(mailWords(m)).View(),
			parts.Words(team.RoleWords(m.Role)).View(), activeStatus(m.Active).View(),
		}})
	}
	return t
}

// mailWords is a member's address, or why there is none.
func mailWords(m team.Member) string {
	if m.Gone {
		return "Account deleted"
	}
	return m.Email.String()
}

func activeStatus(active bool) parts.Status {
	if active {
		return parts.Status{Kind: parts.Active, Words: "Active"}
	}
	return parts.Status{Kind: parts.Ended, Words: "Inactive"}
}

var invitedColumns = []parts.Column{{Label: "Name", Kind: parts.Main}, {Label: "Role"}, {Label: "Status"}, {Label: "Invitation", Kind: parts.Act}}

func (p TeamPage) invitations() parts.Table {
	t := parts.Table{ID: "invited", Caption: "Who is invited", Columns: invitedColumns}
	for _, i := range p.invited {
		t.Rows = append(t.Rows, parts.Row{ID: "i-" + i.ID.String(), Cells: []templ.Component{
			parts.Person{Name: i.Name, Note: i.Email.String()}.View(), parts.Words(team.RoleWords(i.Role)).View(), p.status(i).View(), invitedButtons(i, p.may(i)),
		}})
	}
	return t
}

// may reports whether the reader could have made an invitation themselves.
func (p TeamPage) may(i team.Invited) bool {
	return i.Role != access.Owner || p.reader.by.May(access.MakeOwners)
}

// status says how an invitation fares.
func (p TeamPage) status(i team.Invited) parts.Status {
	is := p.reader
	switch {
	case i.AskedAt != nil:
		return parts.Status{Kind: parts.Trouble, Words: "Asks for a new link", Detail: "It was withdrawn. " + is.past(*i.AskedAt)}
	case !i.ExpiresAt.After(is.Now.Time):
		return parts.Status{Kind: parts.Trouble, Words: "The link has ended", Detail: "It was sent " + is.past(i.CreatedAt)}
	}
	if i.ByHand {
		return parts.Status{Kind: parts.Waiting, Words: "Link copied " + is.past(i.CreatedAt), Detail: "Works until " + civil.Day(is.Now.Time, i.ExpiresAt.Time, is.Zone)}
	}
	if is.NoMail && (i.Letter == letter.Queued || i.Letter == letter.Delayed) {
		return parts.Status{Kind: parts.Trouble, Words: "Waiting to be sent", Detail: "No mail server is set up. Copy the link, and hand it over"}
	}
	until := "Works until " + civil.Day(is.Now.Time, i.ExpiresAt.Time, is.Zone)
	switch i.Letter {
	case letter.Queued:
		return parts.Status{Kind: parts.Waiting, Words: "On its way", Detail: until}
	case letter.Delayed:
		return parts.Status{Kind: parts.Waiting, Words: "On its way", Detail: "We keep trying. " + until}
	case letter.Bounced, letter.Refused:
		return parts.Status{Kind: parts.Trouble, Words: "Came back", Detail: "Withdraw it, and check the address"}
	case letter.Failed:
		return parts.Status{Kind: parts.Trouble, Words: "Could not be sent", Detail: "Press Re-Send to try again"}
	}
	return parts.Status{Kind: parts.Waiting, Words: "Sent " + is.past(i.CreatedAt), Detail: until}
}

// ColleaguePage invites a colleague.
type ColleaguePage struct {
	Page
	NoMail            *parts.Notice
	Name, Email, Role string
	owner             bool // the reader may make owners
	prove             bool // it asks once more who they are
}

// GET /settings/team/new
func (s *Site) newColleague(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	p, err := s.colleaguePage(r, by)
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, p.View())
}

func (s *Site) colleaguePage(r *http.Request, by access.Actor) (p ColleaguePage, err error) {
	p.NoMail, p.owner, p.Role = s.noMail(), by.May(access.MakeOwners), string(access.Practitioner)
	p.Page, err = s.frame(r, by, "Invite a colleague", "/settings")
	return p, err
}

// colleagueRule bounds, beside what a practice may, what one network has us write
// to addresses that anybody may type.
var colleagueRule = limit.Rule{Name: "team/invite/from", Most: 20, Per: time.Hour}

var (
	errManyColleagues = fault.New(fault.Busy, "Many invitations to colleagues came from your network in the last hour. Nothing was sent now. Wait an hour, then try again.")
	errProveFirst     = fault.On("password", fault.Invalid, "Enter your password. Before we invite an owner or an administrator, we ask once more who you are.")
)

// mayInviteFrom counts an invitation to a colleague.
func (s *Site) mayInviteFrom(r *http.Request) error {
	err := s.Limits.Take(r.Context(), colleagueRule, s.from(r))
	if errors.Is(err, limit.ErrTooOften) {
		return errManyColleagues
	}
	return err
}

// leads reports whether a role lets somebody bring in others: it is given only
// by who has just shown who they are.
func leads(role access.Role) bool { return role.Has(access.ManageMembers) }

// provedHere is proved for a form that takes the password itself, so that
// nothing typed is lost. Whoever is at work has shown a second step before.
func (s *Site) provedHere(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if s.provedLately(r) {
		return nil
	}
	if r.PostFormValue("password") == "" {
		return errProveFirst
	}
	token, err := s.renewed(r, by, true)
	if err == nil {
		s.setCookie(w, s.sessionCookie(), token, 0)
	}
	return err
}

// POST /settings/team
func (s *Site) inviteColleague(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	p, err := s.colleaguePage(r, by)
	if err != nil {
		return err
	}
	p.Name, p.Email, p.Role = form.Get("name"), form.Get("email"), form.Get("member-role")
	a, wrong := email.Parse(p.Email)
	err = fault.At("email", wrong)
	if wrong == nil && leads(access.Role(p.Role)) {
		err = s.provedHere(w, r, by)
		p.prove = err != nil
	}
	if err == nil {
		err = s.mayInviteFrom(r)
	}
	if err == nil {
		err = s.DB.Update(r.Context(), func(tx *db.Tx) error {
			return team.Invite(tx, by, team.Draft{Name: p.Name, Email: a, Role: access.Role(p.Role)})
		})
	}
	if err == nil && s.NoMail {
		return see(w, r, "/settings/team?said=no-mail")
	}
	if err == nil {
		return see(w, r, "/settings/team?said=invited")
	}
	told, status := problemsOf(err)
	if told == nil {
		return err
	}
	p.tell(told)
	return s.show(w, r, status, p.View())
}

// roleHints say what each role is for, where one is chosen. What each may do to
// the letter is in the table of docs/roles.md.
var roleHints = map[access.Role]string{
	access.Owner:         "Everything an administrator may, looks after clients, and makes other owners.",
	access.Administrator: "Runs the practice: colleagues, roles, every client’s details. Looks after nobody.",
	access.Practitioner:  "Looks after clients. Sees their own clients, and those whose care team they are in.",
	access.Supervisor:    "Looks after clients. Sees their own, and the clients of the colleagues they supervise.",
	access.Scheduler:     "Sees every client’s name and how to reach them. No date of birth, no address, and changes nothing.",
	access.Biller:        "Sees every client’s details for bills, and changes nothing.",
}

// roleChoices are the roles that can be given, as cards.
func roleChoices(chosen string, owner bool, problems parts.Problems) parts.Choices {
	c := parts.Choices{Name: "member-role", Legend: "Role", Value: chosen, Problem: problems.For("member-role")}
	for _, r := range access.WorkRoles {
		if r != access.Owner || owner {
			c.Options = append(c.Options, parts.Choice{Value: string(r), Label: team.RoleWords(r), Hint: roleHints[r]})
		}
	}
	return c
}

// POST /settings/team/sendings
func (s *Site) resendColleague(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	p, err := s.teamPage(r, by)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(p.invited, func(i team.Invited) bool { return i.ID.String() == form.Get("invitation") })
	if i < 0 || leads(p.invited[i].Role) { // one that is not in the list may be any
		if ok, err := s.proved(w, r, "/settings/team"); !ok {
			return err
		}
	}
	if err := s.mayInviteFrom(r); err != nil {
		told, status := problemsOf(err)
		if told == nil {
			return err
		}
		p.tell(told)
		return s.show(w, r, status, p.View())
	}
	return s.actOnInvitation(w, r, by, "resent", team.Resend)
}

// POST /settings/team/withdrawals
func (s *Site) withdrawColleague(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return s.actOnInvitation(w, r, by, "withdrawn", team.Withdraw)
}

// POST /settings/team/links answers with the link itself: it is in no address,
// no log and no title, and no page shows it again.
func (s *Site) copyColleagueLink(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	var (
		who   team.Draft
		token secret.Token
	)
	before, err := s.teamPage(r, by)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(before.invited, func(i team.Invited) bool { return i.ID.String() == form.Get("invitation") })
	if i < 0 || leads(before.invited[i].Role) { // one that is not in the list may be any
		if ok, err := s.proved(w, r, "/settings/team"); !ok {
			return err
		}
	}
	inv, err := id.Parse[id.TeamInvitation](form.Get("invitation"))
	if err == nil {
		err = s.DB.Update(r.Context(), func(tx *db.Tx) error {
			who, token, err = team.CopyLink(tx, by, inv)
			return err
		})
	} else {
		err = errNoInvitation
	}
	told, status := problemsOf(err)
	if err != nil && told == nil {
		return err
	}
	p, perr := s.teamPage(r, by)
	if perr != nil {
		return perr
	}
	if err != nil {
		p.tell(told)
		return s.show(w, r, status, p.View())
	}
	p.NoMail, p.link, p.whose = nil, s.url("/team/"+token.Reveal()), who.Name
	return s.show(w, r, http.StatusOK, p.View())
}

// GET /settings/team/links is where somebody is who reloads that answer.
func (s *Site) leaveColleagueLink(w http.ResponseWriter, r *http.Request, _ access.Actor) error {
	return see(w, r, "/settings/team")
}

var errNoInvitation = fault.New(fault.Invalid, "There is no such invitation any more.")

// actOnInvitation does one deed about an invitation of the list.
func (s *Site) actOnInvitation(w http.ResponseWriter, r *http.Request, by access.Actor, word string, deed func(*db.Tx, access.Actor, id.TeamInvitation) error) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	inv, err := id.Parse[id.TeamInvitation](form.Get("invitation"))
	if err == nil {
		err = s.DB.Update(r.Context(), func(tx *db.Tx) error { return deed(tx, by, inv) })
	} else {
		err = errNoInvitation
	}
	if err == nil {
		return see(w, r, "/settings/team?said="+word)
	}
	told, status := problemsOf(err)
	if told == nil {
		return err
	}
	p, perr := s.teamPage(r, by)
	if perr != nil {
		return perr
	}
	p.tell(told)
	return s.show(w, r, status, p.View())
}

// EmergenciesPage is every record that was opened in an emergency lately.
type EmergenciesPage struct {
	Page
	all    []team.Emergency
	reader reader
}

// GET /settings/team/emergencies
func (s *Site) emergencies(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	var p EmergenciesPage
	err := s.DB.View(r.Context(), func(tx *db.Tx) (err error) {
		if p.all, err = team.Emergencies(tx, by); err != nil {
			return err
		}
		p.reader, err = s.readerIn(tx, by)
		return err
	})
	if err != nil {
		return err
	}
	if p.Page, err = s.frame(r, by, "Emergencies", "/settings"); err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, p.View())
}

// emergencyTimeline is the story of some emergencies. Named says of whom each was.
func emergencyTimeline(all []team.Emergency, is reader, named bool) parts.Timeline {
	t := parts.Timeline{Label: "Opened in an emergency"}
	for _, e := range all {
		words := "Opened in an emergency"
		if named {
			words = "Opened " + e.Name + " in an emergency"
		}
		ended := "Closed automatically " + is.past(e.EndedAt) + "."
		switch {
		case e.ByHand:
			ended = "Closed " + is.past(e.EndedAt) + "."
		case e.EndedAt.After(is.Now.Time):
			ended = "Open for " + minutesWords(e.EndedAt.Sub(is.Now.Time)) + " more."
		}
		why := "The owners read why. "
		if e.Reason != "" {
			why = "“" + e.Reason + "” "
		}
		t.Entries = append(t.Entries, parts.Entry{Icon: "triangle-alert", Tone: parts.Bad, Words: words, By: e.By, When: is.past(e.OpenedAt),
			Exact: civil.Full(e.OpenedAt.Time, is.Zone), Timestamp: e.OpenedAt.Format(time.RFC3339), Detail: why + ended})
	}
	return t
}

func memberPath(who id.Practitioner) string { return "/settings/team/" + who.String() }

// caring are the members who look after clients, save one.
func caring(all []team.Member, but id.Practitioner) (some []people.Practitioner) {
	for _, m := range all {
		if m.CaresForClients() && m.ID != but {
			some = append(some, m.Practitioner)
		}
	}
	return some
}
