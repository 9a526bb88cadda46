package access_test

import (
	"testing"

	"icouch/internal/access"
	"icouch/internal/base/id"
)

const (
	practice = id.Practice("p")
	me       = id.Practitioner("me")
	other    = id.Practitioner("other")
	third    = id.Practitioner("third")
	client   = id.Client("c")
	given    = id.Client("given")
)

func TestAMemberSeesTheirOwnClientsAndThoseTheyWereGiven(t *testing.T) {
	t.Parallel()
	alone := access.AsPractitioner(practice, "a", me, access.Supervisor)
	reaching := alone.Reaching(access.Reach{Of: []id.Practitioner{other}, Clients: []id.Client{given}})
	for _, is := range []struct {
		name string
		by   access.Actor
		c    id.Client
		of   id.Practitioner
		sees bool
	}{
		{"their own", alone, client, me, true},
		{"a colleague's", alone, client, other, false},
		{"one of whom they supervise", reaching, client, other, true},
		{"one of a third", reaching, client, third, false},
		{"one they were given", reaching, given, third, true},
		{"their own still", reaching, client, me, true},
		{"anybody's, as an owner", access.AsPractitioner(practice, "a", me, access.Owner), client, third, true},
		{"with a second step to come", access.AsWaiting(practice, "a").Reaching(access.Reach{Clients: []id.Client{given}}), given, third, false},
		{"a client of their practitioner's clients", access.AsClient(practice, "a", client), given, "", false},
	} {
		if is.by.Sees(is.c, is.of) != is.sees {
			t.Errorf("%s: sees is %v", is.name, !is.sees)
		}
	}
}

func TestOnlyMembersAtWorkHaveThePowersOfARole(t *testing.T) {
	t.Parallel()
	for _, power := range access.Powers {
		for _, by := range []access.Actor{access.Guest(), access.AsPerson("a"), access.AsWaiting(practice, "a"), access.AsClient(practice, "a", client),
			access.ByLink(practice, client), access.Job(practice), access.AsSupport("a"), access.Operator(),
			access.AsPractitioner(practice, "a", "", access.Owner)} {
			if by.May(power.Power) {
				t.Errorf("%s may %s", by.Role(), power.Power)
			}
		}
		if len(power.By) == 0 || power.Says == "" || !access.AsPractitioner(practice, "a", me, power.By[0]).May(power.Power) {
			t.Errorf("%s: nobody may", power.Power)
		}
	}
	if access.AsPractitioner(practice, "a", me, access.Owner).May("something else") {
		t.Error("there is a power nobody defined")
	}
}
