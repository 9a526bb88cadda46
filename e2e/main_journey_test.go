package e2e

import (
	"strings"
	"testing"
)

func TestAPractitionerInvitesAndAClientComesIn(t *testing.T) {
	onBothScreens(t, func(t *testing.T, width int64) {
		p := serve(t)
		invites(p, p.visitor(t, width), p.visitor(t, width))
	})
}

func TestAPractitionerInvitesAndAClientComesInByKeyboard(t *testing.T) {
	t.Parallel()
	p := serve(t)
	invites(p, p.visitor(t, desktop).byKeyboard(), p.visitor(t, desktop).byKeyboard())
}

// invites is the heart of it: from the practitioner's sign-up to the client's
// own place.
func invites(p *program, her, client *visitor) {
	t := her.t
	t.Helper()
	signsUp(p, her)
	her.sees("First Steps", "Create your practice")
	her.pictured(200, "invite-dashboard")
	her.goes("People")
	her.sees("No clients yet")
	her.pictured(200, "people-empty")

	her.goes("New Client")
	her.check(200)
	her.fill("First name", "Annie")
	her.fill("Last name", "Noda")
	her.fill("E-mail", annie)
	her.tick("Consents to Email Notifications")
	her.tick("Invite to iCouch")
	her.pictured(200, "invite-new-client")
	her.goes("Create")
	her.sees("Invited. We are sending the letter.", "Annie Noda")
	her.until("what came of the letter, on the page as it is", `!document.querySelector('[data-awaits]') && document.querySelector('#invitation').textContent.includes('Sent ')`)
	her.check(200)
	link := p.link(t, annie, "/join/", 1)

	her.goes("People")
	her.sees("Re-Send Annie Noda")
	her.pictured(200, "invite-list")

	client.open(link)
	client.sees("Create your account", "Annie Noda", miraName, riverside)
	if got := client.value("E-mail"); got != annie {
		t.Errorf("the e-mail is %q", got)
	}
	if open := ask[int](client, `[...document.querySelectorAll('main input:not([type=hidden])')].filter(i => !i.readOnly).length`); open != 1 {
		t.Errorf("%d fields can be filled in, want the password alone", open)
	}
	client.pictured(200, "invite-join")

	client.fill("Choose a password", tooShort)
	client.goes("Sign Up")
	client.sees("There is a problem")
	if !ask[bool](client, `document.activeElement.matches('[data-problems]')`) {
		t.Error("the focus is not at the problems")
	}
	if client.base+client.path() != link {
		t.Errorf("a password that is too short leads to %s", client.path())
	}
	client.pictured(422, "invite-join-wrong")

	client.fill("Choose a password", annieSecret)
	client.goes("Sign Up")
	client.sees("Your time zone")
	if got := client.value("Time zone"); got != newYork {
		t.Errorf("the time zone guessed is %q", got)
	}
	client.pictured(200, "invite-welcome")
	client.goes("Continue")
	client.sees("How to reach "+miraName, riverside)
	client.pictured(200, "invite-client-home")

	her.open("/people")
	her.sees("Has an account", "Secure Message to Annie Noda")
	her.seesNot("Re-Send")
	her.check(200)
}

// signsUp goes from the door to a practice of her own.
func signsUp(p *program, her *visitor) {
	t := her.t
	t.Helper()
	her.open("/")
	her.pictured(200, "invite-front")
	her.goes("Practitioner Sign Up")
	her.sees("This page is for practitioners.", "Are you a client?")
	her.pictured(200, "invite-sign-up")
	her.goes("Create my practice")
	her.sees("There is a problem")
	her.pictured(422, "invite-sign-up-wrong")
	her.fill("Your name", miraName)
	her.fill("E-mail", mira)
	her.goes("Create my practice")
	her.sees("Check your e-mail")
	her.pictured(200, "invite-check-mail")

	her.open(p.link(t, mira, "/confirm/", 1))
	her.sees("Choose a password", miraName)
	her.pictured(200, "invite-confirm")
	her.fill("Password", miraSecret)
	her.goes("Confirm")
	her.sees("Your practice")
	her.pictured(200, "invite-practice")
	her.fill("Name of the practice", riverside)
	her.choose("Time zone", newYork)
	her.goes("Create my practice")
	if got := her.path(); got != "/settings/second-step" {
		t.Fatalf("a new practice leads to %s", got)
	}
	her.sees("Set up a second step")
	her.pictured(200, "invite-second-step")
	her.goes("Set up an authenticator app")
	her.check(200) // with a secret that is another every time: no picture is kept
	key := ask[string](her, `document.getElementById('key').textContent`)
	her.fill("Code", "12")
	her.goes("Confirm")
	her.sees("There is a problem")
	her.check(422)
	her.fill("Code", p.app(mira, key).early(t))
	her.goes("Confirm")
	her.check(200)
	her.goes("Show my new recovery codes")
	her.sees("shown this once")
	her.check(200) // with a secret that is another every time: no picture is kept
	her.goes("I have saved them")
	if got := her.path(); !strings.HasPrefix(got, "/dashboard") {
		t.Fatalf("a second step leads to %s", got)
	}
}

func TestSigningUpAndInWorksWithoutScripts(t *testing.T) {
	onBothScreens(t, func(t *testing.T, width int64) {
		p := serve(t)
		her, client := p.visitor(t, width).inTheDark().withoutScripts(), p.visitor(t, width).inTheDark().withoutScripts()
		signsUp(p, her)
		her.goes("New Client")
		her.fill("First name", "Annie")
		her.fill("Last name", "Noda")
		her.fill("E-mail", annie)
		her.tick("Consents to Email Notifications")
		her.tick("Invite to iCouch")
		her.goes("Create")

		client.open(p.link(t, annie, "/join/", 1))
		client.check(200)
		client.fill("Choose a password", tooShort)
		client.goes("Sign Up")
		client.check(422)
		client.fill("Choose a password", annieSecret)
		client.goes("Sign Up")
		client.check(200)
		client.goes("Continue")
		client.sees("How to reach " + miraName)
		client.check(200)

		her.open("/people")
		her.check(200)
		her.fill("Search by name or e-mail", "nod")
		her.goes("Search")
		her.sees("1 person", "Secure Message to Annie Noda")
		her.check(200)
		her.tick("Choose Annie Noda")
		if width == phone {
			her.press("More")
		}
		her.goes("Sign out")
		her.sees("You are signed out")
		her.check(200)
		her.signsIn(mira, miraSecret)
		her.sees("Nothing needs you right now.") // all five of the First Steps are done
		her.check(200)
	})
}
