package chat

import (
	"errors"
	"fmt"
	"slices"

	"icouch/internal/access"
	"icouch/internal/audit"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/chat/chatdb"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

// To is whom a new conversation is with: a client, with oneself or with
// everybody who looks after them; or a member.
type To struct {
	Client id.Client       // set by a member
	Team   bool            // everybody who looks after the client
	Member id.Practitioner // set by a client, or by a colleague
}

// Start returns the conversation by has with somebody, and begins it if there
// is none yet.
func Start(tx *db.Tx, by access.Actor, to To) (id.Conversation, error) {
	p, err := plan(tx, by, to)
	if err != nil {
		return "", err
	}
	c, err := p.find(tx)
	if err == nil {
		return c, audit.Record(tx, by, audit.Deed{Did: audit.ConversationOpened, Subject: c, Client: deref(p.ClientID)})
	}
	if !errors.Is(err, db.None) {
		return "", err
	}
	if by.IsClient() {
		if _, err := SQL.In(tx).Closed(tx, chatdb.ClosedParams{PracticeID: by.Practice(), ClientID: by.Client()}); !errors.Is(err, db.None) {
			if err == nil {
				err = ErrClosed
			}
			return "", err
		}
	}
	p.ID, p.Now = id.New[id.Conversation](tx.Now().Time), tx.Now()
	n, err := SQL.In(tx).AddConversation(tx, chatdb.AddConversationParams(p))
	if err != nil {
		return "", fmt.Errorf("start a conversation: %w", err)
	}
	if n == 0 { // somebody began it meanwhile
		return p.find(tx)
	}
	if _, err := keys.MakeRecord(tx, p.PracticeID, owner(deref(p.ClientID), p.ID)); err != nil {
		return "", err
	}
	return p.ID, audit.Record(tx, by, audit.Deed{Did: audit.ConversationBegun, Subject: p.ID, Client: deref(p.ClientID)})
}

func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// planned is a conversation as it would be stored.
type planned chatdb.AddConversationParams

func (p planned) find(tx *db.Tx) (c id.Conversation, err error) {
	switch Kind(p.Kind) {
	case WithClient:
		c, err = SQL.In(tx).WithClient(tx, chatdb.WithClientParams{PracticeID: p.PracticeID, ClientID: p.ClientID, PractitionerID: p.PractitionerID})
	case WithTeam:
		c, err = SQL.In(tx).WithTeam(tx, chatdb.WithTeamParams{PracticeID: p.PracticeID, ClientID: p.ClientID})
	default:
		c, err = SQL.In(tx).WithColleague(tx, chatdb.WithColleagueParams{PracticeID: p.PracticeID, PractitionerID: p.PractitionerID, OtherID: p.OtherID})
	}
	if err != nil && !errors.Is(err, db.None) {
		err = fmt.Errorf("find a conversation: %w", err)
	}
	return c, err
}

// plan looks whether by may write to somebody, and says what the conversation is.
func plan(tx *db.Tx, by access.Actor, to To) (planned, error) {
	p := planned{PracticeID: by.Practice()}
	if !mayChat(by) {
		return p, fault.NotFound
	}
	if to.Client != "" && by.AtWork() {
		reach, err := reaches(tx, by, to.Client)
		if err != nil {
			return p, err
		}
		p.Kind, p.ClientID = string(WithClient), &to.Client
		if to.Team && reach.team {
			p.Kind = string(WithTeam)
			return p, nil
		}
		mine := by.Practitioner()
		p.PractitionerID = &mine
		return p, nil
	}
	all, err := Partners(tx, by)
	if err != nil {
		return p, err
	}
	if !slices.ContainsFunc(all, func(o Partner) bool { return o.To == to }) {
		return p, ErrNobody
	}
	if by.IsClient() {
		mine := by.Client()
		p.ClientID, p.Kind = &mine, string(WithTeam)
		if !to.Team {
			p.Kind, p.PractitionerID = string(WithClient), &to.Member
		}
		return p, nil
	}
	first, second := by.Practitioner(), to.Member
	if second < first {
		first, second = second, first
	}
	p.Kind, p.PractitionerID, p.OtherID = string(Colleagues), &first, &second
	return p, nil
}

type reach struct{ team bool }

// reaches looks whether a member may write to a client: they look after them,
// and the client has an account.
func reaches(tx *db.Tx, by access.Actor, client id.Client) (reach, error) {
	carer, err := SQL.In(tx).Carer(tx, chatdb.CarerParams{PracticeID: by.Practice(), ID: client})
	if errors.Is(err, db.None) {
		return reach{}, fault.NotFound
	}
	if err != nil {
		return reach{}, fmt.Errorf("write to %s: %w", client, err)
	}
	switch by.Why(client, carer.PractitionerID) {
	case access.Care, access.CareTeam:
	case access.Unknown:
		return reach{}, fault.NotFound
	case access.ByEmergency:
		return reach{}, people.ErrOnlyLooks
	default:
		return reach{}, fault.Forbidden
	}
	if carer.AccountID == nil || carer.EndsAt != nil && !carer.EndsAt.After(tx.Now().Time) {
		return reach{}, ErrUnreached
	}
	team, err := SQL.In(tx).CareTeam(tx, chatdb.CareTeamParams{PracticeID: by.Practice(), ClientID: client, Now: tx.Now().Ptr()})
	return reach{len(team) > 0}, err
}
