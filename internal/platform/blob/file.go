package blob

import (
	"context"
	"errors"
	"fmt"
	"io"

	"icouch/internal/platform/crypt"
)

// File is a kept file, open for reading from any place in it, and fit for
// http.ServeContent. It holds one piece in memory. One goroutine reads it.
type File struct {
	from   io.ReadSeekCloser
	at     int64 // where from is
	pieces *crypt.Pieces
	size   int64
	pos    int64

	number int64 // the piece that is in memory, or none: -1
	piece  []byte
	sealed []byte
}

// Open opens a file with its key. That its end is there, and its size what was
// written, has been checked; what is between is checked as it is read.
func (s *Store) Open(ctx context.Context, n Name, key crypt.FileKey) (*File, error) {
	from, err := s.place.open(ctx, n)
	if err != nil {
		return nil, err
	}
	f, err := openFile(from, key)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("blob: %s: %w", n, err), from.Close())
	}
	return f, nil
}

func openFile(from io.ReadSeekCloser, key crypt.FileKey) (*File, error) {
	sealed, err := from.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	size, ok := crypt.OpenedSize(sealed)
	if !ok {
		return nil, crypt.ErrSpoiled
	}
	f := &File{from: from, at: sealed, pieces: key.Pieces(), size: size, number: -1,
		piece: make([]byte, 0, crypt.PieceSize), sealed: make([]byte, crypt.SealedPiece)}
	return f, f.load(crypt.PieceCount(size) - 1)
}

// Size is the size of what is in the file.
func (f *File) Size() int64 { return f.size }

// load has piece n in memory.
func (f *File) load(n int64) error {
	if n == f.number {
		return nil
	}
	f.number = -1
	start, last := n*crypt.SealedPiece, n == crypt.PieceCount(f.size)-1
	if f.at != start {
		if _, err := f.from.Seek(start, io.SeekStart); err != nil {
			return err
		}
		f.at = start
	}
	sealed, as := f.sealed, crypt.Inner
	if last {
		sealed, as = sealed[:crypt.SealedSize(f.size)-start], crypt.Last
	}
	got, err := io.ReadFull(f.from, sealed)
	f.at += int64(got)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return crypt.ErrSpoiled // shorter than it was a moment ago
	}
	if err != nil {
		return err
	}
	if f.piece, err = f.pieces.Open(f.piece[:0], sealed, n, as); err != nil {
		f.piece = make([]byte, 0, crypt.PieceSize)
		return err
	}
	f.number = n
	return nil
}

// here gives what is in memory from the place of reading on.
func (f *File) here() ([]byte, error) {
	if f.pos >= f.size {
		return nil, io.EOF
	}
	if err := f.load(f.pos / crypt.PieceSize); err != nil {
		return nil, err
	}
	return f.piece[f.pos%crypt.PieceSize:], nil
}

// Read implements io.Reader.
func (f *File) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	b, err := f.here()
	if err != nil {
		return 0, err
	}
	n := copy(p, b)
	f.pos += int64(n)
	return n, nil
}

// WriteTo implements io.WriterTo: whole pieces, and no buffer between.
func (f *File) WriteTo(w io.Writer) (total int64, err error) {
	for {
		b, err := f.here()
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
		n, err := w.Write(b)
		f.pos, total = f.pos+int64(n), total+int64(n)
		if err != nil {
			return total, err
		}
	}
}

// Seek implements io.Seeker.
func (f *File) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += f.pos
	case io.SeekEnd:
		offset += f.size
	}
	if offset < 0 {
		return 0, errors.New("blob: there is nothing before the beginning")
	}
	f.pos = offset
	return offset, nil
}

// Close ends reading.
func (f *File) Close() error { return f.from.Close() }
