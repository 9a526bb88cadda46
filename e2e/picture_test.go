package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/chromedp/chromedp"
)

// shot is a picture that is kept: of a page, on a screen, in a light.
type shot struct {
	page   string
	width  int64
	scheme string
}

// shots are the pages to look at before a release.
var shots = []shot{
	{"invite-front", desktop, "light"},
	{"invite-sign-up", desktop, "light"},
	{"invite-sign-up-wrong", phone, "light"},
	{"invite-confirm", phone, "dark"},
	{"invite-dashboard", desktop, "light"},
	{"invite-dashboard", phone, "dark"},
	{"invite-new-client", desktop, "dark"},
	{"invite-new-client", phone, "light"},
	{"invite-join", phone, "light"},
	{"invite-join", desktop, "dark"},
	{"invite-join-wrong", phone, "dark"},
	{"invite-welcome", phone, "light"},
	{"invite-client-home", phone, "light"},
	{"invite-client-home", desktop, "dark"},
	{"links-replaced", phone, "light"},
	{"links-accept", desktop, "light"},
	{"links-somebody-else", phone, "light"},
	{"links-places", phone, "light"},
	{"people-list", desktop, "light"},
	{"people-list", phone, "light"},
	{"people-list", phone, "dark"},
	{"people-chosen", desktop, "dark"},
	{"people-none", phone, "light"},
	{"people-client", desktop, "light"},
	{"people-import-preview", desktop, "light"},
	{"people-import-preview", phone, "light"},
	{"people-end-care", phone, "light"},
	{"account-settings", desktop, "light"},
	{"account-settings-email", phone, "light"},
	{"account-signed-out", phone, "light"},
	{"invite-second-step", desktop, "light"},
	{"invite-authenticator", phone, "dark"},
	{"invite-authenticator", desktop, "light"},
	{"invite-recovery-codes", phone, "light"},
	{"invite-recovery-codes", desktop, "dark"},
	{"security", desktop, "light"},
	{"security", phone, "dark"},
	{"security-passkey", phone, "light"},
	{"security-step", phone, "light"},
	{"security-step", desktop, "dark"},
	{"security-sign-in", phone, "light"},
}

// tallest is how much of a long page a picture shows.
const tallest = 1400

// drawn is true when all letters are there, and what changed has been drawn.
const drawn = `Promise.all([document.fonts.ready, new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))]).then(() => true)`

// picture writes the pictures of a page that are kept, if they are asked for. A
// visitor with a keyboard or without scripts takes none: theirs would be the same.
func (v *visitor) picture(name string) {
	v.t.Helper()
	if !*update || v.keys || !v.scripts {
		return
	}
	for _, scheme := range []string{"light", "dark"} {
		if !slices.Contains(shots, shot{name, v.width, scheme}) {
			continue
		}
		height := min(tallest, max(ask[int64](v, `document.documentElement.scrollHeight`), 700))
		v.do(v.light(scheme), v.window(v.width, height))
		ask[bool](v, drawn)
		picture, err := chromedp.Run(v.ctx, chromedp.CaptureScreenshot())
		if err != nil {
			v.t.Fatal(err)
		}
		v.do(v.light("light"), v.screen(v.width))
		file := filepath.Join("pictures", fmt.Sprintf("%s-%d-%s.png", name, v.width, scheme))
		if err := os.MkdirAll("pictures", 0o755); err != nil {
			v.t.Fatal(err)
		}
		if err := os.WriteFile(file, picture, 0o644); err != nil {
			v.t.Fatal(err)
		}
	}
}
