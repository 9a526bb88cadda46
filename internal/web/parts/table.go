package parts

import (
	"cmp"
	"context"
	"io"
	"strings"

	"github.com/a-h/templ"
)

// ColumnKind is how a column behaves, above all on a phone, where each row is
// a card.
type ColumnKind string

// Main is the card's first line, Line a whole line of its own, Wide is left
// out on phones, Number is set right, Act holds buttons, Corner a row's Menu.
const (
	PlainColumn ColumnKind = "plain"
	Main        ColumnKind = "main"
	Line        ColumnKind = "line"
	Wide        ColumnKind = "wide"
	Number      ColumnKind = "number"
	Act         ColumnKind = "act"
	Corner      ColumnKind = "corner"
)

// Table is rows on a wide screen and cards on a phone, the same markup.
type Table struct {
	ID      string // of the part that a search puts in place
	Caption string // for screen readers: "People"
	Say     string // said when a search has put this in place: "3 people"
	Columns []Column
	Rows    []Row
	Bulk    *Bulk
	More    *ShowMore
	Empty   *Empty // drawn instead when there are no rows
}

// Column is one head.
type Column struct {
	Label   string
	Kind    ColumnKind
	Quiet   bool // the label is there, but not to be seen
	Labeled bool // on a phone its label stands above the value
}

// Row is one row. There is a cell for each column.
type Row struct {
	ID    string
	Cells []templ.Component
	Pick  *Pick
}

// Pick is the box with which a row is chosen.
type Pick struct {
	Value   string
	Label   string   // "Choose Annie Noda"
	Can     []string // which of the bulk buttons apply: see Button.Applies
	Checked bool
}

// Bulk is what can be done with several rows at once. The boxes belong to this
// form by its id, so rows may hold forms of their own.
type Bulk struct {
	ID      string
	Action  string
	Name    string // what the boxes are called
	Hidden  []Pair
	Buttons []Button
}

// ShowMore leads to the next rows, by a link or, where names are searched, by
// a form.
type ShowMore struct {
	Href, Words string // "50 of 132 shown"
	Post        string
	Hidden      []Pair
}

// Pages leads back and forth where a list has an end worth knowing.
type Pages struct{ Earlier, Later, Words string }

// Person is the cell with a name. On phones, where the avatar and the e-mail's
// column give way, Mail stands under the name.
type Person struct {
	Name, Href, Note, Mail string
	Initials               string // of whom, where Name says more than a name; "?" for nobody's
}

// Words is a cell of plain text.
type Words string

// Search is a search box. Names are searched by POST only. With Target the
// results follow as one types.
type Search struct {
	Action, Name, Value string
	Label               string   // "Search by name or e-mail"
	Target              string   // id of what the results replace
	Also                []string // ids that change along with it
	Hidden              []Pair
}

// Segments is a filter of a few links.
type Segments struct {
	Label string // "Show"
	Links []Segment
}

// Segment is one of them. Count is in words already: "" for none.
type Segment struct {
	Label, Href, Count string
	Current            bool
}

func (c Column) kind() string {
	if c.Kind == "" {
		return string(PlainColumn)
	}
	return string(c.Kind)
}

func (p Pick) can() string { return strings.Join(p.Can, " ") }

// column is that of a cell; a cell too many is drawn plain.
func (t Table) column(i int) Column {
	if i < len(t.Columns) {
		return t.Columns[i]
	}
	return Column{}
}

// rows are the body of a table.
type rows struct{ Table }

func (t rows) Render(ctx context.Context, w io.Writer) error {
	p := takePen()
	defer p.putBack()
	for i := range t.Rows {
		t.row(ctx, p, &t.Rows[i])
	}
	return p.deliver(w)
}

func (t rows) row(ctx context.Context, p *Pen, r *Row) {
	p.Put(`<tr role="row"`)
	p.Some("id", r.ID)
	p.Put(`>`)
	if t.Bulk != nil {
		p.Put(`<td class="choose" role="cell">`)
		if r.Pick != nil {
			t.Bulk.box(p, r.Pick)
		}
		p.Put(`</td>`)
	}
	for i, cell := range r.Cells {
		c := t.column(i)
		p.Put(`<td`)
		p.Class(c.kind())
		p.Put(` role="cell">`)
		if c.Labeled {
			p.Put(`<span class="label" aria-hidden="true">`)
			p.Text(c.Label)
			p.Put(`</span>`)
		}
		p.component(ctx, cell)
		p.Put(`</td>`)
	}
	p.Put(`</tr>`)
}

// box draws the box of one row.
func (b *Bulk) box(p *Pen, k *Pick) {
	p.Put(`<label class="hit"><input class="check pick" type="checkbox"`)
	p.Attr("form", b.ID)
	p.Attr("name", b.Name)
	p.Attr("value", k.Value)
	if k.Checked {
		p.Put(` checked`)
	}
	p.Some("data-can", k.can())
	p.Put(`> <span class="vh">`)
	p.Text(k.Label)
	p.Put(`</span></label>`)
}

// View makes a component of the name.
func (n Person) View() templ.Component { return n }

// Render draws the name.
func (n Person) Render(_ context.Context, w io.Writer) error { return Render(w, n) }

// Draw draws the name and what is known at a glance.
func (n Person) Draw(p *Pen) {
	p.Put(`<span class="who">`)
	Avatar{cmp.Or(n.Initials, n.Name)}.Draw(p)
	p.Put(`<span>`)
	if n.Href != "" {
		p.Put(`<a`)
		p.Attr("href", n.Href)
		p.Put(`>`)
		p.Text(n.Name)
		p.Put(`</a> `)
	} else {
		p.Put(`<b>`)
		p.Text(n.Name)
		p.Put(`</b> `)
	}
	if n.Mail != "" {
		p.Put(`<small class="phone">`)
		p.Text(n.Mail)
		p.Put(`</small> `)
	}
	if n.Note != "" {
		p.Put(`<small>`)
		p.Text(n.Note)
		p.Put(`</small>`)
	}
	p.Put(`</span></span>`)
}

// View makes a component of the text.
func (t Words) View() templ.Component { return t }

// Render draws the text.
func (t Words) Render(_ context.Context, w io.Writer) error { return Render(w, t) }

// Draw draws the text.
func (t Words) Draw(p *Pen) {
	p.Put(`<span>`)
	p.Text(string(t))
	p.Put(`</span>`)
}

func (s Search) attributes() templ.Attributes {
	if s.Target == "" {
		return nil
	}
	a := filled("data-target", s.Target, "data-also", strings.Join(s.Also, " "))
	a["data-live-search"] = true
	return a
}
