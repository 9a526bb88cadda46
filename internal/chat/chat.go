// Package chat is what clients, practitioners and colleagues write to one
// another: secure messages, read when there is time for them.
//
// There is one thread for those who are in it, however often somebody begins
// one: a client and one member; a client and everybody who looks after them;
// two colleagues. Only somebody with an account can be written to.
//
// The rules:
//   - a thread with a client is part of that client's record, sealed with the
//     record's own key, and stays when the practitioner changes: whoever looks
//     after the client now may read it, and writes in a thread of their own;
//   - what is written is taken only while somebody at work reads it: the member in
//     the thread, if they still look after the client, or one of the team. Who
//     does not any more reads their own thread, if their role opens the record to
//     them, and writes in it no longer: the client could not answer;
//   - who runs the practice, plans or bills sees clients and no messages; an
//     emergency opens a record's messages to be read, not to be answered; a
//     contact who acts for a client has none;
//   - the order is the server's. A message has the identifier that the page
//     gave it, so one that is sent twice is there once;
//   - that somebody is here is shown only of those who show it, to those who show
//     it too and may write to them; when they were here is kept nowhere;
//   - what is unread follows from how far somebody has read; nothing is counted
//     that could drift;
//   - one's own message can be changed or taken back for five minutes; what it
//     said before is kept, and the trail says so;
//   - a letter says that there is a new message, never what, from whom or why:
//     one for all that came together, after ten minutes, and none if it was read
//     meanwhile;
//   - whoever may write may attach, whoever may read may open. What a file is, its
//     content says. A picture is handed on as a copy without its place and camera;
//     what a scanner has yet to look at, or found something in, is handed to nobody.
//     What is attached and not sent is its author's, for a day.
//
// Every thread says that it is not for emergencies.
package chat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"icouch/internal/access"
	"icouch/internal/audit"
	"icouch/internal/base/at"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/chat/chatdb"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

// SQL is this package's statements.
var SQL = db.Prepare(chatdb.Prepare)

// Kind is who is in a conversation.
type Kind string

// The kinds.
const (
	WithClient Kind = "client"     // a client and one member
	WithTeam   Kind = "team"       // a client and everybody who looks after them
	Colleagues Kind = "colleagues" // two members
)

// What people are told when a message cannot be sent.
var (
	ErrNobody     = fault.On("to", fault.Invalid, "Choose whom to write to.")
	ErrClosed     = fault.New(fault.Conflict, "Your practice has asked that you reach them in another way. Conversations that are there already stay open.")
	ErrEmpty      = fault.On("body", fault.Invalid, "Write something first.")
	ErrOnlyReads  = fault.New(fault.Conflict, "You can read this conversation and not write in it.")
	ErrFormer     = fault.New(fault.Conflict, "You do not look after this client any more, so you can read what was written here, and not add to it. They could not answer you here. To write to them again, be added to their care team: an owner or an administrator does that on the client’s page.")
	ErrUnreached  = fault.New(fault.Conflict, "They cannot read messages any more in this conversation: an account or the care has ended, or somebody else has taken over. Choose New Conversation to see whom you can write to. What was written stays here.")
	ErrTooLate    = fault.New(fault.Conflict, "A message can be changed for five minutes. This one is older.")
	ErrTaken      = fault.New(fault.Conflict, "This message was taken back already.")
	ErrSentBefore = fault.New(fault.Conflict, "This message was sent before, in another conversation.")
	ErrSentOther  = fault.New(fault.Conflict, "A message was sent from this page before, with other words. What you wrote now was not sent, and is still here. Press Send, and it goes as a new message.")
	ErrSentFiles  = fault.New(fault.Conflict, "A message was sent from this page before, with other words. What you wrote now was not sent, and is still here. A file that you chose went with the first message: if it belongs to this one, too, choose it again. Then press Send, and it goes as a new message.")
)

// Conversation is one thread, as whoever asked may use it.
type Conversation struct {
	ID        id.Conversation
	Kind      Kind
	Client    id.Client       // whose record it belongs to; colleagues: none
	Member    id.Practitioner // the member in it with a client, or the first of two colleagues
	Other     id.Practitioner // the second of two colleagues
	Messages  int64           // how many there are: the number of the newest
	Changes   int64           // how often one of them was changed, or something of it
	LastAt    at.Time
	CreatedAt at.Time

	Writes  bool     // the reader may write in it
	Over    *at.Time // since when care is, for a client's; nil: it is not, or nobody who reads may know
	Former  bool     // the reader looked after the client once, and does not now
	Reaches bool     // as Find saw it: somebody else is there to read what is written

	practice id.Practice
	reader   string // who reads, as it is stored
	why      access.Why
}

// me is how a person stands in a conversation: as a client or as a member.
func me(by access.Actor) string {
	if by.IsClient() {
		return by.Client().String()
	}
	return by.Practitioner().String()
}

// mayChat reports whether by can have messages at all.
func mayChat(by access.Actor) bool { return by.IsClient() || by.AtWork() }

// Find returns one conversation, to who may read it. Whoever may not is told
// that it does not exist.
func Find(tx *db.Tx, by access.Actor, c id.Conversation) (Conversation, error) {
	return find(tx, by, c, SQL.In(tx).Conversation)
}

// hold is Find for whoever writes: until the end of tx, nobody else does.
func hold(tx *db.Tx, by access.Actor, c id.Conversation) (Conversation, error) {
	return find(tx, by, c, func(ctx context.Context, p chatdb.ConversationParams) (chatdb.Conversation, error) {
		return SQL.In(tx).HoldConversation(ctx, chatdb.HoldConversationParams(p))
	})
}

func find(tx *db.Tx, by access.Actor, c id.Conversation, ask func(context.Context, chatdb.ConversationParams) (chatdb.Conversation, error)) (Conversation, error) {
	if !mayChat(by) {
		return Conversation{}, fault.NotFound
	}
	row, err := ask(tx, chatdb.ConversationParams{PracticeID: by.Practice(), ID: c})
	if errors.Is(err, db.None) {
		return Conversation{}, fault.NotFound
	}
	if err != nil {
		return Conversation{}, fmt.Errorf("conversation %s: %w", c, err)
	}
	return stand(tx, by, read(row))
}

func read(r chatdb.Conversation) Conversation {
	return Conversation{ID: r.ID, Kind: Kind(r.Kind), Client: deref(r.ClientID), Member: deref(r.PractitionerID), Other: deref(r.OtherID),
		Messages: r.LastSeq, Changes: r.Changes, LastAt: r.LastAt, CreatedAt: r.CreatedAt, practice: r.PracticeID}
}

// listed is read for a line of a list, which does not say what has changed.
func listed(r chatdb.OfClientRow) Conversation {
	return read(chatdb.Conversation{PracticeID: r.PracticeID, ID: r.ID, Kind: r.Kind, ClientID: r.ClientID, PractitionerID: r.PractitionerID,
		OtherID: r.OtherID, LastSeq: r.LastSeq, LastAt: r.LastAt, CreatedAt: r.CreatedAt})
}

// stand finds out what by may do in a conversation.
func stand(tx *db.Tx, by access.Actor, c Conversation) (Conversation, error) {
	if c.Kind == Colleagues {
		c, err := c.among(by)
		if err != nil {
			return c, err
		}
		c.Reaches, err = c.heard(tx)
		return c, err
	}
	carer, err := SQL.In(tx).Carer(tx, chatdb.CarerParams{PracticeID: by.Practice(), ID: c.Client})
	if err != nil {
		return Conversation{}, fmt.Errorf("conversation %s: %w", c.ID, err)
	}
	c, err = c.about(by, chatdb.CarersRow{ID: c.Client, PractitionerID: carer.PractitionerID, AccountID: carer.AccountID, EndsAt: carer.EndsAt})
	if err != nil {
		return c, err
	}
	if by.AtWork() && carer.EndsAt != nil && !carer.EndsAt.After(tx.Now().Time) {
		c.Over = carer.EndsAt
	}
	c.Reaches = carer.AccountID != nil && (carer.EndsAt == nil || carer.EndsAt.After(tx.Now().Time))
	if c.Reaches && by.IsClient() {
		c.Reaches, err = c.heard(tx)
	}
	return c, err
}

// listeners are the members of a conversation who are at work and, if it is with
// a client, look after them now. What is written reaches nobody else, and nobody
// else is told of it: a thread with who has handed a client over is not theirs.
func (c Conversation) listeners(tx *db.Tx) (all []id.Practitioner, err error) {
	if c.Kind == Colleagues {
		all, err = SQL.In(tx).AtWork(tx, chatdb.AtWorkParams{PracticeID: c.practice, One: c.Member, Other: c.Other})
	} else {
		all, err = SQL.In(tx).Listeners(tx, chatdb.ListenersParams{PracticeID: c.practice, ClientID: c.Client, Now: tx.Now().Ptr()})
	}
	if err != nil {
		return nil, fmt.Errorf("who reads %s: %w", c.ID, err)
	}
	if c.Kind == WithClient {
		all = slices.DeleteFunc(all, func(m id.Practitioner) bool { return m != c.Member })
	}
	return all, nil
}

// heard reports whether a member reads what the reader writes.
func (c Conversation) heard(tx *db.Tx) (bool, error) {
	all, err := c.listeners(tx)
	return slices.ContainsFunc(all, func(m id.Practitioner) bool { return m.String() != c.reader }), err
}

// among is for two colleagues.
func (c Conversation) among(by access.Actor) (Conversation, error) {
	if !by.AtWork() || by.Practitioner() != c.Member && by.Practitioner() != c.Other {
		return Conversation{}, fault.NotFound
	}
	c.reader, c.Writes = me(by), true
	return c, nil
}

// about is for a thread of a client's record.
func (c Conversation) about(by access.Actor, carer chatdb.CarersRow) (Conversation, error) {
	c.reader, c.why = me(by), by.Why(c.Client, carer.PractitionerID)
	own := c.Kind == WithTeam || by.Practitioner() == c.Member
	switch c.why {
	case access.Self:
		c.Writes = true
	case access.Care, access.CareTeam:
		c.Writes = own
	case access.ByEmergency:
	case access.Office, access.Supervision: // by no more than their role: their own thread alone
		if !own || c.Kind == WithTeam {
			return Conversation{}, fault.NotFound
		}
		c.Former = true // the client writes to those who look after them, and could not answer
	default:
		return Conversation{}, fault.NotFound
	}
	return c, nil
}

// Look has the trail know that by reads the conversation from here on.
func (c Conversation) Look(tx *db.Tx, by access.Actor) { c.saw(tx, by) }

// saw has the trail know that by was shown messages of a client's.
func (c Conversation) saw(tx *db.Tx, by access.Actor) { c.sawPart(tx, by, audit.Written) }

func (c Conversation) sawPart(tx *db.Tx, by access.Actor, part audit.Part) {
	if c.Client != "" {
		audit.Saw(tx, by, part, c.Client, c.why)
	}
}

// key is what the conversation's words are sealed with.
func (c Conversation) key(tx *db.Tx) (*crypt.Key, error) {
	return keys.Record(tx, c.practice, c.owner())
}

func (c Conversation) owner() fmt.Stringer { return owner(c.Client, c.ID) }

func owner(client id.Client, c id.Conversation) fmt.Stringer {
	if client != "" {
		return client
	}
	return c
}

// parties are those who are in a conversation, as they are stored.
func (c Conversation) parties(tx *db.Tx) (all []string, err error) {
	switch c.Kind {
	case Colleagues:
		return []string{c.Member.String(), c.Other.String()}, nil
	case WithClient:
		return []string{c.Client.String(), c.Member.String()}, nil
	}
	carer, err := SQL.In(tx).Carer(tx, chatdb.CarerParams{PracticeID: c.practice, ID: c.Client})
	if err != nil {
		return nil, fmt.Errorf("who is in %s: %w", c.ID, err)
	}
	team, err := SQL.In(tx).CareTeam(tx, chatdb.CareTeamParams{PracticeID: c.practice, ClientID: c.Client, Now: tx.Now().Ptr()})
	if err != nil {
		return nil, fmt.Errorf("who is in %s: %w", c.ID, err)
	}
	all = []string{c.Client.String(), carer.PractitionerID.String()}
	for _, m := range team {
		if !slices.Contains(all, m.String()) {
			all = append(all, m.String())
		}
	}
	return all, nil
}

func list[T ~string](some []T) (string, error) {
	b, err := json.Marshal(some)
	return string(b), err
}
