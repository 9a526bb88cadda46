package contact_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/at"
	"icouch/internal/base/fault"
	"icouch/internal/base/secret"
	"icouch/internal/contact"
	"icouch/internal/letter"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/team"
	"icouch/internal/world"
)

func TestAContactIsInvitedByOneLetterAndJoinsOnce(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	c := add(t, w, greta(t))
	token := invite(t, w, c, gretaMail)
	l := w.Letters(gretaMail)
	if len(l) != 1 || l[0].Subject != "Your invitation to iCouch from The Practice of Mara" {
		t.Fatalf("the letters are %+v", l)
	}
	notIn(t, l[0].Text, "Theo", "appointments", "invoices", "arent")
	for range 3 { // mail filters look too
		w.View(t, func(tx *db.Tx) error {
			o, err := contact.Look(tx, access.Guest(), token)
			if o.Fault() != nil || o.Inviter != "Mara Lindqvist" || o.Holder != "Greta Vance" || o.Email.String() != gretaMail || len(o.Rights) != 2 {
				t.Errorf("the link offers %+v", o)
			}
			return err
		})
	}
	told := atOnce(16, func(int) error {
		return update(t, w, func(tx *db.Tx) error { _, err := contact.SignUp(tx, access.Guest(), token, "hash"); return err })
	})
	if told[nil] != 1 || told[people.ErrLinkUsed] != 15 {
		t.Errorf("told %v", told)
	}
	is := find(t, w, c)
	if is.Account == nil || enter(t, w, *is.Account).Role() != access.Contact || trail(t, w, "contact.invitation_accepted") != 1 {
		t.Errorf("she is %+v", is)
	}
	w.RunJobs(t)
	if all := letters(w, "mara@practice.test", "accepted"); len(all) != 1 || strings.Contains(all[0], "Greta") {
		t.Errorf("Mara is told %q", all)
	}
	var ward contact.Ward
	w.View(t, func(tx *db.Tx) (err error) { ward, err = contact.WardOf(tx, enter(t, w, *is.Account)); return err })
	if ward.Name != "Theo Vance" || ward.Practitioner != "Mara Lindqvist" || len(ward.Rights) != 2 || ward.Until.IsZero() {
		t.Errorf("she acts for %+v", ward)
	}
	w.View(t, func(tx *db.Tx) error {
		_, err := people.Find(tx, enter(t, w, *is.Account), w.Theo) // the record itself is not hers to read
		wants(t, "the record", err, fault.NotFound)
		return nil
	})
}

func TestWhoCannotBeInvited(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	try := func(name string, d contact.Details, want error, before ...func(tx *db.Tx) error) {
		t.Helper()
		c := add(t, w, d)
		for _, do := range before {
			w.Update(t, do)
		}
		wants(t, name, update(t, w, func(tx *db.Tx) error { return contact.Invite(tx, w.Mara, w.Theo, c) }), want)
	}
	d := greta(t)
	d.Email = address(t, "x@example.com")
	none := d
	none.Email = contact.Details{}.Email
	try("without an address", none, contact.ErrNoEmail)
	try("without a right", contact.Details{Name: "Ann", Relation: contact.Other, Email: d.Email}, contact.ErrNoRights)
	c := add(t, w, d)
	invited := func(tx *db.Tx) error { return contact.Invite(tx, w.Mara, w.Theo, c) }
	wants(t, "a withdrawal of nothing", update(t, w, func(tx *db.Tx) error { return contact.Withdraw(tx, w.Mara, w.Theo, c) }), contact.ErrNothingLive)
	wants(t, "a re-send of nothing", update(t, w, func(tx *db.Tx) error { return contact.Resend(tx, w.Mara, w.Theo, c) }), contact.ErrNotInvited)
	w.Update(t, invited)
	wants(t, "twice", update(t, w, invited), contact.ErrInvited)
	wants(t, "again at once", update(t, w, func(tx *db.Tx) error { return contact.Resend(tx, w.Mara, w.Theo, c) }), contact.ErrJustSent)
	w.Update(t, func(tx *db.Tx) error { return contact.Suspend(tx, w.Mara, w.Theo, c) })
	wants(t, "suspended", update(t, w, invited), contact.ErrNotOpen)
	w.Update(t, func(tx *db.Tx) error { return contact.End(tx, w.Mara, w.Theo, c) })
	wants(t, "ended", update(t, w, invited), contact.ErrNotOpen)
	linked, _ := joined(t, w, greta(t))
	wants(t, "with an account", update(t, w, func(tx *db.Tx) error { return contact.Invite(tx, w.Mara, w.Theo, linked) }), contact.ErrLinked)
	d.Email = address(t, "no@example.com")
	try("who wants no letters", d, contact.ErrDeclined, func(tx *db.Tx) error {
		return letter.Decline(tx, access.Guest(), d.Email)
	})
	d.Email = address(t, "many@example.com")
	for i := range 11 {
		c := add(t, w, d)
		err := update(t, w, func(tx *db.Tx) error { return contact.Invite(tx, w.Mara, w.Theo, c) })
		if i < 10 && err != nil || i == 10 && !errors.Is(err, contact.ErrManyLetters) {
			t.Errorf("letter %d to one mailbox: %v", i+1, err)
		}
	}
	d.Email = address(t, "ended@example.com")
	try("after care", d, contact.ErrNotOpen, func(tx *db.Tx) error { return people.EndCare(tx, w.Mara, w.Theo, at.Of(w.Now())) })
}

// What became of a link since it was sent: each way, and what its holder is told.
func TestALinkThatDoesNotWorkSaysWhyAndIsRenewed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		do       func(w *world.World, tx *db.Tx, is contact.Contact) error
		pass     time.Duration
		want     error
		newLink  bool // asking for one sends one
		toldMara bool
	}{
		{"replaced", func(w *world.World, tx *db.Tx, is contact.Contact) error {
			return contact.Resend(tx, w.Mara, w.Theo, is.ID)
		}, 0, people.ErrLinkReplaced, true, false},
		{"withdrawn", func(w *world.World, tx *db.Tx, is contact.Contact) error {
			return contact.Withdraw(tx, w.Mara, w.Theo, is.ID)
		}, 0, people.ErrLinkWithdrawn, false, true},
		{"suspended", func(w *world.World, tx *db.Tx, is contact.Contact) error {
			return contact.Suspend(tx, w.Mara, w.Theo, is.ID)
		}, 0, people.ErrLinkWithdrawn, false, true},
		{"ended by hand", func(w *world.World, tx *db.Tx, is contact.Contact) error {
			return contact.End(tx, w.Mara, w.Theo, is.ID)
		}, 0, people.ErrLinkWithdrawn, false, true},
		{"of another address", func(w *world.World, tx *db.Tx, is contact.Contact) error {
			d := is.Details
			d.Email = address(t, "other@example.com")
			return contact.Edit(tx, w.Mara, w.Theo, is.ID, is.Version, d)
		}, 0, people.ErrLinkWithdrawn, false, true},
		{"of no rights", func(w *world.World, tx *db.Tx, is contact.Contact) error {
			d := is.Details
			d.Rights = nil
			return contact.Edit(tx, w.Mara, w.Theo, is.ID, is.Version, d)
		}, 0, people.ErrLinkWithdrawn, false, true},
		{"expired", nil, 15 * 24 * time.Hour, people.ErrLinkExpired, true, false},
		{"after the last day", func(w *world.World, tx *db.Tx, is contact.Contact) error {
			d := is.Details
			d.Until = date(t, "2030-03-15")
			return contact.Edit(tx, w.Mara, w.Theo, is.ID, is.Version, d)
		}, 3 * 24 * time.Hour, people.ErrLinkWithdrawn, false, false},
		{"after care", func(w *world.World, tx *db.Tx, _ contact.Contact) error {
			return people.EndCare(tx, w.Mara, w.Theo, at.Of(w.Now()))
		}, time.Hour, people.ErrLinkWithdrawn, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := world.New(t)
			one := add(t, w, greta(t))
			token := invite(t, w, one, gretaMail)
			w.Pass(2 * time.Minute)
			is := find(t, w, one)
			if c.do != nil {
				w.Update(t, func(tx *db.Tx) error { return c.do(w, tx, is) })
			}
			w.RunJobs(t)
			w.Pass(c.pass)
			w.View(t, func(tx *db.Tx) error {
				o, err := contact.Look(tx, access.Guest(), token)
				if err == nil {
					err = o.Fault()
				}
				wants(t, "looking", err, c.want)
				if o.Holder != "" || !o.Email.IsZero() {
					t.Errorf("a dead link says whose it was: %+v", o)
				}
				return nil
			})
			_, err := signUp(t, w, token)
			wants(t, "signing up", err, c.want)
			w.Pass(2 * time.Minute)
			before := len(w.Letters(gretaMail))
			for range 2 {
				w.Update(t, func(tx *db.Tx) error { return contact.Renew(tx, access.Guest(), token) })
			}
			w.RunJobs(t)
			if got := len(w.Letters(gretaMail)) - before; got != map[bool]int{true: 1}[c.newLink] {
				t.Errorf("asking sent %d letters", got)
			}
			if got := len(letters(w, "mara@practice.test", "asks for a new")); got != map[bool]int{true: 1}[c.toldMara] {
				t.Errorf("Mara was told %d times", got)
			}
			if len(w.Letters("other@example.com")) > 0 {
				t.Error("a letter went to the new address, which nobody invited")
			}
			if c.newLink {
				if _, err := signUp(t, w, link(t, w, gretaMail)); err != nil {
					t.Errorf("the new link: %v", err)
				}
			}
		})
	}
}

func TestAskingByAddressIsTheSameForEverybody(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	c := add(t, w, greta(t))
	token := invite(t, w, c, gretaMail)
	w.Pass(15 * 24 * time.Hour)
	for _, to := range []string{gretaMail, "nobody@example.com"} {
		before := trail(t, w, "")
		w.Update(t, func(tx *db.Tx) error { return contact.WishRenewal(tx, access.Guest(), address(t, to)) })
		if n := trail(t, w, "") - before; n != 1 {
			t.Errorf("%s: %d lines", to, n)
		}
		w.RunJobs(t)
	}
	if len(w.Letters(gretaMail)) != 2 || len(w.Letters("nobody@example.com")) != 0 || link(t, w, gretaMail).Reveal() == token.Reveal() {
		t.Error("the invited address got no new link, or another did")
	}
	if _, err := signUp(t, w, link(t, w, gretaMail)); err != nil {
		t.Fatal(err)
	}
	w.Pass(time.Hour)
	w.Update(t, func(tx *db.Tx) error { return contact.RenewByAddress(tx, access.Guest(), address(t, gretaMail)) })
	w.Update(t, func(tx *db.Tx) error { return contact.Renew(tx, access.Guest(), token) })
	w.Update(t, func(tx *db.Tx) error { return contact.Renew(tx, access.Guest(), secret.NewToken()) })
	w.RunJobs(t)
	if got := len(letters(w, gretaMail, "invitation")); got != 2 {
		t.Errorf("who has accepted got %d invitations", got)
	}
	if len(w.Letters(gretaMail)) < 3 {
		t.Error("who has accepted was not told how to sign in")
	}
}

func TestOneAccountIsPractitionerClientAndGuardian(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	lena := w.Client(t, w.Mara, people.Draft{First: "Ines", Last: "Client", Email: "ines@nextdoor.test", EmailConsent: true})
	w.Update(t, func(tx *db.Tx) error {
		token, err := people.CopyLink(tx, w.Mara, lena)
		if err != nil {
			return err
		}
		_, err = people.Accept(tx, access.AsPerson(w.Ines.Account()), token)
		return err
	})
	d := greta(t)
	d.Name, d.Email = "Ines Client", address(t, "ines@nextdoor.test")
	token := invite(t, w, add(t, w, d), "ines@nextdoor.test")
	_, err := signUp(t, w, token)
	wants(t, "a new password for a known address", err, people.ErrSignInToAccept)
	wants(t, "as somebody else", update(t, w, func(tx *db.Tx) error { _, err := contact.Accept(tx, w.Noor, token); return err }), people.ErrSomebodyElse)
	wants(t, "as a stranger", update(t, w, func(tx *db.Tx) error { _, err := contact.Accept(tx, access.Guest(), token); return err }), fault.Forbidden)
	w.Update(t, func(tx *db.Tx) error {
		j, err := contact.Accept(tx, w.Ines, token)
		if j.Place != (account.Place{Practice: w.Mara.Practice(), Client: w.Theo}) {
			t.Errorf("it leads to %+v", j.Place)
		}
		return err
	})
	all := places(t, w, w.Ines.Account())
	if len(all) != 3 || !all[0].Work || all[1].Work || all[1].For || !all[2].For || all[2].Name != "Theo Vance" {
		t.Errorf("her places are %+v", all)
	}
	if is := enter(t, w, w.Ines.Account()); is.Role() != access.Contact || is.MaySeePeople() {
		t.Errorf("for Theo she is %q", is.Role())
	}
}

// Whoever works in a practice, or did, is no contact of its clients: they would
// keep by that what they lose as a member.
func TestWhoWorksThereIsNoContactOfItsClients(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	d := greta(t)
	d.Name, d.Email = "Noor Haddad", address(t, "noor@practice.test")
	c := add(t, w, d)
	wants(t, "a letter to a member", update(t, w, func(tx *db.Tx) error { return contact.Invite(tx, w.Mara, w.Theo, c) }), contact.ErrWorksHere)
	d.Email = address(t, "late@practice.test") // who joins while the letter is out
	token := invite(t, w, add(t, w, d), "late@practice.test")
	late := w.Colleague(t, "Late Comer", "late@practice.test", access.Practitioner)
	wants(t, "a member", update(t, w, func(tx *db.Tx) error { _, err := contact.Accept(tx, late, token); return err }), contact.ErrWorksHere)
	if err := w.DB.Exec(t.Context(), "UPDATE practitioner SET active = FALSE"); err != nil {
		t.Fatal(err)
	}
	wants(t, "who was one", update(t, w, func(tx *db.Tx) error {
		_, err := contact.Accept(tx, access.AsPerson(late.Account()), token)
		return err
	}), contact.ErrWorksHere)
}

// A letter goes to a stranger's mailbox: few an hour, and a name has no room for a message.
func TestInvitationsAreFewAndGreetByANameAlone(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	try := func(i int) error {
		d := greta(t)
		d.Name, d.Email = strings.Repeat("é", 100), address(t, fmt.Sprintf("s%d@example.com", i))
		c := add(t, w, d)
		return update(t, w, func(tx *db.Tx) error { return contact.Invite(tx, w.Mara, w.Theo, c) })
	}
	for i := range 20 {
		if err := try(i); err != nil {
			t.Fatalf("letter %d: %v", i+1, err)
		}
	}
	wants(t, "the 21st in an hour", try(20), contact.ErrManySent)
	w.RunJobs(t)
	if l := w.Letters("s0@example.com"); len(l) != 1 || strings.Contains(l[0].Text, strings.Repeat("é", 61)) || !strings.Contains(l[0].Text, strings.Repeat("é", 60)+"…,") {
		t.Errorf("the letters are %+v", l)
	}
	w.Pass(time.Hour + time.Second)
	if err := try(21); err != nil {
		t.Errorf("an hour later: %v", err)
	}
}

// A contact's account does not become the client's own by the client's letter.
func TestWhoActsForAClientDoesNotBecomeTheClient(t *testing.T) {
	t.Parallel()
	for name, ended := range map[string]bool{"who acts for them": false, "who did": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := world.New(t)
			c, who := joined(t, w, greta(t))
			if ended {
				w.Update(t, func(tx *db.Tx) error { return contact.End(tx, w.Mara, w.Theo, c) })
			}
			var theo people.Client
			w.View(t, func(tx *db.Tx) (err error) { theo, err = people.Find(tx, w.Mara, w.Theo); return err })
			d := theo.Details
			d.Email = address(t, gretaMail)
			w.Update(t, func(tx *db.Tx) error { _, err := people.Edit(tx, w.Mara, w.Theo, theo.Version, d); return err })
			var token secret.Token
			w.Update(t, func(tx *db.Tx) (err error) { token, err = people.CopyLink(tx, w.Mara, w.Theo); return err })
			wants(t, "accepting", update(t, w, func(tx *db.Tx) error { _, err := people.Accept(tx, access.AsPerson(who), token); return err }), people.ErrActsForThem)
			if role := enter(t, w, who).Role(); role == access.Client {
				t.Errorf("she is %q", role)
			}
		})
	}
}

// A contact who was to lose access at the client's coming of age has none when
// nobody knows that day any more.
func TestNoDayIsNotForEver(t *testing.T) {
	t.Parallel()
	if end := access.AtAge(nil); !end.Before(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("it ends at %v", end)
	}
	terms := access.Terms{Rights: access.Rights, OfAge: access.AtAge(nil)}
	if is := terms.Standing(at.Of(time.Now())); is != access.Over {
		t.Errorf("it stands %q", is)
	}
}

func TestWhoOpensTheRecordAsTheClientIsNoContactOfTheirOwn(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	who := w.Account(t, "Theo Vance", "theo@example.com")
	w.Update(t, func(tx *db.Tx) error {
		token, err := people.CopyLink(tx, w.Mara, w.Theo)
		if err != nil {
			return err
		}
		_, err = people.Accept(tx, access.AsPerson(who), token)
		return err
	})
	d := greta(t)
	d.Email = address(t, "theo@example.com")
	token := invite(t, w, add(t, w, d), "theo@example.com")
	wants(t, "their own record", update(t, w, func(tx *db.Tx) error { _, err := contact.Accept(tx, access.AsPerson(who), token); return err }), contact.ErrOwnRecord)
	_, account := joined(t, w, greta(t))
	again := invite(t, w, add(t, w, greta(t)), gretaMail)
	wants(t, "twice for one", update(t, w, func(tx *db.Tx) error { _, err := contact.Accept(tx, access.AsPerson(account), again); return err }), contact.ErrActsTwice)
}

// Whose access has ended can be noted and invited anew.
func TestAnEndedContactMayBeInvitedAnew(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	c, who := joined(t, w, greta(t))
	w.Update(t, func(tx *db.Tx) error { return contact.End(tx, w.Mara, w.Theo, c) })
	again := invite(t, w, add(t, w, greta(t)), gretaMail)
	w.Update(t, func(tx *db.Tx) error { _, err := contact.Accept(tx, access.AsPerson(who), again); return err })
	if enter(t, w, who).Role() != access.Contact || find(t, w, c).Account != nil {
		t.Error("the new grant does not count, or the old one still has the account")
	}
}

// Whoever accepts before the first day has an account, and a day to wait for.
func TestAcceptingBeforeTheFirstDay(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	d := greta(t)
	d.From = date(t, "2030-03-20")
	c := add(t, w, d)
	j, err := signUp(t, w, invite(t, w, c, gretaMail))
	if err != nil || j.Place != (account.Place{}) {
		t.Fatalf("it leads to %+v, %v", j.Place, err)
	}
	all := places(t, w, j.Account)
	if len(all) != 1 || !all[0].Ended || all[0].OpensAt == nil {
		t.Errorf("her places are %+v", all)
	}
}

func TestWhoDeletesTheirAccountIsNoContactWithOne(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	c, who := joined(t, w, greta(t))
	w.Update(t, func(tx *db.Tx) error { _, err := people.AskToLeave(tx, access.AsPerson(who)); return err })
	for range 3 { // seen on the day, done after
		w.Pass(20 * 24 * time.Hour)
		if err := (people.Clerk{DB: w.DB}).Depart(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if is := find(t, w, c); is.Account != nil || trail(t, w, "contact.account_closed") != 1 {
		t.Errorf("she is %+v", is)
	}
}

// No link goes out in the name of somebody who could not send it today, and none
// to who works here by now.
func TestALinkIsRenewedOnlyInTheNameOfWhoStillInvites(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name              string
		do                func(*world.World, *db.Tx, access.Actor) error
		toGreta, toldMara int
	}{
		{"works on", nil, 1, 0},
		{"made inactive", func(w *world.World, tx *db.Tx, olga access.Actor) error {
			return team.Deactivate(tx, w.Mara, olga.Practitioner(), "")
		}, 0, 1},
		{"a biller now", func(w *world.World, tx *db.Tx, olga access.Actor) error {
			return team.SetRole(tx, w.Mara, olga.Practitioner(), access.Biller)
		}, 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := world.New(t)
			olga := w.Colleague(t, "Olga Reed", "olga@practice.test", access.Owner)
			one := add(t, w, greta(t))
			w.Update(t, func(tx *db.Tx) error { return contact.Invite(tx, olga, w.Theo, one) })
			w.RunJobs(t)
			token := link(t, w, gretaMail)
			w.Pass(15 * 24 * time.Hour)
			if c.do != nil {
				w.Update(t, func(tx *db.Tx) error { return c.do(w, tx, olga) })
			}
			before := len(w.Letters(gretaMail))
			for range 2 {
				w.Update(t, func(tx *db.Tx) error { return contact.Renew(tx, access.Guest(), token) })
				w.Update(t, func(tx *db.Tx) error { return contact.RenewByAddress(tx, access.Guest(), address(t, gretaMail)) })
			}
			w.RunJobs(t)
			if n := len(w.Letters(gretaMail)) - before; n != c.toGreta {
				t.Errorf("%d letters to Greta, want %d", n, c.toGreta)
			}
			if n := len(letters(w, "mara@practice.test", "asks for a new")); n != c.toldMara {
				t.Errorf("who looks after Theo was told %d times, want %d", n, c.toldMara)
			}
			if n := len(letters(w, "olga@practice.test", "asks for a new")); n != 0 {
				t.Errorf("Olga was told %d times", n)
			}
			if c.toldMara > 0 && find(t, w, one).Sent.State != people.Withdrawn {
				t.Errorf("the invitation is %s", find(t, w, one).Sent.State)
			}
		})
	}
}

func TestNoLinkIsRenewedForWhoWorksHereByNow(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	token := invite(t, w, add(t, w, greta(t)), gretaMail)
	w.Pass(15 * 24 * time.Hour)
	w.Colleague(t, "Greta Vance", gretaMail, access.Biller)
	before := len(w.Letters(gretaMail))
	w.Update(t, func(tx *db.Tx) error { return contact.Renew(tx, access.Guest(), token) })
	w.RunJobs(t)
	if n := len(w.Letters(gretaMail)) - before; n != 0 {
		t.Errorf("%d letters", n)
	}
}
