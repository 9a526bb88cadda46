package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

const theirTalk = `document.querySelectorAll('.bubble:not(.waiting)').length`

// written waits until a page shows so many messages.
func (v *visitor) written(n int) {
	v.t.Helper()
	v.until(fmt.Sprintf("%d messages on the page", n), fmt.Sprintf("%s === %d", theirTalk, n))
}

// says writes a message as a person does.
func (v *visitor) says(to, words string) {
	v.t.Helper()
	v.fill("Message to "+to, words)
	v.press("Send")
}

// connected takes the connection away, or gives it back.
func (v *visitor) connected(yes bool) {
	v.t.Helper()
	v.mu.Lock()
	v.cut = true
	v.mu.Unlock()
	v.do(command(network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{MatchedNetworkConditions: []*network.Conditions{{Offline: !yes, DownloadThroughput: -1, UploadThroughput: -1}}}))
}

func TestTwoPeopleWriteToEachOther(t *testing.T) {
	onBothScreens(t, func(t *testing.T, width int64) {
		p := serve(t)
		her := p.found(t, miraName, mira, miraSecret, riverside)
		her.client("Annie", "Noda", annie, true)
		p.accept(t, p.link(t, annie, "/join/", 1), annieSecret)

		practitioner := p.visitor(t, width)
		practitioner.signsIn(mira, miraSecret)
		practitioner.open("/messages")
		practitioner.sees("No conversations yet")
		practitioner.pictured(200, "messages-none")
		practitioner.goes("New Conversation")
		practitioner.sees("To", "Annie Noda")
		practitioner.check(200)
		practitioner.open("/people")
		practitioner.goes("Secure Message to Annie Noda")
		practitioner.sees("Not for emergencies", "Write the first message")
		practitioner.check(200)
		practitioner.says("Annie Noda", "Hello Annie. How was the *week*?")
		practitioner.written(1)

		client := p.visitor(t, width)
		client.signsIn(annie, annieSecret)
		client.sees("Messaging")
		client.open("/messages")
		client.sees(miraName, "Hello Annie.", "1")
		client.pictured(200, "messages-list")
		client.goes(miraName)
		client.sees("Hello Annie. How was the week?")
		practitioner.until("that it was seen", `document.querySelector('.bubble.mine > #seen')?.textContent.startsWith('Seen')`)

		// What is changed is not seen until it has been read again, by a page that is
		// open, too.
		talk := practitioner.path()
		ask[bool](client, `(window.fetched = window.fetch, window.fetch = (to, how) => to.endsWith('/read') ? new Promise(() => {}) : fetched(to, how), true)`)
		practitioner.open(ask[string](practitioner, `new URL(document.querySelector('[data-mend] a').href).pathname`))
		practitioner.fill("Message", "Hello Annie. How was the *week* by the river?")
		practitioner.goes("Save")
		practitioner.sees("Changed afterwards")
		client.until("the change", `document.getElementById('bubbles').textContent.includes('by the river?')`)
		if ask[bool](practitioner, `!!document.getElementById('seen')`) {
			t.Error("changed words that nobody has read are called seen")
		}
		client.open(talk)
		practitioner.until("that the change was seen", `document.querySelector('.bubble.mine > #seen')?.textContent.startsWith('Seen')`)

		// Live, both ways, without a new page.
		client.says(miraName, "Better.\nI walked to the river, see https://rivers.example/walk")
		practitioner.written(2)
		practitioner.sees("I walked to the river")
		practitioner.fill("Message to Annie Noda", "I am glad")
		client.until("who is writing", `document.getElementById('typing').textContent.includes('is writing')`)
		practitioner.press("Send")
		client.written(3)

		// The connection goes; what is written is neither lost nor doubled.
		client.connected(false)
		client.says(miraName, "Written on the train.")
		client.until("that it is not sent yet", `document.querySelector('.waiting').textContent.includes('Not sent yet')`)
		practitioner.says("Annie Noda", "Meanwhile.")
		practitioner.written(4)
		client.connected(true)
		client.written(5)
		practitioner.written(5)
		for _, v := range []*visitor{client, practitioner} {
			for _, once := range []string{"Written on the train.", "Meanwhile.", "I am glad"} {
				if n := strings.Count(ask[string](v, `document.getElementById('bubbles').innerText`), once); n != 1 {
					t.Errorf("%q stands on the page %d times", once, n)
				}
			}
		}
		practitioner.pictured(200, "messages-thread")
		client.check(200)

		// What was begun waits.
		client.fill("Message to "+miraName, "I have not finished this")
		client.until("that it is kept", `!document.querySelector('[data-saved]').hidden`)
		client.open("/dashboard")
		client.open("/messages")
		client.goes(miraName)
		if got := client.value("Message to " + miraName); got != "I have not finished this" {
			t.Errorf("the draft is %q", got)
		}
		client.fill("Message to "+miraName, "")

		// A word that was wrong.
		client.says(miraName, "I am find.")
		client.written(6)
		ask[bool](client, `([...document.querySelectorAll('[data-ask] summary')].pop().click(), true)`)
		client.goes("Take it back")
		client.until("that it was taken back", `document.body.textContent.includes('This message was taken back.')`)
		practitioner.until("that it was taken back", `document.body.textContent.includes('This message was taken back.')`)
		if strings.Contains(ask[string](practitioner, `document.getElementById('bubbles').innerText`), "I am find.") {
			t.Error("what was taken back still stands there")
		}
		practitioner.open("/settings/messages")
		practitioner.sees("When you are away", "Show “Seen”")
		practitioner.pictured(200, "messages-settings")
	})
}

// gated has messages wait before they go, each until its gate is opened, and notes
// what the program was asked to keep, and how many messages have set out.
const gated = `(() => {
	const f = window.fetch, gates = [];
	window.drafts = [];
	window.gate = n => gates[n] ??= Promise.withResolvers();
	sessionStorage.sent = 0;
	window.fetch = async (to, how) => {
		if (to === location.pathname && how?.method === 'POST') {
			const refusal = await window.gate(sessionStorage.sent++).promise;
			if (refusal) return new Response('', { status: 422 });
		}
		const answer = await f(to, how);
		if (to.endsWith('/draft')) window.drafts.push([how.body.get('words'), how.body.get('body')].filter(Boolean).join('\n\n'));
		return answer;
	};
	return true;
})()`

// What has not arrived is kept when what was before it has, and is sent once when
// that is refused.
func TestWordsThatWaitAreNeitherLostNorSentTwice(t *testing.T) {
	t.Parallel()
	p := serve(t)
	practitioner, client := p.two(t, phone)
	ask[bool](client, gated)
	client.says(miraName, "First.")
	client.says(miraName, "Second.")
	client.fill("Message to "+miraName, "Third.")
	client.until("that all are kept", `drafts.at(-1) === 'First.\n\nSecond.\n\nThird.'`)
	ask[bool](client, `(gate(0).resolve(), true)`)
	practitioner.written(1)
	client.until("that what is left is kept again", `drafts.at(-1) === 'Second.\n\nThird.'`)
	client.open(client.path())
	if got := client.value("Message to " + miraName); got != "Second.\n\nThird." {
		t.Errorf("of what had not arrived, this is left: %q", got)
	}

	ask[bool](client, gated)
	client.press("Send")
	client.fill("Message to "+miraName, "Begun while that was on its way.")
	client.until("that both are kept", `drafts.at(-1)?.endsWith('on its way.')`)
	ask[bool](client, `(gate(0).resolve(), true)`)
	practitioner.written(2)
	client.until("that the rest is kept", `drafts.at(-1) === 'Begun while that was on its way.' && !document.querySelector('[data-saved]').hidden`)
	client.open(client.path())
	if got := client.value("Message to " + miraName); got != "Begun while that was on its way." {
		t.Errorf("of what was begun, this is left: %q", got)
	}

	ask[bool](client, gated)
	client.press("Send")
	client.says(miraName, "And this behind it.")
	client.loaded(chromedp.Func(func(context.Context, *chromedp.Target) error {
		ask[bool](client, `(gate(1).resolve(), gate(0).resolve('refused'), true)`)
		return nil
	}))
	practitioner.written(3)
	if n := ask[string](client, `sessionStorage.sent`); n != "1" {
		t.Errorf("after a message was refused, %s had set out, want 1", n)
	}
	if n := strings.Count(ask[string](practitioner, `document.getElementById('bubbles').innerText`), "And this behind it."); n != 1 {
		t.Errorf("it is there %d times", n)
	}
}

// A page that is told to load again keeps first what was typed a moment ago.
func TestAPageThatIsOverKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	p := serve(t)
	_, client := p.two(t, phone)
	client.do(command(page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: `window.EventSource = class extends EventSource { constructor(at) { super(at); window.source = this; } }`}))
	client.open(client.path())
	client.loaded(chromedp.Func(func(context.Context, *chromedp.Target) error {
		ask[bool](client, `(b => { const f = window.fetch; window.fetch = async (to, how) => { await new Promise(done => setTimeout(done, 300)); return f(to, how); }; b.value = 'Just typed.'; b.dispatchEvent(new Event('input')); source.dispatchEvent(new MessageEvent('over')); return true; })(document.querySelector('[data-composer]').elements.body)`)
		return nil
	}))
	if got := client.value("Message to " + miraName); got != "Just typed." {
		t.Errorf("of what was typed, this is left: %q", got)
	}
}

// What is pasted is never cut off without a word, and a press on nothing is answered.
func TestWhatIsTooLongStaysAndNothingIsSaidToBeNothing(t *testing.T) {
	onBothScreens(t, func(t *testing.T, width int64) {
		p := serve(t)
		_, client := p.two(t, width)
		client.press("Send")
		client.until("that nothing was written", `document.querySelector('[data-count]').textContent === 'Write something first. '`)
		client.pictured(200, "messages-nothing-written")
		long := strings.Repeat("It was quiet by the river. ", 371)[:10_002]
		client.fill("Message to "+miraName, long)
		client.press("Send")
		client.until("that it is too long", `document.querySelector('[data-count]').textContent === '2 characters too many. '`)
		client.pictured(200, "messages-too-long")
		if got := client.value("Message to " + miraName); got != long {
			t.Errorf("of what was typed, %d characters are left", len(got))
		}
		client.fill("Message to "+miraName, "Shorter.")
		client.press("Send")
		client.sees("Shorter.")
		client.until("that there is nothing to say", `document.querySelector('[data-count]').hidden`)
	})
}

func TestMessagesWithoutScriptAreFormsAndPages(t *testing.T) {
	onBothScreens(t, func(t *testing.T, width int64) {
		p := serve(t)
		her := p.found(t, miraName, mira, miraSecret, riverside)
		at := her.client("Annie", "Noda", annie, true)
		p.accept(t, p.link(t, annie, "/join/", 1), annieSecret)
		her.post(at + "/message")

		client := p.visitor(t, width).withoutScripts()
		client.signsIn(annie, annieSecret)
		client.open("/messages")
		client.goes("New Conversation")
		client.goes("Start a conversation with " + miraName)
		client.fill("Message to "+miraName, "By a form alone.")
		client.goes("Send")
		client.sees("By a form alone.", "You")
		client.goes("Send")
		client.sees("Write something first.")
		client.goes("Print this conversation")
		client.sees("By a form alone.", "All times are in")
	})
}

// What people have had browsers run by way of a message, elsewhere.
var corpus = []string{
	`<script>window.bitten=1</script>`, `<img src=x onerror="window.bitten=1">`, `<svg onload="window.bitten=1">`, `"><script>window.bitten=1</script>`, `</textarea><script>window.bitten=1</script>`,
	`<a href="javascript:window.bitten=1">x</a>`, `javascript:window.bitten=1`, `https://a.example/" onmouseover="window.bitten=1`, `<iframe srcdoc="<script>parent.bitten=1</script>">`, `<template><script>window.bitten=1</script></template>`,
	`<math><mtext></p><img src=x onerror=window.bitten=1>`, `<div hx-get="/people" hx-trigger="load">`, `<form action=/sign-out method=post><button>`, `*<b onclick=window.bitten=1>*`, `data: x`, `&lt;script&gt;window.bitten=1&lt;/script&gt;`,
	`<style>*{display:none}</style>`, `<meta http-equiv=refresh content="0;url=https://evil.example">`, `<base href="https://evil.example/">`, `<li id="m-1" data-message="x">`,
}

func TestNothingThatIsWrittenRuns(t *testing.T) {
	p := serve(t)
	her := p.found(t, miraName, mira, miraSecret, riverside)
	her.client("Annie", "Noda", annie, true)
	p.accept(t, p.link(t, annie, "/join/", 1), annieSecret)
	practitioner := p.visitor(t, 1280)
	practitioner.signsIn(mira, miraSecret)
	practitioner.open("/people")
	practitioner.goes("Secure Message to Annie Noda")
	client := p.visitor(t, 390)
	client.signsIn(annie, annieSecret)
	client.open(practitioner.path())
	for i, evil := range corpus {
		client.says(miraName, evil)
		practitioner.written(i + 1) // by the stream
	}
	for _, v := range []*visitor{client, practitioner} {
		v.open(v.path())
		for _, evil := range corpus {
			if !strings.Contains(v.text(), strings.Split(evil, "*")[0]) {
				t.Errorf("%q does not stand there as it was typed", evil)
			}
		}
		v.check(200)
		v.open("/messages")
		v.check(200)
		if ask[bool](v, `'bitten' in window`) {
			t.Error("something ran")
		}
	}
	client.do(chromedp.KeyEvent(kb.Escape))
}
