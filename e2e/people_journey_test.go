package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// sheet is a list of clients out of another program, with a row that cannot be
// taken and one that is there already.
const sheet = `First name,Last name,E-mail,Consents to Email Notifications,Invite to iCouch
Rashida,,rashida@example.com,yes,yes
Oskar,Lind,oskar@example.com,yes,no
,,nobody@example.com,no,no
Annie,Noda,annie.noda@example.com,yes,no
`

func TestAPracticeFindsInvitesImportsEditsAndEndsCare(t *testing.T) {
	onBothScreens(t, func(t *testing.T, width int64) {
		p := serve(t)
		her := p.found(t, miraName, mira, miraSecret, riverside)
		annies := her.client("Annie", "Noda", annie, false)
		her.client("Vince", "Gill", vince, true)
		her.client("David", "", david, false)
		p.accept(t, p.link(t, vince, "/join/", 1), vinceSecret)
		v := p.visitor(t, width)
		v.signsIn(mira, miraSecret)
		v.open("/people")
		searches(v)
		chooses(p, v)
		imports(v)
		edits(v, annies)
		ends(v, annies)
	})
}

// searches looks for people as one types.
func searches(v *visitor) {
	t := v.t
	t.Helper()
	v.sees("3 people", "Invite Annie Noda", "Secure Message to Vince Gill")
	v.pictured(200, "people-list")
	box := v.find("field", "Search by name or e-mail")
	v.do(chromedp.MouseClickXY(box.X, box.Y), chromedp.KeyEvent("no"))
	v.until("one row", `document.querySelectorAll('tbody tr').length === 1`)
	v.sees("Annie Noda")
	v.until("how many there are to be said", `document.getElementById('live').textContent === '1 person'`)
	if !ask[bool](v, `document.activeElement.type === 'search' && document.activeElement.selectionStart === 2`) {
		t.Error("the cursor is not where it was")
	}
	if got := v.path(); got != "/people" {
		t.Errorf("a search leads to %s", got)
	}
	v.check(200)
	v.do(chromedp.MouseClickXY(v.find("field", "Search by name or e-mail").X, box.Y), chromedp.KeyEvent("xyz"))
	v.until("no rows", `document.querySelectorAll('tbody tr').length === 0`)
	v.sees("No one matches")
	v.pictured(200, "people-none")
	ask[bool](v, `(document.querySelector('input[type=search]').focus(), true)`)
	v.do(chromedp.KeyEvent(kb.Escape))
	v.until("all rows", `document.querySelectorAll('tbody tr').length === 3`)
	v.goes("Not invited")
	v.sees("2 people", "Annie Noda", "David")
	v.seesNot("Vince Gill")
	v.check(200)
}

// chooses invites several at once.
func chooses(p *program, v *visitor) {
	v.t.Helper()
	v.tick("Choose Annie Noda")
	v.tick("Choose David")
	v.until("two to be chosen", `document.querySelector('[data-chosen]').textContent === '2 selected'`)
	v.pictured(200, "people-chosen")
	v.goes("Invite")
	v.sees("Invite many", annie, david)
	v.pictured(200, "people-invite-many")
	v.goes("Send 2 invitations")
	v.sees("2 letters are on their way.")
	v.check(200)
	p.link(v.t, annie, "/join/", 1)
	p.link(v.t, david, "/join/", 1)
	v.goes("Back to People")
	v.sees("Re-Send Annie Noda", "Re-Send David")
}

// imports takes in a file, after a look at what will happen.
func imports(v *visitor) {
	t := v.t
	t.Helper()
	v.goes("Import clients")
	v.check(200)
	v.goes("Check the file")
	v.check(422)
	file := filepath.Join(t.TempDir(), "clients.csv")
	if err := os.WriteFile(file, []byte(sheet), 0o600); err != nil {
		t.Fatal(err)
	}
	v.do(chromedp.SetUploadFiles(chromedp.ID("f-file"), []string{file}))
	v.goes("Check the file")
	v.sees("4 rows were read. 2 will be created, 1 of them invited; 2 will be left out.")
	v.pictured(200, "people-import-preview")
	v.goes("Import 2 clients")
	v.sees("Imported. The letters are on their way.")
	v.check(200)
	v.open("/people")
	v.sees("5 people", "Rashida", "Oskar Lind")
}

// edits makes a mistake, and mends it.
func edits(v *visitor, client string) {
	t := v.t
	t.Helper()
	v.open(client)
	v.pictured(200, "people-client")
	v.sees("You can send another in a minute.")
	ask[bool](v, `import('#rests').then(rests => { const wait = window.setTimeout; window.setTimeout = done => done(); rests.begin(); window.setTimeout = wait; return true; })`) // the minute is over
	v.seesNot("You can send another in a minute.")
	if ask[bool](v, `document.querySelector('.act-of button').disabled`) {
		t.Error("the minute is over, and Re-Send still rests")
	}
	v.goes("Edit")
	v.check(200)
	v.fill("What they like to be called", "Ann")
	v.fill("E-mail", "annie at home")
	v.goes("Save")
	v.sees("There is a problem")
	if got, kept := v.value("E-mail"), v.value("What they like to be called"); got != "annie at home" || kept != "Ann" {
		t.Errorf("what was typed is now %q and %q", got, kept)
	}
	v.pictured(422, "people-edit-wrong")
	v.fill("E-mail", annie)
	v.goes("Save")
	v.sees("Saved.", "Likes to be called Ann")
	v.check(200)
}

// ends closes the access of a client, and takes that back.
func ends(v *visitor, client string) {
	t := v.t
	t.Helper()
	v.goes("End care")
	v.pictured(200, "people-end-care")
	day := v.value("Last day of care")
	ask[bool](v, `(window.wanted.value = '', true)`)
	v.goes("End care of Annie Noda")
	v.sees("There is a problem")
	v.check(422)
	ask[bool](v, fmt.Sprintf(`!!(%s)('field', 'Last day of care') && (window.wanted.value = %s, true)`, finder, quoted(day)))
	v.goes("End care of Annie Noda")
	v.sees("Care has ended.")
	v.check(200)
	v.open("/people?filter=ended")
	v.sees("1 person", "Annie Noda")
	v.seesNot("Re-Send")
	v.check(200)
	v.open(client)
	v.goes("Take back into care")
	v.sees("Back in care.")
	v.check(200)
}

func TestTheSearchIsReachedByASlash(t *testing.T) {
	t.Parallel()
	p := serve(t)
	p.found(t, miraName, mira, miraSecret, riverside).client("Annie", "Noda", annie, false)
	v := p.visitor(t, desktop)
	v.signsIn(mira, miraSecret)
	v.open("/people")
	v.do(command(input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: "keyDown", Key: "/", Code: "Slash", Text: "/"}))
	if !ask[bool](v, `document.activeElement.type === 'search' && document.activeElement.value === ''`) {
		t.Error("the slash does not lead to the search")
	}
}

// TestTheButtonChangesWithTheState beside it, while the page is open: in the list,
// on a client's own page, and not where somebody is typing.
func TestTheButtonChangesWithTheState(t *testing.T) {
	onBothScreens(t, func(t *testing.T, width int64) {
		p := serve(t)
		her := p.found(t, miraName, mira, miraSecret, riverside)
		annies := her.client("Annie", "Noda", annie, true)
		vinces := her.client("Vince", "Gill", vince, true)
		links := map[string]string{annie: p.link(t, annie, "/join/", 1), vince: p.link(t, vince, "/join/", 1)}
		p.since(t, "UPDATE letter SET state = 'delayed', settled_at = NULL WHERE client_id IS NOT NULL")

		v, page, typing := p.visitor(t, width), p.visitor(t, width), p.visitor(t, width)
		for _, one := range []*visitor{v, page, typing} {
			one.signsIn(mira, miraSecret)
		}
		v.open("/people")
		v.sees("On its way", "Re-Send")
		page.open(annies)
		page.sees("On its way")
		page.until("the button to have the focus", `(document.querySelector('.act-of button').focus(), document.activeElement.textContent.includes('Re-Send'))`)
		typing.open(vinces)
		typing.fill("A line of your own", "See you on Monday")

		p.accept(t, links[annie], annieSecret)
		p.accept(t, links[vince], vinceSecret)
		v.until("both rows to offer a message", `document.querySelectorAll('form[action$="/message"]').length === 2`)
		v.seesNot("Re-Send")
		v.check(200)
		page.until("the page to offer a message", `document.querySelector('form[action$="/message"]')`)
		page.seesNot("Re-Send", "Make a new link", "Withdraw the invitation")
		page.until("the new button to have the focus", `document.activeElement.textContent.includes('Secure Message')`)
		page.check(200)
		typing.until("the state to be told", `document.querySelector('main').textContent.includes('Has an account')`)
		if got := typing.value("A line of your own"); got != "See you on Monday" {
			t.Errorf("what was typed is %q", got)
		}
		typing.goes("Re-Send")
		typing.sees("has an account already", "What you wrote, to copy", "See you on Monday")
		typing.check(409)
	})
}
