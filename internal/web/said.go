package web

import "icouch/internal/web/parts"

// What was done is said on the page that follows. The address holds one word
// of this list, and never a name.
var said = map[string]parts.Notice{
	"invited":          {Tone: parts.Good, Words: "Invited. We are sending the letter."},
	"resent":           {Tone: parts.Good, Words: "We are sending the letter again; the link before it no longer works."},
	"created":          {Tone: parts.Good, Words: "Created. Nothing was mailed: you can invite them whenever it suits."},
	"no-consent":       {Tone: parts.Warn, Words: "Created. Nothing was mailed: consent to e-mail is not noted. Record it, then press Invite."},
	"no-email":         {Tone: parts.Warn, Words: "Created. Nothing was mailed: there is no e-mail address yet. Add one, then press Invite."},
	"declined":         {Tone: parts.Warn, Words: "Created. Nothing was mailed: the person at this address has asked for no more invitations by e-mail. Copy the link and hand it over yourself."},
	"many-letters":     {Tone: parts.Warn, Words: "Created. Nothing was mailed: many invitations went to this address in the last hour. Wait an hour and press Invite, or copy the link and hand it over yourself."},
	"no-mail":          {Tone: parts.Warn, Words: "Invited, but nothing can be mailed: no mail server is set up. Copy the link and hand it over yourself."},
	"vouched":          {Tone: parts.Good, Title: "The link is on its way", Words: "It went to the address they sign in with, and works for 24 hours, together with their password."},
	"proved":           {Tone: parts.Info, Words: "Thank you. Now press “Export as a file” again."},
	"closes":           {Tone: parts.Good, Words: "The last day is set. All owners are told by letter, and so are the clients, and those who act for a client, who can be written to."},
	"goes-on":          {Tone: parts.Good, Words: "Taken back. The practice stays open. Whoever was told otherwise is told by letter; invitations that were withdrawn stay so."},
	"saved":            {Tone: parts.Good, Words: "Saved."},
	"moved":            {Tone: parts.Warn, Words: "Saved. The e-mail address changed, so the link that went to the old one no longer works. Press Re-Send to write to the new one."},
	"consent":          {Tone: parts.Good, Words: "Consent to e-mail is noted. Nothing was mailed; you can send the invitation now."},
	"withdrawn":        {Tone: parts.Good, Words: "Withdrawn. The link no longer works."},
	"care-ended":       {Tone: parts.Good, Words: "Care has ended. This client’s access is closed; the record stays."},
	"care-will-end":    {Tone: parts.Good, Words: "Noted. Access closes at the end of that day; the record stays."},
	"care-resumed":     {Tone: parts.Good, Words: "Back in care. An account that was linked opens this record again."},
	"age":              {Tone: parts.Good, Words: "Saved. Each day takes effect at midnight where the practice is."},
	"too-young":        {Tone: parts.Warn, Words: "Created. Nothing was mailed: the client is a minor and may not sign in yet. Set an earlier day under “Coming of age” if that is right."},
	"team":             {Tone: parts.Good, Words: "In the care team. They can see this client from now on."},
	"team-left":        {Tone: parts.Good, Words: "Removed from the care team."},
	"messages":         {Tone: parts.Good, Words: "Saved. Conversations that are there already stay open."},
	"reviewed":         {Tone: parts.Good, Words: "Signed. The audit trail says that you reviewed that week."},
	"emergency-closed": {Tone: parts.Good, Words: "Closed. You cannot open that record any more."},
}

// saidAs returns the notice for a word, or nil.
func saidAs(word string) *parts.Notice {
	n, ok := said[word]
	if !ok {
		return nil
	}
	n.Alert = true
	return &n
}
