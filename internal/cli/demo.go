package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/account/factor"
	"icouch/internal/account/password"
	"icouch/internal/base/email"
	"icouch/internal/base/secret"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/platform/mail/sink"
)

// SignIn is an address, the passphrase that goes with it and, of who works, what
// their authenticator makes its codes from.
type SignIn struct{ Email, Passphrase, Seed string }

// Demo is how to get into the practice that the demo shows.
type Demo struct{ Practitioner, Client SignIn }

// ErrDemoThere says that the practice is there already.
var ErrDemoThere = errors.New("the demo practice is there already")

// Rehearse founds Riverside Counseling and its four people, each as far as the
// help page has them: Annie Noda not invited, Vince Gill with an account, David
// and Rashida invited. Letters go the real way, into the mailbox.
func Rehearse(ctx context.Context, doorman *account.Doorman, box *sink.Sink) (Demo, error) {
	seed := factor.NewSeed()
	d := Demo{SignIn{"demo@example.com", password.Suggest(), seed.Reveal()}, SignIn{"vince.gill@example.com", password.Suggest(), ""}}
	mine, err := doorman.Hash(ctx, d.Practitioner.Passphrase, password.Context{})
	if err != nil {
		return Demo{}, err
	}
	his, err := doorman.Hash(ctx, d.Client.Passphrase, password.Context{})
	if err != nil {
		return Demo{}, err
	}
	if err := doorman.DB.Update(ctx, func(tx *db.Tx) error { return riverside(tx, d.Practitioner.Email, mine, seed) }); err != nil {
		return Demo{}, err
	}
	link, err := letterTo(ctx, box, d.Client.Email)
	if err != nil {
		return Demo{}, err
	}
	return d, doorman.DB.Update(ctx, func(tx *db.Tx) error {
		_, err := people.SignUp(tx, access.Guest(), link, his)
		return err
	})
}

func riverside(tx *db.Tx, owner, hash string, seed factor.Seed) error {
	a, err := email.Parse(owner)
	if err != nil {
		return err
	}
	who, err := account.Make(tx, access.Operator(), account.New{Name: "Mira Holloway", Email: a, Zone: "America/New_York", Password: hash, Verified: true})
	if errors.Is(err, account.ErrTaken) {
		return ErrDemoThere
	}
	if err != nil {
		return err
	}
	by, err := people.Found(tx, access.AsPerson(who), "Riverside Counseling", "America/New_York")
	if err != nil {
		return err
	}
	code, err := seed.Code(tx.Now().Add(-30 * time.Second)) // the one before, so that now's is still good
	if err != nil {
		return err
	}
	if err := factor.SetAuthenticator(tx, access.AsPerson(who), seed, code, secret.NewToken()); err != nil {
		return err
	}
	for _, d := range []people.Draft{
		{First: "Annie", Last: "Noda", Email: "annie.noda@example.com", EmailConsent: true},
		{First: "Vince", Last: "Gill", Email: "vince.gill@example.com", EmailConsent: true, Invite: true},
		{First: "David", Email: "david@example.com", EmailConsent: true, Invite: true},
		{First: "Rashida", Email: "rashida@example.com", EmailConsent: true, Invite: true},
	} {
		if err := add(tx, by, d); err != nil {
			return err
		}
	}
	return nil
}

// letterTo waits for the invitation to an address and returns its link.
func letterTo(ctx context.Context, box *sink.Sink, to string) (secret.Token, error) {
	for n := int64(1); ; n++ {
		if err := box.Wait(ctx, n); err != nil {
			return secret.Token{}, fmt.Errorf("the letter to %s did not come: %w", to, err)
		}
		for _, m := range box.Messages() {
			if link, ok := joinLink(m.Text); ok && len(m.Recipients) == 1 && m.Recipients[0] == to {
				return link, nil
			}
		}
	}
}
