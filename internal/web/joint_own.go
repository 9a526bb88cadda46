package web

import (
	"net/http"

	"icouch/internal/access"
	"icouch/internal/base/civil"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/joint"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/web/parts"
)

// ownJoint is a joint record as somebody in it reads of it.
type ownJoint struct {
	joint.Own
	reader reader // in the practice's zone: its days are meant
}

var ownKinds = map[joint.Kind]string{joint.Couple: "As a couple", joint.Family: "As a family", joint.Group: "In a group"}

var ownWhats = map[joint.What]string{
	joint.Sessions: "You take part in joint sessions",
	joint.Shared:   "The others in it may read what is written in the joint record",
}

func (o ownJoint) title() string { return ownKinds[o.Kind] }

// lasts says who looks after it, and since when they are in it.
func (o ownJoint) lasts() string {
	since := civil.Day(o.reader.Now.Time, o.Begins.Time, o.reader.Zone)
	words := "Looked after by " + o.Looks + " · "
	switch {
	case o.Left(o.reader.Now):
		return words + "from " + since + " until " + lastDay(*o.Ends, o.reader)
	case o.ClosesAt != nil && !o.ClosesAt.After(o.reader.Now.Time):
		return words + "closed " + lastDay(*o.ClosesAt, o.reader)
	case o.Ends != nil:
		return words + "since " + since + ", until " + lastDay(*o.Ends, o.reader)
	}
	return words + "since " + since
}

// with names who else is in it.
func (o ownJoint) with() string {
	switch {
	case o.Over(o.reader.Now):
		return ""
	case len(o.Others) > 0:
		return "With " + join(o.Others)
	}
	return "Who else is in it is named here once you and they have agreed to take part in joint sessions."
}

// agreed are the things that they agree to now.
func (o ownJoint) agreed() (some []joint.What) {
	for _, w := range joint.Whats {
		if o.Agreed(w) {
			some = append(some, w)
		}
	}
	return some
}

func (o ownJoint) since(w joint.What) string {
	c, _ := o.Newest(w)
	return "Noted " + o.reader.past(c.NotedAt) + " by your practice."
}

// ownJointsOf are the joint records by, a client, is or was in.
func (s *Site) ownJointsOf(tx *db.Tx, by access.Actor) (all []ownJoint, err error) {
	some, err := joint.Mine(tx, by)
	if err != nil || len(some) == 0 {
		return nil, err
	}
	is, err := s.readerIn(tx, by)
	if err != nil {
		return nil, err
	}
	practice, err := people.PracticeOf(tx, by)
	is.Zone = practice.Zone
	for _, o := range some {
		all = append(all, ownJoint{o, is})
	}
	return all, err
}

// OwnJointsPage is what a client sees of the joint records they are in.
type OwnJointsPage struct {
	Page
	Done *parts.Notice
	all  []ownJoint
}

func (s *Site) ownJointsPage(r *http.Request, by access.Actor) (p OwnJointsPage, err error) {
	err = s.DB.View(r.Context(), func(tx *db.Tx) (err error) { p.all, err = s.ownJointsOf(tx, by); return err })
	if err != nil {
		return p, err
	}
	p.Page, err = s.frame(r, by, "Joint records", "/settings")
	return p, err
}

// GET /record/together
func (s *Site) ownJoints(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	p, err := s.ownJointsPage(r, by)
	if err != nil {
		return err
	}
	if r.URL.Query().Get("said") == "withdrawn" {
		p.Done = &parts.Notice{Tone: parts.Good, Alert: true, Title: "Taken back", Words: "It takes effect now. Whoever looks after the joint record is told."}
	}
	return s.show(w, r, http.StatusOK, p.View())
}

// POST /record/together/withdrawals
func (s *Site) takeBackOwn(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	person, err := id.Parse[id.JointPerson](form.Get("person"))
	if err == nil {
		err = s.DB.Update(r.Context(), func(tx *db.Tx) error {
			return joint.TakeBackOwn(tx, by, person, joint.What(form.Get("what")))
		})
	}
	if err == nil {
		return see(w, r, "/record/together?said=withdrawn")
	}
	told, status := problemsOf(err)
	if told == nil || status == http.StatusNotFound { // another's, or none: the same
		told, status = problemsOf(errNoConsent)
	}
	p, perr := s.ownJointsPage(r, by)
	if perr != nil {
		return perr
	}
	p.tell(told)
	return s.show(w, r, status, p.View())
}

var errNoConsent = fault.New(fault.Invalid, "There is nothing of that to take back. Look at what it says now.")
