package web

import (
	"errors"
	"net/http"
	"slices"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/civil"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/web/parts"
)

// FoundPage is where a practitioner sets up their practice.
type FoundPage struct {
	Page
	Name, Zone string
}

// showFound is GET /practice/new. Whoever works somewhere has a practice.
func (s *Site) showFound(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	p, err := s.foundPage(r, by)
	if errors.Is(err, people.ErrHasPractice) {
		return see(w, r, "/dashboard")
	}
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, p.View())
}

func (s *Site) foundPage(r *http.Request, by access.Actor) (p FoundPage, err error) {
	if p.Page, err = s.frame(r, by, "New practice", ""); err != nil {
		return p, err
	}
	err = s.DB.View(r.Context(), func(tx *db.Tx) error {
		all, err := people.Places(tx, by)
		if err != nil {
			return err
		}
		for _, place := range all {
			if place.Work && !place.Ended {
				return people.ErrHasPractice
			}
		}
		who, err := account.Of(tx, by)
		p.Zone = who.Zone
		return err
	})
	return p, err
}

// found is POST /practice/new. The session goes on there, and lasts no longer
// than one that began at work. It proves nobody: what asks who it is asks still.
func (s *Site) found(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if err := typed(r); err != nil {
		return err
	}
	p, err := s.foundPage(r, by)
	if errors.Is(err, people.ErrHasPractice) {
		return see(w, r, "/dashboard")
	}
	if err != nil {
		return err
	}
	p.Name, p.Zone = r.PostFormValue("practice"), r.PostFormValue("zone")
	var set func(http.ResponseWriter)
	err = s.DB.Update(r.Context(), func(tx *db.Tx) error {
		owner, err := people.Found(tx, by, p.Name, p.Zone)
		if err != nil {
			return err
		}
		if err := zoneIfNone(tx, by, p.Zone); err != nil {
			return err
		}
		if err := people.Choose(tx, by, visitOf(r).token, account.Place{Practice: owner.Practice()}); err != nil {
			return err
		}
		token, err := account.Retoken(tx, by, visitOf(r).token)
		set = func(w http.ResponseWriter) { s.setCookie(w, s.sessionCookie(), token, 0) }
		return err
	})
	if errors.Is(err, account.ErrSignedOut) {
		return see(w, r, "/sign-in")
	}
	if errors.Is(err, people.ErrHasPractice) { // pressed twice
		return see(w, r, "/dashboard")
	}
	if err != nil {
		told, status := problemsOf(err)
		if told == nil {
			return err
		}
		p.tell(told)
		return s.show(w, r, status, p.View())
	}
	set(w)
	return see(w, r, "/dashboard")
}

// zoneIfNone takes the practice's time for its founder's own.
func zoneIfNone(tx *db.Tx, by access.Actor, zone string) error {
	who, err := account.Of(tx, by)
	if err != nil || who.Zone != "" {
		return err
	}
	return account.SetZone(tx, by, zone)
}

// zoneField is the list of time zones. The device's own is offered if none is
// chosen.
func zoneField(label, hint, value string, problems parts.Problems) parts.Select {
	return parts.Select{Name: "zone", Label: label, Hint: hint, Value: value, Problem: problems.For("zone"), Prompt: "Choose a city", GuessZone: true, Required: true, Options: zoneOptions(value)}
}

// zoneOptions are all zones, those first that are likely for whoever chooses.
func zoneOptions(likely ...string) (all []parts.Option) {
	for _, name := range likely {
		z, err := civil.ParseZone(name)
		o := parts.Option{Value: z.String(), Label: z.Label(), Group: "Likely for you"}
		if err == nil && !slices.Contains(all, o) {
			all = append(all, o)
		}
	}
	for _, g := range civil.Zones() {
		for _, z := range g.Zones {
			all = append(all, parts.Option{Value: z.String(), Label: z.Label(), Group: g.Name})
		}
	}
	return all
}
