package chat

import (
	"icouch/internal/access"
	"icouch/internal/base/id"
	"icouch/internal/platform/db"
)

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

// Reader is how a person stands in their conversations: the middle of Topic.
func Reader(by access.Actor) string { return me(by) }

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

// tell wakes the pages of everybody in the conversation, and of who reads it.
func (c Conversation) tell(tx *db.Tx) error {
	all, err := c.parties(tx)
	for _, who := range append(all, "") {
		tx.Notify(Topic(c.practice, who, c.ID))
	}
	return err
}
