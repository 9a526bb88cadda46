package web

import (
	"bytes"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"icouch/internal/letter"
	"icouch/internal/people"
)

// everyContact calls what draws with all that a row can be, for a person of
// this name.
func everyContact(name string, draw func(*contact)) {
	for _, action := range []people.Action{people.NoAction, people.InviteAction, people.ResendAction, people.MessageAction} {
		for _, shape := range []people.Shape{people.ShapeNone, people.ShapeWaiting, people.ShapeActive, people.ShapeProblem, people.ShapeEnded} {
			for _, mend := range []people.Mend{people.NoMend, people.AddEmail, people.AddConsent, people.CheckAddress, people.CopyTheLink} {
				for n := range 8 {
					is := people.Contact{Action: action, Enabled: n&1 > 0, Shape: shape, Status: name, Help: name, Mend: mend}
					draw(&contact{Contact: is, id: "c", name: name, may: n&2 > 0, here: n&4 > 0, back: "/people?q=" + name})
				}
			}
		}
	}
}

// shapes are the elements and attributes of all of them.
func contactShapes(t *testing.T, name string) (shapes []string) {
	t.Helper()
	everyContact(name, func(c *contact) {
		var out bytes.Buffer
		if err := c.State().Render(t.Context(), &out); err != nil {
			t.Fatal(err)
		}
		if err := c.Act().Render(t.Context(), &out); err != nil {
			t.Fatal(err)
		}
		doc, err := html.Parse(&out)
		if err != nil {
			t.Fatal(err)
		}
		var shape strings.Builder
		for n := range doc.Descendants() {
			if n.Type == html.ElementNode {
				shape.WriteString("<" + n.Data)
				for _, a := range n.Attr {
					shape.WriteString(" " + a.Key)
				}
				shape.WriteString(">")
			}
		}
		shapes = append(shapes, shape.String())
	})
	return shapes
}

func TestARowsContactIsTheSameWhateverSomebodyIsCalled(t *testing.T) {
	t.Parallel()
	want := contactShapes(t, "Annie Noda")
	for _, name := range []string{`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' autofocus onfocus='alert(1)`, "javascript:alert(1)", "\u202eright to left\u202c نور", "👩‍👩‍👧 🇺🇳", "&lt;b&gt;"} {
		for i, got := range contactShapes(t, name) {
			if got != want[i] {
				t.Fatalf("%q changes a row\n from %s\n to %s", name, want[i], got)
			}
		}
	}
}

func TestARowOffersOneFormOrOneReason(t *testing.T) {
	t.Parallel()
	everyContact("Annie Noda", func(c *contact) {
		var out bytes.Buffer
		if err := c.Act().Render(t.Context(), &out); err != nil {
			t.Fatal(err)
		}
		sends := c.may && c.Enabled && !c.here && (c.Action == people.InviteAction || c.Action == people.ResendAction)
		if got := strings.Count(out.String(), "<form "); got > 1 || (got == 1) != sends {
			t.Fatalf("%+v has %d forms: %s", c, got, out.String())
		}
		if sends && !strings.Contains(out.String(), `action="/people/c/invitation`) {
			t.Fatalf("%+v sends elsewhere: %s", c, out.String())
		}
		if strings.Contains(out.String(), " disabled") && !strings.Contains(out.String(), `aria-describedby="why-c"`) {
			t.Fatalf("a disabled button does not say why: %s", out.String())
		}
	})
}

func TestALettersLinesFlow(t *testing.T) {
	t.Parallel()
	body := letter.Body{Parts: []letter.Part{
		{Text: strings.Repeat("words and more words ", 20)}, {Button: &letter.Button{Label: strings.Repeat("a label ", 8), URL: "https://example.test/" + strings.Repeat("x", 60)}},
		{Text: "Points:"}, {List: []string{strings.Repeat("one point ", 15), "another"}}, {Sign: "The practice"},
	}}
	if got, want := flowing(body.Text()), body.Flowing(); got != want {
		t.Errorf("it flows as\n%s\nwant\n%s", got, want)
	}
}
