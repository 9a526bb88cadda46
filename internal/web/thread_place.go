package web

import (
	"cmp"
	"net/http"
	"net/url"
	"strconv"

	"icouch/internal/access"
	"icouch/internal/base/id"
	"icouch/internal/chat"
	"icouch/internal/platform/db"
)

// mostAsides is how many of each of the following an account can ask for in
// messagesPer: three a second. A page says that somebody types every three
// seconds, keeps a draft when they have paused for one and a half, and says what
// was read twice a second at most, so somebody who types for an hour on two
// devices stays far below. A row that counts would cost as much as what it counts.
const mostAsides = 900

// POST /messages/{conversation}/read
func (s *Site) readMessages(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return s.quietly(w, r, by, s.reads, func(c id.Conversation, form url.Values) error {
		seq, err := strconv.ParseInt(form.Get("seq"), 10, 64)
		if err != nil || seq < 0 {
			return errBadForm
		}
		change, err := strconv.ParseInt(cmp.Or(form.Get("change"), "0"), 10, 64) // a page from before says none
		if err != nil || change < 0 {
			return errBadForm
		}
		return chat.Read(r.Context(), s.DB, by, c, seq, change)
	})
}

// POST /messages/{conversation}/draft
func (s *Site) keepDraft(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return s.quietly(w, r, by, s.drafts, func(c id.Conversation, form url.Values) error {
		waits, err := waitingIn(form)
		if !form.Has("body") { // half a form would keep nothing
			err = errBadForm
		}
		if err != nil {
			return err
		}
		b := chat.Begun{Body: form.Get("body"), Waits: waits}
		if v := form.Get("page"); v != "" {
			page, err := id.Parse[id.Page](v)
			if err != nil {
				return errBadForm
			}
			if b.Number, err = strconv.ParseInt(form.Get("number"), 10, 64); err != nil {
				return errBadForm
			}
			b.Page = page.String()
		}
		return chat.KeepDraft(r.Context(), s.DB, by, c, b)
	})
}

// mostWaiting is how many messages a page can leave behind that have no answer yet.
const mostWaiting = 50

// waitingIn are the messages that a page has tried to send: as it goes, it does
// not know what becomes of them.
func waitingIn(form url.Values) (all []chat.Waiting, err error) {
	words := form["words"]
	if len(form["message"]) != len(words) || len(words) > mostWaiting {
		return nil, errBadForm
	}
	for i, v := range form["message"] {
		m, err := id.Parse[id.Message](v)
		if err != nil {
			return nil, errBadForm
		}
		all = append(all, chat.Waiting{ID: m, Words: words[i]})
	}
	return all, nil
}

// POST /messages/{conversation}/typing
func (s *Site) typing(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return s.quietly(w, r, by, s.typings, func(c id.Conversation, _ url.Values) error {
		var topics []string
		err := s.DB.View(r.Context(), func(tx *db.Tx) (err error) { topics, err = chat.Typing(tx, by, c); return err })
		if err != nil {
			return err
		}
		for _, t := range topics {
			if err := s.DB.Signal(r.Context(), t); err != nil {
				return err
			}
		}
		return nil
	})
}

// POST /messages/{conversation}/archive
func (s *Site) archiveConversation(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	c, err := pathID[id.Conversation](r, "conversation")
	if err != nil {
		return err
	}
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	err = s.DB.Update(r.Context(), func(tx *db.Tx) error { return chat.Archive(tx, by, c, form.Get("back") == "") })
	if err != nil {
		return err
	}
	return see(w, r, "/messages")
}

// quietly does something that a page's script asks for and that has no page of
// its own, and counts it. Without script, the thread is shown again.
func (s *Site) quietly(w http.ResponseWriter, r *http.Request, by access.Actor, most *counter, do func(c id.Conversation, form url.Values) error) error {
	if err := most.take(by.Account().String()); err != nil {
		return err
	}
	c, err := pathID[id.Conversation](r, "conversation")
	if err != nil {
		return err
	}
	form, err := inEitherShape(r)
	if err != nil {
		return err
	}
	if err := do(c, form); err != nil {
		return err
	}
	if byScript(r) {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return see(w, r, conversationPath(c, "#end"))
}

// inEitherShape reads a form. As one with files it is shorter where every letter
// takes several bytes.
func inEitherShape(r *http.Request) (url.Values, error) {
	if !manifold(r) {
		return typedIn(r)
	}
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, errBadForm
	}
	form, err := writtenIn(parts)
	if err != nil {
		return nil, unread(err)
	}
	return form, nil
}

// byScript reports whether the page's own script asks, and wants no page.
func byScript(r *http.Request) bool { return r.Header.Get("X-Script") == "thread" }
