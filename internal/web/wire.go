package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"
)

// outlet is how what a stream says comes to its browser.
type outlet interface {
	put(*bytes.Buffer) error
	close()
}

// lent is an outlet that net/http keeps: over HTTP/2, HTTP/1.0, and in tests.
type lent struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

func (a lent) put(b *bytes.Buffer) error {
	if err := a.rc.SetWriteDeadline(time.Now().Add(patience)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := b.WriteTo(a.w); err != nil {
		return err
	}
	return a.rc.Flush()
}

func (lent) close() {}

// wire is an outlet that is taken from net/http, over HTTP/1.1. That holds the
// request, two buffers and a stack that has grown for as long as an answer
// takes; of a page that is open for hours, nothing of it is needed.
type wire struct{ conn net.Conn }

// takeWire takes the connection of a stream whose header has been written. The
// context ends when the browser goes.
func takeWire(r *http.Request, rc *http.ResponseController) (*wire, context.Context, bool) {
	if !r.ProtoAtLeast(1, 1) { // whose answer has no pieces
		return nil, nil, false
	}
	conn, rest, err := rc.Hijack()
	if err != nil {
		return nil, nil, false
	}
	ctx, gone := context.WithCancel(context.Background())
	if _ = conn.SetDeadline(time.Time{}); rest.Reader.Buffered() > 0 { // no browser asks for more before a stream ends
		gone()
	}
	go listenFor(conn, gone)
	return &wire{conn}, ctx, true
}

// listenFor waits until a browser goes. One that says something breaks what was
// agreed, and is gone too.
func listenFor(conn net.Conn, gone context.CancelFunc) {
	defer gone()
	var one [1]byte
	_, _ = conn.Read(one[:])
}

// put sends a piece, as HTTP/1.1 has it (RFC 9112, 7.1).
func (w *wire) put(b *bytes.Buffer) error {
	if b.Len() == 0 { // an empty piece is the end
		return nil
	}
	if err := w.conn.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return fmt.Errorf("stream: %w", err)
	}
	size := append(strconv.AppendInt(nil, int64(b.Len()), 16), "\r\n"...)
	piece := net.Buffers{size, b.Bytes(), []byte("\r\n")}
	_, err := piece.WriteTo(w.conn)
	return err
}

func (w *wire) close() {
	_ = w.conn.SetWriteDeadline(time.Now().Add(moment))
	_, _ = w.conn.Write([]byte("0\r\n\r\n"))
	_ = w.conn.Close()
}
