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
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/team"
	"icouch/internal/web/parts"
)

// A colleague who holds a link comes through here. It is the way of a client's
// link, with the same pages: looking changes nothing, and a form's POST uses
// the link up, once.

var teamPicture = parts.Picture{Words: "A quiet place to work with your clients.", Points: []parts.Point{
	{Icon: "shield-check", Words: "What is kept about clients is encrypted"},
	{Icon: "users", Words: "Each sees the clients they work with"},
	{Icon: "history", Words: "Every change is in the trail"},
}}

func teamPath(r *http.Request) string { return "/team/" + url.PathEscape(r.PathValue("link")) }

func (s *Site) teamOffer(r *http.Request, by access.Actor) (o team.Offer, err error) {
	err = s.DB.View(r.Context(), func(tx *db.Tx) error {
		o, err = team.Look(tx, by, linkOf(r))
		return err
	})
	if err != nil {
		return o, err
	}
	return o, o.Fault()
}

func (s *Site) teamUntil(o team.Offer) string {
	return "This invitation works until " + civil.MomentZone(s.DB.Clock(), o.ExpiresAt.Time, o.Practice.Zone) + "."
}

func (s *Site) teamLede(o team.Offer) string {
	return o.Inviter + " invites you to work in " + o.Practice.Name + " on " + s.House.Brand + ". Your role will be “" + team.RoleWords(o.Role) + "”."
}

// GET /team/{link}
func (s *Site) teamLink(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	o, err := s.teamOffer(r, by)
	if err != nil {
		return s.teamDead(w, r, by, o, err)
	}
	if by.SignedIn() {
		return s.teamInvited(w, r, by, o, nil)
	}
	p := s.teamJoinPage(r, o)
	return s.show(w, r, http.StatusOK, p.View())
}

func (s *Site) teamJoinPage(r *http.Request, o team.Offer) *JoinPage {
	p := &JoinPage{Page: s.page(r, "Create your account"), Link: teamPath(r), Until: s.teamUntil(o), Name: o.Name, Email: o.Email.String(), Suggested: password.Suggest()}
	p.Lede = s.teamLede(o) + " You only choose a password."
	p.Picture = teamPicture
	return p
}

// POST /team/{link}
//
// The password is looked at before the link is: one that is refused leaves the
// link as it was.
func (s *Site) teamSignUp(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	o, err := s.teamOffer(r, by)
	if err != nil {
		return s.teamDead(w, r, by, o, err)
	}
	if by.SignedIn() {
		return s.teamInvited(w, r, by, o, errSignedInMeanwhile)
	}
	set, err := s.joinTeam(r, by, o, form.Get("password"))
	switch {
	case err == nil:
		set(w)
		return see(w, r, "/welcome")
	case errors.Is(err, people.ErrSignInToAccept):
		p := s.teamSignInPage(r, o)
		return s.answerForm(w, r, &p.Page, err, p.View)
	case isDead(err):
		o, err = s.teamOffer(r, by)
		return s.teamDead(w, r, by, o, err)
	}
	p := s.teamJoinPage(r, o)
	return s.answerForm(w, r, &p.Page, err, p.View)
}

// joinTeam makes the account, and signs the person in.
func (s *Site) joinTeam(r *http.Request, by access.Actor, o team.Offer, pw string) (set func(http.ResponseWriter), err error) {
	if pw == "" {
		return nil, errChoosePassword
	}
	if err := s.Limits.Take(r.Context(), signUpRule, s.from(r)); err != nil {
		return nil, err
	}
	about := []string{o.Name, o.Practice.Name, o.Inviter, s.House.Brand, o.Email.String()}
	hash, err := s.Doorman.Hash(r.Context(), pw, password.Context{Names: about})
	if err != nil {
		return nil, err
	}
	err = s.DB.Update(r.Context(), func(tx *db.Tx) error {
		joined, err := team.SignUp(tx, by, linkOf(r), hash)
		if err != nil {
			return err
		}
		set, err = s.begin(tx, r, access.AsPerson(joined.Account), account.Entry{Place: joined.Place})
		return err
	})
	return set, err
}

// GET /team/{link}/sign-in
func (s *Site) teamWithAccount(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	o, err := s.teamOffer(r, by)
	if err != nil {
		return s.teamDead(w, r, by, o, err)
	}
	if by.SignedIn() {
		return see(w, r, teamPath(r))
	}
	p := s.teamSignInPage(r, o)
	return s.show(w, r, http.StatusOK, p.View())
}

func (s *Site) teamSignInPage(r *http.Request, o team.Offer) *JoinSignInPage {
	p := &JoinSignInPage{Page: s.page(r, "Sign in"), Link: teamPath(r), Email: o.Email.String()}
	p.Lede = "Then you can join " + o.Practice.Name + ". " + s.teamUntil(o)
	p.Picture = teamPicture
	return p
}

// POST /team/{link}/sign-in
func (s *Site) teamSignIn(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	o, err := s.teamOffer(r, by)
	if err != nil {
		return s.teamDead(w, r, by, o, err)
	}
	in, err := s.admit(r, form.Get("email"), form.Get("password"), teamPath(r))
	if err == nil {
		in.set(w)
		return see(w, r, in.to)
	}
	p := s.teamSignInPage(r, o)
	p.Email = form.Get("email")
	return s.answerForm(w, r, &p.Page, err, p.View)
}

// teamInvited shows an invitation to somebody who is signed in. Wrong is what
// went wrong with accepting it, if anything did.
func (s *Site) teamInvited(w http.ResponseWriter, r *http.Request, by access.Actor, o team.Offer, wrong error) error {
	p := &InvitedPage{Page: s.page(r, "Your invitation"), Link: teamPath(r), Name: o.Name, Email: o.Email.String(), Until: s.teamUntil(o)}
	p.Picture = teamPicture
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
		p.Heading, p.Lede = "Join "+o.Practice.Name+"?", s.teamLede(o)+" Your password stays as it is."
	}
	if wrong != nil {
		return s.answerForm(w, r, &p.Page, wrong, p.View)
	}
	return s.show(w, r, http.StatusOK, p.View())
}

// POST /team/{link}/acceptance
func (s *Site) teamAccept(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if !by.SignedIn() { // the session ended while the page lay open: it says what can be done
		return see(w, r, teamPath(r))
	}
	err := s.DB.Update(r.Context(), func(tx *db.Tx) error {
		joined, err := team.Accept(tx, by, linkOf(r))
		if err != nil {
			return err
		}
		return people.Choose(tx, by, visitOf(r).token, joined.Place)
	})
	if err == nil {
		return see(w, r, "/dashboard")
	}
	o, dead := s.teamOffer(r, by)
	if dead != nil {
		return s.teamDead(w, r, by, o, dead)
	}
	return s.teamInvited(w, r, by, o, err)
}

// POST /team/{link}/switch
func (s *Site) teamSwitch(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return s.switchTo(w, r, by, teamPath(r))
}

// teamDead shows the page of a link that does not work.
func (s *Site) teamDead(w http.ResponseWriter, r *http.Request, by access.Actor, o team.Offer, why error) error {
	if !isDead(why) {
		return why
	}
	p := s.teamDeadPage(r, by, o, why)
	return s.show(w, r, statusOf(why), p.View())
}

func (s *Site) teamDeadPage(r *http.Request, by access.Actor, o team.Offer, why error) *DeadLinkPage {
	as := people.Offer{State: o.State, Newer: o.Newer, Expired: o.Expired, ExpiresAt: o.ExpiresAt, EndedAt: o.EndedAt, Zone: o.Practice.Zone}
	p := s.deadLinkPage(r, by, as, why)
	if p.Ask != "" {
		p.Ask = teamPath(r) + "/new-link"
	}
	p.Picture = teamPicture
	return p
}

// POST /team/{link}/new-link
func (s *Site) teamRenew(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	o, why := s.teamOffer(r, by)
	if why == nil {
		return see(w, r, teamPath(r))
	}
	if !isDead(why) {
		return why
	}
	err := s.renew(r, renewLinkRule, fmt.Sprintf("%x", linkOf(r).Hash()), func(tx *db.Tx) error { return team.Renew(tx, by, linkOf(r)) })
	if err == nil {
		return see(w, r, askedPath(o.Newer, why))
	}
	p := s.teamDeadPage(r, by, o, why)
	return s.answerForm(w, r, &p.Page, err, p.View)
}
