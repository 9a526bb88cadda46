package cli

import (
	"context"
	"errors"
	"fmt"

	"icouch/internal/access"
	"icouch/internal/audit"
	"icouch/internal/platform/config"
	"icouch/internal/platform/db"
	"icouch/internal/platform/installation"
)

// Audit is about the trail.
type Audit struct {
	Verify VerifyTrail `cmd:"" help:"Check every line of the trail against its signature."`
}

// VerifyTrail checks the trail.
type VerifyTrail struct {
	config.Place `embed:""`
}

// ErrTrail says that the trail has been tampered with.
var ErrTrail = errors.New("the trail is not what was written; see above, keep a copy of everything, and find out who could write to the database")

// Run is "icouch audit verify".
func (c *VerifyTrail) Run(ctx context.Context, o *Office) error {
	return o.look(ctx, c.Place, func(i *installation.Installation) error {
		r, err := verify(ctx, i.DB)
		if err != nil {
			return err
		}
		o.say("%s, %s.", count(r.Chains, "chain", "chains"), count(r.Lines, "line", "lines"))
		for _, f := range r.Findings {
			o.say("Chain %s, line %d: %s.", f.Practice, f.Seq, f.What)
		}
		if len(r.Findings) > 0 {
			return ErrTrail
		}
		o.say("Every line is as it was written.")
		return nil
	})
}

func verify(ctx context.Context, d *db.DB) (r audit.Report, err error) {
	err = d.View(ctx, func(tx *db.Tx) (err error) {
		r, err = audit.Verify(tx, access.Operator())
		return err
	})
	return r, err
}

// count says how many of something there are.
func count[N int | int64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
