package web

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/platform/limit"
)

// vouchRule bounds how often a day somebody vouches: whoever does it more often
// is not helping somebody. It is its own, and no other counts towards it.
var vouchRule = limit.Rule{Name: "vouch", Most: 10, Per: 24 * time.Hour}

func vouchers(a access.Actor) bool { return a.May(access.Vouch) }

// vouch is POST /people/{client}/vouch.
func (s *Site) vouch(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	client, err := pathID[id.Client](r, "client")
	if err != nil {
		return err
	}
	at := "/people/" + client.String()
	if err := s.DB.View(r.Context(), func(tx *db.Tx) error { _, err := people.Find(tx, by, client); return err }); err != nil {
		return err
	}
	if ok, err := s.proved(w, r, at); !ok {
		return err
	}
	if err = s.Limits.Take(r.Context(), vouchRule, by.Account().String()); err == nil {
		err = s.DB.Update(r.Context(), func(tx *db.Tx) error { return people.Vouch(tx, by, client) })
	}
	if err == nil {
		return see(w, r, at+"?said=vouched")
	}
	told, status := problemsOf(err)
	if told == nil {
		return err
	}
	p, err := s.clientPage(r, by, "")
	if err != nil {
		return err
	}
	p.tell(told)
	return s.show(w, r, status, p.View())
}

// VouchedPage is where somebody whose practice vouched for them signs in.
type VouchedPage struct {
	Page
	Link, Email string
	Who         string // who vouched, as a sentence begins
	Tell        string // whom to tell if it was somebody else
}

// showVouched is GET /vouched/{link}. Looking uses nothing up.
func (s *Site) showVouched(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	p, err := s.vouchedPage(r, by)
	if err != nil {
		return s.dead(w, r, err, waySignIn)
	}
	return s.show(w, r, http.StatusOK, p.View())
}

func (s *Site) vouchedPage(r *http.Request, by access.Actor) (VouchedPage, error) {
	p := VouchedPage{Page: s.door(r, "Sign in again"), Link: "/vouched/" + url.PathEscape(r.PathValue("link")), Who: "Your practice vouched for you.", Tell: "tell your practice"}
	err := s.DB.View(r.Context(), func(tx *db.Tx) error { return people.PeekVouch(tx, outside(by), linkOf(r)) })
	return p, err
}

// useVouched is POST /vouched/{link}. The link does nothing without the password.
func (s *Site) useVouched(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if err := typed(r); err != nil {
		return err
	}
	p, err := s.vouchedPage(r, by)
	if err != nil {
		return s.dead(w, r, err, waySignIn)
	}
	p.Email = r.PostFormValue("email")
	set, err := s.comeBack(r, p.Email, r.PostFormValue("password"), people.UseVouch)
	switch {
	case err == nil:
		set(w)
		return see(w, r, "/settings/second-step")
	case errors.Is(err, account.ErrLinkUsed), errors.Is(err, account.ErrLinkEnded), errors.Is(err, account.ErrLinkUnknown):
		return s.dead(w, r, err, waySignIn)
	}
	told, status := problemsOf(err)
	if told == nil {
		return err
	}
	p.tell(told)
	return s.show(w, r, status, p.View())
}

// comeBack signs somebody in by their password and a link of somebody who vouched
// for them, which use uses up.
func (s *Site) comeBack(r *http.Request, address, pw string, use func(*db.Tx, access.Actor, secret.Token, id.Account) error) (set func(http.ResponseWriter), err error) {
	var missing []error
	if address == "" {
		missing = append(missing, errNoEmailTyped)
	}
	if pw == "" {
		missing = append(missing, errNoPassword)
	}
	if missing != nil {
		return nil, errors.Join(missing...)
	}
	who, err := s.Doorman.SignIn(r.Context(), address, pw, s.from(r), s.device(r))
	if err != nil {
		return nil, err
	}
	err = s.DB.Update(r.Context(), func(tx *db.Tx) error {
		if err := who.Holds(tx, access.AsPerson(who.Account)); err != nil {
			return err
		}
		if err := use(tx, access.AsPerson(who.Account), linkOf(r), who.Account); err != nil {
			return err
		}
		set, err = s.enter(tx, r, who.Account, account.Entry{})
		return err
	})
	return set, err
}
