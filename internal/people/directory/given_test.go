package directory_test

import (
	"errors"
	"slices"
	"testing"

	"icouch/internal/access"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/people"
	"icouch/internal/people/directory"
	"icouch/internal/platform/db"
	"icouch/internal/world"
)

// Clients somebody was given stand in their list, are counted once and found,
// in every group, order and page.
func TestGivenClientsAreInTheListTheCountsAndTheSearch(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	nadia := client(t, w, w.Noor, "Nadia", "Own", "nadia@example.com")
	client(t, w, w.Mara, "Carl", "Albers", "carl@example.com")
	w.Update(t, func(tx *db.Tx) error { return people.Invite(tx, w.Mara, w.Theo, "") })
	sue := w.Colleague(t, "Sue Stone", "sue@practice.test", access.Supervisor)
	next := client(t, w, w.Ines, "Next", "Door", "next@example.com")
	for _, c := range []struct {
		name  string
		reach access.Reach
		want  []string
		not   int // of them are not invited
	}{
		{"nothing", access.Reach{}, []string{}, 0},
		{"one", access.Reach{Clients: []id.Client{w.Theo}}, []string{"Theo Vance"}, 0},
		{"two", access.Reach{Clients: []id.Client{w.Theo, nadia}}, []string{"Nadia Own", "Theo Vance"}, 1},
		{"a caseload", access.Reach{Of: []id.Practitioner{w.Noor.Practitioner()}}, []string{"Nadia Own"}, 1},
		{"a caseload, and one of it", access.Reach{Of: []id.Practitioner{w.Noor.Practitioner()}, Clients: []id.Client{nadia, w.Theo}}, []string{"Nadia Own", "Theo Vance"}, 1},
		{"one of another practice", access.Reach{Clients: []id.Client{next}}, []string{}, 0},
		{"one who is none", access.Reach{Clients: []id.Client{"nobody"}}, []string{}, 0},
	} {
		by := sue.Reaching(c.reach)
		for _, text := range []string{"", "example.com"} {
			for _, sort := range []directory.Sort{directory.ByName, directory.ByStatus, directory.ByAdded} {
				a := look(t, w, by, directory.Query{Text: text, Sort: sort})
				got := names(a)
				slices.Sort(got)
				if !slices.Equal(got, c.want) && len(got)+len(c.want) > 0 || a.Total != len(c.want) || a.Counts[people.Everyone] != len(c.want) || a.Counts[people.NotInvited] != c.not ||
					a.Counts[people.Invited] != len(c.want)-c.not {
					t.Errorf("%s, %q by %s: %q of %d, counts %v; want %q", c.name, text, sort, got, a.Total, a.Counts, c.want)
				}
				if page := look(t, w, by, directory.Query{Text: text, Sort: sort, Skip: 1, Most: 1}); page.Total != len(c.want) || len(page.Rows) != max(0, min(1, len(c.want)-1)) {
					t.Errorf("%s: the second page holds %q of %d", c.name, names(page), page.Total)
				}
			}
		}
		if a := look(t, w, by, directory.Query{Group: people.NotInvited}); a.Total != c.not || len(a.Rows) != c.not {
			t.Errorf("%s: %d are not invited, want %d", c.name, a.Total, c.not)
		}
	}
}

func TestAnEmergencyFindsByTheExactNameOnly(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	w.Client(t, w.Mara, people.Draft{First: "Elizabeth", Last: "Ångström", Preferred: "Lizzie"})
	client(t, w, w.Ines, "Next", "Door", "next@example.com")
	find := func(by access.Actor, typed string) int {
		t.Helper()
		found, err := w.Directory.Exactly(t.Context(), by, typed)
		if err != nil {
			t.Fatal(err)
		}
		return len(found)
	}
	for typed, want := range map[string]int{"Theo Vance": 1, " THEO vance ": 1, "theo@example.com": 1, "Elizabeth Angstrom": 1, "Lizzie Ångström": 1,
		"Theo": 0, "Vance": 0, "Theo Vanc": 0, "heo@example.com": 0, "Vance Theo": 0, "Next Door": 0, "next@example.com": 0, "": 0, " ": 0, "Lizzie": 0} {
		if got := find(w.Noor, typed); got != want {
			t.Errorf("%q finds %d, want %d", typed, got, want)
		}
	}
	for name, by := range map[string]access.Actor{"the owner": w.Mara, "a client": access.AsClient(w.Mara.Practice(), w.Mara.Account(), w.Theo), "a guest": access.Guest()} {
		if found, err := w.Directory.Exactly(t.Context(), by, "Theo Vance"); !errors.Is(err, fault.NotFound) || found != nil {
			t.Errorf("%s: %v, %v", name, found, err)
		}
	}
}
