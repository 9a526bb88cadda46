package web

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"icouch/internal/audit"
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

// A client reads what somebody is to them, and which of their details changed.
func TestAClientReadsWhoItWasAndWhatChanged(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	w.Linked(t, w.Theo, "theo@example.com")
	s := serve(t, w)
	b := s.browser(t, w).as(mara)
	at := "/people/" + w.Theo.String()
	b.get(at).shows(t, 200, "Theo Vance", `>Access log<`)
	edit := b.get(at+"/edit").shows(t, 200, "Theo")
	b.post(at+"/edit", form("version", edit.find(t, regexp.MustCompile(`name="version" value="(\d+)"`)), "first", "Theo", "last", "Vance", "email", "theo@example.com", "consent", "yes", "mobile", "+1 202 555 0123")).leads(t, at+"?said=saved")
	own := s.browser(t, w).as("theo@example.com").get("/record/access").shows(t, 200, "Mara Lindqvist, Practice owner", "Looked at your record", "Changed the mobile number")
	own.lacks(t, "Changed something", "Lindqvist, Owner", "client.edited")
	b.get(at+"/access").shows(t, 200, "Mara Lindqvist, Owner", "Changed the mobile number")
}

// Whatever somebody does in a record is said in words, to whoever reads who was there.
func TestEveryChangeOfARecordIsSaidInWords(t *testing.T) {
	t.Parallel()
	p := AccessPage{own: true}
	for did, want := range map[audit.Action]string{audit.MessageTakenBack: "Took back a message they had sent", audit.ConversationOpened: "Opened a conversation", "client.new_thing": "Changed your record: client new thing"} {
		if got := p.deed(trail.Visit{What: string(did), Change: did}); got != want {
			t.Errorf("%s is %q, want %q", did, got, want)
		}
	}
	if got, want := p.deed(trail.Visit{Change: audit.ClientEdited, Fields: []string{"name", "born", "shoe_size"}}), "Changed the name, the date of birth and shoe size"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
