package web

import (
	"errors"
	"net/http"

	"icouch/internal/access"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/letter"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/web/parts"
)

// NewClientPage is the form for a new client.
type NewClientPage struct {
	Page
	form   clientForm
	client id.Client // whom the form will make, however often it is sent
}

// what happens when the button is pressed, above the button.
func (p NewClientPage) happens() parts.Notice {
	n := parts.Notice{Tone: parts.Info, Title: "What will happen", Words: "With both boxes ticked, the invitation goes out at once. " +
		"Without consent nothing is mailed; you can invite them later from the People list."}
	if p.form.reader.NoMail {
		n.Tone, n.Words = parts.Warn, "No mail server is set up here, so no letter can leave. You can create the client now and copy the link for them."
	}
	return n
}

// GET /people/new
func (s *Site) newClient(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	var d people.Draft
	if by.Role() != access.Administrator { // who need not be somebody with clients
		d.Practitioner = by.Practitioner().String()
	}
	p, err := s.newClientPage(r, by, id.New[id.Client](s.DB.Clock()), d)
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, p.View())
}

func (s *Site) newClientPage(r *http.Request, by access.Actor, c id.Client, d people.Draft) (p NewClientPage, err error) {
	p.client, p.form.Draft = c, d
	if p.Page, err = s.frame(r, by, "New Client", "/people"); err != nil {
		return p, err
	}
	p.form.reader, p.form.zone, err = s.formReader(r, by)
	return p, err
}

// formReader is the reader of a client's form, and the practice's zone in words.
func (s *Site) formReader(r *http.Request, by access.Actor) (is reader, zone string, err error) {
	is, err = s.reader(r, by)
	return is, visitOf(r).known.practice.Zone.ZoneCity(), err
}

// POST /people
func (s *Site) createClient(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	client, err := id.Parse[id.Client](form.Get("id"))
	if err != nil { // not a form of ours, or one that lost it
		client = id.New[id.Client](s.DB.Clock())
	}
	p, err := s.newClientPage(r, by, client, draft(form))
	if err != nil {
		return err
	}
	details, err := p.form.Read(p.form.reader.today())
	if err == nil {
		var word string
		if word, err = s.create(r, by, client, details, p.form.Invite); err == nil {
			return see(w, r, "/people/"+client.String()+"?said="+word)
		}
	}
	told, status := problemsOf(err)
	if told == nil {
		return err
	}
	p.tell(told)
	p.form.problems = p.Problems
	return s.show(w, r, status, p.View())
}

// create makes the client and says what came of the invitation. A second press
// finds the client there and says the same.
func (s *Site) create(r *http.Request, by access.Actor, c id.Client, d people.Details, invite bool) (word string, err error) {
	switch {
	case !invite:
		word = "created"
	case d.Email.IsZero():
		word = "no-email"
	case !d.EmailConsent:
		word = "no-consent"
	case s.NoMail:
		word = "no-mail"
	default:
		word = "invited"
	}
	var unsent error
	err = s.DB.Update(r.Context(), func(tx *db.Tx) (err error) {
		if !invite {
			return people.Create(tx, by, c, d, false)
		}
		unsent, err = people.Welcome(tx, by, c, d)
		return err
	})
	if errors.Is(err, people.ErrCreated) {
		unsent, err = nil, s.mine(r, by, c)
		if err == nil && invite {
			unsent, err = s.unsent(r, by, c)
		}
	}
	switch {
	case errors.Is(unsent, letter.ErrDeclined):
		word = "declined"
	case errors.Is(unsent, people.ErrTooYoung):
		word = "too-young"
	case errors.Is(unsent, people.ErrManyLetters):
		word = "many-letters"
	}
	return word, err
}

// unsent is why a client who was to be invited has no invitation, for whoever
// pressed twice.
func (s *Site) unsent(r *http.Request, by access.Actor, c id.Client) (why error, err error) {
	err = s.DB.View(r.Context(), func(tx *db.Tx) error {
		is, err := people.Find(tx, by, c)
		if err != nil || is.Email.IsZero() || !is.EmailConsent {
			return err
		}
		m, err := people.MinorOf(tx, by, c)
		if err != nil {
			return err
		}
		if opens := m.OpensAt(); opens != nil && opens.After(tx.Now().Time) {
			why = people.ErrTooYoung
			return nil
		}
		sent, err := people.History(tx, by, c)
		if err != nil || len(sent) > 0 {
			return err
		}
		no, err := letter.Declined(tx, by, is.Email)
		if why = people.ErrManyLetters; no {
			why = letter.ErrDeclined
		}
		return err
	})
	return why, err
}

// mine is fault.NotFound unless a client is one that by may see.
func (s *Site) mine(r *http.Request, by access.Actor, c id.Client) error {
	err := s.DB.View(r.Context(), func(tx *db.Tx) error {
		_, err := people.Find(tx, by, c)
		return err
	})
	if errors.Is(err, fault.NotFound) {
		return people.ErrCreated
	}
	return err
}
