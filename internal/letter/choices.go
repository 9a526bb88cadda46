package letter

import (
	"encoding/base64"

	"icouch/internal/access"
	"icouch/internal/base/email"
	"icouch/internal/base/fault"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

// The page "E-mail choices" is opened from a letter, by people who have no
// account. Its address holds the person's own address, sealed: it can be read
// by nobody else, guessed by nobody, and is stored nowhere.

const choicesPlace = "choices/address"

// ErrNoChoices says that a choices link is none of ours.
var ErrNoChoices = fault.New(fault.NotFound, "This link does not work any more.")

// ChoicesToken returns what names an address on the choices page.
func ChoicesToken(tx *db.Tx, _ access.Actor, a email.Address) (string, error) {
	key, err := keys.Of(tx, keys.Installation)
	if err != nil {
		return "", err
	}
	s, err := key.Seal(a.String(), choicesPlace)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(s), nil
}

// ChoicesAddress reads what ChoicesToken made.
func ChoicesAddress(tx *db.Tx, _ access.Actor, token string) (email.Address, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(token) // one token, one spelling
	if err != nil || len(b) > 1024 {
		return email.Address{}, ErrNoChoices
	}
	key, err := keys.Of(tx, keys.Installation)
	if err != nil {
		return email.Address{}, err
	}
	s, err := key.Open(b, choicesPlace)
	if err != nil || s == "" {
		return email.Address{}, ErrNoChoices
	}
	return email.Parse(s)
}
