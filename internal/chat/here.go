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

// Company returns the others in a conversation who may be shown to its reader as
// here, if they are: those whom the reader may write to, who may write to the
// reader, and who show it, as the reader does. It is empty for who only reads,
// and where nobody is reached any more.
func Company(tx *db.Tx, c Conversation) (others []string, err error) {
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
	others = slices.DeleteFunc(showing, func(who string) bool { return who == c.reader })
	slices.SortFunc(others, func(a, b string) int { return slices.Index(in, a) - slices.Index(in, b) }) // the client first, always in one order
	return others, nil
}
