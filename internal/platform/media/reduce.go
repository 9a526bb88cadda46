package media

import (
	"image"
	"image/color"
)

// reduced is a picture with its longer side at most as long as a preview's. Each
// dot of it is the mean of those it stands for, of each as much as it covers; it
// takes no memory but the preview's own, whatever the shape of the picture.
func reduced(m image.Image) image.Image {
	b := m.Bounds()
	longer := max(b.Dx(), b.Dy())
	from, ok := m.(image.RGBA64Image) // whatever the decoders make is one
	if longer <= previewed || !ok {
		return m
	}
	to := image.Rect(0, 0, max(1, b.Dx()*previewed/longer), max(1, b.Dy()*previewed/longer))
	if opaque(m) {
		small := image.NewRGBA(to)
		reduce(small, from)
		return small
	}
	small := image.NewNRGBA(to)
	reduce(small, from)
	return small
}

// sum is the colours of many dots, each as often as it counts.
type sum [4]uint64

func (s *sum) add(c sum, times int) {
	for i := range s {
		s[i] += c[i] * uint64(times) //nolint:gosec // it is no less than 0
	}
}

// reduce fills to with m. With the width of one times that of the other as the
// unit, dots of both begin and end at whole numbers, and so in the other direction.
func reduce(to interface {
	image.Image
	SetRGBA64(x, y int, c color.RGBA64)
}, m image.RGBA64Image) {
	b := m.Bounds()
	w, h := b.Dx(), b.Dy()
	tw, th := to.Bounds().Dx(), to.Bounds().Dy()
	row, now := make([]sum, tw), make([]sum, tw)
	for y, ty := 0, 0; y < h; y++ {
		clear(row)
		for x, tx := 0, 0; x < w; x++ {
			c := m.RGBA64At(b.Min.X+x, b.Min.Y+y)
			dot := sum{uint64(c.R), uint64(c.G), uint64(c.B), uint64(c.A)}
			here := min((x+1)*tw, (tx+1)*w) - x*tw
			row[tx].add(dot, here)
			if (x+1)*tw >= (tx+1)*w {
				if tx++; here < tw {
					row[tx].add(dot, tw-here)
				}
			}
		}
		here := min((y+1)*th, (ty+1)*h) - y*th
		for tx := range now {
			now[tx].add(row[tx], here)
		}
		if (y+1)*th < (ty+1)*h {
			continue
		}
		for tx, s := range now {
			all := uint64(w) * uint64(h)                                       //nolint:gosec // it is no less than 0
			mean := func(i int) uint16 { return uint16((s[i] + all/2) / all) } //nolint:gosec // as were those it is the mean of
			to.SetRGBA64(tx, ty, color.RGBA64{R: mean(0), G: mean(1), B: mean(2), A: mean(3)})
			now[tx] = sum{}
			now[tx].add(row[tx], th-here)
		}
		ty++
	}
}
