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

	"icouch/internal/platform/media"
)

// What the process may take.
const (
	mostMemory = 3 << 30 // bytes of addresses; 12 million dots take 340 MB
	mostTime   = 100     // seconds of one core; 12 million dots take four to seven
)

// Command is "icouch open-heic", which the program tells itself.
type Command struct{}

// Run reads a photograph from the standard input and writes its dots to where
// media.Dots says. It ends with an error where it is none.
func (Command) Run() error {
	if err := fence(); err != nil {
		return err
	}
	return open(media.Dots(), os.Stdin)
}

// fence sets the limits.
func fence() error {
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("1000"), 0) // where memory is short, this process goes first
	return errors.Join(
		syscall.Setrlimit(syscall.RLIMIT_AS, &syscall.Rlimit{Cur: mostMemory, Max: mostMemory}),
		syscall.Setrlimit(syscall.RLIMIT_CPU, &syscall.Rlimit{Cur: mostTime, Max: mostTime}),
	)
}

// open writes the dots of a photograph.
func open(w io.Writer, r io.Reader) (err error) {
	defer func() {
		if p := recover(); p != nil { // a picture led the library beyond its memory
			err = fmt.Errorf("heic: %v", p)
		}
	}()
	file, err := io.ReadAll(r)
	if err != nil {
		return fmt.Errorf("heic: %w", err)
	}
	m, err := decode(file)
	if err != nil {
		return err
	}
	to := bufio.NewWriterSize(w, 1<<16)
	return errors.Join(media.WriteDots(to, straight(m)), to.Flush())
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
