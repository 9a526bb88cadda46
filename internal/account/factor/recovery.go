package factor

import (
	"crypto/rand"
	"fmt"
	"strings"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/account/factor/factordb"
	"icouch/internal/audit"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/letter"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
)

// What can be wrong with a recovery code.
var (
	ErrNoRecovery    = fault.On("recovery", fault.Invalid, "Enter one of your recovery codes: twelve letters and digits.")
	ErrWrongRecovery = fault.On("recovery", fault.Invalid, "That recovery code does not fit, or was used already. Each works once.")
	ErrNoStep        = fault.New(fault.Conflict, "Set up a passkey or an authenticator first. Recovery codes are for when it is lost.")
)

// codes is how many recovery codes a person has.
const codes = 10

// alphabet is what codes are written in: nothing in it looks like another.
const alphabet = "abcdefghjkmnpqrstvwxyz0123456789" // 32: five bits each

// NewCodes gives by ten new recovery codes, in place of those before, and
// returns them. They are shown once: only keyed hashes are stored.
func NewCodes(tx *db.Tx, by access.Actor) ([]string, error) {
	a, has, err := changing(tx, by)
	if err != nil {
		return nil, err
	}
	if !has.Any() {
		return nil, ErrNoStep
	}
	key, err := house(tx)
	if err != nil {
		return nil, err
	}
	if err := SQL.In(tx).DropCodes(tx, a.ID); err != nil {
		return nil, fmt.Errorf("recovery codes of %s: %w", a.ID, err)
	}
	all := make([]string, codes)
	for i := range all {
		all[i] = newCode()
		hash, err := codeHash(key, a.ID, plain(all[i]))
		if err != nil {
			return nil, err
		}
		if err := SQL.In(tx).AddCode(tx, factordb.AddCodeParams{AccountID: a.ID, CodeHash: hash, CreatedAt: tx.Now()}); err != nil {
			return nil, fmt.Errorf("recovery codes of %s: %w", a.ID, err)
		}
	}
	if err := account.Note(tx, by, audit.CodesMade, a.ID); err != nil {
		return nil, err
	}
	return all, changed(tx, by, a, "New recovery codes were made", "New recovery codes were made for your account on "+letter.Brand+". Older ones do not work any more.")
}

// UseRecovery takes one of a's recovery codes, once, and tells a.
func UseRecovery(tx *db.Tx, by access.Actor, a id.Account, typed string) error {
	code := plain(typed)
	if len(code) != 12 {
		return ErrNoRecovery
	}
	key, err := house(tx)
	if err != nil {
		return err
	}
	hash, err := codeHash(key, a, code)
	if err != nil {
		return err
	}
	n, err := SQL.In(tx).TakeCode(tx, factordb.TakeCodeParams{UsedAt: tx.Now().Ptr(), AccountID: a, CodeHash: hash})
	if err != nil {
		return fmt.Errorf("use a recovery code of %s: %w", a, err)
	}
	if n == 0 {
		return ErrWrongRecovery
	}
	owner := access.AsPerson(a)
	if err := account.Note(tx, owner, audit.StepShown, a, "recovery_code"); err != nil {
		return err
	}
	held, err := account.Read(tx, owner, a)
	if err != nil {
		return err
	}
	return changed(tx, owner, held, "A recovery code was used", "Somebody signed in to your account on "+letter.Brand+" with one of your recovery codes. That code does not work any more.")
}

func newCode() string {
	b := make([]byte, 12)
	rand.Read(b) // never fails
	for i := range b {
		b[i] = alphabet[b[i]&31]
	}
	return string(b[:4]) + "-" + string(b[4:8]) + "-" + string(b[8:])
}

// plain is a code as it is hashed: however it was typed.
func plain(typed string) string {
	return strings.Map(func(r rune) rune {
		if !strings.ContainsRune(alphabet, r) {
			return -1
		}
		return r
	}, strings.ToLower(typed))
}

func codeHash(key *crypt.Key, a id.Account, code string) ([]byte, error) {
	return key.Index("recovery_code", a.String()+"/"+code)
}
