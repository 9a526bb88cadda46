package web

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/a-h/templ"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/account/password"
	"icouch/internal/base/civil"
	"icouch/internal/base/fault"
	"icouch/internal/base/secret"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/web/parts"
)

// Whoever holds a link from an invitation comes through here. Looking at it
// changes nothing, however often and by whomever: mail filters open links too.
// Only a form's POST uses it up, once, and what the page says is the same
// whether or not the address has an account.
var joinRoutes = []route{
	{pattern: "GET /join/{link}", enter: anyone, do: (*Site).join},
	{pattern: "POST /join/{link}", enter: anyone, do: (*Site).joinBySigningUp},
	{pattern: "GET /join/{link}/sign-in", enter: anyone, do: (*Site).joinWithAccount},
	{pattern: "POST /join/{link}/sign-in", enter: anyone, do: (*Site).joinSignIn},
	{pattern: "POST /join/{link}/acceptance", enter: anyone, do: (*Site).joinAccept},
	{pattern: "POST /join/{link}/switch", enter: anyone, do: (*Site).joinSwitch},
	{pattern: "POST /join/{link}/new-link", enter: anyone, do: (*Site).joinRenew},
	{pattern: "GET /join/lost", enter: anyone, do: (*Site).joinLost},
	{pattern: "POST /join/lost", enter: anyone, do: (*Site).joinRenewByAddress},
	{pattern: "GET /join/sent", enter: anyone, do: (*Site).joinSent},
	{pattern: "GET /welcome", enter: signedIn, do: (*Site).welcome},
	{pattern: "POST /welcome", enter: signedIn, do: (*Site).setWelcomeZone},
}

// JoinPage is the client's sign-up page: all is known but the password.
type JoinPage struct {
	Page
	Link      string
	Lede      string
	Until     string
	Name      string
	Email     string
	Suggested string // a password for whoever does not want to think of one
}

// GET /join/{link}
func (s *Site) join(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	o, err := s.offer(r, by)
	if err != nil {
		return s.deadLink(w, r, by, o, err)
	}
	if by.SignedIn() {
		return s.invited(w, r, by, o, nil)
	}
	p := s.joinPage(r, o)
	return s.show(w, r, http.StatusOK, p.View())
}

// POST /join/{link}
//
// The password is looked at before the link is: one that is refused leaves the
// link as it was.
func (s *Site) joinBySigningUp(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	o, err := s.offer(r, by)
	if err != nil {
		return s.deadLink(w, r, by, o, err)
	}
	if by.SignedIn() { // in another tab, meanwhile; nothing is accepted by itself
		return s.invited(w, r, by, o, errSignedInMeanwhile)
	}
	if form.Has("email") || form.Has("name") { // they are the invitation's, whatever a form says
		s.Log.WarnContext(r.Context(), "sign-up form with a name or address of its own", "reference", visitOf(r).reference)
	}
	set, err := s.acceptBySigningUp(r, by, o, form.Get("password"))
	switch {
	case err == nil:
		set(w)
		return see(w, r, "/welcome")
	case errors.Is(err, people.ErrSignInToAccept):
		p := s.joinSignInPage(r, o)
		return s.answerForm(w, r, &p.Page, err, p.View)
	case isDead(err): // somebody was quicker
		o, err = s.offer(r, by)
		return s.deadLink(w, r, by, o, err)
	}
	p := s.joinPage(r, o)
	return s.answerForm(w, r, &p.Page, err, p.View)
}

// errSignedInMeanwhile is told to whoever sends the sign-up form and has signed
// in since it was opened.
var errSignedInMeanwhile = fault.New(fault.Conflict, "You have signed in since this page was opened. Nothing was accepted yet.")

// acceptBySigningUp makes the account, and signs the person in.
func (s *Site) acceptBySigningUp(r *http.Request, by access.Actor, o people.Offer, pw string) (set func(http.ResponseWriter), err error) {
	if pw == "" {
		return nil, errChoosePassword
	}
	if err := s.Limits.Take(r.Context(), signUpRule, s.from(r)); err != nil {
		return nil, err
	}
	about := []string{o.Name.First, o.Name.Last, o.Name.Preferred, o.Practice.Name, o.Inviter, s.House.Brand, o.Email.String()}
	hash, err := s.Doorman.Hash(r.Context(), pw, password.Context{Names: about})
	if err != nil {
		return nil, err
	}
	err = s.DB.Update(r.Context(), func(tx *db.Tx) error {
		joined, err := people.SignUp(tx, by, linkOf(r), hash)
		if err != nil {
			return err
		}
		set, err = s.begin(tx, r, access.AsPerson(joined.Account), account.Entry{Place: joined.Place})
		return err
	})
	return set, err
}

var errChoosePassword = fault.On("password", fault.Invalid, "Choose a password of 15 characters or more.")

// linkOf is the secret part of the address. It stays out of logs and titles.
func linkOf(r *http.Request) secret.Token { return secret.ParseToken(r.PathValue("link")) }

// linkPath is where the pages of a link are.
func linkPath(r *http.Request) string { return "/join/" + url.PathEscape(r.PathValue("link")) }

// offer reads what a link offers, or a fault that says why it does not work.
func (s *Site) offer(r *http.Request, by access.Actor) (o people.Offer, err error) {
	err = s.DB.View(r.Context(), func(tx *db.Tx) error {
		o, err = people.Look(tx, by, linkOf(r))
		return err
	})
	if err != nil {
		return o, err
	}
	return o, o.Fault()
}

// isDead reports whether err says that a link does not work.
func isDead(err error) bool {
	for _, dead := range []error{people.ErrLinkUnknown, people.ErrLinkUsed, people.ErrLinkExpired, people.ErrLinkReplaced, people.ErrLinkWithdrawn} {
		if errors.Is(err, dead) {
			return true
		}
	}
	return false
}

func (s *Site) joinPage(r *http.Request, o people.Offer) *JoinPage {
	p := &JoinPage{Page: s.page(r, "Create your account"), Link: linkPath(r), Until: s.until(o), Name: o.Name.Full(), Email: o.Email.String(), Suggested: password.Suggest()}
	p.Lede = o.Inviter + " at " + o.Practice.Name + " invites you to " + s.House.Brand + ", a private place to keep in touch. It costs you nothing, and you only choose a password."
	p.Picture = invitationPicture
	return p
}

func (s *Site) until(o people.Offer) string {
	return "This invitation works until " + civil.MomentZone(s.DB.Clock(), o.ExpiresAt.Time, o.Zone) + "."
}

var invitationPicture = parts.Picture{Words: "A quiet place to keep in touch with your practice.", Points: []parts.Point{
	{Icon: "shield-check", Words: "What is kept about you is encrypted"},
	{Icon: "lock", Words: "E-mails never say why you are here"},
	{Icon: "heart", Words: "It costs you nothing"},
}}

// typedIn reads a form, or says that it is too large or makes no sense.
func typedIn(r *http.Request) (url.Values, error) {
	err := r.ParseForm()
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); err != nil && !tooLarge {
		return nil, errBadForm
	}
	return r.PostForm, err
}

var errBadForm = fault.New(fault.Invalid, "This form could not be read. Open the page again and send it from there.")

// WelcomePage is the first page of a new account: which time zone.
type WelcomePage struct {
	Page
	Zone parts.Select
}

// GET /welcome
func (s *Site) welcome(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	p, err := s.welcomePage(r, by)
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, p.View())
}

// POST /welcome
func (s *Site) setWelcomeZone(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	err = s.DB.Update(r.Context(), func(tx *db.Tx) error {
		if form.Get("zone") == "" { // an empty name is UTC's, which nobody has chosen
			return fault.At("zone", civil.ErrZone)
		}
		return account.SetZone(tx, by, form.Get("zone"))
	})
	if err == nil {
		return see(w, r, "/dashboard")
	}
	p, e := s.welcomePage(r, by)
	if e != nil {
		return e
	}
	return s.answerForm(w, r, &p.Page, err, func() templ.Component {
		p.Zone.Problem = p.Problems.For("zone")
		return p.View()
	})
}

// welcomePage has the practice's zone chosen until somebody knows better: the
// person, who may have chosen one already, or the device (see welcome.js).
func (s *Site) welcomePage(r *http.Request, by access.Actor) (*WelcomePage, error) {
	p := &WelcomePage{Page: s.page(r, "Your time zone")}
	p.Picture, p.Zone = invitationPicture, parts.Select{Name: "zone", Label: "Time zone", Hint: "The time it is there now stands beside each place."}
	if at := visitOf(r).session; at.Practice != "" && at.Client == "" { // a colleague
		p.Picture = teamPassage.picture
	}
	chosen := false
	err := s.DB.View(r.Context(), func(tx *db.Tx) error {
		me, err := account.Of(tx, by)
		if err != nil {
			return err
		}
		if p.Zone.Value, chosen = me.Zone, me.Zone != ""; chosen || by.Practice() == "" {
			return nil
		}
		practice, err := people.PracticeOf(tx, by)
		p.Zone.Value = practice.Zone.String()
		return err
	})
	if !chosen {
		p.Modules = []string{"welcome"}
	}
	if p.Zone.Value == "" {
		p.Zone.Prompt = "Choose a time zone"
	}
	p.Zone.Options = s.zonesNow(p.Zone.Value)
	return p, err
}

// zonesNow is the list of zones, each with the time it is there.
func (s *Site) zonesNow(likely string) []parts.Option {
	now, all := s.DB.Clock(), zoneOptions(likely)
	for i, o := range all {
		if z, err := civil.ParseZone(o.Value); err == nil {
			all[i].Label += " · " + civil.Clock(now, z)
		}
	}
	return all
}

// answerForm shows a form again with what is wrong with it. What is not a
// fault is returned.
func (s *Site) answerForm(w http.ResponseWriter, r *http.Request, p *Page, err error, view func() templ.Component) error {
	told, status := problemsOf(err)
	if told == nil {
		return err
	}
	p.tell(told)
	return s.show(w, r, status, view())
}
