package web

import (
	"net/http"
	"time"

	"icouch/internal/access"
	"icouch/internal/base/at"
	"icouch/internal/base/civil"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/chat"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/web/parts"
)

// What people are told about the day.
var (
	errNoDay   = fault.On("on", fault.Invalid, "Choose the day on which care ends.")
	errPastDay = fault.On("on", fault.Invalid, "Choose today or a later day.")
	errFarDay  = fault.On("on", fault.Invalid, "Choose a day within the next five years.")
)

// EndCarePage asks when care ends, and says what closes.
type EndCarePage struct {
	Page
	client people.Client
	on     string // the day as typed
	today  civil.Date
	glass  *glass
	unread []chat.Summary // conversations with them that hold something new to the reader
	wrote  bool           // the reader has one with them
}

func (p EndCarePage) path(rest string) string { return "/people/" + p.client.ID.String() + rest }

// closes are the consequences, one a line.
func (p EndCarePage) closes() []string {
	all := []string{"An invitation that is still open is withdrawn at once."}
	if p.client.Account != nil {
		all = []string{"Their account no longer opens this record from then on. Whatever else the account opens stays open.", "Messages with them end: they can neither read nor write any from then on, and you keep what was written."}
	}
	return append(all, "Whoever could open a part of it for them, such as a parent or a guardian, cannot any more.", "The record stays with the practice, under “Ended” in the list.", "We do not tell the client: please tell them yourself.", "You can take this back at any time.")
}

// GET /people/{client}/end
func (s *Site) chooseEnd(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	p, err := s.endCarePage(r, by)
	if err != nil {
		return err
	}
	p.on = p.today.String()
	return s.show(w, r, http.StatusOK, p.View())
}

func (s *Site) endCarePage(r *http.Request, by access.Actor) (p EndCarePage, err error) {
	client, err := pathID[id.Client](r, "client")
	if err != nil {
		return p, err
	}
	err = s.DB.View(r.Context(), func(tx *db.Tx) error {
		if p.client, err = people.Find(tx, by, client); err != nil {
			return err
		}
		if p.glass, err = glassOf(tx, by, client); err != nil {
			return err
		}
		if err := p.readUnread(tx, by); err != nil {
			return err
		}
		is, err := s.readerIn(tx, by)
		p.today = is.today()
		return err
	})
	if err != nil {
		return p, err
	}
	p.Page, err = s.frame(r, by, "End care", "/people")
	return p, err
}

// readUnread finds what the client wrote and the reader has not read: once care
// has ended, nobody can answer it.
func (p *EndCarePage) readUnread(tx *db.Tx, by access.Actor) error {
	if p.client.Account == nil {
		return nil
	}
	all, err := chat.OfRecord(tx, by, p.client.ID)
	for _, c := range all {
		p.wrote = p.wrote || c.Writes
		if c.Unread > 0 {
			p.unread = append(p.unread, c)
		}
	}
	return err
}

// unreadWords says how much of a conversation is new.
func (p EndCarePage) unreadWords(c chat.Summary) string {
	of := "your conversation with " + p.client.Name.Full()
	if c.Kind == chat.WithTeam {
		of = "the care team’s conversation with " + p.client.Name.Full()
	}
	if c.Unread == 1 {
		return "One message in " + of + " is not read yet."
	}
	return thousands(int(c.Unread)) + " messages in " + of + " are not read yet."
}

// POST /people/{client}/end
func (s *Site) endCare(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	p, err := s.endCarePage(r, by)
	if err != nil {
		return err
	}
	p.on = form.Get("on")
	later, err := readDay(p.on, p.today)
	if err == nil {
		err = s.DB.Update(r.Context(), func(tx *db.Tx) error {
			is, err := s.readerIn(tx, by)
			if err != nil {
				return err
			}
			return people.EndCare(tx, by, p.client.ID, endOf(later, is))
		})
	}
	if err == nil && later.IsZero() {
		return see(w, r, p.path("?said=care-ended"))
	}
	if err == nil {
		return see(w, r, p.path("?said=care-will-end"))
	}
	told, status := problemsOf(err)
	if told == nil {
		return err
	}
	p.tell(told)
	return s.show(w, r, status, p.View())
}

// readDay reads the day, or none if it is today: then care ends now.
func readDay(typed string, today civil.Date) (later civil.Date, err error) {
	d, err := civil.ParseDate(typed)
	switch {
	case err != nil || d.IsZero():
		return later, errNoDay
	case d.Compare(today) < 0:
		return later, errPastDay
	case d.Compare(today.AddDays(5*366)) > 0:
		return later, errFarDay
	case d == today:
		return later, nil
	}
	return d, nil
}

// endOf is the last minute of a day where the reader is, or now for none: what
// the list calls the day of the end is then the day that was chosen.
func endOf(d civil.Date, is reader) at.Time {
	if d.IsZero() {
		return is.Now
	}
	return at.Of(time.Date(d.Year(), d.Month(), d.Day(), 23, 59, 0, 0, is.Zone.Load()))
}

// POST /people/{client}/return
func (s *Site) resumeCare(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return s.act(w, r, by, "care-resumed", func(tx *db.Tx, c id.Client) error { return people.ResumeCare(tx, by, c) })
}

// button repeats what it does.
func (p EndCarePage) button() parts.Button {
	return parts.Button{Label: "End care", Hidden: "of " + p.client.Name.Full(), Kind: parts.Danger}
}
