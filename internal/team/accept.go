package team

import (
	"cmp"
	"errors"
	"fmt"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/audit"
	"icouch/internal/base/at"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/letter"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/team/teamdb"
)

// Offer is what a link's page shows, as far as the link is alive. A dead link
// shows when it ended, and neither name nor address.
type Offer struct {
	State     people.State
	Newer     people.Newer // of a superseded link: what became of the newest
	Expired   bool
	ExpiresAt at.Time
	EndedAt   *at.Time
	Practice  people.Practice
	Inviter   string
	Draft
}

// Fault says why a link does not work, or nil. The words are those of a
// client's link.
func (o Offer) Fault() error { return people.Offer{State: o.State, Expired: o.Expired}.Fault() }

// Look says what a link offers, and uses nothing up.
func Look(tx *db.Tx, _ access.Actor, token secret.Token) (Offer, error) {
	r, err := SQL.In(tx).ByToken(tx, token.Hash())
	if errors.Is(err, db.None) {
		return Offer{}, people.ErrLinkUnknown
	}
	if err != nil {
		return Offer{}, fmt.Errorf("look at a colleague's link: %w", err)
	}
	if r.PutAwayAt != nil { // the practice is gone, and with it whatever it offered
		return Offer{}, people.ErrLinkUnknown
	}
	o := Offer{State: people.State(r.State), Expired: !r.ExpiresAt.After(tx.Now().Time), ExpiresAt: r.ExpiresAt, EndedAt: r.EndedAt}
	by := access.ByLink(r.PracticeID, "")
	if o.Practice, err = people.PracticeOf(tx, by); err != nil {
		return Offer{}, err
	}
	d, err := draftOf(tx, r.PracticeID, teamdb.NewestRow{ID: r.ID, Role: r.Role, Name: r.Name, Email: r.Email})
	if err != nil {
		return Offer{}, err
	}
	if o.State == people.Superseded {
		n, err := newest(tx, r.PracticeID, d.Email)
		if err != nil {
			return Offer{}, err
		}
		o.Newer = map[people.State]people.Newer{people.Withdrawn: people.NewerWithdrawn, people.Used: people.NewerUsed}[people.State(n.State)]
		if o.Newer == "" && n.ByHand {
			o.Newer = people.NewerByHand
		}
	}
	who, err := member(tx, by, r.PractitionerID)
	if err != nil {
		return Offer{}, err
	}
	if o.State == people.Live && !mayStillGive(r.PracticeID, who, d.Role) {
		o.State = people.Withdrawn
	}
	if o.Fault() == nil {
		o.Inviter, o.Draft = who.Name, d
	}
	return o, nil
}

// SignUp makes an account, with a password that was hashed already, and the
// person a member: by one link, once. An address that has an account already is
// told to sign in, and the link stays as it was.
func SignUp(tx *db.Tx, by access.Actor, token secret.Token, hash string) (people.Joined, error) {
	c, err := claim(tx, by, token)
	if err != nil {
		return people.Joined{}, err
	}
	who, err := account.ByEmail(tx, c.by, c.Email)
	switch {
	case errors.Is(err, db.None):
		who.ID, err = account.Make(tx, c.by, account.New{Name: c.Name, Email: c.Email, Password: hash, Verified: c.mailed})
		if errors.Is(err, account.ErrTaken) {
			return people.Joined{}, people.ErrSignInToAccept
		}
	case err == nil && who.Verified:
		return people.Joined{}, people.ErrSignInToAccept
	case err == nil && c.mailed: // whoever made it never proved the address; this person has
		if err = account.TakeOver(tx, c.by, who.ID, hash); err == nil {
			err = account.Rename(tx, access.AsPerson(who.ID), c.Name)
		}
	case err == nil:
		return people.Joined{}, people.ErrSignInToAccept
	}
	if errors.Is(err, account.ErrTaken) {
		return people.Joined{}, people.ErrSignInToAccept
	}
	if err != nil {
		return people.Joined{}, err
	}
	if !c.mailed {
		if err := account.AskVerify(tx, access.AsPerson(who.ID), who.ID); err != nil {
			return people.Joined{}, err
		}
	}
	return c.join(tx, who.ID)
}

// Accept makes the person by is signed in as a member, if the invitation went
// to their address.
func Accept(tx *db.Tx, by access.Actor, token secret.Token) (people.Joined, error) {
	if !by.SignedIn() {
		return people.Joined{}, fault.Forbidden
	}
	me, err := account.Of(tx, by)
	if err != nil {
		return people.Joined{}, err
	}
	c, err := claim(tx, by, token)
	if err != nil {
		return people.Joined{}, err
	}
	if me.Email.Fold() != c.Email.Fold() {
		return people.Joined{}, people.ErrSomebodyElse
	}
	if c.mailed && !me.Verified {
		if err := account.Verify(tx, by, me.ID); err != nil {
			return people.Joined{}, err
		}
	}
	return c.join(tx, me.ID)
}

// claimed is an invitation that has just been used, in this transaction.
type claimed struct {
	Draft
	by      access.Actor
	id      id.TeamInvitation
	inviter id.Practitioner
	mailed  bool // whoever has the link reads that mailbox
}

// claim uses a link up: one conditional statement. A link is worth no more than
// what its inviter may still give.
func claim(tx *db.Tx, by access.Actor, token secret.Token) (claimed, error) {
	row, err := SQL.In(tx).Claim(tx, teamdb.ClaimParams{Now: tx.Now().Ptr(), TokenHash: token.Hash()})
	if errors.Is(err, db.None) {
		o, err := Look(tx, by, token) // which knows why
		if err == nil {
			err = o.Fault()
		}
		return claimed{}, cmp.Or(err, error(people.ErrLinkUnknown))
	}
	if err != nil {
		return claimed{}, fmt.Errorf("claim a colleague's link: %w", err)
	}
	c := claimed{by: access.ByLink(row.PracticeID, ""), id: row.ID, inviter: row.PractitionerID, mailed: !row.ByHand}
	if c.Draft, err = draftOf(tx, row.PracticeID, teamdb.NewestRow{ID: row.ID, Role: row.Role, Name: row.Name, Email: row.Email}); err != nil {
		return claimed{}, err
	}
	inviter, err := member(tx, c.by, c.inviter)
	if err == nil && !mayStillGive(row.PracticeID, inviter, c.Role) {
		return claimed{}, people.ErrLinkWithdrawn
	}
	return c, err
}

func (c claimed) join(tx *db.Tx, who id.Account) (people.Joined, error) {
	joined, err := people.Admit(tx, c.by, who, c.Role)
	if err != nil {
		return people.Joined{}, err
	}
	inviter, err := member(tx, c.by, c.inviter)
	if err != nil {
		return people.Joined{}, err
	}
	practice, err := people.PracticeOf(tx, c.by)
	if err != nil {
		return people.Joined{}, err
	}
	if err := write(tx, c.by, inviter, letter.Accepted, acceptedLetter(practice.Name)); err != nil {
		return people.Joined{}, err
	}
	done := people.Joined{Account: who, Place: account.Place{Practice: c.by.Practice()}}
	return done, audit.Record(tx, joined, audit.Deed{Did: audit.MemberAccepted, Subject: c.id})
}
