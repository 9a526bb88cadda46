package parts

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/a-h/templ"
	"golang.org/x/net/html"
)

const nonce = "n0nce"

// hostile is what people may call themselves.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' autofocus onfocus='alert(1)`,
	"\u202eright to left\u202c نور", "👩‍👩‍👧 🇺🇳", strings.Repeat("Donaudampfschiff", 40), "</textarea></title></option>",
	"javascript:alert(1)", "",
}

func render(t *testing.T, c templ.Component) string {
	t.Helper()
	var b bytes.Buffer
	if err := c.Render(templ.WithNonce(t.Context(), nonce), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// pages are all frames and all parts, with the words changed.
func pages(word func(string) string) map[string]templ.Component {
	s := newSample(word)
	return map[string]templ.Component{
		"gallery": s.gallery(), "people": s.peoplePage(), "client": s.clientPage(), "door": s.doorPage(),
	}
}

func elements(t *testing.T, page string) []*html.Node {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var all []*html.Node
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode {
			all = append(all, n)
		}
	}
	if len(all) < 40 {
		t.Fatalf("only %d elements; this test proves nothing", len(all))
	}
	return all
}

func attr(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

// everyPage runs a check on each page, with plain words and with hostile ones.
func everyPage(t *testing.T, check func(t *testing.T, all []*html.Node)) {
	t.Helper()
	words := append([]string{"plain"}, hostile...)
	for _, w := range words {
		word := func(s string) string { return w }
		if w == "plain" {
			word = func(s string) string { return s }
		}
		for name, page := range pages(word) {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				check(t, elements(t, render(t, page)))
			})
		}
	}
}

func TestWordsOfPeopleNeverBecomeMarkup(t *testing.T) {
	t.Parallel()
	shape := func(word string) string {
		var b strings.Builder
		for _, n := range elements(t, render(t, newSample(func(string) string { return word }).gallery())) {
			b.WriteString(n.Data + " ")
			for _, a := range n.Attr {
				b.WriteString(a.Key + " ")
			}
		}
		return b.String()
	}
	want := shape("plain")
	for _, w := range hostile {
		if w == "" {
			continue // what is empty is left out, as it should be
		}
		if got := shape(w); got != want {
			t.Errorf("the words %q change the elements or attributes of the page", w)
		}
	}
}

func TestThePolicyOfThePageFindsNothingToBlock(t *testing.T) {
	t.Parallel()
	everyPage(t, func(t *testing.T, all []*html.Node) {
		for _, n := range all {
			for _, a := range n.Attr {
				if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
					t.Errorf("<%s> has %s=", n.Data, a.Key)
				}
				if strings.Contains(strings.ToLower(a.Val), "javascript:") && slices.Contains([]string{"href", "action", "formaction", "src"}, a.Key) {
					t.Errorf("<%s> has %s=%q", n.Data, a.Key, a.Val)
				}
			}
			if v, _ := attr(n, "nonce"); n.Data == "script" && v != nonce {
				t.Error("a script without the page's nonce would not run")
			}
			if n.Data == "style" {
				t.Error("a <style> element would be blocked")
			}
		}
	})
}

func TestIDsAreUniqueAndLeadSomewhere(t *testing.T) {
	t.Parallel()
	everyPage(t, func(t *testing.T, all []*html.Node) {
		ids := map[string]bool{}
		for _, n := range all {
			if id, ok := attr(n, "id"); ok {
				if ids[id] {
					t.Errorf("id %q twice", id)
				}
				if id == "" || strings.ContainsAny(id, " \t\n") {
					t.Errorf("id %q cannot be pointed at", id)
				}
				ids[id] = true
			}
		}
		for _, n := range all {
			for _, a := range n.Attr {
				switch a.Key {
				case "for", "aria-describedby", "aria-labelledby", "popovertarget", "form", "data-reveal", "data-copy", "data-left", "data-target":
					for id := range strings.FieldsSeq(a.Val) {
						if !ids[id] {
							t.Errorf("<%s %s=%q> points nowhere", n.Data, a.Key, id)
						}
					}
				case "href":
					if id, ok := strings.CutPrefix(a.Val, "#"); ok && !ids[id] && !strings.HasPrefix(a.Val, "/") {
						t.Errorf("the link to %s leads nowhere", a.Val)
					}
				}
			}
		}
	})
}

func TestEveryFieldHasALabelAndEveryButtonAName(t *testing.T) {
	t.Parallel()
	everyPage(t, func(t *testing.T, all []*html.Node) {
		labels := map[string]bool{}
		for _, n := range all {
			if id, ok := attr(n, "for"); ok && n.Data == "label" {
				labels[id] = true
			}
		}
		for _, n := range all {
			id, _ := attr(n, "id")
			kind, _ := attr(n, "type")
			switch n.Data {
			case "input", "select", "textarea":
				if kind != "hidden" && !labels[id] && !inside(n, "label") {
					t.Errorf("<%s id=%q> has no label", n.Data, id)
				}
			case "button", "a", "legend", "h1", "h2", "title":
				if strings.TrimSpace(text(n)) == "" && !ownedByWords(n) {
					t.Errorf("a <%s> without a name", n.Data)
				}
			}
		}
	})
}

// ownedByWords: a name or a link whose only words were a person's, and empty.
func ownedByWords(n *html.Node) bool { return n.Data == "a" || n.Data == "h2" }

func inside(n *html.Node, tag string) bool {
	for p := range n.Ancestors() {
		if p.Data == tag {
			return true
		}
	}
	return false
}

func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

func TestEveryPageHasItsLandmarks(t *testing.T) {
	t.Parallel()
	everyPage(t, func(t *testing.T, all []*html.Node) {
		n := map[string]int{}
		for _, e := range all {
			n[e.Data]++
			if id, _ := attr(e, "id"); id == "live" || id == "main" {
				n["#"+id]++
			}
			if e.Data == "form" && inside(e, "form") {
				t.Error("a form inside a form")
			}
		}
		for _, once := range []string{"h1", "main", "title", "footer", "#live", "#main"} {
			if n[once] != 1 {
				t.Errorf("%d of %s, want one", n[once], once)
			}
		}
	})
}

func TestTheTitleSaysErrorAndNothingAboutAnyone(t *testing.T) {
	t.Parallel()
	door, people := render(t, GalleryDoor()), render(t, GalleryPeople())
	if !strings.Contains(door, "<title>Error: Sign up · iCouch</title>") {
		t.Error("a page with problems does not begin its title with Error:")
	}
	if !strings.Contains(people, "<title>People · iCouch</title>") {
		t.Error("the title of People is not its kind and the brand")
	}
}

func TestProblemsAndHintsAreTiedToTheirField(t *testing.T) {
	t.Parallel()
	out := render(t, Input{Name: "email", Label: "E-mail", Kind: Email, Hint: "We send a link.", Problem: "Enter an e-mail address"}.View())
	for _, want := range []string{`aria-describedby="f-email-hint f-email-err"`, `aria-invalid="true"`, `id="f-email-err"`, `autocomplete="email"`} {
		if !strings.Contains(out, want) {
			t.Errorf("the field has no %s: %s", want, out)
		}
	}
}

func TestAPasswordIsNeverSentBack(t *testing.T) {
	t.Parallel()
	if out := render(t, Input{Name: "password", Label: "Password", Kind: Password, Value: "secret words"}.View()); strings.Contains(out, "secret words") {
		t.Error("the page holds the password that was typed")
	}
}

func TestOnlyLinksThatWereGivenAreShown(t *testing.T) {
	t.Parallel()
	out := render(t, GalleryPeople())
	for _, absent := range []string{"/calendar", "/messaging", "/money", "/crisis"} {
		if strings.Contains(out, `href="`+absent) {
			t.Errorf("a link to %s, which was not given", absent)
		}
	}
	for _, page := range []templ.Component{GalleryClient(), GalleryDoor()} {
		if !strings.Contains(render(t, page), `href="/crisis"`) {
			t.Error("a client's or guest's page without crisis help")
		}
	}
}

func TestAMistypedIconIsAnErrorAndNotAHole(t *testing.T) {
	t.Parallel()
	if err := Icon("no-such-icon").Render(t.Context(), &bytes.Buffer{}); err == nil {
		t.Error("a missing icon is drawn as nothing")
	}
	if err := Icon("users").Render(t.Context(), &bytes.Buffer{}); err != nil {
		t.Error(err)
	}
}

func TestInitialsAreLettersOfTheName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"Annie Noda": "AN", "David": "D", "łukasz de dvořák": "ŁD", "": "?", "?": "?", "👩": "?", "نور الدين": "نا", `<b>"x"`: "BX"} {
		if got := (Avatar{Name: name}).initials(); got != want {
			t.Errorf("%q has the initials %q, want %q", name, got, want)
		}
	}
}

func TestThePhoneBarHoldsFourLinksAndMore(t *testing.T) {
	t.Parallel()
	bar, rest := frame(plainSample().shell).tabs()
	if len(bar) != 4 || len(rest) != 2 {
		t.Errorf("%d on the bar and %d in More, want 4 and 2", len(bar), len(rest))
	}
	bar, rest = frame(plainSample().first()).tabs()
	if len(bar) != 2 || len(rest) != 1 {
		t.Errorf("%d on the bar and %d in More, want 2 and 1", len(bar), len(rest))
	}
}

func BenchmarkPeople(b *testing.B) {
	var buf bytes.Buffer
	for b.Loop() {
		buf.Reset()
		if err := GalleryPeople().Render(b.Context(), &buf); err != nil {
			b.Fatal(err)
		}
	}
}

func TestEMailIsInOnePieceAndSpelledAsEver(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := Render(&out, Status{Words: "No e-mail address <b>", Detail: "e-mail, and e-mail"}); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), `<span class="keep">e-mail</span>`); n != 3 || !strings.Contains(out.String(), "&lt;b&gt;") {
		t.Errorf("%d times in %s", n, out.String())
	}
}
