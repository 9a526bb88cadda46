// Package text takes in what people write: names, titles and notes, in any
// script, with emoji, apostrophes and hyphens, and gives it back as typed.
//
// What cannot be seen is refused here, once, in a sentence: control
// characters break exports years later, marks that turn the direction of text
// make a name lie about itself. An empty answer is not an error: whether a
// field may be empty is known to whoever asked.
package text

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"icouch/internal/base/fault"
)

// What can be wrong with a text. A text that is too long says by how much, in
// a fault of its own that is ErrLong to errors.Is.
var (
	ErrUnreadable = fault.New(fault.Invalid, "Part of this text could not be read. Please type it again instead of pasting it.")
	ErrHidden     = fault.New(fault.Invalid, "This text contains a hidden character. Please type it by hand instead of pasting it.")
	ErrLines      = fault.New(fault.Invalid, "Please write this on one line.")
	ErrLong       = fault.New(fault.Invalid, "This text is too long.")
)

// Line returns one line of text, such as a name: composed (NFC), without
// spaces around it, with single spaces inside, of at most limit characters.
func Line(s string, limit int) (string, error) {
	if err := readable(s, limit); err != nil {
		return "", err
	}
	s = norm.NFC.String(strings.TrimSpace(s))
	for _, r := range s {
		switch {
		case breaksLine(r):
			return "", ErrLines
		case hidden(r):
			return "", ErrHidden
		}
	}
	return fit(strings.Join(strings.Fields(s), " "), limit)
}

// Block returns text of several lines, such as a note: composed (NFC), with \n
// between lines, tabs kept, nothing empty around it, of at most limit
// characters.
func Block(s string, limit int) (string, error) {
	if err := readable(s, limit); err != nil {
		return "", err
	}
	s = norm.NFC.String(newlines.Replace(s))
	for _, r := range s {
		if hidden(r) && r != '\n' && r != '\t' {
			return "", ErrHidden
		}
	}
	s = strings.TrimRightFunc(s, unicode.IsSpace)
	for { // indentation of the first line that says something stays
		first, rest, more := strings.Cut(s, "\n")
		if !more || strings.TrimSpace(first) != "" {
			break
		}
		s = rest
	}
	return fit(s, limit)
}

// newlines are all the ways to end a line.
var newlines = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n")

// readable refuses what is not text, and what is far too long to look at.
func readable(s string, limit int) error {
	if len(s) > 16*limit+1024 {
		return long(utf8.RuneCountInString(s), limit)
	}
	if !utf8.ValidString(s) { // half a surrogate pair is not valid either
		return ErrUnreadable
	}
	return nil
}

// fit refuses what is too long, and answers nothing for what shows nothing.
func fit(s string, limit int) (string, error) {
	if n := utf8.RuneCountInString(s); n > limit {
		return "", long(n, limit)
	}
	if !strings.ContainsFunc(s, shows) {
		return "", nil
	}
	return s, nil
}

func long(n, limit int) error {
	return fault.New(ErrLong, fmt.Sprintf("Please use at most %d characters. This text has %d.", limit, n))
}

func breaksLine(r rune) bool {
	return '\n' <= r && r <= '\r' || r == '\u0085' || r == '\u2028' || r == '\u2029'
}

// hidden reports what must not be in a text: controls, marks that turn its
// direction by force, and code points that are no characters.
func hidden(r rune) bool {
	return unicode.IsControl(r) || breaksLine(r) ||
		'\u202a' <= r && r <= '\u202e' || '\u2066' <= r && r <= '\u2069' ||
		unicode.Is(unicode.Noncharacter_Code_Point, r)
}

// shows reports whether a reader sees r. A name of blanks is no name.
func shows(r rune) bool {
	switch r {
	case '\u115f', '\u1160', '\u2800', '\u3164', '\uffa0': // letters and dots that are empty
		return false
	}
	return unicode.IsGraphic(r) && !unicode.IsSpace(r) && !unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf)
}
