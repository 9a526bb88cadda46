package web

import (
	"errors"
	"math"
	"net/http"
	"strings"
	"time"

	"icouch/internal/access"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/platform/db"
	"icouch/internal/platform/limit"
	"icouch/internal/team"
	"icouch/internal/web/parts"
)

// emergencyRule is how often somebody may look for a client in an emergency,
// found or not.
var emergencyRule = limit.Rule{Name: "emergency", Most: 10, Per: 24 * time.Hour}

// What is told about the name. That there are two is told like that there is none.
var (
	errNoWho    = fault.On("who", fault.Invalid, "Enter the client’s full name, or their e-mail address.")
	errNotFound = fault.On("who", fault.Invalid, "No single client was found by exactly that name or e-mail address. Check the spelling, or try the other of the two.")
)

// EmergencyPage opens a colleague's client.
type EmergencyPage struct {
	Page
	who, reason string
}

// GET /people/emergency
func (s *Site) chooseEmergency(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	frame, err := s.frame(r, by, "Open a client in an emergency", "/people")
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, EmergencyPage{Page: frame}.View())
}

// POST /people/emergency
func (s *Site) openEmergency(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	p := EmergencyPage{who: form.Get("who"), reason: form.Get("reason")}
	client, err := s.breakGlass(r, by, p.who, p.reason)
	if err == nil {
		return see(w, r, "/people/"+client.String())
	}
	told, status := problemsOf(err)
	if told == nil {
		return err
	}
	if p.Page, err = s.frame(r, by, "Open a client in an emergency", "/people"); err != nil {
		return err
	}
	p.tell(told)
	return s.show(w, r, status, p.View())
}

// breakGlass finds the client and opens them. Whom by may see anyway is not
// opened, only found.
func (s *Site) breakGlass(r *http.Request, by access.Actor, who, reason string) (id.Client, error) {
	_, wrong := team.CheckReason(reason) // before a try is counted
	if strings.TrimSpace(who) == "" {
		wrong = errors.Join(errNoWho, wrong)
	}
	if wrong != nil {
		return "", wrong
	}
	if err := s.Limits.Take(r.Context(), emergencyRule, by.Account().String()); err != nil {
		return "", err
	}
	found, err := s.Directory.Exactly(r.Context(), by, who)
	if err != nil {
		return "", err
	}
	if len(found) != 1 {
		if err := s.DB.Update(r.Context(), func(tx *db.Tx) error { return team.Missed(tx, by) }); err != nil {
			return "", err
		}
		return "", errNotFound
	}
	err = s.DB.Update(r.Context(), func(tx *db.Tx) error { return team.Open(tx, by, found[0], reason) })
	if errors.Is(err, team.ErrOpenToYou) {
		err = nil
	}
	return found[0], err
}

// POST /people/{client}/emergency/closing
func (s *Site) closeEmergency(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	client, err := pathID[id.Client](r, "client")
	if err != nil {
		return err
	}
	err = s.DB.Update(r.Context(), func(tx *db.Tx) error { return team.Close(tx, by, client) })
	if err != nil {
		return s.showProblem(w, r, by, "", err)
	}
	return see(w, r, "/people?said=emergency-closed")
}

// glass is the banner on the pages of a client that was opened in an emergency.
type glass struct {
	client id.Client
	left   time.Duration
}

// glassOf is the banner for a client, or nil.
func glassOf(tx *db.Tx, by access.Actor, client id.Client) (*glass, error) {
	until, err := team.OpenUntil(tx, by, client)
	if err != nil || until.IsZero() {
		return nil, err
	}
	return &glass{client, until.Sub(tx.Now().Time)}, nil
}

func (g glass) notice() parts.Notice {
	return parts.Notice{Tone: parts.Warn, Title: "Opened in an emergency",
		Words: "This client is in a colleague’s care. The record closes in " + minutesWords(g.left) + ". The owners of the practice were told."}
}

// minutesWords rounds up: what has begun is left.
func minutesWords(d time.Duration) string {
	n := int(math.Ceil(d.Minutes()))
	switch {
	case n <= 1:
		return "1 minute"
	case n == 60:
		return "1 hour"
	}
	return thousands(n) + " minutes"
}
