package media

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"io"
)

// A file of 100 KB can hold a picture that takes gigabytes to open, and dots
// alone do not tell: one may take a byte and a half, or twenty-four. So what a
// picture will take is reckoned from its head, before there is memory for it.

// bearable looks whether a picture takes no more than there is.
func bearable(in *source, r io.ReadSeeker, t Type, c image.Config, turn bool) error {
	switch {
	case c.Width <= 0 || c.Height <= 0:
		return ErrUnreadable
	case c.Width > maxSide || c.Height > maxSide || c.Width > MaxDots/c.Height:
		return ErrTooLarge
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("media: %w", err)
	}
	takes := cost(bufio.NewReader(in), t, c, turn)
	if in.err != nil {
		return in.fault(in.err)
	}
	if takes > maxBytes {
		return ErrTooLarge
	}
	return nil
}

// cost is how many bytes are taken for a picture until its copies are made, all
// that the decoder takes in between counted. A large WebP without loss can have
// tables of up to 180 MB beside that.
func cost(in *bufio.Reader, t Type, c image.Config, turn bool) int64 {
	dots := int64(c.Width) * int64(c.Height)
	var all int64
	switch t {
	case JPEG:
		return jpegCost(in, dots, turn)
	case PNG:
		all = 4 * dots
		switch c.ColorModel {
		case color.RGBA64Model, color.NRGBA64Model, color.Gray16Model: // grey may be see-through, which shows only later
			all *= 2
		}
		if head, err := in.Peek(29); err == nil && head[28] != 0 { // it comes in seven passes, each opened by itself
			all += all / 2
		}
	case GIF:
		return 2 * dots // one more for rows that come out of order
	default:
		all = 8 * dots // WebP without loss, or one to see through
	}
	if turn {
		all += 4 * dots
	}
	return all
}

// frame is what the head of a JPEG says of how it is kept.
type frame struct {
	sure        bool // else its head is not as cameras write it
	progressive bool
	planes      int   // one for each component
	part, whole int64 // the planes have part / whole bytes for each dot
	odd         bool  // thinned out as no camera does
	jfif, adobe bool
}

// jpegCost reckons what the decoder takes: a byte for each dot of each plane, or
// for as many as they are thinned out to; progressive, four more, as all waits
// until the end; and four for each dot if the colours are not a telephone's.
// Where the head is not plain, it is the worst.
func jpegCost(in *bufio.Reader, dots int64, turn bool) int64 {
	f := readFrame(in)
	if !f.sure {
		return 28 * dots
	}
	planes := dots * f.part / f.whole
	all := planes
	if f.progressive {
		all += 4 * planes
	}
	alike := f.planes == 3 && !f.odd && (f.jfif || !f.adobe)
	if !alike && f.planes > 1 {
		all += 4 * dots
	}
	if turn && alike {
		all += planes // see turnedPlanes
	}
	if turn && !alike {
		all += 4 * dots
	}
	return all
}

func readFrame(in *bufio.Reader) (f frame) {
	var head [4]byte
	if _, err := io.ReadFull(in, head[:2]); err != nil || head[0] != 0xff || head[1] != 0xd8 {
		return f
	}
	found := false
	for {
		if _, err := io.ReadFull(in, head[:]); err != nil || head[0] != 0xff || head[1] < 0xc0 || head[1] > 0xfe || head[1] >= 0xd0 && head[1] <= 0xd9 {
			return frame{}
		}
		size := int(binary.BigEndian.Uint16(head[2:])) - 2
		if size < 0 {
			return frame{}
		}
		b := make([]byte, size)
		if _, err := io.ReadFull(in, b); err != nil {
			return frame{}
		}
		switch head[1] {
		case 0xc0, 0xc1, 0xc2:
			f.progressive, found = head[1] == 0xc2, f.sample(b)
		case 0xe0:
			f.jfif = f.jfif || bytes.HasPrefix(b, []byte("JFIF\x00"))
		case 0xee:
			f.adobe = true
		case 0xda:
			f.sure = found
			f.adobe = f.adobe || !f.jfif && holds(in, 0xff, 0xee) // it may come as late as that
			return f
		}
	}
}

// sample reads how many dots there are to each plane.
func (f *frame) sample(b []byte) bool {
	if len(b) < 6 || len(b) != 6+3*int(b[5]) || b[5] == 0 {
		return false
	}
	f.planes = int(b[5])
	f.part, f.whole = int64(b[5]), 1
	if f.planes != 3 {
		return true
	}
	switch bright, one, two := b[7], b[10], b[13]; {
	case one != 0x11 || two != 0x11 || bright != 0x11 && bright != 0x12 && bright != 0x21 && bright != 0x22:
		f.odd = true // all planes may be made whole
	default:
		f.whole = int64(bright>>4) * int64(bright&15)
		f.part = f.whole + 2
	}
	return true
}

// holds reports whether two bytes follow one another in the rest.
func holds(in *bufio.Reader, one, two byte) bool {
	was := byte(0)
	for {
		b, err := in.ReadByte()
		if err != nil {
			return false
		}
		if was == one && b == two {
			return true
		}
		was = b
	}
}
