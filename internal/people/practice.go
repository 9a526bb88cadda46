package people

import (
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
	"icouch/internal/base/text"
	"icouch/internal/people/peopledb"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

// What people are told when a practice cannot be made.
var (
	ErrNoPracticeName = fault.On("practice", fault.Invalid, "Enter the name of your practice, as clients know it.")
	ErrNoZone         = fault.On("zone", fault.Invalid, "Choose the time zone your practice works in.")
	ErrHasPractice    = fault.New(fault.Conflict, "You already have a practice.")
	ErrMember         = fault.New(fault.Conflict, "This person is a member of the practice already.")
)

// nameLength is the most letters a name may have.
const nameLength = 120

// Practice is one organisation: a solo practitioner or a group.
type Practice struct {
	ID          id.Practice
	Name        string
	Zone        civil.Zone
	StepsHidden bool // the practice has put "First Steps" away
	ClientStep  bool // it asks a second step of its clients, too
	CreatedAt   at.Time
	ClosesAt    *at.Time   // from then on nobody enters it; nil: it goes on
	ClosingBy   id.Account // the owner who has set that
}

// Found makes a practice, with its key, and makes by its owner. It is for whoever
// works nowhere, also if a practice of theirs has closed or they have left it.
func Found(tx *db.Tx, by access.Actor, name, zone string) (access.Actor, error) {
	if !by.SignedIn() {
		return access.Actor{}, fault.NotFound
	}
	name, err := text.Line(name, nameLength)
	if err != nil {
		return access.Actor{}, fault.At("practice", err)
	}
	if name == "" {
		return access.Actor{}, ErrNoPracticeName
	}
	z, err := civil.ParseZone(zone)
	if err != nil || zone == "" {
		return access.Actor{}, ErrNoZone
	}
	if _, err := account.Hold(tx, by, by.Account()); err != nil { // a double press: the second sees the first's practice
		return access.Actor{}, err
	}
	already, err := SQL.In(tx).Memberships(tx, by.Account())
	if err != nil {
		return access.Actor{}, fmt.Errorf("found a practice: %w", err)
	}
	if slices.ContainsFunc(already, func(m peopledb.MembershipsRow) bool { return !closed(m.ClosesAt, tx.Now()) }) { // a second practice comes by invitation
		return access.Actor{}, ErrHasPractice
	}
	again, err := reopen(tx, by, name, z.String())
	if !errors.Is(err, db.None) {
		return again, err
	}
	p := id.New[id.Practice](tx.Now().Time)
	err = SQL.In(tx).AddPractice(tx, peopledb.AddPracticeParams{ID: p, Name: name, Zone: z.String(), FounderID: by.Account(), CreatedAt: tx.Now()})
	if err != nil {
		return access.Actor{}, fmt.Errorf("found %s: %w", p, err)
	}
	if err := keys.New(tx, p); err != nil {
		return access.Actor{}, err
	}
	owner, err := join(tx, p, by.Account(), access.Owner)
	if err != nil {
		return access.Actor{}, err
	}
	return owner, audit.Record(tx, owner, audit.Deed{Did: audit.PracticeFounded, Subject: p})
}

// Join makes the person with an account a member of by's practice. Nobody gives
// a role above their own: only an owner, or the operator, makes an owner.
func Join(tx *db.Tx, by access.Actor, who id.Account, role access.Role) (access.Actor, error) {
	switch by.Role() {
	case access.Owner, access.Shell:
	case access.Administrator:
		if role == access.Owner {
			return access.Actor{}, fault.Forbidden
		}
	default:
		return access.Actor{}, fault.Forbidden
	}
	if by.Practice() == "" || !access.AsPractitioner(by.Practice(), who, "?", role).AtWork() { // a client is no member
		return access.Actor{}, fault.Forbidden
	}
	member, err := join(tx, by.Practice(), who, role)
	if err != nil {
		return access.Actor{}, err
	}
	return member, audit.Record(tx, by, audit.Deed{Did: audit.PractitionerJoined, Subject: member.Practitioner()})
}

// Admit makes the person with an account a member of by's practice, who has
// just used up the invitation to it that by holds.
func Admit(tx *db.Tx, by access.Actor, who id.Account, role access.Role) (access.Actor, error) {
	if by.Role() != access.Link || by.Client() != "" || !slices.Contains(access.WorkRoles, role) {
		return access.Actor{}, fault.Forbidden
	}
	member, err := join(tx, by.Practice(), who, role)
	if err != nil {
		return access.Actor{}, err
	}
	return member, audit.Record(tx, member, audit.Deed{Did: audit.PractitionerJoined, Subject: member.Practitioner()})
}

func join(tx *db.Tx, p id.Practice, who id.Account, role access.Role) (access.Actor, error) {
	tx.Notify(PracticeTopic(p))
	tx.Notify(account.Topic(who))
	a, err := account.Read(tx, access.Job(p), who)
	if err != nil {
		return access.Actor{}, err
	}
	key, err := keys.Of(tx, p)
	if err != nil {
		return access.Actor{}, err
	}
	member := id.New[id.Practitioner](tx.Now().Time)
	name, err := key.Seal(a.Name, practitionerPlace(p, member))
	if err != nil {
		return access.Actor{}, err
	}
	err = SQL.In(tx).AddPractitioner(tx, peopledb.AddPractitionerParams{PracticeID: p, ID: member, AccountID: who, Name: name, Role: string(role), CreatedAt: tx.Now()})
	if db.Taken(err) {
		return access.Actor{}, ErrMember
	}
	if err != nil {
		return access.Actor{}, fmt.Errorf("join %s: %w", p, err)
	}
	return access.AsPractitioner(p, who, member, role), nil
}

// PracticeOf returns the practice by acts in.
func PracticeOf(tx *db.Tx, by access.Actor) (Practice, error) {
	row, err := SQL.In(tx).Practice(tx, by.Practice())
	if errors.Is(err, db.None) {
		return Practice{}, fault.NotFound
	}
	if err != nil {
		return Practice{}, fmt.Errorf("practice %s: %w", by.Practice(), err)
	}
	z, err := civil.ParseZone(row.Zone)
	if err != nil {
		return Practice{}, fmt.Errorf("practice %s: %w", by.Practice(), err)
	}
	p := Practice{row.ID, row.Name, z, row.StepsHidden, row.ClientStep, row.CreatedAt, row.ClosesAt, ""}
	if row.ClosingBy != nil {
		p.ClosingBy = *row.ClosingBy
	}
	return p, nil
}

// SetPractice changes the practice's name and time zone.
func SetPractice(tx *db.Tx, by access.Actor, name, zone string) error {
	if by.Role() != access.Owner && by.Role() != access.Administrator {
		return fault.Forbidden
	}
	name, err := text.Line(name, nameLength)
	if err != nil {
		return fault.At("practice", err)
	}
	if name == "" {
		return ErrNoPracticeName
	}
	z, err := civil.ParseZone(zone)
	if err != nil || zone == "" {
		return ErrNoZone
	}
	tx.Notify(PracticeTopic(by.Practice()))
	if err := SQL.In(tx).SetPractice(tx, peopledb.SetPracticeParams{Name: name, Zone: z.String(), ID: by.Practice()}); err != nil {
		return fmt.Errorf("practice %s: %w", by.Practice(), err)
	}
	return audit.Record(tx, by, audit.Deed{Did: audit.PracticeChanged, Subject: by.Practice(), Fields: []string{"name", "zone"}})
}

// SetClientStep has a practice ask its clients for a second step, or no more.
func SetClientStep(tx *db.Tx, by access.Actor, ask bool) error {
	if !by.May(access.ChangePractice) {
		return fault.Forbidden
	}
	tx.Notify(PracticeTopic(by.Practice()))
	if err := SQL.In(tx).SetClientStep(tx, peopledb.SetClientStepParams{ClientStep: ask, ID: by.Practice()}); err != nil {
		return fmt.Errorf("practice %s: %w", by.Practice(), err)
	}
	return audit.Record(tx, by, audit.Deed{Did: audit.PracticeChanged, Subject: by.Practice(), Fields: []string{"client_step"}})
}

// HideSteps puts "First Steps" away, or brings it back.
func HideSteps(tx *db.Tx, by access.Actor, hide bool) error {
	if !by.AtWork() {
		return fault.Forbidden
	}
	tx.Notify(PracticeTopic(by.Practice()))
	if err := SQL.In(tx).HideSteps(tx, peopledb.HideStepsParams{StepsHidden: hide, ID: by.Practice()}); err != nil {
		return fmt.Errorf("practice %s: %w", by.Practice(), err)
	}
	return audit.Record(tx, by, audit.Deed{Did: audit.PracticeChanged, Subject: by.Practice(), Fields: []string{"first_steps"}})
}

// Practitioner is a member of a practice.
type Practitioner struct {
	ID      id.Practitioner
	Account id.Account
	Name    string
	Role    access.Role
	Since   at.Time // when they got that role, or were made active in it again
	Active  bool
}

// CaresForClients reports whether clients can be theirs.
func (p Practitioner) CaresForClients() bool {
	switch p.Role {
	case access.Owner, access.Practitioner, access.Supervisor:
		return p.Active
	}
	return false
}

// Practitioners returns the members of by's practice, in order of joining.
func Practitioners(tx *db.Tx, by access.Actor) ([]Practitioner, error) {
	if !by.AtWork() && by.Role() != access.System && by.Role() != access.Shell {
		return nil, fault.NotFound
	}
	rows, err := SQL.In(tx).Practitioners(tx, by.Practice())
	if err != nil {
		return nil, fmt.Errorf("practitioners of %s: %w", by.Practice(), err)
	}
	key, err := keys.Of(tx, by.Practice())
	if err != nil {
		return nil, err
	}
	all := make([]Practitioner, len(rows))
	for i, r := range rows {
		name, err := key.Open(r.Name, practitionerPlace(by.Practice(), r.ID))
		if err != nil {
			return nil, err
		}
		all[i] = Practitioner{r.ID, r.AccountID, name, access.Role(r.Role), since(r.RoleSince, r.CreatedAt), r.Active}
	}
	return all, nil
}

// LooksAfter returns the name of who looks after a client, to whoever may open
// the client's record: the client is one of them.
func LooksAfter(tx *db.Tx, by access.Actor, client id.Client) (string, error) {
	c, err := find(tx, by, client)
	if err != nil {
		return "", err
	}
	who, err := practitioner(tx, c.Practice, c.Practitioner)
	return who.Name, err
}

// since is when a member got their role: when they came, unless it was changed.
func since(changed *at.Time, came at.Time) at.Time {
	if changed != nil {
		return *changed
	}
	return came
}

// practitioner returns one member of a practice, whoever asks.
func practitioner(tx *db.Tx, p id.Practice, who id.Practitioner) (Practitioner, error) {
	r, err := SQL.In(tx).Practitioner(tx, peopledb.PractitionerParams{PracticeID: p, ID: who})
	if errors.Is(err, db.None) {
		return Practitioner{}, fault.NotFound
	}
	if err != nil {
		return Practitioner{}, fmt.Errorf("practitioner %s: %w", who, err)
	}
	key, err := keys.Of(tx, p)
	if err != nil {
		return Practitioner{}, err
	}
	name, err := key.Open(r.Name, practitionerPlace(p, r.ID))
	return Practitioner{r.ID, r.AccountID, name, access.Role(r.Role), since(r.RoleSince, r.CreatedAt), r.Active}, err
}

// Rename changes by's own name: that of the account, and the name by which the
// clients of each practice know them.
func Rename(tx *db.Tx, by access.Actor, name string) error {
	if err := account.Rename(tx, by, name); err != nil {
		return err
	}
	a, err := account.Of(tx, by)
	if err != nil {
		return err
	}
	rows, err := SQL.In(tx).Positions(tx, by.Account())
	if err != nil {
		return fmt.Errorf("rename: %w", err)
	}
	for _, r := range rows {
		key, err := keys.Of(tx, r.PracticeID)
		if err != nil {
			return err
		}
		sealed, err := key.Seal(a.Name, practitionerPlace(r.PracticeID, r.ID))
		if err != nil {
			return err
		}
		err = SQL.In(tx).RenamePractitioner(tx, peopledb.RenamePractitionerParams{Name: sealed, PracticeID: r.PracticeID, ID: r.ID})
		if err != nil {
			return fmt.Errorf("rename %s: %w", r.ID, err)
		}
		err = audit.Record(tx, access.Job(r.PracticeID), audit.Deed{Did: audit.PractitionerRenamed, Subject: r.ID, Fields: []string{"name"}})
		if err != nil {
			return err
		}
	}
	return nil
}

func practitionerPlace(p id.Practice, who id.Practitioner) string {
	return crypt.Place("practitioner.name", p, who)
}

// PracticeTopic is what a change to a practice, or to who works there, is
// announced under.
func PracticeTopic(p id.Practice) string { return "practice/" + p.String() }
