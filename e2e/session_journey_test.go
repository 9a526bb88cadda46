package e2e

import (
	"strings"
	"testing"
)

// An hour cannot be waited for, and the server's clock is its own: the page's is
// moved, and what it would send at the end is caught.
const later = `(Date.later = 0, Date.now = (now => () => now() + Date.later)(Date.now.bind(Date)), true)`

func TestAPageAsksBeforeItSignsOutAndHandsOverWhatWasTyped(t *testing.T) {
	onBothScreens(t, func(t *testing.T, width int64) {
		p := serve(t)
		p.found(t, miraName, mira, miraSecret, riverside)
		v := p.visitor(t, width)
		v.signsIn(mira, miraSecret)

		v.open("/settings/devices")
		v.sees("This device", "Chrome on Linux")
		v.pictured(200, "account-devices")
		v.open("/settings/idle")
		v.check(200)

		v.open("/people/new")
		v.fill("First name", "Rashida")
		ask[bool](v, later)
		ask[bool](v, `(Date.later = 12.5 * 60000, true)`)
		v.until("the page to ask", `document.getElementById('still-there').open`)
		v.pictured(200, "account-still-there")
		v.press("Stay signed in")
		v.until("the question to go", `!document.getElementById('still-there').open`)
		if got := v.value("First name"); got != "Rashida" {
			t.Errorf("the form has %q after the question", got)
		}

		ask[bool](v, `(fetch = (to, how) => { document.sent = to + ' ' + (how.body ?? ''); return new Promise(() => {}); }, Date.later = 60 * 60000, true)`)
		v.until("the page to hand over", `document.sent?.startsWith('/session/over')`)
		sent := ask[string](v, `document.sent`)
		if !strings.Contains(sent, "first=Rashida") || !strings.Contains(sent, "kept-for=%2Fpeople") {
			t.Errorf("the page sent %q", sent)
		}
	})
}
