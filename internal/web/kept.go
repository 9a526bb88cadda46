package web

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/platform/limit"
	"icouch/internal/web/parts"
)

// A form that is sent when its session has ended by itself is kept, sealed, for
// the person whose session it was. They sign in, find it, and send it again:
// with it comes whatever the form's own page says, if something was missing.

// keepRule bounds what whoever holds an ended session can have us write.
var keepRule = limit.Rule{Name: "kept/from", Most: 30, Per: time.Hour}

// keptSignIn is where whoever sent it signs in, and goes on to find it.
const keptSignIn = "/sign-in?said=kept&next=/kept"

// keepIfEnded keeps a form sent by a browser whose session has ended. It
// reports whether it did.
func (s *Site) keepIfEnded(w http.ResponseWriter, r *http.Request) bool {
	cookie, err := r.Cookie(s.sessionCookie())
	if err != nil || r.Method != http.MethodPost || localPath(r.URL.Path) == "" || !s.takesForm(r.URL.Path) {
		return false
	}
	// Before anything is read: whoever comes with any cookie has no claim on our memory.
	token := secret.ParseToken(cookie.Value)
	err = s.DB.View(r.Context(), func(tx *db.Tx) error {
		_, err := account.Ended(tx, token)
		return err
	})
	if err != nil || s.Limits.Take(r.Context(), keepRule, s.from(r)) != nil {
		return false
	}
	body := r.Body
	r.Body = http.MaxBytesReader(nil, body, 2*formSize) // the fields, and what the reader takes at once of the first file
	files := manifold(r)
	switch {
	case files: // they are not kept: only what was written before them is read
		parts, err := r.MultipartReader()
		if err != nil {
			return false
		}
		if r.PostForm, err = writtenIn(parts); err != nil {
			return false
		}
	case r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || r.ParseForm() != nil:
		return false
	}
	err = s.DB.Update(r.Context(), func(tx *db.Tx) error {
		who, err := account.Ended(tx, token)
		if err != nil {
			return err
		}
		return account.KeepForm(tx, access.Guest(), who, r.URL.Path, r.PostForm)
	})
	if err == nil && files {
		_, _ = io.Copy(io.Discard, unhurriedBody{body, http.NewResponseController(w)}) // a browser that still sends reads no answer
	}
	return err == nil
}

// stay is POST /session/stay: the person is there, and the page says so.
func (s *Site) stay(w http.ResponseWriter, _ *http.Request, _ access.Actor) error {
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// signOutIdle is POST /session/over: nobody has used the page for as long as they may,
// so it signs them out, and keeps what stands in its form. The form's address
// comes as "kept-for".
func (s *Site) signOutIdle(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if err := typed(r); err != nil {
		return err
	}
	if v := visitOf(r); inUse(v.session, s.DB.Clock()) {
		return errInUse
	}
	path := localPath(r.PostForm.Get("kept-for"))
	r.PostForm.Del("kept-for")
	err := s.DB.Update(r.Context(), func(tx *db.Tx) error {
		if path != "" && s.takesForm(path) {
			err := account.KeepForm(tx, by, by.Account(), path, r.PostForm)
			if err != nil && !errors.Is(err, account.ErrNothingKept) {
				return err
			}
		}
		return account.End(tx, by, visitOf(r).token)
	})
	if err != nil && !errors.Is(err, account.ErrSignedOut) {
		return err
	}
	s.dropCookie(w, s.sessionCookie())
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// errInUse is the answer to a page that slept while another was used.
var errInUse = fault.New(fault.Conflict, "You are using this in another window, so you stay signed in.")

// inUse reports whether a session was used lately, by another page of the same
// browser: the one that asks has seen nobody for the whole time but a minute.
func inUse(is account.Session, now time.Time) bool {
	const slack = 3 * time.Minute
	return now.Sub(is.SeenAt.Time) < is.Idle-slack && is.EndsAt.Sub(now) > slack
}

// keptAs is what somebody writes at an address.
type keptAs string

// ServeHTTP is never called: the address is only looked up.
func (keptAs) ServeHTTP(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }

// formAt says what a form sent to a path is, in words, if such a form is kept:
// one in which somebody writes. One that changes who may enter, or how, never
// is: whoever holds an ended session could lay it before its owner.
func (s *Site) formAt(path string) (keptAs, bool) {
	is, _ := s.forms.Handler(&http.Request{Method: http.MethodPost, URL: &url.URL{Path: path}})
	as, ok := is.(keptAs)
	return as, ok
}

func (s *Site) takesForm(path string) bool {
	_, ok := s.formAt(path)
	return ok
}

// KeptPage is a form that could not be sent.
type KeptPage struct {
	Page
	Path, Away string
	What       string // it is, in words
	When       string
	Facts      parts.Facts
	Hidden     []parts.Pair
}

func (p KeptPage) lede() string {
	return p.What + ": you were signed out before it was sent, " + p.When + ". Nobody but you can see it. If you did not write it, throw it away."
}

// showKept is GET /kept.
func (s *Site) showKept(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	var f account.Form
	err := s.DB.View(r.Context(), func(tx *db.Tx) (err error) {
		f, err = account.Kept(tx, by)
		return err
	})
	if errors.Is(err, account.ErrNothingKept) {
		return see(w, r, "/dashboard")
	}
	if err != nil {
		return err
	}
	page, err := s.frame(r, by, "Kept", "")
	if err != nil {
		return err
	}
	reader, err := s.reader(r, by)
	if err != nil {
		return err
	}
	is, ok := s.formAt(f.Path)
	if !ok { // it was kept by an older version
		return see(w, r, "/dashboard")
	}
	p := KeptPage{Page: page, Path: f.Path, What: string(is), Away: "/kept/" + f.ID.String() + "/away", When: reader.past(f.KeptAt)}
	names := make([]string, 0, len(f.Fields))
	for name := range f.Fields {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, v := range f.Fields[name] {
			p.Hidden = append(p.Hidden, parts.Pair{Name: name, Value: v})
			if label := fieldLabel(name); label != "" && strings.TrimSpace(v) != "" && v != "yes" {
				p.Facts.List = append(p.Facts.List, parts.Fact{Label: label, Value: v})
			}
		}
	}
	p.Hidden = append(p.Hidden, parts.Pair{Name: keptField, Value: f.ID.String()})
	return s.show(w, r, http.StatusOK, p.View())
}

// keptField names the kept form that is being sent.
const keptField = "kept-form"

// fieldLabel is a field's name as a person would say it; empty for what the page
// itself put there.
func fieldLabel(name string) string {
	switch name {
	case "id", "key", "version", "client", "contact", "back", "place", "said", "message", "attachment", "files":
		return ""
	}
	words := strings.NewReplacer("-", " ", "_", " ").Replace(name)
	return strings.ToUpper(words[:1]) + words[1:]
}

// sentKept throws a kept form away once it was sent again and taken. If that
// fails the form stays, and its owner can throw it away.
func (s *Site) sentKept(w http.ResponseWriter, r *http.Request, by access.Actor) {
	f, err := id.Parse[id.Form](r.PostForm.Get(keptField))
	if err != nil || !taken(w) {
		return
	}
	err = s.DB.Update(r.Context(), func(tx *db.Tx) error { return account.DropForm(tx, by, f) })
	if err != nil && !errors.Is(err, account.ErrNothingKept) {
		s.Log.ErrorContext(r.Context(), "a kept form stays", "form", f, "err", err)
	}
}

// taken reports whether what was sent was done: the answer leads on.
func taken(w http.ResponseWriter) bool {
	seen, ok := w.(*statusWriter)
	return ok && seen.status == http.StatusSeeOther
}

// dropKept is POST /kept/{form}/away.
func (s *Site) dropKept(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	f, err := pathID[id.Form](r, "form")
	if err != nil {
		return err
	}
	err = s.DB.Update(r.Context(), func(tx *db.Tx) error { return account.DropForm(tx, by, f) })
	if err != nil && !errors.Is(err, account.ErrNothingKept) {
		return err
	}
	return see(w, r, "/dashboard")
}

// IdlePage chooses how long people stay signed in without use.
type IdlePage struct {
	Page
	Work, Client string
}

func (p IdlePage) choice(name, label, value, hint string) parts.Select {
	s := parts.Select{Name: name, Label: label, Value: value, Hint: hint, Problem: p.Problems.For("idle")}
	for _, d := range people.Idles {
		s.Options = append(s.Options, parts.Option{Value: minutes(d), Label: minutesWords(d)})
	}
	return s
}

func minutes(d time.Duration) string { return strconv.Itoa(int(d.Minutes())) }

// showIdle is GET /settings/idle.
func (s *Site) showIdle(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	page, err := s.frame(r, by, "Settings", "/settings")
	if err != nil {
		return err
	}
	is, err := s.idleOf(r, by)
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, IdlePage{page, minutes(is.Work), minutes(is.Client)}.View())
}

func (s *Site) idleOf(r *http.Request, by access.Actor) (is people.Idle, err error) {
	err = s.DB.View(r.Context(), func(tx *db.Tx) (err error) {
		is, err = people.IdleOf(tx, by)
		return err
	})
	return is, err
}

// setIdle is POST /settings/idle.
func (s *Site) setIdle(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if err := typed(r); err != nil {
		return err
	}
	work, client := r.PostFormValue("work"), r.PostFormValue("client")
	is := people.Idle{Work: readMinutes(work), Client: readMinutes(client)}
	err := s.DB.Update(r.Context(), func(tx *db.Tx) error { return people.SetIdle(tx, by, is) })
	if err == nil {
		return see(w, r, saved)
	}
	page, status, err := s.settingsAgain(r, by, err)
	if err != nil {
		return err
	}
	return s.show(w, r, status, IdlePage{page, work, client}.View())
}

func readMinutes(s string) time.Duration {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > 1000 {
		return 0
	}
	return time.Duration(n) * time.Minute
}
