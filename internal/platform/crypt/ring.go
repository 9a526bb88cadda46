package crypt

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/prf"
	tinkpb "github.com/tink-crypto/tink-go/v2/proto/tink_go_proto"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// Wrapped is an owner's key as it is stored: under the root key.
type Wrapped struct{ Data, Index, Trail []byte }

// Ring holds the root key, and remembers the keys it has unwrapped. What it
// remembers is found by the wrapped bytes themselves, so it cannot be stale.
type Ring struct {
	file string // where the root key is kept; empty in tests

	mu   sync.RWMutex
	seen os.FileInfo // the file as it was when root was read
	root *keyset.Handle
	aead tink.AEAD
	memo map[string]*Key
}

// remembered bounds how many unwrapped keys are kept, at some 2 KB each.
const remembered = 4096

// NewRing returns a ring with a new root key that is kept nowhere: for tests.
func NewRing() (*Ring, error) {
	h, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("crypt: root: %w", err)
	}
	return ringOf("", h)
}

func ringOf(file string, h *keyset.Handle) (*Ring, error) {
	r := &Ring{file: file, memo: map[string]*Key{}}
	return r, r.use(h)
}

// NewKey makes a key for owner, wrapped.
func (r *Ring) NewKey(owner string) (w Wrapped, err error) {
	for _, part := range []struct {
		to       *[]byte
		template *tinkpb.KeyTemplate
		use      string
	}{
		{&w.Data, aead.AES256GCMKeyTemplate(), "data/"},
		{&w.Index, prf.HMACSHA256PRFKeyTemplate(), "index/"},
		{&w.Trail, prf.HMACSHA256PRFKeyTemplate(), "trail/"},
	} {
		h, err := keyset.NewHandle(part.template)
		if err != nil {
			return Wrapped{}, fmt.Errorf("crypt: new key: %w", err)
		}
		if *part.to, err = r.wrap(h, part.use+owner); err != nil {
			return Wrapped{}, err
		}
	}
	return w, nil
}

// Unwrap opens owner's key.
func (r *Ring) Unwrap(owner string, w Wrapped) (*Key, error) {
	name := owner + string(w.Data) + string(w.Index) + string(w.Trail)
	r.mu.RLock()
	k := r.memo[name]
	r.mu.RUnlock()
	if k != nil {
		return k, nil
	}
	k, err := r.unwrap(owner, w)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.memo) >= remembered {
		clear(r.memo)
	}
	r.memo[name] = k
	return k, nil
}

// ErrUnwrap says that no root key of the ring opens a key.
var ErrUnwrap = errors.New("crypt: the root key does not open this key")

func (r *Ring) unwrap(owner string, w Wrapped) (*Key, error) {
	data, err1 := r.open(w.Data, "data/"+owner)
	index, err2 := r.open(w.Index, "index/"+owner)
	trail, err3 := r.open(w.Trail, "trail/"+owner)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnwrap, err)
	}
	k := new(Key)
	k.data, err1 = aead.New(data)
	k.index, err2 = prf.NewPRFSet(index)
	k.trail, err3 = prf.NewPRFSet(trail)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, fmt.Errorf("crypt: key: %w", err)
	}
	return k, nil
}

// Rewrap returns the same key under the root key in use now.
func (r *Ring) Rewrap(owner string, w Wrapped) (Wrapped, error) {
	for _, part := range []struct {
		to  *[]byte
		use string
	}{{&w.Data, "data/"}, {&w.Index, "index/"}, {&w.Trail, "trail/"}} {
		h, err := r.open(*part.to, part.use+owner)
		if err != nil {
			return Wrapped{}, err
		}
		if *part.to, err = r.wrap(h, part.use+owner); err != nil {
			return Wrapped{}, err
		}
	}
	return w, nil
}

// Renew returns owner's key with a new data key in front: from here on values
// are sealed with it, and those sealed with the ones before it still open.
// Indexes and the trail keep theirs, or nothing would be found again.
func (r *Ring) Renew(owner string, w Wrapped) (Wrapped, error) {
	h, err := r.open(w.Data, "data/"+owner)
	if err != nil {
		return Wrapped{}, err
	}
	if h, err = withNewPrimary(h, aead.AES256GCMKeyTemplate()); err != nil {
		return Wrapped{}, err
	}
	if w.Data, err = r.wrap(h, "data/"+owner); err != nil {
		return Wrapped{}, err
	}
	return w, nil
}

func withNewPrimary(h *keyset.Handle, t *tinkpb.KeyTemplate) (*keyset.Handle, error) {
	m := keyset.NewManagerFromHandle(h)
	keyID, err := m.Add(t)
	if err != nil {
		return nil, fmt.Errorf("crypt: new key: %w", err)
	}
	if err := m.SetPrimary(keyID); err != nil {
		return nil, fmt.Errorf("crypt: new key: %w", err)
	}
	return m.Handle()
}

// wrap looks whether another program has rotated the root key: under one that
// is about to be forgotten, nothing may be wrapped.
func (r *Ring) wrap(h *keyset.Handle, ad string) ([]byte, error) {
	if err := r.refresh(); err != nil {
		return nil, err
	}
	r.mu.RLock()
	root := r.aead
	r.mu.RUnlock()
	var b bytes.Buffer
	if err := h.WriteWithAssociatedData(keyset.NewBinaryWriter(&b), root, []byte(ad)); err != nil {
		return nil, fmt.Errorf("crypt: wrap: %w", err)
	}
	return b.Bytes(), nil
}

// open unwraps. What does not open may have been wrapped by another program
// that has rotated the root key since: then it is tried once more.
func (r *Ring) open(wrapped []byte, ad string) (*keyset.Handle, error) {
	h, err := r.openNow(wrapped, ad)
	if err == nil {
		return h, nil
	}
	if err := r.refresh(); err != nil {
		return nil, err
	}
	if h, err = r.openNow(wrapped, ad); err != nil {
		return nil, fmt.Errorf("crypt: unwrap: %w", err)
	}
	return h, nil
}

func (r *Ring) openNow(wrapped []byte, ad string) (*keyset.Handle, error) {
	r.mu.RLock()
	root := r.aead
	r.mu.RUnlock()
	return keyset.ReadWithAssociatedData(keyset.NewBinaryReader(bytes.NewReader(wrapped)), root, []byte(ad))
}
