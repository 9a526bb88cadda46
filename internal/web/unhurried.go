package web

import (
	"io"
	"net/http"
	"time"
)

// unhurried has a browser that sends or fetches a file take as long as it goes
// on: what is bounded is each pause.
func unhurried(w http.ResponseWriter, r *http.Request) http.ResponseWriter {
	rc := http.NewResponseController(w)
	r.Body = unhurriedBody{r.Body, rc}
	return unhurriedWriter{w, rc}
}

const pause = 30 * time.Second

type unhurriedBody struct {
	io.ReadCloser
	rc *http.ResponseController
}

func (b unhurriedBody) Read(p []byte) (int, error) {
	now := time.Now()
	_ = b.rc.SetReadDeadline(now.Add(pause)) // a test has no connection
	_ = b.rc.SetWriteDeadline(now.Add(2 * pause))
	return b.ReadCloser.Read(p)
}

type unhurriedWriter struct {
	http.ResponseWriter
	rc *http.ResponseController
}

func (w unhurriedWriter) Write(p []byte) (int, error) {
	_ = w.rc.SetWriteDeadline(time.Now().Add(pause))
	return w.ResponseWriter.Write(p)
}
