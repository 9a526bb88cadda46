package chat

import (
	"context"
	"encoding/hex"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"icouch/internal/base/fault"
	"icouch/internal/platform/blob"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

// Into a place that may be another installation's nothing is put, and nothing is
// swept from it: they would sweep away what they have no row of, and we what is
// theirs. While it is not known whose it is, the rest of the site works.

// ErrNoPlace is for who attaches a file meanwhile.
var ErrNoPlace = fault.On("files", fault.Busy, "No file can be taken in at the moment. Send your message without it, or attach it in a few minutes.")

const (
	claimWait  = 5 * time.Second  // how long the place has to answer somebody who attaches a file
	claimAgain = 10 * time.Second // how soon after it has not, it is asked anew
)

// claim is what a porter knows of whose the place of the files is.
type claim struct {
	ours  atomic.Bool
	mu    sync.Mutex // whoever asks anew holds it
	asked time.Time  // last, in vain
	told  bool       // that it was in vain
}

// Claim sees to it that the store is this installation's: see blob.Store.Claim.
// Its mark is made from a key that stays, and says nothing.
func (p *Porter) Claim(ctx context.Context) error {
	var mark []byte
	err := p.DB.View(ctx, func(tx *db.Tx) error {
		key, err := keys.Of(tx, keys.Installation)
		if err != nil {
			return err
		}
		mark, err = key.Index("store", "files")
		return err
	})
	if err != nil {
		return err
	}
	err = p.Files.Claim(ctx, hex.EncodeToString(mark))
	switch {
	case err == nil:
		p.claim.ours.Store(true)
	case errors.Is(err, blob.ErrOthers): // also: since we last asked
		p.claim.ours.Store(false)
	}
	return err
}

// ours is ErrNoPlace until the store is known to be this installation's. Many
// who ask at once wait for one answer.
func (p *Porter) ours(ctx context.Context) error {
	c := &p.claim
	if c.ours.Load() {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ours.Load() {
		return nil
	}
	if p.DB.Clock().Sub(c.asked).Abs() < claimAgain {
		return ErrNoPlace
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), claimWait)
	defer stop()
	err := p.Claim(ctx)
	if err == nil {
		c.told = false
		return nil
	}
	c.asked = p.DB.Clock()
	if !c.told && p.Trouble != nil {
		c.told = true
		p.Trouble(err)
	}
	return ErrNoPlace
}
