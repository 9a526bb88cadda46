package web

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"

	"icouch/internal/access"
)

// What a browser may tell us of what it refused to load.
const (
	reportSize   = 16 << 10
	mostReports  = 5  // in one
	mostReported = 60 // from one place, in an hour
)

// refused is one thing that a page was not allowed to load. Browsers name the
// page and what was on it, too; none of that is read.
type refused struct{ Directive, Blocked string }

// noteReport is POST /csp. The log says which rule and what sort of thing,
// never an address: it may hold a link.
func (s *Site) noteReport(w http.ResponseWriter, r *http.Request, _ access.Actor) error {
	if err := s.refused.take(s.from(r)); err != nil {
		return err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, reportSize))
	if err != nil {
		return err
	}
	for _, x := range s.reports(body) {
		s.Log.WarnContext(r.Context(), "page refused", "directive", x.Directive, "blocked", x.Blocked)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// reports reads the new form of a report, which is a list, and the old one.
func (s *Site) reports(body []byte) (found []refused) {
	var list []struct {
		Body struct{ EffectiveDirective, BlockedURL string }
	}
	var old struct {
		Report struct {
			Directive string `json:"violated-directive"`
			Blocked   string `json:"blocked-uri"`
		} `json:"csp-report"`
	}
	if json.Unmarshal(body, &list) == nil {
		for _, x := range list[:min(len(list), mostReports)] {
			found = append(found, refused{directive(x.Body.EffectiveDirective), s.blocked(x.Body.BlockedURL)})
		}
		return found
	}
	if json.Unmarshal(body, &old) == nil && old.Report.Directive != "" {
		return []refused{{directive(old.Report.Directive), s.blocked(old.Report.Blocked)}}
	}
	return nil
}

// directive keeps the name of a rule, and of what is none nothing.
func directive(d string) string {
	d, _, _ = strings.Cut(d, " ")
	if len(d) > 40 || strings.Trim(d, "abcdefghijklmnopqrstuvwxyz-") != "" || d == "" {
		return "unknown"
	}
	return d
}

// blocked says what sort of thing it was.
func (s *Site) blocked(address string) string {
	switch address {
	case "inline", "eval", "wasm-eval", "trusted-types-policy", "trusted-types-sink", "data", "blob":
		return address
	}
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Scheme == "":
		return "unknown"
	case u.Scheme == "data" || u.Scheme == "blob":
		return u.Scheme
	case strings.HasPrefix(address, s.House.Base+"/"):
		return "own"
	case u.Scheme == "https" || u.Scheme == "http":
		return "another site"
	}
	return "extension or other"
}
