package blob_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"icouch/internal/platform/crypt"
)

// ratio runs ours beside the raw line, in turn, and says how near ours comes:
// 100 % is as fast. Each counts by its fastest run, which is what the machine
// can do.
func ratio(b *testing.B, raw, ours func()) {
	b.Helper()
	best := [2]time.Duration{1 << 62, 1 << 62}
	for b.Loop() {
		for i, do := range []func(){raw, ours} {
			began := time.Now()
			do()
			best[i] = min(best[i], time.Since(began))
		}
	}
	b.ReportMetric(best[0].Seconds()*1000, "raw-ms")
	b.ReportMetric(best[1].Seconds()*1000, "ours-ms")
	b.ReportMetric(100*best[0].Seconds()/best[1].Seconds(), "%-of-raw")
}

const benched = 10 << 20

// raw writes a file with its sum and one AEAD over 64 KB pieces, and fsync.
func raw(b *testing.B, dir string, content []byte) {
	block, err := aes.NewCipher(make([]byte, 32))
	if err != nil {
		b.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		b.Fatal(err)
	}
	f, err := os.Create(filepath.Join(dir, "raw"))
	if err != nil {
		b.Fatal(err)
	}
	sum, nonce, out := sha256.New(), make([]byte, 12), make([]byte, 0, crypt.SealedPiece)
	for at := 0; at < len(content); at += crypt.PieceSize {
		piece := content[at:min(at+crypt.PieceSize, len(content))]
		sum.Write(piece)
		out = aead.Seal(out[:0], nonce, piece, nil)
		if _, err := f.Write(out); err != nil {
			b.Fatal(err)
		}
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkWrite(b *testing.B) {
	content := someBytes(benched)
	s, dir := folder(b)
	ratio(b, func() { raw(b, dir, content) }, func() { keep(b, s, content) })
}

func BenchmarkUpload(b *testing.B) {
	content := someBytes(benched)
	s, dir := folder(b)
	ratio(b, func() { raw(b, dir, content) }, func() {
		u := begin(b, s, benched)
		if _, err := s.Append(b.Context(), u, 0, bytes.NewReader(content)); err != nil {
			b.Fatal(err)
		}
		if _, err := s.Finish(b.Context(), u); err != nil {
			b.Fatal(err)
		}
	})
}

// BenchmarkServe is a download over HTTP, beside http.ServeFile of the same file
// in the clear.
func BenchmarkServe(b *testing.B) {
	content := someBytes(benched)
	s, dir := folder(b)
	kept, plain := keep(b, s, content), filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, content, 0o600); err != nil {
		b.Fatal(err)
	}
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/plain" {
			http.ServeFile(w, r, plain)
			return
		}
		f, err := s.Open(r.Context(), kept.Name, kept.Key)
		if err != nil {
			b.Error(err)
			return
		}
		defer f.Close()
		w.Header().Set("Content-Type", "application/octet-stream")
		http.ServeContent(w, r, "", time.Time{}, f)
	}))
	defer site.Close()
	get := func(path string) {
		a, err := http.Get(site.URL + path)
		if err != nil {
			b.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, a.Body); n != benched || err != nil {
			b.Fatal(n, err)
		}
		a.Body.Close()
	}
	ratio(b, func() { get("/plain") }, func() { get("/sealed") })
}

// BenchmarkRead reads the file alone, beside the same file in the clear.
func BenchmarkRead(b *testing.B) {
	content := someBytes(benched)
	s, dir := folder(b)
	kept, plain := keep(b, s, content), filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, content, 0o600); err != nil {
		b.Fatal(err)
	}
	ratio(b, func() {
		f, err := os.Open(plain)
		if err != nil {
			b.Fatal(err)
		}
		buf := make([]byte, crypt.PieceSize)
		if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{f}, buf); err != nil {
			b.Fatal(err)
		}
		f.Close()
	}, func() {
		f, err := s.Open(b.Context(), kept.Name, kept.Key)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, f); err != nil {
			b.Fatal(err)
		}
		f.Close()
	})
}
