// Package recovery lets somebody who works here come back in when they have lost
// the phone, the passkeys and the recovery codes: every way to sign in but the
// password. E-mail alone is never a second step, so two people who know them
// have to say so.
//
// One owner of the practice asks, with a reason; another owner approves. Where
// there are not two owners beside the person it is about, or where the account
// opens more than one practice, two of those in support do the same.
//
//	asked → approved → used
//	  ↘         ↘
//	withdrawn · expired: nobody approved it in seven days, or used it in one
//
// The rules:
//   - nobody asks or approves for themselves, and nobody does both;
//   - whoever asked must still be an owner, or in support, when it is approved, and
//     both when it is used; it ends when one of them, or who has lost theirs, is made
//     inactive, gets another role or is dismissed (people.EndRecoveries);
//   - approving ends every session at once, and sends a link to the address of
//     the account; the link does nothing without the password, works for a day,
//     and once; a new password or address ends it;
//   - using it takes the lost second steps away; the person sets up new ones
//     before they see anything;
//   - everybody concerned is told by letter at each step, and it is in the trail.
package recovery

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/audit"
	"icouch/internal/base/at"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/base/text"
	"icouch/internal/people"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
	"icouch/internal/recovery/recoverydb"
	"icouch/internal/support"
)

// SQL is this package's statements.
var SQL = db.Prepare(recoverydb.Prepare)

// How long a request waits for approval, and a link for its use.
const (
	waits = 7 * 24 * time.Hour
	works = 24 * time.Hour
)

// longestReason is the most letters of a reason.
const longestReason = 500

// What people are told.
var (
	ErrNoReason    = fault.On("reason", fault.Invalid, "Say how you know that it is them: for instance, that you spoke by telephone or in person.")
	ErrSelf        = fault.New(fault.Conflict, "This is about yourself, so two others have to do it.")
	ErrInactive    = fault.New(fault.Conflict, "This member is inactive, and can open nothing here. Make them active first.")
	ErrTooNew      = fault.New(fault.Conflict, "You have been an owner here for less than a week. Somebody who has been one for longer, or support, can do this.")
	ErrNoSecond    = fault.New(fault.Conflict, "A second owner has to approve this, and there is none beside the two of you. Choose “Still Need Help?”: two people in support can do it.")
	ErrOpen        = fault.New(fault.Conflict, "Somebody has asked for this already. A second person looks at it and approves it.")
	ErrNone        = fault.New(fault.Conflict, "There is no open request about this person any more.")
	ErrSamePerson  = fault.New(fault.Conflict, "You asked for this yourself. Somebody else looks at it and approves it.")
	ErrAskerGone   = fault.New(fault.Conflict, "Whoever asked for this may not ask for it any more. Withdraw the request, and ask again if it is right.")
	ErrApproved    = fault.New(fault.Conflict, "This has been approved already. The letter with the link is on its way.")
	ErrOwnersCan   = fault.New(fault.Conflict, "The practice has two other owners, who know this person: they do this on the member’s page.")
	ErrNotAtWork   = fault.New(fault.Conflict, "This account works in no practice. Whoever looks after a client vouches for them, on the client’s page.")
	ErrNoSupporter = fault.New(fault.Conflict, "A second supporter has to approve this, and there is none. The operator can do it at the machine.")
	ErrElsewhere   = fault.New(fault.Conflict, "Your account opens more than this practice, so its owners cannot vouch for you alone. Choose “Still Need Help?”: two people in support can do it.")
	ErrNotTheirs   = fault.New(fault.Invalid, "That is not the account this link is for. Sign in with the one that the letter went to.")
)

// State says how far a request has come. The names stand in the database for ever.
type State string

// The states.
const (
	Asked     State = "asked"
	Approved  State = "approved" // the link has been sent
	Used      State = "used"
	Withdrawn State = "withdrawn"
	Expired   State = "expired"
)

// Request is one to let somebody set up new second steps.
type Request struct {
	ID         id.Recovery
	Account    id.Account // who has lost theirs
	State      State
	Reason     string
	AskedBy    id.Account
	AskedAt    at.Time
	ExpiresAt  at.Time
	ApprovedBy id.Account // empty: nobody yet
	EndedAt    *at.Time

	practice id.Practice // keys.Installation: support asks
}

// Open reports whether r can still be approved, used or taken back.
func (r Request) Open() bool { return r.State == Asked || r.State == Approved }

// where is the practice by works in, or the installation for who is in support.
// Anybody else has no business here.
func where(by access.Actor) (id.Practice, error) {
	switch {
	case by.May(access.Recover):
		return by.Practice(), nil
	case by.Role() == access.Support && by.MaySupport():
		return keys.Installation, nil
	}
	return "", fault.Forbidden
}

// Ask says that a member of by's practice has lost every way to sign in.
func Ask(tx *db.Tx, by access.Actor, who id.Practitioner, reason string) error {
	if !by.May(access.Recover) {
		return fault.Forbidden
	}
	all, err := people.Practitioners(tx, by)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(p people.Practitioner) bool { return p.ID == who })
	switch {
	case i < 0:
		return fault.NotFound
	case who == by.Practitioner():
		return ErrSelf
	case !all[i].Active:
		return ErrInactive
	case !counts(tx, all, by.Account()):
		return ErrTooNew
	case len(owners(tx.Now(), all, by.Account(), all[i].Account)) == 0:
		return ErrNoSecond
	}
	return ask(tx, by, recoverydb.AddParams{PracticeID: by.Practice(), PractitionerID: &who, AccountID: all[i].Account}, reason)
}

// CanAsk is why by may not ask for a member now, or nil.
func CanAsk(tx *db.Tx, by access.Actor, who people.Practitioner) error {
	all, err := people.Practitioners(tx, by)
	if err != nil {
		return err
	}
	if len(owners(tx.Now(), all, by.Account(), who.Account)) == 0 {
		return ErrNoSecond
	}
	return nil
}

// settled is how long somebody has been an owner before their word counts here:
// else one person makes a second owner of themself and is two at once.
const settled = 7 * 24 * time.Hour

// owners are the active owners among members whose word counts, but for some.
func owners(now at.Time, all []people.Practitioner, but ...id.Account) (some []people.Practitioner) {
	for _, p := range all {
		if p.Active && p.Role == access.Owner && !p.Since.Plus(settled).After(now.Time) && !slices.Contains(but, p.Account) {
			some = append(some, p)
		}
	}
	return some
}

// AskFor is Ask by support, for an account that two owners cannot help.
func AskFor(tx *db.Tx, by access.Actor, who id.Account, reason string) error {
	if by.Role() != access.Support || !by.MaySupport() {
		return fault.Forbidden
	}
	if by.Account() == who {
		return ErrSelf
	}
	if err := helpless(tx, by, who); err != nil {
		return err
	}
	others, err := support.OthersThan(tx, by, by.Account(), who)
	if err != nil {
		return err
	}
	if !others {
		return ErrNoSupporter
	}
	return ask(tx, by, recoverydb.AddParams{PracticeID: keys.Installation, AccountID: who}, reason)
}

// helpless is why support is not the one to help, or nil.
func helpless(tx *db.Tx, by access.Actor, who id.Account) error {
	s, err := account.StandingOf(tx, by, who)
	if err != nil {
		return err
	}
	if s.LeavesAt != nil {
		return support.ErrLeaving
	}
	work, supports, err := placesOf(tx, who)
	switch {
	case err != nil:
		return err
	case len(work) == 0 && !supports:
		return ErrNotAtWork
	case len(work) == 1 && !supports:
		all, err := people.Practitioners(tx, access.Job(work[0]))
		if err != nil {
			return err
		}
		if len(owners(tx.Now(), all, who)) > 1 {
			return ErrOwnersCan
		}
	}
	return nil
}

// placesOf is where an account works, and whether it is in support.
func placesOf(tx *db.Tx, who id.Account) (work []id.Practice, supports bool, err error) {
	person := access.AsPerson(who)
	all, err := people.Places(tx, person)
	if err != nil {
		return nil, false, err
	}
	for _, p := range all {
		if p.Work {
			work = append(work, p.Place.Practice)
		}
	}
	supports, err = support.Is(tx, person)
	return work, supports, err
}

func ask(tx *db.Tx, by access.Actor, row recoverydb.AddParams, reason string) error {
	reason, err := text.Block(reason, longestReason)
	if err != nil {
		return fault.At("reason", err)
	}
	if reason == "" {
		return ErrNoReason
	}
	gone, err := SQL.In(tx).Expire(tx, recoverydb.ExpireParams{Now: tx.Now().Ptr(), PracticeID: row.PracticeID, AccountID: row.AccountID})
	if err != nil {
		return fmt.Errorf("expire requests for %s: %w", row.AccountID, err)
	}
	for _, r := range gone {
		if err := audit.Record(tx, by, audit.Deed{Did: audit.RecoveryExpired, Subject: r}); err != nil {
			return err
		}
	}
	row.ID, row.AskedBy, row.AskedAt, row.ExpiresAt = id.New[id.Recovery](tx.Now().Time), by.Account(), tx.Now(), tx.Now().Plus(waits)
	key, err := keys.Of(tx, keys.Installation)
	if err != nil {
		return err
	}
	if row.Reason, err = key.Seal(reason, reasonPlace(row.ID)); err != nil {
		return err
	}
	err = SQL.In(tx).Add(tx, row)
	if db.Taken(err) { // the index on open requests sees to it
		return ErrOpen
	}
	if err != nil {
		return fmt.Errorf("ask for %s: %w", row.AccountID, err)
	}
	if err := audit.Record(tx, by, audit.Deed{Did: audit.RecoveryAsked, Subject: row.ID}); err != nil {
		return err
	}
	return tell(tx, Request{Account: row.AccountID, practice: row.PracticeID, AskedBy: by.Account()}, askedLetter, askedToo)
}

// About returns the open request about somebody, or ErrNone.
func About(tx *db.Tx, by access.Actor, who id.Account) (Request, error) {
	p, err := where(by)
	if err != nil {
		return Request{}, err
	}
	row, err := SQL.In(tx).OpenFor(tx, recoverydb.OpenForParams{PracticeID: p, AccountID: who, Now: tx.Now()})
	if errors.Is(err, db.None) {
		return Request{}, ErrNone
	}
	return opened(tx, recoverydb.ByIDRow(row), err)
}

// Read returns a request of support's, to support; an owner finds theirs by whom
// it is about.
func Read(tx *db.Tx, by access.Actor, r id.Recovery) (Request, error) {
	p, err := where(by)
	if err != nil {
		return Request{}, fault.NotFound
	}
	row, err := SQL.In(tx).ByID(tx, recoverydb.ByIDParams{PracticeID: p, ID: r})
	if errors.Is(err, db.None) {
		return Request{}, fault.NotFound
	}
	return opened(tx, row, err)
}

// Requests are the newest of by's practice, or of support's.
func Requests(tx *db.Tx, by access.Actor) (all []Request, err error) {
	p, err := where(by)
	if err != nil {
		return nil, err
	}
	rows, err := SQL.In(tx).Newest(tx, p)
	if err != nil {
		return nil, fmt.Errorf("requests of %s: %w", p, err)
	}
	for _, row := range rows {
		r, err := opened(tx, recoverydb.ByIDRow(row), nil)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

func opened(tx *db.Tx, row recoverydb.ByIDRow, err error) (Request, error) {
	if err != nil {
		return Request{}, fmt.Errorf("request: %w", err)
	}
	r := Request{ID: row.ID, Account: row.AccountID, State: State(row.State), AskedBy: row.AskedBy, AskedAt: row.AskedAt, ExpiresAt: row.ExpiresAt,
		EndedAt: row.EndedAt, practice: row.PracticeID}
	if row.ApprovedBy != nil {
		r.ApprovedBy = *row.ApprovedBy
	}
	if r.Open() && !r.ExpiresAt.After(tx.Now().Time) {
		r.State, r.EndedAt = Expired, &r.ExpiresAt
	}
	key, err := keys.Of(tx, keys.Installation)
	if err != nil {
		return Request{}, err
	}
	r.Reason, err = key.Open(row.Reason, reasonPlace(r.ID))
	return r, err
}

// Approve is the second person's yes. The door has had them show who they are.
func Approve(tx *db.Tx, by access.Actor, request id.Recovery) error {
	r, err := Read(tx, by, request)
	if err != nil {
		return err
	}
	switch {
	case r.State == Approved:
		return ErrApproved
	case r.State != Asked:
		return ErrNone
	case r.AskedBy == by.Account():
		return ErrSamePerson
	case r.Account == by.Account():
		return ErrSelf
	}
	if err := stillMayAsk(tx, r); err != nil {
		return err
	}
	if err := mayApprove(tx, by, r); err != nil {
		return err
	}
	token, approver := secret.NewToken(), by.Account()
	n, err := SQL.In(tx).Approve(tx, recoverydb.ApproveParams{ApprovedBy: &approver, Now: tx.Now().Ptr(), TokenHash: token.Hash(), ExpiresAt: tx.Now().Plus(works), PracticeID: r.practice, ID: r.ID})
	if err != nil {
		return fmt.Errorf("approve %s: %w", r.ID, err)
	}
	if n == 0 {
		return ErrNone
	}
	if err := account.EndAll(tx, access.Job(keys.Installation), r.Account); err != nil {
		return err
	}
	if err := audit.Record(tx, by, audit.Deed{Did: audit.RecoveryApproved, Subject: r.ID}); err != nil {
		return err
	}
	return tell(tx, r, linkLetter(token), approvedToo)
}

// stillMayAsk is ErrAskerGone if whoever asked could not ask today.
func stillMayAsk(tx *db.Tx, r Request) error {
	if r.practice == keys.Installation {
		is, err := support.Is(tx, access.AsPerson(r.AskedBy))
		if err == nil && !is {
			return ErrAskerGone
		}
		return err
	}
	all, err := people.Practitioners(tx, access.Job(r.practice))
	if err != nil {
		return err
	}
	if !counts(tx, all, r.AskedBy) {
		return ErrAskerGone
	}
	return nil
}

// stillStands is account.ErrLinkEnded if one of the two who vouched could not do
// so any more: it was approved while that was taken from them.
func stillStands(tx *db.Tx, r Request) error {
	err := stillMayAsk(tx, r)
	if err == nil {
		r.AskedBy = r.ApprovedBy
		err = stillMayAsk(tx, r)
	}
	if errors.Is(err, ErrAskerGone) {
		return account.ErrLinkEnded
	}
	return err
}

// mayApprove is ErrTooNew of an owner whose word does not count yet.
func mayApprove(tx *db.Tx, by access.Actor, r Request) error {
	if r.practice == keys.Installation {
		return nil
	}
	all, err := people.Practitioners(tx, access.Job(r.practice))
	if err == nil && !counts(tx, all, by.Account()) {
		return ErrTooNew
	}
	return err
}

// counts reports whether somebody is an owner whose word counts here.
func counts(tx *db.Tx, all []people.Practitioner, who id.Account) bool {
	return slices.ContainsFunc(owners(tx.Now(), all), func(p people.Practitioner) bool { return p.Account == who })
}

// Withdraw takes a request back, and makes its link useless.
func Withdraw(tx *db.Tx, by access.Actor, request id.Recovery) error {
	r, err := Read(tx, by, request)
	if err != nil {
		return err
	}
	n, err := SQL.In(tx).Withdraw(tx, recoverydb.WithdrawParams{Now: tx.Now().Ptr(), PracticeID: r.practice, ID: r.ID})
	if err != nil {
		return fmt.Errorf("withdraw %s: %w", r.ID, err)
	}
	if n == 0 {
		return ErrNone
	}
	if err := audit.Record(tx, by, audit.Deed{Did: audit.RecoveryWithdrawn, Subject: r.ID}); err != nil {
		return err
	}
	return tell(tx, r, withdrawnLetter, withdrawnToo)
}

// Peek says whether a link still works, and uses nothing up.
func Peek(tx *db.Tx, _ access.Actor, token secret.Token) error {
	_, err := held(tx, token)
	return err
}

func held(tx *db.Tx, token secret.Token) (Request, error) {
	row, err := SQL.In(tx).ByToken(tx, token.Hash())
	if errors.Is(err, db.None) {
		return Request{}, account.ErrLinkUnknown
	}
	r, err := opened(tx, recoverydb.ByIDRow(row), err)
	switch {
	case err != nil:
		return r, err
	case r.State == Used:
		return r, account.ErrLinkUsed
	case r.State != Approved:
		return r, account.ErrLinkEnded
	}
	return r, nil
}

// Use takes the lost second steps of an account away, once. Who is whose
// password was right just now: the link does nothing without it.
func Use(tx *db.Tx, by access.Actor, token secret.Token, who id.Account) error {
	r, err := held(tx, token)
	if err != nil {
		return err
	}
	if r.Account != who || by.Account() != who {
		return ErrNotTheirs
	}
	if _, err := account.Hold(tx, by, who); err != nil {
		return err
	}
	if r.practice != keys.Installation {
		work, supports, err := placesOf(tx, who)
		if err != nil {
			return err
		}
		if supports || len(work) != 1 || work[0] != r.practice {
			return ErrElsewhere
		}
	}
	if err := stillStands(tx, r); err != nil {
		return err
	}
	n, err := SQL.In(tx).Use(tx, recoverydb.UseParams{Now: tx.Now().Ptr(), TokenHash: token.Hash()})
	if err != nil {
		return fmt.Errorf("use %s: %w", r.ID, err)
	}
	if n == 0 {
		return account.ErrLinkUsed
	}
	if err := account.WipeFactors(tx, by, who); err != nil { // which writes to them
		return err
	}
	if err := audit.Record(tx, access.Job(r.practice), audit.Deed{Did: audit.RecoveryUsed, Subject: r.ID}); err != nil {
		return err
	}
	return tell(tx, r, nil, usedToo)
}

// Reseal seals the reasons again, with the installation's newest key, a part at
// a time: call it with what it returned until that is empty.
func Reseal(tx *db.Tx, by access.Actor, after id.Recovery) (next id.Recovery, err error) {
	if by.Role() != access.Shell {
		return "", fault.Forbidden
	}
	key, err := keys.Of(tx, keys.Installation)
	if err != nil {
		return "", err
	}
	rows, err := SQL.In(tx).Reseal(tx, after)
	if err != nil {
		return "", fmt.Errorf("reseal: %w", err)
	}
	for _, r := range rows {
		reason, err := key.Open(r.Reason, reasonPlace(r.ID))
		if err != nil {
			return "", err
		}
		again := recoverydb.ResealedParams{PracticeID: r.PracticeID, ID: r.ID}
		if again.Reason, err = key.Seal(reason, reasonPlace(r.ID)); err != nil {
			return "", err
		}
		if err := SQL.In(tx).Resealed(tx, again); err != nil {
			return "", fmt.Errorf("reseal %s: %w", r.ID, err)
		}
		next = r.ID
	}
	return next, audit.Record(tx, by, audit.Deed{Did: audit.KeysRotated, Subject: keys.Installation})
}

func reasonPlace(r id.Recovery) string { return crypt.Place("recovery.reason", keys.Installation, r) }
