package people

import (
	"context"
	"errors"
	"fmt"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/audit"
	"icouch/internal/base/at"
	"icouch/internal/base/civil"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/letter"
	"icouch/internal/people/peopledb"
	"icouch/internal/platform/db"
	"icouch/internal/platform/jobs"
)

// A practice that has clients closes on a day that one of its owners sets, at
// least closingNotice ahead, so that clients can be told and take their things.
// Every owner is told, and each can take it back until then. From the day on
// nobody enters: the time is compared at each request, so that no job has to run.
//
// Nothing is deleted. What a practice has noted must be kept for as long as the
// law where it works says; its rows and its trail stay as they are, unread.

// closingNotice is how many days ahead a practice closes at the earliest, and
// longestNotice at the latest.
const (
	closingNotice = 30
	longestNotice = 366
)

// What people are told about the end of a practice.
var (
	ErrNoLastDay = fault.On("on", fault.Invalid, "Choose the last day of the practice.")
	ErrTooSoon   = fault.On("on", fault.Invalid, "Choose a day at least 30 days from today: clients need the time.")
	ErrTooFar    = fault.On("on", fault.Invalid, "Choose a day within the next year.")
	ErrCloses    = fault.New(fault.Conflict, "An owner has set a day already. To change it, take it back first.")
	ErrGoesOn    = fault.New(fault.Conflict, "The practice is not about to close. Nothing had to be taken back.")
	ErrNobodyNew = fault.New(fault.Conflict, "The practice is about to close, so nobody new is invited. An owner can take that back in Settings.")
)

// FirstLastDay and LastLastDay are between which days a practice may close.
func (p Practice) FirstLastDay(now at.Time) civil.Date {
	return civil.DateOf(now.Time, p.Zone).AddDays(closingNotice)
}

// LastLastDay is the other end of FirstLastDay.
func (p Practice) LastLastDay(now at.Time) civil.Date {
	return civil.DateOf(now.Time, p.Zone).AddDays(longestNotice)
}

// Closed reports whether nobody enters p any more.
func (p Practice) Closed(now at.Time) bool { return closed(p.ClosesAt, now) }

func closed(on *at.Time, now at.Time) bool { return on != nil && !on.After(now.Time) }

// LastDay is the last on which p is open, if that is set; else it is zero.
func (p Practice) LastDay() civil.Date { return lastDay(p.ClosesAt, p.Zone) }

// LastDay is Practice.LastDay of the practice that a place is in.
func (p Place) LastDay() civil.Date {
	if p.Closed != nil {
		return lastDay(p.Closed, p.Zone)
	}
	return lastDay(p.Closes, p.Zone)
}

func lastDay(closes *at.Time, zone civil.Zone) civil.Date {
	if closes == nil {
		return civil.Date{}
	}
	return civil.DateOf(closes.Add(-1), zone)
}

// closing notes of a place that its practice closes. One that has closed is
// open to nobody.
func (p *Place) closing(zone string, on *at.Time, now at.Time) (err error) {
	if p.Zone, err = civil.ParseZone(zone); err != nil {
		return fmt.Errorf("practice %s: %w", p.Place.Practice, err)
	}
	if closed(on, now) {
		p.Closed, p.Ended, p.OpensAt = on, true, nil
	} else {
		p.Closes = on
	}
	return nil
}

// earlier is the first of two moments, of which there may be none.
func earlier(a, b *at.Time) *at.Time {
	if a == nil || b != nil && b.Before(a.Time) {
		return b
	}
	return a
}

// MayCome is ErrNobodyNew if by's practice closes: nobody is asked into a place
// that is about to go.
func MayCome(tx *db.Tx, by access.Actor) error {
	p, err := PracticeOf(tx, by)
	if err != nil {
		return err
	}
	if p.ClosesAt != nil {
		return ErrNobodyNew
	}
	return nil
}

// ClosePractice has by's practice close at the end of a day. The door has had by
// show who they are. What invites anybody is withdrawn at once; owners and
// clients are written to.
func ClosePractice(tx *db.Tx, by access.Actor, last civil.Date) error {
	if !by.May(access.Close) {
		return fault.Forbidden
	}
	if err := holdPractice(tx, by.Practice()); err != nil {
		return err
	}
	p, err := PracticeOf(tx, by)
	if err != nil {
		return err
	}
	switch {
	case last.IsZero():
		return ErrNoLastDay
	case p.ClosesAt != nil:
		return ErrCloses
	case last.Compare(p.FirstLastDay(tx.Now())) < 0:
		return ErrTooSoon
	case last.Compare(p.LastLastDay(tx.Now())) > 0:
		return ErrTooFar
	}
	on, who := at.Of(last.AddDays(1).Begins(p.Zone)), by.Account()
	n, err := SQL.In(tx).ClosePractice(tx, peopledb.ClosePracticeParams{ClosesAt: &on, ClosingBy: &who, ID: p.ID})
	if err != nil {
		return fmt.Errorf("close %s: %w", p.ID, err)
	}
	if n == 0 {
		return ErrCloses
	}
	if err := endLinks(tx, by); err != nil {
		return err
	}
	if err := audit.Record(tx, by, audit.Deed{Did: audit.PracticeCloses, Subject: p.ID, Fields: []string{last.String()}}); err != nil {
		return err
	}
	p.ClosesAt = &on
	return announce(tx, by, p, closesToo(p))
}

// KeepPractice takes ClosePractice back, by any of the owners. What was
// withdrawn stays so.
func KeepPractice(tx *db.Tx, by access.Actor) error {
	if !by.May(access.Close) {
		return fault.Forbidden
	}
	if err := holdPractice(tx, by.Practice()); err != nil {
		return err
	}
	n, err := SQL.In(tx).KeepPractice(tx, peopledb.KeepPracticeParams{ID: by.Practice(), Now: tx.Now().Ptr()})
	if err != nil {
		return fmt.Errorf("keep %s: %w", by.Practice(), err)
	}
	if n == 0 {
		return ErrGoesOn
	}
	p, err := PracticeOf(tx, by)
	if err != nil {
		return err
	}
	if err := audit.Record(tx, by, audit.Deed{Did: audit.PracticeKept, Subject: p.ID}); err != nil {
		return err
	}
	return announce(tx, by, p, goesOnToo(p))
}

// endLinks withdraws every invitation of by's practice: of clients, of who acts
// for them, and of colleagues.
func endLinks(tx *db.Tx, by access.Actor) error {
	p, who, now := by.Practice(), by.Practitioner(), tx.Now().Ptr()
	clients, err := SQL.In(tx).EndClientsLinks(tx, peopledb.EndClientsLinksParams{Reason: reasonCloses, Now: now, EndedBy: &who, PracticeID: p})
	if err != nil {
		return fmt.Errorf("end the links of %s: %w", p, err)
	}
	for _, r := range clients {
		if r.LetterID != nil {
			if err := letter.Cancel(tx, by, *r.LetterID); err != nil {
				return err
			}
		}
		tx.Notify(Topic(p, r.ClientID))
		if err := audit.Record(tx, by, audit.Deed{Did: audit.InvitationWithdrawn, Subject: r.ID, Client: r.ClientID}); err != nil {
			return err
		}
	}
	contacts, err := SQL.In(tx).EndContactsLinks(tx, peopledb.EndContactsLinksParams{Now: now, PracticeID: p})
	if err != nil {
		return fmt.Errorf("end the links of %s: %w", p, err)
	}
	for _, r := range contacts {
		if err := ended(tx, by, audit.ContactUninvited, r.ID, r.LetterID); err != nil {
			return err
		}
	}
	colleagues, err := SQL.In(tx).EndTeamLinks(tx, peopledb.EndTeamLinksParams{Now: now, PracticeID: p})
	if err != nil {
		return fmt.Errorf("end the links of %s: %w", p, err)
	}
	for _, r := range colleagues {
		if err := ended(tx, by, audit.MemberUninvited, r.ID, r.LetterID); err != nil {
			return err
		}
	}
	return nil
}

func ended(tx *db.Tx, by access.Actor, did audit.Action, link fmt.Stringer, l id.Letter) error {
	if err := letter.Cancel(tx, by, l); err != nil {
		return err
	}
	return audit.Record(tx, by, audit.Deed{Did: did, Subject: link})
}

// announce writes to the owners now, and to the clients and who acts for them soon.
func announce(tx *db.Tx, by access.Actor, p Practice, b letter.Body) error {
	tx.Notify(PracticeTopic(p.ID))
	all, err := Practitioners(tx, by)
	if err != nil {
		return err
	}
	for _, m := range all {
		if m.Role != access.Owner || !m.Active {
			continue
		}
		a, err := account.Read(tx, access.Job(p.ID), m.Account)
		if err != nil {
			return err
		}
		if _, err := letter.Send(tx, by, letter.Draft{Kind: letter.Closing, To: a.Email, FromName: letter.Brand, Body: b}); err != nil {
			return err
		}
	}
	return closingNews.Enqueue(tx, "", news{p.ID})
}

// aPart is how many clients are looked at in one transaction; the query says so too.
const aPart = 100

// closingNews is the job that writes to the clients of a practice that closes,
// or that goes on after all, and to who acts for them.
const closingNews = jobs.Kind[news]("people.closing_news")

type news struct{ Practice id.Practice }

// tellOfClosing writes to everybody who has not been told how it stands now.
// Run again, it writes to nobody twice.
func (c Clerk) tellOfClosing(ctx context.Context, n news) error {
	if err := inParts(ctx, c.DB, n, tellSome); err != nil {
		return err
	}
	return inParts(ctx, c.DB, n, tellSomeContacts)
}

// inParts tells some after others, each some in a transaction.
func inParts[ID ~string](ctx context.Context, d *db.DB, n news, some func(*db.Tx, access.Actor, ID) (ID, error)) error {
	for after := ID(""); ; {
		err := d.Update(ctx, func(tx *db.Tx) (err error) {
			after, err = some(tx, access.Job(n.Practice), after)
			return err
		})
		if err != nil || after == "" {
			return err
		}
	}
}

// tellSome is a part of tellOfClosing; next is the last who was looked at. The
// practice is held: while it is told that it closes, nobody takes that back.
func tellSome(tx *db.Tx, by access.Actor, after id.Client) (next id.Client, err error) {
	if err := holdPractice(tx, by.Practice()); err != nil {
		return "", err
	}
	p, err := PracticeOf(tx, by)
	if err != nil {
		return "", err
	}
	rows, err := SQL.In(tx).UntoldOfClosing(tx, peopledb.UntoldOfClosingParams{PracticeID: p.ID, After: after, Now: tx.Now().Ptr()})
	if err != nil {
		return "", fmt.Errorf("whom to tell of the end of %s: %w", p.ID, err)
	}
	for _, r := range rows {
		next = r.ID
		if same(r.ToldClosing, p.ClosesAt) {
			continue
		}
		if err := tellClient(tx, by, p, r); err != nil {
			return "", err
		}
	}
	if len(rows) < aPart { // that was the last
		next = ""
	}
	return next, audit.Record(tx, by, audit.Deed{Did: audit.ClosingTold, Subject: p.ID})
}

func same(a, b *at.Time) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Equal(b.Time)
}

func tellClient(tx *db.Tx, by access.Actor, p Practice, r peopledb.UntoldOfClosingRow) error {
	err := SQL.In(tx).ToldOfClosing(tx, peopledb.ToldOfClosingParams{ClosesAt: p.ClosesAt, PracticeID: p.ID, ID: r.ID})
	if err != nil {
		return fmt.Errorf("tell %s: %w", r.ID, err)
	}
	to, err := account.Read(tx, by, *r.AccountID)
	if errors.Is(err, account.ErrNoAccount) {
		return nil
	}
	if err != nil {
		return err
	}
	body := goesOnLetter(p)
	if p.ClosesAt != nil {
		body = closesLetter(p)
	}
	if _, err := letter.Send(tx, by, letter.Draft{Kind: letter.Closing, To: to.Email, FromName: p.Name, Body: body, Client: r.ID}); err != nil {
		return err
	}
	return audit.Record(tx, by, audit.Deed{Did: audit.ClosingTold, Subject: r.ID, Client: r.ID})
}

// tellSomeContacts is tellSome for who acts for a client.
func tellSomeContacts(tx *db.Tx, by access.Actor, after id.Contact) (next id.Contact, err error) {
	if err := holdPractice(tx, by.Practice()); err != nil {
		return "", err
	}
	p, err := PracticeOf(tx, by)
	if err != nil {
		return "", err
	}
	rows, err := SQL.In(tx).ContactsUntoldOfClosing(tx, peopledb.ContactsUntoldOfClosingParams{PracticeID: p.ID, After: after, Now: tx.Now().Ptr()})
	if err != nil {
		return "", fmt.Errorf("whom to tell of the end of %s: %w", p.ID, err)
	}
	told := map[id.Account]bool{} // of rows read before: who acts for two gets one letter
	for _, r := range rows {
		next = r.ID
		if same(r.ToldClosing, p.ClosesAt) || told[*r.AccountID] {
			continue
		}
		if told[*r.AccountID], err = tellContact(tx, by, p, r); err != nil {
			return "", err
		}
	}
	if len(rows) < aPart { // that was the last
		next = ""
	}
	return next, audit.Record(tx, by, audit.Deed{Did: audit.ClosingTold, Subject: p.ID})
}

// tellContact writes to one, if the client's coming of age has not ended what
// they may. Neither the client nor what is opened is in the letter.
func tellContact(tx *db.Tx, by access.Actor, p Practice, r peopledb.ContactsUntoldOfClosingRow) (told bool, err error) {
	if r.OfAge {
		m, err := MinorOf(tx, by, r.ClientID)
		if err != nil {
			return false, err
		}
		if end := m.GuardiansEnd(); end != nil && !end.After(tx.Now().Time) {
			return false, nil
		}
	}
	err = SQL.In(tx).ContactToldOfClosing(tx, peopledb.ContactToldOfClosingParams{ClosesAt: p.ClosesAt, PracticeID: p.ID, AccountID: r.AccountID})
	if err != nil {
		return false, fmt.Errorf("tell contact %s: %w", r.ID, err)
	}
	to, err := account.Read(tx, by, *r.AccountID)
	if errors.Is(err, account.ErrNoAccount) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	body := goesOnLetter(p)
	if p.ClosesAt != nil {
		body = closesForOthersLetter(p)
	}
	_, err = letter.Send(tx, by, letter.Draft{Kind: letter.Closing, To: to.Email, FromName: p.Name, Body: body, Client: r.ClientID, Account: *r.AccountID})
	if err != nil {
		return false, err
	}
	return true, audit.Record(tx, by, audit.Deed{Did: audit.ClosingTold, Subject: r.ID, Client: r.ClientID})
}
