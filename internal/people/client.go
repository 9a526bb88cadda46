package people

import (
	"errors"
	"fmt"

	"icouch/internal/access"
	"icouch/internal/audit"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/letter"
	"icouch/internal/people/peopledb"
	"icouch/internal/platform/db"
)

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
