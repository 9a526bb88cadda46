package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/a-h/templ"

	"icouch/internal/access"
	"icouch/internal/account/factor"
	"icouch/internal/base/fault"
	"icouch/internal/platform/mail/sink"
)

// Pages for whoever develops the program: the letters that would have gone out,
// and the parts that pages are made of. On an installation with real mail there
// is nothing here.

// MailboxPage lists the letters, newest first.
type MailboxPage struct {
	Page
	Letters []LetterLine
	Codes   []CodeLine
}

// Authenticator is the app of somebody invented, who has no phone.
type Authenticator struct {
	Email string
	Seed  factor.Seed
}

// CodeLine is what such an app shows.
type CodeLine struct{ Email, Now, Next string }

// LetterLine is one of them.
type LetterLine struct {
	N                 int
	To, Subject, When string
}

// LetterPage is one letter.
type LetterPage struct {
	Page
	LetterLine
	Text []TextRun
	HTML string
}

// TextRun is a piece of a letter's text; a Link is an address in it.
type TextRun struct {
	Words string
	Link  bool
}

// GET /dev/mailbox
func (s *Site) devMailbox(w http.ResponseWriter, r *http.Request, _ access.Actor) error {
	if s.Mailbox == nil {
		return fault.NotFound
	}
	p := MailboxPage{Page: s.page(r, "Mailbox")}
	all := s.Mailbox.Messages()
	for i := len(all) - 1; i >= 0; i-- {
		p.Letters = append(p.Letters, letterLine(i+1, all[i]))
	}
	codes, err := s.codes()
	if err != nil {
		return err
	}
	p.Codes = codes
	return s.show(w, r, http.StatusOK, p.View())
}

// codes are what the apps of invented people show now, and next: each code
// works once.
func (s *Site) codes() (all []CodeLine, err error) {
	if s.Authenticators == nil {
		return nil, nil
	}
	for _, a := range s.Authenticators() {
		l := CodeLine{Email: a.Email}
		if l.Now, err = a.Seed.Code(s.DB.Clock()); err != nil {
			return nil, err
		}
		if l.Next, err = a.Seed.Code(s.DB.Clock().Add(30 * time.Second)); err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	return all, nil
}

// GET /dev/mailbox/{n}
func (s *Site) devLetter(w http.ResponseWriter, r *http.Request, _ access.Actor) error {
	if s.Mailbox == nil {
		return fault.NotFound
	}
	all := s.Mailbox.Messages()
	n, err := strconv.Atoi(r.PathValue("n"))
	if err != nil || n < 1 || n > len(all) {
		return fault.NotFound
	}
	m := all[n-1]
	p := LetterPage{Page: s.page(r, "Mailbox"), LetterLine: letterLine(n, m), Text: s.runs(flowing(m.Text)), HTML: m.HTML}
	return s.show(w, r, http.StatusOK, p.View())
}

func letterLine(n int, m sink.Message) LetterLine {
	return LetterLine{n, m.To, m.Subject, m.Header.Get("Date")}
}

// flowing undoes the breaks of a letter's lines, which are for mail programs: a
// break stands where the next word would not have fit.
func flowing(text string) string {
	const width = 72
	var t strings.Builder
	room := width // left in the line before
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		words := strings.TrimLeft(line, " ")
		first, _, _ := strings.Cut(words, " ")
		broken := words != "" && room < width && 1+utf8.RuneCountInString(first) > room && !strings.HasPrefix(words, "- ") && !strings.HasPrefix(words, "http")
		switch {
		case broken:
			t.WriteString(" " + words)
		case t.Len() > 0:
			t.WriteString("\n" + line)
		default:
			t.WriteString(line)
		}
		room = width - utf8.RuneCountInString(line)
	}
	return t.String() + "\n"
}

// runs finds the links to this site in a text.
func (s *Site) runs(text string) (all []TextRun) {
	for {
		before, rest, found := strings.Cut(text, s.House.Base+"/")
		all = append(all, TextRun{Words: before})
		if !found {
			return all
		}
		end := strings.IndexAny(rest, " \t\r\n<>")
		if end < 0 {
			end = len(rest)
		}
		link := strings.TrimRight(rest[:end], ".,;")
		all, text = append(all, TextRun{s.House.Base + "/" + link, true}), rest[len(link):]
	}
}

// devGallery shows parts: GET /dev/parts and below.
func devGallery(gallery func() templ.Component) func(*Site, http.ResponseWriter, *http.Request, access.Actor) error {
	return func(s *Site, w http.ResponseWriter, r *http.Request, _ access.Actor) error {
		if s.Mailbox == nil {
			return fault.NotFound
		}
		return s.show(w, r, http.StatusOK, gallery())
	}
}
