package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"icouch/internal/chat"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/world"
)

// showsHere has somebody choose, on the page of settings.
func (b *browser) showsHere(yes bool) {
	b.t.Helper()
	f := form("letters", "each", "quiet-from", "21", "quiet-until", "8", "seen", "yes")
	if yes {
		f.Set("here", "yes")
	}
	b.post("/settings/messages", f).leads(b.t.(*testing.T), "/settings/messages?said=saved")
}

// opens a page's stream, of somebody who shows themselves, and uses the page.
func (k *talking) opens(t *testing.T, b *browser, at string) *heard {
	t.Helper()
	h := k.listen(t, b, at, "")
	t.Cleanup(h.soon(20 * time.Second))
	if _, yes := h.next("shows"); yes != "yes" {
		t.Fatalf("the page is told that they show themselves: %q", yes)
	}
	k.uses(t, b)
	return h
}

// uses has somebody touch a page of theirs.
func (k *talking) uses(t *testing.T, b *browser) {
	t.Helper()
	if a := b.post("/messages/here", nil); a.Code != http.StatusNoContent {
		t.Fatalf("that a page is used is answered with %d", a.Code)
	}
}

// hears waits until a page says that somebody is here, or nothing.
func (h *heard) hears(want string) {
	h.t.Helper()
	if _, got := h.next("here"); got != want {
		h.t.Fatalf("the page says %q, want %q", got, want)
	}
}

// comesTo waits until a page says that somebody is here, or nothing, whatever it
// says before: another server hears of it a moment later.
func (h *heard) comesTo(want string) {
	h.t.Helper()
	for got := "?"; got != want; {
		_, got = h.next("here")
	}
}

// calm passes over what a page has to hear by way of a message, and fails if it
// heard of anybody's presence before.
func (k *talking) calm(t *testing.T, h *heard) {
	t.Helper()
	k.mara.post(k.at, k.message("Between."))
	for event := ""; h.lines.Scan(); {
		switch line := h.lines.Text(); {
		case line == "event: here" || line == "event: shows":
			t.Errorf("it heard %q", line)
		case strings.HasPrefix(line, "event: "):
			event = line
		case line == "" && event == "event: messages":
			return
		}
	}
	t.Error("the stream ended")
}

const threadStream = "/stream?after=0"

func TestWhoShowsThatTheyAreHereIsSeenWhileTheyAre(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	k.mara.get("/settings/messages").shows(t, 200, "Show “Here now”")
	k.mara.showsHere(true)
	k.theo.showsHere(true)
	theo := k.opens(t, k.theo, k.at+threadStream)
	theo.hears("")
	k.theo.get(k.at).lacks(t, "Here now")

	mara := k.opens(t, k.mara, k.at+threadStream)
	mara.hears("") // who is not here sees nobody
	mara.hears("Here now")
	theo.hears("Here now")
	k.theo.get(k.at).shows(t, 200, "Here now") // without script: as it was

	second := k.opens(t, k.theo, k.at+threadStream) // at once, and not at the next beat
	second.hears("Here now")

	mara.stop()
	theo.hears("")
	second.hears("")
	k.theo.get(k.at).lacks(t, "Here now")

	list := k.opens(t, k.mara, "/messages/stream") // Messaging is open, if not this conversation
	theo.hears("Here now")
	second.hears("Here now")
	list.stop()
	theo.hears("")
	second.hears("")
}

func TestNothingIsShownOfWhoDoesNotShowThemselvesNorToThem(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	k.mara.showsHere(true)
	theo := k.listen(t, k.theo, k.at+threadStream, "")
	t.Cleanup(theo.soon(20 * time.Second))
	theo.next("unread")
	mara := k.opens(t, k.mara, k.at+threadStream)
	mara.hears("")
	k.uses(t, k.theo) // a page that is older than the choice may say so
	k.calm(t, theo)
	k.calm(t, mara)
	k.theo.get(k.at).lacks(t, "Here now")
	k.mara.get(k.at).lacks(t, "Here now")
	k.streams.mu.Lock()
	defer k.streams.mu.Unlock()
	if k.streams.mine[k.person(k.w.Theo.String())] != nil {
		t.Error("something is noted of who does not show themselves")
	}
}

func (k *talking) person(reader string) string { return k.w.Mara.Practice().String() + "/" + reader }

func TestWhoShowsThemselvesNoLongerIsGoneAtOnceAndSeesNobody(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	theo := k.listen(t, k.theo, k.at+threadStream, "")
	t.Cleanup(theo.soon(20 * time.Second))
	theo.next("unread")
	k.theo.showsHere(true) // a page that is open begins to
	if _, yes := theo.next("shows"); yes != "yes" {
		t.Fatal("the page is not told that they show themselves")
	}
	theo.hears("")
	k.uses(t, k.theo)
	k.mara.showsHere(true)
	mara := k.opens(t, k.mara, k.at+threadStream)
	mara.hears("")
	mara.hears("Here now")
	theo.hears("Here now")

	k.mara.showsHere(false)
	theo.hears("")
	if _, yes := mara.next("shows"); yes != "no" {
		t.Errorf("her own page is told %q", yes)
	}
	mara.hears("")
	k.uses(t, k.mara)
	k.calm(t, theo)
	k.calm(t, mara)

	k.mara.showsHere(true)
	if _, yes := mara.next("shows"); yes != "yes" {
		t.Errorf("her own page is told %q", yes)
	}
	mara.hears("")
	k.uses(t, k.mara)
	mara.hears("Here now")
	theo.hears("Here now")
}

func TestWhoUsesNoPageForAWhileIsNotHere(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	k.mara.showsHere(true)
	k.theo.showsHere(true)
	mara := k.opens(t, k.mara, k.at+threadStream)
	mara.hears("")
	k.w.Pass(lingers - time.Second) // her page stands open
	theo := k.opens(t, k.theo, k.at+threadStream)
	theo.hears("")
	theo.hears("Here now")
	mara.hears("Here now")
	k.w.Pass(time.Second) // by the clock alone: nothing happens then
	theo.hears("")
	k.uses(t, k.mara)
	theo.hears("Here now")
}

func TestThatAPageIsUsedKeepsNobodySignedInAndStandsInNoLog(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	k.theo.showsHere(true)
	seen := func() (n int64) {
		if err := k.w.DB.Row(t.Context(), "SELECT MAX(seen_at) FROM session", nil, &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := seen()
	lines := func() (n int64) {
		if err := k.w.DB.Row(t.Context(), "SELECT COUNT(*) FROM audit", nil, &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	trail := lines()
	k.w.Pass(10 * time.Minute)
	k.uses(t, k.theo)
	if now := seen(); now != before {
		t.Error("it is a use of the session")
	}
	if now := lines(); now != trail {
		t.Errorf("%d lines of the trail tell of it", now-trail)
	}
	k.w.Pass(24 * time.Hour)
	k.theo.post("/messages/here", nil) // and it refuses who is signed in no more
	log := k.log.String()
	if strings.Contains(log, `route="POST /messages/here" status=204`) {
		t.Errorf("the log tells that he was here:\n%s", log)
	}
	if !strings.Contains(log, "POST /settings/messages") {
		t.Error("the log is another one")
	}
}

// Nobody learns from a count when somebody was here.
func TestHowOftenAPageIsUsedIsLimitedAndStoredNowhere(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	k.theo.showsHere(true)
	tallies := func() (n int64) {
		if err := k.w.DB.Row(t.Context(), "SELECT COUNT(*) FROM tally", nil, &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := tallies()
	for range mostMessages {
		k.uses(t, k.theo)
	}
	if a := k.theo.post("/messages/here", nil); a.Code != http.StatusTooManyRequests {
		t.Errorf("once more is answered with %d", a.Code)
	}
	k.uses(t, k.mara)
	k.w.Pass(messagesPer)
	k.uses(t, k.theo)
	if now := tallies(); now != before {
		t.Errorf("%d rows tell of it", now-before)
	}
}

func TestEndOfCareHidesBoth(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	k.mara.showsHere(true)
	k.theo.showsHere(true)
	theo := k.opens(t, k.theo, k.at+threadStream)
	mara := k.opens(t, k.mara, k.at+threadStream)
	mara.hears("")
	mara.hears("Here now")
	k.w.Update(t, func(tx *db.Tx) error { return people.EndCare(tx, k.w.Mara, k.w.Theo, tx.Now()) })
	mara.hears("")
	theo.next("over")
	k.mara.get(k.at).lacks(t, "Here now")
}

func TestPresenceCrossesServers(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	k.mara.showsHere(true)
	k.theo.showsHere(true)
	there := k.beside(t)
	theo := there.opens(t, there.theo, k.at+threadStream)
	theo.comesTo("")
	mara := k.opens(t, k.mara, k.at+threadStream)
	mara.comesTo("Here now")
	theo.comesTo("Here now")
	second := there.opens(t, there.mara, k.at+threadStream) // of hers, there
	second.comesTo("Here now")
	mara.stop()
	k.calm(t, theo) // she is here still
	second.stop()
	theo.comesTo("")
	mara = k.listen(t, k.mara, "/messages/stream", "")
	t.Cleanup(mara.soon(20 * time.Second))
	mara.next("shows")
	there.uses(t, there.mara) // a page's word may come to another server than its stream
	theo.comesTo("Here now")
	k.mara.showsHere(false)
	theo.comesTo("")
}

func TestOfAServerThatIsKilledNobodyIsHereForLong(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	k.mara.showsHere(true)
	k.theo.showsHere(true)
	there := k.beside(t)
	mara := there.opens(t, there.mara, k.at+threadStream)
	mara.comesTo("")
	early := k.opens(t, k.theo, k.at+threadStream)
	early.comesTo("Here now")
	there.Down() // from here on it says nothing: no more than one that was killed
	for mara.lines.Scan() {
	}
	there.mara.post(k.at, there.message("Comes after its last word."))
	early.next("messages")
	k.w.Pass(lease - time.Second)
	theo := k.opens(t, k.theo, k.at+threadStream)
	theo.comesTo("Here now")
	k.w.Pass(time.Second)
	theo.comesTo("")
}

// A server that lives repeats itself before its word has run out.
func TestAServerRepeatsWhoIsHere(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	one, other := newHub(w.DB), newHub(w.DB)
	page, fellows := newStream("c"), []fellow{{"p/theo", "Theo", true}}
	one.attend(page, "p/mara", fellows)
	uses := func() {
		if err := w.DB.Signal(t.Context(), usedTopic("p/mara")); err != nil {
			t.Fatal(err)
		}
	}
	uses()
	say := func() int {
		topics := one.settle("p/mara")
		if err := w.DB.Signal(t.Context(), topics...); err != nil {
			t.Fatal(err)
		}
		return len(topics)
	}
	say()
	if say() != 0 {
		t.Error("it is said at every wake")
	}
	late := newHub(w.DB) // a server that has just begun asks
	late.attend(newStream("c"), "p/theo", nil)
	if err := w.DB.Signal(t.Context(), late.settle("p/theo")...); err != nil {
		t.Fatal(err)
	}
	if say() != 1 {
		t.Error("who asks is not answered")
	}
	if here, _ := late.here([]fellow{{"p/mara", "Mara", true}}); len(here) != 1 {
		t.Error("a server that has just begun does not learn who is here")
	}
	sees := func(want bool) {
		t.Helper()
		if here, _ := other.here([]fellow{{"p/mara", "Mara", true}}); (len(here) == 1) != want {
			t.Errorf("the other server sees her: %v, want %v", len(here) == 1, want)
		}
	}
	for range 4 {
		sees(true)
		w.Pass(repeat + breath) // as late as its pages may see to it
		say()
	}
	sees(true)
	w.Pass(lingers)
	sees(false)
	say()
	uses()
	say()
	sees(true)
	if topics := one.withdraw(page); len(topics) != 1 || topics[0] != goneTopic("p/mara", one.name) {
		t.Errorf("when her page closes it says %v", topics)
	}
	if len(one.mine) != 0 || len(one.open) != 0 || one.withdraw(page) != nil {
		t.Error("something stays of a page that closed")
	}
	w.Pass(lease)
	other.mu.Lock()
	other.takeWord(true, "p/noor", "elsewhere")
	if len(other.told) != 1 {
		t.Errorf("%d are kept of whom nothing holds any more", len(other.told)-1)
	}
	other.mu.Unlock()
}

func TestWhoIsHereIsSaidByNameWhereThereAreSeveral(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind chat.Kind
		here []fellow
		want string
	}{
		{chat.WithClient, nil, ""},
		{chat.WithTeam, nil, ""},
		{chat.WithClient, []fellow{{"1", "Theo Vance", true}}, "Here now"},
		{chat.Colleagues, []fellow{{"1", "Noor Haddad", true}}, "Here now"},
		{chat.WithTeam, []fellow{{"1", "Theo Vance", true}}, "Here now: Theo Vance"},
		{chat.WithTeam, []fellow{{"1", "Theo Vance", true}, {"2", "Noor Haddad", true}}, "Here now: Theo Vance and Noor Haddad"},
	} {
		if got := hereWords(c.kind, c.here); got != c.want {
			t.Errorf("%v: %q, want %q", c.here, got, c.want)
		}
	}
}
