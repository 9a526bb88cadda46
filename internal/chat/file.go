package chat

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"icouch/internal/access"
	"icouch/internal/audit"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/chat/chatdb"
	"icouch/internal/platform/blob"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/media"
)

// What may be attached. A file of the largest size still passes a scanner that
// is set up as Debian does it.
const (
	MostFiles  = 10        // with one message
	MostBytes  = 25 << 20  // in one file
	MostUnsent = 100 << 20 // attached by one person and not sent yet
)

// What people are told about files.
var (
	ErrLargeFile  = fault.On("files", fault.Invalid, "This file is too large. A file can have up to 25 MB.")
	ErrEmptyFile  = fault.On("files", fault.Invalid, "This file is empty. Choose another one.")
	ErrManyFiles  = fault.On("files", fault.Invalid, "A message can have up to 10 files. Send the others with another one.")
	ErrMuchUnsent = fault.On("files", fault.Conflict, "You have attached more than can wait: 100 MB, or 30 files. Send what is there first, or remove something.")
	ErrManyBytes  = fault.On("files", fault.Busy, "You have attached as much as can be taken in one day: 2 GB. Attach this file tomorrow.")
	ErrFileGone   = fault.On("files", fault.Conflict, "One of the files is not here any more, or has not arrived completely. Choose it again.")
	ErrFileHeld   = fault.On("files", fault.Conflict, "A virus was found in one of the files. It was not sent. Remove it, and send the rest.")
	ErrNoPicture  = fault.On("files", fault.Conflict, "One of the pictures could not be read. Remove it, or send it as a JPEG.")
	ErrHEIC       = fault.On("files", fault.Invalid, "This photo is in Apple’s HEIC format, which cannot be shown here. Send it as a JPEG: on an iPhone, choose it from Photos and not from Files, or set Camera, Formats to “Most Compatible”.")
	ErrNotReady   = fault.New(fault.Conflict, "This file is still being checked. Try again in a moment.")
	ErrPassOver   = fault.New(fault.Gone, "This address of a file works for a few minutes, and only for whom it was made. Open the file from the conversation.")
)

// Stage is how far a file has come.
type Stage string

// The stages.
const (
	Arriving   Stage = "arriving"
	Checking   Stage = "checking" // waits to be scanned; until then nobody opens it
	Copying    Stage = "copying"  // a picture, waiting to be copied without its place and camera
	Ready      Stage = "ready"
	Held       Stage = "held"       // a virus was found; there is nothing left of it
	Unreadable Stage = "unreadable" // a picture that cannot be copied; it was not kept
)

// File is what was attached to a message.
type File struct {
	ID            id.Attachment
	Name          string
	Type          media.Type
	Size          int64
	Stage         Stage
	Width, Height int64 // of the small copy, if it is a picture
}

// Picture reports whether a page may show it.
func (f File) Picture() bool { return f.Type.Picture() }

// Sound reports whether a page may play it.
func (f File) Sound() bool { return f.Type.Sound() }

// Shown reports whether a browser may open it by itself; all else is saved.
func (f File) Shown() bool { return f.Type.Shown() }

// Kind is what it is, in a word.
func (f File) Kind() string { return f.Type.Words() }

// Pending reports whether something is still to happen to it.
func (f File) Pending() bool { return f.Stage == Checking || f.Stage == Copying }

// filesOf are the files of some messages.
func (c Conversation) filesOf(tx *db.Tx, key *crypt.Key, rows []chatdb.AfterRow) (map[id.Message][]File, error) {
	var with []id.Message
	for _, r := range rows {
		if r.Files > 0 && r.TakenAt == nil {
			with = append(with, r.ID)
		}
	}
	if len(with) == 0 {
		return nil, nil
	}
	ids, err := list(with)
	if err != nil {
		return nil, err
	}
	found, err := SQL.In(tx).FilesOf(tx, chatdb.FilesOfParams{PracticeID: c.practice, Ids: ids})
	if err != nil {
		return nil, fmt.Errorf("files of %s: %w", c.ID, err)
	}
	all := map[id.Message][]File{}
	for _, r := range found {
		name, err := key.Open(r.Name, filePlace("name", c.practice, r.ID))
		if err != nil {
			return nil, err
		}
		m := *r.MessageID // they were found by it
		all[m] = append(all[m], File{r.ID, name, media.Type(r.Type), r.Size, Stage(r.State), r.Width, r.Height})
	}
	return all, nil
}

// Unsent are the files that by has attached in a conversation and not sent.
func Unsent(tx *db.Tx, by access.Actor, c Conversation) (all []File, err error) {
	if !c.Writes || c.reader != me(by) {
		return nil, nil
	}
	rows, err := SQL.In(tx).UnsentIn(tx, chatdb.UnsentInParams{PracticeID: c.practice, AuthorID: c.reader, ConversationID: c.ID})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	key, err := c.key(tx)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		name, err := key.Open(r.Name, filePlace("name", c.practice, r.ID))
		if err != nil {
			return nil, err
		}
		all = append(all, File{r.ID, name, media.Type(r.Type), r.Size, Stage(r.State), r.Width, r.Height})
	}
	return all, nil
}

// sentWith are the files of a message in their order, also of one that was taken back.
func (c Conversation) sentWith(tx *db.Tx, m id.Message) (files []id.Attachment, err error) {
	ids, err := list([]id.Message{m})
	if err != nil {
		return nil, err
	}
	rows, err := SQL.In(tx).FilesOf(tx, chatdb.FilesOfParams{PracticeID: c.practice, Ids: ids})
	if err != nil {
		return nil, fmt.Errorf("files of %s: %w", m, err)
	}
	for _, r := range rows {
		files = append(files, r.ID)
	}
	return files, nil
}

// attach ties files that have arrived to a message of their author's, each once.
func (c Conversation) attach(tx *db.Tx, m id.Message, files []id.Attachment) error {
	for i, f := range files {
		n, err := SQL.In(tx).AttachFile(tx, chatdb.AttachFileParams{MessageID: &m, Place: int64(i), PracticeID: c.practice, ID: f, ConversationID: c.ID, AuthorID: c.reader})
		if err != nil {
			return fmt.Errorf("attach %s: %w", f, err)
		}
		if n == 0 {
			return c.whyNot(tx, f)
		}
	}
	return nil
}

// whyNot says why a file cannot be sent.
func (c Conversation) whyNot(tx *db.Tx, f id.Attachment) error {
	row, err := SQL.In(tx).FileByID(tx, chatdb.FileByIDParams{PracticeID: c.practice, ID: f})
	switch {
	case errors.Is(err, db.None):
		return ErrFileGone
	case err != nil:
		return fmt.Errorf("attach %s: %w", f, err)
	case row.AuthorID != c.reader || row.ConversationID != c.ID:
		return ErrFileGone // as if there were none
	case Stage(row.State) == Held:
		return ErrFileHeld
	case Stage(row.State) == Unreadable:
		return ErrNoPicture
	}
	return ErrFileGone
}

// once leaves out what is named twice, and sees that there are not too many.
func once(files []id.Attachment) (each []id.Attachment, err error) {
	for _, f := range files {
		if !slices.Contains(each, f) {
			each = append(each, f)
		}
		if len(each) > MostFiles {
			return nil, ErrManyFiles
		}
	}
	return each, nil
}

// Opened is a file that somebody may open now.
type Opened struct {
	File
	blob blob.Name
	key  crypt.FileKey
}

// Open finds a file for whoever may read its conversation, or its small copy,
// and has the trail know that they were given it. One of a message that was
// taken back is not there; one that is not sent is its author's alone.
func Open(tx *db.Tx, by access.Actor, conversation id.Conversation, file id.Attachment, small bool) (Opened, error) {
	c, o, err := open(tx, by, conversation, file, small)
	if err != nil {
		return Opened{}, err
	}
	part := audit.File
	if small { // it stands among the words
		part = audit.Written
	}
	if c.Client != "" {
		audit.Saw(tx, by, part, c.Client, c.why)
	}
	return o, nil
}

func open(tx *db.Tx, by access.Actor, conversation id.Conversation, file id.Attachment, small bool) (c Conversation, o Opened, err error) {
	if c, err = Find(tx, by, conversation); err != nil {
		return c, o, err
	}
	row, err := c.file(tx, file)
	if err != nil {
		return c, o, err
	}
	if row.MessageID != nil {
		m, err := SQL.In(tx).MessageByID(tx, chatdb.MessageByIDParams{PracticeID: c.practice, ID: *row.MessageID})
		if err != nil {
			return c, o, fmt.Errorf("open %s: %w", file, err)
		}
		if m.TakenAt != nil {
			return c, o, fault.NotFound
		}
	} else if row.AuthorID != c.reader || !c.Writes {
		return c, o, fault.NotFound
	}
	switch Stage(row.State) {
	case Ready:
	case Checking, Copying:
		return c, o, ErrNotReady
	default:
		return c, o, fault.NotFound
	}
	if o, err = c.unseal(tx, file, row); err == nil && small {
		err = c.smaller(tx, &o, row)
	}
	return c, o, err
}

// unseal opens what a file's row says: its name, where it lies, and its key.
func (c Conversation) unseal(tx *db.Tx, file id.Attachment, row chatdb.FileByIDRow) (o Opened, err error) {
	key, err := c.key(tx)
	if err != nil {
		return o, err
	}
	name, err := key.Open(row.Name, filePlace("name", c.practice, file))
	if err != nil {
		return o, err
	}
	o.File = File{file, name, media.Type(row.Type), row.Size, Stage(row.State), row.Width, row.Height}
	if o.key, err = openKey(key, row.Key, filePlace("key", c.practice, file)); err != nil {
		return o, err
	}
	o.blob, err = blob.ParseName(row.Blob)
	return o, err
}

// smaller leads to the small copy of a picture.
func (c Conversation) smaller(tx *db.Tx, o *Opened, row chatdb.FileByIDRow) error {
	if row.Small == nil {
		return fault.NotFound
	}
	key, err := c.key(tx)
	if err != nil {
		return err
	}
	o.Type = media.JPEG
	if o.key, err = openKey(key, row.SmallKey, filePlace("small_key", c.practice, o.ID)); err != nil {
		return err
	}
	o.blob, err = blob.ParseName(*row.Small)
	return err
}

// file is a file of the conversation.
func (c Conversation) file(tx *db.Tx, file id.Attachment) (chatdb.FileByIDRow, error) {
	row, err := SQL.In(tx).FileByID(tx, chatdb.FileByIDParams{PracticeID: c.practice, ID: file})
	if errors.Is(err, db.None) || err == nil && row.ConversationID != c.ID {
		return row, fault.NotFound
	}
	if err != nil {
		return row, fmt.Errorf("file %s: %w", file, err)
	}
	return row, nil
}

func openKey(key *crypt.Key, sealed crypt.Sealed, place string) (crypt.FileKey, error) {
	text, err := key.Open(sealed, place)
	if err != nil {
		return crypt.FileKey{}, err
	}
	return crypt.ParseFileKey(text)
}

func filePlace(column string, p id.Practice, f id.Attachment) string {
	return crypt.Place("attachment."+column, p, f)
}

// FileWords are what stands for a message that is nothing but files.
func FileWords(files []File) string {
	switch len(files) {
	case 0:
		return ""
	case 1:
		return files[0].Name
	}
	return fmt.Sprintf("%d files: %s", len(files), strings.Join(names(files), ", "))
}

func names(files []File) (all []string) {
	for _, f := range files {
		all = append(all, f.Name)
	}
	return all
}
