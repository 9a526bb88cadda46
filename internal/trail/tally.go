package trail

import (
	"cmp"
	"slices"
	"strings"

	"icouch/internal/access"
	"icouch/internal/audit"
	"icouch/internal/base/at"
	"icouch/internal/base/civil"
	"icouch/internal/base/id"
)

// sighting is one person at one record, in one way, on one day.
type sighting struct {
	client  id.Client // empty: everybody's
	day     int64
	account id.Account
	role    access.Role
	what    string
	why     access.Why
}

// count is how often, from when to when.
type count struct {
	times       int64
	first, last at.Time
}

// tally counts sightings.
type tally struct {
	zone  civil.Zone
	of    map[sighting]count
	order []sighting
}

func newTally(zone civil.Zone) *tally { return &tally{zone: zone, of: map[sighting]count{}} }

func (t *tally) put(s sighting, times int64, first, last at.Time) {
	c, known := t.of[s]
	if !known {
		t.order = append(t.order, s)
		c.first = first
	}
	c.times += times
	if first.Before(c.first.Time) {
		c.first = first
	}
	if last.After(c.last.Time) {
		c.last = last
	}
	t.of[s] = c
}

// take counts what a line tells of clients, as far as it is about some wanted.
// What the program did by itself is nobody's visit.
func (t *tally) take(e audit.Entry, wanted func(id.Client) bool) {
	switch e.Role {
	case access.System, access.Link, access.Nobody, access.Person, access.Support:
		return
	}
	s := sighting{day: dayOf(e.At, t.zone), account: e.Account, role: e.Role, what: deed(e)}
	switch {
	case e.Did == audit.Seen:
		told := map[id.Client]bool{}
		for _, one := range e.Shown {
			if !wanted(one.Client) || told[one.Client] {
				continue
			}
			told[one.Client] = true
			s.client, s.what, s.why = one.Client, string(one.Part), one.Why
			t.put(s, 1, e.At, e.At)
		}
	case e.Did == audit.ClientsExported:
		if wanted("") {
			t.put(s, 1, e.At, e.At)
		}
	case e.Client != "" && wanted(e.Client):
		s.client = e.Client
		t.put(s, 1, e.At, e.At)
	}
}

// deed is what somebody did: of a client's details, which were changed as well.
func deed(e audit.Entry) string {
	if e.Did != audit.ClientEdited {
		return string(e.Did)
	}
	return strings.Join(append([]string{string(e.Did)}, e.Fields...), " ")
}

// visits are the sightings as they are told: the newest day first, within it in
// the order in which they began.
func (t *tally) visits() []Visit {
	all := make([]Visit, len(t.order))
	for i, s := range t.order {
		c := t.of[s]
		v := Visit{Day: epoch.AddDays(int(s.day)), First: c.first, Last: c.last, Times: c.times, Account: s.account, Role: s.role, What: s.what, Why: s.why, Everybody: s.client == ""}
		if v.Looked = audit.IsPart(s.what); !v.Looked {
			did, fields, _ := strings.Cut(s.what, " ")
			v.What, v.Change, v.Fields = did, audit.Action(did), strings.Fields(fields)
		}
		all[i] = v
	}
	slices.SortStableFunc(all, func(a, b Visit) int {
		return cmp.Or(b.Day.Compare(a.Day), a.First.Compare(b.First.Time), cmp.Compare(a.order(), b.order()), cmp.Compare(a.What, b.What))
	})
	return all
}

// order is how what happened in one moment is told: nothing before the record was.
func (v Visit) order() int {
	if v.Change == audit.ClientCreated || v.Change == audit.ClientsImported {
		return 0
	}
	return 1
}

// epoch is day 0.
var epoch = civil.DateOf(at.Time{}.AddDate(1969, 0, 0), civil.Zone{})

// dayOf counts the days of a zone.
func dayOf(t at.Time, zone civil.Zone) int64 {
	return int64(epoch.DaysUntil(civil.DateOf(t.Time, zone)))
}
