package contact

import (
	"errors"
	"strings"

	"icouch/internal/access"
	"icouch/internal/base/civil"
	"icouch/internal/base/email"
	"icouch/internal/base/fault"
	"icouch/internal/base/text"
)

const (
	nameLength  = 120
	basisLength = 400
)

// ErrNoDay says that what was typed is no day.
var ErrNoDay = fault.New(fault.Invalid, "Choose a day.")

// Draft is a contact as typed into the form. It keeps what was typed, so that
// nothing is lost to a mistake.
type Draft struct {
	Name, Relation, Email, Mobile, Basis string
	Emergency, OfAge                     bool
	Rights                               []string
	From, Until                          string
}

// DraftOf is the form for a contact that is there already.
func DraftOf(c Contact) Draft {
	d := Draft{Name: c.Name, Relation: string(c.Relation), Mobile: c.Mobile, Basis: c.Basis, Emergency: c.Emergency, OfAge: c.OfAge}
	if !c.Email.IsZero() {
		d.Email = c.Email.String()
	}
	for _, r := range c.Rights {
		d.Rights = append(d.Rights, string(r))
	}
	if !c.From.IsZero() {
		d.From = c.From.String()
	}
	if !c.Until.IsZero() {
		d.Until = c.Until.String()
	}
	return d
}

// Read turns what was typed into details. The error joins one fault for each
// field that cannot be used.
func (d Draft) Read() (Details, error) {
	is := Details{Relation: Relation(d.Relation), Emergency: d.Emergency, OfAge: d.OfAge}
	var wrong []error
	note := func(field string, err error) {
		if err != nil {
			wrong = append(wrong, fault.At(field, err))
		}
	}
	var err error
	is.Name, err = text.Line(d.Name, nameLength)
	note("name", err)
	if typed := strings.TrimSpace(d.Email); typed != "" {
		is.Email, err = email.Parse(typed)
		note("email", err)
	}
	if strings.TrimSpace(d.Mobile) != "" {
		is.Mobile, err = text.Phone(d.Mobile)
		note("mobile", err)
	}
	is.Basis, err = text.Block(d.Basis, basisLength)
	note("basis", err)
	for _, r := range d.Rights {
		is.Rights = append(is.Rights, access.Right(r))
	}
	day := func(field, typed string) (on civil.Date) {
		if typed = strings.TrimSpace(typed); typed == "" {
			return on
		}
		on, err := civil.ParseDate(typed)
		if err != nil {
			note(field, ErrNoDay)
		}
		return on
	}
	is.From, is.Until = day("from", d.From), day("until", d.Until)
	return is, errors.Join(wrong...)
}
