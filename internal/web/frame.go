package web

import (
	"net/http"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/people"
	"icouch/internal/web/parts"
)

// frame returns the page of somebody who is signed in, with their links, their
// name and their places. Current is the link under which the page stands:
// "/people". A guest gets the page of the door. Draw it with framed.
func (s *Site) frame(r *http.Request, by access.Actor, title, current string) (Page, error) {
	p := s.page(r, title)
	if !by.SignedIn() {
		return p, nil
	}
	p.work = by.AtWork() || supporters(by)
	k := visitOf(r).known
	if err := k.frameOf(r.Context(), s.DB); err != nil {
		return p, err
	}
	unread, err := k.countUnread(r.Context(), s.DB)
	if err != nil {
		return p, err
	}
	p.Nav, p.unread = navOf(by, current, unread), unread
	session := visitOf(r).session
	p.Idle = int((session.Idle - time.Minute).Seconds()) // its last use may have been noted up to a minute ago
	p.Ends = int(session.EndsAt.Sub(s.DB.Clock()).Seconds())
	p.Person, p.Places = k.account.Name, switcher(k.places, k.supports, by)
	if len(p.Places) > 0 { // the switcher is drawn, with the names of those one acts for
		people.SawNames(r.Context(), by, openPlaces(k.places))
	}
	if current == "/dashboard" {
		p.Closing = closingNotice(k.practice, by)
	}
	return p, nil
}

// navOf is where somebody can go.
func navOf(by access.Actor, current string, unread int) []parts.NavLink {
	var links []parts.NavLink
	switch {
	case supporters(by):
		links = append(links, parts.NavLink{Label: "Support", Href: "/support", Icon: "life-buoy"})
	case by.Role() != access.Waiting:
		links = append(links, parts.NavLink{Label: "Dashboard", Href: "/dashboard", Icon: "layout-dashboard"})
	}
	if by.MaySeePeople() {
		links = append(links, parts.NavLink{Label: "People", Href: "/people", Icon: "users"})
	}
	if writers(by) {
		links = append(links, parts.NavLink{Label: "Messaging", Href: "/messages", Icon: "message-circle", Count: unread, Counted: "unread"})
	}
	links = append(links, parts.NavLink{Label: "Settings", Href: "/settings", Icon: "settings"})
	for i := range links {
		links[i].Current = links[i].Href == current
	}
	return links
}

// switcher lists the places that are open, if there is more than one. Whoever
// is in none of them now is not told that they are in the first.
func switcher(all []people.Place, supports bool, by access.Actor) []parts.Place {
	if supporters(by) { // from there the one way is out of it, and no place is named
		return nil
	}
	var offered []parts.Place
	nowhere := true
	for _, p := range openPlaces(all) {
		here := p.Place.Practice == by.Practice() && p.Place.Client == by.Client()
		offered = append(offered, parts.Place{Value: placeValue(p.Place), Label: placeLabel(p), Current: here})
		nowhere = nowhere && !here
	}
	if supports {
		offered = append(offered, parts.Place{Value: supportPlace, Label: "Support"})
	}
	if len(offered) < 2 {
		return nil
	}
	if nowhere {
		return append([]parts.Place{{Label: "Nothing yet: choose", Current: true}}, offered...)
	}
	return offered
}

// openPlaces are those that can be entered now.
func openPlaces(all []people.Place) (some []people.Place) {
	for _, p := range all {
		if !p.Ended {
			some = append(some, p)
		}
	}
	return some
}

// placeValue is what POST /switch gets.
func placeValue(p account.Place) string { return p.Practice.String() + "/" + p.Client.String() }

func placeLabel(p people.Place) string {
	if p.Work {
		return p.Practice + " (work)"
	}
	if p.For {
		return "For " + p.Name + " at " + p.Practice
	}
	return p.Name + " at " + p.Practice
}
