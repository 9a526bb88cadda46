package web

import (
	"net/http"
	"slices"

	"icouch/internal/access"
)

// rule says who may enter. Whoever may not is told that there is nothing here.
type rule func(access.Actor) bool

func anyone(access.Actor) bool       { return true }
func signedIn(a access.Actor) bool   { return a.SignedIn() }
func inside(a access.Actor) bool     { return a.SignedIn() && a.Role() != access.Waiting }
func placed(a access.Actor) bool     { return a.MayHavePlaces() }
func atWork(a access.Actor) bool     { return a.AtWork() }
func inviters(a access.Actor) bool   { return a.AtWork() && a.MayInvite() }
func exporters(a access.Actor) bool  { return a.AtWork() && a.MayExport() }
func supporters(a access.Actor) bool { return a.Role() == access.Support && a.MaySupport() }
func departing(a access.Actor) bool  { return a.IsLeaving() }
func practiceHeads(a access.Actor) bool {
	return a.Role() == access.Owner || a.Role() == access.Administrator
}

// route is one address: what it is, who may enter, and what it does.
type route struct {
	pattern  string
	enter    rule
	do       func(*Site, http.ResponseWriter, *http.Request, access.Actor) error
	big      bool   // takes a file
	takes    int64  // bytes at most, if neither is right
	unlogged bool   // leaves no line in the log, unless it fails; and that without who it was
	blind    bool   // looks at no cookie: the address itself says who may
	kept     string // what somebody writes here, in words, if it is kept when their session has ended; see kept.go
}

// What a form may hold at most.
const (
	formSize = 64 << 10
	fileSize = 8 << 20
)

func (rt route) size() int64 {
	if rt.takes > 0 {
		return rt.takes
	}
	if rt.big {
		return fileSize
	}
	return formSize
}

// routes is the whole map of the site.
var routes = slices.Concat(messageRoutes, contactRoutes, jointRoutes, doorRoutes, joinRoutes, homeRoutes, peopleRoutes, settingsRoutes, sessionRoutes, factorRoutes, teamRoutes, supportRoutes, trailRoutes)
