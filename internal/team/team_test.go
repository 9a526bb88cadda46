package team_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/at"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/platform/mail"
	"icouch/internal/team"
	"icouch/internal/world"
)

func TestNobodyGivesARoleAboveTheirOwn(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	ada := w.Colleague(t, "Ada Stone", "ada@practice.test", access.Administrator)
	sue := w.Colleague(t, "Sue Stone", "sue@practice.test", access.Supervisor)
	for _, c := range []struct {
		name string
		by   access.Actor
		who  id.Practitioner
		role access.Role
		want error
	}{
		{"an administrator makes an owner", ada, w.Noor.Practitioner(), access.Owner, fault.Forbidden},
		{"an administrator makes themselves an owner", ada, ada.Practitioner(), access.Owner, fault.Forbidden},
		{"an administrator demotes the owner", ada, w.Mara.Practitioner(), access.Biller, fault.Forbidden},
		{"a practitioner", w.Noor, sue.Practitioner(), access.Practitioner, fault.Forbidden},
		{"the owner next door", w.Ines, w.Noor.Practitioner(), access.Owner, fault.NotFound},
		{"no role", w.Mara, w.Noor.Practitioner(), "", team.ErrNoRole},
		{"a role that is none of work", w.Mara, w.Noor.Practitioner(), access.System, team.ErrNoRole},
		{"the same", w.Mara, w.Noor.Practitioner(), access.Practitioner, team.ErrSameRole},
		{"the only owner", w.Mara, w.Mara.Practitioner(), access.Practitioner, team.ErrLastOwner},
		{"an administrator makes an administrator", ada, sue.Practitioner(), access.Administrator, nil},
		{"the owner makes an owner", w.Mara, w.Noor.Practitioner(), access.Owner, nil},
		{"of two owners one becomes something else", w.Mara, w.Mara.Practitioner(), access.Practitioner, nil},
	} {
		err := update(t, w, func(tx *db.Tx) error { return team.SetRole(tx, c.by, c.who, c.role) })
		if !errors.Is(err, c.want) && err != c.want {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	if got := enter(t, w, w.Noor).Role(); got != access.Owner {
		t.Errorf("Noor is %q", got)
	}
}

func TestTwoOwnersCannotBothStopBeingOne(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	w.Update(t, func(tx *db.Tx) error { return team.SetRole(tx, w.Mara, w.Noor.Practitioner(), access.Owner) })
	owners := []access.Actor{w.Mara, enter(t, w, w.Noor)}
	told := atOnce(8, func(i int) error {
		return w.DB.Update(t.Context(), func(tx *db.Tx) error {
			return team.SetRole(tx, owners[i%2], owners[i%2].Practitioner(), access.Supervisor)
		})
	})
	if told[nil] != 1 {
		t.Errorf("told %v, want that one of them went through", told)
	}
	n := 0
	if err := w.DB.Row(t.Context(), "SELECT COUNT(*) FROM practitioner WHERE role = 'owner' AND active AND practice_id = $1", []any{w.Mara.Practice().String()}, &n); err != nil || n != 1 {
		t.Errorf("%d owners are left, %v", n, err)
	}
}

func TestWhoHasClientsGoesOnlyWhenSomebodyTakesThem(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	lena := client(t, w, w.Noor, "Lena", "Marsh")
	ada := w.Colleague(t, "Ada Stone", "ada@practice.test", access.Administrator)
	away := func(by access.Actor, who, heir id.Practitioner) error {
		return update(t, w, func(tx *db.Tx) error { return team.Deactivate(tx, by, who, heir) })
	}
	wants(t, "nobody named", away(w.Mara, w.Noor.Practitioner(), ""), team.ErrNoHeir)
	wants(t, "herself", away(w.Mara, w.Noor.Practitioner(), w.Noor.Practitioner()), team.ErrNoHeir)
	wants(t, "who has no clients by role", away(w.Mara, w.Noor.Practitioner(), ada.Practitioner()), team.ErrNoHeir)
	wants(t, "somebody next door", away(w.Mara, w.Noor.Practitioner(), w.Ines.Practitioner()), team.ErrNoHeir)
	wants(t, "the only owner", away(w.Mara, w.Mara.Practitioner(), w.Noor.Practitioner()), team.ErrLastOwner)
	wants(t, "an administrator and the owner", away(ada, w.Mara.Practitioner(), w.Noor.Practitioner()), fault.Forbidden)
	wants(t, "a practitioner", away(w.Noor, ada.Practitioner(), ""), fault.Forbidden)
	wants(t, "the owner next door", away(w.Ines, w.Noor.Practitioner(), w.Ines.Practitioner()), fault.NotFound)
	wants(t, "a role without clients", update(t, w, func(tx *db.Tx) error { return team.SetRole(tx, w.Mara, w.Noor.Practitioner(), access.Biller) }), team.ErrHasClients)
	if !sees(t, w, w.Noor, lena) {
		t.Fatal("premise: Noor sees Lena")
	}
	told := atOnce(8, func(int) error { return away(ada, w.Noor.Practitioner(), w.Mara.Practitioner()) })
	if told[nil] != 1 || told[team.ErrInactive] != 7 {
		t.Errorf("told %v", told)
	}
	if is := enter(t, w, w.Noor); is.Role() != access.Person || is.Practice() != "" {
		t.Errorf("Noor is still %q in %q", is.Role(), is.Practice())
	}
	w.View(t, func(tx *db.Tx) error {
		c, err := people.Find(tx, w.Mara, lena)
		if c.Practitioner != w.Mara.Practitioner() {
			t.Error("nobody looks after Lena")
		}
		return err
	})
	w.RunJobs(t)
	for _, to := range []string{"mara@practice.test", "noor@practice.test"} {
		got := letters(w, to, "Clients were handed over")
		if len(got) != 1 || strings.Contains(got[0], "Lena") || strings.Contains(got[0], "Marsh") {
			t.Errorf("to %s: %q", to, got)
		}
	}
	if trail(t, w, "client.handed_over") != 1 || trail(t, w, "member.made_inactive") != 1 {
		t.Error("the trail does not say so")
	}
	back := func(by access.Actor) error {
		return update(t, w, func(tx *db.Tx) error { return team.Reactivate(tx, by, w.Noor.Practitioner()) })
	}
	wants(t, "back, by who may not", back(w.Ines), fault.NotFound)
	if err := back(ada); err != nil {
		t.Fatal(err)
	}
	wants(t, "twice", back(ada), team.ErrActive)
	if enter(t, w, w.Noor).Role() != access.Practitioner || sees(t, w, w.Noor, lena) {
		t.Error("back, she has her role and not the clients")
	}
}

// What an inactive member held beyond their own clients does not come back.
func TestInactiveMembersLoseWhatTheyWereGiven(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	sue := w.Colleague(t, "Sue Stone", "sue@practice.test", access.Supervisor)
	ada := w.Colleague(t, "Ada Stone", "ada@practice.test", access.Administrator)
	lena := client(t, w, w.Noor, "Lena", "Marsh")
	w.Update(t, func(tx *db.Tx) error { return team.Include(tx, w.Mara, w.Theo, sue.Practitioner(), nil) })
	w.Update(t, func(tx *db.Tx) error {
		return team.Supervise(tx, w.Mara, sue.Practitioner(), []id.Practitioner{w.Noor.Practitioner()})
	})
	if !sees(t, w, sue, w.Theo) || !sees(t, w, sue, lena) {
		t.Fatal("premise: she sees both")
	}
	w.Update(t, func(tx *db.Tx) error { return team.Deactivate(tx, w.Mara, sue.Practitioner(), "") })
	w.Update(t, func(tx *db.Tx) error { return team.Reactivate(tx, w.Mara, sue.Practitioner()) })
	if sees(t, w, sue, w.Theo) || sees(t, w, sue, lena) {
		t.Error("back, she sees whom she was given before")
	}
	w.Update(t, func(tx *db.Tx) error {
		return team.Invite(tx, ada, team.Draft{Name: "New", Email: address(t, "new@practice.test"), Role: access.Administrator})
	})
	w.RunJobs(t)
	w.Update(t, func(tx *db.Tx) error { return team.Deactivate(tx, w.Mara, ada.Practitioner(), "") })
	err := update(t, w, func(tx *db.Tx) error {
		_, err := team.SignUp(tx, access.Guest(), link(t, w, "new@practice.test"), "hash")
		return err
	})
	wants(t, "the invitation of who is gone", err, people.ErrLinkWithdrawn)
}

func TestCaseloadsAreHandedOverWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	lena, lars := client(t, w, w.Noor, "Lena", "Marsh"), client(t, w, w.Noor, "Lars", "Marsh")
	ida := client(t, w, w.Ines, "Ida", "Brook")
	sue := w.Colleague(t, "Sue Stone", "sue@practice.test", access.Supervisor)
	bill := w.Colleague(t, "Bill Stone", "bill@practice.test", access.Biller)
	over := func(by access.Actor, from, to access.Actor, c ...id.Client) error {
		return update(t, w, func(tx *db.Tx) error { return team.HandOver(tx, by, from.Practitioner(), to.Practitioner(), c) })
	}
	wants(t, "by a practitioner", over(w.Noor, w.Noor, sue, lena), fault.Forbidden)
	wants(t, "by the owner next door", over(w.Ines, w.Noor, w.Ines, lena), fault.NotFound)
	wants(t, "of another practice", over(w.Mara, w.Noor, sue, lena, ida), team.ErrMoved)
	wants(t, "of another member", over(w.Mara, w.Noor, sue, lena, w.Theo), team.ErrMoved)
	wants(t, "to who has no clients", over(w.Mara, w.Noor, bill, lena), team.ErrNoHeir)
	wants(t, "to themselves", over(w.Mara, w.Noor, w.Noor, lena), team.ErrNoHeir)
	wants(t, "nobody", over(w.Mara, w.Noor, sue), team.ErrNobodyChosen)
	if !sees(t, w, w.Noor, lena) || sees(t, w, sue, lena) || trail(t, w, "client.handed_over") != 0 {
		t.Fatal("a refusal moved somebody")
	}
	w.Update(t, func(tx *db.Tx) error { return team.Include(tx, w.Mara, lena, sue.Practitioner(), nil) })
	told := atOnce(8, func(int) error { return over(w.Mara, w.Noor, sue, lena, lena) })
	if told[nil] != 1 || told[team.ErrMoved] != 7 {
		t.Errorf("told %v", told)
	}
	if sees(t, w, w.Noor, lena) || !sees(t, w, sue, lena) || !sees(t, w, w.Noor, lars) {
		t.Error("the chosen one, and only that one, has moved")
	}
	if err := over(w.Mara, sue, w.Noor, lena); err != nil || sees(t, w, sue, lena) {
		t.Errorf("who looked after her is in her team still, or %v", err)
	}
	w.RunJobs(t)
	if got := letters(w, "sue@practice.test", "Clients were handed over"); len(got) != 2 || !strings.Contains(strings.Join(got, ""), "One client of Noor Haddad in The Practice of Mara was") {
		t.Errorf("Sue was written %q", got)
	}
	before := trail(t, w, "client.handed_over")
	err := update(t, w, func(tx *db.Tx) error {
		return errors.Join(team.HandOver(tx, w.Mara, w.Noor.Practitioner(), sue.Practitioner(), []id.Client{lena}), errors.New("something later fails"))
	})
	if err == nil || sees(t, w, sue, lena) || trail(t, w, "client.handed_over") != before || w.RunJobs(t) != 0 {
		t.Error("what was undone has left something")
	}
}

func TestTheCareTeamSeesTheClientUntilItsDay(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	gus := w.Colleague(t, "Gus Stone", "gus@practice.test", access.Practitioner)
	bill := w.Colleague(t, "Bill Stone", "bill@practice.test", access.Biller)
	lena := client(t, w, w.Noor, "Lena", "Marsh")
	include := func(by access.Actor, c id.Client, who access.Actor, until *at.Time) error {
		return update(t, w, func(tx *db.Tx) error { return team.Include(tx, by, c, who.Practitioner(), until) })
	}
	past, tomorrow := at.Of(w.Now()), at.Of(w.Now().Add(24*time.Hour))
	wants(t, "a colleague of hers who does not look after her", include(gus, lena, gus, nil), fault.NotFound)
	wants(t, "the biller", include(bill, lena, gus, nil), fault.Forbidden)
	wants(t, "the owner next door", include(w.Ines, lena, w.Ines, nil), fault.NotFound)
	wants(t, "the client", include(access.AsClient(w.Mara.Practice(), w.Mara.Account(), lena), lena, gus, nil), fault.NotFound)
	wants(t, "somebody next door", include(w.Noor, lena, w.Ines, nil), team.ErrNoMember)
	wants(t, "a biller in it", include(w.Noor, lena, bill, nil), team.ErrNoMember)
	wants(t, "herself", include(w.Noor, lena, w.Noor, nil), team.ErrLooks)
	wants(t, "until now", include(w.Noor, lena, gus, &past), team.ErrEndsPast)
	if sees(t, w, gus, lena) {
		t.Fatal("a refusal let him in")
	}
	if err := include(w.Noor, lena, gus, &tomorrow); err != nil || !sees(t, w, gus, lena) {
		t.Fatalf("in the team he sees her: %v", err)
	}
	wants(t, "by who is only in the team", include(enter(t, w, gus), lena, gus, nil), fault.Forbidden)
	if until := enter(t, w, gus).Until(); until != tomorrow {
		t.Errorf("he is remembered until %v", until)
	}
	w.View(t, func(tx *db.Tx) error {
		care, err := team.CareOf(tx, w.Noor, lena)
		if care.LooksAfter.ID != w.Noor.Practitioner() || len(care.Team) != 1 || care.Team[0].ID != gus.Practitioner() || !care.MayChange || len(care.Others) != 1 {
			t.Errorf("the care team is %+v", care)
		}
		return err
	})
	w.Pass(24*time.Hour - time.Microsecond)
	if !sees(t, w, gus, lena) {
		t.Error("the day has not come")
	}
	w.Pass(time.Microsecond)
	if sees(t, w, gus, lena) {
		t.Error("the day has come")
	}
	exclude := func() error {
		return update(t, w, func(tx *db.Tx) error { return team.Exclude(tx, w.Noor, lena, gus.Practitioner()) })
	}
	if err := include(w.Mara, lena, gus, nil); err != nil || !sees(t, w, gus, lena) {
		t.Errorf("again, without an end: %v", err)
	}
	told := atOnce(8, func(int) error { return exclude() })
	if told[nil] != 1 || told[team.ErrNotInTeam] != 7 || sees(t, w, gus, lena) {
		t.Errorf("taken out: %v", told)
	}
}

func TestASupervisorSeesTheClientsOfTheirs(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	sue := w.Colleague(t, "Sue Stone", "sue@practice.test", access.Supervisor)
	lena := client(t, w, w.Noor, "Lena", "Marsh")
	supervise := func(by, supervisor access.Actor, whom ...id.Practitioner) error {
		return update(t, w, func(tx *db.Tx) error { return team.Supervise(tx, by, supervisor.Practitioner(), whom) })
	}
	noor := w.Noor.Practitioner()
	wants(t, "by herself", supervise(sue, sue, noor), fault.Forbidden)
	wants(t, "by the owner next door", supervise(w.Ines, sue, noor), fault.NotFound)
	wants(t, "who is no supervisor", supervise(w.Mara, w.Noor, sue.Practitioner()), team.ErrNoSupervisor)
	wants(t, "whom of next door", supervise(w.Mara, sue, noor, w.Ines.Practitioner()), team.ErrNoSupervisee)
	wants(t, "herself", supervise(w.Mara, sue, sue.Practitioner()), team.ErrNoSupervisee)
	if sees(t, w, sue, lena) {
		t.Fatal("a refusal let her see")
	}
	if err := supervise(w.Mara, sue, noor, noor); err != nil || !sees(t, w, sue, lena) || sees(t, w, sue, w.Theo) {
		t.Errorf("she sees Noor's clients and nobody else's: %v", err)
	}
	w.Update(t, func(tx *db.Tx) error {
		return team.HandOver(tx, w.Mara, noor, w.Mara.Practitioner(), []id.Client{lena})
	})
	if sees(t, w, sue, lena) {
		t.Error("handed over to somebody else, she sees her still")
	}
	lars := client(t, w, w.Noor, "Lars", "Marsh")
	if !sees(t, w, sue, lars) {
		t.Error("a new client of Noor's is hers to see")
	}
	w.Update(t, func(tx *db.Tx) error { return team.SetRole(tx, w.Mara, sue.Practitioner(), access.Practitioner) })
	w.Update(t, func(tx *db.Tx) error { return team.SetRole(tx, w.Mara, sue.Practitioner(), access.Supervisor) })
	if sees(t, w, sue, lars) {
		t.Error("supervision came back with the role")
	}
	if err := supervise(w.Mara, sue, noor); err != nil {
		t.Fatal(err)
	}
	if err := supervise(w.Mara, sue); err != nil || sees(t, w, sue, lars) {
		t.Errorf("nobody is supervised any more: %v", err)
	}
}

const reason = "Her mother called: she is not safe."

func TestAnEmergencyOpensOneClientForAnHour(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	sue := w.Colleague(t, "Sue Stone", "sue@practice.test", access.Supervisor)
	bill := w.Colleague(t, "Bill Stone", "bill@practice.test", access.Biller)
	second := w.Colleague(t, "Olu Stone", "olu@practice.test", access.Owner)
	admin := w.Colleague(t, "Ada Stone", "ada@practice.test", access.Administrator)
	lars := client(t, w, w.Mara, "Lars", "Marsh")
	ida := client(t, w, w.Ines, "Ida", "Brook")
	openIt := func(by access.Actor, c id.Client, why string) error {
		return update(t, w, func(tx *db.Tx) error { return team.Open(tx, by, c, why) })
	}
	wants(t, "no reason", openIt(w.Noor, w.Theo, "   "), team.ErrNoReason)
	wants(t, "too short a reason", openIt(w.Noor, w.Theo, "fourteen chars"), team.ErrNoReason)
	wants(t, "the biller", openIt(bill, w.Theo, reason), fault.Forbidden)
	wants(t, "the owner", openIt(w.Mara, w.Theo, reason), fault.Forbidden)
	wants(t, "another practice's", openIt(w.Noor, ida, reason), fault.NotFound)
	wants(t, "the client", openIt(access.AsClient(w.Mara.Practice(), w.Mara.Account(), w.Theo), w.Theo, reason), fault.Forbidden)
	if sees(t, w, w.Noor, w.Theo) || trail(t, w, "emergency.opened") != 0 {
		t.Fatal("a refusal opened him")
	}
	w.MailFails(&mail.Refusal{Code: 451, Reason: mail.TryLater})
	told := atOnce(8, func(int) error { return openIt(w.Noor, w.Theo, reason) })
	if told[nil] != 1 || told[team.ErrOpenToYou] != 7 {
		t.Errorf("told %v", told)
	}
	w.RunJobs(t)
	if !sees(t, w, w.Noor, w.Theo) || sees(t, w, w.Noor, lars) || sees(t, w, sue, w.Theo) {
		t.Error("with the mail down, she sees him, nobody else of Mara's, and nobody else sees him")
	}
	w.MailFails(nil)
	w.Pass(30 * time.Minute)
	w.RunJobs(t)
	for _, to := range []string{"mara@practice.test", "olu@practice.test"} {
		got := letters(w, to, "in an emergency")
		if len(got) != 1 || strings.Contains(got[0], "Theo") || strings.Contains(got[0], "Vance") || strings.Contains(got[0], "mother") || !strings.Contains(got[0], "Noor Haddad") {
			t.Errorf("%s was written %q", to, got)
		}
	}
	for _, by := range []access.Actor{w.Mara, second, admin} {
		w.View(t, func(tx *db.Tx) error {
			all, err := team.EmergenciesOf(tx, by, w.Theo)
			why := ""
			if by.Role() == access.Owner {
				why = reason
			}
			if len(all) != 1 || all[0].Reason != why || all[0].By != "Noor Haddad" || all[0].Name != "Theo Vance" {
				t.Errorf("the history is %+v", all)
			}
			_, no := team.EmergenciesOf(tx, w.Noor, w.Theo)
			wants(t, "for who does not read the trail", no, fault.Forbidden)
			return err
		})
	}
	w.Pass(30*time.Minute - time.Second)
	if !sees(t, w, w.Noor, w.Theo) {
		t.Error("the hour is not over")
	}
	w.Pass(time.Second)
	if sees(t, w, w.Noor, w.Theo) {
		t.Error("the hour is over")
	}
	wants(t, "closing it now", update(t, w, func(tx *db.Tx) error { return team.Close(tx, w.Noor, w.Theo) }), fault.NotFound)
}

// What is opened in an emergency is read, not changed: else an hour becomes
// access for good, by a link copied or an address changed meanwhile.
func TestAnEmergencyIsForReading(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	w.Update(t, func(tx *db.Tx) error { return team.Open(tx, w.Noor, w.Theo, reason) })
	noor := enter(t, w, w.Noor)
	var theo people.Client
	w.View(t, func(tx *db.Tx) (err error) {
		theo, err = people.Find(tx, noor, w.Theo)
		return err
	})
	for what, verb := range map[string]func(*db.Tx) error{
		"invite":       func(tx *db.Tx) error { return people.Invite(tx, noor, w.Theo, "") },
		"copy a link":  func(tx *db.Tx) error { _, err := people.CopyLink(tx, noor, w.Theo); return err },
		"edit":         func(tx *db.Tx) error { _, err := people.Edit(tx, noor, w.Theo, theo.Version, theo.Details); return err },
		"note consent": func(tx *db.Tx) error { return people.Consent(tx, noor, w.Theo, true) },
		"end care":     func(tx *db.Tx) error { return people.EndCare(tx, noor, w.Theo, tx.Now()) },
		"resume care":  func(tx *db.Tx) error { return people.ResumeCare(tx, noor, w.Theo) },
		"withdraw":     func(tx *db.Tx) error { return people.Withdraw(tx, noor, w.Theo) },
		"vouch":        func(tx *db.Tx) error { return people.Vouch(tx, noor, w.Theo) },
	} {
		wants(t, what, update(t, w, verb), people.ErrOnlyLooks)
	}
	if err := update(t, w, func(tx *db.Tx) error { return people.Invite(tx, w.Mara, w.Theo, "") }); err != nil {
		t.Errorf("who looks after him: %v", err)
	}
}

func TestAnEmergencyCanBeClosedAtOnce(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	w.Update(t, func(tx *db.Tx) error { return team.Open(tx, w.Noor, w.Theo, reason) })
	noor := enter(t, w, w.Noor)
	wants(t, "once more", update(t, w, func(tx *db.Tx) error { return team.Open(tx, noor, w.Theo, reason) }), team.ErrOpenToYou)
	told := atOnce(8, func(int) error {
		return w.DB.Update(t.Context(), func(tx *db.Tx) error { return team.Close(tx, noor, w.Theo) })
	})
	if told[nil] != 1 || told[team.ErrNotOpen] != 7 || sees(t, w, w.Noor, w.Theo) || trail(t, w, "emergency.closed") != 1 {
		t.Errorf("closed: %v", told)
	}
	if err := update(t, w, func(tx *db.Tx) error { return team.Open(tx, enter(t, w, w.Noor), w.Theo, reason) }); err != nil {
		t.Errorf("opened again, with another line in the trail: %v", err)
	}
}

func TestReasonsAndInvitationsOutliveANewKey(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	token := invite(t, w, "New Person", "new@practice.test", access.Practitioner)
	w.Update(t, func(tx *db.Tx) error { return team.Open(tx, w.Noor, w.Theo, reason) })
	wants(t, "by the owner", update(t, w, func(tx *db.Tx) error { return team.Reseal(tx, w.Mara) }), fault.Forbidden)
	w.Update(t, func(tx *db.Tx) error { return team.Reseal(tx, access.Operating(w.Mara.Practice())) })
	w.View(t, func(tx *db.Tx) error {
		all, err := team.Emergencies(tx, w.Mara)
		if len(all) != 1 || all[0].Reason != reason {
			t.Errorf("resealed: %+v", all)
		}
		o, lookErr := team.Look(tx, access.Guest(), token)
		if o.Name != "New Person" || o.Email.String() != "new@practice.test" {
			t.Errorf("resealed: %+v", o)
		}
		return errors.Join(err, lookErr)
	})
}

// A session from before opens nothing when its member is made active again: its
// row is gone. What else it was for, and other practices, are left alone.
func TestAnInactiveMembersSessionsAreEnded(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	begin := func(who id.Account, p account.Place) (s secret.Token) {
		w.Update(t, func(tx *db.Tx) (err error) {
			s, err = account.Begin(tx, access.AsPerson(who), who, account.Entry{Place: p, Terms: account.Longest, Strong: true})
			return err
		})
		return s
	}
	lives := func(s secret.Token) bool {
		var err error
		w.View(t, func(tx *db.Tx) error { _, err = account.Lookup(tx, s); return nil })
		return err == nil
	}
	noor, here := w.Noor.Account(), account.Place{Practice: w.Mara.Practice()}
	work, again := begin(noor, here), begin(noor, here)
	client := begin(noor, account.Place{Practice: w.Mara.Practice(), Client: w.Theo})
	elsewhere, nowhere := begin(noor, account.Place{Practice: w.Ines.Practice()}), begin(noor, account.Place{})
	mara := begin(w.Mara.Account(), here)
	undone := errors.New("undone")
	wants(t, "undone", update(t, w, func(tx *db.Tx) error {
		return errors.Join(team.Deactivate(tx, w.Mara, w.Noor.Practitioner(), ""), undone)
	}), undone)
	if !lives(work) || !lives(again) {
		t.Fatal("what was undone ended a session")
	}
	w.Update(t, func(tx *db.Tx) error { return team.Deactivate(tx, w.Mara, w.Noor.Practitioner(), "") })
	w.Update(t, func(tx *db.Tx) error { return team.Reactivate(tx, w.Mara, w.Noor.Practitioner()) })
	if lives(work) || lives(again) {
		t.Error("made active again, she is signed in as before")
	}
	if !lives(client) || !lives(elsewhere) || !lives(nowhere) || !lives(mara) {
		t.Error("a session that has nothing to do with it was ended")
	}
}
