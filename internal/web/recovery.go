package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/civil"
	"icouch/internal/base/email"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/platform/limit"
	"icouch/internal/recovery"
	"icouch/internal/support"
	"icouch/internal/web/parts"
)

// Somebody who works here and has lost every way to sign in: asked for on their
// page by an owner, approved by another; or by two of those in support.

func recoverers(a access.Actor) bool { return a.May(access.Recover) }

// recoveryRule bounds how often a day somebody asks for that.
var recoveryRule = limit.Rule{Name: "recovery", Most: 10, Per: 24 * time.Hour}

// MemberRecovery is what a member's page says of it, to an owner.
type MemberRecovery struct {
	Shown    bool
	Obstacle string // why it cannot be asked for
	Open     bool   // it has been asked for
	Facts    parts.Facts
	Next     string // who does what next
	Approves bool   // the reader may approve it
	Reason   string // as typed
}

// readRecovery reads what an owner sees of it.
func (p *MemberPage) readRecovery(tx *db.Tx, by access.Actor) error {
	if !by.May(access.Recover) || p.mine || !p.is.Active {
		return nil
	}
	p.recovery.Shown = true
	q, err := recovery.About(tx, by, p.is.Account)
	if errors.Is(err, recovery.ErrNone) {
		obstacle := recovery.CanAsk(tx, by, p.is.Practitioner)
		if _, _, told := fault.As(obstacle); obstacle != nil && !told {
			return obstacle
		}
		p.recovery.Obstacle, _, _ = fault.As(obstacle)
		return nil
	}
	if err != nil {
		return err
	}
	practice, err := people.PracticeOf(tx, by)
	if err != nil {
		return err
	}
	now := tx.Now().Time
	p.recovery.Open = true
	p.recovery.Facts = parts.Facts{List: []parts.Fact{
		{Label: "Asked by", Value: p.called(q.AskedBy) + ", " + civil.Past(now, q.AskedAt.Time, practice.Zone)},
		{Label: "Reason", Value: q.Reason}}}
	until := civil.MomentZone(now, q.ExpiresAt.Time, practice.Zone)
	switch {
	case q.State == recovery.Approved:
		p.recovery.Facts.List = append(p.recovery.Facts.List, parts.Fact{Label: "Approved by", Value: p.called(q.ApprovedBy)})
		p.recovery.Next = "They have a link by e-mail that works with their password, until " + until + ". They were signed out everywhere."
	case q.AskedBy == by.Account():
		p.recovery.Next = "You asked for this, so another owner looks at it and approves it, until " + until + "."
	default:
		p.recovery.Approves = true
		p.recovery.Next = "Speak with " + p.is.Name + " yourself, by telephone or in person. When you approve, they are signed out everywhere and get a link by e-mail that works only with their password. This can be approved until " + until + "."
	}
	return nil
}

// called is a member's name, by their account.
func (p *MemberPage) called(a id.Account) string {
	for _, m := range p.all {
		if m.Account == a {
			return m.Name
		}
	}
	return "somebody who is no member any more"
}

// POST /settings/team/{member}/recovery
func (s *Site) askRecovery(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if _, err := typedIn(r); err != nil {
		return err
	}
	who, err := pathID[id.Practitioner](r, "member")
	if err != nil {
		return err
	}
	return s.actOnMember(w, r, by, "recovery", s.counted(r, by, func(tx *db.Tx) error { return recovery.Ask(tx, by, who, r.PostForm.Get("reason")) }))
}

// counted returns a deed that counts towards recoveryRule.
func (s *Site) counted(r *http.Request, by access.Actor, deed func(*db.Tx) error) func(*db.Tx, id.Practitioner) error {
	err := s.Limits.Take(r.Context(), recoveryRule, by.Account().String())
	return func(tx *db.Tx, _ id.Practitioner) error {
		if err != nil {
			return err
		}
		return deed(tx)
	}
}

// POST /settings/team/{member}/recovery/approval
//
// Whoever approves shows first who they are.
func (s *Site) approveRecovery(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	p, err := s.memberPage(r, by)
	if err != nil {
		return err
	}
	if ok, err := s.proved(w, r, p.path("")); !ok {
		return err
	}
	return s.actOnMember(w, r, by, "recovery-approved", onRecovery(by, p.is.Account, recovery.Approve))
}

// POST /settings/team/{member}/recovery/withdrawal
func (s *Site) withdrawRecovery(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	p, err := s.memberPage(r, by)
	if err != nil {
		return err
	}
	return s.actOnMember(w, r, by, "recovery-withdrawn", onRecovery(by, p.is.Account, recovery.Withdraw))
}

// onRecovery does one deed to the open request about somebody.
func onRecovery(by access.Actor, who id.Account, do func(*db.Tx, access.Actor, id.Recovery) error) func(*db.Tx, id.Practitioner) error {
	return func(tx *db.Tx, _ id.Practitioner) error {
		q, err := recovery.About(tx, by, who)
		if err != nil {
			return err
		}
		return do(tx, by, q.ID)
	}
}

// GET /recovered/{link}. Looking uses nothing up.
func (s *Site) showRecovered(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	p, err := s.recoveredPage(r, by)
	if err != nil {
		return s.deadRecovered(w, r, err)
	}
	return s.show(w, r, http.StatusOK, p.View())
}

// deadRecovered answers for a link that ended: by the clock, or because one of
// the two took it back. Only they can bring a new one about.
func (s *Site) deadRecovered(w http.ResponseWriter, r *http.Request, err error) error {
	if !errors.Is(err, account.ErrLinkEnded) {
		return s.dead(w, r, err, waySignIn)
	}
	p := DeadPage{Page: s.door(r, "Link"), Heading: "This link has ended", Ways: []parts.Button{waySignIn, wayHelp},
		Words: "It ran out after 24 hours, or was taken back. Nothing was taken away: your password and your second step are as they were. If you still cannot sign in, speak with whoever asked for it on your behalf."}
	return s.show(w, r, statusOf(err), p.View())
}

func (s *Site) recoveredPage(r *http.Request, by access.Actor) (VouchedPage, error) {
	p := VouchedPage{Page: s.door(r, "Sign in again"), Link: "/recovered/" + url.PathEscape(r.PathValue("link")), Who: "Two people have vouched for you.", Tell: "speak with the owner of your practice"}
	err := s.DB.View(r.Context(), func(tx *db.Tx) error { return recovery.Peek(tx, outside(by), linkOf(r)) })
	return p, err
}

// POST /recovered/{link}. The link does nothing without the password.
func (s *Site) useRecovered(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if err := typed(r); err != nil {
		return err
	}
	p, err := s.recoveredPage(r, by)
	if err != nil {
		return s.deadRecovered(w, r, err)
	}
	p.Email = r.PostFormValue("email")
	set, err := s.comeBack(r, p.Email, r.PostFormValue("password"), recovery.Use)
	switch {
	case err == nil:
		set(w)
		return see(w, r, "/settings/second-step")
	case errors.Is(err, account.ErrLinkUsed), errors.Is(err, account.ErrLinkEnded), errors.Is(err, account.ErrLinkUnknown):
		return s.deadRecovered(w, r, err)
	}
	told, status := problemsOf(err)
	if told == nil {
		return err
	}
	p.tell(told)
	return s.show(w, r, status, p.View())
}

// recoveryLine is one request in support's list.
func (s *Site) recoveryLine(tx *db.Tx, by access.Actor, q recovery.Request, zone civil.Zone) (l RequestLine, err error) {
	l = RequestLine{Href: "/support/recoveries/" + q.ID.String(), Status: statusOfRecovery(q)}
	if l.Email, err = addressOf(tx, by, q.Account); err != nil {
		return l, err
	}
	who, err := addressOf(tx, by, q.AskedBy)
	now := s.DB.Clock()
	l.Words = "A new second step, asked for by " + who + " " + civil.Past(now, q.AskedAt.Time, zone) + "."
	if q.Open() {
		l.Words += " Ends " + civil.Day(now, q.ExpiresAt.Time, zone) + "."
	} else if q.EndedAt != nil {
		l.Words += " Ended " + civil.Past(now, q.EndedAt.Time, zone) + "."
	}
	return l, err
}

func statusOfRecovery(q recovery.Request) parts.Status {
	switch q.State {
	case recovery.Asked:
		return parts.Status{Kind: parts.Waiting, Words: "Waiting for approval"}
	case recovery.Approved:
		return parts.Status{Kind: parts.Waiting, Words: "Approved, not used yet"}
	case recovery.Used:
		return parts.Status{Kind: parts.Active, Words: "Done"}
	case recovery.Withdrawn:
		return parts.Status{Kind: parts.Ended, Words: "Taken back"}
	}
	return parts.Status{Kind: parts.Ended, Words: "Expired"}
}

// POST /support/recoveries
func (s *Site) askRecoveryAsSupport(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if err := typed(r); err != nil {
		return err
	}
	q, err := s.askRecoveryFor(r, by)
	if err == nil {
		return see(w, r, "/support/recoveries/"+q.ID.String()+"?said=asked")
	}
	told, status := problemsOf(err)
	if told == nil {
		return err
	}
	p, err := s.accountPage(r, by, r.PostFormValue("account"))
	if err != nil {
		return err
	}
	p.Lost = r.PostFormValue("lost-reason")
	p.tell(told)
	return s.show(w, r, status, p.View())
}

var errHowKnown = fault.On("lost-reason", fault.Invalid, "Say how you know that it is them: for instance, that you spoke by telephone or in person.")

func (s *Site) askRecoveryFor(r *http.Request, by access.Actor) (q recovery.Request, err error) {
	to, err := email.Parse(r.PostFormValue("account"))
	if err != nil {
		return q, support.ErrNobody
	}
	reason := r.PostFormValue("lost-reason")
	if strings.TrimSpace(reason) == "" { // the page has another field for a reason
		return q, errHowKnown
	}
	if err := s.Limits.Take(r.Context(), recoveryRule, by.Account().String()); err != nil {
		return q, err
	}
	err = s.DB.Update(r.Context(), func(tx *db.Tx) error {
		f, err := support.Find(tx, by, to)
		if err != nil {
			return err
		}
		if f.ID == "" {
			return support.ErrNobody
		}
		if err := recovery.AskFor(tx, by, f.ID, reason); err != nil {
			return err
		}
		q, err = recovery.About(tx, by, f.ID)
		return err
	})
	return q, err
}

// LostStepPage is one request of support's.
type LostStepPage struct {
	Page
	ID             string
	Status         parts.Status
	About          parts.Facts
	Next           string
	Approves, Open bool
	Notice         *parts.Notice
}

var saidAtRecovery = map[string]parts.Notice{
	"asked":     {Tone: parts.Good, Words: "They, and the owners of where they work, have a letter. Nothing changes until another supporter has approved it."},
	"approved":  {Tone: parts.Good, Words: "Approved. They were signed out everywhere, and have a link that works for 24 hours with their password."},
	"withdrawn": {Tone: parts.Good, Words: "Withdrawn. Their second step is as it was, and everybody concerned has a letter."},
}

// GET /support/recoveries/{recovery}
func (s *Site) showLostStep(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	p, err := s.lostStepPage(r, by)
	if err != nil {
		return err
	}
	if n, ok := saidAtRecovery[r.URL.Query().Get("said")]; ok {
		p.Notice = &n
	}
	return s.show(w, r, http.StatusOK, p.View())
}

func (s *Site) lostStepPage(r *http.Request, by access.Actor) (p LostStepPage, err error) {
	request, err := pathID[id.Recovery](r, "recovery")
	if err != nil {
		return p, err
	}
	if p.Page, err = s.frame(r, by, "Support", "/support"); err != nil {
		return p, err
	}
	err = s.DB.View(r.Context(), func(tx *db.Tx) error {
		q, err := recovery.Read(tx, by, request)
		if err != nil {
			return err
		}
		line, err := s.recoveryLine(tx, by, q, s.ownZone(r))
		if err != nil {
			return err
		}
		p.ID, p.Status, p.Open = q.ID.String(), line.Status, q.Open()
		p.About = parts.Facts{List: []parts.Fact{{Label: "Account", Value: line.Email}, {Label: "Request", Value: line.Words}, {Label: "Reason", Value: q.Reason}}}
		if q.ApprovedBy != "" {
			who, err := addressOf(tx, by, q.ApprovedBy)
			if err != nil {
				return err
			}
			p.About.List = append(p.About.List, parts.Fact{Label: "Approved by", Value: who})
		}
		switch {
		case q.State == recovery.Asked && q.AskedBy == by.Account():
			p.Next = "You asked for this, so another supporter looks at it and approves it."
		case q.State == recovery.Asked && q.Account != by.Account():
			p.Approves = true
			p.Next = "Be sure that it is them: speak with them, and with somebody who works with them. When you approve, they are signed out everywhere and get a link by e-mail that works only with their password, for 24 hours."
		case q.State == recovery.Approved:
			p.Next = "They have a link by e-mail. With their password it takes the lost second step away."
		}
		return nil
	})
	return p, err
}

// POST /support/recoveries/{recovery}/approval
func (s *Site) approveRecoveryAsSupport(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	p, err := s.lostStepPage(r, by)
	if err != nil {
		return err
	}
	if ok, err := s.proved(w, r, "/support/recoveries/"+p.ID); !ok {
		return err
	}
	return s.onRecovery(w, r, by, "approved", recovery.Approve)
}

// POST /support/recoveries/{recovery}/withdrawal
func (s *Site) withdrawRecoveryAsSupport(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return s.onRecovery(w, r, by, "withdrawn", recovery.Withdraw)
}

func (s *Site) onRecovery(w http.ResponseWriter, r *http.Request, by access.Actor, said string, do func(*db.Tx, access.Actor, id.Recovery) error) error {
	request, err := pathID[id.Recovery](r, "recovery")
	if err != nil {
		return err
	}
	err = s.DB.Update(r.Context(), func(tx *db.Tx) error { return do(tx, by, request) })
	if err == nil {
		return see(w, r, "/support/recoveries/"+request.String()+"?said="+said)
	}
	told, status := problemsOf(err)
	if told == nil || errors.Is(err, fault.NotFound) {
		return err
	}
	p, err := s.lostStepPage(r, by)
	if err != nil {
		return err
	}
	p.tell(told)
	return s.show(w, r, status, p.View())
}
