package cli

import (
	"archive/tar"
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"filippo.io/age"

	"icouch/internal/platform/blob"
	"icouch/internal/platform/config"
	"icouch/internal/platform/db"
	"icouch/internal/platform/installation"
)

// A backup is a whole copy of the database and of the files people sent, if they
// are on this machine, encrypted with age so that it can lie anywhere. It is a
// tar: icouch.db, then files/NAME for each, sealed as they are kept. Backups from
// before there were files are the database alone, and come back as well. The root key is not in it: whoever finds a backup and can open
// it still cannot read a name. To bring an installation back one needs three
// things: the backup, its key, and the root key.

// Backup makes one.
type Backup struct {
	config.Place `embed:""`
	Recipient    string `help:"Public key, age1…, that the copy is encrypted to. Without it: a key pair made once in backup.key in the data directory." env:"ICOUCH_BACKUP_RECIPIENT" placeholder:"AGE1…"`
	File         string `arg:"" help:"File to write, such as icouch-monday.age."`
}

// What an operator is told.
var (
	ErrFileThere = errors.New("that file is there already; a backup replaces nothing: choose another name")
	ErrDataThere = errors.New("there is a database, or there are files, in that directory already; restore replaces nothing: choose a new directory")
)

// Run is "icouch backup".
func (c *Backup) Run(ctx context.Context, o *Office) error {
	return o.look(ctx, c.Place, func(i *installation.Installation) error {
		to, own, err := c.recipient()
		if err != nil {
			return err
		}
		files, err := filesHere(c.Place)
		if err != nil {
			return err
		}
		size, number, err := o.backup(ctx, i.DB, files, c.Data, c.File, to)
		if err != nil {
			return err
		}
		if err := os.WriteFile(lastBackup(c.Place), []byte(o.Clock().UTC().Format(time.RFC3339)+"\n"), 0o600); err != nil {
			return fmt.Errorf("note of the backup: %w", err)
		}
		o.say("%s: a whole copy of the database, checked and encrypted, with %s, %d KiB.", c.File, count(number, "file", "files"), size>>10)
		if files == nil {
			o.say("The files people sent are in a bucket, and not in this copy. Have the bucket keep copies of its own.")
		}
		if own {
			o.say("It opens with %s. Keep a copy of that file elsewhere: lost with this machine, the backup opens for nobody.", c.keyFile())
		}
		o.say("Keep the root key (%s) elsewhere too. It is not in the backup, and without it no name can be read.", c.KeyFile())
		return nil
	})
}

// lastBackup is the file that says when the last backup was made.
func lastBackup(p config.Place) string { return filepath.Join(p.Data, "backup.last") }

func (c *Backup) keyFile() string { return filepath.Join(c.Data, "backup.key") }

// recipient is whom the copy is encrypted to: who is named, or our own key pair.
func (c *Backup) recipient() (to age.Recipient, own bool, err error) {
	if c.Recipient != "" {
		to, err := age.ParseX25519Recipient(c.Recipient)
		if err != nil {
			return nil, false, errors.New("--recipient must be a public key that begins with age1, as age-keygen prints it")
		}
		return to, false, nil
	}
	ids, err := identities(c.keyFile())
	if errors.Is(err, fs.ErrNotExist) {
		pair, err := age.GenerateX25519Identity()
		if err != nil {
			return nil, false, fmt.Errorf("backup key: %w", err)
		}
		text := "# Opens the backups of this installation. Keep a copy elsewhere.\n# public key: " + pair.Recipient().String() + "\n" + pair.String() + "\n"
		return pair.Recipient(), true, writeNew(c.keyFile(), func(w io.Writer) error {
			_, err := io.WriteString(w, text)
			return err
		})
	}
	if err != nil {
		return nil, false, err
	}
	for _, i := range ids {
		if pair, ok := i.(*age.X25519Identity); ok {
			return pair.Recipient(), true, nil
		}
	}
	return nil, false, fmt.Errorf("there is no key in %s", c.keyFile())
}

func identities(file string) ([]age.Identity, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("backup key: %w", err)
	}
	defer f.Close()
	ids, err := age.ParseIdentities(f)
	if err != nil {
		return nil, fmt.Errorf("the file %s is not a key as age-keygen writes it", file)
	}
	return ids, nil
}

// filesHere opens the files, if they are on this machine; there may be none yet.
func filesHere(p config.Place) (*blob.Store, error) {
	if p.Bucket() {
		return nil, nil
	}
	return p.Store()
}

// backup copies the database beside itself, checks the copy, encrypts it into
// file together with the files, and takes the copy away. The files come after
// the database: those that it names are there.
func (o *Office) backup(ctx context.Context, d *db.DB, files *blob.Store, beside, file string, to age.Recipient) (size int64, number int, err error) {
	if _, err := os.Stat(file); err == nil {
		return 0, 0, ErrFileThere
	}
	dir, err := os.MkdirTemp(beside, ".backup-*") // only we can look into it
	if err != nil {
		return 0, 0, fmt.Errorf("backup: %w", err)
	}
	defer os.RemoveAll(dir)
	copied := filepath.Join(dir, databaseName)
	if err := d.Snapshot(ctx, copied); err != nil {
		return 0, 0, err
	}
	if err := o.intact(ctx, copied); err != nil {
		return 0, 0, err
	}
	p := packer{}
	err = writeNew(file, func(w io.Writer) error {
		sealed, err := age.Encrypt(w, to)
		if err != nil {
			return err
		}
		p.tar = tar.NewWriter(sealed)
		if err := p.database(copied); err != nil {
			return err
		}
		if files != nil {
			if err := p.all(ctx, files); err != nil {
				return err
			}
		}
		return errors.Join(p.tar.Close(), sealed.Close())
	})
	return p.size, p.files, err
}

// How things are called in a backup.
const (
	databaseName = "icouch.db"
	filesPrefix  = "files/"
)

// packer puts a backup together.
type packer struct {
	tar   *tar.Writer
	size  int64
	files int
}

func (p *packer) add(name string, size int64, r io.Reader) error {
	if err := p.tar.WriteHeader(&tar.Header{Name: name, Size: size, Mode: 0o600}); err != nil {
		return err
	}
	n, err := io.Copy(p.tar, r)
	p.size += n
	return err
}

func (p *packer) database(file string) error {
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	return p.add(databaseName, info.Size(), in)
}

func (p *packer) all(ctx context.Context, files *blob.Store) error {
	return files.Each(ctx, func(i blob.Info) error {
		in, err := files.Sealed(ctx, i.Name)
		if errors.Is(err, blob.ErrNotThere) {
			return nil // taken away since the folder was read
		}
		if err != nil {
			return err
		}
		defer in.Close()
		p.files++
		return p.add(filesPrefix+string(i.Name), i.Sealed, in)
	})
}

// intact has the engine check a database file that nobody else uses.
func (o *Office) intact(ctx context.Context, file string) error {
	d, err := db.Open(ctx, db.Config{URL: file, Clock: o.Clock})
	if err != nil {
		return err
	}
	return errors.Join(d.Intact(ctx), d.Close())
}

// writeNew writes a file that is not there yet: whole and on the disk, or not
// at all.
func writeNew(file string, fill func(io.Writer) error) error {
	tmp, err := os.CreateTemp(filepath.Dir(file), ".new-*") // made with mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if err := errors.Join(fill(tmp), tmp.Sync(), tmp.Close()); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.Link(tmp.Name(), file) // does not replace
}

// Restore brings a backup back.
type Restore struct {
	File     string `arg:"" help:"The backup." type:"existingfile"`
	Data     string `help:"New data directory." required:"" placeholder:"DIR"`
	Identity string `help:"Key that opens the backup. Without it: backup.key in the new data directory." env:"ICOUCH_BACKUP_IDENTITY" placeholder:"FILE"`
	RootKey  string `help:"File with the root key, which must open what is in the backup. Without it: root.key in the new data directory." env:"ICOUCH_ROOT_KEY" placeholder:"FILE"`
}

// Run is "icouch restore".
func (c *Restore) Run(ctx context.Context, o *Office) error {
	p := config.Place{Data: c.Data, RootKey: c.RootKey}
	if _, err := os.Stat(p.DatabaseFile()); err == nil {
		return ErrDataThere
	}
	if c.Identity == "" {
		c.Identity = filepath.Join(c.Data, "backup.key")
	}
	ids, err := identities(c.Identity)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no %s: name the key that opens the backup with --identity", c.Identity)
	}
	if err != nil {
		return err
	}
	if _, err := os.Stat(p.KeyFile()); err != nil {
		return fmt.Errorf("there is no root key at %s, and without it nothing in the backup can be read: put it there, or name it with --root-key. Nothing has been put in place", p.KeyFile())
	}
	undo, err := newDir(c.Data)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	number, err := o.restore(ctx, c.File, p, ids)
	if err != nil {
		return errors.Join(err, undo())
	}
	o.say("The database is in %s, and whole; with it came %s, into %s.", p.DatabaseFile(), count(number, "file", "files"), p.FilesDir())
	return (&VerifyTrail{Place: p}).Run(ctx, o)
}

// newDir makes a directory, and returns what takes it away again if it was not
// there before.
func newDir(dir string) (undo func() error, err error) {
	if _, err := os.Stat(dir); err == nil {
		return func() error { return nil }, nil
	}
	return func() error { return os.Remove(dir) }, os.MkdirAll(dir, 0o700)
}

// restore decrypts into a directory of its own first: what is cut short, does
// not check out, or is not opened by the root key never looks like an
// installation.
func (o *Office) restore(ctx context.Context, from string, p config.Place, ids []age.Identity) (files int, err error) {
	dir, err := os.MkdirTemp(p.Data, ".restore-*")
	if err != nil {
		return 0, fmt.Errorf("restore: %w", err)
	}
	defer os.RemoveAll(dir)
	if files, err = decrypt(ctx, from, dir, ids); err != nil {
		return 0, err
	}
	copied := filepath.Join(dir, databaseName)
	if err := o.intact(ctx, copied); err != nil {
		return 0, fmt.Errorf("the backup opens, but what is in it is damaged: %w", err)
	}
	if err := o.fits(ctx, config.Place{Data: dir, RootKey: p.KeyFile()}); err != nil {
		return 0, err
	}
	// The database comes last: with it there is an installation.
	if err := os.Rename(filepath.Join(dir, "files"), p.FilesDir()); errors.Is(err, fs.ErrExist) || errors.Is(err, syscall.ENOTEMPTY) {
		return 0, ErrDataThere
	} else if err != nil {
		return 0, fmt.Errorf("restore: %w", err)
	}
	err = os.Link(copied, p.DatabaseFile())
	if err == nil {
		return files, nil
	}
	err = errors.Join(err, os.RemoveAll(p.FilesDir()))
	if errors.Is(err, fs.ErrExist) {
		return 0, ErrDataThere
	}
	return 0, fmt.Errorf("restore: %w", err)
}

// fits sees that the root key opens what was in the backup.
func (o *Office) fits(ctx context.Context, p config.Place) error {
	err := o.look(ctx, p, func(*installation.Installation) error { return nil })
	if errors.Is(err, installation.ErrOtherKey) {
		return fmt.Errorf("the root key %s does not open this backup: it belongs to another installation, or to a time after or before a change of keys (see root.key.before-… beside it). Nothing has been put in place", p.KeyFile())
	}
	return err
}

// errDamaged says what is wrong with a backup that begins well.
var errDamaged = errors.New("the backup is cut short or was changed")

// decrypt puts what is in a backup into dir.
func decrypt(ctx context.Context, from, dir string, ids []age.Identity) (files int, err error) {
	in, err := os.Open(from)
	if err != nil {
		return 0, fmt.Errorf("restore: %w", err)
	}
	defer in.Close()
	open, err := age.Decrypt(in, ids...)
	if err != nil {
		if _, other := errors.AsType[*age.NoIdentityMatchError](err); other {
			return 0, errors.New("this key does not open this backup")
		}
		return 0, fmt.Errorf("the file %s is not a backup, or not a whole one", from)
	}
	if err := os.Mkdir(filepath.Join(dir, "files"), 0o700); err != nil {
		return 0, fmt.Errorf("restore: %w", err)
	}
	content := bufio.NewReaderSize(open, 64<<10)
	database := filepath.Join(dir, databaseName)
	const old = "SQLite format 3\x00"
	if head, _ := content.Peek(len(old)); string(head) == old { // from before there were files
		return 0, unpack(database, content)
	}
	packed := tar.NewReader(content)
	if h, err := packed.Next(); err != nil || h.Name != databaseName {
		return 0, errDamaged
	}
	if err := unpack(database, packed); err != nil {
		return 0, err
	}
	for {
		h, err := packed.Next()
		if err == io.EOF {
			break
		}
		if err != nil || ctx.Err() != nil {
			return 0, errors.Join(errDamaged, ctx.Err())
		}
		text, named := strings.CutPrefix(h.Name, filesPrefix)
		n, err := blob.ParseName(text) // nothing else becomes a part of a path
		if !named || err != nil || h.Typeflag != tar.TypeReg {
			return 0, errDamaged
		}
		shard := filepath.Join(dir, "files", text[:2])
		if err := os.MkdirAll(shard, 0o700); err != nil {
			return 0, fmt.Errorf("restore: %w", err)
		}
		if err := unpack(filepath.Join(shard, string(n)), packed); err != nil {
			return 0, err
		}
		files++
	}
	if _, err := io.Copy(io.Discard, content); err != nil { // the end is signed, too
		return 0, errDamaged
	}
	return files, nil
}

func unpack(to string, r io.Reader) error {
	return writeNew(to, func(w io.Writer) error {
		if _, err := io.Copy(w, r); err != nil {
			return errDamaged
		}
		return nil
	})
}
