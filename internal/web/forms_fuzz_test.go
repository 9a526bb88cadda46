package web

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"icouch/internal/base/secret"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/world"
)

// posts are the routes that take a form.
func posts() (all []string) {
	for _, rt := range routes {
		if method(rt.pattern) == http.MethodPost {
			all = append(all, rt.pattern)
		}
	}
	slices.Sort(all)
	return all
}

// whoTries is nobody, a practitioner, and a person who has no place yet.
var whoTries = []string{"", mara, "pat@example.com"}

// FuzzForms sends anything to every route that takes a form. Whatever comes,
// the answer is one that we meant to give.
func FuzzForms(f *testing.F) {
	w := world.New(f)
	s := serve(f, w)
	s.BounceKey = "a key"
	w.Account(f, "Pat Moor", "pat@example.com")
	var link secret.Token
	w.Update(f, func(tx *db.Tx) (err error) {
		link, err = people.CopyLink(tx, w.Mara, w.Theo)
		return err
	})
	all := posts()
	if len(all) < 30 {
		f.Fatalf("only %d routes take a form", len(all))
	}
	filled := url.Values{"first": {"Annie"}, "last": {"Noda"}, "email": {"annie@example.com"}, "name": {"Annie Noda"}, "practice": {"Quiet Rooms"}, "zone": {"Europe/London"},
		"version": {"1"}, "on": {"2030-03-14"}, "when": {"today"}, "q": {"vance"}, "note": {"hello"}, "client": {w.Theo.String()}, "place": {w.Mara.Practice().String() + "/"},
		"happened": {"something"}, "invitations": {declined}, "consent": {"yes"}, "invite": {"yes"}, "show": {"yes"}, "born-year": {"1984"}, "born-month": {"3"}, "born-day": {"27"}}
	parts, kind := multipartOf(f, filled)
	const urlencoded = "application/x-www-form-urlencoded"
	for i := range all {
		f.Add(uint8(i), uint8(1), urlencoded, "en-US", []byte(filled.Encode()))
		f.Add(uint8(i), uint8(1), kind, "\"", []byte(parts))
		f.Add(uint8(i), uint8(1), urlencoded, "\x00\xff", []byte("first=%zz&email=%&;=&%00=\xff"))
		f.Add(uint8(i), uint8(0), urlencoded+"; charset=\"", "::1, unknown", []byte("email=a%40b.example&password=%00&zone=../..&id=1&version=99999999999999999999"))
		f.Add(uint8(i), uint8(2), "multipart/form-data", "tag=*;q=1e400", []byte("--x\r\nContent-Disposition: form-data; name=\"\r\n\r\n"))
	}
	f.Fuzz(func(t *testing.T, route, who uint8, kind, odd string, body []byte) {
		w.Pass(2 * time.Hour) // so that nobody is told to come back later
		b := s.browser(t, w)
		if name := whoTries[int(who)%len(whoTries)]; name != "" {
			b.as(name)
		}
		pattern := all[int(route)%len(all)]
		to := strings.NewReplacer("{client}", w.Theo.String(), "{link}", link.Reveal()).Replace(strings.TrimPrefix(pattern, "POST "))
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, world.Base+to, bytes.NewReader(body))
		r.Header = http.Header{"Content-Type": {kind}, "Sec-Fetch-Site": {"same-origin"}, "Accept-Language": {odd}, "Accept-Encoding": {odd}, "Referer": {odd},
			"User-Agent": {odd}, "X-Forwarded-For": {odd}, "Hx-Request": {odd}, "Hx-Target": {odd}, "Authorization": {odd}, "Cookie": {"__Host-device=" + odd}}
		for name, value := range b.cookies {
			r.AddCookie(&http.Cookie{Name: name, Value: value})
		}
		rec := httptest.NewRecorder()
		s.handler.ServeHTTP(rec, r)
		if rec.Code < 200 || rec.Code >= 500 {
			t.Errorf("%s as %q answers %d: %s", pattern, whoTries[int(who)%len(whoTries)], rec.Code, s.lastLine())
		}
	})
}

func (s *served) lastLine() string {
	lines := strings.Split(strings.TrimSpace(s.log.String()), "\n")
	return lines[len(lines)-1]
}

func multipartOf(t testing.TB, form url.Values) (body, kind string) {
	t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	for name, values := range form {
		if err := m.WriteField(name, values[0]); err != nil {
			t.Fatal(err)
		}
	}
	file, err := m.CreateFormFile("file", "clients.csv")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = file.Write([]byte("First name,E-mail\nAnnie,annie@example.com\n"))
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String(), m.FormDataContentType()
}
