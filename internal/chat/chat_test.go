package chat_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"icouch/internal/access"
	"icouch/internal/base/at"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/chat"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/team"
	"icouch/internal/world"
)

// talk is a world in which Theo has an account and can be written to.
type talk struct {
	*world.World
	t    *testing.T
	theo access.Actor
}

func newTalk(t *testing.T) *talk {
	t.Helper()
	w := world.New(t)
	return &talk{w, t, w.Linked(t, w.Theo, "theo@example.com")}
}

// begin starts a conversation, or fails the test.
func (k *talk) begin(by access.Actor, to chat.To) (c id.Conversation) {
	k.t.Helper()
	k.Update(k.t, func(tx *db.Tx) (err error) { c, err = chat.Start(tx, by, to); return err })
	return c
}

// draft is what somebody has begun.
func (k *talk) draft(by access.Actor, c id.Conversation) (words string) {
	k.t.Helper()
	k.View(k.t, func(tx *db.Tx) error {
		is, err := chat.Find(tx, by, c)
		if err != nil {
			return err
		}
		p, err := chat.PlaceOf(tx, is)
		words = p.Draft
		return err
	})
	return words
}

func (k *talk) send(by access.Actor, c id.Conversation, body string) (m chat.Message) {
	k.t.Helper()
	k.Update(k.t, func(tx *db.Tx) (err error) {
		m, err = chat.Send(tx, by, c, id.New[id.Message](k.Now()), body)
		return err
	})
	return m
}

// refuses tries a change and wants it refused with an error, and nothing left of it.
func (k *talk) refuses(want error, verb func(*db.Tx) error) {
	k.t.Helper()
	if err := k.DB.Update(k.t.Context(), verb); !errors.Is(err, want) {
		k.t.Errorf("got %v, want %v", err, want)
	}
}

func (k *talk) thread(by access.Actor, c id.Conversation) (all []chat.Message) {
	k.t.Helper()
	k.View(k.t, func(tx *db.Tx) error {
		is, err := chat.Find(tx, by, c)
		if err != nil {
			return err
		}
		all, err = chat.Before(tx, by, is, 0)
		return err
	})
	return all
}

func (k *talk) unread(by access.Actor) (n int64) {
	k.t.Helper()
	k.View(k.t, func(tx *db.Tx) (err error) { n, err = chat.Unread(tx, by); return err })
	return n
}

func (k *talk) read(by access.Actor, c id.Conversation, seq int64) {
	k.t.Helper()
	if err := chat.Read(k.t.Context(), k.DB, by, c, seq, 0); err != nil {
		k.t.Fatal(err)
	}
}

func TestAMessageIsThereForBothInTheServersOrder(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	c := k.begin(k.Mara, chat.To{Client: k.Theo})
	if again := k.begin(k.theo, chat.To{Member: k.Mara.Practitioner()}); again != c {
		t.Errorf("the client's conversation is %s, the practitioner's %s", again, c)
	}
	k.send(k.Mara, c, "How was the week?")
	k.send(k.theo, c, "Better.\nI slept.")
	for _, by := range []access.Actor{k.Mara, k.theo} {
		all := k.thread(by, c)
		if len(all) != 2 || all[0].Seq != 1 || all[1].Seq != 2 || all[0].Body != "How was the week?" || all[1].Body != "Better.\nI slept." {
			t.Fatalf("%s reads %+v", by.Role(), all)
		}
		if all[0].Mine != by.AtWork() || all[1].Mine != by.IsClient() {
			t.Errorf("%s: whose is whose: %+v", by.Role(), all)
		}
	}
}

func TestEdge19_AMessageSentTwiceIsThereOnce(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	c := k.begin(k.Mara, chat.To{Client: k.Theo})
	m := id.New[id.Message](k.Now())
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			err := k.DB.Update(t.Context(), func(tx *db.Tx) error {
				sent, err := chat.Send(tx, k.theo, c, m, "Are you there?")
				if err == nil && (sent.Seq != 1 || sent.Body != "Are you there?") {
					t.Errorf("it came to stand at %d: %q", sent.Seq, sent.Body)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := k.thread(k.Mara, c); len(got) != 1 {
		t.Errorf("there are %d messages, want one", len(got))
	}
	other := k.begin(k.Mara, chat.To{Member: k.Noor.Practitioner()})
	k.refuses(chat.ErrSentBefore, func(tx *db.Tx) error { _, err := chat.Send(tx, k.Mara, other, m, "Are you there?"); return err })
	k.refuses(chat.ErrSentBefore, func(tx *db.Tx) error { _, err := chat.Send(tx, k.Mara, c, m, "Are you there?"); return err })
}

// From a page that was opened twice other words come under one identifier. They
// are not taken for what was sent before: they would be lost.
func TestOtherWordsUnderOneIdentifierAreNotLost(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	c := k.begin(k.Mara, chat.To{Client: k.Theo})
	m := id.New[id.Message](k.Now())
	send := func(body string, files ...id.Attachment) func(*db.Tx) error {
		return func(tx *db.Tx) error { _, err := chat.Send(tx, k.theo, c, m, body, files...); return err }
	}
	k.Update(t, send("Are you there?"))
	k.Update(t, send("Are you there?\r\n")) // the same, as a form sends it
	k.refuses(chat.ErrSentOther, send("Are you at home?"))
	k.refuses(chat.ErrSentOther, send("Are you there?", id.New[id.Attachment](k.Now())))
	for _, verb := range []func(*db.Tx) error{ // what was sent is what was sent, whatever became of it
		func(tx *db.Tx) error { return chat.Edit(tx, k.theo, c, m, "Are you here?") },
		func(tx *db.Tx) error { return chat.Edit(tx, k.theo, c, m, "Are you near?") },
		func(tx *db.Tx) error { return chat.TakeBack(tx, k.theo, c, m) },
	} {
		k.Pass(time.Second)
		k.Update(t, verb)
		k.Update(t, send("Are you there?")) // sent again by a page that does not know
		k.refuses(chat.ErrSentOther, send("Are you here?"))
		k.refuses(chat.ErrSentOther, send("Are you at home?"))
	}
	if got := k.thread(k.Mara, c); len(got) != 1 || got[0].TakenAt == nil {
		t.Errorf("there is %+v, want one that was taken back", got)
	}
}

// A form that is pressed twice brings its files twice: they are there once. Others
// are not them.
func TestOtherFilesUnderOneIdentifierAreNotLost(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	c := k.begin(k.Mara, chat.To{Client: k.Theo})
	m := id.New[id.Message](k.Now())
	send := func(body string, files ...chat.File) func(*db.Tx) error {
		return func(tx *db.Tx) error {
			var all []id.Attachment
			for _, f := range files {
				all = append(all, f.ID)
			}
			_, err := chat.Send(tx, k.theo, c, m, body, all...)
			return err
		}
	}
	take := func(name, content string) chat.File { return k.brings(k.theo, c, m, name, content) }
	one := take("walk.txt", "to the lake")
	k.Update(t, send("", one))
	k.Update(t, send("", one))
	if again := take("walk.txt", "to the lake"); again != one || k.kept() != 1 {
		t.Errorf("brought again it is %+v, was %+v, and %d files are kept", again, one, k.kept())
	}
	others := []chat.File{take("walk.txt", "to the lake and back"), take("rest.txt", "to the lake")}
	for range 2 {
		for _, other := range others {
			k.refuses(chat.ErrSentOther, send("", other))
			k.refuses(chat.ErrSentFiles, send("", one, other))
		}
		k.refuses(chat.ErrSentOther, send("The walk"))
		k.refuses(chat.ErrSentFiles, send("The walk", one))
		k.Update(t, send("", one))
		if k.thread(k.theo, c)[0].TakenAt == nil {
			k.Update(t, func(tx *db.Tx) error { return chat.TakeBack(tx, k.theo, c, m) })
		}
	}
}

func TestManyWritersLeaveNoGap(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	c := k.begin(k.Mara, chat.To{Client: k.Theo})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			by := k.Mara
			if i%2 == 0 {
				by = k.theo
			}
			for range 5 {
				if err := k.DB.Update(t.Context(), func(tx *db.Tx) error {
					_, err := chat.Send(tx, by, c, id.New[id.Message](k.Now()), "one of forty")
					return err
				}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	for i, m := range k.thread(k.Mara, c) {
		if m.Seq != int64(i+1) {
			t.Fatalf("message %d stands at %d", i+1, m.Seq)
		}
	}
}

func TestWhoMayReadAConversation(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	c := k.begin(k.Mara, chat.To{Client: k.Theo})
	k.send(k.theo, c, "Only for you.")
	ada := k.Colleague(t, "Ada Stone", "ada@practice.test", access.Administrator)
	bill := k.Colleague(t, "Bill Stone", "bill@practice.test", access.Biller)
	lena := k.Client(t, k.Mara, people.Draft{First: "Lena", Last: "Marsh", Email: "lena@example.com", EmailConsent: true})
	other := k.Linked(t, lena, "lena@example.com")
	for _, by := range []access.Actor{k.Noor, k.Ines, ada, bill, other, access.AsPerson(k.theo.Account()), access.Guest()} {
		for what, verb := range map[string]func(*db.Tx) error{
			"finds":      func(tx *db.Tx) error { _, err := chat.Find(tx, by, c); return err },
			"writes in":  func(tx *db.Tx) error { _, err := chat.Send(tx, by, c, id.New[id.Message](k.Now()), "x"); return err },
			"archives":   func(tx *db.Tx) error { return chat.Archive(tx, by, c, true) },
			"begins one": func(tx *db.Tx) error { _, err := chat.Start(tx, by, chat.To{Client: k.Theo}); return err },
		} {
			err := k.DB.Update(t.Context(), verb)
			if !errors.Is(err, fault.NotFound) && !errors.Is(err, fault.Forbidden) && !(what == "begins one" && errors.Is(err, fault.Invalid)) {
				t.Errorf("%s %s it: %v", by.Role(), what, err)
			}
		}
		k.View(t, func(tx *db.Tx) error {
			all, err := chat.Conversations(tx, by)
			if len(all) > 0 {
				t.Errorf("%s has it in the list", by.Role())
			}
			hits, _, err2 := chat.Search(tx, by, "only")
			if len(hits) > 0 {
				t.Errorf("%s finds it", by.Role())
			}
			return errors.Join(err, err2)
		})
		if err := chat.Read(t.Context(), k.DB, by, c, 1, 0); !errors.Is(err, fault.NotFound) {
			t.Errorf("%s reads on in it: %v", by.Role(), err)
		}
		if err := chat.KeepDraft(t.Context(), k.DB, by, c, chat.Begun{Body: "x"}); !errors.Is(err, fault.NotFound) {
			t.Errorf("%s begins to write in it: %v", by.Role(), err)
		}
	}
}

func TestWhoLooksAfterAClientNowReadsWhatWasWrittenAndWritesInAThreadOfTheirOwn(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	c := k.begin(k.Mara, chat.To{Client: k.Theo})
	m := k.send(k.Mara, c, "See you on Monday.")
	k.Update(t, func(tx *db.Tx) error {
		return team.HandOver(tx, k.Mara, k.Mara.Practitioner(), k.Noor.Practitioner(), []id.Client{k.Theo})
	})
	if got := k.thread(k.Noor, c); len(got) != 1 {
		t.Fatalf("who looks after him now reads %d messages", len(got))
	}
	k.refuses(chat.ErrOnlyReads, func(tx *db.Tx) error {
		_, err := chat.Send(tx, k.Noor, c, id.New[id.Message](k.Now()), "x")
		return err
	})
	k.refuses(fault.NotFound, func(tx *db.Tx) error { return chat.TakeBack(tx, k.Noor, c, m.ID) })
	own := k.begin(k.Noor, chat.To{Client: k.Theo})
	if own == c {
		t.Fatal("the new practitioner writes in the old one's thread")
	}
	k.send(k.Noor, own, "Hello Theo.")
	if n := k.unread(k.theo); n != 2 {
		t.Errorf("the client has %d unread, want 2", n)
	}
}

func TestUnreadIsTrueForEverybody(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	c := k.begin(k.Mara, chat.To{Client: k.Theo})
	for range 3 {
		k.send(k.Mara, c, "one of three")
	}
	if mine, theirs := k.unread(k.Mara), k.unread(k.theo); mine != 0 || theirs != 3 {
		t.Fatalf("the writer has %d unread and the reader %d, want 0 and 3", mine, theirs)
	}
	k.read(k.theo, c, 2)
	k.read(k.theo, c, 1) // an older page, read later, takes nothing back
	if n := k.unread(k.theo); n != 1 {
		t.Errorf("after reading two of three, %d are unread", n)
	}
	k.read(k.theo, c, 99) // no further than there is
	k.send(k.Mara, c, "a fourth")
	if n := k.unread(k.theo); n != 1 {
		t.Errorf("after a fourth, %d are unread", n)
	}
	k.send(k.theo, c, "I have read them") // whoever answers has
	if n := k.unread(k.theo); n != 0 {
		t.Errorf("after the answer, %d are unread", n)
	}
}

func TestSeenIsSeenBothWaysOrNot(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	c := k.begin(k.Mara, chat.To{Client: k.Theo})
	k.send(k.Mara, c, "Did this reach you?")
	k.read(k.theo, c, 1)
	seen := func(by access.Actor) (all []chat.Seen) {
		k.View(t, func(tx *db.Tx) error {
			is, err := chat.Find(tx, by, c)
			if err == nil {
				all, err = chat.SeenBy(tx, is)
			}
			return err
		})
		return all
	}
	if got := seen(k.Mara); len(got) != 1 || got[0].Seq != 1 {
		t.Fatalf("the practitioner sees %v", got)
	}
	if got := seen(k.theo); len(got) != 1 {
		t.Errorf("the client sees %v", got)
	}
	k.Update(t, func(tx *db.Tx) error {
		choice := chat.Usual()
		choice.HidesSeen = true
		return chat.Choose(tx, k.theo, choice)
	})
	if a, b := seen(k.Mara), seen(k.theo); a != nil || b != nil {
		t.Errorf("he hides it, and is still seen, %v, or sees, %v", a, b)
	}
}

// Whoever has read a message has not seen what it was changed to since.
func TestWhatIsChangedIsNotSeenUntilItIsReadAgain(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	c := k.begin(k.Mara, chat.To{Client: k.Theo})
	first := k.send(k.Mara, c, "See you on Monday.")
	second := k.send(k.Mara, c, "Bring the diary.")
	reads := func(seq, change int64) {
		t.Helper()
		if err := chat.Read(t.Context(), k.DB, k.theo, c, seq, change); err != nil {
			t.Fatal(err)
		}
	}
	seen := func(what string, want int64, at at.Time) {
		t.Helper()
		k.View(t, func(tx *db.Tx) error {
			is, err := chat.Find(tx, k.Mara, c)
			if err != nil {
				return err
			}
			seq, who, err := chat.LastSeen(tx, is)
			if seq != want || len(who) != min(1, int(want)) || len(who) == 1 && who[0].At != at {
				t.Errorf("%s: of %d it is said that %v saw it, want of %d, at %v", what, seq, who, want, at)
			}
			return err
		})
	}
	seen("nothing is read", 0, at.Time{})
	reads(2, 0)
	read := at.Of(k.Now())
	seen("both are read", 2, read)
	k.Pass(time.Minute)
	k.Update(t, func(tx *db.Tx) error { return chat.Edit(tx, k.Mara, c, second.ID, "Bring the letter.") })
	seen("the second is changed", 1, read)
	reads(2, 0) // by a page that has not heard of it
	seen("it is read as it was", 1, read)
	k.send(k.theo, c, "I will.")
	seen("it is answered as it was", 1, read)
	k.Pass(time.Minute)
	reads(3, 1)
	again := at.Of(k.Now())
	seen("it is read as it is", 2, again)
	k.Pass(time.Minute)
	k.Update(t, func(tx *db.Tx) error { return chat.Edit(tx, k.Mara, c, first.ID, "See you on Tuesday.") })
	seen("another is changed", 2, again)
	reads(3, 9) // more than there are
	seen("and read; when he saw the second is not known any more", 2, at.Time{})
	k.Update(t, func(tx *db.Tx) error { return chat.Edit(tx, k.Mara, c, first.ID, "See you on Friday.") })
	k.Update(t, func(tx *db.Tx) error { return chat.TakeBack(tx, k.Mara, c, second.ID) })
	seen("one is changed again, the other taken back", 0, at.Time{})
	k.Pass(time.Minute)
	k.send(k.Mara, c, "So, Friday.")
	reads(4, 4)
	read = at.Of(k.Now())
	k.Pass(time.Minute)
	k.send(k.theo, c, "Friday.")
	seen("what he answered he had read before", 4, read)
}

func TestAMessageCanBeChangedForFiveMinutesAndWhatItSaidIsKept(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	c := k.begin(k.theo, chat.To{Member: k.Mara.Practitioner()})
	m := k.send(k.theo, c, "I am find.")
	k.Update(t, func(tx *db.Tx) error { return chat.Edit(tx, k.theo, c, m.ID, "I am fine.") })
	if got := k.thread(k.Mara, c); got[0].Body != "I am fine." || got[0].EditedAt == nil {
		t.Fatalf("it says %+v", got[0])
	}
	k.refuses(fault.NotFound, func(tx *db.Tx) error { return chat.Edit(tx, k.Mara, c, m.ID, "mine now") })
	k.refuses(chat.ErrEmpty, func(tx *db.Tx) error { return chat.Edit(tx, k.theo, c, m.ID, "  ") })
	k.Pass(time.Minute)
	k.Update(t, func(tx *db.Tx) error { return chat.TakeBack(tx, k.theo, c, m.ID) })
	if got := k.thread(k.Mara, c); got[0].Body != "" || got[0].TakenAt == nil {
		t.Errorf("taken back, it says %+v", got[0])
	}
	k.refuses(chat.ErrTaken, func(tx *db.Tx) error { return chat.TakeBack(tx, k.theo, c, m.ID) })
	var kept int
	if err := k.DB.Row(t.Context(), "SELECT COUNT(*) FROM message_before", nil, &kept); err != nil || kept != 2 {
		t.Errorf("%d earlier versions are kept, want 2; %v", kept, err)
	}
	late := k.send(k.theo, c, "Too late for this one.")
	k.Pass(chat.Regret)
	k.refuses(chat.ErrTooLate, func(tx *db.Tx) error { return chat.Edit(tx, k.theo, c, late.ID, "Not any more") })
	k.refuses(chat.ErrTooLate, func(tx *db.Tx) error { return chat.TakeBack(tx, k.theo, c, late.ID) })
}

func TestADraftWaitsForItsWriterAlone(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	c := k.begin(k.theo, chat.To{Member: k.Mara.Practitioner()})
	if err := chat.KeepDraft(t.Context(), k.DB, k.theo, c, chat.Begun{Body: "I do not know how to"}); err != nil {
		t.Fatal(err)
	}
	if mine, hers := k.draft(k.theo, c), k.draft(k.Mara, c); mine != "I do not know how to" || hers != "" {
		t.Errorf("he has %q, she %q", mine, hers)
	}
	k.send(k.theo, c, "I do not know how to say it.")
	if left := k.draft(k.theo, c); left != "" {
		t.Errorf("sent, and the draft is still %q", left)
	}
}

// The page may be gone before its message arrives: what was begun behind it stays,
// and so does what was begun elsewhere.
func TestOfADraftOnlyWhatIsSentGoes(t *testing.T) {
	t.Parallel()
	for _, s := range []struct {
		what, body string
		waits      []string
		send       []string
		want       string
	}{
		{"begun behind one on its way", "I do not want to live like this", []string{"Hello"}, []string{"Hello"}, "I do not want to live like this"},
		{"two on their way, the first arrives", "Begun", []string{"One", "Two"}, []string{"One"}, "Two\n\nBegun"},
		{"two on their way arrive", "Begun", []string{"One", "Two"}, []string{"One", "Two"}, "Begun"},
		{"all of it is sent", "Hello", nil, []string{"Hello"}, ""},
		{"it is finished and sent", "I do not know how to", nil, []string{"I do not know how to say it."}, ""},
		{"it is on another device", "Something quite different", nil, []string{"Hello"}, "Something quite different"},
		{"it only begins with the same letters", "Hello, it is me", nil, []string{"Hello"}, "Hello, it is me"},
		{"with lines between", "\n\nBegun", []string{"A\n\nB"}, []string{"A\n\nB"}, "Begun"},
		{"none", "", nil, []string{"Hello"}, ""},
	} {
		t.Run(s.what, func(t *testing.T) {
			k := newTalk(t)
			c := k.begin(k.theo, chat.To{Member: k.Mara.Practitioner()})
			var waits []chat.Waiting
			for _, words := range s.waits {
				waits = append(waits, chat.Waiting{ID: id.New[id.Message](k.Now()), Words: words})
			}
			if err := chat.KeepDraft(t.Context(), k.DB, k.theo, c, chat.Begun{Body: s.body, Waits: waits}); err != nil {
				t.Fatal(err)
			}
			for _, words := range s.send {
				k.send(k.theo, c, words)
			}
			if got := k.draft(k.theo, c); got != s.want {
				t.Errorf("the draft is %q, want %q", got, s.want)
			}
		})
	}
}

// What was kept, was changed, and is sent is no draft any more; what was begun on
// another page meanwhile is.
func TestAPageLetsGoOfWhatItHadKept(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	c := k.begin(k.theo, chat.To{Member: k.Mara.Practitioner()})
	let := func(words string) {
		k.Update(t, func(tx *db.Tx) error {
			if err := chat.Discard(tx, k.theo, c, words); err != nil {
				return err
			}
			_, err := chat.Send(tx, k.theo, c, id.New[id.Message](k.Now()), "Hello")
			return err
		})
	}
	if err := chat.KeepDraft(t.Context(), k.DB, k.theo, c, chat.Begun{Body: "I do not\nknwo"}); err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{"Another", "", strings.Repeat("x", 3*chat.Most+1)} {
		if let(other); k.draft(k.theo, c) != "I do not\nknwo" {
			t.Fatalf("%.20q let go of %q", other, "I do not\nknwo")
		}
	}
	if let("I do not\r\nknwo "); k.draft(k.theo, c) != "" {
		t.Errorf("it is still there: %q", k.draft(k.theo, c))
	}
	k.View(t, func(tx *db.Tx) error {
		if err := chat.Discard(tx, k.Ines, c, "x"); !errors.Is(err, fault.NotFound) {
			t.Errorf("the practice next door: %v", err)
		}
		return nil
	})
}

// Two requests of one page arrive as they like: the newer words stay, also when they
// are none.
func TestAnOlderDraftOfAPageDoesNotTakeThePlaceOfANewerOne(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	c := k.begin(k.theo, chat.To{Member: k.Mara.Practitioner()})
	for _, s := range []struct {
		page   string
		number int64
		body   string
		want   string
	}{
		{"one", 2, "Newer", "Newer"},
		{"one", 1, "Older", "Newer"},
		{"one", 3, "", ""},
		{"one", 2, "Newer", ""},
		{"two", 1, "Elsewhere", "Elsewhere"},
		{"", 0, "By a form", "By a form"},
		{"two", 1, "Elsewhere", "Elsewhere"},
	} {
		if err := chat.KeepDraft(t.Context(), k.DB, k.theo, c, chat.Begun{Body: s.body, Page: s.page, Number: s.number}); err != nil {
			t.Fatal(err)
		}
		if got := k.draft(k.theo, c); got != s.want {
			t.Errorf("after %q, number %d of page %q, the draft is %q, want %q", s.body, s.number, s.page, got, s.want)
		}
	}
}

// A page that goes does not learn what becomes of a message on its way: what has
// arrived is no draft any more, what has not is one.
func TestOfWhatAPageLeavesBehindOnlyWhatHasNotArrivedIsADraft(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	c := k.begin(k.theo, chat.To{Member: k.Mara.Practitioner()})
	other := k.begin(k.Mara, chat.To{Member: k.Noor.Practitioner()})
	arrived, elsewhere := k.send(k.theo, c, "One"), k.send(k.Mara, other, "Hers")
	waits := func(words string) chat.Waiting { return chat.Waiting{ID: id.New[id.Message](k.Now()), Words: words} }
	for want, left := range map[string][]chat.Waiting{
		"Begun":                 {{ID: arrived.ID, Words: "One"}},
		"Two\n\nThree\n\nBegun": {{ID: arrived.ID, Words: "One"}, waits("Two"), waits("Three")},
		"Four\n\nBegun":         {waits("Four"), waits("")},
		"Hers\n\nBegun":         {{ID: elsewhere.ID, Words: "Hers"}}, // of another conversation nothing is told
	} {
		if err := chat.KeepDraft(t.Context(), k.DB, k.theo, c, chat.Begun{Body: "Begun", Waits: left}); err != nil {
			t.Fatal(err)
		}
		if got := k.draft(k.theo, c); got != want {
			t.Errorf("the draft is %.40q, want %.40q", got, want)
		}
	}
	if err := chat.KeepDraft(t.Context(), k.DB, k.theo, c, chat.Begun{Body: "Begun", Waits: []chat.Waiting{waits(strings.Repeat("ж", 3*chat.Most-4))}}); err != nil {
		t.Fatal(err)
	}
	if got := k.draft(k.theo, c); !strings.HasSuffix(got, "ж\n\nBe") || utf8.RuneCountInString(got) != 3*chat.Most {
		t.Errorf("of what is too long, this is kept: %d characters, …%q", utf8.RuneCountInString(got), got[max(0, len(got)-12):])
	}
}

func TestOneLetterForABurstAndNoneOnceRead(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	c := k.begin(k.Mara, chat.To{Client: k.Theo})
	k.RunJobs(t)
	before := len(k.Letters("theo@example.com"))
	news := func() int { return len(k.Letters("theo@example.com")) - before }
	k.send(k.Mara, c, "The knee of the heron.")
	k.send(k.Mara, c, "And another.")
	k.RunJobs(t)
	if n := news(); n != 0 {
		t.Fatalf("%d letters at once", n)
	}
	k.Pass(11 * time.Minute)
	k.RunJobs(t)
	if n := news(); n != 1 {
		t.Fatalf("%d letters for two messages, want one", n)
	}
	l := k.Letters("theo@example.com")[before]
	if l.Subject != "You have a new secure message" || strings.Contains(l.Text+l.HTML, "heron") || strings.Contains(l.Text+l.HTML, "Mara Lindqvist") {
		t.Errorf("the letter says: %s\n%s", l.Subject, l.Text)
	}
	k.Pass(time.Hour)
	k.RunJobs(t)
	if n := news(); n != 1 {
		t.Errorf("it was told again: %d", n)
	}
	k.send(k.Mara, c, "Read at once.")
	k.read(k.theo, c, 3)
	k.Pass(11 * time.Minute)
	k.RunJobs(t)
	if n := news(); n != 1 {
		t.Errorf("what was read is told of: %d", n)
	}
	k.Update(t, func(tx *db.Tx) error { return people.Consent(tx, k.Mara, k.Theo, false) })
	k.send(k.Mara, c, "Without consent.")
	k.Pass(11 * time.Minute)
	k.RunJobs(t)
	if n := news(); n != 1 {
		t.Errorf("a letter without consent: %d", n)
	}
}

func TestLettersKeepQuietHoursAndTheDay(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	c := k.begin(k.theo, chat.To{Member: k.Mara.Practitioner()})
	k.RunJobs(t)
	before := len(k.Letters("mara@practice.test"))
	news := func() int { return len(k.Letters("mara@practice.test")) - before }
	k.Pass(14 * time.Hour) // 9 in the morning there; now 11 at night
	k.send(k.theo, c, "I cannot sleep.")
	k.Pass(11 * time.Minute)
	k.RunJobs(t)
	if n := news(); n != 0 {
		t.Fatalf("%d letters in the night", n)
	}
	k.Pass(9 * time.Hour)
	k.RunJobs(t)
	if n := news(); n != 1 {
		t.Fatalf("%d letters in the morning, want one", n)
	}
	k.Update(t, func(tx *db.Tx) error {
		return chat.Choose(tx, k.Mara, chat.Choice{Letters: chat.DailyOnes})
	})
	k.send(k.theo, c, "One.")
	k.Pass(30 * time.Minute)
	k.send(k.theo, c, "Two.")
	k.Pass(30 * time.Minute)
	k.RunJobs(t)
	if n := news(); n != 1 {
		t.Errorf("a daily letter before the evening: %d", n)
	}
	k.Pass(10 * time.Hour)
	k.RunJobs(t)
	if n := news(); n != 2 {
		t.Errorf("%d letters by the evening, want 2", n)
	}
	k.Update(t, func(tx *db.Tx) error { return chat.Choose(tx, k.Mara, chat.Choice{Letters: chat.NoLetters}) })
	k.send(k.theo, c, "Three.")
	k.Pass(24 * time.Hour)
	k.RunJobs(t)
	if n := news(); n != 2 {
		t.Errorf("none are wanted, and %d came", n-2)
	}
}

func TestWhoIsAwayAnswersOnceInEachThread(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	k.Update(t, func(tx *db.Tx) error {
		return chat.GoAway(tx, k.Mara, chat.Away{ID: id.New[id.Away](k.Now()), Begins: tx.Now(), Ends: tx.Now().Plus(48 * time.Hour), Words: "I am back on Wednesday."})
	})
	c := k.begin(k.theo, chat.To{Member: k.Mara.Practitioner()})
	k.send(k.theo, c, "Hello?")
	k.send(k.theo, c, "Anybody?")
	all := k.thread(k.theo, c)
	if len(all) != 3 || !all[1].Automatic() || all[1].Body != "I am back on Wednesday." {
		t.Fatalf("the thread is %+v", all)
	}
	k.send(k.Mara, c, "A word from the beach.")
	k.Pass(49 * time.Hour)
	k.send(k.theo, c, "Back?")
	if all := k.thread(k.theo, c); len(all) != 5 {
		t.Errorf("there are %d messages, want 5", len(all))
	}
}

func TestAClientWhoMayBeginNoneKeepsTheirConversations(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	k.Update(t, func(tx *db.Tx) error { return chat.SetClosed(tx, k.Mara, k.Theo, true) })
	k.refuses(chat.ErrClosed, func(tx *db.Tx) error {
		_, err := chat.Start(tx, k.theo, chat.To{Member: k.Mara.Practitioner()})
		return err
	})
	c := k.begin(k.Mara, chat.To{Client: k.Theo})
	if again := k.begin(k.theo, chat.To{Member: k.Mara.Practitioner()}); again != c {
		t.Error("the conversation that is there is not found")
	}
	k.send(k.theo, c, "I may answer.")
	k.refuses(fault.NotFound, func(tx *db.Tx) error { return chat.SetClosed(tx, k.Noor, k.Theo, false) })
	k.refuses(fault.Forbidden, func(tx *db.Tx) error { return chat.SetClosed(tx, k.theo, k.Theo, false) })
}

func TestOneCanWriteToNobodyButOnesOwn(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	lena := k.Client(t, k.Mara, people.Draft{First: "Lena", Last: "Marsh"})
	k.refuses(chat.ErrUnreached, func(tx *db.Tx) error { _, err := chat.Start(tx, k.Mara, chat.To{Client: lena}); return err })
	k.refuses(chat.ErrNobody, func(tx *db.Tx) error {
		_, err := chat.Start(tx, k.theo, chat.To{Member: k.Noor.Practitioner()})
		return err
	})
	k.refuses(chat.ErrNobody, func(tx *db.Tx) error { _, err := chat.Start(tx, k.theo, chat.To{Team: true}); return err })
	k.refuses(chat.ErrNobody, func(tx *db.Tx) error {
		_, err := chat.Start(tx, k.Mara, chat.To{Member: k.Ines.Practitioner()})
		return err
	})
	k.refuses(chat.ErrNobody, func(tx *db.Tx) error {
		_, err := chat.Start(tx, k.Mara, chat.To{Member: k.Mara.Practitioner()})
		return err
	})
	c := k.begin(k.Mara, chat.To{Client: k.Theo})
	k.Update(t, func(tx *db.Tx) error { return people.EndCare(tx, k.Mara, k.Theo, tx.Now()) })
	k.refuses(chat.ErrUnreached, func(tx *db.Tx) error {
		_, err := chat.Send(tx, k.Mara, c, id.New[id.Message](k.Now()), "too late")
		return err
	})
}

func TestSearchFindsWordsWhereverTheyStand(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	c := k.begin(k.Mara, chat.To{Client: k.Theo})
	for _, body := range []string{"The river was high.", "Nothing here.", "A RIVER of words, and a heron.", "Ein Müller am Fluss"} {
		k.send(k.Mara, c, body)
	}
	for words, want := range map[string]int{"river": 2, "river heron": 1, "muller": 1, "rivers": 0, "": 0, "  ": 0} {
		k.View(t, func(tx *db.Tx) error {
			hits, all, err := chat.Search(tx, k.theo, words)
			if len(hits) != want || !all {
				t.Errorf("%q finds %d, want %d", words, len(hits), want)
			}
			return err
		})
	}
}

func TestWhatIsUndoneIsNotThere(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	c := k.begin(k.Mara, chat.To{Client: k.Theo})
	undone := errors.New("undone")
	k.refuses(undone, func(tx *db.Tx) error {
		if _, err := chat.Send(tx, k.Mara, c, id.New[id.Message](k.Now()), "never"); err != nil {
			return err
		}
		return undone
	})
	if got := k.thread(k.theo, c); len(got) != 0 {
		t.Errorf("there is %+v", got)
	}
	if m := k.send(k.Mara, c, "first"); m.Seq != 1 {
		t.Errorf("the first stands at %d", m.Seq)
	}
}

// reaches reports whether by's words would be read, as the page has it, and wants
// sending to agree.
func (k *talk) reaches(by access.Actor, c id.Conversation) (is bool) {
	k.t.Helper()
	k.View(k.t, func(tx *db.Tx) error { is = k.found(tx, by, c).Reaches; return nil })
	err := k.DB.Update(k.t.Context(), func(tx *db.Tx) error {
		_, err := chat.Send(tx, by, c, id.New[id.Message](k.Now()), "Can you hear me?")
		return err
	})
	if is && err != nil || !is && !errors.Is(err, chat.ErrUnreached) {
		k.t.Errorf("the page says reached: %v, sending says %v", is, err)
	}
	return is
}

func (k *talk) found(tx *db.Tx, by access.Actor, c id.Conversation) chat.Conversation {
	k.t.Helper()
	is, err := chat.Find(tx, by, c)
	if err != nil {
		k.t.Fatal(err)
	}
	return is
}

func TestEdge17_NothingIsTakenThatNobodyReads(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	mara, noor := k.Mara.Practitioner(), k.Noor.Practitioner()
	c := k.begin(k.theo, chat.To{Member: mara})
	between := k.begin(k.Mara, chat.To{Member: noor})
	k.send(k.theo, c, "one")
	if !k.reaches(k.theo, c) || !k.reaches(k.Mara, c) || !k.reaches(k.Noor, between) {
		t.Fatal("while all are there, somebody is not reached")
	}
	k.send(k.theo, c, "She has not read this.")
	k.Update(t, func(tx *db.Tx) error { return team.HandOver(tx, k.Mara, mara, noor, []id.Client{k.Theo}) })
	if k.reaches(k.theo, c) {
		t.Error("a client reaches who has handed them over")
	}
	k.read(k.Mara, between, 1)
	k.Pass(24 * time.Hour)
	k.RunJobs(t)
	n := 0
	for _, l := range k.Letters("mara@practice.test") {
		if strings.Contains(l.Subject, "secure message") {
			n++
		}
	}
	if n != 0 {
		t.Errorf("%d letters of a thread that is hers no more", n)
	}
	now := k.begin(k.theo, chat.To{Member: noor})
	if !k.reaches(k.theo, now) {
		t.Error("who looks after the client now is not reached")
	}
	k.Update(t, func(tx *db.Tx) error { return team.SetRole(tx, k.Mara, noor, "owner") })
	k.Update(t, func(tx *db.Tx) error { return team.Deactivate(tx, k.Mara, mara, "") })
	if k.reaches(k.Noor, between) {
		t.Error("a colleague who works here no more is reached")
	}
}

// A thread with who handed the client over takes nothing more from either side,
// whatever their role opens to them; what was written stays to be read, and it
// goes on when they look after the client again.
func TestEdge17_WhoHandedAClientOverReadsAndDoesNotWrite(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	mara, noor := k.Mara.Practitioner(), k.Noor.Practitioner()
	c := k.begin(k.theo, chat.To{Member: mara})
	k.send(k.theo, c, "one")
	k.Update(t, func(tx *db.Tx) error { return team.HandOver(tx, k.Mara, mara, noor, []id.Client{k.Theo}) })
	k.View(t, func(tx *db.Tx) error {
		if is := k.found(tx, k.Mara, c); is.Writes || !is.Former || is.Messages != 1 {
			t.Errorf("who is only an owner now finds %+v", is)
		}
		return nil
	})
	for range 2 {
		err := k.DB.Update(t.Context(), func(tx *db.Tx) error {
			_, err := chat.Send(tx, k.Mara, c, id.New[id.Message](k.Now()), "Are you well?")
			return err
		})
		if !errors.Is(err, chat.ErrFormer) {
			t.Errorf("sending says %v", err)
		}
	}
	k.Update(t, func(tx *db.Tx) error { return team.HandOver(tx, k.Mara, noor, mara, []id.Client{k.Theo}) })
	if !k.reaches(k.Mara, c) {
		t.Error("who looks after the client again may not write")
	}
}

func TestEdge17_WhoComesToTheTeamIsReachedUntilTheyLeaveIt(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	noor := k.Noor.Practitioner()
	k.Update(t, func(tx *db.Tx) error { return team.Include(tx, k.Mara, k.Theo, noor, nil) })
	c := k.begin(k.theo, chat.To{Member: noor})
	all := k.begin(k.theo, chat.To{Team: true})
	if !k.reaches(k.theo, c) || !k.reaches(k.theo, all) {
		t.Fatal("one of the team is not reached")
	}
	k.Update(t, func(tx *db.Tx) error { return team.Exclude(tx, k.Mara, k.Theo, noor) })
	if k.reaches(k.theo, c) {
		t.Error("who left the team is reached")
	}
	if !k.reaches(k.theo, all) {
		t.Error("of the team, one is left, and not reached")
	}
}
