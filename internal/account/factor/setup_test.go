package factor_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"testing"

	"icouch/internal/access"
	"icouch/internal/base/id"
	"icouch/internal/world"
)

// token is a passkey in software: it answers as a phone would.
type token struct {
	key     *ecdsa.PrivateKey
	id      []byte
	user    []byte
	counter uint32
	flags   byte // user present, user verified, …
	origin  string
}

const (
	present  = 0x01
	verified = 0x04
	eligible = 0x08
	backedUp = 0x10
	attested = 0x40
)

func newToken(t testing.TB) *token {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id := make([]byte, 32)
	rand.Read(id)
	return &token{key: key, id: id, flags: present | verified, origin: world.Base}
}

// question is the part of what a page asks that a passkey needs.
type question struct {
	Challenge string
	RPID      string `json:"rpId"`
	RP        struct{ ID string }
	User      struct{ ID string }
	Allow     []struct{ ID string }                          `json:"allowCredentials"`
	Selection struct{ UserVerification, ResidentKey string } `json:"authenticatorSelection"`
	Verify    string                                         `json:"userVerification"`
}

func read(t testing.TB, q string) (is question) {
	t.Helper()
	if err := json.Unmarshal([]byte(q), &is); err != nil {
		t.Fatal(err)
	}
	return is
}

var b64 = base64.RawURLEncoding

func (k *token) client(kind, challenge string) []byte {
	b, _ := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": k.origin, "crossOrigin": false})
	return b
}

func (k *token) authData(rp string, more byte, tail []byte) []byte {
	hash := sha256.Sum256([]byte(rp))
	b := append(hash[:], k.flags|more)
	b = binary.BigEndian.AppendUint32(b, k.counter)
	return append(b, tail...)
}

// make answers the offer of a new passkey.
func (k *token) make(t testing.TB, q string) string {
	t.Helper()
	is := read(t, q)
	user, err := b64.DecodeString(is.User.ID)
	if err != nil {
		t.Fatal(err)
	}
	k.user = user
	pub, err := k.key.PublicKey.Bytes() // 4, x, y
	if err != nil {
		t.Fatal(err)
	}
	// The key as COSE: {1: 2, 3: -7, -1: 1, -2: x, -3: y}.
	cose := append([]byte{0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20}, pub[1:33]...)
	cose = append(append(cose, 0x22, 0x58, 0x20), pub[33:]...)
	tail := make([]byte, 16) // of no known maker
	tail = binary.BigEndian.AppendUint16(tail, uint16(len(k.id)))
	tail = append(append(tail, k.id...), cose...)
	auth := k.authData(is.RP.ID, attested, tail)
	var object bytes.Buffer // {"fmt": "none", "attStmt": {}, "authData": …}
	object.Write([]byte{0xa3, 0x63})
	object.WriteString("fmt")
	object.WriteByte(0x64)
	object.WriteString("none")
	object.WriteByte(0x67)
	object.WriteString("attStmt")
	object.Write([]byte{0xa0, 0x68})
	object.WriteString("authData")
	object.Write([]byte{0x58 + 1, byte(len(auth) >> 8), byte(len(auth))})
	object.Write(auth)
	return k.answer(map[string]any{"clientDataJSON": b64.EncodeToString(k.client("webauthn.create", is.Challenge)), "attestationObject": b64.EncodeToString(object.Bytes()), "transports": []string{"internal", "hybrid"}})
}

// sign answers the question who it is.
func (k *token) sign(t testing.TB, q string) string {
	t.Helper()
	is := read(t, q)
	auth, client := k.authData(is.RPID, 0, nil), k.client("webauthn.get", is.Challenge)
	inner := sha256.Sum256(client)
	sum := sha256.Sum256(append(bytes.Clone(auth), inner[:]...))
	sig, err := ecdsa.SignASN1(rand.Reader, k.key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return k.answer(map[string]any{"clientDataJSON": b64.EncodeToString(client), "authenticatorData": b64.EncodeToString(auth), "signature": b64.EncodeToString(sig), "userHandle": b64.EncodeToString(k.user)})
}

func (k *token) answer(response map[string]any) string {
	b, _ := json.Marshal(map[string]any{"id": b64.EncodeToString(k.id), "rawId": b64.EncodeToString(k.id), "type": "public-key", "response": response, "clientExtensionResults": map[string]any{}, "authenticatorAttachment": "platform"})
	return string(b)
}

// person is an account without any second step.
func person(t testing.TB, w *world.World) (access.Actor, id.Account) {
	t.Helper()
	a := w.Account(t, "Pat Moor", "pat@example.com")
	return access.AsPerson(a), a
}
