package media_test

import (
	"path"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"icouch/internal/platform/media"
)

func TestNamesAreCleaned(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		t    media.Type
		want string
	}{
		{"holiday.jpg", media.JPEG, "holiday.jpg"},
		{"Holiday.JPEG", media.JPEG, "Holiday.jpeg"},
		{"IMG_1234.HEIC", media.JPEG, "IMG_1234.jpg"},
		{"report.pdf.exe", media.PDF, "report.pdf"},
		{"report.pdf", "application/vnd.microsoft.portable-executable", "report.exe"},
		{"invoice\u202efdp.exe", "application/vnd.microsoft.portable-executable", "invoicefdp.exe"},
		{"../../etc/passwd", media.Text, "passwd.txt"},
		{`C:\Users\mara\letter.docx`, "application/zip", "letter.docx"},
		{"Dr. Smith", media.PDF, "Dr. Smith.pdf"},
		{"v1.2", media.PDF, "v1.2.pdf"},
		{"what? \"this\" <is>|it*.png", media.PNG, "what- -this- -is--it-.png"},
		{"tab\tand\nline\x00\x07.png", media.PNG, "tab and line.png"},
		{"...", media.PDF, "file.pdf"},
		{"", media.JPEG, "file.jpg"},
		{".htaccess", media.Text, "htaccess.txt"},
		{".pdf", media.PDF, "pdf.pdf"},
		{"con", media.PDF, "_con.pdf"},
		{"COM1.x.pdf", media.PDF, "_COM1.x.pdf"},
		{"notes.md", media.Text, "notes.md"},
		{"run.bat", media.Text, "run.txt"},
		{"data.xyz", media.Unknown, "data.xyz"},
		{"data.exe", media.Unknown, "data.bin"},
		{"a\u0308rger\u200b\ufeff.pdf", media.PDF, "ärger.pdf"},
		{"\u06a9\u0646\u200c\u0645.pdf", media.PDF, "\u06a9\u0646\u200c\u0645.pdf"},
		{"voice \xff\xfe.m4a", media.AudioMP4, "voice.m4a"},
		{strings.Repeat("x", 300) + ".pdf", media.PDF, strings.Repeat("x", 196) + ".pdf"},
		{strings.Repeat("ü", 150) + ".pdf", media.PDF, strings.Repeat("ü", 98) + ".pdf"},
	} {
		if got := media.CleanName(c.name, c.t); got != c.want {
			t.Errorf("%q as %s: %q, want %q", c.name, c.t, got, c.want)
		}
	}
}

func FuzzCleanName(f *testing.F) {
	types := []media.Type{media.JPEG, media.PNG, media.PDF, media.Text, media.Unknown, media.AudioMP4, "application/zip", "application/vnd.microsoft.portable-executable", "video/quicktime", "no/such"}
	for i, s := range []string{"a.jpg", "../a.exe", "con.", "\u202egnp.exe", ". .", strings.Repeat("e\u0301", 200), "a\u200d", "x.tar.gz", "lpt1 .txt", "\u0301\u0301", strings.Repeat("\u0301", 150) + "00", "con" + strings.Repeat("\u0301", 150)} {
		f.Add(s, i)
	}
	f.Fuzz(func(t *testing.T, name string, i int) {
		kind := types[int(uint(i)%uint(len(types)))]
		got := media.CleanName(name, kind)
		switch {
		case got == "" || len(got) > 200 || !utf8.ValidString(got):
			t.Errorf("%q: %q has %d bytes", name, got, len(got))
		case strings.ContainsAny(got, "/\\<>:\"|?*\x00\r\n\t"), strings.HasPrefix(got, "."), strings.HasSuffix(got, "."), strings.TrimSpace(got) != got:
			t.Errorf("%q: %q is no name of a file", name, got)
		case strings.IndexFunc(got, func(r rune) bool {
			return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r)
		}) >= 0:
			t.Errorf("%q: %q holds what nobody sees", name, got)
		case kind != media.Unknown && kind != media.Text && kind != media.AudioMP4 && kind != "application/zip" && kind != media.JPEG && kind != "video/quicktime" && path.Ext(got) != kind.Extension():
			t.Errorf("%q: %q does not end as %s does", name, got, kind)
		case strings.TrimSuffix(got, path.Ext(got)) == "" || path.Ext(got) == "":
			t.Errorf("%q: %q has no stem or no end", name, got)
		}
		if again := media.CleanName(got, kind); again != got {
			t.Errorf("%q: %q becomes %q when it is cleaned again", name, got, again)
		}
	})
}

// FuzzDetect: whatever begins how, it is of some type, and only a few are shown.
func FuzzDetect(f *testing.F) {
	f.Add([]byte("%PDF"))
	f.Add([]byte("\x00\x00\x00\x18ftypheic"))
	f.Fuzz(func(t *testing.T, head []byte) {
		kind := media.Detect(head)
		if !strings.Contains(string(kind), "/") || !strings.HasPrefix(kind.Extension(), ".") {
			t.Errorf("%q is %q, %q", head, kind, kind.Extension())
		}
		if kind.Shown() && !strings.HasPrefix(string(kind), "image/") && !strings.HasPrefix(string(kind), "audio/") {
			t.Errorf("%s is shown in a page", kind)
		}
	})
}
