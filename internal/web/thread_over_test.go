package web

import (
	"strings"
	"testing"
	"time"

	"icouch/internal/base/at"
	"icouch/internal/base/id"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/team"
)

// What the program knows of why nobody reads a conversation, it says: to who
// works there, since when care has ended.
func TestAConversationSaysWhyNobodyReadsIt(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	page := "/people/" + k.w.Theo.String()
	k.theo.post(k.at, k.message("Hello."))
	k.mara.get(page).shows(t, 200, "You and Theo Vance", "looks after them", "Add a colleague").lacks(t, "<b>Mara Lindqvist</b>")
	k.w.Update(t, func(tx *db.Tx) error { return people.EndCare(tx, k.w.Mara, k.w.Theo, at.Of(k.w.Now())) })
	k.w.Pass(time.Minute)
	k.mara.get(k.at).shows(t, 200, "Care ended on Thu 14 Mar, so Theo Vance can neither read nor write here. What was written stays here.").lacks(t, "somebody else has taken over")
	k.mara.get(page).shows(t, 200, "looked after them until care ended").lacks(t, "looks after them<", "To share the care", "Add a colleague")
	k.w.Update(t, func(tx *db.Tx) error { return people.ResumeCare(tx, k.w.Mara, k.w.Theo) })
	k.w.Update(t, func(tx *db.Tx) error {
		return team.HandOver(tx, k.w.Mara, k.w.Mara.Practitioner(), k.w.Noor.Practitioner(), []id.Client{k.w.Theo})
	})
	k.theo.get(k.at).shows(t, 200, "Mara Lindqvist does not look after you now, so they would not read what you write.").lacks(t, "Care ended")
}

// The access log says what was shown: the list has the first words of the newest
// message, and the conversation all of it. The client's own lines say "you".
func TestTheAccessLogTellsTheListFromTheConversation(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	m := k.message("Hello.")
	k.theo.post(k.at, m)
	k.theo.post(k.at+"/"+m.Get("message"), form("body", "Hello, Mara."))
	k.mara.get("/messages").shows(t, 200, "Hello, Mara.")
	log := "/people/" + k.w.Theo.String() + "/access"
	page := k.mara.get(log).shows(t, 200, "Saw the first words of the newest message, in the list", "Changed a message they had sent").lacks(t, "Read messages")
	if created, invited := strings.Index(page.text, "Created the record"), strings.Index(page.text, "Created an invitation link"); created < 0 || invited < created {
		t.Errorf("the record is created at %d, after its invitation at %d", created, invited)
	}
	k.mara.get(k.at)
	k.mara.get(log).shows(t, 200, "Read messages")
	k.theo.get("/record/access").shows(t, 200, "Changed a message you had sent", "recorded about you").lacks(t, "they had sent", "noted of you")
}

// Of whoever was never invited, nobody says that they have not signed in yet.
func TestAContactWhoWasNotInvitedIsSaidToBe(t *testing.T) {
	t.Parallel()
	w, b := practice(t)
	w.Linked(t, w.Theo, "theo@example.com")
	at := b.noted(w)
	theo := b.site.browser(t, w).as("theo@example.com")
	theo.get("/access").shows(t, 200, "Greta Vance", "Has not been invited").lacks(t, "Has not signed in yet")
	b.post(at+"/invitation", nil)
	theo.get("/access").shows(t, 200, "Has not signed in yet").lacks(t, "Has not been invited")
}
