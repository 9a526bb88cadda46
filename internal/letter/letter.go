// Package letter is the post of the house: every e-mail that leaves it is
// written here first, in the transaction of what it tells of, and carried out
// afterwards.
//
// What a practitioner needs to know of a letter is what became of it: waiting,
// sent, not yet accepted by the other side, come back, or given up. That a mail
// server has taken a letter does not mean that somebody has read it.
//
// A letter's words and its address are sealed while it waits and blanked when
// it has gone. A letter that is tried again is the same letter, with the same
// Message-ID and the same link. Nothing clinical is ever in one.
package letter

import (
	"encoding/json"
	"fmt"

	"icouch/internal/access"
	"icouch/internal/audit"
	"icouch/internal/base/email"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/letter/letterdb"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/jobs"
	"icouch/internal/platform/keys"
)

// SQL is this package's statements.
var SQL = db.Prepare(letterdb.Prepare)

// ErrDeclined says that the person behind an address wants no invitations.
var ErrDeclined = fault.New(fault.Conflict, "The person at this address has asked for no more invitations by e-mail. Copy the link and hand it over yourself.")

// Kind says what a letter is about. The names stand in the database for ever.
type Kind string

// The kinds.
const (
	Invitation  Kind = "invitation"   // a practice invites a client
	Accepted    Kind = "accepted"     // to who invited: somebody accepted
	AskedAgain  Kind = "asked_again"  // to who invited: somebody asks for a new link
	ConfirmMail Kind = "confirm"      // a practitioner signs up: prove the address
	HaveAccount Kind = "have_account" // somebody signs up, or is invited, who has an account
	Reset       Kind = "reset"        // choose a new password
	NewEmail    Kind = "new_email"    // prove the new address
	OldEmail    Kind = "old_email"    // notice to the old address
	Security    Kind = "security"     // something about the safety of an account, or of a record, has changed
	Help        Kind = "help"         // "Still Need Help?", to support
	Colleague   Kind = "colleague"    // a practice invites a colleague
	HandedOver  Kind = "handed_over"  // to both members: clients were handed over
	Emergency   Kind = "emergency"    // to the owners: a record was opened in an emergency
	Repair      Kind = "repair"       // support asks to put an account right, and what came of it
	Leave       Kind = "leave"        // an account is to be deleted, or is kept after all
	Digest      Kind = "digest"       // to the owners: the trail of a week, in numbers
	Left        Kind = "left"         // to who looks after a client: they have closed their account
	Contact     Kind = "contact"      // a practice invites somebody to act for a client
	Day         Kind = "day"          // a day has come on which access begins or ends
	NewMessage  Kind = "new_message"  // there is a new secure message
	Closing     Kind = "closing"      // a practice closes on a day, or goes on after all
	EndAsked    Kind = "end_asked"    // to who looks after a client: they ask that a contact's access end
	TakenBack   Kind = "taken_back"   // to who looks after a joint record: somebody in it took back what they agreed to
)

// mayRepeat reports whether a second copy does less harm than none at all:
// true of everything a person cannot go on without. A mere notice is marked
// first and sent after, so it comes once or not at all.
func (k Kind) mayRepeat() bool {
	return k != Accepted && k != AskedAgain && k != HandedOver && k != Left && k != Day && k != EndAsked && k != TakenBack && k != Digest && k != NewMessage
}

// mayDecline reports whether people may ask for no more of this kind.
func (k Kind) mayDecline() bool { return k == Invitation || k == Colleague || k == Contact }

// State says how far a letter has come.
type State string

// The states.
const (
	Queued    State = "queued"
	Delayed   State = "delayed" // the other side says: later
	Sent      State = "sent"    // the other side has taken it
	Delivered State = "delivered"
	Refused   State = "refused" // the other side says: no
	Bounced   State = "bounced" // it was taken and came back
	Failed    State = "failed"  // given up
	Cancelled State = "cancelled"
)

// Draft is a letter to be sent.
type Draft struct {
	Kind     Kind
	To       email.Address
	FromName string // who it is from, in words
	Body     Body
	Client   id.Client  // whose record it belongs to, if anybody's
	Account  id.Account // whose account it is about, if anybody's
	Choices  string     // address of the page where such letters can be declined
	ReplyTo  string     // where an answer goes, if anybody reads it
}

// content is what is sealed.
type content struct {
	To, FromName, Choices, ReplyTo string
	Body                           Body
}

// errand is what the courier needs to know.
type errand struct {
	Practice id.Practice
	Letter   id.Letter
}

// carry is the job that the Courier does.
const carry = jobs.Kind[errand]("letter.carry")

// Send writes a letter and has it carried out once tx commits.
func Send(tx *db.Tx, by access.Actor, d Draft) (id.Letter, error) {
	practice := by.Practice()
	if practice == "" {
		practice = keys.Installation
	}
	if d.Kind.mayDecline() {
		if no, err := declined(tx, d.To); err != nil || no {
			return "", orDeclined(err)
		}
	}
	l := id.New[id.Letter](tx.Now().Time)
	sealed, err := seal(tx, practice, l, d)
	if err != nil {
		return "", err
	}
	row := letterdb.AddParams{PracticeID: practice, ID: l, Kind: string(d.Kind), Content: sealed, CreatedAt: tx.Now()}
	if d.Client != "" {
		row.ClientID = &d.Client
	}
	if d.Account != "" {
		row.AccountID = &d.Account
	}
	if err := SQL.In(tx).Add(tx, row); err != nil {
		return "", fmt.Errorf("letter %s: %w", l, err)
	}
	return l, carry.Enqueue(tx, "", errand{practice, l})
}

func orDeclined(err error) error {
	if err == nil {
		return ErrDeclined
	}
	return err
}

func seal(tx *db.Tx, practice id.Practice, l id.Letter, d Draft) (crypt.Sealed, error) {
	key, err := keys.Of(tx, practice)
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(content{d.To.String(), d.FromName, d.Choices, d.ReplyTo, d.Body})
	if err != nil {
		return nil, fmt.Errorf("letter %s: %w", l, err)
	}
	return key.Seal(string(b), place(practice, l))
}

// Cancel keeps a letter that has not gone yet from going.
func Cancel(tx *db.Tx, by access.Actor, l id.Letter) error {
	_, err := SQL.In(tx).Cancel(tx, letterdb.CancelParams{SettledAt: tx.Now().Ptr(), PracticeID: by.Practice(), ID: l})
	if err != nil {
		return fmt.Errorf("cancel letter %s: %w", l, err)
	}
	return nil
}

// Waiting returns how many letters have not gone yet, for the operator.
func Waiting(tx *db.Tx, _ access.Actor) (int64, error) {
	n, err := SQL.In(tx).Waiting(tx)
	if err != nil {
		return 0, fmt.Errorf("waiting letters: %w", err)
	}
	return n, nil
}

// Topic is what a change to a letter about a client is announced under.
func Topic(practice id.Practice, client id.Client) string {
	return "letter/" + practice.String() + "/" + client.String()
}

func notify(tx *db.Tx, practice id.Practice, client *id.Client) {
	if client != nil {
		tx.Notify(Topic(practice, *client))
	}
}

func place(p id.Practice, l id.Letter) string { return crypt.Place("letter.content", p, l) }

func record(tx *db.Tx, practice id.Practice, did audit.Action, l id.Letter, client *id.Client) error {
	d := audit.Deed{Did: did, Subject: l}
	if client != nil {
		d.Client = *client
	}
	return audit.Record(tx, access.Job(practice), d)
}
