package team

import (
	"strconv"

	"icouch/internal/base/at"
	"icouch/internal/base/civil"
	"icouch/internal/base/text"
	"icouch/internal/letter"
	"icouch/internal/people"
)

// The words of the letters. No client's name is ever in one.

const noAnswer = "Please do not answer this e-mail. Nobody reads that address."

// words are what a colleague's invitation says.
type words struct {
	practice, inviter, hello, address, role, until string
	again                                          bool
	link, choices                                  string
}

func invitationBody(w words) letter.Body {
	b := letter.Body{Subject: text.StripLinks(w.inviter) + " invites you to work in " + text.StripLinks(w.practice) + " on " + letter.Brand}
	say := func(p letter.Part) { b.Parts = append(b.Parts, p) }
	if w.again {
		say(letter.Part{Text: "Here is a new link. The one before it no longer works."})
	}
	say(letter.Part{Text: "Hello " + text.StripLinks(w.hello) + ","})
	say(letter.Part{Text: text.StripLinks(w.inviter) + " invites you to work in " + text.StripLinks(w.practice) + " on " + letter.Brand + ", as " + w.role + "."})
	say(letter.Part{Button: &letter.Button{Label: "Join the practice", URL: w.link}})
	say(letter.Part{Text: "If you have no account yet, you only choose a password. If you have one, you sign in and accept. The link is meant for " + w.address + ". It works until " + w.until + "."})
	say(letter.Part{Text: "How to know that this e-mail is real:"})
	say(letter.Part{List: []string{
		"the link opens " + letter.Host + "; look for that name in the address bar",
		"we never ask by e-mail for a password, a card or personal details",
		"if in doubt, leave the link alone and ask " + text.StripLinks(w.inviter) + ", at the number that you already have",
	}})
	say(letter.Part{Text: "Was this not meant for you? You need not do anything. Nothing happens until somebody accepts, and the link ends by itself. To get no more of these: " + w.choices})
	say(letter.Part{Text: noAnswer})
	say(letter.Part{Sign: text.StripLinks(w.practice)})
	return b
}

func acceptedLetter(practice string) letter.Body {
	return letter.Body{Subject: "A colleague has joined", Parts: []letter.Part{
		{Text: "A colleague you invited now works in " + text.StripLinks(practice) + " on " + letter.Brand + ". Sign in to see who it is."},
		{Button: &letter.Button{Label: "See it", URL: letter.Base + "/settings/team"}},
		{Text: noAnswer},
		{Sign: letter.Brand},
	}}
}

func askedLetter(practice string) letter.Body {
	return letter.Body{Subject: "A colleague asks for a new invitation", Parts: []letter.Part{
		{Text: "Somebody whose invitation to work in " + text.StripLinks(practice) + " was withdrawn asks for a new link. Nothing was sent to them. Sign in to see who it is, and press Re-Send if that is right."},
		{Button: &letter.Button{Label: "See it", URL: letter.Base + "/settings/team"}},
		{Text: noAnswer},
		{Sign: letter.Brand},
	}}
}

func handedOverLetter(practice string, from, heir people.Practitioner, n int, toHeir bool) letter.Body {
	clients, theirs := strconv.Itoa(n)+" clients", "them"
	if n == 1 {
		clients, theirs = "One client", "that client"
	}
	was := " was"
	if n > 1 {
		was = " were"
	}
	did := clients + " of yours in " + text.StripLinks(practice) + was + " handed over to " + text.StripLinks(heir.Name) + ", who looks after " + theirs + " from now on."
	if toHeir {
		did = clients + " of " + text.StripLinks(from.Name) + " in " + text.StripLinks(practice) + was + " handed over to you. You look after " + theirs + " from now on."
	}
	return letter.Body{Subject: "Clients were handed over", Parts: []letter.Part{
		{Text: did + " Sign in to see your clients."},
		{Button: &letter.Button{Label: "See your clients", URL: letter.Base + "/people"}},
		{Text: noAnswer},
		{Sign: letter.Brand},
	}}
}

func emergencyLetter(practice people.Practice, who string, when at.Time) letter.Body {
	return letter.Body{Subject: "A record was opened in an emergency", Parts: []letter.Part{
		{Text: text.StripLinks(who) + " opened the record of a colleague’s client in " + text.StripLinks(practice.Name) + ", on " +
			civil.MomentZone(when.Time, when.Time, practice.Zone) + ". It closes automatically after an hour."},
		{Text: "Open the trail to see which, and why. If this was not right, ask " + text.StripLinks(who) + " about it."},
		{Button: &letter.Button{Label: "See it", URL: letter.Base + "/settings/team/emergencies"}},
		{Text: noAnswer},
		{Sign: letter.Brand},
	}}
}

// openedLetter tells a client what emergencyLetter tells the owners, without a
// name: neither a colleague's nor the practice's.
func openedLetter() (subject string, parts []letter.Part) {
	return "Your record was opened in an emergency", []letter.Part{
		{Text: "Somebody at your practice who does not usually look after you opened your record just now, and gave an emergency as the reason. They can read it, not change it, and it closes again after an hour at most. The owners of the practice were told."},
		{Text: "You need not do anything. To see who it was, and when, sign in and open “Who looked at my record”."},
		{Button: &letter.Button{Label: "See who looked", URL: letter.Base + "/record/access"}},
		{Text: "If you have a question about it, ask your practice at the number that you already have."},
	}
}

// openedToo is openedLetter to somebody who acts for the client. The page that
// says who looked is the client's alone, so it leads to what is theirs.
func openedToo() (subject string, parts []letter.Part) {
	return "A record that you may see was opened in an emergency", []letter.Part{
		{Text: "You may see a part of somebody’s record on " + letter.Brand + " on their behalf. Somebody at the practice who does not usually look after them opened that record just now, and gave an emergency as the reason. They can read it, not change it, and it closes again after an hour at most. The owners of the practice were told."},
		{Text: "You need not do anything. For whom you act, you see after signing in. This e-mail names nobody, and does not know why it was opened."},
		{Button: &letter.Button{Label: "Sign in", URL: letter.Base + "/places"}},
		{Text: "If you are worried, or have a question about it, ask the practice at the number that you already have."},
	}
}
