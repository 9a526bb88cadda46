package letter

import (
	"html"
	"math"
	"strings"
	"unicode/utf8"
)

// Body is what a letter says. It is drawn twice from the same words: as plain
// text, complete in itself, and as HTML.
type Body struct {
	Subject string
	Parts   []Part
}

// Part is one piece of a letter: exactly one of its fields is set.
type Part struct {
	Text   string   `json:",omitzero"` // a paragraph
	Note   string   `json:",omitzero"` // somebody's own words, line breaks kept
	Button *Button  `json:",omitzero"` // the one thing to press
	List   []string `json:",omitzero"` // points, after a paragraph that ends with a colon
	Sign   string   `json:",omitzero"` // who writes, at the end
}

// Button is the one thing to press in a letter. In plain text it is its label
// and the address on a line of its own.
type Button struct{ Label, URL string }

// What a letter says of the installation is filled in when it goes out: the
// verbs that write letters do not know where they run. These stand for it.
const (
	Brand = "⟦brand⟧" // the product's name here
	Base  = "⟦base⟧"  // the address of the site, without a slash at the end
	Host  = "⟦host⟧"  // the name to look for in the address bar
)

// House is the installation, as letters speak of it.
type House struct{ Brand, Base, Host string }

// Fill puts the installation's own words into a letter.
func (h House) Fill(b Body) Body {
	marks := strings.NewReplacer(Brand, h.Brand, Base, h.Base, Host, h.Host)
	filled := Body{Subject: marks.Replace(b.Subject), Parts: make([]Part, len(b.Parts))}
	for i, p := range b.Parts {
		p.Text, p.Sign = marks.Replace(p.Text), marks.Replace(p.Sign)
		if p.Button != nil {
			p.Button = &Button{marks.Replace(p.Button.Label), marks.Replace(p.Button.URL)}
		}
		if p.List != nil {
			list := make([]string, len(p.List))
			for j, point := range p.List {
				list[j] = marks.Replace(point)
			}
			p.List = list
		}
		filled.Parts[i] = p
	}
	return filled
}

// width of a line of plain text, in letters.
const width = 72

// Text draws the letter as plain text.
func (b Body) Text() string { return b.text(width) }

// Flowing is the same with each paragraph on one line, for a page that breaks
// lines by itself.
func (b Body) Flowing() string { return b.text(math.MaxInt) }

func (b Body) text(width int) string {
	var t strings.Builder
	for i, p := range b.Parts {
		if i > 0 && p.List == nil {
			t.WriteString("\n")
		}
		switch {
		case p.Text != "":
			wrap(&t, p.Text, "", "", width)
		case p.Note != "":
			for line := range strings.Lines(p.Note) {
				wrap(&t, line, "  ", "  ", width)
			}
		case p.Button != nil:
			t.WriteString(p.Button.Label + ":\n" + p.Button.URL + "\n")
		case p.List != nil:
			for _, point := range p.List {
				wrap(&t, point, "- ", "  ", width)
			}
		case p.Sign != "":
			t.WriteString(p.Sign + "\n")
		}
	}
	return t.String()
}

// wrap breaks a paragraph into lines: the first begins with first, all others
// with indent. A long word, such as a link, stays whole.
func wrap(t *strings.Builder, paragraph, first, indent string, width int) {
	column := len(first)
	for i, word := range strings.FieldsFunc(paragraph, func(r rune) bool { return r == ' ' || r == '\n' }) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
			t.WriteString(first)
		case column+1+n > width:
			t.WriteString("\n" + indent)
			column = len(indent)
		default:
			t.WriteString(" ")
			column++
		}
		t.WriteString(word)
		column += n
	}
	t.WriteString("\n")
}

// The look of a letter: one column, no picture, nothing from elsewhere, and
// colours that survive a dark screen.
const (
	htmlHead = `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
		`<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">` +
		`<style>:root{color-scheme:light dark}@media (prefers-color-scheme:dark){.t{color:#F0EAE2!important}.q{border-color:#8D8377!important}}</style></head>` +
		`<body style="margin:0;padding:24px 16px"><div class="t" style="max-width:560px;margin:0 auto;overflow-wrap:anywhere;font:17px/1.5 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;color:#25211D">`
	htmlTail  = `</div></body></html>`
	htmlPress = `display:inline-block;background:#1C5E57;color:#FFFFFF;border:2px solid #1C5E57;border-radius:10px;padding:12px 20px;font-weight:600;text-decoration:none`
)

// HTML draws the letter as HTML, saying the same.
func (b Body) HTML() string {
	var t strings.Builder
	t.WriteString(htmlHead)
	for _, p := range b.Parts {
		switch {
		case p.Text != "":
			t.WriteString(`<p style="margin:0 0 16px">` + linked(p.Text) + `</p>`)
		case p.Note != "":
			t.WriteString(`<p class="q" style="margin:0 0 16px;padding-left:12px;border-left:3px solid #8A8074">` +
				strings.ReplaceAll(html.EscapeString(p.Note), "\n", "<br>") + `</p>`)
		case p.Button != nil:
			url := html.EscapeString(p.Button.URL)
			t.WriteString(`<p style="margin:24px 0 8px"><a href="` + url + `" style="` + htmlPress + `">` + html.EscapeString(p.Button.Label) +
				`</a></p><p style="margin:0 0 24px;font-size:14px;word-break:break-all">` + url + `</p>`)
		case p.List != nil:
			t.WriteString(`<ul style="margin:0 0 16px;padding-left:20px">`)
			for _, point := range p.List {
				t.WriteString(`<li style="margin:0 0 4px">` + html.EscapeString(point) + `</li>`)
			}
			t.WriteString(`</ul>`)
		case p.Sign != "":
			t.WriteString(`<p style="margin:0">` + html.EscapeString(p.Sign) + `</p>`)
		}
	}
	t.WriteString(htmlTail)
	return t.String()
}

// linked is a paragraph in which an address can be pressed. Names and notes have
// none in them: see text.StripLinks.
func linked(paragraph string) string {
	words := strings.Split(paragraph, " ")
	for i, w := range words {
		words[i] = html.EscapeString(w)
		if strings.HasPrefix(w, "https://") || strings.HasPrefix(w, "http://") {
			words[i] = `<a href="` + words[i] + `" style="color:inherit">` + words[i] + `</a>`
		}
	}
	return strings.Join(words, " ")
}
