package sink

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"strings"
)

// Message is one that came, taken apart for whoever looks at it.
type Message struct {
	From       string   // the envelope's
	Recipients []string // the envelope's
	Header     netmail.Header
	Subject    string   // decoded
	To         string   // as the header has it, decoded
	Text, HTML string   // decoded, lines end in \n
	Parts      []string // the media types, in order
	Raw        []byte
}

// Parse takes a message apart as far as it can be.
func Parse(raw []byte) Message {
	m := Message{Raw: raw}
	parsed, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return m
	}
	m.Header = parsed.Header
	m.Subject = words(parsed.Header.Get("Subject"))
	m.To = words(parsed.Header.Get("To"))
	m.part(parsed.Header.Get, parsed.Body, 0)
	return m
}

func words(s string) string {
	decoded, err := new(mime.WordDecoder).DecodeHeader(s)
	if err != nil {
		return s
	}
	return decoded
}

// part reads one part, or the parts within it.
func (m *Message) part(header func(string) string, body io.Reader, depth int) {
	kind, params, err := mime.ParseMediaType(header("Content-Type"))
	if err != nil {
		kind = "text/plain"
	}
	m.Parts = append(m.Parts, kind)
	if strings.HasPrefix(kind, "multipart/") && depth < 4 {
		r := multipart.NewReader(body, params["boundary"])
		for {
			p, err := r.NextRawPart()
			if err != nil {
				return
			}
			m.part(p.Header.Get, p, depth+1)
		}
	}
	switch strings.ToLower(header("Content-Transfer-Encoding")) {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	b, _ := io.ReadAll(body) // as far as it goes
	text := strings.ReplaceAll(string(b), "\r\n", "\n")
	switch {
	case kind == "text/plain" && m.Text == "":
		m.Text = text
	case kind == "text/html" && m.HTML == "":
		m.HTML = text
	}
}
