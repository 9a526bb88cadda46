package people

import (
	"errors"
	"strings"

	"icouch/internal/base/civil"
	"icouch/internal/base/email"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/text"
)

// What people are told about a form.
var (
	ErrNoName    = fault.On("first", fault.Invalid, "Enter a first or a last name.")
	ErrOddChoice = fault.On("zone", fault.Invalid, "Choose a time zone from the list.")
)

const (
	addressLength = 400
	emailLength   = 320
)

// Draft is a client as typed into the "New Client" form, or as a row of a
// file says. It keeps what was typed, so that nothing is lost to a mistake.
type Draft struct {
	First, Last, Preferred string
	Email, Mobile, Address string
	Year, Month, Day       string // of birth
	Zone                   string
	Practitioner           string
	EmailConsent, Invite   bool
}

// DraftOf is the form for a client that is there already.
func DraftOf(c Client) Draft {
	d := Draft{First: c.Name.First, Last: c.Name.Last, Preferred: c.Name.Preferred, Mobile: c.Mobile, Address: c.Address, Zone: c.Zone,
		Practitioner: c.Practitioner.String(), EmailConsent: c.EmailConsent}
	if !c.Email.IsZero() {
		d.Email = c.Email.String()
	}
	if !c.Born.IsZero() {
		d.Year, d.Month, d.Day = c.Born.String()[:4], c.Born.String()[5:7], c.Born.String()[8:]
	}
	return d
}

// Read turns what was typed into a client's details. The error joins one fault
// for each field that cannot be used.
func (d Draft) Read(today civil.Date) (Details, error) {
	var is Details
	var wrong []error
	note := func(field string, err error) {
		if err != nil {
			wrong = append(wrong, fault.At(field, err))
		}
	}
	line := func(field, typed string, most int) string {
		s, err := text.Line(typed, most)
		note(field, err)
		return s
	}
	is.Name = Name{line("first", d.First, nameLength), line("last", d.Last, nameLength), line("preferred", d.Preferred, nameLength)}
	if strings.TrimSpace(d.First+d.Last) == "" {
		wrong = append(wrong, ErrNoName)
	}
	if typed := strings.TrimSpace(d.Email); typed != "" {
		a, err := email.Parse(typed)
		note("email", err)
		is.Email = a
	}
	if strings.TrimSpace(d.Mobile) != "" {
		m, err := text.Phone(d.Mobile)
		note("mobile", err)
		is.Mobile = m
	}
	a, err := text.Block(d.Address, addressLength)
	note("address", err)
	is.Address = a
	if strings.TrimSpace(d.Year+d.Month+d.Day) != "" {
		born, err := civil.ParseBoxes(d.Year, d.Month, d.Day)
		if err == nil {
			err = civil.CheckBirth(born, today)
		}
		note("born", err)
		is.Born = born
	}
	if d.Zone != "" {
		z, err := civil.ParseZone(d.Zone)
		if err != nil {
			wrong = append(wrong, ErrOddChoice)
		} else {
			is.Zone = z.String()
		}
	}
	if d.Practitioner != "" {
		p, err := id.Parse[id.Practitioner](d.Practitioner)
		if err != nil {
			wrong = append(wrong, ErrNoSuchPractitioner)
		}
		is.Practitioner = p
	}
	is.EmailConsent = d.EmailConsent
	return is, errors.Join(wrong...)
}
