package parts

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/a-h/templ"

	"icouch/internal/web/assets"
)

// Pen writes the parts that a page has by the hundred, row after row into one
// stretch of memory. It escapes as templ does, and leaves no way to forget it:
// markup is what [Pen.Put] takes, and words of people go through [Pen.Text] and
// [Pen.Attr].
type Pen struct {
	page []byte
	err  error // the first thing that went wrong: the page is not sent
}

// markup is HTML that stands in our source. The type cannot be named outside
// this package, so what a page hands to a Pen as markup is a constant, or does
// not compile.
type markup string

// Drawing is whatever a Pen can draw.
type Drawing interface{ Draw(p *Pen) }

// Render draws one thing. It is how a Drawing is a templ.Component.
func Render(w io.Writer, d Drawing) error {
	p := takePen()
	defer p.putBack()
	d.Draw(p)
	return p.deliver(w)
}

// Put writes markup. Attributes with a value are for Attr: a constant that
// leaves a quotation mark open is found by a test.
func (p *Pen) Put(m markup) { p.page = append(p.page, m...) }

// Text writes words, wherever they come from.
func (p *Pen) Text(words string) {
	from := 0
	for i := range len(words) {
		if instead := escapes[words[i]]; instead != "" {
			p.page = append(append(p.page, words[from:i]...), instead...)
			from = i + 1
		}
	}
	p.page = append(p.page, words[from:]...)
}

// escapes is what stands for a sign that means something in HTML.
var escapes = [256]string{'&': "&amp;", '<': "&lt;", '>': "&gt;", '"': "&#34;", '\'': "&#39;"}

// Attr writes an attribute with its value in quotation marks. An address that
// would run something leads nowhere, and an attribute that is a program is
// refused.
func (p *Pen) Attr(name markup, value string) {
	switch name {
	case "href", "src", "action", "formaction":
		value = string(templ.URL(value))
	case "style", "srcdoc", "srcset":
		p.fail(fmt.Errorf("draw %s=: not an attribute for words", string(name)))
		return
	}
	if strings.HasPrefix(string(name), "on") {
		p.fail(fmt.Errorf("draw %s=: not an attribute for words", string(name)))
		return
	}
	p.page = append(append(append(p.page, ' '), name...), '=', '"')
	p.Text(value)
	p.page = append(p.page, '"')
}

// Some writes an attribute if there is anything in it.
func (p *Pen) Some(name markup, value string) {
	if value != "" {
		p.Attr(name, value)
	}
}

// Class writes a class attribute of those names that are not empty.
func (p *Pen) Class(names ...string) {
	p.Put(` class="`)
	first := true
	for _, n := range names {
		if n == "" {
			continue
		}
		if !first {
			p.Put(" ")
		}
		p.Text(n)
		first = false
	}
	p.Put(`"`)
}

// component draws what may be a Drawing and may be any component of templ's.
func (p *Pen) component(ctx context.Context, c templ.Component) {
	if d, ok := c.(Drawing); ok {
		d.Draw(p)
		return
	}
	p.fail(c.Render(ctx, verbatim{p}))
}

func (p *Pen) fail(err error) {
	if p.err == nil {
		p.err = err
	}
}

// verbatim is a Pen as a writer, for components that have escaped already.
type verbatim struct{ *Pen }

func (v verbatim) Write(b []byte) (int, error) {
	v.page = append(v.page, b...)
	return len(b), nil
}

// largest is the memory that a Pen may keep for its next page.
const largest = 256 << 10

var pens = sync.Pool{New: func() any { return &Pen{page: make([]byte, 0, 4<<10)} }}

func takePen() *Pen { return pens.Get().(*Pen) }

func (p *Pen) putBack() {
	if cap(p.page) <= largest {
		p.page, p.err = p.page[:0], nil
		pens.Put(p)
	}
}

func (p *Pen) deliver(w io.Writer) error {
	if p.err != nil {
		return p.err
	}
	_, err := w.Write(p.page)
	return err
}

// Icon is one icon of the sprite. It is never the only name of anything.
type Icon string

// Draw draws the icon. A name that is mistyped is an error, and so no page.
func (i Icon) Draw(p *Pen) {
	m, ok := icons()[i]
	if !ok {
		p.fail(fmt.Errorf("no icon %q", string(i)))
		return
	}
	p.Put(m)
}

// icons are drawn once: a list has the same few in every row.
var icons = sync.OnceValue(func() map[Icon]markup {
	all := map[Icon]markup{}
	for name, address := range assets.Load().Icons() {
		all[Icon(name)] = markup(drawIcon(address))
	}
	return all
})

func drawIcon(address string) []byte {
	p := takePen()
	defer p.putBack()
	p.Put(`<svg class="i" aria-hidden="true" focusable="false"><use`)
	p.Attr("href", address)
	p.Put(`></use></svg>`)
	return slices.Clone(p.page)
}

// Render draws the icon.
func (i Icon) Render(_ context.Context, w io.Writer) error { return Render(w, i) }
