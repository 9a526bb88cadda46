package cli

import (
	"context"
	"errors"
	"fmt"
	"os"

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
	Anchors      string `help:"File of anchors, as icouch serve writes it, or what a log server kept, or the letters that owners get each Monday: lines cut off the end of the trail are found by it alone." placeholder:"FILE"`
}

// ErrTrail says that the trail has been tampered with.
var ErrTrail = errors.New("the trail is not what was written; see above, keep a copy of everything, and find out who could write to the database")

// ErrNoAnchors says that a file proves nothing.
var ErrNoAnchors = errors.New("no anchor is in that file, so it proves nothing; it is a file of icouch serve --anchors, what a log server kept, or the letters that owners get each Monday")

// Run is "icouch audit verify".
func (c *VerifyTrail) Run(ctx context.Context, o *Office) error {
	anchors, err := c.anchors(o)
	if err != nil {
		return err
	}
	return o.look(ctx, c.Place, func(i *installation.Installation) error {
		r, err := verify(ctx, i.DB, anchors...)
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
		if c.Anchors == "" {
			o.say("Without --anchors nobody can tell whether its newest lines were cut off.")
		}
		return nil
	})
}

// anchors reads the file.
func (c *VerifyTrail) anchors(o *Office) (all []audit.Anchor, err error) {
	if c.Anchors == "" {
		return nil, nil
	}
	f, err := os.Open(c.Anchors)
	if err != nil {
		return nil, fmt.Errorf("the anchors cannot be read: %w", err)
	}
	defer f.Close() // nothing was written to it
	all, unreadable, err := audit.ParseAnchors(f)
	if err != nil {
		return nil, err
	}
	o.say("%s.", count(len(all), "anchor", "anchors"))
	if unreadable > 0 {
		o.say("%s of the file cannot be read. One that was cut short is no harm; more are.", count(unreadable, "line", "lines"))
	}
	if len(all) == 0 {
		return nil, ErrNoAnchors
	}
	return all, nil
}

func verify(ctx context.Context, d *db.DB, anchors ...audit.Anchor) (r audit.Report, err error) {
	err = d.View(ctx, func(tx *db.Tx) (err error) {
		r, err = audit.Verify(tx, access.Operator(), anchors...)
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
