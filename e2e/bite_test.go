package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
)

// A check that finds nothing is worth something only if it finds what is there:
// each of these spoils the sign-in page in one way, on its way to the browser.
func TestTheChecksBite(t *testing.T) {
	t.Parallel()
	p := serve(t)
	for _, tt := range []struct{ name, from, to, finds string }{
		{"nothing is spoiled", "", "", ""},
		{"a field without a label", `<label for="f-email">`, `<label>`, "axe: label"},
		{"a style in the page", `<h1>`, `<h1 style="color: red">`, "refused by the policy: style-src-attr"},
		{"a script in the page", `<h1>`, `<script>document.title = ''</script><h1>`, "refused by the policy: script-src-elem inline"},
		{"a picture from elsewhere", `<h1>`, `<img alt="" src="http://127.0.0.2:9/x.png"><h1>`, "refused by the policy: img-src"},
		{"a form that leads elsewhere", `<h1>`, `<link rel="dns-prefetch" href="//elsewhere.invalid"><link rel="stylesheet" href="http://127.0.0.2:9/x.css"><h1>`, "refused by the policy: style-src-elem"},
		{"two heads", `<h1>`, `<h1>More</h1><h1>`, "2 heads of the first order"},
		{"a title with a name", `<title>Sign in`, `<title>Annie Noda`, "is not neutral"},
		{"a wide table", `<h1>`, `<svg width="360" height="9" aria-hidden="true"></svg><h1>`, "on a screen of 320 px"},
		{"a wider table", `<h1>`, `<svg width="960" height="9" aria-hidden="true"></svg><h1>`, "px wider than the screen"},
		{"no language", `lang="en"`, ``, "no language"},
		{"something that is not there", `<h1>`, `<img alt="" src="/nowhere.png"><h1>`, "Failed to load resource"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := visit(t, spoil(t, p, tt.from, tt.to), phone)
			v.open("/sign-in")
			found := strings.Join(v.problems(200), "\n")
			if !strings.Contains(found, tt.finds) || tt.finds == "" && found != "" {
				t.Errorf("found:\n%s\nwant %q", found, tt.finds)
			}
		})
	}
	t.Cleanup(func() { p.log.forget() })
}

// What a page was refused reaches the program's log, too, and the log is looked
// at after every journey.
func TestAReportOfARefusalIsHeard(t *testing.T) {
	t.Parallel()
	p := serve(t)
	v := visit(t, spoil(t, p, `<h1>`, `<h1 style="color: red">`), desktop)
	v.open("/sign-in")
	wait(t, "the browser to report", func() bool { return p.log.lines("page refused") != nil })
	p.log.forget()
}

// forget empties a log that holds what a test put there on purpose.
func (l *log) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Reset()
}

// spoil stands in front of the program and changes each page on its way.
func spoil(t *testing.T, p *program, from, to string) string {
	t.Helper()
	target, err := url.Parse(p.base)
	if err != nil {
		t.Fatal(err)
	}
	front := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Header.Del("Accept-Encoding")
		},
		ModifyResponse: func(r *http.Response) error {
			if !strings.HasPrefix(r.Header.Get("Content-Type"), "text/html") {
				return nil
			}
			page, err := io.ReadAll(r.Body)
			if err != nil {
				return err
			}
			if from != "" && !bytes.Contains(page, []byte(from)) {
				return fmt.Errorf("the page has no %s", from)
			}
			page = bytes.ReplaceAll(page, []byte(from), []byte(to))
			if from == "" {
				page = bytes.TrimSpace(page)
			}
			r.Body = io.NopCloser(bytes.NewReader(page))
			r.ContentLength = int64(len(page))
			r.Header.Del("Content-Length")
			return nil
		},
	}
	s := httptest.NewServer(front)
	t.Cleanup(s.Close)
	return strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
}
