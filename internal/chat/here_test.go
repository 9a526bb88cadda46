package chat_test

import (
	"errors"
	"slices"
	"testing"

	"icouch/internal/access"
	"icouch/internal/base/id"
	"icouch/internal/chat"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/team"
)

// shows has somebody show, or show no longer, that they are here.
func (k *talk) shows(by access.Actor, yes bool) {
	k.t.Helper()
	k.Update(k.t, func(tx *db.Tx) error {
		c := chat.Usual()
		c.ShowsHere = yes
		return chat.Choose(tx, by, c)
	})
}

// company is who may be shown to somebody as here.
func (k *talk) company(by access.Actor, c id.Conversation) (all []string) {
	k.t.Helper()
	k.View(k.t, func(tx *db.Tx) error {
		is, err := chat.Find(tx, by, c)
		if err != nil {
			return err
		}
		others, err := chat.Company(tx, is)
		for _, o := range others {
			if o.Shows {
				all = append(all, o.Reader)
			}
		}
		return err
	})
	return all
}

func TestOnlyWhoShowsThatTheyAreHereSeesItOfOthers(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	c := k.begin(k.Mara, chat.To{Client: k.Theo})
	sees := func(when string, mara, theo bool) {
		t.Helper()
		if got := k.company(k.Mara, c); slices.Contains(got, k.Theo.String()) != mara || len(got) > 1 {
			t.Errorf("%s, she may see %v", when, got)
		}
		if got := k.company(k.theo, c); slices.Contains(got, chat.Reader(k.Mara)) != theo || len(got) > 1 {
			t.Errorf("%s, he may see %v", when, got)
		}
	}
	sees("when nobody has chosen", false, false)
	k.shows(k.Mara, true)
	sees("when she alone shows it", false, false)
	k.shows(k.theo, true)
	sees("when both do", true, true)
	k.shows(k.theo, true)
	sees("when he chose it twice", true, true)
	if err := k.DB.Update(t.Context(), func(tx *db.Tx) error {
		if err := chat.Choose(tx, k.theo, chat.Usual()); err != nil {
			return err
		}
		return errors.New("something later failed")
	}); err == nil {
		t.Fatal("nothing failed")
	}
	sees("when what he chose was undone", true, true)
	k.shows(k.Mara, false)
	sees("when she shows it no longer", false, false)
}

func TestWhoMayNotWriteIsShownNobody(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		end  func(k *talk, tx *db.Tx) error
		gone bool // the client does not come in any more
	}{
		"care has ended": {func(k *talk, tx *db.Tx) error { return people.EndCare(tx, k.Mara, k.Theo, tx.Now()) }, true},
		"somebody else took over": {func(k *talk, tx *db.Tx) error {
			return team.HandOver(tx, k.Mara, k.Mara.Practitioner(), k.Noor.Practitioner(), []id.Client{k.Theo})
		}, false},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			k := newTalk(t)
			at := k.begin(k.Mara, chat.To{Client: k.Theo})
			k.shows(k.Mara, true)
			k.shows(k.theo, true)
			if len(k.company(k.Mara, at)) != 1 || len(k.company(k.theo, at)) != 1 {
				t.Fatal("before, they may not see each other")
			}
			k.Update(t, func(tx *db.Tx) error { return c.end(k, tx) })
			if got := k.company(k.Mara, at); got != nil {
				t.Errorf("she may see %v", got)
			}
			if !c.gone {
				if got := k.company(k.theo, at); got != nil {
					t.Errorf("he may see %v", got)
				}
			}
		})
	}
}

func TestInATeamEachSeesWhoShowsIt(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	bea := k.Colleague(t, "Bea Stone", "bea@practice.test", access.Practitioner)
	k.Update(t, func(tx *db.Tx) error { return team.Include(tx, k.Mara, k.Theo, k.Noor.Practitioner(), nil) })
	noor := k.Noor.Reaching(access.Reach{Clients: []id.Client{k.Theo}})
	reads := bea.Reaching(access.Reach{Clients: []id.Client{k.Theo}, Opened: []id.Client{k.Theo}}) // in an emergency
	c := k.begin(k.theo, chat.To{Team: true})
	for _, by := range []access.Actor{k.theo, k.Noor, bea} {
		k.shows(by, true)
	}
	if got := k.company(k.theo, c); !slices.Equal(got, []string{chat.Reader(k.Noor)}) {
		t.Errorf("he may see %v", got)
	}
	k.shows(k.Mara, true)
	if got := k.company(noor, c); !slices.Equal(got, []string{k.Theo.String(), chat.Reader(k.Mara)}) {
		t.Errorf("who is in the care team may see %v", got)
	}
	if got := k.company(reads, c); got != nil {
		t.Errorf("who only reads may see %v", got)
	}
	k.Update(t, func(tx *db.Tx) error { return team.Exclude(tx, k.Mara, k.Theo, k.Noor.Practitioner()) })
	if got := k.company(k.theo, c); !slices.Equal(got, []string{chat.Reader(k.Mara)}) {
		t.Errorf("when she is in the team no longer, he may see %v", got)
	}
}

func TestColleaguesSeeEachOtherWhileBothWorkThere(t *testing.T) {
	t.Parallel()
	k := newTalk(t)
	c := k.begin(k.Mara, chat.To{Member: k.Noor.Practitioner()})
	k.shows(k.Mara, true)
	k.shows(k.Noor, true)
	if len(k.company(k.Mara, c)) != 1 || len(k.company(k.Noor, c)) != 1 {
		t.Error("they may not see each other")
	}
	k.Update(t, func(tx *db.Tx) error { return team.Deactivate(tx, k.Mara, k.Noor.Practitioner(), "") })
	if got := k.company(k.Mara, c); got != nil {
		t.Errorf("she may see %v, who works there no more", got)
	}
}
