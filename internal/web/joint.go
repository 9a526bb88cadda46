package web

import (
	"net/http"
	"slices"

	"github.com/a-h/templ"

	"icouch/internal/access"
	"icouch/internal/base/at"
	"icouch/internal/base/civil"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/joint"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/web/parts"
)

// jointRoutes are the clients who are looked after together: for the practice,
// and what each of them sees of it.
var jointRoutes = []route{
	{pattern: "GET /people/{client}/together/new", enter: inviters, do: (*Site).newJoint},
	{pattern: "POST /people/{client}/together", enter: inviters, do: (*Site).makeJoint},

	{pattern: "GET /together", enter: atWork, do: (*Site).joints},
	{pattern: "GET /together/{joint}", enter: atWork, do: (*Site).joint},
	{pattern: "GET /together/{joint}/edit", enter: inviters, do: (*Site).changeJoint},
	{pattern: "POST /together/{joint}/edit", enter: inviters, do: (*Site).editJoint},
	{pattern: "POST /together/{joint}/practitioner", enter: assigners, do: (*Site).assignJoint},
	{pattern: "GET /together/{joint}/closing", enter: inviters, do: (*Site).chooseClosing},
	{pattern: "POST /together/{joint}/closing", enter: inviters, do: (*Site).closeJoint},
	{pattern: "POST /together/{joint}/return", enter: inviters, do: (*Site).reopenJoint},

	{pattern: "GET /together/{joint}/people/new", enter: inviters, do: (*Site).findJoining},
	{pattern: "POST /together/{joint}/people/new", enter: inviters, do: (*Site).searchJoining},
	{pattern: "POST /together/{joint}/people", enter: inviters, do: (*Site).joinJoint},
	{pattern: "GET /together/{joint}/people/{person}/leaving", enter: inviters, do: (*Site).chooseLeaving},
	{pattern: "POST /together/{joint}/people/{person}/leaving", enter: inviters, do: (*Site).leaveJoint},
	{pattern: "POST /together/{joint}/people/{person}/return", enter: inviters, do: (*Site).stayInJoint},
	{pattern: "POST /together/{joint}/people/{person}/consents", enter: inviters, do: (*Site).agreeInJoint},
	{pattern: "POST /together/{joint}/people/{person}/consents/withdrawal", enter: inviters, do: (*Site).takeBackInJoint},

	{pattern: "GET /record/together", enter: ownClient, do: (*Site).ownJoints},
	{pattern: "POST /record/together/withdrawals", enter: ownClient, do: (*Site).takeBackOwn},
}

func assigners(a access.Actor) bool { return a.May(access.AssignCare) }

// jointSaid are the words for what was done: see said.
var jointSaid = map[string]parts.Notice{
	"made":      {Tone: parts.Good, Words: "Created. We have told nobody. Add the others, and note what each agrees to."},
	"saved":     {Tone: parts.Good, Words: "Saved."},
	"assigned":  {Tone: parts.Good, Words: "Saved. They see this joint record from now on. Nobody’s own record has opened to them."},
	"closed":    {Tone: parts.Good, Words: "Noted. What is in it can still be read."},
	"reopened":  {Tone: parts.Good, Words: "Open again. Whoever was in it still is, and what they agreed to counts."},
	"joined":    {Tone: parts.Good, Words: "Added. Ask them what they agree to, and note it here."},
	"left":      {Tone: parts.Good, Words: "Noted. Their own record is as it was."},
	"stays":     {Tone: parts.Good, Words: "Taken back. They stay in it."},
	"agreed":    {Tone: parts.Good, Words: "Noted, with the day and your name."},
	"withdrawn": {Tone: parts.Good, Words: "Noted. It takes effect now."},
}

func jointSaidAs(word string) *parts.Notice {
	n, ok := jointSaid[word]
	if !ok {
		return nil
	}
	n.Alert = true
	return &n
}

var kindWords = map[joint.Kind]string{joint.Couple: "Couple", joint.Family: "Family", joint.Group: "Group"}

var whatWords = map[joint.What]string{
	joint.Sessions: "Takes part in joint sessions",
	joint.Shared:   "The others in it may read what is written here",
}

// peopleIn says how many are in a joint record.
func peopleIn(n int) string {
	switch n {
	case 0:
		return "Nobody in it now"
	case 1:
		return "Only one person"
	}
	return thousands(n) + " people"
}

// memberNames are the members of a practice, to name them on a page.
type memberNames []people.Practitioner

func (all memberNames) name(who id.Practitioner) string {
	for _, m := range all {
		if m.ID == who {
			return m.Name
		}
	}
	return "somebody who worked here"
}

func (all memberNames) inactive(who id.Practitioner) bool {
	return slices.ContainsFunc(all, func(m people.Practitioner) bool { return m.ID == who && !m.Active })
}

// choice is the select of who looks after a joint record.
func (all memberNames) choice(value, problem string) parts.Select {
	s := parts.Select{Name: "practitioner", Label: "Who looks after it", Value: value, Problem: problem, Required: true}
	for _, m := range all {
		if m.CaresForClients() {
			s.Options = append(s.Options, parts.Option{Value: m.ID.String(), Label: m.Name})
		}
	}
	return s
}

// JointsPage is the list of couples, families and groups.
type JointsPage struct {
	Page
	all    []joint.Listed
	more   bool
	names  memberNames
	reader reader
}

// GET /together
func (s *Site) joints(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	var p JointsPage
	err := s.DB.View(r.Context(), func(tx *db.Tx) (err error) {
		if p.all, p.more, err = joint.List(tx, by); err != nil {
			return err
		}
		if p.names, err = people.Practitioners(tx, by); err != nil {
			return err
		}
		p.reader, err = s.readerIn(tx, by)
		return err
	})
	if err != nil {
		return err
	}
	if p.Page, err = s.frame(r, by, "Couples and families", "/people"); err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, p.View())
}

func (p JointsPage) empty() parts.Empty {
	e := parts.Empty{Icon: "users", Title: "No joint record yet", Words: "A couple, a family or a group is looked after together in one. Each keeps a record of their own. Create one from the page of somebody who is in it."}
	if !p.reader.by.SeesAll() {
		e.Title = "No joint record that you see"
	}
	if p.reader.by.MayInvite() {
		e.Action = &parts.Button{Label: "Choose a client", Kind: parts.Soft, Icon: "users", Href: "/people"}
	}
	return e
}

func (p JointsPage) about(l joint.Listed) string {
	return kindWords[l.Kind] + " · " + peopleIn(l.In) + " · " + p.names.name(l.Practitioner)
}

func (p JointsPage) status(l joint.Listed) parts.Status { return closing(l.ClosesAt, p.reader) }

// closing says whether a joint record is open.
func closing(t *at.Time, is reader) parts.Status {
	switch {
	case t == nil:
		return parts.Status{Kind: parts.Active, Words: "Open"}
	case t.After(is.Now.Time):
		return parts.Status{Kind: parts.Waiting, Words: "Open", Detail: "Closes after " + lastDay(*t, is)}
	}
	return parts.Status{Kind: parts.Ended, Words: "Closed " + lastDay(*t, is)}
}

// lastDay is the day that a moment ends, or is within.
func lastDay(t at.Time, is reader) string {
	return civil.Day(is.Now.Time, t.Add(-1), is.Zone)
}

// JointPage is one couple, family or group.
type JointPage struct {
	Page
	Done   *parts.Notice
	record joint.Record
	names  memberNames
	reader reader // in the practice's zone: its days are meant
	by     access.Actor

	draft  joint.Draft   // of the form, on the page where it is changed
	person *joint.Person // who leaves, on the page where that is said
	on     string        // the day as typed
	text   string        // searched for
	found  []people.Listed
	sought bool
	chosen string // of those found
}

func (p JointPage) path(rest string) string { return "/together/" + p.record.ID.String() + rest }

func (p JointPage) back() *parts.Link { return &parts.Link{Label: p.record.Name, Href: p.path("")} }

// jointPage reads what a request is about.
func (s *Site) jointPage(r *http.Request, by access.Actor) (p JointPage, err error) {
	j, err := pathID[id.Joint](r, "joint")
	if err != nil {
		return p, err
	}
	p.by = by
	err = s.DB.View(r.Context(), func(tx *db.Tx) (err error) {
		if p.record, err = joint.Find(tx, by, j); err != nil {
			return err
		}
		if p.names, err = people.Practitioners(tx, by); err != nil {
			return err
		}
		if p.reader, err = s.readerIn(tx, by); err != nil {
			return err
		}
		practice, err := people.PracticeOf(tx, by)
		p.reader.Zone = practice.Zone
		return err
	})
	if err != nil {
		return p, err
	}
	p.draft = joint.DraftOf(p.record)
	if r.PathValue("person") != "" {
		who, err := pathID[id.JointPerson](r, "person")
		if err != nil {
			return p, err
		}
		i := slices.IndexFunc(p.record.People, func(x joint.Person) bool { return x.ID == who })
		if i < 0 {
			return p, fault.NotFound
		}
		p.person = &p.record.People[i]
	}
	p.Page, err = s.frame(r, by, "Joint record", "/people")
	return p, err
}

// jointWrong shows a page with what is wrong.
func (s *Site) jointWrong(w http.ResponseWriter, r *http.Request, p JointPage, err error, view func(JointPage) templ.Component) error {
	told, status := problemsOf(err)
	if told == nil || status == http.StatusNotFound {
		return err
	}
	p.tell(told)
	return s.show(w, r, status, view(p))
}

// GET /together/{joint}
func (s *Site) joint(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	p, err := s.jointPage(r, by)
	if err != nil {
		return err
	}
	p.Done = jointSaidAs(r.URL.Query().Get("said"))
	return s.show(w, r, http.StatusOK, p.View())
}

func (p JointPage) closed() bool { return p.record.Closed(p.reader.Now) }

// open reports whether the reader may put something into it.
func (p JointPage) open() bool { return p.record.MayChange && !p.closed() }

func (p JointPage) in() []joint.Person { return p.record.In(p.reader.Now) }

// were are those who have left.
func (p JointPage) were() (some []joint.Person) {
	for _, x := range p.record.People {
		if x.Left(p.reader.Now) {
			some = append(some, x)
		}
	}
	return some
}

func (p JointPage) head() parts.PageHead {
	h := parts.PageHead{Title: p.record.Name, Lede: kindWords[p.record.Kind] + " · " + peopleIn(len(p.in())), Back: &parts.Link{Label: "Couples and families", Href: "/together"}}
	if p.open() {
		h.Actions = []parts.Button{{Label: "Edit", Icon: "pencil", Href: p.path("/edit"), Hidden: "the joint record"}, {Label: "Add a person", Kind: parts.Primary, Icon: "user-plus", Href: p.path("/people/new")}}
	}
	return h
}

// lasts says since when, and until when, somebody is in it.
func (p JointPage) lasts(x joint.Person) string {
	since := civil.Day(p.reader.Now.Time, x.Begins.Time, p.reader.Zone)
	switch {
	case x.Ends == nil:
		return "In it since " + since
	case x.Left(p.reader.Now):
		return "From " + since + " until " + lastDay(*x.Ends, p.reader)
	}
	return "In it since " + since + ", until " + lastDay(*x.Ends, p.reader)
}

// careEnded reports whether care of somebody has ended.
func (p JointPage) careEnded(x joint.Person) bool {
	return x.CareEnds != nil && !x.CareEnds.After(p.reader.Now.Time)
}

// said says what somebody's word on something is.
func (p JointPage) said(x joint.Person, what joint.What) parts.Status {
	c, ok := x.Newest(what)
	switch {
	case !ok:
		return parts.Status{Kind: parts.None, Words: "Not agreed"}
	case c.WithdrawnAt == nil:
		return parts.Status{Kind: parts.Active, Words: "Agreed", Detail: "Noted " + p.reader.past(c.NotedAt) + " by " + p.names.name(c.NotedBy)}
	case c.WithdrawnBy == nil:
		return parts.Status{Kind: parts.Trouble, Words: "Taken back", Detail: "By themselves, " + p.reader.past(*c.WithdrawnAt)}
	}
	return parts.Status{Kind: parts.Trouble, Words: "Taken back", Detail: "Noted " + p.reader.past(*c.WithdrawnAt) + " by " + p.names.name(*c.WithdrawnBy)}
}

func (p JointPage) personPath(x joint.Person, rest string) string {
	return p.path("/people/" + x.ID.String() + rest)
}

// facts are what is noted of the record itself.
func (p JointPage) facts() parts.Facts {
	who := p.names.name(p.record.Practitioner)
	if p.names.inactive(p.record.Practitioner) {
		who += " (does not work here any more)"
	}
	return parts.Facts{List: []parts.Fact{
		{Label: "What it is", Value: kindWords[p.record.Kind]},
		{Label: "Looked after by", Value: who},
		{Label: "Created", Value: civil.Day(p.reader.Now.Time, p.record.CreatedAt.Time, p.reader.Zone)},
	}}
}

func (p JointPage) closing() parts.Status { return closing(p.record.ClosesAt, p.reader) }

// reopens is what takes the closing back.
func (p JointPage) reopens() string {
	if p.closed() {
		return "Open it again"
	}
	return "Do not close it"
}
