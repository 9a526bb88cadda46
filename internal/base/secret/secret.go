// Package secret holds values that must not reach a log, a page or the disk.
package secret

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
)

// Token is a bearer secret of 256 bits, such as the one in an invitation link
// or a session cookie. Printing it, by any verb, prints "[secret]".
type Token struct{ b [32]byte }

// NewToken returns a fresh token.
func NewToken() (t Token) {
	rand.Read(t.b[:]) // never fails
	return t
}

// ParseToken reads a token from a link or a cookie. Any text gives a token; a
// text that is no token gives one that nobody was ever handed.
func ParseToken(s string) (t Token) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != len(t.b) {
		return NewToken()
	}
	copy(t.b[:], b)
	return t
}

// Hash is what may be stored.
func (t Token) Hash() []byte {
	h := sha256.Sum256(t.b[:])
	return h[:]
}

// Reveal returns the text for the link or the cookie itself.
func (t Token) Reveal() string { return base64.RawURLEncoding.EncodeToString(t.b[:]) }

func (t Token) String() string { return "[secret]" }

// Format keeps the token out of anything printed, whatever the verb.
func (t Token) Format(f fmt.State, _ rune) { io.WriteString(f, "[secret]") }

// LogValue keeps the token out of logs.
func (t Token) LogValue() slog.Value { return slog.StringValue("[secret]") }

// MarshalText keeps the token out of JSON.
func (t Token) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }
