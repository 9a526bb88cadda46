package password

import (
	"slices"
	"strings"
	"unicode/utf8"

	"icouch/internal/base/text"
)

// product is everybody's first guess.
const product = "icouch"

// shortName: "Al" is part of too many good words to look for.
const shortName = 3

// namesOf returns all names as they would stand in a password, and their
// parts, longest first.
func namesOf(about Context) []string {
	var all []string
	for _, name := range append([]string{product}, about.Names...) {
		name = text.FoldForSearch(name)
		local, _, _ := strings.Cut(name, "@")
		for _, s := range []string{name, local} {
			all = append(all, only(s, letterOrDigit))
			all = append(all, strings.FieldsFunc(s, func(r rune) bool { return !letterOrDigit(r) })...)
		}
	}
	all = slices.DeleteFunc(all, func(s string) bool {
		n := utf8.RuneCountInString(s)
		return n < shortName && !(n == 2 && s[0] >= utf8.RuneSelf) // 李明 is a whole name
	})
	slices.SortFunc(all, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	return slices.Compact(all)
}
