package e2e

import "testing"

func TestAClientSeesWhoLookedAndThePracticeReadsItsTrail(t *testing.T) {
	onBothScreens(t, func(t *testing.T, width int64) {
		p := serve(t)
		her := p.found(t, miraName, mira, miraSecret, riverside)
		vinces := her.client("Vince", "Gill", vince, true)
		p.accept(t, p.link(t, vince, "/join/", 1), vinceSecret)

		v := p.visitor(t, width)
		v.signsIn(mira, miraSecret)
		v.open("/people")
		v.open(vinces)
		v.goes("Access Vince Gill")
		v.sees("Access", "Looked at the record", miraName+", Owner", "They look after the client.", "Accepted the invitation")
		v.pictured(200, "trail-access")

		v.open("/settings")
		v.goes("Open Trail")
		v.sees("Trail", "Looked at a list", "Looked at a record", "Vince Gill")
		v.pictured(200, "trail-practice")
		v.press("Choose what to see")
		v.choose("What", "exports")
		v.goes("Show")
		v.sees("Nothing in these dates")
		v.pictured(200, "trail-none")
		v.goes("Weeks to review")
		v.sees("No week to review yet")
		v.pictured(200, "trail-weeks")

		c := p.visitor(t, width)
		c.signsIn(vince, vinceSecret)
		c.open("/settings")
		c.goes("Open Who looked at my record")
		c.sees("Who looked at my record", miraName+", Owner", "They look after you.")
		c.pictured(200, "trail-own")
	})
}
