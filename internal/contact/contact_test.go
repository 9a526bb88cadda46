package contact_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/at"
	"icouch/internal/base/civil"
	"icouch/internal/base/email"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/contact"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/world"
)

func TestAContactIsNotedAsSaid(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	d := greta(t)
	d.From = date(t, "2030-03-20")
	c := add(t, w, d)
	is := find(t, w, c)
	d.Rights = []access.Right{access.SeeAppointments, access.PayInvoices} // in the order of the list
	if got, want := is.Details, d; got.Name != want.Name || got.Relation != want.Relation || got.Email != want.Email || got.Mobile != want.Mobile || !got.Emergency ||
		got.Basis != want.Basis || !slices.Equal(got.Rights, want.Rights) || got.From != want.From || got.Until != want.Until {
		t.Errorf("noted is %+v, want %+v", got, want)
	}
	if is.Standing != access.Before || is.Account != nil || is.Sent != nil || trail(t, w, "contact.added") != 1 {
		t.Errorf("they stand %q, invited: %v", is.Standing, is.Sent)
	}
	if n := len(w.Mail.Sent()); n != 0 {
		t.Errorf("%d letters went out", n)
	}
	var all []contact.Contact
	w.View(t, func(tx *db.Tx) (err error) { all, err = contact.Of(tx, w.Mara, w.Theo); return err })
	if len(all) != 1 || all[0].ID != c {
		t.Errorf("Theo's contacts are %v", all)
	}
}

func TestWhatAContactNeeds(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	for _, c := range []struct {
		name  string
		twist func(*contact.Details)
		want  error
	}{
		{"a name", func(d *contact.Details) { d.Name = "" }, contact.ErrNoName},
		{"a relation", func(d *contact.Details) { d.Relation = "aunt" }, contact.ErrNoRelation},
		{"a right of the list", func(d *contact.Details) { d.Rights = append(d.Rights, "messages") }, contact.ErrOddRight},
		{"a reason for rights", func(d *contact.Details) { d.Basis = "" }, contact.ErrNoBasis},
		{"an end of rights", func(d *contact.Details) { d.Until = date(t, "2030-04-30"); d.Until = d.From }, contact.ErrNoEnd},
		{"an end that is to come", func(d *contact.Details) { d.Until = date(t, "2030-03-13") }, contact.ErrPastEnd},
		{"an end in sight", func(d *contact.Details) { d.Until = date(t, "2036-03-13") }, contact.ErrFarEnd},
		{"a beginning in sight", func(d *contact.Details) { d.From = date(t, "2036-03-13") }, contact.ErrFarFrom},
		{"an end after the beginning", func(d *contact.Details) { d.From = date(t, "2030-05-01") }, contact.ErrEndFirst},
		{"no more than that", func(d *contact.Details) {}, nil},
		{"nothing else without rights", func(d *contact.Details) {
			*d = contact.Details{Name: "Ann", Relation: contact.Other}
		}, nil},
	} {
		d := greta(t)
		c.twist(&d)
		err := update(t, w, func(tx *db.Tx) error { return contact.Add(tx, w.Mara, w.Theo, id.New[id.Contact](w.Now()), d) })
		if c.want == nil && err != nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// Another practice's client, a colleague's, and another client's contact do not exist.
func TestContactsAreOfOneClientOfOnePractice(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	c := add(t, w, greta(t))
	lena := w.Client(t, w.Mara, people.Draft{First: "Lena", Last: "Marsh"})
	biller := w.Colleague(t, "Bill Stone", "bill@practice.test", access.Biller)
	for name, by := range map[string]struct {
		actor  access.Actor
		client id.Client
		want   error
	}{
		"the practice next door":     {w.Ines, w.Theo, fault.NotFound},
		"a colleague":                {w.Noor, w.Theo, fault.NotFound},
		"of another client":          {w.Mara, lena, fault.NotFound},
		"who changes nothing":        {biller, w.Theo, fault.Forbidden},
		"the client":                 {access.AsClient(w.Mara.Practice(), "x", w.Theo), w.Theo, fault.Forbidden},
		"the contact themselves":     {access.AsContact(w.Mara.Practice(), "x", w.Theo, access.Grant{Contact: c, Rights: access.Rights}), w.Theo, fault.Forbidden},
		"somebody in no place":       {access.AsPerson("x"), w.Theo, fault.Forbidden},
		"a stranger":                 {access.Guest(), w.Theo, fault.Forbidden},
		"the operator of a practice": {access.Operating(w.Mara.Practice()), w.Theo, fault.Forbidden},
	} {
		before := trail(t, w, "")
		for deed, do := range deeds(t) {
			wants(t, name+": "+deed, update(t, w, func(tx *db.Tx) error { return do(tx, by.actor, by.client, c) }), by.want)
		}
		if by.client == w.Theo {
			wants(t, name+": add", update(t, w, func(tx *db.Tx) error {
				return contact.Add(tx, by.actor, w.Theo, id.New[id.Contact](w.Now()), greta(t))
			}), by.want)
		}
		if n := trail(t, w, ""); n != before {
			t.Errorf("%s: left %d lines", name, n-before)
		}
		if !by.actor.AtWork() || by.actor.Practitioner() == biller.Practitioner() {
			continue
		}
		w.View(t, func(tx *db.Tx) error {
			_, err := contact.Find(tx, by.actor, by.client, c)
			wants(t, name+": find", err, fault.NotFound)
			return nil
		})
	}
	w.View(t, func(tx *db.Tx) error {
		is, err := contact.Find(tx, biller, w.Theo, c)
		if err != nil || is.Name != "Greta Vance" || is.Basis == "" {
			t.Errorf("the biller sees %+v, %v", is, err)
		}
		return nil
	})
	skye := w.Colleague(t, "Skye Stone", "skye@practice.test", access.Scheduler)
	w.View(t, func(tx *db.Tx) error {
		is, err := contact.Find(tx, skye, w.Theo, c)
		if err != nil || is.Mobile == "" || is.Basis != "" {
			t.Errorf("the scheduler sees %+v, %v", is, err)
		}
		return nil
	})
}

func TestAContactIsAddedOnceHoweverOftenTheButtonIsPressed(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	c := id.New[id.Contact](w.Now())
	told := atOnce(8, func(int) error {
		return update(t, w, func(tx *db.Tx) error { return contact.Add(tx, w.Mara, w.Theo, c, greta(t)) })
	})
	if told[nil] != 1 || told[contact.ErrAdded] != 7 {
		t.Errorf("told %v", told)
	}
	told = atOnce(8, func(int) error {
		return update(t, w, func(tx *db.Tx) error { return contact.Suspend(tx, w.Mara, w.Theo, c) })
	})
	if told[nil] != 1 || told[contact.ErrSuspended] != 7 || trail(t, w, "contact.suspended") != 1 {
		t.Errorf("suspended: %v", told)
	}
	told = atOnce(8, func(int) error {
		return update(t, w, func(tx *db.Tx) error { return contact.End(tx, w.Mara, w.Theo, c) })
	})
	if told[nil] != 1 || told[contact.ErrOver] != 7 {
		t.Errorf("ended: %v", told)
	}
	version := find(t, w, c).Version
	told = atOnce(8, func(int) error {
		return update(t, w, func(tx *db.Tx) error { return contact.Edit(tx, w.Mara, w.Theo, c, version, greta(t)) })
	})
	if told[nil] != 1 || told[contact.ErrChanged] != 7 {
		t.Errorf("edited: %v", told)
	}
}

func TestAContactIsUndoneWithItsTransaction(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	c := add(t, w, greta(t))
	was, waiting := find(t, w, c), jobs(t, w)
	later := errors.New("something later fails")
	for name, do := range deeds(t) {
		if name == "resume" || name == "resend" || name == "withdraw" { // not in this state
			continue
		}
		err := update(t, w, func(tx *db.Tx) error {
			if err := do(tx, w.Mara, w.Theo, c); err != nil {
				return err
			}
			return later
		})
		wants(t, name, err, later)
	}
	if is := find(t, w, c); is.Version != was.Version || is.Standing != access.Open || is.Sent != nil || jobs(t, w) != waiting {
		t.Errorf("it is %+v", is)
	}
}

// The days are the practice's, and the clock alone opens and shuts.
func TestAccessBeginsAndEndsByTheClock(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	d := greta(t)
	d.From, d.Until = date(t, "2030-03-20"), date(t, "2030-03-22")
	c, who := joined(t, w, d)
	is := find(t, w, c)
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	begins, ends := time.Date(2030, 3, 20, 0, 0, 0, 0, zone), time.Date(2030, 3, 23, 0, 0, 0, 0, zone)
	if !is.Terms.Begins.Equal(begins) || !is.Terms.Ends.Equal(ends) {
		t.Fatalf("it lasts from %v to %v", is.Terms.Begins, is.Terms.Ends)
	}
	for _, moment := range []struct {
		name string
		at   time.Time
		role access.Role
	}{
		{"a second before", begins.Add(-time.Second), access.Person}, {"as it begins", begins, access.Contact},
		{"a second before the end", ends.Add(-time.Second), access.Contact}, {"as it ends", ends, access.Person},
	} {
		w.Pass(moment.at.Sub(w.Now()))
		now := enter(t, w, who)
		if now.Role() != moment.role {
			t.Errorf("%s she is %q", moment.name, now.Role())
		}
		all := places(t, w, who)
		called := map[bool]string{true: "somebody", false: "Theo Vance"}[w.Now().Compare(ends) >= 0]
		if len(all) != 1 || !all[0].For || all[0].Name != called || all[0].Ended != (moment.role == access.Person) {
			t.Errorf("%s her places are %+v", moment.name, all)
		}
		if moment.role == access.Contact && (!now.Until().Equal(ends) || !now.ActsFor(w.Theo, access.PayInvoices) || now.ActsFor(w.Theo, access.SeeDocuments)) {
			t.Errorf("%s she may until %v, %+v", moment.name, now.Until(), now.Grant())
		}
	}
}

func TestSuspendingShutsAtOnceAndIsTakenBack(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	c, who := joined(t, w, greta(t))
	if enter(t, w, who).Role() != access.Contact {
		t.Fatal("premise: she is not let in")
	}
	var told []string
	w.DB.Watch(func(topic string) { told = append(told, topic) })
	w.Update(t, func(tx *db.Tx) error { return contact.Suspend(tx, w.Mara, w.Theo, c) })
	if enter(t, w, who).Role() != access.Person || !slices.Contains(told, people.Topic(w.Mara.Practice(), w.Theo)) {
		t.Errorf("suspended she is %q; told were %v", enter(t, w, who).Role(), told)
	}
	wants(t, "twice", update(t, w, func(tx *db.Tx) error { return contact.Suspend(tx, w.Mara, w.Theo, c) }), contact.ErrSuspended)
	w.Update(t, func(tx *db.Tx) error { return contact.Resume(tx, w.Mara, w.Theo, c) })
	if enter(t, w, who).Role() != access.Contact {
		t.Error("she is not let in again")
	}
	wants(t, "resume twice", update(t, w, func(tx *db.Tx) error { return contact.Resume(tx, w.Mara, w.Theo, c) }), contact.ErrNotStopped)
	w.Update(t, func(tx *db.Tx) error { return contact.End(tx, w.Mara, w.Theo, c) })
	if enter(t, w, who).Role() != access.Person || find(t, w, c).Standing != access.Over {
		t.Error("she is let in after the end")
	}
	d := greta(t) // a later last day opens it again, and is told nobody twice
	d.Until = date(t, "2030-03-30")
	w.Update(t, func(tx *db.Tx) error { return contact.Edit(tx, w.Mara, w.Theo, c, find(t, w, c).Version, d) })
	if enter(t, w, who).Role() != access.Contact {
		t.Error("a later last day does not open it again")
	}
	d.Rights = nil
	w.Update(t, func(tx *db.Tx) error { return contact.Edit(tx, w.Mara, w.Theo, c, find(t, w, c).Version, d) })
	if enter(t, w, who).Role() != access.Person {
		t.Error("she is let in with no right")
	}
}

// An edit of something else neither moves an end made by hand nor opens anything.
func TestAnEditLeavesAnEndAsItIs(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	c, who := joined(t, w, greta(t))
	w.Update(t, func(tx *db.Tx) error { return contact.End(tx, w.Mara, w.Theo, c) })
	is := find(t, w, c)
	d := is.Details
	d.Mobile = ""
	w.Update(t, func(tx *db.Tx) error { return contact.Edit(tx, w.Mara, w.Theo, c, is.Version, d) })
	if now := find(t, w, c); now.Standing != access.Over || !now.Terms.Ends.Equal(is.Terms.Ends.Time) || enter(t, w, who).Role() != access.Person {
		t.Errorf("it ends %v, was %v", now.Terms.Ends, is.Terms.Ends)
	}
}

func TestTheEndOfCareShutsContactsOutToo(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	_, who := joined(t, w, greta(t))
	on := at.Of(w.Now().Add(24 * time.Hour))
	w.Update(t, func(tx *db.Tx) error { return people.EndCare(tx, w.Mara, w.Theo, on) })
	if now := enter(t, w, who); now.Role() != access.Contact || !now.Until().Equal(on.Time) {
		t.Errorf("she is %q until %v", now.Role(), now.Until())
	}
	w.Pass(24 * time.Hour)
	if enter(t, w, who).Role() != access.Person {
		t.Error("she is let in after care has ended")
	}
}

func TestAPracticesRuleOfASecondStepHoldsForContacts(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	_, who := joined(t, w, greta(t))
	w.Update(t, func(tx *db.Tx) error { return people.SetClientStep(tx, w.Mara, true) })
	if is := enterWeakly(t, w, who); is.Role() != access.Waiting {
		t.Errorf("with a password alone she is %q", is.Role())
	}
}

func TestTheClientSeesWhoMayOpenTheirRecordAndMayAskThatItEnds(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	c, _ := joined(t, w, greta(t))
	add(t, w, contact.Details{Name: "Ann", Relation: contact.Other})
	gone := add(t, w, greta(t))
	w.Update(t, func(tx *db.Tx) error { return contact.End(tx, w.Mara, w.Theo, gone) })
	theo := access.AsClient(w.Mara.Practice(), w.Account(t, "Theo Vance", "theo@example.com"), w.Theo)
	var seen []contact.Shown
	w.View(t, func(tx *db.Tx) (err error) { seen, err = contact.Access(tx, theo); return err })
	if len(seen) != 1 || seen[0].ID != c || !seen[0].SignsIn || len(seen[0].Rights) != 2 || seen[0].Until.IsZero() {
		t.Fatalf("Theo sees %+v", seen)
	}
	lena := w.Client(t, w.Mara, people.Draft{First: "Lena", Last: "Marsh"})
	for name, by := range map[string]access.Actor{"another client": access.AsClient(w.Mara.Practice(), "x", lena), "one next door": access.AsClient(w.Ines.Practice(), "x", w.Theo),
		"the contact": access.AsContact(w.Mara.Practice(), "x", w.Theo, access.Grant{Contact: c}), "the practice": w.Mara, "a stranger": access.Guest()} {
		wants(t, name, update(t, w, func(tx *db.Tx) error { return contact.AskEnd(tx, by, c) }), fault.NotFound)
	}
	wants(t, "what has ended", update(t, w, func(tx *db.Tx) error { return contact.AskEnd(tx, theo, gone) }), fault.NotFound)
	told := atOnce(8, func(int) error { return update(t, w, func(tx *db.Tx) error { return contact.AskEnd(tx, theo, c) }) })
	w.RunJobs(t)
	if told[nil] != 1 || told[contact.ErrAskedAlready] != 7 || len(letters(w, "mara@practice.test", "asks you to end")) != 1 || find(t, w, c).AskedAt == nil {
		t.Errorf("told %v, letters %d", told, len(w.Letters("mara@practice.test")))
	}
	for _, m := range w.Letters("mara@practice.test") {
		notIn(t, m.Subject+m.Text, "Theo", "Greta", "Vance")
	}
}

func TestADayThatHasComeIsToldOnce(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	d := greta(t)
	d.From, d.Until = date(t, "2030-03-20"), date(t, "2030-03-22")
	joined(t, w, d)
	quiet := d
	quiet.Email = address(t, "quiet@example.com")
	c2, _ := joined(t, w, quiet)
	w.Update(t, func(tx *db.Tx) error { return contact.Suspend(tx, w.Mara, w.Theo, c2) })
	clerk := contact.Clerk{DB: w.DB}
	for _, on := range []struct {
		day           string
		began, closed int
	}{{"2030-03-19", 0, 0}, {"2030-03-20", 1, 0}, {"2030-03-22", 1, 0}, {"2030-03-23", 1, 1}, {"2030-03-24", 1, 1}} {
		day(t, w, on.day)
		told := atOnce(3, func(int) error { return clerk.Tell(t.Context()) })
		w.RunJobs(t)
		if b, e := len(letters(w, gretaMail, "has begun")), len(letters(w, gretaMail, "has ended")); b != on.began || e != on.closed || told[nil] != 3 {
			t.Errorf("on %s she was told %d times that it began, %d that it ended (%v)", on.day, b, e, told)
		}
	}
	if len(letters(w, "quiet@example.com", "has")) != 0 {
		t.Error("who is suspended is told of days")
	}
	for _, m := range w.Letters(gretaMail) {
		notIn(t, m.Subject+m.Text, "Theo", "appointments", "Parent")
	}
}

func TestContactsAreSealedAnew(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	c := add(t, w, greta(t))
	token := invite(t, w, c, gretaMail)
	wants(t, "by the owner", update(t, w, func(tx *db.Tx) error { _, err := contact.Reseal(tx, w.Mara, ""); return err }), fault.Forbidden)
	wants(t, "links, by the owner", update(t, w, func(tx *db.Tx) error { _, err := contact.ResealInvitations(tx, w.Mara, ""); return err }), fault.Forbidden)
	before := stored(t, w)
	by := access.Operating(w.Mara.Practice())
	w.Update(t, func(tx *db.Tx) error {
		last, err := contact.Reseal(tx, by, "")
		if err == nil && last != c {
			t.Errorf("the last is %q", last)
		}
		return err
	})
	w.Update(t, func(tx *db.Tx) error { _, err := contact.ResealInvitations(tx, by, ""); return err })
	if slices.Equal(before, stored(t, w)) || find(t, w, c).Basis != "Parental responsibility" {
		t.Error("nothing was sealed anew, or it does not open")
	}
	if _, err := signUp(t, w, token); err != nil {
		t.Error(err)
	}
}

// What a guardian was given ends as the client comes of age, by the clock, and
// the practice may set another day.
func TestAGuardiansAccessEndsAsTheClientComesOfAge(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	milo := w.Client(t, w.Mara, people.Draft{First: "Milo", Last: "Dale", Year: "2012", Month: "5", Day: "3"})
	d := greta(t)
	d.Until, d.OfAge = d.From, true // no last day but that
	wants(t, "of one whose age is not known", update(t, w, func(tx *db.Tx) error {
		return contact.Add(tx, w.Mara, w.Theo, id.New[id.Contact](w.Now()), d)
	}), contact.ErrNoOfAge)
	c := id.New[id.Contact](w.Now())
	w.Update(t, func(tx *db.Tx) error { return contact.Add(tx, w.Mara, milo, c, d) })
	w.Update(t, func(tx *db.Tx) error { return contact.Invite(tx, w.Mara, milo, c) })
	w.RunJobs(t)
	j, err := signUp(t, w, link(t, w, gretaMail))
	if err != nil {
		t.Fatal(err)
	}
	role := func() access.Role {
		var by access.Actor
		w.View(t, func(tx *db.Tx) (err error) {
			by, err = people.Enter(tx, account.Session{Account: j.Account, Practice: w.Mara.Practice(), Client: milo, Strong: true})
			return err
		})
		return by.Role()
	}
	ends := time.Date(2030, 5, 3, 4, 0, 0, 0, time.UTC) // midnight in New York
	w.Pass(ends.Sub(w.Now()) - time.Second)
	if role() != access.Contact {
		t.Errorf("a second before she is %q", role())
	}
	w.Pass(time.Second)
	all := places(t, w, j.Account)
	if role() != access.Person || len(all) != 1 || !all[0].Ended {
		t.Errorf("on the day she is %q, her places are %+v", role(), all)
	}
	for range 2 {
		if err := (contact.Clerk{DB: w.DB}).Tell(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	w.RunJobs(t)
	if n := len(letters(w, gretaMail, "has ended")); n != 1 {
		t.Errorf("she was told %d times", n)
	}
	later := date(t, "2031-05-03")
	w.Update(t, func(tx *db.Tx) error { return people.SetMinor(tx, w.Mara, milo, date(t, "2030-05-03"), later) })
	if role() != access.Person {
		t.Error("a later day opens again what had ended")
	}
	var is contact.Contact
	w.View(t, func(tx *db.Tx) (err error) { is, err = contact.Find(tx, w.Mara, milo, c); return err })
	d.Until = later
	w.Update(t, func(tx *db.Tx) error { return contact.Edit(tx, w.Mara, milo, c, is.Version, d) })
	if role() != access.Contact {
		t.Error("a later last day of her own does not open it")
	}
}

// A record opened in an emergency is there to be read: nobody is given a way in by it.
func TestAnEmergencyChangesNoContact(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	c := add(t, w, greta(t))
	noor := access.AsPractitioner(w.Mara.Practice(), w.Noor.Account(), w.Noor.Practitioner(), access.Practitioner).Reaching(access.Reach{Clients: []id.Client{w.Theo}, Opened: []id.Client{w.Theo}})
	for deed, do := range deeds(t) {
		wants(t, deed, update(t, w, func(tx *db.Tx) error { return do(tx, noor, w.Theo, c) }), people.ErrOnlyLooks)
	}
	wants(t, "a minor's days", update(t, w, func(tx *db.Tx) error {
		return people.SetMinor(tx, noor, w.Theo, date(t, "2030-04-01"), date(t, "2030-04-01"))
	}), people.ErrOnlyLooks)
	w.View(t, func(tx *db.Tx) error {
		_, err := contact.Find(tx, noor, w.Theo, c)
		return err
	})
}

// setBorn notes Theo's date of birth, or takes it away.
func setBorn(t testing.TB, w *world.World, born civil.Date) {
	t.Helper()
	var theo people.Client
	w.View(t, func(tx *db.Tx) (err error) { theo, err = people.Find(tx, w.Mara, w.Theo); return err })
	d := theo.Details
	d.Born = born
	w.Update(t, func(tx *db.Tx) error { _, err := people.Edit(tx, w.Mara, w.Theo, theo.Version, d); return err })
}

// Neither a date of birth that is taken away or moved, nor a day that is, opens
// what a coming of age had ended, or leaves anything open for ever.
func TestATakenOrMovedDayOpensNothing(t *testing.T) {
	t.Parallel()
	var none civil.Date
	theo := func(t *testing.T) (*world.World, id.Contact, id.Account) {
		t.Helper()
		w := world.New(t)
		setBorn(t, w, date(t, "2012-05-03"))
		d := greta(t)
		d.Until, d.OfAge = none, true
		c, who := joined(t, w, d)
		if enter(t, w, who).Role() != access.Contact {
			t.Fatal("premise: she is not let in")
		}
		return w, c, who
	}
	t.Run("before, taken", func(t *testing.T) {
		t.Parallel()
		w, c, who := theo(t)
		setBorn(t, w, none)
		is := find(t, w, c)
		if enter(t, w, who).Role() != access.Person || is.Standing != access.Over {
			t.Errorf("without a day she is %q, it stands %q", enter(t, w, who).Role(), is.Standing)
		}
		d := is.Details // the rest may be edited, and the tick stays as it is
		d.Mobile = ""
		w.Update(t, func(tx *db.Tx) error { return contact.Edit(tx, w.Mara, w.Theo, c, is.Version, d) })
		if is = find(t, w, c); !is.OfAge || is.Standing != access.Over {
			t.Errorf("edited it stands %q", is.Standing)
		}
		d.OfAge, d.Until = false, date(t, "2030-04-30")
		w.Update(t, func(tx *db.Tx) error { return contact.Edit(tx, w.Mara, w.Theo, c, is.Version, d) })
		if enter(t, w, who).Role() != access.Contact {
			t.Error("a last day instead does not open it")
		}
	})
	for name, do := range map[string]func(*testing.T, *world.World){
		"after, taken": func(t *testing.T, w *world.World) { setBorn(t, w, none) },
		"after, moved": func(t *testing.T, w *world.World) { setBorn(t, w, date(t, "2015-05-03")) },
		"after, taken and noted anew": func(t *testing.T, w *world.World) {
			setBorn(t, w, none)
			setBorn(t, w, date(t, "2015-05-03"))
		},
		"after, another day": func(t *testing.T, w *world.World) {
			w.Update(t, func(tx *db.Tx) error { return people.SetMinor(tx, w.Mara, w.Theo, none, date(t, "2035-05-03")) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, c, who := theo(t)
			day(t, w, "2030-05-04")
			do(t, w)
			for range 2 {
				if is := find(t, w, c); enter(t, w, who).Role() != access.Person || is.Standing != access.Over {
					t.Errorf("she is %q, it stands %q", enter(t, w, who).Role(), is.Standing)
				}
				day(t, w, "2032-01-01")
			}
		})
	}
	t.Run("a guardians' day, taken", func(t *testing.T) {
		t.Parallel()
		w := world.New(t)
		may := date(t, "2030-05-01")
		w.Update(t, func(tx *db.Tx) error { return people.SetMinor(tx, w.Mara, w.Theo, may, may) })
		d := greta(t)
		d.Until, d.OfAge = none, true
		_, who := joined(t, w, d)
		w.Update(t, func(tx *db.Tx) error { return people.SetMinor(tx, w.Mara, w.Theo, may, none) })
		if enter(t, w, who).Role() != access.Person {
			t.Error("without a day she is let in for ever")
		}
	})
}

// Every contact there is can be seen, and stopped: more than that cannot be added.
func TestNoContactIsOutOfSight(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	var last id.Contact
	for range 100 {
		last = add(t, w, contact.Details{Name: "Ann", Relation: contact.Other})
	}
	wants(t, "one more", update(t, w, func(tx *db.Tx) error {
		return contact.Add(tx, w.Mara, w.Theo, id.New[id.Contact](w.Now()), greta(t))
	}), contact.ErrMany)
	var all []contact.Contact
	w.View(t, func(tx *db.Tx) (err error) { all, err = contact.Of(tx, w.Mara, w.Theo); return err })
	if len(all) != 100 || find(t, w, last).ID != last {
		t.Errorf("%d are seen", len(all))
	}
}

// Another address is another person: whoever signs in stays who they are.
func TestAnAddressDoesNotChangeUnderWhoSignsIn(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	c, who := joined(t, w, greta(t))
	is := find(t, w, c)
	d := is.Details
	d.Name, d.Email = "Father Vance", address(t, "father@example.com")
	edit := func(tx *db.Tx) error { return contact.Edit(tx, w.Mara, w.Theo, c, is.Version, d) }
	wants(t, "another person", update(t, w, edit), contact.ErrAnother)
	d.Email = email.Address{}
	wants(t, "nobody", update(t, w, edit), contact.ErrAnother)
	d.Email = is.Email
	w.Update(t, edit) // a new name alone is one's own affair
	if find(t, w, c).Name != "Father Vance" || enter(t, w, who).Role() != access.Contact {
		t.Error("an edit of the name did more, or less")
	}
}

func TestWhoIsShutOutReadsNoNameInTheirPlaces(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(*db.Tx, access.Actor, id.Client, id.Contact) error{"suspended": contact.Suspend, "ended": contact.End} {
		w := world.New(t)
		c, who := joined(t, w, greta(t))
		w.Update(t, func(tx *db.Tx) error { return do(tx, w.Mara, w.Theo, c) })
		all := places(t, w, who)
		if len(all) != 1 || !all[0].Ended || all[0].Name != "somebody" {
			t.Errorf("%s, her places are %+v", name, all)
		}
	}
}
