package audit

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"icouch/internal/access"
	"icouch/internal/audit/auditdb"
	"icouch/internal/base/id"
	"icouch/internal/platform/crypt"
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

// Verify checks every chain from its first line to its newest, and against what
// was noted elsewhere of where it was. Lines cut off the end together with the
// head are found by such an anchor alone.
func Verify(tx *db.Tx, by access.Actor, anchors ...Anchor) (r Report, err error) {
	noted := map[id.Practice][]Anchor{}
	for _, a := range anchors {
		noted[a.Practice] = append(noted[a.Practice], a)
	}
	chains, err := SQL.In(tx).Chains(tx)
	if err != nil {
		return r, fmt.Errorf("verify: %w", err)
	}
	owners, err := keys.Owners(tx) // whoever has a key has a trail
	if err != nil {
		return r, err
	}
	chains = slices.AppendSeq(append(chains, owners...), maps.Keys(noted))
	slices.Sort(chains)
	chains = slices.Compact(chains)
	for _, practice := range chains {
		if err := r.chain(tx, practice, noted[practice]); err != nil {
			return r, err
		}
		r.Chains++
	}
	return r, nil
}

func (r *Report) chain(tx *db.Tx, practice id.Practice, noted []Anchor) error {
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
	if noted, err = r.genuine(key, noted); err != nil {
		return err
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
			for len(noted) > 0 && noted[0].Seq <= row.Seq {
				if noted[0].Seq < row.Seq || !bytes.Equal(noted[0].Mac, row.Mac) {
					r.find(practice, noted[0].Seq, "it is not the line that was there on "+noted[0].when())
				}
				noted = noted[1:]
			}
			seq, before = row.Seq, row.Mac
			headFits = headFits || seq == head.Seq && bytes.Equal(head.Mac, row.Mac)
			r.Lines++
		}
	}
	if len(noted) > 0 {
		last := noted[len(noted)-1]
		r.find(practice, seq+1, fmt.Sprintf("the lines up to %d, which were there on %s, are missing", last.Seq, last.when()))
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

// genuine returns those anchors that this installation has signed, in order.
func (r *Report) genuine(key *crypt.Key, noted []Anchor) (all []Anchor, err error) {
	for _, a := range noted {
		signature, err := a.sign(key)
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(signature, a.signature) {
			r.find(a.Practice, a.Seq, "an anchor of "+a.when()+" is not one of ours")
			continue
		}
		all = append(all, a)
	}
	slices.SortStableFunc(all, func(a, b Anchor) int { return cmp.Compare(a.Seq, b.Seq) })
	return all, nil
}

func (a Anchor) when() string { return a.At.UTC().Format("2 January 2006 15:04 UTC") }

func (r *Report) find(practice id.Practice, seq int64, what string) {
	r.Findings = append(r.Findings, Finding{practice, seq, what})
}
