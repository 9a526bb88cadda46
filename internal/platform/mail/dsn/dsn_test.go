package dsn_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"icouch/internal/platform/mail"
	"icouch/internal/platform/mail/dsn"
)

const id = "0190a1b2@portal.example.org"

func TestReportsOfAllKindsAreUnderstood(t *testing.T) {
	t.Parallel()
	want := map[string]struct {
		action dsn.Action
		status string
		reason mail.Reason
	}{
		"postfix-no-such-user":   {dsn.Failed, "5.1.1", mail.NoMailbox},
		"postfix-delayed":        {dsn.Delayed, "4.4.1", mail.Unreachable},
		"postfix-expired":        {dsn.Failed, "4.4.7", mail.Unreachable},
		"gmail-no-such-user":     {dsn.Failed, "5.1.1", mail.NoMailbox},
		"gmail-mailbox-full":     {dsn.Failed, "5.2.2", mail.MailboxFull},
		"exchange-no-such-user":  {dsn.Failed, "5.1.10", mail.NoMailbox},
		"exchange-access-denied": {dsn.Failed, "5.4.1", mail.NoMailbox},
		"exchange-old":           {dsn.Failed, "5.1.1", mail.NoMailbox},
		"exim-no-such-user":      {dsn.Failed, "5.0.0", mail.NoMailbox},
		"exim-plain":             {dsn.Failed, "5.2.1", mail.MailboxClosed},
		"blocked":                {dsn.Failed, "5.7.1", mail.Blocked},
		"delivered":              {dsn.Delivered, "2.0.0", ""},
		"smtputf8":               {dsn.Failed, "5.1.1", mail.NoMailbox},
		"qmail":                  {dsn.Failed, "5.1.1", mail.NoMailbox},
		"qmail-remote":           {dsn.Failed, "", mail.MailboxFull},
	}
	for name, w := range want {
		r, err := dsn.Parse(bytes.NewReader(sample(t, name)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if r.Action != w.action || r.Status != w.status || r.Reason != w.reason {
			t.Errorf("%s: %v, want %v", name, r, w)
		}
		if r.OriginalMessageID != id {
			t.Errorf("%s: it is about %q", name, r.OriginalMessageID)
		}
		if r.Recipient() != "annie@example.com" && name != "exchange-old" {
			t.Errorf("%s: the recipient is %q", name, r.Recipient())
		}
		if shown := fmt.Sprintf("%v %+v %#v %s %v", r, r, r, r, r.LogValue()); strings.Contains(shown, "annie") {
			t.Errorf("%s: printing it shows the recipient: %s", name, shown)
		}
	}
}

func TestGivingUpAfterATemporaryAnswerKeepsItsReason(t *testing.T) {
	t.Parallel()
	raw := bytes.Replace(sample(t, "postfix-no-such-user"), []byte("smtp; 550 5.1.1 <"), []byte("smtp; 451 <"), 1)
	if r, err := dsn.Parse(bytes.NewReader(raw)); err != nil || r.Action != dsn.Failed || r.Reason != mail.NoMailbox {
		t.Errorf("%v %v", r, err)
	}
}

func TestOtherMailIsNoReport(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"out-of-office", "read-receipt", "postmaster-newsletter"} {
		if r, err := dsn.Parse(bytes.NewReader(sample(t, name))); !errors.Is(err, dsn.ErrNotAReport) {
			t.Errorf("%s: %v %v", name, r, err)
		}
	}
	for _, s := range []string{"", "\r\n", "no header", "A: b\r\n\r\n"} {
		if _, err := dsn.Parse(strings.NewReader(s)); !errors.Is(err, dsn.ErrNotAReport) {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestHugeAndDeepMessagesEnd(t *testing.T) {
	t.Parallel()
	deep := "From: mailer-daemon@example.com\r\n"
	for i := range 1000 {
		deep += fmt.Sprintf("Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
	}
	deep += "Content-Type: message/delivery-status\r\n\r\nAction: failed\r\nStatus: 5.1.1\r\n"
	endless := &counter{}
	for _, r := range []interface{ Read([]byte) (int, error) }{strings.NewReader(deep), endless} {
		if _, err := dsn.Parse(r); !errors.Is(err, dsn.ErrNotAReport) {
			t.Error(err)
		}
	}
	if endless.n > 2<<20 {
		t.Errorf("read %d bytes", endless.n)
	}
	long := append(sample(t, "postfix-no-such-user"), bytes.Repeat([]byte("x"), 3<<20)...)
	if r, err := dsn.Parse(bytes.NewReader(long)); err != nil || r.Status != "5.1.1" {
		t.Errorf("a report with much behind it: %v %v", r, err)
	}
}

type counter struct{ n int }

func (c *counter) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'a'
	}
	c.n += len(b)
	return len(b), nil
}

func sample(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".eml"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var status = regexp.MustCompile(`^([245]\.\d{1,3}\.\d{1,3})?$`)

func FuzzParse(f *testing.F) {
	all, err := filepath.Glob("testdata/*.eml")
	if err != nil || len(all) < 8 {
		f.Fatalf("%d samples, %v", len(all), err)
	}
	for _, name := range all {
		f.Add(sample(f, strings.TrimSuffix(filepath.Base(name), ".eml")))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := dsn.Parse(bytes.NewReader(raw))
		if err != nil {
			if !errors.Is(err, dsn.ErrNotAReport) {
				t.Fatal(err)
			}
			return
		}
		bad := r.Action == dsn.Failed || r.Action == dsn.Delayed
		if !status.MatchString(r.Status) || bad != (r.Reason != "") || r.Action == "" {
			t.Fatalf("%q %q %q", r.Action, r.Status, r.Reason)
		}
		if strings.Contains(r.String(), "@") || strings.ContainsAny(r.OriginalMessageID, "<> \r\n") || len(r.OriginalMessageID) > 500 {
			t.Fatalf("%q %q", r.String(), r.OriginalMessageID)
		}
	})
}
