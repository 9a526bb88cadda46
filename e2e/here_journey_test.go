package e2e

import (
	"context"
	"testing"

	"github.com/chromedp/chromedp"
)

// hereSays is what a conversation says of who is here, if it is to be seen.
const hereSays = `(() => { const at = document.getElementById('here'); return at.checkVisibility() ? at.textContent.trim() : ''; })()`

// saves sends the form of choices about messages: a page of an owner has another "Save".
func (v *visitor) saves() {
	v.t.Helper()
	v.loaded(chromedp.Func(func(context.Context, *chromedp.Target) error {
		ask[bool](v, `(document.querySelector('form[action="/settings/messages"] button').click(), true)`)
		return nil
	}))
	v.sees("Saved.")
}

func TestWhoAllowsItIsSeenWhileTheyAreHere(t *testing.T) {
	onBothScreens(t, func(t *testing.T, width int64) {
		p := serve(t)
		her := p.found(t, miraName, mira, miraSecret, riverside)
		her.client("Annie", "Noda", annie, true)
		p.accept(t, p.link(t, annie, "/join/", 1), annieSecret)
		practitioner := p.visitor(t, width)
		practitioner.signsIn(mira, miraSecret)
		practitioner.open("/people")
		practitioner.goes("Secure Message to Annie Noda")
		talk := practitioner.path()
		client := p.visitor(t, width)
		client.signsIn(annie, annieSecret)
		client.open(talk)
		nobody := func(v *visitor, when string) {
			t.Helper()
			if said := ask[string](v, hereSays); said != "" {
				t.Errorf("%s, the page says %q", when, said)
			}
		}
		practitioner.says("Annie Noda", "Hello Annie.")
		client.written(1)
		practitioner.written(1)
		nobody(practitioner, "when nobody has chosen")
		nobody(client, "when nobody has chosen")

		for _, v := range []*visitor{practitioner, client} {
			v.open("/settings/messages")
			v.tick("Show “Here now”")
			v.saves()
			v.check(200)
		}
		practitioner.open(talk)
		practitioner.says("Annie Noda", "Are you there?")
		practitioner.written(2)
		nobody(practitioner, "when she has no page of Messaging open")
		client.open(talk)
		for _, v := range []*visitor{practitioner, client} {
			v.until("that the other is here", hereSays+` === 'Here now'`)
		}
		practitioner.until("that it was said aloud", `document.getElementById('live').textContent === 'Annie Noda. Here now'`)
		practitioner.pictured(200, "messages-here")
		client.check(200)

		client.open("/dashboard") // Messaging is closed
		practitioner.until("that nothing is said", hereSays+` === ''`)
		client.open("/messages") // another page of it
		practitioner.until("that the other is here", hereSays+` === 'Here now'`)
		client.open(talk)
		client.until("that the other is here", hereSays+` === 'Here now'`)

		second := p.visitor(t, width) // with Messaging open, she shows it no more
		second.signsIn(annie, annieSecret)
		second.open("/settings/messages")
		ask[bool](second, `(document.querySelector('[name=here]').click(), true)`)
		second.saves()
		practitioner.until("that nothing is said", hereSays+` === ''`)
		client.until("that nothing is said", hereSays+` === ''`)
		practitioner.open(talk)
		nobody(practitioner, "when she does not show it")
		practitioner.sees("Are you there?")
	})
}
