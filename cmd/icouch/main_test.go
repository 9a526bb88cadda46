package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"icouch/internal/platform/config"
)

// binary is the program as it is shipped, built once for those who need it.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "icouch-*")
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "icouch")
	out, err := exec.Command("go", "build", "-buildvcs=false", "-o", file, ".").CombinedOutput()
	if err != nil {
		return "", errors.New(string(out))
	}
	return file, nil
})

func TestMain(m *testing.M) {
	status := m.Run()
	if file, err := binary(); err == nil {
		os.RemoveAll(filepath.Dir(file))
	}
	os.Exit(status)
}

// freePort is an address nobody listens at.
func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// start runs the program in this process and returns when it answers.
func start(t *testing.T, s config.Serve) (m *Main, log *safeBuffer, stop func() error) {
	t.Helper()
	s.Brand, s.Listen = "iCouch", freePort(t)
	ctx, cancel := context.WithCancel(t.Context())
	opened, ended := make(chan struct{}), make(chan error, 1)
	log = new(safeBuffer)
	m = &Main{Settings: s, Clock: time.Now, Log: log, Open: func(context.Context, *Main) error { close(opened); return nil }}
	go func() { ended <- m.Run(ctx) }()
	stop = sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() { _ = stop() })
	select {
	case <-opened:
	case err := <-ended:
		ended <- err
		t.Fatalf("did not start: %v", err)
	}
	return m, log, stop
}

// safeBuffer is written to by the program while the test reads it.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func get(url string) (status int, err error) {
	resp, err := http.Get(url)
	if err != nil {
		return 0, err
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, resp.Body.Close()
}

func TestTheProgramServesAndStopsWhenTold(t *testing.T) {
	t.Parallel()
	m, log, stop := start(t, config.Serve{Place: config.Place{Data: filepath.Join(t.TempDir(), "new")}})
	if _, err := get(m.Settings.Base() + "/"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{m.Settings.Base(), "SQLite", "grade C", "no mail server is set up"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the start does not say %q:\n%s", want, log)
		}
	}
	if err := stop(); err != nil {
		t.Errorf("it stopped with %v", err)
	}
	if _, err := get(m.Settings.Base() + "/"); err == nil {
		t.Error("it answers after it has stopped")
	}
}

func TestForTryingOutLettersGoToTheMailbox(t *testing.T) {
	t.Parallel()
	m, log, _ := start(t, config.Serve{Place: config.Place{Data: t.TempDir()}, Dev: true})
	if m.Mailbox == nil || m.sender == nil {
		t.Fatal("there is no mailbox")
	}
	if !strings.Contains(log.String(), mailboxPage) {
		t.Errorf("the start does not say where the mailbox is:\n%s", log)
	}
	if err := m.sender.Check(t.Context()); err != nil {
		t.Errorf("the mailbox takes no letters: %v", err)
	}
}

func TestTheSecondProgramInADirectoryIsTurnedAway(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	start(t, config.Serve{Place: config.Place{Data: dir}})
	err := (&Main{Settings: config.Serve{Place: config.Place{Data: dir}, Site: config.Site{Brand: "iCouch", Listen: freePort(t)}}, Clock: time.Now, Log: io.Discard}).Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "another icouch is at work") {
		t.Errorf("got %v", err)
	}
}

func TestAnotherInstallationsFilesAreLeftAlone(t *testing.T) {
	t.Parallel()
	files := filepath.Join(t.TempDir(), "files")
	one := config.Serve{Place: config.Place{Data: t.TempDir(), Files: files}}
	_, _, stop := start(t, one)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	other := &Main{Settings: config.Serve{Place: config.Place{Data: t.TempDir(), Files: files}, Site: config.Site{Brand: "iCouch", Listen: freePort(t)}}, Clock: time.Now, Log: io.Discard,
		Open: func(context.Context, *Main) error { return errors.New("it may start") }}
	err := other.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "belong to another installation") {
		t.Errorf("another is told %v", err)
	}
	start(t, one) // and whose they are, it goes on
}

// All but files works, and it is logged once that they do not.
func TestItServesWhileThePlaceOfTheFilesIsAway(t *testing.T) {
	t.Parallel()
	nobody := config.Place{Data: t.TempDir(), Files: "s3+http://" + freePort(t) + "/bucket", FilesKey: "key", FilesSecret: "secret"}
	m, log, _ := start(t, config.Serve{Place: nobody})
	if _, err := get(m.Settings.Base() + "/"); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := m.porter.Sweep(t.Context()); err != nil {
			t.Error(err)
		}
	}
	for _, want := range []string{"the place of the files does not answer", "no file is taken in"} {
		if n := strings.Count(log.String(), want); n != 1 {
			t.Errorf("%q is logged %d times:\n%s", want, n, log)
		}
	}
}

// show runs the demo until it has said how to get in.
func show(t *testing.T, d *demo) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := new(safeBuffer)
	ready := writerFunc(func(p []byte) (int, error) {
		if n, err := out.Write(p); err != nil || !bytes.Contains(p, []byte("invented")) {
			return n, err
		}
		cancel() // the last line has been said
		return len(p), nil
	})
	if err := d.Run(ctx, config.IO{Out: ready, Err: io.Discard}); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestTheDemoIsReadyAndStillThereNextTime(t *testing.T) {
	t.Parallel()
	d := &demo{Data: filepath.Join(t.TempDir(), "demo"), Listen: freePort(t)}
	said := [2]string{show(t, d), show(t, d)}
	for _, want := range []string{"Riverside Counseling", "demo@example.com", "vince.gill@example.com", "/mailbox"} {
		if !strings.Contains(said[0], want) {
			t.Errorf("the demo does not say %q:\n%s", want, said[0])
		}
	}
	if said[0] != said[1] {
		t.Errorf("the second start says other things:\n%s\n%s", said[0], said[1])
	}
}

func TestTheDemoStartsAlthoughItsSignInWasChanged(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]string{
		"e-mail":   "UPDATE account SET email_index = randomblob(32)",
		"password": "UPDATE account SET password = substr(password, 1, length(password) - 10) || 'AAAAAAAAAA'",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := &demo{Data: filepath.Join(t.TempDir(), "demo"), Listen: freePort(t)}
			show(t, d)
			db, err := sql.Open("sqlite", filepath.Join(d.Data, "icouch.db"))
			if err != nil {
				t.Fatal(err)
			}
			_, err = db.ExecContext(t.Context(), change)
			if err := errors.Join(err, db.Close()); err != nil {
				t.Fatal(err)
			}
			said := show(t, d)
			if !strings.Contains(said, "As the practitioner   You changed the e-mail or the password of the demo") || strings.Contains(said, "demo@example.com") {
				t.Errorf("it says\n%s", said)
			}
		})
	}
}

func TestWhatCannotBeServedLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	data := filepath.Join(t.TempDir(), "new")
	for says, args := range map[string][]string{
		"something else listens":                 {"serve", "--data", data, "--listen", taken.Addr().String()},
		"icouch: --smtp must begin with smtp://": {"serve", "--data", data, "--listen", freePort(t), "--smtp", "http://mail.example.org"},
	} {
		var out, log bytes.Buffer
		if status := run(args, &out, &log); status != 1 || !strings.Contains(log.String(), says) {
			t.Errorf("%v: %d %q", args, status, log.String())
		}
	}
	if _, err := os.Stat(data); err == nil {
		t.Error("there is a data directory now")
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestVersionAndMistakesOnTheCommandLine(t *testing.T) {
	t.Parallel()
	var out, log bytes.Buffer
	if status := run([]string{"version"}, &out, &log); status != 0 || !strings.HasPrefix(out.String(), "icouch ") {
		t.Errorf("version: %d %q %q", status, out.String(), log.String())
	}
	if status := run([]string{"serve", "--url", "http://couch.example.org"}, &out, &log); status != 1 || !strings.Contains(log.String(), "--url must begin with https://") {
		t.Errorf("a wrong address: %d %q", status, log.String())
	}
	if status := run([]string{"sing"}, &out, &log); status != 1 {
		t.Errorf("an unknown command: %d", status)
	}
}

func TestARequestUnderWayIsAnsweredBeforeTheProgramStops(t *testing.T) {
	t.Parallel()
	asked, told := make(chan struct{}), make(chan struct{})
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(asked)
		<-told
		io.WriteString(w, "here you are")
	})
	address := freePort(t)
	s, err := newServer(h, config.Site{Listen: address}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.serve(ctx) }()
	answer := make(chan string, 1)
	go func() {
		resp, err := http.Get("http://" + address)
		if err != nil {
			answer <- err.Error()
			return
		}
		defer resp.Body.Close()
		b, _ := io.ReadAll(resp.Body)
		answer <- string(b)
	}()
	<-asked
	stop()
	select {
	case err := <-ended:
		t.Fatalf("it stopped while somebody waited: %v", err)
	default:
	}
	close(told)
	if got := <-answer; got != "here you are" {
		t.Errorf("the last visitor got %q", got)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// certify writes a certificate and its key, as an operator does.
func certify(t *testing.T, cert, key string) {
	t.Helper()
	pub, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	of := x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"}}
	der, err := x509.CreateCertificate(rand.Reader, &of, &of, pub, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600),
		os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs}), 0o600))
	if err != nil {
		t.Fatal(err)
	}
}

func TestACertificateIsReadAgainAndKeptIfTheNewOneIsBroken(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	certify(t, cert, key)
	m, _, _ := start(t, config.Serve{Place: config.Place{Data: filepath.Join(dir, "data")}, Site: config.Site{TLSCert: cert, TLSKey: key}})
	shown := func() []byte {
		conn, err := tls.Dial("tcp", m.Settings.Listen, &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].Raw
	}
	if _, err := tls.Dial("tcp", m.Settings.Listen, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11}); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
	first := shown()
	certify(t, cert, key)
	if err := m.server.cert.read(); err != nil {
		t.Fatal(err)
	}
	second := shown()
	if bytes.Equal(first, second) {
		t.Error("the old certificate is still shown")
	}
	if err := os.WriteFile(cert, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := m.server.cert.read(); err == nil || !bytes.Equal(shown(), second) {
		t.Errorf("a broken certificate was taken: %v", err)
	}
}
