package e2e

import (
	"os/exec"
	"regexp"
	"testing"
)

const (
	nils, nilsName = "nils@practice.example", "Nils Marsh"
	nilsSecret     = "a wooden bridge across the weir"
	greta          = "greta@example.com"
)

var memberHref = regexp.MustCompile(`href="/settings/team/([0-9a-f-]{36})"`)

// TestEveryRoomOfTheOfficeIsInOrder opens each page of Settings, of the people
// who work here, of a client's contacts and of support, as whoever it is for.
func TestEveryRoomOfTheOfficeIsInOrder(t *testing.T) {
	onBothScreens(t, func(t *testing.T, width int64) {
		p := serve(t)
		her := p.found(t, miraName, mira, miraSecret, riverside)
		annies := her.client("Annie", "Noda", annie, true)
		her.post("/settings/team", "name", nilsName, "email", nils, "member-role", "practitioner")
		p.joins(t, p.link(t, nils, "/team/", 1), nils, nilsSecret)
		p.accept(t, p.link(t, annie, "/join/", 1), annieSecret)

		v := p.visitor(t, width)
		v.signsIn(mira, miraSecret)
		v.open(annies + "/contacts/new")
		v.check(200)
		v.fill("Name", "Greta Noda")
		v.choose("Relationship to the client", "partner")
		v.fill("E-mail", greta)
		v.tick("Appointments")
		v.fill("Why they may act for the client", "Lasting power of attorney")
		v.day("Last day", inDays(365))
		v.goes("Add the contact")
		v.sees("Greta Noda")
		v.check(200)
		for _, page := range []string{"/settings", "/settings/name", "/settings/zone", "/settings/password", "/settings/practice", "/settings/idle", "/settings/team/new", "/settings/team/emergencies", "/settings/leave",
			"/settings/authenticator", "/settings/authenticator/removal", "/settings/recovery-codes", "/settings/trail", "/settings/trail/weeks", annies, annies + "/age", annies + "/access", annies + "/edit"} {
			v.open(page)
			v.check(200)
		}
		v.open("/settings/team")
		v.sees(nilsName, "Practitioner")
		v.pictured(200, "office-team")
		for _, m := range memberHref.FindAllStringSubmatch(her.get("/settings/team"), -1) {
			v.open("/settings/team/" + m[1])
			v.check(200)
		}

		n := p.visitor(t, width)
		n.signsIn(nils, nilsSecret)
		n.open("/people/emergency")
		n.pictured(200, "office-emergency")
		n.fill("Full name or e-mail", annie)
		n.fill("Why now?", "She called, and Mira cannot be reached")
		n.goes("Open the record")
		n.sees("Annie Noda")
		n.pictured(200, "office-opened")

		c := p.visitor(t, width)
		c.signsIn(annie, annieSecret)
		for _, page := range []string{"/settings", "/access", "/record/access", "/settings/leave", "/settings/second-step", "/settings/name"} {
			c.open(page)
			c.check(200)
		}

		p.supports(t, ines, inesSecret)
		s := p.visitor(t, width)
		s.signsIn(ines, inesSecret)
		s.open("/places")
		s.goes("Open Support")
		s.open("/support")
		s.pictured(200, "office-support")
		s.fill("E-mail address of the account", mira)
		s.goes("Find")
		s.sees("1 client")
		s.seesNot("Annie", "Noda")
		s.check(200)
	})
}

// TestAWrongDoorIsPutRight goes the whole way of a client who made a practice by
// mistake: support finds the account in numbers, she says yes, another supporter
// approves, and what is left is a client.
func TestAWrongDoorIsPutRight(t *testing.T) {
	onBothScreens(t, func(t *testing.T, width int64) {
		p := serve(t)
		her := p.found(t, miraName, mira, miraSecret, riverside)
		p.found(t, "Annie Noda", annie, annieSecret, "A place of my own")
		her.client("Annie", "Noda", annie, true)
		p.supports(t, ines, inesSecret)
		p.supports(t, ondine, ondineSecret)

		s := p.visitor(t, width)
		s.signsIn(ines, inesSecret)
		s.open("/places")
		s.goes("Open Support")
		s.open("/support")
		s.fill("E-mail address of the account", annie)
		s.goes("Find")
		s.seesNot("Noda", "A place of my own", miraName)
		s.pictured(200, "support-account")
		s.fill("Reason", "She called from the number on record.")
		s.goes("Convert to client account")
		s.sees("Waiting for the account holder")
		s.pictured(200, "support-request")
		at := s.path()

		link := p.link(t, annie, "/convert/", 1)
		c := p.visitor(t, width)
		c.open(link)
		c.sees("To say yes, sign in first")
		c.pictured(200, "convert-sign-in")
		c.signsIn(annie, annieSecret)
		c.open(link)
		c.pictured(200, "convert-choose")
		c.fill("Current password", annieSecret)
		c.goes("Yes, make it a client’s account")
		c.sees("You have confirmed")
		c.check(200)

		o := p.visitor(t, width)
		o.signsIn(ondine, ondineSecret)
		o.open("/places")
		o.goes("Open Support")
		o.open(at)
		o.pictured(200, "support-approve")
		o.goes("Approve")
		o.sees("Done.")
		o.check(200)
		c.open(link)
		c.sees("Your account is put right")
		c.check(410)
	})
}

// joins has a colleague come in by their link, with an authenticator.
func (p *program) joins(t testing.TB, link, address, secret string) {
	t.Helper()
	h := p.hand(t)
	h.post(link, "password", secret)
	h.arm(address)
	h.post("/welcome", "zone", newYork)
}

// supports has somebody who works in no practice made a supporter, as an
// operator does it.
func (p *program) supports(t testing.TB, address, secret string) *hand {
	t.Helper()
	h := p.hand(t)
	h.post("/sign-up", "name", inesName, "email", address)
	h.post(p.link(t, address, "/confirm/", 1), "password", secret)
	h.arm(address)
	is, err := theHouse()
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(is.program, "support", "add", address, "--data", p.data).CombinedOutput(); err != nil {
		t.Fatalf("support add: %v\n%s", err, out)
	}
	return h
}
