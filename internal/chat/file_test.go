package chat_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/chat"
	"icouch/internal/people"
	"icouch/internal/platform/blob"
	"icouch/internal/platform/db"
	"icouch/internal/platform/media"
	"icouch/internal/platform/scan"
	"icouch/internal/team"
)

// photo is a JPEG as a telephone makes it: with a place in its Exif block.
func photo(t *testing.T) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 40, 20))
	for i := range 40 {
		m.Set(i, i/2, color.RGBA{uint8(6 * i), 90, 120, 255}) //nolint:gosec // less than 256
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	exif := append([]byte("Exif\x00\x00II*\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00"), "GPS 40.7128 N 74.0060 W"...)
	out := append([]byte{0xff, 0xd8, 0xff, 0xe1}, binary.BigEndian.AppendUint16(nil, uint16(len(exif)+2))...) //nolint:gosec // short
	out = append(out, exif...)
	return append(out, b.Bytes()[2:]...)
}

func (k *talk) file() id.Attachment { return id.New[id.Attachment](k.Now()) }

// take attaches a file whole, and lets it wait.
func (k *talk) take(by access.Actor, c id.Conversation, name, content string) chat.File {
	k.t.Helper()
	f, err := k.Porter.Take(k.t.Context(), by, c, chat.Draft{ID: k.file(), Name: name}, strings.NewReader(content))
	if err != nil {
		k.t.Fatal(err)
	}
	return f
}

// brings attaches a file as the form of a message does.
func (k *talk) brings(by access.Actor, c id.Conversation, m id.Message, name, content string) chat.File {
	k.t.Helper()
	f, err := k.Porter.Take(k.t.Context(), by, c, chat.Draft{Name: name, With: m}, strings.NewReader(content))
	if err != nil {
		k.t.Fatal(err)
	}
	return f
}

func (k *talk) sendFiles(by access.Actor, c id.Conversation, body string, files ...id.Attachment) (m chat.Message) {
	k.t.Helper()
	k.Update(k.t, func(tx *db.Tx) (err error) {
		m, err = chat.Send(tx, by, c, id.New[id.Message](k.Now()), body, files...)
		return err
	})
	return m
}

// opens is what somebody is given who opens a file.
func (k *talk) opens(by access.Actor, c id.Conversation, f id.Attachment, small bool) (chat.Opened, string, error) {
	k.t.Helper()
	var o chat.Opened
	err := k.DB.View(k.t.Context(), func(tx *db.Tx) (err error) { o, err = chat.Open(tx, by, c, f, small); return err })
	if err != nil {
		return o, "", err
	}
	r, err := k.Porter.Content(k.t.Context(), o)
	if err != nil {
		return o, "", err
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	return o, string(b), err
}

func (k *talk) refusesToOpen(what string, want error, by access.Actor, c id.Conversation, f id.Attachment) {
	k.t.Helper()
	if _, got, err := k.opens(by, c, f, false); !errors.Is(err, want) {
		k.t.Errorf("%s: given %.20q with %v, want %v", what, got, err, want)
	}
}

// kept is how many files there are.
// waits is how far a file has come that somebody has not sent yet.
func (k *talk) waits(by access.Actor, c id.Conversation, file id.Attachment) (is chat.Stage) {
	k.t.Helper()
	k.View(k.t, func(tx *db.Tx) error {
		talk, err := chat.Find(tx, by, c)
		if err != nil {
			return err
		}
		all, err := chat.Unsent(tx, by, talk)
		if at := slices.IndexFunc(all, func(f chat.File) bool { return f.ID == file }); at >= 0 {
			is = all[at].Stage
		}
		return err
	})
	return is
}

func (k *talk) kept() (n int) {
	k.t.Helper()
	if err := k.Porter.Files.Each(k.t.Context(), func(blob.Info) error { n++; return nil }); err != nil {
		k.t.Fatal(err)
	}
	return n
}

func TestAFileGoesWithAMessageAndIsOpenedByBoth(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	c := k.begin(k.Mara, chat.To{Client: k.Theo})
	f := k.take(k.theo, c, `C:\letters\A letter.pdf`, "%PDF-1.7\nDear Mara")
	k.refusesToOpen("not sent yet, by the other", fault.NotFound, k.Mara, c, f.ID)
	m := k.sendFiles(k.theo, c, "", f.ID)
	if m.Body != "" || m.Seq != 1 {
		t.Errorf("it was sent as %+v", m)
	}
	for _, by := range []access.Actor{k.Mara, k.theo} {
		all := k.thread(by, c)
		if len(all) != 1 || len(all[0].Files) != 1 || all[0].Files[0].Name != "A letter.pdf" || all[0].Files[0].Kind() != "PDF" || all[0].Files[0].Size != 18 || all[0].Files[0].Stage != chat.Ready {
			t.Fatalf("%s reads %+v", by.Role(), all)
		}
		if _, got, err := k.opens(by, c, f.ID, false); err != nil || got != "%PDF-1.7\nDear Mara" {
			t.Errorf("%s opens %q, %v", by.Role(), got, err)
		}
	}
	if n := k.unread(k.Mara); n != 1 {
		t.Errorf("%d unread, want 1", n)
	}
}

func TestAPictureIsHandedOnAsACopyWithoutItsPlace(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	c := k.begin(k.Mara, chat.To{Client: k.Theo})
	f := k.take(k.theo, c, "IMG_0001.heic", string(photo(t)))
	if f.Stage != chat.Copying || f.Name != "IMG_0001.jpg" {
		t.Fatalf("it is %+v", f)
	}
	k.sendFiles(k.theo, c, "From the walk", f.ID)
	k.refusesToOpen("before it is copied", chat.ErrNotReady, k.Mara, c, f.ID)
	k.RunJobs(t)
	for _, small := range []bool{false, true} {
		o, got, err := k.opens(k.Mara, c, f.ID, small)
		if err != nil || o.Type != "image/jpeg" || strings.Contains(got, "GPS") || strings.Contains(got, "Exif") {
			t.Errorf("small %t: %s, %d bytes, %v", small, o.Type, len(got), err)
		}
		if p, err := jpeg.DecodeConfig(strings.NewReader(got)); err != nil || p.Width != 40 || p.Height != 20 {
			t.Errorf("small %t: %v, %v", small, p, err)
		}
	}
	is := k.thread(k.Mara, c)[0].Files[0]
	if is.Stage != chat.Ready || is.Width != 40 || is.Height != 20 || !is.Picture() {
		t.Errorf("it stands there as %+v", is)
	}
	// What came can be opened by nobody, and goes a day later.
	if n := k.kept(); n != 3 {
		t.Errorf("%d files are kept, want the copies and what came", n)
	}
	k.old(t)
	if err := k.Porter.SweepOrphans(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := k.kept(); n != 2 {
		t.Errorf("%d files are kept, want the two copies", n)
	}
	if _, _, err := k.opens(k.Mara, c, f.ID, false); err != nil {
		t.Errorf("after the sweep: %v", err)
	}
}

// old moves the world's clock to two days after the machine's: every file of
// this test is then older than a day.
func (k *talk) old(t *testing.T) {
	t.Helper()
	var newest time.Time
	if err := k.Porter.Files.Each(t.Context(), func(i blob.Info) error {
		if i.Since.After(newest) {
			newest = i.Since
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	k.Pass(newest.Add(48 * time.Hour).Sub(k.Now()))
}

func TestAPictureOverWhichTheProgramIsKilledIsGivenUp(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	c := k.begin(k.Mara, chat.To{Client: k.Theo})
	f := k.take(k.theo, c, "a.jpg", string(photo(t)))
	k.sendFiles(k.theo, c, "Look", f.ID)
	if err := k.DB.Exec(t.Context(), "UPDATE job SET lost = 5 WHERE kind = 'chat.copy'"); err != nil {
		t.Fatal(err)
	}
	k.RunJobs(t)
	if is := k.thread(k.Mara, c)[0].Files[0]; is.Stage != chat.Unreadable {
		t.Errorf("it is %s, want unreadable", is.Stage)
	}
	if n := k.kept(); n != 0 {
		t.Errorf("%d files are kept", n)
	}
}

// A copy of the database that is older than the store, or another's: what it does
// not know is not swept.
func TestAStoreThatIsMostlyUnknownIsNotSwept(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	for range 101 {
		if _, err := k.Porter.Files.Store(t.Context(), strings.NewReader("another's")); err != nil {
			t.Fatal(err)
		}
	}
	k.old(t)
	if err := k.Porter.SweepOrphans(t.Context()); !errors.Is(err, chat.ErrNotOurs) || k.kept() != 101 {
		t.Errorf("%v, and %d files are left of 101", err, k.kept())
	}
}

// However few they are: the other installation has no row of ours, either.
func TestAStoreOfAnotherInstallationIsNotSwept(t *testing.T) {
	t.Parallel()
	k, other := newTalk(t), newTalk(t)
	if err := other.Porter.Claim(t.Context()); err != nil {
		t.Fatal(err)
	}
	k.Porter.Files = other.Porter.Files
	if _, err := k.Porter.Files.Store(t.Context(), strings.NewReader("the other’s")); err != nil {
		t.Fatal(err)
	}
	k.old(t)
	if err := k.Porter.SweepOrphans(t.Context()); !errors.Is(err, blob.ErrOthers) || k.kept() != 1 {
		t.Errorf("%v, and %d files are left of 1", err, k.kept())
	}
	other.old(t)
	if err := other.Porter.SweepOrphans(t.Context()); err != nil || other.kept() != 0 {
		t.Errorf("whose it is: %v, and %d files are left", err, other.kept())
	}
}

const heic = "\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"

// A photograph that could not be opened, and may not be to blame, comes again a few
// times before it is given up.
func TestAPhotographIsNotGivenUpForOurMistake(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	k.Porter.Studio = media.NewStudio("sh", "-c", "exit 1")
	c := k.begin(k.Mara, chat.To{Client: k.Theo})
	f := k.take(k.theo, c, "IMG.heic", heic)
	for n := 1; n <= 5; n++ {
		if is := k.waits(k.theo, c, f.ID); is != chat.Copying {
			t.Fatalf("before it was tried %d times it is %s", n, is)
		}
		if _, err := k.Jobs.RunDue(t.Context()); err != nil {
			t.Fatal(err)
		}
		k.Pass(time.Minute)
	}
	if is := k.waits(k.theo, c, f.ID); is != chat.Unreadable {
		t.Errorf("after five times it is %s", is)
	}
}

// Whoever sends what cannot be opened, again and again, keeps nobody else's waiting
// for it: for an hour no more of theirs is opened.
func TestWhoSendsSpoiltPicturesIsAskedForAnother(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	opened := filepath.Join(t.TempDir(), "opened")
	k.Porter.Studio = media.NewStudio("sh", "-c", "echo one >> '"+opened+"'; exit 3")
	c := k.begin(k.Mara, chat.To{Client: k.Theo})
	times := func() int {
		b, err := os.ReadFile(opened)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(b), "one")
	}
	send := func(by access.Actor) {
		f := k.take(by, c, "IMG.heic", heic)
		k.RunJobs(t)
		if is := k.waits(by, c, f.ID); is != chat.Unreadable {
			t.Errorf("it is %s", is)
		}
	}
	for range 7 {
		send(k.theo)
	}
	if n := times(); n != 5 {
		t.Errorf("%d of seven were opened, want 5", n)
	}
	send(k.Mara)
	if n := times(); n != 6 {
		t.Errorf("somebody else’s was not opened")
	}
	k.Pass(time.Hour)
	send(k.theo)
	if n := times(); n != 7 {
		t.Errorf("an hour later theirs was not opened")
	}
}

func TestWhatCannotBeReadAsAPictureIsNotKept(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	c := k.begin(k.Mara, chat.To{Client: k.Theo})
	f := k.take(k.theo, c, "broken.jpg", string(photo(t)[:200]))
	k.sendFiles(k.theo, c, "Look", f.ID)
	k.RunJobs(t)
	if is := k.thread(k.Mara, c)[0].Files[0]; is.Stage != chat.Unreadable {
		t.Errorf("it is %s, want unreadable", is.Stage)
	}
	k.refusesToOpen("a broken picture", fault.NotFound, k.Mara, c, f.ID)
	if n := k.kept(); n != 0 {
		t.Errorf("%d files are kept", n)
	}
	if _, err := k.Porter.Take(t.Context(), k.theo, c, chat.Draft{ID: k.file(), Name: "IMG.jpg"}, strings.NewReader(heic)); !errors.Is(err, chat.ErrHEIC) {
		t.Errorf("a HEIC: %v", err)
	}
	if n := k.kept(); n != 0 {
		t.Errorf("%d files are kept of a HEIC that was refused", n)
	}
}

func TestWhoMayAttachAndOpen(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	c := k.begin(k.Mara, chat.To{Client: k.Theo})
	f := k.take(k.Mara, c, "plan.txt", "one two three")
	k.sendFiles(k.Mara, c, "The plan", f.ID)
	lena := k.Linked(t, k.Client(t, k.Mara, people.Draft{First: "Lena", Last: "Marsh", Email: "lena@example.com", EmailConsent: true}), "lena@example.com")
	boss := k.Colleague(t, "Ada Stone", "ada@practice.test", access.Administrator)
	tom := k.Colleague(t, "Tom Stone", "tom@practice.test", access.Practitioner)
	k.Update(t, func(tx *db.Tx) error { return team.Include(tx, k.Mara, k.Theo, tom.Practitioner(), nil) })
	bea := tom.Reaching(access.Reach{Clients: []id.Client{k.Theo}, Opened: []id.Client{k.Theo}})
	tom = tom.Reaching(access.Reach{Clients: []id.Client{k.Theo}})
	for _, s := range []struct {
		who         string
		by          access.Actor
		open, write error
	}{
		{"the practice next door", k.Ines, fault.NotFound, fault.NotFound},
		{"another client", lena, fault.NotFound, fault.NotFound},
		{"a colleague who does not look after him", k.Noor, fault.NotFound, fault.NotFound},
		{"who runs the practice", boss, fault.NotFound, fault.NotFound},
		{"who is in the care team", tom, nil, chat.ErrOnlyReads},
		{"who opened him in an emergency", bea, nil, chat.ErrOnlyReads},
		{"a guest", access.Guest(), fault.NotFound, fault.NotFound},
	} {
		if _, _, err := k.opens(s.by, c, f.ID, false); !errors.Is(err, s.open) {
			t.Errorf("%s opens it: %v, want %v", s.who, err, s.open)
		}
		if _, err := k.Porter.Take(t.Context(), s.by, c, chat.Draft{ID: k.file(), Name: "x"}, strings.NewReader("x")); !errors.Is(err, s.write) {
			t.Errorf("%s attaches: %v, want %v", s.who, err, s.write)
		}
		if _, err := k.Porter.Begin(t.Context(), s.by, c, chat.Draft{ID: k.file(), Name: "x", Size: 1}); !errors.Is(err, s.write) {
			t.Errorf("%s begins: %v, want %v", s.who, err, s.write)
		}
		if err := k.Porter.Drop(t.Context(), s.by, c, f.ID); !errors.Is(err, fault.NotFound) {
			t.Errorf("%s takes it out: %v", s.who, err)
		}
	}
	other := k.begin(k.Mara, chat.To{Member: k.Noor.Practitioner()})
	elsewhere, hers := k.take(k.Mara, c, "a.txt", "a"), k.take(k.Mara, c, "b.txt", "b")
	k.refusesToOpen("by another conversation", fault.NotFound, k.Mara, other, f.ID)
	k.refuses(chat.ErrFileGone, func(tx *db.Tx) error {
		_, err := chat.Send(tx, k.Mara, other, id.New[id.Message](k.Now()), "x", elsewhere.ID)
		return err
	})
	k.refuses(chat.ErrFileGone, func(tx *db.Tx) error { // somebody else's
		_, err := chat.Send(tx, k.theo, c, id.New[id.Message](k.Now()), "x", hers.ID)
		return err
	})
	k.refuses(chat.ErrFileGone, func(tx *db.Tx) error { // sent before
		_, err := chat.Send(tx, k.Mara, c, id.New[id.Message](k.Now()), "x", f.ID)
		return err
	})
	if n := k.kept(); n != 3 {
		t.Errorf("%d files are kept, want 3: nothing of what was refused", n)
	}
}

func TestWhatEndsTakesItsFilesAlong(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	c := k.begin(k.Mara, chat.To{Client: k.Theo})
	f, late := k.take(k.theo, c, "a.txt", "taken back"), k.take(k.theo, c, "b.txt", "stays")
	m := k.sendFiles(k.theo, c, "", f.ID)
	k.sendFiles(k.theo, c, "", late.ID)
	k.Update(t, func(tx *db.Tx) error { return chat.TakeBack(tx, k.theo, c, m.ID) })
	k.refusesToOpen("of a message that was taken back", fault.NotFound, k.Mara, c, f.ID)
	k.refusesToOpen("by its author", fault.NotFound, k.theo, c, f.ID)
	if all := k.thread(k.Mara, c); len(all[0].Files) != 0 || len(all[1].Files) != 1 {
		t.Errorf("the thread shows %+v", all)
	}
	// The pass stops with the message, with its time, and is nobody's to make.
	pass := func(by access.Actor, f id.Attachment) (text string, err error) {
		err = k.DB.View(t.Context(), func(tx *db.Tx) (err error) {
			text, err = chat.NewPass(tx, by, chat.Pass{Session: []byte("a hash"), Conversation: c, File: f})
			return err
		})
		return text, err
	}
	if _, err := pass(k.Noor, late.ID); !errors.Is(err, fault.NotFound) {
		t.Errorf("a colleague's pass: %v", err)
	}
	text, err := pass(k.Mara, late.ID)
	if err != nil {
		t.Fatal(err)
	}
	redeem := func(text string) (p chat.Pass, err error) {
		err = k.DB.View(t.Context(), func(tx *db.Tx) (err error) { p, err = chat.ReadPass(tx, text); return err })
		return p, err
	}
	if p, err := redeem(text); err != nil || p.File != late.ID || string(p.Session) != "a hash" || p.Conversation != c {
		t.Errorf("the pass reads %+v, %v", p, err)
	}
	forged := []byte(text)
	forged[len(forged)/2] ^= 1
	for what, bad := range map[string]string{"forged": string(forged), "nothing": "", "nonsense": "%%%", "cut": text[:len(text)-4]} {
		if _, err := redeem(bad); !errors.Is(err, chat.ErrPassOver) {
			t.Errorf("%s: %v", what, err)
		}
	}
	k.Pass(11 * time.Minute)
	if _, err := redeem(text); !errors.Is(err, chat.ErrPassOver) {
		t.Errorf("after its time: %v", err)
	}
	waits := k.take(k.theo, c, "c.txt", "never sent")
	k.Update(t, func(tx *db.Tx) error { return people.EndCare(tx, k.Mara, k.Theo, tx.Now()) })
	if _, err := k.Porter.Take(t.Context(), k.Mara, c, chat.Draft{ID: k.file()}, strings.NewReader("x")); !errors.Is(err, chat.ErrUnreached) {
		t.Errorf("attached after care has ended: %v", err)
	}
	k.refuses(chat.ErrUnreached, func(tx *db.Tx) error {
		_, err := chat.Send(tx, k.Mara, c, id.New[id.Message](k.Now()), "", waits.ID)
		return err
	})
	// Without the record's key a file is noise.
	if err := k.DB.Exec(t.Context(), "DELETE FROM record_key WHERE owner_id = $1", k.Theo.String()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := k.opens(k.Mara, c, late.ID, false); err == nil {
		t.Error("the file opens without the record's key")
	}
}

func TestAnUploadGoesOnWhereItBroke(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	c := k.begin(k.Mara, chat.To{Client: k.Theo})
	content := strings.Repeat("0123456789", 20_000)
	d := chat.Draft{ID: k.file(), Name: "long.txt", Size: int64(len(content))}
	if a, err := k.Porter.Begin(t.Context(), k.theo, c, d); err != nil || a.Offset != 0 || a.Whole {
		t.Fatalf("%+v, %v", a, err)
	}
	broken := io.MultiReader(strings.NewReader(content[:70_000]), errorReader{})
	a, err := k.Porter.Append(t.Context(), k.theo, c, d.ID, 0, broken)
	if err == nil || a.Offset != 70_000 {
		t.Fatalf("after a break: %+v, %v", a, err)
	}
	if a, err := k.Porter.Begin(t.Context(), k.theo, c, d); err != nil || a.Offset != 70_000 { // the page was loaded again
		t.Errorf("begun again: %+v, %v", a, err)
	}
	if a, err := k.Porter.Append(t.Context(), k.theo, c, d.ID, 50_000, strings.NewReader(content[50_000:])); !errors.Is(err, blob.ErrOffset) || a.Offset != 70_000 {
		t.Errorf("from the wrong place: %+v, %v", a, err)
	}
	if _, err := k.Porter.Append(t.Context(), k.Mara, c, d.ID, 70_000, strings.NewReader("x")); !errors.Is(err, fault.NotFound) {
		t.Errorf("somebody else goes on: %v", err)
	}
	k.refuses(chat.ErrFileGone, func(tx *db.Tx) error { // it is not all here
		_, err := chat.Send(tx, k.theo, c, id.New[id.Message](k.Now()), "", d.ID)
		return err
	})
	for range 2 { // the answer was lost
		a, err = k.Porter.Append(t.Context(), k.theo, c, d.ID, 70_000, strings.NewReader(content[70_000:]))
		if err != nil || !a.Whole || a.Offset != d.Size || a.File.Name != "long.txt" {
			t.Fatalf("the rest: %+v, %v", a, err)
		}
	}
	k.sendFiles(k.theo, c, "", d.ID)
	if _, got, err := k.opens(k.Mara, c, d.ID, false); err != nil || got != content {
		t.Errorf("%d bytes come out, %v", len(got), err)
	}
	if _, err := k.Porter.Append(t.Context(), k.theo, c, d.ID, d.Size, strings.NewReader("more")); !errors.Is(err, fault.NotFound) {
		t.Errorf("more to what was sent: %v", err)
	}
}

type errorReader struct{}

func (errorReader) Read([]byte) (int, error) { return 0, errors.New("the connection broke") }

// What was adopted as a file, and whose row does not know it, is found by the
// next request: the program was killed in between.
func TestAnUploadWhoseEndWasNotNotedIsFinished(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	c := k.begin(k.Mara, chat.To{Client: k.Theo})
	d := chat.Draft{ID: k.file(), Name: "note.txt", Size: 5}
	if _, err := k.Porter.Begin(t.Context(), k.theo, c, d); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Porter.Append(t.Context(), k.theo, c, d.ID, 0, strings.NewReader("hello")); err != nil {
		t.Fatal(err)
	}
	if err := k.DB.Exec(t.Context(), "UPDATE attachment SET state = 'arriving', type = ''"); err != nil {
		t.Fatal(err)
	}
	if a, err := k.Porter.Arrived(t.Context(), k.theo, c, d.ID); err != nil || !a.Whole || a.File.Stage != chat.Ready {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestLimitsOfWhatIsAttached(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	c := k.begin(k.Mara, chat.To{Client: k.Theo})
	for size, want := range map[int64]error{0: chat.ErrEmptyFile, -1: chat.ErrEmptyFile, chat.MostBytes + 1: chat.ErrLargeFile} {
		if _, err := k.Porter.Begin(t.Context(), k.theo, c, chat.Draft{ID: k.file(), Size: size}); !errors.Is(err, want) {
			t.Errorf("%d bytes: %v, want %v", size, err, want)
		}
	}
	if _, err := k.Porter.Take(t.Context(), k.theo, c, chat.Draft{ID: k.file()}, strings.NewReader("")); !errors.Is(err, chat.ErrEmptyFile) {
		t.Errorf("an empty file: %v", err)
	}
	if _, err := k.Porter.Take(t.Context(), k.theo, c, chat.Draft{ID: k.file()}, io.LimitReader(zeros{}, chat.MostBytes+1)); !errors.Is(err, chat.ErrLargeFile) {
		t.Errorf("a large file: %v", err)
	}
	for i := range 5 {
		_, err := k.Porter.Begin(t.Context(), k.theo, c, chat.Draft{ID: k.file(), Name: "x", Size: chat.MostBytes})
		if want := map[bool]error{true: chat.ErrMuchUnsent}[i == 4]; !errors.Is(err, want) {
			t.Errorf("upload %d of 25 MB: %v, want %v", i+1, err, want)
		}
	}
	k.Pass(25 * time.Hour)
	if err := k.Porter.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	var many []id.Attachment
	for range chat.MostFiles + 1 {
		many = append(many, k.take(k.theo, c, "a.txt", "a").ID)
	}
	k.refuses(chat.ErrManyFiles, func(tx *db.Tx) error {
		_, err := chat.Send(tx, k.theo, c, id.New[id.Message](k.Now()), "", many...)
		return err
	})
	m := k.sendFiles(k.theo, c, "", append(slices.Clone(many[:10]), many[:10]...)...) // each once
	if got := k.thread(k.Mara, c)[0]; got.ID != m.ID || len(got.Files) != 10 {
		t.Errorf("%d files, want 10", len(got.Files))
	}
	k.refuses(chat.ErrEmpty, func(tx *db.Tx) error {
		_, err := chat.Send(tx, k.theo, c, id.New[id.Message](k.Now()), " ")
		return err
	})
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestWhatIsNotSentIsItsAuthorsForADay(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	c := k.begin(k.Mara, chat.To{Client: k.Theo})
	unsent := func(by access.Actor) (all []chat.File) {
		k.View(t, func(tx *db.Tx) error {
			is, err := chat.Find(tx, by, c)
			if err != nil {
				return err
			}
			all, err = chat.Unsent(tx, by, is)
			return err
		})
		return all
	}
	f := k.take(k.theo, c, "a.txt", "a")
	k.Pass(time.Second)
	out := k.take(k.theo, c, "b.txt", "b")
	if all := unsent(k.theo); len(all) != 2 || all[0].Name != "a.txt" {
		t.Errorf("%+v wait", all)
	}
	if all := unsent(k.Mara); len(all) != 0 {
		t.Errorf("the other sees %+v", all)
	}
	if err := k.Porter.Drop(t.Context(), k.theo, c, out.ID); err != nil {
		t.Fatal(err)
	}
	if err := k.Porter.Drop(t.Context(), k.theo, c, out.ID); !errors.Is(err, fault.NotFound) {
		t.Errorf("taken out twice: %v", err)
	}
	if n := k.kept(); n != 1 {
		t.Errorf("%d files are kept, want one", n)
	}
	k.Pass(23 * time.Hour)
	if err := k.Porter.Sweep(t.Context()); err != nil || len(unsent(k.theo)) != 1 {
		t.Errorf("after 23 hours %d wait, %v", len(unsent(k.theo)), err)
	}
	k.Pass(2 * time.Hour)
	if err := k.Porter.Sweep(t.Context()); err != nil || len(unsent(k.theo)) != 0 || k.kept() != 0 {
		t.Errorf("after 25 hours %d wait, %d are kept, %v", len(unsent(k.theo)), k.kept(), err)
	}
	k.refuses(chat.ErrFileGone, func(tx *db.Tx) error {
		_, err := chat.Send(tx, k.theo, c, id.New[id.Message](k.Now()), "", f.ID)
		return err
	})
}

func TestFilesSentAtOnceGoOnce(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	c := k.begin(k.Mara, chat.To{Client: k.Theo})
	f, same := k.take(k.theo, c, "a.txt", "a"), id.New[id.Message](k.Now())
	var all sync.WaitGroup
	var mu sync.Mutex
	sent := 0
	for i := range 16 { // half of them are the same message, the others want the same file
		all.Go(func() {
			m := same
			if i%2 == 0 {
				m = id.New[id.Message](k.Now())
			}
			err := k.DB.Update(t.Context(), func(tx *db.Tx) error { _, err := chat.Send(tx, k.theo, c, m, "", f.ID); return err })
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				sent++
			} else if !errors.Is(err, chat.ErrFileGone) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := k.thread(k.Mara, c); len(got) != 1 || len(got[0].Files) != 1 || sent == 0 {
		t.Errorf("there are %d messages, want one; %d presses were told that it went", len(got), sent)
	}
	// Begun at once, it is one upload. Those who ask at the same moment how far it
	// has come wait their turn.
	d := chat.Draft{ID: k.file(), Name: "b.txt", Size: 1}
	for range 8 {
		all.Go(func() {
			if _, err := k.Porter.Begin(t.Context(), k.theo, c, d); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	growing, err := filepath.Glob(k.growth(t))
	if err != nil || len(growing) != 1 {
		t.Errorf("%d uploads grow, want one (%v)", len(growing), err)
	}
}

// Of a form that is pressed again and again, each press brings the files.
func TestAFormPressedTwiceBringsItsFilesOnce(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	c := k.begin(k.Mara, chat.To{Client: k.Theo})
	m := id.New[id.Message](k.Now())
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			var files []id.Attachment
			for _, name := range []string{"a.txt", "b.txt"} {
				f, err := k.Porter.Take(t.Context(), k.theo, c, chat.Draft{Name: name, With: m}, strings.NewReader("the same"))
				if err != nil {
					t.Error(err)
					return
				}
				files = append(files, f.ID)
			}
			if err := k.DB.Update(t.Context(), func(tx *db.Tx) error { _, err := chat.Send(tx, k.theo, c, m, "Two", files...); return err }); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := k.thread(k.Mara, c); len(got) != 1 || len(got[0].Files) != 2 || got[0].Files[0].Name != "a.txt" {
		t.Errorf("there is %+v, want one message with two files", got)
	}
	if n := k.kept(); n != 2 {
		t.Errorf("%d files are kept, want two", n)
	}
	// With another message, by somebody else, or elsewhere it is another file.
	elsewhere := k.begin(k.Mara, chat.To{Member: k.Noor.Practitioner()})
	seen := map[id.Attachment]bool{}
	for _, f := range []chat.File{
		k.brings(k.theo, c, m, "a.txt", "the same"), k.brings(k.theo, c, id.New[id.Message](k.Now()), "a.txt", "the same"),
		k.brings(k.Mara, c, m, "a.txt", "the same"), k.brings(k.Mara, elsewhere, m, "a.txt", "the same"),
	} {
		if _, err := id.Parse[id.Attachment](f.ID.String()); err != nil || seen[f.ID] {
			t.Errorf("%s stands for two files, or is no identifier", f.ID)
		}
		seen[f.ID] = true
	}
}

// growth is where the files of uploads are, as a pattern.
func (k *talk) growth(t *testing.T) string {
	t.Helper()
	return filepath.Join(filepath.Dir(k.Porter.Files.Where()), "growth", "*.part")
}

func TestAFileIsUndoneWithItsMessage(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	c := k.begin(k.Mara, chat.To{Client: k.Theo})
	f, later := k.take(k.theo, c, "a.txt", "a"), errors.New("something later fails")
	k.refuses(later, func(tx *db.Tx) error {
		if _, err := chat.Send(tx, k.theo, c, id.New[id.Message](k.Now()), "", f.ID); err != nil {
			return err
		}
		return later
	})
	if n := len(k.thread(k.Mara, c)); n != 0 {
		t.Errorf("%d messages are there", n)
	}
	k.sendFiles(k.theo, c, "", f.ID) // it still waits
}

// eicar is what every scanner finds and nobody is harmed by; put together here
// so that no scanner finds this file.
const eicar = `X5O!P%@AP[4\PZX54(P^)7CC)7}$` + `EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*`

// clamd answers as the real one does, at an address; see package scan.
func clamd(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go answer(conn)
		}
	}()
	return l.Addr().String()
}

func answer(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	if _, err := in.ReadString(0); err != nil {
		return
	}
	var all bytes.Buffer
	for {
		var size uint32
		if err := binary.Read(in, binary.BigEndian, &size); err != nil {
			return
		}
		if size == 0 {
			break
		}
		if _, err := io.CopyN(&all, in, int64(size)); err != nil {
			return
		}
	}
	says := "stream: OK\x00"
	if bytes.Contains(all.Bytes(), []byte(eicar)) {
		says = "stream: Eicar-Test-Signature FOUND\x00"
	}
	_, _ = io.WriteString(conn, says)
}

func TestWhatAScannerFindsIsHeldBackAndDestroyed(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	c := k.begin(k.Mara, chat.To{Client: k.Theo})
	var err error
	if k.Porter.Scanner, err = scan.New(clamd(t)); err != nil {
		t.Fatal(err)
	}
	bad, good, pic := k.take(k.theo, c, "invoice.pdf", "%PDF-1.7 "+eicar), k.take(k.theo, c, "letter.pdf", "%PDF-1.7 harmless"), k.take(k.theo, c, "walk.jpg", string(photo(t)))
	if bad.Stage != chat.Checking || pic.Stage != chat.Checking {
		t.Fatalf("they begin as %s and %s", bad.Stage, pic.Stage)
	}
	k.sendFiles(k.theo, c, "Three files", bad.ID, good.ID, pic.ID)
	k.refusesToOpen("before it was scanned", chat.ErrNotReady, k.Mara, c, good.ID)
	k.refusesToOpen("before it was scanned, by its author", chat.ErrNotReady, k.theo, c, bad.ID)
	k.RunJobs(t)
	files := k.thread(k.Mara, c)[0].Files
	if files[0].Stage != chat.Held || files[1].Stage != chat.Ready || files[2].Stage != chat.Ready {
		t.Errorf("they are %s, %s and %s", files[0].Stage, files[1].Stage, files[2].Stage)
	}
	k.refusesToOpen("infected", fault.NotFound, k.Mara, c, bad.ID)
	if _, got, err := k.opens(k.Mara, c, good.ID, false); err != nil || got != "%PDF-1.7 harmless" {
		t.Errorf("the harmless one: %q, %v", got, err)
	}
	if n := k.kept(); n != 4 {
		t.Errorf("%d files are kept, want the letter, the picture that came and its copies", n)
	}
	var n int
	if err := k.DB.Row(t.Context(), "SELECT COUNT(*) FROM audit WHERE action = 'message.file_held' AND client_id = $1", []any{k.Theo.String()}, &n); err != nil || n != 1 {
		t.Errorf("%d lines of the trail tell of it, %v", n, err)
	}
	// One that was found before it was sent does not go.
	again := k.take(k.theo, c, "again.txt", eicar)
	k.RunJobs(t)
	k.refuses(chat.ErrFileHeld, func(tx *db.Tx) error {
		_, err := chat.Send(tx, k.theo, c, id.New[id.Message](k.Now()), "x", again.ID)
		return err
	})
}

func TestWhatCannotBeScannedWaits(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	c := k.begin(k.Mara, chat.To{Client: k.Theo})
	where := clamd(t)
	var err error
	if k.Porter.Scanner, err = scan.New("127.0.0.1:1"); err != nil { // nobody listens
		t.Fatal(err)
	}
	f := k.take(k.theo, c, "letter.pdf", "%PDF-1.7 harmless")
	k.sendFiles(k.theo, c, "", f.ID)
	k.RunJobs(t)
	k.refusesToOpen("while the scanner is away", chat.ErrNotReady, k.Mara, c, f.ID)
	if k.Porter.Scanner, err = scan.New(where); err != nil {
		t.Fatal(err)
	}
	k.Pass(time.Hour)
	k.RunJobs(t)
	if _, _, err := k.opens(k.Mara, c, f.ID, false); err != nil {
		t.Errorf("when it is back: %v", err)
	}
}

// What is refused, and what was begun before, leaves as much room for the day as
// there was.
func TestOnlyAFileThatIsAddedCounts(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	c := k.begin(k.Mara, chat.To{Client: k.Theo})
	begin := func(d chat.Draft) error {
		_, err := k.Porter.Begin(t.Context(), k.theo, c, d)
		return err
	}
	counted := func() (n int64) {
		t.Helper()
		if err := k.DB.Row(t.Context(), "SELECT COALESCE(SUM(count), 0) FROM tally", nil, &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	var first chat.Draft
	for i := range 4 {
		d := chat.Draft{ID: k.file(), Name: "large.bin", Size: chat.MostBytes}
		if err := begin(d); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = d
		}
	}
	full := counted()
	if full != 4*chat.MostBytes {
		t.Fatalf("%d bytes are counted of four files of %d", full, chat.MostBytes)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := begin(first); err != nil {
				t.Errorf("begun again: %v", err)
			}
		})
		all.Go(func() {
			if err := begin(chat.Draft{ID: k.file(), Name: "more.bin", Size: chat.MostBytes}); !errors.Is(err, chat.ErrMuchUnsent) {
				t.Errorf("more than can wait: %v", err)
			}
		})
	}
	all.Wait()
	if n := counted(); n != full {
		t.Errorf("%d bytes are counted, want %d as before", n, full)
	}
	// Taken out, it was attached all the same.
	if err := k.Porter.Drop(t.Context(), k.theo, c, first.ID); err != nil {
		t.Fatal(err)
	}
	if err := begin(chat.Draft{ID: k.file(), Name: "a.txt", Size: 1}); err != nil || counted() != full+1 {
		t.Errorf("%v, and %d bytes are counted", err, counted())
	}
}
