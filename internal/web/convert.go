package web

import (
	"errors"
	"net/http"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/fault"
	"icouch/internal/base/secret"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/support"
	"icouch/internal/web/parts"
)

// ConvertPage is behind the link with which support asks to put an account
// right: what changes, what stays, yes or no.
type ConvertPage struct {
	Page
	Link      string
	Email     string // of the holder, who is signed in
	Ends      bool   // nobody is signed in, or somebody else: the link can be refused and no more
	Other     bool   // somebody else is signed in
	Confirmed bool
	Obstacle  string // why it cannot be done any more; or ""
}

// showConvert is GET /convert/{link}. Looking changes nothing.
func (s *Site) showConvert(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	p, err := s.convertPage(r, by)
	if err != nil {
		return s.convertDead(w, r, err)
	}
	return s.show(w, r, http.StatusOK, p.View())
}

func (s *Site) convertPage(r *http.Request, by access.Actor) (p ConvertPage, err error) {
	p = ConvertPage{Page: s.door(r, "Your account"), Link: r.PathValue("link")}
	err = s.DB.View(r.Context(), func(tx *db.Tx) error {
		q, err := support.Look(tx, by, secret.ParseToken(p.Link))
		if err != nil {
			return err
		}
		if err := q.Fault(); err != nil {
			return err
		}
		p.Confirmed, p.Other = q.State == support.Confirmed, by.SignedIn() && by.Account() != q.Account
		if p.Ends = !by.SignedIn() || p.Other; p.Ends {
			return nil
		}
		me, err := account.Of(tx, by)
		if err != nil {
			return err
		}
		p.Email = me.Email.String()
		_, err = people.Mistaken(tx, by, q.Account)
		sentence, _, isFault := fault.As(err)
		if err != nil && !isFault {
			return err
		}
		p.Obstacle = sentence
		return nil
	})
	return p, err
}

// confirmConversion is POST /convert/{link}/confirmation. The password is proved
// once more: to be signed in is not enough for what cannot be taken back.
func (s *Site) confirmConversion(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if err := typed(r); err != nil {
		return err
	}
	p, err := s.convertPage(r, by)
	if err != nil {
		return s.convertDead(w, r, err)
	}
	done, err := s.confirmed(r, by, p)
	if err == nil && done {
		s.dropCookie(w, s.sessionCookie())
		return see(w, r, "/sign-in?said=converted")
	}
	if err == nil {
		return see(w, r, "/convert/"+p.Link)
	}
	told, status := problemsOf(err)
	if told == nil {
		return err
	}
	if p, err = s.convertPage(r, by); err != nil { // somebody was quicker
		return s.convertDead(w, r, err)
	}
	p.tell(told)
	return s.show(w, r, status, p.View())
}

func (s *Site) confirmed(r *http.Request, by access.Actor, p ConvertPage) (done bool, err error) {
	if !by.SignedIn() {
		return false, account.ErrSignInFirst
	}
	if p.Other {
		return false, support.ErrNotHolder
	}
	if err := s.prove(r, by, r.PostFormValue("password")); err != nil {
		return false, err
	}
	err = s.DB.Update(r.Context(), func(tx *db.Tx) (err error) {
		done, err = support.Confirm(tx, outside(by), secret.ParseToken(p.Link))
		return err
	})
	return done, err
}

// refuseConversion is POST /convert/{link}/refusal: "This was not me".
func (s *Site) refuseConversion(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	err := s.DB.Update(r.Context(), func(tx *db.Tx) error {
		return support.Decline(tx, outside(by), secret.ParseToken(r.PathValue("link")))
	})
	if err != nil {
		return s.convertDead(w, r, err)
	}
	return see(w, r, "/convert/"+r.PathValue("link"))
}

// convertDead says what became of a request that cannot be answered any more.
func (s *Site) convertDead(w http.ResponseWriter, r *http.Request, err error) error {
	sentence, _, isFault := fault.As(err)
	if !isFault {
		return err
	}
	p := DeadPage{Page: s.door(r, "Your account"), Heading: "Nothing was changed", Words: sentence, Ways: []parts.Button{waySignIn, wayHelp}}
	switch {
	case errors.Is(err, support.ErrDone):
		p.Heading, p.Words = "Your account is put right", "This has been done already. It is a client’s account now; sign in as before."
	case errors.Is(err, support.ErrDeclined):
		p.Words = "You have said no, and support knows. Your account stays as it is, and this link does nothing more. If you did not expect this letter, change your password to be safe."
	case errors.Is(err, support.ErrLinkUnknown):
		p.Heading, p.Words = "This link does not work", "It may be incomplete, or a newer letter has taken its place. Please open the link in the newest letter, all of it."
	}
	return s.show(w, r, statusOf(err), p.View())
}

// signInWords says how to come back: the link is in no address but its own.
func (p ConvertPage) signInWords() string {
	if p.Other {
		return "You are signed in with another account than the one this letter is about. Sign out, sign in with that one, then open the link in the letter again."
	}
	return "Sign in to your account as before. Then open the link in the letter again."
}
