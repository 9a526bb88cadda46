package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/email"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/chat"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/support"
	"icouch/internal/team"
	"icouch/internal/world"
)

// beside is the same conversation at a second server of the program: on
// PostgreSQL with connections of its own; SQLite is for one process, and has two
// sites in it.
func (k *talking) beside(t *testing.T) *talking {
	t.Helper()
	there := serve(t, k.w)
	if world.OnPostgres() {
		there = node(t, k.w)
	}
	at := func(b *browser) *browser {
		other := there.browser(t, k.w)
		other.cookies = b.cookies
		return other
	}
	return &talking{served: there, w: k.w, mara: at(k.mara), theo: at(k.theo), at: k.at}
}

// soon has a stream end when nothing has come for so long, so that what waits
// for it fails.
func (h *heard) soon(within time.Duration) (enough func()) {
	timer := time.AfterFunc(within, h.stop)
	return func() { timer.Stop() }
}

func TestEdge19_WhatIsWrittenAtOneServerIsHeardAtAnother(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	there := k.beside(t)
	theo := there.listen(t, k.theo, k.at+"/stream?after=0", "")
	defer theo.soon(20 * time.Second)()
	mara := k.listen(t, k.mara, k.at+"/stream?after=0", "")
	defer mara.soon(20 * time.Second)()
	theo.next("unread")
	mara.next("unread")

	m := k.message("Said here.")
	k.mara.post(k.at, m)
	if place, data := theo.next("messages"); place != "1" || !strings.Contains(data, "Said here.") {
		t.Errorf("he hears, at %s: %s", place, data)
	}
	mara.next("messages")
	there.theo.post(k.at, there.message("Answered there."))
	if place, data := mara.next("messages"); place != "2" || !strings.Contains(data, "Answered there.") {
		t.Errorf("she hears, at %s: %s", place, data)
	}
	theo.next("messages")
	there.theo.post(k.at+"/typing", nil)
	if _, who := mara.next("typing"); who != "Theo Vance" {
		t.Errorf("%q is writing", who)
	}
	k.mara.post(k.at, k.message("One more."))
	theo.next("messages")
	mara.next("messages")
	there.theo.post(k.at+"/read", form("seq", "3"))
	for { // she had been told that he read the first when he answered it
		if _, mark := mara.next("seen"); strings.Contains(mark, `data-of="m-3"`) && strings.Contains(mark, ">Seen ") {
			break
		}
	}
	k.w.Pass(time.Second)
	k.mara.post(k.at+"/"+m.Get("message")+"/removal", nil)
	if _, data := theo.next("messages"); !strings.Contains(data, "taken back") || strings.Contains(data, "Said here.") {
		t.Errorf("of what was taken back he hears %s", data)
	}
}

// cut ends the connections by which the servers of a database hear of each
// other, once both have one. SQLite has none.
func (k *talking) cut(t *testing.T) {
	t.Helper()
	if !world.OnPostgres() {
		return
	}
	const listening = " FROM pg_stat_activity WHERE datname = current_database() AND query ILIKE 'listen%'"
	n := 0
	for began := time.Now(); n < 2; {
		if err := k.w.DB.Row(t.Context(), "SELECT COUNT(*)"+listening, nil, &n); err != nil {
			t.Fatal(err)
		}
		if time.Since(began) > 20*time.Second {
			t.Fatalf("%d servers listen, want 2", n)
		}
	}
	if err := k.w.DB.Row(t.Context(), "SELECT COUNT(pg_terminate_backend(pid))"+listening, nil, &n); err != nil || n != 2 {
		t.Fatalf("%d connections were cut (%v), want 2", n, err)
	}
}

func TestEdge19_AServerThatWasCutOffMissesNothing(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	there := k.beside(t)
	h := there.listen(t, k.theo, k.at+"/stream?after=0", "")
	defer h.soon(30 * time.Second)()
	h.next("unread")
	var got []string
	for round := range 3 {
		k.cut(t)
		for i := range 4 {
			k.mara.post(k.at, k.message(fmt.Sprint("Message ", round, i)))
		}
		for len(got) < 4*(round+1) {
			_, data := h.next("messages")
			got = append(got, places(data)...)
		}
	}
	if want := strings.Fields("1 2 3 4 5 6 7 8 9 10 11 12"); !slices.Equal(got, want) {
		t.Errorf("he hears %v, want each once and in order", got)
	}
}

// What is taken away ends the streams that stood on it, at another server, too.
// The program's clock stands still: no memory runs out, and no timer helps.
func TestT06_AnOpenStreamAtAnotherServerEndsWithinFiveSeconds(t *testing.T) {
	t.Parallel()
	const theo, bea = "theo@example.com", "bea@practice.test"
	session := func(k *talking, b *browser) secret.Token { return secret.ParseToken(b.cookies[k.sessionCookie()]) }
	for _, c := range []struct {
		name, who string
		take      func(k *talking, b *browser, tx *db.Tx) error
	}{
		{"signed out everywhere", theo, func(k *talking, b *browser, tx *db.Tx) error {
			who := mustBe(tx, theo)
			return account.EndAll(tx, access.AsPerson(who), who)
		}},
		{"signed out of this device from another", theo, func(k *talking, b *browser, tx *db.Tx) error {
			s, err := account.Lookup(tx, session(k, b))
			if err != nil {
				return err
			}
			return account.EndDevice(tx, access.AsPerson(s.Account), s.ID)
		}},
		{"a new password elsewhere", theo, func(k *talking, b *browser, tx *db.Tx) error {
			return account.SetPassword(tx, access.AsPerson(mustBe(tx, theo)), "another hash", session(k, k.theo))
		}},
		{"care ends", theo, func(k *talking, _ *browser, tx *db.Tx) error { return people.EndCare(tx, k.w.Mara, k.w.Theo, tx.Now()) }},
		{"taken out of the care team", noor, func(k *talking, _ *browser, tx *db.Tx) error {
			return team.Exclude(tx, k.w.Mara, k.w.Theo, k.w.Noor.Practitioner())
		}},
		{"made inactive", noor, func(k *talking, _ *browser, tx *db.Tx) error {
			return team.Deactivate(tx, k.w.Mara, k.w.Noor.Practitioner(), "")
		}},
		{"another role", noor, func(k *talking, _ *browser, tx *db.Tx) error {
			return team.SetRole(tx, k.w.Mara, k.w.Noor.Practitioner(), access.Scheduler)
		}},
		{"the emergency is over", bea, func(k *talking, _ *browser, tx *db.Tx) error {
			by, err := people.Enter(tx, account.Session{Account: mustBe(tx, bea), Practice: k.w.Mara.Practice(), Strong: true})
			if err != nil {
				return err
			}
			return team.Close(tx, by, k.w.Theo)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			k := newTalking(t)
			colleague := k.w.Colleague(t, "Bea Stone", bea, access.Practitioner)
			k.w.Update(t, func(tx *db.Tx) error {
				if err := team.Open(tx, colleague, k.w.Theo, "He stood at the door and could not speak."); err != nil {
					return err
				}
				return team.Include(tx, k.w.Mara, k.w.Theo, k.w.Noor.Practitioner(), nil)
			})
			there := k.beside(t)
			b := k.browser(t, k.w).as(c.who)
			h := there.listen(t, b, k.at+"/stream?after=0", "")
			k.mara.post(k.at, k.message("Heard before."))
			h.next("messages")
			enough := h.soon(5 * time.Second)
			k.w.Update(t, func(tx *db.Tx) error { return c.take(k, b, tx) })
			h.next("over")
			enough()
			k.mara.post(k.at, k.message("Heard never."))
			if h.lines.Scan() {
				t.Errorf("after the end it hears %q", h.lines.Text())
			}
		})
	}
}

// Whoever took the wrong door works nowhere once that is put right: what they
// had open of the practice they made by mistake ends, at another server, too.
func TestT06_AnOpenStreamEndsWithTheWrongDoor(t *testing.T) {
	t.Parallel()
	const una = "una@example.com"
	k := newTalking(t)
	who := k.w.Account(t, "Una Reed", una)
	k.w.Update(t, func(tx *db.Tx) error {
		_, err := people.Found(tx, access.AsPerson(who), "Una’s mistake", "America/New_York")
		return err
	})
	sam, sia := supporter(t, k.w, "sam@help.test"), supporter(t, k.w, "sia@help.test")
	var asked support.RequestID
	k.w.Update(t, func(tx *db.Tx) (err error) {
		asked, err = support.Ask(tx, sam, who, "She called from the number on record.")
		return err
	})
	k.w.RunJobs(t)
	link := secret.ParseToken(k.w.Link(t, una, "/convert/"))
	there := k.beside(t)
	k.w.Arm(t, who)
	h := there.listen(t, k.browser(t, k.w).as(una), "/messages/stream", "")
	h.next("list")
	k.w.Update(t, func(tx *db.Tx) error { _, err := support.Confirm(tx, access.AsPerson(who), link); return err })
	defer h.soon(5 * time.Second)()
	k.w.Update(t, func(tx *db.Tx) error { return support.Approve(tx, sia, asked) })
	h.next("over")
}

// supporter is somebody in support.
func supporter(t *testing.T, w *world.World, address string) access.Actor {
	t.Helper()
	who := w.Account(t, "Sam Field", address)
	a, err := email.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	w.Update(t, func(tx *db.Tx) error { return support.Appoint(tx, access.Operator(), a) })
	return access.AsSupport(who)
}

// The second in which a practice closes ends what anybody has open of it: nothing
// happens then that would wake a stream.
func TestT06_AnOpenStreamEndsWithItsPractice(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	var p people.Practice
	k.w.Update(t, func(tx *db.Tx) (err error) {
		if p, err = people.PracticeOf(tx, k.w.Mara); err != nil {
			return err
		}
		if err = people.ClosePractice(tx, k.w.Mara, p.FirstLastDay(tx.Now())); err != nil {
			return err
		}
		p, err = people.PracticeOf(tx, k.w.Mara)
		return err
	})
	k.w.Pass(p.ClosesAt.Sub(k.w.Now()) - time.Second)
	for _, who := range []string{mara, "theo@example.com"} {
		h := k.listen(t, k.browser(t, k.w).as(who), k.at+"/stream?after=0", "")
		defer h.soon(10 * time.Second)()
		h.next("unread")
		defer h.next("over")
	}
	k.w.Pass(time.Second)
}

// By time alone, nothing wakes a stream: it knows when its session ends.
func TestT06_AStreamEndsWithItsSessionByTimeAlone(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	var left time.Duration
	k.w.View(t, func(tx *db.Tx) error {
		s, err := account.Lookup(tx, secret.ParseToken(k.theo.cookies[k.sessionCookie()]))
		left = s.SeenAt.Add(s.Idle).Sub(tx.Now().Time)
		return err
	})
	k.w.Pass(left - time.Second) // nobody touches anything
	h := k.listen(t, k.theo, k.at+"/stream?after=0", "")
	h.next("unread")
	defer h.soon(5 * time.Second)()
	k.w.Pass(time.Second)
	h.next("over")
}

func TestOfVeryManyStreamsTheOldestMakesRoom(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	var all []*heard
	for range most + 1 {
		h := k.listen(t, k.theo, k.at+"/stream?after=0", "")
		h.next("unread")
		all = append(all, h)
	}
	defer all[0].soon(10 * time.Second)()
	all[0].next("crowded")
	k.mara.post(k.at, k.message("To the others."))
	for _, h := range all[1:] {
		enough := h.soon(10 * time.Second)
		h.next("messages")
		enough()
	}
}

func TestWhoAsksOnlyWhetherThereIsAStreamIsAnsweredAtOnce(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	server := httptest.NewServer(k.handler)
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections) // should one be held open after all
	for _, path := range []string{k.at + "/stream", "/messages/stream"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodHead, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = "icouch.test"
		for name, value := range k.theo.cookies {
			r.AddCookie(&http.Cookie{Name: name, Value: value})
		}
		a, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		a.Body.Close()
		if a.StatusCode != http.StatusOK || a.Header.Get("Content-Type") != "text/event-stream" {
			t.Errorf("HEAD %s answers %d, %s", path, a.StatusCode, a.Header.Get("Content-Type"))
		}
		if n := k.streams.count(); n != 0 { // the handler has returned before its answer is whole
			t.Errorf("HEAD %s left %d streams open", path, n)
		}
	}
}

// count is how many keys have open streams.
func (h *hub) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.open)
}

// What is taken back, or changed, by a transaction that began before a page last
// looked and is stored after, is heard all the same: nobody keeps seeing it.
func TestWhatIsChangedWhileAPageLooksIsHeard(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	there := k.beside(t)
	m := k.message("Said by mistake.")
	k.mara.post(k.at, m)
	h := there.listen(t, k.theo, k.at+"/stream?after=0", "")
	defer h.soon(20 * time.Second)()
	h.next("messages")
	conversation, err := id.Parse[id.Conversation](strings.TrimPrefix(k.at, "/messages/"))
	if err != nil {
		t.Fatal(err)
	}
	message, err := id.Parse[id.Message](m.Get("message"))
	if err != nil {
		t.Fatal(err)
	}
	k.w.Pass(time.Second)
	begun, look, done := make(chan struct{}), make(chan struct{}), make(chan error)
	var once sync.Once // a transaction may be tried again
	go func() {
		done <- k.w.DB.Update(t.Context(), func(tx *db.Tx) error {
			err := chat.TakeBack(tx, k.w.Mara, conversation, message)
			once.Do(func() { close(begun) })
			<-look
			return err
		})
	}()
	<-begun
	k.w.Pass(time.Second)
	if err := k.w.DB.Signal(t.Context(), chat.TypingTopic(k.w.Mara.Practice(), k.w.Theo.String(), conversation, chat.Reader(k.w.Mara))); err != nil {
		t.Error(err)
	}
	h.next("typing") // it has looked, a second after the change began
	close(look)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if _, data := h.next("messages"); !strings.Contains(data, "taken back") || strings.Contains(data, "Said by mistake.") {
		t.Errorf("it hears %s", data)
	}
	// One that slept for longer than anything can be changed hears of it, too.
	k.w.Pass(10 * time.Minute)
	late := there.listen(t, k.theo, k.at+"/stream?after=1-0", "")
	defer late.soon(20 * time.Second)()
	if _, data := late.next("messages"); !strings.Contains(data, "taken back") {
		t.Errorf("after sleep it hears %s", data)
	}
}
