package media

import (
	"image"
	"image/draw"
)

// band is how many rows are turned at once: the picture is never there three
// times.
const band = 64

// turned gives a picture as it is to be looked at. One that stands upright is
// given back as it is.
func turned(src image.Image, turn int) image.Image {
	if turn <= 1 {
		return src
	}
	if m, ok := src.(*image.YCbCr); ok {
		if to := turnedPlanes(m, turn); to != nil {
			return to
		}
	}
	b := src.Bounds()
	w, h := b.Dx(), b.Dy()
	size := image.Rect(0, 0, w, h)
	if turn >= 5 {
		size = image.Rect(0, 0, h, w)
	}
	var to draw.Image
	var pix []byte
	var stride int
	rows := image.Rect(0, 0, w, min(band, h))
	var strip draw.Image
	var from []byte
	if opaque(src) {
		t, s := image.NewRGBA(size), image.NewRGBA(rows)
		to, pix, stride, strip, from = t, t.Pix, t.Stride, s, s.Pix
	} else {
		t, s := image.NewNRGBA(size), image.NewNRGBA(rows)
		to, pix, stride, strip, from = t, t.Pix, t.Stride, s, s.Pix
	}
	for top := 0; top < h; top += band {
		n := min(band, h-top)
		draw.Draw(strip, image.Rect(0, 0, w, n), src, b.Min.Add(image.Pt(0, top)), draw.Src)
		for y := range n {
			for x := range w {
				tx, ty := place(x, top+y, w, h, turn)
				copy(pix[ty*stride+4*tx:][:4], from[4*(y*w+x):])
			}
		}
	}
	return to
}

// turnedPlanes turns brightness and colour each by itself, as a photograph has
// them: it takes half as much memory as red, green and blue, and loses nothing.
// Where colour is thinned out in an odd way, it is nil.
func turnedPlanes(src *image.YCbCr, turn int) image.Image {
	ratio := src.SubsampleRatio
	switch {
	case ratio == image.YCbCrSubsampleRatio444 || ratio == image.YCbCrSubsampleRatio420:
	case ratio == image.YCbCrSubsampleRatio422 && turn >= 5:
		ratio = image.YCbCrSubsampleRatio440
	case ratio == image.YCbCrSubsampleRatio440 && turn >= 5:
		ratio = image.YCbCrSubsampleRatio422
	case ratio == image.YCbCrSubsampleRatio422 || ratio == image.YCbCrSubsampleRatio440:
	default:
		return nil
	}
	b := src.Bounds()
	w, h := b.Dx(), b.Dy()
	size := image.Rect(0, 0, w, h)
	if turn >= 5 {
		size = image.Rect(0, 0, h, w)
	}
	to := image.NewYCbCr(size, ratio)
	turnPlane(to.Y, to.YStride, src.Y[src.YOffset(b.Min.X, b.Min.Y):], src.YStride, w, h, turn)
	cw := src.COffset(b.Max.X-1, b.Min.Y) - src.COffset(b.Min.X, b.Min.Y) + 1
	ch := (src.COffset(b.Min.X, b.Max.Y-1)-src.COffset(b.Min.X, b.Min.Y))/src.CStride + 1
	from := src.COffset(b.Min.X, b.Min.Y)
	turnPlane(to.Cb, to.CStride, src.Cb[from:], src.CStride, cw, ch, turn)
	turnPlane(to.Cr, to.CStride, src.Cr[from:], src.CStride, cw, ch, turn)
	return to
}

func turnPlane(to []byte, stride int, from []byte, was, w, h, turn int) {
	for y := range h {
		for x := range w {
			tx, ty := place(x, y, w, h, turn)
			to[ty*stride+tx] = from[y*was+x]
		}
	}
}

// place is where a dot of a picture of w by h goes.
func place(x, y, w, h, turn int) (int, int) {
	switch turn {
	case 2:
		return w - 1 - x, y
	case 3:
		return w - 1 - x, h - 1 - y
	case 4:
		return x, h - 1 - y
	case 5:
		return y, x
	case 6:
		return h - 1 - y, x
	case 7:
		return h - 1 - y, w - 1 - x
	case 8:
		return y, w - 1 - x
	}
	return x, y
}

func opaque(m image.Image) bool {
	o, ok := m.(interface{ Opaque() bool })
	return ok && o.Opaque()
}
