package password

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"icouch/internal/base/fault"
)

// ErrBusy is for more people than can be served at once.
var ErrBusy = fault.New(fault.Busy, "Many people are signing in right now. Please try again in a minute.")

// errStored is a stored hash that we did not write.
var errStored = errors.New("stored password hash is not one of ours")

// cost is what one hash needs. It stands in the hash, so that it may grow.
type cost struct {
	memory uint32 // KiB
	time   uint32
	lanes  uint8
}

// today's cost: 19 MiB, twice over, on one core.
var today = cost{memory: 19 * 1024, time: 2, lanes: 1}

// The most a stored hash may ask of us, whoever wrote it.
var ceiling = cost{memory: 256 * 1024, time: 10, lanes: 8}

const (
	saltLen = 16
	keyLen  = 32
)

// Hasher makes and checks hashes, a few at a time: each needs 19 MiB and a
// core for some 25 ms. Who comes while all are at work waits in line; who
// finds the line full is told to come back.
type Hasher struct {
	line  chan struct{} // a place for everybody who is here
	seats chan struct{} // and one for each who is being served
	dummy string        // the hash of no password

	derive Derive
}

// Derive makes a key of a password. It is argon2id everywhere but in a test that
// counts how often it is asked.
type Derive func(pw, salt []byte, time, memory uint32, threads uint8, keyLen uint32) []byte

// With returns h with another way to make keys: what it hashes no other checks.
func (h *Hasher) With(d Derive) *Hasher {
	other := *h
	other.derive = d
	return &other
}

// NewHasher returns a Hasher for n hashes at once (the number of cores, if n
// is not positive) and a line of queue more.
func NewHasher(n, queue int) *Hasher {
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	var salt [saltLen]byte
	var key [keyLen]byte
	_, _ = rand.Read(salt[:]) // never fails
	_, _ = rand.Read(key[:])
	return &Hasher{
		line:   make(chan struct{}, n+max(queue, 0)),
		seats:  make(chan struct{}, n),
		dummy:  phc(today, salt[:], key[:]),
		derive: argon2.IDKey,
	}
}

// Hash returns what to store for pw. It does not judge pw: see Check.
func (h *Hasher) Hash(ctx context.Context, pw string) (string, error) {
	var salt [saltLen]byte
	_, _ = rand.Read(salt[:]) // never fails
	key, err := h.key(ctx, pw, today, salt[:], keyLen)
	if err != nil {
		return "", err
	}
	return phc(today, salt[:], key), nil
}

// Verify reports whether pw is the password that stored was made of, and if
// so, whether it should be hashed again because our cost has changed.
func (h *Hasher) Verify(ctx context.Context, pw, stored string) (ok, rehash bool, err error) {
	c, salt, want, err := parsePHC(stored)
	if err != nil {
		return false, false, err
	}
	got, err := h.key(ctx, pw, c, salt, uint32(len(want)))
	if err != nil {
		return false, false, err
	}
	ok = subtle.ConstantTimeCompare(got, want) == 1
	return ok, ok && (c != today || len(want) != keyLen || len(salt) != saltLen), nil
}

// Dummy does for an account that does not exist what Verify does for one that
// does, so that the time it takes tells nothing.
func (h *Hasher) Dummy(ctx context.Context, pw string) error {
	_, _, err := h.Verify(ctx, pw, h.dummy)
	return err
}

// key waits for a seat and derives the key of pw.
func (h *Hasher) key(ctx context.Context, pw string, c cost, salt []byte, length uint32) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("hash password: %w", err)
	}
	select {
	case h.line <- struct{}{}:
		defer func() { <-h.line }()
	default:
		return nil, ErrBusy
	}
	select {
	case h.seats <- struct{}{}:
		defer func() { <-h.seats }()
	case <-ctx.Done():
		return nil, fmt.Errorf("hash password: %w", ctx.Err())
	}
	return h.derive(composed(pw), salt, c.time, c.memory, c.lanes, length), nil
}

// composed returns pw as it is hashed. What is too long for any password is
// hashed as it is: it costs the same and matches nothing.
func composed(pw string) []byte {
	if len(pw) > 16*Max || !utf8.ValidString(pw) {
		return []byte(pw)
	}
	return []byte(norm.NFC.String(pw))
}

// phc writes a hash in the format that all libraries share.
func phc(c cost, salt, key []byte) string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.memory, c.time, c.lanes,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key))
}

func parsePHC(s string) (c cost, salt, key []byte, err error) {
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return cost{}, nil, nil, errStored
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.memory, &c.time, &c.lanes); err != nil || parts[3] != fmt.Sprintf("m=%d,t=%d,p=%d", c.memory, c.time, c.lanes) {
		return cost{}, nil, nil, errStored
	}
	salt, errSalt := base64.RawStdEncoding.Strict().DecodeString(parts[4])
	key, errKey := base64.RawStdEncoding.Strict().DecodeString(parts[5])
	switch {
	case errSalt != nil || errKey != nil,
		strings.ContainsAny(s, "\r\n"), // base64 reads past them
		c.time < 1 || c.time > ceiling.time || c.lanes < 1 || c.lanes > ceiling.lanes,
		c.memory < 8*uint32(c.lanes) || c.memory > ceiling.memory,
		len(salt) < 8 || len(salt) > 64 || len(key) < 16 || len(key) > 64:
		return cost{}, nil, nil, errStored
	}
	return c, salt, key, nil
}
