package web

import (
	"errors"
	"net/http"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/people"
	"icouch/internal/platform/db"
)

// Whoever has an account already takes an invitation by signing in and pressing
// Accept. Nothing is accepted by itself, least of all for somebody else who
// happens to be signed in on this device.

// forgotPath is where a new password is asked for.
const forgotPath = "/forgot"

// JoinSignInPage is the sign-in form within an invitation.
type JoinSignInPage struct {
	Page
	Link, Lede string
	Email      string
}

// GET /join/{link}/sign-in
func (s *Site) joinWithAccount(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	o, err := s.offer(r, by)
	if err != nil {
		return s.deadLink(w, r, by, o, err)
	}
	if by.SignedIn() {
		return see(w, r, linkPath(r))
	}
	p := s.joinSignInPage(r, o)
	return s.show(w, r, http.StatusOK, p.View())
}

// POST /join/{link}/sign-in
func (s *Site) joinSignIn(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	o, err := s.offer(r, by)
	if err != nil {
		return s.deadLink(w, r, by, o, err)
	}
	in, err := s.admit(r, form.Get("email"), form.Get("password"), linkPath(r))
	if err == nil {
		in.set(w)
		return see(w, r, in.to)
	}
	p := s.joinSignInPage(r, o)
	p.Email = form.Get("email")
	return s.answerForm(w, r, &p.Page, err, p.View)
}

func (s *Site) joinSignInPage(r *http.Request, o people.Offer) *JoinSignInPage {
	p := &JoinSignInPage{Page: s.page(r, "Sign in"), Link: linkPath(r), Email: o.Email.String()}
	p.Lede = "Then you can add " + o.Practice.Name + " to your account. " + s.until(o)
	p.Picture = invitationPicture
	return p
}

// InvitedPage is an invitation opened by somebody who is signed in: theirs, to
// accept, or another person's.
type InvitedPage struct {
	Page
	Link          string
	Theirs        bool
	Heading, Lede string
	Me, MyEmail   string
	Name, Email   string // of whom is invited
	Until         string
}

// invited shows an invitation to somebody who is signed in. Wrong is what went
// wrong with accepting it, if anything did.
func (s *Site) invited(w http.ResponseWriter, r *http.Request, by access.Actor, o people.Offer, wrong error) error {
	p := &InvitedPage{Page: s.page(r, "Your invitation"), Link: linkPath(r), Name: o.Name.Full(), Email: o.Email.String(), Until: s.until(o)}
	p.Picture = invitationPicture
	err := s.DB.View(r.Context(), func(tx *db.Tx) error {
		me, err := account.Of(tx, by)
		p.Me, p.MyEmail, p.Theirs = me.Name, me.Email.String(), me.Email.Fold() == o.Email.Fold()
		return err
	})
	if err != nil {
		return err
	}
	p.Heading, p.Lede = "This invitation is for another e-mail", "You are signed in as "+p.Me+". Nothing is accepted unless you switch to the account of the invited e-mail."
	if p.Theirs {
		p.Heading, p.Lede = "Add "+s.added(r, by, o)+" to your account?", o.Inviter+" at "+o.Practice.Name+" invites you. Your password stays as it is."
	}
	if wrong != nil {
		return s.answerForm(w, r, &p.Page, wrong, p.View)
	}
	return s.show(w, r, http.StatusOK, p.View())
}

// added is what an invitation adds: a practice, or in one that the account has
// already, the person.
func (s *Site) added(r *http.Request, by access.Actor, o people.Offer) (what string) {
	what = o.Practice.Name
	_ = s.DB.View(r.Context(), func(tx *db.Tx) error {
		places, err := people.Places(tx, by)
		for _, p := range places {
			if p.Place.Practice == o.Practice.ID {
				what = o.Name.Full()
			}
		}
		return err
	})
	return what
}

// POST /join/{link}/acceptance
func (s *Site) joinAccept(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if !by.SignedIn() { // the session ended while the page lay open: it says what can be done
		return see(w, r, linkPath(r))
	}
	var next string
	err := s.DB.Update(r.Context(), func(tx *db.Tx) error {
		next = "/dashboard?said=accepted"
		joined, err := people.Accept(tx, by, linkOf(r))
		if err != nil {
			return err
		}
		me, err := account.Of(tx, by)
		if err != nil {
			return err
		}
		if me.Zone == "" {
			next = "/welcome"
		}
		return people.Choose(tx, by, visitOf(r).token, joined.Place)
	})
	switch {
	case err == nil:
		return see(w, r, next)
	case isDead(err):
		o, err := s.offer(r, by)
		return s.deadLink(w, r, by, o, err)
	}
	o, dead := s.offer(r, by)
	if dead != nil {
		return s.deadLink(w, r, by, o, dead)
	}
	return s.invited(w, r, by, o, err)
}

// POST /join/{link}/switch
func (s *Site) joinSwitch(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return s.switchTo(w, r, by, linkPath(r))
}

// switchTo signs whoever is signed in out, and goes on to a link's page.
func (s *Site) switchTo(w http.ResponseWriter, r *http.Request, by access.Actor, path string) error {
	if by.SignedIn() {
		err := s.DB.Update(r.Context(), func(tx *db.Tx) error { return account.End(tx, by, visitOf(r).token) })
		if err != nil && !errors.Is(err, account.ErrSignedOut) {
			return err
		}
	}
	s.dropCookie(w, s.sessionCookie())
	w.Header().Set("Clear-Site-Data", `"cache"`)
	return see(w, r, path)
}
