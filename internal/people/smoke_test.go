package people_test

import (
	"context"
	"testing"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/secret"
	"icouch/internal/people"
	"icouch/internal/people/directory"
	"icouch/internal/platform/db"
	"icouch/internal/world"
)

func TestInviteToSecureMessage(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	w.Update(t, func(tx *db.Tx) error { return people.Invite(tx, w.Mara, w.Theo, "Looking forward") })
	if n := w.RunJobs(t); n != 1 {
		t.Fatalf("%d letters", n)
	}
	t.Log(w.Letters("theo@example.com")[0].Text)
	link := w.Link(t, "theo@example.com", "/join/")
	var j people.Joined
	w.Update(t, func(tx *db.Tx) (err error) {
		j, err = people.SignUp(tx, access.Guest(), secret.ParseToken(link), "x")
		return err
	})
	a, err := w.Directory.Look(context.Background(), w.Mara, directory.Query{Text: "vance"})
	if err != nil || a.Total != 1 {
		t.Fatal(a, err)
	}
	if !a.Rows[0].Account {
		t.Errorf("%+v", a.Rows[0])
	}
	_ = account.Place{}
	_ = j
}
