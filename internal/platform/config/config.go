// Package config is what an installation is told: where its data is, under which
// address people reach it, and who carries its letters.
//
// Each setting is a flag and an environment variable, ICOUCH_ and the flag's
// name; the flag wins. What is asked of a setting is said in a sentence, before
// the program opens anything. Only this package looks at the environment.
package config

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/netip"
	"path/filepath"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"icouch/internal/platform/blob"
	"icouch/internal/platform/scan"
)

// Place is where an installation keeps its data. Every command takes it.
type Place struct {
	Data     string `help:"Directory of everything this installation keeps." default:"data" env:"ICOUCH_DATA"`
	Database string `help:"PostgreSQL, as postgres://user:password@host/name. Without it: the SQLite file icouch.db in the data directory." env:"ICOUCH_DATABASE" placeholder:"URL"`
	RootKey  string `help:"File with the root key. Without it: root.key in the data directory." env:"ICOUCH_ROOT_KEY" placeholder:"FILE"`

	Files       string `help:"Where the files are that people send: a directory, or a bucket as s3://host/bucket/prefix?region=NAME. Without it: files in the data directory." env:"ICOUCH_FILES" placeholder:"DIR"`
	FilesKey    string `help:"Key of the bucket. Better in the environment than on a command line." env:"ICOUCH_FILES_KEY" placeholder:"KEY"`
	FilesSecret string `help:"Secret of the bucket. Better in the environment than on a command line." env:"ICOUCH_FILES_SECRET" placeholder:"SECRET"`
}

// Bucket reports whether the files are in a bucket, and not on this machine.
func (p Place) Bucket() bool { return strings.Contains(p.Files, "://") }

// FilesDir is where the files are, if they are on this machine.
func (p Place) FilesDir() string { return cmp.Or(p.Files, filepath.Join(p.Data, "files")) }

// Blobs is where the files are, in either case. It connects to nothing.
func (p Place) Blobs() (blob.Place, error) {
	if !p.Bucket() {
		return blob.NewFolder(p.FilesDir()), nil
	}
	return blob.NewBucket(p.Files, blob.Credentials{Key: p.FilesKey, Secret: p.FilesSecret})
}

// Growth is the directory in which files grow until they are whole. It is on the
// same file system as theirs, so that they need not be copied then.
func (p Place) Growth() string {
	if p.Bucket() {
		return filepath.Join(p.Data, "growth")
	}
	return filepath.Join(p.FilesDir(), "growth")
}

// Store opens the files.
func (p Place) Store() (*blob.Store, error) {
	at, err := p.Blobs()
	if err != nil {
		return nil, err
	}
	return blob.Open(at, p.Growth())
}

// KeyFile is where the root key is.
func (p Place) KeyFile() string { return cmp.Or(p.RootKey, filepath.Join(p.Data, "root.key")) }

// DatabaseFile is where SQLite keeps its data, if it does.
func (p Place) DatabaseFile() string { return filepath.Join(p.Data, "icouch.db") }

// DatabaseURL is what db.Open takes.
func (p Place) DatabaseURL() string { return cmp.Or(p.Database, p.DatabaseFile()) }

// Postgres reports whether the data is on PostgreSQL, and not in the directory.
func (p Place) Postgres() bool { return strings.HasPrefix(p.Database, "postgres") }

// Site is how people reach the installation.
type Site struct {
	Listen    string   `help:"Address to serve at." default:"localhost:8080" env:"ICOUCH_LISTEN"`
	URL       string   `help:"Address by which people reach the site; links in letters begin with it. Without it: http:// and the address to serve at." env:"ICOUCH_URL" placeholder:"URL"`
	Brand     string   `help:"Name of the product, as pages and letters say it." default:"iCouch" env:"ICOUCH_BRAND"`
	Support   string   `help:"Where \"Still Need Help?\" goes." env:"ICOUCH_SUPPORT" placeholder:"EMAIL"`
	TLSCert   string   `name:"tls-cert" help:"Certificate chain, if no proxy ends TLS. Read again on SIGHUP." env:"ICOUCH_TLS_CERT" placeholder:"FILE"`
	TLSKey    string   `name:"tls-key" help:"Key of the certificate." env:"ICOUCH_TLS_KEY" placeholder:"FILE"`
	Proxy     []string `help:"Reverse proxy that may say who asks (X-Forwarded-For), as an address or a CIDR range. Can be given again." env:"ICOUCH_PROXY" placeholder:"CIDR"`
	BounceKey string   `help:"Secret with which a mail server reports letters that came back. Better in the environment than on a command line." env:"ICOUCH_BOUNCE_KEY" placeholder:"SECRET"`
}

// Base is the address of the site, without a slash at the end.
func (s Site) Base() string { return trimSlash(cmp.Or(s.URL, "http://"+s.Listen)) }

// Proxies are the reverse proxies as ranges. Check has seen that they can be read.
func (s Site) Proxies() (all []netip.Prefix) {
	for _, p := range s.Proxy {
		if r, err := proxy(p); err == nil {
			all = append(all, r)
		}
	}
	return all
}

// Mail is who carries the letters.
type Mail struct {
	SMTP         string `name:"smtp" help:"Mail server, as smtp://user:password@host:587 or smtps://…:465. Without it letters wait. Better in the environment than on a command line." env:"ICOUCH_SMTP" placeholder:"URL"`
	From         string `help:"Address that letters are from." env:"ICOUCH_FROM" placeholder:"EMAIL"`
	Bounces      string `help:"Mailbox for letters that come back." env:"ICOUCH_BOUNCES" placeholder:"EMAIL"`
	DKIMDomain   string `name:"dkim-domain" help:"Domain that signs the letters." env:"ICOUCH_DKIM_DOMAIN" placeholder:"DOMAIN"`
	DKIMSelector string `name:"dkim-selector" help:"Selector of the signature." env:"ICOUCH_DKIM_SELECTOR" placeholder:"NAME"`
	DKIMKey      string `name:"dkim-key" help:"File with the private key of the signature." env:"ICOUCH_DKIM_KEY" placeholder:"FILE"`
}

// Serve is all that the running program is told.
type Serve struct {
	Place    `embed:""`
	Site     `embed:""`
	Mail     `embed:""`
	Clamd    string   `help:"Scanner for the files people send: where clamd listens, as host:port or the path of its socket. Without it none is scanned." env:"ICOUCH_CLAMD" placeholder:"ADDR"`
	Messages int64    `help:"How many messages one person can write in five minutes; 0: as many as is usual, 300." default:"300" env:"ICOUCH_MESSAGES" placeholder:"N"`
	Anchors  []string `help:"Where to note, every few minutes, where the trail is: a file on a disk that the database's administrator cannot write to, syslog: or syslog://host:514. Can be given again." env:"ICOUCH_ANCHORS" placeholder:"FILE"`

	Dev bool   `help:"For trying out: letters go to a mailbox on this machine that has a page of its own." env:"ICOUCH_DEV"`
	Log string `help:"How the log is written: ${enum}." enum:"text,json" default:"text" env:"ICOUCH_LOG"`
}

// Scanner is what looks at the files people send. Without --clamd it is nil, and
// scans nothing. It connects to nothing.
func (s Serve) Scanner() (*scan.Clamd, error) {
	if s.Clamd == "" {
		return nil, nil
	}
	return scan.New(s.Clamd)
}

// Command is a command line that has been understood.
type Command struct{ *kong.Context }

// IO is where a command writes.
type IO struct{ Out, Err io.Writer }

// ErrShown says that what was asked for, the help, has been shown.
var ErrShown = errors.New("config: help was shown")

// Read reads a command line and the environment into grammar, a struct of
// commands. What bind holds is handed to the command's Run.
func Read(grammar any, description string, args []string, to IO, bind ...any) (Command, error) {
	shown := false
	k, err := kong.New(grammar, kong.Name("icouch"), kong.Description(description), kong.Writers(to.Out, to.Err),
		kong.Exit(func(int) { shown = true }), kong.ConfigureHelp(kong.HelpOptions{Compact: true}), kong.Bind(bind...))
	if err != nil {
		return Command{}, err
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	c, err := k.Parse(args)
	if shown {
		return Command{}, ErrShown
	}
	return Command{c}, err
}

// Run does what the command line says.
func (c Command) Run(ctx context.Context) error {
	c.BindTo(ctx, (*context.Context)(nil))
	return c.Context.Run()
}

// Clock is what the time is asked of.
type Clock func() time.Time
