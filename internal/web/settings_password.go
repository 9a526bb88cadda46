package web

import (
	"errors"
	"net/http"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/account/password"
	"icouch/internal/base/fault"
	"icouch/internal/people"
	"icouch/internal/platform/db"
)

// PasswordPage changes a password.
type PasswordPage struct {
	Page
	Email     string // for password managers
	Suggested string
}

// errNoCurrent is what is missing where a password is asked for once more.
var errNoCurrent = fault.On("password", fault.Invalid, "Enter your current password.")

// errSamePassword is a new password that is the old one.
var errSamePassword = fault.On("new", fault.Invalid, "This is the password you have. Choose another one.")

// showPassword is GET /settings/password.
func (s *Site) showPassword(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	page, who, err := s.settings(r, by)
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, PasswordPage{page, who.Email.String(), password.Suggest()}.View())
}

// setPassword is POST /settings/password. This session goes on; all others end.
func (s *Site) setPassword(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if err := typed(r); err != nil {
		return err
	}
	_, who, err := s.settings(r, by)
	if err != nil {
		return err
	}
	err = s.changePassword(r, by, who, r.PostFormValue("password"), r.PostFormValue("new"))
	if err == nil {
		return see(w, r, saved)
	}
	page, status, err := s.settingsAgain(r, by, err)
	if err != nil {
		return err
	}
	return s.show(w, r, status, PasswordPage{page, who.Email.String(), password.Suggest()}.View())
}

func (s *Site) changePassword(r *http.Request, by access.Actor, who account.Account, current, pw string) error {
	if err := s.prove(r, by, current); err != nil {
		return err
	}
	if pw == current {
		return errSamePassword
	}
	names, err := s.namesAround(r, by, who)
	if err != nil {
		return err
	}
	hash, err := s.Doorman.Hash(r.Context(), pw, s.guessable(names...))
	if errors.Is(err, fault.Invalid) {
		return fault.At("new", err)
	}
	if err != nil {
		return err
	}
	return s.DB.Update(r.Context(), func(tx *db.Tx) error { return account.SetPassword(tx, by, hash, visitOf(r).token) })
}

// prove asks for by's own password once more.
func (s *Site) prove(r *http.Request, by access.Actor, pw string) error {
	if pw == "" {
		return errNoCurrent
	}
	return s.Doorman.Prove(r.Context(), by, pw)
}

// namesAround are the names a stranger would try for a person's password.
func (s *Site) namesAround(r *http.Request, by access.Actor, who account.Account) ([]string, error) {
	names := []string{who.Name, who.Email.String()}
	err := s.DB.View(r.Context(), func(tx *db.Tx) error {
		places, err := people.Places(tx, by)
		for _, p := range places {
			names = append(names, p.Practice)
		}
		return err
	})
	return names, err
}
