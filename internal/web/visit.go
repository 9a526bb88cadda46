package web

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
	"unicode"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/audit"
	"icouch/internal/base/fault"
	"icouch/internal/base/secret"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/support"
)

// visit is one request, as far as it is known who makes it.
type visit struct {
	reference string // to find the log line by
	nonce     string // of this answer's scripts
	actor     access.Actor
	session   account.Session
	token     secret.Token // of the session
	known     *known       // nil: a guest
	failure   error        // what the log line says went wrong
	look      audit.Look   // whose records the answer shows
	unlogged  bool         // as the route says
}

type visitKey struct{}

func visitOf(r *http.Request) *visit {
	v, ok := r.Context().Value(visitKey{}).(*visit)
	if !ok { // every request passes observe
		panic("web: a request without a visit")
	}
	return v
}

func withVisit(r *http.Request) *http.Request {
	v := &visit{reference: rand.Text()[:12], nonce: rand.Text()}
	return r.WithContext(audit.Looking(context.WithValue(r.Context(), visitKey{}, v), &v.look))
}

// identify finds out who asks, by the session's cookie. A cookie that means
// nothing any more is a guest's.
func (s *Site) identify(v *visit, r *http.Request) error {
	if err := s.recognize(v, r); err != nil || v.known == nil {
		return err
	}
	if s.DB.Clock().Sub(v.session.SeenAt.Time) > time.Minute && !background(r) {
		return account.Seen(r.Context(), s.DB, v.session)
	}
	return nil
}

// recognize is identify, and no use of the session.
func (s *Site) recognize(v *visit, r *http.Request) error {
	cookie, err := r.Cookie(s.sessionCookie())
	if err != nil {
		return nil
	}
	token := secret.ParseToken(cookie.Value)
	k, err := s.recall(r.Context(), token)
	if err != nil || k == nil {
		return err
	}
	v.token, v.known, v.session, v.actor = token, k, k.session, k.actor
	return nil
}

// recall returns who a token stands for, or nil if it is nobody any more.
func (s *Site) recall(ctx context.Context, token secret.Token) (*known, error) {
	if k := s.visitors.find(string(token.Hash()), s.DB.Clock()); k != nil {
		return k, nil
	}
	k, err := s.lookUp(ctx, token)
	if errors.Is(err, db.None) {
		return nil, nil
	}
	return k, err
}

// lookUp reads who a token stands for, and remembers them. What had changed is
// noted before the reading: what changes during it is then not remembered.
func (s *Site) lookUp(ctx context.Context, token secret.Token) (*known, error) {
	return s.lookUpHash(ctx, token.Hash())
}

func (s *Site) lookUpHash(ctx context.Context, hash []byte) (*known, error) {
	k := &known{read: s.DB.Clock()}
	k.unread.Store(uncounted)
	changes, clients := s.visitors.mark()
	err := s.DB.View(ctx, func(tx *db.Tx) (err error) {
		if k.session, err = account.LookupHash(tx, hash); err != nil {
			return err
		}
		if k.actor, err = support.Enter(tx, k.session); err != nil {
			return err
		}
		k.until, err = people.OpenUntil(tx, k.actor)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.visitors.keep(string(hash), k, changes, clients)
	return k, nil
}

// background reports whether a request was made by the page and not the person.
func background(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Accept"), "text/event-stream") || r.URL.Path == "/csp" || r.URL.Path == "/session/over" || r.URL.Path == "/messages/unread" || r.URL.Path == "/messages/here"
}

// sessionCookie is the cookie's name. The prefix has browsers refuse it unless
// it came over TLS, from this host alone.
func (s *Site) sessionCookie() string {
	if s.secure() {
		return "__Host-session"
	}
	return "session"
}

func (s *Site) deviceCookie() string {
	if s.secure() {
		return "__Host-device"
	}
	return "device"
}

// entryCookie is for whoever has shown the password and not yet the second step.
func (s *Site) entryCookie() string {
	if s.secure() {
		return "__Host-entry"
	}
	return "entry"
}

func (s *Site) setCookie(w http.ResponseWriter, name string, t secret.Token, life time.Duration) {
	c := &http.Cookie{Name: name, Value: t.Reveal(), Path: "/", HttpOnly: true, Secure: s.secure(), SameSite: http.SameSiteLaxMode}
	if life > 0 {
		c.MaxAge = int(life.Seconds())
	}
	http.SetCookie(w, c)
}

func (s *Site) dropCookie(w http.ResponseWriter, name string) {
	http.SetCookie(w, &http.Cookie{Name: name, Path: "/", HttpOnly: true, Secure: s.secure(), SameSite: http.SameSiteLaxMode, MaxAge: -1})
}

// deviceLife is how long a browser is remembered as one that has signed in before.
const deviceLife = 400 * 24 * time.Hour

// begin signs a person in, in this transaction: a new session in a place, and
// the browser remembered. One that is new to their account is told of. Use the
// returned function once tx has committed.
func (s *Site) begin(tx *db.Tx, r *http.Request, who access.Actor, e account.Entry) (set func(http.ResponseWriter), err error) {
	if e.Terms, err = people.TermsOf(tx, e.Place); err != nil {
		return nil, err
	}
	e.Browser, e.Network = browserWords(r.UserAgent()), s.from(r)
	if err := account.Announce(tx, who, who.Account(), s.device(r), e.Browser); err != nil {
		return nil, err
	}
	session, err := account.Begin(tx, who, who.Account(), e)
	if err != nil {
		return nil, err
	}
	device, err := account.Remember(tx, who, who.Account())
	if err != nil {
		return nil, err
	}
	return func(w http.ResponseWriter) {
		s.setCookie(w, s.sessionCookie(), session, 0)
		s.setCookie(w, s.deviceCookie(), device, deviceLife)
		s.dropCookie(w, s.entryCookie())
	}, nil
}

// browserWords says in words which browser and system a request names, or "".
// The words are ours: a stranger's browser may say anything, and it stands in letters.
func browserWords(agent string) string {
	find := func(names [][2]string) string {
		for _, n := range names {
			if strings.Contains(agent, n[0]) {
				return n[1]
			}
		}
		return ""
	}
	browser := find([][2]string{{"Edg/", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"}, {"CriOS/", "Chrome"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}})
	system := find([][2]string{{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"Mac OS X", "Mac"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"}})
	if browser == "" || system == "" {
		return browser + system
	}
	return browser + " on " + system
}

// device is the token of a browser that has signed in before.
func (s *Site) device(r *http.Request) secret.Token {
	c, err := r.Cookie(s.deviceCookie())
	if err != nil {
		return secret.NewToken() // one that nobody knows
	}
	return secret.ParseToken(c.Value)
}

// from is the address a request comes from, without its port. Behind a proxy
// that is named as ours, it is the last address that the proxy was told.
func (s *Site) from(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && s.isProxy(host); i-- {
		hop := strings.TrimSpace(hops[i])
		if _, err := netip.ParseAddr(hop); err != nil {
			break
		}
		host = hop
	}
	if a, err := netip.ParseAddr(host); err == nil && a.Is6() && !a.Is4In6() { // one household has a /64
		if p, err := a.WithZone("").Prefix(64); err == nil {
			return p.String()
		}
	}
	return host
}

func (s *Site) isProxy(host string) bool {
	a, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	for _, p := range s.Proxies {
		if p.Contains(a.Unmap()) {
			return true
		}
	}
	return false
}

// askToSignIn leads to the sign-in page, and from there back here.
func (s *Site) askToSignIn(w http.ResponseWriter, r *http.Request) {
	to := "/sign-in"
	if next := localPath(r.URL.Path); next != "" && next != "/dashboard" {
		to += "?next=" + url.QueryEscape(next)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// localPath returns a path of ours that somebody may be sent back to, or "".
func localPath(p string) string {
	if len(p) > 200 || !strings.HasPrefix(p, "/") || strings.HasPrefix(p, "//") || strings.ContainsAny(p, `\?#`) || strings.ContainsFunc(p, unicode.IsControl) {
		return ""
	}
	return p
}

// problemsOf turns what went wrong with a form into what the form says. It is
// empty if the mistake was ours.
func problemsOf(err error) (told []fault.Told, status int) {
	if told = fault.Each(err); told != nil {
		return told, statusOf(err)
	}
	if db.Unavailable(err) {
		return []fault.Told{{Sentence: "We could not save this just now. What you typed is still here. Please try again in a minute."}}, http.StatusServiceUnavailable
	}
	return nil, 0
}
