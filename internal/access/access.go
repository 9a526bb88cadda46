// Package access says who is acting, in which practice, and what their role
// lets them do.
//
// An Actor can be made only here, and only from something proved: a session, a
// link somebody holds, a job's practice, the operator's own shell. The layout
// test lists who may call which maker.
package access

import (
	"log/slog"
	"slices"

	"icouch/internal/base/at"
	"icouch/internal/base/id"
)

// Role is what a person is within a practice.
type Role string

// The roles. The zero Role is nobody: a stranger at the door.
const (
	Nobody        Role = ""
	Owner         Role = "owner"
	Administrator Role = "administrator"
	Practitioner  Role = "practitioner"
	Biller        Role = "biller"
	Scheduler     Role = "scheduler"
	Supervisor    Role = "supervisor"

	Client  Role = "client"   // acts for one client record
	Contact Role = "contact"  // acts for a client in what they were given: a parent, a guardian, a payer
	Person  Role = "person"   // signed in, in no practice at the moment
	Leaving Role = "leaving"  // signed in to an account that is to be deleted: may keep it, or sign out
	Waiting Role = "waiting"  // signed in, in a place that asks for a second step they have not shown
	Link    Role = "link"     // holds a link, and has proved nothing else
	System  Role = "system"   // the program itself
	Support Role = "support"  // runs the installation; repairs accounts, reads no content
	Shell   Role = "operator" // the operator, at the machine itself
)

// Actor is the person on whose behalf something is done. Every verb takes one.
type Actor struct {
	practice     id.Practice
	account      id.Account
	practitioner id.Practitioner
	client       id.Client
	role         Role
	reach        *Reach
	grant        *Grant
}

// Reach is which clients a member has been given beyond their own: nobody's own
// client is in it. What ends at a time is left out once that time has come.
type Reach struct {
	Of      []id.Practitioner // members whose clients are seen too: whom a supervisor supervises
	Clients []id.Client       // single clients: as one of a care team, or opened in an emergency
	Opened  []id.Client       // those of them that are open by way of an emergency alone
	Until   at.Time           // when the first of these ends by the clock; zero: none does
}

// Guest returns somebody of whom nothing is known.
func Guest() Actor { return Actor{} }

// AsPractitioner returns a person at work in a practice.
func AsPractitioner(practice id.Practice, account id.Account, practitioner id.Practitioner, role Role) Actor {
	return Actor{practice: practice, account: account, practitioner: practitioner, role: role}
}

// Reaching returns a, a member, with what they have been given beyond their own clients.
func (a Actor) Reaching(r Reach) Actor {
	if len(r.Of)+len(r.Clients) > 0 {
		a.reach = &r
	}
	return a
}

// AsWaiting returns a person who has signed in, at the door of a place that asks
// for a second step. Until they show one they may do what is theirs alone.
func AsWaiting(practice id.Practice, account id.Account) Actor {
	return Actor{practice: practice, account: account, role: Waiting}
}

// AsClient returns a person acting for a client record of a practice.
func AsClient(practice id.Practice, account id.Account, client id.Client) Actor {
	return Actor{practice: practice, account: account, client: client, role: Client}
}

// AsContact returns a person acting for a client in what they were given.
func AsContact(practice id.Practice, account id.Account, client id.Client, g Grant) Actor {
	return Actor{practice: practice, account: account, client: client, role: Contact, grant: &g}
}

// AsPerson returns a person who has signed in and is in no practice.
func AsPerson(account id.Account) Actor { return Actor{account: account, role: Person} }

// AsLeaving returns a person whose account is to be deleted. To all rules but
// one they are nobody: they may say that they stay.
func AsLeaving(account id.Account) Actor { return Actor{account: account, role: Leaving} }

// AsSupport returns a supporter of the installation.
func AsSupport(account id.Account) Actor { return Actor{account: account, role: Support} }

// ByLink returns whoever holds a client's link.
func ByLink(practice id.Practice, client id.Client) Actor {
	return Actor{practice: practice, client: client, role: Link}
}

// Job returns the actor of a job that works for a practice.
func Job(practice id.Practice) Actor { return Actor{practice: practice, role: System} }

// Operator returns the operator of the installation, at a command line.
func Operator() Actor { return Actor{role: Shell} }

// Operating returns the operator at work on one practice.
func Operating(practice id.Practice) Actor { return Actor{practice: practice, role: Shell} }

// Practice is the practice a acts in, or "".
func (a Actor) Practice() id.Practice { return a.practice }

// Account is the account a is signed in with, or "".
func (a Actor) Account() id.Account { return a.account }

// Practitioner is who a is within the practice, or "".
func (a Actor) Practitioner() id.Practitioner { return a.practitioner }

// Client is the client record a acts for, or "".
func (a Actor) Client() id.Client { return a.client }

// Role is what a is at this moment.
func (a Actor) Role() Role { return a.role }

// LogValue logs an actor as an account and a role.
func (a Actor) LogValue() slog.Value {
	return slog.GroupValue(slog.String("account", a.account.String()), slog.String("role", string(a.role)))
}

// SignedIn reports whether a has an account, has proved it, and means to keep it.
func (a Actor) SignedIn() bool { return a.account != "" && a.role != Leaving }

// IsLeaving reports whether a's account is to be deleted.
func (a Actor) IsLeaving() bool { return a.account != "" && a.role == Leaving }

// MaySupport reports whether a may look an account up and repair it: a
// supporter, or the operator at the machine.
func (a Actor) MaySupport() bool { return a.role == Support && a.account != "" || a.role == Shell }

// MayHavePlaces reports whether a may choose where to act: any person may.
func (a Actor) MayHavePlaces() bool { return a.SignedIn() && a.role != Support }

// AtWork reports whether a acts as a member of a practice.
func (a Actor) AtWork() bool {
	switch a.role {
	case Owner, Administrator, Practitioner, Biller, Scheduler, Supervisor:
		return a.practitioner != ""
	}
	return false
}

// IsClient reports whether a acts for a client record.
func (a Actor) IsClient() bool { return a.role == Client && a.client != "" }

// IsContact reports whether a acts for a client, in what they were given alone.
func (a Actor) IsContact() bool { return a.role == Contact && a.client != "" && a.grant != nil }

// ActsFor reports whether a may do with a part of the client's record what the
// client may: the client with all of it, a contact with what they were given.
func (a Actor) ActsFor(client id.Client, part Right) bool {
	if client == "" || client != a.client || a.account == "" {
		return false
	}
	return a.IsClient() || a.IsContact() && slices.Contains(a.grant.Rights, part)
}

// Grant is what a, a contact, was given; the zero Grant is nothing.
func (a Actor) Grant() Grant {
	if a.grant == nil {
		return Grant{}
	}
	return *a.grant
}

// MaySeePeople reports whether a may open the practice's list of clients.
func (a Actor) MaySeePeople() bool { return a.May(OpenPeople) }

// MayInvite reports whether a may bring new people into the practice, and end
// their care: those who look after clients, and those who run the practice.
func (a Actor) MayInvite() bool { return a.May(Invite) || a.role == Shell && a.practice != "" }

// MayExport reports whether a may take the list of clients away as a file.
func (a Actor) MayExport() bool { return a.May(Export) }

// SeesAll reports whether a sees every client's name and how to reach them,
// not only those they look after.
func (a Actor) SeesAll() bool { return a.May(SeeEveryone) || a.role == System || a.role == Shell }

// Sees reports whether a may see a client whom the given practitioner looks after.
func (a Actor) Sees(c id.Client, of id.Practitioner) bool {
	return a.SeesAll() || a.AtWork() && a.sees(c, of)
}

func (a Actor) sees(c id.Client, of id.Practitioner) bool {
	return of == a.practitioner || a.reach != nil && (slices.Contains(a.reach.Of, of) || slices.Contains(a.reach.Clients, c))
}

// Why is by what right somebody sees a client. The words are part of the trail:
// add to them, never change them.
type Why string

// The rights.
const (
	Unknown     Why = ""
	Self        Why = "self"        // it is their own record
	Care        Why = "care"        // they look after the client
	CareTeam    Why = "team"        // one of the care team
	Supervision Why = "supervision" // they supervise who does
	Office      Why = "office"      // their role sees every client
	ByEmergency Why = "emergency"   // opened in an emergency
	Acting      Why = "contact"     // acts for the client, in what was given
	Together    Why = "joint"       // looks after a joint record that the client is in, or is in it too
)

// Why says by what right a sees a client whom the given practitioner looks
// after, or Unknown if a does not.
func (a Actor) Why(c id.Client, of id.Practitioner) Why {
	switch {
	case a.role == Client && a.client == c:
		return Self
	case a.IsContact() && a.client == c:
		return Acting
	case a.AtWork() && of == a.practitioner:
		return Care
	case a.SeesAll():
		return Office
	case !a.Sees(c, of):
		return Unknown
	case slices.Contains(a.reach.Of, of):
		return Supervision
	case slices.Contains(a.reach.Opened, c):
		return ByEmergency
	}
	return CareTeam
}

// OnlyLooks reports whether a sees a client by way of an emergency alone: what
// is opened in one is there to be read, not to be changed.
func (a Actor) OnlyLooks(c id.Client, of id.Practitioner) bool { return a.Why(c, of) == ByEmergency }

// Caseloads returns the members all of whose clients a sees, for who does not see all.
func (a Actor) Caseloads() []id.Practitioner {
	if !a.AtWork() {
		return nil
	}
	own := []id.Practitioner{a.practitioner}
	if a.reach != nil {
		own = append(own, a.reach.Of...)
	}
	return own
}

// Given returns the single clients whom a sees beyond those caseloads.
func (a Actor) Given() []id.Client {
	if a.reach == nil {
		return nil
	}
	return a.reach.Clients
}

// Until is when a reaches less far by the clock alone; whoever remembers a must
// ask anew from then on. Zero: never.
func (a Actor) Until() at.Time {
	switch {
	case a.reach != nil:
		return a.reach.Until
	case a.grant != nil:
		return a.grant.Until
	}
	return at.Time{}
}
