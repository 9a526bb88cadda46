package web

import (
	"net/http"
	"strings"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/account/factor"
	"icouch/internal/base/secret"
	"icouch/internal/platform/db"
	"icouch/internal/web/parts"
)

// provedFor is how long showing who one is holds good.
const provedFor = 5 * time.Minute

// proved reports whether whoever asks has shown in the last minutes who they
// are. If not, it leads them to do so and then on to next.
func (s *Site) proved(w http.ResponseWriter, r *http.Request, next string) (bool, error) {
	if s.provedLately(r) {
		return true, nil
	}
	return false, see(w, r, with("/settings/prove", next))
}

func (s *Site) provedLately(r *http.Request) bool {
	return s.DB.Clock().Sub(visitOf(r).session.ProvedAt.Time) <= provedFor
}

// here is where a request is, and where it wanted to go on to.
func here(r *http.Request) string { return localPath(r.URL.Path) }

func (p StepPage) passwordButton() parts.ButtonKind {
	if p.Has.Authenticator {
		return parts.Secondary
	}
	return parts.Primary
}

// showProve is GET /settings/prove.
func (s *Site) showProve(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	p, err := s.provePage(r, by, r.URL.Query().Get("next"))
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, p.View())
}

// provePage asks for a second step, or for the password of whoever has none. A
// password is as good in a session that began with a second step, and only there.
func (s *Site) provePage(r *http.Request, by access.Actor, next string) (p StepPage, err error) {
	page, who, err := s.settings(r, by)
	if err != nil {
		return p, err
	}
	p = StepPage{Page: page, Action: "/settings/prove", Heading: "Is it you?", Lede: proveLede(next), Cancel: cancelled(next), Next: localPath(next), Email: who.Email.String()}
	p.Shell.Title = "Is it you?"
	if next == "/people" {
		for i := range p.Nav {
			p.Nav[i].Current = p.Nav[i].Href == next
		}
	}
	err = s.DB.View(r.Context(), func(tx *db.Tx) error {
		if p.Has, err = factor.Of(tx, outside(by)); err != nil {
			return err
		}
		p.Password = !p.Has.Any() || visitOf(r).session.Strong
		return s.askFor(tx, &p, by.Account())
	})
	return p, err
}

// proveAgain is POST /settings/prove. The session goes on under a new token.
func (s *Site) proveAgain(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if err := typed(r); err != nil {
		return err
	}
	p, err := s.provePage(r, by, r.PostFormValue("next"))
	if err != nil {
		return err
	}
	token, err := s.renewed(r, by, p.Password && r.PostForm.Has("password"))
	if err != nil {
		told, status := problemsOf(err)
		if told == nil {
			return err
		}
		p.Code = r.PostFormValue("code")
		p.tell(told)
		return s.show(w, r, status, p.View())
	}
	s.setCookie(w, s.sessionCookie(), token, 0)
	if p.Next == "/people" { // the form was sent, and is not kept: a file goes out by a press
		return see(w, r, "/people?said=proved")
	}
	return see(w, r, onward(p.Next))
}

// proveLede says before what somebody is asked.
func proveLede(next string) string {
	switch {
	case next == "/people":
		return "Before the list of clients goes out as a file, we ask once more who you are. Then press Export again."
	case strings.HasPrefix(next, "/settings/team"):
		return "Before power in the practice is given, we ask once more who you are. Then press the button again."
	case next == closePath:
		return "Before a practice is closed, we ask once more who you are. You then go on where you were."
	case strings.HasPrefix(next, "/settings/"):
		return "Before anything about how you sign in is changed, we ask once more who you are. You then go on where you were."
	}
	return "Before you go on, we ask once more who you are."
}

// cancelled is where somebody goes who would rather not.
func cancelled(next string) string {
	switch {
	case next == "/people", next == "/settings/team":
		return next
	case strings.HasPrefix(next, "/settings/"):
		return "/settings"
	}
	return "/dashboard"
}

// renewed takes a password or a second step, and gives the session a new token.
func (s *Site) renewed(r *http.Request, by access.Actor, password bool) (token secret.Token, err error) {
	renew := func(tx *db.Tx) (err error) {
		token, err = account.Renew(tx, outside(by), visitOf(r).token, !password)
		return err
	}
	if !password {
		err = s.showing(r, by.Account(), false, renew)
		return token, err
	}
	if err := s.prove(r, by, r.PostFormValue("password")); err != nil {
		return token, err
	}
	err = s.DB.Update(r.Context(), renew)
	return token, err
}
