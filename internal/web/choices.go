package web

import (
	"errors"
	"net/http"

	"icouch/internal/access"
	"icouch/internal/base/email"
	"icouch/internal/base/fault"
	"icouch/internal/letter"
	"icouch/internal/platform/db"
	"icouch/internal/web/parts"
)

var errNoChoice = fault.On("invitations", fault.Invalid, "Choose one of the two.")

// What somebody may choose about invitations.
const (
	wanted   = "wanted"
	declined = "declined"
)

// ChoicesPage is "E-mail choices", for people who may have no account.
type ChoicesPage struct {
	Page
	Link    string
	Address string
	Choice  string
	Notice  *parts.Notice
}

// showChoices is GET /choices/{link}. It changes nothing: mail programs open
// such links by themselves.
func (s *Site) showChoices(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	p, _, err := s.choicesPage(r, by)
	if err != nil {
		return s.dead(w, r, err, wayHelp)
	}
	if r.URL.Query().Get("said") == "saved" {
		p.Notice = &parts.Notice{Tone: parts.Good, Words: "Your choice is saved."}
	}
	return s.show(w, r, http.StatusOK, p.View())
}

func (s *Site) choicesPage(r *http.Request, by access.Actor) (p ChoicesPage, a email.Address, err error) {
	p = ChoicesPage{Page: s.door(r, "E-mail choices"), Link: r.PathValue("link"), Choice: wanted}
	err = s.DB.View(r.Context(), func(tx *db.Tx) (err error) {
		if a, err = letter.ChoicesAddress(tx, by, p.Link); err != nil {
			return err
		}
		no, err := letter.Declined(tx, by, a)
		if no {
			p.Choice = declined
		}
		return err
	})
	p.Address = a.String()
	return p, a, err
}

// choose is POST /choices/{link}. A mail program's own "Unsubscribe" comes here
// too, by RFC 8058; it follows no redirect.
func (s *Site) choose(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	oneClick, err := typedInto(r)
	if err != nil {
		return err
	}
	p, a, err := s.choicesPage(r, by)
	if err != nil {
		return s.dead(w, r, err, wayHelp)
	}
	choice := r.PostFormValue("invitations")
	if oneClick {
		choice = declined
	}
	err = s.setChoice(r, by, a, choice)
	if told, status := problemsOf(err); told != nil {
		p.tell(told)
		return s.show(w, r, status, p.View())
	}
	if err != nil {
		return err
	}
	if oneClick {
		return plain(w, http.StatusOK, "No more invitations are sent to this address.\n")
	}
	return see(w, r, "/choices/"+p.Link+"?said=saved")
}

// typedInto reads the form, which a mail program may send in either shape, and
// reports whether it is one.
func typedInto(r *http.Request) (oneClick bool, err error) {
	err = r.ParseMultipartForm(formSize)
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return false, err
	}
	return r.PostFormValue("List-Unsubscribe") == "One-Click", nil
}

func (s *Site) setChoice(r *http.Request, by access.Actor, a email.Address, choice string) error {
	return s.DB.Update(r.Context(), func(tx *db.Tx) error {
		switch choice {
		case wanted:
			return letter.Want(tx, outside(by), a)
		case declined:
			return letter.Decline(tx, outside(by), a)
		}
		return errNoChoice
	})
}
