package bench

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strconv"
)

// stream is the stream of an open page.
type stream struct {
	stop context.CancelFunc
	gone chan struct{} // closed when nothing of it is heard any more
}

// listen opens the stream of a client's conversation, as a page does that has
// seen the messages up to a place, and has hear told each of its lines. Each
// goes over a connection of its own, as that of another browser would.
func (r *run) listen(p *program, t *talks, of int, seen int64, hear func(line string)) (*stream, error) {
	ctx, stop := context.WithCancel(r.ctx)
	a, err := p.askStream(ctx, t, of, seen)
	if err != nil {
		stop()
		return nil, err
	}
	s := &stream{stop, make(chan struct{})}
	go func() {
		defer close(s.gone)
		defer a.Body.Close()
		lines := bufio.NewScanner(a.Body)
		lines.Buffer(make([]byte, 1<<10), 1<<20)
		for lines.Scan() {
			hear(lines.Text())
		}
	}()
	return s, nil
}

func (p *program) askStream(ctx context.Context, t *talks, of int, seen int64) (*http.Response, error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/messages/"+t.with[of].String()+"/stream?after=0", nil)
	if err != nil {
		return nil, err
	}
	q.Header.Set("Accept", "text/event-stream")
	q.Header.Set("Cookie", p.session(t.sessions[of]))
	if seen > 0 {
		q.Header.Set("Last-Event-ID", strconv.FormatInt(seen, 10))
	}
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, ReadBufferSize: 1 << 10, WriteBufferSize: 1 << 10, TLSClientConfig: p.trust, ForceAttemptHTTP2: p.trust != nil}}
	a, err := c.Do(q)
	if err != nil {
		return nil, err
	}
	if a.StatusCode != http.StatusOK || p.trust != nil && a.ProtoMajor != 2 {
		a.Body.Close()
		return nil, fmt.Errorf("a stream answered %d, over %s", a.StatusCode, a.Proto)
	}
	return a, nil
}
