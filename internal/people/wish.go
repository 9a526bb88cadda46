package people

import (
	"context"
	"fmt"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/email"
	"icouch/internal/platform/db"
	"icouch/internal/platform/jobs"
)

// renewalWish is the job that looks into who has lost their invitation.
const renewalWish = jobs.Kind[account.Wish]("people.renewal_wish")

// WishRenewal notes that somebody asks for a new link to an address they typed.
// The work is the same whether it was ever invited or not.
func WishRenewal(tx *db.Tx, by access.Actor, a email.Address) error {
	w, err := account.NewWish(tx, by, a)
	if err != nil {
		return err
	}
	if err := renewalWish.Enqueue(tx, "", w); err != nil {
		return err
	}
	return asked(tx, by)
}

// Clerk looks into wishes.
type Clerk struct{ DB *db.DB }

// Register has q hand the clerk its work.
func (c Clerk) Register(q *jobs.Queue) {
	renewalWish.On(q, func(ctx context.Context, w account.Wish) error {
		err := c.DB.Update(ctx, func(tx *db.Tx) error {
			a, err := w.Open(tx, access.Guest())
			if err != nil {
				return err
			}
			return RenewByAddress(tx, access.Guest(), a)
		})
		if err != nil {
			return fmt.Errorf("look into a renewal: %w", err)
		}
		return nil
	})
}
