package account

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"icouch/internal/access"
	"icouch/internal/account/accountdb"
	"icouch/internal/audit"
	"icouch/internal/base/at"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

// ErrNothingKept says that there is no form to go on with.
var ErrNothingKept = fault.New(fault.Gone, "What you typed has been sent already, or it was kept for a day and is gone.")

// Form is what somebody typed and could not send, because their session had
// ended. It is sealed, and shown to nobody but them.
type Form struct {
	ID     id.Form
	Path   string // where it is sent
	Fields url.Values
	KeptAt at.Time
}

// mostKept is how long the fields of a form may be together.
const mostKept = 64 << 10

// Ended returns whose session a token was that has ended by itself and not by
// signing out, or db.None. It takes no actor: nobody has proved anything.
func Ended(tx *db.Tx, token secret.Token) (id.Account, error) {
	row, err := SQL.In(tx).Session(tx, token.Hash())
	if errors.Is(err, db.None) || err == nil && !over(row.SeenAt, row.EndsAt, row.Idle, tx.Now()) {
		return "", db.None
	}
	if err != nil {
		return "", fmt.Errorf("look up session: %w", err)
	}
	return row.AccountID, nil
}

// KeepForm keeps what a person typed, until they have signed in again. There is
// one for each person: a newer takes the place of the older. Passwords and
// codes are not kept.
func KeepForm(tx *db.Tx, by access.Actor, who id.Account, path string, fields url.Values) error {
	f := keptForm{Path: path, Fields: url.Values{}}
	size := 0
	for name, values := range fields {
		if strings.Contains(name, "password") || strings.Contains(name, "code") {
			continue
		}
		f.Fields[name] = values
		for _, v := range values {
			size += len(name) + len(v)
		}
	}
	if size > mostKept || size == 0 {
		return ErrNothingKept
	}
	text, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("keep a form: %w", err)
	}
	key, err := keys.Of(tx, keys.Installation)
	if err != nil {
		return err
	}
	row := accountdb.KeepFormParams{AccountID: who, ID: id.New[id.Form](tx.Now().Time), CreatedAt: tx.Now()}
	if row.Form, err = key.Seal(string(text), formPlace(row.ID)); err != nil {
		return err
	}
	if err := SQL.In(tx).KeepForm(tx, row); err != nil {
		return fmt.Errorf("keep a form of %s: %w", who, err)
	}
	return record(tx, by, audit.FormKept, row.ID)
}

// keptForm is how a form is stored.
type keptForm struct {
	Path   string
	Fields url.Values
}

// Kept returns the form that waits for by, or ErrNothingKept.
func Kept(tx *db.Tx, by access.Actor) (Form, error) {
	if !by.SignedIn() {
		return Form{}, fault.NotFound
	}
	row, err := SQL.In(tx).KeptForm(tx, by.Account())
	if errors.Is(err, db.None) || err == nil && row.CreatedAt.Plus(sessionKept).Before(tx.Now().Time) {
		return Form{}, ErrNothingKept
	}
	if err != nil {
		return Form{}, fmt.Errorf("form kept for %s: %w", by.Account(), err)
	}
	key, err := keys.Of(tx, keys.Installation)
	if err != nil {
		return Form{}, err
	}
	text, err := key.Open(row.Form, formPlace(row.ID))
	if err != nil {
		return Form{}, err
	}
	var f keptForm
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		return Form{}, fmt.Errorf("form kept for %s: %w", by.Account(), err)
	}
	return Form{row.ID, f.Path, f.Fields, row.CreatedAt}, nil
}

// DropForm throws a kept form away: it was sent, or is not wanted.
func DropForm(tx *db.Tx, by access.Actor, f id.Form) error {
	n, err := SQL.In(tx).DropForm(tx, accountdb.DropFormParams{AccountID: by.Account(), ID: f})
	if err != nil {
		return fmt.Errorf("drop form %s: %w", f, err)
	}
	if n == 0 {
		return ErrNothingKept
	}
	return record(tx, by, audit.FormDropped, f)
}

func formPlace(f id.Form) string { return crypt.Place("kept_form.form", keys.Installation, f) }
