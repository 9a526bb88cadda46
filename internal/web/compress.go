package web

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strings"
	"sync"
)

// Pages travel compressed: a list of fifty clients is a tenth as long. Nothing
// can be learned from how long a page is: what strangers can have somebody's
// browser send, across sites, is a GET, and no GET has its own words on a page.

// worthPacking is the length from which it is less work to send a page packed.
const worthPacking = 1400

var packers = sync.Pool{New: func() any {
	w, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	if err != nil {
		panic("web: " + err.Error()) // the level is a constant
	}
	return w
}}

// send writes a page as the browser wants it.
func send(w http.ResponseWriter, r *http.Request, status int, page *bytes.Buffer) {
	if page.Len() < worthPacking || !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.WriteHeader(status)
		_, _ = page.WriteTo(w) // fails only if the reader has gone
		return
	}
	w.Header().Set("Content-Encoding", "gzip")
	w.WriteHeader(status)
	z := packers.Get().(*gzip.Writer)
	defer packers.Put(z)
	z.Reset(w)
	_, _ = page.WriteTo(z)
	_ = z.Close()
}
