package bench

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// program is the real program, running.
type program struct {
	cmd    *exec.Cmd
	url    string
	trust  *tls.Config // nil: it is served without TLS
	log    *takes
	opened time.Duration // from start to first answer
}

// serve starts the program on a data folder and waits for its first answer.
func (r *run) serve(data, smtp string) (*program, error) {
	return r.launch(nil, func(base, address string) []string {
		args := serving(data, base, address)
		if smtp != "" {
			args = append(args, "--smtp", smtp)
		}
		return args
	})
}

func serving(data, base, address string) []string {
	return []string{"serve", "--data", data, "--listen", address, "--url", base, "--from", "practice@icouch.test", "--proxy", "127.0.0.1", "--messages", "1000000000"}
}

// launch starts the program's file with arguments made for an address, and
// waits for its first answer.
func (r *run) launch(trust *tls.Config, args func(base, address string) []string) (*program, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := l.Addr().String()
	l.Close()
	p := &program{url: "http://" + address, trust: trust, log: new(takes)}
	if trust != nil {
		p.url = "https://" + address
	}
	p.cmd = exec.CommandContext(r.ctx, r.Program, args(p.url, address)...) //nolint:gosec // our own file
	p.cmd.Stderr, p.cmd.Stdout = p.log, io.Discard
	p.cmd.Env = append(os.Environ(), "ICOUCH_LOG=text")
	began := r.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	door := &http.Client{Transport: &http.Transport{TLSClientConfig: trust}}
	for r.Now().Sub(began) < 20*time.Second {
		answer, err := door.Get(p.url + "/health") //nolint:noctx // bounded by the loop
		if err == nil {
			answer.Body.Close()
			p.opened = r.Now().Sub(began)
			return p, nil
		}
		time.Sleep(time.Millisecond)
	}
	p.stop()
	return nil, errors.New("the program did not answer within 20 s")
}

// takes reads the program's log: how long each answer took inside it.
type takes struct {
	mu   sync.Mutex
	rest []byte
	of   map[string][]time.Duration // by route
}

// Write takes some of the log.
func (t *takes) Write(log []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rest = append(t.rest, log...)
	for {
		line, rest, whole := bytes.Cut(t.rest, []byte("\n"))
		if !whole {
			return len(log), nil
		}
		t.note(string(line))
		t.rest = rest
	}
}

func (t *takes) note(line string) {
	_, route, ok := strings.Cut(line, `route="`)
	route, after, ok2 := strings.Cut(route, `"`)
	_, took, ok3 := strings.Cut(after, "took=")
	took, _, _ = strings.Cut(took, " ")
	d, err := time.ParseDuration(took)
	if !ok || !ok2 || !ok3 || err != nil {
		return
	}
	if t.of == nil {
		t.of = map[string][]time.Duration{}
	}
	t.of[route] = append(t.of[route], d)
}

// inside is how long the answers of a route took inside the program.
func (p *program) inside(route string) []time.Duration {
	p.log.mu.Lock()
	defer p.log.mu.Unlock()
	return slices.Clone(p.log.of[route])
}

// session is the cookie of a session.
func (p *program) session(token string) string {
	if p.trust != nil {
		return "__Host-session=" + token
	}
	return "session=" + token
}

func (p *program) stop() {
	_ = p.cmd.Process.Signal(os.Interrupt)
	_ = p.cmd.Wait()
}

// cpu is the processor time the program has used, of all its threads.
func (p *program) cpu() (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, ok := strings.Cut(string(b), ") ")
	f := strings.Fields(rest)
	if !ok || len(f) < 13 {
		return 0, errors.New("cannot read the program's processor time")
	}
	user, err1 := strconv.ParseInt(f[11], 10, 64)
	system, err2 := strconv.ParseInt(f[12], 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond, errors.Join(err1, err2) // the kernel counts in hundredths
}

// resident is how much memory the program holds, in MiB.
func (p *program) resident() (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "VmRSS:" {
			kb, err := strconv.ParseFloat(f[1], 64)
			return kb / 1024, err
		}
	}
	return 0, errors.New("cannot read the program's memory")
}

// presser is somebody with a browser: one connection for each hand, kept alive.
type presser struct {
	base, cookie string
	http         *http.Client
	pressed      atomic.Int64
}

func newPresser(base, session string) *presser {
	return &presser{base: base, cookie: session, http: &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 128, MaxConnsPerHost: 128, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       time.Minute,
	}}
}

func (p *presser) get(path string) error { return p.do("GET", path, nil, http.StatusOK) }

func (p *presser) post(path string, form url.Values, want int) error {
	return p.do("POST", path, form, want)
}

func (p *presser) do(method, path string, form url.Values, want int) error {
	q, err := http.NewRequestWithContext(context.Background(), method, p.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	if form != nil {
		q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	q.Header.Set("Sec-Fetch-Site", "same-origin")
	q.Header.Set("X-Forwarded-For", p.from()) // each press from another house: limits are not what is measured
	if p.cookie != "" {
		q.Header.Set("Cookie", "session="+p.cookie)
	}
	answer, err := p.http.Do(q)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode != want {
		return fmt.Errorf("%s answered %d, want %d", method, answer.StatusCode, want)
	}
	return nil
}

// from is an address that nobody has used before.
func (p *presser) from() string {
	n := p.pressed.Add(1)
	return fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255)
}

func (r *run) folder(name string) (string, error) {
	dir := filepath.Join(r.dir, name)
	return dir, os.MkdirAll(dir, 0o700)
}
