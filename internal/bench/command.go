package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"icouch/internal/platform/config"
)

// Command is "icouch bench".
type Command struct {
	Only    []string      `help:"What to measure: start, invite, people, signup, messages; and hold. All but the last if none is named."`
	Seconds int           `help:"How long each pass takes." default:"5"`
	Rounds  int           `help:"Passes of each measurement; the median counts." default:"3"`
	Clients []int         `help:"Sizes of the practice whose list is opened." default:"1000,100000"`
	Hold    time.Duration `help:"For how long \"hold\" keeps ten thousand pages open." default:"10m"`
	Dir     string        `help:"Folder on the disk to measure. A folder of its own is made in it and taken away." type:"existingdir" placeholder:"DIR"`
	Bare    string        `hidden:""` // serve hashes at this address: the raw line of sign-ups
}

// ErrMissed says that a goal was not reached.
var ErrMissed = errors.New("a goal was not reached")

// Run measures and prints.
func (c Command) Run(ctx context.Context, to config.IO) error {
	if c.Bare != "" {
		return bare(ctx, c.Bare)
	}
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	dir, err := os.MkdirTemp(c.Dir, "icouch-bench-")
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	defer os.RemoveAll(dir)
	o := Options{Only: c.Only, For: time.Duration(c.Seconds) * time.Second, Rounds: max(c.Rounds, 1), Clients: c.Clients, Hold: c.Hold,
		Version: version(), Program: program, Now: time.Now}
	for _, name := range c.Only {
		if !strings.Contains(" "+strings.Join(Names(), " ")+" ", " "+name+" ") {
			return fmt.Errorf("there is no measurement %q; there are: %s", name, strings.Join(Names(), ", "))
		}
	}
	ok, err := Run(ctx, o, dir, to.Out)
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	if !ok {
		return ErrMissed
	}
	return nil
}

func version() string {
	b, ok := debug.ReadBuildInfo()
	if !ok {
		return "(unknown)"
	}
	return b.Main.Version
}
