package chat

import (
	"fmt"

	"icouch/internal/access"
	"icouch/internal/audit"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/chat/chatdb"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

// RenewKeys gives some records of by's practice a new key in front: those after
// one. It returns the last of them, or "" when none is left; see people.Reseal.
func RenewKeys(tx *db.Tx, by access.Actor, after string) (last string, err error) {
	if by.Role() != access.Shell {
		return "", fault.Forbidden
	}
	if last, err = keys.RenewRecords(tx, by.Practice(), after); err != nil {
		return "", err
	}
	return last, audit.Record(tx, by, audit.Deed{Did: audit.KeysRotated, Subject: by.Practice()})
}

// Reseal seals some messages of by's practice again, and what they said before,
// with the newest keys of their records: those after one.
func Reseal(tx *db.Tx, by access.Actor, after id.Message) (last id.Message, err error) {
	if by.Role() != access.Shell {
		return "", fault.Forbidden
	}
	p := by.Practice()
	rows, err := SQL.In(tx).ResealMessages(tx, chatdb.ResealMessagesParams{PracticeID: p, After: after})
	if err != nil {
		return "", fmt.Errorf("reseal: %w", err)
	}
	for _, r := range rows {
		key, err := keys.Record(tx, p, owner(deref(r.ClientID), r.ConversationID))
		if err != nil {
			return "", err
		}
		body, err := again(key, r.Body, bodyPlace(p, r.ID))
		if err != nil {
			return "", err
		}
		if err := SQL.In(tx).ResealedMessage(tx, chatdb.ResealedMessageParams{Body: body, PracticeID: p, ID: r.ID}); err != nil {
			return "", fmt.Errorf("reseal %s: %w", r.ID, err)
		}
		if err := resealBefore(tx, key, p, r.ID); err != nil {
			return "", err
		}
		last = r.ID
	}
	return last, audit.Record(tx, by, audit.Deed{Did: audit.KeysRotated, Subject: p})
}

func resealBefore(tx *db.Tx, key *crypt.Key, p id.Practice, m id.Message) error {
	rows, err := SQL.In(tx).BeforeOf(tx, chatdb.BeforeOfParams{PracticeID: p, MessageID: m})
	if err != nil {
		return fmt.Errorf("reseal %s: %w", m, err)
	}
	for _, r := range rows {
		body, err := again(key, r.Body, beforePlace(p, m))
		if err != nil {
			return err
		}
		if err := SQL.In(tx).ResealedBefore(tx, chatdb.ResealedBeforeParams{Body: body, PracticeID: p, MessageID: m, Until: r.Until}); err != nil {
			return fmt.Errorf("reseal %s: %w", m, err)
		}
	}
	return nil
}

// ResealFiles seals the names and keys of some files of by's practice again: those
// after one. What is in them keeps its key: it is theirs alone.
func ResealFiles(tx *db.Tx, by access.Actor, after id.Attachment) (last id.Attachment, err error) {
	if by.Role() != access.Shell {
		return "", fault.Forbidden
	}
	p := by.Practice()
	rows, err := SQL.In(tx).ResealFiles(tx, chatdb.ResealFilesParams{PracticeID: p, After: after})
	if err != nil {
		return "", fmt.Errorf("reseal: %w", err)
	}
	for _, r := range rows {
		key, err := keys.Record(tx, p, owner(deref(r.ClientID), r.ConversationID))
		if err != nil {
			return "", err
		}
		name, err := again(key, r.Name, filePlace("name", p, r.ID))
		if err != nil {
			return "", err
		}
		file, err := again(key, r.Key, filePlace("key", p, r.ID))
		if err != nil {
			return "", err
		}
		small := r.SmallKey
		if small != nil {
			if small, err = again(key, small, filePlace("small_key", p, r.ID)); err != nil {
				return "", err
			}
		}
		if err := SQL.In(tx).ResealedFile(tx, chatdb.ResealedFileParams{Name: name, Key: file, SmallKey: small, PracticeID: p, ID: r.ID}); err != nil {
			return "", fmt.Errorf("reseal %s: %w", r.ID, err)
		}
		last = r.ID
	}
	return last, audit.Record(tx, by, audit.Deed{Did: audit.KeysRotated, Subject: p})
}

// ResealRest seals by's practice's drafts and absences again: they are few.
func ResealRest(tx *db.Tx, by access.Actor) error {
	if by.Role() != access.Shell {
		return fault.Forbidden
	}
	p := by.Practice()
	drafts, err := SQL.In(tx).ResealDrafts(tx, p)
	if err != nil {
		return fmt.Errorf("reseal: %w", err)
	}
	for _, r := range drafts {
		key, err := keys.Record(tx, p, owner(deref(r.ClientID), r.ConversationID))
		if err != nil {
			return err
		}
		draft, err := again(key, r.Draft, draftPlace(p, r.ConversationID, r.ReaderID))
		if err != nil {
			return err
		}
		if err := SQL.In(tx).ChangeDraft(tx, chatdb.ChangeDraftParams{Draft: draft, PracticeID: p, ConversationID: r.ConversationID, ReaderID: r.ReaderID}); err != nil {
			return fmt.Errorf("reseal: %w", err)
		}
	}
	aways, err := SQL.In(tx).ResealAways(tx, p)
	if err != nil {
		return fmt.Errorf("reseal: %w", err)
	}
	key, err := keys.Of(tx, p)
	if err != nil {
		return err
	}
	for _, r := range aways {
		words, err := again(key, r.Words, awayPlace(p, r.ID))
		if err != nil {
			return err
		}
		if err := SQL.In(tx).ResealedAway(tx, chatdb.ResealedAwayParams{Words: words, PracticeID: p, ID: r.ID}); err != nil {
			return fmt.Errorf("reseal: %w", err)
		}
	}
	return audit.Record(tx, by, audit.Deed{Did: audit.KeysRotated, Subject: p})
}

func again(key *crypt.Key, s crypt.Sealed, place string) (crypt.Sealed, error) {
	open, err := key.Open(s, place)
	if err != nil {
		return nil, err
	}
	return key.Seal(open, place)
}
