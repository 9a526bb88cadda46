package web

var doorRoutes, joinRoutes, homeRoutes, settingsRoutes []route
