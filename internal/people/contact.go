package people

import (
	"fmt"
	"strings"
	"time"

	"icouch/internal/base/at"
	"icouch/internal/base/civil"
	"icouch/internal/base/id"
	"icouch/internal/letter"
	"icouch/internal/people/peopledb"
	"icouch/internal/platform/mail"
)

// Facts are all that a row of the People list depends on, beside the time.
type Facts struct {
	HasEmail, Consent, Account bool
	EndsAt                     *at.Time
	OpensAt                    *at.Time // when a minor may sign in themselves; nil: always
	Newest                     *Latest  // nil: never invited
}

// Latest is the newest link of a client and what became of its letter.
type Latest struct {
	State                State
	Ordinal              int64 // which one it is
	Reason               string
	CreatedAt, ExpiresAt at.Time
	EndedAt, AskedAt     *at.Time
	ByHand               bool
	Letter               letter.State
	LetterReason         string
	LetterAt             *at.Time
}

// Action is the one button of a row, in the words that are on it.
type Action string

// The actions.
const (
	NoAction      Action = ""
	InviteAction  Action = "Invite"
	ResendAction  Action = "Re-Send"
	MessageAction Action = "Secure Message"
)

// Shape is how a row's status is drawn: a shape, words beside it, colour last.
type Shape string

// The shapes.
const (
	ShapeNone    Shape = "none"
	ShapeWaiting Shape = "waiting"
	ShapeActive  Shape = "active"
	ShapeProblem Shape = "problem"
	ShapeEnded   Shape = "ended"
)

// Mend names what would make an action possible.
type Mend string

// The ways to mend a row.
const (
	NoMend       Mend = ""
	AddEmail     Mend = "Add one"
	AddConsent   Mend = "Record consent"
	CheckAddress Mend = "Check the address"
	CopyTheLink  Mend = "Copy link"
)

// Contact is what a row of the People list offers and says.
type Contact struct {
	Action  Action
	Enabled bool
	Shape   Shape
	Status  string // a few words: the badge
	Help    string // one more line: why, and the way on
	Mend    Mend
}

// Setting is what the words depend on beside the facts.
type Setting struct {
	Now    at.Time
	Zone   civil.Zone // the reader's
	NoMail bool       // no mail server is set up
}

// Contact says what a row offers. The first line that fits counts.
func (f Facts) Contact(s Setting) Contact {
	now := s.Now.Time
	switch {
	case f.ended(s.Now):
		return Contact{Shape: ShapeEnded, Status: "Care ended " + day(now, *f.EndsAt, s.Zone)}
	case f.early(s.Now) && f.Account: // the day is no word for a list: it is a birthday
		return Contact{Shape: ShapeWaiting, Status: "Not open yet", Help: "A minor, who may not sign in yet."}
	case f.early(s.Now):
		return Contact{Action: InviteAction, Shape: ShapeNone, Status: "Not invited", Help: "A minor, who may not sign in yet."}
	case f.Account:
		c := Contact{Action: MessageAction, Enabled: true, Shape: ShapeActive, Status: "Has an account"}
		if f.EndsAt != nil {
			c.Help = "Care ends " + day(now, *f.EndsAt, s.Zone) + "."
		}
		return c
	case !f.HasEmail:
		return Contact{Action: InviteAction, Shape: ShapeNone, Status: "Not invited", Help: "No e-mail address.", Mend: AddEmail}
	case !f.Consent:
		return Contact{Action: InviteAction, Shape: ShapeNone, Status: "Not invited", Help: "Consent to e-mail is not noted.", Mend: AddConsent}
	case f.Newest == nil:
		return Contact{Action: InviteAction, Enabled: true, Shape: ShapeNone, Status: "Not invited"}
	}
	return f.Newest.contact(s)
}

// OnItsWay reports whether what becomes of the newest letter is still to be
// seen: it waits, or the other side has said: later.
func (f Facts) OnItsWay() bool {
	return f.Newest != nil && f.Newest.State == Live && !f.Newest.ByHand && (f.Newest.Letter == letter.Queued || f.Newest.Letter == letter.Delayed)
}

func (l Latest) contact(s Setting) Contact {
	now := s.Now.Time
	c := Contact{Action: ResendAction, Enabled: true, Shape: ShapeWaiting}
	switch {
	case l.State == Withdrawn && l.AskedAt != nil:
		c.Shape, c.Status, c.Help = ShapeProblem, "Asks for a new link", "Withdrawn "+day(now, *l.EndedAt, s.Zone)+". They asked again "+civil.Past(now, l.AskedAt.Time, s.Zone)+"."
	case l.State == Withdrawn && l.Reason == reasonEmailChanged:
		c.Shape, c.Status, c.Help = ShapeProblem, "Nothing is on its way", "The e-mail address was changed, so the link that was sent no longer works. Press Re-Send."
	case l.State == Withdrawn:
		c.Shape, c.Status, c.Help = ShapeNone, "Withdrawn "+civil.Past(now, l.EndedAt.Time, s.Zone), whyWithdrawn[l.Reason]
	case l.State == Used: // the person closed the account they had made
		c.Action, c.Shape, c.Status = InviteAction, ShapeNone, "Account closed by the client"
	case !l.ExpiresAt.After(now):
		c.Shape, c.Status, c.Help = ShapeProblem, "Ended "+day(now, l.ExpiresAt, s.Zone), strings.TrimSpace(l.times())
	case l.ByHand:
		c.Status, c.Help = "Link copied "+civil.Past(now, l.CreatedAt.Time, s.Zone), "Works until "+day(now, l.ExpiresAt, s.Zone)+"."
	default:
		l.letter(s, &c)
	}
	return c
}

// letter says what became of the letter of a live link.
func (l Latest) letter(s Setting, c *Contact) {
	now := s.Now.Time
	resting := l.CreatedAt.Plus(coolDown).After(now)
	switch l.Letter {
	case letter.Queued:
		c.Status, c.Enabled = "Sending…", !resting
		if s.NoMail {
			c.Shape, c.Status, c.Help, c.Mend, c.Enabled = ShapeProblem, "Waiting to be sent", "No mail server is set up.", CopyTheLink, false
		} else if !resting {
			c.Status = "Waiting to be sent"
		}
	case letter.Sent:
		c.Status, c.Enabled = "Sent "+l.when(s), !resting
		c.Help = l.times() + "Ends " + day(now, l.ExpiresAt, s.Zone) + "."
	case letter.Delivered:
		c.Status, c.Help = "Delivered "+l.when(s), l.times()+"Ends "+day(now, l.ExpiresAt, s.Zone)+"."
	case letter.Delayed:
		c.Shape, c.Status, c.Help = ShapeProblem, "On its way", "Their mail server asks us to try again later. We keep trying."
		if mail.Reason(l.LetterReason).Ours() {
			c.Status, c.Help = "Waiting", "Our mail server cannot be reached. We keep trying."
		}
	case letter.Bounced, letter.Refused:
		c.Shape, c.Status, c.Help, c.Mend = ShapeProblem, "Came back", "The other side says: "+orUnknown(l.LetterReason)+".", CheckAddress
		if l.LetterReason != "" && !mail.Reason(l.LetterReason).AboutAddress() { // the address may well be right
			c.Mend = CopyTheLink
		}
	default: // given up
		c.Shape, c.Status, c.Help, c.Mend = ShapeProblem, "Could not be sent", "We will not try again by ourselves.", CopyTheLink
	}
}

var whyWithdrawn = map[string]string{
	reasonByHand:           "By the practice.",
	reasonEmailChanged:     "Because the e-mail address was changed.",
	reasonConsentWithdrawn: "Because consent to e-mail was taken back.",
	reasonCareEnded:        "Because care had ended.",
	reasonCloses:           "Because the practice closes.",
	reasonNotYet:           "Because they may sign in from a later day.",
}

func orUnknown(reason string) string {
	if reason == "" {
		return "no reason given"
	}
	return reason
}

func (l Latest) when(s Setting) string {
	t := l.CreatedAt
	if l.LetterAt != nil {
		t = *l.LetterAt
	}
	return civil.Moment(s.Now.Time, t.Time, s.Zone)
}

func (l Latest) times() string {
	if l.Ordinal == 1 {
		return ""
	}
	return fmt.Sprintf("%d times in all. ", l.Ordinal)
}

func day(now time.Time, t at.Time, z civil.Zone) string { return civil.Day(now, t.Time, z) }

// Group is where the list counts a client: in one group, and besides among
// those that need attention, or not.
type Group string

// The groups, in the order of the list's filters.
const (
	Everyone       Group = "everyone"
	HasAccount     Group = "account"
	Invited        Group = "invited"
	NeedsAttention Group = "attention"
	NotInvited     Group = "not-invited"
	Ended          Group = "ended"
)

// Groups are all of them, in order.
func Groups() []Group {
	return []Group{Everyone, HasAccount, Invited, NeedsAttention, NotInvited, Ended}
}

// Groups says where a client counts.
func (f Facts) Groups(now at.Time) (g Group, attention bool) {
	switch {
	case f.ended(now):
		return Ended, false
	case f.Account:
		return HasAccount, false
	case f.early(now):
		return NotInvited, false
	case !f.HasEmail, !f.Consent, f.Newest == nil, f.Newest.State == Used:
		return NotInvited, false
	}
	return Invited, f.Newest.needsAttention(now)
}

// WaitsForMail reports whether an invitation waits to be mailed: where there is
// no mail server, somebody must hand the link over.
func (f Facts) WaitsForMail(now at.Time) bool {
	l := f.Newest
	return !f.ended(now) && !f.Account && f.HasEmail && f.Consent && l != nil && l.State == Live && !l.ByHand && l.ExpiresAt.After(now.Time) && l.Letter == letter.Queued
}

func (l Latest) needsAttention(now at.Time) bool {
	switch {
	case l.State == Withdrawn:
		return l.AskedAt != nil || l.Reason == reasonEmailChanged // nothing is on its way, and nobody meant that
	case !l.ExpiresAt.After(now.Time):
		return true
	case l.ByHand:
		return false
	}
	switch l.Letter {
	case letter.Delayed, letter.Bounced, letter.Refused, letter.Failed:
		return true
	}
	return false
}

func (f Facts) ended(now at.Time) bool { return f.EndsAt != nil && !f.EndsAt.After(now.Time) }

// early reports whether the day from which they may sign in has yet to come.
func (f Facts) early(now at.Time) bool { return f.OpensAt != nil && f.OpensAt.After(now.Time) }

// ChangesAt is when time alone next changes what a client's facts mean, or the
// zero Time if it never does.
func (f Facts) ChangesAt(now at.Time) (next at.Time) {
	soonest := func(t *at.Time) {
		if t != nil && t.After(now.Time) && (next.IsZero() || t.Before(next.Time)) {
			next = *t
		}
	}
	soonest(f.EndsAt)
	soonest(f.OpensAt)
	if f.Newest != nil && f.Newest.State == Live {
		soonest(&f.Newest.ExpiresAt)
	}
	return next
}

// Listed is one client as the directory keeps them.
type Listed struct {
	ID           id.Client
	Practitioner id.Practitioner
	Name         Name
	Email        string
	Facts
}

func latest(i peopledb.EverybodysInvitationsRow) *Latest {
	l := &Latest{State: State(i.State), Ordinal: i.Ordinal, Reason: i.Reason, CreatedAt: i.CreatedAt, ExpiresAt: i.ExpiresAt,
		EndedAt: i.EndedAt, AskedAt: i.AskedAt, ByHand: i.LetterID == nil, LetterAt: i.SettledAt}
	if i.LetterState != nil {
		l.Letter = letter.State(*i.LetterState)
	}
	if i.LetterReason != nil {
		l.LetterReason = *i.LetterReason
	}
	return l
}
