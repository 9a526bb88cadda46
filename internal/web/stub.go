package web

var doorRoutes, peopleRoutes, settingsRoutes []route
