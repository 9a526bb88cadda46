package contact

import (
	"cmp"
	"errors"
	"fmt"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/audit"
	"icouch/internal/base/at"
	"icouch/internal/base/email"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/contact/contactdb"
	"icouch/internal/letter"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

// What people are told who cannot accept.
var (
	ErrWorksHere = fault.New(fault.Conflict, "This account works in the practice, or did. Whoever works there does not act for its clients.")
	ErrOwnRecord = fault.New(fault.Conflict, "Your account opens this record already, as the client’s own. Ask the practice: each of you needs an e-mail address of your own.")
	ErrActsTwice = fault.New(fault.Conflict, "You act for this person already. Ask the practice to change what you may open.")
)

// Offer is what a link's page shows, as far as the link is alive. A dead link
// shows when it ended, and neither name nor address. No client is ever named:
// whoever holds a letter may be anybody.
type Offer struct {
	people.Offer
	Rights []access.Right
	Begins *at.Time // if that is yet to come
	Until  at.Time  // zero: no end
	Holder string   // the contact's own name
}

// Look says what a link offers, and uses nothing up.
func Look(tx *db.Tx, _ access.Actor, token secret.Token) (Offer, error) {
	r, err := SQL.In(tx).ByToken(tx, token.Hash())
	if errors.Is(err, db.None) {
		return Offer{}, people.ErrLinkUnknown
	}
	if err != nil {
		return Offer{}, fmt.Errorf("look at a contact's link: %w", err)
	}
	o := Offer{Offer: people.Offer{State: people.State(r.State), Expired: !r.ExpiresAt.After(tx.Now().Time), CreatedAt: r.CreatedAt, ExpiresAt: r.ExpiresAt, EndedAt: r.EndedAt}}
	if o.Practice, err = people.PracticeOf(tx, access.ByLink(r.PracticeID, "")); err != nil {
		return Offer{}, err
	}
	o.Zone = o.Practice.Zone
	if o.State == people.Superseded {
		n, err := newest(tx, r.PracticeID, r.ContactID)
		if err != nil {
			return Offer{}, err
		}
		o.Newer = map[people.State]people.Newer{people.Withdrawn: people.NewerWithdrawn, people.Used: people.NewerUsed}[people.State(n.State)]
	}
	if o.Fault() != nil {
		return o, nil
	}
	c, err := whose(tx, r.PracticeID, r.ContactID)
	if err != nil {
		return Offer{}, err
	}
	if c.mayJoin() != nil { // its end came while the link was alive
		o.State = people.Withdrawn
		return o, nil
	}
	if o.Inviter, _, err = member(tx, r.PracticeID, r.PractitionerID); err != nil {
		return Offer{}, err
	}
	o.Holder, o.Rights, o.Until = c.Name, c.Rights, c.Terms.Until()
	if c.Standing == access.Before {
		o.Begins = c.Terms.Begins
	}
	o.Email, err = invited(tx, r.PracticeID, r.ID, r.Email)
	return o, err
}

// whose returns a contact by their identifier alone, for who holds their link.
func whose(tx *db.Tx, p id.Practice, c id.Contact) (Contact, error) {
	row, err := SQL.In(tx).Contact(tx, contactdb.ContactParams{PracticeID: p, ID: c})
	if err != nil {
		return Contact{}, fmt.Errorf("contact %s: %w", c, err)
	}
	h, err := look(tx, access.Job(p), row.ClientID)
	if err != nil {
		return Contact{}, err
	}
	return h.contact(tx, c)
}

func invited(tx *db.Tx, p id.Practice, inv id.ContactInvitation, sealed []byte) (email.Address, error) {
	key, err := keys.Of(tx, p)
	if err != nil {
		return email.Address{}, err
	}
	open, err := key.Open(sealed, emailPlace(p, inv))
	if err != nil {
		return email.Address{}, err
	}
	return email.Parse(open)
}

// SignUp makes an account, with a password that was hashed already, and the
// person's access with it: by one link, once. An address that has an account
// already is told to sign in, and the link stays as it was.
func SignUp(tx *db.Tx, by access.Actor, token secret.Token, hash string) (people.Joined, error) {
	c, err := claim(tx, by, token)
	if err != nil {
		return people.Joined{}, err
	}
	who, err := account.ByEmail(tx, c.by, c.address)
	switch {
	case errors.Is(err, db.None):
		who.ID, err = account.Make(tx, c.by, account.New{Name: c.Name, Email: c.address, Password: hash, Verified: true})
		if errors.Is(err, account.ErrTaken) {
			return people.Joined{}, people.ErrSignInToAccept
		}
	case err == nil && who.Verified:
		return people.Joined{}, people.ErrSignInToAccept
	case err == nil: // whoever made it never proved the address; this person has
		if err = account.TakeOver(tx, c.by, who.ID, hash); err == nil {
			err = account.Rename(tx, access.AsPerson(who.ID), c.Name)
		}
	}
	if errors.Is(err, account.ErrTaken) {
		return people.Joined{}, people.ErrSignInToAccept
	}
	if err != nil {
		return people.Joined{}, err
	}
	return c.link(tx, who.ID)
}

// Accept lets the account by is signed in with act for the client, if the
// invitation went to its address.
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
	if me.Email.Fold() != c.address.Fold() {
		return people.Joined{}, people.ErrSomebodyElse
	}
	if !me.Verified {
		if err := account.Verify(tx, by, me.ID); err != nil {
			return people.Joined{}, err
		}
	}
	return c.link(tx, me.ID)
}

// claimed is an invitation that has just been used, in this transaction.
type claimed struct {
	Contact
	by      access.Actor
	id      id.ContactInvitation
	inviter id.Practitioner
	address email.Address
}

// claim uses a link up: one conditional statement.
func claim(tx *db.Tx, by access.Actor, token secret.Token) (claimed, error) {
	row, err := SQL.In(tx).Claim(tx, contactdb.ClaimParams{Now: tx.Now().Ptr(), TokenHash: token.Hash()})
	if errors.Is(err, db.None) {
		o, err := Look(tx, by, token) // which knows why
		if err == nil {
			err = o.Fault()
		}
		return claimed{}, cmp.Or(err, error(people.ErrLinkUnknown))
	}
	if err != nil {
		return claimed{}, fmt.Errorf("claim a contact's link: %w", err)
	}
	c := claimed{by: access.ByLink(row.PracticeID, ""), id: row.ID, inviter: row.PractitionerID}
	if c.Contact, err = whose(tx, row.PracticeID, row.ContactID); err != nil {
		return claimed{}, err
	}
	if c.mayJoin() != nil {
		return claimed{}, people.ErrLinkWithdrawn
	}
	c.address, err = invited(tx, row.PracticeID, row.ID, row.Email)
	return c, err
}

// link ties the account to the contact. The place it leads to is nowhere as
// long as the first day has yet to come.
func (c claimed) link(tx *db.Tx, who id.Account) (people.Joined, error) {
	p := c.practice
	own, err := people.Find(tx, access.Job(p), c.Client)
	if err != nil {
		return people.Joined{}, err
	}
	if own.Account != nil && *own.Account == who {
		return people.Joined{}, ErrOwnRecord
	}
	works, err := SQL.In(tx).Works(tx, contactdb.WorksParams{PracticeID: p, AccountID: who})
	if err != nil {
		return people.Joined{}, fmt.Errorf("accept %s: %w", c.id, err)
	}
	if works > 0 {
		return people.Joined{}, ErrWorksHere
	}
	if err := SQL.In(tx).FreeEnded(tx, contactdb.FreeEndedParams{AccountID: &who, PracticeID: p, ClientID: c.Client, Now: tx.Now().Ptr()}); err != nil {
		return people.Joined{}, fmt.Errorf("accept %s: %w", c.id, err)
	}
	n, err := SQL.In(tx).Link(tx, contactdb.LinkParams{AccountID: &who, LinkedAt: tx.Now().Ptr(), PracticeID: p, ID: c.ID})
	if db.Taken(err) {
		return people.Joined{}, ErrActsTwice
	}
	if err != nil {
		return people.Joined{}, fmt.Errorf("accept %s: %w", c.id, err)
	}
	if n == 0 {
		return people.Joined{}, people.ErrLinkUsed
	}
	_, to, err := member(tx, p, c.inviter)
	if err != nil {
		return people.Joined{}, err
	}
	if !to.IsZero() {
		if _, err := letter.Send(tx, c.by, letter.Draft{Kind: letter.Accepted, To: to, FromName: letter.Brand, Body: acceptedLetter(), Client: c.Client}); err != nil {
			return people.Joined{}, err
		}
	}
	tx.Notify(account.Topic(who))
	tx.Notify(people.Topic(p, c.Client))
	done := people.Joined{Account: who}
	if c.Standing == access.Open {
		done.Place = account.Place{Practice: p, Client: c.Client}
	}
	by := access.AsContact(p, who, c.Client, access.Grant{Contact: c.ID, Rights: c.Rights, Until: c.Terms.Until()})
	return done, audit.Record(tx, by, audit.Deed{Did: audit.ContactAccepted, Subject: c.ID, Client: c.Client})
}
