package trail_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime/quotedprintable"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/audit"
	"icouch/internal/base/civil"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/team"
	"icouch/internal/trail"
	"icouch/internal/world"
)

// looks has somebody look at a client's whole record.
func looks(t *testing.T, w *world.World, s *audit.Scribe, by access.Actor, clients ...id.Client) {
	t.Helper()
	l := new(audit.Look)
	err := w.DB.View(audit.Looking(t.Context(), l), func(tx *db.Tx) error {
		for _, c := range clients {
			if _, err := people.Find(tx, by, c); err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(err, s.Write(l, "REFERENCE")); err != nil {
		t.Fatal(err)
	}
}

func visits(t *testing.T, w *world.World, by access.Actor, c id.Client) (all []trail.Visit) {
	t.Helper()
	w.View(t, func(tx *db.Tx) error {
		v, err := trail.At(tx, by, c, civil.Date{})
		all = v.List
		return err
	})
	return all
}

// A page is thirty days on which somebody was there, whether they are put away
// already or not; none is told twice, and none is left out.
func TestVisitsHavePagesOfDays(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := audit.NewScribe(w.DB)
	for day := range 71 {
		looks(t, w, s, w.Mara, w.Theo)
		if day == 20 || day == 50 {
			if err := (trail.Clerk{DB: w.DB}).Tend(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		w.Pass(24 * time.Hour)
	}
	for _, by := range []access.Actor{w.Mara, theo(w)} {
		var seen, pages []string
		before := civil.Date{}
		for {
			var v trail.Visits
			w.View(t, func(tx *db.Tx) (err error) { v, err = trail.At(tx, by, w.Theo, before); return err })
			days := map[string]bool{}
			for _, one := range v.List {
				if !before.IsZero() && one.Day.Compare(before) >= 0 {
					t.Errorf("%s is on the page of the days before %s", one.Day, before)
				}
				if !days[one.Day.String()] {
					seen = append(seen, one.Day.String())
				}
				days[one.Day.String()] = true
			}
			pages = append(pages, fmt.Sprint(len(days)))
			if before = v.Older; before.IsZero() {
				break
			}
		}
		if got := strings.Join(pages, " "); got != "30 30 11" || len(seen) != 71 || !slices.IsSortedFunc(seen, func(a, b string) int { return strings.Compare(b, a) }) {
			t.Errorf("to %s: pages of %s days, %v", by.Role(), got, seen)
		}
	}
}

// told is a visit in a line.
func told(all []trail.Visit) string {
	var lines []string
	for _, v := range all {
		lines = append(lines, fmt.Sprintf("%s %s %s %s×%d %s", v.Day, v.Name, v.Role, v.What, v.Times, v.Why))
	}
	return strings.Join(lines, "\n")
}

// theo is Theo himself, in a place of his.
func theo(w *world.World) access.Actor {
	return access.AsClient(w.Mara.Practice(), "an account", w.Theo)
}

func TestAClientSeesWhoWasThere(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := audit.NewScribe(w.DB)
	w.Pass(24 * time.Hour)
	for range 3 {
		looks(t, w, s, w.Mara, w.Theo)
		w.Pass(time.Minute)
	}
	w.Update(t, func(tx *db.Tx) error { return people.Consent(tx, w.Mara, w.Theo, false) })
	w.Pass(time.Minute)
	var export [][]string
	w.Update(t, func(tx *db.Tx) (err error) {
		_, export, err = people.Export(tx, w.Mara, people.Setting{Now: tx.Now()})
		return err
	})
	if len(export) != 1 {
		t.Fatal("premise: nothing was exported")
	}
	w.Pass(time.Minute)
	looks(t, w, s, theo(w), w.Theo)
	want := "2030-03-15 Mara Lindqvist owner record×3 care\n2030-03-15 Mara Lindqvist owner client.edited×1 \n2030-03-15 Mara Lindqvist owner clients.exported×1 \n2030-03-15  client record×1 self\n2030-03-14 Mara Lindqvist owner client.created×1 "
	if got := told(visits(t, w, theo(w), w.Theo)); got != want {
		t.Errorf("before it is put away by day:\n%s\nwant\n%s", got, want)
	}
	for range 2 { // the second time there is nothing to do
		if err := (trail.Clerk{DB: w.DB}).Tend(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := told(visits(t, w, theo(w), w.Theo)); got != want {
		t.Errorf("put away by day:\n%s\nwant\n%s", got, want)
	}
	looks(t, w, s, w.Mara, w.Theo) // and what comes after is added to it
	if got := told(visits(t, w, w.Mara, w.Theo)); got != strings.Replace(want, "record×3", "record×4", 1) {
		t.Errorf("with what came since:\n%s", got)
	}
}

func TestPuttingAwayByTwoAtOnceCountsOnce(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := audit.NewScribe(w.DB)
	for range 5 {
		looks(t, w, s, w.Mara, w.Theo)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := (trail.Clerk{DB: w.DB}).Tend(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := told(visits(t, w, w.Mara, w.Theo)); !strings.Contains(got, "record×5") {
		t.Errorf("%s", got)
	}
}

// What is opened in an emergency is told as that, and what the care team sees is not.
func TestAnEmergencyIsTold(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := audit.NewScribe(w.DB)
	w.Update(t, func(tx *db.Tx) error { return team.Open(tx, w.Noor, w.Theo, "They stand at the door.") })
	noor := reached(t, w, w.Noor)
	looks(t, w, s, noor, w.Theo)
	all := visits(t, w, theo(w), w.Theo)
	if n := len(all); n < 2 || !all[n-1].Emergency() || !all[n-2].Emergency() || all[n-1].Why != access.ByEmergency {
		t.Errorf("%s", told(all))
	}
	w.Update(t, func(tx *db.Tx) error { return team.Include(tx, w.Mara, w.Theo, w.Noor.Practitioner(), nil) })
	if why := reached(t, w, w.Noor).Why(w.Theo, w.Mara.Practitioner()); why != access.CareTeam {
		t.Errorf("in the care team they see by way of %q", why)
	}
}

// reached is a member as a session of theirs makes them now.
func reached(t *testing.T, w *world.World, by access.Actor) (is access.Actor) {
	t.Helper()
	w.View(t, func(tx *db.Tx) (err error) {
		is, err = people.Enter(tx, account.Session{Account: by.Account(), Practice: by.Practice(), Strong: true})
		return err
	})
	return is
}

func TestTheTrailIsNotEverybodys(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	other := w.Client(t, w.Mara, people.Draft{First: "Lena", Last: "Marsh"})
	for _, tt := range []struct {
		name string
		by   access.Actor
		of   id.Client
	}{
		{"the practice next door", w.Ines, w.Theo}, {"a colleague", w.Noor, w.Theo}, {"another client", access.AsClient(w.Mara.Practice(), "an account", other), w.Theo},
		{"a guest", access.Guest(), w.Theo}, {"who holds the link", access.ByLink(w.Mara.Practice(), w.Theo), w.Theo}, {"the owner, of nobody", w.Mara, id.New[id.Client](w.Now())},
		{"somebody in support", access.AsSupport("an account"), w.Theo},
	} {
		w.View(t, func(tx *db.Tx) error {
			if all, err := trail.At(tx, tt.by, tt.of, civil.Date{}); !errors.Is(err, fault.NotFound) || all.List != nil {
				t.Errorf("%s: %v, %v", tt.name, all, err)
			}
			if tt.by.May(access.ReadTrail) {
				return nil
			}
			_, err1 := trail.List(tx, tt.by, trail.Filter{})
			_, err2 := trail.Digests(tx, tt.by)
			_, err3 := trail.Export(tx, tt.by, trail.Filter{})
			err4 := trail.Review(tx, tt.by, 1)
			_, err5 := audit.Back(tx, tt.by, 1<<62)
			for _, err := range []error{err1, err2, err3, err4, err5} {
				if !errors.Is(err, fault.NotFound) && !errors.Is(err, fault.Forbidden) {
					t.Errorf("%s: %v", tt.name, err)
				}
			}
			return nil
		})
	}
	w.View(t, func(tx *db.Tx) error {
		p, err := trail.List(tx, w.Ines, trail.Filter{})
		for _, l := range p.Lines {
			if l.Account == w.Mara.Account() || l.Client == w.Theo {
				t.Errorf("the practice next door reads %+v", l)
			}
		}
		if _, err := trail.List(tx, w.Ines, trail.Filter{Person: w.Mara.Practitioner()}); !errors.Is(err, fault.NotFound) {
			t.Errorf("by a member of another practice: %v", err)
		}
		return err
	})
}

func list(t *testing.T, w *world.World, f trail.Filter) (p trail.Part) {
	t.Helper()
	w.View(t, func(tx *db.Tx) (err error) { p, err = trail.List(tx, w.Mara, f); return err })
	return p
}

func TestTheTrailIsFiltered(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := audit.NewScribe(w.DB)
	all := len(list(t, w, trail.Filter{}).Lines)
	var clients []id.Client
	for i := range 5 {
		clients = append(clients, w.Client(t, w.Mara, people.Draft{First: "Client", Last: fmt.Sprint(i)}))
	}
	w.Pass(48 * time.Hour)
	looks(t, w, s, w.Mara, clients...)
	w.Pass(48 * time.Hour)
	w.Update(t, func(tx *db.Tx) error { return team.Open(tx, w.Noor, w.Theo, "They stand at the door.") })
	day := func(n int) civil.Date { d, _ := civil.ParseDate(fmt.Sprintf("2030-03-%02d", n)); return d }
	for _, tt := range []struct {
		name string
		f    trail.Filter
		want int
	}{
		{"everything", trail.Filter{}, all + 7}, {"looks", trail.Filter{Kind: trail.Looks}, 1}, {"Noor", trail.Filter{Person: w.Noor.Practitioner()}, 1},
		{"Noor's looks", trail.Filter{Person: w.Noor.Practitioner(), Kind: trail.Looks}, 0}, {"emergencies", trail.Filter{Kind: trail.Emergencies}, 1},
		{"the day of the look", trail.Filter{From: day(16), To: day(16)}, 1}, {"until it", trail.Filter{To: day(16)}, all + 6}, {"from it", trail.Filter{From: day(16)}, 2},
		{"a day without", trail.Filter{From: day(17), To: day(17)}, 0}, {"days the wrong way round", trail.Filter{From: day(18), To: day(16)}, 0},
	} {
		if p := list(t, w, tt.f); len(p.Lines) != tt.want || p.Next != 0 {
			t.Errorf("%s: %d lines, next %d, want %d", tt.name, len(p.Lines), p.Next, tt.want)
		}
	}
	l := list(t, w, trail.Filter{Kind: trail.Looks}).Lines[0]
	if l.By != "Mara Lindqvist" || len(l.Clients) != 3 || l.More != 2 || l.Clients[0].Name != "Client 0" {
		t.Errorf("%+v", l)
	}
}

func TestALongTrailHasPages(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := audit.NewScribe(w.DB)
	for range 120 {
		looks(t, w, s, w.Mara, w.Theo)
	}
	seen, f := map[int64]bool{}, trail.Filter{Kind: trail.Looks}
	for n := 0; ; n++ {
		p := list(t, w, f)
		for _, l := range p.Lines {
			if seen[l.Seq] {
				t.Fatalf("line %d comes twice", l.Seq)
			}
			seen[l.Seq] = true
		}
		if p.Next == 0 {
			break
		}
		if f.Before = p.Next; n > 5 {
			t.Fatal("it does not end")
		}
	}
	if len(seen) != 120 {
		t.Errorf("%d lines", len(seen))
	}
}

// wellFormed holds an AuditEvent against R4: no field that it does not know, none
// of the required ones missing, an identifier and an instant of the right shape,
// codes of the closed sets, and nothing that is empty.
func wellFormed(t *testing.T, b []byte) {
	t.Helper()
	var e map[string]any
	if err := json.Unmarshal(b, &e); err != nil {
		t.Fatal(err)
	}
	for what, ok := range map[string]bool{
		"id":       regexp.MustCompile(`^[A-Za-z0-9\-.]{1,64}$`).MatchString(fmt.Sprint(e["id"])),
		"recorded": regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$`).MatchString(fmt.Sprint(e["recorded"])),
		"outcome":  slices.Contains([]string{"0", "4", "8", "12"}, fmt.Sprint(e["outcome"])),
		"action":   slices.Contains([]string{"C", "R", "U", "D", "E"}, fmt.Sprint(e["action"])),
		"type":     e["type"] != nil, "agent": e["agent"] != nil, "source": e["source"] != nil,
	} {
		if !ok {
			t.Errorf("%s is wrong in %s", what, b)
		}
	}
	known := map[string]string{
		"":        "resourceType id type subtype action recorded outcome purposeOfEvent agent source entity",
		"agent":   "role who requestor",
		"source":  "observer",
		"entity":  "what detail",
		"detail":  "type valueString",
		"coding":  "system code display",
		"type":    "system code display",
		"subtype": "system code display",
		"role":    "coding", "purposeOfEvent": "coding",
		"who": "reference display", "what": "reference display", "observer": "reference display",
	}
	var walk func(name string, v any)
	walk = func(name string, v any) {
		switch v := v.(type) {
		case map[string]any:
			if len(v) == 0 {
				t.Errorf("%s is empty in %s", name, b)
			}
			for key, inner := range v {
				if !slices.Contains(strings.Fields(known[name]), key) {
					t.Errorf("%s.%s is not R4’s, in %s", name, key, b)
				}
				walk(key, inner)
			}
		case []any:
			if len(v) == 0 {
				t.Errorf("%s is empty in %s", name, b)
			}
			for _, inner := range v {
				walk(name, inner)
			}
		case string:
			if v == "" {
				t.Errorf("%s is empty in %s", name, b)
			}
		}
	}
	walk("", e)
}

func TestTakingTheTrailAwayIsInIt(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := audit.NewScribe(w.DB)
	looks(t, w, s, w.Mara, w.Theo)
	var lines []trail.Line
	w.Update(t, func(tx *db.Tx) (err error) { lines, err = trail.Export(tx, w.Mara, trail.Filter{}); return err })
	if n := len(list(t, w, trail.Filter{Kind: trail.Exports}).Lines); n != 1 {
		t.Errorf("%d exports are in the trail", n)
	}
	text := ""
	for _, l := range lines {
		b, err := l.AuditEvent(w.Mara.Practice())
		var event struct {
			ResourceType, ID, Action, Recorded string
			Type                               struct{ System, Code string }
			Agent                              []struct{ Requestor bool }
			Source                             struct{ Observer struct{ Reference string } }
			Entity                             []struct{ What struct{ Reference string } }
		}
		if err := errors.Join(err, json.Unmarshal(b, &event)); err != nil {
			t.Fatal(err)
		}
		if event.ResourceType != "AuditEvent" || event.ID == "" || event.Type.Code != "rest" || event.Recorded == "" || len(event.Agent) != 1 || event.Source.Observer.Reference == "" || !strings.Contains("CRUDE", event.Action) {
			t.Errorf("%s", b)
		}
		if l.Did == audit.Seen && (event.Action != "R" || len(event.Entity) != 1 || event.Entity[0].What.Reference != "Patient/"+w.Theo.String()) {
			t.Errorf("%s", b)
		}
		wellFormed(t, b)
		text += string(b) + fmt.Sprint(l.Rows())
	}
	if strings.Contains(text, "Vance") || strings.Contains(text, "theo@") || !strings.Contains(text, w.Theo.String()) || !strings.Contains(text, "Mara Lindqvist") {
		t.Error("an export names clients, or does not name members")
	}
	no := errors.New("no")
	err := w.DB.Update(t.Context(), func(tx *db.Tx) error {
		_, err := trail.Export(tx, w.Mara, trail.Filter{})
		return errors.Join(err, no)
	})
	if n := len(list(t, w, trail.Filter{Kind: trail.Exports}).Lines); !errors.Is(err, no) || n != 1 {
		t.Errorf("undone, and %d exports are in the trail", n)
	}
}

func digests(t *testing.T, w *world.World, by access.Actor) (all []trail.Digest) {
	t.Helper()
	w.View(t, func(tx *db.Tx) (err error) { all, err = trail.Digests(tx, by); return err })
	return all
}

// The world begins on a Thursday, 14 March 2030, at 9 in New York.
func TestOwnersGetTheirWeekOnMonday(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := audit.NewScribe(w.DB)
	cousin := w.Client(t, w.Mara, people.Draft{First: "Olaf", Last: "Lindqvist"})
	tend := func() {
		t.Helper()
		var all sync.WaitGroup
		for range 4 { // on as many nodes
			all.Go(func() {
				if err := (trail.Clerk{DB: w.DB}).Tend(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		w.RunJobs(t)
	}
	looks(t, w, s, w.Mara, cousin) // her own name
	looks(t, w, s, w.Mara, w.Theo)
	w.Pass(12 * time.Hour)
	looks(t, w, s, w.Mara, w.Theo) // at night
	w.Update(t, func(tx *db.Tx) error { return team.Open(tx, w.Noor, w.Theo, "They stand at the door.") })
	w.Update(t, func(tx *db.Tx) error { return team.Missed(tx, w.Noor) })
	w.Pass(82*time.Hour + 59*time.Minute) // Monday the 18th, a minute to 8
	tend()
	if n := len(digests(t, w, w.Mara)); n != 0 {
		t.Fatalf("%d digests before 8 on Monday", n)
	}
	sent := len(w.Letters("mara@practice.test"))
	w.Pass(2 * time.Minute)
	tend()
	tend()
	all := digests(t, w, w.Mara)
	if len(all) != 1 {
		t.Fatalf("%d digests", len(all))
	}
	d := all[0]
	if d.Looks != 3 || d.Emergencies != 1 || d.Missed != 1 || d.AfterHours != 1 || d.OwnName != 1 || d.Exports != 0 || d.ReviewedAt != nil {
		t.Errorf("%+v", d)
	}
	letters := w.Letters("mara@practice.test")
	if len(letters) != sent+1 || len(w.Letters("noor@practice.test")) != 0 {
		t.Fatalf("%d letters to the owner, %d to a colleague", len(letters)-sent, len(w.Letters("noor@practice.test")))
	}
	text := letters[len(letters)-1].Text
	for _, name := range []string{"Theo", "Vance", "Olaf", "Noor"} {
		if strings.Contains(text, name) {
			t.Errorf("the letter names %s:\n%s", name, text)
		}
	}
	if !strings.Contains(text, "1 record was opened in an emergency") || !strings.Contains(text, "/settings/trail/weeks") {
		t.Errorf("%s", text)
	}
}

// The letter of the week is an anchor, as it comes and as it is kept in a mailbox.
// Whatever is done to the trail before it was written is found by it, also when
// what the database notes of the trail's end is set to fit.
func TestTheLetterOfTheWeekIsAnAnchor(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	practice := w.Mara.Practice().String()
	for range 6 {
		w.Client(t, w.Mara, people.Draft{First: "Olaf", Last: "Reed"})
	}
	w.Pass(7 * 24 * time.Hour)
	if err := (trail.Clerk{DB: w.DB}).Tend(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.RunJobs(t)
	letters := w.Letters("mara@practice.test")
	m := letters[len(letters)-1]
	var broken strings.Builder // as a mail server breaks long lines
	q := quotedprintable.NewWriter(&broken)
	if _, err := q.Write([]byte(m.Text + m.HTML)); err != nil {
		t.Fatal(err)
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	d, ctx := w.DB, t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	if world.OnPostgres() {
		must(d.Exec(ctx, "DROP TRIGGER audit_append_only ON audit"))
	} else {
		must(d.Exec(ctx, "DROP TRIGGER IF EXISTS audit_no_update"))
		must(d.Exec(ctx, "DROP TRIGGER IF EXISTS audit_no_delete"))
	}
	must(d.Exec(ctx, "CREATE TABLE kept AS SELECT * FROM audit"))
	must(d.Exec(ctx, "CREATE TABLE kept_head AS SELECT * FROM audit_head"))
	findings := func(text string) []audit.Finding {
		t.Helper()
		anchors, unreadable, err := audit.ParseAnchors(strings.NewReader(text))
		if err != nil || unreadable != 0 || len(anchors) == 0 {
			t.Fatalf("%d anchors, %d unreadable, %v in\n%s", len(anchors), unreadable, err, text)
		}
		var r audit.Report
		w.View(t, func(tx *db.Tx) (err error) { r, err = audit.Verify(tx, access.Operator(), anchors...); return err })
		return r.Findings
	}
	all := map[string]func(){
		"a line changed": func() {
			must(d.Exec(ctx, "UPDATE audit SET role = 'biller' WHERE practice_id = $1 AND seq = 3", practice))
		},
		"a line taken out": func() { must(d.Exec(ctx, "DELETE FROM audit WHERE practice_id = $1 AND seq = 3", practice)) },
		"a line put in": func() {
			must(d.Exec(ctx, "UPDATE audit SET seq = -seq - 1 WHERE practice_id = $1 AND seq >= 3", practice))
			must(d.Exec(ctx, "UPDATE audit SET seq = -seq WHERE practice_id = $1 AND seq < 0", practice))
			must(d.Exec(ctx, "INSERT INTO audit SELECT practice_id, 3, at, role, account_id, action, subject, client_id, detail, mac, shown FROM audit WHERE practice_id = $1 AND seq = 4", practice))
		},
		"two lines swapped": func() {
			must(d.Exec(ctx, "UPDATE audit SET seq = -1 WHERE practice_id = $1 AND seq = 3", practice))
			must(d.Exec(ctx, "UPDATE audit SET seq = 3 WHERE practice_id = $1 AND seq = 4", practice))
			must(d.Exec(ctx, "UPDATE audit SET seq = 4 WHERE practice_id = $1 AND seq = -1", practice))
		},
		"the end cut off": func() {
			must(d.Exec(ctx, "DELETE FROM audit WHERE practice_id = $1 AND seq > 3", practice))
			must(d.Exec(ctx, "DELETE FROM audit_head WHERE practice_id = $1", practice))
			must(d.Exec(ctx, "INSERT INTO audit_head SELECT practice_id, seq, mac FROM audit WHERE practice_id = $1 AND seq = 3", practice))
		},
	}
	for name, text := range map[string]string{"the text": m.Text, "the page": m.HTML, "the mailbox": broken.String()} {
		if found := findings(text); len(found) != 0 {
			t.Errorf("%s: before anything was done: %+v", name, found)
		}
		for what, do := range all {
			do()
			if len(findings(text)) == 0 {
				t.Errorf("by %s, %s is not found", name, what)
			}
			must(d.Exec(ctx, "DELETE FROM audit"))
			must(d.Exec(ctx, "INSERT INTO audit SELECT * FROM kept"))
			must(d.Exec(ctx, "DELETE FROM audit_head"))
			must(d.Exec(ctx, "INSERT INTO audit_head SELECT * FROM kept_head"))
		}
	}
}

func TestAWeekIsReviewedOnceByAnOwner(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	w.Pass(7 * 24 * time.Hour)
	if err := (trail.Clerk{DB: w.DB}).Tend(t.Context()); err != nil {
		t.Fatal(err)
	}
	d := digests(t, w, w.Mara)[0]
	ada := w.Colleague(t, "Ada Stone", "ada@practice.test", access.Administrator)
	for name, by := range map[string]access.Actor{"an administrator": ada, "a colleague": w.Noor, "a client": theo(w), "a guest": access.Guest()} {
		err := w.DB.Update(t.Context(), func(tx *db.Tx) error { return trail.Review(tx, by, d.Week) })
		if !errors.Is(err, fault.Forbidden) {
			t.Errorf("%s signs: %v", name, err)
		}
	}
	no := errors.New("no")
	err := w.DB.Update(t.Context(), func(tx *db.Tx) error { return errors.Join(trail.Review(tx, w.Mara, d.Week), no) })
	if d := digests(t, w, w.Mara)[0]; !errors.Is(err, no) || d.ReviewedAt != nil {
		t.Errorf("undone: %v, %+v", err, d)
	}
	var all sync.WaitGroup
	told := make([]error, 16)
	for i := range told {
		all.Go(func() {
			told[i] = w.DB.Update(t.Context(), func(tx *db.Tx) error { return trail.Review(tx, w.Mara, d.Week) })
		})
	}
	all.Wait()
	done := 0
	for _, err := range told {
		if err == nil {
			done++
		} else if !errors.Is(err, trail.ErrReviewed) {
			t.Error(err)
		}
	}
	if d := digests(t, w, w.Mara)[0]; done != 1 || d.ReviewedBy != "Mara Lindqvist" {
		t.Errorf("%d of 16 signed, %+v", done, d)
	}
	err = w.DB.Update(t.Context(), func(tx *db.Tx) error { return trail.Review(tx, w.Mara, d.Week+1) })
	if !errors.Is(err, fault.NotFound) {
		t.Errorf("a week that is none: %v", err)
	}
}
