package web

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"icouch/internal/base/id"
	"icouch/internal/world"
)

// aContact is the form for Greta, who pays for Theo.
func aContact(w *world.World) url.Values {
	return url.Values{"id": {id.New[id.Contact](w.Now()).String()}, "name": {"Greta Vance"}, "relation": {"parent"}, "email": {"greta@example.com"}, "mobile": {"+44 7700 900123"},
		"emergency": {"yes"}, "right": {"invoices", "appointments"}, "basis": {"Parental responsibility"}, "until": {"2030-04-30"}}
}

// noted adds her, and returns the address of her page.
func (b *browser) noted(w *world.World) string {
	b.t.Helper()
	a := b.post("/people/"+w.Theo.String()+"/contacts", aContact(w))
	at, said, _ := strings.Cut(a.Header().Get("Location"), "?")
	if a.Code != 303 || said != "said=added" {
		b.t.Fatalf("adding leads with %d to %q: %s", a.Code, a.Header().Get("Location"), clip(a.text))
	}
	return at
}

var versionField = regexp.MustCompile(`name="version" value="([0-9]+)"`)

func TestAContactIsNotedChangedSuspendedAndEnded(t *testing.T) {
	t.Parallel()
	w, b := practice(t)
	theo := "/people/" + w.Theo.String()
	b.get(theo).shows(t, 200, "Contacts", "Nobody is noted", "Add a contact")
	b.get(theo+"/contacts/new").shows(t, 200, "Add a contact", "Of Theo Vance", "Never messages, the journal or your notes")
	at := b.noted(w)
	b.get(at+"?said=added").shows(t, 200, "Noted. Nothing was mailed.", `value="Greta Vance"`, "Not invited", "Until 30 April 2030", "Suspend at once")
	b.get(theo).shows(t, 200, "Greta Vance", "Parent · in an emergency · may open appointments and invoices", "+44 7700 900123", "greta@example.com", "Not invited")
	f := aContact(w)
	f.Set("version", b.get(at).find(t, versionField))
	f.Set("until", "2030-05-31")
	b.post(at, f).leads(t, at+"?said=saved")
	b.post(at, f).shows(t, 409, "Somebody else changed this contact", `value="2030-05-31"`)
	b.post(at+"/suspension", nil).leads(t, at+"?said=suspended")
	b.get(at+"?said=suspended").shows(t, 200, "They are not told by us", "Suspended: nothing opens for them", "Take back the suspension")
	b.post(at+"/suspension", nil).shows(t, 409, "suspended already")
	b.get(theo).shows(t, 200, "Suspended")
	b.post(at+"/return", nil).leads(t, at+"?said=resumed")
	b.post(at+"/end", nil).leads(t, at+"?said=ended")
	b.get(at).shows(t, 200, "Ended 14 March 2030")
	b.post(at+"/end", nil).shows(t, 409, "no access that could be ended")
}

// What was typed comes back, each problem stands at its field.
func TestAContactsFormKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	w, b := practice(t)
	to := "/people/" + w.Theo.String() + "/contacts"
	f := aContact(w)
	for name, value := range map[string]string{"relation": "", "email": "greta@", "basis": "", "until": "2030-03-01"} {
		f.Set(name, value)
	}
	b.post(to, f).shows(t, 422, "There is a problem", `value="Greta Vance"`, `value="greta@"`, `value="2030-03-01"`, `href="#f-email"`)
	f.Set("email", "greta@example.com")
	b.post(to, f).shows(t, 422, "Choose what this person is", "Choose today or a later day", "Say why this person may act", `id="f-right-invoices" name="right" value="invoices" checked`)
	f = aContact(w)
	f.Del("id")
	b.post(to, f).shows(t, 422, "This form is too old", `value="Greta Vance"`)
	f = aContact(w)
	b.post(to, f)
	b.post(to, f).shows(t, 409, "This contact was added already")
}

// Of whoever works in the practice, who changes nothing reads how to reach them.
func TestWhoOnlyReadsSeesHowToReachAContact(t *testing.T) {
	t.Parallel()
	w, b := practice(t)
	at := b.noted(w)
	w.Colleague(t, "Skye Stone", "skye@practice.test", "scheduler")
	skye := serve(t, w).browser(t, w).as("skye@practice.test")
	page := skye.get("/people/"+w.Theo.String()).shows(t, 200, "Greta Vance", "+44 7700 900123")
	if strings.Contains(page.text, "Add a contact") || strings.Contains(page.text, "/contacts/") {
		t.Error("the scheduler is offered to change contacts")
	}
	skye.get(at).shows(t, 404, nothingHere)
}
