package chat

import (
	"errors"
	"fmt"

	"icouch/internal/access"
	"icouch/internal/audit"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/chat/chatdb"
	"icouch/internal/people"
	"icouch/internal/platform/db"
)

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
