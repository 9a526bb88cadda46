package audit

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"icouch/internal/access"
	"icouch/internal/audit/auditdb"
	"icouch/internal/base/id"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

// Finding is one thing that is wrong with a chain.
type Finding struct {
	Practice id.Practice
	Seq      int64
	What     string
}

// Report says how long the trail is and what is wrong with it.
type Report struct {
	Chains, Lines int64
	Findings      []Finding
}

// Verify checks every chain from its first line to its newest. Lines cut off
// the end together with the head are found only by an anchor kept elsewhere.
func Verify(tx *db.Tx, by access.Actor) (r Report, err error) {
	chains, err := SQL.In(tx).Chains(tx)
	if err != nil {
		return r, fmt.Errorf("verify: %w", err)
	}
	owners, err := keys.Owners(tx) // whoever has a key has a trail
	if err != nil {
		return r, err
	}
	chains = append(chains, owners...)
	slices.Sort(chains)
	chains = slices.Compact(chains)
	for _, practice := range chains {
		if err := r.chain(tx, practice); err != nil {
			return r, err
		}
		r.Chains++
	}
	return r, nil
}

func (r *Report) chain(tx *db.Tx, practice id.Practice) error {
	key, err := keys.Of(tx, practice)
	if errors.Is(err, keys.ErrNoKey) {
		r.find(practice, 0, "its key is gone")
		return nil
	}
	if err != nil {
		return err
	}
	head, err := SQL.In(tx).LastOf(tx, practice)
	noHead := errors.Is(err, db.None)
	if err != nil && !noHead {
		return fmt.Errorf("verify %s: %w", practice, err)
	}
	seq, before := int64(0), []byte{}
	headFits := head.Seq == 0
	for {
		rows, err := SQL.In(tx).After(tx, auditdb.AfterParams{PracticeID: practice, Seq: seq})
		if err != nil {
			return fmt.Errorf("verify %s: %w", practice, err)
		}
		if len(rows) == 0 {
			break
		}
		for _, row := range rows {
			mac, err := sign(key, before, auditdb.AddParams{PracticeID: practice, Seq: row.Seq, At: row.At, Role: row.Role, AccountID: row.AccountID,
				Action: row.Action, Subject: row.Subject, ClientID: row.ClientID, Detail: row.Detail, Shown: row.Shown})
			if err != nil {
				return err
			}
			switch {
			case row.Seq != seq+1:
				r.find(practice, seq+1, "a line is missing")
			case !bytes.Equal(mac, row.Mac):
				r.find(practice, row.Seq, "a line was changed, put in or moved")
			}
			seq, before = row.Seq, row.Mac
			headFits = headFits || seq == head.Seq && bytes.Equal(head.Mac, row.Mac)
			r.Lines++
		}
	}
	if noHead {
		if seq > 0 || practice != keys.Installation { // a new installation has nothing to tell yet
			r.find(practice, seq, "its end is not known any more")
		}
		return nil
	}
	switch {
	case head.Seq > seq:
		r.find(practice, head.Seq, "the newest lines are missing")
	case !headFits:
		r.find(practice, head.Seq, "what was noted of its end does not fit")
	}
	return nil
}

func (r *Report) find(practice id.Practice, seq int64, what string) {
	r.Findings = append(r.Findings, Finding{practice, seq, what})
}
