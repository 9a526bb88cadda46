package web

import (
	"errors"
	"net/http"
	"time"

	"icouch/internal/access"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/chat"
	"icouch/internal/platform/db"
	"icouch/internal/platform/limit"
)

// mostMessages is how many messages somebody can write in messagesPer: one a
// second, which nobody types.
const (
	mostMessages = 300
	messagesPer  = 5 * time.Minute
)

var errManyMessages = fault.New(fault.Busy, "You have written very many messages in a short time. Wait five minutes, then send this one: what you wrote is still here.")

var errLateChange = fault.On("body", fault.Conflict, "A message can be changed for five minutes. This one is older, and stays as it is. Your new words are where you write: press Send, and they go as a new message.")

// oneMore counts a message that is written, or changed, with what is written:
// one that does not go is not counted.
func (s *Site) oneMore(tx *db.Tx, by access.Actor) error {
	most := s.Messages
	if most == 0 {
		most = mostMessages
	}
	err := limit.Rule{Name: "message/account", Most: most, Per: messagesPer}.Take(tx, by.Account().String())
	if errors.Is(err, limit.ErrTooOften) {
		return errManyMessages
	}
	return err
}

// POST /messages/{conversation}
func (s *Site) sendMessage(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	c, err := pathID[id.Conversation](r, "conversation")
	if err != nil {
		return err
	}
	form, files, wrong, err := s.readComposer(w, r, by, c)
	if err != nil {
		return err
	}
	m, err := id.Parse[id.Message](form.Get("message"))
	if err != nil {
		return errBadForm
	}
	if err = wrong; err == nil {
		err = s.DB.Update(r.Context(), func(tx *db.Tx) error {
			if err := s.oneMore(tx, by); err != nil {
				return err
			}
			if _, err := chat.Send(tx, by, c, m, form.Get("body"), files...); err != nil || form.Get("kept") == "" {
				return err
			}
			return chat.Discard(tx, by, c, form.Get("kept"))
		})
	}
	if byScript(r) && err == nil {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	if err != nil {
		if errors.Is(err, chat.ErrSentOther) || errors.Is(err, chat.ErrSentFiles) || errors.Is(err, chat.ErrSentBefore) { // what goes next is another message
			m = ""
		}
		return s.showThread(w, r, by, ThreadPage{body: form.Get("body"), fresh: m}, err)
	}
	return see(w, r, conversationPath(c, "#end"))
}

// GET /messages/{conversation}/{message}
func (s *Site) changeMessage(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return s.showChange(w, r, by, "", nil)
}

func (s *Site) showChange(w http.ResponseWriter, r *http.Request, by access.Actor, typed string, wrong error) error {
	c, m, err := messageIn(r)
	if err != nil {
		return err
	}
	p := ThreadPage{}
	told, status := problemsOf(wrong)
	if wrong == nil {
		status = http.StatusOK
	} else if told == nil {
		return wrong
	}
	if p.reader, err = s.reader(r, by); err != nil {
		return err
	}
	err = s.DB.View(r.Context(), func(tx *db.Tx) error {
		if err := p.fill(tx, by, c, 0); err != nil {
			return err
		}
		for i := range p.lines { // one's own of the last minutes is on the newest page
			if b := &p.lines[i]; b.ID == m && b.Mine && b.TakenAt == nil {
				p.editing = b
			}
		}
		if p.editing == nil {
			return fault.NotFound
		}
		return nil
	})
	if err != nil {
		return err
	}
	if p.Page, err = s.frame(r, by, "Messaging", "/messages"); err != nil {
		return err
	}
	p.body = p.editing.Body
	if typed != "" {
		p.body = typed
	}
	p.tell(told)
	return s.show(w, r, status, p.Change())
}

func messageIn(r *http.Request) (c id.Conversation, m id.Message, err error) {
	if c, err = pathID[id.Conversation](r, "conversation"); err != nil {
		return c, m, err
	}
	m, err = pathID[id.Message](r, "message")
	return c, m, err
}

// POST /messages/{conversation}/{message}
func (s *Site) editMessage(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	c, m, err := messageIn(r)
	if err != nil {
		return err
	}
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	err = s.DB.Update(r.Context(), func(tx *db.Tx) error {
		if err := s.oneMore(tx, by); err != nil {
			return err
		}
		return chat.Edit(tx, by, c, m, form.Get("body"))
	})
	if errors.Is(err, chat.ErrTooLate) {
		return s.showThread(w, r, by, ThreadPage{late: form.Get("body")}, errLateChange)
	}
	if err != nil {
		return s.showChange(w, r, by, form.Get("body"), err)
	}
	return see(w, r, conversationPath(c, "#end"))
}

// POST /messages/{conversation}/{message}/removal
func (s *Site) takeBackMessage(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	c, m, err := messageIn(r)
	if err != nil {
		return err
	}
	err = s.DB.Update(r.Context(), func(tx *db.Tx) error { return chat.TakeBack(tx, by, c, m) })
	if told, _ := problemsOf(err); told != nil {
		return s.showThread(w, r, by, ThreadPage{}, err)
	}
	if err != nil {
		return err
	}
	return see(w, r, conversationPath(c, "#end"))
}
