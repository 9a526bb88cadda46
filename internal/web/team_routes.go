package web

import "icouch/internal/access"

func managers(a access.Actor) bool { return a.May(access.ManageMembers) }
func breakers(a access.Actor) bool { return a.May(access.Break) }
func trailers(a access.Actor) bool { return a.May(access.ReadTrail) }

// teamRoutes are who works in a practice and whom they may see: for who runs
// it, for a colleague who is invited, and on the pages of a client.
var teamRoutes = []route{
	{pattern: "GET /settings/team", enter: managers, do: (*Site).team},
	{pattern: "GET /settings/team/new", enter: managers, do: (*Site).newColleague},
	{pattern: "POST /settings/team", enter: managers, do: (*Site).inviteColleague},
	{pattern: "POST /settings/team/sendings", enter: managers, do: (*Site).resendColleague},
	{pattern: "POST /settings/team/withdrawals", enter: managers, do: (*Site).withdrawColleague},
	{pattern: "GET /settings/team/links", enter: managers, do: (*Site).leaveColleagueLink},
	{pattern: "POST /settings/team/links", enter: managers, do: (*Site).copyColleagueLink},
	{pattern: "GET /settings/team/emergencies", enter: trailers, do: (*Site).emergencies},
	{pattern: "GET /settings/team/{member}", enter: managers, do: (*Site).member},
	{pattern: "POST /settings/team/{member}/role", enter: managers, do: (*Site).setRole},
	{pattern: "POST /settings/team/{member}/supervision", enter: managers, do: (*Site).supervise},
	{pattern: "GET /settings/team/{member}/clients", enter: managers, do: (*Site).chooseHeir},
	{pattern: "POST /settings/team/{member}/clients", enter: managers, do: (*Site).handOver},
	{pattern: "GET /settings/team/{member}/end", enter: managers, do: (*Site).chooseMemberEnd},
	{pattern: "POST /settings/team/{member}/end", enter: managers, do: (*Site).endMember},
	{pattern: "POST /settings/team/{member}/return", enter: managers, do: (*Site).returnMember},

	{pattern: "POST /settings/team/{member}/recovery", enter: recoverers, do: (*Site).askRecovery},
	{pattern: "POST /settings/team/{member}/recovery/approval", enter: recoverers, do: (*Site).approveRecovery},
	{pattern: "POST /settings/team/{member}/recovery/withdrawal", enter: recoverers, do: (*Site).withdrawRecovery},
	{pattern: "GET /recovered/{link}", enter: anyone, do: (*Site).showRecovered},
	{pattern: "POST /recovered/{link}", enter: anyone, do: (*Site).useRecovered},

	{pattern: "GET /team/{link}", enter: anyone, do: teamPassage.link},
	{pattern: "POST /team/{link}", enter: anyone, do: teamPassage.signsUp},
	{pattern: "GET /team/{link}/sign-in", enter: anyone, do: teamPassage.withAccount},
	{pattern: "POST /team/{link}/sign-in", enter: anyone, do: teamPassage.signsIn},
	{pattern: "POST /team/{link}/acceptance", enter: anyone, do: teamPassage.accepts},
	{pattern: "POST /team/{link}/switch", enter: anyone, do: teamPassage.switches},
	{pattern: "POST /team/{link}/new-link", enter: anyone, do: teamPassage.renews},

	{pattern: "GET /people/emergency", enter: breakers, do: (*Site).chooseEmergency},
	{pattern: "POST /people/emergency", enter: breakers, do: (*Site).openEmergency},
	{pattern: "POST /people/{client}/emergency/closing", enter: breakers, do: (*Site).closeEmergency},
	{pattern: "POST /people/{client}/team", enter: inviters, do: (*Site).includeInTeam},
	{pattern: "POST /people/{client}/team/removal", enter: inviters, do: (*Site).excludeFromTeam},
}
