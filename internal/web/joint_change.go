package web

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/a-h/templ"

	"icouch/internal/access"
	"icouch/internal/base/civil"
	"icouch/internal/base/id"
	"icouch/internal/joint"
	"icouch/internal/platform/db"
	"icouch/internal/web/parts"
)

// What is done with a joint record that is there: what it is called, who looks
// after it, its last day, and what each in it agrees to.

// GET /together/{joint}/edit
func (s *Site) changeJoint(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	p, err := s.jointPage(r, by)
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, p.edit())
}

// POST /together/{joint}/edit
func (s *Site) editJoint(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	p, err := s.jointPage(r, by)
	if err != nil {
		return err
	}
	p.draft.Kind, p.draft.Name = form.Get("kind"), form.Get("name")
	d, err := p.draft.Read()
	if err == nil {
		version, _ := strconv.ParseInt(form.Get("version"), 10, 64) // zero is no version: changed meanwhile
		err = s.DB.Update(r.Context(), func(tx *db.Tx) error { return joint.Edit(tx, by, p.record.ID, version, d) })
	}
	if err == nil {
		return see(w, r, p.path("?said=saved"))
	}
	return s.jointWrong(w, r, p, err, JointPage.edit)
}

// POST /together/{joint}/practitioner
func (s *Site) assignJoint(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	p, err := s.jointPage(r, by)
	if err != nil {
		return err
	}
	p.draft.Practitioner = form.Get("practitioner")
	err = s.DB.Update(r.Context(), func(tx *db.Tx) error {
		return joint.Assign(tx, by, p.record.ID, id.Practitioner(p.draft.Practitioner))
	})
	if err == nil {
		return see(w, r, p.path("?said=assigned"))
	}
	return s.jointWrong(w, r, p, err, JointPage.edit)
}

func kindChoice(value, problem string) parts.Select {
	s := parts.Select{Name: "kind", Label: "What it is", Value: value, Prompt: "Choose", Problem: problem, Required: true}
	for _, k := range joint.Kinds {
		s.Options = append(s.Options, parts.Option{Value: string(k), Label: kindWords[k]})
	}
	return s
}

// GET /together/{joint}/closing
func (s *Site) chooseClosing(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	p, err := s.jointPage(r, by)
	if err != nil {
		return err
	}
	p.on = p.reader.today().String()
	return s.show(w, r, http.StatusOK, p.close())
}

// POST /together/{joint}/closing
func (s *Site) closeJoint(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return s.onADay(w, r, by, "closed", JointPage.close, func(tx *db.Tx, p JointPage, on civil.Date) error {
		return joint.Close(tx, by, p.record.ID, on)
	})
}

// onADay reads the day of the form and does one deed with it.
func (s *Site) onADay(w http.ResponseWriter, r *http.Request, by access.Actor, word string, view func(JointPage) templ.Component, deed func(*db.Tx, JointPage, civil.Date) error) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	p, err := s.jointPage(r, by)
	if err != nil {
		return err
	}
	p.on = form.Get("on")
	day, err := joint.ReadDay("on", p.on)
	if err == nil {
		err = s.DB.Update(r.Context(), func(tx *db.Tx) error { return deed(tx, p, day) })
	}
	if err == nil {
		return see(w, r, p.path("?said="+word))
	}
	return s.jointWrong(w, r, p, err, view)
}

// GET /together/{joint}/people/{person}/leaving
func (s *Site) chooseLeaving(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	p, err := s.jointPage(r, by)
	if err != nil {
		return err
	}
	p.on = p.reader.today().String()
	return s.show(w, r, http.StatusOK, p.leave())
}

// POST /together/{joint}/people/{person}/leaving
func (s *Site) leaveJoint(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return s.onADay(w, r, by, "left", JointPage.leave, func(tx *db.Tx, p JointPage, on civil.Date) error {
		return joint.Leave(tx, by, p.record.ID, p.person.ID, on)
	})
}

// jointDeed does one deed about the joint record of the address and goes on to
// its page, or says there why not.
func (s *Site) jointDeed(w http.ResponseWriter, r *http.Request, by access.Actor, word string, deed func(*db.Tx, JointPage, url.Values) error) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	p, err := s.jointPage(r, by)
	if err != nil {
		return err
	}
	err = s.DB.Update(r.Context(), func(tx *db.Tx) error { return deed(tx, p, form) })
	if err == nil {
		return see(w, r, p.path("?said="+word))
	}
	return s.jointWrong(w, r, p, err, JointPage.View)
}

// POST /together/{joint}/return
func (s *Site) reopenJoint(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return s.jointDeed(w, r, by, "reopened", func(tx *db.Tx, p JointPage, _ url.Values) error { return joint.Reopen(tx, by, p.record.ID) })
}

// POST /together/{joint}/people/{person}/return
func (s *Site) stayInJoint(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return s.jointDeed(w, r, by, "stays", func(tx *db.Tx, p JointPage, _ url.Values) error {
		return joint.Stay(tx, by, p.record.ID, p.person.ID)
	})
}

// POST /together/{joint}/people/{person}/consents
func (s *Site) agreeInJoint(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return s.jointDeed(w, r, by, "agreed", func(tx *db.Tx, p JointPage, form url.Values) error {
		return joint.Agree(tx, by, p.record.ID, p.person.ID, joint.What(form.Get("what")))
	})
}

// POST /together/{joint}/people/{person}/consents/withdrawal
func (s *Site) takeBackInJoint(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return s.jointDeed(w, r, by, "withdrawn", func(tx *db.Tx, p JointPage, form url.Values) error {
		return joint.TakeBack(tx, by, p.record.ID, p.person.ID, joint.What(form.Get("what")))
	})
}
