package web

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/secret"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/world"
)

// A password that is being changed while its owner resets it by mail stays as
// the owner chose: whoever asked with the old one comes too late.
func TestAChangeUnderwayDoesNotUndoAReset(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	s.browser(t, w).post("/forgot", form("email", "mara@practice.test")).leads(t, "/forgot?said=sent")
	w.RunJobs(t)
	link := secret.ParseToken(w.Link(t, "mara@practice.test", "/reset/"))
	thief := s.browser(t, w).as("mara@practice.test")
	token := secret.ParseToken(thief.cookies[s.sessionCookie()])
	// The thief's request has proved the old password and hashed the new one …
	by := access.AsPerson(w.Mara.Account())
	if err := s.Doorman.Prove(t.Context(), by, world.Password); err != nil {
		t.Fatal(err)
	}
	stolen := "the thief chose this one"
	hash, err := s.Doorman.Hasher.Hash(t.Context(), stolen)
	if err != nil {
		t.Fatal(err)
	}
	// … when the owner's reset is done, which ends every session.
	own, err := s.Doorman.Hasher.Hash(t.Context(), goodPassword)
	if err != nil {
		t.Fatal(err)
	}
	w.Update(t, func(tx *db.Tx) error {
		_, err := account.Reset(tx, access.Guest(), link, own)
		return err
	})
	err = s.DB.Update(t.Context(), func(tx *db.Tx) error { return account.SetPassword(tx, by, hash, token) })
	if err == nil {
		t.Error("the thief's change came after the reset and was taken")
	}
	if _, err := s.Doorman.SignIn(t.Context(), "mara@practice.test", goodPassword, "192.0.2.1", secret.NewToken()); err != nil {
		t.Errorf("the owner's password: %v", err)
	}
}

// A password that was right before its owner reset it opens nothing afterwards,
// however long it waited to be looked at.
func TestASignInUnderwayDoesNotOutliveAReset(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	s.browser(t, w).post("/forgot", form("email", "mara@practice.test")).leads(t, "/forgot?said=sent")
	w.RunJobs(t)
	link := w.Link(t, "mara@practice.test", "/reset/")
	who, err := s.Doorman.SignIn(t.Context(), "mara@practice.test", world.Password, "192.0.2.1", secret.NewToken())
	if err != nil {
		t.Fatal(err)
	}
	w.Pass(time.Second)
	s.browser(t, w).post("/reset/"+link, form("password", goodPassword)).leads(t, "/sign-in?said=reset")
	if err := w.DB.Update(t.Context(), func(tx *db.Tx) error { return who.Holds(tx, access.Guest()) }); !errors.Is(err, account.ErrWrong) {
		t.Errorf("after the reset: %v", err)
	}
}

// Somebody who signs in with their own browser must not be seen doing it by
// whoever waits at the door with wrong passwords.
func TestSigningInIsNotSeenByWhoGuesses(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	mara := s.browser(t, w)
	mara.signIn("mara@practice.test", world.Password).leads(t, "/dashboard") // known from here on
	stranger := s.browser(t, w)
	guess := func(address string) int {
		return stranger.post("/sign-in", form("email", address, "password", "a wrong password, quite long")).Code
	}
	for _, address := range []string{"mara@practice.test", "nobody@practice.test"} {
		for range 10 {
			guess(address)
		}
		if code := guess(address); code != 429 {
			t.Fatalf("the eleventh guess at %s: %d", address, code)
		}
	}
	mara.signIn("mara@practice.test", world.Password).leads(t, "/dashboard")
	if a, b := guess("mara@practice.test"), guess("nobody@practice.test"); a != b {
		t.Errorf("after she signed in: %d for her address, %d for one without an account", a, b)
	}
}

// Another node has ended the session, and the word has not come here yet: what
// is remembered for a few seconds must not become a session for hours.
func TestAnEndedSessionThatIsStillRememberedBeginsNoOther(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	w.Account(t, "Annie Noda", "annie@new.test")
	s := serve(t, w)
	annie := s.browser(t, w).as("annie@new.test")
	annie.get("/practice/new").shows(t, 200)
	if err := w.DB.Exec(t.Context(), "DELETE FROM session"); err != nil { // as the other node does
		t.Fatal(err)
	}
	annie.post("/practice/new", form("practice", "Stolen Time", "zone", "Europe/Paris"))
	w.Pass(6 * time.Second)
	annie.get("/settings").leads(t, "/sign-in?next=%2Fsettings")
}

// A stranger who asks for other letters must not use up those that bring a
// person back into their account.
func TestAStrangerCannotUseUpTheLettersThatResetAPassword(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	stranger := s.browser(t, w)
	for range 3 {
		stranger.post("/sign-up", form("name", "X", "email", "mara@practice.test")).leads(t, "/sign-up?said=sent")
	}
	s.browser(t, w).post("/forgot", form("email", "mara@practice.test")).leads(t, "/forgot?said=sent")
	w.RunJobs(t)
	w.Link(t, "mara@practice.test", "/reset/")
}

// At any moment whoever asked has a link that works, or may have another.
func TestAStrangerCannotHoldAPasswordShutByAsking(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	for range 3 {
		s.browser(t, w).post("/forgot", form("email", "mara@practice.test")).leads(t, "/forgot?said=sent")
	}
	w.RunJobs(t)
	w.Pass(31 * time.Minute) // the stranger's links have ended
	s.browser(t, w).post("/forgot", form("email", "mara@practice.test")).leads(t, "/forgot?said=sent")
	w.RunJobs(t)
	s.browser(t, w).get("/reset/"+w.Link(t, "mara@practice.test", "/reset/")).shows(t, 200)
}

func copiedLink(t *testing.T, w *world.World, by access.Actor, address string) string {
	t.Helper()
	c := w.Client(t, by, people.Draft{First: "Some", Last: "Body", Email: address, EmailConsent: false})
	var token secret.Token
	w.Update(t, func(tx *db.Tx) (err error) {
		token, err = people.CopyLink(tx, by, c)
		return err
	})
	return token.Reveal()
}

// Each sign-up costs a password hash, and a link whose address has an account
// is never used up by it.
func TestALinkDoesNotBuyHashesWithoutEnd(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	link := copiedLink(t, w, w.Mara, "ines@nextdoor.test")
	b := s.browser(t, w)
	busy := 0
	for range 80 {
		if b.post("/join/"+link, form("password", goodPassword)).Code == http.StatusTooManyRequests {
			busy++
		}
	}
	if busy == 0 {
		t.Error("80 hashes for one link, and no end")
	}
}

// Names in a letter are words, never links.
func TestNamesInALetterAreNoLinks(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	w.Update(t, func(tx *db.Tx) error {
		return people.SetPractice(tx, w.Mara, "Your account is closed: www.evil.test/login", "America/New_York")
	})
	w.Update(t, func(tx *db.Tx) error { return people.Rename(tx, w.Mara, "https://evil.test/a") })
	c := w.Client(t, w.Mara, people.Draft{First: "https://evil.test/b", Last: "X", Email: "victim@else.test", EmailConsent: true})
	w.Update(t, func(tx *db.Tx) error { return people.Invite(tx, w.Mara, c, "see https://evil.test/c") })
	w.RunJobs(t)
	for _, l := range w.Letters("victim@else.test") {
		if strings.Contains(l.Text+l.Subject+l.HTML, "evil.test") {
			t.Errorf("the letter links elsewhere:\n%s\n%s", l.Subject, l.Text)
		}
	}
}

// An account that somebody planted on an address has its owner's name once they
// have come by their own invitation.
func TestAPlantedAccountLosesItsName(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	// Ines, whom Theo has never seen, plants an account on Theo's address.
	planted := copiedLink(t, w, w.Ines, "theo@example.com")
	s.browser(t, w).post("/join/"+planted, form("password", goodPassword)).leads(t, "/welcome")
	w.Update(t, func(tx *db.Tx) error { return people.Invite(tx, w.Mara, w.Theo, "") })
	w.RunJobs(t)
	theo := s.browser(t, w)
	theo.post("/join/"+w.Link(t, "theo@example.com", "/join/"), form("password", world.Password)).leads(t, "/welcome")
	theo.get("/settings").shows(t, 200, "<dt>Name</dt><dd>Theo Vance</dd>")
}

// With clients made up for it, a practice could fill a stranger's mailbox.
func TestOneMailboxIsNotFilledWithInvitations(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	mara := s.browser(t, w).as("mara@practice.test")
	for i := range 20 {
		c := w.Client(t, w.Mara, people.Draft{First: fmt.Sprint("N", i), Last: "X", Email: "victim@else.test", EmailConsent: true})
		mara.post("/people/"+c.String()+"/invitation", form("note", "hello"))
	}
	w.RunJobs(t)
	if n := len(w.Letters("victim@else.test")); n > 10 {
		t.Errorf("%d letters to one mailbox at once", n)
	}
}
