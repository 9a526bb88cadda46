package web

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"time"

	"icouch/internal/audit"
	"icouch/internal/base/fault"
)

// observe makes a visit of a request, catches what panics, and writes one line
// when it is over: the route's pattern and never the path, which may hold a
// link; who, as an identifier; nothing that anybody typed.
func (s *Site) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = withVisit(r)
		began := time.Now()
		seen := &statusWriter{ResponseWriter: w, status: http.StatusOK, site: s, r: r}
		defer func() {
			v := visitOf(r)
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler {
					panic(p)
				}
				v.failure = panicked(p)
				if !seen.wrote {
					s.fail(seen, r, v.failure)
				}
			}
			s.log(r, v, seen, time.Since(began))
		}()
		next.ServeHTTP(seen, r)
	})
}

// panicked says where something panicked, to who has just recovered from it:
// what it says itself may hold anything.
func panicked(p any) error {
	_, file, line, _ := runtime.Caller(3)
	return fmt.Errorf("panicked: %T near %s:%d", p, file, line)
}

func (s *Site) log(r *http.Request, v *visit, seen *statusWriter, took time.Duration) {
	if v.unlogged && v.failure == nil {
		return
	}
	pattern := r.Pattern
	if pattern == "" {
		pattern = "none"
	}
	line := []any{"route", pattern, "status", seen.status, "took", took.Round(time.Microsecond), "reference", v.reference}
	if !seen.wrote && r.Context().Err() != nil { // the browser went away, and was sent nothing
		line[2], line[3] = "gone", true
	}
	if v.actor.SignedIn() && !v.unlogged && pattern != "GET /crisis" { // whose page says that nobody keeps who opens it
		line = append(line, "by", v.actor)
	}
	if v.failure != nil {
		s.Log.ErrorContext(r.Context(), "request", append(line, "err", v.failure)...)
		return
	}
	s.Log.InfoContext(r.Context(), "request", line...)
}

// statusWriter is what an answer is written to. Before its first byte goes out,
// what it shows of anybody's record is on the disk; if it cannot be, another
// answer goes out in its place, and nothing of the first.
type statusWriter struct {
	http.ResponseWriter
	status int
	wrote  bool
	barred bool // what the handler writes is thrown away
	site   *Site
	r      *http.Request
}

func (w *statusWriter) WriteHeader(status int) {
	if w.barred {
		return
	}
	if !w.wrote {
		if look := &visitOf(w.r).look; !look.Empty() && !leadsOn(status) && !w.noted(look) {
			return
		}
		w.status, w.wrote = status, true
	}
	w.ResponseWriter.WriteHeader(status)
}

// leadsOn reports whether an answer with this status only leads elsewhere.
func leadsOn(status int) bool { return status >= 300 && status < 400 }

func (w *statusWriter) Write(b []byte) (int, error) {
	if !w.wrote && !w.barred {
		w.WriteHeader(http.StatusOK)
	}
	if w.barred {
		return len(b), nil
	}
	return w.ResponseWriter.Write(b)
}

// errUnseen is the answer when what would be shown cannot be noted.
var errUnseen = errors.New("web: what is shown cannot be noted")

// noted has a look written down, and reports whether the answer may go out.
func (w *statusWriter) noted(look *audit.Look) bool {
	v := visitOf(w.r)
	err := w.site.scribe.Write(look, v.reference)
	look.Forget()
	if err == nil {
		return true
	}
	for _, name := range []string{"Content-Encoding", "Content-Disposition", "Content-Length", "Content-Type"} {
		w.Header().Del(name)
	}
	w.site.fail(w, w.r, fmt.Errorf("%w: %w", errUnseen, err))
	w.barred = true
	return false
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// errOtherHost is the answer to a request that was meant for another name.
var errOtherHost = fault.New(fault.NotFound, "This site is not known by that name.")

// guard sets what every answer carries, whatever comes of it, and refuses
// requests that came to another name: no link is ever made from what a request says.
func (s *Site) guard(next http.Handler) http.Handler {
	own, err := url.Parse(s.House.Base)
	if err != nil {
		panic("web: the site's address cannot be read")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.headers(w.Header(), visitOf(r).nonce)
		if !sameHost(r.Host, own.Host) && !loopback(r.Host) || r.Header.Get("X-Forwarded-Host") != "" && !sameHost(r.Header.Get("X-Forwarded-Host"), own.Host) {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			w.WriteHeader(http.StatusMisdirectedRequest)
			fmt.Fprintln(w, errOtherHost.Public)
			return
		}
		if r.Header.Get("Sec-Purpose") != "" && r.Method == http.MethodGet { // a prefetch is not somebody reading
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Site) headers(h http.Header, nonce string) {
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'nonce-"+nonce+"' 'strict-dynamic'; style-src 'self'; img-src 'self'; "+
		"font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "+
		"require-trusted-types-for 'script'; trusted-types htmx app; report-to csp")
	h.Set("Reporting-Endpoints", `csp="/csp"`)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "same-origin") // with no-referrer, older browsers send forms without an origin
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Robots-Tag", "noindex, nofollow")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), display-capture=(), payment=(), usb=(), interest-cohort=()")
	if s.secure() {
		h.Set("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
	}
}

func sameHost(a, b string) bool { return bareHost(a) == bareHost(b) }

func bareHost(h string) string {
	if host, _, err := net.SplitHostPort(h); err == nil {
		return host
	}
	return h
}

// loopback reports whether a request names this machine itself: health checks,
// and people who try the program out.
func loopback(h string) bool {
	h = bareHost(h)
	if h == "localhost" {
		return true
	}
	ip := net.ParseIP(h)
	return ip != nil && ip.IsLoopback()
}
