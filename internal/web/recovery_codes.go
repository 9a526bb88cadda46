package web

import (
	"fmt"
	"net/http"

	"icouch/internal/access"
	"icouch/internal/account/factor"
	"icouch/internal/base/civil"
	"icouch/internal/platform/db"
)

func codesLeft(n int64) string {
	switch n {
	case 0:
		return "There are none now. Create some: without them, a lost phone or key can lock you out."
	case 1:
		return "1 is left"
	}
	return fmt.Sprintf("%d are left", n)
}

// codesWords says, beside other things, that there are too few.
func codesWords(n int64) string {
	switch n {
	case 0:
		return "No recovery codes yet"
	case 1:
		return "Only 1 recovery code is left"
	}
	return fmt.Sprintf("Only %d recovery codes are left", n)
}

// RecoveryPage says how many recovery codes are left, and shows new ones once.
type RecoveryPage struct {
	Page
	Next  string
	Has   factor.Set
	Left  string
	Codes []string // shown this once
	Day   string
}

// showRecovery is GET /settings/recovery-codes.
func (s *Site) showRecovery(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if ok, err := s.proved(w, r, here(r)); !ok {
		return err
	}
	p, err := s.recoveryPage(r, by, localPath(r.URL.Query().Get("next")))
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, p.View())
}

func (s *Site) recoveryPage(r *http.Request, by access.Actor, next string) (p RecoveryPage, err error) {
	page, who, err := s.settings(r, by)
	if err != nil {
		return p, err
	}
	p = RecoveryPage{Page: page, Next: next, Day: dayWords(civil.DateOf(s.DB.Clock(), zoneHere(r, who)))}
	p.Shell.Title = "Recovery codes"
	p.Has, err = s.factorsOf(r, by)
	p.Left = codesLeft(p.Has.CodesLeft)
	return p, err
}

// makeRecovery is POST /settings/recovery-codes. What it makes is in its answer
// and nowhere else.
func (s *Site) makeRecovery(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if err := typed(r); err != nil {
		return err
	}
	next := localPath(r.PostFormValue("next"))
	if ok, err := s.proved(w, r, with(here(r), "")); !ok {
		return err
	}
	var codes []string
	err := s.DB.Update(r.Context(), func(tx *db.Tx) (err error) {
		if _, err := changeable(tx, r, by); err != nil {
			return err
		}
		codes, err = factor.NewCodes(tx, outside(by))
		return err
	})
	told, status := problemsOf(err)
	if err != nil && told == nil {
		return err
	}
	p, e := s.recoveryPage(r, by, next)
	if e != nil {
		return e
	}
	if err == nil {
		p.Codes, status = codes, http.StatusOK
	}
	p.tell(told)
	return s.show(w, r, status, p.View())
}

func (p RecoveryPage) onward() string { return onward(p.Next) }
