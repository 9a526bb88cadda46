package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/account/password"
	"icouch/internal/base/civil"
	"icouch/internal/base/secret"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/web/parts"
)

// Whoever is invited to something else than a record of their own comes through
// a passage: a colleague, a client's contact. It is the way of a client's link,
// with the same pages: looking changes nothing, and a form's POST uses the link
// up, once.
type passage struct {
	path    string // "/team/"
	picture parts.Picture
	look    func(s *Site, tx *db.Tx, by access.Actor, token secret.Token) (passing, error)
	signUp  func(tx *db.Tx, by access.Actor, token secret.Token, hash string) (people.Joined, error)
	accept  func(tx *db.Tx, by access.Actor, token secret.Token) (people.Joined, error)
	renew   func(tx *db.Tx, by access.Actor, token secret.Token) error
}

// passing is what one link offers. Of a dead one there are only its State and
// the times.
type passing struct {
	people.Offer
	holder string // who is invited
	to     string // what accepting does, in a few words: "join The Practice"
	lede   string // who invites, and to what
}

// at is the address of the link a request is about.
func (p passage) at(r *http.Request) string { return p.path + url.PathEscape(r.PathValue("link")) }

// offer looks at the link a request is about; the fault says why it is dead.
func (p passage) offer(s *Site, r *http.Request, by access.Actor) (o passing, err error) {
	err = s.DB.View(r.Context(), func(tx *db.Tx) error {
		o, err = p.look(s, tx, by, linkOf(r))
		return err
	})
	if err != nil {
		return o, err
	}
	return o, o.Fault()
}

func (p passage) until(s *Site, o passing) string {
	return "This invitation works until " + civil.MomentZone(s.DB.Clock(), o.ExpiresAt.Time, o.Practice.Zone) + "."
}

// GET …/{link}
func (p passage) link(s *Site, w http.ResponseWriter, r *http.Request, by access.Actor) error {
	o, err := p.offer(s, r, by)
	if err != nil {
		return p.dead(s, w, r, by, o, err)
	}
	if by.SignedIn() {
		return p.invited(s, w, r, by, o, nil)
	}
	return s.show(w, r, http.StatusOK, p.joinPage(s, r, o).View())
}

func (p passage) joinPage(s *Site, r *http.Request, o passing) *JoinPage {
	page := &JoinPage{Page: s.page(r, "Create your account"), Link: p.at(r), Until: p.until(s, o), Name: o.holder, Email: o.Email.String(), Suggested: password.Suggest()}
	page.Lede = o.lede + " You only choose a password."
	page.Picture = p.picture
	return page
}

// POST …/{link}
//
// The password is looked at before the link is: one that is refused leaves the
// link as it was.
func (p passage) signsUp(s *Site, w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	o, err := p.offer(s, r, by)
	if err != nil {
		return p.dead(s, w, r, by, o, err)
	}
	if by.SignedIn() {
		return p.invited(s, w, r, by, o, errSignedInMeanwhile)
	}
	set, err := p.join(s, r, by, o, form.Get("password"))
	switch {
	case err == nil:
		set(w)
		return see(w, r, "/welcome")
	case errors.Is(err, people.ErrSignInToAccept):
		page := p.signInPage(s, r, o)
		return s.answerForm(w, r, &page.Page, err, page.View)
	case isDead(err):
		o, err = p.offer(s, r, by)
		return p.dead(s, w, r, by, o, err)
	}
	page := p.joinPage(s, r, o)
	return s.answerForm(w, r, &page.Page, err, page.View)
}

// join makes the account, and signs the person in.
func (p passage) join(s *Site, r *http.Request, by access.Actor, o passing, pw string) (set func(http.ResponseWriter), err error) {
	if pw == "" {
		return nil, errChoosePassword
	}
	if err := s.Limits.Take(r.Context(), signUpRule, s.from(r)); err != nil {
		return nil, err
	}
	about := []string{o.holder, o.Practice.Name, o.Inviter, s.House.Brand, o.Email.String()}
	hash, err := s.Doorman.Hash(r.Context(), pw, password.Context{Names: about})
	if err != nil {
		return nil, err
	}
	err = s.DB.Update(r.Context(), func(tx *db.Tx) error {
		joined, err := p.signUp(tx, by, linkOf(r), hash)
		if err != nil {
			return err
		}
		set, err = s.begin(tx, r, access.AsPerson(joined.Account), account.Entry{Place: joined.Place})
		return err
	})
	return set, err
}

// GET …/{link}/sign-in
func (p passage) withAccount(s *Site, w http.ResponseWriter, r *http.Request, by access.Actor) error {
	o, err := p.offer(s, r, by)
	if err != nil {
		return p.dead(s, w, r, by, o, err)
	}
	if by.SignedIn() {
		return see(w, r, p.at(r))
	}
	return s.show(w, r, http.StatusOK, p.signInPage(s, r, o).View())
}

func (p passage) signInPage(s *Site, r *http.Request, o passing) *JoinSignInPage {
	page := &JoinSignInPage{Page: s.page(r, "Sign in"), Link: p.at(r), Email: o.Email.String()}
	page.Lede = "Then you can " + o.to + ". " + p.until(s, o)
	page.Picture = p.picture
	return page
}

// POST …/{link}/sign-in
func (p passage) signsIn(s *Site, w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	o, err := p.offer(s, r, by)
	if err != nil {
		return p.dead(s, w, r, by, o, err)
	}
	in, err := s.admit(r, form.Get("email"), form.Get("password"), p.at(r))
	if err == nil {
		in.set(w)
		return see(w, r, in.to)
	}
	page := p.signInPage(s, r, o)
	page.Email = form.Get("email")
	return s.answerForm(w, r, &page.Page, err, page.View)
}

// invited shows an invitation to somebody who is signed in. Wrong is what went
// wrong with accepting it, if anything did.
func (p passage) invited(s *Site, w http.ResponseWriter, r *http.Request, by access.Actor, o passing, wrong error) error {
	page := &InvitedPage{Page: s.page(r, "Your invitation"), Link: p.at(r), Name: o.holder, Email: o.Email.String(), Until: p.until(s, o)}
	page.Picture = p.picture
	err := s.DB.View(r.Context(), func(tx *db.Tx) error {
		me, err := account.Of(tx, by)
		page.Me, page.MyEmail, page.Theirs = me.Name, me.Email.String(), me.Email.Fold() == o.Email.Fold()
		return err
	})
	if err != nil {
		return err
	}
	page.Heading, page.Lede = "This invitation is for another e-mail", "You are signed in as "+page.Me+". Nothing is accepted unless you switch to the account of the invited e-mail."
	if page.Theirs {
		page.Heading, page.Lede = capital(o.to)+"?", o.lede+" Your password stays as it is."
	}
	if wrong != nil {
		return s.answerForm(w, r, &page.Page, wrong, page.View)
	}
	return s.show(w, r, http.StatusOK, page.View())
}

// POST …/{link}/acceptance
func (p passage) accepts(s *Site, w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if !by.SignedIn() { // the session ended while the page lay open: it says what can be done
		return see(w, r, p.at(r))
	}
	next := "/dashboard"
	err := s.DB.Update(r.Context(), func(tx *db.Tx) error {
		joined, err := p.accept(tx, by, linkOf(r))
		if err != nil {
			return err
		}
		if joined.Place == (account.Place{}) { // its first day is yet to come
			next = "/places"
			return nil
		}
		return people.Choose(tx, by, visitOf(r).token, joined.Place)
	})
	if err == nil {
		return see(w, r, next)
	}
	o, dead := p.offer(s, r, by)
	if dead != nil {
		return p.dead(s, w, r, by, o, dead)
	}
	return p.invited(s, w, r, by, o, err)
}

// POST …/{link}/switch
func (p passage) switches(s *Site, w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return s.switchTo(w, r, by, p.at(r))
}

// dead shows the page of a link that does not work.
func (p passage) dead(s *Site, w http.ResponseWriter, r *http.Request, by access.Actor, o passing, why error) error {
	if !isDead(why) {
		return why
	}
	return s.show(w, r, statusOf(why), p.deadPage(s, r, by, o, why).View())
}

func (p passage) deadPage(s *Site, r *http.Request, by access.Actor, o passing, why error) *DeadLinkPage {
	o.Zone = o.Practice.Zone
	page := s.deadLinkPage(r, by, o.Offer, why)
	if page.Ask != "" {
		page.Ask = p.at(r) + "/new-link"
	}
	page.Picture = p.picture
	return page
}

// POST …/{link}/new-link
func (p passage) renews(s *Site, w http.ResponseWriter, r *http.Request, by access.Actor) error {
	o, why := p.offer(s, r, by)
	if why == nil {
		return see(w, r, p.at(r))
	}
	if !isDead(why) {
		return why
	}
	err := s.renew(r, renewLinkRule, fmt.Sprintf("%x", linkOf(r).Hash()), func(tx *db.Tx) error { return p.renew(tx, by, linkOf(r)) })
	if err == nil {
		return see(w, r, askedPath(o.Newer, why))
	}
	page := p.deadPage(s, r, by, o, why)
	return s.answerForm(w, r, &page.Page, err, page.View)
}
