package web

import (
	"net/http"
	"strings"

	"icouch/internal/access"
	"icouch/internal/account/factor"
	"icouch/internal/people"
	"icouch/internal/platform/db"
)

// AuthenticatorPage sets an authenticator app up.
type AuthenticatorPage struct {
	Page
	Next     string
	Replaces bool
	QR       QR
	Key      string // the seed, to type in
	App      string // the seed as an address that an app on this device opens, after its scheme
	Sealed   string
	Code     string // as typed
}

// showAuthenticator is GET /settings/authenticator. The seed is shown and not
// kept until a code shows that an app has it.
func (s *Site) showAuthenticator(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	next := localPath(r.URL.Query().Get("next"))
	if ok, err := s.proved(w, r, here(r)); !ok {
		return err
	}
	p, err := s.authenticatorPage(r, by, next, "")
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, p.View())
}

func (s *Site) authenticatorPage(r *http.Request, by access.Actor, next, sealed string) (p AuthenticatorPage, err error) {
	page, who, err := s.settings(r, by)
	if err != nil {
		return p, err
	}
	p = AuthenticatorPage{Page: page, Next: next, Sealed: sealed}
	p.Shell.Title = "Authenticator app"
	var seed factor.Seed
	err = s.DB.View(r.Context(), func(tx *db.Tx) error {
		has, err := factor.Of(tx, outside(by))
		p.Replaces = has.Authenticator
		if err != nil {
			return err
		}
		if sealed != "" {
			if seed, err = factor.Offered(tx, outside(by), sealed); err == nil {
				return nil
			}
		}
		seed, p.Sealed, err = factor.Offer(tx, outside(by))
		return err
	})
	if err != nil {
		return p, err
	}
	for i, c := range seed.Reveal() {
		if i > 0 && i%4 == 0 {
			p.Key += " "
		}
		p.Key += string(c)
	}
	address := seed.URL(s.House.Brand, who.Email.String())
	p.App = strings.TrimPrefix(address, "otpauth:")
	p.QR, err = drawQR(address)
	return p, err
}

// setAuthenticator is POST /settings/authenticator. Only who has just shown who
// they are was given what the form brings back.
func (s *Site) setAuthenticator(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if err := typed(r); err != nil {
		return err
	}
	next, sealed := localPath(r.PostFormValue("next")), r.PostFormValue("offer")
	if ok, err := s.mayArm(w, r, by, func(tx *db.Tx) error { _, err := factor.Offered(tx, outside(by), sealed); return err }); !ok {
		return err
	}
	set, first, err := s.arm(r, by, func(tx *db.Tx) error {
		seed, err := factor.Offered(tx, outside(by), sealed)
		if err != nil {
			return err
		}
		return factor.SetAuthenticator(tx, outside(by), seed, r.PostFormValue("code"), visitOf(r).token)
	})
	if err == nil {
		set(w)
		return s.armed(w, r, first, next, "authenticator")
	}
	told, status := problemsOf(err)
	if told == nil {
		return err
	}
	p, err := s.authenticatorPage(r, by, next, sealed)
	if err != nil {
		return err
	}
	p.Code = r.PostFormValue("code")
	p.tell(told)
	return s.show(w, r, status, p.View())
}

// RemovalPage asks whether the authenticator app is to go.
type RemovalPage struct {
	Page
	alone bool // no passkey is beside it
}

func (p RemovalPage) lede() string {
	if p.alone {
		return "Its codes will not sign you in any more. It is your only second step: your account is then protected by a password alone."
	}
	return "Its codes will not sign you in any more. Your passkeys stay as they are."
}

// chooseRemoval is GET /settings/authenticator/removal.
func (s *Site) chooseRemoval(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	has, err := s.factorsOf(r, by)
	if err != nil {
		return err
	}
	if !has.Authenticator { // gone already
		return see(w, r, securityPath)
	}
	page, _, err := s.settings(r, by)
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, RemovalPage{page, has.Last()}.View())
}

// removeAuthenticator is POST /settings/authenticator/removal.
func (s *Site) removeAuthenticator(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return s.remove(w, r, by, func(tx *db.Tx) error { return people.DropAuthenticator(tx, outside(by)) })
}
