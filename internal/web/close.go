package web

import (
	"net/http"

	"icouch/internal/access"
	"icouch/internal/base/civil"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/web/parts"
)

func closers(a access.Actor) bool { return a.May(access.Close) }

// closePath is where an owner closes the practice, or takes that back.
const closePath = "/settings/practice/close"

// ClosePage asks for the last day of a practice, and says what closes and what
// must stay; or, once that is set, how it stands.
type ClosePage struct {
	Page
	Done     *parts.Notice
	on       string // the day as typed
	practice people.Practice
	by       string // the owner who has set the day
	first    civil.Date
	today    civil.Date
}

func (p ClosePage) closes() bool { return p.practice.ClosesAt != nil }

func (p ClosePage) lede() string {
	if p.closes() {
		return p.practice.Name
	}
	return p.practice.Name + ". You choose the last day; until then each owner can take it back."
}

// set says who has set which day.
func (p ClosePage) set() parts.Notice {
	words := "Until the end of that day everything is as it was, and each owner can take this back."
	if p.by != "" {
		words = p.by + " has set it. " + words
	}
	return parts.Notice{Tone: parts.Warn, Title: "The last day is " + lastDayWords(p.practice), Words: words}
}

func (p ClosePage) hint() string {
	return "The earliest is " + p.first.InWords(p.today) + ", 30 days from today: clients need the time. Everything closes at the end of the day you choose."
}

// lastDayWords is the last day of a practice with its year, or "".
func lastDayWords(p people.Practice) string {
	if p.ClosesAt == nil {
		return ""
	}
	return p.LastDay().InWords(civil.Date{})
}

// closingNote stands under the heading of the card that leads here.
func closingNote(lastDay string) string {
	if lastDay == "" {
		return "On a day that you set, at least 30 days ahead. What the law requires you to keep is kept."
	}
	return "The last day is " + lastDay + "."
}

// closingNotice tells everybody whom a practice concerns that it has a last day.
func closingNotice(p people.Practice, by access.Actor) *parts.Notice {
	day := lastDayWords(p)
	switch {
	case day == "":
		return nil
	case closers(by):
		return &parts.Notice{Tone: parts.Warn, Title: "The last day of this practice is " + day, Words: "Each owner can take that back until then, under Settings, Practice."}
	case by.AtWork():
		return &parts.Notice{Tone: parts.Warn, Title: "The last day of this practice is " + day, Words: "Nobody can open it from the day after. An owner has set that; ask them what it means for your clients."}
	}
	return &parts.Notice{Tone: parts.Info, Title: p.Name + " closes on " + day, Words: "Until the end of that day everything is open as before. Save what you want to keep, and ask the practice what happens next for you."}
}

// chooseClose is GET /settings/practice/close. The form is shown to who has
// shown who they are, so that nothing typed is lost on the way.
func (s *Site) chooseClose(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	p, err := s.closePage(r, by)
	if err != nil {
		return err
	}
	if !p.closes() {
		if ok, err := s.proved(w, r, closePath); !ok {
			return err
		}
	}
	p.Done = saidAs(r.URL.Query().Get("said"))
	return s.show(w, r, http.StatusOK, p.View())
}

func (s *Site) closePage(r *http.Request, by access.Actor) (p ClosePage, err error) {
	if p.Page, err = s.frame(r, by, "Close the practice", "/settings"); err != nil {
		return p, err
	}
	err = s.DB.View(r.Context(), func(tx *db.Tx) error {
		if p.practice, err = people.PracticeOf(tx, by); err != nil {
			return err
		}
		p.first, p.today = p.practice.FirstLastDay(tx.Now()), civil.DateOf(tx.Now().Time, p.practice.Zone)
		all, err := people.Practitioners(tx, by)
		for _, m := range all {
			if m.Account == p.practice.ClosingBy {
				p.by = m.Name
			}
		}
		return err
	})
	return p, err
}

// closePractice is POST /settings/practice/close.
func (s *Site) closePractice(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	if ok, err := s.proved(w, r, closePath); !ok {
		return err
	}
	last, err := civil.ParseDate(form.Get("on"))
	if err != nil {
		err = people.ErrNoLastDay
	} else {
		err = s.DB.Update(r.Context(), func(tx *db.Tx) error { return people.ClosePractice(tx, by, last) })
	}
	if err == nil {
		return see(w, r, closePath+"?said=closes")
	}
	return s.closeAgain(w, r, by, form.Get("on"), err)
}

// keepPractice is POST /settings/practice/close/withdrawal. To take it back, one
// need not show who one is: that only ever leaves things as they were.
func (s *Site) keepPractice(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if err := typed(r); err != nil {
		return err
	}
	err := s.DB.Update(r.Context(), func(tx *db.Tx) error { return people.KeepPractice(tx, by) })
	if err == nil {
		return see(w, r, "/settings/practice?said=goes-on")
	}
	return s.closeAgain(w, r, by, "", err)
}

func (s *Site) closeAgain(w http.ResponseWriter, r *http.Request, by access.Actor, on string, wrong error) error {
	told, status := problemsOf(wrong)
	if told == nil {
		return wrong
	}
	p, err := s.closePage(r, by)
	if err != nil {
		return err
	}
	p.on = on
	p.tell(told)
	return s.show(w, r, status, p.View())
}
