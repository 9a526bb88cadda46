package factor

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/account/factor/factordb"
	"icouch/internal/audit"
	"icouch/internal/base/at"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/base/text"
	"icouch/internal/letter"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

// What can be wrong with a passkey.
var (
	ErrNotAdded    = fault.New(fault.Invalid, "The passkey could not be added. Try again, or use another device.")
	ErrBadPasskey  = fault.New(fault.Invalid, "That passkey could not be used here. It may have been removed. Try again, or sign in another way.")
	ErrCopy        = fault.New(fault.Invalid, "That passkey may have been copied, so it does not work here any more. Sign in another way and remove it.")
	ErrKnown       = fault.New(fault.Conflict, "That passkey is there already.")
	ErrManyKeys    = fault.New(fault.Conflict, "There are twenty passkeys already. Remove one that you do not use.")
	ErrNoName      = fault.On("name", fault.Invalid, "Enter a name by which you know it again, such as “My phone”.")
	errNoPasskeyOf = errors.New("factor: no such passkey")
)

const (
	longestName   = 60
	mostKeys      = 20
	challengeLife = 30 * time.Minute // a sign-in page may lie open for a while
)

// Passkey is one, as its owner sees it.
type Passkey struct {
	ID      id.Passkey
	Name    string
	Synced  bool // it may be on several devices of the person
	AddedAt at.Time
	UsedAt  *at.Time

	credential webauthn.Credential
}

// LogValue logs a passkey as its id.
func (p Passkey) LogValue() slog.Value { return slog.StringValue(p.ID.String()) }

// Passkeys is the site, as passkeys know it.
type Passkeys struct{ site *webauthn.WebAuthn }

// NewPasskeys returns nil where browsers allow no passkeys: at an address that
// is no name.
func NewPasskeys(brand, base string) *Passkeys {
	u, err := url.Parse(base)
	if err != nil {
		return nil
	}
	yes := true
	site, err := webauthn.New(&webauthn.Config{RPID: u.Hostname(), RPDisplayName: brand, RPOrigins: []string{base}, AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{RequireResidentKey: &yes, ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired}})
	if err != nil {
		return nil
	}
	return &Passkeys{site}
}

// Ask is what a page has a browser ask of a passkey: the question itself, as
// JSON, and the same sealed, for the form that brings the answer. Nothing is
// stored until it is answered.
type Ask struct{ Question, Sealed string }

// asked is what is sealed.
type asked struct {
	Session webauthn.SessionData
	Ends    at.Time
}

// What a challenge is for; an answer to one is none to another.
const (
	forAdding  = "page/passkey-add"
	forSigning = "page/passkey"
)

// person is an account as the library sees it.
type person struct {
	account.Account
	keys []Passkey
}

func (p person) WebAuthnID() []byte          { return []byte(p.ID) }
func (p person) WebAuthnName() string        { return p.Email.String() }
func (p person) WebAuthnDisplayName() string { return p.Name }
func (p person) WebAuthnCredentials() (all []webauthn.Credential) {
	for _, k := range p.keys {
		all = append(all, k.credential)
	}
	return all
}

// Offer asks by's browser for a new passkey.
func (p *Passkeys) Offer(tx *db.Tx, by access.Actor) (Ask, error) {
	who, err := personOf(tx, by, by.Account())
	if err != nil {
		return Ask{}, err
	}
	q, session, err := p.site.BeginRegistration(who, webauthn.WithExclusions(webauthn.Credentials(who.WebAuthnCredentials()).CredentialDescriptors()))
	if err != nil {
		return Ask{}, fmt.Errorf("offer a passkey to %s: %w", who.ID, err)
	}
	return seal(tx, q.Response, session, forAdding, who.ID)
}

// Ask asks for one of the passkeys of an account.
func (p *Passkeys) Ask(tx *db.Tx, _ access.Actor, a id.Account) (Ask, error) {
	who, err := personOf(tx, access.AsPerson(a), a)
	if err != nil {
		return Ask{}, err
	}
	q, session, err := p.site.BeginLogin(who)
	if err != nil {
		return Ask{}, fmt.Errorf("ask %s for a passkey: %w", a, err)
	}
	return seal(tx, q.Response, session, forSigning, a)
}

// AskAnyone asks for a passkey of whoever it is.
func (p *Passkeys) AskAnyone(tx *db.Tx, _ access.Actor) (Ask, error) {
	q, session, err := p.site.BeginDiscoverableLogin()
	if err != nil {
		return Ask{}, fmt.Errorf("ask for a passkey: %w", err)
	}
	return seal(tx, q.Response, session, forSigning, "")
}

func seal(tx *db.Tx, question any, session *webauthn.SessionData, use string, a id.Account) (Ask, error) {
	q, err := json.Marshal(question)
	if err != nil {
		return Ask{}, fmt.Errorf("passkey: %w", err)
	}
	b, err := json.Marshal(asked{*session, tx.Now().Plus(challengeLife)})
	if err != nil {
		return Ask{}, fmt.Errorf("passkey: %w", err)
	}
	key, err := house(tx)
	if err != nil {
		return Ask{}, err
	}
	s, err := key.Seal(string(b), crypt.Place(use, keys.Installation, a))
	return Ask{string(q), base64.RawURLEncoding.EncodeToString(s)}, err
}

// Offered says whether sealed is what by's browser was asked for a new passkey,
// and not too long ago.
func (p *Passkeys) Offered(tx *db.Tx, by access.Actor, sealed string) error {
	_, err := unseal(tx, sealed, forAdding, by.Account())
	return err
}

// unseal opens what was asked.
func unseal(tx *db.Tx, sealed, use string, a id.Account) (was asked, err error) {
	b, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil {
		return was, ErrLate
	}
	key, err := house(tx)
	if err != nil {
		return was, err
	}
	open, err := key.Open(crypt.Sealed(b), crypt.Place(use, keys.Installation, a))
	if err != nil || open == "" { // another person's, for something else, or made up
		return was, ErrLate
	}
	if err := json.Unmarshal([]byte(open), &was); err != nil || !tx.Now().Before(was.Ends.Time) {
		return was, ErrLate
	}
	return was, nil
}

// answered opens what was asked, notes that it is answered, and says so to one
// caller only.
func answered(tx *db.Tx, sealed, use string, a id.Account) (webauthn.SessionData, error) {
	was, err := unseal(tx, sealed, use, a)
	if err != nil {
		return was.Session, err
	}
	hash := sha256.Sum256([]byte(was.Session.Challenge))
	err = SQL.In(tx).Spend(tx, factordb.SpendParams{ChallengeHash: hash[:], ExpiresAt: was.Ends})
	if db.Taken(err) {
		return was.Session, ErrLate
	}
	if err != nil {
		return was.Session, fmt.Errorf("passkey: %w", err)
	}
	return was.Session, nil
}

// Add makes what a browser answered one of by's passkeys. Keep is the session
// that goes on.
func (p *Passkeys) Add(tx *db.Tx, by access.Actor, sealed, answer, name string, keep secret.Token) error {
	a, before, err := changing(tx, by)
	if err != nil {
		return err
	}
	if name, err = goodName(name); err != nil {
		return err
	}
	if len(before.Passkeys) >= mostKeys {
		return ErrManyKeys
	}
	session, err := answered(tx, sealed, forAdding, a.ID)
	if err != nil {
		return err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes([]byte(answer))
	if err != nil {
		return ErrNotAdded
	}
	c, err := p.site.CreateCredential(person{a, before.Passkeys}, session, parsed)
	if err != nil {
		return ErrNotAdded
	}
	k := id.New[id.Passkey](tx.Now().Time)
	row := factordb.AddPasskeyParams{AccountID: a.ID, ID: k, Credential: c.ID, PublicKey: c.PublicKey, SignCount: int64(c.Authenticator.SignCount),
		Flags: int64(c.Flags.ProtocolValue()), Aaguid: c.Authenticator.AAGUID, Transports: transports(c.Transport), Attestation: c.AttestationFormat, CreatedAt: tx.Now()}
	key, err := house(tx)
	if err != nil {
		return err
	}
	if row.Name, err = key.Seal(name, passkeyPlace(k)); err != nil {
		return err
	}
	err = SQL.In(tx).AddPasskey(tx, row)
	if db.Taken(err) {
		return ErrKnown
	}
	if err != nil {
		return fmt.Errorf("add a passkey of %s: %w", a.ID, err)
	}
	if err := arm(tx, by, before, keep); err != nil {
		return err
	}
	if err := account.Note(tx, by, audit.PasskeyAdded, k); err != nil {
		return err
	}
	return changed(tx, by, a, "A passkey was added", "A passkey was added to your account on "+letter.Brand+".")
}

// Use takes a browser's answer, and returns whose passkey it was. A is who was
// asked, or "" if anybody was.
func (p *Passkeys) Use(tx *db.Tx, by access.Actor, a id.Account, sealed, answer string) (id.Account, error) {
	session, err := answered(tx, sealed, forSigning, a)
	if err != nil {
		return "", err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes([]byte(answer))
	if err != nil {
		return "", ErrBadPasskey
	}
	who, err := p.holder(tx, a, parsed)
	if errors.Is(err, errNoPasskeyOf) {
		return "", ErrBadPasskey
	}
	if err != nil {
		return "", err
	}
	c, err := p.check(who, a, session, parsed)
	if err != nil {
		return "", ErrBadPasskey
	}
	if c.Authenticator.CloneWarning {
		return "", ErrCopy
	}
	return who.ID, noteUse(tx, by, who, c)
}

func (p *Passkeys) check(who person, a id.Account, session webauthn.SessionData, parsed *protocol.ParsedCredentialAssertionData) (*webauthn.Credential, error) {
	if a != "" {
		return p.site.ValidateLogin(who, session, parsed)
	}
	_, c, err := p.site.ValidatePasskeyLogin(func(_, handle []byte) (webauthn.User, error) {
		if string(handle) != who.ID.String() {
			return nil, errNoPasskeyOf
		}
		return who, nil
	}, session, parsed)
	return c, err
}

// holder finds whose passkey answered, and holds their account.
func (p *Passkeys) holder(tx *db.Tx, a id.Account, parsed *protocol.ParsedCredentialAssertionData) (person, error) {
	owner, err := SQL.In(tx).Owner(tx, parsed.RawID)
	if errors.Is(err, db.None) || err == nil && a != "" && owner != a {
		return person{}, errNoPasskeyOf
	}
	if err != nil {
		return person{}, fmt.Errorf("passkey: %w", err)
	}
	held, err := account.Hold(tx, access.AsPerson(owner), owner)
	if err != nil {
		return person{}, err
	}
	all, err := passkeys(tx, owner)
	return person{held, all}, err
}

func noteUse(tx *db.Tx, _ access.Actor, who person, c *webauthn.Credential) error {
	for _, k := range who.keys {
		if string(k.credential.ID) != string(c.ID) {
			continue
		}
		n, err := SQL.In(tx).UsePasskey(tx, factordb.UsePasskeyParams{SignCount: int64(c.Authenticator.SignCount), Flags: int64(c.Flags.ProtocolValue()),
			UsedAt: tx.Now().Ptr(), AccountID: who.ID, ID: k.ID, Before: int64(k.credential.Authenticator.SignCount)})
		if err != nil {
			return fmt.Errorf("use passkey %s: %w", k.ID, err)
		}
		if n == 0 {
			return ErrBadPasskey
		}
		return account.Note(tx, access.AsPerson(who.ID), audit.StepShown, k.ID, "passkey")
	}
	return ErrBadPasskey
}

// RenamePasskey gives one of by's passkeys another name.
func RenamePasskey(tx *db.Tx, by access.Actor, k id.Passkey, name string) error {
	name, err := goodName(name)
	if err != nil {
		return err
	}
	key, err := house(tx)
	if err != nil {
		return err
	}
	sealed, err := key.Seal(name, passkeyPlace(k))
	if err != nil {
		return err
	}
	n, err := SQL.In(tx).RenamePasskey(tx, factordb.RenamePasskeyParams{Name: sealed, AccountID: by.Account(), ID: k})
	if err != nil {
		return fmt.Errorf("rename passkey %s: %w", k, err)
	}
	if n == 0 {
		return ErrNone
	}
	return account.Note(tx, by, audit.PasskeyRenamed, k)
}

// DropPasskey takes one of by's passkeys away. Whether it may be the last second
// step is asked before: see people.DropPasskey.
func DropPasskey(tx *db.Tx, by access.Actor, k id.Passkey) error {
	a, _, err := changing(tx, by)
	if err != nil {
		return err
	}
	n, err := SQL.In(tx).DropPasskey(tx, factordb.DropPasskeyParams{AccountID: a.ID, ID: k})
	if err != nil {
		return fmt.Errorf("drop passkey %s: %w", k, err)
	}
	if n == 0 {
		return ErrNone
	}
	if err := account.Note(tx, by, audit.PasskeyDropped, k); err != nil {
		return err
	}
	return changed(tx, by, a, "A passkey was removed", "A passkey was removed from your account on "+letter.Brand+". It does not sign anybody in any more.")
}

func personOf(tx *db.Tx, by access.Actor, a id.Account) (person, error) {
	is, err := account.Read(tx, by, a)
	if err != nil {
		return person{}, err
	}
	all, err := passkeys(tx, a)
	return person{is, all}, err
}

func passkeys(tx *db.Tx, a id.Account) ([]Passkey, error) {
	rows, err := SQL.In(tx).Passkeys(tx, a)
	if err != nil {
		return nil, fmt.Errorf("passkeys of %s: %w", a, err)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	key, err := house(tx)
	if err != nil {
		return nil, err
	}
	all := make([]Passkey, len(rows))
	for i, r := range rows {
		flags := webauthn.NewCredentialFlags(protocol.AuthenticatorFlags(r.Flags))
		all[i] = Passkey{ID: r.ID, Synced: flags.BackupEligible, AddedAt: r.CreatedAt, UsedAt: r.UsedAt, credential: webauthn.Credential{ID: r.Credential, PublicKey: r.PublicKey,
			AttestationFormat: r.Attestation, Transport: parseTransports(r.Transports), Flags: flags,
			Authenticator: webauthn.Authenticator{AAGUID: r.Aaguid, SignCount: uint32(r.SignCount)}}}
		if all[i].Name, err = key.Open(r.Name, passkeyPlace(r.ID)); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func transports(all []protocol.AuthenticatorTransport) string {
	words := make([]string, len(all))
	for i, t := range all {
		words[i] = string(t)
	}
	return strings.Join(words, " ")
}

func parseTransports(s string) (all []protocol.AuthenticatorTransport) {
	for _, word := range strings.Fields(s) {
		all = append(all, protocol.AuthenticatorTransport(word))
	}
	return all
}

func goodName(s string) (string, error) {
	name, err := text.Line(s, longestName)
	if err != nil {
		return "", fault.At("name", err)
	}
	if name == "" {
		return "", ErrNoName
	}
	return name, nil
}

func passkeyPlace(k id.Passkey) string { return crypt.Place("passkey.name", keys.Installation, k) }
