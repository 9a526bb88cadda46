package blob_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"icouch/internal/platform/blob"
	"icouch/internal/platform/crypt"
)

func begin(t testing.TB, s *blob.Store, size int) blob.Upload {
	t.Helper()
	u, err := s.Begin(int64(size))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestAnUploadInTwoParts(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, s *blob.Store, growth string) {
		content := someBytes(200_000)
		u := begin(t, s, len(content))
		at, err := s.Append(t.Context(), u, 0, bytes.NewReader(content[:100_000]))
		if at != 100_000 || err != nil {
			t.Fatal(at, err)
		}
		if _, err := s.Finish(t.Context(), u); !errors.Is(err, blob.ErrNotYet) {
			t.Errorf("finished too early: %v", err)
		}
		if at, err = s.Append(t.Context(), u, at, bytes.NewReader(content[100_000:])); at != 200_000 || err != nil {
			t.Fatal(at, err)
		}
		for range 2 { // the second time, because the first answer was lost
			f, err := s.Finish(t.Context(), u)
			if err != nil || f.Name != u.Name || f.Size != 200_000 || f.SHA256 != sha256.Sum256(content) {
				t.Fatalf("%+v, %v", f, err)
			}
		}
		if got, err := readAll(s, u.Name, u.Key); err != nil || !bytes.Equal(got, content) {
			t.Errorf("another file came back: %v", err)
		}
		if _, err := s.Append(t.Context(), u, 200_000, strings.NewReader("")); !errors.Is(err, blob.ErrNoUpload) {
			t.Errorf("a part after the end: %v", err)
		}
		mustBeEmpty(t, growth)
	})
}

// TestAnyOrderOfPartsAndCrashesGivesTheFile is the law: whatever is sent, cut
// off, sent to a wrong place or interrupted by a crash, what was confirmed stays
// confirmed and the file comes out whole.
func TestAnyOrderOfPartsAndCrashesGivesTheFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	lengths := []int{0, 1, 20_000, crypt.PieceSize - 1, crypt.PieceSize, crypt.PieceSize + 1, 150_000, 300_000}
	rapid.Check(t, func(rt *rapid.T) {
		place := blob.NewFolder(filepath.Join(dir, "files"))
		s := open(t, place, dir)
		size := rapid.OneOf(rapid.IntRange(1, 300_000), rapid.SampledFrom([]int{1, crypt.PieceSize - 1, crypt.PieceSize, crypt.PieceSize + 1, 2 * crypt.PieceSize})).Draw(rt, "size")
		content := someBytes(size)
		u := begin(t, s, size)
		stands := int64(0)
		for stands < int64(size) {
			switch rapid.SampledFrom([]string{"part", "part", "cut", "wrong", "crash", "long"}).Draw(rt, "what") {
			case "part":
				n := min(rapid.SampledFrom(lengths).Draw(rt, "length"), size-int(stands))
				at, err := s.Append(t.Context(), u, stands, bytes.NewReader(content[stands:int(stands)+n]))
				if err != nil || at != stands+int64(n) {
					rt.Fatalf("at %d after %d more (%v)", at, n, err)
				}
				stands = at
			case "cut":
				n := min(rapid.SampledFrom(lengths).Draw(rt, "length"), size-int(stands))
				broken := errors.New("the connection broke")
				at, err := s.Append(t.Context(), u, stands, io.MultiReader(bytes.NewReader(content[stands:int(stands)+n]), failing{broken}))
				if !errors.Is(err, broken) || at != stands+int64(n) {
					rt.Fatalf("at %d after %d more and a cut (%v)", at, n, err)
				}
				stands = at
			case "wrong":
				wrong := rapid.Int64Range(-1, int64(size)+1).Filter(func(n int64) bool { return n != stands }).Draw(rt, "offset")
				at, err := s.Append(t.Context(), u, wrong, strings.NewReader("something else"))
				if !errors.Is(err, blob.ErrOffset) || at != stands {
					rt.Fatalf("a part for %d, where %d stands: at %d, %v", wrong, stands, at, err)
				}
			case "long":
				more := append(bytes.Clone(content[stands:]), 'x')
				if at, err := s.Append(t.Context(), u, stands, bytes.NewReader(more)); !errors.Is(err, blob.ErrTooLong) || at != stands {
					rt.Fatalf("too much: at %d, %v", at, err)
				}
			case "crash": // anything may lie behind what was confirmed, and a new program comes
				part := filepath.Join(dir, "growth", string(u.Name)+".part")
				f, err := os.OpenFile(part, os.O_WRONLY|os.O_APPEND, 0)
				if err != nil {
					rt.Fatal(err)
				}
				_, err = f.Write(someBytes(rapid.IntRange(0, 2*crypt.SealedPiece).Draw(rt, "torn")))
				if err := errors.Join(err, f.Close()); err != nil {
					rt.Fatal(err)
				}
				s = open(t, place, dir)
			}
			if at, err := s.Offset(t.Context(), u); at != stands || err != nil {
				rt.Fatalf("stands at %d, want %d (%v)", at, stands, err)
			}
		}
		f, err := s.Finish(t.Context(), u)
		if err != nil || f.SHA256 != sha256.Sum256(content) {
			rt.Fatalf("another file came out: %v", err)
		}
	})
}

// TestAKilledProgramLosesLittle: what a reader has given is confirmed every 8 MB,
// not only at its end.
func TestAKilledProgramLosesLittle(t *testing.T) {
	t.Parallel()
	s, dir := folder(t)
	const size = 20 << 20
	u := begin(t, s, size)
	saw := int64(-1)
	died := &dying{left: 18 << 20, last: func() {
		// What another program, started now, would find.
		for _, end := range []string{".part", ".end"} {
			b, err := os.ReadFile(filepath.Join(dir, "growth", string(u.Name)+end))
			if err != nil {
				t.Error(err)
			}
			if err := os.MkdirAll(filepath.Join(dir, "later", "growth"), 0o700); err != nil {
				t.Error(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "later", "growth", string(u.Name)+end), b, 0o600); err != nil {
				t.Error(err)
			}
		}
		at, err := open(t, blob.NewFolder(filepath.Join(dir, "later", "files")), filepath.Join(dir, "later")).Offset(t.Context(), u)
		if err != nil {
			t.Error(err)
		}
		saw = at
	}}
	if _, err := s.Append(t.Context(), u, 0, died); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatal(err)
	}
	if saw != 16<<20 {
		t.Errorf("after 18 MB %d were safe, want 16 MB", saw)
	}
}

// dying gives so many bytes, calls last, and fails.
type dying struct {
	left int
	last func()
}

func (d *dying) Read(p []byte) (int, error) {
	if d.left == 0 {
		d.last()
		return 0, io.ErrUnexpectedEOF
	}
	n := min(len(p), d.left)
	clear(p[:n])
	d.left -= n
	return n, nil
}

func TestOnePartAtATime(t *testing.T) {
	t.Parallel()
	s, _ := folder(t)
	u := begin(t, s, 10)
	slow, give := io.Pipe()
	type answer struct {
		at  int64
		err error
	}
	first := make(chan answer)
	go func() {
		at, err := s.Append(t.Context(), u, 0, slow)
		first <- answer{at, err}
	}()
	if _, err := give.Write([]byte("hello")); err != nil { // now it is being read
		t.Fatal(err)
	}
	hurried, stop := context.WithCancel(t.Context()) // does not wait
	stop()
	if _, err := s.Append(hurried, u, 0, strings.NewReader("hello")); !errors.Is(err, blob.ErrBusy) {
		t.Errorf("a second part beside the first: %v", err)
	}
	if _, err := s.Finish(hurried, u); !errors.Is(err, blob.ErrBusy) {
		t.Errorf("finished beside a part: %v", err)
	}
	if err := s.Abandon(hurried, u.Name); !errors.Is(err, blob.ErrBusy) {
		t.Errorf("abandoned beside a part: %v", err)
	}
	var waiting sync.WaitGroup
	for range 8 {
		waiting.Go(func() {
			if at, err := s.Offset(t.Context(), u); at != 5 || err != nil {
				t.Errorf("who asks meanwhile and waits: %d, %v", at, err)
			}
		})
	}
	give.Close()
	waiting.Wait()
	if a := <-first; a.at != 5 || a.err != nil {
		t.Errorf("the first part: %+v", a)
	}
	if at, err := s.Append(t.Context(), u, 5, strings.NewReader("world")); at != 10 || err != nil {
		t.Errorf("the second part afterwards: %d, %v", at, err)
	}
}

func TestASizeThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	s, dir := folder(t)
	for size, want := range map[int64]error{0: blob.ErrEmpty, -1: blob.ErrEmpty, blob.MaxSize + 1: blob.ErrTooLarge, 1 << 62: blob.ErrTooLarge} {
		if _, err := s.Begin(size); !errors.Is(err, want) {
			t.Errorf("%d bytes: %v, want %v", size, err, want)
		}
	}
	mustBeEmpty(t, filepath.Join(dir, "growth"))
}

func TestAnotherKeyNeitherReadsNorDestroysAnUpload(t *testing.T) {
	t.Parallel()
	s, _ := folder(t)
	u := begin(t, s, 10)
	if _, err := s.Append(t.Context(), u, 0, strings.NewReader("hello")); err != nil {
		t.Fatal(err)
	}
	other := u
	other.Key = crypt.NewFileKey()
	if _, err := s.Offset(t.Context(), other); !errors.Is(err, crypt.ErrSpoiled) {
		t.Errorf("asked with another key: %v", err)
	}
	if _, err := s.Append(t.Context(), other, 0, strings.NewReader("hello")); !errors.Is(err, crypt.ErrSpoiled) {
		t.Errorf("written with another key: %v", err)
	}
	if at, err := s.Offset(t.Context(), u); at != 5 || err != nil {
		t.Errorf("it stands at %d (%v), want 5", at, err)
	}
}

func TestWhatIsLeftAloneForADayIsSwept(t *testing.T) {
	t.Parallel()
	s, dir := folder(t)
	growth := filepath.Join(dir, "growth")
	now := time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
	old, young := begin(t, s, 10), begin(t, s, 10)
	for _, u := range []blob.Upload{old, young} {
		if _, err := s.Append(t.Context(), u, 0, strings.NewReader("hello")); err != nil {
			t.Fatal(err)
		}
	}
	w, err := s.Create() // a crash leaves this
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(someBytes(100_000)); err != nil {
		t.Fatal(err)
	}
	kept := keep(t, s, []byte("kept"))
	all, err := os.ReadDir(growth)
	if err != nil || len(all) != 5 {
		t.Fatal(all, err)
	}
	for _, e := range all {
		age := 25 * time.Hour
		if strings.HasPrefix(e.Name(), string(young.Name)) {
			age = 23 * time.Hour
		}
		if err := os.Chtimes(filepath.Join(growth, e.Name()), now.Add(-age), now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Sweep(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Offset(t.Context(), old); !errors.Is(err, blob.ErrNoUpload) {
		t.Errorf("the old upload: %v", err)
	}
	if at, err := s.Offset(t.Context(), young); at != 5 || err != nil {
		t.Errorf("the young upload: %d, %v", at, err)
	}
	if left, err := os.ReadDir(growth); err != nil || len(left) != 2 {
		t.Errorf("left: %v, %v", left, err)
	}
	if _, err := readAll(s, kept.Name, kept.Key); err != nil {
		t.Errorf("a kept file was swept: %v", err)
	}
	if err := w.Abort(); err != nil {
		t.Errorf("abort after the sweep: %v", err)
	}
	for range 2 {
		if err := s.Abandon(t.Context(), young.Name); err != nil {
			t.Fatal(err)
		}
	}
	mustBeEmpty(t, growth)
}
