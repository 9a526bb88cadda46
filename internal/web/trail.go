package web

import (
	"bytes"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"icouch/internal/access"
	"icouch/internal/audit"
	"icouch/internal/base/civil"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/platform/db"
	"icouch/internal/team"
	"icouch/internal/trail"
	"icouch/internal/web/parts"
)

// TrailPage is who did and saw what in a practice.
type TrailPage struct {
	Page
	filter trail.Filter
	part   trail.Part
	reader reader
}

// readFilter reads a filter from an address or a form. What makes no sense is
// left out.
func readFilter(v url.Values) (f trail.Filter) {
	f.Person, _ = id.Parse[id.Practitioner](v.Get("person"))
	for _, k := range trail.Kinds() {
		if string(k) == v.Get("kind") {
			f.Kind = k
		}
	}
	f.From, _ = civil.ParseDate(v.Get("from"))
	f.To, _ = civil.ParseDate(v.Get("to"))
	if n, err := strconv.ParseInt(v.Get("before"), 10, 64); err == nil && n > 0 {
		f.Before = n
	}
	return f
}

// pairs are a filter as fields, without the place in it.
func pairs(f trail.Filter) (all []parts.Pair) {
	add := func(name, value string) {
		if value != "" {
			all = append(all, parts.Pair{Name: name, Value: value})
		}
	}
	add("person", f.Person.String())
	add("kind", string(f.Kind))
	add("from", dateText(f.From))
	add("to", dateText(f.To))
	return all
}

func dateText(d civil.Date) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}

// GET /settings/trail
func (s *Site) trail(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return s.showTrail(w, r, by, readFilter(r.URL.Query()), nil)
}

func (s *Site) showTrail(w http.ResponseWriter, r *http.Request, by access.Actor, f trail.Filter, wrong error) error {
	p := TrailPage{filter: f}
	told, status := problemsOf(wrong)
	if wrong == nil {
		status = http.StatusOK
	} else if told == nil {
		return wrong
	}
	err := s.DB.View(r.Context(), func(tx *db.Tx) (err error) {
		if p.part, err = trail.List(tx, by, f); err != nil {
			return err
		}
		p.reader, err = s.readerIn(tx, by)
		return err
	})
	if err != nil {
		return err
	}
	if p.Page, err = s.frame(r, by, "Audit trail", "/settings"); err != nil {
		return err
	}
	p.tell(told)
	return s.show(w, r, status, p.View())
}

// POST /settings/trail/export
func (s *Site) exportTrail(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	if ok, err := s.proved(w, r, "/settings/trail"); !ok {
		return err
	}
	f := readFilter(form)
	f.Before = 0
	var lines []trail.Line
	err = s.DB.Update(r.Context(), func(tx *db.Tx) (err error) {
		lines, err = trail.Export(tx, by, f)
		return err
	})
	if err != nil {
		return s.showTrail(w, r, by, f, err)
	}
	if form.Get("as") == "fhir" {
		return attachEvents(w, by.Practice(), lines)
	}
	var rows [][]string
	for _, l := range lines {
		rows = append(rows, l.Rows()...)
	}
	return attach(w, "trail.csv", trail.Header, rows)
}

func attachEvents(w http.ResponseWriter, practice id.Practice, lines []trail.Line) error {
	var b bytes.Buffer
	for _, l := range lines {
		event, err := l.AuditEvent(practice)
		if err != nil {
			return err
		}
		b.Write(event)
		b.WriteByte('\n')
	}
	w.Header().Set("Content-Type", "application/fhir+ndjson")
	w.Header().Set("Content-Disposition", `attachment; filename="AuditEvent.ndjson"`)
	_, _ = b.WriteTo(w) // fails only if the reader has gone
	return nil
}

func (p TrailPage) head() parts.PageHead {
	return parts.PageHead{Title: "Audit trail", Lede: "Who did and saw what in the practice. Nobody can change an entry without it being noticed.", Back: back,
		Actions: []parts.Button{{Label: "Weeks to review", Icon: "check", Href: "/settings/trail/weeks"}}}
}

var kindLabels = map[trail.Kind]string{trail.Anything: "Everything", trail.Looks: "Views of records", trail.Changes: "Changes to clients", trail.Messages: "Messages", trail.Exports: "Exports",
	trail.Emergencies: "Emergencies", trail.Letters: "Letters", trail.Running: "The practice and who works here"}

func (p TrailPage) persons() parts.Select {
	s := parts.Select{Name: "person", Label: "Who", Value: p.filter.Person.String(), Options: []parts.Option{{Value: "", Label: "Anybody"}}}
	for _, m := range p.part.Members {
		s.Options = append(s.Options, parts.Option{Value: m.ID.String(), Label: m.Name})
	}
	return s
}

func (p TrailPage) kinds() parts.Select {
	s := parts.Select{Name: "kind", Label: "What", Value: string(p.filter.Kind)}
	for _, k := range trail.Kinds() {
		s.Options = append(s.Options, parts.Option{Value: string(k), Label: kindLabels[k]})
	}
	return s
}

func (p TrailPage) table() parts.Table {
	t := parts.Table{Caption: "Audit trail", Columns: []parts.Column{{Label: "What", Kind: parts.Main}, {Label: "Who"}, {Label: "About"}, {Label: "When"}},
		Empty: &parts.Empty{Icon: "history", Title: "Nothing in these dates"}}
	for _, l := range p.part.Lines {
		t.Rows = append(t.Rows, parts.Row{Cells: []templ.Component{p.what(l), parts.Words(p.who(l)).View(), aboutCell(l), parts.Words(civil.Moment(p.reader.Now.Time, l.At.Time, p.reader.Zone)).View()}})
	}
	if p.part.Next > 0 {
		t.More = &parts.ShowMore{Href: p.next(), Words: "Older entries follow"}
		t.Empty.Action = &parts.Button{Label: "Look further back", Href: p.next()}
	}
	return t
}

func (p TrailPage) next() string {
	q := url.Values{"before": {strconv.FormatInt(p.part.Next, 10)}}
	for _, f := range pairs(p.filter) {
		q.Set(f.Name, f.Value)
	}
	return "/settings/trail?" + q.Encode()
}

// what is what was done, marked if it was in an emergency or an export.
func (p TrailPage) what(l trail.Line) templ.Component {
	words := actionWords(l)
	status := parts.Status{Kind: parts.None, Words: words}
	switch {
	case opened(l), trail.KindOf(l.Did) == trail.Emergencies:
		status.Kind = parts.Trouble
		if l.Did == audit.Seen {
			status.Detail = "In an emergency"
		}
	case trail.KindOf(l.Did) == trail.Exports:
		status.Kind = parts.Waiting
	}
	if len(l.Fields) > 0 {
		status.Detail = fieldsWords(l.Fields)
	}
	if status.Kind == parts.None && status.Detail == "" { // a shape is for what stands out
		return parts.Words(words).View()
	}
	return status.View()
}

// fieldsWords says what of a thing was noted or changed. A right that was given
// stands in the trail with a plus.
func fieldsWords(fields []string) string {
	words := make([]string, len(fields))
	for i, f := range fields {
		right, given := strings.CutPrefix(f, "+")
		switch {
		case given:
			words[i] = "may open " + right
		case f == "reason":
			words[i] = "with a reason"
		default:
			words[i] = strings.ReplaceAll(f, "_", " ")
		}
	}
	return strings.Join(words, ", ")
}

// opened reports whether somebody was shown by way of an emergency.
func opened(l trail.Line) bool {
	for _, s := range l.Shown {
		if s.Why == access.ByEmergency {
			return true
		}
	}
	return false
}

// actionWords are a line in words. What has none of its own is told by its name,
// which is in words already.
func actionWords(l trail.Line) string {
	if l.Did == audit.Seen {
		switch audit.Part(strings.Fields(l.Subject + " record")[0]) {
		case audit.Listed:
			return "Looked at a list"
		case audit.Named:
			return "Saw names"
		case audit.Joint:
			return "Looked at a joint record"
		case audit.File:
			return "Opened a file in messages"
		case audit.Written:
			return "Read messages"
		case audit.Excerpt:
			return "Saw the list of messages"
		case audit.Trail:
			return "Looked at who opened a record"
		}
		return "Looked at a record"
	}
	if words, ok := didWords[l.Did]; ok {
		return words
	}
	words := strings.NewReplacer(".", " ", "_", " ").Replace(string(l.Did))
	return strings.ToUpper(words[:1]) + words[1:]
}

func (p TrailPage) who(l trail.Line) string {
	switch {
	case l.By != "":
		return l.By
	case l.Role == access.System:
		return "Automatic"
	case l.Role == access.Client:
		return "A client"
	case l.Role == access.Contact:
		return "A client’s contact"
	case l.Role == access.Link:
		return "Holder of a link"
	case l.Role == access.Shell:
		return "The operator"
	}
	return team.RoleWords(l.Role)
}

// WeeksPage is the trail in numbers, week by week, and who has reviewed it.
type WeeksPage struct {
	Page
	Done    *parts.Notice
	weeks   []trail.Digest
	reviews bool // the reader may sign
	reader  reader
}

// GET /settings/trail/weeks
func (s *Site) weeks(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return s.showWeeks(w, r, by, saidAs(r.URL.Query().Get("said")), nil)
}

func (s *Site) showWeeks(w http.ResponseWriter, r *http.Request, by access.Actor, done *parts.Notice, wrong error) error {
	p := WeeksPage{Done: done, reviews: by.May(access.ReviewTrail)}
	told, status := problemsOf(wrong)
	if wrong == nil {
		status = http.StatusOK
	} else if told == nil {
		return wrong
	}
	err := s.DB.View(r.Context(), func(tx *db.Tx) (err error) {
		if p.weeks, err = trail.Digests(tx, by); err != nil {
			return err
		}
		p.reader, err = s.readerIn(tx, by)
		return err
	})
	if err != nil {
		return err
	}
	if p.Page, err = s.frame(r, by, "Weeks to review", "/settings"); err != nil {
		return err
	}
	p.tell(told)
	return s.show(w, r, status, p.View())
}

// POST /settings/trail/weeks
func (s *Site) reviewWeek(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	week, err := strconv.ParseInt(form.Get("week"), 10, 64)
	if err != nil {
		return s.showWeeks(w, r, by, nil, errNoWeek)
	}
	err = s.DB.Update(r.Context(), func(tx *db.Tx) error { return trail.Review(tx, by, week) })
	if err != nil {
		return s.showWeeks(w, r, by, nil, err)
	}
	return see(w, r, "/settings/trail/weeks?said=reviewed")
}

var errNoWeek = fault.New(fault.Invalid, "Choose one of the weeks below.")

func (p WeeksPage) title(d trail.Digest) string {
	return civil.Day(p.reader.Now.Time, d.From.Time, p.reader.Zone) + " to " + civil.Day(p.reader.Now.Time, d.To.Add(-1), p.reader.Zone)
}

func (p WeeksPage) facts(d trail.Digest) parts.Facts {
	n := func(v int64) string { return thousands(int(v)) }
	return parts.Facts{Count: true, List: []parts.Fact{
		{Label: "Opened in an emergency", Value: n(d.Emergencies)}, {Label: "Emergency searches that found nobody", Value: n(d.Missed)},
		{Label: "Exports", Value: n(d.Exports)}, {Label: "At night or at a weekend", Value: n(d.AfterHours)},
		{Label: "Views of a record with the reader’s own last name", Value: n(d.OwnName)},
		{Label: "Views in all", Value: n(d.Looks)}, {Label: "Changes in all", Value: n(d.Changes)},
	}}
}

// signed says who has reviewed a week.
func (p WeeksPage) signed(d trail.Digest) string {
	if d.ReviewedAt == nil {
		return "Nobody has reviewed it yet."
	}
	return "Reviewed by " + d.ReviewedBy + ", " + civil.Moment(p.reader.Now.Time, d.ReviewedAt.Time, p.reader.Zone) + "."
}

// lines is where a week's lines are.
func (p WeeksPage) lines(d trail.Digest) string {
	return "/settings/trail?from=" + civil.DateOf(d.From.Time, p.reader.Zone).String() + "&to=" + civil.DateOf(d.To.Add(-1), p.reader.Zone).String()
}
