package people_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/civil"
	"icouch/internal/base/id"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/trail"
	"icouch/internal/world"
)

// lastDay is so many days from today, in the practice.
func lastDay(w *world.World, days int) civil.Date {
	z, err := civil.ParseZone("America/New_York")
	if err != nil {
		panic(err)
	}
	return civil.DateOf(w.Now(), z).AddDays(days)
}

func closes(t testing.TB, w *world.World, by access.Actor, days int) error {
	t.Helper()
	err := update(t, w, func(tx *db.Tx) error { return people.ClosePractice(tx, by, lastDay(w, days)) })
	w.RunJobs(t)
	return err
}

func staysOpen(t testing.TB, w *world.World, by access.Actor) error {
	t.Helper()
	err := update(t, w, func(tx *db.Tx) error { return people.KeepPractice(tx, by) })
	w.RunJobs(t)
	return err
}

// told counts the letters to an address with a word in the subject.
func told(w *world.World, to, word string) (n int) {
	for _, m := range w.Letters(to) {
		if strings.Contains(m.Subject, word) {
			n++
		}
	}
	return n
}

// enters is who a session's person is in a place now.
func enters(t testing.TB, w *world.World, who id.Account, p account.Place) (now access.Actor) {
	t.Helper()
	w.View(t, func(tx *db.Tx) (err error) {
		now, err = people.Enter(tx, account.Session{Account: who, Practice: p.Practice, Client: p.Client, Strong: true})
		return err
	})
	return now
}

func trailOf(t testing.TB, w *world.World, action string) (n int) {
	t.Helper()
	if err := w.DB.Row(t.Context(), "SELECT COUNT(*) FROM audit WHERE action = $1", []any{action}, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestAPracticeClosesByTheClockAndOnlyThen(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	j, err := signUp(w, t, invite(t, w))
	if err != nil {
		t.Fatal(err)
	}
	w.Client(t, w.Mara, people.Draft{First: "Lena", Last: "Ost", Email: "lena@example.com", EmailConsent: true})
	if err := closes(t, w, w.Mara, 30); err != nil {
		t.Fatal(err)
	}
	work := account.Place{Practice: w.Mara.Practice()}
	day := lastDay(w, 31).Begins(people.Practice{}.Zone)
	if z, err := civil.ParseZone("America/New_York"); err == nil {
		day = lastDay(w, 31).Begins(z)
	}
	w.Pass(day.Add(-time.Microsecond).Sub(w.Now()))
	if a := enters(t, w, w.Mara.Account(), work); !a.AtWork() {
		t.Errorf("in the last moment Mara is %s", a.Role())
	}
	if a := enters(t, w, j.Account, j.Place); !a.IsClient() {
		t.Errorf("in the last moment Theo is %s", a.Role())
	}
	w.Update(t, func(tx *db.Tx) error { return people.HideSteps(tx, w.Mara, true) }) // for the digest of the week
	w.Pass(time.Microsecond)
	for who, p := range map[id.Account]account.Place{w.Mara.Account(): work, w.Noor.Account(): work, j.Account: j.Place} {
		if a := enters(t, w, who, p); a.Role() != access.Person {
			t.Errorf("%s is let in as %s", who, a.Role())
		}
		w.View(t, func(tx *db.Tx) error {
			all, err := people.Places(tx, access.AsPerson(who))
			if err != nil {
				return err
			}
			if len(all) != 1 || !all[0].Ended || all[0].Closed == nil || all[0].LastDay() != lastDay(w, -1) {
				t.Errorf("the places of %s are %+v", who, all)
			}
			home, err := people.Home(tx, access.AsPerson(who))
			if home != (account.Place{}) {
				t.Errorf("%s is at home in %v", who, home)
			}
			return err
		})
	}
	if a := enters(t, w, w.Ines.Account(), account.Place{Practice: w.Ines.Practice()}); !a.AtWork() {
		t.Errorf("next door Ines is %s", a.Role())
	}
	if n := rows(t, w, "client"); n != 2 {
		t.Errorf("%d clients are left, want 2", n)
	}
	wants(t, "taken back too late", staysOpen(t, w, w.Mara), people.ErrGoesOn)
	if err := leaves(t, w, w.Mara.Account()); err != nil {
		t.Errorf("Mara cannot leave: %v", err)
	}
	err = update(t, w, func(tx *db.Tx) error {
		_, err := people.Found(tx, access.AsPerson(w.Noor.Account()), "Noor’s own", "Europe/Berlin")
		return err
	})
	if err != nil {
		t.Errorf("Noor founds her own: %v", err)
	}
	// The Monday after, no digest goes to a practice that nobody enters.
	w.RunJobs(t)
	before := len(w.Letters("mara@practice.test"))
	w.Pass(2 * aDay)
	if err := (trail.Clerk{DB: w.DB}).Tend(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.RunJobs(t)
	if n := len(w.Letters("mara@practice.test")) - before; n != 0 {
		t.Errorf("%d letters went to Mara after the end", n)
	}
}

func TestWhoMayClosePracticeAndWhen(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	ada := w.Colleague(t, "Ada Brook", "ada@practice.test", access.Administrator)
	for _, by := range []access.Actor{w.Noor, ada, access.AsPerson(w.Mara.Account()), access.Job(w.Mara.Practice()), access.AsClient(w.Mara.Practice(), w.Noor.Account(), w.Theo)} {
		if closes(t, w, by, 40) == nil || staysOpen(t, w, by) == nil {
			t.Errorf("%s decides over the practice", by.Role())
		}
	}
	wants(t, "tomorrow", closes(t, w, w.Mara, 1), people.ErrTooSoon)
	wants(t, "in 29 days", closes(t, w, w.Mara, 29), people.ErrTooSoon)
	wants(t, "in two years", closes(t, w, w.Mara, 700), people.ErrTooFar)
	wants(t, "no day", update(t, w, func(tx *db.Tx) error { return people.ClosePractice(tx, w.Mara, civil.Date{}) }), people.ErrNoLastDay)
	wants(t, "nothing to take back", staysOpen(t, w, w.Mara), people.ErrGoesOn)
	no := errors.New("no")
	wants(t, "undone", update(t, w, func(tx *db.Tx) error { return errors.Join(people.ClosePractice(tx, w.Mara, lastDay(w, 40)), no) }), no)
	w.RunJobs(t)
	if n := told(w, "mara@practice.test", "close") + trailOf(t, w, "practice.closes"); n != 0 {
		t.Errorf("%d traces of what was undone", n)
	}
	if err := closes(t, w, w.Mara, 30); err != nil {
		t.Error(err)
	}
	wants(t, "twice", closes(t, w, w.Mara, 50), people.ErrCloses)
	wants(t, "by another practice", staysOpen(t, w, w.Ines), people.ErrGoesOn)
}

func TestEverybodyIsToldOnceThatAPracticeClosesAndThatItDoesNot(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	w.Colleague(t, "Olga Reed", "olga@practice.test", access.Owner)
	if _, err := signUp(w, t, invite(t, w)); err != nil {
		t.Fatal(err)
	}
	lena := w.Client(t, w.Mara, people.Draft{First: "Lena", Last: "Ost", Email: "lena@example.com", EmailConsent: true})
	w.Update(t, func(tx *db.Tx) error { return people.Invite(tx, w.Mara, lena, "") })
	w.RunJobs(t)
	if err := closes(t, w, w.Mara, 60); err != nil {
		t.Fatal(err)
	}
	for range 2 { // as a job that was done and not marked
		if err := w.DB.Maintain(t.Context(), func(tx *db.Tx) error { return people.TellOfClosing(tx, w.Mara.Practice()) }); err != nil {
			t.Fatal(err)
		}
		w.RunJobs(t)
	}
	for who, want := range map[string]int{theosMail: 1, "mara@practice.test": 1, "olga@practice.test": 1, "noor@practice.test": 0, "lena@example.com": 0, "ines@nextdoor.test": 0} {
		if n := told(w, who, "close"); n != want {
			t.Errorf("%s got %d letters, want %d", who, n, want)
		}
	}
	for _, m := range w.Letters(theosMail) {
		if strings.Contains(m.Subject, "closes") && (!strings.Contains(strings.Join(strings.Fields(m.Text), " "), "13 May 2030") || strings.Contains(m.Text, "Theo")) {
			t.Errorf("the letter says %q", m.Text)
		}
	}
	// Nobody new comes meanwhile.
	if is := row(t, w, lena); is.Status == "" || strings.Contains(is.Status, "Sent") || is.Help == "" {
		t.Errorf("Lena's row says %+v", is)
	}
	wants(t, "invited", update(t, w, func(tx *db.Tx) error { return people.Resend(tx, w.Mara, lena, "") }), people.ErrNobodyNew)
	wants(t, "copied", update(t, w, func(tx *db.Tx) error { _, err := people.CopyLink(tx, w.Mara, lena); return err }), people.ErrNobodyNew)

	// Another owner takes it back.
	olga := enters(t, w, w.Who(t, "olga@practice.test"), account.Place{Practice: w.Mara.Practice()})
	if err := staysOpen(t, w, olga); err != nil {
		t.Fatal(err)
	}
	for who, want := range map[string]int{theosMail: 1, "mara@practice.test": 1, "olga@practice.test": 1, "lena@example.com": 0} {
		if n := told(w, who, "stays open"); n != want {
			t.Errorf("%s got %d letters that it goes on, want %d", who, n, want)
		}
	}
	w.Pass(100 * aDay)
	if a := enters(t, w, w.Mara.Account(), account.Place{Practice: w.Mara.Practice()}); !a.AtWork() {
		t.Errorf("Mara is %s", a.Role())
	}
	w.Update(t, func(tx *db.Tx) error { return people.Resend(tx, w.Mara, lena, "") })
	// And anew: who was told of one day is told of the other.
	if err := closes(t, w, olga, 30); err != nil {
		t.Fatal(err)
	}
	if n := told(w, theosMail, "closes"); n != 2 {
		t.Errorf("Theo was told %d times in all, want 2", n)
	}
	if n := trailOf(t, w, "practice.closes"); n != 2 || trailOf(t, w, "practice.closing_taken_back") != 1 {
		t.Errorf("the trail has %d ends", n)
	}
}

// Whoever founded a practice founds another once it has closed, and not before:
// with the same account, however often they press, and the old one stays closed.
func TestWhoFoundedAPracticeThatHasClosedFoundsAnother(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	mara := access.AsPerson(w.Mara.Account())
	found := func(by access.Actor) error {
		return w.DB.Update(t.Context(), func(tx *db.Tx) error { return second(people.Found(tx, by, "Another", "Europe/Berlin")) })
	}
	if err := closes(t, w, w.Mara, 30); err != nil {
		t.Fatal(err)
	}
	wants(t, "before the day", found(mara), people.ErrHasPractice)
	w.Pass(32 * aDay)
	had := rows(t, w, "practice")
	no := errors.New("no")
	wants(t, "undone", w.DB.Update(t.Context(), func(tx *db.Tx) error {
		return errors.Join(second(people.Found(tx, mara, "Another", "Europe/Berlin")), no)
	}), no)
	got := atOnce(16, func(int) error { return found(mara) })
	if got[nil] != 1 || got[people.ErrHasPractice] != 15 || rows(t, w, "practice") != had+1 {
		t.Errorf("they were told %v, and %d practices were founded", got, rows(t, w, "practice")-had)
	}
	w.View(t, func(tx *db.Tx) error {
		all, err := people.Places(tx, mara)
		open := 0
		for _, p := range all {
			if !p.Ended {
				open++
				if p.Place.Practice == w.Mara.Practice() {
					t.Error("the practice that has closed is open")
				}
			}
		}
		if open != 1 || len(all) != 2 {
			t.Errorf("her places are %+v", all)
		}
		return err
	})
	if a := enters(t, w, w.Mara.Account(), account.Place{Practice: w.Mara.Practice()}); a.AtWork() {
		t.Errorf("the practice that has closed lets her in as %s", a.Role())
	}
	wants(t, "the one that has closed, taken back", staysOpen(t, w, w.Mara), people.ErrGoesOn)
}

// So does whoever was made inactive in the practice they founded, or in another.
func TestWhoWorksNowhereFoundsAPractice(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	w.Colleague(t, "Olga Reed", "olga@practice.test", access.Owner)
	for _, who := range []access.Actor{w.Mara, w.Noor} {
		found := func() error {
			return update(t, w, func(tx *db.Tx) error {
				return second(people.Found(tx, access.AsPerson(who.Account()), "Of my own", "Europe/Berlin"))
			})
		}
		wants(t, "while a member", found(), people.ErrHasPractice)
		if err := w.DB.Exec(t.Context(), "UPDATE practitioner SET active = FALSE WHERE account_id = $1", who.Account().String()); err != nil {
			t.Fatal(err)
		}
		wants(t, "no member any more", found(), nil)
		wants(t, "a second time", found(), people.ErrHasPractice)
	}
}

func TestTwoOwnersWhoCloseAtOnceSetOneDay(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	got := atOnce(2, func(i int) error {
		return update(t, w, func(tx *db.Tx) error { return people.ClosePractice(tx, w.Mara, lastDay(w, 40+i)) })
	})
	if got[nil] != 1 || got[people.ErrCloses] != 1 {
		t.Errorf("told %v", got)
	}
}

func TestAnOpenLinkOpensNothingOnceAPracticeCloses(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	link := invite(t, w)
	if err := closes(t, w, w.Mara, 30); err != nil {
		t.Fatal(err)
	}
	tells(t, w, "the link", link, people.ErrLinkWithdrawn)
	_, err := signUp(w, t, link)
	wants(t, "signed up", err, people.ErrLinkWithdrawn)
	// Whoever holds it asks for another: nothing goes out.
	before := rows(t, w, "live")
	w.Update(t, func(tx *db.Tx) error { return people.Renew(tx, access.Guest(), link) })
	if n := rows(t, w, "live"); n != before {
		t.Errorf("%d live links, want %d", n, before)
	}
}
