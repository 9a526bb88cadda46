// Package people knows the practices, who works in them, the clients of each,
// and how a client comes to have an account: somebody invites them.
//
// A client is a record that a practice keeps. It has a name, perhaps an e-mail
// address, and the client's word on whether they may be written to. Without
// that word nothing is mailed. A client may have an account, with which they
// sign in; only accepting an invitation makes the link.
//
// What a row of the People list offers is never stored. It follows from the
// client, their newest invitation and what became of its letter; see Facts.
//
// The rules:
//   - a practitioner sees the clients they look after; who runs the practice
//     sees every client's name and how to reach them; another practice's client
//     does not exist;
//   - two clients may share a mailbox, and are never taken for one another;
//   - each link is used at most once, by choosing a password or by accepting
//     while signed in, never by looking at it.
package people

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"icouch/internal/access"
	"icouch/internal/audit"
	"icouch/internal/base/at"
	"icouch/internal/base/civil"
	"icouch/internal/base/email"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/people/peopledb"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

// SQL is this package's statements.
var SQL = db.Prepare(peopledb.Prepare)

// What people are told when a client cannot be created or changed.
var (
	ErrNoSuchPractitioner = fault.On("practitioner", fault.Invalid, "Choose who looks after this client.")
	ErrChanged            = fault.New(fault.Conflict, "Somebody else changed this record while you had it open. Look at what it says now, then make your change again.")
	ErrCreated            = fault.New(fault.Conflict, "This client was created already.")
	ErrAlreadyEnded       = fault.New(fault.Conflict, "Care of this client has ended already.")
	ErrOnlyLooks          = fault.New(fault.Forbidden, "In an emergency you can read this client’s record, not change it. Ask whoever looks after them, or an owner of the practice.")
	ErrNotEnded           = fault.New(fault.Conflict, "Care of this client has not ended.")
)

// Name is what a person is called.
type Name struct {
	First, Last string
	Preferred   string // what they like to be called, if that is another name
}

// Full is the name as it stands in a list.
func (n Name) Full() string { return strings.TrimSpace(n.First + " " + n.Last) }

// Call is the name to greet them by.
func (n Name) Call() string {
	if n.Preferred != "" {
		return n.Preferred
	}
	if n.First != "" {
		return n.First
	}
	return n.Last
}

// Details is what a practice notes of a client.
type Details struct {
	Name         Name
	Email        email.Address // may be none
	Mobile       string
	Born         civil.Date // may be none
	Address      string
	Zone         string // empty: the practice's
	Practitioner id.Practitioner
	EmailConsent bool
}

// Client is a person the practice cares for.
type Client struct {
	Details
	Practice  id.Practice
	ID        id.Client
	Account   *id.Account // how they sign in, once they have accepted
	LinkedAt  *at.Time
	EndsAt    *at.Time // when care ends, or ended
	Version   int64    // goes up with each change
	CreatedAt at.Time
}

// LogValue keeps names and addresses out of the logs.
func (c Client) LogValue() slog.Value { return slog.StringValue(c.ID.String()) }

// Ended reports whether care has ended.
func (c Client) Ended(now at.Time) bool { return c.EndsAt != nil && !c.EndsAt.After(now.Time) }

// Find returns one of the practice's clients. Another practice's client, and a
// colleague's, is fault.NotFound, the same as one who does not exist. It is a
// look at the whole record.
func Find(tx *db.Tx, by access.Actor, client id.Client) (Client, error) {
	c, err := find(tx, by, client)
	if err == nil {
		audit.Saw(tx, by, audit.Whole, client, by.Why(client, c.Practitioner))
	}
	return c, err
}

// NameOf returns the name of one of the practice's clients, as Find does.
func NameOf(tx *db.Tx, by access.Actor, client id.Client) (Name, error) {
	c, err := find(tx, by, client)
	if err == nil {
		audit.Saw(tx, by, audit.Named, client, by.Why(client, c.Practitioner))
	}
	return c.Name, err
}

// find is Find for verbs that hand nothing of the client out.
func find(tx *db.Tx, by access.Actor, client id.Client) (Client, error) {
	row, err := SQL.In(tx).Client(tx, peopledb.ClientParams{PracticeID: by.Practice(), ID: client})
	if errors.Is(err, db.None) || err == nil && !finds(by, row) {
		return Client{}, fault.NotFound
	}
	if err != nil {
		return Client{}, fmt.Errorf("find %s: %w", client, err)
	}
	key, err := keys.Of(tx, by.Practice())
	if err != nil {
		return Client{}, err
	}
	c, err := openClient(key, row)
	c.Details = c.Details.For(by)
	return c, err
}

// findToChange is find for verbs that change what is noted of a client, or who
// gets at it.
func findToChange(tx *db.Tx, by access.Actor, client id.Client) (Client, error) {
	c, err := find(tx, by, client)
	if err == nil && by.OnlyLooks(client, c.Practitioner) {
		return Client{}, ErrOnlyLooks
	}
	return c, err
}

// finds reports whether by may have this row: who works with it, who it is
// about, and whoever holds its link.
func finds(by access.Actor, row peopledb.ClientRow) bool {
	if by.IsClient() || by.Role() == access.Link {
		return by.Client() == row.ID
	}
	return by.Sees(row.ID, row.PractitionerID)
}

// SameMailbox returns the names of other clients of the practice with the same
// address: allowed, and worth a word.
func SameMailbox(tx *db.Tx, by access.Actor, client id.Client, a email.Address) (names []string, err error) {
	if a.IsZero() || !by.MaySeePeople() {
		return nil, nil
	}
	key, err := keys.Of(tx, by.Practice())
	if err != nil {
		return nil, err
	}
	index, err := key.Index("email", a.Fold())
	if err != nil {
		return nil, err
	}
	rows, err := SQL.In(tx).SameEmail(tx, peopledb.SameEmailParams{PracticeID: by.Practice(), EmailIndex: index, ID: client})
	if err != nil {
		return nil, fmt.Errorf("same mailbox: %w", err)
	}
	for _, r := range rows {
		if !by.Sees(r.ID, r.PractitionerID) {
			names = append(names, "another client of the practice")
			continue
		}
		n, err := openName(key, by.Practice(), r.ID, r.Name)
		if err != nil {
			return nil, err
		}
		audit.Saw(tx, by, audit.Named, r.ID, by.Why(r.ID, r.PractitionerID))
		names = append(names, n.Full())
	}
	return names, nil
}

// Topic is what a change to a client is announced under.
func Topic(practice id.Practice, client id.Client) string {
	return "people/" + practice.String() + "/" + client.String()
}
