package web

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/platform/mail"
	"icouch/internal/platform/mail/sink"
	"icouch/internal/world"
)

func TestTheDashboardShowsWhatNeedsAHand(t *testing.T) {
	t.Parallel()
	w, s, link := offering(t)
	b := s.browser(t, w).as("mara@practice.test")
	b.get("/dashboard").shows(t, 200, "Good morning, Mara Lindqvist", "The Practice of Mara", "New Client", `href="/people/new"`, "Nothing needs you right now.", `href="/people?filter=invited"`)
	w.Pass(15 * 24 * time.Hour)
	b.as("mara@practice.test").get("/dashboard").shows(t, 200, "Invitations that need attention", "Theo Vance", "/people/"+w.Theo.String(), "Ended Thu 28 Mar", `href="/people?filter=attention"`)
	ines := s.browser(t, w).as("ines@nextdoor.test").get("/dashboard").shows(t, 200, "Nothing needs you right now.", "The Practice Next Door")
	noor := s.browser(t, w).as("noor@practice.test").get("/dashboard").shows(t, 200, "Nothing needs you right now.")
	for name, page := range map[string]answer{"the practice next door": ines, "a colleague": noor} {
		if strings.Contains(page.text, "Theo") {
			t.Errorf("%s sees the client", name)
		}
	}
	s.browser(t, w).get("/dashboard").leads(t, "/sign-in")
	_ = link
}

func TestManyThatNeedAHandAreCutToFive(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	for i := range 7 {
		address := fmt.Sprintf("c%d@example.com", i)
		c := w.Client(t, w.Mara, people.Draft{First: fmt.Sprintf("Client%d", i), Email: address, EmailConsent: true})
		w.Update(t, func(tx *db.Tx) error { return people.Invite(tx, w.Mara, c, "") })
	}
	w.MailFails(&mail.Refusal{Code: 550, Enhanced: "5.1.1", Permanent: true, Reason: mail.NoMailbox})
	w.RunJobs(t)
	page := s.browser(t, w).as("mara@practice.test").get("/dashboard").shows(t, 200, "See all 7", "Check the address", "no such mailbox")
	if n := strings.Count(page.text, "Came back"); n != 5 {
		t.Errorf("%d rows, want 5", n)
	}
}

func TestFirstStepsFollowFromWhatIsThere(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	s.NoMail = true
	b := s.browser(t, w).as("ines@nextdoor.test")
	b.get("/dashboard").shows(t, 200, "First Steps", "2 of 5 done", "Add your first client", "Do this next", "Hide this list", "No mail server is set up")
	c := w.Client(t, w.Ines, people.Draft{First: "Annie", Last: "Noda", Email: "annie@example.com", EmailConsent: true})
	b.get("/dashboard").shows(t, 200, "3 of 5 done")
	link := invite(t, w, w.Ines, c, "annie@example.com")
	b.get("/dashboard").shows(t, 200, "4 of 5 done", "Waiting for them")
	s.browser(t, w).post(link, good).leads(t, "/welcome")
	if strings.Contains(b.get("/dashboard").shows(t, 200).text, "First Steps") {
		t.Error("all steps are done, and the list still stands")
	}
	b = s.browser(t, w).as("mara@practice.test")
	b.get("/dashboard").shows(t, 200, "First Steps")
	b.post("/dashboard/steps", url.Values{}).leads(t, "/dashboard?steps=hidden")
	hidden := b.get("/dashboard?steps=hidden").shows(t, 200, "First Steps is put away.", "Undo")
	if strings.Contains(hidden.text, "Hide this list") {
		t.Error("the list is still there")
	}
	b.post("/dashboard/steps", url.Values{"show": {"yes"}}).leads(t, "/dashboard")
	b.get("/dashboard").shows(t, 200, "First Steps")
	s.browser(t, w).post("/dashboard/steps", url.Values{}).shows(t, 404)
	s.browser(t, w).as("annie@example.com").post("/dashboard/steps", url.Values{}).shows(t, 404)
}

func TestWhoLooksAfterNobodySeesNoClients(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	w.Colleague(t, "Bo Ekman", "bo@practice.test", access.Biller)
	page := s.browser(t, w).as("bo@practice.test").get("/dashboard").shows(t, 200, "Nothing needs you right now.")
	for _, not := range []string{"New Client", "First Steps", "Theo"} {
		if strings.Contains(page.text, not) {
			t.Errorf("the biller's page shows %q", not)
		}
	}
}

func TestWhoHasNoPracticeIsLedToMakingOne(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	w.Account(t, "Una Reyes", "una@example.com")
	s.browser(t, w).as("una@example.com").get("/dashboard").shows(t, 200, "You have no practice yet", "/practice/new", "Are you a client?")
	s.browser(t, w).get("/places").leads(t, "/sign-in?next=%2Fplaces")
}

func TestAPractitionerWhoIsAClientElsewhereSwitches(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	c := w.Client(t, w.Mara, people.Draft{First: "Ines", Last: "Duarte", Email: "ines@nextdoor.test", EmailConsent: true})
	link := invite(t, w, w.Mara, c, "ines@nextdoor.test")
	b := s.browser(t, w).as("ines@nextdoor.test")
	b.post(link+"/acceptance", url.Values{}).leads(t, "/dashboard?said=accepted")
	b.get("/dashboard").shows(t, 200, "Hello, Ines", "The Practice Next Door (work)")
	b.post("/switch", url.Values{"place": {w.Ines.Practice().String()}}).leads(t, "/dashboard")
	page := b.get("/dashboard").shows(t, 200, "First Steps", "The Practice Next Door")
	if strings.Contains(page.text, "Hello, Ines") {
		t.Error("the switch did not switch")
	}
}

func TestTheMailboxIsThereInDevelopmentOnly(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	b := s.browser(t, w)
	paths := []string{"/dev/mailbox", "/dev/mailbox/1", "/dev/parts", "/dev/parts/people", "/dev/parts/client", "/dev/parts/door"}
	for _, path := range paths {
		b.get(path).shows(t, 404, "We cannot find that page")
	}
	box, err := sink.Start(sink.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { box.Close() })
	s.Mailbox = box
	b.get("/dev/mailbox").shows(t, 200, "No letters yet.")
	out, err := mail.Open("smtp://"+box.Addr(), mail.Options{From: "a@icouch.test", Clock: w.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { out.Close() })
	text := "Hello <b>Theo</b>,\n\nCreate Your iCouch Account:\n" + world.Base + "/join/abc_DEF-1\nDone."
	if _, err := out.Send(t.Context(), mail.Message{ID: "x@icouch.test", To: "theo@example.com", Subject: "Your invitation", Text: text, HTML: "<p>Hello</p><script>alert(1)</script>"}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	if err := box.Wait(ctx, 1); err != nil {
		t.Fatal(err)
	}
	b.get("/dev/mailbox").shows(t, 200, "Your invitation", "theo@example.com", "/dev/mailbox/1")
	page := b.get("/dev/mailbox/1").shows(t, 200, "Hello &lt;b&gt;Theo&lt;/b&gt;", `<a href="`+world.Base+`/join/abc_DEF-1">`, "&lt;p&gt;Hello")
	if strings.Contains(page.text, "<script>alert") {
		t.Error("the letter's HTML runs")
	}
	for _, n := range []string{"0", "2", "-1", "x", "99999999999999999999"} {
		b.get("/dev/mailbox/"+n).shows(t, 404)
	}
	for _, path := range paths[2:] {
		b.get(path).shows(t, 200, "<h1>")
	}
}

// bounce is what another server writes back about a letter.
func bounce(to, messageID, action, status string) string {
	return strings.ReplaceAll(fmt.Sprintf(`From: MAILER-DAEMON@mx.example.com
To: %s
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

Sorry.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com

Final-Recipient: rfc822; theo@example.com
Action: %s
Status: %s

--b
Content-Type: text/rfc822-headers

Message-ID: %s

--b--
`, to, action, status, messageID), "\n", "\r\n")
}

func (b *browser) report(key, body string) int {
	r := httptest.NewRequestWithContext(b.t.Context(), "POST", world.Base+"/hooks/bounces", strings.NewReader(body))
	r.Header.Set("Content-Type", "message/rfc822")
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	rec := httptest.NewRecorder()
	b.site.handler.ServeHTTP(rec, r)
	return rec.Code
}

func TestEdge07_AReturnedLetterShowsInTheList(t *testing.T) {
	t.Parallel()
	w, s, _ := offering(t)
	b := s.browser(t, w)
	m := w.Letters("theo@example.com")[0]
	if code := b.report("", bounce("x@y.test", "<"+m.ID+">", "failed", "5.1.1")); code != 404 {
		t.Errorf("without a key set up: %d", code)
	}
	s.BounceKey = "the key of the mail server"
	for name, tc := range map[string]struct {
		key, body string
		want      int
	}{
		"no key":         {"", bounce("x@y.test", "<"+m.ID+">", "failed", "5.1.1"), 404},
		"another key":    {"guess", bounce("x@y.test", "<"+m.ID+">", "failed", "5.1.1"), 404},
		"not a report":   {s.BounceKey, "Subject: I am away\r\n\r\nBack on Monday.\r\n", 422},
		"binary":         {s.BounceKey, "\x00\xff\xfe\x01", 422},
		"unknown letter": {s.BounceKey, bounce("x@y.test", "<0198c1a8-0000-7000-8000-000000000000@icouch.test>", "failed", "5.1.1"), 404},
		"no letter":      {s.BounceKey, bounce("x@y.test", "<hello@icouch.test>", "failed", "5.1.1"), 404},
		"too large":      {s.BounceKey, strings.Repeat("x", 1<<20+1), 413},
		"relayed":        {s.BounceKey, bounce("x@y.test", "<"+m.ID+">", "relayed", "2.0.0"), 204},
	} {
		if code := b.report(tc.key, tc.body); code != tc.want {
			t.Errorf("%s: %d, want %d", name, code, tc.want)
		}
	}
	mara := s.browser(t, w).as("mara@practice.test")
	mara.get("/dashboard").shows(t, 200, "Nothing needs you right now.")
	if code := b.report(s.BounceKey, bounce("x@y.test", "<"+m.ID+">", "failed", "5.1.1")); code != http.StatusNoContent {
		t.Fatalf("answered %d", code)
	}
	mara.get("/dashboard").shows(t, 200, "Invitations that need attention", "Came back", "no such mailbox", "Check the address")
}

func TestAReportIsFoundByTheAddressItCameTo(t *testing.T) {
	t.Parallel()
	w, s, _ := offering(t)
	s.BounceKey = "the key of the mail server"
	m := w.Letters("theo@example.com")[0]
	if !strings.Contains(m.EnvelopeFrom, "+") {
		t.Fatalf("the letter has no address of its own: %q", m.EnvelopeFrom)
	}
	b := s.browser(t, w)
	if code := b.report(s.BounceKey, bounce("<"+m.EnvelopeFrom+">", "<lost@elsewhere.test>", "failed", "5.1.1")); code != http.StatusNoContent {
		t.Fatalf("answered %d", code)
	}
	s.browser(t, w).as("mara@practice.test").get("/dashboard").shows(t, 200, "Came back")
}

func TestALaterNoIsHeardAndMayBeSaidTwice(t *testing.T) {
	t.Parallel()
	w, s, _ := offering(t)
	s.BounceKey = "the key of the mail server"
	id := "<" + w.Letters("theo@example.com")[0].ID + ">"
	b, mara := s.browser(t, w), s.browser(t, w).as("mara@practice.test")
	for _, said := range []struct{ action, status, shown string }{
		{"delayed", "4.2.2", "On its way"}, {"failed", "5.1.1", "Came back"}, {"failed", "5.1.1", "Came back"},
	} {
		if code := b.report(s.BounceKey, bounce("x@y.test", id, said.action, said.status)); code != http.StatusNoContent {
			t.Fatalf("%s: answered %d", said.action, code)
		}
		mara.get("/dashboard").shows(t, 200, said.shown)
	}
}
