package people

import (
	"errors"
	"fmt"
	"time"

	"icouch/internal/access"
	"icouch/internal/audit"
	"icouch/internal/base/at"
	"icouch/internal/base/email"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/base/text"
	"icouch/internal/letter"
	"icouch/internal/people/peopledb"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

// An invitation is one link to one client. It is stored as a hash; the letter
// holds the link itself, sealed until it has gone. Re-Send makes another link
// and supersedes the one before, so that one at most is live.

// life is how long a link works. People come back late: half of them open a
// letter days after it came.
const life = 14 * 24 * time.Hour

// coolDown is how long Re-Send rests after a press, so that an impatient double
// press sends one letter.
const coolDown = time.Minute

// noteLength is the most letters of the personal line in the letter.
const noteLength = 300

// What people are told when an invitation cannot be made.
var (
	ErrNoEmail        = fault.New(fault.Invalid, "Add the client’s e-mail address first.")
	ErrNoConsent      = fault.New(fault.Invalid, "This client has not agreed to receive e-mail. Record their consent first.")
	ErrAlreadyInvited = fault.New(fault.Conflict, "This client has been invited already. Re-send the invitation instead.")
	ErrHasAccount     = fault.New(fault.Conflict, "This client has an account already. Nothing needs to be sent.")
	ErrCareEnded      = fault.New(fault.Conflict, "Care of this client has ended. Take them back into care first.")
	ErrNotInvited     = fault.New(fault.Conflict, "This client has not been invited yet.")
	ErrJustSent       = fault.New(fault.Conflict, "An invitation went out less than a minute ago. There is no need to press twice.")
	ErrRaced          = fault.New(fault.Conflict, "This client was invited at the same moment by another press. There is no need to press twice.")
	ErrManyLetters    = fault.New(fault.Conflict, "Many invitations went to this address in the last hour. Wait an hour, or copy the link and hand it over.")
	ErrNothingLive    = fault.New(fault.Conflict, "There is no open invitation to withdraw.")
)

// State says how far an invitation has come. That it has expired is not a
// state: it follows from the time.
type State string

// The states.
const (
	Live       State = "live"
	Used       State = "used"
	Withdrawn  State = "withdrawn"
	Superseded State = "superseded"
)

// Why an invitation ended. The words stand in the database for ever.
const (
	reasonByHand           = "withdrawn"
	reasonEmailChanged     = "email changed"
	reasonConsentWithdrawn = "consent withdrawn"
	reasonCareEnded        = "care ended"
	reasonCloses           = "practice closes"
	reasonNotYet           = "not yet" // a minor, who may sign in from a later day
)

// Invite offers a client an account. The letter goes out shortly after. The
// note, if any, is the practitioner's own line in it.
func Invite(tx *db.Tx, by access.Actor, client id.Client, note string) error {
	if !by.MayInvite() {
		return fault.Forbidden
	}
	c, err := invitable(tx, by, client)
	if err != nil {
		return err
	}
	was, err := newest(tx, c.Practice, c.ID)
	switch {
	case errors.Is(err, db.None):
	case err != nil:
		return err
	case was.state != Used: // used, and no account: they closed it, and begin anew
		return ErrAlreadyInvited
	}
	return send(tx, by, c, was.ordinal+1, note, manner{}, audit.ClientInvited)
}

// Resend invites again, with a new link; the one before it is dead from here on.
func Resend(tx *db.Tx, by access.Actor, client id.Client, note string) error {
	if !by.MayInvite() {
		return fault.Forbidden
	}
	c, err := invitable(tx, by, client)
	if err != nil {
		return err
	}
	was, err := newest(tx, c.Practice, c.ID)
	if errors.Is(err, db.None) {
		return ErrNotInvited
	}
	if err != nil {
		return err
	}
	if was.state == Live && was.madeAt.Plus(coolDown).After(tx.Now().Time) {
		return ErrJustSent
	}
	return send(tx, by, c, was.ordinal+1, note, manner{again: true}, audit.InvitationResent)
}

// Withdraw ends a client's link before it is used.
func Withdraw(tx *db.Tx, by access.Actor, client id.Client) error {
	if !by.MayInvite() {
		return fault.Forbidden
	}
	if _, err := findToChange(tx, by, client); err != nil {
		return err
	}
	ended, err := endLive(tx, by, client, Withdrawn, reasonByHand)
	if err == nil && !ended {
		return ErrNothingLive
	}
	return err
}

// CopyLink makes a link for the practitioner to hand over, by whatever way is
// safe. Nothing is mailed, so consent to e-mail is not needed; a link that was
// sent before stops working. Whoever uses it has not proved the address.
func CopyLink(tx *db.Tx, by access.Actor, client id.Client) (secret.Token, error) {
	if !by.MayInvite() {
		return secret.Token{}, fault.Forbidden
	}
	c, err := invitable(tx, by, client)
	if err != nil && !errors.Is(err, ErrNoConsent) {
		return secret.Token{}, err
	}
	was, err := newest(tx, c.Practice, c.ID)
	if err != nil && !errors.Is(err, db.None) {
		return secret.Token{}, err
	}
	if _, err := endLive(tx, by, c.ID, Superseded, ""); err != nil {
		return secret.Token{}, err
	}
	token := secret.NewToken()
	if err := add(tx, by, c, link{token: token, ordinal: was.ordinal + 1}); err != nil {
		return secret.Token{}, err
	}
	tx.Notify(Topic(c.Practice, c.ID))
	return token, audit.Record(tx, by, audit.Deed{Did: audit.LinkCopied, Subject: c.ID, Client: c.ID})
}

// invitable finds a client who can be invited now, and holds them: what it says
// is true until tx ends. With ErrNoConsent the client comes too.
func invitable(tx *db.Tx, by access.Actor, client id.Client) (Client, error) {
	_, err := SQL.In(tx).HoldClient(tx, peopledb.HoldClientParams{PracticeID: by.Practice(), ID: client})
	if err != nil && !errors.Is(err, db.None) {
		return Client{}, fmt.Errorf("hold %s: %w", client, err)
	}
	c, err := findToChange(tx, by, client) // another practice's client is not found
	switch {
	case err != nil:
		return Client{}, err
	case c.Account != nil:
		return Client{}, ErrHasAccount
	case c.Ended(tx.Now()):
		return Client{}, ErrCareEnded
	case c.Email.IsZero():
		return Client{}, ErrNoEmail
	}
	if err := MayCome(tx, by); err != nil {
		return Client{}, err
	}
	early, err := waits(tx, c.Practice, c.ID)
	switch {
	case err != nil:
		return Client{}, err
	case early:
		return Client{}, ErrTooYoung
	case !c.EmailConsent:
		return c, ErrNoConsent
	}
	return c, nil
}

// manner is how an invitation goes out.
type manner struct {
	again  bool // a link went before this one
	founds bool // whoever it is for would set up a practice of their own
}

// send makes a link and the letter that holds it.
func send(tx *db.Tx, by access.Actor, c Client, ordinal int64, note string, m manner, did audit.Action) error {
	note, err := text.Block(note, noteLength)
	if err != nil {
		return fault.At("note", err)
	}
	if err := mayWriteTo(tx, by, c.Email); err != nil { // before anything is written: a refusal undoes nothing
		return err
	}
	if _, err := endLive(tx, by, c.ID, Superseded, ""); err != nil {
		return err
	}
	l := link{token: secret.NewToken(), ordinal: ordinal, note: text.StripLinks(note)}
	body, err := invitationLetter(tx, by, c, l, m)
	if err != nil {
		return err
	}
	sent, err := letter.Send(tx, by, body)
	if err != nil {
		return err
	}
	l.letter = &sent
	if err := add(tx, by, c, l); err != nil {
		return err
	}
	tx.Notify(Topic(c.Practice, c.ID))
	return audit.Record(tx, by, audit.Deed{Did: did, Subject: c.ID, Client: c.ID})
}

// mostLetters is how many invitations a practice sends to one mailbox in an
// hour. A family may share one; nobody's is to be filled.
const mostLetters = 10

// mayWriteTo says why no invitation may be mailed to an address now, or nil.
func mayWriteTo(tx *db.Tx, by access.Actor, a email.Address) error {
	no, err := letter.Declined(tx, by, a)
	if err != nil {
		return err
	}
	if no {
		return letter.ErrDeclined
	}
	index, err := addressIndex(tx, a)
	if err != nil {
		return err
	}
	n, err := SQL.In(tx).LettersTo(tx, peopledb.LettersToParams{PracticeID: by.Practice(), EmailIndex: index, Since: tx.Now().Plus(-time.Hour)})
	if err != nil {
		return fmt.Errorf("letters to a mailbox: %w", err)
	}
	if n >= mostLetters {
		return ErrManyLetters
	}
	return nil
}

// link is what is known of a new invitation.
type link struct {
	token   secret.Token
	letter  *id.Letter // nil: copied by hand
	ordinal int64
	note    string
}

func add(tx *db.Tx, by access.Actor, c Client, l link) error {
	inv := id.New[id.Invitation](tx.Now().Time)
	key, err := keys.Of(tx, c.Practice)
	if err != nil {
		return err
	}
	p := peopledb.AddInvitationParams{PracticeID: c.Practice, ID: inv, ClientID: c.ID, PractitionerID: inviter(by, c), TokenHash: l.token.Hash(),
		LetterID: l.letter, Ordinal: l.ordinal, CreatedAt: tx.Now(), ExpiresAt: tx.Now().Plus(life)}
	if p.Email, err = key.Seal(c.Email.String(), crypt.Place("invitation.email", c.Practice, inv)); err != nil {
		return err
	}
	if p.Note, err = key.SealSome(l.note, crypt.Place("invitation.note", c.Practice, inv)); err != nil {
		return err
	}
	if p.EmailIndex, err = addressIndex(tx, c.Email); err != nil {
		return err
	}
	err = SQL.In(tx).AddInvitation(tx, p)
	if db.Taken(err) { // the index sees to it, whoever presses what at once
		return ErrRaced
	}
	if err != nil {
		return fmt.Errorf("invite %s: %w", c.ID, err)
	}
	return nil
}

// inviter is in whose name a client is invited: whoever presses the button, or
// who looks after the client if that was not a member of the practice.
func inviter(by access.Actor, c Client) id.Practitioner {
	if by.Practitioner() != "" {
		return by.Practitioner()
	}
	return c.Practitioner
}

// endLive ends a client's live link, if there is one, and keeps its letter
// from going if it has not gone.
func endLive(tx *db.Tx, by access.Actor, client id.Client, as State, reason string) (ended bool, err error) {
	p := peopledb.EndLiveParams{State: string(as), Reason: reason, EndedAt: tx.Now().Ptr(), PracticeID: by.Practice(), ClientID: client}
	if who := by.Practitioner(); who != "" {
		p.EndedBy = &who
	}
	row, err := SQL.In(tx).EndLive(tx, p)
	if errors.Is(err, db.None) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("end the link of %s: %w", client, err)
	}
	if row.LetterID != nil {
		if err := letter.Cancel(tx, by, *row.LetterID); err != nil {
			return false, err
		}
	}
	tx.Notify(Topic(by.Practice(), client))
	if as == Superseded { // the new link has its own line
		return true, nil
	}
	return true, audit.Record(tx, by, audit.Deed{Did: audit.InvitationWithdrawn, Subject: row.ID, Client: client})
}

// newestInvitation is what the verbs need to know of the newest link.
type newestInvitation struct {
	id      id.Invitation
	inviter id.Practitioner
	state   State
	ordinal int64
	madeAt  at.Time
	endsAt  at.Time
	waits   bool // its letter has not gone yet
	byHand  bool // it was copied, and never mailed
}

func newest(tx *db.Tx, p id.Practice, c id.Client) (newestInvitation, error) {
	r, err := SQL.In(tx).Newest(tx, peopledb.NewestParams{PracticeID: p, ClientID: c})
	if err != nil {
		if errors.Is(err, db.None) {
			return newestInvitation{}, db.None
		}
		return newestInvitation{}, fmt.Errorf("invitation of %s: %w", c, err)
	}
	waits := r.LetterState != nil && (letter.State(*r.LetterState) == letter.Queued || letter.State(*r.LetterState) == letter.Delayed)
	return newestInvitation{r.ID, r.PractitionerID, State(r.State), r.Ordinal, r.CreatedAt, r.ExpiresAt, waits, r.LetterID == nil}, nil
}

// addressIndex finds an invitation by a typed address, in whichever practice.
func addressIndex(tx *db.Tx, a email.Address) ([]byte, error) {
	key, err := keys.Of(tx, keys.Installation)
	if err != nil {
		return nil, err
	}
	return key.Index("email", a.Fold())
}
