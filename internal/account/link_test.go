package account_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/audit"
	"icouch/internal/base/email"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/platform/db"
	"icouch/internal/platform/mail"
)

func (h *house) beginSignUp(t *testing.T, name, address string) {
	t.Helper()
	h.do(t, func(tx *db.Tx) error {
		return account.BeginSignUp(tx, access.Guest(), name, mailbox(t, address))
	})
}

func confirmSignUp(link secret.Token) func(tx *db.Tx) error {
	return func(tx *db.Tx) error {
		_, err := account.ConfirmSignUp(tx, access.Guest(), link, cheap(right))
		return err
	}
}

func TestAPractitionerSignsUpInTwoSteps(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.undo(t, func(tx *db.Tx) error {
		return account.BeginSignUp(tx, access.Guest(), "Rashida", mailbox(t, "rashida@example.com"))
	})
	h.beginSignUp(t, " Rashida ", "Rashida@example.com")
	if r := h.rows(t); r.accounts != 0 {
		t.Fatal("there is an account before the address is proved")
	}
	link := token(t, h.letter(t, "Rashida@example.com", "Confirm your e-mail address"), "confirm")
	for range 20 { // mail filters look, and look again
		h.see(t, func(tx *db.Tx) error {
			s, err := account.PeekSignUp(tx, access.Guest(), link)
			if s.Name != "Rashida" || s.Email.String() != "Rashida@example.com" {
				t.Errorf("the page shows %q %q", s.Name, s.Email.String())
			}
			return err
		})
	}
	h.undo(t, confirmSignUp(link))
	if won := h.atOnce(t, confirmSignUp(link), account.ErrLinkUsed); won != 1 {
		t.Errorf("%d of 16 used the link", won)
	}
	if r := h.rows(t); r.accounts != 1 {
		t.Errorf("%d accounts", r.accounts)
	}
	a, err := h.door.SignIn(t.Context(), "rashida@example.com", right, "192.0.2.1", secret.Token{})
	if err != nil {
		t.Fatal(err)
	}
	if got := h.account(t, access.AsPerson(a.Account)); !got.Verified || got.Name != "Rashida" {
		t.Errorf("account: %+v", got)
	}
}

func TestSigningUpWithAKnownAddressLooksTheSame(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.annie(t)
	before := h.rows(t)
	h.beginSignUp(t, "Annie", "new@example.com")
	between := h.rows(t)
	h.beginSignUp(t, "Annie", "annie.noda@example.com")
	after := h.rows(t)
	between.accounts, after.accounts = 0, 0
	before.accounts = 0
	for _, p := range [][3]int64{{before.signUps, between.signUps, after.signUps}, {before.letters, between.letters, after.letters},
		{before.jobs, between.jobs, after.jobs}, {before.trail, between.trail, after.trail}} {
		if p[1]-p[0] != p[2]-p[1] || p[1] == p[0] {
			t.Errorf("a new address adds %d rows, a known one %d", p[1]-p[0], p[2]-p[1])
		}
	}
	var dead int
	if err := h.Row(t.Context(), "SELECT COUNT(*) FROM sign_up WHERE used_at IS NOT NULL", nil, &dead); err != nil || dead != 1 {
		t.Errorf("%d sign-ups cannot be used, want that of the known address: %v", dead, err)
	}
	sent := h.deliver(t)
	if len(sent) != 2 {
		t.Fatalf("%d letters", len(sent))
	}
	for _, m := range sent {
		known := m.To == "annie.noda@example.com"
		if known != (m.Subject == "You already have an account") || known == strings.Contains(m.Text, "/confirm/") {
			t.Errorf("to %s: %q", m.To, m.Subject)
		}
		if known && !strings.Contains(m.Text, "https://icouch.test/sign-in\n") {
			t.Errorf("no way to sign in:\n%s", m.Text)
		}
	}
}

func TestSignUpLinksThatDoNotWorkSayWhy(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.refuse(t, account.ErrNoName, func(tx *db.Tx) error {
		return account.BeginSignUp(tx, access.Guest(), "", mailbox(t, "a@example.com"))
	})
	h.refuse(t, email.ErrAddress, func(tx *db.Tx) error {
		return account.BeginSignUp(tx, access.Guest(), "David", email.Address{})
	})
	h.beginSignUp(t, "David", "david@example.com")
	first := token(t, h.letter(t, "david@example.com", "Confirm your e-mail address"), "confirm")
	h.beginSignUp(t, "David", "david@example.com")
	second := token(t, h.letter(t, "david@example.com", "Confirm your e-mail address"), "confirm")
	h.pass(24*time.Hour - time.Second)
	h.do(t, confirmSignUp(first))
	h.refuse(t, account.ErrLinkUsed, confirmSignUp(first))
	h.refuse(t, account.ErrTaken, confirmSignUp(second)) // the address has an account by now
	h.pass(time.Second)
	h.refuse(t, account.ErrLinkEnded, confirmSignUp(second))
	h.refuse(t, account.ErrLinkUnknown, confirmSignUp(secret.NewToken()))
	if !errors.Is(account.ErrLinkUsed, fault.Gone) || !errors.Is(account.ErrLinkEnded, fault.Gone) || !errors.Is(account.ErrLinkUnknown, fault.NotFound) {
		t.Error("the kinds of the answers")
	}
}

// asked asks for a new password and returns the link.
func (h *house) asked(t *testing.T, address string) secret.Token {
	t.Helper()
	h.do(t, askReset(t, address))
	sent := h.deliver(t)
	if len(sent) != 1 {
		t.Fatalf("%d letters, want 1", len(sent))
	}
	return token(t, sent[0], "reset")
}

func askReset(t *testing.T, address string) func(*db.Tx) error {
	e := mailbox(t, address)
	return func(tx *db.Tx) error { return account.AskReset(tx, access.Guest(), e) }
}

func resetTo(link secret.Token, hash string) func(*db.Tx) error {
	return func(tx *db.Tx) error {
		_, err := account.Reset(tx, access.Guest(), link, hash)
		return err
	}
}

func TestAForgottenPasswordIsReplacedOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	planted := h.person(t, "Buy Pills At", "annie.noda@example.com", false)
	in, device := h.begin(t, planted, account.Place{}), h.remember(t, planted)
	h.do(t, func(tx *db.Tx) error { return account.AskEmail(tx, planted, mailbox(t, "thief@example.com")) })
	away := token(t, h.letter(t, "thief@example.com", "Confirm your new e-mail address"), "email")
	h.undo(t, askReset(t, "annie.noda@example.com"))

	h.do(t, askReset(t, "Annie.Noda@EXAMPLE.com"))
	m := h.letter(t, "annie.noda@example.com", "Choose a new password")
	if strings.Contains(m.Text+m.HTML, "Pills") {
		t.Error("a name that a stranger typed greets an unproved mailbox")
	}
	link := token(t, m, "reset")
	for range 20 {
		h.see(t, func(tx *db.Tx) error { return account.PeekReset(tx, access.Guest(), link) })
	}
	h.pass(30*time.Minute - time.Microsecond)
	h.undo(t, resetTo(link, cheap("a new one for this test")))
	if won := h.atOnce(t, resetTo(link, cheap("a new one for this test")), account.ErrLinkUsed); won != 1 {
		t.Errorf("%d of 16 chose a password", won)
	}
	h.letter(t, "annie.noda@example.com", "Your password was changed")
	if h.signedIn(t, in) || !h.account(t, planted).Verified {
		t.Error("a session is left, or the address is unproved still")
	}
	if _, err := h.door.SignIn(t.Context(), "annie.noda@example.com", right, "192.0.2.1", device); !errors.Is(err, account.ErrWrong) {
		t.Errorf("the old password: %v", err)
	}
	if _, err := h.door.SignIn(t.Context(), "annie.noda@example.com", "a new one for this test", "192.0.2.1", device); err != nil {
		t.Errorf("the new password: %v", err)
	}
	h.refuse(t, account.ErrLinkEnded, func(tx *db.Tx) error { return account.ConfirmEmail(tx, planted, away) })
	if h.trail(t, audit.PasswordChanged) != 1 || h.trail(t, audit.AccountVerified) != 1 || h.trail(t, audit.ResetAsked) != 1 {
		t.Error("the trail does not say each once")
	}
}

func TestResetLinksThatDoNotWorkSayWhy(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	annie := h.annie(t)
	first, second := h.asked(t, "annie.noda@example.com"), h.asked(t, "annie.noda@example.com")
	h.refuse(t, account.ErrLinkEnded, resetTo(first, cheap(right)))
	h.refuse(t, account.ErrLinkUnknown, resetTo(secret.NewToken(), cheap(right)))
	h.refuse(t, account.ErrLinkUnknown, func(tx *db.Tx) error { return account.ConfirmEmail(tx, annie, second) }) // another purpose
	h.pass(30 * time.Minute)
	h.refuse(t, account.ErrLinkEnded, resetTo(second, cheap(right)))
	h.see(t, func(tx *db.Tx) error {
		if err := account.PeekReset(tx, access.Guest(), second); !errors.Is(err, account.ErrLinkEnded) {
			t.Errorf("looking at it: %v", err)
		}
		return nil
	})
}

func TestOneResetLinkIsLiveHoweverManyAreAskedFor(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.annie(t)
	if won := h.atOnce(t, askReset(t, "annie.noda@example.com")); won != 16 {
		t.Errorf("%d of 16 were answered", won)
	}
	if r := h.rows(t); r.live != 1 || r.links != 16 || r.letters != 16 {
		t.Errorf("%+v", r)
	}
	works := 0
	for _, m := range h.deliver(t) {
		h.see(t, func(tx *db.Tx) error {
			if account.PeekReset(tx, access.Guest(), token(t, m, "reset")) == nil {
				works++
			}
			return nil
		})
	}
	if works != 1 {
		t.Errorf("%d of the links work", works)
	}
}

func TestAskingForTheResetOfAnUnknownAddressSendsNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.annie(t)
	h.do(t, askReset(t, "nobody@example.com"))
	if r := h.rows(t); r.links != 0 || r.letters != 0 || r.jobs != 0 || h.trail(t, audit.ResetAsked) != 1 {
		t.Errorf("%+v", r)
	}
}

// moved moves Annie's account to a new address and returns the letter to the old one.
func (h *house) moved(t *testing.T, annie access.Actor, to string) mail.Message {
	t.Helper()
	from := h.account(t, annie).Email.String()
	h.deliver(t)
	h.do(t, func(tx *db.Tx) error { return account.AskEmail(tx, annie, mailbox(t, to)) })
	link := token(t, h.letter(t, to, "Confirm your new e-mail address"), "email")
	h.do(t, func(tx *db.Tx) error { return account.ConfirmEmail(tx, annie, link) })
	return h.letter(t, from, "Your sign-in e-mail was changed")
}

func TestANewAddressIsProvedAndTheOldOneToldHowToTakeItBack(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	annie, vince := h.annie(t), h.person(t, "Vince Gill", "vince@example.com", true)
	in := h.begin(t, annie, account.Place{})
	stale := h.asked(t, "annie.noda@example.com")
	ask := func(tx *db.Tx) error { return account.AskEmail(tx, annie, mailbox(t, "Annie@new.example")) }
	h.undo(t, ask)
	h.do(t, ask)
	link := token(t, h.letter(t, "Annie@new.example", "Confirm your new e-mail address"), "email")
	h.see(t, func(tx *db.Tx) error {
		e, err := account.PeekEmail(tx, access.Guest(), link)
		if e.String() != "Annie@new.example" {
			t.Errorf("the page shows %q", e.String())
		}
		return err
	})
	h.refuse(t, account.ErrSignInFirst, func(tx *db.Tx) error { return account.ConfirmEmail(tx, access.Guest(), link) })
	h.refuse(t, account.ErrSignInFirst, func(tx *db.Tx) error { return account.ConfirmEmail(tx, vince, link) })
	confirm := func(tx *db.Tx) error { return account.ConfirmEmail(tx, annie, link) }
	h.undo(t, confirm)
	if won := h.atOnce(t, confirm, account.ErrLinkUsed); won != 1 {
		t.Errorf("%d of 16 confirmed", won)
	}
	back := token(t, h.letter(t, "Annie.Noda@example.com", "Your sign-in e-mail was changed"), "email-back")
	if a := h.account(t, annie); a.Email.String() != "Annie@new.example" || !a.Verified || !h.signedIn(t, in) {
		t.Errorf("after the change: %q, signed in: %v", a.Email.String(), h.signedIn(t, in))
	}
	h.refuse(t, account.ErrLinkEnded, resetTo(stale, cheap(right))) // it went to the old mailbox
	if _, err := h.door.SignIn(t.Context(), "annie.noda@example.com", right, "192.0.2.1", secret.Token{}); !errors.Is(err, account.ErrWrong) {
		t.Errorf("the old address: %v", err)
	}
	if _, err := h.door.SignIn(t.Context(), "annie@NEW.example", right, "192.0.2.1", secret.Token{}); err != nil {
		t.Errorf("the new address: %v", err)
	}

	// A thief with the password changes it, and asks for yet another address.
	h.do(t, func(tx *db.Tx) error { return account.SetPassword(tx, annie, cheap("the thief's own password"), in) })
	h.do(t, func(tx *db.Tx) error { return account.AskEmail(tx, annie, mailbox(t, "third@new.example")) })
	h.deliver(t)
	h.remember(t, annie)
	h.pass(7*24*time.Hour - 2*time.Second)
	thief := h.begin(t, annie, account.Place{})
	h.see(t, func(tx *db.Tx) error {
		e, err := account.PeekRevert(tx, access.Guest(), back)
		if e.String() != "Annie.Noda@example.com" {
			t.Errorf("the page shows %q", e.String())
		}
		return err
	})
	revert := func(tx *db.Tx) error { return account.Revert(tx, access.Guest(), back) }
	h.undo(t, revert)
	if won := h.atOnce(t, revert, account.ErrLinkUsed); won != 1 {
		t.Errorf("%d of 16 took it back", won)
	}
	h.letter(t, "Annie.Noda@example.com", "Your sign-in e-mail was put back")
	if r := h.rows(t); h.signedIn(t, thief) || r.devices != 0 || r.live != 0 || h.account(t, annie).Email.String() != "Annie.Noda@example.com" {
		t.Errorf("after taking it back: %+v", r)
	}
	for _, pw := range []string{right, "the thief's own password", ""} {
		if _, err := h.door.SignIn(t.Context(), "annie.noda@example.com", pw, "192.0.2.1", secret.Token{}); !errors.Is(err, account.ErrWrong) {
			t.Errorf("a password somebody else may know: %v", err)
		}
	}
	h.do(t, resetTo(h.asked(t, "annie.noda@example.com"), cheap("what annie chose after")))
	if _, err := h.door.SignIn(t.Context(), "annie.noda@example.com", "what annie chose after", "192.0.2.1", secret.Token{}); err != nil {
		t.Errorf("after a reset: %v", err)
	}
}

func TestAThiefWhoMovesTwiceShutsNobodyOut(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	annie := h.annie(t)
	back := token(t, h.moved(t, annie, "one@thief.example"), "email-back")
	if second := h.moved(t, annie, "two@thief.example"); strings.Contains(second.Text, "/email-back/") {
		t.Error("the thief's own address was handed a way back")
	}
	h.do(t, resetTo(h.asked(t, "two@thief.example"), cheap("the thief's own password")))
	h.do(t, func(tx *db.Tx) error { return account.Revert(tx, access.Guest(), back) })
	if a := h.account(t, annie); a.Email.String() != "Annie.Noda@example.com" {
		t.Errorf("Annie's account is at %q", a.Email.String())
	}
}

func TestTheWayBackEndsAndThenThereIsANewOne(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	annie := h.annie(t)
	back := token(t, h.moved(t, annie, "one@example.com"), "email-back")
	h.pass(7 * 24 * time.Hour)
	h.refuse(t, account.ErrLinkEnded, func(tx *db.Tx) error { return account.Revert(tx, access.Guest(), back) })
	h.refuse(t, account.ErrLinkUnknown, func(tx *db.Tx) error { return account.Revert(tx, access.Guest(), secret.NewToken()) })
	next := token(t, h.moved(t, annie, "two@example.com"), "email-back")
	h.person(t, "David", "one@example.com", true) // somebody has taken the old address
	h.refuse(t, account.ErrTaken, func(tx *db.Tx) error { return account.Revert(tx, access.Guest(), next) })
}

func TestAskingForAnAddress(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	annie := h.annie(t)
	h.person(t, "Vince Gill", "vince@example.com", true)
	ask := func(by access.Actor, to string) func(*db.Tx) error {
		e := mailbox(t, to)
		return func(tx *db.Tx) error { return account.AskEmail(tx, by, e) }
	}
	h.refuse(t, fault.NotFound, ask(access.Guest(), "new@example.com"))
	h.refuse(t, account.ErrSameEmail, ask(annie, "ANNIE.noda@example.com"))
	h.refuse(t, email.ErrAddress, func(tx *db.Tx) error { return account.AskEmail(tx, annie, email.Address{}) })

	h.do(t, ask(annie, "vince@example.com")) // no different to her
	if m := h.letter(t, "vince@example.com", "You already have an account"); strings.Contains(m.Text, "/email/") || strings.Contains(m.Text, "Annie") {
		t.Errorf("Vince is told:\n%s", m.Text)
	}
	if won := h.atOnce(t, ask(annie, "new@example.com")); won != 16 {
		t.Errorf("%d of 16 were answered", won)
	}
	if r := h.rows(t); r.live != 1 {
		t.Errorf("%d links are live", r.live)
	}
	h.deliver(t)
	h.do(t, ask(annie, "new@example.com"))
	link := token(t, h.letter(t, "new@example.com", "Confirm your new e-mail address"), "email")
	h.person(t, "David", "new@example.com", true)
	h.refuse(t, account.ErrTaken, func(tx *db.Tx) error { return account.ConfirmEmail(tx, annie, link) })
	h.pass(24 * time.Hour)
	h.refuse(t, account.ErrLinkEnded, func(tx *db.Tx) error { return account.ConfirmEmail(tx, annie, link) })
}

func TestAnAddressIsProvedByALetterAndASignIn(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	david, vince := h.person(t, "David", "david@example.com", false), h.person(t, "Vince Gill", "vince@example.com", true)
	ask := func(by access.Actor, a id.Account) func(*db.Tx) error {
		return func(tx *db.Tx) error { return account.AskVerify(tx, by, a) }
	}
	h.refuse(t, fault.NotFound, ask(vince, david.Account()))
	h.refuse(t, fault.NotFound, ask(access.Guest(), ""))
	h.refuse(t, account.ErrProved, ask(vince, vince.Account()))
	h.undo(t, ask(david, david.Account()))
	if won := h.atOnce(t, ask(david, david.Account())); won != 16 {
		t.Errorf("%d of 16 were answered", won)
	}
	h.deliver(t)
	if r := h.rows(t); r.live != 1 {
		t.Errorf("%d links are live", r.live)
	}
	h.do(t, ask(access.ByLink("p", "c"), david.Account()))
	link := token(t, h.letter(t, "david@example.com", "Confirm your e-mail address"), "verify")
	h.see(t, func(tx *db.Tx) error { return account.PeekVerify(tx, access.Guest(), link) })
	h.pass(7*24*time.Hour - time.Second)
	h.refuse(t, account.ErrSignInFirst, func(tx *db.Tx) error { return account.ConfirmVerify(tx, access.Guest(), link) })
	h.refuse(t, account.ErrSignInFirst, func(tx *db.Tx) error { return account.ConfirmVerify(tx, vince, link) })
	confirm := func(tx *db.Tx) error { return account.ConfirmVerify(tx, david, link) }
	h.undo(t, confirm)
	if won := h.atOnce(t, confirm, account.ErrLinkUsed); won != 1 || !h.account(t, david).Verified {
		t.Errorf("%d of 16 proved the address", won)
	}
	h.refuse(t, account.ErrLinkUnknown, func(tx *db.Tx) error { return account.ConfirmVerify(tx, david, secret.NewToken()) })
}
