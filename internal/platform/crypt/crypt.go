// Package crypt seals fields. A root key wraps the keys of each practice and of
// the installation; their keys seal fields, make blind indexes and sign the trail.
//
// Every sealed value is bound to its place (table.column/practice/row), so a
// value copied into another row does not open.
package crypt

import (
	"bytes"
	"database/sql/driver"
	"fmt"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/prf"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// Sealed is an encrypted column.
type Sealed []byte

// Value implements driver.Valuer: nothing sealed is NULL.
func (s Sealed) Value() (driver.Value, error) {
	if s == nil {
		return nil, nil
	}
	return []byte(s), nil
}

// Scan implements sql.Scanner.
func (s *Sealed) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*s = nil
	case []byte:
		*s = bytes.Clone(v)
	default:
		return fmt.Errorf("crypt: cannot scan %T", v)
	}
	return nil
}

// Place names where a value is kept.
func Place(column string, practice, row fmt.Stringer) string {
	return column + "/" + practice.String() + "/" + row.String()
}

// Key seals, opens, indexes and signs for one owner.
type Key struct {
	data  tink.AEAD
	index *prf.Set
	trail *prf.Set
}

// Seal encrypts text for its place.
func (k *Key) Seal(text, place string) (Sealed, error) {
	return k.data.Encrypt([]byte(text), []byte(place))
}

// SealSome is Seal for a text that may be missing: an empty one is nothing, NULL.
func (k *Key) SealSome(text, place string) (Sealed, error) {
	if text == "" {
		return nil, nil
	}
	return k.Seal(text, place)
}

// Open decrypts what Seal made for the same place. What is NULL opens to "".
func (k *Key) Open(s Sealed, place string) (string, error) {
	if s == nil {
		return "", nil
	}
	b, err := k.data.Decrypt(s, []byte(place))
	if err != nil {
		return "", fmt.Errorf("crypt: open %s: %w", place, err)
	}
	return string(b), nil
}

// Index is the blind index of a value: equal values of one owner and one kind
// give equal bytes, 32 of them, and nothing else shows.
func (k *Key) Index(kind, value string) ([]byte, error) {
	return k.index.ComputePrimaryPRF([]byte(kind+"\x00"+value), 32)
}

// Mac signs one row of the trail: HMAC-SHA-256.
func (k *Key) Mac(row []byte) ([]byte, error) { return k.trail.ComputePrimaryPRF(row, 32) }

// NewChild makes a key of its own for one owner's words, and returns it sealed
// with k for its place. Whoever destroys that value destroys what the child has
// sealed. A child seals and opens; it indexes and signs nothing.
func (k *Key) NewChild(place string) (Sealed, error) {
	h, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("crypt: new key: %w", err)
	}
	return k.sealKeyset(h, place)
}

// RenewChild returns a child with a new key in front; what is sealed already
// still opens.
func (k *Key) RenewChild(s Sealed, place string) (Sealed, error) {
	h, err := k.openKeyset(s, place)
	if err != nil {
		return nil, err
	}
	if h, err = withNewPrimary(h, aead.AES256GCMKeyTemplate()); err != nil {
		return nil, err
	}
	return k.sealKeyset(h, place)
}

// Child opens a key that NewChild made for the same place.
func (k *Key) Child(s Sealed, place string) (*Key, error) {
	h, err := k.openKeyset(s, place)
	if err != nil {
		return nil, err
	}
	data, err := aead.New(h)
	if err != nil {
		return nil, fmt.Errorf("crypt: key: %w", err)
	}
	return &Key{data: data}, nil
}

func (k *Key) sealKeyset(h *keyset.Handle, place string) (Sealed, error) {
	var b bytes.Buffer
	if err := h.WriteWithAssociatedData(keyset.NewBinaryWriter(&b), k.data, []byte(place)); err != nil {
		return nil, fmt.Errorf("crypt: wrap: %w", err)
	}
	return b.Bytes(), nil
}

func (k *Key) openKeyset(s Sealed, place string) (*keyset.Handle, error) {
	h, err := keyset.ReadWithAssociatedData(keyset.NewBinaryReader(bytes.NewReader(s)), k.data, []byte(place))
	if err != nil {
		return nil, fmt.Errorf("crypt: open %s: %w", place, err)
	}
	return h, nil
}
