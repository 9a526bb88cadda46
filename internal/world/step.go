package world

import (
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/account/factor"
	"icouch/internal/base/email"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/platform/db"
)

// seed is what an authenticator makes its codes from, and when the last code
// that it showed was good.
type seed struct {
	factor.Seed
	last int64
}

// Arm gives a person an authenticator, and recovery codes beside it. Their letters
// are not ones that tests look for, so they are taken back.
func (w *World) Arm(t testing.TB, who id.Account) {
	t.Helper()
	s := &seed{factor.NewSeed(), w.Now().Unix()/30 - 1} // the code before: now's is still to be used
	code, err := s.Code(time.Unix(s.last*30, 0))
	if err != nil {
		t.Fatal(err)
	}
	w.Update(t, func(tx *db.Tx) error {
		if err := factor.SetAuthenticator(tx, access.AsPerson(who), s.Seed, code, secret.NewToken()); err != nil {
			return err
		}
		_, err := factor.NewCodes(tx, access.AsPerson(who))
		return err
	})
	for range 2 { // letters
		for _, undo := range []func() error{
			func() error {
				return w.DB.Exec(t.Context(), `DELETE FROM job WHERE about LIKE '%' || (SELECT MAX(id) FROM letter WHERE account_id = $1 AND kind = 'security') || '%'`, who.String())
			},
			func() error {
				return w.DB.Exec(t.Context(), "DELETE FROM letter WHERE id = (SELECT MAX(id) FROM letter WHERE account_id = $1 AND kind = 'security')", who.String())
			},
		} {
			if err := undo(); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.seeds[who] = s
}

// Who is the account with an address.
func (w *World) Who(t testing.TB, address string) (who id.Account) {
	t.Helper()
	e, err := email.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	w.View(t, func(tx *db.Tx) error {
		a, err := account.ByEmail(tx, access.Guest(), e)
		who = a.ID
		return err
	})
	return who
}

// Code is what a person's authenticator shows next. A code works once, so
// the clock moves on by half a minute where that is needed.
func (w *World) Code(t testing.TB, who id.Account) string {
	t.Helper()
	s := w.seeds[who]
	if s == nil {
		t.Fatal("this person has no authenticator")
	}
	if now := w.Now().Unix() / 30; now > s.last {
		s.last = now
	} else {
		s.last++
		w.Pass(30 * time.Second)
	}
	code, err := s.Code(time.Unix(s.last*30, 0))
	if err != nil {
		t.Fatal(err)
	}
	return code
}
