package directory_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"icouch/internal/access"
	"icouch/internal/base/at"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/letter"
	"icouch/internal/people"
	"icouch/internal/people/directory"
	"icouch/internal/platform/db"
	"icouch/internal/platform/mail"
	"icouch/internal/world"
)

func look(t testing.TB, w *world.World, by access.Actor, q directory.Query) directory.Answer {
	t.Helper()
	a, err := w.Directory.Look(t.Context(), by, q)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func names(a directory.Answer) (all []string) {
	for _, r := range a.Rows {
		all = append(all, r.Name.Full())
	}
	return all
}

func client(t testing.TB, w *world.World, by access.Actor, first, last, address string) id.Client {
	t.Helper()
	w.Pass(time.Second) // so that they were added one after the other
	return w.Client(t, by, people.Draft{First: first, Last: last, Email: address, EmailConsent: address != ""})
}

// TestTheListIsCurrentAfterEveryCommit presses everything that can change a
// row, and looks at once.
func TestTheListIsCurrentAfterEveryCommit(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	theo := func() people.Listed {
		a := look(t, w, w.Mara, directory.Query{})
		if a.Total != 1 || len(a.Rows) != 1 {
			t.Fatalf("%d clients", a.Total)
		}
		return a.Rows[0]
	}
	group := func(what string, want people.Group, attention int) {
		t.Helper()
		theo()
		a := look(t, w, w.Mara, directory.Query{})
		if a.Counts[want] != 1 || a.Counts[people.NeedsAttention] != attention {
			t.Errorf("%s: counted as %v, want %s", what, a.Counts, want)
		}
	}
	press := func(verb func(*db.Tx) error) { t.Helper(); w.Update(t, verb) }
	group("created", people.NotInvited, 0)
	press(func(tx *db.Tx) error { return people.Invite(tx, w.Mara, w.Theo, "") })
	group("invited", people.Invited, 0)
	w.MailFails(&mail.Refusal{Reason: mail.TryLater})
	w.RunJobs(t)
	group("delayed", people.Invited, 1)
	w.MailFails(nil)
	w.Pass(time.Hour)
	w.RunJobs(t)
	group("sent", people.Invited, 0)
	var l id.Letter
	if err := w.DB.Row(t.Context(), "SELECT id FROM letter WHERE kind = 'invitation'", nil, &l); err != nil {
		t.Fatal(err)
	}
	press(func(tx *db.Tx) error {
		return letter.Note(tx, access.Guest(), letter.Report{Letter: l, State: letter.Bounced, Reason: mail.MailboxFull})
	})
	group("bounced", people.Invited, 1)
	w.Pass(15 * 24 * time.Hour)
	group("expired", people.Invited, 1)
	press(func(tx *db.Tx) error { return people.Resend(tx, w.Mara, w.Theo, "") })
	group("sent again", people.Invited, 0)
	w.Pass(14 * 24 * time.Hour)
	group("expired by time alone", people.Invited, 1)
	w.Pass(-24 * time.Hour)
	group("the clock was put back", people.Invited, 0)
	press(func(tx *db.Tx) error { return people.Withdraw(tx, w.Mara, w.Theo) })
	group("withdrawn", people.Invited, 0)
	press(func(tx *db.Tx) error { return people.Consent(tx, w.Mara, w.Theo, false) })
	group("no consent", people.NotInvited, 0)
	press(func(tx *db.Tx) error {
		c, err := people.Find(tx, w.Mara, w.Theo)
		if err != nil {
			return err
		}
		c.Name.Last = "Zimmer"
		_, err = people.Edit(tx, w.Mara, w.Theo, c.Version, c.Details)
		return err
	})
	if got := theo().Name.Full(); got != "Theo Zimmer" || look(t, w, w.Mara, directory.Query{Text: "vance"}).Total != 0 || look(t, w, w.Mara, directory.Query{Text: "ZIMMER"}).Total != 1 {
		t.Errorf("renamed, he is %q", got)
	}
	var link secret.Token
	press(func(tx *db.Tx) (err error) { link, err = people.CopyLink(tx, w.Mara, w.Theo); return err })
	press(func(tx *db.Tx) error { return people.Consent(tx, w.Mara, w.Theo, true) })
	group("copied", people.Invited, 0)
	press(func(tx *db.Tx) error { _, err := people.SignUp(tx, access.Guest(), link, "x"); return err })
	group("joined", people.HasAccount, 0)
	press(func(tx *db.Tx) error { return people.EndCare(tx, w.Mara, w.Theo, at.Of(w.Now().Add(time.Hour))) })
	group("care ends soon", people.HasAccount, 0)
	w.Pass(time.Hour)
	group("care ended by time alone", people.Ended, 0)
	press(func(tx *db.Tx) error { return people.ResumeCare(tx, w.Mara, w.Theo) })
	group("care goes on", people.HasAccount, 0)
	if err := w.DB.Update(t.Context(), func(tx *db.Tx) error {
		return errors.Join(people.EndCare(tx, w.Mara, w.Theo, tx.Now()), errors.New("something later fails"))
	}); err == nil {
		t.Fatal("it did not fail")
	}
	group("undone", people.HasAccount, 0)
}

func TestEachSeesTheirOwnClients(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	client(t, w, w.Noor, "Nadia", "Own", "nadia@example.com")
	client(t, w, w.Ines, "Next", "Door", "next@example.com")
	who := map[string]access.Actor{"the owner": w.Mara, "a colleague": w.Noor, "the practice next door": w.Ines}
	for role, r := range map[string]access.Role{"an administrator": access.Administrator, "a biller": access.Biller, "a scheduler": access.Scheduler, "a supervisor": access.Supervisor} {
		who[role] = w.Colleague(t, role, strings.ReplaceAll(role, " ", "")+"@practice.test", r)
	}
	all := []string{"Nadia Own", "Theo Vance"}
	want := map[string][]string{"the owner": all, "a colleague": {"Nadia Own"}, "the practice next door": {"Next Door"}, "an administrator": all,
		"a biller": all, "a scheduler": all, "a supervisor": nil}
	for name, by := range who {
		for _, text := range []string{"", "example.com"} {
			a := look(t, w, by, directory.Query{Text: text})
			if got := names(a); !slices.Equal(got, want[name]) || a.Total != len(want[name]) || a.Counts[people.Everyone] != len(want[name]) || a.Counts[people.NotInvited] != len(want[name]) {
				t.Errorf("%s sees %q, counts %v; want %q", name, got, a.Counts, want[name])
			}
		}
	}
	for name, by := range map[string]access.Actor{"the client": access.AsClient(w.Mara.Practice(), w.Mara.Account(), w.Theo), "a guest": access.Guest(),
		"a person": access.AsPerson(w.Mara.Account()), "a link": access.ByLink(w.Mara.Practice(), w.Theo), "support": access.AsSupport(w.Mara.Account())} {
		if a, err := w.Directory.Look(t.Context(), by, directory.Query{}); !errors.Is(err, fault.NotFound) || a.Total != 0 || a.Counts != nil {
			t.Errorf("%s: %v, %+v", name, err, a)
		}
	}
}

func TestSearchFoldsWhatPeopleType(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	for _, n := range [][3]string{{"Zoë", "Łukasz", "zoe@example.com"}, {"Anne-Marie", "O’Brien", "amo@example.com"}, {"שלום", "כהן", ""}, {"🦊", "Fox", ""},
		{"José", "", "jose+tag@example.com"}, {"", "Straße", ""}} {
		client(t, w, w.Mara, n[0], n[1], n[2])
	}
	for text, want := range map[string]string{
		"lukasz": "Zoë Łukasz", "ŁUK": "Zoë Łukasz", "zoe luk": "Zoë Łukasz", "lukasz zoe": "Zoë Łukasz", "o'b": "Anne-Marie O’Brien", "O’B": "Anne-Marie O’Brien", "jose": "José",
		"Jose\u0301": "José", "כהן": "שלום כהן", "שלום כהן": "שלום כהן", "🦊": "🦊 Fox", "strasse": "Straße", "STRAẞE": "Straße", "+tag": "José", "  amo@ ": "Anne-Marie O’Brien",
	} {
		if got := names(look(t, w, w.Mara, directory.Query{Text: text})); len(got) != 1 || got[0] != want {
			t.Errorf("%q finds %q, want %q", text, got, want)
		}
	}
	for _, text := range []string{"nobody", "o brien", "\x00", "%", "_", "a\nb", "straße\njose", "fox\n", strings.Repeat("x", 10000)} {
		want := 0
		if strings.TrimSpace(text) == "fox" {
			want = 1
		}
		if a := look(t, w, w.Mara, directory.Query{Text: text}); a.Total != want {
			t.Errorf("%q finds %q", text, names(a))
		}
	}
	if a := look(t, w, w.Mara, directory.Query{Text: " \u00a0 "}); a.Total != 7 {
		t.Errorf("spaces find %d", a.Total)
	}
}

func TestOrdersAndPages(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	b := client(t, w, w.Mara, "Bea", "Ålund", "bea@example.com")
	client(t, w, w.Mara, "Carl", "albers", "")
	client(t, w, w.Noor, "Dora", "Berg", "dora@example.com")
	w.Update(t, func(tx *db.Tx) error { return people.Invite(tx, w.Mara, b, "") })
	w.MailFails(&mail.Refusal{Permanent: true, Reason: mail.NoMailbox})
	w.RunJobs(t)
	for sort, want := range map[directory.Sort]string{
		"": "Carl albers, Bea Ålund, Dora Berg, Theo Vance", directory.ByName: "Carl albers, Bea Ålund, Dora Berg, Theo Vance",
		directory.ByAdded: "Dora Berg, Carl albers, Bea Ålund, Theo Vance", directory.ByStatus: "Bea Ålund, Carl albers, Dora Berg, Theo Vance",
	} {
		for _, by := range []access.Actor{w.Mara, w.Noor} {
			for _, text := range []string{"", "e"} {
				whole := names(look(t, w, by, directory.Query{Sort: sort, Text: text}))
				if by == w.Mara && strings.Join(whole, ", ") != want {
					t.Errorf("by %q: %q, want %q", sort, whole, want)
				}
				var pages []string
				for skip := 0; ; skip += 2 {
					a := look(t, w, by, directory.Query{Sort: sort, Text: text, Skip: skip, Most: 2})
					if a.Total != len(whole) || len(a.Rows) > 2 {
						t.Errorf("page at %d: %d of %d", skip, len(a.Rows), a.Total)
					}
					if len(a.Rows) == 0 {
						break
					}
					pages = append(pages, names(a)...)
				}
				if !slices.Equal(pages, whole) {
					t.Errorf("the pages hold %q, the list %q", pages, whole)
				}
			}
		}
	}
	if a := look(t, w, w.Mara, directory.Query{Group: people.NeedsAttention}); !slices.Equal(names(a), []string{"Bea Ålund"}) || a.Total != 1 {
		t.Errorf("needing attention: %q", names(a))
	}
}

// pair is a practice of its own: who owns it, and a colleague.
type pair struct{ owner, colleague access.Actor }

func newPair(t testing.TB, w *world.World, n int64) (p pair) {
	t.Helper()
	owner, colleague := w.Account(t, "Ola Berg", fmt.Sprintf("owner%d@pair.test", n)), w.Account(t, "Cleo Dahl", fmt.Sprintf("colleague%d@pair.test", n))
	w.Update(t, func(tx *db.Tx) (err error) {
		if p.owner, err = people.Found(tx, access.AsPerson(owner), fmt.Sprint("Practice ", n), "America/New_York"); err != nil {
			return err
		}
		p.colleague, err = people.Join(tx, p.owner, colleague, access.Practitioner)
		return err
	})
	return p
}

// TestTheDirectoryAgreesWithTheDatabase does anything in any order and counts
// again, each time in a practice of its own, so that the list stays short.
func TestTheDirectoryAgreesWithTheDatabase(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	var pairs atomic.Int64
	rapid.Check(t, func(rt *rapid.T) {
		here := newPair(t, w, pairs.Add(1))
		var all []id.Client
		pick := func(rt *rapid.T) id.Client {
			if len(all) == 0 {
				rt.Skip("nobody yet")
			}
			return rapid.SampledFrom(all).Draw(rt, "client")
		}
		press := func(verb func(*db.Tx, id.Client) error) func(*rapid.T) {
			return func(rt *rapid.T) {
				c := pick(rt)
				err := w.DB.Update(rt.Context(), func(tx *db.Tx) error { return verb(tx, c) })
				if _, _, told := fault.As(err); err != nil && !told {
					rt.Fatal(err)
				}
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"": func(rt *rapid.T) { agree(rt, w, here) },
			"create": func(rt *rapid.T) {
				by := rapid.SampledFrom([]access.Actor{here.owner, here.colleague}).Draw(rt, "by")
				name := rapid.SampledFrom([]string{"Ann", "Ånn", "Bo", "Łu", "Zed", "🦊", "ann"}).Draw(rt, "name")
				all = append(all, w.Client(t, by, people.Draft{First: name, Last: rapid.SampledFrom([]string{"", "Ek", "Øst"}).Draw(rt, "last"), Email: "x@example.com", EmailConsent: true}))
			},
			"rename": press(func(tx *db.Tx, c id.Client) error {
				is, err := people.Find(tx, here.owner, c)
				if err != nil {
					return err
				}
				is.Name.Last += "a"
				_, err = people.Edit(tx, here.owner, c, is.Version, is.Details)
				return err
			}),
			"hand over": press(func(tx *db.Tx, c id.Client) error {
				is, err := people.Find(tx, here.owner, c)
				if err != nil {
					return err
				}
				is.Practitioner = here.colleague.Practitioner()
				_, err = people.Edit(tx, here.owner, c, is.Version, is.Details)
				return err
			}),
			"invite":   press(func(tx *db.Tx, c id.Client) error { return people.Invite(tx, here.owner, c, "") }),
			"re-send":  press(func(tx *db.Tx, c id.Client) error { return people.Resend(tx, here.owner, c, "") }),
			"withdraw": press(func(tx *db.Tx, c id.Client) error { return people.Withdraw(tx, here.owner, c) }),
			"end": press(func(tx *db.Tx, c id.Client) error {
				return people.EndCare(tx, here.owner, c, tx.Now().Plus(time.Duration(rapid.IntRange(0, 2).Draw(rt, "days"))*24*time.Hour))
			}),
			"resume": press(func(tx *db.Tx, c id.Client) error { return people.ResumeCare(tx, here.owner, c) }),
			"clock":  func(rt *rapid.T) { w.Pass(time.Duration(rapid.IntRange(-1, 300).Draw(rt, "hours")) * time.Hour) },
			"jobs":   func(rt *rapid.T) { w.RunJobs(t) },
			"drop":   func(rt *rapid.T) { w.Pass(time.Hour); w.Directory.Drop() },
		})
	})
}

func agree(t *rapid.T, w *world.World, here pair) {
	var rows []people.Listed
	err := w.DB.View(t.Context(), func(tx *db.Tx) (err error) { rows, err = people.Everybody(tx, here.owner); return err })
	if err != nil {
		t.Fatal(err)
	}
	for _, by := range []access.Actor{here.owner, here.colleague} {
		want := map[people.Group]int{}
		all := map[id.Client]people.Listed{}
		for _, r := range rows {
			if !by.Sees(r.ID, r.Practitioner) {
				continue
			}
			all[r.ID] = r
			g, attention := r.Groups(at.Of(w.Now()))
			want[people.Everyone]++
			want[g]++
			if attention {
				want[people.NeedsAttention]++
			}
		}
		for _, g := range people.Groups() {
			for _, text := range []string{"", "ann"} {
				a, err := w.Directory.Look(t.Context(), by, directory.Query{Group: g, Text: text})
				if err != nil {
					t.Fatal(err)
				}
				for g, n := range a.Counts {
					if n == 0 {
						delete(a.Counts, g)
					}
				}
				if !maps.Equal(a.Counts, want) || text == "" && a.Total != want[g] || a.Total != len(a.Rows) {
					t.Fatalf("%s %q: counts %v and total %d of %d rows, want %v", g, text, a.Counts, a.Total, len(a.Rows), want)
				}
				for _, r := range a.Rows {
					if r.Name != all[r.ID].Name || r.Practitioner != all[r.ID].Practitioner {
						t.Fatalf("%s is shown as %v, is %v", r.ID, r.Name, all[r.ID].Name)
					}
				}
				if !slices.IsSortedFunc(a.Rows, func(a, b people.Listed) int {
					return cmp.Compare(strings.ToLower(sortable(a)), strings.ToLower(sortable(b)))
				}) && ascii(a.Rows) {
					t.Fatalf("not in order: %q", names(a))
				}
			}
		}
	}
}

func sortable(l people.Listed) string {
	if l.Name.Last == "" {
		return l.Name.First
	}
	return l.Name.Last + " " + l.Name.First
}

func ascii(all []people.Listed) bool {
	for _, l := range all {
		for _, r := range l.Name.Full() {
			if r > 127 {
				return false
			}
		}
	}
	return true
}

// TestReadersAndWritersAtOnce is for the race detector, and for the promise
// that whoever looks after a commit sees it.
func TestReadersAndWritersAtOnce(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	ctx, cancel := context.WithCancel(t.Context())
	var readers, writers sync.WaitGroup
	for i := range 6 {
		readers.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				by := []access.Actor{w.Mara, w.Noor, w.Ines}[n%3]
				q := directory.Query{Text: []string{"", "w"}[n%2], Sort: []directory.Sort{"", directory.ByAdded, directory.ByStatus}[n%3], Most: 1 + i}
				if _, err := w.Directory.Look(t.Context(), by, q); err != nil {
					t.Error(err)
				}
				if n%50 == 0 {
					w.Directory.Drop()
				}
			}
		})
	}
	for i := range 4 {
		writers.Go(func() {
			for n := range 25 {
				name := fmt.Sprintf("Writer%dn%d", i, n)
				c := id.New[id.Client](w.Now())
				d := people.Details{Name: people.Name{First: name}}
				if err := w.DB.Update(t.Context(), func(tx *db.Tx) error { return people.Create(tx, w.Mara, c, d, false) }); err != nil {
					t.Error(err)
				}
				if a, err := w.Directory.Look(t.Context(), w.Mara, directory.Query{Text: name + " "}); err != nil || a.Total != 1 {
					a, err := w.Directory.Look(t.Context(), w.Mara, directory.Query{Text: name})
					if err != nil || a.Total == 0 {
						t.Errorf("%s was created and is not in the list: %v", name, err)
					}
				}
			}
		})
	}
	writers.Wait()
	cancel()
	readers.Wait()
	if a := look(t, w, w.Mara, directory.Query{}); a.Total != 101 {
		t.Errorf("%d clients, want 101", a.Total)
	}
}

func TestMoreChangesThanAreWorthReadingOneByOne(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	look(t, w, w.Mara, directory.Query{})
	w.Update(t, func(tx *db.Tx) error {
		for i := range 2100 {
			if err := people.Create(tx, w.Mara, id.New[id.Client](tx.Now().Time), people.Details{Name: people.Name{First: fmt.Sprint("Many ", i)}}, false); err != nil {
				return err
			}
		}
		return nil
	})
	if a := look(t, w, w.Mara, directory.Query{Most: 10}); a.Total != 2101 || len(a.Rows) != 10 {
		t.Errorf("%d clients", a.Total)
	}
	if a := look(t, w, w.Mara, directory.Query{Text: "many 2099", Most: 10}); a.Total != 1 {
		t.Errorf("the last of them was found %d times", a.Total)
	}
}

func TestWithoutAMailServerWhatWaitsNeedsAttention(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	w.Directory.NoMail = true
	w.Update(t, func(tx *db.Tx) error { return people.Invite(tx, w.Mara, w.Theo, "") })
	if a := look(t, w, w.Mara, directory.Query{Group: people.NeedsAttention}); a.Total != 1 || a.Counts[people.NeedsAttention] != 1 || a.Counts[people.Invited] != 1 {
		t.Errorf("a letter that waits with no mail server: %+v", a)
	}
	w.Update(t, func(tx *db.Tx) error { _, err := people.CopyLink(tx, w.Mara, w.Theo); return err })
	if a := look(t, w, w.Mara, directory.Query{Group: people.NeedsAttention}); a.Total != 0 {
		t.Error("a link that is handed over still needs attention")
	}
}
