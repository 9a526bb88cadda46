package keys_test

import (
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"icouch/internal/base/id"
	"icouch/internal/people"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
	"icouch/internal/world"
)

func readable(t *testing.T, w *world.World) {
	t.Helper()
	w.View(t, func(tx *db.Tx) error {
		c, err := people.Find(tx, w.Mara, w.Theo)
		if err == nil && c.Name.First != "Theo" {
			t.Errorf("the client is called %q", c.Name.First)
		}
		return err
	})
}

func TestRotatingKeepsEverythingReadable(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	for range 2 {
		n, err := keys.Rotate(t.Context(), w.DB)
		if err != nil || n != 3 {
			t.Errorf("%d keys were wrapped, want 3; %v", n, err)
		}
		readable(t, w)
	}
}

// Practices get keys, and keys are renewed, by one program while another
// rotates the root key again and again.
func TestNothingMadeWhileRotatingIsLost(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "root.key")
	url := filepath.Join(t.TempDir(), "icouch.db")
	if world.OnPostgres() {
		url = world.New(t).DB.URL
	}
	start := func() *db.DB {
		ring, err := crypt.OpenRing(file)
		if err != nil {
			t.Fatal(err)
		}
		d, err := db.Open(t.Context(), db.Config{URL: url, Clock: time.Now, Ring: ring, SQL: world.SQL})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { d.Close() })
		return d
	}
	server, operator := start(), start()
	if world.OnPostgres() { // the world's keys are under another root
		if err := server.Exec(t.Context(), "DELETE FROM practice_key"); err != nil {
			t.Fatal(err)
		}
	}
	if err := keys.Install(t.Context(), server); err != nil {
		t.Fatal(err)
	}
	made := make([]id.Practice, 30)
	var all sync.WaitGroup
	all.Go(func() {
		for range 6 {
			if _, err := keys.Rotate(t.Context(), operator); err != nil {
				t.Error(err)
			}
		}
	})
	all.Go(func() {
		for i := range made {
			made[i] = id.New[id.Practice](time.Now())
			err := server.Maintain(t.Context(), func(tx *db.Tx) error { return keys.New(tx, made[i]) })
			if err == nil {
				err = server.Maintain(t.Context(), func(tx *db.Tx) error { return keys.Renew(tx, made[i/2]) })
			}
			if err != nil {
				t.Error(err)
			}
		}
	})
	all.Wait()
	err := start().View(t.Context(), func(tx *db.Tx) error {
		for _, p := range append(made, keys.Installation) {
			if _, err := keys.Of(tx, p); err != nil {
				t.Errorf("a key is lost: %v", err)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestAPracticeWithoutAKeySaysSo(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	w.View(t, func(tx *db.Tx) error {
		if _, err := keys.Of(tx, "nobody"); !errors.Is(err, keys.ErrNoKey) {
			t.Errorf("told %v", err)
		}
		return nil
	})
	if err := keys.Install(t.Context(), w.DB); err != nil {
		t.Errorf("the second start: %v", err)
	}
}
