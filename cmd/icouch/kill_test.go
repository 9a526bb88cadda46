package main

import (
	"flag"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
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
// letter on its way, and the same letter if it goes twice. Whoever was signed
// in still is.

var kills = flag.Int("kills", 10, "how often the program is killed")

// hands is how many create clients at once.
const hands = 8

func TestAKilledProgramLosesNothingItSaidWasDone(t *testing.T) {
	t.Parallel()
	k := &killed{dir: t.TempDir(), box: mailbox(t), acknowledged: map[string]bool{}}
	k.found(t)
	var slowest, sum time.Duration
	for range *kills {
		took := k.round(t)
		slowest, sum = max(slowest, took), sum+took
	}
	average := sum / time.Duration(*kills)
	if average > 2*time.Second { // one may be slow because the machine is busy
		t.Errorf("it took %v on average to come back, %v at most", average, slowest)
	}
	if len(k.acknowledged) < *kills {
		t.Fatalf("only %d clients were acknowledged in %d kills: this shows nothing", len(k.acknowledged), *kills)
	}
	k.carryTheRest(t)
	clients := k.lookAfter(t)
	letters, twice := k.letters(t)
	t.Logf("%d kills: %d clients acknowledged, %d there, %d letters for them, %d of which came again; back after %v on average, %v at most",
		*kills, len(k.acknowledged), clients, letters, twice, average.Round(time.Millisecond), slowest.Round(time.Millisecond))
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

// killed is a program that is killed again and again, and what it said.
type killed struct {
	dir     string
	box     *sink.Sink
	owner   access.Actor
	session string // the cookie of the owner, good for all rounds

	killing      atomic.Bool // this round is over
	mu           sync.Mutex
	acknowledged map[string]bool
}

const ownerAddress = "mara@example.com"

// found makes a practice with an owner who has signed in, with a second step.
func (k *killed) found(t *testing.T) {
	t.Helper()
	i, err := installation.Open(t.Context(), config.Place{Data: k.dir}, statements, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	address, err := email.Parse(ownerAddress)
	if err != nil {
		t.Fatal(err)
	}
	err = i.DB.Update(t.Context(), func(tx *db.Tx) error {
		who, err := account.Make(tx, access.Operator(), account.New{Name: "Mara Lindqvist", Email: address, Password: "x", Verified: true})
		if err != nil {
			return err
		}
		if k.owner, err = people.Found(tx, access.AsPerson(who), "The Practice of Mara", "America/New_York"); err != nil {
			return err
		}
		token, err := account.Begin(tx, k.owner, who, account.Entry{Place: account.Place{Practice: k.owner.Practice()}, Terms: account.Longest, Strong: true})
		k.session = token.Reveal()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := i.Close(); err != nil {
		t.Fatal(err)
	}
}

// round has clients created and invited by many hands at once, and kills the
// program at some moment. It returns how long the first answer took.
func (k *killed) round(t *testing.T) (took time.Duration) {
	t.Helper()
	k.killing.Store(false)
	base, took, log, kill := k.start(t)
	defer kill()
	enough := make(chan struct{})
	work := k.work(t, base, rand.IntN(60), enough) // a kill may come in the first commits or later
	<-enough
	time.AfterFunc(rand.N(20*time.Millisecond), func() {
		k.killing.Store(true)
		kill()
	})
	work.Wait() // each hand ends when nobody answers any more
	if t.Failed() {
		t.Fatalf("the program said:\n%s", log)
	}
	return took
}

// start starts the shipped program on what is left, and returns when it has
// answered for the first time.
func (k *killed) start(t *testing.T) (base string, took time.Duration, log *safeBuffer, kill func()) {
	t.Helper()
	file, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	address := freePort(t)
	cmd := exec.Command(file, "serve", "--data", k.dir, "--listen", address, "--smtp", "smtp://"+k.box.Addr(), "--from", "icouch@example.com", "--messages", "1000000")
	listens, log := make(chan struct{}), new(safeBuffer)
	heard := sync.OnceFunc(func() { close(listens) })
	cmd.Stderr = writerFunc(func(p []byte) (int, error) {
		n, err := log.Write(p)
		if strings.Contains(log.String(), "(listening at "+address+")") {
			heard()
		}
		return n, err
	})
	began := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	kill = func() { _ = cmd.Process.Signal(syscall.SIGKILL); <-ended }
	t.Cleanup(kill)
	select {
	case <-listens:
	case <-ended:
		t.Fatalf("the program did not start:\n%s", log)
	}
	base = "http://" + address
	if _, err := get(base + "/"); err != nil {
		t.Fatalf("the program does not answer: %v\n%s", err, log)
	}
	return base, time.Since(began), log, kill
}

// browser sends what a form sends and follows nothing.
func browser() *http.Client {
	return &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: hands},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func (k *killed) post(b *http.Client, to string, form url.Values) (*http.Response, error) {
	r, err := http.NewRequest(http.MethodPost, to, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if k.session != "" {
		r.AddCookie(&http.Cookie{Name: "session", Value: k.session})
	}
	resp, err := b.Do(r)
	if err != nil {
		return nil, err
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp, resp.Body.Close()
}

// work has hands create and invite clients until nobody answers. It closes
// enough when so many were acknowledged, or when something is wrong.
func (k *killed) work(t *testing.T, base string, after int, enough chan struct{}) *sync.WaitGroup {
	t.Helper()
	said := sync.OnceFunc(func() { close(enough) })
	if after == 0 {
		said()
	}
	b, all, created := browser(), new(sync.WaitGroup), 0
	for range hands {
		all.Go(func() {
			for {
				c := id.New[id.Client](time.Now()).String()
				resp, err := k.post(b, base+"/people", url.Values{"id": {c}, "first": {"Client"}, "last": {c[24:]}, "email": {c + "@example.com"}, "consent": {"yes"}, "invite": {"yes"}})
				if err != nil { // nobody there any more
					if !k.killing.Load() {
						t.Errorf("it did not live until it was killed: %v", err)
					}
					said()
					return
				}
				if to := resp.Header.Get("Location"); resp.StatusCode != http.StatusSeeOther || to != "/people/"+c+"?said=invited" {
					t.Errorf("a client was answered with %d, on to %q", resp.StatusCode, to)
					said()
					return
				}
				k.mu.Lock()
				k.acknowledged[c] = true
				if created++; created >= after {
					said()
				}
				k.mu.Unlock()
			}
		})
	}
	return all
}

// carryTheRest has every letter carried that waits. A job that was claimed by a
// killed program is free again when its lease ends; the clock here is past that.
func (k *killed) carryTheRest(t *testing.T) {
	t.Helper()
	m := &Main{Clock: func() time.Time { return time.Now().Add(time.Hour) }, Settings: config.Serve{Place: config.Place{Data: k.dir},
		Site: config.Site{Brand: "iCouch", Listen: freePort(t)}, Mail: config.Mail{SMTP: "smtp://" + k.box.Addr(), From: "icouch@example.com"}}}
	m.log = newLog(new(safeBuffer), m.Settings.Log)
	if err := m.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := m.queue.RunDue(t.Context()); err != nil {
		t.Error(err)
	}
	var waiting int
	err := m.Installation.DB.Row(t.Context(), "SELECT (SELECT COUNT(*) FROM job) + (SELECT COUNT(*) FROM letter WHERE state IN ('queued', 'delayed'))", nil, &waiting)
	if err != nil || waiting > 0 {
		t.Errorf("%d letters and jobs still wait (%v)", waiting, err)
	}
	if err := m.close(); err != nil {
		t.Fatal(err)
	}
}

// lookAfter checks what is on the disk: whole, with its trail, and every
// acknowledged client.
func (k *killed) lookAfter(t *testing.T) (clients int) {
	t.Helper()
	p := config.Place{Data: k.dir}
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
	for c := range k.acknowledged {
		err := i.DB.View(t.Context(), func(tx *db.Tx) error {
			_, err := people.Find(tx, k.owner, id.Client(c))
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

// letters checks that each acknowledged client was written to, and that what
// came twice is the same letter.
func (k *killed) letters(t *testing.T) (letters, twice int) {
	t.Helper()
	ids, links := map[string]map[string]bool{}, map[string]map[string]bool{}
	count := map[string]int{}
	for _, m := range k.box.Messages() {
		to, _, _ := strings.Cut(m.Recipients[0], "@")
		if ids[to] == nil {
			ids[to], links[to] = map[string]bool{}, map[string]bool{}
		}
		ids[to][m.Header.Get("Message-ID")] = true
		_, link, _ := strings.Cut(m.Text, "/join/")
		links[to][strings.Fields(link)[0]] = true
		count[to]++
	}
	for c := range k.acknowledged {
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
