package web

import (
	"net/http"

	"github.com/a-h/templ"

	"icouch/internal/access"
	"icouch/internal/account/factor"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/web/parts"
)

func (s *Site) passkeyOffered(tx *db.Tx, by access.Actor, r *http.Request) error {
	if s.passkeys == nil {
		return factor.ErrNotAdded
	}
	return s.passkeys.Offered(tx, outside(by), r.PostFormValue("asked"))
}

// NewPasskeyPage adds a passkey.
type NewPasskeyPage struct {
	Page
	Next, Name string
	Ask        factor.Ask
	Back       *parts.Link
}

func (p NewPasskeyPage) form() PasskeyForm {
	return PasskeyForm{Action: "/settings/passkey", Label: "Add a passkey", Next: p.Next, Ask: p.Ask, Make: true, Name: p.Name, Problems: p.Problems, Primary: true}
}

// showNewPasskey is GET /settings/passkey.
func (s *Site) showNewPasskey(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if ok, err := s.proved(w, r, here(r)); !ok {
		return err
	}
	p, err := s.newPasskeyPage(r, by, localPath(r.URL.Query().Get("next")))
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, p.View())
}

func (s *Site) newPasskeyPage(r *http.Request, by access.Actor, next string) (p NewPasskeyPage, err error) {
	page, _, err := s.settings(r, by)
	if err != nil {
		return p, err
	}
	p = NewPasskeyPage{Page: page, Next: next, Back: backToSecurity}
	p.Shell.Title = "Passkey"
	if s.passkeys == nil {
		return p, nil
	}
	p.Modules = []string{"passkey"}
	err = s.DB.View(r.Context(), func(tx *db.Tx) (err error) {
		p.Ask, err = s.passkeys.Offer(tx, outside(by))
		return err
	})
	return p, err
}

// addPasskey is POST /settings/passkey.
func (s *Site) addPasskey(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if err := typed(r); err != nil {
		return err
	}
	next := localPath(r.PostFormValue("next"))
	if ok, err := s.mayArm(w, r, by, func(tx *db.Tx) error { return s.passkeyOffered(tx, by, r) }); !ok {
		return err
	}
	var set func(http.ResponseWriter)
	var first bool
	err := error(factor.ErrNotAdded)
	if s.passkeys != nil {
		set, first, err = s.arm(r, by, func(tx *db.Tx) error {
			return s.passkeys.Add(tx, outside(by), r.PostFormValue("asked"), r.PostFormValue("answer"), r.PostFormValue("name"), visitOf(r).token)
		})
	}
	if err == nil {
		set(w)
		return s.armed(w, r, first, next, "passkey")
	}
	told, status := problemsOf(err)
	if told == nil {
		return err
	}
	p, err := s.newPasskeyPage(r, by, next)
	if err != nil {
		return err
	}
	p.Name = r.PostFormValue("name")
	p.tell(told)
	return s.show(w, r, status, p.View())
}

// PasskeyPage is one passkey: its name, and the way to remove it.
type PasskeyPage struct {
	Page
	PasskeyLine
	Typed string
}

// showPasskey is GET /settings/passkeys/{passkey}.
func (s *Site) showPasskey(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if _, err := s.passkeyPage(r, by); err != nil {
		return err
	}
	if ok, err := s.proved(w, r, here(r)); !ok {
		return err
	}
	p, err := s.passkeyPage(r, by)
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, p.View())
}

func (s *Site) passkeyPage(r *http.Request, by access.Actor) (PasskeyPage, error) {
	all, err := s.securityPage(r, by)
	if err != nil {
		return PasskeyPage{}, err
	}
	for _, l := range all.Passkeys {
		if l.Href == "/settings/passkeys/"+r.PathValue("passkey") {
			return PasskeyPage{all.Page, l, l.Name}, nil
		}
	}
	return PasskeyPage{}, fault.NotFound
}

// renamePasskey is POST /settings/passkeys/{passkey}.
func (s *Site) renamePasskey(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if err := typed(r); err != nil {
		return err
	}
	k, err := pathID[id.Passkey](r, "passkey")
	if err != nil {
		return err
	}
	p, err := s.passkeyPage(r, by)
	if err != nil {
		return err
	}
	if ok, err := s.proved(w, r, p.Href); !ok {
		return err
	}
	p.Typed = r.PostFormValue("name")
	err = s.DB.Update(r.Context(), func(tx *db.Tx) error {
		if _, err := changeable(tx, r, by); err != nil {
			return err
		}
		return factor.RenamePasskey(tx, outside(by), k, p.Typed)
	})
	if err == nil {
		return see(w, r, securityPath+"?said=renamed")
	}
	return s.answerForm(w, r, &p.Page, err, func() templ.Component { return p.View() })
}

// removePasskey is POST /settings/passkeys/{passkey}/removal.
func (s *Site) removePasskey(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	k, err := pathID[id.Passkey](r, "passkey")
	if err != nil {
		return err
	}
	if _, err := s.passkeyPage(r, by); err != nil {
		return err
	}
	return s.remove(w, r, by, func(tx *db.Tx) error { return people.DropPasskey(tx, outside(by), k) })
}
