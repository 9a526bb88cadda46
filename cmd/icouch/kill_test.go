package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/civil"
	"icouch/internal/base/email"
	"icouch/internal/base/id"
	"icouch/internal/cli"
	"icouch/internal/people"
	"icouch/internal/platform/config"
	"icouch/internal/platform/db"
	"icouch/internal/platform/installation"
	"icouch/internal/platform/mail/sink"
)

// The program may be killed at any moment, as by a power cut. Whatever it said
// was done is done when it comes back: every client there, every invitation's
// letter on its way, and the same letter if it goes twice.

var kills = flag.Int("kills", 10, "how often the program is killed")

// driving, in the environment, makes this test binary the program, with hands
// that create and invite clients all the time and say what was acknowledged.
const driving = "ICOUCH_TEST_DRIVE"

// hands is how many create clients at once.
const hands = 8

// drive is the program under its driver. It ends only by being killed.
func drive(dir string) int {
	s := config.Serve{Place: config.Place{Data: dir}, Site: config.Site{Brand: "iCouch", Listen: os.Getenv("ICOUCH_TEST_LISTEN")},
		Mail: config.Mail{SMTP: os.Getenv("ICOUCH_TEST_SMTP"), From: "icouch@example.com"}}
	m := &Main{Settings: s, Clock: time.Now, Log: os.Stderr, Open: func(ctx context.Context, m *Main) error {
		by, err := driver(ctx, m.Installation.DB)
		if err != nil {
			return err
		}
		fmt.Println("ready")
		var all sync.WaitGroup
		for range hands {
			all.Go(func() {
				for ctx.Err() == nil {
					c := id.New[id.Client](time.Now())
					if err := create(ctx, m.Installation.DB, by, c); err != nil {
						fmt.Fprintln(os.Stderr, "create:", err)
						os.Exit(1)
					}
					fmt.Println("created", c) // one write: whole, or not at all
				}
			})
		}
		all.Wait()
		return ctx.Err()
	}}
	if err := m.Run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// driver is the practice's owner, made at the first start.
func driver(ctx context.Context, d *db.DB) (by access.Actor, err error) {
	address, err := email.Parse("driver@example.com")
	if err != nil {
		return by, err
	}
	err = d.Update(ctx, func(tx *db.Tx) error {
		who, err := account.Make(tx, access.Operator(), account.New{Name: "Mara Lindqvist", Email: address, Password: "x", Verified: true})
		if err != nil {
			return err
		}
		by, err = people.Found(tx, access.AsPerson(who), "The Practice of Mara", "America/New_York")
		return err
	})
	if err == nil || err != account.ErrTaken {
		return by, err
	}
	err = d.View(ctx, func(tx *db.Tx) error {
		a, err := account.ByEmail(tx, access.Operator(), address)
		if err != nil {
			return err
		}
		home, err := people.Home(tx, access.AsPerson(a.ID))
		if err != nil {
			return err
		}
		by, err = people.Enter(tx, account.Session{Account: a.ID, Practice: home.Practice, Strong: true})
		return err
	})
	return by, err
}

func create(ctx context.Context, d *db.DB, by access.Actor, c id.Client) error {
	return d.Update(ctx, func(tx *db.Tx) error {
		draft := people.Draft{First: "Client", Last: c.String()[24:], Email: c.String() + "@example.com", EmailConsent: true}
		is, err := draft.Read(civil.DateOf(tx.Now().Time, civil.Zone{}))
		if err != nil {
			return err
		}
		return people.Create(tx, by, c, is, true)
	})
}

func TestAKilledProgramLosesNothingItSaidWasDone(t *testing.T) {
	t.Parallel()
	dir, box := t.TempDir(), mailbox(t)
	acknowledged := map[string]bool{}
	var slowest, sum time.Duration
	for range *kills {
		created := driveAndKill(t, dir, box)
		for _, c := range created {
			acknowledged[c] = true
		}
		took := restart(t, dir, box)
		slowest, sum = max(slowest, took), sum+took
		if took > 2*time.Second {
			t.Errorf("it took %v to come back", took)
		}
	}
	if len(acknowledged) < *kills {
		t.Fatalf("only %d clients were acknowledged in %d kills: this shows nothing", len(acknowledged), *kills)
	}
	carryTheRest(t, dir, box)
	clients := lookAfter(t, dir, acknowledged)
	letters, twice := lettersOf(t, box, acknowledged)
	t.Logf("%d kills: %d clients acknowledged, %d there, %d letters for them, %d of which came again; back after %v on average, %v at most",
		*kills, len(acknowledged), clients, letters, twice, (sum / time.Duration(*kills)).Round(time.Millisecond), slowest.Round(time.Millisecond))
}

func mailbox(t *testing.T) *sink.Sink {
	t.Helper()
	box, err := sink.Start(sink.Options{Keep: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { box.Close() })
	return box
}

// driveAndKill runs the program under its driver and kills it at some moment
// after it has begun. It returns the clients it said it had created.
func driveAndKill(t *testing.T, dir string, box *sink.Sink) (created []string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), driving+"="+dir, "ICOUCH_TEST_LISTEN="+freePort(t), "ICOUCH_TEST_SMTP=smtp://"+box.Addr())
	var log strings.Builder
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	after := rand.IntN(60) // a kill may come in the first commits or later
	killed := false
	kill := func() {
		killed = true
		time.AfterFunc(rand.N(20*time.Millisecond), func() { _ = cmd.Process.Signal(syscall.SIGKILL) })
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if c, ok := strings.CutPrefix(lines.Text(), "created "); ok && len(c) == 36 {
			created = append(created, c)
		}
		if len(created) >= after && !killed {
			kill()
		}
	}
	_ = cmd.Wait()
	if !killed {
		t.Fatalf("the driver ended by itself:\n%s", log.String())
	}
	return created
}

// restart starts the shipped program on what is left, waits until it answers,
// and kills it, too. It returns how long the answer took.
func restart(t *testing.T, dir string, box *sink.Sink) time.Duration {
	t.Helper()
	cmd, address := shipped(t, dir, box)
	began := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	took := answers(t, address, began)
	time.Sleep(rand.N(30 * time.Millisecond)) // letters are on their way now
	_ = cmd.Process.Signal(syscall.SIGKILL)
	_ = cmd.Wait()
	return took
}

func shipped(t *testing.T, dir string, box *sink.Sink) (cmd *exec.Cmd, address string) {
	t.Helper()
	file, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	address = freePort(t)
	cmd = exec.Command(file, "serve", "--data", dir, "--listen", address, "--smtp", "smtp://"+box.Addr(), "--from", "icouch@example.com")
	return cmd, address
}

// answers waits for the first answer, whatever it is.
func answers(t *testing.T, address string, began time.Time) time.Duration {
	t.Helper()
	for time.Since(began) < 20*time.Second {
		if _, err := get("http://" + address + "/"); err == nil {
			return time.Since(began)
		}
		time.Sleep(2 * time.Millisecond)
	}
	t.Fatal("the program did not come back")
	return 0
}

// carryTheRest lets the program run until no letter waits.
func carryTheRest(t *testing.T, dir string, box *sink.Sink) {
	t.Helper()
	// A job that was claimed by a killed program is free again when its lease ends; the clock here is past that.
	s := config.Serve{Place: config.Place{Data: dir}, Site: config.Site{Brand: "iCouch", Listen: freePort(t)},
		Mail: config.Mail{SMTP: "smtp://" + box.Addr(), From: "icouch@example.com"}}
	later := func() time.Time { return time.Now().Add(time.Hour) }
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	m := &Main{Settings: s, Clock: later, Log: new(safeBuffer), Open: func(ctx context.Context, m *Main) error {
		defer stop()
		for ctx.Err() == nil {
			var waiting int
			err := m.Installation.DB.Row(ctx, "SELECT (SELECT COUNT(*) FROM job) + (SELECT COUNT(*) FROM letter WHERE state IN ('queued', 'delayed'))", nil, &waiting)
			if err != nil || waiting == 0 {
				return err
			}
			time.Sleep(10 * time.Millisecond)
		}
		return ctx.Err()
	}}
	if err := m.Run(ctx); err != nil {
		t.Fatal(err)
	}
}

// lookAfter checks what is on the disk: whole, with its trail, and every
// acknowledged client.
func lookAfter(t *testing.T, dir string, acknowledged map[string]bool) (clients int) {
	t.Helper()
	p := config.Place{Data: dir}
	i, err := installation.Open(t.Context(), p, statements, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if err := i.DB.Intact(t.Context()); err != nil {
		t.Error(err)
	}
	if err := i.DB.Row(t.Context(), "SELECT COUNT(*) FROM client", nil, &clients); err != nil {
		t.Fatal(err)
	}
	by, err := driver(t.Context(), i.DB)
	if err != nil {
		t.Fatal(err)
	}
	for c := range acknowledged {
		err := i.DB.View(t.Context(), func(tx *db.Tx) error {
			_, err := people.Find(tx, by, id.Client(c))
			return err
		})
		if err != nil {
			t.Errorf("client %s was acknowledged and is not there: %v", c, err)
		}
	}
	if err := i.Close(); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	o := &cli.Office{SQL: statements, Clock: time.Now, Out: &out}
	if err := (&cli.VerifyTrail{Place: p}).Run(t.Context(), o); err != nil {
		t.Errorf("%v\n%s", err, out.String())
	}
	return clients
}

// lettersOf checks that each acknowledged client was written to, and that what
// came twice is the same letter.
func lettersOf(t *testing.T, box *sink.Sink, acknowledged map[string]bool) (letters, twice int) {
	t.Helper()
	ids, links := map[string]map[string]bool{}, map[string]map[string]bool{}
	count := map[string]int{}
	for _, m := range box.Messages() {
		to, _, _ := strings.Cut(m.Recipients[0], "@")
		if ids[to] == nil {
			ids[to], links[to] = map[string]bool{}, map[string]bool{}
		}
		ids[to][m.Header.Get("Message-ID")] = true
		_, link, _ := strings.Cut(m.Text, "/join/")
		links[to][strings.Fields(link)[0]] = true
		count[to]++
	}
	for c := range acknowledged {
		switch {
		case count[c] == 0:
			t.Errorf("the invitation of %s was acknowledged and its letter never came", c)
		case len(ids[c]) != 1 || len(links[c]) != 1:
			t.Errorf("%s got %d different letters with %d different links", c, len(ids[c]), len(links[c]))
		case count[c] > 1:
			twice++
		}
		letters += count[c]
	}
	return letters, twice
}
