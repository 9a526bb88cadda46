package web

import (
	"fmt"
	"net/http"

	"github.com/a-h/templ"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/account/factor"
	"icouch/internal/base/at"
	"icouch/internal/base/civil"
	"icouch/internal/people"
	"icouch/internal/people/directory"
	"icouch/internal/platform/db"
	"icouch/internal/web/parts"
)

// The first page after signing in: what needs a hand, and nothing else. What it
// leads to exists.
var homeRoutes = []route{
	{pattern: "GET /dashboard", enter: inside, do: (*Site).dashboard},
	{pattern: "POST /dashboard/steps", enter: atWork, do: (*Site).hideSteps},
	{pattern: "GET /places", enter: placed, do: (*Site).places},
	{pattern: "POST /switch", enter: placed, do: (*Site).switchPlace},
	{pattern: "GET /dev/mailbox", enter: anyone, do: (*Site).devMailbox},
	{pattern: "GET /dev/mailbox/{n}", enter: anyone, do: (*Site).devLetter},
	{pattern: "GET /dev/parts", enter: anyone, do: devGallery(parts.Gallery)},
	{pattern: "GET /dev/parts/people", enter: anyone, do: devGallery(parts.GalleryPeople)},
	{pattern: "GET /dev/parts/client", enter: anyone, do: devGallery(parts.GalleryClient)},
	{pattern: "GET /dev/parts/door", enter: anyone, do: devGallery(parts.GalleryDoor)},
	{pattern: "POST /hooks/bounces", enter: anyone, do: (*Site).noteBounce, big: true},
}

// GET /dashboard
func (s *Site) dashboard(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	switch {
	case by.AtWork():
		return s.workDashboard(w, r, by)
	case by.IsClient():
		return s.clientDashboard(w, r, by)
	case by.IsContact():
		return s.wardDashboard(w, r, by)
	case supporters(by):
		return see(w, r, "/support")
	}
	return s.noPlace(w, r, by)
}

// handsShown is how many invitations that need a hand are listed.
const handsShown = 5

// DashboardPage is what needs a practitioner.
type DashboardPage struct {
	Page
	Greeting, Practice string
	MayInvite          bool
	Steps              []parts.Task // none: put away, or not theirs
	StepsNote          string
	Hands              *parts.Table
	HandsAll           *parts.Button
	Calm               bool // nothing needs them
	Tallies            []Tally
	NoMail             bool
	Codes              *parts.Notice // too few recovery codes are left
}

// Tally is how many clients are in a group, and the way to them.
type Tally struct {
	Label, Href string
	N           int
}

func (s *Site) workDashboard(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	frame, err := s.frame(r, by, "Dashboard", "/dashboard")
	if err != nil {
		return err
	}
	p := DashboardPage{Page: frame, MayInvite: by.MayInvite(), NoMail: s.NoMail && by.MayInvite()}
	var practice people.Practice
	var me account.Account
	err = s.DB.View(r.Context(), func(tx *db.Tx) error {
		if practice, err = people.PracticeOf(tx, by); err != nil {
			return err
		}
		if me, err = account.Of(tx, by); err != nil {
			return err
		}
		has, err := factor.Of(tx, outside(by))
		p.Codes = codesNotice(has)
		return err
	})
	if err != nil {
		return err
	}
	now, zone := s.DB.Clock(), zoneOrPractice(me.Zone, practice)
	p.Greeting, p.Practice = greeting(now.In(zone.Load()).Hour())+", "+me.Name, practice.Name
	found := directory.Answer{}
	if by.MaySeePeople() {
		found, err = s.Directory.Look(r.Context(), by, directory.Query{Group: people.NeedsAttention, Sort: directory.ByStatus, Most: handsShown})
		if err != nil {
			return err
		}
		p.Tallies = tallies(found.Counts)
	}
	p.hands(found, people.Setting{Now: at.Of(now), Zone: zone, NoMail: s.NoMail})
	if by.MayInvite() && !practice.StepsHidden {
		p.firstSteps(found.Counts, me, practiceHeads(by))
	}
	if by.MayInvite() && practice.StepsHidden && r.URL.Query().Get("steps") == "hidden" {
		p.Toast = &parts.Toast{Words: "First Steps is put away.", Undo: &parts.ButtonForm{Action: "/dashboard/steps", Hidden: []parts.Pair{{Name: "show", Value: "yes"}}}}
	}
	return s.show(w, r, http.StatusOK, p.View())
}

// codesNotice says that a lost phone or key would soon lock somebody out.
func codesNotice(has factor.Set) *parts.Notice {
	if !lacksCodes(has) {
		return nil
	}
	return &parts.Notice{Tone: parts.Warn, Title: codesWords(has.CodesLeft), Words: "If you lose your phone or key, a recovery code lets you in. Create ten and keep them on paper."}
}

// unreadWords says how many messages have come.
func unreadWords(n int) string {
	if n == 1 {
		return "There is one new message for you."
	}
	return fmt.Sprintf("There are %d new messages for you.", n)
}

// greeting is by the reader's own clock.
func greeting(hour int) string {
	switch {
	case hour < 5 || hour >= 22: // at night, nobody wants to be told what time it is
		return "Hello"
	case hour >= 18:
		return "Good evening"
	case hour < 12:
		return "Good morning"
	}
	return "Good afternoon"
}

func zoneOrPractice(zone string, p people.Practice) civil.Zone { return zoneOr(zone, p.Zone) }

// zoneOr is the zone that somebody has chosen, or that of a place.
func zoneOr(chosen string, there civil.Zone) civil.Zone {
	if z, err := civil.ParseZone(chosen); err == nil && chosen != "" {
		return z
	}
	return there
}

// groupLabels are the groups' names as the filters of the list have them.
var groupLabels = map[people.Group]string{
	people.Everyone: "Everyone", people.HasAccount: "Have an account", people.Invited: "Invited",
	people.NeedsAttention: "Need attention", people.NotInvited: "Not invited", people.Ended: "Care ended",
}

// tallies are the groups with anybody in them.
func tallies(counts map[people.Group]int) (all []Tally) {
	for _, g := range people.Groups() {
		if n := counts[g]; n > 0 {
			all = append(all, Tally{groupLabels[g], "/people?filter=" + string(g), n})
		}
	}
	return all
}

// hands lists the invitations that need one.
func (p *DashboardPage) hands(found directory.Answer, set people.Setting) {
	if len(found.Rows) == 0 {
		p.Calm = !p.NoMail && p.Codes == nil // without a mail server, letters wait: that is said above
		return
	}
	t := &parts.Table{ID: "hands", Caption: "Invitations that need attention", Columns: []parts.Column{{Label: "Name", Kind: parts.Main}, {Label: "Status", Kind: parts.Line}, {Label: "Next", Kind: parts.Act}}}
	for _, row := range found.Rows {
		c := row.Contact(set)
		name := row.Name.Full()
		label := string(c.Mend)
		if c.Mend == people.NoMend {
			label = "Open"
		}
		open := parts.Button{Label: label, Hidden: name, Kind: parts.Soft, Small: true, Href: "/people/" + row.ID.String()}
		if c.Mend == people.CopyTheLink {
			open.Href += "?copy=yes#copy-link"
		}
		t.Rows = append(t.Rows, parts.Row{Cells: []templ.Component{
			parts.Person{Name: name, Href: "/people/" + row.ID.String(), Mail: row.Email}.View(),
			parts.Status{Kind: shapes[c.Shape], Words: c.Status, Detail: c.Help}.View(), open.View(),
		}})
	}
	p.Hands = t
	if found.Total > len(found.Rows) {
		p.HandsAll = &parts.Button{Label: fmt.Sprintf("See all %d", found.Total), Kind: parts.Quiet, Small: true, Href: "/people?filter=" + string(people.NeedsAttention)}
	}
}

// shapes are how the shapes of a row are drawn.
var shapes = map[people.Shape]parts.StatusKind{
	people.ShapeNone: parts.None, people.ShapeWaiting: parts.Waiting, people.ShapeActive: parts.Active,
	people.ShapeProblem: parts.Trouble, people.ShapeEnded: parts.Ended,
}

// firstSteps is what a new practice does first. Whether a step is done follows
// from what is there; nobody ticks it off.
func (p *DashboardPage) firstSteps(counts map[people.Group]int, me account.Account, head bool) {
	begin := "Join the practice"
	if head {
		begin = "Create your practice"
	}
	invited := counts[people.Invited]+counts[people.HasAccount] > 0
	steps := []struct {
		done, waits bool // waits: for somebody else
		task        parts.Task
	}{
		{done: true, task: parts.Task{Label: begin}},
		{done: me.Zone != "", task: parts.Task{Label: "Set your own time zone", Hint: "Every time you see is said in it.", Href: "/settings/zone"}},
		{done: counts[people.Everyone] > 0, task: parts.Task{Label: "Add your first client", Hint: "You choose when to invite them.", Href: "/people/new"}},
		{done: invited, task: parts.Task{Label: "Send your first invitation", Hint: "They only choose a password.", Href: "/people?filter=" + string(people.NotInvited)}},
		{done: counts[people.HasAccount] > 0, waits: true, task: parts.Task{Label: "Your first client has an account", Hint: "You get an e-mail when somebody accepts."}},
	}
	done, next := 0, true
	for _, step := range steps {
		t := step.task
		switch {
		case step.done:
			t.State, t.Hint, t.Href = parts.Done, "", ""
			done++
		case step.waits:
			t.Words = "Waiting for them"
		case next:
			t.State, next = parts.Next, false
		}
		p.Steps = append(p.Steps, t)
	}
	p.StepsNote = fmt.Sprintf("%d of %d done", done, len(steps))
	if done == len(steps) { // the list has done its work
		p.Steps = nil
	}
}

// hideSteps is the button of the form around First Steps.
var hideSteps = &parts.Button{Label: "Hide this list", Kind: parts.Ghost, Small: true, Icon: "eye-off"}

// POST /dashboard/steps
func (s *Site) hideSteps(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	show := form.Get("show") != ""
	if err := s.DB.Update(r.Context(), func(tx *db.Tx) error { return people.HideSteps(tx, by, !show) }); err != nil {
		return err
	}
	if show {
		return see(w, r, "/dashboard")
	}
	return see(w, r, "/dashboard?steps=hidden")
}
