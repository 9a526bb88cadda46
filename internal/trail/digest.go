package trail

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/audit"
	"icouch/internal/base/at"
	"icouch/internal/base/civil"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/text"
	"icouch/internal/letter"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/trail/traildb"
)

// Digest is a week of a practice's trail in numbers.
type Digest struct {
	Week     int64
	From, To at.Time // from a Monday to the next

	Looks, Changes int64 // lines of each
	Emergencies    int64 // times that a colleague's client was opened
	Missed         int64 // times that somebody looked for one and named nobody
	Exports        int64
	AfterHours     int64 // looks and changes of members, at night and at weekends
	OwnName        int64 // looks at a record of somebody with the reader's own last name

	ReviewedAt *at.Time
	ReviewedBy string // their name
}

// What people are told about digests.
var (
	ErrReviewed = fault.New(fault.Conflict, "Somebody has signed for that week already.")
)

// The hours in which a practice works, for the count of what was done outside
// of them, and the hour at which a digest is written.
const (
	dayBegins = 7
	dayEnds   = 20
	digestsAt = 8
)

// digest writes the digest of the week that ended last, once it is Monday
// morning in the practice, and tells its owners. A week in which nothing
// happened has none.
func (c Clerk) digest(ctx context.Context, p id.Practice) error {
	by := access.Job(p)
	due := false
	err := c.DB.View(ctx, func(tx *db.Tx) error {
		w, err := weekDue(tx, by)
		due = w.due
		return err
	})
	if err != nil || !due {
		return err
	}
	return c.DB.Update(ctx, func(tx *db.Tx) error {
		w, err := weekDue(tx, by)
		if err != nil {
			return err
		}
		return write(tx, by, w)
	})
}

// week is one that may be due.
type week struct {
	due          bool
	number       int64
	from, to     at.Time
	first, after int64 // lines after first, up to after
	practice     people.Practice
}

func weekDue(tx *db.Tx, by access.Actor) (w week, err error) {
	if w.practice, err = people.PracticeOf(tx, by); err != nil {
		return w, err
	}
	if w.practice.Closed(tx.Now()) { // nobody is left who could read it
		return w, nil
	}
	zone := w.practice.Zone
	today := civil.DateOf(tx.Now().Time, zone)
	monday := today.AddDays(-(int(today.Weekday()) + 6) % 7)
	w.to, w.from = begins(monday, zone), begins(monday.AddDays(-7), zone)
	w.number = (dayOf(w.to, zone) + 3) / 7 // the day 0 was a Thursday
	if today == monday && tx.Now().In(zone.Load()).Hour() < digestsAt {
		return w, nil
	}
	last, err := SQL.In(tx).LastDigest(tx, by.Practice())
	if err != nil && !errors.Is(err, db.None) {
		return w, fmt.Errorf("digest of %s: %w", by.Practice(), err)
	}
	if last.Week >= w.number {
		return w, nil
	}
	if w.first, err = audit.Until(tx, by, w.from); err != nil {
		return w, err
	}
	w.after, err = audit.Until(tx, by, w.to)
	w.due = err == nil && w.after > w.first
	return w, err
}

func write(tx *db.Tx, by access.Actor, w week) error {
	members, err := people.Practitioners(tx, by)
	if err != nil {
		return err
	}
	d, err := countWeek(tx, by, w, members)
	if err != nil {
		return err
	}
	n, err := SQL.In(tx).AddDigest(tx, traildb.AddDigestParams{PracticeID: by.Practice(), Week: w.number, FromAt: w.from, ToAt: w.to, FromSeq: w.first, ToSeq: w.after,
		Looks: d.Looks, Changes: d.Changes, Missed: d.Missed, Emergencies: d.Emergencies, Exports: d.Exports, AfterHours: d.AfterHours, OwnName: d.OwnName})
	if err != nil {
		return fmt.Errorf("digest of %s: %w", by.Practice(), err)
	}
	if n == 1 { // another node was not quicker
		end, err := audit.End(tx, by)
		if err != nil {
			return err
		}
		for _, m := range members {
			if err := tell(tx, by, m, digestLetter(w, d, end)); err != nil {
				return err
			}
		}
	}
	return audit.Record(tx, by, audit.Deed{Did: audit.DigestMade, Subject: number(w.number)})
}

// number is a week as the subject of a deed.
type number int64

func (n number) String() string { return strconv.FormatInt(int64(n), 10) }

// tell writes to an owner. No client is in the letter.
func tell(tx *db.Tx, by access.Actor, m people.Practitioner, b letter.Body) error {
	if m.Role != access.Owner || !m.Active {
		return nil
	}
	a, err := account.Read(tx, by, m.Account)
	if err != nil {
		return err
	}
	_, err = letter.Send(tx, by, letter.Draft{Kind: letter.Digest, To: a.Email, FromName: letter.Brand, Body: b})
	return err
}

// digestLetter is a place for an anchor, too: who has the database does not have
// the owners' mail.
func digestLetter(w week, d Digest, end audit.Anchor) letter.Body {
	lines := []string{
		counted(d.Emergencies, "record was", "records were") + " opened in an emergency",
		counted(d.Missed, "search", "searches") + " in an emergency found nobody",
		counted(d.Exports, "export was", "exports were") + " made",
		counted(d.AfterHours, "look or change was", "looks and changes were") + " at night or at a weekend",
		counted(d.OwnName, "look was", "looks were") + " at a record with the reader’s own last name",
		counted(d.Looks, "look", "looks") + " and " + counted(d.Changes, "change", "changes") + " in all",
	}
	return letter.Body{Subject: "The week in your practice's trail", Parts: []letter.Part{
		{Text: "In " + text.StripLinks(w.practice.Name) + ", in the week from " + civil.Day(w.to.Time, w.from.Time, w.practice.Zone) + ":"},
		{List: lines},
		{Text: "Look through it, and sign that you did. Nobody is named in this e-mail."},
		{Button: &letter.Button{Label: "Review the week", URL: letter.Base + "/settings/trail/weeks"}},
		{Text: "Keep this e-mail. The line below says how far the trail went when it was written. With it, whoever runs your " + letter.Brand + " can show that nothing was taken off its end since:"},
		{Text: end.Word()},
		{Sign: letter.Brand},
	}}
}

func counted(n int64, one, many string) string {
	switch n {
	case 0:
		return "no " + many
	case 1:
		return "1 " + one
	}
	return strconv.FormatInt(n, 10) + " " + many
}

// countWeek goes through the lines of a week.
func countWeek(tx *db.Tx, by access.Actor, w week, members []people.Practitioner) (d Digest, err error) {
	last := map[id.Account]string{}
	for _, m := range members {
		last[m.Account] = lastWord(m.Name)
	}
	everybody, err := people.Everybody(tx, by)
	if err != nil {
		return d, err
	}
	surname := map[id.Client]string{}
	for _, c := range everybody {
		surname[c.ID] = text.FoldForSearch(c.Name.Last)
	}
	location := w.practice.Zone.Load()
	for at := w.first; at < w.after; {
		page, err := audit.On(tx, by, at)
		if err != nil {
			return d, err
		}
		for _, e := range page {
			if at = e.Seq; at > w.after {
				break
			}
			d.take(e, location, last[e.Account], surname)
		}
		if len(page) == 0 {
			break
		}
	}
	return d, nil
}

// take counts one line. own is the last name of whose account it is.
func (d *Digest) take(e audit.Entry, location *time.Location, own string, surname map[id.Client]string) {
	kind := KindOf(e.Did)
	switch {
	case kind == Looks:
		d.Looks++
	case kind == Changes:
		d.Changes++
	case kind == Exports:
		d.Exports++
	case e.Did == audit.EmergencyOpened:
		d.Emergencies++
	case e.Did == audit.EmergencyMissed:
		d.Missed++
	}
	if own == "" { // nobody of the practice
		return
	}
	if t := e.At.In(location); (kind == Looks || kind == Changes || kind == Exports) &&
		(t.Hour() < dayBegins || t.Hour() >= dayEnds || t.Weekday() == time.Saturday || t.Weekday() == time.Sunday) {
		d.AfterHours++
	}
	for _, s := range e.Shown {
		if s.Part == audit.Whole && surname[s.Client] == own {
			d.OwnName++
			break
		}
	}
}

func lastWord(name string) string {
	words := strings.Fields(text.FoldForSearch(name))
	if len(words) == 0 {
		return ""
	}
	return words[len(words)-1]
}

// Digests returns the practice's last weeks, the newest first.
func Digests(tx *db.Tx, by access.Actor) ([]Digest, error) {
	if !by.May(access.ReadTrail) {
		return nil, fault.NotFound
	}
	rows, err := SQL.In(tx).Digests(tx, by.Practice())
	if err != nil {
		return nil, fmt.Errorf("digests of %s: %w", by.Practice(), err)
	}
	members, err := people.Practitioners(tx, by)
	if err != nil {
		return nil, err
	}
	all := make([]Digest, len(rows))
	for i, r := range rows {
		all[i] = Digest{Week: r.Week, From: r.FromAt, To: r.ToAt, Looks: r.Looks, Changes: r.Changes, Emergencies: r.Emergencies, Missed: r.Missed,
			Exports: r.Exports, AfterHours: r.AfterHours, OwnName: r.OwnName, ReviewedAt: r.ReviewedAt}
		for _, m := range members {
			if r.ReviewedBy != nil && m.ID == *r.ReviewedBy {
				all[i].ReviewedBy = m.Name
			}
		}
	}
	return all, nil
}

// Review signs, for by, that a week's digest was looked at.
func Review(tx *db.Tx, by access.Actor, week int64) error {
	if !by.May(access.ReviewTrail) {
		return fault.Forbidden
	}
	who := by.Practitioner()
	n, err := SQL.In(tx).Review(tx, traildb.ReviewParams{ReviewedAt: tx.Now().Ptr(), ReviewedBy: &who, PracticeID: by.Practice(), Week: week})
	if err != nil {
		return fmt.Errorf("review %d of %s: %w", week, by.Practice(), err)
	}
	if n == 0 {
		if _, err := SQL.In(tx).Week(tx, traildb.WeekParams{PracticeID: by.Practice(), Week: week}); errors.Is(err, db.None) {
			return fault.NotFound
		}
		return ErrReviewed
	}
	return audit.Record(tx, by, audit.Deed{Did: audit.DigestReviewed, Subject: number(week)})
}
