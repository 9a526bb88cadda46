package web

import (
	"bytes"
	"net/http"
	"strings"
	"sync"

	"github.com/andybalholm/brotli/flate"
	"github.com/andybalholm/brotli/matchfinder"
)

// Pages travel compressed: a list of fifty clients is a tenth as long. Nothing
// can be learned from how long a page is: what strangers can have somebody's
// browser send, across sites, is a GET, and no GET has its own words on a page.

// worthPacking is the length from which it is less work to send a page packed.
const worthPacking = 1400

// packing is the level at which a page of fifty clients takes a third of the
// work of compress/gzip's fastest, and is shorter.
const packing = 2

var packers = sync.Pool{New: func() any { return flate.NewGZIPWriter(nil, packing) }}

// send writes a page as the browser wants it.
func send(w http.ResponseWriter, r *http.Request, status int, page *bytes.Buffer) {
	if page.Len() < worthPacking || !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.WriteHeader(status)
		_, _ = page.WriteTo(w) // fails only if the reader has gone
		return
	}
	w.Header().Set("Content-Encoding", "gzip")
	w.WriteHeader(status)
	z := packers.Get().(*matchfinder.Writer)
	defer packers.Put(z)
	z.Reset(w)
	_, _ = page.WriteTo(z)
	_ = z.Close()
}
