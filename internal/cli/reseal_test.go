package cli_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/civil"
	"icouch/internal/base/email"
	"icouch/internal/base/id"
	"icouch/internal/chat"
	"icouch/internal/cli"
	"icouch/internal/contact"
	"icouch/internal/joint"
	"icouch/internal/people"
	"icouch/internal/platform/blob"
	"icouch/internal/platform/config"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/jobs"
	"icouch/internal/platform/keys"
	"icouch/internal/platform/media"
	"icouch/internal/recovery"
	"icouch/internal/support"
	"icouch/internal/team"
)

// keepTheirKey are the sealed columns that a rotation leaves alone, with the
// reason: the key from before still opens them, for as long as they live.
var keepTheirKey = map[string]string{
	"sign_up.name":       "lives for days",
	"sign_up.email":      "lives for days",
	"account_link.email": "lives for days",
	"letter.content":     "blanked as soon as the letter has gone",
	"entry.next":         "lives for ten minutes",
	"kept_form.form":     "lives for a day",
	"session.browser":    "lives for a day",
	"session.network":    "lives for a day",
}

// sealedColumns are all that the schema has, read from the migrations, so that
// one that is added is asked about without anybody's thinking of it.
func sealedColumns(t *testing.T) (all []string) {
	t.Helper()
	files, err := filepath.Glob("../platform/db/migrations/*.sql")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d migrations, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?s)CREATE TABLE (\w+) \(\n(.*?)\n\);`).FindAllStringSubmatch(string(text), -1) {
			for _, c := range regexp.MustCompile(`(?m)^  (\w+) sealed\b`).FindAllStringSubmatch(m[2], -1) {
				all = append(all, m[1]+"."+c[1])
			}
		}
		for _, m := range regexp.MustCompile(`ALTER TABLE (\w+) ADD COLUMN (\w+) sealed\b`).FindAllStringSubmatch(string(text), -1) {
			all = append(all, m[1]+"."+m[2])
		}
	}
	return all
}

// written is what lies in each column: all of it that is not empty.
func written(t *testing.T, p config.Place, columns []string) map[string][][]byte {
	t.Helper()
	driver, url := "sqlite", filepath.Join(p.Data, "icouch.db")
	if p.Database != "" {
		driver, url = "pgx", p.Database
	}
	d, err := sql.Open(driver, url)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	all := map[string][][]byte{}
	for _, column := range columns {
		table, name, _ := strings.Cut(column, ".")
		rows, err := d.QueryContext(t.Context(), "SELECT "+name+" FROM "+table+" WHERE "+name+" IS NOT NULL")
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var value []byte
			if err := rows.Scan(&value); err != nil {
				t.Fatal(err)
			}
			all[column] = append(all[column], value)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// everythingSealed puts something into each sealed column that outlives a day.
func everythingSealed(t *testing.T, d *db.DB, owner access.Actor, client id.Client) {
	t.Helper()
	change := func(fn func(tx *db.Tx) error) {
		t.Helper()
		if err := d.Update(t.Context(), fn); err != nil {
			t.Fatal(err)
		}
	}
	address := func(s string) email.Address {
		a, err := email.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	made := func(tx *db.Tx, name, to string) (id.Account, error) {
		return account.Make(tx, access.Guest(), account.New{Name: name, Email: address(to), Password: "x", Verified: true})
	}
	born, err := civil.ParseDate("1990-02-03")
	if err != nil {
		t.Fatal(err)
	}
	change(func(tx *db.Tx) error {
		c, err := people.Find(tx, owner, client)
		if err != nil {
			return err
		}
		c.Born = born
		_, err = people.Edit(tx, owner, client, c.Version, c.Details)
		return err
	})
	change(func(tx *db.Tx) error { // a note to an invitation
		c := id.New[id.Client](tx.Now().Time)
		d := people.Details{Name: people.Name{First: "Lena", Last: "Marsh"}, Email: address("lena@example.com"), EmailConsent: true}
		if err := people.Create(tx, owner, c, d, false); err != nil {
			return err
		}
		return people.Invite(tx, owner, c, "See you on Monday")
	})
	change(func(tx *db.Tx) error {
		return team.Invite(tx, owner, team.Draft{Name: "Nora New", Email: address("nora@practice.test"), Role: access.Biller})
	})
	change(func(tx *db.Tx) error { // an emergency
		noor, err := made(tx, "Noor Haddad", "noor@practice.test")
		if err != nil {
			return err
		}
		by, err := people.Join(tx, owner, noor, access.Practitioner)
		if err != nil {
			return err
		}
		return team.Open(tx, by, client, "They stood at the door")
	})
	change(func(tx *db.Tx) error { // a request that support was asked
		wanda, err := made(tx, "Wanda Reed", "wanda@example.com")
		if err != nil {
			return err
		}
		if _, err := people.Found(tx, access.AsPerson(wanda), "Wanda’s", "Europe/London"); err != nil {
			return err
		}
		_, err = support.Ask(tx, access.Operator(), wanda, "She called, and means to be a client")
		return err
	})
	var lost id.Practitioner
	change(func(tx *db.Tx) error { // a colleague who has lost everything, asked for by one of two other owners
		olga, err := made(tx, "Olga Stone", "olga@practice.test")
		if err != nil {
			return err
		}
		if _, err := people.Join(tx, owner, olga, access.Owner); err != nil {
			return err
		}
		nils, err := made(tx, "Nils Brook", "nils@practice.test")
		if err != nil {
			return err
		}
		member, err := people.Join(tx, owner, nils, access.Scheduler)
		lost = member.Practitioner()
		return err
	})
	if err := d.Exec(t.Context(), "UPDATE practitioner SET role_since = 1"); err != nil { // they have been owners for a while
		t.Fatal(err)
	}
	change(func(tx *db.Tx) error { return recovery.Ask(tx, owner, lost, "Spoken on the telephone") })
	change(func(tx *db.Tx) error { // a minor, and the parent who is to act for them
		minor, parent := id.New[id.Client](tx.Now().Time), id.New[id.Contact](tx.Now().Time)
		if err := people.Create(tx, owner, minor, people.Details{Name: people.Name{First: "Milo", Last: "Marsh"}, Born: born}, false); err != nil {
			return err
		}
		if err := people.SetMinor(tx, owner, minor, born, born); err != nil {
			return err
		}
		d, err := contact.Draft{Name: "Greta Marsh", Relation: "parent", Email: "greta@example.com", Mobile: "+1 212 555 0100", Basis: "Parental responsibility", Rights: []string{"appointments"}, Until: tx.Now().AddDate(1, 0, 0).Format(time.DateOnly)}.Read()
		if err != nil {
			return err
		}
		if err := contact.Add(tx, owner, minor, parent, d); err != nil {
			return err
		}
		return contact.Invite(tx, owner, minor, parent)
	})
	change(func(tx *db.Tx) error { // a joint record
		return joint.Make(tx, owner, id.New[id.Joint](tx.Now().Time), client, joint.Details{Kind: joint.Couple, Name: "The Vances"})
	})
	var talk id.Conversation
	change(func(tx *db.Tx) (err error) { // words between colleagues, changed, and an absence
		if talk, err = chat.Start(tx, owner, chat.To{Member: lost}); err != nil {
			return err
		}
		m := id.New[id.Message](tx.Now().Time)
		if _, err := chat.Send(tx, owner, talk, m, "Do you still have the kee?"); err != nil {
			return err
		}
		if err := chat.Edit(tx, owner, talk, m, "Do you still have the key?"); err != nil {
			return err
		}
		return chat.GoAway(tx, owner, chat.Away{ID: id.New[id.Away](tx.Now().Time), Begins: tx.Now(), Ends: tx.Now().Plus(time.Hour), Words: "Back in an hour"})
	})
	if err := chat.KeepDraft(t.Context(), d, owner, talk, chat.Begun{Body: "And another"}); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	files, err := blob.Open(blob.NewFolder(filepath.Join(dir, "files")), filepath.Join(dir, "growth"))
	if err != nil {
		t.Fatal(err)
	}
	porter, queue := &chat.Porter{DB: d, Files: files, Studio: media.NewStudio()}, jobs.NewQueue(d, nil)
	porter.Register(queue)
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 2, 2))); err != nil {
		t.Fatal(err)
	}
	if _, err := porter.Take(t.Context(), owner, talk, chat.Draft{ID: id.New[id.Attachment](time.Now()), Name: "key.png"}, &picture); err != nil {
		t.Fatal(err)
	}
	if _, err := queue.RunDue(t.Context()); err != nil { // and its copies
		t.Fatal(err)
	}
	a, p := owner.Account(), id.New[id.Passkey](time.Now())
	var seed, name crypt.Sealed
	err = d.View(t.Context(), func(tx *db.Tx) error {
		key, err := keys.Of(tx, keys.Installation)
		if err != nil {
			return err
		}
		if seed, err = key.Seal("JBSWY3DPEHPK3PXP", crypt.Place("authenticator.seed", keys.Installation, a)); err != nil {
			return err
		}
		name, err = key.Seal("My phone", crypt.Place("passkey.name", keys.Installation, p))
		return err
	})
	err = errors.Join(err,
		d.Exec(t.Context(), "INSERT INTO authenticator (account_id, seed, step, created_at) VALUES ($1, $2, 0, 0)", a.String(), []byte(seed)),
		d.Exec(t.Context(), `INSERT INTO passkey (account_id, id, credential, public_key, sign_count, flags, aaguid, transports, attestation, name, created_at)
			VALUES ($1, $2, $3, $3, 0, 0, $3, '', '', $4, 0)`, a.String(), p.String(), []byte("credential"), []byte(name)))
	if err != nil {
		t.Fatal(err)
	}
}

// wordsOpen fails the test unless what was written reads as it did.
func wordsOpen(t *testing.T, d *db.DB, owner access.Actor) {
	t.Helper()
	err := d.View(t.Context(), func(tx *db.Tx) error {
		all, err := chat.Conversations(tx, owner)
		if err != nil || len(all) != 1 {
			return fmt.Errorf("%d conversations: %w", len(all), err)
		}
		place, err := chat.PlaceOf(tx, all[0].Conversation)
		if err != nil {
			return err
		}
		unsent, err := chat.Unsent(tx, owner, all[0].Conversation)
		if err != nil || len(unsent) != 1 || unsent[0].Name != "key.png" || unsent[0].Width != 2 {
			return fmt.Errorf("the files are %+v: %w", unsent, err)
		}
		if _, err := chat.Open(tx, owner, all[0].ID, unsent[0].ID, true); err != nil {
			return err
		}
		aways, err := chat.Aways(tx, owner)
		if all[0].Last.Body != "Do you still have the key?" || place.Draft != "And another" || len(aways) != 1 || aways[0].Words != "Back in an hour" {
			t.Errorf("it reads %+v, the draft %q, the absences %+v", all[0].Last, place.Draft, aways)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// Every sealed column of the schema is sealed anew by a rotation, or stands in
// the list of those that live too short to need it.
func TestARotationSealsEveryColumnAnew(t *testing.T) {
	t.Parallel()
	o, p, _ := office(t)
	owner, client := settle(t, o, p)
	columns := sealedColumns(t)
	if len(columns) < 20 {
		t.Fatalf("premise: only %d sealed columns were found: %v", len(columns), columns)
	}
	open(t, o, p, func(d *db.DB) { everythingSealed(t, d, owner, client) })
	before := written(t, p, columns)
	for range 2 { // the second opens what the first has sealed, at its place
		if err := (&cli.RotateKeys{Place: p, Fields: true}).Run(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	after := written(t, p, columns)
	for _, c := range columns {
		if keepTheirKey[c] != "" {
			continue
		}
		if len(before[c]) == 0 || len(after[c]) != len(before[c]) {
			t.Errorf("%d values lie in %s, and %d after: put one there, so that its rotation is seen", len(before[c]), c, len(after[c]))
		}
		for _, value := range after[c] {
			if slices.ContainsFunc(before[c], func(was []byte) bool { return bytes.Equal(was, value) }) {
				t.Errorf("%s keeps what the old key sealed", c)
			}
		}
	}
	open(t, o, p, func(d *db.DB) {
		everythingOpens(t, d, owner, client)
		wordsOpen(t, d, owner)
	})
	for c := range keepTheirKey {
		if !slices.Contains(columns, c) {
			t.Errorf("%s is no sealed column", c)
		}
	}
}
