package e2e

import (
	"bytes"
	"context"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
)

// patience is how long a visitor waits for anything. It is for machines that
// are busy; nothing takes near as long.
const patience = 60 * time.Second

// program is "icouch serve --dev", running.
type program struct {
	base    string
	data    string // its folder
	log     *log
	secrets []string // links from letters, which must stay out of the log

	apps map[string]*app // the authenticator apps of people, by their address
}

// app is an authenticator app that knows nothing of the program.
type app struct {
	key  string
	last int64 // the half minute of the code it showed last: each works once
}

// shows is the app's next code. It waits where the next is not good yet.
func (a *app) shows(t testing.TB) string {
	t.Helper()
	a.last++
	wait(t, "the next code", func() bool { return a.last <= time.Now().Unix()/30+1 })
	a.last = max(a.last, time.Now().Unix()/30)
	code, err := totp.GenerateCode(a.key, time.Unix(a.last*30, 0))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// typing is how long a code stays good at least while it is typed and sent.
const typing = 12 // seconds

// app is the new app of a person. The first code that it shows is the oldest
// that is good for long enough, so that more can follow at once.
func (p *program) app(address, key string) *app {
	a := &app{key: strings.ReplaceAll(key, " ", ""), last: (time.Now().Unix()+typing)/30 - 2}
	p.apps[address] = a
	return a
}

// log is what the program says, while it says it.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// lines are the lines that hold words.
func (l *log) lines(words string) (found []string) {
	for line := range strings.Lines(l.String()) {
		if strings.Contains(line, words) {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return found
}

// serve starts the program, and stops it when the test is over. Its log must
// then hold no mistake of ours, nothing that a page was refused, no link and
// nobody's name. It is told more, if there is more.
func serve(t *testing.T, more ...string) *program {
	t.Helper()
	h, err := theHouse()
	if err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	p := &program{base: "http://" + address, data: t.TempDir(), log: &log{}, apps: map[string]*app{}}
	run := exec.Command(h.program, append([]string{"serve", "--dev", "--data", p.data, "--listen", address, "--support", "support@example.com"}, more...)...)
	run.Stdout, run.Stderr = p.log, p.log
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = run.Process.Signal(syscall.SIGTERM)
		if err := run.Wait(); err != nil {
			t.Errorf("the program ended with %v:\n%s", err, p.log)
		}
		p.judge(t)
	})
	wait(t, "the program to answer", func() bool {
		r, err := http.Get(p.base + "/health")
		if err != nil {
			return false
		}
		_ = r.Body.Close()
		return r.StatusCode == http.StatusOK
	})
	return p
}

// given are the addresses that programs of these tests were told to listen at.
var given sync.Map

// freeAddress is one at which nothing listens, and that no other test was given:
// between finding it and the program's listening there, it is free to all.
func freeAddress(t testing.TB) string {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", "localhost:0")
		if err != nil {
			t.Fatal(err)
		}
		address := fmt.Sprintf("localhost:%d", l.Addr().(*net.TCPAddr).Port)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if _, taken := given.LoadOrStore(address, true); !taken {
			return address
		}
	}
	t.Fatal("no address is free")
	return ""
}

// judge looks at the log, when all is over.
func (p *program) judge(t *testing.T) {
	t.Helper()
	for _, wrong := range append([]string{"level=ERROR", "page refused", "panicked"}, names...) {
		if lines := p.log.lines(wrong); lines != nil {
			t.Errorf("the log has %q:\n%s", wrong, strings.Join(lines, "\n"))
		}
	}
	for _, link := range p.secrets {
		if strings.Contains(p.log.String(), link[strings.LastIndex(link, "/")+1:]) {
			t.Error("the log has a link out of a letter")
		}
	}
}

// wait asks until it is so, and no longer than patience.
func wait(t testing.TB, what string, so func() bool) {
	t.Helper()
	last := time.NewTimer(patience)
	defer last.Stop()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for !so() {
		select {
		case <-again.C:
		case <-last.C:
			t.Fatalf("waited %s for %s", patience, what)
		}
	}
}

// fetch reads a page as nobody in particular.
func fetch(t testing.TB, address string) string {
	t.Helper()
	r, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d, %v", address, r.StatusCode, err)
	}
	return string(b)
}

var letterLine = regexp.MustCompile(`<a href="(/dev/mailbox/\d+)">[^<]*</a>\s*<p class="hint">([^<]*)</p>`)

// letters are the texts of what was mailed to an address, newest first.
func (p *program) letters(t testing.TB, to string) (all []string) {
	t.Helper()
	for _, l := range letterLine.FindAllStringSubmatch(fetch(t, p.base+"/dev/mailbox"), -1) {
		if strings.Contains(html.UnescapeString(l[2]), to) {
			all = append(all, html.UnescapeString(fetch(t, p.base+l[1])))
		}
	}
	return all
}

// link waits for the nth letter to an address that has a link of a kind, such as
// "/join/", and returns the link.
func (p *program) link(t testing.TB, to, kind string, nth int) (link string) {
	t.Helper()
	pattern := regexp.MustCompile(regexp.QuoteMeta(`href="`+p.base+kind) + `[^"]*`)
	wait(t, fmt.Sprintf("letter %d to %s with a link to %s", nth, to, kind), func() bool {
		var found []string
		for _, letter := range p.letters(t, to) {
			if l := pattern.FindString(letter); l != "" {
				found = append(found, strings.TrimPrefix(l, `href="`))
			}
		}
		if len(found) < nth {
			return false
		}
		link = found[len(found)-nth]
		return true
	})
	p.secrets = append(p.secrets, link)
	return link
}

// hand fills in forms without a browser, for what a test needs to be there
// before its journey begins.
type hand struct {
	t    testing.TB
	site *program
	http *http.Client
}

func (p *program) hand(t testing.TB) *hand {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &hand{t, p, &http.Client{Jar: jar, CheckRedirect: noRedirect}}
}

func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// contains reports whether a page has words, whatever stands for them in it.
func contains(page, words string) bool { return strings.Contains(html.UnescapeString(page), words) }

// post sends a form that must succeed, and returns where it led.
func (h *hand) post(path string, fields ...string) string {
	h.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.site.base+strings.TrimPrefix(path, h.site.base), strings.NewReader(form.Encode()))
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := h.http.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusSeeOther {
		body, _ := io.ReadAll(answer.Body)
		h.t.Fatalf("POST %s: %d\n%s", path, answer.StatusCode, body)
	}
	return answer.Header.Get("Location")
}

func (h *hand) get(path string) string {
	h.t.Helper()
	r, err := h.http.Get(h.site.base + path)
	if err != nil {
		h.t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		h.t.Fatalf("GET %s: %d, %v", path, r.StatusCode, err)
	}
	return string(b)
}

// The people of these tests. All are invented.
const (
	mira, miraName = "mira@practice.example", "Mira Holloway"
	ines, inesName = "ines@nextdoor.example", "Ines Calder"
	riverside      = "Riverside Counseling"
	harbor         = "Harbor House"
	annie          = "annie.noda@example.com"
	vince          = "vince.gill@example.com"
	david          = "david@example.com"
	newYork        = "America/New_York"
	miraSecret     = "seven herons over the mill pond"
	inesSecret     = "a lantern in the old boathouse"
	annieSecret    = "purple kettle sings at daybreak"
	vinceSecret    = "gravel paths and morning thunder"
	anotherSecret  = "the tide went out past the piers"
	tooShort       = "short"
)

// inDays is the day so many days from today, where the practices of these tests
// are: there it may still be yesterday.
func inDays(n int) string {
	zone, err := time.LoadLocation(newYork)
	if err != nil {
		panic(err)
	}
	return time.Now().In(zone).AddDate(0, 0, n).Format(time.DateOnly)
}

// names must be in no title and no log.
var names = []string{"Annie", "Noda", "Vince", "Gill", "David", "Rashida", "Mira", "Holloway", "Ines", "Calder", "Riverside", "Harbor House", "@example.com", "@practice.example"}

// found makes a practice, and returns the hand of whoever runs it.
func (p *program) found(t testing.TB, name, address, secret, practice string) *hand {
	t.Helper()
	h := p.hand(t)
	h.post("/sign-up", "name", name, "email", address)
	h.post(p.link(t, address, "/confirm/", 1), "password", secret)
	h.post("/practice/new", "practice", practice, "zone", newYork)
	h.arm(address)
	h.post("/welcome", "zone", newYork)
	return h
}

// arm sets an authenticator up.
func (h *hand) arm(address string) {
	h.t.Helper()
	page := h.get("/settings/authenticator")
	key, offer := keyText.FindStringSubmatch(page), offerField.FindStringSubmatch(page)
	if key == nil || offer == nil {
		h.t.Fatal("no authenticator is offered")
	}
	h.post("/settings/authenticator", "offer", offer[1], "code", h.site.app(address, key[1]).early(h.t))
}

var (
	keyText    = regexp.MustCompile(`id="key"[^>]*>([A-Z2-7 ]+)<`)
	offerField = regexp.MustCompile(`name="offer" value="([^"]+)"`)
)

// early is the app's first code, which is taken.
func (a *app) early(t testing.TB) string {
	t.Helper()
	a.last++
	code, err := totp.GenerateCode(a.key, time.Unix(a.last*30, 0))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

var formID = regexp.MustCompile(`name="id" value="([0-9a-f-]{36})"`)

// client adds one, and invites them if they have an address and invite says so.
func (h *hand) client(first, last, address string, invite bool) (path string) {
	h.t.Helper()
	id := formID.FindStringSubmatch(h.get("/people/new"))
	if id == nil {
		h.t.Fatal("the form for a new client has no identifier")
	}
	fields := []string{"id", id[1], "first", first, "last", last, "email", address, "consent", "yes"}
	if invite {
		fields = append(fields, "invite", "yes")
	}
	h.post("/people", fields...)
	return "/people/" + id[1]
}

// accept has the client of a link choose a password and a time zone.
func (p *program) accept(t testing.TB, link, secret string) {
	t.Helper()
	h := p.hand(t)
	h.post(link, "password", secret)
	h.post("/welcome", "zone", newYork)
}
