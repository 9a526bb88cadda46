package contact

import (
	"errors"
	"fmt"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/audit"
	"icouch/internal/base/at"
	"icouch/internal/base/civil"
	"icouch/internal/base/email"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/base/text"
	"icouch/internal/contact/contactdb"
	"icouch/internal/letter"
	"icouch/internal/people"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

// A contact's invitation follows the rules of a client's: one live link, stored
// as a hash, used up by one statement. It is always mailed: whoever uses it has
// shown that the address is theirs. The letter names no client.

const (
	life        = 14 * 24 * time.Hour
	coolDown    = time.Minute
	mostLetters = 10 // an hour, to one mailbox
	mostSent    = 20 // an hour, by one practice
	mostGreeted = 60 // letters of a name
)

// What people are told when a contact cannot be invited.
var (
	ErrNoEmail     = fault.New(fault.Invalid, "Add this contact’s e-mail address first.")
	ErrNoRights    = fault.New(fault.Invalid, "Choose what this contact may open first.")
	ErrNotOpen     = fault.New(fault.Conflict, "This contact’s access is suspended or has ended. Change that first.")
	ErrLinked      = fault.New(fault.Conflict, "This contact signs in already. Nothing needs to be sent.")
	ErrInvited     = fault.New(fault.Conflict, "This contact has been invited already. Re-send the invitation instead.")
	ErrNotInvited  = fault.New(fault.Conflict, "This contact has not been invited yet.")
	ErrDeclined    = fault.New(fault.Conflict, "The person at this address has asked for no more invitations by e-mail. They can allow them again by the link in an earlier letter.")
	ErrManyLetters = fault.New(fault.Conflict, "Many invitations went to this address in the last hour. Wait an hour, then try again.")
	ErrManySent    = fault.New(fault.Conflict, "Your practice has sent many invitations to contacts in the last hour. Wait an hour, then try again.")
	ErrJustSent    = fault.New(fault.Conflict, "An invitation went out less than a minute ago. There is no need to press twice.")
	ErrNothingLive = fault.New(fault.Conflict, "There is no open invitation to withdraw.")
)

// Sent is a contact's newest invitation, and what became of its letter.
type Sent struct {
	State     people.State
	Times     int64
	CreatedAt at.Time
	ExpiresAt at.Time
	EndedAt   *at.Time
	AskedAt   *at.Time // it was withdrawn, and they ask for a new link
	Letter    letter.State
	Reason    string
}

func sentTo(tx *db.Tx, p id.Practice, c id.Contact) (*Sent, error) {
	r, err := newest(tx, p, c)
	if errors.Is(err, db.None) {
		return nil, nil //nolint:nilnil // none was sent: Sent is a part of Contact, and optional there
	}
	if err != nil {
		return nil, err
	}
	return &Sent{people.State(r.State), r.Ordinal, r.CreatedAt, r.ExpiresAt, r.EndedAt, r.AskedAt, letter.State(r.LetterState), r.LetterReason}, nil
}

func newest(tx *db.Tx, p id.Practice, c id.Contact) (contactdb.NewestRow, error) {
	r, err := SQL.In(tx).Newest(tx, contactdb.NewestParams{PracticeID: p, ContactID: c})
	if err != nil && !errors.Is(err, db.None) {
		return r, fmt.Errorf("invitation of %s: %w", c, err)
	}
	return r, err
}

// Invite asks a contact to make an account, or to use the one they have.
func Invite(tx *db.Tx, by access.Actor, client id.Client, c id.Contact) error {
	is, was, err := invitable(tx, by, client, c)
	switch {
	case err != nil:
		return err
	case was.State != "" && was.State != string(people.Used): // used, and no account: they closed it, and begin anew
		return ErrInvited
	}
	return send(tx, by, by.Practitioner(), is, was.Ordinal, audit.ContactInvited)
}

// Resend invites again, with a new link; the one before it is dead from here on.
func Resend(tx *db.Tx, by access.Actor, client id.Client, c id.Contact) error {
	is, was, err := invitable(tx, by, client, c)
	switch {
	case err != nil:
		return err
	case was.State == "":
		return ErrNotInvited
	case was.State == string(people.Live) && was.CreatedAt.Plus(coolDown).After(tx.Now().Time):
		return ErrJustSent
	}
	return send(tx, by, by.Practitioner(), is, was.Ordinal, audit.ContactReinvited)
}

// Withdraw ends a contact's link before it is used.
func Withdraw(tx *db.Tx, by access.Actor, client id.Client, c id.Contact) error {
	_, is, err := held(tx, by, client, c)
	if err != nil {
		return err
	}
	was, err := newest(tx, by.Practice(), c)
	if errors.Is(err, db.None) || err == nil && was.State != string(people.Live) {
		return ErrNothingLive
	}
	if err != nil {
		return err
	}
	return endLive(tx, by, is, people.Withdrawn)
}

// invitable returns a contact who can be invited now, and their newest
// invitation, whose state is empty if there is none.
func invitable(tx *db.Tx, by access.Actor, client id.Client, c id.Contact) (is Contact, was contactdb.NewestRow, err error) {
	if _, is, err = held(tx, by, client, c); err != nil {
		return is, was, err
	}
	if err := is.mayJoin(); err != nil {
		return is, was, err
	}
	if err := worksHere(tx, by, is.Email); err != nil {
		return is, was, err
	}
	if was, err = newest(tx, by.Practice(), c); errors.Is(err, db.None) {
		err = nil
	}
	return is, was, err
}

// worksHere is a fault if an address is that of somebody who works in by's
// practice, or did. Acceptance asks again, of the account.
func worksHere(tx *db.Tx, by access.Actor, a email.Address) error {
	who, err := account.ByEmail(tx, by, a)
	if errors.Is(err, db.None) {
		return nil
	}
	if err != nil {
		return err
	}
	n, err := SQL.In(tx).Works(tx, contactdb.WorksParams{PracticeID: by.Practice(), AccountID: who.ID})
	if err != nil {
		return fmt.Errorf("who works in %s: %w", by.Practice(), err)
	}
	if n > 0 {
		return ErrWorksHere
	}
	return nil
}

// mayJoin says why this contact cannot come to sign in, or nil.
func (c Contact) mayJoin() error {
	switch {
	case c.Account != nil:
		return ErrLinked
	case c.Email.IsZero():
		return ErrNoEmail
	case c.Standing == access.NoRights:
		return ErrNoRights
	case c.Standing != access.Open && c.Standing != access.Before:
		return ErrNotOpen
	}
	return nil
}

// send makes a link and the letter that holds it.
func send(tx *db.Tx, by access.Actor, inviter id.Practitioner, c Contact, before int64, did audit.Action) error {
	if err := mayWriteTo(tx, by.Practice(), c.Email); err != nil {
		return err
	}
	if err := endLive(tx, by, c, people.Superseded); err != nil {
		return err
	}
	inv, token := id.New[id.ContactInvitation](tx.Now().Time), secret.NewToken()
	b, choices, err := invitationLetter(tx, by, inviter, c, token, before > 0)
	if err != nil {
		return err
	}
	l, err := letter.Send(tx, by, letter.Draft{Kind: letter.Contact, To: c.Email, FromName: letter.Brand, Body: b, Choices: choices, Client: c.Client})
	if err != nil {
		return err
	}
	p := contactdb.AddInvitationParams{PracticeID: by.Practice(), ID: inv, ContactID: c.ID, PractitionerID: inviter, TokenHash: token.Hash(), LetterID: l,
		Ordinal: before + 1, CreatedAt: tx.Now(), ExpiresAt: tx.Now().Plus(life)}
	key, err := keys.Of(tx, by.Practice())
	if err != nil {
		return err
	}
	if p.Email, err = key.Seal(c.Email.String(), emailPlace(by.Practice(), inv)); err != nil {
		return err
	}
	if p.EmailIndex, err = addressIndex(tx, c.Email); err != nil {
		return err
	}
	err = SQL.In(tx).AddInvitation(tx, p)
	if db.Taken(err) { // the index sees to it, whoever presses what at once
		return ErrJustSent
	}
	if err != nil {
		return fmt.Errorf("invite contact %s: %w", c.ID, err)
	}
	tx.Notify(people.Topic(by.Practice(), c.Client))
	return audit.Record(tx, by, audit.Deed{Did: did, Subject: c.ID, Client: c.Client})
}

func invitationLetter(tx *db.Tx, by access.Actor, who id.Practitioner, c Contact, token secret.Token, again bool) (b letter.Body, choices string, err error) {
	practice, err := people.PracticeOf(tx, by)
	if err != nil {
		return b, "", err
	}
	inviter, _, err := member(tx, by.Practice(), who)
	if err != nil {
		return b, "", err
	}
	t, err := letter.ChoicesToken(tx, by, c.Email)
	if err != nil {
		return b, "", err
	}
	w := words{practice: text.StripLinks(practice.Name), inviter: text.StripLinks(inviter), hello: greeted(c.Name), address: c.Email.String(), again: again,
		until: civil.MomentZone(tx.Now().Time, tx.Now().Add(life), practice.Zone), link: letter.Base + "/contact/" + token.Reveal(), choices: letter.Base + "/choices/" + t}
	return invitationBody(w), w.choices, nil
}

// greeted is a contact's name as a letter to a stranger says it: a name, with
// no room for a message.
func greeted(name string) string {
	if r := []rune(text.StripLinks(name)); len(r) > mostGreeted {
		return string(r[:mostGreeted]) + "…"
	}
	return text.StripLinks(name)
}

// member returns the name of one who works, or worked, in a practice, and, if
// they are active, the address they sign in with.
func member(tx *db.Tx, p id.Practice, who id.Practitioner) (name string, to email.Address, err error) {
	by := access.Job(p)
	all, err := people.Practitioners(tx, by)
	if err != nil {
		return "", to, err
	}
	for _, m := range all {
		if m.ID != who {
			continue
		}
		if !m.Active {
			return m.Name, to, nil
		}
		a, err := account.Read(tx, by, m.Account)
		return m.Name, a.Email, err
	}
	return "", to, fault.NotFound
}

// mayWriteTo says why no invitation may be mailed to an address now, or nil.
func mayWriteTo(tx *db.Tx, p id.Practice, a email.Address) error {
	by := access.Job(p)
	if err := people.MayCome(tx, by); err != nil {
		return err
	}
	no, err := letter.Declined(tx, by, a)
	if err != nil {
		return err
	}
	if no {
		return ErrDeclined
	}
	last, err := SQL.In(tx).SentBefore(tx, contactdb.SentBeforeParams{PracticeID: p, Newer: mostSent - 1})
	if err != nil && !errors.Is(err, db.None) {
		return fmt.Errorf("invitations of %s: %w", p, err)
	}
	if err == nil && last.Plus(time.Hour).After(tx.Now().Time) {
		return ErrManySent
	}
	index, err := addressIndex(tx, a)
	if err != nil {
		return err
	}
	n, err := SQL.In(tx).LettersTo(tx, contactdb.LettersToParams{PracticeID: p, EmailIndex: index, Since: tx.Now().Plus(-time.Hour)})
	if err != nil {
		return fmt.Errorf("letters to a mailbox: %w", err)
	}
	if n >= mostLetters {
		return ErrManyLetters
	}
	return nil
}

// endLive ends a contact's live link, if there is one, and keeps its letter from
// going if it has not gone.
func endLive(tx *db.Tx, by access.Actor, c Contact, as people.State) error {
	row, err := SQL.In(tx).EndLive(tx, contactdb.EndLiveParams{State: string(as), EndedAt: tx.Now().Ptr(), PracticeID: by.Practice(), ContactID: c.ID})
	if errors.Is(err, db.None) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("end the link of %s: %w", c.ID, err)
	}
	if err := letter.Cancel(tx, by, row.LetterID); err != nil || as == people.Superseded { // the new link has its own line
		return err
	}
	return audit.Record(tx, by, audit.Deed{Did: audit.ContactUninvited, Subject: row.ID, Client: c.Client})
}

// addressIndex finds an invitation by a typed address, in whichever practice.
func addressIndex(tx *db.Tx, a email.Address) ([]byte, error) {
	key, err := keys.Of(tx, keys.Installation)
	if err != nil {
		return nil, err
	}
	return key.Index("email", a.Fold())
}

func emailPlace(p id.Practice, inv id.ContactInvitation) string {
	return crypt.Place("contact_invitation.email", p, inv)
}
