package web

import (
	"errors"
	"net/http"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/account/factor"
	"icouch/internal/base/fault"
	"icouch/internal/platform/db"
	"icouch/internal/web/parts"
)

// What is missing in a form at the door.
var (
	errNoEmailTyped = fault.On("email", fault.Invalid, "Enter your e-mail address.")
	errNoPassword   = fault.On("password", fault.Invalid, "Enter your password.")
)

// SignInPage is where people sign in.
type SignInPage struct {
	Page
	Email  string // as typed
	Next   string // where they wanted to go
	Notice *parts.Notice
	Gone   bool // who has just signed out, or deleted their account, is asked for nothing

	Passkey factor.Ask // what a browser may answer with a passkey; none: nothing is offered
}

// saidAtSignIn is what has just happened to whoever is sent here.
var saidAtSignIn = map[string]parts.Notice{
	"out":       {Tone: parts.Good, Title: "You are signed out", Words: "If others use this device too, close the window as well."},
	"kept":      {Tone: parts.Info, Title: "You were signed out", Words: "That happens after a while without use. What you typed is kept: sign in to go on with it."},
	"idle":      {Tone: parts.Info, Title: "You are signed out", Words: "Nobody used this page for a while. Sign in to go on where you were."},
	"late":      {Tone: parts.Info, Words: "That took too long. Enter your e-mail and password once more."},
	"reset":     {Tone: parts.Good, Title: "Your new password is saved", Words: "You were signed out everywhere. Sign in with the new password."},
	"converted": {Tone: parts.Good, Title: "Your account is put right", Words: "You were signed out everywhere. Sign in with the same e-mail and password as before."},
	"leaving":   {Tone: parts.Good, Title: "Your account will be deleted in 30 days", Words: "You are signed out everywhere. Until the day that our letter names you can sign in and keep it; to have it deleted, there is nothing more to do."},
}

// ended is said to a browser whose session is over without its doing.
func ended() *parts.Notice {
	return &parts.Notice{Tone: parts.Info, Words: "You are signed out. That happens after a while without use, or when the password was changed or you signed out somewhere else."}
}

// showSignIn is GET /sign-in.
func (s *Site) showSignIn(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if by.SignedIn() {
		return see(w, r, "/dashboard")
	}
	if by.IsLeaving() {
		return see(w, r, "/leaving")
	}
	p := SignInPage{Page: s.door(r, "Sign in"), Next: localPath(r.URL.Query().Get("next"))}
	said := r.URL.Query().Get("said")
	if n, ok := saidAtSignIn[said]; ok {
		p.Notice, p.Gone = &n, said == "out" || said == "leaving"
	} else if _, err := r.Cookie(s.sessionCookie()); err == nil {
		p.Notice = ended()
	}
	if err := s.askAnyone(r, &p); err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, p.View())
}

// signIn is POST /sign-in. A session that the browser had before ends, and the
// new one has a token of its own.
func (s *Site) signIn(w http.ResponseWriter, r *http.Request, _ access.Actor) error {
	if err := typed(r); err != nil {
		return err
	}
	p := SignInPage{Page: s.door(r, "Sign in"), Email: r.PostFormValue("email"), Next: localPath(r.PostFormValue("next"))}
	in, err := s.admit(r, p.Email, r.PostFormValue("password"), p.Next)
	if err != nil {
		return s.signInAgain(w, r, p, err)
	}
	in.set(w)
	return see(w, r, in.to)
}

func (s *Site) signInAgain(w http.ResponseWriter, r *http.Request, p SignInPage, wrong error) error {
	told, status := problemsOf(wrong)
	if told == nil {
		return wrong
	}
	p.tell(told)
	if err := s.askAnyone(r, &p); err != nil {
		return err
	}
	return s.show(w, r, status, p.View())
}

// askAnyone lets a browser that keeps a passkey offer it.
func (s *Site) askAnyone(r *http.Request, p *SignInPage) error {
	if s.passkeys == nil {
		return nil
	}
	p.Modules = []string{"passkey"}
	return s.DB.View(r.Context(), func(tx *db.Tx) (err error) {
		p.Passkey, err = s.passkeys.AskAnyone(tx, access.Guest())
		return err
	})
}

// arrived is what becomes of somebody whose password was right: cookies for
// their browser, and where it goes.
type arrived struct {
	set func(http.ResponseWriter)
	to  string
}

// admit has the doorman look at an address and a password. It begins a session,
// unless the account has a second step: then that is asked for, and nobody is
// signed in yet.
func (s *Site) admit(r *http.Request, typed, pw, next string) (in arrived, err error) {
	var missing []error
	if typed == "" {
		missing = append(missing, errNoEmailTyped)
	}
	if pw == "" {
		missing = append(missing, errNoPassword)
	}
	if missing != nil {
		return in, errors.Join(missing...)
	}
	who, err := s.Doorman.SignIn(r.Context(), typed, pw, s.from(r), s.device(r))
	if err != nil {
		return in, err
	}
	err = s.DB.Update(r.Context(), func(tx *db.Tx) (err error) {
		if err := who.Holds(tx, access.AsPerson(who.Account)); err != nil {
			return err
		}
		in, err = s.arrive(tx, r, who, next)
		return err
	})
	return in, err
}

// arrive begins the session of somebody whose password was right, or asks for
// their second step.
func (s *Site) arrive(tx *db.Tx, r *http.Request, who account.Admission, next string) (in arrived, err error) {
	person := access.AsPerson(who.Account)
	asks, err := factor.Asks(tx, person, who.Account)
	if err != nil {
		return in, err
	}
	if !asks {
		in.to = onward(next)
		in.set, err = s.enter(tx, r, who.Account, account.Entry{})
		return in, err
	}
	token, err := factor.Expect(tx, person, who, next)
	return arrived{func(w http.ResponseWriter) { s.setCookie(w, s.entryCookie(), token, factor.EntryLife) }, stepPath}, err
}

// onward is where somebody wanted to go.
func onward(next string) string {
	if next = localPath(next); next != "" {
		return next
	}
	return "/dashboard"
}

// signOut is POST /sign-out. It works as well for whom it has come to nothing.
func (s *Site) signOut(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if by.SignedIn() || by.IsLeaving() {
		err := s.DB.Update(r.Context(), func(tx *db.Tx) error { return account.End(tx, by, visitOf(r).token) })
		if err != nil && !errors.Is(err, account.ErrSignedOut) {
			return err
		}
	}
	s.dropCookie(w, s.sessionCookie())
	w.Header().Set("Clear-Site-Data", `"cache"`)
	return see(w, r, "/sign-in?said=out")
}
