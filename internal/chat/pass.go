package chat

import (
	"encoding/base64"
	"encoding/json"
	"time"

	"icouch/internal/access"
	"icouch/internal/base/at"
	"icouch/internal/base/id"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

// passLife is how long the address of a file works: long enough to hear a note
// out, and to go back in it.
const passLife = 10 * time.Minute

// Pass is who may fetch what, until when. It is the address of the file itself,
// sealed: no cookie comes with it, and whoever else has it learns nothing. It
// names the session it was made for; with that it ends, and what the session may
// is asked again when the file is fetched.
type Pass struct {
	Session      []byte // the hash of its token
	Conversation id.Conversation
	File         id.Attachment
	Small        bool
	Until        at.Time
}

const passPlace = "attachment.pass"

// NewPass makes the pass to a file that by may open.
func NewPass(tx *db.Tx, by access.Actor, p Pass) (string, error) {
	if _, _, err := open(tx, by, p.Conversation, p.File, p.Small); err != nil {
		return "", err
	}
	p.Until = tx.Now().Plus(passLife)
	plain, err := json.Marshal(p)
	if err != nil {
		return "", err
	}
	key, err := keys.Of(tx, keys.Installation)
	if err != nil {
		return "", err
	}
	sealed, err := key.Seal(string(plain), passPlace)
	return base64.RawURLEncoding.EncodeToString(sealed), err
}

// ReadPass reads a pass that we have made and that is not over. What it opens is
// still to be asked of Open, as whose session it names.
func ReadPass(tx *db.Tx, text string) (p Pass, err error) {
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(text) > 1000 {
		return p, ErrPassOver
	}
	key, err := keys.Of(tx, keys.Installation)
	if err != nil {
		return p, err
	}
	plain, err := key.Open(crypt.Sealed(sealed), passPlace)
	if err != nil || json.Unmarshal([]byte(plain), &p) != nil || !p.Until.After(tx.Now().Time) {
		return Pass{}, ErrPassOver
	}
	return p, nil
}
