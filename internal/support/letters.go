package support

import (
	"icouch/internal/base/secret"
	"icouch/internal/letter"
)

// The words of the letters. None names a practice, and none changes anything by
// being opened.

func body(subject string, parts ...letter.Part) letter.Body {
	parts = append([]letter.Part{{Text: "Hello,"}}, parts...)
	return letter.Body{Subject: subject, Parts: append(parts,
		letter.Part{Text: "We never ask by e-mail for a password, a card or personal details."},
		letter.Part{Text: "Please do not answer this e-mail. Nobody reads that address."},
		letter.Part{Sign: letter.Brand})}
}

func press(label, path string) letter.Part {
	return letter.Part{Button: &letter.Button{Label: label, URL: letter.Base + path}}
}

func appointedBody() letter.Body {
	return body("You are in support now",
		letter.Part{Text: "Whoever runs this installation of " + letter.Brand + " has made you one of its supporters. Sign in as before and choose the place “Support”."},
		press("Sign In", "/sign-in"),
		letter.Part{Text: "Were you not told of this? Please ask whoever runs the installation."})
}

func dismissedBody() letter.Body {
	return body("You are not in support any more",
		letter.Part{Text: "Whoever runs this installation of " + letter.Brand + " has ended your part in its support. Your account and everything else in it stay as they are."})
}

func askedBody(token secret.Token) letter.Body {
	return body("Shall we put your account right?",
		letter.Part{Text: "Support was told that you meant to be a client, and have a practitioner’s account with an empty practice instead. We can put that right: the empty practice goes, and your account becomes a client’s. Your password, your name and everything of your own stay."},
		letter.Part{Text: "Nothing happens until you say so. Sign in as before, then open this link to read what will change and to decide:"},
		press("Read and decide", "/convert/"+token.Reveal()),
		letter.Part{Text: "The link works for 7 days. On its page you can also say that this is not what you want."},
		letter.Part{Text: "Was this not you, or do you work as a practitioner? Open the link and choose “This was not me”, or do nothing: it ends by itself."})
}

func doneBody(linked bool) letter.Body {
	next := "No invitation waits for your address just now, so nothing is open to you yet. Ask your practice to invite you with this address; then open the link in its letter and sign in."
	if linked {
		next = "The invitation that waited for your address is accepted: sign in, and you are in the place your practice opened for you."
	}
	return body("We have put your account right",
		letter.Part{Text: "Your account on " + letter.Brand + " is a client’s from now on. The empty practice was put away. Your password, your name and everything of your own are as they were. You were signed out everywhere."},
		letter.Part{Text: next},
		press("Sign In", "/sign-in"),
		letter.Part{Text: "Is something missing, or was this not what you wanted? Use “Still Need Help?” on any page."})
}

func stoppedBody() letter.Body {
	return body("Your account stays as it is",
		letter.Part{Text: "The request to make your account on " + letter.Brand + " a client’s has been taken back. Nothing was changed, and the link we sent no longer works."},
		letter.Part{Text: "Do you still need it? Use “Still Need Help?” on any page."})
}
