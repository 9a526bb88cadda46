package web

import (
	"errors"
	"net/http"
	"strconv"

	"icouch/internal/access"
	"icouch/internal/base/email"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/web/parts"
)

// EditClientPage is the form for a client that is there already.
type EditClientPage struct {
	Page
	form   clientForm
	client people.Client // as it is now
	now    *parts.Facts  // what the record says now, when somebody else changed it
	glass  *glass
}

func (p EditClientPage) path(rest string) string { return "/people/" + p.client.ID.String() + rest }

// GET /people/{client}/edit
func (s *Site) changeClient(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	p, err := s.editClientPage(r, by)
	if err != nil {
		return err
	}
	p.form.Draft = people.DraftOf(p.client)
	return s.show(w, r, http.StatusOK, p.View())
}

func (s *Site) editClientPage(r *http.Request, by access.Actor) (p EditClientPage, err error) {
	client, err := pathID[id.Client](r, "client")
	if err != nil {
		return p, err
	}
	err = s.DB.View(r.Context(), func(tx *db.Tx) error {
		if p.client, err = people.Find(tx, by, client); err != nil {
			return err
		}
		p.glass, err = glassOf(tx, by, client)
		return err
	})
	if err != nil {
		return p, err
	}
	if p.form.reader, p.form.zone, err = s.formReader(r, by); err != nil {
		return p, err
	}
	p.Page, err = s.frame(r, by, "Edit client", "/people")
	return p, err
}

// POST /people/{client}/edit
func (s *Site) editClient(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	p, err := s.editClientPage(r, by)
	if err != nil {
		return err
	}
	p.form.Draft = draft(form)
	details, err := p.form.Read(p.form.reader.today())
	if err == nil {
		version, _ := strconv.ParseInt(form.Get("version"), 10, 64) // zero is no version: changed meanwhile
		var withdrawn bool
		err = s.DB.Update(r.Context(), func(tx *db.Tx) error {
			withdrawn, err = people.Edit(tx, by, p.client.ID, version, details)
			return err
		})
		if err == nil {
			return see(w, r, p.path("?said="+savedAs(withdrawn, p.client.Email, details.Email)))
		}
	}
	if errors.Is(err, fault.NotFound) {
		return err
	}
	if errors.Is(err, people.ErrChanged) {
		now := clientFacts(p.client, p.form.reader)
		p.now = &now
	}
	told, status := problemsOf(err)
	if told == nil {
		return err
	}
	p.tell(told)
	p.form.problems = p.Problems
	return s.show(w, r, status, p.View())
}

// savedAs is the word for what saving came to.
func savedAs(withdrawn bool, was, is email.Address) string {
	if withdrawn && was.Fold() != is.Fold() && !is.IsZero() {
		return "moved"
	}
	return "saved"
}
