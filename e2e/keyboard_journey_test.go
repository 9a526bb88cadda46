package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Signing up, New Client and the client's own sign-up by keyboard are in
// TestAPractitionerInvitesAndAClientComesInByKeyboard; these are the rest.
func TestSigningInAndSearchingAreDoneByKeyboard(t *testing.T) {
	t.Parallel()
	p := serve(t)
	her := p.found(t, miraName, mira, miraSecret, riverside)
	her.client("Annie", "Noda", annie, false)
	her.client("David", "", david, false)
	v := p.visitor(t, desktop).byKeyboard()
	v.open("/people")
	v.skips()
	v.fill("E-mail", mira)
	v.fill("Password", miraSecret)
	v.loaded(chromedp.KeyEvent(kb.Enter)) // from the field, as people do
	v.steps(mira)
	if got := v.path(); got != "/people" {
		t.Fatalf("signing in by keyboard leads to %s", got)
	}
	v.check(200)
	v.skips()
	v.fill("Search by name or e-mail", "noda")
	v.until("one row", `document.querySelectorAll('tbody tr').length === 1`)
	v.sees("Annie Noda")
	v.goes("Annie Noda")
	v.sees("Contact")
	v.goes("Sign out")
	v.sees("You are signed out")
}

// skips leaves out what comes before the page's own matter.
func (v *visitor) skips() {
	v.t.Helper()
	v.do(chromedp.KeyEvent(kb.Tab))
	const first = `(e => e.matches('.skip') && e.getBoundingClientRect().top >= 0 ? e.textContent : 'not the skip link: ' + e.outerHTML.slice(0, 200))(document.activeElement)`
	if got := ask[string](v, first); got != "Skip to content" {
		v.t.Errorf("the first press of Tab leads to %q", got)
	}
	if lost := ask[string](v, lostFocus); lost != "" {
		v.t.Errorf("the way to the content is not seen: %s", lost)
	}
	v.do(chromedp.KeyEvent(kb.Enter))
	v.until("the content to have the focus", `document.activeElement.id === 'main'`)
	v.do(chromedp.KeyEvent(kb.Tab))
	if !ask[bool](v, `document.getElementById('main').contains(document.activeElement)`) {
		v.t.Error("after the skip link the next press of Tab is not in the content")
	}
}

// The order of Tab is the order in which one reads: down the page, and along a
// line from its beginning.
func TestTabGoesThroughAPageAsOneReadsIt(t *testing.T) {
	onBothScreens(t, func(t *testing.T, width int64) {
		p := serve(t)
		p.found(t, miraName, mira, miraSecret, riverside).client("Annie", "Noda", annie, false)
		v := p.visitor(t, width)
		v.readsInOrder("/sign-in", 4)
		v.signsIn(mira, miraSecret)
		v.readsInOrder("/people", 10)
		v.readsInOrder("/people/new", 8)
	})
}

// stop is where Tab stops.
type stop struct {
	Name             string
	Main             bool
	Left, Top, Lower float64
}

const here = `(e => { const b = e.getBoundingClientRect(); return {
	Name: e === document.body ? '' : e.outerHTML.replace(/\s+/g, ' ').slice(0, 120), Main: !!e.closest('main'),
	Left: b.left, Top: b.top + scrollY, Lower: b.bottom + scrollY }; })(document.activeElement)`

// readsInOrder presses Tab through a page with no fewer stops in its content
// than given.
func (v *visitor) readsInOrder(path string, least int) {
	v.t.Helper()
	v.open(path)
	ask[bool](v, `(document.activeElement.blur(), getSelection().removeAllRanges(), scrollTo(0, 0), true)`)
	var last stop
	stops := 0
	for range mostTabs {
		v.do(chromedp.KeyEvent(kb.Tab))
		at := ask[stop](v, here)
		if at.Name == "" {
			break // round
		}
		if lost := ask[string](v, lostFocus); lost != "" {
			v.t.Errorf("%s at %d px: the focus is not seen: %s", path, v.width, lost)
		}
		if !at.Main {
			continue
		}
		if stops++; stops > 1 && (at.Lower <= last.Top || at.Top < last.Lower && at.Lower > last.Top && at.Left < last.Left) {
			v.t.Errorf("%s at %d px: Tab goes back from %s to %s", path, v.width, last.Name, at.Name)
		}
		last = at
	}
	if stops < least {
		v.t.Errorf("%s at %d px: %d stops, want %d or more", path, v.width, stops, least)
	}
}

// moves says what moves on a page for longer than the eye takes for at once, or
// than is calm.
const moves = `(most => [...document.querySelectorAll('*')].flatMap(e => ['', '::before', '::after'].flatMap(part => {
	const s = getComputedStyle(e, part), long = list => Math.max(...list.split(',').map(parseFloat)) * 1000;
	return [s.transitionDuration, s.animationName === 'none' ? '0s' : s.animationDuration].filter(d => long(d) > most).map(d => e.tagName + '.' + e.getAttribute('class') + part + ' ' + d);
})))`

func TestNothingMovesForThoseWhoWantItSo(t *testing.T) {
	t.Parallel()
	p := serve(t)
	p.found(t, miraName, mira, miraSecret, riverside).client("Annie", "Noda", annie, false)
	v := p.visitor(t, phone)
	v.signsIn(mira, miraSecret)
	v.open("/people")
	if found := ask[[]string](v, moves+"(1)"); len(found) > 0 {
		t.Errorf("with reduced motion there move %s", strings.Join(found, "; "))
	}
	v.do(command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "no-preference"}}}))
	if found := ask[[]string](v, moves+"(1)"); len(found) == 0 {
		t.Error("nothing moves for anybody: that it does not with reduced motion proves nothing")
	}
	if found := ask[[]string](v, moves+"(220)"); len(found) > 0 {
		t.Errorf("there move for too long %s", strings.Join(found, "; "))
	}
}
