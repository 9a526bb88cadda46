package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	devlog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// The screens of the journeys.
const (
	phone   = 390
	desktop = 1280
	narrow  = 320
)

// onBothScreens runs a journey on a phone and on a desktop.
func onBothScreens(t *testing.T, journey func(t *testing.T, width int64)) {
	t.Parallel()
	for _, width := range []int64{phone, desktop} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			t.Parallel()
			journey(t, width)
		})
	}
}

// visitor is somebody at a screen, in a browser that has never been here.
type visitor struct {
	site    *program // nil: in front of one
	t       *testing.T
	ctx     context.Context
	base    string
	width   int64
	scripts bool
	keys    bool   // uses no mouse
	home    string // the light they are used to
	stop    func()

	mu    sync.Mutex
	heard []complaint  // since the last check
	page  cdp.LoaderID // the page that is shown
	loads []load       // of that page
	cut   bool         // the connection was taken away once
}

// complaint is what the browser said of a page.
type complaint struct{ words, address string }

// load is one request, and how many bytes came.
type load struct {
	id      network.RequestID
	address string
	kind    network.ResourceType
	bytes   float64
	over    bool // came, or never will
}

// visitor opens a browser on a screen.
func (p *program) visitor(t *testing.T, width int64) *visitor {
	t.Helper()
	v := visit(t, p.base, width)
	v.site = p
	return v
}

// visit opens a browser at an address that may stand in front of a program.
func visit(t *testing.T, base string, width int64) *visitor {
	t.Helper()
	h, err := theHouse()
	if err != nil {
		t.Fatal(err)
	}
	v := &visitor{t: t, base: base, width: width, scripts: true, home: "light"}
	var leave context.CancelFunc
	v.ctx, leave = chromedp.NewContext(h.browser, chromedp.WithNewBrowserContext(), chromedp.WithListener(v.hear))
	v.stop = sync.OnceFunc(leave)
	t.Cleanup(v.stop)
	if err := chromedp.Do(v.ctx); err != nil {
		t.Fatal(err)
	}
	v.do(v.screen(width), v.light(v.home),
		command(emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}),
		command(emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: newYork}),
		command(page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: noteRefusals}))
	return v
}

// noteRefusals keeps what a page was not allowed to do, from its first line on.
const noteRefusals = `window.refusals = []; document.addEventListener('securitypolicyviolation', e => window.refusals.push(e.effectiveDirective + ' ' + e.blockedURI))`

func command[P, R any](c cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, c, params)
		return err
	})
}

func (v *visitor) screen(width int64) chromedp.Action[chromedp.Void] {
	return v.window(width, 844)
}

// window is the screen of a visitor, as high as is wanted.
func (v *visitor) window(width, height int64) chromedp.Action[chromedp.Void] {
	screen := func(p *emulation.SetDeviceMetricsOverrideParams, _ *emulation.SetTouchEmulationEnabledParams) {
		p.ScreenWidth, p.ScreenHeight, p.Mobile = width, height, v.width < 600
	}
	return chromedp.EmulateViewport(width, height, screen)
}

// light is "light" or "dark". Nothing moves, so that nothing is half way when
// it is looked at.
func (v *visitor) light(scheme string) chromedp.Action[chromedp.Void] {
	return command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
}

// withoutScripts is a browser that runs none.
func (v *visitor) withoutScripts() *visitor {
	v.t.Helper()
	v.scripts = false
	v.do(command(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}))
	return v
}

// inTheDark is a browser that has been told so before it opens a page.
func (v *visitor) inTheDark() *visitor {
	v.t.Helper()
	v.home = "dark"
	v.do(v.light(v.home))
	return v
}

// byKeyboard is a visitor with no mouse.
func (v *visitor) byKeyboard() *visitor {
	v.keys = true
	return v
}

// hear runs within the browser's loop.
func (v *visitor) hear(event any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			words := "console:"
			for _, a := range e.Args {
				words += " " + a.Description + string(a.Value)
			}
			v.heard = append(v.heard, complaint{words, ""})
		}
	case *runtime.EventExceptionThrown:
		words := e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			words += " " + e.ExceptionDetails.Exception.Description
		}
		v.heard = append(v.heard, complaint{"exception: " + words, e.ExceptionDetails.URL})
	case *devlog.EventEntryAdded:
		if v.cut && strings.Contains(e.Entry.Text, "ERR_INTERNET_DISCONNECTED") { // the connection was taken away on purpose
			return
		}
		if e.Entry.Level == devlog.EntryLevelError || e.Entry.Level == devlog.EntryLevelWarning {
			v.heard = append(v.heard, complaint{string(e.Entry.Source) + ": " + e.Entry.Text, e.Entry.URL})
		}
	case *network.EventRequestWillBeSent:
		// What a page was still asking for when it was left is never heard of again.
		if e.Type == network.ResourceTypeDocument && string(e.RequestID) == string(e.LoaderID) {
			v.loads, v.page = nil, e.LoaderID
		}
		if e.LoaderID == v.page {
			v.loads = append(v.loads, load{id: e.RequestID, address: e.Request.URL, kind: e.Type})
		}
		if !strings.HasPrefix(e.Request.URL, v.base+"/") && !strings.HasPrefix(e.Request.URL, "data:") && !strings.HasPrefix(e.Request.URL, "blob:"+v.base+"/") { // the browser draws its own signs with data; a page plays what it recorded
			v.heard = append(v.heard, complaint{"a request to somebody else", e.Request.URL})
		}
	case *network.EventLoadingFinished:
		v.each(e.RequestID, func(l *load) { l.bytes, l.over = e.EncodedDataLength, true })
	case *network.EventLoadingFailed:
		v.each(e.RequestID, func(l *load) { l.over = true })
	case *network.EventRequestServedFromCache:
		v.each(e.RequestID, func(l *load) { l.over = true })
	}
}

func (v *visitor) each(id network.RequestID, do func(*load)) {
	for i := range v.loads {
		if v.loads[i].id == id {
			do(&v.loads[i])
		}
	}
}

// do does steps, and waits no longer than patience.
func (v *visitor) do(steps ...chromedp.Action[chromedp.Void]) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		v.t.Fatalf("%v\n%s", err, v.where())
	}
}

// ask evaluates an expression on the page.
func ask[T any](v *visitor, expression string) T {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	got, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		v.t.Fatalf("%v\n%s", err, v.where())
	}
	return got
}

// where is the page as a person reads it, for the report of a failure.
func (v *visitor) where() string {
	ctx, cancel := context.WithTimeout(v.ctx, 5*time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + '\n' + document.title + '\n' + document.body?.innerText`))
	if err != nil {
		return "the page cannot be read: " + err.Error()
	}
	return text
}

// loaded does what leads to another page, and waits for it.
func (v *visitor) loaded(step chromedp.Action[chromedp.Void]) {
	v.t.Helper()
	v.do(func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.WaitEvent(page.LoadEventFired, nil, step)(ctx, t)
		return chromedp.Void{}, err
	})
}

// open goes to an address, as by typing it.
func (v *visitor) open(address string) {
	v.t.Helper()
	if !strings.HasPrefix(address, "http") {
		address = v.base + address
	}
	v.do(chromedp.Navigate(address))
}

// quoted is a text as an expression.
func quoted(text string) string {
	b, _ := json.Marshal(text) // a string can always be written
	return string(b)
}

// finder finds what is called by a name, as those find it who cannot see it: by
// its words. The whole name goes before its beginning. More than one is an
// error, unless all lead to one place.
const finder = `(role, name) => {
	const roles = {
		press: 'a[href], button, summary, [role=button]',
		field: 'input:not([type=hidden]), select, textarea',
	};
	const plain = text => text.replace(/\s+/g, ' ').trim();
	const called = el => plain(el.labels?.length ? [...el.labels].map(l => l.textContent).join(' ') : el.getAttribute('aria-label') ?? el.textContent);
	const seen = el => el.checkVisibility({ visibilityProperty: true }) && el.getClientRects().length > 0 && !el.closest('[inert]');
	const all = [...document.querySelectorAll(roles[role])].filter(seen);
	let found = all.filter(el => called(el) === name);
	if (!found.length) found = all.filter(el => called(el).startsWith(name));
	if (!found.length) throw new Error('nothing is called ' + name + ', only: ' + all.map(called).join(' | '));
	if (found.length > 1 && new Set(found.map(el => el.href ?? el)).size > 1) throw new Error(found.length + ' things are called ' + name);
	return window.wanted = found[0];
}`

// spot brings an element into view and says where to press it. What lies over
// it is an error: nobody could press it.
const spot = `el => {
	el.scrollIntoView({ block: 'center', behavior: 'instant' });
	const box = el.getClientRects()[0];
	const sizes = [el, ...el.labels ?? []].map(e => e.getBoundingClientRect()).map(b => Math.min(b.width, b.height));
	const at = { X: box.x + box.width / 2, Y: box.y + box.height / 2, Size: Math.max(...sizes), Inline: getComputedStyle(el).display === 'inline' };
	const top = document.elementFromPoint(at.X, at.Y);
	if (!(el.contains(top) || top?.contains(el) && top.tagName !== 'BODY' || [...el.labels ?? []].some(l => l.contains(top)))) {
		throw new Error('covered by ' + top?.outerHTML?.slice(0, 200));
	}
	return at;
}`

// place is the middle of an element on the screen.
type place struct {
	X, Y, Size float64
	Inline     bool
}

// rest waits until an element stands still: nobody presses what moves. Where
// nothing runs, nothing moves.
const rest = `el => new Promise(done => {
	el.scrollIntoView({ block: 'center', behavior: 'instant' });
	let was = '';
	const look = () => {
		const is = JSON.stringify(el.getBoundingClientRect());
		if (is === was) return done(el);
		was = is;
		requestAnimationFrame(look);
	};
	requestAnimationFrame(look);
})`

// find returns the middle of what is called by a name.
func (v *visitor) find(role, name string) place {
	v.t.Helper()
	found := fmt.Sprintf("(%s)(%s, %s)", finder, quoted(role), quoted(name))
	if v.scripts && role == "press" {
		found = fmt.Sprintf("await (%s)(%s)", rest, found)
	}
	p := ask[place](v, fmt.Sprintf("(async () => (%s)(%s))()", spot, found))
	if p.Size < 24 && !p.Inline && v.width < 600 {
		v.t.Errorf("%s is %.0f px at its narrowest, want 24 or more", name, p.Size)
	}
	return p
}

// toward returns the step that presses what is called by a name.
func (v *visitor) toward(name string) chromedp.Action[chromedp.Void] {
	v.t.Helper()
	if v.keys {
		v.reach("press", name)
		return chromedp.KeyEvent(kb.Enter)
	}
	p := v.find("press", name)
	return chromedp.MouseClickXY(p.X, p.Y)
}

// press presses a button, a link or a line to open, where no new page comes.
func (v *visitor) press(name string) {
	v.t.Helper()
	v.do(v.toward(name))
}

// goes presses what leads to another page, and waits for the page.
func (v *visitor) goes(name string) {
	v.t.Helper()
	v.loaded(v.toward(name))
}

// fill puts a text into a field, in place of what is there.
func (v *visitor) fill(name, text string) {
	v.t.Helper()
	if v.keys {
		v.reach("field", name)
		v.do(chromedp.KeyEvent("a", chromedp.KeyModifiers(chromedp.ModifierCtrl)), chromedp.KeyEvent(text))
		return
	}
	p := v.find("field", name)
	v.do(chromedp.MouseClickXY(p.X, p.Y))
	ask[bool](v, `(window.wanted.select?.(), document.activeElement === window.wanted)`)
	if text == "" {
		v.do(chromedp.KeyEvent(kb.Delete))
		return
	}
	v.do(command(input.InsertText, input.InsertTextParams{Text: text}))
	if got := v.value(name); got != text {
		v.t.Fatalf("%s has %q, want %q", name, got, text)
	}
}

// day chooses a day, as the calendar of a browser does.
func (v *visitor) day(name, iso string) {
	v.t.Helper()
	ask[bool](v, fmt.Sprintf("(f => { f.value = %s; f.dispatchEvent(new Event('input', { bubbles: true })); return true; })((%s)('field', %s))", quoted(iso), finder, quoted(name)))
	if got := v.value(name); got != iso {
		v.t.Fatalf("%s has %q, want %q", name, got, iso)
	}
}

// value is what a field holds.
func (v *visitor) value(name string) string {
	v.t.Helper()
	return ask[string](v, fmt.Sprintf("(%s)('field', %s).value", finder, quoted(name)))
}

// choose takes an option of a list.
func (v *visitor) choose(name, value string) {
	v.t.Helper()
	if v.keys {
		v.reach("field", name)
		label := ask[string](v, fmt.Sprintf("[...window.wanted.options].find(o => o.value === %s).label", quoted(value)))
		v.do(chromedp.KeyEvent(label)) // the list goes to what is typed
	} else {
		v.find("field", name)
		ask[bool](v, fmt.Sprintf("(window.wanted.value = %s, window.wanted.dispatchEvent(new Event('change', { bubbles: true })))", quoted(value)))
	}
	if got := v.value(name); got != value {
		v.t.Fatalf("%s has %q, want %q", name, got, value)
	}
}

// tick ticks a box.
func (v *visitor) tick(name string) {
	v.t.Helper()
	if v.keys {
		v.reach("field", name)
		v.do(chromedp.KeyEvent(" "))
	} else {
		p := v.find("field", name)
		v.do(chromedp.MouseClickXY(p.X, p.Y))
	}
	if !ask[bool](v, `window.wanted.checked`) {
		v.t.Fatalf("%s is not ticked", name)
	}
}

// mostTabs is how often somebody presses Tab before they give up.
const mostTabs = 120

// reach goes to what is called by a name with the Tab key. Where the focus is
// must be seen all the way.
func (v *visitor) reach(role, name string) {
	v.t.Helper()
	ask[bool](v, fmt.Sprintf("!!(%s)(%s, %s)", finder, quoted(role), quoted(name)))
	for range mostTabs {
		if ask[bool](v, `document.activeElement === window.wanted`) {
			return
		}
		v.do(chromedp.KeyEvent(kb.Tab))
		if lost := ask[string](v, lostFocus); lost != "" {
			v.t.Errorf("on the way to %s the focus is not seen: %s", name, lost)
		}
	}
	v.t.Fatalf("%s is not reached by %d presses of Tab\n%s", name, mostTabs, v.where())
}

// lostFocus says what has the focus, if one cannot see that.
const lostFocus = `(() => {
	const el = document.activeElement;
	if (!el || el === document.body) return '';
	const ring = [el, el.closest('label'), el.parentElement].some(x => {
		if (!x) return false;
		const s = getComputedStyle(x);
		return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0 || s.boxShadow !== 'none';
	});
	const box = el.getBoundingClientRect();
	const inside = box.bottom > 0 && box.top < innerHeight;
	const top = document.elementFromPoint(Math.max(1, box.x + box.width / 2), Math.min(innerHeight - 1, Math.max(1, box.y + box.height / 2)));
	const free = el.contains(top) || top?.contains(el) || [...el.labels ?? []].some(l => l.contains(top));
	return ring && inside && free ? '' : el.outerHTML.slice(0, 200) + (ring ? '' : ' no ring') + (inside ? '' : ' out of the window') + (free ? '' : ' covered by ' + top?.outerHTML?.slice(0, 100));
})()`

// sees fails unless the page shows all the words.
func (v *visitor) sees(words ...string) {
	v.t.Helper()
	text := v.text()
	for _, w := range words {
		if !strings.Contains(text, w) {
			v.t.Fatalf("the page does not show %q\n%s", w, v.where())
		}
	}
}

// seesNot fails if the page shows one of the words.
func (v *visitor) seesNot(words ...string) {
	v.t.Helper()
	text := v.text()
	for _, w := range words {
		if strings.Contains(text, w) {
			v.t.Errorf("the page shows %q\n%s", w, v.where())
		}
	}
}

// text is what the page says, with single spaces.
func (v *visitor) text() string {
	v.t.Helper()
	return ask[string](v, `document.body.textContent.replace(/\s+/g, ' ')`)
}

// path is where the visitor is.
func (v *visitor) path() string {
	v.t.Helper()
	return ask[string](v, `location.pathname`)
}

// until waits for an expression to be true on the page.
func (v *visitor) until(what, expression string) {
	v.t.Helper()
	wait(v.t, what, func() bool { return ask[bool](v, "!!("+expression+")") })
}

// steps shows the second step of whoever has one.
func (v *visitor) steps(address string) {
	v.t.Helper()
	if v.path() != "/sign-in/step" {
		return
	}
	v.fill("Code of your authenticator app", v.site.apps[address].shows(v.t))
	v.goes("Continue")
}

// signsIn goes through the door.
func (v *visitor) signsIn(address, secret string) {
	v.t.Helper()
	v.open("/sign-in")
	v.fill("E-mail", address)
	v.fill("Password", secret)
	v.goes("Sign In")
	v.steps(address)
	if got := v.path(); strings.HasPrefix(got, "/sign-in") {
		v.t.Fatalf("%s is not signed in\n%s", address, v.where())
	}
}
