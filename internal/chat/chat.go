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
	"encoding/hex"
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
	"icouch/internal/people"
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

	Writes  bool // the reader may write in it
	Former  bool // the reader looked after the client once, and does not now
	Reaches bool // as Find saw it: somebody else is there to read what is written

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
	if !mayChat(by) {
		return Conversation{}, fault.NotFound
	}
	row, err := SQL.In(tx).Conversation(tx, chatdb.ConversationParams{PracticeID: by.Practice(), ID: c})
	return found(tx, by, c, row, err)
}

// hold is Find for whoever writes: until the end of tx, nobody else does.
func hold(tx *db.Tx, by access.Actor, c id.Conversation) (Conversation, error) {
	if !mayChat(by) {
		return Conversation{}, fault.NotFound
	}
	row, err := SQL.In(tx).HoldConversation(tx, chatdb.HoldConversationParams{PracticeID: by.Practice(), ID: c})
	return found(tx, by, c, row, err)
}

func found(tx *db.Tx, by access.Actor, c id.Conversation, row chatdb.Conversation, err error) (Conversation, error) {
	if errors.Is(err, db.None) {
		return Conversation{}, fault.NotFound
	}
	if err != nil {
		return Conversation{}, fmt.Errorf("conversation %s: %w", c, err)
	}
	is := read(chatdb.OfClientRow{PracticeID: row.PracticeID, ID: row.ID, Kind: row.Kind, ClientID: row.ClientID, PractitionerID: row.PractitionerID,
		OtherID: row.OtherID, LastSeq: row.LastSeq, LastAt: row.LastAt, CreatedAt: row.CreatedAt})
	is.Changes = row.Changes
	return stand(tx, by, is)
}

func read(r chatdb.OfClientRow) Conversation {
	c := Conversation{ID: r.ID, Kind: Kind(r.Kind), Messages: r.LastSeq, LastAt: r.LastAt, CreatedAt: r.CreatedAt, practice: r.PracticeID}
	if r.ClientID != nil {
		c.Client = *r.ClientID
	}
	if r.PractitionerID != nil {
		c.Member = *r.PractitionerID
	}
	if r.OtherID != nil {
		c.Other = *r.OtherID
	}
	return c
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
func (c Conversation) saw(tx *db.Tx, by access.Actor) {
	if c.Client != "" {
		audit.Saw(tx, by, audit.Written, c.Client, c.why)
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

// Topic is what happens in a conversation, as it is announced to one of those
// who are in it. Who only reads it watches Topic with no reader.
func Topic(practice id.Practice, reader string, c id.Conversation) string {
	return "chat/" + practice.String() + "/" + reader + "/" + c.String()
}

// TypingTopic is that somebody writes at this moment, as it is announced to one
// of those who are in the conversation.
func TypingTopic(practice id.Practice, reader string, c id.Conversation, who string) string {
	return "typing/" + practice.String() + "/" + reader + "/" + c.String() + "/" + who
}

// Typing returns the topics that tell the others in a conversation that by is
// writing. Who only reads tells nobody.
func Typing(tx *db.Tx, by access.Actor, conversation id.Conversation) (topics []string, err error) {
	c, err := Find(tx, by, conversation)
	if err != nil || !c.Writes {
		return nil, err
	}
	all, err := c.parties(tx)
	for _, who := range all {
		if who != c.reader {
			topics = append(topics, TypingTopic(c.practice, who, c.ID, c.reader))
		}
	}
	return topics, err
}

// Reader is how a person stands in their conversations: the middle of Topic.
func Reader(by access.Actor) string { return me(by) }

// tell wakes the pages of everybody in the conversation, and of who reads it.
func (c Conversation) tell(tx *db.Tx) error {
	all, err := c.parties(tx)
	for _, who := range append(all, "") {
		tx.Notify(Topic(c.practice, who, c.ID))
	}
	return err
}

// To is whom a new conversation is with: a client, with oneself or with
// everybody who looks after them; or a member.
type To struct {
	Client id.Client       // set by a member
	Team   bool            // everybody who looks after the client
	Member id.Practitioner // set by a client, or by a colleague
}

// Start returns the conversation by has with somebody, and begins it if there
// is none yet.
func Start(tx *db.Tx, by access.Actor, to To) (id.Conversation, error) {
	p, err := plan(tx, by, to)
	if err != nil {
		return "", err
	}
	c, err := p.find(tx)
	if err == nil {
		return c, audit.Record(tx, by, audit.Deed{Did: audit.ConversationOpened, Subject: c, Client: deref(p.ClientID)})
	}
	if !errors.Is(err, db.None) {
		return "", err
	}
	if by.IsClient() {
		if _, err := SQL.In(tx).Closed(tx, chatdb.ClosedParams{PracticeID: by.Practice(), ClientID: by.Client()}); !errors.Is(err, db.None) {
			if err == nil {
				err = ErrClosed
			}
			return "", err
		}
	}
	p.ID, p.Now = id.New[id.Conversation](tx.Now().Time), tx.Now()
	n, err := SQL.In(tx).AddConversation(tx, chatdb.AddConversationParams(p))
	if err != nil {
		return "", fmt.Errorf("start a conversation: %w", err)
	}
	if n == 0 { // somebody began it meanwhile
		return p.find(tx)
	}
	if _, err := keys.MakeRecord(tx, p.PracticeID, owner(deref(p.ClientID), p.ID)); err != nil {
		return "", err
	}
	return p.ID, audit.Record(tx, by, audit.Deed{Did: audit.ConversationBegun, Subject: p.ID, Client: deref(p.ClientID)})
}

func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// planned is a conversation as it would be stored.
type planned chatdb.AddConversationParams

func (p planned) find(tx *db.Tx) (c id.Conversation, err error) {
	switch Kind(p.Kind) {
	case WithClient:
		c, err = SQL.In(tx).WithClient(tx, chatdb.WithClientParams{PracticeID: p.PracticeID, ClientID: p.ClientID, PractitionerID: p.PractitionerID})
	case WithTeam:
		c, err = SQL.In(tx).WithTeam(tx, chatdb.WithTeamParams{PracticeID: p.PracticeID, ClientID: p.ClientID})
	default:
		c, err = SQL.In(tx).WithColleague(tx, chatdb.WithColleagueParams{PracticeID: p.PracticeID, PractitionerID: p.PractitionerID, OtherID: p.OtherID})
	}
	if err != nil && !errors.Is(err, db.None) {
		err = fmt.Errorf("find a conversation: %w", err)
	}
	return c, err
}

// plan looks whether by may write to somebody, and says what the conversation is.
func plan(tx *db.Tx, by access.Actor, to To) (planned, error) {
	p := planned{PracticeID: by.Practice()}
	if !mayChat(by) {
		return p, fault.NotFound
	}
	if to.Client != "" && by.AtWork() {
		reach, err := reaches(tx, by, to.Client)
		if err != nil {
			return p, err
		}
		p.Kind, p.ClientID = string(WithClient), &to.Client
		if to.Team && reach.team {
			p.Kind = string(WithTeam)
			return p, nil
		}
		mine := by.Practitioner()
		p.PractitionerID = &mine
		return p, nil
	}
	all, err := Partners(tx, by)
	if err != nil {
		return p, err
	}
	if !slices.ContainsFunc(all, func(o Partner) bool { return o.To == to }) {
		return p, ErrNobody
	}
	if by.IsClient() {
		mine := by.Client()
		p.ClientID, p.Kind = &mine, string(WithTeam)
		if !to.Team {
			p.Kind, p.PractitionerID = string(WithClient), &to.Member
		}
		return p, nil
	}
	first, second := by.Practitioner(), to.Member
	if second < first {
		first, second = second, first
	}
	p.Kind, p.PractitionerID, p.OtherID = string(Colleagues), &first, &second
	return p, nil
}

type reach struct{ team bool }

// reaches looks whether a member may write to a client: they look after them,
// and the client has an account.
func reaches(tx *db.Tx, by access.Actor, client id.Client) (reach, error) {
	carer, err := SQL.In(tx).Carer(tx, chatdb.CarerParams{PracticeID: by.Practice(), ID: client})
	if errors.Is(err, db.None) {
		return reach{}, fault.NotFound
	}
	if err != nil {
		return reach{}, fmt.Errorf("write to %s: %w", client, err)
	}
	switch by.Why(client, carer.PractitionerID) {
	case access.Care, access.CareTeam:
	case access.Unknown:
		return reach{}, fault.NotFound
	case access.ByEmergency:
		return reach{}, people.ErrOnlyLooks
	default:
		return reach{}, fault.Forbidden
	}
	if carer.AccountID == nil || carer.EndsAt != nil && !carer.EndsAt.After(tx.Now().Time) {
		return reach{}, ErrUnreached
	}
	team, err := SQL.In(tx).CareTeam(tx, chatdb.CareTeamParams{PracticeID: by.Practice(), ClientID: client, Now: tx.Now().Ptr()})
	return reach{len(team) > 0}, err
}

// Partner is somebody who can be written to.
type Partner struct {
	To   To
	Name string
	Says string // who that is, in a word or two
	// Handle names a member in a client's form. It is this client's alone, so that
	// two of them cannot compare whom they see, and does not say since when the
	// member is here, as an identifier does.
	Handle string
}

// Partners are those a client, or a member among colleagues, may write to. A
// member's clients are found by their names: see the directory.
func Partners(tx *db.Tx, by access.Actor) (all []Partner, err error) {
	if !mayChat(by) {
		return nil, fault.NotFound
	}
	members, err := people.Practitioners(tx, access.Job(by.Practice()))
	if err != nil {
		return nil, err
	}
	if by.AtWork() {
		for _, m := range members {
			if m.Active && m.ID != by.Practitioner() {
				all = append(all, Partner{To: To{Member: m.ID}, Name: m.Name, Says: "Colleague"})
			}
		}
		return all, nil
	}
	carer, err := SQL.In(tx).Carer(tx, chatdb.CarerParams{PracticeID: by.Practice(), ID: by.Client()})
	if err != nil {
		return nil, fmt.Errorf("who looks after %s: %w", by.Client(), err)
	}
	team, err := SQL.In(tx).CareTeam(tx, chatdb.CareTeamParams{PracticeID: by.Practice(), ClientID: by.Client(), Now: tx.Now().Ptr()})
	if err != nil {
		return nil, fmt.Errorf("who looks after %s: %w", by.Client(), err)
	}
	for _, m := range members {
		switch {
		case !m.Active:
		case m.ID == carer.PractitionerID:
			all = slices.Insert(all, 0, Partner{To: To{Member: m.ID}, Name: m.Name, Says: "Looks after you"})
		case slices.Contains(team, m.ID):
			all = append(all, Partner{To: To{Member: m.ID}, Name: m.Name, Says: "In your care team"})
		}
	}
	if err := handles(tx, by, all); err != nil {
		return nil, err
	}
	if len(all) > 1 {
		all = append(all, Partner{To: To{Team: true}, Name: "Your care team", Says: "Everybody who looks after you"})
	}
	return all, nil
}

// handles makes the handles of members, for a client.
func handles(tx *db.Tx, by access.Actor, all []Partner) error {
	key, err := keys.Of(tx, by.Practice())
	if err != nil {
		return err
	}
	for i, p := range all {
		h, err := key.Index("partner/"+by.Client().String(), p.To.Member.String())
		if err != nil {
			return err
		}
		all[i].Handle = hex.EncodeToString(h)
	}
	return nil
}

// Called is whom a client means by a handle.
func Called(tx *db.Tx, by access.Actor, handle string) (To, error) {
	all, err := Partners(tx, by)
	if err != nil {
		return To{}, err
	}
	for _, p := range all {
		if p.Handle != "" && p.Handle == handle {
			return p.To, nil
		}
	}
	return To{}, ErrNobody
}

// SetClosed has a client begin no conversations, or lets them again. Those that
// are there stay open.
func SetClosed(tx *db.Tx, by access.Actor, client id.Client, closed bool) error {
	if !by.AtWork() || !by.MayInvite() {
		return fault.Forbidden
	}
	carer, err := SQL.In(tx).Carer(tx, chatdb.CarerParams{PracticeID: by.Practice(), ID: client})
	if errors.Is(err, db.None) || err == nil && !by.Sees(client, carer.PractitionerID) {
		return fault.NotFound
	}
	if err != nil {
		return fmt.Errorf("messages of %s: %w", client, err)
	}
	if by.OnlyLooks(client, carer.PractitionerID) {
		return people.ErrOnlyLooks
	}
	var n int64
	did := audit.MessagesClosed
	if closed {
		n, err = SQL.In(tx).CloseFor(tx, chatdb.CloseForParams{PracticeID: by.Practice(), ClientID: client, Now: tx.Now()})
	} else {
		did = audit.MessagesOpened
		n, err = SQL.In(tx).OpenFor(tx, chatdb.OpenForParams{PracticeID: by.Practice(), ClientID: client})
	}
	if err != nil {
		return fmt.Errorf("messages of %s: %w", client, err)
	}
	if n == 0 { // it is so already
		return audit.Record(tx, by, audit.Deed{Did: did, Subject: client, Client: client, Fields: []string{"unchanged"}})
	}
	tx.Notify(people.Topic(by.Practice(), client))
	return audit.Record(tx, by, audit.Deed{Did: did, Subject: client, Client: client})
}

// Closed reports whether a client may begin no conversations.
func Closed(tx *db.Tx, by access.Actor, client id.Client) (bool, error) {
	if by.IsClient() && by.Client() != client || !mayChat(by) {
		return false, fault.NotFound
	}
	_, err := SQL.In(tx).Closed(tx, chatdb.ClosedParams{PracticeID: by.Practice(), ClientID: client})
	if errors.Is(err, db.None) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("messages of %s: %w", client, err)
	}
	return true, nil
}

func list[T ~string](some []T) (string, error) {
	b, err := json.Marshal(some)
	return string(b), err
}
