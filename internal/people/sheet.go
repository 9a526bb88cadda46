package people

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"icouch/internal/access"
	"icouch/internal/audit"
	"icouch/internal/base/civil"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/sheet"
	"icouch/internal/base/text"
	"icouch/internal/platform/db"
)

// Clients come from another program as a file, and leave as one. Nothing is
// saved until the practitioner has seen, row by row, what will happen.

// ErrNoNameColumn says that a file cannot be understood.
var ErrNoNameColumn = fault.New(fault.Invalid, "No column with names was found. Call the columns in the first row First name, Last name and E-mail, and try again.")

// Fate is what will happen with a row.
type Fate string

// The fates.
const (
	WillInvite Fate = "Create and invite"
	WillCreate Fate = "Create"
	LeftOut    Fate = "Left out"
)

// Row is one row of a file, as it was read.
type Row struct {
	Line    int
	Name    string
	Email   string
	Fate    Fate
	Words   string // what to know: why it is left out, or a warning
	details Details
}

// Plan is what importing a file will do. Every row of the file is in it.
type Plan struct {
	Rows                  []Row
	Create, Invite, Leave int
	Note                  string // how the file was read
	Blank                 int    // empty rows
	Ignored               []string
}

// columns lists the names a column may have, folded.
var columns = map[string][]string{
	"first":     {"first name", "first", "given name", "firstname"},
	"last":      {"last name", "last", "surname", "family name", "lastname"},
	"name":      {"name", "full name", "client", "client name"},
	"preferred": {"preferred name", "preferred", "nickname", "goes by"},
	"email":     {"e-mail", "email", "mail", "e-mail address", "email address"},
	"mobile":    {"mobile", "mobile number", "phone", "telephone", "cell", "phone number", "mobile phone"},
	"born":      {"date of birth", "birth date", "birthdate", "dob", "born", "birthday"},
	"address":   {"address", "postal address", "street address"},
	"zone":      {"time zone", "timezone", "zone"},
	"consent":   {"consents to email notifications", "consents to e-mail notifications", "consent", "email consent", "e-mail consent"},
	"invite":    {"invite to icouch", "invite"},
}

// PlanImport reads a file and says what would happen, and changes nothing.
func PlanImport(tx *db.Tx, by access.Actor, s sheet.Sheet) (Plan, error) {
	if !by.MayInvite() {
		return Plan{}, fault.Forbidden
	}
	at, ignored := layout(s.Header)
	if _, named := at["name"]; !named {
		_, first := at["first"]
		_, last := at["last"]
		if !first && !last {
			return Plan{}, ErrNoNameColumn
		}
	}
	here, err := Everybody(tx, by)
	if err != nil {
		return Plan{}, err
	}
	practice, err := PracticeOf(tx, by)
	if err != nil {
		return Plan{}, err
	}
	m := matcher{known: map[string]string{}, mailbox: map[string]string{}, who: map[string]Listed{}, whose: map[string]Listed{}}
	m.saw = func(l Listed) { audit.Saw(tx, by, audit.Listed, l.ID, by.Why(l.ID, l.Practitioner)) }
	for _, c := range here {
		m.add(c.Name, c.Email, "is already among your clients", by.Sees(c.ID, c.Practitioner))
		m.who[person(c.Name, c.Email)], m.whose[text.FoldForSearch(c.Email)] = c, c
	}
	p := Plan{Note: s.Note, Blank: s.Blanks, Ignored: ignored}
	today := civil.DateOf(tx.Now().Time, practice.Zone)
	for _, r := range s.Rows {
		p.take(planRow(r, at, today, &m))
	}
	return p, nil
}

func (p *Plan) take(r Row) {
	p.Rows = append(p.Rows, r)
	switch r.Fate {
	case WillInvite:
		p.Invite++
		p.Create++
	case WillCreate:
		p.Create++
	default:
		p.Leave++
	}
}

func planRow(r sheet.Row, at map[string]int, today civil.Date, m *matcher) Row {
	d := draftOf(r.Cells, at)
	row := Row{Line: r.Line, Name: strings.TrimSpace(d.First + " " + d.Last), Email: d.Email, Fate: LeftOut}
	if r.Problem != "" {
		row.Words = r.Problem
		return row
	}
	if born := cell(r.Cells, at, "born"); born != "" {
		b, err := bornOn(born)
		if err != nil {
			row.Words = sentences(err)
			return row
		}
		d.Year, d.Month, d.Day = b.String()[:4], b.String()[5:7], b.String()[8:]
	}
	details, err := d.Read(today)
	if err != nil {
		row.Words = sentences(err)
		return row
	}
	if same := m.same(details.Name, d.Email); same != "" {
		row.Words = "A client with this name and e-mail " + same + "."
		return row
	}
	row.Fate, row.details = WillCreate, details
	var words []string
	if consent := cell(r.Cells, at, "consent"); !yes(consent) && !no(consent) {
		words = append(words, "Consent to e-mail is neither yes nor no here, and counts as no.")
	}
	switch {
	case d.Invite && details.Email.IsZero():
		words = append(words, "Not invited: there is no e-mail address.")
	case d.Invite && !d.EmailConsent:
		words = append(words, "Not invited: no consent to e-mail is noted.")
	case d.Invite:
		row.Fate = WillInvite
	}
	if w := m.warns(d.Email); w != "" {
		words = append(words, w)
	}
	row.Words = strings.Join(words, " ")
	m.add(details.Name, d.Email, fmt.Sprintf("is in line %d already", r.Line), true)
	return row
}

// Import does what the plan for the same file says, all of it or nothing. Whoever
// turns out not to be written to is created all the same, and their row says why.
func Import(tx *db.Tx, by access.Actor, s sheet.Sheet) (Plan, error) {
	p, err := PlanImport(tx, by, s)
	if err != nil {
		return Plan{}, err
	}
	for i := range p.Rows {
		if err := p.carryOut(tx, by, &p.Rows[i]); err != nil {
			return Plan{}, fmt.Errorf("import line %d: %w", p.Rows[i].Line, err)
		}
	}
	return p, audit.Record(tx, by, audit.Deed{Did: audit.ClientsImported, Subject: by.Practice()})
}

func (p *Plan) carryOut(tx *db.Tx, by access.Actor, r *Row) error {
	c := id.New[id.Client](tx.Now().Time)
	switch r.Fate {
	case LeftOut:
		return nil
	case WillCreate:
		return Create(tx, by, c, r.details, false)
	}
	unsent, err := Welcome(tx, by, c, r.details)
	if unsent != nil {
		p.Invite--
		r.Fate, r.Words = WillCreate, strings.TrimSpace(r.Words+" Not invited. "+sentences(unsent))
	}
	return err
}

// layout finds out which column is which.
func layout(header []string) (at map[string]int, ignored []string) {
	at = map[string]int{}
	for i, h := range header {
		field := fieldOf(h)
		if _, taken := at[field]; field == "" || taken {
			ignored = append(ignored, h)
			continue
		}
		at[field] = i
	}
	return at, ignored
}

func fieldOf(header string) string {
	h := text.FoldForSearch(strings.TrimSpace(header))
	for field, names := range columns {
		for _, n := range names {
			if h == n {
				return field
			}
		}
	}
	return ""
}

func cell(cells []string, at map[string]int, field string) string {
	i, ok := at[field]
	if !ok || i >= len(cells) {
		return ""
	}
	return strings.TrimSpace(cells[i])
}

func draftOf(cells []string, at map[string]int) Draft {
	get := func(f string) string { return cell(cells, at, f) }
	d := Draft{First: get("first"), Last: get("last"), Preferred: get("preferred"), Email: get("email"), Mobile: get("mobile"), Address: get("address"),
		Zone: get("zone"), EmailConsent: yes(get("consent")), Invite: yes(get("invite"))}
	if d.First == "" && d.Last == "" { // "Annie Noda": the last word is the last name
		whole := get("name")
		if i := strings.LastIndex(whole, " "); i > 0 {
			d.First, d.Last = strings.TrimSpace(whole[:i]), whole[i+1:]
		} else {
			d.First = whole
		}
	}
	return d
}

func yes(s string) bool {
	switch text.FoldForSearch(s) {
	case "yes", "y", "true", "1", "x", "on":
		return true
	}
	return false
}

func no(s string) bool {
	switch text.FoldForSearch(s) {
	case "", "no", "n", "false", "0", "off", "-":
		return true
	}
	return false
}

// What is said of a date of birth that cannot be taken as it stands.
var (
	errNoDate     = fault.New(fault.Invalid, "Write the date of birth as year-month-day, like 1984-03-25.")
	errDayOrMonth = fault.New(fault.Invalid, "The date of birth can be read in two ways: day first, or month first. Write it as year-month-day, like 1984-03-25.")
	shortDate     = regexp.MustCompile(`^([0-9]{1,2})([./-])([0-9]{1,2})([./-])([0-9]{4})$`)
)

// bornOn reads a date as other programs write it. With dots the day stands
// first; with slashes or dashes, only what can be read in one way is taken.
func bornOn(s string) (civil.Date, error) {
	if d, err := civil.ParseDate(s); err == nil {
		return d, nil
	}
	p := shortDate.FindStringSubmatch(s)
	if p == nil || p[2] != p[4] {
		return civil.Date{}, errNoDate
	}
	day, _ := strconv.Atoi(p[1])
	month, _ := strconv.Atoi(p[3])
	switch {
	case p[2] == "." || day > 12 || day == month: // the day stands first, or it is all one
	case month > 12:
		day, month = month, day
	default:
		return civil.Date{}, errDayOrMonth
	}
	d, err := civil.ParseDate(fmt.Sprintf("%s-%02d-%02d", p[5], month, day))
	if err != nil {
		return civil.Date{}, errNoDate
	}
	return d, nil
}

// sentences is what a joined error tells, all of it.
func sentences(err error) string {
	var all []string
	for _, e := range fault.Each(err) {
		all = append(all, e.Sentence)
	}
	return strings.Join(all, " ")
}

// matcher finds rows that are somebody already known.
type matcher struct {
	known   map[string]string // name and address → where they are
	mailbox map[string]string // address → whose it is

	who, whose map[string]Listed // the same, as who they are
	saw        func(Listed)      // called with whoever is told of
}

func (m *matcher) add(n Name, address, where string, visible bool) {
	if visible { // of a colleague's client one learns that the mailbox is shared, no more
		m.known[person(n, address)] = where
	}
	if address != "" {
		if !visible {
			m.mailbox[text.FoldForSearch(address)] = "another client"
			return
		}
		m.mailbox[text.FoldForSearch(address)] = n.Full()
	}
}

func (m *matcher) same(n Name, address string) string {
	m.tell(m.who, person(n, address))
	return m.known[person(n, address)]
}

// tell notes that somebody of the practice is told of, if anybody is.
func (m *matcher) tell(of map[string]Listed, key string) {
	if l, ok := of[key]; ok {
		m.saw(l)
	}
}

func (m *matcher) warns(address string) string {
	if who := m.mailbox[text.FoldForSearch(address)]; address != "" && who != "" {
		m.tell(m.whose, text.FoldForSearch(address))
		return "Shares the e-mail address with " + who + "."
	}
	return ""
}

func person(n Name, address string) string {
	return text.FoldForSearch(n.Full()) + "\n" + text.FoldForSearch(address)
}

// exportHeader names the columns of an exported file, as an import reads them.
var exportHeader = []string{"First name", "Last name", "Preferred name", "E-mail", "Mobile", "Date of birth", "Address", "Time zone",
	"Consents to Email Notifications", "Status"}

// Export returns the practice's clients as the rows of a file.
func Export(tx *db.Tx, by access.Actor, s Setting) (header []string, rows [][]string, err error) {
	if !by.MayExport() {
		return nil, nil, fault.Forbidden
	}
	all, err := Everybody(tx, by)
	if err != nil {
		return nil, nil, err
	}
	for _, l := range all {
		c, err := find(tx, by, l.ID) // the deed below tells of all of them at once
		if err != nil {
			return nil, nil, err
		}
		d := DraftOf(c)
		born := ""
		if !c.Born.IsZero() {
			born = c.Born.String()
		}
		consent := "no"
		if c.EmailConsent {
			consent = "yes"
		}
		rows = append(rows, []string{d.First, d.Last, d.Preferred, d.Email, d.Mobile, born, d.Address, d.Zone, consent, l.Contact(s).Status})
	}
	return exportHeader, rows, audit.Record(tx, by, audit.Deed{Did: audit.ClientsExported, Subject: by.Practice()})
}
