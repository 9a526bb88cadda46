package blob

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"icouch/internal/base/fault"
	"icouch/internal/platform/crypt"
)

// An upload comes in parts, over connections that break, to a program that may
// be stopped in between. How far it has come is what lies on the disk.
//
// Two files make it up. NAME.part holds whole pieces, exactly as the finished
// file will have them. NAME.end says how many of them are on the disk, and holds,
// sealed, what has arrived of the next one. The end is replaced whole, after the
// part is on the disk: what it says is confirmed, and never taken back. What a
// crash left in the part beyond that was promised to nobody, and is overwritten.

// Upload is a file that is arriving. Who began it keeps all three, the key
// sealed. Those who are at work on one do so one after the other: whoever comes
// meanwhile waits for their turn, and is told ErrBusy if it does not come.
type Upload struct {
	Name Name // also of the file it will be
	Key  crypt.FileKey
	Size int64
}

// What the person, or their browser, is told.
var (
	ErrOffset   = fault.New(fault.Conflict, "This part does not continue what has arrived. Ask how far the upload has come, and go on there.")
	ErrBusy     = fault.New(fault.Conflict, "Another part of this file is still arriving. Try again in a moment.")
	ErrTooLong  = fault.New(fault.Invalid, "More of this file arrived than was announced. Choose it again.")
	ErrNotYet   = fault.New(fault.Conflict, "This file has not arrived completely yet.")
	ErrNoUpload = fault.New(fault.Gone, "This upload was given up, or too long ago. Choose the file again.")
)

// Begin makes room for a file of the given size.
func (s *Store) Begin(size int64) (Upload, error) {
	switch {
	case size <= 0:
		return Upload{}, ErrEmpty
	case size > MaxSize:
		return Upload{}, ErrTooLarge
	}
	if err := s.room(size); err != nil {
		return Upload{}, err
	}
	u := Upload{Name: newName(), Key: crypt.NewFileKey(), Size: size}
	f, err := os.OpenFile(s.part(u.Name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return Upload{}, fmt.Errorf("blob: begin: %w", err)
	}
	if err := errors.Join(f.Close(), syncDir(s.growth)); err != nil {
		return Upload{}, fmt.Errorf("blob: begin: %w", err)
	}
	return u, nil
}

// Offset is how much of the upload has arrived and is on the disk.
func (s *Store) Offset(ctx context.Context, u Upload) (int64, error) {
	if err := s.await(ctx, u.Name); err != nil {
		return 0, err
	}
	defer s.give(u.Name)
	g, err := s.grow(u)
	if err != nil {
		return 0, err
	}
	return g.confirmed, g.file.Close()
}

// Append takes in what r gives, if offset is where the upload stands, and says
// where it stands then: that much is on the disk. If r fails on the way, what
// came before counts, and the error is returned beside the new offset.
func (s *Store) Append(ctx context.Context, u Upload, offset int64, r io.Reader) (int64, error) {
	if err := s.await(ctx, u.Name); err != nil {
		return 0, err
	}
	defer s.give(u.Name)
	g, err := s.grow(u)
	if err != nil {
		return 0, err
	}
	if offset != g.confirmed {
		return g.confirmed, errors.Join(ErrOffset, g.file.Close())
	}
	came := g.take(ctx, r)
	if !errors.Is(came, ErrTooLong) { // else the end stays as it is
		came = errors.Join(came, g.settle())
	}
	return g.confirmed, errors.Join(came, g.file.Close())
}

// Finish puts a file that has arrived completely in its place, after reading
// all of it again. Done twice, it says the same twice.
func (s *Store) Finish(ctx context.Context, u Upload) (Stored, error) {
	if err := s.await(ctx, u.Name); err != nil {
		return Stored{}, err
	}
	defer s.give(u.Name)
	g, err := s.grow(u)
	if errors.Is(err, ErrNoUpload) {
		return s.finished(ctx, u)
	}
	if err != nil {
		return Stored{}, err
	}
	arrived := g.confirmed
	if err := g.file.Close(); err != nil {
		return Stored{}, fmt.Errorf("blob: finish: %w", err)
	}
	if arrived != u.Size {
		return Stored{}, ErrNotYet
	}
	from, err := os.Open(s.part(u.Name))
	if err != nil {
		return Stored{}, fmt.Errorf("blob: finish: %w", err)
	}
	done, err := read(from, u)
	if err != nil {
		return Stored{}, err
	}
	if err := s.place.adopt(ctx, u.Name, s.part(u.Name)); err != nil {
		return Stored{}, err
	}
	return done, gone(os.Remove(s.end(u.Name)))
}

// finished looks for the file where a Finish before has put it.
func (s *Store) finished(ctx context.Context, u Upload) (Stored, error) {
	from, err := s.place.open(ctx, u.Name)
	if errors.Is(err, ErrNotThere) {
		return Stored{}, ErrNoUpload
	}
	if err != nil {
		return Stored{}, err
	}
	return read(from, u)
}

// read reads all of a finished file, and closes it.
func read(from io.ReadSeekCloser, u Upload) (Stored, error) {
	defer from.Close()
	f, err := openFile(from, u.Key)
	if err != nil {
		return Stored{}, fmt.Errorf("blob: %s: %w", u.Name, err)
	}
	sum := sha256.New()
	if _, err := f.WriteTo(sum); err != nil {
		return Stored{}, fmt.Errorf("blob: %s: %w", u.Name, err)
	}
	done := Stored{Name: u.Name, Key: u.Key, Size: f.Size()}
	sum.Sum(done.SHA256[:0])
	return done, nil
}

// Abandon gives an upload up. One that is not there is no error.
func (s *Store) Abandon(ctx context.Context, n Name) error {
	if _, err := ParseName(string(n)); err != nil {
		return err
	}
	if err := s.await(ctx, n); err != nil {
		return err
	}
	defer s.give(n)
	return s.discard(n)
}

func (s *Store) discard(n Name) error {
	return errors.Join(gone(os.Remove(s.part(n))), gone(os.Remove(s.end(n))))
}

func (s *Store) part(n Name) string { return filepath.Join(s.growth, string(n)+".part") }
func (s *Store) end(n Name) string  { return filepath.Join(s.growth, string(n)+".end") }

// growing reads the name of a file of an upload.
func growing(file string) (Name, bool) {
	base, part := strings.CutSuffix(file, ".part")
	base, end := strings.CutSuffix(base, ".end")
	n, err := ParseName(base)
	return n, err == nil && part != end
}

// growth is an upload under somebody's hands.
type growth struct {
	s         *Store
	u         Upload
	file      *os.File
	pieces    *crypt.Pieces
	whole     int64  // pieces that are in the part
	rest      []byte // what has arrived of the next
	confirmed int64  // the offset that the end says
}

// grow opens an upload and finds how far it has come.
func (s *Store) grow(u Upload) (*growth, error) {
	if _, err := ParseName(string(u.Name)); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(s.part(u.Name), os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoUpload
	}
	if err != nil {
		return nil, fmt.Errorf("blob: upload: %w", err)
	}
	g := &growth{s: s, u: u, file: f, pieces: u.Key.Pieces(), rest: make([]byte, 0, crypt.PieceSize)}
	if err := g.readEnd(); err != nil {
		return nil, errors.Join(fmt.Errorf("blob: upload %s: %w", u.Name, err), f.Close())
	}
	return g, nil
}

// readEnd reads how far the upload has come. Without an end nothing has arrived.
func (g *growth) readEnd() error {
	b, err := os.ReadFile(g.s.end(g.u.Name))
	if err != nil {
		return gone(err)
	}
	info, err := g.file.Stat()
	if err != nil {
		return err
	}
	if len(b) < 8 {
		return crypt.ErrSpoiled
	}
	g.whole = int64(binary.BigEndian.Uint64(b)) //nolint:gosec // the cipher vouches for it below
	rest, err := g.pieces.Open(g.rest, b[8:], g.whole, crypt.End)
	if err != nil {
		return err
	}
	g.rest = rest
	if info.Size() < g.kept(g.whole) {
		return crypt.ErrSpoiled
	}
	g.confirmed = g.offset()
	return nil
}

func (g *growth) standing(number int64) crypt.Standing {
	if number == crypt.PieceCount(g.u.Size)-1 {
		return crypt.Last
	}
	return crypt.Inner
}

// kept is how large the part is with n pieces in it.
func (g *growth) kept(n int64) int64 {
	if n == crypt.PieceCount(g.u.Size) {
		return crypt.SealedSize(g.u.Size)
	}
	return n * crypt.SealedPiece
}

func (g *growth) offset() int64 {
	return min(g.whole*crypt.PieceSize, g.u.Size) + int64(len(g.rest))
}

// settleEvery is how much may arrive before it is confirmed: what a program that
// is killed can lose.
const settleEvery = 8 << 20

// take reads r into pieces, until it ends, fails, or gives more than there
// should be.
func (g *growth) take(ctx context.Context, r io.Reader) error {
	sealed := make([]byte, 0, crypt.SealedPiece)
	for {
		room := min(crypt.PieceSize-int64(len(g.rest)), g.u.Size-g.offset())
		if room == 0 {
			return surplus(r)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		from := int64(len(g.rest))
		n, came := r.Read(g.rest[from : from+room])
		g.rest = g.rest[:from+int64(n)]
		if g.offset() == g.u.Size || len(g.rest) == crypt.PieceSize {
			sealed = g.pieces.Seal(sealed[:0], g.rest, g.whole, g.standing(g.whole))
			if _, err := g.file.WriteAt(sealed, g.kept(g.whole)); err != nil {
				return err
			}
			g.whole, g.rest = g.whole+1, g.rest[:0]
		}
		if g.offset() < g.u.Size && g.offset()-g.confirmed >= settleEvery {
			if err := g.settle(); err != nil {
				return err
			}
		}
		if came == io.EOF {
			return nil
		}
		if came != nil {
			return came
		}
	}
}

// surplus sees that nothing follows the last byte.
func surplus(r io.Reader) error {
	n, err := io.ReadFull(r, make([]byte, 1))
	if n > 0 {
		return ErrTooLong
	}
	if err == io.EOF {
		return nil
	}
	return err
}

// settle has on the disk what was taken in, and says so in the end.
func (g *growth) settle() error {
	if g.offset() == g.confirmed {
		return nil
	}
	if err := errors.Join(g.file.Truncate(g.kept(g.whole)), g.file.Sync()); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(g.s.growth, "end-*") // made with mode 0600
	if err != nil {
		return err
	}
	b := binary.BigEndian.AppendUint64(nil, uint64(g.whole)) //nolint:gosec // never negative
	_, err = tmp.Write(g.pieces.Seal(b, g.rest, g.whole, crypt.End))
	if err := errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	if err := os.Rename(tmp.Name(), g.s.end(g.u.Name)); err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	if err := syncDir(g.s.growth); err != nil {
		return err
	}
	g.confirmed = g.offset()
	return nil
}
