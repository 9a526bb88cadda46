package assets

import (
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/andybalholm/brotli"
)

func ask(t *testing.T, method, url string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, url, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	Load().ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r io.Reader) []byte {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAnAddressCarriesTheFingerprintOfWhatItNames(t *testing.T) {
	t.Parallel()
	shape := regexp.MustCompile(`^/a/[\w/-]+\.[0-9a-f]{12}\.(css|js|svg|png|woff2)$`)
	for name, a := range Load().byName {
		if !shape.MatchString(a.url) {
			t.Errorf("%s has the address %s", name, a.url)
		}
		if a.kind == "" {
			t.Errorf("%s has no content type", name)
		}
	}
	one := small(t, "a{}")
	two := small(t, "b{}")
	if one.URL("app.css") == two.URL("app.css") {
		t.Error("a changed style sheet keeps its address, so browsers would show the old one")
	}
}

func small(t *testing.T, css string) *Set {
	t.Helper()
	s, err := build(fstest.MapFS{"css/1.css": {Data: []byte(css)}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTheBrowserGetsTheSmallestFormItReads(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ accept, want string }{
		{"gzip, deflate, br, zstd", "br"}, {"gzip", "gzip"}, {"br;q=0, gzip;q=0.5", "gzip"},
		{"BR ; q=1.0", "br"}, {"", ""}, {"identity", ""}, {"brotli", ""}, {"gzip;q=x", ""},
	} {
		res := ask(t, "GET", Load().URL("app.css"), "Accept-Encoding", c.accept)
		if got := res.Header.Get("Content-Encoding"); got != c.want {
			t.Errorf("Accept-Encoding %q gets %q, want %q", c.accept, got, c.want)
		}
		b := body(t, res.Body)
		switch c.want {
		case "br":
			b = body(t, brotli.NewReader(bytes.NewReader(b)))
		case "gzip":
			g, err := gzip.NewReader(bytes.NewReader(b))
			if err != nil {
				t.Fatal(err)
			}
			b = body(t, g)
		}
		if !bytes.Equal(b, Load().byName["app.css"].raw) {
			t.Errorf("Accept-Encoding %q gets other bytes than the style sheet", c.accept)
		}
		if res.Header.Get("Vary") != "Accept-Encoding" {
			t.Error("a cache in between may mix the forms up")
		}
	}
	if enc := ask(t, "GET", Load().URL("fonts/newsreader.woff2"), "Accept-Encoding", "br").Header.Get("Content-Encoding"); enc != "" {
		t.Errorf("a font, compressed already, is compressed again as %q", enc)
	}
}

func TestAssetsAreKeptForeverAndAskedForAgainCheaply(t *testing.T) {
	t.Parallel()
	url := Load().URL("js/app.js")
	res := ask(t, "GET", url)
	if got := res.Header.Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
		t.Errorf("Cache-Control is %q", got)
	}
	if got := ask(t, "GET", url, "If-None-Match", res.Header.Get("ETag")).StatusCode; got != http.StatusNotModified {
		t.Errorf("asked again, the answer is %d", got)
	}
	head := ask(t, "HEAD", url)
	if b := body(t, head.Body); len(b) != 0 || head.Header.Get("Content-Length") == "0" {
		t.Errorf("HEAD sends %d bytes and says %s", len(b), head.Header.Get("Content-Length"))
	}
}

func TestWhatIsNotThereIsNotFoundAndNotKept(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"/a/", "/a/app.css", "/a/app.000000000000.css", "/a/../assets.go", "/a/js/"} {
		res := ask(t, "GET", url)
		if res.StatusCode != http.StatusNotFound || res.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s is answered %d, %q", url, res.StatusCode, res.Header.Get("Cache-Control"))
		}
	}
	if got := ask(t, "POST", Load().URL("app.css")).StatusCode; got != http.StatusMethodNotAllowed {
		t.Errorf("POST is answered %d", got)
	}
}

func TestEveryAddressInTheStyleSheetLeadsSomewhere(t *testing.T) {
	t.Parallel()
	found := regexp.MustCompile(`url\(([^)]*)\)`).FindAllSubmatch(Load().byName["app.css"].raw, -1)
	if len(found) < 5 {
		t.Fatalf("only %d addresses found; this test proves nothing", len(found))
	}
	for _, m := range found {
		url := strings.Trim(string(m[1]), `"'`)
		if got := ask(t, "GET", url).StatusCode; got != http.StatusOK {
			t.Errorf("url(%s) is answered %d", url, got)
		}
	}
	if _, err := build(fstest.MapFS{"css/1.css": {Data: []byte(`a{src:url("../fonts/no.woff2")}`)}}); err == nil {
		t.Error("a style sheet that names a missing font is taken")
	}
}

func TestEveryImportedModuleIsInTheImportMap(t *testing.T) {
	t.Parallel()
	names := Load().ImportMap()["imports"].(map[string]string)
	imports := regexp.MustCompile(`(?:import\(|import|from)\s*['"](#?[^'"]+)['"]`)
	n := 0
	for name, a := range Load().byName {
		if !strings.HasPrefix(name, "js/") {
			continue
		}
		for _, m := range imports.FindAllSubmatch(a.raw, -1) {
			n++
			if url, ok := names[string(m[1])]; !ok || ask(t, "GET", url).StatusCode != http.StatusOK {
				t.Errorf("%s imports %s, which is nowhere", name, m[1])
			}
		}
	}
	if n == 0 {
		t.Fatal("no import found; this test proves nothing")
	}
}

func TestNothingIsLargerThanItsBudget(t *testing.T) {
	t.Parallel()
	door := 0
	for _, c := range []struct {
		name string
		most int
	}{{"app.css", 12 << 10}, {"js/app.js", 3 << 10}, {"icons.svg", 5 << 10}, {"vendor/htmx.js", 14 << 10}} {
		b, enc := Load().byName[c.name].encoded("br")
		t.Logf("%s: %d bytes as %s, of %d", c.name, len(b), enc, c.most)
		if enc != "br" || len(b) > c.most {
			t.Errorf("%s is %d bytes as %q, more than %d", c.name, len(b), enc, c.most)
		}
		if !strings.HasPrefix(c.name, "vendor/") {
			door += len(b)
		}
	}
	for _, f := range []string{"atkinson-next", "newsreader", "hanken-digits"} {
		door += len(Load().byName["fonts/"+f+".woff2"].raw)
	}
	t.Logf("a first visit to a door, without its page: %d bytes", door)
	if door > 76<<10 {
		t.Errorf("a first visit to a door costs %d bytes without its page", door)
	}
}

func TestVendoredFilesAreNamedWithVersionAndLicense(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("vendor/vendor.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Libraries []struct {
			Name, Version, Integrity, Licence string
			Files                             map[string]string
		}
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{"vendor.json": true}
	for _, l := range doc.Libraries {
		if l.Name == "" || l.Version == "" || l.Licence == "" || len(l.Integrity) < sha512.Size {
			t.Errorf("incomplete: %+v", l)
		}
		for f := range l.Files {
			known[f] = true
		}
	}
	entries, err := os.ReadDir("vendor")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !known[e.Name()] {
			t.Errorf("vendor/%s belongs to no library of vendor.json", e.Name())
		}
		delete(known, e.Name())
	}
	for f := range known {
		if f != "vendor.json" {
			t.Errorf("vendor.json names %s, which is not there", f)
		}
	}
}

func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		if _, err := build(files); err != nil {
			b.Fatal(err)
		}
	}
}
