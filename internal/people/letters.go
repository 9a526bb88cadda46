package people

import (
	"errors"

	"icouch/internal/access"
	"icouch/internal/base/civil"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/text"
	"icouch/internal/letter"
	"icouch/internal/platform/db"
)

// The words of the letters. Nothing clinical is ever in one; the subject never
// says more than that there is an invitation.

// Words are what an invitation says, apart from the link.
type Words struct {
	Practice Practice
	Inviter  string
	Hello    string // the name to greet by
	Address  string
	Note     string
	Until    string // when the link ends
	Again    bool   // a link went before this one
	Founds   bool   // they would set up a practice of their own, and came by the practitioners' door
	Link     string
	Choices  string
}

// InvitationBody is the letter that invites a client.
func InvitationBody(w Words) letter.Body {
	b := letter.Body{Subject: "Your invitation to " + letter.Brand + " from " + w.Practice.Name}
	say := func(p letter.Part) { b.Parts = append(b.Parts, p) }
	if w.Again {
		say(letter.Part{Text: "Here is a new link. The one before it no longer works."})
	}
	say(letter.Part{Text: "Hello " + w.Hello + ","})
	say(letter.Part{Text: w.Inviter + " at " + w.Practice.Name + " invites you to " + letter.Brand + ", a private place to keep in touch with the practice. It costs you nothing."})
	if w.Note != "" {
		say(letter.Part{Note: w.Note})
	}
	say(letter.Part{Button: &letter.Button{Label: "Create Your " + letter.Brand + " Account", URL: w.Link}})
	say(letter.Part{Text: "You only choose a password. Your name and e-mail are filled in already. The link is meant for " + w.Address + ". It works until " + w.Until + "."})
	if w.Founds {
		say(letter.Part{Text: "Did you want to set up a practice of your own? Accept this invitation first, then choose “Set up a practice” in Settings."})
	}
	say(letter.Part{Text: "It is the private place that the practice keeps with you. Messages, appointments, invoices and documents open there one after the other; you need not do anything for that."})
	say(letter.Part{Text: "How to know that this e-mail is real:"})
	say(letter.Part{List: []string{
		"the link opens " + letter.Host + "; look for that name in the address bar",
		"we never ask by e-mail for a password, a card or personal details",
		"if in doubt, leave the link alone and ask " + w.Inviter + ", at the number that you already have",
	}})
	say(letter.Part{Text: "Was this not meant for you? You need not do anything. No account exists until a password is chosen, and the link ends by itself. To get no more of these: " + w.Choices})
	say(letter.Part{Text: "Please do not answer this e-mail. Nobody reads that address."})
	say(letter.Part{Sign: w.Practice.Name})
	return b
}

// words are everything of an invitation to c but the link.
func words(tx *db.Tx, by access.Actor, c Client, note string, m manner) (Words, error) {
	w := Words{Hello: text.StripLinks(c.Name.Call()), Address: c.Email.String(), Note: note, Again: m.again, Founds: m.founds}
	var err error
	if w.Practice, err = PracticeOf(tx, by); err != nil {
		return w, err
	}
	w.Practice.Name = text.StripLinks(w.Practice.Name) // anybody may found a practice: in a letter, names are words
	who, err := practitioner(tx, c.Practice, inviter(by, c))
	if err != nil {
		return w, err
	}
	w.Inviter = text.StripLinks(who.Name)
	w.Until = civil.MomentZone(tx.Now().Time, tx.Now().Add(life), zoneOf(c, w.Practice))
	return w, nil
}

func zoneOf(c Client, p Practice) civil.Zone {
	if z, err := civil.ParseZone(c.Zone); err == nil && c.Zone != "" {
		return z
	}
	return p.Zone
}

func invitationLetter(tx *db.Tx, by access.Actor, c Client, l link, m manner) (letter.Draft, error) {
	w, err := words(tx, by, c, l.note, m)
	if err != nil {
		return letter.Draft{}, err
	}
	choices, err := letter.ChoicesToken(tx, by, c.Email)
	if err != nil {
		return letter.Draft{}, err
	}
	w.Link, w.Choices = letter.Base+"/join/"+l.token.Reveal(), letter.Base+"/choices/"+choices
	return letter.Draft{Kind: letter.Invitation, To: c.Email, FromName: w.Practice.Name, Body: InvitationBody(w), Client: c.ID, Choices: w.Choices}, nil
}

// Preview is the letter as it would go to a client now, without a link that works.
func Preview(tx *db.Tx, by access.Actor, client id.Client, note string) (letter.Body, error) {
	if !by.MayInvite() {
		return letter.Body{}, fault.Forbidden
	}
	c, err := Find(tx, by, client)
	if err != nil {
		return letter.Body{}, err
	}
	note, err = text.Block(note, noteLength)
	if err != nil {
		return letter.Body{}, fault.At("note", err)
	}
	was, err := newest(tx, c.Practice, c.ID)
	if err != nil && !errors.Is(err, db.None) {
		return letter.Body{}, err
	}
	w, err := words(tx, by, c, text.StripLinks(note), manner{again: was.id != "" && was.state != Used})
	if err != nil {
		return letter.Body{}, err
	}
	w.Link, w.Choices = letter.Base+"/join/…", letter.Base+"/choices/…"
	return InvitationBody(w), nil
}

func acceptedLetter() letter.Body {
	return letter.Body{Subject: "An invitation was accepted", Parts: []letter.Part{
		{Text: "Somebody you invited to " + letter.Brand + " now has an account. Sign in to see who it is."},
		{Button: &letter.Button{Label: "See it", URL: letter.Base + "/people"}},
		{Sign: letter.Brand},
	}}
}

func askedLetter() letter.Body {
	return letter.Body{Subject: "Somebody asks for a new invitation", Parts: []letter.Part{
		{Text: "Somebody whose invitation to " + letter.Brand + " was withdrawn asks for a new link. Nothing was sent to them. Sign in to see who it is, and press Re-Send if that is right."},
		{Button: &letter.Button{Label: "See it", URL: letter.Base + "/people"}},
		{Sign: letter.Brand},
	}}
}

func ofAgeLetter() letter.Body {
	return letter.Body{Subject: "A client may sign in from today", Parts: []letter.Part{
		{Text: "A client you look after on " + letter.Brand + " may sign in from today: the day that was laid down has come. Nothing was sent to them. Sign in to see who it is, and invite them if that is right. What guardians may open ends on its own day, which their page tells."},
		{Button: &letter.Button{Label: "See it", URL: letter.Base + "/people"}},
		{Sign: letter.Brand},
	}}
}

func opensLetter(practice string) letter.Body {
	return letter.Body{Subject: "You can sign in from today", Parts: []letter.Part{
		{Text: "From today your private place at " + text.StripLinks(practice) + " on " + letter.Brand + " is open to you. Sign in with your e-mail address and your password."},
		{Button: &letter.Button{Label: "Sign in", URL: letter.Base + "/dashboard"}},
		{Sign: text.StripLinks(practice)},
	}}
}

func leftLetter() letter.Body {
	return letter.Body{Subject: "Somebody closed their account", Parts: []letter.Part{
		{Text: "Somebody you look after on " + letter.Brand + " has closed their account. Their record stays with the practice. Sign in to see who it is."},
		{Button: &letter.Button{Label: "See it", URL: letter.Base + "/people"}},
		{Sign: letter.Brand},
	}}
}

// closesLetter tells a client that their practice closes. How their care goes on
// is for the practice to say, and not in a letter.
func closesLetter(p Practice) letter.Body {
	name, day := text.StripLinks(p.Name), dayOf(p)
	return letter.Body{Subject: "Your practice on " + letter.Brand + " closes", Parts: []letter.Part{
		{Text: "Your practice on " + letter.Brand + ", " + name + ", closes on " + day + ". Until the end of that day you can sign in as always, to read and to take along what you want to keep. From the day after, it opens to nobody any more."},
		{Button: &letter.Button{Label: "Sign in", URL: letter.Base + "/dashboard"}},
		{Text: "What the practice has noted is kept, as the law requires. For a copy of it, or to ask how things go on for you, speak with the practice in the way you do now."},
		{Text: "Your account stays yours. You need not do anything."},
		{Sign: name},
	}}
}

// closesForOthersLetter tells it to who acts for a client, and not for whom.
func closesForOthersLetter(p Practice) letter.Body {
	name, day := text.StripLinks(p.Name), dayOf(p)
	return letter.Body{Subject: "A practice you use on " + letter.Brand + " closes", Parts: []letter.Part{
		{Text: name + ", where you act on behalf of somebody else on " + letter.Brand + ", closes on " + day + ". Until the end of that day you can sign in as always, and read what was opened to you. From the day after, it opens to nobody any more."},
		{Button: &letter.Button{Label: "Sign in", URL: letter.Base + "/dashboard"}},
		{Text: "What the practice has noted is kept, as the law requires. To ask how things go on, speak with the practice in the way you do now."},
		{Text: "Your account stays yours, with whatever else it opens. You need not do anything."},
		{Sign: name},
	}}
}

// goesOnLetter tells whoever was told that it closes that it is not so.
func goesOnLetter(p Practice) letter.Body {
	name := text.StripLinks(p.Name)
	return letter.Body{Subject: "Your practice on " + letter.Brand + " stays open", Parts: []letter.Part{
		{Text: "We wrote to you that " + name + " closes on " + letter.Brand + ". That was taken back: it stays open, and everything is as it was. You need not do anything."},
		{Sign: name},
	}}
}

func closesToo(p Practice) letter.Body {
	return letter.Body{Subject: "A practice you own is set to close", Parts: []letter.Part{
		{Text: "An owner of " + text.StripLinks(p.Name) + " has set its last day on " + letter.Brand + ": " + dayOf(p) + ". From the day after, nobody enters it any more, neither who works there nor its clients. Nothing is deleted."},
		{Text: "Clients who have an account and agreed to e-mail are told by letter, and so is whoever acts for one. Open invitations were withdrawn."},
		{Text: "Is that not right? Each owner can take it back until then, in Settings."},
		{Button: &letter.Button{Label: "See it", URL: letter.Base + "/settings/practice/close"}},
		{Sign: letter.Brand},
	}}
}

func goesOnToo(p Practice) letter.Body {
	return letter.Body{Subject: "A practice you own stays open", Parts: []letter.Part{
		{Text: "An owner of " + text.StripLinks(p.Name) + " has taken back that it closes. It stays open. Whoever had been told otherwise is told by letter. Invitations that were withdrawn stay so: send them anew."},
		{Button: &letter.Button{Label: "See it", URL: letter.Base + "/settings/practice/close"}},
		{Sign: letter.Brand},
	}}
}

// dayOf is the last day of a practice in words, with the year.
func dayOf(p Practice) string { return p.LastDay().InWords(civil.Date{}) }
