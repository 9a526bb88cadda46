package web

var peopleRoutes []route
