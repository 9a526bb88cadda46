package web

import "icouch/internal/access"

// writers are those who have messages: clients, and who works in a practice.
// Whoever acts for a client has none.
func writers(a access.Actor) bool { return a.IsClient() && a.SignedIn() || a.AtWork() }

// messageRoutes are what is written: conversations, their messages, and what
// somebody chooses about them.
var messageRoutes = []route{
	{pattern: "GET /messages", enter: writers, do: (*Site).messages},
	{pattern: "POST /messages", enter: writers, do: (*Site).startConversation},
	{pattern: "GET /messages/new", enter: writers, do: (*Site).newConversation},
	{pattern: "POST /messages/new", enter: writers, do: (*Site).findPartner},
	{pattern: "GET /messages/search", enter: writers, do: (*Site).leaveMessageSearch},
	{pattern: "POST /messages/search", enter: writers, do: (*Site).searchMessages},
	{pattern: "GET /messages/unread", enter: writers, do: (*Site).unread},
	{pattern: "GET /messages/stream", enter: writers, do: (*Site).listStream},
	{pattern: "POST /messages/here", enter: writers, do: (*Site).useMessages, unlogged: true},

	{pattern: "GET /messages/{conversation}", enter: writers, do: (*Site).conversation},
	{pattern: "POST /messages/{conversation}", enter: writers, do: (*Site).sendMessage, kept: "A message", takes: mostSent},
	{pattern: "GET /messages/{conversation}/stream", enter: writers, do: (*Site).threadStream},
	{pattern: "GET /messages/{conversation}/print", enter: writers, do: (*Site).printConversation},
	{pattern: "POST /messages/{conversation}/read", enter: writers, do: (*Site).readMessages},
	{pattern: "POST /messages/{conversation}/draft", enter: writers, do: (*Site).keepDraft},
	{pattern: "POST /messages/{conversation}/typing", enter: writers, do: (*Site).typing},
	{pattern: "POST /messages/{conversation}/archive", enter: writers, do: (*Site).archiveConversation},
	{pattern: "GET /messages/{conversation}/{message}", enter: writers, do: (*Site).changeMessage},
	{pattern: "POST /messages/{conversation}/{message}", enter: writers, do: (*Site).editMessage},
	{pattern: "POST /messages/{conversation}/{message}/removal", enter: writers, do: (*Site).takeBackMessage},

	{pattern: "POST /messages/{conversation}/files", enter: writers, do: (*Site).beginFile},
	{pattern: "GET /messages/{conversation}/files/{file}", enter: writers, do: (*Site).openFile},
	{pattern: "GET /messages/{conversation}/files/{file}/preview", enter: writers, do: (*Site).previewFile},
	{pattern: "GET /messages/{conversation}/files/{file}/arrived", enter: writers, do: (*Site).fileArrived},
	{pattern: "POST /messages/{conversation}/files/{file}/part", enter: writers, do: (*Site).appendFile, takes: mostPart},
	{pattern: "POST /messages/{conversation}/files/{file}/removal", enter: writers, do: (*Site).dropFile},
	{pattern: "GET /f/{pass}", enter: anyone, blind: true, do: (*Site).fetchFile},

	{pattern: "POST /people/{client}/message", enter: inviters, do: (*Site).messageClient},
	{pattern: "POST /people/{client}/messages", enter: inviters, do: (*Site).closeMessages},

	{pattern: "GET /settings/messages", enter: writers, do: (*Site).messageSettings},
	{pattern: "POST /settings/messages", enter: writers, do: (*Site).setMessageSettings},
	{pattern: "POST /settings/messages/away", enter: atWork, do: (*Site).goAway},
	{pattern: "POST /settings/messages/back", enter: atWork, do: (*Site).endAway},
	{pattern: "POST /settings/messages/reply-time", enter: practiceHeads, do: (*Site).setReplyTime},
}
