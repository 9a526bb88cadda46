package web

// factorRoutes are the second step: showing it at sign-in, setting it up, and
// showing once more who one is before something that a thief would do first.
var factorRoutes = []route{
	{pattern: "GET /sign-in/step", enter: anyone, do: (*Site).showStep},
	{pattern: "POST /sign-in/step", enter: anyone, do: (*Site).takeStep},
	{pattern: "POST /sign-in/passkey", enter: anyone, do: (*Site).signInWithPasskey},

	{pattern: "POST /people/{client}/vouch", enter: vouchers, do: (*Site).vouch},
	{pattern: "GET /vouched/{link}", enter: anyone, do: (*Site).showVouched},
	{pattern: "POST /vouched/{link}", enter: anyone, do: (*Site).useVouched},

	{pattern: "GET /settings/second-step", enter: signedIn, do: (*Site).chooseStep},
	{pattern: "GET /settings/security", enter: signedIn, do: (*Site).showSecurity},
	{pattern: "GET /settings/authenticator", enter: signedIn, do: (*Site).showAuthenticator},
	{pattern: "POST /settings/authenticator", enter: signedIn, do: (*Site).setAuthenticator},
	{pattern: "GET /settings/authenticator/removal", enter: signedIn, do: (*Site).chooseRemoval},
	{pattern: "POST /settings/authenticator/removal", enter: signedIn, do: (*Site).removeAuthenticator},
	{pattern: "GET /settings/passkey", enter: signedIn, do: (*Site).showNewPasskey},
	{pattern: "POST /settings/passkey", enter: signedIn, do: (*Site).addPasskey},
	{pattern: "GET /settings/passkeys/{passkey}", enter: signedIn, do: (*Site).showPasskey},
	{pattern: "POST /settings/passkeys/{passkey}", enter: signedIn, do: (*Site).renamePasskey},
	{pattern: "POST /settings/passkeys/{passkey}/removal", enter: signedIn, do: (*Site).removePasskey},
	{pattern: "GET /settings/recovery-codes", enter: signedIn, do: (*Site).showRecovery},
	{pattern: "POST /settings/recovery-codes", enter: signedIn, do: (*Site).makeRecovery},
	{pattern: "GET /settings/prove", enter: signedIn, do: (*Site).showProve},
	{pattern: "POST /settings/prove", enter: signedIn, do: (*Site).proveAgain},
}
