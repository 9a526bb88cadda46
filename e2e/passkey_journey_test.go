package e2e

import (
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/webauthn"
)

// A passkey is added, signs in by itself, is the second step after a password,
// and signs nobody in once it is removed. The browser's own virtual
// authenticator stands for a phone.
func TestAPasskeyIsAddedUsedAndRemoved(t *testing.T) {
	onBothScreens(t, func(t *testing.T, width int64) {
		p := serve(t)
		p.found(t, miraName, mira, miraSecret, riverside)
		v := p.visitor(t, width)
		v.has(webauthn.VirtualAuthenticatorOptions{Protocol: "ctap2", Transport: "internal", HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true})
		v.signsIn(mira, miraSecret)
		v.open("/settings/security")
		v.pictured(200, "security")
		v.goes("Add a passkey")
		v.pictured(200, "security-passkey")
		v.goes("Add a passkey")
		v.sees("Enter a name by which you know it again")
		v.check(422)
		v.fill("Name of the passkey", "My phone")
		v.goes("Add a passkey")
		v.sees("The passkey is added", "My phone")
		v.check(200)

		v.comesAnew()
		v.open("/sign-in") // the browser offers it in the e-mail field, and here picks it at once
		v.until("the passkey that was offered to sign her in", `location.pathname === '/dashboard'`)

		v.offersNone()
		v.comesAnew()
		v.open("/sign-in")
		v.pictured(200, "security-sign-in")
		v.goes("Sign in with a passkey")
		v.at("/dashboard")

		v.comesAnew()
		v.open("/sign-in")
		v.fill("E-mail", mira)
		v.fill("Password", miraSecret)
		v.goes("Sign In")
		v.at("/sign-in/step")
		v.pictured(200, "security-step")
		v.goes("Use a passkey")
		v.at("/dashboard")

		v.open("/settings/security")
		v.goes("My phone")
		v.check(200)
		v.goes("Remove the passkey")
		v.sees("It is removed")
		v.seesNot("My phone")
		v.comesAnew()
		v.open("/sign-in")
		v.goes("Sign in with a passkey")
		v.sees("That passkey could not be used here")
		v.check(422)
	})
}

// has gives the browser a virtual authenticator.
func (v *visitor) has(options webauthn.VirtualAuthenticatorOptions) {
	v.t.Helper()
	v.do(command(webauthn.Enable, webauthn.EnableParams{}), command(webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &options}))
}

// offersNone is a browser that shows no passkeys by itself.
func (v *visitor) offersNone() {
	v.t.Helper()
	v.do(command(page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: `PublicKeyCredential.isConditionalMediationAvailable = async () => false`}))
}

// comesAnew forgets who was signed in, as a new browser would.
func (v *visitor) comesAnew() {
	v.t.Helper()
	v.do(command(network.ClearBrowserCookies, struct{}{}))
}

// at fails the test anywhere else.
func (v *visitor) at(path string) {
	v.t.Helper()
	if got := v.path(); got != path {
		v.t.Fatalf("at %s, want %s\n%s", got, path, v.where())
	}
}
