package chat

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"time"

	"icouch/internal/access"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/chat/chatdb"
	"icouch/internal/platform/blob"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
	"icouch/internal/platform/limit"
	"icouch/internal/platform/media"
	"icouch/internal/platform/scan"
)

// Porter takes in what people attach, has it scanned and copied, and hands it
// out. What is in a file never passes through a transaction: the porter asks in
// one whether it may, moves bytes, and notes in another what became of them. As
// with a draft, what is attached and not sent leaves no line in the trail.
type Porter struct {
	DB      *db.DB
	Files   *blob.Store
	Studio  *media.Studio
	Scanner *scan.Clamd // nil: none is set up, and nothing waits for it
	Trouble func(error) // is told once why no file is taken in: see claim

	claim  claim
	spoilt spoilt
}

// Draft is a file as a page announces it. All of it is the browser's word, but
// for the size, which is held against what arrives.
type Draft struct {
	ID   id.Attachment
	Name string
	Size int64
	With id.Message // the message whose form brings it: brought with it again, it is the same file
}

// Arrival is how far an upload has come.
type Arrival struct {
	Offset int64 // so many bytes are on the disk
	Whole  bool  // it is a file now
	File   File  // if it is
}

// AskAgain reports whether an error says nothing about a file that is sent, and
// only that another request was at work on it, or further: its page asks how far
// it has come, and goes on.
func AskAgain(err error) bool { return errors.Is(err, blob.ErrBusy) || errors.Is(err, blob.ErrOffset) }

// Begin makes room for a file. Begun again, it says how far it has come.
func (p *Porter) Begin(ctx context.Context, by access.Actor, conversation id.Conversation, d Draft) (Arrival, error) {
	switch {
	case d.Size <= 0:
		return Arrival{}, ErrEmptyFile
	case d.Size > MostBytes:
		return Arrival{}, ErrLargeFile
	}
	err := p.DB.View(ctx, func(tx *db.Tx) error { _, err := writable(tx, by, conversation); return err })
	if err != nil {
		return Arrival{}, err
	}
	if err := p.ours(ctx); err != nil {
		return Arrival{}, err
	}
	u, err := p.Files.Begin(d.Size)
	if err != nil {
		return Arrival{}, err
	}
	added, err := p.note(ctx, by, conversation, incoming{d.ID, d.Name, Arriving, "", u.Size, u.Name, u.Key})
	if err == nil && added {
		return Arrival{}, nil
	}
	if wrong := p.Files.Abandon(ctx, u.Name); err != nil || wrong != nil {
		return Arrival{}, errors.Join(err, wrong)
	}
	return p.Arrived(ctx, by, conversation, d.ID)
}

// incoming is a file as it is first noted.
type incoming struct {
	id    id.Attachment
	name  string
	stage Stage
	t     media.Type
	size  int64
	blob  blob.Name
	key   crypt.FileKey
}

// mostWaiting is how many files of one person can wait to be sent.
const mostWaiting = 30

// bytesRule is how much somebody can attach. It is counted where a file is added:
// one that was begun before, and one that is refused, count nothing.
var bytesRule = limit.Rule{Name: "file/bytes", Most: 2 << 30, Per: 24 * time.Hour}

// note adds a file to what by has not sent, and reports whether it was new.
func (p *Porter) note(ctx context.Context, by access.Actor, conversation id.Conversation, f incoming) (added bool, err error) {
	err = p.DB.Maintain(ctx, func(tx *db.Tx) error {
		c, err := writable(tx, by, conversation)
		if err != nil {
			return err
		}
		// Whoever attaches holds the conversation: what waits is counted by one at a time.
		if _, err := SQL.In(tx).HoldConversation(tx, chatdb.HoldConversationParams{PracticeID: c.practice, ID: c.ID}); err != nil {
			return fmt.Errorf("hold %s: %w", c.ID, err)
		}
		key, err := c.key(tx)
		if err != nil {
			return err
		}
		called := clip(f.name)
		if f.stage != Arriving { // what it is, is known
			called = media.CleanName(called, f.t)
		}
		name, err := key.Seal(called, filePlace("name", c.practice, f.id))
		if err != nil {
			return err
		}
		sealed, err := key.Seal(f.key.Reveal(), filePlace("key", c.practice, f.id))
		if err != nil {
			return err
		}
		n, err := SQL.In(tx).AddFile(tx, chatdb.AddFileParams{PracticeID: c.practice, ID: f.id, ConversationID: c.ID, AuthorID: c.reader, State: string(f.stage), Type: string(f.t), Size: f.size, Name: name, Blob: string(f.blob), Key: sealed, Now: tx.Now()})
		if err != nil {
			return fmt.Errorf("file %s: %w", f.id, err)
		}
		if added = n > 0; !added {
			return nil
		}
		waits, err := SQL.In(tx).Unsent(tx, chatdb.UnsentParams{PracticeID: c.practice, AuthorID: c.reader})
		if err != nil {
			return fmt.Errorf("file %s: %w", f.id, err)
		}
		if waits.Bytes > MostUnsent || waits.Files > mostWaiting {
			return ErrMuchUnsent
		}
		if err := bytesRule.TakeSome(tx, by.Account().String(), f.size); errors.Is(err, limit.ErrTooOften) {
			return ErrManyBytes
		} else if err != nil {
			return err
		}
		return p.next(tx, errand{c.practice, f.id}, f.stage)
	})
	return added && err == nil, err
}

// clip bounds what a browser may call a file, before anybody looks at it.
func clip(name string) string { return name[:min(len(name), 1000)] }

// writable is a conversation in which by may write to somebody who reads it.
func writable(tx *db.Tx, by access.Actor, conversation id.Conversation) (Conversation, error) {
	c, err := Find(tx, by, conversation)
	switch {
	case err != nil:
		return c, err
	case !c.Writes:
		return c, ErrOnlyReads
	case !c.Reaches:
		return c, ErrUnreached
	}
	return c, nil
}

// coming is an upload of by's own.
type coming struct {
	upload blob.Upload
	file   File
}

// coming finds what by is attaching. One that was sent, and another's, is not there.
func (p *Porter) coming(ctx context.Context, by access.Actor, conversation id.Conversation, file id.Attachment) (is coming, err error) {
	err = p.DB.View(ctx, func(tx *db.Tx) error {
		c, err := Find(tx, by, conversation)
		if err != nil {
			return err
		}
		row, err := c.file(tx, file)
		if err != nil {
			return err
		}
		if row.MessageID != nil || row.AuthorID != c.reader || !c.Writes {
			return fault.NotFound
		}
		o, err := c.unseal(tx, file, row)
		is = coming{blob.Upload{Name: o.blob, Key: o.key, Size: o.Size}, o.File}
		return err
	})
	return is, err
}

func (is coming) whole() (Arrival, bool) {
	return Arrival{Offset: is.file.Size, Whole: true, File: is.file}, is.file.Stage != Arriving
}

// Arrived says how far an upload of by's has come.
func (p *Porter) Arrived(ctx context.Context, by access.Actor, conversation id.Conversation, file id.Attachment) (Arrival, error) {
	is, err := p.coming(ctx, by, conversation, file)
	if err != nil {
		return Arrival{}, err
	}
	if a, whole := is.whole(); whole {
		return a, nil
	}
	offset, err := p.Files.Offset(ctx, is.upload)
	if errors.Is(err, blob.ErrNoUpload) { // perhaps it is a file already, and only its row does not know
		return p.finish(ctx, by, conversation, is)
	}
	return Arrival{Offset: offset}, err
}

// Append takes in what comes next of an upload of by's, and says how far it has
// come then: so much is on the disk, also beside an error.
func (p *Porter) Append(ctx context.Context, by access.Actor, conversation id.Conversation, file id.Attachment, offset int64, r io.Reader) (Arrival, error) {
	is, err := p.coming(ctx, by, conversation, file)
	if err != nil {
		return Arrival{}, err
	}
	if a, whole := is.whole(); whole {
		return a, nil
	}
	n, err := p.Files.Append(ctx, is.upload, offset, r)
	if errors.Is(err, blob.ErrNoUpload) || err == nil && n == is.upload.Size {
		return p.finish(ctx, by, conversation, is)
	}
	return Arrival{Offset: n}, err
}

// finish makes a file of an upload that has arrived completely.
func (p *Porter) finish(ctx context.Context, by access.Actor, conversation id.Conversation, is coming) (Arrival, error) {
	if err := p.ours(ctx); err != nil { // it was begun before a new start
		return Arrival{}, err
	}
	done, err := p.Files.Finish(ctx, is.upload)
	if err != nil {
		return Arrival{}, err
	}
	t, err := p.typeOf(ctx, done)
	if errors.Is(err, ErrHEIC) {
		return Arrival{}, errors.Join(err, p.Drop(ctx, by, conversation, is.file.ID))
	}
	if err != nil {
		return Arrival{}, err
	}
	f := is.file
	f.Type, f.Name, f.Stage = t, media.CleanName(f.Name, t), p.first(t)
	err = p.DB.Maintain(ctx, func(tx *db.Tx) error {
		c, err := Find(tx, by, conversation)
		if err != nil {
			return err
		}
		key, err := c.key(tx)
		if err != nil {
			return err
		}
		name, err := key.Seal(f.Name, filePlace("name", c.practice, f.ID))
		if err != nil {
			return err
		}
		n, err := SQL.In(tx).FileArrived(tx, chatdb.FileArrivedParams{State: string(f.Stage), Type: string(t), Name: name, PracticeID: c.practice, ID: f.ID})
		if err != nil {
			return fmt.Errorf("file %s: %w", f.ID, err)
		}
		if n == 0 { // another request was quicker
			return nil
		}
		return p.next(tx, errand{c.practice, f.ID}, f.Stage)
	})
	return Arrival{Offset: f.Size, Whole: err == nil, File: f}, err
}

// typeOf looks at how a file begins.
func (p *Porter) typeOf(ctx context.Context, s blob.Stored) (media.Type, error) {
	f, err := p.Files.Open(ctx, s.Name, s.Key)
	if err != nil {
		return "", err
	}
	defer f.Close()
	head := make([]byte, media.HeadSize)
	n, err := io.ReadFull(f, head)
	if err != nil && err != io.ErrUnexpectedEOF && err != io.EOF {
		return "", err
	}
	t := media.Detect(head[:n])
	if t.HEIC() && !p.Studio.OpensHEIC() {
		return t, ErrHEIC
	}
	return t, nil
}

// first is where a file that has arrived begins.
func (p *Porter) first(t media.Type) Stage {
	if p.Scanner != nil {
		return Checking
	}
	return afterScan(t)
}

// afterScan is where it stands once nothing was found in it.
func afterScan(t media.Type) Stage {
	if t.Picture() {
		return Copying
	}
	return Ready
}

// Take takes in a file whole, as a form without script sends it. A form that is
// pressed twice brings its files twice: each has one identifier, and is there once.
func (p *Porter) Take(ctx context.Context, by access.Actor, conversation id.Conversation, d Draft, r io.Reader) (File, error) {
	err := p.DB.View(ctx, func(tx *db.Tx) error { _, err := writable(tx, by, conversation); return err })
	if err != nil {
		return File{}, err
	}
	if err := p.ours(ctx); err != nil {
		return File{}, err
	}
	content := sha256.New()
	done, err := p.takeIn(ctx, io.TeeReader(r, content))
	if err != nil {
		return File{}, err
	}
	t, err := p.typeOf(ctx, done)
	if err == nil && d.With != "" {
		d.ID, err = p.sameOf(ctx, by, conversation, d, content.Sum(nil))
	}
	added := false
	if err == nil {
		added, err = p.note(ctx, by, conversation, incoming{d.ID, d.Name, p.first(t), t, done.Size, done.Name, done.Key})
	}
	if !added {
		err = errors.Join(err, p.Files.Remove(ctx, done.Name))
	}
	if err != nil {
		return File{}, err
	}
	return File{ID: d.ID, Name: media.CleanName(clip(d.Name), t), Type: t, Size: done.Size, Stage: p.first(t)}, nil
}

// takeIn keeps what comes, if it is neither empty nor too large.
func (p *Porter) takeIn(ctx context.Context, r io.Reader) (done blob.Stored, err error) {
	w, err := p.Files.Create()
	if err != nil {
		return done, err
	}
	n, err := io.Copy(w, io.LimitReader(r, MostBytes+1))
	switch {
	case err != nil:
	case n == 0:
		err = ErrEmptyFile
	case n > MostBytes:
		err = ErrLargeFile
	}
	if err != nil {
		return done, errors.Join(err, w.Abort())
	}
	return w.Commit(ctx)
}

// sameOf is the identifier of a file that comes with a message's form: the same
// for the same content and name, with that message, from its author. Nobody can
// tell the content by it who does not have the practice's key.
func (p *Porter) sameOf(ctx context.Context, by access.Actor, conversation id.Conversation, d Draft, content []byte) (f id.Attachment, err error) {
	b, err := d.With.Bytes()
	if err != nil {
		return "", err
	}
	err = p.DB.View(ctx, func(tx *db.Tx) error {
		key, err := keys.Of(tx, by.Practice())
		if err != nil {
			return err
		}
		mark, err := key.Index("attachment/"+conversation.String()+"/"+me(by)+"/"+d.With.String(), string(content)+clip(d.Name))
		if err != nil {
			return err
		}
		copy(b[6:], mark) // what goes before is the time
		b[6], b[8] = 0x70|b[6]&0x0f, 0x80|b[8]&0x3f
		return nil
	})
	return id.Of[id.Attachment](b), err
}

// Drop takes out what by has attached and not sent. What is out already is no error.
func (p *Porter) Drop(ctx context.Context, by access.Actor, conversation id.Conversation, file id.Attachment) error {
	var was chatdb.DropFileRow
	err := p.DB.Maintain(ctx, func(tx *db.Tx) error {
		c, err := Find(tx, by, conversation)
		if err != nil {
			return err
		}
		was, err = SQL.In(tx).DropFile(tx, chatdb.DropFileParams{PracticeID: c.practice, ID: file, ConversationID: c.ID, AuthorID: c.reader})
		if errors.Is(err, db.None) {
			return fault.NotFound
		}
		if err != nil {
			return fmt.Errorf("take %s out: %w", file, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return p.forget(ctx, was.Blob, was.Small)
}

// forget takes away what was kept under names that no row has any more.
func (p *Porter) forget(ctx context.Context, name string, small *string) error {
	n, err := blob.ParseName(name)
	if err != nil {
		return err
	}
	err = errors.Join(p.Files.Abandon(ctx, n), p.Files.Remove(ctx, n))
	if small != nil {
		if n, wrong := blob.ParseName(*small); wrong == nil {
			err = errors.Join(err, p.Files.Remove(ctx, n))
		}
	}
	return err
}

// Content is what is in a file that somebody may open.
func (p *Porter) Content(ctx context.Context, o Opened) (*blob.File, error) {
	return p.Files.Open(ctx, o.blob, o.key)
}
