package web

import (
	"fmt"
	"net/http"
	"strings"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/account/factor"
	"icouch/internal/base/civil"
	"icouch/internal/base/fault"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/web/parts"
)

const securityPath = "/settings/security"

// backToSecurity leads from a topic to the page of all of them.
var backToSecurity = &parts.Link{Label: "Sign-in & security", Href: securityPath}

// ChooseStepPage is where somebody sets up their first second step.
type ChooseStepPage struct {
	Page
	Lede     string
	Next     string
	Passkeys bool
}

// chooseStep is GET /settings/second-step. Whoever has one already is asked for it.
func (s *Site) chooseStep(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	next := localPath(r.URL.Query().Get("next"))
	page, _, err := s.settings(r, by)
	if err != nil {
		return err
	}
	has, err := s.factorsOf(r, by)
	if err != nil {
		return err
	}
	switch strong := visitOf(r).session.Strong; {
	case has.Any() && !strong:
		return see(w, r, with("/settings/prove", next))
	case has.Any():
		return see(w, r, securityPath)
	}
	p := ChooseStepPage{Page: page, Next: next, Passkeys: s.passkeys != nil, Lede: "A password can be guessed or stolen. A second step keeps others out all the same. Choose one; you can add the other later."}
	p.Shell.Title = "Second step"
	if by.Role() == access.Waiting {
		p.Lede = "Clients’ records are open here, so a password alone is not enough. Choose a second step; it takes a minute or two."
		if visitOf(r).session.Client != "" {
			p.Lede = "Your practice asks its clients for a second step, so that nobody else can read what is yours. Choose one; it takes a minute or two."
		}
	}
	return s.show(w, r, http.StatusOK, p.View())
}

func (s *Site) factorsOf(r *http.Request, by access.Actor) (has factor.Set, err error) {
	err = s.DB.View(r.Context(), func(tx *db.Tx) error {
		has, err = factor.Of(tx, outside(by))
		return err
	})
	return has, err
}

// SecurityPage is all that somebody signs in with.
type SecurityPage struct {
	Page
	Notice   *parts.Notice
	Has      factor.Set
	Passkeys []PasskeyLine
	Allowed  bool // browsers allow passkeys at this address
	App      string
	Codes    string
	Password string
}

// PasskeyLine is one passkey.
type PasskeyLine struct{ Name, About, Href string }

var saidAtSecurity = map[string]parts.Notice{
	"passkey":       {Tone: parts.Good, Words: "The passkey is added. We have sent you a letter about it."},
	"renamed":       {Tone: parts.Good, Words: "Saved."},
	"removed":       {Tone: parts.Good, Words: "It is removed. Nobody can sign in with it any more. We have sent you a letter about it."},
	"authenticator": {Tone: parts.Good, Words: "The authenticator is set up. We have sent you a letter about it."},
}

// showSecurity is GET /settings/security.
func (s *Site) showSecurity(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return s.securityAgain(w, r, by, nil)
}

// securityAgain shows the page, with what went wrong, if anything did.
func (s *Site) securityAgain(w http.ResponseWriter, r *http.Request, by access.Actor, wrong error) error {
	told, status := problemsOf(wrong)
	if wrong != nil && told == nil {
		return wrong
	}
	p, err := s.securityPage(r, by)
	if err != nil {
		return err
	}
	if wrong == nil {
		status = http.StatusOK
		if n, ok := saidAtSecurity[r.URL.Query().Get("said")]; ok {
			p.Notice = &n
		}
	}
	p.tell(told)
	return s.show(w, r, status, p.View())
}

func (s *Site) securityPage(r *http.Request, by access.Actor) (p SecurityPage, err error) {
	page, who, err := s.settings(r, by)
	if err != nil {
		return p, err
	}
	p = SecurityPage{Page: page, Allowed: s.passkeys != nil}
	p.Shell.Title = "Security"
	if p.Has, err = s.factorsOf(r, by); err != nil {
		return p, err
	}
	now, zone := s.DB.Clock(), zoneHere(r, who)
	for _, k := range p.Has.Passkeys {
		l := PasskeyLine{Name: k.Name, Href: "/settings/passkeys/" + k.ID.String(), About: "Added " + civil.Past(now, k.AddedAt.Time, zone) + ", not used yet"}
		if k.UsedAt != nil {
			l.About = "Added " + civil.Past(now, k.AddedAt.Time, zone) + ", last used " + civil.Past(now, k.UsedAt.Time, zone)
		}
		p.Passkeys = append(p.Passkeys, l)
	}
	if p.Has.Authenticator {
		p.App = "Set up " + civil.Past(now, p.Has.Since.Time, zone)
	}
	p.Codes, p.Password = codesLeft(p.Has.CodesLeft), "Chosen "+civil.Past(now, who.PasswordAt.Time, zone)
	return p, nil
}

// fewCodes is how many recovery codes are left when it is time for new ones.
const fewCodes = 3

// lacksCodes reports whether a lost phone or key would soon lock somebody out.
func lacksCodes(has factor.Set) bool { return has.Any() && has.CodesLeft < fewCodes }

// summary is how it stands, in the list of settings.
func summary(has factor.Set) string {
	var all []string
	if n := len(has.Passkeys); n == 1 {
		all = append(all, "1 passkey")
	} else if n > 1 {
		all = append(all, fmt.Sprintf("%d passkeys", n))
	}
	if has.Authenticator {
		all = append(all, "an authenticator app")
	}
	words := strings.Join(all, " and ")
	words = capital(words)
	if lacksCodes(has) {
		words += ". " + codesWords(has.CodesLeft)
	}
	return words
}

// dayWords is a day to be printed, with its year.
func dayWords(d civil.Date) string { return fmt.Sprintf("%d %s %d", d.Day(), d.Month(), d.Year()) }

// zoneHere is somebody's own time zone, or else that of the place they are in,
// or were in before it closed: the frame of their page has been read.
func zoneHere(r *http.Request, who account.Account) civil.Zone {
	k := visitOf(r).known
	if k.practice.ID != "" {
		return zoneOr(who.Zone, k.practice.Zone)
	}
	return zoneOr(who.Zone, people.ZoneAt(k.places, account.Place{Practice: k.session.Practice, Client: k.session.Client}))
}

// arm sets a second step up, and has the session go on under a new token, as one
// that has shown it. First reports whether there was none before.
func (s *Site) arm(r *http.Request, by access.Actor, do func(*db.Tx) error) (set func(http.ResponseWriter), first bool, err error) {
	err = s.DB.Update(r.Context(), func(tx *db.Tx) error {
		has, err := changeable(tx, r, by)
		if err != nil {
			return err
		}
		first = !has.Any()
		if err := do(tx); err != nil {
			return err
		}
		token, err := account.Renew(tx, outside(by), visitOf(r).token, true)
		set = func(w http.ResponseWriter) { s.setCookie(w, s.sessionCookie(), token, 0) }
		return err
	})
	return set, first, err
}

// mayArm asks who it is, unless that was shown just now. Whoever sets up their
// first second step may take longer: an app is soon searched for and slowly
// found. That they showed it is seen by the offer that the form brings back, for
// none is handed out before.
func (s *Site) mayArm(w http.ResponseWriter, r *http.Request, by access.Actor, offered func(*db.Tx) error) (bool, error) {
	has, err := s.factorsOf(r, by)
	if err != nil {
		return false, err
	}
	if !has.Any() && s.DB.View(r.Context(), offered) == nil {
		return true, nil
	}
	return s.proved(w, r, here(r))
}

// changeable returns what by has, if this session may change it: one that began
// without the second step that is there may not.
func changeable(tx *db.Tx, r *http.Request, by access.Actor) (factor.Set, error) {
	has, err := factor.Of(tx, outside(by))
	if err == nil && has.Any() && !visitOf(r).session.Strong {
		return has, fault.NotFound
	}
	return has, err
}

// armed leads on: the first second step wants recovery codes beside it.
func (s *Site) armed(w http.ResponseWriter, r *http.Request, first bool, next, said string) error {
	if first {
		return see(w, r, with("/settings/recovery-codes", next))
	}
	return see(w, r, securityPath+"?said="+said)
}

func (s *Site) remove(w http.ResponseWriter, r *http.Request, by access.Actor, drop func(*db.Tx) error) error {
	if ok, err := s.proved(w, r, securityPath); !ok {
		return err
	}
	err := s.DB.Update(r.Context(), func(tx *db.Tx) error {
		if _, err := changeable(tx, r, by); err != nil {
			return err
		}
		return drop(tx)
	})
	if err != nil {
		return s.securityAgain(w, r, by, err)
	}
	return see(w, r, securityPath+"?said=removed")
}
