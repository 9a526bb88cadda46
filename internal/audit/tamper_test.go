package audit_test

import (
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/audit"
	"icouch/internal/platform/db"
	"icouch/internal/world"
)

// places is how many places each sort of tampering is tried at.
const places = 100

// tampered is a world with a long trail of changes and looks, anchored on the
// way, without the triggers that keep it from being changed, and with a copy.
type tampered struct {
	*world.World
	mara  string
	end   int64
	file  string // of anchors
	least int    // how many anchors are in it
}

func newTampered(t *testing.T) *tampered {
	t.Helper()
	w := world.New(t)
	s, k := audit.NewScribe(w.DB), &audit.Keeper{DB: w.DB}
	tm := &tampered{World: w, mara: w.Mara.Practice().String(), file: filepath.Join(t.TempDir(), "anchors"), least: 6}
	k.Places = []audit.Place{audit.ParsePlace(tm.file)}
	for n := range 12 {
		w.Update(t, func(tx *db.Tx) error {
			for range 5 {
				if err := audit.Record(tx, w.Mara, deed(n)); err != nil {
					return err
				}
			}
			return nil
		})
		for i := range 5 {
			if err := s.Write(looked(t, w.Mara, audit.Listed, some(1+i)...), "REFERENCE"); err != nil {
				t.Fatal(err)
			}
		}
		if n%3 == 2 {
			if err := k.Anchor(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	unlock(t, w)
	err := errors.Join(w.DB.Exec(t.Context(), "CREATE TABLE kept AS SELECT * FROM audit"), w.DB.Exec(t.Context(), "CREATE TABLE kept_head AS SELECT * FROM audit_head"))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.DB.Row(t.Context(), "SELECT MAX(seq) FROM audit WHERE practice_id = $1", []any{tm.mara}, &tm.end); err != nil || tm.end < places+10 {
		t.Fatalf("%d lines, %v", tm.end, err)
	}
	if found := tm.verify(t); len(found) != 0 {
		t.Fatalf("premise: %+v", found)
	}
	return tm
}

// restore makes it what it was.
func (tm *tampered) restore(t *testing.T) {
	t.Helper()
	err := errors.Join(tm.DB.Exec(t.Context(), "DELETE FROM audit"), tm.DB.Exec(t.Context(), "INSERT INTO audit SELECT * FROM kept"),
		tm.DB.Exec(t.Context(), "DELETE FROM audit_head"), tm.DB.Exec(t.Context(), "INSERT INTO audit_head SELECT * FROM kept_head"))
	if err != nil {
		t.Fatal(err)
	}
}

func (tm *tampered) verify(t *testing.T) []audit.Finding {
	t.Helper()
	f, err := os.Open(tm.file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	anchors, unreadable, err := audit.ParseAnchors(f)
	if err != nil || unreadable != 0 || len(anchors) < tm.least {
		t.Fatalf("%d anchors, %d unreadable, %v", len(anchors), unreadable, err)
	}
	var r audit.Report
	tm.View(t, func(tx *db.Tx) (err error) { r, err = audit.Verify(tx, access.Operator(), anchors...); return err })
	return r.Findings
}

// Whoever has the database can do anything to it, anywhere; but not unnoticed.
func TestTamperingIsFoundWhereverItIs(t *testing.T) {
	t.Parallel()
	tm := newTampered(t)
	ctx, mara, d := t.Context(), tm.mara, tm.DB
	fit := func(seq int64) error { // the noted end is set to fit
		return errors.Join(d.Exec(ctx, "DELETE FROM audit_head WHERE practice_id = $1", mara),
			d.Exec(ctx, "INSERT INTO audit_head SELECT practice_id, seq, mac FROM audit WHERE practice_id = $1 AND seq = $2", mara, seq))
	}
	for _, sort := range []struct {
		name string
		do   func(seq int64) error
	}{
		{"a field changed", func(seq int64) error {
			switch seq % 8 {
			case 0:
				return d.Exec(ctx, "UPDATE audit SET at = at + 1 WHERE practice_id = $1 AND seq = $2", mara, seq)
			case 1:
				return d.Exec(ctx, "UPDATE audit SET role = 'biller' WHERE practice_id = $1 AND seq = $2", mara, seq)
			case 2:
				return d.Exec(ctx, "UPDATE audit SET account_id = 'x' WHERE practice_id = $1 AND seq = $2", mara, seq)
			case 3:
				return d.Exec(ctx, "UPDATE audit SET action = 'x' WHERE practice_id = $1 AND seq = $2", mara, seq)
			case 4:
				return d.Exec(ctx, "UPDATE audit SET subject = subject || 'x' WHERE practice_id = $1 AND seq = $2", mara, seq)
			case 5:
				return d.Exec(ctx, "UPDATE audit SET client_id = 'x' WHERE practice_id = $1 AND seq = $2", mara, seq)
			case 6:
				return d.Exec(ctx, "UPDATE audit SET shown = $3 WHERE practice_id = $1 AND seq = $2", mara, seq, []byte("r-"))
			}
			return d.Exec(ctx, "UPDATE audit SET detail = detail || 'x' WHERE practice_id = $1 AND seq = $2", mara, seq)
		}},
		{"a line taken out", func(seq int64) error {
			return d.Exec(ctx, "DELETE FROM audit WHERE practice_id = $1 AND seq = $2", mara, seq)
		}},
		{"a line taken out and the gap closed", func(seq int64) error {
			return errors.Join(d.Exec(ctx, "DELETE FROM audit WHERE practice_id = $1 AND seq = $2", mara, seq),
				d.Exec(ctx, "UPDATE audit SET seq = -seq + 1 WHERE practice_id = $1 AND seq > $2", mara, seq),
				d.Exec(ctx, "UPDATE audit SET seq = -seq WHERE practice_id = $1 AND seq < 0", mara), fit(tm.end-1))
		}},
		{"a line put in", func(seq int64) error {
			return errors.Join(d.Exec(ctx, "UPDATE audit SET seq = -seq - 1 WHERE practice_id = $1 AND seq >= $2", mara, seq),
				d.Exec(ctx, "UPDATE audit SET seq = -seq WHERE practice_id = $1 AND seq < 0", mara),
				d.Exec(ctx, "INSERT INTO audit SELECT practice_id, seq - 1, at, role, account_id, action, subject, client_id, detail, mac, shown FROM audit WHERE practice_id = $1 AND seq = $2", mara, seq+1), fit(tm.end+1))
		}},
		{"two lines swapped", func(seq int64) error {
			return errors.Join(d.Exec(ctx, "UPDATE audit SET seq = -1 WHERE practice_id = $1 AND seq = $2", mara, seq),
				d.Exec(ctx, "UPDATE audit SET seq = seq - 1 WHERE practice_id = $1 AND seq = $2", mara, seq+1),
				d.Exec(ctx, "UPDATE audit SET seq = $2 WHERE practice_id = $1 AND seq = -1", mara, seq+1))
		}},
		{"the end cut off before the last anchor, and its note set to fit", func(seq int64) error {
			return errors.Join(d.Exec(ctx, "DELETE FROM audit WHERE practice_id = $1 AND seq > $2", mara, seq), fit(seq))
		}},
	} {
		for _, seq := range rand.Perm(int(tm.end) - 1)[:places] {
			at := int64(seq) + 1
			if err := sort.do(at); err != nil {
				t.Fatalf("%s, at %d: %v", sort.name, at, err)
			}
			if len(tm.verify(t)) == 0 {
				t.Errorf("%s, at %d of %d, is not found", sort.name, at, tm.end)
			}
			tm.restore(t)
		}
	}
	if found := tm.verify(t); len(found) != 0 {
		t.Errorf("made good again, it is not: %+v", found)
	}
}

// Whoever has the key as well can write another trail, that fits in itself. It
// does not fit what was noted elsewhere.
func TestATrailWrittenAnewWithTheKeyDoesNotFitItsAnchors(t *testing.T) {
	t.Parallel()
	tm := newTampered(t)
	for _, seq := range []int{0, 1, 7, 20, 40, 60} {
		err := errors.Join(tm.DB.Exec(t.Context(), "DELETE FROM audit WHERE practice_id = $1 AND seq > $2", tm.mara, seq))
		if err != nil {
			t.Fatal(err)
		}
		tm.Update(t, func(tx *db.Tx) error {
			for range int(tm.end) - seq {
				if err := audit.Record(tx, tm.Mara, deed(0)); err != nil {
					return err
				}
			}
			return nil
		})
		var r audit.Report
		tm.View(t, func(tx *db.Tx) (err error) { r, err = audit.Verify(tx, access.Operator()); return err })
		if len(r.Findings) != 0 {
			t.Errorf("premise: the new trail does not fit in itself: %+v", r.Findings)
		}
		if len(tm.verify(t)) == 0 {
			t.Errorf("written anew from line %d on: not found", seq)
		}
		tm.restore(t)
	}
}

// An anchor that somebody else wrote proves nothing, and is told of; a line that
// was cut short is left out.
func TestAnchorsAreOurs(t *testing.T) {
	t.Parallel()
	tm := newTampered(t)
	text, err := os.ReadFile(tm.file)
	if err != nil {
		t.Fatal(err)
	}
	line := strings.TrimSpace(string(text[:strings.Index(string(text), "\n")]))
	fields := strings.Fields(line)
	fields[2] += "0"
	for _, tt := range []struct {
		lines               string
		anchors, unreadable int
		found               bool
	}{
		{line + "\n", 1, 0, false}, {"Mar 14 host icouch[3]: " + line + "\n", 1, 0, false}, {line[:40], 0, 1, false}, {"\n\n", 0, 0, false},
		{"Mar 14 host sshd[7]: another program's line\n" + line, 1, 0, false}, {"<p>" + strings.ReplaceAll(line, " ", ":") + "</p>", 1, 0, false},
		{strings.Join(fields, " "), 1, 0, true}, {line[:len(line)-2] + "00", 1, 0, true},
	} {
		anchors, unreadable, err := audit.ParseAnchors(strings.NewReader(tt.lines))
		if err != nil || len(anchors) != tt.anchors || unreadable != tt.unreadable {
			t.Errorf("%q: %d anchors, %d unreadable, %v", tt.lines, len(anchors), unreadable, err)
		}
		var r audit.Report
		tm.View(t, func(tx *db.Tx) (err error) { r, err = audit.Verify(tx, access.Operator(), anchors...); return err })
		if (len(r.Findings) > 0) != tt.found {
			t.Errorf("%q: %+v", tt.lines, r.Findings)
		}
	}
}

// listening is a log server at a UDP port, or at a socket in a directory: where it
// is, and what it has been told, a line for each message.
func listening(t *testing.T, network string) (place string, told func(n int) string) {
	t.Helper()
	where := "127.0.0.1:0"
	if network == "unixgram" {
		dir, err := os.MkdirTemp("", "log") // a socket's name is a short one
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		where = filepath.Join(dir, "s")
	}
	var l net.ListenConfig
	c, err := l.ListenPacket(t.Context(), network, where)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	place = "syslog://" + c.LocalAddr().String()
	return place, func(n int) string {
		t.Helper()
		var all strings.Builder
		if err := c.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		for b := make([]byte, 4096); n > 0; n-- {
			read, _, err := c.ReadFrom(b)
			if err != nil {
				t.Fatalf("%d messages are missing: %v", n, err)
			}
			all.WriteString(strings.TrimRight(string(b[:read]), "\n") + "\n")
		}
		return all.String()
	}
}

// What a log server was told finds what a file finds: all of it.
func TestALogServerKeepsAnchors(t *testing.T) {
	t.Parallel()
	for _, network := range []string{"udp", "unixgram"} {
		tm := newTampered(t)
		place, told := listening(t, network)
		k := &audit.Keeper{DB: tm.DB, Places: []audit.Place{audit.ParsePlace(place), audit.ParsePlace(filepath.Join(t.TempDir(), "anchors"))}}
		if err := k.Anchor(t.Context()); err != nil {
			t.Fatal(err)
		}
		kept := told(3) // two practices, and the installation
		if !strings.Contains(kept, "icouch") || strings.Contains(kept, "Mara") {
			t.Errorf("%s was told %s", network, kept)
		}
		file := filepath.Join(t.TempDir(), "auth.log")
		if err := os.WriteFile(file, []byte("Mar 14 09:00:00 host sshd[7]: a line of another program's\n"+kept), 0o600); err != nil {
			t.Fatal(err)
		}
		tm.file, tm.least = file, 3
		ctx, mara, d := t.Context(), tm.mara, tm.DB
		for what, do := range map[string]func(seq int64) error{
			"changed": func(seq int64) error {
				return d.Exec(ctx, "UPDATE audit SET role = 'biller' WHERE practice_id = $1 AND seq = $2", mara, seq)
			},
			"taken out": func(seq int64) error {
				return d.Exec(ctx, "DELETE FROM audit WHERE practice_id = $1 AND seq = $2", mara, seq)
			},
			"put in": func(seq int64) error {
				return errors.Join(d.Exec(ctx, "UPDATE audit SET seq = -seq - 1 WHERE practice_id = $1 AND seq >= $2", mara, seq),
					d.Exec(ctx, "UPDATE audit SET seq = -seq WHERE practice_id = $1 AND seq < 0", mara),
					d.Exec(ctx, "INSERT INTO audit SELECT practice_id, seq - 1, at, role, account_id, action, subject, client_id, detail, mac, shown FROM audit WHERE practice_id = $1 AND seq = $2", mara, seq+1))
			},
			"swapped": func(seq int64) error {
				return errors.Join(d.Exec(ctx, "UPDATE audit SET seq = -1 WHERE practice_id = $1 AND seq = $2", mara, seq),
					d.Exec(ctx, "UPDATE audit SET seq = seq - 1 WHERE practice_id = $1 AND seq = $2", mara, seq+1),
					d.Exec(ctx, "UPDATE audit SET seq = $2 WHERE practice_id = $1 AND seq = -1", mara, seq+1))
			},
			"cut off, and the note of the end set to fit": func(seq int64) error {
				return errors.Join(d.Exec(ctx, "DELETE FROM audit WHERE practice_id = $1 AND seq > $2", mara, seq),
					d.Exec(ctx, "DELETE FROM audit_head WHERE practice_id = $1", mara),
					d.Exec(ctx, "INSERT INTO audit_head SELECT practice_id, seq, mac FROM audit WHERE practice_id = $1 AND seq = $2", mara, seq))
			},
		} {
			for _, seq := range []int64{1, 2, tm.end / 2, tm.end - 1} {
				if err := do(seq); err != nil {
					t.Fatal(err)
				}
				if len(tm.verify(t)) == 0 {
					t.Errorf("by what %s was told, %d %s is not found", network, seq, what)
				}
				tm.restore(t)
			}
		}
		if found := tm.verify(t); len(found) != 0 {
			t.Errorf("made good again, it is not: %+v", found)
		}
	}
}

// A log server that is not there is an error, and told again later.
func TestALogServerThatIsAwayIsToldLater(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	dir, err := os.MkdirTemp("", "log")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	k := &audit.Keeper{DB: w.DB, Places: []audit.Place{audit.ParsePlace("syslog:" + filepath.Join(dir, "s"))}}
	if err := k.Anchor(t.Context()); err == nil {
		t.Fatal("anchors were told to nobody")
	}
	var l net.ListenConfig
	c, err := l.ListenPacket(t.Context(), "unixgram", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := errors.Join(k.Anchor(t.Context()), c.SetReadDeadline(time.Now().Add(5*time.Second))); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 4096)
	if n, _, err := c.ReadFrom(b); err != nil || !strings.Contains(string(b[:n]), "icouch-anchor-1 ") {
		t.Errorf("it was told %q, %v", b[:n], err)
	}
}

// What cannot be put down is put down later; what was cut short is not mended
// into the next line.
func TestAnchorsThatCouldNotBePutAreNotLost(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "mount", "anchors")
	k := &audit.Keeper{DB: w.DB, Places: []audit.Place{audit.ParsePlace(file)}}
	if err := k.Anchor(t.Context()); err == nil {
		t.Fatal("anchors were put where there is no such place")
	}
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "mount"), 0o700), os.WriteFile(file, []byte("icouch-anchor-1 cut sho"), 0o600)); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time there is nothing new
		if err := k.Anchor(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	anchors, unreadable, err := audit.ParseAnchors(strings.NewReader(string(text)))
	if err != nil || len(anchors) != 3 || unreadable != 1 {
		t.Errorf("%d anchors, %d unreadable, %v in\n%s", len(anchors), unreadable, err, text)
	}
}
