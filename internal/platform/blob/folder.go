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
)

// Folder keeps files in a folder of this machine, in 256 folders by the first
// two letters of their names.
type Folder struct{ path string }

// NewFolder names the folder. Only its owner may look into it; it is made when
// the first file is.
func NewFolder(path string) *Folder { return &Folder{path} }

func (d *Folder) String() string { return d.path }

func (d *Folder) file(n Name) string { return filepath.Join(d.path, string(n[:2]), string(n)) }

func (d *Folder) adopt(_ context.Context, n Name, file string) error {
	to := d.file(n)
	if err := d.makeShard(filepath.Dir(to)); err != nil {
		return fmt.Errorf("blob: %w", err)
	}
	if err := os.Rename(file, to); err != nil {
		return fmt.Errorf("blob: %w", err)
	}
	return syncDir(filepath.Dir(to))
}

// makeShard makes the folder a file goes into, so that it is there after a power
// cut, too.
func (d *Folder) makeShard(dir string) error {
	if err := os.MkdirAll(d.path, 0o700); err != nil {
		return err
	}
	err := os.Mkdir(dir, 0o700)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return errors.Join(err, syncDir(d.path))
}

func (d *Folder) open(_ context.Context, n Name) (io.ReadSeekCloser, error) {
	if _, err := ParseName(string(n)); err != nil {
		return nil, err
	}
	f, err := os.Open(d.file(n))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotThere
	}
	if err != nil {
		return nil, fmt.Errorf("blob: %w", err)
	}
	return f, nil
}

func (d *Folder) remove(_ context.Context, n Name) error {
	if _, err := ParseName(string(n)); err != nil {
		return err
	}
	err := os.Remove(d.file(n))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("blob: %w", err)
	}
	return syncDir(filepath.Dir(d.file(n)))
}

func (d *Folder) each(ctx context.Context, do func(Info) error) error {
	shards, err := os.ReadDir(d.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("blob: %w", err)
	}
	for _, s := range shards {
		if !s.IsDir() || len(s.Name()) != 2 {
			continue
		}
		files, err := os.ReadDir(filepath.Join(d.path, s.Name()))
		if err != nil {
			return fmt.Errorf("blob: %w", err)
		}
		for _, e := range files {
			n, err := ParseName(e.Name())
			if err != nil || !strings.HasPrefix(e.Name(), s.Name()) {
				continue // not ours
			}
			info, err := e.Info()
			if errors.Is(err, fs.ErrNotExist) {
				continue // taken away meanwhile
			}
			if err := errors.Join(err, ctx.Err()); err != nil {
				return err
			}
			if err := do(Info{Name: n, Sealed: info.Size(), Since: info.ModTime()}); err != nil {
				return err
			}
		}
	}
	return nil
}

// check writes a file where the others are, and takes it away.
func (d *Folder) check(context.Context) error {
	if err := os.MkdirAll(d.path, 0o700); err != nil {
		return fmt.Errorf("blob: %w", err)
	}
	f, err := os.CreateTemp(d.path, ".check-*")
	if err != nil {
		return fmt.Errorf("blob: %w", err)
	}
	_, err = f.WriteString("can be written to")
	return errors.Join(err, f.Sync(), f.Close(), os.Remove(f.Name()))
}

// syncDir has the names in a folder on the disk.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("blob: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("blob: %s: %w", dir, err)
	}
	return nil
}
