package e2e

import (
	"strings"
	"testing"
	"time"
)

// What is typed in need, and by those who help: why a record was opened, how
// somebody is known, what support was told. It is read by others than those who
// typed it, who can do more.

// evilReason is all of it, as a reason of several lines.
const evilReason = evilEnd + "\n" + evilTag + "\n" + evilQuote + "\n" + evilWord

// As hostile as an address can be: these are addresses.
const (
	evilMail    = `'/onfocus='window.bitten=1'/autofocus='&#60{{7*7}}@example.com`
	evilMailToo = "`${window.bitten=1}`'/onload='window.bitten=1'/a='@example.com"
)

// stands fails unless a page shows texts as they were typed, and ran none of it.
// Lines of a message are paragraphs, so spaces are not looked at.
func (v *visitor) stands(where string, texts ...string) {
	v.t.Helper()
	v.unbitten(where)
	tight := func(s string) string { return strings.Join(strings.Fields(s), "") }
	page := tight(v.text())
	for _, text := range texts {
		if !strings.Contains(page, tight(text)) {
			v.t.Errorf("%s does not show %q as it was typed\n%s", where, text, v.where())
		}
	}
}

// holds fails unless a field holds what was typed in it.
func (v *visitor) holds(field, typed string) {
	v.t.Helper()
	v.unbitten("a form that is shown again")
	if got := v.value(field); got != typed {
		v.t.Errorf("%s holds %q, want %q", field, got, typed)
	}
}

// office is a practice of which every name wants to run: an owner, a second
// one, a practitioner, and a client of the owner's with an account.
func (p *program) office(t *testing.T) (her *hand, client string) {
	t.Helper()
	her = p.found(t, evilTag, mira, miraSecret, evilQuote)
	client = her.client(evilTag, evilQuote, annie, true)
	her.post("/settings/team", "name", evilQuote, "email", nils, "member-role", "practitioner")
	her.post("/settings/team", "name", evilTag, "email", ondine, "member-role", "owner")
	p.joins(t, p.link(t, nils, "/team/", 1), nils, nilsSecret)
	p.joins(t, p.link(t, ondine, "/team/", 1), ondine, ondineSecret)
	p.accept(t, p.link(t, annie, "/join/", 1), annieSecret)
	p.since(t, "UPDATE practitioner SET created_at = ?", time.Now().Add(-8*24*time.Hour).UnixMicro())
	return her, client
}

func TestNoReasonRuns(t *testing.T) {
	t.Parallel()
	p := serve(t)
	her, client := p.office(t)

	// Why a colleague's client is opened.
	n := p.visitor(t, phone)
	n.signsIn(nils, nilsSecret)
	n.open("/people/emergency")
	n.fill("Full name or e-mail", evilTag)
	n.fill("Why now?", evilReason)
	n.goes("Open the record")
	n.holds("Full name or e-mail", evilTag)
	n.holds("Why now?", evilReason)
	n.fill("Full name or e-mail", annie)
	n.goes("Open the record")
	n.stands("the opened record", evilTag, evilQuote)

	owner := p.visitor(t, desktop)
	owner.signsIn(mira, miraSecret)
	owner.open("/settings/team/emergencies")
	owner.stands("what was opened in an emergency", evilReason)
	for _, page := range []string{"/dashboard", "/settings/trail", "/settings/team", client, client + "/access"} {
		owner.open(page)
		owner.stands(page, evilTag)
	}
	c := p.visitor(t, phone)
	c.signsIn(annie, annieSecret)
	for _, page := range []string{"/dashboard", "/access", "/record/access"} {
		c.open(page)
		c.stands(page, evilQuote)
		c.seesNot(evilWord) // the reason is for owners
	}

	// How a colleague is known who has lost every way to sign in.
	var at string
	for _, m := range memberHref.FindAllStringSubmatch(her.get("/settings/team"), -1) {
		if contains(her.get("/settings/team/"+m[1]), nils) {
			at = "/settings/team/" + m[1]
		}
	}
	owner.open(at)
	owner.press("Has lost every way to sign in")
	owner.goes("Ask another owner to approve") // with nothing said
	owner.fill("How you know that it is them", evilReason)
	owner.goes("Ask another owner to approve")
	owner.stands("a request for a way back", evilReason)
	second := p.visitor(t, desktop)
	second.signsIn(ondine, ondineSecret)
	second.open(at)
	second.stands("a request for a way back, to another owner", evilReason, evilTag, evilQuote)
	second.goes("Approve for " + evilQuote)
	second.stands("an approved request", evilTag)
	n.open(p.link(t, nils, "/recovered/", 1))
	n.unbitten("the way back")

	// Whom a practice vouches for; there is nothing to say, but names.
	if page := her.get(client); contains(page, "Vouch and send the link") {
		owner.open(client)
		owner.unbitten("a client who can be vouched for")
	}
	p.lettersAreWords(t)
}

func TestNothingRunsInSupport(t *testing.T) {
	t.Parallel()
	p := serve(t)
	p.found(t, evilTag, evilMail, annieSecret, evilQuote) // by mistake
	p.found(t, miraName, mira, miraSecret, riverside).client(evilTag, evilQuote, evilMail, true)
	p.found(t, evilQuote, evilMailToo, vinceSecret, evilTag) // works alone, and lost everything
	for address, secret := range map[string]string{ines: inesSecret, ondine: ondineSecret} {
		p.supports(t, address, secret).post("/settings/name", "name", evilTag)
	}

	s := p.visitor(t, desktop)
	s.signsIn(ines, inesSecret)
	s.open("/places")
	s.goes("Open Support")
	s.open("/support")
	for _, address := range []string{evilTag, evilQuote, evilEnd, evilWord} {
		s.fill("E-mail address of the account", address)
		s.goes("Find")
		s.holds("E-mail address of the account", address)
	}
	s.open("/support")
	s.fill("E-mail address of the account", "none"+evilMail)
	s.goes("Find")
	s.stands("no account", "none"+evilMail)
	s.open("/support")
	s.fill("E-mail address of the account", evilMail)
	s.goes("Find")
	s.stands("an account", evilMail)
	s.goes("Convert to client account") // with nothing said
	s.fill("Reason", evilReason)
	s.goes("Convert to client account")
	s.stands("a request", evilReason, evilMail)
	request := s.path()
	s.open("/support")
	s.fill("E-mail address of the account", evilMailToo)
	s.goes("Find")
	s.fill("How you know that it is them", evilReason)
	s.goes("Ask another supporter to approve")
	s.stands("a lost step", evilReason, evilMailToo)
	lost := s.path()
	s.open("/support")
	s.stands("the console", evilMail, evilMailToo)

	c := p.visitor(t, phone)
	c.signsIn(evilMail, annieSecret)
	c.open(p.link(t, evilMail, "/convert/", 1))
	c.unbitten("the wrong door")
	c.fill("Current password", annieSecret)
	c.goes("Yes, make it a client’s account")
	c.unbitten("the wrong door, confirmed")

	o := p.visitor(t, phone)
	o.signsIn(ondine, ondineSecret)
	o.open("/places")
	o.goes("Open Support")
	for _, at := range []string{request, lost} {
		o.open(at)
		o.stands("a request, to another supporter", evilReason)
		o.goes("Approve")
		o.stands("an approved request", evilReason)
	}
	o.open("/support")
	o.stands("the console", evilMail, evilMailToo)
	c.signsIn(evilMail, annieSecret)
	c.open("/dashboard")
	c.unbitten("the account that was put right")
	p.lettersAreWords(t)
}

// What stands beside messages: names of files, of contacts and of joint records,
// what is answered while somebody is away, and what a practice says of answers.
func TestNothingBesideAMessageRuns(t *testing.T) {
	t.Parallel()
	p := serve(t)
	her, at := p.office(t)
	her.post("/settings/messages/reply-time", "reply-time", evilQuote)
	today := inDays(0)
	her.post("/settings/messages/away", "away", her.field("/settings/messages", awayField), "from", today, "until", today, "words", evilReason)
	contact := her.field(at+"/contacts/new", formID)
	her.post(at+"/contacts", "id", contact, "name", evilQuote, "relation", "parent", "email", greta, "basis", evilEnd, "right", "appointments", "until", inDays(365))
	her.post(at + "/contacts/" + contact + "/invitation")
	together := her.field(at+"/together/new", formID)
	her.post(at+"/together", "id", together, "name", evilTag, "kind", "family")

	owner := p.visitor(t, desktop)
	owner.signsIn(mira, miraSecret)
	owner.open("/settings/messages")
	owner.stands("what is answered meanwhile", evilReason)
	owner.holds("Answers usually come", evilQuote)
	owner.open(at + "/contacts/" + contact)
	owner.stands("a contact", evilQuote, evilEnd)
	owner.open("/together/" + together)
	owner.stands("a joint record", evilTag)
	owner.open("/together")
	owner.stands("the joint records", evilTag)
	talk := her.post(at + "/message")
	owner.open(talk)

	client := p.visitor(t, phone)
	client.signsIn(annie, annieSecret)
	client.open(talk)
	client.stands("a conversation", "Answers usually come "+evilQuote)
	for _, name := range []string{evilTag + ".txt", evilQuote + ".pdf", "javascript:window.bitten=1;{{7*7}}.html"} { // a name has no slash
		client.attaches("f-files", kept(t, name, []byte("<script>window.bitten=1</script>")))
	}
	// What no disk takes as a name is a dash, and the ending says what it is.
	fileNames := []string{"-img src=x onerror=window.bitten=1-.html", "-'--svg onload=window.bitten=1-.html", "javascript-window.bitten=1;{{7-7}}.html"}
	client.until("that all are attached", `document.querySelectorAll('[data-whole]').length === 3`)
	client.stands("files that wait", fileNames...)
	client.open(talk)
	client.stands("files that waited", fileNames...)
	client.says(evilTag, "These.")
	owner.written(2) // and what was answered by itself
	owner.stands("a conversation, by the stream", append(fileNames, evilReason)...)
	client.open(talk)
	client.stands("a conversation", append(fileNames, evilReason)...)
	client.open(talk + "/print")
	client.stands("a conversation on paper", append(fileNames, evilReason)...)
	client.open("/messages")
	client.stands("the conversations", evilTag)
	client.open(talk)
	client.attaches("f-files", kept(t, evilTag+".txt", []byte("x")))
	client.until("that it is attached", `document.querySelectorAll('[data-whole]').length === 1`)
	client.do(client.toward("Send"))
	owner.written(3)
	owner.open("/messages")
	owner.stands("the conversations, of which the last is a file", "-img src=x onerror=window.bitten=1-.txt")
	client.open("/access")
	client.unbitten("who may see what")

	guardian := p.visitor(t, phone)
	guardian.open(p.link(t, greta, "/contact/", 1))
	guardian.unbitten("the invitation of a contact")
	guardian.fill("Choose a password", gretaSecret)
	guardian.goes("Sign Up")
	guardian.goes("Continue")
	guardian.stands("the page of a contact", evilTag, evilQuote)
	p.lettersAreWords(t)
}

// lettersAreWords opens every letter that was written, as a page.
func (p *program) lettersAreWords(t *testing.T) {
	t.Helper()
	v := p.visitor(t, desktop)
	v.open("/dev/mailbox")
	v.unbitten("the letters")
	all := letterLine.FindAllStringSubmatch(fetch(t, p.base+"/dev/mailbox"), -1)
	if len(all) == 0 {
		t.Error("no letter was written: this shows nothing")
	}
	for _, l := range all {
		v.open(l[1])
		v.unbitten("a letter")
	}
}
