package keys

import (
	"errors"
	"fmt"

	"icouch/internal/base/id"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys/keysdb"
)

// Record returns the key of one record of a practice: a client's, or a
// conversation's that belongs to no client. It is sealed with the practice's
// key. Destroy its row, and what was sealed with it can be read by nobody, in
// old backups neither once they have aged out.
func Record(tx *db.Tx, practice id.Practice, owner fmt.Stringer) (*crypt.Key, error) {
	if k := tx.Key(kept(practice, owner)); k != nil {
		return k, nil
	}
	above, err := Of(tx, practice)
	if err != nil {
		return nil, err
	}
	sealed, err := SQL.In(tx).RecordKey(tx, keysdb.RecordKeyParams{PracticeID: practice, OwnerID: owner.String()})
	if errors.Is(err, db.None) {
		return nil, ErrNoKey
	}
	if err != nil {
		return nil, fmt.Errorf("key of %s: %w", owner, err)
	}
	k, err := above.Child(sealed, recordPlace(practice, owner))
	if err != nil {
		return nil, err
	}
	tx.Keep(kept(practice, owner), k)
	return k, nil
}

// MakeRecord is Record, and makes the key if there is none yet.
func MakeRecord(tx *db.Tx, practice id.Practice, owner fmt.Stringer) (*crypt.Key, error) {
	k, err := Record(tx, practice, owner)
	if !errors.Is(err, ErrNoKey) {
		return k, err
	}
	above, err := Of(tx, practice)
	if err != nil {
		return nil, err
	}
	sealed, err := above.NewChild(recordPlace(practice, owner))
	if err != nil {
		return nil, err
	}
	err = SQL.In(tx).AddRecordKey(tx, keysdb.AddRecordKeyParams{PracticeID: practice, OwnerID: owner.String(), Key: sealed, CreatedAt: tx.Now()})
	if err != nil {
		return nil, fmt.Errorf("key of %s: %w", owner, err)
	}
	return Record(tx, practice, owner) // another transaction may have been quicker: the first is everybody's
}

// RenewRecords gives some records of a practice a new key in front, sealed with
// the practice's newest: those after one. It returns the last of them, or "".
func RenewRecords(tx *db.Tx, practice id.Practice, after string) (last string, err error) {
	above, err := Of(tx, practice)
	if err != nil {
		return "", err
	}
	rows, err := SQL.In(tx).RecordKeys(tx, keysdb.RecordKeysParams{PracticeID: practice, After: after})
	if err != nil {
		return "", fmt.Errorf("keys of the records of %s: %w", practice, err)
	}
	for _, r := range rows {
		place := crypt.Place("record_key.key", practice, text(r.OwnerID))
		again, err := above.RenewChild(r.Key, place)
		if err != nil {
			return "", err
		}
		tx.Keep(kept(practice, text(r.OwnerID)), nil)
		if err := SQL.In(tx).ReplaceRecordKey(tx, keysdb.ReplaceRecordKeyParams{Key: again, PracticeID: practice, OwnerID: r.OwnerID}); err != nil {
			return "", fmt.Errorf("key of %s: %w", r.OwnerID, err)
		}
		last = r.OwnerID
	}
	return last, nil
}

// text is an owner's name as it is stored.
type text string

func (t text) String() string { return string(t) }

// kept is under which name a transaction keeps the key of a record.
func kept(practice id.Practice, owner fmt.Stringer) string {
	return practice.String() + "/" + owner.String()
}

func recordPlace(practice id.Practice, owner fmt.Stringer) string {
	return crypt.Place("record_key.key", practice, owner)
}
