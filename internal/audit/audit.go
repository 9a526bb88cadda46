// Package audit keeps the trail: who did what, to what, when.
//
// A row is written in the transaction of the deed itself, so there is never one
// without the other. Each row carries a signature over itself and the signature
// before it: a row that was changed, taken out, put in or moved is found by
// Verify. What happened is named in words that never change; what the fields
// held is never in the trail, only their names.
package audit

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"icouch/internal/access"
	"icouch/internal/audit/auditdb"
	"icouch/internal/base/id"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

// SQL is this package's statements.
var SQL = db.Prepare(auditdb.Prepare)

// Action names what was done. The names are part of the stored record: add to
// them, never change them.
type Action string

// The actions.
const (
	PracticeFounded     Action = "practice.founded"
	PracticeChanged     Action = "practice.changed"
	PractitionerJoined  Action = "practitioner.joined"
	PractitionerRenamed Action = "practitioner.renamed"

	ClientCreated   Action = "client.created"
	ClientEdited    Action = "client.edited"
	ClientsImported Action = "clients.imported"
	ClientsExported Action = "clients.exported"
	CareEnded       Action = "client.care_ended"
	CareResumed     Action = "client.care_resumed"

	ClientInvited       Action = "client.invited"
	LinkCopied          Action = "invitation.link_copied"
	InvitationResent    Action = "invitation.resent"
	InvitationWithdrawn Action = "invitation.withdrawn"
	InvitationAsked     Action = "invitation.asked_again"
	InvitationAccepted  Action = "invitation.accepted"

	LetterQueued   Action = "letter.queued"
	LetterSent     Action = "letter.sent"
	LetterDelayed  Action = "letter.delayed"
	LetterReturned Action = "letter.returned"
	LetterFailed   Action = "letter.failed"
	LetterShown    Action = "letter.shown"
	LettersOff     Action = "letters.declined"
	LettersOn      Action = "letters.wanted"

	SignUpBegun     Action = "account.sign_up_begun"
	AccountMade     Action = "account.made"
	AccountVerified Action = "account.verified"
	VerifyAsked     Action = "account.verify_asked"
	SignedIn        Action = "account.signed_in"
	SignedOut       Action = "account.signed_out"
	PlaceChosen     Action = "account.place_chosen"
	PasswordChanged Action = "account.password_changed"
	ResetAsked      Action = "account.reset_asked"
	EmailAsked      Action = "account.email_asked"
	EmailChanged    Action = "account.email_changed"
	EmailReverted   Action = "account.email_reverted"
	ProfileChanged  Action = "account.profile_changed"
	FormKept        Action = "account.form_kept" // typed when the session had ended
	FormDropped     Action = "account.form_dropped"
	HelpAsked       Action = "help.asked"

	// Second steps.
	StepAsked            Action = "account.second_step_asked" // the password was right; not signed in yet
	StepShown            Action = "account.second_step_shown"
	Proved               Action = "account.proved"  // who they are, once more
	Retoken              Action = "session.retoken" // it goes on under a new token
	AuthenticatorSet     Action = "account.authenticator_set"
	AuthenticatorDropped Action = "account.authenticator_removed"
	PasskeyAdded         Action = "account.passkey_added"
	PasskeyRenamed       Action = "account.passkey_renamed"
	PasskeyDropped       Action = "account.passkey_removed"
	CodesMade            Action = "account.recovery_codes_made"
	FactorsWiped         Action = "account.second_steps_wiped"
	ClientVouched        Action = "client.vouched_for"
	VouchUsed            Action = "client.vouch_used"

	KeysRotated Action = "keys.rotated"

	// The trail itself.
	TrailExported  Action = "trail.exported"
	DigestMade     Action = "digest.made"
	DigestReviewed Action = "digest.reviewed"

	// Who works in a practice, and whom they may see.
	MemberInvited    Action = "member.invited"
	MemberReinvited  Action = "member.invited_again"
	MemberUninvited  Action = "member.invitation_withdrawn"
	MemberAccepted   Action = "member.invitation_accepted"
	RoleChanged      Action = "member.role_changed"
	MemberInactive   Action = "member.made_inactive"
	MemberActive     Action = "member.made_active"
	SupervisionSet   Action = "member.supervision_changed"
	ClientHandedOver Action = "client.handed_over"
	TeamJoined       Action = "client.team_joined"
	TeamLeft         Action = "client.team_left"
	EmergencyOpened  Action = "emergency.opened"
	EmergencyClosed  Action = "emergency.closed"
	EmergencyMissed  Action = "emergency.not_found"

	// Who works here and has lost every way to sign in.
	RecoveryAsked     Action = "recovery.asked"
	RecoveryApproved  Action = "recovery.approved"
	RecoveryWithdrawn Action = "recovery.withdrawn"
	RecoveryExpired   Action = "recovery.expired"
	RecoveryUsed      Action = "recovery.used"

	// Who acts for a client.
	MinorDates           Action = "client.minor_dates"
	MinorTold            Action = "client.minor_told" // who looks after them, by letter: they may sign in
	ContactAdded         Action = "contact.added"
	ContactEdited        Action = "contact.edited"
	ContactSuspended     Action = "contact.suspended"
	ContactResumed       Action = "contact.resumed"
	ContactEnded         Action = "contact.ended"
	ContactEndAsked      Action = "contact.end_asked"
	ContactInvited       Action = "contact.invited"
	ContactReinvited     Action = "contact.invited_again"
	ContactUninvited     Action = "contact.invitation_withdrawn"
	ContactAccepted      Action = "contact.invitation_accepted"
	ContactTold          Action = "contact.told" // by letter: a day has come
	ContactAccountClosed Action = "contact.account_closed"

	// Who is looked after together.
	JointMade      Action = "joint.made"
	JointEdited    Action = "joint.edited"
	JointHanded    Action = "joint.handed_over"
	JointClosed    Action = "joint.closed"
	JointReopened  Action = "joint.reopened"
	JointJoined    Action = "joint.person_joined"
	JointLeft      Action = "joint.person_left"
	JointStayed    Action = "joint.person_stayed" // the end of their stay was taken back
	JointAgreed    Action = "joint.consent_noted"
	JointWithdrawn Action = "joint.consent_withdrawn"

	// What is written: never the words.
	ConversationBegun    Action = "conversation.begun"
	ConversationOpened   Action = "conversation.opened" // from somebody's name
	ConversationArchived Action = "conversation.archived"
	ConversationBack     Action = "conversation.brought_back"
	MessageSent          Action = "message.sent"
	MessageSentAgain     Action = "message.sent_again" // the page had not heard that it was there
	MessageEdited        Action = "message.edited"
	MessageTakenBack     Action = "message.taken_back"
	FileHeld             Action = "message.file_held"       // a virus was found in it
	FileUnreadable       Action = "message.file_unreadable" // a picture that could not be copied, or is lost
	MessagesTold         Action = "messages.told"           // by letter: there is a new one
	MessagesChosen       Action = "messages.chosen"
	MessagesClosed       Action = "messages.closed" // the client begins no conversations
	MessagesOpened       Action = "messages.opened"
	AwayNoted            Action = "away.noted"
	AwayEnded            Action = "away.ended"

	// Support, the wrong door, and leaving.
	SupporterMade       Action = "supporter.made"
	SupporterEnded      Action = "supporter.ended"
	AccountLookedUp     Action = "account.looked_up"
	ConversionAsked     Action = "conversion.asked"
	ConversionConfirmed Action = "conversion.confirmed"
	ConversionDone      Action = "conversion.done"
	ConversionDeclined  Action = "conversion.declined"
	ConversionWithdrawn Action = "conversion.withdrawn"
	ConversionExpired   Action = "conversion.expired"
	PracticePutAway     Action = "practice.put_away"
	PracticeCloses      Action = "practice.closes" // an owner has set the day
	PracticeKept        Action = "practice.closing_taken_back"
	ClosingTold         Action = "client.told_of_closing" // by letter: that the practice closes, or goes on
	DeletionAsked       Action = "account.deletion_asked"
	DeletionTakenBack   Action = "account.deletion_taken_back"
	AccountDeleted      Action = "account.deleted"
	AccountClosed       Action = "client.account_closed"
	PractitionerLeft    Action = "practitioner.left"
)

// Deed is one line of the trail.
type Deed struct {
	Did     Action
	Subject fmt.Stringer // what it was done to
	Client  id.Client    // whose record that belongs to, if anybody's
	Fields  []string     // the names of the fields that changed, never what they hold
}

// Record adds a line to the trail of by's practice, or of the installation if
// there is none, in the transaction of the deed itself.
func Record(tx *db.Tx, by access.Actor, d Deed) error {
	practice := by.Practice()
	if practice == "" {
		practice = keys.Installation
	}
	key, err := keys.Of(tx, practice)
	if err != nil {
		return err
	}
	head, err := headOf(tx, practice)
	if err != nil {
		return err
	}
	row := auditdb.AddParams{PracticeID: practice, Seq: head.Seq + 1, At: tx.Now(), Role: string(by.Role()), AccountID: by.Account(),
		Action: string(d.Did), Subject: d.Subject.String(), ClientID: d.Client, Detail: strings.Join(d.Fields, " ")}
	if row.Mac, err = sign(key, head.Mac, row); err != nil {
		return err
	}
	if err := SQL.In(tx).Add(tx, row); err != nil {
		return fmt.Errorf("audit %s %s: %w", d.Did, d.Subject, err)
	}
	if err := SQL.In(tx).MoveHead(tx, auditdb.MoveHeadParams{Seq: row.Seq, Mac: row.Mac, PracticeID: practice}); err != nil {
		return fmt.Errorf("audit %s %s: %w", d.Did, d.Subject, err)
	}
	tx.Audited()
	return nil
}

// headOf returns the newest line of a chain and holds its end: whoever writes
// next waits for this transaction.
func headOf(tx *db.Tx, practice id.Practice) (end auditdb.NewestRow, err error) {
	if !tx.Alone() {
		_, err = SQL.In(tx).Head(tx, practice)
		if errors.Is(err, db.None) {
			if err := SQL.In(tx).Begin(tx, auditdb.BeginParams{PracticeID: practice, Mac: []byte{}}); err != nil {
				return end, fmt.Errorf("audit of %s: %w", practice, err)
			}
			_, err = SQL.In(tx).Head(tx, practice)
		}
	}
	if err == nil {
		end, err = SQL.In(tx).Newest(tx, practice)
	}
	if errors.Is(err, db.None) { // the first
		return auditdb.NewestRow{Mac: []byte{}}, nil
	}
	if err != nil {
		return end, fmt.Errorf("audit of %s: %w", practice, err)
	}
	return end, nil
}

// sign makes a row's signature: HMAC-SHA-256 over the signature before it and
// every field, each with its length in front. Whom a line showed was added to it
// later: lines that show nobody are signed as they always were.
func sign(key *crypt.Key, before []byte, r auditdb.AddParams) ([]byte, error) {
	b := make([]byte, 0, 320+len(r.Detail)+len(r.Shown))
	b = append(b, before...)
	b = binary.BigEndian.AppendUint64(b, uint64(r.Seq))
	b = binary.BigEndian.AppendUint64(b, uint64(r.At.UnixMicro()))
	for _, f := range [...]string{r.PracticeID.String(), r.Role, r.AccountID.String(), r.Action, r.Subject, r.ClientID.String(), r.Detail} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(f)))
		b = append(b, f...)
	}
	if r.Shown != nil {
		b = binary.BigEndian.AppendUint32(b, uint32(len(r.Shown)))
		b = append(b, r.Shown...)
	}
	return key.Mac(b)
}
