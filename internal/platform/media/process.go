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
)

// Dots is where a process writes the dots of the picture that it opened for a
// studio. What its library says on the standard output goes nowhere.
func Dots() *os.File { return os.NewFile(3, "dots") } // the first of exec.Cmd.ExtraFiles

// openHEIC has another process open a photograph. It knows nothing of this one:
// no environment, no files. If it gives up, dies or is not done in time, the
// picture cannot be read; if it cannot even begin, that is our mistake.
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
	err = run.Start()
	_ = end.Close() // it is the process's own now
	if err != nil {
		return nil, fmt.Errorf("media: open HEIC: %w", err)
	}
	m, err := readDots(bufio.NewReaderSize(out, 1<<16))
	if err != nil {
		kill()
	}
	err = errors.Join(err, run.Wait())
	switch {
	case err == nil:
		return m, nil
	case errors.Is(ctx.Err(), context.Canceled): // the program ends
		return nil, fmt.Errorf("media: %w", ctx.Err())
	case errors.Is(err, ErrTooLarge):
		return nil, ErrTooLarge
	}
	return nil, in.fault(err)
}
