package people_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/base/at"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/letter"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/world"
)

func TestAnInvitationLeadsToASecureMessage(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	if got := row(t, w, w.Theo); got.Action != people.InviteAction || !got.Enabled {
		t.Fatalf("before, the row offers %+v", got)
	}
	w.Update(t, func(tx *db.Tx) error { return people.Invite(tx, w.Mara, w.Theo, "See www.evil.test\nLooking forward") })
	if n := w.RunJobs(t); n != 1 {
		t.Fatalf("%d letters went, want 1", n)
	}
	m := w.Letters(theosMail)[0]
	for _, want := range []string{"Hello Theo,", "Mara Lindqvist at The Practice of Mara", "Looking forward", "[link removed]", "theo@example.com", "Thu 28 Mar, 9:00 am, New York time"} {
		if !strings.Contains(strings.Join(strings.Fields(m.Text), " "), want) {
			t.Errorf("the letter does not say %q:\n%s", want, m.Text)
		}
	}
	if strings.Contains(m.Text, "evil") || strings.Contains(m.Text, "new link") {
		t.Errorf("the letter says:\n%s", m.Text)
	}
	link := newestLink(t, w)
	o, err := look(t, w, link)
	if err != nil || o.Fault() != nil || o.Email.String() != theosMail || o.Name.Full() != "Theo Vance" || o.Inviter != "Mara Lindqvist" || o.Practice.Name != "The Practice of Mara" {
		t.Errorf("the link offers %+v, %v", o, err)
	}
	j, err := signUp(w, t, link)
	if err != nil || j.Place.Client != w.Theo || j.Place.Practice != w.Mara.Practice() {
		t.Fatalf("signing up comes to %+v, %v", j, err)
	}
	if got := row(t, w, w.Theo); got.Action != people.MessageAction || !got.Enabled || got.Status != "Has an account" {
		t.Errorf("after, the row offers %+v", got)
	}
	w.RunJobs(t)
	if told := w.Letters("mara@practice.test"); len(told) != 1 || strings.Contains(told[0].Text+told[0].Subject+told[0].HTML, "Theo") {
		t.Errorf("Mara got %d letters, or one that names him", len(told))
	}
	tells(t, w, "the link", link, people.ErrLinkUsed)
	wants(t, "a second sign-up", second(signUp(w, t, link)), people.ErrLinkUsed)
}

func second[T any](_ T, err error) error { return err }

// state puts Theo where a verb must refuse.
func states(w *world.World) map[string]func(t *testing.T) {
	return map[string]func(t *testing.T){
		"": func(*testing.T) {},
		"without e-mail": func(t *testing.T) {
			edit(t, w, w.Theo, func(d *people.Details) {
				d.Email = address(t, "a@b.example")
				*d = people.Details{Name: d.Name, Practitioner: d.Practitioner}
			})
		},
		"without consent": func(t *testing.T) {
			w.Update(t, func(tx *db.Tx) error { return people.Consent(tx, w.Mara, w.Theo, false) })
		},
		"ended": func(t *testing.T) {
			w.Update(t, func(tx *db.Tx) error { return people.EndCare(tx, w.Mara, w.Theo, tx.Now()) })
		},
		"invited": func(t *testing.T) { invite(t, w) },
		"joined": func(t *testing.T) {
			if _, err := signUp(w, t, invite(t, w)); err != nil {
				t.Fatal(err)
			}
		},
		"declined": func(t *testing.T) {
			w.Update(t, func(tx *db.Tx) error { return letter.Decline(tx, access.Guest(), address(t, theosMail)) })
		},
	}
}

// TestWhoMayDoWhatToAClient is the one table of refusals: for each verb, who is
// refused, and in which state.
func TestWhoMayDoWhatToAClient(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	biller := w.Colleague(t, "Bo Biller", "bo@practice.test", access.Biller)
	scheduler := w.Colleague(t, "Sky Planner", "sky@practice.test", access.Scheduler)
	theo := access.AsClient(w.Mara.Practice(), w.Account(t, "Theo", "other@example.com"), w.Theo)
	stranger := access.AsClient(w.Mara.Practice(), w.Account(t, "Uma", "uma@example.com"), id.New[id.Client](w.Now()))
	hers := w.Client(t, w.Ines, people.Draft{First: "Next", Email: "next@example.com", EmailConsent: true})
	if find(t, w, w.Ines, hers).ID != hers {
		t.Fatal("the practice next door has no client")
	}
	verbs := map[string]func(*db.Tx, access.Actor, id.Client) error{
		"Invite":   func(tx *db.Tx, by access.Actor, c id.Client) error { return people.Invite(tx, by, c, "") },
		"Resend":   func(tx *db.Tx, by access.Actor, c id.Client) error { return people.Resend(tx, by, c, "") },
		"Withdraw": people.Withdraw,
		"CopyLink": func(tx *db.Tx, by access.Actor, c id.Client) error { return second(people.CopyLink(tx, by, c)) },
		"Consent":  func(tx *db.Tx, by access.Actor, c id.Client) error { return people.Consent(tx, by, c, false) },
		"EndCare":  func(tx *db.Tx, by access.Actor, c id.Client) error { return people.EndCare(tx, by, c, tx.Now()) },
		"Resume":   people.ResumeCare,
		"Edit": func(tx *db.Tx, by access.Actor, c id.Client) error {
			return second(people.Edit(tx, by, c, 1, people.Details{}))
		},
		"Preview": func(tx *db.Tx, by access.Actor, c id.Client) error { return second(people.Preview(tx, by, c, "")) },
		"History": func(tx *db.Tx, by access.Actor, c id.Client) error { return second(people.History(tx, by, c)) },
		"FactsOf": func(tx *db.Tx, by access.Actor, c id.Client) error { return second(people.FactsOf(tx, by, c)) },
		"Find":    func(tx *db.Tx, by access.Actor, c id.Client) error { return second(people.Find(tx, by, c)) },
	}
	reads := map[string]bool{"History": true, "FactsOf": true, "Find": true}
	for name, verb := range verbs {
		for who, c := range map[string]struct {
			by     access.Actor
			client id.Client
			want   error
		}{
			"for a client of another practice":   {w.Mara, hers, fault.NotFound},
			"from the practice next door":        {w.Ines, w.Theo, fault.NotFound},
			"by a colleague without this client": {w.Noor, w.Theo, fault.NotFound},
			"for nobody":                         {w.Mara, id.New[id.Client](w.Now()), fault.NotFound},
			"by the client":                      {theo, w.Theo, fault.Forbidden},
			"by another client":                  {stranger, w.Theo, fault.Forbidden},
			"by a guest":                         {access.Guest(), w.Theo, fault.Forbidden},
			"by somebody signed in":              {access.AsPerson(w.Mara.Account()), w.Theo, fault.Forbidden},
			"by whoever holds a link":            {access.ByLink(w.Mara.Practice(), w.Theo), w.Theo, fault.Forbidden},
			"by support":                         {access.AsSupport(w.Mara.Account()), w.Theo, fault.Forbidden},
			"by a biller":                        {biller, w.Theo, fault.Forbidden},
			"by a scheduler":                     {scheduler, w.Theo, fault.Forbidden},
		} {
			var err error
			before := rows(t, w, "audit")
			if reads[name] {
				err = w.DB.View(t.Context(), func(tx *db.Tx) error { return verb(tx, c.by, c.client) })
				if c.by == biller || c.by == scheduler { // they see names and addresses
					c.want = nil
				}
				if name == "Find" && (c.by == theo || c.by.Role() == access.Link) { // their own record
					c.want = nil
				}
			} else {
				err = update(t, w, func(tx *db.Tx) error { return verb(tx, c.by, c.client) })
			}
			refused := errors.Is(err, fault.NotFound) || errors.Is(err, fault.Forbidden)
			switch {
			case c.want == nil && err != nil:
				t.Errorf("%s %s: %v", name, who, err)
			case c.want != nil && !refused:
				t.Errorf("%s %s: %v, want a refusal", name, who, err)
			case c.want == fault.NotFound && !errors.Is(err, fault.NotFound):
				t.Errorf("%s %s: %v, want not found", name, who, err)
			}
			if after := rows(t, w, "audit"); after != before {
				t.Errorf("%s %s left a line in the trail", name, who)
			}
		}
	}
}

func TestEachVerbRefusesTheWrongState(t *testing.T) {
	t.Parallel()
	invite := func(tx *db.Tx, w *world.World) error { return people.Invite(tx, w.Mara, w.Theo, "") }
	again := func(tx *db.Tx, w *world.World) error { return people.Resend(tx, w.Mara, w.Theo, "") }
	withdraw := func(tx *db.Tx, w *world.World) error { return people.Withdraw(tx, w.Mara, w.Theo) }
	copyLink := func(tx *db.Tx, w *world.World) error { return second(people.CopyLink(tx, w.Mara, w.Theo)) }
	end := func(tx *db.Tx, w *world.World) error { return people.EndCare(tx, w.Mara, w.Theo, tx.Now()) }
	resume := func(tx *db.Tx, w *world.World) error { return people.ResumeCare(tx, w.Mara, w.Theo) }
	for _, c := range []struct {
		what  string
		verb  func(*db.Tx, *world.World) error
		state string
		want  error
	}{
		{"Invite", invite, "without e-mail", people.ErrNoEmail},
		{"Invite", invite, "without consent", people.ErrNoConsent},
		{"Invite", invite, "ended", people.ErrCareEnded},
		{"Invite", invite, "invited", people.ErrAlreadyInvited},
		{"Invite", invite, "joined", people.ErrHasAccount},
		{"Invite", invite, "declined", letter.ErrDeclined},
		{"Resend", again, "", people.ErrNotInvited},
		{"Resend", again, "invited", people.ErrJustSent},
		{"Resend", again, "joined", people.ErrHasAccount},
		{"Resend", again, "ended", people.ErrCareEnded},
		{"Withdraw", withdraw, "", people.ErrNothingLive},
		{"Withdraw", withdraw, "joined", people.ErrNothingLive},
		{"CopyLink", copyLink, "without e-mail", people.ErrNoEmail},
		{"CopyLink", copyLink, "without consent", nil},
		{"CopyLink", copyLink, "declined", nil},
		{"CopyLink", copyLink, "ended", people.ErrCareEnded},
		{"CopyLink", copyLink, "joined", people.ErrHasAccount},
		{"EndCare", end, "ended", people.ErrAlreadyEnded},
		{"ResumeCare", resume, "", people.ErrNotEnded},
	} {
		t.Run(c.what+" "+c.state, func(t *testing.T) {
			t.Parallel()
			w := world.New(t)
			states(w)[c.state](t)
			lines, letters := rows(t, w, "audit"), rows(t, w, "letter")
			err := update(t, w, func(tx *db.Tx) error { return c.verb(tx, w) })
			if c.want == nil && err != nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if c.want != nil && (rows(t, w, "audit") != lines || rows(t, w, "letter") != letters) {
				t.Error("a refusal left something behind")
			}
		})
	}
}

func TestSixteenPressesInviteOnce(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	told := atOnce(16, func(int) error {
		return w.DB.Update(t.Context(), func(tx *db.Tx) error { return people.Invite(tx, w.Mara, w.Theo, "") })
	})
	if told[nil] != 1 || told[people.ErrAlreadyInvited] != 15 {
		t.Errorf("they were told %v", told)
	}
	if n := w.RunJobs(t); n != 1 || rows(t, w, "invitation") != 1 {
		t.Errorf("%d letters and %d invitations", n, rows(t, w, "invitation"))
	}
}

func TestSixteenPressesResendOnce(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	invite(t, w)
	w.Pass(time.Hour)
	told := atOnce(16, func(int) error {
		return w.DB.Update(t.Context(), func(tx *db.Tx) error { return people.Resend(tx, w.Mara, w.Theo, "") })
	})
	if told[nil] != 1 || told[people.ErrJustSent] != 15 || rows(t, w, "live") != 1 {
		t.Errorf("they were told %v; %d links are live", told, rows(t, w, "live"))
	}
	told = atOnce(16, func(int) error {
		return w.DB.Update(t.Context(), func(tx *db.Tx) error { return second(people.CopyLink(tx, w.Mara, w.Theo)) })
	})
	if told[nil] != 16 || rows(t, w, "live") != 1 {
		t.Errorf("copying, they were told %v; %d links are live", told, rows(t, w, "live"))
	}
	told = atOnce(16, func(int) error {
		return w.DB.Update(t.Context(), func(tx *db.Tx) error { return people.Withdraw(tx, w.Mara, w.Theo) })
	})
	if told[nil] != 1 || told[people.ErrNothingLive] != 15 {
		t.Errorf("withdrawing, they were told %v", told)
	}
	told = atOnce(16, func(int) error {
		return w.DB.Update(t.Context(), func(tx *db.Tx) error { return people.EndCare(tx, w.Mara, w.Theo, tx.Now()) })
	})
	if told[nil] != 1 || told[people.ErrAlreadyEnded] != 15 {
		t.Errorf("ending care, they were told %v", told)
	}
	told = atOnce(16, func(int) error {
		return w.DB.Update(t.Context(), func(tx *db.Tx) error { return people.ResumeCare(tx, w.Mara, w.Theo) })
	})
	if told[nil] != 1 || told[people.ErrNotEnded] != 15 {
		t.Errorf("resuming care, they were told %v", told)
	}
}

var errLater = errors.New("something later fails")

func TestAnInvitationIsUndoneWithItsTransaction(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	lines, letters := rows(t, w, "audit"), rows(t, w, "letter")
	err := update(t, w, func(tx *db.Tx) error { return errors.Join(people.Invite(tx, w.Mara, w.Theo, ""), errLater) })
	wants(t, "the press", err, errLater)
	if rows(t, w, "invitation") != 0 || rows(t, w, "job") != 0 || rows(t, w, "letter") != letters || rows(t, w, "audit") != lines {
		t.Error("something was left behind")
	}
	if w.RunJobs(t); len(w.Mail.Sent()) != 0 {
		t.Error("a letter went out")
	}
	link := invite(t, w)
	err = update(t, w, func(tx *db.Tx) error {
		_, err := people.SignUp(tx, access.Guest(), link, "x")
		return errors.Join(err, errLater)
	})
	wants(t, "the sign-up", err, errLater)
	tells(t, w, "the link", link, nil)
	if _, err := signUp(w, t, link); err != nil {
		t.Errorf("then signing up: %v", err)
	}
}

func TestAMailServerThatIsDownGetsTheSameLetterLater(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	w.MailFails(mailDown)
	w.Update(t, func(tx *db.Tx) error { return people.Invite(tx, w.Mara, w.Theo, "") })
	if n := w.RunJobs(t); n != 0 || row(t, w, w.Theo).Status != "On its way" {
		t.Fatalf("%d went; the row says %q", n, row(t, w, w.Theo).Status)
	}
	w.Pass(90 * time.Minute)
	w.RunJobs(t)
	w.MailFails(nil)
	w.Pass(time.Hour)
	if n := w.RunJobs(t); n != 1 || len(w.Letters(theosMail)) != 1 || !strings.HasPrefix(row(t, w, w.Theo).Status, "Sent ") {
		t.Errorf("%d went; the row says %q", n, row(t, w, w.Theo).Status)
	}
	tells(t, w, "the link", newestLink(t, w), nil)
}

func TestResendWhileTheLetterIsOnItsWay(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	w.MailFails(mailDown)
	w.Update(t, func(tx *db.Tx) error { return people.Invite(tx, w.Mara, w.Theo, "") })
	w.RunJobs(t)
	w.Pass(2 * time.Hour)
	w.Update(t, func(tx *db.Tx) error { return people.Resend(tx, w.Mara, w.Theo, "") })
	w.MailFails(nil)
	w.Pass(2 * time.Hour)
	w.RunJobs(t)
	theirs := w.Letters(theosMail)
	if len(theirs) != 1 || !strings.Contains(theirs[0].Text, "Here is a new link") {
		t.Fatalf("%d letters went, want only the newer", len(theirs))
	}
	tells(t, w, "the newer link", newestLink(t, w), nil)
	if rows(t, w, "job") != 0 {
		t.Error("a job is left over")
	}
}

// TestVerbsPressedBetweenReadingAndMarking press while the courier has the
// letter in hand: it goes, and what was pressed stays true.
func TestVerbsPressedBetweenReadingAndMarking(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		press func(*db.Tx, *world.World) error
		want  error
	}{
		"Withdraw": {func(tx *db.Tx, w *world.World) error { return people.Withdraw(tx, w.Mara, w.Theo) }, people.ErrLinkWithdrawn},
		"Resend":   {func(tx *db.Tx, w *world.World) error { return people.Resend(tx, w.Mara, w.Theo, "") }, people.ErrLinkReplaced},
		"EndCare":  {func(tx *db.Tx, w *world.World) error { return people.EndCare(tx, w.Mara, w.Theo, tx.Now()) }, people.ErrLinkWithdrawn},
		"Consent":  {func(tx *db.Tx, w *world.World) error { return people.Consent(tx, w.Mara, w.Theo, false) }, people.ErrLinkWithdrawn},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := world.New(t)
			w.Update(t, func(tx *db.Tx) error { return people.Invite(tx, w.Mara, w.Theo, "") })
			w.Pass(time.Hour)
			slow := &slowMail{box: w.Mail, during: func() error {
				return w.DB.Update(t.Context(), func(tx *db.Tx) error { return c.press(tx, w) })
			}}
			w.Courier.Mail = slow
			w.RunJobs(t)
			if slow.err != nil {
				t.Fatal(slow.err)
			}
			first := linkIn(t, w.Letters(theosMail)[0])
			tells(t, w, "the first link", first, c.want)
			if name == "Resend" {
				tells(t, w, "the second link", newestLink(t, w), nil)
				if n := len(w.Letters(theosMail)); n != 2 {
					t.Errorf("%d letters, want 2", n)
				}
			} else if rows(t, w, "live") != 0 || len(w.Letters(theosMail)) != 1 {
				t.Error("a link is live, or more than one letter went")
			}
		})
	}
}

func TestACrashBetweenSendingAndMarkingSendsTheSameLetterAgain(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	w.Update(t, func(tx *db.Tx) error { return people.Invite(tx, w.Mara, w.Theo, "") })
	w.Courier.Mail = &slowMail{box: w.Mail, during: func() error { panic("the power goes") }}
	w.RunJobs(t)
	w.Pass(time.Hour)
	w.RunJobs(t)
	theirs := w.Letters(theosMail)
	if len(theirs) != 2 || theirs[0].ID != theirs[1].ID || theirs[0].Text != theirs[1].Text || !theirs[0].Date.Equal(theirs[1].Date) {
		t.Fatalf("%d letters, or they differ", len(theirs))
	}
	if !strings.HasPrefix(row(t, w, w.Theo).Status, "Sent ") {
		t.Errorf("the row says %q", row(t, w, w.Theo).Status)
	}
}

func TestEdge01_AMailFilterUsesNothingUp(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	link := invite(t, w)
	lines, accounts := rows(t, w, "audit"), rows(t, w, "account")
	for range 20 {
		tells(t, w, "the link", link, nil)
	}
	if rows(t, w, "audit") != lines || rows(t, w, "account") != accounts {
		t.Error("looking changed something")
	}
	if _, err := signUp(w, t, link); err != nil {
		t.Error(err)
	}
}

func TestEdge02_OfFiftyWhoPressOneWins(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	link := invite(t, w)
	accounts := rows(t, w, "account")
	told := atOnce(50, func(int) error {
		return w.DB.Update(t.Context(), func(tx *db.Tx) error { return second(people.SignUp(tx, access.Guest(), link, "x")) })
	})
	if told[nil] != 1 || told[people.ErrLinkUsed] != 49 {
		t.Errorf("they were told %v", told)
	}
	if n := rows(t, w, "account"); n != accounts+1 {
		t.Errorf("%d accounts were made", n-accounts)
	}
}

func TestEdge03_PeopleComeBackLate(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	link := invite(t, w)
	w.Pass(14*aDay - time.Second)
	tells(t, w, "the link on the last day", link, nil)
	w.Pass(time.Second)
	tells(t, w, "the link after 14 days", link, people.ErrLinkExpired)
	wants(t, "signing up", second(signUp(w, t, link)), people.ErrLinkExpired)
	o, _ := look(t, w, link)
	if !o.Email.IsZero() || o.Name != (people.Name{}) || o.Inviter != "" {
		t.Errorf("a dead link shows %+v", o)
	}
	if got := row(t, w, w.Theo); got.Action != people.ResendAction || !got.Enabled || got.Shape != people.ShapeProblem {
		t.Errorf("the row offers %+v", got)
	}
	w.Update(t, func(tx *db.Tx) error { return people.Renew(tx, access.Guest(), link) })
	w.RunJobs(t)
	if n := len(w.Letters(theosMail)); n != 2 || len(w.Mail.Sent()) != 2 {
		t.Fatalf("%d letters to him", n)
	}
	tells(t, w, "the new link", newestLink(t, w), nil)
	tells(t, w, "the old link", link, people.ErrLinkReplaced)
}

func TestEdge04_TheFirstOfTwoMailsExplainsItself(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	first := invite(t, w)
	w.Pass(time.Hour)
	then := resend(t, w)
	tells(t, w, "the first link", first, people.ErrLinkReplaced)
	wants(t, "signing up by it", second(signUp(w, t, first)), people.ErrLinkReplaced)
	w.Pass(time.Hour)
	w.Update(t, func(tx *db.Tx) error { return people.Renew(tx, access.Guest(), first) })
	w.RunJobs(t)
	tells(t, w, "the second link", then, people.ErrLinkReplaced)
	third := newestLink(t, w)
	j, err := signUp(w, t, third)
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range []secret.Token{first, then, third} {
		if _, err := signUp(w, t, link); err == nil {
			t.Error("a second account was made")
		}
	}
	if c := find(t, w, w.Mara, w.Theo); c.Account == nil || *c.Account != j.Account {
		t.Error("he is linked to another account")
	}
}

func TestEdge05_ResendAlwaysMakesAFreshLink(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	first := invite(t, w)
	w.Pass(15 * aDay)
	wants(t, "inviting", update(t, w, func(tx *db.Tx) error { return people.Invite(tx, w.Mara, w.Theo, "") }), people.ErrAlreadyInvited)
	again := resend(t, w)
	if again == first {
		t.Fatal("the same link went again")
	}
	w.Pass(14*aDay - time.Second)
	tells(t, w, "the fresh link", again, nil)
}

func TestEdge07_TheRowSaysWhatBecameOfTheLetter(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	w.MailFails(mailRefused)
	w.Update(t, func(tx *db.Tx) error { return people.Invite(tx, w.Mara, w.Theo, "") })
	if got := row(t, w, w.Theo); got.Status != "Sending…" || got.Enabled {
		t.Errorf("waiting, the row says %+v", got)
	}
	s := setting(w)
	s.NoMail = true
	var f people.Facts
	w.View(t, func(tx *db.Tx) (err error) { f, err = people.FactsOf(tx, w.Mara, w.Theo); return err })
	if got := f.Contact(s); got.Mend != people.CopyTheLink || got.Help != "No mail server is set up." {
		t.Errorf("without mail, the row says %+v", got)
	}
	w.RunJobs(t)
	if got := row(t, w, w.Theo); got.Status != "Came back" || got.Mend != people.CheckAddress || !strings.Contains(got.Help, "no such mailbox") || got.Action != people.ResendAction || !got.Enabled {
		t.Errorf("refused, the row says %+v", got)
	}
	var link secret.Token
	lines := rows(t, w, "audit")
	w.Update(t, func(tx *db.Tx) (err error) { link, err = people.CopyLink(tx, w.Mara, w.Theo); return err })
	if rows(t, w, "audit") == lines {
		t.Error("copying left no line in the trail")
	}
	tells(t, w, "the copied link", link, nil)
	if got := row(t, w, w.Theo); !strings.HasPrefix(got.Status, "Link copied ") || got.Action != people.ResendAction {
		t.Errorf("copied, the row says %+v", got)
	}
}

func TestEdge08_SomebodyElseIsSignedIn(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	link := invite(t, w)
	accept := func(by access.Actor) error {
		return update(t, w, func(tx *db.Tx) error { return second(people.Accept(tx, by, link)) })
	}
	wants(t, "Mara accepting", accept(w.Mara), people.ErrSomebodyElse)
	wants(t, "a guest accepting", accept(access.Guest()), fault.Forbidden)
	wants(t, "the link accepting", accept(access.ByLink(w.Mara.Practice(), w.Theo)), fault.Forbidden)
	tells(t, w, "the link", link, nil)
	his := w.Account(t, "Theo", "THEO@Example.com")
	wants(t, "a new password for a known address", second(signUp(w, t, link)), people.ErrSignInToAccept)
	tells(t, w, "the link", link, nil)
	told := atOnce(16, func(int) error {
		return w.DB.Update(t.Context(), func(tx *db.Tx) error { return second(people.Accept(tx, access.AsPerson(his), link)) })
	})
	if told[nil] != 1 || told[people.ErrLinkUsed] != 15 {
		t.Errorf("accepting, he was told %v", told)
	}
	if c := find(t, w, w.Mara, w.Theo); c.Account == nil || *c.Account != his {
		t.Error("he is not linked to his account")
	}
}

func TestEdge09_TheSpellingOfAnAddressDoesNotMatter(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	link := invite(t, w)
	if edit(t, w, w.Theo, func(d *people.Details) { d.Email = address(t, "THEO@EXAMPLE.COM") }) {
		t.Error("another spelling withdrew the link")
	}
	if got := find(t, w, w.Mara, w.Theo).Email.String(); got != "THEO@EXAMPLE.COM" && got != "THEO@example.com" {
		t.Errorf("the address is kept as %q", got)
	}
	tells(t, w, "the link", link, nil)
	w.Pass(time.Hour)
	w.Update(t, func(tx *db.Tx) error {
		return people.RenewByAddress(tx, access.Guest(), address(t, "Theo@Example.Com"))
	})
	w.RunJobs(t)
	tells(t, w, "the old link", link, people.ErrLinkReplaced)
	var names []string
	other := w.Client(t, w.Mara, people.Draft{First: "Kid", Email: "tHEO@example.com"})
	w.View(t, func(tx *db.Tx) (err error) {
		names, err = people.SameMailbox(tx, w.Mara, other, address(t, "theo@EXAMPLE.com"))
		return err
	})
	if len(names) != 1 || names[0] != "Theo Vance" {
		t.Errorf("the mailbox is shared with %q", names)
	}
	for _, odd := range []string{"theo", "theo@", "@example.com", "a b@example.com", "theo@example.com\r\nBcc: x@example.com", "theo@-.com"} {
		if _, err := (people.Draft{First: "T", Email: odd}).Read(today(w)); err == nil {
			t.Errorf("%q was taken", odd)
		}
	}
	for _, fine := range []string{"t+tag@sub.museum", "o'neil@example.photography", "müller@bücher.example"} {
		if _, err := (people.Draft{First: "T", Email: fine}).Read(today(w)); err != nil {
			t.Errorf("%q: %v", fine, err)
		}
	}
}

func TestEdge10_TwoPeopleShareOneMailbox(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	link := invite(t, w)
	kid := w.Client(t, w.Mara, people.Draft{First: "Tess", Last: "Vance", Email: theosMail, EmailConsent: true})
	w.Update(t, func(tx *db.Tx) error { return people.Invite(tx, w.Mara, kid, "") })
	w.RunJobs(t)
	hers := newestLink(t, w)
	if o, _ := look(t, w, hers); o.Name.First != "Tess" {
		t.Fatalf("the second link is %q's", o.Name.First)
	}
	j, err := signUp(w, t, link)
	if err != nil {
		t.Fatal(err)
	}
	if c := find(t, w, w.Mara, kid); c.Account != nil {
		t.Error("she was linked by her address")
	}
	tells(t, w, "her link", hers, nil)
	if _, err := signUp(w, t, hers); !errors.Is(err, people.ErrSignInToAccept) {
		t.Errorf("a second password: %v", err)
	}
	w.Pass(time.Hour)
	w.Update(t, func(tx *db.Tx) error { return second(people.Accept(tx, access.AsPerson(j.Account), hers)) })
	var places []people.Place
	w.View(t, func(tx *db.Tx) (err error) { places, err = people.Places(tx, access.AsPerson(j.Account)); return err })
	if len(places) != 2 || places[0].Name != "Theo Vance" || places[1].Name != "Tess Vance" {
		t.Errorf("his places are %+v", places)
	}
	var names []string
	w.View(t, func(tx *db.Tx) (err error) {
		names, err = people.SameMailbox(tx, w.Noor, "", address(t, theosMail))
		return err
	})
	if len(names) != 2 || strings.Contains(strings.Join(names, ""), "Vance") {
		t.Errorf("a colleague is told %q", names)
	}
	for _, by := range []access.Actor{w.Ines, access.Guest(), access.AsPerson(j.Account)} {
		w.View(t, func(tx *db.Tx) (err error) {
			names, err = people.SameMailbox(tx, by, "", address(t, theosMail))
			return err
		})
		if len(names) != 0 {
			t.Errorf("%v is told %q", by.Role(), names)
		}
	}
}

func TestEdge12_AfterThePasswordThePersonIsThere(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	j, err := signUp(w, t, invite(t, w))
	if err != nil {
		t.Fatal(err)
	}
	w.View(t, func(tx *db.Tx) error {
		home, err := people.Home(tx, access.AsPerson(j.Account))
		if home != j.Place {
			t.Errorf("home is %+v", home)
		}
		return err
	})
	for _, m := range w.Mail.Sent() {
		if strings.Count(m.Text, "https://") != strings.Count(m.Text, world.Base+"/") || strings.Contains(m.Text, "http://") {
			t.Error("a letter leads elsewhere")
		}
	}
}

func TestEdge13_ChangedAddressEndsTheLinkToTheOldOne(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	old := invite(t, w)
	if !edit(t, w, w.Theo, func(d *people.Details) { d.Email = address(t, "new@example.com") }) {
		t.Error("the practitioner is not told")
	}
	tells(t, w, "the old link", old, people.ErrLinkWithdrawn)
	if o, _ := look(t, w, old); !o.Email.IsZero() || o.Name.First != "" {
		t.Errorf("the old page shows %+v", o)
	}
	if got := row(t, w, w.Theo); got.Action != people.ResendAction || !got.Enabled || got.Help != "The e-mail address was changed, so the link that was sent no longer works. Press Re-Send." {
		t.Errorf("the row offers %+v", got)
	}
	w.Pass(time.Hour)
	w.Update(t, func(tx *db.Tx) error { return people.Resend(tx, w.Mara, w.Theo, "") })
	w.RunJobs(t)
	now := secret.ParseToken(w.Link(t, "new@example.com", "/join/"))
	w.Pass(time.Hour)
	// Whoever reads the old mailbox moves nothing, however they ask; the practice hears of it once.
	for range 3 {
		w.Update(t, func(tx *db.Tx) error { return people.Renew(tx, access.Guest(), old) })
		w.Update(t, func(tx *db.Tx) error { return people.RenewByAddress(tx, access.Guest(), address(t, theosMail)) })
		w.Update(t, func(tx *db.Tx) error {
			return people.SignUpPractitioner(tx, access.Guest(), "X", address(t, theosMail))
		})
		w.RunJobs(t)
	}
	tells(t, w, "the link to the new address", now, nil)
	if n := len(w.Letters("new@example.com")); n != 1 {
		t.Errorf("%d letters went to the new address", n)
	}
	if n := len(w.Letters("mara@practice.test")); n != 1 {
		t.Errorf("Mara was asked %d times", n)
	}
	if _, err := signUp(w, t, now); err != nil {
		t.Error(err)
	}
}

func TestEdge13_ASupersededLinkToAnOldAddressMovesNothing(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	first := invite(t, w)
	w.Pass(time.Hour)
	resend(t, w)
	edit(t, w, w.Theo, func(d *people.Details) { d.Email = address(t, "new@example.com") })
	w.Pass(time.Hour)
	w.Update(t, func(tx *db.Tx) error { return people.Resend(tx, w.Mara, w.Theo, "") })
	w.RunJobs(t)
	w.Pass(time.Hour)
	w.Update(t, func(tx *db.Tx) error { return people.Renew(tx, access.Guest(), first) })
	w.RunJobs(t)
	if n := len(w.Letters("new@example.com")); n != 1 {
		t.Errorf("%d letters went to the new address", n)
	}
}

func TestEdge14_AskingForALinkSaysTheSameToAll(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	link := invite(t, w)
	w.Pass(time.Hour)
	for what, ask := range map[string]func(*db.Tx) error{
		"a made-up link":     func(tx *db.Tx) error { return people.Renew(tx, access.Guest(), secret.NewToken()) },
		"a live link":        func(tx *db.Tx) error { return people.Renew(tx, access.Guest(), link) },
		"an unknown address": func(tx *db.Tx) error { return people.RenewByAddress(tx, access.Guest(), address(t, "x@example.com")) },
		"a known address": func(tx *db.Tx) error {
			return people.RenewByAddress(tx, access.Guest(), address(t, "mara@practice.test"))
		},
		"an invited address": func(tx *db.Tx) error { return people.RenewByAddress(tx, access.Guest(), address(t, theosMail)) },
		"signing up, new": func(tx *db.Tx) error {
			return people.SignUpPractitioner(tx, access.Guest(), "New", address(t, "y@example.com"))
		},
		"signing up, known": func(tx *db.Tx) error {
			return people.SignUpPractitioner(tx, access.Guest(), "Mara", address(t, "ines@nextdoor.test"))
		},
		"signing up, client": func(tx *db.Tx) error {
			return people.SignUpPractitioner(tx, access.Guest(), "Theo", address(t, theosMail))
		},
	} {
		if err := update(t, w, ask); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		w.Pass(time.Hour)
	}
	w.RunJobs(t)
	if n := len(w.Letters("x@example.com")); n != 0 {
		t.Errorf("%d letters went to an unknown address", n)
	}
	for to, want := range map[string]string{"mara@practice.test": "already have an account", "ines@nextdoor.test": "already have an account", "y@example.com": "Confirm"} {
		if theirs := w.Letters(to); len(theirs) != 1 || !strings.Contains(theirs[0].Subject, want) {
			t.Errorf("%s got %d letters", to, len(theirs))
		}
	}
	if theirs := w.Letters(theosMail); len(theirs) < 2 || !strings.Contains(theirs[len(theirs)-1].Text, "/join/") {
		t.Errorf("the client at the wrong door got %d letters", len(theirs))
	}
}

func TestEdge15_EndedCareLetsNobodyIn(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	link := invite(t, w)
	w.Update(t, func(tx *db.Tx) error { return people.EndCare(tx, w.Mara, w.Theo, at.Of(w.Now().Add(aDay))) })
	tells(t, w, "the link", link, people.ErrLinkWithdrawn)
	var copied secret.Token
	w.Update(t, func(tx *db.Tx) (err error) { copied, err = people.CopyLink(tx, w.Mara, w.Theo); return err })
	tells(t, w, "a link made before the end", copied, nil)
	w.Update(t, func(tx *db.Tx) error { return people.EndCare(tx, w.Mara, w.Theo, at.Of(w.Now().Add(2*aDay))) }) // moved
	w.Update(t, func(tx *db.Tx) (err error) { copied, err = people.CopyLink(tx, w.Mara, w.Theo); return err })
	w.Pass(2*aDay - time.Second)
	tells(t, w, "the link just before the end", copied, nil)
	w.Pass(time.Second)
	tells(t, w, "the link after the end", copied, people.ErrLinkWithdrawn)
	wants(t, "signing up after the end", second(signUp(w, t, copied)), people.ErrLinkWithdrawn)
	for range 2 {
		w.Update(t, func(tx *db.Tx) error { return people.Renew(tx, access.Guest(), copied) })
	}
	if w.RunJobs(t); len(w.Letters(theosMail)) != 1 {
		t.Error("a new link went out")
	}
	if got := row(t, w, w.Theo); got.Action != people.NoAction || !strings.HasPrefix(got.Status, "Care ended ") {
		t.Errorf("the row offers %+v", got)
	}
	w.Update(t, func(tx *db.Tx) error { return people.ResumeCare(tx, w.Mara, w.Theo) })
	tells(t, w, "the link when care goes on", copied, nil)
}

func TestEdge15_AnAccountStaysWhenTheRecordCloses(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	j, err := signUp(w, t, invite(t, w))
	if err != nil {
		t.Fatal(err)
	}
	me := access.AsPerson(j.Account)
	s := session(j)
	enter := func() (by access.Actor) {
		w.View(t, func(tx *db.Tx) (err error) { by, err = people.Enter(tx, s); return err })
		return by
	}
	if by := enter(); !by.IsClient() || by.Client() != w.Theo {
		t.Fatalf("he is %v", by.Role())
	}
	w.Update(t, func(tx *db.Tx) error { return people.EndCare(tx, w.Mara, w.Theo, tx.Now()) })
	if by := enter(); by.Role() != access.Person || by.Practice() != "" {
		t.Errorf("after the end he is %v of %q", by.Role(), by.Practice())
	}
	w.View(t, func(tx *db.Tx) error {
		all, err := people.Places(tx, me)
		if len(all) != 1 || !all[0].Ended {
			t.Errorf("his places: %+v", all)
		}
		home, herr := people.Home(tx, me)
		if home.Client != "" {
			t.Error("his home is a closed place")
		}
		return errors.Join(err, herr)
	})
	w.Update(t, func(tx *db.Tx) error { return people.ResumeCare(tx, w.Mara, w.Theo) })
	if by := enter(); !by.IsClient() {
		t.Errorf("when care goes on he is %v", by.Role())
	}
}

func TestAnAccountNobodyProvedIsTakenOverByWhoReadsTheMail(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	var copied secret.Token
	w.Update(t, func(tx *db.Tx) (err error) { copied, err = people.CopyLink(tx, w.Mara, w.Theo); return err })
	j, err := signUp(w, t, copied)
	if err != nil {
		t.Fatal(err)
	}
	w.RunJobs(t)
	if theirs := w.Letters(theosMail); len(theirs) != 1 || !strings.Contains(theirs[0].Text, "/verify/") {
		t.Errorf("%d letters ask to prove the address", len(theirs))
	}
	other := w.Client(t, w.Ines, people.Draft{First: "Theo", Email: theosMail, EmailConsent: true})
	w.Update(t, func(tx *db.Tx) error { return people.Invite(tx, w.Ines, other, "") })
	w.RunJobs(t)
	again, err := signUp(w, t, newestLink(t, w))
	if err != nil || again.Account != j.Account {
		t.Errorf("by mail: %+v, %v", again, err)
	}
	var byHand secret.Token
	third := w.Client(t, w.Ines, people.Draft{First: "T", Email: theosMail})
	w.Update(t, func(tx *db.Tx) (err error) { byHand, err = people.CopyLink(tx, w.Ines, third); return err })
	wants(t, "by hand, with an account there", second(signUp(w, t, byHand)), people.ErrSignInToAccept)
}

func TestAClientWhoClosedTheirAccountIsInvitedAnew(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	link := invite(t, w)
	if _, err := signUp(w, t, link); err != nil {
		t.Fatal(err)
	}
	if err := w.DB.Exec(t.Context(), "UPDATE client SET account_id = NULL"); err != nil {
		t.Fatal(err)
	}
	if got := row(t, w, w.Theo); got.Action != people.InviteAction || !got.Enabled {
		t.Fatalf("the row offers %+v", got)
	}
	w.Update(t, func(tx *db.Tx) error { return people.Renew(tx, access.Guest(), link) }) // nothing to remind of
	w.Update(t, func(tx *db.Tx) error { return people.Invite(tx, w.Mara, w.Theo, "") })
	w.RunJobs(t)
	tells(t, w, "the new link", newestLink(t, w), nil)
}

func TestAClockPutBackDoesNotConfuseTheNewestLink(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	invite(t, w)
	w.Pass(2 * time.Hour)
	resend(t, w)
	w.Pass(-time.Hour)
	var copied secret.Token
	w.Update(t, func(tx *db.Tx) (err error) { copied, err = people.CopyLink(tx, w.Mara, w.Theo); return err })
	w.Update(t, func(tx *db.Tx) error { return people.Withdraw(tx, w.Mara, w.Theo) })
	w.Pass(10 * time.Second)
	tells(t, w, "the copied link", copied, people.ErrLinkWithdrawn)
	w.Update(t, func(tx *db.Tx) error { return people.Resend(tx, w.Mara, w.Theo, "") })
	w.Pass(-time.Minute)
	w.Update(t, func(tx *db.Tx) error { return people.Withdraw(tx, w.Mara, w.Theo) })
	if got := row(t, w, w.Theo); !strings.HasPrefix(got.Status, "Withdrawn") {
		t.Errorf("the row says %+v", got)
	}
	var all []people.Sending
	w.View(t, func(tx *db.Tx) (err error) { all, err = people.History(tx, w.Mara, w.Theo); return err })
	for i, s := range all {
		if s.Ordinal != int64(len(all)-i) || s.To != theosMail || s.Inviter != "Mara Lindqvist" {
			t.Errorf("line %d of the history is number %d, to %q", i, s.Ordinal, s.To)
		}
	}
	if len(all) != 4 || all[0].EndedBy != "Mara Lindqvist" || all[1].State != people.Withdrawn || all[2].State != people.Superseded {
		t.Errorf("the history: %+v", all)
	}
}

func TestAWithdrawnClientAsksThePracticeOnce(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	link := invite(t, w)
	w.Update(t, func(tx *db.Tx) error { return people.Withdraw(tx, w.Mara, w.Theo) })
	told := atOnce(16, func(int) error {
		return w.DB.Update(t.Context(), func(tx *db.Tx) error { return people.Renew(tx, access.Guest(), link) })
	})
	if told[nil] != 16 {
		t.Errorf("they were told %v", told)
	}
	w.RunJobs(t)
	if n := len(w.Letters("mara@practice.test")); n != 1 {
		t.Errorf("Mara was asked %d times", n)
	}
	if got := row(t, w, w.Theo); got.Status != "Asks for a new link" || got.Shape != people.ShapeProblem {
		t.Errorf("the row says %+v", got)
	}
	if n := len(w.Letters(theosMail)); n != 1 {
		t.Errorf("he got %d letters", n)
	}
}

func TestAUsedLinkAskedForAgainBringsTheWayToSignIn(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	link := invite(t, w)
	if _, err := signUp(w, t, link); err != nil {
		t.Fatal(err)
	}
	w.Update(t, func(tx *db.Tx) error { return people.Renew(tx, access.Guest(), link) })
	w.RunJobs(t)
	theirs := w.Letters(theosMail)
	if len(theirs) != 2 || !strings.Contains(theirs[1].Subject, "already have an account") {
		t.Errorf("he got %d letters", len(theirs))
	}
}

func TestManyAreInvitedAtOnceAndEachIsToldOf(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	fresh := w.Client(t, w.Mara, people.Draft{First: "A", Email: "a@example.com", EmailConsent: true})
	silent := w.Client(t, w.Mara, people.Draft{First: "B", Email: "b@example.com"})
	nobody := w.Client(t, w.Mara, people.Draft{First: "C"})
	elsewhere := w.Client(t, w.Ines, people.Draft{First: "D", Email: "d@example.com", EmailConsent: true})
	gone := w.Client(t, w.Mara, people.Draft{First: "E", Email: "e@example.com", EmailConsent: true})
	w.Update(t, func(tx *db.Tx) error { return letter.Decline(tx, access.Guest(), address(t, "e@example.com")) })
	invite(t, w)
	w.Pass(time.Hour)
	var all []people.Outcome
	w.Update(t, func(tx *db.Tx) (err error) {
		all, err = people.InviteMany(tx, w.Mara, []id.Client{w.Theo, fresh, silent, nobody, elsewhere, gone, fresh})
		return err
	})
	if len(all) != 6 || !all[0].Sent || !all[1].Sent {
		t.Fatalf("%+v", all)
	}
	for i, want := range []string{"", "", people.ErrNoConsent.Error(), people.ErrNoEmail.Error(), "There is no such client.", letter.ErrDeclined.Error()} {
		if all[i].Why != want || all[i].Sent != (want == "") {
			t.Errorf("number %d is told %q, want %q", i, all[i].Why, want)
		}
	}
	if n := w.RunJobs(t); n != 2 {
		t.Errorf("%d letters", n)
	}
	for by, want := range map[string]struct {
		by   access.Actor
		list []id.Client
		err  error
	}{
		"a guest":  {access.Guest(), nil, fault.Forbidden},
		"too many": {w.Mara, make([]id.Client, 5001), people.ErrTooMany},
	} {
		wants(t, by, update(t, w, func(tx *db.Tx) error { return second(people.InviteMany(tx, want.by, want.list)) }), want.err)
	}
}

func TestAPreviewIsTheLetterThatGoes(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	note := "Look at evil.com\n\n- on Tuesday"
	var b letter.Body
	w.View(t, func(tx *db.Tx) (err error) { b, err = people.Preview(tx, w.Mara, w.Theo, note); return err })
	w.Update(t, func(tx *db.Tx) error { return people.Invite(tx, w.Mara, w.Theo, note) })
	w.RunJobs(t)
	sent := w.Letters(theosMail)[0].Text
	text := w.Courier.House.Fill(b).Text()
	hide := func(s string) string {
		words := strings.Fields(s)
		for i, word := range words {
			for _, path := range []string{"/join/", "/choices/"} {
				if at := strings.Index(word, path); at >= 0 {
					words[i] = word[:at] + path
				}
			}
		}
		return strings.Join(words, " ")
	}
	if hide(text) != hide(sent) {
		t.Errorf("the preview says:\n%s\nthe letter:\n%s", hide(text), hide(sent))
	}
	wants(t, "a note too long", w.DB.View(t.Context(), func(tx *db.Tx) error {
		return second(people.Preview(tx, w.Mara, w.Theo, strings.Repeat("x", 301)))
	}), fault.Invalid)
}

// A therapist who is somebody's client, too, and came by the practitioners' door
// reads in the letter how to go on; nobody else does.
func TestTheLetterToWhoWouldFoundAPracticeSaysHow(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	invite(t, w)
	const how = "set up a practice"
	says := func() bool {
		t.Helper()
		w.RunJobs(t)
		all := w.Letters(theosMail)
		return strings.Contains(strings.Join(strings.Fields(all[len(all)-1].Text), " "), how)
	}
	if says() {
		t.Error("every invitation speaks of practices")
	}
	w.Pass(time.Hour)
	w.Update(t, func(tx *db.Tx) error {
		return people.SignUpPractitioner(tx, access.Guest(), "Theo", address(t, theosMail))
	})
	if n := len(w.Letters(theosMail)); !says() || n > 2 {
		t.Errorf("the letter does not say how; %d letters", n)
	}
	w.Pass(time.Hour)
	w.Update(t, func(tx *db.Tx) error { return people.RenewByAddress(tx, access.Guest(), address(t, theosMail)) })
	if says() {
		t.Error("a letter that was asked for elsewhere speaks of practices")
	}
}
