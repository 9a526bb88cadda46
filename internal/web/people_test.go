package web

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"icouch/internal/access"
	"icouch/internal/base/email"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/letter"
	"icouch/internal/people"
	"icouch/internal/people/directory"
	"icouch/internal/platform/db"
	"icouch/internal/world"
)

// at work in Mara's practice.
const (
	mara = "mara@practice.test"
	noor = "noor@practice.test"
	ines = "ines@nextdoor.test"
)

// practice is a world, its site, and Mara's browser.
func practice(t testing.TB) (*world.World, *browser) {
	t.Helper()
	w := world.New(t)
	return w, serve(t, w).browser(t, w).as(mara)
}

// fresh is the form for somebody called first, with both boxes ticked.
func fresh(w *world.World, first, address string) url.Values {
	return url.Values{"id": {id.New[id.Client](w.Now()).String()}, "first": {first}, "email": {address}, "consent": {"yes"}, "invite": {"yes"}}
}

// row is what stands in a client's row of the list, without its markup.
func (b *browser) row(t testing.TB, client string) string {
	t.Helper()
	page := b.get("/people").shows(t, http.StatusOK)
	_, rest, ok := strings.Cut(page.text, `id="c-`+client+`"`)
	if !ok {
		t.Fatalf("no row for %s", client)
	}
	row, _, _ := strings.Cut(rest, "</tr>")
	return row
}

var tags = regexp.MustCompile(`<[^>]*>`)

// words are a page's words alone.
func words(markup string) string {
	return strings.Join(strings.Fields(html.UnescapeString(tags.ReplaceAllString(markup, " "))), " ")
}

func TestARowGoesFromInviteToResendToSecureMessage(t *testing.T) {
	t.Parallel()
	w, b := practice(t)
	theo := w.Theo.String()
	if got := words(b.row(t, theo)); !strings.Contains(got, "Not invited") || !strings.Contains(got, "Invite Theo Vance") {
		t.Fatalf("the row says %q, want Invite", got)
	}
	b.post("/people/"+theo+"/invitation", url.Values{"back": {"/people?filter=not-invited"}}).leads(t, "/people?filter=not-invited&said=invited#c-"+theo)
	b.get("/people?said=invited").shows(t, 200, "Invited. We are sending the letter.")
	if got := words(b.row(t, theo)); !strings.Contains(got, "Sending…") || !strings.Contains(b.row(t, theo), "disabled") {
		t.Errorf("the row says %q, want a Re-Send that rests", got)
	}
	w.RunJobs(t)
	w.Pass(2 * time.Minute)
	if got := words(b.row(t, theo)); !strings.Contains(got, "Sent Thu 14 Mar, 9:00\u00a0am") && !strings.Contains(got, "Sent Thu 14 Mar, 9:00 am") || !strings.Contains(got, "Re-Send Theo Vance") {
		t.Errorf("the row says %q, want when it was sent and Re-Send", got)
	}
	b.post("/people/"+theo+"/invitation/sendings", url.Values{}).leads(t, "/people/"+theo+"?said=resent")
	w.RunJobs(t)
	if n := len(w.Letters("theo@example.com")); n != 2 {
		t.Errorf("%d letters, want 2", n)
	}
	link := w.Link(t, "theo@example.com", "/join/")
	w.Update(t, func(tx *db.Tx) error {
		_, err := people.SignUp(tx, access.Guest(), secret.ParseToken(link), "x")
		return err
	})
	row := b.row(t, theo)
	if got := words(row); !strings.Contains(got, "Has an account") || !strings.Contains(row, ">Secure Message<") || !strings.Contains(row, `action="/people/`+theo+`/message"`) {
		t.Errorf("the row says %q, want the way to a Secure Message", row)
	}
	b.get("/people/"+theo).shows(t, 200, "Secure Message", "Used today")
}

func TestWhatCannotBeSentSaysWhyAndHowToMendIt(t *testing.T) {
	t.Parallel()
	w, b := practice(t)
	none := w.Client(t, w.Mara, people.Draft{First: "Annie", Last: "Noda", EmailConsent: true})
	silent := w.Client(t, w.Mara, people.Draft{First: "Vince", Last: "Gill", Email: "vince@example.com"})
	row := b.row(t, none.String())
	if got := words(row); !strings.Contains(got, "No e-mail address. Add one for Annie Noda") || !strings.Contains(row, "/edit#f-email") || !strings.Contains(row, " disabled") {
		t.Errorf("the row says %q", row)
	}
	row = b.row(t, silent.String())
	if got := words(row); !strings.Contains(got, "Consent to e-mail is not noted. Record consent for Vince Gill") {
		t.Errorf("the row says %q", got)
	}
	b.post("/people/"+silent.String()+"/invitation", url.Values{}).shows(t, 422, "has not agreed to receive e-mail")
	b.post("/people/"+silent.String()+"/consent", url.Values{}).leads(t, "/people/"+silent.String()+"?said=consent")
	b.get("/people/"+silent.String()+"?said=consent").shows(t, 200, "Consent to e-mail is noted. Nothing was mailed")
	if w.RunJobs(t); len(w.Mail.Sent()) != 0 {
		t.Error("something was mailed")
	}
	b.post("/people/"+silent.String()+"/invitation", url.Values{}).leads(t, "/people/"+silent.String()+"?said=invited")
}

func TestWithoutAMailServerTheLinkIsCopied(t *testing.T) {
	t.Parallel()
	w, b := practice(t)
	b.site.NoMail = true
	b.get("/people/new").shows(t, 200, "No mail server is set up")
	b.post("/people/"+w.Theo.String()+"/invitation", url.Values{}).leads(t, "/people/"+w.Theo.String()+"?said=no-mail")
	if got := words(b.row(t, w.Theo.String())); !strings.Contains(got, "No mail server is set up. Copy link for Theo Vance") {
		t.Errorf("the row says %q", got)
	}
	page := b.get("/people/"+w.Theo.String()).shows(t, 200, "No mail server is set up.", "Make a new link")
	if strings.Contains(page.text, "in a minute") || strings.Count(page.text, "Copy link") != 1 {
		t.Error("the page contradicts itself")
	}
}

func TestWhoWantsNoLettersIsNotOfferedOne(t *testing.T) {
	t.Parallel()
	w, b := practice(t)
	theo := "/people/" + w.Theo.String()
	b.post(theo+"/invitation", url.Values{})
	w.RunJobs(t)
	w.Pass(2 * time.Minute)
	const words = "This person asked for no invitations by e-mail. Hand the link over yourself."
	if strings.Contains(b.get(theo).text, words) {
		t.Error("said too early")
	}
	to, err := email.Parse("theo@example.com")
	if err != nil {
		t.Fatal(err)
	}
	w.Update(t, func(tx *db.Tx) error { return letter.Decline(tx, access.Guest(), to) })
	page := b.get(theo).shows(t, 200, words, "Make a new link")
	if strings.Contains(page.text, "See the e-mail") {
		t.Error("a letter is still offered")
	}
}

func TestANewClientIsCreatedAndInvited(t *testing.T) {
	t.Parallel()
	w, b := practice(t)
	page := b.get("/people/new").shows(t, 200, "New Client", "Consents to Email Notifications", "Invite to iCouch", ">Create<", "What will happen")
	found := regexp.MustCompile(`name="id" value="([0-9a-f-]{36})"`).FindStringSubmatch(page.text)
	if found == nil {
		t.Fatal("the form has no identifier")
	}
	form := url.Values{"id": {found[1]}, "first": {"Annie"}, "last": {"Noda"}, "preferred": {"Ann"}, "email": {"Annie.Noda@example.com"}, "mobile": {"+1 (212) 555-0100"},
		"born-year": {"1984"}, "born-month": {"3"}, "born-day": {"27"}, "address": {"12 Harbor Street\nNew York"}, "zone": {"Europe/London"}, "consent": {"yes"}, "invite": {"yes"}}
	b.post("/people", form).leads(t, "/people/"+found[1]+"?said=invited")
	b.get("/people/"+found[1]+"?said=invited").shows(t, 200, "Invited. We are sending the letter.", "Annie Noda", "Likes to be called Ann", "Annie.Noda@example.com",
		"27 March 1984 (45 years old)", "12 Harbor Street\nNew York", "London time", "+1 (212) 555-0100")
	w.RunJobs(t)
	if got := w.Letters("annie.noda@example.com"); len(got) != 1 || !strings.Contains(got[0].Text, "Hello Ann,") {
		t.Errorf("letters: %+v", got)
	}
}

func TestCreatingSaysWhyNothingWasMailed(t *testing.T) {
	t.Parallel()
	w, b := practice(t)
	for _, tt := range []struct{ without, word, says string }{
		{"consent", "no-consent", "Nothing was mailed: consent to e-mail is not noted."},
		{"email", "no-email", "Nothing was mailed: there is no e-mail address yet."},
		{"invite", "created", "Nothing was mailed: you can invite them whenever it suits."},
	} {
		form := fresh(w, "David", "david@example.org")
		form.Del(tt.without)
		b.post("/people", form).leads(t, "/people/"+form.Get("id")+"?said="+tt.word)
		b.get("/people/"+form.Get("id")+"?said="+tt.word).shows(t, 200, tt.says)
	}
	if w.RunJobs(t); len(w.Mail.Sent()) != 0 {
		t.Errorf("%d letters went", len(w.Mail.Sent()))
	}
}

func TestCreatingSaysWhyALetterMayNotGo(t *testing.T) {
	t.Parallel()
	w, b := practice(t)
	to, err := email.Parse("david@example.org")
	if err != nil {
		t.Fatal(err)
	}
	w.Update(t, func(tx *db.Tx) error { return letter.Decline(tx, access.Guest(), to) })
	for i := range 10 { // a family, or somebody who fills a mailbox
		b.post("/people", fresh(w, fmt.Sprint("Family ", i), "family@example.org")).shows(t, 303)
	}
	w.RunJobs(t)
	before := len(w.Mail.Sent())
	for _, tt := range []struct{ address, word, says string }{
		{"david@example.org", "declined", "Created. Nothing was mailed: the person at this address has asked for no more invitations by e-mail. Copy the link"},
		{"family@example.org", "many-letters", "Created. Nothing was mailed: many invitations went to this address in the last hour. Wait an hour and press Invite"},
	} {
		form := fresh(w, "David", tt.address)
		client := "/people/" + form.Get("id")
		for range 2 { // pressed twice, it says the same
			b.post("/people", form).leads(t, client+"?said="+tt.word)
		}
		b.get(client+"?said="+tt.word).shows(t, 200, "David", "Not invited", tt.says)
		b.post(client+"/invitation/link", nil).shows(t, 200, world.Base+"/join/")
	}
	if w.RunJobs(t); len(w.Mail.Sent()) != before {
		t.Errorf("%d letters went", len(w.Mail.Sent())-before)
	}
	file := "First name,E-mail,Consents to Email Notifications,Invite to iCouch\nRashida,david@example.org,yes,yes\n"
	page := b.upload("/people/import/preview", file).shows(t, 200, "1 will be created, 1 of them invited")
	form := url.Values{}
	for _, m := range regexp.MustCompile(`name="(key|file)" value="([^"]*)"`).FindAllStringSubmatch(page.text, -1) {
		form.Set(m[1], m[2])
	}
	page = b.post("/people/import", form).shows(t, 200, "Rashida", "Not invited. The person at this address has asked for no more invitations", "Nothing was mailed.")
	if strings.Contains(page.text, "of them invited") {
		t.Error("the import says that it invited somebody")
	}
}

func TestEveryMistakeIsSaidAndNothingTypedIsLost(t *testing.T) {
	t.Parallel()
	w, b := practice(t)
	form := url.Values{"id": {id.New[id.Client](w.Now()).String()}, "first": {" "}, "email": {"annie@"}, "mobile": {"call me"}, "born-year": {"84"}, "born-month": {"2"}, "born-day": {"30"},
		"address": {"<script>alert(1)</script>"}, "zone": {"Mars/Olympus"}, "preferred": {"Ann\u202eie"}, "consent": {"yes"}}
	page := b.post("/people", form).shows(t, 422, "There is a problem", "Error: New Client", "Enter a first or a last name.", "#f-email", "#f-mobile", "#f-born", "#f-zone", "#f-preferred",
		`value="annie@"`, `value="call me"`, `value="84"`, "&lt;script&gt;alert(1)&lt;/script&gt;", form.Get("id"))
	if strings.Contains(page.text, "<script>alert") {
		t.Error("a script came through")
	}
	if !regexp.MustCompile(`id="f-consent"[^>]* checked`).MatchString(page.text) {
		t.Error("the tick is gone")
	}
	if a := b.look(t, directory.Query{}); a.Total != 1 {
		t.Errorf("%d clients, want Theo alone", a.Total)
	}
}

func (b *browser) look(t testing.TB, q directory.Query) directory.Answer {
	t.Helper()
	a, err := b.world.Directory.Look(t.Context(), b.world.Mara, q)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// presses sends the same form so many times at once and counts the answers.
func presses(t *testing.T, b *browser, path string, form url.Values) map[int]int {
	t.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	statuses := map[int]int{}
	for range 16 {
		all.Go(func() {
			mine := &browser{b.t, b.world, b.site, map[string]string{b.site.sessionCookie(): b.cookies[b.site.sessionCookie()]}}
			a := mine.post(path, form)
			mu.Lock()
			statuses[a.Code]++
			mu.Unlock()
		})
	}
	all.Wait()
	return statuses
}

func TestSixteenPressesAtOnceAreOne(t *testing.T) {
	t.Parallel()
	w, b := practice(t)
	form := fresh(w, "Rashida", "rashida@example.net")
	if got := presses(t, b, "/people", form); got[http.StatusSeeOther] != 16 {
		t.Errorf("Create: %v, want 16 on to the client", got)
	}
	if n := b.look(t, directory.Query{}).Total; n != 2 {
		t.Errorf("Create: %d clients, want 2", n)
	}
	w.RunJobs(t)
	if n := len(w.Letters("rashida@example.net")); n != 1 {
		t.Errorf("Create: %d letters, want 1", n)
	}
	theo := "/people/" + w.Theo.String()
	if got := presses(t, b, theo+"/invitation", url.Values{}); got[http.StatusSeeOther] != 1 || got[http.StatusConflict] != 15 {
		t.Errorf("Invite: %v, want one and 15 told why not", got)
	}
	w.RunJobs(t)
	if n := len(w.Letters("theo@example.com")); n != 1 {
		t.Errorf("Invite: %d letters, want 1", n)
	}
	w.Pass(2 * time.Minute)
	if got := presses(t, b, theo+"/invitation/sendings", url.Values{}); got[http.StatusSeeOther] != 1 || got[http.StatusConflict] != 15 {
		t.Errorf("Re-Send: %v, want one and 15 told why not", got)
	}
	w.RunJobs(t)
	if n := len(w.Letters("theo@example.com")); n != 2 {
		t.Errorf("Re-Send: %d letters in all, want 2", n)
	}
	w.Pass(2 * time.Minute)
	many := url.Values{"client": {w.Theo.String(), form.Get("id")}}
	if got := presses(t, b, "/people/invitations/sent", many); got[http.StatusOK] != 16 {
		t.Errorf("Invite many: %v", got)
	}
	w.RunJobs(t)
	if n, m := len(w.Letters("theo@example.com")), len(w.Letters("rashida@example.net")); n != 3 || m != 2 {
		t.Errorf("Invite many: %d and %d letters in all, want 3 and 2", n, m)
	}
}

func TestResendRestsAfterFiveInAnHour(t *testing.T) {
	t.Parallel()
	w, b := practice(t)
	theo := "/people/" + w.Theo.String()
	b.post(theo+"/invitation", url.Values{}).leads(t, theo+"?said=invited")
	for range 5 {
		w.Pass(2 * time.Minute)
		b.post(theo+"/invitation/sendings", url.Values{}).leads(t, theo+"?said=resent")
	}
	w.Pass(2 * time.Minute)
	b.post(theo+"/invitation/sendings", url.Values{"note": {"Hello again"}}).shows(t, 429, "too often", "Hello again")
	w.Pass(2 * time.Hour)
	b.as(mara)
	b.post(theo+"/invitation/sendings", url.Values{}).leads(t, theo+"?said=resent")
}

// everyPath is every address about one client, with what it takes.
func everyPath(client string) map[string][]string {
	c := "/people/" + client
	return map[string][]string{
		"GET":  {c, c + "/edit", c + "/end"},
		"POST": {c + "/edit", c + "/end", c + "/consent", c + "/return", c + "/invitation", c + "/invitation/sendings", c + "/invitation/preview", c + "/invitation/withdrawal", c + "/invitation/link"},
	}
}

func TestAClientExistsForTheirOwnPractitionersAlone(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	site := serve(t, w)
	client := site.clientBrowser(t, w)
	stranger := site.browser(t, w)
	w.RunJobs(t)
	before := len(w.Mail.Sent())
	for who, b := range map[string]*browser{"a colleague": site.browser(t, w).as(noor), "next door": site.browser(t, w).as(ines), "a client": client} {
		for method, paths := range everyPath(w.Theo.String()) {
			for _, path := range paths {
				a := b.send(method, path, url.Values{"first": {"X"}, "version": {"1"}, "on": {"2030-03-14"}})
				if a.Code != http.StatusNotFound || strings.Contains(a.text, "Theo") && who != "a client" {
					t.Errorf("%s: %s %s answers %d", who, method, strings.TrimPrefix(path, "/people/"+w.Theo.String()), a.Code)
				}
			}
		}
	}
	for method, paths := range everyPath(w.Theo.String()) {
		for _, path := range paths {
			a := stranger.send(method, path, url.Values{})
			if method == "GET" && !strings.HasPrefix(a.Header().Get("Location"), "/sign-in") || method == "POST" && a.Code != http.StatusNotFound {
				t.Errorf("a stranger: %s %s answers %d %s", method, path, a.Code, a.Header().Get("Location"))
			}
		}
	}
	for _, b := range []*browser{site.browser(t, w).as(noor), site.browser(t, w).as(ines)} {
		for _, a := range []answer{b.get("/people"), b.post("/people/search", url.Values{"q": {"theo"}}), b.post("/people/invitations", url.Values{"client": {w.Theo.String()}})} {
			if a.shows(t, 200); strings.Contains(a.text, "Vance") {
				t.Error("Theo is on the page of somebody who may not see him")
			}
		}
		b.post("/people/invitations/sent", url.Values{"client": {w.Theo.String()}}).shows(t, 200, "Nothing was sent.", "Somebody who is not among your clients")
	}
	client.get("/people").shows(t, 404)
	site.browser(t, w).as(noor).post("/people/export", url.Values{}).shows(t, 404)
	site.browser(t, w).as(mara).get("/people").shows(t, 200, "Theo Vance", "1 person")
	site.browser(t, w).as(mara).get("/people/nobody").shows(t, 404)
	if w.RunJobs(t); len(w.Mail.Sent()) != before {
		t.Errorf("%d letters went", len(w.Mail.Sent())-before)
	}
}

// clientBrowser is Theo's own, signed in with an account he has got.
func (s *served) clientBrowser(t testing.TB, w *world.World) *browser {
	t.Helper()
	w.Update(t, func(tx *db.Tx) error {
		token, err := people.CopyLink(tx, w.Mara, w.Theo)
		if err != nil {
			return err
		}
		_, err = people.SignUp(tx, access.Guest(), token, "x")
		return err
	})
	return s.browser(t, w).as("theo@example.com")
}

func TestWhoRunsTheOfficeSeesNamesAndNoButtons(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	w.Colleague(t, "Sam Field", "sam@practice.test", access.Scheduler)
	b := serve(t, w).browser(t, w).as("sam@practice.test")
	page := b.get("/people").shows(t, 200, "Theo Vance", "Not invited")
	if strings.Contains(page.text, "/invitation") || strings.Contains(page.text, "New Client") {
		t.Error("the page offers what a scheduler may not do")
	}
	b.get("/people/"+w.Theo.String()).shows(t, 200, "Theo Vance")
	b.post("/people/"+w.Theo.String()+"/invitation", url.Values{}).shows(t, 404)
}

func TestHostileNamesAreShownAsTyped(t *testing.T) {
	t.Parallel()
	w, b := practice(t)
	name := `<img src=x onerror=alert(1)>"'&`
	c := w.Client(t, w.Mara, people.Draft{First: name, Last: "👩‍👩‍👧 نور", Email: "h@example.com", EmailConsent: true})
	for _, a := range []answer{
		b.get("/people"), b.get("/people/" + c.String()), b.get("/people/" + c.String() + "/edit"), b.get("/people/" + c.String() + "/end"), b.post("/people/search", url.Values{"q": {"<img"}}),
		b.post("/people/invitations", url.Values{"client": {c.String()}}), b.post("/people/invitations/sent", url.Values{"client": {c.String()}}),
	} {
		a.shows(t, 200, "&lt;img src=x onerror=alert(1)&gt;")
		if strings.Contains(a.text, "<img") {
			t.Error("markup came through")
		}
	}
	if page := b.get("/people/" + c.String()).text; strings.Contains(page[:strings.Index(page, "</title>")], "img") {
		t.Error("the name is in the title")
	}
}

func TestSearchFindsPartsOfNamesAndAddressesWithoutAccents(t *testing.T) {
	t.Parallel()
	w, b := practice(t)
	w.Client(t, w.Mara, people.Draft{First: "Łukasz", Last: "Dvořák", Email: "l.d@brno.example", EmailConsent: true})
	for q, want := range map[string]string{"dvorak": "Dvořák", "LUKASZ DVO": "Dvořák", "@brno": "Dvořák", "  ance ": "Theo Vance", "theo@exa": "Theo Vance"} {
		a := b.post("/people/search", url.Values{"q": {q}}).shows(t, 200, want, "1 person")
		if !strings.Contains(a.text, `value="`+strings.TrimSpace(q)+`"`) {
			t.Errorf("the box has lost %q", q)
		}
	}
	b.post("/people/search", url.Values{"q": {"<zz>"}}).shows(t, 200, "No one matches “&lt;zz&gt;”", "Show everyone", "0 people")
	b.post("/people/search", url.Values{"q": {"theo"}, "filter": {"invited"}}).shows(t, 200, "No one matches", "Only those under “Invited” were looked at.")
	b.get("/people/search").leads(t, "/people")
	if a := b.get("/people?q=theo").shows(t, 200, "Dvořák"); strings.Contains(a.text, `value="theo"`) {
		t.Error("an address can search")
	}
	if strings.Contains(b.site.log.String(), "dvorak") {
		t.Error("what was searched for is in the log")
	}
}

func TestTheListComesInPagesOfFifty(t *testing.T) {
	t.Parallel()
	w, b := practice(t)
	for i := range 120 {
		w.Client(t, w.Mara, people.Draft{First: fmt.Sprintf("Client %03d", i), Last: "Ab"})
	}
	seen := map[string]bool{}
	names := regexp.MustCompile(`Client \d{3} Ab</a>`)
	for page := 1; page <= 3; page++ {
		a := b.get(fmt.Sprintf("/people?page=%d&sort=newest", page)).shows(t, 200, "121 people")
		for _, n := range names.FindAllString(a.text, -1) {
			seen[n] = true
		}
		if more := strings.Contains(a.text, "Show more"); more != (page < 3) {
			t.Errorf("page %d: Show more is %v", page, more)
		}
	}
	if len(seen) != 120 {
		t.Errorf("%d clients on three pages, want 120", len(seen))
	}
	b.get("/people?page=4").shows(t, 200, "The list ends before this page")
	b.get("/people?page=-3&filter=x&sort=y").shows(t, 200, "1–50 of 121")
	a := b.post("/people/search", url.Values{"q": {"client"}, "page": {"2"}}).shows(t, 200, "51–100 of 120", "Show more", `name="page" value="3"`, `name="q" value="client"`)
	if strings.Contains(a.text, "q=client") {
		t.Error("what was searched for is in an address")
	}
}

func TestTheCountsAreTrueWhateverHappens(t *testing.T) {
	t.Parallel()
	w, b := practice(t)
	var clients []id.Client
	rapid.Check(t, func(rt *rapid.T) {
		for range rapid.IntRange(1, 6).Draw(rt, "deeds") {
			if len(clients) == 0 || rapid.IntRange(0, 3).Draw(rt, "new") == 0 {
				form := fresh(w, "Person", fmt.Sprintf("p%d@example.com", len(clients)))
				if rapid.Bool().Draw(rt, "consent") {
					form.Del("consent")
				}
				if rapid.Bool().Draw(rt, "invite") {
					form.Del("invite")
				}
				b.post("/people", form)
				clients = append(clients, id.Client(form.Get("id")))
				continue
			}
			c := "/people/" + rapid.SampledFrom(clients).Draw(rt, "who").String()
			b.post(c+rapid.SampledFrom([]string{"/invitation", "/invitation/sendings", "/invitation/withdrawal", "/invitation/link", "/consent", "/end", "/return"}).Draw(rt, "deed"), url.Values{"on": {"2030-03-14"}})
			w.Pass(rapid.SampledFrom([]time.Duration{0, time.Second, 2 * time.Minute}).Draw(rt, "pass"))
		}
		want := map[people.Group]int{}
		w.View(t, func(tx *db.Tx) error {
			all, err := people.Everybody(tx, w.Mara)
			for _, l := range all {
				g, attention := l.Groups(tx.Now())
				want[people.Everyone]++
				want[g]++
				if attention {
					want[people.NeedsAttention]++
				}
			}
			return err
		})
		page := words(b.get("/people").text)
		for g, label := range filterLabels {
			if !strings.Contains(page, fmt.Sprintf("%s %d ", label, want[g])) {
				rt.Fatalf("%s: want %d in %q", label, want[g], page[:min(400, len(page))])
			}
		}
	})
}

func TestEditKeepsWhatSomebodyElseWrote(t *testing.T) {
	t.Parallel()
	w, b := practice(t)
	theo := "/people/" + w.Theo.String()
	page := b.get(theo+"/edit").shows(t, 200, `value="Theo"`, `name="version" value="1"`)
	_ = page
	form := url.Values{"version": {"1"}, "first": {"Theodor"}, "last": {"Vance"}, "email": {"theo@example.com"}, "consent": {"yes"}}
	b.post(theo+"/edit", form).leads(t, theo+"?said=saved")
	form.Set("first", "Ted")
	b.post(theo+"/edit", form).shows(t, 409, "Somebody else changed this record", "What the record says now", "Theodor Vance", `value="Ted"`, `name="version" value="2"`)
	form.Set("version", "2")
	b.post(theo+"/edit", form).leads(t, theo+"?said=saved")
	b.get(theo).shows(t, 200, "Ted Vance")
	form.Set("email", "nonsense")
	b.post(theo+"/edit", form).shows(t, 422, `value="nonsense"`, "#f-email")
}

func TestEdge13_AnotherAddressEndsTheOldLinkAndOffersResend(t *testing.T) {
	t.Parallel()
	w, b := practice(t)
	theo := "/people/" + w.Theo.String()
	b.post(theo+"/invitation", url.Values{})
	w.RunJobs(t)
	w.Pass(2 * time.Minute)
	b.post(theo+"/edit", url.Values{"version": {"1"}, "first": {"Theo"}, "last": {"Vance"}, "email": {"new@example.com"}, "consent": {"yes"}}).leads(t, theo+"?said=moved")
	b.get(theo+"?said=moved").shows(t, 200, "Press Re-Send to write to the new one", "because the e-mail address was changed", ">Re-Send<")
	b.post(theo+"/invitation/sendings", url.Values{}).leads(t, theo+"?said=resent")
	w.RunJobs(t)
	if len(w.Letters("theo@example.com")) != 1 || len(w.Letters("new@example.com")) != 1 {
		t.Error("the letters went elsewhere")
	}
}

func TestEdge10_TwoWithOneMailboxAreNamed(t *testing.T) {
	t.Parallel()
	w, b := practice(t)
	form := fresh(w, "Lea", "THEO@example.com")
	b.post("/people", form).leads(t, "/people/"+form.Get("id")+"?said=invited")
	b.get("/people/"+form.Get("id")).shows(t, 200, "The same e-mail address is noted for Theo Vance.")
}

func TestTheLetterIsShownWordForWord(t *testing.T) {
	t.Parallel()
	w, b := practice(t)
	theo := "/people/" + w.Theo.String()
	note := "See you soon <b>\nhttps://evil.example/x"
	page := b.post(theo+"/invitation/preview", url.Values{"note": {note}}).shows(t, 200, "Create Your iCouch Account:", "See you soon &lt;b&gt;\nhttps://evil.example/x</textarea>", "Leave out anything about health")
	if len(w.Mail.Sent()) != 0 {
		t.Fatal("the preview sent something")
	}
	_, shown, _ := strings.Cut(page.text, "<pre>")
	shown, _, _ = strings.Cut(shown, "</pre>")
	b.post(theo+"/invitation", url.Values{"note": {note}}).leads(t, theo+"?said=invited")
	w.RunJobs(t)
	sent := w.Letters("theo@example.com")[0].Text
	links := regexp.MustCompile(`https://icouch\.test/(join|choices)/\S+`)
	if got, want := strings.ReplaceAll(links.ReplaceAllString(html.UnescapeString(shown), "LINK"), "\n", " "), strings.ReplaceAll(links.ReplaceAllString(sent, "LINK"), "\n", " "); strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(want), " ") {
		t.Errorf("shown:\n%s\nsent:\n%s", got, want)
	}
	b.post(theo+"/invitation/preview", url.Values{"note": {strings.Repeat("x", 301)}}).shows(t, 422, "#f-note", strings.Repeat("x", 301))
	w.Pass(2 * time.Minute)
	b.post(theo+"/invitation/sendings", url.Values{"note": {"a\x00b"}}).shows(t, 422, "#f-note")
}

func TestWithdrawAndCopyLink(t *testing.T) {
	t.Parallel()
	w, b := practice(t)
	theo := "/people/" + w.Theo.String()
	b.post(theo+"/invitation/withdrawal", url.Values{}).shows(t, 409, "There is no open invitation to withdraw.")
	b.post(theo+"/invitation", url.Values{})
	b.get(theo).shows(t, 200, "This makes a new link for you to hand over. The link in the e-mail stops working.", "Make a new link", "That cannot be undone, but Re-Send makes a new one.", "Withdraw the invitation")
	b.post(theo+"/invitation/withdrawal", url.Values{}).leads(t, theo+"?said=withdrawn")
	b.get(theo+"?said=withdrawn").shows(t, 200, "Withdrawn by Mara Lindqvist today")
	page := b.post(theo+"/invitation/link", url.Values{}).shows(t, 200, "Hand over this link yourself", "It replaces the link that was mailed", "audit trail", "proves no e-mail address", world.Base+"/join/")
	found := regexp.MustCompile(world.Base + `/join/([A-Za-z0-9_-]+)`).FindStringSubmatch(page.text)
	if found == nil {
		t.Fatal("no link")
	}
	if strings.Contains(b.get(theo).text, found[1]) || strings.Contains(b.site.log.String(), found[1]) {
		t.Error("the link is shown again, or logged")
	}
	w.View(t, func(tx *db.Tx) error {
		if _, err := people.Look(tx, access.Guest(), secret.ParseToken(found[1])); err != nil {
			return fmt.Errorf("the link does not work: %w", err)
		}
		return nil
	})
	if w.RunJobs(t); len(w.Mail.Sent()) != 0 {
		t.Error("something was mailed")
	}
}

func TestCareEndsOnADayAndComesBack(t *testing.T) {
	t.Parallel()
	w, b := practice(t)
	theo := "/people/" + w.Theo.String()
	b.get(theo+"/end").shows(t, 200, "End care of Theo Vance", "What closes", `value="2030-03-14"`)
	for typed, want := range map[string]string{"": "Choose the day", "2030-02-31": "Choose the day", "2030-03-13": "Choose today or a later day.", "2099-01-01": "within the next five years"} {
		b.post(theo+"/end", url.Values{"on": {typed}}).shows(t, 422, want)
	}
	b.post(theo+"/end", url.Values{"on": {"2030-03-20"}}).leads(t, theo+"?said=care-will-end")
	b.get(theo).shows(t, 200, "Care ends Wed 20 Mar.", "Do not end care")
	w.Pass(6*24*time.Hour + 15*time.Hour) // 21 March, midnight in New York
	b.as(mara)
	if got := words(b.row(t, w.Theo.String())); !strings.Contains(got, "Care ended Wed 20 Mar") {
		t.Errorf("the row says %q", got)
	}
	b.post(theo+"/invitation", url.Values{}).shows(t, 409, "Take them back into care first")
	b.post(theo+"/return", url.Values{}).leads(t, theo+"?said=care-resumed")
	b.post(theo+"/return", url.Values{}).shows(t, 409, "has not ended")
	b.post(theo+"/end", url.Values{"on": {"2030-03-21"}}).leads(t, theo+"?said=care-ended")
	b.get("/people?filter=ended").shows(t, 200, "Theo Vance")
}

func TestInvitingManyShowsFirstWhoAndWhoNot(t *testing.T) {
	t.Parallel()
	w, b := practice(t)
	silent := w.Client(t, w.Mara, people.Draft{First: "Vince", Last: "Gill", Email: "vince@example.com"})
	next := w.Client(t, w.Ines, people.Draft{First: "Zoe", Email: "zoe@example.com", EmailConsent: true})
	boxes := url.Values{"client": {w.Theo.String(), silent.String(), next.String(), "rubbish", w.Theo.String()}}
	page := b.post("/people/invitations", boxes).shows(t, 200, "Send 1 invitation<", "Theo Vance", "Left out", "Vince Gill", "Consent to e-mail is not noted.")
	if strings.Contains(page.text, "Zoe") || len(w.Mail.Sent()) != 0 {
		t.Error("another practice's client, or a letter")
	}
	b.post("/people/invitations/sent", boxes).shows(t, 200, "1 letter is on its way.", "Theo Vance", "Not sent", "has not agreed to receive e-mail", "Somebody who is not among your clients")
	w.RunJobs(t)
	if len(w.Mail.Sent()) != 1 {
		t.Errorf("%d letters, want 1", len(w.Mail.Sent()))
	}
	b.post("/people/invitations", url.Values{}).shows(t, 200, "Nobody was chosen")
	b.post("/people/invitations/sent", url.Values{}).leads(t, "/people")
}

// upload posts a file as a browser does.
func (b *browser) upload(path, content string) answer {
	b.t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	part, err := m.CreateFormFile("file", "clients.csv")
	if err != nil {
		b.t.Fatal(err)
	}
	_, _ = part.Write([]byte(content))
	m.Close()
	r := httptest.NewRequestWithContext(b.t.Context(), "POST", world.Base+path, &body)
	r.Header.Set("Content-Type", m.FormDataContentType())
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	rec := httptest.NewRecorder()
	b.site.handler.ServeHTTP(rec, r)
	return answer{rec, rec.Body.String()}
}

const list = "First name,Last name,E-mail,Consents to Email Notifications,Invite to iCouch,Shoe size\n" +
	"Annie,Noda,annie@example.com,yes,yes,38\n" +
	"Vince,Gill,vince@example.com,no,yes,44\n" +
	"Theo,Vance,theo@example.com,yes,yes,43\n" +
	",,nobody@example.com,yes,no,1\n\n" +
	"David,=1+1,not an address,yes,no,2\n"

func TestAFileIsShownRowByRowThenImportedOnce(t *testing.T) {
	t.Parallel()
	w, b := practice(t)
	b.get("/people/import").shows(t, 200, "Nothing is saved until you have seen the preview")
	page := b.upload("/people/import/preview", list).shows(t, 200, "5 rows were read. 2 will be created, 1 of them invited; 3 will be left out.", "Import 2 clients",
		"is already among your clients", "Enter a first or a last name.", "Not invited: no consent", "Shoe size", "Empty rows, passed over: 1.")
	if n := b.look(t, directory.Query{}).Total; n != 1 {
		t.Fatalf("the preview made %d clients", n-1)
	}
	form := url.Values{}
	for _, m := range regexp.MustCompile(`name="(key|file)" value="([^"]*)"`).FindAllStringSubmatch(page.text, -1) {
		form.Set(m[1], m[2])
	}
	got := presses(t, b, "/people/import", form)
	if got[http.StatusOK]+got[http.StatusConflict] != 16 || got[http.StatusOK] < 1 {
		t.Errorf("presses: %v", got)
	}
	if n := b.look(t, directory.Query{}).Total; n != 3 {
		t.Errorf("%d clients, want 3", n)
	}
	b.post("/people/import", form).shows(t, 200, "0 were created; 5 were left out.", "Nothing was created")
	w.RunJobs(t)
	if len(w.Mail.Sent()) != 1 || len(w.Letters("annie@example.com")) != 1 {
		t.Errorf("%d letters, want one to Annie", len(w.Mail.Sent()))
	}
}

func TestAListWithSemicolonsOrTabsIsRead(t *testing.T) {
	t.Parallel()
	_, b := practice(t)
	list := "First name;Last name;E-mail;Date of birth;Consent;Invite\r\n" +
		"Ada;Dots;ada@example.com;27.03.1984;yes;yes\r\nBo;Slashes;bo@example.com;03/27/1984;maybe;yes\r\n" +
		"Cy;Early;cy@example.com;4.3.1984;no;\r\nDi;Unclear;di@example.com;03/04/1984;;\r\n"
	for name, content := range map[string]string{"semicolons": list, "tabs": strings.ReplaceAll(list, ";", "\t"), "a mark in front": "\ufeff" + list} {
		page := b.upload("/people/import/preview", content).shows(t, 200, "4 rows were read. 3 will be created, 1 of them invited; 1 will be left out.", "can be read in two ways",
			"Consent to e-mail is neither yes nor no here, and counts as no.", "Not invited: no consent to e-mail is noted.")
		if n := strings.Count(page.text, "neither yes nor no"); n != 1 {
			t.Errorf("%s: %d rows are said to have no clear consent, want 1", name, n)
		}
	}
	page := b.upload("/people/import/preview", list)
	form := url.Values{}
	for _, m := range regexp.MustCompile(`name="(key|file)" value="([^"]*)"`).FindAllStringSubmatch(page.text, -1) {
		form.Set(m[1], m[2])
	}
	b.post("/people/import", form).shows(t, 200, "3 were created, 1 of them invited; 1 was left out.")
	for name, born := range map[string]string{"Dots": "27 March 1984", "Slashes": "27 March 1984", "Early": "4 March 1984"} {
		found := b.look(t, directory.Query{Text: name})
		if len(found.Rows) != 1 {
			t.Fatalf("%s: %d found", name, len(found.Rows))
		}
		b.get("/people/"+found.Rows[0].ID.String()).shows(t, 200, born)
	}
}

func TestWhatIsNoListIsRefused(t *testing.T) {
	t.Parallel()
	_, b := practice(t)
	for content, want := range map[string]string{"": "This file is empty", "PK\x03\x04xl": "does not look like a CSV file", "Shoe\n44\n": "No column with names was found",
		strings.Repeat("a", 3<<20): "bigger than 2 MB", strings.Repeat("a", 9<<20): "too big"} {
		b.upload("/people/import/preview", content).shows(t, 422, want, "There is a problem", "#f-file")
	}
	b.post("/people/import/preview", url.Values{}).shows(t, 422, "Choose a CSV file first.")
	b.post("/people/import", url.Values{"file": {"!!"}}).shows(t, 422, "did not come through")
	b.post("/people/import", url.Values{"file": {base64.RawURLEncoding.EncodeToString([]byte("x"))}}).shows(t, 422, "No column with names")
	a := b.get("/people/import/example.csv").shows(t, 200, "Annie,Noda")
	b.upload("/people/import/preview", a.text).shows(t, 200, "2 rows were read. 2 will be created, 1 of them invited; 0 will be left out.")
}

func TestT23_TheExportRunsNoFormulaAndNamesNobody(t *testing.T) {
	t.Parallel()
	w, b := practice(t)
	w.Client(t, w.Mara, people.Draft{First: "=HYPERLINK(1)", Last: "Gill"})
	a := b.post("/people/export", url.Values{}).shows(t, 200, "Theo,Vance", "'=HYPERLINK(1)")
	if got := a.Header().Get("Content-Disposition"); got != `attachment; filename="clients.csv"` {
		t.Errorf("the file is %s", got)
	}
	if strings.Contains(a.text, ",=") || strings.Contains(a.text, "\n=") {
		t.Error("a formula came through")
	}
	b.upload("/people/import/preview", a.text).shows(t, 200, "0 will be created")
}

func TestAnAdministratorChoosesWhoLooksAfterAClient(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	w.Colleague(t, "Ada Office", "ada@practice.test", access.Administrator)
	b := serve(t, w).browser(t, w).as("ada@practice.test")
	b.get("/people/new").shows(t, 200, "Choose who looks after them", "Mara Lindqvist", "Noor Haddad")
	form := fresh(w, "Annie", "annie@example.com")
	b.post("/people", form).shows(t, 422, "Choose who looks after this client.", `value="Annie"`)
	form.Set("practitioner", w.Noor.Practitioner().String())
	b.post("/people", form).leads(t, "/people/"+form.Get("id")+"?said=invited")
	b.get("/people").shows(t, 200, "Noor Haddad · Added today")
	nine := serve(t, w).browser(t, w).as(noor)
	nine.get("/people").shows(t, 200, "Annie", "1 person")
	form.Set("practitioner", w.Ines.Practitioner().String())
	form.Set("id", id.New[id.Client](w.Now()).String())
	b.post("/people", form).shows(t, 422, "Choose who looks after this client.")
}

func TestAnotherPracticesIdentifierIsNotTaken(t *testing.T) {
	t.Parallel()
	w, b := practice(t)
	theirs := w.Client(t, w.Ines, people.Draft{First: "Zoe"})
	form := fresh(w, "Annie", "annie@example.com")
	form.Set("id", theirs.String())
	a := b.post("/people", form)
	if a.Code == http.StatusSeeOther {
		if page := b.get("/people/" + theirs.String()); strings.Contains(page.text, "Zoe") {
			t.Error("another practice's client is shown")
		}
	}
	var zoe people.Client
	w.View(t, func(tx *db.Tx) (err error) { zoe, err = people.Find(tx, w.Ines, theirs); return err })
	if zoe.Name.First != "Zoe" {
		t.Error("another practice's client was changed")
	}
}

func TestReloadingAnAnswerOfAnInvitationLeadsToTheClient(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	at := "/people/" + w.Theo.String()
	mara, ines := s.browser(t, w).as("mara@practice.test"), s.browser(t, w).as("ines@nextdoor.test")
	for _, rest := range []string{"/invitation", "/invitation/preview", "/invitation/link"} {
		mara.get(at+rest).leads(t, at)
		ines.get(at+rest).shows(t, 404)
	}
}
