package joint

import (
	"fmt"
	"slices"

	"icouch/internal/access"
	"icouch/internal/audit"
	"icouch/internal/base/at"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/joint/jointdb"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

// Find returns a joint record, to whoever at work sees it. It is a look at each
// person in it.
func Find(tx *db.Tx, by access.Actor, j id.Joint) (Record, error) {
	if !by.AtWork() {
		return Record{}, fault.NotFound
	}
	r, err := find(tx, by, j)
	if err != nil {
		return r, err
	}
	return r, r.show(tx, by, audit.Joint)
}

// Of returns the joint records of a client that by, at work, sees, the newest
// first. Those that by does not see are not told of.
func Of(tx *db.Tx, by access.Actor, client id.Client) (some []Record, err error) {
	if !by.AtWork() {
		return nil, fault.NotFound
	}
	if _, err := people.NameOf(tx, by, client); err != nil {
		return nil, err
	}
	ids, err := SQL.In(tx).OfClient(tx, jointdb.OfClientParams{PracticeID: by.Practice(), ClientID: client})
	if err != nil {
		return nil, fmt.Errorf("joint records of %s: %w", client, err)
	}
	for _, j := range ids {
		r, err := find(tx, by, j)
		if err == fault.NotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		if err := r.show(tx, by, audit.Named); err != nil {
			return nil, err
		}
		some = append(some, r)
	}
	return some, nil
}

// Listed is a joint record as it stands in the list.
type Listed struct {
	Details
	ID       id.Joint
	In       int // how many are in it now
	ClosesAt *at.Time
}

// mostListed is how many the list holds; the others are found by way of who is
// in them.
const mostListed = 200

// List returns the joint records that by, at work, sees, the newest first, and
// whether there are more than it holds. What they are called usually names
// who is in them: it is a look at their names.
func List(tx *db.Tx, by access.Actor) (some []Listed, more bool, err error) {
	if !by.AtWork() || !by.MaySeePeople() {
		return nil, false, fault.NotFound
	}
	rows, err := SQL.In(tx).All(tx, by.Practice())
	if err != nil {
		return nil, false, fmt.Errorf("joint records: %w", err)
	}
	stays, err := SQL.In(tx).AllPeople(tx, by.Practice())
	if err != nil {
		return nil, false, fmt.Errorf("joint records: %w", err)
	}
	in, now := map[id.Joint][]one{}, map[id.Joint]int{}
	for _, s := range stays {
		in[s.JointID] = append(in[s.JointID], one{s.ClientID, s.PractitionerID})
		if s.EndsAt == nil || s.EndsAt.After(tx.Now().Time) {
			now[s.JointID]++
		}
	}
	key, err := keys.Of(tx, by.Practice())
	if err != nil {
		return nil, false, err
	}
	for _, row := range rows {
		if !sees(by, row.PractitionerID, in[row.ID]) {
			continue
		}
		if len(some) == mostListed {
			return some, true, nil
		}
		r, err := open(key, row)
		if err != nil {
			return nil, false, err
		}
		some = append(some, Listed{r.Details, r.ID, now[r.ID], r.ClosesAt})
		for _, o := range in[row.ID] {
			audit.Saw(tx, by, audit.Named, o.client, why(by, o))
		}
	}
	return some, false, nil
}

// Own is a joint record as a client in it sees it.
type Own struct {
	Person            // their own stay: the name is not filled in
	Kind     Kind     //
	Looks    string   // who looks after it
	Others   []string // who else is in it, as far as both have agreed
	ClosesAt *at.Time // when it closes, or closed
}

// Over reports whether they are in it no more, or it is closed.
func (o Own) Over(now at.Time) bool {
	return o.Left(now) || o.ClosesAt != nil && !o.ClosesAt.After(now.Time)
}

// Mine returns the joint records that by, a client, is or was in, the newest
// first. Who acts for a client sees none.
func Mine(tx *db.Tx, by access.Actor) (all []Own, err error) {
	if !by.IsClient() {
		return nil, fault.NotFound
	}
	ids, err := SQL.In(tx).OfClient(tx, jointdb.OfClientParams{PracticeID: by.Practice(), ClientID: by.Client()})
	if err != nil {
		return nil, fmt.Errorf("joint records of %s: %w", by.Client(), err)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	members, err := people.Practitioners(tx, access.Job(by.Practice()))
	if err != nil {
		return nil, err
	}
	for _, j := range ids {
		r, err := read(tx, by.Practice(), j)
		if err != nil {
			return nil, err
		}
		for _, p := range slices.Backward(r.People) {
			if p.Client != by.Client() {
				continue
			}
			o := Own{Person: p, Kind: r.Kind, ClosesAt: r.ClosesAt}
			if i := slices.IndexFunc(members, func(m people.Practitioner) bool { return m.ID == r.Practitioner }); i >= 0 {
				o.Looks = members[i].Name
			}
			if o.Others, err = r.beside(tx, by, p); err != nil {
				return nil, err
			}
			all = append(all, o)
		}
	}
	audit.Saw(tx, by, audit.Joint, by.Client(), access.Self)
	return all, nil
}

// beside names those in a record to one of them: whoever has agreed to take part
// to who has, too.
func (r Record) beside(tx *db.Tx, by access.Actor, me Person) (names []string, err error) {
	if r.Closed(tx.Now()) || me.Left(tx.Now()) || !me.Agreed(Sessions) {
		return nil, nil
	}
	for _, p := range r.In(tx.Now()) {
		if p.Client == me.Client || !p.Agreed(Sessions) {
			continue
		}
		name, err := people.NameOf(tx, access.Job(r.practice), p.Client)
		if err != nil {
			return nil, err
		}
		audit.Saw(tx, by, audit.Named, p.Client, access.Together)
		if r.Kind == Group {
			names = append(names, name.Call())
		} else {
			names = append(names, name.Full())
		}
	}
	return names, nil
}
