package web

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"icouch/internal/base/id"
	"icouch/internal/chat"
	"icouch/internal/platform/db"
	"icouch/internal/world"
)

// What one browser can have the program hold for it is bounded.

// endless is a body of so many bytes that counts how many of them were wanted.
type endless struct {
	head string
	left int64
	read int64
}

func (b *endless) Read(p []byte) (n int, err error) {
	switch {
	case b.head != "":
		n = copy(p, b.head)
		b.head = b.head[n:]
	case b.left > 0:
		n = int(min(int64(len(p)), b.left))
		copy(p, bytes.Repeat([]byte("x"), n))
		b.left -= int64(n)
	default:
		return 0, io.EOF
	}
	b.read += int64(n)
	return n, nil
}

const partsOf = "multipart/form-data; boundary=b"

// sends posts a body and reports how much of it was wanted.
func (k *talking) sends(t *testing.T, body *endless, kind, session string) (code int, read int64) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, world.Base+k.at, body)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Content-Type", kind)
	r.AddCookie(&http.Cookie{Name: k.sessionCookie(), Value: session})
	rec := httptest.NewRecorder()
	k.handler.ServeHTTP(rec, r)
	return rec.Code, body.read
}

func TestNothingIsReadOfWhoMerelyHasACookie(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	long := strings.Repeat("a", 43)
	for kind, head := range map[string]string{
		"application/x-www-form-urlencoded": "body=",
		partsOf:                             "--b\r\nContent-Disposition: form-data; name=\"body\"\r\n\r\n",
	} {
		if _, read := k.sends(t, &endless{head: head, left: 90 << 20}, kind, long); read > 0 {
			t.Errorf("%s: %d bytes were read for a session that never was", kind, read)
		}
	}
}

func TestAFormIsSmallWhateverFilesMayBeSentThere(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	session := k.theo.cookies[k.sessionCookie()]
	fields := func(n int) string {
		return strings.Repeat("--b\r\nContent-Disposition: form-data; name=\"\"\r\n\r\n\r\n", n) + "--b--\r\n"
	}
	named := "--b\r\nContent-Disposition: form-data; name=\"" + strings.Repeat("n", 2*formSize) + "\"\r\n\r\n\r\n--b--\r\n"
	try := func(what, kind, head string, left int64) {
		t.Helper()
		code, read := k.sends(t, &endless{head: head, left: left}, kind, session)
		if code != http.StatusRequestEntityTooLarge || read > 5*formSize {
			t.Errorf("%s: the answer is %d after %d bytes", what, code, read)
		}
	}
	try("a long text", "application/x-www-form-urlencoded", "body=", 90<<20)
	try("very many fields", partsOf, fields(2000), 0)
	try("one name", partsOf, named, 0)
	k.w.Pass(time.Hour) // the session has ended: the form would be kept
	for kind, head := range map[string]string{"application/x-www-form-urlencoded": "body=", partsOf: fields(1 << 20)} {
		if code, read := k.sends(t, &endless{head: head, left: 90 << 20}, kind, session); read > 5*formSize {
			t.Errorf("%s after the session: %d after %d bytes", kind, code, read)
		}
	}
}

// deadlines counts how often a browser is given more time.
type deadlines struct {
	*httptest.ResponseRecorder
	reads int
}

func (d *deadlines) SetReadDeadline(time.Time) error { d.reads++; return nil }

func TestAFormWithFilesTakesAsLongAsItGoesOn(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	for name, values := range k.message("With a file") {
		if err := m.WriteField(name, values[0]); err != nil {
			t.Fatal(err)
		}
	}
	f, err := m.CreateFormFile("files", "a.txt")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(bytes.Repeat([]byte("x"), 1<<20)); err != nil {
		t.Fatal(err)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, world.Base+k.at, &body)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Content-Type", m.FormDataContentType())
	for name, value := range k.theo.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	rec := &deadlines{ResponseRecorder: httptest.NewRecorder()}
	k.handler.ServeHTTP(rec, r)
	if rec.Code != http.StatusSeeOther || rec.reads < 10 {
		t.Errorf("the answer is %d, and more time was given %d times", rec.Code, rec.reads)
	}
}

func TestAConversationGoesOutInPieces(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	const n = 430 // of ten thousand characters: more than goes on paper at once
	c := id.Conversation(strings.TrimPrefix(k.at, "/messages/"))
	k.w.Update(t, func(tx *db.Tx) error {
		for i := range n {
			if _, err := chat.Send(tx, k.w.Mara, c, id.New[id.Message](k.w.Now()), fmt.Sprintf("No. %d. %s", i+1, strings.Repeat("word ", 1990))); err != nil {
				return err
			}
		}
		return nil
	})
	h := k.listen(t, k.theo, k.at+"/stream?after=0", "")
	for want := chat.Page; want < n; want += chat.Page {
		if place, data := h.next("messages"); place != fmt.Sprint(want) || len(places(data)) != chat.Page {
			t.Fatalf("a piece goes up to %s and has %d messages, want %d", place, len(places(data)), want)
		}
	}
	if place, _ := h.next("messages"); place != fmt.Sprint(n) {
		t.Errorf("the last piece goes up to %s", place)
	}
	first := k.theo.get(k.at + "/print")
	first.shows(t, 200, "No. 1. ", "This conversation goes on.").lacks(t, "No. 430. ")
	_, rest, _ := strings.Cut(first.text, k.at+"/print?after=")
	after, _, _ := strings.Cut(rest, `"`)
	k.theo.get(k.at+"/print?after="+after).shows(t, 200, "No. 430. ").lacks(t, "No. 1. ", "No. "+after+". ", "goes on")
}
