package web

import (
	"icouch/internal/access"
	"icouch/internal/base/id"
	"icouch/internal/people"
	"icouch/internal/web/parts"
)

// contact is what a client's row, and their page, offers and says: one button,
// and one state. It follows from the facts; see people.Facts.
type contact struct {
	people.Contact
	id   string
	name string
	may  bool   // the reader may invite
	here bool   // this is the client's own page
	back string // the list that the button stands in; empty: go to the client
}

func contactOf(c id.Client, name string, is people.Contact, by access.Actor) contact {
	return contact{Contact: is, id: c.String(), name: name, may: by.MayInvite()}
}

// path is an address of this client's.
func (c contact) path(rest string) string { return "/people/" + c.id + rest }

// can says which deeds about many apply.
func (c contact) can() []string {
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

func (c contact) status() parts.Status {
	return parts.Status{Kind: statusKinds[c.Shape], Words: c.Status, Detail: c.Help}
}

// button is tinted where a hand is needed.
func (c contact) button() parts.Button {
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

func (c contact) why() string { return "why-" + c.id }

// post is where the button sends its form.
func (c contact) post() string {
	if c.Action == people.ResendAction {
		return c.path("/invitation/sendings")
	}
	return c.path("/invitation")
}

func (c contact) form() parts.ButtonForm {
	f := parts.ButtonForm{Action: c.post(), Button: c.button()}
	if c.back != "" {
		f.Hidden = []parts.Pair{{Name: "back", Value: c.back}}
	}
	return f
}

func (c contact) mend(label, path string) parts.ButtonForm {
	return parts.ButtonForm{Action: c.path(path), Button: parts.Button{Label: label, Hidden: "for " + c.name, Kind: parts.Inline}}
}
