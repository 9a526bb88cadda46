package web

import (
	"net/http"

	"icouch/internal/access"
	"icouch/internal/base/at"
	"icouch/internal/base/civil"
	"icouch/internal/base/id"
	"icouch/internal/platform/db"
	"icouch/internal/team"
	"icouch/internal/web/parts"
)

// POST /people/{client}/team
func (s *Site) includeInTeam(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	return s.act(w, r, by, "team", func(tx *db.Tx, c id.Client) error {
		var until *at.Time
		if typed := form.Get("until"); typed != "" {
			is, err := s.readerIn(tx, by)
			if err != nil {
				return err
			}
			d, err := civil.ParseDate(typed)
			if err != nil || d.Compare(is.today()) < 0 || d.Compare(is.today().AddDays(5*366)) > 0 {
				return team.ErrEndsPast
			}
			until = endOf(d, is).Ptr()
		}
		return team.Include(tx, by, c, id.Practitioner(form.Get("team-member")), until)
	})
}

// POST /people/{client}/team/removal
func (s *Site) excludeFromTeam(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	return s.act(w, r, by, "team-left", func(tx *db.Tx, c id.Client) error {
		return team.Exclude(tx, by, c, id.Practitioner(form.Get("team-member")))
	})
}

// others is the choice of who could be in the care team.
func (p ClientPage) others() parts.Select {
	s := parts.Select{Name: "team-member", Label: "Colleague", Prompt: "Choose a colleague", Problem: p.Problems.For("team-member")}
	for _, o := range p.team.Others {
		s.Options = append(s.Options, parts.Option{Value: o.ID.String(), Label: o.Name})
	}
	return s
}

// teamChanges reports whether the care team is offered for change: once care has
// ended, there is none to share.
func (p ClientPage) teamChanges() bool { return p.team.MayChange && !p.client.Ended(p.reader.Now) }

func (p ClientPage) looks() string {
	if p.client.Ended(p.reader.Now) {
		return "looked after them until care ended"
	}
	return "looks after them"
}

// ends says until when somebody is in the care team.
func (p ClientPage) ends(c team.Carer) string {
	if c.EndsAt == nil {
		return ""
	}
	return "until " + p.day(*c.EndsAt)
}
