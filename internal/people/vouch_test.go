package people_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/account/factor"
	"icouch/internal/audit"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/world"
)

// lost is Theo with an account and an authenticator, which he has lost.
func lost(t *testing.T, w *world.World) id.Account {
	t.Helper()
	theo := w.Account(t, "Theo Vance", "theo@example.com")
	w.Update(t, func(tx *db.Tx) error {
		token, err := people.CopyLink(tx, w.Mara, w.Theo)
		if err != nil {
			return err
		}
		_, err = people.Accept(tx, access.AsPerson(theo), token)
		return err
	})
	w.Arm(t, theo)
	return theo
}

func asked(t *testing.T, w *world.World, a id.Account) (yes bool) {
	t.Helper()
	w.View(t, func(tx *db.Tx) (err error) {
		yes, err = factor.Asks(tx, access.Guest(), a)
		return err
	})
	return yes
}

func vouch(t *testing.T, w *world.World, by access.Actor, c id.Client) error {
	return w.DB.Update(t.Context(), func(tx *db.Tx) error { return people.Vouch(tx, by, c) })
}

func useVouch(t *testing.T, w *world.World, link string, who id.Account) error {
	return w.DB.Update(t.Context(), func(tx *db.Tx) error { return people.UseVouch(tx, access.AsPerson(who), secret.ParseToken(link), who) })
}

func TestVouchingTakesALostSecondStepAwayOnce(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	theo := lost(t, w)
	if !asked(t, w, theo) {
		t.Fatal("Theo has no second step: this shows nothing")
	}
	if err := vouch(t, w, w.Mara, w.Theo); err != nil {
		t.Fatal(err)
	}
	w.RunJobs(t)
	link := w.Link(t, "theo@example.com", "/vouched/")
	if err := useVouch(t, w, link, w.Ines.Account()); !errors.Is(err, people.ErrVouchedForNot) || !asked(t, w, theo) {
		t.Errorf("somebody else with their own password: %v", err)
	}
	var all sync.WaitGroup
	results := make(chan error, 16)
	for range 16 {
		all.Go(func() { results <- useVouch(t, w, link, theo) })
	}
	all.Wait()
	won := 0
	for range 16 {
		switch err := <-results; {
		case err == nil:
			won++
		case !errors.Is(err, account.ErrLinkUsed):
			t.Error(err)
		}
	}
	if won != 1 || asked(t, w, theo) {
		t.Errorf("%d of 16 used the link, want 1", won)
	}
	w.RunJobs(t)
	said := map[string]int{}
	for _, to := range []string{"theo@example.com", "mara@practice.test"} {
		for _, m := range w.Letters(to) {
			said[m.Subject]++
		}
	}
	if said["Your second step was taken away"] != 1 || said["The link for somebody you vouched for was used"] != 1 {
		t.Errorf("the letters are %v", said)
	}
}

func TestVouchingIsRefused(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	lost(t, w)
	fresh := w.Client(t, w.Mara, people.Draft{First: "Fay", Last: "New", Email: "fay@example.com", EmailConsent: true})
	biller := w.Colleague(t, "Bill Stone", "bill@practice.test", access.Biller)
	for _, x := range []struct {
		name string
		by   access.Actor
		of   id.Client
		want error
	}{
		{"another practice", w.Ines, w.Theo, fault.NotFound},
		{"a colleague without the client", w.Noor, w.Theo, fault.NotFound},
		{"a biller", biller, w.Theo, fault.Forbidden},
		{"the client", access.AsClient(w.Mara.Practice(), "x", w.Theo), w.Theo, fault.Forbidden},
		{"a stranger", access.Guest(), w.Theo, fault.Forbidden},
		{"a client without an account", w.Mara, fresh, people.ErrNoAccountYet},
	} {
		if err := vouch(t, w, x.by, x.of); !errors.Is(err, x.want) {
			t.Errorf("%s: %v, want %v", x.name, err, x.want)
		}
	}
}

func TestWhoWorksIsNotVouchedFor(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	c := w.Client(t, w.Ines, people.Draft{First: "Noor", Last: "Haddad", Email: "noor@practice.test", EmailConsent: true})
	w.Update(t, func(tx *db.Tx) error {
		token, err := people.CopyLink(tx, w.Ines, c)
		if err != nil {
			return err
		}
		_, err = people.Accept(tx, access.AsPerson(w.Noor.Account()), token)
		return err
	})
	if err := vouch(t, w, w.Ines, c); err != nil {
		t.Fatalf("the practice is told that she works elsewhere: %v", err)
	}
	w.RunJobs(t)
	link := w.Link(t, "noor@practice.test", "/vouched/")
	if err := useVouch(t, w, link, w.Noor.Account()); !errors.Is(err, people.ErrWorks) || !asked(t, w, w.Noor.Account()) {
		t.Errorf("she works in a practice: %v", err)
	}
	w.Pass(people.VouchLife)
	if err := useVouch(t, w, link, w.Noor.Account()); !errors.Is(err, account.ErrLinkEnded) {
		t.Errorf("a day later: %v", err)
	}
}

func TestTheLastSecondStepOfWhoWorksStays(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	drop := func(by access.Actor) error {
		return w.DB.Update(t.Context(), func(tx *db.Tx) error { return people.DropAuthenticator(tx, by) })
	}
	if err := drop(w.Mara); !errors.Is(err, people.ErrLastStep) || !asked(t, w, w.Mara.Account()) {
		t.Errorf("Mara works in a practice: %v", err)
	}
	theo := lost(t, w)
	if err := drop(access.AsPerson(theo)); err != nil || asked(t, w, theo) {
		t.Errorf("a client: %v", err)
	}
	for _, by := range []access.Actor{w.Mara, access.AsPerson(theo), access.Guest()} {
		if err := w.DB.Update(t.Context(), func(tx *db.Tx) error { return people.ResetSecondStep(tx, by, w.Mara.Account()) }); !errors.Is(err, fault.Forbidden) {
			t.Errorf("the operator's deed by somebody else: %v", err)
		}
	}
	w.Update(t, func(tx *db.Tx) error { return people.ResetSecondStep(tx, access.Operator(), w.Mara.Account()) })
	if asked(t, w, w.Mara.Account()) {
		t.Error("the operator took nothing away")
	}
}

func TestEnterAsksForASecondStep(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	theo := lost(t, w)
	work := account.Place{Practice: w.Mara.Practice()}
	own := account.Place{Practice: w.Mara.Practice(), Client: w.Theo}
	role := func(who id.Account, p account.Place, strong bool) (r access.Role) {
		w.View(t, func(tx *db.Tx) error {
			by, err := people.Enter(tx, account.Session{Account: who, Practice: p.Practice, Client: p.Client, Strong: strong})
			r = by.Role()
			return err
		})
		return r
	}
	got := []access.Role{role(w.Mara.Account(), work, false), role(w.Mara.Account(), work, true), role(theo, own, false)}
	w.Update(t, func(tx *db.Tx) error { return people.SetClientStep(tx, w.Mara, true) })
	got = append(got, role(theo, own, false), role(theo, own, true))
	want := []access.Role{access.Waiting, access.Owner, access.Client, access.Waiting, access.Client}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%d: %q, want %q", i, got[i], want[i])
		}
	}
	if err := w.DB.Update(t.Context(), func(tx *db.Tx) error { return people.SetClientStep(tx, w.Noor, false) }); !errors.Is(err, fault.Forbidden) {
		t.Errorf("a practitioner changes the practice's rules: %v", err)
	}
}

func takeAway(t *testing.T, w *world.World, who access.Actor) {
	t.Helper()
	w.Update(t, func(tx *db.Tx) error {
		if err := people.TakeAway(tx, w.Mara, who.Practitioner()); err != nil {
			return err
		}
		return audit.Record(tx, w.Mara, audit.Deed{Did: audit.MemberInactive, Subject: who.Practitioner()})
	})
}

// A link that takes a second step away is no older than what it rests on: care,
// the password, the address, and who vouched.
func TestAVouchEndsWithWhatItRestsOn(t *testing.T) {
	t.Parallel()
	hash := func(t *testing.T, w *world.World) string {
		h, err := w.Doorman.Hasher.Hash(t.Context(), "another long password")
		if err != nil {
			t.Error(err)
		}
		return h
	}
	for _, c := range []struct {
		name string
		then func(t *testing.T, w *world.World, theo id.Account)
		want error
	}{
		{"nothing happens", func(*testing.T, *world.World, id.Account) {}, nil},
		{"the first of two is made inactive", func(t *testing.T, w *world.World, _ id.Account) { // Mara's own stays
			takeAway(t, w, w.Noor)
		}, nil},
		{"who vouched is made inactive", func(t *testing.T, w *world.World, _ id.Account) {
			takeAway(t, w, w.Mara)
		}, account.ErrLinkEnded},
		{"care ends", func(t *testing.T, w *world.World, _ id.Account) {
			w.Update(t, func(tx *db.Tx) error { return people.EndCare(tx, w.Mara, w.Theo, tx.Now()) })
		}, account.ErrLinkEnded},
		{"care ends, and is taken up again", func(t *testing.T, w *world.World, _ id.Account) {
			w.Update(t, func(tx *db.Tx) error { return people.EndCare(tx, w.Mara, w.Theo, tx.Now()) })
			w.Update(t, func(tx *db.Tx) error { return people.ResumeCare(tx, w.Mara, w.Theo) })
		}, account.ErrLinkEnded},
		{"a new password", func(t *testing.T, w *world.World, _ id.Account) {
			w.Update(t, func(tx *db.Tx) error { return account.AskReset(tx, access.Guest(), address(t, theosMail)) })
			w.RunJobs(t)
			link, h := secret.ParseToken(w.Link(t, theosMail, "/reset/")), hash(t, w)
			w.Update(t, func(tx *db.Tx) error { _, err := account.Reset(tx, access.Guest(), link, h); return err })
		}, account.ErrLinkEnded},
		{"a password changed in the settings", func(t *testing.T, w *world.World, theo id.Account) {
			h := hash(t, w)
			w.Update(t, func(tx *db.Tx) error {
				s, err := account.Begin(tx, access.AsPerson(theo), theo, account.Entry{Terms: account.Longest})
				if err != nil {
					return err
				}
				return account.SetPassword(tx, access.AsPerson(theo), h, s)
			})
		}, account.ErrLinkEnded},
		{"a new address", func(t *testing.T, w *world.World, theo id.Account) {
			w.Update(t, func(tx *db.Tx) error { return account.AskEmail(tx, access.AsPerson(theo), address(t, "theo@new.test")) })
			w.RunJobs(t)
			link := secret.ParseToken(w.Link(t, "theo@new.test", "/email/"))
			w.Update(t, func(tx *db.Tx) error { return account.ConfirmEmail(tx, access.AsPerson(theo), link) })
		}, account.ErrLinkEnded},
		{"the address is taken back", func(t *testing.T, w *world.World, theo id.Account) {
			w.Update(t, func(tx *db.Tx) error { return account.AskEmail(tx, access.AsPerson(theo), address(t, "theo@new.test")) })
			w.RunJobs(t)
			link := secret.ParseToken(w.Link(t, "theo@new.test", "/email/"))
			w.Update(t, func(tx *db.Tx) error { return account.ConfirmEmail(tx, access.AsPerson(theo), link) })
			if err := vouch(t, w, w.Mara, w.Theo); err != nil { // the newest, to the thief's address
				t.Fatal(err)
			}
			w.RunJobs(t)
			back := secret.ParseToken(w.Link(t, theosMail, "/email-back/"))
			w.Update(t, func(tx *db.Tx) error { return account.Revert(tx, access.Guest(), back) })
			if err := useVouch(t, w, w.Link(t, "theo@new.test", "/vouched/"), theo); !errors.Is(err, account.ErrLinkEnded) {
				t.Errorf("the one the thief has: %v", err)
			}
		}, account.ErrLinkEnded},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := world.New(t)
			theo := lost(t, w)
			w.Pass(8 * aDay) // or taking the address back takes it for the thief's
			if err := vouch(t, w, w.Mara, w.Theo); err != nil {
				t.Fatal(err)
			}
			w.RunJobs(t)
			link := w.Link(t, theosMail, "/vouched/")
			c.then(t, w, theo)
			if err := useVouch(t, w, link, theo); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if asked(t, w, theo) != (c.want != nil) {
				t.Error("the second step is not what the answer says")
			}
		})
	}
}

// Care that ends by the clock ends the link by the clock.
func TestAVouchDoesNotOutliveCareThatIsToEnd(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	theo := lost(t, w)
	w.Update(t, func(tx *db.Tx) error { return people.EndCare(tx, w.Mara, w.Theo, tx.Now().Plus(time.Hour)) })
	if err := vouch(t, w, w.Mara, w.Theo); err != nil {
		t.Fatal(err)
	}
	w.RunJobs(t)
	link := w.Link(t, theosMail, "/vouched/")
	w.Pass(time.Hour)
	if err := useVouch(t, w, link, theo); !errors.Is(err, account.ErrLinkEnded) || !asked(t, w, theo) {
		t.Errorf("after care ended: %v", err)
	}
}

// Who vouched may have left before the link is used; there is nobody to tell.
func TestAVouchOfWhoHasLeftEndsInPeace(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	theo := lost(t, w)
	ola := w.Colleague(t, "Ola Berg", "ola@practice.test", access.Owner)
	if err := leaves(t, w, ola.Account()); err != nil {
		t.Fatal(err)
	}
	w.Pass(account.Grace)
	depart(t, w)
	w.Pass(aDay)
	if err := vouch(t, w, ola, w.Theo); err != nil { // a moment before she is gone
		t.Fatal(err)
	}
	w.RunJobs(t)
	link := w.Link(t, theosMail, "/vouched/")
	depart(t, w)
	if !gone(t, w, ola.Account()) {
		t.Fatal("premise: she is there still")
	}
	if err := useVouch(t, w, link, theo); !errors.Is(err, account.ErrLinkEnded) {
		t.Errorf("she is no member any more: %v", err)
	}
	if err := w.DB.Exec(t.Context(), "UPDATE vouch SET ended_at = NULL"); err != nil { // as rows from before are
		t.Fatal(err)
	}
	if err := useVouch(t, w, link, theo); err != nil || asked(t, w, theo) {
		t.Errorf("a link from before: %v", err)
	}
}

// A supporter works here, too: neither a practice, nor a slip of their own, takes
// what they sign in to other people's accounts with.
func TestASupporterKeepsASecondStep(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	theo := lost(t, w)
	appoint := func(since int64) {
		t.Helper()
		if err := w.DB.Exec(t.Context(), "INSERT INTO supporter (account_id, since) VALUES ($1, $2)", theo.String(), since); err != nil {
			t.Fatal(err)
		}
	}
	appoint(1)
	if err := vouch(t, w, w.Mara, w.Theo); err != nil {
		t.Fatalf("the practice is told that he is in support: %v", err)
	}
	w.RunJobs(t)
	link := w.Link(t, theosMail, "/vouched/")
	if err := useVouch(t, w, link, theo); !errors.Is(err, people.ErrWorks) || !asked(t, w, theo) {
		t.Errorf("vouched for: %v", err)
	}
	drop := func() error {
		return w.DB.Update(t.Context(), func(tx *db.Tx) error { return people.DropAuthenticator(tx, access.AsSupport(theo)) })
	}
	if err := drop(); !errors.Is(err, people.ErrLastStep) || !asked(t, w, theo) {
		t.Errorf("the last one taken away: %v", err)
	}
	if err := w.DB.Exec(t.Context(), "DELETE FROM supporter"); err != nil {
		t.Fatal(err)
	}
	if err := useVouch(t, w, link, theo); err != nil || asked(t, w, theo) {
		t.Errorf("in support no more: %v", err)
	}
}

// Only who manages members, and the program itself, takes from one what they hold.
func TestNobodyElseTakesAway(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	for _, by := range []access.Actor{w.Noor, access.Guest(), access.AsPerson(w.Mara.Account()), access.AsClient(w.Mara.Practice(), "x", w.Theo)} {
		wants(t, string(by.Role()), update(t, w, func(tx *db.Tx) error { return people.TakeAway(tx, by, w.Noor.Practitioner()) }), fault.Forbidden)
	}
}
