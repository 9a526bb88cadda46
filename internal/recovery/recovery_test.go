package recovery_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/account/factor"
	"icouch/internal/base/email"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/recovery"
	"icouch/internal/support"
	"icouch/internal/team"
	"icouch/internal/world"
)

const because = "She called from the number I know, and came by."

// lost is Mara's practice with a second owner, Olga, and Noor, who has lost her
// second step; beside it Sam and Sia, who are in support.
type lost struct {
	*world.World
	olga, sam, sia access.Actor
}

func newLost(t *testing.T) *lost {
	t.Helper()
	w := &lost{World: world.New(t)}
	w.olga = w.Colleague(t, "Olga Stone", "olga@practice.test", access.Owner)
	w.sam, w.sia = w.supporter(t, "sam@help.test"), w.supporter(t, "sia@help.test")
	w.Pass(8 * 24 * time.Hour) // they have been owners for a while
	w.RunJobs(t)
	if !w.guarded(t, w.Noor.Account()) {
		t.Fatal("premise: Noor has a second step")
	}
	return w
}

func (w *lost) supporter(t *testing.T, address string) access.Actor {
	who := w.Account(t, "Sam Ford", address)
	a, err := email.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	w.Update(t, func(tx *db.Tx) error { return support.Appoint(tx, access.Operator(), a) })
	return access.AsSupport(who)
}

// guarded reports whether an account asks for a second step.
func (w *lost) guarded(t *testing.T, a id.Account) (yes bool) {
	t.Helper()
	w.View(t, func(tx *db.Tx) (err error) { yes, err = factor.Asks(tx, access.Guest(), a); return err })
	return yes
}

func (w *lost) try(t *testing.T, fn func(*db.Tx) error) error {
	t.Helper()
	return w.DB.Update(t.Context(), fn)
}

func (w *lost) ask(t *testing.T, by access.Actor, who access.Actor) error {
	t.Helper()
	return w.try(t, func(tx *db.Tx) error { return recovery.Ask(tx, by, who.Practitioner(), because) })
}

func (w *lost) askFor(t *testing.T, by access.Actor, who id.Account) error {
	t.Helper()
	return w.try(t, func(tx *db.Tx) error { return recovery.AskFor(tx, by, who, because) })
}

func (w *lost) about(t *testing.T, by access.Actor, who id.Account) (r recovery.Request) {
	t.Helper()
	w.View(t, func(tx *db.Tx) (err error) { r, err = recovery.About(tx, by, who); return err })
	return r
}

func (w *lost) approve(t *testing.T, by access.Actor, r id.Recovery) error {
	t.Helper()
	return w.try(t, func(tx *db.Tx) error { return recovery.Approve(tx, by, r) })
}

func (w *lost) use(t *testing.T, link string, who id.Account) error {
	t.Helper()
	return w.try(t, func(tx *db.Tx) error {
		return recovery.Use(tx, access.AsPerson(who), secret.ParseToken(link), who)
	})
}

func (w *lost) signIn(t *testing.T, who access.Actor) (s secret.Token) {
	t.Helper()
	w.Update(t, func(tx *db.Tx) (err error) {
		s, err = account.Begin(tx, access.AsPerson(who.Account()), who.Account(), account.Entry{Terms: account.Longest, Strong: true})
		return err
	})
	return s
}

func (w *lost) signedIn(t *testing.T, s secret.Token) bool {
	t.Helper()
	var err error
	w.View(t, func(tx *db.Tx) error { _, err = account.Lookup(tx, s); return nil })
	return err == nil
}

func (w *lost) subjects(t *testing.T, to string) (all []string) {
	t.Helper()
	w.RunJobs(t)
	for _, l := range w.Letters(to) {
		all = append(all, l.Subject)
		if to != "noor@practice.test" && strings.Contains(l.Text, "Noor") || strings.Contains(l.Text, because) {
			t.Errorf("to %s: the letter says who, or why: %s", to, l.Text)
		}
	}
	return all
}

func (w *lost) trail(t *testing.T, action string) (n int) {
	t.Helper()
	if err := w.DB.Row(t.Context(), "SELECT COUNT(*) FROM audit WHERE action = $1", []any{action}, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

func wants(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) && got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestTwoOwnersLetAColleagueSetUpANewSecondStep(t *testing.T) {
	t.Parallel()
	w := newLost(t)
	noor := w.Noor.Account()
	s := w.signIn(t, w.Noor)
	wants(t, "asking", w.ask(t, w.Mara, w.Noor), nil)
	wants(t, "asking twice", w.ask(t, w.olga, w.Noor), recovery.ErrOpen)
	r := w.about(t, w.olga, noor)
	if r.Reason != because || r.State != recovery.Asked || r.AskedBy != w.Mara.Account() {
		t.Errorf("Olga reads %+v", r)
	}
	wants(t, "who asked approves", w.approve(t, w.Mara, r.ID), recovery.ErrSamePerson)
	if !w.signedIn(t, s) || !w.guarded(t, noor) {
		t.Error("asking alone changes something")
	}
	wants(t, "approving", w.approve(t, w.olga, r.ID), nil)
	if w.signedIn(t, s) {
		t.Error("after it was approved she is still signed in")
	}
	if !w.guarded(t, noor) {
		t.Error("the second step is gone before the link was used with the password")
	}
	w.RunJobs(t)
	link := w.Link(t, "noor@practice.test", "/recovered/")
	for range 3 {
		w.View(t, func(tx *db.Tx) error { return recovery.Peek(tx, access.Guest(), secret.ParseToken(link)) })
	}
	wants(t, "somebody else with their own password", w.use(t, link, w.Mara.Account()), recovery.ErrNotTheirs)
	var all sync.WaitGroup
	told := make(chan error, 16)
	for range 16 {
		all.Go(func() {
			told <- w.DB.Update(t.Context(), func(tx *db.Tx) error {
				return recovery.Use(tx, access.AsPerson(noor), secret.ParseToken(link), noor)
			})
		})
	}
	all.Wait()
	won := 0
	for range 16 {
		switch err := <-told; {
		case err == nil:
			won++
		case !errors.Is(err, account.ErrLinkUsed):
			t.Error(err)
		}
	}
	if won != 1 || w.guarded(t, noor) {
		t.Errorf("the link was used %d times; guarded: %t", won, w.guarded(t, noor))
	}
	for to, want := range map[string][]string{
		"noor@practice.test": {"You are said to have lost your second step", "A link to sign in without your second step", "Your second step was taken away"},
		"mara@practice.test": {"A colleague is said to have lost their second step", "A colleague may set up a new second step", "A colleague has signed in without their second step"},
		"olga@practice.test": {"A colleague is said to have lost their second step", "A colleague may set up a new second step", "A colleague has signed in without their second step"},
		"ines@nextdoor.test": nil,
	} {
		got := w.subjects(t, to)
		slices.Sort(got) // which of two goes first is the queue's
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("to %s went %q, want %q", to, got, want)
		}
	}
	for _, action := range []string{"recovery.asked", "recovery.approved", "recovery.used", "account.second_steps_wiped"} {
		if w.trail(t, action) != 1 {
			t.Errorf("%s stands %d times in the trail", action, w.trail(t, action))
		}
	}
}

func TestWhoMayAskForWhom(t *testing.T) {
	t.Parallel()
	w := newLost(t)
	ada := w.Colleague(t, "Ada Stone", "ada@practice.test", access.Administrator)
	gone := w.Colleague(t, "Gone Stone", "gone@practice.test", access.Biller)
	w.Update(t, func(tx *db.Tx) error { return team.Deactivate(tx, w.Mara, gone.Practitioner(), "") })
	for _, c := range []struct {
		name    string
		by, who access.Actor
		want    error
	}{
		{"an administrator", ada, w.Noor, fault.Forbidden},
		{"a practitioner", w.Noor, ada, fault.Forbidden},
		{"an owner for themselves", w.Mara, w.Mara, recovery.ErrSelf},
		{"the owner next door", w.Ines, w.Noor, fault.NotFound},
		{"somebody next door", w.Mara, w.Ines, fault.NotFound},
		{"who is inactive", w.Mara, gone, recovery.ErrInactive},
		{"an owner for the only other owner", w.Mara, w.olga, recovery.ErrNoSecond},
		{"support by way of a practice", w.sam, w.Noor, fault.Forbidden},
	} {
		wants(t, c.name, w.ask(t, c.by, c.who), c.want)
	}
	for reason, want := range map[string]error{"": recovery.ErrNoReason, " \n ": recovery.ErrNoReason, strings.Repeat("x", 501): fault.Invalid} {
		wants(t, "the reason "+reason, w.try(t, func(tx *db.Tx) error { return recovery.Ask(tx, w.Mara, w.Noor.Practitioner(), reason) }), want)
	}
	undone := errors.New("undone")
	wants(t, "undone", w.try(t, func(tx *db.Tx) error {
		return errors.Join(recovery.Ask(tx, w.Mara, w.Noor.Practitioner(), because), undone)
	}), undone)
	w.View(t, func(tx *db.Tx) error {
		if _, err := recovery.About(tx, w.olga, w.Noor.Account()); !errors.Is(err, recovery.ErrNone) {
			t.Errorf("what was undone is there: %v", err)
		}
		return nil
	})
	if got := w.subjects(t, "noor@practice.test"); len(got) > 0 {
		t.Errorf("nothing was asked, and Noor has %q", got)
	}
}

func TestWhoMayApproveAndTakeBack(t *testing.T) {
	t.Parallel()
	w := newLost(t)
	ada := w.Colleague(t, "Ada Stone", "ada@practice.test", access.Administrator)
	wants(t, "asking", w.ask(t, w.Mara, w.Noor), nil)
	r := w.about(t, w.Mara, w.Noor.Account()).ID
	take := func(by access.Actor) error {
		return w.try(t, func(tx *db.Tx) error { return recovery.Withdraw(tx, by, r) })
	}
	for name, by := range map[string]access.Actor{"an administrator": ada, "she herself": w.Noor, "the owner next door": w.Ines, "support": w.sam, "a stranger": access.Guest()} {
		wants(t, name+" approves", w.approve(t, by, r), fault.NotFound)
		wants(t, name+" takes back", take(by), fault.NotFound)
	}
	w.isOwner(t, w.Mara, false) // as in the moment in which both are done at once
	wants(t, "who asked is no owner any more", w.approve(t, w.olga, r), recovery.ErrAskerGone)
	w.isOwner(t, w.Mara, true)
	wants(t, "approving", w.approve(t, w.olga, r), nil)
	wants(t, "approving twice", w.approve(t, w.olga, r), recovery.ErrApproved)
	w.RunJobs(t)
	link := w.Link(t, "noor@practice.test", "/recovered/")
	wants(t, "taking back", take(w.olga), nil)
	wants(t, "taking back twice", take(w.olga), recovery.ErrNone)
	wants(t, "the link of what was taken back", w.use(t, link, w.Noor.Account()), account.ErrLinkEnded)
	if got := w.subjects(t, "noor@practice.test"); !slices.Contains(got, "Your second step stays as it is") || !w.guarded(t, w.Noor.Account()) {
		t.Errorf("Noor is told %q", got)
	}
	wants(t, "asking anew", w.ask(t, w.olga, w.Noor), nil)
	w.Pass(7 * 24 * time.Hour)
	wants(t, "approving what ran out", w.approve(t, w.Mara, w.latest(t)), recovery.ErrNone)
	wants(t, "asking after it ran out", w.ask(t, w.Mara, w.Noor), nil)
	wants(t, "approving", w.approve(t, w.olga, w.latest(t)), nil)
	w.RunJobs(t)
	link = w.Link(t, "noor@practice.test", "/recovered/")
	w.Pass(24*time.Hour - time.Microsecond)
	w.View(t, func(tx *db.Tx) error { return recovery.Peek(tx, access.Guest(), secret.ParseToken(link)) })
	w.Pass(time.Microsecond)
	wants(t, "after a day", w.use(t, link, w.Noor.Account()), account.ErrLinkEnded)
	wants(t, "a link nobody was sent", w.use(t, secret.NewToken().Reveal(), w.Noor.Account()), account.ErrLinkUnknown)
}

func (w *lost) latest(t *testing.T) id.Recovery {
	t.Helper()
	var all []recovery.Request
	w.View(t, func(tx *db.Tx) (err error) { all, err = recovery.Requests(tx, w.Mara); return err })
	return all[0].ID
}

// What two people vouched for was the account as it was.
func TestANewPasswordEndsTheLink(t *testing.T) {
	t.Parallel()
	w := newLost(t)
	wants(t, "asking", w.ask(t, w.Mara, w.Noor), nil)
	wants(t, "approving", w.approve(t, w.olga, w.latest(t)), nil)
	w.RunJobs(t)
	link := w.Link(t, "noor@practice.test", "/recovered/")
	s := w.signIn(t, w.Noor)
	w.Update(t, func(tx *db.Tx) error { return account.SetPassword(tx, access.AsPerson(w.Noor.Account()), "another", s) })
	wants(t, "the link", w.use(t, link, w.Noor.Account()), account.ErrLinkEnded)
	wants(t, "asking anew", w.ask(t, w.Mara, w.Noor), nil)
}

// The owners of one practice do not open another with it.
func TestOwnersDoNotVouchForWhatOpensMoreThanTheirPractice(t *testing.T) {
	t.Parallel()
	w := newLost(t)
	wants(t, "asking", w.ask(t, w.Mara, w.Noor), nil)
	wants(t, "approving", w.approve(t, w.olga, w.latest(t)), nil)
	w.RunJobs(t)
	link := w.Link(t, "noor@practice.test", "/recovered/")
	w.Update(t, func(tx *db.Tx) error { _, err := people.Join(tx, w.Ines, w.Noor.Account(), access.Biller); return err })
	wants(t, "works next door too", w.use(t, link, w.Noor.Account()), recovery.ErrElsewhere)
	if !w.guarded(t, w.Noor.Account()) {
		t.Error("her second step is gone")
	}
	wants(t, "support", w.askFor(t, w.sam, w.Noor.Account()), nil)
}

func TestTwoInSupportHelpWhereTwoOwnersCannot(t *testing.T) {
	t.Parallel()
	w := newLost(t)
	ines := w.Ines.Account()
	pat := w.Account(t, "Pat Moor", "pat@example.com")
	wants(t, "an owner asks as support", w.askFor(t, w.Mara, ines), fault.Forbidden)
	wants(t, "two owners can", w.askFor(t, w.sam, w.Noor.Account()), recovery.ErrOwnersCan)
	wants(t, "who works nowhere", w.askFor(t, w.sam, pat), recovery.ErrNotAtWork)
	wants(t, "themselves", w.askFor(t, w.sam, w.sam.Account()), recovery.ErrSelf)
	wants(t, "nobody", w.askFor(t, w.sam, id.New[id.Account](w.Now())), account.ErrNoAccount)
	wants(t, "the only other supporter", w.askFor(t, w.sam, w.sia.Account()), recovery.ErrNoSupporter)
	s := w.signIn(t, w.Ines)
	wants(t, "asking", w.askFor(t, w.sam, ines), nil)
	wants(t, "asking twice", w.askFor(t, w.sia, ines), recovery.ErrOpen)
	r := w.about(t, w.sia, ines).ID
	wants(t, "who asked approves", w.approve(t, w.sam, r), recovery.ErrSamePerson)
	wants(t, "an owner approves support's", w.approve(t, w.Mara, r), fault.NotFound)
	wants(t, "she herself", w.approve(t, w.Ines, r), fault.NotFound)
	wants(t, "approving", w.approve(t, w.sia, r), nil)
	w.RunJobs(t)
	if w.signedIn(t, s) {
		t.Error("she is still signed in")
	}
	wants(t, "using", w.use(t, w.Link(t, "ines@nextdoor.test", "/recovered/"), ines), nil)
	if w.guarded(t, ines) || len(w.subjects(t, "sam@help.test")) != 4 { // made a supporter, and three steps
		t.Errorf("guarded: %t; Sam is told %q", w.guarded(t, ines), w.subjects(t, "sam@help.test"))
	}
}

// Whoever makes an owner of a second mailbox of theirs is not two owners by that.
func TestAnOwnerOfThisWeekIsNoSecondPerson(t *testing.T) {
	t.Parallel()
	w := newLost(t)
	w.Update(t, func(tx *db.Tx) error { return team.Deactivate(tx, w.Mara, w.olga.Practitioner(), "") })
	other := w.Colleague(t, "Another Mara", "another@practice.test", access.Owner)
	wants(t, "asking, with a second owner of today", w.ask(t, w.Mara, w.Noor), recovery.ErrNoSecond)
	wants(t, "asking, as an owner of today", w.ask(t, other, w.Noor), recovery.ErrTooNew)
	w.Pass(6 * 24 * time.Hour)
	olga := w.Colleague(t, "Olga Brook", "olga.brook@practice.test", access.Owner)
	w.Pass(25 * time.Hour)
	wants(t, "asking, a week later", w.ask(t, w.Mara, w.Noor), nil)
	r := w.about(t, w.Mara, w.Noor.Account()).ID
	wants(t, "approving, as an owner of yesterday", w.approve(t, olga, r), recovery.ErrTooNew)
	wants(t, "approving, a week later", w.approve(t, other, r), nil)
}

// isOwner makes a member an owner, or none, behind the back of every verb.
func (w *lost) isOwner(t *testing.T, who access.Actor, is bool) {
	t.Helper()
	role := access.Practitioner
	if is {
		role = access.Owner
	}
	if err := w.DB.Exec(t.Context(), "UPDATE practitioner SET role = $1, role_since = NULL WHERE id = $2", string(role), who.Practitioner().String()); err != nil {
		t.Fatal(err)
	}
}

// A recovery is worth what the two who vouched are worth, and who it is about.
func TestARecoveryEndsWithWhoeverItDependsOn(t *testing.T) {
	t.Parallel()
	demote := func(by, who access.Actor) func(*db.Tx) error {
		return func(tx *db.Tx) error { return team.SetRole(tx, by, who.Practitioner(), access.Practitioner) }
	}
	stop := func(by, who access.Actor) func(*db.Tx) error {
		return func(tx *db.Tx) error { return team.Deactivate(tx, by, who.Practitioner(), by.Practitioner()) }
	}
	for name, change := range map[string]func(*lost) func(*db.Tx) error{
		"who asked gets another role":    func(w *lost) func(*db.Tx) error { return demote(w.olga, w.Mara) },
		"who asked is made inactive":     func(w *lost) func(*db.Tx) error { return stop(w.olga, w.Mara) },
		"who approved gets another role": func(w *lost) func(*db.Tx) error { return demote(w.Mara, w.olga) },
		"who approved is made inactive":  func(w *lost) func(*db.Tx) error { return stop(w.Mara, w.olga) },
		"who has lost theirs gets another role": func(w *lost) func(*db.Tx) error {
			return func(tx *db.Tx) error { return team.SetRole(tx, w.Mara, w.Noor.Practitioner(), access.Supervisor) }
		},
		"who has lost theirs is made inactive": func(w *lost) func(*db.Tx) error { return stop(w.Mara, w.Noor) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newLost(t)
			wants(t, "asking", w.ask(t, w.Mara, w.Noor), nil)
			wants(t, "approving", w.approve(t, w.olga, w.latest(t)), nil)
			w.RunJobs(t)
			link := w.Link(t, "noor@practice.test", "/recovered/")
			undone := errors.New("undone")
			wants(t, "undone", w.try(t, func(tx *db.Tx) error { return errors.Join(change(w)(tx), undone) }), undone)
			if w.trail(t, "recovery.withdrawn") != 0 {
				t.Error("what was undone is in the trail")
			}
			w.Update(t, change(w))
			wants(t, "the link", w.use(t, link, w.Noor.Account()), account.ErrLinkEnded)
			if !w.guarded(t, w.Noor.Account()) || w.trail(t, "recovery.withdrawn") != 1 {
				t.Errorf("guarded: %t; %d lines", w.guarded(t, w.Noor.Account()), w.trail(t, "recovery.withdrawn"))
			}
			if got := w.subjects(t, "noor@practice.test"); !slices.Contains(got, "Your second step stays as it is") {
				t.Errorf("Noor is told %q", got)
			}
		})
	}
}

func TestARequestEndsBeforeItIsApprovedToo(t *testing.T) {
	t.Parallel()
	w := newLost(t)
	third := w.Colleague(t, "Una Reed", "una@practice.test", access.Owner)
	w.Pass(8 * 24 * time.Hour)
	wants(t, "asking", w.ask(t, w.Mara, w.Noor), nil)
	r := w.about(t, w.olga, w.Noor.Account()).ID
	w.Update(t, func(tx *db.Tx) error { return team.SetRole(tx, w.olga, w.Mara.Practitioner(), access.Practitioner) })
	wants(t, "approving", w.approve(t, w.olga, r), recovery.ErrNone)
	wants(t, "asking anew", w.ask(t, w.olga, w.Noor), nil)
	// Whoever has nothing to do with it changes nothing.
	w.Update(t, func(tx *db.Tx) error { return team.SetRole(tx, w.olga, w.Mara.Practitioner(), access.Supervisor) })
	wants(t, "approving", w.approve(t, third, w.about(t, third, w.Noor.Account()).ID), nil)
	w.RunJobs(t)
	link := w.Link(t, "noor@practice.test", "/recovered/")
	w.isOwner(t, third, false) // approved while that was taken from her
	wants(t, "the link", w.use(t, link, w.Noor.Account()), account.ErrLinkEnded)
	w.isOwner(t, third, true)
	wants(t, "the link", w.use(t, link, w.Noor.Account()), nil)
}

// What two in support vouch for ends with either, and with the role of who lost it.
func TestWhatSupportAskedForEndsWithThem(t *testing.T) {
	t.Parallel()
	w := newLost(t)
	ines := w.Ines.Account()
	a, err := email.Parse("sia@help.test")
	if err != nil {
		t.Fatal(err)
	}
	wants(t, "asking", w.askFor(t, w.sam, ines), nil)
	wants(t, "approving", w.approve(t, w.sia, w.about(t, w.sia, ines).ID), nil)
	w.RunJobs(t)
	link := w.Link(t, "ines@nextdoor.test", "/recovered/")
	w.Update(t, func(tx *db.Tx) error { return support.Dismiss(tx, access.Operator(), a) })
	wants(t, "the link", w.use(t, link, ines), account.ErrLinkEnded)
	w.Update(t, func(tx *db.Tx) error { return support.Appoint(tx, access.Operator(), a) })
	wants(t, "asking", w.askFor(t, w.sam, ines), nil)
	r := w.about(t, w.sia, ines).ID
	other := w.owner2(t)
	w.Update(t, func(tx *db.Tx) error { return team.SetRole(tx, other, w.Ines.Practitioner(), access.Practitioner) })
	wants(t, "approving", w.approve(t, w.sia, r), recovery.ErrNone)
}

// owner2 is a second owner next door.
func (w *lost) owner2(t *testing.T) (o access.Actor) {
	t.Helper()
	who := w.Account(t, "Otto Duarte", "otto@nextdoor.test")
	w.Update(t, func(tx *db.Tx) (err error) { o, err = people.Join(tx, w.Ines, who, access.Owner); return err })
	return o
}
