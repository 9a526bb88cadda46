package web

import (
	"errors"
	"net/http"
	"net/url"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/account/factor"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/platform/db"
	"icouch/internal/web/parts"
)

// stepPath is where a second step is shown at sign-in.
const stepPath = "/sign-in/step"

// with is a path of ours that knows where to go on to.
func with(path, next string) string {
	if next == "" || next == "/dashboard" {
		return path
	}
	return path + "?next=" + url.QueryEscape(next)
}

// PasskeyForm has the browser ask for a passkey. It is hidden where there is no
// script, or the browser has none.
type PasskeyForm struct {
	Action, Label string
	Next          string
	Ask           factor.Ask
	Make          bool // a new one, with a name
	Name          string
	Problems      parts.Problems
	Conditional   bool // offered in the e-mail field, too
	Primary       bool
}

func (f PasskeyForm) kind() string {
	if f.Make {
		return "create"
	}
	return "get"
}

func (f PasskeyForm) button() parts.Button {
	b := parts.Button{Label: f.Label, Icon: "fingerprint", Wide: !f.Make}
	if f.Primary {
		b.Kind = parts.Primary
	}
	return b
}

func (f PasskeyForm) hidden() []parts.Pair {
	return []parts.Pair{{Name: "next", Value: f.Next}, {Name: "asked", Value: f.Ask.Sealed}, {Name: "answer"}}
}

func (p SignInPage) passkeyForm() PasskeyForm {
	return PasskeyForm{Action: "/sign-in/passkey", Label: "Sign in with a passkey", Next: p.Next, Ask: p.Passkey, Conditional: len(p.Problems) == 0 && !p.Gone}
}

func (p SignInPage) autocomplete() string {
	if p.Passkey.Question == "" {
		return "username"
	}
	return "username webauthn"
}

// StepPage is the second step.
type StepPage struct {
	Page
	Action, Heading, Lede string
	Next                  string
	Cancel                string // the way back for who would rather not
	Has                   factor.Set
	Password              bool   // a password will do as well
	Email                 string // for password managers, where it will
	Recovery              bool   // so will a recovery code
	Code, RecoveryCode    string // as typed
	Ask                   factor.Ask
}

func (p StepPage) passkeyForm() PasskeyForm {
	return PasskeyForm{Action: p.Action, Label: "Use a passkey", Next: p.Next, Ask: p.Ask, Primary: !p.Has.Authenticator && !p.Password}
}

// nothing reports whether without script nothing here but a recovery code works.
func (p StepPage) onlyPasskey() bool {
	return !p.Has.Authenticator && !p.Password && len(p.Has.Passkeys) > 0
}

// entryOf is the token of whoever has shown the password.
func (s *Site) entryOf(r *http.Request) secret.Token {
	c, err := r.Cookie(s.entryCookie())
	if err != nil {
		return secret.NewToken() // one that nobody has
	}
	return secret.ParseToken(c.Value)
}

// showStep is GET /sign-in/step.
func (s *Site) showStep(w http.ResponseWriter, r *http.Request, _ access.Actor) error {
	p, err := s.stepPage(r)
	if errors.Is(err, factor.ErrNoEntry) {
		return see(w, r, "/sign-in?said=late")
	}
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, p.View())
}

func (s *Site) stepPage(r *http.Request) (p StepPage, err error) {
	p = StepPage{Page: s.door(r, "Second step"), Action: stepPath, Heading: "Second step", Lede: "Your password was right. Now show that it is you.", Recovery: true}
	err = s.DB.View(r.Context(), func(tx *db.Tx) error {
		e, err := factor.Expected(tx, access.Guest(), s.entryOf(r))
		if err != nil {
			return err
		}
		p.Has = e.Set
		return s.askFor(tx, &p, e.Account)
	})
	return p, err
}

// askFor lets whoever has a passkey use it.
func (s *Site) askFor(tx *db.Tx, p *StepPage, a id.Account) (err error) {
	if s.passkeys == nil || len(p.Has.Passkeys) == 0 {
		return nil
	}
	p.Modules = []string{"passkey"}
	p.Ask, err = s.passkeys.Ask(tx, access.AsPerson(a), a)
	return err
}

// takeStep is POST /sign-in/step: a code of the app, a recovery code, or a
// passkey. Any of them begins a session, with a token of its own.
func (s *Site) takeStep(w http.ResponseWriter, r *http.Request, _ access.Actor) error {
	if err := typed(r); err != nil {
		return err
	}
	token := s.entryOf(r)
	var e factor.Entry
	err := s.DB.View(r.Context(), func(tx *db.Tx) (err error) {
		e, err = factor.Expected(tx, access.Guest(), token)
		return err
	})
	var set func(http.ResponseWriter)
	if err == nil {
		err = s.showing(r, e.Account, true, func(tx *db.Tx) error {
			if _, err := factor.Admit(tx, access.Guest(), token); err != nil {
				return err
			}
			set, err = s.enter(tx, r, e.Account, account.Entry{Strong: true})
			return err
		})
	}
	if errors.Is(err, factor.ErrNoEntry) {
		s.dropCookie(w, s.entryCookie())
		return see(w, r, "/sign-in?said=late")
	}
	if err == nil {
		set(w)
		return see(w, r, onward(e.Next))
	}
	return s.stepAgain(w, r, err)
}

func (s *Site) stepAgain(w http.ResponseWriter, r *http.Request, wrong error) error {
	told, status := problemsOf(wrong)
	if told == nil {
		return wrong
	}
	p, err := s.stepPage(r)
	if err != nil {
		return see(w, r, "/sign-in?said=late")
	}
	p.Code, p.RecoveryCode = r.PostFormValue("code"), r.PostFormValue("recovery")
	p.tell(told)
	return s.show(w, r, status, p.View())
}

// showing takes what a form shows of a: then, in the same transaction, comes
// what it was for. Codes are counted before they are looked at.
func (s *Site) showing(r *http.Request, a id.Account, recovery bool, then func(*db.Tx) error) error {
	use, counted := s.used(r, a, recovery)
	if counted {
		if err := s.Doorman.Guess(r.Context(), a); err != nil {
			return err
		}
	}
	err := s.DB.Update(r.Context(), func(tx *db.Tx) error {
		if err := use(tx); err != nil {
			return err
		}
		return then(tx)
	})
	if err == nil && counted {
		err = s.Doorman.Guessed(r.Context(), a)
	}
	return err
}

// used is what a form shows, and whether it could be guessed.
func (s *Site) used(r *http.Request, a id.Account, recovery bool) (use func(*db.Tx) error, counted bool) {
	person := access.AsPerson(a)
	switch {
	case r.PostFormValue("answer") != "" && s.passkeys != nil:
		return func(tx *db.Tx) error {
			_, err := s.passkeys.Use(tx, person, a, r.PostFormValue("asked"), r.PostFormValue("answer"))
			return err
		}, false
	case recovery && r.PostForm.Has("recovery"):
		return func(tx *db.Tx) error { return factor.UseRecovery(tx, person, a, r.PostFormValue("recovery")) }, true
	}
	return func(tx *db.Tx) error { return factor.UseCode(tx, person, a, r.PostFormValue("code")) }, true
}

// signInWithPasskey is POST /sign-in/passkey: a passkey is both steps in one.
func (s *Site) signInWithPasskey(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if err := typed(r); err != nil {
		return err
	}
	p := SignInPage{Page: s.door(r, "Sign in"), Next: localPath(r.PostFormValue("next"))}
	if s.passkeys == nil {
		return s.signInAgain(w, r, p, factor.ErrBadPasskey)
	}
	var set func(http.ResponseWriter)
	err := s.DB.Update(r.Context(), func(tx *db.Tx) error {
		who, err := s.passkeys.Use(tx, outside(by), "", r.PostFormValue("asked"), r.PostFormValue("answer"))
		if err != nil {
			return err
		}
		set, err = s.enter(tx, r, who, account.Entry{Strong: true})
		return err
	})
	if err != nil {
		return s.signInAgain(w, r, p, err)
	}
	set(w)
	return see(w, r, onward(p.Next))
}
