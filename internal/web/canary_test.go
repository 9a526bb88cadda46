package web

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/letter"
	"icouch/internal/platform/db"
	"icouch/internal/world"
)

// Everything that a person may type is filled with words that stand nowhere
// else; then everything that leaves the house by the back door is searched for
// them: the log, the outside of letters, addresses, titles, headers, jobs, the
// trail. The same is done with every token.

// canaries makes such words, and remembers them.
type canaries struct {
	words  []string // personal, or a password
	tokens []string // of links, sessions, devices
}

// word returns a new one that begins with a letter.
func (c *canaries) word(about string) string {
	w := fmt.Sprintf("Zq%s%dkanari", about, len(c.words))
	c.words = append(c.words, w)
	return w
}

func (c *canaries) mail(about string) string { return strings.ToLower(c.word(about)) + "@example.com" }

// sentence is a password.
func (c *canaries) sentence() string { return "a " + c.word("pass") + " under the old bridge" }

// leaving is what has been seen to leave: where, and what.
type leaving struct {
	mu     sync.Mutex
	where  []struct{ place, what string }
	tokens []string
}

func (l *leaving) add(place, what string) {
	l.where = append(l.where, struct{ place, what string }{place, what})
}

var (
	titles   = regexp.MustCompile(`(?s)<title>(.*?)</title>`)
	leadings = regexp.MustCompile(`(?:href|action|formaction|src|hx-[a-z]+|content)="([^"]*)"`)
	inLetter = regexp.MustCompile(regexp.QuoteMeta(world.Base) + `/(?:join|reset|confirm|email|email-back|verify|choices|convert|team|contact|vouched)/([A-Za-z0-9_-]{20,})`)
)

// watch notes what leaves with each answer.
func (l *leaving) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		l.mu.Lock()
		defer l.mu.Unlock()
		at := r.Method + " " + r.Pattern
		for name, values := range rec.Header() {
			for _, v := range values {
				w.Header().Add(name, v)
			}
			if name != "Set-Cookie" && name != "Location" {
				l.add("header "+name+" of "+at, strings.Join(values, "\n"))
			}
		}
		for _, c := range rec.Result().Cookies() {
			l.add("a cookie's name of "+at, c.Name)
			l.add("cookie "+c.Name, "cookie:"+c.Value)
			if c.Value != "" {
				l.tokens = append(l.tokens, c.Value)
			}
		}
		if to := rec.Header().Get("Location"); to != "" {
			l.add("a Location of "+at, ownPath(to))
		}
		if strings.HasPrefix(rec.Header().Get("Content-Type"), "text/html") {
			for _, m := range titles.FindAllStringSubmatch(rec.Body.String(), -1) {
				l.add("the title of "+at, m[1])
			}
			for _, m := range leadings.FindAllStringSubmatch(rec.Body.String(), -1) {
				l.add("an address on "+at, ownPath(m[1]))
			}
		}
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	})
}

// ownPath takes out the token of a path that is a link's own.
var ownLink = regexp.MustCompile(`^/(?:join|reset|confirm|email|email-back|verify|choices|convert|team|contact|vouched)/[A-Za-z0-9_-]{20,}`)

func ownPath(p string) string { return ownLink.ReplaceAllString(p, "/link") }

func TestCanariesLeaveByNoBackDoor(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	s.BounceKey = "a key that only the mail server has"
	out, c := &leaving{}, &canaries{}
	s.handler = out.watch(s.handler)
	all := lead(t, w, s, c)

	for _, m := range w.Mail.Sent() {
		for _, found := range inLetter.FindAllStringSubmatch(m.Text, -1) {
			c.tokens = append(c.tokens, found[1])
		}
		out.add("the subject of a letter", m.Subject)
		out.add("who a letter is from", m.FromName+" "+m.From)
		out.add("a letter's name", m.ID)
		out.add("where a letter comes back to", m.EnvelopeFrom)
		if m.To != s.Support.String() { // support answers whoever asked
			out.add("where an answer goes", m.ReplyTo)
		}
		if u := m.ListUnsubscribe; u != "" {
			out.add("where letters are declined", ownPath(strings.TrimPrefix(u, world.Base)))
		}
	}
	var stored string
	err := w.DB.Row(t.Context(), `SELECT COALESCE((SELECT string_agg(kind || ' ' || about || ' ' || error || ' ' || COALESCE(unique_key, ''), ' ') FROM job), '') ||
		COALESCE((SELECT string_agg(role || action || subject || client_id || detail || account_id, ' ') FROM audit), '') ||
		COALESCE((SELECT string_agg(kind || reason, ' ') FROM letter), '') || COALESCE((SELECT string_agg(reason, ' ') FROM invitation), '')`, nil, &stored)
	if err != nil {
		t.Fatal(err)
	}
	out.add("a job, the trail or a reason", stored)
	breakdown(t, w, s, c)
	out.add("the log", s.log.String())

	c.tokens = append(c.tokens, out.tokens...)
	for _, x := range out.where {
		low := strings.ToLower(x.what)
		for _, word := range c.words {
			for _, as := range []string{word, url.QueryEscape(word), base64.StdEncoding.EncodeToString([]byte(word))} {
				if strings.Contains(low, strings.ToLower(as)) {
					t.Errorf("%s holds %s: %s", x.place, word, around(x.what, as))
				}
			}
		}
		if strings.HasPrefix(x.what, "cookie:") {
			continue // a session's own
		}
		for _, token := range c.tokens {
			if strings.Contains(x.what, token) {
				t.Errorf("%s holds a token: %s", x.place, around(x.what, token))
			}
			if hash := fmt.Sprintf("%x", secret.ParseToken(token).Hash()); strings.Contains(low, hash) {
				t.Errorf("%s holds a token's hash", x.place)
			}
		}
	}
	premises(t, w, s, c, out, all)
}

func around(s, what string) string {
	i := max(0, strings.Index(strings.ToLower(s), strings.ToLower(what)))
	return s[max(0, i-200):min(len(s), i+100)]
}

// premises guards against a search that could find nothing.
func premises(t *testing.T, w *world.World, s *served, c *canaries, out *leaving, shown string) {
	t.Helper()
	log := s.log.String()
	if n := strings.Count(log, "route="); n < 120 {
		t.Errorf("the log has only %d lines", n)
	}
	for _, must := range []string{"level=ERROR", "level=WARN", "panicked: ", "status=500", "status=503", "status=422", "status=404", `route="POST /people/{client}/edit"`, `route="GET /join/{link}"`} {
		if !strings.Contains(log, must) {
			t.Errorf("the log has no %s: something was not led there", must)
		}
	}
	missing := 0
	for _, word := range c.words {
		if !strings.Contains(strings.ToLower(shown), strings.ToLower(word)) {
			missing++
		}
	}
	if len(c.words) < 40 || missing > len(c.words)-12 {
		t.Errorf("of %d words only %d were on a page of somebody who may see them", len(c.words), len(c.words)-missing)
	}
	if len(c.tokens) < 12 || len(w.Mail.Sent()) < 10 || len(out.where) < 2000 {
		t.Errorf("only %d tokens, %d letters, %d places", len(c.tokens), len(w.Mail.Sent()), len(out.where))
	}
	subjects := 0
	for _, m := range w.Mail.Sent() {
		subjects += strings.Count(m.Subject, "Practice Opentoall")
	}
	if subjects == 0 {
		t.Error("no subject names the practice: the letters' outsides were not read")
	}
}

// lead takes people through the whole house, and returns the pages that those
// saw who may.
func lead(t *testing.T, w *world.World, s *served, c *canaries) (pages string) {
	t.Helper()
	post := func(b *browser, path string, status int, f url.Values) answer {
		t.Helper()
		a := b.post(path, f)
		if a.Code != status {
			t.Fatalf("%s answers %d (%s), want %d: %s", path, a.Code, a.Header().Get("Location"), status, clip(a.text))
		}
		return a
	}
	see := func(b *browser, path string) { pages += b.get(path).text }

	// A practitioner signs up, mistypes, and founds a practice.
	b, mail, pw := s.browser(t, w), c.mail("mara"), c.sentence()
	post(b, "/sign-up", 422, form("name", c.word("name"), "email", c.word("nomail")))
	post(b, "/sign-up", 303, form("name", c.word("name"), "email", mail))
	w.RunJobs(t)
	confirm := "/confirm/" + w.Link(t, mail, "/confirm/")
	see(b, confirm)
	post(b, confirm, 422, form("password", c.word("short")[:14]))
	post(b, confirm, 303, form("password", pw))
	post(b, "/practice/new", 422, form("practice", "", "zone", c.word("zone")))
	post(b, "/practice/new", 303, form("practice", "Practice Opentoall", "zone", "Europe/Berlin"))
	w.Arm(t, w.Who(t, mail))
	b.as(mail)

	// Strangers try doors.
	g := s.browser(t, w)
	for _, path := range []string{"/people?q=" + c.word("query"), "/sign-in?next=/" + c.word("next"), "/" + c.word("path") + "/x", "/people/" + c.word("id"), "/people/" + c.word("id") + "/edit",
		"/join/" + c.word("token"), "/reset/" + c.word("token") + "?x=" + c.word("query"), "/choices/" + c.word("token"), "/a/" + c.word("asset"), "/dev/mailbox/" + c.word("n"), "/forgot?email=" + c.word("query")} {
		if strings.HasPrefix(path, "/people/") { // these lead back there after signing in, which is told by their owner's own address
			b.get(path)
			continue
		}
		g.get(path)
		b.get(path)
	}
	post(g, "/sign-in", 422, form("email", c.mail("nobody"), "password", c.sentence()))
	post(g, "/sign-in", 422, form("email", mail, "password", c.sentence()))
	post(g, "/sign-in", 422, form("email", c.word("nomail"), "password", c.sentence()))
	post(g, "/forgot", 303, form("email", c.mail("nobody")))
	post(g, "/forgot", 422, form("email", c.word("nomail")))
	post(g, "/join/lost", 303, form("email", c.mail("nobody")))
	post(g, "/help", 303, form("email", c.mail("asks"), "happened", c.word("happened")))
	post(g, "/help", 422, form("email", c.word("nomail"), "happened", c.word("happened")))
	post(b, "/help", 303, form("happened", c.word("happened")))

	// A client is made, looked for, changed, invited.
	client := func(address string) url.Values {
		return form("first", c.word("first"), "last", c.word("last"), "preferred", c.word("called"), "email", address, "mobile", "+1 212 555 0142", "address", c.word("street")+" 1",
			"born-year", "1984", "born-month", "3", "born-day", "25", "consent", "yes", "note", c.word("note"))
	}
	post(b, "/people", 422, client(c.word("nomail")))
	theirs := c.mail("client")
	made := client(theirs)
	at, _, _ := strings.Cut(post(b, "/people", 303, made).Header().Get("Location"), "?")
	see(b, "/people")
	see(b, at)
	pages += post(b, "/people/search", 200, form("q", made.Get("last"))).text
	post(b, "/people/search", 200, form("q", c.word("query"), "filter", c.word("filter"), "sort", c.word("sort")))
	edited := client(theirs)
	edited.Set("version", "1")
	post(b, at+"/edit", 303, edited)
	post(b, at+"/edit", 409, edited)
	see(b, at+"/edit")
	see(b, at+"/end")
	post(b, at+"/end", 422, form("on", c.word("day")))
	pages += post(b, at+"/invitation/preview", 200, form("note", c.word("note"))).text
	post(b, at+"/invitation", 303, form("note", c.word("note"), "back", "/people?"+c.word("back")))
	w.RunJobs(t)
	post(b, at+"/invitation", 409, form("note", c.word("note")))
	w.Pass(90 * time.Second)
	post(b, at+"/invitation/sendings", 303, form("note", c.word("note")))
	w.RunJobs(t)
	w.Pass(90 * time.Second)
	dead := "/join/" + w.Link(t, theirs, "/join/")
	post(b, at+"/invitation/withdrawal", 303, nil)
	see(g, dead)
	post(g, dead, 410, form("password", c.sentence()))
	post(g, dead+"/new-link", 303, nil)
	link := regexp.MustCompile(regexp.QuoteMeta(world.Base) + "(/join/[A-Za-z0-9_-]+)").FindStringSubmatch(post(b, at+"/invitation/link", 200, nil).text)
	if link == nil {
		t.Fatal("no link was shown to copy")
	}
	c.tokens = append(c.tokens, strings.TrimPrefix(link[1], "/join/"))
	w.RunJobs(t)

	// Somebody who acts for the client is noted, mistyped, invited, and comes.
	guardian, gmail := id.New[id.Contact](w.Now()).String(), c.mail("guardian")
	noted := form("id", guardian, "name", c.word("guardian"), "relation", "guardian", "email", c.word("nomail"), "mobile", "+1 212 555 0143", "basis", c.word("basis"), "right", "forms", "until", "2030-12-31")
	post(b, at+"/contacts", 422, noted)
	noted.Set("email", gmail)
	post(b, at+"/contacts", 303, noted)
	see(b, at)
	see(b, at+"/contacts/"+guardian)
	noted.Set("version", "1")
	noted.Set("basis", c.word("basis"))
	post(b, at+"/contacts/"+guardian, 303, noted)
	post(b, at+"/contacts/"+guardian, 409, noted)
	post(b, at+"/contacts/"+guardian+"/invitation", 303, nil)
	w.RunJobs(t)
	a := s.browser(t, w)
	see(a, "/contact/"+w.Link(t, gmail, "/contact/"))
	post(a, "/contact/"+w.Link(t, gmail, "/contact/"), 303, form("password", c.sentence()))
	see(a, "/dashboard")
	see(a, "/places")
	w.RunJobs(t)

	// They are looked after together with somebody.
	joined := id.New[id.Joint](w.Now()).String()
	together := form("id", joined, "name", c.word("joint"), "kind", c.word("kind"))
	post(b, at+"/together", 422, together)
	together.Set("kind", "family")
	post(b, at+"/together", 303, together)
	see(b, at)
	see(b, "/together")
	see(b, "/together/"+joined)
	post(b, "/together/"+joined+"/people/new", 200, form("q", c.word("search")))
	post(b, "/together/"+joined+"/people", 422, form("q", c.word("search"), "client", c.word("id"), "from", c.word("day")))
	together.Set("version", "1")
	together.Set("name", c.word("joint"))
	post(b, "/together/"+joined+"/edit", 303, together)
	post(b, "/together/"+joined+"/edit", 409, together)
	post(b, "/together/"+joined+"/closing", 422, form("on", c.word("day")))

	// A file comes in and goes out; many are invited at once.
	other := c.mail("row")
	file := "First name,Last name,E-mail,Consents to Email Notifications,Invite to iCouch," + c.word("column") + "\n" +
		c.word("first") + "," + c.word("last") + "," + other + ",yes,no," + c.word("cell") + "\n" + c.word("first") + ",x," + c.word("nomail") + ",yes,no,\n"
	pages += b.upload("/people/import/preview", file).shows(t, 200).text
	b.upload("/people/import/preview", c.word("nolist")).shows(t, 422)
	pages += post(b, "/people/import", 200, form("file", base64.RawURLEncoding.EncodeToString([]byte(file)), "key", c.word("key"))).text
	pages += post(b, "/people/export", 200, nil).text
	row := regexp.MustCompile(`id="c-([0-9A-Za-z-]+)"`).FindAllStringSubmatch(b.get("/people").text, -1)
	var many url.Values = url.Values{"client": {c.word("id")}}
	for _, r := range row {
		many.Add("client", r[1])
	}
	pages += post(b, "/people/invitations", 200, many).text
	pages += post(b, "/people/invitations/sent", 200, many).text
	w.RunJobs(t)
	see(g, "/join/"+w.Link(t, other, "/join/")+"/sign-in")
	choices := w.Link(t, other, "/choices/")
	see(g, "/choices/"+choices)
	post(g, "/choices/"+choices, 303, form("invitations", declined))
	post(g, "/choices/"+choices, 422, form("invitations", c.word("choice")))

	// A letter comes back, with the words of another server in it.
	sent := w.Mail.Sent()
	report := strings.ReplaceAll(bounce("bounces@icouch.test", "<"+sent[len(sent)-1].ID+">", "failed", "5.1.1"), "theo@example.com", other)
	report = strings.Replace(report, "Status: 5.1.1", "Status: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 <"+other+"> "+c.word("diagnosis")+" unknown", 1)
	if got := b.report(s.BounceKey, report); got >= 500 {
		t.Fatalf("the report is answered %d", got)
	}
	b.report(s.BounceKey, c.word("noreport"))
	b.report(c.word("key"), report)

	// The client comes, is slow with passwords, and changes everything.
	k, kpw := s.browser(t, w), c.sentence()
	see(k, link[1])
	post(k, link[1], 422, form("password", c.word("short")[:14]))
	if a := k.post(link[1]+"/sign-in", form("email", theirs, "password", c.sentence())); a.Code >= 500 {
		t.Fatal("signing in by a link broke")
	}
	if a := k.post(link[1], form("password", kpw, "email", c.mail("extra"), "name", c.word("extra"))); a.Header().Get("Location") != "/welcome" {
		live := "/join/" + w.Link(t, theirs, "/join/") // they had asked for a new one
		post(k, live, 303, form("password", kpw, "email", c.mail("extra"), "name", c.word("extra")))
	}
	post(k, "/welcome", 422, form("zone", c.word("zone")))
	post(k, "/welcome", 303, form("zone", "Europe/London"))
	see(k, "/dashboard")
	post(k, "/switch", 404, form("place", c.word("place")))
	post(k, "/settings/name", 303, form("name", c.word("name")))
	post(k, "/settings/name", 422, form("name", strings.Repeat(c.word("name"), 20)))
	post(k, "/settings/zone", 422, form("zone", c.word("zone")))
	see(k, "/settings")
	next := c.mail("moved")
	post(k, "/settings/email", 422, form("email", next, "password", c.sentence()))
	post(k, "/settings/email", 422, form("email", c.word("nomail"), "password", kpw))
	post(k, "/settings/email", 303, form("email", next, "password", kpw))
	if a := k.post("/settings/email/verify", nil); a.Code >= 500 {
		t.Fatal("asking to confirm broke")
	}
	w.RunJobs(t)
	move := "/email/" + w.Link(t, next, "/email/")
	see(g, move)
	see(k, move)
	post(g, move, 409, nil)
	post(k, move, 303, nil)
	w.RunJobs(t)
	back := "/email-back/" + w.Link(t, theirs, "/email-back/")
	see(g, back)
	post(g, back, 303, nil)
	post(g, "/forgot", 303, form("email", theirs))
	w.RunJobs(t)
	reset := "/reset/" + w.Link(t, theirs, "/reset/")
	see(g, reset)
	kpw = c.sentence()
	post(g, reset, 303, form("password", kpw))
	post(g, reset, 410, form("password", c.sentence()))
	w.RunJobs(t)
	post(k, "/sign-in", 303, form("email", theirs, "password", kpw))
	post(k, "/settings/password", 422, form("password", c.sentence(), "new", c.sentence()))
	post(k, "/settings/password", 303, form("password", kpw, "new", c.sentence()))
	post(b, at+"/end", 303, form("on", w.Now().Format(time.DateOnly)))
	see(k, "/dashboard")
	post(b, at+"/return", 303, nil)
	see(b, at)
	post(k, "/sign-out", 303, nil)

	// Browsers report what they refused, with addresses in it.
	for _, body := range []string{
		`[{"type":"csp-violation","url":"` + world.Base + link[1] + `","body":{"documentURL":"` + world.Base + reset + `","effectiveDirective":"` + c.word("directive") + `","blockedURL":"` + world.Base + back + `?` + c.word("query") + `","sample":"` + c.word("sample") + `"}}]`,
		`{"csp-report":{"document-uri":"` + world.Base + link[1] + `","violated-directive":"img-src ` + c.word("directive") + `","blocked-uri":"https://evil.example/` + c.word("path") + `"}}`,
		`{"csp-report":{"document-uri":"` + c.word("document") + `","violated-directive":"img-src","blocked-uri":"` + c.word("blocked") + `"}}`} {
		if a := request(t, s, "POST", "/csp", body, "Content-Type", "application/reports+json"); a.Code != http.StatusNoContent {
			t.Fatalf("a report is answered %d", a.Code)
		}
	}
	// And some send what no browser does.
	request(t, s, "GET", "/", "", "User-Agent", c.word("agent"), "Referer", world.Base+"/"+c.word("referer"), "Cookie", s.sessionCookie()+"="+c.word("cookie"), "X-Forwarded-For", c.word("for"), "X-Request-Id", c.word("request"))
	request(t, s, "GET", "/", "", "X-Forwarded-Host", c.word("host")+".example")
	request(t, s, c.word("METHOD"), "/people", "")
	request(t, s, "POST", "/sign-in", "email=%zz"+c.word("form"), "Origin", "https://"+c.word("origin")+".example")
	request(t, s, "POST", "/sign-in", "email=%zz"+c.word("form"))
	request(t, s, "POST", "/people/import", c.word("body"), "Content-Type", "multipart/form-data; boundary="+c.word("boundary"))
	return pages
}

// breakdown has things go wrong that should not: a handler panics with words in
// its hands, and the database goes.
func breakdown(t *testing.T, w *world.World, s *served, c *canaries) {
	t.Helper()
	inner := s.mux(slices.Concat(routes, []route{{pattern: "POST /panic/{word}", enter: anyone, do: func(_ *Site, _ http.ResponseWriter, r *http.Request, _ access.Actor) error {
		panic(fmt.Sprint(r.PathValue("word"), r.PostFormValue("first")))
	}}, {pattern: "GET /panic/late", enter: anyone, do: func(_ *Site, w http.ResponseWriter, r *http.Request, _ access.Actor) error {
		panic(fmt.Errorf("of %s", r.URL.RawQuery))
	}}}))
	was := s.handler
	s.handler = s.observe(s.guard(inner))
	request(t, s, "POST", "/panic/"+c.word("panic"), "first="+c.word("panic")).shows(t, 500, "Reference")
	request(t, s, "GET", "/panic/late?"+c.word("panic"), "").shows(t, 500, "Reference")
	s.handler = was

	w.MailFails(context.DeadlineExceeded)
	b := s.browser(t, w).as("mara@practice.test")
	b.post("/people/"+w.Theo.String()+"/invitation", form("note", c.word("note")))
	if _, err := w.Jobs.RunDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.View(t, func(tx *db.Tx) error { _, err := letter.Waiting(tx, access.Guest()); return err })
	w.DB.Close()
	gone := c.mail("gone")
	for _, a := range []answer{
		b.get("/people"), b.get("/people/" + w.Theo.String()), b.post("/people", form("first", c.word("first"), "last", c.word("last"), "email", gone)),
		b.post("/people/search", form("q", c.word("query"))), b.post("/settings/name", form("name", c.word("name"))),
		s.browser(t, w).post("/sign-in", form("email", gone, "password", c.sentence())), s.browser(t, w).post("/sign-up", form("name", c.word("name"), "email", gone)),
		s.browser(t, w).get("/join/" + strings.Repeat("C", 43)), s.browser(t, w).get("/health"),
	} {
		if a.Code < 500 {
			t.Errorf("without a database: answers %d", a.Code)
		}
		for _, not := range []string{"sql", "database is closed", "goroutine"} {
			if strings.Contains(a.text, not) {
				t.Errorf("the error page shows %q", not)
			}
		}
	}
	c.tokens = append(c.tokens, strings.Repeat("C", 43))
}
