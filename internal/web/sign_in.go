package web

import (
	"errors"
	"net/http"

	"icouch/internal/access"
	"icouch/internal/account"
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
}

// saidAtSignIn is what has just happened to whoever is sent here.
var saidAtSignIn = map[string]parts.Notice{
	"out":       {Tone: parts.Good, Title: "You are signed out", Words: "If others use this device too, close the window as well."},
	"converted": {Tone: parts.Good, Title: "Your account is put right", Words: "You were signed out everywhere. Sign in with the same e-mail and password as before."},
	"leaving":   {Tone: parts.Good, Title: "Your account is to be deleted", Words: "You were signed out. Until the day in our letter you can sign in and keep it."},
	"reset":     {Tone: parts.Good, Title: "Your new password is saved", Words: "You were signed out everywhere. Sign in with the new password."},
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
	if n, ok := saidAtSignIn[r.URL.Query().Get("said")]; ok {
		p.Notice = &n
	} else if _, err := r.Cookie(s.sessionCookie()); err == nil {
		p.Notice = ended()
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
	set, err := s.admit(r, p.Email, r.PostFormValue("password"))
	if err != nil {
		told, status := problemsOf(err)
		if told == nil {
			return err
		}
		p.tell(told)
		return s.show(w, r, status, p.View())
	}
	set(w)
	if p.Next != "" {
		return see(w, r, p.Next)
	}
	return see(w, r, "/dashboard")
}

// admit has the doorman look at an address and a password, and begins a session.
func (s *Site) admit(r *http.Request, typed, pw string) (set func(http.ResponseWriter), err error) {
	var missing []error
	if typed == "" {
		missing = append(missing, errNoEmailTyped)
	}
	if pw == "" {
		missing = append(missing, errNoPassword)
	}
	if missing != nil {
		return nil, errors.Join(missing...)
	}
	who, err := s.Doorman.SignIn(r.Context(), typed, pw, s.from(r), s.device(r))
	if err != nil {
		return nil, err
	}
	err = s.DB.Update(r.Context(), func(tx *db.Tx) (err error) {
		if err := who.Holds(tx, access.AsPerson(who.Account)); err != nil {
			return err
		}
		set, err = s.enter(tx, r, who.Account)
		return err
	})
	return set, err
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
