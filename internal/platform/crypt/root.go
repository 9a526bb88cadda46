package crypt

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
)

// The root key is a file that only the program's own user can read. Where it
// stands decides what a thief of the data can do with it; see Grade.

// ErrReadable says that others on the machine could read the root key.
var ErrReadable = errors.New("crypt: others can read the root key file; run chmod 600 on it")

// ErrRotating says that another program is rotating the root key just now.
var ErrRotating = errors.New("crypt: the root key is being rotated by another program; wait until it is done")

// OpenRing reads the root key from file. Where there is none, it makes one:
// that happens once, at the first start of an installation.
func OpenRing(file string) (*Ring, error) {
	h, _, err := readRoot(file)
	if errors.Is(err, fs.ErrNotExist) {
		return firstRing(file)
	}
	if err != nil {
		return nil, err
	}
	return ringOf(file, h)
}

func readRoot(file string) (*keyset.Handle, os.FileInfo, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, nil, fmt.Errorf("crypt: root key: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, fmt.Errorf("crypt: root key: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, nil, ErrReadable
	}
	h, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(f))
	if err != nil {
		return nil, nil, fmt.Errorf("crypt: root key: %w", err)
	}
	return h, info, nil
}

// refresh reads the root key again if its file is another than it was.
func (r *Ring) refresh() error {
	if r.file == "" {
		return nil
	}
	now, err := os.Stat(r.file)
	if err != nil {
		return fmt.Errorf("crypt: root key: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen != nil && os.SameFile(now, r.seen) && now.ModTime().Equal(r.seen.ModTime()) {
		return nil
	}
	return r.reread()
}

// reread is called with the lock held.
func (r *Ring) reread() error {
	if r.file == "" {
		return nil
	}
	h, info, err := readRoot(r.file)
	if err != nil {
		return err
	}
	if err := r.use(h); err != nil {
		return err
	}
	r.seen = info
	return nil
}

func (r *Ring) use(h *keyset.Handle) error {
	a, err := aead.New(h)
	if err != nil {
		return fmt.Errorf("crypt: root: %w", err)
	}
	r.root, r.aead = h, a
	return nil
}

// Alone keeps every other program from rotating the same root key until done
// is called: two at once would each forget what the other wraps with.
func (r *Ring) Alone() (done func() error, err error) {
	if r.file == "" {
		return func() error { return nil }, nil
	}
	f, err := os.OpenFile(r.file+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("crypt: lock the root key: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(ErrRotating, f.Close())
	}
	return func() error { // a program just being started has a copy of the file: closing ours is not enough
		return errors.Join(syscall.Flock(int(f.Fd()), syscall.LOCK_UN), f.Close())
	}, nil
}

func firstRing(file string) (*Ring, error) {
	h, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("crypt: root: %w", err)
	}
	if err := writeRoot(file, h, os.Link); err != nil { // Link does not replace: of two starts at once, one makes the key
		if errors.Is(err, fs.ErrExist) {
			return OpenRing(file)
		}
		return nil, err
	}
	return ringOf(file, h)
}

// writeRoot puts the key in place whole or not at all, and on the disk.
func writeRoot(file string, h *keyset.Handle, place func(from, to string) error) error {
	var b bytes.Buffer
	if err := insecurecleartextkeyset.Write(h, keyset.NewJSONWriter(&b)); err != nil {
		return fmt.Errorf("crypt: root key: %w", err)
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), ".root-*") // made with mode 0600
	if err != nil {
		return fmt.Errorf("crypt: root key: %w", err)
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(b.Bytes())
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return fmt.Errorf("crypt: root key: %w", err)
	}
	if err := place(tmp.Name(), file); err != nil {
		return fmt.Errorf("crypt: root key: %w", err)
	}
	dir, err := os.Open(filepath.Dir(file))
	if err != nil {
		return fmt.Errorf("crypt: root key: %w", err)
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// RotateRoot puts a new root key in front of the ones before it and keeps them
// all, so that nothing is unreadable while the keys under it are re-wrapped.
func (r *Ring) RotateRoot() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.reread(); err != nil { // others may have rotated before
		return err
	}
	h, err := withNewPrimary(r.root, aead.AES256GCMKeyTemplate())
	if err != nil {
		return err
	}
	return r.replaceRoot(h)
}

// ForgetOldRoots destroys every root key but the one in use. Call it only when
// all keys have been re-wrapped: what was not is lost.
func (r *Ring) ForgetOldRoots() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.reread(); err != nil {
		return err
	}
	m := keyset.NewManagerFromHandle(r.root)
	for _, k := range r.root.KeysetInfo().GetKeyInfo() {
		if k.GetKeyId() == r.root.KeysetInfo().GetPrimaryKeyId() {
			continue
		}
		if err := m.Delete(k.GetKeyId()); err != nil {
			return fmt.Errorf("crypt: forget old root: %w", err)
		}
	}
	h, err := m.Handle()
	if err != nil {
		return fmt.Errorf("crypt: forget old root: %w", err)
	}
	return r.replaceRoot(h)
}

func (r *Ring) replaceRoot(h *keyset.Handle) error {
	if r.file == "" {
		return r.use(h)
	}
	if err := writeRoot(r.file, h, os.Rename); err != nil {
		return err
	}
	return r.reread()
}

// Grade says how far the root key is from the data it protects.
type Grade string

// The grades. An A, a key that never is a file, needs a key service.
const (
	Apart  Grade = "B" // on another file system, or the data is on another machine
	Beside Grade = "C" // on the same file system: protects copies, dumps and backups, not a stolen machine
)

// GradeOf compares where the root key file and the data directory are.
func GradeOf(keyFile, dataDir string) (Grade, error) {
	key, err := device(keyFile)
	if err != nil {
		return Beside, err
	}
	data, err := device(dataDir)
	if err != nil {
		return Beside, err
	}
	if key == data {
		return Beside, nil
	}
	return Apart, nil
}

func device(path string) (uint64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, fmt.Errorf("crypt: grade: %w", err)
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, fmt.Errorf("crypt: grade: no device number for %s", filepath.Base(path))
	}
	return st.Dev, nil
}
