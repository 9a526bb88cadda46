package recovery

import (
	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/letter"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

// The words of the letters. None names who it is about to anybody but them.

// words is a letter: its subject and what it says.
type words struct {
	subject string
	parts   []letter.Part
}

// tell writes to who a request is about, if own is given, and to the other
// people concerned: whoever asked, and the owners of where they work.
func tell(tx *db.Tx, r Request, own func() words, others func(page string) words) error {
	by := access.Job(keys.Installation)
	write := func(to id.Account, w words) error {
		a, err := account.Read(tx, by, to)
		if err != nil {
			return err
		}
		return account.Warn(tx, by, a, w.subject, w.parts...)
	}
	if own != nil {
		if err := write(r.Account, own()); err != nil {
			return err
		}
	}
	work, _, err := placesOf(tx, r.Account)
	if err != nil {
		return err
	}
	told := map[id.Account]bool{r.Account: true}
	if r.practice == keys.Installation {
		told[r.AskedBy] = true
		if err := write(r.AskedBy, others("/support")); err != nil {
			return err
		}
	}
	for _, p := range work {
		if r.practice != keys.Installation && p != r.practice { // another practice's business it is not
			continue
		}
		all, err := people.Practitioners(tx, access.Job(p))
		if err != nil {
			return err
		}
		for _, o := range owners(tx.Now().Plus(settled), all) {
			if told[o.Account] {
				continue
			}
			told[o.Account] = true
			if err := write(o.Account, others("/settings/team")); err != nil {
				return err
			}
		}
	}
	return nil
}

func say(s string) letter.Part { return letter.Part{Text: s} }

func press(label, path string) letter.Part {
	return letter.Part{Button: &letter.Button{Label: label, URL: letter.Base + path}}
}

const surprised = "Did you not ask for this? Then somebody may be trying to take your place. Speak with the owner of your practice now, at the number that you already have."

func askedLetter() words {
	return words{"You are said to have lost your second step", []letter.Part{
		say("Somebody has said that you have lost every way to sign in to " + letter.Brand + " but your password. A second person has to approve it. Then you get a link by e-mail, which works only together with your password."),
		say("Nothing has changed so far. " + surprised)}}
}

func askedToo(page string) words {
	return words{"A colleague is said to have lost their second step", []letter.Part{
		say("Somebody who works with you on " + letter.Brand + " is said to have lost every way to sign in but their password. A second person has to approve it. Before you do, speak with your colleague yourself, and be sure that it is them."),
		press("See it", page)}}
}

func linkLetter(token secret.Token) func() words {
	return func() words {
		return words{"A link to sign in without your second step", []letter.Part{
			say("Two people have vouched for you, because your second step is lost. Open the link and enter your password. That takes the lost second step away, and you set up a new one. You were signed out everywhere."),
			press("Continue", "/recovered/"+token.Reveal()),
			say("The link works for 24 hours, and once."),
			say("Nothing else changes unless somebody uses the link together with your password. " + surprised)}}
	}
}

func approvedToo(page string) words {
	return words{"A colleague may set up a new second step", []letter.Part{
		say("It was approved that a colleague of yours on " + letter.Brand + " sets up a new second step. They were signed out everywhere, and have a link that works for 24 hours and only with their password."),
		say("If that surprises you, take it back, and speak with whoever approved it."),
		press("See it", page)}}
}

func withdrawnLetter() words {
	return words{"Your second step stays as it is", []letter.Part{
		say("The request to let you set up a new second step on " + letter.Brand + " was taken back. If there was a link, it no longer works. Your second step is as it was.")}}
}

func withdrawnToo(page string) words {
	return words{"A request about a colleague was taken back", []letter.Part{
		say("The request to let a colleague of yours on " + letter.Brand + " set up a new second step was taken back. Nothing was taken away."),
		press("See it", page)}}
}

func usedToo(page string) words {
	return words{"A colleague has signed in without their second step", []letter.Part{
		say("The link for a colleague of yours on " + letter.Brand + " was used together with their password. The lost second step is taken away, and they are asked to set up a new one. If that surprises you, speak with them now."),
		press("See it", page)}}
}
