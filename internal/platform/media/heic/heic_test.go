//go:build nodynamic

package heic

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"icouch/internal/base/fault"
	"icouch/internal/platform/media"
)

//go:embed testdata/turned.heic
var photo []byte

const secret = "the house by the lake"

// What this test program does when the studio runs it again.
var tasks = map[string]func() error{
	"open": Command{}.Run,
	"ask":  ask,
	"take": take,
	"wait": wait,
	"lie": func() error {
		_, err := media.Dots().WriteString("\x00\x00\x00\x02\x00\x01\x00\x00\x00\x01\x00\x00")
		return err
	},
	"fail": func() error { return errors.New("a mistake of ours") },
	"die":  func() error { return syscall.Kill(os.Getpid(), syscall.SIGKILL) },
	"more": func() error {
		return errors.Join(media.WriteDots(media.Dots(), dot), media.WriteDots(media.Dots(), dot))
	},
}

var dot = image.NewGray(image.Rect(0, 0, 1, 1))

func TestMain(m *testing.M) {
	task, known := tasks[os.Args[len(os.Args)-1]]
	if !known {
		os.Exit(m.Run())
	}
	if err := task(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// ask is the dot of a picture if the process knows nothing of the one that began it.
func ask() error {
	if all := os.Environ(); len(all) > 0 {
		return fmt.Errorf("it was told %d things", len(all))
	}
	return media.WriteDots(media.Dots(), dot)
}

// wait waits until it is killed.
func wait() error {
	never := make(chan os.Signal, 1)
	signal.Notify(never, os.Interrupt)
	<-never
	return nil
}

// take takes more memory than there is for a picture, and answers if it could.
func take() error {
	if err := fence(); err != nil {
		return err
	}
	much := make([]byte, mostMemory)
	return media.WriteDots(media.Dots(), &image.Gray{Pix: much, Stride: 1, Rect: dot.Rect})
}

func studio(t *testing.T, task string) *media.Studio {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return media.NewStudio(self, task)
}

func TestAPhotographIsCopiedUprightAndWithoutItsPlace(t *testing.T) {
	t.Parallel()
	if !bytes.Contains(photo, []byte(secret)) || media.Detect(photo) != media.HEIC {
		t.Fatal("the original proves nothing")
	}
	var copied bytes.Buffer
	p, err := studio(t, "open").Copy(t.Context(), &copied, bytes.NewReader(photo), media.HEIC)
	if err != nil {
		t.Fatal(err)
	}
	if p.Type != media.JPEG || p.Width != 180 || p.Height != 260 {
		t.Errorf("the copy is %s of %d by %d, want a JPEG of 180 by 260", p.Type, p.Width, p.Height)
	}
	for name, b := range map[string][]byte{"copy": copied.Bytes(), "preview": p.Preview} {
		m, err := jpeg.Decode(bytes.NewReader(b))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := quarters(m); got != "brwg" {
			t.Errorf("the quarters of the %s are %s, want brwg", name, got)
		}
		if bytes.Contains(b, []byte(secret)) {
			t.Errorf("the %s says where it was made", name)
		}
	}
}

// quarters names the colours of a picture, row by row.
func quarters(m image.Image) (all string) {
	b := m.Bounds()
	for _, at := range []image.Point{{1, 1}, {3, 1}, {1, 3}, {3, 3}} {
		c, _ := color.RGBAModel.Convert(m.At(b.Min.X+b.Dx()*at.X/4, b.Min.Y+b.Dy()*at.Y/4)).(color.RGBA)
		switch {
		case c.R > 180 && c.G > 180 && c.B > 180:
			all += "w"
		case c.R > 150 && c.G < 90 && c.B < 90:
			all += "r"
		case c.G > 150 && c.R < 90 && c.B < 90:
			all += "g"
		case c.B > 150 && c.R < 90 && c.G < 90:
			all += "b"
		default:
			all += "?"
		}
	}
	return all
}

func TestWhoseFaultItIsThatThereIsNoPicture(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		task string
		b    []byte
		want error
	}{
		"no picture":         {"open", photo[:40], media.ErrUnreadable},
		"cut short":          {"open", photo[:len(photo)-200], media.ErrUnreadable},
		"nothing":            {"open", nil, media.ErrUnreadable},
		"more memory":        {"take", photo, media.ErrTooLarge},
		"more than it says":  {"more", photo, media.ErrUnreadable},
		"a picture too wide": {"lie", photo, media.ErrTooLarge},
		"a head too wide":    {"open", wide(), media.ErrTooLarge},
		"a mistake of ours":  {"fail", photo, media.ErrNotNow},
		"killed by somebody": {"die", photo, media.ErrNotNow},
		"no process":         {"", photo, media.ErrNotNow},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := studio(t, c.task)
			if c.task == "" {
				s = media.NewStudio(os.DevNull)
			}
			_, err := s.Copy(t.Context(), io.Discard, bytes.NewReader(c.b), media.HEIC)
			if _, _, told := fault.As(err); !errors.Is(err, c.want) || told != (c.want != media.ErrNotNow) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

// wide is the photograph with a head that says it is 65,536 dots square.
func wide() []byte {
	b := bytes.Clone(photo)
	at := bytes.Index(b, []byte("ispe")) + 8
	copy(b[at:], "\x00\x01\x00\x00\x00\x01\x00\x00")
	return b
}

// A limit that the operator has set lower stays, and is no mistake.
func TestALowerLimitStays(t *testing.T) {
	var was, is syscall.Rlimit
	for _, err := range []error{syscall.Getrlimit(syscall.RLIMIT_NOFILE, &was), limit(syscall.RLIMIT_NOFILE, was.Max+1), syscall.Getrlimit(syscall.RLIMIT_NOFILE, &is)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if is.Max != was.Max {
		t.Errorf("it is %d, was %d", is.Max, was.Max)
	}
}

func TestTheProcessKnowsNothing(t *testing.T) {
	t.Parallel()
	if _, err := studio(t, "ask").Copy(t.Context(), io.Discard, bytes.NewReader(photo), media.HEIC); err != nil {
		t.Error(err)
	}
}

func TestAPhotographIsLetGoWhenTheProgramEnds(t *testing.T) {
	t.Parallel()
	ctx, end := context.WithCancel(t.Context())
	began := &first{Reader: bytes.NewReader(photo), read: end}
	_, err := studio(t, "wait").Copy(ctx, io.Discard, began, media.HEIC)
	if _, _, told := fault.As(err); told || !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want that it was given up, to be made later", err)
	}
}

// first does something when it is read for the first time.
type first struct {
	*bytes.Reader
	read func()
}

func (f *first) Read(p []byte) (int, error) {
	f.read()
	return f.Reader.Read(p)
}

// TestNoPictureBringsTheLibraryDown changes photographs at random. Whatever comes
// of one, it is an error or a picture.
func TestNoPictureBringsTheLibraryDown(t *testing.T) {
	t.Parallel()
	chance := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same each time
	refused := 0
	for range 100 {
		b := bytes.Clone(photo)
		for range 1 + chance.IntN(4) {
			b[chance.IntN(len(b))] = byte(chance.Uint32())
		}
		if _, err := open(b); err != nil {
			refused++
		}
	}
	if refused == 0 || refused == 100 {
		t.Errorf("%d of 100 were refused: that proves nothing", refused)
	}
}
