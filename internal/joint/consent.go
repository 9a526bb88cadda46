package joint

import (
	"errors"
	"fmt"
	"slices"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/audit"
	"icouch/internal/base/at"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/joint/jointdb"
	"icouch/internal/letter"
	"icouch/internal/people"
	"icouch/internal/platform/db"
)

// What is something that a person in a joint record may agree to.
type What string

// The consents. The words stand in the database for ever.
const (
	Sessions What = "sessions" // takes part in joint sessions
	Shared   What = "shared"   // the others in it may read what is written in the joint record
)

// Whats are all of them, in the order of the page.
var Whats = []What{Sessions, Shared}

// What people are told about consents.
var (
	ErrOddConsent = fault.New(fault.Invalid, "Choose from the list.")
	ErrAgreed     = fault.New(fault.Conflict, "This is noted already.")
	ErrNotAgreed  = fault.New(fault.Conflict, "This is not agreed to, or was taken back already.")
)

// Consent is one thing that a person has agreed to.
type Consent struct {
	What        What
	NotedBy     id.Practitioner
	NotedAt     at.Time
	WithdrawnBy *id.Practitioner // who noted that; nil: the person themselves, if it is withdrawn
	WithdrawnAt *at.Time
}

// Agreed reports whether a person agrees to something now.
func (p Person) Agreed(w What) bool {
	return slices.ContainsFunc(p.Consents, func(c Consent) bool { return c.What == w && c.WithdrawnAt == nil })
}

// Newest is what was last said about something; false: nothing ever.
func (p Person) Newest(w What) (Consent, bool) {
	i := slices.IndexFunc(p.Consents, func(c Consent) bool { return c.What == w })
	if i < 0 {
		return Consent{}, false
	}
	return p.Consents[i], true
}

// Agree notes that somebody in a joint record agrees to something.
func Agree(tx *db.Tx, by access.Actor, j id.Joint, person id.JointPerson, w What) error {
	r, p, err := held(tx, by, j, person)
	if err != nil {
		return err
	}
	switch {
	case !slices.Contains(Whats, w):
		return ErrOddConsent
	case r.Closed(tx.Now()):
		return ErrClosed
	case p.Left(tx.Now()):
		return ErrLeft
	}
	err = SQL.In(tx).Agree(tx, jointdb.AgreeParams{PracticeID: by.Practice(), ID: id.New[id.JointConsent](tx.Now().Time), PersonID: person, What: string(w), NotedBy: by.Practitioner(), NotedAt: tx.Now()})
	if db.Taken(err) {
		return ErrAgreed
	}
	if err != nil {
		return fmt.Errorf("note consent in %s: %w", j, err)
	}
	tx.Notify(people.Topic(by.Practice(), p.Client))
	return audit.Record(tx, by, audit.Deed{Did: audit.JointAgreed, Subject: j, Client: p.Client, Fields: []string{string(w)}})
}

// TakeBack notes that somebody no longer agrees to something, whether they have
// left and whether the record is closed.
func TakeBack(tx *db.Tx, by access.Actor, j id.Joint, person id.JointPerson, w What) error {
	r, p, err := held(tx, by, j, person)
	if err != nil {
		return err
	}
	noted := by.Practitioner()
	return r.takeBack(tx, by, p, w, &noted)
}

// TakeBackOwn takes back what by, a client, has agreed to in a joint record. Who
// looks after it is told, by a letter that says nothing of it.
func TakeBackOwn(tx *db.Tx, by access.Actor, person id.JointPerson, w What) error {
	if !by.IsClient() {
		return fault.NotFound
	}
	j, err := SQL.In(tx).RecordOf(tx, jointdb.RecordOfParams{PracticeID: by.Practice(), ClientID: by.Client(), ID: person})
	if errors.Is(err, db.None) { // another client's, and another practice's
		return fault.NotFound
	}
	if err != nil {
		return fmt.Errorf("joint record of %s: %w", person, err)
	}
	r, err := read(tx, by.Practice(), j)
	if err != nil {
		return err
	}
	p, err := r.person(person)
	if err != nil {
		return err
	}
	if err := r.takeBack(tx, by, p, w, nil); err != nil {
		return err
	}
	return r.tell(tx, by)
}

func (r Record) takeBack(tx *db.Tx, by access.Actor, p Person, w What, noted *id.Practitioner) error {
	if !slices.Contains(Whats, w) {
		return ErrOddConsent
	}
	n, err := SQL.In(tx).TakeBack(tx, jointdb.TakeBackParams{Now: tx.Now().Ptr(), WithdrawnBy: noted, PracticeID: r.practice, PersonID: p.ID, What: string(w)})
	if err != nil {
		return fmt.Errorf("take back consent in %s: %w", r.ID, err)
	}
	if n == 0 {
		return ErrNotAgreed
	}
	tx.Notify(people.Topic(r.practice, p.Client))
	return audit.Record(tx, by, audit.Deed{Did: audit.JointWithdrawn, Subject: r.ID, Client: p.Client, Fields: []string{string(w)}})
}

// tell writes to who looks after the record, if they work here still.
func (r Record) tell(tx *db.Tx, by access.Actor) error {
	job := access.Job(r.practice)
	all, err := people.Practitioners(tx, job)
	if err != nil {
		return err
	}
	for _, m := range all {
		if m.ID != r.Practitioner || !m.Active {
			continue
		}
		a, err := account.Read(tx, job, m.Account)
		if err != nil {
			return err
		}
		_, err = letter.Send(tx, by, letter.Draft{Kind: letter.TakenBack, To: a.Email, FromName: letter.Brand, Body: takenBackLetter(), Client: by.Client()})
		return err
	}
	return nil
}

func takenBackLetter() letter.Body {
	return letter.Body{Subject: "A client takes something back", Parts: []letter.Part{
		{Text: "A client in a joint record you look after on " + letter.Brand + " takes back something they had agreed to there. It counts from now on. Sign in to see who it is, and what: under “Couples and families”, on the page of that record."},
		{Button: &letter.Button{Label: "See it", URL: letter.Base + "/together"}},
		{Text: "Please do not answer this e-mail. Nobody reads that address."},
		{Sign: letter.Brand},
	}}
}
