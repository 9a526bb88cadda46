package e2e

import (
	"fmt"
	"slices"
	"strings"
)

// shape is what matters of where things are on a page.
type shape struct {
	Small   []string // what a finger misses
	Cut     []string // text that is not seen to its end
	Primary float64  // where the first primary action ends, on the page
	Room    float64  // how much of the page is seen at first
}

const readShape = `(() => {
	const shown = el => el.checkVisibility({ visibilityProperty: true }) && el.getClientRects().length > 0 && !el.closest('[inert], .vh, .skip');
	const words = el => el.outerHTML.replace(/\s+/g, ' ').slice(0, 140);
	const least = el => { const b = el.getBoundingClientRect(); return Math.min(b.width, b.height); };
	const reach = el => {
		const boxes = [el, ...el.labels ?? []];
		if (getComputedStyle(el, '::after').position === 'absolute') boxes.push(el.offsetParent);
		return Math.max(...boxes.map(least));
	};
	const pressed = [...document.querySelectorAll('a[href], button, summary, input:not([type=hidden]):not([readonly]), select, textarea')].filter(shown);
	const small = pressed.filter(el => getComputedStyle(el).display !== 'inline' && reach(el) < 43.5);
	const clips = s => s.overflowX !== 'visible' || s.overflowY !== 'visible';
	const says = el => [...el.childNodes].some(n => n.nodeType === 3 && n.data.trim());
	const cut = [...document.querySelectorAll('body *')].filter(shown).filter(el => {
		if (el.matches('textarea, select, option, script')) return false;
		if (!says(el) && !el.matches('input[readonly]')) return false;
		const s = getComputedStyle(el);
		if (el.matches('input') || clips(s)) return el.scrollWidth > el.clientWidth + 1 || el.scrollHeight > el.clientHeight + 2;
		return false;
	});
	const bar = [...document.querySelectorAll('.tabbar')].filter(shown)[0];
	const primary = [...document.querySelectorAll('main .btn.primary')].filter(shown)[0];
	return {
		Small: small.map(el => Math.round(reach(el)) + ' px ' + words(el)), Cut: cut.map(words),
		Primary: primary ? primary.getBoundingClientRect().bottom + scrollY : 0,
		Room: innerHeight - (bar ? bar.getBoundingClientRect().height : 0),
	};
})()`

// long are pages whose primary action comes after what must be read or filled
// in before it.
var long = []string{"invite-new-client", "account-still-there", "recovery-ask", "guardian-new", "guardian-noted", "messages-thread", "messages-files", "messages-settings", "messages-old-page", "messages-waiting",
	"messages-no-microphone", "messages-recording", "messages-spoken", "messages-parcels", "messages-no-room", "messages-no-connection", "messages-checked", "messages-held", "messages-held-parcel", "messages-long", "messages-note-refused", "messages-take-back"}

// shape is what is wrong with where things are.
func (v *visitor) shape(name string) (wrong []string) {
	v.t.Helper()
	s := ask[shape](v, readShape)
	for _, c := range s.Cut {
		wrong = append(wrong, "cut off: "+c)
	}
	if v.width != phone {
		return wrong
	}
	for _, c := range s.Small {
		wrong = append(wrong, "too small for a finger: "+c)
	}
	if name != "" && s.Primary > s.Room && !strings.HasSuffix(name, "-wrong") && !slices.Contains(long, name) {
		wrong = append(wrong, fmt.Sprintf("the primary action ends at %.0f px, want it seen at once, within %.0f", s.Primary, s.Room))
	}
	return wrong
}
