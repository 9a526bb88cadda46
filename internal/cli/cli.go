// Package cli is the door for the operator, who keeps an installation well:
// looks at its health, changes its keys, proves its trail, makes copies and
// brings them back.
//
// Commands speak in sentences and end with status 1 if something is wrong.
// Those that change keys or data work while the program is stopped; those that
// look, and backup, work beside it.
package cli

import (
	"context"
	"fmt"
	"io"

	"icouch/internal/platform/config"
	"icouch/internal/platform/db"
	"icouch/internal/platform/installation"
)

// Commands are the operator's, for a command line to embed.
type Commands struct {
	Doctor  Doctor  `cmd:"" help:"Look at an installation and say what is well and what is not."`
	Keys    Keys    `cmd:"" help:"Change the keys that everything is sealed with."`
	Audit   Audit   `cmd:"" help:"Prove the trail."`
	Letters Letters `cmd:"" help:"List the letters of the installation itself that wait, and with --show read them."`
	Support Support `cmd:"" help:"Say who is in support, put an account right whose owner took the wrong door, and help somebody back into theirs."`
	Seed    Seed    `cmd:"" help:"Add invented clients, to try and to measure with."`
	Backup  Backup  `cmd:"" help:"Write an encrypted copy of the database, also while the program runs."`
	Restore Restore `cmd:"" help:"Bring an encrypted copy back, into a new data directory."`
}

// Office is what a command works with.
type Office struct {
	SQL   []db.Prepared // the statements of every package
	Clock config.Clock
	Out   io.Writer
}

func (o *Office) say(format string, args ...any) { fmt.Fprintf(o.Out, format+"\n", args...) }

// work opens an installation for one command that adds to it, and makes it if
// there is none.
func (o *Office) work(ctx context.Context, p config.Place, do func(*installation.Installation) error) error {
	return o.with(p, do, func() (*installation.Installation, error) { return installation.Open(ctx, p, o.SQL, o.Clock) })
}

// change opens an installation that must be there already, for one command
// that destroys something of it.
func (o *Office) change(ctx context.Context, p config.Place, do func(*installation.Installation) error) error {
	return o.with(p, do, func() (*installation.Installation, error) { return installation.Enter(ctx, p, o.SQL, o.Clock) })
}

// look opens an installation for one command that only looks.
func (o *Office) look(ctx context.Context, p config.Place, do func(*installation.Installation) error) error {
	return o.with(p, do, func() (*installation.Installation, error) { return installation.Look(ctx, p, o.SQL, o.Clock) })
}

func (o *Office) with(p config.Place, do func(*installation.Installation) error, open func() (*installation.Installation, error)) error {
	if err := p.Check(); err != nil {
		return err
	}
	i, err := open()
	if err != nil {
		return err
	}
	defer i.Close() // what was to be kept has been committed
	return do(i)
}
