package web

import (
	"net/http"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/civil"
	"icouch/internal/base/fault"
	"icouch/internal/people"
	"icouch/internal/platform/db"
)

// LeavePage says what goes and what stays, and asks for the password.
type LeavePage struct {
	Page
	Email    string
	Day      string // until when one can change one's mind
	Obstacle string // why it cannot be deleted now; or ""
}

// showLeave is GET /settings/leave.
func (s *Site) showLeave(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	page, who, err := s.settings(r, by)
	if err != nil {
		return err
	}
	p := s.leavePage(r, page, who)
	err = s.DB.View(r.Context(), func(tx *db.Tx) error { return people.MayLeave(tx, outside(by)) })
	if p.Obstacle, _, _ = fault.As(err); err != nil && p.Obstacle == "" {
		return err
	}
	return s.show(w, r, http.StatusOK, p.View())
}

func (s *Site) leavePage(r *http.Request, page Page, who account.Account) LeavePage {
	now := s.DB.Clock()
	return LeavePage{Page: page, Email: who.Email.String(), Day: civil.Day(now, now.Add(account.Grace), zoneHere(r, who))}
}

// leave is POST /settings/leave. The password is asked for once more, and every
// session ends: whoever comes back sees the one page on which to stay.
func (s *Site) leave(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if err := typed(r); err != nil {
		return err
	}
	err := s.prove(r, by, r.PostFormValue("password"))
	if err == nil {
		err = s.DB.Update(r.Context(), func(tx *db.Tx) error {
			if _, err := people.AskToLeave(tx, outside(by)); err != nil {
				return err
			}
			return account.EndAll(tx, outside(by), by.Account())
		})
	}
	if err == nil {
		s.dropCookie(w, s.sessionCookie())
		return see(w, r, "/sign-in?said=leaving")
	}
	told, status := problemsOf(err)
	if told == nil {
		return err
	}
	page, who, err := s.settings(r, by)
	if err != nil {
		return err
	}
	p := s.leavePage(r, page, who)
	p.tell(told)
	return s.show(w, r, status, p.View())
}

// LeavingPage is all that somebody sees whose account is to be deleted.
type LeavingPage struct {
	Page
	Day string
}

// showLeaving is GET /leaving.
func (s *Site) showLeaving(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	p := LeavingPage{Page: s.door(r, "Your account")}
	err := s.DB.View(r.Context(), func(tx *db.Tx) error {
		me, err := account.Of(tx, by)
		if err != nil {
			return err
		}
		there, err := people.ZoneLeft(tx, by)
		if on := visitOf(r).session.LeavesAt; on != nil {
			p.Day = civil.Day(s.DB.Clock(), on.Time, zoneOr(me.Zone, there))
		}
		return err
	})
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, p.View())
}

// keepAccount is POST /leaving/keep.
func (s *Site) keepAccount(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if err := s.DB.Update(r.Context(), func(tx *db.Tx) error { return account.Keep(tx, by) }); err != nil {
		return err
	}
	return see(w, r, "/dashboard")
}
