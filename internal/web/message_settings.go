package web

import (
	"net/http"
	"net/url"
	"strconv"

	"icouch/internal/access"
	"icouch/internal/base/at"
	"icouch/internal/base/civil"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/chat"
	"icouch/internal/platform/db"
	"icouch/internal/web/parts"
)

// MessageSettingsPage is what somebody chooses about messages.
type MessageSettingsPage struct {
	Page
	Done      *parts.Notice
	reader    reader
	choice    chat.Choice
	aways     []chat.Away
	replyTime string
	typed     url.Values // an absence that could not be noted
	fresh     id.Away
}

var messageSaid = map[string]parts.Notice{
	"saved": {Tone: parts.Good, Words: "Saved."},
	"away":  {Tone: parts.Good, Words: "Noted. While it lasts, whoever writes to you is answered once in each conversation."},
	"back":  {Tone: parts.Good, Words: "Removed. Nothing is answered automatically."},
}

// GET /settings/messages
func (s *Site) messageSettings(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	p := MessageSettingsPage{}
	if n, ok := messageSaid[r.URL.Query().Get("said")]; ok {
		n.Alert = true
		p.Done = &n
	}
	return s.showMessageSettings(w, r, by, p, nil)
}

func (s *Site) showMessageSettings(w http.ResponseWriter, r *http.Request, by access.Actor, p MessageSettingsPage, wrong error) error {
	told, status := problemsOf(wrong)
	if wrong == nil {
		status = http.StatusOK
	} else if told == nil {
		return wrong
	}
	err := s.DB.View(r.Context(), func(tx *db.Tx) (err error) {
		if p.choice, err = chat.ChoiceOf(tx, by); err != nil {
			return err
		}
		if p.replyTime, err = chat.ReplyTime(tx, by); err != nil || !by.AtWork() {
			return err
		}
		p.aways, err = chat.Aways(tx, by)
		return err
	})
	if err != nil {
		return err
	}
	if p.reader, err = s.reader(r, by); err != nil {
		return err
	}
	if p.Page, err = s.frame(r, by, "Messages", "/settings"); err != nil {
		return err
	}
	p.fresh = id.New[id.Away](s.DB.Clock())
	p.tell(told)
	return s.show(w, r, status, p.View())
}

// hours are the hours of a day to choose from.
func hours(name, label string, minutes int) parts.Select {
	s := parts.Select{Name: name, Label: label, Value: strconv.Itoa(minutes / 60)}
	for h := range 24 {
		words := strconv.Itoa((h+11)%12+1) + " am"
		switch {
		case h == 0:
			words = "midnight"
		case h == 12:
			words = "noon"
		case h > 12:
			words = strconv.Itoa(h-12) + " pm"
		}
		s.Options = append(s.Options, parts.Option{Value: strconv.Itoa(h), Label: words})
	}
	return s
}

// POST /settings/messages
func (s *Site) setMessageSettings(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	hour := func(name string) int {
		n, err := strconv.Atoi(form.Get(name))
		if err != nil {
			return -1
		}
		return n * 60
	}
	c := chat.Choice{HidesSeen: form.Get("seen") == "", ShowsHere: form.Get("here") != "", Letters: chat.Letters(form.Get("letters")), QuietFrom: hour("quiet-from"), QuietUntil: hour("quiet-until")}
	err = s.DB.Update(r.Context(), func(tx *db.Tx) error { return chat.Choose(tx, by, c) })
	if err != nil {
		return s.showMessageSettings(w, r, by, MessageSettingsPage{}, err)
	}
	return see(w, r, "/settings/messages?said=saved")
}

// POST /settings/messages/away
func (s *Site) goAway(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	away, err := id.Parse[id.Away](form.Get("away"))
	if err != nil {
		return errBadForm
	}
	is, err := s.reader(r, by)
	if err != nil {
		return err
	}
	from, err1 := civil.ParseDate(form.Get("from"))
	until, err2 := civil.ParseDate(form.Get("until"))
	switch {
	case err1 != nil:
		err = fault.At("from", errWhichDay)
	case err2 != nil:
		err = fault.At("until", errWhichDay)
	default:
		a := chat.Away{ID: away, Begins: at.Of(from.Begins(is.Zone)), Ends: at.Of(until.AddDays(1).Begins(is.Zone)), Words: form.Get("words")}
		err = s.DB.Update(r.Context(), func(tx *db.Tx) error { return chat.GoAway(tx, by, a) })
	}
	if err != nil {
		return s.showMessageSettings(w, r, by, MessageSettingsPage{typed: form}, err)
	}
	return see(w, r, "/settings/messages?said=away")
}

var errWhichDay = fault.New(fault.Invalid, "Choose a day.")

// POST /settings/messages/back
func (s *Site) endAway(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	away, err := id.Parse[id.Away](form.Get("away"))
	if err != nil {
		return fault.NotFound
	}
	if err := s.DB.Update(r.Context(), func(tx *db.Tx) error { return chat.ComeBack(tx, by, away) }); err != nil {
		return err
	}
	return see(w, r, "/settings/messages?said=back")
}

// POST /settings/messages/reply-time
func (s *Site) setReplyTime(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	err = s.DB.Update(r.Context(), func(tx *db.Tx) error { return chat.SetReplyTime(tx, by, form.Get("reply-time")) })
	if err != nil {
		return s.showMessageSettings(w, r, by, MessageSettingsPage{}, err)
	}
	return see(w, r, "/settings/messages?said=saved")
}

// awayWords says when an absence is.
func (p MessageSettingsPage) awayWords(a chat.Away) string {
	return civil.Day(p.reader.Now.Time, a.Begins.Time, p.reader.Zone) + " to " + civil.Day(p.reader.Now.Time, a.Ends.Add(-1), p.reader.Zone)
}

func (p MessageSettingsPage) letters() parts.Choices {
	return parts.Choices{Name: "letters", Legend: "E-mail about new messages", Value: string(p.choice.Letters), Hint: "It says that there is one, and nothing else.", Options: []parts.Choice{
		{Value: string(chat.EachBurst), Label: "After ten minutes", Hint: "Only if you have not read it by then. One e-mail tells of all messages that came meanwhile."},
		{Value: string(chat.DailyOnes), Label: "Once a day", Hint: "At five in the afternoon, if something is unread."},
		{Value: string(chat.NoLetters), Label: "Never"},
	}}
}

// quietWords says what quiet hours are, and how to have none.
func (p MessageSettingsPage) quietWords() string {
	return "We send you no e-mail between these hours, in " + p.reader.Zone.ZoneCity() + ". For no quiet hours, choose the same hour twice."
}
