package access_test

import (
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/base/at"
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
			access.AsContact(practice, "a", client, access.Grant{Rights: access.Rights}), access.ByLink(practice, client), access.Job(practice), access.AsSupport("a"), access.Operator(),
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

// A contact may what they were given, for the one client, and nothing that a
// client or a member may by being one.
func TestAContactMayWhatTheyWereGivenAndNoMore(t *testing.T) {
	t.Parallel()
	by := access.AsContact(practice, "a", client, access.Grant{Contact: "k", Rights: []access.Right{access.PayInvoices}})
	for _, part := range access.Rights {
		if got, want := by.ActsFor(client, part), part == access.PayInvoices; got != want {
			t.Errorf("%s: %v, want %v", part, got, want)
		}
		if by.ActsFor(given, part) || by.ActsFor("", part) || access.AsContact(practice, "", client, by.Grant()).ActsFor(client, part) {
			t.Errorf("%s of somebody else, or of nobody", part)
		}
		if !access.AsClient(practice, "a", client).ActsFor(client, part) || access.AsPractitioner(practice, "a", me, access.Owner).ActsFor(client, part) {
			t.Errorf("%s: the client may, the practice is no client", part)
		}
	}
	if by.ActsFor(client, "messages") || by.IsClient() || by.AtWork() || by.SeesAll() || by.MaySeePeople() || by.Sees(client, me) || by.MayInvite() || !by.SignedIn() || !by.IsContact() {
		t.Error("a contact is taken for somebody else")
	}
	if by.May(access.OpenPeople) || access.AsPerson("a").IsContact() || len(access.AsPerson("a").Grant().Rights) != 0 {
		t.Error("somebody else is taken for a contact")
	}
}

func TestRightsAreStoredAsTheyStandInTheList(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		some []access.Right
		want string
	}{{nil, ""}, {[]access.Right{access.SeeDocuments, access.SeeAppointments, access.SeeDocuments}, "appointments documents"}, {[]access.Right{"messages", access.FillForms}, "forms"}} {
		if got := access.JoinRights(c.some); got != c.want {
			t.Errorf("%v is stored as %q, want %q", c.some, got, c.want)
		}
	}
	if got := access.SplitRights("appointments journal  documents"); len(got) != 2 {
		t.Errorf("read are %v: what is no right must not become one", got)
	}
}

func TestHowAContactStandsFollowsFromTheTermsAndTheTime(t *testing.T) {
	t.Parallel()
	now := at.Of(time.Date(2030, 3, 14, 9, 0, 0, 0, time.UTC))
	past, soon, late := now.Plus(-time.Hour).Ptr(), now.Plus(time.Hour).Ptr(), now.Plus(2*time.Hour).Ptr()
	some := []access.Right{access.FillForms}
	for name, c := range map[string]struct {
		terms access.Terms
		want  access.Standing
		until *at.Time
	}{
		"nothing":               {access.Terms{}, access.NoRights, nil},
		"no end":                {access.Terms{Rights: some}, access.Open, nil},
		"begun":                 {access.Terms{Rights: some, Begins: past, Ends: soon}, access.Open, soon},
		"begins now":            {access.Terms{Rights: some, Begins: now.Ptr()}, access.Open, nil},
		"not yet":               {access.Terms{Rights: some, Begins: soon, Ends: late}, access.Before, late},
		"ends now":              {access.Terms{Rights: some, Ends: now.Ptr()}, access.Over, now.Ptr()},
		"suspended":             {access.Terms{Rights: some, Suspended: true}, access.Suspended, nil},
		"suspended, and over":   {access.Terms{Rights: some, Suspended: true, Ends: past}, access.Over, past},
		"suspended, to come":    {access.Terms{Rights: some, Suspended: true, Begins: soon}, access.Suspended, nil},
		"of age before that":    {access.Terms{Rights: some, Ends: late, OfAge: soon}, access.Open, soon},
		"of age":                {access.Terms{Rights: some, Ends: late, OfAge: past}, access.Over, past},
		"care has ended":        {access.Terms{Rights: some, Ends: late, Care: past}, access.Over, past},
		"care ends before that": {access.Terms{Rights: some, Ends: late, OfAge: late, Care: soon}, access.Open, soon},
	} {
		if got := c.terms.Standing(now); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if got := c.terms.Until(); c.until == nil != got.IsZero() || c.until != nil && !got.Equal(c.until.Time) {
			t.Errorf("%s: until %v, want %v", name, got, c.until)
		}
	}
}
