package text

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// FoldForSearch returns s as it is searched and sorted by: lower case, without
// accents, "Łukasz O’Brien" as "lukasz o'brien". It is for comparing, never
// for showing.
func FoldForSearch(s string) string {
	if ascii(s) {
		return strings.ToLower(s)
	}
	// Lower case may bring an accent of its own (İ), and a letter we spell out
	// a capital: so letters first, then capitals, then accents.
	s = lower(norm.NFKD.String(lower(s)))
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
			return -1
		}
		return r
	}, s)
}

func lower(s string) string { return spelledOut.Replace(strings.ToLower(s)) }

// spelledOut lists letters that are not one of a to z with an accent, and
// signs that have a plain twin on every keyboard.
var spelledOut = strings.NewReplacer(
	"ł", "l", "ß", "ss", "đ", "d", "ð", "d", "ø", "o", "æ", "ae", "œ", "oe", "ı", "i", "þ", "th", "ħ", "h", "ŋ", "n", "ŧ", "t", "ĸ", "k", "ſ", "s", "ς", "σ",
	"’", "'", "‘", "'", "ʼ", "'", "ʻ", "'", "`", "'", "´", "'", "‐", "-", "‑", "-", "–", "-", "\u00a0", " ",
)

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf || s[i] == '`' {
			return false
		}
	}
	return true
}
