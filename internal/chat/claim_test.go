package chat_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"icouch/internal/base/id"
	"icouch/internal/chat"
	"icouch/internal/platform/blob"
)

// startAnew is the porter of a program that was started again, with its files in
// dir, and what it is told of trouble.
func (k *talk) startAnew(dir, growth string) *[]error {
	k.t.Helper()
	files, err := blob.Open(blob.NewFolder(dir), growth)
	if err != nil {
		k.t.Fatal(err)
	}
	told := new([]error)
	k.Porter = &chat.Porter{DB: k.DB, Files: files, Studio: k.Porter.Studio, Trouble: func(err error) { *told = append(*told, err) }}
	return told
}

// attaches tries both ways in which a file comes.
func (k *talk) attaches(c id.Conversation) error {
	k.t.Helper()
	_, whole := k.Porter.Take(k.t.Context(), k.theo, c, chat.Draft{ID: k.file(), Name: "a.txt"}, strings.NewReader("a"))
	_, begun := k.Porter.Begin(k.t.Context(), k.theo, c, chat.Draft{ID: k.file(), Name: "b.txt", Size: 1})
	if !errors.Is(whole, begun) {
		k.t.Errorf("whole: %v, in parts: %v", whole, begun)
	}
	return whole
}

func entries(t *testing.T, dir string) (names []string) {
	t.Helper()
	all, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		names = append(names, e.Name())
	}
	return names
}

func TestNoFileIsTakenInUntilItsPlaceIsKnownToBeOurs(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	c := k.begin(k.Mara, chat.To{Client: k.Theo})
	disk, growth := filepath.Join(t.TempDir(), "disk"), t.TempDir()
	if err := os.WriteFile(disk, nil, 0o600); err != nil { // it is not there, and something else is
		t.Fatal(err)
	}
	told := k.startAnew(filepath.Join(disk, "files"), growth)
	for range 3 {
		if err := k.attaches(c); !errors.Is(err, chat.ErrNoPlace) {
			t.Errorf("while it does not answer: %v", err)
		}
		k.Pass(time.Minute)
	}
	if left := entries(t, growth); len(left) != 0 || len(*told) != 1 {
		t.Errorf("%q grow, and it was told %d times, want nothing and once", left, len(*told))
	}
	_ = k.attaches(c) // it was just asked
	if err := os.Remove(disk); err != nil {
		t.Fatal(err)
	}
	if err := k.attaches(c); !errors.Is(err, chat.ErrNoPlace) {
		t.Errorf("it is asked again at once: %v", err)
	}
	k.Pass(10 * time.Second)
	if err := k.attaches(c); err != nil {
		t.Errorf("when it is back: %v", err)
	}
}

// The place did not answer when the program began, and then turns out to be
// somebody else's.
func TestNothingIsPutIntoAnothersPlaceNorTakenFromIt(t *testing.T) {
	t.Parallel()
	k, other := newTalk(t), newTalk(t)
	c := k.begin(k.Mara, chat.To{Client: k.Theo})
	waits := k.take(k.theo, c, "waits.txt", "a day")
	own, growth := k.Porter.Files.Where(), t.TempDir()
	k.startAnew(own, growth)
	d := chat.Draft{ID: k.file(), Name: "b.txt", Size: 3}
	if _, err := k.Porter.Begin(t.Context(), k.theo, c, d); err != nil {
		t.Fatal(err)
	}
	if err := other.Porter.Claim(t.Context()); err != nil {
		t.Fatal(err)
	}
	place := other.Porter.Files.Where()
	before := entries(t, place)
	told := k.startAnew(place, growth)
	if err := k.attaches(c); !errors.Is(err, chat.ErrNoPlace) {
		t.Errorf("attached: %v", err)
	}
	if _, err := k.Porter.Append(t.Context(), k.theo, c, d.ID, 0, strings.NewReader("bbb")); !errors.Is(err, chat.ErrNoPlace) {
		t.Errorf("the last part of one that was begun before: %v", err)
	}
	k.Pass(25 * time.Hour)
	left := filepath.Join(growth, "left")
	if err := errors.Join(os.WriteFile(left, nil, 0o600), os.Chtimes(left, time.Time{}, k.Now().Add(-25*time.Hour))); err != nil {
		t.Fatal(err)
	}
	if err := k.Porter.Sweep(t.Context()); err != nil {
		t.Errorf("swept: %v", err)
	}
	if _, err := os.Stat(left); err != nil {
		t.Errorf("what was left of an upload: %v", err)
	}
	if after := entries(t, place); len(after) != len(before) {
		t.Errorf("%q are there, want %q", after, before)
	}
	if len(*told) != 1 || !errors.Is((*told)[0], blob.ErrOthers) {
		t.Errorf("it was told %v", *told)
	}
	// In its own place again, what came goes on, and what waited too long is swept.
	k.startAnew(own, growth)
	if _, err := k.Porter.Arrived(t.Context(), k.theo, c, waits.ID); err != nil {
		t.Errorf("what waits was swept meanwhile: %v", err)
	}
	if a, err := k.Porter.Arrived(t.Context(), k.theo, c, d.ID); err != nil || a.Offset != 3 {
		t.Errorf("what came is %+v, %v", a, err)
	}
	if err := k.Porter.Sweep(t.Context()); err != nil || k.kept() != 0 {
		t.Errorf("%v, and %d files are kept", err, k.kept())
	}
	if _, err := os.Stat(left); err == nil {
		t.Error("what was left of an upload is not swept")
	}
}

// Of two who claim a place at once, one finds out later.
func TestWhoLosesAPlaceTakesInNothingMore(t *testing.T) {
	t.Parallel()
	k, other := newTalk(t), newTalk(t)
	c := k.begin(k.Mara, chat.To{Client: k.Theo})
	k.take(k.theo, c, "a.txt", "a")
	mark := func(from *talk) string { return filepath.Join(from.Porter.Files.Where(), "installation") }
	if err := other.Porter.Claim(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(mark(other), mark(k)); err != nil {
		t.Fatal(err)
	}
	if err := k.Porter.SweepOrphans(t.Context()); !errors.Is(err, blob.ErrOthers) {
		t.Errorf("it finds out: %v", err)
	}
	if err := k.attaches(c); !errors.Is(err, chat.ErrNoPlace) {
		t.Errorf("attached: %v", err)
	}
}
