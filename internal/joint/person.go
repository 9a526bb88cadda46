package joint

import (
	"encoding/json"
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
	"icouch/internal/platform/db"
)

// What people are told about who is in a joint record.
var (
	ErrIn        = fault.New(fault.Conflict, "This client is in the joint record already, or was until after that day.")
	ErrFull      = fault.New(fault.Conflict, "Fifty people are or were in this joint record. Make another one.")
	ErrCareEnded = fault.New(fault.Conflict, "Care of this client has ended. Take them back into care first.")
	ErrLater     = fault.On("from", fault.Invalid, "Choose today or an earlier day.")
	ErrLeft      = fault.New(fault.Conflict, "This client has left the joint record already.")
	ErrStays     = fault.New(fault.Conflict, "This client is not about to leave the joint record.")
	ErrBefore    = fault.On("on", fault.Invalid, "Choose a day that is not before the first day.")
)

// Person is one stay of a client's in a joint record.
type Person struct {
	ID       id.JointPerson
	Client   id.Client
	Name     people.Name
	Begins   at.Time
	Ends     *at.Time  // when they leave, or left
	CareEnds *at.Time  // when care of them ends, or ended
	Consents []Consent // all there ever were, the newest first
	Opens    bool      // by sees their own record, too

	practitioner id.Practitioner // who looks after them
}

// Left reports whether they are in it no more.
func (p Person) Left(now at.Time) bool { return p.Ends != nil && !p.Ends.After(now.Time) }

// mostPeople is how many a record may have, those who have left too.
const mostPeople = 50

// Join puts a client into a joint record, from a day on; none is today. Whoever
// has left may come back, and is asked anew what they agree to.
func Join(tx *db.Tx, by access.Actor, j id.Joint, client id.Client, from civil.Date) error {
	r, err := hold(tx, by, j)
	if err != nil {
		return err
	}
	if _, err := joins(tx, by, client); err != nil {
		return err
	}
	begins, today := tx.Now(), civil.DateOf(tx.Now().Time, r.zone)
	switch {
	case from.Compare(today) > 0:
		return ErrLater
	case !from.IsZero() && from != today:
		begins = at.Of(from.Begins(r.zone))
	}
	switch {
	case r.Closed(tx.Now()):
		return ErrClosed
	case slices.ContainsFunc(r.People, func(p Person) bool {
		return p.Client == client && (p.Ends == nil || p.Ends.After(begins.Time))
	}):
		return ErrIn
	case len(r.People) >= mostPeople:
		return ErrFull
	}
	return addPerson(tx, by, j, client, begins)
}

// joins returns a client whom by may put into a joint record.
func joins(tx *db.Tx, by access.Actor, client id.Client) (people.Client, error) {
	c, err := people.Find(tx, by, client) // another practice's client, and a colleague's, is not found
	switch {
	case err != nil:
		return c, err
	case by.OnlyLooks(client, c.Practitioner):
		return c, people.ErrOnlyLooks
	case c.Ended(tx.Now()):
		return c, ErrCareEnded
	}
	return c, nil
}

func addPerson(tx *db.Tx, by access.Actor, j id.Joint, client id.Client, begins at.Time) error {
	p := id.New[id.JointPerson](tx.Now().Time)
	err := SQL.In(tx).AddPerson(tx, jointdb.AddPersonParams{PracticeID: by.Practice(), ID: p, JointID: j, ClientID: client, BeginsAt: begins, CreatedAt: tx.Now()})
	if db.Taken(err) {
		return ErrIn
	}
	if err != nil {
		return fmt.Errorf("join %s to %s: %w", client, j, err)
	}
	tx.Notify(people.Topic(by.Practice(), client))
	return audit.Record(tx, by, audit.Deed{Did: audit.JointJoined, Subject: j, Client: client})
}

// Leave takes somebody out of a joint record after a last day: today at once, a
// day that is over from its end on, a later one when it is over. That can be
// moved until it has come.
func Leave(tx *db.Tx, by access.Actor, j id.Joint, person id.JointPerson, on civil.Date) error {
	r, p, err := held(tx, by, j, person)
	if err != nil {
		return err
	}
	if r.Closed(tx.Now()) {
		return ErrClosed
	}
	ends, err := r.last(tx, on)
	if err != nil {
		return err
	}
	if on.Compare(civil.DateOf(p.Begins.Time, r.zone)) < 0 {
		return ErrBefore
	}
	n, err := SQL.In(tx).Leave(tx, jointdb.LeaveParams{EndsAt: &ends, PracticeID: by.Practice(), JointID: j, ID: person, Now: tx.Now().Ptr()})
	if err != nil {
		return fmt.Errorf("leave %s: %w", j, err)
	}
	if n == 0 {
		return ErrLeft
	}
	tx.Notify(people.Topic(by.Practice(), p.Client))
	return audit.Record(tx, by, audit.Deed{Did: audit.JointLeft, Subject: j, Client: p.Client})
}

// Stay takes Leave back, as long as the day has not come.
func Stay(tx *db.Tx, by access.Actor, j id.Joint, person id.JointPerson) error {
	r, p, err := held(tx, by, j, person)
	if err != nil {
		return err
	}
	if r.Closed(tx.Now()) {
		return ErrClosed
	}
	n, err := SQL.In(tx).Stay(tx, jointdb.StayParams{PracticeID: by.Practice(), JointID: j, ID: person, Now: tx.Now().Ptr()})
	if err != nil {
		return fmt.Errorf("stay in %s: %w", j, err)
	}
	if n == 0 {
		return ErrStays
	}
	tx.Notify(people.Topic(by.Practice(), p.Client))
	return audit.Record(tx, by, audit.Deed{Did: audit.JointStayed, Subject: j, Client: p.Client})
}

// held returns a person in a joint record that by may change; one of another
// record is not found.
func held(tx *db.Tx, by access.Actor, j id.Joint, person id.JointPerson) (Record, Person, error) {
	r, err := hold(tx, by, j)
	if err != nil {
		return r, Person{}, err
	}
	p, err := r.person(person)
	return r, p, err
}

func (r Record) person(person id.JointPerson) (Person, error) {
	i := slices.IndexFunc(r.People, func(p Person) bool { return p.ID == person })
	if i < 0 {
		return Person{}, fault.NotFound
	}
	return r.People[i], nil
}

// inIt are all who are or were in a record, without their names.
func inIt(tx *db.Tx, practice id.Practice, j id.Joint) (all []Person, err error) {
	rows, err := SQL.In(tx).People(tx, jointdb.PeopleParams{PracticeID: practice, JointID: j})
	if err != nil {
		return nil, fmt.Errorf("people of %s: %w", j, err)
	}
	for _, r := range rows {
		all = append(all, Person{ID: r.ID, Client: r.ClientID, Begins: r.BeginsAt, Ends: r.EndsAt, CareEnds: r.CareEndsAt, practitioner: r.PractitionerID})
	}
	ids := make([]id.JointPerson, len(all))
	for i := range all {
		ids[i] = all[i].ID
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, fmt.Errorf("people of %s: %w", j, err)
	}
	said, err := SQL.In(tx).Consents(tx, jointdb.ConsentsParams{PracticeID: practice, People: string(list)})
	if err != nil {
		return nil, fmt.Errorf("consents of %s: %w", j, err)
	}
	for _, s := range said {
		for i := range all {
			if all[i].ID == s.PersonID {
				all[i].Consents = append(all[i].Consents, Consent{What(s.What), s.NotedBy, s.NotedAt, s.WithdrawnBy, s.WithdrawnAt})
			}
		}
	}
	return all, nil
}

// show names those in a record to by, who sees it, and notes the look at each.
func (r *Record) show(tx *db.Tx, by access.Actor, part audit.Part) error {
	for i := range r.People {
		p := &r.People[i]
		p.Opens = by.Sees(p.Client, p.practitioner)
		name, err := people.NameOf(tx, access.Job(r.practice), p.Client)
		if err != nil {
			return err
		}
		p.Name = name
		audit.Saw(tx, by, part, p.Client, why(by, one{p.Client, p.practitioner}))
	}
	return nil
}

// why is by what right by, who sees a joint record, sees somebody in it.
func why(by access.Actor, o one) access.Why {
	w := by.Why(o.client, o.of)
	if w == access.Unknown || w == access.ByEmergency { // that opens no joint record
		return access.Together
	}
	return w
}
