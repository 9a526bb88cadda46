package account_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/audit"
	"icouch/internal/base/civil"
	"icouch/internal/base/email"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/platform/db"
)

func TestAnAccountIsFoundByEverySpellingOfItsAddress(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	annie := h.annie(t)
	got := h.account(t, annie)
	if got.Name != "Annie Noda" || got.Email.String() != "Annie.Noda@example.com" || !got.Verified || got.Zone != "" || !got.PasswordAt.Equal(h.now()) {
		t.Errorf("account: %+v", got)
	}
	h.see(t, func(tx *db.Tx) error {
		a, err := account.ByEmail(tx, access.Guest(), mailbox(t, "aNNIE.nODA@EXAMPLE.com"))
		if a.ID != annie.Account() {
			t.Errorf("by another spelling: %v", a.ID)
		}
		if _, none := account.ByEmail(tx, access.Guest(), mailbox(t, "annienoda@example.com")); !errors.Is(none, db.None) {
			t.Errorf("by another address: %v", none)
		}
		return err
	})
	h.refuse(t, account.ErrTaken, func(tx *db.Tx) error {
		_, err := account.Make(tx, access.Guest(), account.New{Name: "Another Annie", Email: mailbox(t, "ANNIE.NODA@example.com")})
		return err
	})
	if h.trail(t, audit.AccountMade) != 1 {
		t.Error("the trail does not say once that the account was made")
	}
}

func TestMakeRefusesWhatIsNoNameOrAddress(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.refuse(t, account.ErrNoName, func(tx *db.Tx) error {
		_, err := account.Make(tx, access.Guest(), account.New{Name: " ", Email: mailbox(t, "a@example.com")})
		return err
	})
	h.refuse(t, email.ErrAddress, func(tx *db.Tx) error {
		_, err := account.Make(tx, access.Guest(), account.New{Name: "Annie"})
		return err
	})
	h.undo(t, func(tx *db.Tx) error {
		_, err := account.Make(tx, access.Guest(), account.New{Name: "Annie", Email: mailbox(t, "a@example.com")})
		return err
	})
}

func TestOneAddressGetsOneAccountHoweverManyMakeIt(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	e := mailbox(t, "david@example.com")
	won := h.atOnce(t, func(tx *db.Tx) error {
		_, err := account.Make(tx, access.Guest(), account.New{Name: "David", Email: e})
		return err
	}, account.ErrTaken)
	if r := h.rows(t); won != 1 || r.accounts != 1 {
		t.Errorf("%d of 16 made an account, and there are %d", won, r.accounts)
	}
}

func TestAnAccountIsShownToItsOwnerAndTheProgramOnly(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	annie, vince := h.annie(t), h.person(t, "Vince Gill", "vince@example.com", true)
	a := annie.Account()
	for name, c := range map[string]struct {
		by   access.Actor
		want error
	}{
		"the owner":                 {annie, nil},
		"a job":                     {access.Job("p"), nil},
		"the operator":              {access.Operator(), nil},
		"another person":            {vince, fault.NotFound},
		"a guest":                   {access.Guest(), fault.NotFound},
		"who holds a link":          {access.ByLink("p", "c"), fault.NotFound},
		"a practitioner":            {access.AsPractitioner("p", vince.Account(), "m", access.Owner), fault.NotFound},
		"the owner at work":         {access.AsPractitioner("p", a, "m", access.Owner), nil},
		"support, by this function": {access.AsSupport(vince.Account()), fault.NotFound},
	} {
		h.see(t, func(tx *db.Tx) error {
			if _, err := account.Read(tx, c.by, a); !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", name, err, c.want)
			}
			return nil
		})
	}
	h.see(t, func(tx *db.Tx) error {
		if _, err := account.Read(tx, access.Guest(), ""); !errors.Is(err, fault.NotFound) {
			t.Errorf("the account of nobody, for a guest: %v", err)
		}
		if _, err := account.Of(tx, access.Guest()); !errors.Is(err, fault.NotFound) {
			t.Errorf("a guest's own account: %v", err)
		}
		return nil
	})
}

func TestAPersonRenamesThemselvesAndChoosesAZone(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	annie := h.annie(t)
	atWork := access.AsPractitioner("some-practice", annie.Account(), "m", access.Owner)
	rename := func(tx *db.Tx) error { return account.Rename(tx, atWork, "  Annie   Noda-Gill ") }
	h.undo(t, rename)
	h.do(t, rename) // without a key of some-practice: the trail is the installation's
	h.do(t, func(tx *db.Tx) error { return account.SetZone(tx, annie, "Asia/Calcutta") })
	if a := h.account(t, annie); a.Name != "Annie Noda-Gill" || a.Zone != "Asia/Kolkata" {
		t.Errorf("after both: %q %q", a.Name, a.Zone)
	}
	h.refuse(t, civil.ErrZone, func(tx *db.Tx) error { return account.SetZone(tx, annie, "Mars/Olympus") })
	h.refuse(t, account.ErrNoName, func(tx *db.Tx) error { return account.Rename(tx, annie, "") })
	h.refuse(t, fault.NotFound, func(tx *db.Tx) error { return account.Rename(tx, access.Guest(), "Nobody") })
	h.refuse(t, fault.NotFound, func(tx *db.Tx) error { return account.SetZone(tx, access.Guest(), "Europe/Paris") })
	h.refuse(t, fault.NotFound, func(tx *db.Tx) error { return account.Rename(tx, access.AsPerson("none"), "Nobody") })
	var who, role string
	if err := h.Row(t.Context(), "SELECT account_id, role FROM audit WHERE action = 'account.profile_changed' AND detail = 'name'", nil, &who, &role); err != nil || who != annie.Account().String() || role != "person" {
		t.Errorf("the trail says %q, a %s, renamed her: %v", who, role, err)
	}
	if n := h.trail(t, audit.ProfileChanged); n != 2 {
		t.Errorf("%d changes in the trail, want 2", n)
	}
}

func TestANewPasswordEndsAllElse(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	annie := h.annie(t)
	here, there, device := h.begin(t, annie, account.Place{}), h.begin(t, annie, account.Place{}), h.remember(t, annie)
	h.do(t, func(tx *db.Tx) error {
		return account.AskReset(tx, access.Guest(), mailbox(t, "annie.noda@example.com"))
	})
	link := token(t, h.letter(t, "Annie.Noda@example.com", "Choose a new password"), "reset")
	h.pass(time.Minute)

	change := func(tx *db.Tx) error { return account.SetPassword(tx, annie, cheap("another one altogether"), here) }
	h.undo(t, change)
	h.do(t, change)
	if !h.signedIn(t, here) || h.signedIn(t, there) {
		t.Errorf("here: %v, elsewhere: %v", h.signedIn(t, here), h.signedIn(t, there))
	}
	if r := h.rows(t); r.devices != 0 || r.live != 0 {
		t.Errorf("%d devices and %d links are left", r.devices, r.live)
	}
	h.refuse(t, account.ErrLinkEnded, func(tx *db.Tx) error {
		_, err := account.Reset(tx, access.Guest(), link, cheap(right))
		return err
	})
	h.letter(t, "Annie.Noda@example.com", "Your password was changed")
	if a := h.account(t, annie); !a.PasswordAt.Equal(h.now()) {
		t.Error("the password's time did not move")
	}
	if _, err := h.door.SignIn(t.Context(), "annie.noda@example.com", right, "192.0.2.1", device); !errors.Is(err, account.ErrWrong) {
		t.Errorf("the old password: %v", err)
	}
	if _, err := h.door.SignIn(t.Context(), "annie.noda@example.com", "another one altogether", "192.0.2.1", device); err != nil {
		t.Errorf("the new password: %v", err)
	}
	h.refuse(t, fault.NotFound, func(tx *db.Tx) error { return account.SetPassword(tx, access.Guest(), cheap(right), here) })
}

func TestAnUnverifiedAccountIsTakenOverOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	planted := h.person(t, "Somebody", "rashida@example.com", false)
	thief, device := h.begin(t, planted, account.Place{}), h.remember(t, planted)
	h.do(t, func(tx *db.Tx) error { return account.AskEmail(tx, planted, mailbox(t, "thief@example.com")) })
	away := token(t, h.letter(t, "thief@example.com", "Confirm your new e-mail address"), "email")

	take := func(tx *db.Tx) error {
		return account.TakeOver(tx, access.ByLink("p", "c"), planted.Account(), cheap("what rashida chose"))
	}
	h.undo(t, take)
	if won := h.atOnce(t, take, account.ErrTaken); won != 1 {
		t.Errorf("%d of 16 took it over", won)
	}
	if !h.account(t, planted).Verified || h.signedIn(t, thief) {
		t.Error("it is unverified still, or the thief is still signed in")
	}
	if _, err := h.door.SignIn(t.Context(), "rashida@example.com", right, "192.0.2.1", device); !errors.Is(err, account.ErrWrong) {
		t.Errorf("the planted password: %v", err)
	}
	h.refuse(t, account.ErrLinkEnded, func(tx *db.Tx) error { return account.ConfirmEmail(tx, planted, away) })
}

func TestVerifyingTwiceIsNotedOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	david := h.person(t, "David", "david@example.com", false)
	other := func(tx *db.Tx) error { return account.SetZone(tx, david, "Europe/Paris") } // Verify is never alone
	verify := func(tx *db.Tx) error {
		return errors.Join(account.Verify(tx, access.Job("p"), david.Account()), other(tx))
	}
	h.undo(t, verify)
	if won := h.atOnce(t, verify); won != 16 {
		t.Errorf("%d of 16", won)
	}
	if n := h.trail(t, audit.AccountVerified); n != 1 || !h.account(t, david).Verified {
		t.Errorf("%d lines in the trail", n)
	}
	h.refuse(t, fault.NotFound, func(tx *db.Tx) error { return account.Verify(tx, access.Job("p"), "none") })
}

// Everything is done once, and then the database is looked through for what
// must not be in it.
func TestTheDatabaseHoldsNoTokenNoAddressAndNoName(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	annie := h.person(t, "Quillfeather Name", "Quillfeather@canary.example", true)
	h.do(t, func(tx *db.Tx) error {
		return account.AskEmail(tx, annie, mailbox(t, "newcanary@canary.example"))
	})
	h.do(t, func(tx *db.Tx) error {
		return account.AskReset(tx, access.Guest(), mailbox(t, "quillfeather@canary.example"))
	})
	h.do(t, func(tx *db.Tx) error {
		return account.BeginSignUp(tx, access.Guest(), "Quillfeather Two", mailbox(t, "two@canary.example"))
	})
	secrets := []secret.Token{h.begin(t, annie, account.Place{}), h.remember(t, annie)}
	if _, err := h.door.SignIn(t.Context(), "quillfeather@canary.example", wrong, "192.0.2.77", secrets[1]); !errors.Is(err, account.ErrWrong) {
		t.Fatal(err)
	}
	look := func(what string) {
		t.Helper()
		needles := []string{"Quillfeather", "quillfeather", "canary", "192.0.2.77", wrong}
		for _, s := range secrets {
			needles = append(needles, s.Reveal(), string(raw(t, s)))
		}
		hay := h.dump(t)
		if len(hay) < 2000 {
			t.Fatalf("the dump is only %d bytes", len(hay))
		}
		for _, n := range needles {
			if strings.Contains(hay, n) || strings.Contains(hay, hex.EncodeToString([]byte(n))) {
				t.Errorf("%s: the database holds %q", what, n)
			}
		}
	}
	look("before the letters went")
	for _, m := range h.deliver(t) {
		for _, page := range []string{"confirm", "reset", "email"} {
			if strings.Contains(m.Text, "/"+page+"/") {
				secrets = append(secrets, token(t, m, page))
			}
		}
	}
	if len(secrets) != 5 {
		t.Fatalf("%d secrets, want 5", len(secrets))
	}
	look("after the letters went")
}

func raw(t *testing.T, s secret.Token) []byte {
	t.Helper()
	b, err := decode(s.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// dump is all the database holds: the files of SQLite, the rows of PostgreSQL.
func (h *house) dump(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	if h.Engine() == "SQLite" {
		for _, end := range []string{"", "-wal"} {
			b, err := os.ReadFile(h.file + end)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(b)
		}
		return all.String()
	}
	var rows string // bytes stand in them as hex
	err := h.Row(t.Context(), `SELECT (SELECT string_agg(row::text, '') FROM account AS row) || (SELECT string_agg(row::text, '') FROM session AS row) ||
		(SELECT string_agg(row::text, '') FROM device AS row) || (SELECT string_agg(row::text, '') FROM sign_up AS row) ||
		(SELECT string_agg(row::text, '') FROM account_link AS row) || (SELECT string_agg(row::text, '') FROM letter AS row) ||
		(SELECT string_agg(row::text, '') FROM tally AS row) || (SELECT coalesce(string_agg(row::text, ''), '') FROM job AS row) ||
		(SELECT string_agg(row::text, '') FROM audit AS row)`, nil, &rows)
	if err != nil {
		t.Fatal(err)
	}
	all.WriteString(rows)
	return all.String()
}

func TestAccountsLogAsTheirIDs(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	l := slog.New(slog.NewTextHandler(&log, nil))
	e := mailbox(t, "annie@example.com")
	l.Info("all", "account", account.Account{ID: "the-id", Name: "Annie", Email: e}, "new", account.New{Name: "Annie", Email: e, Password: "hash"},
		"sign-up", account.SignUp{Name: "Annie", Email: e}, "session", account.Session{ID: id.Session("the-session")})
	if got := strings.ToLower(log.String()); strings.Contains(got, "annie") || strings.Contains(got, "hash") || !strings.Contains(got, "the-id") || !strings.Contains(got, "the-session") {
		t.Error(fmt.Sprint("logged: ", got))
	}
}
