package contact

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/audit"
	"icouch/internal/base/id"
	"icouch/internal/contact/contactdb"
	"icouch/internal/letter"
	"icouch/internal/people"
	"icouch/internal/platform/db"
)

// A day that opens or closes something does so by the clock; see access.Terms.
// That it has come is told by letter, a little later, once.

// day is a contact whose day has come.
type day struct {
	practice id.Practice
	client   id.Client
	contact  id.Contact
}

// Tell writes to contacts whose access has begun, or ended, by the clock. It may
// be run at any time, as often as anybody likes, and on several nodes.
func (c Clerk) Tell(ctx context.Context) error {
	var begun, ended, ofAge []day
	err := c.DB.View(ctx, func(tx *db.Tx) error {
		b, err := SQL.In(tx).Begun(tx, tx.Now().Ptr())
		if err != nil {
			return fmt.Errorf("whose access has begun: %w", err)
		}
		for _, r := range b {
			begun = append(begun, day{r.PracticeID, r.ClientID, r.ID})
		}
		e, err := SQL.In(tx).Ended(tx, tx.Now().Ptr())
		if err != nil {
			return fmt.Errorf("whose access has ended: %w", err)
		}
		for _, r := range e {
			ended = append(ended, day{r.PracticeID, r.ClientID, r.ID})
		}
		a, err := SQL.In(tx).EndingOfAge(tx)
		if err != nil {
			return fmt.Errorf("whose access ends as a client comes of age: %w", err)
		}
		for _, r := range a { // the days are sealed: each is looked at
			ofAge = append(ofAge, day{r.PracticeID, r.ClientID, r.ID})
		}
		ended, err = come(tx, ended, ofAge)
		return err
	})
	if err != nil {
		return err
	}
	var wrong []error
	for _, d := range begun {
		wrong = append(wrong, c.DB.Update(ctx, func(tx *db.Tx) error { return tellBegun(tx, access.Job(d.practice), d) }))
	}
	for _, d := range ended {
		wrong = append(wrong, c.DB.Update(ctx, func(tx *db.Tx) error { return tellEnded(tx, access.Job(d.practice), d) }))
	}
	return errors.Join(wrong...)
}

// come adds those of some whose client has come of age.
func come(tx *db.Tx, to, some []day) ([]day, error) {
	for _, d := range some {
		m, err := people.MinorOf(tx, access.Job(d.practice), d.client)
		if err != nil {
			return nil, err
		}
		if end := m.GuardiansEnd(); end != nil && !end.After(tx.Now().Time) && !slices.Contains(to, d) {
			to = append(to, d)
		}
	}
	return to, nil
}

func tellBegun(tx *db.Tx, by access.Actor, d day) error {
	n, err := SQL.In(tx).ToldBegin(tx, contactdb.ToldBeginParams{Now: tx.Now().Ptr(), PracticeID: d.practice, ID: d.contact})
	if err != nil {
		return fmt.Errorf("tell contact %s: %w", d.contact, err)
	}
	return tell(tx, by, d, n, func(s access.Standing) bool { return s == access.Open }, beganLetter)
}

func tellEnded(tx *db.Tx, by access.Actor, d day) error {
	n, err := SQL.In(tx).ToldEnd(tx, contactdb.ToldEndParams{Now: tx.Now().Ptr(), PracticeID: d.practice, ID: d.contact})
	if err != nil {
		return fmt.Errorf("tell contact %s: %w", d.contact, err)
	}
	return tell(tx, by, d, n, func(s access.Standing) bool { return s == access.Over }, endedLetter)
}

// tell writes the letter of a day, if it was marked just now and is still true.
// To whom the practice had shut the door before, nothing is written.
func tell(tx *db.Tx, by access.Actor, d day, marked int64, is func(access.Standing) bool, words func(string) letter.Body) error {
	did := audit.Deed{Did: audit.ContactTold, Subject: d.contact, Client: d.client}
	if marked == 0 { // another node was first
		return audit.Record(tx, by, did)
	}
	c, err := whose(tx, d.practice, d.contact)
	if err != nil {
		return err
	}
	tx.Notify(people.Topic(d.practice, d.client))
	practice, err := people.PracticeOf(tx, by)
	if err != nil {
		return err
	}
	if c.Account == nil || c.Terms.Suspended || !is(c.Standing) || practice.Closed(tx.Now()) {
		return audit.Record(tx, by, did)
	}
	to, err := account.Read(tx, by, *c.Account)
	if err != nil {
		return err
	}
	_, err = letter.Send(tx, by, letter.Draft{Kind: letter.Day, To: to.Email, FromName: practice.Name, Body: words(practice.Name), Client: d.client, Account: *c.Account})
	if err != nil {
		return err
	}
	return audit.Record(tx, by, did)
}
