package web

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
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

// lookUpRule bounds how many addresses a supporter looks up: whoever asks for
// more is not helping somebody.
var lookUpRule = limit.Rule{Name: "support/look_up", Most: 30, Per: time.Hour}

var errManyLookUps = fault.New(fault.Busy, "You have looked up many addresses in the last hour. Please wait a while and try again.")

// endedShown is how many ended requests the console lists.
const endedShown = 20

// SupportPage is the console: requests first, then the way to an account.
type SupportPage struct {
	Page
	Email       string // as typed
	Open, Ended []RequestLine
	Notice      *parts.Notice
}

// RequestLine is one request in a list.
type RequestLine struct {
	Email, Words, Href string
	Status             parts.Status
}

// showSupport is GET /support.
func (s *Site) showSupport(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	p, err := s.supportPage(r, by)
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, p.View())
}

func (s *Site) supportPage(r *http.Request, by access.Actor) (p SupportPage, err error) {
	if p.Page, err = s.frame(r, by, "Support", "/support"); err != nil {
		return p, err
	}
	zone := s.ownZone(r)
	err = s.DB.View(r.Context(), func(tx *db.Tx) error {
		all, err := support.Requests(tx, by)
		if err != nil {
			return err
		}
		for _, q := range all {
			line, err := s.requestLine(tx, by, q, zone)
			if err != nil {
				return err
			}
			if q.Open() {
				p.Open = append(p.Open, line)
			} else if len(p.Ended) < endedShown {
				p.Ended = append(p.Ended, line)
			}
		}
		lost, err := recovery.Requests(tx, by)
		if err != nil {
			return err
		}
		for _, q := range lost {
			line, err := s.recoveryLine(tx, by, q, zone)
			if err != nil {
				return err
			}
			if q.Open() {
				p.Open = append(p.Open, line)
			} else if len(p.Ended) < 2*endedShown {
				p.Ended = append(p.Ended, line)
			}
		}
		return nil
	})
	return p, err
}

func (s *Site) requestLine(tx *db.Tx, by access.Actor, q support.Request, zone civil.Zone) (l RequestLine, err error) {
	l = RequestLine{Href: "/support/requests/" + q.ID.String(), Status: statusOfRequest(q)}
	if l.Email, err = addressOf(tx, by, q.Account); err != nil {
		return l, err
	}
	who := "the operator"
	if q.AskedBy != "" {
		if who, err = addressOf(tx, by, q.AskedBy); err != nil {
			return l, err
		}
	}
	now := s.DB.Clock()
	l.Words = "Asked by " + who + " " + civil.Past(now, q.AskedAt.Time, zone) + "."
	if q.Open() {
		l.Words += " Ends " + civil.Day(now, q.ExpiresAt.Time, zone) + "."
	} else if q.EndedAt != nil {
		l.Words += " Ended " + civil.Past(now, q.EndedAt.Time, zone) + "."
	}
	return l, nil
}

// addressOf is the address of an account, for who is in support.
func addressOf(tx *db.Tx, by access.Actor, who id.Account) (string, error) {
	a, err := account.StandingOf(tx, by, who)
	if errors.Is(err, account.ErrNoAccount) {
		return "an account that was deleted", nil
	}
	return a.Email.String(), err
}

func statusOfRequest(q support.Request) parts.Status {
	switch q.State {
	case support.Asked:
		return parts.Status{Kind: parts.Waiting, Words: "Waiting for the account holder"}
	case support.Confirmed:
		return parts.Status{Kind: parts.Waiting, Words: "Confirmed by the account holder"}
	case support.Done:
		return parts.Status{Kind: parts.Active, Words: "Done"}
	case support.Declined:
		return parts.Status{Kind: parts.Ended, Words: "The account holder said no"}
	case support.Withdrawn:
		return parts.Status{Kind: parts.Ended, Words: "Taken back"}
	}
	return parts.Status{Kind: parts.Ended, Words: "Expired"}
}

// tellSupport says on p, to a supporter alone who is in another place, that
// support is one of its own, and leads to where it is chosen.
func (s *Site) tellSupport(r *http.Request, p *ErrorPage) bool {
	v := visitOf(r)
	if path := r.URL.Path; v.known == nil || supporters(v.actor) || path != "/support" && !strings.HasPrefix(path, "/support/") {
		return false
	}
	if err := v.known.frameOf(r.Context(), s.DB); err != nil || !v.known.supports {
		return false
	}
	p.Shell.Title, p.Heading = "Not open", "Support is a place of its own"
	p.Words, p.Home = "You are in another place now. Choose Support among your places, and open this page again.", "/places"
	return true
}

// ownZone is the reader's time zone, or that of the place they have beside.
func (s *Site) ownZone(r *http.Request) civil.Zone { return zoneHere(r, visitOf(r).known.account) }

// AccountPage is an account as support sees it, and the way to convert it.
type AccountPage struct {
	Page
	Email    string // as typed
	Found    bool
	Facts    parts.Facts
	Numbers  parts.Facts
	Obstacle string // why it cannot be converted; or ""
	Reason   string // as typed
	Lost     string // as typed, of the other form
	Works    bool   // in a practice, or in support: a lost second step is put right here
}

// lookUpAccount is POST /support/accounts. The address is in no URL, and the look
// is in the trail.
func (s *Site) lookUpAccount(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if err := typed(r); err != nil {
		return err
	}
	p, err := s.accountPage(r, by, r.PostFormValue("email"))
	if err == nil {
		return s.show(w, r, http.StatusOK, p.View())
	}
	return s.supportAgain(w, r, by, r.PostFormValue("email"), err)
}

// supportAgain shows the console with what was typed, and what is wrong with it.
func (s *Site) supportAgain(w http.ResponseWriter, r *http.Request, by access.Actor, email string, why error) error {
	told, status := problemsOf(why)
	if told == nil {
		return why
	}
	console, err := s.supportPage(r, by)
	if err != nil {
		return err
	}
	console.Email = email
	console.tell(told)
	return s.show(w, r, status, console.View())
}

func (s *Site) accountPage(r *http.Request, by access.Actor, typed string) (p AccountPage, err error) {
	to, err := s.lookUpAddress(r, by, typed)
	if err != nil {
		return p, err
	}
	return s.accountPageOf(r, by, to)
}

// accountPageOf is accountPage for an address whose look was counted.
func (s *Site) accountPageOf(r *http.Request, by access.Actor, to email.Address) (p AccountPage, err error) {
	if p.Page, err = s.frame(r, by, "Support", "/support"); err != nil {
		return p, err
	}
	p.Email = to.String()
	var f support.Facts
	err = s.DB.Update(r.Context(), func(tx *db.Tx) (err error) {
		f, err = support.Find(tx, by, to)
		return err
	})
	if err != nil || f.ID == "" {
		return p, err
	}
	p.Found, p.Facts, p.Numbers = true, s.accountFacts(r, f), s.placeNumbers(r, f)
	p.Obstacle, _, _ = fault.As(f.Obstacle)
	p.Works = f.Supporter || slices.ContainsFunc(f.Practices, func(s people.Standing) bool { return s.Active })
	return p, nil
}

// lookUpAddress reads the address, and counts the look.
func (s *Site) lookUpAddress(r *http.Request, by access.Actor, typed string) (email.Address, error) {
	if typed == "" {
		return email.Address{}, errNoLookUp
	}
	to, err := email.Parse(typed)
	if err != nil {
		return to, fault.At("email", err)
	}
	err = s.Limits.Take(r.Context(), lookUpRule, by.Account().String())
	if errors.Is(err, limit.ErrTooOften) {
		return to, errManyLookUps
	}
	return to, err
}

var errNoLookUp = fault.On("email", fault.Invalid, "Enter the e-mail address of the account.")

// accountFacts is how an account is signed in to.
func (s *Site) accountFacts(r *http.Request, f support.Facts) parts.Facts {
	now, zone := s.DB.Clock(), s.ownZone(r)
	list := []parts.Fact{
		{Label: "E-mail", Value: f.Email.String()},
		{Label: "E-mail confirmed", Value: yesNo(f.Verified)},
		{Label: "Created", Value: capital(civil.Past(now, f.MadeAt.Time, zone))},
		{Label: "Password chosen", Value: capital(civil.Past(now, f.PasswordAt.Time, zone))},
		{Label: "Signed in now", Value: counted(f.Sessions, "session", "sessions")},
		{Label: "Known browsers", Value: fmt.Sprint(f.Devices)},
		{Label: "Second step", Value: stepWords(f.Steps, f.Codes)},
	}
	if f.Supporter {
		list = append(list, parts.Fact{Label: "In support", Value: "Yes"})
	}
	if f.LeavesAt != nil {
		list = append(list, parts.Fact{Label: "To be deleted", Value: civil.Day(now, f.LeavesAt.Time, zone)})
	}
	return parts.Facts{List: list}
}

// stepWords says how many second steps somebody has, and how many ways back.
func stepWords(steps, codes int64) string {
	if steps == 0 {
		return "None"
	}
	return counted(steps, "method", "methods") + ", " + counted(codes, "recovery code left", "recovery codes left")
}

// placeNumbers is what an account opens, in numbers.
func (s *Site) placeNumbers(r *http.Request, f support.Facts) parts.Facts {
	var list []parts.Fact
	for i, p := range f.Practices {
		label := "Practice"
		if len(f.Practices) > 1 {
			label = fmt.Sprint("Practice ", i+1)
		}
		list = append(list, parts.Fact{Label: label, Value: s.practiceWords(r, p)})
	}
	if len(list) == 0 {
		list = append(list, parts.Fact{Label: "Practice", Missing: "None"})
	}
	return parts.Facts{List: append(list,
		parts.Fact{Label: "Records it opens as a client", Value: fmt.Sprint(f.Records)},
		parts.Fact{Label: "An invitation waits for this address", Value: yesNo(f.Invitation)})}
}

func (s *Site) practiceWords(r *http.Request, p people.Standing) string {
	role := "Works there"
	if p.Role == access.Owner {
		role = "Owner"
	}
	if !p.Active {
		role += ", not active"
	}
	return fmt.Sprintf("%s. Founded %s. %s, %s, %s.", role, civil.Past(s.DB.Clock(), p.FoundedAt.Time, s.ownZone(r)),
		counted(p.Clients, "client", "clients"), counted(p.Invitations, "open invitation", "open invitations"), counted(p.Colleagues, "colleague", "colleagues"))
}

func yesNo(yes bool) string {
	if yes {
		return "Yes"
	}
	return "No"
}

func counted(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// askConversion is POST /support/requests: "Convert to client account".
func (s *Site) askConversion(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if err := typed(r); err != nil {
		return err
	}
	to, err := s.lookUpAddress(r, by, r.PostFormValue("account")) // to ask is to look
	if err != nil {
		return s.supportAgain(w, r, by, r.PostFormValue("account"), err)
	}
	request, err := s.ask(r, by, to)
	if err == nil {
		return see(w, r, "/support/requests/"+request.String()+"?said=asked")
	}
	told, status := problemsOf(err)
	if told == nil {
		return err
	}
	p, err := s.accountPageOf(r, by, to)
	if err != nil {
		return err
	}
	p.Reason = r.PostFormValue("reason")
	p.tell(told)
	return s.show(w, r, status, p.View())
}

func (s *Site) ask(r *http.Request, by access.Actor, to email.Address) (request support.RequestID, err error) {
	err = s.DB.Update(r.Context(), func(tx *db.Tx) error {
		f, err := support.Find(tx, by, to)
		if err != nil {
			return err
		}
		if f.ID == "" {
			return support.ErrNobody
		}
		request, err = support.Ask(tx, by, f.ID, r.PostFormValue("reason"))
		return err
	})
	return request, err
}

// RequestPage is one request: what it is, then the facts of its account.
type RequestPage struct {
	Page
	ID             string
	Status         parts.Status
	About          parts.Facts
	Next           string // who does what next; or ""
	Approves, Open bool
	Facts, Numbers *parts.Facts // nil: the account is gone
	Notice         *parts.Notice
}

var saidAtRequest = map[string]parts.Notice{
	"asked":     {Tone: parts.Good, Words: "The account holder has a letter with a link. Nothing changes until they have confirmed."},
	"approved":  {Tone: parts.Good, Words: "Done. The account is a client’s now, and everybody concerned has a letter."},
	"withdrawn": {Tone: parts.Good, Words: "Withdrawn. Nothing was changed, and the account holder has a letter that says so."},
}

// showRequest is GET /support/requests/{request}.
func (s *Site) showRequest(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	p, err := s.requestPage(r, by)
	if err != nil {
		return err
	}
	if n, ok := saidAtRequest[r.URL.Query().Get("said")]; ok {
		p.Notice = &n
	}
	return s.show(w, r, http.StatusOK, p.View())
}

func (s *Site) requestPage(r *http.Request, by access.Actor) (p RequestPage, err error) {
	request, err := pathID[support.RequestID](r, "request")
	if err != nil {
		return p, err
	}
	if p.Page, err = s.frame(r, by, "Support", "/support"); err != nil {
		return p, err
	}
	zone, now := s.ownZone(r), s.DB.Clock()
	err = s.DB.View(r.Context(), func(tx *db.Tx) error {
		q, err := support.Read(tx, by, request)
		if err != nil {
			return err
		}
		line, err := s.requestLine(tx, by, q, zone)
		if err != nil {
			return err
		}
		p.ID, p.Status, p.Open = q.ID.String(), line.Status, q.Open()
		p.Approves = q.State == support.Confirmed && (q.AskedBy != by.Account())
		p.Next = next(q, by)
		p.About = parts.Facts{List: []parts.Fact{{Label: "Account", Value: line.Email}, {Label: "Request", Value: line.Words}, {Label: "Reason", Value: q.Reason}}}
		if q.ConfirmedAt != nil {
			p.About.List = append(p.About.List, parts.Fact{Label: "The account holder confirmed", Value: capital(civil.Past(now, q.ConfirmedAt.Time, zone))})
		}
		if q.ApprovedBy != "" {
			who, err := addressOf(tx, by, q.ApprovedBy)
			if err != nil {
				return err
			}
			p.About.List = append(p.About.List, parts.Fact{Label: "Approved by", Value: who})
		}
		f, err := support.FactsOf(tx, by, q)
		if errors.Is(err, account.ErrNoAccount) {
			return nil
		}
		if err != nil {
			return err
		}
		facts, numbers := s.accountFacts(r, f), s.placeNumbers(r, f)
		p.Facts, p.Numbers = &facts, &numbers
		return nil
	})
	return p, err
}

// next says who does what next.
func next(q support.Request, by access.Actor) string {
	switch {
	case q.State == support.Asked:
		return "The account holder has a letter. They sign in, read what will change, and confirm it with their password, or say that it was not them."
	case q.State == support.Confirmed && q.AskedBy == by.Account():
		return "You asked for this, so another supporter looks at it and approves it."
	case q.State == support.Confirmed:
		return "The account holder has confirmed. Look at the reason and the numbers once more. When you approve, they are signed out everywhere, the empty practice is put away, and an invitation that waits is accepted."
	}
	return ""
}

// approveConversion is POST /support/requests/{request}/approval.
func (s *Site) approveConversion(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return s.onRequest(w, r, by, "approved", support.Approve)
}

// withdrawConversion is POST /support/requests/{request}/withdrawal.
func (s *Site) withdrawConversion(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return s.onRequest(w, r, by, "withdrawn", support.Withdraw)
}

func (s *Site) onRequest(w http.ResponseWriter, r *http.Request, by access.Actor, said string, do func(*db.Tx, access.Actor, support.RequestID) error) error {
	request, err := pathID[support.RequestID](r, "request")
	if err != nil {
		return err
	}
	err = s.DB.Update(r.Context(), func(tx *db.Tx) error { return do(tx, by, request) })
	if err == nil {
		return see(w, r, "/support/requests/"+request.String()+"?said="+said)
	}
	told, status := problemsOf(err)
	if told == nil || errors.Is(err, fault.NotFound) {
		return err
	}
	p, err := s.requestPage(r, by)
	if err != nil {
		return err
	}
	p.tell(told)
	return s.show(w, r, status, p.View())
}

// leaveSupport is POST /support/leaving.
func (s *Site) leaveSupport(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	err := s.DB.Update(r.Context(), func(tx *db.Tx) error { return support.Leave(tx, by, visitOf(r).token) })
	if errors.Is(err, account.ErrSignedOut) {
		return see(w, r, "/sign-in")
	}
	if err != nil {
		return err
	}
	return see(w, r, "/dashboard")
}
