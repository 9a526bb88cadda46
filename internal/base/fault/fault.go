// Package fault names the ways a request can fail that a person should be
// told about: what is wrong, and the way on.
//
// Anything else is our own mistake: it is logged in full, and the person sees
// only "Something went wrong" and a reference.
package fault

//lint:file-ignore ST1012 these are kinds, and read as words: fault.NotFound

import "errors"

// The kinds. The web maps each to a status in one table; nothing below the
// web knows what HTTP is.
var (
	NotFound  = errors.New("not found") // also: exists, but not for you
	Forbidden = errors.New("forbidden") // looks like NotFound from outside
	Conflict  = errors.New("conflict")  // somebody was quicker, or the state is another
	Gone      = errors.New("gone")      // it was here once
	Invalid   = errors.New("invalid")   // what was typed cannot be used
	Busy      = errors.New("busy")      // not now: too often, or too much at once
)

// Fault is a failure with words fit for the person who caused it.
type Fault struct {
	kind   error
	Public string // one or two whole sentences
	Field  string // the form's field it is about, or empty
}

// New returns a fault of the given kind. Declare one per sentence, at package
// level, so that tests and callers can name it with errors.Is.
func New(kind error, public string) *Fault { return &Fault{kind: kind, Public: public} }

// On returns a fault that is about one field of a form.
func On(field string, kind error, public string) *Fault {
	return &Fault{kind: kind, Public: public, Field: field}
}

func (f *Fault) Error() string { return f.Public }

// Unwrap returns the kind, so that errors.Is(err, fault.Gone) asks for it.
func (f *Fault) Unwrap() error { return f.kind }

// At returns err as a fault about field, if it is a fault; a form with several
// fields of one sort says so which one is meant.
func At(field string, err error) error {
	f, ok := errors.AsType[*Fault](err)
	if !ok {
		return err
	}
	return &about{f, field}
}

// about is a fault that has been told its field; it is still the same fault to
// errors.Is.
type about struct {
	*Fault
	field string
}

func (a *about) Unwrap() error { return a.Fault }

// As finds the fault in err: its sentence and the field it is about.
func As(err error) (sentence, field string, ok bool) {
	if a, found := errors.AsType[*about](err); found {
		return a.Public, a.field, true
	}
	f, found := errors.AsType[*Fault](err)
	if !found {
		return "", "", false
	}
	return f.Public, f.Field, true
}

// Told is one thing to tell a person: a sentence, and the field it is about.
type Told struct{ Sentence, Field string }

// Each returns every fault in err, which may join several, in order. It is
// empty if err holds anything that is our own mistake.
func Each(err error) (all []Told) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			some := Each(e)
			if some == nil {
				return nil
			}
			all = append(all, some...)
		}
		return all
	}
	if sentence, field, ok := As(err); ok {
		return []Told{{sentence, field}}
	}
	return nil
}
