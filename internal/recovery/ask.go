package recovery

import (
	"fmt"
	"slices"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/audit"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/text"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
	"icouch/internal/recovery/recoverydb"
	"icouch/internal/support"
)

// Ask says that a member of by's practice has lost every way to sign in.
func Ask(tx *db.Tx, by access.Actor, who id.Practitioner, reason string) error {
	if !by.May(access.Recover) {
		return fault.Forbidden
	}
	all, err := people.Practitioners(tx, by)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(p people.Practitioner) bool { return p.ID == who })
	switch {
	case i < 0:
		return fault.NotFound
	case who == by.Practitioner():
		return ErrSelf
	case !all[i].Active:
		return ErrInactive
	case !counts(tx, all, by.Account()):
		return ErrTooNew
	case len(owners(tx.Now(), all, by.Account(), all[i].Account)) == 0:
		return ErrNoSecond
	}
	return ask(tx, by, recoverydb.AddParams{PracticeID: by.Practice(), PractitionerID: &who, AccountID: all[i].Account}, reason)
}

// CanAsk is why by may not ask for a member now, or nil.
func CanAsk(tx *db.Tx, by access.Actor, who people.Practitioner) error {
	all, err := people.Practitioners(tx, by)
	if err != nil {
		return err
	}
	if len(owners(tx.Now(), all, by.Account(), who.Account)) == 0 {
		return ErrNoSecond
	}
	return nil
}

// AskFor is Ask by support, for an account that two owners cannot help.
func AskFor(tx *db.Tx, by access.Actor, who id.Account, reason string) error {
	if by.Role() != access.Support || !by.MaySupport() {
		return fault.Forbidden
	}
	if by.Account() == who {
		return ErrSelf
	}
	if err := helpless(tx, by, who); err != nil {
		return err
	}
	others, err := support.OthersThan(tx, by, by.Account(), who)
	if err != nil {
		return err
	}
	if !others {
		return ErrNoSupporter
	}
	return ask(tx, by, recoverydb.AddParams{PracticeID: keys.Installation, AccountID: who}, reason)
}

// helpless is why support is not the one to help, or nil.
func helpless(tx *db.Tx, by access.Actor, who id.Account) error {
	s, err := account.StandingOf(tx, by, who)
	if err != nil {
		return err
	}
	if s.LeavesAt != nil {
		return support.ErrLeaving
	}
	work, supports, err := placesOf(tx, who)
	switch {
	case err != nil:
		return err
	case len(work) == 0 && !supports:
		return ErrNotAtWork
	case len(work) == 1 && !supports:
		all, err := people.Practitioners(tx, access.Job(work[0]))
		if err != nil {
			return err
		}
		if len(owners(tx.Now(), all, who)) > 1 {
			return ErrOwnersCan
		}
	}
	return nil
}

// placesOf is where an account works, and whether it is in support.
func placesOf(tx *db.Tx, who id.Account) (work []id.Practice, supports bool, err error) {
	person := access.AsPerson(who)
	all, err := people.Places(tx, person)
	if err != nil {
		return nil, false, err
	}
	for _, p := range all {
		if p.Work {
			work = append(work, p.Place.Practice)
		}
	}
	supports, err = support.Is(tx, person)
	return work, supports, err
}

// longestReason is the most letters of a reason.
const longestReason = 500

func ask(tx *db.Tx, by access.Actor, row recoverydb.AddParams, reason string) error {
	reason, err := text.Block(reason, longestReason)
	if err != nil {
		return fault.At("reason", err)
	}
	if reason == "" {
		return ErrNoReason
	}
	gone, err := SQL.In(tx).Expire(tx, recoverydb.ExpireParams{Now: tx.Now().Ptr(), PracticeID: row.PracticeID, AccountID: row.AccountID})
	if err != nil {
		return fmt.Errorf("expire requests for %s: %w", row.AccountID, err)
	}
	for _, r := range gone {
		if err := audit.Record(tx, by, audit.Deed{Did: audit.RecoveryExpired, Subject: r}); err != nil {
			return err
		}
	}
	row.ID, row.AskedBy, row.AskedAt, row.ExpiresAt = id.New[id.Recovery](tx.Now().Time), by.Account(), tx.Now(), tx.Now().Plus(waits)
	key, err := keys.Of(tx, keys.Installation)
	if err != nil {
		return err
	}
	if row.Reason, err = key.Seal(reason, reasonPlace(row.ID)); err != nil {
		return err
	}
	err = SQL.In(tx).Add(tx, row)
	if db.Taken(err) { // the index on open requests sees to it
		return ErrOpen
	}
	if err != nil {
		return fmt.Errorf("ask for %s: %w", row.AccountID, err)
	}
	if err := audit.Record(tx, by, audit.Deed{Did: audit.RecoveryAsked, Subject: row.ID}); err != nil {
		return err
	}
	return tell(tx, Request{Account: row.AccountID, practice: row.PracticeID, AskedBy: by.Account()}, askedLetter, askedToo)
}
