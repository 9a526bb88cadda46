package web

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/at"
	"icouch/internal/chat"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/support"
)

// Who a session's cookie stands for is asked at every request and changes
// rarely, so it is remembered for a few seconds. A commit that changes it makes
// it forgotten at once: a new password, a sign-out, a role, care that ends. On
// another node the notification comes a moment later, and the few seconds are
// the most that anything can be stale.

// memory is how long a visitor is remembered at most.
const memory = 5 * time.Second

// remembered is how many visitors are, at some kilobyte each.
const remembered = 10_000

// known is what is remembered of a visitor.
type known struct {
	session account.Session
	actor   access.Actor
	read    time.Time
	until   *at.Time // when time alone ends what the actor may: care that ends; nil: it does not

	// What the frame of a page shows, read when a page first needs it.
	frame    sync.Mutex
	framed   bool
	account  account.Account
	places   []people.Place
	supports bool // may go to support
	practice people.Practice
	carers   []people.Practitioner // the practice's members, for who sees every client

	unread atomic.Int64 // messages, as they were last counted; less than zero: count again
}

// visitors are the sessions remembered, by the hash of their token.
type visitors struct {
	mu      sync.RWMutex
	of      map[string]*known
	about   map[string]map[string]bool // account, practice or client → sessions that depend on it
	changes uint64                     // of accounts and practices
	clients uint64                     // of clients
}

func newVisitors(d *db.DB) *visitors {
	v := &visitors{of: map[string]*known{}, about: map[string]map[string]bool{}}
	d.Watch(v.hear)
	return v
}

// hear forgets whoever a topic is about.
func (v *visitors) hear(topic string) {
	kind, rest, _ := strings.Cut(topic, "/")
	v.mu.Lock()
	defer v.mu.Unlock()
	switch kind {
	case db.Everything:
		v.changes++
		v.clients++
		clear(v.of)
		clear(v.about)
	case "account", "practice":
		v.changes++
		v.forget(rest)
	case "chat":
		_, rest, _ := strings.Cut(rest, "/")
		reader, _, _ := strings.Cut(rest, "/")
		for hash := range v.about[reader] {
			if k := v.of[hash]; k != nil {
				k.unread.Store(uncounted)
			}
		}
	case "people":
		v.clients++
		_, client, _ := strings.Cut(rest, "/")
		v.forget(client)
	}
}

func (v *visitors) forget(id string) {
	for hash := range v.about[id] {
		delete(v.of, hash)
	}
	delete(v.about, id)
}

// find returns the visitor with this token's hash, if remembered and true now.
func (v *visitors) find(hash string, now time.Time) *known {
	v.mu.RLock()
	k := v.of[hash]
	v.mu.RUnlock()
	if k == nil || now.Sub(k.read) > memory || now.Before(k.read) || k.session.Over(at.Of(now)) || k.outlived(now) || k.until != nil && !k.until.After(now) {
		return nil
	}
	return k
}

// outlived reports whether something that this visitor was given has ended by
// the clock since: a care team's date, an emergency's hour.
func (k *known) outlived(now time.Time) bool {
	until := k.actor.Until()
	return !until.IsZero() && !now.Before(until.Time)
}

// ends is when time alone ends something that this visitor may.
func (k *known) ends() time.Time {
	ends := k.session.EndsAt.Time
	for _, end := range []time.Time{k.session.SeenAt.Add(k.session.Idle), k.actor.Until().Time} {
		if !end.IsZero() && end.Before(ends) {
			ends = end
		}
	}
	if k.until != nil && k.until.Before(ends) {
		ends = k.until.Time
	}
	return ends
}

// mark says what had changed before a visitor was read.
func (v *visitors) mark() (changes, clients uint64) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.changes, v.clients
}

// keep remembers a visitor, unless something changed while they were read.
func (v *visitors) keep(hash string, k *known, changes, clients uint64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.changes != changes || k.session.Client != "" && v.clients != clients {
		return
	}
	if len(v.of) >= remembered {
		clear(v.of)
		clear(v.about)
	}
	v.of[hash] = k
	for _, id := range []string{k.session.Account.String(), k.session.Practice.String(), k.session.Client.String(), k.actor.Practitioner().String()} {
		if id == "" {
			continue
		}
		if v.about[id] == nil {
			v.about[id] = map[string]bool{}
		}
		v.about[id][hash] = true
	}
}

// uncounted says that messages have to be counted again.
const uncounted = -1

// countUnread is how many messages this visitor has not read. It is counted
// again when something happened in one of their conversations.
func (k *known) countUnread(ctx context.Context, d *db.DB) (int, error) {
	if !writers(k.actor) {
		return 0, nil
	}
	if n := k.unread.Load(); n >= 0 {
		return int(n), nil
	}
	k.unread.Store(0) // what happens from here on has it counted again
	var n int64
	err := d.View(ctx, func(tx *db.Tx) (err error) { n, err = chat.Unread(tx, k.actor); return err })
	if err != nil {
		k.unread.Store(uncounted)
		return 0, err
	}
	k.unread.CompareAndSwap(0, n)
	return int(n), nil
}

// frameOf reads what a page's frame shows of a visitor, once for as long as
// they are remembered.
func (k *known) frameOf(ctx context.Context, d *db.DB) error {
	k.frame.Lock()
	defer k.frame.Unlock()
	if k.framed {
		return nil
	}
	err := d.View(ctx, k.readFrame)
	k.framed = err == nil
	return err
}

func (k *known) readFrame(tx *db.Tx) (err error) {
	if k.account, err = account.Of(tx, k.actor); err != nil {
		return err
	}
	if k.places, err = people.Places(tx, k.actor); err != nil {
		return err
	}
	if k.supports, err = support.Is(tx, k.actor); err != nil {
		return err
	}
	if k.actor.Practice() != "" {
		if k.practice, err = people.PracticeOf(tx, k.actor); err != nil {
			return err
		}
	}
	if k.actor.AtWork() && k.actor.SeesAll() {
		if k.carers, err = people.Practitioners(tx, k.actor); err != nil {
			return err
		}
	}
	return nil
}
