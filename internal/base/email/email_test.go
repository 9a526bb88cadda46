package email_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"icouch/internal/base/email"
	"icouch/internal/base/fault"
)

func parse(t *testing.T, s string) email.Address {
	t.Helper()
	a, err := email.Parse(s)
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return a
}

func TestEdge09_AddressesPeopleHaveAreKeptAsTyped(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ typed, shown, sent, folded string }{
		{"annie@example.com", "annie@example.com", "annie@example.com", "annie@example.com"},
		{"  Annie.Noda+Couch@Example.COM\n", "Annie.Noda+Couch@Example.COM", "Annie.Noda+Couch@example.com", "annie.noda+couch@example.com"},
		{"o'brien_x-1@mail.example.photography", "o'brien_x-1@mail.example.photography", "o'brien_x-1@mail.example.photography", "o'brien_x-1@mail.example.photography"},
		{"a@b.co", "a@b.co", "a@b.co", "a@b.co"},
		{"vince@Bücher.example", "vince@Bücher.example", "vince@xn--bcher-kva.example", "vince@xn--bcher-kva.example"},
		{"vince@xn--bcher-kva.example", "vince@xn--bcher-kva.example", "vince@xn--bcher-kva.example", "vince@xn--bcher-kva.example"},
		{"Zoë@example.org", "Zoë@example.org", "Zoë@example.org", "zoë@example.org"},
		{"Zoe\u0308@example.org", "Zoe\u0308@example.org", "Zoe\u0308@example.org", "zoë@example.org"},
		{"用户@例子.广告", "用户@例子.广告", "用户@xn--fsqu00a.xn--4rr70v", "用户@xn--fsqu00a.xn--4rr70v"},
		{"x@ab--cd.com", "x@ab--cd.com", "x@ab--cd.com", "x@ab--cd.com"},
		{"x@straße.example", "x@straße.example", "x@xn--strae-oqa.example", "x@xn--strae-oqa.example"},
		{"!#$%&'*+-/=?^_`{|}~@example.com", "!#$%&'*+-/=?^_`{|}~@example.com", "!#$%&'*+-/=?^_`{|}~@example.com", "!#$%&'*+-/=?^_`{|}~@example.com"},
		{strings.Repeat("a", 64) + "@example.com", strings.Repeat("a", 64) + "@example.com", strings.Repeat("a", 64) + "@example.com", strings.Repeat("a", 64) + "@example.com"},
	} {
		a := parse(t, c.typed)
		if a.String() != c.shown || a.ASCII() != c.sent || a.Fold() != c.folded {
			t.Errorf("%q is shown %q, sent %q, folded %q; want %q, %q, %q", c.typed, a, a.ASCII(), a.Fold(), c.shown, c.sent, c.folded)
		}
	}
}

func TestARefusedAddressSaysWhy(t *testing.T) {
	t.Parallel()
	label := strings.Repeat("d", 60)
	for s, want := range map[string]error{
		"":                                       email.ErrAddress,
		"annie":                                  email.ErrAddress,
		"@example.com":                           email.ErrAddress,
		"annie@localhost":                        email.ErrAddress,
		"annie@@example.com":                     email.ErrAddress,
		"annie noda@example.com":                 email.ErrAddress,
		".annie@example.com":                     email.ErrAddress,
		"annie.@example.com":                     email.ErrAddress,
		"an..nie@example.com":                    email.ErrAddress,
		"mailto:annie@example.com":               email.ErrAddress,
		"annie(home)@example.com":                email.ErrAddress,
		"＜annie＞@example.com":                    email.ErrAddress,
		"annie@":                                 email.ErrDomain,
		"annie@.com":                             email.ErrDomain,
		"annie@example.com.":                     email.ErrDomain,
		"annie@example..com":                     email.ErrDomain,
		"annie@-example.com":                     email.ErrDomain,
		"annie@example-.com":                     email.ErrDomain,
		"annie@exam_ple.com":                     email.ErrDomain,
		"annie@exam ple.com":                     email.ErrDomain,
		"annie@[192.0.2.1]":                      email.ErrDomain,
		"annie@192.0.2.1":                        email.ErrDomain,
		"annie@example.c":                        email.ErrDomain,
		"annie@xn--a.com":                        email.ErrDomain,
		"Annie <annie@example.com>":              email.ErrName,
		"<annie@example.com>":                    email.ErrName,
		"annie@example.com, vince@example.com":   email.ErrSeveral,
		"annie@example.com;vince@example.com":    email.ErrSeveral,
		"annie@example.com vince@example.com":    email.ErrSeveral,
		`"annie noda"@example.com`:               email.ErrQuoted,
		"annie@example.com\r\nBcc: x@evil.test":  email.ErrHidden,
		"an\x00nie@example.com":                  email.ErrHidden,
		"annie\u202e@example.com":                email.ErrHidden,
		"annie\u200b@example.com":                email.ErrHidden,
		"annie@exa\u2066mple.com":                email.ErrHidden,
		"annie@exam\u00adple.com":                email.ErrHidden,
		"an\xffnie@example.com":                  email.ErrHidden,
		"an\u2028nie@example.com":                email.ErrHidden,
		strings.Repeat("a", 65) + "@example.com": email.ErrLong,
		"a@" + label + "." + label + "." + label + "." + label + ".example.com":                        email.ErrDomain,
		strings.Repeat("a", 60) + "@" + label + "." + label + "." + label + "." + label[:20] + ".test": email.ErrLong,
		strings.Repeat("a", 5000): email.ErrLong,
	} {
		a, err := email.Parse(s)
		if err != want || !a.IsZero() {
			t.Errorf("%q: %q, %v; want %v", s, a, err, want)
		}
		if err != nil && !errors.Is(err, fault.Invalid) {
			t.Errorf("%q: not a sentence for the person: %v", s, err)
		}
	}
}

func TestCountingLooksThroughDotsAndTags(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"An.Nie.Noda+couch+2@Example.com": "annienoda@example.com",
		"+tag@example.com":                "+tag@example.com",
		"annienoda@example.com":           "annienoda@example.com",
	} {
		if got := parse(t, s).CountingKey(); got != want {
			t.Errorf("%q counts as %q, want %q", s, got, want)
		}
	}
	if a, b := parse(t, "an.nie@example.com"), parse(t, "annie@example.com"); a.Fold() == b.Fold() {
		t.Error("a dot makes another mailbox, and Fold lost it")
	}
}

func TestNoAddressIsNothing(t *testing.T) {
	t.Parallel()
	var none email.Address
	if !none.IsZero() || none.String()+none.ASCII()+none.Fold()+none.CountingKey() != "" {
		t.Errorf("the zero address is %q", none)
	}
}

func TestAddressesStayOutOfLogs(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).Info("sent", "to", parse(t, "annie@example.com"))
	if strings.Contains(out.String(), "annie") || !strings.Contains(out.String(), "[address]") {
		t.Errorf("the log says %s", out.String())
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"Annie.Noda+x@Example.COM", "用户@例子.广告", "İ@İ.com", "ſ@ẞ.example", "Ⱥ@example.com", "a@xn--bcher-kva.de", "a@b。example", "K\u0301@example.com", "\u0958@example.com", "a@ב.example"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := email.Parse(s)
		if err != nil {
			if !a.IsZero() || !errors.Is(err, fault.Invalid) {
				t.Fatalf("%q: %q with %v", s, a, err)
			}
			return
		}
		for name, again := range map[string]string{"String": a.String(), "ASCII": a.ASCII(), "Fold": a.Fold()} {
			b, err := email.Parse(again)
			if err != nil || b.String() != again || b.Fold() != a.Fold() || b.ASCII() != strings.ReplaceAll(b.ASCII(), " ", "") {
				t.Fatalf("%q: %s %q came back as %q, %q, %v", s, name, again, b, b.Fold(), err)
			}
		}
		if len(a.ASCII()) > 254 || strings.ContainsAny(a.ASCII(), "\r\n\x00 <>,;\"") || a.CountingKey() == "" {
			t.Fatalf("%q: %q, %q", s, a.ASCII(), a.CountingKey())
		}
	})
}
