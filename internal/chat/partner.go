package chat

import (
	"encoding/hex"
	"fmt"
	"slices"

	"icouch/internal/access"
	"icouch/internal/base/fault"
	"icouch/internal/chat/chatdb"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

// Partner is somebody who can be written to.
type Partner struct {
	To   To
	Name string
	Says string // who that is, in a word or two
	// Handle names a member in a client's form. It is this client's alone, so that
	// two of them cannot compare whom they see, and does not say since when the
	// member is here, as an identifier does.
	Handle string
}

// Partners are those a client, or a member among colleagues, may write to. A
// member's clients are found by their names: see the directory.
func Partners(tx *db.Tx, by access.Actor) (all []Partner, err error) {
	if !mayChat(by) {
		return nil, fault.NotFound
	}
	members, err := people.Practitioners(tx, access.Job(by.Practice()))
	if err != nil {
		return nil, err
	}
	if by.AtWork() {
		for _, m := range members {
			if m.Active && m.ID != by.Practitioner() {
				all = append(all, Partner{To: To{Member: m.ID}, Name: m.Name, Says: "Colleague"})
			}
		}
		return all, nil
	}
	carer, err := SQL.In(tx).Carer(tx, chatdb.CarerParams{PracticeID: by.Practice(), ID: by.Client()})
	if err != nil {
		return nil, fmt.Errorf("who looks after %s: %w", by.Client(), err)
	}
	team, err := SQL.In(tx).CareTeam(tx, chatdb.CareTeamParams{PracticeID: by.Practice(), ClientID: by.Client(), Now: tx.Now().Ptr()})
	if err != nil {
		return nil, fmt.Errorf("who looks after %s: %w", by.Client(), err)
	}
	for _, m := range members {
		switch {
		case !m.Active:
		case m.ID == carer.PractitionerID:
			all = slices.Insert(all, 0, Partner{To: To{Member: m.ID}, Name: m.Name, Says: "Your practitioner"})
		case slices.Contains(team, m.ID):
			all = append(all, Partner{To: To{Member: m.ID}, Name: m.Name, Says: "In your care team"})
		}
	}
	if err := handles(tx, by, all); err != nil {
		return nil, err
	}
	if len(all) > 1 {
		all = append(all, Partner{To: To{Team: true}, Name: "Your care team", Says: "Everybody who looks after you"})
	}
	return all, nil
}

// handles makes the handles of members, for a client.
func handles(tx *db.Tx, by access.Actor, all []Partner) error {
	key, err := keys.Of(tx, by.Practice())
	if err != nil {
		return err
	}
	for i, p := range all {
		h, err := key.Index("partner/"+by.Client().String(), p.To.Member.String())
		if err != nil {
			return err
		}
		all[i].Handle = hex.EncodeToString(h)
	}
	return nil
}

// Called is whom a client means by a handle.
func Called(tx *db.Tx, by access.Actor, handle string) (To, error) {
	all, err := Partners(tx, by)
	if err != nil {
		return To{}, err
	}
	for _, p := range all {
		if p.Handle != "" && p.Handle == handle {
			return p.To, nil
		}
	}
	return To{}, ErrNobody
}
