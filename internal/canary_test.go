package internal

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/hex"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"unicode/utf16"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/account/password"
	"icouch/internal/base/email"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/base/sheet"
	"icouch/internal/contact"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/world"
)

// Each personal field is filled with a word that stands nowhere else. None of
// them may be found in what is stored, in any form a thief would look for.

const inTheClear = "Practice Zzclear" // the practice's name is no secret: it must be found, or the search is blind

func TestNothingPersonalStandsInTheDatabase(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	var mu sync.Mutex
	var told []string
	w.DB.Watch(func(topic string) { mu.Lock(); told = append(told, topic); mu.Unlock() })
	canaries := lead(t, w)
	stored := stored(t, w)
	if !bytes.Contains(stored, []byte(inTheClear)) {
		t.Fatal("premise: the practice's name is not found")
	}
	for _, m := range w.Mail.Sent() {
		told = append(told, m.Subject)
	}
	mu.Lock()
	said := strings.ToLower(strings.Join(told, "\n"))
	mu.Unlock()
	haystacks := append(unpacked(stored), stored)
	for _, c := range canaries {
		for form, needle := range forms(c) {
			for _, hay := range haystacks {
				if bytes.Contains(bytes.ToLower(hay), bytes.ToLower(needle)) {
					t.Errorf("%q stands in the database as %s", c, form)
				}
			}
		}
		if strings.Contains(said, strings.ToLower(c)) {
			t.Errorf("%q stands in a topic or a subject", c)
		}
	}
	if len(canaries) < 18 {
		t.Errorf("only %d canaries", len(canaries))
	}
}

// lead leads people through everything that takes something personal, and
// returns all of it.
func lead(t *testing.T, w *world.World) (canaries []string) {
	t.Helper()
	address := func(s string) email.Address {
		a, err := email.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	owner := w.Account(t, "Zzowner Zzboss", "zzowner@zzhouse.test")
	var by access.Actor
	w.Update(t, func(tx *db.Tx) (err error) {
		by, err = people.Found(tx, access.AsPerson(owner), inTheClear, "Europe/London")
		return err
	})
	c := w.Client(t, by, people.Draft{First: "Zzfirst", Last: "Zzlast", Preferred: "Zzpreferred", Email: "zzclient@zzmail.test", Mobile: "+44 7700 900977",
		Address: "77 Zzstreet, Zztown", Year: "1977", Month: "7", Day: "17", EmailConsent: true})
	w.Update(t, func(tx *db.Tx) error { return people.Invite(tx, by, c, "Zznote: see you") })
	w.RunJobs(t)
	token := w.Link(t, "zzclient@zzmail.test", "/join/")
	w.Pass(2 * 60e9)
	w.Update(t, func(tx *db.Tx) error { return people.Resend(tx, by, c, "Zzsecond note") })
	w.RunJobs(t)
	second := w.Link(t, "zzclient@zzmail.test", "/join/")
	hash, err := w.Doorman.Hash(t.Context(), "zzpassword of seven winds", password.Context{})
	if err != nil {
		t.Fatal(err)
	}
	w.Update(t, func(tx *db.Tx) error {
		_, err := people.SignUp(tx, access.Guest(), secret.ParseToken(second), hash)
		return err
	})
	w.Update(t, func(tx *db.Tx) error {
		return account.AskReset(tx, access.Guest(), address("zzclient@zzmail.test"))
	})
	w.Update(t, func(tx *db.Tx) error {
		return account.BeginSignUp(tx, access.Guest(), "Zznewcomer", address("zznew@zzmail.test"))
	})
	w.Update(t, func(tx *db.Tx) error {
		found, err := people.Find(tx, by, c)
		if err != nil {
			return err
		}
		d := found.Details
		d.Name.Last, d.Address = "Zzmarried", "78 Zzlane"
		_, err = people.Edit(tx, by, c, found.Version, d)
		return err
	})
	guardian, err := contact.Draft{Name: "Zzguardian", Relation: "guardian", Email: "zzguard@zzmail.test", Mobile: "+44 7700 900966", Basis: "Zzcourt order",
		Rights: []string{"forms"}, Until: "2030-12-31"}.Read()
	if err != nil {
		t.Fatal(err)
	}
	one := id.New[id.Contact](w.Now())
	w.Update(t, func(tx *db.Tx) error { return contact.Add(tx, by, c, one, guardian) })
	w.Update(t, func(tx *db.Tx) error { return contact.Invite(tx, by, c, one) })
	w.RunJobs(t)
	third := w.Link(t, "zzguard@zzmail.test", "/contact/")
	rows, err := sheet.Read([]byte("First name,Last name,E-mail\nZzimported,Zzrow,zzimport@zzmail.test\n"), sheet.Limits{Bytes: 1000, Rows: 10, Columns: 10})
	if err != nil {
		t.Fatal(err)
	}
	w.Update(t, func(tx *db.Tx) error { _, err := people.Import(tx, by, rows); return err })
	if _, err := w.Doorman.SignIn(t.Context(), "zzclient@zzmail.test", "zzwrong password here", "192.0.2.177", secret.Token{}); err == nil {
		t.Fatal("premise: signed in with a wrong password")
	}
	if _, err := w.Doorman.SignIn(t.Context(), "zzclient@zzmail.test", "zzpassword of seven winds", "192.0.2.177", secret.Token{}); err != nil {
		t.Fatal(err)
	}
	w.MailFails(os.ErrDeadlineExceeded) // letters that wait, with their content
	w.Update(t, func(tx *db.Tx) error {
		return account.BeginSignUp(tx, access.Guest(), "Zzwaiting", address("zzwaits@zzmail.test"))
	})
	w.RunJobs(t)
	return []string{"Zzowner", "Zzboss", "zzhouse.test", "Zzfirst", "Zzlast", "Zzpreferred", "zzclient@", "zzmail.test", "7700900977", "7700 900977", "Zzstreet", "Zztown",
		"1977-07-17", "Zznote", "Zzsecond", "zzpassword", "zzwrong", token, second, "Zznewcomer", "zznew@", "Zzmarried", "Zzlane", "Zzimported", "Zzrow", "zzimport@",
		"192.0.2.177", "Zzwaiting", "zzwaits@", "Zzguardian", "zzguard@", "7700900966", "7700 900966", "Zzcourt", third}
}

// stored is every byte of the database: its files and a copy of it, or a dump.
func stored(t *testing.T, w *world.World) (all []byte) {
	t.Helper()
	if world.OnPostgres() {
		dump, err := exec.CommandContext(t.Context(), "pg_dump", "--inserts", w.DB.URL).Output()
		if err != nil {
			t.Fatal(err)
		}
		return dump
	}
	snapshot := filepath.Join(t.TempDir(), "copy.db")
	if err := w.DB.Snapshot(t.Context(), snapshot); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{w.DB.URL, w.DB.URL + "-wal", w.DB.URL + "-shm", snapshot} {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	return all
}

// forms are the ways in which a word may be written.
func forms(s string) map[string][]byte {
	all := map[string][]byte{"text": []byte(s), "hex": []byte(hex.EncodeToString([]byte(s)))}
	for i, pad := range []string{"", "x", "xx"} { // whatever stands before it
		b := base64.StdEncoding.EncodeToString([]byte(pad + s))
		from, to := (i*4+2)/3, (len(pad)+len(s))/3*4
		all["base64, "+pad] = []byte(b[from:to])
	}
	var little, big []byte
	for _, u := range utf16.Encode([]rune(s)) {
		little, big = append(little, byte(u), byte(u>>8)), append(big, byte(u>>8), byte(u))
	}
	all["UTF-16LE"], all["UTF-16BE"] = little, big
	return all
}

// unpacked is whatever was packed with zlib or gzip.
func unpacked(b []byte) (all [][]byte) {
	for i := 0; i+12 < len(b); i++ {
		skip := 0
		switch {
		case b[i] == 0x1f && b[i+1] == 0x8b && b[i+2] == 8:
			skip = 10
		case b[i] == 0x78 && (uint16(b[i])<<8|uint16(b[i+1]))%31 == 0:
			skip = 2
		default:
			continue
		}
		if text, _ := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(b[i+skip:])), 1<<20)); len(text) > 16 {
			all = append(all, text)
		}
	}
	return all
}
