package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"icouch/internal/access"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/joint"
	"icouch/internal/people"
	"icouch/internal/people/directory"
	"icouch/internal/platform/db"
	"icouch/internal/web/parts"
)

// How a client comes into a joint record: into one that is there, or into a new
// one that begins on their page.

// mostFound is how many clients a search for who joins shows.
const mostFound = 20

// GET /together/{joint}/people/new
func (s *Site) findJoining(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	p, err := s.jointPage(r, by)
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, p.add())
}

// POST /together/{joint}/people/new
func (s *Site) searchJoining(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	p, err := s.joining(r, by, form)
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, p.add())
}

// joining is the page with what was searched for: the reader's clients who
// could join.
func (s *Site) joining(r *http.Request, by access.Actor, form url.Values) (p JointPage, err error) {
	if p, err = s.jointPage(r, by); err != nil {
		return p, err
	}
	p.text, p.on, p.chosen = strings.TrimSpace(form.Get("q")), form.Get("from"), form.Get("client")
	if p.text == "" {
		return p, nil
	}
	p.sought = true
	a, err := s.Directory.Look(r.Context(), by, directory.Query{Text: p.text, Group: people.Everyone, Sort: directory.ByName, Most: mostFound})
	if err != nil {
		return p, err
	}
	for _, l := range a.Rows {
		in := slices.ContainsFunc(p.in(), func(x joint.Person) bool { return x.Client == l.ID })
		if !in && !by.OnlyLooks(l.ID, l.Practitioner) && (l.EndsAt == nil || l.EndsAt.After(p.reader.Now.Time)) {
			p.found = append(p.found, l)
		}
	}
	return p, nil
}

var errNobodyJoins = fault.On("client", fault.Invalid, "Choose who is to be added.")

// POST /together/{joint}/people
func (s *Site) joinJoint(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	p, err := s.joining(r, by, form)
	if err != nil {
		return err
	}
	day, wrong := joint.ReadDay("from", p.on)
	client, idErr := id.Parse[id.Client](p.chosen)
	if idErr != nil {
		wrong = errors.Join(errNobodyJoins, wrong)
	}
	if wrong == nil {
		wrong = s.DB.Update(r.Context(), func(tx *db.Tx) error { return joint.Join(tx, by, p.record.ID, client, day) })
	}
	if wrong == nil {
		return see(w, r, p.path("?said=joined"))
	}
	if errors.Is(wrong, fault.NotFound) { // another's client, or one that went meanwhile: the same
		wrong = errNobodyJoins
	}
	return s.jointWrong(w, r, p, wrong, JointPage.add)
}

// candidates are the clients that were found, to choose one.
func (p JointPage) candidates() parts.Choices {
	c := parts.Choices{Name: "client", Legend: "Who is to be added", Value: p.chosen, Problem: p.Problems.For("client")}
	for _, l := range p.found {
		c.Options = append(c.Options, parts.Choice{Value: l.ID.String(), Label: l.Name.Full(), Hint: l.Email})
	}
	return c
}

// NewJointPage begins a joint record with a client.
type NewJointPage struct {
	Page
	joint.Draft
	client people.Client
	names  memberNames
	fresh  id.Joint
	glass  *glass
	may    bool // choose who looks after it
}

func (p NewJointPage) path(rest string) string { return "/people/" + p.client.ID.String() + rest }

func (s *Site) newJointPage(r *http.Request, by access.Actor) (p NewJointPage, err error) {
	client, err := pathID[id.Client](r, "client")
	if err != nil {
		return p, err
	}
	p.may = by.May(access.AssignCare)
	err = s.DB.View(r.Context(), func(tx *db.Tx) (err error) {
		if p.client, err = people.Find(tx, by, client); err != nil {
			return err
		}
		if p.glass, err = glassOf(tx, by, client); err != nil {
			return err
		}
		p.names, err = people.Practitioners(tx, by)
		return err
	})
	if err != nil {
		return p, err
	}
	p.fresh, p.Practitioner = id.New[id.Joint](s.DB.Clock()), p.client.Practitioner.String()
	p.Page, err = s.frame(r, by, "New joint record", "/people")
	return p, err
}

// GET /people/{client}/together/new
func (s *Site) newJoint(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	p, err := s.newJointPage(r, by)
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, p.View())
}

var errOldJoint = fault.New(fault.Invalid, "This form is too old. Open it again, and create the joint record from there.")

// POST /people/{client}/together
func (s *Site) makeJoint(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	p, err := s.newJointPage(r, by)
	if err != nil {
		return err
	}
	p.Draft = joint.Draft{Kind: form.Get("kind"), Name: form.Get("name"), Practitioner: form.Get("practitioner")}
	d, err := p.Read()
	j, idErr := id.Parse[id.Joint](form.Get("id"))
	if idErr != nil && err == nil {
		err = errOldJoint
	}
	if idErr == nil {
		p.fresh = j
	}
	if err == nil {
		err = s.DB.Update(r.Context(), func(tx *db.Tx) error { return joint.Make(tx, by, j, p.client.ID, d) })
	}
	if err == nil {
		return see(w, r, "/together/"+j.String()+"?said=made")
	}
	told, status := problemsOf(err)
	if told == nil || status == http.StatusNotFound {
		return err
	}
	p.tell(told)
	return s.show(w, r, status, p.View())
}

// jointLine is a joint record on the page of a client in it.
func (p ClientPage) jointLine(r joint.Record) string {
	var with []string
	for _, x := range r.In(p.reader.Now) {
		if x.Client != p.client.ID {
			with = append(with, x.Name.Full())
		}
	}
	switch {
	case !slices.ContainsFunc(r.In(p.reader.Now), func(x joint.Person) bool { return x.Client == p.client.ID }):
		return kindWords[r.Kind] + " · was in it"
	case len(with) == 0:
		return kindWords[r.Kind] + " · nobody else in it yet"
	}
	return kindWords[r.Kind] + " · with " + join(with)
}

// mayTogether reports whether the reader may begin a joint record with the client.
func (p ClientPage) mayTogether() bool { return p.contact.may && !p.client.Ended(p.reader.Now) }

func (p ClientPage) noJoint() string {
	if p.reader.by.SeesAll() {
		return "This client is in no joint record."
	}
	return "No joint record of this client that you see."
}
