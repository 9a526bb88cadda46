package media_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"icouch/internal/base/fault"
	"icouch/internal/platform/media"
)

// The picture of these tests has a colour in each quarter, so that one sees
// which way up it is: red and green above, blue and white below.
var quarters = []color.NRGBA{{200, 0, 0, 255}, {0, 160, 0, 255}, {0, 0, 200, 255}, {255, 255, 255, 255}}

func drawn(w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetNRGBA(x, y, quarters[2*(2*y/h)+2*x/w])
		}
	}
	return m
}

// looks says which quarters are where: "rgbw" is upright.
func looks(m image.Image) string {
	b, all := m.Bounds(), ""
	for i := range 4 {
		x, y := b.Min.X+b.Dx()*(1+2*(i%2))/4, b.Min.Y+b.Dy()*(1+2*(i/2))/4
		r, g, bl, _ := m.At(x, y).RGBA()
		best, near := "?", 1<<30
		for q, c := range quarters {
			d := abs(int(r>>8)-int(c.R)) + abs(int(g>>8)-int(c.G)) + abs(int(bl>>8)-int(c.B))
			if d < near && d < 60 {
				best, near = string("rgbw"[q]), d
			}
		}
		all += best
	}
	return all
}

func abs(n int) int { return max(n, -n) }

// secret stands in every block that must not survive.
const secret = "52.5200N13.4050E"

// exif is a block with a way to turn, a place and a camera.
func exif(turn int) []byte {
	b := []byte("MM\x00*\x00\x00\x00\x08\x00\x02")
	b = append(b, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, byte(turn), 0, 0)
	b = append(b, 0x01, 0x0f, 0, 2, 0, 0, 0, byte(len(secret)), 0, 0, 0, 38)
	return append(append(b, 0, 0, 0, 0), secret...)
}

func segment(marker byte, content []byte) []byte {
	b := binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(len(content)+2))
	return append(b, content...)
}

func asJPEG(t testing.TB, m image.Image, turn int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return slices.Concat(b.Bytes()[:2],
		segment(0xe0, []byte("JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00")),
		segment(0xfe, []byte("a comment of "+secret)),
		segment(0xe1, append([]byte("http://ns.adobe.com/xap/1.0/\x00"), secret...)),
		segment(0xe1, append([]byte("Exif\x00\x00"), exif(turn)...)),
		b.Bytes()[2:])
}

func chunk(name string, content []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(content)))
	b = append(append(b, name...), content...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

func asPNG(t testing.TB, m image.Image, turn int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	const head = 8 + 25 // signature, IHDR
	return slices.Concat(b.Bytes()[:head], chunk("eXIf", exif(turn)), chunk("tEXt", []byte("Comment\x00"+secret)), b.Bytes()[head:])
}

func kept(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// shared is the studio of these tests.
var shared = sync.OnceValue(func() *media.Studio { return media.NewStudio() })

func studio(*testing.T) *media.Studio { return shared() }

func TestACopyStandsUprightAndHoldsNothingButThePicture(t *testing.T) {
	t.Parallel()
	s := studio(t)
	for turn, want := range []string{1: "rgbw", 2: "grwb", 3: "wbgr", 4: "bwrg", 5: "rbgw", 6: "brwg", 7: "wgbr", 8: "gwrb"} {
		if turn == 0 {
			continue
		}
		for kind, original := range map[media.Type][]byte{media.JPEG: asJPEG(t, drawn(90, 130), turn), media.PNG: asPNG(t, drawn(90, 130), turn)} {
			if !bytes.Contains(original, []byte(secret)) || media.Detect(original) != kind {
				t.Fatalf("the original of %s proves nothing", kind)
			}
			var out bytes.Buffer
			p, err := s.Copy(t.Context(), &out, bytes.NewReader(original), kind)
			if err != nil {
				t.Fatal(err)
			}
			w, h := 90, 130
			if turn >= 5 {
				w, h = h, w
			}
			m, _, err := image.Decode(&out)
			if err != nil || p.Type != kind || p.Width != w || p.Height != h || m.Bounds().Dx() != w || m.Bounds().Dy() != h || looks(m) != want {
				t.Errorf("%s turned %d: %s of %dx%d looks %s, want %s (%v)", kind, turn, p.Type, p.Width, p.Height, looks(m), want, err)
			}
			small, err := jpeg.Decode(bytes.NewReader(p.Preview))
			if err != nil || looks(small) != want {
				t.Errorf("%s turned %d: the preview looks %s, want %s (%v)", kind, turn, looks(small), want, err)
			}
		}
	}
}

func TestNoCopyTellsAPlace(t *testing.T) {
	t.Parallel()
	s := studio(t)
	for name, original := range map[string][]byte{
		"jpeg": asJPEG(t, drawn(40, 30), 6), "png": asPNG(t, drawn(40, 30), 6), "gif": asGIF(t),
		"webp": kept(t, "turned.webp"), "clear webp": kept(t, "clear.webp"),
	} {
		if !bytes.Contains(original, []byte(secret)) {
			t.Errorf("%s: there is no place in the original: it proves nothing", name)
		}
		var out bytes.Buffer
		p, err := s.Copy(t.Context(), &out, bytes.NewReader(original), media.Detect(original))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for what, b := range map[string][]byte{"copy": out.Bytes(), "preview": p.Preview} {
			if bytes.Contains(b, []byte(secret)) || bytes.Contains(b, []byte("Exif")) || bytes.Contains(b, []byte("eXIf")) {
				t.Errorf("%s: the %s still says where it was made", name, what)
			}
			if got := media.Detect(b); got != media.JPEG && got != media.PNG || what == "copy" && got != p.Type {
				t.Errorf("%s: the %s is %s", name, what, got)
			}
		}
	}
}

func asGIF(t testing.TB) []byte {
	t.Helper()
	m := image.NewPaletted(image.Rect(0, 0, 40, 30), color.Palette{color.White, color.Black})
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, &gif.GIF{Image: []*image.Paletted{m, m}, Delay: []int{1, 1}}); err != nil {
		t.Fatal(err)
	}
	all := b.Bytes()
	comment := slices.Concat([]byte{0x21, 0xfe, byte(len(secret))}, []byte(secret), []byte{0})
	return slices.Concat(all[:len(all)-1], comment, all[len(all)-1:])
}

func TestWebPIsTurnedToo(t *testing.T) {
	t.Parallel()
	s := studio(t)
	for name, want := range map[string]struct {
		looks string
		kind  media.Type
		w, h  int
	}{
		"turned.webp": {"brwg", media.JPEG, 130, 90}, "clear.webp": {"rgbw", media.PNG, 90, 130},
	} {
		original := kept(t, name)
		var out bytes.Buffer
		p, err := s.Copy(t.Context(), &out, bytes.NewReader(original), media.Detect(original))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		m, _, err := image.Decode(&out)
		if err != nil || p.Type != want.kind || p.Width != want.w || p.Height != want.h || want.looks != "" && looks(m) != want.looks {
			t.Errorf("%s: %s of %dx%d looks %s, want %v (%v)", name, p.Type, p.Width, p.Height, looks(m), want, err)
		}
	}
}

func TestAPreviewIsSmall(t *testing.T) {
	t.Parallel()
	s := studio(t)
	for _, c := range []struct{ w, h, pw, ph int }{{3000, 1500, 1200, 600}, {10, 2400, 5, 1200}, {1200, 1200, 1200, 1200}, {1, 5000, 1, 1200}, {7, 5, 7, 5}} {
		p, err := s.Copy(t.Context(), io.Discard, bytes.NewReader(asJPEG(t, drawn(c.w, c.h), 1)), media.JPEG)
		if err != nil {
			t.Fatal(err)
		}
		m, err := jpeg.DecodeConfig(bytes.NewReader(p.Preview))
		if err != nil || m.Width != c.pw || m.Height != c.ph || p.Width != c.w || p.Height != c.h {
			t.Errorf("%dx%d: the preview has %dx%d, want %dx%d (%v)", c.w, c.h, m.Width, m.Height, c.pw, c.ph, err)
		}
	}
}

func TestOneCanStillSeeThroughAPNG(t *testing.T) {
	t.Parallel()
	m := drawn(20, 20)
	m.SetNRGBA(3, 3, color.NRGBA{})
	var out bytes.Buffer
	p, err := studio(t).Copy(t.Context(), &out, bytes.NewReader(asPNG(t, m, 6)), media.PNG)
	if err != nil {
		t.Fatal(err)
	}
	back, err := png.Decode(&out)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, _, a := back.At(16, 3).RGBA(); a != 0 { // where 3, 3 goes
		t.Error("the hole is filled")
	}
	small, err := jpeg.Decode(bytes.NewReader(p.Preview))
	if err != nil {
		t.Fatal(err)
	}
	if r, g, b, _ := small.At(16, 3).RGBA(); r < 0x8000 || g < 0x6000 || b < 0x6000 {
		t.Errorf("the hole is dark in the preview: %x %x %x", r, g, b)
	}
}

// TestABombIsNotOpened: what a picture says of its size is looked at before
// there is memory for it.
func TestABombIsNotOpened(t *testing.T) {
	t.Parallel()
	s := studio(t)
	head := func(w, h uint32, kind ...byte) []byte {
		if kind == nil {
			kind = []byte{8, 2, 0, 0, 0}
		}
		b := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)
		return append([]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", append(b, kind...))...)
	}
	jpg := asJPEG(t, drawn(8, 8), 1)
	at := bytes.Index(jpg, []byte{0xff, 0xc0}) // SOF0: length, precision, height, width
	binary.BigEndian.PutUint16(jpg[at+5:], 65000)
	binary.BigEndian.PutUint16(jpg[at+7:], 65000)
	wide := asGIF(t)
	binary.LittleEndian.PutUint16(wide[6:], 65000)
	binary.LittleEndian.PutUint16(wide[8:], 65000)
	for name, c := range map[string]struct {
		t    media.Type
		b    []byte
		want error
	}{
		"a wide PNG":          {media.PNG, head(1<<31-1, 1<<31-1), nil},
		"a PNG of 51 million": {media.PNG, head(10_200, 5000), media.ErrTooLarge},
		"a PNG of 50 million": {media.PNG, head(10_000, 5000), media.ErrUnreadable}, // it may be opened, and is not whole
		"a column":            {media.PNG, head(1, 50_000_000), media.ErrTooLarge},
		"a long row":          {media.PNG, head(20_001, 1), media.ErrTooLarge},
		"a row":               {media.PNG, head(20_000, 1), media.ErrUnreadable},
		"16 bits, 27 million": {media.PNG, head(9000, 3000, 16, 2, 0, 0, 0), media.ErrTooLarge},
		"16 bits, 24 million": {media.PNG, head(8000, 3000, 16, 2, 0, 0, 0), media.ErrUnreadable},
		"grey of 16 bits":     {media.PNG, head(9000, 3000, 16, 0, 0, 0, 0), media.ErrTooLarge},
		"in seven passes":     {media.PNG, head(9000, 4000, 8, 6, 0, 0, 1), media.ErrTooLarge},
		"progressive, 15":     {media.JPEG, bare(0xc2, 5000, 3000, 0x11), media.ErrTooLarge},
		"progressive, 12":     {media.JPEG, bare(0xc2, 4000, 3000, 0x11), nil},
		"progressive, 28":     {media.JPEG, bare(0xc2, 7000, 4000, 0x22), media.ErrTooLarge},
		"baseline, 50":        {media.JPEG, bare(0xc0, 10_000, 5000, 0x22), media.ErrUnreadable},
		"oddly thinned out":   {media.JPEG, bare(0xc0, 10_000, 5000, 0x41), media.ErrTooLarge},
		"padded, 10":          {media.JPEG, slices.Insert(bare(0xc2, 4000, 2500, 0x22), 2, 0xff), media.ErrTooLarge},
		"a JPEG":              {media.JPEG, jpg, media.ErrTooLarge},
		"a GIF":               {media.GIF, wide, media.ErrTooLarge},
		"a HEIC":              {media.HEIC, []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00heic"), media.ErrUnreadable},
	} {
		_, err := s.Copy(t.Context(), io.Discard, bytes.NewReader(c.b), c.t)
		if _, _, told := fault.As(err); !told || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// bare is a JPEG that ends with the head of its first scan. Its brightness is
// thinned out by so much less than its colours.
func bare(frame byte, w, h uint16, bright byte) []byte {
	size := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16([]byte{8}, h), w)
	return slices.Concat([]byte{0xff, 0xd8},
		segment(0xdb, slices.Concat([]byte{0}, bytes.Repeat([]byte{1}, 64))),
		segment(frame, slices.Concat(size, []byte{3, 1, bright, 0, 2, 0x11, 0, 3, 0x11, 0})),
		segment(0xc4, slices.Concat([]byte{0, 1}, make([]byte, 16))),
		segment(0xda, []byte{3, 1, 0, 2, 0, 3, 0, 0, 0, 0}))
}

// TestAPictureTakesNoMoreMemoryThanIsReckoned measures it: the whole limit for
// the most dots of each sort that are opened, of which these are some.
func TestAPictureTakesNoMoreMemoryThanIsReckoned(t *testing.T) {
	column := image.NewGray(image.Rect(0, 0, 1, 20_000))
	deep := image.NewNRGBA64(image.Rect(0, 0, 1000, 1000))
	var tall, wide bytes.Buffer
	for b, m := range map[*bytes.Buffer]image.Image{&tall: column, &wide: deep} {
		if err := png.Encode(b, m); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		t    media.Type
		b    []byte
		dots float64 // millions
		most float64 // bytes for each
		more float64 // MB for the small picture and for writing
	}{
		"a column":               {media.PNG, tall.Bytes(), 0.02, 4, 1.2},
		"16 bits":                {media.PNG, wide.Bytes(), 1, 8, 15},
		"a progressive JPEG":     {media.JPEG, bare(0xc2, 1000, 1000, 0x11), 1, 15, 1},
		"a progressive thin one": {media.JPEG, bare(0xc2, 1024, 1024, 0x22), 1.05, 7.5, 1},
		"a JPEG turned":          {media.JPEG, asJPEG(t, drawn(2048, 1024), 6), 2.1, 3, 7.5},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := media.NewStudio().Copy(t.Context(), io.Discard, bytes.NewReader(c.b), c.t)
		runtime.ReadMemStats(&after)
		took := float64(after.TotalAlloc - before.TotalAlloc)
		if most := (c.dots*c.most + c.more) * 1e6; took > most {
			t.Errorf("%s took %.1f MB, want %.1f at most (%v)", name, took/1e6, most/1e6, err)
		}
	}
}

// TestAPreviewIsTheMeanOfWhatItShows: no dot of the picture is left out, and none
// counts twice.
func TestAPreviewIsTheMeanOfWhatItShows(t *testing.T) {
	t.Parallel()
	m := image.NewGray(image.Rect(0, 0, 2500, 1700))
	for i := range m.Pix {
		m.Pix[i] = byte(255 * (i % 2))
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	p, err := studio(t).Copy(t.Context(), io.Discard, bytes.NewReader(b.Bytes()), media.PNG)
	if err != nil {
		t.Fatal(err)
	}
	small, err := jpeg.Decode(bytes.NewReader(p.Preview))
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []image.Point{{0, 0}, {1199, 0}, {600, 400}, {1199, 815}} {
		if r, _, _, _ := small.At(at.X, at.Y).RGBA(); abs(int(r>>8)-128) > 40 {
			t.Errorf("stripes look %d at %v, want grey", r>>8, at)
		}
	}
}

func TestWhatIsNoPictureIsAFault(t *testing.T) {
	t.Parallel()
	s := studio(t)
	for _, kind := range []media.Type{media.JPEG, media.PNG, media.GIF, media.WebP, media.HEIC, media.HEIF} {
		for what, b := range map[string][]byte{"nothing": {}, "noise": bytes.Repeat([]byte{0xff, 0xd8, 1}, 4000), "half a JPEG": asJPEG(t, drawn(300, 300), 6)[:2000], "half a WebP": kept(t, "turned.webp")[:200]} {
			if _, err := s.Copy(t.Context(), io.Discard, bytes.NewReader(b), kind); !errors.Is(err, media.ErrUnreadable) {
				t.Errorf("%s as %s: %v", what, kind, err)
			}
		}
	}
	if _, err := s.Copy(t.Context(), io.Discard, strings.NewReader("%PDF-1.7"), media.PDF); err == nil {
		t.Error("a PDF was copied as a picture")
	}
}

// TestADiskThatFailsIsNotThePicturesFault: else a person is told to save as JPEG
// what is one.
func TestADiskThatFailsIsNotThePicturesFault(t *testing.T) {
	t.Parallel()
	s, broken := studio(t), errors.New("the disk is gone")
	for kind, b := range map[media.Type][]byte{media.JPEG: asJPEG(t, drawn(300, 300), 1)} {
		_, err := s.Copy(t.Context(), io.Discard, &failing{bytes.NewReader(b[:1000]), broken}, kind)
		if _, _, told := fault.As(err); told || !errors.Is(err, broken) {
			t.Errorf("%s: %v", kind, err)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.Copy(gone, io.Discard, bytes.NewReader(b), kind); !errors.Is(err, context.Canceled) {
			t.Errorf("%s for somebody who has gone: %v", kind, err)
		}
	}
}

type failing struct {
	*bytes.Reader
	err error
}

func (f *failing) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if err == io.EOF {
		err = f.err
	}
	return n, err
}

func TestManyAtOnceWaitForEachOther(t *testing.T) {
	t.Parallel()
	s := studio(t)
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			b, kind := kept(t, "turned.webp"), media.WebP
			if i%2 == 0 {
				b, kind = asJPEG(t, drawn(64, 64), 3), media.JPEG
			}
			if _, err := s.Copy(t.Context(), io.Discard, bytes.NewReader(b), kind); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestTypeByContent(t *testing.T) {
	t.Parallel()
	box := func(name, content string) string {
		return string(binary.BigEndian.AppendUint32(nil, uint32(8+len(content)))) + name + content
	}
	mp4 := func(brand, handler string) string {
		return box("ftyp", brand+"\x00\x00\x00\x00"+brand) + box("moov", box("trak", box("hdlr", "\x00\x00\x00\x00\x00\x00\x00\x00"+handler+"\x00\x00\x00\x00")))
	}
	webm := func(codecs string) string {
		return "\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\x42\xf3\x81\x08\x42\x82\x84webm\x42\x87\x81\x04\x42\x85\x81\x02\x18\x53\x80\x67" + codecs
	}
	for _, c := range []struct {
		content string
		want    media.Type
		end     string
	}{
		{string(asJPEG(t, drawn(8, 8), 1)), media.JPEG, ".jpg"},
		{string(asPNG(t, drawn(8, 8), 1)), media.PNG, ".png"},
		{string(asGIF(t)), media.GIF, ".gif"},
		{string(kept(t, "turned.webp")), media.WebP, ".webp"},
		{"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00heic", media.HEIC, ".heic"},
		{"%PDF-1.7\n", media.PDF, ".pdf"},
		{mp4("M4A ", "soun"), media.AudioMP4, ".m4a"},
		{mp4("isom", "soun"), media.AudioMP4, ".m4a"}, // Safari's recorder
		{mp4("isom", "vide"), "video/mp4", ".mp4"},
		{webm("A_OPUS"), media.AudioWebM, ".webm"}, // Chromium's recorder
		{webm("V_VP8 A_OPUS"), "video/webm", ".webm"},
		{"OggS\x00\x02" + strings.Repeat("\x00", 20) + "\x01\x13OpusHead", media.AudioOgg, ".ogg"}, // Firefox's
		{"Dear Mara,\nthank you.\n", media.Text, ".txt"},
		{"<html><script>alert(1)</script>", "text/html", ".html"},
		{"MZ\x90\x00\x03", "application/vnd.microsoft.portable-executable", ".exe"},
		{"\x00\x01\x02\x03 whatever", media.Unknown, ".bin"},
		{"", media.Text, ".txt"},
	} {
		got := media.Detect([]byte(c.content))
		if got != c.want || got.Extension() != c.end {
			t.Errorf("%.20q: %s %s, want %s %s", c.content, got, got.Extension(), c.want, c.end)
		}
		if got.Shown() && (strings.HasPrefix(string(got), "text/") || got == media.PDF || got == media.Unknown) {
			t.Errorf("%s is shown in a page", got)
		}
	}
}
