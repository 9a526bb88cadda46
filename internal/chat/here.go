package chat

import (
	"fmt"
	"slices"

	"icouch/internal/access"
	"icouch/internal/chat/chatdb"
	"icouch/internal/platform/db"
)

// Who is here at this moment is nothing that is kept: no row, no line of the
// trail. What is kept is that somebody shows it. Whoever does not is shown to
// nobody, and sees nobody.

// ShowsHere reports whether by shows those they write with when they are here.
func ShowsHere(tx *db.Tx, by access.Actor) (bool, error) {
	if !mayChat(by) {
		return false, nil
	}
	c, err := choiceOf(tx, by.Practice(), me(by))
	return c.ShowsHere, err
}

// Fellow is somebody else in a conversation: a client or a member, as they are stored.
type Fellow struct {
	Reader string
	Shows  bool // that they are here, if they are
}

// Company returns the others in a conversation, to a reader who shows that they
// are here: those whom the reader may write to, and who may write to the reader.
// It is empty for whoever does not show themselves or only reads, and where
// nobody is reached any more.
func Company(tx *db.Tx, c Conversation) (others []Fellow, err error) {
	if !c.Writes || !c.Reaches {
		return nil, nil
	}
	members, err := c.listeners(tx)
	if err != nil {
		return nil, err
	}
	var in []string
	if c.Client != "" { // who writes is the client, or reaches them
		in = append(in, c.Client.String())
	}
	for _, m := range members {
		in = append(in, m.String())
	}
	if !slices.Contains(in, c.reader) {
		return nil, nil
	}
	ids, err := list(in)
	if err != nil {
		return nil, err
	}
	showing, err := SQL.In(tx).Showing(tx, chatdb.ShowingParams{PracticeID: c.practice, Ids: ids})
	if err != nil {
		return nil, fmt.Errorf("who shows that they are in %s: %w", c.ID, err)
	}
	if !slices.Contains(showing, c.reader) {
		return nil, nil
	}
	for _, who := range in {
		if who != c.reader {
			others = append(others, Fellow{who, slices.Contains(showing, who)})
		}
	}
	return others, nil
}
