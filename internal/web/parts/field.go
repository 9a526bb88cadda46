package parts

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/a-h/templ"
)

// Form is a form that is sent by POST. Problems come from the server, in our
// own words; the browser's bubbles stay out of it.
type Form struct {
	Action string
	ID     string
	Hidden []Pair
	Plain  bool // no spacing of its own, for forms inside other things
	Files  bool // multipart, for uploads
	Get    bool // asks for another part of a page; what it holds stands in the address
}

// InputKind is what a one-line field holds.
type InputKind string

// The kinds of one-line fields.
const (
	Text     InputKind = "text"
	Email    InputKind = "email"
	Tel      InputKind = "tel"
	Password InputKind = "password"
	Date     InputKind = "date"
	Time     InputKind = "time"
	URL      InputKind = "url"
	Code     InputKind = "code" // digits from an app or a message; may be pasted
)

// Input is a one-line field.
type Input struct {
	Name, Label, Value   string
	Hint, Problem        string
	Kind                 InputKind // Text when empty
	Autocomplete         string    // Email, Tel and Code bring their own
	MaxLength            int
	Required, Optional   bool // Optional writes "(optional)" after the label
	Short, Disabled, Raw bool // Short is 12rem wide; Raw stops spelling and capitals
}

// TextArea is a field of several lines. With Max it says what is left.
type TextArea struct {
	Name, Label, Value string
	Hint, Problem      string
	Rows, Max          int
	Required, Optional bool
}

// Select is a choice of one from many.
type Select struct {
	Name, Label, Value string
	Hint, Problem      string
	Prompt             string // first line while nothing is chosen; "" for none
	Options            []Option
	Autocomplete       string
	GuessZone          bool // a list of time zones: the device's is chosen if none is
	Required, Optional bool
}

// Option is one line of a Select. Those with the same Group stand together.
type Option struct{ Value, Label, Group string }

// Tick is a check box with its words: one whole row to press. Without Label the
// words are the children, which may hold links.
type Tick struct {
	Name, Value, Label string // Value "yes" when empty
	Hint, Problem      string
	Checked, Disabled  bool
}

// Choices are radio buttons as cards.
type Choices struct {
	Name, Legend, Value string
	Hint, Problem       string
	Options             []Choice
}

// Choice is one card.
type Choice struct {
	Value, Label, Hint string
	Disabled           bool
}

// BirthDate is three boxes, called Name-month, Name-day and Name-year.
type BirthDate struct {
	Name, Legend     string
	Hint, Problem    string
	Month, Day, Year string
	Optional, Own    bool // Own: the reader's own birth date, so the browser may fill it in
}

// Group is several fields under one heading that is read with each of them.
type Group struct{ Legend, Hint, Problem, Name string }

// Given is what is known already and cannot be changed here, drawn like text.
type Given struct{ Facts []GivenFact }

// GivenFact is one line of it. A Username is a read-only field without a name,
// so that a password manager keeps it with the password chosen below it.
type GivenFact struct {
	Label, Value string
	Username     bool
}

// months for the box of a birth date.
var months = strings.Split("January February March April May June July August September October November December", " ")

func (i Input) htmlType() string {
	switch i.Kind {
	case "", Code:
		return "text"
	}
	return string(i.Kind)
}

func (i Input) attributes() templ.Attributes {
	a := filled("autocomplete", i.autocomplete())
	if i.MaxLength > 0 {
		a["maxlength"] = strconv.Itoa(i.MaxLength)
	}
	if i.Kind == Code {
		a["inputmode"] = "numeric"
	}
	if i.Raw || i.Kind == Code || i.Kind == Password || i.Kind == Email {
		a["autocapitalize"], a["spellcheck"] = "none", "false"
	}
	return a
}

func (i Input) autocomplete() string {
	switch {
	case i.Autocomplete != "":
		return i.Autocomplete
	case i.Kind == Code:
		return "one-time-code"
	case i.Kind == Email, i.Kind == Tel:
		return string(i.Kind)
	}
	return ""
}

// wiring ties a field to its hint and its problem.
func wiring(name, hint, problem string, required bool, more ...string) templ.Attributes {
	var ids []string
	if hint != "" {
		ids = append(ids, FieldID(name)+"-hint")
	}
	if problem != "" {
		ids = append(ids, FieldID(name)+"-err")
	}
	a := filled("aria-describedby", strings.Join(append(ids, more...), " "))
	if problem != "" {
		a["aria-invalid"] = "true"
	}
	if required {
		a["required"] = true
	}
	return a
}

func fieldClass(problem string, short bool) string {
	class := "field"
	if problem != "" {
		class += " bad"
	}
	if short {
		class += " short"
	}
	return class
}

func (a TextArea) attributes() templ.Attributes {
	rows := max(a.Rows, 3)
	if a.Max == 0 {
		at := wiring(a.Name, a.Hint, a.Problem, a.Required)
		at["rows"] = strconv.Itoa(rows)
		return at
	}
	at := wiring(a.Name, a.Hint, a.Problem, a.Required, FieldID(a.Name)+"-left")
	at["rows"], at["maxlength"], at["data-left"] = strconv.Itoa(rows), strconv.Itoa(a.Max), FieldID(a.Name)+"-left"
	return at
}

// limit is the counter's sentence where there is no script to count.
func (a TextArea) limit() string { return fmt.Sprintf("%d characters at most", a.Max) }

// run is options that stand together under one heading, or under none.
type run struct {
	group   string
	options []Option
	chosen  int // which of them is; less than zero: none
}

func (s Select) runs() []run {
	var out []run
	found := false
	for _, o := range s.Options {
		if len(out) == 0 || out[len(out)-1].group != o.Group {
			out = append(out, run{group: o.Group, chosen: -1})
		}
		last := &out[len(out)-1]
		if o.Value == s.Value && !found { // it may stand in several groups
			last.chosen, found = len(last.options), true
		}
		last.options = append(last.options, o)
	}
	return out
}

func (s Select) attributes() templ.Attributes {
	a := wiring(s.Name, s.Hint, s.Problem, s.Required)
	if s.Autocomplete != "" {
		a["autocomplete"] = s.Autocomplete
	}
	if s.GuessZone {
		a["data-guess-zone"] = true
	}
	return a
}

func (t Tick) value() string {
	if t.Value == "" {
		return "yes"
	}
	return t.Value
}

// id: several boxes of one name are told apart by their value.
func (t Tick) id() string {
	if t.Value == "" {
		return FieldID(t.Name)
	}
	return FieldID(t.Name) + "-" + clean(t.Value)
}

func (t Tick) wiring() templ.Attributes {
	name := strings.TrimPrefix(t.id(), "f-")
	return wiring(name, t.Hint, t.Problem, false)
}

// choiceID: the first has the field's own id, so that a link to the field
// leads to it.
func (c Choices) choiceID(i int) string {
	if i == 0 {
		return FieldID(c.Name)
	}
	return FieldID(c.Name) + "-" + strconv.Itoa(i)
}

func (c Choices) hintID(i int) string { return c.choiceID(i) + "-about" }

func (b BirthDate) autocomplete(part string) templ.Attributes {
	if !b.Own {
		return templ.Attributes{"autocomplete": "off"}
	}
	return templ.Attributes{"autocomplete": "bday-" + part}
}

func givenID(i int) string { return "given-" + strconv.Itoa(i) }
