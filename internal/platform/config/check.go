package config

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"icouch/internal/base/email"
	"icouch/internal/platform/mail"
)

// Check says what is wrong with the settings, a sentence for each.
func (s Serve) Check() error {
	return errors.Join(s.Place.Check(), s.Site.Check(), s.Mail.Check(), s.checkClamd(), s.checkMessages(), s.checkDev())
}

// checkDev keeps the page with every letter, and the links in them, from all
// machines but this one.
func (s Serve) checkDev() error {
	if !s.Dev || s.SMTP != "" { // with a mail server there is no such page
		return nil
	}
	u, err := url.Parse(s.Base())
	host, _, _ := net.SplitHostPort(s.Listen)
	if err == nil && loopback(u.Hostname()) && loopback(host) {
		return nil
	}
	return errors.New("--dev shows every letter, and the links in them, to whoever asks: it is for this machine alone, so --listen and --url must be localhost")
}

func (s Serve) checkClamd() error {
	if _, err := s.Scanner(); err != nil {
		return fmt.Errorf("--clamd must be written as host:port, or as the path of a socket, like /run/clamav/clamd.ctl, and not %q", s.Clamd)
	}
	return nil
}

func (s Serve) checkMessages() error {
	if s.Messages < 0 {
		return errors.New("--messages says how many messages one person can write in five minutes: 1 or more, or 0 for as many as is usual")
	}
	return nil
}

// Check says what is wrong with the place.
func (p Place) Check() error {
	if p.Data == "" {
		return errors.New("--data is empty: name a directory")
	}
	if p.Database != "" && !p.Postgres() {
		return errors.New("--database must begin with postgres://; for SQLite leave it out, and the data directory is used")
	}
	return p.checkFiles()
}

// checkFiles repeats nothing of the address: somebody may have put the secret
// into it.
func (p Place) checkFiles() error {
	_, err := p.Blobs()
	switch {
	case err == nil:
		return nil
	case p.FilesKey == "" || p.FilesSecret == "":
		return errors.New("--files names a bucket, and its key and secret are missing: set ICOUCH_FILES_KEY and ICOUCH_FILES_SECRET")
	}
	return errors.New("--files must be a directory, or a bucket as s3://host/bucket or s3://host/bucket/prefix, with key and secret apart from it")
}

// Check says what is wrong with the address of the site.
func (s Site) Check() error {
	var wrong []error
	if _, _, err := net.SplitHostPort(s.Listen); err != nil {
		wrong = append(wrong, fmt.Errorf("--listen must be written as host:port, like localhost:8080, and not %q", s.Listen))
	}
	wrong = append(wrong, checkURL(s.Base()))
	if strings.TrimSpace(s.Brand) == "" {
		wrong = append(wrong, errors.New("--brand is empty: give the product a name"))
	}
	wrong = append(wrong, checkEmail("--support", s.Support))
	if (s.TLSCert == "") != (s.TLSKey == "") {
		wrong = append(wrong, errors.New("--tls-cert and --tls-key belong together: give both or neither"))
	} else if s.TLSCert != "" {
		if _, err := tls.LoadX509KeyPair(s.TLSCert, s.TLSKey); err != nil {
			wrong = append(wrong, fmt.Errorf("the certificate of --tls-cert and --tls-key cannot be used: %w", err))
		}
	}
	for _, p := range s.Proxy {
		if _, err := proxy(p); err != nil {
			wrong = append(wrong, fmt.Errorf("--proxy must be an address or a range, like 10.0.0.1 or 10.0.0.0/8, and not %q", p))
		}
	}
	if n := len(s.BounceKey); n > 0 && n < 16 {
		wrong = append(wrong, errors.New("--bounce-key is short enough to be guessed: use 16 characters or more"))
	}
	return errors.Join(wrong...)
}

// checkURL wants https, except of this machine alone: over plain HTTP a
// password could be read on the way.
func checkURL(base string) error {
	u, err := url.Parse(base)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("--url must be a whole address, like https://couch.example.org, and not %q", base)
	case u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return errors.New("--url must be an address without a path: the site needs a name of its own")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return errors.New("--url must begin with https:// unless it is this machine alone (localhost): over plain HTTP passwords could be read on the way")
	}
	return nil
}

// Check says what is wrong with the mail settings. It connects to nothing.
func (m Mail) Check() error {
	wrong := []error{checkSMTP(m.SMTP), checkEmail("--from", m.From), checkEmail("--bounces", m.Bounces)}
	if m.SMTP == "" {
		return errors.Join(wrong...)
	}
	if m.From == "" {
		wrong = append(wrong, errors.New("--from is missing: a mail server is set up, but not the address letters are from"))
	}
	if n := given(m.DKIMDomain, m.DKIMSelector, m.DKIMKey); n != 0 && n != 3 {
		return errors.Join(append(wrong, errors.New("--dkim-domain, --dkim-selector and --dkim-key belong together: give all three or none"))...)
	}
	if errors.Join(wrong...) == nil {
		_, err := m.Sender("localhost", func() time.Time { return time.Time{} })
		wrong = append(wrong, err)
	}
	return errors.Join(wrong...)
}

// Sender opens the mail server, as which host we introduce ourselves. It
// connects to nothing yet. Without a mail server there is none.
func (m Mail) Sender(host string, clock Clock) (*mail.SMTP, error) {
	if m.SMTP == "" {
		return nil, nil
	}
	o := mail.Options{From: m.From, Hostname: host, Clock: clock}
	if m.DKIMKey != "" {
		pem, err := os.ReadFile(m.DKIMKey)
		if err != nil {
			return nil, fmt.Errorf("--dkim-key cannot be read: %w", err)
		}
		o.DKIM = mail.DKIM{Domain: m.DKIMDomain, Selector: m.DKIMSelector, KeyPEM: pem}
	}
	s, err := mail.Open(m.SMTP, o)
	if err != nil {
		return nil, fmt.Errorf("--smtp: %w", err)
	}
	return s, nil
}

func checkSMTP(server string) error {
	if server == "" || strings.HasPrefix(server, "smtp://") || strings.HasPrefix(server, "smtps://") {
		return nil
	}
	return errors.New("--smtp must begin with smtp:// or smtps://, like smtp://user:password@mail.example.org:587")
}

func given(settings ...string) (n int) {
	for _, s := range settings {
		if s != "" {
			n++
		}
	}
	return n
}

func checkEmail(flag, s string) error {
	if s == "" {
		return nil
	}
	if _, err := email.Parse(s); err != nil {
		return fmt.Errorf("%s must be an e-mail address, like name@example.com, and not %q", flag, s)
	}
	return nil
}

// proxy reads an address or a range.
func proxy(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	return netip.ParsePrefix(s)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func trimSlash(s string) string { return strings.TrimRight(s, "/") }
