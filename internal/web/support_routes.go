package web

// supportRoutes are the console of those in support, the page of a letter they
// have sent, and the way out for who deletes their account.
var supportRoutes = []route{
	{pattern: "GET /support", enter: supporters, do: (*Site).showSupport},
	{pattern: "POST /support/accounts", enter: supporters, do: (*Site).lookUpAccount},
	{pattern: "POST /support/requests", enter: supporters, do: (*Site).askConversion},
	{pattern: "GET /support/requests/{request}", enter: supporters, do: (*Site).showRequest},
	{pattern: "POST /support/requests/{request}/approval", enter: supporters, do: (*Site).approveConversion},
	{pattern: "POST /support/requests/{request}/withdrawal", enter: supporters, do: (*Site).withdrawConversion},
	{pattern: "POST /support/recoveries", enter: supporters, do: (*Site).askRecoveryAsSupport},
	{pattern: "GET /support/recoveries/{recovery}", enter: supporters, do: (*Site).showLostStep},
	{pattern: "POST /support/recoveries/{recovery}/approval", enter: supporters, do: (*Site).approveRecoveryAsSupport},
	{pattern: "POST /support/recoveries/{recovery}/withdrawal", enter: supporters, do: (*Site).withdrawRecoveryAsSupport},
	{pattern: "POST /support/leaving", enter: supporters, do: (*Site).leaveSupport},

	{pattern: "GET /convert/{link}", enter: anyone, do: (*Site).showConvert},
	{pattern: "POST /convert/{link}/confirmation", enter: anyone, do: (*Site).confirmConversion},
	{pattern: "POST /convert/{link}/refusal", enter: anyone, do: (*Site).refuseConversion},

	{pattern: "GET /settings/leave", enter: signedIn, do: (*Site).showLeave},
	{pattern: "POST /settings/leave", enter: signedIn, do: (*Site).leave},
	{pattern: "GET /leaving", enter: departing, do: (*Site).showLeaving},
	{pattern: "POST /leaving/keep", enter: departing, do: (*Site).keepAccount},
}

// supportPlace is what POST /switch gets for support, which is in no practice.
const supportPlace = "support"
