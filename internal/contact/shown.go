package contact

import (
	"errors"
	"fmt"

	"icouch/internal/access"
	"icouch/internal/audit"
	"icouch/internal/base/at"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/contact/contactdb"
	"icouch/internal/letter"
	"icouch/internal/people"
	"icouch/internal/platform/db"
)

// Shown is what a client sees of somebody who may open their record.
type Shown struct {
	ID       id.Contact
	Name     string
	Relation Relation
	Rights   []access.Right
	Standing access.Standing
	Begins   *at.Time
	Until    at.Time // zero: no end
	SignsIn  bool    // they have accepted
	Invited  bool    // or were asked to, at least
	AskedAt  *at.Time
}

// Access returns who may open by's own record, or will from a day, or could
// until it was suspended: to the client, whose record it is.
func Access(tx *db.Tx, by access.Actor) (some []Shown, err error) {
	if !by.IsClient() {
		return nil, fault.NotFound
	}
	h, err := look(tx, by, by.Client())
	if err != nil {
		return nil, err
	}
	all, err := h.contacts(tx)
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		if c.Standing == access.NoRights || c.Standing == access.Over {
			continue
		}
		if c.Account == nil {
			if c.Sent, err = sentTo(tx, by.Practice(), c.ID); err != nil {
				return nil, err
			}
		}
		some = append(some, Shown{c.ID, c.Name, c.Relation, c.Rights, c.Standing, c.Terms.Begins, c.Terms.Until(), c.Account != nil, c.Sent != nil, c.AskedAt})
	}
	return some, nil
}

// AskEnd tells the practice that by, a client, wants somebody's access to end.
// The practice ends it, or says why it cannot.
func AskEnd(tx *db.Tx, by access.Actor, c id.Contact) error {
	if !by.IsClient() {
		return fault.NotFound
	}
	h, err := look(tx, by, by.Client())
	if err != nil {
		return err
	}
	is, err := h.contact(tx, c)
	if err != nil {
		return err
	}
	if is.Standing == access.NoRights || is.Standing == access.Over {
		return fault.NotFound
	}
	n, err := SQL.In(tx).AskEnd(tx, contactdb.AskEndParams{Now: tx.Now().Ptr(), PracticeID: by.Practice(), ClientID: by.Client(), ID: c})
	if err != nil {
		return fmt.Errorf("ask to end contact %s: %w", c, err)
	}
	if n == 0 {
		return ErrAskedAlready
	}
	_, to, err := member(tx, by.Practice(), h.client.Practitioner)
	if err != nil && !errors.Is(err, fault.NotFound) {
		return err
	}
	if !to.IsZero() {
		if _, err := letter.Send(tx, by, letter.Draft{Kind: letter.EndAsked, To: to, FromName: letter.Brand, Body: endAskedLetter(), Client: by.Client()}); err != nil {
			return err
		}
	}
	tx.Notify(people.Topic(by.Practice(), by.Client()))
	return audit.Record(tx, by, audit.Deed{Did: audit.ContactEndAsked, Subject: c, Client: by.Client()})
}

// Ward is the client for whom somebody acts, as far as that is theirs to know.
type Ward struct {
	Name         string // the client's
	Practitioner string // who looks after them
	Relation     Relation
	Rights       []access.Right
	Until        at.Time // zero: no end
}

// WardOf returns for whom by, a contact, acts.
func WardOf(tx *db.Tx, by access.Actor) (Ward, error) {
	if !by.IsContact() {
		return Ward{}, fault.NotFound
	}
	job := access.Job(by.Practice())
	h, err := look(tx, job, by.Client())
	if err != nil {
		return Ward{}, err
	}
	c, err := h.contact(tx, by.Grant().Contact)
	if err != nil {
		return Ward{}, err
	}
	audit.Saw(tx, by, audit.Named, by.Client(), by.Why(by.Client(), h.client.Practitioner))
	who, _, err := member(tx, by.Practice(), h.client.Practitioner)
	return Ward{h.client.Name.Full(), who, c.Relation, c.Rights, c.Terms.Until()}, err
}
