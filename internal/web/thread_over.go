package web

import (
	"icouch/internal/base/civil"
	"icouch/internal/chat"
)

// unreached is why nobody would read what is written here, as far as it is known.
func (p ThreadPage) unreached() string {
	const stays = " What was written stays here."
	switch {
	case p.chat.Over != nil:
		return "Care ended on " + civil.Day(p.reader.Now.Time, p.chat.Over.Time, p.reader.Zone) + ", so " + p.title + " can neither read nor write here." + stays
	case p.chat.Kind == chat.Colleagues:
		return p.title + " does not work here any more, so nobody would read what you write." + stays
	case p.reader.by.AtWork():
		return p.title + " has no account that opens this place any more, so they cannot read what you write." + stays
	case p.chat.Kind == chat.WithClient:
		return p.title + " does not look after you now, so they would not read what you write. Choose New Conversation to see whom you can write to." + stays
	}
	return chat.ErrUnreached.Public
}
