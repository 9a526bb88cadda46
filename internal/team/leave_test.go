package team_test

import (
	"strings"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/team"
	"icouch/internal/world"
)

// departs has somebody delete their account, and lets the days go by until it is
// gone.
func departs(t testing.TB, w *world.World, who id.Account) {
	t.Helper()
	w.Update(t, func(tx *db.Tx) error { _, err := people.AskToLeave(tx, access.AsPerson(who)); return err })
	for _, d := range []time.Duration{account.Grace, 25 * time.Hour} {
		w.Pass(d)
		if err := (people.Clerk{DB: w.DB}).Depart(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	w.RunJobs(t)
	err := w.DB.View(t.Context(), func(tx *db.Tx) error { _, err := account.Of(tx, access.AsPerson(who)); return err })
	wants(t, "premise: the account is gone", err, account.ErrNoAccount)
}

const doorMail = "backdoor@elsewhere.test"

// An administrator invites a second mailbox of their own and deletes their
// account. The link is dead with them, and asked for again it goes to the owner,
// who knows nobody there.
func TestNobodyComesBackByTheInvitationOfWhoHasLeft(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	evan := w.Colleague(t, "Evan Ill", "evan@practice.test", access.Administrator)
	w.Update(t, func(tx *db.Tx) error {
		return team.Invite(tx, evan, team.Draft{Name: "Door", Email: address(t, doorMail), Role: access.Administrator})
	})
	w.RunJobs(t)
	token := link(t, w, doorMail)
	departs(t, w, evan.Account())
	var n int
	if err := w.DB.Row(t.Context(), "SELECT COUNT(*) FROM team_invitation WHERE state = 'live'", nil, &n); err != nil || n != 0 || trail(t, w, "member.invitation_withdrawn") != 1 {
		t.Errorf("%d links live on; withdrawn in the trail: %d", n, trail(t, w, "member.invitation_withdrawn"))
	}
	sent, told := len(w.Letters(doorMail)), len(w.Letters("mara@practice.test"))
	for range 2 {
		w.Update(t, func(tx *db.Tx) error { return team.Renew(tx, access.Guest(), token) })
		w.Update(t, func(tx *db.Tx) error { return team.RenewByAddress(tx, access.Guest(), address(t, doorMail)) })
	}
	w.RunJobs(t)
	if n := len(w.Letters(doorMail)) - sent; n != 0 {
		t.Errorf("%d new links were sent by who has left", n)
	}
	if n := len(w.Letters("mara@practice.test")) - told; n != 1 {
		t.Errorf("the owner was asked %d times, want once", n)
	}
	_, err := signUp(t, w, token)
	wants(t, "joining", err, people.ErrLinkWithdrawn)
	asks := open(t, w)
	if len(asks) != 1 || asks[0].AskedAt == nil || asks[0].Name != "Door" {
		t.Fatalf("the list shows %+v", asks)
	}

	// Who knows them after all sends it in their own name.
	w.Update(t, func(tx *db.Tx) error { return team.Resend(tx, w.Mara, asks[0].ID) })
	w.RunJobs(t)
	if _, err := signUp(t, w, link(t, w, doorMail)); err != nil {
		t.Errorf("invited by the owner: %v", err)
	}
}

// Rows from before leaving took the links along, or a role that was lost by
// another way: what counts is what the inviter may now.
func TestALinkIsWorthWhatItsInviterMayStillGive(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		now    access.Role // the inviter's
		active bool
		role   access.Role // the link's
		lives  bool
	}{
		{"as before", access.Owner, true, access.Owner, true},
		{"inactive", access.Owner, false, access.Biller, false},
		{"an administrator now, and it makes an owner", access.Administrator, true, access.Owner, false},
		{"an administrator now, and it makes none", access.Administrator, true, access.Administrator, true},
		{"a practitioner now", access.Practitioner, true, access.Biller, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := world.New(t)
			ola := w.Colleague(t, "Ola Berg", "ola@practice.test", access.Owner)
			w.Update(t, func(tx *db.Tx) error {
				return team.Invite(tx, ola, team.Draft{Name: "Nora New", Email: address(t, newMail), Role: c.role})
			})
			w.RunJobs(t)
			token := link(t, w, newMail)
			if err := w.DB.Exec(t.Context(), "UPDATE practitioner SET role = $1, active = $2 WHERE id = $3", string(c.now), c.active, ola.Practitioner().String()); err != nil {
				t.Fatal(err)
			}
			var o team.Offer
			w.View(t, func(tx *db.Tx) (err error) { o, err = team.Look(tx, access.Guest(), token); return err })
			nora := w.Account(t, "Nora New", newMail)
			err := update(t, w, func(tx *db.Tx) error { _, err := team.Accept(tx, access.AsPerson(nora), token); return err })
			if c.lives {
				wants(t, "looking", o.Fault(), nil)
				wants(t, "accepting", err, nil)
				return
			}
			wants(t, "looking", o.Fault(), people.ErrLinkWithdrawn)
			wants(t, "accepting", err, people.ErrLinkWithdrawn)
			if o.Inviter != "" || o.Name != "" {
				t.Errorf("the dead link shows %+v", o)
			}
			w.Pass(time.Hour)
			sent, told := len(w.Letters(newMail)), len(w.Letters("mara@practice.test"))
			w.Update(t, func(tx *db.Tx) error { return team.Renew(tx, access.Guest(), token) })
			w.Update(t, func(tx *db.Tx) error { return team.Renew(tx, access.Guest(), token) })
			w.RunJobs(t)
			if n := len(w.Letters(newMail)) - sent; n != 0 {
				t.Errorf("%d new links", n)
			}
			if n := len(w.Letters("mara@practice.test")) - told; n != 1 {
				t.Errorf("the owner was asked %d times", n)
			}
			if asks := open(t, w); len(asks) != 1 || asks[0].AskedAt == nil {
				t.Errorf("the list shows %+v", asks)
			}
		})
	}
}

// What a member held beyond their own clients goes with them.
func TestWhoLeavesKeepsNeitherCareTeamsNorSupervision(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	sue := w.Colleague(t, "Sue Perry", "sue@practice.test", access.Supervisor)
	w.Update(t, func(tx *db.Tx) error {
		if err := team.Include(tx, w.Mara, w.Theo, sue.Practitioner(), nil); err != nil {
			return err
		}
		return team.Supervise(tx, w.Mara, sue.Practitioner(), []id.Practitioner{w.Noor.Practitioner()})
	})
	held := func() (n int) {
		err := w.DB.Row(t.Context(), "SELECT (SELECT COUNT(*) FROM care_team WHERE practitioner_id = $1) + (SELECT COUNT(*) FROM supervision WHERE supervisor_id = $1)",
			[]any{sue.Practitioner().String()}, &n)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if held() != 2 {
		t.Fatal("premise: she held nothing")
	}
	departs(t, w, sue.Account())
	if n := held(); n != 0 {
		t.Errorf("she holds %d still", n)
	}
}

// An account that is gone has neither an address nor a name of its own. The
// practice keeps the name it knew, and goes on managing its members.
func TestADeletedAccountDoesNotLockTheMembers(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	evan := w.Colleague(t, "Evan Ill", "evan@practice.test", access.Administrator)
	departs(t, w, evan.Account())
	var all []team.Member
	w.View(t, func(tx *db.Tx) (err error) { all, err = team.Members(tx, w.Mara); return err })
	for _, m := range all {
		is := m.ID == evan.Practitioner()
		if m.Gone != is || m.Email.IsZero() != is || m.Active == is || is && m.Name != "Evan Ill" {
			t.Errorf("a member is %+v", m)
		}
	}
	if len(all) != 3 {
		t.Errorf("%d members, want 3", len(all))
	}
	w.Update(t, func(tx *db.Tx) error { return team.SetRole(tx, w.Mara, w.Noor.Practitioner(), access.Biller) })
	wants(t, "made active again", update(t, w, func(tx *db.Tx) error { return team.Reactivate(tx, w.Mara, evan.Practitioner()) }), team.ErrGone)
	wants(t, "of another practice", update(t, w, func(tx *db.Tx) error { return team.Reactivate(tx, w.Ines, evan.Practitioner()) }), fault.NotFound)
}

// The trail says of each emergency how it ended, also when a member is made
// inactive in the middle of one.
func TestAnEmergencyThatEndsWithItsMemberIsInTheTrail(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	other := client(t, w, w.Mara, "Una", "Reed")
	for _, c := range []id.Client{w.Theo, other} {
		w.Update(t, func(tx *db.Tx) error { return team.Open(tx, w.Noor, c, "She called in a crisis just now") })
	}
	w.Update(t, func(tx *db.Tx) error { return team.Deactivate(tx, w.Mara, w.Noor.Practitioner(), "") })
	var n, whom int
	if err := w.DB.Row(t.Context(), "SELECT COUNT(*), COUNT(DISTINCT client_id) FROM audit WHERE action = 'emergency.closed' AND practice_id = $1",
		[]any{w.Mara.Practice().String()}, &n, &whom); err != nil || n != 2 || whom != 2 {
		t.Errorf("closed in the trail: %d of %d clients, %v", n, whom, err)
	}
	err := w.DB.Row(t.Context(), "SELECT COUNT(*) FROM emergency WHERE closed_at IS NULL", nil, &n)
	if err != nil || n != 0 || trail(t, w, "emergency.opened") != 2 {
		t.Error("premise: not two that are closed")
	}
}

// As many letters as a practice has colleagues to invite, and no more: not every
// address that somebody types is a colleague's.
func TestAPracticeInvitesSoManyAnHour(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	one := func(by access.Actor, i int) error {
		return update(t, w, func(tx *db.Tx) error {
			return team.Invite(tx, by, team.Draft{Name: "Nora New", Email: address(t, strings.Repeat("n", i+1)+"@strangers.test"), Role: access.Biller})
		})
	}
	for i := range 20 {
		wants(t, "one of twenty", one(w.Mara, i), nil)
		w.Pass(time.Second)
	}
	ola := w.Colleague(t, "Ola Berg", "ola@practice.test", access.Owner)
	wants(t, "one more", one(w.Mara, 20), team.ErrManySent)
	wants(t, "by somebody else of the practice", one(ola, 20), team.ErrManySent)
	w.Pass(2 * time.Minute)
	wants(t, "sent again", update(t, w, func(tx *db.Tx) error { return team.Resend(tx, w.Mara, open(t, w)[0].ID) }), team.ErrManySent)
	wants(t, "next door", one(w.Ines, 20), nil)
	w.Pass(time.Hour - 2*time.Minute - 21*time.Second)
	wants(t, "a moment before the hour is over", one(w.Mara, 20), team.ErrManySent)
	w.Pass(time.Second)
	wants(t, "an hour after the first", one(w.Mara, 20), nil)
	wants(t, "and only that one", one(w.Mara, 21), team.ErrManySent)
	n := w.RunJobs(t)
	if n == 0 || len(w.Mail.Sent()) != 22 {
		t.Errorf("%d letters, want 21 of Mara's practice and one of Ines's", len(w.Mail.Sent()))
	}
	told := atOnce(4, func(i int) error { return one(w.Ines, 30+i) })
	if told[nil] != 4 {
		t.Errorf("next door: %v", told)
	}
}

func TestOfManyInvitationsAtOnceTheRuleLetsThroughWhatItMay(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	told := atOnce(24, func(i int) error {
		return update(t, w, func(tx *db.Tx) error {
			return team.Invite(tx, w.Mara, team.Draft{Name: "Nora New", Email: address(t, strings.Repeat("n", i+1)+"@strangers.test"), Role: access.Biller})
		})
	})
	if told[nil] != 20 || told[team.ErrManySent] != 4 {
		t.Errorf("24 at once: %v", told)
	}
}
