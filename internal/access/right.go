package access

import (
	"slices"
	"strings"
	"time"

	"icouch/internal/base/at"
	"icouch/internal/base/id"
)

// Right is a part of a client's record that a contact may be given. Messages,
// the journal and the practice's notes are no such part: nobody but the client
// is given those.
type Right string

// The rights. The words stand in the database for ever.
const (
	SeeAppointments Right = "appointments"
	PayInvoices     Right = "invoices"
	FillForms       Right = "forms"
	SeeDocuments    Right = "documents"
)

// Rights are all of them, in the order of the form.
var Rights = []Right{SeeAppointments, PayInvoices, FillForms, SeeDocuments}

// Grant is what a contact was given of a client's record.
type Grant struct {
	Contact id.Contact
	Rights  []Right
	Until   at.Time // when it ends by the clock; zero: it does not
}

// JoinRights is a set of rights as it is stored: each once, in the order of
// Rights. What is none is left out.
func JoinRights(some []Right) string {
	var words []string
	for _, r := range Rights {
		if slices.Contains(some, r) {
			words = append(words, string(r))
		}
	}
	return strings.Join(words, " ")
}

// SplitRights reads what JoinRights wrote.
func SplitRights(stored string) (some []Right) {
	for word := range strings.FieldsSeq(stored) {
		if r := Right(word); slices.Contains(Rights, r) {
			some = append(some, r)
		}
	}
	return some
}

// Terms are what a practice has laid down for a contact. Whether they may act
// at a moment follows from these and the time, and from nothing that has to be
// done when a day has come.
type Terms struct {
	Rights    []Right
	Suspended bool
	Begins    *at.Time // nil: at once
	Ends      *at.Time // the end of the last day; nil: none was set
	OfAge     *at.Time // when the client comes of age, where that ends it
	Care      *at.Time // when the client's care ends, which closes the record to everybody outside
}

// AtAge is when access ends that was to end with a coming of age. Of which no
// day is known any more it has ended: no day is not for ever.
func AtAge(day *at.Time) *at.Time {
	if day != nil {
		return day
	}
	past := at.Of(time.Unix(0, 0))
	return &past
}

// Standing is how a contact stands at a moment.
type Standing string

// The standings. Only Open lets somebody in.
const (
	NoRights  Standing = "no rights"
	Suspended Standing = "suspended"
	Over      Standing = "over"
	Before    Standing = "before"
	Open      Standing = "open"
)

// Standing says how things stand now. The first line that fits counts.
func (t Terms) Standing(now at.Time) Standing {
	until := t.Until()
	switch {
	case len(t.Rights) == 0:
		return NoRights
	case !until.IsZero() && !until.After(now.Time):
		return Over
	case t.Suspended:
		return Suspended
	case t.Begins != nil && t.Begins.After(now.Time):
		return Before
	}
	return Open
}

// Until is when the clock ends it: the first of the ends that there are; zero
// if there is none.
func (t Terms) Until() (first at.Time) {
	for _, end := range []*at.Time{t.Ends, t.OfAge, t.Care} {
		if end != nil && (first.IsZero() || end.Before(first.Time)) {
			first = *end
		}
	}
	return first
}
