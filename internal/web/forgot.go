package web

import (
	"net/http"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/account/password"
	"icouch/internal/base/email"
	"icouch/internal/base/fault"
	"icouch/internal/base/secret"
	"icouch/internal/platform/db"
	"icouch/internal/web/parts"
)

// ForgotPage asks for the address of whoever has forgotten their password. What
// it says afterwards is the same for every address.
type ForgotPage struct {
	Page
	Email  string
	Notice *parts.Notice
	NoMail *parts.Notice
}

var saidAtForgot = map[string]parts.Notice{
	"sent": {Tone: parts.Good, Title: "Check your e-mail", Words: "If that address has an account, a link is on its way. It works for 30 minutes. Look among unwanted mail, too."},
	"back": {Tone: parts.Good, Title: "Your old address is back", Words: "Everybody was signed out, and the password does not work any more. Have a link sent to choose a new one."},
}

// showForgot is GET /forgot.
func (s *Site) showForgot(w http.ResponseWriter, r *http.Request, _ access.Actor) error {
	p := ForgotPage{Page: s.door(r, "Forgot password"), NoMail: s.noMail()}
	said := r.URL.Query().Get("said")
	if n, ok := saidAtForgot[said]; ok && (said != "sent" || !s.NoMail) {
		p.Notice = &n
	}
	return s.show(w, r, http.StatusOK, p.View())
}

// askReset is POST /forgot.
func (s *Site) askReset(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if err := typed(r); err != nil {
		return err
	}
	p := ForgotPage{Page: s.door(r, "Forgot password"), Email: r.PostFormValue("email"), NoMail: s.noMail()}
	if err := s.sendReset(r, by, p.Email); err != nil {
		told, status := problemsOf(err)
		if told == nil {
			return err
		}
		p.tell(told)
		return s.show(w, r, status, p.View())
	}
	return see(w, r, "/forgot?said=sent")
}

func (s *Site) sendReset(r *http.Request, by access.Actor, typed string) error {
	to, err := email.Parse(typed)
	if err != nil {
		return fault.At("email", err)
	}
	if err := s.mayAsk(r); err != nil {
		return err
	}
	if may, err := s.mayWriteReset(r.Context(), to); err != nil || !may {
		return err
	}
	return s.DB.Update(r.Context(), func(tx *db.Tx) error { return account.WishReset(tx, outside(by), to) })
}

// ResetPage is where a new password is chosen, behind a link.
type ResetPage struct {
	Page
	Link      string
	Suggested string
}

func (s *Site) resetPage(r *http.Request) ResetPage {
	return ResetPage{Page: s.door(r, "New password"), Link: r.PathValue("link"), Suggested: password.Suggest()}
}

// showReset is GET /reset/{link}. Looking uses nothing up.
func (s *Site) showReset(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if err := s.peekReset(r, by); err != nil {
		return s.dead(w, r, err, waysToReset...)
	}
	return s.show(w, r, http.StatusOK, s.resetPage(r).View())
}

var waysToReset = []parts.Button{{Label: "Send me a new link", Kind: parts.Primary, Href: "/forgot"}, {Label: "Sign In", Href: "/sign-in"}}

func (s *Site) peekReset(r *http.Request, by access.Actor) error {
	return s.DB.View(r.Context(), func(tx *db.Tx) error {
		return account.PeekReset(tx, by, secret.ParseToken(r.PathValue("link")))
	})
}

// reset is POST /reset/{link}. A password that is refused leaves the link as it
// was. Afterwards people sign in with what they have chosen.
func (s *Site) reset(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if err := typed(r); err != nil {
		return err
	}
	if err := s.peekReset(r, by); err != nil { // before the password is hashed, which takes its time
		return s.dead(w, r, err, waysToReset...)
	}
	hash, err := s.Doorman.Hash(r.Context(), r.PostFormValue("password"), s.guessable())
	if err != nil {
		told, status := problemsOf(err)
		if told == nil {
			return err
		}
		p := s.resetPage(r)
		p.tell(told)
		return s.show(w, r, status, p.View())
	}
	err = s.DB.Update(r.Context(), func(tx *db.Tx) error {
		_, err := account.Reset(tx, outside(by), secret.ParseToken(r.PathValue("link")), hash)
		return err
	})
	if err != nil {
		return s.dead(w, r, err, waysToReset...)
	}
	s.dropCookie(w, s.sessionCookie())
	return see(w, r, "/sign-in?said=reset")
}
