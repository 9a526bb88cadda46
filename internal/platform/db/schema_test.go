package db

import (
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The schema is read from the migrations themselves, so that a table that is
// added is tested without anybody's thinking of it.

type table struct {
	name    string
	columns []column
	refs    []ref
}

type column struct {
	name, typ string
	needed    bool
	oneOf     string
}

type ref struct {
	from, to []string
	table    string
}

func (t table) has(name string) bool {
	return slices.ContainsFunc(t.columns, func(c column) bool { return c.name == name && c.needed })
}

var (
	tableText  = regexp.MustCompile(`(?s)CREATE TABLE (\w+) \(\n(.*?)\n\);`)
	dropText   = regexp.MustCompile(`ALTER TABLE (\w+) DROP COLUMN (\w+);`)
	columnText = regexp.MustCompile(`^  (\w+) (TEXT|BIGINT|BYTEA|BOOLEAN|instant|sealed)\b(.*)`)
	inlineRef  = regexp.MustCompile(`REFERENCES (\w+) \((\w+)\)`)
	wholeRef   = regexp.MustCompile(`FOREIGN KEY \(([^)]*)\) REFERENCES (\w+) \(([^)]*)\)`)
	oneOfText  = regexp.MustCompile(`CHECK \(\w+ IN \('(\w+)'`)
)

func schema(t *testing.T) map[string]table {
	all := map[string]table{}
	err := fs.WalkDir(migrations, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(migrations, path)
		for _, m := range tableText.FindAllStringSubmatch(string(text), -1) {
			all[m[1]] = tableOf(m[1], m[2])
		}
		for _, m := range dropText.FindAllStringSubmatch(string(text), -1) {
			t := all[m[1]]
			t.columns = slices.DeleteFunc(t.columns, func(c column) bool { return c.name == m[2] })
			all[m[1]] = t
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func tableOf(name, body string) table {
	t := table{name: name}
	for line := range strings.Lines(body) {
		if m := wholeRef.FindStringSubmatch(line); m != nil {
			t.refs = append(t.refs, ref{strings.Split(m[1], ", "), strings.Split(m[3], ", "), m[2]})
			continue
		}
		m := columnText.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		c := column{name: m[1], typ: m[2], needed: strings.Contains(m[3], "NOT NULL") || strings.Contains(m[3], "PRIMARY KEY")}
		if one := oneOfText.FindStringSubmatch(line); one != nil {
			c.oneOf = one[1]
		}
		if r := inlineRef.FindStringSubmatch(line); r != nil {
			t.refs = append(t.refs, ref{[]string{c.name}, []string{r[2]}, r[1]})
		}
		t.columns = append(t.columns, c)
	}
	return t
}

// loose are the columns that name somebody and are no reference, with the reason.
var loose = map[string]string{
	"practice_key.practice_id":  "the installation has a key and is no practice",
	"audit.practice_id":         "the installation has a trail and is no practice",
	"audit.account_id":          "the trail outlives whom it names",
	"audit.client_id":           "the trail outlives whom it names",
	"audit_head.practice_id":    "the installation has a trail and is no practice",
	"sighting.practice_id":      "made from the trail",
	"sighting.client_id":        "made from the trail, which outlives whom it names",
	"sighting.account_id":       "made from the trail, which outlives whom it names",
	"sighting_head.practice_id": "made from the trail",
	"session.practice_id":       "where a person is: proved again with each request",
	"session.client_id":         "where a person is: proved again with each request",
	"letter.practice_id":        "the installation sends letters and is no practice",
	"letter.client_id":          "a note of whom it was about: nothing is looked up by it within another practice",
	"letter.account_id":         "a note of whom it was about",
	"recovery.practice_id":      "support asks for it and is no practice",
	"invitation.practice_id":    "by way of the client",
	"message.author_id":         "a client or a member, as they stand in the conversation",
	"attachment.author_id":      "a client or a member, as they stand in the conversation",
	"reading.reader_id":         "a client or a member, as they stand in the conversation",
	"chat_choice.reader_id":     "a client or a member, as they stand in their conversations",
	"record_key.owner_id":       "a client or a conversation: what the key is sealed for says which",
}

// TestEveryReferenceStaysWithinThePractice reads the schema's text.
func TestEveryReferenceStaysWithinThePractice(t *testing.T) {
	t.Parallel()
	tables, used := schema(t), map[string]bool{}
	if len(tables) < 14 {
		t.Fatalf("only %d tables were read", len(tables))
	}
	for _, from := range tables {
		for _, r := range from.refs {
			to := tables[r.table]
			if from.has("practice_id") && to.has("practice_id") && (r.from[0] != "practice_id" || r.to[0] != "practice_id") {
				t.Errorf("%s%v refers to %s without the practice", from.name, r.from, r.table)
			}
		}
		for _, c := range from.columns {
			if !strings.HasSuffix(c.name, "_id") {
				continue
			}
			tied := slices.ContainsFunc(from.refs, func(r ref) bool {
				return slices.Contains(r.from, c.name) && (c.name != "practice_id" || len(r.from) == 1)
			})
			name := from.name + "." + c.name
			if !tied && loose[name] == "" {
				t.Errorf("%s names somebody and is no reference", name)
			}
			used[name] = used[name] || !tied
		}
	}
	for name := range loose {
		if !used[name] {
			t.Errorf("%s needs no exception", name)
		}
	}
}

// TestNoRowPointsIntoAnotherPractice tries, with each reference of the schema.
func TestNoRowPointsIntoAnotherPractice(t *testing.T) {
	t.Parallel()
	for engine, url := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			d, tables, tried := reopen(t, url), schema(t), 0
			s := &sower{t: t, d: d, tables: tables}
			for _, name := range []string{"account", "practice", "practitioner", "letter", "client", "invitation", "contact", "conversation", "message", "away"} {
				for _, p := range []string{"ours", "theirs"} {
					if err := s.sow(tables[name], p, wholeOf(name, p), false); err != nil {
						t.Fatalf("premise: %s of %s: %v", name, p, err)
					}
				}
			}
			for _, from := range tables {
				for _, r := range from.refs {
					last := r.from[len(r.from)-1]
					wrong := map[string]any{last: "nobody's"}
					if len(r.from) == 2 {
						wrong[last] = r.table + " theirs"
					}
					if from.name == "invitation" {
						wrong["state"] = "used" // of live ones there is one
					}
					for column, value := range whole[from.name] {
						if _, told := wrong[column]; !told {
							wrong[column] = value
						}
					}
					if r.from[len(r.from)-1] == "other_id" {
						wrong["kind"], wrong["client_id"], wrong["other_id"] = "colleagues", nil, "practitioner theirs"
					}
					tried++
					if err := s.sow(from, "ours", wrong, true); !Dangling(err) {
						t.Errorf("%s of ours with %v: %v, want to be refused", from.name, wrong, err)
					}
				}
			}
			if tried < 10 {
				t.Errorf("only %d references were tried", tried)
			}
		})
	}
}

// whole is what some tables want beside: columns that have to fit together.
var whole = map[string]map[string]any{
	"conversation": {"client_id": "client ours", "practitioner_id": "practitioner ours", "other_id": nil},
	"away":         {"begins_at": 1, "ends_at": 2},
}

func wholeOf(table, practice string) map[string]any {
	all := map[string]any{}
	for column, value := range whole[table] {
		if text, ok := value.(string); ok {
			value = strings.Replace(text, "ours", practice, 1)
		}
		all[column] = value
	}
	return all
}

// sower makes rows that are right, but for what it is told.
type sower struct {
	t      *testing.T
	d      *DB
	tables map[string]table
	n      int
}

func (s *sower) sow(to table, practice string, wrong map[string]any, second bool) error {
	var names, marks []string
	var values []any
	s.n++
	for _, c := range to.columns {
		v, ok := wrong[c.name]
		if !ok {
			v = s.value(to, c, practice, second)
		}
		if v == nil {
			continue
		}
		names, values = append(names, c.name), append(values, v)
		marks = append(marks, fmt.Sprint("$", len(values)))
	}
	_, err := s.d.write.ExecContext(s.t.Context(), "INSERT INTO "+to.name+" ("+strings.Join(names, ", ")+") VALUES ("+strings.Join(marks, ", ")+")", values...)
	return err
}

// value is what stands in a column: identifiers are "<table> <practice>".
func (s *sower) value(to table, c column, practice string, second bool) any {
	for _, r := range to.refs {
		if c.name == r.from[len(r.from)-1] {
			if r.table == "practice" {
				return "practice " + practice
			}
			return r.table + " " + practice
		}
	}
	switch {
	case c.oneOf != "":
		return c.oneOf
	case c.name == "practice_id":
		return "practice " + practice
	case c.name == "id" && second:
		return fmt.Sprint(to.name, " ", practice, " ", s.n)
	case c.name == "id":
		return to.name + " " + practice
	case !c.needed:
		return nil
	}
	switch c.typ {
	case "TEXT":
		return fmt.Sprint("text ", s.n)
	case "BOOLEAN":
		return true
	case "BYTEA", "sealed":
		return fmt.Append(nil, "bytes ", s.n)
	}
	return s.n
}

func TestEveryTableIsStrict(t *testing.T) {
	t.Parallel()
	d := reopen(t, liteURL(t))
	for name := range schema(t) {
		var text string
		err := d.write.QueryRowContext(t.Context(), "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = $1", name).Scan(&text)
		if err != nil || !strings.HasSuffix(text, ") STRICT, WITHOUT ROWID") {
			t.Errorf("%s: %v; ends with %q", name, err, text[max(0, len(text)-30):])
		}
	}
	err := d.Exec(t.Context(), "INSERT INTO practice (id, name, zone, steps_hidden, founder_id, created_at) VALUES ('p', 'n', 'z', 0, 'a', 'yesterday')")
	if err == nil || !strings.Contains(err.Error(), "cannot store TEXT") {
		t.Errorf("a text was stored as a time: %v", err)
	}
}

// SQLite makes the table of practices anew. Nothing of one is lost by that, and
// nothing that refers to one is left hanging; if something is, nothing is done.
func TestTheTableOfPracticesIsMadeAnewWithAllThatRefersToIt(t *testing.T) {
	t.Parallel()
	d := reopen(t, liteURL(t))
	s := &sower{t: t, d: d}
	all := schema(t)
	for _, practice := range []string{"ours", "theirs"} {
		for _, name := range []string{"account", "practice", "practitioner"} {
			if err := s.sow(all[name], practice, nil, false); err != nil {
				t.Fatal(err)
			}
		}
	}
	text, err := migrations.ReadFile("migrations/lite/0034_found_again.sql")
	if err != nil {
		t.Fatal(err)
	}
	again := func(and string) error {
		tx, err := d.write.BeginTx(t.Context(), nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		if _, err := tx.ExecContext(t.Context(), string(text)+and); err != nil {
			return err
		}
		return tx.Commit()
	}
	read := func() (rows string) {
		t.Helper()
		err := d.write.QueryRowContext(t.Context(), "SELECT group_concat(id || ' ' || founder_id || ' ' || created_at || ' ' || idle_client, ', ') FROM practice").Scan(&rows)
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}
	before := read()
	if err := again("DELETE FROM practice WHERE id = 'practice theirs';"); !Dangling(err) || read() != before {
		t.Errorf("a practice with members is lost by the way: %v, %s", err, read())
	}
	if err := again(""); err != nil || read() != before || !strings.Contains(before, "practice theirs account theirs") {
		t.Errorf("%v; there were %s and are %s", err, before, read())
	}
	if err := s.sow(all["practitioner"], "nobody's", map[string]any{"account_id": "account ours"}, true); !Dangling(err) {
		t.Errorf("afterwards a member of no practice is taken: %v", err)
	}
}

func TestLiteSpeech(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ said, want string }{
		{"CREATE TABLE a (\n  id TEXT PRIMARY KEY,\n  at instant NOT NULL,\n  n BIGINT,\n  on BOOLEAN,\n  s sealed,\n  b BYTEA\n);",
			"CREATE TABLE a (\n  id TEXT PRIMARY KEY,\n  at INTEGER NOT NULL,\n  n INTEGER,\n  on INTEGER,\n  s BLOB,\n  b BLOB\n) STRICT, WITHOUT ROWID;"},
		{"ALTER TABLE a ADD COLUMN until instant;", "ALTER TABLE a ADD COLUMN until INTEGER;"},
		{"CREATE INDEX a_at ON a (at) WHERE at IS NOT NULL;", "CREATE INDEX a_at ON a (at) WHERE at IS NOT NULL;"},
	} {
		if got := liteTypes.Replace(c.said); got != c.want {
			t.Errorf("got  %q\nwant %q", got, c.want)
		}
	}
	for _, c := range []struct{ said, want string }{
		{"SELECT a FROM b WHERE c = $1 FOR UPDATE", "SELECT a FROM b WHERE c = $1 "},
		{"UPDATE a SET b = 1 WHERE id IN (SELECT id FROM a LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id", "UPDATE a SET b = 1 WHERE id IN (SELECT id FROM a LIMIT 1 ) RETURNING id"},
	} {
		if got := liteStatement(c.said); got != c.want {
			t.Errorf("got  %q\nwant %q", got, c.want)
		}
	}
}

func TestEachEngineHasItsMigrations(t *testing.T) {
	t.Parallel()
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		t.Fatal(err)
	}
	names, err := lite{dir}.Glob("*.sql")
	if err != nil || len(names) < 2 || names[0] != "0002_foundation.sql" || !slices.Contains(names, "0003_append_only.sql") || !slices.IsSorted(names) {
		t.Errorf("SQLite has %v, %v", names, err)
	}
	if slices.ContainsFunc(names, func(n string) bool { return strings.Contains(n, "postgres") }) {
		t.Errorf("SQLite has PostgreSQL's: %v", names)
	}
}

// named is a query of a queries.sql file: its name and its words.
var named = regexp.MustCompile(`(?s)-- name: (\w+) :\w+\n(.*?);\s*?(?:\n|$)`)

// longWalks are the queries that are about a whole practice, or about
// everything there is.
var longWalks = map[string]bool{
	"people.EverybodysInvitations": true, "people.Practitioners": true,
	// A practice has a few members, and its members' lists are short beside its clients'.
	"people.EverybodysMinors": true, "people.ResealMinors": true,
	"people.UntoldMinors": true, // the clock comes for all: of those whose day is sealed, each is looked at
	"chat.ReplyTime":      true, // a practice has one row
	"chat.ResealDrafts":   true, "chat.ResealAways": true,
	"people.Standing": true, "people.OtherOwners": true, "people.OthersAtWork": true,
	"people.EndClientsLinks": true, "people.EndContactsLinks": true, "people.EndTeamLinks": true, "people.EndRecoveries": true, "people.ContactToldOfClosing": true, // a practice closes
	"people.EndSupervision": true, "people.EndColleaguesLinks": true, "people.EndVouchesBy": true,
	"team.SentBefore":   true, // reads twenty rows of it
	"team.Supervisions": true, "team.EmergenciesOf": true, "team.Emergencies": true, "team.Listed": true, "team.EndLiveBy": true,
	"team.ResealInvitations": true, "team.ResealEmergencies": true, "team.CaseloadOf": true,
	// A practice's joint records are few beside its clients.
	"joint.All": true, "joint.AllPeople": true, "team.HandOverJoints": true,
	"recovery.Newest": true, "support.Supporters": true, "support.Newest": true, "account.DueDeletions": true, "account.DropLinks": true,
	"account.SweepEntries": true, "account.SweepChallenges": true,
	"letter.Waiting": true, "letter.WaitingOf": true, "audit.Chains": true, "keys.Owners": true, "jobs.Waiting": true,
	"account.SweepDevices": true, "account.SweepForms": true, "account.SweepLinks": true, "account.SweepSessions": true, "account.SweepSignUps": true,
}

// A query about one client that goes through all of the practice's is quick in
// every test and slow where it matters.
func TestNoQueryWalksThroughAWholePractice(t *testing.T) {
	t.Parallel()
	d := reopen(t, liteURL(t))
	files, err := filepath.Glob("../../*/queries.sql")
	more, err2 := filepath.Glob("../*/queries.sql")
	if files = append(files, more...); err != nil || err2 != nil || len(files) < 7 {
		t.Fatalf("%d files with queries, %v, %v", len(files), err, err2)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range named.FindAllStringSubmatch(string(text), -1) {
			name := filepath.Base(filepath.Dir(file)) + "." + q[1]
			if walk := walks(t, d, q[2]); (walk != "") != longWalks[name] {
				t.Errorf("%s walks: %q, want it to: %t", name, walk, longWalks[name])
			}
		}
	}
}

// walks returns the step of a query's plan that goes through a whole table, or
// through all that a practice has in it.
func walks(t *testing.T, d *DB, query string) (step string) {
	t.Helper()
	var args []any
	for _, p := range regexp.MustCompile(`@\w+`).FindAllString(query, -1) {
		args = append(args, sql.Named(p[1:], "x"))
	}
	rows, err := d.write.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+liteStatement(query), args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	for rows.Next() {
		var a, b, c int
		var detail string
		if err := rows.Scan(&a, &b, &c, &detail); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(detail, "SCAN") && !strings.Contains(detail, "json_each") || strings.HasSuffix(detail, "PRIMARY KEY (practice_id=?)") {
			if !ofOne[detail] {
				step = detail
			}
		}
	}
	return step
}

// ofOne are tables that have one row for a practice.
var ofOne = map[string]bool{"SEARCH practice_key USING PRIMARY KEY (practice_id=?)": true, "SEARCH audit_head USING PRIMARY KEY (practice_id=?)": true, "SEARCH sighting_head USING PRIMARY KEY (practice_id=?)": true}
