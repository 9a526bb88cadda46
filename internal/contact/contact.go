// Package contact knows who else matters to a client: a parent, a guardian, a
// partner, whoever pays, whom to call in an emergency.
//
// A contact is a note of the practice's, on one client's record. It may come
// with rights: parts of the record that this person may open on the client's
// behalf, for a stated reason, from a first day to a last. With rights a
// contact can be invited, as a client is, and signs in with an account of their
// own; the same account may be a practitioner's, a client's and a guardian's.
//
// The rules:
//   - a right is one of a short list (access.Rights); messages, the journal and
//     the practice's notes are not on it;
//   - rights need a reason and an end. Whether they hold is asked at each
//     request, of the clock and the row: no job has to run for access to end;
//   - the practice suspends at once, takes that back, and ends;
//   - the client sees who may open what and until when, and may ask that it end;
//   - a contact of another practice's client, or of a colleague's, does not
//     exist.
//
// It is a package of its own beside people, as team is: people knows who a
// session is, and reads these rows for that; what is done with them is here.
package contact

import (
	"fmt"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/audit"
	"icouch/internal/base/at"
	"icouch/internal/base/civil"
	"icouch/internal/base/email"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/contact/contactdb"
	"icouch/internal/people"
	"icouch/internal/platform/db"
)

// SQL is this package's statements.
var SQL = db.Prepare(contactdb.Prepare)

// Relation is what a contact is to the client.
type Relation string

// The relations.
const (
	Parent   Relation = "parent"
	Guardian Relation = "guardian"
	Partner  Relation = "partner"
	Payer    Relation = "payer"
	Other    Relation = "other"
)

// Relations are all of them, in the order of the form.
var Relations = []Relation{Parent, Guardian, Partner, Payer, Other}

// What people are told when a contact cannot be noted or changed.
var (
	ErrNoName       = fault.On("name", fault.Invalid, "Enter this person’s name.")
	ErrNoRelation   = fault.On("relation", fault.Invalid, "Choose what this person is to the client.")
	ErrOddRight     = fault.On("right", fault.Invalid, "Choose from the list.")
	ErrNoBasis      = fault.On("basis", fault.Invalid, "Say why this person may act for the client: parental responsibility, a court order, the client’s own word.")
	ErrNoOfAge      = fault.On("of-age", fault.Invalid, "Note the client’s date of birth first, or set the day under “Coming of age” on their page.")
	ErrNoEnd        = fault.On("until", fault.Invalid, "Choose the last day. You can move it at any time.")
	ErrPastEnd      = fault.On("until", fault.Invalid, "Choose today or a later day.")
	ErrEndFirst     = fault.On("until", fault.Invalid, "Choose a day that is not before the first day.")
	ErrFarEnd       = fault.On("until", fault.Invalid, "Choose a day within the next five years. You can move it later.")
	ErrFarFrom      = fault.On("from", fault.Invalid, "Choose a day within the next five years.")
	ErrAdded        = fault.New(fault.Conflict, "This contact was added already.")
	ErrMany         = fault.New(fault.Conflict, "There are a hundred contacts of this client already. More than that nobody keeps an eye on.")
	ErrAnother      = fault.On("email", fault.Conflict, "Somebody signs in with this contact’s old address. End this access, and add the other person as a contact of their own.")
	ErrChanged      = fault.New(fault.Conflict, "Somebody else changed this contact while you had it open. Look at what it says now, then make your change again.")
	ErrSuspended    = fault.New(fault.Conflict, "This contact’s access is suspended already.")
	ErrNotStopped   = fault.New(fault.Conflict, "This contact’s access is not suspended.")
	ErrOver         = fault.New(fault.Conflict, "This contact has no access that could be ended.")
	ErrAskedAlready = fault.New(fault.Conflict, "You have asked for this already. Your practice knows.")
)

// Details is what a practice notes of a contact.
type Details struct {
	Name      string
	Relation  Relation
	Email     email.Address // may be none
	Mobile    string
	Emergency bool   // to be called in an emergency
	Basis     string // why they may act for the client
	Rights    []access.Right
	From      civil.Date // the first day; none: at once
	Until     civil.Date // the last day
	OfAge     bool       // ends, too, when the client comes of age
}

// Contact is one of a client's, as it stands.
type Contact struct {
	Details
	ID        id.Contact
	Client    id.Client
	Terms     access.Terms
	Standing  access.Standing
	Account   *id.Account // how they sign in, once they have accepted
	LinkedAt  *at.Time
	AskedAt   *at.Time // the client asked that it end
	Version   int64
	CreatedAt at.Time
	Sent      *Sent // the newest invitation; nil: none

	practice id.Practice
}

// mostContacts is how many a client may have, those whose access has ended too.
const mostContacts = 100

// Add notes a contact, whose identifier the form already had: a second press is
// ErrAdded and not a second contact.
func Add(tx *db.Tx, by access.Actor, client id.Client, c id.Contact, d Details) error {
	h, err := hold(tx, by, client)
	if err != nil {
		return err
	}
	if err := h.check(tx, d, nil); err != nil {
		return err
	}
	rows, err := SQL.In(tx).OfClient(tx, contactdb.OfClientParams{PracticeID: by.Practice(), ClientID: client})
	if err != nil {
		return fmt.Errorf("contacts of %s: %w", client, err)
	}
	if len(rows) >= mostContacts { // fewer than are ever listed: none is out of sight
		return ErrMany
	}
	s, err := seal(tx, by.Practice(), c, d)
	if err != nil {
		return err
	}
	err = SQL.In(tx).Add(tx, contactdb.AddParams{PracticeID: by.Practice(), ID: c, ClientID: client, Relation: string(d.Relation), Name: s.name, Email: s.email,
		Mobile: s.mobile, Emergency: d.Emergency, Basis: s.basis, Rights: access.JoinRights(d.Rights), BeginsAt: h.begin(d.From), EndsAt: h.end(d.Until), OfAge: d.OfAge, CreatedAt: tx.Now()})
	if db.Taken(err) {
		return ErrAdded
	}
	if err != nil {
		return fmt.Errorf("add contact %s: %w", c, err)
	}
	tx.Notify(people.Topic(by.Practice(), client))
	return audit.Record(tx, by, audit.Deed{Did: audit.ContactAdded, Subject: c, Client: client, Fields: rightFields(d.Rights)})
}

// Edit changes a contact, if nobody else has since they were read at version.
// What no longer may be accepted is withdrawn.
func Edit(tx *db.Tx, by access.Actor, client id.Client, c id.Contact, version int64, d Details) error {
	h, was, err := held(tx, by, client, c)
	if err != nil {
		return err
	}
	if err := h.check(tx, d, &was); err != nil {
		return err
	}
	if was.Account != nil && was.Email.Fold() != d.Email.Fold() {
		return ErrAnother
	}
	s, err := seal(tx, by.Practice(), c, d)
	if err != nil {
		return err
	}
	p := contactdb.EditParams{Relation: string(d.Relation), Name: s.name, Email: s.email, Mobile: s.mobile, Emergency: d.Emergency, Basis: s.basis,
		Rights: access.JoinRights(d.Rights), BeginsAt: h.begin(d.From), EndsAt: h.end(d.Until), OfAge: d.OfAge, PracticeID: by.Practice(), ID: c, Version: version}
	if d.Until == was.Until { // the moment it ended at by hand stays
		p.EndsAt = was.Terms.Ends
	}
	p.ToldBeginAt, p.ToldEndAt = told(tx, p.BeginsAt), told(tx, p.EndsAt)
	n, err := SQL.In(tx).Edit(tx, p)
	if err != nil {
		return fmt.Errorf("edit contact %s: %w", c, err)
	}
	if n == 0 {
		return ErrChanged
	}
	if was.Email.Fold() != d.Email.Fold() || len(d.Rights) == 0 {
		if err := endLive(tx, by, was, people.Withdrawn); err != nil {
			return err
		}
	}
	was.tell(tx)
	return audit.Record(tx, by, audit.Deed{Did: audit.ContactEdited, Subject: c, Client: client, Fields: changed(was.Details, d)})
}

// told is the mark that no letter has to tell of a day which has passed when it
// is set: whoever set it knows.
func told(tx *db.Tx, day *at.Time) *at.Time {
	if day != nil && !day.After(tx.Now().Time) {
		return tx.Now().Ptr()
	}
	return nil
}

// Suspend shuts a contact out at once, until Resume.
func Suspend(tx *db.Tx, by access.Actor, client id.Client, c id.Contact) error {
	_, was, err := held(tx, by, client, c)
	if err != nil {
		return err
	}
	n, err := SQL.In(tx).Suspend(tx, contactdb.SuspendParams{Now: tx.Now().Ptr(), PracticeID: by.Practice(), ID: c})
	if err != nil {
		return fmt.Errorf("suspend contact %s: %w", c, err)
	}
	if n == 0 {
		return ErrSuspended
	}
	if err := endLive(tx, by, was, people.Withdrawn); err != nil {
		return err
	}
	was.tell(tx)
	return audit.Record(tx, by, audit.Deed{Did: audit.ContactSuspended, Subject: c, Client: client})
}

// Resume takes Suspend back.
func Resume(tx *db.Tx, by access.Actor, client id.Client, c id.Contact) error {
	_, was, err := held(tx, by, client, c)
	if err != nil {
		return err
	}
	n, err := SQL.In(tx).Resume(tx, contactdb.ResumeParams{PracticeID: by.Practice(), ID: c})
	if err != nil {
		return fmt.Errorf("resume contact %s: %w", c, err)
	}
	if n == 0 {
		return ErrNotStopped
	}
	was.tell(tx)
	return audit.Record(tx, by, audit.Deed{Did: audit.ContactResumed, Subject: c, Client: client})
}

// End ends a contact's access now. The note of them stays, and a later last day
// opens it again.
func End(tx *db.Tx, by access.Actor, client id.Client, c id.Contact) error {
	_, was, err := held(tx, by, client, c)
	if err != nil {
		return err
	}
	n, err := SQL.In(tx).EndNow(tx, contactdb.EndNowParams{Now: tx.Now().Ptr(), PracticeID: by.Practice(), ID: c})
	if err != nil {
		return fmt.Errorf("end contact %s: %w", c, err)
	}
	if n == 0 {
		return ErrOver
	}
	if err := endLive(tx, by, was, people.Withdrawn); err != nil {
		return err
	}
	was.tell(tx)
	return audit.Record(tx, by, audit.Deed{Did: audit.ContactEnded, Subject: c, Client: client})
}

// Of returns a client's contacts, to whoever at work sees the client.
func Of(tx *db.Tx, by access.Actor, client id.Client) ([]Contact, error) {
	if !by.AtWork() {
		return nil, fault.NotFound
	}
	h, err := look(tx, by, client)
	if err != nil {
		return nil, err
	}
	all, err := h.contacts(tx)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if err := all[i].show(tx, by); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Find returns one of a client's contacts, to whoever at work sees the client.
func Find(tx *db.Tx, by access.Actor, client id.Client, c id.Contact) (Contact, error) {
	if !by.AtWork() {
		return Contact{}, fault.NotFound
	}
	h, err := look(tx, by, client)
	if err != nil {
		return Contact{}, err
	}
	is, err := h.contact(tx, c)
	if err != nil {
		return Contact{}, err
	}
	return is, is.show(tx, by)
}

// show leaves of a contact what by may read, with their newest invitation.
func (c *Contact) show(tx *db.Tx, by access.Actor) (err error) {
	if !by.May(access.SeePrivate) {
		c.Basis = ""
	}
	c.Sent, err = sentTo(tx, by.Practice(), c.ID)
	return err
}

// tell has whoever remembers the client, or the contact's account, ask anew.
func (c Contact) tell(tx *db.Tx) {
	tx.Notify(people.Topic(c.practice, c.Client))
	if c.Account != nil {
		tx.Notify(account.Topic(*c.Account))
	}
}
