package account

import (
	"bytes"
	"errors"
	"fmt"

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

// ErrNotSignedInThere says that a device in the list is signed out already.
var ErrNotSignedInThere = fault.New(fault.Gone, "That device is signed out already.")

// Device is a session as its owner reads it in the list of devices.
type Device struct {
	ID      id.Session
	Browser string // in words; empty: it did not say
	Here    bool   // it is the one that asks
	Near    bool   // it came from the same network as the one that asks
	Place   Place
	BeganAt at.Time
	SeenAt  at.Time
}

// Devices returns where by is signed in, the one last used first. Token and
// network are those of the browser that asks.
func Devices(tx *db.Tx, by access.Actor, token secret.Token, network string) ([]Device, error) {
	if !by.SignedIn() {
		return nil, fault.NotFound
	}
	rows, err := SQL.In(tx).Sessions(tx, by.Account())
	if err != nil {
		return nil, fmt.Errorf("devices of %s: %w", by.Account(), err)
	}
	key, err := keys.Of(tx, keys.Installation)
	if err != nil {
		return nil, err
	}
	var all []Device
	for _, r := range rows {
		if over(r.SeenAt, r.EndsAt, r.Idle, tx.Now()) {
			continue
		}
		d := Device{ID: r.ID, Here: bytes.Equal(r.TokenHash, token.Hash()), Place: Place{or(r.PracticeID), or(r.ClientID)}, BeganAt: r.CreatedAt, SeenAt: r.SeenAt}
		if d.Browser, err = key.Open(r.Browser, browserPlace(r.ID)); err != nil {
			return nil, err
		}
		from, err := key.Open(r.Network, networkPlace(r.ID))
		if err != nil {
			return nil, err
		}
		d.Near = from != "" && from == network
		all = append(all, d)
	}
	return all, nil
}

// EndDevice signs by out on one of their devices.
func EndDevice(tx *db.Tx, by access.Actor, s id.Session) error {
	_, err := SQL.In(tx).EndSessionOf(tx, accountdb.EndSessionOfParams{ID: s, AccountID: by.Account()})
	if errors.Is(err, db.None) {
		return ErrNotSignedInThere
	}
	if err != nil {
		return fmt.Errorf("end session %s: %w", s, err)
	}
	return record(tx, by, audit.SignedOut, s)
}

// EndOthers signs by out everywhere but here. No browser but this one counts as
// known any more, and this one not either: it is cheap to be asked once more.
func EndOthers(tx *db.Tx, by access.Actor, keep secret.Token) error {
	s, err := Lookup(tx, keep)
	if errors.Is(err, db.None) || err == nil && s.Account != by.Account() {
		return ErrSignedOut
	}
	if err != nil {
		return err
	}
	if err := endDevices(tx, by.Account()); err != nil {
		return err
	}
	return KeepOnly(tx, by, keep)
}

// KeepOnly ends by's sessions but that of keep, if it is one: for when what by
// signs in with has changed. Their browsers stay known.
func KeepOnly(tx *db.Tx, by access.Actor, keep secret.Token) error {
	if err := SQL.In(tx).EndOtherSessions(tx, accountdb.EndOtherSessionsParams{AccountID: by.Account(), Keep: keep.Hash()}); err != nil {
		return fmt.Errorf("end other sessions of %s: %w", by.Account(), err)
	}
	return record(tx, by, audit.SignedOut, by.Account(), "others")
}

func browserPlace(s id.Session) string { return crypt.Place("session.browser", keys.Installation, s) }
func networkPlace(s id.Session) string { return crypt.Place("session.network", keys.Installation, s) }
