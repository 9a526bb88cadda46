package account

import (
	"context"
	"fmt"

	"icouch/internal/access"
	"icouch/internal/audit"
	"icouch/internal/base/email"
	"icouch/internal/base/id"
	"icouch/internal/platform/db"
	"icouch/internal/platform/jobs"
	"icouch/internal/platform/keys"
)

// Whoever types an address on a page must not learn, not even by how long the
// answer takes, whether it has an account. What is typed is therefore only
// noted, sealed, in the request; what it comes to is found out afterwards.

// Wish is an address that somebody typed, sealed, with the name they typed
// beside it, if they were asked for one.
type Wish struct{ Address, Typed []byte }

const (
	wishPlace = "job/wish"
	namePart  = "job/wish/name"
)

// NewWish seals an address.
func NewWish(tx *db.Tx, _ access.Actor, e email.Address) (Wish, error) {
	key, err := keys.Of(tx, keys.Installation)
	if err != nil {
		return Wish{}, err
	}
	s, err := key.Seal(e.String(), wishPlace)
	return Wish{Address: s}, err
}

// WithName adds the name.
func (w Wish) WithName(tx *db.Tx, _ access.Actor, name string) (Wish, error) {
	key, err := keys.Of(tx, keys.Installation)
	if err != nil {
		return Wish{}, err
	}
	w.Typed, err = key.Seal(name, namePart)
	return w, err
}

// Name returns the name.
func (w Wish) Name(tx *db.Tx, _ access.Actor) (string, error) {
	key, err := keys.Of(tx, keys.Installation)
	if err != nil {
		return "", err
	}
	return key.Open(w.Typed, namePart)
}

// Open returns the address.
func (w Wish) Open(tx *db.Tx, _ access.Actor) (email.Address, error) {
	key, err := keys.Of(tx, keys.Installation)
	if err != nil {
		return email.Address{}, err
	}
	open, err := key.Open(w.Address, wishPlace)
	if err != nil {
		return email.Address{}, err
	}
	return email.Parse(open)
}

// resetWish is the job that looks into who wants a new password.
const resetWish = jobs.Kind[Wish]("account.reset_wish")

// WishReset notes that somebody asks for a new password for an address. The
// work is the same whether the address has an account or not.
func WishReset(tx *db.Tx, by access.Actor, e email.Address) error {
	w, err := NewWish(tx, by, e)
	if err != nil {
		return err
	}
	if err := resetWish.Enqueue(tx, "", w); err != nil {
		return err
	}
	return record(tx, by, audit.ResetAsked, id.New[linkID](tx.Now().Time))
}

// Clerk looks into wishes.
type Clerk struct{ DB *db.DB }

// Register has q hand the clerk its work.
func (c Clerk) Register(q *jobs.Queue) {
	resetWish.On(q, func(ctx context.Context, w Wish) error {
		err := c.DB.Update(ctx, func(tx *db.Tx) error {
			a, err := w.Open(tx, access.Guest())
			if err != nil {
				return err
			}
			return AskReset(tx, access.Guest(), a)
		})
		if err != nil {
			return fmt.Errorf("look into a reset: %w", err)
		}
		return nil
	})
}
