package people

import (
	"bytes"
	"errors"
	"fmt"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/audit"
	"icouch/internal/base/email"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/letter"
	"icouch/internal/people/peopledb"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

// People lose letters, come late, or open the older of two. Whoever holds a
// dead link can ask for a new one. It goes to the address on record and to no
// other, and the page says the same whatever came of it.

// Renew is "Send me a new link" on the page of a link, dead or alive.
func Renew(tx *db.Tx, by access.Actor, token secret.Token) error {
	r, err := SQL.In(tx).ByToken(tx, token.Hash())
	if errors.Is(err, db.None) {
		return asked(tx, by)
	}
	if err != nil {
		return fmt.Errorf("renew a link: %w", err)
	}
	return renew(tx, r.PracticeID, r.ClientID, dead{r.ID, r.PractitionerID, State(r.State), r.EmailIndex, false})
}

// dead is the link that somebody asks to have renewed. Most are dead by then.
type dead struct {
	id      id.Invitation
	inviter id.Practitioner
	state   State
	mailbox []byte // the index of the address it was for
	founds  bool   // whoever asks came by the practitioners' door
}

// RenewByAddress is the same for somebody who has nothing but their address.
// An address that has an account and no invitation gets the way to sign in.
func RenewByAddress(tx *db.Tx, by access.Actor, a email.Address) error {
	index, err := addressIndex(tx, a)
	if err != nil {
		return err
	}
	rows, err := SQL.In(tx).ByAddress(tx, index)
	if err != nil {
		return fmt.Errorf("renew by address: %w", err)
	}
	newest := map[id.Client]peopledb.ByAddressRow{} // of those that went to this address
	for _, r := range rows {
		if was, ok := newest[r.ClientID]; !ok || was.Ordinal < r.Ordinal {
			newest[r.ClientID] = r
		}
	}
	for _, r := range newest {
		if err := renew(tx, r.PracticeID, r.ClientID, dead{r.ID, r.PractitionerID, State(r.State), index, false}); err != nil {
			return err
		}
	}
	if len(rows) > 0 {
		return asked(tx, by)
	}
	return remind(tx, by, a)
}

// SignUpPractitioner begins a practitioner's account. A typed address that has
// a live invitation is a client's who took the wrong door: they get their
// invitation again instead, and the page says the same.
func SignUpPractitioner(tx *db.Tx, by access.Actor, name string, a email.Address) error {
	index, err := addressIndex(tx, a)
	if err != nil {
		return err
	}
	rows, err := SQL.In(tx).LiveByAddress(tx, peopledb.LiveByAddressParams{EmailIndex: index, Now: tx.Now()})
	if err != nil {
		return fmt.Errorf("sign up: %w", err)
	}
	if len(rows) == 0 {
		return account.BeginSignUp(tx, by, name, a)
	}
	for _, r := range rows {
		if err := renew(tx, r.PracticeID, r.ClientID, dead{r.ID, r.PractitionerID, State(r.State), index, true}); err != nil {
			return err
		}
	}
	return asked(tx, by)
}

// renew does what the client's state allows: a new link, the way to sign in, a
// word to the practice, or nothing. Whoever holds a link that was withdrawn, or
// went to an address that is not the client's any more, moves nothing by it.
func renew(tx *db.Tx, p id.Practice, client id.Client, held dead) error {
	by := access.ByLink(p, client)
	if held.state == Withdrawn {
		return askPractice(tx, by, held)
	}
	was, err := newest(tx, p, client)
	if err != nil {
		return err
	}
	switch was.state {
	case Used:
		c, err := find(tx, by, client)
		if err != nil {
			return err
		}
		if c.Account == nil {
			return asked(tx, by)
		}
		a, err := account.Read(tx, access.Job(p), *c.Account)
		if err != nil {
			return err
		}
		return remind(tx, by, a.Email)
	case Withdrawn:
		return askPractice(tx, by, dead{id: was.id, inviter: was.inviter})
	}
	c, err := invitable(tx, by, client)
	if _, _, isFault := fault.As(err); isFault { // not to be written to, or not in care
		return asked(tx, by)
	}
	if err != nil {
		return err
	}
	if was.madeAt.Plus(coolDown).After(tx.Now().Time) {
		return asked(tx, by)
	}
	mailbox, err := addressIndex(tx, c.Email)
	if err != nil {
		return err
	}
	if !bytes.Equal(mailbox, held.mailbox) {
		return asked(tx, by)
	}
	err = send(tx, by, c, was.ordinal+1, "", manner{again: true, founds: held.founds}, audit.InvitationResent)
	if errors.Is(err, letter.ErrDeclined) || errors.Is(err, ErrManyLetters) {
		return asked(tx, by)
	}
	return err
}

// askPractice tells who withdrew an invitation that the person asks for a new
// one: once for each.
func askPractice(tx *db.Tx, by access.Actor, was dead) error {
	n, err := SQL.In(tx).Asked(tx, peopledb.AskedParams{AskedAt: tx.Now().Ptr(), PracticeID: by.Practice(), ID: was.id})
	if err != nil {
		return fmt.Errorf("ask for a link: %w", err)
	}
	if n == 0 {
		return asked(tx, by)
	}
	to, err := inviterAddress(tx, by.Practice(), was.inviter)
	if err == nil {
		_, err = letter.Send(tx, by, letter.Draft{Kind: letter.AskedAgain, To: to, FromName: letter.Brand, Body: askedLetter(), Client: by.Client()})
	}
	if err != nil && !errors.Is(err, fault.NotFound) {
		return err
	}
	tx.Notify(Topic(by.Practice(), by.Client()))
	return audit.Record(tx, by, audit.Deed{Did: audit.InvitationAsked, Subject: was.id, Client: by.Client()})
}

// remind writes to an address that has an account how to sign in. To one that
// has none, nothing goes.
func remind(tx *db.Tx, by access.Actor, a email.Address) error {
	who, err := account.ByEmail(tx, by, a)
	if errors.Is(err, db.None) {
		return asked(tx, by)
	}
	if err != nil {
		return err
	}
	if err := account.Remind(tx, by, who); err != nil {
		return err
	}
	return asked(tx, by)
}

// asked leaves the line that says somebody asked, whatever came of it.
func asked(tx *db.Tx, by access.Actor) error {
	if by.Client() != "" {
		return audit.Record(tx, by, audit.Deed{Did: audit.InvitationAsked, Subject: by.Client(), Client: by.Client()})
	}
	return audit.Record(tx, access.Guest(), audit.Deed{Did: audit.InvitationAsked, Subject: keys.Installation})
}
