package web

import (
	"net/http"

	"icouch/internal/access"
	"icouch/internal/base/civil"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	contacts "icouch/internal/contact"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/web/parts"
)

// WardPage is the place of somebody who acts for a client: what was opened to
// them, and until when. Of the client it shows the name.
type WardPage struct {
	Page
	ward     contacts.Ward
	practice string
	facts    parts.Facts
}

func (s *Site) wardDashboard(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	frame, err := s.frame(r, by, "Dashboard", "/dashboard")
	if err != nil {
		return err
	}
	p := WardPage{Page: frame}
	var practice people.Practice
	err = s.DB.View(r.Context(), func(tx *db.Tx) error {
		if p.ward, err = contacts.WardOf(tx, by); err != nil {
			return err
		}
		practice, err = people.PracticeOf(tx, by)
		return err
	})
	if err != nil {
		return err
	}
	p.practice = practice.Name
	p.facts.List = []parts.Fact{{Label: "You act for", Value: p.ward.Name}, {Label: "Practice", Value: practice.Name}, {Label: "Their practitioner", Value: p.ward.Practitioner}}
	if !p.ward.Until.IsZero() {
		p.facts.List = append(p.facts.List, parts.Fact{Label: "Open to you until", Value: lastMoment(s.DB.Clock(), p.ward.Until.Time, practice.Zone)})
	}
	return s.show(w, r, http.StatusOK, p.View())
}

// OthersPage is who else may open a client's record: for the client.
type OthersPage struct {
	Page
	Done *parts.Notice
	all  []accessLine
}

// accessLine is one of them.
type accessLine struct {
	contacts.Shown
	lasts string
}

func (l accessLine) about() string {
	return relationWords[l.Relation] + " · may open " + rightsWords(l.Rights)
}

func (l accessLine) status() parts.Status {
	switch {
	case l.Standing == access.Suspended:
		return parts.Status{Kind: parts.Ended, Words: "Suspended by the practice"}
	case l.Standing == access.Before:
		return parts.Status{Kind: parts.Waiting, Words: "Not open yet", Detail: l.lasts}
	case !l.SignsIn && !l.Invited:
		return parts.Status{Kind: parts.Waiting, Words: "Has not been invited", Detail: l.lasts}
	case !l.SignsIn:
		return parts.Status{Kind: parts.Waiting, Words: "Has not signed in yet", Detail: l.lasts}
	}
	return parts.Status{Kind: parts.Active, Words: "Can open it", Detail: l.lasts}
}

// accessLines are who else may open by's record.
func (s *Site) accessLines(tx *db.Tx, by access.Actor) (all []accessLine, err error) {
	some, err := contacts.Access(tx, by)
	if err != nil || some == nil {
		return nil, err
	}
	practice, err := people.PracticeOf(tx, by)
	if err != nil {
		return nil, err
	}
	for _, one := range some {
		l := accessLine{Shown: one}
		if one.Standing == access.Before {
			l.lasts = "From " + civil.MomentZone(tx.Now().Time, one.Begins.Time, practice.Zone)
		} else if !one.Until.IsZero() {
			l.lasts = "Until " + lastMoment(tx.Now().Time, one.Until.Time, practice.Zone)
		}
		all = append(all, l)
	}
	return all, nil
}

// GET /access
func (s *Site) others(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	p, err := s.othersPage(r, by)
	if err != nil {
		return err
	}
	if r.URL.Query().Get("said") == "asked" {
		p.Done = &parts.Notice{Tone: parts.Good, Alert: true, Title: "Your practice is told", Words: "Nothing has changed yet: they end it, or tell you why they may not. You will see here when it has ended."}
	}
	return s.show(w, r, http.StatusOK, p.View())
}

func (s *Site) othersPage(r *http.Request, by access.Actor) (p OthersPage, err error) {
	err = s.DB.View(r.Context(), func(tx *db.Tx) error { p.all, err = s.accessLines(tx, by); return err })
	if err != nil {
		return p, err
	}
	p.Page, err = s.frame(r, by, "Who can open my record", "/dashboard")
	return p, err
}

var errNoAccess = fault.New(fault.Invalid, "That person has no access any more.")

// POST /access/endings
func (s *Site) askEnd(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	c, err := id.Parse[id.Contact](form.Get("contact"))
	if err == nil {
		err = s.DB.Update(r.Context(), func(tx *db.Tx) error { return contacts.AskEnd(tx, by, c) })
	}
	if err == nil {
		return see(w, r, "/access?said=asked")
	}
	told, status := problemsOf(err)
	if told == nil || status == http.StatusNotFound { // ended meanwhile, or another's: the same
		told, status = problemsOf(errNoAccess)
	}
	p, perr := s.othersPage(r, by)
	if perr != nil {
		return perr
	}
	p.tell(told)
	return s.show(w, r, status, p.View())
}
