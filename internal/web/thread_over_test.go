package web

import (
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
	k.w.Update(t, func(tx *db.Tx) error { return team.HandOver(tx, k.w.Mara, k.w.Mara.Practitioner(), k.w.Noor.Practitioner(), []id.Client{k.w.Theo}) })
	k.theo.get(k.at).shows(t, 200, "Mara Lindqvist does not look after you now, so they would not read what you write.").lacks(t, "Care ended")
}
