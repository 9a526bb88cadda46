package web

import (
	"errors"
	"net/http"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/account/password"
	"icouch/internal/base/email"
	"icouch/internal/base/fault"
	"icouch/internal/base/secret"
	"icouch/internal/base/text"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/web/parts"
)

// SignUpPage is Practitioner Sign Up. It asks for no password: that is chosen
// behind the link, so that nobody can plant one on another's address.
type SignUpPage struct {
	Page
	Name, Email string
	NoMail      *parts.Notice
}

// CheckMailPage is the end of it: the same words for every address.
type CheckMailPage struct {
	Page
	NoMail *parts.Notice
}

// showSignUp is GET /sign-up.
func (s *Site) showSignUp(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if by.SignedIn() { // they have an account; what they lack is a practice, at most
		return see(w, r, "/practice/new")
	}
	if r.URL.Query().Get("said") == "sent" {
		return s.show(w, r, http.StatusOK, CheckMailPage{s.door(r, "Check your e-mail"), s.noMail()}.View())
	}
	return s.show(w, r, http.StatusOK, SignUpPage{Page: s.door(r, "Practitioner Sign Up"), NoMail: s.noMail()}.View())
}

// signUpPractitioner is POST /sign-up.
func (s *Site) signUpPractitioner(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if err := typed(r); err != nil {
		return err
	}
	p := SignUpPage{Page: s.door(r, "Practitioner Sign Up"), Name: r.PostFormValue("name"), Email: r.PostFormValue("email"), NoMail: s.noMail()}
	if err := s.sendSignUp(r, by, p.Name, p.Email); err != nil {
		told, status := problemsOf(err)
		if told == nil {
			return err
		}
		p.tell(told)
		return s.show(w, r, status, p.View())
	}
	return see(w, r, "/sign-up?said=sent")
}

// longestName is more letters than a name has.
const longestName = 120

// sendSignUp judges both fields before anything is looked up, so that what is
// wrong with one tells nothing of the address.
func (s *Site) sendSignUp(r *http.Request, by access.Actor, typedName, typedEmail string) error {
	name, wrongName := text.Line(typedName, longestName)
	if wrongName == nil && name == "" {
		wrongName = account.ErrNoName
	}
	to, wrongEmail := email.Parse(typedEmail)
	if err := errors.Join(fault.At("name", wrongName), fault.At("email", wrongEmail)); err != nil {
		return err
	}
	if err := s.mayAsk(r); err != nil {
		return err
	}
	if may, err := s.mayWrite(r.Context(), to); err != nil || !may {
		return err
	}
	return s.DB.Update(r.Context(), func(tx *db.Tx) error { return people.WishSignUp(tx, outside(by), name, to) })
}

// ConfirmPage is where a practitioner's account is made, behind the link.
type ConfirmPage struct {
	Page
	Link        string
	Name, Email string // as typed when signing up, and fixed
	Suggested   string
}

var waysToSignUp = []parts.Button{{Label: "Sign In", Kind: parts.Primary, Href: "/sign-in"}, {Label: "Sign up again", Href: "/sign-up"}}

// showConfirm is GET /confirm/{link}. Looking uses nothing up.
func (s *Site) showConfirm(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	p, err := s.confirmPage(r, by)
	if err != nil {
		return s.dead(w, r, err, waysToSignUp...)
	}
	return s.show(w, r, http.StatusOK, p.View())
}

func (s *Site) confirmPage(r *http.Request, by access.Actor) (ConfirmPage, error) {
	p := ConfirmPage{Page: s.door(r, "Confirm"), Link: r.PathValue("link"), Suggested: password.Suggest()}
	err := s.DB.View(r.Context(), func(tx *db.Tx) error {
		told, err := account.PeekSignUp(tx, by, secret.ParseToken(p.Link))
		p.Name, p.Email = told.Name, told.Email.String()
		return err
	})
	return p, err
}

// confirmSignUp is POST /confirm/{link}. A password that is refused leaves the
// link as it was. Whoever has made an account is signed in.
func (s *Site) confirmSignUp(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if err := typed(r); err != nil {
		return err
	}
	p, err := s.confirmPage(r, by)
	if err != nil {
		return s.dead(w, r, err, waysToSignUp...)
	}
	hash, err := s.Doorman.Hash(r.Context(), r.PostFormValue("password"), s.guessable(p.Name, p.Email))
	if err != nil {
		told, status := problemsOf(err)
		if told == nil {
			return err
		}
		p.tell(told)
		return s.show(w, r, status, p.View())
	}
	var set func(http.ResponseWriter)
	err = s.DB.Update(r.Context(), func(tx *db.Tx) error {
		who, err := account.ConfirmSignUp(tx, outside(by), secret.ParseToken(p.Link), hash)
		if err != nil {
			return err
		}
		set, err = s.enter(tx, r, who, account.Entry{})
		return err
	})
	if err != nil {
		return s.dead(w, r, err, waysToSignUp...)
	}
	set(w)
	return see(w, r, "/practice/new")
}
