package chat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"icouch/internal/base/at"
	"icouch/internal/chat/chatdb"
	"icouch/internal/platform/blob"
	"icouch/internal/platform/db"
)

// stale is how long what was attached waits to be sent.
const stale = 24 * time.Hour

// Sweep takes away what was attached and not sent for a day, and what is left of
// uploads, if the place of the files is ours.
func (p *Porter) Sweep(ctx context.Context) error {
	if p.ours(ctx) != nil { // it was told already, and the next time does for this one
		return nil
	}
	var gone []chatdb.DropStaleRow
	err := p.DB.Maintain(ctx, func(tx *db.Tx) (err error) {
		gone, err = SQL.In(tx).DropStale(tx, tx.Now().Plus(-stale))
		return err
	})
	for _, r := range gone {
		err = errors.Join(err, p.forget(ctx, r.Blob, r.Small))
	}
	return errors.Join(err, p.Files.Sweep(ctx, p.DB.Clock()))
}

// A store of which more than half, and more than a few, would go is another
// installation's, or this database is an old copy of its own.
const fewOrphans = 100

// ErrNotOurs says that the files of a store are not those of this database.
var ErrNotOurs = errors.New("chat: most files in the store belong to no row of this database, so none is swept: is it another installation's store, or an old copy of the database")

// SweepOrphans takes away files that no row has and that are older than a day:
// what a crash left behind, and what a copy has replaced. It walks through all
// files, so it is not for every few minutes. Nobody else keeps files; whoever
// begins to has to be asked here, too. Of a store that is somebody else's, or
// looks like it, it takes nothing: a copy leaves one file of three behind, and no
// more.
func (p *Porter) SweepOrphans(ctx context.Context) error {
	if err := p.Claim(ctx); err != nil {
		return err
	}
	before := at.Of(p.DB.Clock()).Plus(-stale)
	var old, orphans []blob.Name
	all := 0
	look := func() error {
		some, err := p.orphans(ctx, old)
		orphans, old = append(orphans, some...), nil
		return err
	}
	err := p.Files.Each(ctx, func(i blob.Info) error {
		all++
		if i.Since.Before(before.Time) {
			old = append(old, i.Name)
		}
		if len(old) < 500 {
			return nil
		}
		return look()
	})
	if err := errors.Join(err, look()); err != nil {
		return err
	}
	if len(orphans) > fewOrphans && 2*len(orphans) > all {
		return ErrNotOurs
	}
	for _, n := range orphans {
		err = errors.Join(err, p.Files.Remove(ctx, n))
	}
	return err
}

// orphans are those of some files that no row has.
func (p *Porter) orphans(ctx context.Context, some []blob.Name) ([]blob.Name, error) {
	if len(some) == 0 {
		return nil, nil
	}
	names, err := json.Marshal(some)
	if err != nil {
		return nil, err
	}
	kept := map[blob.Name]bool{}
	err = p.DB.View(ctx, func(tx *db.Tx) error {
		all, err := SQL.In(tx).Kept(tx, string(names))
		for _, n := range all {
			kept[blob.Name(n)] = true
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("files without a row: %w", err)
	}
	return slices.DeleteFunc(some, func(n blob.Name) bool { return kept[n] }), nil
}
