package people

import (
	"errors"
	"fmt"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/audit"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/letter"
	"icouch/internal/people/peopledb"
	"icouch/internal/platform/db"
)

// A client who has lost the second step, and the recovery codes, cannot be let
// in by e-mail alone: a mailbox is what a thief has first. Somebody who knows
// them, and has spoken to them, vouches; the link that follows does nothing
// without the password.

// VouchLife is how long such a link works.
const VouchLife = 24 * time.Hour

// What can be wrong with vouching.
var (
	ErrNoAccountYet  = fault.New(fault.Conflict, "This client has no account yet. Send them an invitation instead.")
	ErrWorks         = fault.New(fault.Conflict, "You also work here, in a practice or in support, so no practice can vouch for you alone. Ask whoever runs this installation.")
	ErrVouchedForNot = fault.New(fault.Invalid, "That is not the account this link is for. Sign in with the one that the letter went to.")
)

// Vouch says that by has spoken with a client who has lost their second step,
// and sends a link to the address of the client's account.
func Vouch(tx *db.Tx, by access.Actor, client id.Client) error {
	if !by.May(access.Vouch) {
		return fault.Forbidden
	}
	c, err := findToChange(tx, by, client)
	if err != nil {
		return err
	}
	if c.Account == nil || c.EndsAt != nil && !c.EndsAt.After(tx.Now().Time) {
		return ErrNoAccountYet
	}
	q := SQL.In(tx)
	if _, err := q.HoldClient(tx, peopledb.HoldClientParams{PracticeID: c.Practice, ID: c.ID}); err != nil {
		return fmt.Errorf("vouch for %s: %w", c.ID, err)
	}
	if err := endVouch(tx, c.Practice, c.ID); err != nil {
		return err
	}
	token, v := secret.NewToken(), id.New[id.Vouch](tx.Now().Time)
	err = q.AddVouch(tx, peopledb.AddVouchParams{PracticeID: c.Practice, ID: v, ClientID: c.ID, AccountID: *c.Account, PractitionerID: by.Practitioner(),
		TokenHash: token.Hash(), CreatedAt: tx.Now(), ExpiresAt: tx.Now().Plus(VouchLife)})
	if err != nil {
		return fmt.Errorf("vouch for %s: %w", c.ID, err)
	}
	if err := audit.Record(tx, by, audit.Deed{Did: audit.ClientVouched, Subject: v, Client: c.ID}); err != nil {
		return err
	}
	a, err := account.Read(tx, access.Job(c.Practice), *c.Account)
	if err != nil {
		return err
	}
	return account.Warn(tx, by, a, "A link to sign in without your second step",
		letter.Part{Text: "Somebody at your practice has vouched for you, because you told them that your second step is lost. Open the link and enter your password. That takes the lost second step away, and you can set up a new one."},
		letter.Part{Button: &letter.Button{Label: "Continue", URL: letter.Base + "/vouched/" + token.Reveal()}},
		letter.Part{Text: "The link works for 24 hours, and once."},
		letter.Part{Text: "Did you not ask for this? Then leave the link alone, and tell your practice at the number that you already have. Nothing changes unless somebody uses the link together with your password."})
}

// endVouch ends the link of a client who was vouched for, if there is one.
func endVouch(tx *db.Tx, p id.Practice, client id.Client) error {
	if err := SQL.In(tx).EndVouch(tx, peopledb.EndVouchParams{Now: tx.Now().Ptr(), PracticeID: p, ClientID: client}); err != nil {
		return fmt.Errorf("end the vouch for %s: %w", client, err)
	}
	return nil
}

// PeekVouch says whether a link of somebody who was vouched for still works.
func PeekVouch(tx *db.Tx, _ access.Actor, token secret.Token) error {
	_, err := vouchOf(tx, token)
	return err
}

func vouchOf(tx *db.Tx, token secret.Token) (peopledb.VouchByTokenRow, error) {
	row, err := SQL.In(tx).VouchByToken(tx, token.Hash())
	switch {
	case errors.Is(err, db.None):
		return row, account.ErrLinkUnknown
	case err != nil:
		return row, fmt.Errorf("vouch: %w", err)
	case row.UsedAt != nil:
		return row, account.ErrLinkUsed
	case row.EndedAt != nil || !tx.Now().Before(row.ExpiresAt.Time):
		return row, account.ErrLinkEnded
	case !row.Linked || row.EndsAt != nil && !tx.Now().Before(row.EndsAt.Time): // no client of theirs any more
		return row, account.ErrLinkEnded
	}
	return row, nil
}

// UseVouch takes the lost second step of an account away, once. Who is whose
// password was right just now: the link does nothing without it.
func UseVouch(tx *db.Tx, by access.Actor, token secret.Token, who id.Account) error {
	v, err := vouchOf(tx, token)
	if err != nil {
		return err
	}
	if v.AccountID != who {
		return ErrVouchedForNot
	}
	held, err := account.Hold(tx, access.AsPerson(who), who)
	if err != nil {
		return err
	}
	works, err := worksHere(tx, held.ID)
	if err != nil {
		return err
	}
	if works {
		return ErrWorks
	}
	n, err := SQL.In(tx).UseVouch(tx, peopledb.UseVouchParams{Now: tx.Now().Ptr(), TokenHash: token.Hash()})
	if err != nil {
		return fmt.Errorf("use vouch %s: %w", v.ID, err)
	}
	if n == 0 {
		return account.ErrLinkUsed
	}
	if err := account.WipeFactors(tx, access.AsPerson(who), who); err != nil {
		return err
	}
	job := access.Job(v.PracticeID)
	if err := audit.Record(tx, job, audit.Deed{Did: audit.VouchUsed, Subject: v.ID, Client: v.ClientID}); err != nil {
		return err
	}
	return tellWhoVouched(tx, job, v)
}

func tellWhoVouched(tx *db.Tx, job access.Actor, v peopledb.VouchByTokenRow) error {
	p, err := practitioner(tx, v.PracticeID, v.PractitionerID)
	if err != nil {
		return err
	}
	a, err := account.Read(tx, job, p.Account)
	if errors.Is(err, account.ErrNoAccount) { // they have left meanwhile
		return nil
	}
	if err != nil {
		return err
	}
	return account.Warn(tx, job, a, "The link for somebody you vouched for was used",
		letter.Part{Text: "Somebody you vouched for on " + letter.Brand + " has used the link and signed in again. If that surprises you, speak with them, and with an owner of your practice."})
}

// ResetSecondStep takes the lost second step of an account away, at the word of
// the operator, who has made sure whose it is.
func ResetSecondStep(tx *db.Tx, by access.Actor, who id.Account) error {
	if by.Role() != access.Shell {
		return fault.Forbidden
	}
	return account.WipeFactors(tx, by, who)
}
