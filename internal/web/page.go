package web

import (
	"net/http"

	"icouch/internal/access"
	"icouch/internal/base/fault"
	"icouch/internal/web/parts"
)

// Page is what every page has: the frame, and what is wrong with its form.
type Page struct {
	parts.Shell
	work    bool          // the reader is at work in a practice, or in support: see framed
	unread  int           // messages
	Closing *parts.Notice // the practice has a last day: on the first page
}

// page returns the frame for whoever asks.
func (s *Site) page(r *http.Request, title string) Page {
	return Page{Shell: parts.Shell{Brand: s.House.Brand, Title: title, Home: home(visitOf(r).actor)}}
}

func home(a access.Actor) string {
	if a.SignedIn() {
		return "/dashboard"
	}
	return "/"
}

// tell puts what went wrong into the page's form.
func (p *Page) tell(told []fault.Told) {
	for _, t := range told {
		p.Problems = append(p.Problems, parts.Problem{Name: t.Field, Words: t.Sentence})
	}
}

// ErrorPage says what went wrong, in a fault's words or in ours.
type ErrorPage struct {
	Page
	Status         int
	Heading, Words string
	Reference      string // to find the log line by
	Need           *need  // whom to call: for who has just lost their place
}

// way is the words of the one button on an error page.
func (p ErrorPage) way() string {
	switch p.Home {
	case "/dashboard":
		return "Go to the dashboard"
	case "/places":
		return "Go to your places"
	}
	return "Go to the start"
}
