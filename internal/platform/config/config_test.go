package config_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"icouch/internal/platform/config"
)

// grammar is a command line with one command, which keeps what it was told.
type grammar struct {
	Serve command `cmd:""`
}

type command struct {
	config.Serve `embed:""`
}

func (*command) Run(context.Context) error { return nil }

func read(t *testing.T, args ...string) config.Serve {
	t.Helper()
	var g grammar
	var out bytes.Buffer
	c, err := config.Read(&g, "", append([]string{"serve"}, args...), config.IO{Out: &out, Err: &out})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return g.Serve.Serve
}

func TestWithoutSettingsEverythingIsOnThisMachine(t *testing.T) {
	t.Parallel()
	s := read(t)
	if err := s.Check(); err != nil {
		t.Errorf("the defaults cannot be used: %v", err)
	}
	if s.Base() != "http://localhost:8080" || s.DatabaseURL() != "data/icouch.db" || s.KeyFile() != "data/root.key" || s.Brand != "iCouch" {
		t.Errorf("got %s %s %s %s", s.Base(), s.DatabaseURL(), s.KeyFile(), s.Brand)
	}
}

func TestTheFlagWinsOverTheEnvironment(t *testing.T) {
	t.Setenv("ICOUCH_BRAND", "Couch of the environment")
	t.Setenv("ICOUCH_SUPPORT", "help@example.com")
	t.Setenv("ICOUCH_PROXY", "10.0.0.1,192.168.0.0/16")
	s := read(t, "--brand", "Couch of the flag")
	if s.Brand != "Couch of the flag" || s.Support != "help@example.com" {
		t.Errorf("got %q, %q", s.Brand, s.Support)
	}
	if got := s.Proxies(); len(got) != 2 || got[0].String() != "10.0.0.1/32" || got[1].String() != "192.168.0.0/16" {
		t.Errorf("proxies %v", got)
	}
}

func TestWrongSettingsAreExplained(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"--url", "http://couch.example.org"}, "--url must begin with https://"},
		{[]string{"--listen", "0.0.0.0:8080"}, "--url must begin with https://"},
		{[]string{"--url", "couch.example.org"}, "--url must be a whole address"},
		{[]string{"--url", "https://example.org/couch"}, "without a path"},
		{[]string{"--listen", "8080"}, "--listen must be written as host:port"},
		{[]string{"--database", "mysql://host/x"}, "--database must begin with postgres://"},
		{[]string{"--support", "nobody"}, "--support must be an e-mail address"},
		{[]string{"--smtp", "smtp://mail.example.org:587"}, "--from is missing"},
		{[]string{"--smtp", "http://mail.example.org", "--from", "a@example.org"}, "smtp://"},
		{[]string{"--smtp", "smtp://user@mail.example.org", "--from", "a@example.org"}, "not both"},
		{[]string{"--smtp", "smtp://localhost:25", "--from", "a@example.org", "--dkim-domain", "example.org"}, "belong together"},
		{[]string{"--proxy", "everybody"}, "--proxy must be an address or a range"},
		{[]string{"--tls-cert", "cert.pem"}, "belong together"},
		{[]string{"--tls-cert", "none.pem", "--tls-key", "none.pem"}, "cannot be used"},
		{[]string{"--bounce-key", "short"}, "--bounce-key is short"},
		{[]string{"--brand", " "}, "--brand is empty"},
		{[]string{"--data", ""}, "--data is empty"},
		{[]string{"--files", "s3://host/bucket"}, "ICOUCH_FILES_SECRET"},
		{[]string{"--files", "s3://host", "--files-key", "k", "--files-secret", "s"}, "--files must be a directory"},
		{[]string{"--files", "ftp://host/bucket", "--files-key", "k", "--files-secret", "s"}, "--files must be a directory"},
		{[]string{"--clamd", "clamd"}, "--clamd must be written as host:port"},
	} {
		err := read(t, c.args...).Check()
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v: says %v, want %q", c.args, err, c.says)
		}
	}
}

func TestNoComplaintRepeatsASecret(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"--smtp", "smtp://me:hunter2@mail example.org", "--from", "a@example.org"},
		{"--smtp", "imap://me:hunter2@mail.example.org", "--from", "a@example.org"},
		{"--files", "s3://me:hunter2@host/bucket", "--files-key", "me", "--files-secret", "hunter2"},
		{"--database", "mysql://me:hunter2@host/db"},
		{"--bounce-key", "hunter2"},
	} {
		err := read(t, args...).Check()
		if err == nil {
			t.Errorf("%v is taken", args[:1])
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("says the secret: %v", err)
		}
	}
}

func TestWithoutACommandTheHelpIsShown(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	_, err := config.Read(&grammar{}, "A safe place.", nil, config.IO{Out: &out, Err: &out})
	if !errors.Is(err, config.ErrShown) || !strings.Contains(out.String(), "A safe place.") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

func TestTheDevelopersMailboxIsForThisMachineAlone(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"--dev", "--url", "https://couch.example.org"},
		{"--dev", "--listen", "0.0.0.0:8080", "--url", "http://localhost:8080"},
		{"--dev", "--listen", ":8080", "--url", "http://localhost:8080"},
	} {
		if err := read(t, args...).Check(); err == nil || !strings.Contains(err.Error(), "--dev") {
			t.Errorf("%v: %v", args, err)
		}
	}
	for _, args := range [][]string{{"--dev"}, {"--dev", "--listen", "127.0.0.1:9"}, {"--dev", "--listen", "[::1]:9"}} {
		if err := read(t, args...).Check(); err != nil {
			t.Errorf("%v: %v", args, err)
		}
	}
}

func TestFilesAreBesideTheDataUnlessSaidOtherwise(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args           []string
		bucket         bool
		where, growing string
	}{
		{nil, false, "data/files", "data/files/growth"},
		{[]string{"--files", "/mnt/files"}, false, "/mnt/files", "/mnt/files/growth"},
		{[]string{"--files", "s3://host/couch/a?region=eu-central-1", "--files-key", "k", "--files-secret", "s"}, true, "s3://host/couch/a", "data/growth"},
	} {
		s := read(t, c.args...)
		if err := s.Check(); err != nil {
			t.Errorf("%v: %v", c.args, err)
			continue
		}
		p, err := s.Blobs()
		if err != nil || p.String() != c.where || s.Growth() != c.growing || s.Bucket() != c.bucket {
			t.Errorf("%v: %v, growing in %s (%v)", c.args, p, s.Growth(), err)
		}
	}
	if c, err := read(t).Scanner(); c != nil || err != nil {
		t.Errorf("a scanner nobody asked for: %v, %v", c, err)
	}
	if c, err := read(t, "--clamd", "/run/clamav/clamd.ctl").Scanner(); c == nil || err != nil {
		t.Errorf("no scanner: %v", err)
	}
}
