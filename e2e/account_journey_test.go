package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

func TestAnAccountIsSignedInToMendedAndLeft(t *testing.T) {
	onBothScreens(t, func(t *testing.T, width int64) {
		p := serve(t)
		p.found(t, miraName, mira, miraSecret, riverside).client("Annie", "Noda", annie, false)
		v := p.visitor(t, width)
		forgets(p, v)
		settles(p, v)
		leaves(v)
	})
}

// forgets does not know the password any more.
func forgets(p *program, v *visitor) {
	t := v.t
	t.Helper()
	v.open("/people")
	if got := v.path(); got != "/sign-in" {
		t.Fatalf("a stranger who wants to see the clients is at %s", got)
	}
	v.pictured(200, "account-sign-in")
	v.fill("E-mail", mira)
	v.fill("Password", anotherSecret)
	v.goes("Sign In")
	v.sees("There is a problem")
	if got := v.value("E-mail") + v.value("Password"); got != mira {
		t.Errorf("the form has %q, want the address and no password", got)
	}
	v.pictured(422, "account-sign-in-wrong")
	v.goes("Forgot password?")
	v.pictured(200, "account-forgot")
	v.fill("E-mail", mira)
	v.goes("Send me a link")
	v.check(200)
	link := p.link(t, mira, "/reset/", 1)
	v.open(link)
	v.sees("Choose a new password")
	v.pictured(200, "account-reset")
	v.fill("New password", tooShort)
	v.goes("Save password")
	v.check(422)
	v.fill("New password", anotherSecret)
	v.goes("Save password")
	v.sees("Your new password is saved")
	v.check(200)
	v.open(link)
	v.sees("This link has been used")
	v.check(410)
	v.open("/people")
	v.fill("E-mail", mira)
	v.fill("Password", anotherSecret)
	v.goes("Sign In")
	v.steps(mira)
	if got := v.path(); got != "/people" {
		t.Errorf("signing in leads to %s, want back to where it began", got)
	}
}

// settles changes each setting.
func settles(p *program, v *visitor) {
	t := v.t
	t.Helper()
	v.open("/settings")
	v.pictured(200, "account-settings")

	v.goes("Change Name")
	v.pictured(200, "account-settings-name")
	v.fill("Your name", "")
	v.goes("Save")
	v.check(422)
	v.fill("Your name", "Mira Holloway-Lind")
	v.goes("Save")
	v.sees("Saved.", "Mira Holloway-Lind")

	const next = "mira@lind.practice.example"
	v.goes("Change E-mail")
	v.pictured(200, "account-settings-email")
	v.fill("New e-mail", next)
	v.fill("Current password", miraSecret)
	v.goes("Send the link")
	v.check(422)
	v.fill("Current password", anotherSecret)
	v.goes("Send the link")
	v.check(200)
	v.open(p.link(t, next, "/email/", 1))
	v.sees("Confirm your new address", next)
	v.pictured(200, "account-email-confirm")
	v.goes("Confirm")
	v.check(200)
	back := p.link(t, mira, "/email-back/", 1)
	v.open("/settings")
	v.sees(next)
	v.open(back)
	v.sees("Take the change back?")
	v.check(200)

	v.open("/settings/zone")
	v.pictured(200, "account-settings-zone")
	v.choose("Time zone", "Europe/London")
	v.goes("Save")
	v.sees("Saved.", "London")

	v.open("/settings/password")
	v.pictured(200, "account-settings-password")
	v.fill("Current password", anotherSecret)
	v.fill("New password", tooShort)
	v.goes("Save password")
	v.check(422)
	v.fill("Current password", anotherSecret)
	v.fill("New password", miraSecret)
	v.goes("Save password")
	v.sees("Saved.")

	v.open("/settings/practice")
	v.pictured(200, "account-settings-practice")
	v.open("/settings/idle")
	v.pictured(200, "account-settings-idle")
	v.open("/settings/leave")
	v.pictured(200, "account-settings-leave")
	v.open("/help")
	v.pictured(200, "account-help")
	v.open("/crisis")
	v.pictured(200, "account-crisis")
	v.open("/nowhere")
	v.sees("We cannot find that page")
	v.pictured(404, "account-nowhere")
}

// leaves signs out; what was seen before is not to be seen again.
func leaves(v *visitor) {
	t := v.t
	t.Helper()
	v.open("/people")
	v.sees("Annie Noda")
	if v.width == phone {
		v.press("More")
		v.until("the sheet to open", `document.querySelector('#more:popover-open')`)
		v.pictured(200, "people-more")
	}
	v.goes("Sign out")
	v.sees("You are signed out")
	v.pictured(200, "account-signed-out")
	v.do(chromedp.NavigateBack())
	v.until("a page to be there", `document.readyState === 'complete'`)
	if got := v.path(); got != "/sign-in" {
		t.Errorf("back after signing out leads to %s", got)
	}
	if text := v.text(); strings.Contains(text, "Annie") || strings.Contains(text, "Mira") || strings.Contains(text, riverside) {
		t.Errorf("back after signing out shows %s", text)
	}
}
