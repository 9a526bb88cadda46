package people

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/audit"
	"icouch/internal/base/at"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/letter"
	"icouch/internal/people/peopledb"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

// Whoever leaves takes their account along, and what is theirs alone. What a
// practice has noted stays with the practice: a client's record goes on without
// an account, and what a practitioner has done stays under their name.

// ErrLastOwner says why somebody cannot leave yet.
var ErrLastOwner = fault.New(fault.Conflict, "You are the only owner of a practice that has clients or colleagues. Somebody must look after what it has noted: make a colleague an owner first, then delete your account. If the practice is to close, an owner sets the day in Settings; once it has closed, you can delete your account.")

// AskToLeave has by's own account deleted after account.Grace. The door has had
// the password proved.
func AskToLeave(tx *db.Tx, by access.Actor) (on at.Time, err error) {
	if !by.SignedIn() {
		return on, fault.Forbidden
	}
	if _, err := positions(tx, by.Account()); err != nil {
		return on, err
	}
	all, err := Places(tx, by)
	if err != nil {
		return on, err
	}
	tx.Notify(account.Topic(by.Account()))
	return account.AskDeletion(tx, by, ZoneAt(all, account.Place{}))
}

// MayLeave is why by cannot have their own account deleted now, or nil: it is
// said before they press anything.
func MayLeave(tx *db.Tx, by access.Actor) error {
	if !by.SignedIn() {
		return fault.Forbidden
	}
	_, err := positionsOf(tx, by.Account())
	return err
}

// position is one practice that somebody works in, which is held.
type position struct {
	practice id.Practice
	alone    bool // nobody else works there, and it has no clients: it closes
}

// positions are where somebody works, or ErrLastOwner. The practices are held,
// in one order: of two owners who leave at once, the second is the last.
func positions(tx *db.Tx, who id.Account) (all []position, err error) {
	rows, err := SQL.In(tx).Memberships(tx, who)
	if err != nil {
		return nil, fmt.Errorf("positions of %s: %w", who, err)
	}
	slices.SortFunc(rows, func(a, b peopledb.MembershipsRow) int { return cmp.Compare(a.PracticeID, b.PracticeID) })
	for _, r := range rows {
		if err := holdPractice(tx, r.PracticeID); err != nil {
			return nil, err
		}
	}
	return positionsOf(tx, who)
}

// positionsOf is positions of practices that are held, or only looked at.
func positionsOf(tx *db.Tx, who id.Account) (all []position, err error) {
	holds, err := standing(tx, who)
	if err != nil {
		return nil, err
	}
	for _, s := range holds {
		if !s.Active {
			continue
		}
		if s.closed { // nobody has to look after it: what it noted is kept as it is
			all = append(all, position{s.Practice, false})
			continue
		}
		others, err := SQL.In(tx).OthersAtWork(tx, peopledb.OthersAtWorkParams{PracticeID: s.Practice, AccountID: who})
		if err != nil {
			return nil, fmt.Errorf("others in %s: %w", s.Practice, err)
		}
		owners, err := SQL.In(tx).OtherOwners(tx, peopledb.OtherOwnersParams{PracticeID: s.Practice, AccountID: who})
		if err != nil {
			return nil, fmt.Errorf("owners of %s: %w", s.Practice, err)
		}
		if s.Role == access.Owner && owners == 0 && (others > 0 || s.Clients > 0) {
			return nil, ErrLastOwner
		}
		all = append(all, position{s.Practice, others == 0 && s.Clients == 0})
	}
	return all, nil
}

// Depart deletes the accounts whose day has come. It may be run at any time, as
// often as anybody likes, and on several nodes.
func (c Clerk) Depart(ctx context.Context) error {
	due, err := account.DueToGo(ctx, c.DB)
	if err != nil {
		return err
	}
	var wrong []error
	for _, who := range due {
		err := c.DB.Update(ctx, func(tx *db.Tx) error { return depart(tx, access.Job(keys.Installation), who) })
		if errors.Is(err, account.ErrStays) || errors.Is(err, account.ErrNoAccount) { // kept, or gone, a moment ago
			continue
		}
		if err != nil {
			wrong = append(wrong, fmt.Errorf("account %s departs: %w", who, err))
		}
	}
	return errors.Join(wrong...)
}

func depart(tx *db.Tx, by access.Actor, who id.Account) error {
	if err := account.Departing(tx, by, who); err != nil {
		return err
	}
	work, err := positions(tx, who)
	if errors.Is(err, ErrLastOwner) { // they were not when they asked
		return account.KeepFor(tx, by, who)
	}
	if err != nil {
		return err
	}
	for _, p := range work {
		if p.alone {
			err = putAway(tx, who, p.practice)
		} else {
			err = leavePractice(tx, who, p.practice)
		}
		if err != nil {
			return err
		}
	}
	if err := unlink(tx, who); err != nil {
		return err
	}
	if err := unlinkContacts(tx, who); err != nil {
		return err
	}
	return account.Erase(tx, by, who)
}

// unlink takes an account from the records it opens, and tells each practice.
func unlink(tx *db.Tx, who id.Account) error {
	rows, err := SQL.In(tx).RecordsOfAccount(tx, &who)
	if err != nil {
		return fmt.Errorf("records of %s: %w", who, err)
	}
	for _, r := range rows {
		n, err := SQL.In(tx).Unlink(tx, peopledb.UnlinkParams{PracticeID: r.PracticeID, ID: r.ID, AccountID: &who})
		if err != nil {
			return fmt.Errorf("unlink %s: %w", r.ID, err)
		}
		if n == 0 {
			continue
		}
		if err := endVouch(tx, r.PracticeID, r.ID); err != nil {
			return err
		}
		tx.Notify(Topic(r.PracticeID, r.ID))
		by := access.Job(r.PracticeID)
		if err := audit.Record(tx, by, audit.Deed{Did: audit.AccountClosed, Subject: r.ID, Client: r.ID}); err != nil {
			return err
		}
		if err := tellOfLeaving(tx, by, r.ID); err != nil {
			return err
		}
	}
	return nil
}

// unlinkContacts takes an account from the records it opens for others.
func unlinkContacts(tx *db.Tx, who id.Account) error {
	rows, err := SQL.In(tx).ActingOfAccount(tx, &who)
	if err != nil {
		return fmt.Errorf("records for which %s acts: %w", who, err)
	}
	for _, r := range rows {
		n, err := SQL.In(tx).UnlinkContact(tx, peopledb.UnlinkContactParams{PracticeID: r.PracticeID, ID: r.ID, AccountID: &who})
		if err != nil {
			return fmt.Errorf("unlink %s: %w", r.ID, err)
		}
		if n == 0 {
			continue
		}
		tx.Notify(Topic(r.PracticeID, r.ClientID))
		if err := audit.Record(tx, access.Job(r.PracticeID), audit.Deed{Did: audit.ContactAccountClosed, Subject: r.ID, Client: r.ClientID}); err != nil {
			return err
		}
	}
	return nil
}

// tellOfLeaving writes to who looks after a client. Who it is they see after
// signing in.
func tellOfLeaving(tx *db.Tx, by access.Actor, client id.Client) error {
	c, err := find(tx, by, client)
	if err != nil {
		return err
	}
	to, err := inviterAddress(tx, c.Practice, c.Practitioner)
	if errors.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = letter.Send(tx, by, letter.Draft{Kind: letter.Left, To: to, FromName: letter.Brand, Body: leftLetter(), Client: client})
	return err
}
