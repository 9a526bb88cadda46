package people

import (
	"fmt"

	"icouch/internal/access"
	"icouch/internal/audit"
	"icouch/internal/base/at"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/people/peopledb"
	"icouch/internal/platform/db"
)

// EndCare closes a client's access at a moment, now or to come, and withdraws
// what still invites them. The record stays. An end that has not come yet can be
// moved.
func EndCare(tx *db.Tx, by access.Actor, client id.Client, on at.Time) error {
	if !by.MayInvite() {
		return fault.Forbidden
	}
	if _, err := findToChange(tx, by, client); err != nil {
		return err
	}
	if on.Before(tx.Now().Time) {
		on = tx.Now()
	}
	n, err := SQL.In(tx).EndCare(tx, peopledb.EndCareParams{EndsAt: &on, Now: tx.Now().Ptr(), PracticeID: by.Practice(), ID: client})
	if err != nil {
		return fmt.Errorf("end care of %s: %w", client, err)
	}
	if n == 0 {
		return ErrAlreadyEnded
	}
	if _, err := endLive(tx, by, client, Withdrawn, reasonCareEnded); err != nil {
		return err
	}
	if err := endVouch(tx, by.Practice(), client); err != nil {
		return err
	}
	tx.Notify(Topic(by.Practice(), client))
	return audit.Record(tx, by, audit.Deed{Did: audit.CareEnded, Subject: client, Client: client})
}

// ResumeCare takes EndCare back: the client is in care again, and their account
// opens the record again.
func ResumeCare(tx *db.Tx, by access.Actor, client id.Client) error {
	if !by.MayInvite() {
		return fault.Forbidden
	}
	if _, err := findToChange(tx, by, client); err != nil {
		return err
	}
	n, err := SQL.In(tx).ResumeCare(tx, peopledb.ResumeCareParams{PracticeID: by.Practice(), ID: client})
	if err != nil {
		return fmt.Errorf("resume care of %s: %w", client, err)
	}
	if n == 0 {
		return ErrNotEnded
	}
	tx.Notify(Topic(by.Practice(), client))
	return audit.Record(tx, by, audit.Deed{Did: audit.CareResumed, Subject: client, Client: client})
}
