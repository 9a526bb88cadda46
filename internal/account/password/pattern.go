package password

import (
	"strings"
	"unicode"

	"icouch/internal/base/text"
)

const (
	fewest   = 5 // different characters; with fewer it is a pattern
	steps    = 6 // runs and single characters; with fewer it is typed blindly
	shortest = 3 // characters that make a run

	shortWord = 4 // among many figures, a shorter one does not make them guessable
)

// rows are the ways fingers run over keyboards.
var rows = []string{
	"`1234567890-=", "qwertyuiop[]\\", "asdfghjkl;'", "zxcvbnm,./", "qwertzuiopü", "yxcvbnm,.-", "azertyuiop", "qsdfghjklm", "wxcvbn",
	"1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/", "!@#$%^&*()", "йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю",
}

// patterned reports whether pw is one thing over and over, or runs of
// neighbors.
func patterned(pw string, minimum int) bool {
	r := []rune(strings.ToLower(pw))
	if unit := period(r); unit < len(r) && unit < minimum {
		return true
	}
	different := map[rune]bool{}
	for _, c := range r {
		different[c] = true
	}
	return len(different) < min(fewest, minimum) || stepsIn(r) < min(steps, minimum)
}

// period returns the length of what r repeats at least twice from its
// beginning to its end, or all of r.
func period(r []rune) int {
	for p := 1; p <= len(r)/2; p++ {
		same := true
		for i := p; i < len(r) && same; i++ {
			same = r[i] == r[i-p]
		}
		if same {
			return p
		}
	}
	return len(r)
}

// stepsIn counts what has to be remembered: a run of neighbors counts as one.
func stepsIn(r []rune) int {
	n := 0
	for i := 0; i < len(r); n++ {
		if length := run(r[i:]); length >= shortest {
			i += length
		} else {
			i++
		}
	}
	return n
}

// run returns how many characters at the beginning of r follow each other in
// the alphabet, on a keyboard, or are the same.
func run(r []rune) int {
	longest := 1
	for _, step := range []rune{-1, 0, 1} {
		i := 1
		for i < len(r) && r[i]-r[i-1] == step {
			i++
		}
		longest = max(longest, i)
	}
	for _, row := range rows {
		longest = max(longest, along([]rune(row), r, 1), along([]rune(row), r, -1))
	}
	return longest
}

// along returns how far r follows row from wherever it begins there.
func along(row, r []rune, step int) int {
	at := 0
	for at < len(row) && row[at] != r[0] {
		at++
	}
	n := 0
	for n < len(r) && 0 <= at && at < len(row) && row[at] == r[n] {
		n++
		at += step
	}
	return n
}

// common reports whether pw is on the list of passwords attackers try, as it
// stands, over and over, or with figures and signs around it.
func common(pw string) bool {
	folded := text.FoldForSearch(pw)
	core := strings.TrimFunc(folded, func(r rune) bool { return !unicode.IsLetter(r) })
	letters := only(folded, unicode.IsLetter)
	return overAndOver(strings.ToLower(pw)) || overAndOver(folded) ||
		len(core) >= shortWord && overAndOver(core) || len(letters) >= shortWord && overAndOver(letters)
}

// overAndOver reports whether s is on the list, or repeats what is.
func overAndOver(s string) bool {
	r := []rune(s)
	return listed(s) || listed(string(r[:period(r)]))
}

// personal reports whether nothing is left of pw without the names of those
// concerned, or only what is on the list.
func personal(pw string, about Context) bool {
	letters := only(text.FoldForSearch(pw), letterOrDigit)
	rest := letters
	for _, name := range namesOf(about) {
		rest = strings.ReplaceAll(rest, name, "")
	}
	if rest == letters {
		return false
	}
	word := only(rest, unicode.IsLetter)
	return word == "" || listed(rest) || listed(word)
}

func letterOrDigit(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

func only(s string, keep func(rune) bool) string {
	return strings.Map(func(r rune) rune {
		if keep(r) {
			return r
		}
		return -1
	}, s)
}
