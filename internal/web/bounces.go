package web

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net/http"
	netmail "net/mail"
	"strings"

	"icouch/internal/access"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/letter"
	"icouch/internal/platform/db"
	"icouch/internal/platform/mail/dsn"
)

// bounceSize is the most a report may hold: it may quote the letter.
const bounceSize = 1 << 20

var errNotAReport = fault.New(fault.Invalid, "This is not a delivery report.")

// POST /hooks/bounces
//
// The operator's mail server hands on what other servers write back, as it
// came. Whoever does not know the key finds nothing here.
func (s *Site) noteBounce(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if !s.knowsBounceKey(r) {
		return fault.NotFound
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bounceSize))
	if err != nil {
		return err
	}
	report, err := dsn.Parse(bytes.NewReader(raw))
	if errors.Is(err, dsn.ErrNotAReport) {
		return errNotAReport
	}
	if err != nil {
		return fmt.Errorf("read a report: %w", err)
	}
	state, tells := stateOf(report.Action)
	if !tells {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	err = s.DB.Update(r.Context(), func(tx *db.Tx) error {
		for _, l := range lettersOf(report, raw) {
			err := letter.Note(tx, by, letter.Report{Letter: l, State: state, Reason: report.Reason})
			if !errors.Is(err, db.None) {
				return err
			}
		}
		return fault.NotFound
	})
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// knowsBounceKey compares hashes, so that neither the key nor its length shows
// in the time it takes.
func (s *Site) knowsBounceKey(r *http.Request) bool {
	shown, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	a, b := sha256.Sum256([]byte(shown)), sha256.Sum256([]byte(s.BounceKey))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1 && ok && s.BounceKey != ""
}

// stateOf is what an action means for a letter. One that was handed on to a
// server that sends no reports is as it was.
func stateOf(a dsn.Action) (state letter.State, tells bool) {
	switch a {
	case dsn.Failed:
		return letter.Bounced, true
	case dsn.Delayed:
		return letter.Delayed, true
	case dsn.Delivered:
		return letter.Delivered, true
	}
	return "", false
}

// lettersOf is which letters a report may be about, the likeliest first: the
// Message-ID it quotes, or the address made for the letter that it came to.
func lettersOf(report dsn.Report, raw []byte) (all []id.Letter) {
	names := []string{report.OriginalMessageID}
	if m, err := netmail.ReadMessage(bytes.NewReader(raw)); err == nil {
		for _, field := range []string{"X-Original-To", "Delivered-To", "To"} {
			names = append(names, addressesIn(m.Header[field])...)
		}
	}
	for _, name := range names {
		if l, err := letter.LetterOf(name); err == nil {
			all = append(all, l)
		}
	}
	return all
}

// addressesIn reads the addresses of a field, tolerantly.
func addressesIn(lines []string) (all []string) {
	for _, line := range lines {
		list, err := netmail.ParseAddressList(line)
		if err != nil {
			all = append(all, line)
		}
		for _, a := range list {
			all = append(all, a.Address)
		}
	}
	return all
}
