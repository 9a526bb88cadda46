// Package directory knows the clients of a practice in order, so that the list
// can be sorted, searched and counted although every name is sealed on disk.
//
// A practice's clients are opened when somebody first asks, and kept in memory
// for as long as somebody goes on asking. A commit that changes a client says
// so, and the next reader looks at that client again.
package directory

import (
	"context"
	"strings"
	"sync"
	"time"

	"icouch/internal/access"
	"icouch/internal/audit"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/people"
	"icouch/internal/platform/db"
)

// idle is how long a practice's names are kept after somebody last asked.
const idle = 15 * time.Minute

// anew is how many changed clients make it cheaper to read them all.
const anew = 2000

// Directory holds the practices asked for lately.
type Directory struct {
	db *db.DB
	mu sync.Mutex
	of map[id.Practice]*book
}

// New returns an empty directory that hears of every commit.
func New(d *db.DB) *Directory {
	dir := &Directory{db: d, of: map[id.Practice]*book{}}
	d.Watch(dir.hear)
	return dir
}

// hear notes which client a topic is about: people/<practice>/<client>, or
// letter/<practice>/<client>.
func (dir *Directory) hear(topic string) {
	dir.mu.Lock()
	defer dir.mu.Unlock()
	if topic == db.Everything {
		for _, b := range dir.of {
			b.spoil()
		}
		return
	}
	rest, ok := strings.CutPrefix(topic, "people/")
	if !ok {
		rest, ok = strings.CutPrefix(topic, "letter/")
	}
	if !ok {
		return
	}
	practice, client, _ := strings.Cut(rest, "/")
	if b := dir.of[id.Practice(practice)]; b != nil {
		b.mark(id.Client(client))
	}
}

// Query says which part of the list is wanted.
type Query struct {
	Text  string // part of a name or an address; empty: everybody
	Group people.Group
	Sort  Sort
	Skip  int
	Most  int // zero: all
}

// Sort is an order of the list.
type Sort string

// The orders.
const (
	ByName   Sort = "name"
	ByAdded  Sort = "added"  // newest first
	ByStatus Sort = "status" // those that need attention first
)

// Answer is a part of the list.
type Answer struct {
	Rows   []people.Listed
	Total  int                  // how many fit the query
	More   bool                 // of a search: there are more than Total, nobody counted them
	Counts map[people.Group]int // how many there are in each group, whatever the query
}

// Look answers a query, as far as by may see.
func (dir *Directory) Look(ctx context.Context, by access.Actor, q Query) (Answer, error) {
	if !by.MaySeePeople() { // here too: the names may be in memory already
		return Answer{}, fault.NotFound
	}
	b := dir.book(by.Practice())
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := dir.refresh(ctx, by.Practice(), b); err != nil {
		return Answer{}, err
	}
	a := b.look(by, q)
	audit.SawEach(ctx, by, audit.Listed, len(a.Rows), func(i int) (id.Client, access.Why) {
		return a.Rows[i].ID, by.Why(a.Rows[i].ID, a.Rows[i].Practitioner)
	})
	return a, nil
}

// Exactly returns the clients of by's practice who have exactly this full name
// or e-mail address, whoever looks after them: for who may open a colleague's
// client in an emergency.
func (dir *Directory) Exactly(ctx context.Context, by access.Actor, typed string) ([]id.Client, error) {
	if !by.May(access.Break) {
		return nil, fault.NotFound
	}
	b := dir.book(by.Practice())
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := dir.refresh(ctx, by.Practice(), b); err != nil {
		return nil, err
	}
	return b.exactly(typed), nil
}

// Drop forgets practices that nobody has asked for lately.
func (dir *Directory) Drop() {
	now := dir.db.Clock()
	dir.mu.Lock()
	defer dir.mu.Unlock()
	for p, b := range dir.of {
		if now.Sub(b.asked) > idle {
			delete(dir.of, p)
		}
	}
}

func (dir *Directory) book(practice id.Practice) *book {
	dir.mu.Lock()
	defer dir.mu.Unlock()
	b := dir.of[practice]
	if b == nil {
		b = newBook()
		dir.of[practice] = b
	}
	b.asked = dir.db.Clock()
	return b
}

// refresh reads what has changed since the book was last looked at. What has
// changed is taken before the reading, never after: a commit that comes in
// between is then seen by the next reader.
func (dir *Directory) refresh(ctx context.Context, practice id.Practice, b *book) error {
	dir.mu.Lock()
	all, some := b.take()
	dir.mu.Unlock()
	var err error
	if all || len(some) > 0 {
		err = dir.db.View(ctx, func(tx *db.Tx) error { return b.read(tx, practice, all, some) })
	}
	if err != nil {
		dir.mu.Lock()
		b.spoil()
		dir.mu.Unlock()
		return err
	}
	b.settle(dir.db.Clock())
	return nil
}
