package contact

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"icouch/internal/access"
	"icouch/internal/base/at"
	"icouch/internal/base/civil"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/contact/contactdb"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

// circle is a client whose contacts are read or changed, and what their days
// are counted by.
type circle struct {
	client people.Client
	days   people.Minor // when they come of age
	zone   civil.Zone   // the practice's: its days are meant
	today  civil.Date
	now    at.Time
}

// hold returns a client whose contacts by may change, and holds them: nobody
// else changes them until tx ends.
func hold(tx *db.Tx, by access.Actor, client id.Client) (circle, error) {
	if !by.AtWork() || !by.MayInvite() {
		return circle{}, fault.Forbidden
	}
	_, err := SQL.In(tx).HoldClient(tx, contactdb.HoldClientParams{PracticeID: by.Practice(), ID: client})
	if err != nil && !errors.Is(err, db.None) {
		return circle{}, fmt.Errorf("hold %s: %w", client, err)
	}
	h, err := look(tx, by, client)
	if err == nil && by.OnlyLooks(client, h.client.Practitioner) { // to read, not to give anybody a way in
		return circle{}, people.ErrOnlyLooks
	}
	return h, err
}

func look(tx *db.Tx, by access.Actor, client id.Client) (h circle, err error) {
	if h.client, err = people.Find(tx, by, client); err != nil { // another practice's client is not found
		return h, err
	}
	if h.days, err = people.MinorOf(tx, access.Job(by.Practice()), client); err != nil {
		return h, err
	}
	practice, err := people.PracticeOf(tx, by)
	h.zone, h.now = practice.Zone, tx.Now()
	h.today = civil.DateOf(tx.Now().Time, h.zone)
	return h, err
}

// held returns one contact to be changed; one of another client is not found.
func held(tx *db.Tx, by access.Actor, client id.Client, c id.Contact) (circle, Contact, error) {
	h, err := hold(tx, by, client)
	if err != nil {
		return h, Contact{}, err
	}
	was, err := h.contact(tx, c)
	return h, was, err
}

func (h circle) contact(tx *db.Tx, c id.Contact) (Contact, error) {
	row, err := SQL.In(tx).Contact(tx, contactdb.ContactParams{PracticeID: h.client.Practice, ID: c})
	if errors.Is(err, db.None) || err == nil && row.ClientID != h.client.ID {
		return Contact{}, fault.NotFound
	}
	if err != nil {
		return Contact{}, fmt.Errorf("contact %s: %w", c, err)
	}
	key, err := keys.Of(tx, h.client.Practice)
	if err != nil {
		return Contact{}, err
	}
	return h.open(key, contactdb.OfClientRow(row))
}

func (h circle) contacts(tx *db.Tx) ([]Contact, error) {
	rows, err := SQL.In(tx).OfClient(tx, contactdb.OfClientParams{PracticeID: h.client.Practice, ClientID: h.client.ID})
	if err != nil {
		return nil, fmt.Errorf("contacts of %s: %w", h.client.ID, err)
	}
	key, err := keys.Of(tx, h.client.Practice)
	if err != nil {
		return nil, err
	}
	all := make([]Contact, len(rows))
	for i, r := range rows {
		if all[i], err = h.open(key, r); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// begin is the first moment of a day.
func (h circle) begin(d civil.Date) *at.Time {
	if d.IsZero() {
		return nil
	}
	return at.Of(time.Date(d.Year(), d.Month(), d.Day(), 0, 0, 0, 0, h.zone.Load())).Ptr()
}

// end is the moment a day is over.
func (h circle) end(d civil.Date) *at.Time {
	if d.IsZero() {
		return nil
	}
	return h.begin(d.AddDays(1))
}

// first is the day that begins at a moment, last the day that ends there.
func (h circle) first(t *at.Time) (d civil.Date) {
	if t != nil {
		d = civil.DateOf(t.Time, h.zone)
	}
	return d
}

func (h circle) last(t *at.Time) (d civil.Date) {
	if t != nil {
		d = civil.DateOf(t.Add(-time.Microsecond), h.zone)
	}
	return d
}

// most is how far ahead a day may be.
const most = 5 * 366

// check says what is wrong with details. Was is what stood before, or nil: a
// day that has passed since it was chosen may stay.
func (h circle) check(tx *db.Tx, d Details, was *Contact) error {
	var wrong []error
	note := func(is bool, err error) {
		if is {
			wrong = append(wrong, err)
		}
	}
	note(d.Name == "", ErrNoName)
	note(!slices.Contains(Relations, d.Relation), ErrNoRelation)
	note(slices.ContainsFunc(d.Rights, func(r access.Right) bool { return !slices.Contains(access.Rights, r) }), ErrOddRight)
	note(!d.From.IsZero() && d.From.Compare(h.today.AddDays(most)) > 0, ErrFarFrom)
	switch {
	case d.Until.IsZero():
		note(len(d.Rights) > 0 && !d.OfAge, ErrNoEnd)
	case was != nil && was.Until == d.Until:
	case d.Until.Compare(h.today) < 0:
		wrong = append(wrong, ErrPastEnd)
	case d.Until.Compare(h.today.AddDays(most)) > 0:
		wrong = append(wrong, ErrFarEnd)
	}
	note(!d.From.IsZero() && !d.Until.IsZero() && d.Until.Compare(d.From) < 0 && (was == nil || was.Until != d.Until || was.From != d.From), ErrEndFirst)
	note(d.OfAge && h.days.GuardiansEnd() == nil && (was == nil || !was.OfAge), ErrNoOfAge) // where the day was taken away it may stay, and is shut
	note(len(d.Rights) > 0 && d.Basis == "", ErrNoBasis)
	return errors.Join(wrong...)
}

// terms are what holds for a row of this client's.
func (h circle) terms(r contactdb.OfClientRow) access.Terms {
	t := access.Terms{Rights: access.SplitRights(r.Rights), Suspended: r.SuspendedAt != nil, Begins: r.BeginsAt, Ends: r.EndsAt, Care: h.client.EndsAt}
	if r.OfAge {
		t.OfAge = access.AtAge(h.days.GuardiansEnd())
	}
	return t
}
