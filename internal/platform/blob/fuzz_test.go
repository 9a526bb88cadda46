package blob

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"icouch/internal/platform/crypt"
)

// memory is a file in memory.
type memory struct{ *bytes.Reader }

func (memory) Close() error { return nil }

// FuzzFile changes a sealed file in all sorts of ways: what is read is what was
// written, or an error. Never something else, never a panic.
func FuzzFile(f *testing.F) {
	var key crypt.FileKey // the same at each run, or nothing found could be found again
	f.Add(uint32(0), uint32(0), uint32(0), byte(1), uint32(0), int64(0), []byte(nil))
	f.Add(uint32(200_000), uint32(131_128), uint32(200_112), byte(0), uint32(0), int64(70_000), []byte(nil))
	f.Add(uint32(65_536), uint32(0), uint32(65_564), byte(3), uint32(17), int64(65_535), []byte("behind"))
	f.Add(uint32(131_072), uint32(65_564), uint32(131_128), byte(0), uint32(0), int64(1), []byte(nil))
	f.Fuzz(func(t *testing.T, size, from, to uint32, flip byte, at uint32, seek int64, behind []byte) {
		content := make([]byte, size%300_000)
		for i := range content {
			content[i] = byte(i>>8 + i)
		}
		var out bytes.Buffer
		w := newSealer(&out, key.Pieces())
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
		if err := w.finish(); err != nil {
			t.Fatal(err)
		}
		whole := bytes.Clone(out.Bytes())
		kept := out.Bytes()[min(int(from), out.Len()):]
		kept = append(kept[:min(int(to), len(kept))], behind...)
		if len(kept) > 0 {
			kept[int(at)%len(kept)] ^= flip
		}
		r, err := openFile(memory{bytes.NewReader(kept)}, key)
		if err != nil {
			if bytes.Equal(kept, whole) || !errors.Is(err, crypt.ErrSpoiled) {
				t.Fatalf("does not open: %v", err)
			}
			return
		}
		got, err := io.ReadAll(r)
		if !bytes.HasPrefix(content, got) || err == nil && len(got) != len(content) {
			t.Fatalf("%d bytes were read that are not what was written", len(got))
		}
		if err != nil && (bytes.Equal(kept, whole) || !errors.Is(err, crypt.ErrSpoiled)) {
			t.Fatal(err)
		}
		if seek >= 0 && seek < int64(len(content)) {
			if _, err := r.Seek(seek, io.SeekStart); err != nil {
				t.Fatal(err)
			}
			if one, err := io.ReadAll(io.LimitReader(r, 10)); err == nil && !bytes.HasPrefix(content[seek:], one) {
				t.Fatalf("at %d something else was read", seek)
			}
		}
	})
}
