package web

import "icouch/internal/access"

func clients(a access.Actor) bool   { return a.SignedIn() && a.IsClient() }
func reviewers(a access.Actor) bool { return a.May(access.ReviewTrail) }

// trailRoutes are the trail as it is read: by the client whose record it is
// about, and by who runs the practice.
var trailRoutes = []route{
	{pattern: "GET /record/access", enter: clients, do: (*Site).ownAccess},
	{pattern: "GET /people/{client}/access", enter: trailers, do: (*Site).clientAccess},
	{pattern: "GET /settings/trail", enter: trailers, do: (*Site).trail},
	{pattern: "POST /settings/trail/export", enter: trailers, do: (*Site).exportTrail},
	{pattern: "GET /settings/trail/weeks", enter: trailers, do: (*Site).weeks},
	{pattern: "POST /settings/trail/weeks", enter: reviewers, do: (*Site).reviewWeek},
}
