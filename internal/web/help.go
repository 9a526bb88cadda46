package web

import (
	"errors"
	"net/http"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/audit"
	"icouch/internal/base/email"
	"icouch/internal/base/fault"
	"icouch/internal/base/text"
	"icouch/internal/letter"
	"icouch/internal/platform/db"
	"icouch/internal/platform/limit"
	"icouch/internal/web/parts"
)

// What is wrong with a call for help.
var (
	errNobodyHelps = fault.New(fault.Conflict, "Nobody would get this: no support address is set up here. Please contact your practice.")
	errNoQuestion  = fault.On("happened", fault.Invalid, "Say what happened, in a few words.")
	errNoReply     = fault.On("email", fault.Invalid, "Enter an e-mail address, so that we can answer.")
	errManyCalls   = fault.New(fault.Busy, "There were many messages from your network. Please wait an hour and try again, or contact your practice.")
)

// longestQuestion is how much support is told at once.
const longestQuestion = 4000

// HelpPage is "Still Need Help?".
type HelpPage struct {
	Page
	Email, Happened string // as typed
	SignedIn        bool
	Nobody          bool // there is no support here
	Notice          *parts.Notice
}

// showHelp is GET /help.
func (s *Site) showHelp(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	p, err := s.helpPage(r, by)
	if err != nil {
		return err
	}
	if r.URL.Query().Get("said") == "sent" && !p.Nobody {
		p.Notice = &parts.Notice{Tone: parts.Good, Title: "Your message is on its way", Words: "Support answers by e-mail."}
	}
	return s.show(w, r, http.StatusOK, p.View())
}

func (s *Site) helpPage(r *http.Request, by access.Actor) (p HelpPage, err error) {
	p = HelpPage{SignedIn: by.SignedIn(), Nobody: s.Support.IsZero() || s.NoMail}
	p.Page, err = s.frame(r, by, "Help", "")
	return p, err
}

// askHelp is POST /help.
func (s *Site) askHelp(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if err := typed(r); err != nil {
		return err
	}
	p, err := s.helpPage(r, by)
	if err != nil {
		return err
	}
	p.Email, p.Happened = r.PostFormValue("email"), r.PostFormValue("happened")
	if err := s.sendHelp(r, by, p); err != nil {
		told, status := problemsOf(err)
		if told == nil {
			return err
		}
		p.tell(told)
		return s.show(w, r, status, p.View())
	}
	return see(w, r, "/help?said=sent")
}

func (s *Site) sendHelp(r *http.Request, by access.Actor, p HelpPage) error {
	if p.Nobody {
		return errNobodyHelps
	}
	happened, wrong := text.Block(p.Happened, longestQuestion)
	if wrong == nil && happened == "" {
		wrong = errNoQuestion
	}
	var reply email.Address
	var wrongEmail error
	if p.Email != "" {
		reply, wrongEmail = email.Parse(p.Email)
	} else if !by.SignedIn() {
		wrongEmail = errNoReply
	}
	if err := errors.Join(fault.At("email", wrongEmail), fault.At("happened", wrong)); err != nil {
		return err
	}
	err := s.Limits.Take(r.Context(), helpRule, s.from(r))
	if errors.Is(err, limit.ErrTooOften) {
		return errManyCalls
	}
	if err != nil {
		return err
	}
	return s.DB.Update(r.Context(), func(tx *db.Tx) error { return s.toSupport(tx, outside(by), reply, happened) })
}

// toSupport writes the letter. Who has an account is named by its identifier;
// support can look the rest up.
func (s *Site) toSupport(tx *db.Tx, by access.Actor, reply email.Address, happened string) error {
	from := "Somebody who is not signed in wrote this:"
	if by.SignedIn() {
		from = "The owner of account " + by.Account().String() + " wrote this:"
		if reply.IsZero() {
			who, err := account.Of(tx, by)
			if err != nil {
				return err
			}
			reply = who.Email
		}
	}
	l, err := letter.Send(tx, by, letter.Draft{Kind: letter.Help, To: s.Support, FromName: letter.Brand, ReplyTo: reply.ASCII(), Account: by.Account(),
		Body: letter.Body{Subject: "A question through “Still Need Help?”", Parts: []letter.Part{
			{Text: from}, {Note: happened}, {Text: "To answer, write to:"}, {Note: reply.String()}}}})
	if err != nil {
		return err
	}
	return audit.Record(tx, by, audit.Deed{Did: audit.HelpAsked, Subject: l})
}
