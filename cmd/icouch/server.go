package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"icouch/internal/platform/config"
)

// What a connection may take. The largest thing sent to us is a list of
// clients, 8 MB; the slowest answer is an export.
const (
	headerTime = 5 * time.Second
	readTime   = time.Minute
	writeTime  = time.Minute
	idleTime   = 2 * time.Minute
	headerSize = 32 << 10

	goodbye = 10 * time.Second // for requests that are under way
)

// server is the listening half of the program.
type server struct {
	http *http.Server
	tcp  net.Listener
	cert *certificate // nil: plain, or a proxy ends TLS
	down func()       // ends the streams of open pages; nil: there are none
}

func newServer(h http.Handler, s config.Site, l *slog.Logger) (*server, error) {
	sv := &server{http: &http.Server{
		Handler: h, ReadHeaderTimeout: headerTime, ReadTimeout: readTime, WriteTimeout: writeTime, IdleTimeout: idleTime,
		MaxHeaderBytes: headerSize, ErrorLog: log.New(acceptErrors{l}, "", 0),
	}}
	if s.TLSCert != "" {
		sv.cert = &certificate{cert: s.TLSCert, key: s.TLSKey, log: l}
		if err := sv.cert.read(); err != nil {
			return nil, err
		}
		sv.http.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: sv.cert.get}
	}
	tcp, err := net.Listen("tcp", s.Listen)
	if err != nil {
		if errors.Is(err, syscall.EADDRINUSE) {
			return nil, fmt.Errorf("something else listens at %s already: stop it, or choose another address with --listen", s.Listen)
		}
		return nil, fmt.Errorf("listen: %w", err)
	}
	sv.tcp = tcp
	return sv, nil
}

func (sv *server) address() string { return sv.tcp.Addr().String() }

// serve answers until ctx ends, and then what has been asked.
func (sv *server) serve(ctx context.Context) error {
	ended := make(chan error, 1)
	if sv.cert != nil {
		defer sv.cert.watch()()
		go func() { ended <- sv.http.ServeTLS(sv.tcp, "", "") }()
	} else {
		go func() { ended <- sv.http.Serve(sv.tcp) }()
	}
	select {
	case err := <-ended:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
	defer cancel()
	if sv.down != nil {
		sv.down()
	}
	if sv.http.Shutdown(last) != nil { // whoever is still reading has had their time
		_ = sv.http.Close()
	}
	<-ended
	return nil
}

// certificate is read from files, and again when the operator says so.
type certificate struct {
	cert, key string
	log       *slog.Logger
	now       atomic.Pointer[tls.Certificate]
}

func (c *certificate) read() error {
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return fmt.Errorf("certificate: %w", err)
	}
	c.now.Store(&pair)
	return nil
}

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.now.Load(), nil }

// watch reads the files again on SIGHUP, until the returned function is called.
// Files that cannot be used leave the certificate as it is.
func (c *certificate) watch() (stop func()) {
	hup, quit := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(hup, syscall.SIGHUP)
	go func() {
		for {
			select {
			case <-quit:
				return
			case <-hup:
				if err := c.read(); err != nil {
					c.log.Error("the certificate stays as it is", "err", err)
					continue
				}
				c.log.Info("certificate read again")
			}
		}
	}()
	return func() { signal.Stop(hup); close(quit) }
}

// acceptErrors logs that connections cannot be taken. What else net/http has to
// say names strangers' addresses, and is left out.
type acceptErrors struct{ log *slog.Logger }

func (a acceptErrors) Write(line []byte) (int, error) {
	if bytes.HasPrefix(line, []byte("http: Accept error")) {
		a.log.Error("connections cannot be taken", "err", string(bytes.TrimSpace(line)))
	}
	return len(line), nil
}
