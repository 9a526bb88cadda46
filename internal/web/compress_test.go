package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"icouch/internal/world"
)

func TestAPageIsPackedForABrowserThatUnpacks(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	site := serve(t, w)
	page := func(accepts string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, world.Base+"/crisis", nil)
		r.Header.Set("Accept-Encoding", accepts)
		answer := httptest.NewRecorder()
		site.Handler().ServeHTTP(answer, r)
		return answer
	}
	plain, packed := page("br, identity"), page("gzip, deflate, br")
	if plain.Header().Get("Content-Encoding") != "" || packed.Header().Get("Content-Encoding") != "gzip" {
		t.Fatalf("sent as %q and %q, want as it is and as gzip", plain.Header().Get("Content-Encoding"), packed.Header().Get("Content-Encoding"))
	}
	short := packed.Body.Len()
	z, err := gzip.NewReader(packed.Body)
	if err != nil {
		t.Fatal(err)
	}
	read, err := io.ReadAll(z)
	if err != nil || len(read) != plain.Body.Len() || short*2 > len(read) {
		t.Errorf("%d bytes are %d when unpacked, want %d (%v)", short, len(read), plain.Body.Len(), err)
	}
}

// What is packed is read again with another hand's gzip: pages of every length,
// one after the other through the same packers.
func TestWhatIsPackedIsReadAsItWas(t *testing.T) {
	t.Parallel()
	row := "<td><a href=\"/people/0199\">Annie Noda</a> <small>annie.noda@example.com</small></td>"
	rapid.Check(t, func(rt *rapid.T) {
		page := strings.Repeat(row, rapid.IntRange(20, 3000).Draw(rt, "rows")) + rapid.String().Draw(rt, "words") +
			string(rapid.SliceOfN(rapid.Byte(), 0, 3000).Draw(rt, "bytes"))
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Accept-Encoding", "gzip")
		answer := httptest.NewRecorder()
		send(answer, r, http.StatusOK, bytes.NewBufferString(page))
		z, err := gzip.NewReader(answer.Body)
		if err != nil {
			rt.Fatal(err)
		}
		if read, err := io.ReadAll(z); err != nil || string(read) != page {
			rt.Fatalf("%d bytes are %d when unpacked (%v)", len(page), len(read), err)
		}
	})
}
