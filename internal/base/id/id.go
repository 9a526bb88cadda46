// Package id gives each kind of record its own identifier type.
//
// An id.Client cannot be passed where an id.Invitation is wanted: the compiler
// reads the signature, so the reader can trust it. On disk an identifier is a
// UUIDv7 in text: unique everywhere, and in order of time.
package id

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"regexp"
	"time"
)

// ID names one record of kind K. The zero ID names nothing.
type ID[K any] string

// The kinds, one line each.
type (
	Practice     = ID[practice]
	Practitioner = ID[practitioner]
	Account      = ID[account]
	Client       = ID[client]
	Invitation   = ID[invitation]
	Letter       = ID[letter]
	Session      = ID[session]
	Form         = ID[keptForm]
	Passkey      = ID[passkey]
	Entry        = ID[entry]
	Vouch        = ID[vouch]
	Recovery     = ID[recovery]

	TeamInvitation = ID[teamInvitation]
	Emergency      = ID[emergency]

	Contact           = ID[contact]
	ContactInvitation = ID[contactInvitation]

	Joint        = ID[joint]
	JointPerson  = ID[jointPerson]
	JointConsent = ID[jointConsent]

	Conversation = ID[conversation]
	Message      = ID[message]
	Page         = ID[page] // one that is open, not a row
	Away         = ID[away]
	Attachment   = ID[attachment]

	practice     struct{}
	practitioner struct{}
	account      struct{}
	client       struct{}
	invitation   struct{}
	letter       struct{}
	session      struct{}
	keptForm     struct{}
	passkey      struct{}
	entry        struct{}
	vouch        struct{}

	teamInvitation struct{}
	emergency      struct{}
	recovery       struct{}

	contact           struct{}
	contactInvitation struct{}

	joint        struct{}
	jointPerson  struct{}
	jointConsent struct{}

	conversation struct{}
	message      struct{}
	page         struct{}
	away         struct{}
	attachment   struct{}
)

func (i ID[K]) String() string { return string(i) }

// Made returns the moment the identifier was made.
func (i ID[K]) Made() time.Time {
	if len(i) < 13 {
		return time.Time{}
	}
	var ms [8]byte
	if _, err := hex.Decode(ms[2:], []byte(i[:8]+i[9:13])); err != nil {
		return time.Time{}
	}
	return time.UnixMilli(int64(binary.BigEndian.Uint64(ms[:]))).UTC()
}

// Bytes returns the identifier's 16 bytes, for where many are kept.
func (i ID[K]) Bytes() (b [16]byte, err error) {
	if len(i) != 36 {
		return b, ErrMalformed
	}
	n := 0
	for j := 0; j < len(i); j += 2 {
		if j == 8 || j == 13 || j == 18 || j == 23 { // a dash
			j++
		}
		high, low := digit(i[j]), digit(i[j+1])
		if high|low > 15 {
			return b, ErrMalformed
		}
		b[n] = high<<4 | low
		n++
	}
	return b, nil
}

// digit is what a hexadecimal digit stands for; more than 15: it is none.
func digit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	}
	return 255
}

// Of returns the identifier with these bytes.
func Of[I ~string](b [16]byte) I { return I(written(b)) }

// ErrMalformed says that a text is not an identifier.
var ErrMalformed = errors.New("id: not an identifier")

// New returns a new identifier, made at the given moment.
func New[I ~string](at time.Time) I {
	var b [16]byte
	rand.Read(b[:]) // never fails
	us := at.UnixMicro()
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(us/1000))
	copy(b[:6], ms[2:])
	frac := uint16(us%1000) * 4 // RFC 9562, method 3: the next 12 bits refine the time
	b[6], b[7] = 0x70|byte(frac>>8), byte(frac)
	b[8] = 0x80 | b[8]&0x3f
	return I(written(b))
}

// written is the text of an identifier.
func written(b [16]byte) string {
	var text [36]byte
	hex.Encode(text[:8], b[:4])
	hex.Encode(text[9:13], b[4:6])
	hex.Encode(text[14:18], b[6:8])
	hex.Encode(text[19:23], b[8:10])
	hex.Encode(text[24:], b[10:])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return string(text[:])
}

var form = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// Parse reads an identifier that came from outside: a URL, a form, a file.
func Parse[I ~string](s string) (I, error) {
	if !form.MatchString(s) {
		return "", ErrMalformed
	}
	return I(s), nil
}
