package people

import (
	"cmp"
	"errors"
	"fmt"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/audit"
	"icouch/internal/base/at"
	"icouch/internal/base/civil"
	"icouch/internal/base/email"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/letter"
	"icouch/internal/people/peopledb"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

// What people are told about a link.
var (
	ErrLinkUnknown    = fault.New(fault.NotFound, "This link does not work any more.")
	ErrLinkUsed       = fault.New(fault.Gone, "This invitation has been used already.")
	ErrLinkExpired    = fault.New(fault.Gone, "This link has ended.")
	ErrLinkReplaced   = fault.New(fault.Gone, "A newer e-mail was sent. The link in this one no longer works.")
	ErrLinkWithdrawn  = fault.New(fault.Gone, "This invitation was withdrawn.")
	ErrSignInToAccept = fault.New(fault.Conflict, "You already have an account with this address. Sign in to accept the invitation; your password stays as it is.")
	ErrActsForThem    = fault.New(fault.Conflict, "With this account you act for this client. Their own invitation needs an account of their own, with an e-mail address of their own: ask the practice.")
	ErrSomebodyElse   = fault.New(fault.Conflict, "You are signed in with another e-mail address than the one that was invited.")
)

// Offer is what a link's page shows, as far as the link is alive. A dead link
// shows when it was sent and ended, and neither name nor address.
type Offer struct {
	State     State
	Newer     Newer // of a superseded link: what became of the newest
	Expired   bool
	CreatedAt at.Time
	ExpiresAt at.Time
	EndedAt   *at.Time
	Practice  Practice
	Zone      civil.Zone // the client's, or else the practice's; of a dead link the practice's
	Inviter   string
	Name      Name
	Email     email.Address

	client id.Client
	id     id.Invitation
}

// Newer says what became of the newest link to the same client.
type Newer string

// What a newer link may be.
const (
	NewerMailed    Newer = "mailed"
	NewerByHand    Newer = "by hand"
	NewerWithdrawn Newer = "withdrawn"
	NewerUsed      Newer = "used"
)

func (n newestInvitation) as() Newer {
	switch {
	case n.state == Withdrawn:
		return NewerWithdrawn
	case n.state == Used:
		return NewerUsed
	case n.byHand:
		return NewerByHand
	}
	return NewerMailed
}

// Fault says why a link does not work, or nil.
func (o Offer) Fault() error {
	switch {
	case o.State == Used:
		return ErrLinkUsed
	case o.State == Withdrawn:
		return ErrLinkWithdrawn
	case o.State == Superseded:
		return ErrLinkReplaced
	case o.Expired:
		return ErrLinkExpired
	}
	return nil
}

// Look says what a link offers, and uses nothing up: mail scanners open links
// too. A link nobody was ever sent is ErrLinkUnknown.
func Look(tx *db.Tx, _ access.Actor, token secret.Token) (Offer, error) {
	return look(tx, token.Hash())
}

func look(tx *db.Tx, hash []byte) (Offer, error) {
	r, err := SQL.In(tx).ByToken(tx, hash)
	if errors.Is(err, db.None) {
		return Offer{}, ErrLinkUnknown
	}
	if err != nil {
		return Offer{}, fmt.Errorf("look at a link: %w", err)
	}
	o := Offer{State: State(r.State), Expired: !r.ExpiresAt.After(tx.Now().Time), CreatedAt: r.CreatedAt, ExpiresAt: r.ExpiresAt, EndedAt: r.EndedAt,
		client: r.ClientID, id: r.ID}
	by := access.ByLink(r.PracticeID, r.ClientID)
	if o.Practice, err = PracticeOf(tx, by); err != nil {
		return Offer{}, err
	}
	o.Zone = o.Practice.Zone
	if o.State == Superseded {
		n, err := newest(tx, r.PracticeID, r.ClientID)
		if err != nil {
			return Offer{}, err
		}
		o.Newer = n.as()
	}
	if o.Fault() != nil {
		return o, nil
	}
	c, err := Find(tx, by, r.ClientID)
	if err != nil {
		return Offer{}, err
	}
	early, err := waits(tx, r.PracticeID, r.ClientID)
	if err != nil {
		return Offer{}, err
	}
	if c.Ended(tx.Now()) || early { // its end came while the link was alive
		o.State = Withdrawn
		return o, nil
	}
	who, err := practitioner(tx, r.PracticeID, r.PractitionerID)
	if err != nil {
		return Offer{}, err
	}
	key, err := keys.Of(tx, r.PracticeID)
	if err != nil {
		return Offer{}, err
	}
	if o.Email, err = invitedAddress(key, r.PracticeID, r.ID, r.Email); err != nil {
		return Offer{}, err
	}
	o.Name, o.Inviter, o.Zone = c.Name, who.Name, zoneOf(c, o.Practice)
	return o, nil
}

// Joined is what accepting comes to.
type Joined struct {
	Account id.Account
	Place   account.Place
}

// SignUp makes an account, with a password that was hashed already, and links the
// invited client to it: by one link, once. An address that has an account
// already is told to sign in, and the link stays as it was.
func SignUp(tx *db.Tx, by access.Actor, token secret.Token, hash string) (Joined, error) {
	c, err := claim(tx, by, token.Hash())
	if err != nil {
		return Joined{}, err
	}
	who, err := account.ByEmail(tx, c.by, c.address)
	switch {
	case errors.Is(err, db.None):
		who.ID, err = account.Make(tx, c.by, account.New{Name: c.client.Name.Full(), Email: c.address, Password: hash, Verified: c.mailed})
		if errors.Is(err, account.ErrTaken) {
			return Joined{}, ErrSignInToAccept
		}
	case err == nil && who.Verified:
		return Joined{}, ErrSignInToAccept
	case err == nil && c.mailed: // whoever made it never proved the address; this person has
		if err = account.TakeOver(tx, c.by, who.ID, hash); err == nil { // the name, too, was somebody else's choice
			err = account.Rename(tx, access.AsPerson(who.ID), c.client.Name.Full())
		}
	case err == nil:
		return Joined{}, ErrSignInToAccept
	}
	if errors.Is(err, account.ErrTaken) {
		return Joined{}, ErrSignInToAccept
	}
	if err != nil {
		return Joined{}, err
	}
	if !c.mailed && c.client.EmailConsent {
		if err := account.AskVerify(tx, access.AsPerson(who.ID), who.ID); err != nil {
			return Joined{}, err
		}
	}
	return c.link(tx, who.ID)
}

// Accept links the invited client to the account by is signed in with, if the
// invitation went to its address.
func Accept(tx *db.Tx, by access.Actor, token secret.Token) (Joined, error) {
	if !by.SignedIn() {
		return Joined{}, fault.Forbidden
	}
	return accept(tx, by, token.Hash())
}

// accept is Accept with what is stored of the link.
func accept(tx *db.Tx, by access.Actor, hash []byte) (Joined, error) {
	me, err := account.Of(tx, by)
	if err != nil {
		return Joined{}, err
	}
	c, err := claim(tx, by, hash)
	if err != nil {
		return Joined{}, err
	}
	if me.Email.Fold() != c.address.Fold() {
		return Joined{}, ErrSomebodyElse
	}
	if c.mailed && !me.Verified {
		if err := account.Verify(tx, by, me.ID); err != nil {
			return Joined{}, err
		}
	}
	return c.link(tx, me.ID)
}

// claimed is an invitation that has just been used, in this transaction.
type claimed struct {
	by      access.Actor
	id      id.Invitation
	client  Client
	inviter id.Practitioner
	address email.Address
	mailed  bool // the link came by mail, so whoever has it reads that mailbox
}

// claim uses a link up: one conditional statement, so that of many who press at
// once one gets it.
func claim(tx *db.Tx, by access.Actor, hash []byte) (claimed, error) {
	row, err := SQL.In(tx).Claim(tx, peopledb.ClaimParams{Now: tx.Now().Ptr(), TokenHash: hash})
	if errors.Is(err, db.None) {
		o, err := look(tx, hash) // which knows why
		if err == nil {
			err = o.Fault()
		}
		return claimed{}, cmp.Or(err, error(ErrLinkUnknown)) // never nil: nothing was claimed
	}
	if err != nil {
		return claimed{}, fmt.Errorf("claim a link: %w", err)
	}
	c := claimed{by: access.ByLink(row.PracticeID, row.ClientID), id: row.ID, inviter: row.PractitionerID, mailed: row.LetterID != nil}
	if c.client, err = find(tx, c.by, row.ClientID); err != nil {
		return claimed{}, err
	}
	early, err := waits(tx, row.PracticeID, row.ClientID)
	if err != nil {
		return claimed{}, err
	}
	if early || c.client.Ended(tx.Now()) {
		return claimed{}, ErrLinkWithdrawn
	}
	key, err := keys.Of(tx, row.PracticeID)
	if err != nil {
		return claimed{}, err
	}
	c.address, err = invitedAddress(key, row.PracticeID, row.ID, row.Email)
	return c, err
}

func (c claimed) link(tx *db.Tx, who id.Account) (Joined, error) {
	p := c.client.Practice
	acts, err := SQL.In(tx).Acts(tx, peopledb.ActsParams{PracticeID: p, ClientID: c.client.ID, AccountID: &who})
	if err != nil {
		return Joined{}, fmt.Errorf("accept %s: %w", c.id, err)
	}
	if acts > 0 {
		return Joined{}, ErrActsForThem
	}
	n, err := SQL.In(tx).Link(tx, peopledb.LinkParams{AccountID: &who, LinkedAt: tx.Now().Ptr(), PracticeID: p, ID: c.client.ID})
	if err != nil {
		return Joined{}, fmt.Errorf("accept %s: %w", c.id, err)
	}
	if n == 0 {
		return Joined{}, ErrLinkUsed
	}
	if err := c.tellInviter(tx); err != nil {
		return Joined{}, err
	}
	tx.Notify(account.Topic(who))
	tx.Notify(Topic(p, c.client.ID))
	done := audit.Deed{Did: audit.InvitationAccepted, Subject: c.id, Client: c.client.ID}
	return Joined{who, account.Place{Practice: p, Client: c.client.ID}}, audit.Record(tx, access.AsClient(p, who, c.client.ID), done)
}

// tellInviter writes to who invited that somebody accepted. Who it was they
// see after signing in.
func (c claimed) tellInviter(tx *db.Tx) error {
	to, err := inviterAddress(tx, c.client.Practice, c.inviter)
	if errors.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = letter.Send(tx, c.by, letter.Draft{Kind: letter.Accepted, To: to, FromName: letter.Brand, Body: acceptedLetter(), Client: c.client.ID})
	return err
}

func inviterAddress(tx *db.Tx, p id.Practice, who id.Practitioner) (email.Address, error) {
	m, err := practitioner(tx, p, who)
	if err != nil {
		return email.Address{}, err
	}
	if !m.Active {
		return email.Address{}, fault.NotFound
	}
	a, err := account.Read(tx, access.Job(p), m.Account)
	return a.Email, err
}

func invitedAddress(key *crypt.Key, p id.Practice, inv id.Invitation, s crypt.Sealed) (email.Address, error) {
	open, err := key.Open(s, crypt.Place("invitation.email", p, inv))
	if err != nil {
		return email.Address{}, err
	}
	return email.Parse(open)
}
