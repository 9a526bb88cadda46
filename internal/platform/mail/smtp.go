package mail

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-msgauth/dkim"
)

// Options say who sends, and how.
type Options struct {
	From, FromName string // of letters that name no sender
	Hostname       string // how we introduce ourselves; empty: localhost
	DKIM           DKIM
	Connections    int           // at most so many at once; 0: 8
	Timeout        time.Duration // for one Send, waiting included; 0: a minute
	Clock          func() time.Time
	RootCAs        *x509.CertPool // nil: the system's

	// Dial makes connections; nil: a net.Dialer.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// idle is how long a connection may wait for its next letter. Longer, and
// something between here and there may have forgotten it without a word.
const idle = time.Minute

// SMTP is a Sender that hands letters to a mail server. It keeps its
// connections and uses them again. Any number of goroutines may use it.
type SMTP struct {
	o Options
	server
	sign  *dkim.SignOptions
	seats chan struct{} // one for each connection in use

	mu     sync.Mutex
	kept   []*session // the one used last is taken first
	closed bool
}

// Format names the server and leaves out the password.
func (s *SMTP) Format(f fmt.State, _ rune) { io.WriteString(f, "[mail server "+s.addr+"]") }

// server is what the URL says.
type server struct {
	addr, host string
	user, pass string
	implicit   bool // encrypted from the first byte
	near       bool // this machine: plain is allowed
}

// Open reads where to send: smtp://user:password@host:587 (encrypted by
// STARTTLS, or not sent), smtps://user:password@host:465 (encrypted throughout),
// or smtp://localhost:25, which is plain and goes no further than this machine.
// It connects to nothing yet.
func Open(address string, o Options) (*SMTP, error) {
	sv, err := parseServer(address)
	if err != nil {
		return nil, err
	}
	if o.Clock == nil {
		return nil, errors.New("mail: there is no clock")
	}
	if o.From != "" {
		if o.From, err = parse(o.From); err != nil {
			return nil, errors.New("mail: the sender is not an address")
		}
	}
	if o.Hostname == "" {
		o.Hostname = "localhost"
	}
	if strings.ContainsFunc(o.Hostname, notInID) {
		return nil, errors.New("mail: the host name cannot be used to introduce ourselves")
	}
	if o.Connections <= 0 {
		o.Connections = 8
	}
	if o.Timeout <= 0 {
		o.Timeout = time.Minute
	}
	if o.Dial == nil {
		o.Dial = new(net.Dialer).DialContext
	}
	s := &SMTP{o: o, server: sv, seats: make(chan struct{}, o.Connections)}
	s.sign, err = o.DKIM.signer()
	return s, err
}

// parseServer never repeats the URL in an error: it holds a password.
func parseServer(address string) (sv server, err error) {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		return sv, errors.New("mail: the server must be written as smtp://user:password@host:port")
	}
	sv.host = u.Hostname()
	sv.near = loopback(sv.host)
	sv.user = u.User.Username()
	sv.pass, _ = u.User.Password()
	if (sv.user == "") != (sv.pass == "") {
		return sv, errors.New("mail: the server's URL has a user or a password, but not both")
	}
	port := u.Port()
	switch {
	case u.Scheme == "smtps":
		sv.implicit = true
		port = cmp.Or(port, "465")
	case u.Scheme != "smtp":
		return sv, errors.New("mail: the server's URL must begin with smtp:// or smtps://")
	case sv.near:
		port = cmp.Or(port, "25")
	default:
		port = cmp.Or(port, "587")
	}
	sv.addr = net.JoinHostPort(sv.host, port)
	return sv, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (s *SMTP) tlsConfig() *tls.Config {
	return &tls.Config{ServerName: s.host, RootCAs: s.o.RootCAs, MinVersion: tls.VersionTLS12}
}

// Send hands m to the server and returns what it answered. Its error is a
// *Refusal.
func (s *SMTP) Send(ctx context.Context, m Message) (Receipt, error) {
	l, err := s.write(m)
	if err != nil {
		return Receipt{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	select {
	case s.seats <- struct{}{}:
		defer func() { <-s.seats }()
	case <-ctx.Done():
		return Receipt{}, &Refusal{Reason: TryLater, cause: ctx.Err()}
	}
	return s.deliver(ctx, l)
}

// write makes the letter ready, with the sender's own name and signature.
func (s *SMTP) write(m Message) (*letter, error) {
	if m.From == "" {
		m.From = s.o.From
		if m.FromName == "" {
			m.FromName = s.o.FromName
		}
	}
	if m.Date.IsZero() {
		m.Date = s.o.Clock()
	}
	l, err := compose(m)
	if err != nil || s.sign == nil {
		return l, err
	}
	if l.content, err = sign(l.content, s.sign); err != nil {
		return nil, fmt.Errorf("sign %s: %w", m.ID, err)
	}
	return l, nil
}

// deliver uses a kept connection if there is one. When that has died since, and
// before any of the letter was sent, a fresh one is tried once.
func (s *SMTP) deliver(ctx context.Context, l *letter) (Receipt, error) {
	if c := s.take(); c != nil {
		r, err := c.send(ctx, l)
		s.keep(c)
		no, ok := errors.AsType[*Refusal](err)
		if !ok || !no.hungUp() || !c.dead || c.begun || ctx.Err() != nil {
			return r, err
		}
	}
	c, err := s.connect(ctx)
	if err != nil {
		return Receipt{}, err
	}
	defer s.keep(c)
	return c.send(ctx, l)
}

// take returns the connection used last, if it is fresh enough.
func (s *SMTP) take() *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.kept) == 0 {
		return nil
	}
	c := s.kept[len(s.kept)-1]
	if s.o.Clock().Sub(c.used) > idle { // then all the others are older still
		s.drop()
		return nil
	}
	s.kept = s.kept[:len(s.kept)-1]
	return c
}

// keep puts c back, unless it is of no more use.
func (s *SMTP) keep(c *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.dead || s.closed {
		c.close()
		return
	}
	c.used = s.o.Clock()
	s.kept = append(s.kept, c)
}

func (s *SMTP) drop() {
	for _, c := range s.kept {
		c.close()
	}
	s.kept = nil
}

// Close takes leave of the server. A Send that is under way is not disturbed.
func (s *SMTP) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.drop()
	return nil
}

// Check connects, encrypts and signs in as a letter would, and sends nothing.
func (s *SMTP) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	c, err := s.connect(ctx)
	if err != nil {
		return err
	}
	c.close()
	return nil
}
