package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// inReach says where the line with the way to help stands, and whether it can be pressed.
const inReach = `(() => {
	const line = document.querySelector('.urgent'), box = line.getBoundingClientRect();
	const free = [...line.querySelectorAll('a')].every(a => { const b = a.getBoundingClientRect(); return a.contains(document.elementFromPoint(b.x + b.width / 2, b.y + b.height / 2)); });
	return box.top < 0 || box.bottom > innerHeight ? 'out of sight' : !free ? 'covered' : box.height > 52 ? 'more than one line' : document.documentElement.scrollWidth > innerWidth ? 'too wide' : 'in reach';
})()`

// Help is in reach wherever somebody is in a long conversation, and nothing that
// has the focus lies behind the line that says so.
func TestHelpStaysInReachInALongConversation(t *testing.T) {
	onBothScreens(t, func(t *testing.T, width int64) {
		p := serve(t)
		practitioner, client := p.two(t, width)
		for i := range 6 {
			client.says(miraName, fmt.Sprintf("Walk %d, see https://rivers.example/%d\n", i, i)+strings.Repeat("It was quiet.\n", 12))
			practitioner.written(i + 1)
		}
		widths := []int64{width}
		if width == phone {
			widths = append(widths, 320)
		}
		plain := p.visitor(t, width).withoutScripts()
		plain.signsIn(annie, annieSecret)
		plain.open(client.path())
		for _, v := range []*visitor{practitioner, client, plain} {
			for _, w := range widths {
				v.do(v.window(w, 844))
				ask[bool](v, `(n => { if (n) n.firstChild.data = 'Call 116 123'; return true; })(document.querySelector('.urgent a[href^="tel:"]'))`) // the longest
				for _, at := range []string{"0.3", "0.7", "1"} {
					ask[bool](v, `(scrollTo({ top: document.documentElement.scrollHeight * `+at+`, behavior: 'instant' }), scrollY > 200)`)
					if got := ask[string](v, inReach); got != "in reach" {
						t.Errorf("at %d px, %s of the way down, help is %s", w, at, got)
					}
				}
			}
			v.do(v.screen(width))
		}
		client.open(client.path())
		ask[bool](client, `(document.getElementById('f-body').focus(), true)`)
		for range 14 { // up through the messages, and down again
			client.tab(chromedp.KeyModifiers(chromedp.ModifierShift))
		}
		for range 12 {
			client.tab()
		}
		ask[bool](client, `(document.activeElement.blur(), scrollTo({ top: 900, behavior: 'instant' }), true)`)
		client.pictured(200, "messages-long")
		practitioner.check(200)
	})
}

// tab goes to the next thing to press. Where the focus is must be seen.
func (v *visitor) tab(options ...chromedp.KeyOption) {
	v.t.Helper()
	v.do(chromedp.KeyEvent(kb.Tab, options...))
	if lost := ask[string](v, lostFocus); lost != "" {
		v.t.Errorf("the focus is not seen: %s", lost)
	}
}

// Before a message is taken back the page asks, with and without script.
func TestAMessageIsTakenBackAfterAQuestion(t *testing.T) {
	onBothScreens(t, func(t *testing.T, width int64) {
		p := serve(t)
		practitioner, client := p.two(t, width)
		client.says(miraName, "I am find.")
		practitioner.written(1)
		client.written(1)
		const asks, rests = `document.querySelector('[data-ask]').open`, `!document.querySelector('[data-ask]').open && document.activeElement === document.querySelector('[data-ask] summary')`
		client.press("Take back")
		client.until("that it asks", asks)
		client.pictured(200, "messages-take-back")
		client.press("Keep it")
		client.until("that it is kept, and the focus where it was", rests)
		client.do(chromedp.KeyEvent(kb.Enter))
		client.until("that it asks, by a key", asks)
		client.do(chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Escape))
		client.until("that it is kept", rests)
		practitioner.sees("I am find.")

		plain := p.visitor(t, width).withoutScripts()
		plain.signsIn(annie, annieSecret)
		plain.open(client.path())
		plain.press("Take back")
		plain.until("that it asks", asks)
		plain.press("Take back")
		plain.until("that it is kept", "!"+asks)
		practitioner.sees("I am find.")
		plain.press("Take back")
		plain.goes("Take it back")
		plain.sees("This message was taken back.")
		practitioner.until("that it was taken back", `document.body.textContent.includes('This message was taken back.')`)
		if strings.Contains(ask[string](practitioner, `document.getElementById('bubbles').innerText`), "I am find.") {
			t.Error("what was taken back still stands there")
		}
	})
}

// A draft that is changed and sent before it is kept again is none any more.
func TestWhatWasMadeOfADraftIsNoDraft(t *testing.T) {
	t.Parallel()
	p := serve(t)
	practitioner, client := p.two(t, phone)
	to, talk := "Message to "+miraName, client.path()
	plain := p.visitor(t, phone).withoutScripts()
	plain.signsIn(annie, annieSecret)
	for i, sends := range []*visitor{client, plain} {
		client.open(talk)
		client.fill(to, "I do not knwo")
		client.until("that it is kept", `!document.querySelector('[data-saved]').hidden`)
		sends.open(talk)
		sends.fill(to, "I know now.")
		sends.press("Send")
		practitioner.written(i + 1)
		sends.open(talk)
		if got := sends.value(to); got != "" {
			t.Errorf("what was sent is still a draft: %q", got)
		}
	}
}

// However long it is, what was typed outlives its page; and of what is too long to be
// kept the beginning does, and the page says so.
func TestALongDraftOutlivesItsPage(t *testing.T) {
	t.Parallel()
	p := serve(t)
	_, client := p.two(t, phone)
	to, talk := "Message to "+miraName, client.path()
	types := func(letters int) {
		ask[bool](client, fmt.Sprintf(`(box => { box.value = 'ж'.repeat(%d); box.dispatchEvent(new Event('input')); return true; })(document.getElementById('f-body'))`, letters))
	}
	ask[bool](client, `(f => { window.fetch = (at, how) => { if (at.endsWith('/draft')) sessionStorage.outlives = how.keepalive; return f(at, how); }; return true; })(window.fetch)`)
	types(12_000)
	client.open("/dashboard")
	wait(t, "the draft", func() bool { return len(p.log.lines(`route="POST /messages/{conversation}/draft"`)) == 1 })
	client.open(talk)
	if got := ask[string](client, `sessionStorage.outlives`); got != "true" {
		t.Errorf("the request outlives its page: %s", got)
	}
	if got := utf8.RuneCountInString(client.value(to)); got != 12_000 {
		t.Errorf("of what was typed, %d letters are left", got)
	}
	types(40_000)
	client.until("that it says what is kept", `!document.querySelector('[data-saved]').hidden && document.querySelector('[data-saved]').textContent.includes('only the beginning')`)
	client.pictured(200, "messages-long-draft")
	client.open(talk)
	if got := utf8.RuneCountInString(client.value(to)); got < 29_900 || got > 30_000 {
		t.Errorf("of what was typed, %d letters are left", got)
	}
}

// unanswered has messages go, and the page not hear that they have arrived.
const unanswered = `(() => { const f = window.fetch; window.fetch = (to, how) => { const answer = f(to, how); return to === location.pathname && how?.method === 'POST' ? new Promise(() => {}) : answer; }; return true; })()`

// What was typed a moment before a page is left is there when it is opened again;
// what was sent a moment before is sent, once, and is no draft.
func TestWhatWasTypedAMomentAgoIsThere(t *testing.T) {
	t.Parallel()
	p := serve(t)
	practitioner, client := p.two(t, phone)
	to, talk := "Message to "+miraName, client.path()
	kept := func(n int) {
		wait(t, "the draft", func() bool { return len(p.log.lines(`route="POST /messages/{conversation}/draft"`)) == n })
	}
	ask[bool](client, `(f => { window.fetch = (at, how) => { if (at.endsWith('/draft')) sessionStorage.outlives = how.keepalive; return f(at, how); }; return true; })(window.fetch)`)
	client.fill(to, "Typed a moment ago.")
	client.open("/dashboard")
	kept(1)
	client.open(talk)
	if got := ask[string](client, `sessionStorage.outlives`); got != "true" { // on one machine all of them do
		t.Errorf("the request outlives its page: %s", got)
	}
	if got := client.value(to); got != "Typed a moment ago." {
		t.Errorf("of what was typed, this is left: %q", got)
	}
	ask[bool](client, unanswered)
	client.fill(to, "Sent a moment ago.")
	client.press("Send")
	practitioner.written(1)
	client.fill(to, "And begun.")
	client.open("/dashboard")
	kept(2)
	client.open(talk)
	client.once("Sent a moment ago.")
	if got := client.value(to); got != "And begun." {
		t.Errorf("of what was begun, this is left: %q", got)
	}
	client.fill(to, "The window was closed.")
	client.do(command(page.Close, cdp.Empty{}))
	kept(3)
	again := p.visitor(t, phone)
	again.signsIn(annie, annieSecret)
	again.open(talk)
	if got := again.value(to); got != "The window was closed." {
		t.Errorf("of what was typed, this is left: %q", got)
	}
}

// A note that the server does not take is nowhere else: it can be saved.
func TestANoteThatIsRefusedCanBeSaved(t *testing.T) {
	onBothScreens(t, func(t *testing.T, width int64) {
		p := serve(t)
		_, client := p.two(t, width)
		dir := t.TempDir()
		is, err := chromedp.Call(client.ctx, target.GetTargetInfo, target.GetTargetInfoParams{})
		if err != nil {
			t.Fatal(err)
		}
		client.do(command(browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{Behavior: browser.SetDownloadBehaviorBehaviorAllow, BrowserContextID: is.TargetInfo.BrowserContextID, DownloadPath: dir}))
		client.press("Attach")
		client.microphone(browser.PermissionSettingGranted)
		ask[bool](client, full)
		client.press("Record")
		client.records(1)
		client.press("Stop")
		client.until("that it is refused", `document.querySelector('[data-parcels] .bad')?.textContent.includes('There is no room for files')`)
		client.pictured(200, "messages-note-refused")
		client.press("Save to this device")
		wait(t, "the file", func() bool {
			all, err := filepath.Glob(filepath.Join(dir, "Spoken note*.webm"))
			if err != nil || len(all) != 1 {
				return false
			}
			f, err := os.Stat(all[0])
			return err == nil && f.Size() > 1000
		})
		if ask[int](client, `document.querySelectorAll('[data-unsaved]').length`) != 0 {
			t.Error("the page still holds somebody back who has saved the note")
		}
		client.press("Remove Spoken note")
		client.until("that it is out", `document.querySelector('[data-parcels]').children.length === 0`)
	})
}

func TestWhereEverythingIsArchived(t *testing.T) {
	onBothScreens(t, func(t *testing.T, width int64) {
		p := serve(t)
		practitioner, client := p.two(t, width)
		talk := practitioner.path()
		practitioner.open("/settings")
		client.says(miraName, "I walked to the river.")
		client.written(1)
		practitioner.open("/dashboard")
		practitioner.sees("There is one new message for you.")
		practitioner.pictured(200, "messages-dashboard")
		practitioner.open("/messages")
		practitioner.fill("Search in messages", "river walked")
		practitioner.goes("Search")
		practitioner.sees("One message contains", "I walked to the river.")
		practitioner.pictured(200, "messages-found")
		practitioner.open(talk)
		practitioner.goes("Archive this conversation")
		practitioner.sees("Everything is archived", "Archived (1)")
		practitioner.pictured(200, "messages-all-archived")
		practitioner.goes("Archived (1)")
		practitioner.sees("I walked to the river.")
	})
}

// Whoever is writing when their care ends keeps their words, and nothing else of
// the conversation.
func TestWordsAreLeftToWhoWasWritingWhenCareEnded(t *testing.T) {
	onBothScreens(t, func(t *testing.T, width int64) {
		p := serve(t)
		practitioner, client := p.two(t, width)
		practitioner.says("Annie Noda", "See you on Thursday.")
		client.written(1)
		client.fill("Message to "+miraName, "I need to tell you something before Thursday")
		client.until("that it is kept", `!document.querySelector('[data-saved]').hidden`)
		practitioner.goes("Client")
		practitioner.open(practitioner.path() + "/end")
		practitioner.goes("End care of Annie Noda")
		client.until("that the words are left", `document.querySelector('[data-closed]')?.hidden === false`)
		client.sees("You can no longer write here.", "I need to tell you something before Thursday")
		client.seesNot("See you on Thursday.")
		client.answered(404)
		client.pictured(200, "messages-closed")
		client.press("Copy")
		client.until("that they are copied", `document.querySelector('[data-copy=typed] [data-words]').textContent === 'Copied' || String(getSelection()).includes('before Thursday')`)
		client.goes("Continue")
		client.sees("Your access has ended")
	})
}
