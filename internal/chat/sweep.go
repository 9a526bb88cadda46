package chat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"icouch/internal/base/at"
	"icouch/internal/chat/chatdb"
	"icouch/internal/platform/blob"
	"icouch/internal/platform/db"
)

// stale is how long what was attached waits to be sent.
const stale = 24 * time.Hour

// Sweep takes away what was attached and not sent for a day.
func (p *Porter) Sweep(ctx context.Context) error {
	var gone []chatdb.DropStaleRow
	err := p.DB.Maintain(ctx, func(tx *db.Tx) (err error) {
		gone, err = SQL.In(tx).DropStale(tx, tx.Now().Plus(-stale))
		return err
	})
	for _, r := range gone {
		err = errors.Join(err, p.forget(ctx, r.Blob, r.Small))
	}
	return err
}

// SweepOrphans takes away files that no row has and that are older than a day:
// what a crash left behind, and what a copy has replaced. It walks through all
// files, so it is not for every few minutes. Nobody else keeps files; whoever
// begins to has to be asked here, too.
func (p *Porter) SweepOrphans(ctx context.Context) error {
	before := at.Of(p.DB.Clock()).Plus(-stale)
	var old []blob.Name
	wrong := p.Files.Each(ctx, func(i blob.Info) error {
		if i.Since.Before(before.Time) {
			old = append(old, i.Name)
		}
		if len(old) < 500 {
			return nil
		}
		some := old
		old = nil
		return p.dropOrphans(ctx, some)
	})
	return errors.Join(wrong, p.dropOrphans(ctx, old))
}

func (p *Porter) dropOrphans(ctx context.Context, some []blob.Name) error {
	if len(some) == 0 {
		return nil
	}
	names, err := json.Marshal(some)
	if err != nil {
		return err
	}
	kept := map[string]bool{}
	err = p.DB.View(ctx, func(tx *db.Tx) error {
		all, err := SQL.In(tx).Kept(tx, string(names))
		for _, n := range all {
			kept[n] = true
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("files without a row: %w", err)
	}
	for _, n := range some {
		if !kept[string(n)] {
			err = errors.Join(err, p.Files.Remove(ctx, n))
		}
	}
	return err
}
