package chat

import (
	"sync"
	"time"
)

// spoilt counts pictures that could not be opened, by who sent them. To open one
// may take most of a minute, one is opened at a time, and a file that takes as long
// as that is easily made: of whoever has sent a few within an hour, no more HEIC is
// opened in it, and they are asked for a JPEG. The count is in memory, so that
// taking the files out again does not lower it.
type spoilt struct {
	mu    sync.Mutex
	began time.Time
	of    map[string]int
}

const mostSpoilt = 5 // within an hour

// add counts one more.
func (s *spoilt) add(now time.Time, who string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turn(now)
	s.of[who]++
}

// often reports whether somebody has sent too many.
func (s *spoilt) often(now time.Time, who string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turn(now)
	return s.of[who] >= mostSpoilt
}

func (s *spoilt) turn(now time.Time) {
	if s.of == nil || now.Sub(s.began) >= time.Hour {
		s.began, s.of = now, map[string]int{}
	}
}
