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

	"icouch/internal/cli"
	"icouch/internal/platform/blob"
	"icouch/internal/platform/config"
	"icouch/internal/platform/installation"
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
