package blob_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"icouch/internal/platform/blob"
	"icouch/internal/platform/crypt"
)

// someBytes are the same at each run, and nothing repeats in them.
func someBytes(size int) []byte {
	b := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{7}).Read(b)
	return b
}

// s3 is a server that speaks S3 over HTTP, and what it was asked.
type s3 struct {
	*httptest.Server
	parts, signed, asked atomic.Int64
	refuses, careless    atomic.Bool
}

func newS3(t testing.TB) *s3 {
	t.Helper()
	store := s3mem.New()
	if err := store.CreateBucket("couch"); err != nil {
		t.Fatal(err)
	}
	fake := gofakes3.New(store, gofakes3.WithLogger(gofakes3.DiscardLog())).Server()
	s := &s3{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		if s.refuses.Load() {
			http.Error(w, "later", http.StatusServiceUnavailable)
			return
		}
		if strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=our-key/") {
			s.signed.Add(1)
		}
		if r.Method == http.MethodPut && r.URL.Query().Has("partNumber") {
			s.parts.Add(1)
			if !s.careless.Load() {
				if err := plainly(r); err != nil {
					t.Error(err)
				}
			}
		}
		fake.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// plainly takes the signatures out of a part, which the server does of whole
// objects only.
func plainly(r *http.Request) error {
	if r.Header.Get("X-Amz-Content-Sha256") != "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" {
		return fmt.Errorf("a part came as %q", r.Header.Get("X-Amz-Content-Sha256"))
	}
	var body bytes.Buffer
	in := bufio.NewReader(r.Body)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return err
		}
		size, signature, _ := strings.Cut(strings.TrimSpace(line), ";chunk-signature=")
		n, err := strconv.ParseInt(size, 16, 64)
		if err != nil || len(signature) != 64 {
			return fmt.Errorf("a piece of a part begins with %q", line)
		}
		if n == 0 {
			break
		}
		if _, err := io.CopyN(&body, in, n); err != nil {
			return err
		}
		if _, err := in.Discard(2); err != nil {
			return err
		}
	}
	if got := strconv.Itoa(body.Len()); got != r.Header.Get("X-Amz-Decoded-Content-Length") {
		return fmt.Errorf("%s bytes of %s arrived", got, r.Header.Get("X-Amz-Decoded-Content-Length"))
	}
	r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
	r.Header.Del("Content-Encoding")
	r.Body, r.ContentLength = io.NopCloser(&body), int64(body.Len())
	return nil
}

func (s *s3) place(t testing.TB) blob.Place {
	t.Helper()
	b, err := blob.NewBucket(strings.Replace(s.URL, "http://", "s3+http://", 1)+"/couch/files", blob.Credentials{Key: "our-key", Secret: "our-secret"})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func open(t testing.TB, p blob.Place, dir string) *blob.Store {
	t.Helper()
	s, err := blob.Open(p, filepath.Join(dir, "growth"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func folder(t testing.TB) (*blob.Store, string) {
	t.Helper()
	dir := t.TempDir()
	return open(t, blob.NewFolder(filepath.Join(dir, "files")), dir), dir
}

// everywhere runs a test with a folder and with a bucket.
func everywhere(t *testing.T, test func(t *testing.T, s *blob.Store, growth string)) {
	t.Helper()
	t.Run("folder", func(t *testing.T) {
		t.Parallel()
		s, dir := folder(t)
		test(t, s, filepath.Join(dir, "growth"))
	})
	t.Run("bucket", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		test(t, open(t, newS3(t).place(t), dir), filepath.Join(dir, "growth"))
	})
}

func keep(t testing.TB, s *blob.Store, content []byte) blob.Stored {
	t.Helper()
	f, err := s.Store(t.Context(), bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func readAll(s *blob.Store, n blob.Name, k crypt.FileKey) ([]byte, error) {
	f, err := s.Open(context.Background(), n, k)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

func mustBeEmpty(t *testing.T, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 0 {
		t.Errorf("left where files grow: %v, %v", left, err)
	}
}

var sizes = []int{0, 1, crypt.PieceSize - 1, crypt.PieceSize, crypt.PieceSize + 1, 3 * crypt.PieceSize, 300_001}

func TestWhatWasKeptComesBack(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, s *blob.Store, growth string) {
		if err := s.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		var names, listed []string
		for _, size := range append(sizes, 20<<20+5) {
			content := someBytes(size)
			f := keep(t, s, content)
			got, err := readAll(s, f.Name, f.Key)
			if err != nil || !bytes.Equal(got, content) {
				t.Errorf("%d bytes: got %d, %v", size, len(got), err)
			}
			if f.Size != int64(size) || f.SHA256 != sha256.Sum256(content) {
				t.Errorf("%d bytes: told %d and another sum", size, f.Size)
			}
			names = append(names, fmt.Sprint(f.Name, " ", crypt.SealedSize(f.Size)))
		}
		err := s.Each(t.Context(), func(i blob.Info) error {
			listed = append(listed, fmt.Sprint(i.Name, " ", i.Sealed))
			if i.Since.IsZero() {
				t.Error("a file is from no time")
			}
			return nil
		})
		slices.Sort(names)
		slices.Sort(listed)
		if err != nil || !slices.Equal(names, listed) {
			t.Errorf("listed %v, want %v (%v)", listed, names, err)
		}
		mustBeEmpty(t, growth)
	})
}

func TestAnyPartCanBeRead(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, s *blob.Store, _ string) {
		content := someBytes(300_001)
		kept := keep(t, s, content)
		site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			f, err := s.Open(r.Context(), kept.Name, kept.Key)
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			defer f.Close()
			http.ServeContent(w, r, "", time.Time{}, f)
		}))
		defer site.Close()
		for _, c := range []struct {
			asked    string
			from, to int
		}{
			{"", 0, 300_001},
			{"bytes=0-0", 0, 1},
			{"bytes=65535-65536", 65535, 65537},
			{"bytes=65536-131071", 65536, 131072},
			{"bytes=70000-290000", 70000, 290001},
			{"bytes=-1", 300_000, 300_001},
			{"bytes=262144-", 262144, 300_001},
		} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, site.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			if c.asked != "" {
				r.Header.Set("Range", c.asked)
			}
			a, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(a.Body)
			a.Body.Close()
			if err != nil || !bytes.Equal(got, content[c.from:c.to]) {
				t.Errorf("%q: %d, %d bytes, want %d (%v)", c.asked, a.StatusCode, len(got), c.to-c.from, err)
			}
		}
	})
}

func TestWhatIsRemovedIsGone(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, s *blob.Store, _ string) {
		a, b := keep(t, s, []byte("first")), keep(t, s, []byte("second"))
		for range 2 { // the second time it is not there
			if err := s.Remove(t.Context(), a.Name); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := readAll(s, a.Name, a.Key); !errors.Is(err, blob.ErrNotThere) {
			t.Errorf("the removed file: %v", err)
		}
		if got, err := readAll(s, b.Name, b.Key); err != nil || string(got) != "second" {
			t.Errorf("the other one: %q, %v", got, err)
		}
	})
}

func TestNoOtherNameReachesAFile(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, s *blob.Store, _ string) {
		f := keep(t, s, []byte("content"))
		for _, n := range []string{"", "..", "../" + string(f.Name), strings.ToUpper(string(f.Name)), string(f.Name) + "/", string(f.Name)[:30]} {
			if _, err := blob.ParseName(n); err == nil && n != string(f.Name) {
				t.Errorf("%q is a name", n)
			}
			if _, err := s.Open(t.Context(), blob.Name(n), f.Key); err == nil && n != string(f.Name) {
				t.Errorf("%q opens", n)
			}
			if err := s.Remove(t.Context(), blob.Name(n)); err == nil && n != string(f.Name) {
				t.Errorf("%q can be removed", n)
			}
			if err := s.Abandon(t.Context(), blob.Name(n)); err == nil && n != string(f.Name) {
				t.Errorf("%q can be abandoned", n)
			}
		}
	})
}

func TestALargeFileGoesToTheBucketInPartsAndSigned(t *testing.T) {
	t.Parallel()
	server := newS3(t)
	s := open(t, server.place(t), t.TempDir())
	keep(t, s, someBytes(100))
	if n := server.parts.Load(); n != 0 {
		t.Errorf("a small file went in %d parts", n)
	}
	keep(t, s, someBytes(40<<20))
	if n := server.parts.Load(); n != 3 {
		t.Errorf("40 MB went in %d parts, want 3", n)
	}
	if server.asked.Load() == 0 || server.signed.Load() != server.asked.Load() {
		t.Errorf("%d of %d requests were signed", server.signed.Load(), server.asked.Load())
	}
}

func TestABucketThatIsNotThereKeepsNothingAndLosesNothing(t *testing.T) {
	t.Parallel()
	server := newS3(t)
	dir := t.TempDir()
	s := open(t, server.place(t), dir)
	u, err := s.Begin(5)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Append(t.Context(), u, 0, strings.NewReader("hello")); err != nil {
		t.Fatal(err)
	}
	brief, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond) // of all its tries
	defer cancel()
	server.refuses.Store(true)
	if err := s.Check(brief); err == nil {
		t.Error("all is well with a server that refuses")
	}
	if _, err := s.Finish(brief, u); err == nil {
		t.Error("the file was kept by a server that refuses")
	}
	if at, err := s.Offset(t.Context(), u); at != 5 || err != nil {
		t.Errorf("what had arrived stands at %d (%v), want 5", at, err)
	}
}

// TestAServerThatKeepsSomethingElseIsNoticed: some take what carries the
// signatures for a part of the file.
func TestAServerThatKeepsSomethingElseIsNoticed(t *testing.T) {
	t.Parallel()
	server := newS3(t)
	server.careless.Store(true)
	dir := t.TempDir()
	s := open(t, server.place(t), dir)
	if _, err := s.Store(t.Context(), bytes.NewReader(someBytes(20<<20))); err == nil || !strings.Contains(err.Error(), "bytes of") {
		t.Errorf("got %v", err)
	}
	mustBeEmpty(t, filepath.Join(dir, "growth"))
}

func TestTheAddressOfABucketIsExplained(t *testing.T) {
	t.Parallel()
	good := blob.Credentials{Key: "key", Secret: "hunter2"}
	for _, c := range []struct {
		where string
		as    blob.Credentials
	}{
		{"s3://host", good}, {"s3://host/", good}, {"s3:///bucket", good}, {"https://host/bucket", good},
		{"s3://key:hunter2@host/bucket", good}, {"s3://ho st/bucket", good}, {"s3://host/bucket", blob.Credentials{Key: "key"}},
	} {
		_, err := blob.NewBucket(c.where, c.as)
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", c.where, err)
		}
	}
	b, err := blob.NewBucket("s3://host:9000/bucket/a/b/?region=eu-central-1", good)
	if err != nil || b.String() != "s3://host:9000/bucket/a/b" {
		t.Errorf("got %s, %v", b, err)
	}
}

func TestNothingIsKeptInTheClear(t *testing.T) {
	t.Parallel()
	s, dir := folder(t)
	const said = "I have not slept since the accident."
	f := keep(t, s, []byte(strings.Repeat(said, 4000)))
	u, err := s.Begin(1000)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Append(t.Context(), u, 0, strings.NewReader(said)); err != nil {
		t.Fatal(err)
	}
	files := 0
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o077 != 0 && path != dir {
			t.Errorf("others can look into %s: %v", path, info.Mode())
		}
		if d.IsDir() {
			return nil
		}
		files++
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(said)[:12]) || bytes.Contains(b, []byte(f.Key.Reveal())) || bytes.Contains(b, []byte(u.Key.Reveal())) {
			t.Errorf("%s can be read", path)
		}
		return err
	})
	if err != nil || files != 3 { // the file; the part and the end of the upload
		t.Errorf("%d files were looked at (%v)", files, err)
	}
}

// TestAChangedFileDoesNotOpen changes a file as it lies there in every way that
// pieces can be changed.
func TestAChangedFileDoesNotOpen(t *testing.T) {
	t.Parallel()
	s, dir := folder(t)
	content := someBytes(4*crypt.PieceSize + 100)
	f, other := keep(t, s, content), keep(t, s, someBytes(4*crypt.PieceSize+100))
	path := func(f blob.Stored) string { return filepath.Join(dir, "files", string(f.Name[:2]), string(f.Name)) }
	whole, err := os.ReadFile(path(f))
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := os.ReadFile(path(other))
	if err != nil {
		t.Fatal(err)
	}
	const p = crypt.SealedPiece
	flipped := func(at int) []byte {
		b := bytes.Clone(whole)
		b[at] ^= 1
		return b
	}
	for what, b := range map[string][]byte{
		"empty":                        {},
		"cut in the last piece":        whole[:len(whole)-1],
		"cut after a piece":            whole[:4*p],
		"cut within a piece":           whole[:3*p+500],
		"cut to the first piece":       whole[:p],
		"only the last piece":          whole[4*p:],
		"two pieces swapped":           slices.Concat(whole[p:2*p], whole[:p], whole[2*p:]),
		"a piece twice":                slices.Concat(whole[:p], whole[:p], whole[2*p:]),
		"a piece left out":             slices.Concat(whole[:p], whole[2*p:]),
		"a piece put in":               slices.Concat(whole[:p], whole[:p], whole[p:]),
		"another file's piece":         slices.Concat(whole[:p], foreign[p:2*p], whole[2*p:]),
		"another file":                 foreign,
		"something behind the end":     append(bytes.Clone(whole), 0),
		"a bit of the first nonce":     flipped(0),
		"a bit in the middle":          flipped(2*p + 1000),
		"a bit of the last signature":  flipped(len(whole) - 1),
		"an end that was never sealed": append(bytes.Clone(whole[:4*p]), make([]byte, 128)...),
	} {
		if err := os.WriteFile(path(f), b, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := readAll(s, f.Name, f.Key)
		if !errors.Is(err, crypt.ErrSpoiled) {
			t.Errorf("%s: read %d bytes, %v", what, len(got), err)
		}
		if !bytes.HasPrefix(content, got) {
			t.Errorf("%s: what was read is not what was written", what)
		}
	}
	if _, err := readAll(s, other.Name, f.Key); !errors.Is(err, crypt.ErrSpoiled) {
		t.Errorf("with another file's key: %v", err)
	}
	if got, err := readAll(s, other.Name, other.Key); err != nil || len(got) != len(content) {
		t.Errorf("the file that was let be: %v", err) // or the test proves nothing
	}
}

func TestATooLargeFileIsRefusedAndForgotten(t *testing.T) {
	t.Parallel()
	s, dir := folder(t)
	if _, err := s.Store(t.Context(), io.LimitReader(zeros{}, blob.MaxSize+1)); !errors.Is(err, blob.ErrTooLarge) {
		t.Errorf("got %v", err)
	}
	mustBeEmpty(t, filepath.Join(dir, "growth"))
}

func TestAFileThatFailsOnTheWayIsForgotten(t *testing.T) {
	t.Parallel()
	s, dir := folder(t)
	broken := errors.New("the connection broke")
	if _, err := s.Store(t.Context(), io.MultiReader(bytes.NewReader(someBytes(200_000)), failing{broken})); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	w, err := s.Create()
	if err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Commit(gone); !errors.Is(err, context.Canceled) {
		t.Errorf("committed for somebody who has gone: %v", err)
	}
	mustBeEmpty(t, filepath.Join(dir, "growth"))
	if err := s.Each(t.Context(), func(i blob.Info) error { return fmt.Errorf("%s is kept", i.Name) }); err != nil {
		t.Error(err)
	}
}

// TestAStreamNeedsLittleMemory counts all that is ever asked for, so nothing
// that is thrown away again is missed.
func TestAStreamNeedsLittleMemory(t *testing.T) { // not parallel: it counts
	s, _ := folder(t)
	const size, most = 64 << 20, 2 << 20
	var f blob.Stored
	counted := func(what string, do func()) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		do()
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > most {
			t.Errorf("%s 64 MB took %d KB, want 2,048 at most", what, got>>10)
		}
	}
	counted("writing", func() {
		var err error
		if f, err = s.Store(t.Context(), io.LimitReader(zeros{}, size)); err != nil {
			t.Fatal(err)
		}
	})
	counted("reading", func() {
		r, err := s.Open(t.Context(), f.Name, f.Key)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if n, err := io.Copy(io.Discard, r); n != size || err != nil {
			t.Fatal(n, err)
		}
	})
	counted("uploading", func() {
		u, err := s.Begin(size)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Append(t.Context(), u, 0, io.LimitReader(zeros{}, size)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Finish(t.Context(), u); err != nil {
			t.Fatal(err)
		}
	})
}

func TestAKeyIsNotPrinted(t *testing.T) {
	t.Parallel()
	k := crypt.NewFileKey()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		if got := fmt.Sprintf(verb, blob.Upload{Key: k}); strings.Contains(got, k.Reveal()) || !strings.Contains(got, "[secret]") {
			t.Errorf("%s prints %s", verb, got)
		}
	}
	if back, err := crypt.ParseFileKey(k.Reveal()); err != nil || back != k {
		t.Errorf("the key comes back as another: %v", err)
	}
	if _, err := crypt.ParseFileKey(k.Reveal() + "A"); err == nil {
		t.Error("something else was read as a key")
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestAStoreIsOneInstallations(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, s *blob.Store, _ string) {
		for _, c := range []struct {
			mark string
			want error
		}{{"ours", nil}, {"ours", nil}, {"theirs", blob.ErrOthers}, {"ours", nil}} {
			if err := s.Claim(t.Context(), c.mark); !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", c.mark, err, c.want)
			}
		}
		if err := s.Each(t.Context(), func(i blob.Info) error { return fmt.Errorf("%s is among the files", i.Name) }); err != nil {
			t.Error(err)
		}
	})
}

func TestWhoDoesNotHearWhoseAStoreIsDoesNotTakeIt(t *testing.T) {
	t.Parallel()
	server := newS3(t)
	s := open(t, server.place(t), t.TempDir())
	if err := s.Claim(t.Context(), "theirs"); err != nil {
		t.Fatal(err)
	}
	server.refuses.Store(true)
	ctx, stop := context.WithCancel(t.Context())
	stop() // it is not asked again and again
	if err := s.Claim(ctx, "ours"); err == nil || errors.Is(err, blob.ErrOthers) {
		t.Errorf("while it does not answer: %v", err)
	}
	server.refuses.Store(false)
	if err := s.Claim(t.Context(), "ours"); !errors.Is(err, blob.ErrOthers) {
		t.Errorf("afterwards: %v", err)
	}
}
