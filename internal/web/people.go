package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/at"
	"icouch/internal/base/civil"
	"icouch/internal/base/id"
	"icouch/internal/people"
	"icouch/internal/people/directory"
	"icouch/internal/platform/db"
	"icouch/internal/web/parts"
)

// pageOf is how many clients are on one page of the list.
const pageOf = 50

// listing is which part of the list somebody looks at.
type listing struct {
	text  string // searched for; never in an address
	group people.Group
	sort  directory.Sort
	page  int // from 1
}

// readListing reads a listing from a form or an address. What makes no sense
// is the whole list.
func readListing(v url.Values) listing {
	l := listing{text: strings.TrimSpace(v.Get("q")), group: people.Everyone, sort: directory.ByName, page: 1}
	for _, g := range people.Groups() {
		if v.Get("filter") == string(g) {
			l.group = g
		}
	}
	for _, o := range sorts {
		if v.Get("sort") == o.word {
			l.sort = o.sort
		}
	}
	if n, err := strconv.Atoi(v.Get("page")); err == nil && n > 1 && n < 1e6 {
		l.page = n
	}
	return l
}

// sorts are the orders of the list, in the words of addresses and of the page.
var sorts = []struct {
	sort        directory.Sort
	word, label string
}{
	{directory.ByName, "name", "Last name"},
	{directory.ByAdded, "newest", "Newest"},
	{directory.ByStatus, "status", "Status"},
}

func (l listing) sortWord() string {
	for _, o := range sorts {
		if o.sort == l.sort {
			return o.word
		}
	}
	return ""
}

// href is the address of this part of the list, without what is searched for.
func (l listing) href() string {
	var q []string
	if l.group != people.Everyone {
		q = append(q, "filter="+string(l.group))
	}
	if l.sort != directory.ByName {
		q = append(q, "sort="+l.sortWord())
	}
	if l.page > 1 {
		q = append(q, "page="+strconv.Itoa(l.page))
	}
	if q == nil {
		return "/people"
	}
	return "/people?" + strings.Join(q, "&")
}

func (l listing) in(g people.Group) listing   { l.group, l.page, l.text = g, 1, ""; return l }
func (l listing) by(s directory.Sort) listing { l.sort, l.page, l.text = s, 1, ""; return l }
func (l listing) at(page int) listing         { l.page = page; return l }
func (l listing) query() directory.Query {
	return directory.Query{Text: l.text, Group: l.group, Sort: l.sort, Skip: (l.page - 1) * pageOf, Most: pageOf}
}

// fields are a listing as hidden fields.
func (l listing) fields(text bool) []parts.Pair {
	all := []parts.Pair{{Name: "filter", Value: string(l.group)}, {Name: "sort", Value: l.sortWord()}}
	if text {
		all = append(all, parts.Pair{Name: "q", Value: l.text}, parts.Pair{Name: "page", Value: strconv.Itoa(l.page)})
	}
	return all
}

// GET /people
func (s *Site) people(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	q := r.URL.Query()
	q.Del("q")
	return s.showPeople(w, r, by, readListing(q), saidAs(q.Get("said")))
}

// POST /people/search
func (s *Site) searchPeople(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	return s.showPeople(w, r, by, readListing(form), nil)
}

// GET /people/search is where somebody is who reloads a search.
func (s *Site) leaveSearch(w http.ResponseWriter, r *http.Request, _ access.Actor) error {
	return see(w, r, "/people")
}

func (s *Site) showPeople(w http.ResponseWriter, r *http.Request, by access.Actor, l listing, done *parts.Notice) error {
	a, err := s.Directory.Look(r.Context(), by, l.query())
	if err != nil {
		return err
	}
	reader, err := s.reader(r, by)
	if err != nil {
		return err
	}
	frame, err := s.frame(r, by, "People", "/people")
	if err != nil {
		return err
	}
	p := PeoplePage{Page: frame, Done: done, listing: l, answer: a, reader: reader}
	return s.show(w, r, http.StatusOK, p.View())
}

// reader is what the words of a page depend on beside the facts.
type reader struct {
	people.Setting
	by      access.Actor
	there   civil.Zone            // the practice's
	carers  []people.Practitioner // whoever works in the practice; nobody for who sees only their own
	several bool                  // more than one of them has clients
}

// reader finds out about whoever reads.
func (s *Site) reader(r *http.Request, by access.Actor) (reader, error) {
	k := visitOf(r).known
	if err := k.frameOf(r.Context(), s.DB); err != nil {
		return reader{}, err
	}
	is := reader{Setting: people.Setting{Now: at.Of(s.DB.Clock()), NoMail: s.NoMail, Zone: zoneOf(k.account, k.practice)}, by: by, there: k.practice.Zone, carers: k.carers}
	is.several = carers(k.carers) > 1
	return is, nil
}

// zoneOf is the zone in which somebody reads: their own, or the practice's as
// long as they have not chosen.
func zoneOf(who account.Account, at people.Practice) civil.Zone { return zoneOr(who.Zone, at.Zone) }

// carers counts the members who look after clients.
func carers(all []people.Practitioner) (n int) {
	for _, p := range all {
		if p.CaresForClients() {
			n++
		}
	}
	return n
}

func (s *Site) readerIn(tx *db.Tx, by access.Actor) (reader, error) {
	is := reader{Setting: people.Setting{Now: tx.Now(), NoMail: s.NoMail}, by: by}
	who, err := account.Of(tx, by)
	if err != nil {
		return is, err
	}
	practice, err := people.PracticeOf(tx, by)
	if err != nil {
		return is, err
	}
	is.Zone, is.there = zoneOf(who, practice), practice.Zone
	if by.SeesAll() {
		if is.carers, err = people.Practitioners(tx, by); err != nil {
			return is, err
		}
		is.several = carers(is.carers) > 1
	}
	return is, nil
}

// carer is the name of who looks after a client, if that needs saying.
func (is reader) carer(p id.Practitioner) string {
	if !is.several {
		return ""
	}
	for _, c := range is.carers {
		if c.ID == p {
			return c.Name
		}
	}
	return ""
}

func (is reader) past(t at.Time) string { return civil.Past(is.Now.Time, t.Time, is.Zone) }

// PeoplePage is the list of clients.
type PeoplePage struct {
	Page
	Done    *parts.Notice
	listing listing
	answer  directory.Answer
	reader  reader
}

func (p PeoplePage) head() parts.PageHead {
	h := parts.PageHead{Title: "People", Lede: p.total(), CountID: "count"}
	if p.reader.by.MayInvite() && !p.nobody() {
		h.Actions = []parts.Button{{Label: "New Client", Kind: parts.Primary, Icon: "user-plus", Href: "/people/new"}}
	}
	return h
}

// nobody reports whether there is not one client yet.
func (p PeoplePage) nobody() bool { return p.answer.Counts[people.Everyone] == 0 }

func (p PeoplePage) search() parts.Search {
	return parts.Search{Action: "/people/search", Name: "q", Value: p.listing.text, Label: "Search by name or e-mail", Target: "people",
		Also: []string{"count"}, Hidden: p.listing.fields(false)}
}

// filterLabels are the words of the groups.
var filterLabels = map[people.Group]string{
	people.Everyone: "Everyone", people.HasAccount: "Has an account", people.Invited: "Invited",
	people.NeedsAttention: "Needs attention", people.NotInvited: "Not invited", people.Ended: "Ended",
}

func (p PeoplePage) filters() parts.Segments {
	s := parts.Segments{Label: "Show"}
	for _, g := range people.Groups() {
		s.Links = append(s.Links, parts.Segment{Label: filterLabels[g], Href: p.listing.in(g).href(), Count: thousands(p.answer.Counts[g]), Current: g == p.listing.group})
	}
	return s
}

// columns of the list. The e-mail stands under the name on a phone.
var peopleColumns = []parts.Column{
	{Label: "Name", Kind: parts.Main}, {Label: "E-mail", Kind: parts.Wide}, {Label: "Status"}, {Label: "Contact", Kind: parts.Act},
}

func (p PeoplePage) table() parts.Table {
	t := parts.Table{ID: "people", Caption: "People", Say: p.total(), Columns: peopleColumns, Empty: p.empty(), More: p.more()}
	if p.reader.by.MayInvite() {
		t.Bulk = &parts.Bulk{ID: "bulk", Action: "/people/invitations", Name: "client", Buttons: []parts.Button{
			{Label: "Invite", Kind: parts.Soft, Icon: "send", Small: true, Applies: "invite"},
		}}
	}
	t.Rows = p.rows()
	return t
}

// onList is what one row shows. Its cells point here.
type onList struct {
	person  parts.Person
	email   parts.Words
	contact contact
	pick    parts.Pick
}

func (p PeoplePage) rows() []parts.Row {
	n, columns := len(p.answer.Rows), len(peopleColumns)
	rows, shown, cells := make([]parts.Row, n), make([]onList, n), make([]templ.Component, 0, n*columns)
	back := ""
	if p.listing.text == "" {
		back = p.listing.href()
	}
	for i := range p.answer.Rows {
		l, on := &p.answer.Rows[i], &shown[i]
		name := l.Name.Full()
		on.contact = contactOf(l.ID, l.Practitioner, name, l.Facts, p.reader.Setting, p.reader.by)
		on.contact.back = back
		on.person = parts.Person{Name: name, Href: on.contact.path(""), Note: p.note(l), Mail: l.Email}
		on.email = parts.Words(l.Email)
		cells = append(cells, &on.person, &on.email, on.contact.State(), on.contact.Act())
		rows[i] = parts.Row{ID: "c-" + l.ID.String(), Cells: cells[i*columns : len(cells) : len(cells)]}
		if p.reader.by.MayInvite() {
			on.pick = parts.Pick{Value: l.ID.String(), Label: "Choose " + name, Can: on.contact.can()}
			rows[i].Pick = &on.pick
		}
	}
	return rows
}

// note is what is known of a client at a glance. The identifier tells when its
// form was opened, which is when they were added.
func (p PeoplePage) note(l *people.Listed) string {
	added := "Added " + p.reader.past(at.Of(l.ID.Made()))
	if p.reader.by.OnlyLooks(l.ID, l.Practitioner) {
		return "Opened in an emergency"
	}
	if carer := p.reader.carer(l.Practitioner); carer != "" {
		return carer + " · " + added
	}
	return added
}

func (p PeoplePage) more() *parts.ShowMore {
	first, last := (p.listing.page-1)*pageOf+1, (p.listing.page-1)*pageOf+len(p.answer.Rows)
	if len(p.answer.Rows) == 0 || p.answer.Total <= pageOf {
		return nil
	}
	m := parts.ShowMore{Words: thousands(first) + "–" + thousands(last) + " of " + p.outOf()}
	if last >= p.answer.Total {
		return &m
	}
	next := p.listing.at(p.listing.page + 1)
	if p.listing.text == "" {
		m.Href = next.href()
	} else { // names are in no address
		m.Post, m.Hidden = "/people/search", next.fields(true)
	}
	return &m
}

// empty is what stands instead of a list with nobody on it.
func (p PeoplePage) empty() *parts.Empty {
	all := &parts.Button{Label: "Show everyone", Href: "/people"}
	switch {
	case p.nobody() && p.reader.by.MayInvite():
		return &parts.Empty{Icon: "users", Title: "No clients yet", Words: "Add the first; you choose when to invite them.",
			Action: &parts.Button{Label: "New Client", Kind: parts.Primary, Icon: "user-plus", Href: "/people/new"}}
	case p.nobody():
		return &parts.Empty{Icon: "users", Title: "No clients yet"}
	case p.listing.text != "" && p.listing.group == people.Everyone:
		return &parts.Empty{Icon: "search", Title: "No one matches “" + p.listing.text + "”", Words: "Try a part of the name, or of the e-mail address.", Action: all}
	case p.listing.text != "":
		return &parts.Empty{Icon: "search", Title: "No one matches “" + p.listing.text + "”", Words: "Only those under “" + filterLabels[p.listing.group] + "” were looked at.", Action: all}
	case p.listing.page > 1:
		return &parts.Empty{Icon: "users", Title: "The list ends before this page", Action: all}
	}
	return &parts.Empty{Icon: "users", Title: emptyGroups[p.listing.group], Action: all}
}

var emptyGroups = map[people.Group]string{
	people.HasAccount: "Nobody has an account yet", people.Invited: "No invitation is under way", people.NeedsAttention: "Nobody needs attention",
	people.NotInvited: "Everyone is invited or has an account", people.Ended: "Nobody’s care has ended",
}

// total is how many fit the search, as far as they were counted.
func (p PeoplePage) total() string {
	if p.answer.More {
		return "More than " + peopleWords(p.answer.Total-1)
	}
	return peopleWords(p.answer.Total)
}

// outOf is the same number after "1–50 of".
func (p PeoplePage) outOf() string {
	if p.answer.More {
		return "more than " + thousands(p.answer.Total-1)
	}
	return thousands(p.answer.Total)
}

// peopleWords counts people.
func peopleWords(n int) string {
	if n == 1 {
		return "1 person"
	}
	return thousands(n) + " people"
}

// thousands writes a number as people do.
func thousands(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	rest := strconv.Itoa(n % 1000)
	return thousands(n/1000) + "," + "000"[len(rest):] + rest
}
