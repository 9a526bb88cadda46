package people

import (
	"strings"

	"icouch/internal/access"
	"icouch/internal/base/civil"
	"icouch/internal/base/email"
	"icouch/internal/base/id"
	"icouch/internal/people/peopledb"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

// For returns the details as by may read them: what a role does not need it
// does not get. Every client that Find returns has gone through here, so that
// no page, form or file can show more.
func (d Details) For(by access.Actor) Details {
	if by.AtWork() && !by.May(access.SeePrivate) {
		d.Born, d.Address = civil.Date{}, ""
	}
	return d
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
