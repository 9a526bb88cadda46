package account

import (
	"context"
	"errors"
	"fmt"
	"time"

	"icouch/internal/platform/db"
)

// How long what has ended is kept. A dead link still says what became of it for
// a month; after that it is like one that never was.
const (
	sessionKept = 24 * time.Hour
	linkKept    = 30 * 24 * time.Hour
	deviceKept  = 400 * 24 * time.Hour // as long as browsers keep its cookie
)

// Sweep throws away sessions, links and browsers whose time is long over.
func Sweep(ctx context.Context, d *db.DB) error {
	err := d.Maintain(ctx, func(tx *db.Tx) error {
		q, now := SQL.In(tx), tx.Now()
		return errors.Join(
			q.SweepSessions(tx, now.Plus(-sessionKept)),
			q.SweepDevices(tx, now.Plus(-deviceKept)),
			q.SweepForms(tx, now.Plus(-sessionKept)),
			q.SweepEntries(tx, now),
			q.SweepChallenges(tx, now),
			q.SweepSignUps(tx, now.Plus(-linkKept)),
			q.SweepLinks(tx, now.Plus(-linkKept)))
	})
	if err != nil {
		return fmt.Errorf("sweep accounts: %w", err)
	}
	return nil
}
