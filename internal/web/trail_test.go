package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"icouch/internal/trail"
	"icouch/internal/world"
)

func TestATrailIsReadFilteredAndTakenAway(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	mara := s.browser(t, w).as(mara)
	theo := "/people/" + w.Theo.String()
	mara.get(theo).shows(t, 200, "Theo Vance")
	mara.get(theo+"/access").shows(t, 200, "Looked at the record", "Mara Lindqvist, Owner", "They look after the client.", "Created the record")
	mara.get("/settings/trail").shows(t, 200, "Looked at a record", "Theo Vance")
	mara.get("/settings/trail?kind=exports").shows(t, 200, "Nothing in these dates")
	mara.get("/settings/trail?person=nonsense&kind=nonsense&from=nonsense&before=-1").shows(t, 200, "Looked at a record")

	for as, want := range map[string]struct{ kind, line string }{
		"csv":  {"text/csv; charset=utf-8", w.Theo.String() + ",record,care,"},
		"fhir": {"application/fhir+ndjson", `"reference":"Patient/` + w.Theo.String() + `"`},
	} {
		a := mara.post("/settings/trail/export", url.Values{"as": {as}, "kind": {string(trail.Looks)}})
		if a.Code != http.StatusOK || a.Header().Get("Content-Type") != want.kind || !strings.Contains(a.text, want.line) || strings.Contains(a.text, "Vance") {
			t.Errorf("%s: %d %s: %s", as, a.Code, a.Header().Get("Content-Type"), clip(a.text))
		}
	}
	mara.get("/settings/trail?kind=exports").shows(t, 200, "Trail exported", "Mara Lindqvist")
	w.Pass(6 * time.Minute)
	if a := mara.post("/settings/trail/export", url.Values{"as": {"csv"}}); a.Code != http.StatusSeeOther || !strings.HasPrefix(a.Header().Get("Location"), "/settings/prove") {
		t.Errorf("after a while it is taken away without a question: %d %s", a.Code, a.Header().Get("Location"))
	}
}

// Who was at a record long ago is on a page of its own, for the client as well.
func TestOlderDaysOfARecordHaveTheirPage(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	w.Linked(t, w.Theo, "theo@example.com")
	s := serve(t, w)
	at := "/people/" + w.Theo.String()
	for range 33 {
		s.browser(t, w).as(mara).get(at).shows(t, 200, "Theo Vance")
		w.Pass(24 * time.Hour)
	}
	for who, at := range map[string]string{mara: at + "/access", "theo@example.com": "/record/access"} {
		b := s.browser(t, w).as(who)
		page := b.get(at).shows(t, 200, "Older")
		page.lacks(t, "Created the record", "Newest")
		_, rest, _ := strings.Cut(page.text, at+"?before=")
		day, _, _ := strings.Cut(rest, `"`)
		b.get(at+"?before="+day).shows(t, 200, "Created the record", "Newest").lacks(t, "Older")
		b.get(at+"?before=2001-01-01").shows(t, 200, "Nobody was here before that day", "Newest")
		b.get(at+"?before=nonsense").shows(t, 200, "Older")
	}
}

func TestWhatWasNotedIsSaidInWords(t *testing.T) {
	t.Parallel()
	if got, want := fieldsWords([]string{"reason", "+appointments", "first_name"}), "with a reason, may open appointments, first name"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAWeekIsReviewedOnItsPage(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	w.Pass(7 * 24 * time.Hour)
	if err := (trail.Clerk{DB: w.DB}).Tend(t.Context()); err != nil {
		t.Fatal(err)
	}
	mara := s.browser(t, w).as(mara)
	page := mara.get("/settings/trail/weeks").shows(t, 200, "Nobody has reviewed it yet.", "I have reviewed this week")
	_, rest, _ := strings.Cut(page.text, `name="week" value="`)
	week, _, _ := strings.Cut(rest, `"`)
	mara.post("/settings/trail/weeks", url.Values{"week": {week}}).leads(t, "/settings/trail/weeks?said=reviewed")
	mara.get("/settings/trail/weeks").shows(t, 200, "Reviewed by Mara Lindqvist")
	mara.post("/settings/trail/weeks", url.Values{"week": {week}}).shows(t, 409, "Somebody has signed for that week already.")
	mara.post("/settings/trail/weeks", url.Values{"week": {"x"}}).shows(t, 422, "Choose one of the weeks below.")
	mara.post("/settings/trail/weeks", url.Values{"week": {"1"}}).shows(t, 404)
}
