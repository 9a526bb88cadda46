package web

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"icouch/internal/access"
	"icouch/internal/account/factor"
	"icouch/internal/base/at"
	"icouch/internal/base/civil"
	"icouch/internal/base/id"
	"icouch/internal/base/text"
	"icouch/internal/chat"
	contacts "icouch/internal/contact"
	"icouch/internal/joint"
	"icouch/internal/letter"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/platform/mail"
	"icouch/internal/team"
	"icouch/internal/web/parts"
)

// ClientPage is everything about one client: how to reach them, how their
// invitation fares, and their care.
type ClientPage struct {
	Page
	Done    *parts.Notice
	client  people.Client
	contact contact
	history []people.Sending
	shares  []string // others with the same mailbox
	note    string   // the practitioner's line in the letter, as typed
	letter  string   // exactly what would be mailed; empty: nothing can be
	seen    bool     // the letter was asked for
	link    string   // a link to hand over, shown this once
	copies  bool     // the question before such a link is made stands open
	// declined: whoever reads this mailbox asked for no invitations. It is
	// looked up for this page alone; the list does without.
	declined bool
	vouches  bool      // may help them sign in again
	team     team.Care // who may see them
	contacts []contacts.Contact
	joints   []joint.Record   // as far as the reader sees them
	days     people.Minor     // of a minor
	opened   []team.Emergency // when they were opened in an emergency, for who reads the trail
	glass    *glass           // the reader has opened them in one
	reader   reader
	talks    []chat.Summary // what was written, for who may read it
	closed   bool           // the client may begin no conversations
}

// GET /people/{client}
func (s *Site) client(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	p, err := s.clientPage(r, by, "")
	if err != nil {
		return err
	}
	p.Done = saidAs(r.URL.Query().Get("said"))
	p.copies = p.copies || r.URL.Query().Get("copy") != ""
	return s.show(w, r, http.StatusOK, p.View())
}

// clientPage reads everything about the client that a request is about.
func (s *Site) clientPage(r *http.Request, by access.Actor, note string) (p ClientPage, err error) {
	client, err := pathID[id.Client](r, "client")
	if err != nil {
		return p, err
	}
	p.note = note
	err = s.DB.View(r.Context(), func(tx *db.Tx) error { return s.readClient(tx, by, client, &p) })
	if err != nil {
		return p, err
	}
	p.Page, err = s.frame(r, by, "Client", "/people")
	return p, err
}

func (s *Site) readClient(tx *db.Tx, by access.Actor, client id.Client, p *ClientPage) (err error) {
	if p.client, err = people.Find(tx, by, client); err != nil {
		return err
	}
	if p.reader, err = s.readerIn(tx, by); err != nil {
		return err
	}
	facts, err := people.FactsOf(tx, by, client)
	if err != nil {
		return err
	}
	p.contact = contactOf(client, p.client.Practitioner, p.client.Name.Full(), facts, p.reader.Setting, by)
	p.vouches = by.May(access.Vouch) && !by.OnlyLooks(client, p.client.Practitioner) && p.client.Account != nil && (p.client.EndsAt == nil || p.client.EndsAt.After(tx.Now().Time))
	if p.vouches { // without a second step there is none to lose
		has, err := factor.Of(tx, access.AsPerson(*p.client.Account))
		if err != nil {
			return err
		}
		p.vouches = has.Any()
	}
	p.contact.here, p.copies = true, p.contact.Mend == people.CopyTheLink
	if err := p.readDeclined(tx, by); err != nil {
		return err
	}
	if p.history, err = people.History(tx, by, client); err != nil {
		return err
	}
	if p.shares, err = people.SameMailbox(tx, by, client, p.client.Email); err != nil {
		return err
	}
	if p.team, err = team.CareOf(tx, by, client); err != nil {
		return err
	}
	if p.days, err = people.MinorOf(tx, by, client); err != nil {
		return err
	}
	if p.contacts, err = contacts.Of(tx, by, client); err != nil {
		return err
	}
	if p.joints, err = joint.Of(tx, by, client); err != nil {
		return err
	}
	if p.glass, err = glassOf(tx, by, client); err != nil {
		return err
	}
	if p.talks, err = chat.OfRecord(tx, by, client); err != nil {
		return err
	}
	for i, t := range p.talks {
		if t.Kind == chat.WithClient && t.Member == by.Practitioner() {
			p.talks[i].Title = "You and " + p.client.Name.Full()
		}
	}
	if p.closed, err = chat.Closed(tx, by, client); err != nil {
		return err
	}
	if by.May(access.ReadTrail) {
		if p.opened, err = team.EmergenciesOf(tx, by, client); err != nil {
			return err
		}
	}
	if p.mayMail() {
		p.letter, err = s.preview(tx, by, client, p.note)
	}
	return err
}

// readDeclined asks whether a letter may go to this client's mailbox at all.
func (p *ClientPage) readDeclined(tx *db.Tx, by access.Actor) (err error) {
	if !p.mayMail() {
		return nil
	}
	if p.declined, err = letter.Declined(tx, by, p.client.Email); err != nil || !p.declined {
		return err
	}
	p.contact.Enabled, p.contact.rests, p.copies = false, false, true
	return nil
}

// copyWords say what making a link does, before it is made.
func (p ClientPage) copyWords() string {
	switch {
	case !p.mayWithdraw():
		return "This makes a link for you to hand over. Nothing is mailed."
	case p.history[0].ByHand:
		return "This makes a new link for you to hand over. The link you copied before stops working."
	}
	return "This makes a new link for you to hand over. The link in the e-mail stops working."
}

// preview is the letter, word for word. A note that cannot go is left out; the
// form says what is wrong with it.
func (s *Site) preview(tx *db.Tx, by access.Actor, client id.Client, note string) (string, error) {
	note, err := text.Block(note, noteLength)
	if err != nil {
		note = ""
	}
	body, err := people.Preview(tx, by, client, text.StripLinks(note))
	if err != nil {
		return "", err
	}
	return s.House.Fill(body).Flowing(), nil
}

// noteLength is the most characters of the line in the letter.
const noteLength = 300

func (p ClientPage) path(rest string) string { return p.contact.path(rest) }
func (p ClientPage) name() string            { return p.client.Name.Full() }

// mayMail reports whether a letter could go to this client, now or in a minute.
func (p ClientPage) mayMail() bool {
	return p.contact.may && !p.client.Email.IsZero() && p.client.EmailConsent && !p.declined && p.mayLink()
}

// mayLink reports whether a link could be made for this client.
func (p ClientPage) mayLink() bool {
	return p.contact.may && p.client.Account == nil && !p.client.Ended(p.reader.Now) && !p.client.Email.IsZero() && !p.early()
}

// early reports whether they are a minor who may not sign in yet.
func (p ClientPage) early() bool {
	opens := p.days.OpensAt()
	return opens != nil && opens.After(p.reader.Now.Time)
}

// mayWithdraw reports whether a link is out that still works.
func (p ClientPage) mayWithdraw() bool {
	return p.contact.may && len(p.history) > 0 && p.history[0].State == people.Live && p.history[0].ExpiresAt.After(p.reader.Now.Time)
}

func (p ClientPage) head() parts.PageHead {
	h := parts.PageHead{Title: p.name(), Back: &parts.Link{Label: "People", Href: "/people"}}
	if p.client.Name.Preferred != "" {
		h.Lede = "Likes to be called " + p.client.Name.Preferred
	}
	if p.reader.by.May(access.ReadTrail) {
		h.Actions = append(h.Actions, parts.Button{Label: "Access log", Icon: "history", Href: p.path("/access"), Hidden: p.name()})
	}
	if p.contact.may {
		h.Actions = append(h.Actions, []parts.Button{{Label: "Edit", Icon: "pencil", Href: p.path("/edit"), Hidden: p.name()}}...)
	}
	return h
}

// clientFacts are what is noted of a client.
func clientFacts(c people.Client, is reader) parts.Facts {
	consent := "No"
	if c.EmailConsent {
		consent = "Yes"
	}
	f := parts.Facts{List: []parts.Fact{
		{Label: "Name", Value: c.Name.Full()},
		{Label: "E-mail", Value: c.Email.String(), Missing: "Not given"},
		{Label: "Consents to Email Notifications", Value: consent},
		{Label: "Mobile number", Value: c.Mobile, Missing: "Not given"},
	}}
	if is.by.May(access.SeePrivate) {
		f.List = append(f.List, parts.Fact{Label: "Date of birth", Value: bornWords(c.Born, is.today()), Missing: "Not given"},
			parts.Fact{Label: "Address", Value: c.Address, Missing: "Not given"})
	}
	f.List = append(f.List, parts.Fact{Label: "Time zone", Value: zoneWords(c.Zone), Missing: "The practice’s"})
	if c.Name.Preferred != "" {
		f.List = append(f.List, parts.Fact{Label: "Likes to be called", Value: c.Name.Preferred})
	}
	if who := is.carer(c.Practitioner); who != "" {
		f.List = append(f.List, parts.Fact{Label: "Practitioner", Value: who})
	}
	f.List = append(f.List, parts.Fact{Label: "Added", Value: civil.Day(is.Now.Time, c.CreatedAt.Time, is.Zone)})
	return f
}

func bornWords(born, today civil.Date) string {
	if born.IsZero() {
		return ""
	}
	return fmt.Sprintf("%d %s %d (%d years old)", born.Day(), born.Month(), born.Year(), born.Age(today))
}

func zoneWords(zone string) string {
	z, err := civil.ParseZone(zone)
	if err != nil || zone == "" {
		return ""
	}
	return z.ZoneCity()
}

// sharesWords names the others of one mailbox.
func (p ClientPage) sharesWords() string {
	return "The same e-mail address is noted for " + join(p.shares) + ". That is fine: each has a record and an invitation of their own, and whoever reads that mailbox can open them."
}

// join lists names as a sentence does.
func join(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// timeline is every link that was ever made, newest first.
func (p ClientPage) timeline() parts.Timeline {
	t := parts.Timeline{Label: "Invitations"}
	for _, s := range p.history {
		t.Entries = append(t.Entries, sending{s, p.reader}.entry())
	}
	return t
}

// sending is one line of the history, and who reads it.
type sending struct {
	people.Sending
	reader reader
}

func (s sending) entry() parts.Entry {
	e := parts.Entry{Icon: "send", Words: "Invited", By: s.Inviter, When: s.reader.past(s.CreatedAt), Exact: civil.Full(s.CreatedAt.Time, s.reader.Zone),
		Timestamp: s.CreatedAt.Format(time.RFC3339), Detail: s.whom() + strings.TrimSpace(s.letterWords()+" "+s.fate())}
	switch {
	case s.ByHand:
		e.Icon, e.Words = "link", "Link copied, to hand over"
	case s.Ordinal > 1:
		e.Icon, e.Words = "rotate-cw", "Sent again, number "+thousands(int(s.Ordinal))
	}
	switch {
	case s.State == people.Used:
		e.Tone = parts.Good
	case s.Letter == letter.Bounced, s.Letter == letter.Refused, s.Letter == letter.Failed:
		e.Icon, e.Tone = "mail-x", parts.Bad
	case s.State == people.Live && s.ExpiresAt.After(s.reader.Now.Time):
		e.Tone = parts.New
	}
	return e
}

// whom is the address that the link is for.
func (s sending) whom() string {
	if s.ByHand {
		return "Meant for " + s.To + ". "
	}
	return "To " + s.To + ". "
}

// letterWords say what became of the letter.
func (s sending) letterWords() string {
	if s.ByHand {
		return "Nothing was mailed; whoever uses it has not proved the address."
	}
	when := ""
	if s.LetterAt != nil {
		when = " " + civil.Moment(s.reader.Now.Time, s.LetterAt.Time, s.reader.Zone)
	}
	switch s.Letter {
	case letter.Queued:
		return "The letter is waiting to be sent."
	case letter.Delayed:
		if mail.Reason(s.LetterReason).Ours() {
			return "Waiting: our mail server cannot be reached. We keep trying."
		}
		return "Their mail server asks us to try again later. We keep trying."
	case letter.Sent:
		return "Sent" + when + "."
	case letter.Delivered:
		return "Delivered" + when + "."
	case letter.Refused, letter.Bounced:
		if s.LetterReason != "" {
			return "Came back" + when + ": " + s.LetterReason + "."
		}
		return "Came back" + when + "."
	case letter.Cancelled:
		return "The letter did not leave."
	}
	return "Could not be sent."
}

// fate says what became of the link.
func (s sending) fate() string {
	ended := ""
	if s.EndedAt != nil {
		ended = " " + s.reader.past(*s.EndedAt)
	}
	asked := ""
	if s.AskedAt != nil {
		asked = " They asked for a new link " + s.reader.past(*s.AskedAt) + "."
	}
	switch s.State {
	case people.Used:
		return "Used" + ended + ": the account is linked."
	case people.Superseded:
		return "Replaced by a newer link" + ended + "."
	case people.Withdrawn:
		by := ""
		if s.EndedBy != "" {
			by = " by " + s.EndedBy
		}
		return "Withdrawn" + by + ended + withdrawnBecause[s.Reason] + "." + asked
	}
	if !s.ExpiresAt.After(s.reader.Now.Time) {
		return "Ended " + civil.Day(s.reader.Now.Time, s.ExpiresAt.Time, s.reader.Zone) + "." + asked
	}
	return "Works until " + civil.MomentZone(s.reader.Now.Time, s.ExpiresAt.Time, s.reader.Zone) + "."
}

var withdrawnBecause = map[string]string{
	"email changed":     ", because the e-mail address was changed",
	"consent withdrawn": ", because consent to e-mail was taken back",
	"care ended":        ", because care had ended",
	"not yet":           ", because they may sign in from a later day",
}

// care says whether this client is in care, and until when.
func (p ClientPage) care() string {
	switch {
	case p.client.EndsAt == nil:
		return "In care. The record and the account stay open until you end it."
	case p.client.Ended(p.reader.Now):
		return "Care ended " + p.day(*p.client.EndsAt) + ". Access is closed; the record stays."
	}
	return "Care ends " + p.day(*p.client.EndsAt) + ". Access closes at the end of that day."
}

func (p ClientPage) day(t at.Time) string { return civil.Day(p.reader.Now.Time, t.Time, p.reader.Zone) }

// showProblem shows the client's page with what went wrong with a deed.
func (s *Site) showProblem(w http.ResponseWriter, r *http.Request, by access.Actor, note string, err error) error {
	told, status := problemsOf(err)
	if told == nil || status == http.StatusNotFound {
		return err
	}
	p, perr := s.clientPage(r, by, note)
	if perr != nil {
		return perr
	}
	p.tell(told)
	return s.show(w, r, status, p.View())
}

// act does one deed about the client of the address and goes on to their page,
// or says there why not.
func (s *Site) act(w http.ResponseWriter, r *http.Request, by access.Actor, word string, deed func(*db.Tx, id.Client) error) error {
	client, err := pathID[id.Client](r, "client")
	if err != nil {
		return err
	}
	err = s.DB.Update(r.Context(), func(tx *db.Tx) error { return deed(tx, client) })
	if err != nil {
		return s.showProblem(w, r, by, "", err)
	}
	return see(w, r, "/people/"+client.String()+"?said="+word)
}

// POST /people/{client}/consent. Whoever pressed it in the list stays there.
func (s *Site) consent(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	client, err := pathID[id.Client](r, "client")
	if err != nil {
		return err
	}
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	if err := s.DB.Update(r.Context(), func(tx *db.Tx) error { return people.Consent(tx, by, client, true) }); err != nil {
		return s.showProblem(w, r, by, "", err)
	}
	return see(w, r, backTo(form.Get("back"), client, "consent"))
}

// careBack is what takes the end of care back.
func (p ClientPage) careBack() string {
	if p.client.Ended(p.reader.Now) {
		return "Take back into care"
	}
	return "Do not end care"
}
