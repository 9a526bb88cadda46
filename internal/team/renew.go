package team

import (
	"context"
	"errors"
	"fmt"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/audit"
	"icouch/internal/base/email"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/letter"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/platform/jobs"
	"icouch/internal/platform/keys"
	"icouch/internal/team/teamdb"
)

// Renew is "Send me a new link" on the page of a dead link. The new one goes to
// the address that was invited and to no other, and the page says the same
// whatever came of it.
func Renew(tx *db.Tx, by access.Actor, token secret.Token) error {
	r, err := SQL.In(tx).ByToken(tx, token.Hash())
	if errors.Is(err, db.None) {
		return asked(tx, keys.Installation, keys.Installation)
	}
	if err != nil {
		return fmt.Errorf("renew a colleague's link: %w", err)
	}
	return renew(tx, r.PracticeID, r.ID, people.State(r.State), r.EmailIndex)
}

// RenewByAddress is the same for somebody who has nothing but their address.
func RenewByAddress(tx *db.Tx, _ access.Actor, a email.Address) error {
	index, err := addressIndex(tx, a)
	if err != nil {
		return err
	}
	rows, err := SQL.In(tx).ByAddress(tx, index)
	if err != nil {
		return fmt.Errorf("renew by address: %w", err)
	}
	newest := map[id.Practice]teamdb.ByAddressRow{}
	for _, r := range rows {
		if was, ok := newest[r.PracticeID]; !ok || was.Ordinal < r.Ordinal {
			newest[r.PracticeID] = r
		}
	}
	for _, r := range newest {
		if err := renew(tx, r.PracticeID, r.ID, people.State(r.State), index); err != nil {
			return err
		}
	}
	return asked(tx, keys.Installation, keys.Installation)
}

// renew does what the state allows: a new link, the way to sign in, a word to
// who invited, or nothing. Whoever holds a withdrawn link moves nothing by it.
func renew(tx *db.Tx, p id.Practice, held id.TeamInvitation, state people.State, mailbox []byte) error {
	n, err := SQL.In(tx).Newest(tx, teamdb.NewestParams{PracticeID: p, EmailIndex: mailbox})
	if err != nil {
		return fmt.Errorf("renew %s: %w", held, err)
	}
	d, err := draftOf(tx, p, n)
	if err != nil {
		return err
	}
	by := access.ByLink(p, "")
	inviter, err := member(tx, by, n.PractitionerID)
	if err != nil {
		return err
	}
	switch {
	case state == people.Withdrawn:
		return askPractice(tx, by, inviter, d, held)
	case people.State(n.State) == people.Withdrawn:
		return askPractice(tx, by, inviter, d, n.ID)
	case people.State(n.State) == people.Used:
		return remind(tx, p, d)
	case !mayStillGive(p, inviter, d.Role): // no link goes out in the name of who could not send it
		if err := endLive(tx, by, d.Email, people.Withdrawn); err != nil {
			return err
		}
		if err := audit.Record(tx, access.Job(p), audit.Deed{Did: audit.MemberUninvited, Subject: n.ID}); err != nil {
			return err
		}
		return askPractice(tx, by, inviter, d, n.ID)
	case n.CreatedAt.Plus(coolDown).After(tx.Now().Time):
		return asked(tx, p, held)
	}
	if err := mayWriteTo(tx, p, d.Email); err != nil {
		if _, _, told := fault.As(err); told {
			return asked(tx, p, held)
		}
		return err
	}
	return send(tx, access.AsPractitioner(p, inviter.Account, inviter.ID, inviter.Role), d, n.Ordinal, audit.MemberReinvited)
}

// remind writes to who accepted how to sign in.
func remind(tx *db.Tx, p id.Practice, d Draft) error {
	who, err := account.ByEmail(tx, access.ByLink(p, ""), d.Email)
	if errors.Is(err, db.None) {
		return asked(tx, p, p)
	}
	if err != nil {
		return err
	}
	if err := account.Remind(tx, access.ByLink(p, ""), who); err != nil {
		return err
	}
	return asked(tx, p, p)
}

// askPractice tells who invited that somebody asks for a new link after it was
// withdrawn: once for each. If they could not invite them any more, the owners
// are told: nobody else may know who that is.
func askPractice(tx *db.Tx, by access.Actor, inviter people.Practitioner, d Draft, inv id.TeamInvitation) error {
	n, err := SQL.In(tx).Asked(tx, teamdb.AskedParams{AskedAt: tx.Now().Ptr(), PracticeID: by.Practice(), ID: inv})
	if err != nil {
		return fmt.Errorf("ask for a link: %w", err)
	}
	if n == 0 {
		return asked(tx, by.Practice(), inv)
	}
	practice, err := people.PracticeOf(tx, by)
	if err != nil {
		return err
	}
	to := []people.Practitioner{inviter}
	if !mayStillGive(by.Practice(), inviter, d.Role) {
		if to, err = owners(tx, by.Practice()); err != nil {
			return err
		}
	}
	for _, m := range to {
		if err := write(tx, by, m, letter.AskedAgain, askedLetter(practice.Name)); err != nil {
			return err
		}
	}
	return asked(tx, by.Practice(), inv)
}

// asked leaves the line that says somebody asked, whatever came of it.
func asked(tx *db.Tx, p id.Practice, what fmt.Stringer) error {
	by := access.Guest()
	if p != keys.Installation {
		by = access.ByLink(p, "")
	}
	return audit.Record(tx, by, audit.Deed{Did: audit.InvitationAsked, Subject: what})
}

// renewalWish is the job that looks into who has lost their invitation.
const renewalWish = jobs.Kind[account.Wish]("team.renewal_wish")

// WishRenewal notes that somebody asks for a new link to an address they typed.
// The work is the same whether it was ever invited or not.
func WishRenewal(tx *db.Tx, by access.Actor, a email.Address) error {
	w, err := account.NewWish(tx, by, a)
	if err != nil {
		return err
	}
	if err := renewalWish.Enqueue(tx, "", w); err != nil {
		return err
	}
	return asked(tx, keys.Installation, keys.Installation)
}

// Clerk looks into wishes.
type Clerk struct{ DB *db.DB }

// Register has q hand the clerk its work.
func (c Clerk) Register(q *jobs.Queue) {
	renewalWish.On(q, func(ctx context.Context, w account.Wish) error {
		err := c.DB.Update(ctx, func(tx *db.Tx) error {
			a, err := w.Open(tx, access.Guest())
			if err != nil {
				return err
			}
			return RenewByAddress(tx, access.Guest(), a)
		})
		if err != nil {
			return fmt.Errorf("look into a renewal: %w", err)
		}
		return nil
	})
}
