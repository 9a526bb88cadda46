package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"icouch/internal/access"
	"icouch/internal/base/civil"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	contacts "icouch/internal/contact"
	"icouch/internal/letter"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/web/parts"
)

// contactRoutes are who else matters to a client: for the practice on the
// client's page, for who is invited, and for the client themselves.
var contactRoutes = []route{
	{pattern: "GET /people/{client}/contacts/new", enter: inviters, do: (*Site).newContact},
	{pattern: "POST /people/{client}/contacts", enter: inviters, do: (*Site).addContact},
	{pattern: "GET /people/{client}/contacts/{contact}", enter: inviters, do: (*Site).contact},
	{pattern: "POST /people/{client}/contacts/{contact}", enter: inviters, do: (*Site).editContact},
	{pattern: "POST /people/{client}/contacts/{contact}/suspension", enter: inviters, do: (*Site).suspendContact},
	{pattern: "POST /people/{client}/contacts/{contact}/return", enter: inviters, do: (*Site).resumeContact},
	{pattern: "POST /people/{client}/contacts/{contact}/end", enter: inviters, do: (*Site).endContact},
	{pattern: "POST /people/{client}/contacts/{contact}/invitation", enter: inviters, do: (*Site).inviteContact},
	{pattern: "POST /people/{client}/contacts/{contact}/invitation/sendings", enter: inviters, do: (*Site).resendContact},
	{pattern: "POST /people/{client}/contacts/{contact}/invitation/withdrawal", enter: inviters, do: (*Site).withdrawContact},

	{pattern: "GET /people/{client}/age", enter: inviters, do: (*Site).chooseAge},
	{pattern: "POST /people/{client}/age", enter: inviters, do: (*Site).setAge},

	{pattern: "GET /contact/{link}", enter: anyone, do: contactPassage.link},
	{pattern: "POST /contact/{link}", enter: anyone, do: contactPassage.signsUp},
	{pattern: "GET /contact/{link}/sign-in", enter: anyone, do: contactPassage.withAccount},
	{pattern: "POST /contact/{link}/sign-in", enter: anyone, do: contactPassage.signsIn},
	{pattern: "POST /contact/{link}/acceptance", enter: anyone, do: contactPassage.accepts},
	{pattern: "POST /contact/{link}/switch", enter: anyone, do: contactPassage.switches},
	{pattern: "POST /contact/{link}/new-link", enter: anyone, do: contactPassage.renews},

	{pattern: "GET /access", enter: ownClient, do: (*Site).others},
	{pattern: "POST /access/endings", enter: ownClient, do: (*Site).askEnd},
}

func ownClient(a access.Actor) bool { return a.IsClient() && a.SignedIn() }

// contactSaid are the words for what was done: see said.
var contactSaid = map[string]parts.Notice{
	"added":     {Tone: parts.Good, Words: "Noted. Nothing was mailed."},
	"saved":     {Tone: parts.Good, Words: "Saved. It takes effect with their next click."},
	"suspended": {Tone: parts.Good, Words: "Suspended. They can no longer open this record, in any browser. We do not tell them."},
	"resumed":   {Tone: parts.Good, Words: "Taken back. What they were given is open to them again."},
	"invited":   {Tone: parts.Good, Words: "Invited. We are sending the letter. It names no client."},
	"resent":    {Tone: parts.Good, Words: "We are sending the letter again; the link before it no longer works."},
	"withdrawn": {Tone: parts.Good, Words: "Withdrawn. The link no longer works."},
	"ended":     {Tone: parts.Good, Words: "Ended. We do not tell them: please tell them yourself."},
}

func contactSaidAs(word string) *parts.Notice {
	n, ok := contactSaid[word]
	if !ok {
		return nil
	}
	n.Alert = true
	return &n
}

var relationWords = map[contacts.Relation]string{
	contacts.Parent: "Parent", contacts.Guardian: "Guardian", contacts.Partner: "Partner", contacts.Payer: "Payer", contacts.Other: "Other",
}

var rightWords = map[access.Right]string{
	access.SeeAppointments: "Appointments", access.PayInvoices: "Invoices, to see and to pay", access.FillForms: "Forms, to see and to fill in", access.SeeDocuments: "Documents and files",
}

// rightsWords lists what somebody may open, as a sentence does.
func rightsWords(some []access.Right) string {
	short := map[access.Right]string{access.SeeAppointments: "appointments", access.PayInvoices: "invoices", access.FillForms: "forms", access.SeeDocuments: "documents"}
	var words []string
	for _, r := range some {
		words = append(words, short[r])
	}
	return join(words)
}

// dateWords is a day as it is said: "3 May 2031".
func dateWords(d civil.Date) string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%d %s %d", d.Day(), d.Month(), d.Year())
}

// contactLine is a contact as a page shows it.
type contactLine struct {
	contacts.Contact
	reader reader
	noMail bool
}

// about is what they are to the client, and what for.
func (c contactLine) about() string {
	words := relationWords[c.Relation]
	if c.Emergency {
		words += " · in an emergency"
	}
	if len(c.Rights) > 0 {
		words += " · may open " + rightsWords(c.Rights)
	}
	return words
}

// lasts says from when and until when.
func (c contactLine) lasts() string {
	until := dateWords(c.Until)
	if t := c.Terms; t.OfAge != nil && (t.Ends == nil || t.OfAge.Before(t.Ends.Time)) {
		until = "they come of age"
		if c.reader.by.May(access.SeePrivate) { // that day is a birthday
			until += ", " + civil.Day(c.reader.Now.Time, t.OfAge.Time, c.reader.Zone)
		}
	}
	switch {
	case c.Standing == access.Before && until != "":
		return "From " + dateWords(c.From) + " until " + until
	case c.Standing == access.Before:
		return "From " + dateWords(c.From)
	case until != "":
		return "Until " + until
	}
	return ""
}

// status says how things stand: a shape, and words.
func (c contactLine) status() parts.Status {
	switch {
	case c.Standing == access.NoRights:
		return parts.Status{Kind: parts.None, Words: "Opens nothing"}
	case c.Standing == access.Over:
		s := parts.Status{Kind: parts.Ended, Words: "Ended"}
		if t := c.Terms.Ends; t != nil && !t.After(c.reader.Now.Time) { // not by another end before that day
			s.Words += " " + dateWords(c.Until)
		}
		return s
	case c.Standing == access.Suspended:
		return parts.Status{Kind: parts.Trouble, Words: "Suspended"}
	case c.Account != nil && c.Standing == access.Before:
		return parts.Status{Kind: parts.Waiting, Words: "Has an account", Detail: c.lasts()}
	case c.Account != nil:
		return parts.Status{Kind: parts.Active, Words: "Signs in", Detail: c.lasts()}
	case c.Sent == nil:
		return parts.Status{Kind: parts.None, Words: "Not invited", Detail: c.lasts()}
	}
	return c.invitation()
}

// invitation says how the newest one fares.
func (c contactLine) invitation() parts.Status {
	i, is := c.Sent, c.reader
	switch {
	case i.State == people.Withdrawn && i.AskedAt != nil:
		return parts.Status{Kind: parts.Trouble, Words: "Asks for a new link", Detail: "It was withdrawn. " + is.past(*i.AskedAt)}
	case i.State == people.Withdrawn:
		return parts.Status{Kind: parts.None, Words: "Withdrawn " + is.past(*i.EndedAt)}
	case i.State == people.Used:
		return parts.Status{Kind: parts.None, Words: "Account closed by them"}
	case !i.ExpiresAt.After(is.Now.Time):
		return parts.Status{Kind: parts.Trouble, Words: "The link has ended", Detail: "It was sent " + is.past(i.CreatedAt)}
	}
	until := "Works until " + civil.Day(is.Now.Time, i.ExpiresAt.Time, is.Zone)
	switch i.Letter {
	case letter.Queued, letter.Delayed:
		if c.noMail {
			return parts.Status{Kind: parts.Trouble, Words: "Waiting to be sent", Detail: "No mail server is set up"}
		}
		return parts.Status{Kind: parts.Waiting, Words: "On its way", Detail: until}
	case letter.Bounced, letter.Refused:
		return parts.Status{Kind: parts.Trouble, Words: "Came back", Detail: "Check the address"}
	case letter.Failed:
		return parts.Status{Kind: parts.Trouble, Words: "Could not be sent", Detail: "Press Re-Send to try again"}
	}
	return parts.Status{Kind: parts.Waiting, Words: "Sent " + is.past(i.CreatedAt), Detail: until}
}

// reach is how to reach them.
func (c contactLine) reach() string {
	var words []string
	if c.Mobile != "" {
		words = append(words, c.Mobile)
	}
	if !c.Email.IsZero() {
		words = append(words, c.Email.String())
	}
	return join(words)
}

// contactLines are a client's contacts, for their page.
func (p ClientPage) contactLines() (all []contactLine) {
	for _, c := range p.contacts {
		all = append(all, contactLine{c, p.reader, p.reader.NoMail})
	}
	return all
}

// ContactPage is one contact of a client's, new or known already.
type ContactPage struct {
	Page
	contacts.Draft
	Done   *parts.Notice
	client people.Client
	line   contactLine // as it is now; of a new one nothing
	fresh  id.Contact  // of a new one
	days   people.Minor
	glass  *glass
}

func (p ContactPage) back() *parts.Link {
	return &parts.Link{Label: p.client.Name.Full(), Href: "/people/" + p.client.ID.String()}
}

func (p ContactPage) path(rest string) string {
	at := "/people/" + p.client.ID.String() + "/contacts"
	if p.fresh == "" {
		at += "/" + p.line.ID.String()
	}
	return at + rest
}

func (p ContactPage) title() string {
	if p.fresh != "" {
		return "Add a contact"
	}
	return p.line.Name
}

// hidden are what the form carries: which contact, and what it said.
func (p ContactPage) hidden() []parts.Pair {
	if p.fresh != "" {
		return []parts.Pair{{Name: "id", Value: p.fresh.String()}}
	}
	return []parts.Pair{{Name: "version", Value: strconv.FormatInt(p.line.Version, 10)}}
}

func (p ContactPage) relations() parts.Select {
	s := parts.Select{Name: "relation", Label: "Relationship to the client", Value: p.Relation, Prompt: "Choose", Problem: p.Problems.For("relation"), Required: true}
	for _, r := range contacts.Relations {
		s.Options = append(s.Options, parts.Option{Value: string(r), Label: relationWords[r]})
	}
	return s
}

func (p ContactPage) given(r access.Right) bool { return slices.Contains(p.Rights, string(r)) }

func (p ContactPage) lede() string { return "Contact of " + p.client.Name.Full() }

// untilWords says what the last day is for, and when there has to be one.
func (p ContactPage) untilWords() string {
	if p.ofAge() != "" {
		return "Required if they may open anything, unless it ends when the client comes of age."
	}
	return "Required if they may open anything."
}

func (p ContactPage) save() parts.Button {
	if p.fresh != "" {
		return parts.Button{Label: "Add", Hidden: "the contact", Kind: parts.Primary}
	}
	return parts.Button{Label: "Save", Kind: parts.Primary}
}

// maySuspend, mayResume and mayEnd say which buttons there are.
func (p ContactPage) maySuspend() bool {
	return p.line.Standing == access.Open || p.line.Standing == access.Before
}

// mayInvite says whether a letter could go, missing what it lacks, and the rest
// what can be done with the one that went.
func (p ContactPage) mayInvite() bool {
	return p.maySuspend() && p.line.Account == nil && !p.line.Email.IsZero()
}
func (p ContactPage) lacksEmail() bool {
	return p.maySuspend() && p.line.Account == nil && p.line.Email.IsZero()
}
func (p ContactPage) wasInvited() bool {
	return p.line.Sent != nil && p.line.Sent.State != people.Used
}
func (p ContactPage) mayWithdraw() bool {
	return p.line.Sent != nil && p.line.Sent.State == people.Live && p.line.Sent.ExpiresAt.After(p.line.reader.Now.Time)
}
func (p ContactPage) mayResume() bool { return p.line.Terms.Suspended }
func (p ContactPage) mayEnd() bool {
	return p.line.Standing != access.NoRights && p.line.Standing != access.Over
}

// contactPage reads what a request is about: the client, and the contact if the
// address names one.
func (s *Site) contactPage(r *http.Request, by access.Actor) (p ContactPage, err error) {
	client, err := pathID[id.Client](r, "client")
	if err != nil {
		return p, err
	}
	var one id.Contact
	if r.PathValue("contact") != "" {
		if one, err = pathID[id.Contact](r, "contact"); err != nil {
			return p, err
		}
	}
	err = s.DB.View(r.Context(), func(tx *db.Tx) (err error) {
		if p.client, err = people.Find(tx, by, client); err != nil {
			return err
		}
		if p.glass, err = glassOf(tx, by, client); err != nil {
			return err
		}
		if p.days, err = people.MinorOf(tx, by, client); err != nil {
			return err
		}
		if p.line.reader, err = s.readerIn(tx, by); err != nil || one == "" {
			return err
		}
		p.line.noMail = s.NoMail
		p.line.Contact, err = contacts.Find(tx, by, client, one)
		return err
	})
	if err != nil {
		return p, err
	}
	p.Page, err = s.frame(r, by, "Contact", "/people")
	return p, err
}

// contactDraft reads what was typed.
func contactDraft(v url.Values) contacts.Draft {
	return contacts.Draft{Name: v.Get("name"), Relation: v.Get("relation"), Email: v.Get("email"), Mobile: v.Get("mobile"), Basis: v.Get("basis"),
		Emergency: v.Get("emergency") == "yes", OfAge: v.Get("of-age") == "yes", Rights: v["right"], From: v.Get("from"), Until: v.Get("until")}
}

// GET /people/{client}/contacts/new
func (s *Site) newContact(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	p, err := s.contactPage(r, by)
	if err != nil {
		return err
	}
	p.fresh = id.New[id.Contact](s.DB.Clock())
	p.Draft.OfAge = p.ofAge() != "" // what is right for most; the form shows it
	return s.show(w, r, http.StatusOK, p.View())
}

var errOldForm = fault.New(fault.Invalid, "This form is too old. Open it again, and add the contact from there.")

// POST /people/{client}/contacts
func (s *Site) addContact(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	p, err := s.contactPage(r, by)
	if err != nil {
		return err
	}
	p.Draft = contactDraft(form)
	d, err := p.Read()
	var idErr error
	if p.fresh, idErr = id.Parse[id.Contact](form.Get("id")); idErr != nil {
		p.fresh, err = id.New[id.Contact](s.DB.Clock()), errOldForm
	}
	if err == nil {
		err = s.DB.Update(r.Context(), func(tx *db.Tx) error { return contacts.Add(tx, by, p.client.ID, p.fresh, d) })
	}
	if err == nil {
		return see(w, r, "/people/"+p.client.ID.String()+"/contacts/"+p.fresh.String()+"?said=added")
	}
	return s.contactWrong(w, r, p, err)
}

func (s *Site) contactWrong(w http.ResponseWriter, r *http.Request, p ContactPage, err error) error {
	told, status := problemsOf(err)
	if told == nil || status == http.StatusNotFound {
		return err
	}
	p.tell(told)
	return s.show(w, r, status, p.View())
}

// GET /people/{client}/contacts/{contact}
func (s *Site) contact(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	p, err := s.contactPage(r, by)
	if err != nil {
		return err
	}
	p.Draft, p.Done = contacts.DraftOf(p.line.Contact), contactSaidAs(r.URL.Query().Get("said"))
	return s.show(w, r, http.StatusOK, p.View())
}

// POST /people/{client}/contacts/{contact}
func (s *Site) editContact(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	p, err := s.contactPage(r, by)
	if err != nil {
		return err
	}
	p.Draft = contactDraft(form)
	d, err := p.Read()
	if err == nil {
		version, _ := strconv.ParseInt(form.Get("version"), 10, 64) // zero is no version: changed meanwhile
		err = s.DB.Update(r.Context(), func(tx *db.Tx) error { return contacts.Edit(tx, by, p.client.ID, p.line.ID, version, d) })
	}
	if err == nil {
		return see(w, r, p.path("?said=saved"))
	}
	return s.contactWrong(w, r, p, err)
}

// contactDeed does one deed about the contact of the address and goes on to
// their page, or says there why not.
func (s *Site) contactDeed(w http.ResponseWriter, r *http.Request, by access.Actor, word string, deed func(*db.Tx, access.Actor, id.Client, id.Contact) error) error {
	p, err := s.contactPage(r, by)
	if err != nil {
		return err
	}
	err = s.DB.Update(r.Context(), func(tx *db.Tx) error { return deed(tx, by, p.client.ID, p.line.ID) })
	if err == nil {
		return see(w, r, p.path("?said="+word))
	}
	p.Draft = contacts.DraftOf(p.line.Contact)
	return s.contactWrong(w, r, p, err)
}

// POST /people/{client}/contacts/{contact}/suspension
func (s *Site) suspendContact(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return s.contactDeed(w, r, by, "suspended", contacts.Suspend)
}

// POST /people/{client}/contacts/{contact}/return
func (s *Site) resumeContact(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return s.contactDeed(w, r, by, "resumed", contacts.Resume)
}

// POST /people/{client}/contacts/{contact}/end
func (s *Site) endContact(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return s.contactDeed(w, r, by, "ended", contacts.End)
}

// POST /people/{client}/contacts/{contact}/invitation
func (s *Site) inviteContact(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return s.contactDeed(w, r, by, "invited", contacts.Invite)
}

// POST /people/{client}/contacts/{contact}/invitation/sendings
func (s *Site) resendContact(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return s.contactDeed(w, r, by, "resent", contacts.Resend)
}

// POST /people/{client}/contacts/{contact}/invitation/withdrawal
func (s *Site) withdrawContact(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return s.contactDeed(w, r, by, "withdrawn", contacts.Withdraw)
}

// lastMoment is the last minute before an end, where the practice is.
func lastMoment(now, end time.Time, zone civil.Zone) string {
	return civil.MomentZone(now, end.Add(-time.Minute), zone)
}
