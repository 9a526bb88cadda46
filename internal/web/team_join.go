package web

import (
	"icouch/internal/access"
	"icouch/internal/base/secret"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/team"
	"icouch/internal/web/parts"
)

// teamPassage is the way of a colleague who is invited.
var teamPassage = passage{
	path: "/team/",
	picture: parts.Picture{Words: "A quiet place to work with your clients.", Points: []parts.Point{
		{Icon: "shield-check", Words: "What is kept about clients is encrypted"},
		{Icon: "users", Words: "Each sees the clients they work with"},
		{Icon: "history", Words: "Every change is in the trail"},
	}},
	look: lookAsColleague, signUp: team.SignUp, accept: team.Accept, renew: team.Renew,
}

func lookAsColleague(s *Site, tx *db.Tx, by access.Actor, token secret.Token) (passing, error) {
	o, err := team.Look(tx, by, token)
	return passing{
		Offer: people.Offer{State: o.State, Newer: o.Newer, Expired: o.Expired, ExpiresAt: o.ExpiresAt, EndedAt: o.EndedAt, Practice: o.Practice,
			Inviter: o.Inviter, Email: o.Email},
		holder: o.Name, to: "join " + o.Practice.Name,
		lede: o.Inviter + " invites you to work in " + o.Practice.Name + " on " + s.House.Brand + ". Your role will be “" + team.RoleWords(o.Role) + "”.",
	}, err
}
