// Package mail sends letters. It knows nothing of who is written to or why:
// the words, and whether a person may be written to at all, are decided by
// whoever calls it.
//
// Three rules hold for every Sender here:
//
//   - Nothing crosses a network in the clear. A server that offers no
//     encryption, or a certificate that does not verify, gets nothing.
//   - A letter is handed over at most once by one Send. When the answer to it is
//     lost, Send says so (Refusal.Uncertain) and leaves it to the caller to
//     decide whether a second copy is better than none.
//   - No error holds an address: what a server says in its own words is read
//     for its numbers and then dropped.
package mail

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"
)

// Message is one letter to one person.
type Message struct {
	ID              string // the Message-ID without <>; the same on every retry
	From, FromName  string // who it is from; empty: the sender's own
	To              string // a bare address
	ReplyTo         string // where an answer goes, if elsewhere
	Subject         string
	Text, HTML      string    // the same words twice; HTML may be empty
	ListUnsubscribe string    // a page, or empty
	EnvelopeFrom    string    // where a bounce goes; empty: From
	Date            time.Time // zero: now. A retry should repeat it
}

// Format keeps the letter out of anything printed, whatever the verb: it names
// a person, and its links open doors.
func (m Message) Format(f fmt.State, _ rune) { io.WriteString(f, "[message "+m.ID+"]") }

// LogValue keeps the letter out of logs.
func (m Message) LogValue() slog.Value { return slog.StringValue("[message " + m.ID + "]") }

// Receipt is what the server answered, without its words, which may hold
// addresses.
type Receipt struct {
	Code     int    // 250
	Enhanced string // "2.0.0", or empty
	Accepted bool   // the server has taken the letter, and will deliver it or bounce it
}

// Sender hands letters over. SMTP is one; Box is the other.
//
// The error of Send is a *Refusal, which says whether to try again.
type Sender interface {
	Send(ctx context.Context, m Message) (Receipt, error)
}
