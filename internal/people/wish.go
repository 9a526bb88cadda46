package people

import (
	"context"
	"fmt"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/audit"
	"icouch/internal/base/email"
	"icouch/internal/platform/db"
	"icouch/internal/platform/jobs"
	"icouch/internal/platform/keys"
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

// signUpWish is the job that looks into who wants a practice of their own.
const signUpWish = jobs.Kind[account.Wish]("people.sign_up_wish")

// WishSignUp notes that somebody signs up as a practitioner. The work is the
// same whether the address is new, has an account, or has an invitation waiting.
func WishSignUp(tx *db.Tx, by access.Actor, name string, a email.Address) error {
	w, err := account.NewWish(tx, by, a)
	if err != nil {
		return err
	}
	if w, err = w.WithName(tx, by, name); err != nil {
		return err
	}
	if err := signUpWish.Enqueue(tx, "", w); err != nil {
		return err
	}
	return audit.Record(tx, access.Guest(), audit.Deed{Did: audit.SignUpBegun, Subject: keys.Installation})
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
	signUpWish.On(q, func(ctx context.Context, w account.Wish) error {
		err := c.DB.Update(ctx, func(tx *db.Tx) error {
			a, err := w.Open(tx, access.Guest())
			if err != nil {
				return err
			}
			name, err := w.Name(tx, access.Guest())
			if err != nil {
				return err
			}
			return SignUpPractitioner(tx, access.Guest(), name, a)
		})
		if err != nil {
			return fmt.Errorf("look into a sign-up: %w", err)
		}
		return nil
	})
	closingNews.On(q, c.tellOfClosing)
}
