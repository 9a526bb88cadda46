package chat

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"icouch/internal/access"
	"icouch/internal/base/id"
	"icouch/internal/base/text"
	"icouch/internal/chat/chatdb"
	"icouch/internal/people"
	"icouch/internal/platform/db"
)

// Summary is a conversation as it stands in a list.
type Summary struct {
	Conversation
	Title    string // with whom
	Last     *Message
	Unread   int64
	Archived bool
}

// Conversations are those by is in: unread ones first, then by what is newest.
func Conversations(tx *db.Tx, by access.Actor) ([]Summary, error) {
	all, err := conversations(tx, by)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	names, err := NamesFor(tx, by)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].Title, err = names.Title(tx, by, all[i].Conversation); err != nil {
			return nil, err
		}
		if all[i].Last, err = all[i].last(tx, by); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(all, func(a, b Summary) int { return cmp.Compare(min(b.Unread, 1), min(a.Unread, 1)) })
	return all, nil
}

// Unread is how many messages by has not read, in all their conversations.
func Unread(tx *db.Tx, by access.Actor) (n int64, err error) {
	if !mayChat(by) {
		return 0, nil
	}
	all, err := conversations(tx, by)
	for _, c := range all {
		n += c.Unread
	}
	return n, err
}

// conversations are those by may read and is in, the newest first.
func conversations(tx *db.Tx, by access.Actor) (all []Summary, err error) {
	if !mayChat(by) {
		return nil, nil
	}
	var rows []chatdb.OfClientRow
	if by.IsClient() {
		client := by.Client()
		rows, err = SQL.In(tx).OfClient(tx, chatdb.OfClientParams{PracticeID: by.Practice(), ClientID: &client, ReaderID: me(by)})
	} else {
		mine := by.Practitioner()
		var found []chatdb.OfMemberRow
		found, err = SQL.In(tx).OfMember(tx, chatdb.OfMemberParams{PracticeID: by.Practice(), PractitionerID: &mine, ReaderID: me(by)})
		for _, r := range found {
			rows = append(rows, chatdb.OfClientRow(r))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("conversations: %w", err)
	}
	begun := slices.DeleteFunc(rows, func(r chatdb.OfClientRow) bool { return r.LastSeq == 0 }) // nobody has written in it yet
	return standAll(tx, by, begun)
}

// OfRecord are all conversations of a client's record, to a member who may read
// them: whoever looks after the client, and one who opened it in an emergency.
func OfRecord(tx *db.Tx, by access.Actor, client id.Client) ([]Summary, error) {
	if !by.AtWork() {
		return nil, nil
	}
	rows, err := SQL.In(tx).OfClient(tx, chatdb.OfClientParams{PracticeID: by.Practice(), ClientID: &client, ReaderID: me(by)})
	if err != nil {
		return nil, fmt.Errorf("conversations of %s: %w", client, err)
	}
	all, err := standAll(tx, by, rows)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	names, err := NamesFor(tx, by)
	if err != nil {
		return nil, err
	}
	for i := range all {
		all[i].Title = names.Member(all[i].Member)
		if all[i].Kind == WithTeam {
			all[i].Title = "Care team"
		}
	}
	return all, nil
}

// standAll leaves those that by may read.
func standAll(tx *db.Tx, by access.Actor, rows []chatdb.OfClientRow) (all []Summary, err error) {
	var clients []string
	for _, r := range rows {
		if r.ClientID != nil && !slices.Contains(clients, r.ClientID.String()) {
			clients = append(clients, r.ClientID.String())
		}
	}
	carers := map[id.Client]chatdb.CarersRow{}
	if len(clients) > 0 {
		ids, err := list(clients)
		if err != nil {
			return nil, err
		}
		found, err := SQL.In(tx).Carers(tx, chatdb.CarersParams{PracticeID: by.Practice(), Ids: ids})
		if err != nil {
			return nil, fmt.Errorf("conversations: %w", err)
		}
		for _, f := range found {
			carers[f.ID] = f
		}
	}
	for _, r := range rows {
		c := listed(r)
		if c.Kind == Colleagues {
			c, err = c.among(by)
		} else {
			c, err = c.about(by, carers[c.Client])
		}
		if err != nil { // not theirs to read, now
			continue
		}
		s := Summary{Conversation: c, Archived: r.ArchivedSeq > 0 && r.ArchivedSeq >= r.LastSeq}
		if c.Writes { // what one only reads is not one's post
			s.Unread = max(0, r.LastSeq-r.ReadSeq)
		}
		all = append(all, s)
	}
	return all, nil
}

// Names says who is who in by's conversations.
type Names struct {
	members map[string]string
	clients map[id.Client]string
}

// NamesFor returns the names that by's conversations need.
func NamesFor(tx *db.Tx, by access.Actor) (Names, error) {
	n := Names{map[string]string{}, map[id.Client]string{}}
	members, err := people.Practitioners(tx, access.Job(by.Practice()))
	for _, m := range members {
		n.members[m.ID.String()] = m.Name
	}
	return n, err
}

// Member is a member's name.
func (n Names) Member(who id.Practitioner) string { return n.members[who.String()] }

func (n Names) client(tx *db.Tx, by access.Actor, c id.Client) (string, error) {
	if name, known := n.clients[c]; known {
		return name, nil
	}
	name, err := people.NameOf(tx, by, c)
	n.clients[c] = name.Full()
	return n.clients[c], err
}

// Title is with whom a conversation is, as by reads it.
func (n Names) Title(tx *db.Tx, by access.Actor, c Conversation) (string, error) {
	switch {
	case c.Kind == Colleagues && c.Member == by.Practitioner():
		return n.Member(c.Other), nil
	case c.Kind == Colleagues:
		return n.Member(c.Member), nil
	case by.IsClient() && c.Kind == WithTeam:
		return "Your care team", nil
	case by.IsClient():
		return n.Member(c.Member), nil
	}
	name, err := n.client(tx, by, c.Client)
	if c.Kind == WithTeam {
		name += " and the care team"
	}
	return name, err
}

// Author is who wrote a message, as by reads it.
func (n Names) Author(tx *db.Tx, by access.Actor, c Conversation, m Message) (string, error) {
	switch {
	case m.Mine:
		return "You", nil
	case m.Automatic():
		return "Automatic answer", nil
	case c.Client != "" && m.Author == c.Client.String():
		return n.client(tx, by, c.Client)
	}
	if name := n.members[m.Author]; name != "" {
		return name, nil
	}
	return "Somebody who has left", nil
}

// Hit is a message that was found.
type Hit struct {
	Conversation Summary
	Message      Message
	Author       string
	Around       []Piece // the words around what was looked for
}

// hits is how many are shown, scanned is how many messages are opened for it.
const (
	hits    = 50
	scanned = 20_000
)

// Search finds messages that hold all the words of a text, the newest first, in
// the conversations by is in. Words are sealed, so each message is opened.
func Search(tx *db.Tx, by access.Actor, words string) (found []Hit, all bool, err error) {
	want := strings.Fields(text.FoldForSearch(words))
	if len(want) == 0 {
		return nil, true, nil
	}
	conversations, err := conversations(tx, by)
	if err != nil || len(conversations) == 0 {
		return nil, true, err
	}
	names, err := NamesFor(tx, by)
	if err != nil {
		return nil, false, err
	}
	left := scanned
	for _, s := range conversations {
		if s.Title, err = names.Title(tx, by, s.Conversation); err != nil {
			return nil, false, err
		}
		for seq := s.Messages + 1; seq > 1 && left > 0 && len(found) < hits; {
			page, err := s.scan(tx, seq)
			if err != nil {
				return nil, false, err
			}
			if len(page) == 0 {
				break
			}
			for _, m := range page {
				left--
				if !holds(text.FoldForSearch(m.Body), want) {
					continue
				}
				author, err := names.Author(tx, by, s.Conversation, m)
				if err != nil {
					return nil, false, err
				}
				found = append(found, Hit{s, m, author, around(m.Body, want)})
			}
			seq = page[len(page)-1].Seq
		}
	}
	slices.SortStableFunc(found, func(a, b Hit) int { return b.Message.SentAt.Compare(a.Message.SentAt.Time) })
	if len(found) > hits {
		found = found[:hits]
	}
	for _, h := range found {
		h.Conversation.saw(tx, by)
	}
	return found, left > 0, nil
}

// scan opens a page of messages before a place, the newest first.
func (c Conversation) scan(tx *db.Tx, seq int64) ([]Message, error) {
	rows, err := SQL.In(tx).Before(tx, chatdb.BeforeParams{PracticeID: c.practice, ConversationID: c.ID, Seq: seq, Most: 500})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	key, err := c.key(tx)
	if err != nil {
		return nil, err
	}
	all := make([]Message, len(rows))
	for i, r := range rows {
		if all[i], err = c.open(key, chatdb.AfterRow(r)); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func holds(folded string, want []string) bool {
	for _, w := range want {
		if !strings.Contains(folded, w) {
			return false
		}
	}
	return true
}
