package web

import (
	"strings"
	"testing"

	"icouch/internal/access"
	"icouch/internal/base/at"
	"icouch/internal/base/civil"
	"icouch/internal/base/id"
	"icouch/internal/joint"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/world"
)

// jointOf is a joint record of Theo and of Lena, whom Noor looks after.
func jointOf(t *testing.T, w *world.World) (path string, lena id.Client) {
	t.Helper()
	lena = w.Client(t, w.Noor, people.Draft{First: "Lena", Last: "Marsh", Email: "lena@example.com"})
	j, _ := together(t, w, w.Mara, w.Theo, lena)
	return "/together/" + j, lena
}

func TestAJointRecordIsBegunFromTheClientsPage(t *testing.T) {
	t.Parallel()
	w, b := practice(t)
	his := "/people/" + w.Theo.String()
	b.get(his).shows(t, 200, "Together with", "This client is in no joint record.", his+"/together/new")
	b.get("/people").shows(t, 200, "Couples and families", `href="/together"`)
	j := id.New[id.Joint](w.Now()).String()
	b.post(his+"/together", form("id", j, "kind", "", "name", "The Vances")).shows(t, 422, "Choose what it is.", `value="The Vances"`)
	b.post(his+"/together", form("id", "old", "kind", "couple", "name", "The Vances")).shows(t, 422, "This form is too old.", `value="The Vances"`)
	b.post(his+"/together", form("id", j, "kind", "couple", "name", "The Vances", "practitioner", w.Ines.Practitioner().String())).shows(t, 422, "Choose a colleague who looks after clients.")
	fields := form("id", j, "kind", "couple", "name", "The Vances", "practitioner", w.Mara.Practitioner().String())
	b.post(his+"/together", fields).leads(t, "/together/"+j+"?said=made")
	b.post(his+"/together", fields).shows(t, 409, "This joint record was made already.")
	b.get("/together/"+j+"?said=made").shows(t, 200, "The Vances", "Only one person is in this record.", "Created. We have told nobody.")
	b.get(his).shows(t, 200, "The Vances", "Couple · nobody else in it yet")
	if strings.Contains(b.get("/together/"+j).text, "<title>The Vances") {
		t.Error("the title names them")
	}
	w.Update(t, func(tx *db.Tx) error { return people.EndCare(tx, w.Mara, w.Theo, at.Of(w.Now())) })
	if strings.Contains(b.get(his).text, his+"/together/new") {
		t.Error("a joint record is offered after the end of care")
	}
	b.get("/together/"+j).shows(t, 200, "Their care has ended.")
}

func TestSomebodyIsAddedAndTakenOut(t *testing.T) {
	t.Parallel()
	w, b := practice(t)
	path, lena := jointOf(t, w)
	tom := w.Client(t, w.Mara, people.Draft{First: "Tom", Last: "Vance"})
	b.get(path+"/people/new").shows(t, 200, "Name or e-mail")
	if found := b.post(path+"/people/new", form("q", "vance")).shows(t, 200, tom.String()); strings.Contains(found.text, w.Theo.String()) {
		t.Error("who is in it already is found")
	}
	b.post(path+"/people", form("q", "vance", "client", "", "from", "soon")).shows(t, 422, "Choose who is to be added.", "Choose a day.", tom.String(), `value="vance"`)
	b.post(path+"/people", form("q", "vance", "client", tom.String(), "from", "2030-03-15")).shows(t, 422, "Choose today or an earlier day.")
	b.post(path+"/people", form("q", "", "client", id.New[id.Client](w.Now()).String())).shows(t, 422, "Choose who is to be added.")
	b.post(path+"/people", form("q", "vance", "client", tom.String(), "from", "2030-03-01")).leads(t, path+"?said=joined")
	b.post(path+"/people", form("q", "vance", "client", tom.String())).shows(t, 409, "is in the joint record already")
	b.get(path).shows(t, 200, "3 people", "In it since Fri 1 Mar")
	b.get("/people/"+tom.String()).shows(t, 200, "Couple · with ", "Theo Vance", "Lena Marsh")

	var in string
	w.View(t, func(tx *db.Tx) error {
		r, err := joint.Find(tx, w.Mara, id.Joint(strings.TrimPrefix(path, "/together/")))
		for _, p := range r.People {
			if p.Client == lena {
				in = path + "/people/" + p.ID.String()
			}
		}
		return err
	})
	b.get(in+"/leaving").shows(t, 200, "Remove Lena Marsh", "2030-03-14")
	b.post(in+"/leaving", form("on", "never")).shows(t, 422, "Choose a day.", `value="never"`)
	b.post(in+"/leaving", form("on", "2030-03-01")).shows(t, 422, "Choose a day that is not before the first day.")
	b.post(in+"/leaving", form("on", "2030-03-20")).leads(t, path+"?said=left")
	b.get(path).shows(t, 200, "until Wed 20 Mar", "They stay")
	b.post(in+"/return", nil).leads(t, path+"?said=stays")
	b.post(in+"/return", nil).shows(t, 409, "This client is not about to leave")
	b.post(in+"/consents", form("what", "sessions")).leads(t, path+"?said=agreed")
	b.post(in+"/consents", form("what", "sessions")).shows(t, 409, "This is noted already.")
	b.post(in+"/consents", form("what", "everything")).shows(t, 422, "Choose from the list.")
	b.post(in+"/leaving", form("on", "2030-03-14")).leads(t, path+"?said=left")
	b.get(path).shows(t, 200, "2 people", "Were in it", "They no longer agree")
	b.post(in+"/consents/withdrawal", form("what", "sessions")).leads(t, path+"?said=withdrawn")
	b.post(in+"/consents/withdrawal", form("what", "sessions")).shows(t, 409, "was taken back already")
	b.get("/people/"+lena.String()).shows(t, 200, "Couple · was in it")
	b.post(path+"/closing", form("on", "2030-03-13")).shows(t, 422, "Choose today or a later day.")
	b.post(path+"/closing", form("on", "2030-03-14")).leads(t, path+"?said=closed")
	b.post(path+"/edit", form("kind", "family", "name", "x", "version", "1")).shows(t, 409, "This joint record is closed.")
	b.get("/together").shows(t, 200, "Closed Thu 14 Mar", "Couple · 2 people")
	b.post(path+"/return", nil).leads(t, path+"?said=reopened")
}

func TestAColleagueOfOneLearnsNothingOfTheOther(t *testing.T) {
	t.Parallel()
	w, b := practice(t)
	path, lena := jointOf(t, w)
	b.get(path).shows(t, 200, "Lena Marsh", "/people/"+lena.String())
	n := b.site.browser(t, w).as("noor@practice.test")
	page := n.get("/people/"+lena.String()).shows(t, 200, "No joint record of this client that you see.")
	for _, answer := range []answer{page, n.get("/together").shows(t, 200, "No joint record that you see")} {
		if strings.Contains(answer.text, "Theo") || strings.Contains(answer.text, path) {
			t.Error("the joint record is told of")
		}
	}
	if got, want := plainly(n.get(path)), plainly(n.get("/no/such/page")); got != want {
		t.Errorf("it differs from what does not exist: %s", difference(got, want))
	}
	// Looking after it opens the names, and no record.
	b.post(path+"/practitioner", form("practitioner", "")).shows(t, 422, "Choose a colleague who looks after clients.")
	b.post(path+"/practitioner", form("practitioner", w.Noor.Practitioner().String())).leads(t, path+"?said=assigned")
	page = n.get(path).shows(t, 200, "Theo Vance", "Lena Marsh")
	if strings.Contains(page.text, "/people/"+w.Theo.String()+`"`) || strings.Contains(page.text, "theo@example.com") || n.get("/people/"+w.Theo.String()).Code != 404 {
		t.Error("Theo’s own record is offered to who looks after the joint one")
	}
	// A scheduler reads it, and changes nothing.
	w.Colleague(t, "Skye Stone", "skye@practice.test", access.Scheduler)
	page = n.site.browser(t, w).as("skye@practice.test").get(path).shows(t, 200, "Theo Vance")
	for _, no := range []string{"/people/new", "/closing", "/edit", "/consents", "/leaving"} {
		if strings.Contains(page.text, path+no) || strings.Contains(page.text, no+`"`) {
			t.Errorf("a scheduler is offered %s", no)
		}
	}
}

func TestAClientReadsAndTakesBackWhatTheyAgreedTo(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	w, theo := m.world, m.browser["Theo"]
	j := id.Joint(m.joint)
	var in id.JointPerson
	w.Update(t, func(tx *db.Tx) error {
		r, err := joint.Find(tx, w.Mara, j)
		if err != nil {
			return err
		}
		for _, p := range r.People {
			if p.Client == w.Theo {
				in = p.ID
			}
			for _, what := range joint.Whats {
				if err := joint.Agree(tx, w.Mara, j, p.ID, what); err != nil {
					return err
				}
			}
		}
		return nil
	})
	for _, page := range []string{"/dashboard", "/record/together"} {
		if got := theo.get(page).shows(t, 200, "As a couple", "With Lena Marsh"); strings.Contains(got.text, "Theo Vance and Lena Marsh") {
			t.Errorf("%s shows what the practice calls the record", page)
		}
	}
	theo.get("/settings").shows(t, 200, "Joint records")
	for _, other := range []string{m.person, noPerson, "x"} { // another's, nobody's, none
		theo.post("/record/together/withdrawals", form("person", other, "what", "shared")).shows(t, 422, "There is nothing of that to take back.")
	}
	m.browser["Carla"].post("/record/together/withdrawals", form("person", in.String(), "what", "shared")).shows(t, 422, "There is nothing of that to take back.", "You are in no joint record")
	m.browser["Greta"].get("/dashboard").shows(t, 200, "Carla")
	if got := m.browser["Greta"].get("/record/together"); !isNothing(got) {
		t.Errorf("a guardian is answered %d", got.Code)
	}
	theo.post("/record/together/withdrawals", form("person", in.String(), "what", "sessions")).leads(t, "/record/together?said=withdrawn")
	theo.post("/record/together/withdrawals", form("person", in.String(), "what", "sessions")).shows(t, 409, "was taken back already")
	if got := theo.get("/record/together?said=withdrawn").shows(t, 200, "Taken back", "Who else is in it is named here once you and they"); strings.Contains(got.text, "Lena") {
		t.Error("Lena is named after that")
	}
	m.browser["Mara"].get("/together/"+m.joint).shows(t, 200, "Taken back", "By themselves")
	// Whoever was named to another reads that in who looked at their record.
	m.browser["Mara"].get("/people/"+m.client["Lena"]+"/access").shows(t, 200, "Somebody in the same joint record", "Both had agreed to take part")
	today, err := civil.ParseDate("2030-03-14")
	if err != nil {
		t.Fatal(err)
	}
	w.Update(t, func(tx *db.Tx) error { return joint.Leave(tx, w.Mara, j, in, today) })
	theo.get("/record/together").shows(t, 200, "until Thu 14 Mar", "The others in it may read")
	if got := theo.get("/dashboard"); strings.Contains(got.text, "Together with others") {
		t.Error("what is over stands on the dashboard")
	}
}
