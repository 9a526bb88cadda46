// Package trail is for reading the trail: a client sees who was at their record,
// day by day and in words; whoever runs a practice reads who did and saw what in
// it, and takes that away; and once a week its owners get it in numbers, and one
// of them signs that they looked.
//
// What is read here was written by others (audit): a line for each change, and
// a line for each answer that showed somebody's record. Nothing here changes a
// line. Who was at whose record is kept a second time, by client and day, so
// that it can be found; it is made from the trail and proves nothing.
package trail

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"icouch/internal/access"
	"icouch/internal/audit"
	"icouch/internal/base/at"
	"icouch/internal/base/civil"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
	"icouch/internal/trail/traildb"
)

// SQL is this package's statements.
var SQL = db.Prepare(traildb.Prepare)

// Visit is what one person did at a client's record on one day, in one way.
type Visit struct {
	Day         civil.Date // in the practice's zone
	First, Last at.Time
	Times       int64
	Account     id.Account
	Role        access.Role
	Name        string       // whose account it is; empty: nobody of the practice
	What        string       // an audit.Part, if they looked, or an audit.Action
	Looked      bool         // they looked, and changed nothing
	Why         access.Why   // by what right they looked
	Everybody   bool         // it was about every client of the practice
	Change      audit.Action // what they did, if they did not only look
	Fields      []string     // which of the client's details they changed
}

// Emergency reports whether the record was opened in an emergency.
func (v Visit) Emergency() bool {
	return v.Why == access.ByEmergency || v.Change == audit.EmergencyOpened || v.Change == audit.EmergencyClosed
}

// Exported reports whether the record left the practice's system, as a file.
func (v Visit) Exported() bool { return v.Change == audit.ClientsExported }

// Visits are some days of a record: a page.
type Visits struct {
	List  []Visit    // the newest day first
	Older civil.Date // At with it returns those before; zero: there are none
}

// days is how far back visits are told: as long as the trail is kept. pageDays is
// how many of those on which somebody was there make a page.
const (
	days     = 6 * 366
	pageDays = 30
)

// At returns who was at a client's record before a day, or, if that is zero,
// until now: to the client, and to whoever reads the practice's trail. No address
// of a computer is in it. That somebody reads it is a look, too.
func At(tx *db.Tx, by access.Actor, client id.Client, before civil.Date) (v Visits, err error) {
	own := by.IsClient() && by.Client() == client
	if !own {
		if !by.May(access.ReadTrail) {
			return v, fault.NotFound
		}
		if _, err := people.NameOf(tx, by, client); err != nil {
			return v, err
		}
	}
	why := access.Unknown // as NameOf has noted it
	if own {
		why = access.Self
	}
	audit.Saw(tx, by, audit.Trail, client, why)
	program := access.Job(by.Practice())
	practice, err := people.PracticeOf(tx, program)
	if err != nil {
		return v, err
	}
	if v, err = visitsOf(tx, program, practice.Zone, client, before); err != nil {
		return Visits{}, err
	}
	v.List, err = named(tx, program, v.List)
	return v, err
}

// visitsOf puts together what is kept by day and what came since.
func visitsOf(tx *db.Tx, program access.Actor, zone civil.Zone, client id.Client, before civil.Date) (v Visits, err error) {
	made := dayOf(at.Of(client.Made()), zone) // an export before is about others
	since, until := max(dayOf(tx.Now(), zone)-days, made), int64(math.MaxInt64)
	if !before.IsZero() {
		until = int64(epoch.DaysUntil(before))
	}
	read, err := SQL.In(tx).Head(tx, program.Practice())
	if err != nil && !errors.Is(err, db.None) {
		return v, fmt.Errorf("visits of %s: %w", client, err)
	}
	t := newTally(zone)
	err = each(tx, program, read, func(e audit.Entry) {
		t.take(e, func(c id.Client) bool { return c == client || c == "" && e.At.After(client.Made()) })
	})
	if err != nil {
		return v, err
	}
	t.order = slices.DeleteFunc(t.order, func(s sighting) bool { return s.day < since || s.day >= until })
	from, more, err := pageOf(tx, program.Practice(), client, t.order, since, until)
	if err != nil {
		return v, err
	}
	t.order = slices.DeleteFunc(t.order, func(s sighting) bool { return s.day < from })
	for _, who := range []id.Client{client, ""} {
		rows, err := SQL.In(tx).Of(tx, traildb.OfParams{PracticeID: program.Practice(), ClientID: who, Since: from, Before: until})
		if err != nil {
			return v, fmt.Errorf("visits of %s: %w", client, err)
		}
		for _, r := range rows {
			t.put(sighting{who, r.Day, r.AccountID, access.Role(r.Role), r.What, access.Why(r.Why)}, r.Times, r.FirstAt, r.LastAt)
		}
	}
	v.List = t.visits()
	if more {
		v.Older = epoch.AddDays(int(from))
	}
	return v, nil
}

// pageOf returns the first day of a page, and whether there are days before it.
func pageOf(tx *db.Tx, p id.Practice, client id.Client, recent []sighting, since, until int64) (from int64, more bool, err error) {
	var all []int64
	for _, s := range recent {
		all = append(all, s.day)
	}
	for _, who := range []id.Client{client, ""} {
		kept, err := SQL.In(tx).Days(tx, traildb.DaysParams{PracticeID: p, ClientID: who, Since: since, Before: until, Most: pageDays + 1})
		if err != nil {
			return 0, false, fmt.Errorf("days of %s: %w", client, err)
		}
		all = append(all, kept...)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	if len(all) <= pageDays {
		return since, false, nil
	}
	return all[len(all)-pageDays], true, nil
}

// each shows do every line after a place.
func each(tx *db.Tx, by access.Actor, after int64, do func(audit.Entry)) error {
	for {
		page, err := audit.On(tx, by, after)
		if err != nil {
			return err
		}
		for _, e := range page {
			do(e)
			after = e.Seq
		}
		if len(page) == 0 {
			return nil
		}
	}
}

// named says who they were.
func named(tx *db.Tx, program access.Actor, visits []Visit) ([]Visit, error) {
	members, err := people.Practitioners(tx, program)
	if err != nil {
		return nil, err
	}
	name := map[id.Account]string{}
	for _, m := range members {
		name[m.Account] = m.Name
	}
	for i := range visits {
		if visits[i].Role != access.Client {
			visits[i].Name = name[visits[i].Account]
		}
	}
	return visits, nil
}

// Clerk keeps who was at whose record by day, and writes the weekly digests.
type Clerk struct{ DB *db.DB }

// Tend brings both up to now, in every practice. Run again, it finds nothing to do.
func (c Clerk) Tend(ctx context.Context) error {
	var practices []id.Practice
	err := c.DB.View(ctx, func(tx *db.Tx) (err error) {
		practices, err = keys.Owners(tx)
		return err
	})
	if err != nil {
		return err
	}
	var wrong error
	for _, p := range practices {
		if p != keys.Installation {
			wrong = errors.Join(wrong, c.index(ctx, p), c.digest(ctx, p))
		}
	}
	return wrong
}

// index goes on from where it was, a thousand lines at a time.
func (c Clerk) index(ctx context.Context, p id.Practice) error {
	by := access.Job(p)
	for {
		more := false
		err := c.DB.View(ctx, func(tx *db.Tx) error { // most of the time there is nothing new
			read, err := SQL.In(tx).Head(tx, p)
			if err != nil && !errors.Is(err, db.None) {
				return fmt.Errorf("index %s: %w", p, err)
			}
			page, err := audit.On(tx, by, read)
			more = len(page) > 0
			return err
		})
		if err != nil || !more {
			return err
		}
		if err := c.DB.Maintain(ctx, func(tx *db.Tx) error { return indexSome(tx, by) }); err != nil {
			return err
		}
	}
}

func indexSome(tx *db.Tx, by access.Actor) error {
	if err := SQL.In(tx).Begin(tx, by.Practice()); err != nil {
		return fmt.Errorf("index %s: %w", by.Practice(), err)
	}
	read, err := SQL.In(tx).Hold(tx, by.Practice())
	if err != nil {
		return fmt.Errorf("index %s: %w", by.Practice(), err)
	}
	practice, err := people.PracticeOf(tx, by)
	if err != nil {
		return err
	}
	page, err := audit.On(tx, by, read)
	if err != nil {
		return err
	}
	t := newTally(practice.Zone)
	for _, e := range page {
		t.take(e, func(id.Client) bool { return true })
		read = e.Seq
	}
	for _, s := range t.order {
		n := t.of[s]
		err := SQL.In(tx).Add(tx, traildb.AddParams{PracticeID: by.Practice(), ClientID: s.client, Day: s.day, AccountID: s.account, Role: string(s.role),
			What: s.what, Why: string(s.why), Times: n.times, FirstAt: n.first, LastAt: n.last})
		if err != nil {
			return fmt.Errorf("index %s: %w", by.Practice(), err)
		}
	}
	if err := SQL.In(tx).MoveHead(tx, traildb.MoveHeadParams{Seq: read, PracticeID: by.Practice()}); err != nil {
		return fmt.Errorf("index %s: %w", by.Practice(), err)
	}
	return nil
}
