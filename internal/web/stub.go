package web

var doorRoutes, joinRoutes, homeRoutes, peopleRoutes, settingsRoutes []route
