package web

import (
	"errors"
	"net/http"
	"strings"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/civil"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/support"
)

// PlacesPage is where a person may act, and what has ended. It works on a phone
// and without script.
type PlacesPage struct {
	Page
	Heading, Lede string
	Open          []PlaceLine
	Ended         []PlaceLine
	waits, acts   bool          // one of those opens on a day; all of those are for others
	closed        *people.Place // in a practice that has closed: the one they were in, or else the first
	need          *need         // whom to call, for a client whose place has ended
	MayFound      bool          // signed up as a practitioner, and has no practice yet
}

// PlaceLine is one of them.
type PlaceLine struct {
	Value, Label, Note string
	Current            bool
}

// noPlace is the dashboard of somebody who is in no place just now.
func (s *Site) noPlace(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	p, err := s.placesPage(r, by, "Dashboard", "/dashboard")
	if err != nil {
		return err
	}
	k := visitOf(r).known
	was := endedPlace(k.places, k.session)
	if was == nil && p.closed != nil && !p.closed.Work && !p.closed.For {
		was = p.closed
	}
	if was != nil {
		p.need = needAt(zoneOr(k.account.Zone, was.Zone), was.Zone)
	}
	switch {
	case p.closed != nil && (len(p.Open) == 0 || p.closed.Place.Practice == visitOf(r).session.Practice):
		p.hasClosed()
	case len(p.Open) > 0:
		p.Heading, p.Lede = "Where do you want to go?", "The place you were in is not open to you any more. These are."
	case len(p.Ended) > 0 && p.waits:
		p.Heading, p.Lede = "Nothing is open just now", "This opens on the day below."
	case len(p.Ended) > 0 && p.acts:
		p.Heading, p.Lede = "Nothing is open just now", "What was opened to you is closed. Your account stays yours. If you think this is a mistake, ask the practice."
	case len(p.Ended) > 0:
		p.Heading, p.Lede = "Nothing is open just now", "Care has ended, so the practice has closed this place. Your account stays yours. If you want to know who looked at your record, or think this is a mistake, ask the practice."
	default:
		p.Heading, p.Lede, p.MayFound = "You have no practice yet", "Create yours to invite clients. Are you a client? Open the link in the e-mail from your practice instead.", true
	}
	return s.show(w, r, http.StatusOK, p.View())
}

// tellEnd says on p, to a former client who is in no place any more, when their
// access ended and whom to ask. It says so whatever address was asked for, and
// only what their own dashboard says: nobody learns by it what there is.
func (s *Site) tellEnd(r *http.Request, p *ErrorPage) bool {
	v := visitOf(r)
	if v.actor.Role() != access.Person || v.known == nil || v.known.frameOf(r.Context(), s.DB) != nil {
		return false
	}
	place := endedPlace(v.known.places, v.session)
	if place == nil {
		return false
	}
	p.Shell.Title, p.Heading = "Not open", "Your access has ended"
	p.Words = "Care ended on " + civil.Day(s.DB.Clock(), place.EndsAt.Add(-1), zoneOr(v.known.account.Zone, place.Zone)) + ", so what " + place.Practice + " had opened to you here is closed."
	p.Words += " If you have a question, want to know who looked at your record, or think this is a mistake, contact the practice the way you did before. Your account stays yours."
	p.Need = needAt(zoneOr(v.known.account.Zone, place.Zone), place.Zone)
	return true
}

// endedPlace is the record of their own that somebody was in, if care there has
// ended; or the first such one, if nothing at all is open to them.
func endedPlace(all []people.Place, at account.Session) (first *people.Place) {
	open := false
	for _, p := range all {
		open = open || !p.Ended
		if p.Work || p.For || !p.Ended || p.EndsAt == nil || p.Closed != nil {
			continue
		}
		if p.Place.Practice == at.Practice && p.Place.Client == at.Client {
			return &p
		}
		if first == nil {
			first = &p
		}
	}
	if open {
		return nil
	}
	return first
}

// hasClosed says to whoever worked in a practice, or was its client, that it is
// over, and what has become of what it noted.
func (p *PlacesPage) hasClosed() {
	p.Heading = "This practice has closed"
	p.Lede = "The last day of " + p.closed.Practice + " here was " + p.closed.LastDay().InWords(civil.Date{}) + ". Nobody can open it any more. Nothing was deleted: what it has noted is kept, as the law requires."
	switch {
	case p.closed.Work:
		p.Lede += " Your account stays yours."
	default:
		p.Lede += " For a copy, or to ask what happens next, contact the practice the way you did before. Your account stays yours."
	}
}

// GET /places
func (s *Site) places(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	p, err := s.placesPage(r, by, "Places", "")
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, p.View())
}

func (s *Site) placesPage(r *http.Request, by access.Actor, title, current string) (*PlacesPage, error) {
	frame, err := s.frame(r, by, title, current)
	if err != nil {
		return nil, err
	}
	p := &PlacesPage{Page: frame, Heading: "Your places", Lede: "One account can open several: your own records, those of people you act for, and a practice you work in."}
	err = s.DB.View(r.Context(), func(tx *db.Tx) error {
		all, err := people.Places(tx, by)
		if err != nil {
			return err
		}
		me, err := account.Of(tx, by)
		if err != nil {
			return err
		}
		p.acts = true
		people.SawNames(r.Context(), by, all)
		for _, place := range all {
			if place.Closed != nil && (p.closed == nil || place.Place.Practice == visitOf(r).session.Practice) {
				p.closed = &place
			}
			p.add(place, by, me.Zone, s)
			p.waits = p.waits || place.OpensAt != nil
			p.acts = p.acts && place.For
		}
		if supports, err := support.Is(tx, by); err != nil || !supports {
			return err
		}
		p.Open = append(p.Open, PlaceLine{Value: supportPlace, Label: "Support", Note: "You help people who cannot sign in or are in the wrong kind of account"})
		return nil
	})
	return p, err
}

func (p *PlacesPage) add(place people.Place, by access.Actor, zone string, s *Site) {
	l := PlaceLine{Value: placeValue(place.Place), Label: place.Name, Note: "at " + place.Practice}
	if place.For {
		l.Label = "For " + place.Name
	}
	if place.Work {
		l.Label, l.Note = place.Practice, "You work here"
	}
	switch {
	case place.Closed != nil:
		l.Note += ". The practice has closed. Its last day here was " + place.LastDay().InWords(civil.DateOf(s.DB.Clock(), place.Zone)) + "."
		if place.Work {
			l.Note = "You worked here. Its last day was " + place.LastDay().InWords(civil.DateOf(s.DB.Clock(), place.Zone)) + "."
		}
		p.Ended = append(p.Ended, l)
		return
	case place.OpensAt != nil:
		z := zoneOr(zone, place.Zone)
		l.Note += ". Opens " + civil.MomentZone(s.DB.Clock(), place.OpensAt.Time, z) + "."
		p.Ended = append(p.Ended, l)
		return
	case place.Ended && place.For:
		l.Note += ". It is not open to you any more. If you think this is a mistake, ask the practice."
		p.Ended = append(p.Ended, l)
		return
	}
	if place.Ended && place.EndsAt == nil {
		l.Note += ". It is not open to you yet. Ask the practice from when it is."
		p.Ended = append(p.Ended, l)
		return
	}
	if place.Ended {
		z := zoneOr(zone, place.Zone)
		l.Note += ". Care ended " + civil.MomentZone(s.DB.Clock(), place.EndsAt.Time, z) + "."
		p.Ended = append(p.Ended, l)
		return
	}
	l.Current = place.Place.Practice == by.Practice() && place.Place.Client == by.Client()
	p.Open = append(p.Open, l)
}

// POST /switch
func (s *Site) switchPlace(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	err = s.DB.Update(r.Context(), func(tx *db.Tx) error {
		if form.Get("place") == supportPlace {
			return support.Begin(tx, by, visitOf(r).token)
		}
		to, err := placeOf(form.Get("place"))
		if err != nil {
			return err
		}
		return people.Choose(tx, by, visitOf(r).token, to)
	})
	if err == nil {
		return see(w, r, "/dashboard")
	}
	if errors.Is(err, account.ErrSignedOut) {
		return see(w, r, "/sign-in")
	}
	if _, _, isFault := fault.As(err); !isFault {
		return err
	}
	p, e := s.placesPage(r, by, "Places", "")
	if e != nil {
		return e
	}
	return s.answerForm(w, r, &p.Page, err, p.View)
}

// placeOf reads what placeValue wrote. What cannot be a place is none of the
// person's.
func placeOf(s string) (p account.Place, err error) {
	practice, client, _ := strings.Cut(s, "/")
	if p.Practice, err = id.Parse[id.Practice](practice); err != nil {
		return account.Place{}, people.ErrNoPlace
	}
	if client == "" {
		return p, nil
	}
	if p.Client, err = id.Parse[id.Client](client); err != nil {
		return account.Place{}, people.ErrNoPlace
	}
	return p, nil
}
