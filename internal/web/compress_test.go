package web

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

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
