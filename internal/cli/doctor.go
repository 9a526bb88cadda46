package cli

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"strings"
	"time"

	"icouch/internal/access"
	"icouch/internal/letter"
	"icouch/internal/platform/blob"
	"icouch/internal/platform/config"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/installation"
)

// Doctor looks at an installation. It is given the same settings as serve, and
// changes nothing.
type Doctor struct {
	config.Serve `embed:""`
}

// ErrUnwell says that something must be seen to.
var ErrUnwell = errors.New("something needs to be seen to: see the lines above that begin with PROBLEM")

// findings are what the doctor says, in the order of looking.
type findings struct {
	o        *Office
	problems int
	mend     bool // it works, and something named should be better
}

func (f *findings) well(format string, args ...any) { f.o.say("well     "+format, args...) }
func (f *findings) note(format string, args ...any) { f.o.say("note     "+format, args...) }
func (f *findings) better(format string, args ...any) {
	f.mend = true
	f.o.say("mend     "+format, args...)
}
func (f *findings) problem(format string, args ...any) {
	f.problems++
	f.o.say("PROBLEM  "+format, args...)
}

// Run is "icouch doctor".
func (c *Doctor) Run(ctx context.Context, o *Office) error {
	f := &findings{o: o}
	f.settings(c.Serve)
	f.directory(c.Place)
	f.rootKey(c.Place)
	f.database(ctx, c.Place)
	f.files(ctx, c.Place)
	f.scanner(ctx, c.Serve)
	f.backups(c.Place, o.Clock)
	f.mail(ctx, c.Mail, c.Dev, o.Clock)
	f.reach(c.Site)
	f.missing()
	if f.problems > 0 {
		return ErrUnwell
	}
	if f.mend {
		o.say("It works, with what is named above to mend.")
		return nil
	}
	o.say("All is well.")
	return nil
}

func (f *findings) settings(s config.Serve) {
	err := s.Check()
	if err == nil {
		f.well("The settings can be used.")
		return
	}
	for _, line := range strings.Split(err.Error(), "\n") {
		f.problem("%s.", line)
	}
}

func (f *findings) directory(p config.Place) {
	info, err := os.Stat(p.Data)
	if err != nil {
		f.problem("There is no data directory %s yet. icouch serve makes it.", p.Data)
		return
	}
	tmp, err := os.CreateTemp(p.Data, ".doctor-*")
	if err != nil {
		f.problem("The data directory %s cannot be written to.", p.Data)
		return
	}
	_ = errors.Join(tmp.Close(), os.Remove(tmp.Name()))
	if info.Mode().Perm()&0o077 != 0 {
		f.problem("Others on this machine can look into the data directory. Run: chmod 700 %s", p.Data)
		return
	}
	f.well("The data directory %s can be written to, by its owner alone.", p.Data)
}

func (f *findings) rootKey(p config.Place) {
	info, err := os.Stat(p.KeyFile())
	if err != nil {
		f.problem("There is no root key at %s. Without it nothing that is sealed can be read.", p.KeyFile())
		return
	}
	if info.Mode().Perm()&0o077 != 0 {
		f.problem("Others on this machine could read the root key. Run: chmod 600 %s", p.KeyFile())
		return
	}
	f.well("The root key can be read by its owner alone.")
}

func (f *findings) database(ctx context.Context, p config.Place) {
	i, err := installation.Look(ctx, p, f.o.SQL, f.o.Clock)
	if err != nil {
		f.problem("The database cannot be opened: %s.", oneLine(err))
		return
	}
	defer i.Close()
	f.well("The database opens (%s), and its tables are those of this version.", i.DB.Engine())
	if i.Grade == crypt.Apart {
		f.well("The root key is of %s.", installation.Protects(i.Grade))
	} else {
		f.better("The root key is of %s.", installation.Protects(i.Grade))
	}
	if err := i.DB.Intact(ctx); err != nil {
		f.problem("The database is damaged: %s. Stop the program and restore a backup.", oneLine(err))
	} else {
		f.well("The database is whole.")
	}
	f.trail(ctx, i.DB)
	f.letters(ctx, i.DB)
}

// files sees whether files can be kept. It makes no directory.
func (f *findings) files(ctx context.Context, p config.Place) {
	at, err := p.Blobs()
	if err != nil {
		return // said with the settings
	}
	if !p.Bucket() {
		info, err := os.Stat(p.FilesDir())
		switch {
		case errors.Is(err, fs.ErrNotExist):
			f.note("There is no directory %s for files yet. icouch serve makes it.", p.FilesDir())
			return
		case err == nil && info.Mode().Perm()&0o077 != 0:
			f.problem("Others on this machine can look into the directory of the files. Run: chmod 700 %s", p.FilesDir())
			return
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	if err := blob.Check(ctx, at); err != nil {
		f.problem("Files cannot be kept in %s: %s.", at, oneLine(err))
		return
	}
	f.well("Files can be kept in %s.", at)
	if p.Bucket() {
		f.note("Files in a bucket are in no backup of icouch backup: the bucket must keep copies of its own.")
	}
}

func (f *findings) scanner(ctx context.Context, s config.Serve) {
	c, err := s.Scanner()
	if err != nil {
		return // said with the settings
	}
	if c == nil {
		f.note("No malware scanner is configured (--clamd): no file is scanned. What people attach is handed out unscanned, to be saved.")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	version, err := c.Check(ctx)
	if err != nil {
		f.problem("The malware scanner does not answer: %s.", oneLine(err))
		return
	}
	f.well("The malware scanner answers: %s.", version)
}

func (f *findings) trail(ctx context.Context, d *db.DB) {
	r, err := verify(ctx, d)
	switch {
	case err != nil:
		f.problem("The trail cannot be read: %s.", oneLine(err))
	case len(r.Findings) > 0:
		f.problem("The trail is not what was written, in %s. Run: icouch audit verify", count(len(r.Findings), "place", "places"))
	default:
		f.well("The trail is as it was written: %s, %s.", count(r.Chains, "chain", "chains"), count(r.Lines, "line", "lines"))
	}
}

func (f *findings) letters(ctx context.Context, d *db.DB) {
	var waiting int64
	err := d.View(ctx, func(tx *db.Tx) (err error) {
		waiting, err = letter.Waiting(tx, access.Operator())
		return err
	})
	switch {
	case err != nil:
		f.problem("The letters cannot be counted: %s.", oneLine(err))
	case waiting > 0:
		f.note("%s to be sent.", count(waiting, "letter waits", "letters wait"))
	}
}

// backupAge is how old the last backup may be before it is worth a word.
const backupAge = 8 * 24 * time.Hour

func (f *findings) backups(p config.Place, clock config.Clock) {
	if p.Postgres() {
		f.note("PostgreSQL is backed up by its own means (pg_dump): whether that is done cannot be known from here.")
		return
	}
	b, err := os.ReadFile(lastBackup(p))
	last, wrong := time.Parse(time.RFC3339, strings.TrimSpace(string(b)))
	switch {
	case err != nil, wrong != nil:
		f.better("No backup has been made with icouch backup.")
	case clock().Sub(last) > backupAge:
		f.better("The last backup with icouch backup was made on %s, more than a week ago.", last.Format(time.DateOnly))
	default:
		f.well("The last backup with icouch backup was made on %s. Whether it is still there, away from this machine, cannot be known from here.", last.Format(time.DateOnly))
	}
}

func (f *findings) mail(ctx context.Context, m config.Mail, dev bool, clock config.Clock) {
	if m.SMTP == "" {
		if dev {
			f.note("Letters go to a mailbox on this machine, for trying out. Nobody else gets one.")
			return
		}
		f.better("No mail server is set up (--smtp). Letters wait, practitioners are told to copy links by hand, and whoever signs up needs you: icouch letters --show")
		return
	}
	s, err := m.Sender("localhost", clock)
	if err != nil {
		return // said with the settings
	}
	defer s.Close()
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	if err := s.Check(ctx); err != nil {
		f.problem("The mail server does not take letters from us: %s.", oneLine(err))
		return
	}
	f.well("The mail server answers, encrypted, and lets us in.")
	if m.Bounces == "" {
		f.note("No mailbox for letters that come back is set (--bounces), so a wrong address may show as sent.")
	}
	if m.DKIMKey == "" {
		f.note("Letters are not signed by us (--dkim-domain). That is well if the mail server signs them.")
	}
}

func (f *findings) reach(s config.Site) {
	host, _, err := net.SplitHostPort(s.Listen)
	if err != nil {
		return // said with the settings
	}
	switch ip := net.ParseIP(host); {
	case strings.HasPrefix(s.Base(), "http://"):
		f.note("The site is for this machine alone. For others give it a name with TLS: --url https://…")
	case s.TLSCert != "":
		f.well("The site is reached over TLS, with a certificate of its own.")
	case len(s.Proxy) > 0:
		f.well("The site is reached over TLS that a proxy ends.")
	case host == "localhost" || ip != nil && ip.IsLoopback():
		f.problem("A proxy must end TLS in front of %s, but none is named with --proxy, so all visitors look like one and share their limits.", s.Listen)
	default:
		f.problem("Visitors come over https, but there is neither a certificate (--tls-cert, --tls-key) nor a proxy (--proxy).")
	}
}

// missing says what this program cannot know or does not have.
func (f *findings) missing() {
	f.note("Whether the disk is encrypted cannot be known from here. Make sure that it is.")
	f.note("No log on another machine is configured: whoever owns this machine can take lines off the end of the trail. Ship the log away and keep backups elsewhere.")
}

// oneLine is an error, for the end of a sentence.
func oneLine(err error) string {
	return strings.TrimRight(strings.ReplaceAll(err.Error(), "\n", "; "), ".")
}
