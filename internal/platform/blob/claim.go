package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/minio/minio-go/v7"
)

// ErrOthers says that a store holds the files of another installation.
var ErrOthers = errors.New("blob: these are the files of another installation")

// markName is what a place is marked with, beside the files: no file is called so.
const markName = "installation"

// longestMark is the most of a mark that is read.
const longestMark = 200

// Claim marks a store as that of the installation with this mark, if it is
// nobody's yet. It is ErrOthers of one that is somebody else's: they would sweep
// away what they have no row of, and we what is theirs. Of two who claim it at
// the same moment, the one who loses finds out the next time.
func (s *Store) Claim(ctx context.Context, mark string) error {
	is, err := s.place.mark(ctx)
	if err == nil && is == "" {
		if err = s.place.setMark(ctx, mark); err == nil {
			is, err = s.place.mark(ctx)
		}
	}
	switch {
	case err != nil:
		return fmt.Errorf("blob: whose files these are: %w", err)
	case is != mark:
		return ErrOthers
	}
	return nil
}

func (d *Folder) mark(context.Context) (string, error) {
	f, err := os.Open(filepath.Join(d.path, markName))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, longestMark))
	return string(b), err
}

func (d *Folder) setMark(_ context.Context, mark string) error {
	if err := os.MkdirAll(d.path, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(d.path, ".mark-*") // made with mode 0600
	if err != nil {
		return err
	}
	_, err = f.WriteString(mark)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), filepath.Join(d.path, markName))
	}
	if err != nil {
		return errors.Join(err, gone(os.Remove(f.Name())))
	}
	return syncDir(d.path)
}

func (b *Bucket) mark(ctx context.Context) (string, error) {
	o, err := b.client.GetObject(ctx, b.bucket, b.prefix+markName, minio.GetObjectOptions{})
	if err != nil {
		return "", err
	}
	defer o.Close()
	text, err := io.ReadAll(io.LimitReader(o, longestMark))
	if err != nil && minio.ToErrorResponse(err).Code == minio.NoSuchKey {
		return "", nil
	}
	return string(text), err
}

func (b *Bucket) setMark(ctx context.Context, mark string) error {
	return b.put(ctx, b.prefix+markName, strings.NewReader(mark), int64(len(mark)))
}
