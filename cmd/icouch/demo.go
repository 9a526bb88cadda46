package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"icouch/internal/account"
	"icouch/internal/account/factor"
	"icouch/internal/base/secret"
	"icouch/internal/cli"
	"icouch/internal/platform/config"
	"icouch/internal/web"
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
	ways, err := d.kept()
	if errors.Is(err, fs.ErrNotExist) {
		ways, err = d.begin(ctx, m)
	}
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	if ways.Practitioner.Seed != "" {
		seed, err := factor.ParseSeed(ways.Practitioner.Seed)
		if err != nil {
			return fmt.Errorf("demo: %s: %w", d.file(), err)
		}
		m.authenticators.Store(&[]web.Authenticator{{Email: ways.Practitioner.Email, Seed: seed}})
	}
	base := m.Settings.Base()
	fmt.Fprintf(out, "\nRiverside Counseling is ready at %s\n\n", base)
	fmt.Fprintf(out, "  As the practitioner   %s\n", d.way(ctx, m.Doorman, ways.Practitioner))
	fmt.Fprintf(out, "  As Vince, a client    %s\n", d.way(ctx, m.Doorman, ways.Client))
	fmt.Fprintf(out, "\nSign in at %s/sign-in. Every letter is at %s%s.\n", base, base, mailboxPage)
	fmt.Fprintf(out, "The practitioner is also asked for the code of an authenticator app: that page shows it.\n")
	fmt.Fprintf(out, "Everybody here is invented. Press Ctrl-C to stop; delete %s to begin anew.\n\n", d.Data)
	return nil
}

// begin fills a new demo.
func (d *demo) begin(ctx context.Context, m *Main) (cli.Demo, error) {
	ways, err := cli.Rehearse(ctx, m.Doorman, m.Mailbox)
	if errors.Is(err, cli.ErrDemoThere) {
		return ways, fmt.Errorf("the demo in %s was not finished: delete it and start again", d.Data)
	}
	if err != nil {
		return ways, err
	}
	return ways, d.keep(ways)
}

// way says how to get in: what was kept, unless whoever tries the demo out has
// changed it since.
func (d *demo) way(ctx context.Context, doorman *account.Doorman, s cli.SignIn) string {
	_, err := doorman.SignIn(ctx, s.Email, s.Passphrase, "the demo's own start", secret.Token{})
	if errors.Is(err, account.ErrWrong) {
		return fmt.Sprintf("You changed the e-mail or the password of the demo; use yours, or delete %s to begin anew.", d.Data)
	}
	return s.Email + "   " + s.Passphrase
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
		return ways, err
	}
	if err := json.Unmarshal(b, &ways); err != nil {
		return ways, fmt.Errorf("%s cannot be read: delete %s and start again", d.file(), d.Data)
	}
	return ways, nil
}
