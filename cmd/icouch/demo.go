package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"icouch/internal/cli"
	"icouch/internal/platform/config"
)

// demo is serve with a practice to look around in.
type demo struct {
	Data   string `help:"Directory of the demo. Delete it to begin anew." default:"data/demo"`
	Listen string `help:"Address to serve at." default:"localhost:8080"`
}

// Run is "icouch demo".
func (d *demo) Run(ctx context.Context, to config.IO) error {
	m := &Main{Clock: time.Now, Log: to.Err, Open: func(ctx context.Context, m *Main) error { return d.rehearse(ctx, m, to.Out) }}
	m.Settings = config.Serve{Dev: true, Place: config.Place{Data: d.Data}, Site: config.Site{Listen: d.Listen, Brand: "iCouch", Support: "support@example.com"}}
	return m.Run(ctx)
}

// rehearse fills a new demo and says how to get in.
func (d *demo) rehearse(ctx context.Context, m *Main, out io.Writer) error {
	ways, err := cli.Rehearse(ctx, m.Doorman, m.Mailbox)
	switch {
	case err == nil:
		err = d.keep(ways)
	case errors.Is(err, cli.ErrDemoThere):
		ways, err = d.kept()
	}
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	base := m.Settings.Base()
	fmt.Fprintf(out, "\nRiverside Counseling is ready at %s\n\n", base)
	fmt.Fprintf(out, "  As the practitioner   %s   %s\n", ways.Practitioner.Email, ways.Practitioner.Passphrase)
	fmt.Fprintf(out, "  As Vince, a client    %s   %s\n", ways.Client.Email, ways.Client.Passphrase)
	fmt.Fprintf(out, "\nSign in at %s/sign-in. Every letter is at %s%s.\n", base, base, mailboxPage)
	fmt.Fprintf(out, "Everybody here is invented. Press Ctrl-C to stop; delete %s to begin anew.\n\n", d.Data)
	return nil
}

// The passphrases of invented people are kept beside them, for the next start.
func (d *demo) file() string { return filepath.Join(d.Data, "sign-in.json") }

func (d *demo) keep(ways cli.Demo) error {
	b, err := json.Marshal(ways)
	if err != nil {
		return err
	}
	return os.WriteFile(d.file(), b, 0o600)
}

func (d *demo) kept() (ways cli.Demo, err error) {
	b, err := os.ReadFile(d.file())
	if err != nil {
		return ways, fmt.Errorf("the demo in %s was not finished: delete it and start again", d.Data)
	}
	return ways, json.Unmarshal(b, &ways)
}
