package web

import (
	"net/http"
	"strings"
	"time"

	"icouch/internal/access"
	"icouch/internal/audit"
	"icouch/internal/base/civil"
	"icouch/internal/base/id"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/team"
	"icouch/internal/trail"
	"icouch/internal/web/parts"
)

// AccessPage is who was at a record, day by day: for the client whose it is, and
// for who runs the practice.
type AccessPage struct {
	Page
	own      bool
	client   id.Client
	name     string // the client's
	practice string
	visits   trail.Visits
	before   civil.Date // only days before it; zero: the newest
	reader   reader
}

// GET /record/access
func (s *Site) ownAccess(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return s.showAccess(w, r, by, AccessPage{own: true, client: by.Client()})
}

// GET /people/{client}/access
func (s *Site) clientAccess(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	client, err := pathID[id.Client](r, "client")
	if err != nil {
		return err
	}
	return s.showAccess(w, r, by, AccessPage{client: client})
}

func (s *Site) showAccess(w http.ResponseWriter, r *http.Request, by access.Actor, p AccessPage) error {
	p.before, _ = civil.ParseDate(r.URL.Query().Get("before")) // what makes no sense is left out
	err := s.DB.View(r.Context(), func(tx *db.Tx) (err error) {
		if p.visits, err = trail.At(tx, by, p.client, p.before); err != nil {
			return err
		}
		name, err := people.NameOf(tx, by, p.client)
		if err != nil {
			return err
		}
		p.name = name.Full()
		practice, err := people.PracticeOf(tx, by)
		if err != nil {
			return err
		}
		p.practice = practice.Name
		p.reader, err = s.readerIn(tx, by)
		p.reader.Zone = practice.Zone // the days are the practice's
		return err
	})
	if err != nil {
		return err
	}
	current := "/people"
	if p.own {
		current = "/settings"
	}
	if p.Page, err = s.frame(r, by, "Who looked", current); err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, p.View())
}

func (p AccessPage) head() parts.PageHead {
	if p.own {
		return parts.PageHead{Title: "Who looked at my record", Lede: "Everybody who opened or changed what " + p.practice + " has recorded about you, day by day.",
			Back: &parts.Link{Label: "Settings", Href: "/settings"}}
	}
	return parts.PageHead{Title: "Access log", Lede: "Who opened or changed the record of " + p.name + ", day by day.",
		Back: &parts.Link{Label: p.name, Href: "/people/" + p.client.String()}}
}

func (p AccessPage) empty() parts.Empty {
	if !p.before.IsZero() {
		return parts.Empty{Icon: "shield-check", Title: "Nobody was here before that day"}
	}
	if p.own {
		return parts.Empty{Icon: "shield-check", Title: "Nobody has opened your record"}
	}
	return parts.Empty{Icon: "shield-check", Title: "Nobody has opened this record"}
}

// accessDay is what happened on one day.
type accessDay struct {
	title string
	story parts.Timeline
}

// byDay are the days with somebody in them, the newest first.
func (p AccessPage) byDay() (all []accessDay) {
	var day civil.Date
	for _, v := range p.visits.List {
		if v.Day != day {
			day = v.Day
			title := v.Day.InWords(civil.DateOf(p.reader.Now.Time, p.reader.Zone))
			all = append(all, accessDay{title, parts.Timeline{Label: title}})
		}
		last := &all[len(all)-1]
		last.story.Entries = append(last.story.Entries, p.entry(v))
	}
	return all
}

// href is this page, or the one with the days before another.
func (p AccessPage) href(before civil.Date) string {
	at := "/record/access"
	if !p.own {
		at = "/people/" + p.client.String() + "/access"
	}
	if before.IsZero() {
		return at
	}
	return at + "?before=" + before.String()
}

func (p AccessPage) entry(v trail.Visit) parts.Entry {
	e := parts.Entry{Icon: "eye", Words: p.deed(v), By: p.who(v), When: p.times(v), Exact: civil.Full(v.First.Time, p.reader.Zone),
		Timestamp: v.First.Format(time.RFC3339), Detail: p.why(v)}
	switch {
	case v.Emergency():
		e.Icon, e.Tone = "triangle-alert", parts.Bad
	case v.Exported():
		e.Icon, e.Tone = "download", parts.New
	case !v.Looked:
		e.Icon = "pencil"
	}
	return e
}

// times is when it was, and how often.
func (p AccessPage) times(v trail.Visit) string {
	from, to := civil.Clock(v.First.Time, p.reader.Zone), civil.Clock(v.Last.Time, p.reader.Zone)
	if from == to {
		if v.Times > 1 {
			return from + ", " + thousands(int(v.Times)) + " times"
		}
		return from
	}
	return thousands(int(v.Times)) + " times between " + from + " and " + to
}

// who is somebody in the words of whoever reads.
func (p AccessPage) who(v trail.Visit) string {
	switch {
	case v.Role == access.Client && v.Why == access.Together:
		return "Somebody in the same joint record"
	case v.Role == access.Client && p.own:
		return "You"
	case v.Role == access.Client:
		return p.name + ", the client"
	case v.Role == access.Contact && p.own:
		return "Somebody who acts for you"
	case v.Role == access.Contact:
		return "A contact of " + p.name
	case v.Role == access.Shell:
		return "The operator of this site"
	case v.Name == "":
		return "Somebody who worked here, " + p.role(v.Role)
	}
	return v.Name + ", " + p.role(v.Role)
}

// role is what somebody is at the practice: for the client, what they are to them.
func (p AccessPage) role(r access.Role) string {
	if words, ok := rolesForClients[r]; ok && p.own {
		return words
	}
	return team.RoleWords(r)
}

// rolesForClients are the roles that do not say by themselves what of.
var rolesForClients = map[access.Role]string{
	access.Owner: "Practice owner", access.Administrator: "Practice administrator", access.Scheduler: "Plans appointments", access.Biller: "Handles billing",
}

// deed is what they did.
func (p AccessPage) deed(v trail.Visit) string {
	whose := "the record"
	if p.own {
		whose = "your record"
	}
	if v.Looked {
		switch audit.Part(v.What) {
		case audit.Listed:
			return "Saw name, e-mail and invitation in a list"
		case audit.Named:
			return "Saw the name"
		case audit.Joint:
			if p.own {
				return "Opened a joint record that you are in"
			}
			return "Opened a joint record with them in it"
		case audit.File:
			return "Opened a file in messages"
		case audit.Written:
			return "Read messages"
		case audit.Excerpt:
			return "Saw the first words of the newest message, in the list"
		case audit.Trail:
			return "Looked at who opened " + whose
		}
		if v.Emergency() {
			return "Looked at " + whose + " in an emergency"
		}
		return "Looked at " + whose
	}
	words, ok := didWords[v.Change]
	switch {
	case ok && len(v.Fields) > 0:
		return "Changed " + detailsWords(v.Fields)
	case ok && p.own && v.Role == access.Client:
		return strings.Replace(words, "they had sent", "you had sent", 1)
	case ok:
		return words
	}
	return "Changed " + whose + ": " + strings.NewReplacer(".", " ", "_", " ").Replace(string(v.Change)) // which is in words already
}

// detailsWords lists which of a client's details were changed.
func detailsWords(fields []string) string {
	words := make([]string, len(fields))
	for i, f := range fields {
		var ok bool
		if words[i], ok = detailWords[f]; !ok {
			words[i] = strings.ReplaceAll(f, "_", " ")
		}
	}
	return join(words)
}

var detailWords = map[string]string{
	"name": "the name", "email": "the e-mail address", "mobile": "the mobile number", "born": "the date of birth", "address": "the address", "zone": "the time zone",
	"practitioner": "who looks after the client", "email_consent": "the consent to e-mail",
}

// didWords are the changes that people make, in words that suit both readers.
var didWords = map[audit.Action]string{
	audit.ClientCreated: "Created the record", audit.ClientEdited: "Changed the details", audit.ClientsImported: "Created the record from a file",
	audit.ClientsExported: "Exported the list of all clients", audit.CareEnded: "Ended care", audit.CareResumed: "Took the client back into care",
	audit.ClientInvited: "Sent an invitation", audit.LinkCopied: "Created an invitation link to hand over", audit.InvitationResent: "Sent the invitation again",
	audit.InvitationWithdrawn: "Withdrew the invitation", audit.InvitationAccepted: "Accepted the invitation", audit.ClientVouched: "Vouched for the client, so that they can sign in again",
	audit.ClientHandedOver: "Handed over the care", audit.TeamJoined: "Added a colleague to the care team", audit.TeamLeft: "Removed a colleague from the care team",
	audit.ContactAdded: "Noted a contact", audit.ContactEdited: "Changed a contact, or what they may open", audit.ContactSuspended: "Suspended a contact’s access",
	audit.ContactResumed: "Ended the suspension of a contact", audit.ContactEnded: "Ended a contact’s access", audit.ContactEndAsked: "Asked that a contact’s access ends",
	audit.ContactInvited: "Invited a contact", audit.ContactReinvited: "Invited a contact again", audit.ContactUninvited: "Withdrew the invitation of a contact",
	audit.ContactAccepted: "Accepted to act for the client", audit.MinorDates: "Set the days of coming of age",
	audit.JointMade: "Created a joint record", audit.JointEdited: "Changed a joint record", audit.JointHanded: "Chose who looks after a joint record",
	audit.JointClosed: "Closed a joint record, or set the day", audit.JointReopened: "Opened a joint record again", audit.JointJoined: "Added somebody to a joint record",
	audit.JointLeft: "Removed somebody from a joint record, or set the day", audit.JointStayed: "Kept somebody in a joint record after all",
	audit.JointAgreed: "Noted an agreement in a joint record", audit.JointWithdrawn: "Took back an agreement in a joint record",
	audit.InvitationAsked: "Asked for a new link", audit.VouchUsed: "Signed in again with the practice’s help", audit.ContactAccountClosed: "A contact closed their account",
	audit.ConversationBegun: "Began a conversation", audit.ConversationOpened: "Opened a conversation", audit.MessageSentAgain: "Sent a message once more", audit.MessagesChosen: "Changed the choices about messages", audit.MessageSent: "Wrote a message", audit.MessageEdited: "Changed a message they had sent", audit.MessageTakenBack: "Took back a message they had sent",
	audit.FileHeld: "A virus was found in a file, and the file destroyed", audit.FileUnreadable: "A picture could not be read, and was not kept",
	audit.MessagesClosed: "Asked for no new conversations from the client", audit.MessagesOpened: "Lets the client begin conversations again",
	audit.EmergencyOpened: "Opened the record in an emergency", audit.EmergencyClosed: "Closed the record again", audit.AccountClosed: "Closed the account",
	audit.PracticeCloses: "Set the last day of the practice", audit.PracticeKept: "Took back that the practice closes", audit.ClosingTold: "Told by letter whether the practice closes",
}

// why is by what right.
func (p AccessPage) why(v trail.Visit) string {
	they, is := "the client", " is"
	if p.own {
		they, is = "you", " are"
	}
	switch v.Why {
	case access.Care:
		return "They look after " + they + "."
	case access.CareTeam:
		return "They are in the care team."
	case access.Supervision:
		return "They supervise who looks after " + they + "."
	case access.Office:
		return "Their work at the practice is with every client."
	case access.Together:
		if v.Role == access.Client {
			return "Both had agreed to take part, so each is told who the other is."
		}
		return "They look after a joint record that " + they + is + " in."
	case access.Acting:
		return "They act for " + they + ", in what was opened to them."
	case access.ByEmergency:
		return "They do not look after " + they + ". The owners of the practice were told, with the reason."
	}
	if v.Everybody {
		return "It had every client of the practice in it."
	}
	return ""
}
