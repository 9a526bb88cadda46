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

// Of returns a practice's key, or the installation's.
func Of(tx *db.Tx, practice id.Practice) (*crypt.Key, error) {
	row, err := SQL.In(tx).Key(tx, practice)
	if errors.Is(err, db.None) {
		return nil, ErrNoKey
	}
	if err != nil {
		return nil, fmt.Errorf("key of %s: %w", practice, err)
	}
	return tx.Ring().Unwrap(practice.String(), crypt.Wrapped{Data: row.Data, Index: row.Lookup, Trail: row.Trail})
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
func Rotate(ctx context.Context, d *db.DB) (wrapped int, err error) {
	if err := d.Ring.RotateRoot(); err != nil {
		return 0, err
	}
	err = d.Maintain(ctx, func(tx *db.Tx) error {
		wrapped = 0
		owners, err := Owners(tx)
		if err != nil {
			return err
		}
		for _, owner := range owners {
			if err := replace(tx, owner, tx.Ring().Rewrap); err != nil {
				return err
			}
			wrapped++
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("rotate the root key: %w", err)
	}
	return wrapped, d.Ring.ForgetOldRoots()
}

// Renew gives a practice a new data key. What is sealed already still opens;
// whoever calls this seals it again.
func Renew(tx *db.Tx, practice id.Practice) error { return replace(tx, practice, tx.Ring().Renew) }

func replace(tx *db.Tx, owner id.Practice, anew func(string, crypt.Wrapped) (crypt.Wrapped, error)) error {
	row, err := SQL.In(tx).Key(tx, owner)
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
