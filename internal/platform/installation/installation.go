// Package installation is one iCouch and all it keeps: a directory, the root
// key, and the database, which is a file there or a PostgreSQL elsewhere.
//
// One program at a time works in a directory; operators may look in meanwhile.
package installation

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"icouch/internal/platform/config"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

// What an operator is told.
var (
	ErrRunning  = errors.New("another icouch is at work in this data directory; stop it first")
	ErrNone     = errors.New("there is no installation here, and none has been made: name its data directory with --data, and --database if it is on PostgreSQL")
	ErrNoKey    = errors.New("the database is there, but its root key file is not; put the key back where it was, or name it with --root-key: a new key would open nothing")
	ErrBadKey   = errors.New("this file is not a root key, or not a whole one; name the right one with --root-key")
	ErrOtherKey = errors.New("this root key does not open this database; it belongs to another installation, or to an older state of this one")
)

// Installation is one that is open.
type Installation struct {
	DB    *db.DB
	Grade crypt.Grade // how far the root key is from the data

	lock *os.File // nil: only looked into
}

// Open opens an installation to work in it, and makes it if there is none.
func Open(ctx context.Context, p config.Place, sql []db.Prepared, clock config.Clock) (*Installation, error) {
	if err := os.MkdirAll(p.Data, 0o700); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	lock, err := hold(p)
	if err != nil {
		return nil, err
	}
	i, err := open(ctx, p, sql, clock, true)
	if err != nil {
		return nil, errors.Join(err, release(lock))
	}
	i.lock = lock
	return i, nil
}

// Enter opens one that is there, to work in it, and makes nothing: whoever
// changes keys in the wrong place would lose the right ones.
func Enter(ctx context.Context, p config.Place, sql []db.Prepared, clock config.Clock) (*Installation, error) {
	if err := there(p); err != nil {
		return nil, err
	}
	lock, err := hold(p)
	if err != nil {
		return nil, err
	}
	i, err := open(ctx, p, sql, clock, false)
	if err != nil {
		return nil, errors.Join(err, release(lock))
	}
	i.lock = lock
	return i, nil
}

// Look opens one that is there, beside a program that may be at work in it. It
// makes neither a key nor a database.
func Look(ctx context.Context, p config.Place, sql []db.Prepared, clock config.Clock) (*Installation, error) {
	if err := there(p); err != nil {
		return nil, err
	}
	return open(ctx, p, sql, clock, false)
}

// there looks for the files of an installation. What PostgreSQL holds is seen
// when it is opened.
func there(p config.Place) error {
	switch {
	case !exists(p.Data), !p.Postgres() && !exists(p.DatabaseFile()):
		return fmt.Errorf("%s: %w", p.Data, ErrNone)
	case !exists(p.KeyFile()):
		return fmt.Errorf("%s: %w", p.KeyFile(), ErrNoKey)
	}
	return nil
}

// Close closes it.
func (i *Installation) Close() error {
	err := i.DB.Close()
	if i.lock != nil {
		err = errors.Join(err, release(i.lock))
	}
	return err
}

// hold keeps other programs out. The lock goes with the process, however it ends.
func hold(p config.Place) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(p.Data, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(ErrRunning, f.Close())
	}
	return f, nil
}

// release lets others in. To close the file is not enough: a program that this
// one is just starting has a copy of it for a moment, and with it the lock.
func release(f *os.File) error {
	return errors.Join(syscall.Flock(int(f.Fd()), syscall.LOCK_UN), f.Close())
}

// open opens one, and makes what is not there only if it may.
func open(ctx context.Context, p config.Place, sql []db.Prepared, clock config.Clock, may bool) (_ *Installation, err error) {
	if !exists(p.KeyFile()) && !p.Postgres() && exists(p.DatabaseFile()) {
		return nil, ErrNoKey
	}
	made := !exists(p.KeyFile())
	ring, err := crypt.OpenRing(p.KeyFile())
	if err != nil {
		return nil, keyTrouble(p, err)
	}
	if made && p.Postgres() { // on a database that has another, or cannot be reached, this one opens nothing
		defer func() {
			if err != nil {
				err = errors.Join(err, os.Remove(p.KeyFile()))
			}
		}()
	}
	d, err := db.Open(ctx, db.Config{URL: p.DatabaseURL(), Clock: clock, Ring: ring, SQL: sql, Existing: !may})
	if errors.Is(err, db.ErrEmpty) {
		return nil, ErrNone
	}
	if err != nil {
		return nil, err
	}
	if err := keyFits(ctx, d, may); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	grade, err := gradeOf(p)
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return &Installation{DB: d, Grade: grade}, nil
}

// keyFits sees that the root key opens the installation's own key, which it
// makes only if it may.
func keyFits(ctx context.Context, d *db.DB, may bool) error {
	find := func() error {
		return d.View(ctx, func(tx *db.Tx) error {
			_, err := keys.Of(tx, keys.Installation)
			return err
		})
	}
	if may {
		find = func() error { return keys.Install(ctx, d) }
	}
	err := find()
	switch {
	case errors.Is(err, keys.ErrNoKey):
		return ErrNone
	case errors.Is(err, crypt.ErrUnwrap):
		return ErrOtherKey
	}
	return err
}

// keyTrouble says in a sentence why a root key cannot be used.
func keyTrouble(p config.Place, err error) error {
	if _, file := errors.AsType[*fs.PathError](err); file || errors.Is(err, crypt.ErrReadable) {
		return err
	}
	return fmt.Errorf("%s: %w", p.KeyFile(), ErrBadKey)
}

// gradeOf is that of the key beside the data, or apart: data on PostgreSQL is
// on another machine, as far as we know.
func gradeOf(p config.Place) (crypt.Grade, error) {
	if p.Postgres() {
		return crypt.Apart, nil
	}
	return crypt.GradeOf(p.KeyFile(), p.Data)
}

// Protects says what a root key of this grade protects from.
func Protects(g crypt.Grade) string {
	if g == crypt.Apart {
		return "grade B: it is apart from the data, so a copy of the data alone can be read by nobody"
	}
	return "grade C: it lies on the same disk as the data, so a copy of the database is protected, and a stolen disk is not; put it on another disk and name it with --root-key"
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return !errors.Is(err, fs.ErrNotExist)
}
