package sink_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/smtp"
	"strings"
	"sync"
	"testing"

	"icouch/internal/platform/mail/sink"
)

const raw = "From: <practice@example.org>\r\nTo: <david@example.com>\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n" +
	"Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\nPGI+SGk8L2I+\r\n"

func start(t testing.TB, o sink.Options) *sink.Sink {
	t.Helper()
	s, err := sink.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func post(s *sink.Sink, body string) error {
	return smtp.SendMail(s.Addr(), nil, "practice@example.org", []string{"david@example.com"}, []byte(body))
}

func TestWhatCameCanBeLookedAt(t *testing.T) {
	t.Parallel()
	s := start(t, sink.Options{})
	if err := post(s, raw); err != nil {
		t.Fatal(err)
	}
	if err := s.Wait(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	m := s.Messages()[0]
	if m.Subject != "Grüße" || m.HTML != "<b>Hi</b>" || m.To != "<david@example.com>" || m.Recipients[0] != "david@example.com" || string(m.Raw) != raw {
		t.Errorf("%+v", m)
	}
}

func TestOnlyTheLatestAreKept(t *testing.T) {
	t.Parallel()
	s := start(t, sink.Options{Keep: 2})
	waited := make(chan error)
	go func() { waited <- s.Wait(t.Context(), 5) }()
	for i := range 5 {
		if err := post(s, fmt.Sprintf("Subject: %d\r\n\r\nx\r\n", i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-waited; err != nil {
		t.Fatal(err)
	}
	all := s.Messages()
	if len(all) != 2 || all[0].Subject != "3" || all[1].Subject != "4" || s.Counts().Messages != 5 {
		t.Errorf("%d kept of %d", len(all), s.Counts().Messages)
	}
}

func TestWaitingEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := start(t, sink.Options{}).Wait(ctx, 1); err == nil {
		t.Error("waited for a message that never came, and found it")
	}
}

func TestItListensOnThisMachineOnly(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{"0.0.0.0:0", ":0", "nonsense", "192.0.2.1:25"} {
		if s, err := sink.Start(sink.Options{Addr: addr}); err == nil {
			s.Close()
			t.Errorf("it listens on %s", addr)
		}
	}
}

func TestRefusalsAreTold(t *testing.T) {
	t.Parallel()
	s := start(t, sink.Options{})
	s.Behave(sink.Behavior{RejectRecipient: &sink.Answer{Code: 550, Enhanced: [3]int{5, 1, 1}, Words: "nobody"}})
	if err := post(s, raw); err == nil || !strings.Contains(err.Error(), "5.1.1 nobody") {
		t.Error(err)
	}
	s.Behave(sink.Behavior{Greylist: true})
	if err := post(s, raw); err == nil || !strings.HasPrefix(err.Error(), "451") {
		t.Error(err)
	}
	if err := post(s, raw); err != nil {
		t.Error(err)
	}
}

// BenchmarkSink measures the sink alone: raw conversations over 8 connections.
func BenchmarkSink(b *testing.B) {
	s := start(b, sink.Options{CountOnly: true})
	body := raw + strings.Repeat("A line of sixty-two characters, as they occur in our letters.\r\n", 14)
	conversation := []byte("MAIL FROM:<practice@example.org>\r\nRCPT TO:<david@example.com>\r\nDATA\r\n")
	content := []byte(body + ".\r\n")
	per := b.N/8 + 1
	var all sync.WaitGroup
	b.ResetTimer()
	for range 8 {
		all.Go(func() {
			c, err := net.Dial("tcp", s.Addr())
			if err != nil {
				b.Error(err)
				return
			}
			defer c.Close()
			r := bufio.NewReader(c)
			c.Write([]byte("HELO localhost\r\n"))
			lines(r, 2)
			for range per {
				c.Write(conversation)
				lines(r, 3)
				c.Write(content)
				if last := lines(r, 1); !strings.HasPrefix(last, "250") {
					b.Error(last)
					return
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(s.Counts().Messages)/b.Elapsed().Seconds(), "messages/s")
}

func lines(r *bufio.Reader, n int) (last string) {
	for range n {
		last, _ = r.ReadString('\n')
	}
	return last
}
