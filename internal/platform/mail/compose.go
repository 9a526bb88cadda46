package mail

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	netmail "net/mail"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	gomail "github.com/wneessen/go-mail"
	"golang.org/x/net/idna"
)

// letter is a message made ready: what the envelope says, and what is inside.
type letter struct {
	from, to string // the envelope's
	wide     bool   // letters outside ASCII in an address: only SMTPUTF8 carries it
	content  []byte // lines end in CRLF, 7-bit unless wide
}

// addresses are those of a message, each with its domain as A-labels.
type addresses struct{ from, to, replyTo, envelope string }

func unwritable(why string) error {
	return &Refusal{Permanent: true, Reason: Unwritable, cause: errors.New(why)}
}

// address checks everything of m that ends up in a header or in a command, and
// reads its addresses.
func address(m Message) (a addresses, err error) {
	if err := writable(m); err != nil {
		return a, err
	}
	for _, f := range []struct {
		what, from string
		to         *string
		needed     bool
	}{
		{"the recipient", m.To, &a.to, true},
		{"the sender", m.From, &a.from, false},
		{"the reply address", m.ReplyTo, &a.replyTo, false},
		{"the bounce address", m.EnvelopeFrom, &a.envelope, false},
	} {
		if f.from == "" && !f.needed {
			continue
		}
		if *f.to, err = parse(f.from); err != nil {
			return a, unwritable(f.what + " is not an address")
		}
	}
	if a.envelope == "" {
		a.envelope = a.from
	}
	return a, nil
}

func writable(m Message) error {
	for what, v := range map[string]string{
		"id": m.ID, "from": m.From, "sender's name": m.FromName, "to": m.To, "reply-to": m.ReplyTo,
		"subject": m.Subject, "list-unsubscribe": m.ListUnsubscribe, "bounce address": m.EnvelopeFrom,
	} {
		if strings.ContainsFunc(v, unicode.IsControl) || !utf8.ValidString(v) {
			return unwritable(what + " holds a line break or another control character")
		}
	}
	if !utf8.ValidString(m.Text) || !utf8.ValidString(m.HTML) {
		return unwritable("the text is not UTF-8")
	}
	left, right, ok := strings.Cut(m.ID, "@")
	if !ok || left == "" || right == "" || len(m.ID) > 250 || strings.ContainsFunc(m.ID, notInID) {
		return unwritable("the id is not a Message-ID")
	}
	if m.Text == "" {
		return unwritable("there is no text")
	}
	return unsubscribable(m.ListUnsubscribe)
}

func notInID(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`<>()[]",;:\`, r) }

func unsubscribable(link string) error {
	if link == "" {
		return nil
	}
	u, err := url.Parse(link)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" ||
		strings.ContainsFunc(link, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '<' || r == '>' || r == ',' }) ||
		len(link) > 900 {
		return unwritable("list-unsubscribe is not the address of a page")
	}
	return nil
}

var errAddress = errors.New("not an address")

// parse reads a bare address; its domain comes back as A-labels.
func parse(s string) (string, error) {
	if strings.ContainsAny(s, "<>\"()[],;: ") || len(s) > 320 {
		return "", errAddress
	}
	p, err := netmail.ParseAddress(s)
	if err != nil || p.Name != "" {
		return "", errAddress // the parser's words hold the address
	}
	at := strings.LastIndexByte(p.Address, '@')
	domain, err := idna.Lookup.ToASCII(p.Address[at+1:])
	if err != nil || domain == "" {
		return "", errAddress
	}
	return p.Address[:at+1] + domain, nil
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// compose writes the letter. The same message gives the same bytes.
func compose(m Message) (*letter, error) {
	a, err := address(m)
	if err != nil {
		return nil, err
	}
	if a.from == "" {
		return nil, unwritable("there is no sender")
	}
	g := gomail.NewMsg(gomail.WithNoDefaultUserAgent(), gomail.WithBoundary(boundary(m)))
	g.SetMessageIDWithValue(m.ID)
	g.SetDateWithValue(m.Date.UTC())
	g.FromMailAddress(&netmail.Address{Name: m.FromName, Address: a.from})
	g.ToMailAddress(&netmail.Address{Address: a.to})
	if a.replyTo != "" {
		g.ReplyToMailAddress(&netmail.Address{Address: a.replyTo})
	}
	g.Subject(m.Subject)
	g.SetGenHeader("Auto-Submitted", "auto-generated")
	if m.ListUnsubscribe != "" {
		g.SetListUnsubscribe("<" + m.ListUnsubscribe + ">")
	}
	g.SetBodyString(gomail.TypeTextPlain, m.Text)
	if m.HTML != "" {
		g.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	}
	var b bytes.Buffer
	b.Grow(1024 + 2*(len(m.Text)+len(m.HTML)))
	if _, err := g.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("compose %s: %w", m.ID, err)
	}
	return &letter{
		from: a.envelope, to: a.to,
		wide:    !ascii(a.from + a.to + a.replyTo + a.envelope),
		content: b.Bytes(),
	}, nil
}

// boundary separates the parts. It is made of what it separates, so that a
// retry has the same and nobody can write one into a text.
func boundary(m Message) string {
	h := sha256.New()
	for _, s := range []string{m.ID, m.Text, m.HTML} {
		fmt.Fprintf(h, "%d\n%s", len(s), s)
	}
	return "part-" + hex.EncodeToString(h.Sum(nil)[:16])
}
