package web

import (
	"net/http"

	"icouch/internal/access"
	"icouch/internal/base/civil"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/people"
	"icouch/internal/platform/db"
)

// AgePage sets the days on which a minor may sign in themselves, and on which
// what their parents and guardians were given ends.
type AgePage struct {
	Page
	client         people.Client
	days           people.Minor
	own, guardians string // as typed
	glass          *glass
}

func (p AgePage) path(rest string) string { return "/people/" + p.client.ID.String() + rest }

// byAge is what leaving a field empty means.
func (p AgePage) byAge() string {
	if p.days.OfAge.IsZero() {
		return "No date of birth is noted."
	}
	return "Leave it empty for the eighteenth birthday, " + dateWords(p.days.OfAge) + "."
}

// GET /people/{client}/age
func (s *Site) chooseAge(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	p, err := s.agePage(r, by)
	if err != nil {
		return err
	}
	if !p.days.OwnFrom.IsZero() {
		p.own = p.days.OwnFrom.String()
	}
	if !p.days.GuardiansUntil.IsZero() {
		p.guardians = p.days.GuardiansUntil.String()
	}
	return s.show(w, r, http.StatusOK, p.View())
}

func (s *Site) agePage(r *http.Request, by access.Actor) (p AgePage, err error) {
	client, err := pathID[id.Client](r, "client")
	if err != nil {
		return p, err
	}
	err = s.DB.View(r.Context(), func(tx *db.Tx) error {
		if p.client, err = people.Find(tx, by, client); err != nil {
			return err
		}
		if p.glass, err = glassOf(tx, by, client); err != nil {
			return err
		}
		p.days, err = people.MinorOf(tx, by, client)
		return err
	})
	if err != nil {
		return p, err
	}
	p.Page, err = s.frame(r, by, "Coming of age", "/people")
	return p, err
}

var (
	errNoOwnDay       = fault.On("own", fault.Invalid, "Choose a day.")
	errNoGuardiansDay = fault.On("guardians", fault.Invalid, "Choose a day.")
)

// POST /people/{client}/age
func (s *Site) setAge(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	p, err := s.agePage(r, by)
	if err != nil {
		return err
	}
	p.own, p.guardians = form.Get("own"), form.Get("guardians")
	var own, guardians civil.Date
	if p.own != "" {
		if own, err = civil.ParseDate(p.own); err != nil {
			err = errNoOwnDay
		}
	}
	if p.guardians != "" && err == nil {
		if guardians, err = civil.ParseDate(p.guardians); err != nil {
			err = errNoGuardiansDay
		}
	}
	if err == nil {
		err = s.DB.Update(r.Context(), func(tx *db.Tx) error { return people.SetMinor(tx, by, p.client.ID, own, guardians) })
	}
	if err == nil {
		return see(w, r, p.path("?said=age"))
	}
	told, status := problemsOf(err)
	if told == nil || status == http.StatusNotFound {
		return err
	}
	p.tell(told)
	return s.show(w, r, status, p.View())
}

// ageWords say what a minor's days mean now, one a line.
func (p ClientPage) ageWords() (all []string) {
	now := p.reader.Now
	if opens := p.days.OpensAt(); p.days.NoDay() {
		all = append(all, "May not sign in themselves: they are a minor, and no day is known. Note the date of birth, or set a day.")
	} else if opens != nil {
		if opens.After(now.Time) {
			all = append(all, "May sign in themselves from "+dateWords(p.days.OwnFrom)+".")
		} else {
			all = append(all, "May sign in themselves, since "+dateWords(p.days.OwnFrom)+".")
		}
	}
	if ends := p.days.GuardiansEnd(); ends != nil {
		if ends.After(now.Time) {
			all = append(all, "What parents and guardians were given ends on "+dateWords(p.days.GuardiansUntil)+", where that was ticked.")
		} else {
			all = append(all, "What parents and guardians were given ended on "+dateWords(p.days.GuardiansUntil)+", where that was ticked.")
		}
	}
	return all
}

// ofAge is the words of the tick that ends a contact's access with the client's
// coming of age; "" where there is no such day to come.
func (p ContactPage) ofAge() string {
	ends := p.days.GuardiansEnd()
	if ends == nil && p.OfAge && p.line.OfAge { // it was ticked, and the day was taken away
		return "Ends, too, when the client comes of age. No day is known, so that it is closed"
	}
	if ends == nil || !ends.After(p.line.reader.Now.Time) && !p.OfAge {
		return ""
	}
	return "Ends, too, when the client comes of age, on " + dateWords(p.days.GuardiansUntil)
}
