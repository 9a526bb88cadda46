package audit_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"icouch/internal/access"
	"icouch/internal/audit"
	"icouch/internal/platform/db"
	"icouch/internal/world"
)

func report(t *testing.T, w *world.World) (r audit.Report) {
	t.Helper()
	w.View(t, func(tx *db.Tx) (err error) { r, err = audit.Verify(tx, access.Operator()); return err })
	return r
}

func deed(n int) audit.Deed {
	return audit.Deed{Did: audit.ClientEdited, Subject: subject("row"), Client: "c", Fields: []string{"name", "email"}[:n%3%2+1]}
}

type subject string

func (s subject) String() string { return string(s) }

// written is a world in which much has been written down.
func written(t *testing.T) *world.World {
	w := world.New(t)
	for n := range 6 {
		w.Update(t, func(tx *db.Tx) error {
			return errors.Join(audit.Record(tx, w.Mara, deed(n)), audit.Record(tx, w.Ines, deed(n)))
		})
	}
	if r := report(t, w); len(r.Findings) != 0 || r.Chains != 3 {
		t.Fatalf("premise: %+v", r)
	}
	return w
}

func TestTheTrailHoldsWhenManyWriteAtOnce(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	before := report(t, w).Lines
	var all sync.WaitGroup
	for i := range 16 {
		by := []access.Actor{w.Mara, w.Ines, access.AsPerson(w.Mara.Account())}[i%3]
		all.Go(func() {
			for n := range 10 {
				err := w.DB.Update(t.Context(), func(tx *db.Tx) error { return audit.Record(tx, by, deed(n)) })
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if r := report(t, w); len(r.Findings) != 0 || r.Lines != before+160 || r.Chains != 3 {
		t.Errorf("%+v, want %d lines", r, before+160)
	}
}

func TestTheTrailIsWrittenOnce(t *testing.T) {
	t.Parallel()
	w := written(t)
	if err := w.DB.Exec(t.Context(), "UPDATE audit SET role = 'x' WHERE seq = 1"); err == nil || !strings.Contains(err.Error(), "append-only") {
		t.Errorf("changed: %v", err)
	}
	if err := w.DB.Exec(t.Context(), "DELETE FROM audit WHERE seq = 1"); err == nil || !strings.Contains(err.Error(), "append-only") {
		t.Errorf("taken out: %v", err)
	}
	if r := report(t, w); len(r.Findings) != 0 {
		t.Errorf("%+v", r)
	}
}

func TestAVerbThatFailsLeavesNoLine(t *testing.T) {
	t.Parallel()
	w := written(t)
	before, no := report(t, w).Lines, errors.New("no")
	err := w.DB.Update(t.Context(), func(tx *db.Tx) error { return errors.Join(audit.Record(tx, w.Mara, deed(1)), no) })
	if r := report(t, w); !errors.Is(err, no) || r.Lines != before || len(r.Findings) != 0 {
		t.Errorf("%v, %+v", err, r)
	}
}

// Whoever has the database can do anything to it; but not unnoticed.
func TestTamperingIsFound(t *testing.T) {
	t.Parallel()
	for what, tamper := range map[string]func(*testing.T, *db.DB, string) error{
		"at": func(t *testing.T, d *db.DB, mara string) error {
			return d.Exec(t.Context(), "UPDATE audit SET at = at + 1 WHERE practice_id = $1 AND seq = 3", mara)
		},
		"role": func(t *testing.T, d *db.DB, mara string) error {
			return d.Exec(t.Context(), "UPDATE audit SET role = 'biller' WHERE practice_id = $1 AND seq = 3", mara)
		},
		"account": func(t *testing.T, d *db.DB, mara string) error {
			return d.Exec(t.Context(), "UPDATE audit SET account_id = 'x' WHERE practice_id = $1 AND seq = 3", mara)
		},
		"action": func(t *testing.T, d *db.DB, mara string) error {
			return d.Exec(t.Context(), "UPDATE audit SET action = 'x' WHERE practice_id = $1 AND seq = 3", mara)
		},
		"subject": func(t *testing.T, d *db.DB, mara string) error {
			return d.Exec(t.Context(), "UPDATE audit SET subject = 'x' WHERE practice_id = $1 AND seq = 3", mara)
		},
		"client": func(t *testing.T, d *db.DB, mara string) error {
			return d.Exec(t.Context(), "UPDATE audit SET client_id = 'x' WHERE practice_id = $1 AND seq = 3", mara)
		},
		"detail": func(t *testing.T, d *db.DB, mara string) error {
			return d.Exec(t.Context(), "UPDATE audit SET detail = detail || 'x' WHERE practice_id = $1 AND seq = 3", mara)
		},
		"mac": func(t *testing.T, d *db.DB, mara string) error {
			return d.Exec(t.Context(), "UPDATE audit SET mac = (SELECT mac FROM audit WHERE practice_id = $1 AND seq = 2) WHERE practice_id = $1 AND seq = 3", mara)
		},
		"a field's end moved into the next": func(t *testing.T, d *db.DB, mara string) error {
			return d.Exec(t.Context(), "UPDATE audit SET subject = subject || substr(client_id, 1, 1), client_id = substr(client_id, 2) WHERE practice_id = $1 AND client_id <> '' AND seq = 5", mara)
		},
		"the first line taken out": func(t *testing.T, d *db.DB, mara string) error {
			return d.Exec(t.Context(), "DELETE FROM audit WHERE practice_id = $1 AND seq = 1", mara)
		},
		"a middle line taken out": func(t *testing.T, d *db.DB, mara string) error {
			return d.Exec(t.Context(), "DELETE FROM audit WHERE practice_id = $1 AND seq = 3", mara)
		},
		"the last line taken out": func(t *testing.T, d *db.DB, mara string) error {
			return d.Exec(t.Context(), "DELETE FROM audit WHERE practice_id = $1 AND seq = (SELECT seq FROM audit_head WHERE practice_id = $1)", mara)
		},
		"all taken out": func(t *testing.T, d *db.DB, mara string) error {
			return d.Exec(t.Context(), "DELETE FROM audit WHERE practice_id = $1", mara)
		},
		"the middle closed up again": func(t *testing.T, d *db.DB, mara string) error {
			return errors.Join(d.Exec(t.Context(), "DELETE FROM audit WHERE practice_id = $1 AND seq = 1", mara),
				d.Exec(t.Context(), "UPDATE audit SET seq = seq - 1 WHERE practice_id = $1 AND seq = 2", mara), d.Exec(t.Context(), "UPDATE audit SET seq = seq - 1 WHERE practice_id = $1 AND seq = 3", mara))
		},
		"a line put in": func(t *testing.T, d *db.DB, mara string) error {
			return d.Exec(t.Context(), "INSERT INTO audit SELECT practice_id, seq + 1000, at, role, account_id, action, subject, client_id, detail, mac, shown FROM audit WHERE practice_id = $1 AND seq = 3", mara)
		},
		"two lines swapped": func(t *testing.T, d *db.DB, mara string) error {
			return errors.Join(d.Exec(t.Context(), "UPDATE audit SET seq = -1 WHERE practice_id = $1 AND seq = 3", mara),
				d.Exec(t.Context(), "UPDATE audit SET seq = 3 WHERE practice_id = $1 AND seq = 4", mara), d.Exec(t.Context(), "UPDATE audit SET seq = 4 WHERE practice_id = $1 AND seq = -1", mara))
		},
		"lines swapped between practices": func(t *testing.T, d *db.DB, mara string) error {
			return errors.Join(d.Exec(t.Context(), "UPDATE audit SET practice_id = 'x' WHERE practice_id = $1 AND seq = 3", mara),
				d.Exec(t.Context(), "UPDATE audit SET practice_id = $1 WHERE practice_id <> 'x' AND practice_id <> 'installation' AND practice_id <> $1 AND seq = 3", mara),
				d.Exec(t.Context(), "UPDATE audit SET practice_id = (SELECT id FROM practice WHERE id <> $1) WHERE practice_id = 'x'", mara))
		},
		"the head moved back": func(t *testing.T, d *db.DB, mara string) error {
			return d.Exec(t.Context(), "UPDATE audit_head SET seq = seq - 1 WHERE practice_id = $1", mara)
		},
		"the head taken out": func(t *testing.T, d *db.DB, mara string) error {
			return d.Exec(t.Context(), "DELETE FROM audit_head WHERE practice_id = $1", mara)
		},
		"the whole chain taken out": func(t *testing.T, d *db.DB, mara string) error {
			return errors.Join(d.Exec(t.Context(), "DELETE FROM audit WHERE practice_id = $1", mara), d.Exec(t.Context(), "DELETE FROM audit_head WHERE practice_id = $1", mara))
		},
		"the key taken out": func(t *testing.T, d *db.DB, mara string) error {
			return d.Exec(t.Context(), "DELETE FROM practice_key WHERE practice_id = $1", mara)
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			w := written(t)
			unlock(t, w)
			if err := tamper(t, w.DB, w.Mara.Practice().String()); err != nil {
				t.Fatal(err)
			}
			if r := report(t, w); len(r.Findings) == 0 {
				t.Errorf("not found: %+v", r)
			}
		})
	}
}

// unlock takes the triggers away, as whoever owns the database can.
func unlock(t *testing.T, w *world.World) {
	t.Helper()
	var err error
	if world.OnPostgres() {
		err = w.DB.Exec(t.Context(), "DROP TRIGGER audit_append_only ON audit")
	} else {
		err = errors.Join(w.DB.Exec(t.Context(), "DROP TRIGGER audit_no_update"), w.DB.Exec(t.Context(), "DROP TRIGGER audit_no_delete"))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// What the chain alone cannot find: its newest lines cut off and the head set
// back to fit. The newest signature, kept elsewhere, is what would.
func TestATailCutOffWithItsHeadIsFoundByAnAnchorOnly(t *testing.T) {
	t.Parallel()
	w := written(t)
	unlock(t, w)
	mara := w.Mara.Practice().String()
	anchor := report(t, w).Lines
	err := errors.Join(w.DB.Exec(t.Context(), "DELETE FROM audit WHERE practice_id = $1 AND seq = (SELECT seq FROM audit_head WHERE practice_id = $1)", mara),
		w.DB.Exec(t.Context(), "UPDATE audit_head SET seq = seq - 1, mac = (SELECT mac FROM audit WHERE practice_id = $1 ORDER BY seq DESC LIMIT 1) WHERE practice_id = $1", mara))
	if err != nil {
		t.Fatal(err)
	}
	if r := report(t, w); len(r.Findings) != 0 || r.Lines != anchor-1 {
		t.Errorf("%+v: this is found after all; say so in the comment", r)
	}
}
