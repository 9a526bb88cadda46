package web

import (
	"net/http"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/email"
	"icouch/internal/base/secret"
	"icouch/internal/platform/db"
	"icouch/internal/web/parts"
)

// LinkPage is behind a link about somebody's own address: what it does, and the
// one button that does it.
type LinkPage struct {
	Page
	Heading, Words string
	Address        string // the one it is about; or ""
	Action, Label  string
	SignIn         bool // only the owner can use it, and nobody is signed in
}

// showConfirmEmail is GET /email/{link}. Looking uses nothing up.
func (s *Site) showConfirmEmail(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	address, err := s.peekAddress(r, by, account.PeekEmail)
	if err != nil {
		return s.dead(w, r, err, wayFrom(by), wayHelp)
	}
	return s.show(w, r, http.StatusOK, LinkPage{Page: s.door(r, "Confirm"), Heading: "Confirm your new address",
		Words: "Once you confirm it, you sign in with this address. We tell the old address, which can take the change back for 7 days.", Address: address.String(),
		Action: "/email/" + r.PathValue("link"), Label: "Confirm", SignIn: !by.SignedIn()}.View())
}

// confirmEmail is POST /email/{link}.
func (s *Site) confirmEmail(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	err := s.DB.Update(r.Context(), func(tx *db.Tx) error {
		return account.ConfirmEmail(tx, outside(by), secret.ParseToken(r.PathValue("link")))
	})
	if err != nil {
		return s.dead(w, r, err, wayFrom(by), wayHelp)
	}
	return see(w, r, "/settings/email?said=changed")
}

// showVerify is GET /verify/{link}. Looking uses nothing up.
func (s *Site) showVerify(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	err := s.DB.View(r.Context(), func(tx *db.Tx) error {
		return account.PeekVerify(tx, by, secret.ParseToken(r.PathValue("link")))
	})
	if err != nil {
		return s.dead(w, r, err, wayFrom(by), wayHelp)
	}
	return s.show(w, r, http.StatusOK, LinkPage{Page: s.door(r, "Confirm"), Heading: "Confirm your address",
		Words: "Then we know that our letters reach you.", Action: "/verify/" + r.PathValue("link"), Label: "Confirm", SignIn: !by.SignedIn()}.View())
}

// verifyEmail is POST /verify/{link}.
func (s *Site) verifyEmail(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	err := s.DB.Update(r.Context(), func(tx *db.Tx) error {
		return account.ConfirmVerify(tx, outside(by), secret.ParseToken(r.PathValue("link")))
	})
	if err != nil {
		return s.dead(w, r, err, wayFrom(by), wayHelp)
	}
	return see(w, r, "/settings/email?said=verified")
}

// showRevertEmail is GET /email-back/{link}. Looking uses nothing up.
func (s *Site) showRevertEmail(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	address, err := s.peekAddress(r, by, account.PeekRevert)
	if err != nil {
		return s.dead(w, r, err, waySignIn, wayHelp)
	}
	return s.show(w, r, http.StatusOK, LinkPage{Page: s.door(r, "Take it back"), Heading: "Take the change back?",
		Words: "The address below is put back, everybody is signed out, and the password stops working. Then you choose a new one.", Address: address.String(),
		Action: "/email-back/" + r.PathValue("link"), Label: "Take it back"}.View())
}

// revertEmail is POST /email-back/{link}. It works for whoever holds the link:
// a thief may have shut out the owner.
func (s *Site) revertEmail(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	err := s.DB.Update(r.Context(), func(tx *db.Tx) error {
		return account.Revert(tx, outside(by), secret.ParseToken(r.PathValue("link")))
	})
	if err != nil {
		return s.dead(w, r, err, waySignIn, wayHelp)
	}
	s.dropCookie(w, s.sessionCookie())
	return see(w, r, "/forgot?said=back")
}

func (s *Site) peekAddress(r *http.Request, by access.Actor, peek func(*db.Tx, access.Actor, secret.Token) (email.Address, error)) (a email.Address, err error) {
	err = s.DB.View(r.Context(), func(tx *db.Tx) (err error) {
		a, err = peek(tx, by, secret.ParseToken(r.PathValue("link")))
		return err
	})
	return a, err
}

// wayFrom is what to press after a link about one's address could not be used.
func wayFrom(by access.Actor) parts.Button {
	if by.SignedIn() {
		return parts.Button{Label: "E-mail settings", Kind: parts.Primary, Href: "/settings/email"}
	}
	return waySignIn
}
