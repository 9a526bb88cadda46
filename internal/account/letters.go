package account

import (
	"icouch/internal/access"
	"icouch/internal/base/email"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/base/text"
	"icouch/internal/letter"
	"icouch/internal/platform/db"
)

// The words of the letters. None says anything of a practice, and none changes
// anything by being opened: each button leads to a page with one of its own.

func linkTo(page string, token secret.Token) string {
	return letter.Base + "/" + page + "/" + token.Reveal()
}

func draft(k letter.Kind, to email.Address, a id.Account, b letter.Body) letter.Draft {
	return letter.Draft{Kind: k, To: to, FromName: letter.Brand, Body: b, Account: a}
}

// send has a letter carried out for the installation, not for a practice.
func send(tx *db.Tx, by access.Actor, d letter.Draft) error {
	_, err := letter.Send(tx, outside(by), d)
	return err
}

func sendPasswordChanged(tx *db.Tx, by access.Actor, a Account) error {
	return send(tx, by, draft(letter.Security, a.Email, a.ID, passwordChangedBody(a.called())))
}

// Warn writes to the person of an account that something about its safety has
// changed. It goes out at least once.
func Warn(tx *db.Tx, by access.Actor, a Account, subject string, parts ...letter.Part) error {
	return send(tx, by, draft(letter.Security, a.Email, a.ID, body(subject, a.called(), append(parts, letter.Part{Text: neverAsk})...)))
}

// called is how a letter greets the person: by name only if the mailbox is
// known to be theirs. Else a name could be a stranger's message to it.
func (a Account) called() string {
	if !a.Verified {
		return ""
	}
	return a.Name
}

const (
	notYou   = "Was this not you? You need not do anything. Nothing changes unless somebody uses the link, and it ends by itself."
	noAnswer = "Please do not answer this e-mail. Nobody reads that address."
	neverAsk = "We never ask by e-mail for a password, a card or personal details."
)

func body(subject, name string, parts ...letter.Part) letter.Body {
	hello := "Hello,"
	if name != "" {
		hello = "Hello " + text.StripLinks(name) + "," // a practice may have typed it
	}
	parts = append([]letter.Part{{Text: hello}}, parts...)
	return letter.Body{Subject: subject, Parts: append(parts, letter.Part{Text: noAnswer}, letter.Part{Sign: letter.Brand})}
}

func press(label, url string) letter.Part {
	return letter.Part{Button: &letter.Button{Label: label, URL: url}}
}

// signUpBody greets nobody by name: what stands there was typed by whoever
// filled in the page, and the address may be a stranger's.
func signUpBody(token secret.Token) letter.Body {
	return body("Confirm your e-mail address", "",
		letter.Part{Text: "Somebody, probably you, wants to set up a practice on " + letter.Brand + " with this e-mail address. Open the link to confirm the address and choose a password."},
		press("Confirm", linkTo("confirm", token)),
		letter.Part{Text: "The link works for 24 hours, and once."},
		letter.Part{Text: "Are you a client? Then you do not need this. Your practice sends you an invitation of its own."},
		letter.Part{Text: "Was this not you? You need not do anything. No account exists until a password is chosen, and the link ends by itself."},
		letter.Part{Text: neverAsk})
}

func haveAccountBody() letter.Body {
	return body("You already have an account", "",
		letter.Part{Text: "Somebody, probably you, entered this e-mail address on " + letter.Brand + " for an account. It has one already, so nothing was changed."},
		press("Sign In", letter.Base+"/sign-in"),
		letter.Part{Text: "If you do not remember the password, choose “Forgot password?” on that page. To set up a practice of your own, sign in and choose “Set up a practice” in Settings."},
		letter.Part{Text: "Was this not you? You need not do anything. Nobody was told that you have an account."},
		letter.Part{Text: neverAsk})
}

func resetBody(name string, token secret.Token) letter.Body {
	return body("Choose a new password", name,
		letter.Part{Text: "You asked for a new password. Open the link to choose one."},
		press("Choose a password", linkTo("reset", token)),
		letter.Part{Text: "The link works for 30 minutes, and once. If you asked several times, only the newest link works."},
		letter.Part{Text: "Was this not you? You need not do anything. Your password stays as it is, and the link ends by itself."},
		letter.Part{Text: neverAsk})
}

func newEmailBody(token secret.Token) letter.Body {
	return body("Confirm your new e-mail address", "",
		letter.Part{Text: "Somebody, probably you, wants to sign in to " + letter.Brand + " with this e-mail address from now on. Sign in as before, then open the link to confirm it."},
		press("Confirm", linkTo("email", token)),
		letter.Part{Text: "The link works for 24 hours, and once. Until then the address you have now stays as it is."},
		letter.Part{Text: notYou},
		letter.Part{Text: neverAsk})
}

func oldEmailBody(name string, back secret.Token) letter.Body {
	return body("Your sign-in e-mail was changed", name,
		letter.Part{Text: "From now on you sign in to " + letter.Brand + " with another e-mail address. This one is not used any more."},
		letter.Part{Text: "If you did this, there is nothing to do. If you did not, you can take it back within 7 days:"},
		press("Check this change", linkTo("email-back", back)),
		letter.Part{Text: "That puts this address back, signs everybody out, and lets you choose a new password."},
		letter.Part{Text: neverAsk})
}

// oldEmailLaterBody is for a second change while the first can be taken back.
func oldEmailLaterBody(name string) letter.Body {
	return body("Your sign-in e-mail was changed", name,
		letter.Part{Text: "From now on you sign in to " + letter.Brand + " with another e-mail address. This one is not used any more."},
		letter.Part{Text: "If you did this, there is nothing to do. If you did not: the address was changed once before in these days, and the e-mail sent to the address of that time has a link that takes both changes back. If you cannot open it, use “Still Need Help?” on any page."},
		letter.Part{Text: neverAsk})
}

func verifyBody(token secret.Token) letter.Body {
	return body("Confirm your e-mail address", "",
		letter.Part{Text: "An account on " + letter.Brand + " was made with this e-mail address. If it is yours, sign in, then open the link to confirm that our e-mails reach you."},
		press("Confirm", linkTo("verify", token)),
		letter.Part{Text: "The link works for 7 days, and once."},
		letter.Part{Text: "Was this not you? Please leave the link alone; it ends by itself."},
		letter.Part{Text: neverAsk})
}

func passwordChangedBody(name string) letter.Body {
	return body("Your password was changed", name,
		letter.Part{Text: "The password of your account on " + letter.Brand + " was changed just now, and other devices were signed out."},
		letter.Part{Text: "If you did this, there is nothing to do. If you did not, open the sign-in page at once and choose “Forgot password?”. The new password that you choose there signs everybody else out."},
		press("Sign In", letter.Base+"/sign-in"),
		letter.Part{Text: neverAsk})
}

func revertedBody(name string) letter.Body {
	return body("Your sign-in e-mail was put back", name,
		letter.Part{Text: "You sign in to " + letter.Brand + " with this e-mail address again. Everybody was signed out."},
		letter.Part{Text: "The password may be known to somebody else, so it does not work any more. Open the sign-in page and choose “Forgot password?” to get a new one."},
		press("Sign In", letter.Base+"/sign-in"),
		letter.Part{Text: neverAsk})
}

func newBrowserBody(name, browser string) letter.Body {
	if browser == "" {
		browser = "a browser we do not know"
	}
	return body("Somebody signed in to your account from a new browser", name,
		letter.Part{Text: "Somebody signed in to your account on " + letter.Brand + " just now, from a browser that has not signed in to it before: " + browser + "."},
		letter.Part{Text: "If this was you, there is nothing to do. If it was not, open the sign-in page at once and choose “Forgot password?”. The new password that you choose there signs everybody else out."},
		press("Sign In", letter.Base+"/sign-in"),
		letter.Part{Text: neverAsk})
}

func leavingBody(name, day string) letter.Body {
	return body("Your account is to be deleted", name,
		letter.Part{Text: "You asked us to delete your account on " + letter.Brand + ". That happens on " + day + ", or the day after. Until then you can change your mind: sign in as before, and choose to keep it."},
		press("Sign In", letter.Base+"/sign-in"),
		letter.Part{Text: "Your way of signing in goes, and whatever is yours alone. What a practice has recorded about you is its record: the law has it keep that, and it stays there without your account."},
		letter.Part{Text: "Was this not you? Sign in, choose to keep the account, then change your password."},
		letter.Part{Text: neverAsk})
}

func keptBody(name string) letter.Body {
	return body("Your account stays", name,
		letter.Part{Text: "Your account on " + letter.Brand + " is not deleted. Everything in it is as it was."},
		letter.Part{Text: "Was this not you? Sign in and change your password."},
		press("Sign In", letter.Base+"/sign-in"),
		letter.Part{Text: neverAsk})
}

func neededBody(name string) letter.Body {
	return body("Your account could not be deleted", name,
		letter.Part{Text: "You asked us to delete your account on " + letter.Brand + ". By now you are the last owner of a practice that has clients or colleagues, so we have left everything as it was."},
		letter.Part{Text: "Sign in and make a colleague an owner. Then you can delete your account again."},
		press("Sign In", letter.Base+"/sign-in"),
		letter.Part{Text: neverAsk})
}

func goneBody() letter.Body {
	return body("Your account has been deleted", "",
		letter.Part{Text: "Your account on " + letter.Brand + " is gone, as you asked. Your name and this address are not kept with it any more. This is our last letter about it."},
		letter.Part{Text: "What a practice has recorded about you stays with that practice. To ask about it, write to the practice."})
}
