package parts

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/a-h/templ"
	"golang.org/x/net/html"
	"pgregory.net/rapid"
)

// drawn is what a Pen makes of a drawing.
func drawn(t testing.TB, draw func(*Pen)) string {
	t.Helper()
	var b bytes.Buffer
	if err := Render(&b, drawing(draw)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

type drawing func(*Pen)

func (d drawing) Draw(p *Pen) { d(p) }

func TestAPenEscapesAsTemplDoes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		words := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.RuneFrom([]rune(`<>&"'a=:/ `))), rapid.SampledFrom(hostile)).Draw(rt, "words")
		if got, want := drawn(t, func(p *Pen) { p.Text(words) }), templ.EscapeString(words); got != want {
			rt.Fatalf("%q is written as %q, want %q", words, got, want)
		}
		if got, want := drawn(t, func(p *Pen) { p.Attr("title", words) }), ` title="`+templ.EscapeString(words)+`"`; got != want {
			rt.Fatalf("%q is the attribute %q, want %q", words, got, want)
		}
		if got, want := drawn(t, func(p *Pen) { p.Class("a", words) }), strings.TrimSuffix(` class="a `+templ.EscapeString(words), " ")+`"`; words != " " && words == strings.TrimSpace(words) && got != want {
			rt.Fatalf("%q is the class %q, want %q", words, got, want)
		}
	})
}

func TestAnAddressThatRunsSomethingLeadsNowhere(t *testing.T) {
	t.Parallel()
	for _, name := range []markup{"href", "src", "action", "formaction"} {
		for _, address := range []string{"javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)", "java\nscript:alert(1)", "data:text/html,x", "vbscript:x",
			"/people", "https://example.com/?a=b&c=d", "mailto:a@example.com", "?q=a:b", "", "#f-email", "http:"} {
			want := " " + string(name) + `="` + templ.EscapeString(string(templ.URL(address))) + `"`
			if got := drawn(t, func(p *Pen) { p.Attr(name, address) }); got != want {
				t.Errorf("%q becomes %s, want %s", address, got, want)
			}
		}
	}
	if got := drawn(t, func(p *Pen) { p.Some("href", "javascript:alert(1)") }); strings.Contains(got, "alert") {
		t.Errorf("an address that is left out when empty is %s", got)
	}
}

func TestAnAttributeThatIsAProgramIsNoPage(t *testing.T) {
	t.Parallel()
	for _, name := range []markup{"style", "srcdoc", "srcset", "onclick", "onfocus"} {
		var b bytes.Buffer
		if err := Render(&b, drawing(func(p *Pen) { p.Put("<b"); p.Attr(name, "x"); p.Put(">") })); err == nil || b.Len() > 0 {
			t.Errorf("%s= is drawn: %s", string(name), b.String())
		}
	}
}

func TestAPenKeepsNothingOfItsLastPage(t *testing.T) {
	t.Parallel()
	for range 100 {
		_ = Render(&bytes.Buffer{}, drawing(func(p *Pen) { p.Text("a secret"); Icon("no such icon").Draw(p) }))
		if got := drawn(t, func(p *Pen) { p.Text("next") }); got != "next" {
			t.Fatalf("the next page is %q", got)
		}
	}
}

// filledWith sets every string of a part, however deep, to one word, and every
// choice but Disabled to yes. An icon is one that exists.
func filledWith(v reflect.Value, word string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(word)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			filledWith(v.Index(i), word)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			switch v.Type().Field(i).Name {
			case "Icon":
				v.Field(i).SetString("send")
			case "Disabled":
			default:
				filledWith(v.Field(i), word)
			}
		}
	}
}

// everywhere is a part with one word wherever there can be one.
func everywhere[P any](word string) (part P) {
	filledWith(reflect.ValueOf(&part).Elem(), word)
	return part
}

// shapeOf is a part's elements and attributes, and all its words.
func shapeOf(t *testing.T, out string) (shape, words string) {
	t.Helper()
	if strings.HasPrefix(out, "<tr") {
		out = "<table>" + out + "</table>"
	}
	body, err := html.Parse(strings.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	var s strings.Builder
	for n := range body.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		s.WriteString("<" + n.Data)
		for _, a := range n.Attr {
			s.WriteString(" " + a.Key)
		}
		s.WriteString(">")
	}
	return s.String(), text(body)
}

func TestNoPartDrawsAnElementOrAttributeThatWasNotAskedFor(t *testing.T) {
	t.Parallel()
	parts := map[string]func(word string) templ.Component{
		"button":      func(w string) templ.Component { b := everywhere[Button](w); b.Href = ""; return b },
		"link":        func(w string) templ.Component { return everywhere[Button](w) },
		"button form": func(w string) templ.Component { return everywhere[ButtonForm](w) },
		"person":      func(w string) templ.Component { return everywhere[Person](w) },
		"no link":     func(w string) templ.Component { return Person{Name: w, Note: w, Mail: w} },
		"status": func(w string) templ.Component {
			return Status{Kind: StatusKind(w), Words: w, Detail: w, Mend: Words(w)}
		},
		"avatar": func(w string) templ.Component { return Avatar{w} },
		"words":  func(w string) templ.Component { return Words(w) },
		"row": func(w string) templ.Component {
			t := Table{Bulk: &Bulk{ID: w, Name: w}, Columns: []Column{{Label: w, Kind: ColumnKind(w), Labeled: true}}}
			t.Rows = []Row{{ID: w, Pick: &Pick{w, w, []string{w}, true}, Cells: []templ.Component{Words(w), Tag{Words: w}.View()}}}
			return rows{t}
		},
	}
	for name, make := range parts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want, said := shapeOf(t, render(t, make("plain")))
			if name != "avatar" && !strings.Contains(said, "plain") || want == "" {
				t.Fatalf("it says %q; this test proves nothing", said)
			}
			for _, w := range hostile {
				if w == "" {
					continue // what is empty is left out, as it should be
				}
				got, said := shapeOf(t, render(t, make(w)))
				if got != want {
					t.Errorf("the words %q change it\n from %s\n to %s", w, want, got)
				}
				if name != "avatar" && !strings.Contains(said, w) {
					t.Errorf("it says %q, and not %q", said, w)
				}
			}
		})
	}
}

// Between the constants that a Pen puts on the page stand words of people. They
// are escaped, which is enough between elements and in quotation marks that
// Attr set, and nowhere else.
func TestNoMarkupLeavesAnAttributeOpenForWords(t *testing.T) {
	t.Parallel()
	complete := regexp.MustCompile(`[a-z-]+="[^"]*"`)
	n := 0
	err := filepath.WalkDir("..", func(path string, d os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || filepath.Base(path) == "pen.go" {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(node ast.Node) bool {
			m, ok := put(node)
			if !ok {
				return true
			}
			n++
			if rest := complete.ReplaceAllString(m, ""); strings.ContainsAny(rest, `"=`) || strings.Contains(m, "<script") || strings.Contains(m, "<style") {
				t.Errorf("%s: Put(%s) leaves an attribute open; its value is for Attr", path, m)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n < 30 {
		t.Errorf("only %d pieces of markup were found; this test proves nothing", n)
	}
}

// put is the constant of a call of Put, if it is one.
func put(n ast.Node) (string, bool) {
	call, ok := n.(*ast.CallExpr)
	if !ok || len(call.Args) != 1 {
		return "", false
	}
	if f, ok := call.Fun.(*ast.SelectorExpr); !ok || f.Sel.Name != "Put" {
		return "", false
	}
	lit, ok := call.Args[0].(*ast.BasicLit)
	if _, sum := call.Args[0].(*ast.BinaryExpr); sum {
		return `a sum of constants = nobody reads`, true
	}
	if !ok {
		return "", false
	}
	m, err := strconv.Unquote(lit.Value)
	return m, err == nil
}
