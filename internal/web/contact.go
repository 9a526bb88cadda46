package web

import (
	"context"
	"io"
	"net/url"

	"github.com/a-h/templ"

	"icouch/internal/access"
	"icouch/internal/base/id"
	"icouch/internal/people"
	"icouch/internal/web/parts"
)

// contact is what a client's row, and their page, offers and says: one button,
// and one state. It follows from the facts; see people.Facts.
type contact struct {
	people.Contact
	id     string
	name   string
	may    bool   // the reader may invite
	writes bool   // and looks after the client: they can write to one another
	here   bool   // this is the client's own page
	fresh  bool   // it goes to a page that is open, in place of what is there
	rests  bool   // a letter went just now: the next waits for a minute
	awaits bool   // a letter is on its way: the page is told what becomes of it
	back   string // the list that the button stands in; empty: go to the client
}

func contactOf(c id.Client, of id.Practitioner, name string, is people.Facts, set people.Setting, by access.Actor) contact {
	to := is.Contact(set)
	return contact{Contact: to, rests: to.Action == people.ResendAction && !to.Enabled && !set.NoMail, id: c.String(), name: name, may: by.MayInvite() && !by.OnlyLooks(c, of), writes: looksAfter(by, c, of), awaits: is.OnItsWay() && !set.NoMail}
}

// looksAfter reports whether somebody is one of those who care for a client.
func looksAfter(by access.Actor, c id.Client, of id.Practitioner) bool {
	why := by.Why(c, of)
	return by.MayInvite() && (why == access.Care || why == access.CareTeam)
}

// path is an address of this client's.
func (c *contact) path(rest string) string { return "/people/" + c.id + rest }

// can says which deeds about many apply.
func (c *contact) can() []string {
	if c.Enabled && (c.Action == people.InviteAction || c.Action == people.ResendAction) {
		return canInvite
	}
	return nil
}

var canInvite = []string{"invite"}

var statusKinds = map[people.Shape]parts.StatusKind{
	people.ShapeNone: parts.None, people.ShapeWaiting: parts.Waiting, people.ShapeActive: parts.Active,
	people.ShapeProblem: parts.Trouble, people.ShapeEnded: parts.Ended,
}

// State is how things stand, and what would mend them.
func (c *contact) State() templ.Component { return contactState{c} }

// Act is the one button. Where there is nothing to send any more it says so.
func (c *contact) Act() templ.Component { return contactAct{c} }

// Each is one pointer: a row hands them on as they are.
type (
	contactState struct{ *contact }
	contactMend  struct{ *contact }
	contactAct   struct{ *contact }
)

func (c contactState) Render(_ context.Context, w io.Writer) error { return parts.Render(w, c) }
func (c contactAct) Render(_ context.Context, w io.Writer) error   { return parts.Render(w, c) }

func (c contactState) Draw(p *parts.Pen) {
	s := parts.Status{Kind: statusKinds[c.Shape], Words: c.Status, Detail: c.Help}
	if c.may && c.Mend != people.NoMend {
		s.Mend = contactMend(c)
	}
	p.Put(`<div`)
	p.Attr("id", c.why())
	if c.awaits {
		p.Attr("data-awaits", c.asks())
	}
	p.Put(`>`)
	s.Draw(p)
	p.Put(`</div>`)
}

func (c contactMend) Draw(p *parts.Pen) {
	switch c.Mend {
	case people.AddEmail, people.CheckAddress:
		c.link(p, "/edit#f-email")
	case people.AddConsent:
		parts.ButtonForm{Action: c.path("/consent"), Hidden: c.stays(), Button: parts.Button{Label: string(c.Mend), Hidden: "for " + c.name, Kind: parts.Inline}}.Draw(p)
	case people.CopyTheLink:
		if !c.here {
			c.link(p, "?copy=yes#copy-link")
		}
	}
}

func (c contactMend) link(p *parts.Pen, to string) {
	p.Put(`<a`)
	p.Attr("href", c.path(to))
	p.Put(`>`)
	p.Text(string(c.Mend))
	p.Put(`<span class="vh"> for `)
	p.Text(c.name)
	p.Put(`</span></a>`)
}

// The button has a name where it may change while a page is open: beside a state
// that awaits something.
func (c contactAct) Draw(p *parts.Pen) {
	if !c.here && !c.awaits && !c.fresh {
		c.draw(p)
		return
	}
	p.Put(`<div class="act-of"`)
	p.Attr("id", "act-"+c.id)
	p.Attr("data-as", c.as())
	p.Put(`>`)
	c.draw(p)
	p.Put(`</div>`)
}

// as says in short what is offered: the page leaves a button alone that is the same.
func (c contactAct) as() string {
	if c.Enabled {
		return string(c.Action)
	}
	return "no " + string(c.Action)
}

func (c contactAct) draw(p *parts.Pen) {
	switch {
	case c.Action == people.MessageAction:
		if c.writes {
			parts.ButtonForm{Action: c.path("/message"), Button: parts.Button{Label: string(c.Action), Hidden: "to " + c.name, Small: true, Kind: parts.Quiet, Icon: "message-circle"}}.Draw(p)
		}
	case c.Action == people.NoAction || !c.may:
	case c.here: // it sends the form it stands in, with the practitioner's own line
		if !c.Enabled && c.rests {
			p.Put(`<p class="hint" data-rests>You can send another in a minute.</p>`)
		}
		b := c.button()
		b.Kind, b.Small = parts.Primary, false
		b.Draw(p)
	case c.Enabled:
		c.form().Draw(p)
	default:
		c.button().Draw(p)
	}
}

// button is tinted where a hand is needed.
func (c *contact) button() parts.Button {
	b := parts.Button{Label: string(c.Action), Hidden: c.name, Small: true, Kind: parts.Quiet, Icon: "rotate-cw", Disabled: !c.Enabled}
	if c.Action == people.InviteAction {
		b.Icon, b.Kind = "send", parts.Soft
	}
	if c.Shape == people.ShapeProblem {
		b.Kind = parts.Soft
	}
	if !c.Enabled {
		b.Described = c.why()
	}
	return b
}

func (c *contact) why() string { return "why-" + c.id }

// asks is what a page adds to the address of stateStream for this client.
func (c *contact) asks() string {
	if c.here {
		return "of=" + c.id + "&here=yes"
	}
	if c.back == "" {
		return "of=" + c.id
	}
	return "of=" + c.id + "&back=" + url.QueryEscape(c.back)
}

// post is where the button sends its form.
func (c *contact) post() string {
	if c.Action == people.ResendAction {
		return c.path("/invitation/sendings")
	}
	return c.path("/invitation")
}

func (c *contact) form() parts.ButtonForm {
	return parts.ButtonForm{Action: c.post(), Hidden: c.stays(), Button: c.button()}
}

// stays leads back to the list that a button stands in.
func (c *contact) stays() []parts.Pair {
	if c.back == "" {
		return nil
	}
	return []parts.Pair{{Name: "back", Value: c.back}}
}
