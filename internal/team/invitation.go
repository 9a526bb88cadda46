package team

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/audit"
	"icouch/internal/base/at"
	"icouch/internal/base/civil"
	"icouch/internal/base/email"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/base/text"
	"icouch/internal/letter"
	"icouch/internal/people"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
	"icouch/internal/team/teamdb"
)

// A colleague's invitation follows the rules of a client's: one live link for
// an address and a practice, stored as a hash, used up by one statement. Whoever
// uses one that was mailed has shown that the address is theirs; whoever uses
// one that was copied and handed over has not.

const (
	life        = 14 * 24 * time.Hour
	coolDown    = time.Minute
	mostLetters = 10 // an hour, to one mailbox
	mostSent    = 20 // an hour, by one practice
	nameLength  = 120
)

// What people are told when a colleague cannot be invited.
var (
	ErrNoName      = fault.On("name", fault.Invalid, "Enter your colleague’s name.")
	ErrNoEmail     = fault.On("email", fault.Invalid, "Enter your colleague’s e-mail address.")
	ErrInvited     = fault.On("email", fault.Conflict, "This address has been invited already. Re-send the invitation instead.")
	ErrIsMember    = fault.On("email", fault.Conflict, "This person works in the practice already.")
	ErrWasMember   = fault.On("email", fault.Conflict, "This person is an inactive member. Make them active again instead.")
	ErrDeclined    = fault.On("email", fault.Conflict, "The person at this address has asked for no more invitations by e-mail. They can allow them again by the link in an earlier letter.")
	ErrManyLetters = fault.On("email", fault.Conflict, "Many invitations went to this address in the last hour. Wait an hour, then try again.")
	ErrManySent    = fault.New(fault.Busy, "Your practice has sent 20 invitations to colleagues in the last hour. Nothing was sent now. Wait an hour, then try again.")
	ErrJustSent    = fault.New(fault.Conflict, "An invitation went out less than a minute ago. There is no need to press twice.")
	ErrOver        = fault.New(fault.Conflict, "This invitation is not open any more.")
)

// Draft is a colleague to be invited.
type Draft struct {
	Name  string
	Email email.Address
	Role  access.Role
}

// Invite asks a colleague to work in by's practice.
func Invite(tx *db.Tx, by access.Actor, d Draft) error {
	if err := mayGive(by, d.Role); err != nil {
		return err
	}
	name, err := text.Line(d.Name, nameLength)
	if err != nil {
		return fault.At("name", err)
	}
	if d.Name = text.StripLinks(name); d.Name == "" {
		return ErrNoName
	}
	if d.Email.IsZero() {
		return ErrNoEmail
	}
	if _, err := SQL.In(tx).HoldPractice(tx, by.Practice()); err != nil { // one press at a time
		return fmt.Errorf("hold %s: %w", by.Practice(), err)
	}
	if err := notYetHere(tx, by, d.Email); err != nil {
		return err
	}
	was, err := newest(tx, by.Practice(), d.Email)
	switch {
	case errors.Is(err, db.None):
	case err != nil:
		return err
	case was.State == string(people.Live):
		return ErrInvited
	}
	if err := mayInviteMore(tx, by); err != nil {
		return err
	}
	return send(tx, by, d, was.Ordinal, audit.MemberInvited)
}

// mayGive reports whether by may bring somebody in with a role.
func mayGive(by access.Actor, role access.Role) error {
	switch {
	case !by.May(access.ManageMembers):
		return fault.Forbidden
	case !slices.Contains(access.WorkRoles, role):
		return ErrNoRole
	case role == access.Owner && !by.May(access.MakeOwners):
		return fault.Forbidden
	}
	return nil
}

// mayStillGive reports whether a link that somebody sent is still worth what it
// offers: they work here, and could send it today.
func mayStillGive(p id.Practice, inviter people.Practitioner, role access.Role) bool {
	return inviter.Active && mayGive(access.AsPractitioner(p, inviter.Account, inviter.ID, inviter.Role), role) == nil
}

// mayInviteMore is a fault if by's practice, which is held, has sent so many
// invitations lately that not all can be to colleagues.
func mayInviteMore(tx *db.Tx, by access.Actor) error {
	last, err := SQL.In(tx).SentBefore(tx, teamdb.SentBeforeParams{PracticeID: by.Practice(), Newer: mostSent - 1})
	if errors.Is(err, db.None) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("invitations of %s: %w", by.Practice(), err)
	}
	if last.Plus(time.Hour).After(tx.Now().Time) {
		return ErrManySent
	}
	return nil
}

// notYetHere is a fault if an address is a member's.
func notYetHere(tx *db.Tx, by access.Actor, a email.Address) error {
	who, err := account.ByEmail(tx, by, a)
	if errors.Is(err, db.None) {
		return nil
	}
	if err != nil {
		return err
	}
	all, err := people.Practitioners(tx, by)
	if err != nil {
		return err
	}
	for _, p := range all {
		switch {
		case p.Account == who.ID && p.Active:
			return ErrIsMember
		case p.Account == who.ID:
			return ErrWasMember
		}
	}
	return nil
}

// Resend sends an open invitation again, with a new link; the one before it is
// dead from here on.
func Resend(tx *db.Tx, by access.Actor, inv id.TeamInvitation) error {
	d, was, err := opened(tx, by, inv)
	if err != nil {
		return err
	}
	if err := notYetHere(tx, by, d.Email); err != nil {
		return err
	}
	if !was.ByHand && was.CreatedAt.Plus(coolDown).After(tx.Now().Time) {
		return ErrJustSent
	}
	if err := mayInviteMore(tx, by); err != nil {
		return err
	}
	return send(tx, by, d, was.Ordinal, audit.MemberReinvited)
}

// Withdraw ends an open invitation before it is used.
func Withdraw(tx *db.Tx, by access.Actor, inv id.TeamInvitation) error {
	d, was, err := opened(tx, by, inv)
	if err != nil {
		return err
	}
	if was.State != string(people.Live) {
		return ErrOver
	}
	if err := endLive(tx, by, d.Email, people.Withdrawn); err != nil {
		return err
	}
	return audit.Record(tx, by, audit.Deed{Did: audit.MemberUninvited, Subject: inv})
}

// opened returns an invitation that can be sent again: the newest to its
// address, and not used. One of another practice is fault.NotFound.
func opened(tx *db.Tx, by access.Actor, inv id.TeamInvitation) (d Draft, was teamdb.NewestRow, err error) {
	if !by.May(access.ManageMembers) {
		return d, was, fault.Forbidden
	}
	if _, err := SQL.In(tx).HoldPractice(tx, by.Practice()); err != nil {
		return d, was, fmt.Errorf("hold %s: %w", by.Practice(), err)
	}
	row, err := SQL.In(tx).Invitation(tx, teamdb.InvitationParams{PracticeID: by.Practice(), ID: inv})
	if errors.Is(err, db.None) {
		return d, was, fault.NotFound
	}
	if err != nil {
		return d, was, fmt.Errorf("invitation %s: %w", inv, err)
	}
	if d, err = draftOf(tx, by.Practice(), teamdb.NewestRow(row)); err != nil {
		return d, was, err
	}
	if err := mayGive(by, d.Role); err != nil {
		return d, was, err
	}
	was, err = newest(tx, by.Practice(), d.Email)
	if err == nil && (was.ID != inv || was.State == string(people.Used)) {
		return d, was, ErrOver
	}
	return d, was, err
}

// send makes a link and the letter that holds it.
func send(tx *db.Tx, by access.Actor, d Draft, before int64, did audit.Action) error {
	if err := mayWriteTo(tx, by.Practice(), d.Email); err != nil {
		return err
	}
	if err := endLive(tx, by, d.Email, people.Superseded); err != nil {
		return err
	}
	inv, token := id.New[id.TeamInvitation](tx.Now().Time), secret.NewToken()
	b, choices, err := invitationLetter(tx, by, d, token, before > 0)
	if err != nil {
		return err
	}
	l, err := letter.Send(tx, by, letter.Draft{Kind: letter.Colleague, To: d.Email, FromName: letter.Brand, Body: b, Choices: choices})
	if err != nil {
		return err
	}
	p := teamdb.AddParams{ID: inv, TokenHash: token.Hash(), LetterID: l, Ordinal: before + 1}
	if err := add(tx, by, d, p); err != nil {
		return err
	}
	return audit.Record(tx, by, audit.Deed{Did: did, Subject: inv})
}

// CopyLink makes a link of an open invitation, to be handed over by whatever way
// is safe. Nothing is mailed; the link before it is dead from here on.
func CopyLink(tx *db.Tx, by access.Actor, inv id.TeamInvitation) (d Draft, token secret.Token, err error) {
	d, was, err := opened(tx, by, inv)
	if err != nil {
		return d, token, err
	}
	if err := people.MayCome(tx, by); err != nil {
		return d, token, err
	}
	if err := notYetHere(tx, by, d.Email); err != nil {
		return d, token, err
	}
	if err := endLive(tx, by, d.Email, people.Superseded); err != nil {
		return d, token, err
	}
	made := id.New[id.TeamInvitation](tx.Now().Time)
	token = secret.NewToken()
	p := teamdb.AddParams{ID: made, TokenHash: token.Hash(), LetterID: was.LetterID, ByHand: true, Ordinal: was.Ordinal + 1}
	if err := add(tx, by, d, p); err != nil {
		return d, token, err
	}
	return d, token, audit.Record(tx, by, audit.Deed{Did: audit.LinkCopied, Subject: made})
}

// add stores a link for whom d names.
func add(tx *db.Tx, by access.Actor, d Draft, p teamdb.AddParams) error {
	inv := p.ID
	p.PracticeID, p.PractitionerID, p.Role, p.CreatedAt, p.ExpiresAt = by.Practice(), by.Practitioner(), string(d.Role), tx.Now(), tx.Now().Plus(life)
	key, err := keys.Of(tx, by.Practice())
	if err != nil {
		return err
	}
	if p.Name, err = key.Seal(d.Name, namePlace(by.Practice(), inv)); err != nil {
		return err
	}
	if p.Email, err = key.Seal(d.Email.String(), emailPlace(by.Practice(), inv)); err != nil {
		return err
	}
	if p.EmailIndex, err = addressIndex(tx, d.Email); err != nil {
		return err
	}
	err = SQL.In(tx).Add(tx, p)
	if db.Taken(err) { // the index sees to it, whoever presses what at once
		return ErrJustSent
	}
	if err != nil {
		return fmt.Errorf("invite a colleague: %w", err)
	}
	return nil
}

func invitationLetter(tx *db.Tx, by access.Actor, d Draft, token secret.Token, again bool) (b letter.Body, choices string, err error) {
	practice, err := people.PracticeOf(tx, by)
	if err != nil {
		return b, "", err
	}
	who, err := member(tx, by, by.Practitioner())
	if err != nil {
		return b, "", err
	}
	c, err := letter.ChoicesToken(tx, by, d.Email)
	if err != nil {
		return b, "", err
	}
	w := words{practice: practice.Name, inviter: who.Name, hello: d.Name, address: d.Email.String(), role: "a member with the role “" + RoleWords(d.Role) + "”", again: again,
		until: civil.MomentZone(tx.Now().Time, tx.Now().Add(life), practice.Zone), link: letter.Base + "/team/" + token.Reveal(), choices: letter.Base + "/choices/" + c}
	return invitationBody(w), w.choices, nil
}

// RoleWords is a role as people say it.
func RoleWords(r access.Role) string {
	switch r {
	case access.Owner:
		return "Owner"
	case access.Administrator:
		return "Administrator"
	case access.Practitioner:
		return "Practitioner"
	case access.Supervisor:
		return "Supervisor"
	case access.Scheduler:
		return "Scheduler"
	case access.Biller:
		return "Biller"
	}
	return string(r)
}

// mayWriteTo says why no invitation may be mailed to an address now, or nil.
func mayWriteTo(tx *db.Tx, p id.Practice, a email.Address) error {
	by := access.Job(p)
	if err := people.MayCome(tx, by); err != nil {
		return err
	}
	no, err := letter.Declined(tx, by, a)
	if err != nil {
		return err
	}
	if no {
		return ErrDeclined
	}
	index, err := addressIndex(tx, a)
	if err != nil {
		return err
	}
	n, err := SQL.In(tx).LettersTo(tx, teamdb.LettersToParams{PracticeID: p, EmailIndex: index, Since: tx.Now().Plus(-time.Hour)})
	if err != nil {
		return fmt.Errorf("letters to a mailbox: %w", err)
	}
	if n >= mostLetters {
		return ErrManyLetters
	}
	return nil
}

// endLive ends an address's live link, if there is one, and keeps its letter
// from going if it has not gone.
func endLive(tx *db.Tx, by access.Actor, a email.Address, as people.State) error {
	index, err := addressIndex(tx, a)
	if err != nil {
		return err
	}
	row, err := SQL.In(tx).EndLive(tx, teamdb.EndLiveParams{State: string(as), EndedAt: tx.Now().Ptr(), PracticeID: by.Practice(), EmailIndex: index})
	if errors.Is(err, db.None) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("end a colleague's link: %w", err)
	}
	return letter.Cancel(tx, by, row.LetterID)
}

// endBeyond withdraws the open invitations of a member that they could not make
// any more in their new role.
func endBeyond(tx *db.Tx, by access.Actor, who id.Practitioner, role access.Role) error {
	var beyond []access.Role
	for _, r := range access.WorkRoles {
		if !role.Has(access.ManageMembers) || r == access.Owner && !role.Has(access.MakeOwners) {
			beyond = append(beyond, r)
		}
	}
	roles, err := list(beyond)
	if err != nil || beyond == nil {
		return err
	}
	rows, err := SQL.In(tx).EndLiveBy(tx, teamdb.EndLiveByParams{EndedAt: tx.Now().Ptr(), PracticeID: by.Practice(), PractitionerID: who, Roles: roles})
	if err != nil {
		return fmt.Errorf("end the invitations of %s: %w", who, err)
	}
	for _, r := range rows {
		if err := letter.Cancel(tx, by, r.LetterID); err != nil {
			return err
		}
		if err := audit.Record(tx, by, audit.Deed{Did: audit.MemberUninvited, Subject: r.ID}); err != nil {
			return err
		}
	}
	return nil
}

// Invited is one open invitation, as the list shows it.
type Invited struct {
	Draft
	ID        id.TeamInvitation
	Inviter   id.Practitioner
	CreatedAt at.Time
	ExpiresAt at.Time
	AskedAt   *at.Time // it was withdrawn, and they ask for a new link
	Times     int64
	ByHand    bool // the link was copied, and nothing mailed
	Letter    letter.State
	Reason    string // why the letter did not arrive
}

// Invitations returns the open invitations of by's practice, and those that
// were withdrawn and asked for again.
func Invitations(tx *db.Tx, by access.Actor) (all []Invited, err error) {
	if !by.May(access.ManageMembers) {
		return nil, fault.Forbidden
	}
	rows, err := SQL.In(tx).Listed(tx, by.Practice())
	if err != nil {
		return nil, fmt.Errorf("invitations of %s: %w", by.Practice(), err)
	}
	seen := map[string]bool{}
	for _, r := range rows {
		d, err := draftOf(tx, by.Practice(), teamdb.NewestRow{ID: r.ID, Role: r.Role, Name: r.Name, Email: r.Email})
		if err != nil {
			return nil, err
		}
		n, err := newest(tx, by.Practice(), d.Email)
		if err != nil {
			return nil, err
		}
		if n.ID != r.ID || seen[d.Email.Fold()] {
			continue
		}
		seen[d.Email.Fold()] = true
		all = append(all, Invited{d, r.ID, r.PractitionerID, r.CreatedAt, r.ExpiresAt, r.AskedAt, r.Ordinal, r.ByHand, letter.State(r.LetterState), r.LetterReason})
	}
	return all, nil
}

func newest(tx *db.Tx, p id.Practice, a email.Address) (teamdb.NewestRow, error) {
	index, err := addressIndex(tx, a)
	if err != nil {
		return teamdb.NewestRow{}, err
	}
	row, err := SQL.In(tx).Newest(tx, teamdb.NewestParams{PracticeID: p, EmailIndex: index})
	if err != nil && !errors.Is(err, db.None) {
		return row, fmt.Errorf("newest invitation: %w", err)
	}
	return row, err
}

func draftOf(tx *db.Tx, p id.Practice, r teamdb.NewestRow) (d Draft, err error) {
	key, err := keys.Of(tx, p)
	if err != nil {
		return d, err
	}
	d.Role = access.Role(r.Role)
	if d.Name, err = key.Open(r.Name, namePlace(p, r.ID)); err != nil {
		return d, err
	}
	open, err := key.Open(r.Email, emailPlace(p, r.ID))
	if err != nil {
		return d, err
	}
	d.Email, err = email.Parse(open)
	return d, err
}

// addressIndex finds an invitation by a typed address, in whichever practice.
func addressIndex(tx *db.Tx, a email.Address) ([]byte, error) {
	key, err := keys.Of(tx, keys.Installation)
	if err != nil {
		return nil, err
	}
	return key.Index("email", a.Fold())
}

func namePlace(p id.Practice, inv id.TeamInvitation) string {
	return crypt.Place("team_invitation.name", p, inv)
}

func emailPlace(p id.Practice, inv id.TeamInvitation) string {
	return crypt.Place("team_invitation.email", p, inv)
}
