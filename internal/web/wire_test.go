package web

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http/httptest"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"icouch/internal/account"
)

// mostHeld is what a page that is open may hold, in bytes, when nothing happens.
const mostHeld = 16 << 10

// opening is a page's stream over a connection of its own.
type opening struct {
	net.Conn
	lines *bufio.Scanner
}

// online puts the site up where connections come to it.
func (k *talking) online(t *testing.T) *httptest.Server {
	server := httptest.NewServer(k.handler)
	t.Cleanup(server.Close)
	return server
}

// open asks for a stream and reads until it has said how many are unread.
func (k *talking) open(t *testing.T, server *httptest.Server, b *browser, protocol string, headers ...string) opening {
	t.Helper()
	c, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetReadDeadline(time.Now().Add(patience))
	fmt.Fprintf(c, "GET %s/stream %s\r\nHost: %s\r\nAccept: text/event-stream\r\nSec-Fetch-Site: same-origin\r\n", k.at, protocol, server.Listener.Addr())
	for name, value := range b.cookies {
		fmt.Fprintf(c, "Cookie: %s=%s\r\n", name, value)
	}
	fmt.Fprint(c, strings.Join(append(headers, "", ""), "\r\n"))
	o := opening{c, bufio.NewScanner(c)}
	o.until(t, "event: unread")
	return o
}

// until reads up to a line, which has to come.
func (o opening) until(t *testing.T, line string) {
	t.Helper()
	for o.lines.Scan() {
		if o.lines.Text() == line {
			return
		}
	}
	t.Fatalf("the stream ended before %q: %v", line, o.lines.Err())
}

// rest reads whatever else comes, until the stream ends.
func (o opening) rest() (all []string) {
	for o.lines.Scan() {
		all = append(all, o.lines.Text())
	}
	return all
}

// In pieces over HTTP/1.1, in one over HTTP/1.0: a message comes, and a session
// that ends ends the stream as was agreed.
func TestAStreamIsWholeOverEachProtocol(t *testing.T) {
	t.Parallel()
	for protocol, end := range map[string][]string{"HTTP/1.1": {"event: over", "data: ", "", "", "0", ""}, "HTTP/1.0": {"event: over", "data: ", ""}} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			k := newTalking(t)
			o := k.open(t, k.online(t), k.theo, protocol)
			k.mara.post(k.at, k.message("Hello Theo.")).leads(t, k.at+"#end")
			o.until(t, "event: messages")
			k.theo.post("/sign-out", url.Values{})
			if rest := o.rest(); len(rest) < len(end) || !slices.Equal(rest[len(rest)-len(end):], end) {
				t.Errorf("the stream ends with %q, want %q", rest, end)
			}
		})
	}
}

// Whoever announces a body and sends none has a stream as all others have, and
// no more of them.
func TestAStreamWaitsForNoBody(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	o := k.open(t, k.online(t), k.theo, "HTTP/1.1", "Content-Length: 10")
	k.theo.post("/sign-out", url.Values{})
	if rest := o.rest(); !slices.Contains(rest, "event: over") {
		t.Errorf("the stream ends with %q", rest)
	}
}

// A browser that goes is noticed by itself, and one that goes on talking is
// taken for one that breaks what was agreed.
func TestABrowserThatGoesIsGone(t *testing.T) {
	t.Parallel()
	for how, leave := range map[string]func(opening) error{
		"closes": func(o opening) error { return o.Close() },
		"talks":  func(o opening) error { _, err := o.Write([]byte("GET / HTTP/1.1\r\n")); return err },
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			k := newTalking(t)
			o := k.open(t, k.online(t), k.theo, "HTTP/1.1")
			if n := k.listening(); n != 1 {
				t.Fatalf("%d pages are open, want 1", n)
			}
			if err := leave(o); err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithTimeout(t.Context(), patience)
			defer stop()
			for k.listening() > 0 {
				runtime.Gosched()
				if ctx.Err() != nil {
					t.Fatal("the page is still taken for open")
				}
			}
		})
	}
}

// listening is how many pages Theo has open.
func (k *talking) listening() int {
	k.streams.mu.Lock()
	defer k.streams.mu.Unlock()
	return len(k.streams.open[account.Topic(k.w.Who(k.theo.t, "theo@example.com"))])
}

func TestAnOpenPageHoldsLittle(t *testing.T) {
	const pages = most // of one account, so many
	k := newTalking(t)
	server := k.online(t)
	k.open(t, server, k.theo, "HTTP/1.1") // what is made once
	before := heldNow()
	for range pages - 1 {
		k.open(t, server, k.theo, "HTTP/1.1")
	}
	each := (heldNow() - before) / (pages - 1)
	if t.Logf("%d bytes each", each); each > mostHeld {
		t.Errorf("an open page holds %d bytes, and may hold %d", each, mostHeld)
	}
}

// heldNow is what is held, of the heap and of stacks, once nothing is thrown away any more.
func heldNow() int64 {
	var m runtime.MemStats
	for range 6 { // a stack becomes half as large each time
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
