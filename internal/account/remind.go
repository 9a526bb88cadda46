package account

import (
	"icouch/internal/access"
	"icouch/internal/letter"
	"icouch/internal/platform/db"
)

// Remind writes to somebody who asked for a link and has an account: how to
// sign in.
func Remind(tx *db.Tx, by access.Actor, a Account) error {
	return send(tx, by, draft(letter.HaveAccount, a.Email, a.ID, haveAccountBody()))
}
