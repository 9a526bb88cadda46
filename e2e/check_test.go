package e2e

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// check looks at the page that the visitor is on: answered with this status, and
// with nothing wrong, in the light and in the dark.
func (v *visitor) check(status int) {
	v.t.Helper()
	v.pictured(status, "")
}

// pictured is check for a page whose picture is kept.
func (v *visitor) pictured(status int, name string) {
	v.t.Helper()
	for _, wrong := range v.problems(status, name) {
		v.t.Errorf("%s at %d px: %s", v.path(), v.width, wrong)
	}
}

// The rules that axe goes by: all of them in the light that a visitor is used
// to, and in the other those that look at colors. A name, a role or an order
// is the same in both.
const (
	standards = `{ type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }`
	colors    = `{ type: 'rule', values: ['color-contrast', 'link-in-text-block'] }`
)

// look runs axe and says what it found, in one line each. What a line that stays
// on the screen happens to lie over in part is no smaller for it: it scrolls.
const look = `axe.run(document, { runOnly: %s, resultTypes: ['violations'] }).then(r => r.violations.filter(f =>
	f.id !== 'target-size' || f.nodes.some(n => !n.any[0]?.message.includes('partially obscured'))).map(f =>
	f.id + ': ' + f.help + ': ' + f.nodes.slice(0, 3).map(n => n.target.join(' ') + ' ' + n.html.slice(0, 160) + ' ' + (n.any[0]?.message ?? n.all[0]?.message ?? n.none[0]?.message ?? '')).join('; ')))`

// facts are what a page says of itself.
type facts struct {
	Status int
	Heads  int
	Title  string
	Lang   string
	Over   int
	Wide   string
}

const readFacts = `(() => {
	const root = document.documentElement, room = Math.min(screen.width, root.clientWidth);
	const wide = [...document.body.querySelectorAll('*')].filter(e => e.getBoundingClientRect().right > room + 1 && e.checkVisibility()).slice(0, 3);
	return {
		Status: performance.getEntriesByType('navigation')[0].responseStatus, Heads: document.querySelectorAll('h1').length,
		Title: document.title, Lang: root.lang, Over: root.scrollWidth - room, Wide: wide.map(e => e.outerHTML.slice(0, 120)).join(' '),
	};
})()`

// title is what a page is called: plain words and the brand. It stands in the
// history of a device that others may use.
var title = regexp.MustCompile(`^(\(\d+\) )?(Error: )?[A-Z][A-Za-z &?-]+ · iCouch$`)

// problems is what is wrong with the page. Its picture is kept under a name, if
// it has one.
func (v *visitor) problems(status int, name string) (wrong []string) {
	v.t.Helper()
	f := ask[facts](v, readFacts)
	if f.Status != status {
		wrong = append(wrong, fmt.Sprintf("answered %d, want %d", f.Status, status))
	}
	if f.Heads != 1 {
		wrong = append(wrong, fmt.Sprintf("%d heads of the first order, want one", f.Heads))
	}
	if f.Lang == "" {
		wrong = append(wrong, "no language")
	}
	if !title.MatchString(f.Title) || slices.ContainsFunc(names, func(n string) bool { return strings.Contains(f.Title, n) }) {
		wrong = append(wrong, fmt.Sprintf("the title %q is not neutral", f.Title))
	}
	if strings.HasPrefix(f.Title, "Error: ") != slices.Contains([]int{409, 422, 429}, status) {
		wrong = append(wrong, fmt.Sprintf("the title %q for status %d", f.Title, status))
	}
	if !v.keys { // the same pages are looked at with a mouse
		wrong = append(wrong, v.looks(name)...)
	}
	for _, r := range ask[[]string](v, `window.refusals ?? []`) {
		wrong = append(wrong, "refused by the policy: "+r)
	}
	return append(wrong, v.complaints(status)...)
}

// looks is what is wrong with how the page looks, in each light.
func (v *visitor) looks(name string) (wrong []string) {
	v.t.Helper()
	if !v.scripts {
		v.do(command(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{}))
		defer v.withoutScripts()
	}
	other := map[string]string{"light": "dark", "dark": "light"}[v.home]
	for _, scheme := range []string{v.home, other} {
		v.do(v.light(scheme))
		ask[bool](v, drawn)
		rules, shape := colors, []string(nil)
		if scheme == v.home {
			rules, shape = standards, v.shape(name)
		}
		for _, w := range slices.Concat(v.overflow(scheme), shape, v.findings(rules), v.compare(name, scheme)) {
			wrong = append(wrong, "in the "+scheme+": "+w)
		}
	}
	v.do(v.light(v.home))
	return wrong
}

// overflow looks whether the page is wider than the screen, on a phone also on
// a very narrow one, once.
func (v *visitor) overflow(scheme string) (wrong []string) {
	v.t.Helper()
	if f := ask[facts](v, readFacts); f.Over > 0 {
		wrong = append(wrong, fmt.Sprintf("%d px wider than the screen: %s", f.Over, f.Wide))
	}
	if v.width != phone || scheme != v.home {
		return wrong
	}
	v.do(v.screen(narrow))
	if f := ask[facts](v, readFacts); f.Over > 0 {
		wrong = append(wrong, fmt.Sprintf("on a screen of %d px %d px wider: %s", narrow, f.Over, f.Wide))
	}
	v.do(v.screen(v.width))
	return wrong
}

// findings are those of axe, by some of its rules.
func (v *visitor) findings(rules string) (wrong []string) {
	v.t.Helper()
	if !ask[bool](v, `!!window.axe`) {
		v.do(chromedp.Evaluate[chromedp.Void](axe))
	}
	for _, f := range ask[[]string](v, fmt.Sprintf(look, rules)) {
		wrong = append(wrong, "axe: "+f)
	}
	return wrong
}

// complaints are what the browser said since the last look. That an answer was
// not 200 is no complaint where a status is expected.
func (v *visitor) complaints(status int) (wrong []string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, c := range v.heard {
		if status >= 400 && strings.Contains(c.words, "Failed to load resource") && strings.Contains(c.words, fmt.Sprint(status)) {
			continue
		}
		wrong = append(wrong, c.words+" "+c.address)
	}
	v.heard = nil
	return wrong
}
