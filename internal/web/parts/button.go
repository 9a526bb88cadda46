package parts

import "github.com/a-h/templ"

// ButtonKind is how much a button asks for attention.
type ButtonKind string

// One Primary a page. Rows use Soft where a hand is needed and Quiet elsewhere.
const (
	Secondary ButtonKind = "secondary"
	Primary   ButtonKind = "primary"
	Soft      ButtonKind = "soft"
	Quiet     ButtonKind = "quiet"
	Ghost     ButtonKind = "ghost"
	Danger    ButtonKind = "danger"
	Inline    ButtonKind = "inline" // looks like a link in a line of text, and sends a form
)

// Button is a button that sends its form, or with Href a link that looks like one.
type Button struct {
	Label     string
	Hidden    string // after the label, for screen readers: "Annie Noda"
	Kind      ButtonKind
	Icon      string
	Href      string
	ID        string
	Name      string // with Value, what the form learns about this button
	Value     string
	Form      string // id of a form elsewhere on the page
	Action    string // another address for the form
	Applies   string // in a bulk bar: counts the rows whose Pick.Can has this word
	Described string // id of the words that explain, above all why it is Disabled
	Small     bool
	Wide      bool
	IconOnly  bool // the label is hidden but still there
	Disabled  bool
	External  bool // opens in a tab of its own and says so
}

// ButtonForm is one button that is a whole form: a row's action, sign-out, undo.
type ButtonForm struct {
	Action string
	Hidden []Pair
	Button Button
}

// Pair is a hidden field.
type Pair struct{ Name, Value string }

func (b Button) class() string {
	kind := b.Kind
	if kind == "" {
		kind = Secondary
	}
	class := "btn " + string(kind)
	for _, c := range []struct {
		on   bool
		name string
	}{{b.Small, " sm"}, {b.Wide, " wide"}, {b.IconOnly, " icon"}} {
		if c.on {
			class += c.name
		}
	}
	return class
}

// attributes are those that are there only when they say something.
func (b Button) attributes() templ.OrderedAttributes {
	return some(
		"class", b.class(),
		"id", b.ID, "name", b.Name, "value", b.Value, "form", b.Form, "formaction", string(templ.URL(b.Action)),
		"data-applies", b.Applies, "aria-describedby", b.Described,
	)
}

// filled keeps the pairs whose value is not empty.
func filled(pairs ...string) templ.Attributes {
	a := templ.Attributes{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			a[pairs[i]] = pairs[i+1]
		}
	}
	return a
}

// some is filled for what a page has many of: a slice, not a map.
func some(pairs ...string) templ.OrderedAttributes {
	n := 0
	for i := 1; i < len(pairs); i += 2 {
		if pairs[i] != "" {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	a := make(templ.OrderedAttributes, 0, n)
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			a = append(a, templ.KeyValue[string, any]{Key: pairs[i], Value: pairs[i+1]})
		}
	}
	return a
}

// class is a class attribute. Templ's own goes through a map each time, which a
// page of fifty rows has no time for.
func class(name, more string) templ.OrderedAttributes {
	if more != "" {
		name += " " + more
	}
	return templ.OrderedAttributes{{Key: "class", Value: name}}
}

func current(yes bool) templ.Attributes {
	if !yes {
		return nil
	}
	return templ.Attributes{"aria-current": "page"}
}
