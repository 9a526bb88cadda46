package e2e

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// A world in which everything that can be typed was typed by somebody who wants
// it to run, and every page that leads from another, opened by whoever it is for.

// Short enough for a name.
const (
	evilTag   = `<img src=x onerror=window.bitten=1>`
	evilQuote = `"'><svg onload=window.bitten=1>`
	evilEnd   = `</textarea></title></script><script>window.bitten=1</script>`
	evilWord  = `javascript:window.bitten=1//{{7*7}}`
)

var (
	uuidText  = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	awayField = regexp.MustCompile(`name="away" value="([0-9a-f-]{36})"`)
)

// field is the hidden field of a form, as its page has it.
func (h *hand) field(page string, re *regexp.Regexp) string {
	h.t.Helper()
	m := re.FindStringSubmatch(h.get(page))
	if m == nil {
		h.t.Fatalf("%s has no field like %s", page, re)
	}
	return m[1]
}

func TestNothingThatIsTypedAnywhereRuns(t *testing.T) {
	p := serve(t)
	her := p.found(t, evilTag, mira, miraSecret, evilQuote)
	at := her.client(evilTag, evilQuote, annie, false)
	her.post(at+"/edit", "version", "1", "first", evilTag, "last", evilQuote, "preferred", evilTag, "email", annie, "mobile", "+1 212 555 0142", "address", evilEnd, "consent", "yes")
	her.post(at+"/invitation", "note", evilEnd+"\n"+evilTag)
	her.client(evilWord, evilEnd[:50], vince, true) // stays invited
	her.post("/settings/team", "name", evilQuote, "email", nils, "member-role", "practitioner")
	p.joins(t, p.link(t, nils, "/team/", 1), nils, nilsSecret)
	her.post("/settings/team", "name", evilTag, "email", "other@practice.example", "member-role", "practitioner") // stays invited
	p.accept(t, p.link(t, annie, "/join/", 1), annieSecret)
	contact := her.field(at+"/contacts/new", formID)
	her.post(at+"/contacts", "id", contact, "name", evilTag, "relation", "partner", "email", greta, "mobile", "+1 212 555 0143", "basis", evilEnd, "right", "appointments", "until", inDays(365))
	together := her.field(at+"/together/new", formID)
	her.post(at+"/together", "id", together, "name", evilTag, "kind", "family")
	her.post("/settings/messages/reply-time", "reply-time", evilQuote)
	today := inDays(0)
	her.post("/settings/messages/away", "away", her.field("/settings/messages", awayField), "from", today, "until", today, "words", evilEnd+evilTag)
	talk := her.post(at + "/message")
	his := p.hand(t)
	his.post("/sign-in", "email", annie, "password", annieSecret)
	his.post("/settings/name", "name", evilTag)
	message := regexp.MustCompile(`name="message" value="([0-9a-f-]{36})"`)
	for _, evil := range []string{evilTag, evilQuote, evilEnd, evilWord} {
		his.post(talk, "message", his.field(talk, message), "body", evil)
		her.post(talk, "message", her.field(talk, message), "body", evil)
	}
	his.post(talk+"/draft", "body", evilEnd)
	guest := p.hand(t)
	guest.post("/help", "email", "asks@example.com", "happened", evilEnd)

	walk := func(who string, v *visitor, from ...string) {
		n := v.opensAll(from...)
		t.Logf("%s opened %d pages", who, n)
		if n < 5 {
			t.Errorf("%s opened only %d pages: this shows nothing", who, n)
		}
	}
	owner := p.visitor(t, 1280)
	owner.signsIn(mira, miraSecret)
	owner.open("/people")
	if !strings.Contains(owner.text(), evilQuote) {
		t.Errorf("the premise: the list shows nothing of what was typed: %s", owner.text())
	}
	walk("the owner", owner, "/dashboard", "/people", "/together", "/settings", "/messages", talk, at, at+"/edit", at+"/invitation", at+"/contacts/"+contact, "/together/"+together, "/settings/trail", "/people/import")
	for _, search := range [][2]string{{"/people", "/people/search"}, {"/messages", "/messages/search"}, {"/messages/new", "/messages/new"}} {
		for _, evil := range []string{evilTag, evilQuote, evilEnd} {
			owner.searches(search[0], search[1], evil)
		}
	}
	owner.uploads("First name,Last name,E-mail,Consents to Email Notifications,Invite to iCouch," + evilTag + "\n" + evilTag + "," + strings.ReplaceAll(evilQuote, `"`, "") + "," + evilTag + ",yes,no," + evilTag + "\n")
	client := p.visitor(t, 390)
	client.signsIn(annie, annieSecret)
	walk("the client", client, "/dashboard", "/settings", "/messages", talk, "/access", "/record/access")
	colleague := p.visitor(t, 1280)
	colleague.signsIn(nils, nilsSecret)
	walk("a colleague", colleague, "/dashboard", "/people", "/settings", "/messages", "/people/emergency")
	stranger := p.visitor(t, 390)
	walk("a stranger", stranger, "/", "/sign-in", "/sign-up", "/help", "/forgot", p.link(t, vince, "/join/", 1), "/dev/mailbox")
}

// opensAll opens pages and every page they lead to, one of each kind: without a
// query as they are, and with a hostile one. It looks that nothing ran.
func (v *visitor) opensAll(from ...string) (opened int) {
	v.t.Helper()
	waiting, known, kinds := slices.Clone(from), map[string]bool{}, map[string]int{}
	hostile := url.Values{"said": {evilTag}, "q": {evilQuote}, "show": {evilEnd}, "next": {evilWord}, "sort": {evilQuote}, "email": {evilTag}, "back": {evilWord}}.Encode()
	for len(waiting) > 0 {
		path := strings.TrimPrefix(waiting[0], v.base)
		waiting = waiting[1:]
		kind := uuidText.ReplaceAllString(strings.SplitN(path, "?", 2)[0], "…")
		if known[path] || kinds[kind] >= 1 && !slices.Contains(from, path) {
			continue
		}
		known[path] = true
		kinds[kind]++
		v.open(path)
		v.unbitten(path)
		opened++
		links := ask[[]string](v, `[...document.querySelectorAll('a[href]')].filter(a => a.origin === location.origin && !a.hasAttribute('download') && !a.pathname.startsWith('/a/') && !a.pathname.endsWith('.csv')).map(a => a.pathname + a.search)`)
		if odd := ask[[]string](v, `[...document.querySelectorAll('a[href], form[action], button[formaction]')].map(e => e.getAttribute('href') ?? e.getAttribute('action') ?? e.getAttribute('formaction')).filter(h => !/^(https?:\/\/|\/|#|\?|mailto:|tel:|sms:|otpauth:\/\/totp\/iCouch:|$)/.test(h))`); len(odd) > 0 {
			v.t.Errorf("%s leads to %q", path, odd)
		}
		waiting = append(waiting, links...)
		if kinds[kind] == 1 && !strings.Contains(path, "?") {
			v.open(path + "?" + hostile)
			v.unbitten(path + " with a hostile query")
		}
	}
	return opened
}

// unbitten fails the test if something ran, or was kept from running: what was
// typed is nothing but words.
func (v *visitor) unbitten(where string) {
	v.t.Helper()
	for _, wrong := range v.bites() {
		v.t.Errorf("%s: %s", where, wrong)
	}
}

// bites are what ran on a page, was kept from running, or stands there as more
// than words.
func (v *visitor) bites() (wrong []string) {
	v.t.Helper()
	if ask[bool](v, `'bitten' in window`) {
		wrong = append(wrong, "something ran")
	}
	if refused := ask[[]string](v, `window.refusals ?? []`); len(refused) > 0 {
		wrong = append(wrong, fmt.Sprintf("the browser refused %q", refused))
	}
	if n := ask[int](v, `document.querySelectorAll('[onerror], [onload], [onfocus], img[src="x"], svg[onload]').length`); n > 0 {
		wrong = append(wrong, fmt.Sprintf("%d elements are somebody's", n))
	}
	return wrong
}

// searches sends a search's form as it stands on a page.
func (v *visitor) searches(page, action, words string) {
	v.t.Helper()
	v.open(page)
	form := `[...document.forms].find(f => new URL(f.action).pathname === ` + quoted(action) + ` && f.elements.q)`
	if !ask[bool](v, `!!`+form) {
		v.t.Errorf("%s has no search", page)
		return
	}
	v.loaded(chromedp.Func(func(context.Context, *chromedp.Target) error {
		ask[bool](v, `(f => { f.elements.q.value = `+quoted(words)+`; f.submit(); return true })(`+form+`)`)
		return nil
	}))
	v.unbitten(action)
}

// uploads has a file of clients looked at.
func (v *visitor) uploads(sheet string) {
	v.t.Helper()
	file := filepath.Join(v.t.TempDir(), "clients.csv")
	if err := os.WriteFile(file, []byte(sheet), 0o600); err != nil {
		v.t.Fatal(err)
	}
	v.open("/people/import")
	v.do(chromedp.SetUploadFiles(chromedp.ID("f-file"), []string{file}))
	v.goes("Check the file")
	v.unbitten("the preview of an import")
}
