package people_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/base/sheet"
	"icouch/internal/letter"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
	"icouch/internal/team"
	"icouch/internal/world"
)

func TestSixteenPressesFoundOnePractice(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	who, had := access.AsPerson(w.Account(t, "Founder", "founder@example.com")), rows(t, w, "practice")
	told := atOnce(16, func(int) error {
		return w.DB.Update(t.Context(), func(tx *db.Tx) error { return second(people.Found(tx, who, "Mine", "UTC")) })
	})
	if told[nil] != 1 || told[people.ErrHasPractice] != 15 || rows(t, w, "practice") != had+1 {
		t.Errorf("they were told %v", told)
	}
}

func TestNobodyGivesARoleAboveTheirOwn(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	admin := w.Colleague(t, "Ada", "ada@practice.test", access.Administrator)
	who := w.Account(t, "New", "newcomer@example.com")
	for what, c := range map[string]struct {
		by   access.Actor
		role access.Role
		want error
	}{
		"an administrator makes an owner": {admin, access.Owner, fault.Forbidden},
		"a practitioner":                  {w.Noor, access.Practitioner, fault.Forbidden},
		"a guest":                         {access.Guest(), access.Practitioner, fault.Forbidden},
		"the operator of no practice":     {access.Operator(), access.Practitioner, fault.Forbidden},
		"a role that is none":             {w.Mara, access.Client, fault.Forbidden},
		"nobody":                          {w.Mara, access.Nobody, fault.Forbidden},
	} {
		wants(t, what, update(t, w, func(tx *db.Tx) error { return second(people.Join(tx, c.by, who, c.role)) }), c.want)
	}
	told := atOnce(16, func(int) error {
		return w.DB.Update(t.Context(), func(tx *db.Tx) error { return second(people.Join(tx, w.Mara, who, access.Biller)) })
	})
	if told[nil] != 1 || told[people.ErrMember] != 15 {
		t.Errorf("they were told %v", told)
	}
}

func TestAPracticeIsChangedByWhoRunsIt(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	for _, by := range []access.Actor{w.Noor, access.Guest(), access.AsClient(w.Mara.Practice(), "", w.Theo)} {
		wants(t, string(by.Role()), update(t, w, func(tx *db.Tx) error { return people.SetPractice(tx, by, "X", "UTC") }), fault.Forbidden)
	}
	wants(t, "no name", update(t, w, func(tx *db.Tx) error { return people.SetPractice(tx, w.Mara, " ", "UTC") }), people.ErrNoPracticeName)
	wants(t, "no zone", update(t, w, func(tx *db.Tx) error { return people.SetPractice(tx, w.Mara, "X", "Mars/One") }), people.ErrNoZone)
	w.Update(t, func(tx *db.Tx) error { return people.SetPractice(tx, w.Mara, "Calm", "Europe/Berlin") })
	w.Update(t, func(tx *db.Tx) error { return people.HideSteps(tx, w.Mara, true) })
	wants(t, "a guest hiding", update(t, w, func(tx *db.Tx) error { return people.HideSteps(tx, access.Guest(), true) }), fault.Forbidden)
	w.View(t, func(tx *db.Tx) error {
		p, err := people.PracticeOf(tx, w.Noor)
		if p.Name != "Calm" || p.Zone.String() != "Europe/Berlin" || !p.StepsHidden {
			t.Errorf("it is %+v", p)
		}
		next, nerr := people.PracticeOf(tx, w.Ines)
		if next.Name != "The Practice Next Door" {
			t.Errorf("next door is called %q", next.Name)
		}
		return errors.Join(err, nerr)
	})
	w.Update(t, func(tx *db.Tx) error { return people.Rename(tx, w.Mara, "Mara Neu") })
	w.View(t, func(tx *db.Tx) error {
		all, err := people.Practitioners(tx, w.Noor)
		if len(all) != 2 || all[0].Name != "Mara Neu" && all[1].Name != "Mara Neu" {
			t.Errorf("members: %+v", all)
		}
		_, refused := people.Practitioners(tx, access.Guest())
		wants(t, "a guest", refused, fault.NotFound)
		return err
	})
}

// A place where somebody works no more keeps the name they had there.
func TestANewNameIsNotCarriedWhereOneWorksNoMore(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	w.Update(t, func(tx *db.Tx) error { return team.Deactivate(tx, w.Mara, w.Noor.Practitioner(), "") })
	w.Update(t, func(tx *db.Tx) error { return people.Rename(tx, access.AsPerson(w.Noor.Account()), "Somebody Else") })
	w.View(t, func(tx *db.Tx) error {
		all, err := people.Practitioners(tx, w.Mara)
		for _, m := range all {
			if m.Name == "Somebody Else" {
				t.Error("the old place has the new name")
			}
		}
		return err
	})
}

func TestAPlaceIsChosenOnlyByWhoHasIt(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	token := secret.NewToken()
	nextDoor := account.Place{Practice: w.Ines.Practice()}
	wants(t, "somebody else's", update(t, w, func(tx *db.Tx) error { return people.Choose(tx, w.Mara, token, nextDoor) }), people.ErrNoPlace)
	theirs := account.Place{Practice: w.Mara.Practice(), Client: w.Theo}
	wants(t, "a client's", update(t, w, func(tx *db.Tx) error { return people.Choose(tx, w.Mara, token, theirs) }), people.ErrNoPlace)
	wants(t, "a guest", update(t, w, func(tx *db.Tx) error { return people.Choose(tx, access.Guest(), token, nextDoor) }), people.ErrNoPlace)
}

func TestOfTwoWhoEditOneIsTold(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	is := find(t, w, w.Mara, w.Theo)
	is.Mobile = "+1 555 010 1234"
	told := atOnce(16, func(int) error {
		return w.DB.Update(t.Context(), func(tx *db.Tx) error { return second(people.Edit(tx, w.Mara, w.Theo, is.Version, is.Details)) })
	})
	if told[nil] != 1 || told[people.ErrChanged] != 15 {
		t.Errorf("they were told %v", told)
	}
	mine := w.Client(t, w.Noor, people.Draft{First: "Own"})
	d := find(t, w, w.Noor, mine)
	d.Practitioner = w.Mara.Practitioner()
	w.Update(t, func(tx *db.Tx) error { return second(people.Edit(tx, w.Noor, mine, d.Version, d.Details)) })
	if find(t, w, w.Noor, mine).Practitioner != w.Noor.Practitioner() {
		t.Error("Noor gave a client away by a form")
	}
}

func TestAClientIsCreatedOnceAndInvitedIfTheyMay(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	c := id.New[id.Client](w.Now())
	d := people.Details{Name: people.Name{First: "New"}, Email: address(t, "new@example.com"), EmailConsent: true}
	w.Update(t, func(tx *db.Tx) error { return letter.Decline(tx, access.Guest(), d.Email) })
	told := atOnce(16, func(int) error {
		return w.DB.Update(t.Context(), func(tx *db.Tx) error { return people.Create(tx, w.Mara, c, d, true) })
	})
	if told[nil] != 1 || told[people.ErrCreated] != 15 || rows(t, w, "letter") != 0 {
		t.Errorf("they were told %v; %d letters", told, rows(t, w, "letter"))
	}
	biller := w.Colleague(t, "Bo", "bo@practice.test", access.Biller)
	for _, by := range []access.Actor{biller, access.Guest(), access.AsClient(w.Mara.Practice(), "", c)} {
		wants(t, string(by.Role()), update(t, w, func(tx *db.Tx) error { return people.Create(tx, by, id.New[id.Client](w.Now()), d, false) }), fault.Forbidden)
	}
	for _, who := range []id.Practitioner{biller.Practitioner(), w.Ines.Practitioner()} {
		d.Practitioner = who
		wants(t, "in the care of nobody who can care", update(t, w, func(tx *db.Tx) error { return people.Create(tx, w.Mara, id.New[id.Client](w.Now()), d, false) }), people.ErrNoSuchPractitioner)
	}
}

func file(t testing.TB, s string) sheet.Sheet {
	t.Helper()
	got, err := sheet.Read([]byte(s), sheet.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestAFileIsImportedAsItsPlanSays(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	w.Update(t, func(tx *db.Tx) error { return letter.Decline(tx, access.Guest(), address(t, "no@example.com")) })
	s := file(t, "First name,Last name,E-mail,Date of birth,Consent,Invite,Shoe size\n"+
		"Annie,Noda,annie@example.com,1984-03-25,yes,yes,38\nVince,Gill,,,yes,yes,\nTheo,Vance,theo@example.com,,,,\nOdd,One,not an address,,,,\nNo,Thanks,no@example.com,,yes,yes,\nAnnie,Noda,ANNIE@example.com,,,,\n")
	var plan, done people.Plan
	w.View(t, func(tx *db.Tx) (err error) { plan, err = people.PlanImport(tx, w.Mara, s); return err })
	before := rows(t, w, "client")
	w.Update(t, func(tx *db.Tx) (err error) { done, err = people.Import(tx, w.Mara, s); return err })
	if plan.Create != 3 || plan.Invite != 2 || plan.Leave != 3 || done.Create != 3 || rows(t, w, "client") != before+3 || len(plan.Ignored) != 1 {
		t.Errorf("the plan was %+v, %d were made", plan, rows(t, w, "client")-before)
	}
	if n := w.RunJobs(t); n != 1 {
		t.Errorf("%d letters went", n)
	}
	// A colleague learns that a mailbox is shared, and not whose client it is.
	w.View(t, func(tx *db.Tx) error {
		p, err := people.PlanImport(tx, w.Noor, file(t, "Name,E-mail\nTheo Vance,theo@example.com\n"))
		if len(p.Rows) != 1 || p.Rows[0].Fate != people.WillCreate || strings.Contains(p.Rows[0].Words, "Theo") || !strings.Contains(p.Rows[0].Words, "another client") {
			t.Errorf("she is told %+v", p.Rows)
		}
		_, refused := people.PlanImport(tx, access.Guest(), s)
		wants(t, "a guest", refused, fault.Forbidden)
		return err
	})
	var out [][]string
	var header []string
	w.Update(t, func(tx *db.Tx) (err error) { header, out, err = people.Export(tx, w.Mara, setting(w)); return err })
	if len(out) != 4 || len(header) != len(out[0]) {
		t.Errorf("%d rows leave", len(out))
	}
	for _, by := range []access.Actor{w.Noor, access.Guest()} {
		wants(t, string(by.Role()), update(t, w, func(tx *db.Tx) error { _, _, err := people.Export(tx, by, setting(w)); return err }), fault.Forbidden)
	}
}

func TestResealingKeepsEveryWordAndLosesNoEdit(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	invite(t, w)
	by := access.Operating(w.Mara.Practice())
	wants(t, "the owner", update(t, w, func(tx *db.Tx) error { return second(people.Reseal(tx, w.Mara, "")) }), fault.Forbidden)
	before := find(t, w, w.Mara, w.Theo)
	var next id.Client
	w.Update(t, func(tx *db.Tx) (err error) {
		if err := keys.Renew(tx, w.Mara.Practice()); err != nil {
			return err
		}
		next, err = people.Reseal(tx, by, "")
		return err
	})
	w.Update(t, func(tx *db.Tx) error { return second(people.ResealInvitations(tx, by, "")) })
	if next != w.Theo || find(t, w, w.Mara, w.Theo).Details != before.Details {
		t.Errorf("he is %+v", find(t, w, w.Mara, w.Theo))
	}
	w.Update(t, func(tx *db.Tx) (err error) { next, err = people.Reseal(tx, by, next); return err })
	if next != "" {
		t.Error("it does not end")
	}
	tells(t, w, "the link", newestLink(t, w), nil)
	w.Pass(time.Hour)
	resend(t, w)
}
