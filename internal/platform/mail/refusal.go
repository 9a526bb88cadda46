package mail

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/textproto"
	"regexp"
	"strings"
)

// Reason says in plain words why a letter did not go out.
type Reason string

// The reasons. They are stored, so they are for ever.
const (
	NoMailbox     Reason = "no such mailbox"
	NoDomain      Reason = "no mail at this domain"
	MailboxClosed Reason = "mailbox closed"
	MailboxFull   Reason = "mailbox full"
	OddAddress    Reason = "address not supported by mail server" // letters outside ASCII before the @
	Blocked       Reason = "blocked"
	Refused       Reason = "message refused"
	Unwritable    Reason = "message cannot be written" // our mistake: nothing was sent
	TryLater      Reason = "try again later"
	Unreachable   Reason = "cannot reach mail server"
	Insecure      Reason = "insecure connection"
	SignInRefused Reason = "sign-in refused"
)

// AboutAddress reports whether the reason lies in the address written to, so
// that the address is worth checking; the others lie with us or on the way.
func (r Reason) AboutAddress() bool {
	switch r {
	case NoMailbox, NoDomain, MailboxClosed, MailboxFull, OddAddress:
		return true
	}
	return false
}

// Ours reports whether the reason lies between us and our own mail server: the
// letter never reached anybody else's.
func (r Reason) Ours() bool {
	switch r {
	case Unreachable, Insecure, SignInRefused:
		return true
	}
	return false
}

// Refusal is a letter that did not go out.
type Refusal struct {
	Code      int    // 550; 0 when no server said anything
	Enhanced  string // "5.1.1", or empty
	Permanent bool   // for good: trying the same letter again is of no use
	Uncertain bool   // handed over, but no answer came: it may have gone out after all
	Reason    Reason

	cause error // never the server's words, never an address
}

// Error says the reason and the numbers. It holds no address of a person.
func (r *Refusal) Error() string {
	var b strings.Builder
	b.WriteString("mail not sent: ")
	b.WriteString(string(r.Reason))
	if said := strings.TrimSpace(strings.TrimPrefix(fmt.Sprint(r.Code), "0") + " " + r.Enhanced); said != "" {
		fmt.Fprintf(&b, " (%s)", said)
	}
	if r.Uncertain {
		b.WriteString(" (it may have gone out)")
	}
	if r.cause != nil {
		b.WriteString(": ")
		b.WriteString(r.cause.Error())
	}
	return b.String()
}

// Unwrap returns what went wrong below, such as a context that ended.
func (r *Refusal) Unwrap() error { return r.cause }

// stage is how far a conversation with a server has come. The same number
// means different things at different stages.
type stage int

const (
	entering stage = iota // greeting, encryption, sign-in: about us
	naming                // who it is from: about us
	asking                // who it is to: about them
	handing               // the letter itself
)

// refusal explains an error of a conversation. Only numbers are taken from
// what the server said.
func refusal(at stage, err error) *Refusal {
	if r, ok := errors.AsType[*Refusal](err); ok {
		return r
	}
	if said, ok := errors.AsType[*textproto.Error](err); ok {
		return answered(at, said)
	}
	r := &Refusal{Reason: Unreachable}
	if _, ok := errors.AsType[textproto.ProtocolError](err); ok {
		r.cause = errors.New("the server does not speak SMTP") // its words are in err
		return r
	}
	r.cause = err
	if aboutTLS(err) {
		r.Reason = Insecure
	}
	return r
}

// hungUp reports whether nothing more will be said on this connection.
func (r *Refusal) hungUp() bool { return r.Code == 0 || r.Code == 421 }

func answered(at stage, said *textproto.Error) *Refusal {
	if said.Code < 400 { // a yes to something else than was asked
		return &Refusal{Reason: Unreachable, cause: errors.New("the server does not speak SMTP")}
	}
	enhanced := enhancedCode(said.Msg)
	r := &Refusal{
		Code: said.Code, Enhanced: enhanced,
		Permanent: said.Code >= 500,
		Reason:    Explain(said.Code, enhanced),
	}
	switch {
	case r.Reason == SignInRefused, at == entering:
		r.Permanent = false // nothing is wrong with the letter; somebody has to look at the settings
		if r.Reason != SignInRefused && said.Code >= 500 {
			r.Reason = Blocked
		}
	case at == naming && said.Code >= 500 && r.Reason.AboutAddress() && r.Reason != OddAddress:
		r.Reason = Refused // it is our own address that they do not like
	case at == handing && said.Code >= 500 && (enhanced == "" || strings.HasSuffix(enhanced, ".0.0")):
		r.Reason = Refused // the mailbox was accepted; a bare 550 is about what is in it
	}
	return r
}

func aboutTLS(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[tls.AlertError](err); ok {
		return true
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return true
	}
	return strings.Contains(err.Error(), "tls: ")
}

var codes = regexp.MustCompile(`^([245]\.\d{1,3}\.\d{1,3})(?:\s|$)`)

// enhancedCode finds the code of RFC 3463 at the beginning of an answer.
func enhancedCode(said string) string {
	if m := codes.FindStringSubmatch(said); m != nil {
		return m[1]
	}
	return ""
}

// Explain gives the reason behind a reply code and an enhanced status code
// (RFC 3463), either of which may be missing. A bounce knows only the latter.
func Explain(code int, enhanced string) Reason {
	class, detail, _ := strings.Cut(enhanced, ".")
	if code == 0 {
		code = map[string]int{"2": 200, "4": 400, "5": 500}[class]
	}
	switch code {
	case 530, 534, 535, 538: // clearer than what is often said beside them
		return SignInRefused
	}
	if r, ok := byDetail(code >= 500 || code == 0, detail); ok {
		return r
	}
	return byCode(code)
}

// byDetail reads the subject and detail of an enhanced code: "1.1" of "5.1.1".
func byDetail(forGood bool, detail string) (Reason, bool) {
	subject, _, _ := strings.Cut(detail, ".")
	switch {
	case detail == "2.2":
		return MailboxFull, true
	case subject == "4" && !forGood:
		return Unreachable, true
	case detail == "" || detail == "0.0" || !forGood:
		return "", false
	}
	if r, ok := details[detail]; ok {
		return r, true
	}
	r, ok := subjects[subject]
	return r, ok
}

// details are the permanent codes that mean something else than their subject.
var details = map[string]Reason{
	"1.2":   NoDomain,
	"1.7":   Refused, // our own address
	"1.8":   Refused, // our own domain
	"2.3":   Refused, // too long for this mailbox
	"4.1":   NoMailbox,
	"4.4":   NoDomain,
	"4.310": NoDomain,
	"6.7":   OddAddress,
	"7.8":   SignInRefused,
	"7.9":   SignInRefused,
}

var subjects = map[string]Reason{
	"1": NoMailbox,
	"2": MailboxClosed,
	"3": Refused,
	"4": Unreachable,
	"5": Refused,
	"6": Refused,
	"7": Blocked,
}

func byCode(code int) Reason {
	switch code {
	case 550, 551, 553:
		return NoMailbox
	case 521, 556:
		return NoDomain
	case 552:
		return MailboxFull
	}
	if code >= 400 && code < 500 {
		return TryLater
	}
	return Refused
}
