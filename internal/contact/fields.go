package contact

import (
	"slices"

	"icouch/internal/access"
	"icouch/internal/base/email"
	"icouch/internal/base/id"
	"icouch/internal/contact/contactdb"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

func (h circle) open(key *crypt.Key, r contactdb.OfClientRow) (c Contact, err error) {
	c = Contact{ID: r.ID, Client: r.ClientID, Account: r.AccountID, LinkedAt: r.LinkedAt, AskedAt: r.AskedAt, Version: r.Version, CreatedAt: r.CreatedAt,
		Terms: h.terms(r), practice: r.PracticeID}
	c.Standing = c.Terms.Standing(h.now)
	c.Relation, c.Emergency, c.Rights, c.OfAge = Relation(r.Relation), r.Emergency, c.Terms.Rights, r.OfAge
	c.From, c.Until = h.first(r.BeginsAt), h.last(r.EndsAt)
	for _, f := range []struct {
		to     *string
		column string
		sealed crypt.Sealed
	}{{&c.Name, "name", r.Name}, {&c.Mobile, "mobile", r.Mobile}, {&c.Basis, "basis", r.Basis}} {
		if *f.to, err = key.Open(f.sealed, fieldPlace(f.column, r.PracticeID, r.ID)); err != nil {
			return c, err
		}
	}
	address, err := key.Open(r.Email, fieldPlace("email", r.PracticeID, r.ID))
	if err != nil || address == "" {
		return c, err
	}
	c.Email, err = email.Parse(address)
	return c, err
}

// sealed is a contact's details as they are stored.
type sealed struct{ name, email, mobile, basis crypt.Sealed }

func seal(tx *db.Tx, p id.Practice, c id.Contact, d Details) (s sealed, err error) {
	key, err := keys.Of(tx, p)
	if err != nil {
		return s, err
	}
	if s.name, err = key.Seal(d.Name, fieldPlace("name", p, c)); err != nil {
		return s, err
	}
	address := ""
	if !d.Email.IsZero() {
		address = d.Email.String()
	}
	for _, f := range []struct {
		to            *crypt.Sealed
		column, value string
	}{{&s.email, "email", address}, {&s.mobile, "mobile", d.Mobile}, {&s.basis, "basis", d.Basis}} {
		if *f.to, err = key.SealSome(f.value, fieldPlace(f.column, p, c)); err != nil {
			return s, err
		}
	}
	return s, nil
}

func fieldPlace(column string, p id.Practice, c id.Contact) string {
	return crypt.Place("contact."+column, p, c)
}

// changed names the fields that differ, and each right that was given or taken.
func changed(was, is Details) (fields []string) {
	for _, f := range []struct {
		name string
		same bool
	}{
		{"name", was.Name == is.Name},
		{"relation", was.Relation == is.Relation},
		{"email", was.Email.Fold() == is.Email.Fold()},
		{"mobile", was.Mobile == is.Mobile},
		{"emergency", was.Emergency == is.Emergency},
		{"basis", was.Basis == is.Basis},
		{"from", was.From == is.From},
		{"until", was.Until == is.Until},
		{"of_age", was.OfAge == is.OfAge},
	} {
		if !f.same {
			fields = append(fields, f.name)
		}
	}
	for _, r := range access.Rights {
		switch had, has := slices.Contains(was.Rights, r), slices.Contains(is.Rights, r); {
		case has && !had:
			fields = append(fields, "+"+string(r))
		case had && !has:
			fields = append(fields, "-"+string(r))
		}
	}
	return fields
}

func rightFields(some []access.Right) (fields []string) {
	for _, r := range some {
		fields = append(fields, "+"+string(r))
	}
	return fields
}
