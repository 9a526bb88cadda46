// Package email is an address as somebody typed it, and the mailbox it means.
//
// People have capitals, dots, +tags, long endings and domains in their own
// script; all of these are kept and shown as typed. Whether two addresses are
// one mailbox is asked of Fold alone. An address never enters a log.
package email

import (
	"log/slog"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"icouch/internal/base/fault"
)

// What can be wrong with an address.
var (
	ErrAddress = fault.New(fault.Invalid, "Enter an e-mail address, like name@example.com.")
	ErrName    = fault.New(fault.Invalid, "Enter only the e-mail address, like name@example.com, without a name or < > around it.")
	ErrSeveral = fault.New(fault.Invalid, "Enter one e-mail address only, like name@example.com.")
	ErrQuoted  = fault.New(fault.Invalid, "An e-mail address with quotation marks cannot be used here. Please enter another address.")
	ErrLong    = fault.New(fault.Invalid, "This e-mail address is longer than an address can be. Please check it.")
	ErrHidden  = fault.New(fault.Invalid, "This e-mail address contains a hidden character. Please type it by hand instead of pasting it.")
	ErrDomain  = fault.New(fault.Invalid, "Please check the part after the @. It should look like example.com.")
)

// The limits of RFC 5321, in octets.
const (
	maxAddress = 254
	maxLocal   = 64
)

// Address is one e-mail address. The zero Address is none. To compare two,
// compare what Fold returns.
type Address struct {
	local, domain string // as typed
	ascii         string // the domain, as it is sent: lower case, A-labels
}

// Parse reads an address, with or without spaces around it.
func Parse(s string) (Address, error) {
	s = strings.TrimSpace(s)
	if err := refuseAtSight(s); err != nil {
		return Address{}, err
	}
	at := strings.LastIndexByte(s, '@')
	if at < 1 || strings.IndexByte(s, '@') != at {
		return Address{}, ErrAddress
	}
	a := Address{local: s[:at], domain: s[at+1:]}
	if !goodLocal(a.local) {
		return Address{}, ErrAddress
	}
	var err error
	if a.ascii, err = toASCII(a.domain); err != nil {
		return Address{}, err
	}
	// Capitals may be shorter than what they fold to, so both are measured.
	for _, local := range []string{a.local, foldLocal(a.local)} {
		if len(local) > maxLocal || len(local)+1+max(len(a.domain), len(a.ascii)) > maxAddress {
			return Address{}, ErrLong
		}
	}
	return a, nil
}

// IsZero reports whether there is no address.
func (a Address) IsZero() bool { return a == Address{} }

// String returns the address as typed.
func (a Address) String() string { return a.join(a.local, a.domain) }

// ASCII returns the address for sending: the domain as DNS has it. The part
// before the @ is as typed, and may need SMTPUTF8.
func (a Address) ASCII() string { return a.join(a.local, a.ascii) }

// Fold returns the mailbox this address means, in one spelling: without
// capitals, accents composed, the domain as DNS has it. Two addresses are the
// same to us if and only if their Fold is equal.
func (a Address) Fold() string { return a.join(foldLocal(a.local), a.ascii) }

// CountingKey returns what is counted when mails to one person are counted:
// Fold without dots and +tag. Never use it to find anybody: at most providers
// these are different people.
func (a Address) CountingKey() string {
	local := foldLocal(a.local)
	if tag := strings.IndexByte(local, '+'); tag > 0 {
		local = local[:tag]
	}
	return a.join(strings.ReplaceAll(local, ".", ""), a.ascii)
}

// LogValue keeps addresses out of logs.
func (a Address) LogValue() slog.Value { return slog.StringValue("[address]") }

func (a Address) join(local, domain string) string {
	if a.IsZero() {
		return ""
	}
	return local + "@" + domain
}

// refuseAtSight names the mistakes for which there is a better sentence than
// "enter an address".
func refuseAtSight(s string) error {
	switch {
	case s == "":
		return ErrAddress
	case len(s) > 4*maxAddress:
		return ErrLong
	case !utf8.ValidString(s) || strings.ContainsFunc(s, hidden):
		return ErrHidden
	case strings.ContainsAny(s, "<>"):
		return ErrName
	case strings.ContainsAny(s, ",; ") && strings.Count(s, "@") > 1:
		return ErrSeveral
	case strings.Contains(s, `"`):
		return ErrQuoted
	}
	return nil
}

// hidden reports what nobody sees and nobody types on purpose: controls, line
// breaks, marks that turn the direction of text, and the like.
func hidden(r rune) bool {
	return r == utf8.RuneError || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Noncharacter_Code_Point, unicode.Variation_Selector)
}

// goodLocal is RFC 5322's dot-atom, with the letters of RFC 6532.
func goodLocal(s string) bool {
	for atom := range strings.SplitSeq(s, ".") {
		if atom == "" || strings.ContainsFunc(atom, notInAtom) {
			return false
		}
	}
	// A full-width bracket or @ would become a real one on its way.
	return !strings.ContainsFunc(norm.NFKC.String(s), func(r rune) bool { return r != '.' && notInAtom(r) })
}

func notInAtom(r rune) bool {
	if r < utf8.RuneSelf {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9') && !strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r)
	}
	return !unicode.IsGraphic(r) || unicode.IsSpace(r)
}

// names is how browsers read a domain, but with letters, digits and hyphens only.
var names = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.BidiRule(),
	idna.StrictDomainName(true), idna.CheckHyphens(false), idna.CheckJoiners(true), idna.VerifyDNSLength(true))

func toASCII(domain string) (string, error) {
	ascii, err := names.ToASCII(domain)
	if err != nil {
		return "", ErrDomain
	}
	labels := strings.Split(ascii, ".")
	if len(labels) < 2 {
		return "", ErrAddress
	}
	for _, l := range labels {
		if l == "" || l[0] == '-' || l[len(l)-1] == '-' {
			return "", ErrDomain
		}
	}
	if last := labels[len(labels)-1]; len(last) < 2 || strings.Trim(last, "0123456789") == "" {
		return "", ErrDomain // a name no registry gives out, or an IP address
	}
	// What DNS would read differently a second time is not a name.
	if again, err := names.ToASCII(ascii); err != nil || again != ascii {
		return "", ErrDomain
	}
	return ascii, nil
}

func foldLocal(local string) string {
	return norm.NFC.String(strings.ToLower(norm.NFC.String(local)))
}
