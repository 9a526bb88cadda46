package recovery

import (
	"fmt"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/audit"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
	"icouch/internal/recovery/recoverydb"
	"icouch/internal/support"
)

// Approve is the second person's yes. The door has had them show who they are.
func Approve(tx *db.Tx, by access.Actor, request id.Recovery) error {
	r, err := Read(tx, by, request)
	if err != nil {
		return err
	}
	switch {
	case r.State == Approved:
		return ErrApproved
	case r.State != Asked:
		return ErrNone
	case r.AskedBy == by.Account():
		return ErrSamePerson
	case r.Account == by.Account():
		return ErrSelf
	}
	if err := stillMayAsk(tx, r); err != nil {
		return err
	}
	if err := mayApprove(tx, by, r); err != nil {
		return err
	}
	token, approver := secret.NewToken(), by.Account()
	n, err := SQL.In(tx).Approve(tx, recoverydb.ApproveParams{ApprovedBy: &approver, Now: tx.Now().Ptr(), TokenHash: token.Hash(), ExpiresAt: tx.Now().Plus(works), PracticeID: r.practice, ID: r.ID})
	if err != nil {
		return fmt.Errorf("approve %s: %w", r.ID, err)
	}
	if n == 0 {
		return ErrNone
	}
	if err := account.EndAll(tx, access.Job(keys.Installation), r.Account); err != nil {
		return err
	}
	if err := audit.Record(tx, by, audit.Deed{Did: audit.RecoveryApproved, Subject: r.ID}); err != nil {
		return err
	}
	return tell(tx, r, linkLetter(token), approvedToo)
}

// stillMayAsk is ErrAskerGone if whoever asked could not ask today.
func stillMayAsk(tx *db.Tx, r Request) error {
	if r.practice == keys.Installation {
		is, err := support.Is(tx, access.AsPerson(r.AskedBy))
		if err == nil && !is {
			return ErrAskerGone
		}
		return err
	}
	all, err := people.Practitioners(tx, access.Job(r.practice))
	if err != nil {
		return err
	}
	if !counts(tx, all, r.AskedBy) {
		return ErrAskerGone
	}
	return nil
}

// mayApprove is ErrTooNew of an owner whose word does not count yet.
func mayApprove(tx *db.Tx, by access.Actor, r Request) error {
	if r.practice == keys.Installation {
		return nil
	}
	all, err := people.Practitioners(tx, access.Job(r.practice))
	if err == nil && !counts(tx, all, by.Account()) {
		return ErrTooNew
	}
	return err
}

// Withdraw takes a request back, and makes its link useless.
func Withdraw(tx *db.Tx, by access.Actor, request id.Recovery) error {
	r, err := Read(tx, by, request)
	if err != nil {
		return err
	}
	n, err := SQL.In(tx).Withdraw(tx, recoverydb.WithdrawParams{Now: tx.Now().Ptr(), PracticeID: r.practice, ID: r.ID})
	if err != nil {
		return fmt.Errorf("withdraw %s: %w", r.ID, err)
	}
	if n == 0 {
		return ErrNone
	}
	if err := audit.Record(tx, by, audit.Deed{Did: audit.RecoveryWithdrawn, Subject: r.ID}); err != nil {
		return err
	}
	return tell(tx, r, withdrawnLetter, withdrawnToo)
}
