package media

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"time"

	"golang.org/x/image/webp"

	"icouch/internal/base/fault"
)

// MaxDots is how many dots a picture may have: more than most telephones' do.
const MaxDots = 50_000_000

// What is too much besides.
const (
	maxSide   = 20_000           // a panorama's
	maxBytes  = 200 << 20        // of memory, all that a picture takes until its copies are made: see cost
	maxTime   = 90 * time.Second // a telephone of 12 million dots takes a second of one core; a job has a little longer
	previewed = 1200             // the longer side of a preview
)

// What the person who sent the picture is told.
var (
	ErrUnreadable = fault.New(fault.Invalid, "This picture cannot be read. Save it as JPEG and send that.")
	ErrTooLarge   = fault.New(fault.Invalid, "This picture is too large to be opened here. Send a smaller copy of it.")
)

// ErrNotNow is that a picture was not copied, and that it may not be to blame: the
// machine was too slow, or the process that opens it was ended by somebody. It can
// be tried again.
var ErrNotNow = errors.New("media: the picture was not opened")

// Studio makes copies of pictures, one at a time: each needs memory for all its
// dots.
type Studio struct {
	turn chan struct{}
	heic []string // the command that opens HEIC, if there is one
}

// NewStudio opens a studio. It needs nothing until a picture comes. HEIC is opened
// by a command, if one is named: it reads the file from its standard input, and
// writes the dots of the picture to Dots, as WriteDots does.
func NewStudio(heic ...string) *Studio { return &Studio{turn: make(chan struct{}, 1), heic: heic} }

// OpensHEIC reports whether photographs as an iPhone takes them can be copied.
func (s *Studio) OpensHEIC() bool { return len(s.heic) > 0 }

// Picture is a copy.
type Picture struct {
	Type          Type // JPEG or PNG
	Width, Height int
	Preview       []byte // a JPEG, 1,200 dots on its longer side at most
}

// Copy writes to w a copy of the picture that r holds, which is of type t. The
// copy stands upright, and holds nothing but the picture: no place, no time, no
// camera, no comment, no small picture from before it was cut. Of a picture that
// moves, it is the first one. What cannot be read is a fault, and w may then hold
// some of it. Any other error is none of the picture's.
func (s *Studio) Copy(ctx context.Context, w io.Writer, r io.ReadSeeker, t Type) (Picture, error) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return Picture{}, ctx.Err()
	}
	quick, cancel := context.WithTimeout(ctx, maxTime)
	defer cancel()
	m, turn, err := s.open(quick, r, t)
	if err != nil && errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return Picture{}, errors.Join(ErrNotNow, err)
	}
	if err != nil {
		return Picture{}, err
	}
	return copyTo(w, m, turn, t)
}

// open opens a picture, and says how it is to be turned.
func (s *Studio) open(ctx context.Context, r io.ReadSeeker, t Type) (m image.Image, turn int, err error) {
	if t.HEIC() {
		m, err = s.openHEIC(ctx, r)
		return m, 1, err // it is turned already: the file says how, and its Exif block does not count
	}
	if turn, err = orientation(r, t); err != nil {
		return nil, 0, fmt.Errorf("media: %w", err)
	}
	m, err = decode(ctx, r, t, turn > 1)
	return m, turn, err
}

// decode opens a picture, after looking at how much memory that takes. It is
// turned afterwards, if it is to be.
func decode(ctx context.Context, r io.ReadSeeker, t Type, turn bool) (image.Image, error) {
	var size func(io.Reader) (image.Config, error)
	var open func(io.Reader) (image.Image, error)
	switch t {
	case JPEG:
		size, open = jpeg.DecodeConfig, jpeg.Decode
	case PNG:
		size, open = png.DecodeConfig, png.Decode
	case GIF:
		size, open = gif.DecodeConfig, gif.Decode
	case WebP:
		size, open = webp.DecodeConfig, webp.Decode
	default:
		return nil, fmt.Errorf("media: %s is not a picture that is copied", t)
	}
	in := &source{ctx: ctx, r: r}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("media: %w", err)
	}
	c, err := size(in)
	if err != nil {
		return nil, in.fault(err)
	}
	if err := bearable(in, r, t, c, turn); err != nil {
		return nil, err
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("media: %w", err)
	}
	m, err := open(in)
	if err != nil {
		return nil, in.fault(err)
	}
	if t == WebP {
		stretch(m)
	}
	return m, nil
}

// stretch gives a WebP its black and white: it keeps brightness in 16 to 235 and
// colour in 16 to 240, as video does, and golang.org/x/image/webp hands it on as
// if it were a JPEG's, with 0 to 255 for both.
func stretch(m image.Image) {
	var p *image.YCbCr
	switch m := m.(type) {
	case *image.YCbCr:
		p = m
	case *image.NYCbCrA:
		p = &m.YCbCr
	default:
		return // lossless: it is in red, green and blue
	}
	var bright, colour [256]byte
	for i := range 256 {
		bright[i] = clamp((i-16)*255, 219, 0)
		colour[i] = clamp((i-128)*255, 224, 128)
	}
	for i, v := range p.Y {
		p.Y[i] = bright[v]
	}
	for i := range p.Cb {
		p.Cb[i], p.Cr[i] = colour[p.Cb[i]], colour[p.Cr[i]]
	}
}

// clamp is n / by + more, rounded and as a byte.
func clamp(n, by, more int) byte {
	n += more * by
	return byte(min(255, max(0, (n+by/2)/by))) //nolint:gosec // it is one
}

// source stops a decoder when the time is up, at its next read, and remembers
// whether reading failed: then the picture is not to blame.
type source struct {
	ctx context.Context
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		s.err = err
		return 0, err
	}
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// fault says whose mistake it was that a decoder gave up.
func (s *source) fault(err error) error {
	if s.err != nil {
		return fmt.Errorf("media: %w", s.err)
	}
	return errors.Join(ErrUnreadable, err)
}

// copyTo writes the picture, and makes the preview.
func copyTo(w io.Writer, m image.Image, turn int, was Type) (Picture, error) {
	clear := opaque(m)
	small := turned(reduced(m), turn)
	var preview bytes.Buffer
	if err := jpeg.Encode(&preview, flat(small), &jpeg.Options{Quality: 80}); err != nil {
		return Picture{}, fmt.Errorf("media: preview: %w", err)
	}
	p := Picture{Type: PNG, Preview: preview.Bytes()}
	m = turned(m, turn)
	p.Width, p.Height = m.Bounds().Dx(), m.Bounds().Dy()
	var err error
	if was == PNG || was == GIF || was == WebP && !clear {
		err = png.Encode(w, m)
	} else {
		p.Type = JPEG
		err = jpeg.Encode(w, flat(m), &jpeg.Options{Quality: 90})
	}
	if err != nil {
		return Picture{}, fmt.Errorf("media: copy: %w", err)
	}
	return p, nil
}

// flat puts a picture one can see through on white: JPEG has no other way.
func flat(m image.Image) image.Image {
	if opaque(m) {
		return m
	}
	to := image.NewRGBA(image.Rect(0, 0, m.Bounds().Dx(), m.Bounds().Dy()))
	draw.Draw(to, to.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(to, to.Bounds(), m, m.Bounds().Min, draw.Over)
	return to
}
