// Package joint knows the clients who are looked after together: a couple, a
// family, a group.
//
// Each of them is a client with a record of their own, and stays one. Beside
// those records stands one joint record: what it is, what the practice calls
// it, who looks after it, and who is in it, each from a day and perhaps until
// one. A couple therefore has three: one together, and two of their own.
//
// The rules:
//   - being in a joint record opens nothing of anybody's own record, to nobody:
//     not to the others in it, and not to who looks after it;
//   - each person agrees for themselves, to each thing by itself: to take part in
//     joint sessions, and that the others in it may read what is written there.
//     The practice notes it, with the day and by whom; it can be taken back at
//     any time, by the practice or by the person, also when they have left and
//     when the record is closed. What was taken back stays noted, with that day;
//     whoever comes back is asked anew;
//   - at work it is seen by who looks after it, by who supervises them, by who
//     sees every client, and by a member who sees each person that is or was in
//     it. Who sees only some of them does not learn of the others: to them it
//     does not exist. What was opened in an emergency counts for nothing here;
//   - it is changed by who sees it and may invite clients; who looks after it is
//     chosen by who assigns care. Only a client whom one sees is put into it;
//   - somebody leaves on a day, the record is closed on a day; both can be taken
//     back, a stay as long as its last day is not over. A closed record is read,
//     and takes nothing new;
//   - the client sees which joint records they are in and what they agreed to.
//     They are told who else is in it once they and that person have both agreed
//     to take part, and for as long as both do: of a couple and a family by name,
//     of a group by first name. What the practice calls the record they do not
//     see: there are names in it;
//   - who acts for a client, a guardian or a partner, sees nothing of it;
//   - to see a joint record is to look at each person in it, and noted as that;
//   - when care of somebody ends they stay in it until they are taken out; the
//     end of care closes their own access, here as everywhere.
//
// It is a package beside contact: a contact is somebody who is no client.
package joint

import (
	"errors"
	"fmt"
	"slices"

	"icouch/internal/access"
	"icouch/internal/audit"
	"icouch/internal/base/at"
	"icouch/internal/base/civil"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/joint/jointdb"
	"icouch/internal/people"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

// SQL is this package's statements.
var SQL = db.Prepare(jointdb.Prepare)

// Kind is what sort of people are looked after together.
type Kind string

// The kinds. The words stand in the database for ever.
const (
	Couple Kind = "couple"
	Family Kind = "family"
	Group  Kind = "group"
)

// Kinds are all of them, in the order of the form.
var Kinds = []Kind{Couple, Family, Group}

// What people are told when a joint record cannot be made or changed.
var (
	ErrNoKind         = fault.On("kind", fault.Invalid, "Choose what it is.")
	ErrNoName         = fault.On("name", fault.Invalid, "Enter what you call this record.")
	ErrNoPractitioner = fault.On("practitioner", fault.Invalid, "Choose a colleague who looks after clients.")
	ErrMade           = fault.New(fault.Conflict, "This joint record was made already.")
	ErrMany           = fault.New(fault.Conflict, "This client is in fifty joint records already. More than that nobody keeps an eye on.")
	ErrChanged        = fault.New(fault.Conflict, "Somebody else changed this joint record while you had it open. Look at what it says now, then make your change again.")
	ErrSame           = fault.On("practitioner", fault.Conflict, "This colleague looks after the joint record already.")
	ErrClosed         = fault.New(fault.Conflict, "This joint record is closed. Open it again first.")
	ErrShut           = fault.New(fault.Conflict, "This joint record is closed already.")
	ErrNotClosed      = fault.New(fault.Conflict, "This joint record is open, and no day is set on which it closes.")
	ErrNoDay          = fault.On("on", fault.Invalid, "Choose a day.")
	ErrPast           = fault.On("on", fault.Invalid, "Choose today or a later day.")
	ErrFar            = fault.On("on", fault.Invalid, "Choose a day within the next year. You can move it later.")
)

// Details is what a practice notes of a joint record itself.
type Details struct {
	Kind         Kind
	Name         string          // for the practice alone
	Practitioner id.Practitioner // who looks after it; none: whoever makes it
}

// Record is a joint record as it stands.
type Record struct {
	Details
	ID        id.Joint
	ClosesAt  *at.Time // when it closes, or closed
	People    []Person // all that are or were in it, in the order of coming
	Version   int64
	CreatedAt at.Time
	MayChange bool // by may
	MayAssign bool // by may choose who looks after it

	practice id.Practice
	zone     civil.Zone // the practice's: its days are meant
}

// Closed reports whether the record is closed.
func (r Record) Closed(now at.Time) bool { return r.ClosesAt != nil && !r.ClosesAt.After(now.Time) }

// In returns who is in the record now.
func (r Record) In(now at.Time) (some []Person) {
	for _, p := range r.People {
		if !p.Left(now) {
			some = append(some, p)
		}
	}
	return some
}

// mostRecords is how many joint records a client may be in, closed ones too.
const mostRecords = 50

// Make begins a joint record with the first person in it. Its identifier the
// form already had: a second press is ErrMade and not a second record.
func Make(tx *db.Tx, by access.Actor, j id.Joint, first id.Client, d Details) error {
	if !by.AtWork() || !by.MayInvite() {
		return fault.Forbidden
	}
	c, err := joins(tx, by, first)
	if err != nil {
		return err
	}
	if err := errors.Join(d.check(), d.assign(tx, by, c)); err != nil {
		return err
	}
	in, err := SQL.In(tx).OfClient(tx, jointdb.OfClientParams{PracticeID: by.Practice(), ClientID: first})
	if err != nil {
		return fmt.Errorf("joint records of %s: %w", first, err)
	}
	if len(in) >= mostRecords { // fewer than are ever listed: none is out of sight
		return ErrMany
	}
	name, err := sealName(tx, by.Practice(), j, d.Name)
	if err != nil {
		return err
	}
	err = SQL.In(tx).Add(tx, jointdb.AddParams{PracticeID: by.Practice(), ID: j, Kind: string(d.Kind), Name: name, PractitionerID: d.Practitioner, CreatedAt: tx.Now()})
	if db.Taken(err) {
		return ErrMade
	}
	if err != nil {
		return fmt.Errorf("make joint record %s: %w", j, err)
	}
	if err := audit.Record(tx, by, audit.Deed{Did: audit.JointMade, Subject: j}); err != nil {
		return err
	}
	return addPerson(tx, by, j, first, tx.Now())
}

func (d Details) check() error {
	var wrong []error
	if !slices.Contains(Kinds, d.Kind) {
		wrong = append(wrong, ErrNoKind)
	}
	if d.Name == "" {
		wrong = append(wrong, ErrNoName)
	}
	return errors.Join(wrong...)
}

// assign says who looks after a new record: whom by chooses, if by may; else by
// themselves; else who looks after the first person in it.
func (d *Details) assign(tx *db.Tx, by access.Actor, first people.Client) error {
	if d.Practitioner == "" || !by.May(access.AssignCare) {
		d.Practitioner = by.Practitioner()
		cares, err := cares(tx, by, d.Practitioner)
		if err != nil || cares {
			return err
		}
		d.Practitioner = first.Practitioner
	}
	cares, err := cares(tx, by, d.Practitioner)
	if err == nil && !cares {
		return ErrNoPractitioner
	}
	return err
}

// cares reports whether a member of by's practice looks after clients; one of
// another practice does not.
func cares(tx *db.Tx, by access.Actor, who id.Practitioner) (bool, error) {
	all, err := people.Practitioners(tx, by)
	return slices.ContainsFunc(all, func(p people.Practitioner) bool { return p.ID == who && p.CaresForClients() }), err
}

// Edit changes what a joint record is and is called, if nobody else has since it
// was read at version.
func Edit(tx *db.Tx, by access.Actor, j id.Joint, version int64, d Details) error {
	was, err := hold(tx, by, j)
	if err != nil {
		return err
	}
	if was.Closed(tx.Now()) {
		return ErrClosed
	}
	if err := d.check(); err != nil {
		return err
	}
	name, err := sealName(tx, by.Practice(), j, d.Name)
	if err != nil {
		return err
	}
	n, err := SQL.In(tx).Edit(tx, jointdb.EditParams{Kind: string(d.Kind), Name: name, PracticeID: by.Practice(), ID: j, Version: version})
	if err != nil {
		return fmt.Errorf("edit joint record %s: %w", j, err)
	}
	if n == 0 {
		return ErrChanged
	}
	var fields []string
	if was.Kind != d.Kind {
		fields = append(fields, "kind")
	}
	if was.Name != d.Name {
		fields = append(fields, "name")
	}
	return audit.Record(tx, by, audit.Deed{Did: audit.JointEdited, Subject: j, Fields: fields})
}

// Assign has another member look after a joint record, closed or not.
func Assign(tx *db.Tx, by access.Actor, j id.Joint, to id.Practitioner) error {
	if !by.May(access.AssignCare) {
		return fault.Forbidden
	}
	r, err := hold(tx, by, j)
	if err != nil {
		return err
	}
	cares, err := cares(tx, by, to)
	if err != nil {
		return err
	}
	if !cares {
		return ErrNoPractitioner
	}
	n, err := SQL.In(tx).Assign(tx, jointdb.AssignParams{Heir: to, PracticeID: by.Practice(), ID: j})
	if err != nil {
		return fmt.Errorf("assign joint record %s: %w", j, err)
	}
	if n == 0 {
		return ErrSame
	}
	return r.record(tx, by, audit.JointHanded)
}

// Close ends a joint record: today at once, a later day when it is over. An end
// that has not come yet can be moved.
func Close(tx *db.Tx, by access.Actor, j id.Joint, on civil.Date) error {
	r, err := hold(tx, by, j)
	if err != nil {
		return err
	}
	today := civil.DateOf(tx.Now().Time, r.zone)
	if on.Compare(today) < 0 && !on.IsZero() {
		return ErrPast
	}
	ends, err := r.last(tx, on)
	if err != nil {
		return err
	}
	n, err := SQL.In(tx).Shut(tx, jointdb.ShutParams{ClosesAt: &ends, PracticeID: by.Practice(), ID: j, Now: tx.Now().Ptr()})
	if err != nil {
		return fmt.Errorf("close joint record %s: %w", j, err)
	}
	if n == 0 {
		return ErrShut
	}
	return r.record(tx, by, audit.JointClosed)
}

// Reopen takes Close back. Whoever was in it is, and what they agreed to counts.
func Reopen(tx *db.Tx, by access.Actor, j id.Joint) error {
	r, err := hold(tx, by, j)
	if err != nil {
		return err
	}
	n, err := SQL.In(tx).Reopen(tx, jointdb.ReopenParams{PracticeID: by.Practice(), ID: j})
	if err != nil {
		return fmt.Errorf("open joint record %s again: %w", j, err)
	}
	if n == 0 {
		return ErrNotClosed
	}
	return r.record(tx, by, audit.JointReopened)
}

// last is the moment a last day ends: of today, now.
func (r Record) last(tx *db.Tx, on civil.Date) (at.Time, error) {
	today := civil.DateOf(tx.Now().Time, r.zone)
	switch {
	case on.IsZero():
		return at.Time{}, ErrNoDay
	case on == today:
		return tx.Now(), nil
	case on.Compare(today.AddDays(366)) > 0:
		return at.Time{}, ErrFar
	}
	return at.Of(on.AddDays(1).Begins(r.zone)), nil
}

// record leaves a line in the trail for each person in it whom the deed concerns.
func (r Record) record(tx *db.Tx, by access.Actor, did audit.Action) error {
	some := r.In(tx.Now())
	for _, p := range some {
		tx.Notify(people.Topic(r.practice, p.Client))
		if err := audit.Record(tx, by, audit.Deed{Did: did, Subject: r.ID, Client: p.Client}); err != nil {
			return err
		}
	}
	if len(some) > 0 {
		return nil
	}
	return audit.Record(tx, by, audit.Deed{Did: did, Subject: r.ID})
}

// hold returns a joint record that by may change, and holds it: nobody else
// changes it until tx ends.
func hold(tx *db.Tx, by access.Actor, j id.Joint) (Record, error) {
	if !by.AtWork() {
		return Record{}, fault.NotFound
	}
	_, err := SQL.In(tx).Hold(tx, jointdb.HoldParams{PracticeID: by.Practice(), ID: j})
	if err != nil && !errors.Is(err, db.None) {
		return Record{}, fmt.Errorf("hold joint record %s: %w", j, err)
	}
	r, err := find(tx, by, j)
	if err == nil && !r.MayChange {
		return Record{}, fault.Forbidden
	}
	return r, err
}

// find returns a joint record that by, at work, sees; another is not found.
func find(tx *db.Tx, by access.Actor, j id.Joint) (Record, error) {
	r, err := read(tx, by.Practice(), j)
	if err != nil {
		return Record{}, err
	}
	if !r.seen(by) {
		return Record{}, fault.NotFound
	}
	r.MayChange, r.MayAssign = by.MayInvite(), by.May(access.AssignCare)
	return r, nil
}

// seen reports whether by, at work, sees the record: as it is said above.
func (r Record) seen(by access.Actor) bool {
	of := make([]one, len(r.People))
	for i, p := range r.People {
		of[i] = one{p.Client, p.practitioner}
	}
	return sees(by, r.Practitioner, of)
}

// one is a client who is or was in a record, and who looks after them.
type one struct {
	client id.Client
	of     id.Practitioner
}

func sees(by access.Actor, looksAfter id.Practitioner, all []one) bool {
	switch {
	case !by.AtWork() || !by.MaySeePeople():
		return false
	case by.Sees("", looksAfter): // whoever sees the clients of who looks after it
		return true
	}
	return len(all) > 0 && !slices.ContainsFunc(all, func(o one) bool { return !by.Sees(o.client, o.of) || by.OnlyLooks(o.client, o.of) })
}

// read returns a joint record of a practice, whoever asks, without the names of
// those in it.
func read(tx *db.Tx, p id.Practice, j id.Joint) (r Record, err error) {
	row, err := SQL.In(tx).Record(tx, jointdb.RecordParams{PracticeID: p, ID: j})
	if errors.Is(err, db.None) {
		return r, fault.NotFound
	}
	if err != nil {
		return r, fmt.Errorf("joint record %s: %w", j, err)
	}
	key, err := keys.Of(tx, p)
	if err != nil {
		return r, err
	}
	if r, err = open(key, row); err != nil {
		return r, err
	}
	practice, err := people.PracticeOf(tx, access.Job(p))
	if err != nil {
		return r, err
	}
	r.zone = practice.Zone
	r.People, err = inIt(tx, p, j)
	return r, err
}

func open(key *crypt.Key, row jointdb.Joint) (r Record, err error) {
	r = Record{ID: row.ID, ClosesAt: row.ClosesAt, Version: row.Version, CreatedAt: row.CreatedAt, practice: row.PracticeID,
		Details: Details{Kind: Kind(row.Kind), Practitioner: row.PractitionerID}}
	r.Name, err = key.Open(row.Name, namePlace(row.PracticeID, row.ID))
	return r, err
}

func sealName(tx *db.Tx, p id.Practice, j id.Joint, name string) (crypt.Sealed, error) {
	key, err := keys.Of(tx, p)
	if err != nil {
		return nil, err
	}
	return key.Seal(name, namePlace(p, j))
}

func namePlace(p id.Practice, j id.Joint) string { return crypt.Place("joint.name", p, j) }
