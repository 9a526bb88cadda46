package e2e

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// photograph is a JPEG that says where it was taken, in a file.
func photograph(t *testing.T) string {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 900, 600))
	for y := range 600 {
		for x := range 900 {
			m.Set(x, y, color.RGBA{uint8(x / 4), uint8(120 + y/6), 140, 255}) //nolint:gosec // less than 256
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	exif := append([]byte("Exif\x00\x00II*\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00"), "GPS 40.7128 N 74.0060 W"...)
	raw := append([]byte{0xff, 0xd8, 0xff, 0xe1}, binary.BigEndian.AppendUint16(nil, uint16(len(exif)+2))...) //nolint:gosec // short
	return kept(t, "river.jpg", append(append(raw, exif...), b.Bytes()[2:]...))
}

func kept(t *testing.T, name string, content []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// attaches chooses files as a person does.
func (v *visitor) attaches(input string, files ...string) {
	v.t.Helper()
	v.do(chromedp.SetUploadFiles(chromedp.ID(input), files))
}

func TestFilesGoWithMessages(t *testing.T) {
	onBothScreens(t, func(t *testing.T, width int64) {
		p := serve(t)
		her := p.found(t, miraName, mira, miraSecret, riverside)
		her.client("Annie", "Noda", annie, true)
		p.accept(t, p.link(t, annie, "/join/", 1), annieSecret)
		practitioner := p.visitor(t, width)
		practitioner.signsIn(mira, miraSecret)
		practitioner.open("/people")
		practitioner.goes("Secure Message to Annie Noda")
		client := p.visitor(t, width)
		client.signsIn(annie, annieSecret)
		client.open(practitioner.path())
		ask[bool](client, `(document.querySelector('.attach').open = true)`)
		client.check(200)

		client.attaches("f-photos", photograph(t))
		client.until("that it is attached", `document.querySelectorAll('[data-whole]').length === 1`)
		client.attaches("f-files", kept(t, "letter.pdf", []byte("%PDF-1.7\nDear Mira")))
		client.until("that both are attached", `document.querySelectorAll('[data-whole]').length === 2`)
		client.check(200)
		client.says(miraName, "From the river.")
		practitioner.until("the picture", `document.querySelector('.files img')?.naturalWidth > 0`)
		practitioner.sees("letter.pdf", "From the river.")
		practitioner.pictured(200, "messages-files")
		got := ask[string](practitioner, `fetch(document.querySelector('.files .photo').href).then(r => r.blob()).then(b => b.text())`)
		if len(got) < 1000 || strings.Contains(got, "GPS") || strings.Contains(got, "Exif") {
			t.Errorf("the picture that is opened says where it was taken, or is none: %d bytes", len(got))
		}

		// A photograph as an iPhone keeps it becomes one that everybody sees.
		heic, err := os.ReadFile("../internal/platform/media/heic/testdata/turned.heic")
		if err != nil {
			t.Fatal(err)
		}
		client.attaches("f-files", kept(t, "IMG_0042.heic", heic))
		client.until("that it is attached", `document.querySelectorAll('[data-whole]').length === 1`)
		client.says(miraName, "From my telephone.")
		practitioner.until("the second picture, upright", `(p => p.length === 2 && p[1].naturalWidth > 0 && p[1].naturalHeight > p[1].naturalWidth)([...document.querySelectorAll('.files img')])`)

		// The connection goes while a file does; it goes on by itself, once.
		client.connected(false)
		client.attaches("f-files", kept(t, "long.txt", []byte(strings.Repeat("a long letter ", 100_000))))
		client.until("that it waits", `document.querySelector('[data-parcels]').textContent.includes('Waiting for the connection')`)
		client.says(miraName, "And a long one.")
		client.connected(true)
		practitioner.until("the long one", `document.getElementById('bubbles').textContent.includes('long.txt')`)
		if n := strings.Count(ask[string](practitioner, `document.getElementById('bubbles').innerText`), "long.txt"); n != 1 {
			t.Errorf("it is there %d times", n)
		}

		// What was attached is taken out again.
		client.attaches("f-files", kept(t, "wrong.txt", []byte("not this one")))
		client.until("that it is attached", `document.querySelectorAll('[data-whole]').length === 1`)
		client.press("Remove wrong.txt")
		client.until("that it is out", `document.querySelectorAll('[data-parcel]').length === 0`)
	})
}
