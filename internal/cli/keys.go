package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/account/factor"
	"icouch/internal/audit"
	"icouch/internal/base/id"
	"icouch/internal/chat"
	"icouch/internal/contact"
	"icouch/internal/joint"
	"icouch/internal/people"
	"icouch/internal/platform/config"
	"icouch/internal/platform/db"
	"icouch/internal/platform/installation"
	"icouch/internal/platform/keys"
	"icouch/internal/recovery"
	"icouch/internal/support"
	"icouch/internal/team"
)

// Keys is about the keys.
type Keys struct {
	Rotate RotateKeys `cmd:"" help:"Put a new root key in place, and wrap every key under it."`
}

// RotateKeys changes the root key and, if asked, what lies under it. Killed on
// the way, it leaves everything readable, and is run again.
type RotateKeys struct {
	config.Place `embed:""`
	Fields       bool `help:"Also give every practice and the installation a new data key, and seal every field again."`
}

// Run is "icouch keys rotate".
func (c *RotateKeys) Run(ctx context.Context, o *Office) error {
	return o.change(ctx, c.Place, func(i *installation.Installation) error {
		old, err := o.keepKey(c.KeyFile())
		if err != nil {
			return err
		}
		wrapped, err := keys.Rotate(ctx, i.DB)
		if err != nil {
			return err
		}
		err = i.DB.Update(ctx, func(tx *db.Tx) error {
			return audit.Record(tx, access.Operator(), audit.Deed{Did: audit.KeysRotated, Subject: keys.Installation})
		})
		if err != nil {
			return err
		}
		o.say("There is a new root key in %s, and %s under it.", c.KeyFile(), count(wrapped, "key has been wrapped", "keys have been wrapped"))
		o.say("The root key from before is kept in %s. It opens only backups from before. Delete it when you need none of them any more.", old)
		o.say("Keep a copy of the new root key elsewhere, apart from the backups.")
		if !c.Fields {
			return nil
		}
		return o.reseal(ctx, i.DB)
	})
}

// keepKey copies the root key beside itself, under the day, before it is
// replaced. A copy that is there already stays.
func (o *Office) keepKey(file string) (kept string, err error) {
	key, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("keep the root key: %w", err)
	}
	now := o.Clock()
	kept = file + ".before-" + now.Format(time.DateOnly)
	if _, err := os.Stat(kept); err == nil {
		kept += now.Format("-150405.000000")
	}
	err = writeNew(kept, func(w io.Writer) error {
		_, err := w.Write(key)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("keep the root key: %w", err)
	}
	return kept, nil
}

// reseal gives each owner of a key a new one, and seals what is theirs again.
func (o *Office) reseal(ctx context.Context, d *db.DB) error {
	var owners []id.Practice
	err := d.View(ctx, func(tx *db.Tx) (err error) {
		owners, err = keys.Owners(tx)
		return err
	})
	if err != nil {
		return err
	}
	for _, owner := range owners {
		if err := renew(ctx, d, owner); err != nil {
			return err
		}
	}
	o.say("%s a new data key, and every name, address and number is sealed with it. Letters that wait keep theirs until they have gone.", count(len(owners), "owner of a key has", "owners of keys have"))
	return nil
}

func renew(ctx context.Context, d *db.DB, owner id.Practice) error {
	by := access.Operating(owner)
	if owner == keys.Installation {
		by = access.Operator()
	}
	err := d.Update(ctx, func(tx *db.Tx) error {
		if err := keys.Renew(tx, owner); err != nil {
			return err
		}
		return audit.Record(tx, by, audit.Deed{Did: audit.KeysRotated, Subject: owner})
	})
	if err != nil {
		return err
	}
	if owner == keys.Installation {
		if err := inParts(ctx, d, by, account.Reseal); err != nil {
			return err
		}
		if err := inParts(ctx, d, by, factor.ResealSeeds); err != nil {
			return err
		}
		if err := inParts(ctx, d, by, factor.ResealPasskeys); err != nil {
			return err
		}
		if err := inParts(ctx, d, by, support.Reseal); err != nil {
			return err
		}
		return inParts(ctx, d, by, recovery.Reseal)
	}
	if err := d.Update(ctx, func(tx *db.Tx) error { return people.ResealPractitioners(tx, by) }); err != nil {
		return err
	}
	if err := d.Update(ctx, func(tx *db.Tx) error { return people.ResealMinors(tx, by) }); err != nil {
		return err
	}
	if err := inParts(ctx, d, by, people.Reseal); err != nil {
		return err
	}
	if err := inParts(ctx, d, by, people.ResealInvitations); err != nil {
		return err
	}
	if err := inParts(ctx, d, by, contact.Reseal); err != nil {
		return err
	}
	if err := inParts(ctx, d, by, contact.ResealInvitations); err != nil {
		return err
	}
	if err := inParts(ctx, d, by, joint.Reseal); err != nil {
		return err
	}
	if err := inParts(ctx, d, by, chat.RenewKeys); err != nil { // before what they seal
		return err
	}
	if err := inParts(ctx, d, by, chat.Reseal); err != nil {
		return err
	}
	if err := inParts(ctx, d, by, chat.ResealFiles); err != nil {
		return err
	}
	if err := d.Update(ctx, func(tx *db.Tx) error { return chat.ResealRest(tx, by) }); err != nil {
		return err
	}
	return d.Update(ctx, func(tx *db.Tx) error { return team.Reseal(tx, by) })
}

// inParts runs a verb that does a part at a time, each in a transaction of its
// own, until it says that nothing is left.
func inParts[I ~string](ctx context.Context, d *db.DB, by access.Actor, verb func(*db.Tx, access.Actor, I) (I, error)) error {
	var after I
	for {
		var next I
		err := d.Update(ctx, func(tx *db.Tx) (err error) {
			next, err = verb(tx, by, after)
			return err
		})
		if err != nil || next == "" {
			return err
		}
		after = next
	}
}
