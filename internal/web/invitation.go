package web

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"icouch/internal/access"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/base/text"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/platform/limit"
)

// resendings is how many letters one client gets by Re-Send. What was refused
// is not counted: an impatient hand gets no nearer to it.
var resendings = limit.Rule{Name: "re-send", Most: 5, Per: time.Hour}

// POST /people/{client}/invitation
func (s *Site) inviteClient(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return s.mail(w, r, by, "invited", func(tx *db.Tx, c id.Client, note string) error { return people.Invite(tx, by, c, note) })
}

// POST /people/{client}/invitation/sendings
func (s *Site) resendInvitation(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return s.mail(w, r, by, "resent", func(tx *db.Tx, c id.Client, note string) error { return people.Resend(tx, by, c, note) })
}

// mail does what sends a letter, and goes on to where the button was.
func (s *Site) mail(w http.ResponseWriter, r *http.Request, by access.Actor, word string, deed func(*db.Tx, id.Client, string) error) error {
	client, err := pathID[id.Client](r, "client")
	if err != nil {
		return err
	}
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	if word == "resent" {
		tally, err := s.Limits.Look(r.Context(), resendings, client.String())
		if err != nil {
			return err
		}
		if tally.Count >= resendings.Most {
			return s.showProblem(w, r, by, form.Get("note"), limit.ErrTooOften)
		}
	}
	if err := s.DB.Update(r.Context(), func(tx *db.Tx) error { return deed(tx, client, form.Get("note")) }); err != nil {
		return s.showProblem(w, r, by, form.Get("note"), err)
	}
	if word == "resent" {
		if err := s.Limits.Take(r.Context(), resendings, client.String()); err != nil {
			s.Log.WarnContext(r.Context(), "count", "err", err) // the letter goes all the same
		}
	}
	if s.NoMail {
		word = "no-mail"
	}
	return see(w, r, backTo(form.Get("back"), client, word))
}

// backTo is where somebody goes on from a button in the list: to the same list
// and row, or to the client.
func backTo(list string, c id.Client, word string) string {
	path, query, _ := strings.Cut(list, "?")
	v, err := url.ParseQuery(query)
	if path != "/people" || err != nil {
		return "/people/" + c.String() + "?said=" + word
	}
	v.Del("q") // names are in no address, and nothing else is that is not ours
	to := readListing(v).href()
	if strings.Contains(to, "?") {
		return to + "&said=" + word + "#c-" + c.String()
	}
	return to + "?said=" + word + "#c-" + c.String()
}

// POST /people/{client}/invitation/preview shows the letter and changes
// nothing. It is no GET because the line is in no address.
func (s *Site) previewInvitation(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	note := form.Get("note")
	if _, err := text.Block(note, noteLength); err != nil {
		return s.showProblem(w, r, by, note, fault.At("note", err))
	}
	p, err := s.clientPage(r, by, note)
	if err != nil {
		return err
	}
	p.seen = p.letter != ""
	return s.show(w, r, http.StatusOK, p.View())
}

// leaveInvitation is GET /people/{client}/invitation, and below: where somebody
// is who reloads the answer to one of these forms.
func (s *Site) leaveInvitation(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	client, err := pathID[id.Client](r, "client")
	if err != nil {
		return err
	}
	err = s.DB.View(r.Context(), func(tx *db.Tx) error {
		_, err := people.Find(tx, by, client)
		return err
	})
	if err != nil {
		return err
	}
	return see(w, r, "/people/"+client.String())
}

// POST /people/{client}/invitation/withdrawal
func (s *Site) withdrawInvitation(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return s.act(w, r, by, "withdrawn", func(tx *db.Tx, c id.Client) error { return people.Withdraw(tx, by, c) })
}

// POST /people/{client}/invitation/link answers with the link itself: it is in
// no address, no log and no title, and no page shows it again.
func (s *Site) copyLink(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	client, err := pathID[id.Client](r, "client")
	if err != nil {
		return err
	}
	var token secret.Token
	err = s.DB.Update(r.Context(), func(tx *db.Tx) (err error) {
		token, err = people.CopyLink(tx, by, client)
		return err
	})
	if err != nil {
		return s.showProblem(w, r, by, "", err)
	}
	p, err := s.clientPage(r, by, "")
	if err != nil {
		return err
	}
	p.link = s.url("/join/" + token.Reveal())
	return s.show(w, r, http.StatusOK, p.View())
}
