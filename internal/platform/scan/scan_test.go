package scan_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"icouch/internal/platform/scan"
)

// eicar is what every scanner finds and nobody is harmed by. It is put together
// here so that no scanner finds this file.
const eicar = `X5O!P%@AP[4\PZX54(P^)7CC)7}$` + `EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*`

// clamd speaks as the real one does (clamd(8)): commands after z end in a nought,
// as do answers; a stream is pieces with their lengths, up to a limit.
type clamd struct {
	limit int
	mute  bool // takes everything, says nothing
}

func (c clamd) start(t *testing.T, network string) string {
	t.Helper()
	at := "127.0.0.1:0"
	if network == "unix" {
		at = filepath.Join(t.TempDir(), "clamd.ctl")
	}
	l, err := net.Listen(network, at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go c.talk(conn)
		}
	}()
	return l.Addr().String()
}

func (c clamd) talk(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	command, err := in.ReadString(0)
	if err != nil {
		return
	}
	if c.mute {
		_, _ = io.Copy(io.Discard, in)
		return
	}
	switch command {
	case "zVERSION\x00":
		_, _ = io.WriteString(conn, "ClamAV 1.4.3/27000/Sat Mar 14 09:00:00 2026\x00")
	case "zINSTREAM\x00":
		_, _ = io.WriteString(conn, c.stream(in)+"\x00")
	default:
		_, _ = io.WriteString(conn, "UNKNOWN COMMAND\x00")
	}
}

func (c clamd) stream(in io.Reader) string {
	var all bytes.Buffer
	for {
		var size uint32
		if err := binary.Read(in, binary.BigEndian, &size); err != nil {
			return "stream: Can't read"
		}
		if size == 0 {
			break
		}
		if all.Len()+int(size) > c.limit {
			return "INSTREAM size limit exceeded. ERROR"
		}
		if _, err := io.CopyN(&all, in, int64(size)); err != nil {
			return "stream: Can't read"
		}
	}
	if bytes.Contains(all.Bytes(), []byte(eicar)) {
		return "stream: Eicar-Test-Signature FOUND"
	}
	return "stream: OK"
}

func scanner(t *testing.T, where string) *scan.Clamd {
	t.Helper()
	s, err := scan.New(where)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// everywhere runs a test with a server of ours, over both sorts of sockets, and
// with the real one if CLAMDTEST says where it listens.
func everywhere(t *testing.T, test func(t *testing.T, s *scan.Clamd)) {
	t.Helper()
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			test(t, scanner(t, clamd{limit: 8 << 20}.start(t, network)))
		})
	}
	if where := os.Getenv("CLAMDTEST"); where != "" {
		t.Run("real", func(t *testing.T) { test(t, scanner(t, where)) })
	}
}

func TestWhatIsHarmfulIsFound(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, s *scan.Clamd) {
		if v, err := s.Scan(t.Context(), strings.NewReader(eicar)); err != nil || v.State != scan.Infected || !strings.Contains(strings.ToLower(v.Found), "eicar") {
			t.Errorf("EICAR's file: %+v, %v", v, err)
		}
		for what, content := range map[string]string{"nothing": "", "a word": "hello", "a megabyte": strings.Repeat("calm ", 200_000), "one piece": strings.Repeat("c", 64<<10)} {
			if v, err := s.Scan(t.Context(), strings.NewReader(content)); err != nil || v != (scan.Verdict{State: scan.Clean}) {
				t.Errorf("%s: %+v, %v", what, v, err)
			}
		}
		if version, err := s.Check(t.Context()); err != nil || !strings.HasPrefix(version, "ClamAV ") {
			t.Errorf("version %q, %v", version, err)
		}
	})
}

func TestWhatCouldNotBeScannedIsNotClean(t *testing.T) {
	t.Parallel()
	broken := errors.New("the file is spoiled")
	for what, c := range map[string]struct {
		s    *scan.Clamd
		r    io.Reader
		says string
	}{
		"too large":     {scanner(t, clamd{limit: 1 << 20}.start(t, "tcp")), strings.NewReader(strings.Repeat("x", 20<<20)), "clamd"},
		"no scanner":    {nil, strings.NewReader("hello"), "no scanner"},
		"nobody there":  {scanner(t, filepath.Join(t.TempDir(), "none.ctl")), strings.NewReader("hello"), "cannot be reached"},
		"says nothing":  {scanner(t, clamd{mute: true}.start(t, "tcp")).Within(50 * time.Millisecond), strings.NewReader("hello"), "did not answer"},
		"spoiled file":  {scanner(t, clamd{limit: 1 << 20}.start(t, "tcp")), io.MultiReader(strings.NewReader("begin"), failing{broken}), "spoiled"},
		"an odd answer": {scanner(t, odd(t)), strings.NewReader("hello"), "clamd says"},
	} {
		v, err := c.s.Scan(t.Context(), c.r)
		if v.State != scan.Unscanned || err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %+v, %v", what, v, err)
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if v, err := scanner(t, clamd{limit: 1 << 20}.start(t, "tcp")).Scan(gone, strings.NewReader("hello")); v.State != scan.Unscanned || !errors.Is(err, context.Canceled) {
		t.Errorf("for somebody who has gone: %+v, %v", v, err)
	}
}

// odd is something else than clamd, that answers.
func odd(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, "220 mail.example.org ESMTP\x00")
			_, _ = io.Copy(io.Discard, conn)
			conn.Close()
		}
	}()
	return l.Addr().String()
}

func TestSomethingElseIsNotClamd(t *testing.T) {
	t.Parallel()
	if _, err := scanner(t, odd(t)).Check(t.Context()); err == nil || !strings.Contains(err.Error(), "not clamd") {
		t.Errorf("got %v", err)
	}
	for _, where := range []string{"", "clamd", "unix:clamd.ctl", "host:", "unix:host:3310"} {
		if _, err := scan.New(where); err == nil {
			t.Errorf("%q can be used", where)
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
