package people

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"icouch/internal/access"
	"icouch/internal/audit"
	"icouch/internal/base/at"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/people/peopledb"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

// most is how many clients one press may be about.
const most = 5000

// ErrTooMany says that a press was about too many.
var ErrTooMany = fault.New(fault.Invalid, "That is too many at once. Choose 5,000 or fewer.")

// Outcome is what inviting many came to for one of them.
type Outcome struct {
	Client id.Client
	Sent   bool
	Why    string // why not, in a sentence
}

// InviteMany invites or re-sends to each of the clients that can be written to
// now, and says of each other why not. One that cannot does not stop the rest.
func InviteMany(tx *db.Tx, by access.Actor, clients []id.Client) ([]Outcome, error) {
	if !by.MayInvite() {
		return nil, fault.Forbidden
	}
	if len(clients) > most {
		return nil, ErrTooMany
	}
	done := map[id.Client]bool{}
	var all []Outcome
	for _, c := range clients {
		if done[c] {
			continue
		}
		done[c] = true
		o, err := inviteOne(tx, by, c)
		if err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	return all, nil
}

func inviteOne(tx *db.Tx, by access.Actor, c id.Client) (Outcome, error) {
	err := Invite(tx, by, c, "")
	if errors.Is(err, ErrAlreadyInvited) {
		err = Resend(tx, by, c, "")
	}
	if err == nil {
		return Outcome{Client: c, Sent: true}, nil
	}
	// Every refusal of these two but one comes before they write: the transaction is whole.
	if errors.Is(err, ErrRaced) {
		return Outcome{}, err
	}
	why, _, isFault := fault.As(err)
	if errors.Is(err, fault.NotFound) {
		why, isFault = "There is no such client.", true
	}
	if !isFault {
		return Outcome{}, err
	}
	return Outcome{Client: c, Why: why}, nil
}

// page is how many clients are read at a time.
const page = 4096

// Everybody returns what the directory keeps of each client of the practice.
// Who may see which of them is the directory's to ask.
//
// Of a large practice the reading takes longest, and one connection reads with
// one core: what has been read is opened by the others meanwhile.
func Everybody(tx *db.Tx, by access.Actor) ([]Listed, error) {
	if !by.MaySeePeople() && by.Role() != access.System {
		return nil, fault.NotFound
	}
	invitations, err := SQL.In(tx).EverybodysInvitations(tx, by.Practice())
	if err != nil {
		return nil, fmt.Errorf("everybody of %s: %w", by.Practice(), err)
	}
	minors, err := SQL.In(tx).EverybodysMinors(tx, by.Practice())
	if err != nil {
		return nil, fmt.Errorf("everybody of %s: %w", by.Practice(), err)
	}
	o, err := newOpener(tx, by.Practice(), invitations, minors)
	if err != nil {
		return nil, err
	}
	var opening sync.WaitGroup
	defer opening.Wait()
	var parts []*part
	p := peopledb.EverybodyParams{PracticeID: by.Practice(), Most: page}
	for more := true; more; {
		rows, err := SQL.In(tx).Everybody(tx, p)
		if err != nil {
			return nil, fmt.Errorf("everybody of %s: %w", by.Practice(), err)
		}
		if more = len(rows) == page; more {
			p.After = rows[page-1].ID
		}
		next := new(part)
		parts = append(parts, next)
		opening.Go(func() { next.all, next.err = o.open(rows) })
	}
	opening.Wait()
	return together(parts)
}

// part is some of a practice's clients, or why they do not open.
type part struct {
	all []Listed
	err error
}

func together(parts []*part) ([]Listed, error) {
	n := 0
	for _, p := range parts {
		if p.err != nil {
			return nil, p.err
		}
		n += len(p.all)
	}
	all := make([]Listed, 0, n)
	for _, p := range parts {
		all = append(all, p.all...)
	}
	return all, nil
}

// Somebody returns the same of a few.
func Somebody(tx *db.Tx, by access.Actor, clients []id.Client) ([]Listed, error) {
	if !by.MaySeePeople() && by.Role() != access.System {
		return nil, fault.NotFound
	}
	if len(clients) == 0 {
		return nil, nil
	}
	ids, err := json.Marshal(clients)
	if err != nil {
		return nil, fmt.Errorf("somebody of %s: %w", by.Practice(), err)
	}
	some, err := SQL.In(tx).Somebody(tx, peopledb.SomebodyParams{PracticeID: by.Practice(), Ids: string(ids)})
	if err != nil {
		return nil, fmt.Errorf("somebody of %s: %w", by.Practice(), err)
	}
	rows := make([]peopledb.EverybodyRow, len(some))
	for i, r := range some {
		rows[i] = peopledb.EverybodyRow(r)
	}
	theirs, err := SQL.In(tx).SomebodysInvitations(tx, peopledb.SomebodysInvitationsParams{PracticeID: by.Practice(), Ids: string(ids)})
	if err != nil {
		return nil, fmt.Errorf("somebody of %s: %w", by.Practice(), err)
	}
	invitations := make([]peopledb.EverybodysInvitationsRow, len(theirs))
	for i, r := range theirs {
		invitations[i] = peopledb.EverybodysInvitationsRow(r)
	}
	few, err := SQL.In(tx).SomebodysMinors(tx, peopledb.SomebodysMinorsParams{PracticeID: by.Practice(), Ids: string(ids)})
	if err != nil {
		return nil, fmt.Errorf("somebody of %s: %w", by.Practice(), err)
	}
	minors := make([]peopledb.EverybodysMinorsRow, len(few))
	for i, r := range few {
		minors[i] = peopledb.EverybodysMinorsRow(r)
	}
	o, err := newOpener(tx, by.Practice(), invitations, minors)
	if err != nil {
		return nil, err
	}
	return o.open(rows)
}

// opener opens clients. It only reads what it holds, so that several may use it
// at once.
type opener struct {
	key      *crypt.Key
	practice id.Practice
	newest   map[id.Client]*Latest
	opens    map[id.Client]*at.Time // of minors
}

func newOpener(tx *db.Tx, p id.Practice, invitations []peopledb.EverybodysInvitationsRow, minors []peopledb.EverybodysMinorsRow) (opener, error) {
	key, err := keys.Of(tx, p)
	o := opener{key, p, make(map[id.Client]*Latest, len(invitations)), make(map[id.Client]*at.Time, len(minors))}
	if err != nil {
		return o, err
	}
	for _, i := range invitations { // by number: a clock may have been put back
		if was := o.newest[i.ClientID]; was == nil || was.Ordinal < i.Ordinal {
			o.newest[i.ClientID] = latest(i)
		}
	}
	if len(minors) == 0 {
		return o, nil
	}
	practice, err := PracticeOf(tx, access.Job(p))
	if err != nil {
		return o, err
	}
	for _, r := range minors {
		m, err := minorRow{r.ClientID, true, r.Born, r.OwnFrom, nil}.open(key, p, practice.Zone)
		if err != nil {
			return o, err
		}
		o.opens[r.ClientID] = m.OpensAt()
	}
	return o, nil
}

func (o opener) open(rows []peopledb.EverybodyRow) ([]Listed, error) {
	all := make([]Listed, len(rows))
	for i, r := range rows {
		name, err := openName(o.key, o.practice, r.ID, r.Name)
		if err != nil {
			return nil, err
		}
		address, err := o.key.Open(r.Email, fieldPlace("email", o.practice, r.ID))
		if err != nil {
			return nil, err
		}
		all[i] = Listed{ID: r.ID, Practitioner: r.PractitionerID, Name: name, Email: address, Facts: Facts{HasEmail: r.Email != nil, Consent: r.EmailConsent,
			Account: r.HasAccount, EndsAt: r.EndsAt, OpensAt: o.opens[r.ID], Newest: o.newest[r.ID]}}
	}
	return all, nil
}

// FactsOf returns what a client's row depends on.
func FactsOf(tx *db.Tx, by access.Actor, client id.Client) (Facts, error) {
	if _, err := Find(tx, by, client); err != nil {
		return Facts{}, err
	}
	some, err := Somebody(tx, by, []id.Client{client})
	if err != nil {
		return Facts{}, err
	}
	if len(some) != 1 {
		return Facts{}, fault.NotFound
	}
	return some[0].Facts, nil
}

// Sending is one line of a client's invitation history.
type Sending struct {
	Latest
	ID      id.Invitation
	To      string
	Inviter string
	EndedBy string
}

// History returns every link that was ever made for a client, newest first.
func History(tx *db.Tx, by access.Actor, client id.Client) ([]Sending, error) {
	if !by.MaySeePeople() {
		return nil, fault.NotFound
	}
	if _, err := Find(tx, by, client); err != nil {
		return nil, err
	}
	rows, err := SQL.In(tx).History(tx, peopledb.HistoryParams{PracticeID: by.Practice(), ClientID: client})
	if err != nil {
		return nil, fmt.Errorf("history of %s: %w", client, err)
	}
	members, err := Practitioners(tx, by)
	if err != nil {
		return nil, err
	}
	name := map[id.Practitioner]string{}
	for _, m := range members {
		name[m.ID] = m.Name
	}
	key, err := keys.Of(tx, by.Practice())
	if err != nil {
		return nil, err
	}
	all := make([]Sending, len(rows))
	for i, r := range rows {
		to, err := key.Open(r.Email, crypt.Place("invitation.email", by.Practice(), r.ID))
		if err != nil {
			return nil, err
		}
		s := Sending{ID: r.ID, To: to, Inviter: name[r.PractitionerID], Latest: *latest(peopledb.EverybodysInvitationsRow{State: r.State, Ordinal: r.Ordinal,
			Reason: r.Reason, CreatedAt: r.CreatedAt, ExpiresAt: r.ExpiresAt, EndedAt: r.EndedAt, AskedAt: r.AskedAt, LetterID: r.LetterID,
			LetterState: r.LetterState, LetterReason: r.LetterReason, SettledAt: r.SettledAt})}
		if r.EndedBy != nil {
			s.EndedBy = name[*r.EndedBy]
		}
		all[i] = s
	}
	return all, nil
}

// Reseal seals the fields of by's clients with the practice's newest data key
// (keys.Renew makes one), 500 clients after the given one at a time. The caller
// opens a transaction for each part and goes on from next until it is empty.
func Reseal(tx *db.Tx, by access.Actor, after id.Client) (next id.Client, err error) {
	if by.Role() != access.Shell {
		return "", fault.Forbidden
	}
	key, err := keys.Of(tx, by.Practice())
	if err != nil {
		return "", err
	}
	rows, err := SQL.In(tx).Reseal(tx, peopledb.ResealParams{PracticeID: by.Practice(), After: after})
	if err != nil {
		return "", fmt.Errorf("reseal: %w", err)
	}
	for _, r := range rows {
		p := peopledb.ResealedParams{PracticeID: by.Practice(), ID: r.ID, Version: r.Version}
		for _, f := range []struct {
			to     *crypt.Sealed
			from   crypt.Sealed
			column string
		}{{&p.Name, r.Name, "name"}, {&p.Email, r.Email, "email"}, {&p.Mobile, r.Mobile, "mobile"}, {&p.Born, r.Born, "born"}, {&p.Address, r.Address, "address"}} {
			if *f.to, err = again(key, f.from, fieldPlace(f.column, by.Practice(), r.ID)); err != nil {
				return "", err
			}
		}
		if err := SQL.In(tx).Resealed(tx, p); err != nil {
			return "", fmt.Errorf("reseal %s: %w", r.ID, err)
		}
		next = r.ID
	}
	return next, audit.Record(tx, by, audit.Deed{Did: audit.KeysRotated, Subject: by.Practice()})
}

// ResealInvitations does the same for the practice's invitations.
func ResealInvitations(tx *db.Tx, by access.Actor, after id.Invitation) (next id.Invitation, err error) {
	if by.Role() != access.Shell {
		return "", fault.Forbidden
	}
	key, err := keys.Of(tx, by.Practice())
	if err != nil {
		return "", err
	}
	rows, err := SQL.In(tx).ResealInvitations(tx, peopledb.ResealInvitationsParams{PracticeID: by.Practice(), After: after})
	if err != nil {
		return "", fmt.Errorf("reseal: %w", err)
	}
	for _, r := range rows {
		p := peopledb.ResealedInvitationParams{PracticeID: by.Practice(), ID: r.ID}
		if p.Email, err = again(key, r.Email, crypt.Place("invitation.email", by.Practice(), r.ID)); err != nil {
			return "", err
		}
		if p.Note, err = again(key, r.Note, crypt.Place("invitation.note", by.Practice(), r.ID)); err != nil {
			return "", err
		}
		if err := SQL.In(tx).ResealedInvitation(tx, p); err != nil {
			return "", fmt.Errorf("reseal %s: %w", r.ID, err)
		}
		next = r.ID
	}
	return next, audit.Record(tx, by, audit.Deed{Did: audit.KeysRotated, Subject: by.Practice()})
}

func again(key *crypt.Key, s crypt.Sealed, place string) (crypt.Sealed, error) {
	open, err := key.Open(s, place)
	if err != nil || s == nil {
		return nil, err
	}
	return key.Seal(open, place)
}
