package support_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/audit"
	"icouch/internal/base/at"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
	"icouch/internal/support"
)

func TestAWrongDoorIsPutRightByThreePeople(t *testing.T) {
	t.Parallel()
	w := newWrong(t)
	w.signIn(t)
	link := w.ask(t, w.sam)
	if done, err := w.confirm(t, link); err != nil || done {
		t.Fatalf("confirming with a second supporter there: done %t, %v", done, err)
	}
	if all := w.places(t); len(all) != 1 || !all[0].Work || w.count(t, "sessions") != 1 {
		t.Fatalf("before anybody approved, Theo's places are %v", all)
	}
	wants(t, "Sam approves what he asked for", w.change(t, func(tx *db.Tx) error { return support.Approve(tx, w.sam, w.asked) }), support.ErrSamePerson)
	w.Update(t, func(tx *db.Tx) error { return support.Approve(tx, w.sia, w.asked) })
	w.RunJobs(t)

	if all := w.places(t); len(all) != 1 || all[0].Work || all[0].Client != w.Theo {
		t.Errorf("afterwards Theo's places are %v, want Mara's practice, as her client", all)
	}
	if n := w.count(t, "sessions"); n != 0 {
		t.Errorf("%d sessions of Theo are left", n)
	}
	var me account.Account
	w.View(t, func(tx *db.Tx) (err error) { me, err = account.Of(tx, access.AsPerson(w.theo)); return err })
	if me.Name != "Theo Vance" || me.Email.String() != theosMail {
		t.Errorf("Theo's account is %q <%s> now", me.Name, me.Email)
	}
	letters := w.Letters(theosMail)
	if last := letters[len(letters)-1]; last.Subject != "We have put your account right" || !strings.Contains(last.Text, "is accepted") {
		t.Errorf("the last letter to Theo is %q: %s", last.Subject, last.Text)
	}
	told := w.Letters("mara@practice.test")
	if len(told) != 1 || told[0].Subject != "An invitation was accepted" {
		t.Errorf("Mara was told %d times", len(told))
	}
	for practice, want := range map[id.Practice][]audit.Action{
		keys.Installation:    {audit.ConversionAsked, audit.ConversionConfirmed, audit.ConversionDone, audit.SignedOut},
		w.founder.Practice(): {audit.PracticePutAway, audit.PractitionerLeft},
		w.Mara.Practice():    {audit.InvitationAccepted},
	} {
		for _, did := range want {
			var n int
			if err := w.DB.Row(t.Context(), "SELECT COUNT(*) FROM audit WHERE practice_id = $1 AND action = $2", []any{practice.String(), string(did)}, &n); err != nil || n == 0 {
				t.Errorf("the trail of %s says nothing of %s: %v", practice, did, err)
			}
		}
	}
	wants(t, "again", w.change(t, func(tx *db.Tx) error { return support.Approve(tx, w.sia, w.asked) }), support.ErrDone)
	if _, err := w.confirm(t, link); !errors.Is(err, support.ErrDone) {
		t.Errorf("confirming again: %v", err)
	}
}

func TestWhereThereIsOneSupporterTheHolderIsTheSecondPerson(t *testing.T) {
	t.Parallel()
	w := newWrong(t)
	w.Update(t, func(tx *db.Tx) error { return support.Dismiss(tx, access.Operator(), mail(t, "sia@help.test")) })
	if done, err := w.confirm(t, w.ask(t, w.sam)); err != nil || !done {
		t.Fatalf("confirming: done %t, %v", done, err)
	}
	if all := w.places(t); len(all) != 1 || all[0].Client != w.Theo {
		t.Errorf("Theo's places are %v", all)
	}
}

// The operator is one person too: with a supporter there, that one approves.
func TestTheOperatorAsksUnderTheSameRules(t *testing.T) {
	t.Parallel()
	w := newWrong(t)
	link := w.ask(t, access.Operator())
	wants(t, "before the holder", w.change(t, func(tx *db.Tx) error { return support.Approve(tx, w.sia, w.asked) }), support.ErrNotYet)
	if done, err := w.confirm(t, link); err != nil || done {
		t.Fatalf("confirming: done %t, %v", done, err)
	}
	wants(t, "the operator approves", w.change(t, func(tx *db.Tx) error { return support.Approve(tx, access.Operator(), w.asked) }), fault.Forbidden)
	w.Update(t, func(tx *db.Tx) error { return support.Approve(tx, w.sam, w.asked) })
	if r := w.request(t); r.State != support.Done || r.ApprovedBy != w.sam.Account() || r.AskedBy != "" {
		t.Errorf("the request is %+v", r)
	}
}

func TestWhatIsNoEmptyYoungPracticeOfOnesOwnIsNotConverted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		make func(*testing.T, *wrong)
		want error
	}{
		{"a client", func(t *testing.T, w *wrong) {
			w.Client(t, w.founder, people.Draft{First: "Nils", Last: "Oakes"})
		}, people.ErrHasClients},
		{"a client whose care has ended", func(t *testing.T, w *wrong) {
			c := w.Client(t, w.founder, people.Draft{First: "Nils", Last: "Oakes"})
			w.Update(t, func(tx *db.Tx) error { return people.EndCare(tx, w.founder, c, at.Of(w.Now())) })
		}, people.ErrHasClients},
		{"a colleague", func(t *testing.T, w *wrong) {
			who := w.Account(t, "Nils Oakes", "nils@example.com")
			w.Update(t, func(tx *db.Tx) error { _, err := people.Join(tx, w.founder, who, access.Biller); return err })
		}, people.ErrHasColleagues},
		{"a second practice", func(t *testing.T, w *wrong) {
			w.Update(t, func(tx *db.Tx) error { _, err := people.Join(tx, w.Mara, w.theo, access.Biller); return err })
		}, people.ErrSeveral},
		{"31 days", func(_ *testing.T, w *wrong) { w.Pass(31 * 24 * time.Hour) }, people.ErrTooOld},
		{"no practice", func(t *testing.T, w *wrong) { w.theo = w.Account(t, "Nils Oakes", "nils@example.com") }, people.ErrNoPractice},
		{"a member of another's", func(_ *testing.T, w *wrong) { w.theo = w.Noor.Account() }, people.ErrNotOwner},
		{"a supporter", func(t *testing.T, w *wrong) {
			w.Update(t, func(tx *db.Tx) error { return support.Appoint(tx, access.Operator(), mail(t, theosMail)) })
		}, support.ErrSupporter},
		{"the supporter's own", func(_ *testing.T, w *wrong) { w.theo = w.sam.Account() }, support.ErrOwn},
		{"nobody", func(_ *testing.T, w *wrong) { w.theo = id.New[id.Account](w.Now()) }, account.ErrNoAccount},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWrong(t)
			link := w.ask(t, w.sam) // before: what comes later is looked at again at each step
			asked := w.theo
			c.make(t, w)
			wants(t, "asked", w.change(t, func(tx *db.Tx) error { _, err := support.Ask(tx, w.sam, w.theo, "because"); return err }), c.want)
			if w.theo != asked || errors.Is(c.want, people.ErrTooOld) {
				return // the request made before is about another, or has run out
			}
			if _, err := w.confirm(t, link); !errors.Is(err, c.want) {
				t.Errorf("confirmed: %v, want %v", err, c.want)
			}
		})
	}
}

func TestWhatComesBetweenConfirmingAndApprovingCounts(t *testing.T) {
	t.Parallel()
	w := newWrong(t)
	if _, err := w.confirm(t, w.ask(t, w.sam)); err != nil {
		t.Fatal(err)
	}
	w.Client(t, w.founder, people.Draft{First: "Nils", Last: "Oakes"})
	wants(t, "approved", w.change(t, func(tx *db.Tx) error { return support.Approve(tx, w.sia, w.asked) }), people.ErrHasClients)
	if r := w.request(t); r.State != support.Confirmed || w.places(t)[0].Practice != "Theo’s mistake" {
		t.Errorf("something was changed: %v, %v", r.State, w.places(t))
	}
}

// An account that has become a supporter's since its holder confirmed, or that is
// to be deleted, is not converted: at no step, and by nobody's yes.
func TestWhoHasBecomeASupporterOrIsLeavingIsNotConverted(t *testing.T) {
	t.Parallel()
	appoint := func(w *wrong) error {
		return w.change(t, func(tx *db.Tx) error { return support.Appoint(tx, access.Operator(), mail(t, theosMail)) })
	}
	leave := func(w *wrong) error {
		return w.change(t, func(tx *db.Tx) error { _, err := people.AskToLeave(tx, access.AsPerson(w.theo)); return err })
	}
	for _, c := range []struct {
		name   string
		change func(*wrong) error
		want   error
	}{{"a supporter", appoint, support.ErrSupporter}, {"leaving", leave, support.ErrLeaving}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWrong(t)
			if _, err := w.confirm(t, w.ask(t, w.sam)); err != nil {
				t.Fatal(err)
			}
			wants(t, "since then", c.change(w), nil)
			wants(t, "approved", w.change(t, func(tx *db.Tx) error { return support.Approve(tx, w.sia, w.asked) }), c.want)
			if r := w.request(t); r.State != support.Confirmed || len(w.places(t)) != 1 || !w.places(t)[0].Work {
				t.Errorf("something was changed: %v, %v", r.State, w.places(t))
			}

			alone := newWrong(t) // the holder's yes does it, where there is nobody else
			alone.Update(t, func(tx *db.Tx) error { return support.Dismiss(tx, access.Operator(), mail(t, "sia@help.test")) })
			link := alone.ask(t, alone.sam)
			wants(t, "since then", c.change(alone), nil)
			if _, err := alone.confirm(t, link); !errors.Is(err, c.want) {
				t.Errorf("confirmed: %v, want %v", err, c.want)
			}
		})
	}
}

// Asking and taking back, over and over, does not fill somebody's mailbox.
func TestAHolderIsAskedSoOftenADay(t *testing.T) {
	t.Parallel()
	w := newWrong(t)
	w.RunJobs(t)
	before := len(w.Letters(theosMail))
	take := func() {
		w.Update(t, func(tx *db.Tx) error { return support.Withdraw(tx, w.sia, w.asked) })
		w.Pass(time.Minute)
	}
	for range 3 {
		w.ask(t, w.sam)
		take()
	}
	again := func(by access.Actor) error {
		return w.change(t, func(tx *db.Tx) error { _, err := support.Ask(tx, by, w.theo, "because"); return err })
	}
	for _, by := range []access.Actor{w.sam, w.sia, access.Operator()} {
		wants(t, "a fourth time, by "+string(by.Role()), again(by), support.ErrAskedOften)
	}
	w.RunJobs(t)
	if n := len(w.Letters(theosMail)) - before; n != 6 {
		t.Errorf("%d letters, want three that ask and three that take it back", n)
	}
	w.Pass(24*time.Hour - 3*time.Minute)
	wants(t, "a day after the first", again(w.sam), nil)
}

func TestARequestIsRefusedToWhomeverItIsNotFor(t *testing.T) {
	t.Parallel()
	w := newWrong(t)
	for _, by := range []access.Actor{access.Guest(), w.Mara, access.AsPerson(w.theo), access.Job(keys.Installation)} {
		wants(t, string(by.Role())+" asks", w.change(t, func(tx *db.Tx) error { _, err := support.Ask(tx, by, w.theo, "because"); return err }), fault.Forbidden)
	}
	wants(t, "without a reason", w.change(t, func(tx *db.Tx) error { _, err := support.Ask(tx, w.sam, w.theo, " \n "); return err }), support.ErrNoReason)
	link := w.ask(t, w.sam)
	wants(t, "asked twice", w.change(t, func(tx *db.Tx) error { _, err := support.Ask(tx, w.sia, w.theo, "because"); return err }), support.ErrOpen)
	confirm := func(by access.Actor, token secret.Token) error {
		return w.change(t, func(tx *db.Tx) error { _, err := support.Confirm(tx, by, token); return err })
	}
	wants(t, "a guest confirms", confirm(access.Guest(), link), account.ErrSignInFirst)
	wants(t, "Mara confirms", confirm(access.AsPerson(w.Mara.Account()), link), support.ErrNotHolder)
	wants(t, "Sam confirms", confirm(w.sam, link), support.ErrNotHolder)
	wants(t, "another link", confirm(access.AsPerson(w.theo), secret.NewToken()), support.ErrLinkUnknown)
	for _, by := range []access.Actor{w.Mara, access.AsPerson(w.theo), access.Guest()} {
		wants(t, "approved by "+string(by.Role()), w.change(t, func(tx *db.Tx) error { return support.Approve(tx, by, w.asked) }), fault.Forbidden)
		wants(t, "withdrawn by "+string(by.Role()), w.change(t, func(tx *db.Tx) error { return support.Withdraw(tx, by, w.asked) }), fault.Forbidden)
		wants(t, "read by "+string(by.Role()), w.DB.View(t.Context(), func(tx *db.Tx) error { _, err := support.Read(tx, by, w.asked); return err }), support.ErrNoRequest)
	}
	w.Pass(7 * 24 * time.Hour)
	wants(t, "after a week", confirm(access.AsPerson(w.theo), link), support.ErrExpired)
	wants(t, "withdrawn after a week", w.change(t, func(tx *db.Tx) error { return support.Withdraw(tx, w.sia, w.asked) }), support.ErrExpired)
	w.ask(t, w.sia) // it does not stand in the way
	wants(t, "the old link, with a new request open", confirm(access.AsPerson(w.theo), link), support.ErrExpired)
}

func TestEachSideCanStopIt(t *testing.T) {
	t.Parallel()
	w := newWrong(t)
	link := w.ask(t, w.sam)
	w.Update(t, func(tx *db.Tx) error { return support.Decline(tx, access.Guest(), link) })
	wants(t, "confirmed after no", func() error { _, err := w.confirm(t, link); return err }(), support.ErrDeclined)
	link = w.ask(t, w.sam)
	if _, err := w.confirm(t, link); err != nil {
		t.Fatal(err)
	}
	w.Update(t, func(tx *db.Tx) error { return support.Withdraw(tx, w.sia, w.asked) })
	wants(t, "approved after that", w.change(t, func(tx *db.Tx) error { return support.Approve(tx, w.sia, w.asked) }), support.ErrWithdrawn)
	w.RunJobs(t)
	letters := w.Letters(theosMail)
	if last := letters[len(letters)-1].Subject; last != "Your account stays as it is" {
		t.Errorf("the last letter is %q", last)
	}
	if all := w.places(t); len(all) != 1 || !all[0].Work {
		t.Errorf("Theo's places are %v, want what they were", all)
	}
}

func TestOfManyWhoAnswerAtOnceOneCounts(t *testing.T) {
	t.Parallel()
	w := newWrong(t)
	asked := atOnce(8, func(int) error {
		return w.change(t, func(tx *db.Tx) error { _, err := support.Ask(tx, w.sam, w.theo, "because"); return err })
	})
	if asked[nil] != 1 || asked[support.ErrOpen] != 7 {
		t.Fatalf("asked eight times at once: %v", asked)
	}
	w.RunJobs(t)
	link := secret.ParseToken(w.Link(t, theosMail, "/convert/"))
	told := atOnce(8, func(int) error { _, err := w.confirm(t, link); return err })
	if told[nil] != 1 || told[support.ErrConfirmed] != 7 {
		t.Fatalf("confirmed eight times at once: %v", told)
	}
	var all []support.Request
	w.View(t, func(tx *db.Tx) (err error) { all, err = support.Requests(tx, w.sia); return err })
	told = atOnce(8, func(i int) error {
		return w.change(t, func(tx *db.Tx) error {
			if i%2 == 0 {
				return support.Decline(tx, access.Guest(), link)
			}
			return support.Approve(tx, w.sia, all[0].ID)
		})
	})
	if told[nil] != 1 || told[support.ErrDone]+told[support.ErrDeclined] != 7 || told[support.ErrDone]*told[support.ErrDeclined] != 0 {
		t.Errorf("approved and declined at once: %v", told)
	}
}

func TestAConversionIsUndoneWithItsTransaction(t *testing.T) {
	t.Parallel()
	w := newWrong(t)
	if _, err := w.confirm(t, w.ask(t, w.sam)); err != nil {
		t.Fatal(err)
	}
	w.signIn(t)
	before, later := w.count(t, "letters"), fmt.Errorf("something later")
	wants(t, "approved", w.change(t, func(tx *db.Tx) error { return errors.Join(support.Approve(tx, w.sia, w.asked), later) }), later)
	if all := w.places(t); len(all) != 1 || !all[0].Work || w.count(t, "sessions") != 1 || w.count(t, "letters") != before || w.request(t).State != support.Confirmed {
		t.Errorf("something was kept: %v", all)
	}
}

// Two people may share a mailbox. Which of two invitations is whose, nobody but
// they can know: both stay, and are accepted by their own links.
func TestOfSeveralInvitationsNoneIsAccepted(t *testing.T) {
	t.Parallel()
	w := newWrong(t)
	other := w.Client(t, w.Mara, people.Draft{First: "Thea", Last: "Vance", Email: theosMail, EmailConsent: true})
	w.Update(t, func(tx *db.Tx) error { return people.Invite(tx, w.Mara, other, "") })
	w.RunJobs(t)
	hers := secret.ParseToken(w.Link(t, theosMail, "/join/"))
	if _, err := w.confirm(t, w.ask(t, w.sam)); err != nil {
		t.Fatal(err)
	}
	w.Update(t, func(tx *db.Tx) error { return support.Approve(tx, w.sia, w.asked) })
	if all := w.places(t); len(all) != 0 {
		t.Errorf("Theo's places are %v, want none yet", all)
	}
	w.Update(t, func(tx *db.Tx) error { _, err := people.Accept(tx, access.AsPerson(w.theo), hers); return err })
	if all := w.places(t); len(all) != 1 || all[0].Client != other {
		t.Errorf("then Theo's places are %v", all)
	}
}

// Each account founds one practice. Whoever had one put away takes it up again.
func TestWhoWasConvertedCanFoundAPracticeAgain(t *testing.T) {
	t.Parallel()
	w := newWrong(t)
	if _, err := w.confirm(t, w.ask(t, w.sam)); err != nil {
		t.Fatal(err)
	}
	w.Update(t, func(tx *db.Tx) error { return support.Approve(tx, w.sia, w.asked) })
	w.Pass(40 * 24 * time.Hour)
	var again access.Actor
	w.Update(t, func(tx *db.Tx) (err error) {
		again, err = people.Found(tx, access.AsPerson(w.theo), "Theo’s own", "Europe/London")
		return err
	})
	if again.Practice() != w.founder.Practice() || again.Role() != access.Owner {
		t.Errorf("he is %s of %s", again.Role(), again.Practice())
	}
	if all := w.places(t); len(all) != 2 || all[0].Practice != "Theo’s own" {
		t.Errorf("his places are %v", all)
	}
	wants(t, "a third time", w.change(t, func(tx *db.Tx) error {
		_, err := people.Found(tx, access.AsPerson(w.theo), "More", "Europe/London")
		return err
	}), people.ErrHasPractice)
	w.Client(t, again, people.Draft{First: "Nils", Last: "Oakes"})
}
