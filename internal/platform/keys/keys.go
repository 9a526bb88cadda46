// Package keys keeps each practice's key, wrapped, beside the practice's data,
// and the key of the installation itself.
package keys

import (
	"context"
	"errors"
	"fmt"

	"icouch/internal/base/id"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys/keysdb"
)

// SQL is this package's statements.
var SQL = db.Prepare(keysdb.Prepare)

// Installation names the owner of what must be opened before anybody is known:
// accounts, and the trail of what happens to them. It is no practice.
const Installation id.Practice = "installation"

// ErrNoKey says that a practice has no key, or has it no longer.
var ErrNoKey = errors.New("keys: no such key")

// New makes the key of a new practice.
func New(tx *db.Tx, practice id.Practice) error {
	if err := turn(tx); err != nil {
		return err
	}
	w, err := tx.Ring().NewKey(practice.String())
	if err != nil {
		return err
	}
	err = SQL.In(tx).AddKey(tx, keysdb.AddKeyParams{PracticeID: practice, Data: w.Data, Lookup: w.Index, Trail: w.Trail, CreatedAt: tx.Now()})
	if err != nil {
		return fmt.Errorf("new key of %s: %w", practice, err)
	}
	return nil
}

// Of returns a practice's key, or the installation's. A transaction reads each
// key once.
func Of(tx *db.Tx, practice id.Practice) (*crypt.Key, error) {
	if k := tx.Key(practice.String()); k != nil {
		return k, nil
	}
	row, err := SQL.In(tx).Key(tx, practice)
	if errors.Is(err, db.None) {
		return nil, ErrNoKey
	}
	if err != nil {
		return nil, fmt.Errorf("key of %s: %w", practice, err)
	}
	k, err := tx.Ring().Unwrap(practice.String(), crypt.Wrapped{Data: row.Data, Index: row.Lookup, Trail: row.Trail})
	if err != nil {
		return nil, err
	}
	tx.Keep(practice.String(), k)
	return k, nil
}

// Install makes the installation's key, once. Every start calls it.
func Install(ctx context.Context, d *db.DB) error {
	return d.Maintain(ctx, func(tx *db.Tx) error {
		_, err := Of(tx, Installation)
		if errors.Is(err, ErrNoKey) {
			err = New(tx, Installation)
			if db.Taken(err) { // another node was quicker
				return nil
			}
		}
		return err
	})
}

// Owners returns everybody who has a key, the installation among them.
func Owners(tx *db.Tx) ([]id.Practice, error) {
	owners, err := SQL.In(tx).Owners(tx)
	if err != nil {
		return nil, fmt.Errorf("owners of keys: %w", err)
	}
	return owners, nil
}

// Rotate puts a new root key in front, wraps every key under it, and destroys
// the root keys before it. It returns how many keys it wrapped anew. Killed on
// the way, it leaves everything readable and can be run again.
//
// Programs that run meanwhile on the same root key file notice the change and
// read it again. A program with a copy of the file, on another machine, cannot:
// stop it before, and copy the file to it before it starts.
func Rotate(ctx context.Context, d *db.DB) (wrapped int, err error) {
	done, err := d.Ring.Alone()
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, done()) }()
	if err := d.Ring.RotateRoot(); err != nil {
		return 0, err
	}
	if wrapped, err = rewrap(ctx, d); err != nil {
		return 0, fmt.Errorf("rotate the root key: %w", err)
	}
	return wrapped, d.Ring.ForgetOldRoots()
}

func rewrap(ctx context.Context, d *db.DB) (wrapped int, err error) {
	err = d.Maintain(ctx, func(tx *db.Tx) error {
		if err := turn(tx); err != nil {
			return err
		}
		owners, err := Owners(tx)
		if err != nil {
			return err
		}
		for _, owner := range owners {
			if err := replace(tx, owner, tx.Ring().Rewrap); err != nil {
				return err
			}
		}
		wrapped = len(owners)
		return nil
	})
	return wrapped, err
}

// turn has whoever makes keys and whoever wraps them anew wait for each other.
// A key that came in between would be wrapped under a root key that is about
// to be destroyed.
func turn(tx *db.Tx) error {
	_, err := SQL.In(tx).Hold(tx, Installation)
	if err != nil && !errors.Is(err, db.None) {
		return fmt.Errorf("keys: wait for a turn: %w", err)
	}
	return nil
}

// Renew gives a practice a new data key. What is sealed already still opens;
// whoever calls this seals it again.
func Renew(tx *db.Tx, practice id.Practice) error { return replace(tx, practice, tx.Ring().Renew) }

func replace(tx *db.Tx, owner id.Practice, anew func(string, crypt.Wrapped) (crypt.Wrapped, error)) error {
	tx.Keep(owner.String(), nil)
	row, err := SQL.In(tx).Hold(tx, owner)
	if err != nil {
		return fmt.Errorf("key of %s: %w", owner, err)
	}
	w, err := anew(owner.String(), crypt.Wrapped{Data: row.Data, Index: row.Lookup, Trail: row.Trail})
	if err != nil {
		return err
	}
	err = SQL.In(tx).ReplaceKey(tx, keysdb.ReplaceKeyParams{Data: w.Data, Lookup: w.Index, Trail: w.Trail, PracticeID: owner})
	if err != nil {
		return fmt.Errorf("key of %s: %w", owner, err)
	}
	return nil
}
