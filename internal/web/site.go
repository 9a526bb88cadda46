// Package web is the site as people see it: forms in, pages out. It decides
// nothing. Each handler reads its input, calls one verb in one transaction and
// shows what came back.
//
// Every address is a line in routes.go, with the rule that says who may enter;
// a route without one stops the program before it serves. Pages work without
// script. What a person typed comes back with every mistake.
package web

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/a-h/templ"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/account/factor"
	"icouch/internal/account/password"
	"icouch/internal/audit"
	"icouch/internal/base/email"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/chat"
	"icouch/internal/letter"
	"icouch/internal/people/directory"
	"icouch/internal/platform/db"
	"icouch/internal/platform/limit"
	"icouch/internal/platform/mail/sink"
	"icouch/internal/web/assets"
)

// Site serves the pages.
type Site struct {
	DB        *db.DB
	Directory *directory.Directory
	Doorman   *account.Doorman
	Limits    limit.Limiter
	Porter    *chat.Porter // takes in what is attached to messages, and hands it out
	House     letter.House // the brand, and the address under which the site is reached
	Log       *slog.Logger

	Support   email.Address  // where "Still Need Help?" goes; none: it says so
	NoMail    bool           // no mail server is set up: letters wait
	BounceKey string         // what a mail server must show to report a returned letter; empty: nobody may
	Proxies   []netip.Prefix // reverse proxies that may say who asks
	Messages  int64          // how many one person can write in five minutes; 0: as many as is usual
	Mailbox   *sink.Sink     // development only: where letters go, and a page that shows them

	Authenticators func() []Authenticator // of the demo's invented people, whose codes that page shows

	visitors *visitors
	streams  *hub
	refused  *counter // reports of what browsers refused, by where they come from
	touches  *counter // words that a page of Messaging is used, by account
	reads    *counter // words that something was read, by account
	drafts   *counter // drafts, by account
	typings  *counter // words that somebody is typing, by account
	scribe   *audit.Scribe
	forms    *http.ServeMux   // the addresses whose forms are kept when a session has ended; see kept.go
	passkeys *factor.Passkeys // nil: browsers allow none at this address
}

// secure reports whether people reach the site over TLS.
func (s *Site) secure() bool { return len(s.House.Base) > 8 && s.House.Base[:8] == "https://" }

// links is where the links in letters lead.
func (s *Site) url(path string) string { return s.House.Base + path }

// Handler returns the site with its routes in place.
func (s *Site) Handler() http.Handler {
	s.scribe = audit.NewScribe(s.DB)
	s.visitors, s.streams, s.passkeys = newVisitors(s.DB), newHub(s.DB), factor.NewPasskeys(s.House.Brand, s.House.Base)
	s.refused, s.touches = newCounter(s.DB.Clock, mostReported, time.Hour), newCounter(s.DB.Clock, mostMessages, messagesPer)
	s.reads, s.drafts, s.typings = newCounter(s.DB.Clock, mostAsides, messagesPer), newCounter(s.DB.Clock, mostAsides, messagesPer), newCounter(s.DB.Clock, mostAsides, messagesPer)
	same := http.NewCrossOriginProtection()
	same.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, errCrossSite)
	}))
	return s.observe(s.guard(same.Handler(s.mux(routes))))
}

// Down ends the streams of open pages: the program is about to end.
func (s *Site) Down() { close(s.streams.down) }

// errCrossSite is the answer to a form that another site sent.
var errCrossSite = fault.New(fault.Forbidden, "This form was not sent from our own page. Open the page again and send it from there.")

// mux puts routes in place. One that does not say who may enter stops the
// program here.
func (s *Site) mux(routes []route) *http.ServeMux {
	mux := http.NewServeMux()
	s.forms = http.NewServeMux()
	for _, rt := range routes {
		if rt.enter == nil || rt.do == nil {
			panic("web: " + rt.pattern + " does not say who may enter, or what it does")
		}
		mux.Handle(rt.pattern, s.handle(rt))
		if rt.kept != "" {
			s.forms.Handle(rt.pattern, keptAs(rt.kept))
		}
	}
	mux.Handle("GET /a/", assets.Load())
	mux.Handle("/", s.handle(route{enter: anyone, do: nowhere})) // who asks is known, so that it looks the same as what they may not open
	return mux
}

// nowhere is every address that is none.
func nowhere(*Site, http.ResponseWriter, *http.Request, access.Actor) error { return fault.NotFound }

func (s *Site) handle(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, rt.size())
		v := visitOf(r)
		v.unlogged = rt.unlogged
		if !rt.blind {
			if err := s.identify(v, r); err != nil {
				s.fail(w, r, err)
				return
			}
		}
		if !rt.enter(v.actor) {
			s.turnAway(w, r, v.actor)
			return
		}
		if err := rt.do(s, w, r, v.actor); err != nil {
			s.fail(w, r, err)
			return
		}
		s.sentKept(w, r, v.actor)
	})
}

// turnAway asks a stranger to sign in, if they only wanted to look, or if they
// sent a form and their session had ended. To all others there is nothing here.
func (s *Site) turnAway(w http.ResponseWriter, r *http.Request, by access.Actor) {
	if !by.SignedIn() && s.keepIfEnded(w, r) {
		http.Redirect(w, r, keptSignIn, http.StatusSeeOther)
		return
	}
	if by.IsLeaving() && r.Method == http.MethodGet { // the one page that is theirs
		http.Redirect(w, r, "/leaving", http.StatusSeeOther)
		return
	}
	if !by.SignedIn() && r.Method == http.MethodGet {
		s.askToSignIn(w, r)
		return
	}
	if by.Role() == access.Waiting && r.Method == http.MethodGet {
		http.Redirect(w, r, with("/settings/second-step", localPath(r.URL.Path)), http.StatusSeeOther)
		return
	}
	s.fail(w, r, fault.NotFound)
}

// statuses says how each kind of fault looks from outside.
var statuses = []struct {
	kind   error
	status int
}{
	{errCrossSite, http.StatusForbidden},
	{password.ErrBusy, http.StatusServiceUnavailable},
	{errUnseen, http.StatusServiceUnavailable},
	{fault.NotFound, http.StatusNotFound},
	{fault.Forbidden, http.StatusNotFound}, // the same answer as for what does not exist
	{fault.Conflict, http.StatusConflict},
	{fault.Gone, http.StatusGone},
	{fault.Invalid, http.StatusUnprocessableEntity},
	{fault.Busy, http.StatusTooManyRequests},
}

func statusOf(err error) int {
	for _, s := range statuses {
		if errors.Is(err, s.kind) {
			return s.status
		}
	}
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return http.StatusRequestEntityTooLarge
	}
	if db.Unavailable(err) {
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// fail shows the error page. Only a fault's own words reach the person. Whoever
// has gone meanwhile sees none, and that they went is nobody's mistake.
func (s *Site) fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		return
	}
	v := visitOf(r)
	v.look.Forget() // nothing of what was read is on this page
	page := ErrorPage{Page: s.page(r, "Something went wrong"), Status: statusOf(err)}
	sentence, _, isFault := fault.As(err)
	switch {
	case page.Status == http.StatusNotFound && (errors.Is(err, fault.Forbidden) || !isFault) && s.tellEnd(r, &page):
	case page.Status == http.StatusNotFound && (errors.Is(err, fault.Forbidden) || !isFault) && s.tellSupport(r, &page):
	case page.Status == http.StatusNotFound && errors.Is(err, fault.Forbidden), page.Status == http.StatusNotFound && !isFault:
		page.Shell.Title, page.Heading, page.Words = "Not found", "We cannot find that page", "It may have moved, or it may not be yours to open."
	case isFault:
		page.Shell.Title, page.Heading, page.Words = "Not possible", "That did not work", sentence
	case page.Status == http.StatusRequestEntityTooLarge:
		page.Heading, page.Words = "That is too large", "What you sent is larger than we can take. Go back and send less."
	case page.Status == http.StatusServiceUnavailable:
		page.Heading, page.Words = "Not just now", "We cannot save or read anything at this moment. Please try again in a minute."
		page.Reference = v.reference
	default:
		page.Heading, page.Words = "Something went wrong", "That is our mistake, not yours. Go back: what you typed is still there. If it happens again, tell us the reference."
		page.Reference = v.reference
	}
	if page.Reference != "" {
		v.failure = err
	}
	if err := s.show(w, r, page.Status, page.View()); err != nil {
		s.Log.ErrorContext(r.Context(), "error page failed", "route", r.Pattern, "err", err)
	}
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// show writes a page, whole or not at all.
func (s *Site) show(w http.ResponseWriter, r *http.Request, status int, page templ.Component) error {
	b := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(b)
	b.Reset()
	if err := page.Render(templ.WithNonce(r.Context(), visitOf(r).nonce), b); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	send(w, r, status, b)
	return nil
}

// pathID reads an identifier from the URL. One that cannot exist is not found.
func pathID[I ~string](r *http.Request, name string) (I, error) {
	v, err := id.Parse[I](r.PathValue(name))
	if err != nil {
		return v, fault.NotFound
	}
	return v, nil
}

// see sends the browser on to another page of ours after something was done.
func see(w http.ResponseWriter, r *http.Request, path string) error {
	http.Redirect(w, r, path, http.StatusSeeOther)
	return nil
}
