package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"

	"icouch/internal/access"
	"icouch/internal/audit"
	"icouch/internal/base/id"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/web/parts"
)

// InviteManyPage shows who would be sent an invitation, and who not and why.
type InviteManyPage struct {
	Page
	fit, unfit []contact
	emails     map[string]string // by the client's identifier
	noMail     bool
}

// POST /people/invitations shows what would be sent. Nothing is yet.
func (s *Site) reviewInvitations(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	frame, err := s.frame(r, by, "Invite many", "/people")
	if err != nil {
		return err
	}
	p := InviteManyPage{Page: frame, emails: map[string]string{}, noMail: s.NoMail}
	err = s.DB.View(r.Context(), func(tx *db.Tx) error { return s.sort(tx, by, chosen(form), &p) })
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, p.View())
}

// chosen are the clients whose boxes were ticked, each once.
func chosen(form url.Values) (all []id.Client) {
	seen := map[id.Client]bool{}
	for _, typed := range form["client"] {
		if c, err := id.Parse[id.Client](typed); err == nil && !seen[c] {
			seen[c] = true
			all = append(all, c)
		}
	}
	return all
}

// sort tells those who can be written to now from the others.
func (s *Site) sort(tx *db.Tx, by access.Actor, clients []id.Client, p *InviteManyPage) error {
	is, err := s.readerIn(tx, by)
	if err != nil {
		return err
	}
	listed, err := mine(tx, by, clients)
	if err != nil {
		return err
	}
	for _, c := range clients {
		l, ok := listed[c]
		if !ok {
			continue // not theirs: as if it did not exist
		}
		row := contactOf(c, l.Practitioner, l.Name.Full(), l.Facts, is.Setting, by)
		p.emails[row.id] = l.Email
		if row.can() != nil {
			p.fit = append(p.fit, row)
		} else {
			p.unfit = append(p.unfit, row)
		}
	}
	return nil
}

// mine are those of the clients that by may see.
func mine(tx *db.Tx, by access.Actor, clients []id.Client) (map[id.Client]people.Listed, error) {
	all, err := people.Somebody(tx, by, clients)
	if err != nil {
		return nil, err
	}
	listed := map[id.Client]people.Listed{}
	for _, l := range all {
		if by.Sees(l.ID, l.Practitioner) {
			listed[l.ID] = l
			audit.Saw(tx, by, audit.Listed, l.ID, by.Why(l.ID, l.Practitioner))
		}
	}
	return listed, nil
}

// ticked reports whether somebody is to get a letter unless it is said otherwise:
// first invitations do, and others if there are only those.
func (p InviteManyPage) ticked(c contact) bool {
	return c.Action == people.InviteAction || !p.first()
}

// first reports whether anybody gets a first invitation.
func (p InviteManyPage) first() bool {
	return slices.ContainsFunc(p.fit, func(c contact) bool { return c.Action == people.InviteAction })
}

// tickHint says what the ticks mean.
func (p InviteManyPage) tickHint() string {
	if p.first() && slices.ContainsFunc(p.fit, func(c contact) bool { return c.Action != people.InviteAction }) {
		return "Untick anyone who should not get one. Who has a link already is not ticked: a new one ends it."
	}
	return "Untick anyone who should not get one. A link they already have stops working."
}

func (p InviteManyPage) button() parts.Button {
	n := 0
	for _, c := range p.fit {
		if p.ticked(c) {
			n++
		}
	}
	label := "Send " + thousands(n) + " invitations"
	if n == 1 {
		label = "Send 1 invitation"
	}
	return parts.Button{Label: label, Kind: parts.Primary, Icon: "send"}
}

// whyNot is why somebody cannot be sent an invitation.
func (c contact) whyNot() string {
	switch {
	case c.Action == people.MessageAction:
		return "Has an account already."
	case c.Action == people.ResendAction && c.Mend == people.NoMend:
		return "A letter has just gone out. Another can follow in a minute."
	case c.Help != "":
		return c.Help
	}
	return c.Status + "."
}

// again says that a link that is out ends.
func (c contact) again() string {
	if c.Action == people.ResendAction {
		return "Again · " + c.Status
	}
	return "First invitation"
}

// InvitedManyPage says what came of it.
type InvitedManyPage struct {
	Page
	sent  int
	names []string // of those who got one
	not   []notInvited
}

type notInvited struct{ name, why, href string }

// POST /people/invitations/sent
func (s *Site) inviteMany(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	clients := chosen(form)
	if len(clients) == 0 {
		return see(w, r, "/people")
	}
	outcomes, err := s.inviteAll(r, by, clients)
	if errors.Is(err, people.ErrRaced) { // another press was at it; what it did is seen now
		outcomes, err = s.inviteAll(r, by, clients)
	}
	if err != nil {
		return err
	}
	p := InvitedManyPage{}
	if p.Page, err = s.frame(r, by, "Invite many", "/people"); err != nil {
		return err
	}
	err = s.DB.View(r.Context(), func(tx *db.Tx) error { return p.read(tx, by, clients, outcomes) })
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, p.View())
}

func (s *Site) inviteAll(r *http.Request, by access.Actor, clients []id.Client) (outcomes []people.Outcome, err error) {
	err = s.DB.Update(r.Context(), func(tx *db.Tx) error {
		outcomes, err = people.InviteMany(tx, by, clients)
		if err == nil && !anySent(outcomes) {
			return errNothingSent
		}
		return err
	})
	if errors.Is(err, errNothingSent) {
		err = nil
	}
	return outcomes, err
}

// errNothingSent ends a transaction in which there was nothing to do.
var errNothingSent = errors.New("nothing was sent")

func anySent(outcomes []people.Outcome) bool {
	for _, o := range outcomes {
		if o.Sent {
			return true
		}
	}
	return false
}

func (p *InvitedManyPage) read(tx *db.Tx, by access.Actor, clients []id.Client, outcomes []people.Outcome) error {
	listed, err := mine(tx, by, clients)
	if err != nil {
		return err
	}
	for _, o := range outcomes {
		l, known := listed[o.Client]
		switch {
		case o.Sent:
			p.sent++
			p.names = append(p.names, l.Name.Full())
		case known:
			p.not = append(p.not, notInvited{l.Name.Full(), o.Why, "/people/" + o.Client.String()})
		default:
			p.not = append(p.not, notInvited{"Somebody who is not among your clients", o.Why, ""})
		}
	}
	return nil
}

func (p InvitedManyPage) lede() string {
	switch {
	case p.sent == 0:
		return "Nothing was sent."
	case p.sent == 1:
		return "1 letter is on its way."
	}
	return thousands(p.sent) + " letters are on their way."
}
