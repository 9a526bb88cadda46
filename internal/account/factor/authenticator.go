package factor

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/account/factor/factordb"
	"icouch/internal/audit"
	"icouch/internal/base/at"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/letter"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

// What can be wrong with a code.
var (
	ErrNoCode    = fault.On("code", fault.Invalid, "Enter the six digits that the app shows now.")
	ErrWrongCode = fault.On("code", fault.Invalid, "That code does not fit. Enter the one that the app shows now. If none fits, check that the clock of your phone sets itself.")
	ErrUsedCode  = fault.On("code", fault.Invalid, "That code was used already. Wait half a minute and enter the next one.")
)

// period is how long an app shows one code; each is taken one period longer on
// either side, for clocks that are a little off.
const (
	period = 30 // seconds
	leeway = 1
)

// offerLife is how long a seed that was shown may be confirmed.
const offerLife = time.Hour

// how is what every authenticator app understands.
func how() hotp.ValidateOpts {
	return hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1}
}

var letters = base32.StdEncoding.WithPadding(base32.NoPadding)

// Seed is what an app and we make the same codes from. Printing it prints
// "[secret]".
type Seed struct{ text string }

// NewSeed returns a fresh seed, of 160 bits.
func NewSeed() Seed {
	b := make([]byte, 20)
	rand.Read(b) // never fails
	return Seed{letters.EncodeToString(b)}
}

// ParseSeed reads what Reveal wrote.
func ParseSeed(s string) (Seed, error) {
	b, err := letters.DecodeString(s)
	if err != nil || len(b) < 16 {
		return Seed{}, errors.New("factor: not a seed")
	}
	return Seed{s}, nil
}

// Reveal is the seed as a person types it into an app.
func (s Seed) Reveal() string { return s.text }

func (s Seed) String() string { return "[secret]" }

// Format keeps the seed out of anything printed, whatever the verb.
func (s Seed) Format(f fmt.State, _ rune) { io.WriteString(f, "[secret]") }

// LogValue keeps the seed out of logs.
func (s Seed) LogValue() slog.Value { return slog.StringValue("[secret]") }

// URL is what an app reads from the picture.
func (s Seed) URL(brand, address string) string {
	v := url.Values{"secret": {s.text}, "issuer": {brand}, "algorithm": {"SHA1"}, "digits": {"6"}, "period": {fmt.Sprint(period)}}
	return "otpauth://totp/" + url.PathEscape(brand+":"+address) + "?" + strings.ReplaceAll(v.Encode(), "+", "%20")
}

// Code is what an app shows at a moment.
func (s Seed) Code(now time.Time) (string, error) { return s.at(now.Unix() / period) }

func (s Seed) at(step int64) (string, error) {
	return hotp.GenerateCodeCustom(s.text, uint64(step), how())
}

// step returns the moment for which a typed code is right.
func (s Seed) step(typed string, now at.Time) (int64, bool) {
	middle, found, ok := now.Unix()/period, int64(0), false
	for step := middle - leeway; step <= middle+leeway; step++ { // all of them, however early one fits
		if fits, err := hotp.ValidateCustom(typed, uint64(step), s.text, how()); err == nil && fits {
			found, ok = step, true
		}
	}
	return found, ok
}

// digits is a code as typed, without the spaces people put into it.
func digits(typed string) (string, error) {
	code := strings.Map(func(r rune) rune {
		if r == ' ' || r == '\u00a0' || r == '-' {
			return -1
		}
		return r
	}, typed)
	if len(code) != 6 || strings.Trim(code, "0123456789") != "" {
		return "", ErrNoCode
	}
	return code, nil
}

// offer is a seed that was shown and not confirmed yet. The page keeps it.
type offer struct {
	Seed string
	Ends at.Time
}

// Offer returns a new seed for by to put into an app, and the same sealed, for
// the form with which they confirm it. Nothing is stored.
func Offer(tx *db.Tx, by access.Actor) (Seed, string, error) {
	s := NewSeed()
	key, err := house(tx)
	if err != nil {
		return Seed{}, "", err
	}
	b, err := json.Marshal(offer{s.text, tx.Now().Plus(offerLife)})
	if err != nil {
		return Seed{}, "", fmt.Errorf("offer a seed: %w", err)
	}
	sealed, err := key.Seal(string(b), offerPlace(by.Account()))
	return s, base64.RawURLEncoding.EncodeToString(sealed), err
}

// Offered opens what Offer sealed, if it is by's and not too old.
func Offered(tx *db.Tx, by access.Actor, sealed string) (Seed, error) {
	b, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil {
		return Seed{}, ErrLate
	}
	key, err := house(tx)
	if err != nil {
		return Seed{}, err
	}
	open, err := key.Open(crypt.Sealed(b), offerPlace(by.Account()))
	if err != nil || open == "" { // another person's, or made up
		return Seed{}, ErrLate
	}
	var o offer
	if err := json.Unmarshal([]byte(open), &o); err != nil || !tx.Now().Before(o.Ends.Time) {
		return Seed{}, ErrLate
	}
	return Seed{o.Seed}, nil
}

// SetAuthenticator makes an app by's authenticator, in place of the one before,
// once a code shows that it has the seed. Keep is the session that goes on.
func SetAuthenticator(tx *db.Tx, by access.Actor, s Seed, typed string, keep secret.Token) error {
	a, before, err := changing(tx, by)
	if err != nil {
		return err
	}
	code, err := digits(typed)
	if err != nil {
		return err
	}
	step, ok := s.step(code, tx.Now())
	if !ok {
		return ErrWrongCode
	}
	key, err := house(tx)
	if err != nil {
		return err
	}
	sealed, err := key.Seal(s.text, seedPlace(a.ID))
	if err != nil {
		return err
	}
	if _, err := SQL.In(tx).DropAuthenticator(tx, a.ID); err != nil {
		return fmt.Errorf("set authenticator of %s: %w", a.ID, err)
	}
	err = SQL.In(tx).AddAuthenticator(tx, factordb.AddAuthenticatorParams{AccountID: a.ID, Seed: sealed, Step: step, CreatedAt: tx.Now()})
	if err != nil {
		return fmt.Errorf("set authenticator of %s: %w", a.ID, err)
	}
	if err := arm(tx, by, before, keep); err != nil {
		return err
	}
	if err := account.Note(tx, by, audit.AuthenticatorSet, a.ID); err != nil {
		return err
	}
	return changed(tx, by, a, "An authenticator was set up", "An authenticator app was set up for your account on "+letter.Brand+".")
}

// DropAuthenticator takes by's authenticator away. Whether it may be the last
// second step is asked before: see people.DropAuthenticator.
func DropAuthenticator(tx *db.Tx, by access.Actor) error {
	a, _, err := changing(tx, by)
	if err != nil {
		return err
	}
	n, err := SQL.In(tx).DropAuthenticator(tx, a.ID)
	if err != nil {
		return fmt.Errorf("drop authenticator of %s: %w", a.ID, err)
	}
	if n == 0 {
		return ErrNone
	}
	if err := account.Note(tx, by, audit.AuthenticatorDropped, a.ID); err != nil {
		return err
	}
	return changed(tx, by, a, "Your authenticator was removed", "The authenticator app of your account on "+letter.Brand+" was removed.")
}

// UseCode takes a code of a's app, once. Guesses are counted at the door: see
// account.Doorman.Guess.
func UseCode(tx *db.Tx, by access.Actor, a id.Account, typed string) error {
	code, err := digits(typed)
	if err != nil {
		return err
	}
	row, err := SQL.In(tx).Authenticator(tx, a)
	if errors.Is(err, db.None) {
		return ErrWrongCode
	}
	if err != nil {
		return fmt.Errorf("use a code of %s: %w", a, err)
	}
	key, err := house(tx)
	if err != nil {
		return err
	}
	seed, err := key.Open(row.Seed, seedPlace(a))
	if err != nil {
		return err
	}
	step, ok := Seed{seed}.step(code, tx.Now())
	if !ok {
		return ErrWrongCode
	}
	n, err := SQL.In(tx).TakeStep(tx, factordb.TakeStepParams{Step: step, AccountID: a})
	if err != nil {
		return fmt.Errorf("use a code of %s: %w", a, err)
	}
	if n == 0 {
		return ErrUsedCode
	}
	return account.Note(tx, access.AsPerson(a), audit.StepShown, a, "authenticator")
}

// changed writes to a person that their second steps are others now.
func changed(tx *db.Tx, by access.Actor, a account.Account, subject, what string) error {
	return account.Warn(tx, by, a, subject, letter.Part{Text: what},
		letter.Part{Text: "If you did this, there is nothing to do. If you did not, open the sign-in page at once and choose “Forgot password?”, then look at Settings, “Sign-in & security”."})
}

func seedPlace(a id.Account) string { return crypt.Place("authenticator.seed", keys.Installation, a) }

func offerPlace(a id.Account) string { return crypt.Place("page/authenticator", keys.Installation, a) }
