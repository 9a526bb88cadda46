// Package dsn reads what mail servers write back when a letter could not be
// delivered, or not yet: the reports of RFC 3464, and those that each kind of
// server makes up for itself.
//
// Anybody can write a report. It is only worth believing when its Message-ID is
// one that we sent and, better, when it came to an address made for that letter.
package dsn

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"regexp"
	"strconv"
	"strings"

	"icouch/internal/platform/mail"
)

// ErrNotAReport is returned for anything else that comes by mail, such as
// "I am out of the office".
var ErrNotAReport = errors.New("dsn: not a delivery report")

// Limits on what strangers send.
const (
	maxSize  = 1 << 20 // the rest is not read
	maxDepth = 5       // parts within parts
	maxParts = 50
	maxText  = 64 << 10 // of a part that is read as text
)

// Action is what became of the letter.
type Action string

// The actions of RFC 3464.
const (
	Failed    Action = "failed"
	Delayed   Action = "delayed" // they are still trying
	Delivered Action = "delivered"
	Relayed   Action = "relayed"  // to a server that sends no reports
	Expanded  Action = "expanded" // to the members of a list
)

// Report is what one server says about one letter.
type Report struct {
	OriginalMessageID string // without <>; empty if the report does not say
	Action            Action
	Status            string      // "5.1.1", or empty
	Reason            mail.Reason // if Failed or Delayed

	recipient string
}

// Recipient is the address that the report is about, or empty. It may differ
// from the one written to, where mail is forwarded. It is kept out of print.
func (r Report) Recipient() string { return r.recipient }

func (r Report) String() string {
	return strings.TrimSpace(fmt.Sprintf("%s %s %s", r.Action, r.Status, r.Reason))
}

// Format keeps the recipient out of anything printed, whatever the verb.
func (r Report) Format(f fmt.State, _ rune) { io.WriteString(f, r.String()) }

// LogValue keeps the recipient out of logs.
func (r Report) LogValue() slog.Value { return slog.StringValue(r.String()) }

// Parse reads a report. What is no report, or says nothing that can be
// understood, is ErrNotAReport.
func Parse(r io.Reader) (Report, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxSize))
	if err != nil {
		return Report{}, fmt.Errorf("dsn: read: %w", err)
	}
	m, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return Report{}, ErrNotAReport
	}
	var f findings
	f.walk(m.Header.Get, m.Body, 0)
	report, ok := f.standard()
	if !ok && fromMailer(m.Header) {
		report, ok = f.guessed()
	}
	if !ok {
		return Report{}, ErrNotAReport
	}
	if report.recipient == "" {
		report.recipient = oneAddress(m.Header.Get("X-Failed-Recipients"))
	}
	report.OriginalMessageID = firstID(f.original, idInText(f.text), m.Header.Get("In-Reply-To"), lastID(m.Header.Get("References")))
	return report, nil
}

// findings are what the parts of a message hold.
type findings struct {
	parts    int
	fields   []fields // of the delivery status, one for each recipient
	original string   // the Message-ID of the message that came back
	text     string   // what is written for people
}

func (f *findings) walk(header func(string) string, body io.Reader, depth int) {
	f.parts++
	if depth > maxDepth || f.parts > maxParts {
		return
	}
	kind, params, err := mime.ParseMediaType(header("Content-Type"))
	if err != nil {
		kind = "text/plain"
	}
	if strings.HasPrefix(kind, "multipart/") {
		r := multipart.NewReader(body, params["boundary"])
		for f.parts <= maxParts {
			p, err := r.NextRawPart()
			if err != nil {
				return
			}
			f.walk(p.Header.Get, p, depth+1)
		}
		return
	}
	f.leaf(kind, decoded(header("Content-Transfer-Encoding"), body))
}

// leaf reads one part as far as it goes.
func (f *findings) leaf(kind string, body io.Reader) {
	b, _ := io.ReadAll(io.LimitReader(body, maxText))
	text := strings.ReplaceAll(string(b), "\r\n", "\n")
	switch kind {
	case "message/delivery-status", "message/global-delivery-status":
		f.fields = append(f.fields, blocks(text)...)
	case "message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers", "message/global-headers":
		if all := blocks(text); f.original == "" && len(all) > 0 {
			f.original = all[0]["message-id"]
		}
	case "text/plain":
		if len(f.text) < maxText {
			f.text += text + "\n"
		}
	}
}

func decoded(encoding string, body io.Reader) io.Reader {
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "quoted-printable":
		return quotedprintable.NewReader(body)
	case "base64":
		return base64.NewDecoder(base64.StdEncoding, body)
	}
	return body
}

// fields are lines such as "Status: 5.1.1", the names in lower case.
type fields map[string]string

// blocks reads fields, a block of them up to each empty line. Lines that are
// none are passed over.
func blocks(text string) (all []fields) {
	block, last := fields{}, ""
	flush := func() {
		if len(block) > 0 {
			all = append(all, block)
		}
		block, last = fields{}, ""
	}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		name, value, ok := strings.Cut(line, ":")
		switch {
		case strings.TrimSpace(line) == "":
			flush()
		case line[0] == ' ' || line[0] == '\t':
			if last != "" && len(block[last]) < 2000 {
				block[last] += " " + strings.TrimSpace(line)
			}
		case ok:
			last = strings.ToLower(strings.TrimSpace(name))
			if _, again := block[last]; !again {
				block[last] = strings.TrimSpace(value)
			}
		}
	}
	flush()
	return all
}

// standard reads the delivery status. With several recipients the worst news
// counts, as ours are letters to one person.
func (f *findings) standard() (best Report, ok bool) {
	for _, b := range f.fields {
		r, found := b.report()
		if found && (!ok || r.Action == Failed && best.Action != Failed) {
			best, ok = r, true
		}
	}
	return best, ok
}

func (b fields) report() (r Report, ok bool) {
	word, _, _ := strings.Cut(strings.ToLower(b["action"]), " ")
	status := statusIn.FindString(b["status"])
	code, better := numbers(b["diagnostic-code"])
	if better != "" && (status == "" || strings.HasSuffix(status, ".0.0")) && (status == "" || status[0] == better[0]) {
		status = better
	}
	if word == "" && status == "" {
		return r, false
	}
	r = Report{Action: Action(word), Status: status}
	switch r.Action {
	case Failed, Delayed, Delivered, Relayed, Expanded:
	default:
		r.Action = byStatus(status)
	}
	if r.Action == Failed || r.Action == Delayed {
		if r.Action == Failed && code < 500 { // given up after a temporary failure
			code = 0
		}
		r.Reason = mail.Explain(code, status)
	}
	_, address, _ := strings.Cut(b["final-recipient"], ";")
	if address == "" {
		_, address, _ = strings.Cut(b["original-recipient"], ";")
	}
	r.recipient = oneAddress(address)
	return r, r.Action != ""
}

func byStatus(status string) Action {
	switch {
	case strings.HasPrefix(status, "5"):
		return Failed
	case strings.HasPrefix(status, "4"):
		return Delayed
	case strings.HasPrefix(status, "2"):
		return Delivered
	}
	return ""
}

var (
	statusIn = regexp.MustCompile(`\b[245]\.\d{1,3}\.\d{1,3}\b`)
	both     = regexp.MustCompile(`\b([45]\d\d)[ -]+#?([45]\.\d{1,3}\.\d{1,3})(?:[^.\d]|$)`)
	hashed   = regexp.MustCompile(`#(?:[45]\d\d )?([45]\.\d{1,3}\.\d{1,3})(?:[^.\d]|$)`)
	bare     = regexp.MustCompile(`(?im)(?:^|said:|smtp;|error:|response:|responded:|server:)\s*([45]\d\d)[ -]`)
	idLine   = regexp.MustCompile(`(?im)^[> \t]*Message-ID:\s*(<[^<>\s]{3,250}>)`)
	idAlone  = regexp.MustCompile(`<([^<>\s]{1,200}@[^<>\s]{1,200})>`)
	about    = regexp.MustCompile(`(?m)^[ \t]*<?([^<>\s:;,]{1,64}@[^<>\s:;,]{1,255}?)>?:?[ \t]*$`)
)

// numbers finds a reply code and a status code in a server's words.
func numbers(text string) (code int, status string) {
	if m := both.FindStringSubmatch(text); m != nil {
		code, _ = strconv.Atoi(m[1])
		return code, m[2]
	}
	if m := hashed.FindStringSubmatch(text); m != nil {
		status = m[1]
	}
	if m := bare.FindStringSubmatch(text); m != nil {
		code, _ = strconv.Atoi(m[1])
	}
	return code, status
}

// fromMailer reports whether a message without a delivery status looks as if a
// mail server had written it.
func fromMailer(h netmail.Header) bool {
	if h.Get("X-Failed-Recipients") != "" {
		return true
	}
	from := strings.ToLower(h.Get("From"))
	for _, who := range []string{"mailer-daemon", "postmaster", "mail delivery", "microsoftexchange"} {
		if strings.Contains(from, who) {
			return true
		}
	}
	return false
}

// guessed reads a report that only has words for people.
func (f *findings) guessed() (Report, bool) {
	text, _, _ := strings.Cut(f.text, "--- Below this line is a copy of the message") // qmail
	code, status := numbers(text)
	if code == 0 && status == "" {
		return Report{}, false
	}
	r := Report{Action: Failed, Status: status, Reason: mail.Explain(code, status)}
	if code >= 400 && code < 500 || code == 0 && status[0] == '4' {
		r.Action = Delayed
	}
	if m := about.FindStringSubmatch(text); m != nil {
		r.recipient = oneAddress(m[1])
	}
	return r, true
}

func idInText(text string) string {
	if m := idLine.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

func lastID(references string) string {
	all := strings.Fields(references)
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1]
}

// firstID returns the first that is a Message-ID, without its brackets.
func firstID(candidates ...string) string {
	for _, c := range candidates {
		if m := idAlone.FindStringSubmatch(c); m != nil {
			return m[1]
		}
	}
	return ""
}

func oneAddress(s string) string {
	s = strings.Trim(strings.TrimSpace(s), "<>")
	if len(s) > 320 || strings.Count(s, "@") != 1 || strings.ContainsAny(s, " \t,;<>") {
		return ""
	}
	return s
}
