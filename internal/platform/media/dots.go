package media

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"
)

// A picture that another process has opened comes over a pipe as its bare dots: a
// head of three numbers of four bytes, the sort, the width and the height, and
// the planes, row after row with nothing in between.

// sort is how the dots of a picture are kept.
type sort uint32

const (
	greyDots   sort = 1
	thinned420 sort = 2 // brightness for each dot, colours for every fourth
	thinned422 sort = 3
	thinned444 sort = 4
	clearDots  sort = 5 // red, green, blue and how much one sees through, not multiplied
)

var ratios = map[sort]image.YCbCrSubsampleRatio{
	thinned420: image.YCbCrSubsampleRatio420, thinned422: image.YCbCrSubsampleRatio422, thinned444: image.YCbCrSubsampleRatio444,
}

var errDots = errors.New("media: these are not the dots of a picture")

// WriteDots writes the dots of a picture.
func WriteDots(w io.Writer, m image.Image) error {
	b := m.Bounds()
	head := func(s sort) error {
		return binary.Write(w, binary.BigEndian, [3]uint32{uint32(s), uint32(b.Dx()), uint32(b.Dy())}) //nolint:gosec // a side is never less than 0
	}
	switch m := m.(type) {
	case *image.Gray:
		return errors.Join(head(greyDots), writeRows(w, m.Pix, m.Stride, b.Dx(), b.Dy()))
	case *image.NRGBA:
		return errors.Join(head(clearDots), writeRows(w, m.Pix, m.Stride, 4*b.Dx(), b.Dy()))
	case *image.YCbCr:
		for s, ratio := range ratios {
			if ratio == m.SubsampleRatio {
				cw, ch := colours(s, b.Dx(), b.Dy())
				return errors.Join(head(s), writeRows(w, m.Y, m.YStride, b.Dx(), b.Dy()), writeRows(w, m.Cb, m.CStride, cw, ch), writeRows(w, m.Cr, m.CStride, cw, ch))
			}
		}
	}
	return fmt.Errorf("media: dots of %T are not written", m)
}

func writeRows(w io.Writer, pix []byte, stride, width, height int) error {
	for y := range height {
		if _, err := w.Write(pix[y*stride:][:width]); err != nil {
			return err
		}
	}
	return nil
}

// colours is how many columns and rows there are of each colour.
func colours(s sort, w, h int) (int, int) {
	switch s {
	case thinned420:
		return (w + 1) / 2, (h + 1) / 2
	case thinned422:
		return (w + 1) / 2, h
	}
	return w, h
}

// readDots reads a picture whose dots were written, if it is not too large.
func readDots(r io.Reader) (image.Image, error) {
	var head [3]uint32
	if err := binary.Read(r, binary.BigEndian, &head); err != nil {
		return nil, fmt.Errorf("media: %w", err)
	}
	if head[1] == 0 || head[2] == 0 {
		return nil, errDots
	}
	if head[1] > maxSide || head[2] > maxSide || head[1] > MaxDots/head[2] {
		return nil, ErrTooLarge
	}
	s, size := sort(head[0]), image.Rect(0, 0, int(head[1]), int(head[2]))
	if ratio, ok := ratios[s]; ok {
		m := image.NewYCbCr(size, ratio)
		return m, readAll(r, m.Y, m.Cb, m.Cr)
	}
	if int64(size.Dx())*int64(size.Dy())*4 > maxBytes {
		return nil, ErrTooLarge
	}
	switch s {
	case greyDots:
		m := image.NewGray(size)
		return m, readAll(r, m.Pix)
	case clearDots:
		m := image.NewNRGBA(size)
		return m, readAll(r, m.Pix)
	}
	return nil, errDots
}

// readAll fills planes, after which nothing may follow.
func readAll(r io.Reader, planes ...[]byte) error {
	for _, p := range planes {
		if _, err := io.ReadFull(r, p); err != nil {
			return fmt.Errorf("media: %w", err)
		}
	}
	if _, err := io.ReadFull(r, make([]byte, 1)); err != io.EOF {
		return errors.Join(errDots, err)
	}
	return nil
}
