package text

import (
	"strings"
	"unicode"

	"icouch/internal/base/fault"
)

// What can be wrong with a telephone number.
var (
	ErrPhone       = fault.New(fault.Invalid, "Enter a telephone number, like +1 (212) 555-0100. It can have digits, spaces and + ( ) - . / and an extension like x 12.")
	ErrPhoneDigits = fault.New(fault.Invalid, "A telephone number has 5 to 20 digits. Please check it.")
)

const (
	minDigits = 5
	maxDigits = 20
	maxPhone  = 60
)

// Phone returns a telephone number as typed. Empty is none. Whether anybody
// answers is not ours to know, so it is tolerant.
func Phone(s string) (string, error) {
	s, err := Line(s, maxPhone)
	if err != nil {
		return "", ErrPhone
	}
	if s == "" {
		return "", nil
	}
	number, extension, _ := cutExtension(s)
	digits := 0
	for _, r := range number + extension {
		switch {
		case unicode.Is(unicode.Nd, r):
			digits++
		case !strings.ContainsRune(" +()-./‐‑–", r):
			return "", ErrPhone
		}
	}
	if digits < minDigits || digits > maxDigits {
		return "", ErrPhoneDigits
	}
	return s, nil
}

// cutExtension cuts s at "ext.", "ext", "x" or "#".
func cutExtension(s string) (number, extension string, found bool) {
	lower := strings.ToLower(s)
	if len(lower) != len(s) { // some capital is longer: not a number anyway
		return s, "", false
	}
	for _, word := range []string{"extension", "ext", "x", "#"} {
		if i := strings.Index(lower, word); i >= 0 {
			return s[:i], s[i+len(word):], true
		}
	}
	return s, "", false
}
