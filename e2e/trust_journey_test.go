package e2e

import (
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the database of the program, whose clock nobody can turn
)

const (
	ondine, ondineName = "ondine@practice.example", "Ondine Reed"
	ondineSecret       = "copper weathervane facing the harbor"
	gretaSecret        = "a green gate behind the orchard"
)

// since changes what the program has noted, as if time had passed.
func (p *program) since(t testing.TB, change string, args ...any) {
	t.Helper()
	own, err := sql.Open("sqlite", "file:"+filepath.Join(p.data, "icouch.db")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	if _, err := own.ExecContext(t.Context(), change, args...); err != nil {
		t.Fatal(err)
	}
}

// TestTwoOwnersBringAColleagueBackIn is the way back of somebody who has lost
// everything but the password: one owner asks, another approves, and the link
// works with the password.
func TestTwoOwnersBringAColleagueBackIn(t *testing.T) {
	onBothScreens(t, func(t *testing.T, width int64) {
		p := serve(t)
		her := p.found(t, miraName, mira, miraSecret, riverside)
		her.post("/settings/team", "name", nilsName, "email", nils, "member-role", "practitioner")
		her.post("/settings/team", "name", ondineName, "email", ondine, "member-role", "owner")
		p.joins(t, p.link(t, nils, "/team/", 1), nils, nilsSecret)
		p.joins(t, p.link(t, ondine, "/team/", 1), ondine, ondineSecret)
		weekAgo := time.Now().Add(-8 * 24 * time.Hour).UnixMicro()
		p.since(t, "UPDATE practitioner SET created_at = ?", weekAgo)

		v := p.visitor(t, width)
		v.signsIn(mira, miraSecret)
		v.open("/settings/team")
		v.goes(nilsName)
		nilsPage := v.path()
		v.press("Has lost every way to sign in")
		v.pictured(200, "recovery-ask")
		v.fill("How you know that it is them", "He came by, and I know his voice")
		v.goes("Ask another owner to approve")
		v.sees("is said to have lost every way to sign in")
		v.seesNot("Approve for")
		v.check(200)

		o := p.visitor(t, width)
		o.signsIn(ondine, ondineSecret)
		o.open(nilsPage)
		o.sees("is said to have lost every way to sign in", miraName)
		o.pictured(200, "recovery-approve")
		o.goes("Approve for " + nilsName)
		o.check(200)
		link := p.link(t, nils, "/recovered/", 1)

		n := p.visitor(t, width)
		n.open(link)
		n.pictured(200, "recovery-link")
		n.fill("E-mail", nils)
		n.fill("Password", tooShort)
		n.goes("Take the lost second step away")
		n.check(422)
		n.fill("E-mail", nils)
		n.fill("Password", nilsSecret)
		n.goes("Take the lost second step away")
		n.sees("second step")
		n.pictured(200, "recovery-anew")
		n.open(link)
		n.sees("used")
		n.pictured(410, "recovery-over")
	})
}

// TestAGuardianComesInAndSeesWhatWasGiven goes the whole way of somebody who acts
// for a client: invited, signed up, seeing exactly what was given, until the last
// day is over.
func TestAGuardianComesInAndSeesWhatWasGiven(t *testing.T) {
	onBothScreens(t, func(t *testing.T, width int64) {
		p := serve(t)
		her := p.found(t, miraName, mira, miraSecret, riverside)
		annies := her.client("Annie", "Noda", annie, false)

		v := p.visitor(t, width)
		v.signsIn(mira, miraSecret)
		v.open(annies + "/contacts/new")
		v.fill("Name", "Greta Noda")
		v.choose("Relationship to the client", "parent")
		v.fill("E-mail", greta)
		v.tick("Appointments")
		v.tick("Invoices")
		v.fill("Why they may act for the client", "Parental responsibility")
		v.day("Last day", inDays(365))
		v.pictured(200, "guardian-new")
		v.goes("Add the contact")
		v.goes("Invite")
		v.sees("Greta Noda")
		link := p.link(t, greta, "/contact/", 1)
		v.open(v.path() + "?said=invited") // the letter has gone now, and the page says so
		v.sees("Sent today")
		v.pictured(200, "guardian-noted")

		g := p.visitor(t, width)
		g.open(link)
		g.seesNot("Annie")
		g.pictured(200, "guardian-join")
		g.fill("Choose a password", gretaSecret)
		g.goes("Sign Up")
		g.check(200)
		g.goes("Continue")
		g.sees("For Annie Noda", riverside)
		g.seesNot("People")
		g.pictured(200, "guardian-home")
		for _, page := range []string{"/settings", "/places", "/settings/name"} {
			g.open(page)
			g.check(200)
		}
		for _, page := range []string{"/people", annies, "/record/access", "/access"} {
			g.open(page)
			g.check(404)
		}

		p.since(t, "UPDATE contact SET ends_at = ?", time.Now().UnixMicro())
		wait(t, "the last day to be over", func() bool {
			g.open("/dashboard")
			return contains(g.text(), "Nothing is open just now")
		})
		g.seesNot("Annie")
		g.pictured(200, "guardian-over")
	})
}

// TestAPracticeThatClosesIsCalmAboutIt has an owner set the last day, a client
// read of it, and both come after it.
func TestAPracticeThatClosesIsCalmAboutIt(t *testing.T) {
	onBothScreens(t, func(t *testing.T, width int64) {
		p := serve(t)
		her := p.found(t, miraName, mira, miraSecret, riverside)
		her.client("Annie", "Noda", annie, true)
		p.accept(t, p.link(t, annie, "/join/", 1), annieSecret)

		v := p.visitor(t, width)
		v.signsIn(mira, miraSecret)
		v.open("/settings/practice")
		v.goes("Close the practice")
		v.sees("What closes", "What stays")
		v.pictured(200, "close-choose")
		v.day("Last day of the practice", inDays(45))
		v.goes("Close the practice after that day")
		v.sees("The last day is set")
		v.check(200)
		v.open("/dashboard")
		v.check(200)
		p.letter(t, annie, "closes on")

		c := p.visitor(t, width)
		c.signsIn(annie, annieSecret)
		c.sees("closes on", "Save what you want to keep")
		c.check(200)

		p.since(t, "UPDATE practice SET closes_at = ?", time.Now().UnixMicro())
		for _, one := range []*visitor{c, v} {
			wait(t, "the last day to be over", func() bool {
				one.open("/dashboard")
				return contains(one.text(), "This practice has closed")
			})
		}
		c.pictured(200, "close-client")
		v.pictured(200, "close-member")
		v.open("/people")
		v.check(404)
	})
}

// letter waits for one to an address that has some words in it.
func (p *program) letter(t testing.TB, to, words string) {
	t.Helper()
	wait(t, "a letter to "+to, func() bool {
		for _, l := range p.letters(t, to) {
			if contains(l, words) {
				return true
			}
		}
		return false
	})
}
