// Package password decides which passwords are good enough, offers good ones,
// and keeps what is needed to recognize them.
//
// Length is what protects. There are no rules about capitals or signs, and
// nothing expires. Refused is only what attackers try first: passwords known
// from other sites, patterns, and the names of those concerned. Whoever does
// not want to think of one takes what Suggest offers.
//
// A password is composed (NFC) once and never cut. Only its argon2id hash is
// stored, with its parameters, so that they can grow (see Hasher).
package password

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"icouch/internal/base/fault"
)

// How many characters a password needs, and may have.
const (
	Min             = 15 // on its own
	MinSecondFactor = 10 // with a passkey or an authenticator app
	Max             = 256
)

// Why a password is refused.
var (
	ErrShort      = fault.New(fault.Invalid, "This password is too short. Several words in a row are easy to remember and hard to guess.")
	ErrLong       = fault.New(fault.Invalid, "Please use at most 256 characters.")
	ErrCharacters = fault.New(fault.Invalid, "This password contains a line break or a character that could not be read. Please type it again.")
	ErrCommon     = fault.New(fault.Invalid, "This password is on the lists that attackers try first, or is a word from them with figures around it. Please choose another, such as several words that do not belong together.")
	ErrPattern    = fault.New(fault.Invalid, "This password repeats itself or follows the keyboard or the alphabet, so it is quickly guessed. Please choose another, such as several words that do not belong together.")
	ErrPersonal   = fault.New(fault.Invalid, "This password is made of your name, your e-mail address or the name of the practice, so it is quickly guessed. Please choose another, such as several words that do not belong together.")
)

// Context is what an attacker knows of the person.
type Context struct {
	Names []string // of the person and the practice, the product, the e-mail address
}

// Check returns nil if pw may be used as a password: it has at least minimum
// characters and is nothing attackers try first.
func Check(pw string, about Context, minimum int) error {
	if !utf8.ValidString(pw) || strings.ContainsAny(pw, "\x00\n\r\u0085\u2028\u2029") {
		return ErrCharacters
	}
	if len(pw) > 16*Max {
		return ErrLong
	}
	pw = norm.NFC.String(pw)
	switch n := utf8.RuneCountInString(pw); {
	case n > Max:
		return ErrLong
	case n < minimum:
		return fault.New(ErrShort, fmt.Sprintf("Use at least %d characters; this has %d. Several words in a row are easy to remember and hard to guess.", minimum, n))
	}
	switch {
	case patterned(pw, minimum):
		return ErrPattern
	case personal(pw, about):
		return ErrPersonal
	case common(pw):
		return ErrCommon
	}
	return nil
}
