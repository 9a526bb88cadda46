package blob

import (
	"fmt"
	"syscall"

	"icouch/internal/base/fault"
)

// On the disk where files grow there is, as a rule, the database, too. Files leave
// it room: a gigabyte, and on a small disk a twentieth.
const leaves = 1 << 30

// ErrFull is what somebody is told whose file would leave no room.
var ErrFull = fault.New(fault.Busy, "There is no room for files at the moment. Your words can be sent without them. Please tell your practice, and try the file again later.")

// space is how much of the disk of a folder is free, and how large it is.
type space func(dir string) (free, all int64, err error)

func spaceOf(dir string) (free, all int64, err error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, 0, err
	}
	size := int64(st.Bsize)
	return int64(st.Bavail) * size, int64(st.Blocks) * size, nil //nolint:gosec // no disk is as large
}

// room looks whether a file of so many bytes leaves enough.
func (s *Store) room(size int64) error {
	free, all, err := s.space(s.growth)
	if err != nil {
		return fmt.Errorf("blob: room: %w", err)
	}
	if free-size < min(leaves, all/20) {
		return ErrFull
	}
	return nil
}
