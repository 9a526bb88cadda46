package cli

import (
	"context"
	"errors"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/email"
	"icouch/internal/platform/config"
	"icouch/internal/platform/db"
	"icouch/internal/platform/installation"
	"icouch/internal/support"
)

// Support says who is in support. Supporters are made here and nowhere else.
type Support struct {
	Add             AddSupporter    `cmd:"" help:"Make the owner of an account a supporter."`
	Remove          RemoveSupporter `cmd:"" help:"End that."`
	List            ListSupporters  `cmd:"" help:"Say who is in support."`
	ResetSecondStep ResetSecondStep `cmd:"" help:"Take away the second step of somebody who has lost it, and their recovery codes. Be sure who asks: telephone them."`
	Convert         Convert         `cmd:"" help:"Ask the owner of a practitioner's account with an empty practice whether it is to become a client's."`
}

// AddSupporter makes one.
type AddSupporter struct {
	config.Place `embed:""`
	Email        string `arg:"" help:"The e-mail address the person signs in with."`
}

// Run is "icouch support add".
func (c *AddSupporter) Run(ctx context.Context, o *Office) error {
	return o.onAddress(ctx, c.Place, c.Email, func(tx *db.Tx, e email.Address) error { return support.Appoint(tx, access.Operator(), e) },
		"This person is in support now. They sign in as before and choose the place “Support”.")
}

// RemoveSupporter ends it.
type RemoveSupporter struct {
	config.Place `embed:""`
	Email        string `arg:"" help:"The e-mail address the person signs in with."`
}

// Run is "icouch support remove".
func (c *RemoveSupporter) Run(ctx context.Context, o *Office) error {
	return o.onAddress(ctx, c.Place, c.Email, func(tx *db.Tx, e email.Address) error { return support.Dismiss(tx, access.Operator(), e) },
		"This person is not in support any more. A program that is running knows within seconds.")
}

// ListSupporters lists them.
type ListSupporters struct {
	config.Place `embed:""`
}

// Run is "icouch support list".
func (c *ListSupporters) Run(ctx context.Context, o *Office) error {
	return o.look(ctx, c.Place, func(i *installation.Installation) error {
		var all []support.Supporter
		err := i.DB.View(ctx, func(tx *db.Tx) (err error) {
			all, err = support.All(tx, access.Operator())
			return err
		})
		if err != nil {
			return err
		}
		for _, s := range all {
			o.say("%s  %s", s.Since.Format(time.DateOnly), s.Email)
		}
		o.say("%s.", count(len(all), "person is in support", "people are in support"))
		return nil
	})
}

// Convert asks for a conversion.
type Convert struct {
	config.Place `embed:""`
	Email        string `arg:"" help:"The e-mail address of the account."`
	Reason       string `help:"Who asked for this, and how you know that it is them." required:""`
}

// Run is "icouch support convert".
func (c *Convert) Run(ctx context.Context, o *Office) error {
	return o.onAddress(ctx, c.Place, c.Email, func(tx *db.Tx, e email.Address) error {
		a, err := account.ByEmail(tx, access.Operator(), e)
		if errors.Is(err, db.None) {
			return support.ErrNobody
		}
		if err != nil {
			return err
		}
		_, err = support.Ask(tx, access.Operator(), a.ID, c.Reason)
		return err
	}, "The owner has a letter with a link. Nothing changes until they have signed in and confirmed; a supporter, if there is one, then approves it.")
}

// onAddress does one change about an account, named by its address, also beside
// a program that runs.
func (o *Office) onAddress(ctx context.Context, p config.Place, typed string, do func(*db.Tx, email.Address) error, done string) error {
	e, err := email.Parse(typed)
	if err != nil {
		return err
	}
	return o.look(ctx, p, func(i *installation.Installation) error {
		if err := i.DB.Update(ctx, func(tx *db.Tx) error { return do(tx, e) }); err != nil {
			return err
		}
		o.say("%s", done)
		return nil
	})
}
