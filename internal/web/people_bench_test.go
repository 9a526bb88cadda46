package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"icouch/internal/base/email"
	"icouch/internal/base/id"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/world"
)

// BenchmarkPeoplePage is the list as a practitioner opens it: session, names,
// counts, fifty rows. What counts is CPU a page; the goal is 0.6 ms.
func BenchmarkPeoplePage(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			w := world.New(b)
			seed(b, w, n)
			browser := serve(b, w).browser(b, w).as(mara)
			for _, page := range listPages {
				b.Run(page.name, func(b *testing.B) { browser.measure(b, page.path, page.form, page.packed) })
			}
		})
	}
}

var listPages = []struct {
	name, path string
	form       url.Values
	packed     bool // as browsers ask for it
}{
	{"first", "/people", nil, false},
	{"packed", "/people", nil, true},
	{"invited", "/people?filter=invited", nil, false},
	{"status", "/people?sort=status&page=3", nil, false},
	{"search", "/people/search", url.Values{"q": {"person 9"}}, false},
	{"rare", "/people/search", url.Values{"q": {"p777@"}}, false},
}

// measure asks for one page again and again.
func (b *browser) measure(bench *testing.B, path string, form url.Values, packed bool) {
	bench.Helper()
	method := http.MethodGet
	if form != nil {
		method = http.MethodPost
	}
	ask := func() *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(bench.Context(), method, world.Base+path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		r.AddCookie(&http.Cookie{Name: b.site.sessionCookie(), Value: b.cookies[b.site.sessionCookie()]})
		if packed {
			r.Header.Set("Accept-Encoding", "gzip")
		}
		rec := httptest.NewRecorder()
		b.site.handler.ServeHTTP(rec, r)
		return rec
	}
	if rec := ask(); rec.Code != http.StatusOK || packed != (rec.Header().Get("Content-Encoding") == "gzip") || !packed && !strings.Contains(rec.Body.String(), "Person") {
		bench.Fatalf("status %d", rec.Code)
	}
	bench.ReportAllocs()
	before := cpu()
	for bench.Loop() {
		ask()
	}
	bench.ReportMetric(float64((cpu()-before).Microseconds())/float64(bench.N), "cpu-us/page")
}

// cpu is how long this process has computed.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // cannot fail for oneself
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// seed makes so many clients of Mara's; every fourth is invited.
func seed(b *testing.B, w *world.World, n int) {
	b.Helper()
	const each = 5_000
	for from := 0; from < n; from += each {
		w.Update(b, func(tx *db.Tx) error {
			for i := from; i < min(n, from+each); i++ {
				a, err := email.Parse(fmt.Sprintf("p%d@example.com", i))
				if err != nil {
					return err
				}
				d := people.Details{Name: people.Name{First: "Person", Last: fmt.Sprintf("%d of many", i)}, Email: a, EmailConsent: true}
				if err := people.Create(tx, w.Mara, id.New[id.Client](w.Now()), d, i%4 == 0 && i < 4_000); err != nil {
					return err
				}
			}
			return nil
		})
	}
}
