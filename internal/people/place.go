package people

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/audit"
	"icouch/internal/base/at"
	"icouch/internal/base/civil"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/people/peopledb"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

// One account may work in a practice, be a client of another, and act for a
// child in a third. A session is in one of these places at a time, chosen on
// purpose and shown on every page.

// ErrNoPlace says that a place is not the person's own, or no longer.
var ErrNoPlace = fault.New(fault.NotFound, "You cannot open that place any more.")

// Place is one of the places where a person may act.
type Place struct {
	account.Place
	Practice string     // the practice's name
	Name     string     // whose record it is; empty at work
	Work     bool       // as a member of the practice, not as a client
	For      bool       // for somebody else, in what was given
	named    bool       // and Name is theirs: to show it is a look at their record
	Ended    bool       // cannot be opened now; it is shown, and why
	EndsAt   *at.Time   // when care ended, or what was given ends
	OpensAt  *at.Time   // when it opens, if that day has yet to come
	Client   id.Client  // the record, or ""
	Closed   *at.Time   // since when the practice is, to everybody; nil: it is not
	Closes   *at.Time   // when it will be, if that is set
	Zone     civil.Zone // the practice's
}

// Enter returns who a session's person is where they are now. What has changed
// since they chose the place counts: a role taken away, care ended.
func Enter(tx *db.Tx, s account.Session) (access.Actor, error) {
	switch {
	case s.LeavesAt != nil:
		return access.AsLeaving(s.Account), nil
	case s.Client != "":
		now := tx.Now()
		c, err := SQL.In(tx).ClientOfAccount(tx, peopledb.ClientOfAccountParams{PracticeID: s.Practice, ID: s.Client, AccountID: &s.Account, Now: &now})
		if err == nil {
			m, err := opensIn(tx, s.Practice, c.Zone, minorRow{c.ID, c.Minor, c.Born, c.OwnFrom, nil})
			if err != nil {
				return access.Guest(), err
			}
			if opens := m.OpensAt(); opens != nil && opens.After(now.Time) { // theirs, from that day on
				return access.AsPerson(s.Account), nil
			}
		}
		if err == nil && c.ClientStep && !s.Strong {
			return access.AsWaiting(s.Practice, s.Account), nil
		}
		if err == nil {
			return access.AsClient(s.Practice, s.Account, s.Client), nil
		}
		if errors.Is(err, db.None) {
			return enterFor(tx, s)
		}
		return nowhere(s, err)
	case s.Practice != "":
		m, err := SQL.In(tx).Membership(tx, peopledb.MembershipParams{AccountID: s.Account, PracticeID: s.Practice, Now: tx.Now().Ptr()})
		if err == nil && !s.Strong { // who works sees no client without a second step
			return access.AsWaiting(s.Practice, s.Account), nil
		}
		if err == nil {
			return reaching(tx, access.AsPractitioner(s.Practice, s.Account, m.ID, access.Role(m.Role)))
		}
		return nowhere(s, err)
	}
	return access.AsPerson(s.Account), nil
}

// reaching returns a member with the clients they have been given beyond their
// own: whom they supervise, whose care team they are in, whom they opened in an
// emergency. Who sees everybody needs none of it.
func reaching(tx *db.Tx, by access.Actor) (access.Actor, error) {
	if by.SeesAll() {
		return by, nil
	}
	var r access.Reach
	add := func(c id.Client, ends *at.Time) {
		r.Clients = append(r.Clients, c)
		if ends != nil && (r.Until.IsZero() || ends.Before(r.Until.Time)) {
			r.Until = *ends
		}
	}
	given, err := SQL.In(tx).InCareTeams(tx, peopledb.InCareTeamsParams{PracticeID: by.Practice(), PractitionerID: by.Practitioner(), Now: tx.Now().Ptr()})
	if err != nil {
		return access.Guest(), fmt.Errorf("reach of %s: %w", by.Practitioner(), err)
	}
	for _, g := range given {
		add(g.ClientID, g.EndsAt)
	}
	open, err := SQL.In(tx).InEmergencies(tx, peopledb.InEmergenciesParams{PracticeID: by.Practice(), PractitionerID: by.Practitioner(), Now: tx.Now()})
	if err != nil {
		return access.Guest(), fmt.Errorf("reach of %s: %w", by.Practitioner(), err)
	}
	for _, o := range open {
		if !slices.Contains(r.Clients, o.ClientID) {
			r.Opened = append(r.Opened, o.ClientID)
		}
		add(o.ClientID, &o.Until)
	}
	if by.Role() == access.Supervisor {
		if r.Of, err = SQL.In(tx).Supervised(tx, peopledb.SupervisedParams{PracticeID: by.Practice(), SupervisorID: by.Practitioner()}); err != nil {
			return access.Guest(), fmt.Errorf("reach of %s: %w", by.Practitioner(), err)
		}
	}
	return by.Reaching(r), nil
}

// ZoneAt is the time zone of one of somebody's places, or else of their first;
// UTC where they have none. A place that is closed to them has kept its own.
func ZoneAt(all []Place, at account.Place) (z civil.Zone) {
	for i, p := range all {
		if p.Place == at {
			return p.Zone
		}
		if i == 0 {
			z = p.Zone
		}
	}
	return z
}

// ZoneLeft is the time zone of the first place of somebody who leaves: nothing
// else of it is open to them any more.
func ZoneLeft(tx *db.Tx, by access.Actor) (civil.Zone, error) {
	if !by.IsLeaving() {
		return civil.Zone{}, fault.Forbidden
	}
	all, err := placesOf(tx, by.Account())
	return ZoneAt(all, account.Place{}), err
}

// OpenUntil is when time alone shuts the place by is in, or nil: whoever
// remembers what Enter said must ask again then.
func OpenUntil(tx *db.Tx, by access.Actor) (*at.Time, error) {
	if by.Practice() == "" {
		return nil, nil
	}
	p, err := PracticeOf(tx, by)
	if err != nil || !by.IsClient() {
		return p.ClosesAt, err
	}
	ends, err := SQL.In(tx).ClientEnds(tx, peopledb.ClientEndsParams{PracticeID: by.Practice(), ID: by.Client()})
	if err != nil {
		return nil, fmt.Errorf("end of %s: %w", by.Client(), err)
	}
	return earlier(ends, p.ClosesAt), nil
}

func nowhere(s account.Session, err error) (access.Actor, error) {
	if errors.Is(err, db.None) {
		return access.AsPerson(s.Account), nil
	}
	return access.Guest(), fmt.Errorf("enter %s: %w", s.ID, err)
}

// Places returns where by may act: practices first, then records.
func Places(tx *db.Tx, by access.Actor) (all []Place, err error) {
	if !by.MayHavePlaces() {
		return nil, nil
	}
	return placesOf(tx, by.Account())
}

func placesOf(tx *db.Tx, who id.Account) (all []Place, err error) {
	work, err := SQL.In(tx).Memberships(tx, who)
	if err != nil {
		return nil, fmt.Errorf("places of %s: %w", who, err)
	}
	for _, w := range work {
		p := Place{Place: account.Place{Practice: w.PracticeID}, Practice: w.Name, Work: true}
		if err := p.closing(w.Zone, w.ClosesAt, tx.Now()); err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	records, err := SQL.In(tx).RecordsOfAccount(tx, &who)
	if err != nil {
		return nil, fmt.Errorf("places of %s: %w", who, err)
	}
	for _, r := range records {
		key, err := keys.Of(tx, r.PracticeID)
		if err != nil {
			return nil, err
		}
		name, err := openName(key, r.PracticeID, r.ID, r.Name)
		if err != nil {
			return nil, err
		}
		ended := r.EndsAt != nil && !r.EndsAt.After(tx.Now().Time)
		p := Place{Place: account.Place{Practice: r.PracticeID, Client: r.ID}, Practice: r.PracticeName, Name: name.Full(),
			Ended: ended, EndsAt: r.EndsAt, Client: r.ID}
		m, err := opensIn(tx, r.PracticeID, r.Zone, minorRow{r.ID, r.Minor, r.Born, r.OwnFrom, nil})
		if err != nil {
			return nil, err
		}
		if opens := m.OpensAt(); !ended && opens != nil && opens.After(tx.Now().Time) {
			p.Ended = true
			if !m.NoDay() { // no day to tell of
				p.OpensAt = opens
			}
		}
		if err := p.closing(r.Zone, r.ClosesAt, tx.Now()); err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	acting, err := placesFor(tx, who)
	if err != nil {
		return nil, err
	}
	for _, p := range acting {
		if !slices.ContainsFunc(all, func(own Place) bool { return own.Place == p.Place }) { // their own counts
			all = append(all, p)
		}
	}
	return all, nil
}

// enterFor returns a person who acts for a client, as far as they may now.
func enterFor(tx *db.Tx, s account.Session) (access.Actor, error) {
	r, err := SQL.In(tx).Acting(tx, peopledb.ActingParams{PracticeID: s.Practice, ClientID: s.Client, AccountID: &s.Account})
	if err != nil {
		return nowhere(s, err)
	}
	terms := access.Terms{Rights: access.SplitRights(r.Rights), Suspended: r.SuspendedAt != nil, Begins: r.BeginsAt, Ends: r.EndsAt, Care: earlier(r.CareEndsAt, r.ClosesAt)}
	if r.OfAge {
		if terms.OfAge, err = endOfAge(tx, s.Practice, r.Zone, minorRow{s.Client, true, r.Born, nil, r.GuardiansUntil}); err != nil {
			return access.Guest(), err
		}
	}
	switch {
	case terms.Standing(tx.Now()) != access.Open:
		return access.AsPerson(s.Account), nil
	case r.ClientStep && !s.Strong:
		return access.AsWaiting(s.Practice, s.Account), nil
	}
	return access.AsContact(s.Practice, s.Account, s.Client, access.Grant{Contact: r.ID, Rights: terms.Rights, Until: terms.Until()}), nil
}

// endOfAge is when access ends that was given until a client comes of age.
func endOfAge(tx *db.Tx, p id.Practice, zone string, of minorRow) (*at.Time, error) {
	m, err := opensIn(tx, p, zone, of)
	return access.AtAge(m.GuardiansEnd()), err
}

// placesFor returns the records that somebody opens for others. What has ended
// and what is suspended is told alike.
func placesFor(tx *db.Tx, who id.Account) (all []Place, err error) {
	rows, err := SQL.In(tx).ActingOfAccount(tx, &who)
	if err != nil {
		return nil, fmt.Errorf("places of %s: %w", who, err)
	}
	for _, r := range rows {
		key, err := keys.Of(tx, r.PracticeID)
		if err != nil {
			return nil, err
		}
		name, err := openName(key, r.PracticeID, r.ClientID, r.Name)
		if err != nil {
			return nil, err
		}
		terms := access.Terms{Rights: access.SplitRights(r.Rights), Suspended: r.SuspendedAt != nil, Begins: r.BeginsAt, Ends: r.EndsAt, Care: earlier(r.CareEndsAt, r.ClosesAt)}
		if r.OfAge {
			if terms.OfAge, err = endOfAge(tx, r.PracticeID, r.Zone, minorRow{r.ClientID, true, r.Born, nil, r.GuardiansUntil}); err != nil {
				return nil, err
			}
		}
		stands, called := terms.Standing(tx.Now()), name.Full()
		known := stands == access.Open || stands == access.Before
		if !known {
			called = "somebody" // what they are called now is no business of who is shut out
		}
		p := Place{Place: account.Place{Practice: r.PracticeID, Client: r.ClientID}, Practice: r.PracticeName, Name: called, For: true, named: known,
			Ended: stands != access.Open, Client: r.ClientID}
		if stands == access.Before {
			p.OpensAt = r.BeginsAt
		}
		if until := terms.Until(); stands == access.Open && !until.IsZero() {
			p.EndsAt = &until
		}
		if err := p.closing(r.Zone, r.ClosesAt, tx.Now()); err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// SawNames notes that by is shown the names of those they act for: once a
// request, in the trail of the practice of each. At work, and in a record of
// their own, nobody else's name is in a place.
func SawNames(ctx context.Context, by access.Actor, shown []Place) {
	for _, p := range shown {
		if p.named {
			audit.Saw(ctx, access.AsContact(p.Place.Practice, by.Account(), p.Client, access.Grant{}), audit.Named, p.Client, access.Acting)
		}
	}
}

// Home is where a person is after signing in: the first place that is open.
func Home(tx *db.Tx, by access.Actor) (account.Place, error) {
	all, err := Places(tx, by)
	if err != nil {
		return account.Place{}, err
	}
	for _, p := range all {
		if !p.Ended {
			return p.Place, nil
		}
	}
	return account.Place{}, nil
}

// HomeOf is Home for a person who is at another kind of work at the moment.
func HomeOf(tx *db.Tx, by access.Actor) (account.Place, error) {
	return Home(tx, access.AsPerson(by.Account()))
}

// Choose moves a session to another of the person's places.
func Choose(tx *db.Tx, by access.Actor, session secret.Token, to account.Place) error {
	all, err := Places(tx, by)
	if err != nil {
		return err
	}
	for _, p := range all {
		if p.Place == to && !p.Ended {
			terms, err := TermsOf(tx, to)
			if err != nil {
				return err
			}
			return account.Move(tx, by, session, to, terms)
		}
	}
	return ErrNoPlace
}
