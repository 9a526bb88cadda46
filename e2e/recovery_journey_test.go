package e2e

import "testing"

// TestSupportBringsBackWhoseOwnersCannot is the way back of somebody in a practice
// with one owner: they write, one supporter asks, another approves, the link works
// with the password, and everybody concerned has a letter of each step.
func TestSupportBringsBackWhoseOwnersCannot(t *testing.T) {
	onBothScreens(t, func(t *testing.T, width int64) {
		p := serve(t)
		her := p.found(t, miraName, mira, miraSecret, riverside)
		her.client("Annie", "Noda", annie, false)
		her.post("/settings/team", "name", nilsName, "email", nils, "member-role", "practitioner")
		p.joins(t, p.link(t, nils, "/team/", 1), nils, nilsSecret)
		p.supports(t, ines, inesSecret)
		p.supports(t, ondine, ondineSecret)

		n := p.visitor(t, width)
		n.open("/sign-in")
		n.fill("E-mail", nils)
		n.fill("Password", nilsSecret)
		n.goes("Sign In")
		n.press("Lost your phone or passkey?")
		n.sees("If you work in a practice, ask an owner of it")
		n.pictured(200, "recovery-lost")
		n.goes("Still Need Help?")
		n.fill("E-mail", nils)
		n.fill("What happened", "I have lost my telephone, and the recovery codes with it.")
		n.goes("Send")
		p.letter(t, "support@example.com", "lost my telephone")

		v := p.visitor(t, width)
		v.signsIn(mira, miraSecret)
		v.open("/settings/team")
		v.goes(nilsName)
		v.sees("Another owner has to approve this, and this practice has no other owner")
		v.check(200)

		s := p.supporter(t, width, ines, inesSecret)
		s.fill("E-mail address of the account", nils)
		s.goes("Find")
		s.seesNot(nilsName, "Noda", riverside)
		s.goes("Ask another supporter to approve")
		s.sees("Say how you know that it is them")
		s.pictured(422, "recovery-support-wrong")
		s.fill("How you know that it is them", "He called back on the number of the practice.")
		s.goes("Ask another supporter to approve")
		s.sees("Waiting for approval", "You asked for this", nils)
		s.seesNot("Approve")
		s.pictured(200, "recovery-support-asked")
		at := s.path()
		s.open("/support")
		s.pictured(200, "recovery-support-list")
		p.letter(t, nils, "Nothing has changed so far")
		p.letter(t, mira, "is said to have lost every way to sign in")

		o := p.supporter(t, width, ondine, ondineSecret)
		o.goes("Open the request for " + nils)
		o.pictured(200, "recovery-support-approve")
		o.goes("Approve")
		o.sees("Approved, not used yet", "They were signed out everywhere")
		o.pictured(200, "recovery-support-approved")
		p.letter(t, mira, "sets up a new second step")
		for _, page := range []string{at, "/support"} { // to nobody but support
			v.open(page)
			v.check(404)
		}

		link := p.link(t, nils, "/recovered/", 1)
		n.open(link)
		n.sees("Two people have vouched for you")
		n.fill("E-mail", nils)
		n.fill("Password", nilsSecret)
		n.goes("Take the lost second step away")
		n.open("/people")
		n.sees("Set up a second step") // and nobody's record before
		n.open(link)
		n.sees("used")
		n.check(410)
		p.letter(t, mira, "was used together with their password")

		o.open(at)
		o.sees("Done")
		o.seesNot("Withdraw the request")
		o.pictured(200, "recovery-support-done")
	})
}

// TestWhatSupportAskedForIsTakenBack, after it was approved: the link no longer
// works, and the page says what is so.
func TestWhatSupportAskedForIsTakenBack(t *testing.T) {
	onBothScreens(t, func(t *testing.T, width int64) {
		p := serve(t)
		p.found(t, miraName, mira, miraSecret, riverside)
		p.supports(t, ines, inesSecret)
		p.supports(t, ondine, ondineSecret)

		s := p.supporter(t, width, ines, inesSecret)
		s.fill("E-mail address of the account", mira)
		s.goes("Find")
		s.fill("How you know that it is them", "She came by with her passport.")
		s.goes("Ask another supporter to approve")
		at := s.path()
		s.open("/support")
		s.fill("E-mail address of the account", mira)
		s.goes("Find")
		s.fill("How you know that it is them", "She called once more.")
		s.goes("Ask another supporter to approve")
		s.pictured(409, "recovery-support-twice")

		o := p.supporter(t, width, ondine, ondineSecret)
		o.open(at)
		o.goes("Approve")
		link := p.link(t, mira, "/recovered/", 1)
		s.open(at)
		s.goes("Withdraw the request")
		s.sees("Withdrawn", "Their second step is as it was")
		s.pictured(200, "recovery-support-back")
		p.letter(t, mira, "was taken back")

		v := p.visitor(t, width)
		v.open(link)
		v.sees("This link")
		v.pictured(410, "recovery-withdrawn")
		v.signsIn(mira, miraSecret) // as before
		v.check(200)
	})
}

// supporter is one of those in support, at their console.
func (p *program) supporter(t *testing.T, width int64, address, secret string) *visitor {
	t.Helper()
	v := p.visitor(t, width)
	v.signsIn(address, secret)
	v.open("/places")
	v.goes("Open Support")
	v.open("/support")
	return v
}
