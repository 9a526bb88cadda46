package support

import (
	"errors"
	"fmt"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/audit"
	"icouch/internal/base/at"
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
	"icouch/internal/support/supportdb"
)

// life is how long a request can be answered.
const life = 7 * 24 * time.Hour

// A holder gets a letter each time they are asked, and one when it is taken back.
const (
	mostAsked  = 3
	askedAgain = 24 * time.Hour
)

// longestReason is the most letters of a supporter's reason.
const longestReason = 500

// What people are told about a request.
var (
	ErrNoReason    = fault.On("reason", fault.Invalid, "Say why: who asked for this, and how you know that it is them.")
	ErrOpen        = fault.New(fault.Conflict, "There is an open request for this account already.")
	ErrAskedOften  = fault.New(fault.Busy, "The holder of this account was asked three times in the last day. Wait a day before you ask again, or speak with them.")
	ErrOwn         = fault.New(fault.Conflict, "Nobody converts their own account. Ask another supporter.")
	ErrSupporter   = fault.New(fault.Conflict, "This person is in support. The operator ends that first.")
	ErrLeaving     = fault.New(fault.Conflict, "This account is to be deleted, as its owner has asked. They can still keep it by signing in.")
	ErrNoRequest   = fault.New(fault.NotFound, "There is no such request.")
	ErrLinkUnknown = fault.New(fault.NotFound, "This link does not work any more.")
	ErrNotHolder   = fault.New(fault.Conflict, "This request is about another account than the one you are signed in with.")
	ErrConfirmed   = fault.New(fault.Conflict, "You have confirmed this already. A second person in support looks at it now; we write to you when it is done.")
	ErrNotYet      = fault.New(fault.Conflict, "The holder of the account has not confirmed this yet.")
	ErrSamePerson  = fault.New(fault.Conflict, "You asked for this yourself. Another supporter looks at it and approves it.")
	ErrDone        = fault.New(fault.Gone, "This has been done already.")
	ErrDeclined    = fault.New(fault.Gone, "The holder of the account has said no. Nothing was changed.")
	ErrWithdrawn   = fault.New(fault.Gone, "This request was taken back. Nothing was changed.")
	ErrExpired     = fault.New(fault.Gone, "This request has ended: nobody answered it within 7 days. Nothing was changed.")
)

// RequestID names a request.
type (
	RequestID   = id.ID[requestKind]
	requestKind struct{}
)

// State says how far a request has come. The names stand in the database for ever.
type State string

// The states.
const (
	Asked     State = "asked"     // the holder has not answered
	Confirmed State = "confirmed" // the holder has; a second supporter has not
	Done      State = "done"
	Declined  State = "declined"  // by the holder
	Withdrawn State = "withdrawn" // by support
	Expired   State = "expired"
)

// Request is one to make a client's account of a practitioner's.
type Request struct {
	ID          RequestID
	Account     id.Account
	State       State
	Reason      string
	AskedBy     id.Account // empty: the operator
	AskedAt     at.Time
	ExpiresAt   at.Time
	ConfirmedAt *at.Time
	ApprovedBy  id.Account // empty: nobody else had to
	EndedAt     *at.Time

	practice id.Practice
}

// Open reports whether r can still be answered.
func (r Request) Open() bool { return r.State == Asked || r.State == Confirmed }

// Fault says why r cannot be answered any more, or nil.
func (r Request) Fault() error {
	switch r.State {
	case Done:
		return ErrDone
	case Declined:
		return ErrDeclined
	case Withdrawn:
		return ErrWithdrawn
	case Expired:
		return ErrExpired
	}
	return nil
}

// Ask asks the owner of an account whether it is to become a client's. They get
// a letter with a link; until they have confirmed it, nothing changes.
func Ask(tx *db.Tx, by access.Actor, who id.Account, reason string) (RequestID, error) {
	if !by.MaySupport() {
		return "", fault.Forbidden
	}
	reason, err := text.Block(reason, longestReason)
	if err != nil {
		return "", fault.At("reason", err)
	}
	if reason == "" {
		return "", ErrNoReason
	}
	a, err := account.StandingOf(tx, by, who)
	if err != nil {
		return "", err
	}
	practice, err := convertible(tx, by, a)
	if err != nil {
		return "", err
	}
	if err := expire(tx, by, who); err != nil {
		return "", err
	}
	asked, err := SQL.In(tx).AskedSince(tx, supportdb.AskedSinceParams{AccountID: who, Since: tx.Now().Plus(-askedAgain)})
	if err != nil {
		return "", fmt.Errorf("ask to convert %s: %w", who, err)
	}
	if asked >= mostAsked {
		return "", ErrAskedOften
	}
	r, token := id.New[RequestID](tx.Now().Time), secret.NewToken()
	row := supportdb.AddParams{ID: r.String(), AccountID: who, PracticeID: practice, TokenHash: token.Hash(), AskedAt: tx.Now(), ExpiresAt: tx.Now().Plus(life)}
	if by.Account() != "" {
		asker := by.Account()
		row.AskedBy = &asker
	}
	key, err := keys.Of(tx, keys.Installation)
	if err != nil {
		return "", err
	}
	if row.Reason, err = key.Seal(reason, reasonPlace(r)); err != nil {
		return "", err
	}
	err = SQL.In(tx).Add(tx, row)
	if db.Taken(err) { // the index on open requests sees to it
		return "", ErrOpen
	}
	if err != nil {
		return "", fmt.Errorf("ask to convert %s: %w", who, err)
	}
	if err := told(tx, by, a.Email, who, letter.Repair, askedBody(token)); err != nil {
		return "", err
	}
	return r, record(tx, by, audit.ConversionAsked, who, r)
}

// convertible returns the practice of an account that may be converted, or says
// why it may not.
func convertible(tx *db.Tx, by access.Actor, a account.Standing) (id.Practice, error) {
	if by.Account() == a.ID {
		return "", ErrOwn
	}
	return fits(tx, by, a)
}

// fits is convertible, whoever asks: the holder's own yes may be what does it.
func fits(tx *db.Tx, by access.Actor, a account.Standing) (id.Practice, error) {
	supports, err := is(tx, a.ID)
	switch {
	case err != nil:
		return "", err
	case supports:
		return "", ErrSupporter
	case a.LeavesAt != nil:
		return "", ErrLeaving
	case !a.Verified:
		return "", ErrUnverified
	}
	return people.Mistaken(tx, by, a.ID)
}

// stillFits looks again at what may have changed since somebody asked: a
// supporter's account is not converted, nor one that is to be deleted.
func stillFits(tx *db.Tx, by access.Actor, who id.Account) error {
	a, err := account.StandingOf(tx, by, who)
	if err != nil {
		return err
	}
	_, err = fits(tx, by, a)
	return err
}

// expire ends what has run out, so that it does not stand in the way.
func expire(tx *db.Tx, by access.Actor, who id.Account) error {
	ended, err := SQL.In(tx).Expire(tx, supportdb.ExpireParams{Now: tx.Now().Ptr(), AccountID: who})
	if err != nil {
		return fmt.Errorf("expire requests for %s: %w", who, err)
	}
	for _, r := range ended {
		if err := record(tx, by, audit.ConversionExpired, who, RequestID(r)); err != nil {
			return err
		}
	}
	return nil
}

// Look says what a link's request is, and changes nothing: mail scanners open
// links too.
func Look(tx *db.Tx, _ access.Actor, token secret.Token) (Request, error) {
	row, err := SQL.In(tx).ByToken(tx, token.Hash())
	if errors.Is(err, db.None) {
		return Request{}, ErrLinkUnknown
	}
	return opened(tx, supportdb.ByIDRow(row), err)
}

// Confirm is the holder's yes. The door has had the password proved once more.
// Where no second supporter is there to approve it, that does it.
func Confirm(tx *db.Tx, by access.Actor, token secret.Token) (done bool, err error) {
	r, err := held(tx, by, token)
	if err != nil {
		return false, err
	}
	if r.State == Confirmed {
		return false, ErrConfirmed
	}
	if err := stillFits(tx, by, r.Account); err != nil {
		return false, err
	}
	n, err := SQL.In(tx).Confirm(tx, supportdb.ConfirmParams{Now: tx.Now().Ptr(), ID: r.ID.String()})
	if err != nil {
		return false, fmt.Errorf("confirm %s: %w", r.ID, err)
	}
	if n == 0 {
		return false, quicker(tx, r.ID, ErrConfirmed)
	}
	if err := record(tx, by, audit.ConversionConfirmed, r.Account, r.ID); err != nil {
		return false, err
	}
	others, err := othersThan(tx, r)
	if err != nil || others {
		return false, err
	}
	return true, finish(tx, by, r, nil)
}

// Approve is the second supporter's yes, after the holder's.
func Approve(tx *db.Tx, by access.Actor, request RequestID) error {
	if by.Role() != access.Support {
		return fault.Forbidden
	}
	r, err := Read(tx, by, request)
	if err != nil {
		return err
	}
	if err := r.Fault(); err != nil {
		return err
	}
	if r.State == Asked {
		return ErrNotYet
	}
	if r.AskedBy == by.Account() { // unless the others have gone meanwhile
		others, err := othersThan(tx, r)
		if err != nil {
			return err
		}
		if others {
			return ErrSamePerson
		}
	}
	if r.Account == by.Account() {
		return ErrOwn
	}
	approver := by.Account()
	return finish(tx, by, r, &approver)
}

// othersThan reports whether there is a supporter other than who asked for r,
// and other than whom it is about.
func othersThan(tx *db.Tx, r Request) (bool, error) {
	rows, err := SQL.In(tx).Supporters(tx)
	if err != nil {
		return false, fmt.Errorf("supporters: %w", err)
	}
	for _, s := range rows {
		if s.AccountID != r.AskedBy && s.AccountID != r.Account {
			return true, nil
		}
	}
	return false, nil
}

// finish does it: all of it, or nothing.
func finish(tx *db.Tx, by access.Actor, r Request, approver *id.Account) error {
	n, err := SQL.In(tx).Finish(tx, supportdb.FinishParams{ApprovedBy: approver, Now: tx.Now().Ptr(), ID: r.ID.String()})
	if err != nil {
		return fmt.Errorf("finish %s: %w", r.ID, err)
	}
	if n == 0 {
		return quicker(tx, r.ID, ErrDone)
	}
	if err := stillFits(tx, by, r.Account); err != nil {
		return err
	}
	if err := account.Shut(tx, by, r.Account); err != nil {
		return err
	}
	if err := people.PutAway(tx, by, r.Account, r.practice); err != nil {
		return err
	}
	linked, err := people.AcceptWaiting(tx, by, r.Account)
	if err != nil {
		return err
	}
	to, err := addressOf(tx, r.Account)
	if err != nil {
		return err
	}
	if err := told(tx, by, to, r.Account, letter.Repair, doneBody(linked)); err != nil {
		return err
	}
	return record(tx, by, audit.ConversionDone, r.Account, r.ID)
}

// Decline is "This was not me": whoever holds the letter may say it.
func Decline(tx *db.Tx, by access.Actor, token secret.Token) error {
	r, err := Look(tx, by, token)
	if err != nil {
		return err
	}
	return stop(tx, by, r, Declined, audit.ConversionDeclined)
}

// Withdraw takes a request back, and tells the holder, who has a letter.
func Withdraw(tx *db.Tx, by access.Actor, request RequestID) error {
	if !by.MaySupport() {
		return fault.Forbidden
	}
	r, err := Read(tx, by, request)
	if err != nil {
		return err
	}
	if err := stop(tx, by, r, Withdrawn, audit.ConversionWithdrawn); err != nil {
		return err
	}
	to, err := addressOf(tx, r.Account)
	if err != nil {
		return err
	}
	return told(tx, by, to, r.Account, letter.Repair, stoppedBody())
}

func stop(tx *db.Tx, by access.Actor, r Request, to State, did audit.Action) error {
	if err := r.Fault(); err != nil {
		return err
	}
	n, err := SQL.In(tx).Stop(tx, supportdb.StopParams{State: string(to), Now: tx.Now().Ptr(), ID: r.ID.String()})
	if err != nil {
		return fmt.Errorf("stop %s: %w", r.ID, err)
	}
	if n == 0 {
		return quicker(tx, r.ID, ErrDone)
	}
	return record(tx, by, did, r.Account, r.ID)
}

// held is the open request of a link, for the holder of the account it is about.
func held(tx *db.Tx, by access.Actor, token secret.Token) (Request, error) {
	r, err := Look(tx, by, token)
	if err != nil {
		return Request{}, err
	}
	if err := r.Fault(); err != nil {
		return Request{}, err
	}
	if !by.SignedIn() {
		return Request{}, account.ErrSignInFirst
	}
	if by.Account() != r.Account {
		return Request{}, ErrNotHolder
	}
	return r, nil
}

// quicker says what somebody else has done since a request was read.
func quicker(tx *db.Tx, request RequestID, otherwise error) error {
	r, err := read(tx, request)
	if err != nil {
		return err
	}
	if err := r.Fault(); err != nil {
		return err
	}
	return otherwise
}

// Read returns a request, to support.
func Read(tx *db.Tx, by access.Actor, request RequestID) (Request, error) {
	if !by.MaySupport() {
		return Request{}, ErrNoRequest
	}
	return read(tx, request)
}

func read(tx *db.Tx, request RequestID) (Request, error) {
	row, err := SQL.In(tx).ByID(tx, request.String())
	if errors.Is(err, db.None) {
		return Request{}, ErrNoRequest
	}
	return opened(tx, row, err)
}

// Requests returns the newest requests, newest first, to support.
func Requests(tx *db.Tx, by access.Actor) (all []Request, err error) {
	if !by.MaySupport() {
		return nil, fault.NotFound
	}
	rows, err := SQL.In(tx).Newest(tx)
	if err != nil {
		return nil, fmt.Errorf("requests: %w", err)
	}
	for _, row := range rows {
		r, err := opened(tx, supportdb.ByIDRow(row), nil)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

func opened(tx *db.Tx, row supportdb.ByIDRow, err error) (Request, error) {
	if err != nil {
		return Request{}, fmt.Errorf("request: %w", err)
	}
	r := Request{ID: RequestID(row.ID), Account: row.AccountID, State: State(row.State), AskedAt: row.AskedAt, ExpiresAt: row.ExpiresAt,
		ConfirmedAt: row.ConfirmedAt, EndedAt: row.EndedAt, practice: row.PracticeID}
	if row.AskedBy != nil {
		r.AskedBy = *row.AskedBy
	}
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

// addressOf is where a holder is written to: the installation's own business.
func addressOf(tx *db.Tx, who id.Account) (email.Address, error) {
	a, err := account.Read(tx, access.Job(keys.Installation), who)
	return a.Email, err
}

func reasonPlace(r RequestID) string { return crypt.Place("conversion.reason", keys.Installation, r) }
