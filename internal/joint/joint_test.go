package joint_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/audit"
	"icouch/internal/base/at"
	"icouch/internal/base/civil"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/joint"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/team"
	"icouch/internal/world"
)

func TestAJointRecordStandsBesideTheOwnOnes(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	j, lena := both(t, w)
	r := find(t, w, j)
	if r.Kind != joint.Couple || r.Name != "Theo and Lena" || r.Practitioner != w.Mara.Practitioner() || !r.MayChange || !r.MayAssign || r.Closed(at.Of(w.Now())) {
		t.Errorf("the record is %+v", r)
	}
	if len(r.People) != 2 || r.People[0].Client != w.Theo || r.People[1].Client != lena || r.People[1].Name.Full() != "Lena Marsh" || r.People[0].Agreed(joint.Sessions) {
		t.Errorf("in it are %+v", r.People)
	}
	var of []joint.Record
	w.View(t, func(tx *db.Tx) (err error) { of, err = joint.Of(tx, w.Mara, lena); return err })
	if len(of) != 1 || of[0].ID != j {
		t.Errorf("Lena's joint records are %v", of)
	}
	if len(w.Mail.Sent()) != 0 {
		t.Error("something was mailed")
	}
	var stored []byte
	if err := w.DB.Row(t.Context(), "SELECT name FROM joint", nil, &stored); err != nil || bytes.Contains(stored, []byte("Theo")) {
		t.Errorf("what it is called lies open: %q, %v", stored, err)
	}
}

func TestWhatAJointRecordNeeds(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	ended := w.Client(t, w.Mara, people.Draft{First: "Eve", Last: "Hill"})
	w.Update(t, func(tx *db.Tx) error { return people.EndCare(tx, w.Mara, ended, at.Of(w.Now())) })
	biller := w.Colleague(t, "Bill Stone", "bill@practice.test", access.Biller)
	for _, c := range []struct {
		name   string
		client id.Client
		twist  func(*joint.Details)
		want   error
	}{
		{"a kind", w.Theo, func(d *joint.Details) { d.Kind = "throuple" }, joint.ErrNoKind},
		{"a name", w.Theo, func(d *joint.Details) { d.Name = "" }, joint.ErrNoName},
		{"somebody who looks after clients", w.Theo, func(d *joint.Details) { d.Practitioner = biller.Practitioner() }, joint.ErrNoPractitioner},
		{"a practitioner of this practice", w.Theo, func(d *joint.Details) { d.Practitioner = w.Ines.Practitioner() }, joint.ErrNoPractitioner},
		{"a client in care", ended, func(*joint.Details) {}, joint.ErrCareEnded},
		{"no more than that", w.Theo, func(d *joint.Details) { d.Practitioner = "" }, nil},
	} {
		d := couple(w.Mara)
		c.twist(&d)
		err := update(t, w, func(tx *db.Tx) error { return joint.Make(tx, w.Mara, id.New[id.Joint](w.Now()), c.client, d) })
		if c.want == nil && err != nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	if _, err := (joint.Draft{Kind: "x", Name: "a\x00b"}).Read(); len(fault.Each(err)) != 2 {
		t.Errorf("two wrong fields are told as %v", fault.Each(err))
	}
}

// Whoever does not see it is told what they are told of what does not exist.
func TestAJointRecordIsNotThereForWhoDoesNotSeeIt(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	j, lena := both(t, w)
	third := w.Client(t, w.Mara, people.Draft{First: "Third", Last: "Person"})
	person := stay(t, w, j, w.Theo).ID
	tom := w.Colleague(t, "Tom Stone", "tom@practice.test", access.Practitioner)
	inAnEmergency := tom.Reaching(access.Reach{Clients: []id.Client{w.Theo, lena}, Opened: []id.Client{w.Theo, lena}})
	oneInAnEmergency := tom.Reaching(access.Reach{Clients: []id.Client{w.Theo, lena}, Opened: []id.Client{lena}})
	skye := w.Colleague(t, "Skye Stone", "skye@practice.test", access.Scheduler)
	for name, c := range map[string]struct {
		by   access.Actor
		want error
	}{
		"the practice next door":             {w.Ines, fault.NotFound},
		"a colleague who looks after one":    {w.Noor, fault.NotFound},
		"in the care team of one":            {tom.Reaching(access.Reach{Clients: []id.Client{w.Theo}}), fault.NotFound},
		"who opened both in an emergency":    {inAnEmergency, fault.NotFound},
		"who opened one in an emergency":     {oneInAnEmergency, fault.NotFound},
		"who supervises one's practitioner":  {tom.Reaching(access.Reach{Of: []id.Practitioner{w.Noor.Practitioner()}}), fault.NotFound},
		"one of them":                        {themselves(w, w.Theo), fault.NotFound},
		"who acts for one":                   {access.AsContact(w.Mara.Practice(), "x", w.Theo, access.Grant{Rights: access.Rights}), fault.NotFound},
		"a stranger":                         {access.Guest(), fault.NotFound},
		"the operator of a practice":         {access.Operating(w.Mara.Practice()), fault.NotFound},
		"support":                            {access.AsSupport("x"), fault.NotFound},
		"who plans, and sees and changes it": {skye, fault.Forbidden},
	} {
		before := trail(t, w, "")
		for deed, do := range deeds(t, w, third, person) {
			want := c.want
			if deed == "assign" && !c.by.May(access.AssignCare) {
				want = fault.Forbidden
			}
			wants(t, name+": "+deed, update(t, w, func(tx *db.Tx) error { return do(tx, c.by, j) }), want)
		}
		if n := trail(t, w, ""); n != before {
			t.Errorf("%s: left %d lines", name, n-before)
		}
		if c.want != fault.NotFound {
			continue
		}
		w.View(t, func(tx *db.Tx) error {
			_, err := joint.Find(tx, c.by, j)
			wants(t, name+": find", err, fault.NotFound)
			if some, _, _ := joint.List(tx, c.by); len(some) > 0 {
				t.Errorf("%s: listed are %v", name, some)
			}
			for _, client := range []id.Client{w.Theo, lena} {
				if some, _ := joint.Of(tx, c.by, client); len(some) > 0 {
					t.Errorf("%s: of a client they see %v", name, some)
				}
			}
			return nil
		})
	}
	for deed, do := range deeds(t, w, third, person) { // one that is not there
		wants(t, "none: "+deed, update(t, w, func(tx *db.Tx) error { return do(tx, w.Mara, id.New[id.Joint](w.Now())) }), fault.NotFound)
	}
	other := w.Client(t, w.Ines, people.Draft{First: "Ida", Last: "Brook"})
	wants(t, "another practice's client", update(t, w, func(tx *db.Tx) error { return joint.Join(tx, w.Mara, j, other, civil.Date{}) }), fault.NotFound)
	wants(t, "begin with another practice's client", update(t, w, func(tx *db.Tx) error { return joint.Make(tx, w.Mara, id.New[id.Joint](w.Now()), other, couple(w.Mara)) }), fault.NotFound)
	wants(t, "begin with a colleague's client", update(t, w, func(tx *db.Tx) error {
		return joint.Make(tx, w.Noor, id.New[id.Joint](w.Now()), w.Theo, couple(w.Noor))
	}), fault.NotFound)
	wants(t, "begin in an emergency", update(t, w, func(tx *db.Tx) error {
		return joint.Make(tx, inAnEmergency, id.New[id.Joint](w.Now()), w.Theo, couple(tom))
	}), people.ErrOnlyLooks)
	for _, by := range []access.Actor{skye, themselves(w, w.Theo), access.Guest()} {
		wants(t, "begin as "+string(by.Role()), update(t, w, func(tx *db.Tx) error {
			return joint.Make(tx, by, id.New[id.Joint](w.Now()), w.Theo, couple(w.Mara))
		}), fault.Forbidden)
	}
}

func TestWhoSeesAJointRecord(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	j, lena := both(t, w)
	sees := map[string]access.Actor{"who looks after it": w.Mara}
	for name, role := range map[string]access.Role{"Ada": access.Administrator, "Bill": access.Biller, "Skye": access.Scheduler} {
		sees[name] = w.Colleague(t, name+" Stone", strings.ToLower(name)+"@practice.test", role)
	}
	tom := w.Colleague(t, "Tom Stone", "tom@practice.test", access.Practitioner)
	sees["in the care team of each"] = tom.Reaching(access.Reach{Clients: []id.Client{w.Theo, lena}})
	sees["who looks after one and is in the team of the other"] = w.Noor.Reaching(access.Reach{Clients: []id.Client{w.Theo}})
	sees["who supervises who looks after it"] = tom.Reaching(access.Reach{Of: []id.Practitioner{w.Mara.Practitioner()}})
	for name, by := range sees {
		w.View(t, func(tx *db.Tx) error {
			r, err := joint.Find(tx, by, j)
			if err != nil || len(r.People) != 2 || r.MayChange != by.MayInvite() || r.MayAssign != by.May(access.AssignCare) {
				t.Errorf("%s: %v, %v", name, r, err)
			}
			some, more, err := joint.List(tx, by)
			if err != nil || more || len(some) != 1 || some[0].In != 2 || some[0].Name != "Theo and Lena" {
				t.Errorf("%s: the list is %v, %v", name, some, err)
			}
			return nil
		})
	}
	// Who has left counts too: their name stands in it.
	w.Update(t, func(tx *db.Tx) error { return joint.Leave(tx, w.Mara, j, stay(t, w, j, lena).ID, today(t, w)) })
	w.View(t, func(tx *db.Tx) error {
		_, err := joint.Find(tx, tom.Reaching(access.Reach{Clients: []id.Client{w.Theo}}), j)
		wants(t, "who sees all that are in it now", err, fault.NotFound)
		return nil
	})
	// Looking after it opens nobody's own record.
	w.Update(t, func(tx *db.Tx) error { return joint.Assign(tx, w.Mara, j, tom.Practitioner()) })
	w.View(t, func(tx *db.Tx) error {
		r, err := joint.Find(tx, tom, j)
		if err != nil || len(r.People) != 2 || r.People[0].Opens || r.People[1].Opens || r.MayAssign {
			t.Errorf("Tom looks after it and sees %+v, %v", r, err)
		}
		for _, c := range []id.Client{w.Theo, lena} {
			_, err := people.Find(tx, tom, c)
			wants(t, "a record of their own", err, fault.NotFound)
			_, err = joint.Of(tx, tom, c)
			wants(t, "the joint records of who is none of theirs", err, fault.NotFound)
		}
		return nil
	})
}

func TestPeopleComeAndGo(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	j, lena := both(t, w)
	is := today(t, w)
	join := func(from civil.Date) error {
		return update(t, w, func(tx *db.Tx) error { return joint.Join(tx, w.Mara, j, lena, from) })
	}
	leave := func(on civil.Date) error {
		return update(t, w, func(tx *db.Tx) error { return joint.Leave(tx, w.Mara, j, stay(t, w, j, lena).ID, on) })
	}
	wants(t, "twice", join(civil.Date{}), joint.ErrIn)
	wants(t, "from tomorrow", join(is.AddDays(1)), joint.ErrLater)
	wants(t, "on no day", leave(civil.Date{}), joint.ErrNoDay)
	wants(t, "before they came", leave(is.AddDays(-1)), joint.ErrBefore)
	wants(t, "far away", leave(is.AddDays(800)), joint.ErrFar)
	wants(t, "to stay", update(t, w, func(tx *db.Tx) error { return joint.Stay(tx, w.Mara, j, stay(t, w, j, lena).ID) }), joint.ErrStays)
	if err := leave(is.AddDays(2)); err != nil {
		t.Fatal(err)
	}
	if p := stay(t, w, j, lena); p.Left(at.Of(w.Now())) || p.Ends == nil {
		t.Errorf("before the day: %+v", p)
	}
	wants(t, "once more, before the day", join(civil.Date{}), joint.ErrIn)
	w.Update(t, func(tx *db.Tx) error { return joint.Stay(tx, w.Mara, j, stay(t, w, j, lena).ID) })
	if p := stay(t, w, j, lena); p.Ends != nil {
		t.Errorf("taken back: %+v", p)
	}
	if err := leave(is.AddDays(2)); err != nil {
		t.Fatal(err)
	}
	agree(t, w, j, lena, joint.Sessions)
	w.Pass(3 * 24 * time.Hour)
	if p := stay(t, w, j, lena); !p.Left(at.Of(w.Now())) {
		t.Errorf("after the day: %+v", p)
	}
	wants(t, "again", leave(today(t, w)), joint.ErrLeft)
	wants(t, "to stay after all", update(t, w, func(tx *db.Tx) error { return joint.Stay(tx, w.Mara, j, stay(t, w, j, lena).ID) }), joint.ErrStays)
	wants(t, "to agree after leaving", update(t, w, func(tx *db.Tx) error {
		return joint.Agree(tx, w.Mara, j, stay(t, w, j, lena).ID, joint.Shared)
	}), joint.ErrLeft)
	wants(t, "back, on a day before they left", join(is.AddDays(1)), joint.ErrIn)
	if err := join(civil.Date{}); err != nil {
		t.Fatal(err)
	}
	r := find(t, w, j)
	if len(r.People) != 3 || len(r.In(at.Of(w.Now()))) != 2 || stay(t, w, j, lena).Agreed(joint.Sessions) {
		t.Errorf("back in it, and asked anew: %+v", r.People)
	}
}

func TestAJointRecordIsClosedAndOpenedAgain(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	j, lena := both(t, w)
	agree(t, w, j, lena, joint.Shared)
	is, third := today(t, w), w.Client(t, w.Mara, people.Draft{First: "Third", Last: "Person"})
	closes := func(on civil.Date) error {
		return update(t, w, func(tx *db.Tx) error { return joint.Close(tx, w.Mara, j, on) })
	}
	wants(t, "yesterday", closes(is.AddDays(-1)), joint.ErrPast)
	wants(t, "on no day", closes(civil.Date{}), joint.ErrNoDay)
	wants(t, "far away", closes(is.AddDays(800)), joint.ErrFar)
	wants(t, "open again", update(t, w, func(tx *db.Tx) error { return joint.Reopen(tx, w.Mara, j) }), joint.ErrNotClosed)
	if err := errors.Join(closes(is.AddDays(5)), closes(is.AddDays(2))); err != nil {
		t.Fatal(err)
	}
	if find(t, w, j).Closed(at.Of(w.Now())) {
		t.Error("closed before its day")
	}
	w.Pass(3 * 24 * time.Hour)
	if !find(t, w, j).Closed(at.Of(w.Now())) {
		t.Error("open after its day")
	}
	for deed, do := range deeds(t, w, third, stay(t, w, j, lena).ID) {
		want := error(joint.ErrClosed)
		switch deed {
		case "close":
			want = joint.ErrShut
		case "assign", "reopen", "take back":
			continue
		}
		wants(t, deed, update(t, w, func(tx *db.Tx) error { return do(tx, w.Mara, j) }), want)
	}
	for deed, do := range map[string]func(tx *db.Tx) error{
		"take back": func(tx *db.Tx) error { return joint.TakeBack(tx, w.Mara, j, stay(t, w, j, lena).ID, joint.Shared) },
		"assign":    func(tx *db.Tx) error { return joint.Assign(tx, w.Mara, j, w.Noor.Practitioner()) },
		"reopen":    func(tx *db.Tx) error { return joint.Reopen(tx, w.Mara, j) },
	} {
		if err := update(t, w, do); err != nil {
			t.Errorf("closed, %s: %v", deed, err)
		}
	}
	if r := find(t, w, j); r.Closed(at.Of(w.Now())) || len(r.In(at.Of(w.Now()))) != 2 || r.Practitioner != w.Noor.Practitioner() {
		t.Errorf("open again: %+v", r)
	}
	wants(t, "the same once more", update(t, w, func(tx *db.Tx) error { return joint.Assign(tx, w.Mara, j, w.Noor.Practitioner()) }), joint.ErrSame)
	wants(t, "one of another practice", update(t, w, func(tx *db.Tx) error { return joint.Assign(tx, w.Mara, j, w.Ines.Practitioner()) }), joint.ErrNoPractitioner)
}

func TestEachAgreesForThemselvesAndTakesItBack(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	j, lena := both(t, w)
	theo := stay(t, w, j, w.Theo).ID
	agree(t, w, j, w.Theo, joint.Sessions)
	if stay(t, w, j, lena).Agreed(joint.Sessions) || stay(t, w, j, w.Theo).Agreed(joint.Shared) {
		t.Error("one word counts for another")
	}
	c, ok := stay(t, w, j, w.Theo).Newest(joint.Sessions)
	if !ok || c.NotedBy != w.Mara.Practitioner() || !c.NotedAt.Equal(w.Now()) || c.WithdrawnAt != nil {
		t.Errorf("noted is %+v", c)
	}
	wants(t, "again", update(t, w, func(tx *db.Tx) error { return joint.Agree(tx, w.Mara, j, theo, joint.Sessions) }), joint.ErrAgreed)
	wants(t, "something else", update(t, w, func(tx *db.Tx) error { return joint.Agree(tx, w.Mara, j, theo, "everything") }), joint.ErrOddConsent)
	wants(t, "what was never agreed to", update(t, w, func(tx *db.Tx) error { return joint.TakeBack(tx, w.Mara, j, theo, joint.Shared) }), joint.ErrNotAgreed)
	wants(t, "of another record", update(t, w, func(tx *db.Tx) error {
		return joint.Agree(tx, w.Mara, j, id.New[id.JointPerson](w.Now()), joint.Shared)
	}), fault.NotFound)
	w.Pass(time.Hour)
	w.Update(t, func(tx *db.Tx) error { return joint.TakeBack(tx, w.Mara, j, theo, joint.Sessions) })
	c, _ = stay(t, w, j, w.Theo).Newest(joint.Sessions)
	if stay(t, w, j, w.Theo).Agreed(joint.Sessions) || c.WithdrawnBy == nil || *c.WithdrawnBy != w.Mara.Practitioner() || c.WithdrawnAt == nil {
		t.Errorf("taken back is %+v", c)
	}
	agree(t, w, j, w.Theo, joint.Sessions)
	if n := len(stay(t, w, j, w.Theo).Consents); n != 2 {
		t.Errorf("%d words are kept", n)
	}
}

func TestTheOthersAreNamedOnceBothHaveAgreed(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	j, lena := both(t, w)
	names := func(c id.Client) []string { return mine(t, w, c)[0].Others }
	nobody := func(when string) {
		t.Helper()
		if a, b := names(w.Theo), names(lena); len(a)+len(b) > 0 {
			t.Errorf("%s: %v and %v are named", when, a, b)
		}
	}
	nobody("nobody has agreed")
	agree(t, w, j, w.Theo, joint.Shared)
	agree(t, w, j, lena, joint.Shared)
	nobody("to another thing")
	agree(t, w, j, w.Theo, joint.Sessions)
	nobody("one has agreed")
	agree(t, w, j, lena, joint.Sessions)
	if a, b := names(w.Theo), names(lena); !slices.Equal(a, []string{"Lena Marsh"}) || !slices.Equal(b, []string{"Theo Vance"}) {
		t.Errorf("both have agreed: %v and %v are named", a, b)
	}
	w.Update(t, func(tx *db.Tx) error {
		return joint.Edit(tx, w.Mara, j, find(t, w, j).Version, joint.Details{Kind: joint.Group, Name: "Tuesday"})
	})
	if a := names(w.Theo); !slices.Equal(a, []string{"Lena"}) {
		t.Errorf("of a group %v is named", a)
	}
	is := mine(t, w, w.Theo)[0]
	if is.Looks != "Mara Lindqvist" || is.Kind != joint.Group || is.Name != (people.Name{}) || is.Over(at.Of(w.Now())) {
		t.Errorf("Theo sees %+v", is)
	}
	w.Update(t, func(tx *db.Tx) error { return joint.Close(tx, w.Mara, j, today(t, w)) })
	nobody("it is closed")
	if !mine(t, w, w.Theo)[0].Over(at.Of(w.Now())) {
		t.Error("a closed record goes on")
	}
	w.Update(t, func(tx *db.Tx) error { return joint.Reopen(tx, w.Mara, j) })
	w.Update(t, func(tx *db.Tx) error { return joint.Leave(tx, w.Mara, j, stay(t, w, j, lena).ID, today(t, w)) })
	nobody("one has left")
	w.Pass(time.Minute)
	w.Update(t, func(tx *db.Tx) error { return joint.Join(tx, w.Mara, j, lena, civil.Date{}) })
	agree(t, w, j, lena, joint.Sessions)
	w.Update(t, func(tx *db.Tx) error {
		return joint.TakeBackOwn(tx, themselves(w, w.Theo), mine(t, w, w.Theo)[0].ID, joint.Sessions)
	})
	nobody("one has taken it back")
}

func TestAClientTakesBackWhatIsTheirs(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	j, lena := both(t, w)
	agree(t, w, j, w.Theo, joint.Shared)
	agree(t, w, j, lena, joint.Shared)
	theirs := stay(t, w, j, w.Theo).ID
	for name, by := range map[string]access.Actor{
		"the other in it":    themselves(w, lena),
		"the practice":       w.Mara,
		"next door":          w.Ines,
		"a client next door": access.AsClient(w.Ines.Practice(), "x", w.Theo),
		"who acts for them":  access.AsContact(w.Mara.Practice(), "x", w.Theo, access.Grant{Rights: access.Rights}),
		"a stranger":         access.Guest(),
		"holder of a link":   access.ByLink(w.Mara.Practice(), w.Theo),
	} {
		wants(t, name, update(t, w, func(tx *db.Tx) error { return joint.TakeBackOwn(tx, by, theirs, joint.Shared) }), fault.NotFound)
		if by.IsClient() {
			continue
		}
		w.View(t, func(tx *db.Tx) error {
			_, err := joint.Mine(tx, by)
			wants(t, name+": look", err, fault.NotFound)
			return nil
		})
	}
	wants(t, "what is not agreed to", update(t, w, func(tx *db.Tx) error { return joint.TakeBackOwn(tx, themselves(w, w.Theo), theirs, joint.Sessions) }), joint.ErrNotAgreed)
	// Also after they have left, and when it is closed.
	w.Update(t, func(tx *db.Tx) error { return joint.Leave(tx, w.Mara, j, theirs, today(t, w)) })
	w.Update(t, func(tx *db.Tx) error { return joint.Close(tx, w.Mara, j, today(t, w)) })
	told := atOnce(8, func(int) error {
		return update(t, w, func(tx *db.Tx) error { return joint.TakeBackOwn(tx, themselves(w, w.Theo), theirs, joint.Shared) })
	})
	if told[nil] != 1 || told[joint.ErrNotAgreed] != 7 {
		t.Errorf("told %v", told)
	}
	w.RunJobs(t)
	letters := w.Letters("mara@practice.test")
	if len(letters) != 1 || strings.Contains(letters[0].Text+letters[0].Subject, "Theo") || strings.Contains(letters[0].Text, "Lena") {
		t.Errorf("Mara's letters: %v", letters)
	}
	c, _ := stay(t, w, j, w.Theo).Newest(joint.Shared)
	if c.WithdrawnAt == nil || c.WithdrawnBy != nil {
		t.Errorf("taken back is %+v", c)
	}
	if !stay(t, w, j, lena).Agreed(joint.Shared) {
		t.Error("the other's word was taken back, too")
	}
	if m := mine(t, w, w.Theo); len(m) != 1 || m[0].Agreed(joint.Shared) {
		t.Errorf("Theo sees %v", m)
	}
}

func TestJointRecordsUnderManyPressesAtOnce(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	j, lena := id.New[id.Joint](w.Now()), w.Client(t, w.Noor, people.Draft{First: "Lena", Last: "Marsh"})
	press := func(what string, again error, do func(tx *db.Tx) error) {
		t.Helper()
		told := atOnce(8, func(int) error { return update(t, w, do) })
		if told[nil] != 1 || told[again] != 7 {
			t.Errorf("%s: told %v", what, told)
		}
	}
	press("make", joint.ErrMade, func(tx *db.Tx) error { return joint.Make(tx, w.Mara, j, w.Theo, couple(w.Mara)) })
	press("join", joint.ErrIn, func(tx *db.Tx) error { return joint.Join(tx, w.Mara, j, lena, civil.Date{}) })
	person, is := stay(t, w, j, lena).ID, today(t, w)
	press("agree", joint.ErrAgreed, func(tx *db.Tx) error { return joint.Agree(tx, w.Mara, j, person, joint.Sessions) })
	press("take back", joint.ErrNotAgreed, func(tx *db.Tx) error { return joint.TakeBack(tx, w.Mara, j, person, joint.Sessions) })
	press("edit", joint.ErrChanged, func(tx *db.Tx) error { return joint.Edit(tx, w.Mara, j, 1, couple(w.Mara)) })
	press("assign", joint.ErrSame, func(tx *db.Tx) error { return joint.Assign(tx, w.Mara, j, w.Noor.Practitioner()) })
	press("leave", joint.ErrLeft, func(tx *db.Tx) error { return joint.Leave(tx, w.Mara, j, person, is) })
	press("close", joint.ErrShut, func(tx *db.Tx) error { return joint.Close(tx, w.Mara, j, is) })
	press("open again", joint.ErrNotClosed, func(tx *db.Tx) error { return joint.Reopen(tx, w.Mara, j) })
	w.Pass(time.Minute)
	press("join once more", joint.ErrIn, func(tx *db.Tx) error { return joint.Join(tx, w.Mara, j, lena, civil.Date{}) })
	person = stay(t, w, j, lena).ID
	w.Update(t, func(tx *db.Tx) error { return joint.Leave(tx, w.Mara, j, person, is.AddDays(9)) })
	press("stay", joint.ErrStays, func(tx *db.Tx) error { return joint.Stay(tx, w.Mara, j, person) })
}

func TestADeedOnAJointRecordIsUndoneWithItsTransaction(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	j, lena := both(t, w)
	agree(t, w, j, lena, joint.Shared)
	third, person, later := w.Client(t, w.Mara, people.Draft{First: "Third", Last: "Person"}), stay(t, w, j, lena).ID, errors.New("something later fails")
	all := deeds(t, w, third, person)
	all["make"] = func(tx *db.Tx, by access.Actor, _ id.Joint) error {
		return joint.Make(tx, by, id.New[id.Joint](w.Now()), w.Theo, couple(w.Mara))
	}
	all["take back"] = func(tx *db.Tx, by access.Actor, j id.Joint) error {
		return joint.TakeBack(tx, by, j, person, joint.Shared)
	}
	all["take back one's own"] = func(tx *db.Tx, _ access.Actor, _ id.Joint) error {
		return joint.TakeBackOwn(tx, themselves(w, lena), person, joint.Shared)
	}
	delete(all, "reopen") // it is open, and they are not about to leave
	delete(all, "stay")
	sum := func() (s string) {
		err := w.DB.Row(t.Context(), `SELECT COALESCE((SELECT string_agg(id || CAST(version AS TEXT) || practitioner_id || COALESCE(CAST(closes_at AS TEXT), ''), ' ' ORDER BY id) FROM joint), '') ||
			COALESCE((SELECT string_agg(id || COALESCE(CAST(ends_at AS TEXT), ''), ' ' ORDER BY id) FROM joint_person), '') ||
			COALESCE((SELECT string_agg(id || COALESCE(CAST(withdrawn_at AS TEXT), ''), ' ' ORDER BY id) FROM joint_consent), '') ||
			(SELECT CAST(COUNT(*) AS TEXT) FROM audit) || ' ' || (SELECT CAST(COUNT(*) AS TEXT) FROM job)`, nil, &s)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	before := sum()
	for deed, do := range all {
		err := update(t, w, func(tx *db.Tx) error {
			if err := do(tx, w.Mara, j); err != nil {
				return err
			}
			return later
		})
		wants(t, deed, err, later)
		if sum() != before {
			t.Errorf("%s was not undone", deed)
		}
	}
}

// looks are what do shows, as the trail has it: of each client the part, and by
// what right.
func looks(t testing.TB, w *world.World, do func(tx *db.Tx) error) map[id.Client]string {
	t.Helper()
	var l audit.Look
	if err := w.DB.View(audit.Looking(t.Context(), &l), do); err != nil {
		t.Fatal(err)
	}
	if err := audit.NewScribe(w.DB).Write(&l, "test"); err != nil {
		t.Fatal(err)
	}
	var lines []audit.Entry
	w.View(t, func(tx *db.Tx) (err error) { lines, err = audit.Back(tx, w.Mara, 1<<60); return err })
	is := map[id.Client]string{}
	for _, s := range lines[0].Shown {
		is[s.Client] += string(s.Part) + " " + string(s.Why)
	}
	return is
}

// To see a joint record is to look at each person in it.
func TestAJointRecordThatIsOpenedIsALookAtEachInIt(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	j, lena := both(t, w)
	nils := w.Colleague(t, "Nils Brook", "nils@practice.test", access.Practitioner)
	w.Update(t, func(tx *db.Tx) error { return joint.Assign(tx, w.Mara, j, nils.Practitioner()) })
	agree(t, w, j, w.Theo, joint.Sessions)
	agree(t, w, j, lena, joint.Sessions)
	emergency := nils.Reaching(access.Reach{Clients: []id.Client{lena}, Opened: []id.Client{lena}})
	for name, c := range map[string]struct {
		do         func(tx *db.Tx) error
		theo, lena string
	}{
		"who looks after it":          {func(tx *db.Tx) error { _, err := joint.Find(tx, nils, j); return err }, "joint joint", "joint joint"},
		"who has also an emergency":   {func(tx *db.Tx) error { _, err := joint.Find(tx, emergency, j); return err }, "joint joint", "joint joint"},
		"the owner":                   {func(tx *db.Tx) error { _, err := joint.Find(tx, w.Mara, j); return err }, "joint care", "joint office"},
		"the owner, of one":           {func(tx *db.Tx) error { _, err := joint.Of(tx, w.Mara, w.Theo); return err }, "name care", "name office"},
		"the list":                    {func(tx *db.Tx) error { _, _, err := joint.List(tx, nils); return err }, "name joint", "name joint"},
		"one of them, who is told":    {func(tx *db.Tx) error { _, err := joint.Mine(tx, themselves(w, w.Theo)); return err }, "joint self", "name joint"},
		"a colleague, and finds none": {func(tx *db.Tx) error { _, err := joint.Of(tx, w.Noor, lena); return err }, "", "name care"},
	} {
		is := looks(t, w, c.do)
		if is[w.Theo] != c.theo || is[lena] != c.lena {
			t.Errorf("%s: the trail has %v, want %q and %q", name, is, c.theo, c.lena)
		}
	}
}

func TestWhoeverLooksAfterTheClientsKeepsTheJointRecordInGoodHands(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	j, _ := both(t, w)
	nils := w.Colleague(t, "Nils Brook", "nils@practice.test", access.Practitioner)
	w.Update(t, func(tx *db.Tx) error { return joint.Assign(tx, w.Mara, j, nils.Practitioner()) })
	wants(t, "to bill", update(t, w, func(tx *db.Tx) error { return team.SetRole(tx, w.Mara, nils.Practitioner(), access.Biller) }), team.ErrHasJoints)
	wants(t, "to go, without clients", update(t, w, func(tx *db.Tx) error { return team.Deactivate(tx, w.Mara, nils.Practitioner(), "") }), team.ErrHasJoints)
	w.Update(t, func(tx *db.Tx) error { return joint.Assign(tx, w.Mara, j, w.Noor.Practitioner()) })
	w.Update(t, func(tx *db.Tx) error {
		return team.Deactivate(tx, w.Mara, w.Noor.Practitioner(), w.Mara.Practitioner())
	})
	if r := find(t, w, j); r.Practitioner != w.Mara.Practitioner() {
		t.Error("who took her clients does not look after the joint record")
	}
	w.Update(t, func(tx *db.Tx) error { return team.SetRole(tx, w.Mara, nils.Practitioner(), access.Biller) })
}
