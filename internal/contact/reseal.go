package contact

import (
	"fmt"

	"icouch/internal/access"
	"icouch/internal/audit"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/contact/contactdb"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

// Reseal seals some of the contacts of by's practice again, with its newest
// key: those after one. It returns the last of them, or "" when none is left;
// see people.Reseal.
func Reseal(tx *db.Tx, by access.Actor, after id.Contact) (last id.Contact, err error) {
	if by.Role() != access.Shell {
		return "", fault.Forbidden
	}
	p := by.Practice()
	key, err := keys.Of(tx, p)
	if err != nil {
		return "", err
	}
	rows, err := SQL.In(tx).Reseal(tx, contactdb.ResealParams{PracticeID: p, After: after})
	if err != nil {
		return "", fmt.Errorf("reseal: %w", err)
	}
	for _, r := range rows {
		again := contactdb.ResealedParams{Name: r.Name, Email: r.Email, Mobile: r.Mobile, Basis: r.Basis, PracticeID: p, ID: r.ID, Version: r.Version}
		for column, f := range map[string]*crypt.Sealed{"name": &again.Name, "email": &again.Email, "mobile": &again.Mobile, "basis": &again.Basis} {
			if *f, err = sealAgain(key, *f, fieldPlace(column, p, r.ID)); err != nil {
				return "", err
			}
		}
		if err := SQL.In(tx).Resealed(tx, again); err != nil {
			return "", fmt.Errorf("reseal %s: %w", r.ID, err)
		}
		last = r.ID
	}
	return last, audit.Record(tx, by, audit.Deed{Did: audit.KeysRotated, Subject: p})
}

// ResealInvitations does the same for the links to contacts.
func ResealInvitations(tx *db.Tx, by access.Actor, after id.ContactInvitation) (last id.ContactInvitation, err error) {
	if by.Role() != access.Shell {
		return "", fault.Forbidden
	}
	p := by.Practice()
	key, err := keys.Of(tx, p)
	if err != nil {
		return "", err
	}
	rows, err := SQL.In(tx).ResealInvitations(tx, contactdb.ResealInvitationsParams{PracticeID: p, After: after})
	if err != nil {
		return "", fmt.Errorf("reseal: %w", err)
	}
	for _, r := range rows {
		again, err := sealAgain(key, r.Email, emailPlace(p, r.ID))
		if err != nil {
			return "", err
		}
		if err := SQL.In(tx).ResealedInvitation(tx, contactdb.ResealedInvitationParams{Email: again, PracticeID: p, ID: r.ID}); err != nil {
			return "", fmt.Errorf("reseal %s: %w", r.ID, err)
		}
		last = r.ID
	}
	return last, audit.Record(tx, by, audit.Deed{Did: audit.KeysRotated, Subject: p})
}

// sealAgain leaves what is not there as it is.
func sealAgain(key *crypt.Key, s crypt.Sealed, place string) (crypt.Sealed, error) {
	open, err := key.Open(s, place)
	if err != nil || s == nil {
		return s, err
	}
	return key.Seal(open, place)
}
