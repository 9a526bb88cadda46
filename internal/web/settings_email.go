package web

import (
	"net/http"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/email"
	"icouch/internal/base/fault"
	"icouch/internal/platform/db"
	"icouch/internal/web/parts"
)

// EmailPage changes the address a person signs in with.
type EmailPage struct {
	Page
	Now      string // the address as it is
	Verified bool
	Email    string // the one typed
	Notice   *parts.Notice
	NoMail   *parts.Notice
}

var saidAtEmail = map[string]parts.Notice{
	"sent":     {Tone: parts.Good, Title: "Check the new address", Words: "We have sent a letter there. Open the link in it on this device and confirm. Until then you sign in with the address you have now."},
	"changed":  {Tone: parts.Good, Title: "Your e-mail address is changed", Words: "You sign in with it from now on. We have told the old address."},
	"verify":   {Tone: parts.Good, Title: "Check your e-mail", Words: "We have sent you a letter. Open the link in it and confirm."},
	"verified": {Tone: parts.Good, Words: "Your e-mail address is confirmed."},
}

// showEmail is GET /settings/email.
func (s *Site) showEmail(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	p, err := s.emailPage(r, by)
	if err != nil {
		return err
	}
	if n, ok := saidAtEmail[r.URL.Query().Get("said")]; ok {
		p.Notice = &n
	}
	return s.show(w, r, http.StatusOK, p.View())
}

func (s *Site) emailPage(r *http.Request, by access.Actor) (EmailPage, error) {
	page, who, err := s.settings(r, by)
	return EmailPage{Page: page, Now: who.Email.String(), Verified: who.Verified, NoMail: s.noMail()}, err
}

// askEmail is POST /settings/email. The password is asked for once more.
func (s *Site) askEmail(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if err := typed(r); err != nil {
		return err
	}
	typed := r.PostFormValue("email")
	err := s.sendNewEmail(r, by, typed, r.PostFormValue("password"))
	if err == nil {
		return see(w, r, "/settings/email?said=sent")
	}
	return s.emailAgain(w, r, by, typed, err)
}

func (s *Site) sendNewEmail(r *http.Request, by access.Actor, typed, pw string) error {
	to, err := email.Parse(typed)
	if err != nil {
		return fault.At("email", err)
	}
	if err := s.prove(r, by, pw); err != nil {
		return err
	}
	if err := s.mayAsk(r); err != nil {
		return err
	}
	if may, err := s.mayWrite(r.Context(), to); err != nil || !may {
		return err
	}
	return s.DB.Update(r.Context(), func(tx *db.Tx) error { return account.AskEmail(tx, outside(by), to) })
}

// askVerify is POST /settings/email/verify.
func (s *Site) askVerify(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	_, who, err := s.settings(r, by)
	if err != nil {
		return err
	}
	may, err := s.mayWrite(r.Context(), who.Email)
	if err == nil && may {
		err = s.DB.Update(r.Context(), func(tx *db.Tx) error { return account.AskVerify(tx, outside(by), who.ID) })
	}
	if err != nil {
		return s.emailAgain(w, r, by, "", err)
	}
	return see(w, r, "/settings/email?said=verify")
}

func (s *Site) emailAgain(w http.ResponseWriter, r *http.Request, by access.Actor, typed string, wrong error) error {
	told, status := problemsOf(wrong)
	if told == nil {
		return wrong
	}
	p, err := s.emailPage(r, by)
	if err != nil {
		return err
	}
	p.Email = typed
	p.tell(told)
	return s.show(w, r, status, p.View())
}
