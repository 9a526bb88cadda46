package cli

import (
	"context"
	"errors"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/email"
	"icouch/internal/people"
	"icouch/internal/platform/config"
	"icouch/internal/platform/db"
	"icouch/internal/platform/installation"
)

// ResetSecondStep is for whoever works in a practice and has lost every way but
// the password. It is in the trail, and the owner of the account is written to.
type ResetSecondStep struct {
	config.Place `embed:""`
	Email        string `arg:"" help:"The e-mail address the person signs in with."`
}

// Run is "icouch support reset-second-step".
func (c *ResetSecondStep) Run(ctx context.Context, o *Office) error {
	e, err := email.Parse(c.Email)
	if err != nil {
		return err
	}
	return o.look(ctx, c.Place, func(i *installation.Installation) error {
		err := i.DB.Update(ctx, func(tx *db.Tx) error {
			a, err := account.ByEmail(tx, access.Operator(), e)
			if errors.Is(err, db.None) {
				return account.ErrNoAccount
			}
			if err != nil {
				return err
			}
			return people.ResetSecondStep(tx, access.Operator(), a.ID)
		})
		if err != nil {
			return err
		}
		o.say("%s", "The second step is taken away, everybody is signed out, and a letter says so. With the password alone they are asked at once to set up a new one.")
		return nil
	})
}
