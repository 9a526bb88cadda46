package people_test

import (
	"strings"
	"testing"
	"time"

	"icouch/internal/base/at"
	"icouch/internal/base/civil"
	"icouch/internal/letter"
	"icouch/internal/people"
)

// TestTheRowFollowsFromTheFacts is the table of what a row of the People list
// offers. In each line everything further down is true as well, so that the
// order counts.
func TestTheRowFollowsFromTheFacts(t *testing.T) {
	t.Parallel()
	z, err := civil.ParseZone("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	now := at.Of(time.Date(2030, 11, 24, 19, 14, 0, 0, time.UTC)) // a Sunday, 2:14 pm in New York
	ago := func(d time.Duration) *at.Time { return now.Plus(-d).Ptr() }
	live := func(l people.Latest) *people.Latest {
		l.State, l.Ordinal = people.Live, max(l.Ordinal, 1)
		if l.CreatedAt.IsZero() {
			l.CreatedAt = *ago(time.Hour)
		}
		if l.ExpiresAt.IsZero() {
			l.ExpiresAt = now.Plus(13 * aDay)
		}
		return &l
	}
	open := func(l *people.Latest) people.Facts { return people.Facts{HasEmail: true, Consent: true, Newest: l} }
	withdrawn := func(reason string, asked *at.Time) people.Facts {
		return open(&people.Latest{State: people.Withdrawn, Ordinal: 1, Reason: reason, EndedAt: ago(3 * time.Hour), AskedAt: asked,
			Letter: letter.Bounced, CreatedAt: *ago(30 * aDay), ExpiresAt: *ago(16 * aDay)})
	}
	bounced := &people.Latest{State: people.Live, Letter: letter.Bounced, CreatedAt: *ago(30 * aDay), ExpiresAt: *ago(aDay)}
	type C = people.Contact
	for what, c := range map[string]struct {
		facts     people.Facts
		noMail    bool
		want      C
		group     people.Group
		attention bool
		changes   *at.Time
	}{
		"1 care ended": {people.Facts{EndsAt: ago(aDay), Account: true, Newest: bounced}, false,
			C{Shape: people.ShapeEnded, Status: "Care ended Sat 23 Nov"}, people.Ended, false, nil},
		"1 care ends just now": {people.Facts{EndsAt: &now, Account: true}, false,
			C{Shape: people.ShapeEnded, Status: "Care ended Sun 24 Nov"}, people.Ended, false, nil},
		"2 an account": {people.Facts{EndsAt: now.Plus(time.Second).Ptr(), Account: true, Newest: bounced}, false,
			C{people.MessageAction, true, people.ShapeActive, "Has an account", "Care ends Sun 24 Nov.", ""}, people.HasAccount, false, now.Plus(time.Second).Ptr()},
		"3 no e-mail": {people.Facts{Newest: bounced}, false,
			C{people.InviteAction, false, people.ShapeNone, "Not invited", "No e-mail address.", people.AddEmail}, people.NotInvited, false, nil},
		"4 no consent": {people.Facts{HasEmail: true, Newest: bounced}, false,
			C{people.InviteAction, false, people.ShapeNone, "Not invited", "Consent to e-mail is not noted.", people.AddConsent}, people.NotInvited, false, nil},
		"5 never invited": {open(nil), false,
			C{people.InviteAction, true, people.ShapeNone, "Not invited", "", ""}, people.NotInvited, false, nil},
		"5 closed their account": {open(&people.Latest{State: people.Used, Letter: letter.Bounced, ExpiresAt: *ago(aDay)}), false,
			C{people.InviteAction, true, people.ShapeNone, "Account closed by the client", "", ""}, people.NotInvited, false, nil},
		"6 queued": {open(live(people.Latest{Letter: letter.Queued, CreatedAt: *ago(59 * time.Second)})), false,
			C{people.ResendAction, false, people.ShapeWaiting, "Sending…", "", ""}, people.Invited, false, now.Plus(13 * aDay).Ptr()},
		"6 queued for a minute": {open(live(people.Latest{Letter: letter.Queued, CreatedAt: *ago(time.Minute)})), false,
			C{people.ResendAction, true, people.ShapeWaiting, "Waiting to be sent", "", ""}, people.Invited, false, now.Plus(13 * aDay).Ptr()},
		"6 queued, no mail server": {open(live(people.Latest{Letter: letter.Queued})), true,
			C{people.ResendAction, false, people.ShapeProblem, "Waiting to be sent", "No mail server is set up.", people.CopyTheLink}, people.Invited, false, now.Plus(13 * aDay).Ptr()},
		"7 sent just now": {open(live(people.Latest{Letter: letter.Sent, CreatedAt: *ago(time.Second), LetterAt: ago(0)})), false,
			C{people.ResendAction, false, people.ShapeWaiting, "Sent Sun 24 Nov, 2:14 pm", "Ends Sat 7 Dec.", ""}, people.Invited, false, now.Plus(13 * aDay).Ptr()},
		"7 sent twice": {open(live(people.Latest{Letter: letter.Sent, LetterAt: ago(2 * aDay), Ordinal: 2})), false,
			C{people.ResendAction, true, people.ShapeWaiting, "Sent Fri 22 Nov, 2:14 pm", "2 times in all. Ends Sat 7 Dec.", ""}, people.Invited, false, now.Plus(13 * aDay).Ptr()},
		"8 delivered": {open(live(people.Latest{Letter: letter.Delivered, LetterAt: ago(aDay)})), false,
			C{people.ResendAction, true, people.ShapeWaiting, "Delivered Sat 23 Nov, 2:14 pm", "Ends Sat 7 Dec.", ""}, people.Invited, false, now.Plus(13 * aDay).Ptr()},
		"10 delayed": {open(live(people.Latest{Letter: letter.Delayed})), false,
			C{people.ResendAction, true, people.ShapeProblem, "On its way", "Their mail server asks us to try again later. We keep trying.", ""}, people.Invited, true, now.Plus(13 * aDay).Ptr()},
		"10 delayed, by our own server": {open(live(people.Latest{Letter: letter.Delayed, LetterReason: "sign-in refused"})), false,
			C{people.ResendAction, true, people.ShapeProblem, "Waiting", "Our mail server cannot be reached. We keep trying.", ""}, people.Invited, true, now.Plus(13 * aDay).Ptr()},
		"11 refused": {open(live(people.Latest{Letter: letter.Refused, LetterReason: "no such mailbox"})), false,
			C{people.ResendAction, true, people.ShapeProblem, "Came back", "The other side says: no such mailbox.", people.CheckAddress}, people.Invited, true, now.Plus(13 * aDay).Ptr()},
		"11 bounced, nobody knows why": {open(live(people.Latest{Letter: letter.Bounced})), false,
			C{people.ResendAction, true, people.ShapeProblem, "Came back", "The other side says: no reason given.", people.CheckAddress}, people.Invited, true, now.Plus(13 * aDay).Ptr()},
		"11 blocked, which is not the address": {open(live(people.Latest{Letter: letter.Bounced, LetterReason: "blocked"})), false,
			C{people.ResendAction, true, people.ShapeProblem, "Came back", "The other side says: blocked.", people.CopyTheLink}, people.Invited, true, now.Plus(13 * aDay).Ptr()},
		"12 given up": {open(live(people.Latest{Letter: letter.Failed})), false,
			C{people.ResendAction, true, people.ShapeProblem, "Could not be sent", "We will not try again by ourselves.", people.CopyTheLink}, people.Invited, true, now.Plus(13 * aDay).Ptr()},
		"13 expired": {open(live(people.Latest{Letter: letter.Bounced, Ordinal: 3, CreatedAt: *ago(14 * aDay), ExpiresAt: now})), false,
			C{people.ResendAction, true, people.ShapeProblem, "Ended Sun 24 Nov", "3 times in all.", ""}, people.Invited, true, nil},
		"13 expired, copied by hand": {open(live(people.Latest{ByHand: true, CreatedAt: *ago(14 * aDay), ExpiresAt: now})), false,
			C{people.ResendAction, true, people.ShapeProblem, "Ended Sun 24 Nov", "", ""}, people.Invited, true, nil},
		"copied by hand": {open(live(people.Latest{ByHand: true})), false,
			C{people.ResendAction, true, people.ShapeWaiting, "Link copied today 1:14 pm", "Works until Sat 7 Dec.", ""}, people.Invited, false, now.Plus(13 * aDay).Ptr()},
		"14 withdrawn": {withdrawn("withdrawn", nil), false,
			C{people.ResendAction, true, people.ShapeNone, "Withdrawn today 11:14 am", "By the practice.", ""}, people.Invited, false, nil},
		"14 withdrawn, address changed": {withdrawn("email changed", nil), false,
			C{people.ResendAction, true, people.ShapeProblem, "Nothing is on its way", "The e-mail address was changed, so the link that was sent no longer works. Press Re-Send.", ""}, people.Invited, true, nil},
		"14 withdrawn, consent taken back": {withdrawn("consent withdrawn", nil), false,
			C{people.ResendAction, true, people.ShapeNone, "Withdrawn today 11:14 am", "Because consent to e-mail was taken back.", ""}, people.Invited, false, nil},
		"14 withdrawn, care had ended": {withdrawn("care ended", nil), false,
			C{people.ResendAction, true, people.ShapeNone, "Withdrawn today 11:14 am", "Because care had ended.", ""}, people.Invited, false, nil},
		"14 withdrawn, and they ask": {withdrawn("withdrawn", ago(2*time.Hour)), false,
			C{people.ResendAction, true, people.ShapeProblem, "Asks for a new link", "Withdrawn Sun 24 Nov. They asked again today 12:14 pm.", ""}, people.Invited, true, nil},
	} {
		got := c.facts.Contact(people.Setting{Now: now, Zone: z, NoMail: c.noMail})
		got.Status, got.Help = plain(got.Status), plain(got.Help)
		if got != c.want {
			t.Errorf("%s: the row shows\n%+v, want\n%+v", what, got, c.want)
		}
		if g, a := c.facts.Groups(now); g != c.group || a != c.attention {
			t.Errorf("%s: counted as %s, attention %t; want %s, %t", what, g, a, c.group, c.attention)
		}
		next := c.facts.ChangesAt(now)
		if want := c.changes; want == nil && !next.IsZero() || want != nil && !next.Equal(want.Time) {
			t.Errorf("%s: changes at %v, want %v", what, next, want)
		}
	}
}

// plain has common spaces where a line must not break.
func plain(s string) string { return strings.NewReplacer("\u00a0", " ", "\u202f", " ").Replace(s) }

// TestWhatARowMeansChangesOnlyWhenItSays walks time forward: between two
// moments named by ChangesAt, nothing may move to another group.
func TestWhatARowMeansChangesOnlyWhenItSays(t *testing.T) {
	t.Parallel()
	begin := at.Of(time.Date(2030, 3, 14, 9, 0, 0, 0, time.UTC))
	for _, f := range []people.Facts{
		{HasEmail: true, Consent: true, EndsAt: begin.Plus(20 * aDay).Ptr(), Newest: &people.Latest{State: people.Live, Letter: letter.Sent, CreatedAt: begin, ExpiresAt: begin.Plus(14 * aDay)}},
		{HasEmail: true, Consent: true, EndsAt: begin.Plus(3 * aDay).Ptr(), Newest: &people.Latest{State: people.Live, ByHand: true, CreatedAt: begin, ExpiresAt: begin.Plus(14 * aDay)}},
		{Account: true, EndsAt: begin.Plus(aDay).Ptr()},
	} {
		group, attention := f.Groups(begin)
		next := f.ChangesAt(begin)
		moved := 0
		for now := begin; now.Before(begin.Add(30 * aDay)); now = now.Plus(time.Hour) {
			g, a := f.Groups(now)
			if g == group && a == attention {
				continue
			}
			moved++
			if next.IsZero() || now.Before(next.Time) {
				t.Errorf("%v: it moved to %s, which was to be at %v", now, g, next)
			}
			group, attention, next = g, a, f.ChangesAt(now)
		}
		if moved == 0 {
			t.Error("nothing ever moved")
		}
	}
}
