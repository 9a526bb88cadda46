package web

// peopleRoutes are the clients of a practice: the list, each of them, and how
// they come and go.
var peopleRoutes = []route{
	{pattern: "GET /people", enter: atWork, do: (*Site).people},
	{pattern: "GET /people/stream", enter: atWork, do: (*Site).stateStream},
	{pattern: "GET /people/search", enter: atWork, do: (*Site).leaveSearch},
	{pattern: "POST /people/search", enter: atWork, do: (*Site).searchPeople},
	{pattern: "GET /people/new", enter: inviters, do: (*Site).newClient},
	{pattern: "POST /people", enter: inviters, do: (*Site).createClient, kept: "A new client"},

	{pattern: "GET /people/import", enter: inviters, do: (*Site).chooseImport},
	{pattern: "GET /people/import/example.csv", enter: inviters, do: (*Site).importExample},
	{pattern: "POST /people/import/preview", enter: inviters, do: (*Site).previewImport, big: true},
	{pattern: "POST /people/import", enter: inviters, do: (*Site).importClients, big: true},
	{pattern: "POST /people/export", enter: exporters, do: (*Site).exportClients},

	{pattern: "POST /people/invitations", enter: inviters, do: (*Site).reviewInvitations},
	{pattern: "POST /people/invitations/sent", enter: inviters, do: (*Site).inviteMany},

	{pattern: "GET /people/{client}", enter: atWork, do: (*Site).client},
	{pattern: "GET /people/{client}/edit", enter: inviters, do: (*Site).changeClient},
	{pattern: "POST /people/{client}/edit", enter: inviters, do: (*Site).editClient, kept: "A change to a client’s details"},
	{pattern: "POST /people/{client}/consent", enter: inviters, do: (*Site).consent},
	{pattern: "GET /people/{client}/end", enter: inviters, do: (*Site).chooseEnd},
	{pattern: "POST /people/{client}/end", enter: inviters, do: (*Site).endCare, kept: "The end of a client’s care"},
	{pattern: "POST /people/{client}/return", enter: inviters, do: (*Site).resumeCare},

	{pattern: "GET /people/{client}/invitation", enter: inviters, do: (*Site).leaveInvitation},
	{pattern: "GET /people/{client}/invitation/preview", enter: inviters, do: (*Site).leaveInvitation},
	{pattern: "GET /people/{client}/invitation/link", enter: inviters, do: (*Site).leaveInvitation},
	{pattern: "POST /people/{client}/invitation", enter: inviters, do: (*Site).inviteClient, kept: "An invitation"},
	{pattern: "POST /people/{client}/invitation/sendings", enter: inviters, do: (*Site).resendInvitation, kept: "An invitation"},
	{pattern: "POST /people/{client}/invitation/preview", enter: inviters, do: (*Site).previewInvitation},
	{pattern: "POST /people/{client}/invitation/withdrawal", enter: inviters, do: (*Site).withdrawInvitation},
	{pattern: "POST /people/{client}/invitation/link", enter: inviters, do: (*Site).copyLink},
}
