package e2e

import (
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

func TestADeadLinkSaysWhatBecameOfItAndOffersANewOne(t *testing.T) {
	onBothScreens(t, func(t *testing.T, width int64) {
		p := serve(t)
		her := p.found(t, miraName, mira, miraSecret, riverside)
		annies, vinces := her.client("Annie", "Noda", annie, true), her.client("Vince", "Gill", vince, true)
		her.client("David", "", david, true)
		replaced, withdrawn, used := p.link(t, annie, "/join/", 1), p.link(t, vince, "/join/", 1), p.link(t, david, "/join/", 1)
		her.http.CheckRedirect = nil // the answer is a page
		copied, err := her.http.Post(p.base+annies+"/invitation/link", "application/x-www-form-urlencoded", nil)
		if err != nil || copied.StatusCode != 200 {
			t.Fatalf("copying a link: %v, %v", copied, err)
		}
		_ = copied.Body.Close()
		her.http.CheckRedirect = noRedirect
		her.post(vinces + "/invitation/withdrawal")
		p.accept(t, used, vinceSecret)

		v := p.visitor(t, width)
		v.open(replaced)
		v.sees("There is a newer link")
		v.seesNot("Annie", annie)
		v.pictured(410, "links-replaced")
		v.goes("Send me a new link")
		v.sees("Check your e-mail", "If this address was invited") // nothing comes: less than a minute ago one was made
		v.check(200)

		v.open(withdrawn)
		v.sees("This invitation was withdrawn", "Your practice will be asked first.")
		v.pictured(410, "links-withdrawn")
		v.goes("Send me a new link")
		v.sees("Your practice is asked first")
		if page := her.get(vinces); !contains(page, "They asked for a new link") {
			t.Error("the practitioner does not learn that a new link was asked for")
		}

		v.open(used)
		v.sees("This invitation was used")
		v.seesNot("David", david)
		v.check(410)
		v.goes("Send me a new link")
		v.sees("Check your e-mail")
		p.link(t, david, "/sign-in", 1) // they have an account: the way to it is what they get

		v.open("/join/" + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
		v.sees("This link does not work any more")
		v.check(404)
		v.fill("E-mail", "annie at home")
		v.goes("Send me a new link")
		v.sees("There is a problem")
		if got := v.value("E-mail"); got != "annie at home" {
			t.Errorf("what was typed is now %q", got)
		}
		v.check(422)
		v.fill("E-mail", "nobody@example.org")
		v.goes("Send me a new link")
		v.sees("Check your e-mail", "If this address was invited")
		if letters := p.letters(t, "nobody@example.org"); letters != nil {
			t.Error("somebody who was never invited got a letter")
		}
	})
}

func TestSomebodyWithAnAccountAcceptsASecondPractice(t *testing.T) {
	onBothScreens(t, func(t *testing.T, width int64) {
		p := serve(t)
		p.found(t, miraName, mira, miraSecret, riverside).client("Vince", "Gill", vince, true)
		p.accept(t, p.link(t, vince, "/join/", 1), vinceSecret)
		next := p.found(t, inesName, ines, inesSecret, harbor)
		next.client("Vince", "Gill", vince, true)
		next.client("Annie", "Noda", annie, true)

		v := p.visitor(t, width)
		second := p.link(t, vince, "/join/", 2)
		v.open(second)
		v.sees(harbor)
		v.seesNot(riverside, miraName)
		v.goes("I already have an account")
		v.sees("Sign in to accept")
		v.check(200)
		v.fill("Password", anotherSecret)
		v.goes("Sign In")
		v.sees("There is a problem")
		v.check(422)
		v.fill("Password", vinceSecret)
		v.goes("Sign In")
		v.sees("You are signed in as", harbor)
		v.seesNot(riverside)
		v.pictured(200, "links-accept")
		v.goes("Accept")
		v.sees("How to reach "+inesName, "You are looking at")
		v.pictured(200, "links-two-places")
		v.choose("You are looking at", ask[string](v, `[...document.querySelectorAll('#place option')].find(o => o.label.includes('`+riverside+`')).value`))
		v.goes("Switch")
		v.sees("How to reach " + miraName)
		v.check(200)
		v.open("/places")
		v.sees("Your places", riverside, harbor)
		v.pictured(200, "links-places")

		annies := p.link(t, annie, "/join/", 1)
		v.open(annies)
		v.sees("You are signed in as", "The invitation is for", "Annie Noda")
		v.pictured(200, "links-somebody-else")
		v.goes("Stay")
		v.sees("How to reach " + miraName)
		v.open(annies)
		v.goes("Switch account")
		v.sees("Create your account", "Annie Noda")
		v.seesNot("Vince")
		v.check(200)
	})
}

// A mail filter opens each link in a browser of its own, several times, and
// presses what it finds. It types nothing.
func TestAMailFilterThatPressesEveryButtonUsesNothingUp(t *testing.T) {
	t.Parallel()
	p := serve(t)
	her := p.found(t, miraName, mira, miraSecret, riverside)
	annies := her.client("Annie", "Noda", annie, true)
	link := p.link(t, annie, "/join/", 1)
	for range 3 {
		filter := p.visitor(t, desktop)
		filter.open(link)
		pressed := 0
		for n := 0; ; n++ {
			if n > 0 {
				filter.open(link)
			}
			const next = `(n => { const all = [...document.querySelectorAll('button')].filter(b => b.checkVisibility()); all[n]?.scrollIntoView({ block: 'center' }); return all.length })(%d)`
			if n >= ask[int](filter, fmt.Sprintf(next, n)) {
				break
			}
			submits := ask[bool](filter, fmt.Sprintf(`[...document.querySelectorAll('button')].filter(b => b.checkVisibility())[%d].type === 'submit'`, n))
			click := chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`[...document.querySelectorAll('button')].filter(b => b.checkVisibility())[%d].click()`, n))
			if submits {
				filter.loaded(click)
			} else {
				filter.do(click)
			}
			pressed++
		}
		if pressed < 2 {
			t.Fatalf("%d buttons were pressed, want to show the password and to sign up", pressed)
		}
		if c := filter.cookies(); c != nil {
			t.Errorf("the filter has the cookies %v", c)
		}
		filter.stop()
	}
	v := p.visitor(t, phone)
	v.open(link)
	v.sees("Create your account", "Annie Noda")
	if page := her.get(annies); !contains(page, "Re-Send") || contains(page, "Replaced") || contains(page, "Used ") {
		t.Error("to the practitioner the invitation is not as it was")
	}
	if n := len(p.letters(t, annie)); n != 1 {
		t.Errorf("%d letters went to the client, want the first alone", n)
	}
	v.fill("Choose a password", annieSecret)
	v.goes("Sign Up")
	v.sees("Your time zone")
	if c := v.cookies(); len(c) == 0 {
		t.Error("a client who signs up has no cookie: that a filter has none proves nothing")
	}
}

// cookies are the names of those that the browser would send.
func (v *visitor) cookies() (all []string) {
	v.t.Helper()
	got, err := chromedp.Call(v.ctx, network.GetCookies, network.GetCookiesParams{URLs: []string{v.base + "/"}})
	if err != nil {
		v.t.Fatal(err)
	}
	for _, c := range got.Cookies {
		all = append(all, c.Name)
	}
	return all
}
