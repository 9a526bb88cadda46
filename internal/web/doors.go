package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/account/password"
	"icouch/internal/base/email"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/letter"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/platform/limit"
	"icouch/internal/web/parts"
)

// doorRoutes are the pages at the door: for guests, and for whoever holds a link
// from a letter. A link's page is open to anyone, also when only its owner can
// use it: asking them to sign in would put the link into another address.
var doorRoutes = []route{
	{pattern: "GET /{$}", enter: anyone, do: (*Site).showFront},
	{pattern: "GET /sign-in", enter: anyone, do: (*Site).showSignIn},
	{pattern: "POST /sign-in", enter: anyone, do: (*Site).signIn},
	{pattern: "POST /sign-out", enter: anyone, do: (*Site).signOut},
	{pattern: "GET /forgot", enter: anyone, do: (*Site).showForgot},
	{pattern: "POST /forgot", enter: anyone, do: (*Site).askReset},
	{pattern: "GET /reset/{link}", enter: anyone, do: (*Site).showReset},
	{pattern: "POST /reset/{link}", enter: anyone, do: (*Site).reset},
	{pattern: "GET /sign-up", enter: anyone, do: (*Site).showSignUp},
	{pattern: "POST /sign-up", enter: anyone, do: (*Site).signUpPractitioner},
	{pattern: "GET /confirm/{link}", enter: anyone, do: (*Site).showConfirm},
	{pattern: "POST /confirm/{link}", enter: anyone, do: (*Site).confirmSignUp},
	{pattern: "GET /practice/new", enter: placed, do: (*Site).showFound},
	{pattern: "POST /practice/new", enter: placed, do: (*Site).found, kept: "A new practice"},
	{pattern: "GET /email/{link}", enter: anyone, do: (*Site).showConfirmEmail},
	{pattern: "POST /email/{link}", enter: anyone, do: (*Site).confirmEmail},
	{pattern: "GET /email-back/{link}", enter: anyone, do: (*Site).showRevertEmail},
	{pattern: "POST /email-back/{link}", enter: anyone, do: (*Site).revertEmail},
	{pattern: "GET /verify/{link}", enter: anyone, do: (*Site).showVerify},
	{pattern: "POST /verify/{link}", enter: anyone, do: (*Site).verifyEmail},
	{pattern: "GET /help", enter: anyone, do: (*Site).showHelp},
	{pattern: "POST /help", enter: anyone, do: (*Site).askHelp},
	{pattern: "GET /crisis", enter: anyone, do: (*Site).showCrisis},
	{pattern: "GET /choices/{link}", enter: anyone, do: (*Site).showChoices},
	{pattern: "POST /choices/{link}", enter: anyone, do: (*Site).choose},
	{pattern: "POST /csp", enter: anyone, do: (*Site).noteReport},
	{pattern: "GET /health", enter: anyone, do: (*Site).health},
	{pattern: "GET /robots.txt", enter: anyone, do: (*Site).robots},
}

// What strangers may set off. The first is counted for a mailbox and never
// shown: it would tell that somebody else asked, too.
var (
	mailboxRule = limit.Rule{Name: "mail/mailbox", Most: 3, Per: time.Hour}
	resetRule   = limit.Rule{Name: "mail/reset", Most: 3, Per: 30 * time.Minute} // see mayWriteReset
	askRule     = limit.Rule{Name: "mail/from", Most: 20, Per: time.Hour}
	helpRule    = limit.Rule{Name: "help/from", Most: 10, Per: time.Hour}
)

// errManyAsks is the answer to a network that asks too often, whomever for.
var errManyAsks = fault.New(fault.Busy, "There were many requests from your network. Please wait an hour and try again.")

// mayAsk counts a request that sends a letter to whatever address was typed. It
// is errManyAsks for a network that asks too often.
func (s *Site) mayAsk(r *http.Request) error {
	err := s.Limits.Take(r.Context(), askRule, s.from(r))
	if errors.Is(err, limit.ErrTooOften) {
		return errManyAsks
	}
	return err
}

// mayWrite counts a letter to a mailbox, and reports whether it may be sent.
func (s *Site) mayWrite(ctx context.Context, to email.Address) (bool, error) {
	return s.countLetter(ctx, mailboxRule, to)
}

// mayWriteReset is mayWrite for the letter that brings a person back into their
// account. It is counted by itself, and for no longer than its link works:
// whatever a stranger asks for, there is a link that works, or there may be one.
func (s *Site) mayWriteReset(ctx context.Context, to email.Address) (bool, error) {
	return s.countLetter(ctx, resetRule, to)
}

func (s *Site) countLetter(ctx context.Context, r limit.Rule, to email.Address) (bool, error) {
	err := s.Limits.Take(ctx, r, to.CountingKey())
	if errors.Is(err, limit.ErrTooOften) {
		return false, nil
	}
	return err == nil, err
}

// enter signs a person in at the first of their places, and ends the session
// that the browser had, be it theirs or another's. Use the returned function
// once tx has committed. Whoever has a second step comes in by arrive.
func (s *Site) enter(tx *db.Tx, r *http.Request, who id.Account, e account.Entry) (set func(http.ResponseWriter), err error) {
	if v := visitOf(r); v.actor.SignedIn() || v.actor.IsLeaving() {
		if err := account.End(tx, v.actor, v.token); err != nil && !errors.Is(err, account.ErrSignedOut) {
			return nil, err
		}
	}
	person := access.AsPerson(who)
	if e.Place, err = people.Home(tx, person); err != nil {
		return nil, err
	}
	return s.begin(tx, r, person, e)
}

// typed reads the form. What cannot be understood counts as not typed.
func typed(r *http.Request) error {
	err := r.ParseForm()
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return err
	}
	return nil
}

// guessable is what an attacker would try for a password here.
func (s *Site) guessable(names ...string) password.Context {
	return password.Context{Names: append(names, s.House.Brand)}
}

// outside is by without their place: what they do here is no practice's matter.
func outside(by access.Actor) access.Actor {
	if by.SignedIn() {
		return access.AsPerson(by.Account())
	}
	return access.Guest()
}

// door returns the page of a doorway with the words beside it.
func (s *Site) door(r *http.Request, title string) Page {
	p := s.page(r, title)
	p.Picture = parts.Picture{Words: "A private place for a practice and its clients.", Points: []parts.Point{
		{Icon: "lock", Words: "Names and addresses are stored encrypted"},
		{Icon: "eye-off", Words: "Nothing here comes from other sites, and nobody is tracked"},
		{Icon: "mail-check", Words: "Our letters never hold anything about health"},
	}}
	return p
}

// noMail says that no letter will come, where somebody would wait for one.
func (s *Site) noMail() *parts.Notice {
	if !s.NoMail {
		return nil
	}
	return &parts.Notice{Tone: parts.Warn, Words: "Nothing is on its way until a mail server is set up here. Ask whoever runs this installation."}
}

// DeadPage says why a link does not work any more, and what to do instead.
type DeadPage struct {
	Page
	Heading, Words string
	Ways           []parts.Button
	SignOut        bool // the link is for somebody else than who is signed in
}

// dead shows why a link does not work. What is our own mistake is returned.
func (s *Site) dead(w http.ResponseWriter, r *http.Request, err error, ways ...parts.Button) error {
	sentence, _, isFault := fault.As(err)
	if !isFault {
		return err
	}
	p := DeadPage{Page: s.door(r, "Link"), Heading: "This link does not work", Words: sentence, Ways: ways}
	switch {
	case errors.Is(err, account.ErrLinkUsed):
		p.Heading, p.Words = "This link has been used", "It works only once."
	case errors.Is(err, account.ErrLinkEnded):
		p.Heading, p.Words = "This link has ended", "It was good for a while only. You can ask for a new one."
	case errors.Is(err, account.ErrLinkUnknown), errors.Is(err, letter.ErrNoChoices):
		p.Words = "It may be incomplete, or a newer letter has taken its place. Please open the link in the newest letter, all of it."
	case errors.Is(err, account.ErrTaken):
		p.Heading = "There is an account already"
	case errors.Is(err, account.ErrProved):
		p.Heading = "Nothing to do"
	case errors.Is(err, account.ErrSignInFirst) && visitOf(r).actor.SignedIn():
		p.Heading, p.Words = "This link is for another account", "You are signed in with a different one. Sign out, sign in with the account that asked for the link, then open it again."
		p.Ways, p.SignOut = nil, true
	case errors.Is(err, account.ErrSignInFirst):
		p.Heading, p.Ways = "Please sign in first", []parts.Button{waySignIn}
	}
	return s.show(w, r, statusOf(err), p.View())
}

var (
	waySignIn = parts.Button{Label: "Sign In", Kind: parts.Primary, Href: "/sign-in"}
	wayHelp   = parts.Button{Label: "Still Need Help?", Kind: parts.Quiet, Href: "/help"}
)
