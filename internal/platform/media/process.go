package media

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"os/exec"
	"time"

	"icouch/internal/base/fault"
)

// A photograph in HEIC is opened by another process. What that one ends with says
// whose fault it is if there is no picture.
const (
	NoPicture  = 3 // it is none
	TooLarge   = 4 // it is one that takes too much
	wentToRags = 2 // the Go runtime's: it took all the memory that a picture may
)

// ProcessTime is how long of one core a picture may take. 12 million dots take
// four to seven seconds.
const ProcessTime = 40 * time.Second

// Dots is where a process writes the dots of the picture that it opened for a
// studio. What its library says on the standard output goes nowhere.
func Dots() *os.File { return os.NewFile(3, "dots") } // the first of exec.Cmd.ExtraFiles

// openHEIC has another process open a photograph. It is given no environment, and
// goes when this one does.
func (s *Studio) openHEIC(ctx context.Context, r io.ReadSeeker) (image.Image, error) {
	if !s.OpensHEIC() {
		return nil, ErrUnreadable
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("media: %w", err)
	}
	living, kill := context.WithCancel(ctx)
	defer kill()
	in := &source{ctx: ctx, r: r}
	run := exec.CommandContext(living, s.heic[0], s.heic[1:]...)
	out, end, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("media: %w", err)
	}
	defer out.Close()
	run.Env, run.Stdin, run.ExtraFiles = []string{}, in, []*os.File{end}
	leash(run)
	err = run.Start()
	_ = end.Close() // it is the process's own now
	if err != nil {
		return nil, errors.Join(ErrNotNow, err)
	}
	m, unread := readDots(bufio.NewReaderSize(out, 1<<16))
	if unread != nil && !errors.Is(unread, io.EOF) && !errors.Is(unread, io.ErrUnexpectedEOF) {
		kill() // else it has ended, and says why
	}
	if ended := run.Wait(); unread == nil && ended == nil {
		return m, nil
	}
	switch _, _, told := fault.As(unread); {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("media: %w", ctx.Err())
	case in.err != nil:
		return nil, fmt.Errorf("media: %w", in.err)
	case told: // larger than any picture may be
		return nil, unread
	case errors.Is(unread, errDots):
		return nil, ErrUnreadable
	}
	return nil, blame(run.ProcessState, unread)
}

// blame says what it means that a process gave no picture.
func blame(p *os.ProcessState, unread error) error {
	switch p.ExitCode() {
	case NoPicture:
		return ErrUnreadable
	case TooLarge, wentToRags:
		return ErrTooLarge
	}
	if p.UserTime()+p.SystemTime() >= ProcessTime-time.Second {
		return ErrTooLarge
	}
	return errors.Join(ErrNotNow, unread, errors.New(p.String()))
}
