package team

import (
	"fmt"

	"icouch/internal/access"
	"icouch/internal/audit"
	"icouch/internal/base/at"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/team/teamdb"
)

// The care team of a client is who may see them besides those whose work it is.
// Who looks after the client may choose it, and who assigns care in the practice.

// What people are told about a care team.
var (
	ErrNoMember  = fault.On("team-member", fault.Invalid, "Choose a colleague who looks after clients.")
	ErrLooks     = fault.On("team-member", fault.Conflict, "This colleague looks after the client already.")
	ErrEndsPast  = fault.On("until", fault.Invalid, "Choose a later day.")
	ErrNotInTeam = fault.New(fault.Conflict, "This colleague is not in the care team any more.")
)

// Carer is somebody who may see a client.
type Carer struct {
	people.Practitioner
	EndsAt *at.Time // nil: until taken out
}

// Care is who may see a client.
type Care struct {
	LooksAfter  people.Practitioner
	Team        []Carer
	Supervisors []people.Practitioner // of who looks after the client
	MayChange   bool                  // by may choose the team
	Others      []people.Practitioner // who could be in it and is not
}

// CareOf returns who may see a client, to whoever at work sees them.
func CareOf(tx *db.Tx, by access.Actor, client id.Client) (care Care, err error) {
	if !by.AtWork() {
		return care, fault.NotFound
	}
	c, err := people.Find(tx, by, client)
	if err != nil {
		return care, err
	}
	all, err := people.Practitioners(tx, by)
	if err != nil {
		return care, err
	}
	rows, err := SQL.In(tx).CareTeam(tx, teamdb.CareTeamParams{PracticeID: by.Practice(), ClientID: client, Now: tx.Now().Ptr()})
	if err != nil {
		return care, fmt.Errorf("care team of %s: %w", client, err)
	}
	supervisions, err := SQL.In(tx).Supervisions(tx, by.Practice())
	if err != nil {
		return care, fmt.Errorf("care team of %s: %w", client, err)
	}
	ends := map[id.Practitioner]teamdb.CareTeamRow{}
	for _, r := range rows {
		ends[r.PractitionerID] = r
	}
	supervises := map[id.Practitioner]bool{}
	for _, s := range supervisions {
		supervises[s.SupervisorID] = supervises[s.SupervisorID] || s.PractitionerID == c.Practitioner
	}
	care.MayChange = mayChoose(by, c)
	for _, p := range all {
		r, in := ends[p.ID]
		switch {
		case p.ID == c.Practitioner:
			care.LooksAfter = p
		case in:
			care.Team = append(care.Team, Carer{p, r.EndsAt})
		case p.CaresForClients():
			care.Others = append(care.Others, p)
		}
		if supervises[p.ID] && p.ID != c.Practitioner {
			care.Supervisors = append(care.Supervisors, p)
		}
	}
	return care, nil
}

func mayChoose(by access.Actor, c people.Client) bool {
	return by.May(access.AssignCare) || by.AtWork() && by.Practitioner() == c.Practitioner
}

// Include puts a colleague into a client's care team, until a moment if one is
// given. Of one who is in it already it changes the end.
func Include(tx *db.Tx, by access.Actor, client id.Client, who id.Practitioner, until *at.Time) error {
	c, err := choosing(tx, by, client)
	if err != nil {
		return err
	}
	m, err := member(tx, by, who)
	switch {
	case err == fault.NotFound, err == nil && !m.CaresForClients():
		return ErrNoMember
	case err != nil:
		return err
	case who == c.Practitioner:
		return ErrLooks
	case until != nil && !until.After(tx.Now().Time):
		return ErrEndsPast
	}
	err = SQL.In(tx).Include(tx, teamdb.IncludeParams{PracticeID: by.Practice(), ClientID: client, PractitionerID: who, AddedAt: tx.Now(), EndsAt: until})
	if err != nil {
		return fmt.Errorf("include in the team of %s: %w", client, err)
	}
	tell(tx, m)
	return audit.Record(tx, by, audit.Deed{Did: audit.TeamJoined, Subject: who, Client: client})
}

// Exclude takes a colleague out of a client's care team.
func Exclude(tx *db.Tx, by access.Actor, client id.Client, who id.Practitioner) error {
	if _, err := choosing(tx, by, client); err != nil {
		return err
	}
	m, err := member(tx, by, who)
	if err == fault.NotFound {
		return ErrNotInTeam
	}
	if err != nil {
		return err
	}
	n, err := SQL.In(tx).Exclude(tx, teamdb.ExcludeParams{PracticeID: by.Practice(), ClientID: client, PractitionerID: who})
	if err != nil {
		return fmt.Errorf("exclude from the team of %s: %w", client, err)
	}
	if n == 0 {
		return ErrNotInTeam
	}
	tell(tx, m)
	return audit.Record(tx, by, audit.Deed{Did: audit.TeamLeft, Subject: who, Client: client})
}

// choosing returns a client whose team by may choose.
func choosing(tx *db.Tx, by access.Actor, client id.Client) (people.Client, error) {
	if !by.AtWork() {
		return people.Client{}, fault.NotFound
	}
	c, err := people.Find(tx, by, client)
	if err == nil && !mayChoose(by, c) {
		return people.Client{}, fault.Forbidden
	}
	return c, err
}
