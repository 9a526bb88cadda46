package web

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"icouch/internal/access"
	"icouch/internal/base/civil"
	"icouch/internal/base/email"
	"icouch/internal/base/fault"
	contacts "icouch/internal/contact"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/platform/limit"
	"icouch/internal/team"
	"icouch/internal/web/parts"
)

// A link that does not work says what became of it, and when, and offers a new
// one. The new one goes to the address that was invited and to no other. These
// pages show no name and no address: whoever has an old letter may be anybody.

// How often a new link may be asked for.
var (
	renewLinkRule    = limit.Rule{Name: "join/link", Most: 3, Per: time.Hour}
	renewMailboxRule = limit.Rule{Name: "join/mailbox", Most: 3, Per: time.Hour}
	renewFromRule    = limit.Rule{Name: "join/from", Most: 20, Per: time.Hour}
	signUpRule       = limit.Rule{Name: "join/sign_up/from", Most: 60, Per: 15 * time.Minute} // each costs a password hash, and may use no link up
)

// DeadLinkPage says why a link does not work, and the way on.
type DeadLinkPage struct {
	Page
	Heading, Lede string
	Ask           string // where a new link is asked for; empty: by address
	AskHint       string
	Used          bool
	Email         string // as typed
}

// deadLink shows the page of a link that does not work.
func (s *Site) deadLink(w http.ResponseWriter, r *http.Request, by access.Actor, o people.Offer, why error) error {
	if !isDead(why) {
		return why
	}
	p := s.deadLinkPage(r, by, o, why)
	return s.show(w, r, statusOf(why), p.View())
}

func (s *Site) deadLinkPage(r *http.Request, by access.Actor, o people.Offer, why error) *DeadLinkPage {
	p := &DeadLinkPage{Page: s.page(r, "Your invitation"), Ask: linkPath(r) + "/new-link", AskHint: "It goes to the address that was invited, and to no other."}
	p.Picture = invitationPicture
	ended := s.on(o)
	switch {
	case errors.Is(why, people.ErrLinkExpired):
		p.Heading = "This link has ended"
		p.Lede = "It ended on " + civil.MomentZone(s.DB.Clock(), o.ExpiresAt.Time, o.Zone) + ". You can have a new one."
	case errors.Is(why, people.ErrLinkReplaced) && o.Newer == people.NewerWithdrawn:
		p.withdrawn("")
	case errors.Is(why, people.ErrLinkReplaced) && o.Newer == people.NewerUsed:
		p.used("")
	case errors.Is(why, people.ErrLinkReplaced) && o.Newer == people.NewerByHand:
		p.Heading = "There is a newer link"
		p.Lede = "Your practice made a newer link for you" + ended + ", so this one no longer works. Ask them for it, or have one sent by e-mail."
	case errors.Is(why, people.ErrLinkReplaced):
		p.Heading = "There is a newer link"
		p.Lede = "A newer link was sent" + ended + ", so this one no longer works. Look for the newest e-mail from your practice, or have another sent."
	case errors.Is(why, people.ErrLinkUsed):
		p.used(ended)
	case errors.Is(why, people.ErrLinkWithdrawn):
		p.withdrawn(ended)
	default:
		s.lost(p)
		p.Heading = "This link does not work any more"
	}
	return p
}

func (p *DeadLinkPage) used(on string) {
	p.Heading, p.Used = "This invitation was used", true
	p.Lede = "It was used" + on + ". If that was you, sign in with your e-mail address and the password you chose."
	p.AskHint = "Not sure? We send the way to sign in to the address that was invited, and to no other."
	if p.Home == "/dashboard" { // they are signed in already
		p.Lede = "It was used" + on + ". You are signed in."
	}
}

func (p *DeadLinkPage) withdrawn(on string) {
	p.Heading = "This invitation was withdrawn"
	p.Lede = "It was withdrawn" + on + ". You can ask for a new one."
	p.AskHint = "Your practice will be asked first."
}

// lost makes the page that of somebody who has nothing but their address.
func (s *Site) lost(p *DeadLinkPage) {
	p.Heading, p.Ask = "Find your invitation", ""
	p.Lede = "Enter the e-mail address that was invited, and have a new link sent to it."
}

// on is the moment a link ended, " on Tue 24 Nov, 2:14 pm, New York time", as
// far as it is known.
func (s *Site) on(o people.Offer) string {
	if o.EndedAt == nil {
		return ""
	}
	return " on " + civil.MomentZone(s.DB.Clock(), o.EndedAt.Time, o.Zone)
}

// POST /join/{link}/new-link
//
// A link that works is not replaced by pressing: there is no such button on
// its page, and mail filters press what they find.
func (s *Site) joinRenew(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	o, why := s.offer(r, by)
	if why == nil {
		return see(w, r, linkPath(r))
	}
	if !isDead(why) {
		return why
	}
	err := s.renew(r, renewLinkRule, fmt.Sprintf("%x", linkOf(r).Hash()), func(tx *db.Tx) error { return people.Renew(tx, by, linkOf(r)) })
	if err == nil {
		return see(w, r, askedPath(o.Newer, why))
	}
	p := s.deadLinkPage(r, by, o, why)
	return s.answerForm(w, r, &p.Page, err, p.View)
}

// GET /join/lost
func (s *Site) joinLost(w http.ResponseWriter, r *http.Request, _ access.Actor) error {
	p := s.lostPage(r)
	return s.show(w, r, http.StatusOK, p.View())
}

// POST /join/lost
func (s *Site) joinRenewByAddress(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	p := s.lostPage(r)
	p.Email = form.Get("email")
	a, err := email.Parse(p.Email)
	if err == nil {
		err = s.renew(r, renewMailboxRule, a.CountingKey(), func(tx *db.Tx) error {
			if err := people.WishRenewal(tx, access.Guest(), a); err != nil {
				return err
			}
			if err := contacts.WishRenewal(tx, access.Guest(), a); err != nil {
				return err
			}
			return team.WishRenewal(tx, access.Guest(), a)
		})
	} else {
		err = fault.At("email", err)
	}
	if err == nil {
		return see(w, r, "/join/sent")
	}
	return s.answerForm(w, r, &p.Page, err, p.View)
}

func (s *Site) lostPage(r *http.Request) *DeadLinkPage {
	p := &DeadLinkPage{Page: s.page(r, "Your invitation")}
	p.Picture = invitationPicture
	s.lost(p)
	return p
}

// renew asks for a new link, unless that was too often: from one place, or for
// one person. It counts the same whether or not there is anybody to write to.
func (s *Site) renew(r *http.Request, rule limit.Rule, who string, ask func(*db.Tx) error) error {
	if err := s.Limits.Take(r.Context(), renewFromRule, s.from(r)); err != nil {
		return err
	}
	if err := s.Limits.Take(r.Context(), rule, who); err != nil {
		return err
	}
	return s.DB.Update(r.Context(), ask)
}

// askedPath is the answer to who asked for a new link. Of one that was
// withdrawn, its page has said that already.
func askedPath(newer people.Newer, why error) string {
	if errors.Is(why, people.ErrLinkWithdrawn) || errors.Is(why, people.ErrLinkReplaced) && newer == people.NewerWithdrawn {
		return "/join/sent?said=asked"
	}
	return "/join/sent"
}

// AskedPage is the answer to everybody who asked for a new link.
type AskedPage struct {
	Page
	Practice bool // the practice is asked first: the link had been withdrawn
}

// GET /join/sent
func (s *Site) joinSent(w http.ResponseWriter, r *http.Request, _ access.Actor) error {
	p := AskedPage{s.page(r, "Your invitation"), r.URL.Query().Get("said") == "asked"}
	p.Picture = invitationPicture
	return s.show(w, r, http.StatusOK, p.View())
}

// askKind: signing in comes first where it is the way on.
func (p *DeadLinkPage) askKind() parts.ButtonKind {
	if p.Used {
		return parts.Secondary
	}
	return parts.Primary
}
