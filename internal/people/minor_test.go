package people_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/at"
	"icouch/internal/base/civil"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/world"
)

// ada is a client of Mara's who comes of age on 3 May 2030. It is 14 March.
func ada(t testing.TB, w *world.World) id.Client {
	t.Helper()
	return w.Client(t, w.Mara, people.Draft{First: "Ada", Last: "Winter", Email: "ada@example.com", EmailConsent: true, Year: "2012", Month: "5", Day: "3"})
}

func civilDay(t testing.TB, s string) civil.Date {
	t.Helper()
	d, err := civil.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func setDays(t testing.TB, w *world.World, c id.Client, own, guardians string) {
	t.Helper()
	w.Update(t, func(tx *db.Tx) error { return people.SetMinor(tx, w.Mara, c, civilDay(t, own), civilDay(t, guardians)) })
}

func minorOf(t testing.TB, w *world.World, c id.Client) (m people.Minor) {
	t.Helper()
	w.View(t, func(tx *db.Tx) (err error) { m, err = people.MinorOf(tx, w.Mara, c); return err })
	return m
}

// clientRole is who an account is in a record at their next request.
func clientRole(t testing.TB, w *world.World, who id.Account, c id.Client) (role access.Role) {
	t.Helper()
	w.View(t, func(tx *db.Tx) error {
		by, err := people.Enter(tx, account.Session{Account: who, Practice: w.Mara.Practice(), Client: c, Strong: true})
		role = by.Role()
		return err
	})
	return role
}

func TestAMinorIsInvitedFromTheDayOnAndNotBefore(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	c := ada(t, w)
	if m := minorOf(t, w, c); !m.Is || m.OwnFrom.String() != "2030-05-03" || m.GuardiansUntil.String() != "2030-05-03" || m.OfAge.String() != "2030-05-03" {
		t.Fatalf("her days are %+v", m)
	}
	invite := func(tx *db.Tx) error { return people.Invite(tx, w.Mara, c, "") }
	wants(t, "by letter", update(t, w, invite), people.ErrTooYoung)
	wants(t, "by hand", update(t, w, func(tx *db.Tx) error { _, err := people.CopyLink(tx, w.Mara, c); return err }), people.ErrTooYoung)
	var f people.Facts
	facts := func() people.Contact {
		w.View(t, func(tx *db.Tx) (err error) { f, err = people.FactsOf(tx, w.Mara, c); return err })
		return f.Contact(people.Setting{Now: at.Of(w.Now())})
	}
	if got := facts(); got.Enabled || got.Action != people.InviteAction || got.Help != "A minor, who may not sign in yet." {
		t.Errorf("her row offers %+v", got)
	}
	if next := f.ChangesAt(at.Of(w.Now())); !next.Equal(time.Date(2030, 5, 3, 4, 0, 0, 0, time.UTC)) {
		t.Errorf("her row changes at %v", next)
	}
	w.Pass(time.Date(2030, 5, 3, 4, 0, 0, 0, time.UTC).Sub(w.Now()) - time.Second) // a second before midnight in New York
	wants(t, "a second before", update(t, w, invite), people.ErrTooYoung)
	w.Pass(time.Second)
	if got := facts(); !got.Enabled {
		t.Errorf("of age her row offers %+v", got)
	}
	w.Update(t, invite)
}

// What opens or shuts an account that is there already is the clock alone.
func TestADaySetForAClientShutsAndOpensTheirAccount(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	c := ada(t, w)
	setDays(t, w, c, "2030-03-14", "2030-05-03") // from today on
	who := w.Account(t, "Ada Winter", "ada@example.com")
	var token secret.Token
	w.Update(t, func(tx *db.Tx) (err error) { token, err = people.CopyLink(tx, w.Mara, c); return err })
	w.Update(t, func(tx *db.Tx) error { _, err := people.Accept(tx, access.AsPerson(who), token); return err })
	if clientRole(t, w, who, c) != access.Client {
		t.Fatal("premise: she is not let in")
	}
	var told []string
	w.DB.Watch(func(topic string) { told = append(told, topic) })
	setDays(t, w, c, "2030-03-20", "2030-05-03")
	if clientRole(t, w, who, c) != access.Person || !slices.Contains(told, people.Topic(w.Mara.Practice(), c)) {
		t.Errorf("she is %q; told were %v", clientRole(t, w, who, c), told)
	}
	var all []people.Place
	w.View(t, func(tx *db.Tx) (err error) { all, err = people.Places(tx, access.AsPerson(who)); return err })
	if len(all) != 1 || !all[0].Ended || all[0].OpensAt == nil {
		t.Errorf("her places are %+v", all)
	}
	w.Pass(time.Date(2030, 3, 20, 4, 0, 0, 0, time.UTC).Sub(w.Now()) - time.Second)
	if clientRole(t, w, who, c) != access.Person {
		t.Error("she is let in a second early")
	}
	w.Pass(time.Second)
	if clientRole(t, w, who, c) != access.Client {
		t.Error("she is not let in on the day")
	}
}

func TestALaterDayWithdrawsALinkThatIsOut(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	c := ada(t, w)
	setDays(t, w, c, "2030-03-14", "2030-05-03")
	var token secret.Token
	w.Update(t, func(tx *db.Tx) (err error) { token, err = people.CopyLink(tx, w.Mara, c); return err })
	setDays(t, w, c, "2030-04-01", "2030-05-03")
	err := update(t, w, func(tx *db.Tx) error { _, err := people.SignUp(tx, access.Guest(), token, "x"); return err })
	wants(t, "the link", err, people.ErrLinkWithdrawn)
}

func TestWhoMaySetAMinorsDays(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	c := ada(t, w)
	skye := w.Colleague(t, "Skye Stone", "skye@practice.test", access.Scheduler)
	day := civilDay(t, "2030-04-01")
	for name, by := range map[string]struct {
		actor access.Actor
		want  error
	}{"the practice next door": {w.Ines, fault.NotFound}, "a colleague": {w.Noor, fault.NotFound}, "who changes nothing": {skye, fault.Forbidden},
		"the client": {access.AsClient(w.Mara.Practice(), "x", c), fault.Forbidden}, "a stranger": {access.Guest(), fault.Forbidden}} {
		wants(t, name, update(t, w, func(tx *db.Tx) error { return people.SetMinor(tx, by.actor, c, day, day) }), by.want)
	}
	w.View(t, func(tx *db.Tx) error {
		if m, err := people.MinorOf(tx, skye, c); err != nil || !m.OfAge.IsZero() || !m.OwnFrom.IsZero() || !m.GuardiansUntil.IsZero() {
			t.Errorf("who may not see the date of birth sees %+v, %v", m, err)
		}
		_, err := people.MinorOf(tx, w.Ines, c)
		wants(t, "looking, next door", err, fault.NotFound)
		return nil
	})
	far := civilDay(t, "2060-01-01")
	wants(t, "far", update(t, w, func(tx *db.Tx) error { return people.SetMinor(tx, w.Mara, c, far, day) }), people.ErrOwnFar)
	wants(t, "far, of guardians", update(t, w, func(tx *db.Tx) error { return people.SetMinor(tx, w.Mara, c, day, far) }), people.ErrGuardiansFar)
	wants(t, "no day of one without a date of birth", update(t, w, func(tx *db.Tx) error { return people.SetMinor(tx, w.Mara, w.Theo, civil.Date{}, day) }), people.ErrNoDays)
	later := errors.New("something later fails")
	wants(t, "undone", update(t, w, func(tx *db.Tx) error {
		if err := people.SetMinor(tx, w.Mara, c, day, day); err != nil {
			return err
		}
		return later
	}), later)
	if m := minorOf(t, w, c); m.OwnFrom.String() != "2030-05-03" {
		t.Errorf("her days are %+v", m)
	}
}

// Grown-ups are no minors, nor is whoever has an account when a date of birth is
// noted: nothing that was open is shut by an edit of something else.
func TestWhoIsTakenForAMinor(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	grown := w.Client(t, w.Mara, people.Draft{First: "Gro", Last: "Wn", Year: "2012", Month: "3", Day: "14"}) // 18 today
	leap := w.Client(t, w.Mara, people.Draft{First: "Leap", Last: "Day", Year: "2016", Month: "2", Day: "29"})
	if m := minorOf(t, w, grown); m.Is || m.OpensAt() != nil {
		t.Errorf("who is 18 today: %+v", m)
	}
	if m := minorOf(t, w, leap); m.OwnFrom.String() != "2034-03-01" {
		t.Errorf("born on 29 February: %+v", m)
	}
	who := w.Account(t, "Theo Vance", "theo@example.com")
	born := func(c id.Client, born string) {
		t.Helper()
		w.Update(t, func(tx *db.Tx) error {
			is, err := people.Find(tx, w.Mara, c)
			if err != nil {
				return err
			}
			d := is.Details
			d.Born = civilDay(t, born)
			_, err = people.Edit(tx, w.Mara, c, is.Version, d)
			return err
		})
	}
	w.Update(t, func(tx *db.Tx) error {
		token, err := people.CopyLink(tx, w.Mara, w.Theo)
		if err != nil {
			return err
		}
		_, err = people.Accept(tx, access.AsPerson(who), token)
		return err
	})
	born(w.Theo, "2015-01-01")
	if minorOf(t, w, w.Theo).Is || clientRole(t, w, who, w.Theo) != access.Client {
		t.Error("an account that was open was shut by an edit")
	}
	born(grown, "2013-01-01")
	if m := minorOf(t, w, grown); !m.Is || m.OwnFrom.String() != "2031-01-01" {
		t.Errorf("a date of birth put right: %+v", m)
	}
	born(grown, "2013-02-01") // the days go with it
	if m := minorOf(t, w, grown); m.OwnFrom.String() != "2031-02-01" {
		t.Errorf("put right again: %+v", m)
	}
}

func TestWhoLooksAfterAMinorIsToldOnceThatTheyMaySignIn(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	ada(t, w)
	other := ada(t, w)
	setDays(t, w, other, "2030-03-14", "2030-05-03") // set to today: nobody has to be told
	clerk := people.Clerk{DB: w.DB}
	for _, on := range []struct {
		moment time.Time
		want   int
	}{{time.Date(2030, 5, 3, 3, 59, 0, 0, time.UTC), 0}, {time.Date(2030, 5, 3, 4, 0, 0, 0, time.UTC), 1}, {time.Date(2030, 5, 4, 4, 0, 0, 0, time.UTC), 1}} {
		w.Pass(on.moment.Sub(w.Now()))
		for range 2 {
			if err := clerk.ComeOfAge(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		w.RunJobs(t)
		n := 0
		for _, m := range w.Letters("mara@practice.test") {
			if m.Subject == "A client may sign in from today" {
				n++
			}
		}
		if n != on.want {
			t.Errorf("on %v Mara was told %d times, want %d", on.moment, n, on.want)
		}
	}
}

func TestAMinorsDaysAreSealedAnew(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	c := ada(t, w)
	setDays(t, w, c, "2030-04-01", "2030-04-02")
	wants(t, "by the owner", update(t, w, func(tx *db.Tx) error { return people.ResealMinors(tx, w.Mara) }), fault.Forbidden)
	w.Update(t, func(tx *db.Tx) error { return people.ResealMinors(tx, access.Operating(w.Mara.Practice())) })
	if m := minorOf(t, w, c); m.OwnFrom.String() != "2030-04-01" || m.GuardiansUntil.String() != "2030-04-02" {
		t.Errorf("her days are %+v", m)
	}
}

// born changes a client's date of birth; "" takes it away.
func born(t testing.TB, w *world.World, c id.Client, day string) {
	t.Helper()
	var is people.Client
	w.View(t, func(tx *db.Tx) (err error) { is, err = people.Find(tx, w.Mara, c); return err })
	d := is.Details
	if d.Born = (civil.Date{}); day != "" {
		d.Born = civilDay(t, day)
	}
	w.Update(t, func(tx *db.Tx) error { _, err := people.Edit(tx, w.Mara, c, is.Version, d); return err })
}

func TestAMinorWhoseDateOfBirthIsTakenAwayIsNotLetIn(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	c := ada(t, w)
	born(t, w, c, "")
	wants(t, "an invitation", update(t, w, func(tx *db.Tx) error { return people.Invite(tx, w.Mara, c, "") }), people.ErrTooYoung)
	if m := minorOf(t, w, c); !m.NoDay() || !m.OpensAt().After(w.Now().AddDate(100, 0, 0)) {
		t.Errorf("her days are %+v", m)
	}
	born(t, w, c, "2012-05-03")
	if m := minorOf(t, w, c); m.NoDay() || m.OwnFrom.String() != "2030-05-03" {
		t.Errorf("noted anew, her days are %+v", m)
	}
}

// Whoever could sign in already still can when the date is taken away, and what
// is kept for that is not their birthday.
func TestWhoHasComeOfAgeStaysInWithoutADateOfBirth(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	c := ada(t, w)
	w.Pass(60 * 24 * time.Hour) // 13 May
	who := w.Account(t, "Ada Winter", "ada@example.com")
	w.Update(t, func(tx *db.Tx) error {
		token, err := people.CopyLink(tx, w.Mara, c)
		if err != nil {
			return err
		}
		_, err = people.Accept(tx, access.AsPerson(who), token)
		return err
	})
	born(t, w, c, "")
	if m := minorOf(t, w, c); clientRole(t, w, who, c) != access.Client || m.OwnFrom.String() != "2030-05-13" {
		t.Errorf("she is %q, her days are %+v", clientRole(t, w, who, c), m)
	}
}

// A place whose day is not known is shown as not open, with no day.
func TestAPlaceOfAMinorWithoutADaySaysNone(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	c := ada(t, w)
	setDays(t, w, c, "2030-03-14", "2030-05-03")
	who := w.Account(t, "Ada Winter", "ada@example.com")
	w.Update(t, func(tx *db.Tx) error {
		token, err := people.CopyLink(tx, w.Mara, c)
		if err != nil {
			return err
		}
		_, err = people.Accept(tx, access.AsPerson(who), token)
		return err
	})
	setDays(t, w, c, "2030-05-03", "2030-05-03") // the birthday: it goes with the date of birth
	born(t, w, c, "")
	var all []people.Place
	w.View(t, func(tx *db.Tx) (err error) { all, err = people.Places(tx, access.AsPerson(who)); return err })
	if len(all) != 1 || !all[0].Ended || all[0].OpensAt != nil || all[0].EndsAt != nil || clientRole(t, w, who, c) != access.Person {
		t.Errorf("her places are %+v", all)
	}
}
