package letter_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/civil"
	"icouch/internal/base/email"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/letter"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/platform/jobs"
	"icouch/internal/platform/mail"
	"icouch/internal/world"
)

var update = flag.Bool("update", false, "write the golden files anew")

var (
	later   = &mail.Refusal{Code: 451, Reason: mail.TryLater}
	never   = &mail.Refusal{Code: 550, Enhanced: "5.1.1", Permanent: true, Reason: mail.NoMailbox}
	unknown = &mail.Refusal{Uncertain: true, Reason: mail.Unreachable}
)

func address(t testing.TB, s string) email.Address {
	t.Helper()
	a, err := email.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// post writes a letter of a kind about Theo and returns it.
func post(t testing.TB, w *world.World, k letter.Kind) (l id.Letter) {
	t.Helper()
	w.Update(t, func(tx *db.Tx) (err error) {
		l, err = letter.Send(tx, w.Mara, letter.Draft{Kind: k, To: address(t, "to@example.com"), FromName: letter.Brand, Client: w.Theo,
			Body: letter.Body{Subject: "Hello", Parts: []letter.Part{{Text: "Hello."}}}})
		return errors.Join(err, people.HideSteps(tx, w.Mara, true)) // a line in the trail
	})
	return l
}

// state is what is stored of a letter, and whether its content is still there.
func state(t testing.TB, w *world.World, l id.Letter) (s letter.State, reason string, content bool) {
	t.Helper()
	if err := w.DB.Row(t.Context(), "SELECT state, reason, content IS NOT NULL FROM letter WHERE id = $1", []any{l}, &s, &reason, &content); err != nil {
		t.Fatal(err)
	}
	return s, reason, content
}

func stands(t testing.TB, w *world.World, what string, l id.Letter, want letter.State, kept bool) {
	t.Helper()
	if s, _, content := state(t, w, l); s != want || content != kept {
		t.Errorf("%s: the letter is %s, content kept %t; want %s, %t", what, s, content, want, kept)
	}
}

var kinds = []letter.Kind{letter.Invitation, letter.Accepted}

func TestALetterThatHasGoneIsBlank(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	for _, k := range kinds {
		l := post(t, w, k)
		stands(t, w, "waiting", l, letter.Queued, true)
		w.RunJobs(t)
		stands(t, w, "sent", l, letter.Sent, false)
	}
	if n := len(w.Letters("to@example.com")); n != 2 {
		t.Errorf("%d letters came", n)
	}
}

func TestALetterRefusedForNowGoesLater(t *testing.T) {
	t.Parallel()
	for _, k := range kinds {
		t.Run(string(k), func(t *testing.T) {
			t.Parallel()
			w := world.New(t)
			l := post(t, w, k)
			w.MailFails(later)
			for range 4 { // an outage of two hours and more
				w.RunJobs(t)
				stands(t, w, "later", l, letter.Delayed, true)
				w.Pass(40 * time.Minute)
			}
			w.MailFails(nil)
			w.RunJobs(t)
			stands(t, w, "then", l, letter.Sent, false)
			if n := len(w.Letters("to@example.com")); n != 1 {
				t.Errorf("%d letters came", n)
			}
		})
	}
}

func TestALetterRefusedForGoodComesBack(t *testing.T) {
	t.Parallel()
	for _, k := range kinds {
		w := world.New(t)
		l := post(t, w, k)
		w.MailFails(never)
		w.RunJobs(t)
		stands(t, w, string(k), l, letter.Refused, false)
		if _, reason, _ := state(t, w, l); reason != string(mail.NoMailbox) {
			t.Errorf("the reason is %q", reason)
		}
	}
}

func TestALetterIsGivenUpAfterADayAndAHalf(t *testing.T) {
	t.Parallel()
	for _, k := range kinds {
		t.Run(string(k), func(t *testing.T) {
			t.Parallel()
			w := world.New(t)
			l := post(t, w, k)
			w.MailFails(later)
			w.Pass(3 * 24 * time.Hour) // it waited for a mail server to be set up: that does not count
			w.RunJobs(t)
			stands(t, w, "the first try", l, letter.Delayed, true)
			w.Pass(36 * time.Hour)
			w.RunJobs(t)
			stands(t, w, "36 hours on", l, letter.Delayed, true)
			w.Pass(time.Hour)
			w.RunJobs(t)
			stands(t, w, "37 hours on", l, letter.Failed, false)
		})
	}
}

func TestWithoutAMailServerLettersWait(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	bare := jobs.NewQueue(w.DB, nil)
	l, notice := post(t, w, letter.Invitation), post(t, w, letter.AskedAgain)
	if _, err := bare.RunDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	stands(t, w, "no courier", l, letter.Queued, true)
	w.View(t, func(tx *db.Tx) error {
		n, err := letter.Waiting(tx, access.Operator())
		if n != 2 {
			t.Errorf("%d letters wait", n)
		}
		return err
	})
	w.Pass(5 * 24 * time.Hour)
	w.RunJobs(t)
	stands(t, w, "a courier came", l, letter.Sent, false)
	stands(t, w, "a courier came", notice, letter.Sent, false)
	old := post(t, w, letter.Invitation)
	w.Pass(14 * 24 * time.Hour)
	w.RunJobs(t)
	stands(t, w, "two weeks late", old, letter.Failed, false)
}

// between has a mail server do something once it has the letter.
type between struct {
	box *mail.Box
	do  func() error
}

func (b *between) Send(ctx context.Context, m mail.Message) (mail.Receipt, error) {
	r, err := b.box.Send(ctx, m)
	if do := b.do; err == nil && do != nil {
		b.do = nil
		err = do()
	}
	return r, err
}

func TestANoticeNeverComesTwice(t *testing.T) {
	t.Parallel()
	for what, do := range map[string]func(*testing.T, *world.World) func() error{
		"the program dies":         func(*testing.T, *world.World) func() error { return func() error { panic("the power goes") } },
		"the answer is lost":       func(*testing.T, *world.World) func() error { return func() error { return unknown } },
		"an error of another sort": func(*testing.T, *world.World) func() error { return func() error { return errors.New("?") } },
		"another worker has it too": func(t *testing.T, w *world.World) func() error {
			return func() error { w.Pass(10 * time.Minute); w.RunJobs(t); return nil } // the lease ran out
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			w := world.New(t)
			w.Courier.Mail = &between{w.Mail, do(t, w)}
			l := post(t, w, letter.Accepted)
			for range 3 {
				w.RunJobs(t)
				w.Pass(time.Hour)
			}
			if n := len(w.Letters("to@example.com")); n != 1 {
				t.Errorf("%d letters came", n)
			}
			if s, _, content := state(t, w, l); content || s != letter.Sent && s != letter.Failed {
				t.Errorf("it is %s", s)
			}
		})
	}
}

// TestTwoWorkersWithOneNotice have both read it before either marks it.
func TestTwoWorkersWithOneNotice(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	l := post(t, w, letter.Accepted)
	var about string
	if err := w.DB.Row(t.Context(), "SELECT about FROM job WHERE kind = 'letter.carry'", nil, &about); err != nil {
		t.Fatal(err)
	}
	letter.Between(func() { w.RunJobs(t) }, w.Courier, w.Mara.Practice(), l)
	w.Pass(time.Hour)
	w.RunJobs(t)
	if n := len(w.Letters("to@example.com")); n != 1 {
		t.Errorf("%d letters came", n)
	}
}

func TestAReportIsBelievedInTheOrderItComes(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	l := post(t, w, letter.Invitation)
	note := func(s letter.State, r mail.Reason) error {
		return w.DB.Update(t.Context(), func(tx *db.Tx) error {
			return letter.Note(tx, access.Guest(), letter.Report{Letter: l, State: s, Reason: r})
		})
	}
	if err := note(letter.Bounced, mail.NoMailbox); !errors.Is(err, db.None) {
		t.Errorf("before it was sent: %v", err)
	}
	w.RunJobs(t)
	if got, err := letter.LetterOf("<" + w.Letters("to@example.com")[0].ID + ">"); err != nil || got != l {
		t.Errorf("its Message-ID names %q, %v", got, err)
	}
	if got, err := letter.LetterOf(w.Letters("to@example.com")[0].EnvelopeFrom); err != nil || got != l {
		t.Errorf("its bounce address names %q, %v", got, err)
	}
	for _, s := range []letter.State{letter.Delayed, letter.Delivered, letter.Delayed, letter.Bounced} {
		if err := note(s, mail.MailboxFull); err != nil {
			t.Errorf("%s: %v", s, err)
		}
		stands(t, w, "reported", l, s, false)
		w.View(t, func(tx *db.Tx) error {
			if n, err := letter.Waiting(tx, access.Operator()); n != 0 || err != nil {
				t.Errorf("%s: %d wait, %v", s, n, err)
			}
			return nil
		})
	}
	if err := note(letter.Delivered, ""); !errors.Is(err, db.None) {
		t.Errorf("after it came back: %v", err)
	}
	for _, s := range []string{"", "x", "<@>", "bounces+nobody@icouch.test"} {
		if _, err := letter.LetterOf(s); err == nil {
			t.Errorf("%q names a letter", s)
		}
	}
	w.Pass(time.Hour)
	if w.RunJobs(t); len(w.Letters("to@example.com")) != 1 {
		t.Error("it went again")
	}
}

func TestWhoDeclinesGetsNoInvitations(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	a := address(t, "TO@example.com")
	invitation := letter.Draft{Kind: letter.Invitation, To: address(t, "to@Example.com"), Body: letter.Body{Subject: "S", Parts: []letter.Part{{Text: "T"}}}}
	send := func(d letter.Draft) error {
		return w.DB.Update(t.Context(), func(tx *db.Tx) error {
			_, err := letter.Send(tx, w.Mara, d)
			return errors.Join(err, people.HideSteps(tx, w.Mara, true))
		})
	}
	for range 2 {
		w.Update(t, func(tx *db.Tx) error { return letter.Decline(tx, access.Guest(), a) })
	}
	if err := send(invitation); !errors.Is(err, letter.ErrDeclined) {
		t.Errorf("declined: %v", err)
	}
	reset := invitation
	reset.Kind = letter.Reset
	if err := send(reset); err != nil {
		t.Errorf("what a person asked for: %v", err)
	}
	for range 2 {
		w.Update(t, func(tx *db.Tx) error { return letter.Want(tx, access.Guest(), a) })
	}
	if err := send(invitation); err != nil {
		t.Errorf("wanted again: %v", err)
	}
}

func TestTheChoicesLinkNamesOneAddressAndCannotBeMade(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	for _, name := range []string{"müller+x", "müller+xy", "müller+xyz"} { // each leaves other bits over in the last letter
		choices(t, w, address(t, name+"@example.com"))
	}
}

func choices(t *testing.T, w *world.World, a email.Address) {
	t.Helper()
	w.View(t, func(tx *db.Tx) error {
		token, err := letter.ChoicesToken(tx, access.Guest(), a)
		if err != nil {
			return err
		}
		if got, err := letter.ChoicesAddress(tx, access.Guest(), token); err != nil || got != a {
			t.Errorf("it names %v, %v", got, err)
		}
		if strings.Contains(token, "mü") || strings.Contains(token, "example") {
			t.Error("it can be read")
		}
		for i := range token {
			for _, c := range "Aw_BCDQghx" {
				if odd := token[:i] + string(c) + token[i+1:]; odd != token {
					if _, err := letter.ChoicesAddress(tx, access.Guest(), odd); !errors.Is(err, letter.ErrNoChoices) {
						t.Fatalf("changed at %d: %v", i, err)
					}
				}
			}
		}
		for _, odd := range []string{"", "AA", "%", token + "A", token[1:], strings.Repeat("A", 4000)} {
			if _, err := letter.ChoicesAddress(tx, access.Guest(), odd); !errors.Is(err, letter.ErrNoChoices) {
				t.Errorf("%.10q: %v", odd, err)
			}
		}
		return nil
	})
}

func TestNamesCannotReachTheHeaders(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	if _, err := (people.Draft{First: "Theo\r\nBcc: x@example.com"}).Read(civil.DateOf(w.Now(), civil.Zone{})); err == nil {
		t.Error("a client's name may hold a line break")
	}
	if err := w.DB.Update(t.Context(), func(tx *db.Tx) error { return people.SetPractice(tx, w.Mara, "P\r\nBcc: x@example.com", "UTC") }); err == nil {
		t.Error("a practice's name may hold a line break")
	}
	w.Update(t, func(tx *db.Tx) error { // and if one came in all the same, the letter does not go
		_, err := letter.Send(tx, w.Mara, letter.Draft{Kind: letter.Invitation, To: address(t, "to@example.com"), FromName: "P\r\nBcc: x@example.com",
			Body: letter.Body{Subject: "S", Parts: []letter.Part{{Text: "T"}}}})
		return errors.Join(err, people.HideSteps(tx, w.Mara, true))
	})
	if w.RunJobs(t); len(w.Mail.Sent()) != 0 {
		t.Error("it went")
	}
}

func TestNothingOfARecordIsInALetter(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	c := w.Client(t, w.Mara, people.Draft{First: "Firstname", Last: "LASTCANARY", Preferred: "Theo", Email: "canary@example.com", Mobile: "+1 555 010 7788",
		Address: "ADDRESSCANARY 7", Year: "1984", Month: "3", Day: "25", Zone: "Asia/Kathmandu", EmailConsent: true})
	var link secret.Token
	w.Update(t, func(tx *db.Tx) error { return people.Invite(tx, w.Mara, c, "") })
	w.RunJobs(t)
	link = secret.ParseToken(w.Link(t, "canary@example.com", "/join/"))
	w.Update(t, func(tx *db.Tx) error { return people.Withdraw(tx, w.Mara, c) })
	w.Update(t, func(tx *db.Tx) error { return people.Renew(tx, access.Guest(), link) })
	w.Pass(time.Hour)
	w.Update(t, func(tx *db.Tx) error { return people.Resend(tx, w.Mara, c, "") })
	w.RunJobs(t)
	link = secret.ParseToken(w.Link(t, "canary@example.com", "/join/"))
	w.Update(t, func(tx *db.Tx) error { _, err := people.SignUp(tx, access.Guest(), link, "x"); return err })
	w.Update(t, func(tx *db.Tx) error { return people.Renew(tx, access.Guest(), link) })
	w.RunJobs(t)
	sent := w.Mail.Sent()
	if len(sent) != 5 {
		t.Fatalf("%d letters went, want 5", len(sent))
	}
	for _, m := range sent {
		whole := fmt.Sprint(m.Subject, m.Text, m.HTML, m.FromName, m.ListUnsubscribe, m.EnvelopeFrom)
		for _, canary := range []string{"CANARY", "7788", "1984", c.String()} {
			if strings.Contains(whole, canary) {
				t.Errorf("a letter %q holds %s", m.Subject, canary)
			}
		}
		if m.To == "mara@practice.test" && (strings.Contains(whole, "Theo") || strings.Contains(whole, "canary@")) {
			t.Error("a notice names the client")
		}
	}
}

var tags = regexp.MustCompile(`<style>.*?</style>|<[^>]*>`)

// TestLettersSayWhatTheyAreToSay plays every letter and compares it with the
// golden files; text and HTML must hold the same words.
func TestLettersSayWhatTheyAreToSay(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	guest := access.Guest()
	play := func(verb func(*db.Tx) error) mail.Message {
		t.Helper()
		before := len(w.Mail.Sent())
		w.Update(t, verb)
		w.RunJobs(t)
		if len(w.Mail.Sent()) != before+1 {
			t.Fatalf("%d letters went", len(w.Mail.Sent())-before)
		}
		w.Pass(time.Hour)
		return w.Mail.Sent()[before]
	}
	letters := map[string]mail.Message{}
	letters["invitation"] = play(func(tx *db.Tx) error {
		return people.Invite(tx, w.Mara, w.Theo, "Looking forward to it.\n\n- bring <nothing> & tea\nMara")
	})
	letters["invitation-again"] = play(func(tx *db.Tx) error { return people.Resend(tx, w.Mara, w.Theo, "") })
	link := secret.ParseToken(w.Link(t, "theo@example.com", "/join/"))
	w.Update(t, func(tx *db.Tx) error { return people.Withdraw(tx, w.Mara, w.Theo) })
	letters["asked"] = play(func(tx *db.Tx) error { return people.Renew(tx, guest, link) })
	play(func(tx *db.Tx) error { return people.Resend(tx, w.Mara, w.Theo, "") })
	link = secret.ParseToken(w.Link(t, "theo@example.com", "/join/"))
	letters["accepted"] = play(func(tx *db.Tx) error { _, err := people.SignUp(tx, guest, link, "x"); return err })
	letters["have-account"] = play(func(tx *db.Tx) error { return people.Renew(tx, guest, link) })
	letters["confirm"] = play(func(tx *db.Tx) error {
		return people.SignUpPractitioner(tx, guest, "New", address(t, "new@example.com"))
	})
	letters["reset"] = play(func(tx *db.Tx) error { return account.AskReset(tx, guest, address(t, "mara@practice.test")) })
	for name, m := range letters {
		drawn := strings.Join(strings.Fields(html.UnescapeString(tags.ReplaceAllString(m.HTML, " "))), " ")
		for _, word := range strings.Fields(strings.NewReplacer(":\n"+world.Base, "\n"+world.Base).Replace(m.Text)) {
			if word = strings.TrimSpace(word); word != "-" && !strings.Contains(drawn, word) {
				t.Errorf("%s: the HTML does not say %q", name, word)
			}
		}
		for line := range strings.Lines(m.Text) {
			if line = strings.TrimRight(line, "\n"); len([]rune(line)) > 72 && strings.Contains(strings.TrimSpace(line), " ") || line != strings.TrimRight(line, " ") {
				t.Errorf("%s: a line is long or ends in a space: %q", name, line)
			}
		}
		if strings.Contains(m.Text+m.HTML+m.Subject+m.FromName, "⟦") || strings.Contains(m.HTML, "<img") || strings.Contains(m.HTML, "src=") || strings.Contains(m.HTML, "<nothing>") {
			t.Errorf("%s is not filled in, or shows what is not ours", name)
		}
		golden(t, name, "From: "+m.FromName+"\nSubject: "+m.Subject+"\n\n"+secrets.ReplaceAllString(m.Text, "$1…"))
	}
	if m := letters["invitation"]; m.ListUnsubscribe == "" || !strings.HasPrefix(m.EnvelopeFrom, "bounces+") || m.FromName != "The Practice of Mara" || letters["asked"].ListUnsubscribe != "" {
		t.Errorf("its headers: %q, %q, %q", m.ListUnsubscribe, m.EnvelopeFrom, m.FromName)
	}
}

// secrets are the parts of links that differ from run to run.
var secrets = regexp.MustCompile(`(/(?:join|choices|confirm|reset|email|verify)/)[\w-]+`)

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s says\n%s\nwant\n%s", name, got, want)
	}
}

func TestALongLinkStaysWhole(t *testing.T) {
	t.Parallel()
	link := "https://icouch.test/join/" + strings.Repeat("x", 300)
	b := letter.Body{Subject: "S", Parts: []letter.Part{{Text: "See " + link + " or else."}, {Button: &letter.Button{Label: "Go", URL: link}}, {List: []string{link}}, {Note: "- " + link}}}
	if n := strings.Count(b.Text(), link); n != 4 {
		t.Errorf("the text holds it %d times, want 4:\n%s", n, b.Text())
	}
	if !strings.Contains(b.Text(), "\n"+link+"\n") {
		t.Error("the button's link has no line of its own")
	}
}
