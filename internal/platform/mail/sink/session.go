package sink

import (
	"bytes"
	"errors"
	"io"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// session is one client's conversation.
type session struct {
	sink     *Sink
	conn     *smtp.Conn
	signedIn bool
	from     string
	to       []string
}

func (s *Sink) newSession(c *smtp.Conn) (smtp.Session, error) {
	return &session{sink: s, conn: c, signedIn: s.o.User == ""}, nil
}

func (s *session) AuthMechanisms() []string {
	if s.sink.o.User == "" {
		return nil
	}
	return []string{sasl.Plain}
}

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if s.sink.behavior.Load().RefuseSignIn || user != s.sink.o.User || password != s.sink.o.Password {
			return smtp.ErrAuthFailed
		}
		s.sink.signIns.Add(1)
		s.signedIn = true
		return nil
	}), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if !s.signedIn {
		return (&Answer{530, [3]int{5, 7, 0}, "Authentication required"}).err()
	}
	if s.from != "" {
		return (&Answer{503, [3]int{5, 5, 1}, "One at a time; RSET first"}).err()
	}
	if b := s.sink.behavior.Load(); b.RejectSender != nil {
		return b.RejectSender.err()
	}
	s.from = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	b := s.sink.behavior.Load()
	switch {
	case b.RejectRecipient != nil:
		return b.RejectRecipient.err()
	case b.Greylist && s.sink.greylisted(to):
		return (&Answer{451, [3]int{4, 7, 1}, "Greylisted, try again"}).err()
	case b.Hook != nil:
		if err := b.Hook(to); err != nil {
			return err
		}
	}
	s.sink.recipients.Add(1)
	s.to = append(s.to, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	var raw bytes.Buffer
	var w io.Writer = &raw
	if s.sink.o.CountOnly {
		w = io.Discard
	}
	size, err := io.Copy(w, r)
	if err != nil {
		return err
	}
	b := s.sink.behavior.Load()
	switch {
	case b.RejectMessage != nil:
		return b.RejectMessage.err()
	case b.DropAfterData:
		s.conn.Conn().Close()
		return errors.New("hung up")
	case b.Stall:
		select {
		case <-b.over:
		case <-s.sink.done:
		}
	}
	if s.sink.o.CountOnly {
		s.sink.received(nil, size)
		return nil
	}
	m := Parse(raw.Bytes())
	m.From, m.Recipients = s.from, s.to
	s.sink.received(&m, size)
	return nil
}

func (s *session) Reset() { s.from, s.to = "", nil }

func (s *session) Logout() error { return nil }
