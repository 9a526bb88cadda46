package web

var joinRoutes, homeRoutes, peopleRoutes []route
