package joint

import (
	"errors"

	"icouch/internal/base/civil"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/text"
)

const nameLength = 120

// Draft is a joint record as typed into the form. It keeps what was typed, so
// that nothing is lost to a mistake.
type Draft struct{ Kind, Name, Practitioner string }

// DraftOf is the form for a joint record that is there already.
func DraftOf(r Record) Draft { return Draft{string(r.Kind), r.Name, r.Practitioner.String()} }

// Read turns what was typed into details. The error joins one fault for each
// field that cannot be used.
func (d Draft) Read() (is Details, err error) {
	is = Details{Kind: Kind(d.Kind), Practitioner: id.Practitioner(d.Practitioner)}
	is.Name, err = text.Line(d.Name, nameLength)
	if err != nil {
		return is, errors.Join(fault.At("name", err), kindProblem(is))
	}
	return is, is.check()
}

func kindProblem(d Details) error {
	d.Name = "x"
	return d.check()
}

// ReadDay turns what was typed into the field of a form into a day; empty is none.
func ReadDay(field, typed string) (civil.Date, error) {
	d, err := civil.ParseDate(typed)
	if err != nil {
		return d, fault.At(field, ErrNoDay)
	}
	return d, nil
}
