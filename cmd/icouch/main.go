// Command icouch is the whole program: the site that practitioners and clients
// use, and what its operator needs. It is the only place that knows every part.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"icouch/internal/account"
	"icouch/internal/account/factor"
	"icouch/internal/audit"
	"icouch/internal/bench"
	"icouch/internal/chat"
	"icouch/internal/cli"
	"icouch/internal/contact"
	"icouch/internal/joint"
	"icouch/internal/letter"
	"icouch/internal/people"
	"icouch/internal/platform/config"
	"icouch/internal/platform/db"
	"icouch/internal/platform/jobs"
	"icouch/internal/platform/keys"
	"icouch/internal/platform/limit"
	"icouch/internal/platform/media/heic"
	"icouch/internal/recovery"
	"icouch/internal/support"
	"icouch/internal/team"
	"icouch/internal/trail"
)

// statements are those of every package that has some.
var statements = []db.Prepared{keys.SQL, jobs.SQL, limit.SQL, audit.SQL, letter.SQL, account.SQL, factor.SQL, people.SQL, team.SQL, contact.SQL, joint.SQL, support.SQL, trail.SQL, recovery.SQL, chat.SQL}

const description = "A safe place for practitioners and their clients. To try it out: icouch demo."

// commands is what icouch can be told to do.
type commands struct {
	Serve        serve `cmd:"" help:"Serve the site."`
	Demo         demo  `cmd:"" help:"Serve a practice with four invented people on this machine, to look around in."`
	cli.Commands `embed:""`
	Bench        bench.Command `cmd:"" help:"Measure what the program promises against the limits of this machine."`
	Version      version       `cmd:"" help:"Say which version this is."`
	OpenHEIC     heic.Command  `cmd:"" name:"open-heic" hidden:"" help:"Open a photograph as an iPhone takes it, for the program itself."`
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is main for whoever wants the exit status.
func run(args []string, out, log io.Writer) int {
	guardMemory()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	office := &cli.Office{SQL: statements, Clock: time.Now, Out: out}
	c, err := config.Read(&commands{}, description, args, config.IO{Out: out, Err: log}, office, config.IO{Out: out, Err: log})
	if err == nil {
		err = c.Run(ctx)
	}
	if err != nil && !errors.Is(err, config.ErrShown) {
		fmt.Fprintf(log, "icouch: %v\n", err)
		return 1
	}
	return 0
}

// guardMemory keeps what the program has in memory, opened names and keys, from
// the disk, and its files from others.
func guardMemory() {
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}) // where that is not allowed, the program still runs
	syscall.Umask(0o077)
}

// version says which program this is.
type version struct{}

// Run is "icouch version".
func (version) Run(to config.IO) error {
	_, err := fmt.Fprintln(to.Out, "icouch", versionText())
	return err
}

func versionText() string {
	b, ok := debug.ReadBuildInfo()
	if !ok {
		return "(unknown)"
	}
	text := b.Main.Version
	for _, s := range b.Settings {
		switch s.Key {
		case "vcs.revision":
			text += " " + s.Value[:min(12, len(s.Value))]
		case "vcs.time":
			text += " of " + s.Value
		}
	}
	return text + ", " + b.GoVersion
}
