package trail

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"icouch/internal/access"
	"icouch/internal/audit"
	"icouch/internal/base/at"
	"icouch/internal/base/civil"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/people"
	"icouch/internal/platform/db"
)

// Kind is a sort of line, as a practice asks for it.
type Kind string

// The kinds.
const (
	Anything    Kind = ""
	Looks       Kind = "looks"
	Changes     Kind = "changes"
	Exports     Kind = "exports"
	Emergencies Kind = "emergencies"
	Letters     Kind = "letters"
	Messages    Kind = "messages"
	Running     Kind = "practice" // the practice itself, and who works in it
)

// Kinds are all of them, in order.
func Kinds() []Kind {
	return []Kind{Anything, Looks, Changes, Messages, Exports, Emergencies, Letters, Running}
}

// KindOf says where an action counts.
func KindOf(a audit.Action) Kind {
	before, _, _ := strings.Cut(string(a), ".")
	switch {
	case a == audit.Seen:
		return Looks
	case a == audit.ClientsExported, a == audit.TrailExported:
		return Exports
	}
	switch before {
	case "client", "clients", "invitation", "contact":
		return Changes
	case "conversation", "message", "messages", "away":
		return Messages
	case "emergency":
		return Emergencies
	case "letter", "letters":
		return Letters
	}
	return Running
}

// Filter is which part of a trail is wanted.
type Filter struct {
	Person   id.Practitioner // empty: anybody
	Kind     Kind
	From, To civil.Date // both days are in it; zero: open
	Before   int64      // only lines before this one; 0: from the newest
}

// Line is a line of the trail with what is known of it now.
type Line struct {
	audit.Entry
	By      string   // whose account it is; empty: nobody of the practice
	Clients []Client // whom it is about, or whom it showed: some of them
	More    int      // how many others
}

// Client is somebody whom a line is about.
type Client struct {
	ID   id.Client
	Name string
}

// Part is some of a trail.
type Part struct {
	Lines   []Line
	Next    int64 // Filter.Before of what follows; 0: nothing does
	Members []people.Practitioner
	Zone    civil.Zone
}

// How much is looked through for one page.
const (
	pageLines = 50
	deepest   = 20_000
	named3    = 3 // clients of a line who are named
)

// List returns the newest lines that fit, to whoever reads the trail.
func List(tx *db.Tx, by access.Actor, f Filter) (p Part, err error) {
	if !by.May(access.ReadTrail) {
		return p, fault.NotFound
	}
	w, err := newWalk(tx, by, f)
	if err != nil {
		return p, err
	}
	p.Members, p.Zone = w.members, w.zone
	looked := 0
	for p.Next = w.before; len(p.Lines) < pageLines && looked < deepest; {
		page, err := audit.Back(tx, by, p.Next)
		if err != nil {
			return p, err
		}
		for _, e := range page {
			if e.Seq <= w.first {
				page = nil
				break
			}
			looked++
			p.Next = e.Seq
			if w.fits(e) {
				p.Lines = append(p.Lines, w.line(e))
				if len(p.Lines) == pageLines {
					break
				}
			}
		}
		if len(page) == 0 {
			p.Next = 0
			break
		}
	}
	return p, w.name(tx, by, p.Lines)
}

// walk is a filter that has been looked up.
type walk struct {
	Filter
	zone          civil.Zone
	members       []people.Practitioner
	person        id.Account
	first, before int64 // lines after first and before before
	names         map[id.Account]string
}

func newWalk(tx *db.Tx, by access.Actor, f Filter) (w walk, err error) {
	w = walk{Filter: f, before: math.MaxInt64, names: map[id.Account]string{}}
	practice, err := people.PracticeOf(tx, by)
	if err != nil {
		return w, err
	}
	w.zone = practice.Zone
	if w.members, err = people.Practitioners(tx, by); err != nil {
		return w, err
	}
	for _, m := range w.members {
		w.names[m.Account] = m.Name
		if m.ID == f.Person {
			w.person = m.Account
		}
	}
	if f.Person != "" && w.person == "" {
		return w, fault.NotFound
	}
	if !f.From.IsZero() {
		if w.first, err = audit.Until(tx, by, begins(f.From, w.zone)); err != nil {
			return w, err
		}
	}
	if !f.To.IsZero() {
		last, err := audit.Until(tx, by, begins(f.To.AddDays(1), w.zone))
		if err != nil {
			return w, err
		}
		w.before = last + 1
	}
	if f.Before > 0 {
		w.before = min(w.before, f.Before)
	}
	return w, nil
}

// begins is the moment at which a day begins somewhere.
func begins(d civil.Date, zone civil.Zone) at.Time {
	return at.Of(d.Begins(zone))
}

func (w walk) fits(e audit.Entry) bool {
	return (w.Person == "" || e.Account == w.person) && (w.Kind == Anything || KindOf(e.Did) == w.Kind)
}

func (w walk) line(e audit.Entry) Line {
	l := Line{Entry: e, By: w.names[e.Account]}
	all := about(e)
	for _, c := range all[:min(named3, len(all))] {
		l.Clients = append(l.Clients, Client{ID: c})
	}
	l.More = len(all) - len(l.Clients)
	return l
}

// about is whom a line is about, each once.
func about(e audit.Entry) (all []id.Client) {
	for _, s := range e.Shown {
		if len(all) < 2*named3 && slices.Contains(all, s.Client) {
			continue
		}
		all = append(all, s.Client)
	}
	if len(all) == 0 && e.Client != "" {
		all = append(all, e.Client)
	}
	return all
}

// name finds the names of those whom by may see. It is a look at their names.
func (w walk) name(tx *db.Tx, by access.Actor, lines []Line) error {
	var ids []id.Client
	for _, l := range lines {
		for _, c := range l.Clients {
			if !slices.Contains(ids, c.ID) {
				ids = append(ids, c.ID)
			}
		}
	}
	all, err := people.Somebody(tx, by, ids)
	if err != nil {
		return err
	}
	name := map[id.Client]string{}
	for _, l := range all {
		if by.Sees(l.ID, l.Practitioner) {
			name[l.ID] = l.Name.Full()
			audit.Saw(tx, by, audit.Named, l.ID, by.Why(l.ID, l.Practitioner))
		}
	}
	for i := range lines {
		for j, c := range lines[i].Clients {
			lines[i].Clients[j].Name = name[c.ID]
		}
	}
	return nil
}

// ErrTooMuch says that an export would be too long.
var ErrTooMuch = fault.On("from", fault.Invalid, "That is more than 100,000 lines. Choose fewer days.")

const exported = 100_000

// Export returns all the lines that fit, the oldest first, and notes that they
// were taken away. It names members; of clients it has the identifiers alone.
func Export(tx *db.Tx, by access.Actor, f Filter) ([]Line, error) {
	if !by.May(access.ReadTrail) {
		return nil, fault.Forbidden
	}
	w, err := newWalk(tx, by, f)
	if err != nil {
		return nil, err
	}
	var all []Line
	for at := w.first; ; {
		page, err := audit.On(tx, by, at)
		if err != nil {
			return nil, err
		}
		for _, e := range page {
			at = e.Seq
			if e.Seq < w.before && w.fits(e) {
				all = append(all, Line{Entry: e, By: w.names[e.Account]})
			}
		}
		if len(all) > exported {
			return nil, ErrTooMuch
		}
		if len(page) == 0 || at >= w.before {
			break
		}
	}
	return all, audit.Record(tx, by, audit.Deed{Did: audit.TrailExported, Subject: by.Practice()})
}

// Header names the columns of an exported file.
var Header = []string{"Line", "When (UTC)", "Who", "Account", "Role", "What", "Client", "Part", "Why", "Subject", "Fields", "Reference"}

// Rows are a line's rows in such a file: one for each client.
func (l Line) Rows() (rows [][]string) {
	row := func(client, part, why string) {
		reference, fields := "", strings.Join(l.Fields, " ")
		subject := l.Subject
		if l.Did == audit.Seen {
			reference, subject = l.Detail, ""
		}
		rows = append(rows, []string{fmt.Sprint(l.Seq), l.At.UTC().Format("2006-01-02T15:04:05.000000Z"), l.By, l.Account.String(), string(l.Role), string(l.Did),
			client, part, why, subject, fields, reference})
	}
	for _, s := range l.Shown {
		row(s.Client.String(), string(s.Part), string(s.Why))
	}
	if len(l.Shown) == 0 {
		row(l.Client.String(), "", "")
	}
	return rows
}
