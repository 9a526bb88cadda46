package contact

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/audit"
	"icouch/internal/base/email"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/contact/contactdb"
	"icouch/internal/letter"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/platform/jobs"
	"icouch/internal/platform/keys"
)

// Renew is "Send me a new link" on the page of a dead link. The new one goes to
// the address on record and to no other, and the page says the same whatever
// came of it.
func Renew(tx *db.Tx, _ access.Actor, token secret.Token) error {
	r, err := SQL.In(tx).ByToken(tx, token.Hash())
	if errors.Is(err, db.None) {
		return asked(tx, keys.Installation, keys.Installation)
	}
	if err != nil {
		return fmt.Errorf("renew a contact's link: %w", err)
	}
	return renew(tx, r.PracticeID, r.ContactID, dead{r.ID, people.State(r.State), r.EmailIndex})
}

// dead is the link that somebody asks to have renewed.
type dead struct {
	id      id.ContactInvitation
	state   people.State
	mailbox []byte // the index of the address it was for
}

// RenewByAddress is the same for somebody who has nothing but their address.
func RenewByAddress(tx *db.Tx, _ access.Actor, a email.Address) error {
	index, err := addressIndex(tx, a)
	if err != nil {
		return err
	}
	rows, err := SQL.In(tx).ByAddress(tx, index)
	if err != nil {
		return fmt.Errorf("renew by address: %w", err)
	}
	newest := map[id.Contact]contactdb.ByAddressRow{}
	for _, r := range rows {
		if was, ok := newest[r.ContactID]; !ok || was.Ordinal < r.Ordinal {
			newest[r.ContactID] = r
		}
	}
	for _, r := range newest {
		if err := renew(tx, r.PracticeID, r.ContactID, dead{r.ID, people.State(r.State), index}); err != nil {
			return err
		}
	}
	return asked(tx, keys.Installation, keys.Installation)
}

// renew does what the state allows: a new link, the way to sign in, a word to
// who invited, or nothing. Whoever holds a link that was withdrawn, or went to
// an address that is not the contact's any more, moves nothing by it.
func renew(tx *db.Tx, p id.Practice, c id.Contact, held dead) error {
	was, err := newest(tx, p, c)
	if err != nil {
		return err
	}
	is, err := whose(tx, p, c)
	if err != nil {
		return err
	}
	switch {
	case held.state == people.Withdrawn:
		return askInviter(tx, p, was.PractitionerID, is, held.id)
	case people.State(was.State) == people.Withdrawn:
		return askInviter(tx, p, was.PractitionerID, is, was.ID)
	}
	invites, err := stillInvites(tx, p, was.PractitionerID)
	switch {
	case err != nil:
		return err
	case is.Account != nil:
		return remind(tx, p, is)
	case is.mayJoin() != nil, was.CreatedAt.Plus(coolDown).After(tx.Now().Time):
		return asked(tx, p, held.id)
	}
	index, err := addressIndex(tx, is.Email)
	if err != nil {
		return err
	}
	if !bytes.Equal(index, held.mailbox) {
		return asked(tx, p, held.id)
	}
	if !invites { // no link goes out in the name of who could not send it
		if err := endLive(tx, access.Job(p), is, people.Withdrawn); err != nil {
			return err
		}
		return askInviter(tx, p, was.PractitionerID, is, was.ID)
	}
	err = worksHere(tx, access.Job(p), is.Email)
	if errors.Is(err, ErrWorksHere) { // they do by now
		return asked(tx, p, held.id)
	}
	if err != nil {
		return err
	}
	if err := mayWriteTo(tx, p, is.Email); err != nil {
		if _, _, told := fault.As(err); told {
			return asked(tx, p, held.id)
		}
		return err
	}
	return send(tx, access.ByLink(p, ""), was.PractitionerID, is, was.Ordinal, audit.ContactReinvited)
}

// stillInvites reports whether a member could invite today: they work here, in
// a role that may.
func stillInvites(tx *db.Tx, p id.Practice, who id.Practitioner) (bool, error) {
	all, err := people.Practitioners(tx, access.Job(p))
	for _, m := range all {
		if m.ID == who && m.Active && m.Role.Has(access.Invite) {
			return true, err
		}
	}
	return false, err
}

// remind writes to who accepted how to sign in.
func remind(tx *db.Tx, p id.Practice, c Contact) error {
	who, err := account.Read(tx, access.Job(p), *c.Account)
	if err != nil {
		return err
	}
	if err := account.Remind(tx, access.ByLink(p, ""), who); err != nil {
		return err
	}
	return asked(tx, p, c.ID)
}

// askInviter tells who invited that somebody asks for a new link after it was
// withdrawn: once for each. If they could invite nobody any more, who looks after
// the client is told.
func askInviter(tx *db.Tx, p id.Practice, inviter id.Practitioner, c Contact, inv id.ContactInvitation) error {
	n, err := SQL.In(tx).Asked(tx, contactdb.AskedParams{AskedAt: tx.Now().Ptr(), PracticeID: p, ID: inv})
	if err != nil {
		return fmt.Errorf("ask for a link: %w", err)
	}
	if n > 0 {
		invites, err := stillInvites(tx, p, inviter)
		if err != nil {
			return err
		}
		if !invites {
			own, err := people.Find(tx, access.Job(p), c.Client)
			if err != nil {
				return err
			}
			inviter = own.Practitioner
		}
		_, to, err := member(tx, p, inviter)
		if err != nil {
			return err
		}
		if !to.IsZero() {
			if _, err := letter.Send(tx, access.Job(p), letter.Draft{Kind: letter.AskedAgain, To: to, FromName: letter.Brand, Body: askedLetter(), Client: c.Client}); err != nil {
				return err
			}
		}
		tx.Notify(people.Topic(p, c.Client))
	}
	return asked(tx, p, inv)
}

// asked leaves the line that says somebody asked, whatever came of it.
func asked(tx *db.Tx, p id.Practice, what fmt.Stringer) error {
	by := access.Guest()
	if p != keys.Installation {
		by = access.ByLink(p, "")
	}
	return audit.Record(tx, by, audit.Deed{Did: audit.InvitationAsked, Subject: what})
}

// renewalWish is the job that looks into who has lost their invitation.
const renewalWish = jobs.Kind[account.Wish]("contact.renewal_wish")

// WishRenewal notes that somebody asks for a new link to an address they typed.
// The work is the same whether it was ever invited or not.
func WishRenewal(tx *db.Tx, by access.Actor, a email.Address) error {
	w, err := account.NewWish(tx, by, a)
	if err != nil {
		return err
	}
	if err := renewalWish.Enqueue(tx, "", w); err != nil {
		return err
	}
	return asked(tx, keys.Installation, keys.Installation)
}

// Clerk looks into wishes, and tells of days that have come.
type Clerk struct{ DB *db.DB }

// Register has q hand the clerk its work.
func (c Clerk) Register(q *jobs.Queue) {
	renewalWish.On(q, func(ctx context.Context, w account.Wish) error {
		err := c.DB.Update(ctx, func(tx *db.Tx) error {
			a, err := w.Open(tx, access.Guest())
			if err != nil {
				return err
			}
			return RenewByAddress(tx, access.Guest(), a)
		})
		if err != nil {
			return fmt.Errorf("look into a renewal: %w", err)
		}
		return nil
	})
}
