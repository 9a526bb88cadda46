package web

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/a-h/templ"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/account/factor"
	"icouch/internal/base/civil"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
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
	"removed":       {Tone: parts.Good, Words: "It is removed, and signs nobody in any more. We have sent you a letter about it."},
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
	now, zone := s.DB.Clock(), ownZone(who)
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
	if words != "" {
		words = strings.ToUpper(words[:1]) + words[1:]
	}
	return words
}

func codesLeft(n int64) string {
	switch n {
	case 0:
		return "There are none now. Make some: without them, a lost phone or key can lock you out."
	case 1:
		return "1 is left"
	}
	return fmt.Sprintf("%d are left", n)
}

// dayWords is a day to be printed, with its year.
func dayWords(d civil.Date) string { return fmt.Sprintf("%d %s %d", d.Day(), d.Month(), d.Year()) }

func ownZone(who account.Account) (z civil.Zone) {
	if parsed, err := civil.ParseZone(who.Zone); err == nil && who.Zone != "" {
		z = parsed
	}
	return z
}

// AuthenticatorPage sets an authenticator app up.
type AuthenticatorPage struct {
	Page
	Next     string
	Replaces bool
	QR       QR
	Key      string // the seed, to type in
	Sealed   string
	Code     string // as typed
}

// showAuthenticator is GET /settings/authenticator. The seed is shown and not
// kept until a code shows that an app has it.
func (s *Site) showAuthenticator(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	next := localPath(r.URL.Query().Get("next"))
	if ok, err := s.proved(w, r, here(r)); !ok {
		return err
	}
	p, err := s.authenticatorPage(r, by, next, "")
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, p.View())
}

func (s *Site) authenticatorPage(r *http.Request, by access.Actor, next, sealed string) (p AuthenticatorPage, err error) {
	page, who, err := s.settings(r, by)
	if err != nil {
		return p, err
	}
	p = AuthenticatorPage{Page: page, Next: next, Sealed: sealed}
	p.Shell.Title = "Authenticator app"
	var seed factor.Seed
	err = s.DB.View(r.Context(), func(tx *db.Tx) error {
		has, err := factor.Of(tx, outside(by))
		p.Replaces = has.Authenticator
		if err != nil {
			return err
		}
		if sealed != "" {
			if seed, err = factor.Offered(tx, outside(by), sealed); err == nil {
				return nil
			}
		}
		seed, p.Sealed, err = factor.Offer(tx, outside(by))
		return err
	})
	if err != nil {
		return p, err
	}
	for i, c := range seed.Reveal() {
		if i > 0 && i%4 == 0 {
			p.Key += " "
		}
		p.Key += string(c)
	}
	p.QR, err = drawQR(seed.URL(s.House.Brand, who.Email.String()))
	return p, err
}

// setAuthenticator is POST /settings/authenticator. Only who has just shown who
// they are was given what the form brings back.
func (s *Site) setAuthenticator(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if err := typed(r); err != nil {
		return err
	}
	next, sealed := localPath(r.PostFormValue("next")), r.PostFormValue("offer")
	if ok, err := s.mayArm(w, r, by, func(tx *db.Tx) error { _, err := factor.Offered(tx, outside(by), sealed); return err }); !ok {
		return err
	}
	set, first, err := s.arm(r, by, func(tx *db.Tx) error {
		seed, err := factor.Offered(tx, outside(by), sealed)
		if err != nil {
			return err
		}
		return factor.SetAuthenticator(tx, outside(by), seed, r.PostFormValue("code"), visitOf(r).token)
	})
	if err == nil {
		set(w)
		return s.armed(w, r, first, next, "authenticator")
	}
	told, status := problemsOf(err)
	if told == nil {
		return err
	}
	p, err := s.authenticatorPage(r, by, next, sealed)
	if err != nil {
		return err
	}
	p.Code = r.PostFormValue("code")
	p.tell(told)
	return s.show(w, r, status, p.View())
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

func (s *Site) passkeyOffered(tx *db.Tx, by access.Actor, r *http.Request) error {
	if s.passkeys == nil {
		return factor.ErrNotAdded
	}
	return s.passkeys.Offered(tx, outside(by), r.PostFormValue("asked"))
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

// RemovalPage asks whether the authenticator app is to go.
type RemovalPage struct {
	Page
	alone bool // no passkey is beside it
}

func (p RemovalPage) lede() string {
	if p.alone {
		return "Its codes will not sign you in any more. It is your only second step: a password is then all that stands before your account."
	}
	return "Its codes will not sign you in any more. Your passkeys stay as they are."
}

// chooseRemoval is GET /settings/authenticator/removal.
func (s *Site) chooseRemoval(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	has, err := s.factorsOf(r, by)
	if err != nil {
		return err
	}
	if !has.Authenticator { // gone already
		return see(w, r, securityPath)
	}
	page, _, err := s.settings(r, by)
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, RemovalPage{page, has.Last()}.View())
}

// removeAuthenticator is POST /settings/authenticator/removal.
func (s *Site) removeAuthenticator(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return s.remove(w, r, by, func(tx *db.Tx) error { return people.DropAuthenticator(tx, outside(by)) })
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

// NewPasskeyPage adds a passkey.
type NewPasskeyPage struct {
	Page
	Next, Name string
	Ask        factor.Ask
	Back       *parts.Link
}

func (p NewPasskeyPage) form() PasskeyForm {
	return PasskeyForm{Action: "/settings/passkey", Label: "Add a passkey", Next: p.Next, Ask: p.Ask, Make: true, Name: p.Name, Problems: p.Problems, Primary: true}
}

// showNewPasskey is GET /settings/passkey.
func (s *Site) showNewPasskey(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if ok, err := s.proved(w, r, here(r)); !ok {
		return err
	}
	p, err := s.newPasskeyPage(r, by, localPath(r.URL.Query().Get("next")))
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, p.View())
}

func (s *Site) newPasskeyPage(r *http.Request, by access.Actor, next string) (p NewPasskeyPage, err error) {
	page, _, err := s.settings(r, by)
	if err != nil {
		return p, err
	}
	p = NewPasskeyPage{Page: page, Next: next, Back: backToSecurity}
	p.Shell.Title = "Passkey"
	if s.passkeys == nil {
		return p, nil
	}
	p.Modules = []string{"passkey"}
	err = s.DB.View(r.Context(), func(tx *db.Tx) (err error) {
		p.Ask, err = s.passkeys.Offer(tx, outside(by))
		return err
	})
	return p, err
}

// addPasskey is POST /settings/passkey.
func (s *Site) addPasskey(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if err := typed(r); err != nil {
		return err
	}
	next := localPath(r.PostFormValue("next"))
	if ok, err := s.mayArm(w, r, by, func(tx *db.Tx) error { return s.passkeyOffered(tx, by, r) }); !ok {
		return err
	}
	var set func(http.ResponseWriter)
	var first bool
	err := error(factor.ErrNotAdded)
	if s.passkeys != nil {
		set, first, err = s.arm(r, by, func(tx *db.Tx) error {
			return s.passkeys.Add(tx, outside(by), r.PostFormValue("asked"), r.PostFormValue("answer"), r.PostFormValue("name"), visitOf(r).token)
		})
	}
	if err == nil {
		set(w)
		return s.armed(w, r, first, next, "passkey")
	}
	told, status := problemsOf(err)
	if told == nil {
		return err
	}
	p, err := s.newPasskeyPage(r, by, next)
	if err != nil {
		return err
	}
	p.Name = r.PostFormValue("name")
	p.tell(told)
	return s.show(w, r, status, p.View())
}

// PasskeyPage is one passkey: its name, and the way to remove it.
type PasskeyPage struct {
	Page
	PasskeyLine
	Typed string
}

// showPasskey is GET /settings/passkeys/{passkey}.
func (s *Site) showPasskey(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if _, err := s.passkeyPage(r, by); err != nil {
		return err
	}
	if ok, err := s.proved(w, r, here(r)); !ok {
		return err
	}
	p, err := s.passkeyPage(r, by)
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, p.View())
}

func (s *Site) passkeyPage(r *http.Request, by access.Actor) (PasskeyPage, error) {
	all, err := s.securityPage(r, by)
	if err != nil {
		return PasskeyPage{}, err
	}
	for _, l := range all.Passkeys {
		if l.Href == "/settings/passkeys/"+r.PathValue("passkey") {
			return PasskeyPage{all.Page, l, l.Name}, nil
		}
	}
	return PasskeyPage{}, fault.NotFound
}

// renamePasskey is POST /settings/passkeys/{passkey}.
func (s *Site) renamePasskey(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if err := typed(r); err != nil {
		return err
	}
	k, err := pathID[id.Passkey](r, "passkey")
	if err != nil {
		return err
	}
	p, err := s.passkeyPage(r, by)
	if err != nil {
		return err
	}
	if ok, err := s.proved(w, r, p.Href); !ok {
		return err
	}
	p.Typed = r.PostFormValue("name")
	err = s.DB.Update(r.Context(), func(tx *db.Tx) error {
		if _, err := changeable(tx, r, by); err != nil {
			return err
		}
		return factor.RenamePasskey(tx, outside(by), k, p.Typed)
	})
	if err == nil {
		return see(w, r, securityPath+"?said=renamed")
	}
	return s.answerForm(w, r, &p.Page, err, func() templ.Component { return p.View() })
}

// removePasskey is POST /settings/passkeys/{passkey}/removal.
func (s *Site) removePasskey(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	k, err := pathID[id.Passkey](r, "passkey")
	if err != nil {
		return err
	}
	if _, err := s.passkeyPage(r, by); err != nil {
		return err
	}
	return s.remove(w, r, by, func(tx *db.Tx) error { return people.DropPasskey(tx, outside(by), k) })
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
	p = RecoveryPage{Page: page, Next: next, Day: dayWords(civil.DateOf(s.DB.Clock(), ownZone(who)))}
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
