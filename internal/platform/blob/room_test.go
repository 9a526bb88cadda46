package blob

import (
	"errors"
	"testing"
)

func TestFilesLeaveRoomOnTheDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := Open(NewFolder(dir+"/kept"), dir+"/growth")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.room(1); err != nil {
		t.Errorf("on a real disk: %v", err)
	}
	const giga = 1 << 30
	for _, c := range []struct {
		free, all, size int64
		full            bool
	}{
		{2 * giga, 100 * giga, MaxSize, false},
		{giga + MaxSize, 100 * giga, MaxSize, false},
		{giga + MaxSize - 1, 100 * giga, MaxSize, true},
		{0, 100 * giga, 1, true},
		{giga / 10, giga, 1, false}, // a small disk: a twentieth
		{giga / 30, giga, 1, true},
	} {
		s.space = func(string) (int64, int64, error) { return c.free, c.all, nil }
		if _, err := s.Begin(c.size); errors.Is(err, ErrFull) != c.full || err != nil && !c.full {
			t.Errorf("%d of %d free, %d bytes come: %v", c.free, c.all, c.size, err)
		}
	}
	if _, err := s.Create(); !errors.Is(err, ErrFull) {
		t.Errorf("a file of which the size is not known: %v", err)
	}
	broken := errors.New("the disk is gone")
	s.space = func(string) (int64, int64, error) { return 0, 0, broken }
	if _, err := s.Begin(1); !errors.Is(err, broken) {
		t.Errorf("a disk that is gone: %v", err)
	}
}
