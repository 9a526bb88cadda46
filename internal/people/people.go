// Package people knows the practices, who works in them, the clients of each,
// and how a client comes to have an account: somebody invites them.
//
// A client is a record that a practice keeps. It has a name, perhaps an e-mail
// address, and the client's word on whether they may be written to. Without
// that word nothing is mailed. A client may have an account, with which they
// sign in; only accepting an invitation makes the link.
//
// What a row of the People list offers is never stored. It follows from the
// client, their newest invitation and what became of its letter; see Facts.
//
// The rules:
//   - a practitioner sees the clients they look after; who runs the practice
//     sees every client's name and how to reach them; another practice's client
//     does not exist;
//   - two clients may share a mailbox, and are never taken for one another;
//   - each link is used at most once, by choosing a password or by accepting
//     while signed in, never by looking at it.
package people

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"icouch/internal/access"
	"icouch/internal/audit"
	"icouch/internal/base/at"
	"icouch/internal/base/civil"
	"icouch/internal/base/email"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/letter"
	"icouch/internal/people/peopledb"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

// SQL is this package's statements.
var SQL = db.Prepare(peopledb.Prepare)

// What people are told when a client cannot be created or changed.
var (
	ErrNoSuchPractitioner = fault.On("practitioner", fault.Invalid, "Choose who looks after this client.")
	ErrChanged            = fault.New(fault.Conflict, "Somebody else changed this record while you had it open. Look at what it says now, then make your change again.")
	ErrCreated            = fault.New(fault.Conflict, "This client was created already.")
	ErrAlreadyEnded       = fault.New(fault.Conflict, "Care of this client has ended already.")
	ErrOnlyLooks          = fault.New(fault.Forbidden, "In an emergency you can read this client’s record, not change it. Ask whoever looks after them, or an owner of the practice.")
	ErrNotEnded           = fault.New(fault.Conflict, "Care of this client has not ended.")
)

// Name is what a person is called.
type Name struct {
	First, Last string
	Preferred   string // what they like to be called, if that is another name
}

// Full is the name as it stands in a list.
func (n Name) Full() string { return strings.TrimSpace(n.First + " " + n.Last) }

// Call is the name to greet them by.
func (n Name) Call() string {
	if n.Preferred != "" {
		return n.Preferred
	}
	if n.First != "" {
		return n.First
	}
	return n.Last
}

// Details is what a practice notes of a client.
type Details struct {
	Name         Name
	Email        email.Address // may be none
	Mobile       string
	Born         civil.Date // may be none
	Address      string
	Zone         string // empty: the practice's
	Practitioner id.Practitioner
	EmailConsent bool
}

// Client is a person the practice cares for.
type Client struct {
	Details
	Practice  id.Practice
	ID        id.Client
	Account   *id.Account // how they sign in, once they have accepted
	LinkedAt  *at.Time
	EndsAt    *at.Time // when care ends, or ended
	Version   int64    // goes up with each change
	CreatedAt at.Time
}

// LogValue keeps names and addresses out of the logs.
func (c Client) LogValue() slog.Value { return slog.StringValue(c.ID.String()) }

// Ended reports whether care has ended.
func (c Client) Ended(now at.Time) bool { return c.EndsAt != nil && !c.EndsAt.After(now.Time) }

// Create adds a client whose identifier the form already had, so that a second
// press of the button is ErrCreated and not a second client. If invite is set
// and they may be written to, it invites them; if they may not, their row in
// the list says why.
func Create(tx *db.Tx, by access.Actor, c id.Client, d Details, invite bool) error {
	if invite {
		_, err := Welcome(tx, by, c, d)
		return err
	}
	return create(tx, by, c, d)
}

// Welcome creates a client and invites them, if they may be written to. What
// keeps the letter from going is no reason to have no client: it is told in
// unsent, as ErrNoEmail, ErrNoConsent, ErrTooYoung, letter.ErrDeclined or ErrManyLetters.
func Welcome(tx *db.Tx, by access.Actor, c id.Client, d Details) (unsent, err error) {
	if err := create(tx, by, c, d); err != nil {
		return nil, err
	}
	err = Invite(tx, by, c, "")
	for _, known := range []error{ErrNoEmail, ErrNoConsent, ErrTooYoung, letter.ErrDeclined, ErrManyLetters} {
		if errors.Is(err, known) { // found out before anything was written
			return known, nil
		}
	}
	return nil, err
}

func create(tx *db.Tx, by access.Actor, c id.Client, d Details) error {
	if !by.MayInvite() {
		return fault.Forbidden
	}
	if err := assign(tx, by, &d); err != nil {
		return err
	}
	s, err := sealDetails(tx, by.Practice(), c, d)
	if err != nil {
		return err
	}
	err = SQL.In(tx).AddClient(tx, peopledb.AddClientParams{PracticeID: by.Practice(), ID: c, PractitionerID: d.Practitioner, Name: s.name,
		Email: s.email, EmailIndex: s.index, Mobile: s.mobile, Born: s.born, Address: s.address, Zone: d.Zone, EmailConsent: d.EmailConsent, CreatedAt: tx.Now()})
	if db.Taken(err) {
		return ErrCreated
	}
	if err != nil {
		return fmt.Errorf("create %s: %w", c, err)
	}
	if err := noteMinor(tx, by.Practice(), c, d.Born); err != nil {
		return err
	}
	if err := audit.Record(tx, by, audit.Deed{Did: audit.ClientCreated, Subject: c, Client: c}); err != nil {
		return err
	}
	tx.Notify(Topic(by.Practice(), c))
	return nil
}

// assign sees to it that the client is in the care of somebody who can care.
// Whoever sees only their own clients cannot give one away by a form.
func assign(tx *db.Tx, by access.Actor, d *Details) error {
	if d.Practitioner == "" || !by.SeesAll() {
		d.Practitioner = by.Practitioner()
	}
	p, err := practitioner(tx, by.Practice(), d.Practitioner)
	if errors.Is(err, fault.NotFound) || err == nil && !p.CaresForClients() {
		return ErrNoSuchPractitioner
	}
	return err
}

// Find returns one of the practice's clients. Another practice's client, and a
// colleague's, is fault.NotFound, the same as one who does not exist. It is a
// look at the whole record.
func Find(tx *db.Tx, by access.Actor, client id.Client) (Client, error) {
	c, err := find(tx, by, client)
	if err == nil {
		audit.Saw(tx, by, audit.Whole, client, by.Why(client, c.Practitioner))
	}
	return c, err
}

// NameOf returns the name of one of the practice's clients, as Find does.
func NameOf(tx *db.Tx, by access.Actor, client id.Client) (Name, error) {
	c, err := find(tx, by, client)
	if err == nil {
		audit.Saw(tx, by, audit.Named, client, by.Why(client, c.Practitioner))
	}
	return c.Name, err
}

// find is Find for verbs that hand nothing of the client out.
func find(tx *db.Tx, by access.Actor, client id.Client) (Client, error) {
	row, err := SQL.In(tx).Client(tx, peopledb.ClientParams{PracticeID: by.Practice(), ID: client})
	if errors.Is(err, db.None) || err == nil && !finds(by, row) {
		return Client{}, fault.NotFound
	}
	if err != nil {
		return Client{}, fmt.Errorf("find %s: %w", client, err)
	}
	key, err := keys.Of(tx, by.Practice())
	if err != nil {
		return Client{}, err
	}
	c, err := openClient(key, row)
	c.Details = c.Details.For(by)
	return c, err
}

// findToChange is find for verbs that change what is noted of a client, or who
// gets at it.
func findToChange(tx *db.Tx, by access.Actor, client id.Client) (Client, error) {
	c, err := find(tx, by, client)
	if err == nil && by.OnlyLooks(client, c.Practitioner) {
		return Client{}, ErrOnlyLooks
	}
	return c, err
}

// finds reports whether by may have this row: who works with it, who it is
// about, and whoever holds its link.
func finds(by access.Actor, row peopledb.ClientRow) bool {
	if by.IsClient() || by.Role() == access.Link {
		return by.Client() == row.ID
	}
	return by.Sees(row.ID, row.PractitionerID)
}

// Edit changes a client, if nobody else has since they were read at version.
// A changed address ends the link that went to the old one.
func Edit(tx *db.Tx, by access.Actor, client id.Client, version int64, d Details) (withdrawn bool, err error) {
	if !by.MayInvite() {
		return false, fault.Forbidden
	}
	was, err := findToChange(tx, by, client)
	if err != nil {
		return false, err
	}
	if !by.SeesAll() || d.Practitioner == "" {
		d.Practitioner = was.Practitioner
	}
	if d.Practitioner != was.Practitioner {
		if err := assign(tx, by, &d); err != nil {
			return false, err
		}
	}
	days, err := minorOf(tx, by.Practice(), client) // as they stand
	if err != nil {
		return false, err
	}
	s, err := sealDetails(tx, by.Practice(), client, d)
	if err != nil {
		return false, err
	}
	n, err := SQL.In(tx).EditClient(tx, peopledb.EditClientParams{PractitionerID: d.Practitioner, Name: s.name, Email: s.email, EmailIndex: s.index,
		Mobile: s.mobile, Born: s.born, Address: s.address, Zone: d.Zone, EmailConsent: d.EmailConsent, PracticeID: by.Practice(), ID: client, Version: version})
	if err != nil {
		return false, fmt.Errorf("edit %s: %w", client, err)
	}
	if n == 0 {
		return false, ErrChanged
	}
	if was.Born != d.Born {
		if err := bornAnew(tx, was, days, d.Born); err != nil {
			return false, err
		}
	}
	if was.Account == nil && was.Born != d.Born {
		if err := noteMinor(tx, by.Practice(), client, d.Born); err != nil {
			return false, err
		}
	}
	tx.Notify(Topic(by.Practice(), client))
	err = audit.Record(tx, by, audit.Deed{Did: audit.ClientEdited, Subject: client, Client: client, Fields: changed(was.Details, d)})
	if err != nil {
		return false, err
	}
	return endIfUnreachable(tx, by, was, d)
}

// endIfUnreachable ends a live link whose letter went to another address, or
// waits and may no longer go.
func endIfUnreachable(tx *db.Tx, by access.Actor, was Client, d Details) (withdrawn bool, err error) {
	switch {
	case was.Email.Fold() != d.Email.Fold():
		return endLive(tx, by, was.ID, Withdrawn, reasonEmailChanged)
	case was.EmailConsent && !d.EmailConsent:
		inv, err := newest(tx, by.Practice(), was.ID)
		if errors.Is(err, db.None) || err == nil && !inv.waits {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		return endLive(tx, by, was.ID, Withdrawn, reasonConsentWithdrawn)
	}
	return false, nil
}

// Consent notes that a client agrees to be written to by e-mail, or no longer.
func Consent(tx *db.Tx, by access.Actor, client id.Client, given bool) error {
	c, err := findToChange(tx, by, client)
	if err != nil {
		return err
	}
	d := c.Details
	d.EmailConsent = given
	_, err = Edit(tx, by, client, c.Version, d)
	return err
}

// EndCare closes a client's access at a moment, now or to come, and withdraws
// what still invites them. The record stays. An end that has not come yet can be
// moved.
func EndCare(tx *db.Tx, by access.Actor, client id.Client, on at.Time) error {
	if !by.MayInvite() {
		return fault.Forbidden
	}
	if _, err := findToChange(tx, by, client); err != nil {
		return err
	}
	if on.Before(tx.Now().Time) {
		on = tx.Now()
	}
	n, err := SQL.In(tx).EndCare(tx, peopledb.EndCareParams{EndsAt: &on, Now: tx.Now().Ptr(), PracticeID: by.Practice(), ID: client})
	if err != nil {
		return fmt.Errorf("end care of %s: %w", client, err)
	}
	if n == 0 {
		return ErrAlreadyEnded
	}
	if _, err := endLive(tx, by, client, Withdrawn, reasonCareEnded); err != nil {
		return err
	}
	if err := endVouch(tx, by.Practice(), client); err != nil {
		return err
	}
	tx.Notify(Topic(by.Practice(), client))
	return audit.Record(tx, by, audit.Deed{Did: audit.CareEnded, Subject: client, Client: client})
}

// ResumeCare takes EndCare back: the client is in care again, and their account
// opens the record again.
func ResumeCare(tx *db.Tx, by access.Actor, client id.Client) error {
	if !by.MayInvite() {
		return fault.Forbidden
	}
	if _, err := findToChange(tx, by, client); err != nil {
		return err
	}
	n, err := SQL.In(tx).ResumeCare(tx, peopledb.ResumeCareParams{PracticeID: by.Practice(), ID: client})
	if err != nil {
		return fmt.Errorf("resume care of %s: %w", client, err)
	}
	if n == 0 {
		return ErrNotEnded
	}
	tx.Notify(Topic(by.Practice(), client))
	return audit.Record(tx, by, audit.Deed{Did: audit.CareResumed, Subject: client, Client: client})
}

// SameMailbox returns the names of other clients of the practice with the same
// address: allowed, and worth a word.
func SameMailbox(tx *db.Tx, by access.Actor, client id.Client, a email.Address) (names []string, err error) {
	if a.IsZero() || !by.MaySeePeople() {
		return nil, nil
	}
	key, err := keys.Of(tx, by.Practice())
	if err != nil {
		return nil, err
	}
	index, err := key.Index("email", a.Fold())
	if err != nil {
		return nil, err
	}
	rows, err := SQL.In(tx).SameEmail(tx, peopledb.SameEmailParams{PracticeID: by.Practice(), EmailIndex: index, ID: client})
	if err != nil {
		return nil, fmt.Errorf("same mailbox: %w", err)
	}
	for _, r := range rows {
		if !by.Sees(r.ID, r.PractitionerID) {
			names = append(names, "another client of the practice")
			continue
		}
		n, err := openName(key, by.Practice(), r.ID, r.Name)
		if err != nil {
			return nil, err
		}
		audit.Saw(tx, by, audit.Named, r.ID, by.Why(r.ID, r.PractitionerID))
		names = append(names, n.Full())
	}
	return names, nil
}

// Topic is what a change to a client is announced under.
func Topic(practice id.Practice, client id.Client) string {
	return "people/" + practice.String() + "/" + client.String()
}

// changed names the fields that differ.
func changed(was, is Details) (fields []string) {
	for _, f := range []struct {
		name string
		same bool
	}{
		{"name", was.Name == is.Name},
		{"email", was.Email == is.Email},
		{"mobile", was.Mobile == is.Mobile},
		{"born", was.Born == is.Born},
		{"address", was.Address == is.Address},
		{"zone", was.Zone == is.Zone},
		{"practitioner", was.Practitioner == is.Practitioner},
		{"email_consent", was.EmailConsent == is.EmailConsent},
	} {
		if !f.same {
			fields = append(fields, f.name)
		}
	}
	return fields
}

// sealed is a client's details as they are stored.
type sealed struct {
	name, email, mobile, born, address crypt.Sealed
	index                              []byte
}

func sealDetails(tx *db.Tx, p id.Practice, c id.Client, d Details) (s sealed, err error) {
	key, err := keys.Of(tx, p)
	if err != nil {
		return s, err
	}
	if s.name, err = key.Seal(strings.Join([]string{d.Name.First, d.Name.Last, d.Name.Preferred}, "\n"), fieldPlace("name", p, c)); err != nil {
		return s, err
	}
	born := ""
	if !d.Born.IsZero() {
		born = d.Born.String()
	}
	addressee := ""
	if !d.Email.IsZero() {
		addressee = d.Email.String()
		if s.index, err = key.Index("email", d.Email.Fold()); err != nil {
			return s, err
		}
	}
	for _, f := range []struct {
		to            *crypt.Sealed
		column, value string
	}{{&s.email, "email", addressee}, {&s.mobile, "mobile", d.Mobile}, {&s.born, "born", born}, {&s.address, "address", d.Address}} {
		if *f.to, err = key.SealSome(f.value, fieldPlace(f.column, p, c)); err != nil {
			return s, err
		}
	}
	return s, nil
}

func openClient(key *crypt.Key, r peopledb.ClientRow) (c Client, err error) {
	c = Client{Practice: r.PracticeID, ID: r.ID, Account: r.AccountID, LinkedAt: r.LinkedAt, EndsAt: r.EndsAt, Version: r.Version, CreatedAt: r.CreatedAt}
	c.Practitioner, c.Zone, c.EmailConsent = r.PractitionerID, r.Zone, r.EmailConsent
	if c.Name, err = openName(key, r.PracticeID, r.ID, r.Name); err != nil {
		return c, err
	}
	if c.Email, err = openEmail(key, r.PracticeID, r.ID, r.Email); err != nil {
		return c, err
	}
	if c.Mobile, err = key.Open(r.Mobile, fieldPlace("mobile", r.PracticeID, r.ID)); err != nil {
		return c, err
	}
	if c.Address, err = key.Open(r.Address, fieldPlace("address", r.PracticeID, r.ID)); err != nil {
		return c, err
	}
	born, err := key.Open(r.Born, fieldPlace("born", r.PracticeID, r.ID))
	if err != nil || born == "" {
		return c, err
	}
	c.Born, err = civil.ParseDate(born)
	return c, err
}

func openName(key *crypt.Key, p id.Practice, c id.Client, s crypt.Sealed) (Name, error) {
	open, err := key.Open(s, fieldPlace("name", p, c))
	if err != nil {
		return Name{}, err
	}
	first, rest, _ := strings.Cut(open, "\n")
	last, preferred, _ := strings.Cut(rest, "\n")
	return Name{first, last, preferred}, nil
}

func openEmail(key *crypt.Key, p id.Practice, c id.Client, s crypt.Sealed) (email.Address, error) {
	open, err := key.Open(s, fieldPlace("email", p, c))
	if err != nil || open == "" {
		return email.Address{}, err
	}
	return email.Parse(open)
}

func fieldPlace(column string, p id.Practice, c id.Client) string {
	return crypt.Place("client."+column, p, c)
}
