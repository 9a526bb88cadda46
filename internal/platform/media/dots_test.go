package media

import (
	"bytes"
	"image"
	"math/rand/v2"
	"testing"
)

// written are pictures of each sort, of odd sizes, and cut out of larger ones.
func written() (all []image.Image) {
	chance := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // the same each time
	noise := func(planes ...[]byte) {
		for _, p := range planes {
			for i := range p {
				p[i] = byte(chance.Uint32())
			}
		}
	}
	size, part := image.Rect(0, 0, 13, 9), image.Rect(0, 0, 7, 5)
	for _, ratio := range ratios {
		m := image.NewYCbCr(size, ratio)
		noise(m.Y, m.Cb, m.Cr)
		all = append(all, m, m.SubImage(part))
	}
	g, c := image.NewGray(size), image.NewNRGBA(size)
	noise(g.Pix, c.Pix)
	return append(all, g, g.SubImage(part), c, c.SubImage(part))
}

func TestDotsComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	for _, m := range written() {
		var b bytes.Buffer
		if err := WriteDots(&b, m); err != nil {
			t.Fatal(err)
		}
		got, err := readDots(&b)
		if err != nil {
			t.Fatalf("%T: %v", m, err)
		}
		if got.Bounds() != m.Bounds() || got.ColorModel() != m.ColorModel() {
			t.Fatalf("%T of %s came back as %T of %s", m, m.Bounds(), got, got.Bounds())
		}
		for y := range m.Bounds().Dy() {
			for x := range m.Bounds().Dx() {
				if got.At(x, y) != m.At(x, y) {
					t.Fatalf("%T: the dot at %d, %d is %v, was %v", m, x, y, got.At(x, y), m.At(x, y))
				}
			}
		}
	}
	if err := WriteDots(new(bytes.Buffer), image.NewCMYK(image.Rect(0, 0, 1, 1))); err == nil {
		t.Error("a sort that nobody reads was written")
	}
}

// FuzzReadDots reads whatever a process might answer. What is read is written as it
// was; what is none is an error, and takes no memory before it is known to be one.
func FuzzReadDots(f *testing.F) {
	for _, m := range written() {
		var b bytes.Buffer
		if err := WriteDots(&b, m); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Add([]byte("\x00\x00\x00\x05\x00\x00\x4e\x20\x00\x00\x4e\x20"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := readDots(bytes.NewReader(b))
		if err != nil {
			return
		}
		var again bytes.Buffer
		if err := WriteDots(&again, m); err != nil || !bytes.Equal(again.Bytes(), b) {
			t.Errorf("%T of %s was not written as it was read: %v", m, m.Bounds(), err)
		}
	})
}
