package parts

import (
	"fmt"
	"strconv"

	"github.com/a-h/templ"

	"icouch/internal/web/assets"
)

// Shell is what the frame around a page needs to know.
type Shell struct {
	Brand    string   // the product's name as this installation shows it
	Title    string   // what kind of page; never a name, a subject or a form's title
	Problems Problems // any at all puts "Error:" before the title
	Theme    string   // "light", "dark", or "" to follow the device
	Person   string   // who is signed in; "" in a doorway
	Home     string   // where the brand leads; "/" when empty
	Nav      []NavLink
	Places   []Place // more than one shows the switcher
	Picture  Picture // the other half of a doorway on a wide screen
	Leave    string  // a harmless site for "Leave this page"; "" shows no such link
	Toast    *Toast
	Idle     int      // seconds until whoever does nothing is signed out; 0: never
	Ends     int      // seconds until everybody is
	Swaps    bool     // the page uses hx- attributes
	Modules  []string // further modules by name, "week-grid"
}

// NavLink is one way to go, in the sidebar and on the phone's bar.
type NavLink struct {
	Label   string
	Href    string
	Icon    string
	Current bool
	Count   int    // shown in clay when above zero
	Counted string // what is counted, for those who do not see it: "unread"
	Break   bool   // a line stands above it in the sidebar
	InMore  bool   // on a phone it stands in the More sheet
}

// Place is one record that a client's account reaches: their own or that of
// someone they act for, at one practice.
type Place struct {
	Value   string // what POST /switch gets as "place"
	Label   string
	Current bool
}

// Picture is the words beside a doorway.
type Picture struct {
	Words  string
	Points []Point
}

// Point is one fact with its icon.
type Point struct{ Icon, Words string }

// frame is a Shell as it is drawn. What every page embeds has no methods: each of
// a hundred pages would get its own copy of them, and the compiler five times
// its work.
type frame Shell

// mostTabs is how many links fit on a phone's bar beside More.
const mostTabs = 4

func (s frame) title() string {
	t := s.Title + " · " + s.Brand
	if len(s.Problems) > 0 {
		return "Error: " + t
	}
	return t
}

func (s frame) home() string {
	if s.Home == "" {
		return "/"
	}
	return s.Home
}

// tabs are the links of the phone's bar; rest are those of its More sheet.
func (s frame) tabs() (bar, rest []NavLink) {
	for _, l := range s.Nav {
		if l.InMore || len(bar) == mostTabs {
			rest = append(rest, l)
		} else {
			bar = append(bar, l)
		}
	}
	return bar, rest
}

// inMore reports whether the current page is one of the sheet's.
func inMore(rest []NavLink) bool {
	for _, l := range rest {
		if l.Current {
			return true
		}
	}
	return false
}

// counted is what a screen reader says for a number beside a link.
func (l NavLink) counted() string {
	if l.Counted == "" {
		return fmt.Sprint(l.Count)
	}
	return fmt.Sprintf("%d %s", l.Count, l.Counted)
}

// htmxConfig: the gate first, and only what the server means to be shown is.
const htmxConfig = `{"extensions":"hx-csp,sse","includeIndicatorCSS":false,"noSwap":[204,304,"4xx","5xx"]}`

func asset(name string) string { return assets.Load().URL(name) }

func importMap() templ.JSONScriptElement {
	return templ.JSONScript("importmap", assets.Load().ImportMap()).WithType("importmap").WithNonceFrom(templ.GetNonce)
}

// session tells the page's script how long the reader stays signed in.
func (s frame) session() templ.Attributes {
	if s.Idle <= 0 {
		return nil
	}
	return filled("data-idle", strconv.Itoa(s.Idle), "data-ends", strconv.Itoa(s.Ends))
}
