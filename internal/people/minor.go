package people

import (
	"context"
	"errors"
	"fmt"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/audit"
	"icouch/internal/base/at"
	"icouch/internal/base/civil"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/letter"
	"icouch/internal/people/peopledb"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

// A client who is a minor comes of age on a day. From a day on they may sign in
// themselves, and on a day what their parents and guardians were given ends:
// the eighteenth birthday, unless the practice sets another. A day begins at
// midnight where the practice is. Nothing has to run for it: each request asks.
//
// Somebody is taken for a minor when their date of birth is noted and says so,
// or when the practice sets days. Of whoever has an account by then, nothing is
// shut that was open: the practice sets a day if it should be.
//
// A day that is not known any more opens nothing: a minor without one may not
// sign in yet, and what guardians were given until then is over. What has ended
// by such a day stays ended when the day is moved; see keepEnded.

// ofAge is the age of majority.
const ofAge = 18

// farthest is how far ahead a day may be set.
const farthest = 25 * 366

// What people are told about a minor's days.
var (
	ErrTooYoung     = fault.New(fault.Conflict, "This client may not sign in yet: they are a minor. Set an earlier day on their page if that is right.")
	ErrOwnFar       = fault.On("own", fault.Invalid, "Choose a day within the next 25 years.")
	ErrGuardiansFar = fault.On("guardians", fault.Invalid, "Choose a day within the next 25 years.")
	ErrNoDays       = fault.On("own", fault.Invalid, "Choose a day, or note the date of birth.")
)

// Minor is a client's days, as they stand.
type Minor struct {
	Is             bool       // their days count: they are, or were, a minor here
	OfAge          civil.Date // the eighteenth birthday; none: no date of birth is noted
	OwnFrom        civil.Date // from when they may sign in; none: at once, or, of a minor, not yet
	GuardiansUntil civil.Date // when guardians' access ends; none: that is not known

	zone civil.Zone
}

// never is after every day that can be chosen.
var never = at.Of(time.Date(9999, time.January, 1, 0, 0, 0, 0, time.UTC))

// NoDay reports whether they are a minor of whom no day is known.
func (m Minor) NoDay() bool { return m.Is && m.OwnFrom.IsZero() }

// OpensAt is when they may sign in themselves, or nil if they always may. With
// no day known that is never: better shut than open to a child.
func (m Minor) OpensAt() *at.Time {
	if m.NoDay() {
		return never.Ptr()
	}
	return startOf(m.OwnFrom, m.zone)
}

// GuardiansEnd is when guardians' access ends, or nil if no day is known.
func (m Minor) GuardiansEnd() *at.Time { return startOf(m.GuardiansUntil, m.zone) }

// comesOfAge is the eighteenth birthday. Who was born on 29 February comes of
// age on 1 March.
func comesOfAge(born civil.Date) civil.Date {
	if born.IsZero() {
		return born
	}
	d, err := civil.NewDate(born.Year()+ofAge, born.Month(), born.Day())
	if err != nil {
		d, _ = civil.NewDate(born.Year()+ofAge, time.March, 1)
	}
	return d
}

func startOf(d civil.Date, z civil.Zone) *at.Time {
	if d.IsZero() {
		return nil
	}
	return at.Of(time.Date(d.Year(), d.Month(), d.Day(), 0, 0, 0, 0, z.Load())).Ptr()
}

// minorRow is what is stored of a minor's days.
type minorRow struct {
	client                        id.Client
	is                            bool
	born, ownFrom, guardiansUntil crypt.Sealed
}

func (r minorRow) open(key *crypt.Key, p id.Practice, z civil.Zone) (m Minor, err error) {
	m = Minor{Is: r.is, zone: z}
	born, err := openDate(key, r.born, fieldPlace("born", p, r.client))
	if err != nil {
		return m, err
	}
	m.OfAge = comesOfAge(born)
	own, err := openDate(key, r.ownFrom, minorPlace("own_from", p, r.client))
	if err != nil {
		return m, err
	}
	if m.GuardiansUntil, err = openDate(key, r.guardiansUntil, minorPlace("guardians_until", p, r.client)); err != nil {
		return m, err
	}
	if m.GuardiansUntil.IsZero() {
		m.GuardiansUntil = m.OfAge
	}
	switch {
	case r.is && !own.IsZero():
		m.OwnFrom = own
	case r.is:
		m.OwnFrom = m.OfAge
	}
	return m, nil
}

func openDate(key *crypt.Key, s crypt.Sealed, place string) (d civil.Date, err error) {
	open, err := key.Open(s, place)
	if err != nil || open == "" {
		return d, err
	}
	return civil.ParseDate(open)
}

func minorPlace(column string, p id.Practice, c id.Client) string {
	return crypt.Place("minor."+column, p, c)
}

// opensIn is minorRow.open in a transaction, for a row with its practice's zone.
func opensIn(tx *db.Tx, p id.Practice, zone string, r minorRow) (Minor, error) {
	z, err := civil.ParseZone(zone)
	if err != nil {
		return Minor{}, fmt.Errorf("practice %s: %w", p, err)
	}
	key, err := keys.Of(tx, p)
	if err != nil {
		return Minor{}, err
	}
	return r.open(key, p, z)
}

// MinorOf returns a client's days, to whoever may open the record. Who may not
// see the date of birth does not see them either: they are told the same by them.
func MinorOf(tx *db.Tx, by access.Actor, client id.Client) (Minor, error) {
	if _, err := find(tx, by, client); err != nil {
		return Minor{}, err
	}
	if by.AtWork() && !by.May(access.SeePrivate) {
		return Minor{}, nil
	}
	return minorOf(tx, by.Practice(), client)
}

func minorOf(tx *db.Tx, p id.Practice, client id.Client) (Minor, error) {
	c, err := SQL.In(tx).Client(tx, peopledb.ClientParams{PracticeID: p, ID: client})
	if err != nil {
		return Minor{}, fmt.Errorf("days of %s: %w", client, err)
	}
	practice, err := PracticeOf(tx, access.Job(p))
	if err != nil {
		return Minor{}, err
	}
	row, err := SQL.In(tx).Minor(tx, peopledb.MinorParams{PracticeID: p, ClientID: client})
	if err != nil && !errors.Is(err, db.None) {
		return Minor{}, fmt.Errorf("days of %s: %w", client, err)
	}
	return opensIn(tx, p, practice.Zone.String(), minorRow{client, err == nil, c.Born, row.OwnFrom, row.GuardiansUntil})
}

// waits reports whether a client may not sign in yet.
func waits(tx *db.Tx, p id.Practice, client id.Client) (bool, error) {
	m, err := minorOf(tx, p, client)
	opens := m.OpensAt()
	return opens != nil && opens.After(tx.Now().Time), err
}

// SetMinor sets the days on which a client may sign in themselves and on which
// guardians' access ends. None is the eighteenth birthday.
func SetMinor(tx *db.Tx, by access.Actor, client id.Client, own, guardians civil.Date) error {
	if !by.AtWork() || !by.MayInvite() {
		return fault.Forbidden
	}
	if _, err := SQL.In(tx).HoldClient(tx, peopledb.HoldClientParams{PracticeID: by.Practice(), ID: client}); err != nil && !errors.Is(err, db.None) {
		return fmt.Errorf("hold %s: %w", client, err)
	}
	if _, err := findToChange(tx, by, client); err != nil {
		return err
	}
	was, err := minorOf(tx, by.Practice(), client)
	if err != nil {
		return err
	}
	today := civil.DateOf(tx.Now().Time, was.zone)
	switch {
	case own.IsZero() && was.OfAge.IsZero():
		return ErrNoDays
	case own.Compare(today.AddDays(farthest)) > 0:
		return ErrOwnFar
	case guardians.Compare(today.AddDays(farthest)) > 0:
		return ErrGuardiansFar
	}
	key, err := keys.Of(tx, by.Practice())
	if err != nil {
		return err
	}
	p := peopledb.SetMinorParams{PracticeID: by.Practice(), ClientID: client}
	for _, f := range []struct {
		to     *crypt.Sealed
		column string
		day    civil.Date
	}{{&p.OwnFrom, "own_from", own}, {&p.GuardiansUntil, "guardians_until", guardians}} {
		if f.day.IsZero() || f.day == was.OfAge { // the birthday goes with the date of birth
			continue
		}
		if *f.to, err = key.Seal(f.day.String(), minorPlace(f.column, by.Practice(), client)); err != nil {
			return err
		}
	}
	if own.IsZero() {
		own = was.OfAge
	}
	if own.Compare(today) <= 0 { // nobody has to be told of what they set themselves
		p.ToldAt = tx.Now().Ptr()
	} else if _, err := endLive(tx, by, client, Withdrawn, reasonNotYet); err != nil {
		return err
	}
	if err := SQL.In(tx).SetMinor(tx, p); err != nil {
		return fmt.Errorf("days of %s: %w", client, err)
	}
	if err := keepEnded(tx, by.Practice(), client, was); err != nil {
		return err
	}
	tx.Notify(Topic(by.Practice(), client))
	return audit.Record(tx, by, audit.Deed{Did: audit.MinorDates, Subject: client, Client: client, Fields: []string{"own_from", "guardians_until"}})
}

// keepEnded has what has ended by a client's coming of age stay ended, whatever
// day counts from now on: it becomes the end of each contact it ended. A later
// last day of their own opens it again, chosen for that person.
func keepEnded(tx *db.Tx, p id.Practice, client id.Client, was Minor) error {
	end := was.GuardiansEnd()
	if end == nil || end.After(tx.Now().Time) {
		return nil
	}
	if err := SQL.In(tx).KeepEnded(tx, peopledb.KeepEndedParams{EndsAt: end, PracticeID: p, ClientID: client}); err != nil {
		return fmt.Errorf("keep ended what was given for %s: %w", client, err)
	}
	return nil
}

// bornAnew sees to what follows when a date of birth is changed or taken away:
// what guardians were given and has ended stays so, and who could sign in
// already still can without the date.
func bornAnew(tx *db.Tx, was Client, days Minor, born civil.Date) error {
	if err := keepEnded(tx, was.Practice, was.ID, days); err != nil {
		return err
	}
	opens := days.OpensAt()
	if !born.IsZero() || !days.Is || opens.After(tx.Now().Time) {
		return nil
	}
	row, err := SQL.In(tx).Minor(tx, peopledb.MinorParams{PracticeID: was.Practice, ClientID: was.ID})
	if err != nil {
		return fmt.Errorf("days of %s: %w", was.ID, err)
	}
	if row.OwnFrom != nil {
		return nil
	}
	key, err := keys.Of(tx, was.Practice)
	if err != nil {
		return err
	}
	// today, which gives no birthday away
	own, err := key.Seal(civil.DateOf(tx.Now().Time, days.zone).String(), minorPlace("own_from", was.Practice, was.ID))
	if err != nil {
		return err
	}
	err = SQL.In(tx).SetMinor(tx, peopledb.SetMinorParams{PracticeID: was.Practice, ClientID: was.ID, OwnFrom: own, GuardiansUntil: row.GuardiansUntil, ToldAt: tx.Now().Ptr()})
	if err != nil {
		return fmt.Errorf("days of %s: %w", was.ID, err)
	}
	return nil
}

// noteMinor takes a client without an account for a minor, if a date of birth
// that is new says so.
func noteMinor(tx *db.Tx, p id.Practice, client id.Client, born civil.Date) error {
	if born.IsZero() {
		return nil
	}
	practice, err := PracticeOf(tx, access.Job(p))
	if err != nil {
		return err
	}
	if comesOfAge(born).Compare(civil.DateOf(tx.Now().Time, practice.Zone)) <= 0 {
		return nil
	}
	if err := SQL.In(tx).BeMinor(tx, peopledb.BeMinorParams{PracticeID: p, ClientID: client}); err != nil {
		return fmt.Errorf("note a minor %s: %w", client, err)
	}
	return nil
}

// ComeOfAge tells who looks after a client that they may sign in from today. It
// may be run at any time, as often as anybody likes, and on several nodes.
func (c Clerk) ComeOfAge(ctx context.Context) error {
	type one struct {
		practice id.Practice
		client   id.Client
	}
	var due []one
	err := c.DB.View(ctx, func(tx *db.Tx) error {
		rows, err := SQL.In(tx).UntoldMinors(tx)
		if err != nil {
			return fmt.Errorf("who comes of age: %w", err)
		}
		for _, r := range rows {
			m, err := opensIn(tx, r.PracticeID, r.Zone, minorRow{r.ClientID, true, r.Born, r.OwnFrom, nil})
			if err != nil {
				return err
			}
			if opens := m.OpensAt(); opens != nil && !opens.After(tx.Now().Time) {
				due = append(due, one{r.PracticeID, r.ClientID})
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	var wrong []error
	for _, d := range due {
		wrong = append(wrong, c.DB.Update(ctx, func(tx *db.Tx) error { return tellOfAge(tx, access.Job(d.practice), d.client) }))
	}
	return errors.Join(wrong...)
}

func tellOfAge(tx *db.Tx, by access.Actor, client id.Client) error {
	did := audit.Deed{Did: audit.MinorTold, Subject: client, Client: client}
	n, err := SQL.In(tx).ToldMinor(tx, peopledb.ToldMinorParams{Now: tx.Now().Ptr(), PracticeID: by.Practice(), ClientID: client})
	if err != nil {
		return fmt.Errorf("tell of %s: %w", client, err)
	}
	if n == 0 { // another node was first
		return audit.Record(tx, by, did)
	}
	tx.Notify(Topic(by.Practice(), client))
	c, err := find(tx, by, client)
	if err != nil {
		return err
	}
	practice, err := PracticeOf(tx, by)
	if err != nil {
		return err
	}
	if c.Ended(tx.Now()) || practice.Closed(tx.Now()) {
		return audit.Record(tx, by, did)
	}
	to, err := inviterAddress(tx, c.Practice, c.Practitioner)
	if err == nil {
		_, err = letter.Send(tx, by, letter.Draft{Kind: letter.Day, To: to, FromName: letter.Brand, Body: ofAgeLetter(), Client: client})
	}
	if err != nil && !errors.Is(err, fault.NotFound) {
		return err
	}
	if c.Account != nil && c.EmailConsent {
		me, err := account.Read(tx, by, *c.Account)
		if err != nil {
			return err
		}
		if _, err := letter.Send(tx, by, letter.Draft{Kind: letter.Day, To: me.Email, FromName: practice.Name, Body: opensLetter(practice.Name), Client: client}); err != nil {
			return err
		}
	}
	return audit.Record(tx, by, did)
}

// ResealMinors seals the days of by's practice's minors again, with its newest
// key; see Reseal.
func ResealMinors(tx *db.Tx, by access.Actor) error {
	if by.Role() != access.Shell {
		return fault.Forbidden
	}
	p := by.Practice()
	key, err := keys.Of(tx, p)
	if err != nil {
		return err
	}
	rows, err := SQL.In(tx).ResealMinors(tx, p)
	if err != nil {
		return fmt.Errorf("reseal: %w", err)
	}
	for _, r := range rows {
		params := peopledb.ResealedMinorParams{PracticeID: p, ClientID: r.ClientID}
		if params.OwnFrom, err = again(key, r.OwnFrom, minorPlace("own_from", p, r.ClientID)); err != nil {
			return err
		}
		if params.GuardiansUntil, err = again(key, r.GuardiansUntil, minorPlace("guardians_until", p, r.ClientID)); err != nil {
			return err
		}
		if err := SQL.In(tx).ResealedMinor(tx, params); err != nil {
			return fmt.Errorf("reseal %s: %w", r.ClientID, err)
		}
	}
	return audit.Record(tx, by, audit.Deed{Did: audit.KeysRotated, Subject: p})
}
