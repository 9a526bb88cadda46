package password

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"golang.org/x/crypto/argon2"
)

func TestAHashIsRecognizedAndNothingElse(t *testing.T) {
	t.Parallel()
	h := NewHasher(2, 10)
	stored, err := h.Hash(t.Context(), "plum heron übe\u0308r")
	if err != nil || !strings.HasPrefix(stored, "$argon2id$v=19$m=19456,t=2,p=1$") || len(stored) > 128 {
		t.Fatalf("%q, %v", stored, err)
	}
	for pw, want := range map[string]bool{
		"plum heron übe\u0308r": true, "plum heron u\u0308bër": true, "plum heron über": false, "Plum heron übe\u0308r": false, "": false,
		"plum heron übe\u0308r ": false, strings.Repeat("plum", 100_000): false, "\xff": false,
	} {
		ok, rehash, err := h.Verify(t.Context(), pw, stored)
		if ok != want || rehash || err != nil {
			t.Errorf("%.30q: %t, %t, %v; want %t", pw, ok, rehash, err, want)
		}
	}
	if again, _ := h.Hash(t.Context(), "plum heron übe\u0308r"); again == stored {
		t.Error("two hashes of one password are the same: no salt")
	}
}

func TestNothingIsCutOff(t *testing.T) {
	t.Parallel()
	h := NewHasher(1, 10)
	long := strings.Repeat("plum heron ", 23)
	stored, err := h.Hash(t.Context(), long+"a")
	if err != nil {
		t.Fatal(err)
	}
	for _, pw := range []string{long + "b", long, long[:72], long + "a\x00"} {
		if ok, _, err := h.Verify(t.Context(), pw, stored); ok || err != nil {
			t.Errorf("a password that differs at %d was accepted: %v", len(pw), err)
		}
	}
}

func TestAnOlderHashIsToBeMadeAgain(t *testing.T) {
	t.Parallel()
	h := NewHasher(1, 10)
	older := cost{memory: 4096, time: 3, lanes: 2}
	salt := []byte("0123456789abcdef")
	stored := phc(older, salt, argon2.IDKey([]byte("plum"), salt, older.time, older.memory, older.lanes, keyLen))
	if ok, rehash, err := h.Verify(t.Context(), "plum", stored); !ok || !rehash || err != nil {
		t.Errorf("%t, %t, %v", ok, rehash, err)
	}
	if ok, rehash, err := h.Verify(t.Context(), "pear", stored); ok || rehash || err != nil {
		t.Errorf("wrong password: %t, %t, %v", ok, rehash, err)
	}
}

// Made by another implementation: a test vector of the reference one,
// phc-winner-argon2, for argon2id and "password".
func TestHashesOfOtherProgramsAreUnderstood(t *testing.T) {
	t.Parallel()
	const reference = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	if ok, rehash, err := NewHasher(1, 0).Verify(t.Context(), "password", reference); !ok || !rehash || err != nil {
		t.Errorf("%t, %t, %v", ok, rehash, err)
	}
}

func TestADamagedHashIsAnErrorNotAWrongPassword(t *testing.T) {
	t.Parallel()
	h := NewHasher(1, 10)
	h.derive = func([]byte, []byte, uint32, uint32, uint8, uint32) []byte { panic("work was done for a damaged hash") }
	salt, key := base64.RawStdEncoding.EncodeToString(make([]byte, 16)), base64.RawStdEncoding.EncodeToString(make([]byte, 32))
	for _, s := range []string{
		"", "x", "$argon2i$v=19$m=19456,t=2,p=1$" + salt + "$" + key, "$argon2id$v=16$m=19456,t=2,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=4294967295,t=2,p=1$" + salt + "$" + key, "$argon2id$v=19$m=19456,t=99999,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=19456,t=2,p=0$" + salt + "$" + key, "$argon2id$v=19$m=19456,t=0,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=19456,t=2,p=256$" + salt + "$" + key, "$argon2id$v=19$m=19456,t=2,p=1 $" + salt + "$" + key,
		"$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$", "$argon2id$v=19$m=19456,t=2,p=1$$" + key, "$argon2id$v=19$m=19456,t=2,p=1$!$" + key,
		"$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + key + "$",
	} {
		if ok, _, err := h.Verify(t.Context(), "plum", s); ok || !errors.Is(err, errStored) {
			t.Errorf("%q: %t, %v", s, ok, err)
		}
	}
}

func FuzzParsePHC(f *testing.F) {
	f.Add("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
	f.Add("$argon2id$v=19$m=10,t=1,p=1$00000000000$000000000000000000000\n00")
	f.Fuzz(func(t *testing.T, s string) {
		c, salt, key, err := parsePHC(s)
		if err == nil && phc(c, salt, key) != s {
			t.Fatalf("%q was read as %q", s, phc(c, salt, key))
		}
	})
}

// gate is work that takes until it is let go.
type gate struct {
	at  chan struct{}
	let chan struct{}
}

func gated(n, queue int) (*Hasher, gate) {
	g := gate{make(chan struct{}, 100), make(chan struct{})}
	h := NewHasher(n, queue)
	h.derive = func(_, _ []byte, _, _ uint32, _ uint8, n uint32) []byte {
		g.at <- struct{}{}
		<-g.let
		return make([]byte, n)
	}
	return h, g
}

func TestOnlySoManyHashesAtOnceAndTheRestWaitOrComeBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const n, queue, people = 2, 3, 20
		h, g := gated(n, queue)
		answers := make(chan error, people)
		for i := range people {
			go func() {
				var err error
				switch i % 3 { // whatever they came for, there is one line
				case 0:
					_, err = h.Hash(t.Context(), "plum")
				case 1:
					_, _, err = h.Verify(t.Context(), "plum", h.dummy)
				default:
					err = h.Dummy(t.Context(), "plum")
				}
				answers <- err
			}()
		}
		synctest.Wait()
		if len(g.at) != n || len(answers) != people-n-queue {
			t.Fatalf("%d at work, %d sent away; want %d, %d", len(g.at), len(answers), n, people-n-queue)
		}
		for range people - n - queue {
			if err := <-answers; err != ErrBusy {
				t.Errorf("sent away with %v", err)
			}
		}
		for done := 1; done <= n+queue; done++ {
			g.let <- struct{}{}
			synctest.Wait()
			if got, want := len(g.at), min(done+n, n+queue); got != want || len(answers) != done {
				t.Errorf("after %d: %d were let in, %d answered; want %d, %d", done, got, len(answers), want, done)
			}
		}
		for range n + queue {
			if err := <-answers; err != nil {
				t.Errorf("served with %v", err)
			}
		}
		if len(h.line)+len(h.seats) != 0 {
			t.Error("somebody kept a place")
		}
	})
}

func TestWhoLeavesTheLineMakesRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h, g := gated(1, 1)
		go func() { _ = h.Dummy(t.Context(), "plum") }()
		synctest.Wait()
		ctx, leave := context.WithCancel(t.Context())
		left := make(chan error, 1)
		go func() { left <- h.Dummy(ctx, "plum") }()
		synctest.Wait()
		if err := h.Dummy(t.Context(), "plum"); err != ErrBusy {
			t.Errorf("the line is full, but: %v", err)
		}
		leave()
		if err := <-left; !errors.Is(err, context.Canceled) {
			t.Errorf("left with %v", err)
		}
		next := make(chan error, 1)
		go func() { next <- h.Dummy(t.Context(), "plum") }()
		synctest.Wait()
		g.let <- struct{}{}
		g.let <- struct{}{}
		if err := <-next; err != nil {
			t.Errorf("the place was not free: %v", err)
		}
		if err := h.Dummy(ctx, "plum"); !errors.Is(err, context.Canceled) || len(g.at) != 2 {
			t.Errorf("work was done for nobody: %v", err)
		}
	})
}

func TestAnUnknownAccountCostsWhatAKnownOneDoes(t *testing.T) {
	t.Parallel()
	var asked []string
	h := NewHasher(1, 0)
	h.derive = func(_, salt []byte, time, memory uint32, lanes uint8, n uint32) []byte {
		asked = append(asked, fmt.Sprint(len(salt), time, memory, lanes, n))
		return make([]byte, n)
	}
	stored, err := h.Hash(t.Context(), "plum")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := h.Verify(t.Context(), "plum", stored); err != nil {
		t.Fatal(err)
	}
	if err := h.Dummy(t.Context(), "plum"); err != nil {
		t.Fatal(err)
	}
	if asked[1] != asked[2] || asked[0] != asked[1] {
		t.Errorf("hash, known, unknown: %q", asked)
	}
}

func BenchmarkHasher(b *testing.B) {
	h := NewHasher(1, 0)
	for b.Loop() {
		if _, err := h.Hash(b.Context(), "maroon-giver-oyster-carat"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkArgon2(b *testing.B) {
	salt := make([]byte, saltLen)
	for b.Loop() {
		argon2.IDKey([]byte("maroon-giver-oyster-carat"), salt, today.time, today.memory, today.lanes, keyLen)
	}
}
