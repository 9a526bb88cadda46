// Package blob keeps files: what somebody attached, sealed, in a folder of this
// machine or in a bucket that speaks S3. It knows no person and no practice.
//
// A file has a random name and a random key of its own. Who stores one keeps
// both, the key sealed as a field; without it the file is noise, and to destroy
// the key is to destroy the file, in every copy. A file is there whole and on
// the disk or it is not there, and it never changes. What is read has been
// checked: a file that was cut short or changed is an error before a byte of it
// is shown.
//
// Files grow beside the place where they are kept, in a folder for that. What a
// crash leaves there is swept a day later. A file whose row was never committed
// is found by Each, by whoever has the rows.
package blob

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"icouch/internal/base/fault"
	"icouch/internal/platform/crypt"
)

// Name is what a file is kept under: 128 random bits, and nothing about it.
type Name string

func newName() Name {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return Name(hex.EncodeToString(b[:]))
}

// ParseName reads a name. Nothing else ever becomes a part of a path.
func ParseName(s string) (Name, error) {
	if b, err := hex.DecodeString(s); err != nil || len(b) != 16 || hex.EncodeToString(b) != s {
		return "", errors.New("blob: this is not the name of a file")
	}
	return Name(s), nil
}

// Stored is a file that is kept. Name and Key are what it takes to open it.
type Stored struct {
	Name   Name
	Key    crypt.FileKey
	Size   int64
	SHA256 [32]byte // of what is in it
}

// Info is what can be known of a file without its key.
type Info struct {
	Name   Name
	Sealed int64 // bytes, as it is kept
	Since  time.Time
}

// ErrNotThere says that there is no such file.
var ErrNotThere = errors.New("blob: there is no such file")

// Place is where sealed files are kept: a Folder or a Bucket. What it holds is
// whole.
type Place interface {
	// adopt takes over a finished file of this machine. It is gone from where it
	// was, or, after an error, still there.
	adopt(ctx context.Context, n Name, file string) error
	open(ctx context.Context, n Name) (io.ReadSeekCloser, error)
	remove(ctx context.Context, n Name) error
	each(ctx context.Context, do func(Info) error) error
	check(ctx context.Context) error
	mark(ctx context.Context) (string, error) // whose it is; empty: nobody's yet
	setMark(ctx context.Context, mark string) error
	String() string
}

// Store keeps files.
type Store struct {
	place  Place
	growth string // the folder where files grow
	space  space

	mu   sync.Mutex
	busy map[Name]chan struct{} // uploads that somebody is at work on; closed when they are done
}

// Open opens a store. Files grow in the folder growth, which is made; it is on
// the same file system as a Folder.
func Open(place Place, growth string) (*Store, error) {
	if err := os.MkdirAll(growth, 0o700); err != nil {
		return nil, fmt.Errorf("blob: %w", err)
	}
	return &Store{place: place, growth: growth, space: spaceOf, busy: map[Name]chan struct{}{}}, nil
}

// Where says where the files are, for an operator.
func (s *Store) Where() string { return s.place.String() }

// Check sees whether files can be kept in a place, by keeping one and taking it
// away.
func Check(ctx context.Context, p Place) error { return p.check(ctx) }

// Check is Check of the store's place.
func (s *Store) Check(ctx context.Context) error { return Check(ctx, s.place) }

// Remove takes a file away. One that is not there is no error.
func (s *Store) Remove(ctx context.Context, n Name) error { return s.place.remove(ctx, n) }

// Each tells of every file that is kept, in no order.
func (s *Store) Each(ctx context.Context, do func(Info) error) error { return s.place.each(ctx, do) }

// Sealed opens a file as it is kept, for a backup.
func (s *Store) Sealed(ctx context.Context, n Name) (io.ReadCloser, error) {
	return s.place.open(ctx, n)
}

// abandoned is how long what grows may be left alone.
const abandoned = 24 * time.Hour

// Sweep takes away what began to grow and was left alone for a day: uploads
// nobody went on with, and what a crash left behind.
func (s *Store) Sweep(ctx context.Context, now time.Time) error {
	all, err := os.ReadDir(s.growth)
	if err != nil {
		return fmt.Errorf("blob: sweep: %w", err)
	}
	var wrong []error
	for _, e := range all {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || now.Sub(info.ModTime()) < abandoned {
			continue // also: gone meanwhile
		}
		if n, ok := growing(e.Name()); ok && s.take(n) != nil {
			continue // somebody just came back to it
		} else if ok {
			wrong = append(wrong, s.discard(n))
			s.give(n)
			continue
		}
		wrong = append(wrong, gone(os.Remove(filepath.Join(s.growth, e.Name()))))
	}
	return errors.Join(wrong...)
}

// gone forgives that what was to be taken away is not there.
func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// take makes the caller the only one at work on n. If another is, it returns
// what is closed when they are done.
func (s *Store) take(n Name) (other <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if done, busy := s.busy[n]; busy {
		return done
	}
	s.busy[n] = make(chan struct{})
	return nil
}

func (s *Store) give(n Name) {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.busy[n])
	delete(s.busy, n)
}

// turn is how long somebody waits for another who is at work on the same upload.
const turn = 10 * time.Second

// await is take for who waits for their turn.
func (s *Store) await(ctx context.Context, n Name) error {
	ctx, stop := context.WithTimeout(ctx, turn)
	defer stop()
	for {
		other := s.take(n)
		if other == nil {
			return nil
		}
		select {
		case <-other:
		case <-ctx.Done():
			return ErrBusy
		}
	}
}

// MaxSize is how large a file may be.
const MaxSize = 100 << 20

// What the person who sends a file is told.
var (
	ErrTooLarge = fault.New(fault.Invalid, "This file is too large. Files can have up to 100 MB.")
	ErrEmpty    = fault.New(fault.Invalid, "This file is empty. Choose another one.")
)

// Writer takes in a file of which the size is not known beforehand. It holds
// one piece in memory.
type Writer struct {
	s    *Store
	file *os.File
	out  sealer
	name Name
	key  crypt.FileKey
	size int64
	err  error // the first; after it nothing is written
	done bool
}

// Create begins a file. End it with Commit, or with Abort; Abort after Commit
// does nothing.
func (s *Store) Create() (*Writer, error) {
	if err := s.room(0); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(s.growth, "new-*") // made with mode 0600
	if err != nil {
		return nil, fmt.Errorf("blob: %w", err)
	}
	w := &Writer{s: s, file: f, name: newName(), key: crypt.NewFileKey()}
	w.out = newSealer(f, w.key.Pieces())
	return w, nil
}

// Write implements io.Writer.
func (w *Writer) Write(p []byte) (int, error) {
	if w.err == nil && w.size+int64(len(p)) > MaxSize {
		w.err = ErrTooLarge
	}
	if w.err != nil {
		return 0, w.err
	}
	n, err := w.out.Write(p)
	w.size, w.err = w.size+int64(n), err
	return n, err
}

// Commit puts the file in its place, whole and on the disk.
func (w *Writer) Commit(ctx context.Context) (Stored, error) {
	if w.done {
		return Stored{}, errors.New("blob: this file is finished")
	}
	if w.err == nil {
		w.err = errors.Join(w.out.finish(), w.file.Sync())
	}
	if err := errors.Join(w.err, ctx.Err()); err != nil {
		return Stored{}, errors.Join(err, w.Abort())
	}
	if err := w.file.Close(); err != nil {
		return Stored{}, errors.Join(fmt.Errorf("blob: %w", err), w.Abort())
	}
	if err := w.s.place.adopt(ctx, w.name, w.file.Name()); err != nil {
		return Stored{}, errors.Join(err, w.Abort())
	}
	w.done = true
	return Stored{Name: w.name, Key: w.key, Size: w.size, SHA256: w.out.sum()}, nil
}

// Abort forgets the file.
func (w *Writer) Abort() error {
	if w.done {
		return nil
	}
	w.done = true
	_ = w.file.Close() // it may be closed already, and it goes
	return gone(os.Remove(w.file.Name()))
}

// Store keeps all that r gives.
func (s *Store) Store(ctx context.Context, r io.Reader) (Stored, error) {
	w, err := s.Create()
	if err != nil {
		return Stored{}, err
	}
	if _, err := io.CopyBuffer(struct{ io.Writer }{w}, r, make([]byte, crypt.PieceSize)); err != nil {
		return Stored{}, errors.Join(err, w.Abort())
	}
	return w.Commit(ctx)
}
