package web

import (
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"icouch/internal/base/email"
	"icouch/internal/base/id"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/world"
)

// BenchmarkSignUp is a client's way from the link to the first page: the look at
// it and the press. What counts is the processor time beside the one hash.
func BenchmarkSignUp(b *testing.B) {
	w := world.New(b)
	const many = 5000
	links := make([]string, 0, many)
	w.Update(b, func(tx *db.Tx) error {
		for i := range many {
			a, err := email.Parse("s" + strconv.Itoa(i) + "@example.com")
			if err != nil {
				return err
			}
			c := id.New[id.Client](w.Now())
			if err := people.Create(tx, w.Mara, c, people.Details{Name: people.Name{First: "Somebody"}, Email: a, EmailConsent: true}, false); err != nil {
				return err
			}
			t, err := people.CopyLink(tx, w.Mara, c)
			if err != nil {
				return err
			}
			links = append(links, t.Reveal())
		}
		return nil
	})
	// Without its cost, the rest is seen.
	w.Doorman.Hasher = w.Doorman.Hasher.With(func(_, salt []byte, _, _ uint32, _ uint8, n uint32) []byte { return append(salt, salt...)[:n] })
	s := serve(b, w)
	n := 0
	send := func(method string, body string) {
		r := httptest.NewRequestWithContext(b.Context(), method, world.Base+"/join/"+links[n], strings.NewReader(body))
		r.RemoteAddr = "10.0." + strconv.Itoa(n/250) + "." + strconv.Itoa(n%250+1) + ":99"
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		rec := httptest.NewRecorder()
		s.handler.ServeHTTP(rec, r)
		if rec.Code >= 400 {
			b.Fatalf("status %d: %s", rec.Code, clip(rec.Body.String()))
		}
	}
	b.ReportAllocs()
	before := cpu()
	for b.Loop() {
		send("GET", "")
		send("POST", "password=a+quiet+river+by+the+mill")
		n++
	}
	b.ReportMetric(float64((cpu()-before).Microseconds())/float64(b.N), "cpu-us/sign-up")
}
