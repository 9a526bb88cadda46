package web

import (
	"net/http"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/civil"
	"icouch/internal/chat"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/web/parts"
)

// settingsRoutes are a person's own settings, and those of the practice for who
// runs it: one topic a page.
var settingsRoutes = []route{
	{pattern: "GET /settings", enter: signedIn, do: (*Site).showSettings},
	{pattern: "GET /settings/name", enter: signedIn, do: (*Site).showName},
	{pattern: "POST /settings/name", enter: signedIn, do: (*Site).rename, kept: "Your name"},
	{pattern: "GET /settings/email", enter: signedIn, do: (*Site).showEmail},
	{pattern: "POST /settings/email", enter: signedIn, do: (*Site).askEmail},
	{pattern: "POST /settings/email/verify", enter: signedIn, do: (*Site).askVerify},
	{pattern: "GET /settings/zone", enter: signedIn, do: (*Site).showZone},
	{pattern: "POST /settings/zone", enter: signedIn, do: (*Site).setZone, kept: "Your time zone"},
	{pattern: "GET /settings/password", enter: signedIn, do: (*Site).showPassword},
	{pattern: "POST /settings/password", enter: signedIn, do: (*Site).setPassword},
	{pattern: "GET /settings/practice", enter: practiceHeads, do: (*Site).showPractice},
	{pattern: "POST /settings/practice", enter: practiceHeads, do: (*Site).setPractice, kept: "The practice’s name and time zone"},
	{pattern: "POST /settings/practice/step", enter: practiceHeads, do: (*Site).setClientStep},
	{pattern: "GET /settings/practice/close", enter: closers, do: (*Site).chooseClose},
	{pattern: "POST /settings/practice/close", enter: closers, do: (*Site).closePractice},
	{pattern: "POST /settings/practice/close/withdrawal", enter: closers, do: (*Site).keepPractice},
}

// SettingsPage is the list of topics, each with how it stands.
type SettingsPage struct {
	Page
	Saved    bool
	Own      parts.Facts
	Practice *parts.Facts // for who runs one
	MayFound bool         // they work in none yet
}

// showSettings is GET /settings.
func (s *Site) showSettings(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	page, who, err := s.settings(r, by)
	if err != nil {
		return err
	}
	p := SettingsPage{Page: page, Saved: r.URL.Query().Get("said") == "saved", Own: s.ownFacts(r, who)}
	has, err := s.factorsOf(r, by)
	if err != nil {
		return err
	}
	p.MayFound = !p.work
	for _, place := range visitOf(r).known.places {
		p.MayFound = p.MayFound && (!place.Work || place.Ended)
	}
	p.Own.List = append(p.Own.List, parts.Fact{Label: "Sign-in & security", Value: summary(has), Missing: "No second step yet", Change: securityPath})
	if writers(by) {
		var choice chat.Choice
		err := s.DB.View(r.Context(), func(tx *db.Tx) (err error) { choice, err = chat.ChoiceOf(tx, by); return err })
		if err != nil {
			return err
		}
		p.Own.List = append(p.Own.List, parts.Fact{Label: "Messages", Value: lettersWords[choice.Letters], Change: "/settings/messages"})
	}
	if by.IsClient() {
		p.Own.List = append(p.Own.List, parts.Fact{Label: "Who looked at my record", Value: "Everybody who opened it, day by day", Change: "/record/access", Verb: "Open"},
			parts.Fact{Label: "Who can open my record", Value: "Parents, guardians and others who act for you", Change: "/access", Verb: "Open"},
			parts.Fact{Label: "Joint records", Value: "Where you are looked after together with others", Change: "/record/together", Verb: "Open"})
	}
	if practiceHeads(by) {
		practice, err := s.practiceOf(r, by)
		if err != nil {
			return err
		}
		idle, err := s.idleOf(r, by)
		if err != nil {
			return err
		}
		p.Practice = &parts.Facts{List: []parts.Fact{
			{Label: "Practice name", Value: practice.Name, Change: "/settings/practice"},
			{Label: "Practice time zone", Value: practice.Zone.ZoneCity(), Change: "/settings/practice"},
			{Label: "Automatic sign-out", Value: "After " + minutesWords(idle.Work) + "; clients after " + minutesWords(idle.Client), Change: "/settings/idle"},
			{Label: "People & roles", Value: "Who works here, and what each may do", Change: "/settings/team", Verb: "Open"},
			{Label: "Audit trail", Value: "Who did and saw what", Change: "/settings/trail", Verb: "Open"},
		}}
		if closers(by) && practice.ClosesAt != nil {
			p.Practice.List = append(p.Practice.List, parts.Fact{Label: "Closing", Value: "Last day " + lastDayWords(practice), Change: closePath, Verb: "Open"})
		}
	}
	return s.show(w, r, http.StatusOK, p.View())
}

// lettersWords are the choices about e-mail, in the list of settings.
var lettersWords = map[chat.Letters]string{
	chat.EachBurst: "E-mail after ten minutes", chat.DailyOnes: "One e-mail a day, in the evening", chat.NoLetters: "No e-mail",
}

// ownFacts is an account as its owner reads it.
func (s *Site) ownFacts(r *http.Request, who account.Account) parts.Facts {
	address := who.Email.String()
	if !who.Verified {
		address += " (not confirmed)"
	}
	zone, inZone := zoneHere(r, who), ""
	if who.Zone != "" {
		inZone = zone.ZoneCity()
	}
	return parts.Facts{List: []parts.Fact{
		{Label: "Name", Value: who.Name, Change: "/settings/name"},
		{Label: "E-mail", Value: address, Change: "/settings/email"},
		{Label: "Time zone", Value: inZone, Missing: "Not chosen", Change: "/settings/zone"},
		{Label: "Password", Value: "Chosen " + civil.Past(s.DB.Clock(), who.PasswordAt.Time, zone), Change: "/settings/password"},
		{Label: "Signed-in devices", Value: "See where you are signed in", Change: "/settings/devices", Verb: "Open"},
	}}
}

// settings returns the frame of a settings page, and whose it is.
func (s *Site) settings(r *http.Request, by access.Actor) (p Page, who account.Account, err error) {
	if p, err = s.frame(r, by, "Settings", "/settings"); err != nil {
		return p, who, err
	}
	err = s.DB.View(r.Context(), func(tx *db.Tx) (err error) {
		who, err = account.Of(tx, by)
		return err
	})
	return p, who, err
}

func (s *Site) practiceOf(r *http.Request, by access.Actor) (practice people.Practice, err error) {
	err = s.DB.View(r.Context(), func(tx *db.Tx) (err error) {
		practice, err = people.PracticeOf(tx, by)
		return err
	})
	return practice, err
}

// back leads from a topic to the list.
var back = &parts.Link{Label: "Settings", Href: "/settings"}

const saved = "/settings?said=saved"

// NamePage changes a person's name.
type NamePage struct {
	Page
	Name string
}

func (p NamePage) lede() string {
	if p.work {
		return "Your clients see this name."
	}
	return "The name of your account: how we greet you, here and in our letters. Your practice keeps its own records under the name it knows; tell it if that should change, too."
}

// showName is GET /settings/name.
func (s *Site) showName(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	page, who, err := s.settings(r, by)
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, NamePage{page, who.Name}.View())
}

// rename is POST /settings/name.
func (s *Site) rename(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if err := typed(r); err != nil {
		return err
	}
	name := r.PostFormValue("name")
	err := s.DB.Update(r.Context(), func(tx *db.Tx) error { return people.Rename(tx, by, name) })
	if err == nil {
		return see(w, r, saved)
	}
	page, status, err := s.settingsAgain(r, by, err)
	if err != nil {
		return err
	}
	return s.show(w, r, status, NamePage{page, name}.View())
}

// settingsAgain returns the frame with what is wrong with the form, or the
// mistake if it is ours.
func (s *Site) settingsAgain(r *http.Request, by access.Actor, wrong error) (Page, int, error) {
	told, status := problemsOf(wrong)
	if told == nil {
		return Page{}, 0, wrong
	}
	page, err := s.frame(r, by, "Settings", "/settings")
	page.tell(told)
	return page, status, err
}

// ZonePage changes a person's time zone.
type ZonePage struct {
	Page
	Zone   string
	likely []string // their own, and that of the practice they are in
}

func (p ZonePage) field() parts.Select {
	s := zoneField("Time zone", "The city nearest to you that keeps the same time.", p.Zone, p.Problems)
	s.Options = zoneOptions(p.likely...)
	return s
}

// zonesOf are the time zones that are likely for whoever a request is from: the
// frame of their page has been read.
func zonesOf(r *http.Request) []string {
	k := visitOf(r).known
	all := []string{k.account.Zone}
	if k.practice.ID != "" {
		all = append(all, k.practice.Zone.String())
	}
	return all
}

// showZone is GET /settings/zone.
func (s *Site) showZone(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	page, who, err := s.settings(r, by)
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, ZonePage{page, who.Zone, zonesOf(r)}.View())
}

// setZone is POST /settings/zone.
func (s *Site) setZone(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if err := typed(r); err != nil {
		return err
	}
	zone := r.PostFormValue("zone")
	err := s.DB.Update(r.Context(), func(tx *db.Tx) error { return account.SetZone(tx, by, zone) })
	if err == nil {
		return see(w, r, saved)
	}
	page, status, err := s.settingsAgain(r, by, err)
	if err != nil {
		return err
	}
	return s.show(w, r, status, ZonePage{page, zone, zonesOf(r)}.View())
}

// PracticePage changes a practice's name and time zone.
type PracticePage struct {
	Page
	Name, Zone string
	ClientStep bool // clients are asked for a second step
	MayClose   bool
	Closes     string // its last day in words, once that is set
	Done       *parts.Notice
}

// showPractice is GET /settings/practice.
func (s *Site) showPractice(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	page, err := s.frame(r, by, "Settings", "/settings")
	if err != nil {
		return err
	}
	practice, err := s.practiceOf(r, by)
	if err != nil {
		return err
	}
	p := practicePage(page, by, practice)
	p.Done = saidAs(r.URL.Query().Get("said"))
	return s.show(w, r, http.StatusOK, p.View())
}

// setPractice is POST /settings/practice.
func (s *Site) setPractice(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if err := typed(r); err != nil {
		return err
	}
	name, zone := r.PostFormValue("practice"), r.PostFormValue("zone")
	err := s.DB.Update(r.Context(), func(tx *db.Tx) error { return people.SetPractice(tx, by, name, zone) })
	if err == nil {
		return see(w, r, saved)
	}
	page, status, err := s.settingsAgain(r, by, err)
	if err != nil {
		return err
	}
	practice, err := s.practiceOf(r, by)
	if err != nil {
		return err
	}
	p := practicePage(page, by, practice)
	p.Name, p.Zone = name, zone
	return s.show(w, r, status, p.View())
}

func practicePage(page Page, by access.Actor, practice people.Practice) PracticePage {
	return PracticePage{page, practice.Name, practice.Zone.String(), practice.ClientStep, closers(by), lastDayWords(practice), nil}
}

// setClientStep is POST /settings/practice/step.
func (s *Site) setClientStep(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if err := typed(r); err != nil {
		return err
	}
	ask := r.PostFormValue("ask") == "yes"
	if !ask {
		practice, err := s.practiceOf(r, by)
		if err != nil {
			return err
		}
		if practice.ClientStep { // to ask less of everybody, one shows who one is
			if ok, err := s.proved(w, r, "/settings/practice"); !ok {
				return err
			}
		}
	}
	err := s.DB.Update(r.Context(), func(tx *db.Tx) error { return people.SetClientStep(tx, by, ask) })
	if err != nil {
		return err
	}
	return see(w, r, saved)
}
