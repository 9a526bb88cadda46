package web

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/platform/mail"
	"icouch/internal/team"
)

// awaits are the addresses that the pages of a browser wait at.
func awaits(markup string) (all []string) {
	for _, rest := range strings.Split(markup, `data-awaits="`)[1:] {
		asked, _, _ := strings.Cut(rest, `"`)
		all = append(all, strings.ReplaceAll(asked, "&amp;", "&"))
	}
	return all
}

// On the list and on the client's page "Sending…" becomes what came of it, with
// nobody touching anything.
func TestSendingBecomesWhatCameOfIt(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	una := k.w.Client(t, k.w.Mara, people.Draft{First: "Una", Last: "Reed", Email: "una@example.com", EmailConsent: true})
	its := "/people/" + una.String()
	if all := awaits(k.mara.get("/people").text + k.mara.get(its).text); len(all) != 0 {
		t.Fatalf("with nothing on its way they wait for %q", all)
	}
	k.w.MailFails(&mail.Refusal{Code: 451, Reason: mail.TryLater})
	k.mara.post(its+"/invitation", url.Values{})
	var streams []*heard
	for _, page := range []string{"/people", its} {
		all := awaits(k.mara.get(page).text)
		if len(all) != 1 {
			t.Fatalf("%s waits for %q, want one", page, all)
		}
		h := k.listen(t, k.mara, "/people/stream?"+all[0], "")
		defer h.soon(20 * time.Second)()
		if _, first := h.next("states"); !strings.Contains(first, "Sending…") || !strings.Contains(first, "data-awaits") {
			t.Errorf("at first %s hears %s", page, first)
		}
		streams = append(streams, h)
	}
	k.w.RunJobs(t)
	for _, h := range streams {
		if _, data := h.next("states"); !strings.Contains(words(data), "On its way Their mail server asks us to try again later") || !strings.Contains(data, "data-awaits") {
			t.Errorf("while the other side says later it hears %s", data)
		}
	}
	k.w.MailFails(nil)
	k.w.Pass(time.Minute)
	k.w.RunJobs(t)
	for i, h := range streams {
		_, data := h.next("states")
		if form := strings.Contains(data, `action="`+its+`/invitation/sendings"`); form == (i == 1) || !strings.Contains(data, `id="act-`+una.String()+`" data-as="`) {
			t.Errorf("the button beside it is %s", data) // on her own page it stands in the form that is there
		}
		if back := strings.Contains(data, `name="back" value="/people"`); back != (i == 0) {
			t.Errorf("a press leads back to the list: %t", back)
		}
		if got := words(data); !strings.Contains(got, "Sent Thu 14 Mar, 9:01") || strings.Contains(data, "data-awaits") || strings.Contains(got, "2 times") {
			t.Errorf("once it was sent it hears %s", got)
		}
		if has := strings.Contains(data, `id="sent"`); has != (i == 1) {
			t.Errorf("what was sent so far is drawn: %t", has)
		}
	}
}

// Of whom somebody may not see, the stream says what it says of whom there is not.
func TestTheStreamOfLettersTellsOnesOwnClientsAlone(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	ida := k.w.Client(t, k.w.Ines, people.Draft{First: "Ida", Last: "Brook", Email: "ida@example.com", EmailConsent: true})
	una := k.w.Client(t, k.w.Mara, people.Draft{First: "Una", Last: "Reed", Email: "una@example.com", EmailConsent: true})
	k.w.Update(t, func(tx *db.Tx) error { return people.Invite(tx, k.w.Mara, una, "") })
	k.w.Update(t, func(tx *db.Tx) error { return people.Invite(tx, k.w.Ines, ida, "") })
	first := func(b *browser, of ...string) string {
		h := k.listen(t, b, "/people/stream?"+strings.Join(of, "&"), "")
		defer h.stop()
		defer h.soon(20 * time.Second)()
		_, data := h.next("states")
		return data
	}
	hers := k.browser(t, k.w).as(noor)
	nobody := first(hers, "of="+id.New[id.Client](k.w.Now()).String())
	for what, of := range map[string]string{"a colleague's": una.String(), "another practice's": ida.String(), "no identifier": "x", "none": ""} {
		if got := first(hers, "of="+of, "here=yes"); got != nobody {
			t.Errorf("%s: %q, want %q", what, got, nobody)
		}
	}
	looks := func() (n int) {
		if err := k.w.DB.Row(t.Context(), "SELECT COUNT(*) FROM audit WHERE action = 'clients.seen'", nil, &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := looks()
	first(k.mara, "of="+una.String(), "here=yes")
	if n := looks() - before; n != 1 {
		t.Errorf("%d lines tell that she was seen, want one", n)
	}
	if got := first(k.mara, "of="+una.String(), "of="+ida.String(), "of="+una.String()); strings.Count(got, "Sending…") != 1 || strings.Contains(got, ida.String()) {
		t.Errorf("she hears %s", got)
	}
}

// It ends with what it stood on, as every stream does, and with the answer of
// the person it waits for it says so.
func TestTheStreamOfLettersEndsWithWhatItStoodOn(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	una := k.w.Client(t, k.w.Mara, people.Draft{First: "Una", Last: "Reed", Email: "una@example.com", EmailConsent: true})
	k.w.Update(t, func(tx *db.Tx) error { return people.Invite(tx, k.w.Mara, una, "") })
	k.w.Update(t, func(tx *db.Tx) error { return team.Include(tx, k.w.Mara, una, k.w.Noor.Practitioner(), nil) })
	hers := k.listen(t, k.browser(t, k.w).as(noor), "/people/stream?of="+una.String(), "")
	defer hers.soon(20 * time.Second)()
	hers.next("states")
	his := k.listen(t, k.mara, "/people/stream?of="+una.String()+"&here=yes", "")
	defer his.soon(20 * time.Second)()
	his.next("states")
	k.w.Update(t, func(tx *db.Tx) error { return team.Exclude(tx, k.w.Mara, una, k.w.Noor.Practitioner()) })
	hers.next("over")
	k.w.RunJobs(t)
	his.next("states")
	link := k.w.Link(t, "una@example.com", "/join/")
	k.w.Update(t, func(tx *db.Tx) error {
		_, err := people.SignUp(tx, access.Guest(), secret.ParseToken(link), "x")
		return err
	})
	if _, data := his.next("states"); !strings.Contains(words(data), "Has an account Secure Message to Una Reed") || !strings.Contains(data, `id="ways-`+una.String()+`"></div>`) {
		t.Errorf("she hears %s", data)
	}
}
