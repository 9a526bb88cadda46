package main

import (
	"bufio"
	"context"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/civil"
	"icouch/internal/base/email"
	"icouch/internal/base/id"
	"icouch/internal/chat"
	"icouch/internal/people"
	"icouch/internal/platform/config"
	"icouch/internal/platform/db"
	"icouch/internal/platform/installation"
)

// Two people write to each other while the program is killed again and again.
// Whoever gets no clear answer sends the same again; whoever's stream ends goes
// on where it was. What a conversation then is: a log to which each message is
// added once, that everybody reads from its beginning without a gap. The order
// is one of those that the answers allow: what was answered before something
// else was sent stands before it.

// writers is how many write at once, half of them for each of the two.
const writers = 6

func TestEdge18_AConversationSurvivesKillsWithNothingLostOrDoubled(t *testing.T) {
	t.Parallel()
	k := &talked{killed: killed{dir: t.TempDir(), box: mailbox(t)}, sent: map[string]span{}}
	k.cond = sync.NewCond(&k.mu)
	k.found(t)
	k.converse(t)
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute+time.Duration(*kills)*5*time.Second)
	defer stop()
	defer context.AfterFunc(ctx, func() { k.stand("", true) })()
	var all, reading sync.WaitGroup
	for i := range writers {
		all.Go(func() { k.write(t, k.sessions[i%2]) })
	}
	logs := make([]readLog, 2*len(k.sessions))
	for i := range logs {
		reading.Go(func() { logs[i].follow(ctx, k, k.sessions[i%2]) })
	}
	for range *kills {
		base, _, _, kill := k.start(t)
		enough := k.after(1 + rand.IntN(80))
		k.stand(base, false)
		select {
		case <-enough:
		case <-ctx.Done():
			t.Fatal("nobody is answered any more")
		}
		kill()
		k.stand("", false)
	}
	base, _, _, kill := k.start(t)
	k.last.Store(true) // each finishes what they have begun
	k.stand(base, false)
	all.Wait()
	k.total.Store(int64(len(k.sent)))
	kill() // who has read everything hears nothing more: they are to look once more
	k.stand("", false)
	base, _, _, kill = k.start(t)
	k.stand(base, false)
	reading.Wait()
	kill()
	if ctx.Err() != nil {
		t.Errorf("it was not over in time: the readers have %d, %d, %d and %d of %d", len(logs[0].ids), len(logs[1].ids), len(logs[2].ids), len(logs[3].ids), len(k.sent))
	}
	order := k.kept(t)
	for i, l := range logs {
		if !slices.Equal(l.ids, order) {
			t.Errorf("reader %d saw %d messages and something else than the %d that there are, in their order", i, len(l.ids), len(order))
		}
	}
	k.judge(t, order)
	var streams int
	for _, l := range logs {
		streams += l.streams
	}
	t.Logf("%d kills: %d messages, %d of them sent again after no clear answer; %d readers with %d streams saw each once, in one order", *kills, len(order), k.again.Load(), len(logs), streams)
}

// span is when a message was first sent, and when it was answered.
type span struct{ began, ended time.Time }

// talked is a conversation at a program that is killed.
type talked struct {
	killed
	sessions     []string // of the two
	conversation id.Conversation
	last         atomic.Bool  // nothing new is begun
	total        atomic.Int64 // how many there are, when nothing is sent any more; zero: not yet
	again        atomic.Int64

	cond   *sync.Cond // on mu
	base   string     // where the program stands; empty: nowhere
	over   bool
	sent   map[string]span
	wanted int // answers until the next kill
	enough chan struct{}
}

// stand says where the program is.
func (k *talked) stand(base string, over bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.base, k.over = base, k.over || over
	k.cond.Broadcast()
}

// address waits for a program.
func (k *talked) address() (base string, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for k.base == "" && !k.over {
		k.cond.Wait()
	}
	return k.base, !k.over
}

// after returns what is closed when so many messages more were answered.
func (k *talked) after(n int) chan struct{} {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.wanted, k.enough = n, make(chan struct{})
	return k.enough
}

func (k *talked) answered(m string, s span) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.sent[m] = s
	if k.wanted--; k.wanted == 0 {
		close(k.enough)
	}
}

// converse gives the owner a client with an account, and the two a conversation.
func (k *talked) converse(t *testing.T) {
	t.Helper()
	i, err := installation.Open(t.Context(), config.Place{Data: k.dir}, statements, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	address, err := email.Parse("theo@example.com")
	if err != nil {
		t.Fatal(err)
	}
	err = i.DB.Update(t.Context(), func(tx *db.Tx) error {
		c := id.New[id.Client](tx.Now().Time)
		details, err := people.Draft{First: "Theo", Last: "Vance", Email: address.String(), EmailConsent: true}.Read(civil.DateOf(time.Now(), civil.Zone{}))
		if err != nil {
			return err
		}
		if err := people.Create(tx, k.owner, c, details, false); err != nil {
			return err
		}
		who, err := account.Make(tx, access.Guest(), account.New{Name: "Theo Vance", Email: address, Zone: "America/New_York", Password: "!", Verified: true})
		if err != nil {
			return err
		}
		link, err := people.CopyLink(tx, k.owner, c)
		if err != nil {
			return err
		}
		if _, err := people.Accept(tx, access.AsPerson(who), link); err != nil {
			return err
		}
		session, err := account.Begin(tx, access.AsPerson(who), who, account.Entry{Place: account.Place{Practice: k.owner.Practice(), Client: c}, Terms: account.Longest})
		if err != nil {
			return err
		}
		k.sessions = []string{k.session, session.Reveal()}
		k.conversation, err = chat.Start(tx, k.owner, chat.To{Client: c})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := i.Close(); err != nil {
		t.Fatal(err)
	}
}

// write writes messages, one after the other, and each until it is answered.
func (k *talked) write(t *testing.T, session string) {
	mine := &killed{session: session}
	b := browser()
	for !k.last.Load() {
		m, began := id.New[id.Message](time.Now()).String(), time.Now()
		for tries := 0; ; tries++ {
			base, ok := k.address()
			if !ok {
				return
			}
			resp, err := mine.post(b, base+"/messages/"+k.conversation.String(), url.Values{"message": {m}, "body": {"What " + m + " says."}})
			if err != nil { // perhaps it is there, perhaps not
				continue
			}
			if resp.StatusCode != http.StatusSeeOther {
				t.Errorf("a message was answered with %d", resp.StatusCode)
				k.stand("", true)
				return
			}
			if tries > 0 {
				k.again.Add(1)
			}
			k.answered(m, span{began, time.Now()})
			break
		}
	}
}

// readLog is what one reader has seen, by all their streams.
type readLog struct {
	ids     []string
	last    string // the newest place heard
	streams int
}

var drawn = regexp.MustCompile(`<li id="m-(\d+)"[^>]*data-message="([0-9a-f-]{36})"`)

// follow reads until everything is read, and opens another stream whenever one ends.
func (l *readLog) follow(ctx context.Context, k *talked, session string) {
	for {
		base, ok := k.address()
		if !ok {
			return
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/messages/"+k.conversation.String()+"/stream?after=0", nil)
		if err != nil {
			return
		}
		r.Header.Set("Accept", "text/event-stream")
		r.AddCookie(&http.Cookie{Name: "session", Value: session})
		if l.last != "" {
			r.Header.Set("Last-Event-ID", l.last)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			continue
		}
		l.streams++
		done := l.hear(resp, k)
		resp.Body.Close()
		if done {
			return
		}
	}
}

// hear takes a stream's events as a browser does: what has not come whole has
// not come.
func (l *readLog) hear(resp *http.Response, k *talked) (done bool) {
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<24)
	var place string
	var data strings.Builder
	for lines.Scan() {
		switch line := lines.Text(); {
		case line == "":
			for _, m := range drawn.FindAllStringSubmatch(data.String(), -1) {
				l.ids = append(l.ids, m[2])
				if m[1] != strconv.Itoa(len(l.ids)) {
					l.ids = append(l.ids, "out of its place: "+m[1])
				}
			}
			if place != "" {
				l.last = place
			}
			place = ""
			data.Reset()
			if n := k.total.Load(); n > 0 && int64(len(l.ids)) >= n {
				return true
			}
		case strings.HasPrefix(line, "id: "):
			place = line[4:]
		case strings.HasPrefix(line, "data: "):
			data.WriteString(line[6:])
		}
	}
	return false
}

// kept returns the conversation as it is on the disk.
func (k *talked) kept(t *testing.T) (order []string) {
	t.Helper()
	k.lookAfter(t)
	i, err := installation.Open(t.Context(), config.Place{Data: k.dir}, statements, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	err = i.DB.View(t.Context(), func(tx *db.Tx) error {
		c, err := chat.Find(tx, k.owner, k.conversation)
		if err != nil {
			return err
		}
		for {
			some, err := chat.After(tx, k.owner, c, int64(len(order)), 500)
			if err != nil || len(some) == 0 {
				return err
			}
			for _, m := range some {
				order = append(order, m.ID.String())
				if m.Seq != int64(len(order)) || m.Body != "What "+m.ID.String()+" says." {
					t.Errorf("at place %d of %d stands %q", m.Seq, len(order), m.Body)
				}
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return order
}

// judge checks that the log is what the answers said.
func (k *talked) judge(t *testing.T, order []string) {
	t.Helper()
	if got, want := slices.Sorted(slices.Values(order)), slices.Sorted(maps.Keys(k.sent)); !slices.Equal(got, want) {
		t.Errorf("%d messages were answered, and %d are there, or others", len(want), len(got))
	}
	if len(order) < *kills {
		t.Errorf("only %d messages in %d kills: this shows nothing", len(order), *kills)
	}
	var latest time.Time // when the latest began of those that stand before
	for _, m := range order {
		if s := k.sent[m]; s.ended.Before(latest) {
			t.Errorf("%s was answered before something was sent that stands before it", m)
		}
		if began := k.sent[m].began; began.After(latest) {
			latest = began
		}
	}
}
