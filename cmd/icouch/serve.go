package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"icouch/internal/account"
	"icouch/internal/account/password"
	"icouch/internal/audit"
	"icouch/internal/base/email"
	"icouch/internal/chat"
	"icouch/internal/contact"
	"icouch/internal/letter"
	"icouch/internal/people"
	"icouch/internal/people/directory"
	"icouch/internal/platform/blob"
	"icouch/internal/platform/config"
	"icouch/internal/platform/installation"
	"icouch/internal/platform/jobs"
	"icouch/internal/platform/limit"
	"icouch/internal/platform/mail"
	"icouch/internal/platform/mail/sink"
	"icouch/internal/platform/media"
	"icouch/internal/platform/media/heic"
	"icouch/internal/platform/scan"
	"icouch/internal/team"
	"icouch/internal/trail"
	"icouch/internal/web"
)

// serve is the command.
type serve struct {
	config.Serve `embed:""`
}

// Run is "icouch serve".
func (s *serve) Run(ctx context.Context, to config.IO) error {
	cores := runtime.GOMAXPROCS(0)
	runtime.GOMAXPROCS(cores + spare)
	return (&Main{Settings: s.Serve, Clock: time.Now, Log: to.Err, Hashes: cores}).Run(ctx)
}

// spare is how many threads run Go beside those that may all be hashing
// passwords. A hash gives its thread up every 10 ms at best, and whoever waits
// for one waits that long at each step: to read a request, to get its turn at
// the database, to be told of the commit. A thread of its own is let in by the
// kernel at once, because it has slept.
const spare = 2

// Main is the running program. Tests start it as main does.
type Main struct {
	Settings config.Serve
	Clock    config.Clock
	Log      io.Writer
	Hashes   int // passwords hashed at once; 0: as many as there are cores

	// Open, if set, is called once the site answers. If it fails, all stops.
	Open func(ctx context.Context, m *Main) error

	Installation *installation.Installation
	Doorman      *account.Doorman
	Files        *blob.Store
	Scanner      *scan.Clamd // nil: none, and it says so
	Mailbox      *sink.Sink  // with Dev, and no mail server
	Address      string      // where it listens

	log    *slog.Logger
	server *server
	sender *mail.SMTP // nil: letters wait
	queue  *jobs.Queue
	dir    *directory.Directory
	limits limit.Limiter
	porter *chat.Porter

	authenticators atomic.Pointer[[]web.Authenticator] // of a demo's people
}

// How long hashing may make people wait: with 64 in the line, a second or two.
const hashLine = 64

// ballast is memory that is asked for and never touched, so it exists on paper
// only. The garbage collector runs when the heap has doubled: what the program
// holds at rest is so little that it ran some fifty times a second under load,
// and a fifth of an invitation's processor time went there. With the ballast it
// runs when 32 MB have been used up. A percentage (GOGC) would do the same for a
// small practice, and take several times a large one's names in memory.
const ballast = 64 << 20

// growth is by how many percent the heap may grow before the collector runs.
// With a hundred, ten thousand open pages took twice what they hold.
const growth = 50

// upkeep is how often the program tidies up.
const upkeep = 5 * time.Minute

// Run serves until ctx ends, then finishes what was begun.
func (m *Main) Run(ctx context.Context) (err error) {
	debug.SetGCPercent(growth)
	weight := make([]byte, ballast)
	defer runtime.KeepAlive(weight)
	if err := m.Settings.Check(); err != nil {
		return err
	}
	m.log = newLog(m.Log, m.Settings.Log)
	// First, so that what cannot be served leaves no new installation behind.
	if m.server, err = newServer(nil, m.Settings.Site, m.log); err != nil {
		return err
	}
	m.Address = m.server.address()
	if err := m.open(ctx); err != nil {
		return errors.Join(err, m.server.tcp.Close(), m.close())
	}
	defer func() { err = errors.Join(err, m.close()) }()
	site := m.site()
	m.server.http.Handler, m.server.down = site.Handler(), site.Down
	m.greet(m.Log)

	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	behind, stopWork := context.WithCancel(context.WithoutCancel(ctx)) // work goes on until the last request is answered
	var work sync.WaitGroup
	work.Go(func() { m.queue.Run(behind) })
	work.Go(func() { m.tidy(behind) })
	work.Go(func() { m.keeper().Run(behind, m.anchorFailed) })
	if m.Open != nil {
		work.Go(func() {
			if err := m.Open(ctx, m); err != nil {
				stop(err)
			}
		})
	}
	err = m.server.serve(ctx)
	stopWork()
	work.Wait()
	if cause := context.Cause(ctx); err == nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	return err
}

// open opens what the site works with.
func (m *Main) open(ctx context.Context) (err error) {
	if m.Installation, err = installation.Open(ctx, m.Settings.Place, statements, m.Clock); err != nil {
		return err
	}
	if m.Files, err = m.Settings.Store(); err != nil {
		return err
	}
	if m.Scanner, err = m.Settings.Scanner(); err != nil {
		return err
	}
	d := m.Installation.DB
	m.dir, m.limits = directory.New(d), limit.Limiter{DB: d}
	m.Doorman = &account.Doorman{DB: d, Limits: m.limits, Hasher: password.NewHasher(m.Hashes, hashLine)}
	m.queue = jobs.NewQueue(d, m.jobFailed)
	account.Clerk{DB: d}.Register(m.queue)
	people.Clerk{DB: d}.Register(m.queue)
	team.Clerk{DB: d}.Register(m.queue)
	contact.Clerk{DB: d}.Register(m.queue)
	chat.Clerk{DB: d}.Register(m.queue)
	studio, err := openStudio()
	if err != nil {
		return err
	}
	m.porter = &chat.Porter{DB: d, Files: m.Files, Studio: studio, Scanner: m.Scanner, Trouble: m.noPlace}
	m.porter.Register(m.queue)
	if err := m.claim(ctx); err != nil {
		return err
	}
	if m.Settings.Dev && m.Settings.SMTP == "" {
		if m.Mailbox, err = sink.Start(sink.Options{}); err != nil {
			return fmt.Errorf("mailbox: %w", err)
		}
	}
	err = m.openMail()
	m.dir.NoMail = m.sender == nil
	return err
}

// openStudio makes the studio, which runs this program again to open HEIC.
func openStudio() (*media.Studio, error) {
	if !heic.Here {
		return media.NewStudio(), nil
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the program itself: %w", err)
	}
	return media.NewStudio(self, "open-heic"), nil
}

// claim sees to it that the files are ours. While their place does not answer,
// all but files works: none is taken in and none is swept, and it is asked again.
func (m *Main) claim(ctx context.Context) error {
	ctx, stop := context.WithTimeout(ctx, 10*time.Second)
	defer stop()
	err := m.porter.Claim(ctx)
	if errors.Is(err, blob.ErrOthers) {
		return fmt.Errorf("the files in %s belong to another installation; name a place of their own with --files, or, if that installation is gone, take away the file “installation” there", m.Files.Where())
	}
	if err != nil {
		m.log.Warn("the place of the files does not answer", "err", err)
	}
	return nil
}

// noPlace logs, once each time it begins, that files are refused.
func (m *Main) noPlace(err error) {
	m.log.Error("no file is taken in: it is not known that their place is ours", "err", err)
}

// openMail finds who carries the letters: a mail server, our own mailbox, or
// nobody yet.
func (m *Main) openMail() (err error) {
	how := m.Settings.Mail
	if m.Mailbox != nil {
		how = config.Mail{SMTP: "smtp://" + m.Mailbox.Addr(), From: "icouch@example.com", Bounces: "bounces@example.com"}
	}
	if m.sender, err = how.Sender(m.house().Host, m.Clock); err != nil || m.sender == nil {
		return err
	}
	(&letter.Courier{DB: m.Installation.DB, Mail: m.sender, House: m.house(), Bounce: how.Bounces}).Register(m.queue)
	return nil
}

// close closes what open opened, in the other order.
func (m *Main) close() (err error) {
	if m.sender != nil {
		err = m.sender.Close()
	}
	if m.Mailbox != nil {
		err = errors.Join(err, m.Mailbox.Close())
	}
	if m.Installation != nil {
		err = errors.Join(err, m.Installation.Close())
	}
	return err
}

func (m *Main) house() letter.House {
	base := m.Settings.Base()
	host := base
	if u, err := url.Parse(base); err == nil {
		host = u.Hostname()
	}
	return letter.House{Brand: m.Settings.Brand, Base: base, Host: host}
}

func (m *Main) site() *web.Site {
	support, _ := email.Parse(m.Settings.Support) // Check has read it; empty is none
	return &web.Site{
		DB: m.Installation.DB, Directory: m.dir, Doorman: m.Doorman, Limits: m.limits, Porter: m.porter, House: m.house(), Log: m.log,
		Support: support, NoMail: m.sender == nil, BounceKey: m.Settings.BounceKey, Proxies: m.Settings.Proxies(), Mailbox: m.Mailbox, Messages: m.Settings.Messages,
		Authenticators: func() []web.Authenticator {
			if all := m.authenticators.Load(); all != nil {
				return *all
			}
			return nil
		},
	}
}

// jobFailed logs an attempt that failed. Its error names ids and reasons, and
// nobody.
func (m *Main) jobFailed(kind string, attempt int64, err error) {
	m.log.Warn("job failed", "kind", kind, "attempt", attempt, "err", err)
}

// keeper notes where the trail is, elsewhere too if it is told where.
func (m *Main) keeper() *audit.Keeper {
	k := &audit.Keeper{DB: m.Installation.DB}
	for _, where := range m.Settings.Anchors {
		k.Places = append(k.Places, audit.ParsePlace(where))
	}
	return k
}

func (m *Main) anchorFailed(err error) { m.log.Error("the trail is not anchored", "err", err) }

// tidy forgets what nobody needs any more, now and then.
func (m *Main) tidy(ctx context.Context) {
	tick := time.NewTicker(upkeep)
	defer tick.Stop()
	var swept time.Time // when all files were looked through
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			m.dir.Drop()
			if now := m.Clock(); now.Sub(swept) > 24*time.Hour {
				swept = now
				if err := m.porter.SweepOrphans(ctx); err != nil && ctx.Err() == nil {
					m.log.Warn("files that nobody has are left", "err", err)
				}
			}
			if err := errors.Join(m.limits.Sweep(ctx), m.porter.Sweep(ctx), account.Sweep(ctx, m.Installation.DB), people.Clerk{DB: m.Installation.DB}.Depart(ctx), people.Clerk{DB: m.Installation.DB}.ComeOfAge(ctx), contact.Clerk{DB: m.Installation.DB}.Tell(ctx), trail.Clerk{DB: m.Installation.DB}.Tend(ctx)); err != nil && ctx.Err() == nil {
				m.log.Warn("upkeep failed", "err", err)
			}
		}
	}
}

func newLog(w io.Writer, form string) *slog.Logger {
	if form == "json" {
		return slog.New(slog.NewJSONHandler(w, nil))
	}
	return slog.New(slog.NewTextHandler(w, nil))
}

// greet says what was started, to the person who started it.
func (m *Main) greet(w io.Writer) {
	say := func(what, format string, args ...any) {
		fmt.Fprintf(w, "  %-9s %s\n", what, fmt.Sprintf(format, args...))
	}
	fmt.Fprintf(w, "%s %s\n", m.Settings.Brand, versionText())
	say("address", "%s (listening at %s)", m.Settings.Base(), m.Address)
	say("data", "%s, %s", m.Settings.Data, m.Installation.DB.Engine())
	say("files", "%s, %s", m.Files.Where(), m.scannerState())
	say("key", "%s", installation.Protects(m.Installation.Grade))
	say("letters", "%s", m.mailState())
}

func (m *Main) scannerState() string {
	if m.Scanner == nil {
		return "not scanned (--clamd)"
	}
	return "scanned by clamd at " + m.Settings.Clamd
}

func (m *Main) mailState() string {
	switch {
	case m.Mailbox != nil:
		return "to a mailbox on this machine, nowhere else: " + m.Settings.Base() + mailboxPage
	case m.sender != nil:
		return "through the mail server of --smtp, from " + m.Settings.From
	}
	return "wait, because no mail server is set up (--smtp). To hand over the link with which a practitioner signs up: icouch letters --show"
}

// mailboxPage is where the site shows the mailbox.
const mailboxPage = "/dev/mailbox"
