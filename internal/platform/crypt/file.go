package crypt

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// A file is sealed in pieces of PieceSize, each by itself with AES-256-GCM, so
// that any part of it can be read without the rest and none of it needs memory
// for all. Each piece says, in what the cipher vouches for, which one it is and
// whether it is the last: pieces that were swapped, doubled or left out do not
// open, and neither does the end of a file that was cut short.
//
// The nonce of each piece is random. A counter would do for a file written once,
// but a part of an upload that was cut off is written again, perhaps with other
// content, and a nonce used twice gives both away. See docs/adr/0011.

// The sizes of a piece: of what is in it, and as it is kept.
const (
	PieceSize   = 64 << 10
	SealedPiece = PieceSize + pieceExtra

	pieceExtra = 12 + 16 // nonce, tag
)

// ErrSpoiled says that a sealed piece is not what was written, or not in its
// place.
var ErrSpoiled = errors.New("crypt: what was sealed has been changed")

// FileKey seals one file, and no other. Whoever keeps the file's name keeps the
// key beside it, sealed. Printing it prints "[secret]".
type FileKey struct{ b [32]byte }

// NewFileKey makes a key.
func NewFileKey() (k FileKey) {
	rand.Read(k.b[:]) // never fails
	return k
}

// ParseFileKey reads what Reveal wrote.
func ParseFileKey(text string) (k FileKey, err error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) != len(k.b) {
		return FileKey{}, errors.New("crypt: this is not the key of a file")
	}
	copy(k.b[:], b)
	return k, nil
}

// Reveal is the key as text, to be sealed as a field and kept.
func (k FileKey) Reveal() string { return base64.RawURLEncoding.EncodeToString(k.b[:]) }

func (k FileKey) String() string { return "[secret]" }

// Format keeps the key out of anything printed, whatever the verb.
func (k FileKey) Format(f fmt.State, _ rune) { io.WriteString(f, "[secret]") }

// LogValue keeps the key out of logs.
func (k FileKey) LogValue() slog.Value { return slog.StringValue("[secret]") }

// MarshalText keeps the key out of JSON.
func (k FileKey) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }

// Pieces gives what seals and opens the pieces of the key's file.
func (k FileKey) Pieces() *Pieces {
	block, err := aes.NewCipher(k.b[:])
	if err != nil {
		panic(err) // the key is of the right length
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err)
	}
	return &Pieces{aead}
}

// Pieces seals and opens the pieces of one file.
type Pieces struct{ aead cipher.AEAD }

// A Standing is what a piece is within its file.
type Standing byte

// The standings. An end is what of a piece has arrived so far, in an upload.
const (
	Inner Standing = iota
	Last
	End
)

// Seal appends the sealed piece to dst.
func (p *Pieces) Seal(dst, piece []byte, number int64, s Standing) []byte {
	return p.aead.Seal(dst, nil, piece, pieceOf(number, s))
}

// Open appends the opened piece to dst, if it is the one that was sealed with
// this number and standing.
func (p *Pieces) Open(dst, sealed []byte, number int64, s Standing) ([]byte, error) {
	out, err := p.aead.Open(dst, nil, sealed, pieceOf(number, s))
	if err != nil {
		return nil, ErrSpoiled
	}
	return out, nil
}

func pieceOf(number int64, s Standing) []byte {
	const what = "icouch file 1\x00"
	b := make([]byte, 0, len(what)+9)
	b = append(b, what...)
	b = binary.BigEndian.AppendUint64(b, uint64(number)) //nolint:gosec // numbers of pieces begin at nought
	return append(b, byte(s))
}

// SealedSize is how large a file of the given size is once it is sealed.
func SealedSize(size int64) int64 { return size + PieceCount(size)*pieceExtra }

// OpenedSize is the other way round. Some sizes no sealed file has.
func OpenedSize(sealed int64) (size int64, ok bool) {
	if sealed < pieceExtra {
		return 0, false
	}
	n := (sealed + SealedPiece - 1) / SealedPiece
	size = sealed - n*pieceExtra
	return size, size >= 0 && SealedSize(size) == sealed
}

// PieceCount is of how many pieces a file of the given size is. An empty one is
// of one, which is empty.
func PieceCount(size int64) int64 { return max(1, (size+PieceSize-1)/PieceSize) }
