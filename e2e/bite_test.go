package e2e

import (
	"bytes"
	"fmt"
	"image"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
)

// A check that finds nothing is worth something only if it finds what is there:
// each of these spoils the sign-in page, on its way to the browser.
func TestTheChecksBite(t *testing.T) {
	t.Parallel()
	p := serve(t)
	for _, tt := range []struct {
		name  string
		spoil []string // what stands on the page, and what comes in its place
		finds []string
	}{
		{"nothing is spoiled", nil, nil},
		{"a field without a label, a second head, a name in the title, no language and a style",
			[]string{`<label for="f-email">`, `<label>`, `<h1>`, `<h1>More</h1><h1 style="color: red">`, `<title>Sign in`, `<title>Annie Noda`, `lang="en"`, ``},
			[]string{"axe: label", "2 heads of the first order", "is not neutral", "no language", "refused by the policy: style-src-attr"}},
		{"a script, a picture and a style sheet from elsewhere, and something that is not there",
			[]string{`<h1>`, `<script>document.title = ''</script><img alt="" src="http://127.0.0.2:9/x.png"><link rel="stylesheet" href="http://127.0.0.2:9/x.css"><img alt="" src="/nowhere.png"><h1>`},
			[]string{"refused by the policy: script-src-elem inline", "refused by the policy: img-src", "refused by the policy: style-src-elem", "Failed to load resource"}},
		{"words that are not seen in the dark", []string{`<h1>`, `<p><font color="#333333">For the light alone</font></p><h1>`}, []string{"in the dark: axe: color-contrast"}},
		{"a line too long for a narrow screen", []string{`<h1>`, `<p><nobr>One line of words that does not fit in here</nobr></p><h1>`}, []string{"on a screen of 320 px"}},
		{"a line too long for any", []string{`<h1>`, `<p><nobr>One line of words that is as long as the line that has just come, and longer</nobr></p><h1>`}, []string{"px wider than the screen"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := visit(t, spoil(t, p, tt.spoil), phone)
			v.open("/sign-in")
			found := strings.Join(v.problems(200, ""), "\n")
			if tt.finds == nil && found != "" {
				t.Errorf("found on a page as it is:\n%s", found)
			}
			for _, want := range tt.finds {
				if !strings.Contains(found, want) {
					t.Errorf("found:\n%s\nwant %q", found, want)
				}
			}
		})
	}
	t.Cleanup(func() { p.log.forget() })
}

// What is typed as words is put on the page as more than words: once as the
// program sends its pages, and once without the policy that holds it back.
func TestTheLookForWhatRunsBites(t *testing.T) {
	t.Parallel()
	p := serve(t)
	for _, tt := range []struct {
		name, typed string
		finds       string
	}{
		{"a picture that fails", evilTag, "1 elements are somebody's"},
		{"a picture out of a quoted place", evilQuote, "1 elements are somebody's"},
		{"a script after an end", evilEnd, "the browser refused"},
		{"an address out of an attribute that is quoted once", `<input value='` + evilMail + `'>`, "1 elements are somebody's"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := visit(t, spoil(t, p, []string{`<h1>`, `<p>` + tt.typed + `</p><h1>`}), desktop)
			v.open("/sign-in")
			if found := strings.Join(v.bites(), "\n"); !strings.Contains(found, tt.finds) {
				t.Errorf("found:\n%s\nwant %q", found, tt.finds)
			}
			v.do(command(page.SetBypassCSP, page.SetBypassCSPParams{Enabled: true}))
			v.open("/sign-in")
			if found := strings.Join(v.bites(), "\n"); !strings.Contains(found, "something ran") {
				t.Errorf("without the policy found:\n%s\nwant that something ran", found)
			}
		})
	}
	t.Cleanup(func() { p.log.forget() })
}

func TestTheLookAtShapesBites(t *testing.T) {
	t.Parallel()
	p := serve(t)
	v := visit(t, spoil(t, p, []string{`<h1>`, `<a href="/" class="status">No</a><b class="avatar">Not to be read</b>` + strings.Repeat(`<p>More</p>`, 20) + `<h1>`}), phone)
	v.open("/sign-in")
	found := strings.Join(v.shape("sign-in"), "\n")
	for _, want := range []string{"too small for a finger", "cut off: <b", "the primary action ends at"} {
		if !strings.Contains(found, want) {
			t.Errorf("found:\n%s\nwant %q", found, want)
		}
	}
}

func TestAPictureShowsThatAPageLooksOtherwise(t *testing.T) {
	t.Parallel()
	p := serve(t)
	look := func(spoiled ...string) image.Image {
		v := visit(t, spoil(t, p, spoiled), phone)
		v.open("/sign-in")
		return v.picture()
	}
	plain := look()
	if d := differ(plain, look()); d > gross/10 {
		t.Errorf("a page differs from itself by %.1f %%", 100*d)
	}
	for what, spoiled := range map[string][]string{
		"a form that is gone":        {`<form `, `<form hidden `},
		"everything a line lower":    {`<h1>`, `<p>More</p><h1>`},
		"a page without its columns": {`class="doorway"`, ``},
	} {
		if d := differ(plain, look(spoiled...)); d <= gross {
			t.Errorf("%s is %.1f %% of the page, want more than %.0f", what, 100*d, 100*gross)
		}
	}
}

// Browsers report what a page was refused, too, and the log is looked at after
// every journey. Chromium sends no report to a site without TLS, so this one is
// written by hand; what a visitor's page was refused is read from the page.
func TestAReportOfARefusalIsInTheLog(t *testing.T) {
	t.Parallel()
	p := serve(t)
	const report = `[{"type":"csp-violation","body":{"effectiveDirective":"style-src-attr","blockedURL":"inline"}}]`
	r, err := http.Post(p.base+"/csp", "application/reports+json", strings.NewReader(report))
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
	// The program has written it before it answered; the pipe brings it when it does.
	wait(t, "the report's line in the log", func() bool { return p.log.lines("page refused") != nil })
	p.log.forget()
}

// forget empties a log that holds what a test put there on purpose.
func (l *log) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Reset()
}

// spoil stands in front of the program and changes each page on its way.
func spoil(t *testing.T, p *program, changes []string) string {
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
			for i := 0; i+1 < len(changes); i += 2 {
				if !bytes.Contains(page, []byte(changes[i])) {
					return fmt.Errorf("the page has no %s", changes[i])
				}
				page = bytes.ReplaceAll(page, []byte(changes[i]), []byte(changes[i+1]))
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
