package mail_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"
	"github.com/google/go-cmp/cmp"

	"icouch/internal/platform/mail"
	"icouch/internal/platform/mail/sink"
)

var monday = time.Date(2026, 3, 9, 14, 0, 0, 0, time.UTC)

const link = "https://portal.example.org/i/Zm9vYmFyYmF6cXV4MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ubw?from=mail&x=1=2.end"

func letter() mail.Message {
	return mail.Message{
		ID: "0190a1b2@portal.example.org", From: "practice@example.org", FromName: "Harbor Practice",
		To: "annie@example.com", Subject: "Your invitation to iCouch from Harbor Practice",
		Text: "Hello Annie,\n\n.a line that begins with a dot\n..\n" + link + "\n",
		HTML: "<p>Hello Annie,</p>\n<a href=\"" + link + "\">Create Your iCouch Account</a>\n",
		Date: monday, ListUnsubscribe: "https://portal.example.org/e-mail-choices/abc",
	}
}

func start(t *testing.T, o sink.Options) *sink.Sink {
	t.Helper()
	s, err := sink.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// near opens a sender to s as a server on this machine.
func near(t testing.TB, s *sink.Sink, o mail.Options) *mail.SMTP {
	t.Helper()
	return open(t, "smtp://"+s.Addr(), o)
}

// far opens a sender to s under a name that is not this machine's.
func far(t testing.TB, s *sink.Sink, url string, o mail.Options) *mail.SMTP {
	t.Helper()
	o.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, s.Addr())
	}
	return open(t, url, o)
}

func open(t testing.TB, url string, o mail.Options) *mail.SMTP {
	t.Helper()
	if o.Clock == nil {
		o.Clock = func() time.Time { return monday }
	}
	m, err := mail.Open(url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func send(t testing.TB, m mail.Sender, l mail.Message) {
	t.Helper()
	r, err := m.Send(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	if !r.Accepted || r.Code != 250 || r.Enhanced != "2.0.0" {
		t.Fatalf("the receipt says %+v, want accepted with 250 2.0.0", r)
	}
}

// refused sends l and wants a refusal that gives nothing away.
func refused(t *testing.T, m mail.Sender, l mail.Message) *mail.Refusal {
	t.Helper()
	_, err := m.Send(t.Context(), l)
	return aRefusal(t, l, err)
}

func aRefusal(t *testing.T, l mail.Message, err error) *mail.Refusal {
	t.Helper()
	r, ok := errors.AsType[*mail.Refusal](err)
	if !ok {
		t.Fatalf("the error is %v, want a refusal", err)
	}
	for _, shown := range []string{err.Error(), fmt.Sprintf("%v %+v", err, r)} {
		local, _, _ := strings.Cut(l.To, "@")
		if l.To != "" && strings.Contains(shown, l.To) || local != "" && strings.Contains(shown, local) {
			t.Fatalf("the error shows the recipient: %s", shown)
		}
	}
	return r
}

func one(t *testing.T, s *sink.Sink) sink.Message {
	t.Helper()
	all := s.Messages()
	if len(all) != 1 {
		t.Fatalf("%d messages came, want 1", len(all))
	}
	return all[0]
}

func TestALetterArrivesAsItWasWritten(t *testing.T) {
	t.Parallel()
	s := start(t, sink.Options{})
	l := letter()
	l.ReplyTo, l.EnvelopeFrom = "desk@example.org", "bounce+42@example.org"
	send(t, near(t, s, mail.Options{}), l)
	got := one(t, s)
	if got.Text != l.Text || got.HTML != l.HTML || got.Subject != l.Subject {
		t.Errorf("what came differs:\n%s%s", cmp.Diff(l.Text, got.Text), cmp.Diff(l.HTML, got.HTML))
	}
	if diff := cmp.Diff([]string{"multipart/alternative", "text/plain", "text/html"}, got.Parts); diff != "" {
		t.Errorf("plain text must come first:\n%s", diff)
	}
	if got.From != l.EnvelopeFrom || !cmp.Equal(got.Recipients, []string{l.To}) {
		t.Errorf("the envelope is from %s to %v", got.From, got.Recipients)
	}
	for field, want := range map[string]string{
		"Message-Id": "<" + l.ID + ">", "Date": "Mon, 09 Mar 2026 14:00:00 +0000",
		"Auto-Submitted": "auto-generated", "List-Unsubscribe": "<" + l.ListUnsubscribe + ">",
		"From": `"Harbor Practice" <practice@example.org>`, "To": "<annie@example.com>",
		"Reply-To": "<desk@example.org>", "User-Agent": "", "X-Mailer": "", "Mime-Version": "1.0",
	} {
		if got.Header.Get(field) != want {
			t.Errorf("%s is %q, want %q", field, got.Header.Get(field), want)
		}
	}
	for line := range bytes.SplitSeq(got.Raw, []byte("\r\n")) {
		if len(line) > 998 || bytes.ContainsAny(line, "\r\n") || bytes.ContainsFunc(line, func(r rune) bool { return r > 126 }) {
			t.Errorf("not fit for every server: %q", line)
		}
	}
}

func TestPlainTextAloneIsOnePart(t *testing.T) {
	t.Parallel()
	s := start(t, sink.Options{})
	l := letter()
	l.HTML, l.From, l.FromName = "", "", ""
	send(t, near(t, s, mail.Options{From: "rashida@example.org", FromName: "Rashida"}), l)
	got := one(t, s)
	if got.Text != l.Text || len(got.Parts) != 1 || got.Header.Get("From") != `"Rashida" <rashida@example.org>` {
		t.Errorf("%v from %s: %q", got.Parts, got.Header.Get("From"), got.Text)
	}
}

func TestNamesOfAllTheWorldArrive(t *testing.T) {
	t.Parallel()
	s := start(t, sink.Options{})
	m := near(t, s, mail.Options{})
	for _, name := range []string{
		"Zoë Ångström", "مركز الشفاء", "שלום מרפאה", "🌊 Harbor 🛟", `A "quoted" \ name, Ltd. <x@example.net>`,
		strings.Repeat("長い名前の診療所", 12), "e\u0301 combining",
	} {
		l := letter()
		l.FromName, l.Subject = name, "Your invitation to iCouch from "+name
		l.Text, l.HTML = name+"\n"+link, "<p>"+name+"</p>"
		send(t, m, l)
		all := s.Messages()
		got := all[len(all)-1]
		from, err := got.Header.AddressList("From")
		if err != nil || len(from) != 1 || from[0].Name != name || from[0].Address != l.From {
			t.Errorf("from is %v %v, want %q", from, err, name)
		}
		if got.Subject != l.Subject || got.Text != l.Text || got.HTML != l.HTML {
			t.Errorf("%q came as %q, %q, %q", name, got.Subject, got.Text, got.HTML)
		}
	}
}

func TestTheSameMessageIsTheSameBytes(t *testing.T) {
	t.Parallel()
	s := start(t, sink.Options{})
	for range 5 {
		send(t, near(t, s, mail.Options{}), letter())
	}
	all := s.Messages()
	for _, m := range all {
		if !bytes.Equal(m.Raw, all[0].Raw) {
			t.Fatal(cmp.Diff(string(all[0].Raw), string(m.Raw)))
		}
	}
}

func TestLineBreaksInAHeaderAreRefused(t *testing.T) {
	t.Parallel()
	s := start(t, sink.Options{})
	m := near(t, s, mail.Options{})
	for _, evil := range []string{"\r\nBcc: x@example.net", "\nX: y", "\r", "\x00", "\u0085", "\xff"} {
		for what, set := range map[string]func(*mail.Message, string){
			"id":       func(m *mail.Message, e string) { m.ID += e },
			"from":     func(m *mail.Message, e string) { m.From += e },
			"name":     func(m *mail.Message, e string) { m.FromName += e },
			"to":       func(m *mail.Message, e string) { m.To += e },
			"reply":    func(m *mail.Message, e string) { m.ReplyTo = "a@example.org" + e },
			"subject":  func(m *mail.Message, e string) { m.Subject += e },
			"list":     func(m *mail.Message, e string) { m.ListUnsubscribe += e },
			"envelope": func(m *mail.Message, e string) { m.EnvelopeFrom = "a@example.org" + e },
		} {
			l := letter()
			set(&l, evil)
			r := refused(t, m, l)
			if !r.Permanent || r.Reason != mail.Unwritable {
				t.Errorf("%s with %q: %v", what, evil, r)
			}
			if _, err := new(mail.Box).Send(t.Context(), l); err == nil {
				t.Errorf("the box took %s with %q", what, evil)
			}
		}
	}
	if got := s.Counts(); got.Connections != 0 {
		t.Errorf("the server was bothered: %+v", got)
	}
}

func TestWhatIsNoAddressIsRefused(t *testing.T) {
	t.Parallel()
	m := near(t, start(t, sink.Options{}), mail.Options{})
	for _, to := range []string{
		"", "annie", "annie@", "@example.com", "annie@example.com, david@example.com", "annie@example.com>",
		"Annie <annie@example.com>", "annie @example.com", "annie@exa mple.com", "annie@[127.0.0.1]",
		"annie@example.com SIZE=1", `"annie smith"@example.com`, "annie@-example.com",
	} {
		l := letter()
		l.To = to
		_, err := m.Send(t.Context(), l)
		if r, ok := errors.AsType[*mail.Refusal](err); !ok || !r.Permanent || r.Reason != mail.Unwritable {
			t.Errorf("%q: %v", to, err)
		}
	}
	for _, bad := range []mail.Message{{}, func() (l mail.Message) { l = letter(); l.ID = "x"; return }(),
		func() (l mail.Message) { l = letter(); l.Text = ""; return }(),
		func() (l mail.Message) { l = letter(); l.ListUnsubscribe = "javascript:1"; return }()} {
		refused(t, m, bad)
	}
}

func TestStrippedEncryptionSendsNothing(t *testing.T) {
	t.Parallel()
	s := start(t, sink.Options{})
	for _, url := range []string{"smtp://mail.example.com:587", "smtp://u:secretword@mail.example.com", "smtps://mail.example.com"} {
		m := far(t, s, url, mail.Options{Timeout: 5 * time.Second, RootCAs: x509.NewCertPool()})
		r := refused(t, m, letter())
		if r.Reason != mail.Insecure || r.Permanent || r.Uncertain {
			t.Errorf("%s: %v", url, r)
		}
	}
	if got := s.Counts(); got.Messages != 0 || got.Recipients != 0 || got.SignIns != 0 {
		t.Errorf("something was sent: %+v", got)
	}
}

func TestEncryptedServersAreUsed(t *testing.T) {
	t.Parallel()
	for url, o := range map[string]sink.Options{
		"smtp://mail.example.com":                {STARTTLS: true},
		"smtps://mail.example.com":               {TLS: true},
		"smtp://vince:pa%3As@mail.example.com:1": {STARTTLS: true, User: "vince", Password: "pa:s"},
	} {
		s := start(t, o)
		m := far(t, s, url, mail.Options{RootCAs: s.Roots()})
		if err := m.Check(t.Context()); err != nil {
			t.Errorf("%s: %v", url, err)
		}
		send(t, m, letter())
		one(t, s)
		if o.User != "" && s.Counts().SignIns != 2 {
			t.Errorf("signed in %d times, want 2", s.Counts().SignIns)
		}
	}
}

func TestABadCertificateSendsNothing(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]sink.Options{"smtp": {STARTTLS: true}, "smtps": {TLS: true}} {
		s, other := start(t, o), start(t, o)
		for host, roots := range map[string]*x509.CertPool{
			"mail.example.com": other.Roots(), "mail.example.net": s.Roots(), "relay.example.com": nil,
		} {
			r := refused(t, far(t, s, name+"://"+host, mail.Options{RootCAs: roots}), letter())
			if r.Reason != mail.Insecure || r.Permanent {
				t.Errorf("%s://%s: %v", name, host, r)
			}
		}
		if s.Counts().Messages+s.Counts().Recipients != 0 {
			t.Error("something was sent")
		}
	}
}

func TestSignInRefusedIsNotTheLettersFault(t *testing.T) {
	t.Parallel()
	s := start(t, sink.Options{User: "vince", Password: "right"})
	for _, user := range []string{"vince:wrong@", ""} {
		r := refused(t, open(t, "smtp://"+user+s.Addr(), mail.Options{}), letter())
		if r.Reason != mail.SignInRefused || r.Permanent || strings.Contains(r.Error(), "wrong") {
			t.Errorf("%q: %v", user, r)
		}
	}
	m := open(t, "smtp://vince:right@"+s.Addr(), mail.Options{})
	send(t, m, letter())
	s.Behave(sink.Behavior{RefuseSignIn: true})
	s.HangUp()
	if r := refused(t, m, letter()); r.Reason != mail.SignInRefused || r.Code != 535 {
		t.Error(r)
	}
	if shown := fmt.Sprintf("%v %+v %#v", m, m, m); strings.Contains(shown, "right") {
		t.Errorf("printing the sender shows the password: %s", shown)
	}
	plain := start(t, sink.Options{}) // offers no sign-in at all
	if r := refused(t, open(t, "smtp://u:p@"+plain.Addr(), mail.Options{}), letter()); r.Reason != mail.SignInRefused {
		t.Error(r)
	}
}

func TestRefusalsSayWhyAndWhetherToTryAgain(t *testing.T) {
	t.Parallel()
	words := "<annie@example.com>: annie does not live here"
	for _, test := range []struct {
		b         sink.Behavior
		reason    mail.Reason
		permanent bool
	}{
		{sink.Behavior{RejectRecipient: &sink.Answer{Code: 550, Enhanced: [3]int{5, 1, 1}, Words: words}}, mail.NoMailbox, true},
		{sink.Behavior{RejectRecipient: &sink.Answer{Code: 550, Enhanced: [3]int{5, 2, 1}, Words: words}}, mail.MailboxClosed, true},
		{sink.Behavior{RejectRecipient: &sink.Answer{Code: 552, Enhanced: [3]int{5, 2, 2}, Words: words}}, mail.MailboxFull, true},
		{sink.Behavior{RejectRecipient: &sink.Answer{Code: 452, Enhanced: [3]int{4, 2, 2}, Words: words}}, mail.MailboxFull, false},
		{sink.Behavior{RejectRecipient: &sink.Answer{Code: 554, Enhanced: [3]int{5, 7, 1}, Words: words}}, mail.Blocked, true},
		{sink.Behavior{RejectRecipient: &sink.Answer{Code: 550, Enhanced: [3]int{}, Words: words}}, mail.NoMailbox, true},
		{sink.Behavior{RejectRecipient: &sink.Answer{Code: 421, Enhanced: [3]int{4, 3, 2}, Words: words}}, mail.TryLater, false},
		{sink.Behavior{RejectMessage: &sink.Answer{Code: 554, Enhanced: [3]int{5, 6, 0}, Words: words}}, mail.Refused, true},
		{sink.Behavior{RejectMessage: &sink.Answer{Code: 550, Enhanced: [3]int{}, Words: words}}, mail.Refused, true},
		{sink.Behavior{RejectSender: &sink.Answer{Code: 553, Enhanced: [3]int{5, 1, 0}, Words: words}}, mail.Refused, true},
		{sink.Behavior{RejectSender: &sink.Answer{Code: 530, Enhanced: [3]int{5, 7, 0}, Words: words}}, mail.SignInRefused, false},
		{sink.Behavior{RejectMessage: &sink.Answer{Code: 451, Enhanced: [3]int{4, 3, 0}, Words: words}}, mail.TryLater, false},
		{sink.Behavior{Greylist: true}, mail.TryLater, false},
	} {
		s := start(t, sink.Options{})
		s.Behave(test.b)
		m := near(t, s, mail.Options{})
		r := refused(t, m, letter())
		if r.Reason != test.reason || r.Permanent != test.permanent || r.Uncertain || r.Code == 0 {
			t.Errorf("%v, permanent %v, want %q, %v", r, r.Permanent, test.reason, test.permanent)
		}
		if !test.b.Greylist {
			s.Behave(sink.Behavior{})
		}
		send(t, m, letter()) // on the same connection, unless the server hung up
		if n := s.Counts().Connections; n != 1 && r.Code != 421 {
			t.Errorf("%v: %d connections", r, n)
		}
		one(t, s)
	}
}

func TestALostAnswerIsUncertainAndNotRepeated(t *testing.T) {
	t.Parallel()
	s := start(t, sink.Options{})
	m := near(t, s, mail.Options{})
	send(t, m, letter()) // so that the connection is a kept one
	s.Behave(sink.Behavior{DropAfterData: true})
	r := refused(t, m, letter())
	if r.Permanent || !r.Uncertain || r.Reason != mail.Unreachable {
		t.Error(r)
	}
	if got := s.Counts(); got.Recipients != 2 || got.Connections != 1 {
		t.Errorf("it was tried again by itself: %+v", got)
	}
	s.Behave(sink.Behavior{})
	send(t, m, letter())
}

func TestASlowServerDoesNotHoldUsLongerThanAsked(t *testing.T) {
	t.Parallel()
	s := start(t, sink.Options{})
	s.Behave(sink.Behavior{Stall: true})
	m := near(t, s, mail.Options{Connections: 1})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := m.Send(ctx, letter())
	r := aRefusal(t, letter(), err)
	if !errors.Is(err, context.DeadlineExceeded) || !r.Uncertain || r.Permanent {
		t.Error(err)
	}
	m2 := near(t, s, mail.Options{Timeout: 50 * time.Millisecond})
	if r := refused(t, m2, letter()); !r.Uncertain || !errors.Is(r, context.DeadlineExceeded) {
		t.Error(r)
	}
	s.Behave(sink.Behavior{})
	send(t, m, letter())
}

func TestAServerThatNeverGreetsIsLeft(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close() // the backlog takes the connection; nobody speaks
	for _, scheme := range []string{"smtp://", "smtps://"} {
		m := open(t, scheme+ln.Addr().String(), mail.Options{Timeout: 50 * time.Millisecond})
		if r := refused(t, m, letter()); r.Reason != mail.Unreachable || r.Uncertain || !errors.Is(r, context.DeadlineExceeded) {
			t.Error(r)
		}
	}
}

func TestNoServerIsTemporary(t *testing.T) {
	t.Parallel()
	s := start(t, sink.Options{})
	m := near(t, s, mail.Options{})
	s.Close()
	if r := refused(t, m, letter()); r.Reason != mail.Unreachable || r.Permanent || r.Uncertain {
		t.Error(r)
	}
}

func TestAHundredLettersShareAConnection(t *testing.T) {
	t.Parallel()
	s := start(t, sink.Options{})
	m := near(t, s, mail.Options{})
	for range 100 {
		send(t, m, letter())
	}
	if got := s.Counts(); got.Connections != 1 || got.Messages != 100 {
		t.Errorf("%+v, want 100 messages on 1 connection", got)
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	t.Parallel()
	s := start(t, sink.Options{})
	m := near(t, s, mail.Options{Connections: 3})
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			for range 10 {
				send(t, m, letter())
			}
		})
	}
	all.Wait()
	if got := s.Counts(); got.Connections > 3 || got.Messages != 200 {
		t.Errorf("%+v, want 200 messages on at most 3 connections", got)
	}
}

func TestADeadConnectionIsReplacedOnce(t *testing.T) {
	t.Parallel()
	s := start(t, sink.Options{})
	m := near(t, s, mail.Options{})
	for range 3 {
		send(t, m, letter())
		s.HangUp()
	}
	send(t, m, letter())
	if got := s.Counts(); got.Connections != 4 || got.Messages != 4 {
		t.Errorf("%+v, want 4 messages on 4 connections", got)
	}
}

func TestAConnectionThatWaitedLongIsNotTrusted(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	now := monday
	s := start(t, sink.Options{})
	m := near(t, s, mail.Options{Clock: func() time.Time { mu.Lock(); defer mu.Unlock(); return now }})
	send(t, m, letter())
	mu.Lock()
	now = now.Add(2 * time.Minute)
	mu.Unlock()
	send(t, m, letter())
	if n := s.Counts().Connections; n != 2 {
		t.Errorf("%d connections, want 2", n)
	}
}

func TestAddressesOutsideASCII(t *testing.T) {
	t.Parallel()
	s := start(t, sink.Options{})
	l := letter()
	l.To, l.From = "annie@bücher.example", "praxis@münchen.example"
	send(t, near(t, s, mail.Options{}), l)
	got := one(t, s)
	if got.Recipients[0] != "annie@xn--bcher-kva.example" || got.To != "<annie@xn--bcher-kva.example>" || got.From != "praxis@xn--mnchen-3ya.example" {
		t.Errorf("from %s to %v, %s", got.From, got.Recipients, got.To)
	}
	l.To = "δοκιμή@παράδειγμα.example"
	send(t, near(t, s, mail.Options{}), l)
	if got := s.Messages()[1].Recipients[0]; got != "δοκιμή@xn--hxajbheg2az3al.example" {
		t.Errorf("to %s", got)
	}
	old := start(t, sink.Options{NoUTF8: true})
	m := near(t, old, mail.Options{})
	if r := refused(t, m, l); !r.Permanent || r.Reason != mail.OddAddress || r.Enhanced != "5.6.7" {
		t.Error(r)
	}
	send(t, m, letter())
	if n := old.Counts(); n.Connections != 1 || n.Messages != 1 {
		t.Errorf("%+v", n)
	}
}

func TestSignaturesVerify(t *testing.T) {
	t.Parallel()
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	strong, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for algorithm, key := range map[string]crypto.Signer{"rsa": strong, "ed25519": edwards} {
		s := start(t, sink.Options{})
		m := near(t, s, mail.Options{DKIM: mail.DKIM{Domain: "example.org", Selector: "s1", KeyPEM: pkcs8(t, key)}})
		l := letter()
		l.FromName = "מרפאה 🌊"
		send(t, m, l)
		raw := one(t, s).Raw
		record := "v=DKIM1; k=" + algorithm + "; p=" + published(t, key)
		verify := func(raw []byte) error {
			v, err := dkim.VerifyWithOptions(bytes.NewReader(raw), &dkim.VerifyOptions{LookupTXT: func(name string) ([]string, error) {
				if name != "s1._domainkey.example.org" {
					return nil, fmt.Errorf("looked up %s", name)
				}
				return []string{record}, nil
			}})
			if err != nil || len(v) != 1 {
				t.Fatalf("%d signatures, %v", len(v), err)
			}
			return v[0].Err
		}
		if err := verify(raw); err != nil {
			t.Errorf("%s: %v", algorithm, err)
		}
		for _, change := range [][2]string{{"Hello", "Hallo"}, {"Subject: ", "Subject: x"}, {"From: ", "From: <x@example.net>\r\nFrom: "}} {
			if verify(bytes.Replace(raw, []byte(change[0]), []byte(change[1]), 1)) == nil {
				t.Errorf("%s: a changed letter verifies: %v", algorithm, change)
			}
		}
	}
	pkcs1 := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(strong)})
	for name, d := range map[string]struct {
		mail.DKIM
		ok bool
	}{
		"PKCS #1":     {mail.DKIM{Domain: "example.org", Selector: "s", KeyPEM: pkcs1}, true},
		"weak":        {mail.DKIM{Domain: "example.org", Selector: "s", KeyPEM: pkcs8(t, weak)}, false},
		"no key":      {mail.DKIM{Domain: "example.org", Selector: "s", KeyPEM: nil}, false},
		"no selector": {mail.DKIM{Domain: "example.org", Selector: "", KeyPEM: pkcs1}, false},
		"nonsense":    {mail.DKIM{Domain: "example.org", Selector: "s", KeyPEM: []byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")}, false},
	} {
		if _, err := mail.Open("smtp://localhost", mail.Options{DKIM: d.DKIM, Clock: func() time.Time { return monday }}); (err == nil) != d.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func pkcs8(t *testing.T, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func published(t *testing.T, key crypto.Signer) string {
	t.Helper()
	if pub, ok := key.Public().(ed25519.PublicKey); ok {
		return base64.StdEncoding.EncodeToString(pub)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(der)
}

func TestServersThatCannotBeMeantAreRefused(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"", "mail.example.com", "http://mail.example.com", "smtp://", "smtp://u:hunter2@", "smtp://u@h.example.com",
		"smtp://u:hunter2@h.example.com:port", "smtp://u:hunter2@h.example.com/x", "smtp://u:hunter2%zz@h", "smtp://h?starttls=no",
	} {
		_, err := mail.Open(url, mail.Options{Clock: func() time.Time { return monday }})
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", url, err)
		}
	}
	if _, err := mail.Open("smtp://localhost", mail.Options{}); err == nil {
		t.Error("opened without a clock")
	}
}

func TestALocalhostElsewhereIsNotThisMachine(t *testing.T) {
	t.Parallel()
	ours, theirs := net.Pipe() // its address is not a loopback one
	defer theirs.Close()
	go func() {
		fmt.Fprint(theirs, "220 hello\r\n")
		theirs.Read(make([]byte, 100))
		fmt.Fprint(theirs, "250 hello\r\n")
		theirs.Read(make([]byte, 100))
	}()
	m := open(t, "smtp://localhost", mail.Options{Dial: func(context.Context, string, string) (net.Conn, error) { return ours, nil }})
	if r := refused(t, m, letter()); r.Reason != mail.Insecure {
		t.Error(r)
	}
}

func TestTheBoxKeepsLettersAndFailsWhenTold(t *testing.T) {
	t.Parallel()
	down := errors.New("down")
	b := mail.Box{Err: func(m mail.Message) error {
		if m.To == "david@example.com" {
			return down
		}
		return nil
	}}
	send(t, &b, letter())
	l := letter()
	l.To = "david@example.com"
	if _, err := b.Send(t.Context(), l); !errors.Is(err, down) {
		t.Error(err)
	}
	if got := b.Sent(); len(got) != 1 || !cmp.Equal(got[0], letter()) {
		t.Errorf("%d letters", len(got))
	}
}

func TestPrintingALetterShowsNobody(t *testing.T) {
	t.Parallel()
	l := letter()
	shown := fmt.Sprintf("%v %+v %#v %s %v", l, l, l, l, l.LogValue())
	if strings.Contains(shown, "annie") || strings.Contains(shown, link) || !strings.Contains(shown, l.ID) {
		t.Error(shown)
	}
}

func BenchmarkSend(b *testing.B) {
	_, key, _ := ed25519.GenerateKey(rand.Reader)
	der, _ := x509.MarshalPKCS8PrivateKey(key)
	signing := mail.DKIM{Domain: "example.org", Selector: "s1", KeyPEM: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})}
	for _, bench := range []struct {
		name string
		n    int
		d    mail.DKIM
	}{{"1 connection", 1, mail.DKIM{}}, {"8 connections", 8, mail.DKIM{}}, {"8 connections, signed", 8, signing}} {
		b.Run(bench.name, func(b *testing.B) {
			s, err := sink.Start(sink.Options{CountOnly: true})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			m := near(b, s, mail.Options{Connections: bench.n, DKIM: bench.d})
			l := letter()
			b.ReportAllocs()
			b.SetParallelism(bench.n)
			if bench.n == 1 {
				for b.Loop() {
					send(b, m, l)
				}
			} else {
				b.RunParallel(func(p *testing.PB) {
					for p.Next() {
						send(b, m, l)
					}
				})
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "letters/s")
		})
	}
}
