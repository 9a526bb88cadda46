package e2e

import (
	"testing"
	"time"
)

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
		v.goes("Access log Vince Gill")
		v.sees("Access log", "Looked at the record", miraName+", Owner", "They look after the client.", "Accepted the invitation")
		v.pictured(200, "trail-access")

		v.open("/settings")
		v.goes("Open Audit trail")
		v.sees("Audit trail", "Looked at a list", "Looked at a record", "Vince Gill")
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
		c.sees("Who looked at my record", miraName+", Practice owner", "They look after you.")
		c.pictured(200, "trail-own")
		if width == phone {
			c.press("More")
			c.until("the sheet to open", `document.querySelector('#more:popover-open')`)
			c.sees("In crisis? Get help now")
			c.pictured(200, "trail-more")
		}

		v.open(vinces + "/end")
		v.goes("End care of Vince Gill")
		c.open("/record/access")
		c.sees("Your access has ended", "Care ended on", riverside, "Your account stays yours.")
		c.pictured(404, "trail-over")
		c.goes("Go to the dashboard")
		c.sees("Nothing is open just now", "If you need help now", "Call 988")
		c.pictured(200, "trail-over-home")
	})
}

// TestAnOwnerSignsForAWeekOfTheTrail sees weeks in numbers, signs for one, and
// both who signs and who comes after them read who it was.
func TestAnOwnerSignsForAWeekOfTheTrail(t *testing.T) {
	onBothScreens(t, func(t *testing.T, width int64) {
		p := serve(t)
		her := p.found(t, miraName, mira, miraSecret, riverside)
		her.post("/settings/team", "name", ondineName, "email", ondine, "member-role", "owner")
		p.joins(t, p.link(t, ondine, "/team/", 1), ondine, ondineSecret)
		p.week(t, 0, 1482, 96, 37, 0, 0)
		p.week(t, 1, 214, 38, 9, 1, 2)
		p.week(t, 2, 3, 2, 0, 0, 0)

		v := p.visitor(t, width)
		v.signsIn(mira, miraSecret)
		v.open("/settings/trail/weeks")
		v.sees("Nobody has reviewed it yet.", "1,482", "Opened in an emergency")
		v.pictured(200, "weeks-before")
		late := p.visitor(t, width)
		late.signsIn(ondine, ondineSecret)
		late.open("/settings/trail/weeks") // the same page, a moment before

		v.goes("I have reviewed this week " + firstWeek)
		v.sees("Reviewed by " + miraName)
		v.pictured(200, "weeks-after")
		late.goes("I have reviewed this week " + firstWeek)
		late.sees("Somebody has signed for that week already.", "Reviewed by "+miraName)
		late.pictured(409, "weeks-twice")
		v.goes("See the entries " + firstWeek)
		v.check(200)
	})
}

// The weeks that a program is given: the first begins on a Monday in New York.
const (
	firstMonday = 1_767_589_200 // 5 January 2026, 0:00
	firstNumber = 2922          // of its week, from the first of 1970
	firstWeek   = "Mon 5 Jan"
)

// week gives the practice the numbers of one week, as the job writes them on the
// Monday after: its tests are those of package trail.
func (p *program) week(t testing.TB, n int64, looks, changes, night, emergencies, exports int) {
	t.Helper()
	from := time.Unix(firstMonday, 0).AddDate(0, 0, int(7*n))
	p.since(t, `INSERT INTO digest (practice_id, week, from_at, to_at, from_seq, to_seq, looks, changes, missed, emergencies, exports, after_hours, own_name)
		SELECT id, ?, ?, ?, 0, 1, ?, ?, 0, ?, ?, ?, 0 FROM practice`,
		firstNumber+n, from.UnixMicro(), from.AddDate(0, 0, 7).UnixMicro(), looks, changes, emergencies, exports, night)
}
