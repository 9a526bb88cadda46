package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"icouch/internal/world"
)

// When a look cannot be noted, nothing is shown: every page with a client on it
// answers that it cannot, and those without one go on.
func TestNothingIsShownThatCannotBeNoted(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	mara := s.browser(t, w).as(mara)
	theo := "/people/" + w.Theo.String()
	pages := []struct {
		path string
		form url.Values
	}{
		{"/people", nil}, {"/people/search", url.Values{"q": {"vance"}}}, {theo, nil}, {theo + "/edit", nil}, {theo + "/end", nil},
		{"/people/invitations", url.Values{"client": {w.Theo.String()}}}, {"/people/export", url.Values{"x": {"y"}}},
	}
	ask := func(p struct {
		path string
		form url.Values
	}) answer {
		if p.form == nil {
			return mara.get(p.path)
		}
		return mara.post(p.path, p.form)
	}
	for _, p := range pages {
		if a := ask(p); a.Code != http.StatusOK || !strings.Contains(a.text, "Vance") {
			t.Fatalf("premise: %s answers %d", p.path, a.Code)
		}
	}
	trailDown(t, w)
	for _, p := range pages {
		a := ask(p)
		if a.Code < 500 || strings.Contains(a.text, "Vance") || strings.Contains(a.text, "theo@") {
			t.Errorf("%s: answers %d: %s", p.path, a.Code, clip(a.text))
		}
		if a.Header().Get("Content-Disposition") != "" {
			t.Errorf("%s: the answer is still called a file", p.path)
		}
	}
	mara.get(theo).shows(t, http.StatusServiceUnavailable, "Not just now")
	mara.get("/settings").shows(t, http.StatusOK, "Settings")
}

// trailDown has the database refuse every new line of the trail.
func trailDown(t *testing.T, w *world.World) {
	t.Helper()
	var err error
	if world.OnPostgres() {
		err = w.DB.Exec(t.Context(), "CREATE TRIGGER denied BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION audit_is_append_only()")
	} else {
		err = w.DB.Exec(t.Context(), "CREATE TRIGGER denied BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'denied'); END")
	}
	if err != nil {
		t.Fatal(err)
	}
}
