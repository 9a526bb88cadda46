package web

import (
	"net/http"
	"strings"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/civil"
	"icouch/internal/chat"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/web/parts"
)

// PrivatePage is a client's private place, as far as there is anything in it.
type PrivatePage struct {
	Page
	Greeting, Lede string
	Practitioner   string
	Practice       string
	Facts          parts.Facts
	Unproved       string        // the address that is not confirmed yet
	Accepted       bool          // an invitation, just now
	only           *chat.Partner // whom they may write to, if that is one person
	Others         []accessLine  // who else may open it
	Joints         []ownJoint    // the joint records they are in
	Accounts       string        // whose account reads this, when it is about somebody else
}

func (s *Site) clientDashboard(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	frame, err := s.frame(r, by, "Dashboard", "/dashboard")
	if err != nil {
		return err
	}
	p := PrivatePage{Page: frame, Accepted: r.URL.Query().Get("said") == "accepted"}
	var (
		me       account.Account
		c        people.Client
		practice people.Practice
	)
	err = s.DB.View(r.Context(), func(tx *db.Tx) error {
		if me, err = account.Of(tx, by); err != nil {
			return err
		}
		if c, err = people.Find(tx, by, by.Client()); err != nil {
			return err
		}
		if p.Others, err = s.accessLines(tx, by); err != nil {
			return err
		}
		joints, err := s.ownJointsOf(tx, by)
		if err != nil {
			return err
		}
		for _, o := range joints {
			if !o.Over(tx.Now()) {
				p.Joints = append(p.Joints, o)
			}
		}
		partners, err := chat.Partners(tx, by)
		if err != nil {
			return err
		}
		if len(partners) == 1 {
			p.only = &partners[0]
		}
		if p.Practitioner, err = people.LooksAfter(tx, by, c.ID); err != nil {
			return err
		}
		practice, err = people.PracticeOf(tx, by)
		return err
	})
	if err != nil {
		return err
	}
	p.Practice = practice.Name
	p.greet(me.Name, c.Name)
	if !me.Verified {
		p.Unproved = me.Email.String()
	}
	zone := zoneOrPractice(me.Zone, practice)
	p.Facts.List = []parts.Fact{{Label: "Practice", Value: practice.Name}, {Label: "Your practitioner", Value: p.Practitioner}}
	if c.LinkedAt != nil {
		p.Facts.List = append(p.Facts.List, parts.Fact{Label: "Here since", Value: civil.Day(s.DB.Clock(), c.LinkedAt.Time, zone)})
	}
	if c.EndsAt != nil {
		p.Facts.List = append(p.Facts.List, parts.Fact{Label: "Open until", Value: civil.MomentZone(s.DB.Clock(), c.EndsAt.Time, zone)})
	}
	p.Facts.List = append(p.Facts.List, parts.Fact{Label: "Times are in", Value: zone.ZoneCity(), Change: "/settings/zone"})
	return s.show(w, r, http.StatusOK, p.View())
}

// greet says whose place this is. A name that differs from the practice's may
// be the same person's new one, or a parent's: which, nobody has told us. What
// tells is whether the account opens other places beside.
func (p *PrivatePage) greet(account string, record people.Name) {
	switch {
	case strings.EqualFold(account, record.Full()):
		p.Greeting, p.Lede = "Hello, "+record.Call(), "This is your private place."
	case len(p.Places) > 1:
		p.Greeting, p.Accounts = record.Full(), account
		p.Lede = "This is the private place under the name " + record.Full() + "."
	default:
		p.Greeting = "Hello, " + account
		p.Lede = "This is your private place. The practice keeps it under the name " + record.Full() + "."
	}
}
