package team_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/base/civil"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/platform/mail"
	"icouch/internal/team"
	"icouch/internal/world"
)

// opened are the letters that tell a client of an emergency.
func opened(w *world.World, to string) []string {
	return letters(w, to, "Your record was opened in an emergency")
}

// Of eight presses at once one writes, to the client and to nobody beside them,
// and the mail being down only delays it. It names neither who, nor why, nor
// whom the practice looks after.
func TestTheClientIsToldOfAnEmergencyOnce(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	w.Linked(t, w.Theo, "theo@example.com")
	w.Update(t, func(tx *db.Tx) error { // what a practice notes later proves nothing
		c, err := people.Find(tx, w.Mara, w.Theo)
		if err != nil {
			return err
		}
		c.Email = address(t, "theo.elsewhere@example.com")
		_, err = people.Edit(tx, w.Mara, w.Theo, c.Version, c.Details)
		return err
	})
	lars := client(t, w, w.Mara, "Lars", "Marsh")
	w.Linked(t, lars, "lars@example.com")
	w.RunJobs(t)
	w.MailFails(&mail.Refusal{Code: 451, Reason: mail.TryLater})
	told := atOnce(8, func(int) error {
		return w.DB.Update(t.Context(), func(tx *db.Tx) error { return team.Open(tx, w.Noor, w.Theo, reason) })
	})
	if told[nil] != 1 || told[team.ErrOpenToYou] != 7 {
		t.Errorf("told %v", told)
	}
	w.RunJobs(t)
	w.MailFails(nil)
	w.Pass(30 * time.Minute)
	w.RunJobs(t)
	got := opened(w, "theo@example.com")
	if len(got) != 1 || !strings.Contains(got[0], world.Base+"/record/access") {
		t.Fatalf("he was written %q", got)
	}
	for _, word := range []string{"Noor", "Haddad", "Mara", "mother", "Vance", "Practice of"} {
		if strings.Contains(got[0], word) {
			t.Errorf("the letter says %q", word)
		}
	}
	if more := append(opened(w, "lars@example.com"), opened(w, "theo.elsewhere@example.com")...); len(more) != 0 {
		t.Errorf("somebody else, or an address that nobody proved, was written %q", more)
	}
}

// Who would find nothing behind the letter gets none: without an account, with
// care ended, with the day of their own still to come. What the practice has
// noted of e-mail does not keep a letter about safety back.
func TestWhoIsToldOfAnEmergency(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	soon := civil.DateOf(w.Now(), civil.Zone{}).AddDays(40)
	for _, c := range []struct {
		first string
		link  bool
		then  func(tx *db.Tx, c id.Client) error
		want  int
	}{
		{"Anna", false, nil, 0},
		{"Bert", true, nil, 1},
		{"Cora", true, func(tx *db.Tx, c id.Client) error { return people.Consent(tx, w.Mara, c, false) }, 1},
		{"Dora", true, func(tx *db.Tx, c id.Client) error { return people.EndCare(tx, w.Mara, c, tx.Now()) }, 0},
		{"Emil", true, func(tx *db.Tx, c id.Client) error { return people.SetMinor(tx, w.Mara, c, soon, soon) }, 0},
	} {
		who, to := client(t, w, w.Mara, c.first, "Marsh"), strings.ToLower(c.first)+"@example.com"
		if c.link {
			w.Linked(t, who, to)
		}
		if c.then != nil {
			w.Update(t, func(tx *db.Tx) error { return c.then(tx, who) })
		}
		w.Update(t, func(tx *db.Tx) error { return team.Open(tx, w.Noor, who, reason) })
		w.RunJobs(t)
		if got := opened(w, to); len(got) != c.want {
			t.Errorf("%s was written %d letters, want %d", c.first, len(got), c.want)
		}
	}
}

// What comes to nothing is told nobody.
func TestAnEmergencyThatComesToNothingIsNotTold(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	w.Linked(t, w.Theo, "theo@example.com")
	undone := errors.New("undone")
	err := update(t, w, func(tx *db.Tx) error { return errors.Join(team.Open(tx, w.Noor, w.Theo, reason), undone) })
	if !errors.Is(err, undone) || errors.Is(err, fault.NotFound) {
		t.Errorf("premise: %v", err)
	}
	owner := w.Ines // of the practice next door, with a colleague of her own
	wants(t, "another practice's", update(t, w, func(tx *db.Tx) error {
		return team.Open(tx, access.AsPractitioner(owner.Practice(), owner.Account(), owner.Practitioner(), access.Practitioner), w.Theo, reason)
	}), fault.NotFound)
	wants(t, "no reason", update(t, w, func(tx *db.Tx) error { return team.Open(tx, w.Noor, w.Theo, "") }), team.ErrNoReason)
	w.RunJobs(t)
	if got := opened(w, "theo@example.com"); len(got) != 0 {
		t.Errorf("he was written %q", got)
	}
	if got := letters(w, "mara@practice.test", "in an emergency"); len(got) != 0 {
		t.Errorf("the owner was written %q", got)
	}
}
