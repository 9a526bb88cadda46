package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// answered forgets that the browser complained of answers with a status that
// the journey asked for, and fails for whatever else it complained of.
func (v *visitor) answered(status int) {
	v.t.Helper()
	for _, wrong := range v.complaints(status) {
		v.t.Error(wrong)
	}
}

// once fails unless words stand in a conversation one time.
func (v *visitor) once(words string) {
	v.t.Helper()
	if n := strings.Count(ask[string](v, `document.getElementById('bubbles').innerText`), words); n != 1 {
		v.t.Errorf("%q stands on the page %d times\n%s", words, n, v.where())
	}
}

// two are a practitioner and a client with a conversation open.
func (p *program) two(t *testing.T, width int64) (practitioner, client *visitor) {
	t.Helper()
	her := p.found(t, miraName, mira, miraSecret, riverside)
	at := her.client("Annie", "Noda", annie, true)
	p.accept(t, p.link(t, annie, "/join/", 1), annieSecret)
	talk := her.post(at + "/message")
	practitioner, client = p.visitor(t, width), p.visitor(t, width)
	practitioner.signsIn(mira, miraSecret)
	practitioner.open(talk)
	client.signsIn(annie, annieSecret)
	client.open(talk)
	return practitioner, client
}

// Whoever writes too much is told so, and nothing of it is lost: it goes by
// itself, when somebody says so, or from the draft of a page that was closed.
func TestTooManyMessagesWait(t *testing.T) {
	onBothScreens(t, func(t *testing.T, width int64) {
		p := serve(t, "--messages", "2")
		practitioner, client := p.two(t, width)
		to := "Message to " + miraName
		began := time.Now()
		for n, words := range []string{"One.", "Two.", "Three.", "Four."} { // each when the one before is where it stays: it moves what is below it
			client.says(miraName, words)
			client.until("that it is there", fmt.Sprintf(`document.querySelectorAll('#bubbles .bubble:not(.waiting)').length === %d && document.querySelectorAll('.waiting').length === %d`, min(n+1, 2), max(n-1, 0)))
		}
		client.until("that the third waits", `document.querySelector('.waiting')?.textContent.includes('very many messages in a short time')`)
		client.sees("Goes after the message above.")
		client.until("that what waits is kept", `!document.querySelector('[data-saved]').hidden`)
		client.fill(to, "I go on typing")
		client.until("that it is kept, too", `!document.querySelector('[data-saved]').hidden`)
		client.answered(429)
		client.pictured(200, "messages-waiting")
		client.press("Try again") // too early
		client.until("that it waits again", `document.querySelector('.waiting button')`)
		if got := client.value(to); got != "I go on typing" {
			t.Errorf("the composer holds %q", got)
		}
		practitioner.written(2)
		refused := len(p.log.lines(`status=429`))
		if most := 2 + int(time.Since(began)/(20*time.Second)); refused > most {
			t.Errorf("it was refused %d times, want %d at most: nothing hurries it", refused, most)
		}

		// The page is closed, and comes back with all of it.
		client.open(client.path())
		if got := client.value(to); got != "Three.\n\nFour.\n\nI go on typing" {
			t.Errorf("the composer holds %q", got)
		}
		client.fill(to, "")
		for _, words := range []string{"Three.", "Four."} {
			client.says(miraName, words)
			client.until("that it waits", `document.querySelector('.waiting button')`) // and nothing moves under the next press
		}
		p.since(t, "DELETE FROM tally")
		client.press("Try again")
		practitioner.written(4)
		client.written(4)
		for _, words := range []string{"One.", "Two.", "Three.", "Four."} {
			practitioner.once(words)
			client.once(words)
		}
		if !ask[bool](client, `document.activeElement === document.getElementById('f-body')`) {
			t.Error("after “Try again” the focus is nowhere")
		}
		client.until("that no draft is left", `document.querySelector('[data-saved]').hidden`)
		client.answered(429)
		client.open(client.path())
		if got := client.value(to); got != "" {
			t.Errorf("what was sent is still a draft: %q", got)
		}

		plain := p.visitor(t, width).withoutScripts()
		plain.signsIn(annie, annieSecret)
		plain.open(client.path())
		plain.fill(to, "By a form.")
		plain.goes("Send")
		plain.sees("You have written very many messages in a short time.")
		if got := plain.value(to); got != "By a form." {
			t.Errorf("without script the composer holds %q", got)
		}
		plain.check(429)
		p.since(t, "DELETE FROM tally")
		plain.goes("Send")
		practitioner.written(5)
		practitioner.once("By a form.")
	})
}

// A page that was opened twice, or gone back to, has an identifier under which
// something was sent already: other words are another message, and not lost.
func TestWhatIsSentFromAnOldPageIsNotLost(t *testing.T) {
	onBothScreens(t, func(t *testing.T, width int64) {
		p := serve(t)
		practitioner, client := p.two(t, width)
		to := "Message to " + miraName
		client.says(miraName, "From the first window.")
		practitioner.written(1)
		client.until("that it arrived", theirTalk+` === 1`)
		ask[bool](client, oldPage)
		client.fill(to, "From the second.")
		client.goes("Send")
		client.sees("A message was sent from this page before")
		if got := client.value(to); got != "From the second." {
			t.Errorf("the composer holds %q", got)
		}
		client.answered(409)
		client.pictured(409, "messages-old-page")
		client.press("Send")
		practitioner.written(2)
		practitioner.once("From the second.")

		plain := p.visitor(t, width).withoutScripts()
		plain.signsIn(annie, annieSecret)
		plain.open(client.path())
		ask[bool](plain, oldPage)
		plain.fill(to, "By a form.")
		plain.goes("Send")
		plain.sees("A message was sent from this page before")
		plain.check(409)
		plain.goes("Send")
		practitioner.written(3)
		practitioner.once("By a form.")
	})
}

// oldPage makes a page one from which the first message was sent.
const oldPage = `!!(document.querySelector('[data-composer]').elements.message.value = document.querySelector('[data-message]').dataset.message)`
