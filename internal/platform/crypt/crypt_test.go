package crypt

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

type name string

func (n name) String() string { return string(n) }

func key(t *testing.T, r *Ring, owner string) (*Key, Wrapped) {
	t.Helper()
	w, err := r.NewKey(owner)
	if err != nil {
		t.Fatal(err)
	}
	k, err := r.Unwrap(owner, w)
	if err != nil {
		t.Fatal(err)
	}
	return k, w
}

func ring(t *testing.T) *Ring {
	t.Helper()
	r, err := OpenRing(filepath.Join(t.TempDir(), "root.key"))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAValueOpensOnlyWhereItWasSealed(t *testing.T) {
	t.Parallel()
	r := ring(t)
	k, _ := key(t, r, "ours")
	other, _ := key(t, r, "theirs")
	place := Place("client.name", name("ours"), name("row 1"))
	sealed, err := k.Seal("a name", place)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := k.Open(sealed, place); err != nil || text != "a name" {
		t.Fatalf("%q, %v", text, err)
	}
	for _, elsewhere := range []string{Place("client.name", name("ours"), name("row 2")), Place("client.email", name("ours"), name("row 1")),
		Place("client.name", name("theirs"), name("row 1")), ""} {
		if text, err := k.Open(sealed, elsewhere); err == nil {
			t.Errorf("opened at %q: %q", elsewhere, text)
		}
	}
	if _, err := other.Open(sealed, place); err == nil {
		t.Error("another practice's key opened it")
	}
	for bit := range len(sealed) * 8 {
		bad := bytes.Clone(sealed)
		bad[bit/8] ^= 1 << (bit % 8)
		if _, err := k.Open(bad, place); err == nil {
			t.Errorf("opened with bit %d changed", bit)
		}
	}
	for n := range len(sealed) {
		if _, err := k.Open(sealed[:n], place); err == nil {
			t.Errorf("opened when cut to %d bytes", n)
		}
	}
	if _, err := k.Open(append(bytes.Clone(sealed), 0), place); err == nil {
		t.Error("opened with a byte more")
	}
	if again, _ := k.Seal("a name", place); bytes.Equal(again, sealed) {
		t.Error("the same text sealed twice looks the same")
	}
}

func TestNothingStaysNothing(t *testing.T) {
	t.Parallel()
	k, _ := key(t, ring(t), "ours")
	if s, err := k.SealSome("", "p"); s != nil || err != nil {
		t.Errorf("%v, %v", s, err)
	}
	if text, err := k.Open(nil, "p"); text != "" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
}

func TestABlindIndexIsItsOwnersAndItsKinds(t *testing.T) {
	t.Parallel()
	r := ring(t)
	k, w := key(t, r, "ours")
	other, _ := key(t, r, "theirs")
	index := func(k *Key, kind, value string) string {
		b, err := k.Index(kind, value)
		if err != nil || len(b) != 32 {
			t.Fatal(len(b), err)
		}
		return string(b)
	}
	it := index(k, "email", "a@b.test")
	for what, got := range map[string]string{"owner": index(other, "email", "a@b.test"), "kind": index(k, "phone", "a@b.test"), "value": index(k, "email", "c@b.test")} {
		if got == it {
			t.Errorf("another %s has the same index", what)
		}
	}
	renewed, err := r.Renew("ours", w)
	if err != nil {
		t.Fatal(err)
	}
	again, err := r.Unwrap("ours", renewed)
	if err != nil || index(again, "email", "a@b.test") != it {
		t.Errorf("the index changed with the data key: %v", err)
	}
	mac, _ := k.Mac([]byte("row"))
	if mac2, _ := again.Mac([]byte("row")); !bytes.Equal(mac, mac2) {
		t.Error("the signature changed with the data key")
	}
	if string(mac) == index(k, "", "row") {
		t.Error("the trail is signed with the index's key")
	}
}

func TestRenewedKeysOpenWhatWasSealedBefore(t *testing.T) {
	t.Parallel()
	r := ring(t)
	k, w := key(t, r, "ours")
	before, _ := k.Seal("before", "p")
	renewed, err := r.Renew("ours", w)
	if err != nil {
		t.Fatal(err)
	}
	again, err := r.Unwrap("ours", renewed)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := again.Open(before, "p"); err != nil || text != "before" {
		t.Errorf("%q, %v", text, err)
	}
	after, _ := again.Seal("after", "p")
	if bytes.Equal(after[:5], before[:5]) { // the prefix names the key
		t.Error("sealed with the key of before")
	}
	if _, err := k.Open(after, "p"); err == nil {
		t.Error("the key of before opens what was sealed after")
	}
}

func TestAKeyUnwrapsForItsOwnerOnly(t *testing.T) {
	t.Parallel()
	r := ring(t)
	_, w := key(t, r, "ours")
	_, theirs := key(t, r, "theirs")
	if _, err := r.Unwrap("theirs", w); err == nil {
		t.Error("unwrapped for another owner")
	}
	for what, mixed := range map[string]Wrapped{
		"data as index":  {w.Data, w.Data, w.Trail},
		"trail as index": {w.Data, w.Trail, w.Trail},
		"their data":     {theirs.Data, w.Index, w.Trail},
		"nothing":        {},
	} {
		if _, err := r.Unwrap("ours", mixed); err == nil {
			t.Errorf("unwrapped with %s", what)
		}
	}
	if _, err := ring(t).Unwrap("ours", w); err == nil {
		t.Error("unwrapped with another root key")
	}
}

func TestTheRootKeyFileIsItsOwnersAlone(t *testing.T) {
	t.Parallel()
	r := ring(t)
	info, err := os.Stat(r.file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	for _, mode := range []os.FileMode{0o644, 0o640, 0o604, 0o620} {
		if err := os.Chmod(r.file, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenRing(r.file); !errors.Is(err, ErrReadable) {
			t.Errorf("with %o: %v", mode, err)
		}
	}
	bad := filepath.Join(t.TempDir(), "root.key")
	if err := os.WriteFile(bad, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenRing(bad); err == nil {
		t.Error("half a file was taken for a key")
	}
}

func TestTwoFirstStartsAtOnceMakeOneKey(t *testing.T) {
	t.Parallel()
	for range 20 {
		file := filepath.Join(t.TempDir(), "root.key")
		rings := make([]*Ring, 8)
		var all sync.WaitGroup
		for i := range rings {
			all.Go(func() {
				var err error
				if rings[i], err = OpenRing(file); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		_, w := key(t, rings[0], "ours")
		for i, r := range rings {
			if _, err := r.openNow(w.Data, "data/ours"); err != nil {
				t.Errorf("start %d has another key: %v", i, err)
			}
		}
		left, _ := filepath.Glob(filepath.Join(filepath.Dir(file), ".root-*"))
		if len(left) != 0 {
			t.Errorf("left behind: %v", left)
		}
	}
}

// A rotation may be killed after each step: whoever starts then reads all.
func TestARotationKilledAnywhereLeavesEverythingReadable(t *testing.T) {
	t.Parallel()
	for killed := range 5 {
		t.Run(fmt.Sprint("after step ", killed), func(t *testing.T) {
			t.Parallel()
			r := ring(t)
			stored := map[string]Wrapped{}
			for _, owner := range []string{"a", "b"} {
				_, stored[owner] = key(t, r, owner)
			}
			rewrap := func(owner string) func() error {
				return func() (err error) { stored[owner], err = r.Rewrap(owner, stored[owner]); return err }
			}
			steps := []func() error{r.RotateRoot, rewrap("a"), rewrap("b"), r.ForgetOldRoots}
			for _, step := range steps[:killed] {
				if err := step(); err != nil {
					t.Fatal(err)
				}
			}
			var err error
			if r, err = OpenRing(r.file); err != nil { // the next start
				t.Fatal(err)
			}
			readable := func() {
				t.Helper()
				for owner, w := range stored {
					if _, err := r.Unwrap(owner, w); err != nil {
						t.Errorf("%s: %v", owner, err)
					}
				}
			}
			readable()
			for _, step := range []func() error{r.RotateRoot, rewrap("a"), rewrap("b"), r.ForgetOldRoots} {
				if err := step(); err != nil {
					t.Fatal(err)
				}
			}
			if n := len(r.root.KeysetInfo().GetKeyInfo()); n != 1 {
				t.Errorf("%d root keys are left, want 1", n)
			}
			readable()
		})
	}
}

// A program that runs while another rotates.
func TestARunningProgramNoticesANewRootKey(t *testing.T) {
	t.Parallel()
	operator := ring(t)
	server, err := OpenRing(operator.file)
	if err != nil {
		t.Fatal(err)
	}
	_, w := key(t, server, "ours")
	if err := operator.RotateRoot(); err != nil {
		t.Fatal(err)
	}
	if w, err = operator.Rewrap("ours", w); err != nil {
		t.Fatal(err)
	}
	_, made := key(t, server, "made meanwhile")
	if err := operator.ForgetOldRoots(); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Unwrap("ours", w); err != nil {
		t.Errorf("the server cannot read: %v", err)
	}
	if _, err := operator.Unwrap("made meanwhile", made); err != nil {
		t.Errorf("what the server made meanwhile is lost: %v", err)
	}
}

func TestTwoDoNotRotateAtOnce(t *testing.T) {
	t.Parallel()
	a := ring(t)
	b, err := OpenRing(a.file)
	if err != nil {
		t.Fatal(err)
	}
	done, err := a.Alone()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Alone(); !errors.Is(err, ErrRotating) {
		t.Errorf("the second was told %v", err)
	}
	if err := done(); err != nil {
		t.Fatal(err)
	}
	done, err = b.Alone()
	if err != nil {
		t.Fatal(err)
	}
	if err := done(); err != nil {
		t.Error(err)
	}
}

func TestWhatIsRememberedIsBounded(t *testing.T) {
	t.Parallel()
	r := ring(t)
	_, w := key(t, r, "ours")
	for n := range remembered {
		r.memo[fmt.Sprint(n)] = nil
	}
	if _, err := r.Unwrap("ours", Wrapped{bytes.Clone(w.Data), w.Index, w.Trail}); err != nil {
		t.Fatal(err)
	}
	_, w2 := key(t, r, "another")
	if _, err := r.Unwrap("another", w2); err != nil || len(r.memo) > remembered {
		t.Errorf("%d keys are remembered, %v", len(r.memo), err)
	}
}

func TestTheGradeSaysWhereTheKeyIs(t *testing.T) {
	t.Parallel()
	r := ring(t)
	if g, err := GradeOf(r.file, filepath.Dir(r.file)); err != nil || g != Beside {
		t.Errorf("%s, %v", g, err)
	}
	if g, err := GradeOf("/proc/version", filepath.Dir(r.file)); err != nil || g != Apart {
		t.Errorf("%s, %v", g, err)
	}
	if _, err := GradeOf(r.file+"?", filepath.Dir(r.file)); err == nil {
		t.Error("a missing file has a grade")
	}
}
