package cli_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/email"
	"icouch/internal/base/id"
	"icouch/internal/chat"
	"icouch/internal/cli"
	"icouch/internal/people"
	"icouch/internal/platform/blob"
	"icouch/internal/platform/config"
	"icouch/internal/platform/db"
	"icouch/internal/platform/installation"
	"icouch/internal/platform/media"
	"icouch/internal/world"
)

// TestABackupBringsTheFilesBack: all of them, as they were; and a backup from
// before there were files comes back, too.
func TestABackupBringsTheFilesBack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := config.Place{Data: filepath.Join(dir, "d")}
	i, err := installation.Open(t.Context(), p, world.SQL, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if err := i.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := p.Store()
	if err != nil {
		t.Fatal(err)
	}
	kept := map[string]blob.Stored{}
	for _, content := range []string{"a letter", "", strings.Repeat("a picture ", 30_000)} {
		if kept[content], err = files.Store(t.Context(), strings.NewReader(content)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := files.Begin(10); err != nil { // what still arrives is not copied
		t.Fatal(err)
	}
	var said bytes.Buffer
	o := &cli.Office{SQL: world.SQL, Clock: time.Now, Out: &said}
	if err := (&cli.Backup{Place: p, File: filepath.Join(dir, "monday.age")}).Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(said.String(), "with 3 files") {
		t.Errorf("the operator is told %s", said.String())
	}
	back := config.Place{Data: filepath.Join(dir, "new")}
	restore := &cli.Restore{File: filepath.Join(dir, "monday.age"), Data: back.Data, Identity: filepath.Join(p.Data, "backup.key"), RootKey: p.KeyFile()}
	if err := restore.Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	again, err := back.Store()
	if err != nil {
		t.Fatal(err)
	}
	for content, f := range kept {
		r, err := again.Open(t.Context(), f.Name, f.Key)
		if err != nil {
			t.Errorf("%.10q: %v", content, err)
			continue
		}
		if got, err := io.ReadAll(r); err != nil || string(got) != content {
			t.Errorf("%.10q comes back as %.10q (%v)", content, got, err)
		}
		r.Close()
	}

	// As icouch backup was before.
	raw, err := os.ReadFile(back.DatabaseFile())
	if err != nil {
		t.Fatal(err)
	}
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	var old bytes.Buffer
	w, err := age.Encrypt(&old, key.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(raw); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"old.age": old.Bytes(), "old.key": []byte(key.String() + "\n")} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	restore = &cli.Restore{File: filepath.Join(dir, "old.age"), Data: filepath.Join(dir, "older"), Identity: filepath.Join(dir, "old.key"), RootKey: p.KeyFile()}
	if err := restore.Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
}

// TestABackupBringsTheFileOfAMessageBack: the message reads as it did, and who
// could open what was attached to it opens the same bytes.
func TestABackupBringsTheFileOfAMessageBack(t *testing.T) {
	t.Parallel()
	p, back := config.Place{Data: t.TempDir()}, config.Place{Data: filepath.Join(t.TempDir(), "new")}
	o := &cli.Office{SQL: world.SQL, Clock: time.Now, Out: io.Discard}
	owner, _ := settle(t, o, p)
	content, file := strings.Repeat("a letter of many pages ", 100_000), id.New[id.Attachment](time.Now())
	var talk id.Conversation
	open(t, o, p, func(d *db.DB) {
		noor, err := email.Parse("noor@practice.test")
		if err != nil {
			t.Fatal(err)
		}
		err = d.Update(t.Context(), func(tx *db.Tx) error {
			who, err := account.Make(tx, access.Guest(), account.New{Name: "Noor Haddad", Email: noor, Password: "x", Verified: true})
			if err != nil {
				return err
			}
			colleague, err := people.Join(tx, owner, who, access.Practitioner)
			if err != nil {
				return err
			}
			talk, err = chat.Start(tx, owner, chat.To{Member: colleague.Practitioner()})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := porterOf(t, p, d).Take(t.Context(), owner, talk, chat.Draft{ID: file, Name: "letter.txt"}, strings.NewReader(content)); err != nil {
			t.Fatal(err)
		}
		err = d.Update(t.Context(), func(tx *db.Tx) error {
			_, err := chat.Send(tx, owner, talk, id.New[id.Message](tx.Now().Time), "With a letter.", file)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	archive := filepath.Join(t.TempDir(), "monday.age")
	if err := (&cli.Backup{Place: p, File: archive}).Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	restore := &cli.Restore{File: archive, Data: back.Data, Identity: filepath.Join(p.Data, "backup.key"), RootKey: p.KeyFile()}
	if err := restore.Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	back.RootKey = p.KeyFile()
	open(t, o, back, func(d *db.DB) {
		var opened chat.Opened
		err := d.View(t.Context(), func(tx *db.Tx) error {
			all, err := chat.Conversations(tx, owner)
			if err != nil || len(all) != 1 || all[0].Last.Body != "With a letter." || len(all[0].Last.Files) != 1 || all[0].Last.Files[0].Name != "letter.txt" {
				t.Errorf("there are %+v, %v", all, err)
			}
			opened, err = chat.Open(tx, owner, talk, file, false)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		r, err := porterOf(t, back, d).Content(t.Context(), opened)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if got, err := io.ReadAll(r); err != nil || string(got) != content {
			t.Errorf("%d bytes come back, of %d that were sent, or others: %v", len(got), len(content), err)
		}
	})
}

// porterOf takes files in and hands them out, at a place.
func porterOf(t *testing.T, p config.Place, d *db.DB) *chat.Porter {
	t.Helper()
	files, err := p.Store()
	if err != nil {
		t.Fatal(err)
	}
	return &chat.Porter{DB: d, Files: files, Studio: media.NewStudio()}
}
