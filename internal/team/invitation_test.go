package team_test

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
	"icouch/internal/letter"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/team"
	"icouch/internal/world"
)

const newMail = "nora@elsewhere.test"

func signUp(t testing.TB, w *world.World, token secret.Token) (j people.Joined, err error) {
	t.Helper()
	err = update(t, w, func(tx *db.Tx) (err error) { j, err = team.SignUp(tx, access.Guest(), token, "hash"); return err })
	return j, err
}

func TestAColleagueIsInvitedByOneLetterAndJoinsOnce(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	token := invite(t, w, "Nora New", newMail, access.Supervisor)
	l := w.Letters(newMail)
	if len(l) != 1 || l[0].Subject != "Mara Lindqvist invites you to work in The Practice of Mara on iCouch" || strings.Contains(l[0].Text, "Theo") {
		t.Fatalf("the letter is %+v", l)
	}
	before := trail(t, w, "member.invitation_accepted")
	for range 3 { // mail filters look too
		w.View(t, func(tx *db.Tx) error {
			o, err := team.Look(tx, access.Guest(), token)
			if o.Fault() != nil || o.Inviter != "Mara Lindqvist" || o.Role != access.Supervisor || o.Name != "Nora New" {
				t.Errorf("the link offers %+v", o)
			}
			return err
		})
	}
	told := atOnce(16, func(int) error {
		return w.DB.Update(t.Context(), func(tx *db.Tx) error { _, err := team.SignUp(tx, access.Guest(), token, "hash"); return err })
	})
	if told[nil] != 1 || told[people.ErrLinkUsed] != 15 {
		t.Errorf("told %v", told)
	}
	var who account.Account
	w.View(t, func(tx *db.Tx) (err error) {
		who, err = account.ByEmail(tx, access.Guest(), address(t, newMail))
		return err
	})
	is := enter(t, w, access.AsPractitioner(w.Mara.Practice(), who.ID, "", access.Supervisor))
	if is.Role() != access.Supervisor || !who.Verified || who.Name != "Nora New" || trail(t, w, "member.invitation_accepted") != before+1 {
		t.Errorf("she is %q, verified: %t", is.Role(), who.Verified)
	}
	w.RunJobs(t)
	if len(letters(w, "mara@practice.test", "A colleague has joined")) != 1 || len(open(t, w)) != 0 {
		t.Error("Mara is told, and nothing is open any more")
	}
}

func TestWhoMayInviteWhomAsWhat(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	ada := w.Colleague(t, "Ada Stone", "ada@practice.test", access.Administrator)
	gone := w.Colleague(t, "Gone Stone", "gone@practice.test", access.Biller)
	w.Update(t, func(tx *db.Tx) error { return team.Deactivate(tx, w.Mara, gone.Practitioner(), "") })
	for _, c := range []struct {
		name string
		by   access.Actor
		d    team.Draft
		want error
	}{
		{"an administrator an owner", ada, team.Draft{Name: "X", Email: address(t, newMail), Role: access.Owner}, fault.Forbidden},
		{"a practitioner", w.Noor, team.Draft{Name: "X", Email: address(t, newMail), Role: access.Biller}, fault.Forbidden},
		{"a client", access.AsClient(w.Mara.Practice(), w.Mara.Account(), w.Theo), team.Draft{Name: "X", Email: address(t, newMail), Role: access.Biller}, fault.Forbidden},
		{"nobody", access.Guest(), team.Draft{Name: "X", Email: address(t, newMail), Role: access.Biller}, fault.Forbidden},
		{"as a client", w.Mara, team.Draft{Name: "X", Email: address(t, newMail), Role: access.Client}, team.ErrNoRole},
		{"without a name", w.Mara, team.Draft{Name: " ", Email: address(t, newMail), Role: access.Biller}, team.ErrNoName},
		{"without an address", w.Mara, team.Draft{Name: "X", Role: access.Biller}, team.ErrNoEmail},
		{"a member", w.Mara, team.Draft{Name: "X", Email: address(t, "noor@practice.test"), Role: access.Biller}, team.ErrIsMember},
		{"an inactive member", w.Mara, team.Draft{Name: "X", Email: address(t, "gone@practice.test"), Role: access.Biller}, team.ErrWasMember},
	} {
		wants(t, c.name, update(t, w, func(tx *db.Tx) error { return team.Invite(tx, c.by, c.d) }), c.want)
	}
	if w.RunJobs(t) != 0 || len(open(t, w)) != 0 {
		t.Error("a refusal left something")
	}
	d := team.Draft{Name: "Nora", Email: address(t, newMail), Role: access.Owner}
	told := atOnce(8, func(int) error {
		return w.DB.Update(t.Context(), func(tx *db.Tx) error { return team.Invite(tx, w.Mara, d) })
	})
	if told[nil] != 1 || told[team.ErrInvited] != 7 {
		t.Errorf("told %v", told)
	}
	inv := open(t, w)[0].ID
	resend := func(by access.Actor) error {
		return update(t, w, func(tx *db.Tx) error { return team.Resend(tx, by, inv) })
	}
	withdraw := func(by access.Actor) error {
		return update(t, w, func(tx *db.Tx) error { return team.Withdraw(tx, by, inv) })
	}
	wants(t, "an owner's, sent again by an administrator", resend(ada), fault.Forbidden)
	wants(t, "sent again by the owner next door", resend(w.Ines), fault.NotFound)
	wants(t, "withdrawn by the owner next door", withdraw(w.Ines), fault.NotFound)
	wants(t, "withdrawn by a practitioner", withdraw(w.Noor), fault.Forbidden)
	wants(t, "at once again", resend(w.Mara), team.ErrJustSent)
	// Next door the same address is another invitation.
	w.Update(t, func(tx *db.Tx) error { return team.Invite(tx, w.Ines, d) })
	if err := withdraw(w.Mara); err != nil {
		t.Error(err)
	}
	wants(t, "twice", withdraw(w.Mara), team.ErrOver)
}

func TestLinksOfColleaguesEndAndAreRenewed(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	says := func(what string, token secret.Token, want error) {
		t.Helper()
		var got error
		w.View(t, func(tx *db.Tx) error {
			o, err := team.Look(tx, access.Guest(), token)
			if got = err; err == nil {
				got = o.Fault()
			}
			if got != nil && (o.Name != "" || !o.Email.IsZero() || o.Inviter != "") {
				t.Errorf("%s: the dead link shows who it was for", what)
			}
			return nil
		})
		if got != want && !errors.Is(got, want) {
			t.Errorf("%s says %v, want %v", what, got, want)
		}
	}
	renew := func(token secret.Token) {
		t.Helper()
		w.Update(t, func(tx *db.Tx) error { return team.Renew(tx, access.Guest(), token) })
		w.RunJobs(t)
	}
	first := invite(t, w, "Nora New", newMail, access.Biller)
	says("made up", secret.NewToken(), people.ErrLinkUnknown)
	renew(secret.NewToken())
	w.Pass(14*24*time.Hour - time.Second)
	says("in time", first, nil)
	w.Pass(time.Second)
	says("two weeks old", first, people.ErrLinkExpired)
	_, err := signUp(t, w, first)
	wants(t, "two weeks old", err, people.ErrLinkExpired)
	renew(first)
	second := link(t, w, newMail)
	if second.Reveal() == first.Reveal() {
		t.Fatal("no new link came")
	}
	says("replaced", first, people.ErrLinkReplaced)
	says("the new one", second, nil)
	renew(first) // within the minute
	if len(w.Letters(newMail)) != 2 {
		t.Error("a double press sent two letters")
	}
	w.Update(t, func(tx *db.Tx) error { return team.Withdraw(tx, w.Mara, open(t, w)[0].ID) })
	says("withdrawn", second, people.ErrLinkWithdrawn)
	renew(second)
	renew(second)
	w.Pass(time.Hour)
	renew(first)
	if len(w.Letters(newMail)) != 2 || len(letters(w, "mara@practice.test", "asks for a new invitation")) != 1 {
		t.Error("of a withdrawn link, who invited is asked, once")
	}
	again := open(t, w)
	if len(again) != 1 || again[0].AskedAt == nil {
		t.Fatalf("that they ask is shown: %+v", again)
	}
	w.Update(t, func(tx *db.Tx) error { return team.Resend(tx, w.Mara, again[0].ID) })
	w.RunJobs(t)
	if _, err := signUp(t, w, link(t, w, newMail)); err != nil {
		t.Error(err)
	}
	renew(second)
	if n := len(letters(w, newMail, "")); n != 3 {
		t.Errorf("%d letters", n)
	}
	w.Update(t, func(tx *db.Tx) error { return team.WishRenewal(tx, access.Guest(), address(t, newMail)) })
}

func TestSomebodyWithAnAccountAcceptsSignedIn(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	token := invite(t, w, "Ines D", "ines@nextdoor.test", access.Practitioner)
	_, err := signUp(t, w, token)
	wants(t, "a password for an address that has one", err, people.ErrSignInToAccept)
	accept := func(by access.Actor) error {
		return update(t, w, func(tx *db.Tx) error { _, err := team.Accept(tx, by, token); return err })
	}
	wants(t, "somebody else", accept(w.Noor), people.ErrSomebodyElse)
	wants(t, "nobody", accept(access.Guest()), fault.Forbidden)
	err = update(t, w, func(tx *db.Tx) error {
		_, err := team.Accept(tx, w.Ines, token)
		return errors.Join(err, errors.New("something later fails"))
	})
	if err == nil || enter(t, w, access.AsPractitioner(w.Mara.Practice(), w.Ines.Account(), "", "")).Practice() != "" {
		t.Fatal("what was undone has left something")
	}
	if err := accept(w.Ines); err != nil {
		t.Fatal(err)
	}
	here := enter(t, w, access.AsPractitioner(w.Mara.Practice(), w.Ines.Account(), "", ""))
	if here.Role() != access.Practitioner || enter(t, w, w.Ines).Role() != access.Owner {
		t.Errorf("she is %q here", here.Role())
	}
	if sees(t, w, here, w.Theo) {
		t.Error("she sees a colleague's client")
	}
}

// An account that nobody ever proved is not the invited person's until they
// choose a password of their own.
func TestAnUnprovedAccountIsTakenOver(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	w.Update(t, func(tx *db.Tx) error {
		_, err := account.Make(tx, access.Guest(), account.New{Name: "Planted", Email: address(t, newMail), Password: "planted"})
		return err
	})
	if _, err := signUp(t, w, invite(t, w, "Nora New", newMail, access.Biller)); err != nil {
		t.Fatal(err)
	}
	w.View(t, func(tx *db.Tx) error {
		a, err := account.ByEmail(tx, access.Guest(), address(t, newMail))
		if a.Name != "Nora New" || !a.Verified {
			t.Errorf("the account is %+v", a)
		}
		return err
	})
}

func TestColleaguesAreNotWrittenToTooOften(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	invite(t, w, "Nora New", newMail, access.Biller)
	for range 9 {
		w.Pass(2 * time.Minute)
		w.Update(t, func(tx *db.Tx) error { return team.Resend(tx, w.Mara, open(t, w)[0].ID) })
	}
	w.Pass(2 * time.Minute)
	wants(t, "the eleventh in an hour", update(t, w, func(tx *db.Tx) error { return team.Resend(tx, w.Mara, open(t, w)[0].ID) }), team.ErrManyLetters)
	w.Pass(time.Hour)
	w.Update(t, func(tx *db.Tx) error { return letter.Decline(tx, access.Guest(), address(t, newMail)) })
	wants(t, "who wants none", update(t, w, func(tx *db.Tx) error { return team.Resend(tx, w.Mara, open(t, w)[0].ID) }), team.ErrDeclined)
	wants(t, "no such invitation", update(t, w, func(tx *db.Tx) error { return team.Resend(tx, w.Mara, id.New[id.TeamInvitation](w.Now())) }), fault.NotFound)
}

func TestACopiedLinkBringsAColleagueInAndProvesNoAddress(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	w.Update(t, func(tx *db.Tx) error {
		return team.Invite(tx, w.Mara, team.Draft{Name: "Nora New", Email: address(t, newMail), Role: access.Biller})
	})
	of := func(name string) id.TeamInvitation {
		for _, i := range open(t, w) {
			if i.Name == name {
				return i.ID
			}
		}
		t.Fatalf("%s is not listed", name)
		return ""
	}
	inv := of("Nora New")
	var token secret.Token
	copied := func(by access.Actor, of id.TeamInvitation) error {
		return update(t, w, func(tx *db.Tx) (err error) { _, token, err = team.CopyLink(tx, by, of); return err })
	}
	ada := w.Colleague(t, "Ada Stone", "ada@practice.test", access.Administrator)
	w.Update(t, func(tx *db.Tx) error {
		return team.Invite(tx, w.Mara, team.Draft{Name: "Olga Own", Email: address(t, "olga@elsewhere.test"), Role: access.Owner})
	})
	wants(t, "by the owner next door", copied(w.Ines, inv), fault.NotFound)
	wants(t, "by a practitioner", copied(w.Noor, inv), fault.Forbidden)
	wants(t, "by nobody", copied(access.Guest(), inv), fault.Forbidden)
	wants(t, "an owner's by an administrator", copied(ada, of("Olga Own")), fault.Forbidden)
	undone := errors.New("undone")
	wants(t, "undone", update(t, w, func(tx *db.Tx) error {
		if _, _, err := team.CopyLink(tx, w.Mara, inv); err != nil {
			return err
		}
		return undone
	}), undone)
	told := atOnce(8, func(int) error {
		return w.DB.Update(t.Context(), func(tx *db.Tx) error { _, _, err := team.CopyLink(tx, w.Mara, inv); return err })
	})
	if told[nil] != 1 || told[team.ErrOver] != 7 {
		t.Errorf("told %v", told)
	}
	before := trail(t, w, "invitation.link_copied")
	inv = of("Nora New")
	wants(t, "again", copied(w.Mara, inv), nil)
	w.RunJobs(t)
	if len(w.Letters(newMail)) != 0 || trail(t, w, "invitation.link_copied") != before+1 {
		t.Error("a copied link is in the trail, and the letter before it does not go")
	}
	for _, i := range open(t, w) {
		if i.ByHand != (i.Name == "Nora New") || i.ByHand && i.Letter != letter.Cancelled {
			t.Errorf("open is %+v", i)
		}
	}
	if _, err := signUp(t, w, token); err != nil {
		t.Fatal(err)
	}
	w.RunJobs(t)
	w.View(t, func(tx *db.Tx) error {
		who, err := account.ByEmail(tx, access.Guest(), address(t, newMail))
		if who.Verified {
			t.Error("a link that was handed over proves an address")
		}
		return err
	})
	if len(letters(w, newMail, "Confirm your e-mail address")) != 1 {
		t.Error("she is not asked to confirm the address")
	}
	wants(t, "used", copied(w.Mara, inv), team.ErrOver)
	// Somebody else has made an account with the address, and proved nothing.
	w.Update(t, func(tx *db.Tx) error {
		_, err := account.Make(tx, access.Guest(), account.New{Name: "Olga", Email: address(t, "olga@elsewhere.test"), Password: "hash"})
		return err
	})
	wants(t, "another's", copied(w.Mara, of("Olga Own")), nil)
	_, err := signUp(t, w, token)
	wants(t, "an address that has an account", err, people.ErrSignInToAccept)
}

// A practice that was put away offers nothing any more: its links are dead, and
// no new one is sent.
func TestNobodyJoinsAPracticeThatWasPutAway(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	var otto access.Actor
	who := w.Account(t, "Otto Lake", "otto@away.test")
	w.Update(t, func(tx *db.Tx) (err error) {
		otto, err = people.Found(tx, access.AsPerson(who), "The Practice of Otto", "Europe/London")
		return err
	})
	w.Update(t, func(tx *db.Tx) error {
		return team.Invite(tx, otto, team.Draft{Name: "Nora New", Email: address(t, newMail), Role: access.Owner})
	})
	w.RunJobs(t)
	token := link(t, w, newMail)
	nora := w.Account(t, "Nora New", newMail)
	if err := w.DB.Exec(t.Context(), "UPDATE practice SET put_away_at = 1 WHERE id = $1", otto.Practice().String()); err != nil {
		t.Fatal(err)
	}
	look := func() (err error) {
		w.View(t, func(tx *db.Tx) error { _, err = team.Look(tx, access.Guest(), token); return nil })
		return err
	}
	wants(t, "looking", look(), people.ErrLinkUnknown)
	_, err := signUp(t, w, token)
	wants(t, "signing up", err, people.ErrLinkUnknown)
	wants(t, "accepting", update(t, w, func(tx *db.Tx) error { _, err := team.Accept(tx, access.AsPerson(nora), token); return err }), people.ErrLinkUnknown)
	w.Pass(15 * 24 * time.Hour) // run out, the link could be asked for again
	sent := len(w.Letters(newMail))
	w.Update(t, func(tx *db.Tx) error { return team.Renew(tx, access.Guest(), token) })
	w.Update(t, func(tx *db.Tx) error { return team.RenewByAddress(tx, access.Guest(), address(t, newMail)) })
	w.RunJobs(t)
	if n := len(w.Letters(newMail)) - sent; n != 0 {
		t.Errorf("%d new links were sent", n)
	}
	if err := w.DB.Exec(t.Context(), "UPDATE practice SET put_away_at = NULL"); err != nil { // the premise
		t.Fatal(err)
	}
	w.Update(t, func(tx *db.Tx) error { return team.Renew(tx, access.Guest(), token) })
	w.RunJobs(t)
	if n := len(w.Letters(newMail)) - sent; n != 1 {
		t.Errorf("premise: taken up again, it sends %d links", n)
	}
}
