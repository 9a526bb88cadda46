package recovery

import (
	"errors"
	"fmt"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/audit"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
	"icouch/internal/recovery/recoverydb"
)

// Peek says whether a link still works, and uses nothing up.
func Peek(tx *db.Tx, _ access.Actor, token secret.Token) error {
	_, err := held(tx, token)
	return err
}

func held(tx *db.Tx, token secret.Token) (Request, error) {
	row, err := SQL.In(tx).ByToken(tx, token.Hash())
	if errors.Is(err, db.None) {
		return Request{}, account.ErrLinkUnknown
	}
	r, err := opened(tx, recoverydb.ByIDRow(row), err)
	switch {
	case err != nil:
		return r, err
	case r.State == Used:
		return r, account.ErrLinkUsed
	case r.State != Approved:
		return r, account.ErrLinkEnded
	}
	return r, nil
}

// Use takes the lost second steps of an account away, once. Who is whose
// password was right just now: the link does nothing without it.
func Use(tx *db.Tx, by access.Actor, token secret.Token, who id.Account) error {
	r, err := held(tx, token)
	if err != nil {
		return err
	}
	if r.Account != who || by.Account() != who {
		return ErrNotTheirs
	}
	if _, err := account.Hold(tx, by, who); err != nil {
		return err
	}
	if r.practice != keys.Installation {
		work, supports, err := placesOf(tx, who)
		if err != nil {
			return err
		}
		if supports || len(work) != 1 || work[0] != r.practice {
			return ErrElsewhere
		}
	}
	if err := stillStands(tx, r); err != nil {
		return err
	}
	n, err := SQL.In(tx).Use(tx, recoverydb.UseParams{Now: tx.Now().Ptr(), TokenHash: token.Hash()})
	if err != nil {
		return fmt.Errorf("use %s: %w", r.ID, err)
	}
	if n == 0 {
		return account.ErrLinkUsed
	}
	if err := account.WipeFactors(tx, by, who); err != nil { // which writes to them
		return err
	}
	if err := audit.Record(tx, access.Job(r.practice), audit.Deed{Did: audit.RecoveryUsed, Subject: r.ID}); err != nil {
		return err
	}
	return tell(tx, r, nil, usedToo)
}

// stillStands is account.ErrLinkEnded if one of the two who vouched could not do
// so any more: it was approved while that was taken from them.
func stillStands(tx *db.Tx, r Request) error {
	err := stillMayAsk(tx, r)
	if err == nil {
		r.AskedBy = r.ApprovedBy
		err = stillMayAsk(tx, r)
	}
	if errors.Is(err, ErrAskerGone) {
		return account.ErrLinkEnded
	}
	return err
}
