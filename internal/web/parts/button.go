package parts

import (
	"context"
	"io"

	"github.com/a-h/templ"
)

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

func (b Button) kind() string {
	if b.Kind == "" {
		return string(Secondary)
	}
	return string(b.Kind)
}

func (b Button) class(p *Pen) {
	p.Class("btn", b.kind(), when(b.Small, "sm"), when(b.Wide, "wide"), when(b.IconOnly, "icon"))
}

func when(yes bool, name string) string {
	if yes {
		return name
	}
	return ""
}

// View makes a component of the button.
func (b Button) View() templ.Component { return b }

// Render draws the button.
func (b Button) Render(_ context.Context, w io.Writer) error { return Render(w, b) }

// Draw draws the button or the link.
func (b Button) Draw(p *Pen) {
	if b.Href != "" && !b.Disabled {
		b.link(p)
		return
	}
	p.Put(`<button type="submit"`)
	if b.Disabled {
		p.Put(` disabled`)
	}
	b.class(p)
	p.Some("id", b.ID)
	p.Some("name", b.Name)
	p.Some("value", b.Value)
	p.Some("form", b.Form)
	p.Some("formaction", b.Action)
	p.Some("data-applies", b.Applies)
	p.Some("aria-describedby", b.Described)
	p.Put(`>`)
	b.inside(p)
	p.Put(`</button>`)
}

func (b Button) link(p *Pen) {
	p.Put(`<a`)
	b.class(p)
	p.Attr("href", b.Href)
	p.Some("aria-describedby", b.Described)
	p.Some("id", b.ID)
	if b.External {
		p.Put(` target="_blank" rel="noopener noreferrer"`)
	}
	p.Put(`>`)
	b.inside(p)
	p.Put(`</a>`)
}

func (b Button) inside(p *Pen) {
	if b.Icon != "" {
		Icon(b.Icon).Draw(p)
	}
	p.Put(`<span`)
	if b.IconOnly {
		p.Put(` class="vh"`)
	}
	p.Put(` data-words>`)
	p.Text(b.Label)
	p.Put(`</span> `)
	if b.Hidden != "" {
		p.Put(`<span class="vh"> `)
		p.Text(b.Hidden)
		p.Put(`</span> `)
	}
	if b.External {
		p.Put(`<span class="vh"> (opens in a new tab)</span>`)
	}
}

// View makes a component of the form.
func (f ButtonForm) View() templ.Component { return f }

// Render draws the form.
func (f ButtonForm) Render(_ context.Context, w io.Writer) error { return Render(w, f) }

// Draw draws the form with its one button.
func (f ButtonForm) Draw(p *Pen) {
	p.Put(`<form method="post"`)
	p.Attr("action", f.Action)
	p.Put(` data-once>`)
	hidden(f.Hidden).Draw(p)
	f.Button.Draw(p)
	p.Put(`</form>`)
}

// hidden is the fields of a form that nobody sees.
type hidden []Pair

func (h hidden) Draw(p *Pen) {
	for _, f := range h {
		p.Put(`<input type="hidden"`)
		p.Attr("name", f.Name)
		p.Attr("value", f.Value)
		p.Put(`>`)
	}
}

func (h hidden) Render(_ context.Context, w io.Writer) error { return Render(w, h) }

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

func current(yes bool) templ.Attributes {
	if !yes {
		return nil
	}
	return templ.Attributes{"aria-current": "page"}
}
