package cli_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/audit"
	"icouch/internal/base/email"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/cli"
	"icouch/internal/letter"
	"icouch/internal/people"
	"icouch/internal/platform/config"
	"icouch/internal/platform/db"
	"icouch/internal/platform/installation"
	"icouch/internal/platform/keys"
	"icouch/internal/world"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"icouch": operate})
}

// operate is the operator's half of the program.
func operate() {
	var grammar struct {
		cli.Commands `embed:""`
	}
	err := func() error {
		o := &cli.Office{SQL: world.SQL, Clock: time.Now, Out: os.Stdout}
		c, err := config.Read(&grammar, "", os.Args[1:], config.IO{Out: os.Stdout, Err: os.Stderr}, o)
		if err != nil {
			return err
		}
		return c.Run(context.Background())
	}()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{Dir: "testdata/script", Cmds: map[string]func(*testscript.TestScript, bool, []string){"cut": cut, "mode": mode, "kept": kept}})
}

// cut takes the last bytes off a file.
func cut(ts *testscript.TestScript, _ bool, args []string) {
	file := ts.MkAbs(args[0])
	info, err := os.Stat(file)
	ts.Check(err)
	ts.Check(os.Truncate(file, info.Size()-100))
}

// kept fails unless a root key from before, as only its owner may read it, is
// beside the one in use.
func kept(ts *testscript.TestScript, _ bool, args []string) {
	found, err := filepath.Glob(ts.MkAbs(args[0]) + ".before-*")
	ts.Check(err)
	want := ts.ReadFile(args[1])
	for _, f := range found {
		info, err := os.Stat(f)
		ts.Check(err)
		if ts.ReadFile(f) == want && info.Mode().Perm() == 0o600 {
			return
		}
	}
	ts.Fatalf("%s is not kept: %v", args[1], found)
}

// mode says who may use a file: mode 644 FILE sets it, mode FILE fails unless
// nobody but its owner may.
func mode(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) == 2 {
		bits, err := strconv.ParseUint(args[0], 8, 32)
		ts.Check(err)
		ts.Check(os.Chmod(ts.MkAbs(args[1]), os.FileMode(bits)))
		return
	}
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	if info.Mode().Perm()&0o077 != 0 {
		ts.Fatalf("others may use %s: %v", args[0], info.Mode())
	}
}

// office returns an operator's desk and where an installation can be.
func office(t *testing.T) (*cli.Office, config.Place, *bytes.Buffer) {
	t.Helper()
	p := config.Place{Data: t.TempDir()}
	if world.OnPostgres() {
		p.Database = world.DatabaseURL(t)
	}
	var out bytes.Buffer
	return &cli.Office{SQL: world.SQL, Clock: time.Now, Out: &out}, p, &out
}

// open opens the installation for as long as do takes.
func open(t *testing.T, o *cli.Office, p config.Place, do func(d *db.DB)) {
	t.Helper()
	i, err := installation.Open(t.Context(), p, o.SQL, o.Clock)
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	do(i.DB)
}

// settle makes a practice with one client, invited, and returns its owner.
func settle(t *testing.T, o *cli.Office, p config.Place) (owner access.Actor, client id.Client) {
	t.Helper()
	open(t, o, p, func(d *db.DB) {
		address, err := email.Parse("mara@practice.test")
		if err != nil {
			t.Fatal(err)
		}
		err = d.Update(t.Context(), func(tx *db.Tx) error {
			who, err := account.Make(tx, access.Guest(), account.New{Name: "Mara Lindqvist", Email: address, Password: "x", Verified: true})
			if err != nil {
				return err
			}
			owner, err = people.Found(tx, access.AsPerson(who), "The Practice of Mara", "America/New_York")
			if err != nil {
				return err
			}
			to, err := email.Parse("theo@example.com")
			if err != nil {
				return err
			}
			client = id.New[id.Client](tx.Now().Time)
			theo := people.Details{Name: people.Name{First: "Theo", Last: "Vance"}, Email: to, Mobile: "+1 212 555 0100", Address: "1 Mill Lane", EmailConsent: true}
			return people.Create(tx, owner, client, theo, true)
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	return owner, client
}

// everythingOpens fails the test unless every sealed thing can be read.
func everythingOpens(t *testing.T, d *db.DB, owner access.Actor, client id.Client) {
	t.Helper()
	err := d.View(t.Context(), func(tx *db.Tx) error {
		c, err := people.Find(tx, owner, client)
		if err != nil {
			return err
		}
		if c.Name.Full() != "Theo Vance" || c.Email.String() != "theo@example.com" || c.Mobile != "+1 212 555 0100" || c.Address != "1 Mill Lane" {
			t.Errorf("the client reads %+v", c.Details)
		}
		sent, err := people.History(tx, owner, client)
		if err != nil {
			return err
		}
		if len(sent) != 1 || sent[0].To != "theo@example.com" || sent[0].Inviter != "Mara Lindqvist" {
			t.Errorf("the history reads %+v", sent)
		}
		me, err := account.Of(tx, owner)
		if err == nil && (me.Name != "Mara Lindqvist" || me.Email.String() != "mara@practice.test") {
			t.Errorf("the account reads %+v", me)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// sealedName is the client's name as it lies in the database.
func sealedName(t *testing.T, d *db.DB, client id.Client) (sealed []byte) {
	t.Helper()
	if err := d.Row(t.Context(), "SELECT name FROM client WHERE id = $1", []any{client.String()}, &sealed); err != nil {
		t.Fatal(err)
	}
	return sealed
}

func TestRotatingKeysLeavesEverythingReadable(t *testing.T) {
	t.Parallel()
	for _, fields := range []bool{false, true} {
		t.Run(fmt.Sprint("fields ", fields), func(t *testing.T) {
			t.Parallel()
			o, p, out := office(t)
			owner, client := settle(t, o, p)
			old, err := os.ReadFile(p.KeyFile())
			if err != nil {
				t.Fatal(err)
			}
			var before []byte
			open(t, o, p, func(d *db.DB) { before = sealedName(t, d, client) })
			if err := (&cli.RotateKeys{Place: p, Fields: fields}).Run(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			open(t, o, p, func(d *db.DB) {
				everythingOpens(t, d, owner, client)
				if again := !bytes.Equal(before, sealedName(t, d, client)); again != fields {
					t.Errorf("sealed again: %v, want %v", again, fields)
				}
			})
			if err := (&cli.VerifyTrail{Place: p}).Run(t.Context(), o); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			if err := os.WriteFile(p.KeyFile(), old, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := installation.Open(t.Context(), p, o.SQL, o.Clock); !errors.Is(err, installation.ErrOtherKey) {
				t.Errorf("the old root key still opens: %v", err)
			}
		})
	}
}

// Each of these is a moment at which the program may be killed.
func TestARotationThatWasKilledIsRunAgain(t *testing.T) {
	t.Parallel()
	killed := errors.New("killed")
	for name, half := range map[string]func(context.Context, *db.DB, access.Actor) error{
		"a new root key and nothing under it": func(_ context.Context, d *db.DB, _ access.Actor) error { return d.Ring.RotateRoot() },
		"wrapped, and the old root key still there": func(ctx context.Context, d *db.DB, _ access.Actor) error {
			_, err := keys.Rotate(ctx, d)
			return errors.Join(err, d.Ring.RotateRoot())
		},
		"a new data key and nothing sealed with it": func(ctx context.Context, d *db.DB, by access.Actor) error {
			return d.Maintain(ctx, func(tx *db.Tx) error { return keys.Renew(tx, by.Practice()) })
		},
		"half of the clients sealed again": func(ctx context.Context, d *db.DB, by access.Actor) error {
			err := d.Maintain(ctx, func(tx *db.Tx) error { return keys.Renew(tx, by.Practice()) })
			return errors.Join(err, d.Update(ctx, func(tx *db.Tx) error {
				_, err := people.Reseal(tx, access.Operating(by.Practice()), "")
				return err
			}))
		},
		"a part undone with its transaction": func(ctx context.Context, d *db.DB, by access.Actor) error {
			err := d.Update(ctx, func(tx *db.Tx) error {
				_, err := people.Reseal(tx, access.Operating(by.Practice()), "")
				return errors.Join(err, killed)
			})
			if !errors.Is(err, killed) {
				return err
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, p, _ := office(t)
			owner, client := settle(t, o, p)
			open(t, o, p, func(d *db.DB) {
				if err := half(t.Context(), d, owner); err != nil {
					t.Fatal(err)
				}
			})
			open(t, o, p, func(d *db.DB) { everythingOpens(t, d, owner, client) })
			if err := (&cli.RotateKeys{Place: p, Fields: true}).Run(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			open(t, o, p, func(d *db.DB) { everythingOpens(t, d, owner, client) })
		})
	}
}

func TestTheTrailFindsWhateverWasDoneToIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		tamper func(*db.DB, string) error
		says   string
		adds   bool // what no trigger can keep out
	}{
		"a line changed": {func(d *db.DB, p string) error {
			return d.Exec(context.Background(), "UPDATE audit SET action = 'client.edited' WHERE practice_id = $1 AND seq = 2", p)
		}, "line 2: a line was changed", false},
		"a line taken out": {func(d *db.DB, p string) error {
			return d.Exec(context.Background(), "DELETE FROM audit WHERE practice_id = $1 AND seq = 2", p)
		}, "line 2: a line is missing", false},
		"the newest line taken off": {func(d *db.DB, p string) error {
			return d.Exec(context.Background(), "DELETE FROM audit WHERE practice_id = $1 AND seq = (SELECT MAX(seq) FROM audit WHERE practice_id = $1)", p)
		}, "the newest lines are missing", false},
		"a line put in": {func(d *db.DB, p string) error {
			return d.Exec(context.Background(), `INSERT INTO audit (practice_id, seq, at, role, account_id, action, subject, client_id, detail, mac)
				SELECT practice_id, (SELECT MAX(seq) + 1 FROM audit WHERE practice_id = $1), at, role, account_id, action, subject, client_id, detail, mac FROM audit WHERE practice_id = $1 AND seq = 1`, p)
		}, "a line was changed, put in or moved", true},
		"two lines swapped": {func(d *db.DB, p string) error {
			return errors.Join(
				d.Exec(context.Background(), "UPDATE audit SET seq = 1000 WHERE practice_id = $1 AND seq = 1", p),
				d.Exec(context.Background(), "UPDATE audit SET seq = 1 WHERE practice_id = $1 AND seq = 2", p),
				d.Exec(context.Background(), "UPDATE audit SET seq = 2 WHERE practice_id = $1 AND seq = 1000", p))
		}, "line 1: a line was changed, put in or moved", false},
		"the whole chain taken away but its head": {func(d *db.DB, p string) error {
			return d.Exec(context.Background(), "DELETE FROM audit WHERE practice_id = $1", p)
		}, "the newest lines are missing", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, p, out := office(t)
			owner, _ := settle(t, o, p)
			if err := (&cli.VerifyTrail{Place: p}).Run(t.Context(), o); err != nil {
				t.Fatalf("before anything was done: %v\n%s", err, out)
			}
			open(t, o, p, func(d *db.DB) {
				if err := c.tamper(d, owner.Practice().String()); err == nil && !c.adds {
					t.Error("the trail can be changed while its triggers are there")
				}
				if c.adds {
					return
				}
				if err := errors.Join(freeTheTrail(t.Context(), d), c.tamper(d, owner.Practice().String())); err != nil {
					t.Fatal(err)
				}
			})
			out.Reset()
			if err := (&cli.VerifyTrail{Place: p}).Run(t.Context(), o); !errors.Is(err, cli.ErrTrail) || !strings.Contains(out.String(), c.says) {
				t.Errorf("got %v, want %q in\n%s", err, c.says, out)
			}
		})
	}
}

// freeTheTrail takes away what keeps it append-only, as whoever owns the
// database can.
// The end cut off with all that notes it is found by an anchor alone.
func TestAnEndThatWasCutOffIsFoundByItsAnchor(t *testing.T) {
	t.Parallel()
	o, p, out := office(t)
	owner, _ := settle(t, o, p)
	file := filepath.Join(t.TempDir(), "anchors")
	practice := owner.Practice().String()
	open(t, o, p, func(d *db.DB) {
		k := audit.Keeper{DB: d, Places: []audit.Place{audit.ParsePlace(file)}}
		if err := k.Anchor(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	if err := (&cli.VerifyTrail{Place: p, Anchors: file}).Run(t.Context(), o); err != nil || !strings.Contains(out.String(), "2 anchors.") {
		t.Fatalf("before anything was done: %v\n%s", err, out)
	}
	open(t, o, p, func(d *db.DB) {
		err := errors.Join(freeTheTrail(t.Context(), d), d.Exec(t.Context(), "DELETE FROM audit WHERE practice_id = $1 AND seq > 2", practice),
			d.Exec(t.Context(), "UPDATE audit_head SET seq = 2, mac = (SELECT mac FROM audit WHERE practice_id = $1 AND seq = 2) WHERE practice_id = $1", practice))
		if err != nil {
			t.Fatal(err)
		}
	})
	if err := (&cli.VerifyTrail{Place: p}).Run(t.Context(), o); err != nil {
		t.Errorf("premise: it is found without an anchor: %v\n%s", err, out)
	}
	out.Reset()
	if err := (&cli.VerifyTrail{Place: p, Anchors: file}).Run(t.Context(), o); !errors.Is(err, cli.ErrTrail) || !strings.Contains(out.String(), "line 3: the lines up to ") {
		t.Errorf("%v\n%s", err, out)
	}
	if err := (&cli.VerifyTrail{Place: p, Anchors: file + ".not"}).Run(t.Context(), o); err == nil {
		t.Error("a file that is not there proves something")
	}
	if err := os.WriteFile(file, []byte("nothing of ours\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (&cli.VerifyTrail{Place: p, Anchors: file}).Run(t.Context(), o); !errors.Is(err, cli.ErrNoAnchors) {
		t.Errorf("a file without an anchor proves something: %v", err)
	}
}

func freeTheTrail(ctx context.Context, d *db.DB) error {
	if d.Engine() == "PostgreSQL" {
		return d.Exec(ctx, "DROP TRIGGER audit_append_only ON audit")
	}
	return errors.Join(d.Exec(ctx, "DROP TRIGGER IF EXISTS audit_no_update"), d.Exec(ctx, "DROP TRIGGER IF EXISTS audit_no_delete"))
}

func TestSeedMakesAPracticeOfMixedPeople(t *testing.T) {
	t.Parallel()
	o, p, out := office(t)
	s := &cli.Seed{Place: p, Clients: 700, Practices: 2, Owner: "seed@example.com", Random: 1}
	if err := s.Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "700 clients in 2 practices") {
		t.Errorf("says\n%s", out)
	}
	open(t, o, p, func(d *db.DB) {
		var clients, accounts, live, noAddress, noConsent int
		err := d.Row(t.Context(), `SELECT (SELECT COUNT(*) FROM client), (SELECT COUNT(*) FROM client WHERE account_id IS NOT NULL),
			(SELECT COUNT(*) FROM invitation WHERE state = 'live'), (SELECT COUNT(*) FROM client WHERE email IS NULL),
			(SELECT COUNT(*) FROM client WHERE NOT email_consent)`, nil, &clients, &accounts, &live, &noAddress, &noConsent)
		if err != nil {
			t.Fatal(err)
		}
		if clients != 700 || accounts < 5 || live < 20 || noAddress < 5 || noConsent < 5 {
			t.Errorf("%d clients: %d with an account, %d invited, %d without an address, %d without consent", clients, accounts, live, noAddress, noConsent)
		}
	})
	if err := s.Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), "name another owner") {
		t.Errorf("a second time for the same owner: %v", err)
	}
}

func TestSeedLeavesLettersThatWaitAlone(t *testing.T) {
	t.Parallel()
	o, p, _ := office(t)
	settle(t, o, p) // whose letter to Theo waits
	err := (&cli.Seed{Place: p, Clients: 1, Practices: 1, Owner: "seed@example.com"}).Run(t.Context(), o)
	if err == nil || !strings.Contains(err.Error(), "letters wait") {
		t.Errorf("got %v", err)
	}
}

func TestTwoProgramsDoNotWorkInOneDirectory(t *testing.T) {
	t.Parallel()
	o, p, _ := office(t)
	settle(t, o, p)
	open(t, o, p, func(*db.DB) {
		if err := (&cli.RotateKeys{Place: p}).Run(t.Context(), o); !errors.Is(err, installation.ErrRunning) {
			t.Errorf("keys are changed under a running program: %v", err)
		}
		if err := (&cli.VerifyTrail{Place: p}).Run(t.Context(), o); err != nil {
			t.Errorf("the trail cannot be looked at meanwhile: %v", err)
		}
	})
}

func TestALostRootKeyIsNotReplaced(t *testing.T) {
	t.Parallel()
	o, p, _ := office(t)
	settle(t, o, p)
	if err := os.Rename(p.KeyFile(), filepath.Join(p.Data, "elsewhere")); err != nil {
		t.Fatal(err)
	}
	_, err := installation.Open(t.Context(), p, o.SQL, o.Clock)
	if !errors.Is(err, installation.ErrNoKey) && !errors.Is(err, installation.ErrOtherKey) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(p.KeyFile()); err == nil {
		t.Error("a new root key was made, which opens nothing")
	}
}

func TestKeysAreRotatedOnlyWhereTheyLockSomething(t *testing.T) {
	t.Parallel()
	o, p, _ := office(t)
	owner, client := settle(t, o, p)
	before, err := os.ReadFile(p.KeyFile())
	if err != nil {
		t.Fatal(err)
	}
	_, elsewhere, _ := office(t)
	elsewhere.RootKey = p.KeyFile()
	forgot := config.Place{Data: t.TempDir(), RootKey: p.KeyFile()} // and --database, if there was one
	for _, wrong := range []config.Place{elsewhere, forgot} {
		if err := (&cli.RotateKeys{Place: wrong}).Run(t.Context(), o); !errors.Is(err, installation.ErrNone) {
			t.Errorf("in the wrong place: %v", err)
		}
		if err := (&cli.VerifyTrail{Place: wrong}).Run(t.Context(), o); !errors.Is(err, installation.ErrNone) {
			t.Errorf("looking in the wrong place: %v", err)
		}
	}
	if after, err := os.ReadFile(p.KeyFile()); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the root key was replaced: %v", err)
	}
	open(t, o, p, func(d *db.DB) { everythingOpens(t, d, owner, client) })

	q, other, _ := office(t)
	settle(t, q, other)
	theirs := p
	theirs.RootKey = other.KeyFile()
	if err := (&cli.RotateKeys{Place: theirs}).Run(t.Context(), o); !errors.Is(err, installation.ErrOtherKey) {
		t.Errorf("with the root key of another installation: %v", err)
	}
}

func TestTheOperatorHandsOverLettersOfTheInstallationAlone(t *testing.T) {
	t.Parallel()
	o, p, out := office(t)
	settle(t, o, p) // whose letter to Theo is the practice's
	if err := (&cli.Letters{Place: p, Show: true}).Run(t.Context(), o); err != nil || !strings.Contains(out.String(), "0 letters of") {
		t.Errorf("where none waits: %v\n%s", err, out)
	}
	out.Reset()
	address, err := email.Parse("ines@example.com")
	if err != nil {
		t.Fatal(err)
	}
	send := func(tx *db.Tx) error {
		_, err := letter.Send(tx, access.Guest(), letter.Draft{Kind: letter.ConfirmMail, To: address, FromName: letter.Brand, Body: letter.Body{
			Subject: "Confirm your e-mail", Parts: []letter.Part{{Button: &letter.Button{Label: "Confirm", URL: letter.Base + "/confirm/0123456789"}}}}})
		return err
	}
	open(t, o, p, func(d *db.DB) {
		if err := d.Maintain(t.Context(), send); err != nil {
			t.Fatal(err)
		}
	})
	if err := (&cli.Letters{Place: p}).Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if said := out.String(); !strings.Contains(said, "a practitioner signs up") || !strings.Contains(said, "1 letter of") || strings.Contains(said, "ines@") || strings.Contains(said, "/confirm/") {
		t.Errorf("the list says\n%s", said)
	}
	out.Reset()
	if err := (&cli.Letters{Place: p, Show: true, URL: "https://couch.example.org", Brand: "iCouch"}).Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"To: ines@example.com", "Confirm your e-mail", "https://couch.example.org/confirm/0123456789"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the letter does not say %q:\n%s", want, out)
		}
	}
	if strings.Contains(out.String(), "theo@") {
		t.Errorf("a practice's letter is shown:\n%s", out)
	}
	open(t, o, p, func(d *db.DB) {
		var lines int
		if err := d.Row(t.Context(), "SELECT COUNT(*) FROM audit WHERE action = 'letter.shown' AND practice_id = 'installation'", nil, &lines); err != nil || lines != 1 {
			t.Errorf("the trail has %d lines of it: %v", lines, err)
		}
		for name, by := range map[string]access.Actor{"a stranger": access.Guest(), "a job": access.Job(keys.Installation), "a person": access.AsPerson("x"), "the operator in a practice": access.Operating("y")} {
			err := d.Update(t.Context(), func(tx *db.Tx) error {
				_, err := letter.Read(tx, by, letter.House{})
				return err
			})
			if !errors.Is(err, fault.Forbidden) {
				t.Errorf("%s reads letters: %v", name, err)
			}
		}
	})
}
