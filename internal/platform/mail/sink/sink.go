// Package sink is a mail server that delivers to nobody: what it is sent can be
// looked at. It serves development, tests and measurements, on this machine
// only, and can be told to behave as badly as the real ones do.
package sink

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/emersion/go-smtp"
)

// Options say what kind of server it is.
type Options struct {
	Addr      string // empty: any free port of 127.0.0.1
	Keep      int    // so many of the latest messages; 0: 1000
	CountOnly bool   // keep none, only count: for measurements
	STARTTLS  bool   // with a certificate made for the occasion
	TLS       bool   // encrypted from the first byte
	User      string // if set, who does not sign in sends nothing
	Password  string
	NoUTF8    bool // addresses in ASCII only
}

// Behavior is how it misbehaves. The zero value is a good server.
type Behavior struct {
	RejectSender    *Answer               // to MAIL
	RejectRecipient *Answer               // to RCPT
	RejectMessage   *Answer               // after the message was read
	Greylist        bool                  // 451 to the first try of each recipient
	DropAfterData   bool                  // reads the message, then hangs up
	Stall           bool                  // reads the message, then says nothing until told otherwise
	RefuseSignIn    bool                  // 535, whatever the password
	Hook            func(to string) error // asked at RCPT, if set
}

// Answer is a refusal in the server's words.
type Answer struct {
	Code     int
	Enhanced [3]int
	Words    string
}

func (a *Answer) err() error {
	return &smtp.SMTPError{Code: a.Code, EnhancedCode: a.Enhanced, Message: a.Words}
}

// Counts say what has happened so far.
type Counts struct {
	Connections, SignIns, Recipients, Messages, Bytes int64
}

// Sink is a running server.
type Sink struct {
	o      Options
	server *smtp.Server
	ln     *listener
	roots  *x509.CertPool
	done   chan struct{} // closed by Close

	connections, signIns, recipients, messages, bytes atomic.Int64

	behavior atomic.Pointer[behavior]

	mu    sync.Mutex
	kept  []Message
	seen  map[string]bool // recipients that were greylisted once
	waits []wait
}

// behavior is a Behavior and the end of its reign.
type behavior struct {
	Behavior
	over chan struct{}
}

type wait struct {
	n  int64
	ch chan struct{}
}

// Start opens a server. Close it when done.
func Start(o Options) (*Sink, error) {
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	if o.Keep == 0 {
		o.Keep = 1000
	}
	if host, _, err := net.SplitHostPort(o.Addr); err != nil || !net.ParseIP(host).IsLoopback() {
		return nil, fmt.Errorf("sink: %s is not an address of this machine", o.Addr)
	}
	s := &Sink{o: o, done: make(chan struct{}), seen: map[string]bool{}}
	s.behavior.Store(&behavior{over: make(chan struct{})})
	s.server = smtp.NewServer(smtp.BackendFunc(s.newSession))
	s.server.Domain = "localhost"
	s.server.AllowInsecureAuth = true
	s.server.EnableSMTPUTF8 = !o.NoUTF8
	s.server.MaxMessageBytes = 32 << 20
	s.server.ErrorLog = log.New(io.Discard, "", 0) // its words hold addresses
	if err := s.listen(); err != nil {
		return nil, err
	}
	go s.server.Serve(s.ln)
	return s, nil
}

func (s *Sink) listen() error {
	ln, err := net.Listen("tcp", s.o.Addr)
	if err != nil {
		return fmt.Errorf("sink: %w", err)
	}
	s.ln = &listener{Listener: ln, sink: s, open: map[net.Conn]bool{}}
	if !s.o.STARTTLS && !s.o.TLS {
		return nil
	}
	cert, roots, err := certificate()
	if err != nil {
		ln.Close()
		return fmt.Errorf("sink: make a certificate: %w", err)
	}
	s.roots = roots
	config := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	s.server.TLSConfig = config
	s.ln.tls = s.o.TLS
	return nil
}

// Addr is where it listens.
func (s *Sink) Addr() string { return s.ln.Addr().String() }

// Roots trust its certificate, which is for mail.example.com and 127.0.0.1.
func (s *Sink) Roots() *x509.CertPool { return s.roots }

// Behave changes how it behaves from now on; what stalls is let go.
func (s *Sink) Behave(b Behavior) {
	close(s.behavior.Swap(&behavior{Behavior: b, over: make(chan struct{})}).over)
}

// Counts returns what has happened so far.
func (s *Sink) Counts() Counts {
	return Counts{
		Connections: s.connections.Load(), SignIns: s.signIns.Load(),
		Recipients: s.recipients.Load(), Messages: s.messages.Load(), Bytes: s.bytes.Load(),
	}
}

// Messages returns those kept, the oldest first.
func (s *Sink) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.kept)
}

// Wait returns when n messages have come in all.
func (s *Sink) Wait(ctx context.Context, n int64) error {
	s.mu.Lock()
	if s.messages.Load() >= n {
		s.mu.Unlock()
		return nil
	}
	ch := make(chan struct{})
	s.waits = append(s.waits, wait{n, ch})
	s.mu.Unlock()
	select {
	case <-ch:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// HangUp closes every connection, as a server does that has been idle for long.
func (s *Sink) HangUp() { s.ln.hangUp() }

// Close ends the server and its connections.
func (s *Sink) Close() error {
	select {
	case <-s.done:
		return nil
	default:
		close(s.done)
	}
	s.Behave(Behavior{})
	err := s.ln.Close() // the server may not know it yet
	s.server.Close()    // closes it once more, and says so
	s.HangUp()
	return err
}

// received counts a message, keeps it if it is to be kept, and wakes who waits.
func (s *Sink) received(m *Message, size int64) {
	s.bytes.Add(size)
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.messages.Add(1)
	if m != nil {
		if len(s.kept) >= s.o.Keep {
			s.kept = slices.Delete(s.kept, 0, len(s.kept)-s.o.Keep+1)
		}
		s.kept = append(s.kept, *m)
	}
	s.waits = slices.DeleteFunc(s.waits, func(w wait) bool {
		if n >= w.n {
			close(w.ch)
		}
		return n >= w.n
	})
}

// greylisted reports whether this is the first try for a recipient.
func (s *Sink) greylisted(to string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := !s.seen[to]
	s.seen[to] = true
	return first
}
