package contact

import (
	"icouch/internal/letter"
)

// The words of the letters. No client is ever named in one, nor what a contact
// may open.

const noAnswer = "Please do not answer this e-mail. Nobody reads that address."

// words are what a contact's invitation says.
type words struct {
	practice, inviter, hello, address, until string
	again                                    bool
	link, choices                            string
}

func invitationBody(w words) letter.Body {
	b := letter.Body{Subject: "Your invitation to " + letter.Brand + " from " + w.practice}
	say := func(p letter.Part) { b.Parts = append(b.Parts, p) }
	if w.again {
		say(letter.Part{Text: "Here is a new link. The one before it no longer works."})
	}
	say(letter.Part{Text: "Hello " + w.hello + ","})
	say(letter.Part{Text: w.inviter + " at " + w.practice + " invites you to " + letter.Brand + ", a private place to keep in touch with the practice, on behalf of somebody else. It costs you nothing. For whom it is, and what you can do there, you see after signing in."})
	say(letter.Part{Button: &letter.Button{Label: "Open the invitation", URL: w.link}})
	say(letter.Part{Text: "If you have no account yet, you only choose a password. If you have one, you sign in and accept. The link is meant for " + w.address + ". It works until " + w.until + "."})
	say(letter.Part{Text: "How to know that this e-mail is real:"})
	say(letter.Part{List: []string{
		"the link opens " + letter.Host + "; look for that name in the address bar",
		"we never ask by e-mail for a password, a card or personal details",
		"if in doubt, leave the link alone and ask " + w.inviter + ", at the number that you already have",
	}})
	say(letter.Part{Text: "Was this not meant for you? You need not do anything. Nothing happens until somebody accepts, and the link ends by itself. To get no more of these: " + w.choices})
	say(letter.Part{Text: noAnswer})
	say(letter.Part{Sign: w.practice})
	return b
}

func acceptedLetter() letter.Body {
	return letter.Body{Subject: "An invitation was accepted", Parts: []letter.Part{
		{Text: "A contact of a client’s, whom you invited to " + letter.Brand + ", can now sign in. Sign in to see who it is."},
		{Button: &letter.Button{Label: "See it", URL: letter.Base + "/people"}},
		{Text: noAnswer},
		{Sign: letter.Brand},
	}}
}

func askedLetter() letter.Body {
	return letter.Body{Subject: "Somebody asks for a new invitation", Parts: []letter.Part{
		{Text: "A contact of a client’s, whose invitation to " + letter.Brand + " was withdrawn, asks for a new link. Nothing was sent to them. Sign in to see who it is, and press Re-Send if that is right."},
		{Button: &letter.Button{Label: "See it", URL: letter.Base + "/people"}},
		{Text: noAnswer},
		{Sign: letter.Brand},
	}}
}

func endAskedLetter() letter.Body {
	return letter.Body{Subject: "A client asks you to end somebody's access", Parts: []letter.Part{
		{Text: "A client you look after on " + letter.Brand + " asks that somebody else’s access to their record ends. Nothing has changed yet. Sign in to see who it is: their page says so under “Contacts”."},
		{Button: &letter.Button{Label: "See it", URL: letter.Base + "/people"}},
		{Text: noAnswer},
		{Sign: letter.Brand},
	}}
}

func beganLetter(practice string) letter.Body {
	return letter.Body{Subject: "Your access has begun", Parts: []letter.Part{
		{Text: "From today you can open at " + practice + " on " + letter.Brand + " what the practice has opened to you on behalf of somebody else. Sign in to see it."},
		{Button: &letter.Button{Label: "Sign in", URL: letter.Base + "/dashboard"}},
		{Text: noAnswer},
		{Sign: practice},
	}}
}

func endedLetter(practice string) letter.Body {
	return letter.Body{Subject: "Your access has ended", Parts: []letter.Part{
		{Text: "What " + practice + " had opened to you on " + letter.Brand + " on behalf of somebody else is closed from now on, as was laid down. You need not do anything. Your own account stays yours, with whatever else it opens."},
		{Text: "If you think that this is a mistake, ask the practice, at the number that you already have."},
		{Text: noAnswer},
		{Sign: practice},
	}}
}
