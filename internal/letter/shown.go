package letter

import (
	"encoding/json"
	"errors"
	"fmt"

	"icouch/internal/access"
	"icouch/internal/audit"
	"icouch/internal/base/at"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

// The operator may see the letters of the installation itself, to hand one over
// while there is no mail server. A practice's letters are none of an operator's
// business.

// Held is a letter of the installation itself that has not gone yet.
type Held struct {
	ID   id.Letter
	Kind Kind
	At   at.Time

	sealed crypt.Sealed
}

// Shown is a letter that has been opened.
type Shown struct {
	Held
	To, Subject, Text string
}

// OnHand returns the installation's own letters that wait, the oldest first,
// without opening them. Only the operator may ask.
func OnHand(tx *db.Tx, by access.Actor) ([]Held, error) {
	if by.Role() != access.Shell || by.Practice() != "" {
		return nil, fault.Forbidden
	}
	rows, err := SQL.In(tx).WaitingOf(tx, keys.Installation)
	if err != nil {
		return nil, fmt.Errorf("letters on hand: %w", err)
	}
	all := make([]Held, len(rows))
	for i, r := range rows {
		all[i] = Held{r.ID, Kind(r.Kind), r.CreatedAt, r.Content}
	}
	return all, nil
}

// Read opens the installation's own letters that wait, as h would send them,
// and notes each in the trail. They go on waiting. Only the operator may.
func Read(tx *db.Tx, by access.Actor, h House) ([]Shown, error) {
	held, err := OnHand(tx, by)
	if err != nil {
		return nil, err
	}
	key, err := keys.Of(tx, keys.Installation)
	if err != nil {
		return nil, err
	}
	all := make([]Shown, len(held))
	for i, l := range held {
		said, err := unseal(key, keys.Installation, l.ID, l.sealed)
		if err != nil {
			return nil, fmt.Errorf("letter %s: %w", l.ID, err)
		}
		body := h.Fill(said.Body)
		all[i] = Shown{l, said.To, body.Subject, body.Text()}
		if err := audit.Record(tx, by, audit.Deed{Did: audit.LetterShown, Subject: l.ID}); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// unseal opens what a letter says and to whom.
func unseal(key *crypt.Key, of id.Practice, l id.Letter, sealed crypt.Sealed) (said content, err error) {
	open, err := key.Open(sealed, place(of, l))
	if err != nil {
		return said, err
	}
	if json.Unmarshal([]byte(open), &said) != nil {
		return said, errors.New("its content cannot be read")
	}
	return said, nil
}
