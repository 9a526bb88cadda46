package chat

// What is done with a file once it has arrived: it is scanned, and a picture is
// copied. The program does it itself, as nobody.

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"icouch/internal/access"
	"icouch/internal/audit"
	"icouch/internal/base/id"
	"icouch/internal/chat/chatdb"
	"icouch/internal/platform/blob"
	"icouch/internal/platform/db"
	"icouch/internal/platform/jobs"
	"icouch/internal/platform/keys"
	"icouch/internal/platform/media"
	"icouch/internal/platform/scan"
)

// errand is a file that something is to be done with.
type errand struct {
	Practice id.Practice
	File     id.Attachment
}

const (
	toScan = jobs.Kind[errand]("chat.scan")
	toCopy = jobs.Kind[errand]("chat.copy")
)

// next has done what a file waits for.
func (p *Porter) next(tx *db.Tx, e errand, s Stage) error {
	switch s {
	case Checking:
		return toScan.Enqueue(tx, e.File.String(), e)
	case Copying:
		return toCopy.Enqueue(tx, e.File.String(), e)
	}
	return nil
}

// Register has the porter's work done by q, beside its letters: a scan can take
// a minute, and so can a copy, of which the studio makes one at a time.
func (p *Porter) Register(q *jobs.Queue) {
	toScan.On(q.Aside(2), p.scan)
	copying := q.Aside(1)
	toCopy.On(copying, p.copy)
	toCopy.OnLost(copying, p.giveUp)
}

// parcel is a file in the porter's hands.
type parcel struct {
	errand
	Opened
	talk   Conversation
	author string
	there  bool // it is not taken out
}

// fetch reads the row of a file. Who does it is nobody: the program itself.
func (p *Porter) fetch(ctx context.Context, e errand) (is parcel, err error) {
	is.errand = e
	err = p.DB.View(ctx, func(tx *db.Tx) error {
		row, err := SQL.In(tx).FileByID(tx, chatdb.FileByIDParams{PracticeID: e.Practice, ID: e.File})
		if errors.Is(err, db.None) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("file %s: %w", e.File, err)
		}
		if is.talk, err = belongs(tx, e.Practice, row.ConversationID); err != nil {
			return err
		}
		is.author = row.AuthorID
		is.Opened, err = is.talk.unseal(tx, e.File, row)
		if errors.Is(err, keys.ErrNoKey) { // the record was erased
			return nil
		}
		is.there = err == nil
		return err
	})
	return is, err
}

// belongs is the conversation of a file, for the program itself.
func belongs(tx *db.Tx, practice id.Practice, c id.Conversation) (Conversation, error) {
	row, err := SQL.In(tx).Conversation(tx, chatdb.ConversationParams{PracticeID: practice, ID: c})
	if err != nil {
		return Conversation{}, fmt.Errorf("conversation %s: %w", c, err)
	}
	return read(row), nil
}

// scan has a file looked at. One that cannot be looked at waits, and the queue
// tries again; nobody opens it meanwhile.
func (p *Porter) scan(ctx context.Context, e errand) error {
	if err := p.ours(ctx); err != nil { // another installation's place has no file of ours, and ours is not to blame
		return err
	}
	is, err := p.fetch(ctx, e)
	if err != nil || !is.there {
		return err
	}
	switch is.Stage {
	case Checking:
	case Held:
		return p.Files.Remove(ctx, is.blob)
	default:
		return nil
	}
	v := scan.Verdict{State: scan.Clean}
	if p.Scanner != nil { // else: it was taken out of the configuration meanwhile
		f, err := p.Files.Open(ctx, is.blob, is.key)
		if errors.Is(err, blob.ErrNotThere) {
			return p.settle(ctx, is, Checking, Unreadable)
		}
		if err != nil {
			return err
		}
		defer f.Close()
		if v, err = p.Scanner.Scan(ctx, f); err != nil {
			return err
		}
	}
	if v.State == scan.Infected {
		if err := p.settle(ctx, is, Checking, Held); err != nil {
			return err
		}
		return p.Files.Remove(ctx, is.blob)
	}
	return p.settle(ctx, is, Checking, afterScan(is.Type))
}

// settle notes how far a file has come, and wakes the pages that show it.
func (p *Porter) settle(ctx context.Context, is parcel, was, now Stage) error {
	return p.DB.Maintain(ctx, func(tx *db.Tx) error {
		done, err := is.change(tx, func() (*id.Message, error) {
			return SQL.In(tx).MoveFile(tx, chatdb.MoveFileParams{State: string(now), PracticeID: is.Practice, ID: is.ID, Was: string(was)})
		})
		if err != nil || !done { // or another was quicker, or it was taken out
			return err
		}
		by := access.Job(is.Practice)
		switch now {
		case Held:
			err = audit.Record(tx, by, audit.Deed{Did: audit.FileHeld, Subject: is.ID, Client: is.talk.Client})
		case Unreadable:
			err = audit.Record(tx, by, audit.Deed{Did: audit.FileUnreadable, Subject: is.ID, Client: is.talk.Client})
		}
		if err != nil {
			return err
		}
		if err := p.next(tx, is.errand, now); err != nil {
			return err
		}
		return is.talk.tell(tx)
	})
}

// copy puts copies in the place of a picture that came: a large one and a small
// one, of the picture and nothing else. The key of what came goes with that; the
// rest of it is swept a day later, so that a backup under way misses nothing.
func (p *Porter) copy(ctx context.Context, e errand) error {
	if err := p.ours(ctx); err != nil { // another installation's place has no file of ours, and ours is not to blame
		return err
	}
	is, err := p.fetch(ctx, e)
	if err != nil || !is.there || is.Stage != Copying {
		return err
	}
	if is.Type.HEIC() && p.spoilt.often(p.DB.Clock(), is.author) {
		return p.discard(ctx, is)
	}
	large, small, pic, err := p.develop(ctx, is)
	if err != nil {
		return p.fail(ctx, is, err)
	}
	done := false
	err = p.DB.Maintain(ctx, func(tx *db.Tx) error {
		done, err = is.replace(tx, large, small, pic)
		if err != nil || !done {
			return err
		}
		return is.talk.tell(tx)
	})
	if err != nil || !done { // or another was quicker, or it was taken out
		kept := context.WithoutCancel(ctx)
		return errors.Join(err, p.Files.Remove(kept, large.Name), p.Files.Remove(kept, small.Name))
	}
	return nil
}

// tries is how often a picture is opened that may not be to blame that it was not.
const tries = 5

// fail decides what becomes of a picture that was not copied: one that is to blame
// is taken away, and any other comes again.
func (p *Porter) fail(ctx context.Context, is parcel, err error) error {
	for _, bad := range []error{media.ErrUnreadable, media.ErrTooLarge, blob.ErrTooLarge, blob.ErrNotThere} { // blob's: the copy of a small file may be a large one
		if errors.Is(err, bad) {
			p.spoilt.add(p.DB.Clock(), is.author)
			return p.discard(context.WithoutCancel(ctx), is)
		}
	}
	if errors.Is(err, media.ErrNotNow) && jobs.Attempt(ctx) >= tries {
		return p.discard(context.WithoutCancel(ctx), is)
	}
	return err
}

// giveUp is for a picture over which the program was killed again and again.
func (p *Porter) giveUp(ctx context.Context, e errand) error {
	if err := p.ours(ctx); err != nil {
		return err
	}
	is, err := p.fetch(ctx, e)
	if err != nil || !is.there || is.Opened.File.Stage != Copying {
		return err
	}
	return p.discard(ctx, is)
}

// discard takes away a picture that cannot be copied, and says so.
func (p *Porter) discard(ctx context.Context, is parcel) error {
	if err := p.settle(ctx, is, Copying, Unreadable); err != nil {
		return err
	}
	return p.Files.Remove(ctx, is.blob)
}

// develop makes the copies.
func (p *Porter) develop(ctx context.Context, is parcel) (large, small blob.Stored, pic media.Picture, err error) {
	f, err := p.Files.Open(ctx, is.blob, is.key)
	if err != nil {
		return large, small, pic, err
	}
	defer f.Close()
	w, err := p.Files.Create()
	if err != nil {
		return large, small, pic, err
	}
	if pic, err = p.Studio.Copy(ctx, w, f, is.Type); err != nil {
		return large, small, pic, errors.Join(err, w.Abort())
	}
	if large, err = w.Commit(ctx); err != nil {
		return large, small, pic, err
	}
	if small, err = p.Files.Store(ctx, bytes.NewReader(pic.Preview)); err != nil {
		return large, small, pic, errors.Join(err, p.Files.Remove(context.WithoutCancel(ctx), large.Name))
	}
	return large, small, pic, nil
}

// replace notes the copies in the row of what came, and reports whether it did.
func (is parcel) replace(tx *db.Tx, large, small blob.Stored, pic media.Picture) (bool, error) {
	key, err := is.talk.key(tx)
	if err != nil {
		return false, err
	}
	row := chatdb.FileCopiedParams{Type: string(pic.Type), Size: large.Size, Blob: string(large.Name), Width: int64(pic.Width), Height: int64(pic.Height), PracticeID: is.Practice, ID: is.ID}
	if row.Name, err = key.Seal(media.CleanName(is.Name, pic.Type), filePlace("name", is.Practice, is.ID)); err != nil {
		return false, err
	}
	if row.Key, err = key.Seal(large.Key.Reveal(), filePlace("key", is.Practice, is.ID)); err != nil {
		return false, err
	}
	if row.SmallKey, err = key.Seal(small.Key.Reveal(), filePlace("small_key", is.Practice, is.ID)); err != nil {
		return false, err
	}
	at := string(small.Name)
	row.Small = &at
	return is.change(tx, func() (*id.Message, error) { return SQL.In(tx).FileCopied(tx, row) })
}

// change changes the row of a file, as a change of its message if it was sent,
// and reports whether there was something to change. Whoever sends it meanwhile
// waits: they hold the conversation, too.
func (is parcel) change(tx *db.Tx, do func() (*id.Message, error)) (bool, error) {
	number, err := is.talk.nextChange(tx)
	if err != nil {
		return false, err
	}
	m, err := do()
	if errors.Is(err, db.None) {
		return false, nil
	}
	if err == nil && m != nil {
		err = SQL.In(tx).MarkChanged(tx, chatdb.MarkChangedParams{Change: number, PracticeID: is.Practice, ID: *m})
	}
	if err != nil {
		return false, fmt.Errorf("file %s: %w", is.ID, err)
	}
	return true, nil
}
