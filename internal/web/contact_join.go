package web

import (
	"strings"
	"time"

	"icouch/internal/access"
	"icouch/internal/base/civil"
	"icouch/internal/base/secret"
	contacts "icouch/internal/contact"
	"icouch/internal/platform/db"
	"icouch/internal/web/parts"
)

// contactPassage is the way of a client's contact who is invited. Its pages name
// no client: whoever holds a letter may be anybody. For whom it is they see when
// they have signed in.
var contactPassage = passage{
	path: "/contact/",
	picture: parts.Picture{Words: "A private place to act for somebody else.", Points: []parts.Point{
		{Icon: "shield-check", Words: "Everything in it is encrypted"},
		{Icon: "users", Words: "You see what was opened to you, and no more"},
		{Icon: "history", Words: "It ends automatically on the day that was set"},
	}},
	look: lookAsContact, signUp: contacts.SignUp, accept: contacts.Accept, renew: contacts.Renew,
}

func lookAsContact(s *Site, tx *db.Tx, by access.Actor, token secret.Token) (passing, error) {
	o, err := contacts.Look(tx, by, token)
	p := passing{Offer: o.Offer, holder: o.Holder, to: "act for somebody else at " + o.Practice.Name}
	if err != nil || o.Fault() != nil {
		return p, err
	}
	p.lede = o.Inviter + " at " + o.Practice.Name + " invites you to act for somebody else on " + s.House.Brand + ": to open their " + rightsWords(o.Rights)
	now := s.DB.Clock()
	if o.Begins != nil {
		p.lede += ", from " + civil.Day(now, o.Begins.Time, o.Practice.Zone)
	}
	if !o.Until.IsZero() {
		p.lede += ", until " + civil.Day(now, o.Until.Add(-time.Minute), o.Practice.Zone)
	}
	p.lede += ". For whom it is you see after that."
	return p, nil
}

// capital begins a sentence.
func capital(words string) string {
	if words == "" {
		return ""
	}
	return strings.ToUpper(words[:1]) + words[1:]
}
