package e2e

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/chromedp/chromedp"
)

// tallest is how much of a long page a picture shows.
const tallest = 1400

// drawn is true when all letters are there, and what changed has been drawn.
const drawn = `Promise.all([document.fonts.ready, new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))]).then(() => true)`

// still puts one time, one day and one address in place of all, so that a page
// looks the same whenever it is made; moving puts them back.
const (
	still = `(() => {
	const same = [
		[/\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d{1,2} (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*( \d{4})?/g, 'Wed 25 Nov'],
		[/\b\d{1,2}:\d\d\s(am|pm)|\b(12 )?(noon|midnight)\b/g, '9:24\u00a0am'],
		[/\bGood (morning|afternoon|evening)/g, 'Good morning'],
		[/\blocalhost:\d+/g, 'localhost:8080'],
	];
	window.moved = [];
	const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let n = walk.nextNode(); n; n = walk.nextNode()) {
		const text = same.reduce((t, [from, to]) => t.replace(from, to), n.data);
		if (text !== n.data) { window.moved.push([n, n.data]); n.data = text; }
	}
	return true;
})()`
	moving = `(window.moved.forEach(([n, text]) => n.data = text), true)`
)

// unsteady are pages of which a line comes and goes with the minute. Their
// pictures are to be looked at, and not compared.
var unsteady = []string{"people-client"}

// compare takes a picture of the page and sees whether it is as the one that is
// kept; with -update it is kept instead. A visitor without scripts takes none:
// it would be the same.
func (v *visitor) compare(name, scheme string) (wrong []string) {
	v.t.Helper()
	if name == "" || !v.scripts {
		return nil
	}
	got := v.picture()
	file := filepath.Join("pictures", fmt.Sprintf("%s-%d-%s.png", name, v.width, scheme))
	if *update {
		v.keep(file, got)
		return nil
	}
	kept, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return []string{"no picture is kept at " + file + ": make it with -update, and look at it"}
	}
	if err != nil {
		v.t.Fatal(err)
	}
	want, err := png.Decode(bytes.NewReader(kept))
	if err != nil {
		v.t.Fatalf("%s: %v", file, err)
	}
	if d := differ(got, want); d > gross && !slices.Contains(unsteady, name) {
		now := filepath.Join(os.TempDir(), "icouch-"+filepath.Base(file))
		v.keep(now, got)
		wrong = append(wrong, fmt.Sprintf("%.1f %% of the page look other than in %s, see %s; if it is meant so, write the pictures anew with -update", 100*d, file, now))
	}
	return wrong
}

// picture takes one of the page, as high as it is.
func (v *visitor) picture() image.Image {
	v.t.Helper()
	ask[bool](v, still)
	height := min(tallest, max(ask[int64](v, `document.documentElement.scrollHeight`), 700))
	v.do(v.window(v.width, height))
	ask[bool](v, drawn)
	b, err := chromedp.Run(v.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		v.t.Fatal(err)
	}
	v.do(v.screen(v.width))
	ask[bool](v, moving)
	p, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		v.t.Fatal(err)
	}
	return p
}

// keep writes a picture.
func (v *visitor) keep(file string, p image.Image) {
	v.t.Helper()
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, fewer(p)); err != nil {
		v.t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		v.t.Fatal(err)
	}
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		v.t.Fatal(err)
	}
}

// fewer is a picture in 256 colors, so that its file is half as large: those
// that would be missed the most, by how often they are there and how far they
// are from the others.
func fewer(p image.Image) image.Image {
	box := p.Bounds()
	often := map[color.RGBA]int{}
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			often[rgb(p, x, y)]++
		}
	}
	all := slices.SortedFunc(maps.Keys(often), func(a, b color.RGBA) int {
		return cmp.Or(cmp.Compare(often[b], often[a]), cmp.Compare(a.R, b.R), cmp.Compare(a.G, b.G), cmp.Compare(a.B, b.B))
	})
	index := map[color.RGBA]uint8{all[0]: 0}
	off := make([]int, len(all)) // how far each is from the nearest one chosen
	for i, c := range all {
		index[c], off[i] = 0, apart(c, all[0])
	}
	palette := color.Palette{all[0]}
	for len(palette) < min(256, len(all)) {
		most := 0
		for i, c := range all {
			if off[i]*often[c] > off[most]*often[all[most]] {
				most = i
			}
		}
		for i, c := range all {
			if d := apart(c, all[most]); d < off[i] {
				index[c], off[i] = uint8(len(palette)), d
			}
		}
		palette = append(palette, all[most])
	}
	out := image.NewPaletted(box, palette)
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			out.SetColorIndex(x, y, index[rgb(p, x, y)])
		}
	}
	return out
}

// apart is how far two colors are from each other, squared.
func apart(a, b color.RGBA) int {
	r, g, bl := int(a.R)-int(b.R), int(a.G)-int(b.G), int(a.B)-int(b.B)
	return r*r + g*g + bl*bl
}

func rgb(p image.Image, x, y int) color.RGBA {
	if n, ok := p.(*image.NRGBA); ok { // what the browser takes
		i := n.PixOffset(x, y)
		return color.RGBA{n.Pix[i], n.Pix[i+1], n.Pix[i+2], 255}
	}
	r, g, b, _ := p.At(x, y).RGBA()
	return color.RGBA{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8), 255}
}

// Two pictures are compared by the average colors of their squares: the edge of
// a letter, which each browser smooths in its own way, vanishes in a square,
// and what was moved, lost or colored anew does not.
const (
	square = 8    // px
	shade  = 12   // how much an average may differ, of 255
	gross  = 0.02 // the share of squares that may differ
)

// differ is the share of squares in which two pictures differ.
func differ(a, b image.Image) float64 {
	box := a.Bounds().Union(b.Bounds())
	all, other := 0, 0
	for y := box.Min.Y; y < box.Max.Y; y += square {
		for x := box.Min.X; x < box.Max.X; x += square {
			all++
			at := image.Rect(x, y, x+square, y+square).Intersect(box)
			if !at.In(a.Bounds()) || !at.In(b.Bounds()) || !alike(average(a, at), average(b, at)) {
				other++
			}
		}
	}
	return float64(other) / float64(all)
}

func average(p image.Image, at image.Rectangle) (sum [3]int) {
	for y := at.Min.Y; y < at.Max.Y; y++ {
		for x := at.Min.X; x < at.Max.X; x++ {
			c := rgb(p, x, y)
			sum[0] += int(c.R)
			sum[1] += int(c.G)
			sum[2] += int(c.B)
		}
	}
	for i := range sum {
		sum[i] /= at.Dx() * at.Dy()
	}
	return sum
}

func alike(a, b [3]int) bool {
	for i := range a {
		if d := a[i] - b[i]; d > shade || d < -shade {
			return false
		}
	}
	return true
}
