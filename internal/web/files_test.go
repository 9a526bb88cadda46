package web

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"icouch/internal/base/id"
	"icouch/internal/chat"
	"icouch/internal/people"
	"icouch/internal/platform/blob"
	"icouch/internal/platform/db"
	"icouch/internal/platform/media"
	"icouch/internal/world"
)

// filed sends a message by its form, as a browser without script does: the
// fields, and files by their names.
func (b *browser) filed(to string, fields url.Values, files ...[2]string) answer {
	b.t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	for name, values := range fields {
		for _, v := range values {
			if err := m.WriteField(name, v); err != nil {
				b.t.Fatal(err)
			}
		}
	}
	for _, f := range files {
		part, err := m.CreateFormFile("files", f[0])
		if err != nil {
			b.t.Fatal(err)
		}
		if _, err := part.Write([]byte(f[1])); err != nil {
			b.t.Fatal(err)
		}
	}
	if err := m.Close(); err != nil {
		b.t.Fatal(err)
	}
	return b.raw("POST", to, body.String(), m.FormDataContentType())
}

// raw sends anything, with the browser's cookies.
func (b *browser) raw(method, to, body, kind string, headers ...string) answer {
	b.t.Helper()
	r := httptest.NewRequestWithContext(b.t.Context(), method, world.Base+to, strings.NewReader(body))
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	rec := httptest.NewRecorder()
	b.site.handler.ServeHTTP(rec, r)
	return answer{rec, rec.Body.String()}
}

var filesIn = regexp.MustCompile(`href="(/messages/[^"]*/files/[^"/]*)"`)

// fileOn is the address of the newest file on a conversation's page.
func (k *talking) fileOn(t *testing.T, b *browser) string {
	t.Helper()
	all := filesIn.FindAllStringSubmatch(b.get(k.at).text, -1)
	if len(all) == 0 {
		t.Fatal("no file is on the page")
	}
	return all[len(all)-1][1]
}

// pass is the address that a file is fetched under.
func (b *browser) pass(file string) string {
	b.t.Helper()
	a := b.get(file)
	if to := a.Header().Get("Location"); a.Code == http.StatusSeeOther && strings.HasPrefix(to, "/f/") {
		return to
	}
	b.t.Fatalf("the file answers %d to %q", a.Code, a.Header().Get("Location"))
	return ""
}

func TestFilesGoWithAMessageByAFormAlone(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	k.theo.get(k.at).shows(t, 200, `enctype="multipart/form-data"`, "Up to 10 files, 25 MB each.", `type="file"`)
	png := new(bytes.Buffer)
	if _, err := png.ReadFrom(picture(t)); err != nil {
		t.Fatal(err)
	}
	k.theo.filed(k.at, k.message("Two files"), [2]string{"Brief für Mara.pdf", "%PDF-1.7 Dear Mara"}, [2]string{"walk.png", png.String()}).leads(t, k.at+"#end")
	k.mara.get(k.at).shows(t, 200, "Two files", "Brief für Mara.pdf", "PDF, 18 bytes", "walk.png", "Being prepared")
	k.w.RunJobs(t)
	k.mara.get(k.at).shows(t, 200, `alt="walk.png"`, "/preview").lacks(t, "Being prepared")
	k.mara.get(k.at+"/print").shows(t, 200, "walk.png").lacks(t, "/preview")
	k.theo.filed(k.at, k.message(""), [2]string{"a.txt", "nothing but a file"}).leads(t, k.at+"#end")
	k.mara.get("/messages").shows(t, 200, "a.txt")
	k.theo.filed(k.at, k.message("")).shows(t, 422, "Write something first.")
	k.theo.filed(k.at, k.message("Too large"), [2]string{"large.bin", strings.Repeat("x", chat.MostBytes+1)}, [2]string{"b.txt", "b"}).shows(t, 422, "Too large", "up to 25 MB")
	k.theo.filed(k.at, k.message("An iPhone’s"), [2]string{"IMG.HEIC", "\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"}).shows(t, 422, "HEIC", "as a JPEG")
	// What waits is on the page, and goes with the next message.
	k.w.Update(t, func(tx *db.Tx) error { return people.EndCare(tx, k.w.Mara, k.w.Theo, tx.Now()) })
	k.mara.filed(k.at, k.message("Too late, and not lost."), [2]string{"a.txt", "a"}).shows(t, 409, "Too late, and not lost.", "cannot read messages any more")
}

// A double press of Send, and a press after one that did not go.
func TestAFormPressedTwiceSendsItsFilesOnce(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	walk := [2]string{"walk.txt", "to the lake"}
	m := k.message("The walk")
	for range 2 {
		k.theo.filed(k.at, m, walk).leads(t, k.at+"#end")
	}
	second := k.message(strings.Repeat("x", chat.Most+1))
	k.theo.filed(k.at, second, [2]string{"lake.txt", "of the lake"}).shows(t, 422, "lake.txt")
	second.Set("body", "The lake")
	k.theo.filed(k.at, second, [2]string{"lake.txt", "of the lake"}).leads(t, k.at+"#end")
	if n := len(filesIn.FindAllString(k.mara.get(k.at).text, -1)); n != 2 {
		t.Errorf("%d files are on the page, want two", n)
	}
	k.theo.get(k.at).lacks(t, `name="attachment"`)
	// Other words from the page that was left: the file went, and the page says so.
	m.Set("body", "Another walk")
	k.theo.filed(k.at, m, walk).shows(t, 409, "A file that you chose went with the first message", "Another walk").lacks(t, `name="message" value="`+m.Get("message")+`"`, `name="attachment"`)
}

func TestAFileIsFetchedWithoutACookieAndRunsNothing(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	for name, f := range map[string]struct{ content, kind, way string }{
		"a page.html": {"<!doctype html><script>alert(1)</script>", "application/octet-stream", "attachment"},
		"drawn.svg":   {`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`, "application/octet-stream", "attachment"},
		"letter.pdf":  {"%PDF-1.7 <script>alert(1)</script>", "application/pdf", "attachment"},
		"liar.jpg":    {"<html><script>alert(1)</script></html>", "application/octet-stream", "attachment"},
		"note.wav":    {"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00" + strings.Repeat("\x01\x02", 20), "audio/wav", "inline"},
	} {
		k.theo.filed(k.at, k.message("One"), [2]string{name, f.content}).leads(t, k.at+"#end")
		to := k.mara.pass(k.fileOn(t, k.mara))
		a := k.browser(t, k.w).get(to) // a browser without any cookie
		a.shows(t, 200)
		if a.text != f.content {
			t.Errorf("%s: %q comes out", name, clip(a.text))
		}
		for header, want := range map[string]string{"Content-Type": f.kind, "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'", "X-Content-Type-Options": "nosniff",
			"Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "private, no-store", "Accept-Ranges": "bytes", "Set-Cookie": ""} {
			if got := a.Header().Get(header); got != want {
				t.Errorf("%s: %s is %q, want %q", name, header, got, want)
			}
		}
		if got := a.Header().Get("Content-Disposition"); !strings.HasPrefix(got, f.way) {
			t.Errorf("%s: Content-Disposition is %q", name, got)
		}
		if r := k.browser(t, k.w).raw("GET", to, "", "", "Range", "bytes=2-4"); r.Code != http.StatusPartialContent || r.text != f.content[2:5] {
			t.Errorf("%s: a range answers %d, %q", name, r.Code, r.text)
		}
		if strings.Contains(k.log.String(), strings.TrimPrefix(to, "/f/")) {
			t.Errorf("%s: its address is in the log", name)
		}
	}
	var n int
	if err := k.w.DB.Row(t.Context(), "SELECT COUNT(*) FROM audit WHERE action = 'clients.seen' AND subject = 'file'", nil, &n); err != nil || n != 10 {
		t.Errorf("%d lines tell that a file was opened (%v), want 10", n, err)
	}
}

func TestAPassEndsWithWhatItStandsFor(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	guest := k.browser(t, k.w)
	m := k.message("One")
	k.theo.filed(k.at, m, [2]string{"a.txt", "secret words"}).leads(t, k.at+"#end")
	file := k.fileOn(t, k.mara)
	for what, end := range map[string]func(){
		"its time":    func() { k.w.Pass(11 * time.Minute) },
		"its session": func() { k.mara.post("/sign-out", nil); k.mara = k.browser(t, k.w).as(mara) },
	} {
		to := k.mara.pass(file)
		guest.get(to).shows(t, 200, "secret words")
		end()
		if a := guest.get(to); a.Code != http.StatusGone || strings.Contains(a.text, "secret words") {
			t.Errorf("after %s: %d", what, a.Code)
		}
	}
	to := k.mara.pass(file)
	forged := to[:20] + "AAAA" + to[24:]
	guest.get(forged).shows(t, 410, "works for a few minutes")
	own := k.theo.pass(file)
	m = k.message("Two")
	k.theo.filed(k.at, m, [2]string{"b.txt", "taken back"})
	back := k.mara.pass(k.fileOn(t, k.mara))
	k.theo.post(k.at+"/"+m.Get("message")+"/removal", nil).leads(t, k.at+"#end")
	guest.get(back).shows(t, 410)
	k.mara.get(k.at).lacks(t, "b.txt")
	k.w.Update(t, func(tx *db.Tx) error { return people.EndCare(tx, k.w.Mara, k.w.Theo, tx.Now()) })
	if a := guest.get(own); a.Code != http.StatusGone {
		t.Errorf("after his care has ended: %d", a.Code)
	}
	guest.get(file).leads(t, "/sign-in?next="+url.QueryEscape(file))
}

// heardOf reads what a page's script is told.
func heardOf(t *testing.T, a answer, status int) (is came) {
	t.Helper()
	if a.Code != status || json.Unmarshal([]byte(a.text), &is) != nil {
		t.Fatalf("answers %d, %q, want %d", a.Code, clip(a.text), status)
	}
	return is
}

func TestAnUploadByScriptGoesOnWhereItBroke(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	f := id.New[id.Attachment](k.w.Now()).String()
	content := strings.Repeat("ten bytes.", 30_000)
	at := k.at + "/files"
	begin := form("file", f, "name", "long.txt", "size", strconv.Itoa(len(content)))
	heardOf(t, k.theo.post(at, begin), 200)
	const bytesOf = "application/octet-stream"
	part := func(from, to int) answer {
		return k.theo.raw("POST", at+"/"+f+"/part?offset="+strconv.Itoa(from), content[from:to], bytesOf)
	}
	if is := heardOf(t, part(0, 100_000), 200); is.Offset != 100_000 || is.Whole {
		t.Errorf("%+v", is)
	}
	if is := heardOf(t, part(0, 100_000), 409); is.Offset != 100_000 || is.Problem == "" || !is.Again { // sent again
		t.Errorf("%+v", is)
	}
	if is := heardOf(t, k.theo.get(at+"/"+f+"/arrived"), 200); is.Offset != 100_000 {
		t.Errorf("%+v", is)
	}
	if a := k.mara.get(at + "/" + f + "/arrived"); a.Code != http.StatusNotFound {
		t.Errorf("the other is told %d", a.Code)
	}
	if is := heardOf(t, part(100_000, len(content)), 200); !is.Whole || is.Name != "long.txt" || is.Says != "Text, 300 KB" {
		t.Errorf("%+v", is)
	}
	k.theo.get(k.at).shows(t, 200, "long.txt", f)
	m := k.message("Here")
	m.Set("attachment", f)
	k.theo.post(k.at, m).leads(t, k.at+"#end")
	k.theo.post(k.at, m).leads(t, k.at+"#end") // the answer was lost
	if got := k.browser(t, k.w).get(k.mara.pass(k.fileOn(t, k.mara))); got.text != content {
		t.Errorf("%d bytes come out", len(got.text))
	}
	heardOf(t, k.theo.post(at, form("file", id.New[id.Attachment](k.w.Now()).String(), "name", "x", "size", "999999999")), 422)
	out := id.New[id.Attachment](k.w.Now()).String()
	heardOf(t, k.theo.post(at, form("file", out, "name", "x", "size", "5")), 200)
	k.theo.post(at+"/"+out+"/removal", nil).leads(t, k.at+"#end")
	if a := k.theo.get(at + "/" + out + "/arrived"); a.Code != http.StatusNotFound {
		t.Errorf("what was taken out answers %d", a.Code)
	}
}

func TestAPageHearsThatAPictureIsReady(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	png := new(bytes.Buffer)
	if _, err := png.ReadFrom(picture(t)); err != nil {
		t.Fatal(err)
	}
	k.theo.filed(k.at, k.message("Look"), [2]string{"walk.png", png.String()})
	h := k.listen(t, k.mara, k.at+"/stream?after=0", "")
	if _, data := h.next("messages"); !strings.Contains(data, "Being prepared") {
		t.Errorf("the page first hears %q", data)
	}
	k.w.RunJobs(t)
	if _, data := h.next("messages"); !strings.Contains(data, "/preview") {
		t.Errorf("the page then hears %q", data)
	}
}

// What was written is kept when the session ends; the files are not.
func TestAMessageWithFilesIsKeptWhenItsSessionHasEnded(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	k.w.Pass(time.Hour) // nobody has used it for as long as they may
	a := k.theo.filed(k.at, k.message("Written in time"), [2]string{"a.txt", strings.Repeat("x", 1<<20)})
	a.leads(t, keptSignIn)
	k.browser(t, k.w).as("theo@example.com").get("/kept").shows(t, 200, "Written in time")
}

// What a scanner has yet to look at, and what it found something in, says so: in
// the conversation, to both, and where it waits to be sent.
func TestWhatIsHeldBackSaysSo(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	state := func(now string) {
		t.Helper()
		if err := k.w.DB.Exec(t.Context(), "UPDATE attachment SET state = $1", now); err != nil {
			t.Fatal(err)
		}
	}
	k.theo.filed(k.at, k.message("An invoice"), [2]string{"invoice.pdf", "%PDF-1.7 x"}).leads(t, k.at+"#end")
	k.theo.filed(k.at, k.message(strings.Repeat("x", chat.Most+1)), [2]string{"waits.pdf", "%PDF-1.7 y"}).shows(t, 422, "waits.pdf")
	at, waits := k.fileOn(t, k.mara), regexp.MustCompile(`name="attachment" value="([^"]+)"`).FindStringSubmatch(k.theo.get(k.at).text)
	if waits == nil {
		t.Fatal("nothing waits to be sent")
	}
	send := k.message("Again")
	send.Set("attachment", waits[1])
	state("checking")
	for _, b := range []*browser{k.mara, k.theo} {
		b.get(k.at).shows(t, 200, "invoice.pdf", "Being checked for viruses").lacks(t, at)
		if a := b.get(at); a.Code == http.StatusSeeOther {
			to := k.browser(t, k.w).get(a.Header().Get("Location"))
			to.shows(t, 409, "still being checked")
		} else {
			a.shows(t, 409, "still being checked")
		}
	}
	state("held")
	for _, b := range []*browser{k.mara, k.theo} {
		b.get(k.at).shows(t, 200, "invoice.pdf", "Held back: a virus was found. The file was destroyed.").lacks(t, at)
		if a := b.get(at); a.Code != http.StatusNotFound && a.Code != http.StatusSeeOther {
			t.Errorf("what was held back answers %d", a.Code)
		}
	}
	k.theo.get(k.at).lacks(t, `value="`+waits[1]+`"`)
	k.theo.post(k.at, send).shows(t, 409, "A virus was found in one of the files. It was not sent.", "Again")
	k.mara.get(k.at).lacks(t, "Again")
}

// The disk or the bucket of the files is away: words go, and files are refused
// calmly.
func TestWordsGoWhileNoFileCanBeTakenIn(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	away := filepath.Join(t.TempDir(), "away")
	if err := os.WriteFile(away, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	files, err := blob.Open(blob.NewFolder(filepath.Join(away, "files")), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	k.Porter.Files = files
	k.theo.filed(k.at, k.message("Kept words"), [2]string{"a.txt", "a"}).shows(t, 429, "No file can be taken in at the moment.", "Kept words")
	is := heardOf(t, k.theo.post(k.at+"/files", form("file", id.New[id.Attachment](k.w.Now()).String(), "name", "a.txt", "size", "1")), 429)
	if !strings.Contains(is.Problem, "No file can be taken in at the moment.") || is.Again {
		t.Errorf("the page’s script is told %+v", is)
	}
	k.theo.post(k.at, k.message("Words alone")).leads(t, k.at+"#end")
}

func TestANoteIsCalledByItsLength(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		kind media.Type
		want string
	}{
		{"Spoken note, 20 seconds.webm", "audio/webm", "Spoken note, 20 seconds"},
		{"Spoken note, 1 minute 5 seconds.m4a", "audio/mp4", "Spoken note, 1 minute 5 seconds"},
		{"Spoken note, 20 seconds.txt", "text/plain", "Spoken note, 20 seconds.txt"},
		{"Walk.m4a", "audio/mp4", "Walk.m4a"},
	} {
		if got := called(chat.File{Name: c.name, Type: c.kind}); got != c.want {
			t.Errorf("%s is called %q, want %q", c.name, got, c.want)
		}
	}
}
