// Package heic opens photographs as an iPhone takes them, in a process of its
// own. What reads their format is a large library in C; here it is compiled to
// WebAssembly, so nothing in a picture can reach beyond the memory it is given.
// What a picture can still do is to take all memory, or all time: the process has
// limits of both, and is ended from outside.
//
// The module can also load whatever C library it finds on the machine, and then
// does so when the program starts. So it is left out unless the program is built
// without that, as make does: go build -tags nodynamic.
package heic

import (
	"bufio"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"syscall"
	"time"

	"icouch/internal/platform/media"
)

// mostMemory is how many bytes of addresses the process may take. 12 million dots
// take 340 MB, 48 million a gigabyte, and the Go runtime keeps as much again free.
const mostMemory = 3 << 30

// Command is "icouch open-heic", which the program tells itself.
type Command struct{}

// Run reads a photograph from the standard input and writes its dots to where
// media.Dots says. The process ends with media.NoPicture or media.TooLarge where
// there are none; an error is our own mistake.
func (Command) Run() error {
	if err := fence(); err != nil {
		return err
	}
	file, err := io.ReadAll(os.Stdin)
	if err != nil {
		return fmt.Errorf("heic: %w", err)
	}
	m, err := open(file)
	switch {
	case errors.Is(err, errLarge):
		os.Exit(media.TooLarge)
	case err != nil:
		os.Exit(media.NoPicture)
	}
	to := bufio.NewWriterSize(media.Dots(), 1<<16)
	return errors.Join(media.WriteDots(to, straight(m)), to.Flush())
}

var errLarge = errors.New("heic: more dots than a picture may have")

// fence sets the limits, or leaves those that are lower.
func fence() error {
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("1000"), 0) // where memory is short, this process goes first
	return errors.Join(limit(syscall.RLIMIT_AS, mostMemory), limit(syscall.RLIMIT_CPU, uint64(media.ProcessTime/time.Second)))
}

func limit(what int, most uint64) error {
	var is syscall.Rlimit
	if err := syscall.Getrlimit(what, &is); err != nil {
		return err
	}
	most = min(most, is.Max)
	return syscall.Setrlimit(what, &syscall.Rlimit{Cur: most, Max: most})
}

// open opens a photograph.
func open(file []byte) (m image.Image, err error) {
	defer func() {
		if p := recover(); p != nil { // a picture led the library beyond its memory
			err = fmt.Errorf("heic: %v", p)
		}
	}()
	return decode(file)
}

// straight gives back the colours of a picture one can see through, where they
// were multiplied by how much.
func straight(m image.Image) image.Image {
	p, ok := m.(*image.RGBA)
	if !ok {
		return m
	}
	to := image.NewNRGBA(p.Rect)
	for y := p.Rect.Min.Y; y < p.Rect.Max.Y; y++ {
		for x := p.Rect.Min.X; x < p.Rect.Max.X; x++ {
			to.Set(x, y, p.RGBAAt(x, y))
		}
	}
	return to
}
