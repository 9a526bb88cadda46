package web

import (
	"context"
	"net/http"
	"time"

	"icouch/internal/access"
	"icouch/internal/letter"
	"icouch/internal/platform/db"
)

// FrontPage is the front door.
type FrontPage struct{ Page }

// showFront is GET /. Whoever is signed in is at home elsewhere.
func (s *Site) showFront(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if by.SignedIn() {
		return see(w, r, "/dashboard")
	}
	return s.show(w, r, http.StatusOK, FrontPage{s.door(r, "Welcome")}.View())
}

// robots is GET /robots.txt: nothing here is for search engines.
func (s *Site) robots(w http.ResponseWriter, _ *http.Request, _ access.Actor) error {
	return plain(w, http.StatusOK, "User-agent: *\nDisallow: /\n")
}

// health is GET /health: for machines that ask whether we are well.
func (s *Site) health(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	ctx, cancel := context.WithTimeout(r.Context(), 3*time.Second)
	defer cancel()
	err := s.DB.View(ctx, func(tx *db.Tx) error {
		_, err := letter.Waiting(tx, by)
		return err
	})
	if err != nil {
		visitOf(r).failure = err
		return plain(w, http.StatusServiceUnavailable, "not ready\n")
	}
	return plain(w, http.StatusOK, "ok\n")
}

func plain(w http.ResponseWriter, status int, words string) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(words)) // fails only if the reader has gone
	return nil
}
