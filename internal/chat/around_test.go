package chat

import (
	"strings"
	"testing"
	"unicode/utf8"

	"icouch/internal/base/text"
)

// drawn is an excerpt with what was found in brackets.
func drawn(all []Piece) string {
	var b strings.Builder
	for _, p := range all {
		if p.Found {
			b.WriteString("[" + p.Words + "]")
		} else {
			b.WriteString(p.Words)
		}
	}
	return b.String()
}

func TestWhatWasFoundIsShownFromTheBeginningOfAWord(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("It was quiet by the water. ", 20)
	for _, c := range []struct{ body, words, want string }{
		{"The river was high.", "RIVER", "The [river] was high."},
		{"Rivers, and one\nriver more", "river", "[River]s, and one [river] more"},
		{"high river", "river high", "[high] [river]"},
		{long + "Then evening came.", "evening", "…water. It was quiet by the water. Then [evening] came."},
		{"In the evening. " + long, "evening", "In the [evening]. It was quiet by the water. It was quiet by the water. It was quiet by the water. It was quiet by the water. It was quiet by the water. It was quiet by the water. It…"},
		{"Meet Łukasz O’Brien in the Straße", "lukasz o'brien strasse", "Meet [Łukasz] [O’Brien] in the [Straße]"},
		{"caf\u0065\u0301s", "cafe", "[cafe\u0301]s"},
		{strings.Repeat("é", 200) + "river" + strings.Repeat("é", 200), "river", "…" + strings.Repeat("é", 20) + "[river]" + strings.Repeat("é", 67) + "…"},
		{"<b>river</b>", "river", "<b>[river]</b>"},
	} {
		if got := drawn(around(c.body, strings.Fields(text.FoldForSearch(c.words)))); got != c.want || !utf8.ValidString(got) {
			t.Errorf("of %q, looked for in %.40q, it shows\n%q, want\n%q", c.words, c.body, got, c.want)
		}
	}
}
