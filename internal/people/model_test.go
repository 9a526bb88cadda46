package people_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/email"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/platform/mail"
	"icouch/internal/world"
)

// steps has the model test go on until so many commands were given.
var steps = flag.Int("steps", 0, "give the invitation model at least so many commands")

// A model of what the state machine of an invitation promises. What can be
// seen of it: what the page of every link says, and what the row of each
// client offers and counts as.
type (
	modelLink struct {
		client, made int
		state        people.State
		mailbox      int // which address it was made for
		byHand       bool
		moved        bool   // the address changed under it
		posted       string // its letter: queued, delayed, sent, failed; "" none
		tried        int    // when it was first not accepted
	}
	modelClient struct {
		consent, ended, account bool
		mailbox                 int
		links                   []int // indexes of its links, oldest first
		asked                   bool
	}
	model struct {
		now     int // seconds
		down    bool
		clients [2]modelClient
		links   []modelLink
		account map[int]bool // the mailboxes with an account: proved?
	}
)

func (m *model) newest(c int) *modelLink {
	if l := m.clients[c].links; len(l) > 0 {
		return &m.links[l[len(l)-1]]
	}
	return nil
}
func (m *model) expired(l *modelLink) bool { return m.now-l.made >= 14*24*3600 }
func (m *model) end(c int, as people.State) {
	if l := m.newest(c); l != nil && l.state == people.Live {
		l.state, l.posted = as, ""
	}
}
func (m *model) add(c int, byHand bool) {
	m.end(c, people.Superseded)
	l := modelLink{client: c, made: m.now, state: people.Live, mailbox: m.clients[c].mailbox, byHand: byHand}
	if !byHand {
		l.posted = "queued"
	}
	m.clients[c].links, m.clients[c].asked = append(m.clients[c].links, len(m.links)), false
	m.links = append(m.links, l)
}
func (m *model) says(l *modelLink) error {
	switch {
	case l.state == people.Used:
		return people.ErrLinkUsed
	case l.state == people.Withdrawn:
		return people.ErrLinkWithdrawn
	case l.state == people.Superseded:
		return people.ErrLinkReplaced
	case m.expired(l):
		return people.ErrLinkExpired
	case m.clients[l.client].ended:
		return people.ErrLinkWithdrawn
	}
	return nil
}
func (m *model) cannot(c int) error {
	switch is := m.clients[c]; {
	case is.account:
		return people.ErrHasAccount
	case is.ended:
		return people.ErrCareEnded
	case !is.consent:
		return people.ErrNoConsent
	}
	return nil
}
func (m *model) renew(l *modelLink) {
	c, was := l.client, m.newest(l.client)
	switch {
	case l.state == people.Withdrawn:
		m.clients[c].asked = m.clients[c].asked || l == was
	case was.state == people.Used:
	case was.state == people.Withdrawn:
		m.clients[c].asked = true
	case m.cannot(c) == nil && m.now-was.made >= 60 && l.mailbox == m.clients[c].mailbox:
		m.add(c, false)
	}
}
func (m *model) row(c int) (people.Action, people.Group, bool) {
	l := m.newest(c)
	switch is := m.clients[c]; {
	case is.ended:
		return people.NoAction, people.Ended, false
	case is.account:
		return people.MessageAction, people.HasAccount, false
	case !is.consent, l == nil:
		return people.InviteAction, people.NotInvited, false
	case l.state == people.Withdrawn:
		return people.ResendAction, people.Invited, is.asked || l.moved
	}
	return people.ResendAction, people.Invited, m.expired(l) || l.posted == "delayed" || l.posted == "failed"
}

// run is one check: the model, and fresh clients of a world that many share.
type run struct {
	t       *rapid.T
	w       *world.World
	post    *post
	model   model
	clients [2]id.Client
	tokens  []secret.Token // of each link of the model; zero while nobody has it
	address [3]string
}

func (r *run) update(fn func(*db.Tx) error) error { return r.w.DB.Update(r.t.Context(), fn) }

func (r *run) expect(what string, got, want error) {
	if got != want && !errors.Is(got, want) {
		r.t.Fatalf("%s: %v, want %v", what, got, want)
	}
}

var runs atomic.Int64

func TestTheInvitationKeepsToItsModel(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	given, post := 0, &post{}
	w.Courier.Mail = post
	property := func(rt *rapid.T) {
		n := runs.Add(1)
		r := &run{t: rt, w: w, post: post, model: model{account: map[int]bool{}}}
		r.mail(false)
		r.runJobs() // what an earlier check left behind
		for i := range r.address {
			r.address[i] = fmt.Sprintf("m%d-%d@example.com", n, i)
		}
		for i := range r.clients {
			r.clients[i] = w.Client(t, w.Mara, people.Draft{First: fmt.Sprint("Client ", i), Email: r.address[0], EmailConsent: true})
			r.model.clients[i].consent = true
		}
		rt.Repeat(map[string]func(*rapid.T){
			"":       func(*rapid.T) { given++; r.check() },
			"invite": func(t *rapid.T) { r.invite(r.client(t)) }, "re-send": func(t *rapid.T) { r.resend(r.client(t)) },
			"withdraw": func(t *rapid.T) { r.withdraw(r.client(t)) }, "copy link": func(t *rapid.T) { r.copyLink(r.client(t)) },
			"edit e-mail":      func(t *rapid.T) { r.edit(r.client(t), rapid.IntRange(0, 1).Draw(t, "address")) },
			"consent":          func(t *rapid.T) { r.consent(r.client(t), rapid.Bool().Draw(t, "given")) },
			"care":             func(t *rapid.T) { r.care(r.client(t)) },
			"sign up":          func(t *rapid.T) { r.signUp(r.link(t)) },
			"accept":           func(t *rapid.T) { r.accept(r.link(t), rapid.IntRange(0, 2).Draw(t, "as")) },
			"renew":            func(t *rapid.T) { r.renew(r.link(t)) },
			"renew by address": func(t *rapid.T) { r.renewByAddress(rapid.IntRange(0, 2).Draw(t, "address")) },
			"clock": func(t *rapid.T) {
				r.pass(rapid.SampledFrom([]int{1, 61, 3600, 86400, 7 * 86400, 14 * 86400}).Draw(t, "seconds"))
			},
			"run jobs": func(*rapid.T) { r.runJobs() },
			"mail":     func(t *rapid.T) { r.mail(rapid.Bool().Draw(t, "down")) },
		})
	}
	rapid.Check(t, property)
	for given < *steps && !t.Failed() {
		rapid.Check(t, property)
	}
	t.Logf("%d commands", given)
}

func (r *run) client(t *rapid.T) int { return rapid.IntRange(0, 1).Draw(t, "client") }

func (r *run) link(rt *rapid.T) int {
	if len(r.tokens) == 0 {
		rt.Skip("no link yet")
	}
	k := rapid.IntRange(0, len(r.tokens)-1).Draw(rt, "link")
	if r.tokens[k] == (secret.Token{}) {
		rt.Skip("nobody has this link yet")
	}
	return k
}

// post is a mail server that can be down and keeps only what came since last asked.
type post struct {
	down bool
	came []mail.Message
}

func (p *post) Send(_ context.Context, m mail.Message) (mail.Receipt, error) {
	if p.down {
		return mail.Receipt{}, mailDown
	}
	p.came = append(p.came, m)
	return mail.Receipt{Accepted: true}, nil
}

func (r *run) invite(c int) {
	want := r.model.cannot(c)
	if want == nil && r.model.newest(c) != nil {
		want = people.ErrAlreadyInvited
	}
	r.expect("invite", r.update(func(tx *db.Tx) error { return people.Invite(tx, r.w.Mara, r.clients[c], "") }), want)
	if want == nil {
		r.model.add(c, false)
	}
}

func (r *run) resend(c int) {
	want, was := r.model.cannot(c), r.model.newest(c)
	switch {
	case want != nil:
	case was == nil:
		want = people.ErrNotInvited
	case was.state == people.Live && r.model.now-was.made < 60:
		want = people.ErrJustSent
	}
	r.expect("re-send", r.update(func(tx *db.Tx) error { return people.Resend(tx, r.w.Mara, r.clients[c], "") }), want)
	if want == nil {
		r.model.add(c, false)
	}
}

func (r *run) copyLink(c int) {
	want := r.model.cannot(c)
	if want == people.ErrNoConsent {
		want = nil
	}
	var token secret.Token
	err := r.update(func(tx *db.Tx) (err error) { token, err = people.CopyLink(tx, r.w.Mara, r.clients[c]); return err })
	r.expect("copy link", err, want)
	if want == nil {
		r.model.add(c, true)
		r.know(len(r.model.links)-1, token)
	}
}

func (r *run) know(link int, token secret.Token) {
	for len(r.tokens) <= link {
		r.tokens = append(r.tokens, secret.Token{})
	}
	r.tokens[link] = token
}

func (r *run) withdraw(c int) {
	var want error
	if l := r.model.newest(c); l == nil || l.state != people.Live {
		want = people.ErrNothingLive
	}
	r.expect("withdraw", r.update(func(tx *db.Tx) error { return people.Withdraw(tx, r.w.Mara, r.clients[c]) }), want)
	r.model.end(c, people.Withdrawn)
}

func (r *run) edit(c, mailbox int) {
	err := r.update(func(tx *db.Tx) error {
		is, err := people.Find(tx, r.w.Mara, r.clients[c])
		if err != nil {
			return err
		}
		if is.Email, err = email.Parse(r.address[mailbox]); err != nil {
			return err
		}
		_, err = people.Edit(tx, r.w.Mara, is.ID, is.Version, is.Details)
		return err
	})
	r.expect("edit", err, nil)
	if r.model.clients[c].mailbox != mailbox {
		if l := r.model.newest(c); l != nil && l.state == people.Live {
			l.moved = true
		}
		r.model.end(c, people.Withdrawn)
	}
	r.model.clients[c].mailbox = mailbox
}

func (r *run) consent(c int, given bool) {
	r.expect("consent", r.update(func(tx *db.Tx) error { return people.Consent(tx, r.w.Mara, r.clients[c], given) }), nil)
	is := &r.model.clients[c]
	if l := r.model.newest(c); is.consent && !given && l != nil && (l.posted == "queued" || l.posted == "delayed") {
		r.model.end(c, people.Withdrawn)
	}
	is.consent = given
}

func (r *run) care(c int) {
	is := &r.model.clients[c]
	verb := func(tx *db.Tx) error { return people.EndCare(tx, r.w.Mara, r.clients[c], tx.Now()) }
	if is.ended {
		verb = func(tx *db.Tx) error { return people.ResumeCare(tx, r.w.Mara, r.clients[c]) }
	} else {
		r.model.end(c, people.Withdrawn)
	}
	r.expect("care", r.update(verb), nil)
	is.ended = !is.ended
}

// used is what a link comes to when somebody joins by it.
func (r *run) used(l *modelLink, verified bool) {
	l.state, l.posted = people.Used, ""
	r.model.clients[l.client].account = true
	r.model.account[l.mailbox] = verified
}

func (r *run) signUp(k int) {
	l := &r.model.links[k]
	want := r.model.says(l)
	if verified, there := r.model.account[l.mailbox]; want == nil && there && (verified || l.byHand) {
		want = people.ErrSignInToAccept
	}
	r.expect("sign up", r.update(func(tx *db.Tx) error { return second(people.SignUp(tx, access.Guest(), r.tokens[k], "hash")) }), want)
	if want == nil {
		r.used(l, !l.byHand)
	}
}

func (r *run) accept(k, as int) {
	a, err := email.Parse(r.address[as])
	r.expect("address", err, nil)
	if _, there := r.model.account[as]; !there {
		r.model.account[as] = true
		r.expect("account", r.update(func(tx *db.Tx) error {
			return second(account.Make(tx, access.Guest(), account.New{Name: "Somebody", Email: a, Password: "hash", Verified: true}))
		}), nil)
	}
	l := &r.model.links[k]
	want := r.model.says(l)
	if want == nil && l.mailbox != as {
		want = people.ErrSomebodyElse
	}
	err = r.update(func(tx *db.Tx) error {
		who, err := account.ByEmail(tx, access.Guest(), a)
		if err != nil {
			return err
		}
		return second(people.Accept(tx, access.AsPerson(who.ID), r.tokens[k]))
	})
	r.expect("accept", err, want)
	if want == nil {
		r.used(l, r.model.account[as] || !l.byHand)
	}
}

func (r *run) renew(k int) {
	r.expect("renew", r.update(func(tx *db.Tx) error { return people.Renew(tx, access.Guest(), r.tokens[k]) }), nil)
	r.model.renew(&r.model.links[k])
}

func (r *run) renewByAddress(mailbox int) {
	a, err := email.Parse(r.address[mailbox])
	r.expect("address", err, nil)
	r.expect("renew by address", r.update(func(tx *db.Tx) error { return people.RenewByAddress(tx, access.Guest(), a) }), nil)
	for c := range r.clients {
		for i := len(r.model.clients[c].links) - 1; i >= 0; i-- {
			if l := &r.model.links[r.model.clients[c].links[i]]; l.mailbox == mailbox {
				r.model.renew(l)
				break
			}
		}
	}
}

func (r *run) pass(seconds int) {
	r.model.now += seconds
	r.w.Pass(time.Duration(seconds) * time.Second)
}

func (r *run) mail(down bool) { r.model.down, r.post.down = down, down }

// runJobs waits until every letter is due, however often it was tried.
func (r *run) runJobs() {
	r.pass(3600)
	r.post.came = nil
	_, err := r.w.Jobs.RunDue(r.t.Context())
	r.expect("jobs", err, nil)
	for _, m := range r.post.came {
		_, rest, ok := strings.Cut(m.Text, world.Base+"/join/")
		if !ok {
			continue
		}
		token := secret.ParseToken(strings.Fields(rest)[0])
		var client id.Client
		var ordinal int
		if err := r.w.DB.Row(r.t.Context(), "SELECT client_id, ordinal FROM invitation WHERE token_hash = $1", []any{token.Hash()}, &client, &ordinal); err != nil {
			r.t.Fatal(err)
		}
		if c := slices.Index(r.clients[:], client); c >= 0 {
			k := r.model.clients[c].links[ordinal-1]
			if r.model.links[k].posted != "queued" && r.model.links[k].posted != "delayed" {
				r.t.Fatalf("link %d went out, and is %q", k, r.model.links[k].posted)
			}
			r.know(k, token)
		}
	}
	for k := range r.model.links {
		r.carried(k)
	}
}

func (r *run) carried(k int) {
	l := &r.model.links[k]
	switch {
	case l.posted != "queued" && l.posted != "delayed":
	case r.model.expired(l), r.model.down && l.posted == "delayed" && r.model.now-l.tried > 36*3600:
		l.posted = "failed"
	case !r.model.down:
		l.posted = "sent"
		if k >= len(r.tokens) || r.tokens[k] == (secret.Token{}) {
			r.t.Fatalf("the letter with link %d did not go", k)
		}
	case l.posted == "queued":
		l.posted, l.tried = "delayed", r.model.now
	}
}

// check compares everything that can be seen.
func (r *run) check() {
	err := r.w.DB.View(r.t.Context(), func(tx *db.Tx) error {
		for k, token := range r.tokens {
			if token == (secret.Token{}) {
				continue
			}
			o, err := people.Look(tx, access.Guest(), token)
			if err != nil {
				return err
			}
			if got, want := o.Fault(), r.model.says(&r.model.links[k]); got != want {
				r.t.Fatalf("link %d says %v, want %v", k, got, want)
			}
		}
		all, err := people.Somebody(tx, r.w.Mara, r.clients[:])
		for _, l := range all {
			c := slices.Index(r.clients[:], l.ID)
			action, group, attention := r.model.row(c)
			g, a := l.Groups(tx.Now())
			if row := l.Contact(setting(r.w)); row.Action != action || g != group || a != attention {
				r.t.Fatalf("the row of client %d offers %q (%s, attention %t), want %q (%s, %t)", c, row.Action, g, a, action, group, attention)
			}
		}
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
}
