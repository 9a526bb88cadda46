package directory

import (
	"cmp"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"icouch/internal/access"
	"icouch/internal/base/at"
	"icouch/internal/base/id"
	"icouch/internal/base/text"
	"icouch/internal/people"
	"icouch/internal/platform/db"
)

// book is one practice's clients. What has changed is guarded by the
// directory's lock, all else by the book's own.
type book struct {
	asked   time.Time
	spoilt  bool               // everything must be read again
	changed map[id.Client]bool // these must be

	mu      sync.Mutex
	byID    map[id.Client]*entry
	sorted  []*entry // by name
	orders  map[Sort][]*entry
	index   index                                    // nil until somebody searches
	counts  map[id.Practitioner]map[people.Group]int // nil: see settle
	settled time.Time                                // the counts are true from here …
	until   at.Time                                  // … until here, when time alone changes one; zero: for ever
}

// entry is one client.
type entry struct {
	people.Listed
	fold      string // name and address, as searched
	group     people.Group
	attention bool
}

func newBook() *book { return &book{spoilt: true, changed: map[id.Client]bool{}} }

func (b *book) spoil() { b.spoilt = true }

func (b *book) mark(c id.Client) {
	if !b.spoilt {
		b.changed[c] = true
	}
}

// take returns what has changed and forgets it.
func (b *book) take() (all bool, some []id.Client) {
	all = b.spoilt || len(b.changed) > anew
	for c := range b.changed {
		some = append(some, c)
	}
	b.spoilt = false
	clear(b.changed)
	return all, some
}

func (b *book) read(tx *db.Tx, practice id.Practice, all bool, some []id.Client) error {
	by := access.Job(practice) // the directory keeps everybody; each reader is shown theirs
	if all {
		rows, err := people.Everybody(tx, by)
		if err != nil {
			return err
		}
		b.fill(rows)
		return nil
	}
	rows, err := people.Somebody(tx, by, some)
	if err != nil {
		return err
	}
	b.replace(some, rows)
	return nil
}

func (b *book) fill(rows []people.Listed) {
	b.sorted = sortedEntries(rows)
	b.byID = make(map[id.Client]*entry, len(rows))
	for _, e := range b.sorted {
		b.byID[e.ID] = e
	}
	b.forget()
}

// replace puts changed clients where they now belong. At a hundred thousand
// clients it is a look at one of them, not at all: what was worked out before
// is put right and not thrown away.
func (b *book) replace(changed []id.Client, rows []people.Listed) {
	gone := make(map[id.Client]bool, len(changed))
	for _, c := range changed {
		gone[c] = true
	}
	for _, r := range rows {
		delete(gone, r.ID)
		b.put(r)
	}
	for c := range gone {
		b.remove(c)
	}
}

// put takes in a client as they now are.
func (b *book) put(r people.Listed) {
	fresh := new(newEntry(r))
	if e := b.byID[r.ID]; e != nil && e.fold == fresh.fold {
		b.update(e, r)
		return
	}
	b.remove(r.ID)
	b.count(fresh)
	b.byID[r.ID] = fresh
	b.sorted = with(b.sorted, fresh, byName)
	for s, all := range b.orders {
		b.orders[s] = with(all, fresh, within(s))
	}
	if b.index != nil {
		b.index = b.index.with(fresh)
	}
}

// update changes a client who is called what they were called: only among the
// states do they have another place.
func (b *book) update(e *entry, r people.Listed) {
	byStatus := b.orders[ByStatus]
	if byStatus != nil {
		byStatus = without(byStatus, e, within(ByStatus))
	}
	b.discount(e)
	e.Listed = r
	b.count(e)
	if byStatus != nil {
		b.orders[ByStatus] = with(byStatus, e, within(ByStatus))
	}
}

func (b *book) remove(c id.Client) {
	e := b.byID[c]
	if e == nil {
		return
	}
	b.discount(e)
	delete(b.byID, c)
	b.sorted = without(b.sorted, e, byName)
	for s, all := range b.orders {
		b.orders[s] = without(all, e, within(s))
	}
	if b.index != nil {
		b.index = b.index.without(e)
	}
}

func with(all []*entry, e *entry, by func(a, b *entry) int) []*entry {
	i, _ := slices.BinarySearchFunc(all, e, by)
	return slices.Insert(all, i, e)
}

func without(all []*entry, e *entry, by func(a, b *entry) int) []*entry {
	i, _ := slices.BinarySearchFunc(all, e, by)
	return slices.Delete(all, i, i+1)
}

// forget drops what was worked out from the clients.
func (b *book) forget() { b.orders, b.index, b.counts = nil, nil, nil }

func newEntry(r people.Listed) entry {
	last, sep := r.Name.Last, " "
	if last == "" {
		sep = ""
	}
	// The list is in order of last name; a search finds the name as it is said, too.
	return entry{Listed: r, fold: text.FoldForSearch(last + sep + r.Name.First + "\n" + r.Name.Full() + " " + r.Name.Preferred + " " + r.Email + "\n")}
}

func byName(a, b *entry) int {
	return cmp.Or(strings.Compare(a.fold, b.fold), strings.Compare(string(a.ID), string(b.ID)))
}

// settle sees to it that groups and counts are true now.
func (b *book) settle(now time.Time) {
	if b.counts != nil && (b.until.IsZero() || now.Before(b.until.Time)) && !now.Before(b.settled) {
		return
	}
	b.settled, b.until = now, at.Time{}
	b.counts = map[id.Practitioner]map[people.Group]int{}
	for _, e := range b.sorted {
		b.count(e)
	}
	delete(b.orders, ByStatus)
}

// count says where a client counts, at the moment from which all counts are
// true. Before there are any it waits for settle.
func (b *book) count(e *entry) {
	if b.counts == nil {
		return
	}
	now := at.Of(b.settled)
	e.group, e.attention = e.Groups(now)
	b.tally(e, 1)
	if next := e.ChangesAt(now); !next.IsZero() && (b.until.IsZero() || next.Before(b.until.Time)) {
		b.until = next
	}
}

// discount takes a client out of the counts. If theirs was the next change that
// time brings, the counts are only made again sooner than need be.
func (b *book) discount(e *entry) {
	if b.counts != nil {
		b.tally(e, -1)
	}
}

func (b *book) tally(e *entry, d int) {
	n := b.counts[e.Practitioner]
	if n == nil {
		n = map[people.Group]int{}
		b.counts[e.Practitioner] = n
	}
	n[people.Everyone] += d
	n[e.group] += d
	if e.attention {
		n[people.NeedsAttention] += d
	}
}

func (b *book) look(by access.Actor, q Query) Answer {
	a := Answer{Counts: map[people.Group]int{}}
	b.sum(by, a.Counts)
	if q.Group == "" {
		q.Group = people.Everyone
	}
	take := func(e *entry) {
		if a.Total++; a.Total > q.Skip && (q.Most == 0 || len(a.Rows) < q.Most) {
			a.Rows = append(a.Rows, e.Listed)
		}
	}
	if needle := text.FoldForSearch(strings.TrimSpace(q.Text)); needle != "" {
		for e := range b.search(needle, q.Sort) {
			if by.Sees(e.ID, e.Practitioner) && e.in(q.Group) {
				if take(e); q.Most > 0 && a.Total > q.Skip+enough {
					a.More = true // nobody looks through so many: they type another letter
					break
				}
			}
		}
		return a
	}
	order := b.order(q.Sort)
	if by.SeesAll() && q.Group == people.Everyone { // nothing to leave out: the page is a slice of the order
		a.Total = len(order)
		for _, e := range order[min(q.Skip, len(order)):end(q, len(order))] {
			a.Rows = append(a.Rows, e.Listed)
		}
		return a
	}
	total := a.Counts[q.Group]
	for _, e := range order {
		if q.Most > 0 && len(a.Rows) == q.Most {
			break // the rest need not be looked at: how many there are is known
		}
		if by.Sees(e.ID, e.Practitioner) && e.in(q.Group) {
			take(e)
		}
	}
	a.Total = total
	return a
}

func (b *book) exactly(typed string) (found []id.Client) {
	needle := text.FoldForSearch(strings.TrimSpace(typed))
	if needle == "" {
		return nil
	}
	for _, e := range b.sorted {
		if slices.ContainsFunc(e.calledExactly(), func(is string) bool { return text.FoldForSearch(is) == needle }) {
			found = append(found, e.ID)
		}
	}
	return found
}

// calledExactly is what names a client and, most likely, nobody else.
func (e *entry) calledExactly() []string {
	all := []string{e.Name.Full(), e.Email}
	if e.Name.Preferred != "" && e.Name.Last != "" {
		all = append(all, e.Name.Preferred+" "+e.Name.Last)
	}
	return all
}

// sum adds up the groups of everybody whom by sees.
func (b *book) sum(by access.Actor, groups map[people.Group]int) {
	whole := func(of id.Practitioner) {
		for g, n := range b.counts[of] {
			groups[g] += n
		}
	}
	if by.SeesAll() {
		for p := range b.counts {
			whole(p)
		}
		return
	}
	caseloads := by.Caseloads()
	for _, p := range caseloads {
		whole(p)
	}
	for _, c := range by.Given() {
		e := b.byID[c]
		if e == nil || slices.Contains(caseloads, e.Practitioner) {
			continue
		}
		groups[people.Everyone]++
		groups[e.group]++
		if e.attention {
			groups[people.NeedsAttention]++
		}
	}
}

func end(q Query, n int) int {
	if q.Most == 0 {
		return n
	}
	return min(q.Skip+q.Most, n)
}

func (e *entry) in(g people.Group) bool {
	switch g {
	case people.Everyone:
		return true
	case people.NeedsAttention:
		return e.attention
	}
	return e.group == g
}

// enough is how many hits of a search are counted, beyond those that are passed
// over. A single letter is in almost every name.
const enough = 1000

// search goes through every client whose name or address holds the text, in order.
func (b *book) search(needle string, s Sort) iter.Seq[*entry] {
	if b.index == nil {
		b.index = newIndex(b.sorted)
	}
	if s == ByName || s == "" {
		return b.index.find(needle)
	}
	found := slices.Collect(b.index.find(needle))
	slices.SortStableFunc(found, compare(s))
	return slices.Values(found)
}

// order returns everybody in an order, worked out once.
func (b *book) order(s Sort) []*entry {
	if s == ByName || s == "" {
		return b.sorted
	}
	if b.orders == nil {
		b.orders = map[Sort][]*entry{}
	}
	if b.orders[s] == nil {
		all := slices.Clone(b.sorted)
		slices.SortStableFunc(all, compare(s))
		b.orders[s] = all
	}
	return b.orders[s]
}

// within is where one client stands before another in an order: those that are
// equal in it by name.
func within(s Sort) func(a, b *entry) int {
	first := compare(s)
	return func(a, b *entry) int {
		if c := first(a, b); c != 0 {
			return c
		}
		return byName(a, b)
	}
}

func compare(s Sort) func(a, b *entry) int {
	if s == ByAdded {
		return func(a, b *entry) int { return strings.Compare(string(b.ID), string(a.ID)) }
	}
	return func(a, b *entry) int { return cmp.Compare(a.rank(), b.rank()) }
}

// rank puts first what needs somebody.
func (e *entry) rank() int {
	if e.attention {
		return 0
	}
	return slices.Index([]people.Group{people.NeedsAttention, people.NotInvited, people.Invited, people.HasAccount, people.Ended}, e.group)
}
