// Package scan asks clamd, the daemon of ClamAV, whether a file holds something
// that would harm whoever opens it. The file goes to clamd over its socket and
// is written nowhere.
//
// A file is clean, infected, or could not be scanned; the last is not the first.
// What becomes of each is the caller's to decide.
package scan

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// State is what is known of a file.
type State string

// The states, in words that can stand in the database.
const (
	Clean     State = "clean"
	Infected  State = "infected"
	Unscanned State = "unscanned" // could not be looked at
)

// Verdict is what a scan found. Found is clamd's name for it, of what is
// infected.
type Verdict struct {
	State State
	Found string
}

// ErrNone says that no scanner is set up.
var ErrNone = errors.New("scan: no scanner is set up")

// Clamd is a scanner. A nil one scans nothing, and says so.
type Clamd struct {
	network, address string
	timeout          time.Duration
}

// longest is how long one file may take.
const longest = 2 * time.Minute

// New reads where clamd listens: host:port, or the path of its socket, with or
// without unix: before it. It connects to nothing.
func New(where string) (*Clamd, error) {
	path, named := strings.CutPrefix(where, "unix:")
	if strings.HasPrefix(path, "/") {
		return &Clamd{"unix", path, longest}, nil
	}
	if _, port, err := net.SplitHostPort(where); named || err != nil || port == "" {
		return nil, errors.New("scan: where clamd listens is written as host:port, or as the path of its socket, like /run/clamav/clamd.ctl")
	}
	return &Clamd{"tcp", where, longest}, nil
}

// Within is the same scanner, with so much time for a file.
func (c *Clamd) Within(d time.Duration) *Clamd { return &Clamd{c.network, c.address, d} }

// Scan has all that r gives looked at. Beside a state other than Unscanned there
// is no error.
func (c *Clamd) Scan(ctx context.Context, r io.Reader) (Verdict, error) {
	v := Verdict{State: Unscanned}
	if c == nil {
		return v, ErrNone
	}
	answer, err := c.ask(ctx, "INSTREAM", func(w io.Writer) error { return send(w, r) })
	if err != nil {
		return v, err
	}
	found, infected := strings.CutSuffix(strings.TrimPrefix(answer, "stream: "), " FOUND")
	switch {
	case answer == "stream: OK":
		v.State = Clean
	case infected:
		v.State, v.Found = Infected, found
	default: // such as: the file is larger than clamd takes
		return v, fmt.Errorf("scan: clamd says %q", answer)
	}
	return v, nil
}

// Check says which version answers.
func (c *Clamd) Check(ctx context.Context) (version string, err error) {
	if c == nil {
		return "", ErrNone
	}
	answer, err := c.ask(ctx, "VERSION", func(io.Writer) error { return nil })
	if err != nil {
		return "", err
	}
	if !strings.HasPrefix(answer, "ClamAV ") {
		return "", errors.New("scan: what answers there is not clamd")
	}
	return answer, nil
}

// errSource is a failure of what was to be scanned, not of the scanner.
type errSource struct{ error }

func (e errSource) Unwrap() error { return e.error }

// ask sends one command and what belongs to it, and reads the answer.
func (c *Clamd) ask(ctx context.Context, command string, more func(io.Writer) error) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, c.network, c.address)
	if err != nil {
		return "", fmt.Errorf("scan: clamd cannot be reached: %w", err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) }) // whoever waits, stops
	defer stop()
	w := bufio.NewWriterSize(conn, 4+pieceSize)
	_, _ = w.WriteString("z" + command + "\x00") // a failure stays until Flush
	sent := more(w)
	if _, ours := errors.AsType[errSource](sent); ours {
		return "", fmt.Errorf("scan: %w", sent)
	}
	sent = errors.Join(sent, w.Flush())
	// clamd may have answered, and hung up, before it had all.
	answer, err := bufio.NewReader(io.LimitReader(conn, 4096)).ReadString(0)
	if err != nil {
		return "", fmt.Errorf("scan: clamd did not answer: %w", errors.Join(ctx.Err(), sent, err))
	}
	return strings.TrimSuffix(answer, "\x00"), nil
}

const pieceSize = 64 << 10

// send writes pieces with their lengths before them, and a length of nought.
func send(w io.Writer, r io.Reader) error {
	b := make([]byte, 4+pieceSize)
	for {
		n, err := io.ReadFull(r, b[4:])
		if n > 0 {
			binary.BigEndian.PutUint32(b, uint32(n)) //nolint:gosec // at most a piece
			if _, err := w.Write(b[:4+n]); err != nil {
				return err
			}
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			_, err := w.Write(make([]byte, 4))
			return err
		}
		if err != nil {
			return errSource{err}
		}
	}
}
