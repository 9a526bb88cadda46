package web

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"go/parser"
	"go/token"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"icouch/internal/base/id"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/world"
)

// The zoo, second part: what is written to one another, and what is attached.

// Mattermost and Focalboard handed out a file to whoever knew its identifier,
// one of them by a second door to it. Here every door that has a file in its
// address is tried, by the conversation it is in and by one's own.
func TestCVE_2026_3473_2026_28736_AnothersFileIsNotFoundByAnyDoor(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	lena := k.w.Client(t, k.w.Noor, people.Draft{First: "Lena", Last: "Marsh", Email: "lena@example.com", EmailConsent: true})
	k.w.Linked(t, lena, "lena@example.com")
	const sent, waits = "words for Mara alone", "not sent yet"
	k.theo.filed(k.at, k.message("One"), [2]string{"a.txt", sent}).leads(t, k.at+"#end")
	at := k.fileOn(t, k.mara)
	f := at[strings.LastIndex(at, "/")+1:]
	w := id.New[id.Attachment](k.w.Now()).String()
	heardOf(t, k.theo.post(k.at+"/files", form("file", w, "name", "b.txt", "size", "12")), 200)
	heardOf(t, k.theo.raw("POST", k.at+"/files/"+w+"/part?offset=0", waits, "application/octet-stream"), 200)

	doors := 0
	for _, who := range []string{noor, "lena@example.com", "ines@nextdoor.test", mara} {
		b := k.browser(t, k.w).as(who)
		own, named, files := "", "member", []string{f, w}
		switch who {
		case noor:
			own = k.w.Mara.Practitioner().String()
		case "lena@example.com":
			own, named = b.partner(), "partner"
		case mara: // hers to open once it is sent, and not before; and by its own conversation alone
			own, files = k.w.Noor.Practitioner().String(), []string{w}
		}
		places := []string{k.at}
		if own != "" {
			a := b.post("/messages", form(named, own))
			if own = a.Header().Get("Location"); !strings.HasPrefix(own, "/messages/") {
				t.Fatalf("%s has no conversation: %d", who, a.Code)
			}
			places = append(places, own)
		}
		for _, rt := range routes {
			if !strings.Contains(rt.pattern, "{file}") {
				continue
			}
			doors++
			verb, path, _ := strings.Cut(rt.pattern, " ")
			for _, place := range places {
				for _, file := range files {
					to := func(f string) string {
						return strings.NewReplacer("/messages/{conversation}", place, "{file}", f).Replace(path) + "?offset=0"
					}
					got := plainly(b.raw(verb, to(file), "x", "application/octet-stream"))
					unknown := id.New[id.Attachment](k.w.Now()).String()
					want := plainly(b.raw(verb, to(unknown), "x", "application/octet-stream"))
					if got != strings.ReplaceAll(want, unknown, file) {
						t.Errorf("%s, %s: another's file is told from none: %s", who, rt.pattern, difference(got, want))
					}
				}
			}
		}
		if own == "" {
			continue
		}
		for _, file := range []string{f, w} { // the second door: a message of one's own that says it has the file
			m := k.message("Mine")
			m.Set("attachment", file)
			if a := b.post(own, m); a.Code < 400 {
				t.Errorf("%s sends another's file: %d", who, a.Code)
			}
			a := b.post(own+"/files", form("file", file, "name", "c.txt", "size", "12"))
			if strings.Contains(a.text, "a.txt") || strings.Contains(a.text, "b.txt") || strings.Contains(b.get(own).text, file) {
				t.Errorf("%s begins a file by another's identifier: %d %s", who, a.Code, clip(a.text))
			}
		}
	}
	if doors < 5*4 {
		t.Errorf("only %d doors were tried", doors)
	}
	m := k.message("Two")
	m.Set("attachment", w)
	k.theo.post(k.at, m).leads(t, k.at+"#end")
	for file, want := range map[string]string{f: sent, w: waits} {
		if got := k.browser(t, k.w).get(k.mara.pass(k.at + "/files/" + file)); got.text != want {
			t.Errorf("afterwards it holds %q, want %q", got.text, want)
		}
	}
}

// bomb is an archive of little size that unpacks to a hundred megabytes.
func bomb(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("word/document.xml")
	zeros := make([]byte, 1<<20)
	for range 100 {
		if err == nil {
			_, err = w.Write(zeros)
		}
	}
	if err := errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// unpackers are the files that unpack something: what the program itself brought
// along, and a backup that its operator restores.
var unpackers = []string{"account/password/lists.go", "cli/backup.go", "web/assets/asset.go"}

// Mattermost unpacked archives that were attached, zip and 7-Zip, to search in
// them, and did not ask how large they would become. Nothing here unpacks what
// somebody attached.
func TestCVE_2026_3114_2026_6340_NothingThatIsAttachedIsUnpacked(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	for name, content := range map[string]string{"plan.docx": bomb(t), "all.zip": bomb(t), "all.7z": "7z\xbc\xaf\x27\x1c\x00\x04" + strings.Repeat("\xff", 24)} {
		k.theo.filed(k.at, k.message("Here"), [2]string{name, content}).leads(t, k.at+"#end")
		k.w.RunJobs(t)
		a := k.browser(t, k.w).get(k.mara.pass(k.fileOn(t, k.mara)))
		if a.text != content || !strings.HasPrefix(a.Header().Get("Content-Disposition"), "attachment") {
			t.Errorf("%s: %d bytes come out, want the %d that were attached", name, len(a.text), len(content))
		}
	}
	imported := importsOf(t)
	for file, all := range imported {
		for _, path := range all {
			if (strings.HasPrefix(path, "archive/") || strings.HasPrefix(path, "compress/")) && !slices.Contains(unpackers, file) {
				t.Errorf("%s imports %s: is it safe with what a stranger packed?", file, path)
			}
		}
	}
	if len(imported) < 100 {
		t.Errorf("only %d files were looked at", len(imported))
	}
}

// importsOf is what the program's files import, by their place under internal.
func importsOf(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(strings.TrimPrefix(path, ".."+string(filepath.Separator)))
		all[name] = []string{}
		for _, i := range f.Imports {
			all[name] = append(all[name], strings.Trim(i.Path.Value, `"`))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Mattermost took the place of a TIFF's directory, and how much to read there,
// from the file.
func TestCVE_2026_5755_NoTIFFIsDecoded(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	tiff := "II*\x00" + string(binary.LittleEndian.AppendUint32(nil, 0xfffffff0)) + strings.Repeat("\xff", 64)
	for _, name := range []string{"scan.tiff", "scan.jpg"} {
		k.theo.filed(k.at, k.message("Here"), [2]string{name, tiff}).leads(t, k.at+"#end")
		k.w.RunJobs(t)
		file := k.fileOn(t, k.mara)
		a := k.browser(t, k.w).get(k.mara.pass(file))
		if a.text != tiff || !strings.HasPrefix(a.Header().Get("Content-Disposition"), "attachment") {
			t.Errorf("%s: %q comes out", name, clip(a.text))
		}
		if p := k.mara.get(file + "/preview"); p.Code < 400 {
			t.Errorf("%s has a preview: %d", name, p.Code)
		}
	}
	for file, all := range importsOf(t) {
		for _, path := range all {
			if strings.Contains(path, "tiff") {
				t.Errorf("%s imports %s", file, path)
			}
		}
	}
}

// Mattermost made room for as much as a WebSocket's frame said was to come.
// What a page hears here goes one way: whoever asks to change to a WebSocket is
// not followed.
func TestCVE_2026_5740_NothingSpeaksWebSocket(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	server := httptest.NewServer(k.handler)
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	for _, path := range []string{k.at + "/stream", "/messages/stream", "/people/stream", "/people"} {
		ctx, stop := context.WithCancel(t.Context())
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = "icouch.test"
		for name, value := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="} {
			r.Header.Set(name, value)
		}
		for name, value := range k.mara.cookies {
			r.AddCookie(&http.Cookie{Name: name, Value: value})
		}
		a, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if a.StatusCode != http.StatusOK || a.Header.Get("Upgrade") != "" {
			t.Errorf("%s answers %d, %q", path, a.StatusCode, a.Header.Get("Upgrade"))
		}
		stop()
		a.Body.Close()
	}
	for file, all := range importsOf(t) {
		for _, path := range all {
			if strings.Contains(path, "websocket") || strings.Contains(path, "msgpack") {
				t.Errorf("%s imports %s", file, path)
			}
		}
	}
}

// Mattermost let whoever accepted an invitation keep its token: what was to be
// renewed came back the same. Here a link that is sent anew, and the session
// after signing in, are others, and the ones before are dead.
func TestCVE_2026_4273_WhatIsRenewedIsAnother(t *testing.T) {
	t.Parallel()
	w := newZoo(t)
	w.Update(t, func(tx *db.Tx) error { return people.Invite(tx, w.Noor, w.lena, "") })
	w.RunJobs(t)
	first := w.Link(t, "lena@example.com", "/join/")
	w.Pass(3 * time.Minute)
	w.noor.post(w.at(w.lena)+"/invitation/sendings", nil).leads(t, w.at(w.lena)+"?said=resent")
	w.RunJobs(t)
	second := w.Link(t, "lena@example.com", "/join/")
	if first == second {
		t.Error("the link that was sent anew is the one before")
	}
	guest := w.site.browser(t, w.World)
	if a := guest.post("/join/"+first, form("password", world.Password, "invitation", second)); a.Code == http.StatusSeeOther {
		t.Errorf("the link before makes an account: %d to %s", a.Code, a.Header().Get("Location"))
	}
	planted := w.theo.cookies[w.site.sessionCookie()]
	b := w.site.browser(t, w.World)
	b.cookies[w.site.sessionCookie()] = planted
	b.post("/sign-out", nil)
	b.cookies[w.site.sessionCookie()] = planted
	b.post("/sign-in", form("email", "theo@example.com", "password", world.Password))
	if got := b.cookies[w.site.sessionCookie()]; got == planted || got == "" {
		t.Errorf("signing in leaves the session that was planted (it is empty: %t)", got == "")
	}
	again := w.site.browser(t, w.World)
	again.cookies[w.site.sessionCookie()] = planted
	if a := again.get("/dashboard"); a.Code == http.StatusOK {
		t.Error("the session before works on")
	}
}

// Mattermost made an address to answer to from the name that a request came to.
func TestCVE_2026_6333_TheNameOfARequestIsInNoLink(t *testing.T) {
	t.Parallel()
	w := newZoo(t)
	ask := func(host string, headers ...string) answer {
		r := httptest.NewRequestWithContext(t.Context(), "POST", world.Base+"/forgot", strings.NewReader(form("email", "theo@example.com").Encode()))
		r.Host = host
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		rec := httptest.NewRecorder()
		w.site.handler.ServeHTTP(rec, r)
		return answer{rec, rec.Body.String()}
	}
	const evil = "evil.example"
	for _, a := range []answer{ask(evil), ask("icouch.test." + evil), ask("icouch.test", "X-Forwarded-Host", evil)} {
		if a.Code != http.StatusMisdirectedRequest || strings.Contains(a.text, evil) {
			t.Errorf("answers %d: %s", a.Code, clip(a.text))
		}
	}
	w.RunJobs(t)
	if n := len(w.Letters("theo@example.com")); n != 0 {
		t.Errorf("%d letters were written", n)
	}
	a := ask("icouch.test", "Forwarded", "host="+evil, "X-Original-Host", evil, "X-Host", evil, "X-Forwarded-Server", evil, "Referer", "https://"+evil+"/")
	if a.Code >= 400 || strings.Contains(a.text+a.Header().Get("Location"), evil) {
		t.Errorf("answers %d to %q", a.Code, a.Header().Get("Location"))
	}
	for range 3 { // what is typed there is looked into after the answer
		w.RunJobs(t)
	}
	all := w.Letters("theo@example.com")
	if len(all) != 1 || !strings.Contains(all[0].Text, world.Base+"/reset/") || strings.Contains(all[0].Text+all[0].HTML, evil) {
		t.Errorf("he was written %d letters: %v", len(all), all)
	}
}

// Focalboard took identifiers that somebody had stored before into a statement.
// What is stored is used again here by lists, orders, searches and forms about
// many; and an identifier is one, or nothing.
func TestCVE_2026_25773_WhatIsStoredIsNoSQL(t *testing.T) {
	t.Parallel()
	w := newZoo(t)
	var all []string
	for _, nasty := range nastySQL {
		w.mara.post("/people", form("id", nasty, "client", nasty, "first", "A", "last", "B"))
		c := w.Client(t, w.Mara, people.Draft{First: nasty, Last: nasty, Preferred: nasty, EmailConsent: true})
		all = append(all, c.String())
	}
	count := func() (n int) {
		if err := w.DB.Row(t.Context(), "SELECT COUNT(*) FROM client", nil, &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := count()
	for _, s := range sorts {
		a := w.mara.get("/people?sort=" + s.word)
		for _, c := range all {
			if a.Code != 200 || !strings.Contains(a.text, c) {
				t.Errorf("sorted by %s: %d, and %s is missing", s.word, a.Code, c)
			}
		}
	}
	many := form()
	many["client"] = append(slices.Clone(nastySQL), all...)
	for what, a := range map[string]answer{"many": w.mara.post("/people/invitations", many), "export": w.mara.post("/people/export", nil), "the trail": w.mara.get("/settings/trail")} {
		if a.Code >= 500 || strings.Contains(a.text, "Lena Marsh") && what == "many" {
			t.Errorf("%s: answers %d", what, a.Code)
		}
	}
	for i, c := range all {
		w.mara.get("/people/"+c).shows(t, 200)
		w.mara.post("/people/search", form("q", nastySQL[i])).shows(t, 200, c)
		w.mara.post("/people/"+c+"/message", nil)
	}
	if got := count(); got != before {
		t.Errorf("there are %d clients, want %d", got, before)
	}
	w.clientIs(t, w.Theo, "Theo Vance")
}
