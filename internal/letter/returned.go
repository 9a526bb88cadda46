package letter

import (
	"errors"
	"fmt"
	"strings"

	"icouch/internal/access"
	"icouch/internal/audit"
	"icouch/internal/base/email"
	"icouch/internal/base/id"
	"icouch/internal/letter/letterdb"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
	"icouch/internal/platform/mail"
)

// Report is what another mail server says became of a letter it had taken.
type Report struct {
	Letter id.Letter
	State  State // Bounced, Delayed or Delivered
	Reason mail.Reason
}

// LetterOf reads which letter a Message-ID or a bounce address names.
func LetterOf(s string) (id.Letter, error) {
	s, _, _ = strings.Cut(strings.Trim(strings.TrimSpace(s), "<>"), "@")
	if _, ext, ok := strings.Cut(s, "+"); ok {
		s = ext
	}
	return id.Parse[id.Letter](s)
}

// Note records a report. One about a letter that nobody sent is db.None.
func Note(tx *db.Tx, by access.Actor, r Report) error {
	l, err := SQL.In(tx).ByID(tx, r.Letter)
	if err != nil {
		return err
	}
	n, err := SQL.In(tx).Report(tx, letterdb.ReportParams{State: string(r.State), Reason: string(r.Reason), SettledAt: tx.Now().Ptr(), PracticeID: l.PracticeID, ID: l.ID})
	if err != nil || n == 0 {
		return errors.Join(err, errGone(n))
	}
	notify(tx, l.PracticeID, l.ClientID)
	return record(tx, l.PracticeID, did(r.State), l.ID, l.ClientID)
}

func did(s State) audit.Action {
	switch s {
	case Delivered:
		return audit.LetterSent
	case Delayed:
		return audit.LetterDelayed
	}
	return audit.LetterReturned
}

// plus puts ext behind a plus in front of the at sign of an address.
func plus(address, ext string) string {
	local, domain, ok := strings.Cut(address, "@")
	if !ok {
		return ""
	}
	return local + "+" + ext + "@" + domain
}

// Decline notes that the person behind an address wants no invitations.
func Decline(tx *db.Tx, by access.Actor, a email.Address) error {
	index, err := indexOf(tx, a)
	if err != nil {
		return err
	}
	if err := SQL.In(tx).Decline(tx, letterdb.DeclineParams{EmailIndex: index, CreatedAt: tx.Now()}); err != nil {
		return fmt.Errorf("decline letters: %w", err)
	}
	return audit.Record(tx, by, audit.Deed{Did: audit.LettersOff, Subject: keys.Installation})
}

// Want takes a Decline back.
func Want(tx *db.Tx, by access.Actor, a email.Address) error {
	index, err := indexOf(tx, a)
	if err != nil {
		return err
	}
	if err := SQL.In(tx).Want(tx, index); err != nil {
		return fmt.Errorf("want letters: %w", err)
	}
	return audit.Record(tx, by, audit.Deed{Did: audit.LettersOn, Subject: keys.Installation})
}

// Declined reports whether the person behind an address wants no invitations.
func Declined(tx *db.Tx, _ access.Actor, a email.Address) (bool, error) { return declined(tx, a) }

func declined(tx *db.Tx, a email.Address) (bool, error) {
	index, err := indexOf(tx, a)
	if err != nil {
		return false, err
	}
	n, err := SQL.In(tx).Declined(tx, index)
	if err != nil {
		return false, fmt.Errorf("declined letters: %w", err)
	}
	return n > 0, nil
}

func indexOf(tx *db.Tx, a email.Address) ([]byte, error) {
	key, err := keys.Of(tx, keys.Installation)
	if err != nil {
		return nil, err
	}
	return key.Index("letters", a.Fold())
}
