package team

import (
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/audit"
	"icouch/internal/base/at"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/text"
	"icouch/internal/letter"
	"icouch/internal/people"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
	"icouch/internal/team/teamdb"
)

// In an emergency a practitioner opens a colleague's client: with a reason, for
// an hour at most. The owners, the client, and who may see the record for the client
// are told at once. They then see the client as if they were in the care team. It
// ends by the clock, to the second.

// emergencyLife is how long a client stays open.
const emergencyLife = time.Hour

// How long a reason is.
const (
	reasonLeast = 15
	reasonMost  = 1000
)

// What people are told about emergencies.
var (
	ErrNoReason  = fault.On("reason", fault.Invalid, "Say in a few words why you need to open this record now: 15 characters or more.")
	ErrOpenToYou = fault.New(fault.Conflict, "You can open this client’s record already.")
	ErrNotOpen   = fault.New(fault.Conflict, "This record is not open by way of an emergency any more.")
)

// CheckReason returns a reason as it is kept, or what is wrong with it.
func CheckReason(typed string) (string, error) {
	reason, err := text.Block(typed, reasonMost)
	if err != nil {
		return "", fault.At("reason", err)
	}
	if utf8.RuneCountInString(reason) < reasonLeast {
		return "", ErrNoReason
	}
	return reason, nil
}

// Open opens a colleague's client to by in an emergency.
func Open(tx *db.Tx, by access.Actor, client id.Client, reason string) error {
	if !by.May(access.Break) {
		return fault.Forbidden
	}
	reason, err := CheckReason(reason)
	if err != nil {
		return err
	}
	looksAfter, err := SQL.In(tx).HoldClient(tx, teamdb.HoldClientParams{PracticeID: by.Practice(), ID: client})
	if errors.Is(err, db.None) {
		return fault.NotFound
	}
	if err != nil {
		return fmt.Errorf("hold %s: %w", client, err)
	}
	if by.Sees(client, looksAfter) {
		return ErrOpenToYou
	}
	_, err = SQL.In(tx).OpenEmergency(tx, teamdb.OpenEmergencyParams{PracticeID: by.Practice(), ClientID: client, PractitionerID: by.Practitioner(), Now: tx.Now()})
	if err == nil { // the press before this one
		return ErrOpenToYou
	}
	if !errors.Is(err, db.None) {
		return fmt.Errorf("open %s: %w", client, err)
	}
	e := id.New[id.Emergency](tx.Now().Time)
	key, err := keys.Of(tx, by.Practice())
	if err != nil {
		return err
	}
	sealed, err := key.Seal(reason, reasonPlace(by.Practice(), e))
	if err != nil {
		return err
	}
	err = SQL.In(tx).AddEmergency(tx, teamdb.AddEmergencyParams{PracticeID: by.Practice(), ID: e, ClientID: client, PractitionerID: by.Practitioner(),
		Reason: sealed, OpenedAt: tx.Now(), Until: tx.Now().Plus(emergencyLife)})
	if err != nil {
		return fmt.Errorf("open %s: %w", client, err)
	}
	if err := tellOwners(tx, by); err != nil {
		return err
	}
	if err := tellClient(tx, by.Practice(), client); err != nil {
		return err
	}
	if err := tellContacts(tx, by.Practice(), client); err != nil {
		return err
	}
	return changed(tx, by, audit.Deed{Did: audit.EmergencyOpened, Subject: e, Client: client, Fields: []string{"reason"}})
}

// tellOwners writes to every active owner that by opened somebody. Whom, they
// see after signing in.
func tellOwners(tx *db.Tx, by access.Actor) error {
	all, err := people.Practitioners(tx, by)
	if err != nil {
		return err
	}
	practice, err := people.PracticeOf(tx, by)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(p people.Practitioner) bool { return p.ID == by.Practitioner() })
	if i < 0 {
		return fault.Forbidden
	}
	for _, p := range all {
		if p.Role == access.Owner {
			if err := write(tx, by, p, letter.Emergency, emergencyLetter(practice, all[i].Name, tx.Now())); err != nil {
				return err
			}
		}
	}
	return nil
}

// tellClient writes to a client that their record was opened, if they sign in
// here. It goes to the address of their account, as every letter about its
// safety does, whatever the practice has noted of e-mail: that is for what a
// practice writes of its own accord. Who it was, they see after signing in;
// who has no account, or whose access has ended or not begun, could not.
func tellClient(tx *db.Tx, p id.Practice, client id.Client) error {
	job := access.Job(p)
	c, err := people.Find(tx, job, client)
	if err != nil || c.Account == nil || c.Ended(tx.Now()) {
		return err
	}
	m, err := people.MinorOf(tx, job, client)
	if err != nil {
		return err
	}
	if opens := m.OpensAt(); opens != nil && opens.After(tx.Now().Time) {
		return nil
	}
	a, err := account.Read(tx, job, *c.Account)
	if errors.Is(err, account.ErrNoAccount) {
		return nil
	}
	if err != nil {
		return err
	}
	subject, parts := openedLetter()
	return account.Warn(tx, job, a, subject, parts...)
}

// tellContacts writes the same to those who may see a part of the record on the
// client's behalf at this moment: as tellClient does, to the address of their
// account. Who only pays learns nothing of it, nor who wants no e-mail from here;
// and the letter names nobody: for whom they act, they see after signing in.
func tellContacts(tx *db.Tx, p id.Practice, client id.Client) error {
	job := access.Job(p)
	acting, err := people.ActingFor(tx, job, client)
	if err != nil {
		return err
	}
	for _, k := range acting {
		if !slices.ContainsFunc(k.Rights, looks) {
			continue
		}
		a, err := account.Read(tx, job, k.Account)
		if errors.Is(err, account.ErrNoAccount) {
			continue
		}
		if err != nil {
			return err
		}
		no, err := letter.Declined(tx, job, a.Email)
		if err != nil {
			return err
		}
		if no {
			continue
		}
		subject, parts := openedToo()
		if err := account.Warn(tx, job, a, subject, parts...); err != nil {
			return err
		}
	}
	return nil
}

// looks reports whether a right lets somebody see into a record. Paying does not.
func looks(r access.Right) bool { return r != access.PayInvoices }

// Missed notes that by looked for a client in an emergency and there was none
// by that name.
func Missed(tx *db.Tx, by access.Actor) error {
	if !by.May(access.Break) {
		return fault.Forbidden
	}
	return audit.Record(tx, by, audit.Deed{Did: audit.EmergencyMissed, Subject: by.Practitioner()})
}

// Close ends by's emergency with a client before its time.
func Close(tx *db.Tx, by access.Actor, client id.Client) error {
	if !by.May(access.Break) {
		return fault.Forbidden
	}
	if _, err := people.NameOf(tx, by, client); err != nil {
		return err
	}
	e, err := SQL.In(tx).CloseEmergency(tx, teamdb.CloseEmergencyParams{Now: tx.Now().Ptr(), PracticeID: by.Practice(), ClientID: client, PractitionerID: by.Practitioner()})
	if errors.Is(err, db.None) {
		return ErrNotOpen
	}
	if err != nil {
		return fmt.Errorf("close %s: %w", client, err)
	}
	return changed(tx, by, audit.Deed{Did: audit.EmergencyClosed, Subject: e, Client: client})
}

func changed(tx *db.Tx, by access.Actor, d audit.Deed) error {
	tell(tx, people.Practitioner{Account: by.Account()})
	tx.Notify(people.Topic(by.Practice(), d.Client))
	return audit.Record(tx, by, d)
}

// OpenUntil is when by's emergency with a client ends, or the zero Time if by
// has none.
func OpenUntil(tx *db.Tx, by access.Actor, client id.Client) (at.Time, error) {
	if !by.May(access.Break) {
		return at.Time{}, nil
	}
	row, err := SQL.In(tx).OpenEmergency(tx, teamdb.OpenEmergencyParams{PracticeID: by.Practice(), ClientID: client, PractitionerID: by.Practitioner(), Now: tx.Now()})
	if errors.Is(err, db.None) {
		return at.Time{}, nil
	}
	if err != nil {
		return at.Time{}, fmt.Errorf("emergency of %s: %w", client, err)
	}
	return row.Until, nil
}

// Emergency is one time that a client was opened.
type Emergency struct {
	Client   id.Client
	Name     string // the client's
	By       string // who opened it
	Reason   string // to owners; to whoever else reads the trail it is empty
	OpenedAt at.Time
	EndedAt  at.Time // or when it ends, if that is to come
	ByHand   bool    // it was closed before its time
}

// EmergenciesOf returns every time that a client was opened, newest first, to
// who reads the trail.
func EmergenciesOf(tx *db.Tx, by access.Actor, client id.Client) ([]Emergency, error) {
	if !by.May(access.ReadTrail) {
		return nil, fault.Forbidden
	}
	rows, err := SQL.In(tx).EmergenciesOf(tx, teamdb.EmergenciesOfParams{PracticeID: by.Practice(), ClientID: client})
	if err != nil {
		return nil, fmt.Errorf("emergencies of %s: %w", client, err)
	}
	all := make([]teamdb.EmergenciesRow, len(rows))
	for i, r := range rows {
		all[i] = teamdb.EmergenciesRow(r)
	}
	return emergencies(tx, by, all)
}

// Emergencies returns the last hundred of the practice.
func Emergencies(tx *db.Tx, by access.Actor) ([]Emergency, error) {
	if !by.May(access.ReadTrail) {
		return nil, fault.Forbidden
	}
	rows, err := SQL.In(tx).Emergencies(tx, by.Practice())
	if err != nil {
		return nil, fmt.Errorf("emergencies of %s: %w", by.Practice(), err)
	}
	return emergencies(tx, by, rows)
}

func emergencies(tx *db.Tx, by access.Actor, rows []teamdb.EmergenciesRow) ([]Emergency, error) {
	members, err := people.Practitioners(tx, by)
	if err != nil {
		return nil, err
	}
	name := map[id.Practitioner]string{}
	for _, m := range members {
		name[m.ID] = m.Name
	}
	key, err := keys.Of(tx, by.Practice())
	if err != nil {
		return nil, err
	}
	all := make([]Emergency, len(rows))
	for i, r := range rows {
		client, err := people.NameOf(tx, by, r.ClientID)
		if err != nil {
			return nil, err
		}
		e := Emergency{Client: r.ClientID, Name: client.Full(), By: name[r.PractitionerID], OpenedAt: r.OpenedAt, EndedAt: r.Until}
		if r.ClosedAt != nil {
			e.EndedAt, e.ByHand = *r.ClosedAt, true
		}
		if by.May(access.ReadReasons) { // it may tell of the client's health
			if e.Reason, err = key.Open(r.Reason, reasonPlace(by.Practice(), r.ID)); err != nil {
				return nil, err
			}
		}
		all[i] = e
	}
	return all, nil
}

func reasonPlace(p id.Practice, e id.Emergency) string { return crypt.Place("emergency.reason", p, e) }
