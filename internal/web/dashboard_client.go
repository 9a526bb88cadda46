package web

import (
	"net/http"
	"strings"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/civil"
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
	Unproved       string       // the address that is not confirmed yet
	Others         []accessLine // who else may open it
	Accounts       string       // whose account reads this, when it is about somebody else
}

func (s *Site) clientDashboard(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	frame, err := s.frame(r, by, "Dashboard", "/dashboard")
	if err != nil {
		return err
	}
	p := PrivatePage{Page: frame}
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
		if p.Practitioner, err = people.LooksAfter(tx, by, c.ID); err != nil {
			return err
		}
		practice, err = people.PracticeOf(tx, by)
		return err
	})
	if err != nil {
		return err
	}
	p.Practice, p.Greeting = practice.Name, "Hello, "+c.Name.Call()
	p.Lede = "This is your private place. Nothing in it yet."
	if !strings.EqualFold(me.Name, c.Name.Full()) {
		p.Greeting, p.Accounts = c.Name.Full(), me.Name
		p.Lede = "This is the private place of " + c.Name.Full() + ". Nothing in it yet."
	}
	if !me.Verified {
		p.Unproved = me.Email.String()
	}
	zone := zoneOrPractice(me.Zone, practice)
	p.Facts.List = []parts.Fact{{Label: "Practice", Value: practice.Name}, {Label: "Looked after by", Value: p.Practitioner}}
	if c.LinkedAt != nil {
		p.Facts.List = append(p.Facts.List, parts.Fact{Label: "Here since", Value: civil.Day(s.DB.Clock(), c.LinkedAt.Time, zone)})
	}
	if c.EndsAt != nil {
		p.Facts.List = append(p.Facts.List, parts.Fact{Label: "Open until", Value: civil.MomentZone(s.DB.Clock(), c.EndsAt.Time, zone)})
	}
	p.Facts.List = append(p.Facts.List, parts.Fact{Label: "Times are in", Value: zone.ZoneCity(), Change: "/settings/zone"})
	return s.show(w, r, http.StatusOK, p.View())
}
